/*
 * cpu_nomem.c: the end of the emulator when the host has no memory for it.
 *
 * Interface: cpu.h (cpu_catch_no_memory).
 * Source:    Unicorn 2's translator, which takes what calloc() gives it
 *            without a look, and so stores near address 0 when that is NULL.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <ucontext.h>
#include <unistd.h>

#include "sim/cpu.h"

/* No larger structure of Unicorn's is ever missing; nothing of ours lies as
 * low. */
#define NEAR_NULL (1u << 20)

static bool
in_unicorn(const ucontext_t *uc)
{
#if defined(__x86_64__)
	uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	Dl_info info;

	return (dladdr((const void *)pc, &info) != 0 &&
	    info.dli_fname != NULL &&
	    strstr(info.dli_fname, "libunicorn") != NULL);
#else
	(void)uc;
	return (false);
#endif
}

/* Any other fault happens again when this returns, and is what it was. */
static void
no_memory(int signo, siginfo_t *si, void *context)
{
	static const char text[] =
	    "vmsim: the host gives no more memory, "
	    "here for the emulator; simulate less, or raise its limit "
	    "(ulimit -v)\n";

	if (si->si_code <= 0) { /* somebody sent it */
		(void)raise(signo);
		return;
	}
	if ((uintptr_t)si->si_addr >= NEAR_NULL || !in_unicorn(context))
		return;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EX_OSERR);
}

void
cpu_catch_no_memory(void)
{
	struct sigaction sa = { .sa_sigaction = no_memory,
		.sa_flags = SA_SIGINFO | (int)SA_RESETHAND },
			 old;

	if (sigaction(SIGSEGV, NULL, &old) == 0 &&
	    (old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL)
		sigaction(SIGSEGV, &sa, NULL);
}
