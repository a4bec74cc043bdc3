/*
 * vm_daemon.c: the vm daemon: whole-process swapping on request, and resident
 * set limits (RLIMIT_RSS, RACCT).
 *
 * Interface: vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c, vm_req_vmdaemon(), vm_daemon(),
 *            vm_pageout_map_deactivate_pages(),
 *            vm_pageout_object_deactivate_pages().
 * Differs:   process and thread locks are left out, as in vm_pageout_oom.c.
 */
#include "vmcore/bsd/vm_pageout.h"

/*
 * vm_req_vmdaemon: note a request (VM_SWAP_NORMAL, VM_SWAP_IDLE) and wake the
 * vm daemon, at most once a second.
 */
void
vm_req_vmdaemon(struct vm *vm, int req)
{
	struct vm_pageout *po = vm->pageout;
	int32_t now = po->env->ticks(vm);
	int32_t due = (int32_t)((uint32_t)po->lastrun + (uint32_t)vm->hz);

	po->vm_pageout_req_swapout |= req;
	vm_trace_event(vm, VME_VMDAEMON_REQ, 0, req, 0);
	if (now > due || now < po->lastrun) {
		sim_wakeup(vm->sim, &po->vm_daemon_needed);
		po->lastrun = now;
	}
}

/* ------------------------------------------------- resident set limits */

static bool
vm_pageout_within(struct vm *vm, struct pmap *pmap, int64_t desired)
{
	return ((int64_t)vm->pmap->resident_count(vm, pmap) <= desired);
}

/* A page on the active queue; remove_mode: its object is shared. */
static void
vm_pageout_deactivate_active(struct vm *vm, vm_page_t p, int act_delta,
    bool remove_mode)
{
	if (act_delta != 0) {
		vm_why(vm, WHY_RSS_REFERENCED);
		vm_pops(vm)->activate(vm, p);
		if (p->act_count < ACT_MAX - ACT_ADVANCE)
			p->act_count += ACT_ADVANCE;
		vm_pops(vm)->requeue(vm, p);
		return;
	}
	p->act_count -= p->act_count < ACT_DECLINE ? p->act_count :
						     ACT_DECLINE;
	if (!remove_mode && p->act_count == 0) {
		vm_why(vm, WHY_RSS_DEACTIVATE);
		vm->pmap->remove_all(vm, p);
		vm_pops(vm)->deactivate(vm, p);
	} else {
		vm_why(vm, WHY_RSS_DECLINE);
		vm_pops(vm)->requeue(vm, p);
	}
}

/* One page of an object that the pmap maps (P-10). */
static void
vm_pageout_deactivate_page(struct vm *vm, vm_page_t p, bool remove_mode)
{
	int act_delta = vm->pmap->ts_referenced(vm, p);

	/* The software reference counts only when the hardware saw none. */
	if (vm_pageout_take_reference(p) != 0 && act_delta == 0)
		act_delta = 1;
	if (p->queue != PQ_ACTIVE(vm) && act_delta != 0) {
		vm_why(vm, WHY_RSS_REFERENCED);
		vm_pops(vm)->activate(vm, p);
		p->act_count = (uint8_t)(p->act_count + act_delta);
	} else if (p->queue == PQ_ACTIVE(vm))
		vm_pageout_deactivate_active(vm, p, act_delta, remove_mode);
	else if (p->queue == PQ_INACTIVE(vm))
		vm->pmap->remove_all(vm, p);
}

/* All pages of one object; false: the pmap is within its limit. */
static bool
vm_pageout_deactivate_object(struct vm *vm, struct pmap *pmap,
    vm_object_t object, int64_t desired)
{
	bool remove_mode = object->shadow_count > 1;
	vm_page_t p;

	TAILQ_FOREACH(p, &object->memq, listq) {
		if (vm_pageout_within(vm, pmap, desired))
			return (false);
		if (vm_page_busied(p))
			continue;
		vm->cnt.v_pdpages++;
		vm_spend(vm, vm->cost.scan_page);
		vm_penv(vm)->page_lock(vm, p);
		if (p->wire_count == 0 && p->hold_count == 0 &&
		    vm->pmap->page_exists_quick(vm, pmap, p))
			vm_pageout_deactivate_page(vm, p, remove_mode);
		vm_penv(vm)->page_unlock(vm, p);
	}
	return (true);
}

/*
 * vm_pageout_object_deactivate_pages: cut a pmap down to `desired` resident
 * pages with the pages of an object and of those behind it.
 * Units:   pages.
 * Locks:   first_object is read-locked by the caller and stays so.
 */
