/*
 * Threads of sim/base: sleep, wakeup and time-outs, priorities, preemption,
 * slices, several CPUs, abandoned threads, two simulations in one process.
 *
 * Method: threads append short marks to a trace, which is compared as text;
 * at the end a random load whose whole trace is hashed must repeat itself,
 * alone and beside another simulation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/sim.h"
#include "unit/suite.h"

struct world {
	struct sim *sim;
	char trace[4096];
	size_t len;
	int chan[4]; /* only their addresses matter */
	struct sim_event ev;
	int n;
	void *p;
};

static void
mark(struct world *w, const char *text)
{
	int n = snprintf(w->trace + w->len, sizeof(w->trace) - w->len,
	    "%s%s@%ju", w->len ? " " : "", text, (uintmax_t)sim_now(w->sim));

	w->len += (size_t)n;
	ck_assert_uint_lt(w->len, sizeof(w->trace));
}

static void
mark_me(struct world *w)
{
	mark(w, sim_thread_name(sim_curthread(w->sim)));
}

static void
world_open(struct world *w, const struct sim_config *cfg)
{
	memset(w, 0, sizeof(*w));
	w->sim = sim_create(cfg);
}

static struct sim_thread *
spawn(struct world *w, const char *name, int priority, sim_thread_fn *fn)
{
	struct sim_thread *td;

	td = sim_thread_create(w->sim, name, priority, fn, w);
	ck_assert_ptr_nonnull(td);
	return (td);
}

/* Every cycle of every CPU is idle, a thread's or an event's. */
static void
check_accounts(struct world *w, uint64_t thread_cycles)
{
	sim_time_t end = sim_now(w->sim) + 1000000;

	ck_assert_int_eq(sim_run_until(w->sim, end), SIM_DEADLOCK);
	ck_assert_uint_eq(sim_now(w->sim), end);
	ck_assert_uint_eq(sim_idle_cycles(w->sim) + thread_cycles +
	    sim_event_cycles(w->sim), end * sim_ncpus(w->sim));
}

/* ------------------------------------------------------------ life */

static void
run_and_spend(void *arg)
{
	struct world *w = arg;

	mark_me(w);
	sim_spend(w->sim, 10);
	mark_me(w);
}

START_TEST(threads_run_in_order_of_creation)
{
	struct world w;
	struct sim_thread *a, *b;

	world_open(&w, NULL);
	a = spawn(&w, "a", 160, run_and_spend);
	b = spawn(&w, "b", 160, run_and_spend);
	ck_assert_uint_eq(sim_thread_id(a), 1);
	ck_assert_uint_eq(sim_thread_id(b), 2);
	ck_assert_ptr_eq(sim_thread_next(w.sim, NULL), a);
	ck_assert_ptr_eq(sim_thread_next(w.sim, a), b);
	ck_assert_ptr_null(sim_thread_next(w.sim, b));
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "a@0 a@10 b@10 b@20");
	ck_assert_ptr_null(sim_thread_next(w.sim, NULL));
	ck_assert_ptr_null(sim_curthread(w.sim));
	sim_destroy(w.sim);
}
END_TEST

START_TEST(better_groups_first_and_fifo_within)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "c", 163, run_and_spend); /* the group of 160 */
	spawn(&w, "d", 160, run_and_spend);
	spawn(&w, "a", 68, run_and_spend);
	spawn(&w, "idle", 255, run_and_spend);
	spawn(&w, "b", 71, run_and_spend); /* the group of 68 */
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 a@10 b@10 b@20 c@20 c@30 d@30 d@40 "
	    "idle@40 idle@50");
	sim_destroy(w.sim);
}
END_TEST

static void
deep(struct world *w, int depth)
{
	volatile char pad[4096];

	pad[0] = (char)depth;
	if (depth == 0)
		sim_sleep(w->sim, &w->chan[0], 0, "deep", 5);
	else
		deep(w, depth - 1);
	w->n += pad[0];
}

static void
use_deep_stack(void *arg)
{
	deep(arg, 80);
}

START_TEST(stacks_are_deep_enough)
{
	struct world w;

	world_open(&w, NULL);
	for (int i = 0; i < 4; i++)
		spawn(&w, "deep", 100, use_deep_stack);
	sim_run(w.sim);
	ck_assert_int_eq(w.n, 4 * 80 * 81 / 2);
	sim_destroy(w.sim);
}
END_TEST

static void
die_at_once(void *arg)
{
	struct world *w = arg;

	w->n++;
	sim_thread_exit(w->sim);
	ck_abort_msg("a finished thread went on");
}

static void
breed(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 20000; i++) {
		spawn(w, "child", 100, die_at_once);
		if (i % 100 == 99)
			sim_yield(w->sim);
	}
}

START_TEST(twenty_thousand_threads_come_and_go)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "parent", 100, breed);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_int_eq(w.n, 20000);
	sim_destroy(w.sim);
}
END_TEST

