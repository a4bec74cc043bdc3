/*
 * vm_page_f11.c: FreeBSD 11's page module as its page daemon sees it.
 *
 * Interface: vm_page_f11.h; vm_page_ops_f11 of vm_pageout.h.
 * Source:    FreeBSD 11-CURRENT vm_page.c as told by companions 4.
 * Differs:   an object's pages are found by the splay tree of FreeBSD 5, not
 *            by a radix tree; free and cached pages are counted, not
 *            allocated from; held pages are never freed by this text.
 */
#include "vmcore/bsd/vm_page_f11.h"
#include "vmcore/bsd/vm_page_int.h"
#include "vmcore/bsd/vm_pageout.h"

static bool
f11_queued(const struct vm *vm, const struct vm_page *m)
{
	return (m->queue == PQ_INACTIVE(vm) || m->queue == PQ_ACTIVE(vm));
}

static bool
f11_queueable(const struct vm_page *m)
{
	return (m->wire_count == 0 && (m->flags & PG_UNMANAGED) == 0);
}

/* ------------------------------------------------- objects */

vm_page_t
vm_page_lookup_f11(vm_object_t object, vm_pindex_t pindex)
{
	return (vm_page_lookup(object, pindex));
}

void
vm_page_insert_f11(struct vm *vm, vm_page_t m, vm_object_t object,
    vm_pindex_t pindex)
{
	KASSERT(vm->sim, m->object == NULL, ("page %u has an object", m->pfn));
	KASSERT(vm->sim, vm_page_lookup(object, pindex) == NULL,
	    ("page index %ju is taken", (uintmax_t)pindex));
	m->object = object;
	m->pindex = pindex;
	vm_page_tree_insert(object, m);
	object->resident_page_count++;
}

void
vm_page_remove_f11(struct vm *vm, vm_page_t m)
{
	if (m->object == NULL)
		return;
	if (m->flags & PG_BUSY) {
		m->flags &= (uint16_t)~PG_BUSY;
		vm_page_flash(vm, m);
	}
	vm_page_tree_remove(m->object, m);
	m->object->resident_page_count--;
	m->object = NULL;
}

static vm_page_t
f11_next(vm_page_t m)
{
	vm_page_t p = TAILQ_NEXT(m, listq);

	return (p != NULL && p->pindex == m->pindex + 1 ? p : NULL);
}

static vm_page_t
f11_prev(vm_page_t m)
{
	vm_page_t p = TAILQ_PREV(m, pglist, listq);

	return (p != NULL && p->pindex + 1 == m->pindex ? p : NULL);
}

/* ------------------------------------------------- queues */

void
vm_page_dequeue_f11(struct vm *vm, vm_page_t m)
{
	vm_pageq_unlink(vm, m);
}

void
vm_page_requeue_f11(struct vm *vm, vm_page_t m)
{
	struct vm_pagequeue *pq = vm_pageq_of(vm, m, m->queue);

	KASSERT(vm->sim, f11_queued(vm, m), ("page %u is on no queue", m->pfn));
	TAILQ_REMOVE(&pq->pq_pl, m, pageq);
	TAILQ_INSERT_TAIL(&pq->pq_pl, m, pageq);
}

