/*
 * What /proc says of this process, its threads and the machine agrees with
 * what the calls say; what the process has used is counted.
 */
#include "guest.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/times.h>
#include <sys/wait.h>

static char text[65536];

/* The file's text, or its error. */
static const char *
slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0, k;

	if (fd < 0)
		return (strerror(errno));
	while ((k = read(fd, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += k;
	text[n] = '\0';
	close(fd);
	return (text);
}

/* Field `n` of /proc/.../stat, counted from 1 as in proc(5). */
static long long
stat_field(const char *path, int n)
{
	const char *s = strrchr(slurp(path), ')');

	for (int i = 2; s != NULL && i < n; i++)
		s = strchr(s + 1, ' ');
	return (s != NULL ? strtoll(s + 1, NULL, 10) : -1);
}

static char
stat_state(const char *path)
{
	const char *s = strrchr(slurp(path), ')');

	return (s != NULL ? s[2] : '?');
}

/* What follows a name at the beginning of a line. */
static const char *
line_of(const char *path, const char *name)
{
	const char *s = slurp(path);

	while (s != NULL && strncmp(s, name, strlen(name)) != 0) {
		s = strchr(s, '\n');
		s = s != NULL ? s + 1 : NULL;
	}
	return (s != NULL ? s + strlen(name) : "");
}

static int
count_names(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return (n - 2);
}

/* ---- the process ---- */

static void
process(void)
{
	struct rlimit rl;
	sigset_t set;

	printf("pid %d ppid %d group %d session %d\n",
	    atoi(slurp("/proc/self/stat")) == getpid(),
	    stat_field("/proc/self/stat", 4) == getppid(),
	    stat_field("/proc/self/stat", 5) == getpgrp(),
	    stat_field("/proc/self/stat", 6) == getsid(0));
	/* the host's is nicer already when its user said so */
	if (setpriority(PRIO_PROCESS, 0, 19) != 0)
		perror("setpriority");
	printf("priority %lld nice %lld threads %lld\n",
	    stat_field("/proc/self/stat", 18),
	    stat_field("/proc/self/stat", 19),
	    stat_field("/proc/self/stat", 20));
	getrlimit(RLIMIT_STACK, &rl);
	printf("stack limit %d\n", strtoull(line_of("/proc/self/limits",
	    "Max stack size "), NULL, 10) == rl.rlim_cur);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGHUP, exit);
	printf("blocked %llx pending %llx ignored %d caught %d\n",
	    strtoull(line_of("/proc/self/status", "SigBlk:"), NULL, 16),
	    strtoull(line_of("/proc/self/status", "ShdPnd:"), NULL, 16),
	    (strtoull(line_of("/proc/self/status", "SigIgn:"), NULL, 16) &
	    0x200) != 0,
	    (strtoull(line_of("/proc/self/status", "SigCgt:"), NULL, 16) &
	    1) != 0);
	printf("no such file: %s\n", slurp("/proc/self/nothing"));
	printf("no such process: %s\n", slurp("/proc/99999999/stat"));
}

/* ---- threads ---- */

static pthread_barrier_t begun, over;
static int tids[2];

static void *
waiter(void *arg)
{
	tids[(int)(intptr_t)arg] = (int)syscall(SYS_gettid);
	prctl(PR_SET_NAME, arg == NULL ? "one" : "other");
	pthread_barrier_wait(&begun);
	pthread_barrier_wait(&over);
	return (NULL);
}

static void
threads(void)
{
	pthread_t t[2];
	char path[64];

	pthread_barrier_init(&begun, NULL, 3);
	pthread_barrier_init(&over, NULL, 3);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, waiter, (void *)(intptr_t)i);
	pthread_barrier_wait(&begun);
	printf("threads %d, as told %lld\n", count_names("/proc/self/task"),
	    stat_field("/proc/self/stat", 20));
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		    tids[i]);
		printf("thread %d: number %d\n", i,
		    atoi(slurp(path)) == tids[i]);
		snprintf(path, sizeof(path), "/proc/self/task/%d/comm",
		    tids[i]);
		printf("name %s", slurp(path));
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", getpid(),
	    getpid());
	printf("first thread %d\n", atoi(line_of(path, "Pid:")) == getpid());
	printf("all are %s", slurp("/proc/self/comm"));
	printf("itself %d\n", atoi(slurp("/proc/thread-self/stat")) ==
	    getpid());
	printf("no such thread: %s\n", slurp("/proc/self/task/99999999/stat"));
	pthread_barrier_wait(&over);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* ---- children ---- */

static void
children(void)
{
	struct rusage ru;
	siginfo_t si;
	char path[64];
	pid_t pid;

	if ((pid = fork()) == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	UNTIL(stat_state(path) == 'S');
	printf("child of %d sleeps\n", stat_field(path, 4) == getpid());
	kill(pid, SIGSTOP);
	waitid(P_PID, (id_t)pid, &si, WSTOPPED);
	printf("stopped: %c\n", stat_state(path));
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	printf("dead: %c\n", stat_state(path));
	getrusage(RUSAGE_CHILDREN, &ru);
	printf("nothing of it yet %d\n", ru.ru_nvcsw == 0 && ru.ru_minflt == 0);
	waitpid(pid, NULL, 0);
	printf("gone: %s\n", slurp(path));
	getrusage(RUSAGE_CHILDREN, &ru);
	printf("it slept %d and touched pages %d\n", ru.ru_nvcsw > 0,
	    ru.ru_minflt > 0);
	printf("as stat has it %d\n", stat_field("/proc/self/stat", 11) ==
	    ru.ru_minflt);
}

/* ---- what is used ---- */

static void
usage(void)
{
	struct rusage a, b, t;
	long before;

	getrusage(RUSAGE_SELF, &a);
	printf("slept five times %d\n", EVENTUALLY(getrusage(RUSAGE_SELF,
	    &b) == 0 && b.ru_nvcsw - a.ru_nvcsw >= 5));
	getrusage(RUSAGE_THREAD, &t);
	getrusage(RUSAGE_SELF, &b);
	printf("thread no more than all %d %d\n", t.ru_nvcsw <= b.ru_nvcsw,
	    t.ru_minflt <= b.ru_minflt);
	before = strtol(line_of("/proc/self/status",
	    "voluntary_ctxt_switches:"), NULL, 10);
	printf("status agrees %d\n", before >= t.ru_nvcsw);
}

/* ---- the machine ---- */

static void
machine(void)
{
	double load[3];
	char tail[64];
	int cpus = 0;
	const char *s;

	for (s = slurp("/proc/stat"); s != NULL; s = strchr(s, '\n')) {
		s += *s == '\n';
		cpus += strncmp(s, "cpu", 3) == 0;
	}
	printf("a line each CPU %d\n", cpus == 1 +
	    sysconf(_SC_NPROCESSORS_ONLN));
	printf("directories %d\n", sysconf(_SC_NPROCESSORS_CONF) > 0);
	printf("boot time %d\n", strtoll(line_of("/proc/stat", "btime "),
	    NULL, 10) > 0);
	printf("load %d\n", sscanf(slurp("/proc/loadavg"), "%lf %lf %lf %63s",
	    &load[0], &load[1], &load[2], tail));
	printf("faults counted %d\n", strtoll(line_of("/proc/vmstat",
	    "pgfault "), NULL, 10) > 0);
	printf("kernel %.6s", slurp("/proc/sys/kernel/ostype"));
	printf("swap %.8s\n", slurp("/proc/swaps"));
}

int
main(void)
{
	process();
	threads();
	children();
	usage();
	machine();
	return (0);
}
