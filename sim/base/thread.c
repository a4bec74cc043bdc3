/*
 * thread.c: simulated threads are coroutines, each on a host stack of its
 * own.
 *
 * Interface: sim.h (threads), sim_int.h (sim_enter, sim_block).
 * Source:    our own. makecontext(3) and setcontext(3) enter a stack for the
 *            first time; from then on _setjmp and _longjmp change stacks.
 *            Unlike swapcontext they make no system call, which is most of
 *            the price of a switch.
 *
 * A stack outlives its threads: the outermost frame marks a point of return
 * to which the next thread that gets the stack jumps, whether the one before
 * it finished or was abandoned in mid-sleep.
 *
 * Who gives up the CPU first saves its place, then looks for what is next
 * (sim_choose), which takes due events on this very stack. So an event may be
 * abandoned (a panic handler) without harm to the thread below it.
 */
#undef _FORTIFY_SOURCE /* its longjmp takes another stack for an error */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sim/base/sim_int.h"

#ifdef SIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define NO_ASAN __attribute__((no_sanitize_address))
#else
#define NO_ASAN
#endif

#define STACK_SIZE (512u * 1024)
#define GUARD_SIZE 4096u

/* ------------------------------------------------------------ switching */

/* Tell ASan that we are about to leave for another stack. */
static void
ctx_leaving(struct sim_ctx *from, struct sim_ctx *to)
{
#ifdef SIM_ASAN
	__sanitizer_start_switch_fiber(from->dead ? NULL : &from->fake,
	    to->bottom, to->size);
#else
	(void)from;
	(void)to;
#endif
}

/* Arrived on another stack; the one left may now be reused if it is dead. */
static void
ctx_arrived(struct sim *sim)
{
	struct sim_ctx *left = sim->left;

#ifdef SIM_ASAN
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(sim->host->fake, &bottom, &size);
	if (left == &sim->main) {
		left->bottom = bottom;
		left->size = size;
	}
#endif
	if (left->dead) {
		struct sim_stack *stk = (struct sim_stack *)left;

		left->dead = false;
		SLIST_INSERT_HEAD(&sim->free_stacks, stk, link);
	}
}

/*
 * The outermost frame of a stack. `entry` is passed once by the first thread
 * and jumped to by the later ones; nothing in this frame may change after it.
 */
static void NO_ASAN
stack_main(unsigned int high, unsigned int low)
{
	struct sim_stack *volatile stk = (struct sim_stack *)(
	    (uintptr_t)high << 32 | low);

	(void)_setjmp(stk->entry);
	stk->entered = true;
	ctx_arrived(stk->sim);
	stk->td->fn(stk->td->arg);
	sim_thread_exit(stk->sim);
}

/* Without red zones: setcontext leaves this frame and nobody clears them. */
static void NO_ASAN __attribute__((noreturn, noinline))
stack_enter(struct sim_stack *stk)
{
	ucontext_t uc;

	stk->fresh = false;
#ifdef SIM_ASAN
	/* frames of abandoned threads left their red zones */
	__asan_unpoison_memory_region(stk->ctx.bottom, stk->ctx.size);
	stk->ctx.fake = NULL;
#endif
	if (stk->entered)
		_longjmp(stk->entry, 1);
	if (getcontext(&uc) != 0)
		abort();
	uc.uc_stack.ss_sp = (char *)stk->map + GUARD_SIZE;
	uc.uc_stack.ss_size = STACK_SIZE;
	uc.uc_link = NULL;
	makecontext(&uc, (void (*)(void))stack_main, 2,
	    (unsigned int)((uintptr_t)stk >> 32),
	    (unsigned int)(uintptr_t)stk);
	setcontext(&uc);
	abort();
}

static void __attribute__((noreturn))
ctx_jump(struct sim *sim, struct sim_ctx *to)
{
	struct sim_ctx *from = sim->host;

	sim->left = from;
	sim->host = to;
	if (from != to)
		ctx_leaving(from, to);
	if (to != &sim->main && ((struct sim_stack *)to)->fresh)
		stack_enter((struct sim_stack *)to);
	_longjmp(to->jb, 1);
}

