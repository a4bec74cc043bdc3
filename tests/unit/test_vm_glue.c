/*
 * test_vm_glue.c: goal: whole processes are swapped out and in at the right
 * time, with nothing lost, and the bookkeeping behind it is 4BSD's. Method:
 * several processes, each with a simulated thread that keeps its own values
 * in memory and sleeps, beside one that wants all the memory; the VM's events
 * are recorded and compared with what the threads saw.
 */
#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/vm_glue.h"
#include "vmcore/bsd/vm_pageout.h"

#define WORKERS 80
#define EVENTS 20000
#define MS 1000000ull /* cycles: 1 GHz */
#define SECOND (1000 * MS)

struct world;

struct worker {
	struct world *w;
	struct proc *p;
	struct thread *td;
	struct vmspace *vs;
	void (*body)(struct worker *me);
	int index;
	int chan; /* only its address matters */
	uint64_t count;
	sim_time_t asleep, awake; /* of the last sleep */
	uint32_t nswap; /* at its end */
	bool done, killed;
};

struct world {
	struct rig r;
	struct worker worker[WORKERS];
	int nworkers, left, idle_left;
	struct vm_event_record event[EVENTS];
	uint32_t nevents;
	uint32_t outs, ins; /* calls of the machine's callback */
	uint32_t frames;
	uint64_t hash; /* of all transitions and events */
};

/* ------------------------------------------------------------ the world */

static void
world_hash(struct world *w, uint64_t v)
{
	w->hash = (w->hash ^ v) * 0x100000001b3ull;
}

static void
on_event(void *ctx, const struct vm_event_record *e)
{
	struct world *w = ctx;

	world_hash(w, e->when ^ (uint64_t)e->kind << 56 ^ (uint64_t)e->b);
	if (e->kind != VME_SWAP_OUT && e->kind != VME_SWAP_IN &&
	    e->kind != VME_SWAP_IN_REQ)
		return;
	ck_assert_uint_lt(w->nevents, EVENTS);
	w->event[w->nevents++] = *e;
}

static void
on_transition(void *ctx, const struct vm_transition *t)
{
	struct world *w = ctx;

	world_hash(w, t->when ^ (uint64_t)t->page << 32 ^
	    (uint64_t)t->reason << 56 ^ t->to);
}

static void
on_swapped(void *ctx, struct proc *p, bool out)
{
	struct world *w = ctx;

	ck_assert_int_eq(vm_proc_in_memory(p), !out);
	if (out)
		w->outs++;
	else
		w->ins++;
}

/* Out of memory: its thread shall end when it runs next. */
static void
on_kill(void *ctx, struct proc *p, const char *why)
{
	struct world *w = ctx;
	int i;

	(void)why;
	for (i = 0; i < w->nworkers; i++)
		if (w->worker[i].p == p)
			w->worker[i].killed = true;
}

static const struct vm_trace_ops trace_ops = {
	.transition = on_transition,
	.event = on_event,
};
static const struct vm_up_ops up_ops = {
	.kill = on_kill,
	.swapped = on_swapped,
};

static struct world *
world_create(uint32_t frames, uint32_t ncpus)
{
	struct world *w = calloc(1, sizeof(*w));
	struct vm_config vc = { .kernel = "bsd" };
	struct sim_config sc = { .rng_seed = 1, .ncpus = ncpus };
	struct rig *r = &w->r;
	struct sim_err err;

	w->frames = frames;
	w->hash = 0xcbf29ce484222325ull;
	r->sim = sim_create(&sc);
	r->mmu = mmu_create(r->sim, frames);
	r->ts = tunables_create();
	r->vm = vm_create(r->sim, r->mmu, r->ts, &vc, &err);
	ck_assert_msg(r->vm != NULL, "%s", err.text);
	r->fs = rig_disk(r->sim, "fs0", &r->fs_params, 1u << 22, false);
	r->swap = rig_disk(r->sim, "sw0", &r->swap_params, 8 * 8192, true);
	ck_assert_int_eq(vm_add_swap(r->vm, r->swap, 0, 8 * 8192, &err), 0);
	vm_set_trace(r->vm, &trace_ops, w);
	vm_set_up_ops(r->vm, &up_ops, w);
	return (w);
}

static void
world_destroy(struct world *w)
{
	rig_destroy(&w->r);
	free(w);
}

static void
worker_main(void *arg)
{
	struct worker *me = arg;
	struct world *w = me->w;
	struct vm *vm = w->r.vm;

	me->body(me);
	me->nswap = vm_proc_nswap(me->p);
	vm_proc_exit(vm, me->p);
	vm_thread_free(vm, me->td);
	vm_proc_free(vm, me->p);
	me->done = true;
	if (--w->left == 0)
		sim_stop(w->r.sim);
	sim_thread_exit(w->r.sim);
}

