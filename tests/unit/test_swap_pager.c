/*
 * test_swap_pager.c: goal: swap space is placed as companions 9.2 says, pages
 * go out and come back in the clusters of 9.3 and 9.4, and a failed write
 * loses nothing. Method: the block list against a naive one, random; page-out
 * of prepared pages, by the test and by the page daemon, with the transfers
 * looked at.
 */
#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/swap_int.h"
#include "vmcore/bsd/vm_pageout.h"

struct iolog {
	struct vm_io_record io[4096];
	uint32_t n;
	uint32_t in_flight_max;
};

static void
log_io(void *ctx, const struct vm_io_record *io)
{
	struct iolog *lg = ctx;

	lg->io[lg->n++ % 4096] = *io;
}

static const struct vm_trace_ops log_ops = { .io = log_io };

static void
with_rig(uint32_t frames, uint32_t swap_pages, void (*body)(struct rig *r))
{
	struct iolog *lg = calloc(1, sizeof(*lg));
	struct rig r;

	ck_assert_ptr_nonnull(lg);
	rig_create(&r, frames, swap_pages);
	rig_boot(&r);
	r.arg = lg;
	vm_set_trace(r.vm, &log_ops, lg);
	rig_run(&r, body);
	vm_check_all(r.vm);
	rig_destroy(&r);
	free(lg);
}

/* ------------------------------------------------------------ block list */

#define BLOCKS 5000u /* not a multiple of anything */

/* The lowest run of n free blocks inside one leaf of 32. */
static swblk_t
naive_find(const bool *is_free, uint32_t n)
{
	uint32_t i, j;

	for (i = 0; i < BLOCKS; i++) {
		for (j = 0; j < n; j++)
			if (i + j >= BLOCKS || !is_free[i + j] ||
			    (i + j) / 32 != i / 32)
				break;
		if (j == n)
			return (i);
	}
	return (SWAPBLK_NONE);
}

START_TEST(block_list)
{
	struct blist *bl = blist_create(BLOCKS);
	static bool is_free[BLOCKS];
	uint32_t i, j, n, avail = BLOCKS - 2;
	struct sim_rng rng;
	swblk_t got, want;

	memset(is_free, 0, sizeof(is_free));
	sim_rng_init(&rng, 5, "blist");
	ck_assert_uint_eq(blist_alloc(bl, 1), SWAPBLK_NONE);
	blist_free(bl, 2, BLOCKS - 2);
	for (i = 2; i < BLOCKS; i++)
		is_free[i] = true;
	for (i = 0; i < 20000; i++) {
		/* Fill up, run dry, and everything between. */
		uint32_t take = i / 2000 % 2 == 0 ? 70 : 40;

		if (sim_rng_below(&rng, 100) < take) {
			n = 1 + (uint32_t)sim_rng_below(&rng, 32);
			want = naive_find(is_free, n);
			got = blist_alloc(bl, n);
			ck_assert_uint_eq(got, want);
			for (j = 0; got != SWAPBLK_NONE && j < n; j++)
				is_free[got + j] = false;
			avail -= got != SWAPBLK_NONE ? n : 0;
		} else {
			j = (uint32_t)sim_rng_below(&rng, BLOCKS);
			for (n = 0; n < 16 && j + n < BLOCKS &&
			    j + n >= 2 && !is_free[j + n]; n++)
				is_free[j + n] = true;
			if (n > 0)
				blist_free(bl, j, n);
			avail += n;
		}
		ck_assert_uint_eq(blist_avail(bl), avail);
	}
	for (i = 0; i < BLOCKS; i++)
		ck_assert(blist_is_free(bl, i) == is_free[i]);
	ck_assert_uint_eq(blist_alloc(bl, 33), SWAPBLK_NONE);
	ck_assert_uint_eq(blist_alloc(bl, 0), SWAPBLK_NONE);
	blist_destroy(bl);
}
END_TEST

/* ------------------------------------------------------------ metadata */

