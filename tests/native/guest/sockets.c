/* Local sockets: names, connections, datagrams, packets, descriptors and
 * credentials in messages, ends, errors. */
#include "guest.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Abstract names are the host's, too: each run has its own. */
static char own[9];

static socklen_t
name(struct sockaddr_un *un, const char *path)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (path[0] != '@') {
		strcpy(un->sun_path, path);
		return ((socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    strlen(path) + 1));
	}
	return ((socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
	    (socklen_t)sprintf(un->sun_path + 1, "%s%s", own, path + 1));
}

static int
bind_to(int s, const char *path)
{
	struct sockaddr_un un;
	socklen_t n = name(&un, path);

	return (bind(s, (struct sockaddr *)&un, n));
}

static int
connect_to(int s, const char *path)
{
	struct sockaddr_un un;
	socklen_t n = name(&un, path);

	return (connect(s, (struct sockaddr *)&un, n));
}

static void
show_name(const char *what, int (*get)(int, struct sockaddr *, socklen_t *),
    int s)
{
	struct sockaddr_un un;
	socklen_t n = sizeof(un);

	memset(&un, 0, sizeof(un));
	if (get(s, (struct sockaddr *)&un, &n) != 0)
		say(what, -1);
	else
		printf("%s: length %u family %d first %d %s\n", what, n,
		    un.sun_family, un.sun_path[0], un.sun_path[0] != 0 ?
		    un.sun_path : un.sun_path + 9);
}

static void
show_poll(const char *what, int s)
{
	struct pollfd p = { s, POLLIN | POLLOUT | POLLRDHUP, 0 };
	int n = poll(&p, 1, 0);

	printf("%s: poll %d %x\n", what, n, p.revents);
}

static void
show_recv(const char *what, int s, size_t n, int flags)
{
	char buf[300] = "";
	ssize_t k = recv(s, buf, n, flags);

	if (k < 0)
		say(what, -1);
	else
		printf("%s: %ld '%.*s'\n", what, (long)k,
		    (int)(k < 20 ? k : 20), buf);
}

static void
names(void)
{
	int a = socket(AF_UNIX, SOCK_STREAM, 0);
	int b = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un un;
	struct stat sb;

	say("family", socket(77, SOCK_STREAM, 0));
	say("type", socket(AF_UNIX, 9, 0));
	say("protocol", socket(AF_UNIX, SOCK_STREAM, 5));
	show_name("unnamed", getsockname, a);
	show_name("peer", getpeername, a);
	say("bind", bind_to(a, "sock"));
	show_name("path", getsockname, a);
	say("again", bind_to(a, "sock2"));
	say("in use", bind_to(b, "sock"));
	say("stat", stat("sock", &sb));
	printf("socket %d mode %o\n", S_ISSOCK(sb.st_mode),
	    sb.st_mode & 0777);
	say("open", open("sock", O_RDWR));
	say("no directory", bind_to(b, "none/sock"));
	say("connect before listen", connect_to(b, "sock"));
	say("connect to nothing", connect_to(b, "nothing"));
	close(make_file("plain", 5));
	say("connect to a file", connect_to(b, "plain"));
	say("abstract nothing", connect_to(b, "@nothing-here"));
	memset(&un, 0, sizeof(un));
	un.sun_family = AF_INET;
	say("family", bind(b, (struct sockaddr *)&un, 20));
	un.sun_family = AF_UNIX;
	say("too long", bind(b, (struct sockaddr *)&un, 111));
	say("too short", bind(b, (struct sockaddr *)&un, 1));
	say("bind abstract", bind_to(b, "@vmsim test"));
	show_name("abstract", getsockname, b);
	say("listen without a name", listen(socket(AF_UNIX, SOCK_STREAM, 0),
	    5));
	say("accept without listen", accept(a, NULL, NULL));
	show_poll("fresh", a);
	say("listen", listen(a, 2));
	show_poll("listening", a);
	say("unlink", unlink("sock"));
	say("connect to what is unlinked", connect_to(b, "sock"));
	show_name("keeps its name", getsockname, a);
	close(a);
	close(b);
	a = socket(AF_UNIX, SOCK_DGRAM, 0);
	un.sun_family = AF_UNIX;
	say("autobind", bind(a, (struct sockaddr *)&un, 2));
	socklen_t n = sizeof(un);
	getsockname(a, (struct sockaddr *)&un, &n);
	printf("length %u, abstract %d\n", n, un.sun_path[0] == 0);
	say("listen on datagrams", listen(a, 5));
	say("accept on datagrams", accept(a, NULL, NULL));
	close(a);
	say("not a socket", listen(0, 5));
	say("closed", listen(99, 5));
}

