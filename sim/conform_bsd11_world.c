/*
 * conform_bsd11_world.c: the initial state of a bsd11 scenario.
 *
 * Interface: conform_bsd11_int.h.
 * Source:    the vectors' README, sections 1.1 to 1.5 and 1.8.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd11_int.h"

#define PIDX_MAX (INT64_C(1) << 53) /* all numbers are below */
#define PA_MAX ((INT64_C(1) << 44) - PAGE_SIZE)

/* Position of a name in a NULL-terminated list; malformed when not there. */
static int
name_index(struct b11 *w, const char *what, const char *name,
    const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0)
			return (i);
	}
	b11_bad(w, "unknown %s \"%s\"", what, name);
}

void
b11_enqueue(struct b11 *w, struct vm_page *m, uint32_t queue)
{
	struct vm_domain *vmd = &w->vm->dom[m->domain];
	struct vm_pagequeue *pq = queue == PQ_ACTIVE(w->vm) ?
	    &vmd->vmd_active : &vmd->vmd_inactive;

	m->queue = (uint16_t)queue;
	TAILQ_INSERT_TAIL(&pq->pq_pl, m, pageq);
	pq->pq_cnt++;
	++*pq->pq_vcnt;
}

/* ------------------------------------------------------------ kernel */

static void
queue_init(struct vm_pagequeue *pq, uint32_t *vcnt)
{
	TAILQ_INIT(&pq->pq_pl);
	pq->pq_vcnt = vcnt;
}

static void
build_options(struct b11 *w)
{
	const cJSON *cfg = cJSON_GetObjectItemCaseSensitive(w->in, "cfg");
	struct vm_pageout *po = w->vm->pageout;

	po->opt_maxmemdom = (int32_t)b11_int(w, cfg, "maxmemdom", 1, 1,
	    VM_MAXDOMAINS);
	po->opt_racct = (int32_t)b11_int(w, cfg, "racct", 0, 0, 1);
	po->opt_no_swapping = (int32_t)b11_int(w, cfg, "no_swapping", 0, 0, 1);
	po->vm_swap_enabled = !po->opt_no_swapping;
}

static void
build_vars(struct b11 *w, const char *member)
{
	const cJSON *v;

	cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(w->in, member))
		b11_set_var(w, v->string != NULL ? v->string : "", v);
}

static void
build_kernel(struct b11 *w)
{
	struct vm *vm = w->vm = b11_alloc(w, 1, sizeof(*vm));

	vm->sim = w->sim;
	vm->kernel_private = w;
	vm->pageproc = &w->pageproc;
	vm->pmap = &b11_pmap_ops;
	vm->pq_l2_size = 1;
	vm->invariants = true;
	TAILQ_INIT(&vm->object_list);
	TAILQ_INIT(&vm->allproc);
	vm->hz = (int32_t)b11_int(w, w->in, "hz", 1000, 1, 1000000);
	vm->ndomains = (uint32_t)b11_int(w, w->in, "ndom", 1, 1,
	    VM_MAXDOMAINS);
	w->ticks = (int32_t)b11_int(w, w->in, "ticks", 1000, INT32_MIN,
	    INT32_MAX);
	w->uptime = b11_int(w, w->in, "uptime", 1000, 0, PIDX_MAX);
	w->second = b11_int(w, w->in, "second", 1000000, 0, PIDX_MAX);
	w->detail = b11_int(w, w->in, "detail", 0, 0, 1) != 0;
	w->put_default = b11_pager_status(w, b11_str(w, w->in, "put_default",
	    "OK"));
	if (vm_pageout_create_with(vm, &b11_page_ops, &b11_env, w) != 0)
		b11_stop(w, -ENOMEM);
	build_options(w);
	build_vars(w, "vm");
	build_vars(w, "tun");
	for (uint32_t d = 0; d < vm->ndomains; d++) {
		queue_init(&vm->dom[d].vmd_inactive, &vm->cnt.v_inactive_count);
		queue_init(&vm->dom[d].vmd_active, &vm->cnt.v_active_count);
	}
}

