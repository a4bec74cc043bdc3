/*
 * fork, exec, wait: what a parent learns of its children, what they inherit.
 * Run again as its own child with the name of a part.
 */
#include "guest.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

static volatile int chld;

static void
on_chld(int signo)
{
	(void)signo;
	chld++;
}

static void
show_status(const char *what, int st)
{
	if (WIFEXITED(st))
		printf("%s: exit %d\n", what, WEXITSTATUS(st));
	else if (WIFSIGNALED(st))
		printf("%s: signal %d\n", what, WTERMSIG(st));
	else if (WIFSTOPPED(st))
		printf("%s: stopped by %d\n", what, WSTOPSIG(st));
	else if (WIFCONTINUED(st))
		printf("%s: continued\n", what);
	else
		printf("%s: %#x\n", what, st);
}

static void
reap(const char *what, pid_t pid)
{
	int st = -1;

	if (waitpid(pid, &st, 0) != pid)
		say(what, -1);
	else
		show_status(what, st);
}

static void
statuses(void)
{
	pid_t pid;
	int p[2], st, signos[] = { SIGKILL, SIGTERM, SIGUSR1, SIGSEGV, SIGABRT };

	say("nobody", waitpid(-1, &st, 0));
	say("nobody, waitid", waitid(P_ALL, 0, NULL, WEXITED));
	for (int i = 0; i < 3; i++) {
		if ((pid = fork()) == 0)
			_exit(i * 100 + 300);
		reap("exit", pid);
	}
	for (unsigned i = 0; i < sizeof(signos) / sizeof(signos[0]); i++) {
		if ((pid = fork()) == 0) {
			signal(SIGTERM, SIG_DFL);
			raise(signos[i]);
			_exit(99);
		}
		reap("killed", pid);
	}
	if ((pid = fork()) == 0) {
		*(volatile int *)16 = 1;
		_exit(1);
	}
	reap("wild store", pid);
	say("pipe", pipe(p));
	if ((pid = fork()) == 0)
		_exit(read(p[0], &st, 1) == 1 ? 5 : 99);
	printf("not yet %d\n", waitpid(pid, &st, WNOHANG));
	say("not a child", waitpid(getppid(), &st, 0));
	(void)!write(p[1], "x", 1);
	reap("later", pid);
	close(p[0]);
	close(p[1]);
	say("bad options", waitpid(-1, &st, 0x40));
}

static void
show_info(const char *what, siginfo_t *si, pid_t pid)
{
	printf("%s: signo %d code %d status %d pid %d own %d\n", what,
	    si->si_signo, si->si_code, si->si_status, si->si_pid == pid,
	    si->si_uid == getuid());
}

static void
with_waitid(void)
{
	siginfo_t si;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(17);
	say("look", waitid(P_PID, pid, &si, WEXITED | WNOWAIT));
	show_info("look", &si, pid);
	say("take", waitid(P_ALL, 0, &si, WEXITED));
	show_info("take", &si, pid);
	say("gone", waitid(P_PID, pid, &si, WEXITED));
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	memset(&si, 1, sizeof(si));
	say("none yet", waitid(P_PID, pid, &si, WEXITED | WNOHANG));
	printf("pid %d\n", si.si_pid);
	kill(pid, SIGSTOP);
	say("stop", waitid(P_PID, pid, &si, WSTOPPED));
	show_info("stop", &si, pid);
	kill(pid, SIGCONT);
	say("go on", waitid(P_PID, pid, &si, WCONTINUED));
	show_info("go on", &si, pid);
	kill(pid, SIGSTOP);
	reap("wait without WUNTRACED", (kill(pid, SIGKILL), pid));
	say("no events", waitid(P_PID, pid, &si, 0));
	say("bad kind", waitid(77, pid, &si, WEXITED));
}

