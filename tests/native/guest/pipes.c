/* Pipes and FIFOs in one process, poll and select. */
#include "guest.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>

static char big[100000];

static void
show_poll(const char *what, int rd, int wr)
{
	struct pollfd p[3] = { { rd, POLLIN, 0 }, { wr, POLLOUT, 0 },
		{ 999, POLLIN, 0 } };
	int n = poll(p, 3, 0);

	printf("%s: %d, %x %x %x\n", what, n, p[0].revents, p[1].revents,
	    p[2].revents);
}

static void
show_select(int rd, int wr)
{
	struct timeval tv = { 0, 0 };
	fd_set r, w;
	int n;

	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(rd, &r);
	FD_SET(wr, &w);
	n = select((rd > wr ? rd : wr) + 1, &r, &w, NULL, &tv);
	printf("select %d: %d %d\n", n, FD_ISSET(rd, &r), FD_ISSET(wr, &w));
}

/* More descriptors at a time than fit into a page, if so many may be. */
static void
many(void)
{
	struct rlimit rl;
	struct pollfd *p;
	nfds_t n = 9000;
	int fd[2];

	getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_max < n)
		n = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = n;
	p = calloc(n + 1, sizeof(*p));
	if (p == NULL || pipe(fd) != 0)
		return;
	for (nfds_t i = 0; i < n; i++)
		p[i] = (struct pollfd) { -1, POLLIN, 0 };
	say("limit", setrlimit(RLIMIT_NOFILE, &rl));
	p[n - 1] = (struct pollfd) { fd[1], POLLOUT, 0 };
	printf("many %d", poll(p, n, -1));
	printf(" %x %x\n", p[0].revents, p[n - 1].revents);
	say("too many", poll(p, n + 1, 0));
	close(fd[0]);
	close(fd[1]);
	free(p);
}

int
main(void)
{
	struct timespec ts = { 0, 1000000 };
	struct stat sb;
	int p[2], n, fd, fd2;
	char buf[200];

	setbuf(stdout, NULL);
	say("pipe", pipe(p));
	fstat(p[0], &sb);
	printf("fifo %d\n", S_ISFIFO(sb.st_mode));
	show_poll("empty", p[0], p[1]);
	show_select(p[0], p[1]);
	printf("write %ld\n", (long)write(p[1], "hello world", 11));
	ioctl(p[0], FIONREAD, &n);
	printf("waiting %d\n", n);
	show_poll("some", p[0], p[1]);
	show_select(p[0], p[1]);
	printf("read %ld %.5s\n", (long)read(p[0], buf, 5), buf);
	printf("read %ld %.6s\n", (long)read(p[0], buf, 100), buf);
	say("seek", lseek(p[0], 0, SEEK_SET));
	say("pread", pread(p[0], buf, 1, 0));
	say("read of the other end", read(p[1], buf, 1));
	say("write of the other end", write(p[0], buf, 1));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	say("empty", read(p[0], buf, 1));
	printf("fill %ld\n", (long)write(p[1], big, sizeof(big)));
	say("full", write(p[1], big, 1));
	show_poll("full", p[0], p[1]);
	printf("read %ld\n", (long)read(p[0], big, 4095));
	say("not room for all of it", write(p[1], big, 4096));
	printf("drain %ld\n", (long)read(p[0], big, sizeof(big)));
	say("drained", read(p[0], buf, 1));
	/* the ends */
	n = dup(p[1]);
	close(p[1]);
	say("a writer is left", read(p[0], buf, 1));
	close(n);
	printf("end of file %ld\n", (long)read(p[0], buf, 1));
	show_poll("hang-up", p[0], p[0]);
	signal(SIGPIPE, SIG_IGN);
	if (pipe(p) != 0)
		return (1);
	close(p[0]);
	say("no reader", write(p[1], "x", 1));
	show_poll("error", p[1], p[1]);
	say("pipe2 bad flags", pipe2(p, 1));
	say("pipe2", pipe2(p, O_CLOEXEC | O_NONBLOCK));
	printf("cloexec %d nonblock %d\n", fcntl(p[0], F_GETFD),
	    (fcntl(p[1], F_GETFL) & O_NONBLOCK) != 0);
	printf("size %d\n", fcntl(p[0], F_GETPIPE_SZ));
	printf("timeout %d\n", poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1,
	    1));
	printf("ppoll %d\n", ppoll(&(struct pollfd){ p[0], POLLIN, 0 }, 1,
	    &ts, NULL));
	/* FIFOs */
	say("mkfifo", mkfifo("fifo", 0600));
	say("writer without a reader", open("fifo", O_WRONLY | O_NONBLOCK));
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	say("reader", fd);
	printf("no writer yet %ld\n", (long)read(fd, buf, 1));
	fd2 = open("fifo", O_WRONLY);
	say("writer", fd2);
	printf("through %ld", (long)write(fd2, "fifo", 4));
	printf(" %ld %.4s\n", (long)read(fd, buf, 10), buf);
	say("empty", read(fd, buf, 1));
	close(fd2);
	printf("end %ld\n", (long)read(fd, buf, 1));
	fd2 = open("fifo", O_RDWR);
	say("both ways", fd2);
	/* the same through /proc */
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd2);
	n = open(buf, O_WRONLY);
	say("through /proc", n);
	printf("%ld %ld\n", (long)write(n, "p", 1), (long)read(fd, buf, 10));
	say("unlink", unlink("fifo"));
	many();
	return (0);
}
