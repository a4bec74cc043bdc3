/*
 * vm_page_object.c: which pages an object has: a splay tree for lookups and
 * a list in index order for walks.
 *
 * Interface: vmcore/vm_page.h.
 * Source:    FreeBSD 5.0 vm_page.c (vm_page_splay to vm_page_rename,
 *            vm_page_grab); vm_page_next and _prev: FreeBSD 11 vm_page.c.
 *            The tree: Sleator and Tarjan, "Self-adjusting binary search
 *            trees", top-down splaying.
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_page_int.h"

/*
 * vm_page_splay: bring the page with this index, or a neighbour of where it
 * would be, to the root. NULL only for an empty tree.
 *
 * Going down, whatever lies right of the way is hung under the leftmost place
 * of a right tree, whatever lies left under the rightmost of a left tree.
 */
vm_page_t
vm_page_splay(vm_pindex_t pindex, vm_page_t root)
{
	vm_page_t left = NULL, right = NULL;
	vm_page_t *left_end = &left, *right_end = &right;
	vm_page_t child;

	if (root == NULL)
		return (NULL);
	while (pindex != root->pindex) {
		if (pindex < root->pindex) {
			if ((child = root->left) == NULL)
				break;
			if (pindex < child->pindex) {
				/* Two steps the same way: rotate. */
				root->left = child->right;
				child->right = root;
				root = child;
				if ((child = root->left) == NULL)
					break;
			}
			*right_end = root;
			right_end = &root->left;
		} else {
			if ((child = root->right) == NULL)
				break;
			if (pindex > child->pindex) {
				root->right = child->left;
				child->left = root;
				root = child;
				if ((child = root->right) == NULL)
					break;
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

/* Into tree and list, by its index; m becomes the tree's root. */
void
vm_page_tree_insert(struct vm_object *object, vm_page_t m)
{
	vm_page_t root = object->root;

	object->root = m;
	if (root == NULL) {
		m->left = m->right = NULL;
		TAILQ_INSERT_TAIL(&object->memq, m, listq);
		return;
	}
	root = vm_page_splay(m->pindex, root);
	if (m->pindex < root->pindex) {
		m->left = root->left;
		m->right = root;
		root->left = NULL;
		TAILQ_INSERT_BEFORE(root, m, listq);
	} else {
		m->right = root->right;
		m->left = root;
		root->right = NULL;
		TAILQ_INSERT_AFTER(&object->memq, root, m, listq);
	}
}

/* Marking objects is the object module's, whose era is not always ours. */
static void
vm_page_insert_writeable(struct vm *vm, struct vm_object *object)
{
	if (vm->page_hooks != NULL && vm->page_hooks->object_writeable != NULL)
		vm->page_hooks->object_writeable(vm, object);
	else
		vm_object_set_writeable_dirty(object);
}

/* Give the page an identity. Mappings are the caller's business. */
void
vm_page_insert(struct vm *vm, vm_page_t m, struct vm_object *object,
    vm_pindex_t pindex)
{
	if (m->object != NULL)
		vm_panic(vm, "INSERT_TWICE: page %u is in object %u", m->pfn,
		    m->object->id);
	m->object = object;
	m->pindex = pindex;
	vm_page_tree_insert(object, m);
	object->generation++;
	object->resident_page_count++;
	/* It may come with modifications. */
	if ((m->flags & PG_WRITEABLE) != 0)
		vm_page_insert_writeable(vm, object);
}

/* Out of tree and list. */
void
vm_page_tree_remove(struct vm_object *object, vm_page_t m)
{
	vm_page_t root;

	if (m != object->root)
		(void)vm_page_splay(m->pindex, object->root);
	if (m->left == NULL)
		root = m->right;
	else {
		/* The largest of the left part becomes the root. */
		root = vm_page_splay(m->pindex, m->left);
		root->right = m->right;
	}
	object->root = root;
	TAILQ_REMOVE(&object->memq, m, listq);
}

/*
 * vm_page_remove: take a busy page out of its object, which ends its being
 * busy. Nothing happens to a page without one. Mappings stay.
 */
void
vm_page_remove(struct vm *vm, vm_page_t m)
{
	vm_object_t object = m->object;

	if (object == NULL)
		return;
	if ((m->flags & PG_BUSY) == 0)
		vm_panic(vm, "REMOVE_NOT_BUSY: page %u is not busy", m->pfn);
	vm_page_wakeup(vm, m);
	vm_page_tree_remove(object, m);
	object->resident_page_count--;
	object->generation++;
	m->object = NULL;
}

vm_page_t
vm_page_lookup(struct vm_object *object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_splay(pindex, object->root);

	object->root = m;
	return (m != NULL && m->pindex == pindex ? m : NULL);
}

vm_page_t
vm_page_next(vm_page_t m)
{
	vm_page_t next = TAILQ_NEXT(m, listq);

	return (next != NULL && next->pindex == m->pindex + 1 ? next : NULL);
}

vm_page_t
vm_page_prev(vm_page_t m)
{
	vm_page_t prev = TAILQ_PREV(m, pglist, listq);

	return (prev != NULL && prev->pindex + 1 == m->pindex ? prev : NULL);
}

/*
 * vm_page_rename: move a busy page to another object. It becomes dirty in any
 * case (a copy on swap belongs to the old place), so it leaves CACHE.
 */
void
vm_page_rename(struct vm *vm, vm_page_t m, struct vm_object *new_object,
    vm_pindex_t new_pindex)
{
	vm_page_remove(vm, m);
	vm_page_insert(vm, m, new_object, new_pindex);
	if (vm_page_on_cache(vm, m))
		vm_page_deactivate(vm, m);
	vm_page_dirty(vm, m);
}

/*
 * Sleep while m is busy and the object has not changed. False: the caller
 * does not want to try again.
 */
static bool
vm_page_grab_sleep(struct vm *vm, struct vm_object *object, vm_page_t m,
    int allocflags)
{
	int32_t generation = object->generation;

	while (object->generation == generation && vm_page_busied(m)) {
		vm_page_flag_set(m, PG_WANTED | PG_REFERENCED);
		(void)sim_sleep(vm->sim, m, PVM, "pgrbwt", SIM_NO_TIMEOUT);
		if ((allocflags & VM_ALLOC_RETRY) == 0)
			return (false);
	}
	return (true);
}

/*
 * vm_page_grab: the object's page at pindex, busied; allocated when there is
 * none. Sleeps while the page is busy or memory is short.
 * Returns NULL after the first sleep unless VM_ALLOC_RETRY is set.
 */
vm_page_t
vm_page_grab(struct vm *vm, struct vm_object *object, vm_pindex_t pindex,
    int allocflags)
{
	bool retry = (allocflags & VM_ALLOC_RETRY) != 0;
	vm_page_t m;

	for (;;) {
		m = vm_page_lookup(object, pindex);
		if (m != NULL && vm_page_busied(m)) {
			if (!vm_page_grab_sleep(vm, object, m, allocflags))
				return (NULL);
			continue;
		}
		if (m != NULL) {
			if ((allocflags & VM_ALLOC_WIRED) != 0)
				vm_page_wire(vm, m);
			vm_page_busy(vm, m);
			return (m);
		}
		m = vm_page_alloc(vm, object, pindex,
		    allocflags & ~VM_ALLOC_RETRY);
		if (m != NULL)
			return (m);
		vm_wait(vm);
		if (!retry)
			return (NULL);
	}
}
