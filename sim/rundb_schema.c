/*
 * rundb_schema.c: schema version 1 of the run database. docs/database.md
 * explains every table and column; tests/db checks that it does.
 *
 * Hot tables hold integers only, without constraints or indexes: their rows
 * are in order of simulated time, and an index would cost more than the row.
 * Times are in cycles; the views give seconds and microseconds, and names for
 * codes. Nothing of the host goes in: no time, path, user or version of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rundb_int.h"
#include "sim/version.h"

static const char tables_sql[] =
"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
"CREATE TABLE config(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
"CREATE TABLE tunables(name TEXT PRIMARY KEY, value TEXT, default_value TEXT,"
" unit TEXT, type TEXT, is_set INTEGER, source TEXT, help TEXT) WITHOUT ROWID;"
"CREATE TABLE tunable_changes(seq INTEGER PRIMARY KEY, cycle INTEGER,"
" name TEXT, value TEXT);"
"CREATE TABLE disks(id INTEGER PRIMARY KEY, name TEXT, model TEXT,"
" scheduler TEXT, is_fs INTEGER, is_swap INTEGER, sectors INTEGER,"
" reads INTEGER, writes INTEGER, sectors_read INTEGER,"
" sectors_written INTEGER, busy INTEGER, queued INTEGER, seek INTEGER,"
" rotation INTEGER, transfer INTEGER, queue_max INTEGER);"
"CREATE TABLE domains(id INTEGER PRIMARY KEY, first_page INTEGER,"
" last_page INTEGER, pages INTEGER);"
"CREATE TABLE processes(pid INTEGER PRIMARY KEY, ppid INTEGER, name TEXT,"
" argv TEXT, start INTEGER, end INTEGER, exit_code INTEGER, signal INTEGER,"
" instructions INTEGER, user_cycles INTEGER, minflt INTEGER, majflt INTEGER,"
" syscalls INTEGER, peak_rss INTEGER, ready INTEGER, running INTEGER,"
" page_wait INTEGER, sleeping INTEGER, swapped INTEGER, swap_wait INTEGER,"
" swapouts INTEGER, label TEXT);"
"CREATE TABLE objects(id INTEGER PRIMARY KEY, type TEXT, name TEXT);"
"CREATE TABLE queue(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE position(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE reason(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE fault_kind(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE io_kind(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE event_kind(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE thread_state(id INTEGER PRIMARY KEY, name TEXT, help TEXT);"
"CREATE TABLE wait_message(id INTEGER PRIMARY KEY, name TEXT);"
"CREATE TABLE transitions(seq INTEGER PRIMARY KEY, cycle INTEGER,"
" page INTEGER, object INTEGER, pindex INTEGER, from_q INTEGER, to_q INTEGER,"
" pos INTEGER, reason INTEGER, act INTEGER);"
"CREATE TABLE faults(seq INTEGER PRIMARY KEY, start INTEGER, end INTEGER,"
" pid INTEGER, tid INTEGER, va INTEGER, access INTEGER, kind INTEGER,"
" restarts INTEGER, page INTEGER, object INTEGER, pindex INTEGER);"
"CREATE TABLE io(seq INTEGER PRIMARY KEY, queued INTEGER, start INTEGER,"
" finish INTEGER, kind INTEGER, disk INTEGER, object INTEGER, pindex INTEGER,"
" pages INTEGER, lbn INTEGER, error INTEGER, overhead INTEGER, seek INTEGER,"
" rotation INTEGER, transfer INTEGER);"
"CREATE TABLE events(seq INTEGER PRIMARY KEY, cycle INTEGER, kind INTEGER,"
" pid INTEGER, a INTEGER, b INTEGER);"
"CREATE TABLE states(seq INTEGER PRIMARY KEY, start INTEGER, end INTEGER,"
" pid INTEGER, tid INTEGER, state INTEGER, wait INTEGER);"
"CREATE TABLE counters(id INTEGER PRIMARY KEY, name TEXT, gauge INTEGER,"
" final INTEGER, help TEXT);"
"CREATE TABLE summary(name TEXT PRIMARY KEY, value INTEGER, unit TEXT,"
" help TEXT) WITHOUT ROWID;"
"CREATE TABLE enosys(number INTEGER PRIMARY KEY, name TEXT, count INTEGER);";

/* @ stands for the clock rate. */
static const char views_sql[] =
"CREATE VIEW v_transitions AS SELECT t.seq, t.cycle / @ AS seconds, t.page,"
" t.object, ifnull(o.type, iif(t.object, 'anonymous', NULL)) AS"
" object_type, o.name AS object_name, t.pindex,"
" f.name AS from_queue, g.name AS to_queue, p.name AS position,"
" r.name AS reason, t.act AS act_count"
" FROM transitions t LEFT JOIN queue f ON f.id = t.from_q"
" LEFT JOIN queue g ON g.id = t.to_q LEFT JOIN position p ON p.id = t.pos"
" LEFT JOIN reason r ON r.id = t.reason"
" LEFT JOIN objects o ON o.id = t.object;"
"CREATE VIEW v_faults AS SELECT f.seq, f.start / @ AS seconds,"
" (f.end - f.start) * 1e6 / @ AS latency_us, f.pid, f.tid,"
" c.name AS process, printf('0x%x', f.va) AS address,"
" iif(f.access & 1, 'r', '-') || iif(f.access & 2, 'w', '-') ||"
" iif(f.access & 4, 'x', '-') AS access, k.name AS kind, f.restarts, f.page,"
" f.object, ifnull(o.type, iif(f.object, 'anonymous', NULL)) AS"
" object_type, o.name AS object_name, f.pindex"
" FROM faults f LEFT JOIN fault_kind k ON k.id = f.kind"
" LEFT JOIN processes c ON c.pid = f.pid"
" LEFT JOIN objects o ON o.id = f.object;"
"CREATE VIEW v_io AS SELECT i.seq, i.queued / @ AS seconds,"
" k.name AS kind, d.name AS disk, i.object, o.name AS object_name, i.pindex,"
" i.pages, i.lbn AS sector, i.error,"
" (i.start - i.queued) * 1e6 / @ AS wait_us,"
" (i.finish - i.start) * 1e6 / @ AS service_us,"
" (i.finish - i.queued) * 1e6 / @ AS response_us,"
" i.overhead * 1e6 / @ AS overhead_us, i.seek * 1e6 / @ AS seek_us,"
" i.rotation * 1e6 / @ AS rotation_us, i.transfer * 1e6 / @ AS transfer_us"
" FROM io i LEFT JOIN io_kind k ON k.id = i.kind"
" LEFT JOIN disks d ON d.id = i.disk LEFT JOIN objects o ON o.id = i.object;"
"CREATE VIEW v_events AS SELECT e.seq, e.cycle / @ AS seconds,"
" k.name AS kind, e.pid, e.a, e.b, k.help AS meaning"
" FROM events e LEFT JOIN event_kind k ON k.id = e.kind;"
"CREATE VIEW v_processes AS SELECT pid, ppid, name, argv,"
" start / @ AS start_s, end / @ AS end_s, exit_code, signal, instructions,"
" user_cycles / @ AS user_s, minflt, majflt, syscalls,"
" peak_rss * 4096 AS peak_rss_bytes, ready / @ AS ready_s,"
" running / @ AS running_s, page_wait / @ AS page_wait_s,"
" sleeping / @ AS sleeping_s, swapped / @ AS swapped_s,"
" swap_wait / @ AS swap_wait_s, swapouts, label FROM processes;"
"CREATE VIEW v_states AS SELECT s.seq, s.start / @ AS seconds,"
" (s.end - s.start) * 1e3 / @ AS ms, s.pid, s.tid, p.name AS process,"
" k.name AS state, w.name AS wait FROM states s"
" LEFT JOIN thread_state k ON k.id = s.state"
" LEFT JOIN wait_message w ON w.id = s.wait"
" LEFT JOIN processes p ON p.pid = s.pid;"
"CREATE VIEW v_disks AS SELECT name, model, scheduler, is_fs, is_swap,"
" sectors * 512 AS bytes, reads, writes, sectors_read * 512 AS bytes_read,"
" sectors_written * 512 AS bytes_written, busy / @ AS busy_s,"
" seek / @ AS seek_s, rotation / @ AS rotation_s, transfer / @ AS transfer_s,"
" queued * 1e3 / @ / nullif(reads + writes, 0) AS mean_wait_ms,"
" queue_max FROM disks;";

