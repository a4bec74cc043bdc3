/* Resident and CPU-bound: arithmetic, branches, calls; a few KB of data. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t
collatz(uint64_t n)
{
	uint32_t steps = 0;

	while (n != 1) {
		n = n & 1 ? 3 * n + 1 : n / 2;
		steps++;
	}
	return (steps);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y ? -1 : x > y);
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	static uint32_t v[1024];
	uint64_t sum = 0, x = 88172645463325252ull;

	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < 1024; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			v[i] = (uint32_t)x;
		}
		qsort(v, 1024, sizeof(v[0]), compare);
		for (unsigned i = 0; i < 1024; i += 8)
			sum += collatz(v[i] | 1) + v[i] / (i + 1);
	}
	printf("%llu\n", (unsigned long long)sum);
	return (0);
}
