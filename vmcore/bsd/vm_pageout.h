/*
 * vm_pageout.h: the page daemon and the vm daemon of the kernel `bsd`
 * (FreeBSD 11-CURRENT, end of 2015). The seed's globals, statics and
 * function-local statics are fields of struct vm_pageout; vm_pages_needed,
 * vm_pageout_deficit and vm_pageout_wakeup_thresh, which the page module
 * shares, are in struct vm.
 *
 * Two tables let the same code run in a machine and in a conformance run:
 * struct vm_page_ops, the page module it works on, and struct vm_pageout_env,
 * the rest of the kernel.
 */
#ifndef VMSIM_VMCORE_BSD_VM_PAGEOUT_H
#define VMSIM_VMCORE_BSD_VM_PAGEOUT_H

#include "vmcore/vm_int.h"
#include "vmcore/vm_lock.h"

#define VM_PAGEOUT_PAGE_COUNT 16
#define VM_PAGEOUT_PAGE_COUNT_MAX 256 /* our bound of the array of a cluster */
#define PAGEOUT_REST 500 /* ms */
#define VM_PAGEOUT_UPDATE_PERIOD 600 /* s: every active page once */
#define VM_PAGEOUT_LAUNDER_ALL 10000 /* pages: pass 2 and later */
#define MAXBSIZE 65536

#define VM_SWAP_NORMAL 1
#define VM_SWAP_IDLE 2
#define VM_OOM_MEM 1
#define VM_OOM_SWAPZ 2

/* Lock modes of a vnode. */
#define LK_EXCLUSIVE 0
#define LK_SHARED 1

/*
 * The page module. An ordinary run takes FreeBSD 5's (vm_page_ops_f5), a
 * conformance run of the FreeBSD 11 text that kernel's own (vm_page_ops_f11;
 * companions 4). Differences: R8, R10, R13 to R16.
 */
struct vm_page_ops {
	const char *name;
	void (*activate)(struct vm *vm, vm_page_t m);
	void (*deactivate)(struct vm *vm, vm_page_t m);
	void (*requeue)(struct vm *vm, vm_page_t m); /* tail of its queue */
	/* Before deactivate and cache under the queue's lock. NULL: those two
	 * take the page off its queue themselves, as one transition. */
	void (*dequeue)(struct vm *vm, vm_page_t m);
	void (*free)(struct vm *vm, vm_page_t m);
	void (*cache)(struct vm *vm, vm_page_t m);
	void (*test_dirty)(struct vm *vm, vm_page_t m);
	void (*undirty)(struct vm *vm, vm_page_t m);
	void (*sbusy)(struct vm *vm, vm_page_t m);
	void (*sunbusy)(struct vm *vm, vm_page_t m);
	vm_page_t (*next)(vm_page_t m);
	vm_page_t (*prev)(vm_page_t m);
};
extern const struct vm_page_ops vm_page_ops_f5; /* vm_pageout_env.c */
extern const struct vm_page_ops vm_page_ops_f11; /* vm_page_f11.c */

/* Decisions that no queue or counter shows, for conformance runs. */
enum vm_pageout_note {
	VPN_SHORTAGE, /* inactive scan over; a: shortage left, b: at start */
	VPN_FLUSH, /* vm_pageout_flush called from inside; a: its value */
	VPN_CLEAN, /* vm_pageout_clean in a scan; what: page, a: errno */
	VPN_PAGE_LOCK_MISS, /* what: page, a: found unchanged */
	VPN_OBJECT_LOCK_MISS, /* the same */
	VPN_VMDAEMON_REQ, /* a: VM_SWAP_* */
	VPN_OOM, /* selection started by a vote; a: VM_OOM_* */
	VPN_ALLPROC, /* process list locked */
	VPN_SCAN, /* the worker starts a scan; a: domain, b: pass */
	VPN_LAUNDER, /* what: the queue; a: domain, b: its number */
	VPN_LAUNDERED, /* a: something was written */
	VPN_MAP_DEACTIVATE, /* by the vm daemon; what: proc, a: desired */
	VPN_OBJECT_DEACTIVATE, /* of a map; what: object, a: desired */
};

/*
 * The rest of the kernel. Every member must be set unless it says NULL.
 * "May sleep": called from a simulated thread.
 */
struct vm_pageout_env {
	/* clocks */
	int32_t (*ticks)(struct vm *vm); /* 1/hz s; wraps */
	int64_t (*uptime)(struct vm *vm); /* s; starts at 1 */
	int64_t (*second)(struct vm *vm); /* s */
	/* timo: ticks, 0 none. Sleeps. */
	void (*msleep)(struct vm *vm, const void *chan, int priority,
	    const char *wmesg, int32_t timo);

