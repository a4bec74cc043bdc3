/*
 * vm_page_ddb.c: the kernel debugger's listings of counters and queues.
 *
 * Interface: vmcore/vm_page.h (vm_page_print_*), as snprintf.
 * Source:    FreeBSD 5.0 vm_page.c, DB_SHOW_COMMAND(page) and (pageq).
 * Differs:   into a caller's buffer; INACTIVE and ACTIVE are summed over the
 *            domains.
 */
#include <stdio.h>

#include "vmcore/bsd/vm_page_int.h"

struct text {
	char *buf;
	size_t size, used; /* used: what it takes, cut off or not */
};

static void text_add(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
text_add(struct text *t, const char *fmt, ...)
{
	bool room = t->used < t->size;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? t->buf + t->used : NULL,
	    room ? t->size - t->used : 0, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
}

size_t
vm_page_print_page_info(const struct vm *vm, char *buf, size_t size)
{
	const struct vmmeter *c = &vm->cnt;
	const struct {
		const char *name;
		uint32_t value;
	} rows[] = {
		{ "v_free_count", c->v_free_count },
		{ "v_cache_count", c->v_cache_count },
		{ "v_inactive_count", c->v_inactive_count },
		{ "v_active_count", c->v_active_count },
		{ "v_wire_count", c->v_wire_count },
		{ "v_free_reserved", c->v_free_reserved },
		{ "v_free_min", c->v_free_min },
		{ "v_free_target", c->v_free_target },
		{ "v_cache_min", c->v_cache_min },
		{ "v_inactive_target", c->v_inactive_target },
	};
	struct text t = { buf, size, 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		text_add(&t, "cnt.%s: %u\n", rows[i].name, rows[i].value);
	return (t.used);
}

static void
text_add_colours(struct text *t, const struct vm *vm, const char *name,
    uint32_t first)
{
	uint32_t c;

	text_add(t, "%s:", name);
	for (c = 0; c < vm->pq_l2_size; c++)
		text_add(t, " %u", vm->pq[first + c].pq_cnt);
	text_add(t, "\n");
}

size_t
vm_page_print_pageq_info(const struct vm *vm, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };
	uint32_t active = 0, inactive = 0, d;

	text_add_colours(&t, vm, "PQ_FREE", PQ_FREE);
	text_add_colours(&t, vm, "PQ_CACHE", PQ_CACHE(vm));
	for (d = 0; d < VM_MAXDOMAINS; d++) {
		active += vm->dom[d].vmd_active.pq_cnt;
		inactive += vm->dom[d].vmd_inactive.pq_cnt;
	}
	text_add(&t, "PQ_ACTIVE: %u, PQ_INACTIVE: %u\n", active, inactive);
	return (t.used);
}
