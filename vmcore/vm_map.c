/*
 * vm_map.c: address maps: the ring of entries in order of address, the splay
 * tree that finds them, clipping and merging, insertion and removal, locks.
 *
 * Interface: vmcore/vm_map.h.
 * Source:    FreeBSD 11 vm_map.c of the end of 2015 (vm_map_insert,
 *            vm_map_delete, vm_map_entry_delete, vm_map_simplify_entry) as
 *            told by companions 7.4; the tree: Sleator and Tarjan, top-down
 *            splaying, keyed by an entry's start.
 * Differs:   free space is searched downwards as Linux programs expect, and
 *            stacks keep a guard gap.
 */
#include <stdlib.h>

#include "vmcore/vm_int.h"
#include "vmcore/vm_lock.h"

/* ------------------------------------------------------------ locks */

bool
vm_map_trylock(struct vm *vm, vm_map_t map)
{
	if (!vm_lock_try_excl(vm, &map->lock_owner, &map->lock_readers))
		return (false);
	map->timestamp++;
	return (true);
}

bool
vm_map_trylock_read(struct vm *vm, vm_map_t map)
{
	(void)vm;
	return (vm_lock_try_shared(&map->lock_owner, &map->lock_readers));
}

void
vm_map_lock(struct vm *vm, vm_map_t map)
{
	vm_lock_excl(vm, &map->lock_owner, &map->lock_readers, "vmmaplk");
	map->timestamp++;
}

void
vm_map_lock_read(struct vm *vm, vm_map_t map)
{
	vm_lock_shared(vm, &map->lock_owner, &map->lock_readers, "vmmaprd");
}

void
vm_map_unlock(struct vm *vm, vm_map_t map)
{
	vm_unlock_excl(vm, &map->lock_owner, &map->lock_readers);
}

void
vm_map_unlock_read(struct vm *vm, vm_map_t map)
{
	vm_unlock_shared(vm, &map->lock_owner, &map->lock_readers);
}

void
vm_map_lock_downgrade(struct vm *vm, vm_map_t map)
{
	vm_map_unlock(vm, map);
	/* Whoever was woken has not run yet. */
	vm_map_lock_read(vm, map);
}

/* ------------------------------------------------------------ entries */

void
vm_map_init(vm_map_t map, struct pmap *pmap, vm_offset_t min, vm_offset_t max)
{
	*map = (struct vm_map) { .pmap = pmap, .min_offset = min,
		.max_offset = max };
	map->header.next = map->header.prev = &map->header;
	map->header.start = max;
	map->header.end = min;
}

struct vm_map_entry *
vm_map_entry_create(struct vm *vm)
{
	struct vm_map_entry *entry = vm->entry_pool;

	if (entry != NULL)
		vm->entry_pool = entry->next;
	else {
		entry = malloc(sizeof(*entry));
		if (entry == NULL)
			sim_nomem(vm->sim, "a map entry");
		vm->map_entry_bytes += sizeof(*entry);
	}
	*entry = (struct vm_map_entry) { 0 };
	vm_spend(vm, vm->cost.map_entry);
	return (entry);
}

static void
vm_map_entry_free(struct vm *vm, vm_map_entry_t entry)
{
	entry->next = vm->entry_pool;
	vm->entry_pool = entry;
	vm_spend(vm, vm->cost.map_entry);
}

void
vm_map_entry_pool_free(struct vm *vm)
{
	struct vm_map_entry *entry;

	while ((entry = vm->entry_pool) != NULL) {
		vm->entry_pool = entry->next;
		free(entry);
	}
}