	/* page locks: a pool (R12) */
	bool (*page_trylock)(struct vm *vm, vm_page_t m);
	void (*page_lock)(struct vm *vm, vm_page_t m); /* may sleep */
	void (*page_unlock)(struct vm *vm, vm_page_t m);

	/* object locks; m: the page being looked at */
	bool (*object_trywlock)(struct vm *vm, vm_object_t object,
	    vm_page_t m);
	void (*object_wlock)(struct vm *vm, vm_object_t object); /* sleeps */
	void (*object_wunlock)(struct vm *vm, vm_object_t object);
	bool (*object_tryrlock)(struct vm *vm, vm_object_t object);
	void (*object_rlock)(struct vm *vm, vm_object_t object); /* sleeps */
	void (*object_runlock)(struct vm *vm, vm_object_t object);

	/* map locks */
	bool (*map_trylock)(struct vm *vm, vm_map_t map);
	void (*map_unlock)(struct vm *vm, vm_map_t map);
	bool (*map_trylock_read)(struct vm *vm, vm_map_t map);
	void (*map_unlock_read)(struct vm *vm, vm_map_t map);

	/* objects; all with the object's lock held but deallocate */
	void (*object_reference)(struct vm *vm, vm_object_t object);
	void (*object_deallocate)(struct vm *vm, vm_object_t object);
	void (*object_pip_add)(struct vm *vm, vm_object_t object, int n);
	void (*object_pip_wakeup)(struct vm *vm, vm_object_t object);
	/* The whole object, OBJPC_* flags; sleeps. */
	void (*object_page_clean)(struct vm *vm, vm_object_t object,
	    int flags);

	/* file systems: object is an OBJT_VNODE */
	/* 0, or an errno (only with wait false). May sleep with wait. */
	int (*vn_start_write)(struct vm *vm, vm_object_t object, bool wait);
	void (*vn_finished_write)(struct vm *vm, vm_object_t object);
	bool (*shared_writes)(struct vm *vm, vm_object_t object);
	/* Reference and lock, giving up after LK_TIMELOCK's time. Errno. */
	int (*vget)(struct vm *vm, vm_object_t object, int lockmode);
	void (*vput)(struct vm *vm, vm_object_t object);
	void (*vn_lock)(struct vm *vm, vm_object_t object, int lockmode);
	void (*vn_unlock)(struct vm *vm, vm_object_t object);
	bool (*speedup_syncer)(struct vm *vm);

	/* memory pressure and whole-process swapping */
	void (*lowmem)(struct vm *vm); /* EVENTHANDLER_INVOKE(vm_lowmem) */
	void (*uma_reclaim)(struct vm *vm);
	void (*swapout_procs)(struct vm *vm, int flags); /* may sleep */
	void (*faultin)(struct vm *vm, struct proc *p); /* may sleep */

	/* processes */
	struct vmspace *(*vmspace_acquire_ref)(struct vm *vm, struct proc *p);
	void (*vmspace_free)(struct vm *vm, struct vmspace *vs); /* sleeps */
	uint64_t (*swap_count)(struct vm *vm, struct vmspace *vs); /* pages */
	void (*killproc)(struct vm *vm, struct proc *p, const char *why);
	void (*sched_nice)(struct vm *vm, struct proc *p, int nice);
	void (*racct_set)(struct vm *vm, struct proc *p, uint64_t bytes);
	uint64_t (*racct_available)(struct vm *vm, struct proc *p); /* bytes */

	/* start-up */
	void (*swap_init)(struct vm *vm);
	/* 0 or an errno. fn NULL: a helper that is not simulated. */
	int (*kthread_add)(struct vm *vm, void (*fn)(void *arg), void *arg,
	    const char *name, int index);

	/* Between two processes of a walk and wherever else the text drops
	 * its locks (R12). */
	void (*preempt)(struct vm *vm);
	/* NULL: nobody wants to know. */
	void (*note)(struct vm *vm, enum vm_pageout_note note,
	    const void *what, int64_t a, int64_t b);
	/* In place of a worker's scan; NULL: vm_pageout_scan. */
	void (*worker_scan)(struct vm *vm, struct vm_domain *vmd, int pass);
};
extern const struct vm_pageout_env vm_pageout_env_kernel;

/* Page locks: mtx_pool of 256, one for each 2 MiB (R12). */
#define PA_LOCK_COUNT 256
#define PDRSHIFT 21

