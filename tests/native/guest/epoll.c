/* epoll over pipes, counters, timers, signals and socket pairs: level, edge,
 * once; order, limits, nesting, errors. */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static int ep;

static int
add(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	return (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
}

static int
mod(int fd, uint32_t events, uint64_t data)
{
	struct epoll_event ev = { .events = events, .data.u64 = data };

	return (epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
}

static void
show(const char *what, int most, int ms)
{
	struct epoll_event ev[16];
	int n = epoll_wait(ep, ev, most, ms);

	printf("%s:", what);
	if (n < 0)
		printf(" %s", strerrorname_np(errno));
	for (int i = 0; i < n; i++)
		printf(" %lu=%x", ev[i].data.u64, ev[i].events);
	printf("\n");
}

static void
errors(void)
{
	int p[2], file = make_file("file", 10);
	struct epoll_event ev = { .events = EPOLLIN };

	say("create 0", epoll_create(0));
	say("create1 bad", epoll_create1(1));
	say("pipe", pipe(p));
	say("file", add(file, EPOLLIN, 1));
	say("itself", add(ep, EPOLLIN, 1));
	say("no descriptor", add(99, EPOLLIN, 1));
	say("not a set", epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
	say("no event", epoll_ctl(ep, EPOLL_CTL_ADD, p[0], NULL));
	say("bad op", epoll_ctl(ep, 9, p[0], &ev));
	say("mod", mod(p[0], EPOLLIN, 1));
	say("del", epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
	say("add", add(p[0], EPOLLIN, 1));
	say("twice", add(p[0], EPOLLIN, 1));
	int d = dup(p[0]);
	say("another number", add(d, EPOLLIN, 2));
	say("wait 0", epoll_wait(ep, &ev, 0, 0));
	say("wait on a pipe", epoll_wait(p[0], &ev, 1, 0));
	say("wait nowhere", epoll_wait(98, &ev, 1, 0));
	say("bad buffer", syscall(SYS_epoll_wait, ep, 8, 1, 0));
	(void)!write(p[1], "x", 1);
	show("both", 16, 0);
	close(d);
	show("the file is still open", 16, 0);
	close(p[0]);
	show("gone", 16, 0);
	close(p[1]);
	close(file);
}

static void
modes(void)
{
	char buf[8192];
	int p[2];

	say("pipe", pipe2(p, O_NONBLOCK));
	say("add", add(p[0], EPOLLIN, 1));
	say("add", add(p[1], EPOLLOUT | EPOLLET, 2));
	show("writable, once", 16, 0);
	show("nothing", 16, 0);
	(void)!write(p[1], "abc", 3);
	show("level", 16, 0);
	show("level", 16, 0);
	(void)!read(p[0], buf, 1);
	show("level", 16, 0);
	(void)!read(p[0], buf, 10);
	show("empty", 16, 0);
	say("edge", mod(p[0], EPOLLIN | EPOLLET, 1));
	(void)!write(p[1], "abc", 3);
	show("edge", 16, 0);
	show("no more", 16, 0);
	(void)!write(p[1], "abc", 3);
	show("again", 16, 0);
	(void)!read(p[0], buf, 1);
	show("reading is none", 16, 0);
	say("mod looks", mod(p[0], EPOLLIN | EPOLLET, 1));
	show("edge", 16, 0);
	say("once", mod(p[0], EPOLLIN | EPOLLONESHOT, 1));
	show("once", 16, 0);
	(void)!write(p[1], "abc", 3);
	show("asleep", 16, 0);
	say("again", mod(p[0], EPOLLIN | EPOLLONESHOT, 7));
	show("once", 16, 0);
	while (read(p[0], buf, sizeof(buf)) > 0)
		continue;
	/* full, and room again */
	while (write(p[1], buf, sizeof(buf)) > 0)
		continue;
	show("full", 16, 0);
	(void)!read(p[0], buf, 100);
	show("a page is not free yet", 16, 0);
	(void)!read(p[0], buf, 4096);
	show("room", 16, 0);
	say("interest in nothing", mod(p[1], 0, 3));
	show("nothing", 16, 0);
	close(p[0]);
	show("errors all the same", 16, 0);
	close(p[1]);
}

static void
order(void)
{
	int p[5][2];
	char c;

	for (int i = 0; i < 5; i++) {
		say("pipe", pipe(p[i]));
		add(p[i][0], EPOLLIN, (uint64_t)i);
	}
	for (int i = 4; i >= 0; i--)
		(void)!write(p[i][1], "x", 1);
	show("as they came", 16, 0);
	show("two", 2, 0);
	show("the next two", 2, 0);
	show("round", 2, 0);
	(void)!read(p[3][0], &c, 1);
	show("rest", 16, 0);
	(void)!write(p[3][1], "x", 1);
	show("all", 16, 0);
	for (int i = 0; i < 5; i++) {
		close(p[i][1]);
		(void)!read(p[i][0], &c, 1);
	}
	show("hung up", 16, 0);
	for (int i = 0; i < 5; i++)
		close(p[i][0]);
}

static void
sources(void)
{
	struct itimerspec it = { { 0, 20000000 }, { 0, 20000000 } };
	int e = eventfd(0, EFD_NONBLOCK), t, s, sp[2];
	struct signalfd_siginfo si;
	sigset_t set;
	uint64_t v = 1;
	char c;

	add(e, EPOLLIN | EPOLLOUT | EPOLLET, 10);
	show("counter", 16, 0);
	(void)!write(e, &v, 8);
	show("counter", 16, 0);
	(void)!read(e, &v, 8);
	show("counter", 16, 0);
	close(e);
	t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	add(t, EPOLLIN, 11);
	show("timer off", 16, 0);
	timerfd_settime(t, 0, &it, NULL);
	show("timer", 16, -1);
	show("timer unread", 16, 0);
	nap(90);
	printf("read %ld", (long)read(t, &v, 8));
	printf(" several %d\n", v >= 4);
	printf("read %d\n", EVENTUALLY(read(t, &v, 8) < 0 &&
	    errno == EAGAIN));
	show("timer", 16, -1);
	close(t);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	add(s, EPOLLIN, 12);
	show("no signal", 16, 0);
	say("read", read(s, &si, sizeof(si)));
	raise(SIGUSR1);
	show("signal", 16, 0);
	say("short", read(s, &si, 100));
	printf("read %ld", (long)read(s, &si, sizeof(si)));
	printf(" %u %d mine %d\n", si.ssi_signo, si.ssi_code,
	    si.ssi_pid == (uint32_t)getpid());
	show("no signal", 16, 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		settle(getppid());
		_exit(42);
	}
	show("child", 16, -1);
	(void)!read(s, &si, sizeof(si));
	printf("child %u code %d status %d pid %d\n", si.ssi_signo,
	    si.ssi_code, si.ssi_status, si.ssi_pid == (uint32_t)pid);
	waitpid(pid, NULL, 0);
	close(s);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, sp));
	add(sp[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 13);
	show("pair", 16, 0);
	(void)!write(sp[1], "x", 1);
	show("data", 16, 0);
	(void)!write(sp[1], "x", 1);
	show("more", 16, 0);
	shutdown(sp[1], SHUT_WR);
	show("end", 16, 0);
	(void)!read(sp[0], &c, 1);
	close(sp[1]);
	show("closed", 16, 0);
	close(sp[0]);
}

static volatile int count;

static void
on_signal(int signo)
{
	(void)signo;
	count++;
}

static void *
waker(void *arg)
{
	settle(getpid());
	(void)!write(*(int *)arg, "x", 1);
	return (NULL);
}

static void
waits(void)
{
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	struct epoll_event ev;
	struct timespec t0, t1, wait = { 0, 15000000 };
	sigset_t none, blocked;
	pthread_t t;
	int p[2];

	say("pipe", pipe(p));
	add(p[0], EPOLLIN, 20);
	pthread_create(&t, NULL, waker, &p[1]);
	show("from a thread", 16, -1);
	pthread_join(t, NULL);
	(void)!read(p[0], &ev, 1);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	show("time is over", 16, 15);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	printf("waited %d\n", (t1.tv_sec - t0.tv_sec) * 1000000000 +
	    t1.tv_nsec - t0.tv_nsec >= 15000000);
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(10);
	show("a signal", 16, -1);
	alarm_each(0);
	printf("handled %d\n", count > 0);
	count = 0;
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGALRM);
	say("pwait lets it in", epoll_pwait(ep, &ev, 1, -1, &none));
	printf("handled %d\n", count);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	printf("blocked again %d\n", sigismember(&blocked, SIGALRM));
	sigprocmask(SIG_SETMASK, &none, NULL);
	say("pwait2", !kernel_has(5, 11) ? 0 : syscall(SYS_epoll_pwait2, ep,
	    &ev, 1, &wait, NULL, 8));
	/* a child shares the set */
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		(void)!write(p[1], "y", 1);
		_exit(epoll_wait(ep, &ev, 1, -1) == 1 ? (int)ev.data.u64 :
		    99);
	}
	int st;
	waitpid(pid, &st, 0);
	printf("child %d\n", WEXITSTATUS(st));
	show("here too", 16, 0);
	close(p[0]);
	close(p[1]);
}

static void
nesting(void)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 30 };
	int chain[8], p[2], inner = epoll_create1(EPOLL_CLOEXEC);
	struct pollfd pfd = { ep, POLLIN, 0 };

	say("pipe", pipe(p));
	say("inner", epoll_ctl(inner, EPOLL_CTL_ADD, p[0], &ev));
	say("outer", add(inner, EPOLLIN, 31));
	ev.data.u64 = 32;
	say("loop", epoll_ctl(inner, EPOLL_CTL_ADD, ep, &ev));
	show("nothing", 16, 0);
	printf("poll %d\n", poll(&pfd, 1, 0));
	(void)!write(p[1], "x", 1);
	printf("poll %d", poll(&pfd, 1, 0));
	printf(" %x\n", pfd.revents);
	show("through the inner one", 16, 0);
	(void)!read(p[0], &ev, 1);
	printf("poll %d\n", poll(&pfd, 1, 0));
	show("nothing", 16, 0);
	close(inner);
	for (int i = 0; i < 8; i++)
		chain[i] = epoll_create1(0);
	for (int i = 0; i < 7; i++)
		say("chain", epoll_ctl(chain[i], EPOLL_CTL_ADD, chain[i + 1],
		    &ev));
	for (int i = 0; i < 8; i++)
		close(chain[i]);
	close(p[0]);
	close(p[1]);
}

/* More than a buffer of 64 KB holds, all at once and in parts. */
static void
many(void)
{
	static struct epoll_event ev[7000];
	const struct rlimit more = { 7000, 7000 };
	int set = epoll_create1(0), event = eventfd(1, 0), fd, n = 0;

	say("limit", setrlimit(RLIMIT_NOFILE, &more));
	for (int i = 0; i < 6000; i++) {
		fd = dup(event);
		ev[0].events = EPOLLIN;
		ev[0].data.fd = i;
		if (fd < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, ev) != 0)
			break;
		n++;
	}
	printf("%d of 6000, ready: %d\n", n, epoll_wait(set, ev, 7000, 0));
	printf("the last is %d\n", ev[n - 1].data.fd);
	printf("some: %d\n", epoll_wait(set, ev, 5, 0));
	printf("next: %d\n", ev[0].data.fd);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	ep = epoll_create1(0);
	say("create", ep);
	errors();
	modes();
	order();
	sources();
	waits();
	nesting();
	many();
	return (0);
}
