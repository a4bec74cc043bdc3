/*
 * vm_glue.h: swapping of whole processes, and the rest of FreeBSD 5.0's
 * vm_glue.c: U areas, kernel stacks, fork's address space, limits, checks of
 * access. The seed's statics are fields of struct vm_glue.
 *
 * struct vm_glue_env lets the same code run in a machine and in a
 * conformance run: it is the rest of the kernel.
 */
#ifndef VMSIM_VMCORE_BSD_VM_GLUE_H
#define VMSIM_VMCORE_BSD_VM_GLUE_H

#include "vmcore/bsd/vm_sched.h"
#include "vmcore/vm_int.h"

#define UAREA_PAGES 1
#define UAREA_PAGES_MAX 16 /* our bound, for conformance runs */
#define KSTACK_PAGES 2
#define MAXSLP 20 /* s */
#define GLUE_HZ 100 /* FreeBSD 5's ticks per second (R20) */

#define PRI_ITHD 1
#define PRI_REALTIME 2
#define PRI_TIMESHARE 3
#define PRI_FIFO_BIT 8

#define RSS_LIMIT_MIN 512 /* pages */

static inline bool
PRI_IS_REALTIME(int32_t pri_class)
{
	return ((pri_class & ~PRI_FIFO_BIT) == PRI_REALTIME);
}

/* Limits of a process as vm_init_limits sets them, bytes. */
struct vm_limits {
	uint64_t stack_cur, stack_max, data_cur, data_max;
	uint64_t rss_cur, rss_max; /* UINT64_MAX: RLIM_INFINITY */
};

/* The rest of the kernel. Every member must be set unless it says NULL. */
struct vm_glue_env {
	/* timo: ticks of vm->glue->hz, 0 none */
	void (*tsleep)(struct vm *vm, const void *chan, int priority,
	    const char *wmesg, int32_t timo);
	/* The text is about to lock p. NULL: nobody wants to know. */
	void (*proc_lock)(struct vm *vm, struct proc *p);

	/* kernel memory */
	vm_object_t (*object_allocate)(struct vm *vm, vm_pindex_t size);
	void (*object_deallocate)(struct vm *vm, vm_object_t object);
	/* Kernel addresses for the U area of p; false: there are none. */
	bool (*uarea_address)(struct vm *vm, struct proc *p);
	void (*uarea_qenter)(struct vm *vm, struct proc *p, vm_page_t *ma,
	    uint32_t count);
	void (*uarea_qremove)(struct vm *vm, struct proc *p, uint32_t count);
	/* Kernel stack: pages read from the pager; may sleep. */
	uint32_t (*swapin_thread)(struct vm *vm, struct thread *td);
	void (*swapout_thread)(struct vm *vm, struct thread *td);
	void (*setrunnable)(struct vm *vm, struct thread *td);

	/* address spaces */
	bool (*map_trylock)(struct vm *vm, struct vmspace *vs);
	void (*map_unlock)(struct vm *vm, struct vmspace *vs);
	void (*vmspace_free)(struct vm *vm, struct vmspace *vs);
	uint64_t (*resident_count)(struct vm *vm, struct vmspace *vs);
	/* vs NULL: the kernel's own map */
	bool (*check_protection)(struct vm *vm, struct vmspace *vs,
	    vm_offset_t start, vm_offset_t end, int prot);
	void (*map_wire)(struct vm *vm, struct vmspace *vs,
	    vm_offset_t start, vm_offset_t end, bool user);
	void (*map_unwire)(struct vm *vm, struct vmspace *vs,
	    vm_offset_t start, vm_offset_t end, bool user);

