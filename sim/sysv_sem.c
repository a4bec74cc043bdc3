/*
 * sysv_sem.c: System V semaphores.
 *
 * Interface: sys_semget, sys_semop, sys_semtimedop, sys_semctl; sem_* of
 * sim/syscall_int.h. Source: semget(2), semop(2), semctl(2), Linux 6.1
 * ipc/sem.c: operations that wait are carried out for those who wait as soon
 * as they can be, those for zero first, then the longest waiting.
 * Differences: permissions are not checked (all is root's).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "sim/syscall_int.h"

#define SETS_MAX 32000u /* SEMMNI */
#define SET_MAX 32000u /* SEMMSL */
#define OPS_MAX 500u /* SEMOPM */
#define VALUE_MAX 32767 /* SEMVMX */
#define ADJUST_MAX 32767 /* SEMAEM */
#define ALL_MAX 1024000000 /* SEMMNS */
#define SEM_PRI 100 /* PLOCK of FreeBSD 5 */
#define SEM_STAT_ANY_ 20

struct sem {
	int32_t value;
	int32_t pid; /* of the last operation */
};

struct sem_set {
	TAILQ_ENTRY(sem_set) link;
	int32_t id, key;
	uint32_t count, mode;
	int64_t otime, ctime; /* s */
	struct sem *sem;
	TAILQ_HEAD(, sem_wait) waits; /* longest first */
	LIST_HEAD(, sem_undo) undos;
};

/* One process's operations that cannot go on. */
struct sem_wait {
	TAILQ_ENTRY(sem_wait) link;
	const struct sembuf *ops;
	uint32_t n, blocking; /* which of them */
	bool alters;
	struct sem_undo *undo; /* NULL: none wanted */
	int32_t pid;
	bool done;
	int result;
};

/* What a process takes back of a set at its end. */
struct sem_undo {
	LIST_ENTRY(sem_undo) of_set;
	LIST_ENTRY(sem_undo) of_list;
	struct sem_set *set;
	int32_t adjust[]; /* of each semaphore */
};

struct sem_undos { /* a process's, in common with CLONE_SYSVSEM */
	uint32_t refs;
	LIST_HEAD(, sem_undo) list;
};

static int64_t
now_s(const struct sysstate *ss)
{
	return (vfs_now(ss->vfs) / 1000000000);
}

/* ---- sets ---- */

static struct sem_set *
set_find(const struct sysstate *ss, uint64_t id)
{
	struct sem_set *set;

	TAILQ_FOREACH(set, &ss->sem_sets, link) {
		if (set->id == (int32_t)id)
			break;
	}
	return (set);
}

static int64_t
set_new(struct sysctx *c, int32_t key, uint32_t count, uint32_t mode)
{
	struct sem_set *set;

	if (count == 0)
		return (-EINVAL);
	set = calloc(1, sizeof(*set));
	if (set != NULL)
		set->sem = calloc(count, sizeof(*set->sem));
	if (set == NULL || set->sem == NULL) {
		free(set);
		return (-ENOMEM);
	}
	set->id = c->ss->next_semid++;
	set->key = key;
	set->count = count;
	set->mode = mode & 0777;
	set->ctime = now_s(c->ss);
	TAILQ_INIT(&set->waits);
	LIST_INIT(&set->undos);
	TAILQ_INSERT_TAIL(&c->ss->sem_sets, set, link);
	return (set->id);
}

int64_t
sys_semget(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[2], n = (uint32_t)c->a[1], sets = 0;
	int32_t key = (int32_t)c->a[0];
	const struct sem_set *set, *hit = NULL;

	if (n > SET_MAX)
		return (-EINVAL);
	TAILQ_FOREACH(set, &c->ss->sem_sets, link) {
		sets++;
		if (key != IPC_PRIVATE && set->key == key)
			hit = set;
	}
	if (hit != NULL) {
		if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
			return (-EEXIST);
		return (n > hit->count ? -EINVAL : hit->id);
	}
	if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
		return (-ENOENT);
	return (sets >= SETS_MAX ? -ENOSPC : set_new(c, key, n, flags));
}

