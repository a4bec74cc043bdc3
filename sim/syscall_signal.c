/*
 * syscall_signal.c: signals: actions, masks, queues, delivery on the user's
 * stack, return from handlers, and the end of a process.
 *
 * Interface: signal_fault, signal_deliver, signal_post, uproc_exit of
 * sim/uproc.h; helpers of sim/syscall_int.h. Source: signal(7), Linux 6.1
 * arch/x86 signal frames (struct rt_sigframe with an FXSAVE image) and the
 * rules of restarting calls. Differences: no terminal sends any.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "sim/syscall_int.h"

#define NSIG_ 64
#define SIGSET_BYTES 8
#define SA_RESTORER_ 0x04000000ull
#define REDZONE 128
#define QUEUE_MAX 65536u
#define STOP_PRI 104 /* PPAUSE of FreeBSD 5 */
#define MINSTACK 2048
#define ONSTACK 1u
#define DISABLE 2u
#define AUTODISARM 0x80000000u

/* Flags that user code may have: all but TF, IOPL and the system's. */
#define RFLAGS_USER 0x40cd5ull
#define RFLAGS_FIXED 0x202ull
#define RFLAGS_DF 0x400ull

struct kaction { /* the kernel's struct sigaction */
	uint64_t handler, flags, restorer, mask;
};

struct pending {
	TAILQ_ENTRY(pending) link;
	struct ksiginfo info;
	int32_t tid; /* 0: any thread of the process */
};

struct sigstate {
	struct kaction act[NSIG_ + 1];
	TAILQ_HEAD(, pending) queue; /* oldest first */
	uint32_t count;
};

struct kstack { /* stack_t */
	uint64_t sp;
	uint32_t flags, pad;
	uint64_t size;
};

struct mcontext {
	uint64_t r[8]; /* r8 to r15 */
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};

struct rt_sigframe {
	uint64_t pretcode;
	uint64_t uc_flags, uc_link;
	struct kstack uc_stack;
	struct mcontext mc;
	uint64_t uc_mask;
	uint8_t info[128];
};
_Static_assert(sizeof(struct rt_sigframe) == 440, "frame of x86-64 Linux");
_Static_assert(offsetof(struct rt_sigframe, info) == 312, "siginfo's place");

static uint64_t
sigbit(int signo)
{
	return (1ull << (signo - 1));
}

static const uint64_t unblockable = 1ull << (SIGKILL - 1) |
    1ull << (SIGSTOP - 1);

/* ---- state ---- */

int
sigstate_new(struct uproc *p)
{
	p->sig = calloc(1, sizeof(*p->sig));
	if (p->sig == NULL)
		return (-ENOMEM);
	TAILQ_INIT(&p->sig->queue);
	return (0);
}

static void
pending_free(struct sigstate *s, struct pending *q)
{
	TAILQ_REMOVE(&s->queue, q, link);
	s->count--;
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
	free(p->sig);
	p->sig = NULL;
}

int
sigstate_fork(struct uproc *p, const struct uproc *from)
{
	int error = sigstate_new(p);

	if (error == 0)
		memcpy(p->sig->act, from->sig->act, sizeof(p->sig->act));
	return (error);
}

void
sigstate_exec(struct uproc *p)
{
	for (int i = 1; i <= NSIG_; i++) {
		struct kaction *a = &p->sig->act[i];

		if (a->handler != (uint64_t)(uintptr_t)SIG_IGN)
			a->handler = (uint64_t)(uintptr_t)SIG_DFL;
		a->flags = a->restorer = a->mask = 0;
	}
}

enum sig_default { DEFAULT_KILL, DEFAULT_IGNORE, DEFAULT_STOP };

static enum sig_default
default_action(int signo)
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

static bool
is_ignored(const struct sigstate *s, int signo)
{
	uint64_t h = s->act[signo].handler;

	if (h == (uint64_t)(uintptr_t)SIG_DFL)
		return (default_action(signo) == DEFAULT_IGNORE);
	return (h == (uint64_t)(uintptr_t)SIG_IGN);
}

