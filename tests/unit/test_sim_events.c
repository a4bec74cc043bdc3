/*
 * Events of sim/base: order, moving, cancelling, nominal and actual times;
 * a randomized run against a naive list.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/base/sim.h"
#include "unit/suite.h"

#define MAXLOG 64

struct log {
	struct sim *sim;
	int n;
	int who[MAXLOG];
	sim_time_t when[MAXLOG], now[MAXLOG];
};

struct logged {
	struct sim_event ev;
	struct log *log;
	int id;
	uint64_t spend;
};

static void
note(void *arg, sim_time_t when)
{
	struct logged *e = arg;
	struct log *l = e->log;

	l->who[l->n] = e->id;
	l->when[l->n] = when;
	l->now[l->n++] = sim_now(l->sim);
	sim_spend(l->sim, e->spend);
}

static void
logged_init(struct logged *e, struct log *l, int id, int priority)
{
	e->log = l;
	e->id = id;
	e->spend = 0;
	sim_event_init(&e->ev, "logged", priority, note, e);
}

START_TEST(ordered_by_time_priority_insertion)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged e[6];
	static const int priority[6] = { 0, 5, -1, 5, 0, 0 };
	static const sim_time_t when[6] = { 20, 10, 10, 10, 30, 5 };
	static const int expect[6] = { 5, 2, 1, 3, 0, 4 };

	for (int i = 0; i < 6; i++) {
		logged_init(&e[i], &l, i, priority[i]);
		ck_assert(!sim_event_pending(&e[i].ev));
		sim_event_at(sim, &e[i].ev, when[i]);
		ck_assert(sim_event_pending(&e[i].ev));
	}
	ck_assert_uint_eq(sim_event_next(sim), 5);
	ck_assert_int_eq(sim_run(sim), SIM_DEADLOCK);
	ck_assert_int_eq(l.n, 6);
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(l.who[i], expect[i]);
		ck_assert_uint_eq(l.now[i], when[expect[i]]);
	}
	ck_assert_uint_eq(sim_event_next(sim), SIM_TIME_NEVER);
	ck_assert_uint_eq(sim_idle_cycles(sim), 30);
	sim_destroy(sim);
}
END_TEST

START_TEST(moving_counts_as_a_fresh_insertion)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged a, b;

	logged_init(&a, &l, 1, 0);
	logged_init(&b, &l, 2, 0);
	sim_event_at(sim, &a.ev, 10);
	sim_event_at(sim, &b.ev, 10);
	sim_event_at(sim, &a.ev, 10);
	sim_run(sim);
	ck_assert_int_eq(l.n, 2);
	ck_assert_int_eq(l.who[0], 2);
	ck_assert_int_eq(l.who[1], 1);
	sim_destroy(sim);
}
END_TEST

START_TEST(cancelled_events_do_not_happen)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged e[3];

	for (int i = 0; i < 3; i++) {
		logged_init(&e[i], &l, i, 0);
		sim_event_at(sim, &e[i].ev, (sim_time_t)(10 * i));
	}
	sim_event_cancel(sim, &e[1].ev);
	sim_event_cancel(sim, &e[1].ev);
	ck_assert(!sim_event_pending(&e[1].ev));
	sim_run(sim);
	ck_assert_int_eq(l.n, 2);
	ck_assert_int_eq(l.who[1], 2);
	sim_destroy(sim);
}
END_TEST

START_TEST(late_events_keep_their_nominal_time)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged a, b;

	logged_init(&a, &l, 1, 0);
	logged_init(&b, &l, 2, 0);
	a.spend = 500; /* b falls due meanwhile */
	sim_event_at(sim, &a.ev, 100);
	sim_event_at(sim, &b.ev, 200);
	sim_run(sim);
	ck_assert_uint_eq(l.when[1], 200);
	ck_assert_uint_eq(l.now[1], 600);
	ck_assert_uint_eq(sim_event_cycles(sim), 500);
	ck_assert_uint_eq(sim_idle_cycles(sim), 100);
	sim_destroy(sim);
}
END_TEST

