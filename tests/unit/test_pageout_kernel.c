/*
 * The page daemon inside the whole kernel: its own threads, real faults, swap
 * and files on timed disks.
 *
 * Method: several threads of one process keep more memory than there is; the
 * daemon's lock-drop points are watched through a copy of its surroundings
 * that counts how often another thread got the CPU there and moved pages.
 * Every value stored must still be there at the end.
 */
#include <errno.h>

#include "unit/vm_rig.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"

#define FRAMES 400u
#define NTHREADS 4
#define PAGES_EACH 200u
#define FILE_PAGES 64u

struct load {
	struct rig r;
	struct sim_thread *st[NTHREADS];
	struct thread *td[NTHREADS];
	uint32_t running;
	struct vm_pageout_env env;
	uint32_t points, ran, moved; /* lock-drop points of the daemon */
	uint64_t transitions;
	int32_t next;
	struct proc *killed;
	int swapout_flags;
	uint8_t file[FILE_PAGES * PAGE_SIZE];
	struct vnode *vp;
	vm_offset_t va;
	int errors[4];
	sim_time_t spent;
};

static struct load *
load_of(struct vm *vm)
{
	return (vm->trace_ctx);
}

static void
on_move(void *ctx, const struct vm_transition *t)
{
	struct load *l = ctx;

	(void)t;
	l->transitions++;
}

static const struct vm_trace_ops trace = { .transition = on_move };

static void
watched_preempt(struct vm *vm)
{
	struct load *l = load_of(vm);
	uint64_t before = l->transitions;
	bool ran;

	if (sim_curthread(vm->sim) == NULL)
		return;
	ran = sim_preempt_point(vm->sim);
	if (vm_curproc(vm) != vm->pageproc)
		return;
	l->points++;
	l->ran += ran;
	l->moved += l->transitions != before;
}

static void
load_create(struct load *l, uint32_t ndomains)
{
	struct rig *r = &l->r;

	memset(l, 0, sizeof(*l));
	rig_create(r, FRAMES, 8 * FRAMES);
	r->vm->ndomains = ndomains;
	for (uint32_t d = 0; d < ndomains; d++) {
		r->vm->dom[d].vmd_nsegs = 1;
		r->vm->dom[d].vmd_seg[0].start =
		    (vm_paddr_t)(d * FRAMES / ndomains) * PAGE_SIZE;
		r->vm->dom[d].vmd_seg[0].end =
		    (vm_paddr_t)((d + 1) * FRAMES / ndomains) * PAGE_SIZE;
	}
	l->env = vm_pageout_env_kernel;
	l->env.preempt = watched_preempt;
	r->vm->pageout->env = &l->env;
	vm_set_trace(r->vm, &trace, l);
}

/* ------------------------------------------------------------ faults */

static vm_offset_t
slot(uint32_t i, uint32_t k)
{
	return (RIG_BASE + (vm_offset_t)(i * PAGES_EACH + k) * PAGE_SIZE);
}

static uint64_t
value_of(uint32_t i, uint32_t k, uint32_t round)
{
	return (i * 1000003u + k * 101u + round);
}

static void
worker(void *arg)
{
	struct load *l = arg;
	struct rig *r = &l->r;
	uint32_t i = (uint32_t)l->next++, k, round;

	for (k = 0; k < PAGES_EACH; k++) {
		rig_store(r, r->vs, slot(i, k), value_of(i, k, 0));
		(void)sim_yield(r->sim); /* all at the same time */
	}
	for (round = 0; round < 3; round++) {
		for (uint32_t n = 0; n < PAGES_EACH; n++) {
			k = n * 77 % PAGES_EACH;
			ck_assert_uint_eq(rig_load(r, r->vs, slot(i, k)),
			    value_of(i, k, round));
			rig_store(r, r->vs, slot(i, k),
			    value_of(i, k, round + 1));
			(void)sim_yield(r->sim);
		}
	}
	if (--l->running == 0)
		(void)sim_wakeup(r->sim, &l->running);
}

static void
run_workers(struct rig *r)
{
	struct load *l = (struct load *)r;

	rig_anon(r, r->vs, RIG_BASE, NTHREADS * PAGES_EACH);
	l->running = NTHREADS;
	for (int i = 0; i < NTHREADS; i++) {
		l->st[i] = sim_thread_create(r->sim, "worker", PUSER, worker,
		    l);
		l->td[i] = vm_thread_new(r->vm, r->p, 200 + i, l->st[i]);
	}
	while (l->running > 0)
		(void)sim_sleep(r->sim, &l->running, PUSER, "workers",
		    SIM_NO_TIMEOUT);
	vm_check_all(r->vm);
	for (int i = 0; i < NTHREADS; i++)
		vm_thread_free(r->vm, l->td[i]);
}

