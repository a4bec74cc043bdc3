/*
 * vm_access.c: small questions that the machine above asks of vmcore.
 *
 * Interface: vmcore.h: vm_cost_syscall, vm_vnode_place, and the sums over a
 * map's entries that Linux's limits are made of. Source: Linux 6.1,
 * is_data_mapping() and the locked_vm count, as setrlimit(2) tells them.
 */
#include "vmcore/bsd/swap_pager.h"
#include "vmcore/bsd/vnode_pager.h"

uint32_t
vm_cost_syscall(const struct vm *vm)
{
	return (vm->cost.syscall);
}

/* Transfers that are queued already go where the file was. */
void
vm_vnode_place(struct vnode *vp, uint64_t first_sector)
{
	vp->first_sector = first_sector;
}

/* The first entry that ends above addr; the header when there is none. */
static vm_map_entry_t
entry_above(struct vmspace *vs, vm_offset_t addr)
{
	vm_map_entry_t e;

	return (vm_map_lookup_entry(&vs->vm_map, addr, &e) ? e : e->next);
}

int
vm_map_prot_in(struct vmspace *vs, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t e;
	int prot = 0;

	for (e = entry_above(vs, start);
	    e != &vs->vm_map.header && e->start < end; e = e->next)
		prot |= e->protection;
	return (prot);
}

uint64_t
vm_map_locked(struct vmspace *vs, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t e;
	uint64_t bytes = 0;

	for (e = entry_above(vs, start);
	    e != &vs->vm_map.header && e->start < end; e = e->next) {
		if ((e->eflags & MAP_ENTRY_USER_WIRED) == 0)
			continue;
		bytes += (e->end < end ? e->end : end) -
		    (e->start > start ? e->start : start);
	}
	return (bytes);
}

uint64_t
vm_map_data_size(const struct vmspace *vs)
{
	const struct vm_map_entry *e;
	uint64_t bytes = 0;

	for (e = vs->vm_map.header.next; e != &vs->vm_map.header; e = e->next) {
		if (e->inheritance != VM_INHERIT_SHARE &&
		    (e->eflags & MAP_ENTRY_GROWS_DOWN) == 0 &&
		    (e->protection & VM_PROT_WRITE) != 0)
			bytes += e->end - e->start;
	}
	return (bytes);
}

uint64_t
vm_swap_total(const struct vm *vm)
{
	return (swap_pager_total(vm));
}

uint64_t
vm_swap_free(const struct vm *vm)
{
	return (vm->swap_pager_avail);
}
