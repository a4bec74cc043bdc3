/*
 * dispatch.c: who runs next. Run queues, sleep queues, simulated CPUs.
 *
 * Interface: sim.h (sleep, wakeup, preemption, sim_run).
 * Source:    priorities and queues as in 4BSD: 64 queues of four priorities
 *            (companions 1.8), wakeup order (companions 11.2). A thread that
 *            lost its CPU to a better one goes back to the head of its queue
 *            with what is left of its slice (FreeBSD 11 sched_4bsd.c,
 *            SRQ_PREEMPTED).
 * Differs:   with several CPUs there is one set of run queues and no
 *            affinity.
 *
 * The rule for N CPUs: the CPU with the smallest clock goes next, the lowest
 * number among equals. A CPU with nothing on it counts as being at the time
 * at which the earliest runnable thread became runnable. An event is taken
 * as soon as no CPU that has something to run is behind it. A thread gives
 * its CPU's turn away only at preemption points and while it sleeps, so what
 * it does between them is atomic.
 */
#include "sim/base/sim_int.h"

/* ------------------------------------------------------------ run queues */

void
sim_runq_insert(struct sim_thread *td, bool head)
{
	struct sim *sim = td->sim;
	uint32_t q = sim_pri_queue(td->pri);

	if (head)
		TAILQ_INSERT_HEAD(&sim->runq[q], td, link);
	else
		TAILQ_INSERT_TAIL(&sim->runq[q], td, link);
	td->queue = (uint8_t)q;
	td->state = TDS_RUNQ;
	sim->runq_bits |= 1ull << q;
}

void
sim_runq_remove(struct sim_thread *td)
{
	struct sim *sim = td->sim;

	TAILQ_REMOVE(&sim->runq[td->queue], td, link);
	if (TAILQ_EMPTY(&sim->runq[td->queue]))
		sim->runq_bits &= ~(1ull << td->queue);
}

/* Priorities have changed: into the right queues, in the present order. */
void
sim_runq_sort(struct sim *sim)
{
	struct sim_threadq all = TAILQ_HEAD_INITIALIZER(all);
	struct sim_thread *td;

	for (uint32_t q = 0; q < SIM_NQS; q++)
		TAILQ_CONCAT(&all, &sim->runq[q], link);
	sim->runq_bits = 0;
	while ((td = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, td, link);
		sim_runq_insert(td, false);
	}
}

/* Runnable from now on; at the head only when it was preempted. */
void
sim_make_runnable(struct sim_thread *td, bool head)
{
	td->ready = sim_now(td->sim);
	sim_runq_insert(td, head);
	sim_watched(td, SIM_READY, NULL, td->ready);
}

/*
 * The thread that a CPU at time t would take: best queue, first in it, among
 * those that are runnable by then. One CPU cannot be ahead of its own
 * wakeups, so it need not look.
 */
static struct sim_thread *
runq_best(const struct sim *sim, sim_time_t t)
{
	uint64_t bits = sim->runq_bits;

	if (bits == 0)
		return (NULL);
	if (sim->cfg.ncpus == 1)
		return (TAILQ_FIRST(&sim->runq[__builtin_ctzll(bits)]));
	for (; bits != 0; bits &= bits - 1) {
		const struct sim_threadq *q =
		    &sim->runq[__builtin_ctzll(bits)];
		struct sim_thread *td;

		TAILQ_FOREACH(td, q, link)
			if (td->ready <= t)
				return (td);
	}
	return (NULL);
}

/* When the earliest of the runnable threads became runnable. */
static sim_time_t
runq_earliest(const struct sim *sim)
{
	sim_time_t earliest = SIM_TIME_NEVER;

	for (uint64_t bits = sim->runq_bits; bits != 0; bits &= bits - 1) {
		const struct sim_threadq *q =
		    &sim->runq[__builtin_ctzll(bits)];
		struct sim_thread *td;

		TAILQ_FOREACH(td, q, link)
			if (td->ready < earliest)
				earliest = td->ready;
	}
	return (earliest);
}

/* ------------------------------------------------------------ CPUs */

/* The time at which an idle CPU could start a thread. */
static sim_time_t
idle_start(const struct sim_cpu *cpu, sim_time_t earliest)
{
	return (cpu->clock > earliest ? cpu->clock : earliest);
}

