/* Signals within one process: frames, masks, stacks, restarts, exits. */
#include "guest.h"

#include <sys/ucontext.h>
#include <ucontext.h>

static volatile int count, calls, depth, deepest;
static volatile double float_result;
static char stack[65536];

static void
counter(int signo)
{
	count += signo == SIGUSR1 ? 1 : 100;
}

static void
install(int signo, void *fn, int flags)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = (void (*)(int))fn;
	sa.sa_flags = flags;
	sigaction(signo, &sa, NULL);
}

/* ---- masks ---- */

static void
masks(void)
{
	sigset_t set, old;

	install(SIGUSR1, (void *)counter, 0);
	raise(SIGUSR1);
	printf("raised: %d\n", count);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGKILL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	raise(SIGUSR1);
	printf("blocked: %d\n", count);
	sigpending(&set);
	printf("pending: %d %d\n", sigismember(&set, SIGUSR1),
	    sigismember(&set, SIGUSR2));
	sigprocmask(SIG_SETMASK, NULL, &old);
	printf("mask: %d, kill cannot be in it: %d\n",
	    sigismember(&old, SIGUSR1), sigismember(&old, SIGKILL));
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	printf("let in, once: %d\n", count);
	/* an ignored signal is forgotten, even when it was pending */
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	install(SIGUSR1, (void *)counter, 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("forgotten: %d\n", count);
	/* real-time signals queue up */
	install(SIGRTMIN, (void *)counter, 0);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGRTMIN);
	raise(SIGRTMIN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	printf("queued: %d\n", count);
	say("action of kill", sigaction(SIGKILL, &(struct sigaction){
	    .sa_handler = SIG_IGN }, NULL));
	say("action of 65", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
	say("wrong size", syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 4));
}

/* ---- nesting ---- */

static void
nested(int signo)
{
	if (++depth > deepest)
		deepest = depth;
	if (++calls < 5)
		raise(signo);
	depth--;
}

static void
nesting(void)
{
	sigset_t set;

	install(SIGUSR2, (void *)nested, SA_NODEFER);
	raise(SIGUSR2);
	printf("with NODEFER: %d deep\n", deepest);
	calls = depth = deepest = 0;
	install(SIGUSR2, (void *)nested, 0);
	raise(SIGUSR2);
	printf("without: %d deep, %d calls\n", deepest, calls);
	install(SIGUSR2, (void *)counter, SA_RESETHAND);
	raise(SIGUSR2);
	{
		struct sigaction sa;

		sigaction(SIGUSR2, NULL, &sa);
		printf("reset: %d\n", sa.sa_handler == SIG_DFL);
	}
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, NULL, &set);
	printf("mask is back: %d\n", sigismember(&set, SIGUSR2));
}

/* ---- registers and the FPU ---- */

static void
scramble(int signo)
{
	volatile double x = 1.0;

	(void)signo;
	for (int i = 0; i < 20; i++)
		x = x * 1.5 + 2;
	float_result = x;
	__asm__ volatile("pxor %%xmm0,%%xmm0; pxor %%xmm7,%%xmm7;"
	    "pxor %%xmm15,%%xmm15; fninit" : : : "xmm0", "xmm7", "xmm15");
}

static void
registers(void)
{
	unsigned long in[6] = { 1, 2, 3, 4, 5, 6 }, out[6];
	double a = 1.25, b;
	long double c = 3.5L, d;
	unsigned mxcsr = 0x3f80, seen; /* round to nearest, other bits */
	unsigned rounding = 0x5f80;

	install(SIGUSR1, (void *)scramble, 0);
	__asm__ volatile("ldmxcsr %0" : : "m"(rounding));
	raise(SIGUSR1);
	__asm__ volatile("stmxcsr %0" : "=m"(seen));
	printf("rounding kept: %d\n", (seen & 0x6000) == 0x4000);
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	/* tgkill to ourselves with every register in use */
	{
		long pid = getpid(), tid = syscall(SYS_gettid), nr =
		    SYS_tgkill;

		__asm__ volatile(
		    "fldt %[c]\n"
		    "movsd %[a],%%xmm7\n"
		    "mov %[in],%%r12\n"
		    "mov 0(%%r12),%%rbx; mov 8(%%r12),%%r8\n"
		    "mov 16(%%r12),%%r9; mov 24(%%r12),%%r13\n"
		    "mov 32(%%r12),%%r14; mov 40(%%r12),%%r15\n"
		    "syscall\n"
		    "mov %[out],%%r12\n"
		    "mov %%rbx,0(%%r12); mov %%r8,8(%%r12)\n"
		    "mov %%r9,16(%%r12); mov %%r13,24(%%r12)\n"
		    "mov %%r14,32(%%r12); mov %%r15,40(%%r12)\n"
		    "movsd %%xmm7,%[b]\n"
		    "fstpt %[d]\n"
		    : [b] "=m"(b), [d] "=m"(d), "+a"(nr)
		    : [in] "m"(*&(unsigned long *){ in }),
		      [out] "m"(*&(unsigned long *){ out }),
		      "D"(pid), "S"(tid), "d"((long)SIGUSR1), [a] "m"(a),
		      [c] "m"(c)
		    : "rcx", "r11", "rbx", "r8", "r9", "r12", "r13", "r14",
		      "r15", "xmm7", "memory");
		printf("call: %ld, registers: %d, xmm %.2f, x87 %.2Lf\n", nr,
		    memcmp(in, out, sizeof(in)) == 0, b, d);
	}
}

