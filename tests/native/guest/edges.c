/* Corners of descriptors, pipes, poll, select, locks and limits. */
#include "guest.h"

#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char buf[1 << 20];

static int
reap(pid_t pid)
{
	int st;

	waitpid(pid, &st, 0);
	return (WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st));
}

/* ---- pipes ---- */

static void
sizes(void)
{
	int p[2], n;

	say("pipe", pipe2(p, O_NONBLOCK));
	printf("size %d\n", fcntl(p[0], F_GETPIPE_SZ));
	printf("set %d", fcntl(p[0], F_SETPIPE_SZ, 5000));
	printf(" %d", fcntl(p[1], F_GETPIPE_SZ));
	printf(" %d", fcntl(p[1], F_SETPIPE_SZ, 1));
	printf(" %d", fcntl(p[1], F_SETPIPE_SZ, 1 << 20));
	printf(" %d\n", fcntl(p[1], F_SETPIPE_SZ, 100000));
	n = make_file("plain", 10);
	say("not a pipe", fcntl(n, F_SETPIPE_SZ, 4096));
	say("not a pipe", fcntl(n, F_GETPIPE_SZ));
	close(n);
	printf("fill %ld\n", (long)write(p[1], buf, 200000));
	say("too small", fcntl(p[1], F_SETPIPE_SZ, 65536));
	printf("read %ld\n", (long)read(p[0], buf, 200000));
	fcntl(p[1], F_SETPIPE_SZ, 8192);
	/* pages, not bytes, make it full */
	printf("%ld", (long)write(p[1], buf, 10));
	printf(" %ld", (long)write(p[1], buf, 4090));
	printf(" %ld", (long)write(p[1], buf, 10));
	say(" full", write(p[1], buf, 100));
	ioctl(p[1], FIONREAD, &n);
	printf("waiting %d", n);
	printf(" read %ld", (long)read(p[0], buf, 11));
	printf(" write %ld\n", (long)write(p[1], buf, 100));
	n = (int)read(p[0], buf, sizeof(buf));
	printf("rest %d\n", n);
	/* packets */
	close(p[0]);
	close(p[1]);
	say("packets", pipe2(p, O_DIRECT | O_NONBLOCK));
	(void)!write(p[1], "one", 3);
	(void)!write(p[1], "two", 3);
	(void)!write(p[1], buf, 5000);
	printf("%ld", (long)read(p[0], buf, 2));
	printf(" %ld %.3s", (long)read(p[0], buf, 100), buf);
	printf(" %ld", (long)read(p[0], buf, 10000));
	printf(" %ld\n", (long)read(p[0], buf, 10000));
	close(p[0]);
	close(p[1]);
	/* all at once through a large one */
	say("pipe", pipe(p));
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	printf("%ld", (long)write(p[1], buf, 300000));
	printf(" %ld\n", (long)read(p[0], buf, sizeof(buf)));
	struct iovec iov[3] = { { buf, 3 }, { buf, 0 }, { buf, 5000 } };
	printf("%ld", (long)writev(p[1], iov, 3));
	printf(" %ld\n", (long)readv(p[0], iov, 3));
	printf("nothing %ld\n", (long)write(p[1], buf, 0));
	say("no such buffers", syscall(SYS_writev, p[1], iov, 2000));
	say("a bad one", syscall(SYS_write, p[1], 8, 10));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	printf("nothing %ld\n", (long)write(p[1], buf, 0));
	say("no reader", write(p[1], buf, 1));
	signal(SIGPIPE, SIG_DFL);
	close(p[1]);
	/* a blocked writer of much is woken for each page */
	say("pipe", pipe(p));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		close(p[0]);
		_exit(write(p[1], buf, 200000) == 200000 ? 3 : 99);
	}
	close(p[1]);
	long sum = 0;
	for (ssize_t k; (k = read(p[0], buf, 777)) > 0;)
		sum += k;
	printf("sum %ld exit %d\n", sum, reap(pid));
	close(p[0]);
}

/* ---- descriptors ---- */

