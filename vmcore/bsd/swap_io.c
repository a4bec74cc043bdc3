/*
 * swap_io.c: page-out to swap and page-in from it.
 *
 * Interface: swap_pager_ops (swap_pager.c).
 * Source:    FreeBSD 11 vm/swap_pager.c of the end of 2015
 *            (swap_pager_putpages, swap_pager_getpages before r292373,
 *            swp_pager_async_iodone) as told by companions 9.3 and 9.4.
 * Differs:   pages read along end through vm_page_readahead_finish. Errors
 *            may be injected.
 */
#include "vmcore/bsd/swap_int.h"
#include "vmcore/bsd/vm_kernel.h"

#define SECTORS_PER_PAGE (PAGE_SIZE / DISK_SECTOR)
#define SWREAD_TIMEOUT_SECONDS 20

/* ------------------------------------------------------------ buffers */

/* A buffer of the kind counted by *slots; sleeps while all are in use. The
 * object may be locked by the caller, and is free meanwhile. */
static struct swap_buf *
swap_getpbuf(struct vm *vm, vm_object_t object, int32_t *slots)
{
	struct swap_pager *sp = vm->swap;
	struct swap_buf *bp;
	bool owned;

	while (*slots <= 0) {
		owned = vm_object_sleep_begin(vm, object);
		(void)sim_sleep(vm->sim, slots, PVM, "wswbuf",
		    SIM_NO_TIMEOUT);
		vm_object_sleep_end(vm, object, owned);
	}
	--*slots;
	bp = sp->free_bufs;
	KASSERT(vm->sim, bp != NULL, ("no swap buffer though slots are free"));
	sp->free_bufs = bp->next;
	bp->count = slots;
	bp->object = object;
	bp->sync = bp->done = false;
	bp->error = 0;
	bp->reqpage = -1;
	return (bp);
}

static void
swap_relpbuf(struct vm *vm, struct swap_buf *bp)
{
	bp->next = vm->swap->free_bufs;
	vm->swap->free_bufs = bp;
	if (++*bp->count == 1)
		sim_wakeup(vm->sim, bp->count);
}

/* ------------------------------------------------------------ completion */

static void
swap_read_page_done(struct vm *vm, struct swap_buf *bp, int i)
{
	vm_page_t m = bp->pages[i];

	vm_page_flag_clear(m, PG_SWAPINPROG | PG_ZERO);
	if (bp->error == 0) {
		m->valid = VM_PAGE_BITS_ALL;
		m->dirty = 0;
	}
	if (i == bp->reqpage) {
		/* Its owner goes on; others look again. */
		vm_page_flash(vm, m);
	} else if (bp->error != 0)
		vm_page_readahead_drop(vm, &m, 1);
	else
		vm_page_readahead_finish(vm, m);
}

static void
swap_write_page_done(struct vm *vm, struct swap_buf *bp, int i)
{
	vm_page_t m = bp->pages[i];
	uint32_t why;

	vm_page_flag_clear(m, PG_SWAPINPROG);
	if (bp->error != 0) {
		/* Not lost: dirty, and out of the scan's way for a while. */
		vm_page_dirty(vm, m);
		why = vm_why(vm, WHY_LAUNDER_ERROR);
		vm_page_activate(vm, m);
		vm_why(vm, why);
		vm_page_io_finish(vm, m);
		return;
	}
	vm_page_undirty(m);
	vm_page_io_finish(vm, m);
	if (vm_page_count_severe(vm)) {
		why = vm_why(vm, WHY_SEVERE_CACHE);
		(void)vm_page_try_to_cache(vm, m);
		vm_why(vm, why);
	}
}

/* swp_pager_async_iodone: what a finished transfer means for its pages. */
static void
swp_pager_async_iodone(struct vm *vm, struct swap_buf *bp)
{
	bool write = bp->rq.op == DISK_WRITE;
	int i;

	vm_spend(vm, vm->cost.io_done);
	for (i = 0; i < bp->npages; i++) {
		if (write)
			swap_write_page_done(vm, bp, i);
		else
			swap_read_page_done(vm, bp, i);
	}
	vm_object_pip_wakeupn(vm, bp->object, bp->npages);
	if (!write)
		sim_wakeup(vm->sim, bp);
	swap_relpbuf(vm, bp);
}

