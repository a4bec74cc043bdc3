/*
 * The run database: rows arrive as they were given; equal rows make an equal
 * file whatever the threads' timing; a killed process leaves a valid file
 * with a prefix of the rows; what cannot be written leaves nothing.
 * Method: rows are a function of their number; the counters of a kernel are
 * replaced by three of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/rundb.h"
#include "suite.h"
#undef PRIO_MIN /* the host's; vmcore has a kernel's own */
#undef PRIO_MAX
#include "vmcore/vm_int.h"

/* ---- a kernel with three counters ---- */

static const char *const stat_names[] = { "v_free_count", "v_vm_faults",
	"a.\"odd\" name" };
struct fake_vm {
	struct vm vm;
	uint64_t v[3];
};

static size_t
fake_count(const struct vm *vm)
{
	return (3);
}

static const char *
fake_name(const struct vm *vm, size_t i)
{
	return (stat_names[i]);
}

static const char *
fake_help(const struct vm *vm, size_t i)
{
	return ("help");
}

static bool
fake_is_gauge(const struct vm *vm, size_t i)
{
	return (i != 1);
}

static uint64_t
fake_value(const struct vm *vm, size_t i)
{
	return (((const struct fake_vm *)(const void *)vm)->v[i]);
}

static const struct vm_kernel_ops fake_kernel = {
	.name = "fake",
	.stat_count = fake_count,
	.stat_name = fake_name,
	.stat_help = fake_help,
	.stat_is_gauge = fake_is_gauge,
	.stat_value = fake_value,
};

/* ---- a place for files, and rows by number ---- */

static char dir[] = "/tmp/test_rundb.XXXXXX";

static const char *
in_dir(const char *name)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return (path[turn]);
}

static void
config(struct machine_config *mc)
{
	machine_config_init(mc);
	mc->cpu_hz = 1000000;
	config_strings_add(&mc->argv, "a program");
	config_strings_add(&mc->argv, "with \"quotes\"");
}

#define CYCLES 37 /* from one row to the next */

static void
put_transition(struct rundb *db, uint64_t i)
{
	struct vm_transition t = { .when = i * CYCLES, .page = (pfn_t)(i % 997),
		.object = (uint32_t)(i % 89), .pindex = i * 7,
		.from = (uint8_t)(i % VMQ_COUNT),
		.to = (uint8_t)((i + 1) % VMQ_COUNT), .where = (uint8_t)(i % 3),
		.reason = (uint8_t)(i % WHY_COUNT),
		.act_count = (uint8_t)(i % 65) };

	rundb_trace_ops.transition(db, &t);
}

/* Two wait messages, one of them at two addresses. */
static void
put_state(struct rundb *db, uint64_t i)
{
	static const char waits[4][8] = { "swread", "nanslp", "swread", "" };
	const char *wmesg = waits[i / 10 % 4];
	const struct thread_interval ti = { .start = i * CYCLES,
		.end = i * CYCLES + 300,
		.doing = (enum thread_doing)(i / 10 % DOING_COUNT),
		.wmesg = wmesg[0] != '\0' ? wmesg : NULL };

	rundb_put_state(db, 100, 101, &ti);
}

static void
put_others(struct rundb *db, uint64_t i)
{
	struct vm_fault_record f = { .start = i * CYCLES,
		.end = i * CYCLES + 5, .pid = 100, .tid = 101,
		.va = 0x7fff00000000 + i * 4096, .access = 3,
		.kind = (uint8_t)(i % 8), .restarts = 2, .page = 9,
		.object = 3, .pindex = i };
	struct vm_io_record io = { .queued = i * CYCLES - 30,
		.start = i * CYCLES - 20, .finish = i * CYCLES,
		.kind = VMIO_SWAP_IN, .disk = "da0", .object = 3, .pindex = i,
		.pages = 8, .lbn = 1ull << 40, .error = 0, .overhead = 1,
		.seek = 2, .rotation = 3, .transfer = 4 };
	struct vm_event_record e = { .when = i * CYCLES, .kind = VME_SCAN,
		.pid = 0, .a = -5, .b = INT64_MAX };

	rundb_trace_ops.fault(db, &f);
	if (i % 16 == 0)
		rundb_trace_ops.io(db, &io);
	if (i % 10 == 0)
		put_state(db, i);
	if (i % 64 == 0)
		rundb_trace_ops.event(db, &e);
}

