/*
 * disk_json_int.h: reading checked values from a parameter file; shared by
 * the readers of the disk families. After the first fault (r->error) every
 * further call is harmless and gives a default.
 */
#ifndef VMSIM_SIM_DISK_JSON_INT_H
#define VMSIM_SIM_DISK_JSON_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "disk_model/params.h"
#include "sim/base/sim.h"

#define RD_MAXSECTORS (UINT64_C(1) << 38) /* 128 TiB */

struct rd {
	const char *file, *text;
	size_t size;
	cJSON *root;
	struct sim_err *err;
	int error;
	/* Changes of the file, "key.key=value"; bit i of `seen`: set[i]'s key
	 * is one that the model reads. */
	const char *const *set;
	size_t nset;
	uint64_t seen;
};

int rd_fail(struct rd *r, const cJSON *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const cJSON *rd_item(struct rd *r, const cJSON *obj, const char *key);
const cJSON *rd_object(struct rd *r, const cJSON *obj, const char *key);
double rd_number(struct rd *r, const cJSON *item, const char *what, double min,
    double max);
uint64_t rd_integer(struct rd *r, const cJSON *item, const char *what,
    uint64_t min, uint64_t max);
uint64_t rd_uint(struct rd *r, const cJSON *obj, const char *key, uint64_t min,
    uint64_t max, uint64_t def);
uint64_t rd_uint_must(struct rd *r, const cJSON *obj, const char *key,
    uint64_t min, uint64_t max);
bool rd_bool(struct rd *r, const cJSON *obj, const char *key, bool def);
const char *rd_string(struct rd *r, const cJSON *obj, const char *key,
    const char *def);
/* A number in units of unit_ps picoseconds. */
uint64_t rd_to_ps(struct rd *r, const cJSON *item, const char *what,
    double unit_ps);
/* Key `base` with one of the endings _ms, _us, _ns, _ps. */
uint64_t rd_time(struct rd *r, const cJSON *obj, const char *base,
    uint64_t def);
void rd_keys(struct rd *r, const cJSON *obj, const char *const *known);

void rd_hdd(struct rd *r, const cJSON *o, struct disk_params *p);
void rd_ssd(struct rd *r, const cJSON *o, struct disk_params *p);

#endif
