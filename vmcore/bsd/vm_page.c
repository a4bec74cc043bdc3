/*
 * vm_page.c: allocation and freeing of resident pages, waiting for memory,
 * and the moves between page queues that do not belong to a scan.
 *
 * Interface: vmcore/vm_page.h.
 * Source:    FreeBSD 5.0 vm_page.c (vm_page_alloc to vm_page_dontneed); the
 *            *_f11 adapters and vm_page_remque: companions R8, R10, R24.
 * Differs:   INACTIVE and ACTIVE are the page's domain's (R2), and with several
 *            domains vm_domain.c says which one a page comes from. No spl and
 *            no queue mutex: the 5.0 text runs under one big lock (R12).
 */
#include "vmcore/bsd/vm_page_int.h"

/* ------------------------------------------------------------ allocation */

/*
 * vm_page_select_cache: a page of the cache queue that can be reclaimed.
 * Those met on the way that are in use are deactivated.
 */
static vm_page_t
vm_page_select_cache(struct vm *vm, vm_pindex_t colour)
{
	uint32_t tag;
	vm_page_t m;

	for (;;) {
		m = vm_pageq_find(vm, (int)PQ_CACHE(vm), colour, false);
		if (m == NULL)
			return (NULL);
		if ((m->flags & (PG_BUSY | PG_UNMANAGED)) == 0 &&
		    m->busy == 0 && m->hold_count == 0 && m->wire_count == 0)
			return (m);
		tag = vm_why(vm, WHY_ALLOC_CACHE_BUSY);
		vm_page_deactivate(vm, m);
		vm_why(vm, tag);
		/* Wired or unmanaged on CACHE: the seed would spin here. */
		KASSERT(vm->sim, !vm_page_on_cache(vm, m),
		    ("CACHE_STUCK: page %u cannot leave the cache queue",
			m->pfn));
	}
}

/* Free a cached page that nobody uses. */
void
vm_page_free_cached(struct vm *vm, vm_page_t m)
{
	VM_KASSERT(vm, m->dirty == 0,
	    ("CACHE_PAGE_DIRTY: cached page %u is dirty", m->pfn));
	vm_page_busy(vm, m);
	vm->pmap->remove_all(vm, m);
	vm_page_free(vm, m);
}

/* Turn one cache page into a free one. False: there was none to turn. */
static bool
vm_page_alloc_recycle(struct vm *vm, vm_pindex_t colour)
{
	vm_page_t m = vm_page_select_cache(vm, colour);
	uint32_t tag;

	if (m == NULL)
		return (false);
	tag = vm_why(vm, WHY_ALLOC_CACHE);
	vm_page_free_cached(vm, m);
	vm_why(vm, tag);
	return (true);
}

/* May this class go below v_free_reserved? */
static inline bool
vm_page_alloc_dig(const struct vm *vm, int page_req)
{
	const struct vmmeter *cnt = &vm->cnt;

	if (page_req == VM_ALLOC_SYSTEM)
		return (cnt->v_cache_count == 0 &&
		    cnt->v_free_count > cnt->v_interrupt_free_min);
	return (page_req == VM_ALLOC_INTERRUPT && cnt->v_free_count > 0);
}

/* The page to hand out, still on its free queue; NULL: nothing to be had. */
static vm_page_t
vm_page_alloc_find(struct vm *vm, vm_pindex_t colour, int req)
{
	int page_req = req & VM_ALLOC_CLASS_MASK;

	/* The pager may dig deeper. */
	if (page_req != VM_ALLOC_INTERRUPT && vm_curproc_is_pageproc(vm))
		page_req = VM_ALLOC_SYSTEM;
	do {
		if (vm->cnt.v_free_count > vm->cnt.v_free_reserved)
			return (vm_pageq_find_free(vm, colour,
			    (req & VM_ALLOC_ZERO) != 0));
		if (vm_page_alloc_dig(vm, page_req))
			return (vm_pageq_find_free(vm, colour, false));
		/* An interrupt must not touch the cache. */
	} while (page_req != VM_ALLOC_INTERRUPT &&
	    vm_page_alloc_recycle(vm, colour));
	return (NULL);
}

/* A fresh page: busy, unmapped, invalid; of its flags only PG_ZERO stays. */
static void
vm_page_alloc_init(struct vm *vm, vm_page_t m, int req)
{
	if ((m->flags & PG_ZERO) != 0) {
		vm->page_zero_count--;
		m->flags = PG_ZERO | PG_BUSY;
	} else
		m->flags = PG_BUSY;
	m->wire_count = 0;
	if ((req & VM_ALLOC_WIRED) != 0) {
		vm->cnt.v_wire_count++;
		m->wire_count = 1;
	}
	m->hold_count = 0;
	m->act_count = 0;
	m->busy = 0;
	m->valid = 0;
	VM_KASSERT(vm, m->dirty == 0,
	    ("ALLOC_PAGE_DIRTY: free page %u was dirty", m->pfn));
}

