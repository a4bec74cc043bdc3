/*
 * syscall_sched.c: the calls about scheduling: policies, CPUs.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: sched(7), Linux 6.1.
 * Differences: everybody has the time-sharing policy, and may not leave it;
 * an affinity is kept and told, but threads run where they run. nice values:
 * nice.c.
 */
#include <sched.h>
#include <string.h>

#include "sim/syscall_int.h"

/* 0: the caller. */
static struct uthread *
find_task(struct sysctx *c, uint64_t tid)
{
	struct uthread *t;
	struct uproc *p;

	if ((int32_t)tid == 0)
		return (c->t);
	TAILQ_FOREACH(p, &c->ss->procs, sys_link) {
		TAILQ_FOREACH(t, &p->threads, link) {
			if (t->tid == (int32_t)tid)
				return (t);
		}
	}
	return (NULL);
}

/* Process 1 is nobody, but who asks for its parent gets that answer. */
bool
sys_is_task(struct sysctx *c, uint64_t tid)
{
	return ((int32_t)tid == 1 || find_task(c, tid) != NULL);
}

/* All CPUs that there are, bit by bit. */
static uint64_t
all_cpus(const struct sysctx *c)
{
	uint32_t n = sim_ncpus(c->sim);

	return (n >= 64 ? UINT64_MAX : (1ull << n) - 1);
}

int64_t
sys_sched_getaffinity(struct sysctx *c)
{
	const struct uthread *t;
	uint64_t mask;
	int error;

	if (c->a[1] * 8 < sim_ncpus(c->sim) || c->a[1] % 8 != 0)
		return (-EINVAL);
	t = find_task(c, c->a[0]);
	if (t == NULL)
		return (-ESRCH);
	mask = t->affinity != 0 ? t->affinity : all_cpus(c);
	error = sys_copyout(c, c->a[2], &mask, sizeof(mask));
	return (error != 0 ? error : (int64_t)sizeof(mask));
}

int64_t
sys_sched_setaffinity(struct sysctx *c)
{
	uint64_t n = c->a[1] < 8 ? c->a[1] : 8, mask = 0;
	struct uthread *t;
	int error;

	error = sys_copyin(c, c->a[2], &mask, n);
	if (error != 0)
		return (error);
	t = find_task(c, c->a[0]);
	if (t == NULL)
		return (-ESRCH);
	mask &= all_cpus(c);
	if (mask == 0)
		return (-EINVAL);
	t->affinity = mask;
	return (0);
}

/* One node has all memory, whatever the domains are. */
int64_t
sys_getcpu(struct sysctx *c)
{
	const uint32_t cpu = sim_curcpu(c->sim), node = 0;
	int error = 0;

	if (c->a[0] != 0)
		error = sys_copyout(c, c->a[0], &cpu, sizeof(cpu));
	if (error == 0 && c->a[1] != 0)
		error = sys_copyout(c, c->a[1], &node, sizeof(node));
	return (error);
}

int64_t
sys_sched_getscheduler(struct sysctx *c)
{
	if ((int32_t)c->a[0] < 0)
		return (-EINVAL);
	return (sys_is_task(c, c->a[0]) ? SCHED_OTHER : -ESRCH);
}

int64_t
sys_sched_setscheduler(struct sysctx *c)
{
	int32_t pri;
	int error;

	if ((int32_t)c->a[0] < 0 || c->a[2] == 0)
		return (-EINVAL);
	error = sys_copyin(c, c->a[2], &pri, sizeof(pri));
	if (error != 0)
		return (error);
	if (!sys_is_task(c, c->a[0]))
		return (-ESRCH);
	switch ((int)c->a[1]) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return (pri == 0 ? 0 : -EINVAL);
	case SCHED_FIFO:
	case SCHED_RR:
		return (pri >= 1 && pri <= 99 ? -EPERM : -EINVAL);
	default:
		return (-EINVAL);
	}
}

int64_t
sys_sched_getparam(struct sysctx *c)
{
	const int32_t pri = 0;

	if ((int32_t)c->a[0] < 0 || c->a[1] == 0)
		return (-EINVAL);
	if (!sys_is_task(c, c->a[0]))
		return (-ESRCH);
	return (sys_copyout(c, c->a[1], &pri, sizeof(pri)));
}

int64_t
sys_sched_setparam(struct sysctx *c)
{
	int32_t pri;
	int error;

	if ((int32_t)c->a[0] < 0 || c->a[1] == 0)
		return (-EINVAL);
	error = sys_copyin(c, c->a[1], &pri, sizeof(pri));
	if (error != 0)
		return (error);
	if (!sys_is_task(c, c->a[0]))
		return (-ESRCH);
	return (pri == 0 ? 0 : -EINVAL);
}

static int64_t
priority_limit(int policy, int64_t real_time)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return (real_time);
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return (0);
	default:
		return (-EINVAL);
	}
}

int64_t
sys_sched_get_priority_max(struct sysctx *c)
{
	return (priority_limit((int)c->a[0], 99));
}

int64_t
sys_sched_get_priority_min(struct sysctx *c)
{
	return (priority_limit((int)c->a[0], 1));
}

int64_t
sys_sched_rr_get_interval(struct sysctx *c)
{
	uint64_t ns = sim_to_ns(c->sim, sim_quantum(c->sim));
	const uint64_t ts[2] = { ns / 1000000000, ns % 1000000000 };

	if ((int32_t)c->a[0] < 0)
		return (-EINVAL);
	if (!sys_is_task(c, c->a[0]))
		return (-ESRCH);
	return (sys_copyout(c, c->a[1], ts, sizeof(ts)));
}
