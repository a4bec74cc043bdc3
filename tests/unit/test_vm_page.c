/*
 * Goal:   what the FreeBSD 5 vectors do not reach of the page module: boot
 *         over domains, the adapters for FreeBSD 11's text, the record of
 *         transitions, idle zeroing, waiting, print-outs.
 * Method: calls on a small machine (page_fixture.h), mostly in a simulated
 *         thread.
 */
#include <errno.h>

#include "unit/page_fixture.h"

static vm_page_t
get(struct page_fixture *f, int obj, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_alloc(f->vm, &f->obj[obj], pindex,
	    VM_ALLOC_NORMAL);

	ck_assert_ptr_nonnull(m);
	return (m);
}

/* A valid, clean page that belongs to nobody in particular, on ACTIVE. */
static vm_page_t
get_active(struct page_fixture *f, int obj, vm_pindex_t pindex)
{
	vm_page_t m = get(f, obj, pindex);

	vm_page_set_validclean(f->vm, m, 0, PAGE_SIZE);
	vm_page_activate(f->vm, m);
	vm_page_wakeup(f->vm, m);
	return (m);
}

/* ------------------------------------------------------------ boot */

START_TEST(colours_come_from_the_cache_size)
{
	static const uint32_t rows[][2] = { { 0, 1 }, { 63, 1 }, { 64, 16 },
		{ 127, 16 }, { 128, 32 }, { 256, 64 }, { 512, 128 },
		{ 1023, 128 }, { 1024, 256 }, { 4096, 256 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_uint_eq(vm_page_cachesize_colours(rows[i][0]),
		    rows[i][1]);
}
END_TEST

START_TEST(colours_must_be_one_of_the_six)
{
	struct page_fixture *f = pf_create(4);

	ck_assert_int_eq(vm_page_set_colours(f->vm, 2), -EINVAL);
	ck_assert_int_eq(vm_page_set_colours(f->vm, 0), -EINVAL);
	ck_assert_int_eq(vm_page_set_colours(f->vm, 64), 0);
	ck_assert_uint_eq(f->vm->pq_prime1, 13);
	ck_assert_uint_eq(f->vm->pq_prime2, 7);
	pf_destroy(f);
}
END_TEST

static void
two_domains(struct page_fixture *f)
{
	f->vm->ndomains = 2;
	/* given out of order, with a hole between 24 and 32 */
	f->vm->dom[0].vmd_nsegs = 2;
	f->vm->dom[0].vmd_seg[0].start = 32 << PAGE_SHIFT;
	f->vm->dom[0].vmd_seg[0].end = 40 << PAGE_SHIFT;
	f->vm->dom[0].vmd_seg[1].start = (4 << PAGE_SHIFT) + 1;
	f->vm->dom[0].vmd_seg[1].end = (8 << PAGE_SHIFT) + 5;
	f->vm->dom[1].vmd_nsegs = 1;
	f->vm->dom[1].vmd_seg[0].start = 8 << PAGE_SHIFT;
	f->vm->dom[1].vmd_seg[0].end = 24 << PAGE_SHIFT;
	f->vm->boot_pages = 3;
}

START_TEST(startup_builds_every_segment)
{
	struct page_fixture *f = pf_create(40);
	struct sim_err err;
	vm_page_t m;

	two_domains(f);
	ck_assert_int_eq(vm_page_startup(f->vm, &err), 0);
	vmcheck_accounted(f->vm);
	ck_assert_uint_eq(f->vm->pq_l2_size, 1); /* vm.pq_cachesize is 0 */
	ck_assert_uint_eq(f->vm->first_page, 5);
	ck_assert_uint_eq(f->vm->page_array_size, 35);
	ck_assert_uint_eq(f->vm->cnt.v_page_count, 3 + 13 + 8);
	ck_assert_uint_eq(f->vm->cnt.v_page_size, PAGE_SIZE);
	ck_assert_uint_eq(f->vm->dom[0].vmd_page_count, 11);
	ck_assert_uint_eq(f->vm->dom[1].vmd_free_count, 13);
	/* ascending, the boot pages at the top of the largest segment */
	m = TAILQ_FIRST(&f->vm->pq[PQ_FREE].pq_pl);
	ck_assert_uint_eq(m->pfn, 5);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 21)->flags, PG_NOTAVAIL);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 20)->flags, 0);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 28)->flags, PG_NOTAVAIL);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 39)->domain, 0);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 20)->domain, 1);
	ck_assert_ptr_null(vm_phys_to_page(f->vm, 4));
	ck_assert_ptr_null(vm_phys_to_page(f->vm, 40));
	pf_destroy(f);
}
END_TEST