struct vm_page_lock {
	const struct sim_thread *owner;
	uint32_t waiters; /* a readers' word of vm_lock.h */
};

struct vm_pageout_worker_arg {
	struct vm *vm;
	uint32_t domain;
};

struct vm_pageout {
	const struct vm_page_ops *page_ops;
	const struct vm_pageout_env *env;
	void *env_ctx;

	/* kernel options */
	int32_t opt_maxmemdom; /* MAXMEMDOM */
	int32_t opt_racct; /* RACCT */
	int32_t opt_no_swapping; /* NO_SWAPPING */

	/* globals of the seed */
	int32_t vm_pageout_page_count; /* pages of a cluster */
	int32_t vm_page_max_wired; /* pages */
	int32_t vm_pageout_oom_seq; /* scans */
	int32_t vm_pageout_req_swapout; /* VM_SWAP_* */
	int32_t vm_daemon_needed; /* a channel only */
	int32_t vm_max_launder; /* pages */
	int32_t vm_pageout_update_period; /* s */
	int32_t vm_pageout_rest; /* ms */
	int32_t defer_swap_pageouts;
	int32_t disable_swap_pageouts;
	int32_t lowmem_period; /* s */
	int64_t lowmem_uptime; /* s */
	int32_t vm_swap_enabled;
	int32_t vm_swap_idle_enabled;
	int32_t vm_panic_on_oom;
	int32_t pageout_lock_miss;
	int32_t vm_pageout_oom_vote;
	int32_t racct_enable;

	/* statics inside functions */
	uint32_t start_dom; /* vm_pageout_grow_cache */
	int64_t lsec; /* vm_pageout_scan: second of the last idle request */
	int32_t lastrun; /* vm_req_vmdaemon: ticks */

	/* threads */
	struct proc *vmproc;
	struct vm_pageout_worker_arg worker[VM_MAXDOMAINS];

	/* locks, and failures injected into tries */
	struct vm_page_lock page_lock[PA_LOCK_COUNT];
	uint32_t inject_lock_fail; /* parts per million */
	struct sim_rng lock_fail;

	/* What the low-memory handlers and the kernel's allocator give back of
	 * the kernel's own frames at each event (companions 12). */
	uint32_t lowmem_pages, uma_pages;

	/* Measuring a candidate for out of memory brings it in, as in the
	 * seed; 0: only the one that is chosen (vm_pageout_oom.c). */
	int32_t oom_swaps_in;

	/* vm_glue (process swapping), NULL until there is one */
	void (*swapout_procs)(struct vm *vm, int flags);
	void (*faultin)(struct vm *vm, struct proc *p);
};

/* ---- life cycle ---- */

/*
 * vm_pageout_create: vm->pageout with the seed's initial values, on
 * FreeBSD 5's pages in an ordinary kernel. -ENOMEM.
 */
int vm_pageout_create(struct vm *vm);
/* The same for other tables (conformance runs, tests). */
int vm_pageout_create_with(struct vm *vm, const struct vm_page_ops *ops,
    const struct vm_pageout_env *env, void *env_ctx);
void vm_pageout_destroy(struct vm *vm);
/* Registers the rows of this module; called once by vm_create. */
int vm_pageout_tunables(struct vm *vm, struct tunables *ts);
/* Thresholds from v_page_count and v_free_count: after vm_page_startup. */
void vm_pageout_init(struct vm *vm);
/* Ordinary boot: vm_pageout_init, then what the user set by hand. */
void vm_pageout_boot(struct vm *vm);
/* The threads: pagedaemon (one a domain), vmdaemon; their processes. */
void vm_pageout_start(struct vm *vm);

/* ---- vm_pageout.c: the daemon's loop ---- */

void vm_pageout(struct vm *vm); /* does not return */
void vm_pageout_worker(struct vm *vm, uint32_t domidx); /* nor this */
void vm_pageout_init_marker(struct vm *vm, vm_page_t marker, uint32_t queue);
bool vm_pageout_page_lock(struct vm *vm, vm_page_t m, vm_page_t *next);
bool vm_pageout_fallback_object_lock(struct vm *vm, vm_page_t m,
    vm_page_t *next);

/* ---- vm_pageout_scan.c ---- */

void vm_pageout_scan(struct vm *vm, struct vm_domain *vmd, int pass);

/* ---- vm_pageout_cluster.c: writing pages ---- */

