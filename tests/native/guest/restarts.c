/* Which calls a handler ends and which go on after it: each with and without
 * SA_RESTART, and after a stop; frames on the other stack. */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ucontext.h>

static int p[2], s[2], ev, lockfd, otherfd, sem, queue, ep, listener, sfd;
static char big[300000];

static volatile int handled;

static void
on_signal(int signo)
{
	(void)signo;
	handled++;
}

/* ---- calls that wait ---- */

static long
read_pipe(void)
{
	char c;

	return (read(p[0], &c, 1));
}

static long
write_pipe(void)
{
	return (write(p[1], big, sizeof(big)) > 0 ? 0 : -1);
}

static long
write_full_pipe(void)
{
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	while (write(p[1], big, 4096) > 0)
		continue;
	fcntl(p[1], F_SETFL, 0);
	return (write(p[1], big, 1));
}

static long
read_socket(void)
{
	char c;

	return (recv(s[0], &c, 1, 0));
}

static long
write_socket(void)
{
	while (send(s[1], big, 4096, MSG_DONTWAIT) > 0)
		continue;
	return (send(s[1], big, 1, 0));
}

static long
limited_socket(void)
{
	struct timeval tv = { 1000, 0 };
	char c;
	long ret;

	setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	ret = recv(s[0], &c, 1, 0);
	tv.tv_sec = 0;
	int error = errno;
	setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	errno = error;
	return (ret);
}

static long
accept_one(void)
{
	return (accept(listener, NULL, NULL));
}

static long
read_event(void)
{
	uint64_t v;

	return (read(ev, &v, 8));
}

static long
read_signals(void)
{
	struct signalfd_siginfo si;

	return (read(sfd, &si, sizeof(si)));
}

static long
open_fifo(void)
{
	return (open("fifo", O_RDONLY));
}

static long
lock_file(void)
{
	return (flock(otherfd, LOCK_EX));
}

static long
lock_range(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return (fcntl(otherfd, F_OFD_SETLKW, &fl));
}

static long
wait_child(void)
{
	return (waitpid(-1, NULL, 0));
}

static long
waitid_child(void)
{
	siginfo_t si;

	return (waitid(P_ALL, 0, &si, WEXITED));
}

static long
futex_wait(void)
{
	static uint32_t word;

	return (syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0));
}

static long
futex_limit(void)
{
	struct timespec ts = { 1000, 0 };
	static uint32_t word;

	return (syscall(SYS_futex, &word, 0, 0, &ts, NULL, 0));
}

static long
sem_wait_one(void)
{
	struct sembuf sb = { 0, -1, 0 };

	return (semop(sem, &sb, 1));
}

static long
receive(void)
{
	char buf[100];

	return (msgrcv(queue, buf, 50, 0, 0));
}

static long
do_pause(void)
{
	return (pause());
}

static long
suspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return (sigsuspend(&none));
}

static long
wait_signal(void)
{
	sigset_t set;
	siginfo_t si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return (sigwaitinfo(&set, &si));
}

static long
sleep_some(void)
{
	struct timespec ts = { 1000, 0 };

	return (nanosleep(&ts, NULL));
}

static long
sleep_until(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 1000;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	return (errno != 0 ? -1 : 0);
}

static long
do_poll(void)
{
	struct pollfd pfd = { p[0], POLLIN, 0 };

	return (poll(&pfd, 1, 1000000));
}

static long
do_ppoll(void)
{
	struct pollfd pfd = { p[0], POLLIN, 0 };
	struct timespec ts = { 1000, 0 };

	return (ppoll(&pfd, 1, &ts, NULL));
}

static long
do_select(void)
{
	struct timeval tv = { 1000, 0 };
	fd_set r;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	return (select(p[0] + 1, &r, NULL, NULL, &tv));
}

static long
do_pselect(void)
{
	struct timespec ts = { 1000, 0 };
	fd_set r;

	FD_ZERO(&r);
	FD_SET(p[0], &r);
	return (pselect(p[0] + 1, &r, NULL, NULL, &ts, NULL));
}

static long
do_epoll(void)
{
	struct epoll_event e;

	return (epoll_wait(ep, &e, 1, 1000000));
}

static const struct wait_call {
	const char *name;
	long (*call)(void);
} calls[] = {
	{ "read of a pipe", read_pipe },
	{ "write to a pipe", write_pipe },
	{ "write to a full pipe", write_full_pipe },
	{ "recv", read_socket },
	{ "send", write_socket },
	{ "recv with a limit", limited_socket },
	{ "accept", accept_one },
	{ "read of a counter", read_event },
	{ "read of signals", read_signals },
	{ "open of a FIFO", open_fifo },
	{ "flock", lock_file },
	{ "fcntl lock", lock_range },
	{ "waitpid", wait_child },
	{ "waitid", waitid_child },
	{ "futex", futex_wait },
	{ "futex with a limit", futex_limit },
	{ "semop", sem_wait_one },
	{ "msgrcv", receive },
	{ "pause", do_pause },
	{ "sigsuspend", suspend },
	{ "sigwaitinfo", wait_signal },
	{ "nanosleep", sleep_some },
	{ "clock_nanosleep", sleep_until },
	{ "poll", do_poll },
	{ "ppoll", do_ppoll },
	{ "select", do_select },
	{ "pselect", do_pselect },
	{ "epoll_wait", do_epoll },
};

static void
make_sources(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	sigset_t set;

	ev = eventfd(0, 0);
	mkfifo("fifo", 0600);
	lockfd = make_file("lock", 10);
	otherfd = open("lock", O_RDWR);
	flock(lockfd, LOCK_EX);
	lockf(lockfd, F_LOCK, 0);
	sem = semget(IPC_PRIVATE, 1, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(listener, (struct sockaddr *)&un, 2);
	listen(listener, 5);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sfd = signalfd(-1, &set, 0);
}

/* What calls leave bytes in is new for each. */
static void
make_pipes(void)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (pipe(p) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, s) != 0)
		exit(1);
	ep = epoll_create1(0);
	epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e);
}

