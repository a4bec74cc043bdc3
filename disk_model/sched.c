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
 * Differs:   the queue is one list searched from the front, which costs time
 *            on the host only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/disk_int.h"

/* The choice at hand. */
struct choice {
	struct sched_state *s;
	const struct disk_queue *q;
	const struct disk_io *limit;
	const struct device *dev;
	uint64_t now;
	int op; /* -1: any; DISK_READ or DISK_WRITE: only these */
};

struct scheduler {
	const char *name;
	struct disk_io *(*pick)(const struct choice *c);
	uint64_t weight_ppm; /* default of what follows ':'; 0: nothing may */
	const char *help;
};

static bool
wanted(const struct choice *c, const struct disk_io *io)
{
	return c->op < 0 || (int) io->op == c->op;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

#define FOREACH(c, io)                                             \
	for ((io) = (c)->q->head; (io) != (c)->limit; (io) = (io)->next) \
		if (wanted((c), (io)))

static struct disk_io *
pick_fcfs(const struct choice *c)
{
	struct disk_io *io;

	FOREACH(c, io)
		return io;
	return NULL;
}

static struct disk_io *
pick_sstf(const struct choice *c)
{
	struct disk_io *io, *best = NULL;
	uint64_t d, least = UINT64_MAX;

	FOREACH(c, io) {
		d = distance(io->run_lbn, c->s->end);
		if (d < least) {
			least = d;
			best = io;
		}
	}
	return best;
}

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

static struct disk_io *
pick_sstf_cyl(const struct choice *c)
{
	struct disk_io *io, *best = NULL;
	uint64_t d, least = UINT64_MAX, cyl = cylinder_now(c);

	FOREACH(c, io) {
		d = distance(io->cyl, cyl);
		if (d < least) {
			least = d;
			best = io;
		}
	}
	return best;
}

/* The nearest request at or above (down: at or below) pos. */
static struct disk_io *
nearest(const struct choice *c, uint64_t pos, bool down)
{
	struct disk_io *io, *best = NULL;

	FOREACH(c, io) {
		if (down ? io->run_lbn > pos : io->run_lbn < pos)
			continue;
		if (best == NULL ||
		    (down ? io->run_lbn > best->run_lbn :
			io->run_lbn < best->run_lbn))
			best = io;
	}
	return best;
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

static struct disk_io *
pick_vscan(const struct choice *c)
{
	struct disk_io *io, *best = NULL;
	uint64_t penalty = c->s->weight_ppm * c->dev->cylinders;
	uint64_t d, least = UINT64_MAX, cyl = cylinder_now(c);
	bool back;

	FOREACH(c, io) {
		back = c->s->down ? io->cyl > cyl : io->cyl < cyl;
		d = distance(io->cyl, cyl) * 1000000;
		if (back)
			d += penalty;
		if (d < least) {
			least = d;
			best = io;
		}
	}
	return best;
}

/*
 * Sectors at the same angle are reached at the same moment from everywhere:
 * on drives with few sectors per track equal times are common.
 */
static bool
before(const struct choice *c, const struct disk_io *io,
    const struct disk_io *best)
{
	return c->dev->ops->tie(c->dev->dev, io, c->now) <
	    c->dev->ops->tie(c->dev->dev, best, c->now);
}

static struct disk_io *
pick_sptf(const struct choice *c)
{
	struct disk_io *io, *best = NULL;
	uint64_t d, least = UINT64_MAX;

	FOREACH(c, io) {
		d = c->dev->ops->position(c->dev->dev, io, c->now, least);
		if (d < least || (d == least && before(c, io, best))) {
			least = d;
			best = io;
		}
	}
	return best;
}

static struct disk_io *
pick_aged_sptf(const struct choice *c)
{
	struct disk_io *io, *best = NULL;
	int64_t d, least = INT64_MAX;

	FOREACH(c, io) {
		d = (int64_t) c->dev->ops->position(c->dev->dev, io, c->now,
		    UINT64_MAX);
		d -= (int64_t) ((unsigned __int128) (c->now - io->arrival) *
		    c->s->weight_ppm / 1000000);
		if (d < least || (d == least && before(c, io, best))) {
			least = d;
			best = io;
		}
	}
	return best;
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
	{ "aged-sptf", pick_aged_sptf, 6300, "SPTF minus weight * waiting" },
	{ "clook", pick_clook, 0, "ascending, then from the start (BSD)" },
	{ "deadline", pick_deadline, 0, "sorted batches with deadlines" },
	{ "fcfs", pick_fcfs, 0, "first come, first served" },
	{ "none", pick_fcfs, 0, "everything goes to the device at once" },
	{ "scan", pick_scan, 0, "elevator" },
	{ "sptf", pick_sptf, 0, "shortest positioning time first" },
	{ "sstf", pick_sstf, 0, "nearest block first" },
	{ "sstf-cyl", pick_sstf_cyl, 0, "nearest cylinder first" },
	{ "vscan", pick_vscan, 200000, "SSTF that dislikes turning round" },
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

struct disk_io *
sched_pick(struct sched_state *s, const struct disk_queue *q,
    const struct disk_io *limit, const struct device *dev, uint64_t now)
{
	struct choice c = { s, q, limit, dev, now, -1 };

	if (q->head->next == limit)
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

struct disk_io *
sched_merge(const struct sched_state *s, const struct disk_queue *q,
    const struct disk_io *io)
{
	struct disk_io *w;

	if (s->merge == 0 || io->ordered || io->error != 0 ||
	    (io->op != DISK_READ && io->op != DISK_WRITE))
		return NULL;
	for (w = q->tail; w != NULL && !w->ordered; w = w->prev) {
		if (w->op != io->op || w->error != 0 ||
		    w->run_blocks + io->blocks > s->merge)
			continue;
		if (w->run_lbn + w->run_blocks == io->lbn ||
		    io->lbn + io->blocks == w->run_lbn)
			return w;
	}
	return NULL;
}
