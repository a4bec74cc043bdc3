/*
 * sim/base: the ground that every folder stands on. A simulation is one
 * `struct sim`: a cycle clock, an event queue, simulated threads (coroutines)
 * on simulated CPUs, seeded random streams, named costs, tunables and a
 * panic path. Nothing here reads the host's clock, environment or addresses.
 *
 * Units: time is in cycles of the simulated CPU (sim_time_t) throughout;
 * sim_hz() cycles make one second.
 */
#ifndef VMSIM_SIM_BASE_SIM_H
#define VMSIM_SIM_BASE_SIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;
struct sim_thread;
struct sim_event;

typedef uint64_t sim_time_t; /* cycles since boot */

#define SIM_TIME_NEVER UINT64_MAX

/* ------------------------------------------------------------ life cycle */

struct sim_config {
	uint64_t cpu_hz; /* cycles per simulated second; 0: 1 GHz */
	uint32_t ncpus; /* simulated CPUs; 0: 1 */
	uint64_t rng_seed; /* root of every random stream */
	uint32_t quantum_us; /* round-robin slice; 0: 100000 (4BSD) */
};

/* NULL only when the host is out of memory. */
struct sim *sim_create(const struct sim_config *cfg);
/* Unfinished threads are abandoned where they sleep. */
void sim_destroy(struct sim *sim);

/* ------------------------------------------------------------ clock */

/*
 * sim_now: the local time of the simulated CPU that is running, or inside an
 * event callback the time at which the event is taken. Never goes back as
 * seen by the sequence of thread slices and events on one CPU.
 */
sim_time_t sim_now(const struct sim *sim);
uint64_t sim_hz(const struct sim *sim);
uint64_t sim_us(const struct sim *sim, uint64_t microseconds); /* -> cycles */
uint64_t sim_ns(const struct sim *sim, uint64_t nanoseconds); /* -> cycles */
uint64_t sim_to_ns(const struct sim *sim, sim_time_t cycles);
uint32_t sim_ncpus(const struct sim *sim);
/* The simulated CPU that is running: 0, 1, ...; 0 outside sim_run. */
uint32_t sim_curcpu(const struct sim *sim);

/* ------------------------------------------------------------ events */

/*
 * Ordered by (time, priority, insertion); lower priority value first.
 * Allocated by the caller (usually embedded), so scheduling never fails and
 * never allocates more than the heap's own growth.
 *
 * The callback gets the event's nominal time. When it was due in the middle
 * of a kernel section (threads are never interrupted there), it is taken at
 * the section's end: sim_now() >= when. Devices continue from `when`.
 */
typedef void sim_event_fn(void *arg, sim_time_t when);

struct sim_event {
	const char *name; /* static string, for panics and traces */
	sim_event_fn *fn;
	void *arg;
	sim_time_t when;
	uint64_t seq;
	int32_t priority;
	int32_t heap_index; /* -1: not scheduled */
};

void sim_event_init(struct sim_event *ev, const char *name, int priority,
    sim_event_fn *fn, void *arg);
/* Schedule, or move if already scheduled (counts as a fresh insertion). */
void sim_event_at(struct sim *sim, struct sim_event *ev, sim_time_t when);
void sim_event_after(struct sim *sim, struct sim_event *ev, uint64_t cycles);
void sim_event_cancel(struct sim *sim, struct sim_event *ev);
bool sim_event_pending(const struct sim_event *ev);
/* Time of the earliest scheduled event, SIM_TIME_NEVER when there is none. */
sim_time_t sim_event_next(const struct sim *sim);

/* ------------------------------------------------------------ threads */

typedef void sim_thread_fn(void *arg);

/*
 * Priorities as in 4BSD: lower runs first; compared in groups of four
 * (pri >> 2), FIFO inside a group.
 */
struct sim_thread *sim_thread_create(struct sim *sim, const char *name,
    int priority, sim_thread_fn *fn, void *arg);
/* A thread's pointer is good until its function returns or it exits. */
/* The running thread, NULL inside event callbacks and outside sim_run. */
struct sim_thread *sim_curthread(const struct sim *sim);
const char *sim_thread_name(const struct sim_thread *td);
uint32_t sim_thread_id(const struct sim_thread *td); /* 1, 2, 3, ... */
void sim_thread_exit(struct sim *sim) __attribute__((noreturn));
/*
 * Base priority, in force from the next dispatch on; a sleep raises it for
 * the sleep and until the thread returns to user mode (sim_user_return).
 */
void sim_thread_set_priority(struct sim_thread *td, int priority);
int sim_thread_priority(const struct sim_thread *td);
/*
 * Set the base priorities of n threads at once. Those that wait for a CPU
 * keep their order towards each other where it is not decided by priority
 * (with one call each, it would become the order of the calls).
 */
void sim_set_priorities(struct sim *sim, struct sim_thread *const *td,
    const int *priority, size_t n);
/* Drop the kernel priority of the last sleep: the thread goes to user mode. */
void sim_user_return(struct sim *sim);
/* Two words for the owner: a pointer (the kernel's struct thread), and a
 * small tag (vmcore keeps the reason of queue transitions there). */
