/*
 * test_vm_pressure.c: goal: no content is lost when memory is far from
 * enough, whatever fails on the way. Method: a thread stores its own value in
 * every page of four times the memory, then reads and rewrites in several
 * orders; and the random operations of vm_model.h, by one and by several
 * threads, with writes that fail, page-outs put off and locks that are taken.
 * The structures are checked along the way.
 */
#include "tests/unit/vm_model.h"

#define FRAMES 512u
#define PAGES (4 * FRAMES)

static uint64_t
value_of(uint64_t i, uint64_t round)
{
	return (i * 0x9e3779b97f4a7c15ull + round);
}

static vm_offset_t
at(uint64_t i)
{
	return (RIG_BASE + i * PAGE_SIZE + (i * 8) % PAGE_SIZE);
}

static void
touch_all(struct rig *r)
{
	uint64_t i, j;

	rig_anon(r, r->vs, RIG_BASE, PAGES);
	for (i = 0; i < PAGES; i++)
		rig_store(r, r->vs, at(i), value_of(i, 0));
	vm_check_all(r->vm);
	for (i = 0; i < PAGES; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, at(i)), value_of(i, 0));
	vm_check_all(r->vm);
	for (i = 0; i < PAGES; i++) {
		j = i * 769 % PAGES; /* scattered */
		ck_assert_uint_eq(rig_load(r, r->vs, at(j)), value_of(j, 0));
		rig_store(r, r->vs, at(j), value_of(j, 1));
		if (i % 64 == 0)
			vm_check_all(r->vm);
	}
	for (i = PAGES; i-- > 0;)
		ck_assert_uint_eq(rig_load(r, r->vs, at(i)), value_of(i, 1));
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, PAGES * PAGE_SIZE),
	    0);
	vm_check_all(r->vm);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 0);
}

START_TEST(four_times_the_memory)
{
	struct rig r;

	rig_create(&r, FRAMES, 3 * PAGES);
	rig_boot(&r);
	rig_run(&r, touch_all);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsout"), PAGES);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsin"), PAGES);
	ck_assert_uint_eq(vm_stat(r.vm, "vm.swap_free"), 3 * PAGES - 2);
	rig_destroy(&r);
}
END_TEST

/* A tenth of all writes fail, and as many page-outs are put off. */
START_TEST(failing_writes_lose_nothing)
{
	struct rig r;

	rig_create(&r, FRAMES, 3 * PAGES);
	rig_set(&r, "inject.io_error", "100000");
	rig_set(&r, "inject.io_again", "100000");
	rig_boot(&r);
	rig_run(&r, touch_all);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsout"), PAGES);
	rig_destroy(&r);
}
END_TEST

START_TEST(failing_locks_lose_nothing)
{
	struct rig r;

	rig_create(&r, FRAMES, 3 * PAGES);
	rig_set(&r, "inject.lock_fail", "200000");
	rig_boot(&r);
	rig_run(&r, touch_all);
	rig_destroy(&r);
}
END_TEST

