/*
 * fuzz_vmcore: seeded random operations on the page module and random scans
 * of the page daemon, with every invariant checked again and again.
 *
 * Method: rounds of up to ROUND_OPS operations, each on a fresh machine whose
 * size, domains and colours come from the seed. One thread works, a few
 * others wait for busy pages and for memory. At the end of a round everything
 * is given back: all pages must be free and nobody may still wait.
 *
 * A failure prints the broken invariant and the command that repeats it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "fuzz_vmcore.h"

#define ROUND_OPS 4000000
#define SCAN_EVERY 16384 /* operations, on the average */
#define YIELD_EVERY 256

/* ------------------------------------------------------------ one machine */

static void
print_repeat(void *ctx, void *file)
{
	const struct fz *f = ctx;

	fprintf(file, "  repeat with: fuzz_vmcore --seed %" PRIu64
	    " --ops %" PRIu64 " --check 1000%s   (%u pages, %u domains, "
	    "%u colours)\n", f->cfg.seed, f->done + 1,
	    f->cfg.scans ? "" : " --no-scans", f->vm->cnt.v_page_count,
	    f->vm->ndomains, f->vm->pq_l2_size);
}

static void
machine_objects(struct fz *f)
{
	static const enum obj_type types[4] = { OBJT_DEFAULT, OBJT_SWAP,
		OBJT_VNODE, OBJT_VNODE };
	uint32_t i;

	for (i = 0; i < FZ_OBJECTS; i++) {
		vm_object_t o = &f->objs[i];

		TAILQ_INIT(&o->memq);
		LIST_INIT(&o->shadow_head);
		o->id = i + 1;
		o->type = (uint8_t)types[i % 4];
		o->size = FZ_OBJECT_PAGES;
		o->ref_count = 1;
		o->pagerops = &fz_pager;
		o->pg_color = (uint16_t)fz_below(f, 64);
		TAILQ_INSERT_TAIL(&f->vm->object_list, o, object_list);
	}
	f->vm->object_next_id = FZ_OBJECTS;
}

/* Memory in as many pieces as domains, with a hole between two of them. */
static void
machine_memory(struct fz *f, uint32_t pages, uint32_t domains)
{
	struct vm *vm = f->vm;
	uint64_t at = fz_below(f, 8), share = pages / domains;
	uint32_t d;

	vm->ndomains = domains;
	for (d = 0; d < domains; d++) {
		vm->dom[d].vmd_nsegs = 1;
		vm->dom[d].vmd_seg[0].start = at << PAGE_SHIFT;
		vm->dom[d].vmd_seg[0].end = (at + share) << PAGE_SHIFT;
		at += share + fz_below(f, 3);
	}
	vm->boot_pages = fz_below(f, 4);
	f->mmu = mmu_create(f->sim, (uint32_t)at);
	vm->mmu = f->mmu;
}

static void
machine_daemon(struct fz *f)
{
	struct vm *vm = f->vm;
	uint32_t d;

	if (vm_pageout_create_with(vm, &vm_page_ops_f5, &fz_env, f) != 0)
		abort();
	vm->hz = 100;
	vm_pageout_init(vm);
	for (d = 0; d < vm->ndomains; d++) {
		vm_pageout_init_marker(vm, &vm->dom[d].vmd_marker,
		    PQ_INACTIVE(vm));
		vm_pageout_init_marker(vm, &vm->dom[d].vmd_inacthead,
		    PQ_INACTIVE(vm));
	}
	vm->pageproc = &f->daemon;
}

