/*
 * vm_mmap.c: mmap, munmap, mprotect and mremap on an address space.
 *
 * Interface: vmcore/vmcore.h.
 * Source:    what the calls do to entries: FreeBSD 11 vm_map.c and vm_mmap.c
 *            of the end of 2015; what they answer: reference
 *            "linux_abi_tiers", semantics 1 to 5 and 7.
 * Differs:   errors are Linux's; mremap moves entries, and their pages are
 *            found again by fast faults.
 */
#include <errno.h>

#include "vmcore/vm_int.h"
#include "vmcore/bsd/vnode_pager.h"

/* Pages of [addr, addr + length) as whole bytes; false: it wraps. */
static bool
vm_range(vm_offset_t addr, uint64_t length, vm_offset_t *end)
{
	uint64_t size = (length + PAGE_MASK) & ~(uint64_t)PAGE_MASK;

	if (size < length || addr + size < addr)
		return (false);
	*end = addr + size;
	return (true);
}

/* ------------------------------------------------------------ mmap */

/* Is [start, end) free of entries and of what stacks may grow into? */
static bool
vm_mmap_free_hint(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t before;

	if (start < map->min_offset || end > map->max_offset || start >= end ||
	    !vm_map_range_free(map, start, end))
		return (false);
	(void)vm_map_lookup_entry(map, start, &before);
	return (before->next == &map->header ||
	    vm_map_entry_floor(before->next) >= end);
}

/* Where a mapping of `size` bytes goes. errno. */
static int
vm_mmap_place(struct vmspace *vs, vm_offset_t *addr, uint64_t size, int flags)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t hint;

	if ((flags & VM_MAP_FIXED) != 0) {
		if ((flags & VM_MAP_NOREPLACE) != 0 &&
		    !vm_map_range_free(map, *addr, *addr + size))
			return (EEXIST);
		return (0);
	}
	hint = (*addr + PAGE_MASK) & ~(vm_offset_t)PAGE_MASK;
	if (hint != 0 && hint + size > hint &&
	    vm_mmap_free_hint(map, hint, hint + size)) {
		*addr = hint;
		return (0);
	}
	*addr = vm_map_findspace(map, vs->mmap_top, size);
	return (*addr == 0 ? ENOMEM : 0);
}

/* What is wrong with the arguments, if anything: errno. */
static int
vm_mmap_check(const struct vmspace *vs, vm_offset_t addr, uint64_t length,
    int prot, int max_prot, int flags, const struct vnode *vp, uint64_t offset)
{
	const struct vm_map *map = &vs->vm_map;
	vm_offset_t end;

	if (length == 0 || (offset & PAGE_MASK) != 0 || (prot & ~max_prot) != 0)
		return (EINVAL);
	if ((flags & VM_MAP_STACK) != 0 && vp != NULL)
		return (EINVAL);
	if (!vm_range(0, length, &end) ||
	    end > map->max_offset - map->min_offset ||
	    offset + end < offset)
		return (ENOMEM);
	if ((flags & VM_MAP_FIXED) == 0)
		return (0);
	if ((addr & PAGE_MASK) != 0)
		return (EINVAL);
	if (!vm_range(addr, length, &end) || addr < map->min_offset ||
	    end > map->max_offset)
		return (ENOMEM);
	return (0);
}

/* Replace [addr, addr + size) by a new entry. */
static int
vm_mmap_enter(struct vm *vm, struct vmspace *vs, const struct vm_map_new *nw,
    vm_offset_t low, int flags, vm_map_entry_t *deferred)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t entry;

	if ((flags & VM_MAP_FIXED) != 0)
		vm_map_delete(vm, map, low, nw->end, deferred);
	if (vm_map_insert(vm, map, nw, &entry) != KERN_SUCCESS)
		return (ENOMEM);
	if ((flags & VM_MAP_STACK) != 0)
		entry->avail_ssize = nw->start - low;
	if (nw->object != NULL)
		vm_map_pmap_enter(vm, map, nw->start, nw->prot, nw->object,
		    OFF_TO_IDX(nw->offset), nw->end - nw->start,
		    (flags & VM_MAP_PREFAULT) != 0 ? PREFAULT_FULL :
						     PREFAULT_PARTIAL);
	return (0);
}

