/*
 * vm_contig.c: physically contiguous memory for the kernel itself.
 *
 * Interface: vmcore/vmcore.h (vm_contig_*).
 * Source:    FreeBSD 11 vm_kern.c, kmem_alloc_contig(): a try, then up to
 *            three times vm_pageout_grow_cache(0, 1, 2) and another try; its
 *            vm_page_alloc_contig() for what the request class may take. The
 *            search is FreeBSD 5's (vm_contig.c): frames upward, each FREE or
 *            CACHE, since there is no buddy allocator (companions R23).
 * Differs:   the caller is a kernel thread that the configuration asks for.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vm_page_int.h"
#include "vmcore/bsd/vm_pageout.h"

#define CONTIG_TRIES 3

struct vm_contig_thread { /* one request and the thread that makes it */
	struct vm_contig_thread *next;
	struct vm *vm;
	struct vm_contig_request rq;
	struct vm_contig got;
};

/* ------------------------------------------------------------ the search */

/* Can this frame be had at once? */
static bool
vm_contig_usable(const struct vm *vm, const struct vm_page *m)
{
	if ((m->flags & PG_NOTAVAIL) != 0)
		return (false);
	if (vm_page_on_free(m))
		return (true);
	return (vm_page_on_cache(vm, m) && !vm_page_busied(m) &&
	    m->hold_count == 0 && m->wire_count == 0);
}

/* May the run begin at this frame? Addresses only. */
static bool
vm_contig_fits(const struct vm_contig_request *rq, vm_paddr_t pa)
{
	vm_paddr_t size = (vm_paddr_t)rq->pages << PAGE_SHIFT;

	if (pa < rq->low || (rq->high != 0 && pa + size > rq->high))
		return (false);
	if (rq->align != 0 && (pa & (rq->align - 1)) != 0)
		return (false);
	return (rq->boundary == 0 ||
	    ((pa ^ (pa + size - 1)) & ~(rq->boundary - 1)) == 0);
}

/* The lowest run of usable frames that fits; NULL: none. */
static vm_page_t
vm_contig_find(struct vm *vm, const struct vm_contig_request *rq)
{
	uint32_t start, n;
	vm_page_t m;

	for (start = 0; start + rq->pages <= vm->page_array_size; start++) {
		m = &vm->page_array[start];
		if (!vm_contig_fits(rq, VM_PAGE_TO_PHYS(m)))
			continue;
		for (n = 0; n < rq->pages; n++)
			if (!vm_contig_usable(vm, m + n))
				break;
		if (n == rq->pages)
			return (m);
		start += n; /* no run reaches over that frame */
	}
	return (NULL);
}

/* ------------------------------------------------------------ one try */

/* Of the class SYSTEM, as a driver's: it may dig into the reserve. */
static bool
vm_contig_allowed(struct vm *vm, uint32_t pages)
{
	if (vm_page_avail(vm) >= pages + vm->cnt.v_interrupt_free_min)
		return (true);
	vm->vm_pageout_deficit = (int32_t)((uint32_t)vm->vm_pageout_deficit +
	    pages);
	pagedaemon_wakeup(vm);
	return (false);
}

static void
vm_contig_take(struct vm *vm, vm_page_t first, vm_object_t object,
    uint32_t pages)
{
	vm_page_t m;

	for (uint32_t i = 0; i < pages; i++) {
		m = first + i;
		if (vm_page_on_cache(vm, m))
			vm_page_free_cached(vm, m);
		vm_page_take_free(vm, m, object, i, VM_ALLOC_WIRED);
		vm_spend(vm, vm->cost.page_alloc);
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_flag_clear(m, PG_ZERO);
		vm_page_wakeup(vm, m);
	}
	if (vm_paging_needed(vm))
		pagedaemon_wakeup(vm);
}

static bool
vm_contig_try(struct vm *vm, const struct vm_contig_request *rq,
    struct vm_contig *c)
{
	vm_page_t m;

	if (!vm_contig_allowed(vm, rq->pages))
		return (false);
	m = vm_contig_find(vm, rq);
	if (m == NULL)
		return (false);
	c->object = vm_object_allocate(vm, OBJT_DEFAULT, rq->pages);
	c->first = m->pfn;
	c->pages = rq->pages;
	vm_contig_take(vm, m, c->object, rq->pages);
	return (true);
}

/* ------------------------------------------------------------ the request */

/*
 * vm_contig_alloc: see vmcore.h.
 * Source:  FreeBSD 11 vm_kern.c, kmem_alloc_contig() with M_WAITOK.
 * Effects: the pages are wired, valid, of an object of their own.
 */
