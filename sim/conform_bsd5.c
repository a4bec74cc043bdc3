/*
 * conform_bsd5.c: replaying FreeBSD 5.0 vectors on vmcore's page module and on
 * its process swapping.
 *
 * Interface: sim/conform.h (conform_bsd5).
 * Source:    README of the vectors, sections 1 to 3.
 *
 * Each op runs in a simulated thread of its own. When it sleeps, the thread
 * really sleeps; the driver then runs the scripted ops, each in a thread of
 * its own too, and wakes it unless one of them did. Without a script the
 * sleeping thread is abandoned. A panic of the kernel ends the thread and the
 * scenario.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform_bsd5.h"

#define PAGES_MAX (1 << 20) /* 4 GiB */
#define OBJECTS_MAX (1 << 16)
#define SCRIPT_PRIORITY 0 /* before a sleeper that they wake */

/* ------------------------------------------------------------ calls */

static void
call_main(void *arg)
{
	struct bsd5_call *call = arg;

	call->op->fn(call->d, &call->args);
	call->done = true;
	/* Back to the driver, whoever else has become runnable. */
	sim_stop(call->d->sim);
}

static struct sim_thread *
call_start(struct bsd5 *d, struct bsd5_call *call, int priority)
{
	struct sim_thread *td = sim_thread_create(d->sim, call->op->name,
	    priority, call_main, call);

	if (td != NULL)
		sim_thread_set_data(td, call->args.as_pd ? &d->pageproc_td :
							   &d->user_td);
	return (td);
}

static int
parse_call(struct bsd5 *d, const cJSON *json, struct bsd5_call *call)
{
	const char *name;
	int error;

	*call = (struct bsd5_call) { .d = d };
	name = conform_string(d->run, json, "op", true, &error);
	if (error != 0)
		return (error);
	call->op = bsd5_find_op(name);
	if (call->op == NULL && d->glue != NULL)
		call->op = bsd5_glue_find_op(name);
	if (call->op == NULL)
		return (conform_bad(d->run, "unknown op \"%s\"", name));
	error = bsd5_parse_args(d, call->op, json, &call->args);
	if (error != 0)
		return (error);
	bsd5_touch(d, call->args.m);
	bsd5_touch(d, call->args.to);
	return (0);
}

/* An op of a script has no script of its own. */
static int
parse_scripted(struct bsd5 *d, const cJSON *json, struct bsd5_call *call)
{
	int error = parse_call(d, json, call);

	if (error == 0 &&
	    (cJSON_GetObjectItemCaseSensitive(json, "sleeps") != NULL ||
	    cJSON_GetObjectItemCaseSensitive(json, "on_lock") != NULL))
		error = conform_bad(d->run,
		    "an op of a script cannot have a script");
	return (error);
}

/* One op of a script, from start to end. */
static int
run_scripted(struct bsd5 *d, const cJSON *json)
{
	struct bsd5_call *outer = d->call, call;
	int error;

	error = parse_scripted(d, json, &call);
	if (error != 0)
		return (error);
	d->call = &call;
	if (call_start(d, &call, SCRIPT_PRIORITY) != NULL)
		(void)sim_run(d->sim);
	else
		error = conform_bad(d->run, "no memory");
	d->call = outer;
	return (error);
}

static int
run_script(struct bsd5 *d, const cJSON *script)
{
	enum bsd5_result result = d->result;
	const cJSON *json;
	int error = 0;

	if (!cJSON_IsArray(script))
		return (conform_bad(d->run, "\"sleeps\" must hold arrays"));
	cJSON_ArrayForEach(json, script) {
		error = run_scripted(d, json);
		if (error != 0 || d->err[0] != '\0')
			break;
	}
	/* What they return is nobody's business. */
	d->result = result;
	return (error);
}

