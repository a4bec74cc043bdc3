/*
 * syscall_time.c: clocks, sleeping, resource use.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: clock_gettime(2),
 * nanosleep(2), getrusage(2). Differences: all time is simulated: the wall
 * clock is the configured boot time plus the time since boot; nobody sets it.
 */
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>

#include "sim/syscall_int.h"

#define NSEC 1000000000ll
#define SLEEP_PRI 104 /* PPAUSE of FreeBSD 5 */
#define COARSE_NS 4000000 /* CONFIG_HZ=250 */
#define CLOCK_TICKS 100 /* per second, for times(2) */

/* ---- reading ---- */

static uint64_t
thread_ns(struct sysctx *c, const struct uthread *t)
{
	return (sim_to_ns(c->sim, sim_thread_cpu_cycles(t->st)));
}

static uint64_t
process_ns(struct sysctx *c)
{
	const struct uthread *t;
	uint64_t cycles = c->p->dead_cycles;

	TAILQ_FOREACH(t, &c->p->threads, link)
		cycles += sim_thread_cpu_cycles(t->st);
	return (sim_to_ns(c->sim, cycles));
}

static int
clock_read(struct sysctx *c, int clock, int64_t *ns)
{
	uint64_t boot = sim_to_ns(c->sim, sim_now(c->sim));

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
	case CLOCK_REALTIME_ALARM:
		*ns = (int64_t)machine_wall_ns(c->m);
		return (0);
	case CLOCK_REALTIME_COARSE:
		*ns = (int64_t)machine_wall_ns(c->m);
		*ns -= *ns % COARSE_NS;
		return (0);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = (int64_t)boot;
		return (0);
	case CLOCK_MONOTONIC_COARSE:
		*ns = (int64_t)(boot - boot % COARSE_NS);
		return (0);
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = (int64_t)process_ns(c);
		return (0);
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = (int64_t)thread_ns(c, c->t);
		return (0);
	default:
		return (-EINVAL);
	}
}

static int64_t
put_timespec(struct sysctx *c, vm_offset_t va, int64_t ns)
{
	const int64_t ts[2] = { ns / NSEC, ns % NSEC };

	return (sys_copyout(c, va, ts, sizeof(ts)));
}

int64_t
sys_clock_gettime(struct sysctx *c)
{
	int64_t ns;
	int error = clock_read(c, (int)c->a[0], &ns);

	return (error != 0 ? error : put_timespec(c, c->a[1], ns));
}

int64_t
sys_clock_getres(struct sysctx *c)
{
	int clock = (int)c->a[0];
	int64_t ns;
	int error = clock_read(c, clock, &ns);

	if (error != 0 || c->a[1] == 0)
		return (error);
	return (put_timespec(c, c->a[1], clock == CLOCK_REALTIME_COARSE ||
	    clock == CLOCK_MONOTONIC_COARSE ? COARSE_NS : 1));
}

int64_t
sys_gettimeofday(struct sysctx *c)
{
	uint64_t ns = machine_wall_ns(c->m);
	const int64_t tv[2] = { (int64_t)(ns / NSEC),
		(int64_t)(ns % NSEC) / 1000 };
	const int32_t tz[2] = { 0, 0 };
	int error = 0;

	if (c->a[0] != 0)
		error = sys_copyout(c, c->a[0], tv, sizeof(tv));
	if (error == 0 && c->a[1] != 0)
		error = sys_copyout(c, c->a[1], tz, sizeof(tz));
	return (error);
}

int64_t
sys_time(struct sysctx *c)
{
	int64_t now = (int64_t)(machine_wall_ns(c->m) / NSEC);
	int error = 0;

	if (c->a[0] != 0)
		error = sys_copyout(c, c->a[0], &now, sizeof(now));
	return (error != 0 ? error : now);
}

/* ---- sleeping ---- */

/* ns from a struct timespec, at most what the clock can hold. */
static int
get_timespec(struct sysctx *c, vm_offset_t va, int64_t *ns)
{
	int64_t ts[2];
	int error;

	error = sys_copyin(c, va, ts, sizeof(ts));
	if (error != 0)
		return (error);
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= NSEC)
		return (-EINVAL);
	*ns = ts[0] >= INT64_MAX / NSEC ? INT64_MAX : ts[0] * NSEC + ts[1];
	return (0);
}

/* Until simulated time reaches `end`; what is left of it in *left, ns. */
static int
sleep_until(struct sysctx *c, sim_time_t end, int64_t *left)
{
	sim_time_t now;
	int error = 0;

	while ((now = sim_now(c->sim)) < end && error != -ERESTARTSYS)
		error = sys_sleep(c, c->t, SLEEP_PRI, "nanslp", end - now);
	now = sim_now(c->sim);
	*left = now < end ? (int64_t)sim_to_ns(c->sim, end - now) : 0;
	return (now < end ? -ERESTART_RESTARTBLOCK : 0);
}

static sim_time_t
time_after(struct sysctx *c, int64_t ns)
{
	uint64_t most = UINT64_MAX / 4;
	uint64_t limit = sim_to_ns(c->sim, most), cycles;

	cycles = (uint64_t)ns >= limit ? most : sim_ns(c->sim, (uint64_t)ns);
	return (sim_now(c->sim) + cycles);
}

