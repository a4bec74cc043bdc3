/*
 * conform_bsd11_env.c: the rest of the kernel as the bsd11 vectors have it:
 * scripted locks and failures around vmcore's own page daemon and FreeBSD 11's
 * page module, mappings and pager of README 2.2 and 2.4; all of it reports
 * events.
 *
 * Interface: conform_bsd11_int.h; struct vm_pageout_env, vm_page_ops,
 *            vm_pmap_ops, vm_pagerops of vmcore.
 * Source:    the vectors' README, sections 1.8, 2 and 4.
 */
#include <errno.h>
#include <string.h>

#include "sim/conform_bsd11_int.h"

/* ------------------------------------------------------------ pages */

/*
 * Report a move, if there was one. A dequeue is remembered and becomes one
 * event with what follows it.
 */
static void
moved(struct b11 *w, struct vm_page *m, char from)
{
	struct b11_page *pg = b11_page(w, m);
	char to = b11_queue(w, m);

	if (pg->left != 0) {
		from = pg->left;
		pg->left = 0;
	}
	if (to == 'F' || to == 'C')
		b11_ev(w, to == 'F' ? "free" : "cache", "ic", b11_index(w, m),
		    from);
	else if (from != to)
		b11_ev(w, "q", "iccs", b11_index(w, m), from, to, "tail");
}

/* The waiters that a freed page wakes are told of after the page. */
#define WRAP(op, call)                                  \
	static void op(struct vm *vm, vm_page_t m)      \
	{                                               \
		struct b11 *w = b11_of(vm);             \
		char from = b11_queue(w, m);            \
							\
		w->in_page_op = true;                   \
		call(vm, m);                            \
		w->in_page_op = false;                  \
		moved(w, m, from);                      \
		if (w->late_wakeup)                     \
			b11_ev(w, "wakeup", "s", "free_count"); \
		w->late_wakeup = false;                 \
	}
WRAP(page_activate, vm_page_activate_f11)
WRAP(page_deactivate, vm_page_deactivate_f11)
WRAP(page_free, vm_page_toq_f11)
WRAP(page_cache, vm_page_tocache_f11)

static void
page_requeue(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);

	vm_page_requeue_f11(vm, m);
	b11_ev(w, "rq", "ic", b11_index(w, m), b11_queue(w, m));
}

static void
page_dequeue(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);

	b11_page(w, m)->left = b11_queue(w, m);
	vm_page_dequeue_f11(vm, m);
}

static void
page_test_dirty(struct vm *vm, vm_page_t m)
{
	vm_page_ops_f11.test_dirty(vm, m);
}

static void
page_undirty(struct vm *vm, vm_page_t m)
{
	vm_page_ops_f11.undirty(vm, m);
}

static void
page_sbusy(struct vm *vm, vm_page_t m)
{
	vm_page_ops_f11.sbusy(vm, m);
	b11_detail(b11_of(vm), "sbusy", "i", b11_index(b11_of(vm), m));
}

static void
page_sunbusy(struct vm *vm, vm_page_t m)
{
	vm_page_ops_f11.sunbusy(vm, m);
	b11_detail(b11_of(vm), "sunbusy", "i", b11_index(b11_of(vm), m));
}

static vm_page_t
page_next(vm_page_t m)
{
	return (vm_page_ops_f11.next(m));
}

static vm_page_t
page_prev(vm_page_t m)
{
	return (vm_page_ops_f11.prev(m));
}

const struct vm_page_ops b11_page_ops = {
	.name = "freebsd11 with events",
	.activate = page_activate,
	.deactivate = page_deactivate,
	.requeue = page_requeue,
	.dequeue = page_dequeue,
	.free = page_free,
	.cache = page_cache,
	.test_dirty = page_test_dirty,
	.undirty = page_undirty,
	.sbusy = page_sbusy,
	.sunbusy = page_sunbusy,
	.next = page_next,
	.prev = page_prev,
};

/* ------------------------------------------------------------ mappings */

static void
pm_remove_all(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_page *pg = b11_page(w, m);

	if (b11_reach(w, AT_REMOVE_ALL, b11_index(w, m)) != NULL &&
	    pg->nmaps > 0)
		pg->maps[0].mod = true;
	b11_drop_maps(w, m);
	b11_detail(w, "rmall", "i", b11_index(w, m));
}

