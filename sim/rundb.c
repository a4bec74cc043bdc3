/*
 * rundb.c: the run database as the simulation sees it.
 *
 * Interface: rundb.h. Rows are copied into the current chunk; a full chunk is
 * handed to the writer's thread. Nothing here allocates on the way of a hot
 * row, and nothing depends on how fast the writer is: a simulation that is
 * ahead of it waits.
 * Source: design.md, "The run database"; docs/database.md has the schema.
 */
#include "sim/rundb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "sim/config.h"
#include "sim/disk_json.h"
#include "sim/rundb_int.h"

/* ------------------------------------------------------------ life cycle */

static void
rundb_free(struct rundb *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < RUNDB_CHUNKS; i++) {
		if (db->chunk[i] == NULL)
			continue;
		for (uint32_t k = 0; k < db->chunk[i]->nitems; k++) {
			free(db->chunk[i]->items[k].s[0]);
			free(db->chunk[i]->items[k].s[1]);
		}
		free(db->chunk[i]->samples);
		free(db->chunk[i]);
	}
	for (uint32_t i = 0; i < db->ncounters; i++)
		free(db->counter[i]);
	free(db->counter);
	free(db->last_sample);
	pthread_mutex_destroy(&db->lock);
	pthread_cond_destroy(&db->work);
	pthread_cond_destroy(&db->done);
	free(db);
}

static struct rundb *
rundb_alloc(const struct machine_config *mc)
{
	struct rundb *db;

	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return (NULL);
	pthread_mutex_init(&db->lock, NULL);
	pthread_cond_init(&db->work, NULL);
	pthread_cond_init(&db->done, NULL);
	STAILQ_INIT(&db->full);
	STAILQ_INIT(&db->empty);
	db->lock_fd = -1;
	db->log_mask = mc->log_mask;
	db->hz = mc->cpu_hz != 0 ? mc->cpu_hz : 1000000000u;
	db->flush_at = db->hz;
	for (uint32_t i = 0; i < mc->ndisks && i < MACHINE_MAXDISKS; i++)
		memcpy(db->disk[i], mc->disks[i].name, sizeof(db->disk[i]));
	db->ndisks = mc->ndisks;
	for (int i = 0; i < RUNDB_CHUNKS; i++) {
		db->chunk[i] = calloc(1, sizeof(*db->chunk[i]));
		if (db->chunk[i] == NULL) {
			rundb_free(db);
			return (NULL);
		}
		STAILQ_INSERT_TAIL(&db->empty, db->chunk[i], link);
	}
	return (db);
}

static int
put_disks(struct rundb *db, const struct machine_config *mc,
    struct sim_err *err)
{
	int error = 0;
	char id[64];

	for (uint32_t i = 0; i < mc->ndisks && error == 0; i++) {
		disk_params_id(mc->disks[i].model, id, sizeof(id));
		error = rundb_row(db, err,
		    "INSERT INTO disks(id, name, model, scheduler, is_fs, "
		    "is_swap) VALUES(?, ?, ?, ?, ?, ?)", "isssii",
		    (int64_t)i + 1, mc->disks[i].name, id,
		    mc->disks[i].scheduler,
		    (int64_t)(strcmp(mc->disks[i].name, mc->fs_disk) == 0),
		    (int64_t)(strcmp(mc->disks[i].name, mc->swap_disk) == 0));
	}
	return (error);
}

int
rundb_create(const char *path, const struct machine_config *mc,
    struct sim_err *err, struct rundb **out)
{
	struct rundb *db;
	int error;

	*out = NULL;
	db = rundb_alloc(mc);
	if (db == NULL)
		return (sim_err_set(err, ENOMEM, "%s: out of memory", path));
	error = rundb_file_create(db, path, err);
	if (error != 0) {
		rundb_free(db);
		return (error);
	}
	if ((error = put_disks(db, mc, err)) != 0 ||
	    (error = rundb_writer_prepare(db, err)) != 0 ||
	    (error = rundb_writer_start(db)) != 0) {
		if (error == -EAGAIN)
			sim_err_set(err, EAGAIN,
			    "%s: cannot start the writer's thread", path);
		rundb_discard(db);
		return (error);
	}
	*out = db;
	return (0);
}

void
rundb_discard(struct rundb *db)
{
	rundb_drain(db);
	rundb_writer_stop(db);
	rundb_writer_unprepare(db);
	rundb_file_remove(db);
	rundb_free(db);
}

/* ------------------------------------------------------------ configuration */

struct config_rows {
	struct rundb *db;
	struct sim_err *err;
	int error;
};

