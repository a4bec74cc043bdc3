/*
 * signalfd.c: signals that are read as a file.
 *
 * Interface: sys_signalfd4, sys_signalfd. Source: signalfd(2), Linux 6.1
 * fs/signalfd.c: who reads gets its own signals, whoever made the file.
 * Differences: none known.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>

#include "sim/signal_int.h"

#define SIGNAL_PRI 88 /* PSOCK of FreeBSD 5 */

/* The set is kept in f->count. */

static void
fill(struct signalfd_siginfo *si, const struct ksiginfo *k)
{
	memset(si, 0, sizeof(*si));
	si->ssi_signo = (uint32_t)k->signo;
	si->ssi_code = k->code;
	if (k->code == SI_TIMER) {
		si->ssi_tid = (uint32_t)k->timer;
		si->ssi_overrun = (uint32_t)k->overrun;
		si->ssi_ptr = k->value;
		si->ssi_int = (int32_t)k->value;
		return;
	}
	if (k->addr != 0) {
		si->ssi_addr = k->addr;
		return;
	}
	si->ssi_pid = (uint32_t)k->pid;
	si->ssi_uid = k->uid;
	if (k->signo == SIGCHLD && k->code > 0) {
		si->ssi_status = k->status;
		si->ssi_utime = (uint64_t)k->utime;
		si->ssi_stime = (uint64_t)k->stime;
	} else if (k->code < 0) {
		si->ssi_ptr = k->value;
		si->ssi_int = (int32_t)k->value;
	}
}

static int
wait_signal(struct sysctx *c, struct file *f, struct ksiginfo *k)
{
	int error;

	while (!signal_take(c->t, f->count, k)) {
		if (f->flags & O_NONBLOCK)
			return (-EAGAIN);
		error = sys_sleep(c, &c->p->sig->fds, SIGNAL_PRI, "signalfd",
		    SIM_NO_TIMEOUT);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* As many as there are and fit; the first is waited for. */
static ssize_t
signal_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	struct signalfd_siginfo si;
	struct ksiginfo k;
	size_t done = 0;
	int error;

	if (n < sizeof(si))
		return (-EINVAL);
	error = wait_signal(c, f, &k);
	if (error != 0)
		return (error);
	do {
		fill(&si, &k);
		memcpy((uint8_t *)buf + done, &si, sizeof(si));
		done += sizeof(si);
	} while (done + sizeof(si) <= n && signal_take(c->t, f->count, &k));
	return ((ssize_t)done);
}

static uint32_t
signal_poll(struct sysctx *c, struct file *f)
{
	return (signal_any(c->t, f->count) ? POLLIN : 0u);
}

static struct poll_head *
signal_head(struct sysctx *c, struct file *f)
{
	return (&c->p->sig->fds);
}

static const struct file_ops file_ops_signal = {
	.name = "anon_inode:[signalfd]",
	.read = signal_read,
	.poll = signal_poll,
	.head = signal_head,
	.stat = anon_stat,
};

static int64_t
signal_file(struct sysctx *c, uint32_t flags)
{
	uint64_t set;
	struct file *f;
	int error;

	if (c->a[2] != SIGSET_BYTES)
		return (-EINVAL);
	error = sys_copyin(c, c->a[1], &set, sizeof(set));
	if (error != 0)
		return (error);
	if (flags & ~(uint32_t)(SFD_CLOEXEC | SFD_NONBLOCK))
		return (-EINVAL);
	set &= ~UNBLOCKABLE;
	if ((int)c->a[0] != -1) {
		f = sys_file(c, c->a[0], false);
		if (f == NULL)
			return (-EBADF);
		if (f->ops != &file_ops_signal)
			return (-EINVAL);
		f->count = set;
		sim_wakeup(c->sim, &c->p->sig->fds);
		poll_notify(c->ss, &c->p->sig->fds, 0);
		return ((int)c->a[0]);
	}
	f = file_new(c->ss, &file_ops_signal, O_RDWR |
	    (flags & SFD_NONBLOCK ? O_NONBLOCK : 0));
	if (f == NULL)
		return (-ENOMEM);
	f->count = set;
	return (file_give(c, f, (flags & SFD_CLOEXEC) != 0));
}

int64_t
sys_signalfd4(struct sysctx *c)
{
	return (signal_file(c, (uint32_t)c->a[3]));
}

int64_t
sys_signalfd(struct sysctx *c)
{
	return (signal_file(c, 0));
}
