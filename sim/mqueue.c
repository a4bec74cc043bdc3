/*
 * mqueue.c: POSIX message queues.
 *
 * Interface: sys_mq_open, sys_mq_unlink, sys_mq_timedsend,
 * sys_mq_timedreceive, sys_mq_notify, sys_mq_getsetattr; mq_free_all of
 * sim/syscall_int.h. Source: mq_overview(7), Linux 6.1 ipc/mqueue.c: a
 * message goes straight to the longest waiting receiver, and a sender that
 * waits longest puts its own in as soon as there is room. Differences:
 * permissions are not checked (all is root's); SIGEV_THREAD is not there,
 * since libraries make it of a socket of AF_NETLINK; no file system.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define MQ_PRI 100 /* PLOCK of FreeBSD 5 */
#define NAME_MAX_ 255u
#define PRIORITIES 32768u /* MQ_PRIO_MAX */
#define DEFAULT_COUNT 10 /* fs.mqueue.msg_default */
#define DEFAULT_BYTES 8192 /* fs.mqueue.msgsize_default */
#define MOST_COUNT 65536 /* HARD_MSGMAX */
#define MOST_BYTES (16 << 20) /* HARD_MSGSIZEMAX */
#define OVERHEAD 48 /* of a message and of a priority, RLIMIT_MSGQUEUE */
#define MQ_DEV 0x13ull
#define SIGEV_NONE_ 1
#define SIGEV_SIGNAL_ 0
#define SIGEV_THREAD_ 2

struct mq_attr64 {
	int64_t flags, count, bytes, current;
	int64_t reserved[4];
};

struct mq_message {
	TAILQ_ENTRY(mq_message) link;
	uint64_t bytes;
	uint32_t priority;
	uint8_t data[];
};

struct mq_waiter {
	TAILQ_ENTRY(mq_waiter) link;
	struct mq_message *m; /* sender: to be put in; receiver: handed over */
	bool done;
};
TAILQ_HEAD(mq_waiters, mq_waiter);

struct mqueue {
	LIST_ENTRY(mqueue) link; /* sysstate.mqueues, while it has a name */
	struct sysstate *ss;
	char *name; /* NULL: unlinked */
	uint32_t files;
	uint64_t ino;
	uint32_t mode;
	int64_t most, most_bytes, count; /* messages */
	uint64_t bytes; /* in it */
	uint64_t charge; /* against RLIMIT_MSGQUEUE */
	/* in the order in which they will be received */
	TAILQ_HEAD(mq_messages, mq_message) messages;
	struct mq_waiters receivers, senders; /* longest waiting first */
	struct poll_head head;
	/* who wants to know of a message in an empty queue */
	int32_t notify_pid; /* 0: nobody */
	const void *notify_table;
	int32_t notify, signo;
	uint64_t value;
};

/* ---- queues ---- */

static struct mqueue *
queue_find(const struct sysstate *ss, const char *name)
{
	struct mqueue *q;

	LIST_FOREACH(q, &ss->mqueues, link) {
		if (strcmp(q->name, name) == 0)
			break;
	}
	return (q);
}

static void
queue_free(struct mqueue *q)
{
	struct mq_message *m;

	while ((m = TAILQ_FIRST(&q->messages)) != NULL) {
		TAILQ_REMOVE(&q->messages, m, link);
		free(m);
	}
	q->ss->mq_charge -= q->charge;
	poll_head_end(&q->head);
	free(q);
}

/* It has no name any more; it goes with its last file. */
static void
queue_unlink(struct mqueue *q)
{
	LIST_REMOVE(q, link);
	free(q->name);
	q->name = NULL;
	if (q->files == 0)
		queue_free(q);
}

void
mq_free_all(struct sysstate *ss)
{
	struct mqueue *q;

	while ((q = LIST_FIRST(&ss->mqueues)) != NULL)
		queue_unlink(q);
}

/* What RLIMIT_MSGQUEUE counts: room for all messages, full ones. */
static uint64_t
queue_charge(const struct mq_attr64 *at)
{
	uint64_t n = (uint64_t)at->count;
	uint64_t trees = n < PRIORITIES ? n : PRIORITIES;

	return ((n + trees) * OVERHEAD + n * (uint64_t)at->bytes);
}

static int
queue_new(struct sysctx *c, const char *name, const struct mq_attr64 *at,
    struct mqueue **out)
{
	uint64_t charge;
	struct mqueue *q;

