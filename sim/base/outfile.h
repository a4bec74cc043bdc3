/*
 * outfile.h: output files that appear whole or not at all.
 */
#ifndef VMSIM_SIM_BASE_OUTFILE_H
#define VMSIM_SIM_BASE_OUTFILE_H

#include <stdio.h>

struct sim_err;

struct outfile {
	FILE *f; /* write here; fileno() is close-on-exec */
	const char *path, *option; /* the caller's */
	char temp[4096];
};

/*
 * Begin to write path under another name beside it. option is what the user
 * changes to name another file ("--output"). 0; -EEXIST when path is there
 * and no regular file; -EINVAL when it is too long; -errno of the system, but
 * -ENOTDIR for a missing directory (-ENOENT would be a missing input).
 */
int outfile_open(struct outfile *o, const char *path, const char *option,
    struct sim_err *err);
/* Give it its name: 0 or -errno, and then nothing is left. */
int outfile_commit(struct outfile *o, struct sim_err *err);
/* Leave nothing. */
void outfile_abort(struct outfile *o);

#endif
