/*
 * syscall_misc.c: identity, limits, the machine, scheduling, and threads'
 * set-up.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: the manual pages, Linux
 * 6.1. Differences: every id is 0 (root) and stays what it is set to only
 * where that is 0; scheduling calls accept SCHED_OTHER alone.
 */
#include <asm/prctl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "sim/syscall_int.h"

#define NGROUPS_MAX_ 65536u

/* ---- who ---- */

int64_t
sys_getpid(struct sysctx *c)
{
	return (c->p->pid);
}

int64_t
sys_gettid(struct sysctx *c)
{
	return (c->t->tid);
}

int64_t
sys_getppid(struct sysctx *c)
{
	return (c->p->parent != NULL ? c->p->parent->pid : 1);
}

int64_t
sys_getuid(struct sysctx *c)
{
	return (0);
}

int64_t
sys_geteuid(struct sysctx *c)
{
	return (0);
}

int64_t
sys_getgid(struct sysctx *c)
{
	return (0);
}

int64_t
sys_getegid(struct sysctx *c)
{
	return (0);
}

/* Each of n ids must be 0, or -1 where that means "as it is". */
static int64_t
set_ids(struct sysctx *c, int n, bool keep)
{
	for (int i = 0; i < n; i++) {
		uint32_t id = (uint32_t)c->a[i];

		if (id == UINT32_MAX && !keep)
			return (-EINVAL);
		if (id != 0 && id != UINT32_MAX)
			return (-EPERM);
	}
	return (0);
}

int64_t
sys_setuid(struct sysctx *c)
{
	return (set_ids(c, 1, false));
}

int64_t
sys_setgid(struct sysctx *c)
{
	return (set_ids(c, 1, false));
}

int64_t
sys_setreuid(struct sysctx *c)
{
	return (set_ids(c, 2, true));
}

int64_t
sys_setregid(struct sysctx *c)
{
	return (set_ids(c, 2, true));
}

int64_t
sys_setresuid(struct sysctx *c)
{
	return (set_ids(c, 3, true));
}

int64_t
sys_setresgid(struct sysctx *c)
{
	return (set_ids(c, 3, true));
}

/* They answer the previous id, and never fail. */
int64_t
sys_setfsuid(struct sysctx *c)
{
	return (0);
}

int64_t
sys_setfsgid(struct sysctx *c)
{
	return (0);
}

static int64_t
get_three(struct sysctx *c)
{
	const uint32_t id = 0;
	int error = 0;

	for (int i = 0; i < 3 && error == 0; i++)
		error = sys_copyout(c, c->a[i], &id, sizeof(id));
	return (error);
}

int64_t
sys_getresuid(struct sysctx *c)
{
	return (get_three(c));
}

int64_t
sys_getresgid(struct sysctx *c)
{
	return (get_three(c));
}

/* Supplementary groups are kept and told; nothing depends on them. */
int64_t
sys_getgroups(struct sysctx *c)
{
	const struct uproc *p = c->p;
	int room = (int)c->a[0], error = 0;

	if (room < 0 || (room != 0 && (uint32_t)room < p->ngroups))
		return (-EINVAL);
	if (room != 0)
		error = sys_copyout(c, c->a[1], p->groups,
		    p->ngroups * sizeof(*p->groups));
	return (error != 0 ? error : (int64_t)p->ngroups);
}

static int
compare_ids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

int64_t
sys_setgroups(struct sysctx *c)
{
	uint32_t n = (uint32_t)c->a[0], *groups;
	int error;

	if (n > NGROUPS_MAX_)
		return (-EINVAL);
	groups = (uint32_t *)(void *)sys_large_buf(c, 0, n * sizeof(*groups));
	if (groups == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, c->a[1], groups, n * sizeof(*groups));
	if (error != 0)
		return (error);
	qsort(groups, n, sizeof(*groups), compare_ids);
	return (uproc_set_groups(c->p, groups, n));
}

int64_t
sys_getpgrp(struct sysctx *c)
{
	return (c->p->pgid);
}

static struct uproc *
process_or_self(struct sysctx *c, uint64_t pid)
{
	return ((int32_t)pid == 0 ? c->p : uproc_find(c->ss, (int32_t)pid));
}

