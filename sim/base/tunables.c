/*
 * tunables.c: the one table of parameters.
 *
 * Interface: tunables.h.
 * Source:    our own; the shape of sysctl(8) and of fio's option table.
 *
 * Rows stay where their modules declared them; the table keeps pointers to
 * them in order of name, with the object that holds the values.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/sim_int.h"
#include "sim/base/tunables.h"

#define NEAREST_NAME_MAX 64 /* longer names are compared in front only */

struct tun_entry {
	const struct tunable *row;
	char *object;
	bool is_set;
};

struct tunables {
	struct tun_entry *entries; /* in order of name */
	size_t count, size;
	bool sealed;
};

/* ------------------------------------------------------------ the table */

struct tunables *
tunables_create(void)
{
	return (calloc(1, sizeof(struct tunables)));
}

void
tunables_destroy(struct tunables *ts)
{
	if (ts == NULL)
		return;
	free(ts->entries);
	free(ts);
}

/* Index of the first entry whose name is not less than `name`. */
static size_t
tun_lower_bound(const struct tunables *ts, const char *name)
{
	size_t lo = 0, hi = ts->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(ts->entries[mid].row->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static struct tun_entry *
tun_find(const struct tunables *ts, const char *name)
{
	size_t i = tun_lower_bound(ts, name);

	if (i == ts->count || strcmp(ts->entries[i].row->name, name) != 0)
		return (NULL);
	return (&ts->entries[i]);
}

static void *
tun_field(const struct tun_entry *e)
{
	return (e->object + e->row->offset);
}

static void
tun_store(const struct tun_entry *e, int64_t value)
{
	switch (e->row->type) {
	case TUN_INT:
	case TUN_BOOL:
		*(int32_t *)tun_field(e) = (int32_t)value;
		break;
	case TUN_UINT:
		*(uint32_t *)tun_field(e) = (uint32_t)value;
		break;
	case TUN_U64:
	case TUN_SIZE:
		*(uint64_t *)tun_field(e) = (uint64_t)value;
		break;
	case TUN_STRING:
		break;
	}
}

static void
tun_store_string(const struct tun_entry *e, const char *value)
{
	char *field = tun_field(e);

	memset(field, 0, TUN_STRING_MAX);
	strncpy(field, value, TUN_STRING_MAX - 1);
}

static int
tun_reserve(struct tunables *ts, size_t count)
{
	size_t size = ts->size ? ts->size : 64;
	struct tun_entry *entries;

	while (size < count)
		size *= 2;
	if (size == ts->size)
		return (0);
	entries = realloc(ts->entries, size * sizeof(*entries));
	if (entries == NULL)
		return (-ENOMEM);
	ts->entries = entries;
	ts->size = size;
	return (0);
}

static void
tun_insert(struct tunables *ts, const struct tunable *row, void *object)
{
	size_t i = tun_lower_bound(ts, row->name);
	struct tun_entry *e = &ts->entries[i];

	memmove(e + 1, e, (ts->count - i) * sizeof(*e));
	ts->count++;
	*e = (struct tun_entry) { .row = row, .object = object };
	if (row->type == TUN_STRING)
		tun_store_string(e, row->def_str ? row->def_str : "");
	else
		tun_store(e, row->def);
}

/*
 * tunables_register: rows and object must outlive the table. All rows or
 * none: -EEXIST when a name is taken (or twice among the rows), -ENOMEM.
 */
int
tunables_register(struct tunables *ts, const struct tunable *rows,
    size_t count, void *object)
{
	int error;

	for (size_t i = 0; i < count; i++) {
		if (tun_find(ts, rows[i].name) != NULL)
			return (-EEXIST);
		for (size_t j = 0; j < i; j++)
			if (strcmp(rows[i].name, rows[j].name) == 0)
				return (-EEXIST);
	}
	error = tun_reserve(ts, ts->count + count);
	if (error != 0)
		return (error);
	for (size_t i = 0; i < count; i++)
		tun_insert(ts, &rows[i], object);
	return (0);
}

void
tunables_seal(struct tunables *ts)
{
	ts->sealed = true;
}

const struct tunable *
tunables_row(const struct tunables *ts, size_t i)
{
	return (i < ts->count ? ts->entries[i].row : NULL);
}

bool
tunables_is_set(const struct tunables *ts, const char *name)
{
	const struct tun_entry *e = tun_find(ts, name);

	return (e != NULL && e->is_set);
}

/* ------------------------------------------------------------ text to value */

static int
parse_bool(const char *text, int64_t *value)
{
	static const char *const yes[] = { "1", "true", "yes", "on" };
	static const char *const no[] = { "0", "false", "no", "off" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0) {
			*value = 1;
			return (0);
		}
		if (strcmp(text, no[i]) == 0) {
			*value = 0;
			return (0);
		}
	}
	return (-EINVAL);
}

/* Digits of the given base up to the end; -EINVAL, -ERANGE. */
static int
parse_digits(const char *text, unsigned int base, uint64_t *value)
{
	uint64_t v = 0;

	if (*text == '\0')
		return (-EINVAL);
	for (; *text != '\0'; text++) {
		unsigned int d;

		if (*text >= '0' && *text <= '9')
			d = (unsigned int)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			d = (unsigned int)(*text - 'a') + 10;
		else if (*text >= 'A' && *text <= 'F')
			d = (unsigned int)(*text - 'A') + 10;
		else
			return (-EINVAL);
		if (d >= base)
			return (-EINVAL);
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return (-ERANGE);
	}
	*value = v;
	return (0);
}

/* Decimal or 0x hexadecimal, with a sign; a leading 0 is not octal. */
static int
parse_number(const char *text, bool *negative, uint64_t *magnitude)
{
	*negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return (parse_digits(text + 2, 16, magnitude));
	return (parse_digits(text, 10, magnitude));
}

/* The shift of a size suffix; -1 when it is none. */
static int
size_shift(const char *suffix)
{
	static const char units[] = "kmgt";
	const char *u;
	char c = *suffix;

	if (c == '\0')
		return (0);
	if (c == 'b' || c == 'B')
		return (suffix[1] == '\0' ? 0 : -1);
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	u = strchr(units, c);
	if (u == NULL)
		return (-1);
	suffix++;
	if (*suffix == 'i')
		suffix++;
	if (*suffix == 'b' || *suffix == 'B')
		suffix++;
	return (*suffix == '\0' ? 10 * (int)(u - units + 1) : -1);
}

/*
 * parse_size: "64", "64K", "1.5G", "2GiB". Powers of 1024; a fraction needs a
 * suffix and is rounded down to whole bytes. -EINVAL, -ERANGE.
 */
int
parse_size(const char *text, uint64_t *bytes)
{
	uint64_t whole = 0, fraction = 0, scale = 1;
	const char *p = text;
	bool point = false;
	unsigned __int128 v;
	int shift;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'),
			&whole))
			return (-ERANGE);
	if (p == text)
		return (-EINVAL);
	if (*p == '.') {
		point = true;
		if (p[1] < '0' || p[1] > '9')
			return (-EINVAL);
		for (p++; *p >= '0' && *p <= '9'; p++) {
			if (scale == 1000000000000000000ull)
				continue; /* below a byte even of a terabyte */
			fraction = fraction * 10 + (uint64_t)(*p - '0');
			scale *= 10;
		}
	}
	shift = size_shift(p);
	if (shift < 0 || (point && shift == 0))
		return (-EINVAL);
	v = ((unsigned __int128)whole << shift) +
	    ((unsigned __int128)fraction << shift) / scale;
	if (v > UINT64_MAX)
		return (-ERANGE);
	*bytes = (uint64_t)v;
	return (0);
}

