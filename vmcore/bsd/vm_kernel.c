/*
 * vm_kernel.c: the kernel `bsd`: FreeBSD 11's page daemon, faults, maps and
 * pagers on FreeBSD 5's pages (companions R0), put together.
 *
 * Interface: vm_kernel_bsd (struct vm_kernel_ops), vm_add_swap,
 *            vm_min_frames, vm_overhead_bytes of vmcore/vmcore.h.
 * Source:    the modules' own.
 */
#include <errno.h>

#include "vmcore/bsd/swap_pager.h"
#include "vmcore/bsd/vm_glue.h"
#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"

/*
 * 54 frames are the target of free pages at this size, 24 a read-ahead window;
 * the rest is for the program. With 96 the daemon's twelve fruitless scans
 * come about while a program thrashes in 40 pages, and it is killed.
 */
#define BSD_MIN_FRAMES 128

/* ------------------------------------------------------------ statistics */

struct stat_row {
	const char *name, *help;
	size_t offset; /* in struct vm */
	uint8_t bytes; /* 4 or 8 */
	bool gauge;
};

#define COUNTER(field, about)                                           \
	{ #field, about, offsetof(struct vm, cnt.field), 4, false }
#define GAUGE(field, about)                                             \
	{ #field, about, offsetof(struct vm, cnt.field), 4, true }
#define KIND(n, kind, about)                                            \
	{ "vm.faults." n, about,                                        \
	    offsetof(struct vm, fault_kind[kind]), 8, false }

static const struct stat_row stat_rows[] = {
	GAUGE(v_page_count, "pages managed"),
	GAUGE(v_free_count, "pages on the free queues"),
	GAUGE(v_cache_count, "pages on the cache queues"),
	GAUGE(v_inactive_count, "pages on the inactive queues"),
	GAUGE(v_active_count, "pages on the active queues"),
	GAUGE(v_wire_count, "wired pages"),
	GAUGE(v_free_target, "free and cached pages that a scan aims for"),
	GAUGE(v_free_min, "free and cached pages below which threads wait"),
	GAUGE(v_free_reserved, "pages kept for the kernel"),
	GAUGE(v_free_severe, "pages below which memory is severely short"),
	GAUGE(v_inactive_target, "inactive pages that a scan aims for"),
	GAUGE(v_cache_min, "least pages wanted on the cache queues"),
	GAUGE(v_cache_max, "most pages wanted on the cache queues"),
	GAUGE(v_interrupt_free_min, "pages kept for interrupt time"),
	GAUGE(v_pageout_free_min, "pages kept for the page daemon"),
	COUNTER(v_pdwakeups, "times the page daemon was woken for memory"),
	COUNTER(v_pdpages, "pages looked at by the page daemon"),
	COUNTER(v_dfree, "pages freed by the page daemon"),
	COUNTER(v_tfree, "pages freed"),
	COUNTER(v_tcached, "pages moved to the cache"),
	COUNTER(v_pfree, "pages freed by ending objects"),
	COUNTER(v_reactivated, "pages that left the cache in use again"),
	COUNTER(v_vm_faults, "page faults"),
	COUNTER(v_io_faults, "page faults that read from a pager"),
	COUNTER(v_intrans, "waits for pages in transit"),
	COUNTER(v_cow_faults, "copy-on-write faults"),
	COUNTER(v_cow_optim, "... that moved the page instead of copying"),
	COUNTER(v_zfod, "pages zero-filled on demand"),
	COUNTER(v_ozfod, "... that were zeroed before"),
	COUNTER(v_swapin, "reads from swap"),
	COUNTER(v_swapout, "writes to swap"),
	COUNTER(v_swappgsin, "pages read from swap"),
	COUNTER(v_swappgsout, "pages written to swap"),
	COUNTER(v_vnodein, "reads of file pages"),
	COUNTER(v_vnodeout, "writes of file pages"),
	COUNTER(v_vnodepgsin, "pages read from files"),
	COUNTER(v_vnodepgsout, "pages written to files"),
	COUNTER(v_forks, "address spaces forked"),
	{ "vm.swap_free", "free pages of swap",
	    offsetof(struct vm, swap_pager_avail), 8, true },
	{ "vm.objects", "memory objects of programs and files",
	    offsetof(struct vm, object_count), 4, true },
	{ "vm.object_collapses", "objects merged into their only shadow",
	    offsetof(struct vm, object_collapses), 4, false },
	{ "vm.object_bypasses", "objects skipped by a shadow",
	    offsetof(struct vm, object_bypasses), 4, false },
	KIND("fast", VMF_FAST, "faults on pages of the top object"),
	KIND("resident", VMF_RESIDENT, "faults on other resident pages"),
	KIND("zero_fill", VMF_ZERO, "faults that zero-filled a page"),
	KIND("cow", VMF_COW, "faults that copied a page"),
	KIND("cow_move", VMF_COW_MOVE, "faults that moved a page up"),
	KIND("file", VMF_FILE, "faults that read from a file"),
	KIND("swap", VMF_SWAP, "faults that read from swap"),
	KIND("error", VMF_ERROR, "faults that failed"),
	{ "vm.prezeroed", "pages zeroed while idle",
	    offsetof(struct vm, cnt_prezero), 4, false },
	{ "vm.kernel_objects", "memory objects of U areas and kernel stacks",
	    offsetof(struct vm, kernel_objects), 4, true },
	{ "vm.procs_out", "processes that are swapped out",
	    offsetof(struct vm, procs_out), 4, true },
	{ "vm.proc_swapouts", "times that a whole process was swapped out",
	    offsetof(struct vm, proc_swapouts), 4, false },
	{ "vm.proc_swapins", "times that a whole process was swapped in",
	    offsetof(struct vm, proc_swapins), 4, false },
};
#define NSTATS (sizeof(stat_rows) / sizeof(stat_rows[0]))

static size_t
bsd_stat_count(const struct vm *vm)
{
	(void)vm;
	return (NSTATS);
}

static const char *
bsd_stat_name(const struct vm *vm, size_t i)
{
	(void)vm;
	return (i < NSTATS ? stat_rows[i].name : NULL);
}

static const char *
bsd_stat_help(const struct vm *vm, size_t i)
{
	(void)vm;
	return (i < NSTATS ? stat_rows[i].help : NULL);
}

static bool
bsd_stat_is_gauge(const struct vm *vm, size_t i)
{
	(void)vm;
	return (i < NSTATS && stat_rows[i].gauge);
}

static uint64_t
bsd_stat_value(const struct vm *vm, size_t i)
{
	const char *p = (const char *)vm;

	if (i >= NSTATS)
		return (0);
	p += stat_rows[i].offset;
	return (stat_rows[i].bytes == 8 ?
		*(const uint64_t *)(const void *)p :
		*(const uint32_t *)(const void *)p);
}

/* ------------------------------------------------------------ life cycle */

static const struct vm_page_hooks bsd_page_hooks = {
	.vnode_idle = vnode_pager_idle,
};

static int
bsd_create(struct vm *vm, struct tunables *ts, struct sim_err *err)
{
	int error;

	vm->pagerops[OBJT_DEFAULT] = &swap_pager_ops;
	vm->pagerops[OBJT_SWAP] = &swap_pager_ops;
	vm->pagerops[OBJT_VNODE] = &vnode_pager_ops;
	vm->pagerops[OBJT_PHYS] = &swap_pager_ops;
	vm->pagerops[OBJT_DEVICE] = &swap_pager_ops;
	vm->page_hooks = &bsd_page_hooks;
	vm_pmap_mmu_attach(vm);
	error = vm_page_tunables(vm, ts);
	if (error == 0)
		error = vm_domain_tunables(vm, ts);
	if (error == 0)
		error = vm_pageout_create(vm);
	if (error == 0)
		error = vm_pageout_tunables(vm, ts);
	if (error == 0)
		error = swap_pager_create(vm, ts);
	if (error == 0)
		error = vnode_pager_create(vm, ts);
	if (error == 0)
		error = vm_syncer_create(vm, ts);
	if (error == 0)
		error = vm_inject_create(vm, ts);
	if (error == 0)
		error = vm_glue_create(vm, NULL, NULL);
	if (error == 0)
		error = vm_glue_tunables(vm, ts);
	if (error != 0)
		return (sim_err_set(err, -error,
		    "cannot create the kernel \"bsd\""));
	return (0);
}

static void
bsd_destroy(struct vm *vm)
{
	vm_glue_destroy(vm);
	vm_contig_destroy(vm);
	vm_inject_destroy(vm);
	vm_syncer_destroy(vm);
	vnode_pager_destroy(vm);
	swap_pager_destroy(vm);
	vm_pageout_destroy(vm);
	vm_page_shutdown(vm);
}

/* Equal shares of memory, in order of address. */
static void
bsd_boot_domains(struct vm *vm)
{
	uint64_t frames = mmu_frames(vm->mmu), start, end;
	uint32_t d;

	for (d = 0; d < vm->ndomains; d++) {
		start = frames * d / vm->ndomains;
		end = frames * (d + 1) / vm->ndomains;
		vm->dom[d].vmd_nsegs = 1;
		vm->dom[d].vmd_seg[0].start = start * PAGE_SIZE;
		vm->dom[d].vmd_seg[0].end = end * PAGE_SIZE;
	}
}

static int
bsd_boot(struct vm *vm, struct sim_err *err)
{
	int error;

	bsd_boot_domains(vm);
	error = vm_page_startup(vm, err);
	if (error != 0)
		return (error);
	vm_pageout_boot(vm);
	error = swap_pager_swap_init(vm, err);
	if (error != 0)
		return (error);
	vnode_pager_boot(vm);
	vm_glue_boot(vm);
	return (0);
}

static void
bsd_start_daemons(struct vm *vm)
{
	vm_pageout_start(vm);
	vm_syncer_start(vm);
	vm_pagezero_start(vm);
	vm_glue_start(vm);
}

static void
bsd_check(struct vm *vm)
{
	struct vmspace *vs;

	vmcheck_accounted(vm);
	swap_pager_check(vm);
	vnode_pager_check(vm);
	TAILQ_FOREACH(vs, &vm->vmspaces, link)
		vm_map_check(vm, vs);
	vm_glue_check(vm);
}

/* ------------------------------------------------------------ processes */

/* Process 0 comes before everything else; its limits go to all others. */
static void
bsd_proc_new(struct vm *vm, struct proc *p, struct proc *parent)
{
	struct ksegrp *kg = TAILQ_FIRST(&p->p_ksegrps);
	const struct vm_glue *g = vm->glue;

	if ((p->p_flag & P_SYSTEM) != 0) {
		kg->kg_pri_class = PRI_ITHD;
		return;
	}
	if (parent != NULL)
		vm_sched_fork(p, parent);
	else {
		kg->kg_pri_class = PRI_TIMESHARE;
		p->p_rss_cur = g->limits.rss_cur;
		p->p_rss_max = g->limits.rss_max;
	}
	resetpriority(vm, kg);
	vm_glue_proc_new(vm, p);
}

static void
bsd_proc_free(struct vm *vm, struct proc *p)
{
	vm_sched_exit(vm, p);
	vm_waitproc(vm, p);
	if (p->p_upages_obj != NULL)
		vm_glue_proc_dispose(vm, p);
}

static void
bsd_thread_new(struct vm *vm, struct thread *td)
{
	if ((td->td_proc->p_flag & P_SYSTEM) == 0)
		pmap_new_thread(vm, td);
}

static void
bsd_thread_free(struct vm *vm, struct thread *td)
{
	if (td->td_kstack_obj != NULL)
		pmap_dispose_thread(vm, td);
}

const struct vm_kernel_ops vm_kernel_bsd = {
	.name = "bsd",
	.help = "FreeBSD 11's page daemon, faults and pagers on FreeBSD 5's "
		"pages",
	.create = bsd_create,
	.destroy = bsd_destroy,
	.boot = bsd_boot,
	.fault = vm_fault_bsd,
	.start_daemons = bsd_start_daemons,
	.stat_count = bsd_stat_count,
	.stat_name = bsd_stat_name,
	.stat_help = bsd_stat_help,
	.stat_is_gauge = bsd_stat_is_gauge,
	.stat_value = bsd_stat_value,
	.check = bsd_check,
	.proc_new = bsd_proc_new,
	.proc_free = bsd_proc_free,
	.thread_new = bsd_thread_new,
	.thread_start = vm_sched_new_thread,
	.thread_free = bsd_thread_free,
};

/* ------------------------------------------------------------ the rest */

int
vm_add_swap(struct vm *vm, struct disk *d, uint64_t first, uint64_t sectors,
    struct sim_err *err)
{
	return (swap_pager_add(vm, d, first, sectors, err));
}

uint32_t
vm_min_frames(const struct vm *vm)
{
	(void)vm;
	return (BSD_MIN_FRAMES);
}

uint64_t
vm_overhead_bytes(const struct vm *vm)
{
	return ((uint64_t)vm->page_array_size * sizeof(struct vm_page) +
	    mmu_overhead_bytes(vm->mmu) + vm->map_entry_bytes +
	    swap_pager_overhead(vm) + vm->vnodes->buf_bytes + sizeof(*vm));
}
