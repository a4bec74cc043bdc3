/*
 * procfs.c: what /proc and /sys/devices/system/cpu say.
 *
 * Interface: sys_proc_ops, handed to the file tree (struct vfs_proc_ops of
 * sim/vfs.h). Source: the formats of proc(5), Linux 6.1. Differences: figures
 * are the simulated machine's; what it has no counterpart of is 0.
 */
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define MAPS_NAME_COLUMN 73
#define KB(pages) ((unsigned long long)(pages) * (PAGE_SIZE / 1024))

/* ---- what processes there are ---- */

static int32_t
proc_self(void *ctx)
{
	const struct uthread *t = sys_curthread(ctx);

	return (t != NULL ? t->p->pid : 0);
}

static int32_t
proc_next(void *ctx, int32_t pid)
{
	const struct sysstate *ss = ctx;
	const struct uproc *p;
	int32_t best = 0;

	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		if (p->pid > pid && (best == 0 || p->pid < best))
			best = p->pid;
	}
	return (best);
}

static int
proc_next_fd(void *ctx, int32_t pid, int fd)
{
	const struct uproc *p = uproc_find(ctx, pid);

	return (p != NULL ? fd_next(p->fds, fd) : -1);
}

static struct inode *
proc_fd_inode(void *ctx, int32_t pid, int fd, char *text, size_t size)
{
	const struct uproc *p = uproc_find(ctx, pid);
	struct file *f = p != NULL ? fd_get(p->fds, fd) : NULL;
	struct vfs_stat st;

	if (f == NULL)
		return (NULL);
	if (f->ip != NULL)
		return (f->ip);
	file_stat(f, &st);
	if (text != NULL && strchr(f->ops->name, ':') != NULL)
		snprintf(text, size, "%s", f->ops->name);
	else if (text != NULL)
		snprintf(text, size, "%s:[%llu]", f->ops->name,
		    (unsigned long long)st.ino);
	return (NULL);
}

static int
proc_link(void *ctx, int32_t pid, enum vfs_proc_link which, char *buf,
    size_t size)
{
	const struct uproc *p = uproc_find(ctx, pid);

	if (p == NULL)
		return (-ENOENT);
	switch (which) {
	case PROC_EXE:
		if (p->exe_path == NULL)
			return (-ENOENT);
		snprintf(buf, size, "%s", p->exe_path);
		return (0);
	case PROC_CWD:
		return (inode_dirpath(p->cwd, buf, size));
	case PROC_ROOT:
		snprintf(buf, size, "/");
		return (0);
	}
	return (-ENOENT);
}

/* ---- of a process ---- */

static const char *
map_name(const struct uproc *p, const struct vm_map_info *mi,
    struct inode *ip)
{
	if (mi->vp != NULL)
		return (ip != NULL ? inode_path(ip) : vm_vnode_name(mi->vp));
	if (mi->stack || mi->end == p->stack_top)
		return ("[stack]");
	if (mi->start < p->brk && mi->end > p->brk_start)
		return ("[heap]");
	return (NULL);
}

static void
write_map_line(FILE *f, const struct uproc *p, const struct vm_map_info *mi)
{
	struct inode *ip = mi->vp != NULL ?
	    vfs_inode_of(p->sys->vfs, mi->vp) : NULL;
	const char *name = map_name(p, mi, ip);
	struct vfs_stat st;
	int n;

	memset(&st, 0, sizeof(st));
	if (ip != NULL)
		inode_stat(ip, &st);
	n = fprintf(f, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
	    (unsigned long long)mi->start, (unsigned long long)mi->end,
	    mi->prot & VM_PROT_READ ? 'r' : '-',
	    mi->prot & VM_PROT_WRITE ? 'w' : '-',
	    mi->prot & VM_PROT_EXECUTE ? 'x' : '-', mi->shared ? 's' : 'p',
	    (unsigned long long)(mi->vp != NULL ? mi->offset : 0),
	    (unsigned)(st.dev >> 8), (unsigned)(st.dev & 0xff),
	    (unsigned long long)st.ino);
	if (name != NULL)
		fprintf(f, "%*s%s%s", n < MAPS_NAME_COLUMN ?
		    MAPS_NAME_COLUMN - n : 0, "", name,
		    ip != NULL && st.nlink == 0 ? " (deleted)" : "");
	fputc('\n', f);
}

static void
write_maps(FILE *f, const struct uproc *p)
{
	struct vm_map_info mi;
	vm_offset_t at = 0;

	while (p->vs != NULL && vm_map_info(p->vs, at, &mi)) {
		write_map_line(f, p, &mi);
		at = mi.end;
	}
}

/*
 * Bytes of a process's memory, as far as they can be read. It may sleep, and
 * the process may end meanwhile.
 */
