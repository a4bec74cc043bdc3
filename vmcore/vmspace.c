/*
 * vmspace.c: address spaces: creation, fork, end, and their sizes.
 *
 * Interface: vmcore/vmcore.h (vmspace_*), vmcore/vm_map.h.
 * Source:    FreeBSD 11 vm_map.c of the end of 2015 (vmspace_fork,
 *            vm_map_copy_entry, vmspace_exit, vmspace_swap_count) as told by
 *            companions 7.5 and 7.6.
 * Differs:   no submaps, no accounting of swap space.
 */
#include <stdlib.h>

#include "vmcore/vm_int.h"

/* Kept free above the search area for the stack, as Linux does. */
#define STACK_AREA (128ull << 20)

/* ------------------------------------------------------------ life */

struct vmspace *
vmspace_alloc(struct vm *vm, vm_offset_t min, vm_offset_t max)
{
	struct vmspace *vs = calloc(1, sizeof(*vs));

	if (vs == NULL)
		sim_nomem(vm->sim, "an address space");
	vs->vm = vm;
	vs->vm_refcnt = 1;
	vs->id = ++vm->vmspace_next_id;
	vm_map_init(&vs->vm_map, pmap_create(vm->mmu), min, max);
	vs->mmap_top = max - min > 2 * STACK_AREA ? max - STACK_AREA : max;
	TAILQ_INSERT_TAIL(&vm->vmspaces, vs, link);
	return (vs);
}

void
vmspace_set_mmap_top(struct vmspace *vs, vm_offset_t top)
{
	vs->mmap_top = top & ~(vm_offset_t)PAGE_MASK;
}

void
vmspace_ref(struct vmspace *vs)
{
	vs->vm_refcnt++;
}

static void
vmspace_unwire_all(struct vm *vm, vm_map_t map)
{
	vm_map_entry_t entry;

	for (entry = map->header.next; entry != &map->header;
	    entry = entry->next) {
		if (entry->wired_count == 0)
			continue;
		vm_fault_unwire(vm, map, entry->start, entry->end);
		entry->wired_count = 0;
		entry->eflags &= (uint32_t)~MAP_ENTRY_USER_WIRED;
	}
}

/*
 * vmspace_free: drop a reference. The last one tears all mappings down at
 * once (their referenced bits are lost, as at any exit), then the entries.
 */
void
vmspace_free(struct vm *vm, struct vmspace *vs)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t deferred = NULL;
	uint64_t mapped;

	KASSERT(vm->sim, vs->vm_refcnt > 0, ("address space freed twice"));
	if (--vs->vm_refcnt > 0)
		return;
	vm_map_lock(vm, map);
	vmspace_unwire_all(vm, map);
	mapped = pmap_resident_count(map->pmap);
	pmap_remove_pages(map->pmap);
	sim_spend(vm->sim, mapped * vm->cost.pmap_remove);
	vm_map_delete(vm, map, map->min_offset, map->max_offset, &deferred);
	vm_map_unlock(vm, map);
	vm_map_dispose(vm, deferred);
	pmap_destroy(map->pmap);
	TAILQ_REMOVE(&vm->vmspaces, vs, link);
	free(vs);
}

void
vmspace_shutdown(struct vm *vm)
{
	struct vmspace *vs;
	vm_map_entry_t e;

	while ((vs = TAILQ_FIRST(&vm->vmspaces)) != NULL) {
		while ((e = vs->vm_map.header.next) != &vs->vm_map.header) {
			vs->vm_map.header.next = e->next;
			free(e);
		}
		TAILQ_REMOVE(&vm->vmspaces, vs, link);
		free(vs);
	}
}

uint32_t
vmspace_ref_count(const struct vmspace *vs)
{
	return ((uint32_t)vs->vm_refcnt);
}

uint32_t
vmspace_id(const struct vmspace *vs)
{
	return (vs->id);
}

struct pmap *
vmspace_pmap(const struct vmspace *vs)
{
	return (vs->vm_map.pmap);
}

uint64_t
vmspace_resident_count(const struct vmspace *vs)
{
	return (pmap_resident_count(vs->vm_map.pmap));
}

/*
 * vmspace_swap_count: an estimate, in pages, of the swap space that the
 * entries use: metadata blocks are taken as full and spread evenly.
 */
uint64_t
vmspace_swap_count(struct vm *vm, struct vmspace *vs)
{
	const struct vm_map_entry *e;
	uint64_t count = 0;

	(void)vm;
	for (e = vs->vm_map.header.next; e != &vs->vm_map.header; e = e->next)
		if (e->object != NULL && e->object->type == OBJT_SWAP &&
		    e->object->swp_bcount != 0)
			count += (uint64_t)e->object->swp_bcount * 32 *
			    OFF_TO_IDX(e->end - e->start) / e->object->size + 1;
	return (count);
}

/* ------------------------------------------------------------ fork */

static void
vmspace_copy_mappings(struct vm *vm, vm_map_t dst, vm_map_t src,
    const struct vm_map_entry *entry)
{
	uint64_t before = pmap_resident_count(dst->pmap);

	pmap_copy(dst->pmap, src->pmap, entry->start,
	    entry->end - entry->start, entry->start);
	sim_spend(vm->sim, (pmap_resident_count(dst->pmap) - before) *
	    vm->cost.pmap_enter);
}

