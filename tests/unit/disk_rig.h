/*
 * disk_rig.h: engines and single requests for the tests of disk_model.
 */
#ifndef VMSIM_TESTS_UNIT_DISK_RIG_H
#define VMSIM_TESTS_UNIT_DISK_RIG_H

#include <check.h>
#include <string.h>

#include "disk_model/engine.h"
#include "sim/disk_json.h"

/* Check notes every assertion that holds, which is slow in long loops. */
#define must(cond)                                    \
	do {                                          \
		if (!(cond))                          \
			ck_abort_msg("not %s", #cond); \
	} while (0)

struct disk_rig {
	struct disk_params *params;
	struct disk_engine *e;
};

static inline void
rig_from(struct disk_rig *r, const char *model, const char *const *set,
    size_t nset, bool cache)
{
	struct sim_err err = { "" };

	if (disk_params_load_set(model, set, nset, &r->params, &err) != 0)
		ck_abort_msg("%s", err.text);
	if (!cache)
		disk_params_no_cache(r->params);
	if (disk_engine_create(r->params, &r->e, &err) != 0)
		ck_abort_msg("%s", err.text);
}

static inline void
rig_free(struct disk_rig *r)
{
	disk_engine_destroy(r->e);
	disk_params_free(r->params);
}

static inline void
rig_submit(struct disk_rig *r, struct disk_io *io, enum disk_op op,
    uint64_t lbn, uint32_t blocks, uint64_t arrival)
{
	memset(io, 0, sizeof(*io));
	io->op = op;
	io->lbn = lbn;
	io->blocks = blocks;
	io->arrival = arrival;
	disk_engine_submit(r->e, io);
}

/* Run until nothing happens any more; how many requests came back. */
static inline unsigned
rig_drain(struct disk_rig *r)
{
	unsigned n = 0;
	uint64_t next;

	while (disk_engine_pop(r->e) != NULL)
		n++;
	while ((next = disk_engine_next(r->e)) != DISK_NEVER) {
		disk_engine_advance(r->e, next);
		while (disk_engine_pop(r->e) != NULL)
			n++;
	}
	return n;
}

/* One request by itself; its response time in ms. */
static inline double
rig_one(struct disk_rig *r, enum disk_op op, uint64_t lbn, uint32_t blocks)
{
	struct disk_io io;

	rig_submit(r, &io, op, lbn, blocks, disk_engine_now(r->e));
	must(rig_drain(r) == 1);
	must(io.error == 0);
	must(io.overhead + io.seek + io.rotation + io.transfer ==
	    io.finish - io.start);
	return (double) (io.finish - io.arrival) / 1e9;
}

/* The response of one request to a disk that has just been switched on. */
static inline double
from_rest(const char *model, enum disk_op op, uint64_t lbn, uint32_t blocks)
{
	struct disk_rig r;
	double ms;

	rig_from(&r, model, NULL, 0, false);
	ms = rig_one(&r, op, lbn, blocks);
	rig_free(&r);
	return ms;
}

#endif
