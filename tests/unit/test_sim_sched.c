/*
 * test_sim_sched.c: goal: a kernel above sim/base can hold threads whose
 * sleep is over, and set priorities without favouring anybody. Method: hooks
 * that hold what they are told to and write what they see as text; the order
 * of everything is compared.
 */
#include <stdio.h>
#include <string.h>

#include "sim/base/sim.h"
#include "unit/suite.h"

struct world {
	struct sim *sim;
	char trace[1024];
	struct sim_thread *td[4];
	int chan, other;
	const char *hold; /* names of threads to hold */
	bool wake_other; /* from the hook that holds */
};

static void
mark(struct world *w, const char *what, const char *name)
{
	size_t len = strlen(w->trace);

	snprintf(w->trace + len, sizeof(w->trace) - len, "%s%s:%s@%ju",
	    len != 0 ? " " : "", what, name, (uintmax_t)sim_now(w->sim));
}

static void
hook_sleeping(void *ctx, struct sim_thread *td, int priority)
{
	char what[16];

	snprintf(what, sizeof(what), "sleep%d", priority);
	mark(ctx, what, sim_thread_name(td));
}

static bool
hook_awake(void *ctx, struct sim_thread *td)
{
	struct world *w = ctx;

	if (strchr(w->hold, sim_thread_name(td)[0]) == NULL)
		return (true);
	mark(w, "hold", sim_thread_name(td));
	if (w->wake_other)
		sim_wakeup(w->sim, &w->other);
	return (false);
}

static void
hook_gone(void *ctx, struct sim_thread *td)
{
	mark(ctx, "gone", sim_thread_name(td));
}

static const struct sim_sched_ops hooks = {
	.sleeping = hook_sleeping,
	.awake = hook_awake,
	.gone = hook_gone,
};

static void
open_world(struct world *w, const char *hold)
{
	memset(w, 0, sizeof(*w));
	w->sim = sim_create(NULL);
	w->hold = hold;
	sim_set_sched(w->sim, &hooks, w);
}

static void
sleeper(void *arg)
{
	struct world *w = arg;
	int why;

	why = sim_sleep(w->sim, &w->chan, 88, "test", 1000);
	mark(w, why == SIM_TIMEOUT ? "late" : "up",
	    sim_thread_name(sim_curthread(w->sim)));
}

static void
sleeper_elsewhere(void *arg)
{
	struct world *w = arg;

	(void)sim_sleep(w->sim, &w->other, 0, "test", 0);
	mark(w, "up", sim_thread_name(sim_curthread(w->sim)));
}

static void
waker(void *arg)
{
	struct world *w = arg;

	sim_spend(w->sim, 10);
	ck_assert_uint_eq(sim_wakeup(w->sim, &w->chan), 3);
}

static void
spawn_three(struct world *w)
{
	w->td[0] = sim_thread_create(w->sim, "a", 100, sleeper, w);
	w->td[1] = sim_thread_create(w->sim, "b", 100, sleeper, w);
	w->td[2] = sim_thread_create(w->sim, "c", 100, sleeper, w);
	w->td[3] = sim_thread_create(w->sim, "w", 200, waker, w);
}

START_TEST(a_held_thread_runs_when_it_is_released)
{
	struct world w;

	open_world(&w, "b");
	spawn_three(&w);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "sleep88:a@0 sleep88:b@0 sleep88:c@0 "
	    "hold:b@10 gone:w@10 up:a@10 gone:a@10 up:c@10 gone:c@10");
	ck_assert(sim_thread_is_held(w.td[1]));
	ck_assert_ptr_null(sim_thread_channel(w.td[1]));
	ck_assert(!sim_unsleep(w.sim, w.td[1]));
	ck_assert_uint_eq(sim_wakeup(w.sim, &w.chan), 0);
	w.trace[0] = '\0';
	ck_assert(sim_thread_release(w.sim, w.td[1]));
	ck_assert(!sim_thread_is_held(w.td[1]));
	ck_assert(!sim_thread_release(w.sim, w.td[1]));
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "up:b@10 gone:b@10");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(a_timeout_can_be_held_too)
{
	struct world w;

	open_world(&w, "a");
	w.td[0] = sim_thread_create(w.sim, "a", 100, sleeper, &w);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "sleep88:a@0 hold:a@1000");
	ck_assert(sim_thread_release(w.sim, w.td[0]));
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace,
	    "sleep88:a@0 hold:a@1000 late:a@1000 gone:a@1000");
	sim_destroy(w.sim);
}
END_TEST