/*
 * vm_mmap_object: as vm_mmap, of an object (NULL: zero-fill memory). A
 * stack's `length` is its reservation: only its top is mapped at first.
 */
static int
vm_mmap_object(struct vm *vm, struct vmspace *vs, vm_offset_t *addr,
    struct vm_map_new *nw, uint64_t size, int flags)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t deferred = NULL;
	vm_offset_t low;
	int error;

	vm_map_lock(vm, map);
	low = *addr;
	error = vm_mmap_place(vs, &low, size, flags);
	if (error == 0) {
		nw->start = low;
		nw->end = low + size;
		if ((flags & VM_MAP_STACK) != 0) {
			nw->eflags = MAP_ENTRY_GROWS_DOWN | MAP_ENTRY_STACK;
			if (size > VM_STACK_SGROWSIZ)
				nw->start = nw->end - VM_STACK_SGROWSIZ;
		}
		if (nw->object != NULL) {
			vm_object_reference(vm, nw->object);
			if ((flags & VM_MAP_SHARED) == 0)
				nw->eflags = MAP_ENTRY_COW |
				    MAP_ENTRY_NEEDS_COPY;
		}
		error = vm_mmap_enter(vm, vs, nw, low, flags, &deferred);
		if (error != 0 && nw->object != NULL)
			vm_object_deallocate(vm, nw->object);
	}
	vm_map_unlock(vm, map);
	vm_map_dispose(vm, deferred);
	if (error == 0)
		*addr = (flags & VM_MAP_STACK) != 0 ? nw->start : low;
	return (error);
}

int
vm_mmap(struct vm *vm, struct vmspace *vs, vm_offset_t *addr, uint64_t length,
    int prot, int max_prot, int flags, struct vnode *vp, uint64_t offset)
{
	struct vm_map_new nw = { .prot = (uint8_t)prot,
		.max_prot = (uint8_t)max_prot,
		.inheritance = (flags & VM_MAP_SHARED) != 0 ?
		    VM_INHERIT_SHARE : VM_INHERIT_COPY };
	vm_offset_t size;
	int error;

	error = vm_mmap_check(vs, *addr, length, prot, max_prot, flags, vp,
	    offset);
	if (error != 0)
		return (error);
	(void)vm_range(0, length, &size);
	if (vp != NULL) {
		nw.object = vp->object;
		nw.offset = offset;
	}
	return (vm_mmap_object(vm, vs, addr, &nw, size, flags));
}

/* ------------------------------------------------------------ shared memory */

struct vm_object *
vm_shared_new(struct vm *vm, uint64_t bytes)
{
	vm_object_t object = vm_object_allocate(vm, OBJT_DEFAULT,
	    OFF_TO_IDX(bytes + PAGE_MASK));

	object->flags &= (uint16_t)~OBJ_ONEMAPPING;
	object->flags |= OBJ_NOSPLIT;
	return (object);
}

void
vm_shared_free(struct vm *vm, struct vm_object *object)
{
	vm_object_deallocate(vm, object);
}

uint64_t
vm_shared_resident(const struct vm_object *object)
{
	return (object->resident_page_count);
}

int
vm_mmap_shared(struct vm *vm, struct vmspace *vs, vm_offset_t *addr,
    uint64_t length, int prot, int flags, struct vm_object *object)
{
	struct vm_map_new nw = { .prot = (uint8_t)prot,
		.max_prot = VM_PROT_ALL, .inheritance = VM_INHERIT_SHARE,
		.object = object };
	vm_offset_t size;
	int error;

	error = vm_mmap_check(vs, *addr, length, prot, VM_PROT_ALL, flags,
	    NULL, 0);
	if (error != 0)
		return (error);
	(void)vm_range(0, length, &size);
	return (vm_mmap_object(vm, vs, addr, &nw, size,
	    flags | VM_MAP_SHARED));
}

/* ------------------------------------------------------------ munmap */

int
vm_munmap(struct vm *vm, struct vmspace *vs, vm_offset_t addr, uint64_t length)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t deferred = NULL;
	vm_offset_t end;

	if ((addr & PAGE_MASK) != 0 || length == 0 ||
	    !vm_range(addr, length, &end) || end > map->max_offset)
		return (EINVAL);
	if (end <= map->min_offset)
		return (0);
	vm_map_lock(vm, map);
	vm_map_delete(vm, map, addr, end, &deferred);
	vm_map_unlock(vm, map);
	vm_map_dispose(vm, deferred);
	return (0);
}