/* Another process with one thread. Before the run, or in one of its threads. */
static struct worker *
worker_start(struct world *w, void (*body)(struct worker *me))
{
	struct worker *me = &w->worker[w->nworkers];
	struct sim_thread *st;

	ck_assert_int_lt(w->nworkers, WORKERS);
	*me = (struct worker) { .w = w, .body = body, .index = w->nworkers++ };
	w->left++;
	me->vs = vmspace_alloc(w->r.vm, RIG_MIN, RIG_MAX);
	me->p = vm_proc_new(w->r.vm, 100 + me->index, "worker", me->vs, NULL);
	me->td = vm_thread_new(w->r.vm, me->p, 100 + me->index, NULL);
	st = sim_thread_create(w->r.sim, "worker", PUSER, worker_main, me);
	vm_thread_start(w->r.vm, me->td, st);
	return (me);
}

/* Everything has been given back. */
static void
world_run(struct world *w)
{
	ck_assert_int_eq(sim_run(w->r.sim), SIM_STOPPED);
	vm_check_all(w->r.vm);
	ck_assert_uint_eq(vm_stat(w->r.vm, "vm.kernel_objects"), 0);
	ck_assert_uint_eq(vm_stat(w->r.vm, "vm.objects"), 0);
	ck_assert_uint_eq(vm_stat(w->r.vm, "vm.procs_out"), 0);
	ck_assert_uint_eq(vm_stat(w->r.vm, "v_wire_count"), 0);
	ck_assert_uint_eq(vm_stat(w->r.vm, "vm.proc_swapouts"), w->outs);
	ck_assert_uint_eq(vm_stat(w->r.vm, "vm.proc_swapins"), w->ins);
	ck_assert_uint_eq(vm_swap_free(w->r.vm), vm_swap_total(w->r.vm));
}

/* ------------------------------------------------------------ bodies */

static void
user_step(struct worker *me, uint64_t cycles)
{
	struct world *w = me->w;

	vm_userret(w->r.vm);
	sim_user_return(w->r.sim);
	while (sim_user_horizon(w->r.sim) == 0)
		(void)sim_preempt_point(w->r.sim);
	sim_spend(w->r.sim, cycles);
	(void)sim_preempt_point(w->r.sim);
}

static int
sleep_at(struct worker *me, int priority, uint64_t cycles)
{
	int why;

	me->asleep = sim_now(me->w->r.sim);
	why = sim_sleep(me->w->r.sim, &me->chan, priority, "idle", cycles);
	me->awake = sim_now(me->w->r.sim);
	ck_assert(vm_proc_in_memory(me->p));
	vm_userret(me->w->r.vm);
	sim_user_return(me->w->r.sim);
	return (why);
}

static uint64_t
value_of(const struct worker *me, uint64_t i)
{
	return ((uint64_t)me->index << 32 ^ (i * 0x9e3779b97f4a7c15ull));
}

#define OWN_PAGES 24

static void
own_pages_store(struct worker *me)
{
	struct rig *r = &me->w->r;
	uint64_t i;

	rig_anon(r, me->vs, RIG_BASE, OWN_PAGES);
	for (i = 0; i < OWN_PAGES; i++)
		rig_store(r, me->vs, RIG_BASE + i * PAGE_SIZE,
		    value_of(me, i));
}

static void
own_pages_verify(struct worker *me)
{
	uint64_t i;

	for (i = 0; i < OWN_PAGES; i++)
		ck_assert_uint_eq(rig_load(&me->w->r, me->vs,
		    RIG_BASE + i * PAGE_SIZE), value_of(me, i));
}

/* Sleeps 25 s twice, and has everything when it wakes. */
static void
body_idle(struct worker *me)
{
	int i;

	own_pages_store(me);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(sleep_at(me, PWAIT, 25 * SECOND),
		    SIM_TIMEOUT);
		own_pages_verify(me);
	}
	me->w->idle_left--;
}

/* Twice the memory, over and over, until the idle ones are through. */
static void
body_hog(struct worker *me)
{
	struct world *w = me->w;
	struct rig *r = &w->r;
	uint64_t pages = 2 * w->frames, i, j;

	rig_anon(r, me->vs, RIG_BASE, pages);
	for (i = 0; w->idle_left > 0; i++) {
		j = i % pages;
		if (i >= pages)
			ck_assert_uint_eq(rig_load(r, me->vs,
			    RIG_BASE + j * PAGE_SIZE), value_of(me, j));
		rig_store(r, me->vs, RIG_BASE + j * PAGE_SIZE,
		    value_of(me, j));
		if (i % 512 == 0)
			vm_check_all(r->vm);
		user_step(me, MS / 10);
	}
	me->count = i;
}

/* Sleeps once, for as long as count says, ms. */
static void
body_nap(struct worker *me)
{
	own_pages_store(me);
	(void)sleep_at(me, PWAIT, me->count * MS);
	own_pages_verify(me);
	me->w->idle_left--;
}

/* ------------------------------------------------------------ the case */

/* Event number `from` or a later one, of this kind and process. */
static const struct vm_event_record *
find_event(const struct world *w, uint32_t *from, enum vm_event_kind kind,
    int32_t pid)
{
	for (; *from < w->nevents; ++*from)
		if (w->event[*from].kind == kind && w->event[*from].pid == pid)
			return (&w->event[(*from)++]);
	return (NULL);
}

/*
 * Out after the threshold, asked for when the sleep was over, in before the
 * thread runs.
 */
