/*
 * report_csv.c: the lines of `vmsim disk replay -o FILE.csv` as a database in
 * memory with the tables that plots of disks read, so that those need not
 * know where the transfers come from. Times are nanoseconds there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports/reports_int.h"

#define NS_PER_S 1e9

static const char tables_sql[] =
    "CREATE TABLE io(seq INTEGER PRIMARY KEY, queued INTEGER, start INTEGER,"
    " finish INTEGER, kind INTEGER, disk INTEGER, lbn INTEGER,"
    " cylinder INTEGER, overhead INTEGER, seek INTEGER, rotation INTEGER,"
    " transfer INTEGER);"
    "CREATE TABLE io_kind(id INTEGER PRIMARY KEY, name TEXT);"
    "INSERT INTO io_kind VALUES(1, 'read'), (2, 'write'), (3, 'other');"
    "CREATE TABLE disks(id INTEGER PRIMARY KEY, name TEXT);"
    "INSERT INTO disks VALUES(1, 'disk');";

/* The columns that are wanted; the first eight are there in any case. */
static const char *const wanted[] = { "arrival_ms", "start_ms", "finish_ms",
	"op", "lbn", "overhead_ms", "seek_ms", "rotation_ms", "transfer_ms",
	"cylinder" };
#define NWANTED (sizeof(wanted) / sizeof(wanted[0]))

static const char insert_sql[] =
    "INSERT INTO io(queued, start, finish, kind, lbn, overhead, seek,"
    " rotation, transfer, cylinder, disk) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
    " ?8, ?9, ?10, 1)";

struct csv {
	struct report_db *db;
	FILE *f;
	unsigned line;
	int at[NWANTED]; /* field of each wanted column, -1: not there */
	char buf[4096];
};

static bool
next_line(struct csv *c)
{
	if (fgets(c->buf, sizeof(c->buf), c->f) == NULL)
		return (false);
	c->line++;
	c->buf[strcspn(c->buf, "\r\n")] = '\0';
	return (true);
}

/* The n-th field of the line, copied out; "" when there is none. */
static void
field(const struct csv *c, int n, char *out, size_t size)
{
	const char *p = c->buf;

	for (; n > 0 && *p != '\0'; p++)
		n -= *p == ',';
	snprintf(out, size, "%.*s", n == 0 ? (int)strcspn(p, ",") : 0, p);
}

static int
read_header(struct csv *c, struct sim_err *err)
{
	char name[64];

	if (!next_line(c))
		return (sim_err_set(err, EILSEQ, "%s: the file is empty",
		    c->db->name));
	for (size_t k = 0; k < NWANTED; k++) {
		c->at[k] = -1;
		for (int i = 0; i < 64; i++) {
			field(c, i, name, sizeof(name));
			if (strcmp(name, wanted[k]) == 0)
				c->at[k] = i;
		}
		if (c->at[k] < 0 && k < 9)
			return (sim_err_set(err, EILSEQ, "%s:1: there is no "
			    "column '%s'; such a file comes from 'vmsim disk "
			    "replay -o FILE.csv'", c->db->name, wanted[k]));
	}
	return (0);
}

static int
bind_line(struct csv *c, sqlite3_stmt *st, struct sim_err *err)
{
	char text[64], *end;
	double v;

	for (size_t k = 0; k < NWANTED; k++) {
		field(c, c->at[k], text, sizeof(text));
		if (k == 3) {
			sqlite3_bind_int(st, 4, text[0] == 'R' ? 1 :
			    text[0] == 'W' ? 2 : 3);
			continue;
		}
		v = strtod(text, &end);
		if (c->at[k] >= 0 && (end == text || *end != '\0' ||
		    !(v >= 0 && v < 1e15)))
			return (sim_err_set(err, EILSEQ, "%s:%u: %s '%s' is "
			    "not a number", c->db->name, c->line, wanted[k],
			    text));
		if (k == 4 || k == 9)
			sqlite3_bind_int64(st, (int)k + 1, (sqlite3_int64)v);
		else
			sqlite3_bind_int64(st, (int)k + 1,
			    (sqlite3_int64)(v * 1e6 + 0.5));
	}
	return (0);
}

static int
read_lines(struct csv *c, struct sim_err *err)
{
	sqlite3_stmt *st;
	int error, rc = SQLITE_DONE;

	error = report_db_prepare(c->db, insert_sql, &st, err);
	if (error != 0)
		return (error);
	while (error == 0 && rc == SQLITE_DONE && next_line(c)) {
		error = bind_line(c, st, err);
		if (error == 0)
			rc = sqlite3_step(st);
		sqlite3_reset(st);
	}
	if (error == 0)
		error = report_db_done(c->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static int
fill(struct csv *c, struct sim_err *err)
{
	struct report_db *db = c->db;
	int error;

	if (sqlite3_open(":memory:", &db->conn) != SQLITE_OK ||
	    sqlite3_exec(db->conn, tables_sql, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db->conn, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	error = read_header(c, err);
	if (error == 0)
		error = read_lines(c, err);
	if (error == 0)
		error = report_db_number(db, "SELECT max(finish) / 1e9 FROM io",
		    &db->end, NULL, err);
	if (error == 0 && db->end <= 0)
		error = sim_err_set(err, ENODATA, "%s: no requests", db->name);
	return (error);
}

int
report_csv_open(const char *name, struct report_db *db, struct sim_err *err)
{
	struct csv *c = calloc(1, sizeof(*c));
	int error;

	memset(db, 0, sizeof(*db));
	if (c == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	db->name = name;
	db->hz = NS_PER_S;
	db->complete = true;
	snprintf(db->program, sizeof(db->program), "%s", name);
	c->db = db;
	c->f = fopen(name, "re");
	if (c->f == NULL)
		error = sim_err_set(err, errno, "%s: cannot read the list: %s",
		    name, strerror(errno));
	else
		error = fill(c, err);
	if (c->f != NULL)
		fclose(c->f);
	free(c);
	if (error != 0)
		report_db_close(db);
	return (error);
}