/* One op of an on_lock, in the thread of the call that takes the lock. */
static void
run_within(struct bsd5 *d, const cJSON *json)
{
	struct bsd5_call *outer = d->call, call;
	enum bsd5_result result = d->result;
	struct sim_thread *td = sim_curthread(d->sim);
	void *data = sim_thread_data(td);

	d->bad_args = parse_scripted(d, json, &call);
	if (d->bad_args != 0)
		sim_abandon_current(d->sim);
	call.within = true;
	d->call = &call;
	if (call.args.as_pd)
		sim_thread_set_data(td, &d->pageproc_td);
	call.op->fn(d, &call.args);
	sim_thread_set_data(td, data);
	d->call = outer;
	d->result = result;
	if (d->bad_args != 0)
		sim_abandon_current(d->sim);
}

void
bsd5_locked(struct bsd5 *d, int64_t pid)
{
	struct bsd5_call *call = d->call;
	const cJSON *entry, *json;
	int i = 0;

	cJSON_ArrayForEach(entry, call->on_lock) {
		const cJSON *p = cJSON_GetObjectItemCaseSensitive(entry, "pid");

		if ((call->locked >> i & 1) == 0 && cJSON_IsNumber(p) &&
		    (int64_t)p->valuedouble == pid) {
			call->locked |= 1ull << i;
			json = cJSON_GetObjectItemCaseSensitive(entry, "ops");
			for (json = json->child; json != NULL;
			    json = json->next)
				run_within(d, json);
		}
		i++;
	}
}

/* Run a call until it is over, refused or asleep for good. */
static int
run_call(struct bsd5 *d, struct bsd5_call *call)
{
	struct sim_thread *td = call_start(d, call, PUSER);
	const cJSON *script;
	int error;

	if (td == NULL)
		return (conform_bad(d->run, "no memory"));
	d->call = call;
	for (;;) {
		(void)sim_run(d->sim);
		if (call->done || call->blocked || d->err[0] != '\0' ||
		    d->bad_args != 0)
			return (0);
		script = call->script;
		call->script = script->next;
		error = run_script(d, script);
		if (error != 0 || d->err[0] != '\0')
			return (error);
		(void)sim_unsleep(d->sim, td);
	}
}

/* ------------------------------------------------------------ ops */

static void
begin_op(struct bsd5 *d)
{
	if (d->touched != NULL && d->glue != NULL)
		bsd5_glue_touch(d);
	d->nmoves = 0;
	cJSON_Delete(d->events);
	d->events = cJSON_CreateArray();
	d->result = R_NONE;
}

#define ON_LOCK_MAX 64

/* [{"pid":P,"ops":[...]},...]: what others do just before P is locked. */
static int
parse_on_lock(struct bsd5 *d, const cJSON *json, struct bsd5_call *call)
{
	const cJSON *entry;
	int64_t pid = 0;
	int error;

	call->on_lock = conform_array(d->run, json, "on_lock", false, &error);
	if (error != 0)
		return (error);
	if (cJSON_GetArraySize(call->on_lock) > ON_LOCK_MAX)
		return (conform_bad(d->run, "\"on_lock\" has more than %d "
		    "entries", ON_LOCK_MAX));
	cJSON_ArrayForEach(entry, call->on_lock) {
		if (!cJSON_IsObject(entry))
			return (conform_bad(d->run,
			    "\"on_lock\" must hold objects"));
		error = conform_int(d->run, entry, "pid", true, INT32_MIN,
		    INT32_MAX, &pid);
		if (error == 0)
			(void)conform_array(d->run, entry, "ops", true,
			    &error);
		if (error != 0)
			return (error);
	}
	return (0);
}

static int
perform(struct bsd5 *d, const cJSON *json, bool *blocked)
{
	struct bsd5_call call;
	const cJSON *scripts;
	int error;

	error = parse_call(d, json, &call);
	if (error != 0)
		return (error);
	scripts = conform_array(d->run, json, "sleeps", false, &error);
	if (error != 0)
		return (error);
	call.script = scripts != NULL ? scripts->child : NULL;
	error = parse_on_lock(d, json, &call);
	if (error != 0)
		return (error);
	error = run_call(d, &call);
	*blocked = call.blocked;
	d->call = NULL;
	return (error != 0 ? error : d->bad_args);
}

static bool
op_is(const cJSON *json, const char *name)
{
	const char *op = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(json, "op"));

	return (op != NULL && strcmp(op, name) == 0);
}