static void
pm_remove_write(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_page *pg = b11_page(w, m);

	for (uint32_t k = 0; k < pg->nmaps; k++) {
		if (pg->maps[k].mod)
			m->dirty = VM_PAGE_BITS_ALL;
		pg->maps[k].mod = false;
	}
	b11_detail(w, "rmwrite", "i", b11_index(w, m));
}

/* At most five, in list order. */
static int
pm_ts_referenced(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_page *pg = b11_page(w, m);
	int n = 0;

	for (uint32_t k = 0; k < pg->nmaps && n < 5; k++) {
		n += pg->maps[k].acc;
		pg->maps[k].acc = false;
	}
	b11_detail(w, "tsref", "ii", b11_index(w, m), (int64_t)n);
	return (n);
}

static bool
pm_is_modified(struct vm *vm, vm_page_t m)
{
	struct b11_page *pg = b11_page(b11_of(vm), m);

	for (uint32_t k = 0; k < pg->nmaps; k++) {
		if (pg->maps[k].mod)
			return (true);
	}
	return (false);
}

static bool
pm_page_is_mapped(struct vm *vm, vm_page_t m)
{
	return (b11_page(b11_of(vm), m)->nmaps != 0);
}

/* Every write mapping is tracked by its modified bit alone. */
static bool
pm_page_is_write_mapped(struct vm *vm, vm_page_t m)
{
	return (pm_is_modified(vm, m));
}

static bool
pm_page_exists_quick(struct vm *vm, struct pmap *pmap, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_page *pg = b11_page(w, m);

	for (uint32_t k = 0; k < pg->nmaps && k < 16; k++) {
		if (pg->maps[k].pmap >= 0 &&
		    &w->pmaps[pg->maps[k].pmap] == (struct b11_pmap *)pmap)
			return (true);
	}
	return (false);
}

static uint64_t
pm_resident_count(struct vm *vm, struct pmap *pmap)
{
	const struct b11_pmap *xp = (const struct b11_pmap *)pmap;

	if (xp == NULL)
		b11_bad(b11_of(vm), "the process has no \"pmap\"");
	return ((uint64_t)(xp->mapped + xp->extra));
}

/* A whole address space. */
static void
pm_remove_range(struct vm *vm, struct pmap *pmap, vm_offset_t s, vm_offset_t e)
{
	struct b11 *w = b11_of(vm);
	struct b11_pmap *xp = (struct b11_pmap *)pmap;
	int32_t self = (int32_t)(xp - w->pmaps);

	(void)s;
	(void)e;
	for (uint32_t i = 0; i < w->npages; i++)
		b11_drop_maps_of(w, &vm->page_array[i], self);
	xp->extra = 0;
	b11_ev(w, "pmap_remove", "i", (int64_t)self);
}

const struct vm_pmap_ops b11_pmap_ops = {
	.remove_all = pm_remove_all,
	.remove_write = pm_remove_write,
	.ts_referenced = pm_ts_referenced,
	.is_modified = pm_is_modified,
	.page_is_mapped = pm_page_is_mapped,
	.page_is_write_mapped = pm_page_is_write_mapped,
	.page_exists_quick = pm_page_exists_quick,
	.resident_count = pm_resident_count,
	.remove_range = pm_remove_range,
};

/* ------------------------------------------------------------ pager */

static const char *const status_names[] = {
	[VM_PAGER_OK] = "OK",
	[VM_PAGER_BAD] = "BAD",
	[VM_PAGER_FAIL] = "FAIL",
	[VM_PAGER_PEND] = "PEND",
	[VM_PAGER_ERROR] = "ERROR",
	[VM_PAGER_AGAIN] = "AGAIN",
};

uint8_t
b11_pager_status(struct b11 *w, const char *name)
{
	for (uint8_t i = 0; i < 6; i++) {
		if (strcmp(status_names[i], name) == 0)
			return (i);
	}
	b11_bad(w, "\"%s\" is no pager status (OK, PEND, BAD, ERROR, FAIL, "
	    "AGAIN)", name);
}

/* The next write's status of a page; the last of its list repeats. */
static uint8_t
put_status(struct b11 *w, struct b11_page *pg)
{
	if (pg->nput == 0)
		return (w->put_default);
	if (pg->put_next < pg->nput - 1)
		return (pg->put[pg->put_next++]);
	return (pg->put[pg->nput - 1]);
}

