/*
 * bench_disk: simulated requests per second of host CPU, one core.
 *
 * usage: bench_disk [WORD]...: the cases whose line has all of these words,
 * or every case.
 *
 * Every drive with 1 to 64 requests outstanding; every scheduler with long
 * queues in the host; flash that has been overwritten until collection works
 * all the time.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "disk_model/engine.h"
#include "sim/disk_json.h"

#define LIST (1u << 20)
#define MAXDEPTH 256
/* Requests are of 8 KB: a page of two of the flash models. */
#define BLOCKS 16

struct bench {
	struct disk_engine *e;
	struct disk_io io[MAXDEPTH];
	uint32_t depth;
	uint64_t *lbn; /* drawn beforehand */
	uint32_t list, at;
	enum disk_op op;
	uint32_t blocks;
};

enum pattern { RANDOM, SEQUENTIAL };

struct work {
	const char *model, *scheduler;
	enum disk_op op;
	uint32_t depth;
	enum pattern pattern;
};

struct filter {
	char **word;
	int n;
	unsigned shown;
	int code;
};

static void
issue(struct bench *b, struct disk_io *io, uint64_t when)
{
	io->op = b->op;
	io->lbn = b->lbn[b->at];
	b->at = b->at + 1 < b->list ? b->at + 1 : 0;
	io->blocks = b->blocks;
	io->arrival = when;
	disk_engine_submit(b->e, io);
}

/* n requests, `depth` of them outstanding all the time. */
static void
serve(void *arg, uint64_t n)
{
	struct bench *b = arg;
	uint64_t issued = 0, done = 0;
	struct disk_io *io;

	for (uint32_t i = 0; i < b->depth && issued < n; i++, issued++)
		issue(b, &b->io[i], disk_engine_now(b->e));
	while (done < n) {
		disk_engine_run(b->e, DISK_NEVER);
		while ((io = disk_engine_pop(b->e)) != NULL) {
			done++;
			if (issued++ < n)
				issue(b, io, io->finish);
		}
	}
}

static bool
chosen(struct filter *f, const char *what)
{
	for (int i = 0; i < f->n; i++)
		if (strstr(what, f->word[i]) == NULL)
			return false;
	f->shown++;
	return true;
}

static struct bench *
bench_new(const char *model, const char *const *set, size_t nset,
    const char *scheduler, struct disk_params **p)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct sim_err err = { "no memory" };

	if (b == NULL || disk_params_load_set(model, set, nset, p, &err) != 0 ||
	    disk_engine_create(*p, &b->e, &err) != 0 ||
	    disk_engine_set_scheduler(b->e, scheduler, &err) != 0) {
		fprintf(stderr, "bench_disk: %s\n", err.text);
		exit(1);
	}
	b->blocks = BLOCKS;
	return b;
}

static void
bench_free(struct bench *b, struct disk_params *p)
{
	disk_engine_destroy(b->e);
	disk_params_free(p);
	free(b->lbn);
	free(b);
}

/* Places enough that flash does not see the same ones again and again. */
static void
draw(struct bench *b, enum pattern pattern)
{
	uint64_t places = disk_engine_sectors(b->e) / b->blocks;
	struct sim_rng rng;

	b->list = places < LIST ? LIST : places > 4 * LIST ? 4 * LIST :
	    (uint32_t) places;
	b->lbn = malloc(b->list * sizeof(*b->lbn));
	if (b->lbn == NULL) {
		fprintf(stderr, "bench_disk: no memory\n");
		exit(1);
	}
	sim_rng_init(&rng, 1, "bench");
	for (uint32_t i = 0; i < b->list; i++)
		b->lbn[i] = (pattern == SEQUENTIAL ? i % places :
		    sim_rng_below(&rng, places)) * b->blocks;
}

static void
one(struct filter *f, const struct work *w)
{
	struct disk_params *p;
	struct bench *b;
	char what[128];

	snprintf(what, sizeof(what), "%s %s %s depth %u %s", w->model,
	    w->pattern == SEQUENTIAL ? "sequential" : "random",
	    w->op == DISK_READ ? "reads" : "writes", w->depth, w->scheduler);
	if (!chosen(f, what))
		return;
	b = bench_new(w->model, NULL, 0, w->scheduler, &p);
	b->depth = w->depth;
	b->op = w->op;
	draw(b, w->pattern);
	bench_report(what, serve, b);
	bench_free(b, p);
}

