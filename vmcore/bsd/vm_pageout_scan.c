/*
 * vm_pageout_scan.c: one scan of a domain by its page daemon.
 *
 *	pass 0	age the active queue only
 *	pass 1	free clean inactive pages, launder a few dirty ones
 *	pass 2+	launder without limit, also on a dirty page's first lap
 *
 * Interface: vm_pageout_scan() of vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c, vm_pageout_scan().
 * Differs:   its labels are verdicts of small steps; the decisions and their
 *            order are the same. NO_SWAPPING is a field.
 */
#include <errno.h>

#include "vmcore/bsd/vm_pageout.h"

struct pageout_scan { /* one call of vm_pageout_scan() */
	struct vm *vm;
	struct vm_domain *vmd;
	int pass;
	int page_shortage; /* pages still wanted */
	int starting_page_shortage; /* pages wanted at entry */
	int deficit; /* pages refused since the last scan */
	int addl_page_shortage; /* pages stuck in PQ_INACTIVE */
	int maxlaunder; /* pages we may still flush */
	int vnodes_skipped;
};

/* What became of one page of the inactive queue. */
enum inact_verdict {
	INACT_LOCKED, /* page and object are ours: go on */
	INACT_SKIP_PAGE, /* let go of the page */
	INACT_SKIP_OBJECT, /* let go of its object and the page */
	INACT_DROP, /* decided; let go of page and object */
	INACT_REQUEUE, /* to the tail, then the same */
	INACT_CLEANED /* vm_pageout_clean has let go of both */
};

/*
 * Ask the kernel's own caches for memory: domain 0 only, at most once in
 * lowmem_period seconds.
 */
static void
vm_pageout_lowmem(struct vm *vm, struct vm_domain *vmd, int pass)
{
	struct vm_pageout *po = vm->pageout;

	if (vmd != &vm->dom[0] || pass <= 0 ||
	    po->env->uptime(vm) - po->lowmem_uptime < po->lowmem_period)
		return;
	vm_trace_event(vm, VME_LOWMEM, 0, 0, 0);
	po->env->lowmem(vm);
	po->env->uma_reclaim(vm); /* after the caches above were drained */
	po->lowmem_uptime = po->env->uptime(vm);
}

static void
vm_pageout_scan_begin(struct pageout_scan *ps, struct vm *vm,
    struct vm_domain *vmd, int pass)
{
	*ps = (struct pageout_scan) { .vm = vm, .vmd = vmd, .pass = pass };
	if (pass > 0) {
		ps->deficit = vm->vm_pageout_deficit;
		vm->vm_pageout_deficit = 0;
		ps->page_shortage = (int)((uint32_t)vm_paging_target(vm) +
		    (uint32_t)ps->deficit);
	}
	ps->starting_page_shortage = ps->page_shortage;

	/*
	 * Few writes at first: an unnecessary one costs more than anything
	 * else here. When that was not enough, all of them.
	 */
	ps->maxlaunder = vm->pageout->vm_max_launder;
	if (ps->maxlaunder <= 1)
		ps->maxlaunder = 1;
	if (pass > 1)
		ps->maxlaunder = VM_PAGEOUT_LAUNDER_ALL;
}

/*
 * Take the page and its object. A page that moved while a lock was waited
 * for is not counted as stuck, a held or busy one is: it cannot be had in
 * this scan and the active queue must make up for it.
 */
static enum inact_verdict
vm_pageout_scan_inactive_lock(struct pageout_scan *ps, vm_page_t m,
    vm_page_t *next, vm_object_t *objectp)
{
	struct vm *vm = ps->vm;

	if (!vm_pageout_page_lock(vm, m, next))
		return (INACT_SKIP_PAGE);
	if (m->hold_count != 0) {
		ps->addl_page_shortage++;
		return (INACT_SKIP_PAGE);
	}
	*objectp = m->object;
	if (!vm_penv(vm)->object_trywlock(vm, m->object, m)) {
		if (!vm_pageout_fallback_object_lock(vm, m, next))
			return (INACT_SKIP_OBJECT);
		if (m->hold_count != 0) {
			ps->addl_page_shortage++;
			return (INACT_SKIP_OBJECT);
		}
	}
	if (vm_page_busied(m)) {
		ps->addl_page_shortage++;
		return (INACT_SKIP_OBJECT);
	}
	return (INACT_LOCKED);
}