	if (at->count <= 0 || at->bytes <= 0 || at->count > MOST_COUNT ||
	    at->bytes > MOST_BYTES)
		return (-EINVAL);
	charge = queue_charge(at);
	if (c->ss->mq_charge + charge > sys_limit(c->p, RLIMIT_MSGQUEUE))
		return (-EMFILE);
	q = calloc(1, sizeof(*q));
	if (q == NULL || (q->name = strdup(name)) == NULL) {
		free(q);
		return (-ENOMEM);
	}
	q->ss = c->ss;
	q->ino = c->ss->next_anon++;
	q->mode = (uint32_t)c->a[2] & 0777 & ~c->p->fs->umask;
	q->most = at->count;
	q->most_bytes = at->bytes;
	q->charge = charge;
	c->ss->mq_charge += charge;
	TAILQ_INIT(&q->messages);
	TAILQ_INIT(&q->receivers);
	TAILQ_INIT(&q->senders);
	poll_head_init(&q->head);
	LIST_INSERT_HEAD(&c->ss->mqueues, q, link);
	*out = q;
	return (0);
}

/* ---- as a file ---- */

static ssize_t
mq_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	const struct mqueue *q = f->data;
	char text[96];
	size_t length;

	length = (size_t)snprintf(text, sizeof(text), "QSIZE:%-10llu "
	    "NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
	    (unsigned long long)q->bytes, q->notify_pid != 0 ? q->notify : 0,
	    q->notify_pid != 0 && q->notify == SIGEV_SIGNAL_ ? q->signo : 0,
	    q->notify_pid);
	if (off >= length)
		return (0);
	if (n > length - off)
		n = length - off;
	memcpy(buf, text + off, n);
	return ((ssize_t)n);
}

static uint32_t
mq_poll(struct sysctx *c, struct file *f)
{
	const struct mqueue *q = f->data;

	return ((q->count != 0 ? POLLIN | POLLRDNORM : 0u) |
	    (q->count < q->most ? POLLOUT | POLLWRNORM : 0u));
}

static struct poll_head *
mq_head(struct sysctx *c, struct file *f)
{
	struct mqueue *q = f->data;

	return (&q->head);
}

static void
mq_leave(struct file *f, const void *table)
{
	struct mqueue *q = f->data;

	if (q->notify_table == table)
		q->notify_pid = 0;
}

static void
mq_close(struct file *f)
{
	struct mqueue *q = f->data;

	if (--q->files == 0 && q->name == NULL)
		queue_free(q);
}

static void
mq_stat(struct file *f, struct vfs_stat *st)
{
	const struct mqueue *q = f->data;

	anon_stat(f, st);
	st->dev = MQ_DEV;
	st->ino = q->ino;
	st->mode = S_IFREG | q->mode;
	st->nlink = q->name != NULL;
	st->size = 80; /* FILENT_SIZE */
}

static const struct file_ops file_ops_mq = {
	.name = "mqueue",
	.seekable = true,
	.read = mq_read,
	.poll = mq_poll,
	.head = mq_head,
	.leave = mq_leave,
	.close = mq_close,
	.stat = mq_stat,
};

static struct mqueue *
queue_of(struct sysctx *c, struct file **f)
{
	*f = sys_file(c, c->a[0], false);
	return (*f != NULL && (*f)->ops == &file_ops_mq ? (*f)->data : NULL);
}

/* ---- opening and unlinking ---- */

static int
read_name(struct sysctx *c, const char **name)
{
	int error = sys_path(c, 0, c->a[0], name);

	if (error != 0)
		return (error);
	if (**name == '\0')
		return (-ENOENT);
	if (strchr(*name, '/') != NULL)
		return (-EACCES);
	return (strlen(*name) > NAME_MAX_ ? -ENAMETOOLONG : 0);
}

static int
find_or_make(struct sysctx *c, const char *name, struct mqueue **q)
{
	uint32_t flags = (uint32_t)c->a[1];
	struct mq_attr64 at = { .count = DEFAULT_COUNT,
		.bytes = DEFAULT_BYTES };

	if (c->a[3] != 0 && sys_copyin(c, c->a[3], &at, sizeof(at)) != 0)
		return (-EFAULT);
	*q = queue_find(c->ss, name);
	if (*q == NULL)
		return (flags & O_CREAT ? queue_new(c, name, &at, q) :
		    -ENOENT);
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return (-EEXIST);
	return ((flags & O_ACCMODE) == (O_RDWR | O_WRONLY) ? -EINVAL : 0);
}

