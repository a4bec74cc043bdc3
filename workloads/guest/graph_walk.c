/*
 * graph_walk: breadth-first searches of a random graph from several nodes:
 * pointer chasing with little locality, as garbage collectors and graph
 * databases have it.
 */
#include "guest.h"

struct graph {
	uint64_t n, degree;
	uint32_t *edge; /* degree successors of each node */
	uint32_t *depth; /* 0: not seen in this search */
	uint32_t *queue;
};

/* Half of the edges go near, half anywhere. */
static void
make_graph(struct graph *g, uint64_t *seed)
{
	for (uint64_t i = 0; i < g->n; i++) {
		for (uint64_t e = 0; e < g->degree; e++) {
			uint64_t to = e % 2 == 0 ? guest_below(seed, g->n) :
			    (i + 1 + guest_below(seed, 64)) % g->n;

			g->edge[i * g->degree + e] = (uint32_t)to;
		}
	}
}

static uint64_t
search(struct graph *g, uint32_t from)
{
	uint64_t head = 0, tail = 0, sum = 0;

	memset(g->depth, 0, g->n * sizeof(*g->depth));
	g->depth[from] = 1;
	g->queue[tail++] = from;
	while (head < tail) {
		uint32_t v = g->queue[head++];

		sum = guest_mix(sum, v * 64ull + g->depth[v]);
		for (uint64_t e = 0; e < g->degree; e++) {
			uint32_t to = g->edge[v * g->degree + e];

			if (g->depth[to] != 0)
				continue;
			g->depth[to] = g->depth[v] + 1;
			g->queue[tail++] = to;
		}
	}
	return (sum);
}

int
main(int argc, char **argv)
{
	uint64_t nodes = 100000, degree = 8, searches = 2, seed = 1, sum = 0;
	const struct guest_option options[] = {
		{ "nodes", &nodes, 2, 1u << 30, "nodes" },
		{ "degree", &degree, 1, 1024, "edges from each" },
		{ "searches", &searches, 1, UINT64_MAX, "searches" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	struct graph g;

	guest_options(argc, argv, "graph_walk",
	    "Breadth-first searches of a random graph.", options);
	g.n = nodes;
	g.degree = degree;
	g.edge = guest_memory("graph_walk", nodes * degree * 4);
	g.depth = guest_memory("graph_walk", nodes * 4);
	g.queue = guest_memory("graph_walk", nodes * 4);
	make_graph(&g, &seed);
	for (uint64_t i = 0; i < searches; i++)
		sum = guest_mix(sum, search(&g,
		    (uint32_t)guest_below(&seed, nodes)));
	return (guest_done("graph_walk", sum));
}
