/*
 * procfs.c: what /proc says of processes and their threads.
 *
 * Interface: sys_proc_ops, handed to the file tree (struct vfs_proc_ops of
 * sim/vfs.h); the machine's own files: procfs_machine.c. Source: the formats
 * of proc(5), Linux 6.1. Differences: figures are the simulated machine's;
 * what it has no counterpart of is 0.
 */
#include <linux/limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define MAPS_NAME_COLUMN 73
#define KB(pages) ((unsigned long long)(pages) * (PAGE_SIZE / 1024))
#define TICK_NS 10000000 /* 100 a second */

/* ---- what processes there are ---- */

static int32_t
proc_self(void *ctx, int32_t *tid)
{
	const struct uthread *t = sys_curthread(ctx);

	if (tid != NULL)
		*tid = t != NULL ? t->tid : 0;
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

/* A process without threads, a zombie, has itself as one. */
static int32_t
proc_next_task(void *ctx, int32_t pid, int32_t tid)
{
	const struct uproc *p = uproc_find(ctx, pid);
	const struct uthread *t;
	int32_t best = 0;

	if (p == NULL)
		return (0);
	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->tid > tid && (best == 0 || t->tid < best))
			best = t->tid;
	}
	return (best == 0 && p->zombie && pid > tid ? pid : best);
}

static const struct uthread *
find_task(const struct uproc *p, int32_t tid)
{
	const struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->tid == tid)
			return (t);
	}
	return (NULL);
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
		return (inode_cwdpath(p->fs->cwd, buf, size));
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
	if (mi->start < p->mem->brk && mi->end > p->mem->brk_start)
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
thread_state(const struct uthread *t)
{
	if (sim_thread_channel(t->st) == NULL)
		return ("R (running)");
	if (t->sig.interruptible)
		return ("S (sleeping)");
	return (t->p->stopped ? "T (stopped)" : "D (disk sleep)");
}

static const char *
state_name(const struct uproc *p, const struct uthread *only)
{
	const char *state = "D (disk sleep)";
	const struct uthread *t;

	if (p->zombie)
		return ("Z (zombie)");
	if (only != NULL)
		return (thread_state(only));
	TAILQ_FOREACH(t, &p->threads, link) {
		const char *s = thread_state(t);

		if (*s == 'R')
			return (s);
		if (*s != 'D')
			state = s;
	}
	return (state);
}

static const char *
task_name(const struct uproc *p, const struct uthread *t)
{
	return (t != NULL ? t->comm : p->comm);
}

static int32_t
parent_pid(const struct uproc *p)
{
	return (p->parent != NULL ? p->parent->pid : 1);
}

static void
write_status_memory(FILE *f, const struct uproc *p)
{
	uint64_t rss = resident_pages(p);
	uint64_t hwm = p->peak_rss_pages > rss ? p->peak_rss_pages : rss;
	uint64_t locked = p->vs != NULL ?
	    vm_map_locked(p->vs, 0, USER_VA_MAX) : 0;
	uint64_t swap = p->vs != NULL ?
	    vmspace_swap_count(p->sys->vm, p->vs) : 0;

	fprintf(f, "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t%8llu kB\n"
	    "VmPin:\t       0 kB\nVmHWM:\t%8llu kB\nVmRSS:\t%8llu kB\n"
	    "VmData:\t%8llu kB\nVmSwap:\t%8llu kB\n",
	    KB(map_pages(p)), KB(map_pages(p)),
	    (unsigned long long)locked / 1024, KB(hwm), KB(rss),
	    (unsigned long long)data_bytes(p) / 1024, KB(swap));
}

static void
write_status_signals(FILE *f, const struct uproc *p, const struct uthread *t)
{
	struct signal_sets s;

	signal_sets(p, t, &s);
	fprintf(f, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\n"
	    "SigIgn:\t%016llx\nSigCgt:\t%016llx\n",
	    (unsigned long long)s.pending, (unsigned long long)s.pending_all,
	    (unsigned long long)s.blocked, (unsigned long long)s.ignored,
	    (unsigned long long)s.caught);
}