static struct fz *
machine_create(const struct fz_config *cfg)
{
	static const uint32_t sizes[4] = { 256, 700, 2048, 4096 };
	static const uint32_t colours[4] = { 1, 16, 32, 64 };
	struct sim_config sc = { .rng_seed = cfg->seed };
	struct fz *f = calloc(1, sizeof(*f));
	struct sim_err err;
	uint32_t i;

	if (f == NULL)
		abort();
	f->cfg = *cfg;
	f->sim = sim_create(&sc);
	f->vm = calloc(1, sizeof(*f->vm));
	if (f->sim == NULL || f->vm == NULL)
		abort();
	sim_rng_init(&f->rng, cfg->seed, "fuzz_vmcore");
	f->vm->sim = f->sim;
	f->vm->kernel_private = f;
	f->vm->invariants = true;
	f->vm->zero_idle_enabled = 1;
	TAILQ_INIT(&f->vm->object_list);
	TAILQ_INIT(&f->vm->object_pool);
	f->vm->pagerops[OBJT_DEFAULT] = &fz_pager;
	TAILQ_INIT(&f->vm->allproc);
	machine_memory(f, cfg->pages != 0 ? cfg->pages :
	    sizes[fz_below(f, 4)], cfg->domains != 0 ? cfg->domains :
	    1 + fz_below(f, 4));
	(void)vm_page_set_colours(f->vm, cfg->colours != 0 ? cfg->colours :
	    colours[fz_below(f, 4)]);
	strcpy(f->vm->default_policy, fz_below(f, 2) != 0 ? "rr" : "first-touch");
	vm_pmap_mmu_attach(f->vm);
	if (f->mmu == NULL || vm_page_startup(f->vm, &err) != 0)
		abort();
	machine_objects(f);
	machine_daemon(f);
	for (i = 0; i < FZ_PMAPS; i++)
		f->pmaps[i] = pmap_create(f->mmu);
	f->owner = calloc(f->vm->page_array_size, 1);
	f->user_td.td_proc = &f->user;
	f->daemon_td.td_proc = &f->daemon;
	sim_add_dump(f->sim, "fuzz_vmcore", print_repeat, f);
	return (f);
}

static void
machine_destroy(struct fz *f)
{
	vm_object_t o;
	uint32_t i;

	for (i = 0; i < FZ_PMAPS; i++) {
		pmap_remove_pages(f->pmaps[i]);
		pmap_destroy(f->pmaps[i]);
	}
	while ((o = TAILQ_FIRST(&f->vm->object_pool)) != NULL) {
		TAILQ_REMOVE(&f->vm->object_pool, o, object_list);
		free(o);
	}
	sim_destroy(f->sim);
	vm_pageout_destroy(f->vm);
	vm_page_shutdown(f->vm);
	mmu_destroy(f->mmu);
	free(f->vm);
	free(f->owner);
	free(f);
}

/* ------------------------------------------------------------ one round */

static void
check_everything(struct fz *f)
{
	vmcheck_accounted(f->vm);
	mmu_check(f->mmu);
}

static void
check_drained(struct fz *f)
{
	check_everything(f);
	KASSERT(f->sim, f->vm->cnt.v_free_count == f->vm->cnt.v_page_count &&
	    f->held == 0, ("FUZZ_LEAK: %u of %u pages are free at the end",
		f->vm->cnt.v_free_count, f->vm->cnt.v_page_count));
}

static void
worker(void *arg)
{
	struct fz *f = arg;
	uint64_t next_check = f->cfg.check;

	while (f->done < f->cfg.ops) {
		fz_op(f);
		if ((f->done & (YIELD_EVERY - 1)) == 0)
			(void)sim_yield(f->sim);
		if (f->cfg.scans && fz_below(f, SCAN_EVERY) == 0)
			fz_random_scan(f);
		if (f->done >= next_check) {
			check_everything(f);
			next_check = f->done + f->cfg.check;
		}
	}
	f->draining = true;
	/* Twice: those who wait for memory take a page before they go. */
	fz_drain(f);
	while (sim_yield(f->sim))
		fz_drain(f);
	fz_drain(f);
}

static void
start(struct fz *f, const char *name, sim_thread_fn *fn)
{
	struct sim_thread *td = sim_thread_create(f->sim, name, PUSER, fn, f);

	if (td == NULL)
		abort();
	sim_thread_set_data(td, &f->user_td);
}

static void
add_counts(uint64_t *sum, const struct fz *f)
{
	unsigned i;

	for (i = 0; fz_op_name(i) != NULL; i++)
		sum[i] += f->counts[i];
	sum[62] += f->scans;
	sum[63] += f->waits;
}

static uint64_t
run_round(const struct fz_config *cfg, uint64_t *counts)
{
	struct fz *f = machine_create(cfg);
	uint64_t done;
	unsigned i;

	start(f, "worker", worker);
	f->waiters = FZ_WAITERS;
	for (i = 0; i < FZ_WAITERS; i++)
		start(f, "waiter", fz_waiter);
	(void)sim_run(f->sim);
	KASSERT(f->sim, f->waiters == 0,
	    ("FUZZ_ASLEEP: %u waiters were never woken", f->waiters));
	check_drained(f);
	add_counts(counts, f);
	done = f->done;
	machine_destroy(f);
	return (done);
}

