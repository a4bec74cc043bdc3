/*
 * hdd.c: a rotating disk's commands: overheads, hits and misses, write-behind,
 * and the commands it holds in its own queue.
 *
 * Interface: hdd_create (disk_int.h).
 * Source:    reference sheet, sections 2.5 (overhead and bus), 5.1 and 5.2
 *            (buffer); phases of the bus as in DiskSim 4.0's drive controller,
 *            whose parameters the HP C2247A set uses.
 * Differs:   with the bus released between bursts no further reselection is
 *            charged; a request larger than a segment does not throttle the
 *            mechanism.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/hdd_int.h"

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
less_than(uint64_t a, uint64_t most)
{
	return a < most ? a : most;
}

/* ------------------------------------------------------------ waiting */

/*
 * The medium is wanted at `now`; when it is free of dirty data. Older runs
 * than these blocks go first; the rest is put off until the read is done.
 */
static uint64_t
wait_for_medium(struct hdd *h, uint64_t lbn, uint64_t end, uint64_t now)
{
	bool all = h->p->cache.write_behind != WB_ANY;
	uint64_t t;

	if (h->nruns == 0)
		return now;
	for (uint32_t i = 1; i < h->nruns; i++)
		if (h->run[i]->next < end && lbn < h->run[i]->end)
			all = true;
	t = media_flush(h, all);
	if (h->nruns > 0)
		h->m.kind = MEDIA_IDLE;
	return later(t, now);
}

/* Writing goes on after a read had the mechanism. */
static void
resume_writing(struct hdd *h)
{
	if (h->nruns == 0)
		return;
	h->run[0]->from = later(h->run[0]->from,
	    h->m.placed ? h->m.t0 + geom_pass(&h->geom, h->m.pl.zone,
				h->m.next - h->m.first) : h->m.from);
	media_write(h);
}

/* Overhead that is left when a command had to wait from `now` to `free`. */
static uint64_t
overhead_left(const struct hdd *h, uint64_t overhead, uint64_t now,
    uint64_t free)
{
	if (!h->p->cache.overhead_overlaps)
		return overhead;
	return now + overhead > free ? now + overhead - free : 0;
}

/* ------------------------------------------------------------ reads */

static uint32_t
read_mark(const struct hdd *h, uint32_t blocks)
{
	const struct hdd_cache *c = &h->p->cache;
	uint64_t mark = (uint64_t) blocks * c->read_mark_ppm / 1000000;

	if (mark < c->fence_sectors)
		mark = c->fence_sectors;
	if (mark < 1)
		mark = 1;
	return (uint32_t) (mark < blocks ? mark : blocks);
}

/* All of it, or its beginning, is in the segment. */
static uint64_t
read_hit(struct hdd *h, struct disk_io *io, struct hdd_seg *s, uint64_t now)
{
	const struct hdd_overhead *o = &h->p->overhead;
	uint64_t lbn = io->run_lbn, end = lbn + io->run_blocks;
	uint64_t in = s->end < end ? s->end : end, goal, free;
	struct hdd_bus bus = { .per = h->p->bus_read_ps, .open = true };

	io->cache_hit = s->end >= end;
	h->stream = h->stream && lbn == h->last_end;
	io->overhead = o->read_hit[h->last_write] + o->data_preparation;
	if (!h->last_write && !h->stream && o->read_hit_jump != 0)
		io->overhead = o->read_hit_jump;
	bus.t = now + io->overhead + (in - lbn) * bus.per;
	goal = buffer_goal(h, s, lbn, end);
	buffer_use(h, s);
	if (h->m.kind == MEDIA_READ && h->reading == s) {
		h->m.goal = later(h->m.goal, goal);
	} else if (h->m.kind != MEDIA_WRITE) {
		free = media_stop(h, now);
		if (s->end < end ||
		    (h->p->cache.read_ahead_on_hit && goal > s->end)) {
			media_read(h, s->end, goal,
			    free + o->read_miss[h->last_write]);
			h->reading = s;
			buffer_extend(h, s, s->end);
		}
	}
	media_feed(h, end, &bus);
	return bus.t + o->read_completion;
}

/*
 * The medium was wanted at `now`, had dirty data to take until `waited`, and
 * is free for this command at `free` (a move under way is finished first).
 */
