/* What children share and inherit by clone's flags; sessions, groups and
 * their orphans; who takes children over; waiting for groups of them; vfork;
 * exec with threads. Run again as a child with the name of a part. */
#include "guest.h"

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>

static char stack[4][65536];
static int fd;
static volatile int seen;

static void
show_status(const char *what, int st)
{
	if (WIFEXITED(st))
		printf("%s: exit %d\n", what, WEXITSTATUS(st));
	else if (WIFSIGNALED(st))
		printf("%s: signal %d\n", what, WTERMSIG(st));
	else if (WIFSTOPPED(st))
		printf("%s: stopped by %d\n", what, WSTOPSIG(st));
	else
		printf("%s: continued\n", what);
}

static void
reap(const char *what, pid_t pid)
{
	int st = -1;

	if (waitpid(pid, &st, __WALL) < 0)
		say(what, -1);
	else
		show_status(what, st);
}

/* ---- clone ---- */

static int
changes(void *arg)
{
	(void)arg;
	if (chdir("sub") != 0)
		return (1);
	umask(0);
	close(fd);
	seen++;
	return (0);
}

static void
cloned(const char *what, int flags)
{
	char cwd[200] = "";
	pid_t pid;

	fd = open("/dev/null", O_RDONLY);
	umask(022);
	seen = 0;
	pid = clone(changes, stack[0] + sizeof(stack[0]), flags, NULL);
	reap(what, pid);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		perror("getcwd");
	printf("directory %d umask %03o file %d memory %d\n",
	    strstr(cwd, "/sub") != NULL, umask(022), fcntl(fd, F_GETFD),
	    seen);
	if (strstr(cwd, "/sub") != NULL && chdir("..") != 0)
		perror("chdir");
	close(fd);
}

/* Not the caller's descriptors any more. */
static int
closes(void *arg)
{
	(void)arg;
	return (close_range((unsigned)fd, ~0u, CLOSE_RANGE_UNSHARE) != 0);
}

static int
breaks(void *arg)
{
	(void)arg;
	*(char **)arg = sbrk(100000);
	memset(*(char **)arg, 7, 100000);
	return (0);
}

static void
sharing(void)
{
	char *before = sbrk(0), *mine = NULL;

	say("mkdir", mkdir("sub", 0755));
	cloned("nothing", SIGCHLD);
	cloned("directory", CLONE_FS | SIGCHLD);
	cloned("files", CLONE_FILES | SIGCHLD);
	cloned("memory", CLONE_VM | SIGCHLD);
	cloned("all", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
	    SIGCHLD);
	fd = open("/dev/null", O_RDONLY);
	reap("unshare", clone(closes, stack[0] + sizeof(stack[0]),
	    CLONE_FILES | CLONE_VM | SIGCHLD, NULL));
	printf("file %d\n", fcntl(fd, F_GETFD));
	close(fd);
	/* one break for one memory */
	reap("break", clone(breaks, stack[0] + sizeof(stack[0]), CLONE_VM |
	    SIGCHLD, &mine));
	printf("break moved %d, bytes %d\n", (char *)sbrk(0) - before ==
	    100000, mine != NULL && mine[99999] == 7);
	char *more = sbrk(50000);
	printf("apart %d zero %d\n", more == before + 100000, more[0]);
	say("bad flags", clone(changes, stack[0] + sizeof(stack[0]),
	    CLONE_THREAD | SIGCHLD, NULL));
	rmdir("sub");
	/* another signal, or none: only __WCLONE finds it */
	signal(SIGUSR2, SIG_IGN);
	pid_t pid = clone(changes, stack[0] + sizeof(stack[0]), SIGUSR2,
	    NULL);
	settle(pid);
	say("not a child of the usual kind", waitpid(pid, NULL, 0));
	say("by its kind", waitpid(pid, NULL, __WCLONE));
	signal(SIGUSR2, SIG_DFL);
}

