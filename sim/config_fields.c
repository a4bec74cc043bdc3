/*
 * config_fields.c: JSON values into the fields of a struct, by a table of keys:
 * types, ranges, units, and messages that say where.
 *
 * Interface: config_int.h.
 */
#include "sim/config_int.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ messages */

int
cf_fail(struct cf_source *s, int errnum, const char *path, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!s->is_file)
		return (sim_err_set(s->err, errnum, "%s: %s", s->name, text));
	return (sim_err_set(s->err, errnum, "%s: %s: %s", s->name, path,
	    text));
}

void
cf_child(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, size, fmt, ap);
	va_end(ap);
}

/* ", did you mean 'x'?" or nothing. */
const char *
cf_hint(const char *name, const char *const *names, size_t count, char *buf,
    size_t size)
{
	const char *near = nearest_name(name, names, count);

	if (near == NULL)
		return ("");
	snprintf(buf, size, "; did you mean '%s'?", near);
	return (buf);
}

void
cf_printable(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in != '\0' && n + 1 < size; in++)
		out[n++] = (unsigned char)*in < 32 || *in == 127 ? '?' : *in;
	out[n] = '\0';
}

static const char *
type_name(const cJSON *v)
{
	if (cJSON_IsBool(v))
		return (cJSON_IsTrue(v) ? "true" : "false");
	if (cJSON_IsNull(v))
		return ("null");
	if (cJSON_IsNumber(v))
		return ("a number");
	if (cJSON_IsString(v))
		return ("a string");
	return (cJSON_IsArray(v) ? "a list" : "an object");
}

int
cf_fail_type(struct cf_source *s, const char *path, const char *wanted,
    const cJSON *v)
{
	return (cf_fail(s, EINVAL, path, "this must be %s, not %s", wanted,
	    type_name(v)));
}

/* ------------------------------------------------------------ scalars */

/* The field that a key sets. */
void *
cf_field(const struct cf_source *s, const struct cf_key *k)
{
	return ((s->base != NULL ? (char *)s->base : (char *)s->mc) +
	    k->offset);
}

int
parse_time(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000u },
		{ "h", 3600000000000u }, { "", 1000000000 } };
	uint64_t whole = 0, frac = 0, scale = 1;
	const char *p = text;

	if (!isdigit((unsigned char)*p))
		return (-EINVAL);
	for (; isdigit((unsigned char)*p); p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > 1000000000000000u)
			return (-ERANGE);
	}
	if (*p == '.') {
		for (p++; isdigit((unsigned char)*p); p++) {
			if (scale == 1000000)
				continue; /* finer than any use */
			frac = frac * 10 + (uint64_t)(*p - '0');
			scale *= 10;
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		if (whole > UINT64_MAX / 4 / units[i].ns)
			return (-ERANGE);
		*ns = whole * units[i].ns + frac * units[i].ns / scale;
		return (0);
	}
	return (-EINVAL);
}

static int
parse_uint(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return (-EINVAL);
	errno = 0;
	*value = strtoull(text, &end, 0);
	if (*end != '\0')
		return (-EINVAL);
	return (errno != 0 ? -ERANGE : 0);
}

/* "500MHz", "2.4GHz", "1000000000", "100M": powers of 1000. */
static int
parse_hz(const char *text, uint64_t *hz)
{
	char *end;
	double v;

	if (!isdigit((unsigned char)text[0]))
		return (-EINVAL);
	v = strtod(text, &end);
	if (*end == 'k' || *end == 'K')
		v *= 1e3, end++;
	else if (*end == 'M')
		v *= 1e6, end++;
	else if (*end == 'G')
		v *= 1e9, end++;
	if (strcasecmp(end, "hz") == 0)
		end += 2;
	if (*end != '\0')
		return (-EINVAL);
	if (!(v < 1e15))
		return (-ERANGE);
	*hz = (uint64_t)(v + 0.5);
	return (0);
}

/* `what`: the value as the user wrote it, or nearly so. */
static int
fail_range(struct cf_source *s, const struct cf_key *k, const char *path,
    const char *what)
{
	return (cf_fail(s, ERANGE, path, "%.66s is out of range (%" PRIu64
	    " to %" PRIu64 ")", what, k->min, k->max));
}

