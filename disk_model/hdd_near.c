/*
 * hdd_near.c: how near a waiting request is: the time until its first sector
 * is under a head. For shortest-positioning schedulers, in the host and in
 * the drive's own queue.
 *
 * Interface: hdd_int.h; near_prepare and near_nearest are the device
 *            operations of disk_int.h.
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

/*
 * Equal positioning times are told apart as a plain model in double precision
 * would: by the rounding of this very formula. Nothing else depends on it,
 * and IEEE arithmetic makes it the same everywhere. The sheet's reference
 * answers for shortest-positioning queues were computed that way.
 */
static double
tie_of(const struct hdd *h, const struct disk_io *io, uint64_t now)
{
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
	int64_t cost; /* its position, less the bonus for its age */
	double tie; /* of io, when it has been asked for */
	bool tie_known;
	uint64_t now;
	uint64_t weight_ppm; /* of a request's age; 0: age does not matter */
	uint64_t older; /* those with lower ranks have been considered */
};

#define MOST_BONUS (UINT64_MAX / 8) /* nothing makes up for it */

static int64_t
bonus(const struct nearest *b, const struct disk_io *io)
{
	unsigned __int128 v;

	if (b->weight_ppm == 0)
		return 0;
	v = (unsigned __int128) (b->now - io->arrival) * b->weight_ppm;
	if (v >> 64 != 0)
		return v / 1000000 > MOST_BONUS ? (int64_t) MOST_BONUS :
						  (int64_t) (v / 1000000);
	return (int64_t) ((uint64_t) v / 1000000);
}

/* Of equal costs: in the host's queue by the formula, then the oldest. */
static bool
comes_first(struct hdd *h, struct nearest *b, const struct disk_io *io,
    double *tie)
{
	if (!b->tie_known)
		b->tie = tie_of(h, b->io, b->now);
	b->tie_known = true;
	*tie = tie_of(h, io, b->now);
	if (*tie != b->tie)
		return *tie < b->tie;
	return io->rank < b->io->rank;
}

/* The cost of io is not above the best one's. */
static void
consider(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct disk_io *io, int64_t cost)
{
	bool equal = b->io != NULL && cost == b->cost, known = false;
	double tie = 0;

	if (io == b->io)
		return;
	if (equal && q == &h->held && io->rank > b->io->rank)
		return;
	if (equal && q != &h->held) {
		if (!comes_first(h, b, io, &tie))
			return;
		known = true;
	}
	b->io = io;
	b->cost = cost;
	b->tie = tie;
	b->tie_known = known;
}

/* One that may be in the buffer, or be none that the arm moves for. */
static void
consider_any(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct disk_io *io)
{
	int64_t off = bonus(b, io), cost;

	if (b->cost + off < 0)
		return; /* not even a position of 0 would do */
	cost = (int64_t) position(h, io, b->now, (uint64_t) (b->cost + off)) -
	    off;
	if (cost <= b->cost)
		consider(h, q, b, io, cost);
}

/* One that the arm has to move for. */
static void
consider_place(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct disk_io *io, uint32_t cyl, uint64_t place)
{
	int64_t limit = b->cost + bonus(b, io), d;

	if ((int64_t) h->least_seek[cylinders_to(h, cyl) >> h->near_shift] >
	    limit)
		return;
	d = (int64_t) mechanical(h, cyl, place, io->op == DISK_WRITE, b->now,
	    (uint64_t) limit);
	if (d <= limit)
		consider(h, q, b, io, b->cost - (limit - d));
}

/* Going through a queue from the arm outwards. */
struct walk {
	const struct queue_order *o;
	unsigned class;
	struct queue_at left, right; /* entries passed lie in between */
	uint32_t distance; /* all that are nearer are passed */
	uint64_t overhead;
	uint64_t least; /* none of the others takes less */
};

static struct walk
walk_begin(const struct hdd *h, const struct disk_queue *q, unsigned class)
{
	const struct hdd_overhead *o = &h->p->overhead;
	struct walk w = { .o = &q->order[class], .class = class };

	w.left = w.right = order_cylinder(w.o, h->m.cyl);
	w.overhead = class == QUEUE_WRITES ? o->write_miss[h->last_write] :
					     o->read_miss[h->last_write];
	w.least = w.overhead;
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
	w->distance = d;
	*least = w->overhead + h->reach[d >> h->near_shift];
	if (dl < dr) {
		w->left = order_prev(o, w->left);
		return l;
	}
	w->right = order_next(o, w->right);
	return r;
}

/* One entry further; false when there is none. */
static bool
step(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct walk *w)
{
	const struct queue_entry *e = walk_next(h, w, &w->least);

	if (e == NULL)
		return false;
	if (b->weight_ppm != 0 && e->io->rank < b->older)
		return true;
	if (w->class == QUEUE_READS && q->nwatch > 0)
		consider_any(h, q, b, e->io);
	else
		consider_place(h, q, b, e->io, e->cyl, e->place);
	return true;
}

