/*
 * vm_pageout_env.c: what surrounds the page daemon in an ordinary run: the
 * kernel `bsd`'s clocks, locks, files and processes, and FreeBSD 5's pages.
 *
 * Interface: vm_pageout_env_kernel, vm_page_ops_f5 of vm_pageout.h.
 * Source:    companions 10.3, 12, 13.1, 17 (R4, R8, R10, R12 to R16, R20).
 * Differs:   low-memory handlers and the kernel's allocator give back a
 *            configured number of the kernel's own frames, by default none.
 */
#include <errno.h>

#include "vmcore/bsd/vm_page_int.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------- FreeBSD 5's pages */

static void
f5_undirty(struct vm *vm, vm_page_t m)
{
	(void)vm;
	vm_page_undirty(m);
}

static void
f5_sbusy(struct vm *vm, vm_page_t m)
{
	KASSERT(vm->sim, (m->flags & PG_BUSY) == 0,
	    ("page %u is exclusively busy", m->pfn));
	vm_page_io_start(vm, m);
}

/* activate, deactivate and cache take the page off its queue themselves. */
const struct vm_page_ops vm_page_ops_f5 = {
	.name = "freebsd5",
	.activate = vm_page_activate,
	.deactivate = vm_page_deactivate,
	.requeue = vm_pageq_requeue,
	.dequeue = NULL,
	.free = vm_page_free_f11,
	.cache = vm_page_cache_f11,
	.test_dirty = vm_page_test_dirty,
	.undirty = f5_undirty,
	.sbusy = f5_sbusy,
	.sunbusy = vm_page_io_finish,
	.next = vm_page_next,
	.prev = vm_page_prev,
};

/* ------------------------------------------------- clocks */

static int32_t
env_ticks(struct vm *vm)
{
	uint64_t now = sim_now(vm->sim), hz = sim_hz(vm->sim);
	uint64_t ticks = now / hz * (uint64_t)vm->hz +
	    now % hz * (uint64_t)vm->hz / hz;

	return ((int32_t)(uint32_t)ticks);
}

static int64_t
env_second(struct vm *vm)
{
	return ((int64_t)(sim_now(vm->sim) / sim_hz(vm->sim)));
}

static int64_t
env_uptime(struct vm *vm)
{
	return (1 + env_second(vm));
}

/*
 * The page daemon always sleeps for a time. Half a tick is none, and nothing
 * would end its rest then; so it has at least a tick.
 */
static void
env_msleep(struct vm *vm, const void *chan, int priority, const char *wmesg,
    int32_t timo)
{
	uint64_t timeout = SIM_NO_TIMEOUT;

	if (timo == 0 && chan == &vm->vm_pages_needed)
		timo = 1;
	if (timo > 0)
		timeout = (uint64_t)timo * sim_hz(vm->sim) /
		    (uint64_t)vm->hz;
	(void)sim_sleep(vm->sim, chan, priority, wmesg, timeout);
}

/* ------------------------------------------------- locks */

/* inject.lock_fail: the try fails although nobody owns the lock. */
static bool
env_injected(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;

	return (po->inject_lock_fail != 0 &&
	    sim_rng_chance(&po->lock_fail, po->inject_lock_fail));
}

static struct vm_page_lock *
env_pa_lock(struct vm *vm, vm_page_t m)
{
	return (&vm->pageout->page_lock[(VM_PAGE_TO_PHYS(m) >> PDRSHIFT) %
	    PA_LOCK_COUNT]);
}

static bool
env_page_trylock(struct vm *vm, vm_page_t m)
{
	struct vm_page_lock *pl = env_pa_lock(vm, m);

	return (!env_injected(vm) &&
	    vm_lock_try_excl(vm, &pl->owner, &pl->waiters));
}

static void
env_page_lock(struct vm *vm, vm_page_t m)
{
	struct vm_page_lock *pl = env_pa_lock(vm, m);

	vm_lock_excl(vm, &pl->owner, &pl->waiters, "vmpage");
}

static void
env_page_unlock(struct vm *vm, vm_page_t m)
{
	struct vm_page_lock *pl = env_pa_lock(vm, m);

	vm_unlock_excl(vm, &pl->owner, &pl->waiters);
}

