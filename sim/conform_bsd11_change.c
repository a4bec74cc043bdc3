/*
 * conform_bsd11_change.c: the steps that change the world without calling the
 * algorithm.
 *
 * Interface: conform_bsd11_int.h.
 * Source:    the vectors' README, sections 1.1, 1.6 and 2.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd11_int.h"

/* ------------------------------------------------------------ variables */

struct b11_var {
	const char *name;
	bool in_pageout; /* a field of struct vm_pageout, else of struct vm */
	uint8_t bytes; /* 4 or 8 */
	size_t offset;
};
#define V(n, field) { n, false, sizeof(((struct vm *)0)->field), \
	offsetof(struct vm, field) }
#define P(n, field) { n, true, sizeof(((struct vm_pageout *)0)->field), \
	offsetof(struct vm_pageout, field) }

static const struct b11_var vars[] = {
	V("v_page_count", cnt.v_page_count),
	V("v_free_count", cnt.v_free_count),
	V("v_cache_count", cnt.v_cache_count),
	V("v_free_target", cnt.v_free_target),
	V("v_free_min", cnt.v_free_min),
	V("v_free_reserved", cnt.v_free_reserved),
	V("v_free_severe", cnt.v_free_severe),
	V("v_inactive_target", cnt.v_inactive_target),
	V("v_interrupt_free_min", cnt.v_interrupt_free_min),
	V("v_pageout_free_min", cnt.v_pageout_free_min),
	V("v_wire_count", cnt.v_wire_count),
	V("pages_needed", vm_pages_needed),
	V("pageout_deficit", vm_pageout_deficit),
	V("wakeup_thresh", vm_pageout_wakeup_thresh),
	V("swap_pager_avail", swap_pager_avail),
	P("page_count", vm_pageout_page_count),
	P("max_wired", vm_page_max_wired),
	P("pageout_oom_seq", vm_pageout_oom_seq),
	P("max_launder", vm_max_launder),
	P("pageout_update_period", vm_pageout_update_period),
	P("defer_swapspace_pageouts", defer_swap_pageouts),
	P("disable_swapspace_pageouts", disable_swap_pageouts),
	P("lowmem_period", lowmem_period),
	P("lowmem_uptime", lowmem_uptime),
	P("swap_enabled", vm_swap_enabled),
	P("swap_idle_enabled", vm_swap_idle_enabled),
	P("panic_on_oom", vm_panic_on_oom),
	P("req_swapout", vm_pageout_req_swapout),
	P("racct_enable", racct_enable),
};

void
b11_set_var(struct b11 *w, const char *name, const cJSON *value)
{
	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		const struct b11_var *v = &vars[i];
		char *at = v->in_pageout ? (char *)w->vm->pageout :
					   (char *)w->vm;
		int64_t n;

		if (strcmp(v->name, name) != 0)
			continue;
		if (v->bytes == sizeof(int64_t)) {
			n = b11_item(w, value, name, -(INT64_C(1) << 53),
			    INT64_C(1) << 53);
			memcpy(at + v->offset, &n, sizeof(n));
		} else {
			uint32_t u = (uint32_t)b11_item(w, value, name,
			    INT32_MIN, UINT32_MAX);

			memcpy(at + v->offset, &u, sizeof(u));
		}
		return;
	}
	b11_bad(w, "unknown variable \"%s\"", name);
}

/* ------------------------------------------------------------ mappings */

void
b11_add_map(struct b11 *w, struct b11_page *pg, int32_t pmap, bool acc,
    bool mod)
{
	if (pg->nmaps == pg->maps_room) {
		uint32_t room = pg->maps_room * 2 + 4;
		struct b11_map *maps = realloc(pg->maps,
		    room * sizeof(*maps));

		if (maps == NULL)
			b11_stop(w, -ENOMEM);
		pg->maps = maps;
		pg->maps_room = room;
	}
	pg->maps[pg->nmaps++] = (struct b11_map) { pmap, acc, mod };
	if (pmap >= 0)
		w->pmaps[pmap].mapped++;
}

/* A mapping goes: its bits become the page's. */
static void
lose_map(struct b11 *w, struct vm_page *m, const struct b11_map *map)
{
	if (map->pmap >= 0)
		w->pmaps[map->pmap].mapped--;
	if (map->acc)
		m->flags |= PG_REFERENCED;
	if (map->mod)
		m->dirty = VM_PAGE_BITS_ALL;
}

