/*
 * conform_bsd5_ops.c: the ops of the suite vm_page, each a call of vmcore's
 * own function.
 *
 * Interface: sim/conform_bsd5.h (bsd5_find_op, bsd5_parse_args).
 * Source:    README of the vectors, section 2.
 */
#include <string.h>

#include "sim/conform_bsd5.h"

#define REPEAT_MAX (1 << 20)
#define BYTES_MAX (1 << 20)

static void
result_page(struct bsd5 *d, vm_page_t m)
{
	bsd5_touch(d, m);
	d->result = R_PAGE;
	d->r_page = m;
}

static void
result_int(struct bsd5 *d, int64_t v)
{
	d->result = R_INT;
	d->r_int = v;
}

/* ---- 2.1 allocation and lookup */

static void
op_alloc(struct bsd5 *d, const struct bsd5_args *a)
{
	result_page(d, vm_page_alloc(d->vm, a->noobj ? NULL : a->o,
	    (vm_pindex_t)a->pi, a->req));
}

static void
op_grab(struct bsd5 *d, const struct bsd5_args *a)
{
	result_page(d, vm_page_grab(d->vm, a->o, (vm_pindex_t)a->pi, a->req));
}

static void
op_lookup(struct bsd5 *d, const struct bsd5_args *a)
{
	result_page(d, vm_page_lookup(a->o, (vm_pindex_t)a->pi));
}

static void
op_insert(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_insert(d->vm, a->m, a->o, (vm_pindex_t)a->pi);
}

static void
op_rename(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_rename(d->vm, a->m, a->o, (vm_pindex_t)a->pi);
}

static void
op_remove(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_remove(d->vm, a->m);
}

static void
op_free(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_free(d->vm, a->m);
}

static void
op_free_zero(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_free_zero(d->vm, a->m);
}

/* ---- 2.2 queues */

static void
op_activate(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_activate(d->vm, a->m);
}

static void
op_deactivate(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_deactivate(d->vm, a->m);
}

static void
op_cache(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_cache(d->vm, a->m);
}

static void
op_try_to_cache(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_try_to_cache(d->vm, a->m));
}

static void
op_try_to_free(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_try_to_free(d->vm, a->m));
}

static void
op_unmanage(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_unmanage(d->vm, a->m);
}

static void
op_wire(struct bsd5 *d, const struct bsd5_args *a)
{
	for (int64_t i = 0; i < a->n; i++)
		vm_page_wire(d->vm, a->m);
}

static void
op_dontneed(struct bsd5 *d, const struct bsd5_args *a)
{
	for (int64_t i = 0; i < a->n; i++)
		vm_page_dontneed(d->vm, a->m);
}

static void
op_unwire(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_unwire(d->vm, a->m, a->act);
}

static void
op_hold(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	vm_page_hold(a->m);
}

static void
op_unhold(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_unhold(d->vm, a->m);
}

/* ---- 2.3 state */

static void
op_busy(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_busy(d->vm, a->m);
}

static void
op_wakeup(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_wakeup(d->vm, a->m);
}

static void
op_flash(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_flash(d->vm, a->m);
}

static void
op_io_start(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_io_start(d->vm, a->m);
}

static void
op_io_finish(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_io_finish(d->vm, a->m);
}

static void
op_dirty(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_dirty(d->vm, a->m);
}

static void
op_undirty(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	vm_page_undirty(a->m);
}

static void
op_test_dirty(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_test_dirty(d->vm, a->m);
}

static void
op_flag_set(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	vm_page_flag_set(a->m, (uint16_t)a->bits);
}

static void
op_flag_clear(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	vm_page_flag_clear(a->m, (uint16_t)a->bits);
}

static void
op_set_validclean(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_set_validclean(d->vm, a->m, (int)a->base, (int)a->size);
}

static void
op_clear_dirty(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_clear_dirty(d->vm, a->m, (int)a->base, (int)a->size);
}

static void
op_set_invalid(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_set_invalid(d->vm, a->m, (int)a->base, (int)a->size);
}

