/*
 * stack_distance: every access goes to the page that was used so many other
 * pages ago (its LRU stack distance), drawn from a range. An LRU memory of
 * more pages than the largest distance never misses; one of fewer than the
 * smallest always does (Mattson et al. 1970).
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 8 << 20, near = 1, far = 400, ops = 100000,
	    write = 30, seed = 1;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 36, "bytes" },
		{ "near", &near, 0, 1u << 24, "smallest distance, pages" },
		{ "far", &far, 0, 1u << 24, "largest distance, pages" },
		{ "ops", &ops, 1, UINT64_MAX, "accesses" },
		{ "write", &write, 0, 100, "percent that write" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t sum = 0, n, *a;
	uint32_t *stack; /* most recently used page first */

	guest_options(argc, argv, "stack_distance",
	    "Accesses at chosen LRU stack distances.", options);
	n = size / GUEST_PAGE;
	if (far < near || far >= n)
		guest_bad("stack_distance", "--far", "it must be from --near "
		    "to the number of pages less one");
	a = guest_memory("stack_distance", n * GUEST_PAGE);
	stack = guest_memory("stack_distance", n * sizeof(*stack));
	for (uint64_t i = 0; i < n; i++)
		stack[i] = (uint32_t)i;
	for (uint64_t i = 1; i <= ops; i++) {
		uint64_t d = near + guest_below(&seed, far - near + 1);
		uint32_t page = stack[d];
		uint64_t *w = a + page * (GUEST_PAGE / 8ull) +
		    guest_below(&seed, GUEST_PAGE / 8);

		memmove(stack + 1, stack, d * sizeof(*stack));
		stack[0] = page;
		if (guest_below(&seed, 100) < write)
			*w += i;
		sum = guest_mix(sum, *w ^ d);
	}
	return (guest_done("stack_distance", sum));
}
