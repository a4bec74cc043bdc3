/*
 * vm_object_shadow.c: shadow chains: making a shadow, pulling a backing
 * object up (collapse), going round it (bypass), splitting an object off,
 * and growing one in place (coalesce).
 *
 * Interface: vmcore/vm_object.h.
 * Source:    FreeBSD 11 vm_object.c of the end of 2015 as told by companions
 *            7.2; vm_object_shadow's colours: FreeBSD 5 (1.3).
 * Differs:   a CACHE page that is renamed is deactivated (FreeBSD 5 pages);
 *            pages freed by a collapse lose their mappings first.
 */
#include "vmcore/vm_int.h"
#include "vmcore/vm_lock.h"

/* ------------------------------------------------------------ links */

static void
vm_object_link_shadow(vm_object_t object, vm_object_t backing)
{
	object->backing_object = backing;
	LIST_INSERT_HEAD(&backing->shadow_head, object, shadow_list);
	backing->shadow_count++;
}

static void
vm_object_unlink_shadow(vm_object_t object)
{
	vm_object_t backing = object->backing_object;

	LIST_REMOVE(object, shadow_list);
	backing->shadow_count--;
	object->backing_object = NULL;
}

void
vm_object_set_backing(struct vm *vm, vm_object_t object, vm_object_t backing,
    uint64_t offset)
{
	vm_object_reference(vm, backing);
	vm_object_link_shadow(object, backing);
	object->backing_object_offset = offset;
}

/*
 * vm_object_shadow: put a new object of `length` pages in front of *object,
 * taking over its reference; *offset (bytes) becomes 0. Nothing is done when
 * the caller is the only user of an anonymous object.
 */
void
vm_object_shadow(struct vm *vm, vm_object_t *object, uint64_t *offset,
    vm_pindex_t length)
{
	vm_object_t source = *object;
	vm_object_t result;

	if (source != NULL && source->ref_count == 1 &&
	    vm_object_is_anonymous(source))
		return;
	result = vm_object_allocate(vm, OBJT_DEFAULT, length);
	result->backing_object_offset = *offset;
	if (source != NULL) {
		vm_object_link_shadow(result, source);
		vm_object_color_shadow(vm, result, source, length);
	}
	*offset = 0;
	*object = result;
}

/* ------------------------------------------------------------ the scan */

enum backing_op { COLLAPSE_WAIT, COLLAPSE_NOWAIT };

/* Does the parent see its own page, or its own copy on swap, at pindex? */
static bool
vm_object_shadows_page(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_lookup(object, pindex);

	return ((m != NULL && m->valid != 0) ||
	    vm_pager_has_page(vm, object, pindex, NULL, NULL));
}

/*
 * Does the parent hide every page of the object behind it? Copies on swap
 * are not looked at: a SWAP object never passes.
 */
static bool
vm_object_all_shadowed(struct vm *vm, vm_object_t object)
{
	vm_object_t backing = object->backing_object;
	vm_pindex_t window = OFF_TO_IDX(object->backing_object_offset);
	vm_page_t p;

	if (backing->type != OBJT_DEFAULT)
		return (false);
	TAILQ_FOREACH(p, &backing->memq, listq) {
		if (p->pindex < window || p->pindex - window >= object->size)
			continue;
		if (!vm_object_shadows_page(vm, object, p->pindex - window))
			return (false);
	}
	return (true);
}

/* The backing page is not wanted by the parent: away with it and its copy. */
static void
vm_object_collapse_free(struct vm *vm, vm_object_t backing, vm_page_t p)
{
	backing->pagerops->freespace(vm, backing, p->pindex, 1);
	vm_object_free_page(vm, p);
}

/* The parent gets the page, dirty; the copy on swap goes. */
static void
vm_object_collapse_move(struct vm *vm, vm_object_t object, vm_page_t p,
    vm_pindex_t new_pindex)
{
	vm_object_t backing = p->object;
	vm_pindex_t old_pindex = p->pindex;

	vm_page_busy(vm, p);
	vm_page_rename(vm, p, object, new_pindex);
	backing->pagerops->freespace(vm, backing, old_pindex, 1);
}

