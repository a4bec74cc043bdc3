/*
 * disk.c: a device inside a simulation: the engine's completions become
 * events, the bytes move, the caller's function is called.
 *
 * Interface: disk.h.
 * Source:    disk_model/engine.h gives the times; this file only converts
 *            between picoseconds and cycles (a completion is never early:
 *            it is taken at the first cycle at or after its time).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/contents.h"
#include "disk_model/disk.h"

struct disk {
	struct sim *sim;
	char name[32];
	struct disk_engine *engine;
	struct contents *contents;
	struct sim_event event;
	uint64_t hz_num, ps_num; /* hz / g and 10^12 / g */
};

/* ------------------------------------------------------------ units */

static uint64_t
gcd(uint64_t a, uint64_t b)
{
	uint64_t r;

	while (b != 0) {
		r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static uint64_t
to_ps(const struct disk *d, sim_time_t cycles)
{
	return (uint64_t) ((unsigned __int128) cycles * d->ps_num / d->hz_num);
}

static sim_time_t
to_cycles(const struct disk *d, uint64_t ps)
{
	unsigned __int128 n = (unsigned __int128) ps * d->hz_num;

	return (sim_time_t) ((n + d->ps_num - 1) / d->ps_num);
}

/* ------------------------------------------------------------ contents */

static void
move_bytes(struct disk *d, struct disk_request *rq)
{
	uint64_t lbn = rq->lbn, left = rq->io.good_blocks;
	uint64_t n;

	if (rq->op == DISK_TRIM && rq->io.error == 0)
		contents_discard(d->contents, rq->lbn, rq->blocks);
	if (rq->op != DISK_READ && rq->op != DISK_WRITE)
		return;
	for (uint32_t i = 0; i < rq->nseg && left > 0; i++) {
		n = rq->seg[i].bytes / DISK_SECTOR;
		if (n > left)
			n = left;
		if (rq->op == DISK_READ)
			contents_read(d->contents, lbn, n, rq->seg[i].data);
		else
			contents_write(d->contents, lbn, n, rq->seg[i].data);
		lbn += n;
		left -= n;
	}
}

/* ------------------------------------------------------------ events */

static void
schedule(struct disk *d)
{
	uint64_t ps = disk_engine_next(d->engine);
	sim_time_t when;

	if (ps == DISK_NEVER) {
		sim_event_cancel(d->sim, &d->event);
		return;
	}
	when = to_cycles(d, ps);
	if (sim_event_pending(&d->event) && d->event.when == when)
		return;
	sim_event_at(d->sim, &d->event, when);
}

/* The parts in cycles; they still add up to finish - start. */
static void
report_times(const struct disk *d, struct disk_request *rq)
{
	const struct disk_io *io = &rq->io;
	uint64_t at = io->start, c0, c1;

	rq->start = to_cycles(d, io->start);
	rq->finish = to_cycles(d, io->finish);
	rq->cache_hit = io->cache_hit;
	c0 = rq->start;
	at += io->overhead;
	c1 = to_cycles(d, at);
	rq->overhead = c1 - c0;
	at += io->seek;
	c0 = to_cycles(d, at);
	rq->seek = c0 - c1;
	at += io->rotation;
	c1 = to_cycles(d, at);
	rq->rotation = c1 - c0;
	rq->transfer = rq->finish - c1;
}

static void
disk_event(void *arg, sim_time_t when)
{
	struct disk *d = arg;
	struct disk_io *io;
	struct disk_request *rq;

	disk_engine_advance(d->engine, to_ps(d, when));
	while ((io = disk_engine_pop(d->engine)) != NULL) {
		rq = io->arg;
		report_times(d, rq);
		if (d->contents != NULL)
			move_bytes(d, rq);
		rq->done(rq, io->error);
	}
	schedule(d);
}

void
disk_submit(struct disk *d, struct disk_request *rq)
{
	struct disk_io *io = &rq->io;
	uint64_t now = disk_engine_now(d->engine);

	rq->arrival = sim_now(d->sim);
	io->op = rq->op;
	io->lbn = rq->lbn;
	io->blocks = rq->blocks;
	io->ordered = rq->ordered;
	io->arg = rq;
	io->arrival = to_ps(d, rq->arrival);
	if (io->arrival < now)
		io->arrival = now; /* another CPU's clock was ahead */
	disk_engine_submit(d->engine, io);
	schedule(d);
}

/* ------------------------------------------------------------ life */

struct disk *
disk_create(struct sim *sim, const char *name,
    const struct disk_params *params, struct sim_err *err)
{
	struct disk *d = calloc(1, sizeof(*d));
	uint64_t g;

	if (d == NULL) {
		sim_err_set(err, ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	if (disk_engine_create(params, &d->engine, err) != 0) {
		free(d);
		return NULL;
	}
	d->sim = sim;
	snprintf(d->name, sizeof(d->name), "%s", name);
	g = gcd(sim_hz(sim), PS_PER_SECOND);
	d->hz_num = sim_hz(sim) / g;
	d->ps_num = PS_PER_SECOND / g;
	sim_event_init(&d->event, "disk", 0, disk_event, d);
	return d;
}

void
disk_destroy(struct disk *d)
{
	if (d == NULL)
		return;
	sim_event_cancel(d->sim, &d->event);
	disk_engine_destroy(d->engine);
	contents_destroy(d->contents);
	free(d);
}

int
disk_set_scheduler(struct disk *d, const char *scheduler, struct sim_err *err)
{
	return disk_engine_set_scheduler(d->engine, scheduler, err);
}

int
disk_enable_contents(struct disk *d)
{
	if (d->contents == NULL)
		d->contents = contents_create(d->sim);
	return d->contents == NULL ? -ENOMEM : 0;
}

uint64_t
disk_sectors(const struct disk *d)
{
	return disk_engine_sectors(d->engine);
}

const char *
disk_name(const struct disk *d)
{
	return d->name;
}

struct disk_engine *
disk_get_engine(struct disk *d)
{
	return d->engine;
}

void
disk_get_stats(const struct disk *d, struct disk_stats *st)
{
	struct disk_engine_stats e;

	disk_engine_get_stats(d->engine, &e);
	*st = (struct disk_stats) {
		.reads = e.reads,
		.writes = e.writes,
		.sectors_read = e.sectors_read,
		.sectors_written = e.sectors_written,
		.busy = to_cycles(d, e.busy),
		.queued = to_cycles(d, e.queued),
		.overhead = to_cycles(d, e.overhead),
		.seek = to_cycles(d, e.seek),
		.rotation = to_cycles(d, e.rotation),
		.transfer = to_cycles(d, e.transfer),
		.cache_hits = e.cache_hits,
		.queue_length = e.queue_length,
		.queue_max = e.queue_max,
		.flushes = e.flushes,
		.trims = e.trims,
		.errors = e.errors,
		.merged = e.merged,
	};
}