static void
sleep_long(void *arg)
{
	struct world *w = arg;

	sim_sleep(w->sim, &w->chan[0], 68, "crowd", 0);
	w->n++;
}

START_TEST(five_hundred_threads_live_at_once)
{
	struct world w;

	world_open(&w, NULL);
	for (int i = 0; i < 500; i++)
		spawn(&w, "crowd", 100, sleep_long);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_int_eq(w.n, 0);
	ck_assert_uint_eq(sim_wakeup(w.sim, &w.chan[0]), 500);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_int_eq(w.n, 500);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(data_name_and_priority)
{
	struct world w;
	struct sim_thread *td;

	world_open(&w, NULL);
	td = spawn(&w, "a thread with an uncommonly long name", 900,
	    run_and_spend);
	ck_assert_str_eq(sim_thread_name(td),
	    "a thread with an uncommonly lon");
	ck_assert_int_eq(sim_thread_priority(td), 255);
	sim_thread_set_priority(td, -4);
	ck_assert_int_eq(sim_thread_priority(td), 0);
	ck_assert_ptr_null(sim_thread_data(td));
	sim_thread_set_data(td, &w);
	ck_assert_ptr_eq(sim_thread_data(td), &w);
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ sleeping */

static void
sleep_and_mark(void *arg)
{
	struct world *w = arg;
	int r;

	r = sim_sleep(w->sim, &w->chan[0], 0, "nap", 100);
	mark(w, r == SIM_TIMEOUT ? "timeout" : "woken");
}

static void
waker(void *arg)
{
	struct world *w = arg;

	sim_spend(w->sim, 40);
	w->n = (int)sim_wakeup(w->sim, &w->chan[0]);
}

START_TEST(sleep_ends_by_timeout)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "s", 100, sleep_and_mark);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "timeout@100");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(wakeup_cancels_the_timeout)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "s", 100, sleep_and_mark);
	spawn(&w, "w", 100, waker);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "woken@40");
	ck_assert_int_eq(w.n, 1);
	ck_assert_uint_eq(sim_event_next(w.sim), SIM_TIME_NEVER);
	ck_assert_uint_eq(sim_now(w.sim), 40);
	sim_destroy(w.sim);
}
END_TEST

static void
late_waker(void *arg)
{
	struct world *w = arg;

	sim_spend(w->sim, 150); /* atomic: the time-out is not seen */
	w->n = (int)sim_wakeup(w->sim, &w->chan[0]);
}

START_TEST(a_section_is_atomic_even_for_timeouts)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "s", 100, sleep_and_mark);
	spawn(&w, "w", 100, late_waker);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "woken@150");
	sim_destroy(w.sim);
}
END_TEST

static void
sleep_on(void *arg, int chan, int priority)
{
	struct world *w = arg;

	sim_sleep(w->sim, &w->chan[chan], priority, "chan", 0);
	mark_me(w);
}

static void
sleep_on_0(void *arg)
{
	sleep_on(arg, 0, 100);
}

static void
sleep_on_1(void *arg)
{
	sleep_on(arg, 1, 100);
}

static void
sleep_on_0_urgently(void *arg)
{
	sleep_on(arg, 0, 68);
}

START_TEST(wakeup_in_order_of_going_to_sleep_then_by_priority)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "a", 100, sleep_on_0);
	spawn(&w, "x", 100, sleep_on_1);
	spawn(&w, "b", 100, sleep_on_0);
	spawn(&w, "u", 100, sleep_on_0_urgently);
	sim_run(w.sim);
	ck_assert_uint_eq(sim_wakeup(w.sim, &w.chan[0]), 3);
	ck_assert_uint_eq(sim_wakeup(w.sim, &w.chan[0]), 0);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "u@0 a@0 b@0");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(wakeup_one_takes_the_longest_sleeper)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "a", 100, sleep_on_0);
	spawn(&w, "b", 100, sleep_on_0_urgently);
	sim_run(w.sim);
	ck_assert_uint_eq(sim_wakeup_one(w.sim, &w.chan[0]), 1);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0");
	ck_assert_uint_eq(sim_wakeup_one(w.sim, &w.chan[1]), 0);
	sim_destroy(w.sim);
}
END_TEST

#define CROWD 1000 /* more than there are sleep queues */

struct sleeper {
	struct world *w;
	int woken;
};

static void
sleep_on_oneself(void *arg)
{
	struct sleeper *s = arg;

	sim_sleep(s->w->sim, s, 68, "crowd", 0);
	s->woken = ++s->w->n;
}

