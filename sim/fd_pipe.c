/*
 * fd_pipe.c: pipes and FIFOs: 16 pages unless changed, writes up to 4096
 * bytes in one piece, end of file when the last writer has gone, EPIPE and
 * SIGPIPE when the last reader has.
 *
 * Interface: pipe_make, fifo_open, pipe_size, pipe_set_size of sim/fd.h, and
 * what splice.c needs.
 * Source: pipe(7), fifo(7); how bytes fill pages decides when a pipe is full:
 * Linux 6.1 fs/pipe.c. Differences: a resized pipe is not limited by what the
 * user's other pipes hold.
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
#define PIPE_SLOTS (PIPE_SIZE / PAGE_SIZE)
#define PIPE_MAX (1u << 31) /* bytes */

struct pipe_slot { /* a page of it */
	uint32_t first, bytes; /* unread */
	bool packet; /* O_DIRECT: a read takes it alone */
};

struct pipe {
	struct sysstate *ss;
	struct inode *fifo; /* not referenced; NULL: no name */
	uint32_t readers, writers; /* open file descriptions */
	uint32_t opens_read, opens_write; /* ever, for FIFO opens */
	uint32_t head, tail; /* slots ever filled, ever emptied */
	uint32_t slots; /* a power of two */
	struct pipe_slot *slot; /* of number n: n % slots */
	uint8_t *data; /* their pages */
	bool held; /* by a splice; readers wait for it to go */
	uint64_t ino;
	int64_t when;
	struct poll_head poll;
};

/* ---- pages ---- */

static bool
pipe_alloc(uint32_t slots, struct pipe_slot **slot, uint8_t **data)
{
	*slot = calloc(slots, sizeof(**slot));
	*data = calloc(slots, PAGE_SIZE);
	if (*slot != NULL && *data != NULL)
		return (true);
	free(*slot);
	free(*data);
	return (false);
}

static struct pipe *
pipe_new(struct sysstate *ss)
{
	struct pipe *pp = calloc(1, sizeof(*pp));

	if (pp == NULL)
		return (NULL);
	if (!pipe_alloc(PIPE_SLOTS, &pp->slot, &pp->data)) {
		free(pp);
		return (NULL);
	}
	pp->ss = ss;
	pp->slots = PIPE_SLOTS;
	pp->ino = ss->next_anon++;
	pp->when = vfs_now(ss->vfs);
	poll_head_init(&pp->poll);
	return (pp);
}

static void
pipe_free(struct pipe *pp)
{
	poll_head_end(&pp->poll);
	free(pp->slot);
	free(pp->data);
	free(pp);
}

static bool
pipe_empty(const struct pipe *pp)
{
	return (pp->head == pp->tail);
}

static bool
pipe_full(const struct pipe *pp)
{
	return (pp->head - pp->tail >= pp->slots);
}

static struct pipe_slot *
pipe_slot(const struct pipe *pp, uint32_t n)
{
	return (&pp->slot[n % pp->slots]);
}

static uint8_t *
pipe_page(const struct pipe *pp, uint32_t n)
{
	return (pp->data + (size_t)(n % pp->slots) * PAGE_SIZE);
}

/* Readers wait at the head, writers at the tail. */
static void
pipe_tell_readers(struct pipe *pp)
{
	sim_wakeup(pp->ss->sim, &pp->head);
	poll_notify(pp->ss, &pp->poll, POLLIN | POLLRDNORM);
}

static void
pipe_tell_writers(struct pipe *pp)
{
	sim_wakeup(pp->ss->sim, &pp->tail);
	poll_notify(pp->ss, &pp->poll, POLLOUT | POLLWRNORM);
}

/* An end has come or gone. */
static void
pipe_tell_all(struct pipe *pp)
{
	sim_wakeup(pp->ss->sim, &pp->head);
	sim_wakeup(pp->ss->sim, &pp->tail);
	poll_notify(pp->ss, &pp->poll, POLLIN | POLLRDNORM | POLLOUT |
	    POLLWRNORM | POLLERR | POLLHUP);
}

/* ---- bytes ---- */

static size_t
pipe_get(struct pipe *pp, uint8_t *buf, size_t n)
{
	size_t done = 0;

	while (done < n && !pipe_empty(pp)) {
		struct pipe_slot *s = pipe_slot(pp, pp->tail);
		size_t k = s->bytes < n - done ? s->bytes : n - done;
		bool packet = s->packet;

		memcpy(buf + done, pipe_page(pp, pp->tail) + s->first, k);
		done += k;
		s->first += (uint32_t)k;
		s->bytes -= (uint32_t)k;
		if (s->bytes == 0 || packet)
			pp->tail++; /* what is left of a packet is lost */
		if (packet)
			break;
	}
	return (done);
}

