/*
 * requests.h: lists of disk requests as CSV, with or without answers.
 *
 * The first line names the columns, in any order: `arrival_ms` (absolute) or
 * `think_ms` (after the completion of the request before), `op` (R, W, F for
 * flush, T for trim), `lbn`, `blocks`; `ordered` (0 or 1) if wanted. Other
 * columns are kept as numbers by name: answers to compare with.
 */
#ifndef VMSIM_SIM_REQUESTS_H
#define VMSIM_SIM_REQUESTS_H

#include <stdio.h>

#include "disk_model/engine.h"

#define REQUESTS_MAXCOLUMNS 64

struct request_list {
	struct disk_io *io; /* op, lbn, blocks, ordered, arrival (ps) */
	uint64_t *think; /* ps; NULL when arrivals are absolute */
	size_t count;
	/* other columns with a number in every line */
	char *column[REQUESTS_MAXCOLUMNS];
	double *value[REQUESTS_MAXCOLUMNS];
	size_t ncolumns;
};

/*
 * requests_parse: text need not end in a NUL. sectors: of the disk; 0: do not
 * check. Errors: -EINVAL with file, line and reason; -ENOMEM.
 */
int requests_parse(const char *file, const char *text, size_t size,
    uint64_t sectors, struct request_list *out, struct sim_err *err);
/* From a file, "-" for standard input. */
int requests_load(const char *path, uint64_t sectors,
    struct request_list *out, struct sim_err *err);
void requests_free(struct request_list *l);
/* The numbers of a column, NULL when there is no such column. */
const double *requests_column(const struct request_list *l, const char *name);

/*
 * A table of numbers alone (for `disk score`): every column that holds
 * numbers. io stays NULL.
 */
int table_load(const char *path, struct request_list *out,
    struct sim_err *err);
int table_parse(const char *file, const char *text, size_t size,
    struct request_list *out, struct sim_err *err);

#endif
