/*
 * vm_glue_env.c: what surrounds vm_glue in an ordinary run: kernel memory,
 * address maps, the swapper's process and thread; its tunables.
 *
 * Interface: vmcore/bsd/vm_glue.h (vm_glue_env_kernel, vm_glue_create and so
 *            on).
 * Source:    companions 14, R19, R20. Tunables: FreeBSD 5.0 vm_glue.c.
 * Differs:   kernel addresses are not simulated: the kernel's map allows
 *            nothing, and mapping a U area only costs time. The first bytes
 *            of each page of a U area and of a kernel stack say whose it is,
 *            so that a page lost on its way to swap and back is noticed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/bsd/vm_glue.h"
#include "vmcore/bsd/vm_pageout.h"

/* ------------------------------------------------------------ whose page */

#define STAMP_MAGIC 0x656e6f7961657261ull

struct stamp {
	uint64_t magic;
	int64_t owner;
	uint64_t pindex;
};

static struct stamp
glue_stamp_of(const struct vm_page *m, int32_t owner)
{
	return ((struct stamp) { .magic = STAMP_MAGIC, .owner = owner,
	    .pindex = m->pindex });
}

void
vm_glue_stamp(struct vm *vm, vm_page_t m, int32_t owner)
{
	struct stamp st = glue_stamp_of(m, owner);

	memcpy(mmu_frame_data_write(vm->mmu, m->pfn), &st, sizeof(st));
}

void
vm_glue_check_stamp(struct vm *vm, vm_page_t m, int32_t owner)
{
	struct stamp st = glue_stamp_of(m, owner);

	KASSERT(vm->sim, memcmp(mmu_frame_data(vm->mmu, m->pfn), &st,
	    sizeof(st)) == 0,
	    ("page %u is not page %llu of the U area or stack of %d", m->pfn,
		(unsigned long long)m->pindex, owner));
}

/* ------------------------------------------------------------ sleeping */

static void
glue_tsleep(struct vm *vm, const void *chan, int priority, const char *wmesg,
    int32_t timo)
{
	uint64_t timeout = SIM_NO_TIMEOUT;

	if (timo > 0)
		timeout = (uint64_t)timo * sim_hz(vm->sim) /
		    (uint64_t)vm->glue->hz;
	(void)sim_sleep(vm->sim, chan, priority, wmesg, timeout);
}

/* ------------------------------------------------------------ U areas */

/* Objects of the kernel's own are counted apart. */
static vm_object_t
glue_object_allocate(struct vm *vm, vm_pindex_t size)
{
	vm_object_t object = vm_object_allocate(vm, OBJT_DEFAULT, size);

	vm->object_count--;
	vm->kernel_objects++;
	return (object);
}

static void
glue_object_deallocate(struct vm *vm, vm_object_t object)
{
	vm->object_count++;
	vm->kernel_objects--;
	vm_object_deallocate(vm, object);
}

static bool
glue_uarea_address(struct vm *vm, struct proc *p)
{
	(void)vm;
	(void)p;
	return (true);
}

static void
glue_uarea_qenter(struct vm *vm, struct proc *p, vm_page_t *ma,
    uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if ((p->p_sflag & PS_SWAPPINGIN) != 0)
			vm_glue_check_stamp(vm, ma[i], p->p_pid);
		else
			vm_glue_stamp(vm, ma[i], p->p_pid);
		vm_spend(vm, vm->cost.pmap_enter);
	}
}

static void
glue_uarea_qremove(struct vm *vm, struct proc *p, uint32_t count)
{
	(void)p;
	while (count-- > 0)
		vm_spend(vm, vm->cost.pmap_remove);
}

static void
glue_setrunnable(struct vm *vm, struct thread *td)
{
	if (setrunnable(vm, td))
		(void)sim_thread_release(vm->sim, td->td_sim);
}

/* ------------------------------------------------------------ maps */

static bool
glue_map_trylock(struct vm *vm, struct vmspace *vs)
{
	return (vm_map_trylock(vm, &vs->vm_map));
}

static void
glue_map_unlock(struct vm *vm, struct vmspace *vs)
{
	vm_map_unlock(vm, &vs->vm_map);
}

static uint64_t
glue_resident_count(struct vm *vm, struct vmspace *vs)
{
	return (vm->pmap->resident_count(vm, vs->vm_map.pmap));
}