/* The odd bytes of a write go into the last page, if all of them fit. */
static size_t
pipe_merge(struct pipe *pp, const uint8_t *buf, size_t n)
{
	size_t odd = n % PAGE_SIZE;
	struct pipe_slot *s;

	if (odd == 0 || pipe_empty(pp))
		return (0);
	s = pipe_slot(pp, pp->head - 1);
	if (s->packet || s->first + s->bytes + odd > PAGE_SIZE)
		return (0);
	memcpy(pipe_page(pp, pp->head - 1) + s->first + s->bytes, buf, odd);
	s->bytes += (uint32_t)odd;
	return (odd);
}

/* As much as there are free pages for. */
static size_t
pipe_put(struct pipe *pp, const uint8_t *buf, size_t n, bool packet)
{
	size_t done = 0;

	while (done < n && !pipe_full(pp)) {
		struct pipe_slot *s = pipe_slot(pp, pp->head);
		size_t k = n - done < PAGE_SIZE ? n - done : PAGE_SIZE;

		memcpy(pipe_page(pp, pp->head), buf + done, k);
		s->first = 0;
		s->bytes = (uint32_t)k;
		s->packet = packet;
		pp->head++;
		done += k;
	}
	return (done);
}

static void
pipe_wait_holder(struct sysctx *c, struct pipe *pp)
{
	while (pp->held)
		(void)sim_sleep(c->sim, &pp->held, PIPE_PRI, "pipelk",
		    SIM_NO_TIMEOUT);
}

int
pipe_wait_data(struct sysctx *c, struct file *f, bool nonblock)
{
	struct pipe *pp = f->pipe;
	int error = 0;

	for (;;) {
		pipe_wait_holder(c, pp);
		if (!pipe_empty(pp))
			return (1);
		if (pp->writers == 0)
			return (0);
		if (nonblock)
			return (-EAGAIN);
		/* what has come meanwhile comes before a signal */
		if (error != 0)
			return (error);
		error = sys_sleep(c, &pp->head, PIPE_PRI, "piperd",
		    SIM_NO_TIMEOUT);
	}
}

static ssize_t
pipe_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	struct pipe *pp = f->pipe;
	bool full;
	size_t got;
	int error;

	error = pipe_wait_data(c, f, (f->flags & O_NONBLOCK) != 0);
	if (error <= 0)
		return (error);
	full = pipe_full(pp);
	got = pipe_get(pp, buf, n);
	if (full && !pipe_full(pp))
		pipe_tell_writers(pp);
	return ((ssize_t)got);
}

static ssize_t
pipe_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	bool packet = (f->flags & O_DIRECT) != 0;
	struct pipe *pp = f->pipe;
	const uint8_t *p = buf;
	size_t done = 0, k;
	int error = 0;

	if (pp->readers != 0 && (done = pipe_merge(pp, p, n)) != 0)
		pipe_tell_readers(pp);
	while (done < n) {
		if (pp->readers == 0) {
			signal_self(c->t, SIGPIPE);
			return (done != 0 ? (ssize_t)done : -EPIPE);
		}
		k = pipe_put(pp, p + done, n - done, packet);
		if (k != 0) {
			done += k;
			pipe_tell_readers(pp);
			continue;
		}
		if (f->flags & O_NONBLOCK)
			return (done != 0 ? (ssize_t)done : -EAGAIN);
		if (error != 0)
			return (done != 0 ? (ssize_t)done : error);
		error = sys_sleep(c, &pp->tail, PIPE_PRI, "pipewr",
		    SIM_NO_TIMEOUT);
	}
	return ((ssize_t)n);
}

/* ---- splice ---- */

int
pipe_wait_room(struct sysctx *c, struct file *f, bool nonblock)
{
	struct pipe *pp = f->pipe;
	int error = 0;

	for (;;) {
		if (pp->readers == 0) {
			signal_self(c->t, SIGPIPE);
			return (-EPIPE);
		}
		if (!pipe_full(pp))
			return (0);
		if (nonblock)
			return (-EAGAIN);
		if (error != 0)
			return (error);
		error = sys_sleep(c, &pp->tail, PIPE_PRI, "pipewr",
		    SIM_NO_TIMEOUT);
	}
}

size_t
pipe_page_bytes(const struct file *f, uint32_t i, const uint8_t **data)
{
	const struct pipe *pp = f->pipe;
	const struct pipe_slot *s = pipe_slot(pp, pp->tail + i);

	if (i >= pp->head - pp->tail)
		return (0);
	*data = pipe_page(pp, pp->tail + i) + s->first;
	return (s->bytes);
}

void
pipe_consume(struct file *f, size_t n)
{
	struct pipe *pp = f->pipe;
	bool full = pipe_full(pp);

	while (n != 0 && !pipe_empty(pp)) {
		struct pipe_slot *s = pipe_slot(pp, pp->tail);
		size_t k = s->bytes < n ? s->bytes : n;

		n -= k;
		s->first += (uint32_t)k;
		s->bytes -= (uint32_t)k;
		if (s->bytes == 0)
			pp->tail++;
	}
	if (full && !pipe_full(pp))
		pipe_tell_writers(pp);
}

