/*
 * report_db.c: opens run databases of any origin with care.
 *
 * A database of a killed run may hold a journal that SQLite rolls back when
 * it is opened, so it is opened for writing if the host allows it; nothing
 * here changes a row.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/reports_int.h"

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x766d7331 /* RUNDB_APPLICATION_ID of sim/rundb_int.h */
#define BUSY_MS 10000 /* a run may be writing it */

static int
check_file(const char *name, struct sim_err *err)
{
	char head[16] = "";
	struct stat st;
	FILE *f;
	size_t n;

	if (stat(name, &st) != 0)
		return (sim_err_set(err, errno, "%s: cannot read the database:"
		    " %s", name, strerror(errno)));
	if (!S_ISREG(st.st_mode))
		return (sim_err_set(err, EILSEQ, "%s: %s, not a run database "
		    "of vmsim", name, S_ISDIR(st.st_mode) ?
		    "this is a directory" : "this is not a regular file"));
	f = fopen(name, "re");
	if (f == NULL)
		return (sim_err_set(err, errno, "%s: cannot read the database:"
		    " %s", name, strerror(errno)));
	n = fread(head, 1, sizeof(head), f);
	fclose(f);
	if (n == 0)
		return (sim_err_set(err, EILSEQ, "%s: the file is empty; a run "
		    "database comes from 'vmsim run --db FILE'", name));
	if (n < sizeof(head) || memcmp(head, "SQLite format 3", 16) != 0)
		return (sim_err_set(err, EILSEQ, "%s: this is no SQLite "
		    "database; a run database comes from 'vmsim run --db "
		    "FILE'", name));
	return (0);
}

static int
check_schema(struct report_db *db, struct sim_err *err)
{
	double id = 0, version = 0;
	int error;

	error = report_db_number(db, "PRAGMA application_id", &id, NULL, err);
	if (error == 0)
		error = report_db_number(db, "PRAGMA user_version", &version,
		    NULL, err);
	if (error != 0)
		return (error);
	if (id != APPLICATION_ID)
		return (sim_err_set(err, EILSEQ, "%s: this SQLite database is "
		    "not a run database of vmsim", db->name));
	if (version != SCHEMA_VERSION)
		return (sim_err_set(err, EILSEQ, "%s: schema version %.0f; "
		    "this vmsim reads version %d", db->name, version,
		    SCHEMA_VERSION));
	return (0);
}

static int
read_text(struct report_db *db, const char *sql, char *buf, size_t size,
    struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error;

	buf[0] = '\0';
	error = report_db_prepare(db, sql, &st, err);
	if (error != 0)
		return (error);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL)
		snprintf(buf, size, "%s",
		    (const char *)sqlite3_column_text(st, 0));
	error = rc == SQLITE_ROW ? 0 : report_db_done(db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static int
read_meta(struct report_db *db, struct sim_err *err)
{
	char status[32];
	double end = 0, s;
	int error;
	/* the last thing known: the summary's end, or the latest row */
	static const char *const ends[] = {
		"SELECT value FROM summary WHERE name = 'cycles'",
		"SELECT finish FROM io ORDER BY seq DESC LIMIT 1",
		"SELECT end FROM faults ORDER BY seq DESC LIMIT 1",
		"SELECT cycle FROM transitions ORDER BY seq DESC LIMIT 1",
	};

	if ((error = report_db_number(db, "SELECT value FROM meta WHERE key = "
	    "'cpu_hz'", &db->hz, NULL, err)) != 0 ||
	    (error = read_text(db, "SELECT value FROM meta WHERE key = "
	    "'status'", status, sizeof(status), err)) != 0 ||
	    (error = read_text(db, "SELECT value FROM meta WHERE key = "
	    "'ended'", db->ended, sizeof(db->ended), err)) != 0 ||
	    (error = read_text(db, "SELECT group_concat(j.value, ' ') FROM "
	    "(SELECT value FROM config WHERE key = 'argv' UNION ALL "
	    "SELECT json_array(value) FROM config WHERE key = 'scenario') c, "
	    "json_each(c.value) j",
	    db->program, sizeof(db->program), err)) != 0 ||
	    (error = report_db_number(db, "SELECT value FROM config WHERE "
	    "key = 'mem'", &db->mem_bytes, NULL, err)) != 0)
		return (error);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		error = report_db_number(db, ends[i], &s, NULL, err);
		if (error != 0)
			return (error);
		if (s > end)
			end = s;
	}
	db->complete = strcmp(status, "complete") == 0;
	if (db->hz <= 0)
		return (sim_err_set(err, EILSEQ, "%s: the database has no "
		    "clock rate (meta.cpu_hz)", db->name));
	db->end = end / db->hz;
	return (0);
}

int
report_db_open(const char *name, struct report_db *db, struct sim_err *err)
{
	int error;

	memset(db, 0, sizeof(*db));
	db->name = name;
	error = check_file(name, err);
	if (error != 0)
		return (error);
	if (sqlite3_open_v2(name, &db->conn, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK) {
		error = sim_err_set(err, EIO, "%s: cannot read the database: "
		    "%s", name, sqlite3_errmsg(db->conn));
	} else {
		sqlite3_busy_timeout(db->conn, BUSY_MS);
		error = check_schema(db, err);
		if (error == 0)
			error = read_meta(db, err);
	}
	if (error != 0)
		report_db_close(db);
	return (error);
}

void
report_db_close(struct report_db *db)
{
	sqlite3_close(db->conn);
	db->conn = NULL;
}

int
report_db_prepare(struct report_db *db, const char *sql, sqlite3_stmt **out,
    struct sim_err *err)
{
	if (sqlite3_prepare_v2(db->conn, sql, -1, out, NULL) != SQLITE_OK)
		return (sim_err_set(err, EIO, "%s: reading the database failed:"
		    " %s", db->name, sqlite3_errmsg(db->conn)));
	return (0);
}

int
report_db_done(struct report_db *db, int rc, struct sim_err *err)
{
	if (rc == SQLITE_DONE)
		return (0);
	return (sim_err_set(err, EIO, "%s: reading the database failed: %s",
	    db->name, sqlite3_errmsg(db->conn)));
}

int
report_db_number(struct report_db *db, const char *sql, double *out,
    bool *found, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error;

	*out = 0;
	if (found != NULL)
		*found = false;
	error = report_db_prepare(db, sql, &st, err);
	if (error != 0)
		return (error);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_double(st, 0);
		if (found != NULL)
			*found = sqlite3_column_type(st, 0) != SQLITE_NULL;
	} else {
		error = report_db_done(db, rc, err);
	}
	sqlite3_finalize(st);
	return (error);
}

bool
report_db_has_column(struct report_db *db, const char *table,
    const char *column)
{
	return (sqlite3_table_column_metadata(db->conn, NULL, table, column,
	    NULL, NULL, NULL, NULL, NULL) == SQLITE_OK);
}
