/* Semantics 9: limits on memory; brk. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define MIB (1ul << 20)

static void
limit(int which, unsigned long n)
{
	struct rlimit rl = { n, RLIM_INFINITY };

	if (setrlimit(which, &rl) != 0)
		perror("setrlimit");
}

static void
brk_tests(void)
{
	char *start = sbrk(0), *p;

	printf("grow: %d\n", sbrk(10 * PAGE) == start);
	memset(start, 3, 10 * PAGE);
	sbrk(-5 * (long)PAGE);
	say_fault("shrunk memory is gone", try_read(start + 7 * PAGE));
	sbrk(5 * PAGE);
	printf("grown again: %d %d\n", start[4 * PAGE], start[7 * PAGE]);
	/* unaligned */
	p = sbrk(0);
	sbrk(100);
	printf("by bytes: %ld\n", (long)((char *)sbrk(0) - p));
	/* the call itself answers the break on failure */
	p = sbrk(0);
	printf("below the start: %d\n", (char *)syscall(SYS_brk, 1) == p);
	printf("query: %d\n", (char *)syscall(SYS_brk, 0) == p);
	printf("far too much: %d\n",
	    (char *)syscall(SYS_brk, 0x7fffffffffff) == p);
	/* into another mapping */
	p = (char *)(((uintptr_t)sbrk(0) + 64 * PAGE) & ~(PAGE - 1));
	if (mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
	    != p)
		printf("mmap failed\n");
	start = sbrk(0);
	say("into a mapping", brk(p + PAGE));
	printf("unchanged: %d\n", sbrk(0) == start);
	munmap(p, PAGE);
	say("and without it", brk(p + PAGE));
}

int
main(void)
{
	char *p;

	catch_faults();
	setbuf(stdout, NULL);
	brk_tests();
	limit(RLIMIT_DATA, 16 * MIB);
	p = sbrk(0);
	say("brk beyond the data limit", brk(p + 32 * MIB));
	say("brk within it", brk(p + MIB));
	say_map("mmap beyond the data limit", mmap(NULL, 32 * MIB, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_map("read-only does not count", mmap(NULL, 32 * MIB, PROT_READ,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_map("shared does not count", mmap(NULL, 32 * MIB, RW,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	p = mmap(NULL, 32 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	say("mprotect beyond the data limit", mprotect(p, 32 * MIB, RW));
	limit(RLIMIT_DATA, RLIM_INFINITY);
	limit(RLIMIT_AS, 256 * MIB);
	say_map("mmap beyond the address limit", mmap(NULL, 512 * MIB,
	    PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_map("mmap within it", mmap(NULL, 16 * MIB, RW,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	say_map("mremap beyond it", mremap(p, 32 * MIB, 512 * MIB,
	    MREMAP_MAYMOVE));
	p = sbrk(0);
	say("brk beyond it", brk(p + 300 * MIB));
	printf("malloc beyond it: %s\n", malloc(400 * MIB) == NULL ?
	    error_name(-1) : "ok");
	limit(RLIMIT_AS, RLIM_INFINITY);
	limit(RLIMIT_FSIZE, 10000);
	signal(SIGXFSZ, SIG_IGN);
	make_file("limits.dat", 8192);
	{
		int fd = open("limits.dat", O_RDWR);
		char buf[4096] = "x";

		printf("write up to the limit: %ld\n", (long)pwrite(fd, buf,
		    4096, 8192));
		say("write at the limit", pwrite(fd, buf, 1, 10000));
		say("truncate beyond it", ftruncate(fd, 20000));
	}
	limit(RLIMIT_NOFILE, 8);
	for (int i = 0; i < 10; i++) {
		if (open("limits.dat", O_RDONLY) < 0) {
			say("open", -1);
			break;
		}
	}
	say("dup2 beyond the limit", dup2(0, 100));
	return (0);
}
