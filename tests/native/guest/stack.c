/* Semantics 7: the stack grows on demand, to its limit, and is guarded. */
#include "guest.h"

static char altstack[65536];

static volatile int depth_reached;

static __attribute__((noinline)) int
recurse(int depth)
{
	volatile char frame[2000];

	frame[0] = (char)depth;
	frame[1999] = 1;
	if (depth == 0)
		return (frame[1999]);
	return (recurse(depth - 1) + frame[1999]);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static __attribute__((noinline)) void
for_ever(int depth)
{
	volatile char frame[4000];

	frame[0] = 1;
	depth_reached = depth + frame[0] - 1;
	for_ever(depth + 1);
	frame[1] = frame[0];
}

static void
overflow(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	guest_signo = signo;
	guest_code = si->si_code;
	siglongjmp(guest_jmp, 1);
}

int
main(void)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };
	struct sigaction sa;
	struct rlimit rl;
	volatile char here;

	getrlimit(RLIMIT_STACK, &rl);
	printf("recursion: %d\n", recurse(1000));
	printf("again: %d\n", recurse(3000));
	/* a jump over pages in between is growth too */
	*(&here - 1500000) = 5;
	printf("far below: %d\n", *(&here - 1500000));
	printf("between is zero: %d\n", *(&here - 700001));
	sigaltstack(&ss, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = overflow;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigaction(SIGSEGV, &sa, NULL);
	if (sigsetjmp(guest_jmp, 1) == 0)
		for_ever(0);
	printf("overflow: signal %s\n",
	    guest_signo == SIGSEGV ? "SIGSEGV" : "?");
	/* 8 MiB less what is above, frames of 4 KiB and a little */
	printf("depth near the limit: %d\n", rl.rlim_cur == 8u << 20 ?
	    depth_reached > 1900 && depth_reached < 2100 : 1);
	printf("and goes on: %d\n", recurse(100));
	return (0);
}
