/*
 * config_text.c: the text of a JSON configuration, and what cJSON lets pass:
 * the same key twice, bytes that are no text, more text after the end.
 *
 * Interface: config_int.h.
 */
#include "sim/config_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
by_name(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return (strcmp((*x)->string, (*y)->string));
}

/* The same key twice: one of them would be lost silently. */
static int
check_keys(struct cf_source *s, const cJSON *v, const char *path)
{
	size_t n = (size_t)cJSON_GetArraySize(v), i = 0;
	const cJSON **keys, *e;
	char sub[256], name[64];
	int error = 0;

	if (!cJSON_IsObject(v) || n < 2)
		return (0);
	keys = malloc(n * sizeof(const cJSON *));
	if (keys == NULL)
		return (cf_fail(s, ENOMEM, path, "out of memory"));
	cJSON_ArrayForEach(e, v)
		keys[i++] = e;
	qsort(keys, n, sizeof(const cJSON *), by_name);
	for (i = 1; i < n && error == 0; i++) {
		if (strcmp(keys[i - 1]->string, keys[i]->string) != 0)
			continue;
		cf_printable(keys[i]->string, name, sizeof(name));
		cf_child(sub, sizeof(sub), "%.180s.%s", path, name);
		error = cf_fail(s, EINVAL, sub, "this key is given twice");
	}
	free(keys);
	return (error);
}

static int
check_duplicates(
    struct cf_source *s, const cJSON *v, const char *path, int depth)
{
	const cJSON *e;
	char sub[256], name[64];
	int error, i = 0;

	if (depth > 8)
		return (cf_fail(s, EINVAL, path, "nested too deeply"));
	error = check_keys(s, v, path);
	cJSON_ArrayForEach(e, v) {
		if (error != 0)
			return (error);
		if (e->string != NULL) {
			cf_printable(e->string, name, sizeof(name));
			cf_child(sub, sizeof(sub), "%.180s.%s", path, name);
		} else
			cf_child(sub, sizeof(sub), "%.180s[%d]", path, i++);
		error = check_duplicates(s, e, sub, depth + 1);
	}
	return (error);
}

static int
fail_syntax(struct cf_source *s, const char *text, const char *at,
    const char *what)
{
	unsigned line = 1, column = 1;

	for (const char *p = text; p < at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++; /* characters, not bytes */
		}
	}
	return (sim_err_set(s->err, EINVAL, "%s:%u:%u: %s", s->name, line,
	    column, what));
}

/* Where the user has to look. For what should be a key and is no string
 * cJSON says the character after it. */
static const char *
error_place(const char *text, const char *end)
{
	const char *p = end - 1;

	if (end == text || isspace((unsigned char)*p))
		return (end);
	while (p > text && isspace((unsigned char)p[-1]))
		p--;
	return (p > text && (p[-1] == ',' || p[-1] == '{') ? end - 1 : end);
}

/* The document, or NULL with the place of the error. */
static cJSON *
read_json(struct cf_source *s, const char *text, size_t length, int *error)
{
	const char *end = NULL;
	cJSON *root;

	root = cJSON_ParseWithLengthOpts(text, length, &end, 0);
	*error = 0;
	if (root == NULL) {
		/* cJSON stops at the last byte of a text that ends too early:
		 * the newline that cf_read_text has put there */
		const char *last = text + length - 1;
		const char *at = end == NULL ? last : error_place(text, end);
		bool early = at >= last;

		*error = fail_syntax(s, text, early ? last : at,
		    early ? "the JSON text ends too early" :
		    "malformed JSON here");
		return (NULL);
	}
	while (end < text + length && isspace((unsigned char)*end))
		end++;
	if (end < text + length) {
		*error = fail_syntax(s, text, end,
		    "more text after the end of the JSON object");
		cJSON_Delete(root);
		return (NULL);
	}
	return (root);
}

/* "\u0000" as JSON writes it: what follows it would be lost. */
static const char *
find_escaped_nul(const char *text, size_t length)
{
	for (size_t i = 0; i + 6 <= length; i++) {
		if (text[i] != '\\')
			continue;
		if (memcmp(text + i, "\\u0000", 6) == 0)
			return (text + i);
		i++; /* what is escaped */
	}
	return (NULL);
}

/* Bytes of the character at p, 0: it is no UTF-8. */
static size_t
utf8_length(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *p < 0x80 ? 1 : (*p & 0xe0) == 0xc0 ? 2 :
	    (*p & 0xf0) == 0xe0 ? 3 : (*p & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c;

	if (n < 2 || n > left)
		return (n < 2 ? n : 0);
	c = *p & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (0);
		c = c << 6 | (p[i] & 0x3f);
	}
	return (c < least[n] || c > 0x10ffff || (c >> 11) == 0x1b ? 0 : n);
}

static const char *
find_not_utf8(const char *text, size_t length)
{
	size_t i = 0, n;

	while (i < length) {
		n = utf8_length((const uint8_t *)text + i, length - i);
		if (n == 0)
			return (text + i);
		i += n;
	}
	return (NULL);
}

int
cf_read_text(struct cf_source *s, const char *text, size_t length,
    cJSON **root)
{
	const char *bad;
	char *copy;
	int error;

	*root = NULL;
	bad = memchr(text, '\0', length);
	if (bad != NULL)
		return (fail_syntax(s, text, bad,
		    "a NUL byte; this is no JSON text"));
	bad = find_escaped_nul(text, length);
	if (bad != NULL)
		return (fail_syntax(s, text, bad,
		    "\\u0000: no string here can have a NUL in it"));
	bad = find_not_utf8(text, length);
	if (bad != NULL)
		return (fail_syntax(s, text, bad, "a byte that is no UTF-8; "
		    "save the file in that encoding"));
	copy = malloc(length + 2);
	if (copy == NULL)
		return (sim_err_set(s->err, ENOMEM, "%s: out of memory",
		    s->name));
	memcpy(copy, text, length);
	memcpy(copy + length, "\n", 2);
	*root = read_json(s, copy, length + 1, &error);
	free(copy);
	if (*root == NULL)
		return (error);
	if (!cJSON_IsObject(*root))
		return (cf_fail_type(s, "$", "an object", *root));
	return (check_duplicates(s, *root, "$", 0));
}
