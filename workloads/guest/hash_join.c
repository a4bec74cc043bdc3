/*
 * hash_join: a database's join: rows of one table go into a hash table,
 * those of another, larger one look for their partners. The build writes at
 * random, the probe reads at random, the inputs are read in order.
 */
#include "guest.h"

struct row {
	uint64_t key, value;
};

static uint64_t
slot_of(uint64_t key, uint64_t mask)
{
	return (((key * 0x9e3779b97f4a7c15u) >> 20) & mask);
}

static void
build(struct row *table, uint64_t mask, const struct row *in, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t s = slot_of(in[i].key, mask);

		while (table[s].key != 0)
			s = (s + 1) & mask;
		table[s] = in[i];
	}
}

/* All partners of all rows. */
static uint64_t
probe(const struct row *table, uint64_t mask, const struct row *in, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t s = slot_of(in[i].key, mask);

		for (; table[s].key != 0; s = (s + 1) & mask) {
			if (table[s].key == in[i].key)
				sum = guest_mix(sum, table[s].value ^
				    in[i].value);
		}
	}
	return (sum);
}

static struct row *
make_rows(uint64_t n, uint64_t keys, uint64_t *seed)
{
	struct row *r = guest_memory("hash_join", n * sizeof(*r));

	for (uint64_t i = 0; i < n; i++) {
		r[i].key = 1 + guest_below(seed, keys);
		r[i].value = guest_random(seed);
	}
	return (r);
}

int
main(int argc, char **argv)
{
	uint64_t inner = 50000, outer = 150000, seed = 1, slots = 64;
	const struct guest_option options[] = {
		{ "build", &inner, 1, 1u << 28, "rows of the hash table" },
		{ "probe", &outer, 1, 1u << 28, "rows of the other table" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	struct row *a, *b, *table;

	guest_options(argc, argv, "hash_join",
	    "Joins two tables of 16-byte rows with a hash table.", options);
	while (slots < inner * 2)
		slots *= 2;
	a = make_rows(inner, inner, &seed);
	b = make_rows(outer, inner * 2, &seed);
	table = guest_memory("hash_join", slots * sizeof(*table));
	build(table, slots - 1, a, inner);
	return (guest_done("hash_join", probe(table, slots - 1, b, outer)));
}
