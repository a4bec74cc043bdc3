/*
 * socket_io.c: messages through local sockets, with descriptors and
 * credentials.
 *
 * Interface: socket_send_uio, socket_recv_uio of socket_int.h; sys_sendto,
 * sys_sendmsg, sys_sendmmsg, sys_recvfrom, sys_recvmsg, sys_recvmmsg. Source:
 * send(2), recv(2), unix(7), cmsg(3), Linux 6.1 net/unix/af_unix.c and
 * net/core/scm.c. Differences: no out-of-band data; the number of descriptors
 * on their way is not limited; recvmmsg looks at its time limit only when a
 * message has come, as Linux does.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sim/socket_int.h"

#define STREAM_PIECE 36544u /* SKB_MAX_HEAD(0) + UNIX_SKB_FRAGS_SZ */
#define MESSAGES_MAX 1024u /* of one sendmmsg */
#define CONTROL_MAX 8192u /* bytes of control data in one message */
#define OVERFLOW_ID 65534u

struct msghdr64 {
	uint64_t name;
	uint32_t namelen, pad;
	uint64_t iov, iovlen, control, controllen;
	uint32_t flags, pad2;
};

struct cmsghdr64 {
	uint64_t length;
	int32_t level, type;
};
#define CMSG_HEAD sizeof(struct cmsghdr64)

struct transfer {
	struct socket *s;
	struct uio *u;
	uint32_t flags;
	struct sock_name name; /* to, or from */
	bool has_name, has_cred, want_name;
	struct sock_cred cred;
	struct file **fds;
	uint32_t nfds;
	uint32_t out_flags; /* MSG_TRUNC */
};

static void
drop_fds(struct file **fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (fds[i] != NULL)
			file_drop(fds[i]);
	}
	free(fds);
}

/* ---- sending ---- */

/* Room in the sender's buffer, however little. */
static int
wait_room(struct sysctx *c, struct socket *s, const struct sock_wait *w)
{
	int error;

	for (;;) {
		if (s->error != 0) {
			error = s->error;
			s->error = 0;
			return (-error);
		}
		if (s->shut & SHUT_OUT)
			return (-EPIPE);
		if (s->sent < s->buffer)
			return (0);
		error = sock_wait(c, w, &s->sent, "sockwr");
		if (error != 0)
			return (error);
	}
}

static void
fill_message(struct sysctx *c, struct transfer *t, struct sock_msg *m,
    const struct socket *to)
{
	const struct socket *s = t->s;

	m->cred = (struct sock_cred) { 0, OVERFLOW_ID, OVERFLOW_ID };
	if (t->has_cred)
		m->cred = t->cred;
	else if (socket_has(s, SO_PASSCRED) || to == NULL || to->f == NULL ||
	    socket_has(to, SO_PASSCRED))
		m->cred = socket_cred(c);
	m->fds = t->fds;
	m->nfds = t->nfds;
	t->fds = NULL;
	t->nfds = 0;
}

static int64_t
broken_pipe(struct sysctx *c, const struct transfer *t)
{
	if (!(t->flags & MSG_NOSIGNAL))
		signal_self(c->t, SIGPIPE);
	return (-EPIPE);
}

static int64_t
send_piece(struct sysctx *c, struct transfer *t, uint32_t n)
{
	struct socket *s = t->s, *peer = s->peer;
	struct sock_msg *m = msg_new(s, n);
	ssize_t got;

	if (m == NULL)
		return (-ENOBUFS);
	got = uio_copyin(c, t->u, m->data, n);
	if (got <= 0) {
		msg_free(m);
		return (got);
	}
	m->bytes = (uint32_t)got;
	if (peer->dead || (peer->shut & SHUT_IN)) {
		msg_free(m);
		return (-EPIPE);
	}
	fill_message(c, t, m, peer);
	msg_queue(peer, m);
	return (got);
}

static int64_t
send_stream(struct sysctx *c, struct transfer *t, const struct sock_wait *w)
{
	struct socket *s = t->s;
	int64_t done = 0, got;

	if (t->has_name)
		return (s->state == SOCK_CONNECTED ? -EISCONN : -EOPNOTSUPP);
	if (s->peer == NULL)
		return (-ENOTCONN);
	if (s->shut & SHUT_OUT)
		return (broken_pipe(c, t));
	while (t->u->left != 0) {
		uint64_t n = s->buffer / 2 - 64;

		if (n > STREAM_PIECE)
			n = STREAM_PIECE;
		if (n > t->u->left)
			n = t->u->left;
		got = wait_room(c, s, w);
		if (got == 0) {
			got = send_piece(c, t, (uint32_t)n);
			if (got == -EPIPE && done == 0)
				return (broken_pipe(c, t));
		}
		if (got <= 0)
			return (done != 0 ? done : got);
		done += got;
	}
	return (done);
}

