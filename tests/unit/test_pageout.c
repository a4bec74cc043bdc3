/*
 * The page daemon and the vm daemon on FreeBSD 5's pages, with the real MMU,
 * the real locks and the real clock: what the conformance vectors, which
 * script all of these, cannot reach.
 *
 * Method: a kernel of pages, two objects with a scripted pager and a few
 * threads, built by hand. Races are made by giving a better-priority thread
 * something to do at the very moment at which the scan lets go of a lock; the
 * thread's own view of the locks is asserted there. Queue transitions and
 * events are recorded through the trace interface and compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/suite.h"
#include "vmcore/bsd/vm_pageout.h"

#define FRAMES 256
#define CPU_HZ 1000000
#define TICK (CPU_HZ / 1000) /* cycles, hz 1000 */
#define MOVES 512
#define NOBJ 3

struct rig {
	struct sim *sim;
	struct mmu *mmu;
	struct vm *vm;
	struct tunables *ts;
	struct vm_object obj[NOBJ];
	struct thread td[4];
	struct proc proc[4];
	struct vmspace vs[4];
	struct vm_map_entry entry[4];
	int put_status; /* what the pager answers */
	uint32_t puts, put_pages;
	int put_flags;
	struct vm_transition moves[MOVES];
	uint32_t nmoves;
	struct vm_event_record events[MOVES];
	uint32_t nevents;
	/* of the test under way */
	vm_page_t m[16];
	int chan;
	struct sim_event ev;
	uint32_t ran;
	int result;
	void (*body)(struct rig *r);
	struct vm_pageout_env env;
	struct proc *killed;
};

/* ------------------------------------------------------------ the rig */

static struct rig *
rig_of(struct vm *vm)
{
	return (vm->kernel_private);
}

static void
pager_put(struct vm *vm, vm_object_t object, vm_page_t *mc, int count,
    int flags, int *rtvals)
{
	struct rig *r = rig_of(vm);

	(void)object;
	r->puts++;
	r->put_pages += (uint32_t)count;
	r->put_flags = flags;
	for (int i = 0; i < count; i++) {
		rtvals[i] = r->put_status;
		if (r->put_status == VM_PAGER_OK)
			mc[i]->dirty = 0;
	}
}

static bool
pager_has(struct vm *vm, vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	(void)vm;
	(void)object;
	(void)pindex;
	(void)before;
	(void)after;
	return (false);
}

static const struct vm_pagerops fake_pager = {
	.putpages = pager_put,
	.haspage = pager_has,
};

static void
on_move(void *ctx, const struct vm_transition *t)
{
	struct rig *r = ctx;

	if (r->nmoves < MOVES)
		r->moves[r->nmoves++] = *t;
}

static void
on_event(void *ctx, const struct vm_event_record *e)
{
	struct rig *r = ctx;

	if (r->nevents < MOVES)
		r->events[r->nevents++] = *e;
}

static const struct vm_trace_ops trace = {
	.transition = on_move,
	.event = on_event,
};

static void
on_kill(void *ctx, struct proc *p, const char *why)
{
	struct rig *r = ctx;

	ck_assert_str_eq(why, "out of swap space");
	r->killed = p;
}

static const struct vm_up_ops up = { .kill = on_kill };

static void
rig_object(struct rig *r, int i, enum obj_type type)
{
	struct vm_object *o = &r->obj[i];

	memset(o, 0, sizeof(*o));
	TAILQ_INIT(&o->memq);
	LIST_INIT(&o->shadow_head);
	o->type = (uint8_t)type;
	o->id = (uint32_t)i + 1;
	o->size = 1000;
	o->ref_count = 1;
	o->pagerops = &fake_pager;
	TAILQ_INSERT_TAIL(&r->vm->object_list, o, object_list);
}

static void
rig_open(struct rig *r, uint32_t ndomains)
{
	const struct sim_config cfg = { .cpu_hz = CPU_HZ, .rng_seed = 7 };
	struct sim_err err;
	struct vm *vm;

	memset(r, 0, sizeof(*r));
	r->sim = sim_create(&cfg);
	r->mmu = mmu_create(r->sim, FRAMES);
	r->ts = tunables_create();
	r->vm = vm = calloc(1, sizeof(*vm));
	vm->sim = r->sim;
	vm->mmu = r->mmu;
	vm->kernel_private = r;
	vm->invariants = true;
	vm->hz = 1000;
	vm->up = &up;
	vm->up_ctx = r;
	vm_pmap_mmu_attach(vm);
	TAILQ_INIT(&vm->allproc);
	TAILQ_INIT(&vm->object_list);
	vm->ndomains = ndomains;
	for (uint32_t d = 0; d < ndomains; d++) {
		vm->dom[d].vmd_nsegs = 1;
		vm->dom[d].vmd_seg[0].start = d * FRAMES / ndomains *
		    PAGE_SIZE;
		vm->dom[d].vmd_seg[0].end = (d + 1) * FRAMES / ndomains *
		    PAGE_SIZE;
	}
	vm->boot_pages = 8;
	ck_assert_int_eq(vm_page_startup(vm, &err), 0);
	ck_assert_int_eq(vm_pageout_create(vm), 0);
	ck_assert_int_eq(vm_pageout_tunables(vm, r->ts), 0);
	vm_pageout_init(vm);
	vm->trace = &trace;
	vm->trace_ctx = r;
	for (int i = 0; i < 4; i++) {
		TAILQ_INIT(&r->proc[i].p_threads);
		TAILQ_INIT(&r->proc[i].p_ksegrps);
		r->proc[i].p_state = PRS_NORMAL;
		r->proc[i].p_pid = 100 + i;
		r->proc[i].p_sflag = PS_INMEM;
		r->proc[i].p_rss_cur = r->proc[i].p_rss_max = UINT64_MAX;
		r->proc[i].p_racct_limit = UINT64_MAX;
		r->td[i].td_proc = &r->proc[i];
	}
	vm->pageproc = &r->proc[0];
	rig_object(r, 0, OBJT_SWAP);
	rig_object(r, 1, OBJT_SWAP);
	rig_object(r, 2, OBJT_VNODE);
}

