/*
 * vm_map_lookup.c: what an address means: its entry, object and rights; with
 * it the growth of stacks and the entering of mappings ahead of use.
 *
 * Interface: vmcore/vm_map.h.
 * Source:    FreeBSD 11 vm_map.c of the end of 2015 (vm_map_lookup,
 *            vm_map_growstack, vm_map_pmap_enter) as told by companions 7.4
 *            and 6.5.
 * Differs:   write and execute rights imply read (x86). The map's shared lock
 *            is enough to make objects: nothing else runs meanwhile.
 */
#include "vmcore/vm_int.h"

#define MAX_INIT_PT 96 /* pages ahead that a partial prefault looks at */

/* ------------------------------------------------------------ lookup */

/* An object for memory touched for the first time. */
static void
vm_map_entry_object(struct vm *vm, vm_map_entry_t entry)
{
	entry->object = vm_object_allocate(vm, OBJT_DEFAULT,
	    OFF_TO_IDX(entry->end - entry->start));
	entry->offset = 0;
	entry->next_read = 0;
}

/* The entry's object is to be copied before it is written to. */
static void
vm_map_entry_shadow(struct vm *vm, vm_map_entry_t entry)
{
	vm_object_shadow(vm, &entry->object, &entry->offset,
	    OFF_TO_IDX(entry->end - entry->start));
	entry->eflags &= (uint32_t)~MAP_ENTRY_NEEDS_COPY;
}

/*
 * vm_map_lookup: entry, object, index and rights for an access to va. Makes
 * the shadow object for a write to memory that is to be copied, and the
 * object of memory not used before; takes write permission away from a read
 * of memory that is to be copied. A wired entry is prepared for all accesses.
 * Errors: KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE.
 */
int
vm_map_lookup(struct vm *vm, vm_map_t map, vm_offset_t va, int access,
    struct vm_map_lookup *l)
{
	vm_map_entry_t entry;
	int prot;

	if (!vm_map_lookup_entry(map, va, &entry))
		return (KERN_INVALID_ADDRESS);
	prot = vm_map_effective_prot(entry->protection);
	if (prot == VM_PROT_NONE || (access & prot) != access)
		return (KERN_PROTECTION_FAILURE);
	l->wired = entry->wired_count != 0;
	if (l->wired)
		access = prot;
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0) {
		if ((access & VM_PROT_WRITE) != 0) {
			vm_map_entry_shadow(vm, entry);
			map->timestamp++; /* faults under way must notice */
		} else
			prot &= ~VM_PROT_WRITE;
	}
	if (entry->object == NULL) {
		vm_map_entry_object(vm, entry);
		map->timestamp++;
	}
	l->entry = entry;
	l->object = entry->object;
	l->pindex = OFF_TO_IDX(va - entry->start + entry->offset);
	l->prot = prot;
	return (KERN_SUCCESS);
}

vm_object_t
vm_map_entry_file(const struct vm_map_entry *entry, uint64_t *offset)
{
	vm_object_t object = entry->object;

	*offset = entry->offset;
	while (object != NULL && object->type != OBJT_VNODE) {
		*offset += object->backing_object_offset;
		object = object->backing_object;
	}
	return (object);
}

/* ------------------------------------------------------------ stacks */

/*
 * vm_map_growstack: extend the stack that va is in reach of. It grows by
 * VM_STACK_SGROWSIZ at a time, within its reservation, and stops short of
 * what lies below it by the guard gap. The new part is an entry of its own.
 */