/* ---- handlers that change what they return to ---- */

static void
skip(int signo, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	printf("signal %d code %d, at the instruction: %d\n", signo,
	    si->si_code, si->si_addr ==
	    (void *)uc->uc_mcontext.gregs[REG_RIP]);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 42;
}

static void
unprotect(int signo, siginfo_t *si, void *context)
{
	(void)signo;
	(void)context;
	mprotect((void *)((uintptr_t)si->si_addr & ~(PAGE - 1)), PAGE,
	    PROT_READ | PROT_WRITE);
	count++;
}

static void
changing(void)
{
	long v = 0;
	char *p;

	install(SIGILL, (void *)skip, SA_SIGINFO);
	__asm__ volatile("ud2" : "+a"(v));
	printf("after ud2: %ld\n", v);
	install(SIGFPE, (void *)skip, SA_SIGINFO);
	{
		long a = 1, d = 0;
		int zero = 0;

		__asm__ volatile("div %2" : "+a"(a), "+d"(d) : "r"(zero));
		printf("after division: %ld\n", a);
	}
	count = 0;
	install(SIGSEGV, (void *)unprotect, SA_SIGINFO);
	p = anon(20 * PAGE, PROT_READ);
	for (int i = 0; i < 20; i++)
		p[(size_t)i * PAGE + 99] = (char)i;
	printf("%d faults mended, %d\n", count, p[19 * PAGE + 99]);
}

/* ---- another stack ---- */

static void
on_stack(int signo)
{
	volatile char here;
	stack_t ss;

	(void)signo;
	sigaltstack(NULL, &ss);
	printf("on the other stack: %d, flags %d\n", &here >= stack &&
	    &here < stack + sizeof(stack), ss.ss_flags);
	ss.ss_flags = SS_DISABLE;
	say("change it while in use", sigaltstack(&ss, NULL));
}

static void
stacks(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	say("set", sigaltstack(&ss, NULL));
	install(SIGUSR1, (void *)on_stack, SA_ONSTACK);
	raise(SIGUSR1);
	sigaltstack(NULL, &old);
	printf("outside: flags %d, size kept %d\n", old.ss_flags,
	    old.ss_size == sizeof(stack));
	ss.ss_size = 100;
	say("too small", sigaltstack(&ss, NULL));
	ss.ss_flags = 7;
	say("bad flags", sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	say("disable", sigaltstack(&ss, &old));
	sigaltstack(NULL, &old);
	printf("flags %d\n", old.ss_flags);
}

/* ---- leaving a handler by jumping ---- */

static void
jump(int signo)
{
	(void)signo;
	siglongjmp(guest_jmp, 1);
}

static void
jumping(void)
{
	volatile int n = 0;

	install(SIGFPE, (void *)jump, 0);
	while (n < 10) {
		if (sigsetjmp(guest_jmp, 1) == 0) {
			volatile int zero = 0;

			printf("%d\n", 1 / zero);
		}
		n++;
	}
	printf("%d divisions by zero survived\n", n);
}

/* ---- waiting for signals ---- */

static void
waiting(void)
{
	struct timespec zero = { 0, 0 };
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("nothing there", sigtimedwait(&set, &si, &zero));
	raise(SIGUSR1);
	printf("waited for: %d\n", sigtimedwait(&set, &si, &zero) == SIGUSR1);
	printf("sender: %d, code %d\n", si.si_pid == getpid(), si.si_code);
	install(SIGUSR1, (void *)counter, 0);
	count = 0;
	raise(SIGUSR1);
	sigemptyset(&set);
	say("sigsuspend", sigsuspend(&set));
	printf("handler ran: %d\n", count);
	sigprocmask(SIG_SETMASK, NULL, &set);
	printf("mask is back: %d\n", sigismember(&set, SIGUSR1));
	say("kill 0", kill(getpid(), 0));
	say("kill nobody", kill(99999999, SIGUSR1));
	say("kill with 100", kill(getpid(), 100));
	say("tgkill nobody", syscall(SYS_tgkill, getpid(), 99999999, 1));
}

int
main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	if (argc > 1) {
		/* how to die */
		switch (argv[1][0]) {
		case 'a':
			abort();
		case 's':
			*(volatile char *)8 = 1;
			break;
		case 'd':
			return (*(volatile int *)&argc / (argc - 2));
		case 'i':
			__builtin_trap();
		case 'p': {
			int p[2];

			if (pipe(p) != 0)
				return (1);
			close(p[0]);
			return ((int)write(p[1], "x", 1));
		}
		case 't':
			raise(SIGTERM);
			break;
		case 'k':
			kill(getpid(), SIGKILL);
			break;
		case 'o':
			signal(SIGCHLD, SIG_DFL);
			raise(SIGCHLD);
			raise(SIGWINCH);
			raise(SIGURG);
			raise(SIGCONT);
			return (7);
		}
		return (99);
	}
	masks();
	nesting();
	registers();
	changing();
	stacks();
	jumping();
	waiting();
	return (3);
}