/* t NULL: of the whole process. */
static void
write_status(FILE *f, const struct uproc *p, const struct uthread *t)
{
	const struct uthread *lead = t != NULL ? t : TAILQ_FIRST(&p->threads);
	uint32_t ncpus = sim_ncpus(p->sys->sim);

	fprintf(f, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n"
	    "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n"
	    "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t",
	    task_name(p, t), p->fs->umask, state_name(p, t), p->pid,
	    t != NULL ? t->tid : p->pid, parent_pid(p));
	for (uint32_t i = 0; i < p->ngroups; i++)
		fprintf(f, "%u ", p->groups[i]);
	fputc('\n', f);
	write_status_memory(f, p);
	fprintf(f, "Threads:\t%u\n", count_threads(p));
	write_status_signals(f, p, lead);
	fprintf(f, "Cpus_allowed_list:\t0");
	if (ncpus > 1)
		fprintf(f, "-%u", ncpus - 1);
	fprintf(f, "\nvoluntary_ctxt_switches:\t%llu\n"
	    "nonvoluntary_ctxt_switches:\t%llu\n",
	    (unsigned long long)(lead != NULL ? lead->nvcsw : p->nvcsw),
	    (unsigned long long)(lead != NULL ? lead->nivcsw : p->nivcsw));
}

/* Clock ticks of CPU time: in user mode, and in the kernel. */
static void
write_ticks(FILE *f, const struct uproc *p, uint64_t user, uint64_t all)
{
	uint64_t user_ns = sim_to_ns(p->sys->sim, user);
	uint64_t all_ns = sim_to_ns(p->sys->sim, all);

	fprintf(f, " %llu %llu", (unsigned long long)(user_ns / TICK_NS),
	    all_ns > user_ns ? (unsigned long long)((all_ns - user_ns) /
	    TICK_NS) : 0ull);
}

static void
write_stat_used(FILE *f, const struct uproc *p, const struct uthread *t)
{
	struct usage u;

	uproc_usage(p, &u);
	if (t != NULL) {
		u.minflt = t->minflt;
		u.majflt = t->majflt;
		u.user = t->user_cycles;
		u.all = sim_thread_cpu_cycles(t->st);
	}
	fprintf(f, " %llu %llu %llu %llu", (unsigned long long)u.minflt,
	    (unsigned long long)p->child.minflt, (unsigned long long)u.majflt,
	    (unsigned long long)p->child.majflt);
	write_ticks(f, p, u.user, u.all);
	write_ticks(f, p, p->child.user, p->child.all);
}

static void
write_stat_signals(FILE *f, const struct uproc *p, const struct uthread *t)
{
	const uint64_t low = 0x7fffffff;
	struct signal_sets s;

	signal_sets(p, t != NULL ? t : TAILQ_FIRST(&p->threads), &s);
	fprintf(f, " %llu %llu %llu %llu",
	    (unsigned long long)((s.pending | s.pending_all) & low),
	    (unsigned long long)(s.blocked & low),
	    (unsigned long long)(s.ignored & low),
	    (unsigned long long)(s.caught & low));
}

