/*
 * vm_pageq.c: the page queues of the kernel `bsd`: coloured free and cache
 * queues, inactive, active and hold, and the colour search.
 *
 * Interface: vmcore/vm_page.h (vm_pageq_*).
 * Source:    FreeBSD 5.0 vm_pageq.c 1.7 as told by the companions, 1.2, 1.3
 *            and 3.
 * Differs:   INACTIVE and ACTIVE exist once for each memory domain (R2); with
 *            several domains a second list threads each domain's pages of a
 *            FREE colour, so that placement need not walk the queue; the
 *            number of colours is chosen at boot, not at compile time.
 */
#include <errno.h>

#include "vmcore/bsd/vm_page_int.h"

/* Colours and the steps that the kernel spreads objects and zeroing by. */
static const struct pq_geometry {
	uint32_t cachesize; /* PQ_CACHESIZE of at least so many kilobytes */
	uint32_t l2_size, prime1, prime2;
} pq_geometries[] = {
	{ 1024, 256, 31, 23 },
	{ 512, 128, 31, 23 },
	{ 256, 64, 13, 7 },
	{ 128, 32, 9, 5 },
	{ 64, 16, 5, 3 },
	{ 0, 1, 1, 1 },
};
#define PQ_NGEOMETRIES (sizeof(pq_geometries) / sizeof(pq_geometries[0]))

int
vm_page_set_colours(struct vm *vm, uint32_t l2_size)
{
	const struct pq_geometry *g;

	for (g = pq_geometries; g < pq_geometries + PQ_NGEOMETRIES; g++) {
		if (g->l2_size == l2_size) {
			vm->pq_l2_size = g->l2_size;
			vm->pq_prime1 = g->prime1;
			vm->pq_prime2 = g->prime2;
			return (0);
		}
	}
	return (-EINVAL);
}

uint32_t
vm_page_cachesize_colours(uint32_t kilobytes)
{
	const struct pq_geometry *g = pq_geometries;

	while (kilobytes < g->cachesize)
		g++;
	return (g->l2_size);
}

static void
vm_pageq_init_one(struct vm_pagequeue *pq, uint32_t *counter)
{
	TAILQ_INIT(&pq->pq_pl);
	pq->pq_vcnt = counter;
	pq->pq_cnt = 0;
	pq->pq_lock = NULL;
}

/*
 * vm_pageq_init: empty queues, each tied to the global counter that it feeds.
 * Pages on HOLD count as active.
 */
void
vm_pageq_init(struct vm *vm)
{
	uint32_t c, d;

	if (vm->pq_l2_size == 0)
		(void)vm_page_set_colours(vm, 32);
	for (c = 0; c < vm->pq_l2_size; c++) {
		vm_pageq_init_one(&vm->pq[PQ_FREE + c],
		    &vm->cnt.v_free_count);
		vm_pageq_init_one(&vm->pq[PQ_CACHE(vm) + c],
		    &vm->cnt.v_cache_count);
	}
	for (d = 0; d < VM_MAXDOMAINS; d++) {
		vm_pageq_init_one(&vm->dom[d].vmd_inactive,
		    &vm->cnt.v_inactive_count);
		vm_pageq_init_one(&vm->dom[d].vmd_active,
		    &vm->cnt.v_active_count);
		for (c = 0; c < vm->pq_l2_size; c++)
			TAILQ_INIT(&vm->dom[d].vmd_freeq[c]);
	}
	vm_pageq_init_one(&vm->pq[PQ_HOLD(vm)], &vm->cnt.v_active_count);
}

struct vm_pagequeue *
vm_page_pagequeue(struct vm *vm, vm_page_t m)
{
	return (vm_pageq_of(vm, m, m->queue));
}

/*
 * vm_pageq_add_new_page: boot gives the frame `pfn` with its record m to the
 * free queue of its colour (tail), not known to be zero.
 */
vm_page_t
vm_pageq_add_new_page(struct vm *vm, vm_page_t m, pfn_t pfn)
{
	vm->cnt.v_page_count++;
	vm->dom[m->domain].vmd_page_count++;
	m->pfn = pfn;
	m->flags = 0;
	m->wire_count = 0;
	m->pc = (uint16_t)(pfn & PQ_L2_MASK(vm));
	vm_pageq_link(vm, m, (uint32_t)(m->pc + PQ_FREE), false);
	return (m);
}

/* Append to a queue, whatever the page's counts and flags. */
void
vm_pageq_enqueue(struct vm *vm, int queue, vm_page_t m)
{
	struct vm_trace_from from;

	vm_moving(vm, m, &from);
	vm_pageq_link(vm, m, (uint32_t)queue, false);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
}

