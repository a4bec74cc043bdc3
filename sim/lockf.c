/*
 * lockf.c: advisory locks on files: byte ranges (fcntl) and whole files
 * (flock).
 *
 * Interface: lockf_* of sim/syscall_int.h, sys_flock. Source: fcntl(2),
 * flock(2), Linux 6.1 fs/locks.c for who owns what: a process's locks belong
 * to its descriptor table and go with the first close of any descriptor of
 * the file; open-file-description locks and flock's belong to the open file.
 * Differences: who waits longest is served first; none other known.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "sim/syscall_int.h"

#define LOCK_PRI 100 /* PLOCK of FreeBSD 5 */
#define RANGE_END INT64_MAX
#define WAIT_CHAIN_MAX 64

struct lockf {
	TAILQ_ENTRY(lockf) link;
	const struct inode *ip;
	const void *owner; /* descriptor table, or open file */
	bool flock; /* the two kinds do not see each other */
	bool exclusive;
	int32_t pid; /* -1: of an open file */
	int64_t start, end; /* inclusive */
};

struct lockf_wait {
	TAILQ_ENTRY(lockf_wait) link;
	const void *owner, *blocker;
};

/* ---- the list ---- */

static void
lockf_remove(struct sysstate *ss, struct lockf *l)
{
	TAILQ_REMOVE(&ss->locks, l, link);
	free(l);
}

static bool
overlaps(const struct lockf *a, const struct lockf *b)
{
	return (a->ip == b->ip && a->flock == b->flock &&
	    a->start <= b->end && b->start <= a->end);
}

/* A lock of somebody else that forbids `want`; the oldest. */
static struct lockf *
lockf_conflict(struct sysstate *ss, const struct lockf *want)
{
	struct lockf *l;

	TAILQ_FOREACH(l, &ss->locks, link) {
		if (l->owner != want->owner && overlaps(l, want) &&
		    (l->exclusive || want->exclusive))
			return (l);
	}
	return (NULL);
}

static struct lockf *
lockf_add(struct sysstate *ss, const struct lockf *like)
{
	struct lockf *l = malloc(sizeof(*l));

	if (l == NULL)
		return (NULL);
	*l = *like;
	TAILQ_INSERT_TAIL(&ss->locks, l, link);
	return (l);
}

/* The owner has nothing in [start, end] any more. */
static int
lockf_clear(struct sysstate *ss, const struct lockf *range)
{
	struct lockf *l, *next, *last = TAILQ_LAST(&ss->locks, lockf_list);

	for (l = TAILQ_FIRST(&ss->locks); l != NULL; l = next) {
		next = l == last ? NULL : TAILQ_NEXT(l, link);
		if (l->owner != range->owner || !overlaps(l, range))
			continue;
		if (l->start < range->start && l->end > range->end) {
			struct lockf *tail = lockf_add(ss, l);

			if (tail == NULL)
				return (-ENOLCK);
			tail->start = range->end + 1;
			l->end = range->start - 1;
		} else if (l->start < range->start) {
			l->end = range->start - 1;
		} else if (l->end > range->end) {
			l->start = range->end + 1;
		} else {
			lockf_remove(ss, l);
		}
	}
	return (0);
}

static void
lockf_changed(struct sysstate *ss)
{
	if (!TAILQ_EMPTY(&ss->lock_waits))
		sim_wakeup(ss->sim, &ss->lock_waits);
}

static void
lockf_drop_owner(struct sysstate *ss, const void *owner,
    const struct inode *ip)
{
	struct lockf *l, *next;
	bool any = false;

	for (l = TAILQ_FIRST(&ss->locks); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->owner != owner || l->ip != ip)
			continue;
		lockf_remove(ss, l);
		any = true;
	}
	if (any)
		lockf_changed(ss);
}

void
lockf_release_process(struct sysstate *ss, const void *owner,
    const struct inode *ip)
{
	lockf_drop_owner(ss, owner, ip);
}

void
lockf_release_file(struct sysstate *ss, const struct file *f)
{
	lockf_drop_owner(ss, f, f->ip);
}

void
lockf_free_all(struct sysstate *ss)
{
	struct lockf *l;

	while ((l = TAILQ_FIRST(&ss->locks)) != NULL)
		lockf_remove(ss, l);
}

/* ---- waiting ---- */

/* Would `owner` wait, through others, for itself? */
static bool
lockf_deadlock(struct sysstate *ss, const void *owner, const void *blocker)
{
	const struct lockf_wait *w;

	for (int n = 0; n < WAIT_CHAIN_MAX; n++) {
		if (blocker == owner)
			return (true);
		TAILQ_FOREACH(w, &ss->lock_waits, link) {
			if (w->owner == blocker)
				break;
		}
		if (w == NULL)
			return (false);
		blocker = w->blocker;
	}
	return (false);
}

