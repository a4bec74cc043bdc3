/*
 * disk_int.h: inside disk_model. The engine keeps the queue and the clock; a
 * device (hdd.c, ssd.c, fixed.c) serves commands that the engine hands it.
 */
#ifndef VMSIM_DISK_MODEL_DISK_INT_H
#define VMSIM_DISK_MODEL_DISK_INT_H

#include "disk_model/engine.h"
#include "disk_model/queue.h"

/*
 * A device. accept() takes a command at time `now` (only when room() says
 * so); next() tells when something happens next in the device. run(t) lets what
 * is due up to t happen, but no more after a moment in which commands finish:
 * it hands these to disk_engine_complete(), and the engine has others for it.
 * prepare() notes in a request its cylinder and what nearest() wants to know
 * (dev[]).
 */
struct device_ops {
	bool (*room)(const void *dev);
	void (*prepare)(const void *dev, struct disk_io *io);
	void (*accept)(void *dev, struct disk_io *io, uint64_t now);
	uint64_t (*next)(const void *dev);
	void (*run)(void *dev, uint64_t t);
	uint32_t (*cylinder)(const void *dev, uint64_t lbn);
	void (*destroy)(void *dev);
	/*
	 * For shortest-positioning schedulers, NULL where all positions are
	 * equal: the request of a queue (of one operation, if op is not -1)
	 * that is under a head soonest, less so much of the time it has waited;
	 * of equals the oldest.
	 */
	struct disk_io *(*nearest)(void *dev, struct disk_queue *q, int op,
	    uint64_t now, uint64_t weight_ppm);
	/* NULL where it means nothing */
	void (*flash)(void *dev, struct disk_flash_stats *st);
};

struct device {
	const struct device_ops *ops;
	void *dev;
	uint64_t sectors;
	uint32_t cylinders; /* 1 when it has none */
};

int hdd_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err);
int ssd_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err);
int fixed_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err);

/* From a device, in run(): this command is over at this moment, t. */
void disk_engine_complete(struct disk_engine *e, struct disk_io *io,
    uint64_t t);
/* The order is the device's business: the scheduler is "none". */
bool disk_engine_hands_over(const struct disk_engine *e);

/* ------------------------------------------------------------ schedulers */

struct scheduler;

struct sched_state {
	const struct scheduler *kind;
	char name[64]; /* as given, with its options */
	uint64_t pos; /* first block of the last request dispatched */
	uint64_t end; /* the block after its last */
	bool down; /* SCAN and VSCAN: direction */
	bool hands_over; /* "none" */
	uint64_t weight_ppm; /* VSCAN's R; aged SPTF's weight */
	uint32_t reads_first; /* writes may be passed so often; 0: off */
	uint32_t merge; /* join neighbours up to so many sectors; 0: off */
	uint32_t passed; /* times in a row that a write was passed over */
	/* deadline, [0] reads, [1] writes */
	uint32_t batch_op, batch_left;
	uint64_t batch_pos[2];
};

/* -EINVAL when there is no such scheduler. */
int sched_init(struct sched_state *s, const char *name, struct sim_err *err);
/* It leaves the order to the device ("none"). */
bool sched_hands_over(const struct sched_state *s);
/* Make the queue keep what the scheduler wants to know of it. */
void sched_adopt(const struct sched_state *s, struct disk_queue *q,
    const struct device *dev);
/*
 * Choose among the queue's requests before its barrier (there is one). Does
 * not remove it.
 */
struct disk_io *sched_pick(struct sched_state *s, struct disk_queue *q,
    const struct device *dev, uint64_t now);
/* Tell what was dispatched. */
void sched_dispatched(struct sched_state *s, const struct disk_io *io);
/*
 * A waiting request that `io` continues or precedes without a gap, with the
 * same direction and no barrier in between; NULL when there is none.
 */
struct disk_io *sched_merge(const struct sched_state *s,
    const struct disk_queue *q, const struct disk_io *io);

#endif
