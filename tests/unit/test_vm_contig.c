/*
 * test_vm_contig.c: goal: a request for contiguous memory takes the lowest
 * run of free or cached frames that fits, launders by and by when there is
 * none, and gives back what it took. Method: small kernels whose frames are
 * laid out by hand; the log of the run's events.
 */
#include <errno.h>

#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/vm_object.h"

#define FRAMES 512u
/* Below it lie the U areas and kernel stacks of the processes. */
#define BASE 64u

/* A page of `object` on this very frame, counted from BASE, activated; frames
 * that get in the way are given back. */
static vm_page_t
page_at(struct rig *r, vm_object_t object, pfn_t pfn)
{
	vm_page_t m = vm_phys_to_page(r->vm, BASE + pfn), got, others = NULL;

	while ((got = vm_page_alloc(r->vm, object, pfn, VM_ALLOC_SYSTEM)) !=
	    m) {
		ck_assert_ptr_nonnull(got);
		vm_page_remove(r->vm, got);
		got->left = others;
		others = got;
	}
	vm_page_set_validclean(r->vm, m, 0, PAGE_SIZE);
	vm_page_activate(r->vm, m);
	vm_page_wakeup(r->vm, m);
	while ((got = others) != NULL) {
		others = got->left;
		vm_page_free(r->vm, got);
	}
	return (m);
}

/* Addresses from BASE on. */
static bool
ask(struct rig *r, struct vm_contig *c, uint32_t pages, vm_paddr_t low,
    vm_paddr_t high, vm_paddr_t align, vm_paddr_t boundary)
{
	struct vm_contig_request rq = { .pages = pages,
		.low = BASE * PAGE_SIZE + low,
		.high = high != 0 ? BASE * PAGE_SIZE + high : 0,
		.align = align, .boundary = boundary };

	return (vm_contig_alloc(r->vm, &rq, c));
}

/* ------------------------------------------------------------ placement */

static void
place(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, FRAMES);
	uint32_t nfree = r->vm->cnt.v_free_count;
	uint32_t wired = r->vm->cnt.v_wire_count;
	struct vm_contig c, d;

	(void)page_at(r, object, 10);
	(void)page_at(r, object, 40);
	ck_assert(ask(r, &c, 10, 0, 0, 0, 0));
	ck_assert_uint_eq(c.first, BASE + 0);
	ck_assert_int_eq(c.tries, 0);
	ck_assert(ask(r, &d, 20, 0, 0, 0, 0));
	ck_assert_uint_eq(d.first, BASE + 11); /* over the page in the way */
	ck_assert_uint_eq(r->vm->cnt.v_wire_count, wired + 30);
	vm_check_all(r->vm);
	vm_contig_free(r->vm, &c);
	vm_contig_free(r->vm, &d);

	ck_assert(ask(r, &c, 4, 0, 0, 8 * PAGE_SIZE, 0));
	ck_assert_uint_eq(c.first, BASE + 0);
	ck_assert(ask(r, &d, 16, 5 * PAGE_SIZE, 0, 8 * PAGE_SIZE, 0));
	ck_assert_uint_eq(d.first, BASE + 16);
	vm_contig_free(r->vm, &d);
	ck_assert(ask(r, &d, 12, 0, 0, 0, 16 * PAGE_SIZE));
	ck_assert_uint_eq(d.first, BASE + 16); /* 11 would cross frame 16 */
	vm_contig_free(r->vm, &d);
	ck_assert(ask(r, &d, 12, 100 * PAGE_SIZE, 112 * PAGE_SIZE, 0, 0));
	ck_assert_uint_eq(d.first, BASE + 100);
	vm_contig_free(r->vm, &d);
	vm_contig_free(r->vm, &c);
	ck_assert_uint_eq(r->vm->cnt.v_wire_count, wired);
	ck_assert_uint_eq(r->vm->cnt.v_free_count, nfree - 2);
	vm_check_all(r->vm);
	vm_object_deallocate(r->vm, object);
}

START_TEST(lowest_run_that_fits)
{
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	rig_run(&r, place);
	rig_destroy(&r);
}
END_TEST

static void
take_cached(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, FRAMES);
	struct vm_contig c;

	vm_page_cache(r->vm, page_at(r, object, 3));
	vm_page_cache(r->vm, page_at(r, object, 4));
	ck_assert_uint_eq(r->vm->cnt.v_cache_count, 2);
	ck_assert(ask(r, &c, 8, 0, 8 * PAGE_SIZE, 0, 0));
	ck_assert_uint_eq(c.first, BASE + 0);
	ck_assert_uint_eq(r->vm->cnt.v_cache_count, 0);
	ck_assert_ptr_null(vm_page_lookup(object, 3));
	vm_check_all(r->vm);
	vm_contig_free(r->vm, &c);
	vm_object_deallocate(r->vm, object);
}