static void
put_config_row(void *ctx, const char *key, const char *value)
{
	struct config_rows *r = ctx;

	if (r->error == 0)
		r->error = rundb_row(r->db, r->err,
		    "INSERT INTO config(key, value) VALUES(?, ?)", "ss", key,
		    value);
}

static int
put_tunable(struct rundb *db, const struct tunables *ts,
    const struct tunable *t, struct sim_err *err)
{
	static const char *const type[] = { "int", "uint", "u64", "bool",
		"size", "string" };
	char value[TUN_STRING_MAX], def[32];
	int error;

	error = tunables_get(ts, t->name, value, sizeof(value), err);
	if (error != 0)
		return (error);
	snprintf(def, sizeof(def), "%lld", (long long)t->def);
	return (rundb_row(db, err,
	    "INSERT INTO tunables(name, value, default_value, unit, type, "
	    "is_set, source, help) VALUES(?, ?, ?, ?, ?, ?, ?, ?)", "sssssiss",
	    t->name, value,
	    t->type != TUN_STRING ? def : t->def_str != NULL ? t->def_str : "",
	    t->unit, type[t->type], (int64_t)tunables_is_set(ts, t->name),
	    t->source, t->help));
}

int
rundb_put_config(struct rundb *db, const struct machine_config *mc,
    const struct tunables *ts, struct sim_err *err)
{
	struct config_rows rows = { .db = db, .err = err };
	const struct tunable *t;
	int error;

	rundb_drain(db);
	error = rundb_exec(db, "BEGIN IMMEDIATE", err);
	if (error != 0)
		return (error);
	machine_config_rows(mc, put_config_row, &rows);
	error = rows.error;
	for (size_t i = 0; error == 0 &&
	    (t = tunables_row(ts, i)) != NULL; i++)
		error = put_tunable(db, ts, t, err);
	if (error == 0)
		error = rundb_exec(db, "COMMIT", err);
	else
		rundb_exec(db, "ROLLBACK", NULL);
	return (error);
}

int
rundb_put_domains(struct rundb *db, const struct vm *vm, struct sim_err *err)
{
	uint32_t pages;
	pfn_t first, last;
	int error = 0;

	rundb_drain(db);
	for (uint32_t d = 0; error == 0 &&
	    vm_domain_info(vm, d, &first, &last, &pages); d++)
		error = rundb_row(db, err, "INSERT INTO domains(id, "
		    "first_page, last_page, pages) VALUES(?, ?, ?, ?)",
		    "iiii", (int64_t)d, (int64_t)first, (int64_t)last,
		    (int64_t)pages);
	return (error);
}

/* ------------------------------------------------------------ hot rows */

/* The chunk to append to at simulated time `when`. */
static inline struct chunk *
chunk_at(struct rundb *db, sim_time_t when)
{
	if (__builtin_expect(when >= db->flush_at, 0)) {
		db->flush_at = when - when % db->hz + db->hz;
		if (db->cur != NULL)
			rundb_chunk_submit(db);
	}
	if (__builtin_expect(db->cur == NULL, 0))
		db->cur = rundb_chunk_take(db);
	return (db->cur);
}

static void
put_transition(void *ctx, const struct vm_transition *t)
{
	struct rundb *db = ctx;
	struct rec_transition *r;
	struct chunk *c;

	if ((db->log_mask & RUNDB_LOG_TRANSITIONS) == 0)
		return;
	c = chunk_at(db, t->when);
	r = &c->transitions[c->n[STREAM_TRANSITIONS]++];
	r->cycle = t->when;
	r->pindex = t->pindex;
	r->page = t->page;
	r->object = t->object;
	r->from = t->from;
	r->to = t->to;
	r->pos = t->where;
	r->reason = t->reason;
	r->act = t->act_count;
	if (c->n[STREAM_TRANSITIONS] == CHUNK_TRANSITIONS)
		rundb_chunk_submit(db);
}

static void
put_fault(void *ctx, const struct vm_fault_record *f)
{
	struct rundb *db = ctx;
	struct rec_fault *r;
	struct chunk *c;

	if ((db->log_mask & RUNDB_LOG_FAULTS) == 0)
		return;
	c = chunk_at(db, f->end);
	r = &c->faults[c->n[STREAM_FAULTS]++];
	r->start = f->start;
	r->end = f->end;
	r->va = f->va;
	r->pindex = f->pindex;
	r->pid = f->pid;
	r->tid = f->tid;
	r->page = f->page;
	r->object = f->object;
	r->restarts = f->restarts;
	r->access = f->access;
	r->kind = f->kind;
	if (c->n[STREAM_FAULTS] == CHUNK_FAULTS)
		rundb_chunk_submit(db);
}

