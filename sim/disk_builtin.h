/*
 * disk_builtin.h: the parameter files of disk_model/params as text; the
 * table is made at build (cmake/disk_models.cmake), in order of name.
 */
#ifndef VMSIM_SIM_DISK_BUILTIN_H
#define VMSIM_SIM_DISK_BUILTIN_H

#include <stddef.h>

struct disk_builtin {
	const char *name; /* NULL at the end */
	const char *json;
	size_t size;
};

extern const struct disk_builtin disk_builtins[];

#endif