START_TEST(startup_refuses_too_little)
{
	struct page_fixture *f = pf_create(40);
	struct sim_err err = { "" };

	ck_assert_int_eq(vm_page_startup(f->vm, &err), -EINVAL);
	two_domains(f);
	f->vm->boot_pages = 16;
	ck_assert_int_eq(vm_page_startup(f->vm, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "boot pages"));
	pf_destroy(f);
}
END_TEST

START_TEST(seed_startup_refuses_what_the_seed_would_not_survive)
{
	struct page_fixture *f = pf_create(4);
	struct vm_phys_range small[] = { { 0x1000, 0x3000 } };
	struct vm_phys_range twisted[] = { { 0x9000, 0xf000 },
		{ 0x1000, 0x8000 } };
	struct vm_page_boot b = { .phys = small, .nphys = 1, .boot_pages = 2,
		.struct_bytes = 104 };
	struct sim_err err;

	ck_assert_int_eq(vm_page_startup_phys(f->vm, &b, &err), -EINVAL);
	b.phys = twisted;
	b.nphys = 2;
	ck_assert_int_eq(vm_page_startup_phys(f->vm, &b, &err), -EINVAL);
	b.nphys = 0;
	ck_assert_int_eq(vm_page_startup_phys(f->vm, &b, &err), -EINVAL);
	pf_destroy(f);
}
END_TEST

START_TEST(seed_startup_takes_the_first_of_equal_ranges)
{
	struct page_fixture *f = pf_create(4);
	struct vm_phys_range phys[] = { { 0x1000, 0x11000 },
		{ 0x20000, 0x30000 } };
	struct vm_page_boot b = { .phys = phys, .nphys = 2, .boot_pages = 2,
		.struct_bytes = 104, .vaddr = 0x100001 };
	struct sim_err err;

	ck_assert_int_eq(vm_page_startup_phys(f->vm, &b, &err), 0);
	ck_assert_uint_eq(b.page_range, 47); /* 4888 bytes: two pages */
	ck_assert_uint_eq(b.npages, 28);
	ck_assert_uint_eq(f->vm->cnt.v_page_count, 28);
	ck_assert_uint_eq(b.vaddr, 0x101000 + 4 * PAGE_SIZE);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 0xc)->flags, 0);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 0xd)->flags, PG_NOTAVAIL);
	ck_assert_uint_eq(vm_phys_to_page(f->vm, 0x2f)->flags, 0);
	pf_destroy(f);
}
END_TEST

