/*
 * syscall_signal.c: the calls about signals.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: the manual pages, Linux
 * 6.1. Differences: everybody may send signals to everybody.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/signal_int.h"

/* ---- actions and masks ---- */

int64_t
sys_rt_sigaction(struct sysctx *c)
{
	int signo = (int)c->a[0], error;
	struct kaction new, old;

	if (c->a[3] != SIGSET_BYTES || signo < 1 || signo > NSIG_ ||
	    (c->a[1] != 0 && (SIGBIT(signo) & UNBLOCKABLE)))
		return (-EINVAL);
	old = *signal_action(c->p, signo);
	if (c->a[1] != 0) {
		error = sys_copyin(c, c->a[1], &new, sizeof(new));
		if (error != 0)
			return (error);
		new.mask &= ~UNBLOCKABLE;
		*signal_action(c->p, signo) = new;
		if (signal_is_ignored(c->p, signo))
			signal_forget(c->p, signo);
	}
	return (c->a[2] != 0 ?
	    sys_copyout(c, c->a[2], &old, sizeof(old)) : 0);
}

int64_t
sys_rt_sigprocmask(struct sysctx *c)
{
	uint64_t set, old = c->t->sig.mask;
	int error;

	if (c->a[3] != SIGSET_BYTES)
		return (-EINVAL);
	if (c->a[1] != 0) {
		error = sys_copyin(c, c->a[1], &set, sizeof(set));
		if (error != 0)
			return (error);
		switch ((int)c->a[0]) {
		case SIG_BLOCK:
			set |= old;
			break;
		case SIG_UNBLOCK:
			set = old & ~set;
			break;
		case SIG_SETMASK:
			break;
		default:
			return (-EINVAL);
		}
		signal_set_mask(c->t, set);
	}
	return (c->a[2] != 0 ?
	    sys_copyout(c, c->a[2], &old, sizeof(old)) : 0);
}

int64_t
sys_rt_sigpending(struct sysctx *c)
{
	uint64_t set = signal_waiting(c->t) & c->t->sig.mask;

	if (c->a[1] > SIGSET_BYTES)
		return (-EINVAL);
	return (sys_copyout(c, c->a[0], &set, c->a[1]));
}

int
sys_set_temp_mask(struct sysctx *c, vm_offset_t va, uint64_t size)
{
	struct thread_signals *sg = &c->t->sig;
	uint64_t set;
	int error;

	if (va == 0)
		return (0);
	if (size != SIGSET_BYTES)
		return (-EINVAL);
	error = sys_copyin(c, va, &set, sizeof(set));
	if (error != 0)
		return (error);
	sg->saved_mask = sg->mask;
	sg->has_saved = true;
	signal_set_mask(c->t, set);
	return (0);
}

void
sys_end_temp_mask(struct sysctx *c, bool interrupted)
{
	struct thread_signals *sg = &c->t->sig;

	if (interrupted || !sg->has_saved)
		return; /* the delivery of the signal puts it back */
	sg->has_saved = false;
	signal_set_mask(c->t, sg->saved_mask);
}

/* ---- waiting ---- */

int64_t
sys_rt_sigsuspend(struct sysctx *c)
{
	int error;

	if (c->a[1] != SIGSET_BYTES)
		return (-EINVAL);
	if (c->a[0] == 0)
		return (-EFAULT);
	error = sys_set_temp_mask(c, c->a[0], c->a[1]);
	while (error == 0)
		error = sys_sleep(c, c->t, 104, "sigsusp", SIM_NO_TIMEOUT);
	return (error == -ERESTARTSYS ? -ERESTARTNOHAND : error);
}

int64_t
sys_pause(struct sysctx *c)
{
	int error = 0;

	while (error == 0)
		error = sys_sleep(c, c->t, 104, "pause", SIM_NO_TIMEOUT);
	return (error == -ERESTARTSYS ? -ERESTARTNOHAND : error);
}

