/*
 * conform_bsd5_glue_ops.c: the ops of the suite vm_glue, each a call of
 * vmcore's own function.
 *
 * Interface: sim/conform_bsd5.h (bsd5_glue_find_op, bsd5_glue_parse_args).
 * Source:    README of the vectors, section 6.
 */
#include <string.h>

#include "sim/conform_bsd5.h"

#define NSWAP_PRESET 55 /* of a child before it is forked */

static void
result_int(struct bsd5 *d, int64_t v)
{
	d->result = R_INT;
	d->r_int = v;
}

/* The call is made by this process. */
static void
call_as(struct bsd5 *d, struct bsd5_proc *bp)
{
	sim_thread_set_data(sim_curthread(d->sim), &bp->self);
}

/* ------------------------------------------------------------ swapping */

static void
op_swapout_procs(struct bsd5 *d, const struct bsd5_args *a)
{
	swapout_procs(d->vm, (int)a->action);
}

static void
op_scheduler(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)a;
	scheduler(d->vm);
}

static void
op_faultin(struct bsd5 *d, const struct bsd5_args *a)
{
	faultin(d->vm, &a->proc->p);
}

static void
op_proc_new(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_glue_proc_new(d->vm, &a->proc->p);
}

static void
op_proc_dispose(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_glue_proc_dispose(d->vm, &a->proc->p);
}

static void
op_proc_swapout(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_glue_proc_swapout(d->vm, &a->proc->p);
}

static void
op_proc_swapin(struct bsd5 *d, const struct bsd5_args *a)
{
	(void)vm_glue_proc_swapin(d->vm, &a->proc->p);
}

/* ------------------------------------------------------------ fork */

/* What fork has done by the time it calls vm_forkproc. */
static void
fork_prepare(struct bsd5 *d, const struct bsd5_args *a)
{
	struct proc *p1 = &a->proc->p, *p2 = &a->child->p;

	p1->p_sigacts = &p1->p_usigacts;
	p1->p_timers = ++d->glue->timers;
	p2->p_timers = 0;
	p2->p_sigacts = a->shared_sig ? &d->glue->sharers_sigacts : NULL;
	p2->p_procsig_refcnt = (int32_t)a->sigrefs;
	p2->p_nswap = NSWAP_PRESET;
	if ((a->flags & VM_RFPROC) != 0)
		p2->p_vmspace = NULL;
}

static cJSON *
fork_result(const struct proc *p1, const struct proc *p2)
{
	cJSON *r = cJSON_CreateObject();

	cJSON_AddNumberToObject(r, "shares_vm",
	    p2->p_vmspace == p1->p_vmspace);
	cJSON_AddNumberToObject(r, "own_sigacts",
	    p2->p_sigacts == &p2->p_usigacts);
	cJSON_AddNumberToObject(r, "nswap", p2->p_nswap);
	cJSON_AddNumberToObject(r, "timers_copied",
	    p2->p_timers == p1->p_timers);
	return (r);
}

static void
op_forkproc(struct bsd5 *d, const struct bsd5_args *a)
{
	if (a->proc == a->child || a->proc->p.p_vmspace == NULL) {
		d->bad_args = conform_bad(d->run, "process %d cannot fork "
		    "into %d", a->proc->p.p_pid, a->child->p.p_pid);
		return;
	}
	fork_prepare(d, a);
	vm_forkproc(d->vm, &a->proc->self, &a->child->p, &a->child->self,
	    (int)a->flags);
	if ((a->flags & VM_RFPROC) == 0)
		return;
	d->result = R_JSON;
	cJSON_Delete(d->r_json);
	d->r_json = fork_result(&a->proc->p, &a->child->p);
}

static void
op_waitproc(struct bsd5 *d, const struct bsd5_args *a)
{
	vm_waitproc(d->vm, &a->proc->p);
}

/* ------------------------------------------------------------ limits */

static cJSON *
pair(uint64_t a, uint64_t b)
{
	cJSON *array = cJSON_CreateArray();

	cJSON_AddItemToArray(array, cJSON_CreateNumber((double)a));
	cJSON_AddItemToArray(array, cJSON_CreateNumber((double)b));
	return (array);
}

static int
parse_limits(struct bsd5 *d, const cJSON *op, int64_t *nfree,
    struct vm_limits *l)
{
	static const char *const names[] = { "dflssiz", "maxssiz", "dfldsiz",
		"maxdsiz" };
	uint64_t *const to[] = { &l->stack_cur, &l->stack_max, &l->data_cur,
		&l->data_max };
	int64_t v = 0;
	int error;

	error = conform_int(d->run, op, "free", true, 0, UINT32_MAX, nfree);
	for (size_t i = 0; i < 4 && error == 0; i++) {
		error = conform_int(d->run, op, names[i], true, 0,
		    (int64_t)1 << 53, &v);
		*to[i] = (uint64_t)v;
	}
	return (error);
}

