/*
 * vm_pageout_cluster.c: writing dirty pages: the locks of a vnode
 * (vm_pageout_clean), the neighbours that go with a page
 * (vm_pageout_cluster), the write itself (vm_pageout_flush).
 *
 * Interface: vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c, same names.
 * Differs:   the array of a cluster has a fixed size.
 */
#include <errno.h>

#include "vmcore/bsd/vm_pageout.h"

struct pageout_cluster { /* one call of vm_pageout_cluster() */
	struct vm *vm;
	vm_object_t object;
	vm_pindex_t pindex; /* of the page asked for */
	int limit; /* pages of a full cluster */
	vm_page_t first, last; /* ends so far */
	int count; /* pages so far */
	int base; /* index of the first in mc */
	int back; /* next step backward; 0: no more */
	int forth; /* next step forward */
	vm_page_t mc[2 * VM_PAGEOUT_PAGE_COUNT_MAX];
};

/*
 * May this neighbour go with the cluster? Only what the scan itself would
 * write: dirty, on the inactive queue, neither busy nor held.
 */
static bool
vm_pageout_cluster_fits(struct vm *vm, vm_page_t p)
{
	bool fits;

	if (p == NULL || vm_page_busied(p))
		return (false);
	vm_pops(vm)->test_dirty(vm, p);
	if (p->dirty == 0)
		return (false);
	vm_penv(vm)->page_lock(vm, p);
	fits = p->queue == PQ_INACTIVE(vm) && p->hold_count == 0;
	vm_penv(vm)->page_unlock(vm, p);
	return (fits);
}

/*
 * Backward, up to a multiple of the cluster size: then the other direction
 * is tried first. An unfit page or the object's beginning ends it for good.
 */
static void
vm_pageout_cluster_backward(struct pageout_cluster *pc)
{
	vm_page_t p;

	while (pc->back != 0 && pc->count < pc->limit) {
		if ((vm_pindex_t)pc->back > pc->pindex) { /* P-11 */
			pc->back = 0;
			break;
		}
		p = vm_pops(pc->vm)->prev(pc->first);
		if (!vm_pageout_cluster_fits(pc->vm, p)) {
			pc->back = 0;
			break;
		}
		pc->mc[--pc->base] = pc->first = p;
		pc->count++;
		pc->back++;
		if ((pc->pindex - (vm_pindex_t)(pc->back - 1)) %
		    (vm_pindex_t)pc->limit == 0)
			break;
	}
}

static void
vm_pageout_cluster_forward(struct pageout_cluster *pc)
{
	vm_page_t p;

	while (pc->count < pc->limit &&
	    pc->pindex + (vm_pindex_t)pc->forth < pc->object->size) {
		p = vm_pops(pc->vm)->next(pc->last);
		if (!vm_pageout_cluster_fits(pc->vm, p))
			break;
		pc->mc[pc->base + pc->count] = pc->last = p;
		pc->count++;
		pc->forth++;
	}
}

/*
 * vm_pageout_cluster: write a dirty page and what dirty neighbours fit.
 * Backward to an aligned boundary, forward, then backward past the boundary
 * while there is room: clusters come out aligned where they can.
 */
int
vm_pageout_cluster(struct vm *vm, vm_page_t m)
{
	struct pageout_cluster pc;
	int n;

	KASSERT(vm->sim, vm->pageout->vm_pageout_page_count >= 1 &&
	    vm->pageout->vm_pageout_page_count <= VM_PAGEOUT_PAGE_COUNT_MAX,
	    ("cluster of %d pages", vm->pageout->vm_pageout_page_count));
	VM_KASSERT(vm, !vm_page_busied(m), ("page %u is busy", m->pfn));
	VM_KASSERT(vm, m->hold_count == 0, ("page %u is held", m->pfn));
	vm_penv(vm)->page_unlock(vm, m);

	pc.vm = vm;
	pc.object = m->object;
	pc.pindex = m->pindex;
	pc.limit = vm->pageout->vm_pageout_page_count;
	pc.first = pc.last = pc.mc[pc.limit] = m;
	pc.count = 1;
	pc.base = pc.limit;
	pc.back = pc.forth = 1;
	do {
		vm_pageout_cluster_backward(&pc);
		vm_pageout_cluster_forward(&pc);
	} while (pc.back != 0 && pc.count < pc.limit);

	n = vm_pageout_flush(vm, &pc.mc[pc.base], pc.count, 0, 0, NULL, NULL);
	vm_pageout_note(vm, VPN_FLUSH, NULL, n, 0);
	return (n);
}

/* A page that cannot be written now leaves the inactive queue for a while. */
static void
vm_pageout_flush_failed(struct vm *vm, vm_page_t m)
{
	uint32_t why = vm_why(vm, WHY_LAUNDER_FAILED);

	vm_penv(vm)->page_lock(vm, m);
	vm_pops(vm)->activate(vm, m);
	vm_penv(vm)->page_unlock(vm, m);
	vm_why(vm, why);
}

/*
 * vm_pageout_flush: see vm_pageout.h.
 * Units:   mreq, *runlen in pages of mc.
 * Source:  FreeBSD 11 vm_pageout.c, same name; R17.
 * Effects: pages are shared-busy and write-protected during the write; those
 *          whose write goes on (VM_PAGER_PEND) stay so, and keep the object's
 *          paging_in_progress, until the pager's completion.
 */