/* The CPU whose turn it is and the time there; NEVER: nothing to run. */
static struct sim_cpu *
next_cpu(struct sim *sim, sim_time_t *t)
{
	struct sim_cpu *best = NULL;
	sim_time_t earliest;

	*t = SIM_TIME_NEVER;
	if (sim->cfg.ncpus == 1) {
		best = &sim->cpus[0];
		if (best->td != NULL || sim->runq_bits != 0)
			*t = best->clock;
		return (best);
	}
	earliest = runq_earliest(sim);
	for (uint32_t i = 0; i < sim->cfg.ncpus; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		sim_time_t at = cpu->clock;

		if (cpu->td == NULL)
			at = idle_start(cpu, earliest);
		if (at < *t) {
			*t = at;
			best = cpu;
		}
	}
	return (best);
}

static bool
any_idle_cpu(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->cfg.ncpus; i++)
		if (sim->cpus[i].td == NULL)
			return (true);
	return (false);
}

/*
 * Would td, on cpu, lose it at a preemption point? To a better queue at
 * once; to its own queue when sim_user_horizon found its slice used up. An
 * idle CPU takes the rival instead.
 */
static bool
must_give_way(const struct sim *sim, const struct sim_cpu *cpu,
    const struct sim_thread *td)
{
	const struct sim_thread *rival = runq_best(sim, cpu->clock);

	if (rival == NULL)
		return (false);
	if (rival->queue > sim_pri_queue(td->pri) ||
	    (rival->queue == sim_pri_queue(td->pri) && !td->slice_over))
		return (false);
	return (!any_idle_cpu(sim));
}

/* Takes a paused thread off its CPU, back to the run queues. */
static void
cpu_vacate(struct sim_cpu *cpu)
{
	struct sim_thread *td = cpu->td;

	cpu->td = NULL;
	td->slice_left = 0;
	if (td->slice_end <= cpu->clock)
		td->slice_over = true; /* it came to an end just now */
	if (!td->slice_over)
		td->slice_left = td->slice_end - cpu->clock;
	sim_make_runnable(td, !td->slice_over);
	td->slice_over = false;
}

/* Puts the best runnable thread on an idle CPU at time t. */
static void
cpu_load(struct sim *sim, struct sim_cpu *cpu, sim_time_t t)
{
	struct sim_thread *td = runq_best(sim, t);

	KASSERT(sim, td != NULL, ("no thread to run at %ju", (uintmax_t)t));
	sim_runq_remove(td);
	cpu->idle += t - cpu->clock;
	cpu->clock = t;
	cpu->td = td;
	td->state = TDS_ONCPU;
	td->slice_over = false;
	sim_watched(td, SIM_RUNNING, NULL, t);
	if (cpu->last_id != td->id) {
		cpu->last_id = td->id;
		sim->switches++;
		cpu->clock += sim->switch_cost;
		td->cycles += sim->switch_cost;
	}
	td->slice_end = cpu->clock +
	    (td->slice_left != 0 ? td->slice_left : sim->quantum);
	td->slice_left = 0;
}

static struct sim_thread *
cpu_turn(struct sim *sim, struct sim_cpu *cpu, sim_time_t t)
{
	struct sim_thread *td;

	sim->curcpu = cpu;
	if (cpu->td != NULL && must_give_way(sim, cpu, cpu->td))
		cpu_vacate(cpu);
	if (cpu->td == NULL)
		cpu_load(sim, cpu, t);
	td = cpu->td;
	if (sim->last_ran != td->id) {
		sim->last_ran = td->id;
		sim->turns++;
	}
	sim->cur = td;
	sim->tagp = &td->tag;
	return (td);
}

static bool
stop_wanted(const struct sim *sim)
{
	return (atomic_load_explicit(&sim->stop, memory_order_relaxed));
}

/* Nothing is runnable and no event is wanted: it is `until` now. */
static void
settle_clocks(struct sim *sim)
{
	struct sim_cpu *cpu = sim->outside;

	if (sim->until == SIM_TIME_NEVER || cpu->clock >= sim->until)
		return;
	cpu->idle += sim->until - cpu->clock;
	cpu->clock = sim->until;
	if (sim->event_floor < sim->until)
		sim->event_floor = sim->until;
}

/*
 * sim_choose: take due events until it is clear which thread runs next, and
 * make it the current one. NULL: sim_run shall return (sim->result).
 * Runs on the stack of whoever gave up the CPU.
 */
struct sim_thread *
sim_choose(struct sim *sim)
{
	sim->cur = NULL;
	for (;;) {
		struct sim_event *ev;
		struct sim_cpu *cpu;
		sim_time_t t;

		if (stop_wanted(sim)) {
			atomic_store_explicit(&sim->stop, false,
			    memory_order_relaxed);
			sim->result = SIM_STOPPED;
			break;
		}
		cpu = next_cpu(sim, &t);
		ev = sim_event_first(sim);
		if (t == SIM_TIME_NEVER &&
		    (ev == NULL || ev->when > sim->until)) {
			sim->result = ev == NULL ? SIM_DEADLOCK : SIM_UNTIL;
			settle_clocks(sim);
			break;
		}
		if (ev == NULL || ev->when > t)
			return (cpu_turn(sim, cpu, t));
		sim_event_fire(sim);
	}
	sim->cur = NULL;
	sim->tagp = &sim->outside_tag;
	return (NULL);
}

