/*
 * fd_pipe.c: pipes and FIFOs: 64 KiB, writes up to 4096 bytes in one piece,
 * end of file when the last writer has gone, EPIPE and SIGPIPE when the last
 * reader has.
 *
 * Interface: pipe_make, fifo_open of sim/fd.h. Source: pipe(7), fifo(7).
 * Differences: the capacity cannot be changed.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define PIPE_PRI 88 /* PSOCK of FreeBSD 5 */
#define PIPE_DEV 0xdull

struct pipe {
	struct sysstate *ss;
	struct inode *fifo; /* not referenced; NULL: no name */
	uint32_t readers, writers; /* open file descriptions */
	uint32_t opens_read, opens_write; /* ever, for FIFO opens */
	uint32_t head, used; /* ring: first unread byte, bytes */
	uint64_t ino;
	int64_t when;
	uint8_t data[PIPE_SIZE];
};

static struct pipe *
pipe_new(struct sysstate *ss)
{
	struct pipe *pp = calloc(1, sizeof(*pp));

	if (pp == NULL)
		return (NULL);
	pp->ss = ss;
	pp->ino = ss->next_pipe++;
	pp->when = vfs_now(ss->vfs);
	return (pp);
}

static void
pipe_changed(struct pipe *pp)
{
	sim_wakeup(pp->ss->sim, pp);
	poll_wakeup(pp->ss);
}

static void
pipe_get(struct pipe *pp, uint8_t *buf, uint32_t n)
{
	uint32_t first = PIPE_SIZE - pp->head;

	if (first > n)
		first = n;
	memcpy(buf, pp->data + pp->head, first);
	memcpy(buf + first, pp->data, n - first);
	pp->head = (pp->head + n) % PIPE_SIZE;
	pp->used -= n;
}

static void
pipe_put(struct pipe *pp, const uint8_t *buf, uint32_t n)
{
	uint32_t tail = (pp->head + pp->used) % PIPE_SIZE;
	uint32_t first = PIPE_SIZE - tail;

	if (first > n)
		first = n;
	memcpy(pp->data + tail, buf, first);
	memcpy(pp->data, buf + first, n - first);
	pp->used += n;
}

ssize_t
pipe_take(struct sysctx *c, struct pipe *pp, bool wait, void *buf, size_t n)
{
	int error = 0;

	if (n == 0)
		return (0);
	while (pp->used == 0) {
		if (pp->writers == 0)
			return (0);
		if (!wait)
			return (-EAGAIN);
		/* what has come meanwhile comes before a signal */
		if (error != 0)
			return (error);
		error = sys_sleep(c, pp, PIPE_PRI, "piperd", SIM_NO_TIMEOUT);
	}
	if (n > pp->used)
		n = pp->used;
	pipe_get(pp, buf, (uint32_t)n);
	pipe_changed(pp);
	return ((ssize_t)n);
}

/* How much of n may be written now; 0: wait. */
static size_t
pipe_room(const struct pipe *pp, size_t n)
{
	size_t room = PIPE_SIZE - pp->used;

	if (n <= PIPE_ATOMIC)
		return (room >= n ? n : 0);
	return (room < n ? room : n);
}

ssize_t
pipe_give(struct sysctx *c, struct pipe *pp, bool wait, bool sigpipe,
    const void *buf, size_t n)
{
	const uint8_t *p = buf;
	size_t done = 0;
	int error = 0;

	while (done < n) {
		size_t k;

		if (pp->readers == 0) {
			if (sigpipe)
				signal_self(c->t, SIGPIPE);
			return (done != 0 ? (ssize_t)done : -EPIPE);
		}
		/* what began as a large write may go on in small pieces */
		k = pipe_room(pp, done == 0 ? n : n - done);
		if (k == 0 && done != 0)
			k = PIPE_SIZE - pp->used;
		if (k > 0) {
			pipe_put(pp, p + done, (uint32_t)k);
			done += k;
			pipe_changed(pp);
			continue;
		}
		if (!wait)
			return (done != 0 ? (ssize_t)done : -EAGAIN);
		if (error != 0)
			return (done != 0 ? (ssize_t)done : error);
		error = sys_sleep(c, pp, PIPE_PRI, "pipewr", SIM_NO_TIMEOUT);
	}
	return ((ssize_t)n);
}

static ssize_t
pipe_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	return (pipe_take(c, f->pipe, !(f->flags & O_NONBLOCK), buf, n));
}

static ssize_t
pipe_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	return (pipe_give(c, f->pipe, !(f->flags & O_NONBLOCK), true, buf, n));
}

uint32_t
pipe_events(const struct pipe *pp, bool reader)
{
	if (reader)
		return ((pp->used != 0 ? POLLIN | POLLRDNORM : 0u) |
		    (pp->writers == 0 ? POLLHUP : 0u));
	return ((pp->used <= PIPE_SIZE - PIPE_ATOMIC ?
	    POLLOUT | POLLWRNORM : 0u) | (pp->readers == 0 ? POLLERR : 0u));
}

