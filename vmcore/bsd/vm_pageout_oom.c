/*
 * vm_pageout_oom.c: the page daemons' vote on running out of memory, and the
 * choice of the process that is killed.
 *
 * Interface: vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c, vm_pageout_mightbe_oom(),
 *            vm_pageout_oom(), vm_pageout_oom_pagecount().
 * Differs:   a process cannot change in mid-test (one simulated thread at a
 *            time), so process and thread locks are left out. In ordinary
 *            runs (vm.pageout_oom_swapin 0) only the chosen process is brought
 *            in: the seed brings in all that are out, one after the other, and
 *            with many of them the daemon ends up waiting for itself, having
 *            spent its reserve on their kernel stacks (FreeBSD held them
 *            without bringing them in from 2017 on).
 */
#include "vmcore/bsd/vm_pageout.h"

/*
 * vm_pageout_mightbe_oom: one daemon's ballot at the end of an inactive scan.
 * A scan that wanted pages and found none adds to the domain's sequence,
 * anything else ends it; a full sequence is a vote. The daemon that completes
 * the quorum of all domains starts the selection.
 * Units:   shortages in pages.
 */
void
vm_pageout_mightbe_oom(struct vm *vm, struct vm_domain *vmd,
    int page_shortage, int starting_page_shortage)
{
	struct vm_pageout *po = vm->pageout;
	int old_vote;

	if (starting_page_shortage <= 0 ||
	    starting_page_shortage != page_shortage)
		vmd->vmd_oom_seq = 0;
	else
		vmd->vmd_oom_seq++;
	if (vmd->vmd_oom_seq < po->vm_pageout_oom_seq) {
		if (vmd->vmd_oom) {
			vmd->vmd_oom = false;
			po->vm_pageout_oom_vote--;
		}
		return;
	}

	/* The next vote of this domain needs a whole sequence again. */
	vmd->vmd_oom_seq = 0;
	if (vmd->vmd_oom)
		return;
	vmd->vmd_oom = true;
	old_vote = po->vm_pageout_oom_vote++;
	vm_trace_event(vm, VME_OOM_VOTE, 0, (int64_t)(vmd - vm->dom),
	    po->vm_pageout_oom_vote);
	if (old_vote != (int)vm->ndomains - 1)
		return;

	vm_pageout_note(vm, VPN_OOM, NULL, VM_OOM_MEM, 0);
	vm_pageout_oom(vm, VM_OOM_MEM);

	/* One round is enough; vote again if it did not help. */
	vmd->vmd_oom = false;
	po->vm_pageout_oom_vote--;
}

/* Would the physical pages of this entry come back with its process? */
static bool
vm_pageout_oom_counts(const struct vm_map_entry *entry)
{
	const struct vm_object *obj = entry->object;

	if ((entry->eflags & MAP_ENTRY_IS_SUB_MAP) != 0 || obj == NULL)
		return (false);
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0 && obj->ref_count != 1)
		return (false); /* shared until copied */
	switch (obj->type) {
	case OBJT_DEFAULT:
	case OBJT_SWAP:
	case OBJT_PHYS:
	case OBJT_VNODE: /* it may hold the last link to the file */
		return (true);
	default:
		return (false);
	}
}

/*
 * vm_pageout_oom_pagecount: roughly, physical pages that killing the owner of
 * this address space would give back. The map must be locked.
 */
int64_t
vm_pageout_oom_pagecount(struct vm *vm, struct vmspace *vmspace)
{
	const struct vm_map *map = &vmspace->vm_map;
	const struct vm_map_entry *entry;
	int64_t res = 0;

	(void)vm;
	for (entry = map->header.next; entry != &map->header;
	     entry = entry->next) {
		if (vm_pageout_oom_counts(entry))
			res += entry->object->resident_page_count;
	}
	return (res);
}

/* System, protected, dying and young processes are left alone. */
static bool
vm_pageout_oom_exempt(const struct vm *vm, const struct proc *p)
{
	return (p->p_state != PRS_NORMAL ||
	    (p->p_flag & (P_INEXEC | P_PROTECTED | P_SYSTEM | P_WEXIT)) != 0 ||
	    p->p_pid == 1 || (p->p_flag & P_WKILLED) != 0 ||
	    (p->p_pid < 48 && vm->swap_pager_avail != 0));
}