static void
undo_free(struct sem_undo *un)
{
	LIST_REMOVE(un, of_set);
	LIST_REMOVE(un, of_list);
	free(un);
}

static void
wait_end(struct sysstate *ss, struct sem_set *set, struct sem_wait *w,
    int result)
{
	TAILQ_REMOVE(&set->waits, w, link);
	w->done = true;
	w->result = result;
	sim_wakeup(ss->sim, w);
}

static void
set_free(struct sysstate *ss, struct sem_set *set)
{
	struct sem_undo *un;
	struct sem_wait *w;

	while ((un = LIST_FIRST(&set->undos)) != NULL)
		undo_free(un);
	while ((w = TAILQ_FIRST(&set->waits)) != NULL)
		wait_end(ss, set, w, -EIDRM);
	TAILQ_REMOVE(&ss->sem_sets, set, link);
	free(set->sem);
	free(set);
}

/* Host memory alone: nobody waits any more. */
void
sem_free_all(struct sysstate *ss)
{
	struct sem_set *set;

	while ((set = TAILQ_FIRST(&ss->sem_sets)) != NULL) {
		TAILQ_INIT(&set->waits);
		set_free(ss, set);
	}
}

/* ---- operations ---- */

enum { OPS_DONE = 0, OPS_WAIT = 1 };

/* One operation; OPS_WAIT, or a negative errno: nothing has changed. */
static int
op_try(struct sem_set *set, const struct sembuf *op, struct sem_undo *un)
{
	struct sem *s = &set->sem[op->sem_num];
	int32_t value = s->value + op->sem_op, adjust;

	if (op->sem_op == 0 ? s->value != 0 : value < 0)
		return (op->sem_flg & IPC_NOWAIT ? -EAGAIN : OPS_WAIT);
	if (value > VALUE_MAX)
		return (-ERANGE);
	if ((op->sem_flg & SEM_UNDO) && un != NULL) {
		adjust = un->adjust[op->sem_num] - op->sem_op;
		if (adjust < -ADJUST_MAX - 1 || adjust > ADJUST_MAX)
			return (-ERANGE);
		un->adjust[op->sem_num] = adjust;
	}
	s->value = value;
	return (OPS_DONE);
}

/* All of them, or none. */
static int
ops_try(struct sem_set *set, struct sem_wait *w)
{
	int result = OPS_DONE;
	uint32_t i;

	for (i = 0; i < w->n && result == OPS_DONE; i++)
		result = op_try(set, &w->ops[i], w->undo);
	if (result == OPS_DONE) {
		for (i = 0; i < w->n; i++)
			set->sem[w->ops[i].sem_num].pid = w->pid;
		return (OPS_DONE);
	}
	w->blocking = --i;
	while (i-- > 0) {
		const struct sembuf *op = &w->ops[i];

		set->sem[op->sem_num].value -= op->sem_op;
		if ((op->sem_flg & SEM_UNDO) && w->undo != NULL)
			w->undo->adjust[op->sem_num] += op->sem_op;
	}
	return (result);
}

/* Those who wait and can go on; alters: whether they change values. True:
 * one of them has. */
static bool
waits_pass(struct sysstate *ss, struct sem_set *set, bool alters)
{
	struct sem_wait *w, *next;

	for (w = TAILQ_FIRST(&set->waits); w != NULL; w = next) {
		int result;

		next = TAILQ_NEXT(w, link);
		if (w->alters != alters)
			continue;
		result = ops_try(set, w);
		if (result == OPS_WAIT)
			continue;
		wait_end(ss, set, w, result);
		if (alters && result == OPS_DONE)
			return (true);
	}
	return (false);
}

/* Values have changed. */
static void
set_changed(struct sysstate *ss, struct sem_set *set)
{
	do
		(void)waits_pass(ss, set, false);
	while (waits_pass(ss, set, true));
}

