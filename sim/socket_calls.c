/*
 * socket_calls.c: making sockets, their options, shutting them down.
 *
 * Interface: sys_socket, sys_socketpair, sys_shutdown, sys_setsockopt,
 * sys_getsockopt. Source: socket(2), socketpair(2), socket(7), Linux 6.1.
 * Differences: AF_UNIX alone; options that have no meaning for it are kept
 * and given back.
 */
#include <string.h>

#include "sim/socket_int.h"

#define SOCK_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)
#define TYPE_MAX 11
#define BUFFER_MIN 4608u /* SOCK_MIN_SNDBUF */
#define USEC 1000000

/* ---- making ---- */

static int
check_kind(struct sysctx *c, uint32_t *type)
{
	*type = (uint32_t)c->a[1] & ~(uint32_t)SOCK_FLAGS;
	if (((uint32_t)c->a[1] & ~0xfu & ~(uint32_t)SOCK_FLAGS) != 0 ||
	    *type >= TYPE_MAX)
		return (-EINVAL);
	if ((int)c->a[0] != AF_UNIX)
		return (-EAFNOSUPPORT);
	if ((int)c->a[2] != 0 && (int)c->a[2] != AF_UNIX)
		return (-EPROTONOSUPPORT);
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	return (*type == SOCK_STREAM || *type == SOCK_DGRAM ||
	    *type == SOCK_SEQPACKET ? 0 : -ESOCKTNOSUPPORT);
}

static uint32_t
file_flags(const struct sysctx *c)
{
	return (c->a[1] & SOCK_NONBLOCK ? O_NONBLOCK : 0);
}

static int
make_socket(struct sysctx *c, uint32_t type, struct file **out)
{
	struct socket *s = socket_new(c->ss, (int)type);

	if (s == NULL)
		return (-ENOMEM);
	if (socket_file(s, file_flags(c), out) == 0)
		return (0);
	socket_end(s);
	return (-ENOMEM);
}

int64_t
sys_socket(struct sysctx *c)
{
	struct file *f;
	uint32_t type;
	int error = check_kind(c, &type);

	if (error == 0)
		error = make_socket(c, type, &f);
	return (error != 0 ? error : file_give(c, f,
	    (c->a[1] & SOCK_CLOEXEC) != 0));
}

static int
install_both(struct sysctx *c, struct file *end[2])
{
	bool cloexec = (c->a[1] & SOCK_CLOEXEC) != 0;
	int fd[2], error;

	fd[0] = file_give(c, end[0], cloexec);
	if (fd[0] < 0) {
		file_drop(end[1]);
		return (fd[0]);
	}
	fd[1] = file_give(c, end[1], cloexec);
	error = fd[1] < 0 ? fd[1] : sys_copyout(c, c->a[3], fd, sizeof(fd));
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
	struct socket *a, *b;
	struct file *end[2];
	uint32_t type;
	int error = check_kind(c, &type);

	/* those Linux knows too, but not in pairs */
	if (error == -EAFNOSUPPORT && ((int)c->a[0] == AF_INET ||
	    (int)c->a[0] == AF_INET6))
		error = -EOPNOTSUPP;
	if (error == 0)
		error = make_socket(c, type, &end[0]);
	if (error != 0)
		return (error);
	error = make_socket(c, type, &end[1]);
	if (error != 0) {
		file_drop(end[0]);
		return (error);
	}
	a = end[0]->data;
	b = end[1]->data;
	socket_set_peer(a, b);
	socket_set_peer(b, a);
	a->state = b->state = SOCK_CONNECTED;
	a->peer_cred = b->peer_cred = socket_cred(c);
	return (install_both(c, end));
}

int64_t
sys_shutdown(struct sysctx *c)
{
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	if (error != 0)
		return (error);
	if ((uint32_t)c->a[1] > SHUT_RDWR)
		return (-EINVAL);
	socket_shut(s, (c->a[1] != SHUT_WR ? SHUT_IN : 0) |
	    (c->a[1] != SHUT_RD ? SHUT_OUT : 0));
	return (0);
}

/* ---- options ---- */

static uint32_t
buffer_size(uint32_t value)
{
	if (value > SOCKET_BUFFER)
		value = SOCKET_BUFFER;
	value *= 2;
	return (value < BUFFER_MIN ? BUFFER_MIN : value);
}