int64_t
sys_getpgid(struct sysctx *c)
{
	const struct uproc *p = process_or_self(c, c->a[0]);

	return (p != NULL ? p->pgid : -ESRCH);
}

int64_t
sys_getsid(struct sysctx *c)
{
	const struct uproc *p = process_or_self(c, c->a[0]);

	return (p != NULL ? p->sid : -ESRCH);
}

int64_t
sys_setpgid(struct sysctx *c)
{
	struct uproc *p = process_or_self(c, c->a[0]);
	int32_t pgid = (int32_t)c->a[1];
	const struct uproc *o;

	if (pgid < 0)
		return (-EINVAL);
	if (p == NULL || (p != c->p && p->parent != c->p))
		return (-ESRCH);
	if (pgid == 0)
		pgid = p->pid;
	if (p->sid != c->p->sid)
		return (-EPERM);
	if (p != c->p && p->execed)
		return (-EACCES);
	if (p->sid == p->pid)
		return (-EPERM);
	if (pgid != p->pid) {
		TAILQ_FOREACH(o, &c->ss->procs, sys_link) {
			if (o->pgid == pgid && o->sid == c->p->sid)
				break;
		}
		if (o == NULL)
			return (-EPERM);
	}
	p->pgid = pgid;
	return (0);
}

int64_t
sys_setsid(struct sysctx *c)
{
	const struct uproc *o;

	TAILQ_FOREACH(o, &c->ss->procs, sys_link) {
		if (o->pgid == c->p->pid)
			return (-EPERM);
	}
	c->p->sid = c->p->pgid = c->p->pid;
	return (c->p->pid);
}

/* Every capability but the one that lifts RLIMIT_MEMLOCK. */
int64_t
sys_capget(struct sysctx *c)
{
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[2];
	uint64_t all = ((1ull << (CAP_LAST_CAP + 1)) - 1) &
	    ~(1ull << CAP_IPC_LOCK);
	int error, n;

	error = sys_copyin(c, c->a[0], &head, sizeof(head));
	if (error != 0)
		return (error);
	n = head.version == _LINUX_CAPABILITY_VERSION_1 ? 1 : 2;
	if (n == 2 && head.version != _LINUX_CAPABILITY_VERSION_2 &&
	    head.version != _LINUX_CAPABILITY_VERSION_3) {
		head.version = _LINUX_CAPABILITY_VERSION_3;
		error = sys_copyout(c, c->a[0], &head, sizeof(head));
		return (error != 0 || c->a[1] == 0 ? error : -EINVAL);
	}
	if (head.pid != 0 && uproc_find(c->ss, head.pid) == NULL)
		return (-ESRCH);
	memset(data, 0, sizeof(data));
	for (int i = 0; i < n; i++)
		data[i].effective = data[i].permitted =
		    (uint32_t)(all >> (32 * i));
	return (c->a[1] == 0 ? 0 : sys_copyout(c, c->a[1], data,
	    (uint64_t)n * sizeof(data[0])));
}

/* Capabilities may be given up; nothing here asks for them again. */
int64_t
sys_capset(struct sysctx *c)
{
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[2];
	int error;

	error = sys_copyin(c, c->a[0], &head, sizeof(head));
	if (error != 0)
		return (error);
	if (head.version != _LINUX_CAPABILITY_VERSION_1 &&
	    head.version != _LINUX_CAPABILITY_VERSION_2 &&
	    head.version != _LINUX_CAPABILITY_VERSION_3)
		return (-EINVAL);
	if (head.pid != 0 && head.pid != c->p->pid)
		return (-EPERM);
	return (sys_copyin(c, c->a[1], data,
	    head.version == _LINUX_CAPABILITY_VERSION_1 ? sizeof(data[0]) :
	    sizeof(data)));
}

/* ---- the machine ---- */

int64_t
sys_uname(struct sysctx *c)
{
	struct utsname u;

	memset(&u, 0, sizeof(u));
	strcpy(u.sysname, "Linux");
	strcpy(u.nodename, "vmsim");
	strcpy(u.release, "6.1.0");
	strcpy(u.version, "#1 SMP vmsim");
	strcpy(u.machine, "x86_64");
	strcpy(u.domainname, "(none)");
	return (sys_copyout(c, c->a[0], &u, sizeof(u)));
}

