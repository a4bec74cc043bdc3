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

/* By block, then by arrival; so by cylinder, too. */
struct queue_order {
	struct queue_entry *e;
	uint32_t n, room;
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

/* The first entry whose block (cylinder) is not below; n: none. */
uint32_t order_block(const struct queue_order *o, uint64_t lbn);
uint32_t order_cylinder(const struct queue_order *o, uint32_t cyl);

#endif
