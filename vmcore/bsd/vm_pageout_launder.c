/*
 * vm_pageout_launder.c: making room for contiguous memory: inactive (and
 * active) pages of a physical range go to the cache queue, dirty ones after
 * they have been written.
 *
 * Interface: vm_pageout_grow_cache() of vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c, vm_pageout_launder() and
 *            vm_pageout_grow_cache().
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_pageout.h"

/* Take the page and its object; false: neither is held. */
static bool
vm_pageout_launder_lock(struct vm *vm, vm_page_t m, vm_page_t *next,
    vm_object_t *objectp)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_object_t object;
	bool locked;

	if (!vm_pageout_page_lock(vm, m, next) || m->hold_count != 0) {
		env->page_unlock(vm, m);
		return (false);
	}
	*objectp = object = m->object;
	locked = env->object_trywlock(vm, object, m) ||
	    (vm_pageout_fallback_object_lock(vm, m, next) &&
	    m->hold_count == 0);
	if (!locked || vm_page_busied(m)) {
		env->page_unlock(vm, m);
		env->object_wunlock(vm, object);
		return (false);
	}
	return (true);
}

/* The whole file, waiting for its locks: the queue is not held (R12 e). */
static void
vm_pageout_launder_vnode(struct vm *vm, vm_object_t object)
{
	const struct vm_pageout_env *env = vm_penv(vm);

	env->object_reference(vm, object);
	env->object_wunlock(vm, object);
	env->preempt(vm);
	(void)env->vn_start_write(vm, object, true);
	env->preempt(vm);
	env->vn_lock(vm, object, env->shared_writes(vm, object) ? LK_SHARED :
	    LK_EXCLUSIVE);
	env->object_wlock(vm, object);
	env->object_page_clean(vm, object, OBJPC_SYNC);
	env->object_wunlock(vm, object);
	env->vn_unlock(vm, object);
	env->preempt(vm);
	env->object_deallocate(vm, object);
	env->vn_finished_write(vm, object);
}

/*
 * A dirty page. Returns whether something was written; the queue is then
 * unlocked, otherwise object and queue are still locked.
 */
static bool
vm_pageout_launder_dirty(struct vm *vm, struct vm_pagequeue *pq, vm_page_t m,
    vm_object_t object, int tries)
{
	int n;

	vm_penv(vm)->page_unlock(vm, m);
	if (tries == 0 || (object->flags & OBJ_DEAD) != 0)
		return (false);
	if (object->type == OBJT_VNODE) {
		vm_pagequeue_unlock(vm, pq);
		vm_pageout_launder_vnode(vm, object);
		return (true);
	}
	if (object->type == OBJT_SWAP || object->type == OBJT_DEFAULT) {
		vm_pagequeue_unlock(vm, pq);
		n = vm_pageout_flush(vm, &m, 1, VM_PAGER_PUT_SYNC, 0, NULL,
		    NULL);
		vm_pageout_note(vm, VPN_FLUSH, NULL, n, 0);
		vm_penv(vm)->object_wunlock(vm, object);
		return (true);
	}
	return (false);
}

/*
 * vm_pageout_launder: cache the clean pages of [low, high) on one queue.
 * Units:   low, high: physical bytes.
 * Returns: true after the first write: the queue was let go, so the caller
 *          starts from its head again (P-9); false at the queue's end.
 */
bool
vm_pageout_launder(struct vm *vm, struct vm_pagequeue *pq, int tries,
    vm_paddr_t low, vm_paddr_t high)
{
	vm_page_t m, next;
	vm_object_t object;
	vm_paddr_t pa;

	vm_pagequeue_lock(vm, pq);
	for (m = TAILQ_FIRST(&pq->pq_pl); m != NULL; m = next) {
		next = TAILQ_NEXT(m, pageq);
		if (m->flags & PG_MARKER)
			continue;
		vm_spend(vm, vm->cost.scan_page);
		pa = VM_PAGE_TO_PHYS(m);
		if (pa < low || pa + PAGE_SIZE > high)
			continue;
		if (!vm_pageout_launder_lock(vm, m, &next, &object))
			continue;
		vm_pops(vm)->test_dirty(vm, m);
		if (m->dirty == 0 && object->ref_count != 0)
			vm->pmap->remove_all(vm, m);
		if (m->dirty != 0) {
			if (vm_pageout_launder_dirty(vm, pq, m, object, tries))
				return (true);
		} else {
			if (vm_pops(vm)->dequeue != NULL)
				vm_pops(vm)->dequeue(vm, m);
			vm_pops(vm)->cache(vm, m);
			vm_penv(vm)->page_unlock(vm, m);
		}
		vm_penv(vm)->object_wunlock(vm, object);
	}
	vm_pagequeue_unlock(vm, pq);
	return (false);
}

