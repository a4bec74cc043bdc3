/*
 * vm_madvise.c: advice on memory.
 *
 * Interface: vmcore/vmcore.h (vm_madvise).
 * Source:    entries: FreeBSD 11 vm_map.c, vm_map_madvise(); pages: FreeBSD 5
 *            vm_object.c, vm_object_madvise() (companions 8, R0).
 * Differs:   VM_ADV_LINUX_DONTNEED is Linux's MADV_DONTNEED: private memory
 *            is as if newly mapped, at once. A hole gives ENOMEM after the
 *            rest has been done, as on Linux.
 */
#include <errno.h>

#include "vmcore/vm_int.h"

/* ------------------------------------------------------------ pages */

/* MADV_FREE works on anonymous objects that one mapping uses only. */
static bool
vm_object_may_free(const struct vm_object *object)
{
	return (vm_object_is_anonymous(object) &&
	    (object->flags & OBJ_ONEMAPPING) != 0);
}

static void
vm_page_advise(struct vm *vm, vm_page_t m, enum vm_advice advice)
{
	vm_object_t object = m->object;

	if (advice == VM_ADV_WILLNEED) {
		vm_page_activate(vm, m);
		return;
	}
	if (advice == VM_ADV_FREE) {
		/* Clean, so that whoever wants the frame may have it; mapped,
		 * so that using it again costs nothing. */
		vm->pmap->clear_modify(vm, m);
		m->dirty = 0;
		m->act_count = 0;
	}
	vm_page_dontneed(vm, m);
	if (advice == VM_ADV_FREE)
		object->pagerops->freespace(vm, object, m->pindex, 1);
}

/* One index, through the shadow chain. True: it slept, look again. */
static bool
vm_object_madvise_index(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    enum vm_advice advice)
{
	vm_page_t m;

	for (; object != NULL; object = object->backing_object) {
		vm_object_gate(vm, object);
		if (advice == VM_ADV_FREE && !vm_object_may_free(object))
			return (false);
		m = vm_page_lookup(object, pindex);
		if (m != NULL) {
			if (m->hold_count != 0 || m->wire_count != 0 ||
			    (m->flags & PG_UNMANAGED) != 0 ||
			    m->valid != VM_PAGE_BITS_ALL)
				return (false);
			if (vm_page_sleep_busy(vm, m, true, "madvpo"))
				return (true);
			vm_page_advise(vm, m, advice);
			return (false);
		}
		/* There may be a copy on swap all the same. */
		if (advice == VM_ADV_FREE)
			object->pagerops->freespace(vm, object, pindex, 1);
		pindex += OFF_TO_IDX(object->backing_object_offset);
	}
	return (false);
}

static void
vm_object_madvise(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    vm_pindex_t end, enum vm_advice advice)
{
	uint32_t why = vm_why(vm,
	    advice == VM_ADV_WILLNEED ? WHY_WILLNEED : WHY_DONTNEED);

	while (pindex < end)
		if (!vm_object_madvise_index(vm, object, pindex, advice))
			pindex++;
	vm_why(vm, why);
}

/* ------------------------------------------------------------ entries */

/* Linux's MADV_DONTNEED where the object is this range's own: free pages and
 * copies, keep the entry. */
static bool
vm_map_discard_in_place(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    vm_pindex_t count)
{
	/* With nothing behind, or the file alone, a freed page is what a fresh
	 * mapping would show. */
	if (!vm_object_is_anonymous(object) ||
	    (object->backing_object != NULL &&
	    object->backing_object->type != OBJT_VNODE))
		return (false);
	if (object->ref_count != 1 && (object->flags & OBJ_ONEMAPPING) == 0)
		return (false);
	vm_object_page_remove(vm, object, pindex, pindex + count, false);
	object->pagerops->freespace(vm, object, pindex, count);
	return (true);
}

/* Start anew: the file behind the chain, or nothing. The entry is clipped. */
static void
vm_map_discard_object(struct vm *vm, vm_map_entry_t entry)
{
	vm_object_t old = entry->object, object;
	uint64_t offset;

	object = vm_map_entry_file(entry, &offset);
	if (object != NULL)
		vm_object_reference(vm, object);
	entry->object = object;
	entry->offset = object != NULL ? offset : 0;
	entry->eflags &= (uint32_t)~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	if (object != NULL)
		entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	vm_object_deallocate(vm, old);
}