static void
meta_body(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, 1 << 20);
	vm_object_t other = vm_object_allocate(r->vm, OBJT_DEFAULT, 100);
	int before, after;
	uint32_t i;

	ck_assert_uint_eq(swp_meta_lookup(object, 7), SWAPBLK_NONE);
	for (i = 0; i < 20; i++)
		(void)swp_meta_set(r->vm, object, 1000000 - 777ull * i,
		    swp_pager_getswapspace(r->vm, 1));
	ck_assert_int_eq(object->type, OBJT_SWAP);
	ck_assert_uint_eq(object->swp_bcount, 20);
	for (i = 0; i < 20; i++)
		ck_assert_uint_eq(swp_meta_lookup(object,
		    1000000 - 777ull * i), 2 + i);
	swap_pager_freespace(r->vm, object, 0, 1u << 20);
	ck_assert_uint_eq(object->swp_bcount, 0);
	ck_assert_uint_eq(r->vm->swap_pager_avail, 1000 - 2);

	/* haspage: 7 on either side at most, consecutive blocks only. */
	for (i = 0; i < 40; i++)
		(void)swp_meta_set(r->vm, object, 100 + i,
		    swp_pager_getswapspace(r->vm, 1));
	ck_assert(vm_pager_has_page(r->vm, object, 120, &before, &after));
	ck_assert_int_eq(before, 7);
	ck_assert_int_eq(after, 7);
	ck_assert(vm_pager_has_page(r->vm, object, 100, &before, &after));
	ck_assert_int_eq(before, 0);
	ck_assert_int_eq(after, 7);
	swap_pager_freespace(r->vm, object, 118, 1);
	ck_assert(vm_pager_has_page(r->vm, object, 120, &before, &after));
	ck_assert_int_eq(before, 1);
	ck_assert(!vm_pager_has_page(r->vm, object, 118, &before, &after));

	/* A copy takes a range over, where the target has nothing. */
	(void)swp_meta_set(r->vm, other, 5, swp_pager_getswapspace(r->vm, 1));
	i = swp_meta_lookup(other, 5);
	swap_pager_copy(r->vm, object, other, 110, false);
	ck_assert_uint_eq(swp_meta_lookup(other, 5), i);
	ck_assert_uint_eq(swp_meta_lookup(object, 109), 2 + 9);
	ck_assert_uint_eq(swp_meta_lookup(object, 110), SWAPBLK_NONE);
	ck_assert_uint_eq(swp_meta_lookup(other, 0), 2 + 10);
	ck_assert_uint_eq(swp_meta_lookup(other, 29), 2 + 39);
	vm_check_all(r->vm);
	swap_pager_copy(r->vm, object, other, 100, true);
	ck_assert_int_eq(object->type, OBJT_DEFAULT);
	vm_check_all(r->vm);
	vm_object_deallocate(r->vm, object);
	vm_object_deallocate(r->vm, other);
	ck_assert_uint_eq(r->vm->swap_pager_avail, 1000 - 2);
}

START_TEST(metadata)
{
	with_rig(1024, 1000, meta_body);
}
END_TEST

/* ------------------------------------------------------------ devices */

static void
devices_body(struct rig *r)
{
	struct sim_err err;
	swblk_t a, b, c;
	uint32_t i;

	/* In turn; one page between them is nobody's. */
	a = swp_pager_getswapspace(r->vm, 4);
	b = swp_pager_getswapspace(r->vm, 4);
	c = swp_pager_getswapspace(r->vm, 4);
	ck_assert_uint_eq(a, 2);
	ck_assert_uint_eq(b, 1000 + 1 + 2);
	ck_assert_uint_eq(c, 6);
	ck_assert_ptr_eq(swp_device_of(r->vm, b)->disk, r->fs);
	for (i = 0; i < 4; i++) {
		swp_pager_freeswapspace(r->vm, a + i);
		swp_pager_freeswapspace(r->vm, b + i);
		swp_pager_freeswapspace(r->vm, c + i);
	}
	ck_assert_int_ne(vm_add_swap(r->vm, r->fs, 4, 800, &err), 0);
	ck_assert_int_ne(vm_add_swap(r->vm, r->fs, 8, 804, &err), 0);
	ck_assert_int_ne(vm_add_swap(r->vm, r->fs, 8, 16, &err), 0);
	ck_assert_int_ne(vm_add_swap(r->vm, r->fs, 1u << 22, 800, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "fs0"));
}

START_TEST(devices_take_turns)
{
	struct sim_err err;
	struct rig r;

	rig_create(&r, 1024, 1000);
	ck_assert_int_eq(disk_enable_contents(r.fs), 0);
	ck_assert_int_eq(vm_add_swap(r.vm, r.fs, 80, 8000, &err), 0);
	ck_assert_uint_eq(vm_stat(r.vm, "vm.swap_free"), 2 * 998);
	rig_boot(&r);
	rig_run(&r, devices_body);
	rig_destroy(&r);
}
END_TEST

