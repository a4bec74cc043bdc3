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

uint64_t
uproc_cycles(const struct uproc *p)
{
	const struct uthread *t;
	uint64_t cycles = p->dead_cycles;

	TAILQ_FOREACH(t, &p->threads, link)
		cycles += sim_thread_cpu_cycles(t->st);
	return (cycles);
}

static uint64_t
process_ns(struct sysctx *c)
{
	return (sim_to_ns(c->sim, uproc_cycles(c->p)));
}

int64_t
sys_boot_ns(const struct sim *sim)
{
	return ((int64_t)sim_to_ns(sim, sim_now(sim)));
}

static const struct uthread *
thread_of(const struct uproc *p, int32_t tid)
{
	const struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->tid == tid)
			break;
	}
	return (t);
}

/* Clock numbers that name a process or thread: ~id << 3, 4 for a thread, and
 * what is counted: 1 user mode alone, else all. */
static int
named_clock(struct sysctx *c, int clock, int64_t *ns)
{
	int32_t id = ~(clock >> 3);
	bool user = (clock & 3) == 1;
	const struct uthread *t;
	const struct uproc *p;

	if ((clock & 3) == 3)
		return (-EINVAL);
	if (clock & 4) {
		t = id == 0 ? c->t : thread_of(c->p, id);
		if (t == NULL)
			return (-EINVAL);
		*ns = (int64_t)sim_to_ns(c->sim, user ? t->user_cycles :
		    sim_thread_cpu_cycles(t->st));
		return (0);
	}
	p = id == 0 ? c->p : uproc_find(c->ss, id);
	if (p == NULL)
		return (-EINVAL);
	*ns = (int64_t)sim_to_ns(c->sim, user ? p->user_cycles :
	    uproc_cycles(p));
	return (0);
}

