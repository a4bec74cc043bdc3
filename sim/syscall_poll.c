/*
 * syscall_poll.c: poll, select and their kin.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: poll(2), select(2).
 * Differences: the host's standard input counts as readable at once.
 */
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

#include "sim/syscall_int.h"

#define POLL_PRI 88 /* PSOCK of FreeBSD 5 */
#define SELECT_MAX 1024
#define SECONDS_MAX 1000000000 /* longer waits are as long */

void
deadline_set(struct sysctx *c, struct deadline *d, int64_t ns)
{
	d->forever = ns < 0;
	d->end = d->forever ? SIM_TIME_NEVER : sys_boot_cycles(c->sim,
	    sys_clock_when(c, CLOCK_MONOTONIC, ns, false));
}

int
deadline_read(struct sysctx *c, struct deadline *d, vm_offset_t va,
    int64_t unit)
{
	int64_t t[2];
	int error;

	deadline_set(c, d, -1);
	if (va == 0)
		return (0);
	error = sys_copyin(c, va, t, sizeof(t));
	if (error != 0)
		return (error);
	if (t[0] < 0 || t[1] < 0 || (unit == 1 && t[1] >= 1000000000))
		return (-EINVAL);
	if (t[0] > SECONDS_MAX || t[1] / 1000000 > SECONDS_MAX) {
		t[0] = SECONDS_MAX;
		t[1] = 0;
	}
	deadline_set(c, d, t[0] * 1000000000 + t[1] * unit);
	return (0);
}

/* What is left goes back to the caller, as Linux does it. */
static void
deadline_write(struct sysctx *c, const struct deadline *d, vm_offset_t va,
    int64_t unit)
{
	sim_time_t now = sim_now(c->sim);
	int64_t ns, t[2];

	if (va == 0 || d->forever)
		return;
	ns = d->end > now ? (int64_t)sim_to_ns(c->sim, d->end - now) : 0;
	t[0] = ns / 1000000000;
	t[1] = ns % 1000000000 / unit;
	(void)sys_copyout(c, va, t, sizeof(t));
}

/* ---- waiting ---- */

/* One call's entries in the lists of the files that it waits for: made before
 * it first sleeps, gone at its end. The files stay open meanwhile. */
struct poll_wait {
	struct poll_entry *entry;
	uint32_t count;
	bool made;
};

static void
poll_wait_for(struct sysctx *c, struct poll_wait *w, int fd, uint32_t events)
{
	struct file *f = fd_get(c->p->fds, fd);
	struct poll_entry *e;

	if (f == NULL || f->ops->poll == NULL)
		return;
	e = &w->entry[w->count++];
	file_hold(f);
	e->f = f;
	e->events = events | POLLERR | POLLHUP;
	e->chan = w;
	e->head = poll_head_of(c, f);
	TAILQ_INSERT_TAIL(&e->head->pollers, e, link);
}

static void
poll_wait_end(struct poll_wait *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		struct poll_entry *e = &w->entry[i];

		if (e->head != NULL)
			TAILQ_REMOVE(&e->head->pollers, e, link);
		e->head = NULL;
	}
	/* closing may sleep: only when nothing refers to the entries */
	for (uint32_t i = 0; i < w->count; i++)
		file_drop(w->entry[i].f);
	w->count = 0;
}

static bool
is_over(const struct sysctx *c, const struct deadline *d)
{
	return (!d->forever && sim_now(c->sim) >= d->end);
}

/* Sleep until something changed, or the time is over: look again. */
static int
wait_change(struct sysctx *c, const struct deadline *d,
    const struct poll_wait *w)
{
	int error;

	c->ss->pollers++;
	error = sys_sleep(c, w, POLL_PRI, "poll",
	    d->forever ? SIM_NO_TIMEOUT : d->end - sim_now(c->sim));
	c->ss->pollers--;
	if (error == -ERESTARTSYS)
		return (-ERESTARTNOHAND);
	return (error == -ETIMEDOUT ? 0 : error);
}

static uint32_t
poll_fd(struct sysctx *c, int fd)
{
	struct file *f = fd_get(c->p->fds, fd);

	if (f == NULL || f->ops == &file_ops_path)
		return (POLLNVAL);
	return (file_poll(c, f));
}

/* ---- poll ---- */