static const struct {
	const char *name, *help;
} queue_help[VMQ_COUNT] = {
	[VMQ_NONE] = { NULL, "on no queue: transient, or unmanaged" },
	[VMQ_FREE] = { NULL, "free page" },
	[VMQ_CACHE] = { NULL, "clean, unmapped, may be reused at once" },
	[VMQ_INACTIVE] = { NULL, "candidate for reclaiming, oldest first" },
	[VMQ_ACTIVE] = { NULL, "in use, aged by the page daemon" },
	[VMQ_HOLD] = { NULL, "freed while held by a transfer" },
	[VMQ_WIRED] = { NULL, "wired: on no queue, never paged" },
	[VMQ_BUSY] = { NULL, "on no queue, exclusively busy" },
}, position_help[] = {
	[VMT_TAIL] = { "tail", "appended to the new queue" },
	[VMT_HEAD] = { "head", "put at the front of the new queue" },
	[VMT_SAME] = { "same", "stays where it is" },
}, fault_help[] = {
	[VMF_FAST] = { NULL, "resident in the top object, fast path" },
	[VMF_RESIDENT] = { NULL, "found resident by the slow path" },
	[VMF_ZERO] = { NULL, "new page of zeroes" },
	[VMF_COW] = { NULL, "copied on write" },
	[VMF_COW_MOVE] = { NULL, "the only user took the page over on write" },
	[VMF_FILE] = { NULL, "read from a file" },
	[VMF_SWAP] = { NULL, "read from swap" },
	[VMF_ERROR] = { NULL, "ended in a signal" },
}, io_help[] = {
	[VMIO_SWAP_OUT] = { NULL, "swap pager writes" },
	[VMIO_SWAP_IN] = { NULL, "swap pager reads" },
	[VMIO_VNODE_OUT] = { NULL, "vnode pager writes to a file" },
	[VMIO_VNODE_IN] = { NULL, "vnode pager reads from a file" },
};