/* Whatever sleep queue the other channel shares. */
START_TEST(who_holds_may_wake_others)
{
	struct world w;

	open_world(&w, "ab");
	w.wake_other = true;
	spawn_three(&w);
	(void)sim_thread_create(w.sim, "s", 100, sleeper_elsewhere, &w);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "sleep88:a@0 sleep88:b@0 sleep88:c@0 "
	    "sleep100:s@0 hold:a@10 hold:b@10 gone:w@10 up:c@10 gone:c@10 "
	    "up:s@10 gone:s@10");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(held_threads_end_with_their_simulation)
{
	struct world w;

	open_world(&w, "abc");
	spawn_three(&w);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert(sim_thread_is_held(w.td[0]) && sim_thread_is_held(w.td[2]));
	sim_set_sched(w.sim, NULL, NULL);
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ slices */

#define SLICE 100000u /* cycles: 100 us at 1 GHz */

static void
busy(void *arg)
{
	struct world *w = arg;
	const char *name = sim_thread_name(sim_curthread(w->sim));

	mark(w, "run", name);
	while (sim_now(w->sim) < 3 * SLICE) {
		while (sim_user_horizon(w->sim) == 0)
			if (sim_preempt_point(w->sim))
				mark(w, "again", name);
		sim_spend(w->sim, 1000);
		if (sim_preempt_point(w->sim))
			mark(w, "again", name);
	}
}

static void
better(void *arg)
{
	struct world *w = arg;

	(void)sim_sleep(w->sim, &w->chan, 0, "test", SLICE);
	ck_assert(!sim_slice_ended(w->sim));
	mark(w, "better", "k");
}

/* In the cycle in which its slice ends, a gives way to a better thread: that
 * is no reason for another slice. */
START_TEST(a_slice_that_ends_in_a_preemption_is_over)
{
	const struct sim_config cfg = { .quantum_us = 100 };
	struct world w = { 0 };

	w.sim = sim_create(&cfg);
	(void)sim_thread_create(w.sim, "k", 50, better, &w);
	(void)sim_thread_create(w.sim, "a", 160, busy, &w);
	(void)sim_thread_create(w.sim, "b", 160, busy, &w);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "run:a@0 better:k@100000 run:b@100000 "
	    "again:a@200000 again:b@300000");
	sim_destroy(w.sim);
}
END_TEST

static void
mark_run(void *arg)
{
	mark(arg, "run", sim_thread_name(sim_curthread(
	    ((struct world *)arg)->sim)));
}

START_TEST(priorities_set_together_keep_the_order)
{
	struct world w = { 0 };
	struct sim_thread *td[4];
	const int pri[4] = { 180, 100, 180, 180 };

	w.sim = sim_create(NULL);
	td[2] = sim_thread_create(w.sim, "a", 160, mark_run, &w);
	td[1] = sim_thread_create(w.sim, "b", 170, mark_run, &w);
	td[3] = sim_thread_create(w.sim, "c", 170, mark_run, &w);
	(void)sim_thread_create(w.sim, "d", 180, mark_run, &w);
	td[0] = sim_thread_create(w.sim, "e", 200, mark_run, &w);
	sim_set_priorities(w.sim, td, pri, 4);
	ck_assert_int_eq(sim_thread_priority(td[0]), 180);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "run:b@0 run:a@0 run:c@0 run:d@0 run:e@0");
	sim_destroy(w.sim);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		a_held_thread_runs_when_it_is_released,
		a_timeout_can_be_held_too,
		who_holds_may_wake_others,
		held_threads_end_with_their_simulation,
		a_slice_that_ends_in_a_preemption_is_over,
		priorities_set_together_keep_the_order,
	};

	return (SUITE_MAIN("sim_sched", tests));
}