START_TEST(tunables_set_the_fields)
{
	struct page_fixture *f = pf_create(4);
	struct tunables *ts = tunables_create();
	struct sim_err err;

	ck_assert_int_eq(vm_page_tunables(f->vm, ts), 0);
	ck_assert_uint_eq(f->vm->pq_cachesize, 128);
	ck_assert_int_eq(f->vm->zero_idle_enabled, 1);
	ck_assert_int_eq(tunables_set(ts, "vm.idlezero_enable", "0", &err),
	    0);
	ck_assert_int_eq(f->vm->zero_idle_enabled, 0);
	ck_assert_int_ne(tunables_set(ts, "vm.idlezero_maxrun", "0", &err),
	    0);
	tunables_destroy(ts);
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ domains */

static void
body_domains(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m;
	uint32_t i, seen = 0;

	for (i = 0; i < 24; i++) {
		m = get_active(f, 0, i);
		ck_assert_ptr_eq(vm_page_pagequeue(vm, m),
		    &vm->dom[m->domain].vmd_active);
		seen |= 1u << m->domain;
		if (i % 2 == 0)
			vm_page_deactivate(vm, m);
	}
	ck_assert_uint_eq(seen, 3);
	ck_assert_uint_eq(vm->cnt.v_active_count, 12);
	ck_assert_uint_eq(vm->dom[0].vmd_active.pq_cnt +
	    vm->dom[1].vmd_active.pq_cnt, 12);
	ck_assert_uint_eq(vm->dom[0].vmd_free_count, 0);
	vmcheck_accounted(vm);
}

START_TEST(pages_go_to_the_queues_of_their_domain)
{
	struct page_fixture *f = pf_create(40);
	struct sim_err err;

	two_domains(f);
	ck_assert_int_eq(vm_page_startup(f->vm, &err), 0);
	ck_assert_str_eq(pf_run(f, body_domains), "");
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ transitions */

static void
expect_move(const struct page_fixture *f, size_t nth, enum vm_queue from,
    enum vm_queue to, int where, enum vm_reason why)
{
	const struct vm_transition *t = pf_last_move(f);

	ck_assert_uint_eq(f->nmoves, nth);
	ck_assert_str_eq(vm_queue_name(t->from), vm_queue_name(from));
	ck_assert_str_eq(vm_queue_name(t->to), vm_queue_name(to));
	ck_assert_int_eq(t->where, where);
	ck_assert_str_eq(vm_reason_name(t->reason), vm_reason_name(why));
}

static void
body_transitions(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = get(f, 1, 7);
	const struct vm_transition *t = pf_last_move(f);

	expect_move(f, 1, VMQ_FREE, VMQ_BUSY, VMT_TAIL, WHY_ALLOC);
	ck_assert_uint_eq(t->object, 2);
	ck_assert_uint_eq(t->pindex, 7);
	ck_assert_uint_eq(t->page, m->pfn);
	vm_why(vm, WHY_FAULT_DONE);
	vm_page_activate(vm, m);
	expect_move(f, 2, VMQ_BUSY, VMQ_ACTIVE, VMT_TAIL, WHY_FAULT_DONE);
	ck_assert_uint_eq(pf_last_move(f)->act_count, ACT_INIT);
	vm_why(vm, WHY_NONE);
	vm_page_activate(vm, m); /* already there: no move */
	vm_page_wakeup(vm, m);
	vm_page_wire(vm, m);
	vm_page_wire(vm, m);
	expect_move(f, 3, VMQ_ACTIVE, VMQ_WIRED, VMT_TAIL, WHY_WIRE);
	vm_page_unwire(vm, m, false);
	vm_page_unwire(vm, m, false);
	expect_move(f, 4, VMQ_WIRED, VMQ_INACTIVE, VMT_TAIL, WHY_UNWIRE);
	vm_page_cache(vm, m);
	expect_move(f, 5, VMQ_INACTIVE, VMQ_CACHE, VMT_TAIL, WHY_NONE);
	vm_pageq_requeue(vm, m);
	expect_move(f, 6, VMQ_CACHE, VMQ_CACHE, VMT_TAIL, WHY_NONE);
	vm_page_deactivate(vm, m);
	expect_move(f, 7, VMQ_CACHE, VMQ_INACTIVE, VMT_TAIL, WHY_NONE);
	vm_page_activate(vm, m);
	vm->dnweight = 0x10 - 1;
	vm_page_dontneed(vm, m);
	expect_move(f, 9, VMQ_ACTIVE, VMQ_INACTIVE, VMT_HEAD, WHY_NONE);
	vm_page_hold(m);
	vm_page_busy(vm, m);
	vm_page_free(vm, m);
	expect_move(f, 10, VMQ_INACTIVE, VMQ_HOLD, VMT_HEAD, WHY_FREE);
	ck_assert_uint_eq(pf_last_move(f)->object, 2);
	ck_assert_uint_eq(pf_last_move(f)->pindex, 7);
	vm_page_unhold(vm, m);
	expect_move(f, 11, VMQ_HOLD, VMQ_FREE, VMT_HEAD, WHY_UNHOLD);
	ck_assert_uint_eq(pf_last_move(f)->object, 0);
	m = get(f, 1, 7);
	vm_page_unmanage(vm, m);
	vm_page_activate(vm, m); /* unmanaged: stays off the queues */
	ck_assert_uint_eq(f->nmoves, 12);
}

START_TEST(one_transition_for_each_move)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_transitions), "");
	pf_destroy(f);
}
END_TEST

static void
body_pageq(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = get_active(f, 0, 0);
	size_t n = f->nmoves;

	vm_pageq_remove(vm, m);
	expect_move(f, n + 1, VMQ_ACTIVE, VMQ_NONE, VMT_TAIL, WHY_NONE);
	vm_pageq_remove(vm, m);
	vm_pageq_remove_nowakeup(vm, m);
	vm_pageq_requeue(vm, m); /* on no queue: nothing */
	vm_pageq_enqueue(vm, (int)PQ_CACHE(vm) + m->pc, m);
	expect_move(f, n + 2, VMQ_NONE, VMQ_CACHE, VMT_TAIL, WHY_NONE);
	vm->cnt.v_free_reserved = 100;
	vm_pageq_remove(vm, m); /* left CACHE while paging is needed */
	ck_assert_int_eq(vm->vm_pages_needed, 1);
	/* a fictitious page leaves its queue and goes nowhere */
	vm_page_activate(vm, m);
	vm_page_flag_set(m, PG_FICTITIOUS);
	vm_page_busy(vm, m);
	vm_page_free(vm, m);
	expect_move(f, n + 5, VMQ_ACTIVE, VMQ_NONE, VMT_TAIL, WHY_FREE);
	ck_assert_uint_eq(pf_last_move(f)->object, 1);
}

START_TEST(the_queue_layer_moves_once)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_pageq), "");
	pf_destroy(f);
}
END_TEST

static void
body_writeable(struct page_fixture *f)
{
	vm_page_t m = get(f, 0, 0);

	f->obj[1].type = OBJT_VNODE;
	vm_page_flag_set(m, PG_WRITEABLE);
	vm_page_rename(f->vm, m, &f->obj[1], 5);
	ck_assert(f->obj[1].flags & OBJ_MIGHTBEDIRTY);
	ck_assert_uint_eq(f->obj[0].flags, 0);
}