/* Where a message goes: the peer, or who has the name. */
static int
find_target(struct sysctx *c, struct transfer *t, struct socket **to)
{
	struct socket *s = t->s;

	if (t->has_name && s->type == SOCK_DGRAM)
		return (socket_find(c, &t->name, s->type, to));
	*to = s->peer;
	if (*to == NULL)
		return (-ENOTCONN);
	if (!(*to)->dead)
		return (0);
	if (s->type != SOCK_DGRAM)
		return (-EPIPE);
	socket_set_peer(s, NULL);
	s->state = SOCK_OPEN;
	return (-ECONNREFUSED);
}

/* The target, with room in its queue. */
static int
ready_target(struct sysctx *c, struct transfer *t, const struct sock_wait *w,
    struct socket **to)
{
	struct socket *s = t->s, *o;
	int error;

	for (;;) {
		error = find_target(c, t, &o);
		if (error != 0)
			return (error);
		if (s->type == SOCK_DGRAM && o->peer != NULL && o->peer != s)
			return (-EPERM);
		if (o->shut & SHUT_IN)
			return (-EPIPE);
		if (o == s || o->peer == s || !socket_queue_full(o))
			break;
		socket_hold(o);
		error = sock_wait(c, w, &o->nmsgs, "sockwr");
		socket_drop(o);
		if (error != 0)
			return (error);
	}
	*to = o;
	return (0);
}

static int64_t
send_message(struct sysctx *c, struct transfer *t, const struct sock_wait *w)
{
	struct socket *s = t->s, *to = s->peer;
	uint32_t n = (uint32_t)t->u->left;
	struct sock_msg *m;
	int error;

	if (s->type == SOCK_SEQPACKET && s->state != SOCK_CONNECTED)
		return (-ENOTCONN);
	if (s->type == SOCK_DGRAM && !t->has_name && to == NULL)
		return (-ENOTCONN);
	if (socket_has(s, SO_PASSCRED))
		(void)socket_autobind(s);
	if (t->u->left > s->buffer - 32)
		return (-EMSGSIZE);
	error = wait_room(c, s, w);
	if (error != 0)
		return (error);
	m = msg_new(s, n);
	if (m == NULL)
		return (-ENOBUFS);
	if (uio_copyin(c, t->u, m->data, n) != (ssize_t)n)
		error = -EFAULT;
	if (error == 0)
		error = ready_target(c, t, w, &to);
	if (error != 0) {
		msg_free(m);
		return (error);
	}
	fill_message(c, t, m, to);
	msg_queue(to, m);
	return (n);
}

static int64_t
do_send(struct sysctx *c, struct transfer *t)
{
	struct sock_wait w;
	int64_t ret;

	if (t->flags & MSG_OOB)
		return (-EOPNOTSUPP);
	sock_wait_begin(c, t->s, true, (t->flags & MSG_DONTWAIT) != 0, &w);
	ret = t->s->type == SOCK_STREAM ? send_stream(c, t, &w) :
	    send_message(c, t, &w);
	drop_fds(t->fds, t->nfds);
	return (ret);
}

int64_t
socket_send_uio(struct sysctx *c, struct socket *s, struct uio *u,
    uint32_t flags)
{
	struct transfer t = { .s = s, .u = u, .flags = flags };

	return (do_send(c, &t));
}

/* ---- receiving ---- */

/* Copies of the references, for MSG_PEEK. */
static int
copy_fds(struct transfer *t, const struct sock_msg *m)
{
	if (m->nfds == 0)
		return (0);
	t->fds = calloc(m->nfds, sizeof(*t->fds));
	if (t->fds == NULL)
		return (-ENOMEM);
	for (uint32_t i = 0; i < m->nfds; i++) {
		t->fds[i] = m->fds[i];
		file_hold(t->fds[i]);
	}
	t->nfds = m->nfds;
	return (0);
}