static void
stops(void)
{
	int st, p[2], q[2];
	pid_t pid;
	char c;

	if (pipe(p) != 0 || pipe(q) != 0 || (pid = fork()) == 0) {
		raise(SIGSTOP); /* SIGTSTP is lost on an orphaned group */
		c = 'c';
		(void)!write(p[1], &c, 1);
		_exit(read(q[0], &c, 1) == 1 ? 3 : 99);
	}
	waitpid(pid, &st, WUNTRACED);
	show_status("stop", st);
	printf("again %d\n", waitpid(pid, &st, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	waitpid(pid, &st, WCONTINUED);
	show_status("cont", st);
	(void)!read(p[0], &c, 1);
	printf("%c\n", c);
	(void)!write(q[1], &c, 1);
	reap("end", pid);
	/* a stopped one dies of SIGKILL at once, of SIGTERM when it goes on */
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	waitpid(pid, &st, WUNTRACED);
	kill(pid, SIGTERM);
	printf("still there %d\n", waitpid(pid, &st, WNOHANG));
	kill(pid, SIGCONT);
	reap("term", pid);
}

static void
sigchld(void)
{
	struct sigaction sa = { .sa_handler = on_chld };
	sigset_t set, old;
	pid_t pid;
	int st;

	sigaction(SIGCHLD, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (int i = 0; i < 3; i++) {
		siginfo_t si;

		if ((pid = fork()) == 0)
			_exit(0);
		waitid(P_PID, pid, &si, WEXITED | WNOWAIT);
	}
	printf("blocked %d\n", chld);
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("merged %d\n", chld);
	for (int i = 0; i < 3; i++)
		if (wait(&st) < 0)
			perror("wait");
	/* the parent's own wait is interrupted without SA_RESTART */
	if ((pid = fork()) == 0) {
		if (fork() == 0)
			_exit(0);
		wait(NULL);
		nap(10);
		_exit(0);
	}
	say("wait", waitpid(pid, &st, 0) == pid ? 0 : -1);
	/* ignored: no zombies, wait until all are gone */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			nap(5);
			_exit(1);
		}
	say("ignored", wait(&st));
	sa.sa_handler = SIG_DFL;
	sa.sa_flags = SA_NOCLDWAIT;
	sigaction(SIGCHLD, &sa, NULL);
	if (fork() == 0)
		_exit(1);
	say("no zombies", wait(&st));
	signal(SIGCHLD, SIG_DFL);
}

static void
inheritance(void)
{
	static char *shared, *private;
	int fd = make_file("inherit", 100), st;
	pid_t pid;
	char buf[4];

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private = anon(PAGE, PROT_READ | PROT_WRITE);
	strcpy(shared, "before");
	strcpy(private, "before");
	lseek(fd, 10, SEEK_SET);
	umask(027);
	if (chdir("/usr") != 0)
		perror("chdir");
	alarm(100);
	if ((pid = fork()) == 0) {
		char cwd[100];

		printf("child: %s %s %s %o alarm %d\n", shared, private,
		    getcwd(cwd, sizeof(cwd)), umask(0), alarm(0));
		strcpy(shared, "after");
		strcpy(private, "after");
		lseek(fd, 50, SEEK_SET);
		if (chdir("/") != 0)
			_exit(1);
		fflush(stdout);
		_exit(0);
	}
	reap("child", pid);
	printf("parent: %s %s offset %ld alarm %d\n", shared, private,
	    (long)lseek(fd, 0, SEEK_CUR), alarm(0) > 90);
	printf("umask %o\n", umask(022));
	st = read(fd, buf, 4);
	printf("read %d\n", st);
	close(fd);
}

/* One that runs another program is left in its group. */
static void
group_of_program(void)
{
	char c;
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) != 0)
		return;
	if ((pid = fork()) == 0) {
		execl("/bin/sleep", "sleep", "100", NULL);
		_exit(1);
	}
	close(p[1]);
	printf("executed %zd\n", read(p[0], &c, 1));
	close(p[0]);
	say("group of a program", setpgid(pid, pid));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
groups(void)
{
	pid_t a, b, c;
	int st;

	setpgid(0, 0);
	if ((a = fork()) == 0)
		for (;;)
			pause();
	setpgid(a, a);
	if ((b = fork()) == 0)
		for (;;)
			pause();
	say("join", setpgid(b, a));
	if ((c = fork()) == 0)
		for (;;)
			pause();
	say("no such group", setpgid(c, 999999));
	say("negative", setpgid(c, -1));
	printf("groups %d %d\n", getpgid(b) == a, getpgid(c) == getpgrp());
	say("group", kill(-a, SIGTERM));
	st = 0;
	for (int i = 0; i < 2; i++) {
		pid_t pid = waitpid(-a, &st, 0);

		printf("%d ", pid == a || pid == b);
		show_status("member", st);
	}
	say("no members", waitpid(-a, &st, 0));
	say("nobody there", kill(-a, 0));
	say("alive", kill(c, 0));
	kill(c, SIGKILL);
	printf("own group %d\n", waitpid(0, &st, 0) == c);
	say("gone", kill(c, 0));
	group_of_program();
	if ((a = fork()) == 0) {
		printf("setsid %d", setsid() == getpid());
		printf(" %d %d\n", getpgrp() == getpid(),
		    getsid(0) == getpid());
		say("again", setsid());
		fflush(stdout);
		_exit(0);
	}
	reap("session", a);
}

/* The orphan's pipe closes only when it has ended. */
static void
orphans(void)
{
	int p[2], st;
	pid_t pid;
	char c = 0;

	if (pipe(p) != 0)
		return;
	if ((pid = fork()) == 0) {
		pid_t was = getpid(); /* it may end before the orphan runs */

		if (fork() == 0) {
			close(p[0]);
			while (getppid() == was)
				nap(1);
			c = getppid() == 1 ? '1' : 'o';
			(void)!write(p[1], &c, 1);
			_exit(0);
		}
		nap(5);
		_exit(0);
	}
	close(p[1]);
	reap("parent", pid);
	(void)!read(p[0], &c, 1);
	printf("orphan has another parent: %d\n", c == '1' || c == 'o');
	printf("end of file %ld\n", (long)read(p[0], &c, 1));
	say("not mine", waitpid(-1, &st, WNOHANG));
	/* PR_SET_PDEATHSIG */
	if (pipe(p) != 0)
		return;
	if ((pid = fork()) == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)!write(p[1], "x", 1);
			for (;;)
				pause();
		}
		(void)!read(p[0], &c, 1);
		_exit(0);
	}
	close(p[1]);
	reap("parent", pid);
	printf("death signal, end of file %ld\n", (long)read(p[0], &c, 1));
}

