/*
 * config_int.h: what the readers of JSON configurations share: the text of a
 * document, tables of keys, and messages that say where.
 */
#ifndef VMSIM_SIM_CONFIG_INT_H
#define VMSIM_SIM_CONFIG_INT_H

#include <cjson/cJSON.h>

#include "sim/config.h"

#define EXACT_DOUBLE 9007199254740992.0 /* 2^53: integers that JSON keeps */

/* What is being read, for messages: "machine.json" or "--mem". */
struct cf_source {
	const char *name;
	bool is_file;
	struct machine_config *mc;
	struct sim_err *err;
	void *base; /* whose fields are being set; NULL: mc's */
};

struct cf_key;
typedef int cf_set_fn(struct cf_source *s, const struct cf_key *k,
    const cJSON *v, const char *path);

/* A key of an object: `set` checks a value and stores it in a field of the
 * source's base. min and max are of numbers, or lengths of strings, lists. */
struct cf_key {
	const char *name;
	cf_set_fn *set;
	size_t offset, size; /* of the field */
	uint64_t min, max;
	const char *help;
};

/* config_fields.c */
cf_set_fn cf_set_uint, /* uint32_t or uint64_t */
    cf_set_size, cf_set_hz, cf_set_time /* ns */, cf_set_text /* char[] */,
    cf_set_line /* char[], without control characters */,
    cf_set_strings /* char ** */;
cf_set_fn cf_set_processes /* scenario.c */,
    cf_set_disks /* config_disks.c */;

/* config_text.c: a document that is an object without a key given twice, or
 * -errnum with line and column, or path; *root, NULL then, is the caller's. */
int cf_read_text(struct cf_source *s, const char *text, size_t length,
    cJSON **root);

/* Every key of an object by the table that knows them. */
int cf_apply(struct cf_source *s, const struct cf_key *table, size_t n,
    const cJSON *object, const char *path);
/* A list of at most k->max elements, each by `one`. */
int cf_set_parts(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path,
    int (*one)(struct cf_source *s, const cJSON *v, const char *path));
/* One more element, zeroed, at the end of a list; NULL: said. */
void *cf_grow(struct cf_source *s, void **list, uint32_t *n, size_t size);
void *cf_field(const struct cf_source *s, const struct cf_key *k);
/* -errnum, with "FILE: PATH: text" or "OPTION: text". */
int cf_fail(struct cf_source *s, int errnum, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int cf_fail_type(struct cf_source *s, const char *path, const char *wanted,
    const cJSON *v);
/* JSON path of a part; a very long one is cut. */
void cf_child(char *buf, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A key as it may be printed: short, and without control characters. */
void cf_printable(const char *in, char *out, size_t size);
/* "; did you mean 'x'?" or "". */
const char *cf_hint(const char *name, const char *const *names, size_t count,
    char *buf, size_t size);

#endif