static uint64_t
read_miss(struct hdd *h, struct disk_io *io, uint64_t now, uint64_t waited,
    uint64_t free)
{
	const struct hdd_overhead *o = &h->p->overhead;
	uint64_t lbn = io->run_lbn, end = lbn + io->run_blocks, goal = end;
	struct hdd_bus bus = { .per = h->p->bus_read_ps };
	struct hdd_seg *s;
	uint64_t ov = o->read_miss[h->last_write];

	h->stream = true;
	bus.mark = read_mark(h, io->run_blocks);
	bus.opening = o->first_reselect + o->data_preparation;
	bus.t = now + ov + o->read_disconnect[h->last_write];
	io->overhead = overhead_left(h, ov, now, waited);
	s = buffer_for_read(h);
	h->reading = s;
	if (s != NULL) {
		s->first = lbn;
		buffer_extend(h, s, lbn);
		buffer_use(h, s);
		if (h->nruns == 0)
			goal = buffer_goal(h, s, lbn, end);
	}
	media_read(h, lbn, goal, free + io->overhead -
	    less_than(o->read_seek_early[h->last_write], io->overhead));
	if (h->nseg > 0 && waited == now)
		h->m.min_move = h->p->cache.min_read_move[h->last_write];
	media_feed(h, end, &bus);
	if (s != NULL && h->p->cache.forget_miss)
		s->first = end;
	return bus.t + o->read_completion;
}

static uint64_t
serve_read(struct hdd *h, struct disk_io *io, uint64_t now)
{
	uint64_t lbn = io->run_lbn, end = lbn + io->run_blocks, free = now, t;
	struct hdd_seg *s = buffer_find(h, lbn, end);

	if (h->nruns > 0 && (s == NULL || s->end < end ||
	    (s->dirty && h->p->cache.hits_wait))) {
		free = wait_for_medium(h, lbn, end, now);
		s = buffer_find(h, lbn, end);
		h->m.seek = h->m.rotation = 0;
		io->start = free;
	}
	if (s != NULL)
		t = read_hit(h, io, s, free);
	else {
		t = read_miss(h, io, now, free, free == now ?
		    media_stop(h, now) : free);
	}
	if (h->m.kind != MEDIA_WRITE)
		resume_writing(h);
	h->last_write = false;
	h->last_end = end;
	return t;
}

/* ------------------------------------------------------------ writes */

/*
 * Append a run (or to the last run) the blocks of io, whose data begin to
 * cross the bus at in0.
 */
static struct hdd_run *
run_add(struct hdd *h, const struct disk_io *io, uint64_t in0, bool append)
{
	const struct hdd_cache *c = &h->p->cache;
	struct hdd_run *r;
	struct hdd_piece *p;

	if (!append) {
		r = h->run[h->nruns++];
		r->next = io->run_lbn;
		r->npieces = 0;
		r->min_move = h->p->overhead.min_seek;
	} else
		r = h->run[h->nruns - 1];
	r->end = io->run_lbn + io->run_blocks;
	p = &r->piece[r->npieces++];
	p->first = io->run_lbn;
	p->end = r->end;
	p->in0 = in0;
	p->need = c->write_start[io->run_blocks >= c->write_start_limit];
	if (p->need > io->run_blocks)
		p->need = io->run_blocks;
	return r;
}

static void
seg_written(struct hdd *h, struct hdd_seg *s, const struct disk_io *io)
{
	if (s == NULL)
		return;
	s->first = io->run_lbn;
	buffer_extend(h, s, io->run_lbn + io->run_blocks);
	buffer_use(h, s);
}

/* The drive lets go of the bus between command and data (see params.h). */
static bool
extra_disconnect(const struct hdd *h, const struct disk_io *io)
{
	return h->p->overhead.extra && h->last_write &&
	    io->run_lbn != h->last_end;
}

