/*
 * vm_page_state.c: a page's flags, its busy states and who waits for them,
 * holds, and copying.
 *
 * Interface: vmcore/vm_page.h.
 * Source:    FreeBSD 5.0 vm_page.c (vm_page_flag_set to vm_page_dirty).
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_page_int.h"

void
vm_page_flag_set(vm_page_t m, uint16_t bits)
{
	m->flags |= bits;
}

void
vm_page_flag_clear(vm_page_t m, uint16_t bits)
{
	m->flags &= (uint16_t)~bits;
}

/* Make the running thread the page's one owner. */
void
vm_page_busy(struct vm *vm, vm_page_t m)
{
	VM_KASSERT(vm, (m->flags & PG_BUSY) == 0,
	    ("BUSY_ALREADY: page %u is already busy", m->pfn));
	vm_page_flag_set(m, PG_BUSY);
}

/* Wake whoever waits for the page. */
void
vm_page_flash(struct vm *vm, vm_page_t m)
{
	if ((m->flags & PG_WANTED) != 0) {
		vm_page_flag_clear(m, PG_WANTED);
		sim_wakeup(vm->sim, m);
	}
}

/* Give the ownership up. */
void
vm_page_wakeup(struct vm *vm, vm_page_t m)
{
	VM_KASSERT(vm, (m->flags & PG_BUSY) != 0,
	    ("WAKEUP_NOT_BUSY: page %u is not busy", m->pfn));
	vm_page_flag_clear(m, PG_BUSY);
	vm_page_flash(vm, m);
}

/* One more (less) transfer shares the page. */
void
vm_page_io_start(struct vm *vm, vm_page_t m)
{
	(void)vm;
	m->busy++;
}

void
vm_page_io_finish(struct vm *vm, vm_page_t m)
{
	m->busy--;
	if (m->busy == 0)
		vm_page_flash(vm, m);
}

/* Keep the page from being reused, for a moment: cheaper than wiring. */
void
vm_page_hold(vm_page_t m)
{
	m->hold_count++;
}

/* The last one frees a page that was freed while held. */
void
vm_page_unhold(struct vm *vm, vm_page_t m)
{
	m->hold_count--;
	VM_KASSERT(vm, m->hold_count >= 0,
	    ("UNHOLD_UNDERFLOW: hold count of page %u below 0", m->pfn));
	if (m->hold_count == 0 && m->queue == PQ_HOLD(vm))
		vm_page_free_toq(vm, m, WHY_UNHOLD);
}

void
vm_page_copy(struct vm *vm, vm_page_t src, vm_page_t dst)
{
	vm->pmap->copy_page(vm, src, dst);
	dst->valid = VM_PAGE_BITS_ALL;
}

/*
 * vm_page_sleep_busy: if the page is exclusively busy, or also_m_busy and
 * there is I/O on it, sleep once until its owner lets go.
 * Returns whether it slept; then everything must be looked at again.
 */
bool
vm_page_sleep_busy(struct vm *vm, vm_page_t m, bool also_m_busy,
    const char *msg)
{
	if ((m->flags & PG_BUSY) == 0 && (!also_m_busy || m->busy == 0))
		return (false);
	vm_page_flag_set(m, PG_WANTED | PG_REFERENCED);
	(void)sim_sleep(vm->sim, m, PVM, msg, SIM_NO_TIMEOUT);
	return (true);
}

/* The same; in the seed it also drops the page queues' lock (inert, R12). */
bool
vm_page_sleep_if_busy(struct vm *vm, vm_page_t m, bool also_m_busy,
    const char *msg)
{
	return (vm_page_sleep_busy(vm, m, also_m_busy, msg));
}

/* The whole page is dirty. A dirty page must not be on CACHE. */
void
vm_page_dirty(struct vm *vm, vm_page_t m)
{
	VM_KASSERT(vm, !vm_page_on_cache(vm, m),
	    ("DIRTY_IN_CACHE: page %u is on the cache queue", m->pfn));
	m->dirty = VM_PAGE_BITS_ALL;
}

void
vm_page_undirty(vm_page_t m)
{
	m->dirty = 0;
}
