/*
 * sysv_msg.c: System V message queues.
 *
 * Interface: sys_msgget, sys_msgsnd, sys_msgrcv, sys_msgctl; msgq_free_all of
 * sim/syscall_int.h. Source: msgget(2), msgop(2), msgctl(2), Linux 6.1
 * ipc/msg.c: a message goes straight to the longest waiting receiver that
 * takes it. Differences: permissions are not checked (all is root's); no
 * MSG_COPY.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "sim/syscall_int.h"

#define QUEUES_MAX 32000u /* MSGMNI */
#define BYTES_MAX 8192u /* MSGMAX */
#define QUEUE_BYTES 16384u /* MSGMNB */
#define MSG_PRI 100 /* PLOCK of FreeBSD 5 */
#define MSG_STAT_ANY_ 13

struct message {
	TAILQ_ENTRY(message) link;
	int64_t type;
	uint64_t bytes;
	uint8_t data[];
};

struct msg_queue {
	TAILQ_ENTRY(msg_queue) link;
	int32_t id, key;
	uint32_t mode, count;
	uint64_t bytes, most; /* in it */
	int32_t sender, receiver;
	int64_t stime, rtime, ctime; /* s */
	TAILQ_HEAD(, message) messages; /* oldest first */
	TAILQ_HEAD(, receiver) receivers; /* longest waiting first */
	TAILQ_HEAD(, sender) senders;
};

struct receiver {
	TAILQ_ENTRY(receiver) link;
	int64_t type;
	uint64_t room;
	uint32_t flags;
	int32_t pid;
	struct message *got;
	int result; /* 1: still waiting */
};

struct sender {
	TAILQ_ENTRY(sender) link;
	bool removed; /* with the queue */
};

static int64_t
now_s(const struct sysstate *ss)
{
	return (vfs_now(ss->vfs) / 1000000000);
}

/* ---- queues ---- */

static struct msg_queue *
queue_find(const struct sysstate *ss, uint64_t id)
{
	struct msg_queue *q;

	TAILQ_FOREACH(q, &ss->msg_queues, link) {
		if (q->id == (int32_t)id)
			break;
	}
	return (q);
}

static int64_t
queue_new(struct sysctx *c, int32_t key, uint32_t mode)
{
	struct msg_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return (-ENOMEM);
	q->id = c->ss->next_msqid++;
	q->key = key;
	q->mode = mode & 0777;
	q->most = QUEUE_BYTES;
	q->ctime = now_s(c->ss);
	TAILQ_INIT(&q->messages);
	TAILQ_INIT(&q->receivers);
	TAILQ_INIT(&q->senders);
	TAILQ_INSERT_TAIL(&c->ss->msg_queues, q, link);
	return (q->id);
}

int64_t
sys_msgget(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[1], queues = 0;
	int32_t key = (int32_t)c->a[0];
	const struct msg_queue *q, *hit = NULL;

	TAILQ_FOREACH(q, &c->ss->msg_queues, link) {
		queues++;
		if (key != IPC_PRIVATE && q->key == key)
			hit = q;
	}
	if (hit != NULL)
		return ((flags & IPC_CREAT) && (flags & IPC_EXCL) ? -EEXIST :
		    hit->id);
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return (-ENOENT);
	return (queues >= QUEUES_MAX ? -ENOSPC : queue_new(c, key, flags));
}

static void
queue_free(struct sysstate *ss, struct msg_queue *q)
{
	struct message *m;

	while ((m = TAILQ_FIRST(&q->messages)) != NULL) {
		TAILQ_REMOVE(&q->messages, m, link);
		free(m);
	}
	TAILQ_REMOVE(&ss->msg_queues, q, link);
	free(q);
}

static void
queue_remove(struct sysstate *ss, struct msg_queue *q)
{
	struct receiver *r;
	struct sender *s;

	while ((r = TAILQ_FIRST(&q->receivers)) != NULL) {
		TAILQ_REMOVE(&q->receivers, r, link);
		r->result = -EIDRM;
		sim_wakeup(ss->sim, r);
	}
	while ((s = TAILQ_FIRST(&q->senders)) != NULL) {
		TAILQ_REMOVE(&q->senders, s, link);
		s->removed = true;
		sim_wakeup(ss->sim, s);
	}
	queue_free(ss, q);
}

/* Host memory alone: nobody waits any more. */
void
msgq_free_all(struct sysstate *ss)
{
	struct msg_queue *q;

	while ((q = TAILQ_FIRST(&ss->msg_queues)) != NULL)
		queue_free(ss, q);
}

/* ---- which message for whom ---- */

static bool
wants(const struct receiver *r, const struct message *m)
{
	if (r->type == 0)
		return (true);
	if (r->type < 0)
		return (m->type <= -r->type);
	return ((r->flags & MSG_EXCEPT) ? m->type != r->type :
	    m->type == r->type);
}

