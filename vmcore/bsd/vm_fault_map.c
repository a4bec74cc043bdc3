/*
 * vm_fault_map.c: mappings besides the one a fault asked for: ahead of use
 * around it, wired ones, and copies of wired memory at fork.
 *
 * Interface: vmcore/bsd/vm_fault.h, vmcore/vm_map.h (vm_fault_unwire,
 *            vm_fault_copy_entry).
 * Source:    FreeBSD 11 vm_fault.c of the end of 2015 (vm_fault_prefault,
 *            vm_fault_unwire, vm_fault_copy_entry) as told by companions 6.5
 *            and 7.5; a CACHE page met is deactivated as FreeBSD 5 does.
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_fault.h"

/* ------------------------------------------------------------ prefault */

/* A slot can be filled cheaply: its page-table page exists and it is empty. */
static bool
pmap_is_prefaultable(struct pmap *pmap, vm_offset_t va)
{
	const pte_t *pte = pmap_pte(pmap, va);

	return (pte != NULL && (*pte & PTE_V) == 0);
}

/* The page for an index, if all objects above it are DEFAULT ones. */
static vm_page_t
vm_fault_prefault_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	while ((m = vm_page_lookup(object, pindex)) == NULL &&
	    object->type == OBJT_DEFAULT && object->backing_object != NULL) {
		pindex += OFF_TO_IDX(object->backing_object_offset);
		object = object->backing_object;
	}
	return (m);
}

/*
 * vm_fault_prefault: enter resident neighbours, nearest first on alternating
 * sides, read-only and unreferenced. The first that is not resident ends it.
 */
void
vm_fault_prefault(struct faultstate *fs, int backward, int forward)
{
	const struct vm_map_entry *entry = fs->entry;
	struct vm *vm = fs->vm;
	struct pmap *pmap = fs->map->pmap;
	struct proc *p = vm_curproc(vm);
	int max = backward > forward ? backward : forward, i;
	vm_offset_t low, high, va, step;
	vm_page_t m;

	if (p != NULL && p->p_vmspace != fs->vs)
		return;
	low = fs->va - ((vm_offset_t)backward << PAGE_SHIFT);
	if (low > fs->va)
		low = 0;
	if (low < entry->start)
		low = entry->start;
	high = fs->va + ((vm_offset_t)forward << PAGE_SHIFT);
	for (i = 0; i < 2 * max; i++) {
		step = (vm_offset_t)(i / 2 + 1) << PAGE_SHIFT;
		va = i % 2 == 0 ? fs->va - step : fs->va + step;
		if (va > high || va < low || va >= entry->end ||
		    !pmap_is_prefaultable(pmap, va))
			continue;
		m = vm_fault_prefault_page(entry->object,
		    OFF_TO_IDX(va - entry->start + entry->offset));
		if (m == NULL)
			break;
		if (m->valid == VM_PAGE_BITS_ALL &&
		    (m->flags & PG_FICTITIOUS) == 0)
			vm_pmap_enter_quick(vm, pmap, va, m,
			    entry->protection);
	}
}

/* ------------------------------------------------------------ wiring */

void
vm_fault_unwire(struct vm *vm, vm_map_t map, vm_offset_t start,
    vm_offset_t end)
{
	vm_offset_t va;
	vm_page_t m;
	pte_t *pte;

	for (va = start; va < end; va += PAGE_SIZE) {
		pte = pmap_pte(map->pmap, va);
		if (pte == NULL || (*pte & (PTE_V | PTE_WIRED)) !=
		    (PTE_V | PTE_WIRED))
			continue;
		m = vm_phys_to_page(vm, PTE_FRAME(*pte));
		pmap_change_wiring(map->pmap, va, false);
		vm_page_unwire(vm, m, true);
	}
}

/* ------------------------------------------------------------ fork */

/* The resident page behind an index of a wired entry; NULL past the end of a
 * file that has shrunk. */
static vm_page_t
vm_fault_copy_source(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	for (; object != NULL; object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL && m->valid == VM_PAGE_BITS_ALL)
			return (m);
		pindex += OFF_TO_IDX(object->backing_object_offset);
	}
	return (NULL);
}

/* Copy one page and map it in the child. */
static void
vm_fault_copy_page(struct vm *vm, vm_map_t dst_map, vm_map_entry_t dst,
    vm_map_entry_t src, vm_pindex_t i)
{
	int prot = vm_map_effective_prot(dst->protection);
	vm_page_t from, to;

	while ((to = vm_page_alloc(vm, dst->object, i, VM_ALLOC_NORMAL)) ==
	    NULL)
		vm_wait(vm);
	from = vm_fault_copy_source(src->object, OFF_TO_IDX(src->offset) + i);
	if (from == NULL) {
		vm_page_free(vm, to);
		return;
	}
	vm_page_copy(vm, from, to);
	vm_page_dirty(vm, to);
	vm_page_flag_clear(to, PG_ZERO);
	pmap_enter(dst_map->pmap, dst->start + (i << PAGE_SHIFT), to->pfn,
	    prot, (prot & VM_PROT_WRITE) != 0 ? PMAP_ENTER_WRITE_FAULT : 0);
	vm_spend(vm, vm->cost.pmap_enter);
	vm_page_activate(vm, to);
	vm_page_wakeup(vm, to);
}

/*
 * vm_fault_copy_entry: the child gets pages of its own of a wired entry, not
 * wired, with the file behind them if there is one. Sleeps for memory; the
 * parent's pages cannot go away.
 */
void
vm_fault_copy_entry(struct vm *vm, vm_map_t dst_map, vm_map_t src_map,
    vm_map_entry_t dst, vm_map_entry_t src)
{
	vm_pindex_t count = OFF_TO_IDX(dst->end - dst->start), i;
	uint32_t why = vm_why(vm, WHY_FAULT_DONE);
	vm_object_t file;
	uint64_t offset;

	(void)src_map;
	file = vm_map_entry_file(src, &offset);
	dst->object = vm_object_allocate(vm, OBJT_DEFAULT, count);
	dst->offset = 0;
	if (file != NULL)
		vm_object_set_backing(vm, dst->object, file, offset);
	dst->eflags &= (uint32_t)~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	for (i = 0; i < count; i++)
		vm_fault_copy_page(vm, dst_map, dst, src, i);
	vm_why(vm, why);
}
