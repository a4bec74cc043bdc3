/*
 * rng.c: random streams.
 *
 * Interface: sim.h (randomness).
 * Source:    xoshiro256** 1.0 and SplitMix64 (Blackman and Vigna, 2018;
 *            public domain), FNV-1a (Fowler, Noll, Vo), bounded draws by
 *            Lemire's multiplication with rejection (2019).
 *
 * One stream per purpose, so that a draw more in one module changes no other
 * module's numbers.
 */
#include "sim/base/sim_int.h"

#define FNV_OFFSET 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull
#define PPM 1000000u

static uint64_t
fnv1a(const char *s)
{
	uint64_t h = FNV_OFFSET;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * FNV_PRIME;
	return (h);
}

static uint64_t
splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (z ^ (z >> 31));
}

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k | x >> (64 - k));
}

void
sim_rng_init(struct sim_rng *rng, uint64_t rng_seed, const char *purpose)
{
	uint64_t state = rng_seed;

	/* mix the seed first: seeds 1, 2, 3 are far apart for any purpose */
	state = splitmix64(&state) ^ fnv1a(purpose);
	for (int i = 0; i < 4; i++)
		rng->s[i] = splitmix64(&state);
}

uint64_t
sim_rng_next(struct sim_rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return (result);
}

uint64_t
sim_rng_below(struct sim_rng *rng, uint64_t bound)
{
	unsigned __int128 m;
	uint64_t reject;

	m = (unsigned __int128)sim_rng_next(rng) * bound;
	if ((uint64_t)m < bound) {
		reject = -bound % bound;
		while ((uint64_t)m < reject)
			m = (unsigned __int128)sim_rng_next(rng) * bound;
	}
	return ((uint64_t)(m >> 64));
}

bool
sim_rng_chance(struct sim_rng *rng, uint32_t ppm)
{
	return (sim_rng_below(rng, PPM) < ppm);
}
