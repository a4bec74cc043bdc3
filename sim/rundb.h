/*
 * rundb.h: the run database, schema version 1 (docs/database.md). Rows are
 * handed to a second host thread in fixed-size chunks; the file's contents
 * depend on the rows alone, never on the threads' timing.
 */
#ifndef VMSIM_SIM_RUNDB_H
#define VMSIM_SIM_RUNDB_H

#include "sim/machine.h"

#define RUNDB_SCHEMA_VERSION 1

enum {
	RUNDB_LOG_TRANSITIONS = 1,
	RUNDB_LOG_FAULTS = 2,
	RUNDB_LOG_IO = 4,
	RUNDB_LOG_EVENTS = 8,
	RUNDB_LOG_SAMPLES = 16,
	RUNDB_LOG_STATES = 32,
	RUNDB_LOG_ALL = 63
};

/* What a thread does: codes of table states. */
enum thread_doing {
	DOING_READY, /* waits for a CPU */
	DOING_RUN,
	DOING_PAGE_WAIT,
	DOING_SLEEP,
	DOING_SWAPPED, /* asleep, and its process is swapped out */
	DOING_SWAPIN, /* woken, and waits for its process to be swapped in */
	DOING_COUNT
};
struct thread_interval {
	sim_time_t start, end;
	enum thread_doing doing;
	const char *wmesg; /* static; of the sleep, NULL: none */
};

struct rundb;

/* Is the open file a run database? */
bool rundb_is_ours(int fd);

/*
 * Writes to a temporary name next to `path` and renames at the first commit,
 * so a failure leaves no half-written file. A run replaces an older run's
 * database. Errors: -EEXIST the file is something else, -EBUSY another run
 * writes it, -EACCES, -ENOSPC, -EIO ... with err.
 */
int rundb_create(const char *path, const struct machine_config *mc,
    struct sim_err *err, struct rundb **out);
/* The configuration in effect and every tunable with its value. */
int rundb_put_config(struct rundb *db, const struct machine_config *mc,
    const struct tunables *ts, struct sim_err *err);
/* Memory domains, once the kernel has booted. */
int rundb_put_domains(struct rundb *db, const struct vm *vm,
    struct sim_err *err);
extern const struct vm_trace_ops rundb_trace_ops; /* ctx: struct rundb */
void rundb_put_process(struct rundb *db, int32_t pid, int32_t ppid,
    const char *name, char *const argv[], sim_time_t start);
void rundb_put_process_end(struct rundb *db, int32_t pid, sim_time_t end,
    int wait_status, uint64_t instructions, uint64_t user_cycles,
    uint64_t minflt, uint64_t majflt, uint64_t syscalls, uint64_t peak_rss);
/* The name that a scenario gives to a process. */
void rundb_put_process_label(struct rundb *db, int32_t pid, const char *label,
    sim_time_t when);
/* Cycles by enum thread_doing, all threads together; times swapped out. */
void rundb_put_process_times(struct rundb *db, int32_t pid, sim_time_t when,
    const uint64_t cycles[DOING_COUNT], uint32_t swapouts);
/* An interval that is over; in order of time for each thread. */
void rundb_put_state(struct rundb *db, int32_t pid, int32_t tid,
    const struct thread_interval *ti);
void rundb_put_object(struct rundb *db, uint32_t id, const char *type,
    const char *name);
/* One sample: vm_stat_count values. The first one defines the counters; the
 * last one's values are kept as the counters' final ones, also when samples
 * are not logged. */
void rundb_put_sample(struct rundb *db, sim_time_t when, struct vm *vm);
/* A disk's totals, before rundb_finish. */
void rundb_put_disk(struct rundb *db, const struct disk *d);
/* Waits for the writer and frees db. complete: the run ended by itself. The
 * first error of the writer (a full disk) is reported here, and the file is
 * removed: the same run makes the same rows again. */
int rundb_finish(struct rundb *db, const struct machine_result *res,
    bool complete, struct sim_err *err);
/* The run never began (or failed to): close and leave no file of it. */
void rundb_discard(struct rundb *db);
/* A tunable changed in mid-run: an event row that names it. */
void rundb_put_tunable_change(struct rundb *db, sim_time_t when,
    const char *name, const char *value);
/* Has the writer failed? Checked by the run loop, so a run ends early. */
bool rundb_failed(const struct rundb *db);

#endif
