/*
 * rundb_file.c: the database as a file: made under a temporary name, put in
 * its place by rename once the schema is committed, locked while a run writes
 * it, removed when a run fails.
 *
 * A rollback journal with synchronous=OFF is safe against the death of the
 * process at any moment (the journal is in the host's page cache before the
 * database changes); only a crash of the host itself can hurt a run that is
 * in progress. Rows are appended, so the journal holds a few pages a commit.
 * Page size, encoding and the rest of the header are pinned: equal rows make
 * an equal file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/rundb_int.h"

#define SQLITE_NEEDED 3032000 /* for iif() */
#define BUSY_MS 600000 /* a reader may hold up a commit that long */

/* ------------------------------------------------------------ SQL helpers */

/* errno that tells the user what a result code of SQLite means. */
static int
sql_errno(sqlite3 *conn)
{
	switch (sqlite3_errcode(conn)) {
	case SQLITE_FULL: return (ENOSPC);
	case SQLITE_NOMEM: return (ENOMEM);
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return (EBUSY);
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN: return (EACCES);
	default: return (EIO);
	}
}

/* What the host said of the last failed write to the database or its
 * journal; SQLite itself reports a size limit as an I/O error only. */
static int
host_errno(sqlite3 *conn)
{
	sqlite3_file *journal = NULL;
	int e = 0;

	sqlite3_file_control(conn, NULL, SQLITE_FCNTL_LAST_ERRNO, &e);
	if (e != 0)
		return (e);
	if (sqlite3_file_control(conn, NULL, SQLITE_FCNTL_JOURNAL_POINTER,
	    &journal) == SQLITE_OK && journal != NULL &&
	    journal->pMethods != NULL)
		journal->pMethods->xFileControl(journal,
		    SQLITE_FCNTL_LAST_ERRNO, &e);
	return (e);
}

int
rundb_sql_error(struct rundb *db, const char *what, struct sim_err *err)
{
	int errnum = sql_errno(db->conn), os = host_errno(db->conn);

	if (errnum == EIO && (os == ENOSPC || os == EDQUOT || os == EFBIG))
		errnum = ENOSPC;
	if (errnum == ENOSPC)
		return (sim_err_set(err, ENOSPC, "%s: the disk is full (or a "
		    "size limit is reached); no database is left; free some "
		    "space, log less with --log, or use --no-db",
		    db->path));
	return (sim_err_set(err, errnum, "%s: writing the database failed: %s"
	    "%s%s (%.40s)", db->path, sqlite3_errmsg(db->conn),
	    errnum == EIO && os != 0 ? ": " : "",
	    errnum == EIO && os != 0 ? strerror(os) : "", what));
}

int
rundb_exec(struct rundb *db, const char *sql, struct sim_err *err)
{
	if (sqlite3_exec(db->conn, sql, NULL, NULL, NULL) != SQLITE_OK)
		return (rundb_sql_error(db, sql, err));
	return (0);
}

int
rundb_row(struct rundb *db, struct sim_err *err, const char *sql,
    const char *fmt, ...)
{
	sqlite3_stmt *st;
	va_list ap;
	int error = 0;

	if (sqlite3_prepare_v2(db->conn, sql, -1, &st, NULL) != SQLITE_OK)
		return (rundb_sql_error(db, sql, err));
	va_start(ap, fmt);
	for (int i = 0; fmt[i] != '\0'; i++) {
		if (fmt[i] == 'i')
			sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
		else
			sqlite3_bind_text(st, i + 1, va_arg(ap, const char *),
			    -1, SQLITE_TRANSIENT);
	}
	va_end(ap);
	if (sqlite3_step(st) != SQLITE_DONE)
		error = rundb_sql_error(db, sql, err);
	sqlite3_finalize(st);
	return (error);
}

/* ------------------------------------------------------------ names */

/* Absolute, links followed: what rename must replace and what stays right
 * whatever becomes of the working directory. */
