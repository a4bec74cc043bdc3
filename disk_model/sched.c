/*
 * sched.c: which waiting request is served next. Selection happens when the
 * device has room, among the requests that have arrived by then; of equals
 * the one that arrived first is taken.
 *
 * Interface: sched_init, sched_pick, sched_dispatched, sched_merge,
 *            sched_hands_over (disk_int.h).
 * Source:    reference sheet, section 6. C-LOOK is BSD's disksort order. The
 *            deadline rules are those of the Linux deadline scheduler; aged
 *            SPTF follows Jacobson & Wilkes 1991 (time minus weight * wait).
 * Differs:   nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/disk_int.h"

/* The choice at hand. */
struct choice {
	struct sched_state *s;
	struct disk_queue *q;
	const struct device *dev;
	uint64_t now;
	int op; /* -1: any; DISK_READ or DISK_WRITE: only these */
};

/* What of the queue a scheduler looks at. */
enum { BY_ARRIVAL, BY_PLACE, BY_POSITION };

struct scheduler {
	const char *name;
	struct disk_io *(*pick)(const struct choice *c);
	int by;
	uint64_t weight_ppm; /* default of what follows ':'; 0: nothing may */
	const char *help;
};

static bool
wanted(const struct choice *c, unsigned class)
{
	return c->op < 0 || class == (c->op == DISK_READ ? QUEUE_READS :
							   QUEUE_WRITES);
}

#define FOREACH_CLASS(c, k) \
	for (unsigned k = 0; k < QUEUE_CLASSES; k++) \
		if (wanted((c), k))

static struct disk_io *
pick_fcfs(const struct choice *c)
{
	const struct disk_queue *q = c->q;
	struct disk_io *io;

	if (c->op < 0)
		return q->head;
	io = q->first[c->op == DISK_READ ? QUEUE_READS : QUEUE_WRITES];
	if (io == NULL || (q->barrier != NULL &&
	    io->rank >= q->barrier->rank))
		return NULL;
	return io;
}

/* ------------------------------------------------------------ by place */

/* The best so far: the least cost; of equals the oldest. */
struct best {
	struct disk_io *io;
	uint64_t cost;
};