/* ------------------------------------------------------------ drives */

static void
drives(struct filter *f)
{
	static const char *const models[] = { "hp97560", "cheetah9lp",
		"cheetah9lp_disksim", "hp_c2247a", "sata7200_500gb",
		"nvme_mlc_mqsim", "nvme_970pro_class", "nvme_minimal",
		"sata_ssd_256gb", "ram", "fixed10ms" };
	static const uint32_t depths[] = { 1, 8, 32, 64 };

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		for (enum disk_op op = DISK_READ; op <= DISK_WRITE; op++) {
			one(f, &(struct work) { models[i], "fcfs", op, 1,
			    SEQUENTIAL });
			for (size_t d = 0; d < 4; d++)
				one(f, &(struct work) { models[i], "fcfs", op,
				    depths[d], RANDOM });
		}
}

static void
schedulers(struct filter *f)
{
	static const char *const models[] = { "hp97560", "cheetah9lp",
		"sata7200_500gb" };
	static const uint32_t depths[] = { 16, 64, 256 };
	const char *s;

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		for (size_t d = 0; d < 3; d++)
			for (size_t k = 0; (s = disk_scheduler_name(k)) != NULL;
			     k++)
				one(f, &(struct work) { models[i], s,
				    DISK_READ, depths[d], RANDOM });
}

/* ------------------------------------------------------------ collection */

struct steady {
	const char *model, *spare; /* percent over-provisioned */
	const char *set[2];
};

/*
 * The device is made smaller, or reaching the steady state would take
 * minutes; it is overwritten twice before.
 */
static void
collect(struct filter *f, const struct steady *c, uint32_t depth)
{
	const char *set[] = { c->set[0], c->set[1], "gc_start_free_blocks=3" };
	struct disk_flash_stats a, z;
	struct disk_params *p;
	struct bench *b;
	char what[128];

	snprintf(what, sizeof(what), "%s collecting %s %% spare depth %u",
	    c->model, c->spare, depth);
	if (!chosen(f, what))
		return;
	b = bench_new(c->model, set, 3, "none", &p);
	b->blocks = p->ssd.unit_sectors;
	b->depth = depth;
	b->op = DISK_WRITE;
	draw(b, RANDOM);
	serve(b, 2 * disk_engine_sectors(b->e) / b->blocks);
	disk_engine_flash(b->e, &a);
	bench_report(what, serve, b);
	disk_engine_flash(b->e, &z);
	printf("%68s %.2f programmed for 1 written\n", "",
	    (double) (z.programmed_units - a.programmed_units) /
	    (double) (z.host_units - a.host_units));
	bench_free(b, p);
}

static void
collections(struct filter *f)
{
	static const struct steady cases[] = {
		{ "nvme_mlc_mqsim", "7", { "blocks_per_plane=128",
		    "overprovisioning=0.07" } },
		{ "nvme_mlc_mqsim", "12.5", { "blocks_per_plane=128",
		    "overprovisioning=0.125" } },
		{ "nvme_mlc_mqsim", "28", { "blocks_per_plane=128",
		    "overprovisioning=0.28" } },
		{ "nvme_minimal", "7", { "blocks_per_plane=128",
		    "overprovisioning=0.07" } },
		{ "nvme_minimal", "28", { "blocks_per_plane=128",
		    "overprovisioning=0.28" } },
		{ "nvme_970pro_class", "7", { "blocks_per_plane=128",
		    "overprovisioning=0.07" } },
		{ "nvme_970pro_class", "28", { "blocks_per_plane=128",
		    "overprovisioning=0.28" } },
		{ "sata_ssd_256gb", "7", { "blocks_per_plane=128",
		    "capacity_sectors=62400000" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		collect(f, &cases[i], 1);
		collect(f, &cases[i], 32);
	}
}

int
main(int argc, char **argv)
{
	struct filter f = { .word = argv + 1, .n = argc - 1 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	drives(&f);
	schedulers(&f);
	collections(&f);
	if (f.shown == 0)
		fprintf(stderr, "bench_disk: no case has these words\n");
	return f.shown == 0;
}
