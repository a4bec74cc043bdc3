/*
 * signal.c: which signal goes to which thread: actions, masks, what is
 * pending, sending.
 *
 * Interface: signal_* of sim/syscall_int.h and sim/uproc.h, but for handlers
 * (signal_frame.c). Source: signal(7), Linux 6.1 kernel/signal.c: a signal to
 * a process is shown to one thread that does not block it, the first one if
 * it can be; signals to a thread come before those to the process, and of
 * each the smallest number first. Differences: no terminal sends any.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/signal_int.h"

#define QUEUE_MAX 65536u

/* ---- state ---- */

int
sigstate_new(struct uproc *p)
{
	struct sigstate *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return (-ENOMEM);
	s->acts = calloc(1, sizeof(*s->acts));
	if (s->acts == NULL) {
		free(s);
		return (-ENOMEM);
	}
	s->acts->refs = 1;
	TAILQ_INIT(&s->queue);
	poll_head_init(&s->fds);
	p->sig = s;
	return (0);
}

static void
actions_drop(struct sigactions *a)
{
	if (--a->refs == 0)
		free(a);
}

static void
pending_free(struct sigstate *s, struct pending *q)
{
	TAILQ_REMOVE(&s->queue, q, link);
	s->count--;
	if (q->timer != NULL)
		ptimer_signal_gone(q->timer);
	free(q);
}

void
sigstate_free(struct uproc *p)
{
	struct pending *q;

	if (p->sig == NULL)
		return;
	while ((q = TAILQ_FIRST(&p->sig->queue)) != NULL)
		pending_free(p->sig, q);
	poll_head_end(&p->sig->fds);
	actions_drop(p->sig->acts);
	free(p->sig);
	p->sig = NULL;
}

int
sigstate_fork(struct uproc *p, const struct uproc *from, bool shared)
{
	int error = sigstate_new(p);

	if (error != 0)
		return (error);
	if (shared) {
		free(p->sig->acts);
		p->sig->acts = from->sig->acts;
		p->sig->acts->refs++;
	} else {
		memcpy(p->sig->acts->act, from->sig->acts->act,
		    sizeof(p->sig->acts->act));
	}
	return (0);
}

void
sigstate_reset(struct uproc *p)
{
	for (int i = 1; i <= NSIG_; i++) {
		struct kaction *a = signal_action(p, i);

		if (a->handler != (uint64_t)(uintptr_t)SIG_IGN)
			a->handler = (uint64_t)(uintptr_t)SIG_DFL;
		a->flags = a->restorer = a->mask = 0;
	}
}

int
sigstate_own(struct uproc *p)
{
	struct sigactions *old = p->sig->acts, *own;

	if (old->refs == 1)
		return (0);
	own = malloc(sizeof(*own));
	if (own == NULL)
		return (-ENOMEM);
	*own = *old;
	own->refs = 1;
	old->refs--;
	p->sig->acts = own;
	return (0);
}

enum sig_default
signal_default(int signo)
{
	switch (signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
	case SIGCONT:
		return (DEFAULT_IGNORE);
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return (DEFAULT_STOP);
	default:
		return (DEFAULT_KILL);
	}
}

bool
signal_is_ignored(const struct uproc *p, int signo)
{
	uint64_t h = signal_action(p, signo)->handler;

	if (h == (uint64_t)(uintptr_t)SIG_DFL)
		return (signal_default(signo) == DEFAULT_IGNORE);
	return (h == (uint64_t)(uintptr_t)SIG_IGN);
}

bool
signal_no_zombies(const struct uproc *p)
{
	const struct kaction *a = signal_action(p, SIGCHLD);

	return (a->handler == (uint64_t)(uintptr_t)SIG_IGN ||
	    (a->flags & SA_NOCLDWAIT));
}

bool
signal_no_stops(const struct uproc *p)
{
	const struct kaction *a = signal_action(p, SIGCHLD);

	return (a->handler == (uint64_t)(uintptr_t)SIG_IGN ||
	    (a->flags & SA_NOCLDSTOP));
}

/* ---- what is pending ---- */

static const uint64_t synchronous = SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) |
    SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE) | SIGBIT(SIGSYS);

/* Which of two for the same thread comes first: a fault's, one to the thread,
 * the smaller number. */
static bool
comes_before(const struct pending *a, const struct pending *b)
{
	bool fault_a = (synchronous & SIGBIT(a->info.signo)) != 0;
	bool fault_b = (synchronous & SIGBIT(b->info.signo)) != 0;

	if ((a->tid != 0) != (b->tid != 0))
		return (a->tid != 0);
	if (fault_a != fault_b)
		return (fault_a);
	return (a->info.signo < b->info.signo);
}

static struct pending *
next_pending(const struct uthread *t, uint64_t blocked)
{
	struct pending *q, *best = NULL;

	TAILQ_FOREACH(q, &t->p->sig->queue, link) {
		if (q->tid != 0 && q->tid != t->tid)
			continue;
		if (blocked & SIGBIT(q->info.signo))
			continue;
		if (best == NULL || comes_before(q, best))
			best = q;
	}
	return (best);
}