bool
signal_no_zombies(const struct uproc *p)
{
	const struct kaction *a = &p->sig->act[SIGCHLD];

	return (a->handler == (uint64_t)(uintptr_t)SIG_IGN ||
	    (a->flags & SA_NOCLDWAIT));
}

bool
signal_no_stops(const struct uproc *p)
{
	return ((p->sig->act[SIGCHLD].flags & SA_NOCLDSTOP) != 0);
}

static bool
is_for(const struct pending *q, const struct uthread *t)
{
	return (q->tid == 0 || q->tid == t->tid);
}

/* The oldest signal for the thread outside `blocked`; faults come first. */
static struct pending *
next_pending(const struct uthread *t, uint64_t blocked)
{
	struct pending *q;

	TAILQ_FOREACH(q, &t->p->sig->queue, link) {
		if (is_for(q, t) && !(blocked & sigbit(q->info.signo)))
			return (q);
	}
	return (NULL);
}

bool
signal_pending(const struct uthread *t)
{
	if (t->exiting || t->p->exiting || t->p->kill_signal != 0 ||
	    t->p->stopped)
		return (true);
	if (TAILQ_EMPTY(&t->p->sig->queue))
		return (false);
	return (next_pending(t, t->sig.mask) != NULL);
}

/* ---- sending ---- */

static bool
already_pending(const struct sigstate *s, int32_t tid, int signo)
{
	struct pending *q;

	TAILQ_FOREACH(q, &s->queue, link) {
		if (q->info.signo == signo && q->tid == tid)
			return (true);
	}
	return (false);
}

/* Wakes a thread that the signal concerns and that may be woken for it. */
static void
wake_for(struct uproc *p, int32_t tid, int signo)
{
	struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		uint64_t hidden = t->sig.mask & ~t->sig.wait_mask;

		if (tid != 0 && tid != t->tid)
			continue;
		if (!t->sig.interruptible)
			continue;
		if (hidden & sigbit(signo))
			continue;
		sim_unsleep(p->sys->sim, t->st);
		break;
	}
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

/* A stop signal and SIGCONT take each other back. */
static void
discard_pending(struct sigstate *s, uint64_t set)
{
	struct pending *q, *next;

	for (q = TAILQ_FIRST(&s->queue); q != NULL; q = next) {
		next = TAILQ_NEXT(q, link);
		if (set & sigbit(q->info.signo))
			pending_free(s, q);
	}
}

static const uint64_t stop_signals = 1ull << (SIGSTOP - 1) |
    1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1);

static void
signal_continue(struct uproc *p)
{
	discard_pending(p->sig, stop_signals);
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
		    (t->sig.mask & sigbit(signo)))
			return (true);
	}
	return (false);
}

int
signal_send(struct uproc *p, int32_t tid, const struct ksiginfo *ksi)
{
	struct sigstate *s = p->sig;
	struct pending *q;

	if (p->exiting || s == NULL)
		return (0);
	if (ksi->signo == SIGKILL) {
		p->kill_signal = SIGKILL;
		signal_wake_all(p, true);
		return (0);
	}
	if (ksi->signo == SIGCONT)
		signal_continue(p);
	else if (stop_signals & sigbit(ksi->signo))
		discard_pending(s, sigbit(SIGCONT));
	if (is_ignored(s, ksi->signo) &&
	    !is_held_somewhere(p, tid, ksi->signo))
		return (0);
	/* only real-time signals queue up */
	if (ksi->signo < 32 && already_pending(s, tid, ksi->signo))
		return (0);
	if (s->count >= QUEUE_MAX)
		return (-EAGAIN);
	q = malloc(sizeof(*q));
	if (q == NULL)
		return (-EAGAIN);
	q->info = *ksi;
	q->tid = tid;
	TAILQ_INSERT_TAIL(&s->queue, q, link);
	s->count++;
	wake_for(p, tid, ksi->signo);
	return (0);
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
static void
signal_force(struct uthread *t, const struct ksiginfo *ksi)
{
	struct sigstate *s = t->p->sig;
	struct kaction *a = &s->act[ksi->signo];
	struct pending *q;

	if ((t->sig.mask & sigbit(ksi->signo)) ||
	    a->handler == (uint64_t)(uintptr_t)SIG_IGN) {
		a->handler = (uint64_t)(uintptr_t)SIG_DFL;
		t->sig.mask &= ~sigbit(ksi->signo);
	}
	q = malloc(sizeof(*q));
	if (q == NULL) {
		uproc_exit(t, ksi->signo);
		return;
	}
	q->info = *ksi;
	q->tid = t->tid;
	TAILQ_INSERT_HEAD(&s->queue, q, link);
	s->count++;
}

void
signal_fault(struct uthread *t, int signo, int code, vm_offset_t addr)
{
	const struct ksiginfo ksi = { .signo = signo, .code = code,
		.addr = addr };

	signal_force(t, &ksi);
}

/* ---- the end of a process ---- */

/* The last process leaves the bound directories as the guest wrote them. */
static void
sync_at_end(struct sysstate *ss)
{
	struct uproc *p;

	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		if (!p->exiting)
			return;
	}
	vfs_sync(ss->vfs);
}

