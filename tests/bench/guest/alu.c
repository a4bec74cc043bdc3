/* Resident and CPU-bound: integer arithmetic in loops, a few KB of data. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 48

static uint32_t a[N][N], b[N][N], c[N][N];

static void
multiply(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			uint32_t s = 0;

			for (int k = 0; k < N; k++)
				s += a[i][k] * b[k][j];
			c[i][j] = s;
		}
}

static uint32_t
crc(const uint8_t *p, size_t n)
{
	uint32_t r = ~0u;

	while (n-- > 0) {
		r ^= *p++;
		for (int k = 0; k < 8; k++)
			r = r >> 1 ^ (0xedb88320u & -(r & 1));
	}
	return (~r);
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	uint64_t sum = 0, x = 88172645463325252ull;

	for (int i = 0; i < N * N; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		a[i / N][i % N] = (uint32_t)x;
		b[i % N][i / N] = (uint32_t)(x >> 32);
	}
	for (unsigned r = 0; r < rounds; r++) {
		multiply();
		sum = sum * 31 + crc((const uint8_t *)c, sizeof(c));
		a[r % N][r % N] += (uint32_t)sum;
	}
	printf("%llu\n", (unsigned long long)sum);
	return (0);
}
