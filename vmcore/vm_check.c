/*
 * vm_check.c: the invariants of pages, queues and objects, checked from
 * outside the code that keeps them. The first that does not hold panics with
 * a message that starts with CHECK_.
 *
 * Interface: vmcore/vmcore.h (vm_check_all), vmcore/vm_page.h (vmcheck_*).
 * Source:    our own; the facts are FreeBSD 5.0's (vm_page.c, vm_pageq.c).
 *
 * vmcheck_all: whatever a caller of the page module does, structures and
 * counters agree. vm_check_all adds what holds between the kernel's own
 * sections: a page on no queue is wired, busy or unmanaged.
 */
#include <stdlib.h>

#include "vmcore/vm_int.h"

#define CHECK(vm, cond, ...)                                              \
	do {                                                              \
		if (__builtin_expect(!(cond), 0))                         \
			sim_panic((vm)->sim, __FILE__, __LINE__, __func__, \
			    __VA_ARGS__);                                 \
	} while (0)

/* ------------------------------------------------------------ queues */

static struct vm_pagequeue *
vmcheck_queue_of(struct vm *vm, uint32_t queue, uint32_t domain)
{
	if (queue == PQ_INACTIVE(vm))
		return (&vm->dom[domain].vmd_inactive);
	if (queue == PQ_ACTIVE(vm))
		return (&vm->dom[domain].vmd_active);
	return (&vm->pq[queue]);
}

static void
vmcheck_member(struct vm *vm, vm_page_t m, uint32_t queue, uint32_t domain)
{
	CHECK(vm, m->queue == queue,
	    "CHECK_MEMBER: page %u on queue %u says queue %u", m->pfn, queue,
	    m->queue);
	CHECK(vm, m == vm_phys_to_page(vm, m->pfn),
	    "CHECK_MEMBER: queue %u has a page of unknown frame %u", queue,
	    m->pfn);
	if (queue == PQ_INACTIVE(vm) || queue == PQ_ACTIVE(vm))
		CHECK(vm, m->domain == domain,
		    "CHECK_DOMAIN: page %u of domain %u on domain %u's queue",
		    m->pfn, m->domain, domain);
	else if (queue != PQ_HOLD(vm))
		CHECK(vm, queue == (uint32_t)PQ_FREE + m->pc ||
		    queue == PQ_CACHE(vm) + m->pc,
		    "CHECK_COLOUR: page %u of colour %u on queue %u", m->pfn,
		    m->pc, queue);
}

/*
 * vmcheck_queue: every member names this queue and belongs on it; without
 * markers there are pq_cnt of them; links back and forth agree.
 */
void
vmcheck_queue(struct vm *vm, int queue, uint32_t domain)
{
	struct vm_pagequeue *pq = vmcheck_queue_of(vm, (uint32_t)queue,
	    domain);
	vm_page_t m, prev = NULL;
	uint32_t pages = 0;

	TAILQ_FOREACH (m, &pq->pq_pl, pageq) {
		CHECK(vm, TAILQ_PREV(m, pglist, pageq) == prev,
		    "CHECK_LINKS: queue %d is broken before page %u", queue,
		    m->pfn);
		prev = m;
		if ((m->flags & PG_MARKER) != 0)
			continue;
		vmcheck_member(vm, m, (uint32_t)queue, domain);
		pages++;
		CHECK(vm, pages <= vm->page_array_size,
		    "CHECK_LINKS: queue %d does not end", queue);
	}
	CHECK(vm, pages == pq->pq_cnt,
	    "CHECK_LENGTH: queue %d of domain %u has %u pages, pq_cnt %u",
	    queue, domain, pages, pq->pq_cnt);
}

/* ------------------------------------------------------------ pages */

static void
vmcheck_page_idle(struct vm *vm, const struct vm_page *m)
{
	CHECK(vm, m->object == NULL && m->wire_count == 0 && m->busy == 0,
	    "CHECK_FREE: free page %u has an object, wirings or I/O", m->pfn);
	CHECK(vm, m->valid == 0 && m->dirty == 0,
	    "CHECK_FREE: free page %u is valid %#x, dirty %#x", m->pfn,
	    m->valid, m->dirty);
	CHECK(vm, !vm->pmap->page_is_mapped(vm, (vm_page_t)(uintptr_t)m),
	    "CHECK_FREE: free page %u is mapped", m->pfn);
}