/* Does one of the domain's segments overlap [low, high)? */
bool
vm_phys_domain_intersects(const struct vm_domain *vmd, vm_paddr_t low,
    vm_paddr_t high)
{
	for (uint32_t i = 0; i < vmd->vmd_nsegs; i++) {
		if (low < vmd->vmd_seg[i].end && high > vmd->vmd_seg[i].start)
			return (true);
	}
	return (false);
}

struct grow_cache { /* one call of vm_pageout_grow_cache() */
	int tries;
	vm_paddr_t low, high;
	uint32_t initial_dom, dom;
};

static bool
vm_pageout_grow_cache_one(struct vm *vm, const struct grow_cache *gc,
    uint32_t queue)
{
	struct vm_domain *vmd = &vm->dom[gc->dom];
	struct vm_pagequeue *pq = queue == PQ_ACTIVE(vm) ? &vmd->vmd_active :
							   &vmd->vmd_inactive;
	bool wrote;

	if (!vm_phys_domain_intersects(vmd, gc->low, gc->high))
		return (false);
	vm_pageout_note(vm, VPN_LAUNDER, pq, gc->dom, queue);
	wrote = vm_pageout_launder(vm, pq, gc->tries, gc->low, gc->high);
	vm_pageout_note(vm, VPN_LAUNDERED, pq, wrote, 0);
	return (wrote);
}

/*
 * One kind of queue over the domains, at most `max` writes: each domain is
 * exhausted before the next. Begins at the domain where the kind before it
 * stopped and ends at the first one of the call.
 */
static void
vm_pageout_grow_cache_queue(struct vm *vm, struct grow_cache *gc,
    uint32_t queue, int max)
{
	int written = 0;

	while (written < max) {
		if (vm_pageout_grow_cache_one(vm, gc, queue)) {
			written++;
			continue;
		}
		if (++gc->dom == vm->ndomains)
			gc->dom = 0;
		if (gc->dom == gc->initial_dom)
			break;
	}
}

/*
 * vm_pageout_grow_cache: see vm_pageout.h. Sleeps when tries > 0.
 * Units:   low, high: physical bytes.
 * Source:  FreeBSD 11 vm_pageout.c, same name.
 */
void
vm_pageout_grow_cache(struct vm *vm, int tries, vm_paddr_t low,
    vm_paddr_t high)
{
	struct vm_pageout *po = vm->pageout;
	struct grow_cache gc = { .tries = tries, .low = low, .high = high };
	uint32_t why = vm_why(vm, WHY_GROW_CACHE);
	int inactmax, actmax;

	vm_trace_event(vm, VME_GROW_CACHE, 0, tries, 0);
	if (tries > 0) {
		vm_trace_event(vm, VME_LOWMEM, 0, 0, 0);
		po->env->lowmem(vm);
		po->env->uma_reclaim(vm); /* after the caches were drained */
	}

	/* The next call starts at the next domain. */
	gc.initial_dom = gc.dom = po->start_dom++ % vm->ndomains;

	inactmax = (int)vm->cnt.v_inactive_count;
	actmax = tries < 2 ? 0 : (int)vm->cnt.v_active_count;
	vm_pageout_grow_cache_queue(vm, &gc, PQ_INACTIVE(vm), inactmax);
	vm_pageout_grow_cache_queue(vm, &gc, PQ_ACTIVE(vm), actmax);
	vm_why(vm, why);
}