/* The disk is done, in event context. */
static void
swap_done(struct disk_request *rq, int error)
{
	struct swap_buf *bp = rq->arg;
	struct vm *vm = bp->vm;
	bool write = rq->op == DISK_WRITE;

	bp->error = vm_inject_io_error(vm, write, error);
	vm_pager_trace_io(vm, write ? VMIO_SWAP_OUT : VMIO_SWAP_IN, bp->disk,
	    rq, bp->object, bp->pages[0]->pindex, (uint32_t)bp->npages,
	    bp->error);
	if (bp->sync) {
		bp->done = true;
		sim_wakeup(vm->sim, bp);
	} else
		swp_pager_async_iodone(vm, bp);
}

/* One contiguous transfer of bp's pages, at blk. */
static void
swp_pager_strategy(struct vm *vm, struct swap_buf *bp, swblk_t blk,
    enum disk_op op)
{
	struct swdevt *sw = swp_device_of(vm, blk);
	struct disk_request *rq = &bp->rq;
	int i;

	for (i = 0; i < bp->npages; i++) {
		pfn_t pfn = bp->pages[i]->pfn;

		/* A device writes to the frame: translated code goes first. */
		bp->seg[i].data = op == DISK_READ ?
		    mmu_frame_data_write(vm->mmu, pfn) :
		    (void *)(uintptr_t)mmu_frame_data(vm->mmu, pfn);
		bp->seg[i].bytes = PAGE_SIZE;
	}
	*rq = (struct disk_request) { .op = op,
		.lbn = sw->first_sector +
		    (uint64_t)(blk - sw->sw_first) * SECTORS_PER_PAGE,
		.blocks = (uint32_t)bp->npages * SECTORS_PER_PAGE,
		.seg = bp->seg,
		.nseg = (uint32_t)bp->npages,
		.done = swap_done,
		.arg = bp };
	bp->disk = sw->disk;
	vm_spend(vm, vm->cost.io_start);
	disk_submit(sw->disk, rq);
}

/* ------------------------------------------------------------ page-out */

/* vm.swap_async_max may have changed. */
static void
swap_async_update(struct vm *vm)
{
	struct swap_pager *sp = vm->swap;
	int32_t want = sp->swap_async_max;

	if (want > sp->nswbuf / 2)
		want = sp->nswbuf / 2;
	if (want < 1)
		want = 1;
	sp->nsw_wcount_async += want - sp->async_max;
	sp->async_max = want;
	if (sp->nsw_wcount_async > 0)
		sim_wakeup(vm->sim, &sp->nsw_wcount_async);
}

/* The largest piece of swap to be had for n pages: n, or n halved while it
 * is above 4. *np is how many. */
static swblk_t
swap_place(struct vm *vm, int *np)
{
	swblk_t blk;

	for (;;) {
		blk = swp_pager_getswapspace(vm, (uint32_t)*np);
		if (blk != SWAPBLK_NONE || *np <= 4)
			return (blk);
		*np /= 2;
	}
}

/* Pages mc[0..n) will be at blk.. */
static void
swap_assign(struct vm *vm, struct swap_buf *bp, vm_page_t *mc, int n,
    swblk_t blk)
{
	swblk_t old;
	int i;

	for (i = 0; i < n; i++) {
		old = swp_meta_set(vm, mc[i]->object, mc[i]->pindex,
		    blk + (swblk_t)i);
		if (old != SWAPBLK_NONE)
			swp_pager_freeswapspace(vm, old);
		vm_page_dirty(vm, mc[i]);
		vm_page_flag_set(mc[i], PG_SWAPINPROG);
		bp->pages[i] = mc[i];
	}
	bp->npages = n;
	vm->cnt.v_swapout++;
	vm->cnt.v_swappgsout += (uint32_t)n;
}

static void
swap_write_wait(struct vm *vm, struct swap_buf *bp)
{
	vm_object_t object = bp->object;
	bool owned = vm_object_sleep_begin(vm, object);

	while (!bp->done)
		(void)sim_sleep(vm->sim, bp, PVM, "swwrt", SIM_NO_TIMEOUT);
	vm_object_sleep_end(vm, object, owned);
	swp_pager_async_iodone(vm, bp);
}

/*
 * swap_pager_putpages: write pages that the caller has shared-busied. Those
 * that found no space get VM_PAGER_FAIL, all others VM_PAGER_PEND: their
 * completion undirties and releases them, also when it is waited for here.
 * Asynchronous only for the page daemon, which sleeps when vm.swap_async_max
 * writes are under way.
 */