static void
write_memory(FILE *f, struct sysstate *ss, struct vmspace *vs,
    vm_offset_t from, vm_offset_t to)
{
	struct cpu_engine *cpu = machine_cpu(ss->m);
	uint8_t buf[512];

	if (vs == NULL)
		return;
	vmspace_ref(vs);
	while (from < to) {
		size_t n = to - from < sizeof(buf) ? to - from : sizeof(buf);

		if (vm_copyin(ss->vm, vs, from, buf, n) != 0)
			break;
		fwrite(buf, 1, n, f);
		from += n;
	}
	if (vmspace_ref_count(vs) == 1)
		cpu->ops->pmap_gone(cpu, vmspace_pmap(vs));
	vmspace_free(ss->vm, vs);
}

static unsigned
count_threads(const struct uproc *p)
{
	const struct uthread *t;
	unsigned n = 0;

	TAILQ_FOREACH(t, &p->threads, link)
		n++;
	return (n);
}

/* A zombie has no memory. */
static uint64_t
map_pages(const struct uproc *p)
{
	return (p->vs != NULL ? vm_map_size(p->vs) / PAGE_SIZE : 0);
}

static uint64_t
resident_pages(const struct uproc *p)
{
	return (p->vs != NULL ? vmspace_resident_count(p->vs) : 0);
}

static uint64_t
data_bytes(const struct uproc *p)
{
	return (p->vs != NULL ? vm_map_data_size(p->vs) : 0);
}

/* As ps shows it; of several threads the liveliest counts. */
static const char *
state_name(const struct uproc *p)
{
	const char *state = "D (disk sleep)";
	const struct uthread *t;

	if (p->zombie)
		return ("Z (zombie)");
	TAILQ_FOREACH(t, &p->threads, link) {
		if (sim_thread_channel(t->st) == NULL)
			return ("R (running)");
		if (t->sig.interruptible)
			state = "S (sleeping)";
		else if (p->stopped)
			state = "T (stopped)";
	}
	return (state);
}

static void
write_status(FILE *f, const struct uproc *p)
{
	uint32_t ncpus = sim_ncpus(p->sys->sim);
	uint64_t rss = resident_pages(p);
	uint64_t hwm = p->peak_rss_pages > rss ? p->peak_rss_pages : rss;

	fprintf(f, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n"
	    "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n"
	    "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t0 \n",
	    p->comm, p->umask, state_name(p), p->pid, p->pid,
	    p->parent != NULL ? p->parent->pid : 1);
	fprintf(f, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\n"
	    "VmPin:\t       0 kB\nVmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\n"
	    "VmData:\t%8llu kB\nVmSwap:\t       0 kB\n",
	    KB(map_pages(p)), KB(map_pages(p)),
	    p->vs == NULL ? 0ull : (unsigned long long)vm_map_locked(p->vs, 0,
	    USER_VA_MAX) / 1024, KB(hwm), KB(rss),
	    (unsigned long long)data_bytes(p) / 1024);
	fprintf(f, "Threads:\t%u\nCpus_allowed_list:\t0", count_threads(p));
	if (ncpus > 1)
		fprintf(f, "-%u", ncpus - 1);
	fputc('\n', f);
}

static void
write_stat(FILE *f, const struct uproc *p)
{
	const uint64_t tick = 10000000; /* ns: 100 a second */

	fprintf(f, "%d (%s) %c %d %d %d 0 -1 4194304 %llu 0 %llu 0 %llu 0 0 0 "
	    "20 0 %u 0 0 %llu %llu 18446744073709551615 0 0 %llu 0 0 0 0 0 0 "
	    "0 0 0 17 0 0 0 0 0 0 0 0 %llu %llu %llu %llu %llu %d\n",
	    p->pid, p->comm, state_name(p)[0],
	    p->parent != NULL ? p->parent->pid : 1, p->pgid,
	    p->sid, (unsigned long long)p->minflt,
	    (unsigned long long)p->majflt,
	    (unsigned long long)(sim_to_ns(p->sys->sim, p->user_cycles) /
	    tick), count_threads(p),
	    (unsigned long long)map_pages(p) * PAGE_SIZE,
	    (unsigned long long)resident_pages(p),
	    (unsigned long long)p->stack_top,
	    (unsigned long long)p->brk_start,
	    (unsigned long long)p->arg_start, (unsigned long long)p->arg_end,
	    (unsigned long long)p->env_start, (unsigned long long)p->env_end,
	    p->exit_status);
}

static void
write_statm(FILE *f, const struct uproc *p)
{
	fprintf(f, "%llu %llu 0 0 0 %llu 0\n",
	    (unsigned long long)map_pages(p),
	    (unsigned long long)resident_pages(p),
	    (unsigned long long)(data_bytes(p) / PAGE_SIZE));
}