/* vm_map_check_protection: no holes, and all rights everywhere. */
static bool
glue_check_protection(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, int prot)
{
	vm_map_entry_t e;
	bool ok = true;

	if (vs == NULL)
		return (false);
	vm_map_lock_read(vm, &vs->vm_map);
	for (; ok && start < end; start = e->end) {
		ok = vm_map_lookup_entry(&vs->vm_map, start, &e) &&
		    (e->protection & prot) == prot;
		if (!ok)
			break;
	}
	vm_map_unlock_read(vm, &vs->vm_map);
	return (ok);
}

/* As in the seed, nobody hears of a failure. */
static void
glue_map_wire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	(void)vm_map_wire(vm, vs, start, end, user);
}

static void
glue_map_unwire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user)
{
	(void)vm_map_unwire(vm, vs, start, end, user);
}

/* ------------------------------------------------------------ fork */

/* The mappings of a U area and its stack are machine-independent here. */
static void
glue_cpu_fork(struct vm *vm, struct thread *td, struct proc *p2,
    struct thread *td2, int flags)
{
	(void)vm;
	(void)td;
	(void)p2;
	(void)td2;
	(void)flags;
}

static void
glue_cpu_wait(struct vm *vm, struct proc *p)
{
	(void)vm;
	(void)p;
}

static void
glue_vmspace_unshare(struct vm *vm, struct proc *p)
{
	vm_proc_set_vmspace(vm, p, vmspace_fork(vm, p->p_vmspace));
}

/* Shared segments have been given to the child with its address space. */
static void
glue_shmfork(struct vm *vm, struct proc *p1, struct proc *p2)
{
	(void)vm;
	p2->p_vmspace->vm_shm = p1->p_vmspace->vm_shm;
}

static void
glue_vmspace_exitfree(struct vm *vm, struct proc *p)
{
	vm_proc_set_vmspace(vm, p, NULL);
}

const struct vm_glue_env vm_glue_env_kernel = {
	.tsleep = glue_tsleep,
	.proc_lock = NULL,
	.object_allocate = glue_object_allocate,
	.object_deallocate = glue_object_deallocate,
	.uarea_address = glue_uarea_address,
	.uarea_qenter = glue_uarea_qenter,
	.uarea_qremove = glue_uarea_qremove,
	.swapin_thread = pmap_swapin_thread,
	.swapout_thread = pmap_swapout_thread,
	.setrunnable = glue_setrunnable,
	.map_trylock = glue_map_trylock,
	.map_unlock = glue_map_unlock,
	.vmspace_free = vmspace_free,
	.resident_count = glue_resident_count,
	.check_protection = glue_check_protection,
	.map_wire = glue_map_wire,
	.map_unwire = glue_map_unwire,
	.vmspace_unshare = glue_vmspace_unshare,
	.vmspace_fork = vmspace_fork,
	.shmfork = glue_shmfork,
	.cpu_fork = glue_cpu_fork,
	.cpu_wait = glue_cpu_wait,
	.vmspace_exitfree = glue_vmspace_exitfree,
};

/* ------------------------------------------------------------ life cycle */

#define SRC "FreeBSD 5.0 vm_glue.c, SYSCTL_INT"

static const struct tunable glue_rows[] = {
	{ .name = "vm.swap_idle_threshold1", .type = TUN_INT,
	    .offset = offsetof(struct vm_glue, swap_idle_threshold1),
	    .def = 2, .min = INT32_MIN, .max = INT32_MAX, .unit = "s",
	    .source = SRC,
	    .help = "time asleep before which no process is swapped out; "
		    "below 0: none ever" },
	{ .name = "vm.swap_idle_threshold2", .type = TUN_INT,
	    .offset = offsetof(struct vm_glue, swap_idle_threshold2),
	    .def = 10, .min = INT32_MIN, .max = INT32_MAX, .unit = "s",
	    .source = SRC,
	    .help = "time asleep after which a process is idle "
		    "(vm.swap_idle_enabled)" },
	{ .name = "kern.maxslp", .type = TUN_INT,
	    .offset = offsetof(struct vm_glue, maxslp),
	    .def = MAXSLP, .min = 0, .max = 10000, .unit = "s",
	    .source = "FreeBSD 5.0 vm_meter.c, maxslp",
	    .help = "the swapper looks for work after half of it" },
};