/* Compare, or with --emit put into the scenario. Takes `actual` over. */
static int
deliver(struct bsd5 *d, int64_t index, cJSON *json, cJSON *actual)
{
	const cJSON *exp = cJSON_GetObjectItemCaseSensitive(json, "exp");
	int verdict = CONFORM_PASS;

	if (exp == NULL && !d->run->emit) {
		cJSON_Delete(actual);
		return (conform_bad(d->run, "\"exp\" is missing (--emit needs "
		    "none)"));
	}
	if (!conform_step(d->run, index, json, exp, actual))
		verdict = CONFORM_FAIL;
	if (!d->run->emit) {
		cJSON_Delete(actual);
		return (verdict);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(json, "exp");
	cJSON_AddItemToObject(json, "exp", actual);
	return (verdict);
}

static int
one_op(struct bsd5 *d, int64_t index, cJSON *json)
{
	bool blocked = false;
	cJSON *actual;
	int error;

	if (op_is(json, "snap"))
		actual = bsd5_snapshot(d);
	else {
		begin_op(d);
		error = perform(d, json, &blocked);
		if (error != 0)
			return (error);
		actual = bsd5_outcome(d, blocked);
	}
	return (deliver(d, index, json, actual));
}

/* A refused op ends the scenario: nothing may follow in what is emitted. */
static void
drop_rest(cJSON *ops, const cJSON *last)
{
	while (last->next != NULL)
		cJSON_Delete(cJSON_DetachItemViaPointer(ops, last->next));
}

static int
all_ops(struct bsd5 *d, cJSON *ops)
{
	int64_t index = 0;
	const char *name;
	cJSON *json;
	int verdict;

	cJSON_ArrayForEach(json, ops) {
		if (index == d->run->dump_at) {
			bsd5_dump(d);
			return (CONFORM_PASS);
		}
		name = cJSON_GetStringValue(
		    cJSON_GetObjectItemCaseSensitive(json, "op"));
		snprintf(d->run->where, sizeof(d->run->where),
		    "step %lld (%.40s)", (long long)index,
		    name != NULL ? name : "?");
		verdict = one_op(d, index, json);
		if (verdict != CONFORM_PASS)
			return (verdict);
		if (d->err[0] != '\0') {
			drop_rest(ops, json);
			break;
		}
		index++;
	}
	return (CONFORM_PASS);
}

/* ------------------------------------------------------------ set-up */

/* Objects are found by number and stay where they are. NULL: no memory. */
struct bsd5_object *
bsd5_new_object(struct bsd5 *d)
{
	struct bsd5_object *o = calloc(1, sizeof(*o)), **objs;
	uint32_t room = d->objs_room * 2 + 16;

	if (o != NULL && d->nobjs == d->objs_room) {
		objs = realloc(d->objs, room * sizeof(struct bsd5_object *));
		if (objs == NULL) {
			free(o);
			return (NULL);
		}
		d->objs = objs;
		d->objs_room = room;
	}
	if (o == NULL)
		return (NULL);
	d->objs[d->nobjs++] = o;
	o->obj.id = d->nobjs;
	TAILQ_INIT(&o->obj.memq);
	o->obj.pagerops = &bsd5_pagerops;
	TAILQ_INSERT_TAIL(&d->vm->object_list, &o->obj, object_list);
	return (o);
}

/* A call that is no op: what set-up does to a process. */
int
bsd5_run_setup(struct bsd5 *d, bsd5_fn *fn, struct bsd5_proc *proc)
{
	struct bsd5_op op = { .name = "set-up", .fn = fn };
	struct bsd5_call call = { .d = d, .op = &op, .args.proc = proc };
	int error;

	d->events = cJSON_CreateArray();
	error = run_call(d, &call);
	d->call = NULL;
	cJSON_Delete(d->events);
	d->events = NULL;
	if (error == 0 && !call.done)
		error = conform_bad(d->run, "no memory for the U area of "
		    "process %d", proc->p.p_pid);
	return (error);
}

static int
setup_object(struct bsd5 *d, const cJSON *cfg, uint32_t i)
{
	static const struct {
		const char *name;
		enum obj_type type;
	} types[] = {
		{ "default", OBJT_DEFAULT },
		{ "swap", OBJT_SWAP },
		{ "vnode", OBJT_VNODE },
		{ "phys", OBJT_PHYS },
	};
	struct bsd5_object *o = bsd5_new_object(d);
	int64_t id = -1, color = 0, size = 0, ref = 0, novp = 0;
	struct conform_run *run = d->run;
	const char *type;
	size_t t;
	int error;

	if (o == NULL)
		return (conform_bad(run, "no memory"));
	error = conform_int(run, cfg, "id", true, i, i, &id);
	if (error == 0)
		error = conform_int(run, cfg, "color", false, 0, UINT16_MAX,
		    &color);
	if (error == 0)
		error = conform_int(run, cfg, "size", false, 0,
		    (int64_t)1 << 53, &size);
	if (error == 0)
		error = conform_int(run, cfg, "ref", false, INT32_MIN,
		    INT32_MAX, &ref);
	if (error == 0)
		error = conform_int(run, cfg, "use", false, INT32_MIN,
		    INT32_MAX, &o->use);
	if (error == 0)
		error = conform_int(run, cfg, "hold", false, INT32_MIN,
		    INT32_MAX, &o->hold);
	if (error == 0)
		error = conform_int(run, cfg, "novp", false, 0, 1, &novp);
	if (error != 0)
		return (error);
	type = conform_string(run, cfg, "type", true, &error);
	if (error != 0)
		return (error);
	for (t = 0; t < sizeof(types) / sizeof(types[0]); t++)
		if (strcmp(type, types[t].name) == 0)
			break;
	if (t == sizeof(types) / sizeof(types[0]))
		return (conform_bad(run, "object type \"%s\": it must be "
		    "default, swap, vnode or phys", type));
	o->obj.type = (uint8_t)types[t].type;
	o->obj.pg_color = (uint16_t)color;
	o->obj.size = (vm_pindex_t)size;
	o->obj.ref_count = (int32_t)ref;
	if (types[t].type == OBJT_VNODE && novp == 0)
		o->obj.handle = o;
	return (0);
}

static int
setup_objects(struct bsd5 *d, const cJSON *cfg)
{
	const cJSON *list, *item;
	uint32_t i = 0;
	int error;

	list = conform_array(d->run, cfg, "objs", false, &error);
	if (error != 0 || list == NULL)
		return (error);
	if (cJSON_GetArraySize(list) > OBJECTS_MAX)
		return (conform_bad(d->run, "more than %d objects",
		    OBJECTS_MAX));
	cJSON_ArrayForEach(item, list) {
		error = setup_object(d, item, i++);
		if (error != 0)
			return (error);
	}
	return (0);
}

static int
setup_thresholds(struct bsd5 *d, const cJSON *cfg)
{
	const cJSON *thr, *item;
	int64_t v = 0;
	int error;

	thr = conform_object(d->run, cfg, "thr", false, &error);
	if (error != 0)
		return (error);
	cJSON_ArrayForEach(item, thr) {
		error = conform_int(d->run, thr, item->string, true, 0,
		    UINT32_MAX, &v);
		if (error != 0)
			return (error);
		if (!bsd5_set_variable(d->vm, item->string, v))
			return (conform_bad(d->run, "unknown threshold \"%s\"",
			    item->string));
	}
	return (0);
}

/* Pages 0..N-1 in one stretch of memory, all free, in ascending order. */
static int
setup_pages(struct bsd5 *d, int64_t pages, int64_t base)
{
	struct vm *vm = d->vm;
	int error;

	d->npages = (uint32_t)pages;
	d->mmu = calloc(d->npages + 1, 1);
	if (d->mmu == NULL)
		return (conform_bad(d->run, "no memory"));
	error = bsd5_state_create(d);
	if (error != 0)
		return (error);
	vm_pageq_init(vm);
	if (pages == 0)
		return (0);
	vm->ndomains = 1;
	vm->dom[0].vmd_nsegs = 1;
	vm->dom[0].vmd_seg[0].start = (vm_paddr_t)base << PAGE_SHIFT;
	vm->dom[0].vmd_seg[0].end = (vm_paddr_t)(base + pages) << PAGE_SHIFT;
	return (vm_page_startup(vm, d->run->err));
}

static int
setup_machine(struct bsd5 *d, const cJSON *cfg)
{
	int64_t pages = 0, l2 = 32, base = 0, invariants = 1;
	struct conform_run *run = d->run;
	int error;

	error = conform_int(run, cfg, "pages", true, 0, PAGES_MAX, &pages);
	if (error == 0)
		error = conform_int(run, cfg, "l2", false, 1, PQ_L2_MAX, &l2);
	if (error == 0)
		error = conform_int(run, cfg, "base", false, 0,
		    PFN_NONE - PAGES_MAX - 1, &base);
	if (error == 0)
		error = conform_int(run, cfg, "invariants", false, 0, 1,
		    &invariants);
	if (error != 0)
		return (error);
	if (vm_page_set_colours(d->vm, (uint32_t)l2) != 0)
		return (conform_bad(run, "\"l2\" is %lld; it must be 1, 16, "
		    "32, 64, 128 or 256", (long long)l2));
	d->vm->invariants = invariants != 0;
	error = setup_pages(d, pages, base);
	if (error == 0)
		error = setup_thresholds(d, cfg);
	return (error != 0 ? error : setup_objects(d, cfg));
}

static int
setup_kernel(struct bsd5 *d)
{
	struct sim_config config = { 0 };

	d->sim = sim_create(&config);
	d->vm = calloc(1, sizeof(*d->vm));
	if (d->sim == NULL || d->vm == NULL)
		return (conform_bad(d->run, "no memory"));
	sim_set_trace(d->sim, &bsd5_sim_ops, d);
	sim_set_panic_handler(d->sim, bsd5_panicked, d);
	d->user_td.td_proc = &d->user;
	d->pageproc_td.td_proc = &d->pageproc;
	TAILQ_INIT(&d->vm->object_list);
	TAILQ_INIT(&d->vm->allproc);
	d->vm->sim = d->sim;
	d->vm->pmap = &bsd5_pmap_ops;
	d->vm->page_hooks = &bsd5_page_hooks;
	d->vm->trace = &bsd5_trace_ops;
	d->vm->trace_ctx = d;
	d->vm->pageproc = &d->pageproc;
	d->vm->kernel_private = d;
	return (0);
}

static void
teardown(struct bsd5 *d)
{
	uint32_t i;

	if (d->sim != NULL)
		sim_destroy(d->sim);
	if (d->vm != NULL) {
		vm_page_shutdown(d->vm);
		bsd5_glue_free(d);
	}
	for (i = 0; i < d->nobjs; i++)
		free(d->objs[i]);
	free(d->vm);
	free(d->mmu);
	bsd5_state_free(d);
	free(d->objs);
	free(d->moves);
	cJSON_Delete(d->events);
	cJSON_Delete(d->r_json);
}

/* ------------------------------------------------------------ the driver */

static const char *
suite_of(const cJSON *scenario)
{
	return (cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(scenario, "suite")));
}

static bool
bsd5_accepts(const cJSON *scenario)
{
	const char *suite = suite_of(scenario);

	return (strcmp(suite, "vm_page") == 0 || strcmp(suite, "vm_glue") == 0);
}

static int
bsd5_replay(struct conform_run *run)
{
	struct bsd5 d = { .run = run };
	const cJSON *cfg;
	cJSON *ops;
	int verdict;

	cfg = conform_object(run, run->scenario, "cfg", true, &verdict);
	if (verdict != 0)
		return (verdict);
	ops = conform_array(run, run->scenario, "ops", true, &verdict);
	if (verdict != 0)
		return (verdict);
	verdict = setup_kernel(&d);
	if (verdict == 0)
		verdict = setup_machine(&d, cfg);
	if (verdict == 0 && strcmp(suite_of(run->scenario), "vm_glue") == 0)
		verdict = bsd5_glue_setup(&d, cfg);
	if (verdict == 0) {
		bsd5_remember(&d);
		verdict = all_ops(&d, ops);
	}
	teardown(&d);
	return (verdict);
}

const struct conform_driver conform_bsd5 = {
	.name = "bsd5",
	.accepts = bsd5_accepts,
	.replay = bsd5_replay,
};