void
b11_drop_maps(struct b11 *w, struct vm_page *m)
{
	struct b11_page *pg = b11_page(w, m);

	for (uint32_t k = 0; k < pg->nmaps; k++)
		lose_map(w, m, &pg->maps[k]);
	pg->nmaps = 0;
}

void
b11_drop_maps_of(struct b11 *w, struct vm_page *m, int32_t pmap)
{
	struct b11_page *pg = b11_page(w, m);
	uint32_t kept = 0;

	for (uint32_t k = 0; k < pg->nmaps; k++) {
		if (pg->maps[k].pmap == pmap)
			lose_map(w, m, &pg->maps[k]);
		else
			pg->maps[kept++] = pg->maps[k];
	}
	pg->nmaps = kept;
}

/* ------------------------------------------------------------ pages */

/* Changes of one page in use; `n` is the step's number where it has one. */
typedef void page_change(struct b11 *w, struct vm_page *m, const cJSON *step);

static void
ch_touch(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	struct b11_page *pg = b11_page(w, m);
	int64_t acc = b11_int(w, step, "acc", 0, 0, B11_MAX_MAPS);

	for (uint32_t k = 0; k < pg->nmaps && acc > 0; k++) {
		acc -= !pg->maps[k].acc;
		pg->maps[k].acc = true;
	}
	if (b11_int(w, step, "mod", 0, 0, 1) && pg->nmaps > 0)
		pg->maps[0].mod = true;
	if (b11_int(w, step, "refd", 0, 0, 1))
		m->flags |= PG_REFERENCED;
}

/* Map a page n times, cleanly, if it may be mapped at all. */
static void
map_page(struct b11 *w, struct vm_page *m, int64_t n, int32_t pmap)
{
	struct b11_page *pg = b11_page(w, m);

	if (m->object->ref_count == 0 || m->valid != VM_PAGE_BITS_ALL ||
	    pg->nmaps + n > 16)
		return;
	for (; n > 0; n--)
		b11_add_map(w, pg, pmap, false, false);
}

static void
ch_map(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	map_page(w, m, b11_int(w, step, "n", 1, 0, B11_MAX_MAPS),
	    (int32_t)b11_int(w, step, "pmap", -1, -1,
	    (int64_t)w->npmaps - 1));
}

static void
ch_unmap(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	(void)step;
	b11_drop_maps(w, m);
}

static void
ch_hold(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	int64_t n = m->hold_count + b11_int(w, step, "n", 1, -30000, 30000);

	if (n > INT16_MAX)
		b11_bad(w, "more than %d holds of a page", INT16_MAX);
	m->hold_count = (int16_t)(n < 0 ? 0 : n);
}

static void
ch_sbusy(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	int64_t n = m->busy + b11_int(w, step, "n", 1, -255, 255);
	int64_t least = b11_page(w, m)->inflight;

	if (m->flags & PG_BUSY)
		return;
	if (n > UINT8_MAX)
		b11_bad(w, "more than %d holders of a busy page", UINT8_MAX);
	m->busy = (uint8_t)(n < least ? least : n);
}

static void
ch_xbusy(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	if (b11_int(w, step, "n", 1, 0, 1) == 0)
		m->flags &= (uint16_t)~PG_BUSY;
	else if (!vm_page_busied(m))
		m->flags |= PG_BUSY;
}

static void
ch_dirty(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	struct b11_page *pg = b11_page(w, m);
	uint8_t val = (uint8_t)b11_int(w, step, "val", 255, 0, 255);

	if (m->valid != VM_PAGE_BITS_ALL)
		return;
	m->dirty = val;
	for (uint32_t k = 0; k < pg->nmaps && val == 0; k++)
		pg->maps[k].mod = false;
}

static void
ch_winat(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	m->flags &= (uint16_t)~PG_WINATCFLS;
	if (b11_int(w, step, "n", 1, 0, 1))
		m->flags |= PG_WINATCFLS;
}

#define QUEUE_CHANGE(name, call)                                        \
	static void name(struct b11 *w, struct vm_page *m,              \
	    const cJSON *step)                                          \
	{                                                               \
		(void)step;                                             \
		call(w->vm, m);                                         \
	}
QUEUE_CHANGE(ch_activate, vm_page_activate_f11)
QUEUE_CHANGE(ch_deactivate, vm_page_deactivate_f11)
QUEUE_CHANGE(ch_noreuse, vm_page_deactivate_noreuse_f11)