/* Number of a disk in table disks, 0 for a disk that is not configured. */
static uint8_t
disk_id(const struct rundb *db, const char *name)
{
	for (uint32_t i = 0; name != NULL && i < db->ndisks; i++) {
		if (strcmp(db->disk[i], name) == 0)
			return ((uint8_t)(i + 1));
	}
	return (0);
}

static void
put_io(void *ctx, const struct vm_io_record *io)
{
	struct rundb *db = ctx;
	struct rec_io *r;
	struct chunk *c;

	if ((db->log_mask & RUNDB_LOG_IO) == 0)
		return;
	c = chunk_at(db, io->finish);
	r = &c->ios[c->n[STREAM_IO]++];
	r->queued = io->queued;
	r->start = io->start;
	r->finish = io->finish;
	r->pindex = io->pindex;
	r->lbn = io->lbn;
	r->overhead = io->overhead;
	r->seek = io->seek;
	r->rotation = io->rotation;
	r->transfer = io->transfer;
	r->object = io->object;
	r->pages = io->pages;
	r->error = io->error;
	r->kind = io->kind;
	r->disk = disk_id(db, io->disk);
	if (c->n[STREAM_IO] == CHUNK_IOS)
		rundb_chunk_submit(db);
}

static void
put_event(void *ctx, const struct vm_event_record *e)
{
	struct rundb *db = ctx;
	struct rec_event *r;
	struct chunk *c;

	if ((db->log_mask & RUNDB_LOG_EVENTS) == 0)
		return;
	c = chunk_at(db, e->when);
	r = &c->events[c->n[STREAM_EVENTS]++];
	r->cycle = e->when;
	r->a = e->a;
	r->b = e->b;
	r->pid = e->pid;
	r->kind = e->kind;
	if (c->n[STREAM_EVENTS] == CHUNK_EVENTS)
		rundb_chunk_submit(db);
}

/* ------------------------------------------------------------ samples */

static int
define_counters(struct rundb *db, const struct vm *vm)
{
	struct sim_err err;
	int error;

	rundb_drain(db);
	if (rundb_failed(db))
		return (-EIO);
	error = rundb_schema_counters(db, vm, &err);
	if (error != 0)
		rundb_fail(db, -error, err.text);
	return (error);
}

void
rundb_put_sample(struct rundb *db, sim_time_t when, struct vm *vm)
{
	struct chunk *c;

	if (db->ncounters == 0 && define_counters(db, vm) != 0)
		return;
	db->sampled = true;
	db->last_sample[0] = when;
	for (uint32_t i = 0; i < db->ncounters; i++)
		db->last_sample[1 + i] = vm_stat_value(vm, i);
	if ((db->log_mask & RUNDB_LOG_SAMPLES) == 0)
		return;
	c = chunk_at(db, when);
	memcpy(c->samples + (size_t)c->nsamples * (1 + db->ncounters),
	    db->last_sample, (1 + db->ncounters) * sizeof(uint64_t));
	if (++c->nsamples == CHUNK_SAMPLES)
		rundb_chunk_submit(db);
}

/* ------------------------------------------------------------ rare rows */

/* NULL when the host is out of memory: the writer then fails the run. */
static char *
copy(struct rundb *db, const char *s)
{
	char *d;

	d = strdup(s != NULL ? s : "");
	if (d == NULL)
		rundb_fail(db, ENOMEM, "out of memory");
	return (d);
}

static struct rec_item *
item_at(struct rundb *db, enum item_kind kind, sim_time_t when)
{
	struct chunk *c = chunk_at(db, when);
	struct rec_item *it;

	if (c->nitems == CHUNK_ITEMS) {
		rundb_chunk_submit(db);
		c = chunk_at(db, when);
	}
	it = &c->items[c->nitems++];
	memset(it, 0, sizeof(*it));
	it->kind = kind;
	return (it);
}

/* The arguments as a JSON array, so that blanks and quotes survive. */
static char *
argv_json(struct rundb *db, char *const argv[])
{
	char *s;

	s = config_json_strings(argv);
	if (s == NULL)
		rundb_fail(db, ENOMEM, "out of memory");
	return (s);
}

void
rundb_put_process(struct rundb *db, int32_t pid, int32_t ppid,
    const char *name, char *const argv[], sim_time_t start)
{
	struct rec_item *it = item_at(db, ITEM_PROCESS, start);

	it->v[0] = pid;
	it->v[1] = ppid;
	it->v[2] = (int64_t)start;
	it->s[0] = copy(db, name);
	it->s[1] = argv_json(db, argv);
}

