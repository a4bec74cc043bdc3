/*
 * machine_watch.c: what looks at a running machine without being part of it:
 * counter samples, --vmstat lines, tunable changes at a simulated time, the
 * limit of a run, Ctrl-C, progress and invariant checks.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/machine_int.h"
#include "sim/syscall_int.h"

#define POLL_NS 100000000u /* Ctrl-C while every thread sleeps: 0.1 s */
#define PROGRESS_SKIP 256 /* user slices between looks at the host's clock */
#define PROGRESS_MS 200

/* Watchers run after everything else that is due at the same time. */
#define WATCH_PRIORITY 1000

struct change_event {
	struct sim_event ev;
	struct machine *m;
	const struct tunable_change *c;
};

static void
sample_fire(void *arg, sim_time_t when)
{
	struct machine *m = arg;

	if (m->db != NULL)
		rundb_put_sample(m->db, when, m->vm);
	sim_event_at(m->sim, &m->sample_ev,
	    when + sim_ns(m->sim, m->mc->sample_ns));
}

static void
limit_fire(void *arg, sim_time_t when)
{
	struct machine *m = arg;

	(void)when;
	m->interrupted = 1;
	sim_stop(m->sim);
}

static void
poll_fire(void *arg, sim_time_t when)
{
	struct machine *m = arg;

	if (machine_is_stuck(m) || m->interrupted ||
	    (m->db != NULL && rundb_failed(m->db)))
		sim_stop(m->sim);
	sim_event_at(m->sim, &m->poll_ev, when + sim_ns(m->sim, POLL_NS));
}

static void
change_fire(void *arg, sim_time_t when)
{
	struct change_event *ce = arg;
	struct machine *m = ce->m;
	struct sim_err err;
	char value[TUN_STRING_MAX];

	(void)when;
	if (tunables_set(m->ts, ce->c->name, ce->c->value, &err) != 0) {
		fprintf(stderr, "vmsim: at %g s: %s\n",
		    (double)ce->c->at_ns / 1e9, err.text);
		return;
	}
	if (m->db != NULL && tunables_get(m->ts, ce->c->name, value,
	    sizeof(value), NULL) == 0)
		rundb_put_tunable_change(m->db, sim_now(m->sim), ce->c->name,
		    value);
}

/* ---- --vmstat ---- */

static const char *const vmstat_counters[] = { "v_vm_faults", "v_io_faults",
	"v_zfod", "v_cow_faults", "v_reactivated", "v_swappgsin",
	"v_swappgsout", "v_vnodepgsin", "v_vnodepgsout", "v_pdpages",
	"v_dfree" };
#define NVMSTAT (sizeof(vmstat_counters) / sizeof(vmstat_counters[0]))

static void
vmstat_header(void)
{
	fprintf(stderr, "%8s %7s %7s %7s %6s %6s | %6s %6s %6s %6s | %6s %6s "
	    "%6s %6s | %7s\n", "time", "free", "inact", "active", "cache",
	    "wired", "flt", "io", "zfod", "cow", "swpin", "swpout", "filein",
	    "fileout", "scanned");
}

static void
vmstat_fire(void *arg, sim_time_t when)
{
	struct machine *m = arg;
	uint64_t d[NVMSTAT];

	for (size_t i = 0; i < NVMSTAT; i++) {
		uint64_t now = vm_stat(m->vm, vmstat_counters[i]);

		d[i] = now - m->vmstat_last[i];
		m->vmstat_last[i] = now;
	}
	if (m->vmstat_lines++ % 20 == 0)
		vmstat_header();
	fprintf(stderr, "%8.3f %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %6"
	    PRIu64 " %6" PRIu64 " | %6" PRIu64 " %6" PRIu64 " %6" PRIu64
	    " %6" PRIu64 " | %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6"
	    PRIu64 " | %7" PRIu64 "\n",
	    (double)sim_to_ns(m->sim, when) / 1e9,
	    vm_stat(m->vm, "v_free_count"), vm_stat(m->vm, "v_inactive_count"),
	    vm_stat(m->vm, "v_active_count"), vm_stat(m->vm, "v_cache_count"),
	    vm_stat(m->vm, "v_wire_count"), d[0], d[1], d[2], d[3], d[5], d[6],
	    d[7], d[8], d[9]);
	sim_event_at(m->sim, &m->vmstat_ev, when +
	    sim_ns(m->sim, (uint64_t)(m->mc->vmstat_s * 1e9)));
}

/* ---- --check=2 ---- */

static void
check_event(void *ctx)
{
	struct machine *m = ctx;

	vm_check_all(m->vm);
}

/* ---- start and end ---- */

static void
start_changes(struct machine *m)
{
	const struct machine_config *mc = m->mc;

	if (mc->nchanges == 0)
		return;
	m->changes = calloc(mc->nchanges, sizeof(*m->changes));
	if (m->changes == NULL)
		return;
	for (uint32_t i = 0; i < mc->nchanges; i++) {
		struct change_event *ce = &m->changes[i];

		if (mc->changes[i].at_ns == 0)
			continue;
		ce->m = m;
		ce->c = &mc->changes[i];
		sim_event_init(&ce->ev, "tunable", WATCH_PRIORITY - 1,
		    change_fire, ce);
		sim_event_at(m->sim, &ce->ev,
		    sim_ns(m->sim, mc->changes[i].at_ns));
	}
}

