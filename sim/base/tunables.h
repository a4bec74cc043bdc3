/*
 * One table of tunables. Each module declares rows (name, unit, type, range,
 * default, source, help) over fields of its own structures and registers
 * them; the command line, JSON configuration, documentation and the run
 * database read the same rows.
 */
#ifndef VMSIM_SIM_BASE_TUNABLES_H
#define VMSIM_SIM_BASE_TUNABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/sim.h"

enum tun_type { TUN_INT, TUN_UINT, TUN_U64, TUN_BOOL, TUN_SIZE, TUN_STRING };

enum tun_flags {
	TUN_RD = 1, /* read-only: a derived value or a counter */
	TUN_BOOT = 2, /* settable only before the run starts */
	TUN_AUTO = 4, /* 0 (or -1) means: computed at boot, see help */
};

/*
 * TUN_INT and TUN_BOOL sit on int32_t, TUN_UINT on uint32_t, TUN_U64 and
 * TUN_SIZE (accepts K/M/G/T suffixes, powers of 1024) on uint64_t, TUN_STRING
 * on char[TUN_STRING_MAX].
 */
#define TUN_STRING_MAX 128

struct tunable {
	const char *name; /* sysctl name: "vm.max_launder" */
	enum tun_type type;
	uint32_t flags;
	size_t offset; /* in the object given at registration */
	int64_t def; /* default; for strings see def_str */
	int64_t min, max;
	const char *unit; /* "pages", "ticks", "cycles", "" */
	const char *source; /* "FreeBSD 11 vm_pageout.c, SYSCTL_INT" */
	const char *help;
	const char *def_str;
	/* Called after a change at run time, may be NULL. */
	void (*changed)(void *object, const struct tunable *t);
	/* TUN_STRING: the values it may have, NULL at the end; NULL: any. */
	const char *const *choices;
};

struct tunables;

struct tunables *tunables_create(void);
void tunables_destroy(struct tunables *ts);
/* Adds rows and writes their defaults into object. Names must be new. */
int tunables_register(struct tunables *ts, const struct tunable *rows,
    size_t count, void *object);
/*
 * Sets from text. -ENOENT (message names the nearest), -EINVAL, -ERANGE,
 * -EPERM (read-only, or TUN_BOOT after tunables_seal).
 */
int tunables_set(struct tunables *ts, const char *name, const char *value,
    struct sim_err *err);
/* Would tunables_set accept it during the run? Changes nothing. */
int tunables_check(const struct tunables *ts, const char *name,
    const char *value, struct sim_err *err);
/* After this, rows with TUN_BOOT refuse to change. */
void tunables_seal(struct tunables *ts);
/* Formats the present value; -ENOENT. */
int tunables_get(const struct tunables *ts, const char *name, char *buf,
    size_t size, struct sim_err *err);
/* Was it set by the user (rather than left at its default)? */
bool tunables_is_set(const struct tunables *ts, const char *name);
/* Rows in order of name; NULL past the end. */
const struct tunable *tunables_row(const struct tunables *ts, size_t i);
/* The nearest registered name by edit distance, NULL when nothing is near. */
const char *tunables_nearest(const struct tunables *ts, const char *name);
/* Edit-distance helper for other lists of names ("did you mean ...?"). */
const char *nearest_name(const char *name, const char *const *names,
    size_t count);
/* "64", "64K", "1.5G" -> bytes; -EINVAL, -ERANGE. */
int parse_size(const char *text, uint64_t *bytes);

#endif