static struct sim_ctx *
ctx_of(struct sim *sim, struct sim_thread *td)
{
	return (td != NULL ? &td->stack->ctx : &sim->main);
}

/*
 * sim_block: the running thread has queued itself somewhere, or is paused on
 * its CPU; returns when it is dispatched again.
 */
void
sim_block(struct sim *sim)
{
	struct sim_ctx *self = sim->host, *to;

	if (_setjmp(self->jb) == 0) {
		to = ctx_of(sim, sim_choose(sim));
		if (to != self)
			ctx_jump(sim, to);
		return;
	}
	if (sim->left != sim->host)
		ctx_arrived(sim);
}

/* sim_enter: run the simulation on behalf of the caller of sim_run. */
enum sim_run_result
sim_enter(struct sim *sim)
{
	struct sim_ctx *to;

	sim->host = &sim->main;
	sim->main.dead = false;
	if (_setjmp(sim->main.jb) == 0) {
		to = ctx_of(sim, sim_choose(sim));
		if (to != &sim->main)
			ctx_jump(sim, to);
		return (sim->result);
	}
	if (sim->left != sim->host)
		ctx_arrived(sim);
	return (sim->result);
}

/* ------------------------------------------------------------ stacks */

static struct sim_stack *
stack_new(struct sim *sim)
{
	struct sim_stack *stk = calloc(1, sizeof(*stk));

	if (stk == NULL)
		return (NULL);
	stk->map = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (stk->map == MAP_FAILED) {
		free(stk);
		return (NULL);
	}
	if (mprotect(stk->map, GUARD_SIZE, PROT_NONE) != 0) {
		munmap(stk->map, GUARD_SIZE + STACK_SIZE);
		free(stk);
		return (NULL);
	}
	stk->sim = sim;
	stk->ctx.bottom = (char *)stk->map + GUARD_SIZE;
	stk->ctx.size = STACK_SIZE;
	SLIST_INSERT_HEAD(&sim->all_stacks, stk, all);
	return (stk);
}

static struct sim_stack *
stack_get(struct sim *sim)
{
	struct sim_stack *stk = SLIST_FIRST(&sim->free_stacks);

	if (stk == NULL)
		stk = stack_new(sim);
	else
		SLIST_REMOVE_HEAD(&sim->free_stacks, link);
	if (stk != NULL)
		stk->fresh = true;
	return (stk);
}

void
sim_stacks_destroy(struct sim *sim)
{
	struct sim_stack *stk;

	while ((stk = SLIST_FIRST(&sim->all_stacks)) != NULL) {
		SLIST_REMOVE_HEAD(&sim->all_stacks, all);
#ifdef SIM_ASAN
		__asan_unpoison_memory_region(stk->ctx.bottom, STACK_SIZE);
#endif
		munmap(stk->map, GUARD_SIZE + STACK_SIZE);
		free(stk);
	}
}

/* ------------------------------------------------------------ life */

uint8_t
sim_pri_clamp(int priority)
{
	if (priority < 0)
		return (0);
	return ((uint8_t)(priority > SIM_PRI_MAX ? SIM_PRI_MAX : priority));
}

struct sim_thread *
sim_thread_create(struct sim *sim, const char *name, int priority,
    sim_thread_fn *fn, void *arg)
{
	struct sim_thread *td = calloc(1, sizeof(*td));

	if (td == NULL)
		return (NULL);
	td->stack = stack_get(sim);
	if (td->stack == NULL) {
		free(td);
		return (NULL);
	}
	td->stack->td = td;
	td->sim = sim;
	td->fn = fn;
	td->arg = arg;
	td->id = ++sim->next_id;
	td->base_pri = td->pri = sim_pri_clamp(priority);
	snprintf(td->name, sizeof(td->name), "%s", name);
	sim_timeout_init(td);
	TAILQ_INSERT_TAIL(&sim->threads, td, all);
	sim_make_runnable(td, false);
	return (td);
}