/* Every thread in an ordinary state; a swapped-out one is (unlike for the
 * vm daemon). */
static bool
vm_pageout_oom_threads_ok(const struct proc *p)
{
	const struct thread *td;

	TAILQ_FOREACH(td, &p->p_threads, td_plist) {
		if (!vm_thread_ordinary(td) &&
		    (td->td_inhibitors & TDI_SWAPPED) == 0)
			return (false);
	}
	return (true);
}

/* Keep a candidate; a swapped-out one comes in only if that is wanted. */
static void
vm_pageout_oom_hold(struct vm *vm, struct proc *p)
{
	if (vm->pageout->oom_swaps_in != 0)
		vm_proc_hold(vm, p);
	else
		p->p_lock++;
}

/*
 * The size of a candidate in pages; false when it cannot be measured without
 * waiting. The process is held and stays held when true is returned.
 */
static bool
vm_pageout_oom_measure(struct vm *vm, struct proc *p, int shortage,
    uint64_t *size)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	struct vmspace *vs;

	vs = env->vmspace_acquire_ref(vm, p);
	if (vs == NULL)
		return (false);
	vm_pageout_oom_hold(vm, p);
	if (!env->map_trylock_read(vm, &vs->vm_map)) {
		vm_proc_release(vm, p);
		env->vmspace_free(vm, vs);
		return (false);
	}
	*size = env->swap_count(vm, vs);
	if (shortage == VM_OOM_MEM)
		*size += (uint64_t)vm_pageout_oom_pagecount(vm, vs);
	env->map_unlock_read(vm, &vs->vm_map);
	env->vmspace_free(vm, vs);
	return (true);
}

/* The biggest process, held; among equals the first of the list. */
static struct proc *
vm_pageout_oom_select(struct vm *vm, int shortage, uint64_t *bigsize)
{
	struct proc *p, *bigproc = NULL;
	uint64_t size;

	*bigsize = 0;
	vm_allproc_slock(vm);
	vm_pageout_note(vm, VPN_ALLPROC, NULL, 0, 0);
	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		if (vm_pageout_oom_exempt(vm, p) ||
		    !vm_pageout_oom_threads_ok(p) ||
		    !vm_pageout_oom_measure(vm, p, shortage, &size))
			continue;
		if (size > *bigsize) {
			if (bigproc != NULL)
				vm_proc_release(vm, bigproc);
			bigproc = p;
			*bigsize = size;
		} else
			vm_proc_release(vm, p);
		vm_penv(vm)->preempt(vm); /* R12 (f) */
	}
	vm_allproc_sunlock(vm);
	if (bigproc != NULL && (bigproc->p_sflag & PS_INMEM) == 0)
		vm_penv(vm)->faultin(vm, bigproc);
	return (bigproc);
}

/* vm.panic_on_oom: the end of the machine, in good order where it has one. */
static void
vm_pageout_oom_panic(struct vm *vm)
{
	static const char why[] = "out of swap space";

	if (vm->up == NULL || vm->up->panic == NULL)
		vm_panic(vm, why);
	vm_trace_event(vm, VME_PANIC, 0, VM_OOM_MEM, 0);
	vm->up->panic(vm->up_ctx, why);
	sim_abandon_current(vm->sim);
}

/*
 * vm_pageout_oom: kill the process whose end frees most.
 * Units:   shortage: VM_OOM_MEM counts resident pages too, VM_OOM_SWAPZ swap
 *          space only.
 * Errors:  panics instead when vm.panic_on_oom is set.
 */
void
vm_pageout_oom(struct vm *vm, int shortage)
{
	struct proc *bigproc;
	uint64_t bigsize;

	vm_trace_event(vm, VME_OOM, 0, shortage, 0);
	bigproc = vm_pageout_oom_select(vm, shortage, &bigsize);
	if (bigproc == NULL)
		return;
	if (vm->pageout->vm_panic_on_oom != 0)
		vm_pageout_oom_panic(vm);
	vm_trace_event(vm, VME_OOM_KILL, bigproc->p_pid, (int64_t)bigsize, 0);
	vm_penv(vm)->killproc(vm, bigproc, "out of swap space");
	vm_penv(vm)->sched_nice(vm, bigproc, PRIO_MIN);
	vm_proc_release(vm, bigproc);
	sim_wakeup(vm->sim, &vm->cnt.v_free_count);
}