/* Signals of `set` are let in for the time of a sleep, and stay pending. */
static int
wait_for_set(struct sysctx *c, uint64_t set, const struct deadline *d)
{
	struct thread_signals *sg = &c->t->sig;
	sim_time_t now = sim_now(c->sim);
	int error;

	if (!d->forever && now >= d->end)
		return (-EAGAIN);
	sg->wait_mask = sg->mask;
	signal_set_mask(c->t, sg->mask & ~set);
	error = sys_sleep(c, c->t, 104, "sigwait",
	    d->forever ? SIM_NO_TIMEOUT : d->end - now);
	signal_set_mask(c->t, sg->wait_mask);
	sg->wait_mask = 0;
	return (error == -ERESTARTSYS ? -EINTR : 0);
}

int64_t
sys_rt_sigtimedwait(struct sysctx *c)
{
	struct ksiginfo k;
	struct deadline d;
	uint8_t info[128];
	uint64_t set;
	int error;

	if (c->a[3] != SIGSET_BYTES)
		return (-EINVAL);
	error = sys_copyin(c, c->a[0], &set, sizeof(set));
	if (error == 0)
		error = deadline_read(c, &d, c->a[2], 1);
	if (error != 0)
		return (error);
	set &= ~UNBLOCKABLE;
	error = 0;
	while (!signal_take(c->t, set, &k)) {
		if (error != 0)
			return (error);
		error = wait_for_set(c, set, &d);
	}
	signal_info(&k, info);
	error = c->a[1] != 0 ? sys_copyout(c, c->a[1], info, 128) : 0;
	return (error != 0 ? error : k.signo);
}

/* ---- the other stack ---- */

int64_t
sys_sigaltstack(struct sysctx *c)
{
	const struct thread_signals *sg = &c->t->sig;
	uint64_t sp = c->regs.r[R_RSP];
	struct kstack new, old;
	int error;

	memset(&old, 0, sizeof(old));
	old.sp = sg->stack;
	old.size = sg->stack_size;
	old.flags = signal_stack_flags(sg, sp) | sg->stack_flags;
	if (c->a[0] != 0) {
		error = sys_copyin(c, c->a[0], &new, sizeof(new));
		if (error == 0)
			error = signal_set_stack(c->t, &new, sp);
		if (error != 0)
			return (error);
	}
	return (c->a[1] != 0 ?
	    sys_copyout(c, c->a[1], &old, sizeof(old)) : 0);
}

/* ---- kill ---- */

static int
check_signo(uint64_t signo)
{
	return ((int)signo < 0 || (int)signo > NSIG_ ? -EINVAL : 0);
}

static int
kill_one(struct sysctx *c, struct uproc *p, int32_t tid, int signo, int code)
{
	const struct ksiginfo ksi = { .signo = signo, .code = code,
		.pid = c->p->pid };

	if (signo == 0)
		return (0);
	return (signal_send(p, tid, &ksi));
}

int64_t
sys_kill(struct sysctx *c)
{
	int32_t pid = (int32_t)c->a[0];
	int signo = (int)c->a[1], error = -ESRCH;
	struct uproc *p;
	int32_t group;

	if (check_signo(c->a[1]) != 0)
		return (-EINVAL);
	if (pid == INT32_MIN)
		return (-ESRCH);
	if (pid == 1)
		return (0); /* not here, but it would ignore the signal */
	group = pid == 0 ? c->p->pgid : -pid;
	TAILQ_FOREACH(p, &c->ss->procs, sys_link) {
		bool hit = pid > 0 ? p->pid == pid : pid == -1 ?
		    p != c->p : p->pgid == group;

		if (hit)
			error = kill_one(c, p, 0, signo, SI_USER);
	}
	return (error);
}

static int64_t
do_tkill(struct sysctx *c, int32_t pid, int32_t tid, uint64_t signo)
{
	struct uthread *t;
	struct uproc *p;

	if (tid <= 0 || check_signo(signo) != 0)
		return (-EINVAL);
	TAILQ_FOREACH(p, &c->ss->procs, sys_link) {
		if (pid != 0 && p->pid != pid)
			continue;
		TAILQ_FOREACH(t, &p->threads, link) {
			if (t->tid == tid)
				return (kill_one(c, p, tid, (int)signo,
				    SI_TKILL));
		}
	}
	return (-ESRCH);
}