static bool
queued(const struct b11 *w, const struct vm_page *m)
{
	return (m->queue == PQ_INACTIVE(w->vm) || m->queue == PQ_ACTIVE(w->vm));
}

static void
ch_requeue(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	(void)step;
	if (queued(w, m))
		vm_page_requeue_f11(w->vm, m);
}

static void
ch_dequeue(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	(void)step;
	if (queued(w, m))
		vm_page_dequeue_f11(w->vm, m);
}

static void
ch_free(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	(void)step;
	if (m->hold_count != 0 || m->wire_count != 0 || m->busy != 0)
		return;
	b11_drop_maps(w, m);
	vm_page_toq_f11(w->vm, m);
}

static void
ch_rename(struct b11 *w, struct vm_page *m, const cJSON *step)
{
	struct vm_object *o = &w->objs[b11_idx(w, step, "obj", w->nobjs)];
	vm_pindex_t pidx = (vm_pindex_t)b11_int(w, step, "pidx", 0, 0,
	    INT64_C(1) << 53);
	uint16_t xbusy;

	if (m->valid != VM_PAGE_BITS_ALL || m->busy != 0 ||
	    vm_page_lookup_f11(o, pidx) != NULL)
		return;
	b11_drop_maps(w, m);
	xbusy = m->flags & PG_BUSY; /* its owner is the one who moves it */
	vm_page_remove_f11(w->vm, m);
	vm_page_insert_f11(w->vm, m, o, pidx);
	m->flags |= xbusy;
	m->dirty = VM_PAGE_BITS_ALL;
}

static const struct {
	const char *name;
	page_change *fn;
} page_changes[] = {
	{ "touch", ch_touch },
	{ "map", ch_map },
	{ "unmap", ch_unmap },
	{ "hold", ch_hold },
	{ "sbusy", ch_sbusy },
	{ "xbusy", ch_xbusy },
	{ "dirty", ch_dirty },
	{ "winat", ch_winat },
	{ "activate", ch_activate },
	{ "deactivate", ch_deactivate },
	{ "noreuse", ch_noreuse },
	{ "requeue", ch_requeue },
	{ "dequeue", ch_dequeue },
	{ "free", ch_free },
	{ "rename", ch_rename },
};

static bool
change_page(struct b11 *w, const char *op, const cJSON *step)
{
	struct vm_page *m;

	for (size_t i = 0; i < sizeof(page_changes) / sizeof(page_changes[0]);
	     i++) {
		if (strcmp(page_changes[i].name, op) != 0)
			continue;
		m = &w->vm->page_array[b11_idx(w, step, "page", w->npages)];
		if (m->object != NULL)
			page_changes[i].fn(w, m, step);
		return (true);
	}
	return (false);
}

/* ------------------------------------------------------------ others */

/* Off the free or cache count, flags and busy state reset. */
static void
alloc_take(struct b11 *w, struct vm_page *m)
{
	struct vm *vm = w->vm;

	if (vm_page_is_free_f11(m)) {
		vm->cnt.v_free_count--;
		vm->dom[m->domain].vmd_free_count--;
	} else
		vm->cnt.v_cache_count--;
	m->queue = PQ_NONE;
	m->flags = 0;
	m->busy = 0;
}

static void
ch_alloc(struct b11 *w, const cJSON *step)
{
	struct vm_page *m;
	struct vm_object *o = &w->objs[b11_idx(w, step, "obj", w->nobjs)];
	vm_pindex_t pidx = (vm_pindex_t)b11_int(w, step, "pidx", 0, 0,
	    INT64_C(1) << 53);
	const char *q = b11_str(w, step, "q", "");
	int64_t nmap = b11_int(w, step, "nmap", 0, 0, B11_MAX_MAPS);

	m = &w->vm->page_array[b11_idx(w, step, "page", w->npages)];
	if (m->object != NULL || vm_page_lookup_f11(o, pidx) != NULL)
		return;
	alloc_take(w, m);
	m->valid = (uint8_t)b11_int(w, step, "valid", 255, 0, 255);
	m->dirty = (uint8_t)b11_int(w, step, "dirty", 0, 0, 255);
	m->act_count = (uint8_t)b11_int(w, step, "act", 0, 0, 255);
	vm_page_insert_f11(w->vm, m, o, pidx);
	map_page(w, m, nmap, -1);
	if (q[0] == 'A')
		b11_enqueue(w, m, PQ_ACTIVE(w->vm));
	else if (q[0] == 'I')
		b11_enqueue(w, m, PQ_INACTIVE(w->vm));
}

