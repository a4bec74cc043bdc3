/*
 * reports_int.h: shared by the files of reports/.
 */
#ifndef VMSIM_REPORTS_REPORTS_INT_H
#define VMSIM_REPORTS_REPORTS_INT_H

#include <sqlite3.h>
#include <stdio.h>

#include "reports/reports.h"

/* One opened run database. */
struct report_db {
	sqlite3 *conn;
	const char *name; /* as the user wrote it */
	double hz; /* cycles per simulated second */
	double end; /* last simulated second that is known */
	bool complete;
	char ended[32]; /* "exited", "interrupted", "running or killed" */
	char program[256]; /* arguments of the first process, shortened */
	double mem_bytes;
};

int report_db_open(const char *name, struct report_db *db,
    struct sim_err *err);
void report_db_close(struct report_db *db);
/* One number; NULL and no row are 0. *found (may be NULL): was there one? */
int report_db_number(struct report_db *db, const char *sql, double *out,
    bool *found, struct sim_err *err);
/* A statement, or -EIO with err. */
int report_db_prepare(struct report_db *db, const char *sql,
    sqlite3_stmt **out, struct sim_err *err);
/* The error of a step that did not end in SQLITE_DONE; else 0. */
int report_db_done(struct report_db *db, int rc, struct sim_err *err);
bool report_db_has_column(struct report_db *db, const char *table,
    const char *column);

/* What one kind of plot gets: the database, the range in seconds, and the
 * stream for the script. */
struct plot {
	const struct report_plot *rp;
	struct report_db *db;
	double from, to;
	FILE *script;
};
/* A rounded step of 1, 2 or 5 times a power of ten, at least span / most. */
double plot_step(double span, int most);
/* `text` as a string of gnuplot's language, whatever is in it. */
void plot_put_string(FILE *f, const char *text);

int plot_queues(struct plot *p, struct sim_err *err);
int plot_faults(struct plot *p, struct sim_err *err);
int plot_processes(struct plot *p, struct sim_err *err);
uint32_t plot_processes_height(struct plot *p);
int plot_disk(struct plot *p, struct sim_err *err);
int plot_times(struct plot *p, struct sim_err *err);

/* The output of `vmsim disk replay`, as a database of its own kind: io,
 * io_kind and disks are all it has. */
int report_csv_open(const char *name, struct report_db *db,
    struct sim_err *err);

/*
 * gnuplot_run: feed a script to gnuplot and put what it writes on its
 * standard output into `output`, through a temporary name.
 */
int gnuplot_run(const char *script, size_t length, const char *output,
    struct sim_err *err);

/* Colours that people with any common colour blindness tell apart (Okabe and
 * Ito 2008). */
#define COLOUR_ORANGE "#E69F00"
#define COLOUR_SKY "#56B4E9"
#define COLOUR_GREEN "#009E73"
#define COLOUR_YELLOW "#F0E442"
#define COLOUR_BLUE "#0072B2"
#define COLOUR_VERMILION "#D55E00"
#define COLOUR_PURPLE "#CC79A7"
#define COLOUR_GREY "#8C8C8C"
#define COLOUR_PALE "#DDDDDD"
#define COLOUR_DARK "#404040"

#endif