static char *self;

static void
exec_errors(void)
{
	static char *argv[] = { (char *)"x", NULL }, *env[] = { NULL };
	char *big = malloc(200000), **many;
	volatile uintptr_t bad = 16;
	int fd;

	say("no such file", execve("./nothing", argv, env));
	say("empty name", execve("", argv, env));
	say("directory", execve("/usr", argv, env));
	say("below a file", execve("/etc/passwd/x", argv, env));
	close(make_file("plain", 10));
	say("not executable", execve("./plain", argv, env));
	chmod("plain", 0755);
	say("no format", execve("./plain", argv, env));
	say("bad path", execve((char *)bad, argv, env));
	say("bad argv", execve(self, (char **)bad, env));
	say("bad string", execve(self, (char *[]){ (char *)16, NULL }, env));
	memset(big, 'x', 199999);
	big[199999] = '\0';
	say("long string", execve(self, (char *[]){ big, NULL }, env));
	many = calloc(200001, sizeof(*many));
	big[99] = '\0';
	for (int i = 0; i < 100000; i++)
		many[i] = big;
	say("too much", execve(self, many, env));
	fd = open("script", O_CREAT | O_WRONLY, 0755);
	(void)!write(fd, "#!/no/interpreter\n", 18);
	close(fd);
	say("no interpreter", execve("./script", argv, env));
	printf("still %s\n", program_invocation_short_name);
	free(many);
	free(big);
}