int64_t
sys_tkill(struct sysctx *c)
{
	return (do_tkill(c, 0, (int32_t)c->a[0], c->a[1]));
}

int64_t
sys_tgkill(struct sysctx *c)
{
	if ((int32_t)c->a[0] <= 0)
		return (-EINVAL);
	return (do_tkill(c, (int32_t)c->a[0], (int32_t)c->a[1], c->a[2]));
}

/* ---- signals with a value ---- */

/* What the caller says of a signal; codes of the kernel's own it may only
 * send to itself. */
static int
read_siginfo(struct sysctx *c, vm_offset_t va, int32_t pid, int signo,
    struct ksiginfo *k)
{
	uint8_t info[128];
	int error = sys_copyin(c, va, info, sizeof(info));

	if (error != 0)
		return (error);
	memset(k, 0, sizeof(*k));
	k->signo = signo;
	memcpy(&k->code, info + 8, 4);
	memcpy(&k->pid, info + 16, 4);
	memcpy(&k->uid, info + 20, 4);
	memcpy(&k->value, info + 24, 8);
	k->timer = k->pid;
	k->overrun = (int32_t)k->uid;
	if ((k->code >= 0 || k->code == SI_TKILL) && pid != c->p->pid)
		return (-EPERM);
	return (check_signo((uint64_t)(int64_t)signo));
}

int64_t
sys_rt_sigqueueinfo(struct sysctx *c)
{
	int32_t pid = (int32_t)c->a[0];
	struct ksiginfo k;
	struct uproc *p;
	int error;

	error = read_siginfo(c, c->a[2], pid, (int)c->a[1], &k);
	if (error != 0)
		return (error);
	p = uproc_find(c->ss, pid);
	if (p == NULL)
		return (-ESRCH);
	return (k.signo == 0 ? 0 : signal_send(p, 0, &k));
}

/* What argument 0 stands for: a directory of /proc will do as well. */
static int
signal_target(struct sysctx *c, struct uproc **p)
{
	bool nonblock;
	int error = pidfd_find(c, c->a[0], p, &nonblock);
	const struct file *f = error != 0 ? sys_file(c, c->a[0], false) : NULL;
	int32_t pid = f != NULL && f->ip != NULL ? inode_proc_pid(f->ip) : 0;

	if (pid == 0)
		return (error);
	*p = uproc_find(c->ss, pid);
	return (0);
}

int64_t
sys_pidfd_send_signal(struct sysctx *c)
{
	struct ksiginfo k = { .signo = (int)c->a[1], .pid = c->p->pid };
	struct uproc *p;
	int32_t signo;
	int error;

	if (c->a[3] != 0)
		return (-EINVAL);
	error = signal_target(c, &p);
	if (error == 0 && c->a[2] != 0)
		error = sys_copyin(c, c->a[2], &signo, sizeof(signo));
	if (error == 0 && c->a[2] != 0)
		error = signo != k.signo ? -EINVAL : read_siginfo(c, c->a[2],
		    p != NULL ? p->pid : -1, k.signo, &k);
	if (error == 0)
		error = check_signo((uint64_t)(int64_t)k.signo);
	if (error != 0)
		return (error);
	if (p == NULL)
		return (-ESRCH);
	return (k.signo == 0 ? 0 : signal_send(p, 0, &k));
}

int64_t
sys_rt_tgsigqueueinfo(struct sysctx *c)
{
	int32_t pid = (int32_t)c->a[0], tid = (int32_t)c->a[1];
	struct ksiginfo k;
	struct uthread *t;
	struct uproc *p;
	int error;

	if (pid <= 0 || tid <= 0)
		return (-EINVAL);
	error = read_siginfo(c, c->a[3], pid, (int)c->a[2], &k);
	if (error != 0)
		return (error);
	p = uproc_find(c->ss, pid);
	if (p == NULL)
		return (-ESRCH);
	TAILQ_FOREACH(t, &p->threads, link) {
		if (t->tid == tid)
			return (k.signo == 0 ? 0 : signal_send(p, tid, &k));
	}
	return (-ESRCH);
}