static int64_t
poll_scan(struct sysctx *c, struct pollfd *pfd, uint32_t n)
{
	int64_t ready = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t want = (uint16_t)pfd[i].events | POLLERR | POLLHUP |
		    POLLNVAL;

		pfd[i].revents = 0;
		if (pfd[i].fd >= 0)
			pfd[i].revents = (short)(poll_fd(c, pfd[i].fd) & want);
		if (pfd[i].revents != 0)
			ready++;
	}
	return (ready);
}

static void
poll_register(struct sysctx *c, struct poll_wait *w, const struct pollfd *pfd,
    uint32_t n)
{
	for (uint32_t i = 0; i < n && !w->made; i++) {
		if (pfd[i].fd >= 0)
			poll_wait_for(c, w, pfd[i].fd,
			    (uint16_t)pfd[i].events);
	}
	w->made = true;
}

static int64_t
poll_wait(struct sysctx *c, const struct deadline *d, struct pollfd *pfd,
    uint32_t n)
{
	struct poll_wait w = { .count = 0 };
	int64_t ready;
	int error = 0;

	w.entry = (struct poll_entry *)(void *)sys_large_buf(c, 1,
	    n * sizeof(*w.entry));
	if (w.entry == NULL)
		return (-ENOMEM);
	while ((ready = poll_scan(c, pfd, n)) == 0 && error == 0 &&
	    !is_over(c, d)) {
		poll_register(c, &w, pfd, n);
		error = wait_change(c, d, &w);
	}
	poll_wait_end(&w);
	return (ready == 0 && error < 0 ? error : ready);
}

static int64_t
do_poll(struct sysctx *c, const struct deadline *d)
{
	uint32_t n = (uint32_t)c->a[1];
	struct pollfd *pfd;
	int64_t ready;
	int error;

	if (n > sys_limit(c->p, RLIMIT_NOFILE))
		return (-EINVAL);
	pfd = (struct pollfd *)(void *)sys_large_buf(c, 0, n * sizeof(*pfd));
	if (pfd == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, c->a[0], pfd, n * sizeof(*pfd));
	if (error != 0)
		return (error);
	ready = poll_wait(c, d, pfd, n);
	if (ready < 0)
		return (ready);
	error = sys_copyout(c, c->a[0], pfd, n * sizeof(*pfd));
	return (error != 0 ? error : ready);
}

static int64_t poll_again(struct sysctx *c);

/* Interrupted without a handler, it goes on to the same end. */
static int64_t
poll_until(struct sysctx *c, const struct deadline *d)
{
	int64_t ret = do_poll(c, d);

	if (ret != -ERESTARTNOHAND)
		return (ret);
	c->t->sig.restart_fn = poll_again;
	c->t->sig.restart_end = d->end;
	return (-ERESTART_RESTARTBLOCK);
}

static int64_t
poll_again(struct sysctx *c)
{
	const struct deadline d = { .end = c->t->sig.restart_end,
		.forever = c->t->sig.restart_end == SIM_TIME_NEVER };

	c->a[0] = c->regs.r[R_RDI];
	c->a[1] = c->regs.r[R_RSI];
	return (poll_until(c, &d));
}

int64_t
sys_poll(struct sysctx *c)
{
	struct deadline d;
	int32_t ms = (int32_t)c->a[2];

	deadline_set(c, &d, ms < 0 ? -1 : (int64_t)ms * 1000000);
	return (poll_until(c, &d));
}

int64_t
sys_ppoll(struct sysctx *c)
{
	struct deadline d;
	int64_t ret;
	int error;

	error = deadline_read(c, &d, c->a[2], 1);
	if (error == 0)
		error = sys_set_temp_mask(c, c->a[3], c->a[4]);
	if (error != 0)
		return (error);
	ret = do_poll(c, &d);
	sys_end_temp_mask(c, ret == -ERESTARTNOHAND);
	deadline_write(c, &d, c->a[2], 1);
	return (ret);
}

/* ---- select ---- */

struct select_sets {
	uint8_t in[3][SELECT_MAX / 8]; /* read, write, exceptional */
	uint8_t out[3][SELECT_MAX / 8];
};

static bool
bit_test(const uint8_t *set, int i)
{
	return ((set[i / 8] & (1u << (i % 8))) != 0);
}

