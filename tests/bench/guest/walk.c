/* Resident and memory-bound: a random cycle through some megabytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	size_t mb = argc > 1 ? (size_t)atoi(argv[1]) : 16;
	size_t steps = argc > 2 ? (size_t)atoll(argv[2]) : 20000000;
	size_t n = mb * 1024 * 1024 / sizeof(uint32_t);
	uint32_t *next = malloc(n * sizeof(*next));
	uint64_t x = 88172645463325252ull, sum = 0;
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++)
		next[i] = (uint32_t)i;
	for (size_t i = n - 1; i > 0; i--) {
		size_t j;
		uint32_t t;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		j = x % i;
		t = next[i];
		next[i] = next[j];
		next[j] = t;
	}
	for (size_t i = 0; i < steps; i++) {
		at = next[at];
		sum += at;
		if ((i & 7) == 0)
			next[at] = next[at];
	}
	printf("%llu\n", (unsigned long long)sum);
	return (0);
}