static void
third(void)
{
	struct clone_args ca;
	pid_t tid = 0;
	long ret;

	memset(&ca, 0, sizeof(ca));
	ca.exit_signal = SIGCHLD;
	ca.flags = CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND;
	ca.parent_tid = (uint64_t)(uintptr_t)&tid;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))(uintptr_t)nap);
	fflush(stdout);
	ret = syscall(SYS_clone3, &ca, sizeof(ca));
	if (ret == 0) {
		struct sigaction sa;

		sigaction(SIGUSR2, NULL, &sa);
		_exit((sa.sa_handler == SIG_DFL) + 2 *
		    (sigaction(SIGUSR1, NULL, &sa),
		    sa.sa_handler == SIG_IGN));
	}
	printf("told %d\n", tid == ret);
	reap("clone3", (pid_t)ret);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	say("small", syscall(SYS_clone3, &ca, 40));
	say("large", syscall(SYS_clone3, &ca, 5000));
	ca.stack_size = 4096;
	say("size without stack", syscall(SYS_clone3, &ca, sizeof(ca)));
	ca.stack_size = 0;
	ca.flags |= CLONE_SIGHAND;
	say("contrary", syscall(SYS_clone3, &ca, sizeof(ca)));
	ca.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	say("a thread's signal", syscall(SYS_clone3, &ca, sizeof(ca)));
	ca.flags = 0;
	ca.exit_signal = 300;
	say("signal", syscall(SYS_clone3, &ca, sizeof(ca)));
	say("address", syscall(SYS_clone3, (void *)8, sizeof(ca)));
}

/* ---- sessions and groups ---- */

static volatile int hups, conts;

static void
on_hup(int signo)
{
	if (signo == SIGHUP)
		hups++;
	else
		conts++;
}

/* In a session of its own, where it is known who can continue whom. */
static void
session(void)
{
	int p[2], st;
	pid_t a, b;
	char buf[4];

	printf("leader %d", setsid() == getpid());
	printf(" group %d", getpgrp() == getpid());
	printf(" session %d\n", getsid(0) == getpid());
	say("twice", setsid());
	say("a leader stays", setpgid(0, 0));
	if ((a = fork()) == 0)
		for (;;)
			pause();
	say("own group", setpgid(a, a));
	printf("group %d\n", getpgid(a) == a);
	if ((b = fork()) == 0)
		for (;;)
			pause();
	say("join", setpgid(b, a));
	say("no such group", setpgid(b, 1));
	say("nobody", setpgid(99999999, 0));
	say("negative", setpgid(b, -5));
	say("stranger", setpgid(getppid(), 0));
	say("group of nobody", getpgid(99999999));
	/* SIGTSTP stops them: their parent could go on */
	kill(-a, SIGTSTP);
	waitpid(a, &st, WUNTRACED);
	show_status("first", st);
	waitpid(-a, &st, WUNTRACED);
	show_status("second", st);
	kill(-a, SIGCONT);
	siginfo_t si;
	for (int i = 0; i < 2; i++)
		say("continued", waitid(P_PGID, (id_t)a, &si, WCONTINUED));
	printf("code %d status %d\n", si.si_code, si.si_status);
	kill(-a, SIGKILL);
	say("by group", waitid(P_PGID, (id_t)a, &si, WEXITED | WNOWAIT));
	printf("code %d status %d\n", si.si_code, si.si_status);
	reap("of the group", -a);
	reap("of the group", -a);
	say("no more", waitpid(-a, &st, 0));
	say("none of ours", waitpid(0, &st, WNOHANG));
	/* a group that is an orphan from the start ignores SIGTSTP */
	fflush(stdout);
	if ((a = fork()) == 0) {
		setsid();
		raise(SIGTSTP);
		raise(SIGTTIN);
		_exit(4);
	}
	reap("not stopped", a);
	/* the parent of a stopped job ends: the job is told */
	say("pipe", pipe(p));
	fflush(stdout);
	if ((a = fork()) == 0) {
		signal(SIGHUP, on_hup);
		signal(SIGCONT, on_hup);
		setpgid(0, 0);
		if (fork() == 0) {
			setpgid(0, 0);
			raise(SIGSTOP);
			buf[0] = (char)('0' + hups);
			buf[1] = (char)('0' + conts);
			(void)!write(p[1], buf, 2);
			_exit(0);
		}
		waitpid(-1, &st, WUNTRACED);
		_exit(WIFSTOPPED(st) ? 5 : 99);
	}
	reap("parent", a);
	close(p[1]);
	printf("told %ld", (long)read(p[0], buf, 4));
	printf(" hups %c conts %c\n", buf[0], buf[1]);
	/* one that is not stopped is not */
	say("pipe", pipe(p));
	fflush(stdout);
	if ((a = fork()) == 0) {
		pid_t was = getpid();

		signal(SIGHUP, on_hup);
		if ((b = fork()) == 0) {
			UNTIL(getppid() != was);
			nap(20);
			buf[0] = (char)('0' + hups);
			(void)!write(p[1], buf, 1);
			_exit(0);
		}
		setpgid(b, b);
		_exit(5);
	}
	reap("parent", a);
	close(p[1]);
	printf("told %ld", (long)read(p[0], buf, 4));
	printf(" hups %c\n", buf[0]);
	/* ignored SIGHUP and a death signal */
	fflush(stdout);
	if ((a = fork()) == 0) {
		if ((b = fork()) == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			nap(1000);
			_exit(1);
		}
		settle(b);
		_exit(0);
	}
	reap("gone", a);
}