START_TEST(a_written_page_marks_its_new_object)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_writeable), "");
	pf_destroy(f);
}
END_TEST

static void
body_recycle(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t busy = get_active(f, 0, 0), m = get_active(f, 0, 1);
	size_t first;

	vm_page_cache(vm, busy);
	vm_page_busy(vm, busy);
	vm_page_cache(vm, m);
	vm->cnt.v_free_reserved = vm->cnt.v_free_count;
	first = f->nmoves;
	(void)get(f, 0, 2);
	ck_assert_uint_eq(f->nmoves, first + 3);
	ck_assert_int_eq(f->moves[first].reason, WHY_ALLOC_CACHE_BUSY);
	ck_assert_int_eq(f->moves[first].to, VMQ_INACTIVE);
	ck_assert_int_eq(f->moves[first + 1].reason, WHY_ALLOC_CACHE);
	ck_assert_int_eq(f->moves[first + 1].to, VMQ_FREE);
	ck_assert_int_eq(f->moves[first + 2].reason, WHY_ALLOC);
	ck_assert_uint_eq(sim_tag(f->sim), WHY_NONE);
	ck_assert_uint_eq(vm->cnt.v_reactivated, 1);
}

START_TEST(recycling_tells_its_reasons)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_recycle), "");
	pf_destroy(f);
}
END_TEST

START_TEST(every_code_has_a_name)
{
	int i;

	for (i = 0; i < VMQ_COUNT; i++)
		ck_assert_str_ne(vm_queue_name(i), "?");
	for (i = 0; i < WHY_COUNT; i++) {
		ck_assert_str_ne(vm_reason_name(i), "?");
		ck_assert_str_ne(vm_reason_help(i), "?");
	}
	for (i = 0; i < VME_COUNT; i++) {
		ck_assert_str_ne(vm_event_kind_name(i), "?");
		ck_assert_str_ne(vm_event_kind_help(i), "?");
	}
	ck_assert_str_eq(vm_reason_name(WHY_COUNT), "?");
	ck_assert_str_eq(vm_queue_name(VMQ_COUNT), "?");
}
END_TEST

/* ------------------------------------------------------------ adapters */

static void
body_free_f11(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = get_active(f, 0, 3);

	vm_page_free_f11(vm, m); /* not busy, as FreeBSD 11 does */
	ck_assert_uint_eq(vm->cnt.v_free_count, 8);
	ck_assert_uint_eq(vm->cnt.v_tfree, 1);
	ck_assert_int_eq(pf_last_move(f)->from, VMQ_ACTIVE);
	ck_assert_ptr_null(vm_page_lookup(&f->obj[0], 3));
	m = get(f, 0, 3);
	vm_page_free_f11(vm, m); /* busy is fine too */
	m = get_active(f, 0, 3);
	vm_page_io_start(vm, m);
	vm_page_free_f11(vm, m);
	ck_abort_msg("a shared-busy page was freed");
}

START_TEST(free_f11_takes_unbusied_pages)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_free_f11), "FREE_BUSY");
	pf_destroy(f);
}
END_TEST

static void
body_free_mapped(struct page_fixture *f)
{
	vm_page_t m = get_active(f, 0, 3);
	struct pmap *pmap = pmap_create(f->mmu);

	pmap_enter(pmap, 0x10000, m->pfn, VM_PROT_READ, 0);
	vm_page_free_f11(f->vm, m);
}

START_TEST(free_f11_wants_the_mappings_gone)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_free_mapped), "FREE_MAPPED");
	pf_destroy(f);
}
END_TEST

static bool
haspage_even(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    int *before, int *after)
{
	(void)vm;
	(void)object;
	(void)before;
	(void)after;
	return (pindex % 2 == 0);
}

static void
body_cache_f11(struct page_fixture *f)
{
	static const struct vm_pagerops ops = { .haspage = haspage_even };
	struct vm *vm = f->vm;
	vm_page_t plain = get_active(f, 0, 0), copied, uncopied;

	f->obj[1].type = OBJT_SWAP;
	f->obj[1].pagerops = &ops;
	copied = get_active(f, 1, 0);
	uncopied = get_active(f, 1, 1);
	vm->cnt.v_tfree = 0;
	vm_page_cache_f11(vm, plain); /* R10: off by default */
	ck_assert_int_eq(pf_last_move(f)->to, VMQ_CACHE);
	vm_page_activate(vm, plain);
	vm->f11_cache_rule = 1;
	vm_page_cache_f11(vm, plain);
	vm_page_cache_f11(vm, copied);
	vm_page_cache_f11(vm, uncopied);
	ck_assert_uint_eq(vm->cnt.v_tfree, 2);
	ck_assert(vm_page_on_free(plain) && vm_page_on_free(uncopied));
	ck_assert(vm_page_on_cache(vm, copied));
	ck_assert_int_eq(pf_last_move(f)->from, VMQ_ACTIVE);
	plain = get_active(f, 0, 0);
	plain->dirty = 1;
	vm_page_cache_f11(vm, plain);
}

