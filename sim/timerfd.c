/*
 * timerfd.c: timers that are read as files.
 *
 * Interface: sys_timerfd_create, sys_timerfd_settime, sys_timerfd_gettime.
 * Source: timerfd_create(2), Linux 6.1 fs/timerfd.c: a periodic timer fires
 * once and then counts what it has missed when it is read. Differences: the
 * clock is never set, so TFD_TIMER_CANCEL_ON_SET cancels nothing.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "sim/syscall_int.h"

#define TIMER_PRI 88 /* PSOCK of FreeBSD 5 */
#define NSEC 1000000000ll

struct timerfd {
	struct file *f;
	int clock;
	struct sim_event ev;
	int64_t when, interval; /* ns since boot; ns, 0: once */
	uint64_t ticks; /* not yet read */
	bool expired; /* fired, and not looked at since */
	bool counted; /* among the armed timers */
};

static void
timer_count(struct timerfd *tf, bool armed)
{
	struct sysstate *ss = tf->f->ss;

	if (armed && !tf->counted)
		ss->timers_armed++;
	if (!armed && tf->counted)
		ss->timers_armed--;
	tf->counted = armed;
}

static void
timer_fire(void *arg, sim_time_t when)
{
	struct timerfd *tf = arg;

	(void)when;
	timer_count(tf, false);
	tf->expired = true;
	tf->ticks++;
	sim_wakeup(tf->f->ss->sim, tf);
	poll_notify(tf->f->ss, &tf->f->head, POLLIN | POLLRDNORM);
}

static void
timer_start(struct timerfd *tf)
{
	struct sysstate *ss = tf->f->ss;
	sim_time_t at = sys_boot_cycles(ss->sim, tf->when);

	timer_count(tf, true);
	sim_event_at(ss->sim, &tf->ev, at > sim_now(ss->sim) ? at :
	    sim_now(ss->sim));
}

static void
timer_stop(struct timerfd *tf)
{
	timer_count(tf, false);
	sim_event_cancel(tf->f->ss->sim, &tf->ev);
}

/* A periodic timer that has fired: what it missed since, and on. */
static void
timer_catch_up(struct timerfd *tf)
{
	int64_t now = sys_boot_ns(tf->f->ss->sim), missed;

	if (!tf->expired || tf->interval == 0)
		return;
	missed = now >= tf->when ? (now - tf->when) / tf->interval + 1 : 0;
	tf->when += missed * tf->interval;
	if (missed > 1)
		tf->ticks += (uint64_t)missed - 1;
	tf->expired = false;
	timer_start(tf);
}

/* ---- as a file ---- */

static ssize_t
timer_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	struct timerfd *tf = f->data;
	int error;

	if (n < sizeof(tf->ticks))
		return (-EINVAL);
	while (tf->ticks == 0) {
		if (f->flags & O_NONBLOCK)
			return (-EAGAIN);
		error = sys_sleep(c, tf, TIMER_PRI, "timerfd",
		    SIM_NO_TIMEOUT);
		if (error != 0)
			return (error);
	}
	timer_catch_up(tf);
	tf->expired = false;
	memcpy(buf, &tf->ticks, sizeof(tf->ticks));
	tf->ticks = 0;
	return (sizeof(tf->ticks));
}

static uint32_t
timer_poll(struct sysctx *c, struct file *f)
{
	const struct timerfd *tf = f->data;

	return (tf->ticks != 0 ? POLLIN | POLLRDNORM : 0u);
}

static void
timer_close(struct file *f)
{
	timer_stop(f->data);
	free(f->data);
}

static const struct file_ops file_ops_timer = {
	.name = "anon_inode:[timerfd]",
	.read = timer_read,
	.poll = timer_poll,
	.close = timer_close,
	.stat = anon_stat,
};

/* ---- calls ---- */

int64_t
sys_timerfd_create(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[1];
	struct timerfd *tf;
	struct file *f;

	if (flags & ~(uint32_t)(TFD_CLOEXEC | TFD_NONBLOCK))
		return (-EINVAL);
	switch ((int)c->a[0]) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return (-EINVAL);
	}
	tf = calloc(1, sizeof(*tf));
	f = tf != NULL ? file_new(c->ss, &file_ops_timer, O_RDWR |
	    (flags & TFD_NONBLOCK ? O_NONBLOCK : 0)) : NULL;
	if (f == NULL) {
		free(tf);
		return (-ENOMEM);
	}
	tf->f = f;
	tf->clock = (int)c->a[0];
	sim_event_init(&tf->ev, "timerfd", 0, timer_fire, tf);
	f->data = tf;
	return (file_give(c, f, (flags & TFD_CLOEXEC) != 0));
}

static int
timer_get(struct sysctx *c, struct timerfd **out)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	if (f->ops != &file_ops_timer)
		return (-EINVAL);
	*out = f->data;
	return (0);
}

static void
timer_setting(const struct timerfd *tf, struct itimer_ns *it)
{
	int64_t now = sys_boot_ns(tf->f->ss->sim);

	it->interval = tf->interval;
	it->value = 0;
	if (sim_event_pending(&tf->ev))
		it->value = tf->when > now ? tf->when - now : 1;
}

int64_t
sys_timerfd_settime(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[1];
	struct itimer_ns new, old;
	struct timerfd *tf;
	int error;

	if (flags & ~(uint32_t)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return (-EINVAL);
	error = sys_get_itimerspec(c, c->a[2], &new);
	if (error == 0)
		error = timer_get(c, &tf);
	if (error != 0)
		return (error);
	timer_catch_up(tf);
	timer_setting(tf, &old);
	timer_stop(tf);
	tf->ticks = 0;
	tf->expired = false;
	tf->interval = new.interval;
	if (new.value != 0) {
		tf->when = sys_clock_when(c, tf->clock, new.value,
		    (flags & TFD_TIMER_ABSTIME) != 0);
		timer_start(tf);
	}
	return (c->a[3] == 0 ? 0 : sys_put_itimerspec(c, c->a[3], &old));
}

int64_t
sys_timerfd_gettime(struct sysctx *c)
{
	struct timerfd *tf;
	struct itimer_ns it;
	int error = timer_get(c, &tf);

	if (error != 0)
		return (error);
	timer_catch_up(tf);
	timer_setting(tf, &it);
	return (sys_put_itimerspec(c, c->a[1], &it));
}
