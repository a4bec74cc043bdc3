/*
 * mqueues.c: POSIX message queues: names, attributes, order, waiting with and
 * without a limit, being told by a signal, poll, several processes.
 */
#include "guest.h"

#include <mqueue.h>
#include <poll.h>
#include <sys/wait.h>

/* Names are the host's, too: each run has its own. */
static const char *
own(const char *what)
{
	static char name[60];
	static pid_t pid;

	if (pid == 0)
		pid = getpid();
	snprintf(name, sizeof(name), "/vmsim-%d-%s", pid, what);
	return (name);
}

static mqd_t
open_queue(const char *name, int flags, long count, long bytes)
{
	struct mq_attr at;

	memset(&at, 0, sizeof(at));
	at.mq_maxmsg = count;
	at.mq_msgsize = bytes;
	return (mq_open(name, flags, 0640, count != 0 ? &at : NULL));
}

static void
show_attr(const char *what, mqd_t q)
{
	struct mq_attr at;

	if (mq_getattr(q, &at) != 0) {
		say(what, -1);
		return;
	}
	printf("%s: flags %d, %ld of %ld, %ld bytes\n", what,
	    at.mq_flags & O_NONBLOCK ? 1 : 0, at.mq_curmsgs, at.mq_maxmsg,
	    at.mq_msgsize);
}

static void
show_receive(const char *what, mqd_t q, size_t room)
{
	unsigned priority = 99;
	char buf[9000];
	ssize_t n = mq_receive(q, buf, room, &priority);

	if (n < 0)
		say(what, n);
	else
		printf("%s: '%.*s' priority %u\n", what, (int)n, buf,
		    priority);
}

static void
names(void)
{
	char name[300] = "/";
	struct stat st;
	mqd_t q, q2;

	mq_unlink(own("a"));
	q = open_queue(own("a"), O_CREAT | O_EXCL | O_RDWR, 0, 0);
	say("new", q);
	show_attr("defaults", q);
	printf("close on exec %d\n", fcntl(q, F_GETFD));
	if (fstat(q, &st) == 0)
		printf("mode %o size %ld links %d\n", (unsigned)st.st_mode,
		    (long)st.st_size, (int)st.st_nlink);
	say("exclusive", open_queue(own("a"), O_CREAT | O_EXCL | O_RDWR, 0,
	    0));
	say("no such", open_queue(own("none"), O_RDWR, 0, 0));
	say("slash", open_queue("/a/b", O_CREAT | O_RDWR, 0, 0));
	say("no slash", open_queue("vmsim", O_CREAT | O_RDWR, 0, 0));
	say("empty", open_queue("/", O_CREAT | O_RDWR, 0, 0));
	memset(name + 1, 'n', 256);
	say("long", open_queue(name, O_CREAT | O_RDWR, 0, 0));
	say("both ways", open_queue(own("a"), O_RDWR | O_WRONLY, 0, 0));
	say("no messages", open_queue(own("b"), O_CREAT | O_RDWR, -1, 8));
	say("no bytes", open_queue(own("b"), O_CREAT | O_RDWR, 8, 0));
	say("too many", open_queue(own("b"), O_CREAT | O_RDWR, 65537, 8));
	say("too large", open_queue(own("b"), O_CREAT | O_RDWR, 1,
	    (16 << 20) + 1));
	q2 = open_queue(own("a"), O_RDONLY, 7, 7);
	show_attr("opened again", q2);
	say("unlink", mq_unlink(own("a")));
	say("unlink again", mq_unlink(own("a")));
	say("send", mq_send(q, "still", 5, 3));
	show_receive("through the other", q2, 8192);
	say("send to a reader", mq_send(q2, "x", 1, 0));
	say("close", mq_close(q2));
	say("close again", mq_close(q2));
	say("receive from a file", mq_receive(0, name, sizeof(name), NULL));
	mq_close(q);
}

static void
order(void)
{
	static const struct {
		const char *text;
		unsigned priority;
	} all[] = { { "one", 1 }, { "five", 5 }, { "zero", 0 }, { "two", 1 },
		{ "last", 32767 }, { "six", 5 } };
	mqd_t q = open_queue(own("o"), O_CREAT | O_RDWR, 6, 16), w;
	struct pollfd pfd = { .fd = q, .events = POLLIN | POLLOUT };
	struct mq_attr at;

	poll(&pfd, 1, 0);
	printf("empty: %x\n", (unsigned)pfd.revents);
	for (unsigned i = 0; i < 6; i++)
		say(all[i].text, mq_send(q, all[i].text, strlen(all[i].text),
		    all[i].priority));
	poll(&pfd, 1, 0);
	printf("full: %x\n", (unsigned)pfd.revents);
	show_attr("full", q);
	say("priority 32768", mq_send(q, "x", 1, 32768));
	say("17 bytes", mq_send(q, "12345678901234567", 17, 0));
	memset(&at, 0, sizeof(at));
	at.mq_flags = O_NONBLOCK;
	say("not to wait", mq_setattr(q, &at, NULL));
	say("full", mq_send(q, "x", 1, 0));
	at.mq_flags = O_APPEND;
	say("other flags", mq_setattr(q, &at, NULL));
	show_receive("15 bytes of room", q, 15);
	for (int i = 0; i < 6; i++)
		show_receive("next", q, 16);
	show_receive("empty", q, 16);
	w = open_queue(own("o"), O_WRONLY, 0, 0);
	show_receive("from a writer", w, 16);
	say("nothing", mq_send(w, "", 0, 2));
	show_receive("it", q, 16);
	mq_close(w);
	mq_close(q);
	mq_unlink(own("o"));
}

