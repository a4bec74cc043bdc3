/*
 * hdd_near.c: how near a waiting request is: the time until its first sector
 * is under a head. For shortest-positioning schedulers, in the host and in
 * the drive's own queue.
 *
 * Interface: hdd_int.h; near_prepare, near_position, near_tie, near_nearest
 *            are the device operations of disk_int.h.
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
	h->reach = malloc(NLEAST * sizeof(*h->reach));
	if (h->least_seek == NULL || h->reach == NULL)
		return -ENOMEM;
	for (k = 0; k < NLEAST; k++)
		h->least_seek[k] = UINT64_MAX;
	for (uint32_t d = 0; d < n; d++) {
		k = d >> h->near_shift;
		if (h->p->seek_ps[d] < h->least_seek[k])
			h->least_seek[k] = h->p->seek_ps[d];
	}
	h->reach[NLEAST - 1] = h->least_seek[NLEAST - 1];
	for (k = NLEAST - 1; k-- > 0;)
		h->reach[k] = h->least_seek[k] < h->reach[k + 1] ?
		    h->least_seek[k] : h->reach[k + 1];
	queue_keep(&h->held, true, true);
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
	io->dev[NEAR_PLACE] = (uint64_t) (pl.zone - h->geom.zone) << 40 |
	    (uint64_t) pl.head << 32 | pl.angle;
	io->dev[NEAR_MISSED] = 0;
}

_Static_assert(HDD_MAXHEADS <= 256, "a head's number has eight bits");

static uint32_t
head_of(uint64_t place)
{
	return (uint32_t) (place >> 32 & 255);
}

static uint32_t
angle_of(uint64_t place)
{
	return (uint32_t) place;
}

static const struct geom_zone *
zone_of(const struct hdd *h, uint64_t place)
{
	return &h->geom.zone[place >> 40];
}

static uint32_t
cylinders_to(const struct hdd *h, uint32_t cyl)
{
	return cyl > h->m.cyl ? cyl - h->m.cyl : h->m.cyl - cyl;
}

#define FAR (UINT64_MAX / 4) /* from everywhere */

/*
 * The wait for a sector at so much after now; FAR for one above `limit`, which
 * is found without dividing.
 */
static uint64_t
rotation_after(struct hdd *h, uint64_t place, uint64_t now, uint64_t later_by,
    uint64_t limit)
{
	const struct geom_zone *z = zone_of(h, place);
	uint64_t stand, want, have, w;

	if (h->stand_at != now) {
		h->stand_at = now;
		h->stand = geom_stand(&h->geom, now);
	}
	/* a few turns at most: cheaper than a division, and than branches */
	stand = h->stand + later_by * h->geom.rate;
	stand -= stand >= 2 * h->geom.turn ? 2 * h->geom.turn : 0;
	stand -= stand >= h->geom.turn ? h->geom.turn : 0;
	while (stand >= h->geom.turn)
		stand -= h->geom.turn;
	want = angle_of(place) * h->geom.turn;
	have = stand * z->spt;
	w = want - have + (want >= have ? 0 : z->span);
	w += z->den / 2;
	/* above the limit, and not so long that it counts as none */
	if (limit < h->geom.period && w >= (limit + 1) * z->den &&
	    w < (h->geom.period - h->geom.guard + 1) * z->den)
		return FAR;
	w /= z->den;
	return w + h->geom.guard > h->geom.period ? 0 : w;
}

/* By seek and rotation, the mechanism being up to date. */
static uint64_t
mechanical(struct hdd *h, uint32_t cyl, uint64_t place, bool write,
    uint64_t now, uint64_t limit)
{
	const struct hdd_overhead *o = &h->p->overhead;
	uint64_t t = write ? o->write_miss[h->last_write] :
			     o->read_miss[h->last_write], move;

	if (t + h->least_seek[cylinders_to(h, cyl) >> h->near_shift] > limit)
		return FAR;
	move = media_move(h, cyl, head_of(place), write);
	if (write && move < o->min_seek)
		move = o->min_seek;
	t += move;
	if (t > limit)
		return FAR;
	return t + rotation_after(h, place, now, t, limit - t);
}