/* ---- undoing ---- */

static struct sem_undo *
undo_of(struct uproc *p, struct sem_set *set)
{
	struct sem_undo *un;

	if (p->sem_undos == NULL) {
		p->sem_undos = calloc(1, sizeof(*p->sem_undos));
		if (p->sem_undos == NULL)
			return (NULL);
		p->sem_undos->refs = 1;
	}
	LIST_FOREACH(un, &p->sem_undos->list, of_list) {
		if (un->set == set)
			return (un);
	}
	un = calloc(1, sizeof(*un) + set->count * sizeof(un->adjust[0]));
	if (un == NULL)
		return (NULL);
	un->set = set;
	LIST_INSERT_HEAD(&set->undos, un, of_set);
	LIST_INSERT_HEAD(&p->sem_undos->list, un, of_list);
	return (un);
}

/* Values never get below 0 or above the most. */
static void
undo_apply(struct sysstate *ss, struct sem_undo *un, int32_t pid)
{
	struct sem_set *set = un->set;

	for (uint32_t i = 0; i < set->count; i++) {
		struct sem *s = &set->sem[i];

		if (un->adjust[i] == 0)
			continue;
		s->value += un->adjust[i];
		if (s->value < 0)
			s->value = 0;
		if (s->value > VALUE_MAX)
			s->value = VALUE_MAX;
		s->pid = pid;
	}
	undo_free(un);
	set->otime = now_s(ss);
	set_changed(ss, set);
}

int
sem_share(struct uproc *child, struct uproc *parent)
{
	if (parent->sem_undos == NULL) {
		parent->sem_undos = calloc(1, sizeof(*parent->sem_undos));
		if (parent->sem_undos == NULL)
			return (-ENOMEM);
		parent->sem_undos->refs = 1;
	}
	child->sem_undos = parent->sem_undos;
	child->sem_undos->refs++;
	return (0);
}

void
sem_exit(struct uproc *p, bool apply)
{
	struct sem_undos *uns = p->sem_undos;
	struct sem_undo *un;

	p->sem_undos = NULL;
	if (uns == NULL || --uns->refs != 0)
		return;
	while ((un = LIST_FIRST(&uns->list)) != NULL) {
		if (apply)
			undo_apply(p->sys, un, p->pid);
		else
			undo_free(un);
	}
	free(uns);
}

/* ---- semop ---- */

static int
ops_check(struct sysctx *c, struct sem_set *set, struct sem_wait *w)
{
	bool undo = false;

	for (uint32_t i = 0; i < w->n; i++) {
		if (w->ops[i].sem_num >= set->count)
			return (-EFBIG);
		w->alters |= w->ops[i].sem_op != 0;
		undo |= (w->ops[i].sem_flg & SEM_UNDO) != 0;
	}
	if (!undo)
		return (0);
	w->undo = undo_of(c->p, set);
	return (w->undo == NULL ? -ENOMEM : 0);
}

static int
ops_wait(struct sysctx *c, struct sem_set *set, struct sem_wait *w,
    const struct deadline *d)
{
	int error = 0;

	TAILQ_INSERT_TAIL(&set->waits, w, link);
	while (!w->done && error == 0) {
		sim_time_t now = sim_now(c->sim);

		if (!d->forever && now >= d->end)
			error = -EAGAIN;
		else
			error = sys_sleep(c, w, SEM_PRI, "semop",
			    d->forever ? SIM_NO_TIMEOUT : d->end - now);
		if (error == -ETIMEDOUT)
			error = 0;
	}
	if (w->done)
		return (w->result);
	TAILQ_REMOVE(&set->waits, w, link);
	return (error == -ERESTARTSYS ? -EINTR : error);
}