uint64_t
signal_waiting(const struct uthread *t)
{
	const struct pending *q;
	uint64_t set = 0;

	TAILQ_FOREACH(q, &t->p->sig->queue, link) {
		if (q->tid == 0 || q->tid == t->tid)
			set |= SIGBIT(q->info.signo);
	}
	return (set);
}

void
signal_sets(const struct uproc *p, const struct uthread *t,
    struct signal_sets *out)
{
	const struct pending *q;

	memset(out, 0, sizeof(*out));
	out->blocked = t != NULL ? t->sig.mask : 0;
	if (p->sig == NULL)
		return;
	TAILQ_FOREACH(q, &p->sig->queue, link) {
		if (q->tid == 0)
			out->pending_all |= SIGBIT(q->info.signo);
		else if (t != NULL && q->tid == t->tid)
			out->pending |= SIGBIT(q->info.signo);
	}
	for (int i = 1; i <= NSIG_; i++) {
		uint64_t h = signal_action(p, i)->handler;

		if (h == (uint64_t)(uintptr_t)SIG_IGN)
			out->ignored |= SIGBIT(i);
		else if (h != (uint64_t)(uintptr_t)SIG_DFL)
			out->caught |= SIGBIT(i);
	}
}

bool
signal_any(const struct uthread *t, uint64_t set)
{
	return (t->p->sig != NULL && next_pending(t, ~set) != NULL);
}

static void
signal_recalc(struct uthread *t)
{
	t->sig.told = next_pending(t, t->sig.mask) != NULL;
}

bool
signal_take(struct uthread *t, uint64_t set, struct ksiginfo *out)
{
	struct pending *q = next_pending(t, ~set);

	if (q == NULL)
		return (false);
	*out = q->info;
	if (q->timer != NULL)
		out->overrun = ptimer_signal_taken(q->timer);
	pending_free(t->p->sig, q);
	signal_recalc(t);
	return (true);
}

bool
signal_pending(const struct uthread *t)
{
	if (t->exiting || t->p->exiting || t->p->kill_signal != 0 ||
	    t->p->stopped)
		return (true);
	return (t->sig.told && next_pending(t, t->sig.mask) != NULL);
}

/* ---- telling a thread ---- */

static bool
wants_signal(const struct uthread *t, int signo)
{
	return (!t->exiting && !(t->sig.mask & SIGBIT(signo)));
}

static void
tell_thread(struct uthread *t)
{
	t->sig.told = true;
	if (t->sig.interruptible)
		sim_unsleep(t->p->sys->sim, t->st);
}

/* One thread that a new signal to the process is for. */
static void
tell_one(struct uproc *p, int32_t tid, int signo)
{
	struct uthread *t, *busy = NULL;

	TAILQ_FOREACH(t, &p->threads, link) {
		if ((tid != 0 && tid != t->tid) || !wants_signal(t, signo))
			continue;
		if (!t->sig.told || tid != 0) {
			tell_thread(t);
			return;
		}
		if (busy == NULL)
			busy = t;
	}
	if (busy != NULL)
		tell_thread(busy);
}

/* Signals to the process that t, told of them, will not take. */
static void
retarget(struct uthread *t, uint64_t set)
{
	const struct pending *q;
	struct uthread *o;

	TAILQ_FOREACH(q, &t->p->sig->queue, link) {
		if (q->tid != 0 || !(set & SIGBIT(q->info.signo)))
			continue;
		TAILQ_FOREACH(o, &t->p->threads, link) {
			if (o == t || !wants_signal(o, q->info.signo))
				continue;
			tell_thread(o);
			break;
		}
	}
}

void
signal_set_mask(struct uthread *t, uint64_t mask)
{
	uint64_t more;

	mask &= ~UNBLOCKABLE;
	more = mask & ~t->sig.mask;
	t->sig.mask = mask;
	if (TAILQ_EMPTY(&t->p->sig->queue)) {
		t->sig.told = false;
		return;
	}
	if (t->sig.told && more != 0)
		retarget(t, more);
	signal_recalc(t);
}

void
signal_thread_gone(struct uthread *t)
{
	struct sigstate *s = t->p->sig;
	struct pending *q, *next;

	if (s == NULL)
		return;
	if (t->sig.told)
		retarget(t, ~t->sig.mask);
	for (q = TAILQ_FIRST(&s->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->tid != 0 && q->tid == t->tid)
			pending_free(s, q);
	}
}

void
signal_thread_is(struct uthread *t, int32_t tid)
{
	struct pending *q;

	TAILQ_FOREACH(q, &t->p->sig->queue, link) {
		if (q->tid == t->tid)
			q->tid = tid;
	}
	t->tid = tid;
}

void
signal_wake_all(struct uproc *p, bool kill)
{
	struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->sig.interruptible || (kill && t->sig.killable))
			sim_unsleep(p->sys->sim, t->st);
	}
	if (kill)
		sim_wakeup(p->sys->sim, &p->stopped);
}

/* ---- sending ---- */

static bool
already_pending(const struct sigstate *s, int32_t tid, int signo)
{
	const struct pending *q;

	TAILQ_FOREACH(q, &s->queue, link) {
		if (q->info.signo == signo && q->tid == tid)
			return (true);
	}
	return (false);
}