void
vm_pageout_object_deactivate_pages(struct vm *vm, struct pmap *pmap,
    vm_object_t first_object, int64_t desired)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_object_t backing, object;
	uint32_t why;

	if ((first_object->flags & OBJ_FICTITIOUS) != 0)
		return;
	why = vm_why(vm, WHY_RSS_DEACTIVATE);
	for (object = first_object;; object = backing) {
		if (vm_pageout_within(vm, pmap, desired) ||
		    (object->flags & OBJ_UNMANAGED) != 0 ||
		    object->paging_in_progress != 0 ||
		    !vm_pageout_deactivate_object(vm, pmap, object, desired))
			break;
		backing = object->backing_object;
		if (backing == NULL)
			break;
		env->object_rlock(vm, backing);
		if (object != first_object)
			env->object_runlock(vm, object);
	}
	if (object != first_object)
		env->object_runlock(vm, object);
	vm_why(vm, why);
}

static void
vm_pageout_map_deactivate_object(struct vm *vm, vm_map_t map, vm_object_t obj,
    int64_t desired)
{
	vm_pageout_note(vm, VPN_OBJECT_DEACTIVATE, obj, desired, 0);
	vm_pageout_object_deactivate_pages(vm, map->pmap, obj, desired);
}

/*
 * The unshared object with most resident pages, read-locked; objects whose
 * lock is taken are passed over. Tells whether any entry is wired.
 */
static vm_object_t
vm_pageout_map_biggest(struct vm *vm, vm_map_t map, bool *nothingwired)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_object_t obj, bigobj = NULL;
	vm_map_entry_t e;

	*nothingwired = true;
	for (e = map->header.next; e != &map->header; e = e->next) {
		if (e->wired_count > 0)
			*nothingwired = false;
		obj = e->object;
		if ((e->eflags & MAP_ENTRY_IS_SUB_MAP) != 0 || obj == NULL ||
		    !env->object_tryrlock(vm, obj))
			continue;
		if (obj->shadow_count <= 1 && (bigobj == NULL ||
		    bigobj->resident_page_count < obj->resident_page_count)) {
			if (bigobj != NULL)
				env->object_runlock(vm, bigobj);
			bigobj = obj;
		} else
			env->object_runlock(vm, obj);
	}
	return (bigobj);
}

/* The other objects in order of address, the biggest once more. */
static void
vm_pageout_map_rest(struct vm *vm, vm_map_t map, int64_t desired)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_map_entry_t e;

	for (e = map->header.next; e != &map->header; e = e->next) {
		if (vm_pageout_within(vm, map->pmap, desired))
			break;
		if ((e->eflags & MAP_ENTRY_IS_SUB_MAP) != 0 ||
		    e->object == NULL)
			continue;
		env->object_rlock(vm, e->object);
		vm_pageout_map_deactivate_object(vm, map, e->object, desired);
		env->object_runlock(vm, e->object);
	}
}

/*
 * vm_pageout_map_deactivate_pages: cut an address space down to `desired`
 * resident pages. Does nothing while somebody uses the map.
 */
void
vm_pageout_map_deactivate_pages(struct vm *vm, vm_map_t map, int64_t desired)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_object_t bigobj;
	bool nothingwired;

	if (!env->map_trylock(vm, map))
		return;
	bigobj = vm_pageout_map_biggest(vm, map, &nothingwired);
	if (bigobj != NULL) {
		vm_pageout_map_deactivate_object(vm, map, bigobj, desired);
		env->object_runlock(vm, bigobj);
	}
	vm_pageout_map_rest(vm, map, desired);

	/* Swapped out: drop all mappings, page-table pages go with them. */
	if (desired == 0 && nothingwired)
		vm->pmap->remove_range(vm, map->pmap, map->min_offset,
		    map->max_offset);
	env->map_unlock(vm, map);
}

/* ------------------------------------------------- the daemon */

#define OFF_TO_IDX(off) ((vm_pindex_t)((int64_t)(off) >> PAGE_SHIFT))
#define IDX_TO_OFF(idx) ((uint64_t)(idx) << PAGE_SHIFT)