/* ------------------------------------------------------------ objects */

static void
build_object(struct b11 *w, struct vm_object *o, const cJSON *in, uint32_t id)
{
	/* in the order of enum obj_type */
	static const char *const types[] = { "default", "swap", "vnode",
		"device", "phys", NULL };
	int64_t backing;

	TAILQ_INIT(&o->memq);
	o->id = id + 1;
	o->pagerops = &b11_pager_ops;
	o->type = (uint8_t)name_index(w, "object type",
	    b11_str(w, in, "type", "default"), types);
	o->ref_count = (int32_t)b11_int(w, in, "ref", 1, 0, INT32_MAX);
	o->size = (vm_pindex_t)b11_int(w, in, "size", 1 << 20, 0, PIDX_MAX);
	if (b11_int(w, in, "dead", 0, 0, 1))
		o->flags |= OBJ_DEAD;
	if (b11_int(w, in, "fict", 0, 0, 1))
		o->flags |= OBJ_FICTITIOUS;
	if (b11_int(w, in, "unman", 0, 0, 1))
		o->flags |= OBJ_UNMANAGED;
	o->shadow_count = (int32_t)b11_int(w, in, "shadow", 0, 0, INT32_MAX);
	o->paging_in_progress = (int32_t)b11_int(w, in, "pip", 0, 0, 1 << 30);
	o->resident_page_count = (int32_t)b11_int(w, in, "res", 0, 0, 1 << 30);
	backing = b11_int(w, in, "backing", -1, -1, (int64_t)w->nobjs - 1);
	if (backing >= 0)
		o->backing_object = &w->objs[backing];
	w->xobjs[id].shared_writes = b11_int(w, in, "shwr", 0, 0, 1) != 0;
}

/* A chain of backing objects that comes back to itself has no end. */
static void
check_backing(struct b11 *w)
{
	for (uint32_t i = 0; i < w->nobjs; i++) {
		const struct vm_object *o = &w->objs[i];
		uint32_t steps = 0;

		while ((o = o->backing_object) != NULL) {
			if (++steps > w->nobjs)
				b11_bad(w, "object %u backs itself", i);
		}
	}
}

static void
build_objects(struct b11 *w)
{
	const cJSON *list = b11_array(w, w->in, "objs"), *in;
	uint32_t i = 0;

	w->nobjs = (uint32_t)cJSON_GetArraySize(list);
	w->objs = b11_alloc(w, w->nobjs, sizeof(w->objs[0]));
	w->xobjs = b11_alloc(w, w->nobjs, sizeof(w->xobjs[0]));
	cJSON_ArrayForEach(in, list) {
		build_object(w, &w->objs[i], in, i);
		i++;
	}
	check_backing(w);
}

/* ------------------------------------------------------------ pages */

static void
build_maps(struct b11 *w, struct b11_page *pg, const cJSON *in)
{
	const cJSON *maps = b11_array(w, in, "maps"), *map;
	int64_t nmap = b11_int(w, in, "nmap", 0, 0, B11_MAX_MAPS);
	int64_t acc = b11_int(w, in, "acc", 0, 0, B11_MAX_MAPS);
	int64_t mod = b11_int(w, in, "mod", 0, 0, 1);

	if (maps == NULL) {
		for (int64_t k = 0; k < nmap; k++)
			b11_add_map(w, pg, -1, k < acc, mod && k == 0);
		return;
	}
	cJSON_ArrayForEach(map, maps) {
		if (!cJSON_IsArray(map) || cJSON_GetArraySize(map) != 3)
			b11_bad(w, "a mapping is [pmap, accessed, modified]");
		b11_add_map(w, pg, (int32_t)b11_item(w,
		    cJSON_GetArrayItem(map, 0), "pmap", -1,
		    (int64_t)w->npmaps - 1),
		    b11_item(w, cJSON_GetArrayItem(map, 1), "accessed", 0, 1),
		    b11_item(w, cJSON_GetArrayItem(map, 2), "modified", 0, 1));
	}
}

