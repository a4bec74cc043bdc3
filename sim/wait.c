/*
 * wait.c: a process's children: telling it of them, and waiting for them.
 *
 * Interface: sys_wait4, sys_waitid; wait_child_* of sim/syscall_int.h.
 * Source: wait4(2), waitid(2), Linux 6.1 kernel/exit.c. Differences: there is
 * no process 1: children of one that has ended are reaped as they end, unless
 * an ancestor is a subreaper.
 */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sim/syscall_int.h"

#define WAIT_PRI 92 /* PWAIT of FreeBSD 5 */
#define TICK_NS 10000000 /* of si_utime: 100 a second */

/* ---- telling the parent ---- */

static int64_t
ticks(const struct uproc *p, uint64_t cycles)
{
	return ((int64_t)(sim_to_ns(p->sys->sim, cycles) / TICK_NS));
}

static void
tell(struct uproc *p, int signo, int code, int status)
{
	uint64_t all = uproc_cycles(p);
	const struct ksiginfo ksi = { .signo = signo, .code = code,
		.pid = p->pid, .status = status,
		.utime = ticks(p, p->user_cycles),
		.stime = ticks(p, all > p->user_cycles ?
		    all - p->user_cycles : 0) };

	if (signo != 0)
		(void)signal_send(p->parent, 0, &ksi);
	sim_wakeup(p->sys->sim, &p->parent->children);
}

bool
wait_child_dead(struct uproc *p)
{
	int sig = p->exit_status & 0x7f;
	bool keep;

	if (p->parent == NULL || p->parent->exiting)
		return (p->parent != NULL);
	keep = p->exit_signal != SIGCHLD || !signal_no_zombies(p->parent);
	tell(p, p->exit_signal, sig != 0 ? CLD_KILLED : CLD_EXITED,
	    sig != 0 ? sig : p->exit_status >> 8 & 0xff);
	return (keep);
}

void
wait_child_stopped(struct uproc *p)
{
	p->stop_news = true;
	p->cont_news = false;
	if (p->parent == NULL)
		return;
	tell(p, signal_no_stops(p->parent) ? 0 : SIGCHLD, CLD_STOPPED,
	    p->stop_signal);
}

void
wait_child_continued(struct uproc *p)
{
	p->stop_news = false;
	p->cont_news = true;
	if (p->parent == NULL)
		return;
	tell(p, signal_no_stops(p->parent) ? 0 : SIGCHLD, CLD_CONTINUED,
	    SIGCONT);
}

/* ---- process groups that nobody controls ---- */

/* Can p's parent continue p's group: it is in the same session, but in
 * another group? */
static bool
has_controller(const struct uproc *p)
{
	const struct uproc *up = p->parent;

	return (up != NULL && up->pgid != p->pgid && up->sid == p->sid);
}

bool
group_is_orphaned(const struct sysstate *ss, int32_t pgid, int32_t sid,
    const struct uproc *but)
{
	const struct uproc *p;

	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		if (p->pgid == pgid && p->sid == sid && p != but &&
		    !p->zombie && has_controller(p))
			return (false);
	}
	return (true);
}

void
group_left(struct uproc *p, const struct uproc *father)
{
	const struct uproc *up = father != NULL ? father : p->parent;
	struct sysstate *ss = p->sys;
	bool stopped = false;
	int32_t pgid = p->pgid, sid = p->sid;
	struct uproc *o;

	if (up == NULL || up->pgid == pgid || up->sid != sid ||
	    !group_is_orphaned(ss, pgid, sid, father == NULL ? p : NULL))
		return;
	TAILQ_FOREACH(o, &ss->procs, sys_link)
		stopped |= o->pgid == pgid && o->sid == sid && o->stopped;
	TAILQ_FOREACH(o, &ss->procs, sys_link) {
		if (!stopped || o->pgid != pgid || o->sid != sid)
			continue;
		signal_post(o, SIGHUP);
		signal_post(o, SIGCONT);
	}
}

/* ---- what a child has used ---- */

/* Together with what its own children have. */
static void
child_usage(const struct uproc *child, struct usage *u)
{
	uproc_usage(child, u);
	usage_add(u, &child->child);
}

/* ---- waiting ---- */

struct wait {
	int type; /* P_ALL, P_PID, P_PGID */
	int32_t id;
	uint32_t options; /* WEXITED and so on */
	/* what was found */
	int32_t pid;
	int code, status; /* CLD_*; as in siginfo */
	int wait_status; /* as wait4 has it */
	struct rusage64 ru;
};

static bool
is_wanted(const struct wait *w, const struct uproc *child)
{
	if (w->type == P_PID && child->pid != w->id)
		return (false);
	if (w->type == P_PGID && child->pgid != w->id)
		return (false);
	if (w->options & __WALL)
		return (true);
	return ((child->exit_signal != SIGCHLD) ==
	    ((w->options & __WCLONE) != 0));
}

static void
found(struct sysctx *c, struct wait *w, const struct uproc *child, int code,
    int status)
{
	struct usage u;

	w->pid = child->pid;
	w->code = code;
	w->status = status;
	child_usage(child, &u);
	rusage_fill(c, &w->ru, &u);
}