static void
op_is_valid(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_is_valid(d->vm, a->m, (int)a->base,
	    (int)a->size));
}

static void
op_zero_invalid(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_zero_invalid(d->vm, a->m, a->setvalid);
}

static void
op_bits(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_bits(d->vm, (int)a->base, (int)a->size));
}

static void
op_copy(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_copy(d->vm, a->m, a->to);
}

static void
op_cowsetup(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_cowsetup(d->vm, a->m);
}

static void
op_cowclear(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	vm_page_cowclear(a->m);
}

static void
op_cowfault(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_page_cowfault(d->vm, a->m);
}

static void
op_sleep_busy(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_sleep_busy(d->vm, a->m, a->also, "vectst"));
}

static void
op_sleep_if_busy(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, vm_page_sleep_if_busy(d->vm, a->m, a->also, "vectst"));
}

static void
op_vm_wait(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)a;
	vm_wait(d->vm);
}

static void
op_vm_waitpfault(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)a;
	vm_waitpfault(d->vm);
}

/* ---- 2.4 queue layer and knobs */

static void
op_find(struct bsd5 *d, const struct bsd5_args *a)
{
	result_page(d, vm_pageq_find(d->vm,
	    a->find_cache ? (int)PQ_CACHE(d->vm) : PQ_FREE,
	    (vm_pindex_t)a->color, a->zero));
}

static void
op_requeue(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_pageq_requeue(d->vm, a->m);
}

static void
op_zero_idle(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)a;
	result_page(d, vm_page_zero_idle_step(d->vm));
}

static const struct {
	const char *name;
	size_t offset; /* in struct vm; 32 bits */
} variables[] = {
	{ "pgneed", offsetof(struct vm, vm_pages_needed) },
	{ "pdneed", offsetof(struct vm, vm_pageout_pages_needed) },
	{ "deficit", offsetof(struct vm, vm_pageout_deficit) },
	{ "zerocp_full", offsetof(struct vm, so_zerocp_fullpage) },
	{ "free_reserved", offsetof(struct vm, cnt.v_free_reserved) },
	{ "free_min", offsetof(struct vm, cnt.v_free_min) },
	{ "free_severe", offsetof(struct vm, cnt.v_free_severe) },
	{ "free_target", offsetof(struct vm, cnt.v_free_target) },
	{ "interrupt_free_min",
	    offsetof(struct vm, cnt.v_interrupt_free_min) },
	{ "pageout_free_min", offsetof(struct vm, cnt.v_pageout_free_min) },
	{ "cache_min", offsetof(struct vm, cnt.v_cache_min) },
	{ "inactive_target", offsetof(struct vm, cnt.v_inactive_target) },
};
#define NVARIABLES (sizeof(variables) / sizeof(variables[0]))

bool
bsd5_set_variable(struct vm *vm, const char *name, int64_t v)
{
	uint32_t value = (uint32_t)v;
	size_t i;

	for (i = 0; i < NVARIABLES; i++) {
		if (strcmp(name, variables[i].name) == 0) {
			memcpy((char *)vm + variables[i].offset, &value,
			    sizeof(value));
			return (true);
		}
	}
	return (false);
}

static void
op_setvar(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)bsd5_set_variable(d->vm, a->name, a->v);
}

static void
op_setobj(struct bsd5 *d, const struct bsd5_args *a)
{
	struct bsd5_object *o = d->objs[a->o->id - 1];
	int64_t ref = a->o->ref_count, dead = (a->o->flags & OBJ_DEAD) != 0;

	/* The ranges were checked by bsd5_parse_args. */
	(void)conform_int(d->run, a->op, "ref", false, INT32_MIN, INT32_MAX,
	    &ref);
	(void)conform_int(d->run, a->op, "use", false, INT32_MIN, INT32_MAX,
	    &o->use);
	(void)conform_int(d->run, a->op, "hold", false, INT32_MIN, INT32_MAX,
	    &o->hold);
	(void)conform_int(d->run, a->op, "vi", false, 0, 3, &o->vi);
	(void)conform_int(d->run, a->op, "dead", false, 0, 1, &dead);
	a->o->ref_count = (int32_t)ref;
	a->o->flags &= (uint16_t)~OBJ_DEAD;
	if (dead != 0)
		a->o->flags |= OBJ_DEAD;
}