START_TEST(channels_do_not_mix)
{
	static struct sleeper crowd[CROWD];
	struct world w;

	world_open(&w, NULL);
	for (int i = 0; i < CROWD; i++) {
		crowd[i].w = &w;
		sim_thread_create(w.sim, "one", 100, sleep_on_oneself,
		    &crowd[i]);
	}
	sim_run(w.sim);
	for (int i = 0; i < CROWD; i++) {
		struct sleeper *s = &crowd[i * 7 % CROWD];

		ck_assert_uint_eq(sim_wakeup(w.sim, s), 1);
		sim_run(w.sim);
		ck_assert_int_eq(s->woken, i + 1);
	}
	ck_assert_int_eq(w.n, CROWD);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(channel_and_message_are_visible_while_asleep)
{
	struct world w;
	struct sim_thread *td;

	world_open(&w, NULL);
	td = spawn(&w, "a", 100, sleep_on_0);
	ck_assert_ptr_null(sim_thread_channel(td));
	ck_assert(!sim_unsleep(w.sim, td));
	sim_run(w.sim);
	ck_assert_ptr_eq(sim_thread_channel(td), &w.chan[0]);
	ck_assert_str_eq(sim_thread_wmesg(td), "chan");
	ck_assert(sim_unsleep(w.sim, td));
	ck_assert_ptr_null(sim_thread_channel(td));
	ck_assert_ptr_null(sim_thread_wmesg(td));
	ck_assert(!sim_unsleep(w.sim, td));
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0");
	sim_destroy(w.sim);
}
END_TEST

/* After its sleep a thread has the sleep's priority until it returns. */
static void
kernel_priority(void *arg)
{
	struct world *w = arg;

	sim_sleep(w->sim, &w->chan[0], 68, "prio", 10);
	ck_assert_int_eq(sim_thread_priority(sim_curthread(w->sim)), 160);
	sim_spend(w->sim, 100);
	ck_assert(!sim_preempt_point(w->sim)); /* 68 beats 100 */
	mark(w, "kernel");
	sim_user_return(w->sim);
	ck_assert_uint_eq(sim_user_horizon(w->sim), 0);
	ck_assert(sim_preempt_point(w->sim));
	mark(w, "user");
}

static void
sleep_then_mark(void *arg)
{
	struct world *w = arg;

	sim_sleep(w->sim, &w->chan[1], 0, "rival", 50);
	mark(w, "rival");
}

START_TEST(sleep_priority_holds_until_user_mode)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "k", 160, kernel_priority);
	spawn(&w, "r", 100, sleep_then_mark);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "kernel@110 rival@110 user@110");
	sim_destroy(w.sim);
}
END_TEST

static void
trace_sleep(void *ctx, struct sim_thread *td, const void *chan, int priority,
    const char *wmesg, uint64_t timeout)
{
	struct world *w = ctx;
	char text[64];

	snprintf(text, sizeof(text), "%s:sleep(%d,%d,%s,%d)",
	    sim_thread_name(td), (int)((const int *)chan - w->chan), priority,
	    wmesg, (int)timeout);
	mark(w, text);
}

static void
trace_wakeup(void *ctx, const void *chan)
{
	struct world *w = ctx;
	char text[64];

	snprintf(text, sizeof(text), "wakeup(%d)",
	    (int)((const int *)chan - w->chan));
	mark(w, text);
}

START_TEST(every_sleep_and_wakeup_is_traced)
{
	static const struct sim_trace_ops ops = { trace_sleep, trace_wakeup };
	struct world w;

	world_open(&w, NULL);
	sim_set_trace(w.sim, &ops, &w);
	spawn(&w, "s", 100, sleep_and_mark);
	spawn(&w, "w", 100, waker);
	sim_run(w.sim);
	sim_wakeup_one(w.sim, &w.chan[3]);
	ck_assert_str_eq(w.trace, "s:sleep(0,0,nap,100)@0 wakeup(0)@40 "
	    "woken@40 wakeup(3)@40");
	sim_destroy(w.sim);
}
END_TEST

struct watched {
	struct world *w;
	const char *name;
};

static void
note_doing(void *ctx, void *cookie, enum sim_doing doing, const char *wmesg,
    sim_time_t when)
{
	const struct watched *x = cookie;
	char text[32];

	ck_assert_ptr_eq(ctx, x->w);
	ck_assert_uint_eq(when, sim_now(x->w->sim));
	snprintf(text, sizeof(text), "%s:%s", x->name, doing == SIM_READY ?
	    "ready" : doing == SIM_RUNNING ? "run" : wmesg);
	mark(x->w, text);
}

static void
spend_sleep_spend(void *arg)
{
	struct world *w = arg;

	sim_spend(w->sim, 10);
	ck_assert_int_eq(sim_sleep(w->sim, &w->chan[0], 80, "nap", 100),
	    SIM_TIMEOUT);
	sim_spend(w->sim, 5);
}

/* Each change of the watched ones, none of the others. */
START_TEST(what_watched_threads_do_is_told)
{
	struct world w;
	struct watched a = { &w, "a" }, b = { &w, "b" }, c = { &w, "c" };
	struct sim_thread *td;

	world_open(&w, NULL);
	sim_set_watch(w.sim, note_doing, &w);
	sim_thread_watch(spawn(&w, "a", 160, spend_sleep_spend), &a);
	spawn(&w, "quiet", 160, spend_sleep_spend);
	sim_thread_watch(spawn(&w, "b", 160, spend_sleep_spend), &b);
	td = spawn(&w, "c", 160, spend_sleep_spend);
	sim_thread_watch(td, &c);
	sim_thread_watch(td, NULL);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a:run@0 a:nap@10 b:run@20 b:nap@30 "
	    "a:ready@110 a:run@110 b:ready@130 b:run@130");
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ tags */

