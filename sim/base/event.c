/*
 * event.c: the event queue, a binary heap ordered by (time, priority,
 * insertion).
 *
 * Interface: sim.h (events).
 * Source:    our own; heaps with an index inside the element are textbook.
 *
 * Events are embedded in their owners; the heap holds pointers to them and
 * each event knows its place, so cancelling needs no search. An event's
 * sequence number is taken anew at every scheduling.
 */
#include <stdlib.h>

#include "sim/base/sim_int.h"

#define HEAP_FIRST_SIZE 64

static bool
event_before(const struct sim_event *a, const struct sim_event *b)
{
	if (a->when != b->when)
		return (a->when < b->when);
	if (a->priority != b->priority)
		return (a->priority < b->priority);
	return (a->seq < b->seq);
}

static void
heap_put(struct sim *sim, uint32_t i, struct sim_event *ev)
{
	sim->heap[i] = ev;
	ev->heap_index = (int32_t)i;
}

/* Moves ev from the hole at i towards the root. */
static void
heap_up(struct sim *sim, uint32_t i, struct sim_event *ev)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / 2;

		if (!event_before(ev, sim->heap[parent]))
			break;
		heap_put(sim, i, sim->heap[parent]);
		i = parent;
	}
	heap_put(sim, i, ev);
}

/* Moves ev from the hole at i towards the leaves. */
static void
heap_down(struct sim *sim, uint32_t i, struct sim_event *ev)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= sim->nheap)
			break;
		if (child + 1 < sim->nheap &&
		    event_before(sim->heap[child + 1], sim->heap[child]))
			child++;
		if (!event_before(sim->heap[child], ev))
			break;
		heap_put(sim, i, sim->heap[child]);
		i = child;
	}
	heap_put(sim, i, ev);
}

static void
heap_settle(struct sim *sim, uint32_t i, struct sim_event *ev)
{
	if (i > 0 && event_before(ev, sim->heap[(i - 1) / 2]))
		heap_up(sim, i, ev);
	else
		heap_down(sim, i, ev);
}

static void
heap_grow(struct sim *sim)
{
	uint32_t size = sim->heap_size ? sim->heap_size * 2 : HEAP_FIRST_SIZE;
	struct sim_event **heap;

	heap = realloc(sim->heap, size * sizeof(struct sim_event *));
	if (heap == NULL)
		sim_nomem(sim, "%u events", size);
	sim->heap = heap;
	sim->heap_size = size;
}

/*
 * sim_event_init: name is a static string; lower priority first among events
 * of the same cycle.
 */
void
sim_event_init(struct sim_event *ev, const char *name, int priority,
    sim_event_fn *fn, void *arg)
{
	*ev = (struct sim_event) {
		.name = name,
		.fn = fn,
		.arg = arg,
		.priority = priority,
		.heap_index = -1,
	};
}

/*
 * sim_event_at: schedule, or move if scheduled already. A time in the past is
 * allowed: the event is taken as soon as events are taken, and still gets its
 * nominal time.
 */
void
sim_event_at(struct sim *sim, struct sim_event *ev, sim_time_t when)
{
	ev->when = when;
	ev->seq = sim->event_seq++;
	if (ev->heap_index >= 0) {
		heap_settle(sim, (uint32_t)ev->heap_index, ev);
		return;
	}
	if (sim->nheap == sim->heap_size)
		heap_grow(sim);
	heap_up(sim, sim->nheap++, ev);
}

void
sim_event_after(struct sim *sim, struct sim_event *ev, uint64_t cycles)
{
	sim_time_t now = sim_now(sim);

	sim_event_at(sim, ev,
	    cycles > SIM_TIME_NEVER - now ? SIM_TIME_NEVER : now + cycles);
}

void
sim_event_cancel(struct sim *sim, struct sim_event *ev)
{
	uint32_t i;
	struct sim_event *last;

	if (ev->heap_index < 0)
		return;
	i = (uint32_t)ev->heap_index;
	KASSERT(sim, i < sim->nheap && sim->heap[i] == ev,
	    ("event %s is not at place %u of this simulation", ev->name, i));
	ev->heap_index = -1;
	last = sim->heap[--sim->nheap];
	if (last != ev)
		heap_settle(sim, i, last);
}

bool
sim_event_pending(const struct sim_event *ev)
{
	return (ev->heap_index >= 0);
}

struct sim_event *
sim_event_first(const struct sim *sim)
{
	return (sim->nheap > 0 ? sim->heap[0] : NULL);
}

sim_time_t
sim_event_next(const struct sim *sim)
{
	return (sim->nheap > 0 ? sim->heap[0]->when : SIM_TIME_NEVER);
}

/* The CPU that takes an event: the one with the smallest clock. */
static struct sim_cpu *
event_cpu(struct sim *sim)
{
	struct sim_cpu *best = &sim->cpus[0];

	for (uint32_t i = 1; i < sim->cfg.ncpus; i++)
		if (sim->cpus[i].clock < best->clock)
			best = &sim->cpus[i];
	return (best);
}

/*
 * sim_event_fire: take the first event. It happens at its nominal time, or
 * when its CPU comes out of the kernel section that it fell into; never
 * before the event taken last, so that what events log is in order.
 */
void
sim_event_fire(struct sim *sim)
{
	struct sim_event *ev = sim->heap[0];
	struct sim_cpu *cpu = event_cpu(sim);
	sim_time_t when = ev->when, start = when;

	sim_event_cancel(sim, ev);
	if (start < sim->event_floor)
		start = sim->event_floor;
	if (start > cpu->clock) {
		KASSERT(sim, cpu->td == NULL,
		    ("event %s overtakes a busy CPU", ev->name));
		cpu->idle += start - cpu->clock;
		cpu->clock = start;
	}
	sim->event_floor = cpu->clock;
	sim->curcpu = cpu;
	sim->cur = NULL;
	sim->event = ev;
	sim->event_tag = 0;
	sim->tagp = &sim->event_tag;
	ev->fn(ev->arg, when);
	if (sim->event_hook != NULL)
		sim->event_hook(sim->event_hook_ctx);
	sim->event = NULL;
}
