/*
 * hdd_near.c: how near a waiting request is: the time until its first sector
 * is under a head. For shortest-positioning schedulers, in the host and in
 * the drive's own queue.
 *
 * Interface: hdd_int.h; near_prepare, near_position and near_tie are the
 *            device operations of disk_int.h.
 * Source:    reference sheet, sections 2.3 and 6 (SPTF; queues in the device);
 *            section 8 (the angle must be the one at the end of the move).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "disk_model/hdd_int.h"

#define NLEAST 1024u /* that much stays in the host's first cache */

int
near_create(struct hdd *h)
{
	uint32_t n = h->p->cylinders, k;

	while ((n - 1) >> h->near_shift >= NLEAST)
		h->near_shift++;
	h->least_seek = malloc(NLEAST * sizeof(*h->least_seek));
	if (h->least_seek == NULL)
		return -ENOMEM;
	for (k = 0; k < NLEAST; k++)
		h->least_seek[k] = UINT64_MAX;
	for (uint32_t d = 0; d < n; d++) {
		k = d >> h->near_shift;
		if (h->p->seek_ps[d] < h->least_seek[k])
			h->least_seek[k] = h->p->seek_ps[d];
	}
	h->stand_at = UINT64_MAX; /* not asked yet */
	return 0;
}

void
near_prepare(const void *dev, struct disk_io *io)
{
	const struct hdd *h = dev;
	struct geom_place pl;

	geom_locate(&h->geom, io->run_lbn, &pl);
	io->cyl = pl.cyl;
	io->dev[NEAR_PLACE] = (uint64_t) pl.head << 32 | pl.angle;
	io->dev[NEAR_ZONE] = (uint64_t) (pl.zone - h->geom.zone);
	io->dev[NEAR_MISSED] = 0;
}

static uint32_t
head_of(const struct disk_io *io)
{
	return (uint32_t) (io->dev[NEAR_PLACE] >> 32);
}

static uint32_t
angle_of(const struct disk_io *io)
{
	return (uint32_t) io->dev[NEAR_PLACE];
}

static uint32_t
cylinders_to(const struct hdd *h, const struct disk_io *io)
{
	return io->cyl > h->m.cyl ? io->cyl - h->m.cyl : h->m.cyl - io->cyl;
}

static uint64_t
rotation_after(struct hdd *h, const struct disk_io *io, uint64_t now,
    uint64_t later_by)
{
	uint64_t stand;

	if (h->stand_at != now) {
		h->stand_at = now;
		h->stand = geom_stand(&h->geom, now);
	}
	/* a few turns at most: cheaper than a division */
	stand = h->stand + later_by * h->geom.rate;
	while (stand >= h->geom.turn)
		stand -= h->geom.turn;
	return geom_wait_from(&h->geom, &h->geom.zone[io->dev[NEAR_ZONE]],
	    angle_of(io), stand);
}

/* With the mechanism brought up to date. */
static uint64_t
position(struct hdd *h, struct disk_io *io, uint64_t now, uint64_t limit)
{
	const struct hdd_overhead *o = &h->p->overhead;
	bool write = io->op == DISK_WRITE;
	uint64_t ov, move;

	if (io->op != DISK_READ && !write)
		return 0;
	if (write && h->nseg > 0 && h->p->cache.write_behind != WB_OFF)
		return o->write_hit[h->last_write];
	if (!write && h->nseg > 0 && buffer_holds(h, io))
		return o->read_hit[h->last_write];
	ov = write ? o->write_miss[h->last_write] :
		     o->read_miss[h->last_write];
	move = h->least_seek[cylinders_to(h, io) >> h->near_shift];
	if (ov + move > limit)
		return ov + move;
	move = media_move(h, io->cyl, head_of(io), write);
	if (write && move < o->min_seek)
		move = o->min_seek;
	if (ov + move > limit)
		return ov + move;
	return ov + move + rotation_after(h, io, now, ov + move);
}

uint64_t
near_position(void *dev, struct disk_io *io, uint64_t now, uint64_t limit)
{
	struct hdd *h = dev;

	media_catch_up(h, now);
	return position(h, io, now, limit);
}

/*
 * Equal positioning times are told apart as a plain model in double precision
 * would: by the rounding of this very formula. Nothing else depends on it,
 * and IEEE arithmetic makes it the same everywhere. The sheet's reference
 * answers for shortest-positioning queues were computed that way.
 */
double
near_tie(void *dev, const struct disk_io *io, uint64_t now)
{
	struct hdd *h = dev;
	const struct hdd_overhead *o = &h->p->overhead;
	const struct geom_zone *z = &h->geom.zone[io->dev[NEAR_ZONE]];
	bool write = io->op == DISK_WRITE;
	double turn = 60000.0 / h->p->rpm, move, ov, t, w;

	if (io->op != DISK_READ && !write)
		return 0;
	move = h->p->seek_ms[cylinders_to(h, io)];
	if (head_of(io) != h->m.head &&
	    move < (double) h->p->head_switch_ps / 1e9)
		move = (double) h->p->head_switch_ps / 1e9;
	if (move > 0 && write)
		move += (double) h->p->write_settle_ps / 1e9;
	ov = (double) (write ? o->write_miss[h->last_write] :
			       o->read_miss[h->last_write]) / 1e9;
	t = (double) now / 1e9 + ov + move;
	w = (double) angle_of(io) / z->spt - t / turn;
	w = (w - floor(w)) * turn;
	if (w > turn - 1e-4)
		w = 0;
	return ov + move + w;
}

/* The oldest of equals. */
struct disk_io *
near_held(struct hdd *h, uint64_t now)
{
	uint64_t d, least = UINT64_MAX;
	struct disk_io *io;
	uint32_t best = 0;

	media_catch_up(h, now);
	for (uint32_t i = 0; i < h->nheld; i++) {
		d = position(h, h->held[i], now, least);
		if (d < least) {
			least = d;
			best = i;
		}
	}
	io = h->held[best];
	h->nheld--;
	for (uint32_t i = best; i < h->nheld; i++)
		h->held[i] = h->held[i + 1];
	return io;
}
