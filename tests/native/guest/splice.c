/* Data between pipes and files without read and write. */
#include "guest.h"

#include <sys/uio.h>
#include <sys/wait.h>

static char buf[200000], back[200000];

static void
fill(void)
{
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (char)('a' + i * 7 % 26);
}

static void
show(const char *what, ssize_t n)
{
	if (n < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %zd\n", what, n);
}

/* Is what comes out of the pipe what lies at `at`? */
static void
drained(int fd, const char *at)
{
	ssize_t n = read(fd, back, sizeof(back));

	printf("  out come %zd, right %d\n", n, n > 0 && memcmp(back, at,
	    (size_t)n) == 0);
}

static void
files(void)
{
	int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2], out;
	loff_t off = 5000;

	if (pipe(p) != 0 || write(fd, buf, 100000) != 100000)
		return;
	lseek(fd, 100, SEEK_SET);
	show("file to pipe", splice(fd, NULL, p[1], NULL, 3000, 0));
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	drained(p[0], buf + 100);
	show("at an offset", splice(fd, &off, p[1], NULL, 10000, 0));
	printf("offset %ld, the file's %ld\n", (long)off,
	    (long)lseek(fd, 0, SEEK_CUR));
	drained(p[0], buf + 5000);
	off = 99000;
	show("the file's end", splice(fd, &off, p[1], NULL, 10000, 0));
	drained(p[0], buf + 99000);
	show("past it", splice(fd, &off, p[1], NULL, 10000, 0));
	off = 0;
	show("more than fits", splice(fd, &off, p[1], NULL, 100000,
	    SPLICE_F_NONBLOCK));
	show("full", splice(fd, &off, p[1], NULL, 1, SPLICE_F_NONBLOCK));
	out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
	show("pipe to file", splice(p[0], NULL, out, NULL, 100000, 0));
	printf("offset %ld\n", (long)lseek(out, 0, SEEK_CUR));
	show("nothing there", splice(p[0], NULL, out, NULL, 10,
	    SPLICE_F_NONBLOCK));
	printf("the same %d\n", pread(out, back, 65536, 0) == 65536 &&
	    memcmp(back, buf, 65536) == 0);
	off = 10;
	(void)!write(p[1], "here", 4);
	show("into the middle", splice(p[0], NULL, out, &off, 100, 0));
	(void)!pread(out, back, 16, 4);
	printf("%.16s, offset %ld\n", back, (long)off);
	(void)!write(p[1], "lost", 4);
	show("to nowhere", splice(p[0], NULL, open("/dev/null", O_WRONLY),
	    NULL, 100, SPLICE_F_MOVE));
	close(p[1]);
	show("end", splice(p[0], NULL, out, NULL, 10, 0));
	close(p[0]);
	close(out);
	close(fd);
}

static void
pipes(void)
{
	int p[2], q[2], st;
	pid_t pid;

	if (pipe(p) != 0 || pipe(q) != 0)
		return;
	(void)!write(p[1], buf, 9000);
	show("pipe to pipe", splice(p[0], NULL, q[1], NULL, 5000, 0));
	drained(q[0], buf);
	show("the rest", splice(p[0], NULL, q[1], NULL, 50000, 0));
	drained(q[0], buf + 5000);
	(void)!write(p[1], buf, 9000);
	show("tee", tee(p[0], q[1], 6000, 0));
	drained(q[0], buf);
	show("tee again", tee(p[0], q[1], 60000, 0));
	drained(q[0], buf);
	drained(p[0], buf);
	show("tee of nothing", tee(p[0], q[1], 10, SPLICE_F_NONBLOCK));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		settle(getppid());
		(void)!write(p[1], "late", 4);
		_exit(0);
	}
	show("waits", splice(p[0], NULL, q[1], NULL, 100, 0));
	drained(q[0], "late");
	waitpid(pid, &st, 0);
	signal(SIGPIPE, SIG_IGN);
	close(q[0]);
	(void)!write(p[1], "x", 1);
	show("nobody reads", splice(p[0], NULL, q[1], NULL, 100, 0));
	close(p[0]);
	close(p[1]);
	close(q[1]);
}

static void
memory(void)
{
	struct iovec v[3] = { { buf, 3000 }, { buf, 0 },
		{ buf + 3000, 100 } };
	int p[2];

	if (pipe(p) != 0)
		return;
	show("memory to pipe", vmsplice(p[1], v, 3, 0));
	drained(p[0], buf);
	(void)!write(p[1], buf, 500);
	v[0] = (struct iovec) { back + 1000, 200 };
	show("pipe to memory", vmsplice(p[0], v, 1, 0));
	printf("the same %d\n", memcmp(back + 1000, buf, 200) == 0);
	show("no pipe", vmsplice(0, v, 1, 0));
	close(p[0]);
	close(p[1]);
}

static void
errors(void)
{
	int fd = open("data", O_RDWR), p[2], ap;
	loff_t off = 0;

	if (pipe(p) != 0)
		return;
	ap = open("data", O_WRONLY | O_APPEND);
	(void)!write(p[1], "x", 1);
	show("neither a pipe", splice(fd, NULL, fd, NULL, 10, 0));
	show("itself", splice(p[0], NULL, p[1], NULL, 10, 0));
	show("tee of a file", tee(fd, p[1], 10, 0));
	show("tee of itself", tee(p[0], p[1], 10, 0));
	show("offset of a pipe", splice(p[0], &off, fd, NULL, 10, 0));
	show("offset of the other", splice(fd, NULL, p[1], &off, 10, 0));
	show("wrong ends", splice(p[1], NULL, fd, NULL, 10, 0));
	show("appending", splice(p[0], NULL, ap, NULL, 10, 0));
	show("flags", splice(fd, NULL, p[1], NULL, 10, 0x40));
	show("no bytes", splice(fd, NULL, p[1], NULL, 0, 0));
	show("no file", splice(99, NULL, p[1], NULL, 10, 0));
	off = -1;
	show("negative", splice(fd, &off, p[1], NULL, 10, 0));
}

int
main(void)
{
	setbuf(stdout, NULL);
	fill();
	files();
	pipes();
	memory();
	errors();
	return (0);
}