START_TEST(cache_f11_rule_frees_what_freebsd_11_frees)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_cache_f11), "CACHE_DIRTY");
	pf_destroy(f);
}
END_TEST

static void
body_remque(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = get_active(f, 0, 0);

	vm_page_remque(vm, m);
	ck_assert_uint_eq(m->queue, PQ_NONE);
	ck_assert_uint_eq(vm->cnt.v_reactivated, 0);
	vm_page_activate(vm, m);
	vm_page_cache(vm, m);
	vm->cnt.v_free_reserved = 100; /* paging is needed now */
	vm_page_remque(vm, m);
	ck_assert_uint_eq(vm->cnt.v_reactivated, 1);
	ck_assert_int_eq(vm->vm_pages_needed, 0); /* and nobody is told */
	vm_page_remque(vm, m); /* on no queue: nothing */
	ck_assert_uint_eq(vm->cnt.v_reactivated, 1);
}

START_TEST(a_fault_reactivates_cached_pages)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_remque), "");
	pf_destroy(f);
}
END_TEST

static void
body_neighbours(struct page_fixture *f)
{
	vm_page_t a = get(f, 0, 4), c = get(f, 0, 6), b = get(f, 0, 5);
	vm_page_t far = get(f, 0, 9);

	ck_assert_ptr_eq(vm_page_next(a), b);
	ck_assert_ptr_eq(vm_page_next(b), c);
	ck_assert_ptr_null(vm_page_next(c));
	ck_assert_ptr_null(vm_page_prev(a));
	ck_assert_ptr_eq(vm_page_prev(c), b);
	ck_assert_ptr_null(vm_page_prev(far));
}

START_TEST(neighbours_are_exactly_one_away)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_neighbours), "");
	pf_destroy(f);
}
END_TEST

static void
body_generation(struct page_fixture *f)
{
	struct vm_object *o = &f->obj[0];
	vm_page_t m = get(f, 0, 4);

	/* companions 1.3: a shadow's colour depends on it */
	ck_assert_int_eq(o->generation, 1);
	vm_page_set_invalid(f->vm, m, 0, 512);
	ck_assert_int_eq(o->generation, 2);
	vm_page_free(f->vm, m);
	ck_assert_int_eq(o->generation, 3);
	(void)vm_page_lookup(o, 4);
	ck_assert_int_eq(o->generation, 3);
}

START_TEST(generation_counts_what_happens_to_an_object)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_generation), "");
	pf_destroy(f);
}
END_TEST

static void
grabber(void *arg)
{
	struct page_fixture *f = arg;
	vm_page_t m = vm_page_grab(f->vm, &f->obj[0], 7, VM_ALLOC_RETRY);

	ck_assert_uint_eq(m->pindex, 7);
	ck_assert_ptr_eq(m->object, &f->obj[0]);
	f->obj[2].swp_nblocks = m->pfn + 1;
}

/* The page waited for is given to somebody else, who keeps it busy. */
static void
body_grab(struct page_fixture *f)
{
	vm_page_t m = get(f, 0, 7), again;

	(void)pf_thread(f, grabber, false);
	(void)sim_yield(f->sim);
	ck_assert(m->flags & PG_WANTED);
	ck_assert(m->flags & PG_REFERENCED);
	vm_page_free(f->vm, m);
	again = get(f, 1, 0);
	ck_assert_ptr_eq(again, m);
	(void)sim_yield(f->sim);
	ck_assert_uint_ne(f->obj[2].swp_nblocks, 0);
	ck_assert_uint_ne(f->obj[2].swp_nblocks, m->pfn + 1);
}

START_TEST(grab_notices_that_the_page_is_another)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_grab), "");
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ the machine */