void
uproc_exit(struct uthread *t, int wait_status)
{
	struct uproc *p = t->p;
	struct fdtable *fds;

	t->exiting = true;
	if (p->exiting)
		return;
	p->exiting = true;
	p->exit_status = wait_status;
	itimers_free(p);
	signal_wake_all(p, true);
	fds = p->fds;
	p->fds = NULL;
	fdtable_free(fds);
	sync_at_end(p->sys);
}

/* ---- delivery ---- */

static void
put_siginfo(uint8_t out[128], const struct ksiginfo *k)
{
	memset(out, 0, 128);
	memcpy(out, &k->signo, 4);
	memcpy(out + 8, &k->code, 4);
	if (k->code > 0 && (k->signo == SIGSEGV || k->signo == SIGBUS ||
	    k->signo == SIGFPE || k->signo == SIGILL || k->signo == SIGTRAP)) {
		memcpy(out + 16, &k->addr, 8);
		return;
	}
	memcpy(out + 16, &k->pid, 4);
	memcpy(out + 20, &k->uid, 4);
	memcpy(out + 24, &k->addr, 8);
}

static bool
on_altstack(const struct thread_signals *sg, uint64_t sp)
{
	if (sg->stack_flags & AUTODISARM)
		return (false);
	return (sg->stack_size != 0 && sp > sg->stack &&
	    sp - sg->stack <= sg->stack_size);
}

static uint32_t
altstack_flags(const struct thread_signals *sg, uint64_t sp)
{
	if (sg->stack_size == 0)
		return (DISABLE);
	return (on_altstack(sg, sp) ? ONSTACK : 0);
}

/* Registers to the frame. */
static void
save_regs(struct mcontext *mc, const struct cpu_regs *r)
{
	memcpy(mc->r, &r->r[R_R8], sizeof(mc->r));
	mc->rdi = r->r[R_RDI];
	mc->rsi = r->r[R_RSI];
	mc->rbp = r->r[R_RBP];
	mc->rbx = r->r[R_RBX];
	mc->rdx = r->r[R_RDX];
	mc->rax = r->r[R_RAX];
	mc->rcx = r->r[R_RCX];
	mc->rsp = r->r[R_RSP];
	mc->rip = r->rip;
	mc->rflags = r->rflags;
	mc->cs = 0x33;
	mc->ss = 0x2b;
}

/* What the processor would have pushed for a page fault. */
static void
save_fault(struct mcontext *mc, const struct uthread *t,
    const struct ksiginfo *k)
{
	switch (k->signo) {
	case SIGSEGV:
	case SIGBUS:
		if (k->code <= 0 || k->code == SI_KERNEL) {
			mc->trapno = 13;
			return;
		}
		mc->trapno = 14;
		mc->cr2 = k->addr;
		mc->err = 4 | (k->signo == SIGSEGV && k->code == SEGV_ACCERR) |
		    (t->sig.fault_access == VM_PROT_WRITE ? 2 : 0) |
		    (t->sig.fault_access == VM_PROT_EXECUTE ? 16 : 0);
		return;
	case SIGFPE:
		mc->trapno = k->code == FPE_INTDIV ? 0 : 19;
		return;
	case SIGILL:
		mc->trapno = 6;
		return;
	case SIGTRAP:
		mc->trapno = 3;
		return;
	default:
		return;
	}
}