/* [start, end) lies in the entry. errno; the entry may be clipped. */
static int
vm_map_discard(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start, vm_offset_t end)
{
	if (entry->wired_count != 0)
		return (EINVAL);
	if (entry->object == NULL)
		return (0);
	vm_pmap_remove(vm, map->pmap, start, end);
	/* Shared memory and untouched private files lose nothing else. */
	if (entry->inheritance == VM_INHERIT_SHARE ||
	    entry->object->type == OBJT_VNODE)
		return (0);
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) == 0 &&
	    vm_map_discard_in_place(vm, entry->object,
	    OFF_TO_IDX(start - entry->start + entry->offset),
	    OFF_TO_IDX(end - start)))
		return (0);
	vm_map_clip_start(vm, map, entry, start);
	vm_map_clip_end(vm, map, entry, end);
	vm_map_discard_object(vm, entry);
	return (0);
}

static void
vm_map_set_behavior(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	uint32_t behavior = MAP_ENTRY_BEHAV_NORMAL;

	if (advice == VM_ADV_SEQUENTIAL)
		behavior = MAP_ENTRY_BEHAV_SEQUENTIAL;
	else if (advice == VM_ADV_RANDOM)
		behavior = MAP_ENTRY_BEHAV_RANDOM;
	if ((entry->eflags & MAP_ENTRY_BEHAV_MASK) == behavior)
		return;
	vm_map_clip_start(vm, map, entry, start);
	vm_map_clip_end(vm, map, entry, end);
	entry->eflags &= (uint32_t)~MAP_ENTRY_BEHAV_MASK;
	entry->eflags |= behavior;
	vm_map_simplify_entry(vm, map, entry);
}

/* What a fork does with it. Only private memory without a file can be wiped. */
static int
vm_map_set_fork(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	const uint32_t flag = advice == VM_ADV_DONTFORK ||
	    advice == VM_ADV_DOFORK ? MAP_ENTRY_DONTFORK :
	    MAP_ENTRY_WIPEONFORK;
	bool set = advice == VM_ADV_DONTFORK || advice == VM_ADV_WIPEONFORK;
	uint64_t offset;

	if (advice == VM_ADV_WIPEONFORK &&
	    (entry->inheritance == VM_INHERIT_SHARE ||
	    vm_map_entry_file(entry, &offset) != NULL))
		return (EINVAL);
	if (((entry->eflags & flag) != 0) == set)
		return (0);
	vm_map_clip_start(vm, map, entry, start);
	vm_map_clip_end(vm, map, entry, end);
	entry->eflags ^= flag;
	vm_map_simplify_entry(vm, map, entry);
	return (0);
}

/* Advice on the part [start, end) of one entry. errno. */
static int
vm_madvise_entry(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start, vm_offset_t end, enum vm_advice advice)
{
	vm_pindex_t pindex = OFF_TO_IDX(start - entry->start + entry->offset);

	switch (advice) {
	case VM_ADV_NORMAL:
	case VM_ADV_RANDOM:
	case VM_ADV_SEQUENTIAL:
		vm_map_set_behavior(vm, map, entry, start, end, advice);
		return (0);
	case VM_ADV_DONTFORK:
	case VM_ADV_DOFORK:
	case VM_ADV_WIPEONFORK:
	case VM_ADV_KEEPONFORK:
		return (vm_map_set_fork(vm, map, entry, start, end, advice));
	case VM_ADV_LINUX_DONTNEED:
		return (vm_map_discard(vm, map, entry, start, end));
	case VM_ADV_WILLNEED:
	case VM_ADV_DONTNEED:
	case VM_ADV_FREE:
		break;
	default:
		return (EINVAL);
	}
	if (entry->object == NULL)
		return (0);
	vm_object_madvise(vm, entry->object, pindex,
	    pindex + OFF_TO_IDX(end - start), advice);
	if (advice == VM_ADV_WILLNEED)
		vm_map_pmap_enter(vm, map, start, entry->protection,
		    entry->object, pindex, end - start, PREFAULT_MADVISE);
	return (0);
}

/*
 * vm_madvise: see vmcore.h. The map stays locked while pages are waited for.
 * Errors: EINVAL; ENOMEM when part of the range is not mapped.
 */
int
vm_madvise(struct vm *vm, struct vmspace *vs, vm_offset_t addr,
    uint64_t length, enum vm_advice advice)
{
	vm_map_t map = &vs->vm_map;
	vm_offset_t end, stop;
	vm_map_entry_t entry;
	int error = 0, e;

	end = addr + ((length + PAGE_MASK) & ~(uint64_t)PAGE_MASK);
	if ((addr & PAGE_MASK) != 0 || end < addr)
		return (EINVAL);
	vm_map_lock(vm, map);
	while (addr < end) {
		if (!vm_map_lookup_entry(map, addr, &entry)) {
			entry = entry->next;
			error = ENOMEM;
			if (entry == &map->header || entry->start >= end)
				break;
			addr = entry->start;
		}
		stop = entry->end < end ? entry->end : end;
		e = vm_madvise_entry(vm, map, entry, addr, stop, advice);
		if (e != 0) {
			error = e;
			break;
		}
		addr = stop;
	}
	vm_map_unlock(vm, map);
	return (error);
}