/* One idle page of the backing object. */
static void
vm_object_collapse_page(struct vm *vm, vm_object_t object, vm_page_t p,
    enum backing_op op)
{
	vm_object_t backing = object->backing_object;
	vm_pindex_t window = OFF_TO_IDX(object->backing_object_offset);
	vm_pindex_t new_pindex = p->pindex - window;
	vm_page_t pp;

	if (p->pindex < window || new_pindex >= object->size) {
		vm_object_collapse_free(vm, backing, p);
		return;
	}
	pp = vm_page_lookup(object, new_pindex);
	/* A fault is filling the parent's page, maybe from this one. */
	if (op == COLLAPSE_NOWAIT && pp != NULL && pp->valid == 0)
		return;
	if (pp != NULL ||
	    vm_pager_has_page(vm, object, new_pindex, NULL, NULL))
		vm_object_collapse_free(vm, backing, p);
	else
		vm_object_collapse_move(vm, object, p, new_pindex);
}

/* Move up or free what the backing object has. WAIT marks it dead first. */
static void
vm_object_collapse_scan(struct vm *vm, vm_object_t object, enum backing_op op)
{
	vm_object_t backing = object->backing_object;
	uint32_t why = vm_why(vm, WHY_OBJ_COLLAPSE);
	vm_page_t p, next;

	if (op == COLLAPSE_WAIT)
		backing->flags |= OBJ_DEAD;
	for (p = TAILQ_FIRST(&backing->memq); p != NULL; p = next) {
		next = TAILQ_NEXT(p, listq);
		if (op == COLLAPSE_NOWAIT &&
		    (p->valid == 0 || vm_page_busied(p)))
			continue;
		if (vm_page_busied(p)) {
			(void)vm_page_sleep_if_busy(vm, p, true, "vmocol");
			vm_object_gate(vm, backing);
			vm_object_gate(vm, object);
			next = TAILQ_FIRST(&backing->memq);
			continue;
		}
		vm_object_collapse_page(vm, object, p, op);
	}
	vm_why(vm, why);
}

/* ------------------------------------------------------------ collapse */

/* The parent is the only user of the object behind it: swallow that one. */
static void
vm_object_collapse_swallow(struct vm *vm, vm_object_t object)
{
	vm_object_t backing = object->backing_object;
	vm_object_t next;
	uint64_t offset = backing->backing_object_offset;

	vm_object_pip_add(object, 1);
	vm_object_pip_add(backing, 1);
	vm_object_collapse_scan(vm, object, COLLAPSE_WAIT);
	if (backing->type == OBJT_SWAP)
		backing->pagerops->copy(vm, backing, object,
		    OFF_TO_IDX(object->backing_object_offset), true);
	next = backing->backing_object;
	vm_object_unlink_shadow(object);
	if (next != NULL) {
		/* backing's reference to it becomes the parent's */
		vm_object_unlink_shadow(backing);
		vm_object_link_shadow(object, next);
	}
	object->backing_object_offset += offset;
	vm_object_pip_wakeup(vm, backing);
	vm_object_pip_wakeup(vm, object);
	vm_object_destroy(vm, backing);
	vm->object_collapses++;
}

/* The parent hides all of it: go on to the one behind. */
static void
vm_object_collapse_bypass(struct vm *vm, vm_object_t object)
{
	vm_object_t backing = object->backing_object;
	vm_object_t next = backing->backing_object;

	vm_object_unlink_shadow(object);
	if (next != NULL) {
		vm_object_link_shadow(object, next);
		vm_object_reference(vm, next);
		object->backing_object_offset +=
		    backing->backing_object_offset;
	}
	/* It had at least two. */
	backing->ref_count--;
	vm->object_bypasses++;
}

static bool
vm_object_collapsible(const struct vm_object *object)
{
	return (vm_object_is_anonymous(object) &&
	    (object->flags & OBJ_DEAD) == 0);
}

/*
 * vm_object_collapse: shorten the chain behind the object as far as can be
 * done. May sleep for busy pages.
 * Source: FreeBSD 11 vm_object.c, vm_object_collapse().
 */