static void
descriptors(void)
{
	int a = open("/dev/null", O_RDWR), b;

	b = dup3(a, 50, O_CLOEXEC);
	printf("dup3 %d cloexec %d\n", b, fcntl(50, F_GETFD));
	say("same", dup3(a, a, 0));
	say("flags", dup3(a, 51, O_NONBLOCK));
	printf("dup2 same %d\n", dup2(a, a) == a);
	say("closed", dup2(99, 99));
	printf("from 60: %d", fcntl(a, F_DUPFD, 60));
	printf(" %d\n", fcntl(a, F_DUPFD_CLOEXEC, 60));
	say("too large", fcntl(a, F_DUPFD, 1 << 30));
	say("negative", fcntl(a, F_DUPFD, -1));
	say("command", fcntl(a, 9999));
	if (kernel_has(5, 11))
		say("range", close_range(60, 61, CLOSE_RANGE_CLOEXEC));
	else
		say("range", fcntl(60, F_SETFD, FD_CLOEXEC));
	printf("cloexec %d %d\n", fcntl(60, F_GETFD), fcntl(61, F_GETFD));
	say("order", close_range(5, 4, 0));
	say("flags", close_range(5, 6, 77));
	say("close", close_range(50, ~0u, 0));
	say("gone", fcntl(60, F_GETFD));
	say("nothing there", close_range(1000, ~0u, 0));
	printf("ours %d\n", fcntl(a, F_GETFD));
	/* status flags are the open file's, CLOEXEC the descriptor's */
	b = dup(a);
	fcntl(a, F_SETFL, O_NONBLOCK | O_APPEND | O_RDONLY);
	printf("flags %x %x\n", fcntl(b, F_GETFL) & (O_NONBLOCK | O_APPEND |
	    O_ACCMODE), fcntl(a, F_GETFD));
	close(a);
	close(b);
	/* a path is no file to read */
	a = open("plain", O_PATH);
	say("read", read(a, buf, 1));
	say("fcntl", fcntl(a, F_SETFL, 0));
	printf("path %d\n", fcntl(a, F_GETFL) == O_PATH);
	close(a);
	a = open("plain", O_RDWR | O_CREAT, 0600);
	b = open("plain", O_WRONLY);
	say("write-only", read(b, buf, 1));
	/* the caller's bytes are another's to read, in the middle */
	(void)!write(a, "0123456789", 10);
	printf("%ld", (long)pwrite(b, "ab", 2, 4));
	printf(" %ld %.10s\n", (long)pread(a, buf, 20, 0), buf);
	printf("at %ld %ld\n", (long)lseek(a, 0, SEEK_CUR),
	    (long)lseek(b, 0, SEEK_CUR));
	close(a);
	close(b);
}

/* ---- poll and select ---- */

static void
polls(void)
{
	struct pollfd pfd[4];
	struct timeval tv = { 1000, 0 };
	int p[2], s[2], n;
	fd_set r, w, e;

	say("pipe", pipe(p));
	say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pfd[0] = (struct pollfd) { -1, POLLIN, 77 };
	pfd[1] = (struct pollfd) { 500, POLLIN, 0 };
	pfd[2] = (struct pollfd) { p[1], 0, 5 };
	pfd[3] = (struct pollfd) { s[0], POLLIN | POLLOUT | POLLPRI, 0 };
	n = poll(pfd, 4, 100);
	printf("poll %d: %x %x %x %x\n", n, pfd[0].revents, pfd[1].revents,
	    pfd[2].revents, pfd[3].revents);
	say("bad address", syscall(SYS_poll, 8, 1, 0));
	say("too many", syscall(SYS_poll, NULL, 2000000000, 0));
	pfd[0] = (struct pollfd) { p[0], POLLIN | POLLRDNORM, 0 };
	(void)!write(p[1], "x", 1);
	printf("poll %d", poll(pfd, 1, -1));
	printf(" %x\n", pfd[0].revents);
	close(p[1]);
	printf("poll %d", poll(pfd, 1, -1));
	printf(" %x\n", pfd[0].revents);
	(void)!read(p[0], buf, 1);
	printf("poll %d", poll(pfd, 1, -1));
	printf(" %x\n", pfd[0].revents);
	int file = open("plain", O_RDONLY);
	pfd[0] = (struct pollfd) { file, POLLIN | POLLOUT, 0 };
	printf("file %d", poll(pfd, 1, 0));
	printf(" %x\n", pfd[0].revents);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(p[0], &r);
	FD_SET(s[0], &w);
	FD_SET(s[0], &e);
	FD_SET(file, &r);
	n = select(file + 1, &r, &w, &e, &tv);
	printf("select %d: %d %d %d %d, time left %d\n", n,
	    FD_ISSET(p[0], &r), FD_ISSET(s[0], &w), FD_ISSET(s[0], &e),
	    FD_ISSET(file, &r), tv.tv_usec + tv.tv_sec > 0);
	close(file);
	FD_ZERO(&r);
	FD_SET(s[0], &r);
	tv = (struct timeval) { 0, 10000 };
	n = select(s[0] + 1, &r, NULL, NULL, &tv);
	printf("nothing %d: %d, left %ld\n", n, FD_ISSET(s[0], &r),
	    (long)tv.tv_usec);
	FD_SET(62, &r); /* one above the table's 64 may pass unseen */
	say("closed", select(63, &r, NULL, NULL, &tv));
	say("negative", select(-1, &r, NULL, NULL, &tv));
	tv.tv_sec = -1;
	say("bad time", select(1, NULL, NULL, NULL, &tv));
	struct timespec ts = { 0, 2000000000 };
	say("bad time", ppoll(NULL, 0, &ts, NULL));
	say("bad mask", syscall(SYS_ppoll, NULL, 0, NULL, &ts, 7));
	close(p[0]);
	close(s[0]);
	close(s[1]);
}