static enum inact_verdict
vm_pageout_scan_free(struct pageout_scan *ps, vm_page_t m, uint32_t why)
{
	struct vm *vm = ps->vm;

	vm_why(vm, why);
	vm_pops(vm)->free(vm, m);
	vm->cnt.v_dfree++;
	ps->page_shortage--;
	return (INACT_DROP);
}

/* Referenced and mapped by somebody: back to the active queue (P-4). */
static enum inact_verdict
vm_pageout_scan_reactivate(struct pageout_scan *ps, vm_page_t m, int act_delta)
{
	struct vm *vm = ps->vm;

	vm_why(vm, WHY_INACT_REFERENCED);
	vm_pops(vm)->activate(vm, m);
	m->act_count = (uint8_t)(m->act_count + act_delta + ACT_ADVANCE);
	return (INACT_DROP);
}

/* May a dirty page of this object be written out now? */
static bool
vm_pageout_scan_may_write(const struct pageout_scan *ps, vm_object_t object)
{
	const struct vm_pageout *po = ps->vm->pageout;

	if (object->type != OBJT_SWAP && object->type != OBJT_DEFAULT)
		return (true);
	if (po->disable_swap_pageouts)
		return (false);
	if (po->defer_swap_pageouts)
		return (vm_page_count_min(ps->vm));
	return (true);
}

static enum inact_verdict
vm_pageout_scan_launder(struct pageout_scan *ps, vm_page_t m,
    vm_object_t object)
{
	struct vm *vm = ps->vm;
	int error;

	if (!vm_pageout_scan_may_write(ps, object)) {
		vm_why(vm, WHY_INACT_SWAP_FORBIDDEN);
		return (INACT_REQUEUE);
	}
	vm_why(vm, WHY_LAUNDER_VNODE); /* if the pager moves pages at all */
	error = vm_pageout_clean(vm, m);
	vm_pageout_note(vm, VPN_CLEAN, m, error, 0);

	/* One page of shortage, however many the cluster had (P-1, P-2). */
	if (error == 0) {
		ps->page_shortage--;
		ps->maxlaunder--;
	} else if (error == EDEADLK) {
		vm->pageout->pageout_lock_miss++;
		ps->vnodes_skipped++;
	} else if (error == EBUSY)
		ps->addl_page_shortage++;
	return (INACT_CLEANED);
}

/* A page known to be dirty. */
static enum inact_verdict
vm_pageout_scan_dirty(struct pageout_scan *ps, vm_page_t m, vm_object_t object)
{
	if (object->flags & OBJ_DEAD) {
		/* Whoever destroys the object is writing and freeing it. */
		ps->addl_page_shortage++;
		return (INACT_DROP);
	}
	if ((m->flags & PG_WINATCFLS) == 0 && ps->pass < 2) {
		/*
		 * Writing is dear: a dirty page goes round the queue twice
		 * before it is written, and once more before it is freed.
		 */
		m->flags |= PG_WINATCFLS;
		vm_why(ps->vm, WHY_INACT_DIRTY_FIRST);
		return (INACT_REQUEUE);
	}
	if (ps->maxlaunder > 0)
		return (vm_pageout_scan_launder(ps, m, object));
	return (INACT_DROP);
}