static void
discard_pending(struct sigstate *s, uint64_t set)
{
	struct pending *q, *next;

	for (q = TAILQ_FIRST(&s->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (set & SIGBIT(q->info.signo))
			pending_free(s, q);
	}
}

void
signal_forget(struct uproc *p, int signo)
{
	discard_pending(p->sig, SIGBIT(signo));
}

static void
signal_continue(struct uproc *p)
{
	discard_pending(p->sig, STOP_SIGNALS);
	if (!p->stopped)
		return;
	p->stopped = false;
	sim_wakeup(p->sys->sim, &p->stopped);
	wait_child_continued(p);
}

/* Is a signal that is ignored wanted all the same: blocked, or waited for? */
static bool
is_held_somewhere(const struct uproc *p, int32_t tid, int signo)
{
	const struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		if ((tid == 0 || tid == t->tid) &&
		    ((t->sig.mask | t->sig.wait_mask) & SIGBIT(signo)))
			return (true);
	}
	return (false);
}

static int
enqueue(struct uproc *p, int32_t tid, const struct ksiginfo *ksi,
    struct ptimer *timer)
{
	struct sigstate *s = p->sig;
	struct pending *q;

	if (s->count >= QUEUE_MAX)
		return (-EAGAIN);
	q = malloc(sizeof(*q));
	if (q == NULL)
		return (-EAGAIN);
	q->info = *ksi;
	q->tid = tid;
	q->timer = timer;
	TAILQ_INSERT_TAIL(&s->queue, q, link);
	s->count++;
	sim_wakeup(p->sys->sim, &s->fds);
	poll_notify(p->sys, &s->fds, 0);
	tell_one(p, tid, ksi->signo);
	return (1);
}

/* What a signal does as it is sent; false: that was all. */
static bool
send_begins(struct uproc *p, int32_t tid, int signo)
{
	if (p->exiting || p->sig == NULL)
		return (false);
	if (signo == SIGKILL) {
		p->kill_signal = SIGKILL;
		signal_wake_all(p, true);
		return (false);
	}
	if (signo == SIGCONT)
		signal_continue(p);
	else if (STOP_SIGNALS & SIGBIT(signo))
		discard_pending(p->sig, SIGBIT(SIGCONT));
	return (!signal_is_ignored(p, signo) ||
	    is_held_somewhere(p, tid, signo));
}

int
signal_send(struct uproc *p, int32_t tid, const struct ksiginfo *ksi)
{
	int ret;

	if (!send_begins(p, tid, ksi->signo))
		return (0);
	/* only real-time signals queue up */
	if (ksi->signo < 32 && already_pending(p->sig, tid, ksi->signo))
		return (0);
	ret = enqueue(p, tid, ksi, NULL);
	return (ret < 0 ? ret : 0);
}

bool
signal_send_timer(struct uproc *p, int32_t tid, const struct ksiginfo *ksi,
    struct ptimer *timer)
{
	if (!send_begins(p, tid, ksi->signo))
		return (false);
	if (ksi->signo < 32 && already_pending(p->sig, tid, ksi->signo))
		return (false);
	return (enqueue(p, tid, ksi, timer) > 0);
}

void
signal_timer_gone(struct uproc *p, const struct ptimer *timer)
{
	struct pending *q;

	if (p->sig == NULL)
		return;
	TAILQ_FOREACH(q, &p->sig->queue, link) {
		if (q->timer == timer)
			q->timer = NULL;
	}
}

void
signal_post(struct uproc *p, int signo)
{
	const struct ksiginfo ksi = { .signo = signo, .code = SI_KERNEL };

	(void)signal_send(p, 0, &ksi);
}

void
signal_self(struct uthread *t, int signo)
{
	const struct ksiginfo ksi = { .signo = signo, .code = SI_USER,
		.pid = t->p->pid };

	(void)signal_send(t->p, t->tid, &ksi);
}

/* A signal that cannot be blocked or ignored: the thread cannot go on. */
void
signal_force(struct uthread *t, const struct ksiginfo *ksi)
{
	struct sigstate *s = t->p->sig;
	struct kaction *a = signal_action(t->p, ksi->signo);
	struct pending *q;

	if ((t->sig.mask & SIGBIT(ksi->signo)) ||
	    a->handler == (uint64_t)(uintptr_t)SIG_IGN) {
		a->handler = (uint64_t)(uintptr_t)SIG_DFL;
		t->sig.mask &= ~SIGBIT(ksi->signo);
	}
	q = calloc(1, sizeof(*q));
	if (q == NULL) {
		uproc_exit(t, ksi->signo);
		return;
	}
	q->info = *ksi;
	q->tid = t->tid;
	TAILQ_INSERT_HEAD(&s->queue, q, link);
	s->count++;
	t->sig.told = true;
}

void
signal_fault(struct uthread *t, int signo, int code, vm_offset_t addr)
{
	const struct ksiginfo ksi = { .signo = signo, .code = code,
		.addr = addr };

	signal_force(t, &ksi);
}