static void
streams(void)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c[5], a, st;
	struct ucred cred;
	socklen_t n = sizeof(cred);
	struct sockaddr_un un;
	char buf[100];
	pid_t pid;

	say("bind", bind_to(l, "server"));
	say("listen", listen(l, 1));
	fcntl(l, F_SETFL, O_NONBLOCK);
	say("nobody", accept(l, NULL, NULL));
	for (int i = 0; i < 4; i++) {
		c[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		say("connect", connect_to(c[i], "server"));
	}
	say("twice", connect_to(c[0], "server"));
	show_poll("listener", l);
	printf("sent early %ld\n", (long)send(c[0], "early", 5, 0));
	n = sizeof(un);
	a = accept4(l, (struct sockaddr *)&un, &n, SOCK_CLOEXEC);
	printf("accepted %d name length %u cloexec %d nonblock %d\n", a >= 0,
	    n, fcntl(a, F_GETFD), (fcntl(a, F_GETFL) & O_NONBLOCK) != 0);
	show_name("server's end", getsockname, a);
	show_name("its peer", getpeername, a);
	show_name("client's peer", getpeername, c[0]);
	show_recv("first", a, 3, MSG_PEEK);
	show_recv("first", a, 3, 0);
	show_recv("rest", a, 50, 0);
	n = sizeof(cred);
	getsockopt(a, SOL_SOCKET, SO_PEERCRED, &cred, &n);
	printf("peer is me %d own %d\n", cred.pid == getpid(),
	    cred.uid == getuid());
	say("send with a name", sendto(c[0], "x", 1, 0,
	    (struct sockaddr *)&un, sizeof(un)));
	say("connect in the place", connect_to(c[2], "server"));
	/* the listener goes: who was not accepted is reset */
	close(l);
	show_poll("reset", c[1]);
	show_recv("reset", c[1], 10, 0);
	show_recv("then the end", c[1], 10, 0);
	say("send", send(c[1], "x", 1, MSG_NOSIGNAL));
	say("connect again", connect_to(c[3], "server"));
	/* accepted ones go on */
	show_poll("accepted", a);
	say("shut", shutdown(c[0], SHUT_WR));
	show_poll("half", a);
	show_recv("end", a, 10, 0);
	say("other way", send(a, "still", 5, 0));
	show_recv("other way", c[0], 10, 0);
	say("send after shutdown", send(c[0], "x", 1, MSG_NOSIGNAL));
	/* closed with unread data */
	printf("unread %ld\n", (long)send(a, "unread", 6, 0));
	close(c[0]);
	show_poll("closed", a);
	show_recv("reset", a, 10, 0);
	show_recv("end", a, 10, 0);
	say("send", send(a, "x", 1, MSG_NOSIGNAL));
	close(a);
	unlink("server");
	/* SIGPIPE, and a blocking server */
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	bind_to(l, "@server");
	listen(l, 5);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		a = accept(l, NULL, NULL);
		while ((st = (int)read(a, buf, sizeof(buf))) > 0)
			(void)!write(a, buf, (size_t)st);
		_exit(st);
	}
	a = socket(AF_UNIX, SOCK_STREAM, 0);
	say("connect", connect_to(a, "@server"));
	for (int i = 0; i < 3; i++) {
		snprintf(buf, sizeof(buf), "line %d", i);
		(void)!write(a, buf, 6);
		show_recv("echo", a, 6, MSG_WAITALL);
	}
	close(a);
	waitpid(pid, &st, 0);
	printf("server %d\n", WEXITSTATUS(st));
	close(l);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		int s[2];

		socketpair(AF_UNIX, SOCK_STREAM, 0, s);
		close(s[1]);
		_exit((int)write(s[0], "x", 1));
	}
	waitpid(pid, &st, 0);
	printf("signal %d\n", WTERMSIG(st));
}

