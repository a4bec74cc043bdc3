/*
 * ptimer.c: a process's timers by number (POSIX).
 *
 * Interface: sys_timer_create and so on; ptimer* of sim/syscall_int.h.
 * Source: timer_create(2), timer_settime(2), timer_getoverrun(2), Linux 6.1
 * kernel/time/posix-timers.c: a periodic timer stops while its signal is
 * pending and counts what it has missed when the signal is delivered; one
 * whose signal is ignored goes on at each tick of 4 ms. Differences: CPU time
 * of other processes and of other threads cannot be waited for; timers that
 * count CPU time fire when the thread is back from the kernel.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/signal_int.h"

#define TICK_NS 4000000 /* CONFIG_HZ=250 */
#define NOTIFY_THREAD_ID 4
#define OVERRUN_MAX INT32_MAX

enum ptimer_source { PTIMER_TIME, PTIMER_PROCESS, PTIMER_THREAD };

struct ptimer {
	LIST_ENTRY(ptimer) link; /* uproc.ptimers */
	struct uproc *p;
	int32_t id;
	int clock;
	enum ptimer_source source;
	int32_t owner; /* PTIMER_THREAD: whose time */
	int notify, signo;
	int32_t tid; /* to whom the signal goes; 0: the process */
	uint64_t value;
	struct sim_event ev; /* PTIMER_TIME */
	bool armed;
	bool queued; /* its signal is pending */
	bool requeue; /* ... and starts it again when it is delivered */
	int64_t when, interval; /* ns of its clock since boot or start */
	int64_t overrun; /* at the last delivery */
};

struct sigevent64 {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};

/* ---- its clock ---- */

static const struct uthread *
owner_thread(const struct ptimer *pt)
{
	const struct uthread *t;

	TAILQ_FOREACH(t, &pt->p->threads, link) {
		if (t->tid == pt->owner)
			break;
	}
	return (t);
}

static int64_t
clock_now(const struct ptimer *pt)
{
	const struct sim *sim = pt->p->sys->sim;
	const struct uthread *t;

	switch (pt->source) {
	case PTIMER_PROCESS:
		return ((int64_t)sim_to_ns(sim, uproc_cycles(pt->p)));
	case PTIMER_THREAD:
		t = owner_thread(pt);
		return (t == NULL ? 0 : (int64_t)sim_to_ns(sim,
		    sim_thread_cpu_cycles(t->st)));
	default:
		return (sys_boot_ns(sim));
	}
}

static void
ptimer_arm(struct ptimer *pt)
{
	struct sim *sim = pt->p->sys->sim;
	sim_time_t at;

	pt->armed = true;
	if (pt->source != PTIMER_TIME)
		return;
	at = sys_boot_cycles(sim, pt->when);
	sim_event_at(sim, &pt->ev, at > sim_now(sim) ? at : sim_now(sim));
}

static void
ptimer_disarm(struct ptimer *pt)
{
	pt->armed = false;
	pt->requeue = false;
	if (pt->source == PTIMER_TIME)
		sim_event_cancel(pt->p->sys->sim, &pt->ev);
}

/* On to the first expiration after `now`: how many that were missed. */
static int64_t
ptimer_forward(struct ptimer *pt, int64_t now)
{
	int64_t n;

	if (now < pt->when)
		return (0);
	n = (now - pt->when) / pt->interval + 1;
	pt->when += n * pt->interval;
	return (n);
}

/* ---- firing ---- */

static void
ptimer_expire(struct ptimer *pt)
{
	const struct ksiginfo ksi = { .signo = pt->signo, .code = SI_TIMER,
		.timer = pt->id, .value = pt->value };

	pt->armed = false;
	if (pt->queued || pt->notify == SIGEV_NONE)
		return;
	if (signal_send_timer(pt->p, pt->tid, &ksi, pt)) {
		pt->queued = true;
		pt->requeue = pt->interval != 0;
		return;
	}
	if (pt->interval == 0)
		return;
	/* ignored: it stays so for a while */
	(void)ptimer_forward(pt, clock_now(pt) + TICK_NS);
	ptimer_arm(pt);
}