static void
pressure(uint32_t ndomains, const char *lock_fail)
{
	struct load *l = malloc(sizeof(*l));

	load_create(l, ndomains);
	/* long scans: page-ins end while one is under way */
	rig_set(&l->r, "cost.scan_page", "20000");
	rig_set(&l->r, "cost.page_free", "200000");
	rig_set(&l->r, "inject.lock_fail", lock_fail);
	rig_boot(&l->r);
	rig_run(&l->r, run_workers);
	ck_assert_uint_gt(vm_stat(l->r.vm, "v_swappgsout"), 500);
	ck_assert_uint_gt(vm_stat(l->r.vm, "v_swappgsin"), 500);
	ck_assert_uint_gt(l->points, 1000);
	ck_assert_uint_gt(l->ran, 50);
	ck_assert_uint_gt(l->moved, 20);
	rig_destroy(&l->r);
	free(l);
}

START_TEST(faults_move_pages_while_the_scan_has_let_go)
{
	pressure(1, "0");
}
END_TEST

START_TEST(and_when_tries_fail)
{
	pressure(1, "300000");
}
END_TEST

START_TEST(and_with_four_daemons)
{
	pressure(4, "100000");
}
END_TEST

/* ------------------------------------------------------------ files */

static int
file_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	struct load *l = ctx;

	memcpy(buf, l->file + offset, n);
	return (0);
}

static int
file_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	struct load *l = ctx;

	memcpy(l->file + offset, buf, n);
	return (0);
}

static const struct vnode_ops file_ops = { file_read, file_write };

static void
map_file(struct load *l)
{
	struct rig *r = &l->r;

	l->vp = vm_vnode_new(r->vm, "file", sizeof(l->file), &file_ops, l,
	    r->fs, 0);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &l->va, sizeof(l->file),
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL, VM_MAP_SHARED, l->vp,
	    0), 0);
	for (uint32_t k = 0; k < FILE_PAGES; k++)
		rig_store(r, r->vs, l->va + k * PAGE_SIZE, value_of(9, k, 0));
}

/* What the scan does with a dirty inactive page of the file. */
static int
clean(struct load *l, vm_pindex_t pindex)
{
	struct vm *vm = l->r.vm;
	vm_page_t m = vm_page_lookup(l->vp->object, pindex);
	sim_time_t start = sim_now(vm->sim);
	int error;

	ck_assert_ptr_nonnull(m);
	vm_page_deactivate(vm, m);
	vm_page_test_dirty(vm, m);
	vm_object_wlock(vm, m->object);
	l->env.page_lock(vm, m);
	error = vm_pageout_clean(vm, m);
	l->spent = sim_now(vm->sim) - start;
	return (error);
}

static void
lock_holder(void *arg)
{
	struct load *l = arg;

	vnode_lock(l->r.vm, l->vp, false);
	(void)sim_sleep(l->r.sim, &l->next, PINOD, "holder",
	    sim_us(l->r.sim, 200000));
	vnode_unlock(l->r.vm, l->vp);
}

static void
clean_file(struct rig *r)
{
	struct load *l = (struct load *)r;
	struct sim_thread *st;
	struct thread *td;

	map_file(l);
	st = sim_thread_create(r->sim, "holder", PINOD, lock_holder, l);
	td = vm_thread_new(r->vm, r->p, 300, st);
	(void)sim_sleep(r->sim, &l->va, PUSER, "let it lock",
	    sim_us(r->sim, 10));
	l->errors[0] = clean(l, 3); /* nobody waits longer than 51 ms */
	ck_assert_uint_ge(l->spent, sim_us(r->sim, 51000));
	ck_assert_uint_lt(l->spent, sim_us(r->sim, 52000));
	(void)sim_sleep(r->sim, &l->va, PUSER, "until it lets go",
	    sim_us(r->sim, 300000));
	l->errors[1] = clean(l, 3);
	(void)sim_sleep(r->sim, &l->va, PUSER, "until written",
	    sim_us(r->sim, 300000));
	l->errors[2] = vm_page_lookup(l->vp->object, 3)->dirty;
	vm_check_all(r->vm);
	vm_thread_free(r->vm, td);
}

