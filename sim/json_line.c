/*
 * json_line.c: cJSON keeps no positions. But its tree has the order of the
 * text: the n-th value met in the tree is the n-th value of the text.
 *
 * Interface: json_line.h.
 */
#include <stdbool.h>

#include "sim/json_line.h"

/* Count items before `item`; true when it is in this tree. */
static bool
preorder(const cJSON *tree, const cJSON *item, size_t *count)
{
	const cJSON *c;

	if (tree == item)
		return true;
	(*count)++;
	cJSON_ArrayForEach(c, tree)
		if (preorder(c, item, count))
			return true;
	return false;
}

static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : p;
}

static const char *
skip_space(const char *p, const char *end)
{
	while (p < end && (unsigned char) *p <= ' ')
		p++;
	return p;
}

/* Past a number or a word. */
static const char *
skip_scalar(const char *p, const char *end)
{
	while (p < end && (unsigned char) *p > ' ' && *p != ',' && *p != ']' &&
	    *p != '}')
		p++;
	return p;
}

/* Start of the n-th value of a text that cJSON has accepted. */
static const char *
nth_value(const char *p, const char *end, size_t n)
{
	const char *start;

	while ((p = skip_space(p, end)) < end) {
		start = p;
		switch (*p) {
		case ',':
		case ':':
		case ']':
		case '}':
			p++;
			continue;
		case '"':
			p = skip_space(skip_string(p, end), end);
			if (p < end && *p == ':')
				continue; /* a key */
			break;
		case '[':
		case '{':
			p++;
			break;
		default:
			p = skip_scalar(p, end);
		}
		if (n-- == 0)
			return start;
	}
	return end;
}

unsigned
json_line_at(const char *text, const char *where)
{
	unsigned line = 1;

	for (; text < where; text++)
		line += *text == '\n';
	return line;
}

unsigned
json_line(const char *text, size_t size, const cJSON *root, const cJSON *item)
{
	size_t n = 0;

	if (item == NULL || !preorder(root, item, &n))
		return 1;
	return json_line_at(text, nth_value(text, text + size, n));
}
