/*
 * matrix: sums of a matrix of 32-bit numbers by rows, by columns or by
 * blocks: the same work, three very different patterns. The result is the
 * same for all orders.
 */
#include "guest.h"

/* One element: what it was is counted, and it is changed. */
static uint64_t
visit(uint32_t *m, uint64_t n, uint64_t row, uint64_t column, uint64_t round)
{
	uint32_t *e = m + row * n + column;

	*e = *e * 1664525u + (uint32_t)(row * 31 + column + round);
	return (*e * (row + 1) + column);
}

static uint64_t
by_blocks(uint32_t *m, uint64_t n, uint64_t block, uint64_t round)
{
	uint64_t sum = 0;

	for (uint64_t r = 0; r < n; r += block)
		for (uint64_t c = 0; c < n; c += block)
			for (uint64_t i = r; i < r + block && i < n; i++)
				for (uint64_t k = c; k < c + block && k < n;
				    k++)
					sum += visit(m, n, i, k, round);
	return (sum);
}

static uint64_t
by_lines(uint32_t *m, uint64_t n, int columns, uint64_t round)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		for (uint64_t k = 0; k < n; k++)
			sum += columns ? visit(m, n, k, i, round) :
			    visit(m, n, i, k, round);
	return (sum);
}

int
main(int argc, char **argv)
{
	uint64_t n = 1024, order = 0, block = 64, rounds = 2, sum = 0;
	const struct guest_option options[] = {
		{ "n", &n, 1, 1 << 20, "rows and columns, of 4 bytes each" },
		{ "order", &order, 0, 2, "0 rows, 1 columns, 2 blocks" },
		{ "block", &block, 1, 1 << 20, "side of a block" },
		{ "rounds", &rounds, 1, UINT64_MAX, "times" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint32_t *m;

	guest_options(argc, argv, "matrix",
	    "Visits a square matrix by rows, columns or blocks.", options);
	m = guest_memory("matrix", n * n * sizeof(*m));
	for (uint64_t r = 0; r < rounds; r++)
		sum = guest_mix(sum, order == 2 ? by_blocks(m, n, block, r) :
		    by_lines(m, n, order == 1, r));
	return (guest_done("matrix", sum));
}