bool
vm_map_growstack(struct vm *vm, vm_map_t map, vm_offset_t va)
{
	struct vm_map_new n = { 0 };
	vm_map_entry_t stack, entry;
	vm_offset_t low;
	uint64_t grow;

	if (vm_map_lookup_entry(map, va, &stack))
		return (true); /* another thread did it meanwhile */
	stack = stack->next;
	if (stack == &map->header ||
	    (stack->eflags & MAP_ENTRY_GROWS_DOWN) == 0 ||
	    stack->start - va > stack->avail_ssize)
		return (false);
	grow = (stack->start - va + VM_STACK_SGROWSIZ - 1) /
	    VM_STACK_SGROWSIZ * VM_STACK_SGROWSIZ;
	if (grow > stack->avail_ssize)
		grow = stack->avail_ssize;
	low = stack->prev == &map->header ? map->min_offset :
					    stack->prev->end + VM_STACK_GUARD;
	if (stack->start - grow < low) {
		grow = (stack->start - (va & ~(vm_offset_t)PAGE_MASK));
		if (stack->start - grow < low)
			return (false);
	}
	n.start = stack->start - grow;
	n.end = stack->start;
	n.prot = stack->protection;
	n.max_prot = stack->max_protection;
	n.inheritance = stack->inheritance;
	n.eflags = stack->eflags;
	if (vm_map_insert(vm, map, &n, &entry) != KERN_SUCCESS)
		return (false);
	entry->avail_ssize = stack->avail_ssize - grow;
	stack->avail_ssize = 0;
	stack->eflags &= (uint32_t)~MAP_ENTRY_GROWS_DOWN;
	return (true);
}

/* ------------------------------------------------------------ mappings */

void
vm_pmap_remove(struct vm *vm, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end)
{
	uint64_t before = pmap_resident_count(pmap);

	if (before == 0)
		return;
	pmap_remove(pmap, start, end);
	sim_spend(vm->sim, (before - pmap_resident_count(pmap)) *
	    vm->cost.pmap_remove);
}

void
vm_pmap_protect(struct vm *vm, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end, int prot)
{
	if (prot == VM_PROT_NONE) {
		vm_pmap_remove(vm, pmap, start, end);
		return;
	}
	pmap_protect(pmap, start, end, prot);
	vm_spend(vm, vm->cost.pmap_remove);
}

/* A cached page comes back to INACTIVE first, as FreeBSD 5 does (6.5). */
void
vm_pmap_enter_quick(struct vm *vm, struct pmap *pmap, vm_offset_t va,
    vm_page_t m, int prot)
{
	uint32_t why;

	if (vm_queue_of(vm, m, m->queue) == VMQ_CACHE) {
		why = vm_why(vm, WHY_PREFAULT);
		vm_page_deactivate(vm, m);
		vm_why(vm, why);
	}
	if (pmap_enter_quick(pmap, va, m->pfn,
	    vm_map_effective_prot(prot) & ~VM_PROT_WRITE)) {
		m->flags &= (uint16_t)~PG_ZERO;
		vm_spend(vm, vm->cost.pmap_enter);
	}
}

/*
 * vm_map_pmap_enter: enter the valid resident pages of [pindex, + size) of an
 * object mapped at addr. PARTIAL stops after 96 indices; MADVISE when few
 * free pages are left.
 */
void
vm_map_pmap_enter(struct vm *vm, vm_map_t map, vm_offset_t addr, int prot,
    vm_object_t object, vm_pindex_t pindex, uint64_t size,
    enum vm_prefault kind)
{
	vm_pindex_t count = OFF_TO_IDX(size), i;
	vm_page_t m;

	if (object == NULL || vm_map_effective_prot(prot) == VM_PROT_NONE)
		return;
	if (pindex >= object->size)
		return;
	if (count > object->size - pindex)
		count = object->size - pindex;
	vm_object_gate(vm, object);
	for (m = vm_object_page_from(object, pindex);
	    m != NULL && (i = m->pindex - pindex) < count;
	    m = TAILQ_NEXT(m, listq)) {
		if (kind == PREFAULT_MADVISE &&
		    vm->cnt.v_free_count < vm->cnt.v_free_reserved)
			break;
		if (kind == PREFAULT_PARTIAL && i >= MAX_INIT_PT)
			break;
		if (m->valid == VM_PAGE_BITS_ALL &&
		    (m->flags & PG_FICTITIOUS) == 0)
			vm_pmap_enter_quick(vm, map->pmap,
			    addr + (i << PAGE_SHIFT), m, prot);
	}
}