static void
consider(struct best *b, struct disk_io *io, uint64_t cost)
{
	if (b->io == NULL || cost < b->cost ||
	    (cost == b->cost && io->rank < b->io->rank)) {
		b->io = io;
		b->cost = cost;
	}
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The oldest request at the nearest block not below (not above) pos. */
static struct disk_io *
up(const struct queue_order *o, uint64_t pos)
{
	const struct queue_entry *e = order_at(o, order_block(o, pos));

	return e != NULL ? e->io : NULL;
}

static struct disk_io *
down(const struct queue_order *o, uint64_t pos)
{
	const struct queue_entry *e = order_before(o,
	    order_block(o, pos + 1));

	return e != NULL ? order_at(o, order_block(o, e->lbn))->io : NULL;
}

static struct disk_io *
nearest(const struct choice *c, uint64_t pos, bool downward)
{
	struct best b = { NULL, 0 };
	struct disk_io *io;

	FOREACH_CLASS(c, k) {
		io = downward ? down(&c->q->order[k], pos) :
				up(&c->q->order[k], pos);
		if (io != NULL)
			consider(&b, io, distance(io->run_lbn, pos));
	}
	return b.io;
}

static struct disk_io *
pick_sstf(const struct choice *c)
{
	struct disk_io *io = nearest(c, c->s->end, false);
	struct best b = { NULL, 0 };

	if (io != NULL)
		consider(&b, io, distance(io->run_lbn, c->s->end));
	io = nearest(c, c->s->end, true);
	if (io != NULL)
		consider(&b, io, distance(io->run_lbn, c->s->end));
	return b.io;
}

static struct disk_io *
pick_scan(const struct choice *c)
{
	struct disk_io *io = nearest(c, c->s->pos, c->s->down);

	return io != NULL ? io : nearest(c, c->s->pos, !c->s->down);
}

static struct disk_io *
pick_clook(const struct choice *c)
{
	struct disk_io *io = nearest(c, c->s->pos, false);

	return io != NULL ? io : nearest(c, 0, false);
}

/* ------------------------------------------------------------ by cylinder */

/* That of the block after the last request: there the arm stands. */
static uint32_t
cylinder_now(const struct choice *c)
{
	const struct device *d = c->dev;
	uint64_t lbn = c->s->end;

	if (lbn >= d->sectors)
		lbn = d->sectors - 1;
	return d->ops->cylinder(d->dev, lbn);
}

static void
consider_cylinder(const struct choice *c, struct best *b, struct disk_io *io,
    uint32_t cyl, uint64_t penalty)
{
	uint64_t cost = distance(io->cyl, cyl) * 1000000;

	if (c->s->down ? io->cyl > cyl : io->cyl < cyl)
		cost += penalty;
	consider(b, io, cost);
}

/* The nearest cylinder each way, and all that lies in it. */
static void
consider_near(const struct choice *c, struct best *b,
    const struct queue_order *o, uint32_t cyl, uint64_t penalty)
{
	const struct queue_at first = order_cylinder(o, cyl);
	const struct queue_entry *e, *same;
	struct queue_at at = first;

	for (same = order_at(o, at); (e = order_at(o, at)) != NULL &&
	     e->cyl == same->cyl; at = order_next(o, at))
		consider_cylinder(c, b, e->io, cyl, penalty);
	at = first;
	for (same = order_before(o, at); (e = order_before(o, at)) != NULL &&
	     e->cyl == same->cyl; at = order_prev(o, at))
		consider_cylinder(c, b, e->io, cyl, penalty);
}

/* SSTF by cylinder, with a penalty for turning round. */
static struct disk_io *
pick_cylinder(const struct choice *c, uint64_t penalty)
{
	const struct queue_order *o = &c->q->order[QUEUE_OTHERS];
	struct queue_at at = order_first();
	struct best b = { NULL, 0 };
	uint32_t cyl;

	if (c->dev->cylinders <= 1)
		return pick_fcfs(c);
	cyl = cylinder_now(c);
	for (unsigned k = QUEUE_READS; k <= QUEUE_WRITES; k++)
		if (wanted(c, k))
			consider_near(c, &b, &c->q->order[k], cyl, penalty);
	for (; c->op < 0 && order_at(o, at) != NULL; at = order_next(o, at))
		consider_cylinder(c, &b, order_at(o, at)->io, cyl, penalty);
	return b.io;
}

static struct disk_io *
pick_sstf_cyl(const struct choice *c)
{
	return pick_cylinder(c, 0);
}

static struct disk_io *
pick_vscan(const struct choice *c)
{
	return pick_cylinder(c, c->s->weight_ppm * c->dev->cylinders);
}

/* ------------------------------------------------------------ by position */

static struct disk_io *
pick_sptf(const struct choice *c)
{
	if (c->dev->ops->nearest == NULL)
		return pick_fcfs(c);
	return c->dev->ops->nearest(c->dev->dev, c->q, c->op, c->now,
	    c->s->weight_ppm);
}

/* ------------------------------------------------------------ deadline */

#define DEADLINE_READ (PS_PER_MS * 500)
#define DEADLINE_WRITE (PS_PER_MS * 5000)
#define DEADLINE_BATCH 16
#define DEADLINE_STARVED 2

static uint32_t
deadline_direction(const struct choice *c)
{
	struct choice r = *c, w = *c;

	r.op = DISK_READ;
	w.op = DISK_WRITE;
	if (pick_fcfs(&r) == NULL)
		return 1;
	if (pick_fcfs(&w) != NULL && c->s->passed++ >= DEADLINE_STARVED)
		return 1;
	return 0;
}

/* A flush or trim has no place in a sorted batch: it goes in its turn. */
static bool
deadline_plain(const struct disk_io *io)
{
	return io->op == DISK_READ || io->op == DISK_WRITE;
}

static struct disk_io *
pick_deadline(const struct choice *c)
{
	struct sched_state *s = c->s;
	struct choice d = *c;
	struct disk_io *io, *oldest;

	if (!deadline_plain(c->q->head))
		return c->q->head;
	d.op = s->batch_op == 0 ? DISK_READ : DISK_WRITE;
	io = nearest(&d, s->batch_pos[s->batch_op], false);
	if (io == NULL || s->batch_left == 0) {
		s->batch_op = deadline_direction(c);
		if (s->batch_op == 1)
			s->passed = 0;
		d.op = s->batch_op == 0 ? DISK_READ : DISK_WRITE;
		oldest = pick_fcfs(&d);
		io = nearest(&d, s->batch_pos[s->batch_op], false);
		if (io == NULL || c->now - oldest->arrival >=
		    (s->batch_op == 0 ? DEADLINE_READ : DEADLINE_WRITE))
			io = oldest;
		s->batch_left = DEADLINE_BATCH;
	}
	s->batch_left--;
	s->batch_pos[s->batch_op] = io->run_lbn;
	return io;
}

/* ------------------------------------------------------------ table */

static const struct scheduler schedulers[] = {
	{ "aged-sptf", pick_sptf, BY_POSITION, 6300,
	    "SPTF minus weight * waiting" },
	{ "clook", pick_clook, BY_PLACE, 0,
	    "ascending, then from the start (BSD)" },
	{ "deadline", pick_deadline, BY_PLACE, 0,
	    "sorted batches with deadlines" },
	{ "fcfs", pick_fcfs, BY_ARRIVAL, 0, "first come, first served" },
	{ "none", pick_fcfs, BY_ARRIVAL, 0,
	    "everything goes to the device at once" },
	{ "scan", pick_scan, BY_PLACE, 0, "elevator" },
	{ "sptf", pick_sptf, BY_POSITION, 0,
	    "shortest positioning time first" },
	{ "sstf", pick_sstf, BY_PLACE, 0, "nearest block first" },
	{ "sstf-cyl", pick_sstf_cyl, BY_PLACE, 0, "nearest cylinder first" },
	{ "vscan", pick_vscan, BY_PLACE, 200000,
	    "SSTF that dislikes turning round" },
};

#define NSCHED (sizeof(schedulers) / sizeof(schedulers[0]))

const char *
disk_scheduler_name(size_t i)
{
	return i < NSCHED ? schedulers[i].name : NULL;
}

const char *
disk_scheduler_help(size_t i)
{
	return i < NSCHED ? schedulers[i].help : NULL;
}

static int
unknown(const char *name, struct sim_err *err)
{
	char list[160] = "";

	for (size_t i = 0; i < NSCHED; i++) {
		strcat(list, i == 0 ? "" : " ");
		strcat(list, schedulers[i].name);
	}
	return sim_err_set(err, EINVAL, "disk scheduler '%s' is unknown;"
	    " choose one of: %s", name, list);
}

/* "0.2" -> 200000; up to six decimals. */
static bool
parse_ppm(const char *text, uint64_t *ppm)
{
	uint64_t v = 0;
	int decimals = -1;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text != '\0'; text++) {
		if (*text == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (*text < '0' || *text > '9' || decimals == 6 ||
		    v > UINT64_C(1000000000))
			return false;
		v = v * 10 + (uint64_t) (*text - '0');
		if (decimals >= 0)
			decimals++;
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 6; decimals++)
		v *= 10;
	*ppm = v;
	return true;
}

static bool
parse_count(const char *text, uint32_t *count)
{
	uint64_t v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (uint64_t) (*text - '0');
		if (v > 1000000)
			return false;
	}
	*count = (uint32_t) v;
	return v > 0;
}

