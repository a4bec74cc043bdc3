/*
 * vm_object_clean.c: writing the dirty pages of an object.
 *
 * Interface: vmcore/vm_object.h (vm_object_page_clean).
 * Source:    FreeBSD 11 vm_object.c of the end of 2015
 *            (vm_object_page_clean, _collect_flush, _remove_write) as told by
 *            companions 7.3.
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_pageout.h"

struct page_clean { /* one call of vm_object_page_clean() */
	struct vm *vm;
	vm_object_t object;
	vm_pindex_t start, end;
	int flags; /* OBJPC_* */
	int pagerflags; /* VM_PAGER_PUT_* */
	bool clear; /* the object will be clean afterwards */
};

/* Write-protect the page. Is it to be written? */
static bool
vm_object_page_remove_write(struct page_clean *pc, vm_page_t m)
{
	if ((pc->flags & OBJPC_NOSYNC) != 0 && (m->flags & PG_NOSYNC) != 0) {
		pc->clear = false;
		return (false);
	}
	pc->vm->pmap->remove_write(pc->vm, m);
	return (m->dirty != 0);
}

/*
 * Write m with the dirty neighbours after and before it. Returns how many
 * indices from m on have been dealt with.
 */
static int
vm_object_page_collect_flush(struct page_clean *pc, vm_page_t m)
{
	vm_page_t ma[2 * VM_PAGEOUT_PAGE_COUNT_MAX];
	int limit = pc->vm->pageout->vm_pageout_page_count;
	int count = 1, mreq = 0, runlen, i;
	vm_page_t first = m, p;
	bool eio;

	for (p = m; count < limit; count++) {
		p = vm_page_next(p);
		if (p == NULL || vm_page_busied(p) ||
		    p->valid != VM_PAGE_BITS_ALL ||
		    !vm_object_page_remove_write(pc, p))
			break;
	}
	for (; count < limit; count++, mreq++) {
		p = vm_page_prev(first);
		if (p == NULL || vm_page_busied(p) ||
		    p->valid != VM_PAGE_BITS_ALL ||
		    !vm_object_page_remove_write(pc, p))
			break;
		first = p;
	}
	for (p = first, i = 0; i < count; p = TAILQ_NEXT(p, listq), i++)
		ma[i] = p;
	(void)vm_pageout_flush(pc->vm, ma, count, pc->pagerflags, mreq,
	    &runlen, &eio);
	if (eio)
		pc->clear = false;
	return (runlen);
}

/* The object changed while we slept: a synchronous clean starts again. */
static bool
vm_object_clean_changed(struct page_clean *pc, int32_t generation)
{
	if (pc->object->generation == generation)
		return (false);
	if ((pc->flags & OBJPC_SYNC) != 0)
		return (true);
	pc->clear = false;
	return (false);
}

/* One page. Returns the next index to look at, or pc->start to start again. */
static vm_pindex_t
vm_object_clean_one(struct page_clean *pc, vm_page_t m, int32_t generation,
    bool *again)
{
	vm_pindex_t pindex = m->pindex;
	bool owned;
	int n;

	if (m->valid == 0)
		return (pindex + 1);
	if (vm_page_busied(m)) {
		owned = vm_object_sleep_begin(pc->vm, pc->object);
		(void)vm_page_sleep_if_busy(pc->vm, m, true, "vpcwai");
		vm_object_sleep_end(pc->vm, pc->object, owned);
		*again = vm_object_clean_changed(pc, generation);
		return (pindex);
	}
	if (!vm_object_page_remove_write(pc, m))
		return (pindex + 1);
	n = vm_object_page_collect_flush(pc, m);
	*again = vm_object_clean_changed(pc, generation);
	if (n == 0) {
		/* Put off: do not insist, or it may never end. */
		n = 1;
		pc->clear = false;
	}
	return (pindex + (vm_pindex_t)n);
}

static void
vm_object_clean_pass(struct page_clean *pc, bool *again)
{
	int32_t generation = pc->object->generation;
	vm_pindex_t at = pc->start;
	vm_page_t m;

	*again = false;
	while (!*again && (m = vm_object_page_from(pc->object, at)) != NULL &&
	    m->pindex < pc->end)
		at = vm_object_clean_one(pc, m, generation, again);
}

/*
 * vm_object_page_clean: write the dirty pages of [start, end); both 0: all.
 * OBJPC_SYNC waits for each write. Sleeps.
 */
void
vm_object_page_clean(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, int flags)
{
	struct page_clean pc = { .vm = vm, .object = object, .start = start,
		.end = end == 0 ? object->size : end, .flags = flags };
	bool again, locked;

	if ((object->flags & OBJ_MIGHTBEDIRTY) == 0 ||
	    object->resident_page_count == 0)
		return;
	pc.pagerflags = (flags & (OBJPC_SYNC | OBJPC_INVAL)) != 0 ?
	    VM_PAGER_PUT_SYNC : VM_PAGER_CLUSTER_OK;
	if ((flags & OBJPC_INVAL) != 0)
		pc.pagerflags |= VM_PAGER_PUT_INVAL;
	locked = !vm_object_wowned(vm, object);
	if (locked)
		vm_object_wlock(vm, object);
	do {
		pc.clear = start == 0 && pc.end >= object->size;
		vm_object_clean_pass(&pc, &again);
	} while (again);
	if (pc.clear)
		object->flags &= (uint16_t)~OBJ_MIGHTBEDIRTY;
	if (locked)
		vm_object_wunlock(vm, object);
}