bool
sys_cpu_clock(struct sysctx *c, int clock, bool *thread)
{
	int32_t id = ~(clock >> 3);

	*thread = clock == CLOCK_THREAD_CPUTIME_ID || (clock < 0 &&
	    (clock & 4));
	if (clock >= 0)
		return (clock == CLOCK_PROCESS_CPUTIME_ID || *thread);
	if ((clock & 3) == 3)
		return (false);
	return (id == 0 || id == (*thread ? c->t->tid : c->p->pid));
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
		*ns = (int64_t)sim_to_ns(c->sim,
		    sim_thread_cpu_cycles(c->t->st));
		return (0);
	default:
		return (clock < 0 ? named_clock(c, clock, ns) : -EINVAL);
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

int
sys_get_itimerspec(struct sysctx *c, vm_offset_t va, struct itimer_ns *it)
{
	int error = get_timespec(c, va, &it->interval);

	return (error != 0 ? error : get_timespec(c, va + 16, &it->value));
}

int
sys_put_itimerspec(struct sysctx *c, vm_offset_t va,
    const struct itimer_ns *it)
{
	const int64_t ts[4] = { it->interval / NSEC, it->interval % NSEC,
		it->value / NSEC, it->value % NSEC };

	return (sys_copyout(c, va, ts, sizeof(ts)));
}

sim_time_t
sys_boot_cycles(const struct sim *sim, int64_t ns)
{
	const sim_time_t most = UINT64_MAX / 4;
	sim_time_t at = ns > 0 ? sim_ns(sim, (uint64_t)ns) : 0;

	if (at >= most)
		return (most);
	return (sim_to_ns(sim, at) < (uint64_t)ns && ns > 0 ? at + 1 : at);
}

int64_t
sys_clock_when(struct sysctx *c, int clock, int64_t ns, bool absolute)
{
	int64_t boot = sys_boot_ns(c->sim), now = 0;

	if (absolute && clock_read(c, clock, &now) == 0)
		return (ns - (now - boot));
	return (ns > INT64_MAX - boot ? INT64_MAX : boot + ns);
}

int
sys_wall_deadline(struct sysctx *c, struct deadline *d, vm_offset_t va)
{
	int64_t ns;
	int error;

	*d = (struct deadline) { .forever = true, .end = SIM_TIME_NEVER };
	if (va == 0)
		return (0);
	error = get_timespec(c, va, &ns);
	if (error != 0)
		return (error);
	d->forever = false;
	d->end = sys_boot_cycles(c->sim, sys_clock_when(c, CLOCK_REALTIME,
	    ns, true));
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

static int64_t sleep_again(struct sysctx *c);

static int64_t
sleep_on(struct sysctx *c, sim_time_t end, vm_offset_t remain)
{
	int64_t left;
	int error;

	error = sleep_until(c, end, &left);
	if (error == 0)
		return (0);
	c->t->sig.restart_fn = sleep_again;
	c->t->sig.restart_end = end;
	c->t->sig.restart_remain = remain;
	if (remain != 0 && put_timespec(c, remain, left) != 0)
		error = -EFAULT;
	return (error);
}

static int64_t
sleep_again(struct sysctx *c)
{
	return (sleep_on(c, c->t->sig.restart_end,
	    c->t->sig.restart_remain));
}

/* On with a call that a signal without a handler interrupted. */
int64_t
sys_restart_syscall(struct sysctx *c)
{
	if (c->t->sig.restart_fn == NULL)
		return (-EINTR);
	return (c->t->sig.restart_fn(c));
}

int64_t
sys_nanosleep(struct sysctx *c)
{
	int64_t ns;
	int error = get_timespec(c, c->a[0], &ns);

	return (error != 0 ? error : sleep_on(c, sys_boot_cycles(c->sim,
	    sys_clock_when(c, CLOCK_MONOTONIC, ns, false)), c->a[1]));
}

static int64_t cpu_sleep_again(struct sysctx *c);

/* Until the process has used `due` cycles on CPUs. */
static int64_t
cpu_sleep_on(struct sysctx *c, uint64_t due, vm_offset_t remain)
{
	struct cpu_sleep cs = { .due = due };
	uint64_t used;
	int error = 0;

	LIST_INSERT_HEAD(&c->p->cpu_sleeps, &cs, link);
	while ((used = uproc_cycles(c->p)) < due && error == 0)
		error = sys_sleep(c, &cs, SLEEP_PRI, "nanslp",
		    SIM_NO_TIMEOUT);
	LIST_REMOVE(&cs, link);
	if (used >= due)
		return (0);
	c->t->sig.restart_fn = cpu_sleep_again;
	c->t->sig.restart_end = due;
	c->t->sig.restart_remain = remain;
	if (remain != 0 && put_timespec(c, remain, (int64_t)sim_to_ns(c->sim,
	    due - used)) != 0)
		return (-EFAULT);
	return (-ERESTART_RESTARTBLOCK);
}

static int64_t
cpu_sleep_again(struct sysctx *c)
{
	return (cpu_sleep_on(c, c->t->sig.restart_end,
	    c->t->sig.restart_remain));
}

/* On a clock of CPU time: the process's own. A thread cannot wait for itself,
 * and others' are not waited for. */
static int64_t
cpu_nanosleep(struct sysctx *c, int clock, bool absolute)
{
	uint64_t due;
	bool thread;
	int64_t ns, ret;
	int error;

	if (!sys_cpu_clock(c, clock, &thread))
		return (clock_read(c, clock, &ns) == 0 ? -EOPNOTSUPP :
		    -EINVAL);
	if (thread)
		return (-EINVAL);
	error = get_timespec(c, c->a[2], &ns);
	if (error != 0)
		return (error);
	due = sys_boot_cycles(c->sim, ns);
	if (!absolute)
		due += uproc_cycles(c->p);
	ret = cpu_sleep_on(c, due, absolute ? 0 : c->a[3]);
	return (absolute && ret == -ERESTART_RESTARTBLOCK ?
	    -ERESTARTNOHAND : ret);
}

int64_t
sys_clock_nanosleep(struct sysctx *c)
{
	bool absolute = (c->a[1] & TIMER_ABSTIME) != 0;
	int clock = (int)c->a[0], error;
	int64_t ns, ret;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME && clock != CLOCK_TAI)
		return (cpu_nanosleep(c, clock, absolute));
	error = get_timespec(c, c->a[2], &ns);
	if (error != 0)
		return (error);
	ret = sleep_on(c, sys_boot_cycles(c->sim, sys_clock_when(c, clock, ns,
	    absolute)), absolute ? 0 : c->a[3]);
	return (absolute && ret == -ERESTART_RESTARTBLOCK ?
	    -ERESTARTNOHAND : ret);
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
uproc_usage(const struct uproc *p, struct usage *u)
{
	u->user = p->user_cycles;
	u->all = uproc_cycles(p);
	u->minflt = p->minflt;
	u->majflt = p->majflt;
	u->peak_rss = p->peak_rss_pages;
	u->nswap = p->swapouts;
	u->nvcsw = p->nvcsw;
	u->nivcsw = p->nivcsw;
}

void
usage_add(struct usage *u, const struct usage *more)
{
	u->user += more->user;
	u->all += more->all;
	u->minflt += more->minflt;
	u->majflt += more->majflt;
	if (more->peak_rss > u->peak_rss)
		u->peak_rss = more->peak_rss;
	u->nswap += more->nswap;
	u->nvcsw += more->nvcsw;
	u->nivcsw += more->nivcsw;
}

static uint64_t
kernel_ns(const struct sim *sim, const struct usage *u)
{
	uint64_t all = sim_to_ns(sim, u->all), user = sim_to_ns(sim, u->user);

	return (all > user ? all - user : 0);
}

void
rusage_fill(struct sysctx *c, struct rusage64 *ru, const struct usage *u)
{
	memset(ru, 0, sizeof(*ru));
	put_timeval(ru->utime, sim_to_ns(c->sim, u->user));
	put_timeval(ru->stime, kernel_ns(c->sim, u));
	ru->maxrss = (int64_t)(u->peak_rss * PAGE_SIZE / 1024);
	ru->minflt = (int64_t)u->minflt;
	ru->majflt = (int64_t)u->majflt;
	ru->nswap = (int64_t)u->nswap;
	ru->nvcsw = (int64_t)u->nvcsw;
	ru->nivcsw = (int64_t)u->nivcsw;
}

static void
thread_usage(const struct uthread *t, struct usage *u)
{
	uproc_usage(t->p, u); /* the peak and swapping are the process's */
	u->user = t->user_cycles;
	u->all = sim_thread_cpu_cycles(t->st);
	u->minflt = t->minflt;
	u->majflt = t->majflt;
	u->nvcsw = t->nvcsw;
	u->nivcsw = t->nivcsw;
}

int64_t
sys_getrusage(struct sysctx *c)
{
	struct rusage64 ru;
	struct usage u;

	switch ((int)c->a[0]) {
	case RUSAGE_SELF:
		uproc_usage(c->p, &u);
		break;
	case RUSAGE_THREAD:
		thread_usage(c->t, &u);
		break;
	case RUSAGE_CHILDREN:
		u = c->p->child;
		break;
	default:
		return (-EINVAL);
	}
	rusage_fill(c, &ru, &u);
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
	tms[2] = (int64_t)(sim_to_ns(c->sim, c->p->child.user) / tick);
	tms[3] = (int64_t)(kernel_ns(c->sim, &c->p->child) / tick);
	if (c->a[0] != 0)
		error = sys_copyout(c, c->a[0], tms, sizeof(tms));
	return (error != 0 ? error : (int64_t)(sim_to_ns(c->sim,
	    sim_now(c->sim)) / tick));
}

/* Nobody may. */
int64_t
sys_clock_settime(struct sysctx *c)
{
	int64_t ts[2];
	int error;

	if ((int)c->a[0] != CLOCK_REALTIME)
		return (-EINVAL);
	error = sys_copyin(c, c->a[1], ts, sizeof(ts));
	if (error != 0)
		return (error);
	return (ts[1] < 0 || ts[1] >= NSEC || ts[0] < 0 ? -EINVAL : -EPERM);
}

int64_t
sys_settimeofday(struct sysctx *c)
{
	int64_t tv[2];
	int error;

	if (c->a[0] == 0)
		return (c->a[1] == 0 ? 0 : -EPERM);
	error = sys_copyin(c, c->a[0], tv, sizeof(tv));
	if (error != 0)
		return (error);
	return (tv[1] < 0 || tv[1] >= 1000000 ? -EINVAL : -EPERM);
}
