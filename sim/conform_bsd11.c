/*
 * conform_bsd11.c: replay of the bsd11 conformance vectors: the page daemon
 * and vm daemon of FreeBSD 11 alone, in a scripted kernel of their own era.
 *
 * Interface: conform_bsd11 (sim/conform.h).
 * Source:    tests/vectors/bsd11/README.md.
 *
 * Every scenario is a simulation of its own. One simulated thread builds the
 * state and performs the steps; the endless loops (worker, daemon) run on a
 * second one, sleep there for real, and end when their turns are used up.
 * Malformed input and panics end the running thread, so nothing above has to
 * test for them.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd11_int.h"

/* ------------------------------------------------------------ the end */

void
b11_stop(struct b11 *w, int verdict)
{
	w->verdict = verdict;
	sim_stop(w->sim);
	sim_thread_exit(w->sim);
}

/* Strings of the input may hold anything. */
static void
one_line(char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	}
}

void
b11_bad(struct b11 *w, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	one_line(text);
	one_line(w->run->where);
	b11_stop(w, conform_bad(w->run, "%s", text));
}

void *
b11_alloc(struct b11 *w, size_t n, size_t size)
{
	void *p = calloc(n != 0 ? n : 1, size);

	if (p == NULL) {
		(void)sim_err_set(w->run->err, ENOMEM, "no host memory for "
		    "scenario %s", w->run->id);
		b11_stop(w, -ENOMEM);
	}
	return (p);
}

/* ------------------------------------------------------------ reading */

int64_t
b11_item(struct b11 *w, const cJSON *item, const char *what, int64_t min,
    int64_t max)
{
	double d = cJSON_IsNumber(item) ? item->valuedouble : NAN;

	if (!(d >= (double)min && d <= (double)max) || d != floor(d))
		b11_bad(w, "\"%s\" must be an integer in %lld..%lld", what,
		    (long long)min, (long long)max);
	return ((int64_t)d);
}

int64_t
b11_int(struct b11 *w, const cJSON *obj, const char *name, int64_t def,
    int64_t min, int64_t max)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);

	return (item != NULL ? b11_item(w, item, name, min, max) : def);
}

uint32_t
b11_idx(struct b11 *w, const cJSON *obj, const char *name, uint32_t n)
{
	return ((uint32_t)b11_item(w, cJSON_GetObjectItemCaseSensitive(obj,
	    name), name, 0, (int64_t)n - 1));
}

const char *
b11_str(struct b11 *w, const cJSON *obj, const char *name, const char *def)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);

	if (item == NULL)
		return (def);
	if (!cJSON_IsString(item))
		b11_bad(w, "\"%s\" must be a string", name);
	return (item->valuestring);
}

const cJSON *
b11_array(struct b11 *w, const cJSON *obj, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(obj, name);

	if (item != NULL && !cJSON_IsArray(item))
		b11_bad(w, "\"%s\" must be an array", name);
	return (item);
}

const char *
b11_errno_name(int error)
{
	switch (error) {
	case 0:
		return ("0");
	case EIO:
		return ("EIO");
	case EDEADLK:
		return ("EDEADLK");
	case ENXIO:
		return ("ENXIO");
	case EBUSY:
		return ("EBUSY");
	default:
		return ("?");
	}
}

/* ------------------------------------------------------------ loops */

static void
looper_main(void *arg)
{
	struct b11 *w = arg;

	if (w->loop == LOOP_DAEMON)
		vm_daemon(w->vm);
	else if (w->loop_starts)
		vm_pageout(w->vm);
	else
		vm_pageout_worker(w->vm, w->loop_dom);
}

void
b11_loop_end(struct b11 *w)
{
	w->loop_done = true;
	(void)sim_wakeup(w->sim, &w->want_sleep);
	sim_thread_exit(w->sim);
}

/* Changes of a turn; the loop is asleep. */
static void
sleep_turn(struct b11 *w)
{
	const cJSON *turn = cJSON_GetArrayItem(w->iters, w->turn);

	b11_changes(w, b11_array(w, turn, "sleep"));
	if (w->loop == LOOP_DAEMON)
		w->turn++;
	w->want_sleep = false;
	(void)sim_unsleep(w->sim, w->looper);
}

