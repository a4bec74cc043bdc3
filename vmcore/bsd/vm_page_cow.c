/*
 * vm_page_cow.c: pages lent to the network for zero-copy sending, copied when
 * their owner writes to them meanwhile.
 *
 * Interface: vmcore/vm_page.h.
 * Source:    FreeBSD 5.0 vm_page.c (vm_page_cowfault, _cowclear, _cowsetup).
 *            No caller in the simulator (companions 19).
 * Differs:   nothing. After waiting for memory the page is no longer busy, so
 *            that the next try panics unless somebody busied it: as there.
 */
#include "vmcore/bsd/vm_page_int.h"

/*
 * vm_page_cowfault: a write to lent page m: put a copy in its place. The
 * network keeps m, without an object, and frees it.
 */
void
vm_page_cowfault(struct vm *vm, vm_page_t m)
{
	vm_object_t object = m->object;
	vm_pindex_t pindex = m->pindex;
	vm_page_t copy;

	vm_page_busy(vm, m);
	for (;;) {
		vm_page_remove(vm, m);
		/* An interrupt's request: the queues are locked. */
		copy = vm_page_alloc(vm, object, pindex, VM_ALLOC_INTERRUPT);
		if (copy != NULL)
			break;
		vm_page_insert(vm, m, object, pindex);
		vm_wait(vm);
	}
	if (m->cow == 0) {
		/* Sent while we waited: everything as it was. */
		vm_page_busy(vm, copy);
		vm_page_free(vm, copy);
		vm_page_insert(vm, m, object, pindex);
		return;
	}
	if (vm->so_zerocp_fullpage != 0)
		copy->valid = VM_PAGE_BITS_ALL;
	else
		vm_page_copy(vm, m, copy);
	vm_page_dirty(vm, copy);
	vm_page_flag_clear(copy, PG_BUSY);
}

/* One transmission done. Write permission comes back at the next fault. */
void
vm_page_cowclear(vm_page_t m)
{
	if (m->cow != 0)
		m->cow--;
}

/* Lend the page once more: writing to it must fault. */
void
vm_page_cowsetup(struct vm *vm, vm_page_t m)
{
	m->cow++;
	vm->pmap->page_protect(vm, m, VM_PROT_READ);
}
