/*
 * vm_glue_swap.c: whole processes go out and come back: whom swapout_procs
 * takes, what the swapper brings in.
 *
 * Interface: vmcore/bsd/vm_glue.h.
 * Source:    FreeBSD 5.0 vm_glue.c (faultin, scheduler, swapout_procs,
 *            swapout). The seed's outp, outpri and their twins are never used
 *            and are left out.
 * Differs:   swapping can always be done (no NO_SWAPPING). Events and the
 *            callback to the machine are ours.
 *
 *	           swapout               thread woken: PS_SWAPINREQ
 *	IN MEMORY --------> SWAPPED OUT --------------------------+
 *	 ^  wired            | unwired, dirty                     |
 *	 |                   |                                    v
 *	 +---- faultin <-----+---- scheduler: all but sleeping threads' only
 *	       PS_SWAPPINGIN              inhibitor is "swapped"
 */
#include <limits.h>

#include "vmcore/bsd/vm_glue.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/vm_lock.h"

#define PS_SWAPSTATE (PS_INMEM | PS_SWAPPING | PS_SWAPPINGIN)

/* FreeBSD 5 has a process's threads newest first (R22). */
#define FOREACH_THREAD_IN_PROC(p, td) \
	TAILQ_FOREACH_REVERSE (td, &(p)->p_threads, p_threads, td_plist)

static void
glue_proc_lock(struct vm *vm, struct proc *p)
{
	if (vm_genv(vm)->proc_lock != NULL)
		vm_genv(vm)->proc_lock(vm, p);
}

/* Statistics, and the machine's own view. */
static void
glue_tell(struct vm *vm, struct proc *p, bool out)
{
	if (out) {
		vm->procs_out++;
		vm->proc_swapouts++;
	} else {
		vm->procs_out--;
		vm->proc_swapins++;
	}
	if (vm->up != NULL && vm->up->swapped != NULL)
		vm->up->swapped(vm->up_ctx, p, out);
}

/* ------------------------------------------------------------ in */

/* U area and kernel stacks; returns the pages read. */
static uint32_t
faultin_pages(struct vm *vm, struct proc *p)
{
	struct thread *td;
	uint32_t reads;

	reads = vm_glue_proc_swapin(vm, p);
	FOREACH_THREAD_IN_PROC(p, td) {
		reads += vm_genv(vm)->swapin_thread(vm, td);
		vm_thread_clear(td, TDI_SWAPPED);
	}
	return (reads);
}

/* Swapped in: threads whose event came meanwhile run. */
static void
faultin_done(struct vm *vm, struct proc *p)
{
	struct thread *td;

	p->p_sflag &= (uint32_t)~PS_SWAPPINGIN;
	p->p_sflag |= PS_INMEM;
	FOREACH_THREAD_IN_PROC(p, td) {
		if (td->td_state == TDS_CAN_RUN)
			vm_genv(vm)->setrunnable(vm, td);
	}
	sim_wakeup(vm->sim, &p->p_sflag);
}

/*
 * faultin: bring a process into memory; nothing to do when it is there. Who
 * finds somebody else at it waits until he is done. Sleeps.
 * Source:  FreeBSD 5.0 vm_glue.c, same name.
 */
void
faultin(struct vm *vm, struct proc *p)
{
	sim_time_t start = sim_now(vm->sim);
	uint32_t reads, why;

	if ((p->p_sflag & PS_INMEM) != 0)
		return;
	p->p_lock++;
	if ((p->p_sflag & PS_SWAPPINGIN) != 0) {
		vm_genv(vm)->tsleep(vm, &p->p_sflag, PVM, "faultin", 0);
		vm_proc_release(vm, p);
		return;
	}
	p->p_sflag |= PS_SWAPPINGIN;
	why = vm_why(vm, WHY_SWAPIN);
	reads = faultin_pages(vm, p);
	vm_why(vm, why);
	glue_proc_lock(vm, p);
	faultin_done(vm, p);
	vm_trace_event(vm, VME_SWAP_IN, p->p_pid, reads,
	    (int64_t)(sim_now(vm->sim) - start));
	glue_tell(vm, p, false);
	vm_proc_release(vm, p);
}

/* ------------------------------------------------------------ swapper */

