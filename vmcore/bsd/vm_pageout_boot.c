/*
 * vm_pageout_boot.c: creation of the page daemon's state, its tunables, and
 * the threads `pagedaemon` (one a domain) and `vmdaemon`.
 *
 * Interface: vm_pageout.h.
 * Source:    FreeBSD 11 vm_pageout.c (variables, SYSCTL_INT, kproc_desc),
 *            vm/vm_meter.c of the same time for the thresholds' names.
 * Differs:   thresholds set by hand before boot survive vm_pageout_init.
 */
#include <errno.h>
#include <stdlib.h>

#include "vmcore/bsd/vm_pageout.h"

#define PAGEPROC_PID 32
#define VMPROC_PID 31

int
vm_pageout_create_with(struct vm *vm, const struct vm_page_ops *ops,
    const struct vm_pageout_env *env, void *env_ctx)
{
	struct vm_pageout *po = calloc(1, sizeof(*po));

	if (po == NULL)
		return (-ENOMEM);
	po->page_ops = ops;
	po->env = env;
	po->env_ctx = env_ctx;
	po->opt_maxmemdom = VM_MAXDOMAINS;
	po->opt_racct = 1;
	po->vm_pageout_page_count = VM_PAGEOUT_PAGE_COUNT;
	po->vm_pageout_oom_seq = 12;
	po->vm_max_launder = 32;
	po->vm_pageout_rest = PAGEOUT_REST;
	po->lowmem_period = 10;
	po->vm_swap_enabled = 1;
	po->oom_swaps_in = 1;
	sim_rng_init(&po->lock_fail, sim_rng_seed(vm->sim), "lock_fail");
	vm->pageout = po;
	vm->f11_predicates = true;
	return (0);
}

int
vm_pageout_create(struct vm *vm)
{
	return (vm_pageout_create_with(vm, &vm_page_ops_f5,
	    &vm_pageout_env_kernel, NULL));
}

void
vm_pageout_destroy(struct vm *vm)
{
	free(vm->pageout);
	vm->pageout = NULL;
}

/* ------------------------------------------------- tunables */

#define SRC "FreeBSD 11 vm_pageout.c, SYSCTL_INT"
#define SRC_METER "FreeBSD 11 vm_meter.c, SYSCTL_UINT; set by vm_pageout_init"

#define ROW(sysctl, tuntype, field, ...)                        \
	{                                                       \
		.name = (sysctl), .type = (tuntype),            \
		.offset = offsetof(struct vm_pageout, field),   \
		__VA_ARGS__                                     \
	}