/* Takes a thread out of every list and frees its record, not its stack. */
void
sim_thread_forget(struct sim_thread *td)
{
	struct sim *sim = td->sim;

	if (td->state == TDS_RUNQ)
		sim_runq_remove(td);
	else if (td->state == TDS_SLEEPING)
		sim_sleepq_remove(td);
	TAILQ_REMOVE(&sim->threads, td, all);
	td->stack->td = NULL;
	free(td);
}

/* The running thread is no more; its stack remains until it is left. */
static void
thread_end(struct sim *sim)
{
	struct sim_thread *td = sim->cur;

	if (sim->sched != NULL && sim->sched->gone != NULL)
		sim->sched->gone(sim->sched_ctx, td);
	sim->cur = NULL;
	sim->tagp = &sim->outside_tag;
	sim->curcpu->td = NULL;
	td->stack->ctx.dead = true;
	sim_thread_forget(td);
}

void
sim_thread_exit(struct sim *sim)
{
	KASSERT(sim, sim->cur != NULL, ("sim_thread_exit without a thread"));
	thread_end(sim);
	ctx_jump(sim, ctx_of(sim, sim_choose(sim)));
}

void
sim_abandon_current(struct sim *sim)
{
	KASSERT(sim, sim->running, ("sim_abandon_current outside sim_run"));
	if (sim->cur != NULL)
		thread_end(sim);
	sim->event = NULL;
	sim->tagp = &sim->outside_tag;
	sim->panicking = false;
	sim->result = SIM_ABANDONED;
	ctx_jump(sim, &sim->main);
}

/* ------------------------------------------------------------ accessors */

struct sim_thread *
sim_curthread(const struct sim *sim)
{
	return (sim->cur);
}

const char *
sim_thread_name(const struct sim_thread *td)
{
	return (td->name);
}

uint32_t
sim_thread_id(const struct sim_thread *td)
{
	return (td->id);
}

/* False: it keeps the priority of a sleep until it returns to user mode. */
static bool
set_base(struct sim_thread *td, int priority)
{
	bool in_kernel = td->pri != td->base_pri;

	td->base_pri = sim_pri_clamp(priority);
	if (in_kernel)
		return (false);
	td->pri = td->base_pri;
	return (true);
}

void
sim_set_priorities(struct sim *sim, struct sim_thread *const *td,
    const int *priority, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)set_base(td[i], priority[i]);
	sim_runq_sort(sim);
}

void
sim_thread_set_priority(struct sim_thread *td, int priority)
{
	if (!set_base(td, priority))
		return;
	if (td->state == TDS_RUNQ && td->queue != sim_pri_queue(td->pri)) {
		sim_runq_remove(td);
		sim_runq_insert(td, false);
	}
}

int
sim_thread_priority(const struct sim_thread *td)
{
	return (td->base_pri);
}

void *
sim_thread_data(const struct sim_thread *td)
{
	return (td->data);
}

void
sim_thread_set_data(struct sim_thread *td, void *data)
{
	td->data = data;
}

void
sim_thread_watch(struct sim_thread *td, void *cookie)
{
	td->watch = td->sim->watch != NULL ? cookie : NULL;
}

uint64_t
sim_thread_cpu_cycles(const struct sim_thread *td)
{
	return (td->cycles);
}

const void *
sim_thread_channel(const struct sim_thread *td)
{
	return (td->chan);
}

const char *
sim_thread_wmesg(const struct sim_thread *td)
{
	return (td->wmesg);
}

struct sim_thread *
sim_thread_next(const struct sim *sim, const struct sim_thread *td)
{
	return (td == NULL ? TAILQ_FIRST(&sim->threads) :
	    TAILQ_NEXT(td, all));
}
