/*
 * hdd_int.h: inside the rotating disk: the mechanism (hdd_media.c), the
 * buffer (hdd_buffer.c), the commands (hdd.c), and which of those waiting is
 * nearest (hdd_near.c).
 */
#ifndef VMSIM_DISK_MODEL_HDD_INT_H
#define VMSIM_DISK_MODEL_HDD_INT_H

#include "disk_model/disk_int.h"
#include "disk_model/hdd_geom.h"

/* A run of consecutive blocks in the buffer; empty when first == end. */
struct hdd_seg {
	uint64_t first, end;
	uint64_t used; /* stamp of the last use */
	bool dirty; /* holds data that are not on the medium yet */
	uint64_t gain; /* stamp of the last block it gained */
	struct hdd_seg *older; /* gained its last block before this one */
};

/* Data of a write as they come in over the bus. */
struct hdd_piece {
	uint64_t first, end; /* blocks */
	uint64_t in0; /* the first begins to cross the bus */
	uint32_t need; /* blocks that must be in before the first is written */
};

#define HDD_MAXPIECES 32

/* Dirty blocks on their way to the medium. */
struct hdd_run {
	struct hdd_seg *seg; /* NULL: a write that bypasses the buffer */
	uint64_t next, end; /* blocks */
	uint64_t from; /* the mechanism may set out */
	uint64_t min_move;
	struct hdd_piece piece[HDD_MAXPIECES];
	uint32_t npieces;
};

enum media_kind { MEDIA_IDLE, MEDIA_READ, MEDIA_WRITE };

/*
 * What the mechanism is doing. It is brought up to date lazily: nothing is
 * computed for times that nobody has asked about, so that a later command can
 * still change what happens after its arrival.
 */
struct hdd_media {
	enum media_kind kind;
	uint32_t cyl, head; /* where the arm is, or is going */
	uint64_t next; /* block to be read or written next */
	uint64_t goal; /* stops before this one */
	bool placed; /* the fields below hold */
	uint64_t from; /* !placed: the next move begins */
	/* the blocks on the present track */
	struct geom_place pl;
	uint64_t first; /* block */
	uint32_t n;
	uint64_t move_end; /* the arm has arrived */
	uint64_t t0; /* `first` begins to pass the head */
	uint64_t seek, rotation; /* ps since the command began */
	uint64_t min_move; /* of the next move */
};

struct hdd {
	struct disk_engine *engine;
	const struct hdd_params *p;
	struct geom geom;
	struct hdd_media m;
	/* buffer */
	struct hdd_seg *seg;
	uint32_t nseg;
	struct hdd_seg *reading; /* where m puts what it reads; may be NULL */
	uint64_t stamp;
	struct hdd_seg *newest; /* list by `older` */
	uint64_t gains;
	/* runs to be written, oldest first; run[0] is the one in m */
	struct hdd_run *run_store, **run;
	uint32_t nruns, maxruns;
	uint64_t flushed_at; /* the last run was done */
	/* commands */
	bool last_write; /* the command before was a write */
	uint64_t last_end; /* block behind it */
	bool stream; /* reads have been sequential since a miss */
	struct disk_io *cur;
	struct disk_queue held; /* in the drive */
	/* choosing: where the heads stood at the time last asked about */
	uint64_t stand_at, stand;
	/* no seek over d cylinders takes less than entry d >> near_shift */
	uint64_t *least_seek;
	uint64_t *reach; /* nor one over as many or more */
	uint32_t near_shift;
};

/* The bus while a read's data cross it. */
struct hdd_bus {
	uint64_t t; /* so far */
	uint64_t per; /* ps per sector */
	uint32_t mark; /* blocks to be buffered before it opens */
	uint32_t fed; /* blocks buffered so far */
	bool open;
	uint64_t opening; /* time from the mark to the first block */
};

/* hdd_media.c */
/* Arm movement to a track, settling of a write included. */
static inline uint64_t
media_move(const struct hdd *h, uint32_t cyl, uint32_t head, bool write)
{
	const struct hdd_media *m = &h->m;
	uint64_t move = h->p->seek_ps[cyl > m->cyl ? cyl - m->cyl :
						     m->cyl - cyl];

	if (head != m->head && move < h->p->head_switch_ps)
		move = h->p->head_switch_ps;
	if (move > 0 && write)
		move += h->p->write_settle_ps;
	return move;
}

/* Let pass what happens up to time t. */
void media_catch_up(struct hdd *h, uint64_t t);
/* Start reading at m.next = lbn, not before `from`, up to goal. */
void media_read(struct hdd *h, uint64_t lbn, uint64_t goal, uint64_t from);
/* End read-ahead at t; when the mechanism is free for something else. */
uint64_t media_stop(struct hdd *h, uint64_t t);
/* Go on reading until block end - 1 is in, its data crossing the bus. */
void media_feed(struct hdd *h, uint64_t end, struct hdd_bus *bus);
/* Finish writing: all runs (all) or the oldest one; when that is done. */
uint64_t media_flush(struct hdd *h, bool all);
/* Begin run[0]. */
void media_write(struct hdd *h);
/* n blocks from k on of the present track cross the bus as they are read. */
void bus_feed(const struct hdd *h, struct hdd_bus *bus, uint64_t k,
    uint64_t n);

/* hdd_buffer.c */
/* The segment that holds lbn (or reads it next), or NULL. */
struct hdd_seg *buffer_find(struct hdd *h, uint64_t lbn, uint64_t end);
/* Whether a segment holds the request's first block (or reads it next). */
bool buffer_holds(const struct hdd *h, struct disk_io *io);
/* An empty segment for a read, NULL when there is no buffer. */
struct hdd_seg *buffer_for_read(struct hdd *h);
/* For a write of these blocks; drops what they replace. NULL: none free. */
struct hdd_seg *buffer_for_write(struct hdd *h, uint64_t lbn, uint64_t end);
bool buffer_can_write(const struct hdd *h);
void buffer_use(struct hdd *h, struct hdd_seg *s);
/* The segment's data now go up to `end`; the oldest fall out. */
void buffer_extend(struct hdd *h, struct hdd_seg *s, uint64_t end);
/* Where read-ahead for a request up to `end` stops. */
uint64_t buffer_goal(const struct hdd *h, const struct hdd_seg *s,
    uint64_t lbn, uint64_t end);

/* hdd_near.c */
/* Words of the request's own (disk_io.dev). */
enum {
	NEAR_PLACE, /* zone, head and angle */
	NEAR_MISSED, /* no segment that gained before held it */
};
int near_create(struct hdd *h);
void near_prepare(const void *dev, struct disk_io *io);
struct disk_io *near_nearest(void *dev, struct disk_queue *q, int op,
    uint64_t now, uint64_t weight_ppm);
/* Take the nearest of the commands that the drive holds. */
struct disk_io *near_held(struct hdd *h, uint64_t now);

#endif