START_TEST(a_vnode_is_waited_for_51_ms)
{
	struct load *l = malloc(sizeof(*l));
	uint64_t stored;

	load_create(l, 1);
	rig_boot(&l->r);
	rig_run(&l->r, clean_file);
	ck_assert_int_eq(l->errors[0], EDEADLK);
	ck_assert_int_eq(l->errors[1], 0);
	ck_assert_int_eq(l->errors[2], 0);
	memcpy(&stored, l->file + 3 * PAGE_SIZE, sizeof(stored));
	ck_assert_uint_eq(stored, value_of(9, 3, 0));
	rig_destroy(&l->r);
	free(l);
}
END_TEST

/* Contiguous memory: dirty file pages are written, then cached. */
static void
grow(struct rig *r)
{
	struct load *l = (struct load *)r;
	vm_page_t m;

	map_file(l);
	for (uint32_t k = 0; k < FILE_PAGES; k++) {
		m = vm_page_lookup(l->vp->object, k);
		vm_page_deactivate(r->vm, m);
	}
	vm_pageout_grow_cache(r->vm, 0, 0, FRAMES * PAGE_SIZE);
	l->errors[0] = (int)r->vm->cnt.v_cache_count;
	vm_pageout_grow_cache(r->vm, 2, 0, FRAMES * PAGE_SIZE);
	l->errors[1] = (int)r->vm->cnt.v_cache_count;
	vm_check_all(r->vm);
	for (uint32_t k = 0; k < FILE_PAGES; k++)
		ck_assert_uint_eq(rig_load(r, r->vs, l->va + k * PAGE_SIZE),
		    value_of(9, k, 0));
}

START_TEST(grow_cache_writes_files)
{
	struct load *l = malloc(sizeof(*l));

	load_create(l, 1);
	rig_boot(&l->r);
	rig_run(&l->r, grow);
	ck_assert_int_eq(l->errors[0], 0); /* all of them were dirty */
	ck_assert_int_gt(l->errors[1], (int)FILE_PAGES / 2);
	rig_destroy(&l->r);
	free(l);
}
END_TEST

/* ------------------------------------------------------------ pressure */

static void
on_kill(void *ctx, struct proc *p, const char *why)
{
	struct load *l = ctx;

	(void)why;
	l->killed = p;
}

static const struct vm_up_ops up = { .kill = on_kill };

static void
leak(struct rig *r)
{
	struct load *l = (struct load *)r;

	rig_anon(r, r->vs, RIG_BASE, 4 * FRAMES);
	for (uint32_t k = 0; k < 4 * FRAMES && l->killed == NULL; k++)
		rig_store(r, r->vs, RIG_BASE + (vm_offset_t)k * PAGE_SIZE, k);
}

/* No swap, too little memory: the only process is chosen. */
START_TEST(out_of_memory_kills)
{
	struct load *l = calloc(1, sizeof(*l));

	rig_create(&l->r, FRAMES, 0);
	vm_set_up_ops(l->r.vm, &up, l);
	rig_boot(&l->r);
	rig_run(&l->r, leak);
	ck_assert_ptr_eq(l->killed, l->r.p);
	ck_assert(l->r.p->p_flag & P_WKILLED);
	rig_destroy(&l->r);
	free(l);
}
END_TEST

static void
take_swapout(struct vm *vm, int flags)
{
	load_of(vm)->swapout_flags |= flags;
}

static void
wait_for_requests(struct rig *r)
{
	(void)sim_sleep(r->sim, &r->body, PUSER, "age", sim_us(r->sim,
	    4000000));
}

/* vm.swap_idle_enabled: whole idle processes are asked for once a second. */
START_TEST(idle_swapping_is_asked_for)
{
	struct load *l = malloc(sizeof(*l));

	load_create(l, 1);
	rig_set(&l->r, "vm.swap_idle_enabled", "1");
	rig_boot(&l->r);
	l->r.vm->pageout->swapout_procs = take_swapout;
	rig_run(&l->r, wait_for_requests);
	ck_assert_int_eq(l->swapout_flags, VM_SWAP_IDLE);
	rig_destroy(&l->r);
	free(l);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("pageout_kernel");

	tcase_add_test(tc, faults_move_pages_while_the_scan_has_let_go);
	tcase_add_test(tc, and_when_tries_fail);
	tcase_add_test(tc, and_with_four_daemons);
	tcase_add_test(tc, a_vnode_is_waited_for_51_ms);
	tcase_add_test(tc, grow_cache_writes_files);
	tcase_add_test(tc, out_of_memory_kills);
	tcase_add_test(tc, idle_swapping_is_asked_for);
	return (rig_suite("pageout_kernel", tc));
}
