/*
 * vm_fault_read.c: reading a page from a pager for a fault: which neighbours
 * to read with it, and letting go of what lies behind a sequential walk.
 *
 * Interface: vmcore/bsd/vm_fault.h (vm_fault_read).
 * Source:    FreeBSD 11 vm_fault.c before r292373 (16 Dec 2015), as told by
 *            companions 6.2 and 6.3.
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_fault.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------------------ behind */

/* Deactivate the object's pages of [start, end) of the entry. */
static void
vm_fault_dontneed_pages(struct faultstate *fs, vm_offset_t start,
    vm_offset_t end)
{
	struct vm *vm = fs->vm;
	const struct vm_map_entry *entry = fs->entry;
	vm_pindex_t pstart = OFF_TO_IDX(entry->offset + (start - entry->start));
	vm_pindex_t pend = OFF_TO_IDX(entry->offset + (end - entry->start));
	uint32_t why = vm_why(vm, WHY_DEACTIVATE_BEHIND);
	vm_page_t m;

	vm_object_gate(vm, fs->first_object);
	for (m = vm_object_page_from(fs->first_object, pstart);
	    m != NULL && m->pindex < pend; m = TAILQ_NEXT(m, listq)) {
		/* A software reference is likely another process's: kept. */
		if (m->valid == VM_PAGE_BITS_ALL && !vm_page_busied(m) &&
		    vm_queue_of(vm, m, m->queue) != VMQ_CACHE)
			vm_page_deactivate(vm, m);
	}
	vm_why(vm, why);
}

/*
 * Deactivate-behind: the fault and what is read ahead of it reach the end of
 * a 2 MiB block, so the block before it has been walked through.
 */
static void
vm_fault_dontneed(struct faultstate *fs, int ahead)
{
	const uint64_t size = VM_FAULT_DONTNEED_MIN;
	vm_offset_t start, end = fs->va & ~(size - 1);

	if ((fs->first_object->flags & (OBJ_FICTITIOUS | OBJ_UNMANAGED)) != 0)
		return;
	if (fs->va - end < size - PAGE_SIZE - ((uint64_t)ahead << PAGE_SHIFT) ||
	    fs->entry->start >= end)
		return;
	start = end - fs->entry->start < size ? fs->entry->start : end - size;
	pmap_advise(fs->map->pmap, start, end, PMAP_ADVISE_DONTNEED);
	vm_fault_dontneed_pages(fs, start, end);
}

/* ------------------------------------------------------------ window */

static int
clip(int n, uint64_t limit)
{
	return ((uint64_t)n < limit ? n : (int)limit);
}

/* The entry is walked in order: read ever further ahead. */
static void
vm_fault_window_sequential(struct faultstate *fs, int *ahead)
{
	int era = fs->entry->read_ahead;

	*ahead = era == 0 ? VM_FAULT_READ_AHEAD_MIN :
			    VM_FAULT_READ_AHEAD_MIN + era + 1;
	if (*ahead > VM_FAULT_READ_AHEAD_MAX)
		*ahead = VM_FAULT_READ_AHEAD_MAX;
	if (era == VM_FAULT_READ_AHEAD_MAX)
		vm_fault_dontneed(fs, *ahead);
	fs->entry->read_ahead = (uint8_t)*ahead;
}

/* Pages to read before and after the one wanted, by the map's view alone. */
static void
vm_fault_window(struct faultstate *fs, int *behind, int *ahead)
{
	vm_map_entry_t entry = fs->entry;
	uint32_t behavior = entry->eflags & MAP_ENTRY_BEHAV_MASK;
	int cluster;

	*behind = 0;
	*ahead = 0;
	if (behavior == MAP_ENTRY_BEHAV_RANDOM || P_KILLED(fs->vm))
		entry->read_ahead = 0;
	else if (behavior == MAP_ENTRY_BEHAV_SEQUENTIAL) {
		*ahead = VM_FAULT_READ_AHEAD_MAX;
		if (fs->pindex == entry->next_read)
			vm_fault_dontneed(fs, *ahead);
		entry->read_ahead = VM_FAULT_READ_AHEAD_MAX;
	} else if (fs->pindex == entry->next_read)
		vm_fault_window_sequential(fs, ahead);
	else {
		cluster = (int)(fs->pindex % VM_FAULT_READ_DEFAULT);
		*behind = clip(cluster, OFF_TO_IDX(fs->va - entry->start));
		*ahead = VM_FAULT_READ_DEFAULT - 1 - cluster;
		entry->read_ahead = 0;
	}
	*ahead = clip(*ahead, OFF_TO_IDX(entry->end - fs->va) - 1);
}

/* ------------------------------------------------------------ page array */

/* Pages in front of fs->m, nearest first; they end at a resident page or a
 * failed allocation. Returns how many, at mc[0..] in order of index. */