int
vm_pageout_flush(struct vm *vm, vm_page_t *mc, int count, int flags, int mreq,
    int *prunlen, bool *eio)
{
	vm_object_t object = mc[0]->object;
	int status[2 * VM_PAGEOUT_PAGE_COUNT_MAX];
	int numpagedout = 0, runlen = count - mreq;

	KASSERT(vm->sim, count >= 1 && count <= 2 * VM_PAGEOUT_PAGE_COUNT_MAX,
	    ("flush of %d pages", count));
	for (int i = 0; i < count; i++) {
		VM_KASSERT(vm, mc[i]->valid == VM_PAGE_BITS_ALL,
		    ("page %u, %d of %d, is not fully valid", mc[i]->pfn, i,
		    count));
		vm_pops(vm)->sbusy(vm, mc[i]);
		vm->pmap->remove_write(vm, mc[i]);
	}
	vm_penv(vm)->object_pip_add(vm, object, count);

	vm_pager_put_pages(vm, object, mc, count, flags, status);

	if (eio != NULL)
		*eio = false;
	for (int i = 0; i < count; i++) {
		VM_KASSERT(vm, status[i] == VM_PAGER_PEND ||
		    !vm->pmap->page_is_write_mapped(vm, mc[i]),
		    ("page %u is not write-protected", mc[i]->pfn));
		switch (status[i]) {
		case VM_PAGER_OK:
		case VM_PAGER_PEND:
			numpagedout++;
			break;
		case VM_PAGER_BAD:
			/* Outside its object: the change is lost. */
			vm_pops(vm)->undirty(vm, mc[i]);
			break;
		case VM_PAGER_ERROR:
		case VM_PAGER_FAIL:
			vm_pageout_flush_failed(vm, mc[i]);
			if (eio != NULL && i >= mreq && i - mreq < runlen)
				*eio = true;
			break;
		case VM_PAGER_AGAIN:
			if (i >= mreq && i - mreq < runlen)
				runlen = i - mreq;
			break;
		}
		if (status[i] != VM_PAGER_PEND) {
			vm_penv(vm)->object_pip_wakeup(vm, object);
			vm_pops(vm)->sunbusy(vm, mc[i]);
		}
	}
	if (prunlen != NULL)
		*prunlen = runlen;
	return (numpagedout);
}

/*
 * While page and object were unlocked the page may have moved to another
 * queue, another object or offset, may have been cleaned, busied or held.
 */
static int
vm_pageout_clean_recheck(struct vm *vm, vm_page_t m, vm_object_t object,
    vm_pindex_t pindex)
{
	if (m->queue != PQ_INACTIVE(vm) || m->object != object ||
	    m->pindex != pindex || m->dirty == 0)
		return (ENXIO);
	if (vm_page_busied(m) || m->hold_count != 0)
		return (EBUSY);
	return (0);
}

static int
vm_pageout_clean_cluster(struct vm *vm, vm_page_t m)
{
	return (vm_pageout_cluster(vm, m) == 0 ? EIO : 0);
}

/*
 * A file's page: its vnode must be locked too, in another order, and must not
 * be waited for longer than a moment: its holder may itself wait for memory.
 */
static int
vm_pageout_clean_vnode(struct vm *vm, vm_page_t m, vm_object_t object)
{
	const struct vm_pageout_env *env = vm_penv(vm);
	vm_pindex_t pindex = m->pindex;
	int error;

	env->page_unlock(vm, m);
	if (env->vn_start_write(vm, object, false) != 0) {
		env->object_wunlock(vm, object);
		return (EDEADLK);
	}
	env->object_reference(vm, object);
	env->object_wunlock(vm, object);
	env->preempt(vm); /* R12 (c) */

	if (env->vget(vm, object, env->shared_writes(vm, object) ? LK_SHARED :
	    LK_EXCLUSIVE) != 0)
		error = EDEADLK;
	else {
		env->object_wlock(vm, object);
		env->page_lock(vm, m);
		error = vm_pageout_clean_recheck(vm, m, object, pindex);
		if (error == 0)
			error = vm_pageout_clean_cluster(vm, m);
		else
			env->page_unlock(vm, m);
		env->object_wunlock(vm, object);
		env->vput(vm, object);
	}
	env->object_deallocate(vm, object);
	env->vn_finished_write(vm, object);
	return (error);
}

/*
 * vm_pageout_clean: write one dirty inactive page, with its cluster.
 * Source:  FreeBSD 11 vm_pageout.c, same name.
 * Errors:  EIO nothing written; EDEADLK no vnode lock in time; ENXIO and
 *          EBUSY the page changed meanwhile.
 */
int
vm_pageout_clean(struct vm *vm, vm_page_t m)
{
	vm_object_t object = m->object;
	int error;

	if (object->type == OBJT_VNODE)
		return (vm_pageout_clean_vnode(vm, m, object));
	error = vm_pageout_clean_cluster(vm, m);
	vm_penv(vm)->object_wunlock(vm, object);
	return (error);
}