static void
rig_close(struct rig *r)
{
	sim_destroy(r->sim);
	tunables_destroy(r->ts);
	vm_pageout_destroy(r->vm);
	vm_page_shutdown(r->vm);
	mmu_destroy(r->mmu);
	free(r->vm);
}

static void
thread_main(void *arg)
{
	struct rig *r = arg;

	r->body(r);
}

/* Run `fn` in a thread of process i until nothing can run any more. */
static struct sim_thread *
rig_thread(struct rig *r, int i, int priority, sim_thread_fn *fn)
{
	struct sim_thread *st;

	st = sim_thread_create(r->sim, "test", priority, fn, r);
	ck_assert_ptr_nonnull(st);
	sim_thread_set_data(st, &r->td[i]);
	return (st);
}

static void
rig_run(struct rig *r, void (*body)(struct rig *r))
{
	r->body = body;
	(void)rig_thread(r, 0, PVM, thread_main);
	(void)sim_run(r->sim);
}

/* A clean valid page of an object on a queue. */
static vm_page_t
rig_page(struct rig *r, int obj, vm_pindex_t pindex, char queue)
{
	uint32_t n = r->nmoves;
	vm_page_t m;

	m = vm_page_alloc(r->vm, &r->obj[obj], pindex, VM_ALLOC_NORMAL);
	ck_assert_ptr_nonnull(m);
	m->valid = VM_PAGE_BITS_ALL;
	m->dirty = 0;
	vm_page_wakeup(r->vm, m);
	if (queue == 'I')
		vm_page_deactivate(r->vm, m);
	else if (queue == 'A')
		vm_page_activate(r->vm, m);
	r->nmoves = n;
	return (m);
}

static void
rig_want(struct rig *r, uint32_t pages)
{
	r->vm->cnt.v_free_target = vm_page_avail(r->vm) + pages;
}

static char
queue_of(struct rig *r, vm_page_t m)
{
	static const char names[VMQ_COUNT + 1] = "NFCIAHWB";

	return (names[vm_queue_of(r->vm, m, m->queue)]);
}

static void
set(struct rig *r, const char *name, const char *value)
{
	struct sim_err err = { "" };

	ck_assert_msg(tunables_set(r->ts, name, value, &err) == 0, "%s",
	    err.text);
}

static uint32_t
count_events(struct rig *r, enum vm_event_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->nevents; i++)
		n += r->events[i].kind == kind;
	return (n);
}

static void
scan1(struct rig *r)
{
	vm_pageout_scan(r->vm, &r->vm->dom[0], 1);
	r->ran++;
}

/* ------------------------------------------------------------ decisions */

/* Every decision about an inactive page carries its own reason. */
START_TEST(each_decision_has_its_reason)
{
	static const struct {
		enum vm_reason why;
		enum vm_queue to;
	} want[] = {
		{ WHY_INACT_FREE_INVALID, VMQ_FREE },
		{ WHY_INACT_FREE_CLEAN, VMQ_FREE },
		{ WHY_INACT_REFERENCED, VMQ_ACTIVE },
		{ WHY_INACT_DIRTY_FIRST, VMQ_INACTIVE },
		{ WHY_INACT_REFERENCED_UNREF_OBJ, VMQ_INACTIVE },
		{ WHY_LAUNDER_FAILED, VMQ_ACTIVE },
		{ WHY_INACT_SWAP_FORBIDDEN, VMQ_INACTIVE },
		{ WHY_ACTIVE_REFERENCED, VMQ_ACTIVE },
		{ WHY_ACTIVE_DECLINE, VMQ_ACTIVE },
		{ WHY_ACTIVE_DEACTIVATE, VMQ_INACTIVE },
	};
	struct rig r;
	int i;

	rig_open(&r, 1);
	for (i = 0; i < 6; i++)
		r.m[i] = rig_page(&r, i == 4 ? 1 : 0, (vm_pindex_t)i * 3, 'I');
	(void)rig_page(&r, 0, 90, 'I'); /* the last is not reached */
	r.m[0]->valid = 0;
	vm_page_flag_set(r.m[2], PG_REFERENCED);
	r.m[3]->dirty = VM_PAGE_BITS_ALL;
	r.obj[1].ref_count = 0;
	vm_page_flag_set(r.m[4], PG_REFERENCED);
	r.m[5]->dirty = VM_PAGE_BITS_ALL;
	vm_page_flag_set(r.m[5], PG_WINATCFLS);
	r.put_status = VM_PAGER_FAIL;
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.ran, 1);
	/* what became active was aged at once, in the same scan */
	ck_assert_uint_ge(r.nmoves, 6);
	for (i = 0; i < 6; i++) {
		ck_assert_uint_eq(r.moves[i].page, r.m[i]->pfn);
		ck_assert_uint_eq(r.moves[i].reason, want[i].why);
		ck_assert_uint_eq(r.moves[i].to, want[i].to);
	}
	ck_assert_int_eq(r.m[2]->act_count,
	    ACT_INIT + 1 + ACT_ADVANCE - ACT_DECLINE);

	/* forbidden page-outs; then three fates on the active queue */
	r.nmoves = 0;
	set(&r, "vm.disable_swapspace_pageouts", "1");
	vm_page_flag_set(r.m[2], PG_REFERENCED);
	r.m[5]->act_count = 1;
	(void)rig_page(&r, 0, 100, 'A');
	rig_want(&r, 50);
	rig_run(&r, scan1);
	ck_assert_int_eq(queue_of(&r, r.m[3]), 'I');
	for (i = 6; i < 10; i++) {
		uint32_t k;

		for (k = 0; k < r.nmoves; k++) {
			if (r.moves[k].reason == want[i].why)
				break;
		}
		ck_assert_msg(k < r.nmoves, "no move for %s",
		    vm_reason_name(want[i].why));
		ck_assert_uint_eq(r.moves[k].to, want[i].to);
	}
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* Mappings of the real MMU: bits are found, collected and lost as due. */
START_TEST(mappings_decide)
{
	struct rig r;
	struct pmap *pmap;

	rig_open(&r, 1);
	pmap = pmap_create(r.mmu);
	for (int i = 0; i < 4; i++) {
		r.m[i] = rig_page(&r, 0, (vm_pindex_t)i * 3, 'I');
		pmap_enter(pmap, 0x1000u + (vm_offset_t)i * PAGE_SIZE,
		    r.m[i]->pfn, VM_PROT_READ | VM_PROT_WRITE, 0);
		*pmap_pte(pmap, 0x1000u + (vm_offset_t)i * PAGE_SIZE) &=
		    ~PTE_A;
	}
	*pmap_pte(pmap, 0x1000) |= PTE_A; /* 0: referenced */
	*pmap_pte(pmap, 0x2000) |= PTE_M; /* 1: modified */
	(void)rig_page(&r, 0, 90, 'I');
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	rig_run(&r, scan1);
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'A');
	ck_assert(!(*pmap_pte(pmap, 0x1000) & PTE_A));
	ck_assert_int_eq(queue_of(&r, r.m[1]), 'I');
	ck_assert_int_eq(r.m[1]->dirty, VM_PAGE_BITS_ALL);
	ck_assert(r.m[1]->flags & PG_WINATCFLS);
	ck_assert(*pmap_pte(pmap, 0x2000) & PTE_V);
	ck_assert_int_eq(queue_of(&r, r.m[2]), 'F'); /* unmapped, freed */
	ck_assert(!(*pmap_pte(pmap, 0x3000) & PTE_V));
	ck_assert_uint_eq(pmap_resident_count(pmap), 2);
	pmap_remove_pages(pmap);
	pmap_destroy(pmap);
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* A page outside its object is called clean: the change is lost. */
START_TEST(pager_may_call_a_page_bad)
{
	struct rig r;

	rig_open(&r, 1);
	r.m[0] = rig_page(&r, 0, 1, 'I');
	r.m[0]->dirty = VM_PAGE_BITS_ALL;
	vm_page_flag_set(r.m[0], PG_WINATCFLS);
	(void)rig_page(&r, 0, 90, 'I');
	r.put_status = VM_PAGER_BAD;
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.puts, 1);
	ck_assert_int_eq(r.m[0]->dirty, 0);
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'I');
	ck_assert_int_eq(r.obj[0].paging_in_progress, 0);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ races */

