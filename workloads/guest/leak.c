/*
 * leak: takes more and more memory, touches it once and never again, until
 * it has reached its limit or is killed.
 */
#include "guest.h"

int
main(int argc, char **argv)
{
	uint64_t limit = 16 << 20, step = 256 << 10, every = 10, sum = 0;
	const struct guest_option options[] = {
		{ "limit", &limit, 4096, 1ull << 40, "bytes, then it ends" },
		{ "step", &step, 4096, 1ull << 40, "bytes at a time" },
		{ "every", &every, 0, 1u << 30, "milliseconds between steps" },
		{ NULL, NULL, 0, 0, NULL },
	};

	guest_options(argc, argv, "leak",
	    "Takes more and more memory and forgets it.", options);
	for (uint64_t have = 0; have < limit; have += step) {
		uint64_t *p = guest_memory("leak", step);

		for (uint64_t i = 0; i < step / 8; i += GUEST_PAGE / 8) {
			p[i] = have + i;
			sum = guest_mix(sum, p[i]);
		}
		guest_sleep_ms(every);
	}
	return (guest_done("leak", sum));
}