static const struct {
	const char *name, *help;
} state_help[DOING_COUNT] = {
	[DOING_READY] = { "ready", "waits for a CPU" },
	[DOING_RUN] = { "running", "on a CPU, user or kernel mode" },
	[DOING_PAGE_WAIT] = { "page_wait", "waits for a page, free memory, or "
	    "a transfer of a pager" },
	[DOING_SLEEP] = { "sleeping", "sleeps for something else: time, a "
	    "pipe, a child" },
	[DOING_SWAPPED] = { "swapped", "asleep, and its process is swapped "
	    "out" },
	[DOING_SWAPIN] = { "swap_wait", "woken, and waits until its process "
	    "is swapped in" },
};

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static int
lookup_row(struct rundb *db, const char *table, int id, const char *name,
    const char *help, struct sim_err *err)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
	    "INSERT INTO %s(id, name, help) VALUES(?, ?, ?)", table);
	return (rundb_row(db, err, sql, "iss", (int64_t)id, name, help));
}

static int
fill_lookups(struct rundb *db, struct sim_err *err)
{
	int e = 0;

	for (int i = 0; i < VMQ_COUNT && e == 0; i++)
		e = lookup_row(db, "queue", i, vm_queue_name(i),
		    queue_help[i].help, err);
	for (int i = 0; i < COUNT(position_help) && e == 0; i++)
		e = lookup_row(db, "position", i, position_help[i].name,
		    position_help[i].help, err);
	for (int i = 0; i < WHY_COUNT && e == 0; i++)
		e = lookup_row(db, "reason", i, vm_reason_name(i),
		    vm_reason_help(i), err);
	for (int i = 0; i < COUNT(fault_help) && e == 0; i++)
		e = lookup_row(db, "fault_kind", i, vm_fault_kind_name(i),
		    fault_help[i].help, err);
	for (int i = 0; i < COUNT(io_help) && e == 0; i++)
		e = lookup_row(db, "io_kind", i, vm_io_kind_name(i),
		    io_help[i].help, err);
	for (int i = 0; i < DOING_COUNT && e == 0; i++)
		e = lookup_row(db, "thread_state", i, state_help[i].name,
		    state_help[i].help, err);
	for (int i = 0; i < VME_COUNT && e == 0; i++)
		e = lookup_row(db, "event_kind", i, vm_event_kind_name(i),
		    vm_event_kind_help(i), err);
	return (e);
}

