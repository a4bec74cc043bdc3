/*
 * vnode_write.c: writing a file's pages the way FreeBSD does, through the
 * buffer cache: a buffer for each 32 KiB block takes all resident pages of
 * the block off their queues for the time of the write.
 *
 * Interface: vmcore/bsd/vnode_pager.h (vnode_write_*, vnode_pager_putpages).
 * Source:    FreeBSD 11 vm/vnode_pager.c, kern/vfs_bio.c, ufs/ffs_vnops.c of
 *            the end of 2015 as told by companions 10.2; R13.
 * Differs:   pages of the block that are not in memory are not read in for
 *            the buffer. A failed write leaves its pages dirty and active,
 *            where the buffer cache would keep a dirty buffer.
 */
#include <errno.h>

#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------------------ completion */

/* The part of a page that lies in the file goes to its contents. errno. */
static int
vnode_write_contents(struct vm *vm, struct vnode *vp, vm_page_t m)
{
	uint64_t offset = m->pindex << PAGE_SHIFT;
	uint64_t n = PAGE_SIZE;

	/* Without an owner the contents were handed over before. */
	if (vp->ops == NULL || offset >= vp->size)
		return (0);
	if (vp->size - offset < n)
		n = vp->size - offset;
	return (vp->ops->write(vp->ctx, offset,
	    mmu_frame_data(vm->mmu, m->pfn), (uint32_t)n));
}

/* Drop the buffer's hold: the page goes to the tail of INACTIVE. */
static void
vnode_write_page_done(struct vm *vm, struct vnode_buf *bp, vm_page_t m)
{
	int error = bp->error;
	uint32_t why;

	if (error == 0)
		error = vnode_write_contents(vm, bp->vp, m);
	if (error != 0) {
		bp->error = error;
		vm_page_dirty(vm, m);
	}
	vm_page_io_finish(vm, m);
	why = vm_why(vm, error != 0 ? WHY_LAUNDER_ERROR : WHY_LAUNDER_DONE);
	vm_page_unwire(vm, m, error != 0);
	vm_why(vm, why);
}

/* runningbufwakeup(): writers go on below the low mark. */
static void
vnode_running_done(struct vm *vm, uint32_t bytes)
{
	struct vnode_pager *vns = vm->vnodes;
	bool above = vns->running > vns->lorunningspace;

	vns->running -= bytes;
	if (above && vns->running <= vns->lorunningspace)
		sim_wakeup(vm->sim, &vns->running);
}

static void
vnode_write_done(struct disk_request *rq, int error)
{
	struct vnode_buf *bp = rq->arg;
	struct vm *vm = bp->vm;
	struct vnode *vp = bp->vp;
	int i, n = 0;

	bp->error = vm_inject_io_error(vm, true, error);
	vm_spend(vm, vm->cost.io_done);
	for (i = 0; i < bp->npages; i++) {
		if (bp->pages[i] == NULL)
			continue;
		vnode_write_page_done(vm, bp, bp->pages[i]);
		n++;
	}
	if (vp->disk != NULL)
		vm_pager_trace_io(vm, VMIO_VNODE_OUT, vp->disk, rq, vp->object,
		    bp->first, (uint32_t)bp->npages, bp->error);
	if (bp->error != 0) {
		vp->write_error = bp->error;
		vm_object_set_writeable_dirty(vp->object);
		if (!vp->gone)
			vm_syncer_add(vm, vp);
	}
	vm_object_pip_wakeupn(vm, vp->object, n);
	vnode_running_done(vm, bp->bytes);
	if (--vp->writes == 0) {
		sim_wakeup(vm->sim, &vp->writes);
		if (vp->gone)
			vm->vnodes->idle_pending++;
	}
	bp->done = true;
	if (bp->wait)
		sim_wakeup(vm->sim, bp);
	else
		vnode_relbuf(vm, bp);
}

/* ------------------------------------------------------------ the buffer */

/*
 * Take the page at pindex into a buffer: wired, shared-busy, write-protected
 * and clean. NULL when it is not in memory. Waits for an exclusive owner, but
 * not for those who write it (IGN_SBUSY).
 */
static vm_page_t
vnode_buf_page(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	uint32_t why;
	vm_page_t m;
	bool owned;

	for (;;) {
		m = vm_page_lookup(object, pindex);
		if (m == NULL || m->valid != VM_PAGE_BITS_ALL)
			return (NULL);
		if ((m->flags & PG_BUSY) == 0)
			break;
		owned = vm_object_sleep_begin(vm, object);
		(void)vm_page_sleep_busy(vm, m, false, "pgtblk");
		vm_object_sleep_end(vm, object, owned);
	}
	why = vm_why(vm, WHY_LAUNDER_VNODE);
	vm_page_wire(vm, m);
	vm_why(vm, why);
	vm_page_io_start(vm, m);
	vm->pmap->remove_write(vm, m);
	m->dirty = 0;
	vm_page_flag_clear(m, PG_NOSYNC | PG_WINATCFLS);
	return (m);
}

