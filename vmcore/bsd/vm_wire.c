/*
 * vm_wire.c: wired user memory: mlock, munlock, and the kernel's own wirings.
 *
 * Interface: vmcore/vmcore.h (vm_mlock, vm_munlock), vmcore/vm_map.h
 *            (vm_map_wire, vm_map_unwire).
 * Source:    FreeBSD 11 vm_map.c of the end of 2015 (vm_map_wire,
 *            vm_map_unwire); the system's limit: vm.max_wired.
 * Differs:   errors are Linux's; mlock's wirings do not nest, as mlock(2)
 *            says. The kernel's do, and count besides.
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

/* Is the entry wired by mlock, or (user false) by the kernel? */
static bool
vm_wire_has(const struct vm_map_entry *e, bool user)
{
	bool by_user = (e->eflags & MAP_ENTRY_USER_WIRED) != 0;

	return (user ? by_user : e->wired_count > (by_user ? 1 : 0));
}

/* One wiring more; mlock's does not nest. */
static void
vm_wire_mark(struct vm *vm, vm_map_t map, vm_offset_t addr, vm_offset_t end,
    bool user)
{
	vm_map_entry_t e;

	for (; addr < end; addr = e->end) {
		(void)vm_map_lookup_entry(map, addr, &e);
		if (user && vm_wire_has(e, true))
			continue;
		vm_map_clip_start(vm, map, e, addr);
		vm_map_clip_end(vm, map, e, end);
		e->wired_count++;
		if (user)
			e->eflags |= MAP_ENTRY_USER_WIRED;
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

/* Take a wiring of [addr, end) back. The map is locked. */
static int
vm_unwire_locked(struct vm *vm, vm_map_t map, vm_offset_t addr,
    vm_offset_t end, bool user)
{
	vm_map_entry_t e;
	vm_offset_t stop;

	for (; addr < end; addr = stop) {
		if (!vm_map_lookup_entry(map, addr, &e))
			return (ENOMEM);
		if (!vm_wire_has(e, user)) {
			stop = e->end;
			continue;
		}
		vm_map_clip_start(vm, map, e, addr);
		vm_map_clip_end(vm, map, e, end);
		stop = e->end;
		if (e->wired_count == 1)
			vm_fault_unwire(vm, map, e->start, e->end);
		e->wired_count--;
		if (user)
			e->eflags &= (uint32_t)~MAP_ENTRY_USER_WIRED;
		vm_map_simplify_entry(vm, map, e);
	}
	return (0);
}

/*
 * Wire [addr, end), which has no holes; the map is locked and comes back
 * unlocked. It is shared while pages are read.
 */
static int
vm_wire_locked(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    vm_offset_t end, bool user)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t va;
	int error = 0;

	vm_wire_mark(vm, map, addr, end, user);
	vm_map_lock_downgrade(vm, map);
	for (va = addr; va < end && error == 0; va += PAGE_SIZE)
		if (!vm_wire_done(map, va) &&
		    vm_fault_wire(vm, vs, va) != KERN_SUCCESS)
			error = ENOMEM;
	vm_map_unlock_read(vm, map);
	if (error != 0)
		(void)vm_map_unwire(vm, vs, addr, end, user);
	return (error);
}

int
vm_map_wire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	uint64_t pages;

	vm_map_lock(vm, &vs->vm_map);
	if (vm_wire_count(&vs->vm_map, start, end, &pages) != 0) {
		vm_map_unlock(vm, &vs->vm_map);
		return (ENOMEM);
	}
	return (vm_wire_locked(vm, vs, start, end, user));
}

int
vm_map_unwire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	int error;

	vm_map_lock(vm, &vs->vm_map);
	error = vm_unwire_locked(vm, &vs->vm_map, start, end, user);
	vm_map_unlock(vm, &vs->vm_map);
	return (error);
}

/*
 * vm_mlock: fault in and wire [addr, addr + length).
 * Errors: EINVAL, ENOMEM (a hole, the limit, a page that cannot be had).
 */
int
vm_mlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr, uint64_t length)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t end;
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
	return (vm_wire_locked(vm, vs, addr, end, true));
}

int
vm_munlock(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length)
{
	vm_offset_t end;

	if (!vm_wire_range(addr, length, &end))
		return (EINVAL);
	return (vm_map_unwire(vm, vs, addr, end, true));
}