/* Where the frame goes: below the red zone, or on the other stack. */
static uint64_t
frame_top(const struct uthread *t, const struct kaction *a, uint64_t sp)
{
	const struct thread_signals *sg = &t->sig;

	if ((a->flags & SA_ONSTACK) && sg->stack_size != 0 &&
	    !on_altstack(sg, sp))
		return (sg->stack + sg->stack_size);
	return (sp - REDZONE);
}

static void
fill_frame(struct rt_sigframe *f, struct uthread *t, const struct kaction *a,
    const struct ksiginfo *k, const struct cpu_regs *regs, uint64_t fp)
{
	const struct thread_signals *sg = &t->sig;

	memset(f, 0, sizeof(*f));
	f->pretcode = a->restorer;
	f->uc_flags = 6; /* SS is saved, and restored as it is */
	f->uc_stack.sp = sg->stack;
	f->uc_stack.size = sg->stack_size;
	f->uc_stack.flags = altstack_flags(sg, regs->r[R_RSP]);
	save_regs(&f->mc, regs);
	save_fault(&f->mc, t, k);
	f->uc_mask = sg->has_saved ? sg->saved_mask : sg->mask;
	f->mc.oldmask = f->uc_mask;
	f->mc.fpstate = fp;
	put_siginfo(f->info, k);
}

/* The FPU as a handler finds it: as at the start of a program. */
static void
reset_fpu(struct cpu_engine *cpu, struct uthread *t)
{
	uint8_t fx[512];
	const uint16_t fcw = 0x37f;
	const uint32_t mxcsr = 0x1f80;

	memset(fx, 0, sizeof(fx));
	memcpy(fx, &fcw, sizeof(fcw));
	memcpy(fx + 24, &mxcsr, sizeof(mxcsr));
	cpu->ops->set_fpu(cpu, t->ctx, fx);
}

/* Writes the frame; false when the stack is no good. */
static bool
push_frame(struct uthread *t, const struct kaction *a,
    const struct ksiginfo *k, struct cpu_regs *regs, uint64_t *at)
{
	struct uproc *p = t->p;
	struct cpu_engine *cpu = machine_cpu(p->m);
	struct rt_sigframe f;
	uint8_t fx[512];
	uint64_t fp;

	fp = (frame_top(t, a, regs->r[R_RSP]) - sizeof(fx)) & ~63ull;
	*at = ((fp - sizeof(f)) & ~15ull) - 8;
	if (!user_range_ok(*at, sizeof(f)) || !user_range_ok(fp, sizeof(fx)))
		return (false);
	if (on_altstack(&t->sig, regs->r[R_RSP]) &&
	    !on_altstack(&t->sig, *at))
		return (false);
	cpu->ops->get_fpu(cpu, t->ctx, fx);
	memset(fx + 464, 0, 48); /* no extended state follows */
	fill_frame(&f, t, a, k, regs, fp);
	return (vm_copyout(p->sys->vm, p->vs, fp, fx, sizeof(fx)) == 0 &&
	    vm_copyout(p->sys->vm, p->vs, *at, &f, sizeof(f)) == 0);
}

static void
block_for_handler(struct uthread *t, struct kaction *a, int signo)
{
	struct thread_signals *sg = &t->sig;

	sg->mask |= a->mask;
	if (!(a->flags & SA_NODEFER))
		sg->mask |= sigbit(signo);
	sg->mask &= ~unblockable;
	sg->has_saved = false;
	if (sg->stack_flags & AUTODISARM) {
		sg->stack = sg->stack_size = 0;
		sg->stack_flags = 0;
	}
	if (a->flags & SA_RESETHAND)
		a->handler = (uint64_t)(uintptr_t)SIG_DFL;
}

/* The interrupted call once more, from its SYSCALL instruction. */
static void
rewind_call(struct uthread *t, struct cpu_regs *regs)
{
	regs->rip -= 2;
	regs->r[R_RAX] = (uint64_t)t->sig.restart_number;
}

