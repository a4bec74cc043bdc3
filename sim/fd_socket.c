/*
 * fd_socket.c: pairs of connected sockets (AF_UNIX, SOCK_STREAM) and event
 * counters.
 *
 * Interface: sys_socketpair and the calls on sockets, sys_eventfd2. Source:
 * unix(7), send(2), recv(2), eventfd(2). Differences: a socket holds 64 KiB
 * in each direction, as a pipe; there are no addresses, so no other sockets
 * than pairs; descriptors and credentials cannot be sent; no MSG_PEEK.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define EVENT_PRI 88 /* PSOCK of FreeBSD 5 */
#define SOCKET_DEV 0xcull
#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_EOR)
#define RECV_FLAGS (MSG_DONTWAIT | MSG_WAITALL | MSG_CMSG_CLOEXEC | \
    MSG_NOSIGNAL)

/* ---- what a socket does ---- */

static bool
waits(const struct file *f, uint32_t flags)
{
	return (!(f->flags & O_NONBLOCK) && !(flags & MSG_DONTWAIT));
}

static ssize_t
socket_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	return (f->pipe != NULL ? pipe_take(c, f->pipe, waits(f, 0), buf, n) :
	    0);
}

static ssize_t
socket_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	if (f->out != NULL)
		return (pipe_give(c, f->out, waits(f, 0), true, buf, n));
	signal_self(c->t, SIGPIPE);
	return (-EPIPE);
}

static uint32_t
socket_poll(struct file *f)
{
	uint32_t in = f->pipe != NULL ? pipe_events(f->pipe, true) : POLLHUP;
	uint32_t out = f->out != NULL ? pipe_events(f->out, false) : POLLERR;
	uint32_t ev = (in | out) & ~(uint32_t)(POLLHUP | POLLERR);

	/* the end can be read; both ends closed: hung up */
	if (in & POLLHUP)
		ev |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (out & POLLERR)
		ev |= POLLOUT | POLLWRNORM;
	if ((in & POLLHUP) && (out & POLLERR))
		ev |= POLLHUP;
	return (ev);
}

static void
socket_shut(struct file *f, bool in, bool out)
{
	if (in && f->pipe != NULL) {
		pipe_leave(f->pipe, true, false);
		f->pipe = NULL;
	}
	if (out && f->out != NULL) {
		pipe_leave(f->out, false, true);
		f->out = NULL;
	}
}

static void
socket_close(struct file *f)
{
	socket_shut(f, true, true);
}

static void
socket_stat(struct file *f, struct vfs_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->dev = SOCKET_DEV;
	st->ino = f->count;
	st->mode = S_IFSOCK | 0777;
	st->nlink = 1;
	st->blksize = 4096;
}

static const struct file_ops file_ops_socket = {
	.name = "socket",
	.stream = true,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.close = socket_close,
	.stat = socket_stat,
};

/* ---- making a pair ---- */

static struct file *
socket_file(struct sysctx *c, struct pipe *in, struct pipe *out,
    uint32_t flags)
{
	struct file *f = file_new(c->ss, &file_ops_socket, O_RDWR | flags);

	if (f == NULL)
		return (NULL);
	f->pipe = in;
	f->out = out;
	f->count = pipe_ino(in);
	return (f);
}

/* Two directions, two ends; NULL in end[0]: no memory. */
static void
make_ends(struct sysctx *c, struct file *end[2], uint32_t flags)
{
	struct pipe *ab = pipe_channel(c->ss), *ba = pipe_channel(c->ss);

	end[0] = end[1] = NULL;
	if (ab != NULL && ba != NULL) {
		end[0] = socket_file(c, ba, ab, flags);
		end[1] = socket_file(c, ab, ba, flags);
	}
	if (end[1] != NULL && end[0] != NULL)
		return;
	for (int i = 0; i < 2; i++) {
		if (end[i] == NULL)
			continue;
		end[i]->pipe = end[i]->out = NULL;
		file_drop(end[i]);
	}
	end[0] = end[1] = NULL;
	if (ab != NULL)
		pipe_leave(ab, true, true);
	if (ba != NULL)
		pipe_leave(ba, true, true);
}

static int
install_end(struct sysctx *c, struct file *f, bool cloexec)
{
	int fd = fd_install(c->p->fds, f, 0, sys_limit(c->p, RLIMIT_NOFILE),
	    cloexec);

	if (fd < 0)
		file_drop(f);
	return (fd);
}

static int
install_both(struct sysctx *c, struct file *end[2], vm_offset_t va,
    bool cloexec)
{
	int fd[2], error;

	fd[0] = install_end(c, end[0], cloexec);
	if (fd[0] < 0) {
		file_drop(end[1]);
		return (fd[0]);
	}
	fd[1] = install_end(c, end[1], cloexec);
	error = fd[1] < 0 ? fd[1] : sys_copyout(c, va, fd, sizeof(fd));
	if (error == 0)
		return (0);
	(void)fd_close(c->p->fds, fd[0]);
	if (fd[1] >= 0)
		(void)fd_close(c->p->fds, fd[1]);
	return (error);
}