static void
take_fds(struct transfer *t, struct sock_msg *m)
{
	t->fds = m->fds;
	t->nfds = m->nfds;
	m->fds = NULL;
	m->nfds = 0;
}

static void
note_sender(struct transfer *t, const struct sock_msg *m)
{
	t->name = m->from->name;
	t->has_name = true;
	t->cred = m->cred;
	t->has_cred = true;
}

/* A copy may sleep: until it is done, nobody else takes messages. */
static void
read_lock(struct sysctx *c, struct socket *s)
{
	while (s->reading)
		(void)sim_sleep(c->sim, &s->reading, SOCKET_PRI, "sockrl",
		    SIM_NO_TIMEOUT);
	s->reading = true;
}

static void
read_unlock(struct sysctx *c, struct socket *s)
{
	s->reading = false;
	sim_wakeup(c->sim, &s->reading);
}

/* Something to read, and the lock: 0; the end: 1; or an error. */
static int
wait_message(struct sysctx *c, struct socket *s, const struct sock_wait *w)
{
	int error;

	for (;;) {
		read_lock(c, s);
		if (!TAILQ_EMPTY(&s->msgs))
			return (0);
		read_unlock(c, s);
		if (s->error != 0) {
			error = s->error;
			s->error = 0;
			return (-error);
		}
		if ((s->shut & SHUT_IN) &&
		    (s->type != SOCK_DGRAM || !w->nonblock))
			return (1);
		error = sock_wait(c, w, &s->msgs, "sockrd");
		if (error != 0)
			return (error);
	}
}

static bool
same_sender(const struct transfer *t, const struct sock_msg *m)
{
	return (!socket_has(t->s, SO_PASSCRED) || !t->has_cred ||
	    memcmp(&t->cred, &m->cred, sizeof(m->cred)) == 0);
}

/* One piece of a stream; what it carries goes with its first byte. True: the
 * call ends here. */
static bool
take_piece(struct sysctx *c, struct transfer *t, int64_t *done)
{
	struct socket *s = t->s;
	struct sock_msg *m = TAILQ_FIRST(&s->msgs);
	bool last = m->nfds != 0;
	uint64_t n = m->bytes < t->u->left ? m->bytes : t->u->left;
	ssize_t got;

	note_sender(t, m);
	got = uio_copyout(c, t->u, m->data + m->first, n);
	if (got <= 0) {
		*done = *done != 0 ? *done : got;
		return (true);
	}
	take_fds(t, m);
	*done += got;
	m->first += (uint32_t)got;
	m->bytes -= (uint32_t)got;
	if (m->bytes != 0)
		return (true);
	msg_unqueue(s, m);
	msg_free(m);
	return (last || (uint64_t)got < n);
}

static int64_t
recv_stream(struct sysctx *c, struct transfer *t, const struct sock_wait *w)
{
	struct socket *s = t->s;
	int64_t done = 0;
	int error;

	if (s->state != SOCK_CONNECTED)
		return (-EINVAL);
	while (t->u->left != 0) {
		const struct sock_msg *m;
		bool end;

		if (done != 0 && TAILQ_EMPTY(&s->msgs) &&
		    !(t->flags & MSG_WAITALL))
			break;
		error = wait_message(c, s, w);
		if (error != 0)
			return (done != 0 || error > 0 ? done : error);
		m = TAILQ_FIRST(&s->msgs);
		end = !same_sender(t, m) || take_piece(c, t, &done);
		read_unlock(c, s);
		if (end)
			break;
	}
	return (done);
}

/* The pieces stay where they are. */
static int64_t
peek_pieces(struct sysctx *c, struct transfer *t)
{
	const struct sock_msg *m;
	int64_t done = 0;

	TAILQ_FOREACH(m, &t->s->msgs, link) {
		uint64_t n = m->bytes < t->u->left ? m->bytes : t->u->left;
		ssize_t got;

		if (n == 0 || !same_sender(t, m))
			break;
		note_sender(t, m);
		got = uio_copyout(c, t->u, m->data + m->first, n);
		if (got <= 0)
			return (done != 0 ? done : got);
		done += got;
		if (m->nfds != 0)
			return (copy_fds(t, m) != 0 ? -ENOMEM : done);
	}
	return (done);
}

