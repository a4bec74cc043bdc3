/* Which signal comes first and what it says: numbers, values, queues,
 * threads, actions in common, masks that change hands. */
#include "guest.h"

#include <pthread.h>
#include <sched.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static volatile int seen[64], nseen;
static siginfo_t infos[64];

static void
note(int signo, siginfo_t *si, void *uc)
{
	(void)uc;
	infos[nseen] = *si;
	seen[nseen++] = signo;
}

static void
handle(int signo, int flags, const sigset_t *mask)
{
	struct sigaction sa = { .sa_sigaction = note,
		.sa_flags = SA_SIGINFO | flags };

	if (mask != NULL)
		sa.sa_mask = *mask;
	sigaction(signo, &sa, NULL);
}

static void
show(const char *what)
{
	printf("%s:", what);
	for (int i = 0; i < nseen; i++)
		printf(" %d", seen[i] >= SIGRTMIN ? 1000 + seen[i] -
		    SIGRTMIN : seen[i]);
	printf("\n");
	nseen = 0;
}

static void
order(void)
{
	int signos[] = { SIGUSR2, SIGRTMIN + 2, SIGHUP, SIGRTMIN, SIGUSR1,
		SIGCHLD, SIGTERM };
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		handle(signos[i], 0, &all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		kill(getpid(), signos[i]);
	kill(getpid(), SIGRTMIN);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show("smallest first, handlers that block all");
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		handle(signos[i], SA_NODEFER, NULL);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		kill(getpid(), signos[i]);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show("handlers on top of each other");
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		handle(signos[i], 0, &all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	kill(getpid(), SIGHUP);
	raise(SIGUSR2);
	kill(getpid(), SIGUSR1);
	raise(SIGTERM);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show("the thread's before the process's");
}

static void
values(void)
{
	union sigval v = { .sival_int = 77 };
	struct timespec zero = { 0, 0 };
	struct signalfd_siginfo si[4];
	sigset_t set, none;
	siginfo_t info;
	int fd, n;

	handle(SIGRTMIN + 1, 0, NULL);
	handle(SIGUSR1, 0, NULL);
	say("queue", sigqueue(getpid(), SIGRTMIN + 1, v));
	printf("code %d value %d mine %d own %d\n", infos[0].si_code,
	    infos[0].si_value.sival_int, infos[0].si_pid == getpid(),
	    infos[0].si_uid == getuid());
	nseen = 0;
	say("nobody", sigqueue(99999999, SIGUSR1, v));
	say("number", sigqueue(getpid(), 65, v));
	say("nothing", sigqueue(getpid(), 0, v));
	memset(&info, 0, sizeof(info));
	info.si_code = SI_USER;
	say("forged", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1,
	    &info));
	info.si_code = 5;
	info.si_value.sival_int = 5;
	say("to itself", syscall(SYS_rt_tgsigqueueinfo, getpid(),
	    syscall(SYS_gettid), SIGUSR1, &info));
	printf("code %d\n", infos[0].si_code);
	nseen = 0;
	sigemptyset(&set);
	sigemptyset(&none);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 5; i++) {
		v.sival_int = i;
		sigqueue(getpid(), SIGRTMIN + 1, v);
		sigqueue(getpid(), SIGUSR1, v);
	}
	printf("waited %d", sigtimedwait(&set, &info, &zero) == SIGUSR1);
	printf(" %d\n", info.si_value.sival_int);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	n = (int)(read(fd, si, sizeof(si)) / (ssize_t)sizeof(si[0]));
	for (int i = 0; i < n; i++)
		printf("%d: rt %d int %d code %d\n", i, si[i].ssi_signo ==
		    (uint32_t)SIGRTMIN + 1, si[i].ssi_int, si[i].ssi_code);
	sigprocmask(SIG_SETMASK, &none, NULL);
	show("the last one");
	printf("value %d\n", infos[0].si_value.sival_int);
	close(fd);
	/* a child's end */
	handle(SIGCHLD, SA_RESTART, NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(9);
	waitpid(pid, NULL, 0);
	printf("child %d code %d status %d\n", infos[0].si_pid == pid,
	    infos[0].si_code, infos[0].si_status);
	nseen = 0;
	signal(SIGCHLD, SIG_DFL);
}

/* ---- threads ---- */

static pthread_t main_thread;
static volatile int took_main, took_other, ready, stop;
static volatile pid_t begun;

static void
who(int signo)
{
	(void)signo;
	if (pthread_equal(pthread_self(), main_thread))
		took_main++;
	else
		took_other++;
}

static void *
other(void *arg)
{
	(void)arg;
	ready = 1;
	UNTIL(stop);
	return (NULL);
}

static void *
blocker(void *arg)
{
	sigset_t set;
	int signo = 0;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	begun = gettid();
	sigwait(&set, &signo);
	return ((void *)(long)signo);
}

static void
threads(void)
{
	struct sigaction sa = { .sa_handler = who, .sa_flags = SA_RESTART };
	sigset_t set, old;
	pthread_t t;
	void *r;

	main_thread = pthread_self();
	sigaction(SIGUSR1, &sa, NULL);
	pthread_create(&t, NULL, other, NULL);
	UNTIL(ready);
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGUSR1);
		UNTIL(took_main + took_other > i);
	}
	printf("main %d other %d\n", took_main, took_other);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	UNTIL(took_other > 0);
	printf("blocked here: main %d other %d\n", took_main, took_other);
	pthread_kill(t, SIGUSR1);
	UNTIL(took_other > 1);
	printf("to that one: main %d other %d\n", took_main, took_other);
	raise(SIGUSR1);
	nap(5);
	printf("to this one: main %d other %d\n", took_main, took_other);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	printf("let in: main %d other %d\n", took_main, took_other);
	stop = 1;
	pthread_join(t, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	pthread_create(&t, NULL, blocker, NULL);
	UNTIL(begun != 0);
	settle_thread(getpid(), begun);
	kill(getpid(), SIGUSR2);
	pthread_join(t, &r);
	printf("sigwait got %d\n", (long)r == SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- actions in common ---- */

static char stack[65536];

static int
child(void *arg)
{
	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	return (0);
}

static void
common(void)
{
	struct sigaction sa;
	int st;
	pid_t pid;

	handle(SIGUSR1, 0, NULL);
	pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND |
	    SIGCHLD, NULL);
	waitpid(pid, &st, 0);
	sigaction(SIGUSR1, NULL, &sa);
	printf("common: ignored %d\n", sa.sa_handler == SIG_IGN);
	handle(SIGUSR1, 0, NULL);
	pid = clone(child, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	waitpid(pid, &st, 0);
	sigaction(SIGUSR1, NULL, &sa);
	printf("own: ignored %d\n", sa.sa_handler == SIG_IGN);
	say("without memory", clone(child, stack + sizeof(stack),
	    CLONE_SIGHAND | SIGCHLD, NULL));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	order();
	values();
	threads();
	common();
	return (0);
}