static void
wake_chan(void *arg, sim_time_t when)
{
	struct rig *r = arg;

	(void)when;
	(void)sim_wakeup(r->sim, &r->chan);
}

/*
 * A thread owns the page lock (all these pages share one) while the scan
 * wants it. It activates the first page before it lets go.
 */
static void
page_lock_owner(void *arg)
{
	struct rig *r = arg;
	const struct vm_pageout_env *env = &vm_pageout_env_kernel;
	vm_page_t marker;

	env->page_lock(r->vm, r->m[0]);
	(void)sim_sleep(r->sim, &r->chan, PSWP, "owner", SIM_NO_TIMEOUT);
	marker = TAILQ_NEXT(r->m[0], pageq);
	ck_assert_ptr_nonnull(marker);
	ck_assert(marker->flags & PG_MARKER);
	vm_page_activate(r->vm, r->m[0]);
	r->ran++;
	env->page_unlock(r->vm, r->m[0]);
}

START_TEST(scan_waits_for_a_page_lock)
{
	struct rig r;

	rig_open(&r, 1);
	for (int i = 0; i < 3; i++)
		r.m[i] = rig_page(&r, 0, (vm_pindex_t)i * 3, 'I');
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	(void)rig_thread(&r, 1, PSWP, page_lock_owner);
	sim_event_init(&r.ev, "test", 0, wake_chan, &r);
	sim_event_at(r.sim, &r.ev, 500);
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.ran, 2);
	/* moved while waited for: left alone, and not counted as stuck */
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'A');
	ck_assert_int_eq(r.m[0]->act_count, ACT_INIT - ACT_DECLINE);
	ck_assert_int_eq(queue_of(&r, r.m[1]), 'F');
	ck_assert_int_eq(queue_of(&r, r.m[2]), 'F');
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* The owner of the object renames the page that the scan waits for. */
static void
object_lock_owner(void *arg)
{
	struct rig *r = arg;

	vm_object_wlock(r->vm, &r->obj[0]);
	(void)sim_sleep(r->sim, &r->chan, PSWP, "owner", SIM_NO_TIMEOUT);
	ck_assert(TAILQ_NEXT(r->m[0], pageq)->flags & PG_MARKER);
	vm_page_busy(r->vm, r->m[0]);
	vm_page_rename(r->vm, r->m[0], &r->obj[1], 5);
	r->ran++;
	vm_object_wunlock(r->vm, &r->obj[0]);
}

START_TEST(scan_waits_for_an_object_lock)
{
	struct rig r;

	rig_open(&r, 1);
	for (int i = 0; i < 3; i++)
		r.m[i] = rig_page(&r, i, 1, 'I');
	r.obj[2].type = OBJT_SWAP;
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	(void)rig_thread(&r, 1, PSWP, object_lock_owner);
	sim_event_init(&r.ev, "test", 0, wake_chan, &r);
	sim_event_at(r.sim, &r.ev, 500);
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.ran, 2);
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'I');
	ck_assert_ptr_eq(r.m[0]->object, &r.obj[1]);
	ck_assert_int_eq(queue_of(&r, r.m[1]), 'F');
	ck_assert_int_eq(queue_of(&r, r.m[2]), 'F');
	ck_assert_ptr_null(r.obj[0].lock_owner);
	ck_assert_ptr_null(r.obj[1].lock_owner);
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

static void
reader(void *arg)
{
	struct rig *r = arg;

	vm_object_rlock(r->vm, &r->obj[0]);
	r->ran++;
	(void)sim_sleep(r->sim, &r->chan, PUSER, "reads", 5 * TICK);
	vm_object_runlock(r->vm, &r->obj[0]);
}

