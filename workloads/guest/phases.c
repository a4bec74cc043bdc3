/*
 * phases: a working set that moves: random accesses within a window of an
 * array, which is shifted after each phase (Denning's working-set model).
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, set = 1 << 20, shift = 768 << 10,
	    phases = 12, ops = 20000, write = 30, seed = 1;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 40, "bytes of the array" },
		{ "set", &set, 4096, 1ull << 40, "bytes of the working set" },
		{ "shift", &shift, 0, 1ull << 40, "bytes it moves by" },
		{ "phases", &phases, 1, UINT64_MAX, "phases" },
		{ "ops", &ops, 1, UINT64_MAX, "accesses in a phase" },
		{ "write", &write, 0, 100, "percent that write" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t sum = 0, base = 0, words, *a;

	guest_options(argc, argv, "phases",
	    "Random accesses within a working set that moves.", options);
	words = size / 8;
	if (set > size)
		set = size;
	a = guest_memory("phases", size);
	for (uint64_t p = 0; p < phases; p++) {
		for (uint64_t n = 1; n <= ops; n++) {
			uint64_t i = (base + guest_below(&seed, set / 8)) %
			    words;

			if (guest_below(&seed, 100) < write)
				a[i] += n + p;
			sum = guest_mix(sum, a[i]);
		}
		base = (base + shift / 8) % words;
	}
	return (guest_done("phases", sum));
}
