/*
 * conform_bsd5_state.c: the state of a bsd5 scenario as its format writes it:
 * whole (snap), and what one op changed.
 *
 * Interface: sim/conform_bsd5.h.
 * Source:    README of the vectors, section 1.2.
 * Differs:   on large machines an outcome looks only at the pages that the op
 *            has worked on (bsd5_touch).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd5.h"

static const char *const counter_names[C_COUNT] = { "free", "cache", "inact",
	"act", "wire", "react", "tfree", "zero", "deficit", "pgneed",
	"pdneed" };
static const char *const field_names[F_COUNT] = { "fl", "act", "wire", "hold",
	"busy", "v", "d", "cow", "mmu", "o", "pi" };

static void
add_number(cJSON *array, int64_t v)
{
	cJSON_AddItemToArray(array, cJSON_CreateNumber((double)v));
}

static void
add_string(cJSON *array, const char *s)
{
	cJSON_AddItemToArray(array, cJSON_CreateString(s));
}

#define SCAN_MAX 65536 /* pages that are all looked at after each op */

/* ------------------------------------------------------------ touching */

int
bsd5_state_create(struct bsd5 *d)
{
	bool all = d->npages <= SCAN_MAX;

	d->rows = calloc(d->npages + 1, sizeof(*d->rows));
	if (!all) {
		d->touched = calloc(d->npages, sizeof(*d->touched));
		d->is_touched = calloc(d->npages, 1);
	}
	if (d->rows == NULL || (!all && (d->touched == NULL ||
	    d->is_touched == NULL)))
		return (conform_bad(d->run, "no memory"));
	return (0);
}

void
bsd5_state_free(struct bsd5 *d)
{
	free(d->rows);
	free(d->touched);
	free(d->is_touched);
}

/*
 * What an op may change: its arguments and those of its scripts, its result,
 * pages that change queues, that somebody sleeps on or is woken from, and the
 * pages of U areas. A "snap" shows all pages, whatever was touched.
 */
void
bsd5_touch(struct bsd5 *d, const struct vm_page *m)
{
	uint32_t i;

	if (m == NULL || d->touched == NULL)
		return;
	i = bsd5_page_index(d, m);
	if (d->is_touched[i] != 0)
		return;
	d->is_touched[i] = 1;
	d->touched[d->ntouched++] = i;
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y ? -1 : x > y);
}

/* ------------------------------------------------------------ reading */

static void
read_counters(const struct vm *vm, int64_t *c)
{
	c[C_FREE] = vm->cnt.v_free_count;
	c[C_CACHE] = vm->cnt.v_cache_count;
	c[C_INACT] = vm->cnt.v_inactive_count;
	c[C_ACT] = vm->cnt.v_active_count;
	c[C_WIRE] = vm->cnt.v_wire_count;
	c[C_REACT] = vm->cnt.v_reactivated;
	c[C_TFREE] = vm->cnt.v_tfree;
	c[C_ZERO] = vm->page_zero_count;
	c[C_DEFICIT] = vm->vm_pageout_deficit;
	c[C_PGNEED] = vm->vm_pages_needed;
	c[C_PDNEED] = vm->vm_pageout_pages_needed;
}

static bool
is_idle(const struct vm *vm, const struct vm_page *m)
{
	enum vm_queue q = vm_queue_of(vm, m, m->queue);

	return (q == VMQ_FREE || q == VMQ_HOLD);
}

/* Flags and activity of a page waiting to be reused mean nothing. */
static void
read_page(const struct bsd5 *d, uint32_t i, struct bsd5_row *row)
{
	const struct vm_page *m = &d->vm->page_array[i];
	bool idle = is_idle(d->vm, m);
	int64_t *f = row->field;

	f[F_FL] = idle ? m->flags & PG_ZERO : m->flags;
	f[F_ACT] = idle ? 0 : m->act_count;
	f[F_WIRE] = m->wire_count;
	f[F_HOLD] = m->hold_count;
	f[F_BUSY] = m->busy;
	f[F_V] = m->valid;
	f[F_D] = m->dirty;
	f[F_COW] = m->cow;
	f[F_MMU] = d->mmu[i];
	f[F_O] = m->object != NULL ? (int64_t)m->object->id - 1 : -1;
	f[F_PI] = m->object != NULL ? (int64_t)m->pindex : 0;
}

/* The state that the first op starts from; each outcome keeps it current. */
void
bsd5_remember(struct bsd5 *d)
{
	uint32_t i;

	read_counters(d->vm, d->was);
	for (i = 0; i < d->npages; i++)
		read_page(d, i, &d->rows[i]);
	for (i = 0; i < d->nobjs; i++) {
		d->objs[i]->was_resident = d->objs[i]->obj.resident_page_count;
		d->objs[i]->was_flags = d->objs[i]->obj.flags;
	}
	if (d->glue != NULL)
		bsd5_glue_remember(d);
}

/* ------------------------------------------------------------ an outcome */