/* The write is over when its last sector is on the medium. */
static uint64_t
write_through(struct hdd *h, struct disk_io *io, uint64_t now, uint64_t free)
{
	const struct hdd_overhead *o = &h->p->overhead;
	bool extra = extra_disconnect(h, io);
	uint64_t in0, bus, done, delta = 0;
	struct hdd_run *r;
	struct hdd_seg *s;

	io->overhead = o->write_miss[h->last_write];
	in0 = now + io->overhead + o->data_preparation;
	if (extra) {
		io->overhead = o->extra_command;
		delta = o->extra_seek_delta;
		in0 = now + o->extra_command + o->extra_disconnect +
		    o->extra_inter + o->first_reselect + o->data_preparation;
	}
	s = buffer_for_write(h, io->run_lbn, io->run_lbn + io->run_blocks);
	r = run_add(h, io, in0, false);
	r->seg = s;
	r->from = free + io->overhead + delta -
	    less_than(o->write_seek_early[h->last_write], io->overhead);
	media_write(h);
	done = media_flush(h, true);
	seg_written(h, s, io);
	bus = in0 + io->run_blocks * h->p->bus_write_ps +
	    (extra ? o->extra_second : o->write_disconnect);
	return later(done, bus) + o->write_completion +
	    (extra ? o->other_reselect : o->first_reselect);
}

/* Of a write that the buffer takes. */
static uint64_t
write_overhead(const struct hdd *h, const struct disk_io *io)
{
	const struct hdd_overhead *o = &h->p->overhead;

	struct geom_place pl, last;
	uint64_t ov = o->write_hit[h->last_write];

	if (o->write_hit_track == 0 || io->run_lbn == h->last_end)
		return ov;
	geom_locate(&h->geom, io->run_lbn, &pl);
	geom_locate(&h->geom, h->last_end - (h->last_end > 0), &last);
	if (pl.zone != last.zone)
		return ov + o->write_hit_zone;
	if (pl.cyl != last.cyl)
		return ov + o->write_hit_cylinder;
	return pl.head != last.head ? ov + o->write_hit_track : ov;
}

/* May it join the run that is being written? */
static bool
can_append(const struct hdd *h, const struct disk_io *io)
{
	const struct hdd_run *r;

	if (h->nruns == 0)
		return false;
	r = h->run[h->nruns - 1];
	return r->end == io->run_lbn && r->npieces < HDD_MAXPIECES &&
	    r->seg != NULL;
}

static uint64_t
write_append(struct hdd *h, struct disk_io *io, uint64_t now)
{
	const struct hdd_overhead *o = &h->p->overhead;
	struct hdd_run *r;

	io->overhead = write_overhead(h, io);
	r = run_add(h, io, now + io->overhead, true);
	buffer_extend(h, r->seg, r->end);
	buffer_use(h, r->seg);
	if (h->nruns == 1)
		h->m.goal = r->end;
	return now + io->overhead + io->run_blocks * h->p->bus_write_ps +
	    o->write_completion;
}

/* Taken into the buffer; the medium follows by itself. */
static uint64_t
write_behind(struct hdd *h, struct disk_io *io, uint64_t now)
{
	const struct hdd_overhead *o = &h->p->overhead;
	uint64_t ov = write_overhead(h, io), free = now, in0;
	struct hdd_run *r;
	struct hdd_seg *s;

	if (h->nruns > 0 && (h->p->cache.write_behind != WB_ANY ||
	    h->nruns == h->maxruns || !buffer_can_write(h))) {
		free = media_flush(h, h->p->cache.write_behind != WB_ANY);
		io->start = free = later(free, now);
	} else if (h->nruns == 0)
		free = media_stop(h, now);
	io->overhead = overhead_left(h, ov, now, later(now, io->start));
	in0 = io->start + io->overhead;
	s = buffer_for_write(h, io->run_lbn, io->run_lbn + io->run_blocks);
	r = run_add(h, io, in0, false);
	r->seg = s;
	r->from = free + io->overhead;
	seg_written(h, s, io);
	s->dirty = true;
	if (h->nruns == 1)
		media_write(h);
	return in0 + io->run_blocks * h->p->bus_write_ps +
	    o->write_completion;
}

static uint64_t
serve_write(struct hdd *h, struct disk_io *io, uint64_t now)
{
	uint64_t t;

	if (h->nseg == 0 || h->p->cache.write_behind == WB_OFF)
		t = write_through(h, io, now, media_stop(h, now));
	else if (can_append(h, io))
		t = write_append(h, io, now);
	else
		t = write_behind(h, io, now);
	h->last_write = true;
	h->last_end = io->run_lbn + io->run_blocks;
	return t;
}

