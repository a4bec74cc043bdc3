/*
 * conform_bsd5_glue.c: the processes of a scenario of the suite vm_glue:
 * set-up from its cfg, and their state as the format writes it.
 *
 * Interface: sim/conform_bsd5.h.
 * Source:    README of the vectors, sections 1.1 and 1.2.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd5.h"

#define PROCS_MAX 65536
#define THREADS_MAX (1 << 20)
#define MAP_MAX 0xbfc00000u /* upper bound of a map, unless set */

static const char *const proc_fields[P_COUNT] = { "state", "flag", "sflag",
	"lock", "swtime", "swrss", "nswap", "refs" };

/* ------------------------------------------------------------ looking up */

/* The first place whose number is not below id. */
static uint32_t
index_place(const struct bsd5_index *x, int64_t id)
{
	uint32_t low = 0, high = x->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (x->places[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

/* False: there is no such number. */
static bool
index_find(const struct bsd5_index *x, int64_t id, uint32_t *at)
{
	uint32_t i = index_place(x, id);

	if (i == x->n || x->places[i].id != id)
		return (false);
	*at = x->places[i].at;
	return (true);
}

/* The number must be new. False: no memory. */
static bool
index_add(struct bsd5_index *x, int64_t id, uint32_t at)
{
	uint32_t i = index_place(x, id), room = x->room * 2 + 16;
	struct bsd5_place *places;

	if (x->n == x->room) {
		places = realloc(x->places, room * sizeof(*places));
		if (places == NULL)
			return (false);
		x->places = places;
		x->room = room;
	}
	memmove(&x->places[i + 1], &x->places[i],
	    (x->n - i) * sizeof(*x->places));
	x->places[i] = (struct bsd5_place) { (int32_t)id, at };
	x->n++;
	return (true);
}

struct bsd5_proc *
bsd5_glue_proc(const struct bsd5 *d, int64_t pid)
{
	uint32_t i;

	return (index_find(&d->glue->by_pid, pid, &i) ? &d->glue->procs[i] :
							NULL);
}

struct bsd5_thread *
bsd5_glue_thread(const struct bsd5 *d, int64_t tid)
{
	uint32_t i;

	return (index_find(&d->glue->by_tid, tid, &i) ? d->glue->threads[i] :
							NULL);
}

/* A new address space with one reference; NULL: no memory. */
struct bsd5_space *
bsd5_glue_space(struct bsd5 *d)
{
	struct bsd5_space *sp = calloc(1, sizeof(*sp));

	if (sp == NULL)
		return (NULL);
	sp->vs.vm_refcnt = 1;
	sp->vs.vm_map.max_offset = MAP_MAX;
	sp->next = d->glue->spaces;
	d->glue->spaces = sp;
	return (sp);
}

/* ------------------------------------------------------------ setting */

/* One number of an object, if it is there. */
struct field {
	const char *name;
	int64_t min, max;
	int64_t *value;
};

static int
set_fields(struct bsd5 *d, const cJSON *json, const struct field *f, size_t n)
{
	int error = 0;

	for (; n > 0 && error == 0; n--, f++)
		error = conform_int(d->run, json, f->name, false, f->min,
		    f->max, f->value);
	return (error);
}
#define SET_FIELDS(d, json, f) \
	set_fields((d), (json), (f), sizeof(f) / sizeof((f)[0]))

static int
set_space(struct bsd5 *d, struct bsd5_space *sp, const cJSON *json)
{
	int64_t refs = sp->vs.vm_refcnt, shm = sp->vs.vm_shm;
	const struct field f[] = {
		{ "rss", 0, (int64_t)1 << 53, &sp->rss },
		{ "maplocked", 0, 1, &sp->maplocked },
		{ "refs", INT32_MIN / 2, INT32_MAX / 2, &refs },
		{ "shm", 0, 1, &shm },
	};
	int error = SET_FIELDS(d, json, f);

	sp->vs.vm_refcnt = (int32_t)refs;
	sp->vs.vm_shm = shm != 0;
	if (error == 0)
		error = conform_addr(d->run, json, "mapmax", false,
		    &sp->vs.vm_map.max_offset);
	return (error);
}

int
bsd5_glue_set_proc(struct bsd5 *d, struct bsd5_proc *bp, const cJSON *json)
{
	struct proc *p = &bp->p;
	int64_t state = p->p_state, flag = p->p_flag, sflag = p->p_sflag;
	int64_t lock = p->p_lock, swtime = p->p_swtime;
	int64_t novm = 0;
	const struct field f[] = {
		{ "state", PRS_NEW, PRS_ZOMBIE, &state },
		{ "flag", INT32_MIN, UINT32_MAX, &flag },
		{ "sflag", INT32_MIN, UINT32_MAX, &sflag },
		{ "lock", INT32_MIN / 2, INT32_MAX / 2, &lock },
		{ "swtime", INT32_MIN, UINT32_MAX, &swtime },
		{ "novm", 0, 1, &novm },
	};
	int error = SET_FIELDS(d, json, f);

	p->p_state = (enum p_state)state;
	p->p_flag = (uint32_t)flag;
	p->p_sflag = (uint32_t)sflag;
	p->p_lock = (int32_t)lock;
	p->p_swtime = (uint32_t)swtime;
	if (error == 0 && p->p_vmspace != NULL)
		error = set_space(d, (struct bsd5_space *)p->p_vmspace, json);
	if (novm != 0)
		p->p_vmspace = NULL;
	return (error);
}

int
bsd5_glue_set_group(struct bsd5 *d, struct ksegrp *kg, const cJSON *json)
{
	int64_t slptime = kg->kg_slptime, nice = kg->kg_nice;
	int64_t cls = kg->kg_pri_class;
	const struct field f[] = {
		{ "slptime", INT32_MIN, UINT32_MAX, &slptime },
		{ "nice", -1000000, 1000000, &nice },
		{ "cls", INT32_MIN, INT32_MAX, &cls },
	};
	int error = SET_FIELDS(d, json, f);

	kg->kg_slptime = (uint32_t)slptime;
	kg->kg_nice = (int32_t)nice;
	kg->kg_pri_class = (int32_t)cls;
	return (error);
}

int
bsd5_glue_set_thread(struct bsd5 *d, struct bsd5_thread *bt,
    const cJSON *json)
{
	int64_t pri = bt->td.td_priority, inhib = bt->td.td_inhibitors;
	int64_t tstate = bt->td.td_state;
	const struct field f[] = {
		{ "pri", INT32_MIN, INT32_MAX, &pri },
		{ "inhib", INT32_MIN, UINT32_MAX, &inhib },
		{ "tstate", TDS_INACTIVE, TDS_RUNNING, &tstate },
	};
	int error = SET_FIELDS(d, json, f);

	bt->td.td_priority = (int32_t)pri;
	bt->td.td_inhibitors = (uint32_t)inhib;
	bt->td.td_state = (enum td_state)tstate;
	return (error);
}

/* ------------------------------------------------------------ set-up */

/* A process's own list is kept newest first, so that it is walked in order. */
static int
setup_thread(struct bsd5 *d, struct ksegrp *kg, const cJSON *json)
{
	struct bsd5_glue *g = d->glue;
	struct bsd5_thread *bt, **threads;
	uint32_t room = g->threads_room * 2 + 16;
	int64_t tid = 0;
	int error;

	if (g->nthreads == THREADS_MAX)
		return (conform_bad(d->run, "more than %d threads",
		    THREADS_MAX));
	error = conform_int(d->run, json, "tid", true, INT32_MIN, INT32_MAX,
	    &tid);
	if (error == 0 && bsd5_glue_thread(d, tid) != NULL)
		error = conform_bad(d->run, "two threads %lld",
		    (long long)tid);
	if (error != 0)
		return (error);
	if (g->nthreads == g->threads_room) {
		threads = realloc(g->threads,
		    room * sizeof(struct bsd5_thread *));
		if (threads == NULL)
			return (conform_bad(d->run, "no memory"));
		g->threads = threads;
		g->threads_room = room;
	}
	bt = calloc(1, sizeof(*bt));
	if (bt == NULL || !index_add(&g->by_tid, tid, g->nthreads)) {
		free(bt);
		return (conform_bad(d->run, "no memory"));
	}
	g->threads[g->nthreads++] = bt;
	bt->td.td_tid = (int32_t)tid;
	bt->td.td_proc = kg->kg_proc;
	bt->td.td_ksegrp = kg;
	TAILQ_INSERT_HEAD(&kg->kg_proc->p_threads, &bt->td, td_plist);
	TAILQ_INSERT_TAIL(&kg->kg_threads, &bt->td, td_kglist);
	return (bsd5_glue_set_thread(d, bt, json));
}

static int
setup_group(struct bsd5 *d, struct bsd5_proc *bp, const cJSON *json)
{
	struct ksegrp *kg = &bp->groups[bp->ngroups++];
	const cJSON *list, *item;
	int error;

	TAILQ_INIT(&kg->kg_threads);
	kg->kg_proc = &bp->p;
	TAILQ_INSERT_TAIL(&bp->p.p_ksegrps, kg, kg_ksegrp);
	error = bsd5_glue_set_group(d, kg, json);
	if (error != 0)
		return (error);
	list = conform_array(d->run, json, "threads", false, &error);
	if (error != 0)
		return (error);
	cJSON_ArrayForEach(item, list) {
		error = setup_thread(d, kg, item);
		if (error != 0)
			return (error);
	}
	return (0);
}

static int
setup_groups(struct bsd5 *d, struct bsd5_proc *bp, const cJSON *json)
{
	const cJSON *list, *item;
	int error;

	list = conform_array(d->run, json, "groups", false, &error);
	if (error != 0)
		return (error);
	bp->groups = calloc((size_t)cJSON_GetArraySize(list) + 1,
	    sizeof(*bp->groups));
	if (bp->groups == NULL)
		return (conform_bad(d->run, "no memory"));
	cJSON_ArrayForEach(item, list) {
		error = setup_group(d, bp, item);
		if (error != 0)
			return (error);
	}
	return (0);
}

static void
setup_uarea_in(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_glue_proc_new(d->vm, &a->proc->p);
}

static void
setup_uarea_out(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_glue_proc_new(d->vm, &a->proc->p);
	vm_glue_proc_swapout(d->vm, &a->proc->p);
}

static int
setup_uarea(struct bsd5 *d, struct bsd5_proc *bp, const cJSON *json)
{
	int64_t uarea = 0;
	int error;

	error = conform_int(d->run, json, "uarea", false, 0, 2, &uarea);
	if (error != 0 || uarea == 0)
		return (error);
	return (bsd5_run_setup(d, uarea == 1 ? setup_uarea_in :
					       setup_uarea_out, bp));
}

static int
setup_proc(struct bsd5 *d, const cJSON *json)
{
	struct bsd5_proc *bp = &d->glue->procs[d->glue->nprocs];
	struct bsd5_space *sp = bsd5_glue_space(d);
	int64_t pid = 0;
	int error;

	if (sp == NULL)
		return (conform_bad(d->run, "no memory"));
	error = conform_int(d->run, json, "pid", true, INT32_MIN + 1,
	    INT32_MAX, &pid);
	if (error == 0 && bsd5_glue_proc(d, pid) != NULL)
		error = conform_bad(d->run, "two processes %lld",
		    (long long)pid);
	if (error == 0 &&
	    !index_add(&d->glue->by_pid, pid, d->glue->nprocs))
		error = conform_bad(d->run, "no memory");
	if (error != 0)
		return (error);
	d->glue->nprocs++;
	TAILQ_INIT(&bp->p.p_threads);
	TAILQ_INIT(&bp->p.p_ksegrps);
	bp->p.p_pid = (int32_t)pid;
	bp->p.p_vmspace = &sp->vs;
	bp->p.p_state = PRS_NORMAL;
	bp->p.p_sflag = PS_INMEM;
	bp->self.td_proc = &bp->p;
	TAILQ_INSERT_TAIL(&d->vm->allproc, &bp->p, p_list);
	error = bsd5_glue_set_proc(d, bp, json);
	if (error == 0)
		error = setup_groups(d, bp, json);
	return (error == 0 ? setup_uarea(d, bp, json) : error);
}

static int
setup_knobs(struct bsd5 *d, const cJSON *cfg)
{
	struct vm_glue *g = d->vm->glue;
	int64_t uarea_pages = UAREA_PAGES, next_color = 0, maxslp = MAXSLP;
	int64_t hz = GLUE_HZ, t1 = 2, t2 = 10;
	const struct field f[] = {
		{ "uarea_pages", 1, UAREA_PAGES_MAX, &uarea_pages },
		{ "next_color", 0, UINT16_MAX, &next_color },
		{ "maxslp", 0, 1000000, &maxslp },
		{ "hz", 1, 2000, &hz },
		{ "t1", INT32_MIN, INT32_MAX, &t1 },
		{ "t2", INT32_MIN, INT32_MAX, &t2 },
	};
	int error = SET_FIELDS(d, cfg, f);

	g->i386 = true;
	g->uarea_pages = (uint32_t)uarea_pages;
	g->maxslp = (int32_t)maxslp;
	g->hz = (int32_t)hz;
	g->swap_idle_threshold1 = (int32_t)t1;
	g->swap_idle_threshold2 = (int32_t)t2;
	d->vm->object_next_index = (uint32_t)next_color &
	    (d->vm->pq_l2_size - 1);
	return (error);
}

int
bsd5_glue_setup(struct bsd5 *d, const cJSON *cfg)
{
	const cJSON *list, *item;
	int error;

	d->glue = calloc(1, sizeof(*d->glue));
	if (d->glue == NULL ||
	    vm_glue_create(d->vm, &bsd5_glue_env, d) != 0)
		return (conform_bad(d->run, "no memory"));
	error = setup_knobs(d, cfg);
	if (error != 0)
		return (error);
	list = conform_array(d->run, cfg, "procs", false, &error);
	if (error != 0)
		return (error);
	if (cJSON_GetArraySize(list) > PROCS_MAX)
		return (conform_bad(d->run, "more than %d processes",
		    PROCS_MAX));
	d->glue->procs = calloc((size_t)cJSON_GetArraySize(list) + 1,
	    sizeof(*d->glue->procs));
	if (d->glue->procs == NULL)
		return (conform_bad(d->run, "no memory"));
	cJSON_ArrayForEach(item, list) {
		error = setup_proc(d, item);
		if (error != 0)
			return (error);
	}
	return (0);
}

void
bsd5_glue_free(struct bsd5 *d)
{
	struct bsd5_glue *g = d->glue;
	struct bsd5_space *sp;
	uint32_t i;

	vm_glue_destroy(d->vm);
	if (g == NULL)
		return;
	while ((sp = g->spaces) != NULL) {
		g->spaces = sp->next;
		free(sp);
	}
	for (i = 0; i < g->nthreads; i++)
		free(g->threads[i]);
	for (i = 0; i < g->nprocs; i++)
		free(g->procs[i].groups);
	free(g->threads);
	free(g->procs);
	free(g->by_pid.places);
	free(g->by_tid.places);
	free(g);
}

/* ------------------------------------------------------------ state */

static void
add_number(cJSON *array, int64_t v)
{
	cJSON_AddItemToArray(array, cJSON_CreateNumber((double)v));
}

/* nswap is kept in the U area. */
static void
read_proc(const struct bsd5_proc *bp, int64_t *f)
{
	const struct proc *p = &bp->p;
	const struct vmspace *vs = p->p_vmspace;

	f[P_STATE] = p->p_state;
	f[P_FLAG] = p->p_flag;
	f[P_SFLAG] = p->p_sflag;
	f[P_LOCK] = p->p_lock;
	f[P_SWTIME] = p->p_swtime;
	f[P_SWRSS] = vs != NULL ? (int64_t)vs->vm_swrss : 0;
	f[P_NSWAP] = p->p_upages_obj != NULL ? p->p_nswap : 0;
	f[P_REFS] = vs != NULL ? vs->vm_refcnt : 0;
}

void
bsd5_glue_touch(struct bsd5 *d)
{
	const struct vm_page *m;
	uint32_t i;

	for (i = 0; i < d->glue->nprocs; i++) {
		const struct proc *p = &d->glue->procs[i].p;

		if (p->p_upages_obj == NULL)
			continue;
		TAILQ_FOREACH(m, &p->p_upages_obj->memq, listq)
			bsd5_touch(d, m);
	}
}

void
bsd5_glue_remember(struct bsd5 *d)
{
	struct bsd5_glue *g = d->glue;
	uint32_t i;

	for (i = 0; i < g->nprocs; i++)
		read_proc(&g->procs[i], g->procs[i].was);
	for (i = 0; i < g->nthreads; i++) {
		g->threads[i]->was_inhib = g->threads[i]->td.td_inhibitors;
		g->threads[i]->was_state = g->threads[i]->td.td_state;
	}
}

static void
add_changed_proc(cJSON *pr, struct bsd5_proc *bp)
{
	int64_t now[P_COUNT];
	cJSON *row;
	int f;

	read_proc(bp, now);
	if (memcmp(now, bp->was, sizeof(now)) == 0)
		return;
	row = cJSON_CreateArray();
	add_number(row, bp->p.p_pid);
	for (f = 0; f < P_COUNT; f++) {
		if (now[f] == bp->was[f])
			continue;
		cJSON_AddItemToArray(row, cJSON_CreateString(proc_fields[f]));
		add_number(row, now[f]);
	}
	cJSON_AddItemToArray(pr, row);
	memcpy(bp->was, now, sizeof(bp->was));
}

static void
add_thread(cJSON *list, const struct bsd5_thread *bt)
{
	cJSON *row = cJSON_CreateArray();

	add_number(row, bt->td.td_tid);
	add_number(row, bt->td.td_inhibitors);
	add_number(row, bt->td.td_state);
	cJSON_AddItemToArray(list, row);
}

void
bsd5_glue_outcome(struct bsd5 *d, cJSON *exp)
{
	cJSON *pr = cJSON_CreateArray(), *td = cJSON_CreateArray();
	const struct bsd5_glue *g = d->glue;
	uint32_t i;

	for (i = 0; i < g->nprocs; i++)
		add_changed_proc(pr, &g->procs[i]);
	for (i = 0; i < g->nthreads; i++) {
		struct bsd5_thread *bt = g->threads[i];

		if (bt->td.td_inhibitors == bt->was_inhib &&
		    bt->td.td_state == bt->was_state)
			continue;
		bt->was_inhib = bt->td.td_inhibitors;
		bt->was_state = bt->td.td_state;
		add_thread(td, bt);
	}
	bsd5_add_unless_empty(exp, "pr", pr);
	bsd5_add_unless_empty(exp, "td", td);
}

void
bsd5_glue_snapshot(struct bsd5 *d, cJSON *exp)
{
	cJSON *procs = cJSON_AddArrayToObject(exp, "procs"), *row;
	cJSON *threads = cJSON_AddArrayToObject(exp, "threads");
	const struct bsd5_glue *g = d->glue;
	int64_t now[P_COUNT];
	uint32_t i;
	int f;

	for (i = 0; i < g->nprocs; i++) {
		const struct proc *p = &g->procs[i].p;

		read_proc(&g->procs[i], now);
		row = cJSON_CreateArray();
		add_number(row, p->p_pid);
		for (f = 0; f < P_REFS; f++)
			add_number(row, now[f]);
		add_number(row, p->p_upages_obj != NULL ?
			(int64_t)p->p_upages_obj->id - 1 : -1);
		cJSON_AddItemToArray(procs, row);
	}
	for (i = 0; i < g->nthreads; i++)
		add_thread(threads, g->threads[i]);
}
