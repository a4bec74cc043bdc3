/*
 * socket_name.c: sockets' addresses, and connections.
 *
 * Interface: sock_name_*, socket_find and so on of socket_int.h; sys_bind,
 * sys_listen, sys_connect, sys_accept, sys_accept4, sys_getsockname,
 * sys_getpeername. Source: unix(7), connect(2), accept(2), Linux 6.1
 * net/unix/af_unix.c. Differences: names that sockets without one are given
 * count up from 0; permissions are not checked (all is root's).
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sim/socket_int.h"

/* ---- addresses ---- */

static bool
is_path(const struct sock_name *n)
{
	return (n->length > SUN_PATH && n->bytes[SUN_PATH] != 0);
}

static const char *
path_of(const struct sock_name *n)
{
	return ((const char *)n->bytes + SUN_PATH);
}

static uint16_t
family_of(const struct sock_name *n)
{
	uint16_t family = 0;

	memcpy(&family, n->bytes, sizeof(family));
	return (family);
}

/* A path ends at its NUL, and counts it. */
static void
name_end(struct sock_name *n)
{
	n->bytes[n->length < SUN_MAX ? n->length : SUN_MAX] = 0;
	if (is_path(n))
		n->length = SUN_PATH + (uint32_t)strlen(path_of(n)) + 1;
}

int
sock_name_in(struct sysctx *c, vm_offset_t va, uint64_t length,
    struct sock_name *n)
{
	int error;

	memset(n, 0, sizeof(*n));
	if ((int32_t)length < 0 || (uint32_t)length > 128)
		return (-EINVAL);
	n->length = (uint32_t)length;
	if (n->length > SUN_MAX)
		return (-EINVAL);
	error = sys_copyin(c, va, n->bytes, n->length);
	return (error);
}

/* A name to look for. */
static int
check_name(struct sock_name *n)
{
	if (n->length <= SUN_PATH || family_of(n) != AF_UNIX)
		return (-EINVAL);
	name_end(n);
	return (0);
}

int
sock_name_out(struct sysctx *c, const struct sock_name *n, vm_offset_t va,
    vm_offset_t size_va)
{
	const uint16_t family = AF_UNIX;
	struct sock_name out = *n;
	uint32_t size, k;
	int error = sys_copyin(c, size_va, &size, sizeof(size));

	if (error != 0)
		return (error);
	if ((int32_t)size < 0)
		return (-EINVAL);
	if (out.length == 0) {
		memcpy(out.bytes, &family, sizeof(family));
		out.length = SUN_PATH;
	}
	k = size < out.length ? size : out.length;
	error = sys_copyout(c, va, out.bytes, k);
	return (error != 0 ? error : sys_copyout(c, size_va, &out.length,
	    sizeof(out.length)));
}

static bool
same_name(const struct sock_name *a, const struct sock_name *b)
{
	return (a->length == b->length &&
	    memcmp(a->bytes, b->bytes, a->length) == 0);
}

static struct socket *
find_abstract(const struct sysstate *ss, const struct sock_name *n)
{
	struct socket *s;

	LIST_FOREACH(s, &ss->sockets, named) {
		if (same_name(&s->name, n))
			break;
	}
	return (s);
}

static int
find_path(struct sysctx *c, const struct sock_name *n, struct socket **out)
{
	struct inode *ip;
	int error;

	error = vfs_lookup(c->vfs, c->p->fs->cwd, path_of(n), true, &ip);
	if (error != 0)
		return (error);
	*out = inode_is_socket(ip) ? inode_data(ip) : NULL;
	inode_rele(ip);
	return (0);
}

int
socket_find(struct sysctx *c, const struct sock_name *name, int type,
    struct socket **out)
{
	struct sock_name n = *name;
	int error = check_name(&n);

	*out = NULL;
	if (error == 0 && is_path(&n))
		error = find_path(c, &n, out);
	else if (error == 0)
		*out = find_abstract(c->ss, &n);
	if (error != 0)
		return (error);
	if (*out == NULL)
		return (-ECONNREFUSED);
	return ((*out)->type != type ? -EPROTOTYPE : 0);
}

/* ---- names ---- */

static void
set_name(struct socket *s, const struct sock_name *n, struct inode *ip)
{
	s->name = *n;
	s->ip = ip;
	if (ip != NULL)
		inode_set_data(ip, s);
	LIST_INSERT_HEAD(&s->ss->sockets, s, named);
}