static int
resolve(const char *path, char *out, size_t size, struct sim_err *err)
{
	char dir[PATH_MAX], real[PATH_MAX];
	const char *base;
	int n;

	if (path[0] == '\0')
		return (sim_err_set(err, EINVAL, "--db: the name is empty"));
	if (realpath(path, real) != NULL) {
		n = snprintf(out, size, "%s", real);
	} else {
		base = strrchr(path, '/');
		n = snprintf(dir, sizeof(dir), "%.*s",
		    base == NULL ? 1 : (int)(base - path) + 1,
		    base == NULL ? "." : path);
		base = base == NULL ? path : base + 1;
		if (n >= (int)sizeof(dir))
			return (sim_err_set(err, ENAMETOOLONG,
			    "%s: the name is too long", path));
		if (realpath(dir, real) == NULL) /* no place for an output */
			return (sim_err_set(err, errno == ENOENT ? ENOTDIR :
			    errno, "%s: cannot create the database: %s; choose "
			    "another place with --db", path, strerror(errno)));
		if (base[0] == '\0')
			return (sim_err_set(err, EISDIR,
			    "%s: this is no file name; give one with --db",
			    path));
		n = snprintf(out, size, "%s/%s",
		    strcmp(real, "/") == 0 ? "" : real, base);
	}
	if (n >= (int)size)
		return (sim_err_set(err, ENAMETOOLONG,
		    "%s: the name is too long", path));
	return (0);
}

bool
rundb_is_ours(int fd)
{
	unsigned char head[72];

	return (pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	    memcmp(head, "SQLite format 3", 16) == 0 &&
	    memcmp(head + 68, "vms1", 4) == 0);
}

/* Is it one of ours (or empty)? Locks it, so that no other run writes it. */
static int
check_old(const char *path, int *fd_out, struct sim_err *err)
{
	struct stat st;
	int fd;

	*fd_out = -1;
	if (stat(path, &st) != 0)
		return (0); /* nothing there: mkstemp tells the rest */
	if (!S_ISREG(st.st_mode))
		return (sim_err_set(err, EINVAL, "%s: %s; choose another name "
		    "with --db", path, S_ISDIR(st.st_mode) ?
		    "this is a directory" : "this is not a regular file"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return (sim_err_set(err, errno, "%s: cannot replace the "
		    "database: %s; choose another name with --db", path,
		    strerror(errno)));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return (sim_err_set(err, EBUSY, "%s: another vmsim run is "
		    "writing this database; choose another name with --db",
		    path));
	}
	if ((fstat(fd, &st) != 0 || st.st_size != 0) && !rundb_is_ours(fd)) {
		close(fd);
		return (sim_err_set(err, EEXIST, "%s: this file exists and is "
		    "not a vmsim database; remove it or choose another name "
		    "with --db", path));
	}
	*fd_out = fd;
	return (0);
}

/*
 * A killed run may have left a journal. Left there it would be applied to the
 * new database, so let SQLite finish the old one first.
 */
static void
settle_old(const char *path)
{
	static const char *const suffix[] = { "-journal", "-wal", "-shm" };
	char name[PATH_MAX + RUNDB_SUFFIX];
	sqlite3 *conn;

	snprintf(name, sizeof(name), "%s-journal", path);
	if (access(name, F_OK) == 0) {
		if (sqlite3_open_v2(path, &conn, SQLITE_OPEN_READWRITE,
		    NULL) == SQLITE_OK)
			sqlite3_exec(conn, "SELECT count(*) FROM sqlite_schema",
			    NULL, NULL, NULL);
		sqlite3_close(conn);
	}
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffix[i]);
		unlink(name);
	}
}

/* ------------------------------------------------------------ creation */