/* Decide about a page that is ours; the queue is not locked. */
static enum inact_verdict
vm_pageout_scan_inactive_page(struct pageout_scan *ps, vm_page_t m,
    vm_object_t object)
{
	struct vm *vm = ps->vm;
	int act_delta;

	if (m->valid == 0)
		return (vm_pageout_scan_free(ps, m, WHY_INACT_FREE_INVALID));

	act_delta = vm_pageout_take_reference(m);
	if (object->ref_count != 0)
		act_delta += vm->pmap->ts_referenced(vm, m);
	else
		VM_KASSERT(vm, !vm->pmap->page_is_mapped(vm, m),
		    ("page %u of an unreferenced object is mapped", m->pfn));
	if (act_delta != 0) {
		if (object->ref_count != 0)
			return (vm_pageout_scan_reactivate(ps, m, act_delta));
		if ((object->flags & OBJ_DEAD) == 0) {
			vm_why(vm, WHY_INACT_REFERENCED_UNREF_OBJ); /* P-3 */
			return (INACT_REQUEUE);
		}
	}

	/*
	 * A page that looks clean loses its mappings; the last of them may
	 * still tell that it is dirty.
	 */
	if (object->ref_count != 0) {
		vm_pops(vm)->test_dirty(vm, m);
		if (m->dirty == 0)
			vm->pmap->remove_all(vm, m);
	}
	if (m->dirty == 0)
		return (vm_pageout_scan_free(ps, m, WHY_INACT_FREE_CLEAN));
	return (vm_pageout_scan_dirty(ps, m, object));
}

/*
 * One locked page, between leaving its queue and coming back to it (R12 b);
 * vmd_marker keeps the place. Returns with the queue locked.
 */
static void
vm_pageout_scan_inactive_one(struct pageout_scan *ps, vm_page_t m,
    vm_object_t object)
{
	struct vm *vm = ps->vm;
	struct vm_pagequeue *pq = &ps->vmd->vmd_inactive;
	enum inact_verdict verdict;
	bool queue_locked = false;

	VM_KASSERT(vm, m->hold_count == 0, ("page %u is held", m->pfn));
	TAILQ_INSERT_AFTER(&pq->pq_pl, m, &ps->vmd->vmd_marker, pageq);
	vm_pagequeue_unlock(vm, pq);
	vm_penv(vm)->preempt(vm);
	VM_KASSERT(vm, m->object == object && m->queue == PQ_INACTIVE(vm),
	    ("page %u changed under its object's lock", m->pfn));

	verdict = vm_pageout_scan_inactive_page(ps, m, object);
	if (verdict == INACT_REQUEUE) {
		vm_pagequeue_lock(vm, pq);
		queue_locked = true;
		vm_pops(vm)->requeue(vm, m);
	}
	if (verdict != INACT_CLEANED) {
		vm_penv(vm)->page_unlock(vm, m);
		vm_penv(vm)->object_wunlock(vm, object);
	}
	if (!queue_locked) {
		vm_penv(vm)->preempt(vm);
		vm_pagequeue_lock(vm, pq);
	}
}

/*
 * vm_pageout_scan_inactive: work off the shortage on the inactive queue.
 * Every element of the list uses up one step of the limit, which counts
 * pages only, so with the head marker in the list the last page of a queue
 * is never reached. act_count plays no part here.
 */
static void
vm_pageout_scan_inactive(struct pageout_scan *ps)
{
	struct vm *vm = ps->vm;
	struct vm_pagequeue *pq = &ps->vmd->vmd_inactive;
	vm_page_t m, next;
	vm_object_t object = NULL;
	int maxscan = (int)pq->pq_cnt;

	vm_pagequeue_lock(vm, pq);
	for (m = TAILQ_FIRST(&pq->pq_pl);
	     m != NULL && maxscan-- > 0 && ps->page_shortage > 0; m = next) {
		VM_KASSERT(vm, m->queue == PQ_INACTIVE(vm),
		    ("page %u on the inactive list has queue %u", m->pfn,
		    m->queue));
		vm->cnt.v_pdpages++;
		next = TAILQ_NEXT(m, pageq);
		if (m->flags & PG_MARKER)
			continue;
		VM_KASSERT(vm, (m->flags & (PG_FICTITIOUS | PG_UNMANAGED)) ==
		    0, ("page %u cannot be on the inactive queue", m->pfn));
		vm_spend(vm, vm->cost.scan_page);

		switch (vm_pageout_scan_inactive_lock(ps, m, &next, &object)) {
		case INACT_LOCKED:
			vm_pageout_scan_inactive_one(ps, m, object);
			next = TAILQ_NEXT(&ps->vmd->vmd_marker, pageq);
			TAILQ_REMOVE(&pq->pq_pl, &ps->vmd->vmd_marker, pageq);
			continue;
		case INACT_SKIP_OBJECT:
			vm_penv(vm)->object_wunlock(vm, object);
			break;
		default:
			break;
		}
		vm_penv(vm)->page_unlock(vm, m);
	}
	vm_pagequeue_unlock(vm, pq);
}

