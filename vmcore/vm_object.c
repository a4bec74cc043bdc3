/*
 * vm_object.c: memory objects: life, reference and shadow counts, paging in
 * progress, and the removal of ranges of pages.
 *
 * Interface: vmcore/vm_object.h.
 * Source:    FreeBSD 11 vm_object.c of the end of 2015 as told by companions
 *            7.1; colours: FreeBSD 5 vm_object.c (companions 1.3).
 * Differs:   a section that does not sleep is atomic here, so instead of
 *            taking an object's lock it only waits until nobody else (the page
 *            daemon at a preemption point) owns it. Shadow chains are in
 *            vm_object_shadow.c.
 */
#include <stdlib.h>

#include "vmcore/vm_int.h"
#include "vmcore/vm_lock.h"

/* ------------------------------------------------------------ colours */

/* The most by which one object moves the colour of the next. */
static uint32_t
vm_object_color_cap(const struct vm *vm)
{
	return (vm->pq_l2_size / 3 + vm->pq_prime1);
}

void
vm_object_color_new(struct vm *vm, vm_object_t object)
{
	uint32_t step = vm_object_color_cap(vm);

	if (object->size < step)
		step = (uint32_t)object->size;
	object->pg_color = (uint16_t)vm->object_next_index;
	vm->object_next_index = (vm->object_next_index + step) &
	    (vm->pq_l2_size - 1);
}

/* A shadow's colour keeps its pages apart from those of its source. */
void
vm_object_color_shadow(struct vm *vm, vm_object_t result, vm_object_t source,
    vm_pindex_t length)
{
	uint32_t cap = vm_object_color_cap(vm);
	uint32_t mask = vm->pq_l2_size - 1;

	source->generation++;
	if (length < source->size)
		length = source->size;
	if (length > cap || source->generation > 1)
		length = cap;
	result->pg_color = (uint16_t)((source->pg_color +
	    (uint32_t)length * (uint32_t)source->generation) & mask);
	vm->object_next_index = (result->pg_color + cap) & mask;
}

/* ------------------------------------------------------------ life */

static vm_object_t
vm_object_zalloc(struct vm *vm)
{
	vm_object_t object = TAILQ_FIRST(&vm->object_pool);
	const struct sim_thread *owner = NULL;
	uint32_t readers = 0;

	if (object != NULL) {
		TAILQ_REMOVE(&vm->object_pool, object, object_list);
		/* Somebody may still wait for the lock of its former life. */
		owner = object->lock_owner;
		readers = object->lock_readers;
	} else {
		object = malloc(sizeof(*object));
		if (object == NULL)
			sim_nomem(vm->sim, "a memory object");
		vm->map_entry_bytes += sizeof(*object);
	}
	*object = (struct vm_object) { .lock_owner = owner,
		.lock_readers = readers };
	return (object);
}

/*
 * vm_object_allocate: an object of `size` pages with one reference.
 */
vm_object_t
vm_object_allocate(struct vm *vm, enum obj_type type, vm_pindex_t size)
{
	vm_object_t object = vm_object_zalloc(vm);

	TAILQ_INIT(&object->memq);
	LIST_INIT(&object->shadow_head);
	object->id = ++vm->object_next_id;
	object->type = (uint8_t)type;
	object->pagerops = vm->pagerops[type];
	object->size = size;
	object->ref_count = 1;
	if (type == OBJT_DEFAULT || type == OBJT_SWAP)
		object->flags = OBJ_ONEMAPPING;
	else if (type == OBJT_DEVICE)
		object->flags = OBJ_FICTITIOUS | OBJ_UNMANAGED;
	else if (type == OBJT_PHYS)
		object->flags = OBJ_UNMANAGED;
	vm_object_color_new(vm, object);
	TAILQ_INSERT_TAIL(&vm->object_list, object, object_list);
	vm->object_count++;
	vm_spend(vm, vm->cost.object);
	return (object);
}

void
vm_object_destroy(struct vm *vm, vm_object_t object)
{
	KASSERT(vm->sim, TAILQ_EMPTY(&object->memq) && object->root == NULL,
	    ("object %u destroyed with pages", object->id));
	KASSERT(vm->sim, LIST_EMPTY(&object->shadow_head),
	    ("object %u destroyed with shadows", object->id));
	object->pagerops->dealloc(vm, object);
	object->type = OBJT_DEAD;
	object->handle = NULL;
	object->ref_count = 0;
	TAILQ_REMOVE(&vm->object_list, object, object_list);
	TAILQ_INSERT_HEAD(&vm->object_pool, object, object_list);
	vm->object_count--;
	vm_spend(vm, vm->cost.object);
}

void
vm_object_shutdown(struct vm *vm)
{
	vm_object_t object;

	while ((object = TAILQ_FIRST(&vm->object_list)) != NULL) {
		object->pagerops->dealloc(vm, object);
		TAILQ_REMOVE(&vm->object_list, object, object_list);
		free(object);
	}
	while ((object = TAILQ_FIRST(&vm->object_pool)) != NULL) {
		TAILQ_REMOVE(&vm->object_pool, object, object_list);
		free(object);
	}
}

