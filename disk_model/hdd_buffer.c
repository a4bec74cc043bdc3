/*
 * hdd_buffer.c: the drive's buffer: segments, which of them is a hit, which
 * is replaced, and how far read-ahead goes.
 *
 * Interface: hdd_int.h.
 * Source:    reference sheet, sections 5.1 to 5.3; order of preference among
 *            segments as in DiskSim 4.0 (dirty data before clean, whole hits
 *            before partial ones; empty before least recently used before
 *            the one being read).
 */
#include "disk_model/hdd_int.h"

/* With a segment kept for writes, it is seg[0]. */
static bool
for_writes_only(const struct hdd *h, const struct hdd_seg *s)
{
	return h->p->cache.write_segment && s == h->seg;
}

static bool
being_read(const struct hdd *h, const struct hdd_seg *s)
{
	return h->m.kind == MEDIA_READ && h->reading == s;
}

void
buffer_use(struct hdd *h, struct hdd_seg *s)
{
	s->used = ++h->stamp;
}

struct hdd_seg *
buffer_find(struct hdd *h, uint64_t lbn, uint64_t end)
{
	struct hdd_seg *s, *best = NULL;
	int value, most = 0;

	for (uint32_t i = 0; i < h->nseg; i++) {
		s = &h->seg[i];
		if (for_writes_only(h, s))
			continue;
		if (lbn >= s->first && lbn < s->end) {
			value = s->dirty ? 3 : being_read(h, s) ? 2 : 1;
			if (s->end >= end)
				value += 4;
		} else if (lbn == s->end && being_read(h, s) &&
		    h->p->cache.hit_next)
			value = 2;
		else
			continue;
		if (value > most) {
			most = value;
			best = s;
		}
	}
	return best;
}

bool
buffer_holds(const struct hdd *h, struct disk_io *io)
{
	uint64_t lbn = io->run_lbn;

	for (const struct hdd_seg *s = h->newest;
	    s != NULL && s->gain > io->dev[NEAR_MISSED]; s = s->older) {
		if (for_writes_only(h, s))
			continue;
		if ((lbn >= s->first && lbn < s->end) || (lbn == s->end &&
		    being_read(h, s) && h->p->cache.hit_next))
			return true;
	}
	io->dev[NEAR_MISSED] = h->gains;
	return false;
}

/* Better candidates for replacement have lower values. */
static uint64_t
keep_value(const struct hdd *h, const struct hdd_seg *s)
{
	if (s->first == s->end && !being_read(h, s))
		return 0;
	if (being_read(h, s))
		return UINT64_MAX - 1;
	return s->used;
}

static struct hdd_seg *
replaceable(struct hdd *h, bool write)
{
	struct hdd_seg *s, *best = NULL;
	uint64_t value, least = UINT64_MAX;

	for (uint32_t i = 0; i < h->nseg; i++) {
		s = &h->seg[i];
		if (s->dirty || (for_writes_only(h, s) && !write))
			continue;
		if (write && h->p->cache.write_segment &&
		    !for_writes_only(h, s))
			continue;
		value = keep_value(h, s);
		if (value < least) {
			least = value;
			best = s;
		}
	}
	return best;
}

struct hdd_seg *
buffer_for_read(struct hdd *h)
{
	return replaceable(h, false);
}

bool
buffer_can_write(const struct hdd *h)
{
	for (uint32_t i = 0; i < h->nseg; i++)
		if (!h->seg[i].dirty && (!h->p->cache.write_segment || i == 0))
			return true;
	return false;
}

static bool
overlaps(const struct hdd_seg *s, uint64_t lbn, uint64_t end)
{
	return s->first < end && lbn < s->end;
}

/* A write replaces blocks of a segment: the longer rest stays, or nothing. */
static void
cut(const struct hdd *h, struct hdd_seg *s, uint64_t lbn, uint64_t end)
{
	uint64_t head = lbn > s->first ? lbn - s->first : 0;
	uint64_t tail = s->end > end ? s->end - end : 0;

	if (!h->p->cache.trim_on_write)
		s->first = s->end = 0;
	else if (head > tail)
		s->end = lbn;
	else
		s->first = tail > 0 ? end : s->end;
}

struct hdd_seg *
buffer_for_write(struct hdd *h, uint64_t lbn, uint64_t end)
{
	struct hdd_seg *s = NULL, *o;

	for (uint32_t i = 0; i < h->nseg; i++) {
		o = &h->seg[i];
		if (o->dirty || !overlaps(o, lbn, end))
			continue;
		cut(h, o, lbn, end);
		if (s == NULL && o->first == o->end &&
		    (!h->p->cache.write_segment || for_writes_only(h, o)))
			s = o; /* it has to be dropped anyway */
	}
	return s != NULL ? s : replaceable(h, true);
}

/* To the front of the list by last gain. */
static void
gained(struct hdd *h, struct hdd_seg *s)
{
	struct hdd_seg **link = &h->newest;

	s->gain = ++h->gains;
	if (h->newest == s)
		return;
	while (*link != NULL && *link != s)
		link = &(*link)->older;
	if (*link != NULL)
		*link = s->older;
	s->older = h->newest;
	h->newest = s;
}

void
buffer_extend(struct hdd *h, struct hdd_seg *s, uint64_t end)
{
	gained(h, s);
	s->end = end;
	if (end - s->first > h->p->cache.segment_sectors)
		s->first = end - h->p->cache.segment_sectors;
}

/* The published Cheetah's scheme: one track further on a stream. */
static uint64_t
goal_track_plus(const struct hdd *h, const struct hdd_seg *s, uint64_t end)
{
	uint64_t first, stop, next;

	if (end >= h->geom.sectors)
		return end;
	geom_track(&h->geom, end, &first, &stop);
	if (s->first >= first || stop >= h->geom.sectors)
		return stop;
	geom_track(&h->geom, stop, &first, &next);
	return next;
}

uint64_t
buffer_goal(const struct hdd *h, const struct hdd_seg *s, uint64_t lbn,
    uint64_t end)
{
	const struct hdd_cache *c = &h->p->cache;
	uint64_t goal = end, first;

	switch (c->read_ahead) {
	case RA_OFF:
		break;
	case RA_SECTORS:
		goal = end + c->read_ahead_sectors;
		break;
	case RA_TRACK:
		geom_track(&h->geom, end - 1, &first, &goal);
		break;
	case RA_TRACK_PLUS:
		goal = goal_track_plus(h, s, end);
		break;
	case RA_SEGMENT:
		goal = lbn + c->segment_sectors;
		break;
	}
	if (goal < end)
		goal = end;
	return goal < h->geom.sectors ? goal : h->geom.sectors;
}