static void
take_dead(struct sysctx *c, struct wait *w, struct uproc *child)
{
	int sig = child->exit_status & 0x7f;
	struct usage u;

	found(c, w, child, sig != 0 ? CLD_KILLED : CLD_EXITED,
	    sig != 0 ? sig : child->exit_status >> 8 & 0xff);
	w->wait_status = child->exit_status;
	if (w->options & WNOWAIT)
		return;
	child_usage(child, &u);
	usage_add(&c->p->child, &u);
	c->ss->tasks->reap(child);
}

/* Has the child something to tell? */
static bool
take(struct sysctx *c, struct wait *w, struct uproc *child)
{
	bool keep = (w->options & WNOWAIT) != 0;

	if (child->zombie && (w->options & WEXITED)) {
		take_dead(c, w, child);
		return (true);
	}
	if (child->stop_news && child->stopped && (w->options & WSTOPPED)) {
		found(c, w, child, CLD_STOPPED, child->stop_signal);
		w->wait_status = child->stop_signal << 8 | 0x7f;
		child->stop_news = keep;
		return (true);
	}
	if (child->cont_news && (w->options & WCONTINUED)) {
		found(c, w, child, CLD_CONTINUED, SIGCONT);
		w->wait_status = 0xffff;
		child->cont_news = keep;
		return (true);
	}
	return (false);
}

/* The child's pid, 0: none now (WNOHANG), or a negative errno. */
static int64_t
do_wait(struct sysctx *c, struct wait *w)
{
	struct uproc *child;
	int error = 0;

	for (;;) {
		bool any = false;

		TAILQ_FOREACH(child, &c->p->children, sibling) {
			if (!is_wanted(w, child))
				continue;
			any = true;
			if (take(c, w, child))
				return (w->pid);
		}
		if (!any)
			return (-ECHILD);
		if (w->options & WNOHANG)
			return (0);
		/* a child that has ended comes before a signal */
		if (error != 0)
			return (error);
		error = sys_sleep(c, &c->p->children, WAIT_PRI, "wait",
		    SIM_NO_TIMEOUT);
	}
}

int64_t
sys_wait4(struct sysctx *c)
{
	uint32_t options = (uint32_t)c->a[2];
	int32_t pid = (int32_t)c->a[0];
	struct wait w;
	int64_t ret;
	int error = 0;

	if (options & ~(uint32_t)(WNOHANG | WUNTRACED | WCONTINUED |
	    __WNOTHREAD | __WCLONE | __WALL))
		return (-EINVAL);
	if (pid == INT32_MIN)
		return (-ESRCH);
	memset(&w, 0, sizeof(w));
	w.options = options | WEXITED;
	w.type = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID;
	w.id = pid > 0 ? pid : pid == 0 ? c->p->pgid : -pid;
	ret = do_wait(c, &w);
	if (ret <= 0)
		return (ret);
	if (c->a[1] != 0)
		error = sys_copyout(c, c->a[1], &w.wait_status, 4);
	if (error == 0 && c->a[3] != 0)
		error = sys_copyout(c, c->a[3], &w.ru, sizeof(w.ru));
	return (error != 0 ? error : ret);
}

static int
wait_siginfo(struct sysctx *c, const struct wait *w, bool any)
{
	int32_t info[32];

	memset(info, 0, sizeof(info));
	if (any) {
		info[0] = SIGCHLD;
		info[2] = w->code;
		info[4] = w->pid;
		info[6] = w->status;
	}
	return (c->a[2] == 0 ? 0 :
	    sys_copyout(c, c->a[2], info, sizeof(info)));
}

/* The process that a file stands for; `nonblock`: not waited for either. */
static int
wait_pidfd(struct sysctx *c, struct wait *w, bool *nonblock)
{
	struct uproc *p;
	int error = pidfd_find(c, (uint64_t)(int64_t)w->id, &p, nonblock);

	if (error != 0)
		return (error);
	w->type = P_PID;
	w->id = p != NULL ? p->pid : -1; /* it is nobody's child any more */
	if (*nonblock)
		w->options |= WNOHANG;
	return (0);
}

int64_t
sys_waitid(struct sysctx *c)
{
	uint32_t options = (uint32_t)c->a[3];
	bool nonblock = false;
	struct wait w;
	int64_t ret;
	int error;

	if ((options & ~(uint32_t)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED |
	    WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)) ||
	    (uint32_t)c->a[0] > P_PIDFD)
		return (-EINVAL);
	memset(&w, 0, sizeof(w));
	w.options = options;
	w.type = (int)c->a[0];
	w.id = (int32_t)c->a[1];
	if (w.type != P_ALL && w.id < (w.type == P_PID))
		return (-EINVAL);
	if (w.type == P_PGID && w.id == 0)
		w.id = c->p->pgid;
	if (w.type == P_PIDFD) {
		error = wait_pidfd(c, &w, &nonblock);
		if (error != 0)
			return (error);
	}
	ret = do_wait(c, &w);
	if (ret == 0 && nonblock && !(options & WNOHANG))
		return (-EAGAIN);
	if (ret < 0)
		return (ret);
	error = wait_siginfo(c, &w, ret > 0);
	if (error == 0 && ret > 0 && c->a[4] != 0)
		error = sys_copyout(c, c->a[4], &w.ru, sizeof(w.ru));
	return (error);
}
