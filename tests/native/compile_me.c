#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something for a compiler to chew on: a small expression evaluator, a sort
 * and a hash table, repeated by a macro under different types. */
#define TABLE(T, NAME)                                                      \
	struct NAME { T *slot; size_t n, used; };                           \
	static int NAME##_put(struct NAME *t, T v) {                        \
		if (t->used * 2 >= t->n) {                                  \
			size_t n = t->n ? t->n * 2 : 16;                    \
			T *s = calloc(n, sizeof(T));                        \
			if (s == NULL) return -ENOMEM;                      \
			for (size_t i = 0; i < t->n; i++)                   \
				if (t->slot[i]) {                           \
					size_t h = (size_t)(t->slot[i] *    \
					    (T)2654435761u) & (n - 1);      \
					while (s[h]) h = (h + 1) & (n - 1); \
					s[h] = t->slot[i];                  \
				}                                           \
			free(t->slot); t->slot = s; t->n = n;               \
		}                                                           \
		size_t h = (size_t)(v * (T)2654435761u) & (t->n - 1);       \
		while (t->slot[h] && t->slot[h] != v) h = (h + 1) & (t->n - 1); \
		if (t->slot[h] == v) return 0;                              \
		t->slot[h] = v; t->used++; return 1;                        \
	}                                                                   \
	static void NAME##_sort(T *a, size_t n) {                           \
		if (n < 2) return;                                          \
		T p = a[n / 2]; size_t i = 0, j = n - 1;                    \
		for (;;) {                                                  \
			while (a[i] < p) i++;                               \
			while (a[j] > p) j--;                               \
			if (i >= j) break;                                  \
			T x = a[i]; a[i] = a[j]; a[j] = x; i++; j--;        \
		}                                                           \
		NAME##_sort(a, i); NAME##_sort(a + i, n - i);               \
	}
TABLE(uint64_t, t64)
TABLE(uint32_t, t32)

struct parser { const char *p; int err; };
static double expr(struct parser *ps);
static void skip(struct parser *ps) { while (isspace((unsigned char)*ps->p)) ps->p++; }
static double atom(struct parser *ps) {
	skip(ps);
	if (*ps->p == '(') {
		ps->p++;
		double v = expr(ps);
		skip(ps);
		if (*ps->p == ')') ps->p++; else ps->err = 1;
		return v;
	}
	if (*ps->p == '-') { ps->p++; return -atom(ps); }
	char *end;
	double v = strtod(ps->p, &end);
	if (end == ps->p) ps->err = 1;
	ps->p = end;
	return v;
}
static double term(struct parser *ps) {
	double v = atom(ps);
	for (;;) {
		skip(ps);
		if (*ps->p == '*') { ps->p++; v *= atom(ps); }
		else if (*ps->p == '/') { ps->p++; v /= atom(ps); }
		else return v;
	}
}
static double expr(struct parser *ps) {
	double v = term(ps);
	for (;;) {
		skip(ps);
		if (*ps->p == '+') { ps->p++; v += term(ps); }
		else if (*ps->p == '-') { ps->p++; v -= term(ps); }
		else return v;
	}
}
int main(int argc, char **argv) {
	struct t64 a = {0}; struct t32 b = {0};
	uint64_t x = 88172645463325252ull;
	for (int i = 0; i < 1000; i++) {
		x ^= x << 13; x ^= x >> 7; x ^= x << 17;
		t64_put(&a, x | 1); t32_put(&b, (uint32_t)x | 1);
	}
	t64_sort(a.slot, a.n); t32_sort(b.slot, b.n);
	struct parser ps = { argc > 1 ? argv[1] : "1+2*(3-4)/5", 0 };
	printf("%zu %zu %g %d\n", a.used, b.used, expr(&ps), ps.err);
	return 0;
}
