/*
 * sequential: passes over an array, page by page or with another stride:
 * the pattern that LRU likes least when the array is larger than memory.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, rounds = 4, stride = 64, write = 1;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 40, "bytes" },
		{ "rounds", &rounds, 1, UINT64_MAX, "passes" },
		{ "stride", &stride, 8, 1ull << 30, "bytes between accesses" },
		{ "write", &write, 0, 1, "1: every access writes" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t sum = 0, *a;

	guest_options(argc, argv, "sequential",
	    "Passes over an array from one end to the other.", options);
	a = guest_memory("sequential", size);
	for (uint64_t r = 1; r <= rounds; r++) {
		for (uint64_t i = 0; i + 8 <= size; i += stride) {
			if (write)
				a[i / 8] += r * i + 1;
			sum = guest_mix(sum, a[i / 8]);
		}
	}
	return (guest_done("sequential", sum));
}