void *sim_thread_data(const struct sim_thread *td);
void sim_thread_set_data(struct sim_thread *td, void *data);
/* Current reason tag of the running context (thread or event callback). */
uint32_t sim_tag(const struct sim *sim);
/* Set it, return the previous one. Survives sleeps; per thread. */
uint32_t sim_tag_set(struct sim *sim, uint32_t tag);

/* Cycles this thread has spent on a CPU, user and kernel together. */
uint64_t sim_thread_cpu_cycles(const struct sim_thread *td);

enum { SIM_WAKEUP = 0, SIM_TIMEOUT = 1 };
#define SIM_NO_TIMEOUT 0

/*
 * sim_sleep: block the running thread on `chan` (tsleep/msleep), which is
 * any address but NULL. Priority 0 leaves the thread's priority as it is.
 * Units:   timeout in cycles, SIM_NO_TIMEOUT for none.
 * Returns: SIM_WAKEUP or SIM_TIMEOUT.
 * `wmesg` is a static string; it is kept for listings.
 */
int sim_sleep(struct sim *sim, const void *chan, int priority,
    const char *wmesg, uint64_t timeout);
/* Make every sleeper on chan runnable, in the order they went to sleep. */
uint32_t sim_wakeup(struct sim *sim, const void *chan);
/* The longest sleeper only. */
uint32_t sim_wakeup_one(struct sim *sim, const void *chan);
/* End one thread's sleep whatever its channel (signals, kill). */
bool sim_unsleep(struct sim *sim, struct sim_thread *td);
/* Channel and message of a sleeping thread; NULL when it does not sleep. */
const void *sim_thread_channel(const struct sim_thread *td);
const char *sim_thread_wmesg(const struct sim_thread *td);

/*
 * What the kernel knows of sleeping threads and who may run. `sleeping` is
 * told before the running thread sleeps; priority is the one in force. `awake`
 * is asked when a sleep is over, whatever ended it: false holds the thread,
 * which neither sleeps nor runs, until sim_thread_release. Only then may
 * `awake` wake others itself; it may be called in event context. `gone` is
 * told of the end of the running thread. Any may be NULL.
 */
struct sim_sched_ops {
	void (*sleeping)(void *ctx, struct sim_thread *td, int priority);
	bool (*awake)(void *ctx, struct sim_thread *td);
	void (*gone)(void *ctx, struct sim_thread *td);
};
/* ops NULL: none any more. */
void sim_set_sched(struct sim *sim, const struct sim_sched_ops *ops, void *ctx);
bool sim_thread_is_held(const struct sim_thread *td);
/* A held thread becomes runnable; false: it is not held. */
bool sim_thread_release(struct sim *sim, struct sim_thread *td);

/*
 * sim_spend: the running context uses that many cycles of its CPU. No other
 * thread runs meanwhile and no event is taken (one kernel section is atomic).
 */
void sim_spend(struct sim *sim, uint64_t cycles);
/*
 * sim_preempt_point: take due events; if a thread of a better priority group
 * is runnable, let it run first (FreeBSD 11's lock-drop points). Returns
 * whether another thread ran.
 */
bool sim_preempt_point(struct sim *sim);
/* Has the running thread used up its round-robin slice? */
bool sim_slice_ended(const struct sim *sim);
/* Give way to runnable threads of the same or a better priority. */
bool sim_yield(struct sim *sim);
/*
 * sim_user_horizon: how many cycles the running thread may execute in user
 * mode before the machine wants the CPU back (next event, another CPU's
 * turn, end of its slice with a rival waiting). 0: call sim_preempt_point.
 */
uint64_t sim_user_horizon(struct sim *sim);

/*
 * sim_run: dispatch threads and events until a thread or event calls
 * sim_stop, or nothing can ever run again.
 */
enum sim_run_result {
	SIM_STOPPED, /* by sim_stop */
	SIM_DEADLOCK, /* nothing is runnable and no event is scheduled */
	SIM_UNTIL, /* sim_run_until: what is left lies beyond `until` */
	SIM_ABANDONED, /* by sim_abandon_current */
};
enum sim_run_result sim_run(struct sim *sim);
/* As sim_run, but also return when no runnable thread is left and no event is
 * due at or before `until` (the clock is then at `until`). A thread that never
 * sleeps keeps it running: for a hard limit let an event call sim_stop.
 * Running in such steps instead of at once changes nothing. */
enum sim_run_result sim_run_until(struct sim *sim, sim_time_t until);
/* Takes effect when the running thread next sleeps, exits or comes to a
 * preemption point, or after the running event. Safe in signal handlers; a
 * stop asked for outside sim_run ends the next one at once. */
void sim_stop(struct sim *sim);
/*
 * sim_abandon_current: end the running thread where it stands, or the running
 * event, and return SIM_ABANDONED from sim_run, which may be called again.
 * For panic handlers that expect the panic. Its stack is recycled; what it
 * allocated is its own affair.
 */
