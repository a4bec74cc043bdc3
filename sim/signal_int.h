/*
 * signal_int.h: what the files about signals share: signal.c (which signal
 * goes to whom), signal_frame.c (handlers), syscall_signal.c (calls).
 */
#ifndef VMSIM_SIM_SIGNAL_INT_H
#define VMSIM_SIM_SIGNAL_INT_H

#include <signal.h>

#include "sim/syscall_int.h"

#define NSIG_ 64
#define SIGSET_BYTES 8
#define SIGBIT(signo) (1ull << ((signo) - 1))
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define STOP_SIGNALS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | \
    SIGBIT(SIGTTOU))

struct kaction { /* the kernel's struct sigaction */
	uint64_t handler, flags, restorer, mask;
};

/* What processes do with signals: common with CLONE_SIGHAND. */
struct sigactions {
	uint32_t refs;
	struct kaction act[NSIG_ + 1];
};

struct pending {
	TAILQ_ENTRY(pending) link;
	struct ksiginfo info;
	int32_t tid; /* 0: any thread of the process */
	struct ptimer *timer; /* that sent it, or NULL */
};

struct sigstate {
	struct sigactions *acts;
	TAILQ_HEAD(, pending) queue; /* oldest first */
	uint32_t count;
	struct poll_head fds; /* signalfd: any signal has come */
};

struct kstack { /* stack_t */
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};

static inline struct kaction *
signal_action(const struct uproc *p, int signo)
{
	return (&p->sig->acts->act[signo]);
}

enum sig_default { DEFAULT_KILL, DEFAULT_IGNORE, DEFAULT_STOP };

/* ---- signal.c ---- */

enum sig_default signal_default(int signo);
bool signal_is_ignored(const struct uproc *p, int signo);
/* p ignores signo from now on: what is pending goes. */
void signal_forget(struct uproc *p, int signo);
/* Signals that wait for the thread, blocked or not. */
uint64_t signal_waiting(const struct uthread *t);
void signal_force(struct uthread *t, const struct ksiginfo *ksi);

/* ---- signal_frame.c ---- */

/* 0 or -EPERM, -EINVAL, -ENOMEM; sp: the thread's stack pointer. */
int signal_set_stack(struct uthread *t, const struct kstack *ks, uint64_t sp);
/* SS_ONSTACK, SS_DISABLE. */
uint32_t signal_stack_flags(const struct thread_signals *sg, uint64_t sp);

#endif