/* Is any page of [first, end) dirty? Only then is there a write to do. */
static bool
vnode_block_dirty(struct vm *vm, vm_object_t object, vm_pindex_t first,
    vm_pindex_t end)
{
	vm_page_t m;

	for (m = vm_object_page_from(object, first);
	    m != NULL && m->pindex < end; m = TAILQ_NEXT(m, listq)) {
		vm_page_test_dirty(vm, m);
		if (m->dirty != 0 && m->valid == VM_PAGE_BITS_ALL)
			return (true);
	}
	return (false);
}

/* Fill a buffer with the pages of [first, end); returns how many it has. The
 * transfer is cut to the span from the first to the last of them. */
static int
vnode_buf_fill(struct vm *vm, struct vnode_buf *bp, vm_pindex_t first,
    vm_pindex_t end)
{
	vm_object_t object = bp->vp->object;
	int n = 0, last = 0, i;
	vm_page_t m;

	bp->npages = 0;
	for (; first < end && first < object->size; first++) {
		m = vnode_buf_page(vm, object, first);
		if (m == NULL && n == 0)
			continue;
		if (n == 0)
			bp->first = first;
		i = (int)(first - bp->first);
		bp->pages[i] = m;
		if (m != NULL) {
			n++;
			last = i;
		}
	}
	bp->npages = n != 0 ? last + 1 : 0;
	return (n);
}

/* waitrunningbufspace(). The caller's lock on the object is let go of. */
static void
vnode_running_wait(struct vm *vm, vm_object_t object)
{
	struct vnode_pager *vns = vm->vnodes;
	bool owned;

	while (vns->running > vns->hirunningspace) {
		owned = vm_object_sleep_begin(vm, object);
		(void)sim_sleep(vm->sim, &vns->running, PVM, "wdrain",
		    SIM_NO_TIMEOUT);
		vm_object_sleep_end(vm, object, owned);
	}
}

/* Write the dirty ones among the blocks of [first, end) in one transfer. */
static void
vnode_write_run(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_pindex_t end, bool sync)
{
	vm_object_t object = vp->object;
	struct vnode_buf *bp;
	bool owned;
	int n;

	bp = vnode_getbuf(vm, vp, first, (int)(end - first));
	vm_object_pip_add(object, 1); /* while pages are waited for */
	n = vnode_buf_fill(vm, bp, first, end);
	vm_object_pip_add(object, n);
	vm_object_pip_wakeup(vm, object);
	if (n == 0) {
		vnode_relbuf(vm, bp);
		return;
	}
	bp->wait = sync;
	bp->bytes = (uint32_t)bp->npages * PAGE_SIZE;
	vm->vnodes->running += bp->bytes;
	vp->writes++;
	vm->cnt.v_vnodeout++;
	vm->cnt.v_vnodepgsout += (uint32_t)n;
	vnode_strategy(vm, bp, DISK_WRITE, vnode_write_done);
	if (!sync) {
		vnode_running_wait(vm, object);
		return;
	}
	owned = vm_object_sleep_begin(vm, object);
	while (!bp->done)
		(void)sim_sleep(vm->sim, bp, PVM, "vnwrite", SIM_NO_TIMEOUT);
	vm_object_sleep_end(vm, object, owned);
	vnode_relbuf(vm, bp);
}

void
vnode_write_blocks(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    int count, bool sync, bool cluster)
{
	vm_pindex_t block = pindex / VNODE_BPAGES * VNODE_BPAGES;
	vm_pindex_t end = pindex + (vm_pindex_t)count, stop;
	vm_object_t object = vp->object;

	for (; block < end; block = stop) {
		stop = block + VNODE_BPAGES;
		if (!vnode_block_dirty(vm, object, block, stop))
			continue;
		while (cluster && stop < end &&
		    stop - block < MAXPHYS_PAGES &&
		    vnode_block_dirty(vm, object, stop, stop + VNODE_BPAGES))
			stop += VNODE_BPAGES;
		vnode_write_run(vm, vp, block, stop, sync);
	}
}

void
vnode_write_drain(struct vm *vm, struct vnode *vp)
{
	while (vp->writes != 0)
		(void)sim_sleep(vm->sim, &vp->writes, PVM, "vndrain",
		    SIM_NO_TIMEOUT);
}

/* ------------------------------------------------------------ the pager */

/*
 * vnode_pager_putpages: pages past the end of the file are BAD, all others OK
 * whatever happens: the buffers hold them on their own account. With very
 * few free pages the writes are waited for.
 */
void
vnode_pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int flags, int *rtvals)
{
	struct vnode *vp = object->handle;
	bool sync = (flags & VM_PAGER_PUT_SYNC) != 0;
	int i, n = 0;

	/* Nobody who waits for the write is put off. */
	if (!sync && vm_inject_again(vm)) {
		for (i = 0; i < count; i++)
			rtvals[i] = VM_PAGER_AGAIN;
		return;
	}
	if (vm_page_avail(vm) < vm->cnt.v_pageout_free_min)
		sync = true;
	for (i = 0; i < count; i++) {
		rtvals[i] = mc[i]->pindex < object->size ? VM_PAGER_OK :
							   VM_PAGER_BAD;
		n += rtvals[i] == VM_PAGER_OK;
	}
	if (n > 0)
		vnode_write_blocks(vm, vp, mc[0]->pindex, n, sync,
		    (flags & VM_PAGER_CLUSTER_OK) != 0);
}
