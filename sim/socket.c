/*
 * socket.c: local sockets: streams, datagrams, packets in sequence.
 *
 * Interface: socket_int.h; struct file_ops of sockets. Source: unix(7),
 * socket(7), Linux 6.1 net/unix/af_unix.c. Differences: what a message takes
 * of the sender's buffer is reckoned as Linux does on x86-64, but for its
 * largest pieces; descriptors that are only on their way to each other stay
 * open until the run ends.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/socket_int.h"

#define SOCKET_DEV 0xcull
#define MSG_HEAD 256u /* struct sk_buff */
#define MSG_TAIL 320u /* struct skb_shared_info */
#define MSG_LINEAR 3776u /* the rest of it lies in whole pages */

/* ---- messages ---- */

/* What n bytes take in Linux's allocator, with what goes with them. */
static uint32_t
msg_charge(uint32_t n)
{
	uint32_t pages = 0, room = 512;

	if (n > MSG_LINEAR) {
		pages = (n - MSG_LINEAR + PAGE_MASK) & ~(uint32_t)PAGE_MASK;
		n = n > pages ? n - pages : 0;
	}
	n = ((n + 63) & ~63u) + MSG_TAIL;
	while (room < n)
		room *= 2;
	return (MSG_HEAD + room + pages);
}

struct sock_msg *
msg_new(struct socket *from, uint32_t bytes)
{
	struct sock_msg *m = calloc(1, sizeof(*m) + bytes);

	if (m == NULL)
		return (NULL);
	m->from = from;
	m->bytes = bytes;
	m->charge = msg_charge(bytes);
	from->sent += m->charge;
	socket_hold(from);
	return (m);
}

void
msg_free(struct sock_msg *m)
{
	struct socket *from = m->from;

	for (uint32_t i = 0; i < m->nfds; i++) {
		if (m->fds[i] != NULL)
			file_drop(m->fds[i]);
	}
	from->sent -= m->charge;
	free(m->fds);
	free(m);
	if (!from->dead)
		sim_wakeup(from->ss->sim, &from->sent);
	if (!from->dead && socket_writable(from))
		poll_notify(from->ss, &from->head, POLLOUT | POLLWRNORM);
	socket_drop(from);
}

void
msg_queue(struct socket *to, struct sock_msg *m)
{
	TAILQ_INSERT_TAIL(&to->msgs, m, link);
	to->nmsgs++;
	sim_wakeup(to->ss->sim, &to->msgs);
	poll_notify(to->ss, &to->head, POLLIN | POLLRDNORM);
}

/* Out of the queue: there is room for another. */
void
msg_unqueue(struct socket *s, struct sock_msg *m)
{
	TAILQ_REMOVE(&s->msgs, m, link);
	s->nmsgs--;
	sim_wakeup(s->ss->sim, &s->nmsgs);
	if (s->peer != NULL && s->peer->peer != s)
		socket_tell(s->peer, POLLOUT | POLLWRNORM);
}

/* ---- life ---- */

struct socket *
socket_new(struct sysstate *ss, int type)
{
	struct socket *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return (NULL);
	s->ss = ss;
	s->refs = 1;
	s->type = type;
	s->buffer = s->receive_buffer = SOCKET_BUFFER;
	s->backlog = SOCKET_QUEUE;
	s->peer_cred = (struct sock_cred) { 0, UINT32_MAX, UINT32_MAX };
	s->ino = ss->next_anon++;
	TAILQ_INIT(&s->msgs);
	TAILQ_INIT(&s->accepts);
	poll_head_init(&s->head);
	return (s);
}

void
socket_hold(struct socket *s)
{
	s->refs++;
}

void
socket_drop(struct socket *s)
{
	if (--s->refs == 0)
		free(s);
}

void
socket_tell(struct socket *s, uint32_t events)
{
	struct sim *sim = s->ss->sim;

	sim_wakeup(sim, &s->msgs);
	sim_wakeup(sim, &s->sent);
	sim_wakeup(sim, &s->nmsgs);
	poll_notify(s->ss, &s->head, events);
}

void
socket_set_peer(struct socket *s, struct socket *peer)
{
	if (peer != NULL)
		socket_hold(peer);
	if (s->peer != NULL)
		socket_drop(s->peer);
	s->peer = peer;
}

/* s does no more that way; the other end of a connection learns of it. */
void
socket_shut(struct socket *s, uint32_t how)
{
	struct socket *peer = s->peer;

	s->shut |= how;
	socket_tell(s, 0);
	if (peer == NULL || s->type == SOCK_DGRAM)
		return;
	peer->shut |= (how & SHUT_IN ? SHUT_OUT : 0) |
	    (how & SHUT_OUT ? SHUT_IN : 0);
	socket_tell(peer, 0);
}

/* A connection's other end: an end, and an error if something is unread or
 * was never accepted. */
static void
socket_leave_peer(struct socket *s, bool unread)
{
	struct socket *peer = s->peer;

	if (peer == NULL)
		return;
	if (s->type != SOCK_DGRAM && !peer->dead) {
		peer->shut = SHUT_ALL;
		if (unread)
			peer->error = ECONNRESET;
		socket_tell(peer, 0);
	}
	socket_set_peer(s, NULL);
}