static int64_t
do_semop(struct sysctx *c, const struct deadline *d)
{
	struct sem_wait w = { .n = (uint32_t)c->a[2], .pid = c->p->pid };
	struct sembuf *ops = (struct sembuf *)(void *)sys_buf(c, 0);
	struct sem_set *set;
	int error;

	if (w.n == 0 || (int32_t)c->a[0] < 0)
		return (-EINVAL);
	if (w.n > OPS_MAX)
		return (-E2BIG);
	if (ops == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, c->a[1], ops, w.n * sizeof(*ops));
	if (error != 0)
		return (error);
	set = set_find(c->ss, c->a[0]);
	if (set == NULL)
		return (-EINVAL);
	w.ops = ops;
	error = ops_check(c, set, &w);
	if (error == 0)
		error = ops_try(set, &w);
	if (error == OPS_WAIT)
		return (ops_wait(c, set, &w, d));
	if (error != 0)
		return (error);
	set->otime = now_s(c->ss);
	if (w.alters)
		set_changed(c->ss, set);
	return (0);
}

int64_t
sys_semop(struct sysctx *c)
{
	const struct deadline forever = { .forever = true };

	return (do_semop(c, &forever));
}

int64_t
sys_semtimedop(struct sysctx *c)
{
	struct deadline d;
	int error = deadline_read(c, &d, c->a[3], 1);

	return (error != 0 ? error : do_semop(c, &d));
}

/* ---- semctl ---- */

static void
clear_adjusts(struct sem_set *set, uint32_t first, uint32_t n)
{
	struct sem_undo *un;

	LIST_FOREACH(un, &set->undos, of_set)
		memset(un->adjust + first, 0, n * sizeof(un->adjust[0]));
}

static int64_t
set_value(struct sysctx *c, struct sem_set *set, uint32_t i, int32_t value)
{
	if (value < 0 || value > VALUE_MAX)
		return (-ERANGE);
	clear_adjusts(set, i, 1);
	set->sem[i].value = value;
	set->sem[i].pid = c->p->pid;
	set->ctime = now_s(c->ss);
	set_changed(c->ss, set);
	return (0);
}

/* The caller's array of 16-bit values, in pieces of a buffer. */
static int64_t
get_all(struct sysctx *c, const struct sem_set *set)
{
	uint16_t *buf = (uint16_t *)(void *)sys_buf(c, 0);

	if (buf == NULL)
		return (-ENOMEM);
	for (uint32_t i = 0; i < set->count; i++)
		buf[i] = (uint16_t)set->sem[i].value;
	return (sys_copyout(c, c->a[3], buf, set->count * sizeof(*buf)));
}
_Static_assert(SET_MAX * sizeof(uint16_t) <= SYSBUF_SIZE, "one buffer");

static int64_t
set_all(struct sysctx *c)
{
	struct sem_set *set = set_find(c->ss, c->a[0]);
	uint16_t *buf = (uint16_t *)(void *)sys_buf(c, 0);
	int error;

	if (buf == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, c->a[3], buf, set->count * sizeof(*buf));
	if (error != 0)
		return (error);
	for (uint32_t i = 0; i < set->count; i++) {
		if (buf[i] > VALUE_MAX)
			return (-ERANGE);
	}
	/* the copy may have slept */
	set = set_find(c->ss, c->a[0]);
	if (set == NULL)
		return (-EIDRM);
	for (uint32_t i = 0; i < set->count; i++) {
		set->sem[i].value = buf[i];
		set->sem[i].pid = c->p->pid;
	}
	clear_adjusts(set, 0, set->count);
	set->ctime = now_s(c->ss);
	set_changed(c->ss, set);
	return (0);
}

/* How many wait for semaphore i to be 0, or to grow. */
static int64_t
count_waits(const struct sem_set *set, uint32_t i, bool zero)
{
	const struct sem_wait *w;
	int64_t n = 0;

	TAILQ_FOREACH(w, &set->waits, link) {
		const struct sembuf *op = &w->ops[w->blocking];

		n += op->sem_num == i && (op->sem_op == 0) == zero;
	}
	return (n);
}