/* With the mechanism brought up to date. */
static uint64_t
position(struct hdd *h, struct disk_io *io, uint64_t now, uint64_t limit)
{
	const struct hdd_overhead *o = &h->p->overhead;
	bool write = io->op == DISK_WRITE;

	if (io->op != DISK_READ && !write)
		return 0;
	if (write && h->nseg > 0 && h->p->cache.write_behind != WB_OFF)
		return o->write_hit[h->last_write];
	if (!write && h->nseg > 0 && buffer_holds(h, io))
		return o->read_hit[h->last_write];
	return mechanical(h, io->cyl, io->dev[NEAR_PLACE], write, now, limit);
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
	uint64_t place = io->dev[NEAR_PLACE];
	bool write = io->op == DISK_WRITE;
	double turn = 60000.0 / h->p->rpm, move, ov, t, w;

	if (io->op != DISK_READ && !write)
		return 0;
	move = h->p->seek_ms[cylinders_to(h, io->cyl)];
	if (head_of(place) != h->m.head &&
	    move < (double) h->p->head_switch_ps / 1e9)
		move = (double) h->p->head_switch_ps / 1e9;
	if (move > 0 && write)
		move += (double) h->p->write_settle_ps / 1e9;
	ov = (double) (write ? o->write_miss[h->last_write] :
			       o->read_miss[h->last_write]) / 1e9;
	t = (double) now / 1e9 + ov + move;
	w = (double) angle_of(place) / zone_of(h, place)->spt - t / turn;
	w = (w - floor(w)) * turn;
	if (w > turn - 1e-4)
		w = 0;
	return ov + move + w;
}

/* ------------------------------------------------------------ the nearest */

/* The best so far. */
struct nearest {
	struct disk_io *io;
	uint64_t position;
	double tie; /* of io, when it has been asked for */
	bool tie_known;
};

/* Of equal positions: in the host's queue by the formula, then the oldest. */
static bool
comes_first(struct hdd *h, struct nearest *b, const struct disk_io *io,
    uint64_t now, double *tie)
{
	if (!b->tie_known)
		b->tie = near_tie(h, b->io, now);
	b->tie_known = true;
	*tie = near_tie(h, io, now);
	if (*tie != b->tie)
		return *tie < b->tie;
	return io->rank < b->io->rank;
}

/* io has position d, which is not above the best one's. */
static void
consider(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct disk_io *io, uint64_t d, uint64_t now)
{
	bool equal = b->io != NULL && d == b->position, known = false;
	double tie = 0;

	if (io == b->io)
		return;
	if (equal && q == &h->held && io->rank > b->io->rank)
		return;
	if (equal && q != &h->held) {
		if (!comes_first(h, b, io, now, &tie))
			return;
		known = true;
	}
	*b = (struct nearest) { io, d, tie, known };
}

static void
consider_any(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct disk_io *io, uint64_t now)
{
	uint64_t d = position(h, io, now, b->position);

	if (d <= b->position)
		consider(h, q, b, io, d, now);
}

/* Going through a queue from the arm outwards. */
struct walk {
	const struct queue_order *o;
	struct queue_at left, right; /* entries passed lie in between */
	uint64_t overhead;
};

static struct walk
walk_begin(const struct hdd *h, const struct disk_queue *q, unsigned class)
{
	const struct hdd_overhead *o = &h->p->overhead;
	struct walk w = { .o = &q->order[class] };

	w.left = w.right = order_cylinder(w.o, h->m.cyl);
	w.overhead = class == QUEUE_WRITES ? o->write_miss[h->last_write] :
					     o->read_miss[h->last_write];
	return w;
}

/* The next one; none takes less than *least from there on. NULL at the end. */
static const struct queue_entry *
walk_next(const struct hdd *h, struct walk *w, uint64_t *least)
{
	const struct queue_order *o = w->o;
	const struct queue_entry *l = order_before(o, w->left);
	const struct queue_entry *r = order_at(o, w->right);
	uint32_t dl = l != NULL ? h->m.cyl - l->cyl : UINT32_MAX;
	uint32_t dr = r != NULL ? r->cyl - h->m.cyl : UINT32_MAX;
	uint32_t d = dl < dr ? dl : dr;

	if (d == UINT32_MAX)
		return NULL;
	*least = w->overhead + h->reach[d >> h->near_shift];
	if (dl < dr) {
		w->left = order_prev(o, w->left);
		return l;
	}
	w->right = order_next(o, w->right);
	return r;
}

