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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul

/* Certain on any host, however busy: a state is waited for, never a time. What
 * does not come in a minute, at the least, never will. */
#define UNTIL(condition)						\
	do {								\
		int tries_ = 0;						\
									\
		while (!(condition)) {					\
			if (++tries_ == 60000)				\
				never(#condition);			\
			nap(1);						\
		}							\
	} while (0)

/* 1, or 0 if it does not become true: what is measured while a busy host gives
 * this process no time is measured again. */
#define EVENTUALLY(condition)						\
	__extension__ ({						\
		int tries_ = 0;						\
									\
		while (!(condition) && ++tries_ < 5000)			\
			nap(1);						\
		tries_ < 5000;						\
	})

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

static inline void
nap(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) != 0)
		continue;
}

static inline void
never(const char *what)
{
	fprintf(stderr, "never: %s\n", what);
	_exit(97);
}

/* R, S, T, Z as in proc(5), of one thread; X if it is no more. */
static inline char
task_state(pid_t pid, pid_t tid)
{
	char path[60], text[200];
	const char *s;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	s = strrchr(text, ')');
	return (s != NULL ? s[2] : 'X');
}

/*
 * Until a thread sleeps. It has said before that nothing is between it and the
 * call that is to wait, or there is nothing else that it could wait for.
 */
static inline void
settle_thread(pid_t pid, pid_t tid)
{
	UNTIL(strchr("SZX", task_state(pid, tid)) != NULL);
}

/* The same of a child with one thread. */
static inline void
settle(pid_t pid)
{
	settle_thread(pid, pid);
}

/* SIGALRM each so many ms, 0 for no more: a call that has none yet waits for
 * the next one. */
static inline void
alarm_each(long ms)
{
	struct itimerval it = { { 0, ms * 1000 }, { 0, ms * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

/* Is the kernel that new? What older ones lack is not asked of them. */
static inline int
kernel_has(int major, int minor)
{
	struct utsname u;
	int a = 0, b = 0;

	uname(&u);
	sscanf(u.release, "%d.%d", &a, &b);
	return (a > major || (a == major && b >= minor));
}

/* Pages are touched one by one, whatever the host's policy. */
__attribute__((constructor)) static void
small_pages(void)
{
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
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