int
vm_glue_create(struct vm *vm, const struct vm_glue_env *env, void *env_ctx)
{
	struct vm_glue *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return (-ENOMEM);
	g->env = env != NULL ? env : &vm_glue_env_kernel;
	g->env_ctx = env_ctx;
	g->uarea_pages = UAREA_PAGES;
	g->maxslp = MAXSLP;
	g->hz = GLUE_HZ;
	g->swap_idle_threshold1 = 2;
	g->swap_idle_threshold2 = 10;
	vm->glue = g;
	vm_sched_create(vm);
	return (0);
}

void
vm_glue_destroy(struct vm *vm)
{
	if (vm->glue == NULL)
		return;
	vm_sched_stop(vm);
	free(vm->glue);
	vm->glue = NULL;
}

int
vm_glue_tunables(struct vm *vm, struct tunables *ts)
{
	int error;

	error = tunables_register(ts, glue_rows,
	    sizeof(glue_rows) / sizeof(glue_rows[0]), vm->glue);
	return (error != 0 ? error : vm_sched_tunables(vm, ts));
}

/*
 * The process that all others descend from. kern.hz, when set, holds for the
 * swapper too (R20).
 */
void
vm_glue_boot(struct vm *vm)
{
	struct vm_glue *g = vm->glue;

	if (vm->tunables != NULL && tunables_is_set(vm->tunables, "kern.hz"))
		g->hz = vm->hz;
	g->limits = (struct vm_limits) { .stack_cur = UINT64_MAX,
		.stack_max = UINT64_MAX,
		.data_cur = UINT64_MAX,
		.data_max = UINT64_MAX };
	vm_init_limits(vm, &g->limits);
	g->proc0 = vm_proc_new(vm, 0, "swapper", NULL, NULL);
	if (g->proc0 == NULL)
		sim_nomem(vm->sim, "process 0");
	g->proc0->p_flag |= P_SYSTEM;
	g->proc0->p_rss_cur = g->limits.rss_cur;
	g->proc0->p_rss_max = g->limits.rss_max;
	vm_sched_start(vm);
}

static void
glue_swapper(void *arg)
{
	scheduler(arg);
}

void
vm_glue_start(struct vm *vm)
{
	struct sim_thread *st;

	if (vm->pageout->opt_no_swapping)
		return;
	st = sim_thread_create(vm->sim, "swapper", PVM, glue_swapper, vm);
	if (st == NULL)
		sim_nomem(vm->sim, "the thread swapper");
	(void)vm_thread_new(vm, vm->glue->proc0, 0, st);
	vm->pageout->swapout_procs = swapout_procs;
	vm->pageout->faultin = faultin;
}

/* ------------------------------------------------------------ invariants */

static void
glue_check_object(struct vm *vm, vm_object_t object, int32_t pages, bool in,
    const char *what, int32_t owner)
{
	int32_t wired = 0;
	vm_page_t m;

	if (object == NULL)
		return;
	TAILQ_FOREACH (m, &object->memq, listq)
		wired += m->wire_count != 0;
	KASSERT(vm->sim, wired == (in ? pages : 0),
	    ("%s of %d: %d of %d pages are wired, swapped %s", what, owner,
		wired, pages, in ? "in" : "out"));
}

static void
glue_check_thread(struct vm *vm, const struct proc *p, struct thread *td,
    bool in)
{
	KASSERT(vm->sim, in || (td->td_inhibitors & TDI_SWAPPED) != 0,
	    ("thread %d of swapped-out process %d could run", td->td_tid,
		p->p_pid));
	glue_check_object(vm, td->td_kstack_obj, KSTACK_PAGES, in,
	    "kernel stack", td->td_tid);
}

/* Processes in memory have all their pages wired, those that are out none. */
void
vm_glue_check(struct vm *vm)
{
	struct thread *td;
	struct proc *p;

	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		bool in = (p->p_sflag & PS_INMEM) != 0;

		if (p->p_state == PRS_NEW ||
		    (p->p_sflag & (PS_SWAPPING | PS_SWAPPINGIN)) != 0)
			continue;
		glue_check_object(vm, p->p_upages_obj,
		    (int32_t)vm->glue->uarea_pages, in, "U area", p->p_pid);
		TAILQ_FOREACH(td, &p->p_threads, td_plist)
			glue_check_thread(vm, p, td, in);
	}
}