/*
 * The better claim of a process that is out: the one that has waited and
 * slept longest, with nice counting against it unless it was asked for.
 * Raises *best; false: none of its threads beats it.
 */
static bool
scheduler_claim(struct proc *p, int *best)
{
	struct thread *td;
	bool better = false;
	uint32_t claim; /* wraps, as the seed's machine does */
	int pri;

	FOREACH_THREAD_IN_PROC(p, td) {
		/* It could run if its process were in memory. */
		if (td->td_inhibitors != TDI_SWAPPED)
			continue;
		claim = p->p_swtime + td->td_ksegrp->kg_slptime;
		if ((p->p_sflag & PS_SWAPINREQ) == 0)
			claim -= (uint32_t)(td->td_ksegrp->kg_nice * 8);
		pri = (int)claim;
		if (pri > *best) {
			*best = pri;
			better = true;
		}
	}
	return (better);
}

/* The process to be brought in next; the first among equals. */
static struct proc *
scheduler_choose(struct vm *vm)
{
	struct proc *p, *pp = NULL;
	int ppri = INT_MIN;

	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		if ((p->p_sflag & PS_SWAPSTATE) == 0 &&
		    scheduler_claim(p, &ppri))
			pp = p;
	}
	return (pp);
}

/* One turn of the swapper's loop. */
static void
scheduler_turn(struct vm *vm)
{
	const struct vm_glue *g = vm->glue;
	struct proc *p;

	if (vm_page_count_min(vm)) {
		vm_wait(vm);
		return;
	}
	p = scheduler_choose(vm);
	if (p == NULL) {
		g->env->tsleep(vm, vm_swapper_channel(vm), PVM, "sched",
		    g->maxslp * g->hz / 2);
		return;
	}
	/* Somebody else may be bringing it in, or have done so. */
	glue_proc_lock(vm, p);
	if ((p->p_sflag & PS_SWAPSTATE) != 0)
		return;
	p->p_sflag &= (uint32_t)~PS_SWAPINREQ; /* G-1 */
	faultin(vm, p);
	p->p_swtime = 0;
}

/*
 * scheduler: the swapper. While there is memory it brings in, one after the
 * other, the processes that could run.
 * Source:  FreeBSD 5.0 vm_glue.c, same name.
 */
void
scheduler(struct vm *vm)
{
	for (;;)
		scheduler_turn(vm);
}

/* ------------------------------------------------------------ out */

static void
swapout_assert(const struct vm *vm, const struct proc *p)
{
	struct thread *td;

	KASSERT(vm->sim, p->p_vmspace != NULL,
	    ("NO_VMSPACE: process %d lost its address space", p->p_pid));
	VM_KASSERT(vm, (p->p_sflag & PS_SWAPSTATE) == PS_INMEM,
	    ("SWAPOUT_RACE: process %d, flags %#x", p->p_pid, p->p_sflag));
	FOREACH_THREAD_IN_PROC(p, td) {
		VM_KASSERT(vm, thread_safetoswapout(td),
		    ("SWAPOUT_UNSAFE: thread %d, inhibitors %#x", td->td_tid,
			td->td_inhibitors));
	}
}

/*
 * swapout: unwire what keeps the process in memory. Its pages go by and by,
 * by the vm daemon and the page daemon.
 * Source:  FreeBSD 5.0 vm_glue.c, same name.
 */
static void
swapout(struct vm *vm, struct proc *p, int action)
{
	uint32_t why = vm_why(vm, WHY_SWAPOUT);
	struct thread *td;

	swapout_assert(vm, p);
	p->p_nswap++;
	p->p_vmspace->vm_swrss = vm_genv(vm)->resident_count(vm, p->p_vmspace);
	p->p_sflag &= (uint32_t)~PS_INMEM;
	p->p_sflag |= PS_SWAPPING;
	vm_glue_proc_swapout(vm, p);
	FOREACH_THREAD_IN_PROC(p, td) {
		vm_genv(vm)->swapout_thread(vm, td);
		vm_thread_inhibit(td, TDI_SWAPPED);
	}
	p->p_sflag &= (uint32_t)~PS_SWAPPING;
	p->p_swtime = 0;
	vm_why(vm, why);
	vm_trace_event(vm, VME_SWAP_OUT, p->p_pid,
	    (int64_t)p->p_vmspace->vm_swrss, action);
	glue_tell(vm, p, true);
}

