/*
 * vm_page_int.h: queue surgery shared by the files of the page module.
 * Nothing here logs; the callers emit one transition for each decision.
 */
#ifndef VMSIM_VMCORE_BSD_VM_PAGE_INT_H
#define VMSIM_VMCORE_BSD_VM_PAGE_INT_H

#include "vmcore/vm_int.h"

#define PQ_L2_MASK(vm) ((vm)->pq_l2_size - 1)

/* "Which kind of coloured queue", in the seed's own words: queue - pc. */
static inline bool
vm_page_on_free(const struct vm_page *m)
{
	return (m->queue - m->pc == PQ_FREE);
}

static inline bool
vm_page_on_cache(const struct vm *vm, const struct vm_page *m)
{
	return (m->queue - m->pc == (int)PQ_CACHE(vm));
}

/* The record of a queue number; INACTIVE and ACTIVE are the domain's (R2). */
static inline struct vm_pagequeue *
vm_pageq_of(struct vm *vm, const struct vm_page *m, uint32_t queue)
{
	if (queue == PQ_INACTIVE(vm))
		return (&vm->dom[m->domain].vmd_inactive);
	if (queue == PQ_ACTIVE(vm))
		return (&vm->dom[m->domain].vmd_active);
	return (&vm->pq[queue]);
}

/* Take a page off the queue it is on. */
static inline void
vm_pageq_unlink(struct vm *vm, vm_page_t m)
{
	struct vm_pagequeue *pq = vm_pageq_of(vm, m, m->queue);

	if (vm_page_on_free(m)) {
		vm->dom[m->domain].vmd_free_count--;
		if (__builtin_expect(vm->ndomains > 1, 0))
			TAILQ_REMOVE(&vm->dom[m->domain].vmd_freeq[m->pc], m,
			    listq);
	}
	TAILQ_REMOVE(&pq->pq_pl, m, pageq);
	m->queue = PQ_NONE;
	--*pq->pq_vcnt;
	pq->pq_cnt--;
}

/* A page that has come to FREE, among those of its domain and colour. */
static inline void
vm_pageq_link_domain(struct vm *vm, vm_page_t m, bool at_head)
{
	struct pglist *pl = &vm->dom[m->domain].vmd_freeq[m->pc];

	if (at_head)
		TAILQ_INSERT_HEAD(pl, m, listq);
	else
		TAILQ_INSERT_TAIL(pl, m, listq);
}

/* Put a page that is on no queue on one. */
static inline void
vm_pageq_link(struct vm *vm, vm_page_t m, uint32_t queue, bool at_head)
{
	struct vm_pagequeue *pq = vm_pageq_of(vm, m, queue);

	KASSERT(vm->sim, m->queue == PQ_NONE,
	    ("QUEUED_TWICE: page %u is on queue %u", m->pfn, m->queue));
	m->queue = (uint16_t)queue;
	if (at_head)
		TAILQ_INSERT_HEAD(&pq->pq_pl, m, pageq);
	else
		TAILQ_INSERT_TAIL(&pq->pq_pl, m, pageq);
	++*pq->pq_vcnt;
	pq->pq_cnt++;
	if (vm_page_on_free(m)) {
		vm->dom[m->domain].vmd_free_count++;
		if (__builtin_expect(vm->ndomains > 1, 0))
			vm_pageq_link_domain(vm, m, at_head);
	}
}

/* vm_pageq_remove without its log record: activate, deactivate. */
static inline void
vm_pageq_take(struct vm *vm, vm_page_t m)
{
	bool cached = vm_page_on_cache(vm, m);

	if (m->queue == PQ_NONE)
		return;
	vm_pageq_unlink(vm, m);
	if (cached && vm_paging_needed(vm))
		pagedaemon_wakeup(vm);
}

/* ---- logging: mark before the change, moved after it; free when off */

static inline void
vm_moving(const struct vm *vm, const struct vm_page *m,
    struct vm_trace_from *from)
{
	if (__builtin_expect(vm_tracing_moves(vm), 0))
		vm_trace_mark(vm, m, from);
}

static inline void
vm_moved(struct vm *vm, const struct vm_page *m,
    const struct vm_trace_from *from, int where, enum vm_reason why)
{
	if (__builtin_expect(vm_tracing_moves(vm), 0))
		vm_trace_emit(vm, m, from, vm_queue_of(vm, m, m->queue),
		    where, why);
}

/* A free page for an allocation: by colour, and by domain when there is more
 * than one. It stays on its queue. */
static inline vm_page_t
vm_pageq_find_free(struct vm *vm, vm_pindex_t colour, bool prefer_zero)
{
	if (__builtin_expect(vm->ndomains > 1, 0))
		return (vm_domain_find_free(vm, colour, prefer_zero));
	return (vm_pageq_find(vm, PQ_FREE, colour, prefer_zero));
}

static inline bool
vm_curproc_is_pageproc(const struct vm *vm)
{
	return (vm->pageproc != NULL && vm_curproc(vm) == vm->pageproc);
}

/* m among an object's pages, by m->pindex: tree and list, not the counts. */
void vm_page_tree_insert(struct vm_object *object, vm_page_t m);
void vm_page_tree_remove(struct vm_object *object, vm_page_t m);
void vm_page_free_toq(struct vm *vm, vm_page_t m, enum vm_reason why);
void vm_page_free_cached(struct vm *vm, vm_page_t m);
void vm_page_take_free(struct vm *vm, vm_page_t m, vm_object_t object,
    vm_pindex_t pindex, int req);

#endif /* VMSIM_VMCORE_BSD_VM_PAGE_INT_H */