static void
datagrams(void)
{
	int a = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), s[2], n;
	struct sockaddr_un un;
	socklen_t len = name(&un, "@receiver");
	char buf[300];

	say("nobody", sendto(a, "x", 1, 0, (struct sockaddr *)&un, len));
	say("no peer", send(a, "x", 1, 0));
	say("bind", bind_to(b, "@receiver"));
	say("bind", bind_to(a, "@sender"));
	printf("%ld", (long)sendto(a, "first", 5, 0, (struct sockaddr *)&un,
	    len));
	printf(" %ld", (long)sendto(a, "", 0, 0, (struct sockaddr *)&un,
	    len));
	printf(" %ld\n", (long)sendto(a, "third", 5, 0,
	    (struct sockaddr *)&un, len));
	ioctl(b, FIONREAD, &n);
	printf("next is %d\n", n);
	len = sizeof(un);
	memset(&un, 0, sizeof(un));
	printf("%ld", (long)recvfrom(b, buf, 3, MSG_TRUNC,
	    (struct sockaddr *)&un, &len));
	printf(" of %.3s from %s (%u)\n", buf, un.sun_path + 9, len);
	show_recv("empty", b, 10, 0);
	show_recv("peek", b, 10, MSG_PEEK);
	show_recv("third", b, 10, 0);
	show_recv("none", b, 10, 0);
	say("connect", connect_to(a, "@receiver"));
	show_name("peer", getpeername, a);
	printf("%ld\n", (long)send(a, "by peer", 7, 0));
	show_recv("by peer", b, 10, 0);
	/* somebody else's peer takes from him alone */
	say("connect", connect_to(b, "@sender"));
	s[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
	say("not for us", connect_to(s[0], "@receiver"));
	len = name(&un, "@receiver");
	say("not for us", sendto(s[0], "x", 1, 0, (struct sockaddr *)&un,
	    len));
	close(s[0]);
	close(b);
	say("gone", send(a, "x", 1, 0));
	say("no peer", send(a, "x", 1, 0));
	close(a);
	say("pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	printf("%ld\n", (long)write(s[0], "one", 3));
	printf("%ld\n", (long)write(s[0], "two", 3));
	printf("%ld %.3s\n", (long)read(s[1], buf, 100), buf);
	printf("%ld %.3s\n", (long)read(s[1], buf, 2), buf);
	show_recv("cut off", s[1], 10, MSG_DONTWAIT);
	char *big = calloc(1, 300000);
	n = 100000; /* twice of it is had */
	setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
	say("too large", send(s[0], big, 300000, 0));
	printf("large %ld\n", (long)send(s[0], big, 150000, 0));
	printf("large %ld\n", (long)recv(s[1], big, 300000, 0));
	free(big);
	close(s[1]);
	say("closed", write(s[0], "x", 1));
	say("closed", write(s[0], "x", 1));
	close(s[0]);
	say("packets", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	(void)!write(s[0], "one", 3);
	(void)!write(s[0], "two", 3);
	show_recv("cut", s[1], 2, 0);
	show_recv("two", s[1], 10, 0);
	close(s[0]);
	show_recv("end", s[1], 10, 0);
	say("closed", send(s[1], "x", 1, MSG_NOSIGNAL));
	close(s[1]);
	a = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	say("not connected", send(a, "x", 1, 0));
	show_recv("not connected", a, 1, 0);
	close(a);
	/* datagrams that nobody takes */
	a = socket(AF_UNIX, SOCK_STREAM, 0);
	show_recv("not connected", a, 1, 0);
	say("not connected", send(a, "x", 1, 0));
	close(a);
}

/* ---- descriptors and credentials ---- */

static ssize_t
send_fds(int s, const int *fd, int n, const char *text)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(8 * sizeof(int))]; } u;
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = CMSG_SPACE((size_t)n *
		sizeof(int)) };

	memset(&u, 0, sizeof(u));
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_RIGHTS;
	u.h.cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
	memcpy(CMSG_DATA(&u.h), fd, (size_t)n * sizeof(int));
	return (sendmsg(s, &mh, 0));
}