static vm_map_entry_t
vmspace_clone_entry(struct vm *vm, vm_map_t dst, const struct vm_map_entry *old)
{
	vm_map_entry_t entry = vm_map_entry_create(vm);

	*entry = *old;
	entry->eflags &= (uint32_t)~MAP_ENTRY_USER_WIRED;
	entry->wired_count = 0;
	entry->left = entry->right = NULL;
	entry->object = NULL;
	return (entry);
}

/* VM_INHERIT_SHARE: both processes use the same object from now on. */
static void
vmspace_fork_share(struct vm *vm, vm_map_t dst, vm_map_t src,
    vm_map_entry_t old)
{
	vm_pindex_t pages = OFF_TO_IDX(old->end - old->start);
	vm_object_t before;
	vm_map_entry_t entry;

	if (old->object == NULL) {
		old->object = vm_object_allocate(vm, OBJT_DEFAULT, pages);
		old->offset = 0;
	}
	/* The second reference makes sure that a shadow is made if needed. */
	before = old->object;
	vm_object_reference(vm, before);
	if ((old->eflags & MAP_ENTRY_NEEDS_COPY) != 0) {
		vm_object_shadow(vm, &old->object, &old->offset, pages);
		old->eflags &= (uint32_t)~MAP_ENTRY_NEEDS_COPY;
		vm_object_reference(vm, old->object);
		vm_object_deallocate(vm, before);
	}
	old->object->flags &= (uint16_t)~OBJ_ONEMAPPING;
	entry = vmspace_clone_entry(vm, dst, old);
	entry->object = old->object;
	vm_map_entry_link(vm, dst, dst->header.prev, entry);
	vmspace_copy_mappings(vm, dst, src, entry);
}

/* The object both will copy from; the parent's own part of it only. */
static void
vmspace_copy_object(struct vm *vm, vm_map_entry_t old, vm_map_entry_t entry)
{
	vm_object_t object = old->object;

	if (vm_object_is_anonymous(object)) {
		vm_object_collapse(vm, object);
		if ((object->flags & (OBJ_NOSPLIT | OBJ_ONEMAPPING)) ==
		    OBJ_ONEMAPPING) {
			vm_object_split(vm, &old->object, &old->offset,
			    OFF_TO_IDX(old->end - old->start));
			object = old->object;
		}
	}
	vm_object_reference(vm, object);
	object->flags &= (uint16_t)~OBJ_ONEMAPPING;
	entry->object = object;
	entry->offset = old->offset;
	old->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
}

/*
 * VM_INHERIT_COPY: from now on whoever writes first copies. Wired writable
 * memory is copied at once.
 */
static void
vmspace_fork_copy(struct vm *vm, vm_map_t dst, vm_map_t src,
    vm_map_entry_t old)
{
	vm_map_entry_t entry = vmspace_clone_entry(vm, dst, old);

	vm_map_entry_link(vm, dst, dst->header.prev, entry);
	if (old->wired_count != 0 && (old->protection & VM_PROT_WRITE) != 0) {
		vm_fault_copy_entry(vm, dst, src, entry, old);
		return;
	}
	if ((old->eflags & MAP_ENTRY_NEEDS_COPY) == 0 &&
	    (old->protection & VM_PROT_WRITE) != 0 && old->object != NULL)
		vm_pmap_protect(vm, src->pmap, old->start, old->end,
		    vm_map_effective_prot(old->protection) & ~VM_PROT_WRITE);
	if (old->object == NULL) {
		entry->offset = 0;
		return;
	}
	vmspace_copy_object(vm, old, entry);
	vmspace_copy_mappings(vm, dst, src, entry);
}

/* MAP_ENTRY_WIPEONFORK: the same place, with nothing in it. */
static void
vmspace_fork_zero(struct vm *vm, vm_map_t dst, const struct vm_map_entry *old)
{
	vm_map_entry_t entry = vmspace_clone_entry(vm, dst, old);

	entry->eflags &= (uint32_t)~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	entry->offset = 0;
	vm_map_entry_link(vm, dst, dst->header.prev, entry);
}

static void
vmspace_fork_entry(struct vm *vm, vm_map_t dst, vm_map_t src,
    vm_map_entry_t old)
{
	if ((old->eflags & MAP_ENTRY_WIPEONFORK) != 0)
		vmspace_fork_zero(vm, dst, old);
	else if (old->inheritance == VM_INHERIT_SHARE)
		vmspace_fork_share(vm, dst, src, old);
	else
		vmspace_fork_copy(vm, dst, src, old);
	dst->size += old->end - old->start;
}

/*
 * vmspace_fork: a copy of an address space, by inheritance of each entry.
 * The parent's map stays locked meanwhile.
 * Source: FreeBSD 11 vm_map.c, vmspace_fork(); the advice of
 *         MAP_ENTRY_FORK_MASK is Linux's.
 */
struct vmspace *
vmspace_fork(struct vm *vm, struct vmspace *vs)
{
	vm_map_t src = &vs->vm_map, dst;
	struct vmspace *child;
	vm_map_entry_t entry;

	vm_map_lock(vm, src);
	child = vmspace_alloc(vm, src->min_offset, src->max_offset);
	child->mmap_top = vs->mmap_top;
	dst = &child->vm_map;
	vm_map_lock(vm, dst);
	for (entry = src->header.next; entry != &src->header;
	    entry = entry->next) {
		if (entry->inheritance != VM_INHERIT_NONE &&
		    (entry->eflags & MAP_ENTRY_DONTFORK) == 0)
			vmspace_fork_entry(vm, dst, src, entry);
	}
	vm_map_unlock(vm, dst);
	vm_map_unlock(vm, src);
	vm->cnt.v_forks++;
	return (child);
}