/* ------------------------------------------------------------ setting */

/* The range of a row; 0 and 0 mean all that the type holds. */
static void
tun_range(const struct tunable *t, int64_t *min, uint64_t *max)
{
	bool any = t->min == 0 && t->max == 0;

	*min = any && t->type == TUN_INT ? INT32_MIN : t->min;
	if (!any && t->max != INT64_MAX) {
		*max = (uint64_t)t->max;
		return;
	}
	switch (t->type) {
	case TUN_INT:
		*max = INT32_MAX;
		break;
	case TUN_UINT:
		*max = UINT32_MAX;
		break;
	case TUN_BOOL:
		*max = 1;
		break;
	default:
		*max = UINT64_MAX;
		break;
	}
}

static bool
tun_in_range(const struct tunable *t, bool negative, uint64_t magnitude)
{
	int64_t min;
	uint64_t max;

	if ((t->flags & TUN_AUTO) != 0 &&
	    (magnitude == 0 || (negative && magnitude == 1 &&
	    t->type == TUN_INT)))
		return (true);
	tun_range(t, &min, &max);
	if (negative && magnitude != 0) {
		if (t->type != TUN_INT || magnitude > 1ull << 31)
			return (false);
		return (-(int64_t)magnitude >= min &&
		    (t->max >= 0 || -(int64_t)magnitude <= t->max));
	}
	if (t->max < 0)
		return (false);
	return (magnitude <= max && (min < 0 || magnitude >= (uint64_t)min));
}