/* ------------------------------------------------------------ fast paths */

struct fast {
	struct fz *f;
	uint64_t ops;
};

/* Allocate, deactivate, activate, free: nothing else, over one object. */
static void
fast_worker(void *arg)
{
	struct fast *fast = arg;
	struct vm *vm = fast->f->vm;
	vm_object_t object = &fast->f->objs[0];
	uint64_t done;
	vm_page_t m;

	for (done = 0; done < fast->ops; done += 4) {
		m = vm_page_alloc(vm, object, done / 4 % FZ_OBJECT_PAGES,
		    VM_ALLOC_NORMAL);
		vm_page_deactivate(vm, m);
		vm_page_activate(vm, m);
		vm_page_free(vm, m);
	}
}

static uint64_t
run_fast(const struct fz_config *cfg)
{
	struct fz *f = machine_create(cfg);
	struct fast fast = { f, cfg->ops };
	struct sim_thread *td;

	td = sim_thread_create(f->sim, "fast", PUSER, fast_worker, &fast);
	if (td == NULL)
		abort();
	sim_thread_set_data(td, &f->user_td);
	(void)sim_run(f->sim);
	check_drained(f);
	machine_destroy(f);
	return (cfg->ops);
}

/* ------------------------------------------------------------ the program */

static const char usage[] =
    "usage: fuzz_vmcore [options]\n"
    "  --ops N       operations in all (default 4M)\n"
    "  --seed S      rng seed (default 1)\n"
    "  --check N     operations between two checks of everything (100K)\n"
    "  --pages N, --domains N, --colours N   default: drawn from the seed\n"
    "  --no-scans    page operations only\n"
    "  --fast        time allocate, deactivate, activate, free alone\n"
    "  -v            operations by kind at the end\n";

struct options {
	struct fz_config cfg;
	bool fast, verbose;
};

static void
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "seed", required_argument, NULL, 's' },
		{ "check", required_argument, NULL, 'c' },
		{ "pages", required_argument, NULL, 'p' },
		{ "domains", required_argument, NULL, 'd' },
		{ "colours", required_argument, NULL, 'l' },
		{ "no-scans", no_argument, NULL, 'n' },
		{ "fast", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	uint64_t n = 0;
	int c;

	while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1) {
		if (optarg != NULL && parse_size(optarg, &n) != 0)
			c = '?';
		switch (c) {
		case 'o': o->cfg.ops = n; break;
		case 's': o->cfg.seed = n; break;
		case 'c': o->cfg.check = n; break;
		case 'p': o->cfg.pages = (uint32_t)n; break;
		case 'd': o->cfg.domains = (uint32_t)n; break;
		case 'l': o->cfg.colours = (uint32_t)n; break;
		case 'n': o->cfg.scans = false; break;
		case 'f': o->fast = true; break;
		case 'v': o->verbose = true; break;
		default: fputs(usage, stderr); exit(EX_USAGE);
		}
	}
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static void
print_counts(const uint64_t *counts)
{
	unsigned i;

	for (i = 0; fz_op_name(i) != NULL; i++)
		printf("%12s %" PRIu64 "\n", fz_op_name(i), counts[i]);
	printf("%12s %" PRIu64 "\n%12s %" PRIu64 "\n", "scans", counts[62],
	    "grabs", counts[63]);
}

int
main(int argc, char **argv)
{
	struct options o = { .cfg = { .seed = 1, .ops = 4 << 20,
		.check = 100 << 10, .scans = true } };
	uint64_t counts[64] = { 0 }, done = 0, ops;
	struct fz_config cfg;
	double t;

	parse(argc, argv, &o);
	cfg = o.cfg;
	ops = cfg.ops;
	t = now();
	if (o.fast)
		done = run_fast(&cfg);
	for (; done < ops; cfg.seed++) {
		cfg.ops = ops - done < ROUND_OPS ? ops - done : ROUND_OPS;
		done += run_round(&cfg, counts);
	}
	t = now() - t;
	if (o.verbose)
		print_counts(counts);
	printf("%" PRIu64 " operations from seed %" PRIu64 ", %.1f million a "
	    "second of CPU, no invariant broken\n", done, o.cfg.seed,
	    (double)done / t / 1e6);
	return (0);
}