#define READS_FIRST_PASSES 16
#define MERGE_SECTORS 256

/* One option after a comma: "reads-first[:N]" or "merge[:SECTORS]". */
static bool
parse_option(struct sched_state *s, char *text)
{
	char *value = strchr(text, ':');

	if (value != NULL)
		*value++ = '\0';
	if (strcmp(text, "reads-first") == 0) {
		s->reads_first = READS_FIRST_PASSES;
		return value == NULL || parse_count(value, &s->reads_first);
	}
	if (strcmp(text, "merge") == 0) {
		s->merge = MERGE_SECTORS;
		return value == NULL || parse_count(value, &s->merge);
	}
	return false;
}

static bool
parse_kind(struct sched_state *s, char *text)
{
	char *value = strchr(text, ':');

	if (value != NULL)
		*value++ = '\0';
	for (size_t i = 0; i < NSCHED; i++)
		if (strcmp(schedulers[i].name, text) == 0)
			s->kind = &schedulers[i];
	if (s->kind == NULL)
		return false;
	s->weight_ppm = s->kind->weight_ppm;
	if (value == NULL)
		return true;
	return s->kind->weight_ppm != 0 && parse_ppm(value, &s->weight_ppm);
}

int
sched_init(struct sched_state *s, const char *name, struct sim_err *err)
{
	char text[64], *p, *save = NULL;
	struct sched_state n;

	memset(&n, 0, sizeof(n));
	if (strlen(name) >= sizeof(text))
		return unknown(name, err);
	snprintf(text, sizeof(text), "%s", name);
	snprintf(n.name, sizeof(n.name), "%s", name);
	p = strtok_r(text, ",", &save);
	if (p == NULL || !parse_kind(&n, p))
		return unknown(name, err);
	while ((p = strtok_r(NULL, ",", &save)) != NULL)
		if (!parse_option(&n, p))
			return sim_err_set(err, EINVAL, "disk scheduler '%s':"
			    " after the comma comes reads-first[:passes] or"
			    " merge[:sectors]", name);
	n.hands_over = strcmp(n.kind->name, "none") == 0;
	*s = n;
	return 0;
}

