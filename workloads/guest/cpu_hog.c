/*
 * cpu_hog: computes, and hardly touches memory.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t ops = 10000000, seed = 1, sum = 0;
	const struct guest_option options[] = {
		{ "ops", &ops, 1, UINT64_MAX, "random numbers made" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};

	guest_options(argc, argv, "cpu_hog",
	    "Computes without using memory.", options);
	for (uint64_t n = 0; n < ops; n++)
		sum += guest_random(&seed) >> (n & 7);
	return (guest_done("cpu_hog", sum));
}
