/* Semantics 2: which arguments give which error. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static long
m(void *at, size_t n, int prot, int flags, int fd, long off)
{
	return (syscall(SYS_mmap, at, n, prot, flags, fd, off));
}

int
main(void)
{
	int fd = make_file("errors.dat", 2 * PAGE), wo, ro, dir, p[2];
	char *a;

	wo = open("errors.dat", O_WRONLY);
	ro = open("errors.dat", O_RDONLY);
	dir = open(".", O_RDONLY);
	if (pipe(p) != 0)
		return (1);
	say("length 0", m(NULL, 0, RW, ANON, -1, 0));
	say("length 0 of a file", m(NULL, 0, RW, MAP_PRIVATE, fd, 0));
	say("no type", m(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	say("no type, file", m(NULL, PAGE, RW, 0, fd, 0));
	say("unaligned fixed", m((void *)0x10000010, PAGE, RW,
	    ANON | MAP_FIXED, -1, 0));
	say("unaligned offset", m(NULL, PAGE, RW, MAP_PRIVATE, fd, 100));
	say("unaligned offset, bad fd", m(NULL, PAGE, RW, MAP_PRIVATE, 999,
	    100));
	say("bad fd", m(NULL, PAGE, RW, MAP_PRIVATE, 999, 0));
	say("bad fd, length 0", m(NULL, 0, RW, MAP_PRIVATE, 999, 0));
	say("half the address space", m(NULL, 1ul << 46, PROT_NONE,
	    ANON | MAP_NORESERVE, -1, 0));
	say("all of it", m(NULL, 1ul << 47, PROT_NONE, ANON | MAP_NORESERVE,
	    -1, 0));
	say("more", m(NULL, ~0ul, RW, ANON, -1, 0));
	say("rounds to nothing", m(NULL, ~0ul - 10, RW, ANON, -1, 0));
	say("fixed past the end", m((void *)0x7ffffffff000, 2 * PAGE, RW,
	    ANON | MAP_FIXED, -1, 0));
	say("fixed far out", m((void *)0xffff800000000000, PAGE, RW,
	    ANON | MAP_FIXED, -1, 0));
	say("offset overflow", m(NULL, PAGE, RW, MAP_PRIVATE, fd,
	    (long)0xfffffffffffff000));
	say("directory", m(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0));
	say("directory shared", m(NULL, PAGE, PROT_READ, MAP_SHARED, dir, 0));
	say("pipe", m(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
	say("write-only", m(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0));
	say("write-only shared", m(NULL, PAGE, PROT_WRITE, MAP_SHARED, wo,
	    0));
	say("read-only shared rw", m(NULL, PAGE, RW, MAP_SHARED, ro, 0));
	say("read-only private rw", m(NULL, PAGE, RW, MAP_PRIVATE, ro, 0));
	say("past the end of the file", m(NULL, PAGE, PROT_READ, MAP_PRIVATE,
	    ro, 100 * PAGE));
	/* rights cannot be raised above the descriptor's */
	a = (char *)m(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	say("mprotect of a read-only shared map", mprotect(a, PAGE, RW));
	a = (char *)m(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	say("mprotect of a private map", mprotect(a, PAGE, RW));
	say("mprotect unaligned", mprotect(a + 1, PAGE, RW));
	say("mprotect nothing", mprotect(a, 0, RW));
	say("mprotect bad rights", syscall(SYS_mprotect, a, PAGE, 0x100));
	say("munmap unaligned", munmap(a + 1, PAGE));
	say("munmap nothing", munmap(a, 0));
	say("munmap past the end", munmap((void *)0x7ffffffff000, 2 * PAGE));
	say("low memory hint", m((void *)PAGE, PAGE, RW, ANON, -1, 0));
	return (0);
}