static int
open_conn(struct rundb *db, const char *name, struct sim_err *err)
{
	char pragmas[512];
	int rc;

	rc = sqlite3_open_v2(name, &db->conn, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return (db->conn == NULL ? sim_err_set(err, ENOMEM,
		    "%s: out of memory", db->path) :
		    rundb_sql_error(db, "open", err));
	sqlite3_busy_timeout(db->conn, BUSY_MS);
	snprintf(pragmas, sizeof(pragmas),
	    "PRAGMA page_size = %d; PRAGMA encoding = 'UTF-8';"
	    "PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = TRUNCATE;"
	    "PRAGMA synchronous = OFF; PRAGMA cache_spill = OFF;"
	    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    RUNDB_PAGE_SIZE, RUNDB_APPLICATION_ID, RUNDB_SCHEMA_VERSION);
	return (rundb_exec(db, pragmas, err));
}

/* Without leaving the journal's empty file. */
static void
close_conn(struct rundb *db)
{
	if (db->conn != NULL)
		sqlite3_exec(db->conn, "PRAGMA journal_mode = DELETE", NULL,
		    NULL, NULL);
	sqlite3_close(db->conn);
	db->conn = NULL;
}

/* The schema, committed, under a temporary name. */
static int
make_new(struct rundb *db, char *temp, struct sim_err *err)
{
	mode_t mask;
	int error;

	db->lock_fd = mkostemp(temp, O_CLOEXEC);
	if (db->lock_fd < 0) {
		temp[0] = '\0';
		return (sim_err_set(err, errno, "%s: cannot create the "
		    "database: %s; choose another place with --db", db->path,
		    strerror(errno)));
	}
	mask = umask(0);
	umask(mask);
	fchmod(db->lock_fd, 0666 & ~mask);
	flock(db->lock_fd, LOCK_EX | LOCK_NB);
	error = open_conn(db, temp, err);
	if (error == 0)
		error = rundb_schema_create(db, err);
	close_conn(db);
	return (error);
}

static void
unlink_with_journal(const char *path)
{
	char name[PATH_MAX + 2 * RUNDB_SUFFIX];

	snprintf(name, sizeof(name), "%s-journal", path);
	unlink(name);
	unlink(path);
}

int
rundb_file_create(struct rundb *db, const char *path, struct sim_err *err)
{
	char temp[PATH_MAX + RUNDB_SUFFIX];
	int error, old = -1;

	error = resolve(path, db->path, sizeof(db->path), err);
	if (error != 0)
		return (error);
	error = check_old(db->path, &old, err);
	if (error != 0)
		return (error);
	snprintf(temp, sizeof(temp), "%s.XXXXXX", db->path);
	error = make_new(db, temp, err);
	if (error == 0) {
		settle_old(db->path);
		if (rename(temp, db->path) != 0)
			error = sim_err_set(err, errno, "%s: cannot create "
			    "the database: %s", db->path, strerror(errno));
	}
	if (old >= 0)
		close(old);
	if (error == 0) {
		temp[0] = '\0';
		error = open_conn(db, db->path, err);
		if (error != 0)
			rundb_file_remove(db);
	}
	if (error != 0 && temp[0] != '\0')
		unlink_with_journal(temp);
	if (error != 0 && db->lock_fd >= 0) {
		close(db->lock_fd);
		db->lock_fd = -1;
	}
	return (error);
}

/* ------------------------------------------------------------ the end */

/*
 * SQLite writes the number of its own version into the header (bytes 96 to
 * 99, for people to read). Another version of it is another host: what stands
 * there is the first version that understands the schema's views.
 */
static void
pin_version(struct rundb *db)
{
	const unsigned char number[4] = { SQLITE_NEEDED >> 24 & 0xff,
		SQLITE_NEEDED >> 16 & 0xff, SQLITE_NEEDED >> 8 & 0xff,
		SQLITE_NEEDED & 0xff };
	ssize_t n;

	do
		n = pwrite(db->lock_fd, number, sizeof(number), 96);
	while (n < 0 && errno == EINTR);
}

void
rundb_file_close(struct rundb *db)
{
	close_conn(db);
	if (db->lock_fd >= 0)
		pin_version(db);
	/* after SQLite: closing any descriptor drops its POSIX locks */
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	db->lock_fd = -1;
}

void
rundb_file_remove(struct rundb *db)
{
	if (db->conn != NULL && !sqlite3_get_autocommit(db->conn))
		sqlite3_exec(db->conn, "ROLLBACK", NULL, NULL, NULL);
	rundb_file_close(db);
	unlink_with_journal(db->path);
}