int64_t
sys_mq_open(struct sysctx *c)
{
	struct mqueue *q;
	const char *name;
	struct file *f;
	int error = read_name(c, &name);

	if (error == 0)
		error = find_or_make(c, name, &q);
	if (error != 0)
		return (error);
	f = file_new(c->ss, &file_ops_mq, (uint32_t)c->a[1] & (O_ACCMODE |
	    O_NONBLOCK));
	if (f == NULL)
		return (-ENOMEM);
	f->data = q;
	q->files++;
	return (file_give(c, f, true));
}

int64_t
sys_mq_unlink(struct sysctx *c)
{
	struct mqueue *q;
	const char *name;
	int error = read_name(c, &name);

	if (error != 0)
		return (error);
	q = queue_find(c->ss, name);
	if (q == NULL)
		return (-ENOENT);
	queue_unlink(q);
	return (0);
}

/* ---- messages ---- */

/* Behind all that are as urgent. */
static void
queue_put(struct mqueue *q, struct mq_message *m)
{
	struct mq_message *before;

	before = TAILQ_LAST(&q->messages, mq_messages);
	while (before != NULL && before->priority < m->priority)
		before = TAILQ_PREV(before, mq_messages, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&q->messages, before, m, link);
	else
		TAILQ_INSERT_HEAD(&q->messages, m, link);
	q->count++;
	q->bytes += m->bytes;
}

static void
waiter_done(struct mqueue *q, struct mq_waiters *list, struct mq_waiter *w)
{
	TAILQ_REMOVE(list, w, link);
	w->done = true;
	sim_wakeup(q->ss->sim, w);
}

/* The queue was empty and nobody waited for the message: once. */
static void
notify(struct sysctx *c, struct mqueue *q)
{
	const struct ksiginfo ksi = { .signo = q->signo, .code = SI_MESGQ,
		.pid = c->p->pid, .value = q->value };
	struct uproc *p = q->notify_pid != 0 ? uproc_find(c->ss,
	    q->notify_pid) : NULL;

	if (p != NULL && q->notify == SIGEV_SIGNAL_)
		(void)signal_send(p, 0, &ksi);
	q->notify_pid = 0;
}

/* Until `w` is served, the time has come, or a signal. */
static int
queue_wait(struct sysctx *c, struct mq_waiters *list, struct mq_waiter *w,
    const char *wmesg, const struct deadline *d)
{
	int error = 0;

	TAILQ_INSERT_TAIL(list, w, link);
	while (!w->done && error == 0) {
		sim_time_t now = sim_now(c->sim);

		if (!d->forever && now >= d->end)
			error = -ETIMEDOUT;
		else
			error = sys_sleep(c, w, MQ_PRI, wmesg, d->forever ?
			    SIM_NO_TIMEOUT : d->end - now);
		if (error == -ETIMEDOUT && sim_now(c->sim) < d->end)
			error = 0;
	}
	if (w->done)
		return (0);
	TAILQ_REMOVE(list, w, link);
	return (error);
}

static int
send(struct sysctx *c, struct file *f, struct mqueue *q, struct mq_message *m,
    const struct deadline *d)
{
	struct mq_waiter *r, w = { .m = m };

	if (q->count == q->most)
		return (f->flags & O_NONBLOCK ? -EAGAIN : queue_wait(c,
		    &q->senders, &w, "mqsend", d));
	r = TAILQ_FIRST(&q->receivers);
	if (r != NULL) {
		r->m = m;
		waiter_done(q, &q->receivers, r);
		return (0);
	}
	queue_put(q, m);
	if (q->count == 1)
		notify(c, q);
	poll_notify(q->ss, &q->head, POLLIN | POLLRDNORM);
	return (0);
}

int64_t
sys_mq_timedsend(struct sysctx *c)
{
	uint64_t bytes = c->a[2];
	uint32_t priority = (uint32_t)c->a[3];
	struct mq_message *m;
	struct deadline d;
	struct mqueue *q;
	struct file *f;
	int error = sys_wall_deadline(c, &d, c->a[4]);

	if (error != 0)
		return (error);
	if (priority >= PRIORITIES)
		return (-EINVAL);
	q = queue_of(c, &f);
	if (q == NULL || (f->flags & O_ACCMODE) == O_RDONLY)
		return (-EBADF);
	if (bytes > (uint64_t)q->most_bytes)
		return (-EMSGSIZE);
	m = malloc(sizeof(*m) + bytes);
	if (m == NULL)
		return (-ENOMEM);
	m->bytes = bytes;
	m->priority = priority;
	error = sys_copyin(c, c->a[1], m->data, bytes);
	if (error == 0)
		error = send(c, f, q, m, &d);
	if (error != 0)
		free(m);
	return (error);
}