static int64_t
set_stat(struct sysctx *c, const struct sem_set *set)
{
	struct semid_ds ds;

	memset(&ds, 0, sizeof(ds));
	ds.sem_perm.__key = set->key;
	ds.sem_perm.mode = (uint16_t)set->mode;
	ds.sem_otime = set->otime;
	ds.sem_ctime = set->ctime;
	ds.sem_nsems = set->count;
	return (sys_copyout(c, c->a[3], &ds, sizeof(ds)));
}

/* Limits, or what there is; the answer is the largest index in use. */
static int64_t
sem_info(struct sysctx *c, bool used)
{
	struct seminfo si = { .semmap = ALL_MAX, .semmni = SETS_MAX,
		.semmns = ALL_MAX, .semmnu = ALL_MAX, .semmsl = SET_MAX,
		.semopm = OPS_MAX, .semume = OPS_MAX, .semusz = 20,
		.semvmx = VALUE_MAX, .semaem = ADJUST_MAX };
	const struct sem_set *set;
	int32_t sets = 0, sems = 0;
	int error;

	TAILQ_FOREACH(set, &c->ss->sem_sets, link) {
		sets++;
		sems += (int32_t)set->count;
	}
	if (used) {
		si.semusz = sets;
		si.semaem = sems;
	}
	error = sys_copyout(c, c->a[3], &si, sizeof(si));
	return (error != 0 ? error : sets > 0 ? sets - 1 : 0);
}

/* The set at an index, as the INFO commands count them. */
static int64_t
stat_by_index(struct sysctx *c)
{
	const struct sem_set *set;
	int32_t i = (int32_t)c->a[0];
	int64_t error;

	TAILQ_FOREACH(set, &c->ss->sem_sets, link) {
		if (i-- == 0)
			break;
	}
	if (set == NULL)
		return (-EINVAL);
	error = set_stat(c, set);
	return (error != 0 ? error : set->id);
}

static int64_t
set_mode(struct sysctx *c)
{
	struct sem_set *set;
	struct semid_ds ds;
	int error = sys_copyin(c, c->a[3], &ds, sizeof(ds));

	set = set_find(c->ss, c->a[0]);
	if (error != 0 || set == NULL)
		return (error != 0 ? error : -EINVAL);
	set->mode = ds.sem_perm.mode & 0777;
	set->ctime = now_s(c->ss);
	return (0);
}

/* Commands on one semaphore of a set. */
static int64_t
semctl_one(struct sysctx *c, struct sem_set *set, int cmd)
{
	uint32_t i = (uint32_t)c->a[1];

	if (i >= set->count)
		return (-EINVAL);
	switch (cmd) {
	case GETVAL:
		return (set->sem[i].value);
	case SETVAL:
		return (set_value(c, set, i, (int32_t)c->a[3]));
	case GETPID:
		return (set->sem[i].pid);
	case GETNCNT:
		return (count_waits(set, i, false));
	default:
		return (count_waits(set, i, true));
	}
}

int64_t
sys_semctl(struct sysctx *c)
{
	struct sem_set *set = set_find(c->ss, c->a[0]);
	int cmd = (int)c->a[2];

	if ((int32_t)c->a[0] < 0)
		return (-EINVAL);
	if (cmd == IPC_INFO || cmd == SEM_INFO)
		return (sem_info(c, cmd == SEM_INFO));
	if (cmd == SEM_STAT || cmd == SEM_STAT_ANY_)
		return (stat_by_index(c));
	if (set == NULL)
		return (-EINVAL);
	switch (cmd) {
	case IPC_STAT:
		return (set_stat(c, set));
	case IPC_SET:
		return (set_mode(c));
	case IPC_RMID:
		set_free(c->ss, set);
		return (0);
	case GETALL:
		return (get_all(c, set));
	case SETALL:
		return (set_all(c));
	case GETVAL:
	case SETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
		return (semctl_one(c, set, cmd));
	default:
		return (-EINVAL);
	}
}
