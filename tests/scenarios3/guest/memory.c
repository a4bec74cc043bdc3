/*
 * memory.c: a guest that uses memory in one of several ways and prints a
 * checksum of what it finds there.
 *
 *	touch MB ROUNDS		writes and reads all pages, round after round
 *	idle MB SECONDS		touches them ten times a second, sleeps between
 *	sleep MB SECONDS	touches them, sleeps, touches them again
 *	rss MB SECONDS KB	the same with RLIMIT_RSS of its own
 *	lock PAGES MB		mlock, then pressure; munlock
 *	advise MB		every kind of madvise
 *	wait MB			forks a child that touches MB, tells how it ended
 *	truncate		a store beyond the end of a file that shrank
 *	read FILE		the bytes of a mapped file
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)

static void
need(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(3);
	}
}

static uint64_t *
anon(size_t bytes)
{
	void *p = mmap(NULL, bytes, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED, "mmap");
	return (p);
}

/* On the host only the output is wanted: it need not wait. */
/* There nothing sleeps, and low limits and missing swap do not matter: what is
 * compared are sums. */
static int
on_host(void)
{
	return (getenv("NOSLEEP") != NULL);
}

static void
rest(const struct timespec *ts)
{
	if (!on_host())
		nanosleep(ts, NULL);
}

/* A word a page; what was there must be what the round before left. */
static uint64_t
touch(uint64_t *p, size_t bytes, uint64_t round)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < bytes / PAGE; i++) {
		uint64_t *w = p + i * (PAGE / 8) + i % 512;

		if (round > 0 && *w != i * 0x9e3779b97f4a7c15ull + round - 1) {
			printf("page %zu holds %llx\n", i,
			    (unsigned long long)*w);
			exit(4);
		}
		*w = i * 0x9e3779b97f4a7c15ull + round;
		sum = sum * 31 + *w;
	}
	return (sum);
}

static void
do_touch(size_t mb, uint64_t rounds)
{
	uint64_t *p = anon(mb << 20), sum = 0;

	for (uint64_t r = 0; r < rounds; r++)
		sum += touch(p, mb << 20, r);
	printf("%016llx\n", (unsigned long long)sum);
}

static void
do_idle(size_t mb, uint64_t seconds)
{
	const struct timespec tenth = { 0, 100000000 };
	uint64_t *p = anon(mb << 20), sum = 0;

	for (uint64_t r = 0; r < seconds * 10; r++) {
		sum += touch(p, mb << 20, r);
		rest(&tenth);
	}
	printf("%016llx\n", (unsigned long long)sum);
}

static void
do_sleep(size_t mb, uint64_t seconds)
{
	const struct timespec ts = { (time_t)seconds, 0 };
	uint64_t *p = anon(mb << 20), sum = touch(p, mb << 20, 0);

	rest(&ts);
	sum += touch(p, mb << 20, 1);
	printf("%016llx\n", (unsigned long long)sum);
}

static void
do_lock(size_t pages, size_t mb)
{
	uint64_t *l = anon(pages * PAGE), sum = touch(l, pages * PAGE, 0);

	need(mlock(l, pages * PAGE) == 0 || on_host(), "mlock");
	do_touch(mb, 3);
	sum += touch(l, pages * PAGE, 1);
	need(munlock(l, pages * PAGE) == 0, "munlock");
	do_touch(mb, 2);
	sum += touch(l, pages * PAGE, 2);
	printf("%016llx\n", (unsigned long long)sum);
}

static void
do_advise(size_t mb)
{
	static const int kinds[] = { MADV_RANDOM, MADV_SEQUENTIAL,
		MADV_WILLNEED, MADV_COLD, MADV_NORMAL, MADV_PAGEOUT };
	uint64_t *p = anon(mb << 20), *f = anon(64 * PAGE), sum = 0;
	uint64_t round = 0, left = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		sum += touch(p, mb << 20, round++);
		need(madvise(p, mb << 20, kinds[i]) == 0 || on_host(),
		    "madvise");
	}
	sum += touch(p, mb << 20, round);
	(void)touch(f, 64 * PAGE, 0);
	need(madvise(f, 64 * PAGE, MADV_FREE) == 0, "MADV_FREE");
	sum += touch(p, mb << 20, ++round);
	(void)touch(f, 64 * PAGE, 0); /* what is there is anybody's guess */
	need(madvise(f, 64 * PAGE, MADV_DONTNEED) == 0, "MADV_DONTNEED");
	for (size_t i = 0; i < 64 * PAGE / 8; i++)
		left |= f[i];
	printf("%016llx %d\n", (unsigned long long)sum, left == 0);
}

static void
do_wait(size_t mb)
{
	int status = 0;
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (pid == 0) {
		(void)touch(anon(mb << 20), mb << 20, 0);
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	if (WIFSIGNALED(status))
		printf("child: signal %d\n", WTERMSIG(status));
	else
		printf("child: exit %d\n", WEXITSTATUS(status));
}

static void
do_truncate(void)
{
	int fd = open("shrinks.dat", O_RDWR | O_CREAT | O_TRUNC, 0600);
	volatile char *p;

	need(fd >= 0 && ftruncate(fd, 8 * PAGE) == 0, "shrinks.dat");
	p = mmap(NULL, 8 * PAGE, RW, MAP_SHARED, fd, 0);
	need(p != MAP_FAILED, "mmap");
	for (size_t i = 0; i < 8; i++)
		p[i * PAGE] = (char)('a' + i);
	need(ftruncate(fd, 3 * PAGE) == 0, "ftruncate");
	printf("%c%c%c\n", p[0], p[PAGE], p[2 * PAGE]);
	fflush(stdout);
	p[3 * PAGE] = 'x';
	printf("still there\n");
}

static void
do_read(const char *name)
{
	int fd = open(name, O_RDONLY);
	const unsigned char *p;
	uint64_t sum = 0;
	struct stat st;

	need(fd >= 0 && fstat(fd, &st) == 0, name);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	need(p != MAP_FAILED, "mmap");
	for (off_t i = 0; i < st.st_size; i++)
		sum = sum * 31 + p[i];
	printf("%016llx\n", (unsigned long long)sum);
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	size_t a = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	size_t b = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	struct rlimit rl;

	if (strcmp(what, "touch") == 0)
		do_touch(a, b);
	else if (strcmp(what, "idle") == 0)
		do_idle(a, b);
	else if (strcmp(what, "sleep") == 0)
		do_sleep(a, b);
	else if (strcmp(what, "rss") == 0 && argc > 4) {
		rl.rlim_cur = rl.rlim_max = strtoul(argv[4], NULL, 10) << 10;
		need(setrlimit(RLIMIT_RSS, &rl) == 0, "setrlimit");
		do_idle(a, b);
	} else if (strcmp(what, "lock") == 0)
		do_lock(a, b);
	else if (strcmp(what, "advise") == 0)
		do_advise(a);
	else if (strcmp(what, "wait") == 0)
		do_wait(a);
	else if (strcmp(what, "truncate") == 0)
		do_truncate();
	else if (strcmp(what, "read") == 0 && argc > 2)
		do_read(argv[2]);
	else
		return (2);
	return (0);
}