/* Take this free page for (object, pindex), or for no object. */
void
vm_page_take_free(struct vm *vm, vm_page_t m, vm_object_t object,
    vm_pindex_t pindex, int req)
{
	struct vm_trace_from from;

	vm_moving(vm, m, &from);
	vm_pageq_unlink(vm, m);
	vm_page_alloc_init(vm, m, req);
	if (object != NULL)
		vm_page_insert(vm, m, object, pindex);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_ALLOC);
}

/*
 * vm_page_alloc: a page for (object, pindex), exclusively busy, on no queue.
 * req is VM_ALLOC_NORMAL, _SYSTEM or _INTERRUPT with _WIRED, _ZERO (prefer a
 * zeroed page), _NOOBJ (no object; pindex is the colour). Never sleeps.
 * Errors: NULL when the class may take nothing; the shortage is counted in
 * vm_pageout_deficit and the page daemon woken.
 * Source: FreeBSD 5.0 vm_page.c, vm_page_alloc().
 */
vm_page_t
vm_page_alloc(struct vm *vm, struct vm_object *object, vm_pindex_t pindex,
    int req)
{
	bool noobj = (req & VM_ALLOC_NOOBJ) != 0;
	vm_page_t m;

	if (vm->invariants && !noobj) {
		KASSERT(vm->sim, object != NULL,
		    ("ALLOC_NULL_OBJECT: vm_page_alloc without an object"));
		/* As in the seed, the test itself splays the tree. */
		m = vm_page_lookup(object, pindex);
		KASSERT(vm->sim, m == NULL,
		    ("ALLOC_PRESENT: object %u already has page %llu",
			object->id, (unsigned long long)pindex));
	}
	m = vm_page_alloc_find(vm, noobj ? pindex : pindex + object->pg_color,
	    req);
	vm_spend(vm, vm->cost.page_alloc);
	if (m == NULL) {
		/* Wraps rather than overflows. */
		vm->vm_pageout_deficit =
		    (int32_t)((uint32_t)vm->vm_pageout_deficit + 1);
		pagedaemon_wakeup(vm);
		return (NULL);
	}
	vm_page_take_free(vm, m, noobj ? NULL : object, pindex, req);
	if (vm_paging_needed(vm))
		pagedaemon_wakeup(vm);
	return (m);
}

/* ------------------------------------------------------------ waiting */

/* Ask the page daemon for pages unless somebody has. */
static void
vm_wait_ask(struct vm *vm)
{
	if (vm->vm_pages_needed == 0) {
		vm->vm_pages_needed = 1;
		sim_wakeup(vm->sim, &vm->vm_pages_needed);
	}
}

static void
vm_wait_trace(struct vm *vm)
{
	const struct proc *p = vm_curproc(vm);

	vm_trace_event(vm, VME_WAIT, p != NULL ? p->p_pid : 0,
	    (int64_t)vm->cnt.v_free_count, (int64_t)vm->cnt.v_cache_count);
}

/*
 * vm_wait: sleep until pages are free. The page daemon has a channel of its
 * own, served before the others.
 */
void
vm_wait(struct vm *vm)
{
	vm_wait_trace(vm);
	if (vm_curproc_is_pageproc(vm)) {
		vm->vm_pageout_pages_needed = 1;
		(void)sim_sleep(vm->sim, &vm->vm_pageout_pages_needed, PSWP,
		    "VMWait", SIM_NO_TIMEOUT);
		return;
	}
	vm_wait_ask(vm);
	(void)sim_sleep(vm->sim, &vm->cnt.v_free_count, PVM, "vmwait",
	    SIM_NO_TIMEOUT);
}

/*
 * vm_waitpfault: vm_wait for page faults, at a worse priority so that
 * vm_wait's sleepers get memory first.
 */
void
vm_waitpfault(struct vm *vm)
{
	vm_wait_trace(vm);
	vm_wait_ask(vm);
	(void)sim_sleep(vm->sim, &vm->cnt.v_free_count, PUSER, "pfault",
	    SIM_NO_TIMEOUT);
}

/*
 * vm_page_free_wakeup: after a page came to FREE or CACHE. First the page
 * daemon, if it waits for pages itself; then everybody else, once v_free_min
 * is reached.
 */
