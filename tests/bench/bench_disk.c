/*
 * bench_disk: simulated requests per second of host CPU, one core.
 *
 * usage: bench_disk [MODEL]
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "disk_model/engine.h"
#include "sim/disk_json.h"

#define LIST 65536

struct bench {
	struct disk_engine *e;
	struct disk_io io[64];
	uint32_t depth;
	uint64_t lbn[LIST]; /* drawn beforehand */
	uint32_t at;
	enum disk_op op;
	uint32_t blocks;
};

static void
issue(struct bench *b, struct disk_io *io, uint64_t when)
{
	io->op = b->op;
	io->lbn = b->lbn[b->at++ % LIST];
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
		disk_engine_advance(b->e, disk_engine_next(b->e));
		while ((io = disk_engine_pop(b->e)) != NULL) {
			done++;
			if (issued++ < n)
				issue(b, io, io->finish);
		}
	}
}

static int
one(const char *model, const char *scheduler, enum disk_op op,
    uint32_t depth, bool sequential)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct disk_params *p;
	struct sim_err err;
	char what[128];
	struct sim_rng rng;
	uint64_t places;

	if (b == NULL || disk_params_load(model, &p, &err) != 0 ||
	    disk_engine_create(p, &b->e, &err) != 0 ||
	    disk_engine_set_scheduler(b->e, scheduler, &err) != 0) {
		fprintf(stderr, "%s\n", b == NULL ? "no memory" : err.text);
		return 1;
	}
	b->depth = depth;
	b->op = op;
	b->blocks = 16;
	places = disk_engine_sectors(b->e) / b->blocks;
	sim_rng_init(&rng, 1, "bench");
	for (uint32_t i = 0; i < LIST; i++)
		b->lbn[i] = (sequential ? i % places :
		    sim_rng_below(&rng, places)) * b->blocks;
	snprintf(what, sizeof(what), "%s %s %s depth %u %s", model,
	    sequential ? "sequential" : "random",
	    op == DISK_READ ? "reads" : "writes", depth, scheduler);
	bench_report(what, serve, b);
	disk_engine_destroy(b->e);
	disk_params_free(p);
	free(b);
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const models[] = { "hp97560", "cheetah9lp",
		"hp_c2247a", "sata7200_500gb", "nvme_mlc_mqsim",
		"nvme_970pro_class", "nvme_minimal", "sata_ssd_256gb", "ram" };
	int code = 0;

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (argc > 1 && strcmp(argv[1], models[i]) != 0)
			continue;
		code |= one(models[i], "fcfs", DISK_READ, 1, false);
		code |= one(models[i], "fcfs", DISK_READ, 16, false);
		code |= one(models[i], "fcfs", DISK_READ, 1, true);
		code |= one(models[i], "fcfs", DISK_WRITE, 16, false);
	}
	if (argc == 1) {
		code |= one("cheetah9lp", "clook", DISK_READ, 16, false);
		code |= one("cheetah9lp", "sptf", DISK_READ, 16, false);
	}
	return code;
}