static void
put_rows(struct rundb *db, uint64_t n, unsigned jitter_us)
{
	char *const argv[] = { (char *)"sort", (char *)"a b", NULL };
	const uint64_t times[DOING_COUNT] = { 21, 22, 23, 24, 25, 26 };
	struct fake_vm *fake = calloc(1, sizeof(*fake));

	fake->vm.kernel = &fake_kernel;
	rundb_put_process(db, 100, 1, "sort", argv, 5);
	rundb_put_object(db, 3, "vnode", "/usr/bin/sort");
	for (uint64_t i = 1; i <= n; i++) {
		put_transition(db, i);
		if (i % 2 == 0)
			put_others(db, i);
		if (i % 1000 == 0) {
			fake->v[0] = i;
			fake->v[1] = i * 10;
			rundb_put_sample(db, i * CYCLES, &fake->vm);
			if (jitter_us != 0)
				usleep(jitter_us);
		}
	}
	rundb_put_process_times(db, 100, n * CYCLES, times, 7);
	rundb_put_process_end(db, 100, n * CYCLES, 3 << 8, 11, 12, 13, 14, 15,
	    16);
	free(fake);
}

static int
one_run(const char *path, uint64_t n, unsigned jitter_us, bool complete,
    struct sim_err *err)
{
	struct machine_result res = { .exit_code = 3, .cycles = n * CYCLES };
	struct tunables *ts = tunables_create();
	struct machine_config mc;
	struct rundb *db;
	int error;

	config(&mc);
	config_finish(&mc, NULL);
	error = rundb_create(path, &mc, err, &db);
	if (error == 0) {
		error = rundb_put_config(db, &mc, ts, err);
		ck_assert_int_eq(error, 0);
		put_rows(db, n, jitter_us);
		error = rundb_finish(db, &res, complete, err);
	}
	machine_config_free(&mc);
	tunables_destroy(ts);
	return (error);
}

/* ---- reading ---- */

static sqlite3 *
open_db(const char *path)
{
	sqlite3 *conn;

	ck_assert_int_eq(sqlite3_open_v2(path, &conn, SQLITE_OPEN_READWRITE,
	    NULL), SQLITE_OK);
	return (conn);
}

static int64_t
number(sqlite3 *conn, const char *sql)
{
	sqlite3_stmt *st;
	int64_t v;

	ck_assert_msg(sqlite3_prepare_v2(conn, sql, -1, &st, NULL) ==
	    SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(conn));
	ck_assert_msg(sqlite3_step(st) == SQLITE_ROW, "%s: no row", sql);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return (v);
}

static void
text_is(sqlite3 *conn, const char *sql, const char *want)
{
	sqlite3_stmt *st;

	ck_assert_msg(sqlite3_prepare_v2(conn, sql, -1, &st, NULL) ==
	    SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(conn));
	ck_assert_msg(sqlite3_step(st) == SQLITE_ROW, "%s: no row", sql);
	ck_assert_str_eq((const char *)sqlite3_column_text(st, 0), want);
	sqlite3_finalize(st);
}

static char *
slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	char *p;

	ck_assert_ptr_nonnull(f);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n);
	ck_assert_uint_eq(fread(p, 1, *n, f), *n);
	fclose(f);
	return (p);
}

static bool
exists(const char *path)
{
	return (access(path, F_OK) == 0);
}

/* Files in the test's directory, to find what was left behind. */
static int
files_left(void)
{
	char cmd[160];
	FILE *p;
	int n = -1;

	snprintf(cmd, sizeof(cmd), "ls -A %s | wc -l", dir);
	p = popen(cmd, "r");
	ck_assert_int_eq(fscanf(p, "%d", &n), 1);
	pclose(p);
	return (n);
}