void
vm_page_free_wakeup(struct vm *vm)
{
	if (vm->vm_pageout_pages_needed != 0 &&
	    vm_page_avail(vm) >= vm->cnt.v_pageout_free_min) {
		sim_wakeup(vm->sim, &vm->vm_pageout_pages_needed);
		vm->vm_pageout_pages_needed = 0;
	}
	if (vm->vm_pages_needed != 0 && !vm_page_count_min(vm)) {
		vm->vm_pages_needed = 0;
		sim_wakeup(vm->sim, &vm->cnt.v_free_count);
	}
}

/* ------------------------------------------------------------ freeing */

/* Has the object of a page just freed lost its last one, with nobody left? */
static void
vm_page_free_vnode(struct vm *vm, vm_object_t object)
{
	if (object == NULL || object->type != OBJT_VNODE ||
	    (object->flags & OBJ_DEAD) != 0 || object->handle == NULL ||
	    object->ref_count != 0 || object->resident_page_count != 0)
		return;
	if (vm->page_hooks != NULL && vm->page_hooks->vnode_idle != NULL)
		vm->page_hooks->vnode_idle(vm, object);
}

static void
vm_page_free_check_idle(struct vm *vm, const struct vm_page *m)
{
	if (m->busy == 0 && !vm_page_on_free(m))
		return;
	if (vm_page_on_free(m))
		vm_panic(vm, "FREE_FREE: freeing free page %u", m->pfn);
	vm_panic(vm, "FREE_BUSY: freeing page %u, busy %u, PG_BUSY %d, hold %d",
	    m->pfn, m->busy, (m->flags & PG_BUSY) != 0, m->hold_count);
}

static void
vm_page_free_check_wired(struct vm *vm, const struct vm_page *m)
{
	if (m->wire_count == 0)
		return;
	if (m->wire_count > 1)
		vm_panic(vm, "FREE_WIRED_MULTI: freeing page %u, wire count %u",
		    m->pfn, m->wire_count);
	vm_panic(vm, "FREE_WIRED: freeing wired page %u", m->pfn);
}

/*
 * vm_page_free_toq: take the page from its queue and its object and put it on
 * FREE: at the tail when it is zeroed, else at the head. While somebody holds
 * it, it goes to HOLD instead and is freed again by the last vm_page_unhold.
 * why: the reason in the log when the caller has set none.
 * Source: FreeBSD 5.0 vm_page.c, vm_page_free_toq().
 */
void
vm_page_free_toq(struct vm *vm, vm_page_t m, enum vm_reason why)
{
	vm_object_t object = m->object;
	bool queued = m->queue != PQ_NONE;
	struct vm_trace_from from;
	bool zeroed;

	vm->cnt.v_tfree++;
	vm_page_free_check_idle(vm, m);
	vm_moving(vm, m, &from);
	if (queued)
		vm_pageq_unlink(vm, m);
	vm_page_remove(vm, m);
	vm_spend(vm, vm->cost.page_free);
	if ((m->flags & PG_FICTITIOUS) != 0) {
		if (queued)
			vm_moved(vm, m, &from, VMT_TAIL, why);
		return;
	}
	m->valid = 0;
	vm_page_undirty(m);
	vm_page_free_check_wired(vm, m);
	vm_page_free_vnode(vm, object);
	m->flags &= (uint16_t)~PG_UNMANAGED;

	if (m->hold_count != 0)
		m->flags &= (uint16_t)~PG_ZERO;
	zeroed = (m->flags & PG_ZERO) != 0;
	vm_pageq_link(vm, m, m->hold_count != 0 ? PQ_HOLD(vm) :
	    (uint32_t)(PQ_FREE + m->pc), !zeroed);
	if (zeroed)
		vm->page_zero_count++;
	vm_moved(vm, m, &from, zeroed ? VMT_TAIL : VMT_HEAD, why);
	vm_page_free_wakeup(vm);
}

/*
 * vm_page_free: free a busy page (or one without an object) whose mappings
 * are gone. PG_ZERO is dropped: nobody vouches for the contents.
 */
void
vm_page_free(struct vm *vm, vm_page_t m)
{
	vm_page_flag_clear(m, PG_ZERO);
	vm_page_free_toq(vm, m, WHY_FREE);
	vm_page_zero_idle_wakeup(vm);
}

/* The same for a page known to be zero. */
void
vm_page_free_zero(struct vm *vm, vm_page_t m)
{
	vm_page_flag_set(m, PG_ZERO);
	vm_page_free_toq(vm, m, WHY_FREE);
}

