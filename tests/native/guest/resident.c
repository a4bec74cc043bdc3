/* Semantics 10: mincore, mlock, msync. */
#include "guest.h"

#include <linux/capability.h>

#define RW (PROT_READ | PROT_WRITE)

static void
residency(const char *what, char *p, size_t n)
{
	unsigned char vec[16];

	printf("%s:", what);
	if (mincore(p, n * PAGE, vec) != 0) {
		printf(" %s\n", error_name(-1));
		return;
	}
	for (size_t i = 0; i < n; i++)
		printf(" %d", vec[i] & 1);
	printf("\n");
}

/* Root may lock what it likes; the simulated root may not. */
static void
drop_capability(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) != 0)
		return;
	d[0].effective &= ~(1u << CAP_IPC_LOCK);
	(void)syscall(SYS_capset, &h, d);
}

static void
locking(void)
{
	struct rlimit rl = { 64 * PAGE, 64 * PAGE };
	char *p = anon(100 * PAGE, RW), *f;
	int fd = make_file("lock.dat", 4 * PAGE);

	drop_capability();
	setrlimit(RLIMIT_MEMLOCK, &rl);
	say("mlock", mlock(p + 10, 5 * PAGE));
	residency("locked pages are resident", p, 8);
	say("munlock", munlock(p, 6 * PAGE));
	say("lock too much", mlock(p, 65 * PAGE));
	say("lock as much as may be", mlock(p, 64 * PAGE));
	say("the same again", mlock(p, 64 * PAGE));
	say("one more", mlock(p + 64 * PAGE, PAGE));
	say("unlock half", munlock(p, 32 * PAGE));
	say("one more now", mlock(p + 64 * PAGE, PAGE));
	say("dontneed of locked pages", madvise(p + 64 * PAGE, PAGE,
	    MADV_DONTNEED));
	say("mlockall", mlockall(MCL_CURRENT));
	say("mlockall of nothing", mlockall(0));
	say("mlockall bad", mlockall(64));
	say("munlockall", munlockall());
	f = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	say("lock a file", mlock(f, 4 * PAGE));
	residency("resident", f, 4);
	munlockall();
	munmap(p + 5 * PAGE, PAGE);
	say("lock over a hole", mlock(p, 10 * PAGE));
	say("unlock over a hole", munlock(p, 10 * PAGE));
	say("mlockall for the future", mlockall(MCL_FUTURE));
	say_map("a map of 16 pages", p = mmap(NULL, 16 * PAGE, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	residency("locked at once", p, 8);
	say_map("a map of 100 pages", mmap(NULL, 100 * PAGE, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	munlockall();
}

static void
syncing(void)
{
	int fd = make_file("sync.dat", 4 * PAGE);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0), c;

	p[PAGE] = '1';
	say("sync", msync(p, 4 * PAGE, MS_SYNC));
	say("async", msync(p, 4 * PAGE, MS_ASYNC));
	say("both", msync(p, PAGE, MS_SYNC | MS_ASYNC));
	say("neither", msync(p, PAGE, 0));
	say("bad flags", msync(p, PAGE, 64));
	say("unaligned", msync(p + 1, PAGE, MS_SYNC));
	say("nothing", msync(p, 0, MS_SYNC));
	munmap(p + 2 * PAGE, PAGE);
	p[3 * PAGE] = '3';
	say("over a hole", msync(p, 4 * PAGE, MS_SYNC));
	if (pread(fd, &c, 1, 3 * PAGE) != 1)
		exit(1);
	printf("file has %c\n", c);
	say("fsync", fsync(fd));
	say("fdatasync", fdatasync(fd));
}

int
main(void)
{
	char *p = anon(8 * PAGE, RW);
	unsigned char vec[8];

	residency("untouched", p, 8);
	p[0] = p[3 * PAGE] = p[7 * PAGE] = 1;
	residency("three touched", p, 8);
	madvise(p, PAGE, MADV_DONTNEED);
	residency("one dropped", p, 8);
	say("unaligned", mincore(p + 1, PAGE, vec));
	say("nothing", mincore(p, 0, vec));
	munmap(p + 4 * PAGE, PAGE);
	residency("over a hole", p, 8);
	syncing();
	locking();
	return (0);
}