/* A number that is none of ours: negative, a fraction, too large. */
static int
check_number(struct cf_source *s, const struct cf_key *k, double v,
    const char *path)
{
	char what[32];

	snprintf(what, sizeof(what), "%g", v);
	if (!(v >= 0) || (!(v < EXACT_DOUBLE) && k->max < EXACT_DOUBLE))
		return (fail_range(s, k, path, what));
	if (!(v < EXACT_DOUBLE))
		return (cf_fail(s, ERANGE, path, "%s is too large for a JSON "
		    "number; write it as a string", what));
	if (floor(v) != v)
		return (cf_fail(s, EINVAL, path, "%s is not a whole number",
		    what));
	return (0);
}

/* A number, or text that `parse` understands. */
static int
scalar(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path, const char *wanted,
    int (*parse)(const char *, uint64_t *), uint64_t *value)
{
	char what[64];
	int error;

	if (cJSON_IsString(v)) {
		error = parse(v->valuestring, value);
		if (error == -EINVAL)
			return (cf_fail(s, EINVAL, path,
			    "'%.60s' is not %s", v->valuestring, wanted));
		if (error != 0) {
			snprintf(what, sizeof(what), "'%.60s'",
			    v->valuestring);
			return (fail_range(s, k, path, what));
		}
		return (0);
	}
	if (!cJSON_IsNumber(v))
		return (cf_fail_type(s, path, wanted, v));
	error = check_number(s, k, v->valuedouble, path);
	if (error != 0)
		return (error);
	*value = (uint64_t)v->valuedouble;
	return (0);
}

static int
store(struct cf_source *s, const struct cf_key *k, const char *path,
    uint64_t value)
{
	void *field = cf_field(s, k);

	if (value < k->min || value > k->max)
		return (cf_fail(s, ERANGE, path,
		    "%" PRIu64 " is out of range (%" PRIu64 " to %" PRIu64 ")",
		    value, k->min, k->max));
	if (k->size == sizeof(uint64_t))
		memcpy(field, &value, sizeof(value));
	else
		*(uint32_t *)field = (uint32_t)value;
	return (0);
}

int
cf_set_uint(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	uint64_t value = 0;
	int error;

	error = scalar(s, k, v, path, "a whole number", parse_uint, &value);
	return (error != 0 ? error : store(s, k, path, value));
}

int
cf_set_size(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	uint64_t value = 0;
	int error;

	error = scalar(s, k, v, path, "a size such as 64M", parse_size, &value);
	return (error != 0 ? error : store(s, k, path, value));
}

int
cf_set_hz(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	uint64_t value = 0;
	int error;

	error = scalar(s, k, v, path, "a clock rate such as 500MHz", parse_hz,
	    &value);
	return (error != 0 ? error : store(s, k, path, value));
}

int
cf_set_time(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char text[32];
	uint64_t value = 0;

	/* numbers are seconds, and may have a fraction */
	if (cJSON_IsNumber(v)) {
		if (!(v->valuedouble >= 0 && v->valuedouble < 1e9))
			return (cf_fail(s, ERANGE, path, "%g is out of range "
			    "(0 to 1e9 seconds)", v->valuedouble));
		snprintf(text, sizeof(text), "%.9f", v->valuedouble);
		if (parse_time(text, &value) == 0)
			return (store(s, k, path, value));
	}
	if (!cJSON_IsString(v))
		return (cf_fail_type(s, path, "a time such as \"10ms\"", v));
	switch (parse_time(v->valuestring, &value)) {
	case 0:
		return (store(s, k, path, value));
	case -ERANGE:
		return (cf_fail(s, ERANGE, path, "'%.60s' is out of range "
		    "(0 to 1e9 seconds)", v->valuestring));
	default:
		return (cf_fail(s, EINVAL, path,
		    "'%.60s' is not a time such as "
		    "250us, 10ms, 2s",
		    v->valuestring));
	}
}