int64_t
sys_sysinfo(struct sysctx *c)
{
	uint64_t load[VM_LOADAVGS];
	const struct uproc *p;
	struct sysinfo si;

	memset(&si, 0, sizeof(si));
	vm_loadavg(c->vm, load);
	for (int i = 0; i < VM_LOADAVGS; i++)
		si.loads[i] = load[i] * (1u << SI_LOAD_SHIFT) / 100;
	si.uptime = (long)(sim_to_ns(c->sim, sim_now(c->sim)) / 1000000000);
	si.totalram = machine_mem_bytes(c->m);
	si.freeram = (vm_stat(c->vm, "v_free_count") +
	    vm_stat(c->vm, "v_cache_count")) * PAGE_SIZE;
	si.totalswap = vm_swap_total(c->vm) * PAGE_SIZE;
	si.freeswap = vm_swap_free(c->vm) * PAGE_SIZE;
	TAILQ_FOREACH(p, &c->ss->procs, sys_link)
		si.procs++;
	si.mem_unit = 1;
	return (sys_copyout(c, c->a[0], &si, sizeof(si)));
}

int64_t
sys_getrandom(struct sysctx *c)
{
	uint64_t n = c->a[1], done = 0;
	uint8_t *buf = sys_buf(c, 0);

	if ((uint32_t)c->a[2] & ~(uint32_t)(GRND_NONBLOCK | GRND_RANDOM |
	    GRND_INSECURE))
		return (-EINVAL);
	if (buf == NULL)
		return (-ENOMEM);
	if (n > INT32_MAX)
		n = INT32_MAX;
	while (done < n) {
		uint64_t k = n - done < SYSBUF_SIZE ? n - done : SYSBUF_SIZE;
		int error;

		sys_random_bytes(c->ss, buf, k);
		error = sys_copyout(c, c->a[0] + done, buf, k);
		if (error != 0)
			return (done != 0 ? (int64_t)done : error);
		done += k;
		if (done < n && signal_pending(c->t))
			break;
	}
	return ((int64_t)done);
}

/* ---- limits ---- */

#define LIMITS 16

static int
set_limit(struct uproc *p, uint32_t which, const uint64_t new[2])
{
	if (new[0] > new[1])
		return (-EINVAL);
	if (which == RLIMIT_NOFILE && new[1] > 1u << 20)
		return (-EPERM);
	p->rlim_cur[which] = new[0];
	p->rlim_max[which] = new[1];
	if (which == RLIMIT_RSS)
		vm_proc_set_rlimit(p->proc, VM_RLIMIT_RSS, new[0]);
	return (0);
}

static int64_t
do_prlimit(struct sysctx *c, struct uproc *p, uint32_t which,
    vm_offset_t new_va, vm_offset_t old_va)
{
	uint64_t new[2], old[2];
	int error = 0;

	if (which >= LIMITS)
		return (-EINVAL);
	old[0] = p->rlim_cur[which];
	old[1] = p->rlim_max[which];
	if (new_va != 0) {
		error = sys_copyin(c, new_va, new, sizeof(new));
		if (error == 0)
			error = set_limit(p, which, new);
	}
	if (error == 0 && old_va != 0)
		error = sys_copyout(c, old_va, old, sizeof(old));
	return (error);
}

int64_t
sys_prlimit64(struct sysctx *c)
{
	struct uproc *p = process_or_self(c, c->a[0]);

	if (p == NULL)
		return (-ESRCH);
	return (do_prlimit(c, p, (uint32_t)c->a[1], c->a[2], c->a[3]));
}

int64_t
sys_getrlimit(struct sysctx *c)
{
	if (c->a[1] == 0)
		return (-EFAULT);
	return (do_prlimit(c, c->p, (uint32_t)c->a[0], 0, c->a[1]));
}

int64_t
sys_setrlimit(struct sysctx *c)
{
	if (c->a[1] == 0)
		return (-EFAULT);
	return (do_prlimit(c, c->p, (uint32_t)c->a[0], c->a[1], 0));
}

/* ---- a thread's set-up ---- */

int64_t
sys_arch_prctl(struct sysctx *c)
{
	uint64_t base = c->a[1];

	switch ((int)c->a[0]) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (base >= USER_VA_MAX)
			return (-EPERM);
		if ((int)c->a[0] == ARCH_SET_FS)
			c->regs.fs_base = base;
		else
			c->regs.gs_base = base;
		return (0);
	case ARCH_GET_FS:
		return (sys_copyout(c, base, &c->regs.fs_base, 8));
	case ARCH_GET_GS:
		return (sys_copyout(c, base, &c->regs.gs_base, 8));
	default:
		return (-EINVAL);
	}
}