/* Readers wait for the writer and share; the next writer waits for both. */
static void
writer_first(struct rig *r)
{
	vm_object_wlock(r->vm, &r->obj[0]);
	(void)rig_thread(r, 1, PVM, reader);
	(void)rig_thread(r, 2, PVM, reader);
	(void)sim_sleep(r->sim, &r->body, PVM, "writes", 10 * TICK);
	ck_assert_uint_eq(r->ran, 0);
	vm_object_wunlock(r->vm, &r->obj[0]);
	(void)sim_sleep(r->sim, &r->body, PVM, "lets read", TICK);
	ck_assert_uint_eq(r->ran, 2);
	ck_assert(!vm_object_trywlock(r->vm, &r->obj[0]));
	ck_assert(vm_object_tryrlock(r->vm, &r->obj[0]));
	vm_object_runlock(r->vm, &r->obj[0]);
	vm_object_wlock(r->vm, &r->obj[0]);
	r->result = (int)(sim_now(r->sim) / TICK);
	vm_object_wunlock(r->vm, &r->obj[0]);
}

START_TEST(locks_are_shared_and_exclusive)
{
	struct rig r;

	rig_open(&r, 1);
	rig_run(&r, writer_first);
	ck_assert_int_eq(r.result, 15);
	ck_assert_ptr_null(r.obj[0].lock_owner);
	ck_assert_uint_eq(r.obj[0].lock_readers, 0);
	rig_close(&r);
}
END_TEST

/*
 * A faulting thread gets the CPU where the scan has left its queue (R12 b):
 * it takes the next page of the queue for itself and frees the one after
 * that. The page being looked at is out of its reach.
 */
static void
faulting_thread(void *arg)
{
	struct rig *r = arg;
	const struct vm_pageout_env *env = &vm_pageout_env_kernel;

	(void)sim_sleep(r->sim, &r->chan, PSWP, "fault", SIM_NO_TIMEOUT);
	ck_assert_ptr_eq(TAILQ_NEXT(r->m[0], pageq),
	    &r->vm->dom[0].vmd_marker);
	ck_assert_ptr_null(r->vm->dom[0].vmd_inactive.pq_lock);
	ck_assert(!vm_object_trywlock(r->vm, r->m[0]->object));
	ck_assert(!env->page_trylock(r->vm, r->m[0]));
	vm_object_wlock(r->vm, &r->obj[1]);
	vm_page_activate(r->vm, r->m[1]);
	vm_page_busy(r->vm, r->m[2]);
	vm_page_free(r->vm, r->m[2]);
	vm_object_wunlock(r->vm, &r->obj[1]);
	r->ran++;
}

START_TEST(fault_moves_pages_under_the_scan)
{
	struct rig r;

	rig_open(&r, 1);
	r.vm->cost.scan_page = 1000;
	r.m[0] = rig_page(&r, 0, 1, 'I');
	r.m[1] = rig_page(&r, 1, 1, 'I');
	r.m[2] = rig_page(&r, 1, 2, 'I');
	r.m[3] = rig_page(&r, 0, 9, 'I');
	r.vm->cnt.v_inactive_target = 0;
	rig_want(&r, 50);
	(void)rig_thread(&r, 1, PSWP, faulting_thread);
	sim_event_init(&r.ev, "test", 0, wake_chan, &r);
	sim_event_at(r.sim, &r.ev, 500); /* during the first page's cost */
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.ran, 2);
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'F');
	ck_assert_int_eq(queue_of(&r, r.m[1]), 'A');
	ck_assert_int_eq(queue_of(&r, r.m[2]), 'F');
	ck_assert_int_eq(queue_of(&r, r.m[3]), 'F');
	ck_assert_uint_eq(r.vm->cnt.v_dfree, 2); /* the scan's own */
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* A worse thread must not get the CPU there. */
static void
patient_thread(void *arg)
{
	struct rig *r = arg;

	r->result = (int)r->vm->cnt.v_dfree;
}