static int
recv_fds(const char *what, int s, int *fd, size_t room, int flags)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(8 * sizeof(int))]; } u;
	char buf[50];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = room };
	ssize_t n = recvmsg(s, &mh, flags);
	int got = 0;

	if (n < 0) {
		say(what, -1);
		return (0);
	}
	printf("%s: %ld '%.*s' flags %x control %ld", what, (long)n, (int)n,
	    buf, mh.msg_flags, (long)mh.msg_controllen);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&mh); h != NULL;
	    h = CMSG_NXTHDR(&mh, h)) {
		size_t k = h->cmsg_len - CMSG_LEN(0);

		printf(" type %d length %ld", h->cmsg_type, (long)k);
		if (h->cmsg_type == SCM_RIGHTS) {
			memcpy(fd, CMSG_DATA(h), k);
			got = (int)(k / sizeof(int));
		} else {
			struct ucred c;

			memcpy(&c, CMSG_DATA(h), sizeof(c));
			printf(" pid %d own %d", c.pid == getpid(),
			    c.uid == getuid());
		}
	}
	printf("\n");
	return (got);
}

static void
rights(void)
{
	int s[2], p[2], fd[8], two[2], n, one = 1, st;
	char buf[20];
	pid_t pid;

	say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	say("pipe", pipe(p));
	two[0] = p[0];
	two[1] = p[1];
	printf("sent %ld\n", (long)send_fds(s[0], two, 2, "pipe"));
	close(p[0]);
	close(p[1]);
	n = recv_fds("both", s[1], fd, CMSG_SPACE(2 * sizeof(int)),
	    MSG_CMSG_CLOEXEC);
	printf("cloexec %d\n", fcntl(fd[0], F_GETFD));
	(void)!write(fd[1], "through", 7);
	printf("%d: %ld %.7s\n", n, (long)read(fd[0], buf, 20), buf);
	/* bytes of two messages come in one read, but not across rights */
	(void)!write(s[0], "aaa", 3);
	send_fds(s[0], fd, 1, "bbb");
	(void)!write(s[0], "ccc", 3);
	show_recv("plain", s[1], 50, 0);
	show_recv("rest", s[1], 50, 0);
	/* room for one of two, for none */
	send_fds(s[0], fd, 2, "cut");
	recv_fds("one of two", s[1], fd + 2, CMSG_LEN(sizeof(int)), 0);
	close(fd[2]);
	send_fds(s[0], fd, 2, "none");
	recv_fds("none", s[1], fd + 2, 0, 0);
	send_fds(s[0], fd, 1, "peek");
	n = recv_fds("peek", s[1], fd + 2, CMSG_SPACE(sizeof(int)), MSG_PEEK);
	n = recv_fds("take", s[1], fd + 3, CMSG_SPACE(sizeof(int)), 0);
	printf("different %d\n", fd[2] != fd[3]);
	close(fd[2]);
	close(fd[3]);
	fd[2] = 77;
	say("bad descriptor", send_fds(s[0], fd + 2, 1, "x"));
	/* the last copy is in the queue */
	send_fds(s[0], fd + 1, 1, "w");
	close(fd[1]);
	printf("end not yet: ");
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	say("read", read(fd[0], buf, 1));
	close(s[1]);
	printf("now: %ld\n", (long)read(fd[0], buf, 1));
	close(s[0]);
	close(fd[0]);
	/* to another process */
	say("pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	fflush(stdout);
	if ((pid = fork()) == 0) {
		fd[0] = make_file("made", 3);
		lseek(fd[0], 1, SEEK_SET);
		_exit(send_fds(s[0], fd, 1, "file") != 4);
	}
	waitpid(pid, &st, 0);
	recv_fds("file", s[1], fd, CMSG_SPACE(sizeof(int)), 0);
	printf("offset %ld %ld\n", (long)lseek(fd[0], 0, SEEK_CUR),
	    (long)read(fd[0], buf, 10));
	setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	(void)!write(s[0], "who", 3);
	recv_fds("credentials", s[1], fd, CMSG_SPACE(sizeof(struct ucred)),
	    0);
	send_fds(s[0], fd, 1, "both");
	recv_fds("both", s[1], fd, CMSG_SPACE(sizeof(struct ucred)) +
	    CMSG_SPACE(sizeof(int)), 0);
	recv_fds("none", s[1], fd, 0, MSG_DONTWAIT);
	close(s[0]);
	close(s[1]);
}

static void
options(void)
{
	int s[2], v, one = 1;
	socklen_t n = sizeof(v);
	struct timeval tv = { 0, 20000 };
	char buf[10];

	say("pair", socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &n);
	printf("type %d", v);
	getsockopt(s[0], SOL_SOCKET, SO_DOMAIN, &v, &n);
	printf(" domain %d", v);
	getsockopt(s[0], SOL_SOCKET, SO_ERROR, &v, &n);
	printf(" error %d", v);
	getsockopt(s[0], SOL_SOCKET, SO_ACCEPTCONN, &v, &n);
	printf(" listening %d\n", v);
	v = 10000;
	say("buffer", setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, 4));
	getsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, &n);
	printf("buffer %d\n", v);
	say("reuse", setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &one, 4));
	getsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &v, &n);
	printf("reuse %d\n", v);
	say("short", setsockopt(s[0], SOL_SOCKET, SO_REUSEADDR, &one, 2));
	say("level", setsockopt(s[0], 6, 1, &one, 4));
	say("timeout", setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)));
	say("recv", recv(s[1], buf, 1, 0));
	tv.tv_usec = 2000000;
	say("bad time", setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)));
	/* recv waits for all of it, until the end */
	fflush(stdout);
	if (fork() == 0) {
		nap(5);
		(void)!write(s[0], "abc", 3);
		settle(getppid());
		(void)!write(s[0], "def", 3);
		_exit(0);
	}
	tv.tv_usec = tv.tv_sec = 0;
	setsockopt(s[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	show_recv("all of it", s[1], 6, MSG_WAITALL);
	wait(NULL);
	say("bad how", shutdown(s[0], 5));
	close(s[0]);
	close(s[1]);
	struct mmsghdr mm[3];
	struct iovec iov[3] = { { "one", 3 }, { "three", 5 }, { "x", 1 } };
	char in[3][10];

	say("pair", socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 3; i++) {
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	printf("many %d", sendmmsg(s[0], mm, 3, 0));
	printf(" %u %u %u\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec) { in[i], 10 };
	printf("many %d", recvmmsg(s[1], mm, 2, 0, NULL));
	printf(" %u %u\n", mm[0].msg_len, mm[1].msg_len);
	printf("rest %d\n", recvmmsg(s[1], mm, 3, MSG_WAITFORONE, NULL));
	close(s[0]);
	close(s[1]);
}

static void
capacity(void)
{
	int s[2], sizes[] = { 1, 100, 1000, 4096, 5000 }, half = 106496;
	static char buf[70000];

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		long n = 0;

		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
		setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &half, sizeof(half));
		while (write(s[0], buf, (size_t)sizes[i]) == sizes[i])
			n++;
		show_poll("full", s[0]);
		/* a quarter of the buffer has to be left */
		while (recv(s[1], buf, (size_t)sizes[i], 0) == sizes[i] &&
		    poll(&(struct pollfd){ s[0], POLLOUT, 0 }, 1, 0) == 0)
			continue;
		printf("drained %d: %ld\n", sizes[i], n);
		close(s[0]);
		close(s[1]);
	}
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	signal(SIGPIPE, SIG_DFL);
	snprintf(own, sizeof(own), "%08d", getpid());
	names();
	streams();
	datagrams();
	rights();
	options();
	capacity();
	return (0);
}