static void
clean(void)
{
	char cmd[160];

	snprintf(cmd, sizeof(cmd), "chmod 700 %s; rm -rf %s/*", dir, dir);
	ck_assert_int_eq(system(cmd), 0);
}

/* ---- cases ---- */

START_TEST(rows_arrive)
{
	const char *path = in_dir("a.db");
	struct sim_err err;
	sqlite3 *c;

	ck_assert_msg(one_run(path, 50000, 0, true, &err) == 0, "%s", err.text);
	ck_assert_int_eq(files_left(), 1); /* no journal */
	c = open_db(path);
	text_is(c, "PRAGMA integrity_check", "ok");
	text_is(c, "SELECT value FROM meta WHERE key='status'", "complete");
	ck_assert_int_eq(number(c, "SELECT count(*) FROM transitions"), 50000);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM transitions WHERE "
	    "cycle = seq*37 AND page = seq%997 AND object = seq%89 AND "
	    "pindex = seq*7 AND from_q = seq%8 AND to_q = (seq+1)%8 AND "
	    "pos = seq%3 AND act = seq%65"), 50000);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM faults WHERE "
	    "start = seq*2*37 AND end = start+5 AND pid=100 AND tid=101 AND "
	    "va = 0x7fff00000000+seq*8192 AND access=3 AND kind = seq*2%8 AND "
	    "restarts=2 AND page=9 AND object=3 AND pindex=seq*2"), 25000);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM io WHERE finish = "
	    "seq*16*37 AND start=finish-20 AND queued=finish-30 AND kind=1 AND "
	    "disk=1 AND object=3 AND pages=8 AND lbn=1099511627776 AND "
	    "overhead=1 AND seek=2 AND rotation=3 AND transfer=4"), 3125);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM events WHERE "
	    "cycle=seq*64*37 AND a=-5 AND b=9223372036854775807"), 781);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM states s LEFT JOIN "
	    "wait_message w ON w.id = s.wait WHERE start = seq*10*37 AND "
	    "end = start+300 AND pid = 100 AND tid = 101 AND state = seq%6 "
	    "AND ifnull(w.name, '') = CASE seq%4 WHEN 1 THEN 'nanslp' "
	    "WHEN 3 THEN '' ELSE 'swread' END"), 5000);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM wait_message"), 2);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM samples WHERE "
	    "v_free_count*37=cycle"), 50);
	ck_assert_int_eq(number(c, "SELECT \"v_vm_faults\" FROM v_vmstat "
	    "ORDER BY seconds DESC LIMIT 1"), 10000);
	ck_assert_int_eq(number(c, "SELECT final FROM counters WHERE "
	    "name='v_vm_faults'"), 500000);
	ck_assert_int_eq(number(c, "SELECT count(\"a_\"\"odd\"\" name\") FROM "
	    "samples"), 50);
	text_is(c, "SELECT argv FROM processes WHERE pid=100 AND exit_code=3 "
	    "AND signal=0 AND peak_rss=16 AND ready=21 AND running=22 AND "
	    "page_wait=23 AND sleeping=24 AND swapped=25 AND swap_wait=26 AND "
	    "swapouts=7", "[\"sort\",\"a b\"]");
	text_is(c, "SELECT object_name FROM v_faults WHERE seq=1",
	    "/usr/bin/sort");
	text_is(c, "SELECT value FROM config WHERE key='argv'",
	    "[\"a program\",\"with \\\"quotes\\\"\"]");
	ck_assert_int_eq(number(c, "SELECT value FROM summary WHERE "
	    "name='exit_code'"), 3);
	sqlite3_close(c);
	clean();
}
END_TEST