static int64_t
peek_stream(struct sysctx *c, struct transfer *t, const struct sock_wait *w)
{
	int64_t ret;
	int error;

	if (t->s->state != SOCK_CONNECTED)
		return (-EINVAL);
	error = wait_message(c, t->s, w);
	if (error != 0)
		return (error > 0 ? 0 : error);
	ret = peek_pieces(c, t);
	read_unlock(c, t->s);
	return (ret);
}

/* The whole of one message, or its first part. */
static int64_t
take_message(struct sysctx *c, struct transfer *t)
{
	struct sock_msg *m = TAILQ_FIRST(&t->s->msgs);
	int64_t size = m->bytes;
	int64_t n = (uint64_t)size < t->u->left ? size : (int64_t)t->u->left;

	note_sender(t, m);
	if (n < size)
		t->out_flags |= MSG_TRUNC;
	if ((t->flags & MSG_PEEK) && copy_fds(t, m) != 0)
		return (-ENOMEM);
	if (uio_copyout(c, t->u, m->data, (size_t)n) < n)
		size = -EFAULT;
	if (!(t->flags & MSG_PEEK)) {
		take_fds(t, m);
		msg_unqueue(t->s, m);
		msg_free(m);
	}
	return (size < 0 || (t->flags & MSG_TRUNC) ? size : n);
}

static int64_t
recv_message(struct sysctx *c, struct transfer *t, const struct sock_wait *w)
{
	struct socket *s = t->s;
	int64_t ret;
	int error;

	if (s->type == SOCK_SEQPACKET && s->state != SOCK_CONNECTED)
		return (-ENOTCONN);
	error = wait_message(c, s, w);
	if (error != 0)
		return (error > 0 ? 0 : error);
	ret = take_message(c, t);
	read_unlock(c, s);
	return (ret);
}

static int64_t
do_recv(struct sysctx *c, struct transfer *t)
{
	struct sock_wait w;

	if (t->flags & MSG_OOB)
		return (-EOPNOTSUPP);
	sock_wait_begin(c, t->s, false, (t->flags & MSG_DONTWAIT) != 0, &w);
	if (t->s->type != SOCK_STREAM)
		return (recv_message(c, t, &w));
	return (t->flags & MSG_PEEK ? peek_stream(c, t, &w) :
	    recv_stream(c, t, &w));
}

int64_t
socket_recv_uio(struct sysctx *c, struct socket *s, struct uio *u,
    uint32_t flags)
{
	struct transfer t = { .s = s, .u = u, .flags = flags };
	int64_t ret = do_recv(c, &t);

	drop_fds(t.fds, t.nfds);
	return (ret);
}

int64_t
sys_sendto(struct sysctx *c)
{
	struct transfer t = { .flags = (uint32_t)c->a[3] };
	struct iovec64 iv;
	struct uio u;
	int error = socket_get(c, c->a[0], &t.s);

	if (error == 0)
		error = uio_single(c, &u, &iv, c->a[1], c->a[2]);
	if (error == 0 && c->a[4] != 0) {
		error = sock_name_in(c, c->a[4], c->a[5], &t.name);
		t.has_name = t.name.length != 0;
	}
	t.u = &u;
	return (error != 0 ? error : do_send(c, &t));
}

int64_t
sys_recvfrom(struct sysctx *c)
{
	struct transfer t = { .flags = (uint32_t)c->a[3] };
	const uint32_t none = 0;
	struct iovec64 iv;
	struct uio u;
	int error = socket_get(c, c->a[0], &t.s);
	int64_t ret;

	if (error == 0)
		error = uio_single(c, &u, &iv, c->a[1], c->a[2]);
	if (error != 0)
		return (error);
	t.u = &u;
	ret = do_recv(c, &t);
	drop_fds(t.fds, t.nfds);
	if (ret < 0 || c->a[4] == 0)
		return (ret);
	if (t.name.length != 0)
		error = sock_name_out(c, &t.name, c->a[4], c->a[5]);
	else
		error = sys_copyout(c, c->a[5], &none, sizeof(none));
	return (error != 0 ? error : ret);
}

/* ---- control data: to be sent ---- */

static int
add_fds(struct sysctx *c, struct transfer *t, const uint8_t *data, size_t n)
{
	uint32_t more = (uint32_t)(n / sizeof(int32_t));
	struct file **fds;

	if (t->nfds + more > SOCKET_FDS)
		return (-EINVAL);
	fds = realloc(t->fds, (t->nfds + more + 1) * sizeof(*fds));
	if (fds == NULL)
		return (-ENOMEM);
	t->fds = fds;
	for (uint32_t i = 0; i < more; i++) {
		struct file *f;
		int32_t fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		f = fd_get(c->p->fds, fd);
		if (f == NULL || f->ops == &file_ops_path)
			return (-EBADF);
		file_hold(f);
		t->fds[t->nfds++] = f;
	}
	return (0);
}