static int
tun_parse(const struct tunable *t, const char *text, bool *negative,
    uint64_t *magnitude)
{
	int64_t b = 0;
	int error;

	*negative = false;
	switch (t->type) {
	case TUN_BOOL:
		error = parse_bool(text, &b);
		*magnitude = (uint64_t)b;
		return (error);
	case TUN_SIZE:
		return (parse_size(text, magnitude));
	default:
		return (parse_number(text, negative, magnitude));
	}
}

static const char *
tun_wants(const struct tunable *t)
{
	switch (t->type) {
	case TUN_BOOL:
		return ("0 or 1");
	case TUN_SIZE:
		return ("a size such as 64K or 1.5G");
	default:
		return ("a whole number");
	}
}

static int
tun_range_error(const struct tunable *t, const char *value,
    struct sim_err *err)
{
	const char *unit = t->unit ? t->unit : "";
	int64_t min;
	uint64_t max;

	tun_range(t, &min, &max);
	return (sim_err_set(err, ERANGE,
	    "%s: %s is out of range; give %" PRId64 " to %" PRIu64 "%s%s",
	    t->name, value, min, max, *unit ? " " : "", unit));
}

/* One of the values that the row lists, if it lists any. */
static int
tun_choose(const struct tunable *t, const char *value, struct sim_err *err)
{
	char list[256] = "";
	size_t n, at = 0;

	if (t->choices == NULL)
		return (0);
	for (n = 0; t->choices[n] != NULL; n++) {
		if (strcmp(t->choices[n], value) == 0)
			return (0);
		if (at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at,
			    "%s\"%s\"", n > 0 ? ", " : "", t->choices[n]);
	}
	return (sim_err_set(err, EINVAL, "%s: unknown value \"%s\"; use one "
	    "of %s", t->name, value, list));
}

/* The value as a number (nothing for text), or what is wrong with it. */
static int
tun_accept(const struct tunable *t, const char *value, int64_t *number,
    struct sim_err *err)
{
	uint64_t magnitude = 0;
	bool negative;
	int error;

	if (t->type == TUN_STRING) {
		if (strlen(value) >= TUN_STRING_MAX)
			return (sim_err_set(err, ERANGE,
			    "%s: the value is longer than %d characters",
			    t->name, TUN_STRING_MAX - 1));
		return (tun_choose(t, value, err));
	}
	error = tun_parse(t, value, &negative, &magnitude);
	if (error == -EINVAL)
		return (sim_err_set(err, EINVAL,
		    "%s: \"%s\" is not %s", t->name, value, tun_wants(t)));
	if (error != 0 || !tun_in_range(t, negative, magnitude))
		return (tun_range_error(t, value, err));
	*number = negative ? (int64_t)-magnitude : (int64_t)magnitude;
	return (0);
}

static int
tun_unknown(const struct tunables *ts, const char *name, struct sim_err *err)
{
	const char *near = tunables_nearest(ts, name);

	if (near == NULL)
		return (sim_err_set(err, ENOENT,
		    "unknown tunable \"%s\"; `vmsim sysctl` lists them all",
		    name));
	return (sim_err_set(err, ENOENT,
	    "unknown tunable \"%s\"; did you mean \"%s\"?", name, near));
}