/* ---- children of children ---- */

static void
reaper(void)
{
	int st, p[2], v = 0;
	pid_t a, grandchild = 0;

	say("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
	prctl(PR_GET_CHILD_SUBREAPER, &v);
	printf("is one %d\n", v);
	say("pipe", pipe(p));
	fflush(stdout);
	if ((a = fork()) == 0) {
		pid_t was = getpid();

		prctl(PR_GET_CHILD_SUBREAPER, &v);
		if ((grandchild = fork()) == 0) {
			UNTIL(getppid() != was);
			_exit(8 + v);
		}
		(void)!write(p[1], &grandchild, sizeof(grandchild));
		_exit(3);
	}
	(void)!read(p[0], &grandchild, sizeof(grandchild));
	reap("child", a);
	printf("ours %d\n", waitpid(-1, &st, 0) == grandchild);
	show_status("grandchild", st);
	say("none left", waitpid(-1, &st, 0));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(p[0]);
	close(p[1]);
}

static void
statuses(void)
{
	struct rusage ru;
	siginfo_t si;
	pid_t a;
	int st, p[2];
	char c;

	fflush(stdout);
	if ((a = fork()) == 0) {
		volatile char *p = anon(300 * PAGE, PROT_READ | PROT_WRITE);

		for (int i = 0; i < 300; i++)
			p[i * 4096] = 1;
		_exit(0x1234);
	}
	printf("pid %d", wait4(a, &st, 0, &ru) == a);
	printf(" exit %d faults %d\n", WEXITSTATUS(st), ru.ru_minflt >= 300);
	say("pipe", pipe(p));
	if ((a = fork()) == 0) {
		raise(SIGSTOP);
		_exit(read(p[0], &c, 1) != 1);
	}
	say("stopped", waitid(P_PID, (id_t)a, &si, WSTOPPED | WNOWAIT));
	say("still so", waitid(P_PID, (id_t)a, &si, WSTOPPED));
	printf("code %d status %d\n", si.si_code, si.si_status);
	si.si_pid = 7;
	say("told", waitid(P_PID, (id_t)a, &si, WSTOPPED | WNOHANG));
	printf("pid %d\n", si.si_pid);
	kill(a, SIGCONT);
	say("goes on", waitid(P_PID, (id_t)a, &si, WCONTINUED | WEXITED));
	printf("code %d status %d\n", si.si_code, si.si_status);
	(void)!write(p[1], "x", 1);
	say("ends", waitid(P_ALL, 0, &si, WEXITED));
	printf("code %d status %d\n", si.si_code, si.si_status);
	/* a zombie keeps its number, and takes signals */
	if ((a = fork()) == 0)
		_exit(0);
	waitid(P_PID, (id_t)a, &si, WEXITED | WNOWAIT);
	say("kill", kill(a, SIGKILL));
	say("group", getpgid(a) == getpgrp() ? 0 : -1);
	reap("zombie", a);
	say("kill", kill(a, SIGKILL));
	say("options", waitid(P_PID, (id_t)a, &si, WEXITED | 0x40000));
	say("min", waitpid(INT32_MIN, &st, 0));
}

/* ---- vfork, exec ---- */

static volatile int shared;
static char self[300];

static void
vforks(void)
{
	volatile int local = 1;
	pid_t a;
	char *argv[] = { self, (char *)"argv", NULL };

	a = vfork();
	if (a == 0) {
		local = 2;
		shared = 5;
		_exit(6);
	}
	printf("memory is one: %d %d\n", local, shared);
	reap("vfork", a);
	a = vfork();
	if (a == 0) {
		execv(self, argv);
		_exit(99);
	}
	reap("exec", a);
	a = vfork();
	if (a == 0) {
		execv("/does/not/exist", argv);
		_exit(errno == ENOENT ? 7 : 99);
	}
	reap("no such program", a);
	/* the child is killed before it does either */
	a = vfork();
	if (a == 0) {
		kill(getpid(), SIGKILL);
		_exit(99);
	}
	reap("killed", a);
	printf("spawn %d\n", posix_spawn(&a, self, NULL, NULL, argv, NULL));
	reap("spawned", a);
	printf("spawn %s\n", strerrorname_np(posix_spawn(&a, "/nothing", NULL,
	    NULL, argv, NULL)));
}

static void *
execer(void *arg)
{
	(void)arg;
	nap(5);
	execl(self, self, "thread", (char *)NULL);
	perror("execl");
	return (NULL);
}

static void *
sleeper(void *arg)
{
	(void)arg;
	for (;;)
		nap(1000);
	return (NULL);
}

static void *
forker(void *arg)
{
	(void)arg;
	pid_t a = fork();

	if (a == 0) {
		/* alone, and the first thread of its process */
		_exit(getpid() == syscall(SYS_gettid) ? 11 : 99);
	}
	return ((void *)(long)a);
}

static void
threads(void)
{
	pthread_t t[3];
	void *r;
	pid_t a;

	pthread_create(&t[0], NULL, forker, NULL);
	pthread_join(t[0], &r);
	reap("fork in a thread", (pid_t)(long)r);
	fflush(stdout);
	if ((a = fork()) == 0) {
		char pid[20];

		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("PID", pid, 1);
		for (int i = 0; i < 2; i++)
			pthread_create(&t[i], NULL, sleeper, NULL);
		pthread_create(&t[2], NULL, execer, NULL);
		for (;;)
			pause();
	}
	reap("exec in a thread", a);
	fflush(stdout);
	if ((a = fork()) == 0) {
		for (int i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, sleeper, NULL);
		nap(3);
		exit(12);
	}
	reap("exit with threads asleep", a);
	fflush(stdout);
	if ((a = fork()) == 0) {
		for (int i = 0; i < 3; i++)
			pthread_create(&t[i], NULL, sleeper, NULL);
		nap(3);
		pthread_kill(t[1], SIGTERM);
		for (;;)
			pause();
	}
	reap("a thread's signal ends all", a);
}

static void
exec_state(void)
{
	sigset_t set;
	stack_t ss = { .ss_sp = stack[1], .ss_size = sizeof(stack[1]) };
	pid_t a;

	fflush(stdout);
	if ((a = fork()) == 0) {
		int keep = open("/dev/null", O_RDONLY);
		int lost = open("/dev/null", O_RDONLY | O_CLOEXEC);
		char text[40];

		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(SIGUSR2);
		signal(SIGUSR1, SIG_IGN);
		signal(SIGTERM, on_hup);
		sigaltstack(&ss, NULL);
		alarm(1000);
		umask(0123);
		snprintf(text, sizeof(text), "%d %d", keep, lost);
		execl(self, self, "state", text, (char *)NULL);
		_exit(99);
	}
	reap("state", a);
}

/* The program again: what did exec leave? */
static int
again(int argc, char **argv)
{
	struct sigaction sa;
	sigset_t set;
	stack_t ss;
	int keep = 0, lost = 0;

	if (strcmp(argv[1], "argv") == 0)
		return (argc == 2 ? 9 : 99);
	if (strcmp(argv[1], "thread") == 0)
		return (atoi(getenv("PID")) == getpid() && getpid() ==
		    syscall(SYS_gettid) ? 10 : 99);
	sscanf(argv[2], "%d %d", &keep, &lost);
	printf("kept %d", fcntl(keep, F_GETFD));
	printf(" lost %d", fcntl(lost, F_GETFD));
	sigprocmask(SIG_SETMASK, NULL, &set);
	printf(" blocked %d %d", sigismember(&set, SIGUSR2),
	    sigismember(&set, SIGHUP));
	sigpending(&set);
	printf(" pending %d", sigismember(&set, SIGUSR2));
	sigaction(SIGUSR1, NULL, &sa);
	printf(" ignored %d", sa.sa_handler == SIG_IGN);
	sigaction(SIGTERM, NULL, &sa);
	printf(" reset %d", sa.sa_handler == SIG_DFL);
	sigaltstack(NULL, &ss);
	printf(" stack %d", ss.ss_flags);
	printf(" alarm %d", alarm(0) > 900);
	printf(" umask %o\n", umask(0));
	return (13);
}

int
main(int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return (1);
	if (argc > 1)
		return (again(argc, argv));
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	sharing();
	third();
	fflush(stdout);
	if (fork() == 0) {
		session();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	reaper();
	statuses();
	vforks();
	threads();
	exec_state();
	return (0);
}