void
socket_end(struct socket *s)
{
	bool unread = !TAILQ_EMPTY(&s->msgs) || s->f == NULL;
	struct sock_msg *m;
	struct socket *o;

	s->dead = true;
	s->f = NULL;
	s->shut = SHUT_ALL;
	socket_unname(s);
	socket_leave_peer(s, unread);
	while ((m = TAILQ_FIRST(&s->msgs)) != NULL) {
		msg_unqueue(s, m);
		msg_free(m);
	}
	while ((o = TAILQ_FIRST(&s->accepts)) != NULL) {
		TAILQ_REMOVE(&s->accepts, o, waiting);
		s->naccepts--;
		socket_end(o);
	}
	/* who waits to connect, or to send to it, finds it dead */
	sim_wakeup(s->ss->sim, &s->naccepts);
	sim_wakeup(s->ss->sim, &s->nmsgs);
	poll_head_end(&s->head);
	socket_drop(s);
}

/* ---- as a file ---- */

bool
socket_has(const struct socket *s, int option)
{
	return ((s->options >> option & 1) != 0);
}

bool
socket_writable(const struct socket *s)
{
	return (s->state != SOCK_LISTENING &&
	    (uint64_t)s->sent * 4 <= s->buffer);
}

bool
socket_queue_full(const struct socket *s)
{
	return (s->nmsgs > s->backlog);
}

static uint32_t
socket_poll(struct sysctx *c, struct file *f)
{
	const struct socket *s = f->data;
	uint32_t ev = s->error != 0 ? POLLERR : 0;
	const struct socket *peer = s->peer;

	if (s->shut == SHUT_ALL)
		ev |= POLLHUP;
	if (s->shut & SHUT_IN)
		ev |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!TAILQ_EMPTY(&s->msgs) || !TAILQ_EMPTY(&s->accepts))
		ev |= POLLIN | POLLRDNORM;
	if (s->type != SOCK_DGRAM && s->state == SOCK_OPEN)
		ev |= POLLHUP;
	if (socket_writable(s) && (s->type != SOCK_DGRAM || peer == NULL ||
	    peer->peer == s || !socket_queue_full(peer)))
		ev |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return (ev);
}

static struct poll_head *
socket_head(struct sysctx *c, struct file *f)
{
	struct socket *s = f->data;

	return (&s->head);
}

static ssize_t
socket_readv(struct sysctx *c, struct file *f, struct uio *u)
{
	return (socket_recv_uio(c, f->data, u, 0));
}

static ssize_t
socket_writev(struct sysctx *c, struct file *f, struct uio *u)
{
	return (socket_send_uio(c, f->data, u, 0));
}

/* FIONREAD: all there is of a stream, the next of messages. */
static int64_t
socket_pending(struct file *f)
{
	const struct socket *s = f->data;
	const struct sock_msg *m;
	int64_t n = 0;

	if (s->state == SOCK_LISTENING)
		return (-EINVAL);
	TAILQ_FOREACH(m, &s->msgs, link) {
		n += m->bytes;
		if (s->type == SOCK_DGRAM)
			break;
	}
	return (n);
}

static void
socket_close(struct file *f)
{
	socket_end(f->data);
}

static void
socket_stat(struct file *f, struct vfs_stat *st)
{
	const struct socket *s = f->data;

	memset(st, 0, sizeof(*st));
	st->dev = SOCKET_DEV;
	st->ino = s->ino;
	st->mode = S_IFSOCK | 0777;
	st->nlink = 1;
	st->blksize = 4096;
}

static const struct file_ops file_ops_socket = {
	.name = "socket",
	.readv = socket_readv,
	.writev = socket_writev,
	.poll = socket_poll,
	.head = socket_head,
	.pending = socket_pending,
	.close = socket_close,
	.stat = socket_stat,
};

int
socket_file(struct socket *s, uint32_t flags, struct file **out)
{
	struct file *f = file_new(s->ss, &file_ops_socket, O_RDWR | flags);

	if (f == NULL)
		return (-ENOMEM);
	f->data = s;
	s->f = f;
	*out = f;
	return (0);
}

int
socket_get(struct sysctx *c, uint64_t fd, struct socket **out)
{
	struct file *f = sys_file(c, fd, false);

	if (f == NULL)
		return (-EBADF);
	if (f->ops != &file_ops_socket)
		return (-ENOTSOCK);
	*out = f->data;
	return (0);
}

struct sock_cred
socket_cred(const struct sysctx *c)
{
	return ((struct sock_cred) { c->p->pid, 0, 0 });
}

/* ---- waiting ---- */

void
sock_wait_begin(struct sysctx *c, const struct socket *s, bool out,
    bool nonblock, struct sock_wait *w)
{
	int64_t limit = s->timeout[out];

	w->nonblock = nonblock || (s->f != NULL &&
	    (s->f->flags & O_NONBLOCK));
	deadline_set(c, &w->end, limit != 0 ? limit : -1);
}

int
sock_wait(struct sysctx *c, const struct sock_wait *w, const void *chan,
    const char *wmesg)
{
	sim_time_t now = sim_now(c->sim);
	int error;

	if (w->nonblock || (!w->end.forever && now >= w->end.end))
		return (-EAGAIN);
	error = sys_sleep(c, chan, SOCKET_PRI, wmesg, w->end.forever ?
	    SIM_NO_TIMEOUT : w->end.end - now);
	if (error == -ETIMEDOUT)
		return (0); /* a last look */
	return (error == -ERESTARTSYS && !w->end.forever ? -EINTR : error);
}