START_TEST(every_view_works)
{
	const char *path = in_dir("a.db");
	struct sim_err err;
	sqlite3_stmt *st;
	char sql[128];
	sqlite3 *c;
	int views = 0;

	ck_assert_int_eq(one_run(path, 3000, 0, true, &err), 0);
	c = open_db(path);
	ck_assert_int_eq(sqlite3_prepare_v2(c, "SELECT name FROM sqlite_schema "
	    "WHERE type='view'", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s",
		    (const char *)sqlite3_column_text(st, 0));
		ck_assert_msg(number(c, sql) > 0, "%s", sql);
		views++;
	}
	sqlite3_finalize(st);
	ck_assert_int_ge(views, 8);
	/* a reason, a queue and a kind for every code */
	ck_assert_int_eq(number(c, "SELECT count(*) FROM v_transitions WHERE "
	    "reason IS NULL OR from_queue IS NULL OR to_queue IS NULL OR "
	    "position IS NULL"), 0);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM v_faults WHERE kind "
	    "IS NULL"), 0);
	sqlite3_close(c);
	clean();
}
END_TEST

START_TEST(equal_rows_equal_file)
{
	const char *a = in_dir("a.db"), *b = in_dir("b.db");
	size_t na, nb;
	struct sim_err err;
	char *ta, *tb;

	ck_assert_int_eq(one_run(a, 60000, 0, true, &err), 0);
	ck_assert_int_eq(one_run(b, 60000, 700, true, &err), 0);
	ta = slurp(a, &na);
	tb = slurp(b, &nb);
	ck_assert_uint_eq(na, nb);
	ck_assert_int_eq(memcmp(ta, tb, na), 0);
	free(ta);
	free(tb);
	/* and a different row is a different file */
	ck_assert_int_eq(one_run(b, 59999, 0, true, &err), 0);
	tb = slurp(b, &nb);
	ta = slurp(a, &na);
	ck_assert(na != nb || memcmp(ta, tb, na) != 0);
	free(ta);
	free(tb);
	clean();
}
END_TEST

START_TEST(two_runs_side_by_side)
{
	struct machine_result res = { .exit_code = 0 };
	struct machine_config mc;
	struct rundb *x, *y;
	size_t na, nb;
	struct sim_err err;
	char *a, *b;

	config(&mc);
	config_finish(&mc, NULL);
	ck_assert_int_eq(rundb_create(in_dir("x.db"), &mc, &err, &x), 0);
	ck_assert_int_eq(rundb_create(in_dir("y.db"), &mc, &err, &y), 0);
	for (uint64_t i = 1; i < 30000; i++) {
		put_transition(x, i);
		put_transition(y, i);
	}
	ck_assert_int_eq(rundb_finish(x, &res, true, &err), 0);
	ck_assert_int_eq(rundb_finish(y, &res, true, &err), 0);
	a = slurp(in_dir("x.db"), &na);
	b = slurp(in_dir("y.db"), &nb);
	ck_assert(na == nb && memcmp(a, b, na) == 0);
	free(a);
	free(b);
	machine_config_free(&mc);
	clean();
}
END_TEST

START_TEST(log_mask_chooses)
{
	struct machine_result res = { .exit_code = 0 };
	struct machine_config mc;
	struct rundb *db;
	struct sim_err err;
	sqlite3 *c;

	config(&mc);
	mc.log_mask = RUNDB_LOG_EVENTS;
	ck_assert_int_eq(rundb_create(in_dir("a.db"), &mc, &err, &db), 0);
	put_rows(db, 5000, 0);
	ck_assert_int_eq(rundb_finish(db, &res, false, &err), 0);
	c = open_db(in_dir("a.db"));
	ck_assert_int_eq(number(c, "SELECT count(*) FROM transitions"), 0);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM faults"), 0);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM samples"), 0);
	ck_assert_int_gt(number(c, "SELECT count(*) FROM events"), 0);
	/* the totals are there without samples */
	ck_assert_int_eq(number(c, "SELECT final FROM counters WHERE "
	    "name='v_vm_faults'"), 50000);
	text_is(c, "SELECT value FROM meta WHERE key='status'", "incomplete");
	sqlite3_close(c);
	machine_config_free(&mc);
	clean();
}
END_TEST