void
socket_unname(struct socket *s)
{
	/* what has been accepted has its listener's name, but not alone */
	if (s->name.length == 0 || s->borrowed_name)
		return;
	LIST_REMOVE(s, named);
	if (s->ip == NULL)
		return;
	inode_set_data(s->ip, NULL);
	inode_rele(s->ip);
	s->ip = NULL;
}

int
socket_autobind(struct socket *s)
{
	const uint16_t family = AF_UNIX;
	struct sock_name n = { .length = SUN_PATH + 6 };

	if (s->name.length != 0)
		return (0);
	memcpy(n.bytes, &family, sizeof(family));
	do {
		(void)snprintf((char *)n.bytes + SUN_PATH + 1, 6, "%05x",
		    s->ss->next_sockname++ & 0xfffff);
	} while (find_abstract(s->ss, &n) != NULL);
	set_name(s, &n, NULL);
	return (0);
}

static int
bind_path(struct sysctx *c, struct socket *s, const struct sock_name *n)
{
	struct vfs_place pl;
	struct inode *ip;
	int error;

	error = vfs_find(c->vfs, c->p->fs->cwd, path_of(n), VFS_PARENT, &pl);
	if (error != 0)
		return (error);
	if (pl.ip != NULL)
		error = -EADDRINUSE;
	else
		error = vfs_mkspecial(&pl, S_IFSOCK |
		    (0777 & ~c->p->fs->umask));
	vfs_place_done(&pl);
	if (error != 0)
		return (error == -EEXIST ? -EADDRINUSE : error);
	error = vfs_lookup(c->vfs, c->p->fs->cwd, path_of(n), false, &ip);
	if (error == 0)
		set_name(s, n, ip);
	return (error);
}

int64_t
sys_bind(struct sysctx *c)
{
	struct sock_name n;
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	if (error == 0)
		error = sock_name_in(c, c->a[1], c->a[2], &n);
	if (error != 0)
		return (error);
	if (n.length == SUN_PATH && family_of(&n) == AF_UNIX)
		return (socket_autobind(s));
	error = check_name(&n);
	if (error != 0)
		return (error);
	if (s->name.length != 0)
		return (-EINVAL);
	if (is_path(&n))
		return (bind_path(c, s, &n));
	if (find_abstract(c->ss, &n) != NULL)
		return (-EADDRINUSE);
	set_name(s, &n, NULL);
	return (0);
}

int64_t
sys_getsockname(struct sysctx *c)
{
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	return (error != 0 ? error : sock_name_out(c, &s->name, c->a[1],
	    c->a[2]));
}

int64_t
sys_getpeername(struct sysctx *c)
{
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	if (error != 0)
		return (error);
	if (s->peer == NULL)
		return (-ENOTCONN);
	return (sock_name_out(c, &s->peer->name, c->a[1], c->a[2]));
}

/* ---- connections ---- */

int64_t
sys_listen(struct sysctx *c)
{
	uint32_t backlog = (uint32_t)c->a[1];
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	if (error != 0)
		return (error);
	if (s->type == SOCK_DGRAM)
		return (-EOPNOTSUPP);
	if (s->name.length == 0 || s->state == SOCK_CONNECTED)
		return (-EINVAL);
	s->backlog = backlog < SOCKET_BACKLOG ? backlog : SOCKET_BACKLOG;
	s->state = SOCK_LISTENING;
	s->peer_cred = socket_cred(c);
	sim_wakeup(c->sim, &s->naccepts);
	return (0);
}

/* Whom a connection is made to, once there is room in its queue. */
static int
find_listener(struct sysctx *c, struct socket *s, const struct sock_name *n,
    struct socket **out)
{
	struct sock_wait w;
	struct socket *o;
	int error;

	sock_wait_begin(c, s, true, false, &w);
	for (;;) {
		error = socket_find(c, n, s->type, &o);
		if (error != 0)
			return (error);
		if (o->state != SOCK_LISTENING || (o->shut & SHUT_IN))
			return (-ECONNREFUSED);
		if (o->naccepts <= o->backlog)
			break;
		socket_hold(o);
		error = sock_wait(c, &w, &o->naccepts, "connect");
		socket_drop(o);
		if (error != 0)
			return (error);
	}
	*out = o;
	return (0);
}