uint32_t
pipe_room(const struct file *f)
{
	const struct pipe *pp = f->pipe;

	return (pipe_full(pp) ? 0 : pp->slots - (pp->head - pp->tail));
}

void
pipe_add_page(struct file *f, const uint8_t *data, size_t n)
{
	(void)pipe_put(f->pipe, data, n, false);
	pipe_tell_readers(f->pipe);
}

void
pipe_hold(struct sysctx *c, struct file *f)
{
	pipe_wait_holder(c, f->pipe);
	f->pipe->held = true;
}

void
pipe_release(struct sysctx *c, struct file *f)
{
	f->pipe->held = false;
	sim_wakeup(c->sim, &f->pipe->held);
}

/* ---- its size ---- */

static int64_t
pipe_pending(struct file *f)
{
	const struct pipe *pp = f->pipe;
	int64_t n = 0;

	for (uint32_t i = pp->tail; i != pp->head; i++)
		n += pipe_slot(pp, i)->bytes;
	return (n);
}

int64_t
pipe_size(const struct file *f)
{
	return ((int64_t)f->pipe->slots * PAGE_SIZE);
}

/* Old and new pages have other places for the same slots. */
static int
pipe_resize(struct pipe *pp, uint32_t slots)
{
	uint32_t used = pp->head - pp->tail;
	struct pipe_slot *slot;
	uint8_t *data;

	if (!pipe_alloc(slots, &slot, &data))
		return (-ENOMEM);
	for (uint32_t i = 0; i < used; i++) {
		slot[i] = *pipe_slot(pp, pp->tail + i);
		memcpy(data + (size_t)i * PAGE_SIZE,
		    pipe_page(pp, pp->tail + i), PAGE_SIZE);
	}
	free(pp->slot);
	free(pp->data);
	pp->slot = slot;
	pp->data = data;
	pp->slots = slots;
	pp->tail = 0;
	pp->head = used;
	return (0);
}

int64_t
pipe_set_size(struct file *f, uint64_t bytes)
{
	struct pipe *pp = f->pipe;
	uint32_t slots = 1;
	bool full = pipe_full(pp);
	int error;

	if (bytes > PIPE_MAX)
		return (-EINVAL);
	while ((uint64_t)slots * PAGE_SIZE < bytes)
		slots *= 2;
	if (slots < pp->head - pp->tail)
		return (-EBUSY);
	error = pipe_resize(pp, slots);
	if (error != 0)
		return (error);
	if (full && !pipe_full(pp))
		pipe_tell_writers(pp);
	return (pipe_size(f));
}

/* ---- ends ---- */

static uint32_t
pipe_poll(struct sysctx *c, struct file *f)
{
	const struct pipe *pp = f->pipe;
	uint32_t acc = f->flags & O_ACCMODE, ev = 0;

	if (acc != O_WRONLY) {
		if (!pipe_empty(pp))
			ev |= POLLIN | POLLRDNORM;
		/* not before somebody has come */
		if (pp->writers == 0 && pp->opens_write != f->count)
			ev |= POLLHUP;
	}
	if (acc != O_RDONLY) {
		if (!pipe_full(pp))
			ev |= POLLOUT | POLLWRNORM;
		if (pp->readers == 0)
			ev |= POLLERR;
	}
	return (ev);
}

static struct poll_head *
pipe_head(struct sysctx *c, struct file *f)
{
	return (&f->pipe->poll);
}

static void
pipe_close(struct file *f)
{
	uint32_t acc = f->flags & O_ACCMODE;
	struct pipe *pp = f->pipe;

	pp->readers -= acc != O_WRONLY;
	pp->writers -= acc != O_RDONLY;
	if (pp->readers != 0 || pp->writers != 0) {
		pipe_tell_all(pp);
		return;
	}
	if (pp->fifo != NULL)
		inode_set_data(pp->fifo, NULL);
	pipe_free(pp);
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
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.head = pipe_head,
	.pending = pipe_pending,
	.close = pipe_close,
	.stat = pipe_stat,
};

bool
file_is_pipe(const struct file *f)
{
	return (f->ops == &file_ops_pipe);
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
	/* a FIFO that nobody writes to yet has not reached its end */
	f->count = pp->writers == 0 ? pp->opens_write : UINT64_MAX;
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
		pipe_free(pp);
		return (-ENOMEM);
	}
	(*rd)->count = UINT64_MAX;
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
		int error = sys_sleep(c, &pp->head, PIPE_PRI, "fifoopen",
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
			pipe_free(pp);
		}
		return (-ENOMEM);
	}
	inode_ref(ip);
	f->ip = ip;
	pipe_tell_all(pp);
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