static int
tun_may_set(const struct tunable *t, bool running, struct sim_err *err)
{
	if ((t->flags & TUN_RD) != 0)
		return (sim_err_set(err, EPERM,
		    "%s is read-only: it is computed by the kernel", t->name));
	if (running && (t->flags & TUN_BOOT) != 0)
		return (sim_err_set(err, EPERM,
		    "%s can be set only before the run starts", t->name));
	return (0);
}

int
tunables_set(struct tunables *ts, const char *name, const char *value,
    struct sim_err *err)
{
	struct tun_entry *e = tun_find(ts, name);
	int64_t number = 0;
	int error;

	if (e == NULL)
		return (tun_unknown(ts, name, err));
	error = tun_may_set(e->row, ts->sealed, err);
	if (error == 0)
		error = tun_accept(e->row, value, &number, err);
	if (error != 0)
		return (error);
	if (e->row->type == TUN_STRING)
		tun_store_string(e, value);
	else
		tun_store(e, number);
	e->is_set = true;
	if (ts->sealed && e->row->changed != NULL)
		e->row->changed(e->object, e->row);
	return (0);
}

int
tunables_check(const struct tunables *ts, const char *name, const char *value,
    struct sim_err *err)
{
	const struct tun_entry *e = tun_find(ts, name);
	int64_t number;
	int error;

	if (e == NULL)
		return (tun_unknown(ts, name, err));
	error = tun_may_set(e->row, true, err);
	return (error != 0 ? error : tun_accept(e->row, value, &number, err));
}

int
tunables_get(const struct tunables *ts, const char *name, char *buf,
    size_t size, struct sim_err *err)
{
	const struct tun_entry *e = tun_find(ts, name);

	if (e == NULL)
		return (tun_unknown(ts, name, err));
	switch (e->row->type) {
	case TUN_INT:
	case TUN_BOOL:
		snprintf(buf, size, "%" PRId32, *(int32_t *)tun_field(e));
		break;
	case TUN_UINT:
		snprintf(buf, size, "%" PRIu32, *(uint32_t *)tun_field(e));
		break;
	case TUN_U64:
	case TUN_SIZE:
		snprintf(buf, size, "%" PRIu64, *(uint64_t *)tun_field(e));
		break;
	case TUN_STRING:
		snprintf(buf, size, "%s", (char *)tun_field(e));
		break;
	}
	return (0);
}

/* ------------------------------------------------------------ near names */

static unsigned int
min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return (m < c ? m : c);
}

/*
 * Edit distance with exchanges of neighbours (optimal string alignment), over
 * the first NEAREST_NAME_MAX characters.
 */
static unsigned int
edit_distance(const char *a, const char *b)
{
	unsigned int row[3][NEAREST_NAME_MAX + 1];
	size_t na = strnlen(a, NEAREST_NAME_MAX);
	size_t nb = strnlen(b, NEAREST_NAME_MAX);

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned int *cur = row[i % 3], *prev = row[(i - 1) % 3];
		unsigned int *prev2 = row[(i + 1) % 3];

		cur[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
			    prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
		}
	}
	return (row[na % 3][nb]);
}

/* The farthest that still counts as near. */
static unsigned int
near_limit(const char *name)
{
	unsigned int limit = (unsigned int)strnlen(name, NEAREST_NAME_MAX) / 3;

	return (limit < 2 ? 2 : limit);
}

struct nearest {
	const char *name, *best;
	unsigned int distance;
};

static void
nearest_try(struct nearest *n, const char *candidate)
{
	unsigned int d = edit_distance(n->name, candidate);

	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *
nearest_name(const char *name, const char *const *names, size_t count)
{
	struct nearest n = { name, NULL, near_limit(name) + 1 };

	for (size_t i = 0; i < count; i++)
		nearest_try(&n, names[i]);
	return (n.best);
}

const char *
tunables_nearest(const struct tunables *ts, const char *name)
{
	struct nearest n = { name, NULL, near_limit(name) + 1 };

	for (size_t i = 0; i < ts->count; i++)
		nearest_try(&n, ts->entries[i].row->name);
	return (n.best);
}