/* Run a loop for the turns of the step. */
static void
run_loop(struct b11 *w, enum b11_loop loop, const cJSON *step)
{
	w->loop = loop;
	w->iters = b11_array(w, step, "iters");
	w->nturns = cJSON_GetArraySize(w->iters);
	w->turn = 0;
	w->loop_done = false;
	if (w->nturns == 0)
		return;
	w->looper = sim_thread_create(w->sim, "loop", PVM, looper_main, w);
	if (w->looper == NULL)
		b11_stop(w, -ENOMEM);
	sim_thread_set_data(w->looper, &w->td_pageproc);
	for (;;) {
		(void)sim_sleep(w->sim, &w->want_sleep, PUSER, "turn",
		    SIM_NO_TIMEOUT);
		if (w->loop_done)
			break;
		if (w->want_sleep)
			sleep_turn(w);
	}
	w->loop = LOOP_NONE;
}

/* ------------------------------------------------------------ calls */

static void
ret_int(struct b11 *w, const char *name, int64_t v)
{
	cJSON_AddItemToObject(w->rec, name, cJSON_CreateNumber((double)v));
}

static struct vm_page *
page_of(struct b11 *w, const cJSON *step)
{
	struct vm_page *m;

	m = &w->vm->page_array[b11_idx(w, step, "page", w->npages)];
	if (m->object == NULL)
		b11_bad(w, "page %lld has no object",
		    (long long)b11_index(w, m));
	return (m);
}

static struct vm_domain *
dom_of(struct b11 *w, const cJSON *step)
{
	return (&w->vm->dom[b11_int(w, step, "dom", 0, 0,
	    (int64_t)w->vm->ndomains - 1)]);
}

static void
call_scan(struct b11 *w, const cJSON *step)
{
	struct vm_domain *vmd = dom_of(w, step);

	vm_pageout_scan(w->vm, vmd, (int)b11_int(w, step, "pass", 0, INT32_MIN,
	    INT32_MAX));
}

static void
call_clean(struct b11 *w, const cJSON *step)
{
	struct vm_page *m = page_of(w, step);

	b11_env.object_wlock(w->vm, m->object);
	b11_env.page_lock(w->vm, m);
	cJSON_AddItemToObject(w->rec, "ret", cJSON_CreateString(
	    b11_errno_name(vm_pageout_clean(w->vm, m))));
}

static void
call_cluster(struct b11 *w, const cJSON *step)
{
	struct vm_page *m = page_of(w, step);
	struct vm_object *o = m->object;

	b11_env.object_wlock(w->vm, o);
	b11_env.page_lock(w->vm, m);
	ret_int(w, "ret", vm_pageout_cluster(w->vm, m));
	b11_env.object_wunlock(w->vm, o);
}

static void
call_flush(struct b11 *w, const cJSON *step)
{
	struct vm_page *mc[2 * VM_PAGEOUT_PAGE_COUNT_MAX];
	const cJSON *pages = b11_array(w, step, "pages"), *p;
	const int max = 2 * VM_PAGEOUT_PAGE_COUNT_MAX;
	int count = 0, runlen = 0;
	int flags = (int)b11_int(w, step, "flags", 0, 0, INT32_MAX);
	int mreq = (int)b11_int(w, step, "mreq", 0, INT32_MIN / 2,
	    INT32_MAX / 2);
	bool want_runlen = b11_int(w, step, "want_runlen", 1, 0, 1) != 0;
	bool want_eio = b11_int(w, step, "want_eio", 1, 0, 1) != 0;
	bool eio = false;

	cJSON_ArrayForEach(p, pages) {
		if (count >= max)
			b11_bad(w, "a flush has at most %d pages", max);
		mc[count] = &w->vm->page_array[b11_item(w, p, "page", 0,
		    (int64_t)w->npages - 1)];
		if (mc[count]->object == NULL ||
		    mc[count]->object != mc[0]->object)
			b11_bad(w, "\"pages\" must be of one object");
		count++;
	}
	if (count == 0)
		b11_bad(w, "a flush needs pages");
	b11_env.object_wlock(w->vm, mc[0]->object);
	ret_int(w, "ret", vm_pageout_flush(w->vm, mc, count, flags, mreq,
	    want_runlen ? &runlen : NULL, want_eio ? &eio : NULL));
	b11_env.object_wunlock(w->vm, mc[0]->object);
	if (want_runlen)
		ret_int(w, "runlen", runlen);
	if (want_eio)
		ret_int(w, "eio", eio);
}