/* Rows without end; the parent kills us. */
static void
write_forever(const char *path, int ready)
{
	struct machine_config mc;
	struct sim_err err;
	struct rundb *db;

	config(&mc);
	if (rundb_create(path, &mc, &err, &db) != 0)
		_exit(1);
	for (uint64_t i = 1;; i++) {
		put_transition(db, i);
		if (i % 2 == 0)
			put_others(db, i);
		if (i == 20000 && write(ready, "x", 1) != 1)
			_exit(2);
	}
}

static void
killed_once(const char *path, unsigned wait_us)
{
	int p[2], status;
	int64_t n, faults;
	char byte;
	sqlite3 *c;
	pid_t pid;

	ck_assert_int_eq(pipe(p), 0);
	pid = fork();
	if (pid == 0)
		write_forever(path, p[1]);
	close(p[1]);
	ck_assert_int_eq(read(p[0], &byte, 1), 1);
	close(p[0]);
	usleep(wait_us);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	c = open_db(path);
	text_is(c, "PRAGMA integrity_check", "ok");
	text_is(c, "SELECT value FROM meta WHERE key='status'", "incomplete");
	n = number(c, "SELECT count(*) FROM transitions");
	ck_assert_int_eq(number(c, "SELECT count(*) FROM transitions WHERE "
	    "cycle=seq*37 AND pindex=seq*7"), n);
	/* what was committed with them */
	faults = number(c, "SELECT count(*) FROM faults");
	ck_assert(faults == n / 2 || faults == n / 2 - 1);
	sqlite3_close(c);
}

START_TEST(killed_runs_are_valid)
{
	/* a replaced database and its leftovers do no harm either */
	for (unsigned i = 0; i < 25; i++)
		killed_once(in_dir("k.db"), i * 1300);
	clean();
}
END_TEST

static int
create_only(const char *path, struct sim_err *err)
{
	struct machine_config mc;
	struct rundb *db;
	int error;

	config(&mc);
	error = rundb_create(path, &mc, err, &db);
	if (error == 0)
		rundb_discard(db);
	machine_config_free(&mc);
	return (error);
}

START_TEST(foreign_files_stay)
{
	const char *path = in_dir("letter.txt");
	struct sim_err err;
	struct stat st;
	sqlite3 *c;
	FILE *f;

	f = fopen(path, "w");
	fputs("Dear reader", f);
	fclose(f);
	ck_assert_int_eq(create_only(path, &err), -EEXIST);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 11);
	/* somebody else's SQLite database */
	c = NULL;
	sqlite3_open(in_dir("other.db"), &c);
	sqlite3_exec(c, "CREATE TABLE t(a)", NULL, NULL, NULL);
	sqlite3_close(c);
	ck_assert_int_eq(create_only(in_dir("other.db"), &err), -EEXIST);
	ck_assert_int_eq(create_only(dir, &err), -EINVAL);
	ck_assert_int_eq(create_only("/dev/null", &err), -EINVAL);
	ck_assert_int_eq(create_only("", &err), -EINVAL);
	ck_assert_int_eq(create_only(in_dir("no/such/dir/a.db"), &err),
	    -ENOTDIR);
	ck_assert_int_eq(files_left(), 2);
	/* an empty file, as mktemp leaves it, is taken */
	fclose(fopen(in_dir("empty.db"), "w"));
	ck_assert_int_eq(one_run(in_dir("empty.db"), 10, 0, true, &err), 0);
	clean();
}
END_TEST

START_TEST(unwritable_place)
{
	struct sim_err err;

	if (geteuid() != 0) {
		chmod(dir, 0500);
		ck_assert_int_eq(create_only(in_dir("a.db"), &err), -EACCES);
		chmod(dir, 0700);
	}
	/* nobody may write there, not even root */
	ck_assert_int_lt(create_only("/proc/a.db", &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "/proc/a.db"));
	ck_assert_int_eq(files_left(), 0);
}
END_TEST