/* The fewest frames that boot are enough to get on. */
START_TEST(smallest_memory)
{
	struct sim_err err;
	uint32_t frames;
	struct rig r;

	rig_create(&r, FRAMES, 8);
	frames = vm_min_frames(r.vm);
	rig_destroy(&r);
	rig_create(&r, frames - 1, 3 * PAGES);
	ck_assert_int_ne(vm_boot(r.vm, &err), 0);
	rig_destroy(&r);
	rig_create(&r, frames, 3 * PAGES);
	rig_boot(&r);
	rig_run(&r, touch_all);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ random */

struct random_case {
	uint64_t seed;
	uint32_t frames;
	bool errors, locks;
};

static void
random_body(struct rig *r)
{
	const struct random_case *rc = r->arg;
	struct model *mo = calloc(1, sizeof(*mo));
	int i;

	ck_assert_ptr_nonnull(mo);
	model_init(mo, r, rc->seed);
	mo->errors = rc->errors;
	for (i = 0; i < 1500; i++) {
		model_step(mo);
		if (i % 8 == 0)
			vm_check_all(r->vm);
	}
	model_finish(mo);
	free(mo);
}

START_TEST(random_operations)
{
	struct random_case rc = { .seed = 1000 + (uint64_t)_i,
		.frames = _i % 2 == 0 ? 128 : 200,
		.errors = _i % 4 >= 2, .locks = _i % 3 == 0 };
	struct rig r;

	rig_create(&r, rc.frames, 16384);
	if (rc.errors) {
		rig_set(&r, "inject.io_error", "50000");
		rig_set(&r, "inject.io_again", "20000");
	}
	if (rc.locks)
		rig_set(&r, "inject.lock_fail", "100000");
	rig_boot(&r);
	r.arg = &rc;
	rig_run(&r, random_body);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsout"), 0);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ threads */

#define NTHREADS 4

struct worker {
	struct rig *r;
	struct proc *p;
	struct vmspace *vs;
	uint64_t seed;
	int *left;
};

/* Each process works in its own memory; all map one file and one shared
 * page, where each has a word of its own. */
static void
worker_main(void *arg)
{
	struct worker *w = arg;
	struct rig *r = w->r;
	uint64_t mine[256] = { 0 }, i, j, v;
	struct vmspace *child;
	struct sim_rng rng;

	sim_rng_init(&rng, w->seed, "worker");
	rig_anon(r, w->vs, RIG_BASE, 256);
	for (i = 0; i < 4000; i++) {
		j = sim_rng_below(&rng, 256);
		if (sim_rng_below(&rng, 2) == 0) {
			v = sim_rng_next(&rng);
			rig_store(r, w->vs, RIG_BASE + j * PAGE_SIZE, v);
			mine[j] = v;
		} else
			ck_assert_uint_eq(rig_load(r, w->vs,
			    RIG_BASE + j * PAGE_SIZE), mine[j]);
		if (i % 500 != 250)
			continue;
		child = vmspace_fork(r->vm, w->vs);
		for (j = 0; j < 256; j += 3)
			rig_store(r, child, RIG_BASE + j * PAGE_SIZE, ~mine[j]);
		for (j = 0; j < 256; j++)
			ck_assert_uint_eq(rig_load(r, child,
			    RIG_BASE + j * PAGE_SIZE),
			    j % 3 == 0 ? ~mine[j] : mine[j]);
		vmspace_free(r->vm, child);
		vm_check_all(r->vm);
	}
	vm_thread_free(r->vm, sim_thread_data(sim_curthread(r->sim)));
	vm_proc_free(r->vm, w->p);
	if (--*w->left == 0)
		sim_stop(r->sim);
	sim_thread_exit(r->sim);
}

START_TEST(several_processes)
{
	struct worker w[NTHREADS];
	int left = NTHREADS, i;
	struct rig r;

	rig_create(&r, 256, 16384);
	if (_i == 1)
		rig_set(&r, "inject.io_error", "50000");
	rig_boot(&r);
	for (i = 0; i < NTHREADS; i++) {
		struct sim_thread *st;

		w[i] = (struct worker) { .r = &r, .seed = 7 + (uint64_t)i,
			.left = &left };
		w[i].vs = vmspace_alloc(r.vm, RIG_MIN, RIG_MAX);
		w[i].p = vm_proc_new(r.vm, 100 + i, "worker", w[i].vs, NULL);
		st = sim_thread_create(r.sim, "worker", PUSER, worker_main,
		    &w[i]);
		(void)vm_thread_new(r.vm, w[i].p, 100 + i, st);
	}
	ck_assert_int_eq(sim_run(r.sim), SIM_STOPPED);
	ck_assert_int_eq(left, 0);
	vm_check_all(r.vm);
	ck_assert_uint_eq(vm_stat(r.vm, "vm.objects"), 0);
	rig_destroy(&r);
}
END_TEST

/*
 * Threads of one process, each with a window of its own between the others':
 * maps change and are locked, entries are cut and merged while faults sleep.
 */
struct window {
	struct rig *r;
	struct model *mo;
	uint32_t ops;
	bool check;
	int *left;
};

static void
window_main(void *arg)
{
	struct window *w = arg;
	struct rig *r = w->r;
	uint32_t i;

	for (i = 0; i < w->ops; i++) {
		model_step(w->mo);
		if (w->check && i % 16 == 0)
			vm_check_all(r->vm);
	}
	model_finish(w->mo);
	vm_thread_free(r->vm, sim_thread_data(sim_curthread(r->sim)));
	if (--*w->left == 0)
		sim_stop(r->sim);
	sim_thread_exit(r->sim);
}

static void
too_late(void *arg, sim_time_t when)
{
	(void)arg;
	(void)when;
	ck_abort_msg("threads wait for each other");
}

START_TEST(threads_share_a_space)
{
	struct window w[NTHREADS];
	struct sim_event late;
	int left = NTHREADS, i;
	struct rig r;

	rig_create(&r, _i % 2 == 0 ? 220 : 400, 16384);
	if (_i % 3 == 1) {
		rig_set(&r, "inject.io_error", "50000");
		rig_set(&r, "inject.lock_fail", "50000");
	}
	rig_boot(&r);
	r.vs = vmspace_alloc(r.vm, RIG_MIN, RIG_MAX);
	r.p = vm_proc_new(r.vm, 100, "windows", r.vs, NULL);
	for (i = 0; i < NTHREADS; i++) {
		struct sim_thread *st;

		w[i] = (struct window) { .r = &r, .ops = 400, .left = &left,
			.check = true, .mo = calloc(1, sizeof(*w[i].mo)) };
		ck_assert_ptr_nonnull(w[i].mo);
		model_init(w[i].mo, &r, (uint64_t)(_i * NTHREADS + i));
		w[i].mo->errors = _i % 3 == 1;
		w[i].mo->lock = _i % 5 == 0;
		w[i].mo->base = RIG_BASE +
		    (vm_offset_t)i * MODEL_PAGES * PAGE_SIZE;
		st = sim_thread_create(r.sim, "window", PUSER, window_main,
		    &w[i]);
		(void)vm_thread_new(r.vm, r.p, 100 + i, st);
	}
	sim_event_init(&late, "late", 0, too_late, NULL);
	sim_event_at(r.sim, &late, sim_us(r.sim, 4000000000));
	ck_assert_int_eq(sim_run(r.sim), SIM_STOPPED);
	ck_assert_int_eq(left, 0);
	vm_check_all(r.vm);
	for (i = 0; i < NTHREADS; i++)
		free(w[i].mo);
	rig_destroy(&r);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("pressure");

	tcase_add_test(tc, four_times_the_memory);
	tcase_add_test(tc, failing_writes_lose_nothing);
	tcase_add_test(tc, failing_locks_lose_nothing);
	tcase_add_test(tc, smallest_memory);
	tcase_add_loop_test(tc, random_operations, 0, 12);
	tcase_add_loop_test(tc, several_processes, 0, 2);
	tcase_add_loop_test(tc, threads_share_a_space, 0, 8);
	return (rig_suite("vm_pressure", tc));
}