static int
one_control(struct sysctx *c, struct transfer *t, const struct cmsghdr64 *h,
    const uint8_t *data)
{
	size_t n = h->length - CMSG_HEAD;

	if (h->level != SOL_SOCKET)
		return (0);
	switch (h->type) {
	case SCM_RIGHTS:
		return (add_fds(c, t, data, n));
	case SCM_CREDENTIALS:
		if (n != sizeof(t->cred))
			return (-EINVAL);
		memcpy(&t->cred, data, sizeof(t->cred));
		t->has_cred = true;
		return (uproc_find(c->ss, t->cred.pid) != NULL ? 0 : -ESRCH);
	default:
		return (-EINVAL);
	}
}

static int
control_in(struct sysctx *c, struct transfer *t, const struct msghdr64 *mh)
{
	uint64_t at = 0, size = mh->controllen;
	uint8_t *buf = sys_buf(c, 0);
	struct cmsghdr64 h;
	int error = 0;

	if (size == 0 || mh->control == 0)
		return (0);
	if (size > INT32_MAX || size > CONTROL_MAX)
		return (-ENOBUFS);
	if (buf == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, mh->control, buf, size);
	while (error == 0 && at + CMSG_HEAD <= size) {
		memcpy(&h, buf + at, sizeof(h));
		if (h.length < CMSG_HEAD || h.length > size - at)
			return (-EINVAL);
		error = one_control(c, t, &h, buf + at + CMSG_HEAD);
		at += (h.length + 7) & ~7ull;
	}
	return (error);
}

/* ---- control data: received ---- */

/* As much of it as fits. */
static int
put_control(struct sysctx *c, struct msghdr64 *mh, int type, const void *data,
    uint64_t n)
{
	struct cmsghdr64 h = { CMSG_HEAD + n, SOL_SOCKET, type };
	uint64_t space = (h.length + 7) & ~7ull;
	int error;

	if (mh->control == 0 || mh->controllen < CMSG_HEAD) {
		mh->flags |= MSG_CTRUNC;
		return (0);
	}
	if (mh->controllen < h.length) {
		mh->flags |= MSG_CTRUNC;
		h.length = mh->controllen;
	}
	error = sys_copyout(c, mh->control, &h, sizeof(h));
	if (error == 0)
		error = sys_copyout(c, mh->control + CMSG_HEAD, data,
		    h.length - CMSG_HEAD);
	if (error != 0)
		return (error);
	if (space > mh->controllen)
		space = mh->controllen;
	mh->control += space;
	mh->controllen -= space;
	return (0);
}

/* Descriptors for what came, as many as fit; the others are closed. */
static int
control_fds(struct sysctx *c, struct transfer *t, struct msghdr64 *mh)
{
	int32_t fd[SOCKET_FDS];
	uint64_t room = mh->control != 0 && mh->controllen >= CMSG_HEAD ?
	    (mh->controllen - CMSG_HEAD) / sizeof(fd[0]) : 0;
	uint32_t n = 0;

	while (n < t->nfds && n < room) {
		struct file *f = t->fds[n];

		t->fds[n] = NULL;
		fd[n] = file_give(c, f, (t->flags & MSG_CMSG_CLOEXEC) != 0);
		if (fd[n] < 0)
			break;
		n++;
	}
	if (n < t->nfds)
		mh->flags |= MSG_CTRUNC;
	return (n == 0 ? 0 : put_control(c, mh, SCM_RIGHTS, fd,
	    n * sizeof(fd[0])));
}

static int
control_out(struct sysctx *c, struct transfer *t, struct msghdr64 *mh)
{
	int error = 0;

	if (socket_has(t->s, SO_PASSCRED) && t->has_cred)
		error = put_control(c, mh, SCM_CREDENTIALS, &t->cred,
		    sizeof(t->cred));
	if (error == 0 && t->nfds != 0)
		error = control_fds(c, t, mh);
	return (error);
}

/* ---- whole messages ---- */