void
machine_watch_start(struct machine *m)
{
	const struct machine_config *mc = m->mc;

	sim_event_init(&m->sample_ev, "sample", WATCH_PRIORITY, sample_fire, m);
	sim_event_init(&m->limit_ev, "limit", WATCH_PRIORITY, limit_fire, m);
	sim_event_init(&m->poll_ev, "poll", WATCH_PRIORITY, poll_fire, m);
	sim_event_init(&m->vmstat_ev, "vmstat", WATCH_PRIORITY, vmstat_fire, m);
	/* always there, so that a sample never changes the run */
	sim_event_after(m->sim, &m->poll_ev, sim_ns(m->sim, POLL_NS));
	if (mc->sample_ns != 0)
		sim_event_after(m->sim, &m->sample_ev, 0);
	if (mc->max_ns != 0)
		sim_event_at(m->sim, &m->limit_ev, sim_ns(m->sim, mc->max_ns));
	m->vmstat_last = calloc(NVMSTAT, sizeof(*m->vmstat_last));
	if (mc->vmstat_s > 0 && m->vmstat_last != NULL)
		sim_event_after(m->sim, &m->vmstat_ev,
		    sim_ns(m->sim, (uint64_t)(mc->vmstat_s * 1e9)));
	if (mc->check >= 2)
		sim_set_event_hook(m->sim, check_event, m);
	start_changes(m);
}

void
machine_watch_free(struct machine *m)
{
	free(m->changes);
	m->changes = NULL;
	free(m->vmstat_last);
	m->vmstat_last = NULL;
}

void
machine_set_progress(struct machine *m, machine_progress_fn *fn, void *ctx)
{
	m->progress = fn;
	m->progress_ctx = ctx;
}

static uint64_t
host_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

void
machine_poll(struct machine *m)
{
	uint64_t now;

	if (m->interrupted) {
		sim_stop(m->sim);
		/* comes back only if somebody runs the machine on */
		sim_preempt_point(m->sim);
	}
	if (m->progress == NULL || ++m->progress_skip < PROGRESS_SKIP)
		return;
	m->progress_skip = 0;
	now = host_ms();
	if (now < m->progress_next_ms)
		return;
	m->progress_next_ms = now + PROGRESS_MS;
	m->progress(m->progress_ctx, m, sim_to_ns(m->sim, sim_now(m->sim)),
	    m->res.instructions, m->faults);
}

/* ---- what the VM reports: to the database, and to the checker ---- */

static void
trace_transition(void *ctx, const struct vm_transition *t)
{
	struct machine *m = ctx;

	if (m->db != NULL)
		rundb_trace_ops.transition(m->db, t);
}

static void
count_fault(struct machine *m, const struct vm_fault_record *f)
{
	struct uthread *t = sys_curthread(m->sys);
	bool major = f->kind == VMF_FILE || f->kind == VMF_SWAP;
	struct uproc *p = uproc_find(m->sys, f->pid);

	if (p == NULL)
		return;
	p->majflt += major;
	p->minflt += !major;
	if (t == NULL || t->p != p)
		return;
	t->majflt += major;
	t->minflt += !major;
}

static void
trace_fault(void *ctx, const struct vm_fault_record *f)
{
	struct machine *m = ctx;

	count_fault(m, f);
	if (m->db != NULL)
		rundb_trace_ops.fault(m->db, f);
}

static void
trace_io(void *ctx, const struct vm_io_record *io)
{
	struct machine *m = ctx;

	machine_note_io(m, io);
	if (m->db != NULL)
		rundb_trace_ops.io(m->db, io);
}

static void
note_oom_kill(struct machine *m, const struct vm_event_record *e)
{
	const struct uproc *p = uproc_find(m->sys, e->pid);
	struct machine_result *res = &m->res;

	if (res->oom_kills++ != 0)
		return;
	res->oom.pid = e->pid;
	snprintf(res->oom.name, sizeof(res->oom.name), "%s",
	    p != NULL ? p->comm : "");
	res->oom.pages = (uint64_t)e->a;
	res->oom.when = e->when;
}

static void
trace_event(void *ctx, const struct vm_event_record *e)
{
	struct machine *m = ctx;

	if (m->mc->check >= 1 && e->kind == VME_SCAN_END)
		vm_check_all(m->vm);
	states_event(m, e);
	if (e->kind == VME_OOM_KILL)
		note_oom_kill(m, e);
	if (m->db != NULL)
		rundb_trace_ops.event(m->db, e);
}

static void
trace_object(void *ctx, uint32_t id, const char *type, const char *name)
{
	struct machine *m = ctx;

	if (m->db != NULL)
		rundb_trace_ops.object(m->db, id, type, name);
}

const struct vm_trace_ops machine_trace_ops = {
	.transition = trace_transition,
	.fault = trace_fault,
	.io = trace_io,
	.event = trace_event,
	.object = trace_object,
};
