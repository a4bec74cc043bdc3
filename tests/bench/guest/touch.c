/* One store to each page of fresh memory, again and again: zero-fill faults. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int
main(int argc, char **argv)
{
	size_t mb = argc > 1 ? (size_t)atoi(argv[1]) : 64;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	size_t n = mb << 20, count = 0;

	for (unsigned r = 0; r < rounds; r++) {
		volatile char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return (1);
		for (size_t i = 0; i < n; i += 4096) {
			p[i] = 1;
			count++;
		}
		munmap((void *)p, n);
	}
	printf("%zu\n", count);
	return (0);
}
