#ifndef TABLE_H
#define TABLE_H
#include <stddef.h>
struct table;
struct table *table_new(void);
void table_add(struct table *t, const char *key, long value);
long table_sum(const struct table *t);
void table_free(struct table *t);
size_t text_hash(const char *s);
#endif