/* "Full" until swap is added; almost full below 128, not above 512. */
START_TEST(full_and_almost_full)
{
	struct rig r;
	swblk_t blk[1000];
	uint32_t i;

	rig_create(&r, 1024, 0);
	ck_assert_int_eq(r.vm->swap_pager_full, 2);
	rig_destroy(&r);

	rig_create(&r, 1024, 1000);
	ck_assert_int_eq(r.vm->swap_pager_full, 0);
	for (i = 0; i < 998 - 127; i++) {
		ck_assert(!r.vm->swap->almost_full);
		blk[i] = swp_pager_getswapspace(r.vm, 1);
	}
	ck_assert(r.vm->swap->almost_full);
	for (; i < 998; i++)
		blk[i] = swp_pager_getswapspace(r.vm, 1);
	ck_assert_int_eq(r.vm->swap_pager_full, 0);
	ck_assert_uint_eq(swp_pager_getswapspace(r.vm, 1), SWAPBLK_NONE);
	ck_assert_int_eq(r.vm->swap_pager_full, 2);
	for (i = 0; i < 512; i++)
		swp_pager_freeswapspace(r.vm, blk[i]);
	ck_assert_int_eq(r.vm->swap_pager_full, 0);
	ck_assert(r.vm->swap->almost_full);
	swp_pager_freeswapspace(r.vm, blk[i]);
	ck_assert(!r.vm->swap->almost_full);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ page-out */

static void
fill(struct rig *r, uint64_t pages)
{
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, pages);
	for (i = 0; i < pages; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, 7000 + i);
}

/* No piece of 16 is left: 8, then 4, then nothing smaller. */
static void
halving_body(struct rig *r)
{
	vm_object_t object;
	vm_page_t mc[16];
	int rtvals[16], i;
	swblk_t blk;

	fill(r, 16);
	object = r->vs->vm_map.header.next->object;
	for (i = 0; i < 16; i++)
		mc[i] = vm_page_lookup(object, (vm_pindex_t)i);
	/* 38 pages: 2 .. 31, and 32 .. 37. Leave runs of 8 and 4. */
	while ((blk = swp_pager_getswapspace(r->vm, 1)) != SWAPBLK_NONE)
		continue;
	for (i = 8; i < 16; i++)
		swp_pager_freeswapspace(r->vm, (swblk_t)i);
	for (i = 20; i < 24; i++)
		swp_pager_freeswapspace(r->vm, (swblk_t)i);
	for (i = 28; i < 31; i++)
		swp_pager_freeswapspace(r->vm, (swblk_t)i);
	for (i = 0; i < 16; i++) {
		vm_page_io_start(r->vm, mc[i]);
		r->vm->pmap->remove_write(r->vm, mc[i]);
	}
	vm_object_pip_add(object, 16);
	swap_pager_putpages(r->vm, object, mc, 16, VM_PAGER_PUT_SYNC, rtvals);
	for (i = 0; i < 16; i++) {
		ck_assert_int_eq(rtvals[i], i < 12 ? VM_PAGER_PEND :
						     VM_PAGER_FAIL);
		if (i >= 12) { /* the caller's part of it */
			vm_page_io_finish(r->vm, mc[i]);
			vm_object_pip_wakeup(r->vm, object);
		}
		ck_assert_uint_eq(mc[i]->dirty, i < 12 ? 0 :
		    VM_PAGE_BITS_ALL);
		ck_assert_uint_eq(mc[i]->busy, 0);
	}
	ck_assert_uint_eq(swp_meta_lookup(object, 0), 8);
	ck_assert_uint_eq(swp_meta_lookup(object, 8), 20);
	ck_assert_uint_eq(swp_meta_lookup(object, 12), SWAPBLK_NONE);
	ck_assert_uint_eq(vm_stat(r->vm, "v_swapout"), 2);
	ck_assert_uint_eq(vm_stat(r->vm, "v_swappgsout"), 12);
	ck_assert_int_eq(r->vm->swap_pager_full, 2);
	/* What the test took is nobody's: give it back. */
	for (i = 2; i < 38; i++)
		if (!(i >= 8 && i < 16) && !(i >= 20 && i < 24) &&
		    !(i >= 28 && i < 31))
			swp_pager_freeswapspace(r->vm, (swblk_t)i);
}