static void
build_put(struct b11 *w, struct b11_page *pg, const cJSON *in)
{
	const cJSON *list = b11_array(w, in, "put"), *s;

	pg->nput = (uint32_t)cJSON_GetArraySize(list);
	pg->put = b11_alloc(w, pg->nput, 1);
	pg->nput = 0;
	cJSON_ArrayForEach(s, list) {
		if (!cJSON_IsString(s))
			b11_bad(w, "\"put\" holds pager statuses");
		pg->put[pg->nput++] = b11_pager_status(w, s->valuestring);
	}
}

static void
build_page_state(struct b11 *w, struct vm_page *m, const cJSON *in)
{
	m->act_count = (uint8_t)b11_int(w, in, "act", 0, 0, 255);
	m->valid = (uint8_t)b11_int(w, in, "valid", 255, 0, 255);
	m->dirty = (uint8_t)b11_int(w, in, "dirty", 0, 0, 255);
	m->hold_count = (int16_t)b11_int(w, in, "hold", 0, 0, INT16_MAX);
	m->wire_count = (uint16_t)b11_int(w, in, "wire", 0, 0, UINT16_MAX);
	m->busy = (uint8_t)b11_int(w, in, "sbusy", 0, 0, UINT8_MAX);
	if (b11_int(w, in, "winat", 0, 0, 1))
		m->flags |= PG_WINATCFLS;
	if (b11_int(w, in, "refd", 0, 0, 1))
		m->flags |= PG_REFERENCED;
	if (b11_int(w, in, "xbusy", 0, 0, 1)) {
		if (m->busy != 0)
			b11_bad(w, "a page is \"sbusy\" or \"xbusy\"");
		m->flags |= PG_BUSY;
	}
}

static void
build_page(struct b11 *w, uint32_t i, const cJSON *in)
{
	struct vm_page *m = &w->vm->page_array[i];
	struct b11_page *pg = &w->pages[i];
	struct vm_object *o;
	vm_pindex_t pidx;
	int64_t pa;

	pa = b11_int(w, in, "pa", (int64_t)i * PAGE_SIZE, 0, PA_MAX);
	if (pa % PAGE_SIZE != 0)
		b11_bad(w, "\"pa\" %lld is not the start of a page",
		    (long long)pa);
	m->pfn = (pfn_t)(pa / PAGE_SIZE);
	m->domain = (uint8_t)b11_int(w, in, "dom", 0, 0,
	    (int64_t)w->vm->ndomains - 1);
	pg->swblk = b11_int(w, in, "swblk", 0, 0, 1) != 0;
	build_put(w, pg, in);
	if (cJSON_GetObjectItemCaseSensitive(in, "obj") == NULL) {
		m->queue = PQ_FREE;
		return;
	}
	o = &w->objs[b11_idx(w, in, "obj", w->nobjs)];
	pidx = (vm_pindex_t)b11_int(w, in, "pidx", 0, 0, PIDX_MAX);
	if (vm_page_lookup_f11(o, pidx) != NULL)
		b11_bad(w, "page index %lld is taken", (long long)pidx);
	build_page_state(w, m, in);
	vm_page_insert_f11(w->vm, m, o, pidx);
	build_maps(w, pg, in);
}

static void
build_pages(struct b11 *w)
{
	const cJSON *list = b11_array(w, w->in, "pages"), *in;
	uint32_t i = 0;

	w->npages = (uint32_t)cJSON_GetArraySize(list);
	w->vm->page_array = b11_alloc(w, w->npages, sizeof(struct vm_page));
	w->vm->page_array_size = w->npages;
	w->pages = b11_alloc(w, w->npages, sizeof(w->pages[0]));
	cJSON_ArrayForEach(in, list) {
		snprintf(w->run->where, sizeof(w->run->where), "page %u", i);
		build_page(w, i, in);
		i++;
	}
}

