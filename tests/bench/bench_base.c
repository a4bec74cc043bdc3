/*
 * bench_base: what events, sleeps and context switches of sim/base cost the
 * host, and a switch by swapcontext(3) beside them.
 *
 * usage: bench_base
 */
#include <stdlib.h>
#include <ucontext.h>

#include "bench.h"
#include "sim/base/sim.h"

#define STACK_SIZE 65536

struct bench {
	struct sim *sim;
	uint64_t left;
	int chan[2];
	struct sim_event ev[64];
	struct sim_rng rng;
};

static void
spawn(struct bench *b, sim_thread_fn *fn)
{
	sim_thread_create(b->sim, "bench", 160, fn, b);
}

/* ------------------------------------------------------------ switches */

static void
ping(void *arg)
{
	struct bench *b = arg;
	int me = (int)sim_thread_id(sim_curthread(b->sim)) & 1;

	while (b->left > 0) {
		b->left--;
		sim_wakeup(b->sim, &b->chan[!me]);
		sim_sleep(b->sim, &b->chan[me], 68, "ping", 0);
	}
	sim_wakeup(b->sim, &b->chan[!me]);
}

static void
bench_switch(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	spawn(b, ping);
	spawn(b, ping);
	sim_run(b->sim);
}

static void
yielder(void *arg)
{
	struct bench *b = arg;

	while (b->left > 0) {
		b->left--;
		sim_yield(b->sim);
	}
}

static void
bench_yield(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	spawn(b, yielder);
	spawn(b, yielder);
	sim_run(b->sim);
}

static void
napper(void *arg)
{
	struct bench *b = arg;

	while (b->left > 0) {
		b->left--;
		sim_sleep(b->sim, &b->chan[0], 68, "nap", 100);
	}
}

static void
bench_nap(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	spawn(b, napper);
	sim_run(b->sim);
}

static void
walker(void *arg)
{
	struct bench *b = arg;

	while (b->left > 0) {
		b->left--;
		sim_spend(b->sim, 10);
		sim_preempt_point(b->sim);
	}
}

static void
bench_preempt(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	spawn(b, walker);
	sim_run(b->sim);
}

static void
nothing(void *arg)
{
	((struct bench *)arg)->left--;
}

static void
breeder(void *arg)
{
	struct bench *b = arg;

	while (b->left > 1) {
		spawn(b, nothing);
		sim_yield(b->sim);
	}
}

static void
bench_create(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	spawn(b, breeder);
	sim_run(b->sim);
}

struct contexts {
	ucontext_t a, b;
};

static void
other_side(unsigned int high, unsigned int low)
{
	struct contexts *c = (struct contexts *)((uintptr_t)high << 32 | low);

	for (;;)
		swapcontext(&c->b, &c->a);
}

static void
bench_swapcontext(void *arg, uint64_t n)
{
	struct contexts c;
	void *stack = malloc(STACK_SIZE);

	(void)arg;
	getcontext(&c.b);
	c.b.uc_stack.ss_sp = stack;
	c.b.uc_stack.ss_size = STACK_SIZE;
	makecontext(&c.b, (void (*)(void))other_side, 2,
	    (unsigned int)((uintptr_t)&c >> 32),
	    (unsigned int)(uintptr_t)&c);
	for (uint64_t i = 0; i < n / 2; i++)
		swapcontext(&c.a, &c.b);
	free(stack);
}

/* ------------------------------------------------------------ events */

static void
fire(void *arg, sim_time_t when)
{
	struct bench *b = arg;

	(void)when;
	if (b->left == 0)
		return;
	b->left--;
	sim_event_at(b->sim, &b->ev[b->left % 64],
	    sim_now(b->sim) + 1 + sim_rng_below(&b->rng, 1000));
}

static void
bench_events(void *arg, uint64_t n)
{
	struct bench *b = arg;

	b->left = n;
	for (int i = 0; i < 64; i++) {
		sim_event_init(&b->ev[i], "bench", 0, fire, b);
		sim_event_after(b->sim, &b->ev[i], (uint64_t)i);
	}
	sim_run(b->sim);
}

int
main(void)
{
	struct bench b = { .left = 0 };
	double ours, libc;

	b.sim = sim_create(NULL);
	sim_rng_init(&b.rng, 1, "bench");
	ours = bench_report("sleep + wakeup, to another thread", bench_switch,
	    &b);
	bench_report("yield to another thread", bench_yield, &b);
	bench_report("sleep until a time-out, alone", bench_nap, &b);
	bench_report("spend + preemption point, nothing to do",
	    bench_preempt, &b);
	bench_report("create, run and end a thread", bench_create, &b);
	bench_report("event of 64, taken and scheduled again", bench_events,
	    &b);
	libc = bench_report("bare swapcontext(3)", bench_swapcontext, NULL);
	printf("a whole sleep and wakeup costs %.2f bare swapcontext\n",
	    ours / libc);
	sim_destroy(b.sim);
	return (0);
}