static void
check_story(const struct world *w, const struct worker *me)
{
	const struct vm_event_record *out, *req, *in;
	uint32_t i = 0, times = 0;

	while ((out = find_event(w, &i, VME_SWAP_OUT, 100 + me->index)) !=
	    NULL) {
		times++;
		ck_assert_int_eq(out->b, VM_SWAP_NORMAL);
		ck_assert_int_le(out->a, OWN_PAGES);
		req = find_event(w, &i, VME_SWAP_IN_REQ, 100 + me->index);
		ck_assert_ptr_nonnull(req);
		in = find_event(w, &i, VME_SWAP_IN, 100 + me->index);
		ck_assert_ptr_nonnull(in);
		ck_assert_uint_le(out->when, req->when);
		ck_assert_uint_le(req->when, in->when);
		ck_assert_int_ge(in->a, 0);
		ck_assert_int_le(in->a, 3);
		ck_assert_uint_ge((uint64_t)in->b, (uint64_t)in->a * MS);
		/* seconds out, as the scheduler counts them */
		ck_assert_int_le(req->a, (int64_t)((req->when - out->when) /
		    SECOND) + 1);
		if (i == w->nevents || in->when > me->asleep) {
			ck_assert_uint_ge(out->when,
			    me->asleep + 2 * SECOND);
			ck_assert_uint_ge(me->awake, in->when);
		}
	}
	ck_assert_uint_eq(times, me->nswap);
	ck_assert_uint_ge(times, 2);
}

START_TEST(eight_idle_processes_and_a_hog)
{
	struct world *w = world_create(600, 1);
	int i;

	rig_boot(&w->r);
	w->idle_left = 8;
	for (i = 0; i < 8; i++)
		worker_start(w, body_idle);
	worker_start(w, body_hog);
	world_run(w);
	for (i = 0; i < 8; i++)
		check_story(w, &w->worker[i]);
	ck_assert_uint_eq(w->worker[8].nswap, 0);
	world_destroy(w);
}
END_TEST

START_TEST(out_at_two_seconds_not_before)
{
	struct world *w = world_create(600, 1);
	struct worker *shortly, *longer;

	rig_boot(&w->r);
	w->idle_left = 2;
	shortly = worker_start(w, body_nap);
	longer = worker_start(w, body_nap);
	worker_start(w, body_hog);
	shortly->count = 1500;
	longer->count = 8000;
	world_run(w);
	ck_assert_uint_eq(shortly->nswap, 0);
	ck_assert_uint_eq(longer->nswap, 1);
	world_destroy(w);
}
END_TEST

START_TEST(thresholds_and_switches_count)
{
	struct world *w = world_create(600, 1);
	int i;

	rig_set(&w->r, "vm.swap_idle_threshold1", "7");
	rig_boot(&w->r);
	w->idle_left = 2;
	for (i = 0; i < 2; i++)
		worker_start(w, body_nap)->count = 6000 + 6000 * (uint64_t)i;
	worker_start(w, body_hog);
	world_run(w);
	ck_assert_uint_eq(w->worker[0].nswap, 0);
	ck_assert_uint_eq(w->worker[1].nswap, 1);
	world_destroy(w);

	w = world_create(600, 1);
	rig_set(&w->r, "vm.swap_enabled", "0");
	rig_boot(&w->r);
	w->idle_left = 1;
	worker_start(w, body_nap)->count = 9000;
	worker_start(w, body_hog);
	world_run(w);
	ck_assert_uint_eq(w->outs, 0);
	world_destroy(w);
}
END_TEST