void sim_abandon_current(struct sim *sim) __attribute__((noreturn));
/* Idle cycles of all CPUs so far, and of one. */
uint64_t sim_idle_cycles(const struct sim *sim);
uint64_t sim_cpu_idle_cycles(const struct sim *sim, uint32_t cpu);
/* How often a CPU took up another thread than the one before. */
uint64_t sim_context_switches(const struct sim *sim);
/* Cycles spent by events (and, with one CPU, outside sim_run). With the idle
 * cycles and the threads' they add up to the CPUs' clocks. */
uint64_t sim_event_cycles(const struct sim *sim);
/* Charged to the new thread whenever a CPU changes threads; 0 at first. */
void sim_set_context_switch_cost(struct sim *sim, uint64_t cycles);
/* The round-robin slice, in cycles, of threads that begin one from now on. */
void sim_set_quantum(struct sim *sim, uint64_t cycles);
uint64_t sim_quantum(const struct sim *sim);

/* Seen by conformance drivers: every sleep and wakeup of the simulation. */
struct sim_trace_ops {
	void (*sleep)(void *ctx, struct sim_thread *td, const void *chan,
	    int priority, const char *wmesg, uint64_t timeout);
	void (*wakeup)(void *ctx, const void *chan);
};
void sim_set_trace(struct sim *sim, const struct sim_trace_ops *ops, void *ctx);

/*
 * What watched threads do, at every change: waiting for a CPU, on one, asleep
 * on wmesg, held though their sleep is over. `when` may lie before the change
 * before it when another CPU's clock is behind. The watcher changes nothing of
 * the simulation.
 */
enum sim_doing { SIM_READY, SIM_RUNNING, SIM_SLEEPING, SIM_HELD };
typedef void sim_watch_fn(void *ctx, void *cookie, enum sim_doing doing,
    const char *wmesg, sim_time_t when);
void sim_set_watch(struct sim *sim, sim_watch_fn *fn, void *ctx);
/* Watch td from now on; NULL: no more. */
void sim_thread_watch(struct sim_thread *td, void *cookie);

/* Called after every event, in its context (invariant checkers). NULL: none. */
typedef void sim_event_hook_fn(void *ctx);
void sim_set_event_hook(struct sim *sim, sim_event_hook_fn *fn, void *ctx);

/* All threads in order of creation, for listings: NULL at the end. */
struct sim_thread *sim_thread_next(const struct sim *sim,
    const struct sim_thread *td);

/* ------------------------------------------------------------ randomness */

/* xoshiro256**, seeded by SplitMix64 from (rng_seed, FNV-1a of the name). */
struct sim_rng {
	uint64_t s[4];
};
void sim_rng_init(struct sim_rng *rng, uint64_t rng_seed, const char *purpose);
uint64_t sim_rng_next(struct sim_rng *rng);
/* Uniform in [0, bound), without bias; bound > 0. */
uint64_t sim_rng_below(struct sim_rng *rng, uint64_t bound);
/* True with probability ppm / 1,000,000. */
bool sim_rng_chance(struct sim_rng *rng, uint32_t ppm);
uint64_t sim_rng_seed(const struct sim *sim);

/* ------------------------------------------------------------ panic */

/*
 * A broken invariant. Prints the message, simulated time, running thread,
 * event, rng_seed and the registered context dumps, then aborts; unless a
 * handler is set (conformance runs: the seed's own panics are expected
 * results), which must not return to the panicking context.
 */
void sim_panic(struct sim *sim, const char *file, int line, const char *func,
    const char *fmt, ...)
    __attribute__((noreturn, cold, format(printf, 5, 6)));
typedef void sim_panic_fn(void *ctx, const char *file, int line,
    const char *func, const char *message);
void sim_set_panic_handler(struct sim *sim, sim_panic_fn *fn, void *ctx);

/*
 * The host gives no more memory in the middle of a run ("a map entry", with
 * arguments as printf): the handler puts away what is not whole, one line
 * says so, and the process ends with EX_OSERR. sim may be NULL.
 */
void sim_nomem(struct sim *sim, const char *what, ...)
    __attribute__((noreturn, cold, format(printf, 2, 3)));
typedef void sim_nomem_fn(void *ctx);
void sim_set_nomem_handler(struct sim *sim, sim_nomem_fn *fn, void *ctx);

typedef void sim_dump_fn(void *ctx, void *file /* FILE * */);
void sim_add_dump(struct sim *sim, const char *name, sim_dump_fn *fn,
    void *ctx);

/* KASSERT(sim, queue == PQ_NONE, ("page %u on queue %d", pfn, queue)); */
#define SIM_UNPAREN(...) __VA_ARGS__
#define KASSERT(sim, cond, msg)                                        \
	do {                                                           \
		if (__builtin_expect(!(cond), 0))                      \
			sim_panic((sim), __FILE__, __LINE__, __func__, \
			    SIM_UNPAREN msg);                          \
	} while (0)

/* ------------------------------------------------------------ user errors */

/* Text of an error that the user can mend: what, where, remedy; one line. */
struct sim_err {
	char text[512];
};
/* Fills err (may be NULL) and returns -errnum. */
int sim_err_set(struct sim_err *err, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* VMSIM_SIM_BASE_SIM_H */
