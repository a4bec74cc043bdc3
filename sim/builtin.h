/*
 * builtin.h: files of workloads/ as text; the tables are made at build
 * (cmake/workloads.cmake), in order of name.
 */
#ifndef VMSIM_SIM_BUILTIN_H
#define VMSIM_SIM_BUILTIN_H

#include <stddef.h>

struct builtin_file {
	const char *name; /* without ".json"; NULL at the end */
	const char *text;
	size_t size;
};

extern const struct builtin_file machine_builtins[]; /* workloads/machines */
extern const struct builtin_file scenario_builtins[]; /* .../scenarios */

#endif