static void
ptimer_fire(void *arg, sim_time_t when)
{
	(void)when;
	ptimer_expire(arg);
}

int32_t
ptimer_signal_taken(struct ptimer *pt)
{
	bool again = pt->requeue;
	int64_t missed;

	pt->queued = pt->requeue = false;
	if (!again)
		return (0);
	missed = ptimer_forward(pt, clock_now(pt));
	pt->overrun = missed > 0 ? missed - 1 : 0;
	if (pt->overrun > OVERRUN_MAX)
		pt->overrun = OVERRUN_MAX;
	ptimer_arm(pt);
	return ((int32_t)pt->overrun);
}

void
ptimer_signal_gone(struct ptimer *pt)
{
	pt->queued = false;
}

/* ---- CPU time ---- */

static bool
counts_for(const struct ptimer *pt, const struct uthread *t)
{
	return (pt->armed && (pt->source == PTIMER_PROCESS ||
	    (pt->source == PTIMER_THREAD && pt->owner == t->tid)));
}

uint64_t
ptimers_limit(const struct uthread *t, uint64_t cycles)
{
	const struct sim *sim = t->p->sys->sim;
	const struct ptimer *pt;

	LIST_FOREACH(pt, &t->p->ptimers, link) {
		int64_t left;
		uint64_t n;

		if (!counts_for(pt, t))
			continue;
		left = pt->when - clock_now(pt);
		n = left > 0 ? sim_ns(sim, (uint64_t)left) + 1 : 1;
		if (n < cycles)
			cycles = n;
	}
	return (cycles);
}

void
ptimers_check(struct uthread *t)
{
	struct ptimer *pt;

	LIST_FOREACH(pt, &t->p->ptimers, link) {
		if (counts_for(pt, t) && clock_now(pt) >= pt->when)
			ptimer_expire(pt);
	}
}

/* ---- life ---- */

bool
ptimers_pending(const struct uproc *p)
{
	const struct ptimer *pt;

	LIST_FOREACH(pt, &p->ptimers, link) {
		if (pt->armed && pt->source == PTIMER_TIME)
			return (true);
	}
	return (false);
}

static void
ptimer_free(struct ptimer *pt)
{
	ptimer_disarm(pt);
	signal_timer_gone(pt->p, pt);
	pt->p->cpu_ptimers -= pt->source != PTIMER_TIME;
	LIST_REMOVE(pt, link);
	free(pt);
}

void
ptimers_free(struct uproc *p)
{
	struct ptimer *pt;

	while ((pt = LIST_FIRST(&p->ptimers)) != NULL)
		ptimer_free(pt);
}

static struct ptimer *
ptimer_find(const struct uproc *p, uint64_t id)
{
	struct ptimer *pt;

	LIST_FOREACH(pt, &p->ptimers, link) {
		if (pt->id == (int32_t)id)
			break;
	}
	return (pt);
}

/* ---- calls ---- */

static bool
is_own_thread(const struct uproc *p, int32_t tid)
{
	const struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->tid == tid)
			return (true);
	}
	return (false);
}

static int
check_event(const struct uproc *p, const struct sigevent64 *se)
{
	switch (se->notify) {
	case SIGEV_NONE:
		return (0);
	case SIGEV_SIGNAL | NOTIFY_THREAD_ID:
		if (!is_own_thread(p, se->tid))
			return (-EINVAL);
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return (-EINVAL);
	}
	return (se->signo < 1 || se->signo > NSIG_ ? -EINVAL : 0);
}

static int
clock_source(struct sysctx *c, struct ptimer *pt)
{
	bool thread;

	pt->source = PTIMER_TIME;
	switch (pt->clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
	case CLOCK_TAI:
		return (0);
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return (-EOPNOTSUPP);
	default:
		break;
	}
	if (!sys_cpu_clock(c, pt->clock, &thread))
		return (-EINVAL);
	pt->source = thread ? PTIMER_THREAD : PTIMER_PROCESS;
	pt->owner = c->t->tid;
	return (0);
}