START_TEST(worse_threads_do_not_preempt_the_scan)
{
	struct rig r;

	rig_open(&r, 1);
	r.vm->cost.scan_page = 1000;
	for (int i = 0; i < 5; i++)
		(void)rig_page(&r, 0, (vm_pindex_t)i * 3, 'I');
	rig_want(&r, 50);
	r.result = -1;
	(void)rig_thread(&r, 1, PUSER, patient_thread);
	rig_run(&r, scan1);
	ck_assert_int_eq(r.result, 5);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ vnodes */

static int
test_vget(struct vm *vm, vm_object_t object, int lockmode)
{
	struct rig *r = rig_of(vm);

	ck_assert_int_eq(lockmode, LK_EXCLUSIVE);
	ck_assert_ptr_null(object->lock_owner);
	if (r->result == EDEADLK)
		return (EDEADLK);
	(void)sim_sleep(vm->sim, &r->chan, PINOD, "vnlock", 10 * TICK);
	if (r->result == ENXIO)
		vm_page_undirty(r->m[0]); /* somebody else wrote it */
	else if (r->result == EBUSY)
		vm_page_hold(r->m[0]);
	return (0);
}

static void
test_vput(struct vm *vm, vm_object_t object)
{
	(void)vm;
	(void)object;
}

static void
test_reference(struct vm *vm, vm_object_t object)
{
	(void)vm;
	object->ref_count++;
}

static void
test_deallocate(struct vm *vm, vm_object_t object)
{
	(void)vm;
	object->ref_count--;
}

static void
use_test_vnodes(struct rig *r)
{
	r->env = vm_pageout_env_kernel;
	r->env.vget = test_vget;
	r->env.vput = test_vput;
	r->env.object_reference = test_reference;
	r->env.object_deallocate = test_deallocate;
	r->vm->pageout->env = &r->env;
}

/* What may happen while the vnode is waited for, and what becomes of it. */
START_TEST(vnode_wait_is_rechecked)
{
	static const int errors[] = { 0, ENXIO, EBUSY, EDEADLK };

	for (int k = 0; k < 4; k++) {
		struct rig r;

		rig_open(&r, 1);
		use_test_vnodes(&r);
		r.m[0] = rig_page(&r, 2, 1, 'I');
		r.m[0]->dirty = VM_PAGE_BITS_ALL;
		vm_page_flag_set(r.m[0], PG_WINATCFLS);
		(void)rig_page(&r, 0, 9, 'I');
		r.result = errors[k];
		rig_want(&r, 50);
		rig_run(&r, scan1);
		ck_assert_uint_eq(r.ran, 1);
		ck_assert_uint_eq(r.puts, errors[k] == 0);
		ck_assert_int_eq(r.vm->pageout->pageout_lock_miss,
		    errors[k] == EDEADLK);
		ck_assert_int_eq(r.obj[2].ref_count, 1);
		ck_assert_ptr_null(r.obj[2].lock_owner);
		ck_assert_int_eq(queue_of(&r, r.m[0]), 'I');
		rig_close(&r);
	}
}
END_TEST

/* ------------------------------------------------------------ injection */

static void
mixed_pages(struct rig *r)
{
	for (int i = 0; i < 16; i++) {
		r->m[i] = rig_page(r, i % 2, (vm_pindex_t)i * 3,
		    i < 12 ? 'I' : 'A');
		if (i % 3 == 1)
			r->m[i]->dirty = VM_PAGE_BITS_ALL;
		if (i % 4 == 2)
			vm_page_flag_set(r->m[i], PG_REFERENCED);
		if (i == 7)
			vm_page_hold(r->m[i]);
	}
	r->put_status = VM_PAGER_OK;
}

static void
scan12(struct rig *r)
{
	vm_pageout_scan(r->vm, &r->vm->dom[0], 1);
	vm_pageout_scan(r->vm, &r->vm->dom[0], 2);
}

/* With every try failing the scan takes the fall-backs, and decides alike. */
START_TEST(injected_lock_failures_change_nothing)
{
	struct rig r[2];

	for (int k = 0; k < 2; k++) {
		rig_open(&r[k], 1);
		if (k == 1)
			set(&r[k], "inject.lock_fail", "1000000");
		mixed_pages(&r[k]);
		r[k].vm->cnt.v_inactive_target = 5;
		rig_want(&r[k], 9);
		rig_run(&r[k], scan12);
	}
	ck_assert_uint_eq(r[0].nmoves, r[1].nmoves);
	ck_assert_uint_gt(r[0].nmoves, 10);
	for (uint32_t i = 0; i < r[0].nmoves; i++) {
		ck_assert_uint_eq(r[0].moves[i].page, r[1].moves[i].page);
		ck_assert_uint_eq(r[0].moves[i].to, r[1].moves[i].to);
		ck_assert_uint_eq(r[0].moves[i].reason, r[1].moves[i].reason);
	}
	ck_assert_int_eq(memcmp(&r[0].vm->cnt, &r[1].vm->cnt,
	    sizeof(r[0].vm->cnt)), 0);
	rig_close(&r[0]);
	rig_close(&r[1]);
}
END_TEST

/* ------------------------------------------------------------ the loop */

static void
worker_main(void *arg)
{
	struct rig *r = arg;

	vm_pageout_worker(r->vm, 0);
}

static void
ask_for_pages(void *arg, sim_time_t when)
{
	struct rig *r = arg;

	(void)when;
	rig_want(r, 100);
	r->vm->cnt.v_free_min = vm_page_avail(r->vm) + 10;
	r->vm->vm_pageout_wakeup_thresh = (int32_t)r->vm->cnt.v_free_min + 1;
	pagedaemon_wakeup(r->vm);
}

/* Idle once a second; asked: passes 1 and 2 at once, then every hz/2. */
START_TEST(worker_keeps_time)
{
	static const struct {
		sim_time_t ms;
		int64_t pass;
	} want[] = { { 1000, 0 }, { 2000, 0 }, { 2250, 1 }, { 2250, 2 },
		{ 2750, 3 }, { 3250, 4 } };
	struct rig r;
	uint32_t n = 0;

	rig_open(&r, 1);
	set(&r, "vm.pageout_oom_seq", "1000");
	(void)rig_thread(&r, 0, PVM, worker_main);
	sim_event_init(&r.ev, "ask", 0, ask_for_pages, &r);
	sim_event_at(r.sim, &r.ev, 2250 * TICK);
	(void)sim_run_until(r.sim, 3300 * TICK);
	for (uint32_t i = 0; i < r.nevents; i++) {
		if (r.events[i].kind != VME_SCAN)
			continue;
		ck_assert_uint_lt(n, 6);
		ck_assert_uint_eq(r.events[i].when, want[n].ms * TICK);
		ck_assert_int_eq(r.events[i].b, want[n].pass);
		n++;
	}
	ck_assert_uint_eq(n, 6);
	ck_assert_uint_eq(r.vm->cnt.v_pdwakeups, 4);
	ck_assert_uint_eq(count_events(&r, VME_PAGEDAEMON_WAKEUP), 1);

	/* enough memory: the request ends, the pass falls to 0 */
	r.vm->cnt.v_free_min = 0;
	r.vm->vm_pageout_wakeup_thresh = 0;
	(void)sim_run_until(r.sim, 4800 * TICK);
	ck_assert_int_eq(r.vm->vm_pages_needed, 0);
	ck_assert_int_eq(r.vm->dom[0].vmd_pass, 0);
	rig_close(&r);
}
END_TEST

/* vm.pageout_rest instead of hz/2; at least a tick. Each rest is told. */
static void
rests_take(const char *hz, const char *rest, sim_time_t ms)
{
	sim_time_t rested = 0;
	struct rig r;
	uint32_t n = 0;

	rig_open(&r, 1);
	set(&r, "vm.pageout_oom_seq", "1000");
	set(&r, "kern.hz", hz);
	set(&r, "vm.pageout_rest", rest);
	(void)rig_thread(&r, 0, PVM, worker_main);
	sim_event_init(&r.ev, "ask", 0, ask_for_pages, &r);
	sim_event_at(r.sim, &r.ev, 2250 * TICK);
	(void)sim_run_until(r.sim, (2250 + 4 * ms) * TICK);
	for (uint32_t i = 0; i < r.nevents; i++) {
		if (r.events[i].kind == VME_REST) {
			rested = r.events[i].when;
			ck_assert_int_eq(r.events[i].a, 0);
		} else if (r.events[i].kind == VME_SCAN && rested != 0) {
			ck_assert_uint_eq(r.events[i].when - rested, ms * TICK);
			n++;
		}
	}
	ck_assert_uint_ge(n, 3);
	rig_close(&r);
}

START_TEST(the_daemons_rest_can_be_set)
{
	rests_take("1000", "500", 500);
	rests_take("1000", "20", 20);
	rests_take("1000", "1", 1);
	rests_take("1000", "3000", 3000);
	rests_take("100", "500", 500);
	rests_take("100", "1", 10);
	rests_take("1", "500", 1000);
}
END_TEST

/* Ticks wrap; the vm daemon's rate limit notices. */
static void
two_requests(struct rig *r)
{
	sim_time_t t = (sim_time_t)INT32_MAX * TICK;

	(void)sim_sleep(r->sim, &r->chan, PVM, "age", t);
	vm_req_vmdaemon(r->vm, VM_SWAP_IDLE);
	r->result = r->vm->pageout->lastrun;
	(void)sim_sleep(r->sim, &r->chan, PVM, "age", 2 * TICK);
	vm_req_vmdaemon(r->vm, VM_SWAP_NORMAL);
}

START_TEST(ticks_wrap_around)
{
	struct rig r;

	rig_open(&r, 1);
	rig_run(&r, two_requests);
	ck_assert_int_eq(r.result, INT32_MAX);
	ck_assert_int_eq(r.vm->pageout->lastrun, INT32_MIN + 1);
	ck_assert_int_eq(r.vm->pageout->vm_pageout_req_swapout,
	    VM_SWAP_NORMAL | VM_SWAP_IDLE);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ tunables */

START_TEST(tunables_have_the_seeds_defaults)
{
	static const char *const rows[][2] = {
		{ "vm.panic_on_oom", "0" },
		{ "vm.max_launder", "32" },
		{ "vm.lowmem_period", "10" },
		{ "vm.swap_enabled", "1" },
		{ "vm.swap_idle_enabled", "0" },
		{ "vm.defer_swapspace_pageouts", "0" },
		{ "vm.disable_swapspace_pageouts", "0" },
		{ "vm.pageout_lock_miss", "0" },
		{ "vm.pageout_oom_seq", "12" },
		{ "vm.pageout_update_period", "600" }, /* after init */
		{ "kern.racct.enable", "0" },
		{ "kern.hz", "1000" },
		{ "inject.lock_fail", "0" },
	};
	struct sim_err err;
	char buf[64];
	struct rig r;

	rig_open(&r, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(tunables_get(r.ts, rows[i][0], buf,
		    sizeof(buf), &err), 0);
		ck_assert_str_eq(buf, rows[i][1]);
	}
	ck_assert_int_eq(tunables_set(r.ts, "vm.pageout_lock_miss", "1", &err),
	    -EPERM);
	rig_close(&r);
}
END_TEST

/* A change of vm.max_launder holds from the next scan on. */
START_TEST(max_launder_limits_clean_calls)
{
	struct rig r;

	rig_open(&r, 1);
	for (int i = 0; i < 8; i++) {
		r.m[i] = rig_page(&r, 0, (vm_pindex_t)i * 3, 'I');
		r.m[i]->dirty = VM_PAGE_BITS_ALL;
		vm_page_flag_set(r.m[i], PG_WINATCFLS);
	}
	r.put_status = VM_PAGER_OK;
	set(&r, "vm.max_launder", "3");
	rig_want(&r, 50);
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.puts, 3);
	set(&r, "vm.max_launder", "-1");
	rig_run(&r, scan1);
	ck_assert_uint_eq(r.puts, 4);
	rig_close(&r);
}
END_TEST

START_TEST(thresholds_set_by_hand_survive_boot)
{
	struct rig r;
	uint32_t computed;

	rig_open(&r, 1);
	computed = r.vm->cnt.v_free_reserved;
	r.vm->cnt.v_free_min = 0;
	r.vm->vm_pageout_wakeup_thresh = 0;
	set(&r, "vm.v_free_target", "99");
	set(&r, "vm.pageout_wakeup_thresh", "77");
	vm_pageout_boot(r.vm);
	ck_assert_uint_eq(r.vm->cnt.v_free_target, 99);
	ck_assert_int_eq(r.vm->vm_pageout_wakeup_thresh, 77);
	ck_assert_uint_eq(r.vm->cnt.v_free_reserved, computed);
	ck_assert_uint_gt(r.vm->cnt.v_free_min, computed);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ pressure */

static void
scan_after_ten_seconds(struct rig *r)
{
	(void)sim_sleep(r->sim, &r->chan, PVM, "age", 8 * CPU_HZ);
	vm_pageout_scan(r->vm, &r->vm->dom[0], 1); /* uptime 9: not yet */
	r->result = (int)r->vm->cnt.v_free_count;
	(void)sim_sleep(r->sim, &r->chan, PVM, "age", CPU_HZ);
	vm_pageout_scan(r->vm, &r->vm->dom[0], 1);
	vm_pageout_scan(r->vm, &r->vm->dom[0], 1); /* same period */
}

START_TEST(low_memory_event_gives_kernel_frames)
{
	struct rig r;
	uint32_t before;

	rig_open(&r, 1);
	set(&r, "vm.lowmem_pages", "3");
	set(&r, "vm.uma_reclaim_pages", "2");
	before = r.vm->cnt.v_free_count;
	rig_run(&r, scan_after_ten_seconds);
	ck_assert_int_eq(r.result, (int)before);
	ck_assert_uint_eq(r.vm->cnt.v_free_count, before + 5);
	ck_assert_uint_eq(r.vm->boot_pages, 3);
	ck_assert_uint_eq(count_events(&r, VME_LOWMEM), 1);
	ck_assert_uint_eq(r.nmoves, 5);
	ck_assert_uint_eq(r.moves[0].reason, WHY_KERNEL);
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ processes */

/* Process i maps object i - 1 through an address space of its own. */
static void
rig_proc(struct rig *r, int i, struct pmap *pmap)
{
	struct vm_map *map = &r->vs[i].vm_map;

	r->entry[i].object = &r->obj[i - 1];
	r->entry[i].start = 0x1000;
	r->entry[i].end = 0x1000 + 1000 * PAGE_SIZE;
	r->entry[i].prev = r->entry[i].next = &map->header;
	map->header.prev = map->header.next = &r->entry[i];
	map->pmap = pmap;
	map->max_offset = UINT64_C(1) << 40;
	r->vs[i].vm_refcnt = 1;
	r->vs[i].vm = r->vm;
	r->proc[i].p_vmspace = &r->vs[i];
	TAILQ_INSERT_TAIL(&r->vm->allproc, &r->proc[i], p_list);
}

static void
run_oom(struct rig *r)
{
	for (int i = 0; i < 13; i++)
		vm_pageout_scan(r->vm, &r->vm->dom[0], 2);
}

/* Twelve fruitless scans of the only domain: the bigger process is killed. */
START_TEST(oom_kills_the_bigger_process)
{
	struct rig r;
	struct pmap *pmap[2];

	rig_open(&r, 1);
	for (int i = 0; i < 2; i++) {
		pmap[i] = pmap_create(r.mmu);
		rig_proc(&r, i + 1, pmap[i]);
		for (int k = 0; k < 3 + 2 * i; k++)
			(void)rig_page(&r, i, (vm_pindex_t)k, 'N');
	}
	rig_want(&r, 100);
	rig_run(&r, run_oom);
	ck_assert_ptr_eq(r.killed, &r.proc[2]);
	ck_assert(r.proc[2].p_flag & P_WKILLED);
	ck_assert_int_eq(r.proc[2].p_nice, PRIO_MIN);
	ck_assert_int_eq(r.proc[2].p_lock, 0);
	ck_assert_int_eq(r.proc[1].p_lock, 0);
	ck_assert_uint_eq(count_events(&r, VME_OOM), 1);
	ck_assert_uint_eq(count_events(&r, VME_OOM_KILL), 1);
	ck_assert_int_eq(r.vm->pageout->vm_pageout_oom_vote, 0);
	ck_assert_uint_eq(r.vm->allproc_readers, 0);
	pmap_destroy(pmap[0]);
	pmap_destroy(pmap[1]);
	rig_close(&r);
}
END_TEST

static void
note_faultin(struct vm *vm, struct proc *p)
{
	rig_of(vm)->ran++;
	p->p_sflag |= PS_INMEM;
}

static void
oom_once(struct rig *r)
{
	vm_pageout_oom(r->vm, VM_OOM_MEM);
}

/* Measuring a process that is swapped out brings it in first. */
START_TEST(oom_brings_candidates_in)
{
	struct rig r;
	struct pmap *pmap;

	rig_open(&r, 1);
	pmap = pmap_create(r.mmu);
	rig_proc(&r, 1, pmap);
	(void)rig_page(&r, 0, 1, 'N');
	r.proc[1].p_sflag = 0;
	r.vm->pageout->faultin = note_faultin;
	rig_run(&r, oom_once);
	ck_assert_uint_eq(r.ran, 1);
	ck_assert_ptr_eq(r.killed, &r.proc[1]);
	pmap_destroy(pmap);
	rig_close(&r);
}
END_TEST

/* Two domains: one of them alone does not make a quorum. */
static void
vote_both(struct rig *r)
{
	set(r, "vm.pageout_oom_seq", "2");
	for (int i = 0; i < 4; i++)
		vm_pageout_mightbe_oom(r->vm, &r->vm->dom[0], 9, 9);
	r->result = r->killed != NULL;
	vm_pageout_mightbe_oom(r->vm, &r->vm->dom[1], 9, 9);
	vm_pageout_mightbe_oom(r->vm, &r->vm->dom[1], 9, 9);
}

START_TEST(oom_needs_every_domain)
{
	struct rig r;
	struct pmap *pmap;

	rig_open(&r, 2);
	pmap = pmap_create(r.mmu);
	rig_proc(&r, 1, pmap);
	(void)rig_page(&r, 0, 1, 'N');
	rig_run(&r, vote_both);
	ck_assert_int_eq(r.result, 0);
	ck_assert_ptr_eq(r.killed, &r.proc[1]);
	ck_assert_int_eq(r.vm->pageout->vm_pageout_oom_vote, 1);
	pmap_destroy(pmap);
	rig_close(&r);
}
END_TEST

static void
daemon_main(void *arg)
{
	struct rig *r = arg;

	vm_daemon(r->vm);
}

static void
map_pages(struct rig *r, int obj, struct pmap *pmap, int n)
{
	for (int k = 0; k < n; k++) {
		vm_page_t m = rig_page(r, obj, (vm_pindex_t)k, 'A');

		m->act_count = 0;
		pmap_enter(pmap, 0x1000 + (vm_offset_t)k * PAGE_SIZE, m->pfn,
		    VM_PROT_READ, 0);
		*pmap_pte(pmap, 0x1000 + (vm_offset_t)k * PAGE_SIZE) &= ~PTE_A;
	}
}

static void
ask_vmdaemon(void *arg, sim_time_t when)
{
	struct rig *r = arg;

	(void)when;
	vm_req_vmdaemon(r->vm, VM_SWAP_NORMAL);
}

/* RLIMIT_RSS of one process; the other keeps all its pages. */
START_TEST(rss_limit_trims_one_process)
{
	struct rig r;
	struct pmap *pmap[2];

	rig_open(&r, 1);
	for (int i = 0; i < 2; i++) {
		pmap[i] = pmap_create(r.mmu);
		rig_proc(&r, i + 1, pmap[i]);
		map_pages(&r, i, pmap[i], 10);
	}
	r.proc[1].p_rss_cur = 6 * PAGE_SIZE;
	(void)rig_thread(&r, 3, PPAUSE, daemon_main);
	sim_event_init(&r.ev, "ask", 0, ask_vmdaemon, &r);
	sim_event_at(r.sim, &r.ev, 2 * CPU_HZ);
	(void)sim_run_until(r.sim, 3 * CPU_HZ);
	ck_assert_uint_eq(pmap_resident_count(pmap[0]), 6);
	ck_assert_uint_eq(pmap_resident_count(pmap[1]), 10);
	ck_assert_uint_eq(r.vm->cnt.v_inactive_count, 4);
	ck_assert_uint_eq(r.nmoves, 4);
	ck_assert_uint_eq(r.moves[0].reason, WHY_RSS_DEACTIVATE);
	ck_assert_uint_eq(count_events(&r, VME_RSS_TRIM), 1);
	ck_assert_int_eq(r.vm->pageout->vm_pageout_req_swapout, 0);
	vmcheck_all(r.vm);
	for (int i = 0; i < 2; i++) {
		pmap_remove_pages(pmap[i]);
		pmap_destroy(pmap[i]);
	}
	rig_close(&r);
}
END_TEST

/* RACCT: looks once a second by itself, a quarter at a time. */
START_TEST(racct_trims_by_quarters)
{
	struct rig r;
	struct pmap *pmap;

	rig_open(&r, 1);
	pmap = pmap_create(r.mmu);
	rig_proc(&r, 1, pmap);
	map_pages(&r, 0, pmap, 16);
	r.proc[1].p_racct_limit = 10 * PAGE_SIZE;
	r.vm->pageout->racct_enable = 1;
	(void)rig_thread(&r, 3, PPAUSE, daemon_main);
	(void)sim_run_until(r.sim, CPU_HZ + CPU_HZ / 2);
	ck_assert_uint_eq(pmap_resident_count(pmap), 12);
	ck_assert_uint_eq(r.proc[1].p_racct_rss, 12 * PAGE_SIZE);
	(void)sim_run_until(r.sim, 2 * CPU_HZ + CPU_HZ / 2);
	ck_assert_uint_eq(pmap_resident_count(pmap), 10);
	pmap_remove_pages(pmap);
	pmap_destroy(pmap);
	rig_close(&r);
}
END_TEST

/* A process swapped out whole loses all its mappings. */
START_TEST(swapped_out_process_is_unmapped)
{
	struct rig r;
	struct pmap *pmap;

	rig_open(&r, 1);
	pmap = pmap_create(r.mmu);
	rig_proc(&r, 1, pmap);
	map_pages(&r, 0, pmap, 5);
	r.proc[1].p_sflag = 0;
	(void)rig_thread(&r, 3, PPAUSE, daemon_main);
	sim_event_init(&r.ev, "ask", 0, ask_vmdaemon, &r);
	sim_event_at(r.sim, &r.ev, 2 * CPU_HZ);
	(void)sim_run_until(r.sim, 3 * CPU_HZ);
	ck_assert_uint_eq(pmap_resident_count(pmap), 0);
	ck_assert_uint_eq(r.vm->cnt.v_inactive_count, 5);
	pmap_destroy(pmap);
	rig_close(&r);
}
END_TEST

/* ------------------------------------------------------------ contiguous */

static void
grow0(struct rig *r)
{
	vm_pageout_grow_cache(r->vm, 0, 0, FRAMES * PAGE_SIZE);
	r->result = (int)r->vm->cnt.v_cache_count;
	vm_pageout_grow_cache(r->vm, 1, 0, FRAMES * PAGE_SIZE);
}

/*
 * Dirty pages come to the cache only after they were written. There are as
 * many turns as there were inactive pages, and each write is one: of two
 * dirty pages alone on the queue the second is written but not cached (P-9).
 */
START_TEST(grow_cache_launders_on_the_second_try)
{
	struct rig r;

	rig_open(&r, 1);
	for (int i = 0; i < 6; i++)
		r.m[i] = rig_page(&r, 0, (vm_pindex_t)i * 3, 'I');
	r.m[4]->dirty = r.m[5]->dirty = VM_PAGE_BITS_ALL;
	r.put_status = VM_PAGER_OK;
	rig_run(&r, grow0);
	ck_assert_int_eq(r.result, 4);
	ck_assert_uint_eq(r.puts, 2);
	ck_assert_int_eq(r.put_flags, VM_PAGER_PUT_SYNC);
	ck_assert_uint_eq(r.vm->cnt.v_cache_count, 5);
	ck_assert_int_eq(r.m[5]->dirty, 0);
	ck_assert_uint_eq(r.moves[0].reason, WHY_GROW_CACHE);
	ck_assert_uint_eq(r.moves[0].to, VMQ_CACHE);
	ck_assert_uint_eq(r.nmoves, 5); /* one move a page */
	ck_assert_uint_eq(count_events(&r, VME_GROW_CACHE), 2);
	rig_run(&r, grow0);
	ck_assert_uint_eq(r.vm->cnt.v_cache_count, 6);
	vmcheck_all(r.vm);
	rig_close(&r);
}
END_TEST

/* page.f11_cache_rule (R10): an anonymous page without a copy is freed. */
START_TEST(cache_rule_of_freebsd_11)
{
	struct rig r;

	rig_open(&r, 1);
	r.m[0] = rig_page(&r, 0, 1, 'I');
	r.vm->f11_cache_rule = 1;
	rig_run(&r, grow0);
	ck_assert_int_eq(queue_of(&r, r.m[0]), 'F');
	ck_assert_uint_eq(r.vm->cnt.v_cache_count, 0);
	rig_close(&r);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		each_decision_has_its_reason,
		mappings_decide,
		pager_may_call_a_page_bad,
		locks_are_shared_and_exclusive,
		scan_waits_for_a_page_lock,
		scan_waits_for_an_object_lock,
		fault_moves_pages_under_the_scan,
		worse_threads_do_not_preempt_the_scan,
		vnode_wait_is_rechecked,
		injected_lock_failures_change_nothing,
		worker_keeps_time,
		the_daemons_rest_can_be_set,
		ticks_wrap_around,
		tunables_have_the_seeds_defaults,
		max_launder_limits_clean_calls,
		thresholds_set_by_hand_survive_boot,
		low_memory_event_gives_kernel_frames,
		oom_kills_the_bigger_process,
		oom_brings_candidates_in,
		oom_needs_every_domain,
		rss_limit_trims_one_process,
		racct_trims_by_quarters,
		swapped_out_process_is_unmapped,
		grow_cache_launders_on_the_second_try,
		cache_rule_of_freebsd_11,
	};

	return (SUITE_MAIN("pageout", tests));
}