/* vmcheck_page: the page's state fits the queue it names. */
void
vmcheck_page(struct vm *vm, vm_page_t m)
{
	enum vm_queue q = vm_queue_of(vm, m, m->queue);

	CHECK(vm, (m->flags & PG_MARKER) == 0 && m->queue < PQ_COUNT(vm),
	    "CHECK_PAGE: page %u: flags %#x, queue %u", m->pfn, m->flags,
	    m->queue);
	if ((m->flags & PG_NOTAVAIL) != 0) {
		CHECK(vm, m->queue == PQ_NONE && m->object == NULL,
		    "CHECK_NOTAVAIL: unmanaged frame %u is in use", m->pfn);
		return;
	}
	if (q == VMQ_FREE || q == VMQ_HOLD)
		vmcheck_page_idle(vm, m);
	if (q == VMQ_HOLD)
		CHECK(vm, m->hold_count > 0 && (m->flags & PG_ZERO) == 0,
		    "CHECK_HOLD: page %u: hold count %d, flags %#x", m->pfn,
		    m->hold_count, m->flags);
	if (q == VMQ_CACHE)
		CHECK(vm, m->dirty == 0 && m->wire_count == 0 &&
		    !vm->pmap->page_is_mapped(vm, m),
		    "CHECK_CACHE: cached page %u is dirty, wired or mapped",
		    m->pfn);
	if (q == VMQ_ACTIVE || q == VMQ_INACTIVE || q == VMQ_CACHE)
		CHECK(vm, m->wire_count == 0 &&
		    (m->flags & PG_UNMANAGED) == 0,
		    "CHECK_QUEUED: page %u: wire count %u, flags %#x", m->pfn,
		    m->wire_count, m->flags);
}

/* ------------------------------------------------------------ objects */

/*
 * Walk the splay tree from left to right beside the list. `stack` has room
 * for one page more than the object has. NULL, or what is wrong at *at.
 */
static const char *
vmcheck_walk(const struct vm_object *object, vm_page_t *stack, vm_page_t *at)
{
	size_t room = (size_t)object->resident_page_count + 1, depth = 0;
	vm_page_t next = TAILQ_FIRST(&object->memq), m = object->root;

	while (m != NULL || depth > 0) {
		for (; m != NULL; m = m->left) {
			*at = m;
			if (depth == room)
				return ("has a loop");
			stack[depth++] = m;
		}
		*at = m = stack[--depth];
		if (m != next)
			return ("is not in the list's order");
		next = TAILQ_NEXT(next, listq);
		m = m->right;
	}
	*at = next;
	return (next != NULL ? "ends early" : NULL);
}

/* The tree can be as deep as the object has pages: a stack on the heap. */
static void
vmcheck_tree(struct vm *vm, vm_object_t object)
{
	vm_page_t *stack, at = NULL;
	const char *wrong;

	stack = calloc((size_t)object->resident_page_count + 1,
	    sizeof(*stack));
	CHECK(vm, stack != NULL, "CHECK_MEMORY: object %u", object->id);
	wrong = vmcheck_walk(object, stack, &at);
	free(stack);
	CHECK(vm, wrong == NULL,
	    "CHECK_TREE: object %u: its tree %s, at page %llu", object->id,
	    wrong, at != NULL ? (unsigned long long)at->pindex : 0);
}

