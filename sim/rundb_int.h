/*
 * rundb_int.h: what the run database's files share. rundb.c fills chunks on
 * the simulation's thread, rundb_writer.c empties them on the writer's,
 * rundb_file.c creates and replaces the file, rundb_schema.c has the tables.
 *
 * The connection belongs to the writer's thread, except while the writer is
 * known to be idle (before it starts, and after rundb_drain).
 */
#ifndef VMSIM_SIM_RUNDB_INT_H
#define VMSIM_SIM_RUNDB_INT_H

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/queue.h>

#include "sim/rundb.h"

#define RUNDB_APPLICATION_ID 0x766d7331 /* "vms1" */
#define RUNDB_SUFFIX 16 /* room for "-journal", ".XXXXXX" */
#define RUNDB_PAGE_SIZE 16384 /* fewest cycles a row of 4K..64K, measured */

/*
 * Rows of one chunk: one transaction. A chunk is handed over when any kind is
 * full or a simulated second has passed, so transactions depend on the rows
 * alone.
 */
enum {
	CHUNK_TRANSITIONS = 8192,
	CHUNK_FAULTS = 4096,
	CHUNK_IOS = 1024,
	CHUNK_EVENTS = 1024,
	CHUNK_STATES = 2048,
	CHUNK_SAMPLES = 64,
	CHUNK_ITEMS = 256,
	RUNDB_CHUNKS = 4
};

enum rundb_stream {
	STREAM_TRANSITIONS,
	STREAM_FAULTS,
	STREAM_IO,
	STREAM_EVENTS,
	STREAM_STATES,
	STREAM_COUNT
};

struct rec_transition {
	uint64_t cycle, pindex;
	uint32_t page, object;
	uint8_t from, to, pos, reason, act;
};
struct rec_fault {
	uint64_t start, end, va, pindex;
	int32_t pid, tid;
	uint32_t page, object;
	uint16_t restarts;
	uint8_t access, kind;
};
struct rec_io {
	uint64_t queued, start, finish, pindex, lbn;
	uint64_t overhead, seek, rotation, transfer;
	uint32_t object, pages;
	int32_t error;
	uint8_t kind, disk;
};
struct rec_event {
	uint64_t cycle;
	int64_t a, b;
	int32_t pid;
	uint8_t kind;
};

struct rec_state {
	uint64_t start, end;
	int32_t pid, tid;
	uint8_t state, wait;
};

#define RUNDB_WAITS 128 /* different wait messages in a run */

/* Rare rows with text; the strings are the item's own. */
enum item_kind {
	ITEM_PROCESS,
	ITEM_PROCESS_END,
	ITEM_OBJECT,
	ITEM_DISK,
	ITEM_CHANGE,
	ITEM_PROCESS_TIMES,
	ITEM_WAIT,
	ITEM_LABEL,
	ITEM_KINDS
};
struct rec_item {
	enum item_kind kind;
	int64_t v[12];
	char *s[2];
};

struct chunk {
	STAILQ_ENTRY(chunk) link;
	uint32_t n[STREAM_COUNT];
	uint32_t nsamples, nitems;
	uint64_t *samples; /* CHUNK_SAMPLES x (1 + ncounters) */
	struct rec_transition transitions[CHUNK_TRANSITIONS];
	struct rec_fault faults[CHUNK_FAULTS];
	struct rec_io ios[CHUNK_IOS];
	struct rec_event events[CHUNK_EVENTS];
	struct rec_state states[CHUNK_STATES];
	struct rec_item items[CHUNK_ITEMS];
};
STAILQ_HEAD(chunk_list, chunk);

struct rundb;
/* The virtual table through which SQLite reads one stream of a chunk. */
struct stream_source {
	struct rundb *db;
	enum rundb_stream stream;
};

struct rundb {
	sqlite3 *conn;
	int lock_fd; /* flock: one run writes a file at a time */
	char path[4096]; /* absolute */
	uint32_t log_mask;
	uint64_t hz;
	char disk[MACHINE_MAXDISKS][32];
	uint32_t ndisks;
	uint32_t ncounters; /* 0: not defined yet */
	char **counter; /* names, for the summary */
	uint64_t *last_sample; /* cycle, then the counters */
	bool sampled;
	const char *wait[RUNDB_WAITS]; /* in order of appearance */
	uint32_t nwaits;

	/* the simulation's thread */
	struct chunk *cur; /* being filled; NULL: take one */
	uint64_t flush_at; /* cycle from which the chunk is due */
	struct chunk *chunk[RUNDB_CHUNKS];

	/* the writer */
	bool started;
	pthread_t writer;
	struct stream_source source[STREAM_COUNT];
	sqlite3_stmt *insert[STREAM_COUNT];
	sqlite3_stmt *insert_sample;
	sqlite3_stmt *put_item[ITEM_KINDS];
	const struct chunk *writing;

	pthread_mutex_t lock; /* all below */
	pthread_cond_t work, done;
	struct chunk_list full, empty;
	bool quit, busy;
	atomic_bool failed;
	struct sim_err failure;
	int failure_errno;
};

/* rundb_file.c */
int rundb_file_create(struct rundb *db, const char *path, struct sim_err *err);
void rundb_file_close(struct rundb *db);
void rundb_file_remove(struct rundb *db);
/* Runs SQL that returns no rows; errors name the file. */
int rundb_exec(struct rundb *db, const char *sql, struct sim_err *err);
/* Text and errno of the connection's last error. */
int rundb_sql_error(struct rundb *db, const char *what, struct sim_err *err);
/* Inserts or updates one row: fmt has one letter an argument: i int64_t,
 * s text or NULL. */
int rundb_row(struct rundb *db, struct sim_err *err, const char *sql,
    const char *fmt, ...);

/* rundb_schema.c */
int rundb_schema_create(struct rundb *db, struct sim_err *err);
int rundb_schema_counters(struct rundb *db, const struct vm *vm,
    struct sim_err *err);

/* rundb_writer.c */
int rundb_writer_prepare(struct rundb *db, struct sim_err *err);
void rundb_writer_unprepare(struct rundb *db);
int rundb_writer_start(struct rundb *db);
void rundb_writer_stop(struct rundb *db);
/* An empty chunk; waits for the writer when there is none. */
struct chunk *rundb_chunk_take(struct rundb *db);
void rundb_chunk_submit(struct rundb *db);
/* Everything so far is in the file and the writer is idle. */
void rundb_drain(struct rundb *db);
void rundb_fail(struct rundb *db, int errnum, const char *text);

#endif