static int64_t
sleep_on(struct sysctx *c, sim_time_t end, vm_offset_t remain)
{
	int64_t left;
	int error;

	error = sleep_until(c, end, &left);
	if (error == 0)
		return (0);
	c->t->sig.restart_end = end;
	c->t->sig.restart_remain = remain;
	if (remain != 0 && put_timespec(c, remain, left) != 0)
		error = -EFAULT;
	return (error);
}

static int64_t
do_sleep(struct sysctx *c, int64_t ns, vm_offset_t remain)
{
	return (sleep_on(c, time_after(c, ns), remain));
}

/* On with a sleep that a signal without a handler interrupted. */
int64_t
sys_restart_syscall(struct sysctx *c)
{
	if (c->t->sig.restart_end == 0)
		return (-EINTR);
	return (sleep_on(c, c->t->sig.restart_end,
	    c->t->sig.restart_remain));
}

int64_t
sys_nanosleep(struct sysctx *c)
{
	int64_t ns;
	int error = get_timespec(c, c->a[0], &ns);

	return (error != 0 ? error : do_sleep(c, ns, c->a[1]));
}

int64_t
sys_clock_nanosleep(struct sysctx *c)
{
	int clock = (int)c->a[0], error;
	int64_t ns, now;

	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return (-EINVAL);
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
		return (clock_read(c, clock, &now) == 0 ? -EOPNOTSUPP :
		    -EINVAL);
	error = get_timespec(c, c->a[2], &ns);
	if (error != 0)
		return (error);
	if (!(c->a[1] & TIMER_ABSTIME))
		return (do_sleep(c, ns, c->a[3]));
	error = clock_read(c, clock, &now);
	if (error != 0)
		return (error);
	error = (int)do_sleep(c, ns > now ? ns - now : 0, 0);
	return (error == -ERESTART_RESTARTBLOCK ? -ERESTARTNOHAND : error);
}

int64_t
sys_sched_yield(struct sysctx *c)
{
	(void)sim_yield(c->sim);
	return (0);
}

/* ---- what has been used ---- */

static void
put_timeval(int64_t tv[2], uint64_t ns)
{
	tv[0] = (int64_t)(ns / NSEC);
	tv[1] = (int64_t)(ns % NSEC) / 1000;
}

/* User and system time of the process, ns. */
static void
process_times(struct sysctx *c, uint64_t *user, uint64_t *sys)
{
	uint64_t all = process_ns(c);

	*user = sim_to_ns(c->sim, c->p->user_cycles);
	*sys = all > *user ? all - *user : 0;
}

_Static_assert(sizeof(struct rusage64) == 144, "struct rusage of x86-64");

void
rusage_fill(struct sysctx *c, struct rusage64 *ru, uint64_t user,
    uint64_t all, uint64_t minflt, uint64_t majflt, uint64_t peak_pages)
{
	memset(ru, 0, sizeof(*ru));
	put_timeval(ru->utime, sim_to_ns(c->sim, user));
	put_timeval(ru->stime, sim_to_ns(c->sim, all > user ? all - user : 0));
	ru->maxrss = (int64_t)(peak_pages * PAGE_SIZE / 1024);
	ru->minflt = (int64_t)minflt;
	ru->majflt = (int64_t)majflt;
}

int64_t
sys_getrusage(struct sysctx *c)
{
	const struct uproc *p = c->p;
	int who = (int)c->a[0];
	struct rusage64 ru;
	uint64_t user, sys;

	switch (who) {
	case RUSAGE_SELF:
	case RUSAGE_THREAD:
		process_times(c, &user, &sys);
		rusage_fill(c, &ru, 0, 0, p->minflt, p->majflt,
		    p->peak_rss_pages);
		put_timeval(ru.utime, user);
		put_timeval(ru.stime, sys);
		break;
	case RUSAGE_CHILDREN:
		rusage_fill(c, &ru, p->child_user, p->child_cycles,
		    p->child_minflt, p->child_majflt, p->child_peak_rss);
		break;
	default:
		return (-EINVAL);
	}
	return (sys_copyout(c, c->a[1], &ru, sizeof(ru)));
}

int64_t
sys_times(struct sysctx *c)
{
	const uint64_t tick = NSEC / CLOCK_TICKS;
	uint64_t user, sys;
	int64_t tms[4] = { 0, 0, 0, 0 };
	int error = 0;

	process_times(c, &user, &sys);
	tms[0] = (int64_t)(user / tick);
	tms[1] = (int64_t)(sys / tick);
	tms[2] = (int64_t)(sim_to_ns(c->sim, c->p->child_user) / tick);
	tms[3] = (int64_t)(sim_to_ns(c->sim, c->p->child_cycles > c->p->
	    child_user ? c->p->child_cycles - c->p->child_user : 0) / tick);
	if (c->a[0] != 0)
		error = sys_copyout(c, c->a[0], tms, sizeof(tms));
	return (error != 0 ? error : (int64_t)(sim_to_ns(c->sim,
	    sim_now(c->sim)) / tick));
}
