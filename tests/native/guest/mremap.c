/* Semantics 5: mremap. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)

static void
fill(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memset(p + i * PAGE, (int)(i + 1), PAGE);
}

static void
show(const char *what, const char *p, size_t n)
{
	printf("%s:", what);
	for (size_t i = 0; i < n; i++)
		printf(" %d", p[i * PAGE + 17]);
	printf("\n");
}

int
main(void)
{
	char *p, *q, *h;
	int fd;

	catch_faults();
	h = hole(8);
	p = mmap(h, 4 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	    0);
	fill(p, 4);
	q = mremap(p, 4 * PAGE, 2 * PAGE, 0);
	printf("shrunk in place: %d\n", q == p);
	say_fault("the rest is gone", try_read(p + 2 * PAGE));
	q = mremap(p, 2 * PAGE, 6 * PAGE, 0);
	printf("grown in place: %d\n", q == p);
	show("new pages are zero", p, 6);
	q = mremap(p, 6 * PAGE, 9 * PAGE, 0);
	say_map("no room and may not move", q);
	q = mremap(p, 6 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
	printf("moved: %d\n", q != MAP_FAILED && q != p);
	show("contents moved along", q, 9);
	say_fault("nothing is left behind", try_read(p));
	/* fixed */
	h = hole(12);
	p = mremap(q, 9 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, h);
	printf("moved to its place: %d\n", p == h);
	show("there", p, 10);
	say_map("fixed without may-move", mremap(p, PAGE, PAGE, MREMAP_FIXED,
	    h));
	say_map("fixed unaligned", mremap(p, PAGE, PAGE, MREMAP_MAYMOVE |
	    MREMAP_FIXED, h + 1));
	say_map("fixed overlapping", mremap(p, 4 * PAGE, 4 * PAGE,
	    MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * PAGE));
	say_map("unaligned", mremap(p + 1, PAGE, PAGE, MREMAP_MAYMOVE));
	say_map("to nothing", mremap(p, PAGE, 0, MREMAP_MAYMOVE));
	say_map("bad flags", mremap(p, PAGE, PAGE, 0x40));
	h = hole(2);
	say_map("unmapped source", mremap(h, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	/* over something else: that is replaced */
	q = anon(2 * PAGE, RW);
	fill(q, 2);
	h = mremap(p + 3 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE |
	    MREMAP_FIXED, q);
	show("replaced", h, 2);
	say_fault("hole where it was", try_read(p + 3 * PAGE));
	show("before it", p, 3);
	/* a file mapping grows with its file */
	fd = make_file("mremap.dat", 6 * PAGE);
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, PAGE);
	p[0] = 'Z';
	q = mremap(p, 2 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	printf("file: %c%c %c %c %c %c\n", q[0], q[1], q[PAGE], q[2 * PAGE],
	    q[3 * PAGE], q[4 * PAGE]);
	/* malloc's use: a large block grown again and again */
	q = malloc(200000);
	memset(q, 7, 200000);
	for (size_t n = 300000; n < 4000000; n += 400000) {
		q = realloc(q, n);
		q[n - 1] = 9;
	}
	printf("realloc: %d %d\n", q[0], q[199999]);
	return (0);
}