START_TEST(past_times_are_taken_at_once)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged a;

	logged_init(&a, &l, 1, 0);
	sim_spend(sim, 1000);
	sim_event_at(sim, &a.ev, 3);
	sim_run(sim);
	ck_assert_uint_eq(l.when[0], 3);
	ck_assert_uint_eq(l.now[0], 1000);
	sim_destroy(sim);
}
END_TEST

struct chain {
	struct sim *sim;
	struct sim_event ev;
	int left;
	uint64_t period;
	sim_time_t last;
};

static void
chain_fire(void *arg, sim_time_t when)
{
	struct chain *c = arg;

	ck_assert(!sim_event_pending(&c->ev));
	ck_assert_uint_eq(sim_tag(c->sim), 0);
	sim_tag_set(c->sim, 9);
	c->last = when;
	if (--c->left > 0)
		sim_event_at(c->sim, &c->ev, when + c->period);
}

START_TEST(an_event_may_schedule_itself)
{
	struct sim *sim = sim_create(NULL);
	struct chain c = { .sim = sim, .left = 1000, .period = 7 };

	sim_event_init(&c.ev, "chain", 0, chain_fire, &c);
	sim_event_after(sim, &c.ev, 7);
	ck_assert_int_eq(sim_run(sim), SIM_DEADLOCK);
	ck_assert_int_eq(c.left, 0);
	ck_assert_uint_eq(c.last, 7000);
	ck_assert_uint_eq(sim_now(sim), 7000);
	sim_destroy(sim);
}
END_TEST

START_TEST(run_until_takes_what_is_due_and_no_more)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged e[3];

	for (int i = 0; i < 3; i++) {
		logged_init(&e[i], &l, i, 0);
		sim_event_at(sim, &e[i].ev, (sim_time_t)(100 * (i + 1)));
	}
	ck_assert_int_eq(sim_run_until(sim, 200), SIM_UNTIL);
	ck_assert_int_eq(l.n, 2);
	ck_assert_uint_eq(sim_now(sim), 200);
	ck_assert_int_eq(sim_run_until(sim, 250), SIM_UNTIL);
	ck_assert_uint_eq(sim_now(sim), 250);
	ck_assert_int_eq(sim_run_until(sim, 400), SIM_DEADLOCK);
	ck_assert_int_eq(l.n, 3);
	ck_assert_uint_eq(sim_now(sim), 400);
	ck_assert_uint_eq(sim_idle_cycles(sim), 400);
	/* never backwards */
	ck_assert_int_eq(sim_run_until(sim, 10), SIM_DEADLOCK);
	ck_assert_uint_eq(sim_now(sim), 400);
	sim_destroy(sim);
}
END_TEST

START_TEST(after_forever_is_never)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged a;

	logged_init(&a, &l, 1, 0);
	sim_spend(sim, 100);
	sim_event_after(sim, &a.ev, UINT64_MAX - 5);
	ck_assert_uint_eq(sim_event_next(sim), SIM_TIME_NEVER);
	ck_assert_int_eq(sim_run_until(sim, 1000), SIM_UNTIL);
	ck_assert_int_eq(l.n, 0);
	sim_destroy(sim);
}
END_TEST

static void
stopper(void *arg, sim_time_t when)
{
	(void)when;
	sim_stop(arg);
}