void
vm_object_collapse(struct vm *vm, vm_object_t object)
{
	vm_object_t backing;

	for (;;) {
		vm_object_gate(vm, object);
		backing = object->backing_object;
		if (backing == NULL)
			return;
		vm_object_gate(vm, backing);
		if (object->backing_object != backing)
			continue;
		if (!vm_object_collapsible(backing) ||
		    !vm_object_collapsible(object))
			return;
		if (object->paging_in_progress != 0 ||
		    backing->paging_in_progress != 0) {
			if (backing->ref_count == 1)
				vm_object_collapse_scan(vm, object,
				    COLLAPSE_NOWAIT);
			return;
		}
		if (backing->ref_count == 1) {
			vm_object_collapse_swallow(vm, object);
			continue;
		}
		if ((vm_pindex_t)object->resident_page_count != object->size &&
		    !vm_object_all_shadowed(vm, object))
			return;
		vm_object_collapse_bypass(vm, object);
	}
}

/* ------------------------------------------------------------ split */

/* Move the pages of [start, start + size) over. Only the page daemon can see
 * the new object meanwhile: the map is locked and this is its only mapping. */
static void
vm_object_split_pages(struct vm *vm, vm_object_t orig, vm_object_t new_object,
    vm_pindex_t start)
{
	uint32_t why = vm_why(vm, WHY_RENAME);
	vm_page_t m;

	while ((m = vm_object_page_from(orig, start)) != NULL &&
	    m->pindex - start < new_object->size) {
		if (vm_page_busied(m)) {
			(void)vm_page_sleep_if_busy(vm, m, true, "spltwt");
			vm_object_gate(vm, orig);
			continue;
		}
		vm_page_busy(vm, m);
		vm_page_rename(vm, m, new_object, m->pindex - start);
	}
	vm_why(vm, why);
}

/*
 * vm_object_split: give [*offset, + length pages) of an anonymous object that
 * others refer to as well an object of its own. The caller's reference moves
 * to it. May sleep.
 */
void
vm_object_split(struct vm *vm, vm_object_t *object, uint64_t *offset,
    vm_pindex_t length)
{
	vm_object_t orig = *object, new_object, source;
	vm_pindex_t start = OFF_TO_IDX(*offset);

	if (!vm_object_is_anonymous(orig) || orig->ref_count <= 1)
		return;
	vm_object_gate(vm, orig);
	source = orig->backing_object;
	if (source != NULL && (source->flags & OBJ_DEAD) != 0)
		return;
	new_object = vm_object_allocate(vm, OBJT_DEFAULT, length);
	if (source != NULL) {
		vm_object_set_backing(vm, new_object, source,
		    orig->backing_object_offset + *offset);
		source->flags &= (uint16_t)~OBJ_ONEMAPPING;
	}
	vm_object_split_pages(vm, orig, new_object, start);
	if (orig->type == OBJT_SWAP)
		orig->pagerops->copy(vm, orig, new_object, start, false);
	*object = new_object;
	*offset = 0;
	vm_object_deallocate(vm, orig);
}

/* ------------------------------------------------------------ coalesce */

/*
 * vm_object_coalesce: can the mapping of prev that ends at prev_offset +
 * prev_size be continued by next_size more bytes of the same object? If so
 * the object is extended and the new range is empty. NULL: yes.
 */
bool
vm_object_coalesce(struct vm *vm, vm_object_t prev, uint64_t prev_offset,
    uint64_t prev_size, uint64_t next_size)
{
	vm_pindex_t next_pindex = OFF_TO_IDX(prev_offset + prev_size);
	vm_pindex_t count = OFF_TO_IDX(next_size);

	if (prev == NULL)
		return (true);
	if (!vm_object_is_anonymous(prev))
		return (false);
	vm_object_collapse(vm, prev);
	/* Pages beyond the mapping may be in somebody else's use. */
	if (prev->backing_object != NULL)
		return (false);
	if (prev->ref_count > 1 && prev->size != next_pindex)
		return (false);
	if (next_pindex < prev->size) {
		vm_object_page_remove(vm, prev, next_pindex,
		    next_pindex + count, false);
		prev->pagerops->freespace(vm, prev, next_pindex, count);
	}
	if (next_pindex + count > prev->size)
		prev->size = next_pindex + count;
	return (true);
}