/* ------------------------------------------------------------ domains */

static void
build_queue(struct b11 *w, struct vm_domain *vmd, const cJSON *list,
    uint32_t queue)
{
	struct vm_pagequeue *pq = queue == PQ_ACTIVE(w->vm) ?
	    &vmd->vmd_active : &vmd->vmd_inactive;
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		int64_t i = b11_item(w, item, "a queued page", -2,
		    (int64_t)w->npages - 1);
		struct vm_page *m;

		if (i >= 0) {
			m = &w->vm->page_array[i];
			if (m->queue != PQ_NONE || m->object == NULL)
				b11_bad(w, "page %lld cannot be on this queue",
				    (long long)i);
			/* A page is of the domain whose queue lists it. */
			m->domain = (uint8_t)(vmd - w->vm->dom);
			b11_enqueue(w, m, queue);
			continue;
		}
		if (i == -1 && (queue == PQ_ACTIVE(w->vm) ||
		    vmd->vmd_inacthead_queued))
			b11_bad(w, "one head marker, on the inactive queue");
		m = i == -1 ? &vmd->vmd_inacthead :
			      &w->markers[w->nmarkers++];
		vmd->vmd_inacthead_queued |= i == -1;
		vm_pageout_init_marker(w->vm, m, queue);
		TAILQ_INSERT_TAIL(&pq->pq_pl, m, pageq);
	}
}

static void
build_segs(struct b11 *w, struct vm_domain *vmd, const cJSON *in)
{
	const cJSON *list = b11_array(w, in, "segs"), *seg;
	const uint32_t max = sizeof(vmd->vmd_seg) / sizeof(vmd->vmd_seg[0]);

	cJSON_ArrayForEach(seg, list) {
		uint32_t n = vmd->vmd_nsegs++;

		if (n >= max || !cJSON_IsArray(seg) ||
		    cJSON_GetArraySize(seg) != 2)
			b11_bad(w, "\"segs\" holds at most %u [start, end]",
			    max);
		vmd->vmd_seg[n].start = (vm_paddr_t)b11_item(w,
		    cJSON_GetArrayItem(seg, 0), "start", 0, PIDX_MAX);
		vmd->vmd_seg[n].end = (vm_paddr_t)b11_item(w,
		    cJSON_GetArrayItem(seg, 1), "end", 0, PIDX_MAX);
	}
}

static void
build_domain(struct b11 *w, struct vm_domain *vmd, const cJSON *in)
{
	vm_pageout_init_marker(w->vm, &vmd->vmd_marker, PQ_INACTIVE(w->vm));
	vmd->vmd_free_count = (uint32_t)b11_int(w, in, "free", 0, 0,
	    UINT32_MAX);
	/* The default holds for domains that the scenario lists. */
	vmd->vmd_last_active_scan = (int32_t)b11_int(w, in, "last_scan",
	    in != NULL ? w->ticks : 0, INT32_MIN, INT32_MAX);
	vmd->vmd_oom = b11_int(w, in, "oom", 0, 0, 1) != 0;
	vmd->vmd_oom_seq = (int32_t)b11_int(w, in, "oom_seq", 0, INT32_MIN,
	    INT32_MAX);
	vmd->vmd_pass = (int32_t)b11_int(w, in, "pass", 0, INT32_MIN,
	    INT32_MAX);
	build_segs(w, vmd, in);
	build_queue(w, vmd, b11_array(w, in, "inactive"), PQ_INACTIVE(w->vm));
	build_queue(w, vmd, b11_array(w, in, "active"), PQ_ACTIVE(w->vm));
}

/* Room for the markers of other scanners: every -2 of the scenario. */
static void
build_markers(struct b11 *w, const cJSON *doms)
{
	const cJSON *d;
	size_t n = 0;

	cJSON_ArrayForEach(d, doms)
		n += (size_t)cJSON_GetArraySize(b11_array(w, d, "inactive")) +
		    (size_t)cJSON_GetArraySize(b11_array(w, d, "active"));
	w->markers = b11_alloc(w, n, sizeof(w->markers[0]));
}

