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
#define VNODE_BUF_PAGES 64 /* pages of the largest transfer */

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

/* One transfer of a file's pages. */
struct vnode_buf {
	struct vnode_buf *next; /* free list */
	struct vnode_buf *next_all;
	struct disk_request rq;
	struct vm *vm;
	struct vnode *vp;
	vm_pindex_t first; /* page index of pages[0] */
	int32_t npages;
	int32_t wanted; /* read: the page its owner keeps; -1: none */
	uint32_t bytes; /* write: counted as running */
	bool wait, done;
	int32_t error;
	vm_page_t pages[VNODE_BUF_PAGES]; /* NULL: not part of the transfer */
};

struct vnode_pager {
	struct vnodelist vnodes;
	struct vnodelist gone; /* without users, pages left */
	uint32_t next_id;
	uint64_t running; /* bytes being written */
	uint64_t hirunningspace, lorunningspace; /* bytes, tunable */
	struct vnode_buf *free_bufs, *all_bufs;
	uint64_t buf_bytes; /* host memory */
	int32_t read_max; /* blocks, vfs.read_max */
	uint32_t nbuf; /* buffers of the buffer cache that is not simulated */
	uint32_t idle_pending; /* vnodes of `gone` may be without pages */
};

int vnode_pager_create(struct vm *vm, struct tunables *ts);
/* After the number of pages is known. */
void vnode_pager_boot(struct vm *vm);
void vnode_pager_destroy(struct vm *vm);
/* Free vnodes that have neither users nor pages. */
void vnode_pager_reclaim(struct vm *vm);
void vnode_pager_check(struct vm *vm);

/* ---- vnode_pager.c ---- */

extern const struct vm_pagerops vnode_pager_ops;
void vnode_pager_setsize(struct vm *vm, struct vnode *vp, uint64_t size);
/* page_hooks.vnode_idle: the last page of an object without users went. */
void vnode_pager_idle(struct vm *vm, vm_object_t object);

/* ---- vnode_io.c: transfers ---- */

struct vnode_buf *vnode_getbuf(struct vm *vm, struct vnode *vp,
    vm_pindex_t first, int npages);
void vnode_relbuf(struct vm *vm, struct vnode_buf *bp);
/* Start the transfer of bp's pages; done runs at its end (event context, or
 * at once for a file without a disk). */
void vnode_strategy(struct vm *vm, struct vnode_buf *bp, enum disk_op op,
    void (*done)(struct disk_request *rq, int error));
/*
 * Read [first, first + count) of pages, each of which is NULL (leave alone)
 * or busy and invalid. wanted: index of the one that the caller keeps busy
 * (-1: none); the others end through vm_page_readahead_finish. With wait the
 * caller sleeps until the read is over and gets its errno.
 */
int vnode_pager_read(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_page_t *pages, int count, int wanted, bool wait);

/* ---- vnode_write.c ---- */

/*
 * Write the blocks that cover the `count` pages from pindex on, through
 * buffers that wire every resident page of a block. sync: wait for each.
 * cluster: adjacent blocks in one transfer.
 */
void vnode_write_blocks(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    int count, bool sync, bool cluster);
/* Wait until no write of the file is under way. */
void vnode_write_drain(struct vm *vm, struct vnode *vp);
void vnode_pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int flags, int *rtvals);

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
