/*
 * vm_msync.c: writing shared file maps back, asking what is resident, and
 * listing a map.
 *
 * Interface: vmcore/vmcore.h (vm_msync, vm_mincore, vm_map_info, vm_map_size).
 * Source:    FreeBSD 11 vm_map.c, vm_map_sync(); answers as on Linux.
 * Differs:   private maps have nothing to write. Invalidation is not needed:
 *            file pages and mapped pages are the same.
 */
#include <errno.h>

#include "vmcore/vm_int.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------------------ msync */

/* Write the dirty pages of one shared file entry's part. errno. */
static int
vm_msync_object(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, bool sync)
{
	struct vnode *vp = object->handle;
	int error;

	vnode_lock(vm, vp, false);
	vm_object_page_clean(vm, object, start, end, sync ? OBJPC_SYNC : 0);
	if (sync)
		vnode_write_drain(vm, vp);
	error = vp->write_error;
	if (sync)
		vp->write_error = 0;
	vnode_unlock(vm, vp);
	return (sync ? error : 0);
}

/* The next shared file range at or after *at; referenced. NULL at the end. */
static vm_object_t
vm_msync_next(struct vm *vm, vm_map_t map, vm_offset_t *at, vm_offset_t end,
    vm_pindex_t *first, vm_pindex_t *last, bool *hole)
{
	vm_map_entry_t e;
	vm_offset_t stop;

	while (*at < end) {
		if (!vm_map_lookup_entry(map, *at, &e)) {
			*hole = true;
			e = e->next;
			if (e == &map->header || e->start >= end)
				break;
			*at = e->start;
		}
		stop = e->end < end ? e->end : end;
		*first = OFF_TO_IDX(*at - e->start + e->offset);
		*last = *first + OFF_TO_IDX(stop - *at);
		*at = stop;
		if (e->inheritance != VM_INHERIT_SHARE || e->object == NULL ||
		    e->object->type != OBJT_VNODE)
			continue;
		vm_object_reference(vm, e->object);
		return (e->object);
	}
	return (NULL);
}

int
vm_msync(struct vm *vm, struct vmspace *vs, vm_offset_t addr, uint64_t length,
    bool sync, bool invalidate)
{
	vm_map_t map = &vs->vm_map;
	vm_pindex_t first = 0, last = 0;
	vm_object_t object;
	vm_offset_t end;
	bool hole = false;
	int error = 0, e;

	(void)invalidate;
	end = addr + ((length + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
	if ((addr & PAGE_MASK) != 0)
		return (EINVAL);
	if (end < addr)
		return (ENOMEM);
	for (;;) {
		/* The map is free while pages are written. */
		vm_map_lock_read(vm, map);
		object = vm_msync_next(vm, map, &addr, end, &first, &last,
		    &hole);
		vm_map_unlock_read(vm, map);
		if (object == NULL)
			break;
		e = vm_msync_object(vm, object, first, last, sync);
		if (error == 0)
			error = e;
		vm_object_deallocate(vm, object);
	}
	return (error == 0 && hole ? ENOMEM : error);
}

/* ------------------------------------------------------------ mincore */

/* Is the page of va in memory, mapped or not? */
static bool
vm_mincore_page(struct vm *vm, struct vmspace *vs,
    const struct vm_map_entry *e, vm_offset_t va)
{
	vm_pindex_t pindex = OFF_TO_IDX(va - e->start + e->offset);
	vm_object_t object;
	vm_page_t m;

	if (pmap_extract(vs->vm_map.pmap, va) != PFN_NONE)
		return (true);
	for (object = e->object; object != NULL;
	    object = object->backing_object) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL)
			return (m->valid == VM_PAGE_BITS_ALL);
		/* A copy on swap hides what is behind. */
		if (object->type != OBJT_VNODE &&
		    vm_pager_has_page(vm, object, pindex, NULL, NULL))
			return (false);
		pindex += OFF_TO_IDX(object->backing_object_offset);
	}
	return (false);
}

int
vm_mincore(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, uint8_t *vec)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t e;
	vm_offset_t end;
	int error = 0;

	end = addr + ((length + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
	if ((addr & PAGE_MASK) != 0)
		return (EINVAL);
	if (end < addr)
		return (ENOMEM);
	vm_map_lock_read(vm, map);
	for (; addr < end; addr += PAGE_SIZE) {
		if (!vm_map_lookup_entry(map, addr, &e)) {
			error = ENOMEM;
			break;
		}
		*vec++ = vm_mincore_page(vm, vs, e, addr);
	}
	vm_map_unlock_read(vm, map);
	return (error);
}

/* ------------------------------------------------------------ listing */

/* Parts of one stack are shown as one. */
static vm_map_entry_t
vm_map_info_last(const struct vm_map *map, vm_map_entry_t e)
{
	while ((e->eflags & MAP_ENTRY_STACK) != 0 &&
	    e->next != &map->header && e->next->start == e->end &&
	    (e->next->eflags & MAP_ENTRY_STACK) != 0 &&
	    (e->next->eflags & MAP_ENTRY_GROWS_DOWN) == 0 &&
	    e->next->protection == e->protection)
		e = e->next;
	return (e);
}

static vm_map_entry_t
vm_map_info_first(const struct vm_map *map, vm_map_entry_t e)
{
	while (e->prev != &map->header &&
	    vm_map_info_last(map, e->prev) != e->prev)
		e = e->prev;
	return (e);
}

static uint64_t
vm_map_resident(struct pmap *pmap, vm_offset_t va, vm_offset_t end)
{
	uint64_t n = 0;

	while (va < end) {
		if (pmap_pte(pmap, va) == NULL) {
			/* on to the next page-table page */
			va = (va | ((1ull << 21) - 1)) + 1;
			continue;
		}
		n += pmap_extract(pmap, va) != PFN_NONE;
		va += PAGE_SIZE;
	}
	return (n);
}

bool
vm_map_info(struct vmspace *vs, vm_offset_t addr, struct vm_map_info *mi)
{
	vm_map_t map = &vs->vm_map;
	vm_map_entry_t e, last;
	vm_object_t object;

	if (!vm_map_lookup_entry(map, addr, &e))
		e = e->next;
	if (e == &map->header)
		return (false);
	e = vm_map_info_first(map, e);
	last = vm_map_info_last(map, e);
	*mi = (struct vm_map_info) { .start = e->start, .end = last->end,
		.prot = e->protection, .max_prot = e->max_protection,
		.shared = e->inheritance == VM_INHERIT_SHARE,
		.stack = (e->eflags & MAP_ENTRY_STACK) != 0,
		.offset = e->offset };
	for (object = e->object; object != NULL && object->type != OBJT_VNODE;
	    object = object->backing_object)
		mi->offset += object->backing_object_offset;
	if (object != NULL)
		mi->vp = object->handle;
	else
		mi->offset = 0;
	mi->resident = vm_map_resident(map->pmap, mi->start, mi->end);
	return (true);
}

bool
vm_map_shared_key(struct vmspace *vs, vm_offset_t addr, uint64_t *object,
    uint64_t *offset)
{
	vm_map_entry_t e;

	if (!vm_map_lookup_entry(&vs->vm_map, addr, &e) || e->object == NULL ||
	    e->inheritance != VM_INHERIT_SHARE)
		return (false);
	*object = e->object->id;
	*offset = e->offset + (addr - e->start);
	return (true);
}

uint64_t
vm_map_size(const struct vmspace *vs)
{
	return (vs->vm_map.size);
}
