/*
 * timers.c: alarm and interval timers.
 *
 * Interface: sys_alarm, sys_getitimer, sys_setitimer; itimers_* of
 * sim/syscall_int.h. Source: alarm(2), setitimer(2). Differences: ITIMER_REAL
 * fires at its exact cycle; the two that count CPU time fire at the exact
 * cycle of user mode, and what is spent in the kernel is counted when it is
 * over.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "sim/syscall_int.h"

#define USEC 1000000ll

struct itimer {
	struct uproc *p;
	struct sim_event real;
	uint64_t interval[3]; /* cycles; 0: once */
	uint64_t left[3]; /* of ITIMER_VIRTUAL and _PROF; 0: off */
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

uint64_t
itimers_limit(const struct uproc *p, uint64_t cycles)
{
	const struct itimer *it = p->itimer;

	if (it == NULL)
		return (cycles);
	for (int i = ITIMER_VIRTUAL; i <= ITIMER_PROF; i++) {
		if (it->left[i] != 0 && it->left[i] < cycles)
			cycles = it->left[i];
	}
	return (cycles);
}

static void
spend(struct itimer *it, int which, uint64_t cycles, int signo)
{
	uint64_t left = it->left[which];

	if (left == 0 || cycles == 0)
		return;
	if (cycles < left) {
		it->left[which] = left - cycles;
		return;
	}
	it->left[which] = it->interval[which];
	signal_post(it->p, signo);
}

void
itimers_spent(struct uproc *p, uint64_t user, uint64_t kernel)
{
	if (p->itimer == NULL)
		return;
	spend(p->itimer, ITIMER_VIRTUAL, user, SIGVTALRM);
	spend(p->itimer, ITIMER_PROF, user + kernel, SIGPROF);
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
		return (it->left[which]);
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
		it->left[which] = value;
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
