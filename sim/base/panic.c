/*
 * panic.c: the end of a simulation whose invariants are broken, or for which
 * the host has no memory.
 *
 * Interface: sim.h (panic, KASSERT, sim_nomem).
 * Source:    KASSERT(9), panic(9); our own.
 *
 * The message goes to stderr with everything that is needed to come back to
 * this place: simulated time, thread, event, rng_seed, and what the modules
 * registered as dumps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "sim/base/sim_int.h"

#define PANIC_MESSAGE_MAX 1024

static void
panic_where(const struct sim *sim)
{
	const struct sim_thread *td = sim->cur;

	fprintf(stderr, "  cycle %ju on CPU %u of %u, rng_seed %ju\n",
	    (uintmax_t)sim_now(sim), sim_curcpu(sim), sim->cfg.ncpus,
	    (uintmax_t)sim->cfg.rng_seed);
	if (td != NULL)
		fprintf(stderr, "  thread %u \"%s\", priority %u\n", td->id,
		    td->name, td->pri);
	else if (sim->event != NULL)
		fprintf(stderr, "  event \"%s\", due at %ju\n",
		    sim->event->name, (uintmax_t)sim->event->when);
	else
		fprintf(stderr, "  outside sim_run\n");
	fprintf(stderr, "  reason tag %u\n", sim_tag(sim));
}

static void
panic_dump(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->ndumps; i++) {
		const struct sim_dump *d = &sim->dumps[i];

		fprintf(stderr, "  -- %s --\n", d->name);
		d->fn(d->ctx, stderr);
	}
}

/* sim may be NULL: a module's invariant broke before it knew its sim. */
void
sim_panic(struct sim *sim, const char *file, int line, const char *func,
    const char *fmt, ...)
{
	char message[PANIC_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (sim != NULL && sim->panic_fn != NULL && !sim->panicking) {
		sim->panicking = true;
		sim->panic_fn(sim->panic_ctx, file, line, func, message);
	}
	fflush(stdout);
	fprintf(stderr, "panic: %s\n  at %s:%d, %s()\n", message, file, line,
	    func);
	if (sim != NULL) {
		bool again = sim->panicking;

		sim->panicking = true;
		panic_where(sim);
		if (!again)
			panic_dump(sim);
	}
	abort();
}

void
sim_set_panic_handler(struct sim *sim, sim_panic_fn *fn, void *ctx)
{
	sim->panic_fn = fn;
	sim->panic_ctx = ctx;
	sim->panicking = false;
}

/* At most SIM_MAXDUMPS are kept; name is a static string. */
void
sim_add_dump(struct sim *sim, const char *name, sim_dump_fn *fn, void *ctx)
{
	if (sim->ndumps == SIM_MAXDUMPS)
		return;
	sim->dumps[sim->ndumps++] = (struct sim_dump) { name, fn, ctx };
}

/* ------------------------------------------------------------ host memory */

void
sim_nomem(struct sim *sim, const char *what, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, what);
	vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	if (sim != NULL && sim->nomem_fn != NULL)
		sim->nomem_fn(sim->nomem_ctx);
	fprintf(stderr, "vmsim: the host gives no more memory, here for %s; "
	    "simulate less, or raise its limit (ulimit -v)\n", text);
	exit(EX_OSERR);
}

void
sim_set_nomem_handler(struct sim *sim, sim_nomem_fn *fn, void *ctx)
{
	sim->nomem_fn = fn;
	sim->nomem_ctx = ctx;
}