/* The entry that holds addr becomes the root, or one of its neighbours. */
static vm_map_entry_t
vm_map_entry_splay(vm_offset_t addr, vm_map_entry_t root)
{
	vm_map_entry_t left = NULL, right = NULL, child;
	vm_map_entry_t *left_end = &left, *right_end = &right;

	if (root == NULL)
		return (NULL);
	while (addr < root->start || addr >= root->end) {
		if (addr < root->start) {
			if ((child = root->left) == NULL)
				break;
			if (addr < child->start && child->left != NULL) {
				root->left = child->right;
				child->right = root;
				root = child;
				child = root->left;
			}
			*right_end = root;
			right_end = &root->left;
		} else {
			if ((child = root->right) == NULL)
				break;
			if (addr >= child->end && child->right != NULL) {
				root->right = child->left;
				child->left = root;
				root = child;
				child = root->right;
			}
			*left_end = root;
			left_end = &root->right;
		}
		root = child;
	}
	*left_end = root->left;
	*right_end = root->right;
	root->left = left;
	root->right = right;
	return (root);
}

void
vm_map_entry_link(struct vm *vm, vm_map_t map, vm_map_entry_t after,
    vm_map_entry_t entry)
{
	KASSERT(vm->sim,
	    (after == &map->header || after->end <= entry->start) &&
	    (after->next == &map->header || entry->end <= after->next->start),
	    ("map entry %llx-%llx overlaps its neighbours",
		(unsigned long long)entry->start,
		(unsigned long long)entry->end));
	entry->prev = after;
	entry->next = after->next;
	after->next->prev = entry;
	after->next = entry;
	if (after == &map->header) {
		entry->right = map->root != NULL ?
		    vm_map_entry_splay(entry->start, map->root) : NULL;
		entry->left = NULL;
	} else {
		after = vm_map_entry_splay(after->start, map->root);
		entry->right = after->right;
		entry->left = after;
		after->right = NULL;
	}
	map->root = entry;
	map->nentries++;
}

static void
vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_t root = vm_map_entry_splay(entry->start, map->root);

	if (root->left == NULL)
		root = root->right;
	else {
		root = vm_map_entry_splay(entry->start, entry->left);
		root->right = entry->right;
	}
	map->root = root;
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	map->nentries--;
}

/*
 * vm_map_lookup_entry: true with the entry that holds addr, false with the
 * one before it (the header when there is none).
 */
bool
vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entry)
{
	vm_map_entry_t e = vm_map_entry_splay(addr, map->root);

	map->root = e;
	if (e == NULL) {
		*entry = &map->header;
		return (false);
	}
	if (addr < e->start) {
		*entry = e->prev;
		return (false);
	}
	*entry = e;
	return (addr < e->end);
}

vm_map_entry_t
vm_map_entry_from(struct vm *vm, vm_map_t map, vm_offset_t addr, bool clip)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, addr, &entry))
		return (entry->next);
	if (clip)
		vm_map_clip_start(vm, map, entry, addr);
	return (entry);
}

/* ------------------------------------------------------------ clip, merge */

/* The object is made before a split, or each half would get one of its own. */
static void
vm_map_clip_object(struct vm *vm, vm_map_entry_t entry)
{
	if (entry->object != NULL)
		return;
	entry->object = vm_object_allocate(vm, OBJT_DEFAULT,
	    OFF_TO_IDX(entry->end - entry->start));
	entry->offset = 0;
	entry->next_read = 0;
}

void
vm_map_clip_start(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start)
{
	vm_map_entry_t lower;

	if (start <= entry->start)
		return;
	vm_map_simplify_entry(vm, map, entry);
	vm_map_clip_object(vm, entry);
	lower = vm_map_entry_create(vm);
	*lower = *entry;
	lower->end = start;
	entry->offset += start - entry->start;
	entry->start = start; /* keys stay in order */
	/* What may still grow is below the lower half. */
	entry->avail_ssize = 0;
	entry->eflags &= (uint32_t)~MAP_ENTRY_GROWS_DOWN;
	vm_object_reference(vm, lower->object);
	vm_map_entry_link(vm, map, entry->prev, lower);
}

void
vm_map_clip_end(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t end)
{
	vm_map_entry_t upper;

	if (end >= entry->end)
		return;
	vm_map_clip_object(vm, entry);
	upper = vm_map_entry_create(vm);
	*upper = *entry;
	upper->start = entry->end = end;
	upper->offset += end - entry->start;
	upper->avail_ssize = 0;
	upper->eflags &= (uint32_t)~MAP_ENTRY_GROWS_DOWN;
	vm_object_reference(vm, upper->object);
	vm_map_entry_link(vm, map, entry, upper);
}