static int
vm_fault_pages_behind(struct faultstate *fs, vm_page_t *mc, int behind)
{
	vm_page_t near = TAILQ_PREV(fs->m, pglist, listq), m;
	vm_pindex_t pindex = fs->m->pindex, start;
	int n = 0, i;

	start = pindex < (vm_pindex_t)behind ? 0 :
	    pindex - (vm_pindex_t)behind;
	if (near != NULL && near->pindex >= start)
		start = near->pindex + 1;
	while (pindex - (vm_pindex_t)n > start) {
		m = vm_page_alloc(fs->vm, fs->object,
		    pindex - (vm_pindex_t)n - 1, VM_ALLOC_NORMAL);
		if (m == NULL)
			break;
		mc[n++] = m;
	}
	for (i = 0; i < n / 2; i++) {
		m = mc[i];
		mc[i] = mc[n - 1 - i];
		mc[n - 1 - i] = m;
	}
	return (n);
}

/* Pages after fs->m, in the same way. */
static int
vm_fault_pages_ahead(struct faultstate *fs, vm_page_t *mc, int ahead)
{
	vm_page_t near = TAILQ_NEXT(fs->m, listq), m;
	vm_pindex_t pindex = fs->m->pindex + 1;
	vm_pindex_t end = pindex + (vm_pindex_t)ahead;
	int n = 0;

	if (near != NULL && near->pindex < end)
		end = near->pindex;
	if (end > fs->object->size)
		end = fs->object->size;
	for (; pindex < end; pindex++) {
		m = vm_page_alloc(fs->vm, fs->object, pindex, VM_ALLOC_NORMAL);
		if (m == NULL)
			break;
		mc[n++] = m;
	}
	return (n);
}

/*
 * vm_fault_additional_pages: fs->m and the neighbours to read with it, as far
 * as they lie next to it in the store. Returns the number of pages, 0 when
 * the store does not have the page.
 */
static int
vm_fault_additional_pages(struct faultstate *fs, int behind, int ahead,
    vm_page_t *mc, int *reqpage)
{
	int cbehind = 0, cahead = 0, n;

	if (!vm_pager_has_page(fs->vm, fs->object, fs->pindex, &cbehind,
	    &cahead))
		return (0);
	if (behind > cbehind)
		behind = cbehind;
	if (ahead > cahead)
		ahead = cahead;
	n = vm_fault_pages_behind(fs, mc, behind);
	*reqpage = n;
	mc[n++] = fs->m;
	return (n + vm_fault_pages_ahead(fs, mc + n, ahead));
}

/* ------------------------------------------------------------ the read */

/*
 * A reader of a file holds the vnode's lock. False: somebody else had it;
 * everything was let go and the fault must start over.
 */
static bool
vm_fault_lock_vnode(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	struct vnode *vp = fs->object->handle;
	uint32_t why;

	vnode_ref(vp);
	if (vnode_trylock(vm, vp, true)) {
		fs->vp = vp;
		return (true);
	}
	why = vm_why(vm, WHY_FAULT_ABORT);
	vm_fault_release_page(fs);
	vm_why(vm, why);
	vm_fault_unlock_and_deallocate(fs);
	vnode_lock(vm, vp, true);
	vnode_unlock(vm, vp);
	vnode_rele(vm, vp);
	return (false);
}

static void
vm_fault_read_done(struct faultstate *fs, int count, int reqpage)
{
	fs->hardfault = true;
	fs->next_read = fs->pindex + (vm_pindex_t)(count - reqpage);
	fs->behind = reqpage;
	fs->ahead = count - reqpage - 1;
	fs->prefault = count != 1;
	fs->kind = fs->object->type == OBJT_VNODE ? VMF_FILE : VMF_SWAP;
}

enum fault_verdict
vm_fault_read(struct faultstate *fs, int *error)
{
	vm_page_t mc[VM_FAULT_ARRAY];
	struct vm *vm = fs->vm;
	int behind, ahead, count, reqpage = 0, rv = VM_PAGER_FAIL;

	vm_fault_window(fs, &behind, &ahead);
	vm_fault_unlock_map(fs);
	if (fs->object->type == OBJT_VNODE && fs->vp == NULL &&
	    !vm_fault_lock_vnode(fs))
		return (FAULT_RESTART);
	count = vm_fault_additional_pages(fs, behind, ahead, mc, &reqpage);
	if (count != 0)
		rv = fs->object->pagerops->getpages(vm, fs->object, mc, count,
		    reqpage);
	if (rv == VM_PAGER_OK) {
		vm_fault_read_done(fs, count, reqpage);
		return (FAULT_FOUND);
	}
	if (rv == VM_PAGER_ERROR || rv == VM_PAGER_BAD) {
		vm_page_free(vm, fs->m);
		fs->m = NULL;
		vm_fault_unlock_and_deallocate(fs);
		*error = KERN_MEMORY_ERROR;
		return (FAULT_FAIL);
	}
	if (fs->object != fs->first_object) {
		vm_page_free(vm, fs->m);
		fs->m = NULL;
	}
	return (FAULT_NEXT);
}