static void
tagged(void *arg)
{
	struct world *w = arg;
	uint32_t mine = sim_thread_id(sim_curthread(w->sim)) * 10;

	ck_assert_uint_eq(sim_tag_set(w->sim, mine), 0);
	for (int i = 0; i < 5; i++) {
		sim_sleep(w->sim, &w->chan[0], 0, "tag", 7);
		ck_assert_uint_eq(sim_tag(w->sim), mine);
	}
}

START_TEST(tags_belong_to_their_context)
{
	struct world w;

	world_open(&w, NULL);
	sim_tag_set(w.sim, 99);
	for (int i = 0; i < 3; i++)
		spawn(&w, "t", 100, tagged);
	sim_run(w.sim);
	ck_assert_uint_eq(sim_tag(w.sim), 99);
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ preemption */

static void
wake_0(void *arg, sim_time_t when)
{
	struct world *w = arg;

	ck_assert_ptr_null(sim_curthread(w->sim));
	w->n = (int)(sim_now(w->sim) - when);
	sim_wakeup(w->sim, &w->chan[0]);
}

static void
worker(void *arg)
{
	struct world *w = arg;

	sim_event_init(&w->ev, "wake", 0, wake_0, w);
	sim_event_at(w->sim, &w->ev, 250);
	for (int i = 0; i < 4; i++) {
		sim_spend(w->sim, 100);
		if (sim_preempt_point(w->sim))
			mark(w, "preempted");
	}
	mark(w, "worker");
}

START_TEST(preemption_by_a_better_thread_at_the_point_only)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "daemon", 100, sleep_on_0_urgently);
	spawn(&w, "worker", 160, worker);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "daemon@300 preempted@300 worker@400");
	ck_assert_int_eq(w.n, 50); /* the event waited for the section */
	check_accounts(&w, 400);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(no_preemption_by_an_equal)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "equal", 160, sleep_on_0);
	sim_run(w.sim);
	spawn(&w, "worker", 101, worker); /* the sleeper's 100: same group */
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "worker@400 equal@400");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(preempt_point_outside_a_thread_does_nothing)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "a", 100, run_and_spend);
	ck_assert(!sim_preempt_point(w.sim));
	ck_assert_str_eq(w.trace, "");
	sim_destroy(w.sim);
}
END_TEST

static void
yielder(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 2; i++) {
		mark_me(w);
		sim_spend(w->sim, 1);
		if (!sim_yield(w->sim))
			mark(w, "alone");
	}
}

START_TEST(yield_goes_behind_its_equals)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "a", 100, yielder);
	spawn(&w, "b", 100, yielder);
	spawn(&w, "worse", 200, run_and_spend);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 b@1 a@2 b@3 worse@4 worse@14");
	sim_destroy(w.sim);
}
END_TEST

/* A program in user mode, as the machine drives it. */
static void
user_program(struct world *w, uint64_t cycles)
{
	while (cycles > 0) {
		uint64_t h = sim_user_horizon(w->sim);

		if (h == 0) {
			sim_preempt_point(w->sim);
			continue;
		}
		if (h > cycles)
			h = cycles;
		mark_me(w);
		sim_spend(w->sim, h);
		cycles -= h;
	}
}

static void
user_250(void *arg)
{
	user_program(arg, 250);
}

START_TEST(equals_share_the_cpu_by_slices)
{
	struct sim_config cfg = { .cpu_hz = 1000000, .quantum_us = 100 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "a", 160, user_250);
	spawn(&w, "b", 162, user_250);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 b@100 a@200 b@300 a@400 b@450");
	check_accounts(&w, 500);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(alone_a_slice_is_followed_by_another)
{
	struct sim_config cfg = { .cpu_hz = 1000000, .quantum_us = 100 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "a", 160, user_250);
	spawn(&w, "worse", 200, run_and_spend);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 a@100 a@200 worse@250 worse@260");
	sim_destroy(w.sim);
}
END_TEST

static void
event_wake(void *arg, sim_time_t when)
{
	struct world *w = arg;

	(void)when;
	mark(w, "event");
	sim_wakeup(w->sim, &w->chan[0]);
}

/* Preempted in mid-slice: back at the head, with what was left of it. */
START_TEST(a_preempted_thread_keeps_its_place_and_slice)
{
	struct sim_config cfg = { .cpu_hz = 1000000, .quantum_us = 100 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "d", 160, sleep_on_0_urgently);
	sim_run(w.sim);
	sim_event_init(&w.ev, "wake", 0, event_wake, &w);
	sim_event_at(w.sim, &w.ev, 30);
	spawn(&w, "a", 160, user_250);
	spawn(&w, "b", 160, user_250);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 event@30 d@30 a@30 b@100 a@200 b@300 "
	    "a@400 b@450");
	sim_destroy(w.sim);
}
END_TEST

