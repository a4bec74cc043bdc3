/*
 * conform_bsd11_out.c: events and records of a bsd11 conformance run.
 *
 * Interface: conform_bsd11_int.h.
 * Source:    the vectors' README, sections 3 and 4.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "sim/conform_bsd11_int.h"

/* I inactive, A active, N no queue, F free, C cached. */
char
b11_queue(const struct b11 *w, const struct vm_page *m)
{
	if (m->queue == PQ_INACTIVE(w->vm))
		return ('I');
	if (m->queue == PQ_ACTIVE(w->vm))
		return ('A');
	if (vm_page_is_free_f11(m))
		return ('F');
	return (vm_page_is_cached_f11(w->vm, m) ? 'C' : 'N');
}

static cJSON *
letter(char c)
{
	char text[2] = { c, '\0' };

	return (cJSON_CreateString(text));
}

static void
event(struct b11 *w, const char *name, const char *types, va_list ap)
{
	cJSON *e;

	if (w->quiet || w->ev == NULL)
		return;
	e = cJSON_CreateArray();
	cJSON_AddItemToArray(w->ev, e);
	cJSON_AddItemToArray(e, cJSON_CreateString(name));
	for (; *types != '\0'; types++) {
		switch (*types) {
		case 'i':
			cJSON_AddItemToArray(e, cJSON_CreateNumber(
			    (double)va_arg(ap, int64_t)));
			break;
		case 'c':
			cJSON_AddItemToArray(e, letter((char)va_arg(ap, int)));
			break;
		case 'j':
			cJSON_AddItemToArray(e, va_arg(ap, cJSON *));
			break;
		default:
			cJSON_AddItemToArray(e, cJSON_CreateString(
			    va_arg(ap, const char *)));
			break;
		}
	}
	if (++w->nevents > B11_MAX_EVENTS)
		b11_bad(w, "more than %d events in one call", B11_MAX_EVENTS);
}

void
b11_ev(struct b11 *w, const char *name, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	event(w, name, types, ap);
	va_end(ap);
}

void
b11_detail(struct b11 *w, const char *name, const char *types, ...)
{
	va_list ap;

	if (!w->detail)
		return;
	va_start(ap, types);
	event(w, name, types, ap);
	va_end(ap);
}

/* ------------------------------------------------------------ rows */

/* Returns the columns that count: F and C rows end after the state. */
static int
page_row(const struct b11 *w, uint32_t i, int64_t *row)
{
	const struct vm_page *m = &w->vm->page_array[i];
	const struct b11_page *pg = &w->pages[i];
	char state = b11_queue(w, m);
	int64_t acc = 0, mod = 0;

	memset(row, 0, B11_ROW * sizeof(row[0]));
	row[0] = i;
	row[1] = state;
	if (state == 'F' || state == 'C')
		return (2);
	for (uint32_t k = 0; k < pg->nmaps; k++) {
		acc += pg->maps[k].acc;
		mod |= pg->maps[k].mod;
	}
	row[2] = m->act_count;
	row[3] = (m->flags & PG_WINATCFLS) != 0;
	row[4] = (m->flags & PG_REFERENCED) != 0;
	row[5] = m->valid;
	row[6] = m->dirty;
	row[7] = (m->flags & PG_BUSY) != 0 ? -1 : m->busy;
	row[8] = m->hold_count;
	row[9] = m->wire_count;
	row[10] = pg->nmaps;
	row[11] = acc;
	row[12] = mod;
	row[13] = b11_obj_index(w, m->object);
	row[14] = (int64_t)m->pindex;
	return (B11_ROW);
}

static void
object_row(const struct b11 *w, uint32_t i, int64_t *row)
{
	const struct vm_object *o = &w->objs[i];

	row[0] = o->ref_count;
	row[1] = o->paging_in_progress;
	row[2] = o->resident_page_count;
	row[3] = (o->flags & OBJ_DEAD) != 0;
}

static void
proc_row(const struct b11 *w, uint32_t i, int64_t *row)
{
	const struct proc *p = &w->procs[i].p;

	row[0] = (p->p_flag & P_WKILLED) != 0;
	row[1] = p->p_nice;
	row[2] = (p->p_sflag & PS_INMEM) != 0;
	row[3] = p->p_lock;
}

static int64_t
pmap_resident(const struct b11 *w, uint32_t i)
{
	return ((int64_t)w->vm->pmap->resident_count(w->vm,
	    (struct pmap *)&w->pmaps[i]));
}

void
b11_snapshot(struct b11 *w)
{
	uint32_t i;

	for (i = 0; i < w->npages; i++)
		(void)page_row(w, i, w->pages[i].row);
	for (i = 0; i < w->nobjs; i++)
		object_row(w, i, w->xobjs[i].row);
	for (i = 0; i < w->nprocs; i++)
		proc_row(w, i, w->procs[i].row);
	for (i = 0; i < w->npmaps; i++)
		w->pmaps[i].resident = pmap_resident(w, i);
}

/* ------------------------------------------------------------ records */

static void
add_int(cJSON *obj, const char *name, int64_t v)
{
	cJSON_AddItemToObject(obj, name, cJSON_CreateNumber((double)v));
}

void
b11_begin(struct b11 *w, const char *op)
{
	w->rec = cJSON_CreateObject();
	cJSON_AddItemToObject(w->rec, "op", cJSON_CreateString(op));
	w->ev = cJSON_CreateArray();
	w->nevents = 0;
}