static void
pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc, int count,
    int flags, int *rtvals)
{
	struct b11 *w = b11_of(vm);
	cJSON *pages = cJSON_CreateArray(), *statuses = cJSON_CreateArray();

	for (int i = 0; i < count; i++) {
		struct b11_page *pg = b11_page(w, mc[i]);
		uint8_t s = put_status(w, pg);

		rtvals[i] = s;
		if (s == VM_PAGER_OK)
			mc[i]->dirty = 0;
		else if (s == VM_PAGER_PEND)
			pg->inflight++;
		cJSON_AddItemToArray(pages, cJSON_CreateNumber(
		    (double)b11_index(w, mc[i])));
		cJSON_AddItemToArray(statuses, cJSON_CreateString(
		    status_names[s]));
	}
	b11_ev(w, "put", "iiiijj", b11_obj_index(w, object),
	    (int64_t)mc[0]->pindex, (int64_t)count, (int64_t)flags, pages,
	    statuses);
}

static bool
pager_haspage(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    int *before, int *after)
{
	vm_page_t m = vm_page_lookup_f11(object, pindex);

	(void)before;
	(void)after;
	return (m != NULL && b11_page(b11_of(vm), m)->swblk);
}

const struct vm_pagerops b11_pager_ops = {
	.putpages = pager_putpages,
	.haspage = pager_haspage,
};

/* ------------------------------------------------------------ clocks */

static int32_t
env_ticks(struct vm *vm)
{
	return (b11_of(vm)->ticks);
}

static int64_t
env_uptime(struct vm *vm)
{
	struct b11 *w = b11_of(vm);

	return (w->uptime + w->elapsed / vm->hz);
}

static int64_t
env_second(struct vm *vm)
{
	struct b11 *w = b11_of(vm);

	return (w->second + w->elapsed / vm->hz);
}

/*
 * A loop sleeps: for real, on its own coroutine. The thread that performs the
 * steps makes the turn's changes meanwhile and ends the sleep.
 */
static void
env_msleep(struct vm *vm, const void *chan, int priority, const char *wmesg,
    int32_t timo)
{
	struct b11 *w = b11_of(vm);

	if (w->loop == LOOP_DAEMON && w->turn >= w->nturns)
		b11_loop_end(w);
	b11_ev(w, "msleep", "si", chan == &vm->vm_pages_needed ?
	    "pages_needed" : "vm_daemon", (int64_t)timo);
	w->want_sleep = true;
	(void)sim_wakeup(w->sim, &w->want_sleep);
	(void)sim_sleep(w->sim, chan, priority, wmesg, SIM_NO_TIMEOUT);
}

/* ------------------------------------------------------------ locks */

/* The changes of a failed try, made while the lock is waited for. */
static void
while_waiting(struct b11 *w, const cJSON **changes)
{
	const cJSON *list = *changes;

	*changes = NULL;
	if (list != NULL)
		b11_changes(w, list);
}

static void
page_locked(struct b11 *w, struct vm_page *m)
{
	struct b11_page *pg = b11_page(w, m);

	pg->lock_act = m->act_count;
	pg->lock_winat = (m->flags & PG_WINATCFLS) != 0;
}

static bool
env_page_trylock(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_hook *h = b11_reach(w, AT_PAGE_TRYLOCK, b11_index(w, m));

	if (h != NULL) {
		w->page_do = h->changes;
		return (false);
	}
	page_locked(w, m);
	return (true);
}

static void
env_page_lock(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);

	while_waiting(w, &w->page_do);
	page_locked(w, m);
}

static void
env_page_unlock(struct vm *vm, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_page *pg = b11_page(w, m);
	bool winat = (m->flags & PG_WINATCFLS) != 0;

	if (m->act_count != pg->lock_act)
		b11_ev(w, "act", "ii", b11_index(w, m), (int64_t)m->act_count);
	if (winat != pg->lock_winat)
		b11_ev(w, "winat", "ii", b11_index(w, m), (int64_t)winat);
}

static bool
env_object_trywlock(struct vm *vm, vm_object_t object, vm_page_t m)
{
	struct b11 *w = b11_of(vm);
	struct b11_hook *h = b11_reach(w, AT_OBJ_TRYLOCK, b11_index(w, m));

	if (h != NULL) {
		w->obj_do = h->changes;
		return (false);
	}
	return (vm_object_trywlock(vm, object));
}

static void
env_object_wlock(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	while_waiting(w, &w->obj_do);
	vm_object_wlock(vm, object);
}