START_TEST(page_out_halves)
{
	with_rig(1024, 38, halving_body);
}
END_TEST

static void
error_body(struct rig *r)
{
	vm_object_t object;
	vm_page_t m;
	bool eio;
	int run;

	fill(r, 1);
	object = r->vs->vm_map.header.next->object;
	m = vm_page_lookup(object, 0);
	vm_page_deactivate(r->vm, m);
	rig_set(r, "inject.io_error", "1000000");
	ck_assert_int_eq(vm_pageout_flush(r->vm, &m, 1, VM_PAGER_PUT_SYNC, 0,
	    &run, &eio), 1);
	/* Dirty, active, not busy; the block stays assigned. */
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(m->queue, PQ_ACTIVE(r->vm));
	ck_assert_uint_eq(m->busy, 0);
	ck_assert_uint_eq(m->flags & PG_SWAPINPROG, 0);
	ck_assert_uint_eq(swp_meta_lookup(object, 0), 2);
	ck_assert_int_eq(object->paging_in_progress, 0);
	rig_set(r, "inject.io_error", "0");
	ck_assert_int_eq(vm_pageout_flush(r->vm, &m, 1, VM_PAGER_PUT_SYNC, 0,
	    &run, &eio), 1);
	ck_assert_uint_eq(m->dirty, 0);
	/* A new block each time; the old one is free again. */
	ck_assert_uint_eq(swp_meta_lookup(object, 0), 3);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.swap_free"), 998 - 1);
	rig_set(r, "inject.io_again", "1000000");
	vm_page_dirty(r->vm, m);
	ck_assert_int_eq(vm_pageout_flush(r->vm, &m, 1, VM_PAGER_PUT_SYNC, 0,
	    &run, &eio), 0);
	ck_assert_int_eq(run, 0);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(m->busy, 0);
}

START_TEST(failed_writes_keep_pages)
{
	with_rig(1024, 1000, error_body);
}
END_TEST

/* The page daemon's writes: clusters up to 16, at most vm.swap_async_max at
 * once, each contiguous on disk. */
static void
daemon_body(struct rig *r)
{
	struct iolog *lg = r->arg;
	uint32_t i, j, n, most = 0, big = 0, writes = 0;

	fill(r, 5000);
	n = lg->n < 4096 ? lg->n : 4096;
	for (i = 0; i < n; i++) {
		uint32_t at_once = 0;

		if (lg->io[i].kind != VMIO_SWAP_OUT)
			continue;
		writes++;
		ck_assert_uint_le(lg->io[i].pages, 16);
		big += lg->io[i].pages == 16;
		for (j = 0; j < n; j++)
			at_once += lg->io[j].kind == VMIO_SWAP_OUT &&
			    lg->io[j].queued <= lg->io[i].queued &&
			    lg->io[j].finish > lg->io[i].queued;
		if (at_once > most)
			most = at_once;
	}
	ck_assert_uint_gt(writes, 20);
	ck_assert_uint_gt(big, writes / 4);
	ck_assert_uint_ge(most, 2);
	ck_assert_uint_le(most, 4);
}

START_TEST(page_daemon_clusters)
{
	with_rig(2100, 16000, daemon_body);
}
END_TEST

/* Swap is used up: nothing is lost, the pages stay. */
static void
exhausted_body(struct rig *r)
{
	uint64_t i;

	fill(r, 480);
	for (i = 0; i < 480; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE +
		    i * PAGE_SIZE), 7000 + i);
	ck_assert_uint_lt(vm_stat(r->vm, "vm.swap_free"), 64);
}

START_TEST(small_swap_loses_nothing)
{
	with_rig(480, 100, exhausted_body);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("swap");

	tcase_add_test(tc, block_list);
	tcase_add_test(tc, metadata);
	tcase_add_test(tc, devices_take_turns);
	tcase_add_test(tc, full_and_almost_full);
	tcase_add_test(tc, page_out_halves);
	tcase_add_test(tc, failed_writes_keep_pages);
	tcase_add_test(tc, page_daemon_clusters);
	tcase_add_test(tc, small_swap_loses_nothing);
	return (rig_suite("swap_pager", tc));
}