static int
set_timeout(struct sysctx *c, struct socket *s, bool out, uint32_t size)
{
	int64_t tv[2];
	int error;

	if (size < sizeof(tv))
		return (-EINVAL);
	error = sys_copyin(c, c->a[3], tv, sizeof(tv));
	if (error != 0)
		return (error);
	if (tv[1] < 0 || tv[1] >= USEC)
		return (-EDOM);
	if (tv[0] > INT32_MAX)
		tv[0] = INT32_MAX;
	s->timeout[out] = tv[0] < 0 ? 1 : tv[0] * 1000000000 + tv[1] * 1000;
	return (0);
}

int64_t
sys_setsockopt(struct sysctx *c)
{
	int option = (int)c->a[2], error;
	uint32_t size = (uint32_t)c->a[4], value;
	struct socket *s;

	error = socket_get(c, c->a[0], &s);
	if (error != 0)
		return (error);
	if ((int)c->a[1] != SOL_SOCKET)
		return (-EOPNOTSUPP);
	if ((int32_t)size < (int32_t)sizeof(value))
		return (-EINVAL);
	error = sys_copyin(c, c->a[3], &value, sizeof(value));
	if (error != 0)
		return (error);
	switch (option) {
	case SO_TYPE:
	case SO_DOMAIN:
	case SO_PROTOCOL:
	case SO_ERROR:
	case SO_PEERCRED:
	case SO_ACCEPTCONN:
		return (-ENOPROTOOPT);
	case SO_SNDBUF:
		s->buffer = buffer_size(value);
		sim_wakeup(c->sim, &s->sent);
		return (0);
	case SO_RCVBUF:
		s->receive_buffer = buffer_size(value);
		return (0);
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		return (set_timeout(c, s, option == SO_SNDTIMEO, size));
	default:
		break;
	}
	if (option < 0 || option > 63)
		return (-ENOPROTOOPT);
	s->options &= ~(1ull << option);
	if (value != 0)
		s->options |= 1ull << option;
	return (0);
}

/* The value of an option that is one number. */
static int
get_number(struct socket *s, int option, int32_t *value)
{
	switch (option) {
	case SO_TYPE:
		*value = s->type;
		return (0);
	case SO_DOMAIN:
		*value = AF_UNIX;
		return (0);
	case SO_PROTOCOL:
		*value = 0;
		return (0);
	case SO_SNDBUF:
		*value = (int32_t)s->buffer;
		return (0);
	case SO_RCVBUF:
		*value = (int32_t)s->receive_buffer;
		return (0);
	case SO_ERROR:
		*value = s->error;
		s->error = 0;
		return (0);
	case SO_ACCEPTCONN:
		*value = s->state == SOCK_LISTENING;
		return (0);
	case SO_RCVLOWAT:
	case SO_SNDLOWAT:
		*value = 1;
		return (0);
	default:
		*value = option >= 0 && option < 64 && socket_has(s, option);
		return (option < 0 || option > 63 ? -ENOPROTOOPT : 0);
	}
}

int64_t
sys_getsockopt(struct sysctx *c)
{
	int option = (int)c->a[2], error;
	int64_t tv[2];
	uint32_t size, room = sizeof(int32_t);
	const void *from;
	int32_t value;
	struct socket *s;

	error = socket_get(c, c->a[0], &s);
	if (error == 0)
		error = sys_copyin(c, c->a[4], &size, sizeof(size));
	if (error != 0)
		return (error);
	if ((int)c->a[1] != SOL_SOCKET)
		return (-EOPNOTSUPP);
	if ((int32_t)size < 0)
		return (-EINVAL);
	from = &value;
	if (option == SO_PEERCRED) {
		from = &s->peer_cred;
		room = sizeof(s->peer_cred);
	} else if (option == SO_RCVTIMEO || option == SO_SNDTIMEO) {
		tv[0] = s->timeout[option == SO_SNDTIMEO] / 1000000000;
		tv[1] = s->timeout[option == SO_SNDTIMEO] % 1000000000 / 1000;
		from = tv;
		room = sizeof(tv);
	} else {
		error = get_number(s, option, &value);
	}
	if (error != 0)
		return (error);
	if (size > room)
		size = room;
	error = sys_copyout(c, c->a[3], from, size);
	return (error != 0 ? error :
	    sys_copyout(c, c->a[4], &size, sizeof(size)));
}