static void
op_set_page_size(struct bsd5 *d, const struct bsd5_args *a)
{
	d->vm->cnt.v_page_size = (uint32_t)a->size;
	vm_set_page_size(d->vm);
	result_int(d, d->vm->cnt.v_page_size);
}

/* ---- 2.5 the model MMU */

static void
op_mmu(struct bsd5 *d, const struct bsd5_args *a)
{
	d->mmu[bsd5_page_index(d, a->m)] = (uint8_t)a->bits;
	if ((a->bits & MMU_WRITABLE) != 0)
		vm_page_flag_set(a->m, PG_WRITEABLE);
}

static void
op_protect(struct bsd5 *d, const struct bsd5_args *a)
{
	bsd5_protect(d, a->m, a->prot);
}

/* The format tells of it among the ops of vm_glue; scripts may use it. */
static void
op_nop(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)d;
	(void)a;
}

static const struct bsd5_op ops[] = {
	{ "alloc", NEED_PI, op_alloc },
	{ "grab", NEED_O | NEED_PI, op_grab },
	{ "lookup", NEED_O | NEED_PI, op_lookup },
	{ "insert", NEED_M | NEED_O | NEED_PI, op_insert },
	{ "rename", NEED_M | NEED_O | NEED_PI, op_rename },
	{ "remove", NEED_M, op_remove },
	{ "free", NEED_M, op_free },
	{ "free_zero", NEED_M, op_free_zero },
	{ "activate", NEED_M, op_activate },
	{ "deactivate", NEED_M, op_deactivate },
	{ "cache", NEED_M, op_cache },
	{ "try_to_cache", NEED_M, op_try_to_cache },
	{ "try_to_free", NEED_M, op_try_to_free },
	{ "unmanage", NEED_M, op_unmanage },
	{ "wire", NEED_M, op_wire },
	{ "dontneed", NEED_M, op_dontneed },
	{ "unwire", NEED_M, op_unwire },
	{ "hold", NEED_M, op_hold },
	{ "unhold", NEED_M, op_unhold },
	{ "busy", NEED_M, op_busy },
	{ "wakeup", NEED_M, op_wakeup },
	{ "flash", NEED_M, op_flash },
	{ "io_start", NEED_M, op_io_start },
	{ "io_finish", NEED_M, op_io_finish },
	{ "dirty", NEED_M, op_dirty },
	{ "undirty", NEED_M, op_undirty },
	{ "test_dirty", NEED_M, op_test_dirty },
	{ "flag_set", NEED_M | NEED_BITS, op_flag_set },
	{ "flag_clear", NEED_M | NEED_BITS, op_flag_clear },
	{ "set_validclean", NEED_M | NEED_BASE | NEED_SIZE,
	    op_set_validclean },
	{ "clear_dirty", NEED_M | NEED_BASE | NEED_SIZE, op_clear_dirty },
	{ "set_invalid", NEED_M | NEED_BASE | NEED_SIZE, op_set_invalid },
	{ "is_valid", NEED_M | NEED_BASE | NEED_SIZE, op_is_valid },
	{ "zero_invalid", NEED_M, op_zero_invalid },
	{ "bits", NEED_BASE | NEED_SIZE, op_bits },
	{ "copy", NEED_M | NEED_TO, op_copy },
	{ "cowsetup", NEED_M, op_cowsetup },
	{ "cowclear", NEED_M, op_cowclear },
	{ "cowfault", NEED_M, op_cowfault },
	{ "sleep_busy", NEED_M, op_sleep_busy },
	{ "sleep_if_busy", NEED_M, op_sleep_if_busy },
	{ "vm_wait", 0, op_vm_wait },
	{ "vm_waitpfault", 0, op_vm_waitpfault },
	{ "find", NEED_FIND, op_find },
	{ "requeue", NEED_M, op_requeue },
	{ "zero_idle", 0, op_zero_idle },
	{ "setvar", NEED_NAME | NEED_V, op_setvar },
	{ "setobj", NEED_O, op_setobj },
	{ "set_page_size", NEED_SIZE, op_set_page_size },
	{ "mmu", NEED_M | NEED_BITS, op_mmu },
	{ "protect", NEED_M | NEED_PROT, op_protect },
	{ "startup", 0, bsd5_op_startup },
	{ "nop", 0, op_nop },
};
#define NOPS (sizeof(ops) / sizeof(ops[0]))