static void
call_init(struct b11 *w, const cJSON *step)
{
	const struct vmmeter *cnt = &w->vm->cnt;
	const struct vm_pageout *po = w->vm->pageout;
	cJSON *th;

	(void)step;
	vm_pageout_init(w->vm);
	th = cJSON_AddObjectToObject(w->rec, "th");
#define TH(name, v) \
	cJSON_AddItemToObject(th, name, cJSON_CreateNumber((double)(v)))
	TH("v_interrupt_free_min", cnt->v_interrupt_free_min);
	TH("page_count", po->vm_pageout_page_count);
	TH("v_free_min", cnt->v_free_min);
	TH("v_pageout_free_min", cnt->v_pageout_free_min);
	TH("v_free_reserved", cnt->v_free_reserved);
	TH("v_free_severe", cnt->v_free_severe);
	TH("v_free_target", cnt->v_free_target);
	TH("v_inactive_target", cnt->v_inactive_target);
	TH("wakeup_thresh", w->vm->vm_pageout_wakeup_thresh);
	TH("pageout_update_period", po->vm_pageout_update_period);
	TH("max_wired", po->vm_page_max_wired);
#undef TH
}

static void
call_grow_cache(struct b11 *w, const cJSON *step)
{
	const int64_t max = INT64_C(1) << 53;
	int64_t tries = b11_int(w, step, "tries", 0, INT32_MIN, INT32_MAX);
	int64_t low = b11_int(w, step, "low", 0, 0, max);
	int64_t high = b11_int(w, step, "high", 0, 0, max);

	vm_pageout_grow_cache(w->vm, (int)tries, (vm_paddr_t)low,
	    (vm_paddr_t)high);
}

static void
call_mightbe_oom(struct b11 *w, const cJSON *step)
{
	struct vm_domain *vmd = dom_of(w, step);
	int end = (int)b11_int(w, step, "end", 0, INT32_MIN, INT32_MAX);
	int start = (int)b11_int(w, step, "start", 0, INT32_MIN, INT32_MAX);

	vm_pageout_mightbe_oom(w->vm, vmd, end, start);
}

static void
call_oom(struct b11 *w, const cJSON *step)
{
	vm_pageout_oom(w->vm, (int)b11_int(w, step, "why", VM_OOM_MEM,
	    INT32_MIN, INT32_MAX));
}

static struct b11_proc *
proc_of(struct b11 *w, const cJSON *step)
{
	return (b11_proc(w, b11_item(w, cJSON_GetObjectItemCaseSensitive(step,
	    "pid"), "pid", INT32_MIN, INT32_MAX)));
}

static void
call_pagecount(struct b11 *w, const cJSON *step)
{
	ret_int(w, "ret", vm_pageout_oom_pagecount(w->vm,
	    &proc_of(w, step)->vs));
}

static void
call_worker(struct b11 *w, const cJSON *step)
{
	w->loop_dom = (uint32_t)(dom_of(w, step) - w->vm->dom);
	w->loop_starts = false;
	if (w->vm->dom[w->loop_dom].vmd_inacthead_queued)
		b11_bad(w, "the worker of domain %u runs already",
		    w->loop_dom);
	run_loop(w, LOOP_WORKER, step);
}

static void
call_start(struct b11 *w, const cJSON *step)
{
	w->loop_dom = 0;
	w->loop_starts = true;
	if (w->vm->dom[0].vmd_inacthead_queued)
		b11_bad(w, "the worker of domain 0 runs already");
	run_loop(w, LOOP_WORKER, step);
}

static void
call_pagedaemon_wakeup(struct b11 *w, const cJSON *step)
{
	bool from = b11_int(w, step, "from_pagedaemon", 0, 0, 1) != 0;

	sim_thread_set_data(w->driver, from ? &w->td_pageproc : &w->td_user);
	pagedaemon_wakeup(w->vm);
	sim_thread_set_data(w->driver, &w->td_user);
}