static bool
vm_map_mergeable(const struct vm_map_entry *a, const struct vm_map_entry *b)
{
	return (a->end == b->start && a->object == b->object &&
	    (a->object == NULL ||
	    a->offset + (a->end - a->start) == b->offset) &&
	    a->eflags == b->eflags && a->protection == b->protection &&
	    a->max_protection == b->max_protection &&
	    a->inheritance == b->inheritance &&
	    a->wired_count == b->wired_count &&
	    (a->eflags & MAP_ENTRY_GROWS_DOWN) == 0);
}

/* The upper entry swallows the lower one. */
static void
vm_map_merge(struct vm *vm, vm_map_t map, vm_map_entry_t lower,
    vm_map_entry_t upper)
{
	vm_map_entry_unlink(map, lower);
	upper->start = lower->start;
	upper->offset = lower->offset;
	/* It still has one, so this never is the last reference. */
	if (lower->object != NULL)
		vm_object_deallocate(vm, lower->object);
	vm_map_entry_free(vm, lower);
}

void
vm_map_simplify_entry(struct vm *vm, vm_map_t map, vm_map_entry_t entry)
{
	if (entry->prev != &map->header &&
	    vm_map_mergeable(entry->prev, entry))
		vm_map_merge(vm, map, entry->prev, entry);
	if (entry->next != &map->header &&
	    vm_map_mergeable(entry, entry->next)) {
		vm_map_entry_t next = entry->next;
		vm_offset_t end = next->end;

		/* Keep `entry`, which the caller holds. */
		vm_map_entry_unlink(map, next);
		vm_map_lookup_entry(map, entry->start, &entry);
		entry->end = end;
		if (next->object != NULL)
			vm_object_deallocate(vm, next->object);
		vm_map_entry_free(vm, next);
	}
}

/* ------------------------------------------------------------ space */

vm_offset_t
vm_map_entry_floor(const struct vm_map_entry *entry)
{
	uint64_t below;

	if ((entry->eflags & MAP_ENTRY_GROWS_DOWN) == 0)
		return (entry->start);
	below = entry->avail_ssize + VM_STACK_GUARD;
	return (entry->start > below ? entry->start - below : 0);
}

bool
vm_map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	if (vm_map_lookup_entry(map, start, &entry))
		return (false);
	return (entry->next == &map->header || entry->next->start >= end);
}

vm_offset_t
vm_map_findspace(vm_map_t map, vm_offset_t top, uint64_t length)
{
	vm_map_entry_t entry;
	vm_offset_t limit;

	if (top > map->max_offset)
		top = map->max_offset;
	(void)vm_map_lookup_entry(map, top - 1, &entry);
	limit = top;
	if (entry->next != &map->header &&
	    vm_map_entry_floor(entry->next) < limit)
		limit = vm_map_entry_floor(entry->next);
	for (;; entry = entry->prev) {
		vm_offset_t low = entry == &map->header ? map->min_offset :
							  entry->end;

		if (limit > low && limit - low >= length)
			return (limit - length);
		if (entry == &map->header)
			return (0);
		if (vm_map_entry_floor(entry) < limit)
			limit = vm_map_entry_floor(entry);
	}
}

/* ------------------------------------------------------------ insertion */

/*
 * Anonymous memory right above anonymous memory: use the same object, and the
 * same entry if the rights agree too.
 * Returns the grown entry, or NULL; then *object and *offset may have become
 * the neighbour's.
 */