/* ------------------------------------------------------------ commands */

static uint64_t
less(uint64_t *left, uint64_t want)
{
	uint64_t n = want < *left ? want : *left;

	*left -= n;
	return n;
}

/* Parts that overlap (bus and arm) are cut so that they add up. */
static void
share_out(struct disk_io *io)
{
	uint64_t left = io->finish - io->start;

	io->overhead = less(&left, io->overhead);
	io->seek = less(&left, io->seek);
	io->rotation = less(&left, io->rotation);
	io->transfer = left;
}

static void
serve(struct hdd *h, struct disk_io *io, uint64_t now)
{
	io->start = now;
	h->cur = io;
	media_catch_up(h, now);
	h->m.seek = h->m.rotation = 0;
	switch (io->op) {
	case DISK_READ:
		io->finish = serve_read(h, io, now);
		break;
	case DISK_WRITE:
		io->finish = serve_write(h, io, now);
		break;
	case DISK_FLUSH:
		io->finish = later(now, media_flush(h, true));
		break;
	case DISK_TRIM:
		io->finish = now;
		break;
	}
	io->seek = h->m.seek;
	io->rotation = h->m.rotation;
	share_out(io);
}

/* ------------------------------------------------------------ device */

/*
 * A drive with a queue chooses by itself, and would undo the order of a
 * scheduler in front of it: from such a one it takes a command at a time.
 */
static bool
hdd_room(const void *dev)
{
	const struct hdd *h = dev;

	return h->cur == NULL || (h->held.count + 1 < h->p->queue_depth &&
	    disk_engine_hands_over(h->engine));
}

static void
hdd_accept(void *dev, struct disk_io *io, uint64_t now)
{
	struct hdd *h = dev;

	if (h->cur != NULL)
		queue_append(&h->held, io);
	else
		serve(h, io, now);
}

static uint64_t
hdd_next(const void *dev)
{
	const struct hdd *h = dev;

	return h->cur == NULL ? DISK_NEVER : h->cur->finish;
}

static void
hdd_run(void *dev, uint64_t t)
{
	struct hdd *h = dev;
	struct disk_io *io = h->cur;

	t = io->finish;
	h->cur = NULL;
	disk_engine_complete(h->engine, io, t);
	if (h->held.count > 0)
		serve(h, near_held(h, t), t);
}

static uint32_t
hdd_cylinder(const void *dev, uint64_t lbn)
{
	const struct hdd *h = dev;

	return geom_cylinder(&h->geom, lbn);
}

static void
hdd_destroy(void *dev)
{
	struct hdd *h = dev;

	geom_destroy(&h->geom);
	free(h->seg);
	free(h->run_store);
	free(h->run);
	queue_destroy(&h->held);
	free(h->least_seek);
	free(h->reach);
	free(h);
}

static const struct device_ops hdd_ops = {
	.room = hdd_room,
	.accept = hdd_accept,
	.next = hdd_next,
	.run = hdd_run,
	.prepare = near_prepare,
	.nearest = near_nearest,
	.cylinder = hdd_cylinder,
	.destroy = hdd_destroy,
};

static int
hdd_allocate(struct hdd *h)
{
	h->nseg = h->p->cache.segments;
	h->maxruns = h->nseg > 0 ? h->nseg : 1;
	h->seg = calloc(h->nseg + 1, sizeof(*h->seg));
	h->run_store = calloc(h->maxruns + 1, sizeof(*h->run_store));
	h->run = calloc(h->maxruns + 1, sizeof(*h->run));
	if (h->seg == NULL || h->run_store == NULL || h->run == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i <= h->maxruns; i++)
		h->run[i] = &h->run_store[i];
	return geom_create(h->p, &h->geom);
}

int
hdd_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err)
{
	struct hdd *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	h->engine = e;
	h->p = &p->hdd;
	if (hdd_allocate(h) != 0 || near_create(h) != 0) {
		hdd_destroy(h);
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	}
	*out = (struct device) { &hdd_ops, h, h->geom.sectors,
		p->hdd.cylinders };
	return 0;
}