static void
call_req_vmdaemon(struct b11 *w, const cJSON *step)
{
	vm_req_vmdaemon(w->vm, (int)b11_int(w, step, "req", 0, INT32_MIN,
	    INT32_MAX));
}

static void
call_daemon(struct b11 *w, const cJSON *step)
{
	run_loop(w, LOOP_DAEMON, step);
}

static void
call_map_deactivate(struct b11 *w, const cJSON *step)
{
	struct b11_proc *xp = proc_of(w, step);

	if (xp->vs.vm_map.pmap == NULL)
		b11_bad(w, "process %d has no \"pmap\"", xp->p.p_pid);
	vm_pageout_map_deactivate_pages(w->vm, &xp->vs.vm_map,
	    b11_int(w, step, "desired", 0, -(INT64_C(1) << 53),
	    INT64_C(1) << 53));
}

static void
call_obj_deactivate(struct b11 *w, const cJSON *step)
{
	struct pmap *pmap = (struct pmap *)&w->pmaps[b11_idx(w, step, "pmap",
	    w->npmaps)];
	struct vm_object *o = &w->objs[b11_idx(w, step, "obj", w->nobjs)];
	int64_t desired = b11_int(w, step, "desired", 0, -(INT64_C(1) << 53),
	    INT64_C(1) << 53);

	vm_object_rlock(w->vm, o);
	vm_pageout_object_deactivate_pages(w->vm, pmap, o, desired);
	vm_object_runlock(w->vm, o);
}

static const struct {
	const char *name;
	void (*fn)(struct b11 *w, const cJSON *step);
} calls[] = {
	{ "scan", call_scan },
	{ "clean", call_clean },
	{ "cluster", call_cluster },
	{ "flush", call_flush },
	{ "init", call_init },
	{ "grow_cache", call_grow_cache },
	{ "mightbe_oom", call_mightbe_oom },
	{ "oom", call_oom },
	{ "pagecount", call_pagecount },
	{ "worker", call_worker },
	{ "start", call_start },
	{ "pagedaemon_wakeup", call_pagedaemon_wakeup },
	{ "req_vmdaemon", call_req_vmdaemon },
	{ "daemon", call_daemon },
	{ "map_deactivate", call_map_deactivate },
	{ "obj_deactivate", call_obj_deactivate },
};

/* ------------------------------------------------------------ steps */

/* The finished record: into `out`, and against the expected one. */
static void
judge(struct b11 *w, const cJSON *step)
{
	const cJSON *expected = NULL;
	cJSON *rec = w->rec;

	w->rec = NULL;
	cJSON_AddItemToArray(w->out, rec);
	if (!w->run->emit) {
		expected = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(
		    w->run->scenario, "out"), (int)w->step);
		if (expected == NULL)
			b11_bad(w, "\"out\" ends before this step");
	}
	if (!conform_step(w->run, w->step, step, expected, rec))
		b11_stop(w, CONFORM_FAIL);
	w->step++;
}

static void
perform(struct b11 *w, const cJSON *step)
{
	const char *op = b11_str(w, step, "op", "");

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, op) != 0)
			continue;
		if (w->step == 0)
			b11_snapshot(w);
		if (w->run->dump_at == w->step) {
			b11_dump(w);
			b11_stop(w, CONFORM_PASS);
		}
		b11_begin(w, op);
		calls[i].fn(w, step);
		b11_finish(w);
		judge(w, step);
		return;
	}
	if (!b11_change(w, step))
		b11_bad(w, "unknown step \"%s\"", op);
}

/* More records expected than steps that call? */
static void
check_length(struct b11 *w)
{
	const cJSON *out = cJSON_GetObjectItemCaseSensitive(w->run->scenario,
	    "out");

	if (!w->run->emit && w->run->dump_at < 0 &&
	    cJSON_GetArraySize(out) > w->step)
		b11_bad(w, "\"out\" has more records than there are calls");
}

