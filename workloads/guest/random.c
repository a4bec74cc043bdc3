/*
 * random: uniformly random accesses to an array: no replacement policy can
 * do better than keeping any part of it.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, ops = 200000, write = 30, seed = 1,
	    work = 0;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 40, "bytes" },
		{ "ops", &ops, 1, UINT64_MAX, "accesses" },
		{ "write", &write, 0, 100, "percent that write" },
		{ "work", &work, 0, 1u << 30, "computations on each access" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t sum = 0, *a;

	guest_options(argc, argv, "random",
	    "Uniformly random accesses to an array.", options);
	a = guest_memory("random", size);
	for (uint64_t n = 1; n <= ops; n++) {
		uint64_t i = guest_below(&seed, size / 8);

		if (guest_below(&seed, 100) < write)
			a[i] += n;
		for (uint64_t k = 0; k < work; k++)
			sum += guest_random(&seed);
		sum = guest_mix(sum, a[i]);
	}
	return (guest_done("random", sum));
}
