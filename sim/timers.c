/*
 * timers.c: alarm and interval timers, and the limit of CPU time.
 *
 * Interface: sys_alarm, sys_getitimer, sys_setitimer; itimers_* and
 * cpu_timers_* of sim/syscall_int.h. Source: alarm(2), setitimer(2),
 * setrlimit(2); kernel/time/posix-cpu-timers.c of Linux 6.1 for the signals
 * of RLIMIT_CPU. Differences: ITIMER_REAL fires at its exact cycle; what
 * counts CPU time fires at the exact cycle of user mode if one thread runs
 * alone, and what is spent in the kernel is counted when it is over.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "sim/syscall_int.h"

#define USEC 1000000ll

struct itimer {
	struct uproc *p;
	struct sim_event real;
	uint64_t interval[3]; /* cycles; 0: once */
	uint64_t due[3]; /* ITIMER_VIRTUAL, _PROF: when; 0: off */
};

static void
real_fire(void *arg, sim_time_t when)
{
	struct itimer *it = arg;
	uint64_t interval = it->interval[ITIMER_REAL];

	if (interval != 0)
		sim_event_at(it->p->sys->sim, &it->real, when + interval);
	signal_post(it->p, SIGALRM);
}

static struct itimer *
itimer_of(struct uproc *p)
{
	if (p->itimer == NULL) {
		p->itimer = calloc(1, sizeof(*p->itimer));
		if (p->itimer == NULL)
			return (NULL);
		p->itimer->p = p;
		sim_event_init(&p->itimer->real, "itimer", 0, real_fire,
		    p->itimer);
	}
	return (p->itimer);
}

void
itimers_free(struct uproc *p)
{
	if (p->itimer == NULL)
		return;
	sim_event_cancel(p->sys->sim, &p->itimer->real);
	free(p->itimer);
	p->itimer = NULL;
}

bool
itimers_pending(const struct uproc *p)
{
	return (p->itimer != NULL && sim_event_pending(&p->itimer->real));
}

/* ---- CPU time ---- */

/* What a timer counts of the process's time so far, in cycles. */
static uint64_t
cpu_used(const struct uproc *p, int which)
{
	return (which == ITIMER_VIRTUAL ? p->user_cycles : uproc_cycles(p));
}

/* A point in CPU time, as it limits how long t may run. */
static uint64_t
within(uint64_t due, uint64_t used, uint64_t cycles)
{
	uint64_t left = due > used ? due - used : 1;

	return (left < cycles ? left : cycles);
}

static bool
has_cpu_limit(const struct uproc *p)
{
	return (p->rlim_cur[RLIMIT_CPU] != UINT64_MAX);
}

static uint64_t
limit_cycles(const struct uproc *p, uint64_t seconds)
{
	return (sim_us(p->sys->sim, seconds < UINT64_MAX / (uint64_t)USEC ?
	    seconds * (uint64_t)USEC : UINT64_MAX));
}

uint64_t
cpu_timers_limit(const struct uthread *t, uint64_t cycles)
{
	const struct uproc *p = t->p;
	const struct itimer *it = p->itimer;
	const struct cpu_sleep *cs;

	for (int i = ITIMER_VIRTUAL; it != NULL && i <= ITIMER_PROF; i++) {
		if (it->due[i] != 0)
			cycles = within(it->due[i], cpu_used(p, i), cycles);
	}
	LIST_FOREACH(cs, &p->cpu_sleeps, link)
		cycles = within(cs->due, uproc_cycles(p), cycles);
	if (has_cpu_limit(p))
		cycles = within(limit_cycles(p, p->rlim_cur[RLIMIT_CPU]),
		    uproc_cycles(p), cycles);
	return (p->cpu_ptimers != 0 ? ptimers_limit(t, cycles) : cycles);
}

static void
check_itimer(struct itimer *it, int which, int signo)
{
	uint64_t used;

	if (it->due[which] == 0)
		return;
	used = cpu_used(it->p, which);
	if (used < it->due[which])
		return;
	it->due[which] = it->interval[which] != 0 ?
	    it->due[which] + it->interval[which] : 0;
	signal_post(it->p, signo);
}

/* SIGXCPU once a second beyond the soft limit, SIGKILL at the hard one. */
static void
check_limit(struct uproc *p)
{
	uint64_t used = uproc_cycles(p);
	uint64_t soft = p->rlim_cur[RLIMIT_CPU];
	uint64_t hard = p->rlim_max[RLIMIT_CPU];

	if (hard != UINT64_MAX && used >= limit_cycles(p, hard)) {
		signal_post(p, SIGKILL);
		return;
	}
	if (used < limit_cycles(p, soft))
		return;
	p->rlim_cur[RLIMIT_CPU] = soft + 1;
	signal_post(p, SIGXCPU);
}