static int
lockf_wait_for(struct sysctx *c, const struct lockf *want,
    const struct lockf *other)
{
	struct lockf_wait w = { .owner = want->owner,
		.blocker = other->owner };
	int error;

	if (want->pid != -1 && lockf_deadlock(c->ss, w.owner, w.blocker))
		return (-EDEADLK);
	TAILQ_INSERT_TAIL(&c->ss->lock_waits, &w, link);
	error = sys_sleep(c, &c->ss->lock_waits, LOCK_PRI, "lockf",
	    SIM_NO_TIMEOUT);
	TAILQ_REMOVE(&c->ss->lock_waits, &w, link);
	return (error);
}

static int
lockf_set(struct sysctx *c, const struct lockf *want, bool wait)
{
	struct lockf *other;
	int error;

	while ((other = lockf_conflict(c->ss, want)) != NULL) {
		if (!wait)
			return (-EAGAIN);
		error = lockf_wait_for(c, want, other);
		if (error != 0)
			return (error);
	}
	error = lockf_clear(c->ss, want);
	if (error == 0 && lockf_add(c->ss, want) == NULL)
		error = -ENOLCK;
	/* an exclusive lock may have become a shared one */
	lockf_changed(c->ss);
	return (error);
}

static int
lockf_unset(struct sysctx *c, const struct lockf *range)
{
	int error = lockf_clear(c->ss, range);

	lockf_changed(c->ss);
	return (error);
}

/* ---- fcntl ---- */

/* From l_whence, l_start and l_len. */
static int
lockf_range(const struct file *f, const struct flock *fl, struct lockf *l)
{
	int64_t base = 0;

	if (fl->l_whence == SEEK_CUR)
		base = (int64_t)f->offset;
	else if (fl->l_whence == SEEK_END)
		base = (int64_t)(f->ip != NULL ? inode_size(f->ip) : 0);
	else if (fl->l_whence != SEEK_SET)
		return (-EINVAL);
	if (fl->l_start > RANGE_END - base)
		return (-EOVERFLOW);
	l->start = base + fl->l_start;
	if (l->start < 0)
		return (-EINVAL);
	l->end = RANGE_END;
	if (fl->l_len > 0) {
		if (fl->l_len - 1 > RANGE_END - l->start)
			return (-EOVERFLOW);
		l->end = l->start + fl->l_len - 1;
	} else if (fl->l_len < 0) {
		if (l->start + fl->l_len < 0)
			return (-EINVAL);
		l->end = l->start - 1;
		l->start += fl->l_len;
	}
	return (0);
}

static int64_t
lockf_get(struct sysctx *c, struct flock *fl, const struct lockf *want)
{
	const struct lockf *l = lockf_conflict(c->ss, want);

	if (l == NULL) {
		fl->l_type = F_UNLCK;
	} else {
		fl->l_type = l->exclusive ? F_WRLCK : F_RDLCK;
		fl->l_whence = SEEK_SET;
		fl->l_start = l->start;
		fl->l_len = l->end == RANGE_END ? 0 : l->end - l->start + 1;
		fl->l_pid = l->pid;
	}
	return (sys_copyout(c, c->a[2], fl, sizeof(*fl)));
}

int64_t
lockf_fcntl(struct sysctx *c, struct file *f, int cmd)
{
	bool ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK ||
	    cmd == F_OFD_SETLKW;
	struct lockf l = { .ip = f->ip,
		.owner = ofd ? (const void *)f : c->p->fds,
		.pid = ofd ? -1 : c->p->pid };
	uint32_t acc = f->flags & O_ACCMODE;
	struct flock fl;
	int error;

	error = sys_copyin(c, c->a[2], &fl, sizeof(fl));
	if (error != 0)
		return (error);
	if ((fl.l_type != F_RDLCK && fl.l_type != F_WRLCK &&
	    fl.l_type != F_UNLCK) || (ofd && fl.l_pid != 0))
		return (-EINVAL);
	error = lockf_range(f, &fl, &l);
	if (error != 0)
		return (error);
	l.exclusive = fl.l_type == F_WRLCK;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return (fl.l_type == F_UNLCK ? -EINVAL :
		    lockf_get(c, &fl, &l));
	if ((fl.l_type == F_RDLCK && acc == O_WRONLY) ||
	    (fl.l_type == F_WRLCK && acc == O_RDONLY))
		return (-EBADF);
	if (fl.l_type == F_UNLCK)
		return (lockf_unset(c, &l));
	return (lockf_set(c, &l, cmd == F_SETLKW || cmd == F_OFD_SETLKW));
}

/* ---- flock ---- */

int64_t
sys_flock(struct sysctx *c)
{
	int op = (int)c->a[1] & ~LOCK_NB;
	struct file *f = sys_file(c, c->a[0], false);
	struct lockf l = { .flock = true, .pid = -1, .end = RANGE_END };
	int error;

	if (op != LOCK_SH && op != LOCK_EX && op != LOCK_UN)
		return (-EINVAL);
	if (f == NULL)
		return (-EBADF);
	if (f->ip == NULL)
		return (0); /* nobody else can open a pipe's end */
	l.ip = f->ip;
	l.owner = f;
	l.exclusive = op == LOCK_EX;
	if (op == LOCK_UN)
		return (lockf_unset(c, &l));
	error = lockf_set(c, &l, !((int)c->a[1] & LOCK_NB));
	return (error);
}
