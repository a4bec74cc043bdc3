/*
 * pidfd.c: processes as files: opening, poll, signals, waiting, CLONE_PIDFD
 * and another process's descriptors; and sleeping on the clock of the
 * process's CPU time.
 */
#include "guest.h"

#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/wait.h>

static int
pidfd_open_(pid_t pid, unsigned flags)
{
	return ((int)syscall(SYS_pidfd_open, pid, flags));
}

static int
pidfd_send(int fd, int sig, siginfo_t *si, unsigned flags)
{
	return ((int)syscall(SYS_pidfd_send_signal, fd, sig, si, flags));
}

static pid_t
child_that_exits(int when_told, int code)
{
	pid_t pid = fork();
	char c;

	if (pid == 0) {
		while (read(when_told, &c, 1) < 0)
			continue;
		_exit(code);
	}
	return (pid);
}

static void
show_wait(const char *what, int fd, int options)
{
	siginfo_t si;
	int r;

	memset(&si, 0, sizeof(si));
	r = waitid(P_PIDFD, (id_t)fd, &si, options);
	printf("%s: %s, code %d status %d\n", what, error_name(r), si.si_code,
	    si.si_status);
}

static void
lives(void)
{
	struct epoll_event ev = { .events = EPOLLIN }, got;
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	int p[2], ep = epoll_create1(0);
	char c = 'x';
	pid_t pid;

	if (pipe(p) != 0)
		return;
	pid = child_that_exits(p[0], 7);
	pfd.fd = pidfd_open_(pid, 0);
	printf("open: %s, close on exec %d\n", error_name(pfd.fd),
	    fcntl(pfd.fd, F_GETFD));
	printf("poll alive: %d\n", poll(&pfd, 1, 0));
	epoll_ctl(ep, EPOLL_CTL_ADD, pfd.fd, &ev);
	printf("epoll alive: %d\n", epoll_wait(ep, &got, 1, 0));
	say("read", read(pfd.fd, &c, 1));
	say("write", write(pfd.fd, &c, 1));
	show_wait("nobody yet", pfd.fd, WEXITED | WNOHANG);
	say("signal 0", pidfd_send(pfd.fd, 0, NULL, 0));
	if (write(p[1], &c, 1) != 1)
		return;
	printf("epoll: %d\n", epoll_wait(ep, &got, 1, -1));
	poll(&pfd, 1, -1);
	printf("poll: %x\n", (unsigned)pfd.revents);
	say("signal to a zombie", pidfd_send(pfd.fd, SIGTERM, NULL, 0));
	show_wait("left there", pfd.fd, WEXITED | WNOWAIT);
	show_wait("waited", pfd.fd, WEXITED);
	show_wait("again", pfd.fd, WEXITED);
	poll(&pfd, 1, 0);
	/* later ones than 6.1 say POLLHUP too */
	printf("poll: %x\n", (unsigned)pfd.revents & POLLIN);
	say("signal to nobody", pidfd_send(pfd.fd, SIGTERM, NULL, 0));
	say("open again", pidfd_open_(pid, 0));
	close(pfd.fd);
	close(ep);
}

static void
refused(void)
{
	siginfo_t si;
	int null = open("/dev/null", O_RDWR), self;

	self = pidfd_open_(getpid(), 0);
	say("open 0", pidfd_open_(0, 0));
	say("open -1", pidfd_open_(-1, 0));
	say("open nobody", pidfd_open_(99999999, 0));
	say("open flags", pidfd_open_(getpid(), 1));
	say("send to a file", pidfd_send(null, 0, NULL, 0));
	say("send to nothing", pidfd_send(999, 0, NULL, 0));
	say("send flags", pidfd_send(self, 0, NULL, 1u << 31));
	say("send signal 65", pidfd_send(self, 65, NULL, 0));
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	say("send another signal", pidfd_send(self, SIGUSR2, &si, 0));
	show_wait("wait for a file", null, WEXITED);
	show_wait("wait for nothing", 999, WEXITED);
	show_wait("wait for -1", -1, WEXITED);
	show_wait("wait for oneself", self, WEXITED);
	close(null);
	close(self);
}

static void
sends(void)
{
	union sigval value = { .sival_int = 4711 };
	int p[2], fd, dir, self = pidfd_open_(getpid(), 0);
	siginfo_t si, got;
	char name[32];
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say("to oneself", pidfd_send(self, SIGUSR1, NULL, 0));
	sigwaitinfo(&set, &got);
	printf("code %d, from me %d\n", got.si_code, got.si_pid == getpid());
	memset(&si, 0, sizeof(si));
	si.si_signo = SIGUSR1;
	si.si_code = SI_QUEUE;
	si.si_pid = getpid();
	si.si_value = value;
	say("with a value", pidfd_send(self, SIGUSR1, &si, 0));
	sigwaitinfo(&set, &got);
	printf("code %d, value %d\n", got.si_code, got.si_value.sival_int);
	if (pipe(p) != 0)
		return;
	pid = child_that_exits(p[0], 0);
	fd = pidfd_open_(pid, O_NONBLOCK);
	show_wait("must not wait", fd, WEXITED);
	snprintf(name, sizeof(name), "/proc/%d", (int)pid);
	dir = open(name, O_DIRECTORY);
	say("by a directory", pidfd_send(dir, 0, NULL, 0));
	show_wait("wait for it", dir, WEXITED | WNOHANG);
	si.si_code = SI_USER;
	say("as the kernel", pidfd_send(fd, SIGUSR1, &si, 0));
	say("stop", pidfd_send(fd, SIGSTOP, NULL, 0));
	fcntl(fd, F_SETFL, 0);
	show_wait("stopped", fd, WSTOPPED);
	say("kill", pidfd_send(fd, SIGKILL, NULL, 0));
	show_wait("killed", fd, WEXITED);
	say("by a directory of nobody", pidfd_send(dir, 0, NULL, 0));
	close(dir);
	dir = open("/proc", O_DIRECTORY);
	say("by another directory", pidfd_send(dir, 0, NULL, 0));
	close(dir);
	close(fd);
	close(self);
}