static const struct tunable pageout_rows[] = {
	ROW("vm.panic_on_oom", TUN_BOOL, vm_panic_on_oom,
	    .def = 0, .min = 0, .max = 1, .unit = "", .source = SRC,
	    .help = "panic on out of memory instead of killing the largest "
		    "process"),
	ROW("vm.max_launder", TUN_INT, vm_max_launder,
	    .def = 32, .min = INT32_MIN, .max = INT32_MAX, .unit = "pages",
	    .source = SRC,
	    .help = "clean calls that succeed in a first scan for memory; "
		    "below 1 counts as 1"),
	ROW("vm.pageout_update_period", TUN_INT, vm_pageout_update_period,
	    .flags = TUN_AUTO, .def = 0, .min = 0, .max = 21474,
	    .unit = "s", .source = SRC,
	    .help = "time in which the idle daemon visits every active page; "
		    "0 at boot: 600; 0 later: never"),
	ROW("vm.pageout_rest", TUN_INT, vm_pageout_rest,
	    .def = PAGEOUT_REST, .min = 1, .max = 1000000, .unit = "ms",
	    .source = "FreeBSD 11 vm_pageout.c, hz / 2 in vm_pageout_worker()",
	    .help = "rest of the page daemon after a scan without limits that "
		    "did not free enough"),
	ROW("vm.lowmem_period", TUN_INT, lowmem_period,
	    .def = 10, .min = 0, .max = INT32_MAX, .unit = "s", .source = SRC,
	    .help = "least time between calls of the low-memory handlers"),
	ROW("vm.swap_enabled", TUN_BOOL, vm_swap_enabled,
	    .def = 1, .min = 0, .max = 1, .unit = "", .source = SRC,
	    .help = "swap out whole processes when a scan fails its target"),
	ROW("vm.swap_idle_enabled", TUN_BOOL, vm_swap_idle_enabled,
	    .def = 0, .min = 0, .max = 1, .unit = "", .source = SRC,
	    .help = "swap out whole processes that are idle"),
	ROW("vm.defer_swapspace_pageouts", TUN_BOOL, defer_swap_pageouts,
	    .def = 0, .min = 0, .max = 1, .unit = "", .source = SRC,
	    .help = "write dirty anonymous pages only below v_free_min"),
	ROW("vm.disable_swapspace_pageouts", TUN_BOOL, disable_swap_pageouts,
	    .def = 0, .min = 0, .max = 1, .unit = "", .source = SRC,
	    .help = "never write dirty anonymous pages"),
	ROW("vm.pageout_lock_miss", TUN_INT, pageout_lock_miss,
	    .flags = TUN_RD, .def = 0, .min = 0, .max = INT32_MAX,
	    .unit = "", .source = SRC,
	    .help = "vnodes that a scan could not lock in time"),
	ROW("vm.pageout_oom_seq", TUN_INT, vm_pageout_oom_seq,
	    .def = 12, .min = INT32_MIN, .max = INT32_MAX, .unit = "scans",
	    .source = SRC,
	    .help = "fruitless scans in a row that make a vote for killing a "
		    "process"),
	ROW("vm.pageout_oom_swapin", TUN_BOOL, oom_swaps_in,
	    .def = 0, .min = 0, .max = 1, .unit = "",
	    .source = "FreeBSD 11 vm_pageout.c, _PHOLD in vm_pageout_oom()",
	    .help = "swap every candidate in to measure it, which can use up "
		    "the daemon's own reserve; 0: only the chosen one"),
	ROW("vm.max_wired", TUN_INT, vm_page_max_wired,
	    .flags = TUN_AUTO, .def = 0, .min = 0, .max = INT32_MAX,
	    .unit = "pages", .source = SRC,
	    .help = "most pages that may be wired; 0 at boot: a third of the "
		    "free ones"),
	ROW("kern.racct.enable", TUN_BOOL, racct_enable,
	    .flags = TUN_BOOT, .def = 0, .min = 0, .max = 1, .unit = "",
	    .source = "FreeBSD 11 kern_racct.c, SYSCTL_BOOL",
	    .help = "resource accounting: the vm daemon enforces RACCT "
		    "resident limits once a second"),
	ROW("vm.lowmem_pages", TUN_UINT, lowmem_pages,
	    .def = 0, .min = 0, .max = UINT32_MAX, .unit = "pages",
	    .source = "companions 12: low-memory event",
	    .help = "frames of its own that the kernel gives back at each "
		    "low-memory event"),
	ROW("vm.uma_reclaim_pages", TUN_UINT, uma_pages,
	    .def = 0, .min = 0, .max = UINT32_MAX, .unit = "pages",
	    .source = "companions 12: uma_reclaim",
	    .help = "frames of its own that the kernel's allocator gives back "
		    "each time it is drained"),
	ROW("inject.lock_fail", TUN_UINT, inject_lock_fail,
	    .def = 0, .min = 0, .max = 1000000, .unit = "ppm",
	    .source = "companions R12",
	    .help = "tries for a lock by the page and vm daemons that fail "
		    "though nobody owns it"),
};

#define VMROW(sysctl, tuntype, field, ...)                 \
	{                                                  \
		.name = (sysctl), .type = (tuntype),       \
		.offset = offsetof(struct vm, field),      \
		__VA_ARGS__                                \
	}
#define THRESHOLD(field, about)                                         \
	VMROW("vm.stats.vm." #field, TUN_UINT, cnt.field, .flags = TUN_RD, \
	    .def = 0, .min = 0, .max = UINT32_MAX, .unit = "pages",     \
	    .source = SRC_METER, .help = about)
#define SETTABLE(field, about)                                       \
	VMROW("vm." #field, TUN_UINT, cnt.field, .flags = TUN_AUTO,  \
	    .def = 0, .min = 0, .max = UINT32_MAX, .unit = "pages",  \
	    .source = SRC_METER, .help = about "; 0: computed at boot")