static int
ptimer_setup(struct sysctx *c, struct ptimer *pt)
{
	struct sigevent64 se = { .signo = SIGALRM };
	int error = 0;

	pt->p = c->p;
	pt->id = c->p->next_ptimer;
	pt->clock = (int)c->a[0];
	se.value = (uint32_t)pt->id;
	if (c->a[1] != 0)
		error = sys_copyin(c, c->a[1], &se, sizeof(se));
	if (error == 0)
		error = clock_source(c, pt);
	if (error == 0)
		error = check_event(c->p, &se);
	if (error == 0)
		error = sys_copyout(c, c->a[2], &pt->id, sizeof(pt->id));
	pt->notify = se.notify;
	pt->signo = se.signo;
	pt->value = se.value;
	pt->tid = se.notify & NOTIFY_THREAD_ID ? se.tid : 0;
	return (error);
}

int64_t
sys_timer_create(struct sysctx *c)
{
	struct ptimer *pt = calloc(1, sizeof(*pt));
	int error;

	if (pt == NULL)
		return (-EAGAIN);
	error = ptimer_setup(c, pt);
	if (error != 0) {
		free(pt);
		return (error);
	}
	c->p->next_ptimer = c->p->next_ptimer == INT_MAX ? 0 :
	    c->p->next_ptimer + 1;
	sim_event_init(&pt->ev, "timer", 0, ptimer_fire, pt);
	c->p->cpu_ptimers += pt->source != PTIMER_TIME;
	LIST_INSERT_HEAD(&c->p->ptimers, pt, link);
	return (0);
}

static void
ptimer_setting(struct ptimer *pt, struct itimer_ns *it)
{
	int64_t now = clock_now(pt);
	bool none = pt->notify == SIGEV_NONE;

	it->interval = pt->interval;
	it->value = 0;
	if (pt->interval == 0 && !pt->armed && !(none && pt->when != 0))
		return;
	if (pt->interval != 0 && pt->when != 0 && (pt->requeue || none))
		(void)ptimer_forward(pt, now);
	if (pt->when > now)
		it->value = pt->when - now;
	else if (!none)
		it->value = 1;
}

int64_t
sys_timer_settime(struct sysctx *c)
{
	bool absolute = ((uint32_t)c->a[1] & TIMER_ABSTIME) != 0;
	struct itimer_ns new, old;
	struct ptimer *pt;
	int error = sys_get_itimerspec(c, c->a[2], &new);

	if (error != 0)
		return (error);
	pt = ptimer_find(c->p, c->a[0]);
	if (pt == NULL)
		return (-EINVAL);
	ptimer_setting(pt, &old);
	ptimer_disarm(pt);
	pt->overrun = 0;
	pt->when = 0;
	pt->interval = new.value != 0 ? new.interval : 0;
	if (new.value != 0) {
		pt->when = pt->source == PTIMER_TIME ? sys_clock_when(c,
		    pt->clock, new.value, absolute) :
		    absolute ? new.value : clock_now(pt) + new.value;
		if (pt->notify != SIGEV_NONE)
			ptimer_arm(pt);
	}
	return (c->a[3] == 0 ? 0 : sys_put_itimerspec(c, c->a[3], &old));
}

int64_t
sys_timer_gettime(struct sysctx *c)
{
	struct ptimer *pt = ptimer_find(c->p, c->a[0]);
	struct itimer_ns it;

	if (pt == NULL)
		return (-EINVAL);
	ptimer_setting(pt, &it);
	return (sys_put_itimerspec(c, c->a[1], &it));
}

int64_t
sys_timer_getoverrun(struct sysctx *c)
{
	const struct ptimer *pt = ptimer_find(c->p, c->a[0]);

	return (pt == NULL ? -EINVAL : pt->overrun);
}

int64_t
sys_timer_delete(struct sysctx *c)
{
	struct ptimer *pt = ptimer_find(c->p, c->a[0]);

	if (pt == NULL)
		return (-EINVAL);
	ptimer_free(pt);
	return (0);
}