bool
vm_contig_alloc(struct vm *vm, const struct vm_contig_request *rq,
    struct vm_contig *c)
{
	vm_paddr_t high = rq->high != 0 ? rq->high : UINT64_MAX;
	uint32_t why = vm_why(vm, WHY_CONTIG);
	bool found;

	*c = (struct vm_contig) { .first = PFN_NONE };
	for (;;) {
		found = vm_contig_try(vm, rq, c);
		if (found)
			break;
		vm_trace_event(vm, VME_CONTIG_MISS, 0, c->tries, rq->number);
		if (c->tries == CONTIG_TRIES)
			break;
		vm_pageout_grow_cache(vm, c->tries, rq->low, high);
		c->tries++;
	}
	vm_why(vm, why);
	return (found);
}

/* kmem_free() of the same: the pages are unwired to no queue and freed. */
void
vm_contig_free(struct vm *vm, struct vm_contig *c)
{
	uint32_t why = vm_why(vm, WHY_CONTIG);
	vm_page_t m;

	for (uint32_t i = 0; i < c->pages; i++) {
		m = vm_phys_to_page(vm, c->first + i);
		KASSERT(vm->sim, m->object == c->object && m->wire_count == 1,
		    ("CONTIG: page %u is not wired by its request", m->pfn));
		m->wire_count = 0;
		vm->cnt.v_wire_count--;
		vm_page_busy(vm, m);
		vm_page_free(vm, m);
	}
	vm_object_deallocate(vm, c->object);
	vm_why(vm, why);
	*c = (struct vm_contig) { .first = PFN_NONE };
}

static void
vm_contig_main(void *arg)
{
	struct vm_contig_thread *ct = arg;
	struct vm *vm = ct->vm;
	sim_time_t now = sim_now(vm->sim);
	bool found;

	if (ct->rq.at > now)
		(void)sim_sleep(vm->sim, ct, PVM, "contig", ct->rq.at - now);
	vm_trace_event(vm, VME_CONTIG, 0, ct->rq.pages, ct->rq.number);
	found = vm_contig_alloc(vm, &ct->rq, &ct->got);
	vm_trace_event(vm, VME_CONTIG_END, 0,
	    found ? (int64_t)ct->got.first : -1, ct->rq.number);
	if (found && ct->rq.hold != 0) {
		(void)sim_sleep(vm->sim, ct, PVM, "contig", ct->rq.hold);
		vm_trace_event(vm, VME_CONTIG_FREE, 0, ct->got.first,
		    ct->rq.number);
		vm_contig_free(vm, &ct->got);
	}
	sim_thread_exit(vm->sim);
}

static int
vm_contig_check(const struct vm *vm, const struct vm_contig_request *rq,
    struct sim_err *err)
{
	if (rq->pages == 0 || rq->pages > vm->page_array_size)
		return (sim_err_set(err, EINVAL, "contiguous memory of %u "
		    "pages: give 1 to %u", rq->pages, vm->page_array_size));
	if ((rq->align & (rq->align - 1)) != 0 ||
	    (rq->boundary & (rq->boundary - 1)) != 0)
		return (sim_err_set(err, EINVAL, "contiguous memory: align "
		    "and boundary must be powers of 2"));
	if (rq->boundary != 0 &&
	    rq->boundary < (vm_paddr_t)rq->pages << PAGE_SHIFT)
		return (sim_err_set(err, EINVAL, "contiguous memory: %u pages "
		    "cannot lie between two boundaries of %llu bytes",
		    rq->pages, (unsigned long long)rq->boundary));
	if (rq->high != 0 && (rq->high < rq->low ||
	    rq->high - rq->low < (vm_paddr_t)rq->pages << PAGE_SHIFT))
		return (sim_err_set(err, EINVAL, "contiguous memory: %u pages "
		    "do not fit between low and high", rq->pages));
	return (0);
}

int
vm_contig_schedule(struct vm *vm, const struct vm_contig_request *rq,
    struct sim_err *err)
{
	struct vm_contig_thread *ct;
	int error;

	error = vm_contig_check(vm, rq, err);
	if (error != 0)
		return (error);
	ct = calloc(1, sizeof(*ct));
	if (ct == NULL || sim_thread_create(vm->sim, "contig", PVM,
	    vm_contig_main, ct) == NULL) {
		free(ct);
		return (sim_err_set(err, ENOMEM,
		    "no host memory for a request"));
	}
	ct->vm = vm;
	ct->rq = *rq;
	ct->rq.number = ++vm->ncontigs;
	ct->got.first = PFN_NONE;
	ct->next = vm->contigs;
	vm->contigs = ct;
	return (0);
}

void
vm_contig_destroy(struct vm *vm)
{
	struct vm_contig_thread *ct;

	while ((ct = vm->contigs) != NULL) {
		vm->contigs = ct->next;
		free(ct);
	}
}