static pid_t
spawn_part(const char *part, const char *arg)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		execl(self, "children", part, arg, NULL);
		_exit(127);
	}
	return (pid);
}

static void
exec_state(void)
{
	static char *none[] = { NULL };
	int keep = open("/etc/passwd", O_RDONLY);
	int lose = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	char arg[40];
	sigset_t set;
	int fd;

	lseek(keep, 5, SEEK_SET);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, on_chld);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGHUP);
	alarm(50);
	snprintf(arg, sizeof(arg), "%d %d", keep, lose);
	reap("state", spawn_part("state", arg));
	alarm(0);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGHUP, SIG_DFL);
	/* scripts: one argument, and nested */
	fd = open("one", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "#!%s args  and more\n", self);
	close(fd);
	fd = open("two", O_CREAT | O_WRONLY, 0755);
	dprintf(fd, "#! ./one\n");
	close(fd);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execl("./two", "zero", "first", NULL);
		say("script", -1);
		fflush(stdout);
		_exit(1);
	}
	reap("script", pid);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		execve(self, none, none);
		_exit(1);
	}
	reap("no arguments", pid);
	fd = open(self, O_RDONLY);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		fexecve(fd, (char *[]){ (char *)"c", (char *)"args", NULL },
		    (char *[]){ NULL });
		_exit(1);
	}
	reap("fexecve", pid);
}

static void
vforks(void)
{
	extern char **environ;
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 21", NULL };
	volatile int seen = 0;
	pid_t pid;
	int error;

	if ((pid = vfork()) == 0) {
		seen = 42;
		_exit(6);
	}
	printf("the child wrote %d\n", seen);
	reap("vfork", pid);
	if ((pid = vfork()) == 0) {
		execve("/bin/sh", argv, environ);
		_exit(127);
	}
	reap("vfork and exec", pid);
	error = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
	printf("spawn %d\n", error);
	reap("spawn", pid);
	error = posix_spawn(&pid, "/no/such", NULL, NULL, argv, environ);
	printf("spawn fails %s\n", strerrorname_np(error));
	printf("system %d\n", WEXITSTATUS(system("exit 13")));
}

/* ---- parts that run after an exec ---- */

static int
part_state(const char *arg)
{
	struct sigaction sa;
	sigset_t set;
	int keep, lose;

	if (sscanf(arg, "%d %d", &keep, &lose) != 2)
		return (1);
	printf("kept at %ld\n", (long)lseek(keep, 0, SEEK_CUR));
	say("closed", fcntl(lose, F_GETFD));
	sigaction(SIGUSR1, NULL, &sa);
	printf("ignored %d\n", sa.sa_handler == SIG_IGN);
	sigaction(SIGUSR2, NULL, &sa);
	printf("reset %d\n", sa.sa_handler == SIG_DFL);
	sigprocmask(SIG_BLOCK, NULL, &set);
	printf("mask %d\n", sigismember(&set, SIGHUP));
	sigpending(&set);
	/* not inherited by the child that fork made */
	printf("pending %d alarm %d\n", sigismember(&set, SIGHUP), alarm(0));
	return (11);
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	self = realpath("/proc/self/exe", NULL);
	if (argc == 0 || argv[0][0] == '\0') {
		printf("argc %d\n", argc);
		return (12);
	}
	if (argc > 1 && strcmp(argv[1], "state") == 0)
		return (part_state(argv[2]));
	if (argc > 1 && strncmp(argv[1], "args", 4) == 0) {
		for (int i = 1; i < argc; i++)
			printf("[%s]", argv[i]);
		printf("\n");
		return (argc);
	}
	statuses();
	with_waitid();
	stops();
	sigchld();
	exec_errors();
	exec_state();
	vforks();
	inheritance();
	groups();
	orphans();
	return (0);
}
