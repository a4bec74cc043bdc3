/*
 * alloc_churn: malloc and free of blocks of mixed sizes in random order, with
 * their contents checked: heap growth, holes, and maps that come and go.
 */
#include "guest.h"

struct block {
	unsigned char *p;
	uint64_t size;
	unsigned char fill;
};

/* Mostly small, some of pages, few large enough for a map of their own. */
static uint64_t
pick_size(uint64_t *seed, uint64_t large)
{
	uint64_t kind = guest_below(seed, 100);

	if (kind < 80)
		return (16 + guest_below(seed, 500));
	if (kind < 97)
		return (1024 + guest_below(seed, 15000));
	return (1 + guest_below(seed, large));
}

static uint64_t
drop(struct block *b)
{
	uint64_t sum = b->size;

	if (b->p == NULL)
		return (0);
	for (uint64_t i = 0; i < b->size; i += 509)
		sum = guest_mix(sum, b->p[i]);
	if (b->p[b->size - 1] != b->fill) {
		fprintf(stderr, "alloc_churn: a block has changed\n");
		exit(70);
	}
	free(b->p);
	b->p = NULL;
	return (sum);
}

int
main(int argc, char **argv)
{
	uint64_t blocks = 1000, ops = 20000, large = 300000, seed = 1, sum = 0;
	const struct guest_option options[] = {
		{ "blocks", &blocks, 1, 1u << 26, "alive at a time, at most" },
		{ "ops", &ops, 1, UINT64_MAX, "blocks taken" },
		{ "large", &large, 1, 1u << 30, "bytes of the largest" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	struct block *b;

	guest_options(argc, argv, "alloc_churn",
	    "Allocates and frees blocks of mixed sizes.", options);
	b = guest_memory("alloc_churn", blocks * sizeof(*b));
	for (uint64_t n = 0; n < ops; n++) {
		struct block *x = &b[guest_below(&seed, blocks)];

		sum = guest_mix(sum, drop(x));
		x->size = pick_size(&seed, large);
		x->fill = (unsigned char)n;
		x->p = malloc(x->size);
		if (x->p == NULL) {
			fprintf(stderr, "alloc_churn: out of memory\n");
			return (71);
		}
		memset(x->p, x->fill, x->size);
	}
	for (uint64_t i = 0; i < blocks; i++)
		sum = guest_mix(sum, drop(&b[i]));
	return (guest_done("alloc_churn", sum));
}