static int
fill_meta(struct rundb *db, struct sim_err *err)
{
	static const char sql[] = "INSERT INTO meta(key, value) VALUES(?, ?)";
	int e;

	if ((e = rundb_row(db, err, sql, "si", "schema_version",
	    (int64_t)RUNDB_SCHEMA_VERSION)) != 0 ||
	    (e = rundb_row(db, err, sql, "ss", "vmsim_version",
	    VMSIM_VERSION)) != 0 ||
	    (e = rundb_row(db, err, sql, "si", "cpu_hz",
	    (int64_t)db->hz)) != 0 ||
	    (e = rundb_row(db, err, sql, "ss", "status", "incomplete")) != 0 ||
	    (e = rundb_row(db, err, sql, "ss", "ended", "running or killed"))
	    != 0)
		return (e);
	return (0);
}

/* The views with the clock rate in every '@'. */
static int
create_views(struct rundb *db, const char *text, struct sim_err *err)
{
	sqlite3_str *s = sqlite3_str_new(db->conn);
	char *sql;
	int error;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '@')
			sqlite3_str_appendf(s, "%llu.0",
			    (unsigned long long)db->hz);
		else
			sqlite3_str_appendchar(s, 1, *p);
	}
	sql = sqlite3_str_finish(s);
	if (sql == NULL)
		return (sim_err_set(err, ENOMEM, "%s: out of memory",
		    db->path));
	error = rundb_exec(db, sql, err);
	sqlite3_free(sql);
	return (error);
}

int
rundb_schema_create(struct rundb *db, struct sim_err *err)
{
	int error;

	if ((error = rundb_exec(db, "BEGIN IMMEDIATE", err)) != 0 ||
	    (error = rundb_exec(db, tables_sql, err)) != 0 ||
	    (error = create_views(db, views_sql, err)) != 0 ||
	    (error = fill_lookups(db, err)) != 0 ||
	    (error = fill_meta(db, err)) != 0)
		return (error);
	return (rundb_exec(db, "COMMIT", err));
}

/* ------------------------------------------------------------ counters */