static void
op_init_limits(struct bsd5 *d, const struct bsd5_args *a)
{
	uint32_t was = d->vm->cnt.v_free_count;
	struct vm_limits l = { 0 };
	int64_t nfree = 0;
	cJSON *r;

	d->bad_args = parse_limits(d, a->op, &nfree, &l);
	if (d->bad_args != 0)
		return;
	d->vm->cnt.v_free_count = (uint32_t)nfree;
	vm_init_limits(d->vm, &l);
	d->vm->cnt.v_free_count = was;
	r = cJSON_CreateObject();
	cJSON_AddItemToObject(r, "stack", pair(l.stack_cur, l.stack_max));
	cJSON_AddItemToObject(r, "data", pair(l.data_cur, l.data_max));
	cJSON_AddNumberToObject(r, "rss_cur", (double)l.rss_cur);
	cJSON_AddNumberToObject(r, "rss_max_infinite",
	    l.rss_max == UINT64_MAX);
	d->result = R_JSON;
	cJSON_Delete(d->r_json);
	d->r_json = r;
}

/* ------------------------------------------------------------ access */

static void
op_kernacc(struct bsd5 *d, const struct bsd5_args *a)
{
	result_int(d, kernacc(d->vm, a->addr, (int32_t)a->len, (int)a->rw));
}

/* Without an address space there is nobody to ask. */
static bool
has_space(struct bsd5 *d, const struct bsd5_args *a)
{
	if (a->proc->p.p_vmspace != NULL)
		return (true);
	d->bad_args = conform_bad(d->run, "process %d has no address space",
	    a->proc->p.p_pid);
	return (false);
}

static void
op_useracc(struct bsd5 *d, const struct bsd5_args *a)
{
	if (!has_space(d, a))
		return;
	call_as(d, a->proc);
	result_int(d, useracc(d->vm, a->addr, (int32_t)a->len, (int)a->rw));
}

static void
op_vslock(struct bsd5 *d, const struct bsd5_args *a)
{
	if (!has_space(d, a))
		return;
	call_as(d, a->proc);
	vslock(d->vm, a->addr, (uint32_t)a->len);
}

static void
op_vsunlock(struct bsd5 *d, const struct bsd5_args *a)
{
	if (!has_space(d, a))
		return;
	call_as(d, a->proc);
	vsunlock(d->vm, a->addr, (uint32_t)a->len);
}

/* ------------------------------------------------------------ knobs */

static void
op_setproc(struct bsd5 *d, const struct bsd5_args *a)
{
	d->bad_args = bsd5_glue_set_proc(d, a->proc, a->op);
}

static void
op_setgroup(struct bsd5 *d, const struct bsd5_args *a)
{
	d->bad_args = bsd5_glue_set_group(d, a->group, a->op);
}

static void
op_setthread(struct bsd5 *d, const struct bsd5_args *a)
{
	d->bad_args = bsd5_glue_set_thread(d, a->thread, a->op);
}

static void
op_thresholds(struct bsd5 *d, const struct bsd5_args *a)
{
	struct vm_glue *g = d->vm->glue;
	int64_t t1 = g->swap_idle_threshold1, t2 = g->swap_idle_threshold2;
	int error;

	error = conform_int(d->run, a->op, "t1", false, INT32_MIN, INT32_MAX,
	    &t1);
	if (error == 0)
		error = conform_int(d->run, a->op, "t2", false, INT32_MIN,
		    INT32_MAX, &t2);
	g->swap_idle_threshold1 = (int32_t)t1;
	g->swap_idle_threshold2 = (int32_t)t2;
	d->bad_args = error;
}

static bool
group_sleeps(const struct ksegrp *kg)
{
	const struct thread *td;

	TAILQ_FOREACH(td, &kg->kg_threads, td_kglist)
		if (!thread_safetoswapout(td))
			return (false);
	return (true);
}

static void
op_age(struct bsd5 *d, const struct bsd5_args *a)
{
	struct ksegrp *kg;
	uint32_t i;

	for (i = 0; i < d->glue->nprocs; i++) {
		struct proc *p = &d->glue->procs[i].p;

		p->p_swtime += (uint32_t)a->n;
		TAILQ_FOREACH(kg, &p->p_ksegrps, kg_ksegrp)
			if (group_sleeps(kg))
				kg->kg_slptime += (uint32_t)a->n;
	}
}

static const struct bsd5_op glue_ops[] = {
	{ "swapout_procs", NEED_ACTION, op_swapout_procs },
	{ "scheduler", 0, op_scheduler },
	{ "faultin", NEED_PID, op_faultin },
	{ "proc_new", NEED_PID, op_proc_new },
	{ "proc_dispose", NEED_PID, op_proc_dispose },
	{ "proc_swapout", NEED_PID, op_proc_swapout },
	{ "proc_swapin", NEED_PID, op_proc_swapin },
	{ "forkproc", NEED_PID | NEED_CHILD | NEED_FLAGS, op_forkproc },
	{ "waitproc", NEED_PID, op_waitproc },
	{ "init_limits", 0, op_init_limits },
	{ "kernacc", NEED_ADDR | NEED_LEN, op_kernacc },
	{ "useracc", NEED_PID | NEED_ADDR | NEED_LEN, op_useracc },
	{ "vslock", NEED_PID | NEED_ADDR | NEED_ULEN, op_vslock },
	{ "vsunlock", NEED_PID | NEED_ADDR | NEED_ULEN, op_vsunlock },
	{ "setproc", NEED_PID, op_setproc },
	{ "setgroup", NEED_PID | NEED_G, op_setgroup },
	{ "setthread", NEED_TID, op_setthread },
	{ "thresholds", 0, op_thresholds },
	{ "age", 0, op_age },
};
#define NOPS (sizeof(glue_ops) / sizeof(glue_ops[0]))