/* ---- locks over fork, exec and exit ---- */

static int
range(int fd, int cmd, int type, off_t start, off_t len)
{
	struct flock fl = { .l_type = (short)type, .l_whence = SEEK_SET,
		.l_start = start, .l_len = len };

	return (fcntl(fd, cmd, &fl));
}

static void
locks(void)
{
	int fd = make_file("locks", 100), other = open("locks", O_RDWR), p[2];
	int q[2];
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_END,
		.l_start = -10, .l_len = 5 };
	pid_t pid;

	say("from the end", fcntl(fd, F_SETLK, &fl));
	say("pipe", pipe(p));
	say("pipe", pipe(q));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		/* locks are not inherited; they are the parent's */
		fl = (struct flock) { .l_type = F_RDLCK, .l_whence = SEEK_SET };
		fcntl(fd, F_GETLK, &fl);
		printf("held by the parent %d: %ld %ld\n", fl.l_pid ==
		    getppid(), (long)fl.l_start, (long)fl.l_len);
		say("busy", range(fd, F_SETLK, F_WRLCK, 90, 5));
		say("mine", range(fd, F_SETLK, F_WRLCK, 0, 10));
		fflush(stdout);
		(void)!write(p[1], "x", 1);
		(void)!read(q[0], buf, 1);
		settle(getppid());
		_exit(0); /* and its own go with it */
	}
	(void)!read(p[0], buf, 1);
	say("the child's", range(fd, F_SETLK, F_WRLCK, 0, 10));
	(void)!write(q[1], "x", 1);
	printf("waited %d\n", range(fd, F_SETLKW, F_WRLCK, 0, 10));
	reap(pid);
	/* closing another descriptor of the file gives all up */
	close(other);
	fflush(stdout);
	if ((pid = fork()) == 0)
		_exit(range(fd, F_SETLK, F_WRLCK, 0, 0) == 0 ? 4 : 99);
	printf("given up %d\n", reap(pid));
	/* exec keeps them, for the process is the same */
	range(fd, F_SETLK, F_WRLCK, 0, 0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		range(fd, F_SETLKW, F_WRLCK, 0, 0);
		printf("the parent has changed its lock\n");
		fflush(stdout);
		_exit(0);
	}
	settle(pid);
	range(fd, F_SETLK, F_UNLCK, 0, 0);
	reap(pid);
	/* flock belongs to the open file: dup and fork share it */
	other = dup(fd);
	say("flock", flock(fd, LOCK_EX));
	say("again by the copy", flock(other, LOCK_EX | LOCK_NB));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		int own = open("locks", O_RDWR);

		say("of another file", flock(own, LOCK_SH | LOCK_NB));
		say("unlock", flock(fd, LOCK_UN));
		say("of another file", flock(own, LOCK_SH | LOCK_NB));
		fflush(stdout);
		_exit(0);
	}
	reap(pid);
	say("down to shared", flock(fd, LOCK_SH | LOCK_NB));
	close(fd);
	close(other);
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
	/* in one process, threads: the same owner */
	fd = open("locks", O_RDWR);
	say("lock", lockf(fd, F_TLOCK, 10));
	say("test", lockf(fd, F_TEST, 10));
	close(fd);
	fd = open("locks", O_RDONLY);
	say("to write, read-only", range(fd, F_SETLK, F_WRLCK, 0, 1));
	say("to read", range(fd, F_SETLK, F_RDLCK, 0, 1));
	say("too far", range(fd, F_SETLK, F_RDLCK, INT64_MAX, 2));
	close(fd);
	say("closed", range(fd, F_SETLK, F_RDLCK, 0, 1));
}

/* ---- limits ---- */

static void
limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit rl = { soft, hard };

	say("limit", setrlimit((__rlimit_resource_t)what, &rl));
}