START_TEST(cached_pages_are_taken)
{
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	rig_run(&r, take_cached);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ tries */

/* One page in the way of frames 0 to 15, in the state that `_i` says. */
static void
one_in_the_way(struct rig *r)
{
	int state = *(int *)r->arg;
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, FRAMES);
	vm_page_t m = page_at(r, object, 7);
	struct vm_contig c;
	bool got;

	/* A queue of n pages is gone through at most n times, and each write
	 * starts anew: with one page it would be written, not cached. */
	(void)page_at(r, object, 100);
	vm_page_deactivate(r->vm, page_at(r, object, 101));
	switch (state) {
	case 0: /* clean and inactive: grow_cache(0) */
		vm_page_deactivate(r->vm, m);
		break;
	case 1: /* dirty and inactive: grow_cache(1) writes it */
		vm_page_dirty(r->vm, m);
		vm_page_deactivate(r->vm, m);
		break;
	case 2: /* dirty and active: grow_cache(2) */
		vm_page_dirty(r->vm, m);
		break;
	default: /* wired: never */
		vm_page_wire(r->vm, m);
		break;
	}
	got = ask(r, &c, 16, 0, 16 * PAGE_SIZE, 0, 0);
	ck_assert_int_eq(c.tries, state < 3 ? state + 1 : 3);
	ck_assert_int_eq(got, state < 3);
	if (state == 1 || state == 2)
		ck_assert_uint_eq(r->vm->cnt.v_swappgsout, 1);
	if (got) {
		ck_assert_uint_eq(c.first, BASE + 0);
		vm_contig_free(r->vm, &c);
	} else {
		ck_assert_ptr_null(c.object);
		vm_page_unwire(r->vm, m, false);
	}
	vm_object_deallocate(r->vm, object);
	vm_check_all(r->vm);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 0);
}

START_TEST(tries_reach_further)
{
	int state = _i;
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	r.arg = &state;
	rig_run(&r, one_in_the_way);
	rig_destroy(&r);
}
END_TEST

/* More than there is: refused at once each time, and counted as wanted. */
static void
too_much(struct rig *r)
{
	struct vm_contig c;

	ck_assert(!ask(r, &c, FRAMES - 1, 0, 0, 0, 0));
	ck_assert_int_eq(c.tries, 3);
	ck_assert_int_eq(r->vm->vm_pageout_deficit, 4 * (FRAMES - 1));
	ck_assert_int_eq(r->vm->vm_pages_needed, 1);
}

START_TEST(more_than_there_is)
{
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	rig_run(&r, too_much);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ scheduled */

struct events {
	uint32_t n;
	struct vm_event_record e[64];
};

static void
note_event(void *ctx, const struct vm_event_record *e)
{
	struct events *ev = ctx;

	if (ev->n < 64 && (e->kind == VME_CONTIG || e->kind == VME_CONTIG_MISS ||
	    e->kind == VME_CONTIG_END || e->kind == VME_CONTIG_FREE))
		ev->e[ev->n++] = *e;
}

static void
wait_a_second(struct rig *r)
{
	(void)sim_sleep(r->sim, r, 0, "test", sim_hz(r->sim));
}

START_TEST(threads_of_the_configuration)
{
	static const struct vm_trace_ops ops = { .event = note_event };
	struct vm_contig_request rq = { .pages = 8, .low = BASE * PAGE_SIZE,
		.align = 65536 };
	struct events ev = { 0 };
	struct sim_err err;
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	vm_set_trace(r.vm, &ops, &ev);
	rq.at = sim_us(r.sim, 1000);
	rq.hold = sim_us(r.sim, 5000);
	ck_assert_int_eq(vm_contig_schedule(r.vm, &rq, &err), 0);
	rq.at = sim_us(r.sim, 2000);
	rq.pages = FRAMES - BASE;
	ck_assert_int_eq(vm_contig_schedule(r.vm, &rq, &err), 0);
	rig_run(&r, wait_a_second);

	ck_assert_uint_eq(ev.n, 9);
	ck_assert_uint_eq(ev.e[0].kind, VME_CONTIG);
	ck_assert_int_eq(ev.e[0].a, 8);
	ck_assert_int_eq(ev.e[0].b, 1);
	ck_assert_uint_ge(ev.e[0].when, sim_us(r.sim, 1000));
	ck_assert_uint_eq(ev.e[1].kind, VME_CONTIG_END);
	ck_assert_int_eq(ev.e[1].a, BASE);
	ck_assert_uint_eq(ev.e[2].kind, VME_CONTIG);
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(ev.e[3 + i].kind, VME_CONTIG_MISS);
		ck_assert_int_eq(ev.e[3 + i].a, i);
		ck_assert_int_eq(ev.e[3 + i].b, 2);
	}
	ck_assert_uint_eq(ev.e[7].kind, VME_CONTIG_END);
	ck_assert_int_eq(ev.e[7].a, -1);
	ck_assert_uint_eq(ev.e[8].kind, VME_CONTIG_FREE);
	ck_assert_int_eq(ev.e[8].a, BASE);
	rig_destroy(&r);
}
END_TEST

START_TEST(impossible_requests)
{
	static const struct vm_contig_request bad[] = {
		{ .pages = 0 },
		{ .pages = FRAMES + 1 },
		{ .pages = 4, .align = 12288 },
		{ .pages = 4, .boundary = 12288 },
		{ .pages = 4, .boundary = 8192 },
		{ .pages = 4, .low = 65536, .high = 69632 },
		{ .pages = 4, .low = 65536, .high = 4096 },
	};
	struct sim_err err;
	struct rig r;

	rig_create(&r, FRAMES, 4096);
	rig_boot(&r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		ck_assert_int_eq(vm_contig_schedule(r.vm, &bad[i], &err),
		    -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "contiguous memory"));
	}
	rig_destroy(&r);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("contig");

	tcase_add_test(tc, lowest_run_that_fits);
	tcase_add_test(tc, cached_pages_are_taken);
	tcase_add_loop_test(tc, tries_reach_further, 0, 4);
	tcase_add_test(tc, more_than_there_is);
	tcase_add_test(tc, threads_of_the_configuration);
	tcase_add_test(tc, impossible_requests);
	return (rig_suite("vm_contig", tc));
}