/* ------------------------------------------------------------ mprotect */

/* Rights that mappings of the entry may have: none to write what is copied
 * first. */
static int
vm_map_entry_rights(const struct vm_map_entry *entry)
{
	int prot = vm_map_effective_prot(entry->protection);

	return ((entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0 ?
		prot & ~VM_PROT_WRITE : prot);
}

/* Change the part of one entry that begins at *at; *at moves past it. */
static int
vm_mprotect_entry(struct vm *vm, vm_map_t map, vm_offset_t *at,
    vm_offset_t end, int prot)
{
	vm_map_entry_t entry;
	int old;

	if (!vm_map_lookup_entry(map, *at, &entry))
		return (ENOMEM);
	if ((prot & ~entry->max_protection) != 0)
		return (EACCES);
	old = entry->protection;
	if (old == prot) {
		*at = entry->end;
		return (0);
	}
	vm_map_clip_start(vm, map, entry, *at);
	vm_map_clip_end(vm, map, entry, end);
	entry->protection = (uint8_t)prot;
	vm_pmap_protect(vm, map->pmap, entry->start, entry->end,
	    vm_map_entry_rights(entry));
	*at = entry->end;
	vm_map_simplify_entry(vm, map, entry);
	return (0);
}

int
vm_mprotect(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, int prot)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t end;
	int error = 0;

	if ((addr & PAGE_MASK) != 0)
		return (EINVAL);
	if (!vm_range(addr, length, &end))
		return (ENOMEM);
	vm_map_lock(vm, map);
	while (addr < end && error == 0)
		error = vm_mprotect_entry(vm, map, &addr, end, prot);
	vm_map_unlock(vm, map);
	return (error);
}

/* ------------------------------------------------------------ mremap */

struct mremap {
	struct vm *vm;
	struct vmspace *vs;
	vm_offset_t old, end, target; /* source and where it goes */
	uint64_t old_size, new_size;
	vm_map_entry_t deferred;
};

/* Is [start, end) mapped without a hole? */
static bool
vm_range_mapped(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	while (start < end) {
		if (!vm_map_lookup_entry(map, start, &entry))
			return (false);
		start = entry->end;
	}
	return (true);
}

/* Might Linux have entry and the next one as one area? What lies behind private
 * memory is not looked at: once all is copied it is not known any more. */
static bool
vm_entries_alike(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	const uint32_t flags = MAP_ENTRY_FORK_MASK | MAP_ENTRY_USER_WIRED;

	return (a->protection == b->protection &&
	    a->inheritance == b->inheritance &&
	    ((a->eflags ^ b->eflags) & flags) == 0 &&
	    (a->inheritance != VM_INHERIT_SHARE || (a->object == b->object &&
	    a->offset + (a->end - a->start) == b->offset)));
}

/* [start, end) is mapped. */
static bool
vm_range_alike(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	(void)vm_map_lookup_entry(map, start, &entry);
	for (; entry->end < end; entry = entry->next) {
		if (!vm_entries_alike(entry, entry->next))
			return (false);
	}
	return (true);
}

/* More of what ends at `at`, `size` bytes further. */
static int
vm_mremap_extend(struct mremap *r, vm_offset_t at, uint64_t size)
{
	vm_map_t map = &r->vs->vm_map;
	struct vm_map_new nw = { 0 };
	vm_map_entry_t last;
	vm_object_t file;
	uint64_t offset;

	(void)vm_map_lookup_entry(map, at - 1, &last);
	nw.start = at;
	nw.end = at + size;
	nw.prot = last->protection;
	nw.max_prot = last->max_protection;
	nw.inheritance = last->inheritance;
	nw.eflags = last->eflags & MAP_ENTRY_FORK_MASK;
	file = vm_map_entry_file(last, &offset);
	if (file != NULL) {
		nw.object = file;
		nw.offset = offset + (last->end - last->start);
		vm_object_reference(r->vm, file);
		if (last->inheritance != VM_INHERIT_SHARE)
			nw.eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	}
	if (vm_map_insert(r->vm, map, &nw, NULL) == KERN_SUCCESS)
		return (0);
	if (file != NULL)
		vm_object_deallocate(r->vm, file);
	return (ENOMEM);
}

