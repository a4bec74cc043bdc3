/*
 * fuzz_vmcore.h: a machine that does nothing but random page operations.
 */
#ifndef VMSIM_TESTS_FUZZ_VMCORE_H
#define VMSIM_TESTS_FUZZ_VMCORE_H

#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/vm_int.h"

#define FZ_OBJECTS 24
#define FZ_OBJECT_PAGES 256
#define FZ_PMAPS 3
#define FZ_WAITERS 3
#define FZ_CONTIGS 4

enum fz_owner { FZ_NOBODY, FZ_BUSY, FZ_IO, FZ_WRITE };

struct fz_config {
	uint64_t seed, ops;
	uint64_t check; /* operations between two checks of everything */
	uint32_t pages, domains, colours; /* 0: drawn from the seed */
	bool scans;
};

struct fz {
	struct fz_config cfg;
	struct sim *sim;
	struct mmu *mmu;
	struct vm *vm;
	struct sim_rng rng;
	struct proc user, daemon;
	struct thread user_td, daemon_td;
	struct vm_object objs[FZ_OBJECTS];
	struct pmap *pmaps[FZ_PMAPS];
	struct vm_contig contig[FZ_CONTIGS]; /* object NULL: none */
	uint8_t *owner; /* enum fz_owner, by page */
	uint32_t held; /* pages held in all */
	int depth; /* inside an operation that lets others in */
	uint64_t done; /* operations */
	uint64_t counts[64]; /* by operation */
	uint64_t scans, waits;
	uint32_t waiters;
	bool draining; /* the round is over: waiters go home */
};

/* fuzz_ops.c */
void fz_op(struct fz *f);
void fz_drain(struct fz *f);
void fz_waiter(void *arg);
const char *fz_op_name(unsigned i); /* NULL past the end */
void fz_complete_write(struct fz *f, vm_page_t m, int status);

/* fuzz_env.c */
extern const struct vm_pageout_env fz_env;
extern const struct vm_pagerops fz_pager;
void fz_random_scan(struct fz *f);
void fz_free_contigs(struct fz *f);

static inline uint32_t
fz_below(struct fz *f, uint32_t bound)
{
	return ((uint32_t)((sim_rng_next(&f->rng) >> 32) * bound >> 32));
}

static inline bool
fz_locked(const struct vm_object *object)
{
	return (object->lock_owner != NULL || object->lock_readers != 0);
}

#endif
