/* Timers by number, timers as files, CPU clocks, limits of CPU time. */
#include "guest.h"

#include <pthread.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile int count, blocks;
static volatile siginfo_t last;

static void
on_timer(int signo, siginfo_t *si, void *uc)
{
	if (blocks)
		sigaddset(&((ucontext_t *)uc)->uc_sigmask, signo);
	memcpy((void *)(uintptr_t)&last, si, sizeof(last));
	count++;
}

static long
now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static timer_t
make(clockid_t clock, int notify, int signo)
{
	struct sigevent se;
	timer_t t = NULL;

	memset(&se, 0, sizeof(se));
	se.sigev_notify = notify;
	se.sigev_signo = signo;
	se.sigev_value.sival_int = 55;
	se._sigev_un._tid = (int)syscall(SYS_gettid);
	if (timer_create(clock, &se, &t) != 0)
		say("timer_create", -1);
	return (t);
}

static int
set_ms(timer_t t, long ms, long every, int flags)
{
	struct itimerspec it = { { every / 1000, every % 1000 * 1000000 },
		{ ms / 1000, ms % 1000 * 1000000 } };

	count = 0;
	return (timer_settime(t, flags, &it, NULL));
}

/* A timer's signals, let in for one at a time. */
static void
missed(timer_t t)
{
	struct timespec zero = { 0, 0 };
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &old);
	say("every", set_ms(t, 10, 10, 0));
	nap(100);
	blocks = 1;
	sigprocmask(SIG_SETMASK, &old, NULL);
	blocks = 0;
	printf("signals %d missed %d\n", count,
	    last.si_overrun >= 7 && timer_getoverrun(t) == last.si_overrun);
	say("off", set_ms(t, 0, 0, 0));
	while (sigtimedwait(&set, NULL, &zero) > 0)
		continue;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void
