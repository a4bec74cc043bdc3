/*
 * machine_stuck.c: runs that will never go on, though the kernel's own threads
 * do: processes that wait for each other, and for a disk that is gone.
 * Interface: machine_int.h. Nothing here changes the simulation but its end.
 */
#include <errno.h>
#include <string.h>

#include "sim/machine_int.h"
#include "sim/syscall_int.h"

#define FAILING_S 300 /* simulated; a transfer may take its minute to fail */
#define FAILING_MIN 20 /* transfers */

/* ---- who waits ---- */

/* Does t sleep until some process does something? */
static bool
waits_for_others(const struct uthread *t)
{
	const void *chan = sim_thread_channel(t->st);

	if (chan == NULL)
		return (false);
	return (chan == &t->p->stopped || t->sig.killable ||
	    (t->sig.interruptible && !t->sig.timed));
}

static bool
waits_for_memory(const struct uthread *t)
{
	return (t->doing.cur.doing == DOING_PAGE_WAIT ||
	    t->doing.cur.doing == DOING_SWAPIN);
}

/*
 * Does every thread wait for another process, or (*memory given) for a page,
 * which is then counted? Not when a timer of anybody's will fire.
 */
static bool
all_wait(const struct machine *m, uint32_t *memory)
{
	const struct uthread *t;
	const struct uproc *p;

	TAILQ_FOREACH(p, &m->procs, link) {
		if (itimers_pending(p) || ptimers_pending(p))
			return (false);
		/* on its way out: its memory is being given back */
		if (TAILQ_EMPTY(&p->threads) && !p->zombie)
			return (false);
		TAILQ_FOREACH(t, &p->threads, link) {
			if (memory != NULL && waits_for_memory(t))
				++*memory;
			else if (!waits_for_others(t))
				return (false);
		}
	}
	return (true);
}

/* Text for the user: "100 sh (wait), 103 cat (piperd)". */
static void
name_waiters(const struct machine *m, char *text, size_t size)
{
	const struct uthread *t;
	const struct uproc *p;
	size_t n = 0;
	int shown = 0;

	text[0] = '\0';
	TAILQ_FOREACH(p, &m->procs, link) {
		t = TAILQ_FIRST(&p->threads);
		if (t == NULL || n >= size)
			continue;
		if (shown++ == 4) {
			snprintf(text + n, size - n, ", ...");
			return;
		}
		n += (size_t)snprintf(text + n, size - n, "%s%d %s (%s)",
		    shown > 1 ? ", " : "", p->pid, p->comm,
		    sim_thread_wmesg(t->st));
	}
}

static double
seconds(const struct machine *m, sim_time_t t)
{
	return ((double)sim_to_ns(m->sim, t) / 1e9);
}

/* ---- disks that fail ---- */

/* The first failure of each disk is told at once; all are in the database. */
static void
tell_failure(struct machine *m, const struct vm_io_record *io)
{
	for (uint32_t i = 0; i < m->mc->ndisks; i++) {
		if (strcmp(m->mc->disks[i].name, io->disk) != 0 ||
		    m->io.told[i])
			continue;
		m->io.told[i] = true;
		fprintf(stderr, "vmsim: at %.3f s a transfer of %u pages "
		    "(%s) failed on disk %s: %s; see kind io_error among the "
		    "events\n", seconds(m, io->finish), io->pages,
		    vm_io_kind_name(io->kind), io->disk, strerror(io->error));
	}
}

void
machine_note_io(struct machine *m, const struct vm_io_record *io)
{
	if (io->error == 0) {
		m->io.good++;
		return;
	}
	m->io.failed++;
	m->io.disk = io->disk;
	m->io.error = io->error;
	tell_failure(m, io);
}

/*
 * Has every transfer failed for so long, and nothing else happened, that
 * nothing ever will? A kernel without its swap disk tries again for ever.
 */
static bool
disks_fail(struct machine *m)
{
	struct machine_io *io = &m->io;
	sim_time_t now = sim_now(m->sim);

	if (io->failed == 0)
		return (false);
	if (io->seen_good != io->good ||
	    io->seen_instructions != m->res.instructions ||
	    io->since == 0) {
		io->seen_good = io->good;
		io->seen_instructions = m->res.instructions;
		io->seen_failed = io->failed;
		io->since = now;
		return (false);
	}
	return (io->failed - io->seen_failed >= FAILING_MIN &&
	    now - io->since >= sim_ns(m->sim, FAILING_S * 1000000000ull));
}

/* ---- the verdict ---- */

static bool
stop_with(struct machine *m, int error)
{
	m->interrupted = 1;
	m->res.stuck = true;
	m->load_errno = error;
	return (true);
}

/* With a limit of the run, that is waited for. */
bool
machine_is_stuck(struct machine *m)
{
	double now = seconds(m, sim_now(m->sim));
	uint32_t memory = 0;
	char text[256];

	if (m->mc->max_ns != 0 || m->pending_starts != 0 ||
	    TAILQ_EMPTY(&m->procs) || m->load_errno != 0 ||
	    m->sys->timers_armed != 0)
		return (false);
	if (all_wait(m, NULL)) {
		name_waiters(m, text, sizeof(text));
		return (stop_with(m, sim_err_set(&m->load_err, EDEADLK,
		    "at %.1f s the guest's processes wait for each other for "
		    "ever: %s; use --max-time if they are meant to", now,
		    text)));
	}
	if (!disks_fail(m) || !all_wait(m, &memory) || memory == 0)
		return (false);
	name_waiters(m, text, sizeof(text));
	return (stop_with(m, sim_err_set(&m->load_err, EIO,
	    "at %.1f s nothing has run for %d s: each transfer on disk %s "
	    "fails (%s), which the kernel tries for ever, and the guest waits "
	    "for memory: %s; use --max-time to see more of it", now, FAILING_S,
	    m->io.disk, strerror(m->io.error), text)));
}
