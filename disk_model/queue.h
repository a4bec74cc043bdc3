/*
 * queue.h: requests that wait, in order of arrival and, for who wants it, in
 * order of place. An ordered request is a barrier: those behind it are not in
 * the order of place before it has gone.
 */
#ifndef VMSIM_DISK_MODEL_QUEUE_H
#define VMSIM_DISK_MODEL_QUEUE_H

#include "disk_model/engine.h"

struct queue_entry {
	uint64_t lbn; /* of the request's first block */
	struct disk_io *io;
	uint64_t place; /* io->dev[0]: what prepare() noted */
	uint32_t cyl;
};

#define QUEUE_CHUNK 64u

/* None is empty. */
struct queue_chunk {
	uint32_t n;
	struct queue_entry e[QUEUE_CHUNK];
};

/* By block, then by arrival; so by cylinder, too. */
struct queue_order {
	uint32_t n; /* entries */
	struct queue_chunk **chunk;
	uint32_t nchunks, room;
	struct queue_chunk *spare; /* kept for the next split */
};

/* A place in an order; behind the last entry: chunk is nchunks. */
struct queue_at {
	uint32_t chunk, i;
};

/* Flushes and trims, whose cylinder means nothing, are apart. */
enum { QUEUE_READS, QUEUE_WRITES, QUEUE_OTHERS, QUEUE_CLASSES };

struct disk_queue {
	struct disk_io *head, *tail; /* in order of arrival */
	uint32_t count;
	uint64_t rank; /* of the next one to arrive */
	struct disk_io *barrier; /* the first ordered request */
	struct disk_io *first[QUEUE_CLASSES]; /* oldest of its class */
	bool sorted; /* the orders are kept */
	struct queue_order order[QUEUE_CLASSES];
	/*
	 * A device that chooses: requests to look at one by one, those that
	 * came since its last choice among them; and what it noted then.
	 */
	bool watched;
	struct disk_io **watch;
	uint32_t nwatch, watch_room;
	uint64_t noted;
};

static inline unsigned
queue_class(const struct disk_io *io)
{
	return io->op == DISK_READ ? QUEUE_READS :
	    io->op == DISK_WRITE ? QUEUE_WRITES : QUEUE_OTHERS;
}

void queue_destroy(struct disk_queue *q);
/* Keep the orders of place (and the list to be watched), or not. */
void queue_keep(struct disk_queue *q, bool sorted, bool watched);
void queue_append(struct disk_queue *q, struct disk_io *io);
void queue_remove(struct disk_queue *q, struct disk_io *io);
/* Before and after a waiting request's place changes. */
void queue_unplace(struct disk_queue *q, struct disk_io *io);
void queue_place(struct disk_queue *q, struct disk_io *io);
/* Watch a request, if it is not watched, until it goes or queue_unwatch(). */
void queue_watch(struct disk_queue *q, struct disk_io *io);
void queue_unwatch(struct disk_queue *q, uint32_t i);

/* The first entry whose block (cylinder) is not below. */
struct queue_at order_block(const struct queue_order *o, uint64_t lbn);
struct queue_at order_cylinder(const struct queue_order *o, uint32_t cyl);

static inline struct queue_at
order_first(void)
{
	return (struct queue_at) { 0, 0 };
}

/* The entry there and the one before; NULL when there is none. */
static inline const struct queue_entry *
order_at(const struct queue_order *o, struct queue_at at)
{
	return at.chunk < o->nchunks ? &o->chunk[at.chunk]->e[at.i] : NULL;
}

static inline const struct queue_entry *
order_before(const struct queue_order *o, struct queue_at at)
{
	if (at.i > 0)
		return &o->chunk[at.chunk]->e[at.i - 1];
	return at.chunk > 0 ? &o->chunk[at.chunk - 1]->e[
	    o->chunk[at.chunk - 1]->n - 1] : NULL;
}

static inline struct queue_at
order_next(const struct queue_order *o, struct queue_at at)
{
	if (++at.i == o->chunk[at.chunk]->n)
		at = (struct queue_at) { at.chunk + 1, 0 };
	return at;
}

static inline struct queue_at
order_prev(const struct queue_order *o, struct queue_at at)
{
	if (at.i == 0)
		at = (struct queue_at) { at.chunk - 1,
			o->chunk[at.chunk - 1]->n };
	at.i--;
	return at;
}

#endif