static void
driver_main(void *arg)
{
	struct b11 *w = arg;
	const cJSON *step;
	int i = 0;

	b11_build(w);
	cJSON_ArrayForEach(step, b11_array(w, w->in, "steps")) {
		snprintf(w->run->where, sizeof(w->run->where),
		    "step %d (%.40s)", i++, b11_str(w, step, "op", ""));
		w->now_step = step;
		perform(w, step);
	}
	check_length(w);
	b11_stop(w, CONFORM_PASS);
}

/* The seed's panics are results: the scenario ends with them. */
static void
on_panic(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct b11 *w = ctx;
	cJSON *ev = w->ev;

	(void)file;
	(void)line;
	(void)func;
	if (ev == NULL)
		b11_bad(w, "panic: %s", message);
	w->ev = NULL;
	cJSON_Delete(w->rec);
	w->rec = cJSON_CreateObject();
	cJSON_AddItemToObject(w->rec, "panic", cJSON_CreateString(message));
	cJSON_AddItemToObject(w->rec, "ev", ev);
	judge(w, w->now_step);
	check_length(w);
	b11_stop(w, CONFORM_PASS);
}

/* ------------------------------------------------------------ driver */

static bool
bsd11_accepts(const cJSON *scenario)
{
	static const char *const suites[] = { "basic", "scan", "scan_race",
		"cluster", "worker", "init", "oom", "deactivate",
		"grow_cache" };
	const char *suite = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(scenario, "suite"));

	/* Mach has an "init" and a "scan" too, with "input". */
	if (suite == NULL ||
	    cJSON_GetObjectItemCaseSensitive(scenario, "in") == NULL)
		return (false);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		if (strcmp(suites[i], suite) == 0)
			return (true);
	}
	return (false);
}

/* --emit: our records in place of the expected ones. */
static void
emit_out(struct b11 *w)
{
	cJSON *s = w->run->scenario;

	if (cJSON_GetObjectItemCaseSensitive(s, "out") != NULL)
		cJSON_ReplaceItemInObjectCaseSensitive(s, "out", w->out);
	else
		cJSON_AddItemToObject(s, "out", w->out);
	w->out = NULL;
}

static int
bsd11_perform(struct b11 *w)
{
	struct sim_config cfg = { .cpu_hz = 1000000, .rng_seed = 1 };

	w->in = cJSON_GetObjectItemCaseSensitive(w->run->scenario, "in");
	if (!cJSON_IsObject(w->in))
		return (conform_bad(w->run, "\"in\" must be an object"));
	w->sim = sim_create(&cfg);
	w->out = cJSON_CreateArray();
	if (w->sim == NULL || w->out == NULL)
		return (sim_err_set(w->run->err, ENOMEM, "no host memory"));
	w->driver = sim_thread_create(w->sim, "steps", PUSER, driver_main, w);
	if (w->driver == NULL)
		return (sim_err_set(w->run->err, ENOMEM, "no host memory"));
	w->td_user.td_proc = &w->user;
	w->td_pageproc.td_proc = &w->pageproc;
	sim_thread_set_data(w->driver, &w->td_user);
	sim_set_panic_handler(w->sim, on_panic, w);
	sim_set_trace(w->sim, &b11_trace_ops, w);
	w->verdict = -EINVAL;
	if (sim_run(w->sim) == SIM_DEADLOCK)
		return (conform_bad(w->run, "the call never ends"));
	if (w->verdict == CONFORM_PASS && w->run->emit)
		emit_out(w);
	return (w->verdict);
}

static int
bsd11_replay(struct conform_run *run)
{
	struct b11 *w = calloc(1, sizeof(*w));
	int verdict;

	if (w == NULL)
		return (sim_err_set(run->err, ENOMEM, "no host memory"));
	w->run = run;
	verdict = bsd11_perform(w);
	if (w->sim != NULL)
		sim_destroy(w->sim);
	b11_free(w);
	cJSON_Delete(w->rec);
	cJSON_Delete(w->ev);
	cJSON_Delete(w->out);
	free(w);
	return (verdict);
}

const struct conform_driver conform_bsd11 = {
	.name = "bsd11",
	.accepts = bsd11_accepts,
	.replay = bsd11_replay,
};