void
vm_object_reference(struct vm *vm, vm_object_t object)
{
	if (object == NULL)
		return;
	object->ref_count++;
	if (object->pagerops->reference != NULL)
		object->pagerops->reference(vm, object);
}

void
vm_object_set_writeable_dirty(vm_object_t object)
{
	if (object->type != OBJT_VNODE)
		return;
	object->generation++;
	object->flags |= OBJ_MIGHTBEDIRTY;
}

/* ------------------------------------------------------------ locks, sleeps */

void
vm_object_gate(struct vm *vm, vm_object_t object)
{
	if (__builtin_expect(object->lock_owner == NULL &&
	    (object->lock_readers & ~VM_LOCK_WANTED) == 0, 1) ||
	    vm_object_wowned(vm, object))
		return;
	vm_object_wlock(vm, object);
	vm_object_wunlock(vm, object);
}

bool
vm_object_sleep_begin(struct vm *vm, vm_object_t object)
{
	if (!vm_object_wowned(vm, object))
		return (false);
	vm_object_wunlock(vm, object);
	return (true);
}

void
vm_object_sleep_end(struct vm *vm, vm_object_t object, bool owned)
{
	if (owned)
		vm_object_wlock(vm, object);
	else
		vm_object_gate(vm, object);
}

/* Sleep once if the page is busy in any way; then its object may be gone. */
static bool
vm_object_sleep_if_busy(struct vm *vm, vm_object_t object, vm_page_t m,
    const char *wmesg)
{
	bool owned;

	if (!vm_page_busied(m))
		return (false);
	owned = vm_object_sleep_begin(vm, object);
	(void)vm_page_sleep_if_busy(vm, m, true, wmesg);
	vm_object_sleep_end(vm, object, owned);
	return (true);
}

/* ------------------------------------------------------------ paging */

void
vm_object_pip_add(vm_object_t object, int n)
{
	object->paging_in_progress += n;
}

void
vm_object_pip_wakeupn(struct vm *vm, vm_object_t object, int n)
{
	object->paging_in_progress -= n;
	KASSERT(vm->sim, object->paging_in_progress >= 0,
	    ("object %u: paging in progress below 0", object->id));
	if (object->paging_in_progress == 0 &&
	    (object->flags & OBJ_PIPWNT) != 0) {
		object->flags &= (uint16_t)~OBJ_PIPWNT;
		sim_wakeup(vm->sim, object);
	}
}

void
vm_object_pip_wakeup(struct vm *vm, vm_object_t object)
{
	vm_object_pip_wakeupn(vm, object, 1);
}

/* Sleep once until paging in progress ends. */
static void
vm_object_pip_sleep(struct vm *vm, vm_object_t object, const char *msg)
{
	bool owned = vm_object_sleep_begin(vm, object);

	object->flags |= OBJ_PIPWNT;
	(void)sim_sleep(vm->sim, object, PVM, msg, SIM_NO_TIMEOUT);
	vm_object_sleep_end(vm, object, owned);
}

void
vm_object_pip_wait(struct vm *vm, vm_object_t object, const char *msg)
{
	while (object->paging_in_progress != 0)
		vm_object_pip_sleep(vm, object, msg);
}

/* ------------------------------------------------------------ pages */

vm_page_t
vm_object_page_from(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_splay(pindex, object->root);

	object->root = m;
	if (m != NULL && m->pindex < pindex)
		m = TAILQ_NEXT(m, listq);
	return (m);
}

void
vm_object_free_page(struct vm *vm, vm_page_t m)
{
	if (vm->pmap->page_is_mapped(vm, m))
		vm->pmap->remove_all(vm, m);
	if ((m->flags & PG_BUSY) == 0)
		m->flags |= PG_BUSY;
	if (m->wire_count != 0) {
		vm_page_remove(vm, m);
		return;
	}
	m->dirty = 0;
	vm_page_free(vm, m);
}

static void
vm_object_count_wired(void *ctx, struct pmap *pmap, vm_offset_t va, pte_t pte)
{
	uint32_t *n = ctx;

	(void)pmap;
	(void)va;
	*n += (pte & PTE_WIRED) != 0;
}

/* Take the mappings of a page away, and with them their wirings. */
static void
vm_object_unmap_wired(struct vm *vm, vm_page_t m)
{
	uint32_t n = 0;

	pmap_page_foreach(vm->mmu, m->pfn, vm_object_count_wired, &n);
	vm->pmap->remove_all(vm, m);
	while (n-- > 0)
		vm_page_unwire(vm, m, false);
}

/* One page of vm_object_page_remove. True: it slept, look again. */
static bool
vm_object_remove_one(struct vm *vm, vm_object_t object, vm_page_t m,
    bool clean_only)
{
	if (vm_object_sleep_if_busy(vm, object, m, "vmopar"))
		return (true);
	if (m->wire_count != 0 && !clean_only)
		vm_object_unmap_wired(vm, m);
	if (m->wire_count != 0) {
		/* Its owner keeps the frame; what it held is gone. */
		if (!clean_only) {
			m->valid = 0;
			m->dirty = 0;
		}
		return (false);
	}
	if (clean_only && m->valid != 0) {
		vm->pmap->remove_write(vm, m);
		if (m->dirty != 0)
			return (false);
	}
	vm_object_free_page(vm, m);
	return (false);
}

