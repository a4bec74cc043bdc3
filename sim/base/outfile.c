/*
 * outfile.c: output files that appear whole or not at all.
 *
 * Interface: outfile.h.
 * Source:    our own.
 */
#include "sim/base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/base/sim_int.h"

static int
cannot(const struct outfile *o, int errnum, struct sim_err *err)
{
	return (sim_err_set(err, errnum == ENOENT ? ENOTDIR : errnum,
	    "%s: cannot write this file: %s; choose another place with %s",
	    o->path, strerror(errnum), o->option));
}

/* mkostemp made it for the owner alone: give it what open would have. */
static void
usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	fchmod(fd, 0666 & ~mask);
}

int
outfile_open(struct outfile *o, const char *path, const char *option,
    struct sim_err *err)
{
	struct stat st;
	int fd, n;

	o->f = NULL;
	o->path = path;
	o->option = option;
	/* renaming over /dev/null would put a file in the device's place */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return (sim_err_set(err, EEXIST, "%s: %s; choose another name "
		    "with %s", path, S_ISDIR(st.st_mode) ?
		    "this is a directory" : "this is not a regular file",
		    option));
	n = snprintf(o->temp, sizeof(o->temp), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(o->temp))
		return (sim_err_set(err, EINVAL, "%.60s...: the name is too "
		    "long; choose another with %s", path, option));
	fd = mkostemp(o->temp, O_CLOEXEC);
	if (fd < 0)
		return (cannot(o, errno, err));
	usual_mode(fd);
	o->f = fdopen(fd, "w");
	if (o->f != NULL)
		return (0);
	n = errno;
	close(fd);
	unlink(o->temp);
	return (cannot(o, n, err));
}

void
outfile_abort(struct outfile *o)
{
	if (o->f == NULL)
		return;
	fclose(o->f);
	o->f = NULL;
	unlink(o->temp);
}

int
outfile_commit(struct outfile *o, struct sim_err *err)
{
	int errnum = 0;

	if (fflush(o->f) != 0 || ferror(o->f))
		errnum = errno != 0 ? errno : EIO;
	if (fclose(o->f) != 0 && errnum == 0)
		errnum = errno;
	o->f = NULL;
	if (errnum == 0 && rename(o->temp, o->path) != 0)
		errnum = errno;
	if (errnum == 0)
		return (0);
	unlink(o->temp);
	return (cannot(o, errnum, err));
}