static int
write_process(FILE *f, struct sysstate *ss, int32_t pid,
    enum vfs_proc_file which)
{
	const struct uproc *p = uproc_find(ss, pid);

	if (p == NULL || (p->vs == NULL && !p->zombie))
		return (-ESRCH);
	switch (which) {
	case PROC_MAPS:
		write_maps(f, p);
		break;
	case PROC_CMDLINE:
		write_memory(f, p->sys, p->vs, p->arg_start, p->arg_end);
		break;
	case PROC_ENVIRON:
		write_memory(f, p->sys, p->vs, p->env_start, p->env_end);
		break;
	case PROC_STATUS:
		write_status(f, p);
		break;
	case PROC_STAT:
		write_stat(f, p);
		break;
	case PROC_STATM:
		write_statm(f, p);
		break;
	default:
		fprintf(f, "%s\n", p->comm);
		break;
	}
	return (0);
}

/* ---- of the machine ---- */

static void
write_meminfo(FILE *f, struct sysstate *ss)
{
	struct vm *vm = ss->vm;
	uint64_t idle = vm_stat(vm, "v_free_count");
	uint64_t cache = vm_stat(vm, "v_cache_count");
	uint64_t inactive = vm_stat(vm, "v_inactive_count");

	fprintf(f, "MemTotal:       %8llu kB\nMemFree:        %8llu kB\n"
	    "MemAvailable:   %8llu kB\nBuffers:        %8llu kB\n"
	    "Cached:         %8llu kB\nSwapCached:     %8llu kB\n"
	    "Active:         %8llu kB\nInactive:       %8llu kB\n",
	    (unsigned long long)machine_mem_bytes(ss->m) / 1024, KB(idle),
	    KB(idle + cache + inactive), 0ull, KB(cache), 0ull,
	    KB(vm_stat(vm, "v_active_count")), KB(inactive));
	fprintf(f, "SwapTotal:      %8llu kB\nSwapFree:       %8llu kB\n",
	    KB(vm_swap_total(vm)), KB(vm_swap_free(vm)));
}

/* The model that the simulated CPU announces. */
static void
write_cpuinfo(FILE *f, struct sysstate *ss)
{
	unsigned long long khz = sim_hz(ss->sim) / 1000;

	for (uint32_t i = 0; i < sim_ncpus(ss->sim); i++) {
		fprintf(f, "processor\t: %u\nvendor_id\t: GenuineIntel\n"
		    "cpu family\t: 6\nmodel\t\t: 44\n"
		    "model name\t: Westmere E56xx/L56xx/X56xx (Nehalem-C)\n"
		    "stepping\t: 1\ncpu MHz\t\t: %llu.%03llu\n"
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
write_uptime(FILE *f, struct sysstate *ss)
{
	uint64_t cs = sim_to_ns(ss->sim, sim_now(ss->sim)) / 10000000;
	uint64_t idle = sim_to_ns(ss->sim, sim_idle_cycles(ss->sim)) /
	    10000000;

	fprintf(f, "%llu.%02llu %llu.%02llu\n",
	    (unsigned long long)cs / 100, (unsigned long long)cs % 100,
	    (unsigned long long)idle / 100, (unsigned long long)idle % 100);
}

static int
write_machine(FILE *f, struct sysstate *ss, enum vfs_proc_file which)
{
	uint32_t ncpus = sim_ncpus(ss->sim);

	switch (which) {
	case PROC_MEMINFO:
		write_meminfo(f, ss);
		return (0);
	case PROC_CPUINFO:
		write_cpuinfo(f, ss);
		return (0);
	case PROC_UPTIME:
		write_uptime(f, ss);
		return (0);
	case PROC_VERSION:
		fprintf(f, "Linux version 6.1.0 (vmsim) #1 SMP vmsim\n");
		return (0);
	case PROC_CPULIST:
		if (ncpus > 1)
			fprintf(f, "0-%u\n", ncpus - 1);
		else
			fprintf(f, "0\n");
		return (0);
	default:
		return (-EINVAL);
	}
}

static int
proc_text(void *ctx, int32_t pid, enum vfs_proc_file which, char **text,
    size_t *length)
{
	struct sysstate *ss = ctx;
	FILE *f;
	int error;

	*text = NULL;
	f = open_memstream(text, length);
	if (f == NULL)
		return (-ENOMEM);
	error = pid != 0 ? write_process(f, ss, pid, which) :
	    write_machine(f, ss, which);
	if (fclose(f) != 0 && error == 0)
		error = -ENOMEM;
	if (error != 0) {
		free(*text);
		*text = NULL;
	}
	return (error);
}

const struct vfs_proc_ops sys_proc_ops = {
	.self = proc_self,
	.next = proc_next,
	.next_fd = proc_next_fd,
	.fd_inode = proc_fd_inode,
	.link = proc_link,
	.text = proc_text,
};