/* The first message; who waits longest to send fills the room. */
static struct mq_message *
queue_take(struct mqueue *q)
{
	struct mq_message *m = TAILQ_FIRST(&q->messages);
	struct mq_waiter *s = TAILQ_FIRST(&q->senders);

	TAILQ_REMOVE(&q->messages, m, link);
	q->count--;
	q->bytes -= m->bytes;
	if (s != NULL) {
		queue_put(q, s->m);
		waiter_done(q, &q->senders, s);
	} else {
		poll_notify(q->ss, &q->head, POLLOUT | POLLWRNORM);
	}
	return (m);
}

static int64_t
message_out(struct sysctx *c, struct mq_message *m)
{
	int error = 0;

	if (c->a[3] != 0)
		error = sys_copyout(c, c->a[3], &m->priority, 4);
	if (error == 0)
		error = sys_copyout(c, c->a[1], m->data, m->bytes);
	if (error == 0)
		error = (int)m->bytes;
	free(m);
	return (error);
}

int64_t
sys_mq_timedreceive(struct sysctx *c)
{
	struct mq_waiter w = { .m = NULL };
	struct deadline d;
	struct mqueue *q;
	struct file *f;
	int error = sys_wall_deadline(c, &d, c->a[4]);

	if (error != 0)
		return (error);
	q = queue_of(c, &f);
	if (q == NULL || (f->flags & O_ACCMODE) == O_WRONLY)
		return (-EBADF);
	if (c->a[2] < (uint64_t)q->most_bytes)
		return (-EMSGSIZE);
	if (q->count != 0)
		return (message_out(c, queue_take(q)));
	if (f->flags & O_NONBLOCK)
		return (-EAGAIN);
	error = queue_wait(c, &q->receivers, &w, "mqrecv", &d);
	return (error != 0 ? error : message_out(c, w.m));
}

/* ---- being told, and attributes ---- */

struct sigevent64 {
	uint64_t value;
	int32_t signo, notify;
};

static int
check_event(const struct sigevent64 *se)
{
	if (se->notify != SIGEV_NONE_ && se->notify != SIGEV_SIGNAL_ &&
	    se->notify != SIGEV_THREAD_)
		return (-EINVAL);
	if (se->notify == SIGEV_SIGNAL_ && (se->signo < 0 || se->signo > 64))
		return (-EINVAL);
	return (se->notify == SIGEV_THREAD_ ? -EBADF : 0); /* no such socket */
}

int64_t
sys_mq_notify(struct sysctx *c)
{
	struct sigevent64 se = { .notify = SIGEV_NONE_ };
	struct mqueue *q;
	struct file *f;
	int error = 0;

	if (c->a[1] != 0)
		error = sys_copyin(c, c->a[1], &se, sizeof(se));
	if (error == 0 && c->a[1] != 0)
		error = check_event(&se);
	if (error != 0)
		return (error);
	q = queue_of(c, &f);
	if (q == NULL)
		return (-EBADF);
	if (c->a[1] == 0) {
		if (q->notify_pid == c->p->pid)
			q->notify_pid = 0;
		return (0);
	}
	if (q->notify_pid != 0)
		return (-EBUSY);
	q->notify_pid = c->p->pid;
	q->notify_table = c->p->fds;
	q->notify = se.notify;
	q->signo = se.signo;
	q->value = se.value;
	return (0);
}

int64_t
sys_mq_getsetattr(struct sysctx *c)
{
	struct mq_attr64 new, old;
	struct mqueue *q;
	struct file *f;
	int error = 0;

	if (c->a[1] != 0)
		error = sys_copyin(c, c->a[1], &new, sizeof(new));
	if (error == 0 && c->a[1] != 0 && (new.flags & ~(int64_t)O_NONBLOCK))
		error = -EINVAL;
	if (error != 0)
		return (error);
	q = queue_of(c, &f);
	if (q == NULL)
		return (-EBADF);
	memset(&old, 0, sizeof(old));
	old.flags = f->flags & O_NONBLOCK;
	old.count = q->most;
	old.bytes = q->most_bytes;
	old.current = q->count;
	if (c->a[1] != 0)
		f->flags = (f->flags & ~(uint32_t)O_NONBLOCK) |
		    (uint32_t)new.flags;
	return (c->a[2] != 0 ? sys_copyout(c, c->a[2], &old, sizeof(old)) :
	    0);
}