static void
build_domains(struct b11 *w)
{
	const cJSON *doms = b11_array(w, w->in, "dom");

	if ((uint32_t)cJSON_GetArraySize(doms) > w->vm->ndomains)
		b11_bad(w, "\"dom\" has more entries than \"ndom\" says");
	build_markers(w, doms);
	for (uint32_t d = 0; d < w->vm->ndomains; d++) {
		snprintf(w->run->where, sizeof(w->run->where), "domain %u", d);
		build_domain(w, &w->vm->dom[d],
		    cJSON_GetArrayItem(doms, (int)d));
		w->vm->pageout->vm_pageout_oom_vote += w->vm->dom[d].vmd_oom;
	}
}

/* ------------------------------------------------------------ processes */

static void
build_pmaps(struct b11 *w)
{
	const cJSON *list = b11_array(w, w->in, "pmaps"), *in;
	uint32_t i = 0;

	w->npmaps = (uint32_t)cJSON_GetArraySize(list);
	w->pmaps = b11_alloc(w, w->npmaps, sizeof(w->pmaps[0]));
	cJSON_ArrayForEach(in, list)
		w->pmaps[i++].extra = b11_int(w, in, "extra", 0, 0, PIDX_MAX);
}

static void
build_thread(struct b11 *w, struct b11_proc *xp, struct thread *td,
    const char *state)
{
	static const char *const inhibitors[] = { "suspended", "sleeping",
		"swapped", "lock", "iwait", NULL }; /* TDI_*, from bit 0 */
	static const char *const states[] = { "inactive", "canrun", "runq",
		"running", NULL };
	static const enum td_state values[] = { TDS_INACTIVE, TDS_CAN_RUN,
		TDS_RUNQ, TDS_RUNNING };
	char word[16];
	size_t n;

	td->td_proc = &xp->p;
	TAILQ_INSERT_TAIL(&xp->p.p_threads, td, td_plist);
	for (int i = 0; states[i] != NULL; i++) {
		if (strcmp(states[i], state) == 0) {
			td->td_state = values[i];
			return;
		}
	}
	td->td_state = TDS_INHIBITED;
	for (;; state += n + 1) {
		n = strcspn(state, "+");
		snprintf(word, sizeof(word), "%.*s", (int)(n < 15 ? n : 15),
		    state);
		td->td_inhibitors |= 1u << name_index(w, "thread state", word,
		    inhibitors);
		if (state[n] == '\0')
			return;
	}
}

static void
build_threads(struct b11 *w, struct b11_proc *xp, const cJSON *in)
{
	const cJSON *list = b11_array(w, in, "threads"), *t;
	uint32_t i = 0;

	xp->threads = b11_alloc(w, (size_t)cJSON_GetArraySize(list),
	    sizeof(xp->threads[0]));
	cJSON_ArrayForEach(t, list) {
		if (!cJSON_IsString(t))
			b11_bad(w, "\"threads\" holds strings");
		build_thread(w, xp, &xp->threads[i++], t->valuestring);
	}
}

static void
build_entries(struct b11 *w, struct b11_proc *xp, const cJSON *in)
{
	const cJSON *list = b11_array(w, in, "map"), *e;
	struct vm_map *map = &xp->vs.vm_map;
	struct vm_map_entry *entry;
	uint32_t i = 0;

	map->header.next = map->header.prev = &map->header;
	xp->entries = b11_alloc(w, (size_t)cJSON_GetArraySize(list),
	    sizeof(xp->entries[0]));
	cJSON_ArrayForEach(e, list) {
		int64_t obj = b11_int(w, e, "obj", -1, -1,
		    (int64_t)w->nobjs - 1);

		entry = &xp->entries[i++];
		entry->object = obj >= 0 ? &w->objs[obj] : NULL;
		if (b11_int(w, e, "sub", 0, 0, 1))
			entry->eflags |= MAP_ENTRY_IS_SUB_MAP;
		if (b11_int(w, e, "nc", 0, 0, 1))
			entry->eflags |= MAP_ENTRY_NEEDS_COPY;
		entry->wired_count = (uint16_t)b11_int(w, e, "wired", 0, 0,
		    UINT16_MAX);
		entry->prev = map->header.prev;
		entry->next = &map->header;
		entry->prev->next = entry;
		map->header.prev = entry;
	}
	map->nentries = i;
}