/* The kernel's "no limit" is the largest signed number. */
static int64_t
vm_daemon_rlim(uint64_t bytes)
{
	return (bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
}

/* RLIMIT_RSS in pages; nothing for a process that is swapped out. */
static vm_pindex_t
vm_daemon_limit(const struct proc *p)
{
	int64_t cur = vm_daemon_rlim(p->p_rss_cur);
	int64_t max = vm_daemon_rlim(p->p_rss_max);

	if ((p->p_sflag & PS_INMEM) == 0)
		return (0);
	return (OFF_TO_IDX(cur < max ? cur : max));
}

/* System processes, and those with a thread in an odd state, are let be. */
static bool
vm_daemon_skips(const struct proc *p)
{
	const struct thread *td;

	if (p->p_state != PRS_NORMAL ||
	    (p->p_flag & (P_INEXEC | P_SYSTEM | P_WEXIT)) != 0)
		return (true);
	TAILQ_FOREACH(td, &p->p_threads, td_plist) {
		if (!vm_thread_ordinary(td))
			return (true);
	}
	return (false);
}

/*
 * Resource accounting: report the size and trim what is above the limit; at
 * most a quarter in each of the first eight attempts, as the process may be
 * innocent. Returns: still above.
 */
static bool
vm_daemon_racct(struct vm *vm, struct proc *p, struct vmspace *vs,
    uint64_t size, int attempts)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	uint64_t rsize = IDX_TO_OFF(size), available;

	env->racct_set(vm, p, rsize);
	available = env->racct_available(vm, p);
	if (rsize <= available)
		return (false);
	if (attempts <= 8 && available < rsize - rsize / 4)
		available = rsize - rsize / 4;
	vm_trace_event(vm, VME_RSS_TRIM, p->p_pid, (int64_t)size,
	    (int64_t)OFF_TO_IDX(available));
	vm_pageout_note(vm, VPN_MAP_DEACTIVATE, p,
	    (int64_t)OFF_TO_IDX(available), 0);
	vm_pageout_map_deactivate_pages(vm, &vs->vm_map,
	    (int64_t)OFF_TO_IDX(available));
	size = vm->pmap->resident_count(vm, vs->vm_map.pmap);
	rsize = IDX_TO_OFF(size);
	env->racct_set(vm, p, rsize);
	return (rsize > available);
}

/* One process; true: its accounting limit is still exceeded. */
static bool
vm_daemon_proc(struct vm *vm, struct proc *p, int attempts)
{
	const struct vm_pageout *po = vm->pageout;
	vm_pindex_t limit = vm_daemon_limit(p);
	struct vmspace *vs;
	uint64_t size;
	bool above = false;

	vs = po->env->vmspace_acquire_ref(vm, p);
	if (vs == NULL)
		return (false);
	size = vm->pmap->resident_count(vm, vs->vm_map.pmap);
	if (size >= limit) {
		if (size != 0)
			vm_trace_event(vm, VME_RSS_TRIM, p->p_pid,
			    (int64_t)size, (int64_t)limit);
		vm_pageout_note(vm, VPN_MAP_DEACTIVATE, p, (int64_t)limit, 0);
		vm_pageout_map_deactivate_pages(vm, &vs->vm_map,
		    (int64_t)limit);
	}
	if (po->opt_racct && po->racct_enable)
		above = vm_daemon_racct(vm, p, vs, size, attempts);
	po->env->vmspace_free(vm, vs);
	return (above);
}

/* Every process once; true: somebody's accounting limit is exceeded. */
static bool
vm_daemon_attempt(struct vm *vm, int attempts)
{
	struct proc *p;
	bool above = false;

	vm_allproc_slock(vm);
	vm_pageout_note(vm, VPN_ALLPROC, NULL, 0, 0);
	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		if (vm_daemon_skips(p))
			continue;
		if (vm_daemon_proc(vm, p, attempts))
			above = true;
		vm_penv(vm)->preempt(vm); /* R12 (f) */
	}
	vm_allproc_sunlock(vm);
	return (above);
}

/*
 * vm_daemon: swap processes out when asked, then enforce resident set limits,
 * for ever. With accounting on it looks once a second without being asked.
 * Source:  FreeBSD 11 vm_pageout.c, same name.
 */
void
vm_daemon(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;
	int swapout_flags, attempts;
	bool above;

	for (;;) {
		po->env->msleep(vm, &po->vm_daemon_needed, PPAUSE, "psleep",
		    po->opt_racct && po->racct_enable ? vm->hz : 0);
		swapout_flags = po->vm_pageout_req_swapout;
		po->vm_pageout_req_swapout = 0;
		if (swapout_flags)
			po->env->swapout_procs(vm, swapout_flags);
		attempts = 0;
		above = false; /* stays true once it was, as in the seed */
		do {
			if (vm_daemon_attempt(vm, ++attempts))
				above = true;
		} while (above && attempts <= 10);
	}
}