static cJSON *
moves_json(const struct bsd5 *d)
{
	cJSON *q = cJSON_CreateArray(), *row;
	size_t i;

	for (i = 0; i < d->nmoves; i++) {
		const struct bsd5_move *mv = &d->moves[i];

		row = cJSON_CreateArray();
		add_number(row, mv->page);
		add_string(row, mv->from);
		add_string(row, mv->to);
		if (mv->to[0] != '-')
			add_string(row, mv->head ? "H" : "T");
		cJSON_AddItemToArray(q, row);
	}
	return (q);
}

static cJSON *
changed_counters(struct bsd5 *d)
{
	cJSON *c = cJSON_CreateObject();
	int64_t now[C_COUNT];
	int i;

	read_counters(d->vm, now);
	for (i = 0; i < C_COUNT; i++)
		if (now[i] != d->was[i])
			cJSON_AddNumberToObject(c, counter_names[i],
			    (double)now[i]);
	memcpy(d->was, now, sizeof(d->was));
	return (c);
}

static void
add_changed_page(struct bsd5 *d, cJSON *p, uint32_t i)
{
	struct bsd5_row now;
	cJSON *row;
	int f;

	read_page(d, i, &now);
	if (memcmp(&now, &d->rows[i], sizeof(now)) == 0)
		return;
	row = cJSON_CreateArray();
	add_number(row, i);
	for (f = 0; f < F_COUNT; f++) {
		if (now.field[f] == d->rows[i].field[f])
			continue;
		add_string(row, field_names[f]);
		add_number(row, now.field[f]);
	}
	d->rows[i] = now;
	cJSON_AddItemToArray(p, row);
}

static cJSON *
changed_pages(struct bsd5 *d)
{
	cJSON *p = cJSON_CreateArray();
	uint32_t i;

	for (i = 0; d->touched == NULL && i < d->npages; i++)
		add_changed_page(d, p, i);
	if (d->touched == NULL)
		return (p);
	qsort(d->touched, d->ntouched, sizeof(*d->touched), by_number);
	for (i = 0; i < d->ntouched; i++) {
		add_changed_page(d, p, d->touched[i]);
		d->is_touched[d->touched[i]] = 0;
	}
	d->ntouched = 0;
	return (p);
}

static cJSON *
changed_objects(struct bsd5 *d)
{
	cJSON *ob = cJSON_CreateArray(), *row;
	uint32_t i;

	for (i = 0; i < d->nobjs; i++) {
		struct bsd5_object *o = d->objs[i];

		if (o->obj.resident_page_count == o->was_resident &&
		    o->obj.flags == o->was_flags)
			continue;
		o->was_resident = o->obj.resident_page_count;
		o->was_flags = o->obj.flags;
		row = cJSON_CreateArray();
		add_number(row, i);
		add_number(row, o->obj.resident_page_count);
		add_number(row, o->obj.flags);
		cJSON_AddItemToArray(ob, row);
	}
	return (ob);
}

static void
add_result(struct bsd5 *d, cJSON *exp)
{
	switch (d->result) {
	case R_NONE:
		break;
	case R_PAGE:
		if (d->r_page != NULL)
			cJSON_AddNumberToObject(exp, "r",
			    bsd5_page_index(d, d->r_page));
		else
			cJSON_AddNullToObject(exp, "r");
		break;
	case R_INT:
		cJSON_AddNumberToObject(exp, "r", (double)d->r_int);
		break;
	case R_JSON:
		cJSON_AddItemToObject(exp, "r", d->r_json);
		d->r_json = NULL;
		break;
	}
}

void
bsd5_add_unless_empty(cJSON *exp, const char *name, cJSON *value)
{
	if (value->child == NULL)
		cJSON_Delete(value);
	else
		cJSON_AddItemToObject(exp, name, value);
}

/*
 * What the op just done returned, did and changed since the outcome before.
 * On a refusal nothing more is said, and the scenario ends.
 */
cJSON *
bsd5_outcome(struct bsd5 *d, bool blocked)
{
	cJSON *exp = cJSON_CreateObject();

	if (d->err[0] != '\0') {
		cJSON_AddStringToObject(exp, "err", d->err);
		return (exp);
	}
	if (blocked)
		cJSON_AddNumberToObject(exp, "blk", 1);
	else
		add_result(d, exp);
	bsd5_add_unless_empty(exp, "q", moves_json(d));
	bsd5_add_unless_empty(exp, "c", changed_counters(d));
	bsd5_add_unless_empty(exp, "p", changed_pages(d));
	bsd5_add_unless_empty(exp, "ob", changed_objects(d));
	if (d->glue != NULL)
		bsd5_glue_outcome(d, exp);
	bsd5_add_unless_empty(exp, "ev", d->events);
	d->events = NULL;
	return (exp);
}

/* ------------------------------------------------------------ all of it */

static void
add_queue(cJSON *qs, const struct vm_pagequeue *pq, uint32_t first_page,
    const char *fmt, uint32_t colour)
{
	const struct vm_page *m;
	char name[16];
	cJSON *row;

	if (TAILQ_EMPTY(&pq->pq_pl))
		return;
	snprintf(name, sizeof(name), fmt, colour);
	row = cJSON_AddArrayToObject(qs, name);
	TAILQ_FOREACH (m, &pq->pq_pl, pageq)
		add_number(row, m->pfn - first_page);
}