void
rundb_put_process_end(struct rundb *db, int32_t pid, sim_time_t end,
    int wait_status, uint64_t instructions, uint64_t user_cycles,
    uint64_t minflt, uint64_t majflt, uint64_t syscalls, uint64_t peak_rss)
{
	struct rec_item *it = item_at(db, ITEM_PROCESS_END, end);

	it->v[0] = pid;
	it->v[1] = (int64_t)end;
	it->v[2] = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
	it->v[3] = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
	it->v[4] = (int64_t)instructions;
	it->v[5] = (int64_t)user_cycles;
	it->v[6] = (int64_t)minflt;
	it->v[7] = (int64_t)majflt;
	it->v[8] = (int64_t)syscalls;
	it->v[9] = (int64_t)peak_rss;
}

void
rundb_put_object(struct rundb *db, uint32_t id, const char *type,
    const char *name)
{
	struct rec_item *it = item_at(db, ITEM_OBJECT, 0);

	it->v[0] = id;
	it->s[0] = copy(db, type);
	it->s[1] = copy(db, name);
}

void
rundb_put_disk(struct rundb *db, const struct disk *d)
{
	struct rec_item *it = item_at(db, ITEM_DISK, 0);
	struct disk_stats st;

	disk_get_stats(d, &st);
	it->v[0] = (int64_t)disk_sectors(d);
	it->v[1] = (int64_t)st.reads;
	it->v[2] = (int64_t)st.writes;
	it->v[3] = (int64_t)st.sectors_read;
	it->v[4] = (int64_t)st.sectors_written;
	it->v[5] = (int64_t)st.busy;
	it->v[6] = (int64_t)st.queued;
	it->v[7] = (int64_t)st.seek;
	it->v[8] = (int64_t)st.rotation;
	it->v[9] = (int64_t)st.transfer;
	it->v[10] = st.queue_max;
	it->s[0] = copy(db, disk_name(d));
}

void
rundb_put_tunable_change(struct rundb *db, sim_time_t when, const char *name,
    const char *value)
{
	struct rec_item *it = item_at(db, ITEM_CHANGE, when);

	it->v[0] = (int64_t)when;
	it->s[0] = copy(db, name);
	it->s[1] = copy(db, value);
}

static void
put_object(void *ctx, uint32_t id, const char *type, const char *name)
{
	rundb_put_object(ctx, id, type, name);
}

const struct vm_trace_ops rundb_trace_ops = {
	.transition = put_transition,
	.fault = put_fault,
	.io = put_io,
	.event = put_event,
	.object = put_object,
};

void
rundb_put_process_label(struct rundb *db, int32_t pid, const char *label,
    sim_time_t when)
{
	struct rec_item *it = item_at(db, ITEM_LABEL, when);

	it->v[0] = pid;
	it->s[0] = copy(db, label);
}

void
rundb_put_process_times(struct rundb *db, int32_t pid, sim_time_t when,
    const uint64_t cycles[DOING_COUNT], uint32_t swapouts)
{
	struct rec_item *it = item_at(db, ITEM_PROCESS_TIMES, when);

	it->v[0] = pid;
	for (int i = 0; i < DOING_COUNT; i++)
		it->v[1 + i] = (int64_t)cycles[i];
	it->v[1 + DOING_COUNT] = swapouts;
}

/* ------------------------------------------------------------ states */

/* The code of a wait message: 1, 2, ... by its text, in order of appearance;
 * 0: none, or one too many. */
static uint8_t
wait_id(struct rundb *db, const char *wmesg, sim_time_t when)
{
	struct rec_item *it;
	uint32_t i;

	if (wmesg == NULL)
		return (0);
	for (i = 0; i < db->nwaits; i++) {
		if (db->wait[i] == wmesg || strcmp(db->wait[i], wmesg) == 0)
			return ((uint8_t)(i + 1));
	}
	if (i == RUNDB_WAITS)
		return (0);
	db->wait[db->nwaits++] = wmesg;
	it = item_at(db, ITEM_WAIT, when);
	it->v[0] = db->nwaits;
	it->s[0] = copy(db, wmesg);
	return ((uint8_t)db->nwaits);
}

void
rundb_put_state(struct rundb *db, int32_t pid, int32_t tid,
    const struct thread_interval *ti)
{
	struct rec_state *r;
	struct chunk *c;
	uint8_t wait;

	if ((db->log_mask & RUNDB_LOG_STATES) == 0)
		return;
	wait = wait_id(db, ti->wmesg, ti->end);
	c = chunk_at(db, ti->end);
	r = &c->states[c->n[STREAM_STATES]++];
	r->start = ti->start;
	r->end = ti->end;
	r->pid = pid;
	r->tid = tid;
	r->state = (uint8_t)ti->doing;
	r->wait = wait;
	if (c->n[STREAM_STATES] == CHUNK_STATES)
		rundb_chunk_submit(db);
}