static uint64_t
rlimit(struct b11 *w, const cJSON *in, const char *name)
{
	int64_t v = b11_int(w, in, name, -1, -1, PIDX_MAX);

	return (v < 0 ? UINT64_MAX : (uint64_t)v);
}

static void
build_avail(struct b11 *w, struct b11_proc *xp, const cJSON *in)
{
	const cJSON *list = b11_array(w, in, "avail"), *v;

	xp->avail = b11_alloc(w, (size_t)cJSON_GetArraySize(list),
	    sizeof(xp->avail[0]));
	cJSON_ArrayForEach(v, list) {
		int64_t n = b11_item(w, v, "avail", -1, PIDX_MAX);

		xp->avail[xp->navail++] = n < 0 ? UINT64_MAX : (uint64_t)n;
	}
}

static void
build_flags(struct b11 *w, struct proc *p, const cJSON *in)
{
	static const char *const names[] = { "SYSTEM", "WEXIT", "WKILLED",
		"PROTECTED", "INEXEC", "INMEM", NULL };
	static const uint32_t bits[] = { P_SYSTEM, P_WEXIT, P_WKILLED,
		P_PROTECTED, P_INEXEC, 0 };
	const cJSON *f;

	cJSON_ArrayForEach(f, b11_array(w, in, "flags")) {
		int i = name_index(w, "flag", cJSON_IsString(f) ?
		    f->valuestring : "", names);

		p->p_flag |= bits[i];
		if (bits[i] == 0)
			p->p_sflag |= PS_INMEM;
	}
}

static void
build_proc(struct b11 *w, struct b11_proc *xp, const cJSON *in)
{
	/* in the order of enum p_state */
	static const char *const states[] = { "new", "normal", "zombie", NULL };
	struct proc *p = &xp->p;
	int64_t pmap;

	TAILQ_INIT(&p->p_threads);
	TAILQ_INIT(&p->p_ksegrps);
	p->p_pid = (int32_t)b11_int(w, in, "pid", 0, INT32_MIN, INT32_MAX);
	p->p_state = (enum p_state)name_index(w, "process state",
	    b11_str(w, in, "state", "normal"), states);
	build_flags(w, p, in);
	build_threads(w, xp, in);
	build_entries(w, xp, in);
	build_avail(w, xp, in);
	xp->has_vm = b11_int(w, in, "vm", 1, 0, 1) != 0;
	xp->swap = b11_int(w, in, "swap", 0, 0, PIDX_MAX);
	pmap = b11_int(w, in, "pmap", -1, -1, (int64_t)w->npmaps - 1);
	xp->vs.vm_map.pmap = pmap >= 0 ? (struct pmap *)&w->pmaps[pmap] : NULL;
	xp->vs.vm_refcnt = 1;
	p->p_vmspace = &xp->vs;
	p->p_rss_cur = rlimit(w, in, "rss_cur");
	p->p_rss_max = rlimit(w, in, "rss_max");
	TAILQ_INSERT_TAIL(&w->vm->allproc, p, p_list);
}

static void
build_procs(struct b11 *w)
{
	const cJSON *list = b11_array(w, w->in, "procs"), *in;
	uint32_t i = 0;

	w->nprocs = (uint32_t)cJSON_GetArraySize(list);
	w->procs = b11_alloc(w, w->nprocs, sizeof(w->procs[0]));
	cJSON_ArrayForEach(in, list) {
		snprintf(w->run->where, sizeof(w->run->where), "process %u", i);
		build_proc(w, &w->procs[i++], in);
	}
}