const struct bsd5_op *
bsd5_find_op(const char *name)
{
	size_t i;

	for (i = 0; i < NOPS; i++)
		if (strcmp(ops[i].name, name) == 0)
			return (&ops[i]);
	return (NULL);
}

/* ------------------------------------------------------------ arguments */

static int
parse_page(struct bsd5 *d, const cJSON *json, const char *name, bool required,
    vm_page_t *m)
{
	int64_t i = -1;
	int error;

	*m = NULL;
	error = conform_int(d->run, json, name, required, 0,
	    (int64_t)d->npages - 1, &i);
	if (error == 0 && i >= 0)
		*m = &d->vm->page_array[i];
	return (error);
}

static int
parse_object(struct bsd5 *d, const cJSON *json, bool required,
    vm_object_t *object)
{
	int64_t i = -1;
	int error;

	*object = NULL;
	error = conform_int(d->run, json, "o", required, 0,
	    (int64_t)d->nobjs - 1, &i);
	if (error == 0 && i >= 0)
		*object = &d->objs[i]->obj;
	return (error);
}

static int
parse_bool(struct bsd5 *d, const cJSON *json, const char *name, bool *flag)
{
	int64_t v = *flag;
	int error = conform_int(d->run, json, name, false, 0, 1, &v);

	*flag = v != 0;
	return (error);
}

/* Class and flags of an allocation. */
static int
parse_req(struct bsd5 *d, const cJSON *json, struct bsd5_args *a)
{
	static const struct {
		const char *name;
		int flag;
	} flags[] = {
		{ "zero", VM_ALLOC_ZERO },
		{ "wired", VM_ALLOC_WIRED },
		{ "retry", VM_ALLOC_RETRY },
		{ "noobj", VM_ALLOC_NOOBJ },
	};
	const char *cls;
	bool on;
	size_t i;
	int error;

	cls = conform_string(d->run, json, "cls", false, &error);
	if (error != 0)
		return (error);
	a->req = VM_ALLOC_NORMAL;
	if (cls != NULL && strcmp(cls, "S") == 0)
		a->req = VM_ALLOC_SYSTEM;
	else if (cls != NULL && strcmp(cls, "I") == 0)
		a->req = VM_ALLOC_INTERRUPT;
	else if (cls != NULL && strcmp(cls, "N") != 0)
		return (conform_bad(d->run, "\"cls\" is \"%s\"; it must be N, "
		    "S or I", cls));
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		on = false;
		error = parse_bool(d, json, flags[i].name, &on);
		if (error != 0)
			return (error);
		if (on)
			a->req |= flags[i].flag;
	}
	a->zero = (a->req & VM_ALLOC_ZERO) != 0;
	a->noobj = (a->req & VM_ALLOC_NOOBJ) != 0;
	return (0);
}

/* "base" of the colour search. */
static int
parse_find(struct bsd5 *d, const cJSON *json, struct bsd5_args *a)
{
	const char *base;
	int error;

	base = conform_string(d->run, json, "base", true, &error);
	if (error != 0)
		return (error);
	if (strcmp(base, "F") != 0 && strcmp(base, "C") != 0)
		return (conform_bad(d->run, "\"base\" is \"%s\"; it must be F "
		    "or C", base));
	a->find_cache = base[0] == 'C';
	return (conform_int(d->run, json, "color", true, 0,
	    (int64_t)1 << 53, &a->color));
}