/* Not enough found: ask for whole processes, hurry the syncer. */
static void
vm_pageout_scan_wakeups(struct pageout_scan *ps)
{
	struct vm *vm = ps->vm;
	struct vm_pageout *po = vm->pageout;

	if (!po->opt_no_swapping && po->vm_swap_enabled &&
	    ps->page_shortage > 0) {
		vm_pageout_note(vm, VPN_VMDAEMON_REQ, NULL, VM_SWAP_NORMAL, 0);
		vm_req_vmdaemon(vm, VM_SWAP_NORMAL);
	}
	/* Compared as the seed does: unsigned. */
	if (ps->vnodes_skipped > 0 && (uint32_t)ps->page_shortage >
	    vm->cnt.v_free_target - vm->cnt.v_free_min) {
		vm_trace_event(vm, VME_SYNCER, 0, 0, 0);
		(void)po->env->speedup_syncer(vm);
	}
}

static void
vm_pageout_scan_vote(struct pageout_scan *ps)
{
	vm_pageout_note(ps->vm, VPN_SHORTAGE, NULL, ps->page_shortage,
	    ps->starting_page_shortage);
	vm_trace_event(ps->vm, VME_SCAN_END, 0, ps->page_shortage,
	    ps->starting_page_shortage);
	vm_pageout_mightbe_oom(ps->vm, ps->vmd, ps->page_shortage,
	    ps->starting_page_shortage);
}

/* Pages to move from the active to the inactive queue: 32-bit arithmetic. */
static void
vm_pageout_active_target(struct pageout_scan *ps)
{
	const struct vm *vm = ps->vm;

	ps->page_shortage = (int)(vm->cnt.v_inactive_target -
	    vm->cnt.v_inactive_count + (uint32_t)vm_paging_target(vm) +
	    (uint32_t)ps->deficit + (uint32_t)ps->addl_page_shortage);
}

/*
 * The least number of active pages to visit, so that each is seen once in an
 * update period even when nobody wants memory (P-6). Notes the time of the
 * scan if there will be one.
 */
static int64_t
vm_pageout_active_min_scan(struct pageout_scan *ps)
{
	struct vm *vm = ps->vm;
	const struct vm_pageout *po = vm->pageout;
	struct vm_pagequeue *pq = &ps->vmd->vmd_active;
	int32_t scan_tick = po->env->ticks(vm), elapsed, period;
	int64_t min_scan = 0;

	if (po->vm_pageout_update_period != 0) {
		elapsed = (int32_t)((uint32_t)scan_tick -
		    (uint32_t)ps->vmd->vmd_last_active_scan);
		period = (int32_t)((uint32_t)vm->hz *
		    (uint32_t)po->vm_pageout_update_period);
		KASSERT(vm->sim, period != 0,
		    ("vm.pageout_update_period overflows"));
		min_scan = (int64_t)pq->pq_cnt * elapsed / period;
	}
	if (min_scan > 0 || (ps->page_shortage > 0 && pq->pq_cnt > 0))
		ps->vmd->vmd_last_active_scan = scan_tick;
	return (min_scan);
}

/* Advance or decay a page's count by its recent use; returns the references. */
static int
vm_pageout_scan_age(struct vm *vm, vm_page_t m)
{
	int act_delta = vm_pageout_take_reference(m);

	/* Looked at without the object's lock; both races are harmless. */
	if (m->object->ref_count != 0)
		act_delta += vm->pmap->ts_referenced(vm, m);
	if (act_delta != 0) {
		m->act_count = (uint8_t)(m->act_count + ACT_ADVANCE +
		    act_delta);
		if (m->act_count > ACT_MAX)
			m->act_count = ACT_MAX;
	} else
		m->act_count -= m->act_count < ACT_DECLINE ? m->act_count :
							     ACT_DECLINE;
	return (act_delta);
}