START_TEST(an_event_may_stop_the_run)
{
	struct sim *sim = sim_create(NULL);
	struct log l = { .sim = sim };
	struct logged a;
	struct sim_event stop;

	sim_event_init(&stop, "stop", 0, stopper, sim);
	logged_init(&a, &l, 1, 0);
	sim_event_at(sim, &stop, 10);
	sim_event_at(sim, &a.ev, 10);
	ck_assert_int_eq(sim_run(sim), SIM_STOPPED);
	ck_assert_int_eq(l.n, 0);
	ck_assert_uint_eq(sim_now(sim), 10);
	sim_stop(sim); /* asked for outside: the next run ends at once */
	ck_assert_int_eq(sim_run(sim), SIM_STOPPED);
	ck_assert_int_eq(l.n, 0);
	ck_assert_int_eq(sim_run(sim), SIM_DEADLOCK);
	ck_assert_int_eq(l.n, 1);
	sim_destroy(sim);
}
END_TEST

/* ---- the heap against a list that is searched ---- */

#define NRANDOM 300

struct model {
	struct sim *sim;
	struct sim_rng rng;
	struct sim_event ev[NRANDOM];
	bool pending[NRANDOM];
	sim_time_t when[NRANDOM];
	int priority[NRANDOM];
	uint64_t seq[NRANDOM];
	uint64_t next_seq, fired;
};

static int
model_first(const struct model *m)
{
	int best = -1;

	for (int i = 0; i < NRANDOM; i++) {
		if (!m->pending[i])
			continue;
		if (best < 0 || m->when[i] < m->when[best] ||
		    (m->when[i] == m->when[best] &&
		    (m->priority[i] < m->priority[best] ||
		    (m->priority[i] == m->priority[best] &&
		    m->seq[i] < m->seq[best]))))
			best = i;
	}
	return (best);
}

static void
model_schedule(struct model *m, int i, sim_time_t when)
{
	m->pending[i] = true;
	m->when[i] = when;
	m->seq[i] = m->next_seq++;
	sim_event_at(m->sim, &m->ev[i], when);
}

struct model_arg {
	struct model *m;
	int i;
};

static void
model_fire(void *arg, sim_time_t when)
{
	struct model_arg *a = arg;
	struct model *m = a->m;

	ck_assert_int_eq(model_first(m), a->i);
	ck_assert_uint_eq(when, m->when[a->i]);
	m->pending[a->i] = false;
	m->fired++;
	for (int k = 0; k < 2 && m->fired < 20000; k++) {
		int j = (int)sim_rng_below(&m->rng, NRANDOM);

		if (sim_rng_chance(&m->rng, 300000)) {
			sim_event_cancel(m->sim, &m->ev[j]);
			m->pending[j] = false;
		} else
			model_schedule(m, j, sim_now(m->sim) +
			    sim_rng_below(&m->rng, 50));
	}
}

START_TEST(heap_agrees_with_a_list)
{
	struct model *m = calloc(1, sizeof(*m));
	struct model_arg *args = calloc(NRANDOM, sizeof(*args));

	m->sim = sim_create(NULL);
	sim_rng_init(&m->rng, 4711, "events");
	for (int i = 0; i < NRANDOM; i++) {
		args[i] = (struct model_arg) { m, i };
		m->priority[i] = (int)sim_rng_below(&m->rng, 3) - 1;
		sim_event_init(&m->ev[i], "random", m->priority[i],
		    model_fire, &args[i]);
		model_schedule(m, i, sim_rng_below(&m->rng, 100));
	}
	ck_assert_int_eq(sim_run(m->sim), SIM_DEADLOCK);
	ck_assert_int_eq(model_first(m), -1);
	ck_assert_uint_ge(m->fired, 1000);
	sim_destroy(m->sim);
	free(args);
	free(m);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		ordered_by_time_priority_insertion,
		moving_counts_as_a_fresh_insertion,
		cancelled_events_do_not_happen,
		late_events_keep_their_nominal_time,
		past_times_are_taken_at_once,
		an_event_may_schedule_itself,
		run_until_takes_what_is_due_and_no_more,
		after_forever_is_never,
		an_event_may_stop_the_run,
		heap_agrees_with_a_list,
	};

	return (SUITE_MAIN("sim_events", tests));
}
