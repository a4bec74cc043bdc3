/*
 * procfs_machine.c: what /proc, /proc/sys and /sys/devices/system/cpu say of
 * the machine.
 *
 * Interface: proc_machine_text of sim/syscall_int.h. Source: the formats of
 * proc(5), Linux 6.1. Differences: figures are the simulated machine's, with
 * the kernel's own queues where Linux counts page cache; what it has no
 * counterpart of is 0 or not there.
 */
#include <inttypes.h>
#include <stdio.h>

#include "sim/syscall_int.h"

#define KB(pages) ((uint64_t)(pages) * (PAGE_SIZE / 1024))
#define TICK_NS 10000000 /* 100 a second */

/* ---- memory ---- */

static void
write_meminfo(FILE *f, struct sysstate *ss)
{
	struct vm *vm = ss->vm;
	uint64_t idle = vm_stat(vm, "v_free_count");
	uint64_t cache = vm_stat(vm, "v_cache_count");
	uint64_t inactive = vm_stat(vm, "v_inactive_count");
	const struct {
		const char *name;
		uint64_t kb;
	} rows[] = { { "MemTotal:", machine_mem_bytes(ss->m) / 1024 },
		{ "MemFree:", KB(idle) },
		{ "MemAvailable:", KB(idle + cache + inactive) },
		{ "Buffers:", 0 }, { "Cached:", KB(cache) },
		{ "SwapCached:", 0 },
		{ "Active:", KB(vm_stat(vm, "v_active_count")) },
		{ "Inactive:", KB(inactive) },
		{ "Unevictable:", KB(vm_stat(vm, "v_wire_count")) },
		{ "SwapTotal:", KB(vm_swap_total(vm)) },
		{ "SwapFree:", KB(vm_swap_free(vm)) } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(f, "%-16s%8" PRIu64 " kB\n", rows[i].name, rows[i].kb);
}

static void
write_vmstat(FILE *f, struct vm *vm)
{
	const uint64_t swap_in = vm_stat(vm, "v_swappgsin");
	const uint64_t swap_out = vm_stat(vm, "v_swappgsout");
	const struct {
		const char *name;
		uint64_t v;
	} rows[] = { { "nr_free_pages", vm_stat(vm, "v_free_count") },
		{ "pgpgin", KB(swap_in + vm_stat(vm, "v_vnodepgsin")) },
		{ "pgpgout", KB(swap_out + vm_stat(vm, "v_vnodepgsout")) },
		{ "pswpin", swap_in }, { "pswpout", swap_out },
		{ "pgfree", vm_stat(vm, "v_tfree") },
		{ "pgfault", vm_stat(vm, "v_vm_faults") },
		{ "pgmajfault", vm_stat(vm, "v_io_faults") } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(f, "%s %" PRIu64 "\n", rows[i].name, rows[i].v);
}

static void
write_swaps(FILE *f, struct vm *vm)
{
	uint64_t total = vm_swap_total(vm);

	fprintf(f, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (total != 0)
		fprintf(f, "%-39s partition\t%" PRIu64 "\t\t%" PRIu64
		    "\t\t-2\n", "/dev/sdb1", KB(total),
		    KB(total - vm_swap_free(vm)));
}

/* ---- processors ---- */

/* The model that the simulated CPU announces. */
static void
write_cpuinfo(FILE *f, struct sysstate *ss)
{
	uint64_t khz = sim_hz(ss->sim) / 1000;

	for (uint32_t i = 0; i < sim_ncpus(ss->sim); i++) {
		fprintf(f, "processor\t: %u\nvendor_id\t: GenuineIntel\n"
		    "cpu family\t: 6\nmodel\t\t: 44\n"
		    "model name\t: Westmere E56xx/L56xx/X56xx (Nehalem-C)\n"
		    "stepping\t: 1\ncpu MHz\t\t: %" PRIu64 ".%03" PRIu64 "\n"
		    "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\n"
		    "cpu cores\t: %u\nfpu\t\t: yes\n", i, khz / 1000,
		    khz % 1000, sim_ncpus(ss->sim), i, sim_ncpus(ss->sim));
		fprintf(f, "flags\t\t: fpu de pse tsc msr pae mce cx8 apic sep "
		    "mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 "
		    "syscall nx lm constant_tsc rep_good nopl cpuid pni "
		    "pclmulqdq ssse3 cx16 sse4_1 sse4_2 popcnt aes lahf_lm\n"
		    "clflush size\t: 64\ncache_alignment\t: 64\n"
		    "address sizes\t: 40 bits physical, 48 bits virtual\n\n");
	}
}

static void
write_cpulist(FILE *f, uint32_t ncpus)
{
	fprintf(f, "0");
	if (ncpus > 1)
		fprintf(f, "-%u", ncpus - 1);
	fputc('\n', f);
}

/* Ticks in user mode, in the kernel and idle. */
struct cpu_ticks {
	uint64_t user, kernel, idle;
};

static struct cpu_ticks
cpu_ticks(const struct sysstate *ss, uint32_t cpu)
{
	uint64_t all = sim_to_ns(ss->sim, sim_now(ss->sim)) / TICK_NS;
	struct cpu_ticks t;

	t.user = sim_to_ns(ss->sim, machine_user_cycles(ss->m, cpu)) /
	    TICK_NS;
	t.idle = sim_to_ns(ss->sim, sim_cpu_idle_cycles(ss->sim, cpu)) /
	    TICK_NS;
	t.kernel = all > t.user + t.idle ? all - t.user - t.idle : 0;
	return (t);
}

static void
write_cpu_line(FILE *f, const struct cpu_ticks *t)
{
	fprintf(f, " %" PRIu64 " 0 %" PRIu64 " %" PRIu64 " 0 0 0 0 0 0\n",
	    t->user, t->kernel, t->idle);
}

/* Threads that run or could, and those that wait for memory or a disk. */
static void
count_tasks(const struct sysstate *ss, uint32_t *running, uint32_t *blocked,
    uint32_t *all)
{
	const struct uthread *t;
	const struct uproc *p;

	*running = *blocked = *all = 0;
	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		TAILQ_FOREACH(t, &p->threads, link) {
			bool asleep = sim_thread_channel(t->st) != NULL;

			++*all;
			*running += !asleep;
			*blocked += asleep && !t->sig.interruptible &&
			    !p->stopped;
		}
	}
}

static void
write_cpustat(FILE *f, struct sysstate *ss)
{
	struct cpu_ticks sum = { 0, 0, 0 }, t;
	uint32_t ncpus = sim_ncpus(ss->sim), running, blocked, all;
	uint64_t boot_ns = machine_wall_ns(ss->m) -
	    sim_to_ns(ss->sim, sim_now(ss->sim));

	for (uint32_t i = 0; i < ncpus; i++) {
		t = cpu_ticks(ss, i);
		sum.user += t.user;
		sum.kernel += t.kernel;
		sum.idle += t.idle;
	}
	fprintf(f, "cpu ");
	write_cpu_line(f, &sum);
	for (uint32_t i = 0; i < ncpus; i++) {
		t = cpu_ticks(ss, i);
		fprintf(f, "cpu%u", i);
		write_cpu_line(f, &t);
	}
	count_tasks(ss, &running, &blocked, &all);
	fprintf(f, "intr 0\nctxt %" PRIu64 "\nbtime %" PRIu64 "\nprocesses %"
	    PRIu64 "\nprocs_running %u\nprocs_blocked %u\n",
	    sim_context_switches(ss->sim), boot_ns / 1000000000,
	    vm_stat(ss->vm, "v_forks"), running, blocked);
}

static void
write_loadavg(FILE *f, struct sysstate *ss)
{
	uint32_t running, blocked, all;
	uint64_t avg[VM_LOADAVGS];

	vm_loadavg(ss->vm, avg);
	for (int i = 0; i < VM_LOADAVGS; i++)
		fprintf(f, "%" PRIu64 ".%02" PRIu64 " ", avg[i] / 100,
		    avg[i] % 100);
	count_tasks(ss, &running, &blocked, &all);
	fprintf(f, "%u/%u %d\n", running, all, machine_last_pid(ss->m));
}

static void
write_uptime(FILE *f, struct sysstate *ss)
{
	uint64_t cs = sim_to_ns(ss->sim, sim_now(ss->sim)) / TICK_NS;
	uint64_t idle = sim_to_ns(ss->sim, sim_idle_cycles(ss->sim)) /
	    TICK_NS;

	fprintf(f, "%" PRIu64 ".%02" PRIu64 " %" PRIu64 ".%02" PRIu64 "\n",
	    cs / 100, cs % 100, idle / 100, idle % 100);
}

/* ---- constants ---- */

static const struct {
	enum vfs_proc_file which;
	const char *text;
} constants[] = {
	{ PROC_VERSION, "Linux version 6.1.0 (vmsim) #1 SMP vmsim" },
	{ PROC_FILESYSTEMS, "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\n"
	    "nodev\toverlay" },
	{ PROC_FILE_MAX, "9223372036854775807" },
	{ PROC_NR_OPEN, "1048576" },
	{ PROC_PIPE_MAX, "1048576" },
	{ PROC_CAP_LAST, "40" },
	{ PROC_CORE_PATTERN, "core" },
	{ PROC_HOSTNAME, "vmsim" },
	{ PROC_NGROUPS_MAX, "65536" },
	{ PROC_OSRELEASE, "6.1.0" },
	{ PROC_OSTYPE, "Linux" },
	{ PROC_PID_MAX, "4194304" },
	{ PROC_THREADS_MAX, "16384" },
	{ PROC_OSVERSION, "#1 SMP vmsim" },
	{ PROC_MAX_MAP_COUNT, "2147483647" },
	{ PROC_MMAP_MIN_ADDR, "65536" },
	{ PROC_OVERCOMMIT, "1" },
};

static int
write_constant(FILE *f, enum vfs_proc_file which)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (constants[i].which == which) {
			fprintf(f, "%s\n", constants[i].text);
			return (0);
		}
	}
	return (-EINVAL);
}

int
proc_machine_text(FILE *f, struct sysstate *ss, enum vfs_proc_file which)
{
	switch (which) {
	case PROC_MEMINFO:
		write_meminfo(f, ss);
		return (0);
	case PROC_VMSTAT:
		write_vmstat(f, ss->vm);
		return (0);
	case PROC_SWAPS:
		write_swaps(f, ss->vm);
		return (0);
	case PROC_CPUINFO:
		write_cpuinfo(f, ss);
		return (0);
	case PROC_CPULIST:
		write_cpulist(f, sim_ncpus(ss->sim));
		return (0);
	case PROC_CPUSTAT:
		write_cpustat(f, ss);
		return (0);
	case PROC_LOADAVG:
		write_loadavg(f, ss);
		return (0);
	case PROC_UPTIME:
		write_uptime(f, ss);
		return (0);
	default:
		return (write_constant(f, which));
	}
}