/* In a child each; what it writes, and how it ends. */
static void
limits(void)
{
	struct rlimit rl, old;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		limit(RLIMIT_FSIZE, 5000, 5000);
		int fd = open("small", O_RDWR | O_CREAT, 0600);
		printf("written %ld\n", (long)write(fd, buf, 8000));
		fflush(stdout);
		(void)!write(fd, buf, 1);
		_exit(99);
	}
	printf("signal %d\n", reap(pid));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		getrlimit(RLIMIT_STACK, &rl);
		limit(RLIMIT_STACK, 256 * 1024, rl.rlim_max);
		execl("/proc/self/exe", "edges", "stack", (char *)NULL);
		_exit(99);
	}
	printf("stack: %d\n", reap(pid));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		limit(RLIMIT_NOFILE, 5, 10);
		say("sixth", open("/dev/null", O_RDONLY) < 5 ?
		    open("/dev/null", O_RDONLY) : -1);
		say("seventh", open("/dev/null", O_RDONLY));
		say("pipe", pipe((int[2]){ 0, 0 }));
		say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0,
		    (int[2]){ 0, 0 }));
		limit(RLIMIT_NOFILE, 8, 10);
		say("more", open("/dev/null", O_RDONLY));
		say("poll", poll((struct pollfd[9]) { { 0 } }, 9, 0));
		limit(RLIMIT_NOFILE, 11, 10);
		fflush(stdout);
		_exit(0);
	}
	printf("files: %d\n", reap(pid));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		limit(RLIMIT_MEMLOCK, 65536, 65536);
		char *p = anon(64 * PAGE, PROT_READ | PROT_WRITE);
		getrlimit(RLIMIT_MEMLOCK, &rl);
		printf("locked %ld %ld\n", (long)rl.rlim_cur,
		    (long)rl.rlim_max);
		p[0] = 1;
		fflush(stdout);
		_exit(0);
	}
	printf("memory: %d\n", reap(pid));
	/* of another process */
	fflush(stdout);
	if ((pid = fork()) == 0)
		for (;;)
			pause();
	rl = (struct rlimit) { 77, 88 };
	say("prlimit", prlimit(pid, RLIMIT_NOFILE, &rl, &old));
	say("prlimit", prlimit(pid, RLIMIT_NOFILE, NULL, &rl));
	printf("now %ld %ld\n", (long)rl.rlim_cur, (long)rl.rlim_max);
	say("nobody", prlimit(99999999, RLIMIT_NOFILE, NULL, &rl));
	say("no such limit", prlimit(pid, 99, NULL, &rl));
	rl = (struct rlimit) { 5, 4 };
	say("soft above hard", prlimit(pid, RLIMIT_CORE, &rl, NULL));
	kill(pid, SIGKILL);
	reap(pid);
	/* inherited, and kept by exec */
	fflush(stdout);
	if ((pid = fork()) == 0) {
		limit(RLIMIT_NOFILE, 40, 50);
		execl("/proc/self/exe", "edges", "limits", (char *)NULL);
		_exit(99);
	}
	printf("kept: %d\n", reap(pid));
}

static int
deep(int n)
{
	volatile char room[1000];

	room[999] = (char)n;
	return (n == 0 ? 0 : deep(n - 1) + (room[999] & 0));
}

/* ---- what children use ---- */

static void
usage(void)
{
	struct rusage before, after, own;
	struct tms t0, t1;
	pid_t pid;

	getrusage(RUSAGE_CHILDREN, &before);
	times(&t0);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		struct timespec ts, t;
		char *p = anon(200 * PAGE, PROT_READ | PROT_WRITE);

		for (int i = 0; i < 200; i++)
			p[i * PAGE] = 1;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
		do
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		while ((t.tv_sec - ts.tv_sec) * 1000000000 + t.tv_nsec -
		    ts.tv_nsec < 60000000);
		_exit(0);
	}
	getrusage(RUSAGE_CHILDREN, &after);
	printf("not yet %d\n", after.ru_minflt == before.ru_minflt);
	reap(pid);
	getrusage(RUSAGE_CHILDREN, &after);
	times(&t1);
	printf("faults %d time %d ticks %d\n", after.ru_minflt -
	    before.ru_minflt >= 200, (after.ru_utime.tv_sec -
	    before.ru_utime.tv_sec + after.ru_stime.tv_sec -
	    before.ru_stime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
	    before.ru_utime.tv_usec + after.ru_stime.tv_usec -
	    before.ru_stime.tv_usec >= 50000, t1.tms_cutime + t1.tms_cstime -
	    t0.tms_cutime - t0.tms_cstime >= 4);
	getrusage(RUSAGE_SELF, &own);
	printf("size %d\n", own.ru_maxrss > 100);
	printf("switched %d\n", EVENTUALLY(getrusage(RUSAGE_SELF, &after) ==
	    0 && after.ru_nvcsw > own.ru_nvcsw));
	say("who", getrusage(77, &own));
}

int
main(int argc, char **argv)
{
	struct rlimit rl;

	if (argc > 1 && strcmp(argv[1], "stack") == 0)
		return (deep(1000));
	if (argc > 1) {
		getrlimit(RLIMIT_NOFILE, &rl);
		return (rl.rlim_cur == 40 && rl.rlim_max == 50 ? 5 : 99);
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	close_range(3, ~0u, 0); /* what the test's caller left open */
	sizes();
	descriptors();
	polls();
	locks();
	limits();
	usage();
	return (0);
}
