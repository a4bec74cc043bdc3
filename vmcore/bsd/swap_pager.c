/*
 * swap_pager.c: swap space: devices, allocation, and what the rest of the VM
 * asks about copies of anonymous pages.
 *
 * Interface: vmcore/bsd/swap_pager.h, swap_pager_ops.
 * Source:    FreeBSD 11 vm/swap_pager.c of the end of 2015 as told by
 *            companions 9: one block list per device, devices in turn.
 * Differs:   metadata is never exhausted. Transfers are in swap_io.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/swap_int.h"
#include "vmcore/bsd/vm_kernel.h"

#define SECTORS_PER_PAGE (PAGE_SIZE / DISK_SECTOR)
/* The first pages of a device stay free for a label. */
#define SWAP_LABEL_PAGES 2
#define SWAP_PAGES_MAX (1u << 30)

/* ------------------------------------------------------------ space */

/* "Full" and "almost full" after every change of the free count. */
static void
swp_sizecheck(struct vm *vm)
{
	struct swap_pager *sp = vm->swap;

	if (vm->swap_pager_avail < sp->lowat) {
		sp->almost_full = true;
		return;
	}
	vm->swap_pager_full = 0;
	if (vm->swap_pager_avail > sp->hiwat)
		sp->almost_full = false;
}

struct swdevt *
swp_device_of(struct vm *vm, swblk_t blk)
{
	struct swdevt *sw;

	TAILQ_FOREACH(sw, &vm->swap->swtailq, sw_list)
		if (blk >= sw->sw_first && blk < sw->sw_end)
			return (sw);
	vm_panic(vm, "page %u is on no swap device", blk);
}

/*
 * swp_pager_getswapspace: npages contiguous pages of swap. The search starts
 * with the device after the one that served last.
 */
swblk_t
swp_pager_getswapspace(struct vm *vm, uint32_t npages)
{
	struct swap_pager *sp = vm->swap;
	struct swdevt *sw = sp->swdevhd;
	swblk_t blk;
	uint32_t i;

	for (i = 0; i < sp->ndevs; i++, sw = TAILQ_NEXT(sw, sw_list)) {
		if (sw == NULL)
			sw = TAILQ_FIRST(&sp->swtailq);
		blk = blist_alloc(sw->sw_blist, npages);
		if (blk == SWAPBLK_NONE)
			continue;
		sw->sw_used += npages;
		vm->swap_pager_avail -= npages;
		swp_sizecheck(vm);
		sp->swdevhd = TAILQ_NEXT(sw, sw_list);
		return (sw->sw_first + blk);
	}
	vm_trace_event(vm, VME_SWAP_FULL, 0, npages, 0);
	vm->swap_pager_full = 2;
	sp->almost_full = true;
	sp->swdevhd = NULL;
	return (SWAPBLK_NONE);
}

void
swp_pager_freeswapspace(struct vm *vm, swblk_t blk)
{
	struct swdevt *sw = swp_device_of(vm, blk);

	KASSERT(vm->sim, !blist_is_free(sw->sw_blist, blk - sw->sw_first),
	    ("swap page %u freed twice", blk));
	blist_free(sw->sw_blist, blk - sw->sw_first, 1);
	sw->sw_used--;
	vm->swap_pager_avail++;
	swp_sizecheck(vm);
}

/*
 * swap_pager_add: a part of a disk becomes swap space.
 * Units:  sectors of 512 bytes; first and sectors are multiples of 8.
 * Errors: -EINVAL, -ENOMEM.
 */
int
swap_pager_add(struct vm *vm, struct disk *d, uint64_t first,
    uint64_t sectors, struct sim_err *err)
{
	struct swap_pager *sp = vm->swap;
	const struct swdevt *last = TAILQ_LAST(&sp->swtailq, swdevt_list);
	uint64_t pages = sectors / SECTORS_PER_PAGE;
	struct swdevt *sw;

	if (first % SECTORS_PER_PAGE != 0 || sectors % SECTORS_PER_PAGE != 0)
		return (sim_err_set(err, EINVAL, "swap on %s: place and size "
		    "must be multiples of 8 sectors", disk_name(d)));
	if (first > disk_sectors(d) || sectors > disk_sectors(d) - first)
		return (sim_err_set(err, EINVAL, "swap on %s: %llu sectors "
		    "from %llu on reach past the disk's end; it has %llu",
		    disk_name(d), (unsigned long long)sectors,
		    (unsigned long long)first,
		    (unsigned long long)disk_sectors(d)));
	if (pages <= SWAP_LABEL_PAGES ||
	    pages + (last != NULL ? last->sw_end : 0) > SWAP_PAGES_MAX)
		return (sim_err_set(err, EINVAL, "swap on %s: %llu pages; "
		    "give between %u and %u", disk_name(d),
		    (unsigned long long)pages, SWAP_LABEL_PAGES + 1,
		    SWAP_PAGES_MAX));
	sw = calloc(1, sizeof(*sw));
	if (sw != NULL)
		sw->sw_blist = blist_create((uint32_t)pages);
	if (sw == NULL || sw->sw_blist == NULL) {
		free(sw);
		return (sim_err_set(err, ENOMEM,
		    "no host memory for a map of the swap space"));
	}
	/* One page between devices belongs to none. */
	sw->sw_first = last != NULL ? last->sw_end + 1 : 0;
	sw->sw_end = sw->sw_first + (swblk_t)pages;
	sw->disk = d;
	sw->first_sector = first;
	blist_free(sw->sw_blist, SWAP_LABEL_PAGES,
	    (uint32_t)pages - SWAP_LABEL_PAGES);
	TAILQ_INSERT_TAIL(&sp->swtailq, sw, sw_list);
	sp->ndevs++;
	sp->total += pages - SWAP_LABEL_PAGES;
	vm->swap_pager_avail += pages - SWAP_LABEL_PAGES;
	swp_sizecheck(vm);
	return (0);
}