/* To the tail of its own queue; nothing when it is on none. */
void
vm_pageq_requeue(struct vm *vm, vm_page_t m)
{
	struct vm_pagequeue *pq;
	struct vm_trace_from from;

	if (m->queue == PQ_NONE)
		return;
	vm_moving(vm, m, &from);
	if (vm_page_on_free(m) && vm->ndomains > 1) {
		TAILQ_REMOVE(&vm->dom[m->domain].vmd_freeq[m->pc], m, listq);
		vm_pageq_link_domain(vm, m, false);
	}
	pq = vm_pageq_of(vm, m, m->queue);
	TAILQ_REMOVE(&pq->pq_pl, m, pageq);
	TAILQ_INSERT_TAIL(&pq->pq_pl, m, pageq);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
}

/* Off its queue; never wakes the page daemon. */
void
vm_pageq_remove_nowakeup(struct vm *vm, vm_page_t m)
{
	struct vm_trace_from from;

	if (m->queue == PQ_NONE)
		return;
	vm_moving(vm, m, &from);
	vm_pageq_unlink(vm, m);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
}

/* Off its queue; leaving CACHE when paging is needed wakes the page daemon. */
void
vm_pageq_remove(struct vm *vm, vm_page_t m)
{
	struct vm_trace_from from;

	if (m->queue == PQ_NONE)
		return;
	vm_moving(vm, m, &from);
	vm_pageq_take(vm, m);
	vm_spend(vm, vm->cost.page_queue);
	vm_moved(vm, m, &from, VMT_TAIL, WHY_NONE);
}

/*
 * The neighbours of an empty colour: distances L2/2 down to 1, above before
 * below, always the first page. The zero preference does not apply to them.
 */
static vm_page_t
vm_pageq_find_near(struct vm *vm, int basequeue, uint32_t colour)
{
	uint32_t distance;
	vm_page_t m;

	for (distance = vm->pq_l2_size / 2; distance > 0; distance--) {
		m = TAILQ_FIRST(&vm->pq[(uint32_t)basequeue +
		    ((colour + distance) & PQ_L2_MASK(vm))].pq_pl);
		if (m != NULL)
			return (m);
		m = TAILQ_FIRST(&vm->pq[(uint32_t)basequeue +
		    ((colour - distance) & PQ_L2_MASK(vm))].pq_pl);
		if (m != NULL)
			return (m);
	}
	return (NULL);
}

/*
 * vm_pageq_find: a page of PQ_FREE or PQ_CACHE of the wanted colour or, when
 * there is none, of the colours farthest away first. It stays on its queue.
 */
vm_page_t
vm_pageq_find(struct vm *vm, int basequeue, vm_pindex_t colour,
    bool prefer_zero)
{
	uint32_t c = (uint32_t)colour & PQ_L2_MASK(vm);
	struct pglist *pl = &vm->pq[(uint32_t)basequeue + c].pq_pl;
	vm_page_t m;

	m = prefer_zero ? TAILQ_LAST(pl, pglist) : TAILQ_FIRST(pl);
	if (m == NULL)
		m = vm_pageq_find_near(vm, basequeue, c);
	return (m);
}

/* ------------------------------------------------------------ domains */

static vm_page_t
vm_pageq_find_near_domain(const struct vm *vm, const struct vm_domain *vmd,
    uint32_t colour)
{
	uint32_t distance;
	vm_page_t m;

	for (distance = vm->pq_l2_size / 2; distance > 0; distance--) {
		m = TAILQ_FIRST(&vmd->vmd_freeq[(colour + distance) &
		    PQ_L2_MASK(vm)]);
		if (m != NULL)
			return (m);
		m = TAILQ_FIRST(&vmd->vmd_freeq[(colour - distance) &
		    PQ_L2_MASK(vm)]);
		if (m != NULL)
			return (m);
	}
	return (NULL);
}

/* vm_pageq_find over one domain's part of the FREE queues. */
vm_page_t
vm_pageq_find_domain(struct vm *vm, uint32_t domain, vm_pindex_t colour,
    bool prefer_zero)
{
	const struct vm_domain *vmd = &vm->dom[domain];
	uint32_t c = (uint32_t)colour & PQ_L2_MASK(vm);
	vm_page_t m;

	if (vmd->vmd_free_count == 0)
		return (NULL);
	m = prefer_zero ? TAILQ_LAST(&vmd->vmd_freeq[c], pglist) :
			  TAILQ_FIRST(&vmd->vmd_freeq[c]);
	return (m != NULL ? m : vm_pageq_find_near_domain(vm, vmd, c));
}