static void
run_handler(struct uthread *t, const struct ksiginfo *k)
{
	struct cpu_engine *cpu = machine_cpu(t->p->m);
	struct kaction *a = &t->p->sig->act[k->signo];
	struct cpu_regs regs;
	uint64_t at;

	cpu->ops->get_regs(cpu, t->ctx, &regs);
	if (t->sig.restart == ERESTARTSYS && (a->flags & SA_RESTART))
		rewind_call(t, &regs);
	t->sig.restart = 0;
	if (!push_frame(t, a, k, &regs, &at)) {
		const struct ksiginfo segv = { .signo = SIGSEGV,
			.code = SI_KERNEL };

		if (k->signo == SIGSEGV)
			uproc_exit(t, SIGSEGV);
		else
			signal_force(t, &segv);
		return;
	}
	regs.r[R_RSP] = at;
	regs.rip = a->handler;
	regs.r[R_RDI] = (uint64_t)k->signo;
	regs.r[R_RSI] = at + offsetof(struct rt_sigframe, info);
	regs.r[R_RDX] = at + offsetof(struct rt_sigframe, uc_flags);
	regs.r[R_RAX] = 0;
	regs.rflags = (regs.rflags & RFLAGS_USER & ~RFLAGS_DF) | RFLAGS_FIXED;
	cpu->ops->set_regs(cpu, t->ctx, &regs);
	reset_fpu(cpu, t);
	block_for_handler(t, a, k->signo);
}

static void
stop_process(struct uproc *p, int signo)
{
	if (p->stopped || p->kill_signal != 0 || p->exiting)
		return;
	p->stopped = true;
	p->stop_signal = signo;
	signal_wake_all(p, false);
	wait_child_stopped(p);
}

/* Until SIGCONT, or the end. */
static void
stay_stopped(struct uthread *t)
{
	struct uproc *p = t->p;

	while (p->stopped && p->kill_signal == 0 && !p->exiting && !t->exiting)
		(void)sim_sleep(p->sys->sim, &p->stopped, STOP_PRI, "stop",
		    SIM_NO_TIMEOUT);
}

/* One signal to its action. */
static void
act_on(struct uthread *t, const struct ksiginfo *k)
{
	uint64_t h = t->p->sig->act[k->signo].handler;

	if (h == (uint64_t)(uintptr_t)SIG_IGN)
		return;
	if (h != (uint64_t)(uintptr_t)SIG_DFL) {
		run_handler(t, k);
		return;
	}
	switch (default_action(k->signo)) {
	case DEFAULT_KILL:
		uproc_exit(t, k->signo);
		break;
	case DEFAULT_STOP:
		stop_process(t->p, k->signo);
		break;
	case DEFAULT_IGNORE:
		break;
	}
}

/* No handler has taken the interrupted call or the temporary mask. */
static void
deliver_end(struct uthread *t)
{
	struct cpu_engine *cpu = machine_cpu(t->p->m);
	struct cpu_regs regs;

	if (t->sig.has_saved) {
		t->sig.mask = t->sig.saved_mask;
		t->sig.has_saved = false;
	}
	if (t->sig.restart == 0)
		return;
	cpu->ops->get_regs(cpu, t->ctx, &regs);
	if (t->sig.restart == ERESTART_RESTARTBLOCK)
		t->sig.restart_number = SYS_restart_syscall;
	rewind_call(t, &regs);
	t->sig.restart = 0;
	cpu->ops->set_regs(cpu, t->ctx, &regs);
}

void
signal_deliver(struct uthread *t)
{
	struct uproc *p = t->p;
	struct pending *q;

	for (;;) {
		struct ksiginfo k;

		if (p->stopped)
			stay_stopped(t);
		if (p->kill_signal != 0 && !p->exiting)
			uproc_exit(t, p->kill_signal);
		if (p->exiting || t->exiting ||
		    (q = next_pending(t, t->sig.mask)) == NULL)
			break;
		k = q->info;
		pending_free(p->sig, q);
		act_on(t, &k);
	}
	if (p->exiting)
		t->exiting = true;
	if (!t->exiting)
		deliver_end(t);
}

/* ---- calls ---- */