/* The first one; for a negative type the first of the smallest. */
static struct message *
message_for(const struct msg_queue *q, const struct receiver *r)
{
	struct message *m, *best = NULL;

	TAILQ_FOREACH(m, &q->messages, link) {
		if (!wants(r, m))
			continue;
		if (r->type >= 0)
			return (m);
		if (best == NULL || m->type < best->type)
			best = m;
	}
	return (best);
}

static bool
too_big(const struct receiver *r, const struct message *m)
{
	return (m->bytes > r->room && !(r->flags & MSG_NOERROR));
}

/* To a receiver that waits; those it is too big for learn that. */
static bool
hand_over(struct sysstate *ss, struct msg_queue *q, struct message *m)
{
	struct receiver *r, *next;

	for (r = TAILQ_FIRST(&q->receivers); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!wants(r, m))
			continue;
		TAILQ_REMOVE(&q->receivers, r, link);
		r->result = too_big(r, m) ? -E2BIG : 0;
		sim_wakeup(ss->sim, r);
		if (r->result != 0)
			continue;
		r->got = m;
		q->receiver = r->pid;
		q->rtime = now_s(ss);
		return (true);
	}
	return (false);
}

/* ---- sending ---- */

static int
wait_for_room(struct sysctx *c, struct msg_queue *q, uint64_t bytes,
    bool wait)
{
	struct sender s;
	int error;

	while (q->bytes + bytes > q->most || q->count + 1u > q->most) {
		if (!wait)
			return (-EAGAIN);
		s.removed = false;
		TAILQ_INSERT_TAIL(&q->senders, &s, link);
		error = sys_sleep(c, &s, MSG_PRI, "msgsnd", SIM_NO_TIMEOUT);
		if (s.removed)
			return (-EIDRM);
		TAILQ_REMOVE(&q->senders, &s, link);
		if (error != 0)
			return (-ERESTARTNOHAND);
	}
	return (0);
}

/* There is room, and no receiver. */
static void
wake_senders(struct sysstate *ss, struct msg_queue *q)
{
	struct sender *s;

	TAILQ_FOREACH(s, &q->senders, link)
		sim_wakeup(ss->sim, s);
}

static struct message *
message_in(struct sysctx *c, uint64_t bytes, int *error)
{
	struct message *m = malloc(sizeof(*m) + bytes);

	*error = -ENOMEM;
	if (m == NULL)
		return (NULL);
	m->bytes = bytes;
	*error = sys_copyin(c, c->a[1], &m->type, sizeof(m->type));
	if (*error == 0 && m->type < 1)
		*error = -EINVAL;
	if (*error == 0)
		*error = sys_copyin(c, c->a[1] + 8, m->data, bytes);
	if (*error == 0)
		return (m);
	free(m);
	return (NULL);
}

int64_t
sys_msgsnd(struct sysctx *c)
{
	uint64_t bytes = c->a[2];
	struct msg_queue *q;
	struct message *m;
	int error;

	if (bytes > BYTES_MAX || (int32_t)c->a[0] < 0)
		return (-EINVAL);
	m = message_in(c, bytes, &error);
	if (m == NULL)
		return (error);
	q = queue_find(c->ss, c->a[0]);
	error = q == NULL ? -EINVAL : wait_for_room(c, q, bytes,
	    !(c->a[3] & IPC_NOWAIT));
	if (error != 0) {
		free(m);
		return (error);
	}
	q->sender = c->p->pid;
	q->stime = now_s(c->ss);
	if (hand_over(c->ss, q, m))
		return (0);
	TAILQ_INSERT_TAIL(&q->messages, m, link);
	q->bytes += bytes;
	q->count++;
	return (0);
}

/* ---- receiving ---- */

static int64_t
message_out(struct sysctx *c, struct message *m, uint64_t room)
{
	uint64_t n = m->bytes < room ? m->bytes : room;
	int error;

	error = sys_copyout(c, c->a[1], &m->type, sizeof(m->type));
	if (error == 0)
		error = sys_copyout(c, c->a[1] + 8, m->data, n);
	free(m);
	return (error != 0 ? error : (int64_t)n);
}

static int
take_message(struct sysctx *c, struct msg_queue *q, struct receiver *r)
{
	struct message *m = message_for(q, r);

	if (m == NULL)
		return (1);
	if (too_big(r, m))
		return (-E2BIG);
	TAILQ_REMOVE(&q->messages, m, link);
	q->bytes -= m->bytes;
	q->count--;
	q->receiver = c->p->pid;
	q->rtime = now_s(c->ss);
	wake_senders(c->ss, q);
	r->got = m;
	return (0);
}