/* Carry the entries over; their pages are faulted in again at once. */
static void
vm_mremap_relocate(struct mremap *r)
{
	vm_map_t map = &r->vs->vm_map;
	vm_map_entry_t moved = NULL, entry, next;

	vm_map_take(r->vm, map, r->old, r->end, &moved);
	for (entry = moved; entry != NULL; entry = next) {
		vm_map_entry_t prev;

		next = entry->next;
		entry->start += r->target - r->old;
		entry->end += r->target - r->old;
		entry->left = entry->right = NULL;
		(void)vm_map_lookup_entry(map, entry->start, &prev);
		vm_map_entry_link(r->vm, map, prev, entry);
		map->size += entry->end - entry->start;
	}
}

static int
vm_mremap_move(struct mremap *r, bool fixed)
{
	vm_map_t map = &r->vs->vm_map;

	if (fixed)
		vm_map_delete(r->vm, map, r->target, r->target + r->new_size,
		    &r->deferred);
	else {
		r->target = vm_map_findspace(map, r->vs->mmap_top,
		    r->new_size);
		if (r->target == 0)
			return (ENOMEM);
	}
	vm_mremap_relocate(r);
	if (r->new_size == r->old_size)
		return (0);
	return (vm_mremap_extend(r, r->target + r->old_size,
	    r->new_size - r->old_size));
}

/* The decisions of mremap, map locked. */
static int
vm_mremap_locked(struct mremap *r, bool may_move, bool fixed)
{
	vm_map_t map = &r->vs->vm_map;
	uint64_t more;

	if (!vm_range_mapped(map, r->old, r->end))
		return (EFAULT);
	if (r->new_size < r->old_size) {
		vm_map_delete(r->vm, map, r->old + r->new_size, r->end,
		    &r->deferred);
		r->end = r->old + r->new_size;
		r->old_size = r->new_size;
	}
	more = r->new_size - r->old_size;
	if ((fixed || more != 0) && !vm_range_alike(map, r->old, r->end))
		return (EFAULT);
	if (fixed)
		return (vm_mremap_move(r, true));
	r->target = r->old;
	if (more == 0)
		return (0);
	if (vm_mmap_free_hint(map, r->end, r->end + more))
		return (vm_mremap_extend(r, r->end, more));
	return (may_move ? vm_mremap_move(r, false) : ENOMEM);
}

static int
vm_mremap_check(const struct mremap *r, bool may_move, bool fixed)
{
	const struct vm_map *map = &r->vs->vm_map;

	if ((r->old & PAGE_MASK) != 0 || r->old_size == 0 || r->new_size == 0)
		return (EINVAL);
	if (r->end > map->max_offset || r->old < map->min_offset)
		return (EFAULT);
	if (r->new_size > map->max_offset - map->min_offset)
		return (ENOMEM);
	if (!fixed)
		return (0);
	if (!may_move || (r->target & PAGE_MASK) != 0 ||
	    r->target < map->min_offset ||
	    r->target > map->max_offset - r->new_size)
		return (EINVAL);
	if (r->target < r->end && r->old < r->target + r->new_size)
		return (EINVAL);
	return (0);
}

int
vm_mremap(struct vm *vm, struct vmspace *vs, vm_offset_t old_addr,
    uint64_t old_size, uint64_t new_size, bool may_move, bool fixed,
    vm_offset_t *new_addr)
{
	struct mremap r = { .vm = vm, .vs = vs, .old = old_addr,
		.target = *new_addr };
	int error;

	if (!vm_range(old_addr, old_size, &r.end) ||
	    !vm_range(0, new_size, &r.new_size))
		return (EINVAL);
	r.old_size = r.end - old_addr;
	error = vm_mremap_check(&r, may_move, fixed);
	if (error != 0)
		return (error);
	vm_map_lock(vm, &vs->vm_map);
	error = vm_mremap_locked(&r, may_move, fixed);
	vm_map_unlock(vm, &vs->vm_map);
	vm_map_dispose(vm, r.deferred);
	if (error == 0)
		*new_addr = r.target;
	return (error);
}