	/* fork and reaping */
	void (*vmspace_unshare)(struct vm *vm, struct proc *p);
	struct vmspace *(*vmspace_fork)(struct vm *vm, struct vmspace *vs);
	void (*shmfork)(struct vm *vm, struct proc *p1, struct proc *p2);
	void (*cpu_fork)(struct vm *vm, struct thread *td, struct proc *p2,
	    struct thread *td2, int flags);
	void (*cpu_wait)(struct vm *vm, struct proc *p);
	void (*vmspace_exitfree)(struct vm *vm, struct proc *p);
};
extern const struct vm_glue_env vm_glue_env_kernel; /* vm_glue_env.c */

struct vm_glue {
	const struct vm_glue_env *env;
	void *env_ctx;
	struct proc *proc0; /* the swapper's; its address is the channel */
	uint32_t uarea_pages;
	int32_t maxslp; /* s */
	int32_t hz;
	int32_t swap_idle_threshold1, swap_idle_threshold2; /* s */
	bool i386; /* pages to bytes in 32 bits */
	struct vm_limits limits; /* proc0's, inherited by all others */
	struct vm_sched sched;
};

/* ---- life cycle (vm_glue_env.c) ---- */

/* vm->glue with the seed's initial values; env NULL: an ordinary kernel's.
 * -ENOMEM. */
int vm_glue_create(struct vm *vm, const struct vm_glue_env *env,
    void *env_ctx);
void vm_glue_destroy(struct vm *vm);
int vm_glue_tunables(struct vm *vm, struct tunables *ts);
/* Process 0 and its limits; the scheduler's clock. Before the daemons. */
void vm_glue_boot(struct vm *vm);
/* The thread `swapper`: last of all. */
void vm_glue_start(struct vm *vm);
void vm_glue_check(struct vm *vm);

/* ---- vm_glue.c: access, fork, limits ---- */

/* rw: VM_PROT_*. Does the map allow it? */
bool kernacc(struct vm *vm, vm_offset_t addr, int32_t len, int rw);
bool useracc(struct vm *vm, vm_offset_t addr, int32_t len, int rw);
void vslock(struct vm *vm, vm_offset_t addr, uint32_t len); /* sleeps */
void vsunlock(struct vm *vm, vm_offset_t addr, uint32_t len);
void vm_waitproc(struct vm *vm, struct proc *p);
void vm_init_limits(struct vm *vm, struct vm_limits *l);

/* ---- vm_glue_uarea.c: memory of processes and threads ---- */

/*
 * The seed's vm_proc_new, _dispose, _swapout and _swapin; vmcore.h has a
 * vm_proc_new already, which makes the record of a process. The first and the
 * last sleep; the last returns the pages read.
 */
void vm_glue_proc_new(struct vm *vm, struct proc *p);
void vm_glue_proc_dispose(struct vm *vm, struct proc *p);
void vm_glue_proc_swapout(struct vm *vm, struct proc *p);
uint32_t vm_glue_proc_swapin(struct vm *vm, struct proc *p);
/* The same for a thread's kernel stack. */
void pmap_new_thread(struct vm *vm, struct thread *td);
void pmap_dispose_thread(struct vm *vm, struct thread *td);
void pmap_swapout_thread(struct vm *vm, struct thread *td);
uint32_t pmap_swapin_thread(struct vm *vm, struct thread *td);
/* Ordinary runs: the page says whose it is, and must still say so. */
void vm_glue_stamp(struct vm *vm, vm_page_t m, int32_t owner);
void vm_glue_check_stamp(struct vm *vm, vm_page_t m, int32_t owner);

/* ---- vm_glue_swap.c: swapping ---- */

void faultin(struct vm *vm, struct proc *p); /* sleeps */
/* The swapper: does not return. */
void scheduler(struct vm *vm);
void swapout_procs(struct vm *vm, int action);

/* ---- small things ---- */

static inline const struct vm_glue_env *
vm_genv(const struct vm *vm)
{
	return (vm->glue->env);
}

/* Where the swapper sleeps. */
static inline const void *
vm_swapper_channel(const struct vm *vm)
{
	return (&vm->glue->proc0);
}

#endif /* VMSIM_VMCORE_BSD_VM_GLUE_H */
