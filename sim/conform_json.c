/*
 * conform_json.c: reading, comparing and printing the JSON of vectors.
 *
 * Interface: sim/conform.h.
 * Source:    our own; parsing by cJSON. Printing is not cJSON's because that
 *            writes integers from 10^15 on with an exponent.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

/* ------------------------------------------------------------ arguments */

/* A message is one line, whatever names the input has. */
void
conform_one_line(struct sim_err *err)
{
	char *p;

	for (p = err->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

int
conform_bad(struct conform_run *run, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)sim_err_set(run->err, EINVAL, "scenario %s, %s: %s", run->id,
	    run->where, text);
	if (run->err != NULL)
		conform_one_line(run->err);
	return (-EINVAL);
}

int
conform_int(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int64_t min, int64_t max, int64_t *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);
	double d;

	if (item == NULL && !required)
		return (0);
	if (item == NULL)
		return (conform_bad(run, "\"%s\" is missing", name));
	d = item->valuedouble;
	if (!cJSON_IsNumber(item) || !(fabs(d) <= EXACT_MAX) ||
	    d != (double)(int64_t)d)
		return (conform_bad(run, "\"%s\" must be an integer", name));
	if ((int64_t)d < min || (int64_t)d > max)
		return (conform_bad(run, "\"%s\" is %" PRId64
		    "; it must be in %" PRId64 "..%" PRId64, name, (int64_t)d,
		    min, max));
	*value = (int64_t)d;
	return (0);
}

int
conform_addr_item(struct conform_run *run, const cJSON *item, const char *name,
    uint64_t *value)
{
	const char *s = cJSON_GetStringValue(item);
	char *end;

	if (s == NULL || strncmp(s, "0x", 2) != 0 || s[2] == '\0' ||
	    strspn(s + 2, "0123456789abcdefABCDEF") != strlen(s + 2) ||
	    strlen(s) > 18)
		return (conform_bad(run,
		    "\"%s\" must be a string such as \"0xc0001000\"", name));
	*value = strtoull(s + 2, &end, 16);
	return (0);
}

int
conform_addr(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, uint64_t *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);

	if (item == NULL && !required)
		return (0);
	return (conform_addr_item(run, item, name, value));
}

static cJSON *
conform_member(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int type, const char *what, int *error)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);

	*error = 0;
	if (item == NULL && !required)
		return (NULL);
	if (item == NULL || (item->type & type) == 0) {
		*error = conform_bad(run, "\"%s\" must be %s", name, what);
		return (NULL);
	}
	return (item);
}

const char *
conform_string(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int *error)
{
	return (cJSON_GetStringValue(conform_member(run, obj, name, required,
	    cJSON_String, "a string", error)));
}

cJSON *
conform_array(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int *error)
{
	return (conform_member(run, obj, name, required, cJSON_Array,
	    "an array", error));
}

cJSON *
conform_object(struct conform_run *run, const cJSON *obj, const char *name,
    bool required, int *error)
{
	return (conform_member(run, obj, name, required, cJSON_Object,
	    "an object", error));
}

/* ------------------------------------------------------------ comparing */

static bool
equal_members(const cJSON *a, const cJSON *b)
{
	const cJSON *x, *y;

	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
		return (false);
	cJSON_ArrayForEach(x, a) {
		y = cJSON_GetObjectItemCaseSensitive(b, x->string);
		if (y == NULL || !conform_equal(x, y))
			return (false);
	}
	return (true);
}

static bool
equal_items(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child, *y = b->child;

	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!conform_equal(x, y))
			return (false);
	return (x == NULL && y == NULL);
}

bool
conform_equal(const cJSON *a, const cJSON *b)
{
	if (a == NULL || b == NULL)
		return (a == b);
	if ((a->type & 0xff) != (b->type & 0xff))
		return (false);
	switch (a->type & 0xff) {
	case cJSON_Number:
		return (a->valuedouble == b->valuedouble);
	case cJSON_String:
		return (strcmp(a->valuestring, b->valuestring) == 0);
	case cJSON_Array:
		return (equal_items(a, b));
	case cJSON_Object:
		return (equal_members(a, b));
	default:
		return (true);
	}
}

/* ------------------------------------------------------------ printing */

static void
print_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void
print_number(FILE *out, double d)
{
	if (fabs(d) <= EXACT_MAX && d == (double)(int64_t)d)
		fprintf(out, "%" PRId64, (int64_t)d);
	else
		fprintf(out, "%.17g", d);
}

static void
print_list(FILE *out, const cJSON *list, char open, char shut)
{
	const cJSON *item;

	putc(open, out);
	cJSON_ArrayForEach(item, list) {
		if (item != list->child)
			putc(',', out);
		if (open == '{') {
			print_string(out, item->string);
			putc(':', out);
		}
		conform_print(out, item);
	}
	putc(shut, out);
}

void
conform_print(FILE *out, const cJSON *item)
{
	switch (item != NULL ? item->type & 0xff : cJSON_NULL) {
	case cJSON_Number:
		print_number(out, item->valuedouble);
		break;
	case cJSON_String:
		print_string(out, item->valuestring);
		break;
	case cJSON_Array:
		print_list(out, item, '[', ']');
		break;
	case cJSON_Object:
		print_list(out, item, '{', '}');
		break;
	case cJSON_True:
		fputs("true", out);
		break;
	case cJSON_False:
		fputs("false", out);
		break;
	default:
		fputs("null", out);
		break;
	}
}

char *
conform_text(const cJSON *item)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return (NULL);
	conform_print(f, item);
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}