static const struct tunable vm_rows[] = {
	VMROW("kern.hz", TUN_INT, hz, .flags = TUN_BOOT,
	    .def = 1000, .min = 1, .max = 100000, .unit = "1/s",
	    .source = "FreeBSD 11 subr_param.c, kern.hz; companions R20",
	    .help = "ticks per second of the daemons and of faults"),
	VMROW("vm.pageout_wakeup_thresh", TUN_INT, vm_pageout_wakeup_thresh,
	    .flags = TUN_AUTO, .def = 0, .min = 0, .max = INT32_MAX,
	    .unit = "pages", .source = SRC,
	    .help = "free and cached pages below which the page daemon is "
		    "woken; 0: computed at boot"),
	SETTABLE(v_free_target, "free and cached pages that a scan aims for"),
	SETTABLE(v_free_min, "free and cached pages below which threads wait"),
	SETTABLE(v_free_reserved, "pages kept for the kernel's own needs"),
	SETTABLE(v_inactive_target, "inactive pages that a scan aims for"),
	SETTABLE(v_pageout_free_min, "pages kept for the page daemon itself"),
	SETTABLE(v_free_severe, "free and cached pages below which memory is "
				"severely short"),
	THRESHOLD(v_interrupt_free_min, "pages kept for interrupt time"),
};
#define NVM_ROWS (sizeof(vm_rows) / sizeof(vm_rows[0]))

int
vm_pageout_tunables(struct vm *vm, struct tunables *ts)
{
	int error;

	error = tunables_register(ts, pageout_rows,
	    sizeof(pageout_rows) / sizeof(pageout_rows[0]), vm->pageout);
	if (error == 0)
		error = tunables_register(ts, vm_rows, NVM_ROWS, vm);
	return (error);
}

/* ------------------------------------------------- boot */

/* All rows of vm_rows hold 32 bits. */
static uint32_t *
vm_row_field(struct vm *vm, const struct tunable *t)
{
	return ((uint32_t *)(void *)((char *)vm + t->offset));
}

/*
 * vm_pageout_boot: vm_pageout_init, but thresholds that the user has set (to
 * something else than 0) stay.
 */
void
vm_pageout_boot(struct vm *vm)
{
	uint32_t given[NVM_ROWS] = { 0 };

	for (size_t i = 0; i < NVM_ROWS; i++) {
		if ((vm_rows[i].flags & TUN_AUTO) != 0)
			given[i] = *vm_row_field(vm, &vm_rows[i]);
	}
	vm_pageout_init(vm);
	for (size_t i = 0; i < NVM_ROWS; i++) {
		if (given[i] != 0)
			*vm_row_field(vm, &vm_rows[i]) = given[i];
	}
}

static void
vm_pageout_main(void *arg)
{
	vm_pageout(arg);
}

static void
vm_daemon_main(void *arg)
{
	vm_daemon(arg);
}

/* A system process with one thread. */
static struct proc *
vm_pageout_kproc(struct vm *vm, const char *name, int32_t pid, int priority,
    sim_thread_fn *fn)
{
	struct sim_thread *st;
	struct proc *p;

	p = vm_proc_new(vm, pid, name, NULL, NULL);
	st = p != NULL ? sim_thread_create(vm->sim, name, priority, fn, vm) :
			 NULL;
	if (st == NULL)
		sim_nomem(vm->sim, "the thread %s", name);
	p->p_flag |= P_SYSTEM;
	p->p_sflag |= PS_INMEM;
	(void)vm_thread_new(vm, p, pid, st);
	return (p);
}

void
vm_pageout_start(struct vm *vm)
{
	struct vm_pageout *po = vm->pageout;

	for (uint32_t d = 0; d < vm->ndomains; d++)
		KASSERT(vm->sim, vm->dom[d].vmd_nsegs != 0,
		    ("domain %u without segments", d));
	vm->pageproc = vm_pageout_kproc(vm, "pagedaemon", PAGEPROC_PID, PVM,
	    vm_pageout_main);
	if (!po->opt_no_swapping)
		po->vmproc = vm_pageout_kproc(vm, "vmdaemon", VMPROC_PID,
		    PPAUSE, vm_daemon_main);
}
