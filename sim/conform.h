/*
 * conform.h: replaying conformance vectors. `vmsim conform` reads JSON Lines,
 * one scenario a line, and hands each to the first driver that accepts it;
 * the driver performs it with vmcore's own functions and reports an outcome
 * for each step. What the steps mean is the business of the README beside
 * the vectors.
 *
 * To add a suite: write sim/conform_NAME.c with one struct conform_driver and
 * list it in conform_drivers[] (conform.c).
 */
#ifndef VMSIM_SIM_CONFORM_H
#define VMSIM_SIM_CONFORM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "sim/base/sim.h"

enum { CONFORM_PASS = 0, CONFORM_FAIL = 1 };

/* One scenario being replayed. */
struct conform_run {
	cJSON *scenario; /* the driver may change it; see emit */
	const char *id; /* "id" of the scenario */
	const char *file; /* where it came from, for messages */
	uint64_t line;
	/*
	 * --emit: nothing is compared. The driver puts its own results into
	 * the scenario, where the format has the expected ones.
	 */
	bool emit;
	/*
	 * -1, or the index of a step: print the state before it to `out` and
	 * return CONFORM_PASS. Used after a mismatch, on a fresh replay.
	 */
	int64_t dump_at;
	FILE *out;
	struct sim_err *err; /* why the scenario is malformed */
	char where[96]; /* prefix of such messages: "op 3 (free)" */
	/* conform.c's */
	uint64_t steps;
	int64_t bad_step; /* -1: no mismatch yet */
	bool quiet; /* say nothing of the mismatch */
};

struct conform_driver {
	const char *name; /* "bsd5" */
	/* Is this one of its scenarios? (An object with a string "suite".) */
	bool (*accepts)(const cJSON *scenario);
	/*
	 * Perform the scenario. CONFORM_PASS, CONFORM_FAIL (conform_step
	 * returned false), or -EINVAL or -ENOMEM with run->err filled.
	 * Must leave nothing behind in any of these cases.
	 */
	int (*replay)(struct conform_run *run);
};

extern const struct conform_driver conform_bsd5; /* conform_bsd5.c */
extern const struct conform_driver conform_bsd11; /* conform_bsd11.c */

/*
 * conform_step: the outcome of step `index`. op: shown on a mismatch.
 * expected may be NULL only when run->emit; both stay the caller's. False:
 * they differ (already printed); stop and return CONFORM_FAIL.
 */
bool conform_step(struct conform_run *run, int64_t index, const cJSON *op,
    const cJSON *expected, const cJSON *actual);
/* Fail without a comparison; returns CONFORM_FAIL. */
int conform_fail(struct conform_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The scenario on one line of text and the driver that accepts it. NULL with
 * err filled; cJSON_Delete it.
 */
cJSON *conform_parse(const char *line, size_t length,
    const struct conform_driver **driver, struct sim_err *err);

/* ---- reading arguments; all return 0 or -EINVAL with run->err filled,
 *	naming run->where, the member and what would be right */

int conform_bad(struct conform_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void conform_one_line(struct sim_err *err);
/* An integer in [min, max]. Absent: *value stays, unless required. */
int conform_int(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int64_t min, int64_t max, int64_t *value);
/* A string such as "0xc0001000". */
int conform_addr(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, uint64_t *value);
int conform_addr_item(struct conform_run *run, const cJSON *item,
    const char *name, uint64_t *value);
/* NULL with *error 0 when absent and not required. */
const char *conform_string(struct conform_run *run, const cJSON *obj,
    const char *name, bool required, int *error);
cJSON *conform_array(struct conform_run *run, const cJSON *obj,
    const char *name, bool required, int *error);
cJSON *conform_object(struct conform_run *run, const cJSON *obj,
    const char *name, bool required, int *error);

/* ---- JSON helpers */

/* Same type and value; objects have the same members in any order. */
bool conform_equal(const cJSON *a, const cJSON *b);
/* One line, no blanks; integers without exponent. */
void conform_print(FILE *out, const cJSON *item);
/* The same as a string; free() it. NULL: no memory. */
char *conform_text(const cJSON *item);

/* ---- reading lines, plain or zstd-compressed (conform_read.c) */

struct conform_reader;
/* "-" is standard input. NULL with err filled (path and reason). */
struct conform_reader *conform_open(const char *path, struct sim_err *err);
/*
 * The next line without its end, NUL-terminated, valid until the next call.
 * 1, 0 at the end, or -errno with err filled.
 */
int conform_line(struct conform_reader *r, char **line, size_t *length,
    struct sim_err *err);
void conform_close(struct conform_reader *r);

#endif