/* vmcheck_object: pages by ascending index, as many as it says, all its own. */
void
vmcheck_object(struct vm *vm, struct vm_object *object)
{
	vm_page_t m, prev = NULL;
	int32_t pages = 0;

	TAILQ_FOREACH (m, &object->memq, listq) {
		CHECK(vm, m->object == object,
		    "CHECK_OBJECT: page %u in the list of object %u", m->pfn,
		    object->id);
		CHECK(vm, prev == NULL || prev->pindex < m->pindex,
		    "CHECK_ORDER: object %u: page %llu after page %llu",
		    object->id, (unsigned long long)m->pindex,
		    (unsigned long long)prev->pindex);
		prev = m;
		pages++;
	}
	CHECK(vm, pages == object->resident_page_count,
	    "CHECK_RESIDENT: object %u has %d pages, says %d", object->id,
	    pages, object->resident_page_count);
	vmcheck_tree(vm, object);
}

/* ------------------------------------------------------------ everything */

struct check_sums {
	uint32_t managed, queued, wired, zeroed, in_objects, adrift;
	uint32_t domain_pages[VM_MAXDOMAINS], domain_free[VM_MAXDOMAINS];
	const struct vm_page *an_adrift;
};

/* Each domain's free pages by colour: all there, in the queue's order. */
static void
vmcheck_domains(struct vm *vm)
{
	vm_page_t at[VM_MAXDOMAINS], m;
	uint32_t c, d;

	for (c = 0; vm->ndomains > 1 && c < vm->pq_l2_size; c++) {
		for (d = 0; d < vm->ndomains; d++)
			at[d] = TAILQ_FIRST(&vm->dom[d].vmd_freeq[c]);
		TAILQ_FOREACH (m, &vm->pq[PQ_FREE + c].pq_pl, pageq) {
			CHECK(vm, at[m->domain] == m,
			    "CHECK_FREEQ: page %u is not next among the free "
			    "pages of domain %u, colour %u", m->pfn,
			    m->domain, c);
			at[m->domain] = TAILQ_NEXT(m, listq);
		}
		for (d = 0; d < vm->ndomains; d++)
			CHECK(vm, at[d] == NULL, "CHECK_FREEQ: domain %u has "
			    "more free pages of colour %u than the queue", d,
			    c);
	}
}

static void
vmcheck_queues(struct vm *vm, struct check_sums *queues)
{
	uint32_t q, d;

	for (q = PQ_FREE; q < PQ_COUNT(vm); q++) {
		bool per_domain = q == PQ_INACTIVE(vm) || q == PQ_ACTIVE(vm);

		for (d = 0; d < (per_domain ? VM_MAXDOMAINS : 1); d++) {
			vmcheck_queue(vm, (int)q, d);
			queues->queued += vmcheck_queue_of(vm, q, d)->pq_cnt;
		}
	}
}

static void
vmcheck_count_page(struct vm *vm, const struct vm_page *m,
    struct check_sums *s)
{
	enum vm_queue q = vm_queue_of(vm, m, m->queue);

	if ((m->flags & PG_NOTAVAIL) != 0)
		return;
	s->managed++;
	s->domain_pages[m->domain]++;
	s->queued += m->queue != PQ_NONE;
	s->wired += m->wire_count != 0;
	s->in_objects += m->object != NULL;
	if (q == VMQ_FREE) {
		s->domain_free[m->domain]++;
		s->zeroed += (m->flags & PG_ZERO) != 0;
	}
	if (q == VMQ_NONE && m->busy == 0 && (m->flags & PG_UNMANAGED) == 0) {
		s->adrift++;
		s->an_adrift = m;
	}
}

/* The global counters against the queues that feed them. */
static void
vmcheck_counters(struct vm *vm)
{
	uint32_t nfree = 0, cache = 0, inactive = 0, active, c, d;

	active = vm->pq[PQ_HOLD(vm)].pq_cnt;
	for (c = 0; c < vm->pq_l2_size; c++) {
		nfree += vm->pq[PQ_FREE + c].pq_cnt;
		cache += vm->pq[PQ_CACHE(vm) + c].pq_cnt;
	}
	for (d = 0; d < VM_MAXDOMAINS; d++) {
		inactive += vm->dom[d].vmd_inactive.pq_cnt;
		active += vm->dom[d].vmd_active.pq_cnt;
	}
	CHECK(vm, nfree == vm->cnt.v_free_count &&
	    cache == vm->cnt.v_cache_count &&
	    inactive == vm->cnt.v_inactive_count &&
	    active == vm->cnt.v_active_count,
	    "CHECK_COUNTERS: free %u says %u, cache %u says %u, inactive %u "
	    "says %u, active and hold %u says %u",
	    nfree, vm->cnt.v_free_count, cache, vm->cnt.v_cache_count,
	    inactive, vm->cnt.v_inactive_count, active,
	    vm->cnt.v_active_count);
}