START_TEST(one_writer_a_file)
{
	struct machine_config mc;
	struct sim_err err;
	struct rundb *db;

	config(&mc);
	ck_assert_int_eq(rundb_create(in_dir("a.db"), &mc, &err, &db), 0);
	ck_assert_int_eq(create_only(in_dir("a.db"), &err), -EBUSY);
	rundb_discard(db);
	ck_assert_int_eq(files_left(), 0);
	machine_config_free(&mc);
}
END_TEST

static void
limit_file_size(rlim_t bytes)
{
	struct rlimit rl;

	getrlimit(RLIMIT_FSIZE, &rl);
	rl.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &rl);
}

/* A limit on the size of files stands for a full disk. */
START_TEST(full_disk_leaves_nothing)
{
	struct sim_err err;
	int error;

	signal(SIGXFSZ, SIG_IGN);
	limit_file_size(1 << 20);
	error = one_run(in_dir("a.db"), 200000, 0, true, &err);
	limit_file_size(RLIM_INFINITY);
	ck_assert_msg(error == -ENOSPC, "%s", err.text);
	ck_assert_ptr_nonnull(strstr(err.text, "a.db: the disk is full"));
	ck_assert_int_eq(files_left(), 0);
	/* full from the start: the old database is not touched */
	ck_assert_int_eq(one_run(in_dir("a.db"), 10, 0, true, &err), 0);
	limit_file_size(20000);
	error = one_run(in_dir("a.db"), 10, 0, true, &err);
	limit_file_size(RLIM_INFINITY);
	ck_assert_int_eq(error, -ENOSPC);
	ck_assert_int_eq(files_left(), 1);
	killed_once(in_dir("b.db"), 0);
	ck_assert(exists(in_dir("a.db")));
	clean();
}
END_TEST

START_TEST(failure_is_seen_early)
{
	struct machine_result res = { .exit_code = 0 };
	struct machine_config mc;
	struct sim_err err;
	struct rundb *db;
	uint64_t i;

	signal(SIGXFSZ, SIG_IGN);
	config(&mc);
	ck_assert_int_eq(rundb_create(in_dir("a.db"), &mc, &err, &db), 0);
	limit_file_size(1 << 20);
	for (i = 1; !rundb_failed(db) && i < 100000000; i++)
		put_transition(db, i);
	ck_assert(rundb_failed(db));
	limit_file_size(RLIM_INFINITY);
	ck_assert_int_eq(rundb_finish(db, &res, true, &err), -ENOSPC);
	ck_assert_int_eq(files_left(), 0);
	machine_config_free(&mc);
}
END_TEST

START_TEST(readers_meanwhile)
{
	struct machine_result res = { .exit_code = 0 };
	struct machine_config mc;
	struct sim_err err;
	struct rundb *db;
	sqlite3 *c;

	config(&mc);
	ck_assert_int_eq(rundb_create(in_dir("a.db"), &mc, &err, &db), 0);
	c = open_db(in_dir("a.db"));
	sqlite3_busy_timeout(c, 60000);
	for (uint64_t i = 1; i < 200000; i++) {
		put_transition(db, i);
		if (i % 20000 == 0)
			ck_assert_int_le(number(c,
			    "SELECT count(*) FROM transitions"), (int64_t)i);
	}
	ck_assert_int_eq(rundb_finish(db, &res, true, &err), 0);
	ck_assert_int_eq(number(c, "SELECT count(*) FROM transitions"),
	    199999);
	sqlite3_close(c);
	machine_config_free(&mc);
	clean();
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { rows_arrive, every_view_works,
		equal_rows_equal_file, two_runs_side_by_side, log_mask_chooses,
		killed_runs_are_valid, foreign_files_stay, unwritable_place,
		one_writer_a_file, full_disk_leaves_nothing,
		failure_is_seen_early, readers_meanwhile };
	int failed;

	if (mkdtemp(dir) == NULL)
		return (1);
	failed = SUITE_MAIN("rundb", tests);
	rmdir(dir);
	return (failed);
}
