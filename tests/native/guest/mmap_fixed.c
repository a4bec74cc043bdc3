/* Semantics 1: MAP_FIXED replaces, a hint is a hint, NOREPLACE refuses. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void
pages(const char *what, const char *p, size_t n)
{
	printf("%s:", what);
	for (size_t i = 0; i < n; i++) {
		int s = try_read(p + i * PAGE);

		if (s != 0)
			printf(" %s", signal_name(s));
		else
			printf(" %d", p[i * PAGE]);
	}
	printf("\n");
}

int
main(void)
{
	char *p, *q;
	int fd;

	catch_faults();
	p = anon(9 * PAGE, RW);
	for (int i = 0; i < 9; i++)
		p[(size_t)i * PAGE] = (char)(i + 1);
	/* in the middle: both neighbours stay */
	q = mmap(p + 3 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	printf("fixed at its place: %d\n", q == p + 3 * PAGE);
	pages("middle replaced", p, 9);
	/* a file over the edge of two mappings */
	fd = make_file("fixed.dat", 3 * PAGE);
	q = mmap(p + 4 * PAGE, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
	    fd, 0);
	printf("file at its place: %d\n", q == p + 4 * PAGE);
	pages("file over two", p, 9);
	say_fault("write to the file's pages", try_write(p + 4 * PAGE, 1));
	/* a hint that is free is taken, one that is not is passed over */
	q = hole(4);
	printf("free hint taken: %d\n", mmap(q, PAGE, RW, ANON, -1, 0) == q);
	*q = 77;
	p = mmap(q, PAGE, RW, ANON, -1, 0);
	printf("busy hint passed over: %d\n", p != q && p != MAP_FAILED);
	p = mmap(q + 100, PAGE, RW, ANON, -1, 0);
	printf("unaligned hint: %d\n", p != MAP_FAILED &&
	    ((uintptr_t)p & (PAGE - 1)) == 0);
	printf("what was there is untouched: %d\n", *q);
	/* MAP_FIXED_NOREPLACE */
	p = mmap(q, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	say_map("noreplace on something", p);
	p = mmap(q - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	say_map("noreplace partly on something", p);
	q = hole(3);
	p = mmap(q, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	printf("noreplace on nothing: %d\n", p == q);
	/* replaced memory is zero again */
	memset(p, 5, 2 * PAGE);
	p = mmap(p, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	printf("zero again: %d %d\n", p[0], p[2 * PAGE - 1]);
	/* an executable mapping is replaced too: new code runs */
	for (int i = 0; i < 3; i++) {
		unsigned char code[6] = { 0xb8, (unsigned char)(40 + i), 0, 0,
			0, 0xc3 };
		char *x = mmap(q, PAGE, RW | PROT_EXEC, ANON | MAP_FIXED, -1,
		    0);

		memcpy(x, code, sizeof(code));
		printf("code says %d\n", ((int (*)(void))(void *)x)());
	}
	return (0);
}
