/*
 * nice.c: nice values: getpriority, setpriority.
 *
 * Interface: sys_getpriority, sys_setpriority of sim/syscall_table.h.
 * Source: getpriority(2); what they do: FreeBSD 5.0's scheduler (vmcore's
 * vm_sched.c). Differences: a process has one value, not each thread; the
 * guest is root, so it may always lower one.
 */
#include <sys/resource.h>

#include "sim/syscall_int.h"

#define NICE_MIN (-20)
#define NICE_MAX 19

/* Is p among those that `which` and `who` name? 0 means the caller's own. */
static bool
nice_names(const struct sysctx *c, const struct uproc *p, int which, int who)
{
	switch (which) {
	case PRIO_PROCESS:
		return (p->pid == (who != 0 ? who : c->p->pid));
	case PRIO_PGRP:
		return (p->pgid == (who != 0 ? who : c->p->pgid));
	default:
		return (who == 0); /* everybody is root */
	}
}

/* Linux answers 20 - nice, of the best one. */
int64_t
sys_getpriority(struct sysctx *c)
{
	const struct uproc *p;
	int64_t best = -ESRCH;

	if ((uint32_t)c->a[0] > PRIO_USER)
		return (-EINVAL);
	TAILQ_FOREACH(p, &c->ss->procs, sys_link) {
		if (!p->zombie && nice_names(c, p, (int)c->a[0],
		    (int)c->a[1]) && 20 - p->nice > best)
			best = 20 - p->nice;
	}
	return (best);
}

int64_t
sys_setpriority(struct sysctx *c)
{
	int nice = (int)c->a[2];
	int64_t result = -ESRCH;
	struct uproc *p;

	if ((uint32_t)c->a[0] > PRIO_USER)
		return (-EINVAL);
	if (nice < NICE_MIN)
		nice = NICE_MIN;
	if (nice > NICE_MAX)
		nice = NICE_MAX;
	TAILQ_FOREACH(p, &c->ss->procs, sys_link) {
		if (p->zombie || !nice_names(c, p, (int)c->a[0],
		    (int)c->a[1]))
			continue;
		p->nice = nice;
		vm_proc_set_nice(c->vm, p->proc, nice);
		result = 0;
	}
	return (result);
}
