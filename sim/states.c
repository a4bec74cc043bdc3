/*
 * states.c: what each user thread does over time: waits for a CPU, runs, waits
 * for a page, sleeps, is swapped out. Intervals go to table `states` of the
 * run database, their sums to the summary.
 *
 * Interface: machine_int.h. Sources of the changes: sim/base (a thread sleeps,
 * is woken, gets a CPU) and the kernel's swapping events. Nothing here changes
 * the simulation or takes simulated time.
 */
#include <string.h>

#include "sim/machine_int.h"

/*
 * Sleeps below the VM, by wait message: for a page, memory, a pager or a lock
 * that is held meanwhile. All others are sleeps of the program's own.
 */
static const char *const page_waits[] = { "VMWait", "blocks", "madvpo",
	"pfault", "pgrbwt", "pgtblk", "spltwt", "swread", "swwrt", "vmmaplk",
	"vmmaprd", "vmocol", "vmopar", "vmpage", "vmpfw", "vmwait", "vndrain",
	"vnlock", "vnread", "vnwrite", "vpcwai", "wdrain", "wswbuf" };

static enum thread_doing
sleep_kind(const char *wmesg)
{
	if (strcmp(wmesg, "faultin") == 0)
		return (DOING_SWAPIN);
	for (size_t i = 0; i < sizeof(page_waits) / sizeof(page_waits[0]); i++)
		if (strcmp(wmesg, page_waits[i]) == 0)
			return (DOING_PAGE_WAIT);
	return (DOING_SLEEP);
}

static void
flush_last(struct machine *m, struct uthread *t)
{
	struct thread_interval *last = &t->doing.last;

	if (last->end == last->start)
		return;
	if (m->db != NULL)
		rundb_put_state(m->db, t->p->pid, t->tid, last);
	last->start = last->end = 0;
}

/* One interval is kept back: the next may only prolong it. */
static void
add_interval(struct machine *m, struct uthread *t, sim_time_t end)
{
	struct thread_interval *cur = &t->doing.cur, *last = &t->doing.last;

	if (end <= cur->start)
		return;
	t->p->doing_cycles[cur->doing] += end - cur->start;
	if (last->end == cur->start && last->doing == cur->doing &&
	    last->wmesg == cur->wmesg && last->end != last->start) {
		last->end = end;
	} else {
		flush_last(m, t);
		*last = *cur;
		last->end = end;
	}
	cur->start = end;
}

static void
change(struct machine *m, struct uthread *t, enum thread_doing doing,
    const char *wmesg, sim_time_t when)
{
	add_interval(m, t, when);
	t->doing.cur.doing = doing;
	t->doing.cur.wmesg = wmesg;
}

/* The thread's CPU is free for others: of its own will, or not. */
static void
count_switch(struct uthread *t, enum sim_doing doing)
{
	if (t->doing.cur.doing != DOING_RUN || doing == SIM_RUNNING)
		return;
	t->nvcsw += doing == SIM_SLEEPING;
	t->p->nvcsw += doing == SIM_SLEEPING;
	t->nivcsw += doing != SIM_SLEEPING;
	t->p->nivcsw += doing != SIM_SLEEPING;
}

static void
states_watch(void *ctx, void *cookie, enum sim_doing doing, const char *wmesg,
    sim_time_t when)
{
	struct uthread *t = cookie;

	count_switch(t, doing);
	switch (doing) {
	case SIM_READY:
		change(ctx, t, DOING_READY, NULL, when);
		break;
	case SIM_RUNNING:
		change(ctx, t, DOING_RUN, NULL, when);
		break;
	case SIM_SLEEPING:
		change(ctx, t, sleep_kind(wmesg), wmesg, when);
		break;
	case SIM_HELD:
		change(ctx, t, DOING_SWAPIN, NULL, when);
		break;
	}
}

void
states_start(struct machine *m)
{
	sim_set_watch(m->sim, states_watch, m);
}

void
states_thread_begin(struct uthread *t)
{
	t->doing.cur.start = sim_now(t->p->m->sim);
	t->doing.cur.doing = DOING_READY;
	sim_thread_watch(t->st, t);
}

void
states_thread_end(struct uthread *t)
{
	struct machine *m = t->p->m;

	add_interval(m, t, sim_now(m->sim));
	flush_last(m, t);
	sim_thread_watch(t->st, NULL);
}

/* The threads of a process that is swapped out or in: those that run are in
 * its own kernel and change by themselves. */
static void
swap_threads(struct machine *m, struct uproc *p, int kind, sim_time_t when)
{
	struct uthread *t;

	TAILQ_FOREACH(t, &p->threads, link) {
		struct thread_interval *cur = &t->doing.cur;
		bool out = cur->doing == DOING_SWAPPED ||
		    cur->doing == DOING_SWAPIN;

		if (kind == VME_SWAP_OUT && cur->wmesg != NULL)
			change(m, t, DOING_SWAPPED, cur->wmesg, when);
		else if (kind == VME_SWAP_IN && out && cur->wmesg != NULL)
			change(m, t, sleep_kind(cur->wmesg), cur->wmesg, when);
	}
}

void
states_event(struct machine *m, const struct vm_event_record *e)
{
	struct uproc *p;

	if (e->kind != VME_SWAP_OUT && e->kind != VME_SWAP_IN)
		return;
	TAILQ_FOREACH(p, &m->procs, link) {
		if (p->pid != e->pid)
			continue;
		if (e->kind == VME_SWAP_OUT)
			p->swapouts++;
		swap_threads(m, p, e->kind, e->when);
		return;
	}
}

void
states_finish(struct machine *m)
{
	struct uthread *t;
	struct uproc *p;

	TAILQ_FOREACH(p, &m->procs, link) {
		TAILQ_FOREACH(t, &p->threads, link) {
			add_interval(m, t, sim_now(m->sim));
			flush_last(m, t);
		}
		states_put_process(m, p);
	}
}

void
states_put_process(struct machine *m, const struct uproc *p)
{
	if (m->db != NULL)
		rundb_put_process_times(m->db, p->pid, sim_now(m->sim),
		    p->doing_cycles, p->swapouts);
}