/* G-2: with memory to spare, more than ten seconds. */
START_TEST(idle_swapping_needs_more_than_ten_seconds)
{
	struct world *w = world_create(600, 1);
	const struct vm_event_record *out;
	uint32_t i = 0;

	rig_set(&w->r, "vm.swap_idle_enabled", "1");
	rig_boot(&w->r);
	w->idle_left = 2;
	worker_start(w, body_nap)->count = 10900;
	worker_start(w, body_nap)->count = 30000;
	world_run(w);
	ck_assert_uint_eq(w->worker[0].nswap, 0);
	ck_assert_uint_eq(w->worker[1].nswap, 1);
	out = find_event(w, &i, VME_SWAP_OUT, 101);
	ck_assert_int_eq(out->b, VM_SWAP_IDLE);
	ck_assert_uint_ge(out->when, w->worker[1].asleep + 10 * SECOND);
	ck_assert_uint_le(out->when, w->worker[1].asleep + 13 * SECOND);
	/* its pages were all given up in between */
	ck_assert_uint_ge(w->worker[1].awake, 30 * SECOND);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ who stays */

static void
body_nap_at_pvm(struct worker *me)
{
	own_pages_store(me);
	(void)sleep_at(me, PVM, 9 * SECOND);
	me->w->idle_left--;
}

static void
body_nap_held(struct worker *me)
{
	me->p->p_lock++;
	body_nap(me);
	vm_proc_release(me->w->r.vm, me->p);
}

static void
body_nap_traced(struct worker *me)
{
	me->p->p_flag |= P_TRACED;
	body_nap(me);
}

static void
body_nap_realtime(struct worker *me)
{
	me->td->td_ksegrp->kg_pri_class = PRI_REALTIME | PRI_FIFO_BIT;
	body_nap(me);
}

static void
body_nap_map_locked(struct worker *me)
{
	vm_map_lock(me->w->r.vm, &me->vs->vm_map);
	(void)sleep_at(me, PWAIT, 9 * SECOND);
	vm_map_unlock(me->w->r.vm, &me->vs->vm_map);
	me->w->idle_left--;
}

/* Waits for a lock that somebody keeps: no sleep to vm_glue. */
static void
body_wait_for_map(struct worker *me)
{
	struct vmspace *other = me->w->worker[0].vs;

	vmspace_ref(other);
	vm_map_lock(me->w->r.vm, &other->vm_map);
	ck_assert_uint_ge(sim_now(me->w->r.sim), 9 * SECOND);
	vm_map_unlock(me->w->r.vm, &other->vm_map);
	vmspace_free(me->w->r.vm, other);
	me->w->idle_left--;
}

START_TEST(some_processes_stay)
{
	void (*const bodies[])(struct worker *me) = { body_nap_map_locked,
		body_wait_for_map, body_nap_at_pvm, body_nap_held,
		body_nap_traced, body_nap_realtime };
	struct world *w = world_create(600, 1);
	struct worker *goes;
	int i;

	rig_boot(&w->r);
	for (i = 0; i < 6; i++)
		worker_start(w, bodies[i])->count = 9000;
	goes = worker_start(w, body_nap);
	goes->count = 9000;
	w->idle_left = 7;
	worker_start(w, body_hog);
	world_run(w);
	for (i = 0; i < 6; i++)
		ck_assert_msg(w->worker[i].nswap == 0, "process %d", i);
	ck_assert_uint_eq(goes->nswap, 1);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ coming back */

static void
wake_later(void *arg, sim_time_t when)
{
	struct worker *me = arg;

	(void)when;
	sim_wakeup(me->w->r.sim, &me->chan);
}

/* Out at about 3 s, woken at 20 s: the swapper brings it in at once. */
START_TEST(a_wakeup_brings_the_process_in)
{
	struct world *w = world_create(600, 1);
	const struct vm_event_record *e;
	struct sim_event ev;
	struct worker *me;
	uint32_t i = 0;

	rig_set(&w->r, "vm.swap_idle_enabled", "1");
	rig_boot(&w->r);
	me = worker_start(w, body_nap);
	me->count = 1000000;
	sim_event_init(&ev, "wake", 0, wake_later, me);
	sim_event_at(w->r.sim, &ev, 20 * SECOND);
	world_run(w);
	ck_assert_uint_eq(me->nswap, 1);
	e = find_event(w, &i, VME_SWAP_IN_REQ, 100);
	ck_assert_uint_eq(e->when, 20 * SECOND);
	e = find_event(w, &i, VME_SWAP_IN, 100);
	ck_assert_uint_lt(e->when, 20 * SECOND + 50 * MS);
	ck_assert_uint_ge(me->awake, e->when);
	ck_assert_uint_lt(me->awake, 20 * SECOND + 50 * MS);
	world_destroy(w);
}
END_TEST

/* Holds worker 0's process, which is out, at 20 s, as others do. */
static void
body_holder(struct worker *me)
{
	struct proc *p = me->w->worker[0].p;

	(void)sleep_at(me, PVM, 20 * SECOND - sim_now(me->w->r.sim));
	ck_assert(me->index != 1 || !vm_proc_in_memory(p));
	vm_proc_hold(me->w->r.vm, p);
	ck_assert(vm_proc_in_memory(p));
	me->awake = sim_now(me->w->r.sim);
	(void)sim_sleep(me->w->r.sim, &me->chan, PVM, "holding", SECOND);
	vm_proc_release(me->w->r.vm, p);
}

static void
body_pusher(struct worker *me)
{
	struct world *w = me->w;
	uint64_t pages = w->frames, i;

	(void)sleep_at(me, PVM, 14 * SECOND);
	rig_anon(&w->r, me->vs, RIG_BASE, pages);
	for (i = 0; i < pages; i++)
		rig_store(&w->r, me->vs, RIG_BASE + i * PAGE_SIZE, i);
}

/* Its thread sleeps on while it is in; nobody swaps it in twice. */
START_TEST(several_may_want_it_in_at_once)
{
	struct world *w = world_create(600, 1);
	const struct vm_event_record *in;
	uint32_t i = 0;
	int k;

	rig_set(&w->r, "vm.swap_idle_enabled", "1");
	rig_boot(&w->r);
	worker_start(w, body_nap)->count = 20500; /* while it is held */
	for (k = 0; k < 3; k++)
		worker_start(w, body_holder);
	worker_start(w, body_pusher); /* so that its pages must be read */
	world_run(w);
	ck_assert_uint_eq(w->worker[0].nswap, 1);
	ck_assert_uint_eq(w->ins, 1);
	in = find_event(w, &i, VME_SWAP_IN, 100);
	ck_assert_int_eq(in->a, 3);
	for (k = 1; k < 4; k++)
		ck_assert_uint_ge(w->worker[k].awake, in->when);
	world_destroy(w);
}
END_TEST

/* A process is not gone while somebody holds it. */
static void
body_short_lived(struct worker *me)
{
	own_pages_store(me);
	(void)sleep_at(me, PWAIT, 10 * MS);
}

static void
body_long_holder(struct worker *me)
{
	struct proc *p = me->w->worker[0].p;

	vm_proc_hold(me->w->r.vm, p);
	(void)sleep_at(me, PVM, SECOND);
	ck_assert(!me->w->worker[0].done);
	ck_assert_int_eq(p->p_state, PRS_ZOMBIE);
	vm_proc_release(me->w->r.vm, p);
}

START_TEST(a_held_process_cannot_end)
{
	struct world *w = world_create(600, 1);

	rig_boot(&w->r);
	worker_start(w, body_short_lived);
	worker_start(w, body_long_holder);
	world_run(w);
	ck_assert_uint_ge(sim_now(w->r.sim), SECOND);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ threads */

struct second_thread {
	struct worker *me;
	struct thread *td;
	sim_time_t awake;
	bool done;
};

static void
second_main(void *arg)
{
	struct second_thread *s = arg;
	struct sim *sim = s->me->w->r.sim;

	(void)sim_sleep(sim, s, PWAIT, "second", 16 * SECOND);
	s->awake = sim_now(sim);
	ck_assert(vm_proc_in_memory(s->me->p));
	vm_thread_free(s->me->w->r.vm, s->td);
	s->done = true;
	sim_wakeup(sim, &s->done);
	sim_thread_exit(sim);
}

/* The first thread sleeps 30 s, the second one 16 s: both go out, and both
 * come back for the one that wakes. */
static void
body_two_threads(struct worker *me)
{
	struct second_thread s = { .me = me };
	struct vm *vm = me->w->r.vm;
	struct sim_thread *st;

	own_pages_store(me);
	s.td = vm_thread_new(vm, me->p, 555, NULL);
	st = sim_thread_create(me->w->r.sim, "second", PUSER, second_main,
	    &s);
	vm_thread_start(vm, s.td, st);
	ck_assert_uint_eq(vm_stat(vm, "v_wire_count"), 5);
	(void)sleep_at(me, PWAIT, 30 * SECOND);
	ck_assert(s.done);
	ck_assert_uint_ge(s.awake, 16 * SECOND);
	ck_assert_uint_lt(s.awake, 17 * SECOND);
	own_pages_verify(me);
}

START_TEST(threads_go_and_come_together)
{
	struct world *w = world_create(600, 1);
	uint32_t i = 0;

	rig_set(&w->r, "vm.swap_idle_enabled", "1");
	rig_boot(&w->r);
	worker_start(w, body_two_threads);
	world_run(w);
	/* out, in for the second, out again, in for the first */
	ck_assert_uint_eq(w->worker[0].nswap, 2);
	ck_assert_int_ge(find_event(w, &i, VME_SWAP_OUT, 100)->a, OWN_PAGES);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ fork */

static void
body_child(struct worker *me)
{
	own_pages_verify(me);
	rig_store(&me->w->r, me->vs, RIG_BASE, 77);
	user_step(me, MS);
}

static void
severe_is_over(void *arg, sim_time_t when)
{
	struct world *w = arg;

	(void)when;
	rig_set(&w->r, "vm.v_free_severe", "10");
	sim_wakeup(w->r.sim, &w->r.vm->cnt.v_free_count);
}

/* As a machine forks: record and thread first, then the address space. */
static void
body_parent(struct worker *me)
{
	struct world *w = me->w;
	struct vm *vm = w->r.vm;
	struct worker *child = &w->worker[w->nworkers];
	struct sim_thread *st;
	struct sim_event ev;

	own_pages_store(me);
	me->p->p_timers = 12;
	me->vs->vm_shm = true;
	*child = (struct worker) { .w = w, .body = body_child };
	w->nworkers++;
	w->left++;
	child->p = vm_proc_new(vm, 200, "child", NULL, me->p);
	child->td = vm_thread_new(vm, child->p, 200, NULL);
	ck_assert_int_eq(child->p->p_state, PRS_NEW);
	rig_set(&w->r, "vm.v_free_severe", "100000");
	sim_event_init(&ev, "severe", 0, severe_is_over, w);
	sim_event_after(w->r.sim, &ev, 100 * MS);
	vm_forkproc(vm, me->td, child->p, child->td, VM_RFPROC);
	ck_assert_uint_ge(sim_now(w->r.sim), 100 * MS);
	child->vs = vm_proc_vmspace(child->p);
	ck_assert_ptr_ne(child->vs, me->vs);
	ck_assert_uint_eq(child->p->p_timers, 12);
	ck_assert(child->vs->vm_shm);
	st = sim_thread_create(w->r.sim, "child", PUSER, worker_main, child);
	vm_thread_start(vm, child->td, st);
	(void)sleep_at(me, PWAIT, SECOND);
	ck_assert(child->done);
	own_pages_verify(me); /* the child's 77 is its own */
}

START_TEST(fork_waits_while_memory_is_severe)
{
	struct world *w = world_create(600, 1);

	rig_boot(&w->r);
	worker_start(w, body_parent);
	world_run(w);
	ck_assert_uint_eq(w->r.vm->cnt.v_forks, 1);
	world_destroy(w);
}
END_TEST

static void
body_rfmem(struct worker *me)
{
	struct vm *vm = me->w->r.vm;
	struct thread *td2;
	struct proc *p2;

	own_pages_store(me);
	p2 = vm_proc_new(vm, 200, "sharer", NULL, me->p);
	td2 = vm_thread_new(vm, p2, 200, NULL);
	vm_forkproc(vm, me->td, p2, td2, VM_RFPROC | VM_RFMEM);
	ck_assert_ptr_eq(vm_proc_vmspace(p2), me->vs);
	ck_assert_int_eq(me->vs->vm_refcnt, 2);
	/* the other goes its own way */
	vm_forkproc(vm, td2, p2, td2, 0);
	ck_assert_ptr_ne(vm_proc_vmspace(p2), me->vs);
	ck_assert_int_eq(me->vs->vm_refcnt, 1);
	vm_thread_free(vm, td2);
	vm_proc_free(vm, p2);
	own_pages_verify(me);
}

START_TEST(an_address_space_is_shared_and_divorced)
{
	struct world *w = world_create(600, 1);

	rig_boot(&w->r);
	worker_start(w, body_rfmem);
	world_run(w);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ access */

static void
body_access(struct worker *me)
{
	struct rig *r = &me->w->r;
	struct vm *vm = r->vm;
	vm_offset_t ro = RIG_BASE + 8 * PAGE_SIZE, a = RIG_BASE;
	uint32_t wired = vm->cnt.v_wire_count;

	rig_anon(r, me->vs, RIG_BASE, 8);
	ck_assert_int_eq(vm_mmap(vm, me->vs, &ro, 2 * PAGE_SIZE, VM_PROT_READ,
	    VM_PROT_READ, VM_MAP_FIXED, NULL, 0), 0);
	ck_assert(useracc(vm, a, 8 * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE));
	ck_assert(useracc(vm, a + 5, 10 * PAGE_SIZE - 5, VM_PROT_READ));
	ck_assert(!useracc(vm, a + 5, 10 * PAGE_SIZE - 5, VM_PROT_WRITE));
	ck_assert(!useracc(vm, a, 10 * PAGE_SIZE + 1, VM_PROT_READ));
	ck_assert(!useracc(vm, RIG_MAX - 1, 2, VM_PROT_READ));
	ck_assert(!useracc(vm, ~0ull, 2, VM_PROT_READ));
	ck_assert(!kernacc(vm, a, 1, VM_PROT_READ));
	/* the kernel's wirings nest, mlock's do not, and they add up */
	vslock(vm, a + 100, 2 * PAGE_SIZE);
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired + 3);
	vslock(vm, a, 1);
	ck_assert_int_eq(vm_mlock(vm, me->vs, a, PAGE_SIZE), 0);
	ck_assert_int_eq(vm_mlock(vm, me->vs, a, PAGE_SIZE), 0);
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired + 3);
	vsunlock(vm, a + 100, 2 * PAGE_SIZE);
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired + 1);
	vsunlock(vm, a, 1);
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired + 1);
	ck_assert_int_eq(vm_munlock(vm, me->vs, a, PAGE_SIZE), 0);
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired);
	vsunlock(vm, a, 1); /* nothing left to take back */
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired);
	vslock(vm, a, 64 * PAGE_SIZE); /* a hole: none is wired */
	ck_assert_uint_eq(vm->cnt.v_wire_count, wired);
	vm_check_all(vm);
}