static void
clones(void)
{
	struct clone_args ca;
	int fd = -1, r, status;
	pid_t pid;

	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
	if (pid == 0)
		_exit(fcntl(fd, F_GETFD) == -1 ? 3 : 4);
	show_wait("clone", fd, WEXITED);
	memset(&ca, 0, sizeof(ca));
	fd = -1;
	ca.flags = CLONE_PIDFD;
	ca.pidfd = (uintptr_t)&fd;
	ca.exit_signal = SIGCHLD;
	pid = (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
	if (pid == 0)
		_exit(5);
	show_wait("clone3", fd, WEXITED);
	r = (int)syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID |
	    SIGCHLD, 0, &fd, 0, 0);
	if (r == 0)
		_exit(0);
	say("with CLONE_PARENT_SETTID", r);
	ca.pidfd = 8;
	r = (int)syscall(SYS_clone3, &ca, sizeof(ca));
	if (r == 0)
		_exit(0);
	say("to a bad address", r);
	printf("left: %s\n", error_name(wait(&status)));
}

static void
steals(void)
{
	int p[2], told[2], fd, got;
	char buf[8] = "";
	pid_t pid;

	if (pipe(p) != 0 || pipe(told) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		int other[2];

		if (pipe(other) != 0 || dup2(other[0], 77) != 77 ||
		    write(other[1], "secret", 6) != 6 ||
		    write(told[1], "x", 1) != 1)
			_exit(1);
		(void)!read(p[0], buf, 1);
		_exit(0);
	}
	(void)!read(told[0], buf, 1);
	fd = pidfd_open_(pid, 0);
	got = (int)syscall(SYS_pidfd_getfd, fd, 77, 0);
	printf("getfd: %s, close on exec %d\n", error_name(got),
	    fcntl(got, F_GETFD));
	printf("%zd bytes: ", read(got, buf, sizeof(buf)));
	printf("%.6s\n", buf);
	say("getfd of none", syscall(SYS_pidfd_getfd, fd, 78, 0));
	say("getfd flags", syscall(SYS_pidfd_getfd, fd, 77, 1));
	say("getfd of a pipe", syscall(SYS_pidfd_getfd, p[0], 77, 0));
	if (write(p[1], "x", 1) == 1)
		show_wait("it ends", fd, WEXITED);
	say("getfd of nobody", syscall(SYS_pidfd_getfd, fd, 77, 0));
}

/* ---- the clock of CPU time ---- */

static volatile int stop_spinning;

static void *
spin(void *arg)
{
	while (!stop_spinning)
		continue;
	return (arg);
}

static void
on_alarm(int signo)
{
	(void)signo;
}

static double
cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static void
cpu_sleeps(void)
{
	struct timespec ts = { 0, 60000000 }, rem = { 0, 0 };
	struct sigaction sa;
	double before;
	pthread_t t;
	int r;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(50);
	r = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, &rem);
	alarm_each(0);
	printf("alone: %s, nearly all is left %d\n", strerrorname_np(r),
	    rem.tv_sec == 0 && rem.tv_nsec > 30000000 &&
	    rem.tv_nsec <= 60000000);
	pthread_create(&t, NULL, spin, NULL);
	before = cpu_now();
	r = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL);
	printf("beside one that computes: %d, enough %d\n", r,
	    cpu_now() - before >= 0.06);
	before = cpu_now() + 0.05;
	ts.tv_sec = (time_t)before;
	ts.tv_nsec = (long)((before - (double)ts.tv_sec) * 1e9);
	r = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &ts,
	    NULL);
	printf("to a time: %d, enough %d\n", r, cpu_now() >= before - 1e-6);
	stop_spinning = 1;
	pthread_join(t, NULL);
	ts.tv_sec = 0;
	ts.tv_nsec = 1;
	r = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &ts,
	    NULL);
	printf("to the past: %d\n", r);
	r = clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL);
	printf("one's own thread: %s\n", strerrorname_np(r));
	ts.tv_nsec = 1000000000;
	r = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL);
	printf("no time: %s\n", strerrorname_np(r));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	lives();
	refused();
	sends();
	clones();
	steals();
	cpu_sleeps();
	return (0);
}