int
cf_set_text(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char *field = cf_field(s, k);
	size_t n;

	if (!cJSON_IsString(v))
		return (cf_fail_type(s, path, "a string", v));
	n = strlen(v->valuestring);
	if (n < k->min)
		return (cf_fail(s, EINVAL, path, "the string is empty"));
	if (n >= k->size)
		return (cf_fail(s, EINVAL, path,
		    "the string is longer than %zu "
		    "bytes",
		    k->size - 1));
	memset(field, 0, k->size);
	memcpy(field, v->valuestring, n);
	return (0);
}

int
cf_set_line(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	for (const char *p = cJSON_IsString(v) ? v->valuestring : "";
	    *p != '\0'; p++) {
		if (iscntrl((unsigned char)*p))
			return (cf_fail(s, EINVAL, path, "the string has a "
			    "control character (byte 0x%02x); it is to stand "
			    "in a line", (unsigned char)*p));
	}
	return (cf_set_text(s, k, v, path));
}

/* ------------------------------------------------------------ lists */

int
cf_set_strings(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char ***field = cf_field(s, k);
	char sub[160];
	const cJSON *e;
	int i = 0;

	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a list of strings", v));
	if ((uint64_t)cJSON_GetArraySize(v) < k->min)
		return (cf_fail(s, EINVAL, path, "the list is empty"));
	config_strings_free(*field);
	*field = NULL;
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
		if (!cJSON_IsString(e))
			return (cf_fail_type(s, sub, "a string", e));
		if (!config_strings_add(field, e->valuestring))
			return (cf_fail(s, ENOMEM, sub, "out of memory"));
	}
	return (0);
}

/* One more element at the end of a list that is kept with its length. */
void *
cf_grow(struct cf_source *s, void **list, uint32_t *n, size_t size)
{
	char *grown = realloc(*list, (*n + 1) * size);

	if (grown == NULL) {
		(void)cf_fail(s, ENOMEM, "", "out of memory");
		return (NULL);
	}
	*list = grown;
	memset(grown + *n * size, 0, size);
	return (grown + (*n)++ * size);
}

/* A list replaces the one before it; each element by `one`. */
int
cf_set_parts(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path,
    int (*one)(struct cf_source *s, const cJSON *v, const char *path))
{
	char sub[160];
	const cJSON *e;
	int error, i = 0;

	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a list of objects", v));
	if ((uint64_t)cJSON_GetArraySize(v) > k->max)
		return (cf_fail(s, ERANGE, path, "more than %" PRIu64
		    " elements", k->max));
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
		error = one(s, e, sub);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* ------------------------------------------------------------ objects */

/* "_comment" may stand in any object: text that nothing reads. */
static int
check_comment(struct cf_source *s, const cJSON *v, const char *path)
{
	const cJSON *e;

	if (cJSON_IsString(v))
		return (0);
	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a string or a list of strings",
		    v));
	cJSON_ArrayForEach(e, v) {
		if (!cJSON_IsString(e))
			return (cf_fail_type(s, path, "a list of strings", e));
	}
	return (0);
}

/* Every key of an object by the table that knows them. */
int
cf_apply(struct cf_source *s, const struct cf_key *table, size_t n,
    const cJSON *object, const char *path)
{
	const char *names[64];
	const cJSON *e;
	char sub[192], name[64], buf[64];
	size_t i;
	int error;

	if (!cJSON_IsObject(object))
		return (cf_fail_type(s, path, "an object", object));
	for (i = 0; i < n; i++)
		names[i] = table[i].name;
	cJSON_ArrayForEach(e, object) {
		cf_printable(e->string, name, sizeof(name));
		cf_child(sub, sizeof(sub), "%s.%s", path, name);
		if (strcmp(e->string, "_comment") == 0) {
			if ((error = check_comment(s, e, sub)) != 0)
				return (error);
			continue;
		}
		for (i = 0; i < n; i++) {
			if (strcmp(e->string, table[i].name) == 0)
				break;
		}
		if (i == n)
			return (cf_fail(s, EINVAL, sub, "unknown key '%s'%s",
			    name, cf_hint(e->string, names, n, buf,
			    sizeof(buf))));
		error = table[i].set(s, &table[i], e, sub);
		if (error != 0)
			return (error);
	}
	return (0);
}
