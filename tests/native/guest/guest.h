/*
 * guest.h: for programs whose output must be the same on the host and in
 * vmsim: results are printed as names of errors and of what a page holds,
 * never as addresses or times.
 */
#ifndef VMSIM_TESTS_GUEST_H
#define VMSIM_TESTS_GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul

static sigjmp_buf guest_jmp;
static volatile int guest_signo, guest_code;
static void *volatile guest_addr;

static inline void
guest_handler(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	guest_signo = signo;
	guest_code = si->si_code;
	guest_addr = si->si_addr;
	siglongjmp(guest_jmp, 1);
}

static inline void
catch_faults(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = guest_handler;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* 0, or the signal that the access gave. */
static inline int
try_read(const volatile void *p)
{
	guest_signo = 0;
	if (sigsetjmp(guest_jmp, 1) == 0)
		(void)*(const volatile char *)p;
	return (guest_signo);
}

static inline int
try_write(volatile void *p, char c)
{
	guest_signo = 0;
	if (sigsetjmp(guest_jmp, 1) == 0)
		*(volatile char *)p = c;
	return (guest_signo);
}

static inline const char *
signal_name(int signo)
{
	switch (signo) {
	case 0:
		return ("none");
	case SIGSEGV:
		return (guest_code == SEGV_MAPERR ? "SEGV_MAPERR" :
		    guest_code == SEGV_ACCERR ? "SEGV_ACCERR" : "SIGSEGV?");
	case SIGBUS:
		return (guest_code == BUS_ADRERR ? "BUS_ADRERR" : "SIGBUS?");
	default:
		return ("other");
	}
}

static inline const char *
error_name(long ret)
{
	return (ret < 0 ? strerrorname_np(errno) : "ok");
}

static inline void
say(const char *what, long ret)
{
	printf("%s: %s\n", what, error_name(ret));
}

static inline void
say_map(const char *what, const void *p)
{
	say(what, p == MAP_FAILED ? -1 : 0);
}

static inline void
say_fault(const char *what, int signo)
{
	printf("%s: %s\n", what, signal_name(signo));
}

static inline char *
anon(size_t n, int prot)
{
	char *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return (p);
}

/* n pages of free address space between two that are taken. */
static inline char *
hole(size_t n)
{
	char *p = anon((n + 2) * PAGE, PROT_NONE);

	munmap(p + PAGE, n * PAGE);
	return (p + PAGE);
}

/* A file of `size` bytes: byte i is 'a' + i / PAGE, modulo 26. */
static inline int
make_file(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	char c;

	if (fd < 0) {
		perror(name);
		exit(1);
	}
	for (size_t i = 0; i < size; i += PAGE) {
		static char buf[PAGE];
		size_t k = size - i < PAGE ? size - i : PAGE;

		c = (char)('a' + i / PAGE % 26);
		memset(buf, c, sizeof(buf));
		if (write(fd, buf, k) != (ssize_t)k) {
			perror(name);
			exit(1);
		}
	}
	return (fd);
}

#endif