static uint32_t
pipe_poll(struct file *f)
{
	const struct pipe *pp = f->pipe;
	uint32_t acc = f->flags & O_ACCMODE, ev = 0;

	if (acc != O_WRONLY) {
		ev |= pipe_events(pp, true);
		if (pp->fifo != NULL && pp->opens_write == 0)
			ev &= ~(uint32_t)POLLHUP; /* nobody has come yet */
	}
	if (acc != O_RDONLY)
		ev |= pipe_events(pp, false);
	return (ev);
}

void
pipe_leave(struct pipe *pp, bool reader, bool writer)
{
	pp->readers -= reader;
	pp->writers -= writer;
	if (pp->readers != 0 || pp->writers != 0) {
		pipe_changed(pp);
		return;
	}
	if (pp->fifo != NULL)
		inode_set_data(pp->fifo, NULL);
	free(pp);
}

struct pipe *
pipe_channel(struct sysstate *ss)
{
	struct pipe *pp = pipe_new(ss);

	if (pp != NULL)
		pp->readers = pp->writers = 1;
	return (pp);
}

uint64_t
pipe_ino(const struct pipe *pp)
{
	return (pp->ino);
}

static void
pipe_close(struct file *f)
{
	uint32_t acc = f->flags & O_ACCMODE;

	pipe_leave(f->pipe, acc != O_WRONLY, acc != O_RDONLY);
}

static void
pipe_stat(struct file *f, struct vfs_stat *st)
{
	const struct pipe *pp = f->pipe;

	if (f->ip != NULL) {
		inode_stat(f->ip, st);
		return;
	}
	memset(st, 0, sizeof(*st));
	st->dev = PIPE_DEV;
	st->ino = pp->ino;
	st->mode = S_IFIFO | 0600;
	st->nlink = 1;
	st->blksize = 4096;
	st->atime = st->mtime = st->ctime = pp->when;
}

static const struct file_ops file_ops_pipe = {
	.name = "pipe",
	.stream = true,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.close = pipe_close,
	.stat = pipe_stat,
};

bool
file_is_pipe(const struct file *f)
{
	return (f->ops == &file_ops_pipe);
}

uint32_t
file_pending(const struct file *f)
{
	return (f->pipe != NULL ? f->pipe->used : 0);
}

/* An end of the pipe; counts itself among its readers and writers. */
static struct file *
pipe_end(struct pipe *pp, uint32_t flags)
{
	struct file *f = file_new(pp->ss, &file_ops_pipe, flags);

	if (f == NULL)
		return (NULL);
	f->pipe = pp;
	if ((flags & O_ACCMODE) != O_WRONLY) {
		pp->readers++;
		pp->opens_read++;
	}
	if ((flags & O_ACCMODE) != O_RDONLY) {
		pp->writers++;
		pp->opens_write++;
	}
	return (f);
}

int
pipe_make(struct sysstate *ss, uint32_t flags, struct file **rd,
    struct file **wr)
{
	struct pipe *pp = pipe_new(ss);

	if (pp == NULL)
		return (-ENOMEM);
	*rd = pipe_end(pp, O_RDONLY | flags);
	if (*rd == NULL) {
		free(pp);
		return (-ENOMEM);
	}
	*wr = pipe_end(pp, O_WRONLY | flags);
	if (*wr == NULL) {
		file_drop(*rd);
		return (-ENOMEM);
	}
	return (0);
}

/* Until somebody opens the other end, or has opened it meanwhile. */
static int
fifo_wait(struct sysctx *c, const struct pipe *pp, const uint32_t *count,
    const uint32_t *opens)
{
	uint32_t seen = *opens;

	while (*count == 0 && *opens == seen) {
		int error = sys_sleep(c, pp, PIPE_PRI, "fifoopen",
		    SIM_NO_TIMEOUT);

		if (error != 0)
			return (error);
	}
	return (0);
}

int
fifo_open(struct sysctx *c, struct inode *ip, uint32_t flags,
    struct file **out)
{
	struct pipe *pp = inode_data(ip);
	uint32_t acc = flags & O_ACCMODE;
	struct file *f;
	int error = 0;

	if (pp == NULL) {
		if (acc == O_WRONLY && (flags & O_NONBLOCK))
			return (-ENXIO);
		pp = pipe_new(c->ss);
		if (pp == NULL)
			return (-ENOMEM);
		pp->fifo = ip;
		inode_set_data(ip, pp);
	} else if (acc == O_WRONLY && (flags & O_NONBLOCK) &&
	    pp->readers == 0) {
		return (-ENXIO);
	}
	f = pipe_end(pp, flags);
	if (f == NULL) {
		if (pp->readers == 0 && pp->writers == 0) {
			inode_set_data(ip, NULL);
			free(pp);
		}
		return (-ENOMEM);
	}
	inode_ref(ip);
	f->ip = ip;
	pipe_changed(pp);
	if (acc == O_RDONLY && !(flags & O_NONBLOCK))
		error = fifo_wait(c, pp, &pp->writers, &pp->opens_write);
	else if (acc == O_WRONLY)
		error = fifo_wait(c, pp, &pp->readers, &pp->opens_read);
	if (error != 0) {
		file_drop(f);
		return (error);
	}
	*out = f;
	return (0);
}