static int
wait_for_message(struct sysctx *c, struct msg_queue *q, struct receiver *r)
{
	int error = 0;

	TAILQ_INSERT_TAIL(&q->receivers, r, link);
	while (r->result > 0 && error == 0)
		error = sys_sleep(c, r, MSG_PRI, "msgrcv", SIM_NO_TIMEOUT);
	if (r->result <= 0)
		return (r->result);
	TAILQ_REMOVE(&q->receivers, r, link);
	return (-ERESTARTNOHAND);
}

int64_t
sys_msgrcv(struct sysctx *c)
{
	struct receiver r = { .type = (int64_t)c->a[3], .room = c->a[2],
		.flags = (uint32_t)c->a[4], .pid = c->p->pid, .result = 1 };
	struct msg_queue *q = queue_find(c->ss, c->a[0]);
	int error;

	if ((int64_t)r.room < 0 || (int32_t)c->a[0] < 0)
		return (-EINVAL);
	if (r.flags & MSG_COPY)
		return (-ENOSYS);
	if (q == NULL)
		return (-EINVAL);
	if (r.type == INT64_MIN)
		r.type = -INT64_MAX;
	error = take_message(c, q, &r);
	if (error > 0)
		error = r.flags & IPC_NOWAIT ? -ENOMSG :
		    wait_for_message(c, q, &r);
	return (error != 0 ? error : message_out(c, r.got, r.room));
}

/* ---- control ---- */

static int64_t
queue_stat(struct sysctx *c, const struct msg_queue *q)
{
	struct msqid_ds ds;

	memset(&ds, 0, sizeof(ds));
	ds.msg_perm.__key = q->key;
	ds.msg_perm.mode = (uint16_t)q->mode;
	ds.msg_stime = q->stime;
	ds.msg_rtime = q->rtime;
	ds.msg_ctime = q->ctime;
	ds.__msg_cbytes = q->bytes;
	ds.msg_qnum = q->count;
	ds.msg_qbytes = q->most;
	ds.msg_lspid = q->sender;
	ds.msg_lrpid = q->receiver;
	return (sys_copyout(c, c->a[2], &ds, sizeof(ds)));
}

static int64_t
queue_set(struct sysctx *c)
{
	struct msg_queue *q;
	struct msqid_ds ds;
	int error = sys_copyin(c, c->a[2], &ds, sizeof(ds));

	q = queue_find(c->ss, c->a[0]);
	if (error != 0 || q == NULL)
		return (error != 0 ? error : -EINVAL);
	q->most = ds.msg_qbytes;
	q->mode = ds.msg_perm.mode & 0777;
	q->ctime = now_s(c->ss);
	wake_senders(c->ss, q);
	return (0);
}

static int64_t
queue_info(struct sysctx *c, bool used)
{
	struct msginfo mi = { .msgmax = BYTES_MAX, .msgmnb = QUEUE_BYTES,
		.msgmni = QUEUES_MAX, .msgssz = 16, .msgseg = 0xffff,
		.msgpool = QUEUES_MAX * QUEUE_BYTES / 1024,
		.msgmap = QUEUE_BYTES, .msgtql = QUEUE_BYTES };
	const struct msg_queue *q;
	int32_t queues = 0, count = 0, bytes = 0;
	int error;

	TAILQ_FOREACH(q, &c->ss->msg_queues, link) {
		queues++;
		count += (int32_t)q->count;
		bytes += (int32_t)q->bytes;
	}
	if (used) {
		mi.msgpool = queues;
		mi.msgmap = count;
		mi.msgtql = bytes;
	}
	error = sys_copyout(c, c->a[2], &mi, sizeof(mi));
	return (error != 0 ? error : queues > 0 ? queues - 1 : 0);
}

static int64_t
stat_by_index(struct sysctx *c)
{
	const struct msg_queue *q;
	int32_t i = (int32_t)c->a[0];
	int64_t error;

	TAILQ_FOREACH(q, &c->ss->msg_queues, link) {
		if (i-- == 0)
			break;
	}
	if (q == NULL)
		return (-EINVAL);
	error = queue_stat(c, q);
	return (error != 0 ? error : q->id);
}

int64_t
sys_msgctl(struct sysctx *c)
{
	struct msg_queue *q = queue_find(c->ss, c->a[0]);
	int cmd = (int)c->a[1];

	if ((int32_t)c->a[0] < 0 || cmd < 0)
		return (-EINVAL);
	if (cmd == IPC_INFO || cmd == MSG_INFO)
		return (queue_info(c, cmd == MSG_INFO));
	if (cmd == MSG_STAT || cmd == MSG_STAT_ANY_)
		return (stat_by_index(c));
	if (q == NULL)
		return (-EINVAL);
	switch (cmd) {
	case IPC_STAT:
		return (queue_stat(c, q));
	case IPC_SET:
		return (queue_set(c));
	case IPC_RMID:
		queue_remove(c->ss, q);
		return (0);
	default:
		return (-EINVAL);
	}
}
