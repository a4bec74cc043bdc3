/*
 * vnode_io.c: transfers between a file and its pages. The disk gives the
 * time; the bytes move between frames and struct vnode_ops when it is done.
 *
 * Interface: vmcore/bsd/vnode_pager.h (vnode_*buf, vnode_strategy,
 *            vnode_pager_read).
 * Source:    FreeBSD 11 vm/vnode_pager.c, vnode_pager_generic_getpages(), as
 *            told by companions 10.1.
 * Differs:   a file without a disk is read at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------------------ buffers */

struct vnode_buf *
vnode_getbuf(struct vm *vm, struct vnode *vp, vm_pindex_t first, int npages)
{
	struct vnode_pager *vns = vm->vnodes;
	struct vnode_buf *bp = vns->free_bufs;

	KASSERT(vm->sim, npages > 0 && npages <= VNODE_BUF_PAGES,
	    ("file transfer of %d pages", npages));
	if (bp != NULL)
		vns->free_bufs = bp->next;
	else {
		bp = malloc(sizeof(*bp));
		if (bp == NULL)
			sim_nomem(vm->sim, "a file transfer");
		bp->next_all = vns->all_bufs;
		vns->all_bufs = bp;
		vns->buf_bytes += sizeof(*bp);
	}
	bp->vm = vm;
	bp->vp = vp;
	bp->first = first;
	bp->npages = npages;
	bp->wanted = -1;
	bp->bytes = 0;
	bp->wait = bp->done = false;
	bp->error = 0;
	return (bp);
}

void
vnode_relbuf(struct vm *vm, struct vnode_buf *bp)
{
	bp->next = vm->vnodes->free_bufs;
	vm->vnodes->free_bufs = bp;
}

/* Bytes of the transfer that lie inside the file. */
static uint64_t
vnode_buf_length(const struct vnode_buf *bp)
{
	uint64_t offset = bp->first << PAGE_SHIFT;
	uint64_t length = (uint64_t)bp->npages << PAGE_SHIFT;

	if (offset >= bp->vp->size)
		return (0);
	return (bp->vp->size - offset < length ? bp->vp->size - offset :
						 length);
}

void
vnode_strategy(struct vm *vm, struct vnode_buf *bp, enum disk_op op,
    void (*done)(struct disk_request *rq, int error))
{
	uint64_t length = vnode_buf_length(bp);

	bp->rq = (struct disk_request) { .op = op,
		.lbn = bp->vp->first_sector +
		    (bp->first << PAGE_SHIFT) / DISK_SECTOR,
		.blocks = (uint32_t)((length + DISK_SECTOR - 1) / DISK_SECTOR),
		.done = done,
		.arg = bp };
	vm_spend(vm, vm->cost.io_start);
	if (bp->vp->disk != NULL && length > 0) {
		disk_submit(bp->vp->disk, &bp->rq);
		return;
	}
	bp->rq.arrival = bp->rq.start = bp->rq.finish = sim_now(vm->sim);
	done(&bp->rq, 0);
}

/* ------------------------------------------------------------ reading */

/* One page's bytes; past the end of the file there are zeroes. errno. */
static int
vnode_read_contents(struct vm *vm, struct vnode *vp, vm_page_t m)
{
	uint64_t offset = m->pindex << PAGE_SHIFT, n = 0;
	uint8_t *data = mmu_frame_data_write(vm->mmu, m->pfn);
	int error = 0;

	if (vp->ops == NULL)
		return (EIO);
	if (offset < vp->size)
		n = vp->size - offset < PAGE_SIZE ? vp->size - offset :
						    PAGE_SIZE;
	if (n > 0)
		error = vp->ops->read(vp->ctx, offset, data, (uint32_t)n);
	if (n < PAGE_SIZE)
		memset(data + n, 0, PAGE_SIZE - n);
	return (error);
}

static void
vnode_read_page_done(struct vm *vm, struct vnode_buf *bp, int i)
{
	vm_page_t m = bp->pages[i];
	int error = bp->error;

	if (error == 0)
		error = vnode_read_contents(vm, bp->vp, m);
	vm_page_flag_clear(m, PG_ZERO);
	m->dirty = 0;
	m->valid = error == 0 ? VM_PAGE_BITS_ALL : 0;
	if (i == bp->wanted) {
		bp->error = error;
		vm_page_flash(vm, m);
	} else if (error != 0)
		vm_page_readahead_drop(vm, &m, 1);
	else
		vm_page_readahead_finish(vm, m);
}

static void
vnode_read_done(struct disk_request *rq, int error)
{
	struct vnode_buf *bp = rq->arg;
	struct vm *vm = bp->vm;
	vm_object_t object = bp->vp->object;
	int i, n = 0;

	bp->error = vm_inject_io_error(vm, false, error);
	vm_spend(vm, vm->cost.io_done);
	for (i = 0; i < bp->npages; i++) {
		if (bp->pages[i] == NULL)
			continue;
		vnode_read_page_done(vm, bp, i);
		n++;
	}
	if (bp->vp->disk != NULL)
		vm_pager_trace_io(vm, VMIO_VNODE_IN, bp->vp->disk, rq, object,
		    bp->first, (uint32_t)bp->npages, bp->error);
	vm_object_pip_wakeupn(vm, object, n);
	bp->done = true;
	if (bp->wait)
		sim_wakeup(vm->sim, bp);
	else
		vnode_relbuf(vm, bp);
}

int
vnode_pager_read(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_page_t *pages, int count, int wanted, bool wait)
{
	vm_object_t object = vp->object;
	struct vnode_buf *bp = vnode_getbuf(vm, vp, first, count);
	int i, n = 0, error;
	bool owned;

	for (i = 0; i < count; i++) {
		bp->pages[i] = pages[i];
		n += pages[i] != NULL;
	}
	bp->wanted = wanted;
	bp->wait = wait;
	vm_object_pip_add(object, n);
	vm->cnt.v_vnodein++;
	vm->cnt.v_vnodepgsin += (uint32_t)n;
	vnode_strategy(vm, bp, DISK_READ, vnode_read_done);
	if (!wait)
		return (0);
	owned = vm_object_sleep_begin(vm, object);
	while (!bp->done)
		(void)sim_sleep(vm->sim, bp, PVM, "vnread", SIM_NO_TIMEOUT);
	vm_object_sleep_end(vm, object, owned);
	error = bp->error;
	vnode_relbuf(vm, bp);
	return (error);
}
