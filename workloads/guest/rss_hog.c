/*
 * rss_hog: touches every page of its memory again and again, for a number of
 * rounds, with a little work between two pages.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, rounds = 5, work = 50, seed = 1, sum = 0;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 40, "bytes" },
		{ "rounds", &rounds, 1, UINT64_MAX, "times" },
		{ "work", &work, 0, 1u << 30, "computations on each page" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t words, *a;

	guest_options(argc, argv, "rss_hog",
	    "Touches all of its memory again and again.", options);
	words = size / 8;
	a = guest_memory("rss_hog", size);
	for (uint64_t r = 1; r <= rounds; r++) {
		for (uint64_t i = 0; i < words; i += GUEST_PAGE / 8) {
			a[i] += r;
			for (uint64_t k = 0; k < work; k++)
				sum += guest_random(&seed);
			sum = guest_mix(sum, a[i]);
		}
	}
	return (guest_done("rss_hog", sum));
}
