/*
 * sim_int.h: what the files of sim/base share and nobody else sees.
 */
#ifndef VMSIM_SIM_BASE_SIM_INT_H
#define VMSIM_SIM_BASE_SIM_INT_H

#include <setjmp.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "sim/base/sim.h"

#if defined(__SANITIZE_ADDRESS__)
#define SIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_ASAN 1
#endif
#endif

#define SIM_NAME_MAX 32
#define SIM_PRI_MAX 255
#define SIM_NQS 64 /* run queues, four priorities each */
#define SIM_PRI_PER_QUEUE_SHIFT 2
#define SIM_SLEEP_BUCKETS 256
#define SIM_SKEW_US 10 /* how far a CPU in user mode may run ahead */
#define SIM_MAXDUMPS 16

/*
 * A host stack and where it stands: one of a coroutine, or the one on which
 * sim_run was called. `jb` is valid whenever the context is not running.
 */
struct sim_ctx {
	jmp_buf jb;
	const void *bottom; /* lowest usable address; for ASan */
	size_t size; /* bytes */
	void *fake; /* ASan's fake stack while switched out */
	bool dead; /* recycle as soon as it has been left */
};

struct sim_stack {
	struct sim_ctx ctx; /* first: a ctx pointer is a stack pointer */
	jmp_buf entry; /* where the next thread on this stack begins */
	bool entered; /* entry is valid */
	bool fresh; /* its thread has not run yet */
	struct sim_thread *td;
	void *map; /* guard page and stack */
	struct sim *sim;
	SLIST_ENTRY(sim_stack) link; /* free list */
	SLIST_ENTRY(sim_stack) all; /* every stack of the simulation */
};

enum sim_thread_state {
	TDS_RUNQ, /* waiting for a CPU */
	TDS_ONCPU, /* running, or paused at a preemption point */
	TDS_SLEEPING,
	TDS_HELD, /* its sleep is over, but it may not run yet */
};

struct sim_thread {
	struct sim *sim;
	TAILQ_ENTRY(sim_thread) link; /* run queue or sleep bucket */
	TAILQ_ENTRY(sim_thread) all;
	struct sim_stack *stack;
	sim_thread_fn *fn;
	void *arg;
	void *data; /* the owner's */
	void *watch; /* the watcher's cookie; NULL: not watched */
	uint64_t cycles; /* spent on CPUs */
	sim_time_t ready; /* when it became runnable */
	sim_time_t slice_end; /* while TDS_ONCPU */
	uint64_t slice_left; /* while preempted; 0: a new slice */
	const void *chan;
	const char *wmesg;
	struct sim_event timeout;
	uint32_t id;
	uint32_t tag;
	int sleep_result;
	uint8_t state; /* enum sim_thread_state */
	uint8_t base_pri; /* user mode */
	uint8_t pri; /* in force */
	uint8_t queue; /* run queue it is on, TDS_RUNQ */
	bool slice_over; /* rotate at the next preemption point */
	char name[SIM_NAME_MAX];
};

TAILQ_HEAD(sim_threadq, sim_thread);
SLIST_HEAD(sim_stackq, sim_stack);

struct sim_cpu {
	sim_time_t clock;
	struct sim_thread *td; /* on this CPU, NULL: idle */
	uint64_t idle; /* cycles */
	uint32_t last_id; /* thread that ran here last, 0: none */
};

struct sim_dump {
	const char *name;
	sim_dump_fn *fn;
	void *ctx;
};

struct sim {
	struct sim_config cfg; /* defaults filled in */
	uint64_t quantum, skew; /* cycles */
	uint64_t switch_cost; /* cycles */
	uint64_t switches; /* so far */

	/* the context that is executing */
	struct sim_cpu *curcpu; /* never NULL; its clock is sim_now() */
	struct sim_thread *cur; /* NULL: event or outside */
	uint32_t *tagp; /* its reason tag */
	struct sim_event *event; /* being taken, NULL: none */
	uint32_t event_tag, outside_tag;
	bool running; /* inside sim_run */

	/* CPUs and run queues */
	struct sim_cpu *cpus;
	struct sim_cpu *outside; /* where the world outside sim_run stands */
	struct sim_cpu nowhere; /* that, with several CPUs */
	uint64_t runq_bits; /* bit q: runq[q] is not empty */
	struct sim_threadq runq[SIM_NQS];
	struct sim_threadq sleepq[SIM_SLEEP_BUCKETS];
	struct sim_threadq threads; /* all, in order of creation */
	uint32_t next_id;
	uint32_t last_ran; /* id of the thread dispatched last */
	uint64_t turns; /* times another thread was dispatched */
	sim_time_t event_floor; /* start of the last event */
	uint64_t event_cycles; /* spent by events */

	/* sim_run */
	sim_time_t until;
	enum sim_run_result result;
	atomic_bool stop;

	/* host stacks */
	struct sim_ctx main; /* of sim_run's caller */
	struct sim_ctx *host; /* the one we stand on */
	struct sim_ctx *left; /* the one we came from */
	struct sim_stackq free_stacks, all_stacks;

	/* event heap */
	struct sim_event **heap;
	uint32_t nheap, heap_size;
	uint64_t event_seq;

	const struct sim_trace_ops *trace;
	void *trace_ctx;
	const struct sim_sched_ops *sched;
	void *sched_ctx;

	sim_watch_fn *watch;
	void *watch_ctx;

	sim_event_hook_fn *event_hook;
	void *event_hook_ctx;

	sim_panic_fn *panic_fn;
	void *panic_ctx;
	sim_nomem_fn *nomem_fn;
	void *nomem_ctx;
	bool panicking;
	struct sim_dump dumps[SIM_MAXDUMPS];
	uint32_t ndumps;
};

/* event.c */
struct sim_event *sim_event_first(const struct sim *sim);
void sim_event_fire(struct sim *sim);

/* dispatch.c */
struct sim_thread *sim_choose(struct sim *sim);
void sim_make_runnable(struct sim_thread *td, bool head);
void sim_runq_insert(struct sim_thread *td, bool head);
void sim_runq_remove(struct sim_thread *td);
void sim_runq_sort(struct sim *sim);
void sim_sleepq_remove(struct sim_thread *td);
void sim_timeout_init(struct sim_thread *td);

/* thread.c */
enum sim_run_result sim_enter(struct sim *sim);
void sim_block(struct sim *sim);
void sim_thread_forget(struct sim_thread *td);
void sim_stacks_destroy(struct sim *sim);
uint8_t sim_pri_clamp(int priority);

static inline uint32_t
sim_pri_queue(int pri)
{
	return ((uint32_t)pri >> SIM_PRI_PER_QUEUE_SHIFT);
}

static inline void
sim_watched(struct sim_thread *td, enum sim_doing doing, const char *wmesg,
    sim_time_t when)
{
	if (td->watch != NULL)
		td->sim->watch(td->sim->watch_ctx, td->watch, doing, wmesg,
		    when);
}

#endif /* VMSIM_SIM_BASE_SIM_INT_H */