int64_t
sys_rt_sigaction(struct sysctx *c)
{
	struct sigstate *s = c->p->sig;
	int signo = (int)c->a[0], error;
	struct kaction new, old;
	struct pending *q, *next;

	if (c->a[3] != SIGSET_BYTES || signo < 1 || signo > NSIG_ ||
	    (c->a[1] != 0 && (sigbit(signo) & unblockable)))
		return (-EINVAL);
	old = s->act[signo];
	if (c->a[1] != 0) {
		error = sys_copyin(c, c->a[1], &new, sizeof(new));
		if (error != 0)
			return (error);
		new.mask &= ~unblockable;
		s->act[signo] = new;
	}
	for (q = TAILQ_FIRST(&s->queue); q != NULL && c->a[1] != 0; q = next) {
		next = TAILQ_NEXT(q, link);
		if (q->info.signo == signo && is_ignored(s, signo))
			pending_free(s, q);
	}
	return (c->a[2] != 0 ?
	    sys_copyout(c, c->a[2], &old, sizeof(old)) : 0);
}

int64_t
sys_rt_sigprocmask(struct sysctx *c)
{
	struct thread_signals *sg = &c->t->sig;
	uint64_t set, old = sg->mask;
	int error;

	if (c->a[3] != SIGSET_BYTES)
		return (-EINVAL);
	if (c->a[1] != 0) {
		error = sys_copyin(c, c->a[1], &set, sizeof(set));
		if (error != 0)
			return (error);
		switch ((int)c->a[0]) {
		case SIG_BLOCK:
			sg->mask |= set;
			break;
		case SIG_UNBLOCK:
			sg->mask &= ~set;
			break;
		case SIG_SETMASK:
			sg->mask = set;
			break;
		default:
			return (-EINVAL);
		}
		sg->mask &= ~unblockable;
	}
	return (c->a[2] != 0 ?
	    sys_copyout(c, c->a[2], &old, sizeof(old)) : 0);
}

int64_t
sys_rt_sigpending(struct sysctx *c)
{
	struct pending *q;
	uint64_t set = 0;

	if (c->a[1] > SIGSET_BYTES)
		return (-EINVAL);
	TAILQ_FOREACH(q, &c->p->sig->queue, link) {
		if (is_for(q, c->t))
			set |= sigbit(q->info.signo);
	}
	set &= c->t->sig.mask;
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
	sg->mask = set & ~unblockable;
	return (0);
}

void
sys_end_temp_mask(struct sysctx *c, bool interrupted)
{
	struct thread_signals *sg = &c->t->sig;

	if (interrupted || !sg->has_saved)
		return; /* the delivery of the signal puts it back */
	sg->mask = sg->saved_mask;
	sg->has_saved = false;
}

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

/* Time to wait in cycles from a struct timespec; 0 stays 0. */
static int
read_wait(struct sysctx *c, vm_offset_t va, bool *forever, uint64_t *cycles)
{
	int64_t ts[2];
	int error;

	*forever = va == 0;
	*cycles = 0;
	if (va == 0)
		return (0);
	error = sys_copyin(c, va, ts, sizeof(ts));
	if (error != 0)
		return (error);
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= 1000000000)
		return (-EINVAL);
	if (ts[0] > 1000000000)
		ts[0] = 1000000000;
	*cycles = sim_ns(c->sim, (uint64_t)ts[0] * 1000000000 +
	    (uint64_t)ts[1]);
	return (0);
}

int64_t
sys_rt_sigtimedwait(struct sysctx *c)
{
	struct thread_signals *sg = &c->t->sig;
	uint64_t set, cycles, end;
	struct pending *q;
	uint8_t info[128];
	bool forever;
	int error, signo;

	if (c->a[3] != SIGSET_BYTES)
		return (-EINVAL);
	error = sys_copyin(c, c->a[0], &set, sizeof(set));
	if (error == 0)
		error = read_wait(c, c->a[2], &forever, &cycles);
	if (error != 0)
		return (error);
	set &= ~unblockable;
	end = sim_now(c->sim) + cycles;
	while ((q = next_pending(c->t, ~set)) == NULL) {
		uint64_t now = sim_now(c->sim);

		if (!forever && now >= end)
			return (-EAGAIN);
		sg->wait_mask = set;
		error = sys_sleep(c, c->t, 104, "sigwait",
		    forever ? SIM_NO_TIMEOUT : end - now);
		sg->wait_mask = 0;
		if (error == -ERESTARTSYS && next_pending(c->t, ~set) == NULL)
			return (-EINTR);
	}
	signo = q->info.signo;
	put_siginfo(info, &q->info);
	pending_free(c->p->sig, q);
	error = c->a[1] != 0 ? sys_copyout(c, c->a[1], info, 128) : 0;
	return (error != 0 ? error : signo);
}