static bool
env_object_trywlock(struct vm *vm, vm_object_t object, vm_page_t m)
{
	(void)m;
	return (!env_injected(vm) && vm_object_trywlock(vm, object));
}

static bool
env_object_tryrlock(struct vm *vm, vm_object_t object)
{
	return (!env_injected(vm) && vm_object_tryrlock(vm, object));
}

static bool
env_map_trylock(struct vm *vm, vm_map_t map)
{
	return (!env_injected(vm) && vm_map_trylock(vm, map));
}

static bool
env_map_trylock_read(struct vm *vm, vm_map_t map)
{
	return (!env_injected(vm) && vm_map_trylock_read(vm, map));
}

static void
env_preempt(struct vm *vm)
{
	if (sim_curthread(vm->sim) != NULL)
		(void)sim_preempt_point(vm->sim);
}

/* ------------------------------------------------- objects and files */

static void
env_object_pip_add(struct vm *vm, vm_object_t object, int n)
{
	(void)vm;
	vm_object_pip_add(object, n);
}

static void
env_object_page_clean(struct vm *vm, vm_object_t object, int flags)
{
	vm_object_page_clean(vm, object, 0, 0, flags);
}

/* No file system is ever suspended. */
static int
env_vn_start_write(struct vm *vm, vm_object_t object, bool wait)
{
	(void)vm;
	(void)object;
	(void)wait;
	return (0);
}

static void
env_vn_finished_write(struct vm *vm, vm_object_t object)
{
	(void)vm;
	(void)object;
}

/* UFS: exclusive. */
static bool
env_shared_writes(struct vm *vm, vm_object_t object)
{
	(void)vm;
	(void)object;
	return (false);
}

static int
env_vget(struct vm *vm, vm_object_t object, int lockmode)
{
	struct vnode *vp = object->handle;
	int error;

	vnode_ref(vp);
	error = EDEADLK;
	if (!env_injected(vm))
		error = vnode_timelock(vm, vp, lockmode == LK_SHARED);
	if (error != 0)
		vnode_rele(vm, vp);
	return (error);
}

static void
env_vput(struct vm *vm, vm_object_t object)
{
	struct vnode *vp = object->handle;

	vnode_unlock(vm, vp);
	vnode_rele(vm, vp);
}

static void
env_vn_lock(struct vm *vm, vm_object_t object, int lockmode)
{
	vnode_lock(vm, object->handle, lockmode == LK_SHARED);
}

static void
env_vn_unlock(struct vm *vm, vm_object_t object)
{
	vnode_unlock(vm, object->handle);
}

/* ------------------------------------------------- memory pressure */

/* The frames laid aside at boot end the largest segment; the lowest first. */
static pfn_t
env_kernel_frame(const struct vm *vm)
{
	uint64_t best = 0, end = 0;

	for (uint32_t d = 0; d < vm->ndomains; d++) {
		for (uint32_t i = 0; i < vm->dom[d].vmd_nsegs; i++) {
			vm_paddr_t s = vm->dom[d].vmd_seg[i].start;
			vm_paddr_t e = vm->dom[d].vmd_seg[i].end;

			if (e > s && e - s > best) {
				best = e - s;
				end = e;
			}
		}
	}
	return ((pfn_t)(end / PAGE_SIZE - vm->boot_pages));
}

/* The kernel gives up to n of its own frames to the free queue. */
static void
env_give_back(struct vm *vm, uint32_t n)
{
	uint32_t why = vm_why(vm, WHY_KERNEL);
	vm_page_t m;

	for (; n > 0 && vm->boot_pages > 0; n--) {
		m = &vm->page_array[env_kernel_frame(vm) - vm->first_page];
		if ((m->flags & PG_NOTAVAIL) == 0)
			break;
		vm->boot_pages--;
		(void)vm_pageq_add_new_page(vm, m, m->pfn);
		vm_trace_move(vm, m, VMQ_NONE, VMQ_FREE, VMT_TAIL);
		vm_page_free_wakeup(vm);
	}
	vm_why(vm, why);
}