void
vm_page_free_f11(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, m->busy == 0,
	    ("FREE_BUSY: freeing shared-busy page %u", m->pfn));
	KASSERT(vm->sim, (m->flags & PG_FICTITIOUS) != 0 ||
	    !vm->pmap->page_is_mapped(vm, m),
	    ("FREE_MAPPED: freeing mapped page %u", m->pfn));
	/* Silent: nobody can be waiting, and vm_page_remove undoes it. */
	if (m->object != NULL)
		m->flags |= PG_BUSY;
	vm_page_free(vm, m);
}

/* ------------------------------------------------------------ queues */

/*
 * vm_page_activate: to the tail of ACTIVE, with act_count at least ACT_INIT.
 * A page already there keeps its place. Wired and unmanaged pages only leave
 * the queue they are on.
 */
void
vm_page_activate(struct vm *vm, vm_page_t m)
{
	bool eligible = m->wire_count == 0 && (m->flags & PG_UNMANAGED) == 0;
	bool active = m->queue == PQ_ACTIVE(vm);
	struct vm_trace_from from;

	if ((active || eligible) && m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	if (active || (!eligible && m->queue == PQ_NONE))
		return;
	vm_moving(vm, m, &from);
	if (vm_page_on_cache(vm, m))
		vm->cnt.v_reactivated++;
	vm_pageq_take(vm, m);
	if (eligible)
		vm_pageq_link(vm, m, PQ_ACTIVE(vm), false);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
}

/*
 * To INACTIVE: at its tail, or at its true head so that the next scan meets
 * the page first. One already there keeps its place.
 */
static void
vm_page_deactivate_at(struct vm *vm, vm_page_t m, bool at_head)
{
	struct vm_trace_from from;

	if (m->queue == PQ_INACTIVE(vm))
		return;
	if (m->wire_count != 0 || (m->flags & PG_UNMANAGED) != 0)
		return;
	vm_moving(vm, m, &from);
	if (vm_page_on_cache(vm, m))
		vm->cnt.v_reactivated++;
	vm_page_flag_clear(m, PG_WINATCFLS);
	vm_pageq_take(vm, m);
	vm_pageq_link(vm, m, PQ_INACTIVE(vm), at_head);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, at_head ? VMT_HEAD : VMT_TAIL, WHY_NONE);
}

void
vm_page_deactivate(struct vm *vm, vm_page_t m)
{
	vm_page_deactivate_at(vm, m, false);
}

/*
 * vm_page_cache: unmap a clean page and put it on the cache queue of its
 * colour, where it keeps its identity but may be reclaimed at once.
 */
void
vm_page_cache(struct vm *vm, vm_page_t m)
{
	struct vm_trace_from from;

	if ((m->flags & (PG_BUSY | PG_UNMANAGED)) != 0 || m->busy != 0 ||
	    m->wire_count != 0) {
		if (vm->page_hooks != NULL && vm->page_hooks->warn != NULL)
			vm->page_hooks->warn(vm, "CACHE_BUSY");
		return;
	}
	if (vm_page_on_cache(vm, m))
		return;
	vm->pmap->remove_all(vm, m);
	if (m->dirty != 0)
		vm_panic(vm, "CACHE_DIRTY: caching dirty page %u", m->pfn);
	vm_moving(vm, m, &from);
	if (m->queue != PQ_NONE)
		vm_pageq_unlink(vm, m);
	vm_pageq_link(vm, m, PQ_CACHE(vm) + m->pc, false);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
	vm_page_free_wakeup(vm);
}

/* What FreeBSD 11's page module frees when asked to cache it. */
static bool
vm_page_cache_f11_frees(struct vm *vm, vm_page_t m)
{
	vm_object_t object = m->object;

	if (m->valid == 0 || object->type == OBJT_DEFAULT)
		return (true);
	return (object->type == OBJT_SWAP &&
	    !object->pagerops->haspage(vm, object, m->pindex, NULL, NULL));
}

void
vm_page_cache_f11(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, !vm_page_busied(m) && m->hold_count == 0 &&
	    m->wire_count == 0 && (m->flags & PG_UNMANAGED) == 0,
	    ("CACHE_BUSY: caching page %u in use", m->pfn));
	KASSERT(vm->sim, !vm->pmap->page_is_mapped(vm, m),
	    ("CACHE_MAPPED: caching mapped page %u", m->pfn));
	KASSERT(vm->sim, m->dirty == 0,
	    ("CACHE_DIRTY: caching dirty page %u", m->pfn));
	if (vm->f11_cache_rule != 0 && vm_page_cache_f11_frees(vm, m))
		vm_page_free_f11(vm, m);
	else
		vm_page_cache(vm, m);
}