/* Far enough for a busy host, and the past. */
static struct timespec
in_ms(long ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += ms % 1000 * 1000000;
	ts.tv_sec += ms / 1000 + ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return (ts);
}

static void
limits(void)
{
	mqd_t q = open_queue(own("l"), O_CREAT | O_RDWR, 1, 16);
	struct timespec ts = in_ms(20), past = { 1, 0 }, bad = { 1, -1 };
	char buf[16];

	say("receive 20 ms", mq_timedreceive(q, buf, 16, NULL, &ts));
	say("receive in the past", mq_timedreceive(q, buf, 16, NULL, &past));
	say("receive at no time", mq_timedreceive(q, buf, 16, NULL, &bad));
	say("send", mq_timedsend(q, "abc", 3, 0, &past));
	ts = in_ms(20);
	say("send 20 ms", mq_timedsend(q, "x", 1, 0, &ts));
	say("receive", mq_timedreceive(q, buf, 16, NULL, &past));
	mq_close(q);
	mq_unlink(own("l"));
}

static void
notices(void)
{
	mqd_t q = open_queue(own("n"), O_CREAT | O_RDWR, 4, 16);
	struct sigevent se;
	sigset_t set;
	siginfo_t si;
	pid_t pid;
	int st;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	memset(&se, 0, sizeof(se));
	se.sigev_notify = SIGEV_SIGNAL;
	se.sigev_signo = SIGUSR1;
	se.sigev_value.sival_int = 77;
	say("notify", mq_notify(q, &se));
	say("notify again", mq_notify(q, &se));
	pid = fork();
	if (pid == 0) {
		say("another's", mq_notify(q, &se));
		say("none of mine", mq_notify(q, NULL));
		mq_send(q, "hello", 5, 1);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	sigwaitinfo(&set, &si);
	printf("code %d value %d from the child %d\n", si.si_code,
	    si.si_value.sival_int, si.si_pid == pid);
	say("second message", mq_send(q, "more", 4, 1));
	sigpending(&set);
	printf("told once %d\n", !sigismember(&set, SIGUSR1));
	say("for the next", mq_notify(q, &se));
	say("third", mq_send(q, "third", 5, 1));
	sigpending(&set);
	printf("not empty %d\n", !sigismember(&set, SIGUSR1));
	say("off", mq_notify(q, NULL));
	se.sigev_notify = 9;
	say("bad event", mq_notify(q, &se));
	se.sigev_notify = SIGEV_SIGNAL;
	se.sigev_signo = 65;
	say("bad signal", mq_notify(q, &se));
	se.sigev_signo = SIGUSR1;
	say("on", mq_notify(q, &se));
	close(dup(q)); /* any close of the process's */
	pid = fork();
	if (pid == 0) {
		say("free for another", mq_notify(q, &se));
		_exit(0);
	}
	waitpid(pid, &st, 0);
	say("free again", mq_notify(q, &se));
	mq_close(q);
	mq_unlink(own("n"));
}

static void
on_alarm(int signo)
{
	(void)signo;
}

/* Four senders and two receivers through a queue of three. */
static void
crowd(void)
{
	mqd_t q = open_queue(own("c"), O_CREAT | O_RDWR, 3, 64);
	struct sigaction sa;
	long sum = 0, n = 0;
	int p[2], value, st;
	char buf[64];
	ssize_t got;

	if (pipe(p) != 0)
		return;
	for (int s = 0; s < 4; s++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < 100; i++) {
			value = s * 1000 + i;
			if (mq_send(q, (char *)&value, 4, (unsigned)i % 3)
			    != 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int r = 0; r < 2; r++) {
		if (fork() != 0)
			continue;
		while ((got = mq_receive(q, buf, 64, NULL)) == 4) {
			if (write(p[1], buf, 4) != 4)
				_exit(1);
		}
		_exit(got != 1);
	}
	close(p[1]);
	while (n < 400 && read(p[0], &value, 4) == 4) {
		sum += value;
		n++;
	}
	printf("%ld messages, sum %ld\n", n, sum);
	mq_send(q, "x", 1, 0);
	mq_send(q, "x", 1, 0);
	for (int i = 0; i < 6; i++) {
		wait(&st);
		if (st != 0)
			printf("status %x\n", (unsigned)st);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;
	sigaction(SIGALRM, &sa, NULL);
	alarm_each(10);
	say("interrupted", mq_receive(q, buf, 64, NULL));
	mq_close(q);
	mq_unlink(own("c"));
}

int
main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	names();
	order();
	limits();
	notices();
	crowd();
	return (0);
}
