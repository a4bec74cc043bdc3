/*
 * engine.h: a disk without a simulation around it. Requests go in with their
 * arrival times, completions come out in order of time. `struct disk` of
 * disk.h drives the same engine from simulated events; `vmsim disk replay`
 * and the tests drive it directly.
 *
 * Units: picoseconds from power-on (2^64 ps are 213 days), sectors.
 *
 * Order of use: while requests remain, compare the next arrival with
 * disk_engine_next(); submit when the arrival is not later, else advance.
 * A device chooses its next command among those that have arrived by the
 * moment it becomes free, that moment included.
 */
#ifndef VMSIM_DISK_MODEL_ENGINE_H
#define VMSIM_DISK_MODEL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "disk_model/params.h"
#include "sim/base/sim.h"

#define DISK_NEVER UINT64_MAX

struct disk_engine;

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_TRIM };

struct disk_io {
	/* by the caller */
	uint64_t lbn;
	uint32_t blocks; /* > 0 but for FLUSH */
	enum disk_op op;
	bool ordered; /* barrier: nothing passes it */
	uint64_t arrival; /* ps */
	void *arg;
	/* by the device */
	uint64_t start; /* service began */
	uint64_t finish;
	/* Parts of finish - start; they add up to it exactly. */
	uint64_t overhead, seek, rotation, transfer;
	int error; /* 0 or a positive errno */
	uint32_t good_blocks; /* moved before an error */
	bool cache_hit;
	/* private */
	bool hold; /* a fault decides its end */
	uint64_t seq;
	uint64_t rank; /* in the queue, by arrival */
	struct disk_io *next, *prev; /* queue, or list of completions */
	struct disk_io *merged, *merged_tail; /* served along with this one */
	uint64_t run_lbn; /* with what was merged into it */
	uint32_t run_blocks;
	uint32_t cyl;
	uint64_t dev[3]; /* the model's own */
};

struct disk_engine_stats {
	uint64_t reads, writes, flushes, trims, errors;
	uint64_t sectors_read, sectors_written;
	uint64_t cache_hits, merged;
	uint64_t active; /* ps during which a request was in service */
	/* ps, summed over requests */
	uint64_t busy, queued, overhead, seek, rotation, transfer;
	uint32_t queue_length, queue_max; /* waiting and in service */
};

/* Flash: what the mapping layer did. Counts of mapping units but for erases. */
struct disk_flash_stats {
	uint64_t host_units; /* written by the host */
	uint64_t programmed_units; /* flash written, padding included */
	uint64_t moved_units; /* by collection */
	uint64_t page_reads, page_programs, erases;
	uint64_t map_hits, map_misses;
	uint64_t buffer_hits; /* reads served by the write buffer */
	uint32_t erase_min, erase_max; /* of one block */
	uint64_t blocks;
};

/* params must outlive the engine. Errors: -ENOMEM, -EINVAL (err). */
int disk_engine_create(const struct disk_params *params,
    struct disk_engine **out, struct sim_err *err);
void disk_engine_destroy(struct disk_engine *e);
/* "fcfs", "clook", "vscan:0.2", "deadline", ...; -EINVAL lists them. */
int disk_engine_set_scheduler(struct disk_engine *e, const char *name,
    struct sim_err *err);
const char *disk_engine_scheduler(const struct disk_engine *e);
/* Names of all schedulers; NULL past the end. */
const char *disk_scheduler_name(size_t i);
const char *disk_scheduler_help(size_t i);
uint64_t disk_engine_sectors(const struct disk_engine *e);
int disk_engine_add_fault(struct disk_engine *e, const struct disk_fault *f);

/* io->arrival must not lie before disk_engine_now(). */
void disk_engine_submit(struct disk_engine *e, struct disk_io *io);
/* When something will happen next; DISK_NEVER when nothing will. */
uint64_t disk_engine_next(const struct disk_engine *e);
/* Let everything up to and including time t happen. */
void disk_engine_advance(struct disk_engine *e, uint64_t t);
/* The same, but no further than the moment in which a request is over. */
void disk_engine_run(struct disk_engine *e, uint64_t t);
uint64_t disk_engine_now(const struct disk_engine *e);
/* The next completion, oldest first; NULL when there is none. */
struct disk_io *disk_engine_pop(struct disk_engine *e);
/* Finish time of the one that pop would return; DISK_NEVER when none. */
uint64_t disk_engine_peek(const struct disk_engine *e);

void disk_engine_get_stats(const struct disk_engine *e,
    struct disk_engine_stats *st);
/* False when the device is not flash. */
bool disk_engine_flash(const struct disk_engine *e,
    struct disk_flash_stats *st);
/* Cylinder of a block, for plots; 0 on devices that have none. */
uint32_t disk_engine_cylinder(const struct disk_engine *e, uint64_t lbn);

#endif