void
swap_pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int flags, int *rtvals)
{
	struct swap_pager *sp = vm->swap;
	bool sync = vm->pageproc == NULL || vm_curproc(vm) != vm->pageproc ||
	    (flags & VM_PAGER_PUT_SYNC) != 0;
	struct swap_buf *bp;
	int i, j, n;
	swblk_t blk;

	if (vm_inject_again(vm)) {
		for (i = 0; i < count; i++)
			rtvals[i] = VM_PAGER_AGAIN;
		return;
	}
	swp_meta_convert(vm, object);
	swap_async_update(vm);
	for (i = 0; i < count; i += n) {
		n = count - i < SWB_NPAGES ? count - i : SWB_NPAGES;
		blk = swap_place(vm, &n);
		for (j = 0; j < n; j++)
			rtvals[i + j] = blk == SWAPBLK_NONE ? VM_PAGER_FAIL :
							      VM_PAGER_PEND;
		if (blk == SWAPBLK_NONE)
			continue;
		sp->placing += (uint64_t)n;
		bp = swap_getpbuf(vm, object, sync ? &sp->nsw_wcount_sync :
						     &sp->nsw_wcount_async);
		sp->placing -= (uint64_t)n;
		bp->sync = sync;
		swap_assign(vm, bp, mc + i, n, blk);
		swp_pager_strategy(vm, bp, blk, DISK_WRITE);
		if (sync)
			swap_write_wait(vm, bp);
	}
}

/* ------------------------------------------------------------ page-in */

/* The run of consecutive swap pages around the wanted one: [*first, *end). */
static swblk_t
swap_read_run(vm_object_t object, vm_page_t *mc, int count, int reqpage,
    int *first, int *end)
{
	swblk_t blk = swp_meta_lookup(object, mc[reqpage]->pindex);
	int i;

	*first = reqpage;
	*end = reqpage + 1;
	if (blk == SWAPBLK_NONE)
		return (blk);
	for (i = reqpage - 1; i >= 0 && swp_meta_lookup(object,
	    mc[i]->pindex) == blk - (swblk_t)(reqpage - i); i--)
		*first = i;
	for (i = reqpage + 1; i < count && swp_meta_lookup(object,
	    mc[i]->pindex) == blk + (swblk_t)(i - reqpage); i++)
		*end = i + 1;
	return (blk - (swblk_t)(reqpage - *first));
}

/*
 * swap_pager_getpages: read mc[reqpage] and what lies next to it on swap.
 * Sleeps. VM_PAGER_OK, _ERROR; _FAIL when there is no copy.
 */
int
swap_pager_getpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int reqpage)
{
	vm_page_t m = mc[reqpage];
	struct swap_buf *bp;
	int first, end, i;
	swblk_t blk;
	bool owned;

	blk = swap_read_run(object, mc, count, reqpage, &first, &end);
	if (end - first > SWB_NPAGES) {
		first = reqpage - first < SWB_NPAGES ? first :
						       reqpage - SWB_NPAGES + 1;
		end = end - first < SWB_NPAGES ? end : first + SWB_NPAGES;
		blk = swp_meta_lookup(object, mc[first]->pindex);
	}
	vm_page_readahead_drop(vm, mc, first);
	vm_page_readahead_drop(vm, mc + end, count - end);
	if (blk == SWAPBLK_NONE)
		return (VM_PAGER_FAIL);
	bp = swap_getpbuf(vm, object, &vm->swap->nsw_rcount);
	bp->npages = end - first;
	bp->reqpage = reqpage - first;
	for (i = 0; i < bp->npages; i++) {
		bp->pages[i] = mc[first + i];
		vm_page_flag_set(bp->pages[i], PG_SWAPINPROG);
	}
	vm->cnt.v_swapin++;
	vm->cnt.v_swappgsin += (uint32_t)bp->npages;
	vm_object_pip_add(object, bp->npages);
	swp_pager_strategy(vm, bp, blk, DISK_READ);
	owned = vm_object_sleep_begin(vm, object);
	while ((m->flags & PG_SWAPINPROG) != 0) {
		vm->cnt.v_intrans++;
		(void)sim_sleep(vm->sim, bp, PSWP, "swread",
		    sim_hz(vm->sim) * SWREAD_TIMEOUT_SECONDS);
	}
	vm_object_sleep_end(vm, object, owned);
	return (m->valid == VM_PAGE_BITS_ALL ? VM_PAGER_OK : VM_PAGER_ERROR);
}