static void
body_pmap(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t m = get_active(f, 0, 0);
	struct pmap *pmap = pmap_create(f->mmu);

	vm->cost.pmap_remove = 7;
	pmap_enter(pmap, 0x10000, m->pfn, VM_PROT_READ | VM_PROT_WRITE,
	    PMAP_ENTER_WRITE_FAULT);
	ck_assert(m->flags & PG_WRITEABLE);
	ck_assert(vm->pmap->page_is_write_mapped(vm, m));
	ck_assert_uint_eq(vm->pmap->resident_count(vm, pmap), 1);
	ck_assert(vm->pmap->page_exists_quick(vm, pmap, m));
	vm_page_test_dirty(vm, m);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	vm_page_undirty(m);
	vm_page_busy(vm, m); /* FreeBSD 5 clears bits of its own pages */
	vm_page_set_validclean(vm, m, 0, PAGE_SIZE);
	ck_assert(!vm->pmap->is_modified(vm, m));
	vm_page_wakeup(vm, m);
	*pmap_pte(pmap, 0x10000) |= PTE_M; /* the CPU writes */
	vm->pmap->remove_all(vm, m);
	ck_assert_uint_eq(sim_now(f->sim), 7);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert(m->flags & PG_REFERENCED);
	ck_assert((m->flags & PG_WRITEABLE) == 0);
	vm_page_undirty(m);
	pmap_enter(pmap, 0x10000, m->pfn, VM_PROT_READ | VM_PROT_WRITE,
	    PMAP_ENTER_WRITE_FAULT);
	vm_page_cowsetup(vm, m);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert(vm->pmap->page_is_mapped(vm, m));
	ck_assert(!vm->pmap->page_is_write_mapped(vm, m));
	ck_assert_int_eq(vm->pmap->ts_referenced(vm, m), 1);
	vm->pmap->remove_range(vm, pmap, 0x10000, 0x11000);
	ck_assert_uint_eq(sim_now(f->sim), 21);
	pmap_destroy(pmap);
}

START_TEST(mappings_tell_the_page)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_pmap), "");
	pf_destroy(f);
}
END_TEST

static void
body_contents(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	vm_page_t a = get(f, 0, 0), b = get(f, 0, 1);
	unsigned char *p = mmu_frame_data_write(f->mmu, a->pfn);

	vm->cost.copy_page = 100;
	vm->cost.zero_page = 4096;
	memset(p, 0x5a, PAGE_SIZE);
	vm_page_copy(vm, a, b);
	ck_assert_uint_eq(b->valid, VM_PAGE_BITS_ALL);
	ck_assert_int_eq(memcmp(mmu_frame_data(f->mmu, b->pfn), p,
	    PAGE_SIZE), 0);
	vm_page_set_validclean(vm, a, 100, 200);
	ck_assert(p[0] == 0 && p[99] == 0 && p[100] == 0x5a);
	ck_assert(p[299] == 0x5a && p[300] == 0 && p[511] == 0);
	ck_assert_uint_eq(p[512], 0x5a);
	ck_assert_uint_eq(sim_now(f->sim), 100 + 100 + 212);
	vm_page_zero_invalid(vm, a, true);
	ck_assert(p[512] == 0 && p[4095] == 0 && p[100] == 0x5a);
}

START_TEST(contents_are_copied_and_zeroed)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_contents), "");
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ idle zeroing */

START_TEST(zero_check_has_hysteresis)
{
	struct page_fixture *f = pf_pages(30, 1);
	struct vm *vm = f->vm;

	ck_assert(!vm_page_zero_check(vm)); /* off */
	vm->zero_idle_enabled = 1;
	ck_assert(vm_page_zero_check(vm));
	vm->page_zero_count = 23;
	ck_assert(vm_page_zero_check(vm));
	vm->page_zero_count = 24; /* four fifths */
	ck_assert(!vm_page_zero_check(vm));
	vm->zero_state = true;
	vm->page_zero_count = 20; /* two thirds */
	ck_assert(!vm_page_zero_check(vm));
	vm->page_zero_count = 19;
	ck_assert(vm_page_zero_check(vm));
	vm->page_zero_count = 0;
	pf_destroy(f);
}
END_TEST

static void
body_zeroer(struct page_fixture *f)
{
	struct vm *vm = f->vm;
	const unsigned char *bytes;
	vm_page_t m;
	uint32_t i;

	/* soil all pages */
	for (i = 0; i < vm->page_array_size; i++)
		memset(mmu_frame_data_write(f->mmu, vm->page_array[i].pfn),
		    0xee, PAGE_SIZE);
	vm->zero_idle_enabled = 1;
	vm->idlezero_maxrun = 4;
	vm->cost.zero_page = 10;
	vm_pagezero_start(vm);
	(void)sim_sleep(f->sim, f, PVM, "idle", 100000);
	ck_assert_int_eq(vm->page_zero_count, 24);
	ck_assert_uint_eq(vm->cnt_prezero, 24);
	ck_assert(vm->zero_state);
	vmcheck_accounted(vm);
	m = vm_page_alloc(vm, &f->obj[0], 0, VM_ALLOC_ZERO);
	ck_assert(m->flags & PG_ZERO);
	bytes = mmu_frame_data(f->mmu, m->pfn);
	for (i = 0; i < PAGE_SIZE && bytes[i] == 0; i++)
		;
	ck_assert_uint_eq(i, PAGE_SIZE);
	ck_assert_int_eq(vm->page_zero_count, 23);
	/* 23 of 29: enough; freeing another makes it 23 of 30, and that too
	 * is above two thirds, so the thread stays asleep */
	vm_page_free(vm, m);
	(void)sim_sleep(f->sim, f, PVM, "idle", 1000);
	ck_assert_int_eq(vm->page_zero_count, 23);
	/* take the zeroed ones until it is worth while again */
	for (i = 0; vm->page_zero_count > 12; i++)
		(void)vm_page_alloc(vm, &f->obj[0], 10 + i, VM_ALLOC_ZERO);
	vm_page_free(vm, vm_page_lookup(&f->obj[0], 10));
	(void)sim_sleep(f->sim, f, PVM, "idle", 1000);
	ck_assert_uint_gt(vm->cnt_prezero, 24);
	ck_assert(!vm_page_zero_check(vm));
	sim_stop(f->sim); /* the zeroer looks again every five minutes */
}