const struct bsd5_op *
bsd5_glue_find_op(const char *name)
{
	size_t i;

	for (i = 0; i < NOPS; i++)
		if (strcmp(glue_ops[i].name, name) == 0)
			return (&glue_ops[i]);
	return (NULL);
}

/* ------------------------------------------------------------ arguments */

static int
parse_proc(struct bsd5 *d, const cJSON *json, const char *name, bool required,
    struct bsd5_proc **bp)
{
	int64_t pid = INT32_MIN;
	int error;

	error = conform_int(d->run, json, name, required, INT32_MIN + 1,
	    INT32_MAX, &pid);
	if (error != 0 || pid == INT32_MIN)
		return (error);
	*bp = bsd5_glue_proc(d, pid);
	return (*bp != NULL ? 0 :
	    conform_bad(d->run, "\"%s\": there is no process %lld", name,
		(long long)pid));
}

static int
parse_group(struct bsd5 *d, const cJSON *json, struct bsd5_args *a)
{
	int64_t g = 0;
	int error;

	error = conform_int(d->run, json, "g", true, 0,
	    (int64_t)a->proc->ngroups - 1, &g);
	if (error == 0)
		a->group = &a->proc->groups[g];
	return (error);
}

static int
parse_thread(struct bsd5 *d, const cJSON *json, struct bsd5_args *a)
{
	int64_t tid = 0;
	int error;

	error = conform_int(d->run, json, "tid", true, INT32_MIN, INT32_MAX,
	    &tid);
	if (error != 0)
		return (error);
	a->thread = bsd5_glue_thread(d, tid);
	return (a->thread != NULL ? 0 :
	    conform_bad(d->run, "there is no thread %lld", (long long)tid));
}

static int
parse_who(struct bsd5 *d, uint32_t need, const cJSON *json,
    struct bsd5_args *a)
{
	int error = 0;

	if ((need & NEED_PID) != 0)
		error = parse_proc(d, json, "pid", true, &a->proc);
	if (error == 0 && (need & NEED_CHILD) != 0)
		error = parse_proc(d, json, "child", true, &a->child);
	if (error == 0 && (need & NEED_G) != 0)
		error = parse_group(d, json, a);
	if (error == 0 && (need & NEED_TID) != 0)
		error = parse_thread(d, json, a);
	return (error);
}

static int
parse_switch(struct bsd5 *d, const cJSON *json, const char *name, bool *flag)
{
	int64_t v = 0;
	int error = conform_int(d->run, json, name, false, 0, 1, &v);

	*flag = v != 0;
	return (error);
}

static int
parse_range(struct bsd5 *d, uint32_t need, const cJSON *json,
    struct bsd5_args *a)
{
	bool is_signed = (need & NEED_LEN) != 0;
	int error;

	if ((need & NEED_ADDR) == 0)
		return (0);
	error = conform_addr(d->run, json, "addr", true, &a->addr);
	if (error == 0)
		error = conform_int(d->run, json, "len", true,
		    is_signed ? INT32_MIN : 0,
		    is_signed ? INT32_MAX : UINT32_MAX, &a->len);
	if (error == 0 && is_signed)
		error = conform_int(d->run, json, "rw", true, INT32_MIN,
		    INT32_MAX, &a->rw);
	return (error == 0 ? parse_switch(d, json, "allow", &a->allow) :
			     error);
}

int
bsd5_glue_parse_args(struct bsd5 *d, uint32_t need, const cJSON *json,
    struct bsd5_args *a)
{
	int error = parse_who(d, need, json, a);

	a->sigrefs = 1;
	if (error == 0)
		error = parse_range(d, need, json, a);
	if (error == 0)
		error = conform_int(d->run, json, "action",
		    (need & NEED_ACTION) != 0, INT32_MIN, INT32_MAX,
		    &a->action);
	if (error == 0 && (need & NEED_FLAGS) != 0)
		error = conform_int(d->run, json, "flags", true, INT32_MIN,
		    INT32_MAX, &a->flags);
	if (error == 0)
		error = conform_int(d->run, json, "sigrefs", false, INT32_MIN,
		    INT32_MAX, &a->sigrefs);
	if (error == 0)
		error = parse_switch(d, json, "shared_sig", &a->shared_sig);
	if (error == 0)
		error = parse_switch(d, json, "kva_fail", &a->kva_fail);
	if (error == 0)
		error = parse_switch(d, json, "pager_fail", &a->pager_fail);
	return (error);
}
