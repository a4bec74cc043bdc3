/* Resident and CPU-bound, branchy: a quicksort of our own and a binary search
 * over 64 KB. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 16384

static void
quicksort(uint32_t *v, int lo, int hi)
{
	while (lo < hi) {
		uint32_t pivot = v[(lo + hi) / 2], t;
		int i = lo, j = hi;

		while (i <= j) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j) {
				t = v[i];
				v[i++] = v[j];
				v[j--] = t;
			}
		}
		quicksort(v, lo, j);
		lo = i;
	}
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	static uint32_t v[N];
	uint64_t sum = 0, x = 88172645463325252ull;

	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < N; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			v[i] = (uint32_t)x;
		}
		quicksort(v, 0, N - 1);
		for (unsigned i = 0; i < N; i += 64)
			sum = sum * 31 + v[i];
	}
	printf("%llu\n", (unsigned long long)sum);
	return (0);
}