static int64_t
connect_stream(struct sysctx *c, struct socket *s, const struct sock_name *n)
{
	struct socket *listener, *end;
	int error;

	if (socket_has(s, SO_PASSCRED))
		(void)socket_autobind(s);
	error = find_listener(c, s, n, &listener);
	if (error != 0)
		return (error);
	if (s->state != SOCK_OPEN)
		return (s->state == SOCK_CONNECTED ? -EISCONN : -EINVAL);
	end = socket_new(c->ss, s->type);
	if (end == NULL)
		return (-ENOMEM);
	end->state = s->state = SOCK_CONNECTED;
	end->name = listener->name;
	end->borrowed_name = true;
	end->peer_cred = socket_cred(c);
	end->options = listener->options & 1ull << SO_PASSCRED;
	s->peer_cred = listener->peer_cred;
	socket_set_peer(end, s);
	socket_set_peer(s, end);
	TAILQ_INSERT_TAIL(&listener->accepts, end, waiting);
	listener->naccepts++;
	sim_wakeup(c->sim, &listener->msgs);
	poll_notify(c->ss, &listener->head, POLLIN | POLLRDNORM);
	return (0);
}

/* A datagram socket's usual receiver; AF_UNSPEC: none any more. */
static int64_t
connect_datagram(struct sysctx *c, struct socket *s,
    const struct sock_name *n)
{
	struct socket *o = NULL;
	int error = 0;

	if (n->length < SUN_PATH)
		return (-EINVAL);
	if (family_of(n) != AF_UNSPEC) {
		if (socket_has(s, SO_PASSCRED))
			(void)socket_autobind(s);
		error = socket_find(c, n, s->type, &o);
	}
	if (error != 0)
		return (error);
	if (o != NULL && o->peer != NULL && o->peer != s)
		return (-EPERM);
	socket_set_peer(s, o);
	s->state = o != NULL ? SOCK_CONNECTED : SOCK_OPEN;
	return (0);
}

int64_t
sys_connect(struct sysctx *c)
{
	struct sock_name n;
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	if (error == 0)
		error = sock_name_in(c, c->a[1], c->a[2], &n);
	if (error != 0)
		return (error);
	return (s->type == SOCK_DGRAM ? connect_datagram(c, s, &n) :
	    connect_stream(c, s, &n));
}

static int
take_connection(struct sysctx *c, struct socket *s, struct socket **out)
{
	struct sock_wait w;
	int error;

	sock_wait_begin(c, s, false, false, &w);
	while ((*out = TAILQ_FIRST(&s->accepts)) == NULL) {
		if (s->shut & SHUT_IN)
			return (-EINVAL);
		error = sock_wait(c, &w, &s->msgs, "accept");
		if (error != 0)
			return (error);
	}
	TAILQ_REMOVE(&s->accepts, *out, waiting);
	s->naccepts--;
	sim_wakeup(c->sim, &s->naccepts);
	return (0);
}

static int64_t
do_accept(struct sysctx *c, uint32_t flags)
{
	struct socket *s, *end;
	struct sock_name name;
	struct file *f;
	int error = socket_get(c, c->a[0], &s);

	if (flags & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return (-EINVAL);
	if (error != 0)
		return (error);
	if (s->type == SOCK_DGRAM)
		return (-EOPNOTSUPP);
	if (s->state != SOCK_LISTENING)
		return (-EINVAL);
	if (fd_full(c->p->fds, sys_limit(c->p, RLIMIT_NOFILE)))
		return (-EMFILE);
	error = take_connection(c, s, &end);
	if (error != 0)
		return (error);
	if (socket_file(end, flags & SOCK_NONBLOCK ? O_NONBLOCK : 0, &f) !=
	    0) {
		socket_end(end);
		return (-ENOMEM);
	}
	name = end->peer != NULL ? end->peer->name :
	    (struct sock_name) { .length = 0 };
	if (c->a[1] != 0)
		error = sock_name_out(c, &name, c->a[1], c->a[2]);
	if (error != 0) {
		file_drop(f);
		return (error);
	}
	return (file_give(c, f, (flags & SOCK_CLOEXEC) != 0));
}

int64_t
sys_accept(struct sysctx *c)
{
	return (do_accept(c, 0));
}

int64_t
sys_accept4(struct sysctx *c)
{
	return (do_accept(c, (uint32_t)c->a[3]));
}