/* Until the seek alone takes longer than the best. */
static void
outwards(struct hdd *h, struct disk_queue *q, unsigned class,
    struct nearest *b)
{
	struct walk w = walk_begin(h, q, class);

	while ((int64_t) w.least <= b->cost && step(h, q, b, &w))
		;
}

/*
 * Reads that the buffer holds are near wherever they lie. Those that came
 * since the last choice are watched; of the others only those can have become
 * hits that lie in a segment that has gained blocks since.
 */
static void
in_buffer(struct hdd *h, struct disk_queue *q, struct nearest *b)
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
			consider_any(h, q, b, q->watch[i++]);
		else
			queue_unwatch(q, i);
	}
}

static bool
writes_behind(const struct hdd *h)
{
	return h->nseg > 0 && h->p->cache.write_behind != WB_OFF;
}

/*
 * Writes that the buffer takes are all equally near. The drive takes the
 * oldest of them, the host the one that the formula prefers: it is none that
 * the seek alone puts behind another one.
 */
static void
write_behinds(struct hdd *h, struct disk_queue *q, struct nearest *b)
{
	int64_t all = (int64_t) h->p->overhead.write_hit[h->last_write];
	struct walk w = walk_begin(h, q, QUEUE_WRITES);
	const struct queue_entry *e;

	if (w.o->n == 0 || b->cost < all)
		return;
	if (q == &h->held) {
		consider_any(h, q, b, q->first[QUEUE_WRITES]);
		return;
	}
	while ((e = walk_next(h, &w, &w.least)) != NULL &&
	    (b->cost != all || !b->tie_known ||
	    (double) w.least / 1e9 < b->tie + 1e-6))
		consider_any(h, q, b, e->io);
}

/* ------------------------------------------------------------ age */

/*
 * May there be one among those of a class that neither walk has seen? None of
 * them has a greater bonus than `off`. If so, goes on with its walk.
 */
static bool
unseen(struct hdd *h, const struct disk_queue *q, struct nearest *b,
    struct walk *w, int64_t off)
{
	if (w->o->n == 0 || (int64_t) w->least - off > b->cost)
		return false;
	if (w->class == QUEUE_WRITES && writes_behind(h))
		return true; /* the seek tells nothing */
	return step(h, q, b, w);
}

#define FEW 24 /* going outwards would cost more than it saves */

/*
 * From the oldest on and from the arm outwards at the same time, until those
 * not seen yet are both too far away and too young.
 */
static void
by_age(struct hdd *h, struct disk_queue *q, int op, struct nearest *b)
{
	struct walk r = walk_begin(h, q, QUEUE_READS);
	struct walk w = walk_begin(h, q, QUEUE_WRITES);
	bool more;

	if (writes_behind(h))
		w.least = h->p->overhead.write_hit[h->last_write];
	for (struct disk_io *io = q->head; io != q->barrier; io = io->next) {
		if (op >= 0 && (int) io->op != op)
			continue;
		b->older = io->rank + 1;
		if (io->op != DISK_READ || q->nwatch > 0)
			consider_any(h, q, b, io);
		else if (cylinders_to(h, io->cyl) >= r.distance)
			consider_place(h, q, b, io, io->cyl,
			    io->dev[NEAR_PLACE]);
		if (q->count < FEW && b->cost + bonus(b, io) >= 0)
			continue;
		more = op != DISK_WRITE && unseen(h, q, b, &r, bonus(b, io));
		if (op != DISK_READ && unseen(h, q, b, &w, bonus(b, io)))
			more = true;
		if (!more)
			return;
	}
}

struct disk_io *
near_nearest(void *dev, struct disk_queue *q, int op, uint64_t now,
    uint64_t weight_ppm)
{
	struct hdd *h = dev;
	struct nearest b = { .cost = (int64_t) FAR, .now = now,
		.weight_ppm = weight_ppm };
	const struct queue_order *others = &q->order[QUEUE_OTHERS];
	struct queue_at at = order_first();

	media_catch_up(h, now);
	for (; op < 0 && order_at(others, at) != NULL;
	     at = order_next(others, at))
		consider_any(h, q, &b, order_at(others, at)->io);
	if (op != DISK_WRITE && h->nseg > 0)
		in_buffer(h, q, &b);
	else if (op != DISK_WRITE)
		q->nwatch = 0;
	if (weight_ppm != 0) {
		by_age(h, q, op, &b);
		return b.io;
	}
	if (op != DISK_WRITE)
		outwards(h, q, QUEUE_READS, &b);
	if (op == DISK_READ)
		return b.io;
	if (writes_behind(h))
		write_behinds(h, q, &b);
	else
		outwards(h, q, QUEUE_WRITES, &b);
	return b.io;
}

struct disk_io *
near_held(struct hdd *h, uint64_t now)
{
	struct disk_io *io;

	if (h->held.count == 1)
		io = h->held.head;
	else
		io = near_nearest(h, &h->held, -1, now, 0);
	queue_remove(&h->held, io);
	return io;
}
