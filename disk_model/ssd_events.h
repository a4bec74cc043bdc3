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

struct events {
	/* The lanes' earliest times and, behind them, the heap's. */
	uint64_t first[NLANES + 1];
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
/* Post an event for time t; what it is shall be filled in at once. */
struct event *events_post(struct events *q, enum event_lane lane, uint64_t t);
/* Take the earliest; there must be one. */
struct event events_take(struct events *q);

#endif