/* Every queue that is not empty, head to tail. */
cJSON *
bsd5_queues(struct vm *vm, uint32_t first_page)
{
	cJSON *qs = cJSON_CreateObject();
	uint32_t c;

	for (c = 0; c < vm->pq_l2_size; c++)
		add_queue(qs, &vm->pq[PQ_FREE + c], first_page, "F%u", c);
	for (c = 0; c < vm->pq_l2_size; c++)
		add_queue(qs, &vm->pq[PQ_CACHE(vm) + c], first_page, "C%u",
		    c);
	add_queue(qs, &vm->dom[0].vmd_active, first_page, "A", 0);
	add_queue(qs, &vm->dom[0].vmd_inactive, first_page, "I", 0);
	add_queue(qs, &vm->pq[PQ_HOLD(vm)], first_page, "H", 0);
	return (qs);
}

static void
page_queue_name(const struct vm *vm, const struct vm_page *m, char *buf,
    size_t size)
{
	enum vm_queue q = vm_queue_of(vm, m, m->queue);
	static const char letters[VMQ_COUNT + 1] = "-FCIAH--";

	if (q == VMQ_FREE || q == VMQ_CACHE)
		snprintf(buf, size, "%c%u", letters[q], m->pc);
	else
		snprintf(buf, size, "%c", letters[q]);
}

static cJSON *
all_pages(const struct bsd5 *d)
{
	cJSON *pages = cJSON_CreateArray(), *row;
	struct bsd5_row r;
	char queue[16];
	uint32_t i;
	int f;

	for (i = 0; i < d->npages; i++) {
		read_page(d, i, &r);
		page_queue_name(d->vm, &d->vm->page_array[i], queue,
		    sizeof(queue));
		if (queue[0] == 'F' && r.field[F_FL] == 0 &&
		    r.field[F_COW] == 0 && r.field[F_MMU] == 0)
			continue;
		row = cJSON_CreateArray();
		add_number(row, i);
		add_string(row, queue);
		for (f = 0; f < F_COUNT; f++)
			add_number(row, r.field[f]);
		cJSON_AddItemToArray(pages, row);
	}
	return (pages);
}

static cJSON *
all_objects(const struct bsd5 *d)
{
	cJSON *objs = cJSON_CreateArray(), *row, *list;
	const struct vm_page *m;
	uint32_t i;

	for (i = 0; i < d->nobjs; i++) {
		row = cJSON_CreateArray();
		list = cJSON_CreateArray();
		add_number(row, i);
		add_number(row, d->objs[i]->obj.resident_page_count);
		add_number(row, d->objs[i]->obj.flags);
		TAILQ_FOREACH (m, &d->objs[i]->obj.memq, listq)
			add_number(list, bsd5_page_index(d, m));
		cJSON_AddItemToArray(row, list);
		cJSON_AddItemToArray(objs, row);
	}
	return (objs);
}

cJSON *
bsd5_snapshot(struct bsd5 *d)
{
	cJSON *exp = cJSON_CreateObject(), *c;
	int64_t now[C_COUNT];
	int i;

	cJSON_AddItemToObject(exp, "qs", bsd5_queues(d->vm,
	    d->vm->first_page));
	c = cJSON_AddObjectToObject(exp, "c");
	read_counters(d->vm, now);
	for (i = 0; i < C_COUNT; i++)
		cJSON_AddNumberToObject(c, counter_names[i], (double)now[i]);
	cJSON_AddItemToObject(exp, "pages", all_pages(d));
	cJSON_AddItemToObject(exp, "objs", all_objects(d));
	if (d->glue != NULL)
		bsd5_glue_snapshot(d, exp);
	return (exp);
}

/* The snapshot for people. */
void
bsd5_dump(struct bsd5 *d)
{
	cJSON *snap = bsd5_snapshot(d);
	const cJSON *part, *row;
	FILE *out = d->run->out;

	fputs("      counters ", out);
	conform_print(out, cJSON_GetObjectItemCaseSensitive(snap, "c"));
	fputs("\n      queues", out);
	part = cJSON_GetObjectItemCaseSensitive(snap, "qs");
	cJSON_ArrayForEach(row, part) {
		fprintf(out, " %s:", row->string);
		conform_print(out, row);
	}
	fputs("\n      pages [page,queue,fl,act,wire,hold,busy,v,d,cow,mmu,"
	    "o,pi]; other free pages are plain\n", out);
	part = cJSON_GetObjectItemCaseSensitive(snap, "pages");
	cJSON_ArrayForEach(row, part) {
		fputs("        ", out);
		conform_print(out, row);
		putc('\n', out);
	}
	fputs("      objects [id,resident,flags,[pages]]\n", out);
	part = cJSON_GetObjectItemCaseSensitive(snap, "objs");
	cJSON_ArrayForEach(row, part) {
		fputs("        ", out);
		conform_print(out, row);
		putc('\n', out);
	}
	cJSON_Delete(snap);
}