static bool
env_object_tryrlock(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	if (b11_reach(w, AT_OBJ_TRYRLOCK, b11_obj_index(w, object)) != NULL)
		return (false);
	return (vm_object_tryrlock(vm, object));
}

static struct b11_proc *
proc_of_map(struct b11 *w, vm_map_t map)
{
	for (uint32_t i = 0; i < w->nprocs; i++) {
		if (&w->procs[i].vs.vm_map == map)
			return (&w->procs[i]);
	}
	return (NULL);
}

static bool
env_map_trylock(struct vm *vm, vm_map_t map)
{
	struct b11 *w = b11_of(vm);

	return (b11_reach(w, AT_MAP_TRYLOCK, proc_of_map(w, map)->p.p_pid) ==
	    NULL);
}

static void
env_map_unlock(struct vm *vm, vm_map_t map)
{
	(void)vm;
	(void)map;
}

/* ------------------------------------------------------------ objects */

static void
env_object_reference(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	object->ref_count++;
	b11_detail(w, "objref", "ii", b11_obj_index(w, object), (int64_t)1);
}

static void
env_object_deallocate(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	object->ref_count--;
	b11_detail(w, "objref", "ii", b11_obj_index(w, object), (int64_t)-1);
}

static void
env_object_pip_add(struct vm *vm, vm_object_t object, int n)
{
	struct b11 *w = b11_of(vm);

	object->paging_in_progress += n;
	b11_detail(w, "pip", "ii", b11_obj_index(w, object), (int64_t)n);
}

static void
env_object_pip_wakeup(struct vm *vm, vm_object_t object)
{
	env_object_pip_add(vm, object, -1);
}

static void
env_object_page_clean(struct vm *vm, vm_object_t object, int flags)
{
	struct b11 *w = b11_of(vm);
	vm_page_t m;

	b11_ev(w, "page_clean", "ii", b11_obj_index(w, object),
	    (int64_t)flags);
	if (b11_reach(w, AT_PAGE_CLEAN, b11_obj_index(w, object)) != NULL)
		return;
	TAILQ_FOREACH(m, &object->memq, listq) {
		struct b11_page *pg = b11_page(w, m);

		if (vm_page_busied(m))
			continue;
		m->dirty = 0;
		for (uint32_t k = 0; k < pg->nmaps; k++)
			pg->maps[k].mod = false;
	}
}

/* ------------------------------------------------------------ files */

static const char *
mode_name(int lockmode)
{
	return (lockmode == LK_SHARED ? "shared" : "exclusive");
}

static int
env_vn_start_write(struct vm *vm, vm_object_t object, bool wait)
{
	struct b11 *w = b11_of(vm);
	int64_t o = b11_obj_index(w, object);
	bool failed = !wait && b11_reach(w, AT_START_WRITE, o) != NULL;

	b11_detail(w, "start_write", "iii", o, (int64_t)wait, (int64_t)failed);
	return (failed ? EAGAIN : 0);
}

static void
env_vn_finished_write(struct vm *vm, vm_object_t object)
{
	(void)object;
	b11_detail(b11_of(vm), "end_write", "");
}

static bool
env_shared_writes(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	return (w->xobjs[b11_obj_index(w, object)].shared_writes);
}

static int
env_vget(struct vm *vm, vm_object_t object, int lockmode)
{
	struct b11 *w = b11_of(vm);
	int64_t o = b11_obj_index(w, object);
	struct b11_hook *h = b11_reach(w, AT_VGET, o);
	bool failed = h != NULL && h->fail != 0;

	if (h != NULL && !failed && h->changes != NULL)
		b11_changes(w, h->changes);
	b11_detail(w, "vget", "isi", o, mode_name(lockmode), (int64_t)failed);
	return (failed ? EWOULDBLOCK : 0);
}

static void
env_vput(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	b11_detail(w, "vput", "i", b11_obj_index(w, object));
}

static void
env_vn_lock(struct vm *vm, vm_object_t object, int lockmode)
{
	struct b11 *w = b11_of(vm);

	b11_detail(w, "vn_lock", "is", b11_obj_index(w, object),
	    mode_name(lockmode));
}

static void
env_vn_unlock(struct vm *vm, vm_object_t object)
{
	struct b11 *w = b11_of(vm);

	b11_detail(w, "vn_unlock", "i", b11_obj_index(w, object));
}

/* ------------------------------------------------------------ pressure */

