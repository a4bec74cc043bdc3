/*
 * zipf: page k of an array is used with a probability in proportion to
 * 1 / k^alpha; the popular pages are scattered over the array. The weights
 * are made with integer logarithms and powers, the same everywhere.
 */
#include "guest.h"

typedef unsigned __int128 u128;

/* log2(x) with 32 binary places, x > 0. */
static uint64_t
log2_q32(uint64_t x)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(x);
	uint64_t m = x << (63 - whole), r = whole; /* m: 1.63 */

	for (int i = 0; i < 32; i++) {
		u128 sq = (u128)m * m; /* 2.126 */

		r <<= 1;
		if (sq >> 127) {
			r |= 1;
			m = (uint64_t)(sq >> 64);
		} else {
			m = (uint64_t)(sq >> 63);
		}
	}
	return (r);
}

static uint64_t
root(u128 x)
{
	uint64_t r = 0;

	for (int b = 63; b >= 0; b--) {
		uint64_t t = r | 1ull << b;

		if ((u128)t * t <= x)
			r = t;
	}
	return (r);
}

/* 2^46 / 2^(y / 2^32): halves by whole steps, roots of 2 by binary places. */
static uint64_t
weight(uint64_t y, const uint64_t roots[32])
{
	uint64_t p = 1ull << 62; /* 2.62 */

	for (int i = 0; i < 32; i++) {
		if (y & 1ull << (31 - i))
			p = (uint64_t)(((u128)p << 62) / roots[i]);
	}
	return (y >> 32 >= 46 ? 1 : (p >> 16 >> (y >> 32)) + 1);
}

static void
make_weights(uint64_t *sum, uint64_t n, uint64_t alpha)
{
	uint64_t roots[32], acc = 0;
	uint64_t two = root((u128)1 << 125); /* sqrt(2), 2.62 */

	for (int i = 0; i < 32; i++) {
		roots[i] = two;
		two = root((u128)two << 62);
	}
	for (uint64_t k = 1; k <= n; k++) {
		acc += weight((uint64_t)((u128)log2_q32(k) * alpha / 100),
		    roots);
		sum[k - 1] = acc;
	}
}

static uint64_t
search(const uint64_t *sum, uint64_t n, uint64_t v)
{
	uint64_t low = 0, high = n - 1;

	while (low < high) {
		uint64_t mid = (low + high) / 2;

		if (sum[mid] > v)
			high = mid;
		else
			low = mid + 1;
	}
	return (low);
}

static void
shuffle(uint32_t *place, uint64_t n, uint64_t *seed)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t k = guest_below(seed, i + 1);

		place[i] = place[k];
		place[k] = (uint32_t)i;
	}
}

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, ops = 200000, alpha = 90, write = 30,
	    seed = 1, work = 0, computed = 1;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 36, "bytes" },
		{ "ops", &ops, 1, UINT64_MAX, "accesses" },
		{ "alpha", &alpha, 0, 300, "exponent in hundredths" },
		{ "write", &write, 0, 100, "percent that write" },
		{ "work", &work, 0, 1u << 30, "computations on each access" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t check = 0, n, *a, *sum;
	uint32_t *place;

	guest_options(argc, argv, "zipf",
	    "Accesses to pages whose popularity follows Zipf's law.", options);
	n = size / GUEST_PAGE;
	a = guest_memory("zipf", n * GUEST_PAGE);
	sum = guest_memory("zipf", n * sizeof(*sum));
	place = guest_memory("zipf", n * sizeof(*place));
	make_weights(sum, n, alpha);
	shuffle(place, n, &seed);
	for (uint64_t i = 1; i <= ops; i++) {
		uint64_t k = search(sum, n, guest_below(&seed, sum[n - 1]));
		uint64_t *w = a + place[k] * (GUEST_PAGE / 8ull) +
		    guest_below(&seed, GUEST_PAGE / 8);

		if (guest_below(&seed, 100) < write)
			*w += i;
		for (uint64_t j = 0; j < work; j++)
			*w ^= guest_random(&computed) & 1;
		check = guest_mix(check, *w ^ k);
	}
	return (guest_done("zipf", check));
}