static int
parse_numbers(struct bsd5 *d, uint32_t need, const cJSON *json,
    struct bsd5_args *a)
{
	struct conform_run *run = d->run;
	/* A page size is preset, not a part of a page. */
	int64_t size_max = (need & NEED_BASE) != 0 ? BYTES_MAX : UINT32_MAX;
	int error;

	error = conform_int(run, json, "pi", (need & NEED_PI) != 0, 0,
	    (int64_t)1 << 53, &a->pi);
	if (error == 0 && (need & NEED_BASE) != 0)
		error = conform_int(run, json, "base", true, 0, BYTES_MAX,
		    &a->base);
	if (error == 0)
		error = conform_int(run, json, "size",
		    (need & NEED_SIZE) != 0, 0, size_max, &a->size);
	if (error == 0)
		error = conform_int(run, json, "bits",
		    (need & NEED_BITS) != 0, 0, UINT16_MAX, &a->bits);
	if (error == 0)
		error = conform_int(run, json, "prot",
		    (need & NEED_PROT) != 0, 0, VM_PROT_ALL, &a->prot);
	if (error == 0)
		error = conform_int(run, json, "n", false, 0, REPEAT_MAX,
		    &a->n);
	if (error == 0)
		error = conform_int(run, json, "v", (need & NEED_V) != 0,
		    INT32_MIN, UINT32_MAX, &a->v);
	return (error);
}

/* Who calls, and the switches of single ops. */
static int
parse_switches(struct bsd5 *d, const cJSON *json, struct bsd5_args *a)
{
	const char *as;
	int error;

	as = conform_string(d->run, json, "as", false, &error);
	if (error == 0 && as != NULL && strcmp(as, "pd") != 0)
		error = conform_bad(d->run, "\"as\" is \"%s\"; it can only be "
		    "pd", as);
	a->as_pd = as != NULL;
	if (error == 0)
		error = parse_bool(d, json, "act", &a->act);
	if (error == 0)
		error = parse_bool(d, json, "also", &a->also);
	if (error == 0)
		error = parse_bool(d, json, "setvalid", &a->setvalid);
	return (error);
}

/* What holds between arguments. */
static int
check_args(struct bsd5 *d, const struct bsd5_op *op,
    const struct bsd5_args *a)
{
	struct vm probe = { 0 };

	if (op->fn == op_setvar && !bsd5_set_variable(&probe, a->name, 0))
		return (conform_bad(d->run, "there is no variable \"%s\"",
		    a->name));
	if (op->fn == op_alloc && a->o == NULL && !a->noobj &&
	    !d->vm->invariants)
		return (conform_bad(d->run,
		    "\"o\" is missing and nothing would catch it"));
	return (0);
}

int
bsd5_parse_args(struct bsd5 *d, const struct bsd5_op *op, const cJSON *json,
    struct bsd5_args *a)
{
	uint32_t need = op->need;
	int error;

	*a = (struct bsd5_args) { .op = json, .n = 1 };
	error = parse_page(d, json, "m", (need & NEED_M) != 0, &a->m);
	if (error == 0)
		error = parse_page(d, json, "to", (need & NEED_TO) != 0,
		    &a->to);
	if (error == 0)
		error = parse_object(d, json, (need & NEED_O) != 0, &a->o);
	/* "cls" means something else elsewhere. */
	if (error == 0 && (need & (NEED_PI | NEED_FIND)) != 0)
		error = parse_req(d, json, a);
	if (error == 0 && (need & NEED_FIND) != 0)
		error = parse_find(d, json, a);
	if (error == 0)
		error = parse_numbers(d, need, json, a);
	if (error == 0)
		error = parse_switches(d, json, a);
	if (error == 0 && d->glue != NULL)
		error = bsd5_glue_parse_args(d, need, json, a);
	if (error == 0 && (need & NEED_NAME) != 0)
		a->name = conform_string(d->run, json, "name", true, &error);
	return (error == 0 ? check_args(d, op, a) : error);
}