static void
write_stat(FILE *f, const struct uproc *p, const struct uthread *t)
{
	int nice = vm_proc_nice(p->proc);

	fprintf(f, "%d (%s) %c %d %d %d 0 -1 4194304",
	    t != NULL ? t->tid : p->pid, task_name(p, t), state_name(p, t)[0],
	    parent_pid(p), p->pgid, p->sid);
	write_stat_used(f, p, t);
	fprintf(f, " %d %d %u 0 %llu %llu %llu %llu 0 0 %llu 0 0",
	    20 + nice, nice, count_threads(p),
	    (unsigned long long)(sim_to_ns(p->sys->sim, p->start) / TICK_NS),
	    (unsigned long long)map_pages(p) * PAGE_SIZE,
	    (unsigned long long)resident_pages(p),
	    (unsigned long long)p->rlim_cur[RLIMIT_RSS],
	    (unsigned long long)p->stack_top);
	write_stat_signals(f, p, t);
	fprintf(f, " 0 0 0 %d 0 0 0 0 0 0 0 0 %llu %llu %llu %llu %llu %d\n",
	    p->exit_signal != 0 ? p->exit_signal : SIGCHLD,
	    (unsigned long long)p->mem->brk_start,
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

static void
write_limit(FILE *f, uint64_t v)
{
	if (v == UINT64_MAX)
		fprintf(f, "%-20s ", "unlimited");
	else
		fprintf(f, "%-20llu ", (unsigned long long)v);
}

static void
write_limits(FILE *f, const struct uproc *p)
{
	static const struct {
		const char *name, *unit;
	} rows[16] = { { "Max cpu time", "seconds" },
		{ "Max file size", "bytes" }, { "Max data size", "bytes" },
		{ "Max stack size", "bytes" },
		{ "Max core file size", "bytes" },
		{ "Max resident set", "bytes" },
		{ "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" },
		{ "Max address space", "bytes" }, { "Max file locks", "locks" },
		{ "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", "" },
		{ "Max realtime priority", "" },
		{ "Max realtime timeout", "us" } };

	fprintf(f, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
	    "Hard Limit", "Units");
	for (size_t i = 0; i < 16; i++) {
		fprintf(f, "%-25s ", rows[i].name);
		write_limit(f, p->rlim_cur[i]);
		write_limit(f, p->rlim_max[i]);
		fprintf(f, "%-10s\n", rows[i].unit);
	}
}

/* A path as the mount tables have it: blanks and the like in octal. */
static void
write_escaped(FILE *f, const char *path)
{
	for (; *path != '\0'; path++) {
		if (strchr(" \t\n\\", *path) != NULL)
			fprintf(f, "\\%03o", (unsigned char)*path);
		else
			fputc(*path, f);
	}
}

/* File systems: the root and what is bound read-write, then the made-up. */
static void
write_mounts(FILE *f, const struct sysstate *ss, bool info)
{
	static const char *const other[][2] = { { "proc", "/proc" },
		{ "sysfs", "/sys" }, { "tmpfs", "/dev" } };
	const char *path;
	uint64_t dev;
	uint32_t n = 0;

	while ((path = vfs_mount(ss->vfs, n, &dev)) != NULL) {
		if (info)
			fprintf(f, "%u %u %u:%u / ", n + 1, n == 0 ? 0u : 1u,
			    (unsigned)(dev >> 8), (unsigned)(dev & 0xff));
		else
			fprintf(f, "/dev/sda%u ", (unsigned)(dev & 0xff));
		write_escaped(f, path);
		if (info)
			fprintf(f, " rw,relatime - overlay /dev/sda%u rw\n",
			    (unsigned)(dev & 0xff));
		else
			fprintf(f, " overlay rw,relatime 0 0\n");
		n++;
	}
	for (uint32_t i = 0; i < 3; i++) {
		if (info)
			fprintf(f, "%u 1 0:%u / %s rw,relatime - %s %s rw\n",
			    n + i + 1, i + 20, other[i][1], other[i][0],
			    other[i][0]);
		else
			fprintf(f, "%s %s %s rw,relatime 0 0\n", other[i][0],
			    other[i][1], other[i][0]);
	}
}

static int
write_process(FILE *f, struct sysstate *ss, int32_t pid, int32_t tid,
    enum vfs_proc_file which)
{
	const struct uproc *p = uproc_find(ss, pid);
	const struct uthread *t = p != NULL ? find_task(p, tid) : NULL;

	if (p == NULL || (p->vs == NULL && !p->zombie) ||
	    (tid != 0 && t == NULL && !p->zombie))
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
		write_status(f, p, t);
		break;
	case PROC_STAT:
		write_stat(f, p, t);
		break;
	case PROC_STATM:
		write_statm(f, p);
		break;
	case PROC_LIMITS:
		write_limits(f, p);
		break;
	case PROC_MOUNTS:
	case PROC_MOUNTINFO:
		write_mounts(f, ss, which == PROC_MOUNTINFO);
		break;
	default:
		fprintf(f, "%s\n", task_name(p, t));
		break;
	}
	return (0);
}

static int
proc_text(void *ctx, int32_t pid, int32_t tid, enum vfs_proc_file which,
    char **text, size_t *length)
{
	struct sysstate *ss = ctx;
	FILE *f;
	int error;

	*text = NULL;
	f = open_memstream(text, length);
	if (f == NULL)
		return (-ENOMEM);
	error = pid != 0 ? write_process(f, ss, pid, tid, which) :
	    proc_machine_text(f, ss, which);
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
	.next_task = proc_next_task,
	.next_fd = proc_next_fd,
	.fd_inode = proc_fd_inode,
	.link = proc_link,
	.text = proc_text,
};