static void
lower_the_other(void *arg)
{
	struct world *w = arg;

	sim_thread_set_priority(w->p, 200);
	mark_me(w);
}

START_TEST(a_queued_thread_changes_queues_with_its_priority)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "x", 100, lower_the_other);
	w.p = spawn(&w, "a", 160, run_and_spend);
	spawn(&w, "b", 160, run_and_spend);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "x@0 b@0 b@10 a@10 a@20");
	sim_destroy(w.sim);
}
END_TEST

START_TEST(context_switches_cost_what_is_said)
{
	struct world w;

	world_open(&w, NULL);
	sim_set_context_switch_cost(w.sim, 1000);
	spawn(&w, "a", 100, yielder);
	spawn(&w, "b", 100, yielder);
	sim_run(w.sim);
	/* two of each, then a and b once more to finish */
	ck_assert_str_eq(w.trace, "a@1000 b@2001 a@3002 b@4003");
	check_accounts(&w, 6004);
	sim_destroy(w.sim);
}
END_TEST

static void
nap_alone(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 3; i++)
		sim_sleep(w->sim, &w->chan[0], 0, "nap", 100);
	mark_me(w);
	ck_assert_uint_eq(sim_thread_cpu_cycles(sim_curthread(w->sim)), 1000);
}

START_TEST(going_idle_and_back_is_no_switch)
{
	struct world w;

	world_open(&w, NULL);
	sim_set_context_switch_cost(w.sim, 1000);
	spawn(&w, "a", 100, nap_alone);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@1300");
	ck_assert_uint_eq(sim_idle_cycles(w.sim), 300);
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ sim_run */

static void
stop_in_the_middle(void *arg)
{
	struct world *w = arg;

	mark(w, "before");
	sim_stop(w->sim);
	sim_spend(w->sim, 5);
	mark(w, "same section");
	sim_preempt_point(w->sim);
	mark(w, "next run");
}

START_TEST(a_stopped_thread_goes_on_in_the_next_run)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "s", 100, stop_in_the_middle);
	ck_assert_int_eq(sim_run(w.sim), SIM_STOPPED);
	ck_assert_str_eq(w.trace, "before@0 same section@5");
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "before@0 same section@5 next run@5");
	sim_destroy(w.sim);
}
END_TEST

static void
spin(void *arg)
{
	struct world *w = arg;

	for (;;) {
		uint64_t h = sim_user_horizon(w->sim);

		if (h == 0)
			sim_preempt_point(w->sim);
		else
			sim_spend(w->sim, h);
		if (++w->n == 1000)
			sim_stop(w->sim);
	}
}

START_TEST(an_endless_loop_can_be_stopped)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "spin", 100, spin);
	ck_assert_int_eq(sim_run(w.sim), SIM_STOPPED);
	ck_assert_int_ge(w.n, 1000);
	ck_assert_int_le(w.n, 1001);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(run_until_lets_sleepers_sleep)
{
	struct world w;

	world_open(&w, NULL);
	spawn(&w, "s", 100, sleep_and_mark);
	ck_assert_int_eq(sim_run_until(w.sim, 99), SIM_UNTIL);
	ck_assert_str_eq(w.trace, "");
	ck_assert_uint_eq(sim_now(w.sim), 99);
	ck_assert_int_eq(sim_run_until(w.sim, 100), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "timeout@100");
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ panics */

static void
on_panic(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct world *w = ctx;

	(void)file;
	(void)line;
	(void)func;
	mark(w, message);
	sim_abandon_current(w->sim);
}

static void
fail_in_thread(void *arg)
{
	struct world *w = arg;
	volatile char pad[256];

	memset((char *)pad, 1, sizeof(pad));
	sim_spend(w->sim, 3);
	KASSERT(w->sim, pad[7] == 2, ("pad %d", pad[7]));
	ck_abort_msg("went on after a panic");
}

START_TEST(a_panic_can_end_its_thread_only)
{
	struct world w;

	world_open(&w, NULL);
	sim_set_panic_handler(w.sim, on_panic, &w);
	for (int i = 0; i < 3; i++)
		spawn(&w, "bad", 100, fail_in_thread);
	spawn(&w, "good", 100, run_and_spend);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(sim_run(w.sim), SIM_ABANDONED);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace,
	    "pad 1@3 pad 1@6 pad 1@9 good@9 good@19");
	sim_destroy(w.sim);
}
END_TEST

static void
fail_in_event(void *arg, sim_time_t when)
{
	struct world *w = arg;
	volatile char pad[256];

	memset((char *)pad, 1, sizeof(pad));
	KASSERT(w->sim, when == 0, ("event"));
}