/* ------------------------------------------------------------ sleeping */

static struct sim_threadq *
sleep_bucket(struct sim *sim, const void *chan)
{
	uint64_t h = (uint64_t)(uintptr_t)chan * 0x9e3779b97f4a7c15ull;

	return (&sim->sleepq[h >> 56]);
}
_Static_assert(SIM_SLEEP_BUCKETS == 256, "sleep_bucket takes eight bits");

void
sim_sleepq_remove(struct sim_thread *td)
{
	TAILQ_REMOVE(sleep_bucket(td->sim, td->chan), td, link);
	td->chan = NULL;
	td->wmesg = NULL;
	sim_event_cancel(td->sim, &td->timeout);
}

/* May td run now that its sleep is over? */
static bool
may_run(struct sim_thread *td)
{
	const struct sim *sim = td->sim;

	return (sim->sched == NULL || sim->sched->awake == NULL ||
	    sim->sched->awake(sim->sched_ctx, td));
}

/* False: td is held. */
static bool
end_sleep(struct sim_thread *td, int result)
{
	sim_sleepq_remove(td);
	td->sleep_result = result;
	td->state = TDS_HELD;
	if (!may_run(td)) {
		sim_watched(td, SIM_HELD, NULL, sim_now(td->sim));
		return (false);
	}
	sim_make_runnable(td, false);
	return (true);
}

static void
sleep_timeout(void *arg, sim_time_t when)
{
	struct sim_thread *td = arg;

	(void)when;
	(void)end_sleep(td, SIM_TIMEOUT);
}

void
sim_timeout_init(struct sim_thread *td)
{
	sim_event_init(&td->timeout, "sleep timeout", 0, sleep_timeout, td);
}

int
sim_sleep(struct sim *sim, const void *chan, int priority, const char *wmesg,
    uint64_t timeout)
{
	struct sim_thread *td = sim->cur;

	KASSERT(sim, td != NULL, ("sleep on %s without a thread", wmesg));
	KASSERT(sim, chan != NULL, ("sleep on %s without a channel", wmesg));
	if (sim->trace != NULL && sim->trace->sleep != NULL)
		sim->trace->sleep(sim->trace_ctx, td, chan, priority, wmesg,
		    timeout);
	if (priority != 0)
		td->pri = sim_pri_clamp(priority);
	if (sim->sched != NULL && sim->sched->sleeping != NULL)
		sim->sched->sleeping(sim->sched_ctx, td, td->pri);
	td->chan = chan;
	td->wmesg = wmesg;
	td->state = TDS_SLEEPING;
	TAILQ_INSERT_TAIL(sleep_bucket(sim, chan), td, link);
	sim_watched(td, SIM_SLEEPING, wmesg, sim->curcpu->clock);
	if (timeout != SIM_NO_TIMEOUT)
		sim_event_after(sim, &td->timeout, timeout);
	sim->curcpu->td = NULL;
	sim_block(sim);
	return (td->sleep_result);
}

static uint32_t
wakeup_max(struct sim *sim, const void *chan, uint32_t max)
{
	struct sim_thread *td, *next;
	uint32_t n = 0;

	if (sim->trace != NULL && sim->trace->wakeup != NULL)
		sim->trace->wakeup(sim->trace_ctx, chan);
	td = TAILQ_FIRST(sleep_bucket(sim, chan));
	for (; td != NULL && n < max; td = next) {
		next = TAILQ_NEXT(td, link);
		if (td->chan != chan)
			continue;
		/* Who holds a thread may have woken others: start again. */
		if (!end_sleep(td, SIM_WAKEUP))
			next = TAILQ_FIRST(sleep_bucket(sim, chan));
		n++;
	}
	return (n);
}

uint32_t
sim_wakeup(struct sim *sim, const void *chan)
{
	return (wakeup_max(sim, chan, UINT32_MAX));
}

uint32_t
sim_wakeup_one(struct sim *sim, const void *chan)
{
	return (wakeup_max(sim, chan, 1));
}

bool
sim_unsleep(struct sim *sim, struct sim_thread *td)
{
	KASSERT(sim, td->sim == sim, ("thread %s of another simulation",
	    td->name));
	if (td->state != TDS_SLEEPING)
		return (false);
	(void)end_sleep(td, SIM_WAKEUP);
	return (true);
}