struct b11_proc *
b11_proc(struct b11 *w, int64_t pid)
{
	for (uint32_t i = 0; i < w->nprocs; i++) {
		if (w->procs[i].p.p_pid == pid)
			return (&w->procs[i]);
	}
	b11_bad(w, "there is no process %lld", (long long)pid);
}

/* ------------------------------------------------------------ hooks */

static void
build_hook(struct b11 *w, struct b11_hook *h, const cJSON *in)
{
	/* in the order of enum b11_at */
	static const char *const places[] = { "page_trylock", "obj_trylock",
		"remove_all", "start_write", "vget", "obj_tryrlock",
		"map_trylock", "page_clean", "lowmem", "uma", "swapout",
		"kthread", NULL };
	static const char *const keys[AT_COUNT] = { "page", "page", "page",
		"obj", "obj", "obj", "pid", "obj" };

	h->at = (enum b11_at)name_index(w, "place", b11_str(w, in, "at", ""),
	    places);
	if (keys[h->at] != NULL)
		h->key = b11_int(w, in, keys[h->at], -1, INT32_MIN, INT32_MAX);
	h->n = b11_int(w, in, "n", 0, 0, INT32_MAX);
	h->fail = b11_int(w, in, "fail", 0, 0, 1);
	h->error = b11_int(w, in, "error", 0, INT32_MIN, INT32_MAX);
	h->changes = b11_array(w, in, "do");
	for (h->first = w->hooks; h->first != h; h->first++) {
		if (h->first->at == h->at && h->first->key == h->key)
			break;
	}
}

static void
build_hooks(struct b11 *w)
{
	const cJSON *list = b11_array(w, w->in, "hooks"), *in;
	uint32_t i = 0;

	w->nhooks = (uint32_t)cJSON_GetArraySize(list);
	w->hooks = b11_alloc(w, w->nhooks, sizeof(w->hooks[0]));
	cJSON_ArrayForEach(in, list) {
		snprintf(w->run->where, sizeof(w->run->where), "hook %u", i);
		build_hook(w, &w->hooks[i++], in);
	}
}

/* A place is reached: its count for the key, and the hook of this time. */
struct b11_hook *
b11_reach(struct b11 *w, enum b11_at at, int64_t key)
{
	struct b11_hook *first = NULL;
	int64_t n = 0;

	for (uint32_t i = 0; i < w->nhooks; i++) {
		struct b11_hook *h = &w->hooks[i];

		if (h->at != at || h->key != key)
			continue;
		if (first == NULL) {
			first = h->first;
			n = first->count++;
		}
		if (at == AT_REMOVE_ALL || h->n == n)
			return (h);
	}
	return (NULL);
}

/* ------------------------------------------------------------ all */

void
b11_build(struct b11 *w)
{
	build_kernel(w);
	build_objects(w);
	build_pmaps(w);
	build_pages(w);
	build_domains(w);
	build_procs(w);
	build_hooks(w);
	snprintf(w->run->where, sizeof(w->run->where), "scenario");
}

void
b11_free(struct b11 *w)
{
	for (uint32_t i = 0; w->pages != NULL && i < w->npages; i++) {
		free(w->pages[i].maps);
		free(w->pages[i].put);
	}
	for (uint32_t i = 0; w->procs != NULL && i < w->nprocs; i++) {
		free(w->procs[i].threads);
		free(w->procs[i].entries);
		free(w->procs[i].avail);
	}
	free(w->pages);
	free(w->objs);
	free(w->xobjs);
	free(w->pmaps);
	free(w->procs);
	free(w->hooks);
	free(w->markers);
	if (w->vm != NULL) {
		free(w->vm->page_array);
		if (w->vm->pageout != NULL)
			vm_pageout_destroy(w->vm);
		free(w->vm);
	}
}
