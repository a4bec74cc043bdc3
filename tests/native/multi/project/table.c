#include "table.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next;
	char *key;
	long value;
};
struct table {
	struct entry *bucket[64];
};

struct table *
table_new(void)
{
	return (calloc(1, sizeof(struct table)));
}

void
table_add(struct table *t, const char *key, long value)
{
	struct entry **b = &t->bucket[text_hash(key) % 64], *e;

	for (e = *b; e != NULL; e = e->next) {
		if (strcmp(e->key, key) == 0) {
			e->value += value;
			return;
		}
	}
	e = malloc(sizeof(*e));
	*e = (struct entry) { *b, strdup(key), value };
	*b = e;
}

long
table_sum(const struct table *t)
{
	long sum = 0;

	for (int i = 0; i < 64; i++)
		for (const struct entry *e = t->bucket[i]; e; e = e->next)
			sum = sum * 31 + e->value;
	return (sum);
}

void
table_free(struct table *t)
{
	for (int i = 0; i < 64; i++) {
		struct entry *e = t->bucket[i], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			free(e->key);
			free(e);
		}
	}
	free(t);
}