static void
hooked(struct b11 *w, enum b11_at at)
{
	struct b11_hook *h = b11_reach(w, at, 0);

	if (h != NULL && h->changes != NULL)
		b11_changes(w, h->changes);
}

static bool
env_speedup_syncer(struct vm *vm)
{
	b11_ev(b11_of(vm), "syncer", "");
	return (true);
}

static void
env_lowmem(struct vm *vm)
{
	b11_ev(b11_of(vm), "lowmem", "");
	hooked(b11_of(vm), AT_LOWMEM);
}

static void
env_uma_reclaim(struct vm *vm)
{
	b11_ev(b11_of(vm), "uma", "");
	hooked(b11_of(vm), AT_UMA);
}

static void
env_swapout_procs(struct vm *vm, int flags)
{
	b11_ev(b11_of(vm), "swapout", "i", (int64_t)flags);
	hooked(b11_of(vm), AT_SWAPOUT);
}

static void
env_faultin(struct vm *vm, struct proc *p)
{
	b11_ev(b11_of(vm), "faultin", "i", (int64_t)p->p_pid);
	p->p_sflag |= PS_INMEM;
}

/* ------------------------------------------------------------ processes */

static struct vmspace *
env_vmspace_acquire_ref(struct vm *vm, struct proc *p)
{
	struct b11_proc *xp = (struct b11_proc *)(void *)p;

	(void)vm;
	return (xp->has_vm ? &xp->vs : NULL);
}

static void
env_vmspace_free(struct vm *vm, struct vmspace *vs)
{
	(void)vm;
	(void)vs;
}

static uint64_t
env_swap_count(struct vm *vm, struct vmspace *vs)
{
	return ((uint64_t)proc_of_map(b11_of(vm), &vs->vm_map)->swap);
}

static void
env_killproc(struct vm *vm, struct proc *p, const char *why)
{
	b11_ev(b11_of(vm), "kill", "is", (int64_t)p->p_pid, why);
	p->p_flag |= P_WKILLED;
}

static void
env_sched_nice(struct vm *vm, struct proc *p, int nice)
{
	b11_ev(b11_of(vm), "nice", "ii", (int64_t)p->p_pid, (int64_t)nice);
	p->p_nice = nice;
}

static void
env_racct_set(struct vm *vm, struct proc *p, uint64_t bytes)
{
	b11_ev(b11_of(vm), "racct_set", "ii", (int64_t)p->p_pid,
	    (int64_t)bytes);
	p->p_racct_rss = bytes;
}

static uint64_t
env_racct_available(struct vm *vm, struct proc *p)
{
	struct b11_proc *xp = (struct b11_proc *)(void *)p;

	(void)vm;
	if (xp->navail == 0)
		return (UINT64_MAX);
	if (xp->avail_next < xp->navail - 1)
		return (xp->avail[xp->avail_next++]);
	return (xp->avail[xp->navail - 1]);
}

/* ------------------------------------------------------------ start-up */

static void
env_swap_init(struct vm *vm)
{
	b11_ev(b11_of(vm), "swap_init", "");
}

static int
env_kthread_add(struct vm *vm, void (*fn)(void *arg), void *arg,
    const char *name, int index)
{
	struct b11 *w = b11_of(vm);
	struct b11_hook *h = b11_reach(w, AT_KTHREAD, 0);

	(void)fn;
	(void)arg;
	b11_ev(w, "kthread", "si", name, (int64_t)index);
	return (h != NULL ? (int)h->error : 0);
}

static void
env_preempt(struct vm *vm)
{
	(void)sim_preempt_point(vm->sim);
}

/* ------------------------------------------------------------ notes */