void
vm_page_remque(struct vm *vm, vm_page_t m)
{
	if (vm_page_on_cache(vm, m))
		vm->cnt.v_reactivated++;
	vm_pageq_remove_nowakeup(vm, m);
}

/* In nobody's use and clean, the machine's modify bit included? */
static bool
vm_page_reclaimable(struct vm *vm, vm_page_t m)
{
	if (m->dirty != 0 || m->hold_count != 0 || m->busy != 0 ||
	    m->wire_count != 0 || (m->flags & (PG_BUSY | PG_UNMANAGED)) != 0)
		return (false);
	vm_page_test_dirty(vm, m);
	return (m->dirty == 0);
}

/* False when the page is dirty or in use; it is then left alone. */
bool
vm_page_try_to_cache(struct vm *vm, vm_page_t m)
{
	if (!vm_page_reclaimable(vm, m))
		return (false);
	vm_page_cache(vm, m);
	return (true);
}

bool
vm_page_try_to_free(struct vm *vm, vm_page_t m)
{
	if (!vm_page_reclaimable(vm, m))
		return (false);
	vm_page_busy(vm, m);
	vm->pmap->remove_all(vm, m);
	vm_page_free(vm, m);
	return (true);
}

/*
 * vm_page_dontneed: its user will not need the page soon (madvise). By a
 * fixed rotation over all calls the page is mostly made first in line on
 * INACTIVE, now and then last, and for a stretch left alone, so that one
 * large object does not wash out the queues.
 * Source: FreeBSD 5.0 vm_page.c, vm_page_dontneed(); the weights are masks of
 * the call count.
 */
void
vm_page_dontneed(struct vm *vm, vm_page_t m)
{
	uint32_t weight = ++vm->dnweight;

	if ((weight & 0x01f0) == 0 || m->queue == PQ_INACTIVE(vm) ||
	    vm_page_on_cache(vm, m)) {
		if (m->act_count >= ACT_INIT)
			m->act_count--;
		return;
	}
	if (m->dirty == 0)
		vm_page_test_dirty(vm, m);
	vm_page_deactivate_at(vm, m, m->dirty == 0 && (weight & 0x0070) != 0);
}

/* ------------------------------------------------------------ wiring */

/* Pages without reverse mappings: no queue, so no scan, ever sees them. */
void
vm_page_unmanage(struct vm *vm, vm_page_t m)
{
	struct vm_trace_from from;

	if ((m->flags & PG_UNMANAGED) == 0 && m->wire_count == 0 &&
	    m->queue != PQ_NONE) {
		vm_moving(vm, m, &from);
		vm_pageq_take(vm, m);
		vm_spend(vm, vm->cost.page_queue);
		vm_moved(vm, m, &from, VMT_TAIL, WHY_UNMANAGE);
	}
	vm_page_flag_set(m, PG_UNMANAGED);
}

/* One more wiring. The first takes the page off its queue. */
void
vm_page_wire(struct vm *vm, vm_page_t m)
{
	bool take = m->wire_count == 0 && (m->flags & PG_UNMANAGED) == 0 &&
	    m->queue != PQ_NONE;
	struct vm_trace_from from;

	if (take) {
		vm_moving(vm, m, &from);
		vm_pageq_take(vm, m);
		vm_spend(vm, vm->cost.page_queue);
	}
	if (m->wire_count == 0)
		vm->cnt.v_wire_count++;
	m->wire_count++;
	VM_KASSERT(vm, m->wire_count != 0,
	    ("WIRE_OVERFLOW: wire count of page %u overflowed", m->pfn));
	if (take)
		vm_moved(vm, m, &from, VMT_TAIL, WHY_WIRE);
}

/*
 * vm_page_unwire: one wiring less. The last puts the page on ACTIVE, without
 * raising its act_count, or on INACTIVE; never on CACHE, so that callers may
 * have dirtied it.
 */
void
vm_page_unwire(struct vm *vm, vm_page_t m, bool activate)
{
	struct vm_trace_from from;

	if (m->wire_count == 0)
		vm_panic(vm, "UNWIRE_NOT_WIRED: page %u is not wired", m->pfn);
	vm_moving(vm, m, &from);
	if (--m->wire_count != 0)
		return;
	vm->cnt.v_wire_count--;
	if ((m->flags & PG_UNMANAGED) != 0)
		return;
	if (!activate)
		vm_page_flag_clear(m, PG_WINATCFLS);
	vm_pageq_link(vm, m, activate ? PQ_ACTIVE(vm) : PQ_INACTIVE(vm),
	    false);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_UNWIRE);
}