static int
counter_names(struct rundb *db, const struct vm *vm)
{
	size_t n = vm_stat_count(vm);

	db->counter = calloc(n, sizeof(*db->counter));
	db->last_sample = calloc(n + 1, sizeof(*db->last_sample));
	if (db->counter == NULL || db->last_sample == NULL)
		return (-ENOMEM);
	for (size_t i = 0; i < n; i++) {
		db->counter[i] = strdup(vm_stat_name(vm, i));
		if (db->counter[i] == NULL)
			return (-ENOMEM);
		/* a column's name that needs no quotes: "vm_faults_swap" */
		for (char *p = db->counter[i]; *p != '\0'; p++)
			*p = *p == '.' ? '_' : *p;
		db->ncounters = (uint32_t)(i + 1);
	}
	for (int i = 0; i < RUNDB_CHUNKS; i++) {
		db->chunk[i]->samples = calloc((size_t)CHUNK_SAMPLES * (n + 1),
		    sizeof(uint64_t));
		if (db->chunk[i]->samples == NULL)
			return (-ENOMEM);
	}
	return (0);
}

/*
 * Table samples: a column a counter. View v_vmstat: levels as they are,
 * totals as their growth since the sample before.
 */
static char *
counters_sql(struct rundb *db, const struct vm *vm)
{
	sqlite3_str *s = sqlite3_str_new(db->conn);

	sqlite3_str_appendall(s, "CREATE TABLE samples(cycle INTEGER PRIMARY "
	    "KEY");
	for (uint32_t i = 0; i < db->ncounters; i++)
		sqlite3_str_appendf(s, ", \"%w\" INTEGER", db->counter[i]);
	sqlite3_str_appendf(s, "); CREATE VIEW v_vmstat AS SELECT "
	    "cycle / %llu.0 AS seconds", (unsigned long long)db->hz);
	for (uint32_t i = 0; i < db->ncounters; i++) {
		const char *c = db->counter[i];

		if (vm_stat_is_gauge(vm, i))
			sqlite3_str_appendf(s, ", \"%w\"", c);
		else
			sqlite3_str_appendf(s, ", \"%w\" - lag(\"%w\", 1, 0) "
			    "OVER w AS \"%w\"", c, c, c);
	}
	sqlite3_str_appendall(s, " FROM samples WINDOW w AS (ORDER BY cycle)");
	return (sqlite3_str_finish(s));
}

static int
prepare_sample(struct rundb *db, struct sim_err *err)
{
	sqlite3_str *s = sqlite3_str_new(db->conn);
	char *sql;
	int rc;

	sqlite3_str_appendall(s, "INSERT OR REPLACE INTO samples VALUES(?");
	for (uint32_t i = 0; i < db->ncounters; i++)
		sqlite3_str_appendall(s, ",?");
	sqlite3_str_appendall(s, ")");
	sql = sqlite3_str_finish(s);
	if (sql == NULL)
		return (sim_err_set(err, ENOMEM, "%s: out of memory",
		    db->path));
	rc = sqlite3_prepare_v3(db->conn, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &db->insert_sample, NULL);
	sqlite3_free(sql);
	return (rc == SQLITE_OK ? 0 : rundb_sql_error(db, "samples", err));
}

int
rundb_schema_counters(struct rundb *db, const struct vm *vm,
    struct sim_err *err)
{
	char *sql;
	int error;

	if (counter_names(db, vm) != 0)
		return (sim_err_set(err, ENOMEM, "%s: out of memory",
		    db->path));
	sql = counters_sql(db, vm);
	if (sql == NULL)
		return (sim_err_set(err, ENOMEM, "%s: out of memory",
		    db->path));
	error = rundb_exec(db, "BEGIN IMMEDIATE", err);
	if (error == 0)
		error = rundb_exec(db, sql, err);
	sqlite3_free(sql);
	for (uint32_t i = 0; i < db->ncounters && error == 0; i++)
		error = rundb_row(db, err, "INSERT INTO counters(id, name, "
		    "gauge, help) VALUES(?, ?, ?, ?)", "isis",
		    (int64_t)i + 1, db->counter[i],
		    (int64_t)vm_stat_is_gauge(vm, i), vm_stat_help(vm, i));
	if (error == 0)
		error = rundb_exec(db, "COMMIT", err);
	if (error == 0)
		error = prepare_sample(db, err);
	return (error);
}