/* One asynchronous write of the page ends. */
static void
iodone(struct b11 *w, struct vm_page *m, bool ok)
{
	struct b11_page *pg = b11_page(w, m);

	if (m->object == NULL || pg->inflight == 0)
		return;
	pg->inflight--;
	if (ok)
		m->dirty = 0;
	else {
		m->dirty = VM_PAGE_BITS_ALL;
		vm_page_activate_f11(w->vm, m);
	}
	m->busy--;
	m->object->paging_in_progress--;
}

static void
ch_iodone(struct b11 *w, const cJSON *step)
{
	bool ok = b11_int(w, step, "ok", 1, 0, 1) != 0;
	int64_t page = b11_int(w, step, "page", -1, -1,
	    (int64_t)w->npages - 1);

	if (page >= 0) {
		iodone(w, &w->vm->page_array[page], ok);
		return;
	}
	for (uint32_t i = 0; i < w->npages; i++)
		iodone(w, &w->vm->page_array[i], ok);
}

static void
ch_tick(struct b11 *w, const cJSON *step)
{
	int64_t n = b11_int(w, step, "n", 1, 0, INT64_C(1) << 40);

	w->ticks = (int32_t)((uint32_t)w->ticks + (uint32_t)n);
	w->elapsed += n;
}

static void
ch_objref(struct b11 *w, const cJSON *step)
{
	struct vm_object *o = &w->objs[b11_idx(w, step, "obj", w->nobjs)];
	int64_t n = o->ref_count + b11_int(w, step, "n", 1, -100000, 100000);

	if (n > INT32_MAX)
		b11_bad(w, "more than %d references", INT32_MAX);
	o->ref_count = (int32_t)(n < 0 ? 0 : n);
}

static void
ch_addfree(struct b11 *w, const cJSON *step)
{
	int64_t n = b11_int(w, step, "n", 0, INT32_MIN, INT32_MAX);
	int64_t d = b11_int(w, step, "dom", 0, 0,
	    (int64_t)w->vm->ndomains - 1);

	w->vm->cnt.v_free_count += (uint32_t)n;
	w->vm->dom[d].vmd_free_count += (uint32_t)n;
}

static void
ch_procflag(struct b11 *w, const cJSON *step)
{
	struct b11_proc *xp = b11_proc(w, b11_int(w, step, "pid", -1,
	    INT32_MIN, INT32_MAX));

	if (strcmp(b11_str(w, step, "flag", "INMEM"), "INMEM") != 0)
		b11_bad(w, "\"flag\" can only be \"INMEM\"");
	if (b11_int(w, step, "n", 1, 0, 1))
		xp->p.p_sflag |= PS_INMEM;
	else
		xp->p.p_sflag &= ~(uint32_t)PS_INMEM;
}

static bool
change(struct b11 *w, const char *op, const cJSON *step)
{
	if (change_page(w, op, step))
		return (true);
	if (strcmp(op, "tick") == 0)
		ch_tick(w, step);
	else if (strcmp(op, "set") == 0)
		b11_set_var(w, b11_str(w, step, "var", ""),
		    cJSON_GetObjectItemCaseSensitive(step, "val"));
	else if (strcmp(op, "alloc") == 0)
		ch_alloc(w, step);
	else if (strcmp(op, "iodone") == 0)
		ch_iodone(w, step);
	else if (strcmp(op, "objref") == 0)
		ch_objref(w, step);
	else if (strcmp(op, "objdead") == 0)
		w->objs[b11_idx(w, step, "obj", w->nobjs)].flags |= OBJ_DEAD;
	else if (strcmp(op, "addfree") == 0)
		ch_addfree(w, step);
	else if (strcmp(op, "procflag") == 0)
		ch_procflag(w, step);
	else
		return (false);
	return (true);
}

bool
b11_change(struct b11 *w, const cJSON *step)
{
	bool quiet = w->quiet, did;

	w->quiet = true;
	did = change(w, b11_str(w, step, "op", ""), step);
	w->quiet = quiet;
	return (did);
}

/* A list inside a call: only changes are allowed. */
void
b11_changes(struct b11 *w, const cJSON *list)
{
	const cJSON *step;

	cJSON_ArrayForEach(step, list) {
		if (!b11_change(w, step))
			b11_bad(w, "\"%s\" is no change of the world",
			    b11_str(w, step, "op", ""));
	}
}