START_TEST(access_and_wiring)
{
	struct world *w = world_create(600, 1);

	rig_boot(&w->r);
	worker_start(w, body_access);
	world_run(w);
	world_destroy(w);
}
END_TEST

START_TEST(the_first_process_inherits_limits)
{
	struct world *w = world_create(600, 1);
	const struct vm_glue *g;

	rig_boot(&w->r);
	g = w->r.vm->glue;
	/* 600 frames are free when they are set, of at least 512 */
	ck_assert_uint_eq(g->limits.rss_cur, 600 * PAGE_SIZE);
	ck_assert_uint_eq(g->limits.rss_max, UINT64_MAX);
	worker_start(w, body_short_lived);
	ck_assert_uint_eq(w->worker[0].p->p_rss_cur, 600 * PAGE_SIZE);
	world_run(w);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ scheduling */

static void
body_cpu(struct worker *me)
{
	while (sim_now(me->w->r.sim) < 40 * SECOND) {
		user_step(me, MS / 2);
		me->count++;
	}
}

/* Computes a little now and then. */
static void
body_interactive(struct worker *me)
{
	struct sim *sim = me->w->r.sim;
	sim_time_t due;

	while (sim_now(sim) < 40 * SECOND) {
		due = sim_now(sim) + 500 * MS;
		(void)sleep_at(me, PWAIT, 500 * MS);
		user_step(me, MS);
		user_step(me, MS);
		/* the longest it took in all */
		if (sim_now(sim) - due > me->count)
			me->count = sim_now(sim) - due;
		ck_assert_int_le(me->td->td_ksegrp->kg_user_pri, PUSER + 21);
		ck_assert_uint_eq(me->td->td_ksegrp->kg_slptime, 0);
	}
}

START_TEST(equals_share_and_the_interactive_goes_first)
{
	struct world *w = world_create(600, 1);
	struct worker *a, *b, *c, *i;
	uint64_t least;

	rig_boot(&w->r);
	a = worker_start(w, body_cpu);
	b = worker_start(w, body_cpu);
	c = worker_start(w, body_cpu);
	i = worker_start(w, body_interactive);
	world_run(w);
	least = a->count < b->count ? a->count : b->count;
	least = least < c->count ? least : c->count;
	ck_assert_uint_gt(a->count + b->count + c->count, 79000);
	ck_assert_uint_le(a->count, least + least / 50);
	ck_assert_uint_le(b->count, least + least / 50);
	ck_assert_uint_le(c->count, least + least / 50);
	/* never behind a whole slice */
	ck_assert_uint_lt(i->count, 5 * MS);
	world_destroy(w);
}
END_TEST

START_TEST(nice_counts)
{
	struct world *w = world_create(600, 1);
	struct worker *a, *b;

	rig_boot(&w->r);
	a = worker_start(w, body_cpu);
	b = worker_start(w, body_cpu);
	vm_proc_set_nice(w->r.vm, b->p, -1000);
	ck_assert_int_eq(b->p->p_nice, PRIO_MIN);
	ck_assert_int_eq(b->td->td_ksegrp->kg_user_pri, PUSER);
	vm_proc_set_nice(w->r.vm, b->p, 1000);
	ck_assert_int_eq(b->p->p_nice, -PRIO_MIN);
	vm_proc_set_nice(w->r.vm, b->p, 10);
	ck_assert_int_eq(b->td->td_ksegrp->kg_user_pri, PUSER + 30);
	world_run(w);
	ck_assert_uint_gt(a->count, 2 * b->count);
	ck_assert_uint_gt(b->count, 100); /* it does not starve */
	world_destroy(w);
}
END_TEST

static void
body_two_seconds(struct worker *me)
{
	while (sim_now(me->w->r.sim) < 2 * SECOND)
		user_step(me, MS / 2);
}

/* All but the one that runs, which is told when it goes on. */
static void
look_at_priorities(void *arg, sim_time_t when)
{
	const struct world *w = arg;
	const struct thread *td;
	int others = 0;

	(void)when;
	for (int i = 0; i < w->nworkers; i++) {
		td = w->worker[i].td;
		ck_assert_int_ge(td->td_ksegrp->kg_user_pri, PUSER + 20 +
		    td->td_ksegrp->kg_nice);
		others += sim_thread_priority(td->td_sim) !=
		    td->td_ksegrp->kg_user_pri;
	}
	ck_assert_int_le(others, 1);
}

/* More new priorities at once than schedcpu hands on at once. */
START_TEST(all_have_their_new_priorities_each_second)
{
	struct world *w = world_create(2000, 1);
	struct sim_event ev;

	rig_boot(&w->r);
	for (int i = 0; i < 70; i++)
		worker_start(w, body_two_seconds)->td->td_ksegrp->kg_nice = 5;
	sim_event_init(&ev, "look", 0, look_at_priorities, w);
	sim_event_at(w->r.sim, &ev, SECOND + 1);
	world_run(w);
	world_destroy(w);
}
END_TEST

/* slptime, swtime and the decay of estcpu, second by second. */
static void
body_slptime(struct worker *me)
{
	struct ksegrp *kg = me->td->td_ksegrp;
	struct sim *sim = me->w->r.sim;
	uint32_t used;

	while (sim_now(sim) < 4 * SECOND - MS)
		user_step(me, MS / 2);
	ck_assert(!setrunnable(me->w->r.vm, me->td)); /* it runs */
	used = kg->kg_estcpu;
	ck_assert_uint_gt(used, 100);
	ck_assert_int_eq(kg->kg_user_pri, PUSER + 20 + (int)used / 8);
	ck_assert_int_eq(me->td->td_priority, kg->kg_user_pri);
	ck_assert_uint_eq(me->p->p_swtime, 3);
	(void)sleep_at(me, PWAIT, 6 * SECOND);
	/* decayed once in its sleep, the rest made up for at the wakeup */
	ck_assert_uint_lt(kg->kg_estcpu, used / 2);
	ck_assert_uint_eq(kg->kg_slptime, 0);
	ck_assert_uint_eq(me->p->p_swtime, 9);
}

static void
look_at_sleeper(void *arg, sim_time_t when)
{
	struct worker *me = arg;

	(void)when;
	ck_assert_uint_eq(me->td->td_inhibitors, TDI_SLEEPING);
	ck_assert_int_eq(me->td->td_state, TDS_INHIBITED);
	ck_assert(!setrunnable(me->w->r.vm, me->td)); /* asleep */
	ck_assert_int_eq(me->td->td_priority, PWAIT);
	/* it ran in the second that ended at 4 s */
	ck_assert_uint_eq(me->td->td_ksegrp->kg_slptime, 4);
}

START_TEST(seconds_are_counted)
{
	struct world *w = world_create(600, 1);
	struct sim_event ev;
	struct worker *me;

	rig_boot(&w->r);
	me = worker_start(w, body_slptime);
	ck_assert_int_eq(me->td->td_state, TDS_RUNQ);
	sim_event_init(&ev, "look", 0, look_at_sleeper, me);
	sim_event_at(w->r.sim, &ev, 8 * SECOND + 500 * MS);
	world_run(w);
	world_destroy(w);
}
END_TEST

/* Whatever the pieces in which it is used, all of the CPU time is charged. */
static void
body_charged(struct worker *me)
{
	const struct ksegrp *kg = me->td->td_ksegrp;
	struct sim *sim = me->w->r.sim;
	uint64_t used;

	while (sim_now(sim) < SECOND - 20 * MS)
		user_step(me, me->count);
	vm_userret(me->w->r.vm);
	used = sim_thread_cpu_cycles(me->td->td_sim) * 128 * 2048 / SECOND;
	me->count = (uint64_t)kg->kg_estcpu * 2048 + kg->kg_estcpu_frac;
	ck_assert_uint_gt(used, 30 * 2048);
	ck_assert_uint_le(me->count, used);
	ck_assert_uint_ge(me->count, used - 1);
	ck_assert_int_eq(kg->kg_user_pri,
	    PUSER + 20 + (int)kg->kg_estcpu / 8);
}

START_TEST(charges_are_exact)
{
	struct world *w = world_create(600, 1);

	rig_boot(&w->r);
	worker_start(w, body_charged)->count = MS / 7;
	worker_start(w, body_charged)->count = 3 * MS;
	worker_start(w, body_charged)->count = MS;
	world_run(w);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ the end */

/* More than memory and swap together, until it is killed. */
static void
body_leak(struct worker *me)
{
	struct rig *r = &me->w->r;
	uint64_t i;

	(void)sleep_at(me, PVM, 20 * SECOND);
	rig_anon(r, me->vs, RIG_BASE, 12000);
	for (i = 0; i < 12000 && !me->killed; i++) {
		rig_store(r, me->vs, RIG_BASE + i * PAGE_SIZE, i);
		user_step(me, MS / 100);
	}
	ck_assert(me->killed);
	me->count = sim_now(r->sim);
}

/*
 * Fifty processes are out when memory ends. Held one after the other to be
 * measured, they would come in and use up the page daemon's own reserve.
 */
START_TEST(out_of_memory_while_many_are_out)
{
	struct world *w = world_create(600, 1);
	struct worker *leak;
	int i;

	rig_set(&w->r, "vm.swap_idle_enabled", "1");
	rig_boot(&w->r);
	for (i = 0; i < 50; i++)
		worker_start(w, body_nap)->count = 400000;
	leak = worker_start(w, body_leak);
	world_run(w);
	ck_assert_uint_gt(leak->count, 20 * SECOND);
	ck_assert_uint_lt(leak->count, 200 * SECOND);
	for (i = 0; i < 50; i++)
		ck_assert_uint_ge(w->worker[i].nswap, 1);
	world_destroy(w);
}
END_TEST

/* ------------------------------------------------------------ repeating */

static uint64_t
crowd(uint32_t ncpus)
{
	struct world *w = world_create(600, ncpus);
	uint64_t hash;
	int i;

	rig_boot(&w->r);
	w->idle_left = 8;
	for (i = 0; i < 8; i++)
		worker_start(w, body_idle);
	worker_start(w, body_hog);
	worker_start(w, body_cpu);
	world_run(w);
	ck_assert_uint_ge(w->outs, 8);
	hash = w->hash;
	world_destroy(w);
	return (hash);
}

START_TEST(runs_repeat_themselves_on_any_number_of_cpus)
{
	uint64_t one = crowd(1), two = crowd(2), four = crowd(4);

	ck_assert_uint_eq(crowd(1), one);
	ck_assert_uint_eq(crowd(2), two);
	ck_assert_uint_eq(crowd(4), four);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("glue");

	tcase_add_test(tc, eight_idle_processes_and_a_hog);
	tcase_add_test(tc, out_at_two_seconds_not_before);
	tcase_add_test(tc, thresholds_and_switches_count);
	tcase_add_test(tc, idle_swapping_needs_more_than_ten_seconds);
	tcase_add_test(tc, some_processes_stay);
	tcase_add_test(tc, a_wakeup_brings_the_process_in);
	tcase_add_test(tc, several_may_want_it_in_at_once);
	tcase_add_test(tc, a_held_process_cannot_end);
	tcase_add_test(tc, threads_go_and_come_together);
	tcase_add_test(tc, fork_waits_while_memory_is_severe);
	tcase_add_test(tc, an_address_space_is_shared_and_divorced);
	tcase_add_test(tc, access_and_wiring);
	tcase_add_test(tc, the_first_process_inherits_limits);
	tcase_add_test(tc, equals_share_and_the_interactive_goes_first);
	tcase_add_test(tc, nice_counts);
	tcase_add_test(tc, all_have_their_new_priorities_each_second);
	tcase_add_test(tc, seconds_are_counted);
	tcase_add_test(tc, charges_are_exact);
	tcase_add_test(tc, out_of_memory_while_many_are_out);
	tcase_add_test(tc, runs_repeat_themselves_on_any_number_of_cpus);
	return (rig_suite("vm_glue", tc));
}
