/*
 * fd_event.c: event counters.
 *
 * Interface: sys_eventfd2, sys_eventfd. Source: eventfd(2). Differences: none
 * known.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "sim/syscall_int.h"

#define EVENT_PRI 88 /* PSOCK of FreeBSD 5 */
#define EVENT_MAX (UINT64_MAX - 1)

static int
event_sleep(struct sysctx *c, struct file *f)
{
	if (f->flags & O_NONBLOCK)
		return (-EAGAIN);
	return (sys_sleep(c, &f->count, EVENT_PRI, "eventfd",
	    SIM_NO_TIMEOUT));
}

static void
event_changed(struct file *f, uint32_t events)
{
	sim_wakeup(f->ss->sim, &f->count);
	poll_notify(f->ss, &f->head, events);
}

/* offset: 1 for EFD_SEMAPHORE. */
static ssize_t
event_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	uint64_t value;
	int error;

	if (n < sizeof(value))
		return (-EINVAL);
	while (f->count == 0) {
		error = event_sleep(c, f);
		if (error != 0)
			return (error);
	}
	value = f->offset != 0 ? 1 : f->count;
	f->count -= value;
	memcpy(buf, &value, sizeof(value));
	event_changed(f, POLLOUT | POLLWRNORM);
	return (sizeof(value));
}

static ssize_t
event_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	uint64_t value;
	int error;

	if (n < sizeof(value))
		return (-EINVAL);
	memcpy(&value, buf, sizeof(value));
	if (value == UINT64_MAX)
		return (-EINVAL);
	while (value > EVENT_MAX - f->count) {
		error = event_sleep(c, f);
		if (error != 0)
			return (error);
	}
	f->count += value;
	event_changed(f, POLLIN | POLLRDNORM);
	return (sizeof(value));
}

static uint32_t
event_poll(struct sysctx *c, struct file *f)
{
	return ((f->count != 0 ? POLLIN | POLLRDNORM : 0u) |
	    (f->count < EVENT_MAX ? POLLOUT | POLLWRNORM : 0u));
}

static const struct file_ops file_ops_event = {
	.name = "anon_inode:[eventfd]",
	.read = event_read,
	.write = event_write,
	.poll = event_poll,
	.stat = anon_stat,
};

static int64_t
event_new(struct sysctx *c, uint32_t flags)
{
	struct file *f;

	if (flags & ~(uint32_t)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return (-EINVAL);
	f = file_new(c->ss, &file_ops_event, O_RDWR |
	    (flags & EFD_NONBLOCK ? O_NONBLOCK : 0));
	if (f == NULL)
		return (-ENOMEM);
	f->count = (uint32_t)c->a[0];
	f->offset = (flags & EFD_SEMAPHORE) != 0;
	return (file_give(c, f, (flags & EFD_CLOEXEC) != 0));
}

int64_t
sys_eventfd2(struct sysctx *c)
{
	return (event_new(c, (uint32_t)c->a[1]));
}

int64_t
sys_eventfd(struct sysctx *c)
{
	return (event_new(c, 0));
}