int64_t
sys_set_tid_address(struct sysctx *c)
{
	c->t->clear_child_tid = c->a[0];
	return (c->t->tid);
}

int64_t
sys_set_robust_list(struct sysctx *c)
{
	if (c->a[1] != 24)
		return (-EINVAL);
	c->t->robust_list = c->a[0];
	return (0);
}

int64_t
sys_get_robust_list(struct sysctx *c)
{
	const uint64_t size = 24;
	uint64_t head = c->t->robust_list;
	int error;

	if ((int32_t)c->a[0] != 0 && (int32_t)c->a[0] != c->t->tid)
		return (sys_is_task(c, c->a[0]) ? -EPERM : -ESRCH);
	error = sys_copyout(c, c->a[2], &size, sizeof(size));
	return (error != 0 ? error :
	    sys_copyout(c, c->a[1], &head, sizeof(head)));
}

static int64_t
set_name(struct sysctx *c)
{
	struct uthread *t = c->t;
	char name[16];
	size_t n;
	int error;

	memset(name, 0, sizeof(name));
	error = vm_copyinstr(c->vm, c->vs, c->a[1], name, sizeof(name), &n);
	if (error != 0 && error != ENAMETOOLONG)
		return (-EFAULT);
	name[sizeof(name) - 1] = '\0';
	n = strlen(name);
	memset(name + n, 0, sizeof(name) - n);
	memcpy(t->comm, name, sizeof(name));
	if (t->tid == t->p->pid)
		memcpy(t->p->comm, name, sizeof(name));
	return (0);
}

int64_t
sys_prctl(struct sysctx *c)
{
	int32_t value;

	switch ((int)c->a[0]) {
	case PR_SET_NAME:
		return (set_name(c));
	case PR_GET_NAME:
		return (sys_copyout(c, c->a[1], c->t->comm, 16));
	case PR_SET_DUMPABLE:
		if (c->a[1] > 1)
			return (-EINVAL);
		c->p->dumpable = (int32_t)c->a[1];
		return (0);
	case PR_GET_DUMPABLE:
		return (c->p->dumpable);
	case PR_SET_PDEATHSIG:
		if (c->a[1] > 64)
			return (-EINVAL);
		c->p->death_signal = (int32_t)c->a[1];
		return (0);
	case PR_GET_PDEATHSIG:
		value = c->p->death_signal;
		return (sys_copyout(c, c->a[1], &value, sizeof(value)));
	case PR_SET_CHILD_SUBREAPER:
		c->p->subreaper = c->a[1] != 0;
		return (0);
	case PR_GET_CHILD_SUBREAPER:
		value = c->p->subreaper;
		return (sys_copyout(c, c->a[1], &value, sizeof(value)));
	case PR_SET_TIMERSLACK:
		return (0);
	case PR_GET_TIMERSLACK:
		return (50000);
	case PR_CAPBSET_READ:
		return (c->a[1] > CAP_LAST_CAP ? -EINVAL :
		    c->a[1] != CAP_IPC_LOCK);
	case PR_SET_NO_NEW_PRIVS:
		if (c->a[1] != 1 || c->a[2] != 0 || c->a[3] != 0 ||
		    c->a[4] != 0)
			return (-EINVAL);
		c->t->no_new_privs = true;
		return (0);
	case PR_GET_NO_NEW_PRIVS:
		return (c->a[1] != 0 || c->a[2] != 0 || c->a[3] != 0 ||
		    c->a[4] != 0 ? -EINVAL : c->t->no_new_privs);
	case PR_GET_SECCOMP:
	case PR_GET_KEEPCAPS:
	case PR_GET_SECUREBITS:
		return (0);
	default:
		return (-EINVAL);
	}
}

/* The query, and the native personality; nothing else can be simulated. */
int64_t
sys_personality(struct sysctx *c)
{
	uint32_t want = (uint32_t)c->a[0];

	return (want == UINT32_MAX || (want & 0xff) == 0 ? 0 : -EINVAL);
}