/*
 * A process of its own makes the call; it is interrupted, and what it does
 * after that is what it is killed in, or the error that it reports.
 */
static void
try(const struct wait_call *w, int flags, int signo)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	int out[2], st;
	char text[100] = "";
	pid_t pid;

	if (pipe(out) != 0)
		exit(1);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		const char *end;
		long ret;

		make_pipes();
		sigaction(SIGUSR1, &sa, NULL);
		if (strncmp(w->name, "wait", 4) == 0 && fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		(void)!write(out[1], ".", 1);
		ret = w->call();
		end = ret < 0 ? strerrorname_np(errno) : "done";
		snprintf(text, sizeof(text), "%s, handled %d", end, handled);
		(void)!write(out[1], text, strlen(text));
		_exit(0);
	}
	close(out[1]);
	(void)!read(out[0], text, 1);
	settle(pid);
	kill(pid, signo);
	if (signo == SIGSTOP) {
		waitpid(pid, &st, WUNTRACED);
		kill(pid, SIGCONT);
	}
	settle(pid);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	memset(text, 0, sizeof(text));
	if (read(out[0], text, sizeof(text)) <= 0)
		strcpy(text, "goes on");
	kill(pid, SIGKILL);
	waitpid(pid, &st, 0);
	close(out[0]);
	printf("%s%s: %s\n", w->name, signo == SIGSTOP ? " stopped" :
	    flags ? " with SA_RESTART" : "", text);
}

/* ---- the other stack ---- */

static char stack[65536];
static volatile int depth, inside;

static int
on_it(const volatile char *where)
{
	return (where >= stack && where < stack + sizeof(stack));
}

static void
nested(int signo)
{
	volatile char here;

	inside += on_it(&here);
	if (++depth < 3)
		raise(signo);
	depth--;
}

static void
disarmed(int signo)
{
	volatile char here;
	stack_t ss;

	(void)signo;
	sigaltstack(NULL, &ss);
	printf("inside %d: flags %x", on_it(&here), ss.ss_flags);
	ss = (stack_t) { .ss_sp = stack, .ss_size = sizeof(stack) };
	printf(" %s\n", error_name(sigaltstack(&ss, NULL)));
}

static sigjmp_buf jump;

static void
overflow(int signo, siginfo_t *si, void *uc)
{
	volatile char here;

	(void)uc;
	inside = on_it(&here);
	depth = si->si_code == SEGV_MAPERR || si->si_code == SEGV_ACCERR;
	siglongjmp(jump, signo);
}

static int
recurse(volatile char *up, long n)
{
	volatile char room[4096];

	room[0] = up[0];
	room[4095] = 1;
	return (n == 0 ? 0 : recurse(room, n - 1) + room[0]);
}

static volatile unsigned long flags_seen;

static void
look(int signo, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)signo;
	(void)si;
	flags_seen = (unsigned long)uc->uc_mcontext.gregs[REG_EFL];
	printf("aligned %d, stack of the context %d size %d, link %d\n",
	    ((uintptr_t)__builtin_frame_address(0) & 15) == 0,
	    uc->uc_stack.ss_sp == stack, uc->uc_stack.ss_size ==
	    sizeof(stack), uc->uc_link != NULL);
	/* a mask of the handler's choice */
	sigaddset(&uc->uc_sigmask, SIGWINCH);
}

static void
stacks(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_handler = nested,
		.sa_flags = SA_ONSTACK | SA_NODEFER };
	sigset_t set;
	int st;

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	printf("three deep on it: %d\n", inside);
	sa.sa_handler = disarmed;
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &sa, NULL);
	ss.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
	say("disarm", sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	sigaltstack(NULL, &ss);
	printf("back %d flags %x\n", ss.ss_sp == stack, ss.ss_flags);
	ss = (stack_t) { .ss_sp = stack, .ss_size = sizeof(stack) };
	sigaltstack(&ss, NULL);
	sa.sa_sigaction = look;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, NULL, &set);
	printf("the handler's mask %d\n", sigismember(&set, SIGWINCH));
	/* the stack runs out */
	sa.sa_sigaction = overflow;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigaction(SIGSEGV, &sa, NULL);
	st = sigsetjmp(jump, 1);
	if (st == 0)
		recurse(stack, 1000000);
	printf("overflow: signal %d on it %d code %d\n", st, inside, depth);
	/* and the other one, too */
	fflush(stdout);
	if (fork() == 0) {
		char *end = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		munmap(end, PAGE);
		ss = (stack_t) { .ss_sp = end, .ss_size = 3 * PAGE };
		mprotect(end + PAGE, PAGE, PROT_NONE);
		munmap(end + 2 * PAGE, PAGE);
		sigaltstack(&ss, NULL);
		sa.sa_sigaction = look;
		sigaction(SIGUSR1, &sa, NULL);
		raise(SIGUSR1);
		_exit(1);
	}
	wait(&st);
	printf("no frame: signal %d\n", WTERMSIG(st));
	/* a direction flag is clear in a handler */
	sa.sa_sigaction = look;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &sa, NULL);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	make_sources();
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		try(&calls[i], 0, SIGUSR1);
		try(&calls[i], SA_RESTART, SIGUSR1);
		try(&calls[i], 0, SIGSTOP);
	}
	msgctl(queue, IPC_RMID, NULL);
	semctl(sem, 0, IPC_RMID);
	stacks();
	return (0);
}