by_number(void)
{
	struct sigaction sa = { .sa_sigaction = on_timer,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerspec it;
	timer_t t, other;
	long t0;

	sigaction(SIGRTMIN, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	t = make(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN);
	t0 = now_ms(CLOCK_MONOTONIC);
	say("once", set_ms(t, 20, 0, 0));
	UNTIL(count != 0);
	printf("waited %d code %d value %d overrun %d\n",
	    now_ms(CLOCK_MONOTONIC) - t0 >= 20, last.si_code,
	    last.si_value.sival_int, last.si_overrun);
	timer_gettime(t, &it);
	printf("off %ld %ld\n", (long)it.it_value.tv_nsec,
	    (long)it.it_interval.tv_nsec);
	say("every", set_ms(t, 5, 5, 0));
	while (count < 4)
		pause();
	timer_gettime(t, &it);
	printf("interval %ld, running %d\n", (long)it.it_interval.tv_nsec,
	    it.it_value.tv_nsec > 0);
	set_ms(t, 0, 0, 0);
	/* blocked for a while: one signal, and how many were missed */
	missed(t);
	/* at a time */
	it = (struct itimerspec) { { 0, 0 }, { 0, 1 } };
	count = 0;
	say("in the past", timer_settime(t, TIMER_ABSTIME, &it, NULL));
	UNTIL(count != 0);
	printf("at once %d\n", count);
	say("delete", timer_delete(t));
	t = make(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN);
	clock_gettime(CLOCK_REALTIME, &it.it_value);
	it.it_value.tv_sec += 1000;
	say("later", timer_settime(t, TIMER_ABSTIME, &it, NULL));
	timer_gettime(t, &it);
	printf("no later %d\n", it.it_value.tv_sec > 900 &&
	    it.it_value.tv_sec <= 1000);
	say("old one", timer_settime(t, 0, &(struct itimerspec) {
	    { 0, 0 }, { 0, 0 } }, &it));
	printf("had %d\n", it.it_value.tv_sec > 900);
	say("delete", timer_delete(t));
	/* to a thread, and to nobody */
	t = make(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGRTMIN);
	set_ms(t, 3, 0, 0);
	UNTIL(count != 0);
	printf("to the thread: %d\n", count);
	other = make(CLOCK_MONOTONIC, SIGEV_NONE, 0);
	set_ms(other, 1000000, 0, 0);
	timer_gettime(other, &it);
	printf("counts down %d\n", it.it_value.tv_sec > 900);
	set_ms(other, 3, 0, 0);
	nap(6);
	timer_gettime(other, &it);
	printf("over %ld %d\n", (long)it.it_value.tv_nsec, count);
	timer_delete(t);
	timer_delete(other);
	/* the default event */
	say("default", timer_create(CLOCK_MONOTONIC, NULL, &t));
	set_ms(t, 3, 0, 0);
	UNTIL(count != 0);
	printf("signal %d\n", last.si_signo);
	/* a child has none */
	set_ms(t, 10, 10, 0);
	fflush(stdout);
	if (fork() == 0) {
		int st;

		count = 0;
		nap(50);
		st = count != 0;
		_exit(st + 2 * (timer_delete(t) == 0));
	}
	int st;
	waitpid(-1, &st, 0);
	printf("child %d\n", WEXITSTATUS(st));
	/* ignored, and then not */
	signal(SIGALRM, SIG_IGN);
	nap(10);
	sigaction(SIGALRM, &sa, NULL);
	count = 0;
	printf("ignored, then not %d\n", EVENTUALLY(count > 0));
	timer_delete(t);
	say("no such clock", timer_create(99, NULL, &t));
	struct sigevent se = { .sigev_notify = 77 };
	say("no such event", timer_create(CLOCK_MONOTONIC, &se, &t));
	se.sigev_notify = SIGEV_SIGNAL;
	se.sigev_signo = 99;
	say("no such signal", timer_create(CLOCK_MONOTONIC, &se, &t));
	say("no such timer", syscall(SYS_timer_settime, 12345, 0, &it, NULL));
	say("bad time", syscall(SYS_timer_gettime, 12345, &it));
}

static volatile int fired;

static void
notify(union sigval v)
{
	fired += v.sival_int;
}

/* glibc's own thread waits for the signal. */
static void
by_thread(void)
{
	struct itimerspec it = { { 0, 0 }, { 0, 5000000 } };
	struct sigevent se;
	timer_t t;

	memset(&se, 0, sizeof(se));
	se.sigev_notify = SIGEV_THREAD;
	se.sigev_notify_function = notify;
	se.sigev_value.sival_int = 3;
	say("create", timer_create(CLOCK_REALTIME, &se, &t));
	say("set", timer_settime(t, 0, &it, NULL));
	UNTIL(fired != 0);
	printf("fired %d\n", fired);
	say("delete", timer_delete(t));
}

static void
spin(clockid_t clock, long ms)
{
	long end = now_ms(clock) + ms;

	while (now_ms(clock) < end)
		continue;
}

static void *
spinner(void *arg)
{
	(void)arg;
	spin(CLOCK_THREAD_CPUTIME_ID, 30);
	return (NULL);
}

static long
ms_of(const struct rusage *ru)
{
	return (ru->ru_utime.tv_sec * 1000 + ru->ru_utime.tv_usec / 1000 +
	    ru->ru_stime.tv_sec * 1000 + ru->ru_stime.tv_usec / 1000);
}

static long
used_ms(int who)
{
	struct rusage ru;

	getrusage((__rusage_who_t)who, &ru);
	return (ms_of(&ru));
}

static void
cpu_time(void)
{
	struct sigaction sa = { .sa_sigaction = on_timer,
		.sa_flags = SA_SIGINFO | SA_RESTART };
	timer_t t = make(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN);
	clockid_t clock, mine;
	struct timespec ts;
	pthread_t th;
	long c0, c1;

	sigaction(SIGRTMIN, &sa, NULL);
	c0 = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	set_ms(t, 30, 0, 0);
	nap(60);
	printf("asleep %d\n", count);
	while (count == 0)
		continue;
	printf("awake %d\n", now_ms(CLOCK_PROCESS_CPUTIME_ID) - c0 >= 29);
	timer_delete(t);
	t = make(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN);
	c0 = now_ms(CLOCK_THREAD_CPUTIME_ID);
	set_ms(t, 20, 0, 0);
	pthread_create(&th, NULL, spinner, NULL);
	pthread_join(th, NULL);
	printf("another's time %d\n", count);
	while (count == 0)
		continue;
	printf("own %d\n", now_ms(CLOCK_THREAD_CPUTIME_ID) - c0 >= 20);
	timer_delete(t);
	say("clock of a process", clock_getcpuclockid(0, &clock) != 0 ? -1 :
	    clock_gettime(clock, &ts));
	say("of me", clock_getcpuclockid(getpid(), &clock) != 0 ? -1 : 0);
	c0 = now_ms(CLOCK_PROCESS_CPUTIME_ID);
	c1 = now_ms(clock);
	printf("same %d\n", c0 <= c1 && c1 <=
	    now_ms(CLOCK_PROCESS_CPUTIME_ID));
	pthread_getcpuclockid(pthread_self(), &mine);
	c0 = now_ms(CLOCK_THREAD_CPUTIME_ID);
	c1 = now_ms(mine);
	printf("thread %d\n", c0 <= c1 && c1 <=
	    now_ms(CLOCK_THREAD_CPUTIME_ID));
	errno = clock_getcpuclockid(99999999, &clock);
	printf("nobody %s\n", strerrorname_np(errno));
	printf("rusage agrees %d\n", EVENTUALLY(labs(used_ms(RUSAGE_SELF) -
	    now_ms(CLOCK_PROCESS_CPUTIME_ID)) < 30));
	c0 = used_ms(RUSAGE_THREAD);
	printf("the thread's is less %d\n", c0 < used_ms(RUSAGE_SELF));
}

/* A child that computes until its limit ends it. */
static void
cpu_limit(rlim_t soft, rlim_t hard, int ignore)
{
	struct rlimit rl = { soft, hard };
	struct rusage ru;
	int st;

	fflush(stdout);
	if (fork() == 0) {
		if (ignore)
			signal(SIGXCPU, SIG_IGN);
		setrlimit(RLIMIT_CPU, &rl);
		for (volatile long i = 0;; i++)
			continue;
	}
	wait4(-1, &st, 0, &ru);
	/* Linux counts ticks against the limit: on a busy host half as many or
	 * twice as many as the time that it then tells */
	printf("limit %ld %ld: signal %d in time %d\n", (long)soft,
	    (long)hard, WTERMSIG(st), ms_of(&ru) > (long)soft * 300 &&
	    ms_of(&ru) < (long)soft * 5000);
}

static void
files(void)
{
	struct itimerspec it = { { 0, 0 }, { 0, 10000000 } }, old;
	int t = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
	uint64_t v;
	long t0, most;

	say("create", t);
	printf("cloexec %d\n", fcntl(t, F_GETFD));
	t0 = now_ms(CLOCK_MONOTONIC);
	say("set", timerfd_settime(t, 0, &it, NULL));
	printf("read %ld", (long)read(t, &v, 8));
	printf(" %lu waited %d\n", v, now_ms(CLOCK_MONOTONIC) - t0 >= 10);
	timerfd_gettime(t, &it);
	printf("off %ld\n", (long)it.it_value.tv_nsec);
	it.it_value.tv_nsec = it.it_interval.tv_nsec = 5000000;
	t0 = now_ms(CLOCK_MONOTONIC);
	say("set", timerfd_settime(t, 0, &it, &old));
	printf("was %ld\n", (long)old.it_value.tv_nsec);
	nap(28);
	timerfd_gettime(t, &it);
	printf("runs %d\n", it.it_value.tv_nsec > 0 &&
	    it.it_value.tv_nsec <= 5000000);
	(void)!read(t, &v, 8);
	/* and no more than there was time for */
	most = (now_ms(CLOCK_MONOTONIC) - t0) / 5 + 2;
	printf("several %d\n", v >= 5 && (long)v <= most);
	t0 = now_ms(CLOCK_MONOTONIC);
	clock_gettime(CLOCK_REALTIME, &it.it_value);
	it.it_value.tv_sec -= 1;
	it.it_interval.tv_nsec = 100000000;
	say("in the past", timerfd_settime(t, TFD_TIMER_ABSTIME, &it, NULL));
	(void)!read(t, &v, 8);
	most = (now_ms(CLOCK_MONOTONIC) - t0) / 100 + 12;
	printf("ten %d\n", v >= 10 && (long)v <= most);
	it.it_value.tv_nsec = 1000000000;
	say("bad time", timerfd_settime(t, 0, &it, NULL));
	say("bad flags", timerfd_settime(t, 8, &old, NULL));
	say("bad clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	say("not a timer", timerfd_gettime(0, &it));
	say("closed", timerfd_gettime(77, &it));
	close(t);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	by_number();
	by_thread();
	cpu_time();
	cpu_limit(1, 3, 0);
	cpu_limit(1, 1, 1);
	files();
	return (0);
}
