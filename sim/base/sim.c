/*
 * sim.c: life cycle of a simulation, its clock and what time costs.
 *
 * Interface: sim.h (life cycle, clock, sim_spend, trace hooks).
 * Source:    our own; the design page, "Time".
 *
 * Time belongs to the simulated CPUs: each has a local clock, and sim_now()
 * is the clock of the CPU on which the executing context stands. An event
 * stands on the CPU that takes it. The world outside sim_run stands on the
 * one CPU, or beside several as if on one more: calling sim_run in many small
 * steps must not change which CPU does what.
 */
#include <stdlib.h>

#include "sim/base/sim_int.h"

#define DEFAULT_HZ 1000000000ull
#define DEFAULT_QUANTUM_US 100000u

static uint64_t
mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 r = (unsigned __int128)a * b / c;

	return (r > UINT64_MAX ? UINT64_MAX : (uint64_t)r);
}

static void
sim_init_queues(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_NQS; i++)
		TAILQ_INIT(&sim->runq[i]);
	for (uint32_t i = 0; i < SIM_SLEEP_BUCKETS; i++)
		TAILQ_INIT(&sim->sleepq[i]);
	TAILQ_INIT(&sim->threads);
	SLIST_INIT(&sim->free_stacks);
	SLIST_INIT(&sim->all_stacks);
}

static void
sim_init_config(struct sim *sim, const struct sim_config *cfg)
{
	if (cfg != NULL)
		sim->cfg = *cfg;
	if (sim->cfg.cpu_hz == 0)
		sim->cfg.cpu_hz = DEFAULT_HZ;
	if (sim->cfg.ncpus == 0)
		sim->cfg.ncpus = 1;
	if (sim->cfg.quantum_us == 0)
		sim->cfg.quantum_us = DEFAULT_QUANTUM_US;
	sim_set_quantum(sim, sim_us(sim, sim->cfg.quantum_us));
	sim->skew = sim_us(sim, SIM_SKEW_US);
	if (sim->skew == 0)
		sim->skew = 1;
}

/*
 * sim_create: an empty simulation at cycle 0. `cfg` may be NULL: all
 * defaults. NULL only when the host is out of memory.
 */
struct sim *
sim_create(const struct sim_config *cfg)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	if (sim == NULL)
		return (NULL);
	sim_init_config(sim, cfg);
	sim_init_queues(sim);
	sim->cpus = calloc(sim->cfg.ncpus, sizeof(*sim->cpus));
	if (sim->cpus == NULL) {
		free(sim);
		return (NULL);
	}
	sim->outside = sim->cfg.ncpus == 1 ? &sim->cpus[0] : &sim->nowhere;
	sim->curcpu = sim->outside;
	sim->tagp = &sim->outside_tag;
	sim->host = &sim->main;
	sim->until = SIM_TIME_NEVER;
	atomic_init(&sim->stop, false);
	return (sim);
}

/*
 * sim_destroy: unfinished threads are abandoned where they sleep; what they
 * allocated and nobody else knows of is lost. Not to be called from inside
 * sim_run.
 */
void
sim_destroy(struct sim *sim)
{
	struct sim_thread *td;

	if (sim == NULL)
		return;
	KASSERT(sim, !sim->running, ("sim_destroy inside sim_run"));
	while ((td = TAILQ_FIRST(&sim->threads)) != NULL)
		sim_thread_forget(td);
	sim_stacks_destroy(sim);
	free(sim->heap);
	free(sim->cpus);
	free(sim);
}

sim_time_t
sim_now(const struct sim *sim)
{
	return (sim->curcpu->clock);
}

uint64_t
sim_hz(const struct sim *sim)
{
	return (sim->cfg.cpu_hz);
}

uint32_t
sim_ncpus(const struct sim *sim)
{
	return (sim->cfg.ncpus);
}

uint32_t
sim_curcpu(const struct sim *sim)
{
	if (sim->curcpu == &sim->nowhere)
		return (0);
	return ((uint32_t)(sim->curcpu - sim->cpus));
}

/* Microseconds to cycles, rounded down; saturates. */
uint64_t
sim_us(const struct sim *sim, uint64_t microseconds)
{
	return (mul_div(microseconds, sim->cfg.cpu_hz, 1000000));
}

/* Nanoseconds to cycles, rounded down; saturates. */
uint64_t
sim_ns(const struct sim *sim, uint64_t nanoseconds)
{
	return (mul_div(nanoseconds, sim->cfg.cpu_hz, 1000000000));
}

/* Cycles to nanoseconds, rounded down; saturates. */
uint64_t
sim_to_ns(const struct sim *sim, sim_time_t cycles)
{
	return (mul_div(cycles, 1000000000, sim->cfg.cpu_hz));
}

uint64_t
sim_rng_seed(const struct sim *sim)
{
	return (sim->cfg.rng_seed);
}

void
sim_spend(struct sim *sim, uint64_t cycles)
{
	sim->curcpu->clock += cycles;
	if (sim->cur != NULL)
		sim->cur->cycles += cycles;
	else if (sim->curcpu != &sim->nowhere)
		sim->event_cycles += cycles;
}

void
sim_set_event_hook(struct sim *sim, sim_event_hook_fn *fn, void *ctx)
{
	sim->event_hook = fn;
	sim->event_hook_ctx = ctx;
}

void
sim_set_context_switch_cost(struct sim *sim, uint64_t cycles)
{
	sim->switch_cost = cycles;
}

void
sim_set_quantum(struct sim *sim, uint64_t cycles)
{
	sim->quantum = cycles != 0 ? cycles : 1;
}

uint64_t
sim_quantum(const struct sim *sim)
{
	return (sim->quantum);
}

/* A CPU's clock stands still while it is idle, so the stretch up to now is
 * added here. */
uint64_t
sim_cpu_idle_cycles(const struct sim *sim, uint32_t cpu)
{
	const struct sim_cpu *c = &sim->cpus[cpu];
	sim_time_t now = sim_now(sim);

	return (c->idle + (c->td == NULL && c->clock < now ?
	    now - c->clock : 0));
}

uint64_t
sim_idle_cycles(const struct sim *sim)
{
	uint64_t idle = 0;

	for (uint32_t i = 0; i < sim->cfg.ncpus; i++)
		idle += sim_cpu_idle_cycles(sim, i);
	return (idle);
}

uint64_t
sim_context_switches(const struct sim *sim)
{
	return (sim->switches);
}

uint64_t
sim_event_cycles(const struct sim *sim)
{
	return (sim->event_cycles);
}

uint32_t
sim_tag(const struct sim *sim)
{
	return (*sim->tagp);
}

uint32_t
sim_tag_set(struct sim *sim, uint32_t tag)
{
	uint32_t old = *sim->tagp;

	*sim->tagp = tag;
	return (old);
}

void
sim_set_watch(struct sim *sim, sim_watch_fn *fn, void *ctx)
{
	sim->watch = fn;
	sim->watch_ctx = ctx;
}

void
sim_set_trace(struct sim *sim, const struct sim_trace_ops *ops, void *ctx)
{
	sim->trace = ops;
	sim->trace_ctx = ctx;
}
