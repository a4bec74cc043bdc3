/* Signals that end sleeps: EINTR, SA_RESTART, masks for the time of a call,
 * timers, stops in mid-sleep. */
#include "guest.h"

#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int *count; /* children see it, too */
static volatile int *stage;
static volatile int last;

static void
on_signal(int signo)
{
	(*count)++;
	last = signo;
}

static void
handle(int signo, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(signo, &sa, NULL);
	*count = 0;
}

static long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
in_ms(long ms, long every)
{
	struct itimerval it = { { 0, every * 1000 }, { 0, ms * 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void
sleeps(void)
{
	struct timespec ts = { 1000, 0 }, left = { 0, 0 };
	long t0;

	handle(SIGALRM, SA_RESTART);
	in_ms(30, 30);
	say("nanosleep", nanosleep(&ts, &left));
	printf("left %d, handled %d\n", left.tv_sec > 0 && left.tv_sec < 1000,
	    *count > 0);
	in_ms(30, 30);
	errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &left);
	say("clock_nanosleep", errno != 0 ? -1 : 0);
	in_ms(10, 10);
	say("pause", pause());
	in_ms(10, 10);
	say("poll", poll(NULL, 0, 1000000));
	in_ms(10, 10);
	say("select", select(0, NULL, NULL, NULL,
	    &(struct timeval){ 1000, 0 }));
	in_ms(0, 0);
	t0 = now_ms();
	say("poll without a signal", poll(NULL, 0, 20));
	printf("waited %d\n", now_ms() - t0 >= 20);
	printf("sleep %u\n", (alarm(0), sleep(0)));
	signal(SIGALRM, SIG_IGN);
	in_ms(10, 10);
	ts = (struct timespec) { 0, 30000000 };
	say("ignored", nanosleep(&ts, NULL));
	in_ms(0, 0);
}

/* Until the parent was interrupted in its call, and is in it again. */
static void
wait_for_signals(void)
{
	int before;

	settle(getppid());
	before = *count;
	UNTIL(*count >= before + 2);
	settle(getppid());
}

static void
reads(void)
{
	int p[2];
	char c;
	pid_t pid;

	if (pipe(p) != 0)
		return;
	handle(SIGALRM, 0);
	in_ms(10, 10);
	say("read", read(p[0], &c, 1));
	handle(SIGALRM, SA_RESTART);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		wait_for_signals();
		(void)!write(p[1], "z", 1);
		_exit(0);
	}
	printf("restarted read %ld", (long)read(p[0], &c, 1));
	printf(" handled %d\n", *count > 0);
	in_ms(0, 0);
	waitpid(pid, NULL, 0);
	fflush(stdout);
	*stage = 0;
	if ((pid = fork()) == 0) {
		UNTIL(*stage == 1);
		wait_for_signals();
		_exit(0);
	}
	handle(SIGALRM, 0);
	in_ms(10, 10);
	say("waitpid", waitpid(pid, NULL, 0));
	handle(SIGALRM, SA_RESTART);
	*stage = 1;
	say("restarted", waitpid(pid, NULL, 0));
	in_ms(0, 0);
	printf("handled %d\n", *count > 0);
}

static void
masks(void)
{
	struct timespec ts = { 1000, 0 };
	sigset_t none, alrm, old;
	siginfo_t si;

	handle(SIGALRM, 0);
	sigemptyset(&none);
	sigemptyset(&alrm);
	sigaddset(&alrm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alrm, &old);
	in_ms(5, 0);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	printf("blocked %d\n", *count);
	say("sigsuspend", sigsuspend(&none));
	printf("handled %d\n", *count);
	in_ms(5, 0);
	say("ppoll", ppoll(NULL, 0, &ts, &none));
	in_ms(5, 0);
	say("pselect", pselect(0, NULL, NULL, NULL, &ts, &none));
	printf("handled %d\n", *count);
	in_ms(5, 0);
	printf("sigtimedwait %d", sigtimedwait(&alrm, &si, &ts));
	printf(" code %d\n", si.si_code == SI_KERNEL || si.si_code == SI_USER);
	ts = (struct timespec) { 0, 5000000 };
	say("sigtimedwait", sigtimedwait(&alrm, &si, &ts));
	kill(getpid(), SIGALRM);
	printf("sigwaitinfo %d", sigwaitinfo(&alrm, &si));
	printf(" mine %d\n", si.si_pid == getpid());
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("handled %d\n", *count);
}

static void
timers(void)
{
	struct itimerval it;
	volatile long x = 0;

	handle(SIGALRM, SA_RESTART);
	in_ms(5, 5);
	while (*count < 4)
		pause();
	getitimer(ITIMER_REAL, &it);
	printf("interval %ld\n", (long)it.it_interval.tv_usec);
	in_ms(0, 0);
	getitimer(ITIMER_REAL, &it);
	printf("off %ld %ld\n", (long)it.it_value.tv_usec,
	    (long)it.it_value.tv_sec);
	printf("alarm %u", alarm(10000));
	printf(" %d", (int)((alarm(5000) + 100) / 1000));
	printf(" %d\n", (int)((alarm(0) + 100) / 1000));
	handle(SIGVTALRM, SA_RESTART);
	it = (struct itimerval) { { 0, 0 }, { 0, 20000 } };
	setitimer(ITIMER_VIRTUAL, &it, NULL);
	while (*count == 0)
		x++;
	printf("virtual: signal %d\n", last == SIGVTALRM);
	handle(SIGPROF, SA_RESTART);
	setitimer(ITIMER_PROF, &it, NULL);
	while (*count == 0)
		x++;
	printf("profile: signal %d\n", last == SIGPROF);
	say("bad timer", setitimer(7, &it, NULL));
	it.it_value.tv_usec = 1000000;
	say("bad value", setitimer(ITIMER_REAL, &it, NULL));
}

/* A sleep goes on after a stop, unless a handler ran. */
static void
stopped_sleep(void)
{
	int st, p[2];
	long t0, ms;
	pid_t pid;
	char c;

	/* one that is too short for a busy host is tried again */
	for (ms = 100;; ms *= 2) {
		struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

		fflush(stdout);
		t0 = now_ms();
		if ((pid = fork()) == 0)
			_exit(nanosleep(&ts, NULL) == 0 ? 7 : 8);
		settle(pid);
		kill(pid, SIGSTOP);
		waitpid(pid, &st, WUNTRACED);
		if (WIFSTOPPED(st))
			break;
	}
	kill(pid, SIGCONT);
	waitpid(pid, &st, 0);
	printf("slept %d, exit %d\n", now_ms() - t0 >= ms, WEXITSTATUS(st));
	if (pipe(p) != 0)
		return;
	/* read is restarted after a stop, too */
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(read(p[0], &c, 1) == 1 ? c : 1);
	settle(pid);
	kill(pid, SIGSTOP);
	waitpid(pid, &st, WUNTRACED);
	kill(pid, SIGCONT);
	settle(pid);
	(void)!write(p[1], "A", 1);
	waitpid(pid, &st, 0);
	printf("read %d\n", WEXITSTATUS(st));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	count = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stage = count + 1;
	sleeps();
	reads();
	masks();
	timers();
	stopped_sleep();
	return (0);
}