/*
 * May this thread group go out? Not while it may run soon, waits for
 * something critical, or has not been idle for long enough.
 */
static bool
swapout_group(const struct vm *vm, const struct ksegrp *kg, int action)
{
	const struct vm_glue *g = vm->glue;
	const struct thread *td;

	if (PRI_IS_REALTIME(kg->kg_pri_class))
		return (false);
	/* slptime is unsigned: a negative threshold is enormous. */
	if (kg->kg_slptime < (uint32_t)g->swap_idle_threshold1)
		return (false);
	TAILQ_FOREACH(td, &kg->kg_threads, td_kglist) {
		if (td->td_priority < PSOCK || !thread_safetoswapout(td))
			return (false);
	}
	if ((action & VM_SWAP_NORMAL) != 0)
		return (true);
	return ((action & VM_SWAP_IDLE) != 0 &&
	    kg->kg_slptime >= (uint32_t)g->swap_idle_threshold2);
}

/* All groups, and the least time that one has slept. */
static bool
swapout_groups(const struct vm *vm, const struct proc *p, int action)
{
	const struct ksegrp *kg;
	int minslptime = 100000;

	TAILQ_FOREACH(kg, &p->p_ksegrps, kg_ksegrp) {
		if (!swapout_group(vm, kg, action))
			return (false);
		if ((uint32_t)minslptime > kg->kg_slptime)
			minslptime = (int)kg->kg_slptime;
	}
	return ((action & VM_SWAP_NORMAL) != 0 ||
	    ((action & VM_SWAP_IDLE) != 0 &&
	    minslptime > vm->glue->swap_idle_threshold2));
}

/* With the map locked. */
static bool
swapout_eligible(const struct vm *vm, const struct proc *p, int action)
{
	if (p->p_lock != 0 || (p->p_flag & (P_STOPPED_SINGLE | P_TRACED |
	    P_SYSTEM | P_WEXIT)) != 0)
		return (false);
	if ((p->p_sflag & PS_SWAPSTATE) != PS_INMEM)
		return (false);
	return (p->p_state == PRS_NORMAL && swapout_groups(vm, p, action));
}

/*
 * One process of the list. Its map stays locked from the first look until it
 * is out, or a thread might change it; who waits for a map is let be.
 * Returns: it was swapped out.
 */
static bool
swapout_try(struct vm *vm, struct proc *p, int action)
{
	const struct vm_glue_env *env = vm_genv(vm);
	struct vmspace *vs;
	bool swapped = false;

	/* In creation: it may have no address space yet. */
	if (p->p_state == PRS_NEW)
		return (false);
	glue_proc_lock(vm, p);
	if ((p->p_flag & P_SYSTEM) != 0)
		return (false);
	vs = p->p_vmspace;
	KASSERT(vm->sim, vs != NULL,
	    ("NO_VMSPACE: process %d has no address space", p->p_pid));
	vmspace_ref(vs);
	if (env->map_trylock(vm, vs)) {
		glue_proc_lock(vm, p);
		if (swapout_eligible(vm, p, action)) {
			swapout(vm, p, action);
			swapped = true;
		}
		env->map_unlock(vm, vs);
	}
	env->vmspace_free(vm, vs);
	return (swapped);
}

/* The first of the list that goes out; false: none does. */
static bool
swapout_one(struct vm *vm, int action)
{
	bool swapped = false;
	struct proc *p;

	vm_allproc_slock(vm);
	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		swapped = swapout_try(vm, p, action);
		if (swapped)
			break;
	}
	vm_allproc_sunlock(vm);
	return (swapped);
}

/*
 * swapout_procs: swap out every process that has slept for
 * swap_idle_threshold1 seconds (VM_SWAP_NORMAL) or more than
 * swap_idle_threshold2 (VM_SWAP_IDLE), from the newest on and from the start
 * again after each. Then the swapper looks whether one must come back.
 * Source:  FreeBSD 5.0 vm_glue.c, same name.
 */
void
swapout_procs(struct vm *vm, int action)
{
	bool didswap = false;

	while (swapout_one(vm, action))
		didswap = true;
	if (didswap)
		sim_wakeup(vm->sim, vm_swapper_channel(vm));
}