void
sim_set_sched(struct sim *sim, const struct sim_sched_ops *ops, void *ctx)
{
	sim->sched = ops;
	sim->sched_ctx = ctx;
}

bool
sim_thread_is_held(const struct sim_thread *td)
{
	return (td->state == TDS_HELD);
}

bool
sim_thread_release(struct sim *sim, struct sim_thread *td)
{
	KASSERT(sim, td->sim == sim, ("thread %s of another simulation",
	    td->name));
	if (td->state != TDS_HELD)
		return (false);
	sim_make_runnable(td, false);
	return (true);
}

/* ------------------------------------------------------------ preemption */

/* Is there anything for a preemption point to do? */
static bool
preempt_wanted(const struct sim *sim, const struct sim_thread *td)
{
	if (sim->cfg.ncpus > 1 || stop_wanted(sim))
		return (true);
	if (sim_event_next(sim) <= sim->curcpu->clock)
		return (true);
	return (sim->runq_bits != 0 &&
	    must_give_way(sim, sim->curcpu, td));
}

bool
sim_preempt_point(struct sim *sim)
{
	uint64_t turns = sim->turns;

	if (sim->cur == NULL || !preempt_wanted(sim, sim->cur))
		return (false);
	sim_block(sim);
	return (sim->turns != turns);
}

bool
sim_yield(struct sim *sim)
{
	struct sim_thread *td = sim->cur;
	uint64_t turns = sim->turns;

	KASSERT(sim, td != NULL, ("sim_yield without a thread"));
	td->slice_over = true;
	sim_block(sim);
	td->slice_over = false;
	return (sim->turns != turns);
}

bool
sim_slice_ended(const struct sim *sim)
{
	return (sim->cur != NULL && sim->curcpu->clock >= sim->cur->slice_end);
}

void
sim_user_return(struct sim *sim)
{
	struct sim_thread *td = sim->cur;

	KASSERT(sim, td != NULL, ("sim_user_return without a thread"));
	td->pri = td->base_pri;
}

/* How far this CPU may run before another one's turn; NEVER with one CPU. */
static sim_time_t
others_horizon(const struct sim *sim)
{
	sim_time_t end = SIM_TIME_NEVER, earliest;

	if (sim->cfg.ncpus == 1)
		return (end);
	earliest = runq_earliest(sim);
	for (uint32_t i = 0; i < sim->cfg.ncpus; i++) {
		const struct sim_cpu *cpu = &sim->cpus[i];
		sim_time_t at = cpu->clock;

		if (cpu == sim->curcpu)
			continue;
		if (cpu->td == NULL)
			at = idle_start(cpu, earliest);
		if (at < SIM_TIME_NEVER - sim->skew && at + sim->skew < end)
			end = at + sim->skew;
	}
	return (end);
}

/*
 * Source: 4BSD's roundrobin(): at the end of a slice the thread goes behind
 * the others of its queue; without any it just starts another slice. The
 * slice's end is a horizon in both cases, so a stop request is seen in time.
 */
uint64_t
sim_user_horizon(struct sim *sim)
{
	struct sim_thread *td = sim->cur;
	sim_time_t now = sim->curcpu->clock, end, t;

	KASSERT(sim, td != NULL, ("sim_user_horizon without a thread"));
	td->slice_over = now >= td->slice_end;
	if (preempt_wanted(sim, td) && sim->cfg.ncpus == 1)
		return (0);
	if (must_give_way(sim, sim->curcpu, td) || stop_wanted(sim))
		return (0);
	if (td->slice_over) {
		td->slice_over = false;
		td->slice_end = now + sim->quantum;
	}
	end = td->slice_end;
	if ((t = sim_event_next(sim)) < end)
		end = t;
	if ((t = others_horizon(sim)) < end)
		end = t;
	return (end > now ? end - now : 0);
}

/* ------------------------------------------------------------ sim_run */

enum sim_run_result
sim_run_until(struct sim *sim, sim_time_t until)
{
	enum sim_run_result result;

	KASSERT(sim, !sim->running, ("sim_run inside sim_run"));
	sim->running = true;
	sim->until = until;
	result = sim_enter(sim);
	sim->until = SIM_TIME_NEVER;
	sim->running = false;
	if (sim->outside->clock < sim->curcpu->clock)
		sim->outside->clock = sim->curcpu->clock;
	sim->curcpu = sim->outside;
	return (result);
}

enum sim_run_result
sim_run(struct sim *sim)
{
	return (sim_run_until(sim, SIM_TIME_NEVER));
}

/* Async-signal-safe: one atomic store. */
void
sim_stop(struct sim *sim)
{
	atomic_store_explicit(&sim->stop, true, memory_order_relaxed);
}