/* ------------------------------------------------------------ the end */

static int
put_summary(struct rundb *db, const struct machine_result *res,
    struct sim_err *err)
{
#define ROW(name, unit, help, value) { name, unit, help, (int64_t)(value) }
	const struct {
		const char *name, *unit, *help;
		int64_t value;
	} row[] = {
		ROW("exit_code", "", "the guest's: status, or 128 + signal",
		    res->exit_code),
		ROW("exit_signal", "", "0: none", res->exit_signal),
		ROW("cycles", "cycles", "simulated time", res->cycles),
		ROW("time", "ns", "simulated time", res->sim_ns),
		ROW("instructions", "", "retired in user mode",
		    res->instructions),
		ROW("user_cycles", "cycles", "all CPUs", res->user_cycles),
		ROW("kernel_cycles", "cycles", "all CPUs", res->kernel_cycles),
		ROW("idle_cycles", "cycles", "all CPUs", res->idle_cycles),
		ROW("syscalls", "", "system calls", res->syscalls),
		ROW("peak_rss", "pages", "largest resident set of a process",
		    res->peak_rss_pages),
		ROW("peak_used", "pages", "most frames in use at a time",
		    res->peak_used_pages),
		ROW("min_frames", "pages", "fewest frames the kernel accepts",
		    res->min_frames),
	};
#undef ROW
	int error = 0;

	for (size_t i = 0; error == 0 && i < sizeof(row) / sizeof(row[0]); i++)
		error = rundb_row(db, err,
		    "INSERT INTO summary(name, value, unit, help) "
		    "VALUES(?, ?, ?, ?)", "siss", row[i].name, row[i].value,
		    row[i].unit, row[i].help);
	for (uint32_t i = 0; error == 0 && i < res->nenosys; i++)
		error = rundb_row(db, err,
		    "INSERT INTO enosys(number, name, count) VALUES(?, ?, ?)",
		    "isi", (int64_t)res->enosys[i].number, res->enosys[i].name,
		    (int64_t)res->enosys[i].count);
	return (error);
}

/* Every counter at its last sample. */
static int
put_counters(struct rundb *db, struct sim_err *err)
{
	int error = 0;

	for (uint32_t i = 0; db->sampled && error == 0 && i < db->ncounters;
	    i++)
		error = rundb_row(db, err,
		    "UPDATE counters SET final = ? WHERE name = ?", "is",
		    (int64_t)db->last_sample[1 + i], db->counter[i]);
	return (error);
}

static int
put_end(struct rundb *db, const struct machine_result *res, bool complete,
    struct sim_err *err)
{
	int error;

	/* the one commit that is worth waiting for the disk */
	if ((error = rundb_exec(db, "PRAGMA synchronous = FULL", err)) != 0 ||
	    (error = rundb_exec(db, "BEGIN IMMEDIATE", err)) != 0)
		return (error);
	if ((error = put_summary(db, res, err)) != 0 ||
	    (error = put_counters(db, err)) != 0 ||
	    (error = rundb_row(db, err,
	    "UPDATE meta SET value = ? WHERE key = 'status'", "s",
	    complete ? "complete" : "incomplete")) != 0 ||
	    (error = rundb_row(db, err,
	    "UPDATE meta SET value = ? WHERE key = 'ended'", "s",
	    complete ? "exited" : res->panicked[0] != '\0' ? "panicked" :
	    res->stuck ? "stuck" : res->interrupted ? "interrupted" :
	    "failed")) != 0)
		return (error);
	return (rundb_exec(db, "COMMIT", err));
}

int
rundb_finish(struct rundb *db, const struct machine_result *res, bool complete,
    struct sim_err *err)
{
	int error;

	rundb_drain(db);
	rundb_writer_stop(db);
	rundb_writer_unprepare(db);
	if (rundb_failed(db)) {
		error = -db->failure_errno;
		if (err != NULL)
			*err = db->failure;
	} else {
		error = put_end(db, res, complete, err);
	}
	if (error != 0)
		rundb_file_remove(db);
	else
		rundb_file_close(db);
	rundb_free(db);
	return (error);
}

bool
rundb_failed(const struct rundb *db)
{
	return (atomic_load_explicit(&db->failed, memory_order_relaxed));
}