/* Until the seek alone takes longer than the best. */
static void
outwards(struct hdd *h, struct disk_queue *q, unsigned class,
    struct nearest *b, uint64_t now)
{
	struct walk w = walk_begin(h, q, class);
	bool write = class == QUEUE_WRITES;
	const struct queue_entry *e;
	uint64_t d, least;

	while ((e = walk_next(h, &w, &least)) != NULL &&
	    least <= b->position) {
		d = !write && q->nwatch > 0 ?
		    position(h, e->io, now, b->position) :
		    mechanical(h, e->cyl, e->place, write, now, b->position);
		if (d <= b->position)
			consider(h, q, b, e->io, d, now);
	}
}

/*
 * Reads that the buffer holds are near wherever they lie. Those that came
 * since the last choice are watched; of the others only those can have become
 * hits that lie in a segment that has gained blocks since.
 */
static void
in_buffer(struct hdd *h, struct disk_queue *q, struct nearest *b, uint64_t now)
{
	const struct queue_order *o = &q->order[QUEUE_READS];
	const struct queue_entry *e;
	struct queue_at at;

	for (const struct hdd_seg *s = h->newest;
	     s != NULL && s->gain > q->noted; s = s->older)
		for (at = order_block(o, s->first);
		     (e = order_at(o, at)) != NULL && e->lbn <= s->end;
		     at = order_next(o, at))
			queue_watch(q, e->io);
	q->noted = h->gains;
	for (uint32_t i = 0; i < q->nwatch;) {
		if (queue_class(q->watch[i]) == QUEUE_READS &&
		    buffer_holds(h, q->watch[i]))
			consider_any(h, q, b, q->watch[i++], now);
		else
			queue_unwatch(q, i);
	}
}

/*
 * Writes that the buffer takes are all equally near. The drive takes the
 * oldest of them, the host the one that the formula prefers: it is none that
 * the seek alone puts behind another one.
 */
static void
write_behinds(struct hdd *h, struct disk_queue *q, struct nearest *b,
    uint64_t now)
{
	uint64_t least, all = h->p->overhead.write_hit[h->last_write];
	struct walk w = walk_begin(h, q, QUEUE_WRITES);
	const struct queue_entry *e;

	if (w.o->n == 0 || b->position < all)
		return;
	if (q == &h->held) {
		consider_any(h, q, b, q->first[QUEUE_WRITES], now);
		return;
	}
	while ((e = walk_next(h, &w, &least)) != NULL &&
	    (b->position != all || !b->tie_known ||
	    (double) least / 1e9 < b->tie + 1e-6))
		consider_any(h, q, b, e->io, now);
}

struct disk_io *
near_nearest(void *dev, struct disk_queue *q, int op, uint64_t now)
{
	struct hdd *h = dev;
	struct nearest b = { NULL, UINT64_MAX, 0, false };
	const struct queue_order *others = &q->order[QUEUE_OTHERS];
	struct queue_at at = order_first();

	media_catch_up(h, now);
	for (; op < 0 && order_at(others, at) != NULL;
	     at = order_next(others, at))
		consider_any(h, q, &b, order_at(others, at)->io, now);
	if (op != DISK_WRITE) {
		if (h->nseg > 0)
			in_buffer(h, q, &b, now);
		else
			q->nwatch = 0;
		outwards(h, q, QUEUE_READS, &b, now);
	}
	if (op == DISK_READ)
		return b.io;
	if (h->nseg > 0 && h->p->cache.write_behind != WB_OFF)
		write_behinds(h, q, &b, now);
	else
		outwards(h, q, QUEUE_WRITES, &b, now);
	return b.io;
}

struct disk_io *
near_held(struct hdd *h, uint64_t now)
{
	struct disk_io *io;

	if (h->held.count == 1)
		io = h->held.head;
	else
		io = near_nearest(h, &h->held, -1, now);
	queue_remove(&h->held, io);
	return io;
}