/*
 * vm_object_page_remove: free the pages of [start, end), mappings and all;
 * end 0: to the object's end. clean_only: dirty ones stay. Sleeps for busy
 * pages.
 */
void
vm_object_page_remove(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, bool clean_only)
{
	vm_pindex_t at = start;
	uint32_t why;
	vm_page_t m;

	vm_object_gate(vm, object);
	if (object->resident_page_count == 0)
		return;
	vm_object_pip_add(object, 1);
	why = vm_why(vm, WHY_OBJ_TRUNCATE);
	while ((m = vm_object_page_from(object, at)) != NULL &&
	    (end == 0 || m->pindex < end)) {
		at = m->pindex;
		if (!vm_object_remove_one(vm, object, m, clean_only))
			at++;
	}
	vm_why(vm, why);
	vm_object_pip_wakeup(vm, object);
}

/* ------------------------------------------------------------ the end */

static void
vm_object_terminate_pages(struct vm *vm, vm_object_t object)
{
	uint32_t why = vm_why(vm, WHY_OBJ_TERMINATE);
	vm_page_t m;

	while ((m = TAILQ_FIRST(&object->memq)) != NULL) {
		KASSERT(vm->sim, !vm_page_busied(m),
		    ("page %u of dying object %u is busy", m->pfn, object->id));
		if (m->wire_count == 0)
			vm->cnt.v_pfree++;
		vm_object_free_page(vm, m);
	}
	vm_why(vm, why);
}

/*
 * vm_object_terminate: nobody refers to the object any more. Waits for paging
 * to end, writes a file's dirty pages, frees the rest.
 */
void
vm_object_terminate(struct vm *vm, vm_object_t object)
{
	vm_object_gate(vm, object);
	object->flags |= OBJ_DEAD;
	vm_object_pip_wait(vm, object, "objtrm");
	if (object->type == OBJT_VNODE)
		vm_object_page_clean(vm, object, 0, 0, OBJPC_SYNC);
	vm_object_gate(vm, object);
	vm_object_terminate_pages(vm, object);
	vm_object_destroy(vm, object);
}

/*
 * One reference is left and it is a shadow: pull this object into it.
 * Returns the object that the deallocation goes on with, NULL when done.
 * *term: it has lost its last reference meanwhile.
 */
static vm_object_t
vm_object_deallocate_shadow(struct vm *vm, vm_object_t object, bool *term)
{
	vm_object_t shadow = LIST_FIRST(&object->shadow_head);

	*term = false;
	if (!vm_object_is_anonymous(shadow))
		return (NULL);
	shadow->ref_count++;
	while (object == shadow->backing_object &&
	    (shadow->paging_in_progress != 0 ||
	    object->paging_in_progress != 0)) {
		/* Either may be gone after the sleep; then it is no backing
		 * object any more. */
		if (shadow->paging_in_progress != 0)
			vm_object_pip_sleep(vm, shadow, "objde1");
		else
			vm_object_pip_sleep(vm, object, "objde2");
	}
	if (shadow->ref_count == 1) {
		shadow->ref_count = 0;
		*term = true;
		return (shadow);
	}
	vm_object_collapse(vm, shadow);
	return (shadow);
}

/* One reference less. Returns true when it was the last. */
static bool
vm_object_drop_reference(struct vm *vm, vm_object_t *objectp)
{
	vm_object_t object = *objectp;
	bool term = false;

	KASSERT(vm->sim, object->ref_count > 0,
	    ("object %u deallocated too often", object->id));
	object->ref_count--;
	if (object->ref_count == 0)
		return (true);
	*objectp = NULL;
	if (object->ref_count > 1 || !vm_object_is_anonymous(object))
		return (false);
	if (object->shadow_count == 0)
		object->flags |= OBJ_ONEMAPPING;
	else if (object->shadow_count == 1)
		*objectp = vm_object_deallocate_shadow(vm, object, &term);
	return (term);
}

/*
 * vm_object_deallocate: drop one reference, and with the last one the object
 * and its reference to the object behind it. May sleep.
 * Source: FreeBSD 11 vm_object.c, vm_object_deallocate().
 */
void
vm_object_deallocate(struct vm *vm, vm_object_t object)
{
	vm_object_t backing;

	while (object != NULL) {
		vm_object_gate(vm, object);
		if (object->type == OBJT_VNODE) {
			KASSERT(vm->sim, object->ref_count > 0,
			    ("vnode object %u deallocated too often",
				object->id));
			object->ref_count--;
			object->pagerops->release(vm, object);
			return;
		}
		if (!vm_object_drop_reference(vm, &object))
			continue;
		backing = object->backing_object;
		if (backing != NULL) {
			LIST_REMOVE(object, shadow_list);
			backing->shadow_count--;
			object->backing_object = NULL;
		}
		if ((object->flags & OBJ_DEAD) == 0)
			vm_object_terminate(vm, object);
		object = backing;
	}
}