/* ------------------------------------------------------------ copies */

static bool
swap_pager_haspage(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    int *before, int *after)
{
	swblk_t blk = swp_meta_lookup(object, pindex);
	int i, most = SWB_NPAGES / 2 - 1;

	(void)vm;
	if (before != NULL)
		*before = 0;
	if (after != NULL)
		*after = 0;
	if (blk == SWAPBLK_NONE)
		return (false);
	for (i = 1; before != NULL && i <= most &&
	    (vm_pindex_t)i <= pindex && blk >= (swblk_t)i; i++) {
		if (swp_meta_lookup(object, pindex - (vm_pindex_t)i) !=
		    blk - (swblk_t)i)
			break;
		*before = i;
	}
	for (i = 1; after != NULL && i <= most; i++) {
		if (swp_meta_lookup(object, pindex + (vm_pindex_t)i) !=
		    blk + (swblk_t)i)
			break;
		*after = i;
	}
	return (true);
}

static void
swp_free_index(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	swblk_t blk = swp_meta_clear(vm, object, pindex);

	if (blk != SWAPBLK_NONE)
		swp_pager_freeswapspace(vm, blk);
}

void
swap_pager_freespace(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t count)
{
	vm_pindex_t end = start + count, at = start, stop;
	const struct swblock *b;

	while (at < end && (b = swp_meta_next(object, at)) != NULL) {
		if (at < b->index)
			at = b->index;
		/* The block goes with its last entry. */
		stop = b->index + SWAP_META_PAGES;
		for (; at < stop && at < end; at++)
			swp_free_index(vm, object, at);
	}
}

void
swap_pager_unswapped(struct vm *vm, vm_page_t m)
{
	if (m->object->type == OBJT_SWAP && m->object->swp_bcount != 0)
		swp_free_index(vm, m->object, m->pindex);
}

static void
swap_pager_dealloc(struct vm *vm, vm_object_t object)
{
	swap_pager_freespace(vm, object, 0, ~(vm_pindex_t)0);
	free(object->swp_blocks);
	object->swp_blocks = NULL;
	object->swp_nblocks = 0;
}

/* One index: dst keeps what it has, or gets the source's. */
static void
swap_pager_copy_index(struct vm *vm, vm_object_t src, vm_object_t dst,
    vm_pindex_t from, vm_pindex_t to)
{
	swblk_t blk = swp_meta_clear(vm, src, from);

	if (blk == SWAPBLK_NONE)
		return;
	if (swp_meta_lookup(dst, to) != SWAPBLK_NONE)
		swp_pager_freeswapspace(vm, blk);
	else
		(void)swp_meta_set(vm, dst, to, blk);
}

void
swap_pager_copy(struct vm *vm, vm_object_t src, vm_object_t dst,
    vm_pindex_t offset, bool destroy)
{
	vm_pindex_t end = offset + dst->size, at = offset, stop;
	const struct swblock *b;

	while (at < end && (b = swp_meta_next(src, at)) != NULL) {
		if (at < b->index)
			at = b->index;
		stop = b->index + SWAP_META_PAGES;
		for (; at < stop && at < end; at++)
			swap_pager_copy_index(vm, src, dst, at, at - offset);
	}
	if (!destroy)
		return;
	swap_pager_freespace(vm, src, 0, ~(vm_pindex_t)0);
	src->type = OBJT_DEFAULT;
	src->pagerops = vm->pagerops[OBJT_DEFAULT];
}

const struct vm_pagerops swap_pager_ops = {
	.getpages = swap_pager_getpages,
	.putpages = swap_pager_putpages,
	.haspage = swap_pager_haspage,
	.freespace = swap_pager_freespace,
	.dealloc = swap_pager_dealloc,
	.copy = swap_pager_copy,
};

/* ------------------------------------------------------------ life cycle */