static void
body_zero_state(struct page_fixture *f)
{
	f->vm->zero_idle_enabled = 1;
	f->vm->zero_state = true;
	(void)vm_page_zero_idle_step(f->vm);
	ck_assert(!f->vm->zero_state);
}

START_TEST(a_step_forgets_the_high_mark)
{
	struct page_fixture *f = pf_pages(30, 1);

	ck_assert_str_eq(pf_run(f, body_zero_state), "");
	pf_destroy(f);
}
END_TEST

START_TEST(the_idle_thread_zeroes_four_fifths)
{
	struct page_fixture *f = pf_pages(30, 16);

	ck_assert_str_eq(pf_run(f, body_zeroer), "");
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ waiting */

static void
waiter_user(void *arg)
{
	struct page_fixture *f = arg;

	vm_waitpfault(f->vm);
	f->obj[2].swp_nblocks = f->obj[2].swp_nblocks * 10 + 1;
}

static void
waiter_kernel(void *arg)
{
	struct page_fixture *f = arg;

	vm_wait(f->vm);
	f->obj[2].swp_nblocks = f->obj[2].swp_nblocks * 10 + 2;
}

static void
waiter_daemon(void *arg)
{
	struct page_fixture *f = arg;

	vm_wait(f->vm);
	f->obj[2].swp_nblocks = f->obj[2].swp_nblocks * 10 + 3;
}

static void
note_event(void *ctx, const struct vm_event_record *e)
{
	struct page_fixture *f = ctx;

	if (e->kind == VME_WAIT)
		f->obj[1].swp_nblocks += 100 * (uint32_t)e->pid + 1;
}

static void
body_wait(struct page_fixture *f)
{
	static const struct vm_trace_ops events = { .event = note_event };
	struct vm *vm = f->vm;
	vm_page_t m[8];
	uint32_t i;

	for (i = 0; i < 8; i++)
		m[i] = get(f, 0, i);
	vm->cnt.v_pageout_free_min = 2;
	vm->cnt.v_free_min = 4;
	vm->trace = &events;
	f->pageproc.p_pid = 2;
	(void)pf_thread(f, waiter_user, false);
	(void)pf_thread(f, waiter_kernel, false);
	(void)pf_thread(f, waiter_daemon, true);
	(void)sim_yield(f->sim);
	ck_assert_int_eq(vm->vm_pages_needed, 1);
	ck_assert_int_eq(vm->vm_pageout_pages_needed, 1);
	for (i = 0; i < 8; i++) {
		vm_page_free(vm, m[i]);
		ck_assert_int_eq(vm->vm_pageout_pages_needed, i < 1);
		ck_assert_int_eq(vm->vm_pages_needed, i < 3);
		(void)sim_yield(f->sim);
	}
}

START_TEST(the_daemon_is_served_first_faults_last)
{
	struct page_fixture *f = pf_pages(8, 1);

	ck_assert_str_eq(pf_run(f, body_wait), "");
	/* the daemon; then vm_wait, though it slept later; then the fault */
	ck_assert_uint_eq(f->obj[2].swp_nblocks, 321);
	ck_assert_uint_eq(f->obj[1].swp_nblocks, 203); /* three events */
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ print-outs */

START_TEST(print_outs_fit_or_say_what_they_want)
{
	struct page_fixture *f = pf_pages(40, 16);
	char page[512], pageq[512], small[8];
	size_t n;

	f->vm->cnt.v_free_min = 77;
	n = vm_page_print_page_info(f->vm, page, sizeof(page));
	ck_assert_uint_eq(n, strlen(page));
	ck_assert_ptr_nonnull(strstr(page, "cnt.v_free_count: 40\n"));
	ck_assert_ptr_nonnull(strstr(page, "cnt.v_free_min: 77\n"));
	ck_assert_uint_eq(vm_page_print_page_info(f->vm, small,
	    sizeof(small)), n);
	ck_assert_uint_eq(strlen(small), sizeof(small) - 1);
	ck_assert_uint_eq(vm_page_print_page_info(f->vm, NULL, 0), n);
	n = vm_page_print_pageq_info(f->vm, pageq, sizeof(pageq));
	ck_assert_uint_eq(n, strlen(pageq));
	ck_assert_str_eq(pageq,
	    "PQ_FREE: 3 3 3 3 3 3 3 3 2 2 2 2 2 2 2 2\n"
	    "PQ_CACHE: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
	    "PQ_ACTIVE: 0, PQ_INACTIVE: 0\n");
	pf_destroy(f);
}
END_TEST

/* ------------------------------------------------------------ refusals */

static void
body_twice(struct page_fixture *f)
{
	vm_page_t m = get_active(f, 0, 0);

	vm_pageq_enqueue(f->vm, (int)PQ_INACTIVE(f->vm), m);
}

static void
body_stuck(struct page_fixture *f)
{
	vm_page_t m = get_active(f, 0, 0);

	vm_page_cache(f->vm, m);
	m->wire_count = 1; /* no kernel function does this */
	f->vm->cnt.v_free_reserved = 100;
	(void)vm_page_alloc(f->vm, &f->obj[0], 1, VM_ALLOC_NORMAL);
}

static void
body_invalid(struct page_fixture *f)
{
	vm_page_set_invalid(f->vm, &f->vm->page_array[0], 0, 512);
}

static void
body_quiet(struct page_fixture *f)
{
	vm_page_t m = get_active(f, 0, 0);

	f->vm->invariants = false;
	vm_page_busy(f->vm, m);
	vm_page_busy(f->vm, m);
	vm_page_wakeup(f->vm, m);
	vm_page_wakeup(f->vm, m);
	ck_assert_int_eq(vm_page_bits(f->vm, 0, 0), 0);
	(void)vm_page_bits(f->vm, 4000, 4000);
	vm_page_unwire(f->vm, m, false); /* a panic in any case */
}

START_TEST(broken_callers_are_told)
{
	static const struct {
		void (*body)(struct page_fixture *f);
		const char *code;
	} rows[] = {
		{ body_twice, "QUEUED_TWICE" },
		{ body_stuck, "CACHE_STUCK" },
		{ body_invalid, "INVALID_NO_OBJECT" },
		{ body_quiet, "UNWIRE_NOT_WIRED" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct page_fixture *f = pf_pages(8, 1);

		ck_assert_str_eq(pf_run(f, rows[i].body), rows[i].code);
		pf_destroy(f);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("vm_page");
	TCase *tc = tcase_create("vm_page");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, colours_come_from_the_cache_size);
	tcase_add_test(tc, colours_must_be_one_of_the_six);
	tcase_add_test(tc, startup_builds_every_segment);
	tcase_add_test(tc, startup_refuses_too_little);
	tcase_add_test(tc,
	    seed_startup_refuses_what_the_seed_would_not_survive);
	tcase_add_test(tc, seed_startup_takes_the_first_of_equal_ranges);
	tcase_add_test(tc, generation_counts_what_happens_to_an_object);
	tcase_add_test(tc, grab_notices_that_the_page_is_another);
	tcase_add_test(tc, a_step_forgets_the_high_mark);
	tcase_add_test(tc, tunables_set_the_fields);
	tcase_add_test(tc, pages_go_to_the_queues_of_their_domain);
	tcase_add_test(tc, one_transition_for_each_move);
	tcase_add_test(tc, the_queue_layer_moves_once);
	tcase_add_test(tc, a_written_page_marks_its_new_object);
	tcase_add_test(tc, recycling_tells_its_reasons);
	tcase_add_test(tc, every_code_has_a_name);
	tcase_add_test(tc, free_f11_takes_unbusied_pages);
	tcase_add_test(tc, free_f11_wants_the_mappings_gone);
	tcase_add_test(tc, cache_f11_rule_frees_what_freebsd_11_frees);
	tcase_add_test(tc, a_fault_reactivates_cached_pages);
	tcase_add_test(tc, neighbours_are_exactly_one_away);
	tcase_add_test(tc, mappings_tell_the_page);
	tcase_add_test(tc, contents_are_copied_and_zeroed);
	tcase_add_test(tc, zero_check_has_hysteresis);
	tcase_add_test(tc, the_idle_thread_zeroes_four_fifths);
	tcase_add_test(tc, the_daemon_is_served_first_faults_last);
	tcase_add_test(tc, print_outs_fit_or_say_what_they_want);
	tcase_add_test(tc, broken_callers_are_told);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