/* The event is taken on the stack of a sleeping thread, which must survive. */
START_TEST(a_panic_in_an_event_harms_no_thread)
{
	struct world w;

	world_open(&w, NULL);
	sim_set_panic_handler(w.sim, on_panic, &w);
	spawn(&w, "s", 100, sleep_and_mark);
	sim_event_init(&w.ev, "bad", 0, fail_in_event, &w);
	sim_event_at(w.sim, &w.ev, 50);
	ck_assert_int_eq(sim_run(w.sim), SIM_ABANDONED);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	sim_event_at(w.sim, &w.ev, 200); /* now on sim_run's own stack */
	ck_assert_int_eq(sim_run(w.sim), SIM_ABANDONED);
	ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	ck_assert_str_eq(w.trace, "event@50 timeout@100 event@200");
	sim_destroy(w.sim);
}
END_TEST

static void
exit_then_event(void *arg)
{
	struct world *w = arg;

	sim_event_init(&w->ev, "bad", 0, fail_in_event, w);
	sim_event_at(w->sim, &w->ev, 50);
}

START_TEST(a_panic_on_the_stack_of_a_dead_thread)
{
	struct world w;

	world_open(&w, NULL);
	sim_set_panic_handler(w.sim, on_panic, &w);
	for (int i = 0; i < 5; i++) {
		spawn(&w, "e", 100, exit_then_event);
		ck_assert_int_eq(sim_run(w.sim), SIM_ABANDONED);
		spawn(&w, "g", 100, use_deep_stack);
		ck_assert_int_eq(sim_run(w.sim), SIM_DEADLOCK);
	}
	sim_destroy(w.sim);
}
END_TEST

START_TEST(sleepers_are_abandoned_with_their_simulation)
{
	for (int round = 0; round < 20; round++) {
		struct world w;

		world_open(&w, NULL);
		for (int i = 0; i < 10; i++) {
			spawn(&w, "s", 100, sleep_on_0);
			spawn(&w, "t", 100, sleep_and_mark);
			spawn(&w, "d", 100, use_deep_stack);
		}
		sim_run_until(w.sim, 2);
		spawn(&w, "never ran", 100, sleep_on_1);
		sim_destroy(w.sim);
	}
}
END_TEST

/* ------------------------------------------------------------ CPUs */

static void
section_30(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 2; i++) {
		mark_me(w);
		sim_spend(w->sim, 30);
		sim_preempt_point(w->sim);
	}
}

static void
section_20(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < 3; i++) {
		mark_me(w);
		sim_spend(w->sim, 20);
		sim_preempt_point(w->sim);
	}
}

START_TEST(the_smallest_clock_goes_next)
{
	struct sim_config cfg = { .ncpus = 2 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "a", 100, section_30);
	spawn(&w, "b", 100, section_20);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "a@0 b@0 b@20 a@30 b@40");
	check_accounts(&w, 120);
	sim_destroy(w.sim);
}
END_TEST

static void
wake_at_30(void *arg)
{
	struct world *w = arg;

	sim_spend(w->sim, 30);
	sim_wakeup(w->sim, &w->chan[0]);
	sim_spend(w->sim, 500);
	mark_me(w);
}

START_TEST(an_idle_cpu_starts_a_thread_when_it_was_woken)
{
	struct sim_config cfg = { .ncpus = 2 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "s", 100, sleep_on_0);
	sim_run(w.sim);
	spawn(&w, "w", 100, wake_at_30);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "w@530 s@30");
	check_accounts(&w, 530);
	sim_destroy(w.sim);
}
END_TEST

static void
user_25000(void *arg)
{
	user_program(arg, 25000);
}