static void
env_note(struct vm *vm, enum vm_pageout_note note, const void *what,
    int64_t a, int64_t b)
{
	struct b11 *w = b11_of(vm);

	switch (note) {
	case VPN_SHORTAGE:
		b11_ev(w, "shortage", "ii", a, b);
		break;
	case VPN_FLUSH:
		b11_ev(w, "flush", "i", a);
		break;
	case VPN_CLEAN:
		b11_ev(w, "clean", "is", b11_index(w, what),
		    b11_errno_name((int)a));
		break;
	case VPN_PAGE_LOCK_MISS:
		b11_ev(w, "plmiss", "ii", b11_index(w, what), a);
		break;
	case VPN_OBJECT_LOCK_MISS:
		b11_ev(w, "olmiss", "ii", b11_index(w, what), a);
		break;
	case VPN_VMDAEMON_REQ:
		b11_ev(w, "vmdreq", "i", a);
		break;
	case VPN_OOM:
		b11_ev(w, "oom", "i", a);
		break;
	case VPN_ALLPROC:
		b11_ev(w, "allproc", "");
		break;
	case VPN_SCAN:
		b11_ev(w, "scan", "iiii", a, b, (int64_t)vm->vm_pages_needed,
		    (int64_t)vm->cnt.v_pdwakeups);
		break;
	case VPN_LAUNDER:
		b11_ev(w, "launder", "ic", a, b == (int64_t)PQ_ACTIVE(vm) ?
		    'A' : 'I');
		break;
	case VPN_LAUNDERED:
		b11_ev(w, "laundered", "i", a);
		break;
	case VPN_MAP_DEACTIVATE:
		b11_ev(w, "mapdeact", "ii",
		    (int64_t)((const struct proc *)what)->p_pid, a);
		break;
	case VPN_OBJECT_DEACTIVATE:
		b11_ev(w, "objdeact", "ii", b11_obj_index(w, what), a);
		break;
	}
}

/* One turn of a worker's loop ends with its scan. */
static void
env_worker_scan(struct vm *vm, struct vm_domain *vmd, int pass)
{
	struct b11 *w = b11_of(vm);
	const cJSON *turn = cJSON_GetArrayItem(w->iters, w->turn);

	if (b11_int(w, turn, "real", 0, 0, 1))
		vm_pageout_scan(vm, vmd, pass);
	b11_changes(w, b11_array(w, turn, "scan"));
	if (++w->turn >= w->nturns)
		b11_loop_end(w);
}

const struct vm_pageout_env b11_env = {
	.ticks = env_ticks,
	.uptime = env_uptime,
	.second = env_second,
	.msleep = env_msleep,
	.page_trylock = env_page_trylock,
	.page_lock = env_page_lock,
	.page_unlock = env_page_unlock,
	.object_trywlock = env_object_trywlock,
	.object_wlock = env_object_wlock,
	.object_wunlock = vm_object_wunlock,
	.object_tryrlock = env_object_tryrlock,
	.object_rlock = vm_object_rlock,
	.object_runlock = vm_object_runlock,
	.map_trylock = env_map_trylock,
	.map_unlock = env_map_unlock,
	.map_trylock_read = env_map_trylock,
	.map_unlock_read = env_map_unlock,
	.object_reference = env_object_reference,
	.object_deallocate = env_object_deallocate,
	.object_pip_add = env_object_pip_add,
	.object_pip_wakeup = env_object_pip_wakeup,
	.object_page_clean = env_object_page_clean,
	.vn_start_write = env_vn_start_write,
	.vn_finished_write = env_vn_finished_write,
	.shared_writes = env_shared_writes,
	.vget = env_vget,
	.vput = env_vput,
	.vn_lock = env_vn_lock,
	.vn_unlock = env_vn_unlock,
	.speedup_syncer = env_speedup_syncer,
	.lowmem = env_lowmem,
	.uma_reclaim = env_uma_reclaim,
	.swapout_procs = env_swapout_procs,
	.faultin = env_faultin,
	.vmspace_acquire_ref = env_vmspace_acquire_ref,
	.vmspace_free = env_vmspace_free,
	.swap_count = env_swap_count,
	.killproc = env_killproc,
	.sched_nice = env_sched_nice,
	.racct_set = env_racct_set,
	.racct_available = env_racct_available,
	.swap_init = env_swap_init,
	.kthread_add = env_kthread_add,
	.preempt = env_preempt,
	.note = env_note,
	.worker_scan = env_worker_scan,
};

/* ------------------------------------------------------------ wakeups */

static void
trace_wakeup(void *ctx, const void *chan)
{
	struct b11 *w = ctx;
	const struct vm *vm = w->vm;
	const char *who = NULL;

	if (chan == &vm->cnt.v_free_count && w->in_page_op)
		w->late_wakeup = true;
	else if (chan == &vm->cnt.v_free_count)
		who = "free_count";
	else if (chan == &vm->vm_pages_needed)
		who = "pages_needed";
	else if (chan == &vm->pageout->vm_daemon_needed)
		who = "vm_daemon";
	if (who != NULL)
		b11_ev(w, "wakeup", "s", who);
}

const struct sim_trace_ops b11_trace_ops = { .wakeup = trace_wakeup };