/* On the active queue already: the place stays. */
void
vm_page_activate_f11(struct vm *vm, vm_page_t m)
{
	if (m->queue != PQ_ACTIVE(vm)) {
		if (!f11_queueable(m))
			return;
		if (f11_queued(vm, m))
			vm_pageq_unlink(vm, m);
		vm_pageq_link(vm, m, PQ_ACTIVE(vm), false);
	}
	if (m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
}

void
vm_page_deactivate_f11(struct vm *vm, vm_page_t m)
{
	if (m->queue == PQ_INACTIVE(vm) || !f11_queueable(m))
		return;
	if (f11_queued(vm, m))
		vm_pageq_unlink(vm, m);
	m->flags &= (uint16_t)~PG_WINATCFLS;
	vm_pageq_link(vm, m, PQ_INACTIVE(vm), false);
}

void
vm_page_deactivate_noreuse_f11(struct vm *vm, vm_page_t m)
{
	struct vm_domain *vmd = &vm->dom[m->domain];
	bool inactive = m->queue == PQ_INACTIVE(vm);

	if (!f11_queueable(m))
		return;
	if (f11_queued(vm, m))
		vm_pageq_unlink(vm, m);
	if (!inactive)
		m->flags &= (uint16_t)~PG_WINATCFLS;
	vm_pageq_link(vm, m, PQ_INACTIVE(vm), true);
	if (!vmd->vmd_inacthead_queued)
		return;
	TAILQ_REMOVE(&vmd->vmd_inactive.pq_pl, m, pageq);
	TAILQ_INSERT_BEFORE(&vmd->vmd_inacthead, m, pageq);
}

/* ------------------------------------------------- free and cached */

static void
f11_leave(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, m->busy == 0, ("page %u is shared-busy", m->pfn));
	KASSERT(vm->sim, m->wire_count == 0, ("page %u is wired", m->pfn));
	KASSERT(vm->sim, !vm->pmap->page_is_mapped(vm, m),
	    ("page %u is mapped", m->pfn));
	if (f11_queued(vm, m))
		vm_pageq_unlink(vm, m);
	vm_page_remove_f11(vm, m);
}

void
vm_page_toq_f11(struct vm *vm, vm_page_t m)
{
	vm->cnt.v_tfree++;
	f11_leave(vm, m);
	m->valid = 0;
	m->dirty = 0;
	m->flags &= (uint16_t)~PG_ZERO;
	m->queue = PQ_FREE;
	vm->cnt.v_free_count++;
	vm->dom[m->domain].vmd_free_count++;
	vm_page_free_wakeup(vm);
}

/* Nothing would be found again under this name: free it instead. */
static bool
f11_cache_is_useless(struct vm *vm, vm_page_t m)
{
	vm_object_t object = m->object;

	return (m->valid == 0 || object->type == OBJT_DEFAULT ||
	    (object->type == OBJT_SWAP && !object->pagerops->haspage(vm,
	    object, m->pindex, NULL, NULL)));
}

void
vm_page_tocache_f11(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, !vm_page_busied(m) && m->hold_count == 0 &&
	    m->dirty == 0 && f11_queueable(m),
	    ("page %u cannot be cached", m->pfn));
	if (f11_cache_is_useless(vm, m)) {
		vm_page_toq_f11(vm, m);
		return;
	}
	f11_leave(vm, m);
	m->flags &= (uint16_t)~PG_ZERO;
	m->queue = (uint16_t)PQ_CACHE(vm);
	vm->cnt.v_cache_count++;
	vm->cnt.v_tcached++;
	vm_page_free_wakeup(vm);
}

/* ------------------------------------------------- state */

static void
f11_test_dirty(struct vm *vm, vm_page_t m)
{
	if (m->dirty != VM_PAGE_BITS_ALL && vm->pmap->is_modified(vm, m))
		m->dirty = VM_PAGE_BITS_ALL;
}

static void
f11_undirty(struct vm *vm, vm_page_t m)
{
	(void)vm;
	m->dirty = 0;
}

static void
f11_sbusy(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, (m->flags & PG_BUSY) == 0,
	    ("page %u is exclusively busy", m->pfn));
	m->busy++;
}

static void
f11_sunbusy(struct vm *vm, vm_page_t m)
{
	if (--m->busy == 0)
		vm_page_flash(vm, m);
}

const struct vm_page_ops vm_page_ops_f11 = {
	.name = "freebsd11",
	.activate = vm_page_activate_f11,
	.deactivate = vm_page_deactivate_f11,
	.requeue = vm_page_requeue_f11,
	.dequeue = vm_page_dequeue_f11,
	.free = vm_page_toq_f11,
	.cache = vm_page_tocache_f11,
	.test_dirty = f11_test_dirty,
	.undirty = f11_undirty,
	.sbusy = f11_sbusy,
	.sunbusy = f11_sunbusy,
	.next = f11_next,
	.prev = f11_prev,
};
