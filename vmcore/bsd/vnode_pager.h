/*
 * vnode_pager.h: regular files of the kernel `bsd`: struct vnode with its
 * lock, the vnode pager, file I/O through the page cache, the syncer
 * (companions 10).
 */
#ifndef VMSIM_VMCORE_BSD_VNODE_PAGER_H
#define VMSIM_VMCORE_BSD_VNODE_PAGER_H

#include "vmcore/vm_int.h"

#define VNODE_BSIZE 32768u /* file-system block: UFS in FreeBSD 11 */
#define VNODE_BPAGES (VNODE_BSIZE / PAGE_SIZE)
#define MAXPHYS 131072u /* largest transfer, bytes */
#define MAXPHYS_PAGES (MAXPHYS / PAGE_SIZE)

#define SYNCER_MAXDELAY 32 /* slots of a second each */
#define SYNCER_FILEDELAY 30 /* s: a file dirtied now is written then */
#define SYNCER_SYNCDELAY 30 /* s: dirty mapped pages of every file */

struct vnode {
	TAILQ_ENTRY(vnode) link; /* all vnodes, oldest first */
	TAILQ_ENTRY(vnode) sync_link; /* in its syncer slot */
	char *name;
	const struct vnode_ops *ops; /* NULL: detached, nobody can reach it */
	void *ctx;
	struct disk *disk; /* NULL: no transfer time */
	uint64_t first_sector;
	uint64_t size; /* bytes */
	vm_object_t object;
	uint32_t id; /* 1, 2, ... in order of creation */
	int32_t refs; /* users and mappings */
	int32_t sync_slot; /* -1: not on the syncer's work list */
	int32_t writes; /* blocks being written */
	bool gone; /* no users; freed when its pages are */
	int32_t write_error; /* errno of the last failed write, for fsync */
	/* the vnode lock, held across I/O */
	const struct sim_thread *lock_owner;
	uint32_t lock_readers;
	int32_t lock_depth; /* LK_CANRECURSE */
	/* sequential read heuristic and read-ahead, in blocks */
	uint64_t nextoff; /* bytes */
	uint32_t seqcount;
	uint64_t ra_mark; /* reading this block starts the next read-ahead */
	uint64_t ra_end; /* first block not yet read ahead */
};

TAILQ_HEAD(vnodelist, vnode);

/* ---- vnode lock: an owned object (companions R12, 10.3) ---- */

bool vnode_trylock(struct vm *vm, struct vnode *vp, bool shared);
void vnode_lock(struct vm *vm, struct vnode *vp, bool shared); /* sleeps */
/* LK_TIMELOCK: 0, or EDEADLK after hz/20 + 1 ticks. Sleeps. */
int vnode_timelock(struct vm *vm, struct vnode *vp, bool shared);
void vnode_unlock(struct vm *vm, struct vnode *vp);

/* ---- references ---- */

void vnode_ref(struct vnode *vp);
void vnode_rele(struct vm *vm, struct vnode *vp);

/* ---- life cycle of the module ---- */

int vnode_pager_create(struct vm *vm, struct tunables *ts);
void vnode_pager_boot(struct vm *vm);
void vnode_pager_destroy(struct vm *vm);
struct vnodelist *vnode_list(struct vm *vm);
/* Pages of the file's contents that are in memory; for checks. */
void vnode_pager_check(struct vm *vm);

/* ---- the pager and its write path (vnode_pager.c, vnode_write.c) ---- */

extern const struct vm_pagerops vnode_pager_ops;
void vnode_pager_setsize(struct vm *vm, struct vnode *vp, uint64_t size);
/* The page daemon's page_hooks.vnode_idle. */
void vnode_pager_idle(struct vm *vm, vm_object_t object);
/*
 * Read [first, first + count) of pages, each of which is NULL (leave alone)
 * or busy and invalid. wanted: index of the one that the caller keeps busy
 * (-1: none); the others end through vm_page_readahead_finish. With wait the
 * caller sleeps until the read is over and gets its errno.
 */
int vnode_pager_read(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_page_t *pages, int count, int wanted, bool wait);
/*
 * Write the blocks that cover the `count` pages from pindex on, through
 * buffers that wire every resident page of a block. sync: wait for each.
 */
int vnode_write_blocks(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    int count, bool sync, bool cluster);
/* Wait until no write of the file is under way. */
void vnode_write_drain(struct vm *vm, struct vnode *vp);

/* ---- the syncer (vm_syncer.c) ---- */

int vm_syncer_create(struct vm *vm, struct tunables *ts);
void vm_syncer_destroy(struct vm *vm);
void vm_syncer_start(struct vm *vm);
/* A file has dirty data: written SYNCER_FILEDELAY seconds from now. */
void vm_syncer_add(struct vm *vm, struct vnode *vp);
void vm_syncer_remove(struct vm *vm, struct vnode *vp);
/* speedup_syncer(): one more slot at once; false when hurried enough. */
bool vm_speedup_syncer(struct vm *vm);

#endif /* VMSIM_VMCORE_BSD_VNODE_PAGER_H */
