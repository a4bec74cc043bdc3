/*
 * reports.h: plots of run databases. This folder reads databases and drives
 * gnuplot; it knows nothing of the simulator's memory.
 */
#ifndef VMSIM_REPORTS_REPORTS_H
#define VMSIM_REPORTS_REPORTS_H

#include <stddef.h>

#include "sim/base/sim.h"

struct report_plot {
	const char *kind; /* "queues", "faults", "processes", "disk", "times" */
	const char *db; /* a run database; "disk": or a list of requests */
	const char *const *more; /* "times": other runs to compare with */
	uint32_t nmore;
	const char *output; /* .png, .svg or .pdf; replaced when done */
	const char *title; /* NULL: made from the database */
	double from, to; /* simulated seconds; to 0: the end */
	uint32_t width, height; /* 1/100 inch; 0: 800 x 500 */
};

/*
 * report_plot: draws. *note (may be NULL) gets a remark for the user, such as
 * "the run is incomplete", or "".
 * Errors: -EINVAL unknown kind or suffix, -ENOENT no such database, -EILSEQ
 * not a vmsim database, -ENODATA nothing to draw, -ENOEXEC no gnuplot,
 * -EACCES, -ENOSPC for the output, -EIO.
 */
int report_plot(const struct report_plot *rp, char *note, size_t note_size,
    struct sim_err *err);
/* Kinds with a line of help each; NULL past the end. */
const char *report_plot_kind(size_t i);
const char *report_plot_help(size_t i);

#endif