static void
vmcheck_sums(struct vm *vm, const struct check_sums *s, uint32_t on_lists)
{
	uint32_t d;

	CHECK(vm, s->queued == on_lists,
	    "CHECK_QUEUED: %u pages name a queue, %u are on one", s->queued,
	    on_lists);
	CHECK(vm, s->managed == vm->cnt.v_page_count,
	    "CHECK_PAGES: %u managed pages, v_page_count %u", s->managed,
	    vm->cnt.v_page_count);
	CHECK(vm, s->wired == vm->cnt.v_wire_count,
	    "CHECK_WIRED: %u pages are wired, v_wire_count %u", s->wired,
	    vm->cnt.v_wire_count);
	CHECK(vm, s->zeroed == (uint32_t)vm->page_zero_count,
	    "CHECK_ZEROED: %u free pages are zeroed, vm_page_zero_count %d",
	    s->zeroed, vm->page_zero_count);
	for (d = 0; d < VM_MAXDOMAINS; d++)
		CHECK(vm, s->domain_pages[d] == vm->dom[d].vmd_page_count &&
		    s->domain_free[d] == vm->dom[d].vmd_free_count,
		    "CHECK_DOMAIN: domain %u: %u pages says %u, free %u says "
		    "%u", d, s->domain_pages[d], vm->dom[d].vmd_page_count,
		    s->domain_free[d], vm->dom[d].vmd_free_count);
}

static void
vmcheck_objects(struct vm *vm, const struct check_sums *s)
{
	vm_object_t object;
	uint32_t pages = 0;

	TAILQ_FOREACH (object, &vm->object_list, object_list) {
		vmcheck_object(vm, object);
		pages += (uint32_t)object->resident_page_count;
	}
	CHECK(vm, pages == s->in_objects,
	    "CHECK_OBJECTS: objects have %u pages, %u pages have an object",
	    pages, s->in_objects);
}

static void
vmcheck_structures(struct vm *vm, struct check_sums *pages)
{
	struct check_sums queues = { 0 };
	uint32_t i;

	*pages = (struct check_sums) { 0 };
	vmcheck_queues(vm, &queues);
	vmcheck_domains(vm);
	for (i = 0; i < vm->page_array_size; i++) {
		vmcheck_page(vm, &vm->page_array[i]);
		vmcheck_count_page(vm, &vm->page_array[i], pages);
	}
	vmcheck_counters(vm);
	vmcheck_sums(vm, pages, queues.queued);
	vmcheck_objects(vm, pages);
}

void
vmcheck_all(struct vm *vm)
{
	struct check_sums pages;

	vmcheck_structures(vm, &pages);
}

/*
 * vmcheck_accounted: vmcheck_all, and the sum of all queues, wired, busy and
 * unmanaged pages is the page count.
 */
void
vmcheck_accounted(struct vm *vm)
{
	struct check_sums pages;

	vmcheck_structures(vm, &pages);
	CHECK(vm, pages.adrift == 0,
	    "CHECK_ADRIFT: %u pages are on no queue, not wired, not busy; one "
	    "is %u, object %u, page index %llu",
	    pages.adrift, pages.an_adrift->pfn,
	    pages.an_adrift->object != NULL ? pages.an_adrift->object->id : 0,
	    (unsigned long long)pages.an_adrift->pindex);
}

void
vm_check_all(struct vm *vm)
{
	if (vm->kernel != NULL && vm->kernel->check != NULL)
		vm->kernel->check(vm);
	else
		vmcheck_accounted(vm);
	if (vm->mmu != NULL)
		mmu_check(vm->mmu);
}
