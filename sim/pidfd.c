/*
 * pidfd.c: processes as files.
 *
 * Interface: pidfd_* of sim/syscall_int.h; sys_pidfd_open, sys_pidfd_getfd.
 * Source: pidfd_open(2), pidfd_getfd(2), Linux 6.1 kernel/pid.c. Differences:
 * none known.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "sim/syscall_int.h"

/* What all files of one process share; it outlives the process. */
struct pidref {
	struct uproc *p; /* NULL: it has been waited for */
	uint32_t files;
	struct poll_head head;
};

static bool
has_ended(const struct pidref *pr)
{
	return (pr->p == NULL || pr->p->zombie);
}

static uint32_t
pid_poll(struct sysctx *c, struct file *f)
{
	return (has_ended(f->data) ? POLLIN | POLLRDNORM : 0u);
}

static struct poll_head *
pid_head(struct sysctx *c, struct file *f)
{
	struct pidref *pr = f->data;

	return (&pr->head);
}

static void
pid_close(struct file *f)
{
	struct pidref *pr = f->data;

	if (--pr->files != 0)
		return;
	if (pr->p != NULL)
		pr->p->pidref = NULL;
	poll_head_end(&pr->head);
	free(pr);
}

static const struct file_ops file_ops_pid = {
	.name = "anon_inode:[pidfd]",
	.poll = pid_poll,
	.head = pid_head,
	.close = pid_close,
	.stat = anon_stat,
};

static struct pidref *
pidref_of(struct uproc *p)
{
	struct pidref *pr = p->pidref;

	if (pr == NULL) {
		pr = calloc(1, sizeof(*pr));
		if (pr == NULL)
			return (NULL);
		pr->p = p;
		poll_head_init(&pr->head);
		p->pidref = pr;
	}
	return (pr);
}

int
pidfd_give(struct sysctx *c, struct uproc *p, uint32_t flags)
{
	struct pidref *pr = pidref_of(p);
	struct file *f;

	if (pr == NULL)
		return (-ENOMEM);
	f = file_new(c->ss, &file_ops_pid, O_RDWR | flags);
	if (f == NULL) {
		if (pr->files == 0) {
			p->pidref = NULL;
			free(pr);
		}
		return (-ENOMEM);
	}
	f->data = pr;
	pr->files++;
	return (file_give(c, f, true));
}

void
pidfd_dead(struct uproc *p)
{
	if (p->pidref != NULL)
		poll_notify(p->sys, &p->pidref->head, POLLIN | POLLRDNORM);
}

void
pidfd_gone(struct uproc *p)
{
	if (p->pidref != NULL)
		p->pidref->p = NULL;
	p->pidref = NULL;
}

int
pidfd_find(struct sysctx *c, uint64_t fd, struct uproc **p, bool *nonblock)
{
	struct file *f = sys_file(c, fd, false);

	if (f == NULL || f->ops != &file_ops_pid)
		return (-EBADF);
	*p = ((struct pidref *)f->data)->p;
	*nonblock = (f->flags & O_NONBLOCK) != 0;
	return (0);
}

int64_t
sys_pidfd_open(struct sysctx *c)
{
	int32_t pid = (int32_t)c->a[0];
	uint32_t flags = (uint32_t)c->a[1];
	struct uproc *p;

	if ((flags & ~(uint32_t)O_NONBLOCK) || pid <= 0)
		return (-EINVAL);
	p = uproc_find(c->ss, pid);
	if (p == NULL) /* a thread that leads no process is not meant */
		return (sys_is_task(c, (uint64_t)pid) ? -EINVAL : -ESRCH);
	return (pidfd_give(c, p, flags));
}

int64_t
sys_pidfd_getfd(struct sysctx *c)
{
	struct uproc *p;
	struct file *f;
	bool nonblock;
	int error;

	if (c->a[2] != 0)
		return (-EINVAL);
	error = pidfd_find(c, c->a[0], &p, &nonblock);
	if (error != 0)
		return (error);
	if (p == NULL || p->exiting)
		return (-ESRCH);
	f = fd_get(p->fds, (int)c->a[1]);
	if (f == NULL)
		return (-EBADF);
	file_hold(f);
	return (file_give(c, f, true));
}
