/*
 * Random streams: reference values computed with an independent
 * implementation of SplitMix64 and xoshiro256** (Python, arbitrary
 * precision), independence of purposes, uniformity, bounds.
 */
#include <string.h>

#include "sim/base/sim.h"
#include "unit/suite.h"

static const struct {
	uint64_t seed;
	const char *purpose;
	uint64_t value[4];
} reference[] = {
	{ 0x0ull, "",
	    { 0x1e28178eedbf0f30ull, 0x32dadb1a9e4a4d08ull,
		0x4ef49088479a6d5cull, 0x03b90a6cd230303eull } },
	{ 0x1ull, "disk0",
	    { 0xa61571e3593a6047ull, 0xd44833d4cd0abe14ull,
		0xae0da52ed56417e0ull, 0xa8a8e3cf8e2a6d0full } },
	{ 0xffffffffffffffffull, "fault injection",
	    { 0x0f2e0934577fcd2eull, 0x1c936a851205a7b5ull,
		0xd12066a0d631be63ull, 0x97d3b32a7e62b591ull } },
};

START_TEST(matches_the_reference)
{
	for (size_t i = 0; i < sizeof(reference) / sizeof(reference[0]);
	    i++) {
		struct sim_rng rng;

		sim_rng_init(&rng, reference[i].seed, reference[i].purpose);
		for (int k = 0; k < 4; k++)
			ck_assert_uint_eq(sim_rng_next(&rng),
			    reference[i].value[k]);
	}
}
END_TEST

/* The algorithm's own check value: state 1, 2, 3, 4 (Blackman and Vigna). */
START_TEST(xoshiro_from_a_known_state)
{
	struct sim_rng rng = { { 1, 2, 3, 4 } };

	ck_assert_uint_eq(sim_rng_next(&rng), 11520);
	ck_assert_uint_eq(sim_rng_next(&rng), 0);
	ck_assert_uint_eq(sim_rng_next(&rng), 1509978240);
	ck_assert_uint_eq(sim_rng_next(&rng), 1215971899390074240ull);
}
END_TEST

START_TEST(purposes_and_seeds_differ)
{
	struct sim_rng a, b, c, d;
	int same = 0;

	sim_rng_init(&a, 1, "disk0");
	sim_rng_init(&b, 1, "disk1");
	sim_rng_init(&c, 2, "disk0");
	sim_rng_init(&d, 1, "disk0");
	for (int i = 0; i < 1000; i++) {
		uint64_t x = sim_rng_next(&a);

		same += x == sim_rng_next(&b);
		same += x == sim_rng_next(&c);
		ck_assert_uint_eq(x, sim_rng_next(&d));
	}
	ck_assert_int_eq(same, 0);
}
END_TEST

START_TEST(below_stays_below)
{
	struct sim_rng rng;
	static const uint64_t bounds[] = { 1, 2, 3, 7, 1000, 1ull << 32,
		(1ull << 63) + 1, UINT64_MAX };

	sim_rng_init(&rng, 99, "bounds");
	for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++)
		for (int i = 0; i < 2000; i++)
			ck_assert_uint_lt(sim_rng_below(&rng, bounds[b]),
			    bounds[b]);
}
END_TEST

/* Chi-square of 10 bins, 100,000 draws; 27.9 is the 0.1 % point. */
START_TEST(below_is_uniform)
{
	struct sim_rng rng;
	int64_t bins[10] = { 0 }, chi = 0;

	sim_rng_init(&rng, 5, "uniform");
	for (int i = 0; i < 100000; i++)
		bins[sim_rng_below(&rng, 10)]++;
	for (int i = 0; i < 10; i++)
		chi += (bins[i] - 10000) * (bins[i] - 10000);
	ck_assert_int_lt(chi, 279000);
}
END_TEST

/* A third of 2^64 as bound: a plain modulo would be grossly unfair. */
START_TEST(below_has_no_bias)
{
	struct sim_rng rng;
	uint64_t bound = UINT64_MAX / 4 * 3, low = 0;

	sim_rng_init(&rng, 6, "bias");
	for (int i = 0; i < 30000; i++)
		low += sim_rng_below(&rng, bound) < bound / 3;
	ck_assert_uint_gt(low, 9600);
	ck_assert_uint_lt(low, 10400);
}
END_TEST

START_TEST(chance_is_in_parts_per_million)
{
	struct sim_rng rng;
	int hits = 0;

	sim_rng_init(&rng, 7, "chance");
	for (int i = 0; i < 1000; i++) {
		ck_assert(!sim_rng_chance(&rng, 0));
		ck_assert(sim_rng_chance(&rng, 1000000));
	}
	for (int i = 0; i < 100000; i++)
		hits += sim_rng_chance(&rng, 10000);
	ck_assert_int_gt(hits, 850);
	ck_assert_int_lt(hits, 1150);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		matches_the_reference,
		xoshiro_from_a_known_state,
		purposes_and_seeds_differ,
		below_stays_below,
		below_is_uniform,
		below_has_no_bias,
		chance_is_in_parts_per_million,
	};

	return (SUITE_MAIN("sim_rng", tests));
}