/* What each set asks of a file. */
static const uint32_t select_want[3] = { POLLIN | POLLHUP | POLLERR,
	POLLOUT | POLLERR, POLLPRI };

static int64_t
select_scan(struct sysctx *c, struct select_sets *s, int n)
{
	int64_t ready = 0;

	memset(s->out, 0, sizeof(s->out));
	for (int fd = 0; fd < n; fd++) {
		uint32_t ev = 0;

		if (!bit_test(s->in[0], fd) && !bit_test(s->in[1], fd) &&
		    !bit_test(s->in[2], fd))
			continue;
		ev = poll_fd(c, fd);
		if (ev & POLLNVAL)
			return (-EBADF);
		for (int k = 0; k < 3; k++) {
			if (!bit_test(s->in[k], fd) || !(ev & select_want[k]))
				continue;
			s->out[k][fd / 8] |= (uint8_t)(1u << (fd % 8));
			ready++;
		}
	}
	return (ready);
}

static int
select_copyin(struct sysctx *c, struct select_sets *s, int n)
{
	size_t bytes = ((size_t)n + 63) / 64 * 8;
	int error = 0;

	memset(s, 0, sizeof(*s));
	for (int k = 0; k < 3 && error == 0; k++) {
		if (c->a[1 + k] != 0)
			error = sys_copyin(c, c->a[1 + k], s->in[k], bytes);
	}
	return (error);
}

static void
select_register(struct sysctx *c, struct poll_wait *w,
    const struct select_sets *s, int n)
{
	for (int fd = 0; fd < n && !w->made; fd++) {
		uint32_t events = 0;

		for (int k = 0; k < 3; k++) {
			if (bit_test(s->in[k], fd))
				events |= select_want[k];
		}
		if (events != 0)
			poll_wait_for(c, w, fd, events);
	}
	w->made = true;
}

static int64_t
select_wait(struct sysctx *c, const struct deadline *d, struct select_sets *s,
    int n)
{
	struct poll_wait w = { .count = 0 };
	int64_t ready;
	int error = 0;

	w.entry = (struct poll_entry *)(void *)sys_large_buf(c, 1,
	    SELECT_MAX * sizeof(*w.entry));
	if (w.entry == NULL)
		return (-ENOMEM);
	while ((ready = select_scan(c, s, n)) == 0 && error == 0 &&
	    !is_over(c, d)) {
		select_register(c, &w, s, n);
		error = wait_change(c, d, &w);
	}
	poll_wait_end(&w);
	return (ready == 0 && error < 0 ? error : ready);
}

static int64_t
do_select(struct sysctx *c, const struct deadline *d)
{
	int n = (int)c->a[0], error;
	struct select_sets s;
	int64_t ready;

	if (n < 0)
		return (-EINVAL);
	if (n > SELECT_MAX)
		n = SELECT_MAX;
	error = select_copyin(c, &s, n);
	if (error != 0)
		return (error);
	ready = select_wait(c, d, &s, n);
	for (int k = 0; k < 3 && ready >= 0; k++) {
		if (c->a[1 + k] == 0)
			continue;
		error = sys_copyout(c, c->a[1 + k], s.out[k],
		    ((size_t)n + 63) / 64 * 8);
		if (error != 0)
			return (error);
	}
	return (ready);
}

int64_t
sys_select(struct sysctx *c)
{
	struct deadline d;
	int64_t ret;
	int error;

	error = deadline_read(c, &d, c->a[4], 1000);
	if (error != 0)
		return (error);
	ret = do_select(c, &d);
	deadline_write(c, &d, c->a[4], 1000);
	return (ret);
}

int64_t
sys_pselect6(struct sysctx *c)
{
	uint64_t mask[2] = { 0, 0 }; /* address, size */
	struct deadline d;
	int64_t ret;
	int error = 0;

	if (c->a[5] != 0)
		error = sys_copyin(c, c->a[5], mask, sizeof(mask));
	if (error == 0)
		error = deadline_read(c, &d, c->a[4], 1);
	if (error == 0)
		error = sys_set_temp_mask(c, mask[0], mask[1]);
	if (error != 0)
		return (error);
	ret = do_select(c, &d);
	sys_end_temp_mask(c, ret == -ERESTARTNOHAND);
	deadline_write(c, &d, c->a[4], 1);
	return (ret);
}
