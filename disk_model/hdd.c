/*
 * hdd.c: a rotating disk that serves one command at a time.
 *
 * Interface: hdd_create (disk_int.h).
 * Source:    reference sheet, sections 2.3 and 2.5.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/disk_int.h"
#include "disk_model/hdd_geom.h"

struct hdd {
	struct disk_engine *engine;
	const struct hdd_params *p;
	struct geom geom;
	uint32_t cyl, head;
	bool last_write;
	struct disk_io *cur;
};

/* Sectors that pass without a break, from time t0 on. */
struct extent {
	struct geom_place pl;
	uint64_t t0;
	uint32_t n;
};

static uint64_t
move_time(const struct hdd *h, const struct geom_place *pl, bool write)
{
	uint32_t d = pl->cyl > h->cyl ? pl->cyl - h->cyl : h->cyl - pl->cyl;
	uint64_t move = h->p->seek_ps[d];

	if (pl->head != h->head && move < h->p->head_switch_ps)
		move = h->p->head_switch_ps;
	if (move > 0 && write)
		move += h->p->write_settle_ps;
	return move;
}

/* Put the head at lbn at time t; up to n sectors of its track follow. */
static void
extent_begin(struct hdd *h, struct disk_io *io, uint64_t lbn, uint32_t n,
    uint64_t t, struct extent *x)
{
	uint64_t move, wait;

	geom_locate(&h->geom, lbn, &x->pl);
	move = move_time(h, &x->pl, io->op == DISK_WRITE);
	wait = geom_wait(&h->geom, x->pl.zone, x->pl.angle, t + move);
	h->cyl = x->pl.cyl;
	h->head = x->pl.head;
	x->t0 = t + move + wait;
	x->n = x->pl.run < n ? x->pl.run : n;
	io->seek += move;
	io->rotation += wait;
}

static uint64_t
u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
serve_read(struct hdd *h, struct disk_io *io, uint64_t t)
{
	uint64_t lbn = io->run_lbn, bus = t, b = h->p->bus_read_ps;
	uint32_t left = io->run_blocks;
	struct extent x;

	while (left > 0) {
		extent_begin(h, io, lbn, left, t, &x);
		t = x.t0 + geom_pass(&h->geom, x.pl.zone, x.n);
		bus = u64_max(bus, x.t0 + geom_pass(&h->geom, x.pl.zone, 1));
		bus = u64_max(bus + x.n * b, t + b);
		lbn += x.n;
		left -= x.n;
	}
	return bus;
}

/* Sectors of x whose data are in the buffer in time, from the first on. */
static uint32_t
in_time(const struct hdd *h, const struct extent *x, uint64_t in, uint32_t done)
{
	uint64_t b = h->p->bus_write_ps;
	uint32_t j;

	for (j = 0; j < x->n; j++)
		if (in + (done + j + 1) * b >
		    x->t0 + geom_pass(&h->geom, x->pl.zone, j))
			break;
	return j;
}

static uint64_t
serve_write(struct hdd *h, struct disk_io *io, uint64_t t)
{
	uint64_t lbn = io->run_lbn, in = t, turn;
	uint32_t done = 0, k;
	struct extent x;

	turn = h->geom.turn / h->geom.rate;
	while (done < io->run_blocks) {
		extent_begin(h, io, lbn, io->run_blocks - done, t, &x);
		while ((k = in_time(h, &x, in, done)) < x.n) {
			/* the sector comes by again a turn later */
			x.t0 += geom_pass(&h->geom, x.pl.zone, k) + turn;
			io->rotation += turn;
			x.n -= k;
			done += k;
			lbn += k;
		}
		t = x.t0 + geom_pass(&h->geom, x.pl.zone, x.n);
		lbn += x.n;
		done += x.n;
	}
	return t;
}

static bool
hdd_room(const void *dev)
{
	const struct hdd *h = dev;

	return h->cur == NULL;
}

static void
hdd_accept(void *dev, struct disk_io *io, uint64_t now)
{
	struct hdd *h = dev;
	uint64_t t = now;

	io->start = now;
	h->cur = io;
	if (io->op == DISK_READ) {
		io->overhead = h->p->overhead.read_miss[h->last_write];
		t = serve_read(h, io, now + io->overhead);
		h->last_write = false;
	} else if (io->op == DISK_WRITE) {
		io->overhead = h->p->overhead.write_miss[h->last_write];
		t = serve_write(h, io, now + io->overhead);
		h->last_write = true;
	}
	io->finish = t;
	io->transfer = t - now - io->overhead - io->seek - io->rotation;
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

	h->cur = NULL;
	disk_engine_complete(h->engine, io, t);
}

static uint64_t
hdd_position(void *dev, const struct disk_io *io, uint64_t now)
{
	struct hdd *h = dev;
	struct geom_place pl;
	bool write = io->op == DISK_WRITE;
	uint64_t move, t;

	t = now + (write ? h->p->overhead.write_miss[h->last_write] :
			   h->p->overhead.read_miss[h->last_write]);
	geom_locate(&h->geom, io->run_lbn, &pl);
	move = move_time(h, &pl, write);
	return move + geom_wait(&h->geom, pl.zone, pl.angle, t + move);
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
	free(h);
}

static const struct device_ops hdd_ops = {
	.room = hdd_room,
	.accept = hdd_accept,
	.next = hdd_next,
	.run = hdd_run,
	.position = hdd_position,
	.cylinder = hdd_cylinder,
	.destroy = hdd_destroy,
};

int
hdd_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err)
{
	struct hdd *h = calloc(1, sizeof(*h));

	if (h == NULL || geom_create(&p->hdd, &h->geom) != 0) {
		free(h);
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	}
	h->engine = e;
	h->p = &p->hdd;
	*out = (struct device) { &hdd_ops, h, h->geom.sectors,
		p->hdd.cylinders };
	return 0;
}