static vm_map_entry_t
vm_map_insert_coalesce(struct vm *vm, vm_map_t map, vm_map_entry_t prev,
    const struct vm_map_new *n, vm_object_t *object, uint64_t *offset)
{
	uint64_t prev_size = prev->end - prev->start;

	if (n->object != NULL || prev == &map->header ||
	    prev->end != n->start || prev->eflags != n->eflags ||
	    (n->eflags & (MAP_ENTRY_GROWS_DOWN | MAP_ENTRY_STACK)) != 0 ||
	    prev->wired_count != 0 ||
	    !vm_object_coalesce(vm, prev->object, prev->offset, prev_size,
	    n->end - n->start))
		return (NULL);
	if (prev->inheritance == n->inheritance &&
	    prev->protection == n->prot &&
	    prev->max_protection == n->max_prot) {
		vm_map_lookup_entry(map, prev->start, &prev);
		map->size += n->end - prev->end;
		prev->end = n->end;
		vm_map_simplify_entry(vm, map, prev);
		return (prev);
	}
	*object = prev->object;
	*offset = prev->offset + prev_size;
	vm_object_reference(vm, *object);
	return (NULL);
}

/*
 * vm_map_insert: a new entry where nothing is mapped.
 * Source: FreeBSD 11 vm_map.c, vm_map_insert().
 */
int
vm_map_insert(struct vm *vm, vm_map_t map, const struct vm_map_new *n,
    vm_map_entry_t *entryp)
{
	vm_object_t object = n->object;
	uint64_t offset = n->offset;
	vm_map_entry_t prev, entry;

	if (n->start < map->min_offset || n->end > map->max_offset ||
	    n->start >= n->end || !vm_map_range_free(map, n->start, n->end))
		return (KERN_NO_SPACE);
	(void)vm_map_lookup_entry(map, n->start, &prev);
	if (object != NULL && (object->shadow_count != 0 ||
	    object->ref_count > 1))
		object->flags &= (uint16_t)~OBJ_ONEMAPPING;
	entry = vm_map_insert_coalesce(vm, map, prev, n, &object, &offset);
	if (entry == NULL) {
		entry = vm_map_entry_create(vm);
		entry->start = n->start;
		entry->end = n->end;
		entry->object = object;
		entry->offset = offset;
		entry->eflags = n->eflags;
		entry->protection = n->prot;
		entry->max_protection = n->max_prot;
		entry->inheritance = n->inheritance;
		entry->read_ahead = 15; /* READ_AHEAD_INIT */
		entry->next_read = OFF_TO_IDX(offset);
		vm_map_entry_link(vm, map, prev, entry);
		map->size += n->end - n->start;
		vm_map_simplify_entry(vm, map, entry);
	}
	if (entryp != NULL)
		*entryp = entry;
	return (KERN_SUCCESS);
}

/* ------------------------------------------------------------ removal */

/*
 * The memory of an entry that is going: when the object stays, because other
 * entries of the same one mapping use its other parts, the range is freed
 * now.
 */
static void
vm_map_entry_release(struct vm *vm, vm_map_entry_t entry)
{
	vm_object_t object = entry->object;
	vm_pindex_t start = OFF_TO_IDX(entry->offset);
	vm_pindex_t count = OFF_TO_IDX(entry->end - entry->start);

	if (object == NULL || object->ref_count == 1 ||
	    (object->flags & (OBJ_NOSPLIT | OBJ_ONEMAPPING)) != OBJ_ONEMAPPING)
		return;
	vm_object_collapse(vm, object);
	vm_object_page_remove(vm, object, start, start + count, false);
	object->pagerops->freespace(vm, object, start, count);
	if (start + count >= object->size && start < object->size)
		object->size = start;
}

/* Unwire, unmap and unlink one entry. */
static void
vm_map_entry_withdraw(struct vm *vm, vm_map_t map, vm_map_entry_t entry)
{
	if (entry->wired_count != 0)
		vm_fault_unwire(vm, map, entry->start, entry->end);
	entry->wired_count = 0;
	entry->eflags &= (uint32_t)~MAP_ENTRY_USER_WIRED;
	if (entry->object != NULL)
		vm_pmap_remove(vm, map->pmap, entry->start, entry->end);
	vm_map_entry_unlink(map, entry);
	map->size -= entry->end - entry->start;
}