static void
vm_pageout_scan_active_one(struct pageout_scan *ps, vm_page_t m)
{
	struct vm *vm = ps->vm;
	int act_delta;

	vm->cnt.v_pdpages++;
	act_delta = vm_pageout_scan_age(vm, m);
	if (m->act_count == 0) {
		vm_why(vm, WHY_ACTIVE_DEACTIVATE);
		if (vm_pops(vm)->dequeue != NULL)
			vm_pops(vm)->dequeue(vm, m);
		vm_pops(vm)->deactivate(vm, m);
		ps->page_shortage--;
	} else {
		vm_why(vm, act_delta != 0 ? WHY_ACTIVE_REFERENCED :
					    WHY_ACTIVE_DECLINE);
		vm_pops(vm)->requeue(vm, m);
	}
}

/*
 * vm_pageout_scan_active: age the active queue; busy, held and dirty pages
 * like any others (P-5).
 */
static void
vm_pageout_scan_active(struct pageout_scan *ps)
{
	struct vm *vm = ps->vm;
	struct vm_pagequeue *pq = &ps->vmd->vmd_active;
	vm_page_t m, next;
	int scanned, maxscan = (int)pq->pq_cnt;
	int64_t min_scan;

	vm_pagequeue_lock(vm, pq);
	min_scan = vm_pageout_active_min_scan(ps);
	for (m = TAILQ_FIRST(&pq->pq_pl), scanned = 0; m != NULL &&
	     (scanned < min_scan ||
	     (ps->page_shortage > 0 && scanned < maxscan));
	     m = next, scanned++) {
		VM_KASSERT(vm, m->queue == PQ_ACTIVE(vm),
		    ("page %u on the active list has queue %u", m->pfn,
		    m->queue));
		next = TAILQ_NEXT(m, pageq);
		if (m->flags & PG_MARKER)
			continue;
		VM_KASSERT(vm, (m->flags & (PG_FICTITIOUS | PG_UNMANAGED)) ==
		    0, ("page %u cannot be on the active queue", m->pfn));
		vm_spend(vm, vm->cost.scan_page);
		if (vm_pageout_page_lock(vm, m, &next))
			vm_pageout_scan_active_one(ps, m);
		vm_penv(vm)->page_unlock(vm, m);
	}
	vm_pagequeue_unlock(vm, pq);
}

/* Whole idle processes: asked for at most once in a second. */
static void
vm_pageout_swap_idle(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;
	int64_t second;

	if (po->opt_no_swapping || !po->vm_swap_idle_enabled)
		return;
	second = po->env->second(vm);
	if (second != po->lsec) {
		vm_pageout_note(vm, VPN_VMDAEMON_REQ, NULL, VM_SWAP_IDLE, 0);
		vm_req_vmdaemon(vm, VM_SWAP_IDLE);
		po->lsec = second;
	}
}

/*
 * vm_pageout_scan: one scan of a domain.
 * Units:   pages; vmd_last_active_scan in ticks.
 * Source:  FreeBSD 11 vm_pageout.c, vm_pageout_scan().
 * Effects: frees, requeues, writes and activates inactive pages; ages active
 *          ones; may ask for process swapping, the syncer and the
 *          out-of-memory selection. Sleeps in pagers and for locks.
 */
void
vm_pageout_scan(struct vm *vm, struct vm_domain *vmd, int pass)
{
	struct pageout_scan ps;
	uint32_t why = vm_why(vm, WHY_NONE);

	vm_pageout_lowmem(vm, vmd, pass);
	vm_pageout_scan_begin(&ps, vm, vmd, pass);
	vm_pageout_scan_inactive(&ps);
	vm_pageout_scan_wakeups(&ps);
	vm_pageout_scan_vote(&ps);
	vm_pageout_active_target(&ps);
	vm_pageout_scan_active(&ps);
	vm_pageout_swap_idle(vm);
	vm_why(vm, why);
}