START_TEST(cpus_in_user_mode_stay_within_the_skew)
{
	struct sim_config cfg = { .ncpus = 2 }; /* 1 GHz: skew 10,000 */
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "a", 160, user_25000);
	spawn(&w, "b", 160, user_25000);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace,
	    "a@0 b@0 a@10000 b@20000");
	check_accounts(&w, 50000);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(with_a_cpu_free_nobody_is_preempted)
{
	struct sim_config cfg = { .ncpus = 2 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "daemon", 100, sleep_on_0_urgently);
	spawn(&w, "worker", 160, worker);
	sim_run(w.sim);
	ck_assert_ptr_nonnull(strstr(w.trace, "daemon@250"));
	ck_assert_ptr_nonnull(strstr(w.trace, "worker@400"));
	check_accounts(&w, 400);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(with_all_cpus_busy_the_better_thread_preempts)
{
	struct sim_config cfg = { .ncpus = 2 };
	struct world w;

	world_open(&w, &cfg);
	spawn(&w, "daemon", 100, sleep_on_0_urgently);
	sim_run(w.sim);
	spawn(&w, "u", 160, user_25000);
	spawn(&w, "worker", 160, worker);
	sim_run(w.sim);
	/* u is past cycle 10,000 by then: the event waits for the worker */
	ck_assert_ptr_nonnull(strstr(w.trace, "daemon@300"));
	check_accounts(&w, 25400);
	sim_destroy(w.sim);
}
END_TEST

/* ------------------------------------------------------------ random load */

#define LOAD_CHANNELS 7
#define LOAD_STEPS 400
#define LOAD_THREADS 40 /* ever */

struct load {
	struct sim *sim;
	uint64_t hash; /* FNV-1a of everything that happened */
	uint64_t thread_cycles; /* of threads that finished */
	uint64_t steps;
	uint32_t live, spawned;
	sim_time_t last[16]; /* per CPU: time never goes back */
	int chan[LOAD_CHANNELS];
	struct sim_event tick;
};

static void
load_note(struct load *l, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		l->hash = (l->hash ^ (value >> (8 * i) & 0xff)) *
		    0x100000001b3ull;
}

static void
load_step_note(struct load *l, uint32_t id, uint32_t what)
{
	uint32_t cpu = sim_curcpu(l->sim);
	sim_time_t now = sim_now(l->sim);

	if (now < l->last[cpu]) /* ck_assert is slow */
		ck_abort_msg("CPU %u went back to %ju", cpu, (uintmax_t)now);
	l->last[cpu] = now;
	load_note(l, now);
	load_note(l, (uint64_t)id << 32 | what << 8 | cpu);
	l->steps++;
}

static void load_thread(void *arg);

static void
load_spawn(struct load *l, struct sim_rng *rng)
{
	static const int pri[] = { 68, 100, 160, 161, 180, 230 };

	if (l->spawned == LOAD_THREADS)
		return;
	l->spawned++;
	l->live++;
	sim_thread_create(l->sim, "load", pri[sim_rng_below(rng, 6)],
	    load_thread, l);
}

static void
load_sleep(struct load *l, struct sim_rng *rng)
{
	int *chan = &l->chan[sim_rng_below(rng, LOAD_CHANNELS)];
	uint64_t timeout = 1 + sim_rng_below(rng, 40000);

	load_note(l, (uint64_t)sim_sleep(l->sim, chan,
	    sim_rng_chance(rng, 500000) ? 68 : 0, "load", timeout));
}

static void
load_user(struct load *l, struct sim_rng *rng)
{
	uint64_t left = sim_rng_below(rng, 60000);

	sim_user_return(l->sim);
	while (left > 0) {
		uint64_t h = sim_user_horizon(l->sim);

		if (h == 0) {
			sim_preempt_point(l->sim);
			continue;
		}
		h = h < left ? h : left;
		sim_spend(l->sim, h);
		left -= h;
	}
}

static void
load_step(struct load *l, struct sim_rng *rng)
{
	uint32_t id = sim_thread_id(sim_curthread(l->sim));
	uint32_t what = (uint32_t)sim_rng_below(rng, 8);

	load_step_note(l, id, what);
	switch (what) {
	case 0:
		load_sleep(l, rng);
		break;
	case 1:
		sim_wakeup(l->sim, &l->chan[sim_rng_below(rng,
		    LOAD_CHANNELS)]);
		break;
	case 2:
		sim_wakeup_one(l->sim, &l->chan[sim_rng_below(rng,
		    LOAD_CHANNELS)]);
		break;
	case 3:
		load_note(l, sim_yield(l->sim));
		break;
	case 4:
		load_user(l, rng);
		break;
	case 5:
		if (sim_rng_chance(rng, 100000))
			load_spawn(l, rng);
		break;
	default:
		sim_spend(l->sim, sim_rng_below(rng, 3000));
		load_note(l, sim_preempt_point(l->sim));
		break;
	}
	load_step_note(l, id, 100 + what);
}

static void
load_thread(void *arg)
{
	struct load *l = arg;
	struct sim_thread *td = sim_curthread(l->sim);
	struct sim_rng rng;

	sim_rng_init(&rng, sim_thread_id(td), "load");
	for (int i = 0; i < LOAD_STEPS; i++)
		load_step(l, &rng);
	l->thread_cycles += sim_thread_cpu_cycles(td);
	l->live--;
}

static void
load_tick(void *arg, sim_time_t when)
{
	struct load *l = arg;

	load_step_note(l, 0, (uint32_t)(when & 0xff));
	sim_spend(l->sim, 50);
	if (l->live > 0)
		sim_event_at(l->sim, &l->tick, when + 7777);
}

static void
load_open(struct load *l, uint32_t ncpus, uint64_t rng_seed)
{
	struct sim_config cfg = { .ncpus = ncpus, .rng_seed = rng_seed,
		.quantum_us = 20 };
	struct sim_rng rng;

	memset(l, 0, sizeof(*l));
	l->sim = sim_create(&cfg);
	l->hash = 0xcbf29ce484222325ull;
	sim_rng_init(&rng, rng_seed, "load");
	sim_set_context_switch_cost(l->sim, 200);
	sim_event_init(&l->tick, "tick", 0, load_tick, l);
	sim_event_at(l->sim, &l->tick, 7777);
	for (int i = 0; i < 12; i++)
		load_spawn(l, &rng);
}

static uint64_t
load_close(struct load *l)
{
	struct world w = { .sim = l->sim };
	uint64_t hash = l->hash;

	ck_assert_uint_eq(l->live, 0);
	ck_assert_uint_gt(l->steps, 12 * LOAD_STEPS);
	check_accounts(&w, l->thread_cycles);
	sim_destroy(l->sim);
	return (hash);
}

static uint64_t
load_whole(uint32_t ncpus, uint64_t rng_seed)
{
	struct load l;

	load_open(&l, ncpus, rng_seed);
	ck_assert_int_eq(sim_run(l.sim), SIM_DEADLOCK);
	return (load_close(&l));
}

START_TEST(a_random_load_repeats_itself)
{
	for (uint32_t ncpus = 1; ncpus <= 5; ncpus++) {
		uint64_t first = load_whole(ncpus, 1);

		ck_assert_uint_eq(load_whole(ncpus, 1), first);
		ck_assert_uint_ne(load_whole(ncpus, 2), first);
		ck_assert_uint_ne(load_whole(ncpus + 1, 1), first);
	}
}
END_TEST

/* The hash values are fixed: the same on every host, compiler and build. */
START_TEST(a_random_load_is_the_same_everywhere)
{
	ck_assert_uint_eq(load_whole(1, 3), 14269857695332467557ull);
	ck_assert_uint_eq(load_whole(4, 3), 13258757534315568698ull);
}
END_TEST

START_TEST(two_simulations_do_not_notice_each_other)
{
	uint64_t alone_a = load_whole(1, 7), alone_b = load_whole(3, 8);
	struct load a, b;
	sim_time_t until = 0;

	load_open(&a, 1, 7);
	load_open(&b, 3, 8);
	while (a.live > 0 || b.live > 0) {
		until += 1000;
		/* a stop leaves threads in mid-run, unlike a time limit */
		sim_stop(a.sim);
		sim_run_until(a.sim, until);
		sim_run_until(a.sim, until);
		sim_run_until(b.sim, until);
	}
	sim_run(a.sim);
	sim_run(b.sim);
	ck_assert_uint_eq(load_close(&a), alone_a);
	ck_assert_uint_eq(load_close(&b), alone_b);
}
END_TEST

struct nest {
	struct load *inner;
	struct world *outer;
};

static void
run_inner(void *arg)
{
	struct nest *n = arg;

	sim_run(n->inner->sim);
	mark_me(n->outer);
}

START_TEST(a_simulation_inside_a_thread_of_another)
{
	uint64_t alone = load_whole(2, 9);
	struct load l;
	struct world w;
	struct nest n = { &l, &w };

	world_open(&w, NULL);
	load_open(&l, 2, 9);
	sim_thread_create(w.sim, "host", 100, run_inner, &n);
	sim_run(w.sim);
	ck_assert_str_eq(w.trace, "host@0");
	ck_assert_uint_eq(load_close(&l), alone);
	sim_destroy(w.sim);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		threads_run_in_order_of_creation,
		better_groups_first_and_fifo_within,
		stacks_are_deep_enough,
		twenty_thousand_threads_come_and_go,
		five_hundred_threads_live_at_once,
		data_name_and_priority,
		sleep_ends_by_timeout,
		wakeup_cancels_the_timeout,
		a_section_is_atomic_even_for_timeouts,
		wakeup_in_order_of_going_to_sleep_then_by_priority,
		wakeup_one_takes_the_longest_sleeper,
		channels_do_not_mix,
		channel_and_message_are_visible_while_asleep,
		sleep_priority_holds_until_user_mode,
		every_sleep_and_wakeup_is_traced,
		what_watched_threads_do_is_told,
		tags_belong_to_their_context,
		preemption_by_a_better_thread_at_the_point_only,
		no_preemption_by_an_equal,
		preempt_point_outside_a_thread_does_nothing,
		yield_goes_behind_its_equals,
		equals_share_the_cpu_by_slices,
		alone_a_slice_is_followed_by_another,
		a_preempted_thread_keeps_its_place_and_slice,
		a_queued_thread_changes_queues_with_its_priority,
		context_switches_cost_what_is_said,
		going_idle_and_back_is_no_switch,
		a_stopped_thread_goes_on_in_the_next_run,
		an_endless_loop_can_be_stopped,
		run_until_lets_sleepers_sleep,
		a_panic_can_end_its_thread_only,
		a_panic_in_an_event_harms_no_thread,
		a_panic_on_the_stack_of_a_dead_thread,
		sleepers_are_abandoned_with_their_simulation,
		the_smallest_clock_goes_next,
		an_idle_cpu_starts_a_thread_when_it_was_woken,
		cpus_in_user_mode_stay_within_the_skew,
		with_a_cpu_free_nobody_is_preempted,
		with_all_cpus_busy_the_better_thread_preempts,
		a_random_load_repeats_itself,
		a_random_load_is_the_same_everywhere,
		two_simulations_do_not_notice_each_other,
		a_simulation_inside_a_thread_of_another,
	};

	return (SUITE_MAIN("sim_threads", tests));
}