static int
set_altstack(struct uthread *t, const struct kstack *ks, uint64_t sp)
{
	struct thread_signals *sg = &t->sig;
	uint32_t mode = ks->flags & ~AUTODISARM;

	if (on_altstack(sg, sp))
		return (-EPERM);
	if (mode != 0 && mode != ONSTACK && mode != DISABLE)
		return (-EINVAL);
	if (mode == DISABLE) {
		sg->stack = sg->stack_size = 0;
		sg->stack_flags = 0;
		return (0);
	}
	if (ks->size < MINSTACK)
		return (-ENOMEM);
	sg->stack = ks->sp;
	sg->stack_size = ks->size;
	sg->stack_flags = ks->flags & AUTODISARM;
	return (0);
}

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
	old.flags = altstack_flags(sg, sp) | sg->stack_flags;
	if (c->a[0] != 0) {
		error = sys_copyin(c, c->a[0], &new, sizeof(new));
		if (error == 0)
			error = set_altstack(c->t, &new, sp);
		if (error != 0)
			return (error);
	}
	return (c->a[1] != 0 ?
	    sys_copyout(c, c->a[1], &old, sizeof(old)) : 0);
}

static void
restore_regs(struct cpu_regs *r, const struct mcontext *mc)
{
	memcpy(&r->r[R_R8], mc->r, sizeof(mc->r));
	r->r[R_RDI] = mc->rdi;
	r->r[R_RSI] = mc->rsi;
	r->r[R_RBP] = mc->rbp;
	r->r[R_RBX] = mc->rbx;
	r->r[R_RDX] = mc->rdx;
	r->r[R_RAX] = mc->rax;
	r->r[R_RCX] = mc->rcx;
	r->r[R_RSP] = mc->rsp;
	r->rip = mc->rip;
	r->rflags = (mc->rflags & RFLAGS_USER) | RFLAGS_FIXED;
}

static int
restore_fpu(struct sysctx *c, uint64_t fp)
{
	struct cpu_engine *cpu = machine_cpu(c->m);
	uint8_t fx[512];
	uint32_t mxcsr;

	if (fp == 0) {
		reset_fpu(cpu, c->t);
		return (0);
	}
	if (sys_copyin(c, fp, fx, sizeof(fx)) != 0)
		return (-EFAULT);
	memcpy(&mxcsr, fx + 24, sizeof(mxcsr));
	mxcsr &= 0xffff;
	memcpy(fx + 24, &mxcsr, sizeof(mxcsr));
	cpu->ops->set_fpu(cpu, c->t->ctx, fx);
	return (0);
}

int64_t
sys_rt_sigreturn(struct sysctx *c)
{
	const struct ksiginfo segv = { .signo = SIGSEGV, .code = SI_KERNEL };
	struct cpu_engine *cpu = machine_cpu(c->m);
	struct rt_sigframe f;

	c->regs_replaced = true;
	if (sys_copyin(c, c->regs.r[R_RSP] - 8, &f,
	    offsetof(struct rt_sigframe, info)) != 0 ||
	    restore_fpu(c, f.mc.fpstate) != 0) {
		signal_force(c->t, &segv);
		return (0);
	}
	c->t->sig.mask = f.uc_mask & ~unblockable;
	restore_regs(&c->regs, &f.mc);
	cpu->ops->set_regs(cpu, c->t->ctx, &c->regs);
	(void)set_altstack(c->t, &f.uc_stack, c->regs.r[R_RSP]);
	return (0);
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