/*
 * vm_map_delete: unmap [start, end). Entries are cut to size, unwired, and
 * their mappings removed; they go to *deferred because the last reference to
 * an object may take long to drop.
 */
void
vm_map_delete(struct vm *vm, vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_map_entry_t *deferred)
{
	vm_map_entry_t entry, next;

	entry = vm_map_entry_from(vm, map, start, true);
	while (entry != &map->header && entry->start < end) {
		vm_map_clip_end(vm, map, entry, end);
		next = entry->next;
		vm_map_entry_withdraw(vm, map, entry);
		vm_map_entry_release(vm, entry);
		entry->next = *deferred;
		*deferred = entry;
		entry = next;
	}
}

void
vm_map_take(struct vm *vm, vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_map_entry_t *taken)
{
	vm_map_entry_t entry, next;

	entry = vm_map_entry_from(vm, map, start, true);
	while (entry != &map->header && entry->start < end) {
		vm_map_clip_end(vm, map, entry, end);
		next = entry->next;
		vm_map_entry_withdraw(vm, map, entry);
		entry->next = NULL;
		*taken = entry;
		taken = &entry->next;
		entry = next;
	}
}

/* Newest first as they were collected: turn round, oldest go first. */
static vm_map_entry_t
vm_map_dispose_order(vm_map_entry_t list)
{
	vm_map_entry_t out = NULL, next;

	for (; list != NULL; list = next) {
		next = list->next;
		list->next = out;
		out = list;
	}
	return (out);
}

void
vm_map_dispose(struct vm *vm, vm_map_entry_t deferred)
{
	vm_map_entry_t entry, next;

	for (entry = vm_map_dispose_order(deferred); entry != NULL;
	    entry = next) {
		next = entry->next;
		if (entry->object != NULL)
			vm_object_deallocate(vm, entry->object);
		vm_map_entry_free(vm, entry);
	}
}

/* ------------------------------------------------------------ invariants */

static void
vm_map_check_entry(struct vm *vm, const struct vm_map *map,
    const struct vm_map_entry *e)
{
	KASSERT(vm->sim, e->start < e->end && (e->start & PAGE_MASK) == 0 &&
	    (e->end & PAGE_MASK) == 0, ("entry %llx-%llx is malformed",
	    (unsigned long long)e->start, (unsigned long long)e->end));
	KASSERT(vm->sim, e->prev == &map->header || e->prev->end <= e->start,
	    ("entry at %llx overlaps its neighbour",
		(unsigned long long)e->start));
	KASSERT(vm->sim, e->next->prev == e && e->prev->next == e,
	    ("entry ring broken at %llx", (unsigned long long)e->start));
	if (e->object == NULL)
		return;
	KASSERT(vm->sim, e->object->ref_count > 0 &&
	    (e->object->type == OBJT_VNODE ||
	    (e->object->flags & OBJ_DEAD) == 0),
	    ("entry at %llx refers to a dead object",
		(unsigned long long)e->start));
	KASSERT(vm->sim, e->object->type == OBJT_VNODE ||
	    OFF_TO_IDX(e->offset + (e->end - e->start)) <= e->object->size,
	    ("entry at %llx reaches past its object",
		(unsigned long long)e->start));
}

void
vm_map_check(struct vm *vm, struct vmspace *vs)
{
	const struct vm_map *map = &vs->vm_map;
	const struct vm_map_entry *e;
	uint64_t size = 0;
	uint32_t n = 0;

	/* Somebody sleeps in the middle of a change. */
	if (map->lock_owner != NULL && map->lock_owner != vm_lock_self(vm))
		return;
	for (e = map->header.next; e != &map->header; e = e->next) {
		vm_map_check_entry(vm, map, e);
		size += e->end - e->start;
		n++;
	}
	KASSERT(vm->sim, n == map->nentries,
	    ("map has %u entries, counts %u", n, map->nentries));
	KASSERT(vm->sim, size == map->size,
	    ("map maps %llu bytes, counts %llu", (unsigned long long)size,
		(unsigned long long)map->size));
}
