/*
 * vm_wire.c: mlock and munlock.
 *
 * Interface: vmcore/vmcore.h (vm_mlock, vm_munlock).
 * Source:    FreeBSD 11 vm_map.c of the end of 2015 (vm_map_wire,
 *            vm_map_unwire); the system's limit: vm.max_wired.
 * Differs:   errors are Linux's; wirings do not nest, as mlock(2) says.
 */
#include <errno.h>

#include "vmcore/bsd/vm_pageout.h"

static bool
vm_wire_range(vm_offset_t addr, uint64_t length, vm_offset_t *end)
{
	*end = addr + ((length + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
	return ((addr & PAGE_MASK) == 0 && *end >= addr);
}

/* Pages of [addr, end) not wired yet; a hole or no rights: ENOMEM. */
static int
vm_wire_count(vm_map_t map, vm_offset_t addr, vm_offset_t end, uint64_t *pages)
{
	vm_map_entry_t e;
	vm_offset_t stop;

	*pages = 0;
	for (; addr < end; addr = stop) {
		if (!vm_map_lookup_entry(map, addr, &e) ||
		    e->protection == VM_PROT_NONE)
			return (ENOMEM);
		stop = e->end < end ? e->end : end;
		if (e->wired_count == 0)
			*pages += OFF_TO_IDX(stop - addr);
	}
	return (0);
}

static void
vm_wire_mark(struct vm *vm, vm_map_t map, vm_offset_t addr, vm_offset_t end)
{
	vm_map_entry_t e;

	while (addr < end) {
		(void)vm_map_lookup_entry(map, addr, &e);
		if (e->wired_count != 0) {
			addr = e->end;
			continue;
		}
		vm_map_clip_start(vm, map, e, addr);
		vm_map_clip_end(vm, map, e, end);
		e->wired_count = 1;
		e->eflags |= MAP_ENTRY_USER_WIRED;
		addr = e->end;
	}
}

/* The mapping of va is wired already. */
static bool
vm_wire_done(vm_map_t map, vm_offset_t va)
{
	const pte_t *pte = pmap_pte(map->pmap, va);

	return (pte != NULL && (*pte & (PTE_V | PTE_WIRED)) ==
	    (PTE_V | PTE_WIRED));
}

/* Take the marks and wirings of [addr, end) off. The map is locked. */
static int
vm_unwire_locked(struct vm *vm, vm_map_t map, vm_offset_t addr,
    vm_offset_t end)
{
	vm_map_entry_t e;

	while (addr < end) {
		if (!vm_map_lookup_entry(map, addr, &e))
			return (ENOMEM);
		if (e->wired_count == 0) {
			addr = e->end;
			continue;
		}
		vm_map_clip_start(vm, map, e, addr);
		vm_map_clip_end(vm, map, e, end);
		vm_fault_unwire(vm, map, e->start, e->end);
		e->wired_count = 0;
		e->eflags &= (uint32_t)~MAP_ENTRY_USER_WIRED;
		addr = e->end;
		vm_map_simplify_entry(vm, map, e);
	}
	return (0);
}

/*
 * vm_mlock: fault in and wire [addr, addr + length). The map stays locked,
 * shared while pages are read.
 * Errors: EINVAL, ENOMEM (a hole, the limit, a page that cannot be had).
 */
int
vm_mlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr, uint64_t length)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t end, va;
	uint64_t pages;
	int error;

	if (!vm_wire_range(addr, length, &end))
		return (EINVAL);
	vm_map_lock(vm, map);
	error = vm_wire_count(map, addr, end, &pages);
	if (error == 0 && pages + vm->cnt.v_wire_count >
	    (uint64_t)vm->pageout->vm_page_max_wired)
		error = ENOMEM;
	if (error != 0) {
		vm_map_unlock(vm, map);
		return (error);
	}
	vm_wire_mark(vm, map, addr, end);
	vm_map_lock_downgrade(vm, map);
	for (va = addr; va < end && error == 0; va += PAGE_SIZE)
		if (!vm_wire_done(map, va) &&
		    vm_fault_wire(vm, vs, va) != KERN_SUCCESS)
			error = ENOMEM;
	vm_map_unlock_read(vm, map);
	if (error != 0)
		(void)vm_munlock(vm, vs, addr, length);
	return (error);
}

int
vm_munlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t end;
	int error;

	if (!vm_wire_range(addr, length, &end))
		return (EINVAL);
	vm_map_lock(vm, map);
	error = vm_unwire_locked(vm, map, addr, end);
	vm_map_unlock(vm, map);
	return (error);
}
