/*
 * editor: an idle interactive program: it reads its text once, then sleeps,
 * wakes up for a key, touches a little, and sleeps again.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t size = 512 << 10, idle = 1000, touch = 8, rounds = 10,
	    seed = 1, sum = 0, pages, *a;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 36, "bytes of its text" },
		{ "idle", &idle, 0, 1u << 30, "milliseconds between keys" },
		{ "touch", &touch, 0, 1u << 24, "pages touched for a key" },
		{ "rounds", &rounds, 0, UINT64_MAX, "keys" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};

	guest_options(argc, argv, "editor",
	    "Sleeps, touches a few pages, and sleeps again.", options);
	pages = size / GUEST_PAGE;
	a = guest_memory("editor", pages * GUEST_PAGE);
	for (uint64_t p = 0; p < pages; p++)
		a[p * (GUEST_PAGE / 8)] = p * seed;
	for (uint64_t r = 1; r <= rounds; r++) {
		uint64_t at = guest_below(&seed, pages);

		guest_sleep_ms(idle);
		for (uint64_t i = 0; i < touch; i++) {
			uint64_t *w = a + (at + i) % pages * (GUEST_PAGE / 8);

			*w += r;
			sum = guest_mix(sum, *w);
		}
	}
	return (guest_done("editor", sum));
}