static void
env_lowmem(struct vm *vm)
{
	env_give_back(vm, vm->pageout->lowmem_pages);
}

static void
env_uma_reclaim(struct vm *vm)
{
	env_give_back(vm, vm->pageout->uma_pages);
}

static void
env_swapout_procs(struct vm *vm, int flags)
{
	if (vm->pageout->swapout_procs != NULL)
		vm->pageout->swapout_procs(vm, flags);
}

static void
env_faultin(struct vm *vm, struct proc *p)
{
	if (vm->pageout->faultin != NULL)
		vm->pageout->faultin(vm, p);
}

/* ------------------------------------------------- processes */

static struct vmspace *
env_vmspace_acquire_ref(struct vm *vm, struct proc *p)
{
	struct vmspace *vs = p->p_vmspace;

	(void)vm;
	if (vs != NULL)
		vmspace_ref(vs);
	return (vs);
}

static void
env_killproc(struct vm *vm, struct proc *p, const char *why)
{
	p->p_flag |= P_WKILLED;
	vm_proc_set_killed(vm, p);
	if (vm->up != NULL && vm->up->kill != NULL)
		vm->up->kill(vm->up_ctx, p, why);
}

static void
env_racct_set(struct vm *vm, struct proc *p, uint64_t bytes)
{
	(void)vm;
	p->p_racct_rss = bytes;
}

static uint64_t
env_racct_available(struct vm *vm, struct proc *p)
{
	(void)vm;
	return (p->p_racct_limit);
}

/* ------------------------------------------------- start-up */

/* The swap pager is started by the kernel's boot. */
static void
env_swap_init(struct vm *vm)
{
	(void)vm;
}

static int
env_kthread_add(struct vm *vm, void (*fn)(void *arg), void *arg,
    const char *name, int index)
{
	struct sim_thread *st;

	if (fn == NULL)
		return (0);
	st = sim_thread_create(vm->sim, name, PVM, fn, arg);
	if (st == NULL)
		return (ENOMEM);
	(void)vm_thread_new(vm, vm->pageproc, vm->pageproc->p_pid + index, st);
	return (0);
}

const struct vm_pageout_env vm_pageout_env_kernel = {
	.ticks = env_ticks,
	.uptime = env_uptime,
	.second = env_second,
	.msleep = env_msleep,
	.page_trylock = env_page_trylock,
	.page_lock = env_page_lock,
	.page_unlock = env_page_unlock,
	.object_trywlock = env_object_trywlock,
	.object_wlock = vm_object_wlock,
	.object_wunlock = vm_object_wunlock,
	.object_tryrlock = env_object_tryrlock,
	.object_rlock = vm_object_rlock,
	.object_runlock = vm_object_runlock,
	.map_trylock = env_map_trylock,
	.map_unlock = vm_map_unlock,
	.map_trylock_read = env_map_trylock_read,
	.map_unlock_read = vm_map_unlock_read,
	.object_reference = vm_object_reference,
	.object_deallocate = vm_object_deallocate,
	.object_pip_add = env_object_pip_add,
	.object_pip_wakeup = vm_object_pip_wakeup,
	.object_page_clean = env_object_page_clean,
	.vn_start_write = env_vn_start_write,
	.vn_finished_write = env_vn_finished_write,
	.shared_writes = env_shared_writes,
	.vget = env_vget,
	.vput = env_vput,
	.vn_lock = env_vn_lock,
	.vn_unlock = env_vn_unlock,
	.speedup_syncer = vm_speedup_syncer,
	.lowmem = env_lowmem,
	.uma_reclaim = env_uma_reclaim,
	.swapout_procs = env_swapout_procs,
	.faultin = env_faultin,
	.vmspace_acquire_ref = env_vmspace_acquire_ref,
	.vmspace_free = vmspace_free,
	.swap_count = vmspace_swap_count,
	.killproc = env_killproc,
	.sched_nice = vm_proc_set_nice,
	.racct_set = env_racct_set,
	.racct_available = env_racct_available,
	.swap_init = env_swap_init,
	.kthread_add = env_kthread_add,
	.preempt = env_preempt,
	.note = NULL,
	.worker_scan = NULL,
};