/* Page and object locked; the page comes back unlocked. Pages written. */
int vm_pageout_cluster(struct vm *vm, vm_page_t m);
/*
 * vm_pageout_flush: hand `count` pages of one locked object to its pager.
 * mreq: index of the page that the caller wants most; *runlen: pages from
 * there to the first that must be tried again; *eio: one of those failed.
 * Both may be NULL. Returns the pages written or under way.
 */
int vm_pageout_flush(struct vm *vm, vm_page_t *mc, int count, int flags,
    int mreq, int *runlen, bool *eio);
/* Page and object locked, both released. 0, EIO, EDEADLK, ENXIO, EBUSY. */
int vm_pageout_clean(struct vm *vm, vm_page_t m);

/* ---- vm_pageout_launder.c: contiguous memory ---- */

bool vm_pageout_launder(struct vm *vm, struct vm_pagequeue *pq, int tries,
    vm_paddr_t low, vm_paddr_t high);
/* tries 0: clean inactive pages; 1: all inactive; 2: active ones too. */
void vm_pageout_grow_cache(struct vm *vm, int tries, vm_paddr_t low,
    vm_paddr_t high);
bool vm_phys_domain_intersects(const struct vm_domain *vmd, vm_paddr_t low,
    vm_paddr_t high);

/* ---- vm_pageout_oom.c ---- */

void vm_pageout_mightbe_oom(struct vm *vm, struct vm_domain *vmd,
    int page_shortage, int starting_page_shortage);
int64_t vm_pageout_oom_pagecount(struct vm *vm, struct vmspace *vmspace);
void vm_pageout_oom(struct vm *vm, int shortage);

/* ---- vm_daemon.c ---- */

void vm_req_vmdaemon(struct vm *vm, int req);
void vm_daemon(struct vm *vm); /* does not return */
/* Object (and map) locked; desired: pages the pmap may keep. */
void vm_pageout_object_deactivate_pages(struct vm *vm, struct pmap *pmap,
    vm_object_t first_object, int64_t desired);
void vm_pageout_map_deactivate_pages(struct vm *vm, vm_map_t map,
    int64_t desired);

/* ---- small things the files share ---- */

static inline const struct vm_page_ops *
vm_pops(const struct vm *vm)
{
	return (vm->pageout->page_ops);
}

static inline const struct vm_pageout_env *
vm_penv(const struct vm *vm)
{
	return (vm->pageout->env);
}

static inline void
vm_pageout_note(struct vm *vm, enum vm_pageout_note note, const void *what,
    int64_t a, int64_t b)
{
	if (vm->pageout->env->note != NULL)
		vm->pageout->env->note(vm, note, what, a, b);
}

/* The queue of a page that is on INACTIVE or ACTIVE. */
static inline struct vm_pagequeue *
vm_pageout_queue(struct vm *vm, const struct vm_page *m)
{
	struct vm_domain *vmd = &vm->dom[m->domain];

	return (m->queue == PQ_ACTIVE(vm) ? &vmd->vmd_active :
		    &vmd->vmd_inactive);
}

/* Queue locks are never held across a preemption point, so never waited for. */
static inline void
vm_pagequeue_lock(struct vm *vm, struct vm_pagequeue *pq)
{
	KASSERT(vm->sim, pq->pq_lock == NULL, ("page queue is locked"));
	pq->pq_lock = vm_lock_self(vm);
}

static inline void
vm_pagequeue_unlock(struct vm *vm, struct vm_pagequeue *pq)
{
	KASSERT(vm->sim, pq->pq_lock == vm_lock_self(vm),
	    ("page queue is not locked by this thread"));
	pq->pq_lock = NULL;
}

/* On a run queue, running, sleeping or suspended. */
static inline bool
vm_thread_ordinary(const struct thread *td)
{
	return ((td->td_inhibitors & (TDI_SLEEPING | TDI_SUSPENDED)) != 0 ||
	    td->td_state == TDS_RUNQ || td->td_state == TDS_RUNNING);
}

/* _PHOLD: keep a process in memory until vm_proc_release; brings it in. */
static inline void
vm_proc_hold(struct vm *vm, struct proc *p)
{
	p->p_lock++;
	if ((p->p_sflag & PS_INMEM) == 0)
		vm->pageout->env->faultin(vm, p);
}

/* The software reference, taken. */
static inline int
vm_pageout_take_reference(vm_page_t m)
{
	if ((m->flags & PG_REFERENCED) == 0)
		return (0);
	m->flags &= (uint16_t)~PG_REFERENCED;
	return (1);
}

#endif /* VMSIM_VMCORE_BSD_VM_PAGEOUT_H */