int64_t
sys_socketpair(struct sysctx *c)
{
	uint32_t type = (uint32_t)c->a[1];
	struct file *end[2];

	if ((int)c->a[0] == AF_INET || (int)c->a[0] == AF_INET6)
		return (-EOPNOTSUPP);
	if ((int)c->a[0] != AF_UNIX)
		return (-EAFNOSUPPORT);
	if ((type & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM)
		return (-ESOCKTNOSUPPORT);
	if ((int)c->a[2] != 0 && (int)c->a[2] != AF_UNIX)
		return (-EPROTONOSUPPORT);
	make_ends(c, end, type & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	if (end[0] == NULL)
		return (-ENOMEM);
	return (install_both(c, end, c->a[3], (type & SOCK_CLOEXEC) != 0));
}

/* ---- calls on sockets ---- */

static int
socket_get(struct sysctx *c, struct file **out)
{
	*out = sys_file(c, c->a[0], false);
	if (*out == NULL)
		return (-EBADF);
	return ((*out)->ops == &file_ops_socket ? 0 : -ENOTSOCK);
}

/* Sends what the buffers hold, in pieces. */
static int64_t
socket_send(struct sysctx *c, struct file *f, struct uio *u, uint32_t flags)
{
	uint8_t *buf = sys_buf(c, 0);
	int64_t done = 0;

	if (flags & ~(uint32_t)SEND_FLAGS)
		return (-EOPNOTSUPP);
	if (buf == NULL)
		return (-ENOMEM);
	while (u->left != 0) {
		size_t n = u->left < SYSBUF_SIZE ? u->left : SYSBUF_SIZE;
		ssize_t got = uio_copyin(c, u, buf, n);

		if (got > 0)
			got = f->out == NULL ? -EPIPE : pipe_give(c, f->out,
			    waits(f, flags), !(flags & MSG_NOSIGNAL), buf,
			    (size_t)got);
		if (got <= 0)
			return (done != 0 ? done : got);
		done += got;
	}
	return (done);
}

static int64_t
socket_recv(struct sysctx *c, struct file *f, struct uio *u, uint32_t flags)
{
	uint8_t *buf = sys_buf(c, 0);
	int64_t done = 0;

	if (flags & ~(uint32_t)RECV_FLAGS)
		return (-EOPNOTSUPP);
	if (buf == NULL)
		return (-ENOMEM);
	while (u->left != 0) {
		size_t n = u->left < SYSBUF_SIZE ? u->left : SYSBUF_SIZE;
		ssize_t got = f->pipe == NULL ? 0 :
		    pipe_take(c, f->pipe, waits(f, flags), buf, n);

		if (got > 0)
			got = uio_copyout(c, u, buf, (size_t)got);
		if (got <= 0)
			return (done != 0 ? done : got);
		done += got;
		if (!(flags & MSG_WAITALL))
			break;
	}
	return (done);
}

int64_t
sys_sendto(struct sysctx *c)
{
	struct iovec64 iv;
	struct file *f;
	struct uio u;
	int error = socket_get(c, &f);

	if (error == 0 && c->a[4] != 0 && c->a[5] != 0)
		error = -EISCONN;
	if (error == 0)
		error = uio_single(c, &u, &iv, c->a[1], c->a[2]);
	return (error != 0 ? error : socket_send(c, f, &u,
	    (uint32_t)c->a[3]));
}

int64_t
sys_recvfrom(struct sysctx *c)
{
	const uint32_t none = 0;
	struct iovec64 iv;
	struct file *f;
	struct uio u;
	int error = socket_get(c, &f);

	if (error == 0)
		error = uio_single(c, &u, &iv, c->a[1], c->a[2]);
	if (error == 0 && c->a[4] != 0 && c->a[5] != 0)
		error = sys_copyout(c, c->a[5], &none, sizeof(none));
	return (error != 0 ? error : socket_recv(c, f, &u,
	    (uint32_t)c->a[3]));
}

struct msghdr64 {
	uint64_t name;
	uint32_t namelen, pad;
	uint64_t iov, iovlen, control, controllen;
	uint32_t flags, pad2;
};

static int64_t
do_message(struct sysctx *c, bool send)
{
	struct msghdr64 mh;
	struct file *f;
	struct uio u;
	int error = socket_get(c, &f);
	int64_t ret;

	if (error == 0)
		error = sys_copyin(c, c->a[1], &mh, sizeof(mh));
	if (error == 0 && send && mh.controllen != 0)
		error = -EINVAL;
	if (error == 0)
		error = uio_vector(c, &u, mh.iov, mh.iovlen);
	if (error != 0)
		return (error);
	if (send)
		return (socket_send(c, f, &u, (uint32_t)c->a[2]));
	ret = socket_recv(c, f, &u, (uint32_t)c->a[2]);
	if (ret < 0)
		return (ret);
	mh.namelen = mh.flags = 0;
	mh.controllen = 0;
	error = sys_copyout(c, c->a[1], &mh, sizeof(mh));
	return (error != 0 ? error : ret);
}

int64_t
sys_sendmsg(struct sysctx *c)
{
	return (do_message(c, true));
}

int64_t
sys_recvmsg(struct sysctx *c)
{
	return (do_message(c, false));
}

int64_t
sys_shutdown(struct sysctx *c)
{
	struct file *f;
	int error = socket_get(c, &f);

	if (error != 0)
		return (error);
	if ((uint32_t)c->a[1] > SHUT_RDWR)
		return (-EINVAL);
	socket_shut(f, c->a[1] != SHUT_WR, c->a[1] != SHUT_RD);
	return (0);
}

/* Sizes and such are taken note of, and change nothing. */
int64_t
sys_setsockopt(struct sysctx *c)
{
	struct file *f;
	int error = socket_get(c, &f);

	if (error != 0)
		return (error);
	return ((int)c->a[1] == SOL_SOCKET ? 0 : -EOPNOTSUPP);
}

int64_t
sys_getsockopt(struct sysctx *c)
{
	uint32_t size, value;
	struct file *f;
	int error = socket_get(c, &f);

	if (error == 0)
		error = sys_copyin(c, c->a[4], &size, sizeof(size));
	if (error != 0)
		return (error);
	if ((int)c->a[1] != SOL_SOCKET)
		return (-EOPNOTSUPP);
	switch ((int)c->a[2]) {
	case SO_TYPE:
		value = SOCK_STREAM;
		break;
	case SO_DOMAIN:
		value = AF_UNIX;
		break;
	case SO_SNDBUF:
	case SO_RCVBUF:
		value = PIPE_SIZE;
		break;
	case SO_ERROR:
	case SO_ACCEPTCONN:
	case SO_PROTOCOL:
		value = 0;
		break;
	default:
		return (-ENOPROTOOPT);
	}
	if (size > sizeof(value))
		size = sizeof(value);
	error = sys_copyout(c, c->a[3], &value, size);
	return (error != 0 ? error :
	    sys_copyout(c, c->a[4], &size, sizeof(size)));
}

/* A pair has no name. */
static int64_t
unnamed(struct sysctx *c)
{
	const uint16_t family = AF_UNIX;
	uint32_t size;
	struct file *f;
	int error = socket_get(c, &f);

	if (error == 0)
		error = sys_copyin(c, c->a[2], &size, sizeof(size));
	if (error != 0)
		return (error);
	if ((int32_t)size < 0)
		return (-EINVAL);
	if (size > sizeof(family))
		size = sizeof(family);
	error = sys_copyout(c, c->a[1], &family, size);
	size = sizeof(family);
	return (error != 0 ? error :
	    sys_copyout(c, c->a[2], &size, sizeof(size)));
}

int64_t
sys_getsockname(struct sysctx *c)
{
	return (unnamed(c));
}

int64_t
sys_getpeername(struct sysctx *c)
{
	return (unnamed(c));
}

/* ---- event counters ---- */

static void
event_changed(struct file *f)
{
	sim_wakeup(f->ss->sim, &f->count);
	poll_wakeup(f->ss);
}

static int
event_sleep(struct sysctx *c, struct file *f)
{
	if (f->flags & O_NONBLOCK)
		return (-EAGAIN);
	return (sys_sleep(c, &f->count, EVENT_PRI, "eventfd",
	    SIM_NO_TIMEOUT));
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
	event_changed(f);
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
	while (value > UINT64_MAX - 1 - f->count) {
		error = event_sleep(c, f);
		if (error != 0)
			return (error);
	}
	f->count += value;
	event_changed(f);
	return (sizeof(value));
}

static uint32_t
event_poll(struct file *f)
{
	return ((f->count != 0 ? POLLIN | POLLRDNORM : 0u) |
	    (f->count < UINT64_MAX - 1 ? POLLOUT | POLLWRNORM : 0u));
}

static void
event_stat(struct file *f, struct vfs_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->dev = SOCKET_DEV;
	st->mode = 0600;
	st->nlink = 1;
	st->blksize = 4096;
}

static const struct file_ops file_ops_event = {
	.name = "anon_inode",
	.stream = true,
	.read = event_read,
	.write = event_write,
	.poll = event_poll,
	.stat = event_stat,
};

static int64_t
event_new(struct sysctx *c, uint32_t flags)
{
	struct file *f;
	int fd;

	if (flags & ~(uint32_t)(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return (-EINVAL);
	f = file_new(c->ss, &file_ops_event, O_RDWR |
	    (flags & EFD_NONBLOCK ? O_NONBLOCK : 0));
	if (f == NULL)
		return (-ENOMEM);
	f->count = (uint32_t)c->a[0];
	f->offset = (flags & EFD_SEMAPHORE) != 0;
	fd = fd_install(c->p->fds, f, 0, sys_limit(c->p, RLIMIT_NOFILE),
	    (flags & EFD_CLOEXEC) != 0);
	if (fd < 0)
		file_drop(f);
	return (fd);
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