void
cpu_timers_check(struct uthread *t)
{
	const struct cpu_sleep *cs;
	struct uproc *p = t->p;

	LIST_FOREACH(cs, &p->cpu_sleeps, link) {
		if (uproc_cycles(p) >= cs->due)
			sim_wakeup(p->sys->sim, cs);
	}
	if (p->itimer != NULL) {
		check_itimer(p->itimer, ITIMER_PROF, SIGPROF);
		check_itimer(p->itimer, ITIMER_VIRTUAL, SIGVTALRM);
	}
	if (has_cpu_limit(p))
		check_limit(p);
	if (p->cpu_ptimers != 0)
		ptimers_check(t);
}

/* ---- calls ---- */

static uint64_t
cycles_left(struct sysctx *c, int which)
{
	const struct itimer *it = c->p->itimer;
	sim_time_t now = sim_now(c->sim);

	if (it == NULL)
		return (0);
	if (which != ITIMER_REAL)
		return (it->due[which] == 0 ? 0 : within(it->due[which],
		    cpu_used(c->p, which), UINT64_MAX));
	if (!sim_event_pending(&it->real))
		return (0);
	/* what is due at this moment is still to come */
	return (it->real.when > now ? it->real.when - now : 1);
}

static void
cycles_to_timeval(struct sysctx *c, uint64_t cycles, int64_t tv[2])
{
	uint64_t us = sim_to_ns(c->sim, cycles) / 1000;

	if (us == 0 && cycles != 0)
		us = 1;
	tv[0] = (int64_t)us / USEC;
	tv[1] = (int64_t)us % USEC;
}

static int
timeval_to_cycles(struct sysctx *c, const int64_t tv[2], uint64_t *cycles)
{
	int64_t s = tv[0];

	if (s < 0 || tv[1] < 0 || tv[1] >= USEC)
		return (-EINVAL);
	if (s > 1000000000)
		s = 1000000000;
	*cycles = sim_us(c->sim, (uint64_t)(s * USEC + tv[1]));
	return (0);
}

static int
set_timer(struct sysctx *c, int which, uint64_t value, uint64_t interval)
{
	struct itimer *it = itimer_of(c->p);

	if (it == NULL)
		return (-ENOMEM);
	it->interval[which] = interval;
	if (which != ITIMER_REAL) {
		it->due[which] = value != 0 ? cpu_used(c->p, which) + value :
		    0;
		return (0);
	}
	sim_event_cancel(c->sim, &it->real);
	if (value != 0)
		sim_event_after(c->sim, &it->real, value);
	return (0);
}

static int
put_timer(struct sysctx *c, int which, vm_offset_t va)
{
	const struct itimer *it = c->p->itimer;
	int64_t tv[4];

	cycles_to_timeval(c, it != NULL ? it->interval[which] : 0, tv);
	cycles_to_timeval(c, cycles_left(c, which), tv + 2);
	return (sys_copyout(c, va, tv, sizeof(tv)));
}

int64_t
sys_getitimer(struct sysctx *c)
{
	if ((uint32_t)c->a[0] > ITIMER_PROF)
		return (-EINVAL);
	return (put_timer(c, (int)c->a[0], c->a[1]));
}

int64_t
sys_setitimer(struct sysctx *c)
{
	uint64_t interval = 0, value = 0;
	int which = (int)c->a[0], error = 0;
	int64_t tv[4] = { 0, 0, 0, 0 };

	if ((uint32_t)c->a[0] > ITIMER_PROF)
		return (-EINVAL);
	if (c->a[1] != 0)
		error = sys_copyin(c, c->a[1], tv, sizeof(tv));
	if (error == 0)
		error = timeval_to_cycles(c, tv, &interval);
	if (error == 0)
		error = timeval_to_cycles(c, tv + 2, &value);
	if (error == 0 && c->a[2] != 0)
		error = put_timer(c, which, c->a[2]);
	return (error != 0 ? error : set_timer(c, which, value, interval));
}

/* Seconds that were left of the previous one, rounded as Linux does. */
int64_t
sys_alarm(struct sysctx *c)
{
	uint64_t us = sim_to_ns(c->sim, cycles_left(c, ITIMER_REAL)) / 1000;
	uint64_t seconds = (uint32_t)c->a[0];
	int error;

	error = set_timer(c, ITIMER_REAL,
	    sim_us(c->sim, seconds * (uint64_t)USEC), 0);
	if (error != 0)
		return (error);
	if (us != 0 && us < (uint64_t)USEC)
		return (1);
	return ((int64_t)((us + USEC / 2) / USEC));
}