/* ------------------------------------------------------------ choosing */

/* Reads before writes, but a write is passed over only so often. */
static int
reads_first(const struct choice *c)
{
	struct choice r = *c, w = *c;

	r.op = DISK_READ;
	w.op = DISK_WRITE;
	if (pick_fcfs(&r) == NULL || pick_fcfs(&w) == NULL)
		return -1;
	if (c->s->passed++ < c->s->reads_first)
		return DISK_READ;
	return DISK_WRITE;
}

bool
sched_hands_over(const struct sched_state *s)
{
	return s->hands_over;
}

void
sched_adopt(const struct sched_state *s, struct disk_queue *q,
    const struct device *dev)
{
	int by = s->kind->by;

	if (by == BY_POSITION && dev->ops->nearest == NULL)
		by = BY_ARRIVAL;
	queue_keep(q, by != BY_ARRIVAL || s->merge != 0, by == BY_POSITION);
}

struct disk_io *
sched_pick(struct sched_state *s, struct disk_queue *q,
    const struct device *dev, uint64_t now)
{
	struct choice c = { s, q, dev, now, -1 };

	if (q->head->next == q->barrier)
		return q->head;
	if (s->reads_first != 0 && s->kind->pick != pick_deadline) {
		c.op = reads_first(&c);
		if (c.op != DISK_READ)
			s->passed = 0;
	}
	return s->kind->pick(&c);
}

void
sched_dispatched(struct sched_state *s, const struct disk_io *io)
{
	if (io->op == DISK_FLUSH)
		return;
	if (io->run_lbn != s->pos)
		s->down = io->run_lbn < s->pos;
	s->pos = io->run_lbn;
	s->end = io->run_lbn + io->run_blocks;
}

/* May io join it? */
static bool
joins(const struct sched_state *s, const struct disk_io *w,
    const struct disk_io *io)
{
	return w->op == io->op && w->error == 0 &&
	    w->run_blocks + io->blocks <= s->merge &&
	    (w->run_lbn + w->run_blocks == io->lbn ||
	    io->lbn + io->blocks == w->run_lbn);
}

/* All waiting requests are in the order of place. */
static struct disk_io *
merge_sorted(const struct sched_state *s, const struct queue_order *o,
    const struct disk_io *io)
{
	uint64_t from = io->lbn > s->merge ? io->lbn - s->merge : 0;
	struct queue_at at = order_block(o, from);
	const struct queue_entry *e;
	struct disk_io *w, *best = NULL;

	for (; (e = order_at(o, at)) != NULL &&
	     e->lbn <= io->lbn + io->blocks; at = order_next(o, at)) {
		w = e->io;
		if (joins(s, w, io) && (best == NULL || w->rank > best->rank))
			best = w;
	}
	return best;
}

struct disk_io *
sched_merge(const struct sched_state *s, const struct disk_queue *q,
    const struct disk_io *io)
{
	struct disk_io *w;

	if (s->merge == 0 || io->ordered || io->error != 0 ||
	    (io->op != DISK_READ && io->op != DISK_WRITE))
		return NULL;
	if (q->sorted && q->barrier == NULL)
		return merge_sorted(s, &q->order[queue_class(io)], io);
	for (w = q->tail; w != NULL && !w->ordered; w = w->prev)
		if (joins(s, w, io))
			return w;
	return NULL;
}
