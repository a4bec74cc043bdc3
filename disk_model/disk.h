/*
 * disk_model: timed block devices. A request is submitted at the simulated
 * present, queued by a scheduler, served by a model (HDD, SSD, RAM disk,
 * fixed latency) and completed by an event. The device can also hold
 * contents: then bytes move at completion, so a torn or failed write leaves
 * what a real disk would.
 *
 * Units: sectors of 512 bytes; times in cycles of the simulation's clock.
 * Models compute in picoseconds with integers; no floating point reaches a
 * simulated time.
 */
#ifndef VMSIM_DISK_MODEL_DISK_H
#define VMSIM_DISK_MODEL_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "disk_model/engine.h"
#include "sim/base/sim.h"

struct disk;

/* One page-sized piece of a request's memory. */
struct disk_seg {
	void *data;
	uint32_t bytes; /* multiple of 512 */
};

struct disk_request {
	/* by the caller */
	enum disk_op op;
	uint64_t lbn;
	uint32_t blocks; /* sectors, > 0 but for FLUSH */
	bool ordered; /* barrier: nothing passes it */
	const struct disk_seg *seg; /* NULL: timing only, no contents */
	uint32_t nseg;
	/*
	 * Completion, in event context. error: 0, or an errno (EIO media
	 * error, ETIMEDOUT, ENXIO the disk is gone). Contents have moved.
	 */
	void (*done)(struct disk_request *rq, int error);
	void *arg;
	/* by the device: cycles */
	sim_time_t arrival; /* submitted */
	sim_time_t start; /* service began */
	sim_time_t finish;
	/* the service time's parts, cycles; queueing is start - arrival */
	uint64_t overhead, seek, rotation, transfer;
	bool cache_hit;
	struct disk_io io; /* private to the device; times in ps */
};

/*
 * Parameters are plain structures (disk_model/params.h); JSON parameter files
 * and the built-in models (files in disk_model/params/, embedded at build)
 * are read by sim/disk_json.h, which is where cJSON lives.
 */

/* name: "da0", for logs. */
struct disk *disk_create(struct sim *sim, const char *name,
    const struct disk_params *params, struct sim_err *err);
void disk_destroy(struct disk *d);
/* "fcfs", "clook", ...; -EINVAL names the known ones. */
int disk_set_scheduler(struct disk *d, const char *scheduler,
    struct sim_err *err);
/* Keep contents (sparse; unwritten sectors read as zeroes). */
int disk_enable_contents(struct disk *d);
uint64_t disk_sectors(const struct disk *d);
const char *disk_name(const struct disk *d);

/* rq stays the caller's until done. Never fails; errors arrive in done. */
void disk_submit(struct disk *d, struct disk_request *rq);

struct disk_stats {
	uint64_t reads, writes, sectors_read, sectors_written;
	uint64_t busy, queued, overhead, seek, rotation, transfer; /* cycles */
	uint64_t cache_hits;
	uint32_t queue_length, queue_max;
	uint64_t flushes, trims, errors, merged;
};
void disk_get_stats(const struct disk *d, struct disk_stats *st);
/* For what the engine alone offers: faults, cylinders, statistics in ps. */
struct disk_engine *disk_get_engine(struct disk *d);

#endif /* VMSIM_DISK_MODEL_DISK_H */