static void
add_counters(struct b11 *w)
{
	const struct vm *vm = w->vm;
	const struct vm_pageout *po = vm->pageout;
	cJSON *c = cJSON_AddObjectToObject(w->rec, "cnt");

	add_int(c, "free", vm->cnt.v_free_count);
	add_int(c, "cache", vm->cnt.v_cache_count);
	add_int(c, "inactive", vm->cnt.v_inactive_count);
	add_int(c, "active", vm->cnt.v_active_count);
	add_int(c, "pdpages", vm->cnt.v_pdpages);
	add_int(c, "dfree", vm->cnt.v_dfree);
	add_int(c, "tfree", vm->cnt.v_tfree);
	add_int(c, "tcached", vm->cnt.v_tcached);
	add_int(c, "pdwakeups", vm->cnt.v_pdwakeups);
	add_int(c, "deficit", vm->vm_pageout_deficit);
	add_int(c, "needed", vm->vm_pages_needed);
	add_int(c, "lock_miss", po->pageout_lock_miss);
	add_int(c, "req_swapout", po->vm_pageout_req_swapout);
	add_int(c, "oom_vote", po->vm_pageout_oom_vote);
	add_int(c, "lowmem_uptime", po->lowmem_uptime);
}

/* Page indices from head to tail; -1 the head marker, -2 others. */
static void
add_queue(struct b11 *w, cJSON *d, const char *name,
    const struct vm_domain *vmd, const struct vm_pagequeue *pq)
{
	cJSON *list = cJSON_AddArrayToObject(d, name);
	struct vm_page *m;

	TAILQ_FOREACH(m, &pq->pq_pl, pageq) {
		int64_t i = m == &vmd->vmd_inacthead ? -1 :
		    (m->flags & PG_MARKER) != 0 ? -2 :
						  b11_index(w, m);

		cJSON_AddItemToArray(list, cJSON_CreateNumber((double)i));
	}
}

static void
add_domains(struct b11 *w)
{
	cJSON *list = cJSON_AddArrayToObject(w->rec, "dm");

	for (uint32_t i = 0; i < w->vm->ndomains; i++) {
		const struct vm_domain *vmd = &w->vm->dom[i];
		cJSON *d = cJSON_CreateObject();

		cJSON_AddItemToArray(list, d);
		add_queue(w, d, "inactive", vmd, &vmd->vmd_inactive);
		add_queue(w, d, "active", vmd, &vmd->vmd_active);
		add_int(d, "free", vmd->vmd_free_count);
		add_int(d, "last_scan", vmd->vmd_last_active_scan);
		add_int(d, "oom", vmd->vmd_oom);
		add_int(d, "oom_seq", vmd->vmd_oom_seq);
		add_int(d, "pass", vmd->vmd_pass);
	}
}

/* A changed row into the list `name`, made when first needed. */
static void
add_row(struct b11 *w, const char *name, const int64_t *row, int n, bool state)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(w->rec, name);
	cJSON *r = cJSON_CreateArray();

	if (list == NULL)
		list = cJSON_AddArrayToObject(w->rec, name);
	cJSON_AddItemToArray(list, r);
	for (int i = 0; i < n; i++)
		cJSON_AddItemToArray(r, state && i == 1 ?
			letter((char)row[i]) :
			cJSON_CreateNumber((double)row[i]));
}

static void
add_changes(struct b11 *w)
{
	int64_t row[B11_ROW];
	uint32_t i;

	for (i = 0; i < w->npages; i++) {
		int n = page_row(w, i, row);

		if (memcmp(row, w->pages[i].row, sizeof(row)) != 0)
			add_row(w, "pg", row, n, true);
	}
	for (i = 0; i < w->nobjs; i++) {
		row[0] = i;
		object_row(w, i, row + 1);
		if (memcmp(row + 1, w->xobjs[i].row, 4 * sizeof(*row)) != 0)
			add_row(w, "ob", row, 5, false);
	}
	for (i = 0; i < w->nprocs; i++) {
		row[0] = w->procs[i].p.p_pid;
		proc_row(w, i, row + 1);
		if (memcmp(row + 1, w->procs[i].row, 4 * sizeof(*row)) != 0)
			add_row(w, "pr", row, 5, false);
	}
	for (i = 0; i < w->npmaps; i++) {
		row[0] = i;
		row[1] = pmap_resident(w, i);
		if (row[1] != w->pmaps[i].resident)
			add_row(w, "pm", row, 2, false);
	}
}

void
b11_finish(struct b11 *w)
{
	cJSON_AddItemToObject(w->rec, "ev", w->ev);
	w->ev = NULL;
	add_counters(w);
	add_domains(w);
	add_changes(w);
	b11_snapshot(w);
}

/* ------------------------------------------------------------ dump */

/* The state before a call, for people: queues, then pages. */
void
b11_dump(struct b11 *w)
{
	FILE *out = w->run->out;
	int64_t row[B11_ROW];

	b11_begin(w, "state");
	add_counters(w);
	add_domains(w);
	fputs("    ", out);
	conform_print(out, cJSON_GetObjectItemCaseSensitive(w->rec, "cnt"));
	fputs("\n    ", out);
	conform_print(out, cJSON_GetObjectItemCaseSensitive(w->rec, "dm"));
	fputs("\n    pages: [page,state,act,winat,refd,valid,dirty,busy,hold,"
	      "wire,nmap,acc,mod,obj,pidx]\n",
	    out);
	for (uint32_t i = 0; i < w->npages; i++) {
		int n = page_row(w, i, row);

		fprintf(out, "      [%" PRIu32 ",%c", i, (char)row[1]);
		for (int k = 2; k < n; k++)
			fprintf(out, ",%" PRId64, row[k]);
		fputs("]\n", out);
	}
}
