/*
 * signal_frame.c: handlers: the frame on the user's stack, the return from
 * it, what happens without a handler, and the end of a process.
 *
 * Interface: signal_deliver, uproc_exit of sim/uproc.h, sys_rt_sigreturn,
 * signal_info of sim/syscall_int.h. Source: Linux 6.1 arch/x86 signal frames
 * (struct rt_sigframe with an FXSAVE image) and the rules of restarting
 * calls. Differences: none known.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "sim/signal_int.h"

#define REDZONE 128
#define STOP_PRI 104 /* PPAUSE of FreeBSD 5 */
#define MINSTACK 2048
#define ONSTACK 1u
#define DISABLE 2u
#define AUTODISARM 0x80000000u

/* Flags that user code may have: all but TF, IOPL and the system's. */
#define RFLAGS_USER 0x40cd5ull
#define RFLAGS_FIXED 0x202ull
#define RFLAGS_DF 0x400ull

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
	ptimers_free(p);
	signal_wake_all(p, true);
	fds = p->fds;
	p->fds = NULL;
	fdtable_free(fds);
	sync_at_end(p->sys);
}

/* ---- delivery ---- */

/* Where the kinds of siginfo keep what they tell, in bytes. */
void
signal_info(const struct ksiginfo *k, uint8_t out[128])
{
	memset(out, 0, 128);
	memcpy(out, &k->signo, 4);
	memcpy(out + 8, &k->code, 4);
	if (k->code == SI_TIMER) {
		memcpy(out + 16, &k->timer, 4);
		memcpy(out + 20, &k->overrun, 4);
		memcpy(out + 24, &k->value, 8);
		return;
	}
	if (k->code > 0 && (k->signo == SIGSEGV || k->signo == SIGBUS ||
	    k->signo == SIGFPE || k->signo == SIGILL || k->signo == SIGTRAP)) {
		memcpy(out + 16, &k->addr, 8);
		return;
	}
	memcpy(out + 16, &k->pid, 4);
	memcpy(out + 20, &k->uid, 4);
	if (k->signo == SIGCHLD && k->code > 0) {
		memcpy(out + 24, &k->status, 4);
		memcpy(out + 32, &k->utime, 8);
		memcpy(out + 40, &k->stime, 8);
		return;
	}
	memcpy(out + 24, &k->value, 8);
}

static bool
on_altstack(const struct thread_signals *sg, uint64_t sp)
{
	if (sg->stack_flags & AUTODISARM)
		return (false);
	return (sg->stack_size != 0 && sp > sg->stack &&
	    sp - sg->stack <= sg->stack_size);
}

uint32_t
signal_stack_flags(const struct thread_signals *sg, uint64_t sp)
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
			mc->trapno = k->signo == SIGBUS ? 12 : 13;
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
	f->uc_stack.flags = signal_stack_flags(sg, regs->r[R_RSP]);
	save_regs(&f->mc, regs);
	save_fault(&f->mc, t, k);
	f->uc_mask = sg->has_saved ? sg->saved_mask : sg->mask;
	f->mc.oldmask = f->uc_mask;
	f->mc.fpstate = fp;
	signal_info(k, f->info);
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

	signal_set_mask(t, sg->mask | a->mask |
	    (a->flags & SA_NODEFER ? 0 : SIGBIT(signo)));
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
	struct kaction *a = signal_action(t->p, k->signo);
	struct cpu_regs regs;
	uint64_t at;

	cpu->ops->get_regs(cpu, t->ctx, &regs);
	if ((t->sig.restart == ERESTARTSYS && (a->flags & SA_RESTART)) ||
	    t->sig.restart == ERESTARTNOINTR)
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
	uint64_t h = signal_action(t->p, k->signo)->handler;

	if (h == (uint64_t)(uintptr_t)SIG_IGN)
		return;
	if (h != (uint64_t)(uintptr_t)SIG_DFL) {
		run_handler(t, k);
		return;
	}
	switch (signal_default(k->signo)) {
	case DEFAULT_KILL:
		uproc_exit(t, k->signo);
		break;
	case DEFAULT_STOP:
		/* nobody could continue it */
		if (k->signo == SIGSTOP || !group_is_orphaned(t->p->sys,
		    t->p->pgid, t->p->sid, NULL))
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
		t->sig.has_saved = false;
		signal_set_mask(t, t->sig.saved_mask);
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
	struct ksiginfo k;

	for (;;) {
		if (p->stopped)
			stay_stopped(t);
		if (p->kill_signal != 0 && !p->exiting)
			uproc_exit(t, p->kill_signal);
		if (p->exiting || t->exiting)
			break;
		if (t->sig.told && signal_take(t, ~t->sig.mask, &k)) {
			act_on(t, &k);
			continue;
		}
		/* the mask of before may let in what came meanwhile */
		if (!t->sig.has_saved)
			break;
		deliver_end(t);
	}
	if (p->exiting)
		t->exiting = true;
	if (!t->exiting)
		deliver_end(t);
}

/* ---- coming back ---- */

int
signal_set_stack(struct uthread *t, const struct kstack *ks, uint64_t sp)
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
	signal_set_mask(c->t, f.uc_mask);
	restore_regs(&c->regs, &f.mc);
	cpu->ops->set_regs(cpu, c->t->ctx, &c->regs);
	(void)signal_set_stack(c->t, &f.uc_stack, c->regs.r[R_RSP]);
	return (0);
}