static int64_t
send_header(struct sysctx *c, struct socket *s, vm_offset_t va,
    uint32_t flags)
{
	struct transfer t = { .s = s, .flags = flags };
	struct msghdr64 mh;
	struct uio u;
	int error = sys_copyin(c, va, &mh, sizeof(mh));

	if (error == 0 && mh.name != 0) {
		error = sock_name_in(c, mh.name, mh.namelen, &t.name);
		t.has_name = t.name.length != 0;
	}
	if (error == 0)
		error = control_in(c, &t, &mh);
	if (error == 0)
		error = mh.iovlen > SYS_IOV_MAX ? -EMSGSIZE :
		    uio_vector(c, &u, mh.iov, mh.iovlen);
	if (error != 0) {
		drop_fds(t.fds, t.nfds);
		return (error);
	}
	t.u = &u;
	return (do_send(c, &t));
}

static int
header_out(struct sysctx *c, struct transfer *t, struct msghdr64 *mh,
    vm_offset_t va)
{
	uint64_t control = mh->control;
	uint32_t k = mh->namelen;
	int error = 0;

	mh->flags = t->out_flags | (t->flags & MSG_CMSG_CLOEXEC);
	if (mh->name != 0) {
		if (k > t->name.length)
			k = t->name.length;
		error = sys_copyout(c, mh->name, t->name.bytes, k);
		mh->namelen = t->name.length;
	}
	if (error == 0)
		error = control_out(c, t, mh);
	mh->controllen = mh->control - control;
	mh->control = control;
	return (error != 0 ? error : sys_copyout(c, va, mh, sizeof(*mh)));
}

static int64_t
recv_header(struct sysctx *c, struct socket *s, vm_offset_t va,
    uint32_t flags)
{
	struct transfer t = { .s = s, .flags = flags };
	struct msghdr64 mh;
	struct uio u;
	int error = sys_copyin(c, va, &mh, sizeof(mh));
	int64_t ret;

	if (error == 0 && mh.name != 0 && (int32_t)mh.namelen < 0)
		error = -EINVAL;
	if (error == 0)
		error = mh.iovlen > SYS_IOV_MAX ? -EMSGSIZE :
		    uio_vector(c, &u, mh.iov, mh.iovlen);
	if (error != 0)
		return (error);
	t.u = &u;
	ret = do_recv(c, &t);
	if (ret >= 0)
		error = header_out(c, &t, &mh, va);
	drop_fds(t.fds, t.nfds);
	return (error != 0 ? error : ret);
}

int64_t
sys_sendmsg(struct sysctx *c)
{
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	return (error != 0 ? error : send_header(c, s, c->a[1],
	    (uint32_t)c->a[2]));
}

int64_t
sys_recvmsg(struct sysctx *c)
{
	struct socket *s;
	int error = socket_get(c, c->a[0], &s);

	return (error != 0 ? error : recv_header(c, s, c->a[1],
	    (uint32_t)c->a[2]));
}

/* struct mmsghdr: a header and what became of it. */
#define MMSG_SIZE (sizeof(struct msghdr64) + 8)

static int64_t
many_messages(struct sysctx *c, bool out, const struct deadline *end)
{
	uint32_t n = (uint32_t)c->a[2], flags = (uint32_t)c->a[3], i;
	struct socket *s;
	int64_t ret = socket_get(c, c->a[0], &s);

	if (n > MESSAGES_MAX)
		n = MESSAGES_MAX;
	for (i = 0; ret == 0 && i < n; i++) {
		vm_offset_t va = c->a[1] + i * MMSG_SIZE;
		uint32_t length;

		ret = out ? send_header(c, s, va, flags) :
		    recv_header(c, s, va, flags & ~(uint32_t)MSG_WAITFORONE);
		if (ret < 0)
			break;
		length = (uint32_t)ret;
		ret = sys_copyout(c, va + sizeof(struct msghdr64), &length,
		    sizeof(length));
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (!out && !end->forever && sim_now(c->sim) >= end->end) {
			i++;
			break;
		}
	}
	return (i != 0 ? (int64_t)i : ret);
}

int64_t
sys_sendmmsg(struct sysctx *c)
{
	return (many_messages(c, true, NULL));
}

int64_t
sys_recvmmsg(struct sysctx *c)
{
	struct deadline end;
	int error = deadline_read(c, &end, c->a[4], 1);

	return (error != 0 ? error : many_messages(c, false, &end));
}
