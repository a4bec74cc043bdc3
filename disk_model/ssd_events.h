/*
 * ssd_events.h: what happens next inside a flash device.
 *
 * An event that always comes the same time after it is posted (the end of a
 * page read, of a program, of a transfer of one size) belongs into a lane:
 * its times never decrease, so that a lane is a ring whose first event is its
 * earliest. What does not fit a lane's order goes into a heap. The earliest
 * of all is then the least of a few, however many chips are at work.
 */
#ifndef VMSIM_DISK_MODEL_SSD_EVENTS_H
#define VMSIM_DISK_MODEL_SSD_EVENTS_H

#include "disk_model/disk_int.h"

enum event_kind { EV_CHIP, EV_CHANNEL, EV_START, EV_BUFFER, EV_DIRECT,
	EV_DONE };

enum event_lane { LANE_READ_LSB, LANE_READ_MSB, LANE_PROGRAM, LANE_ERASE,
	LANE_CHANNEL, LANE_ARRIVAL, LANE_DONE, NLANES };

struct event {
	uint64_t t;
	uint64_t seq; /* of equal times the one posted first */
	uint64_t what; /* kind, and of which chip or channel */
	union {
		struct disk_io *io; /* START, BUFFER, DIRECT, DONE */
		uint64_t stamp; /* of a chip's latest event */
	};
};

static inline enum event_kind
event_kind(const struct event *ev)
{
	return (enum event_kind) (ev->what & 15);
}

static inline uint32_t
event_index(const struct event *ev)
{
	return (uint32_t) (ev->what >> 32);
}

struct lane {
	struct event *ev; /* ring of a power of two */
	uint32_t head, count, mask;
	uint64_t last; /* time of the last one */
};

#define LANE_HEAP NLANES /* the heap's place among the lanes */
#define NFIRST (NLANES + 1)

struct events {
	uint64_t first[NFIRST]; /* the lanes' earliest times, the heap's */
	uint64_t next; /* the least of them; DISK_NEVER when none */
	uint32_t from; /* whose it is */
	struct lane lane[NLANES];
	struct event *heap;
	uint32_t nheap, heap_size;
	uint64_t seq;
};

/* Lanes begin with room for n events. -ENOMEM. */
int events_create(struct events *q, uint32_t n);
void events_destroy(struct events *q);

/*
 * The rest is a device's innermost loop, and here to be part of it; these are
 * the rare cases.
 */
void events_lane_grow(struct lane *l);
/* Post what comes at no time that fits its lane. */
struct event *events_post_heap(struct events *q, uint64_t t);
void events_take_heap(struct events *q, struct event *out);
/* Equal times: who was posted first? */
void events_first_of_equals(struct events *q);

_Static_assert(NFIRST == 8, "events_find_next() goes by pairs");

static inline uint64_t
events_less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline void
events_find_next(struct events *q)
{
	const uint64_t *f = q->first;
	uint64_t a = events_less(events_less(f[0], f[1]),
	    events_less(f[2], f[3]));
	uint64_t b = events_less(events_less(f[4], f[5]),
	    events_less(f[6], f[7]));
	uint32_t whose = 0;

	a = events_less(a, b);
	for (uint32_t i = 0; i < NFIRST; i++)
		whose |= (uint32_t) (f[i] == a) << i;
	q->next = a;
	q->from = (uint32_t) __builtin_ctz(whose);
	if ((whose & (whose - 1)) != 0)
		events_first_of_equals(q);
}

/*
 * Post an event for time t; what it is shall be filled in at once: field by
 * field where it stays, for a copy of what has just been written in parts
 * would stall most processors.
 */
static inline struct event *
events_post(struct events *q, enum event_lane lane, uint64_t t)
{
	struct lane *l = &q->lane[lane];
	struct event *ev;

	if (l->count > 0 && t < l->last)
		return events_post_heap(q, t);
	if (t < q->next) {
		q->next = t;
		q->from = lane;
	}
	if (l->count > l->mask)
		events_lane_grow(l);
	ev = &l->ev[(l->head + l->count) & l->mask];
	l->last = t;
	if (l->count++ == 0)
		q->first[lane] = t;
	ev->t = t;
	ev->seq = ++q->seq;
	return ev;
}

/* Take the earliest; there must be one. */
static inline void
events_take(struct events *q, struct event *out)
{
	struct lane *l = &q->lane[q->from];
	const struct event *ev;

	if (q->from == LANE_HEAP) {
		events_take_heap(q, out);
	} else {
		ev = &l->ev[l->head];
		out->t = ev->t;
		out->what = ev->what;
		out->stamp = ev->stamp;
		l->head = (l->head + 1) & l->mask;
		q->first[q->from] = --l->count > 0 ? l->ev[l->head].t :
						     DISK_NEVER;
	}
	events_find_next(q);
}

#endif