static const struct tunable swap_rows[] = {
	{ .name = "vm.swap_async_max", .type = TUN_INT,
	    .offset = offsetof(struct swap_pager, swap_async_max),
	    .def = 4, .min = 1, .max = 128, .unit = "transfers",
	    .source = "FreeBSD 11 swap_pager.c, SYSCTL_INT",
	    .help = "most page-outs of the page daemon under way at once; no "
		    "more than half the buffers" },
	{ .name = "kern.nswbuf", .type = TUN_INT,
	    .flags = TUN_BOOT | TUN_AUTO,
	    .offset = offsetof(struct swap_pager, nswbuf),
	    .def = 0, .min = 0, .max = 4096, .unit = "transfers",
	    .source = "FreeBSD 11 vfs_bio.c, kern_vfs_bio_buffer_alloc()",
	    .help = "buffers of the pagers; 0: from the memory's size" },
};

int
swap_pager_create(struct vm *vm, struct tunables *ts)
{
	struct swap_pager *sp = calloc(1, sizeof(*sp));

	if (sp == NULL)
		return (-ENOMEM);
	TAILQ_INIT(&sp->swtailq);
	sp->lowat = NSWAP_LOWAT;
	sp->hiwat = NSWAP_HIWAT;
	sp->swap_async_max = 4;
	vm->swap = sp;
	vm->swap_pager_full = 2; /* until there is some */
	return (tunables_register(ts, swap_rows,
	    sizeof(swap_rows) / sizeof(swap_rows[0]), sp));
}

int
swap_pager_swap_init(struct vm *vm, struct sim_err *err)
{
	struct swap_pager *sp = vm->swap;
	uint32_t i, n;

	if (sp->nswbuf == 0) {
		n = vm_nbuf(vm) / 4;
		sp->nswbuf = (int32_t)(n < 16 ? 16 : n > 256 ? 256 : n);
	}
	sp->nsw_rcount = (sp->nswbuf + 1) / 2;
	sp->nsw_wcount_sync = (sp->nswbuf + 3) / 4;
	sp->nsw_wcount_async = sp->async_max = 4;
	/* The most that can be in use: half of them by asynchronous writes. */
	n = (uint32_t)(sp->nsw_rcount + sp->nsw_wcount_sync + 4 +
	    sp->nswbuf / 2);
	sp->bufs = calloc(n, sizeof(*sp->bufs));
	if (sp->bufs == NULL)
		return (sim_err_set(err, ENOMEM,
		    "no host memory for %u swap buffers", n));
	sp->nbufs = n;
	for (i = 0; i < n; i++) {
		sp->bufs[i].vm = vm;
		sp->bufs[i].next = sp->free_bufs;
		sp->free_bufs = &sp->bufs[i];
	}
	return (0);
}

void
swap_pager_destroy(struct vm *vm)
{
	struct swap_pager *sp = vm->swap;
	struct swdevt *sw;

	if (sp == NULL)
		return;
	while ((sw = TAILQ_FIRST(&sp->swtailq)) != NULL) {
		TAILQ_REMOVE(&sp->swtailq, sw, sw_list);
		blist_destroy(sw->sw_blist);
		free(sw);
	}
	swp_meta_pool_free(sp);
	free(sp->bufs);
	free(sp);
	vm->swap = NULL;
}

uint64_t
swap_pager_total(const struct vm *vm)
{
	return (vm->swap->total);
}

uint64_t
swap_pager_used(const struct vm *vm)
{
	return (vm->swap->total - vm->swap_pager_avail);
}

uint64_t
swap_pager_overhead(const struct vm *vm)
{
	return (vm->swap->nbufs * sizeof(struct swap_buf) +
	    vm->swap->block_bytes);
}

/* ------------------------------------------------------------ invariants */

/* Every page of swap is free or belongs to one index of one object. */
void
swap_pager_check(struct vm *vm)
{
	const struct swblock *b;
	uint64_t used = 0, n;
	vm_object_t object;
	uint32_t i, j;

	TAILQ_FOREACH(object, &vm->object_list, object_list) {
		for (i = 0; i < object->swp_bcount; i++) {
			b = object->swp_blocks[i];
			for (n = 0, j = 0; j < SWAP_META_PAGES; j++)
				n += b->pages[j] != SWAPBLK_NONE;
			KASSERT(vm->sim, n == b->count && n != 0,
			    ("object %u: metadata block counts %u, has %llu",
				object->id, b->count, (unsigned long long)n));
			used += n;
		}
		KASSERT(vm->sim, object->swp_bcount == 0 ||
		    object->type == OBJT_SWAP,
		    ("object %u has swap but type %u", object->id,
			object->type));
	}
	used += vm->swap->placing;
	KASSERT(vm->sim, used == swap_pager_used(vm),
	    ("%llu pages of swap in objects or on the way, %llu in use",
		(unsigned long long)used,
		(unsigned long long)swap_pager_used(vm)));
}
