/*
 * make_db: writes a small run database of a made-up run, for the tests of
 * reports and of docs/database.md: 10 simulated seconds of a program that
 * fills a 16 MB machine, pages, and rests. No simulator takes part; numbers
 * are plausible, not true. Equal calls write equal files.
 *
 * usage: make_db FILE [complete|interrupted|no-samples|no-faults|no-states|empty]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/sim.h"
#include "sim/config.h"
#include "sim/rundb.h"
#include "vmcore/vm_int.h"

#define HZ 1000000000u
#define PAGES 4096
#define STEPS 10000 /* of 1 ms */

enum { PAGE_COUNT, WIRE, ACTIVE, INACTIVE, CACHE, FREE, TARGET, MIN, RESERVED,
	FAULTS, ZFOD, COW, SWAPIN, SWAPOUT, FILEIN, PDPAGES, NSTATS };

static const struct {
	const char *name;
	bool gauge;
} stats[NSTATS] = {
	[PAGE_COUNT] = { "v_page_count", true },
	[WIRE] = { "v_wire_count", true },
	[ACTIVE] = { "v_active_count", true },
	[INACTIVE] = { "v_inactive_count", true },
	[CACHE] = { "v_cache_count", true },
	[FREE] = { "v_free_count", true },
	[TARGET] = { "v_free_target", true },
	[MIN] = { "v_free_min", true },
	[RESERVED] = { "v_free_reserved", true },
	[FAULTS] = { "v_vm_faults", false },
	[ZFOD] = { "v_zfod", false },
	[COW] = { "v_cow_faults", false },
	[SWAPIN] = { "v_swappgsin", false },
	[SWAPOUT] = { "v_swappgsout", false },
	[FILEIN] = { "v_vnodepgsin", false },
	[PDPAGES] = { "v_pdpages", false },
};

struct model {
	struct vm vm;
	uint64_t v[NSTATS];
	struct rundb *db;
	struct sim_rng rng;
	uint64_t now;
	uint32_t next_page;
};

static size_t
model_count(const struct vm *vm)
{
	return (NSTATS);
}

static const char *
model_name(const struct vm *vm, size_t i)
{
	return (stats[i].name);
}

static const char *
model_help(const struct vm *vm, size_t i)
{
	return ("made up");
}

static bool
model_is_gauge(const struct vm *vm, size_t i)
{
	return (stats[i].gauge);
}

static uint64_t
model_value(const struct vm *vm, size_t i)
{
	return (((const struct model *)(const void *)vm)->v[i]);
}

static const struct vm_kernel_ops model_kernel = {
	.name = "model",
	.stat_count = model_count,
	.stat_name = model_name,
	.stat_help = model_help,
	.stat_is_gauge = model_is_gauge,
	.stat_value = model_value,
};

static void
move(struct model *m, uint32_t page, int from, int to, int reason)
{
	static const int counter[VMQ_COUNT] = { [VMQ_NONE] = -1,
		[VMQ_FREE] = FREE, [VMQ_CACHE] = CACHE,
		[VMQ_INACTIVE] = INACTIVE, [VMQ_ACTIVE] = ACTIVE,
		[VMQ_HOLD] = -1, [VMQ_WIRED] = WIRE, [VMQ_BUSY] = -1 };
	struct vm_transition t = { .when = m->now, .page = page,
		.object = 1 + page % 3, .pindex = page / 3,
		.from = (uint8_t)from, .to = (uint8_t)to,
		.reason = (uint8_t)reason,
		.act_count = to == VMQ_ACTIVE ? 5 : 0 };

	if (counter[from] >= 0 && from != to)
		m->v[counter[from]]--;
	if (counter[to] >= 0 && from != to)
		m->v[counter[to]]++;
	rundb_trace_ops.transition(m->db, &t);
}

static void
io(struct model *m, int kind, uint32_t page, uint32_t pages)
{
	struct vm_io_record r = { .queued = m->now, .kind = (uint8_t)kind,
		.disk = "da0", .object = 1 + page % 3, .pindex = page / 3,
		.pages = pages, .lbn = 1000000 + page * 8ull,
		.overhead = 100000, .seek = sim_rng_below(&m->rng, 9000000),
		.rotation = sim_rng_below(&m->rng, 8000000),
		.transfer = pages * 60000 };

	r.start = r.queued + sim_rng_below(&m->rng, 500000);
	r.finish = r.start + r.overhead + r.seek + r.rotation + r.transfer;
	rundb_trace_ops.io(m->db, &r);
}

static void
fault(struct model *m, int kind)
{
	uint32_t page = m->next_page++ % PAGES;
	uint64_t base = kind == VMF_FILE ? 0x555555554000 : 0x7ffff7000000;
	struct vm_fault_record f = { .start = m->now, .pid = 100, .tid = 100,
		.va = base + (sim_rng_below(&m->rng, 2048) << 12),
		.access = kind == VMF_FILE ? 4 : 3, .kind = (uint8_t)kind,
		.page = page, .object = 1 + page % 3, .pindex = page / 3 };

	m->v[FAULTS]++;
	m->v[ZFOD] += kind == VMF_ZERO;
	m->v[COW] += kind == VMF_COW;
	if (m->v[FREE] == 0)
		return;
	move(m, page, VMQ_FREE, VMQ_BUSY, WHY_ALLOC);
	f.end = m->now + 3000;
	if (kind == VMF_SWAP || kind == VMF_FILE) {
		io(m, kind == VMF_SWAP ? VMIO_SWAP_IN : VMIO_VNODE_IN, page, 4);
		m->v[kind == VMF_SWAP ? SWAPIN : FILEIN] += 4;
		f.end += 12000000;
	}
	move(m, page, VMQ_BUSY, VMQ_ACTIVE, WHY_FAULT_DONE);
	rundb_trace_ops.fault(m->db, &f);
}

/* The page daemon's share of a millisecond. */
static void
scan(struct model *m)
{
	struct vm_event_record e = { .when = m->now, .kind = VME_SCAN };
	uint32_t page;

	if (m->v[FREE] >= m->v[TARGET])
		return;
	rundb_trace_ops.event(m->db, &e);
	for (int i = 0; i < 6 && m->v[ACTIVE] > 900; i++) {
		page = (uint32_t)sim_rng_below(&m->rng, PAGES);
		m->v[PDPAGES]++;
		move(m, page, VMQ_ACTIVE, VMQ_INACTIVE,
		    WHY_ACTIVE_DEACTIVATE);
	}
	for (int i = 0; i < 5 && m->v[INACTIVE] > 0; i++) {
		page = (uint32_t)sim_rng_below(&m->rng, PAGES);
		m->v[PDPAGES]++;
		if (i == 4) {
			io(m, VMIO_SWAP_OUT, page, 8);
			m->v[SWAPOUT] += 8;
			move(m, page, VMQ_INACTIVE, VMQ_ACTIVE,
			    WHY_INACT_REFERENCED);
		} else if (i == 3) {
			move(m, page, VMQ_INACTIVE, VMQ_CACHE,
			    WHY_LAUNDER_DONE);
		} else {
			move(m, page, VMQ_INACTIVE, VMQ_FREE,
			    WHY_INACT_FREE_CLEAN);
		}
	}
	if (m->v[CACHE] > 200)
		move(m, 7, VMQ_CACHE, VMQ_FREE, WHY_ALLOC_CACHE);
}

static void
did(struct model *m, int pid, enum thread_doing doing, uint64_t start,
    uint64_t end)
{
	const struct thread_interval ti = { .start = start, .end = end,
		.doing = doing, .wmesg = doing == DOING_RUN ||
		doing == DOING_READY ? NULL : doing == DOING_PAGE_WAIT ?
		"swread" : "nanslp" };

	rundb_put_state(m->db, pid, pid, &ti);
}

/* A worker that waits for pages from 3 s on; an editor that is woken every
 * two seconds, and is swapped out for four. */
static void
doing(struct model *m, int i)
{
	uint64_t ms = HZ / 1000;

	did(m, 100, i < 3000 || i % 7 < 2 ? DOING_RUN : DOING_PAGE_WAIT,
	    m->now, m->now + ms);
	if (i % 2000 == 0 && i < 4000)
		did(m, 101, DOING_SLEEP, m->now, m->now + 2000 * ms);
	if (i == 4000)
		did(m, 101, DOING_SWAPPED, m->now, m->now + 4000 * ms);
	if (i == 8000)
		did(m, 101, DOING_SWAPIN, m->now, m->now + 500 * ms);
	if (i == 8500)
		did(m, 101, DOING_READY, m->now, m->now + 20 * ms);
	if (i == 8520)
		did(m, 101, DOING_SLEEP, m->now, m->now + 1480 * ms);
}

static void
step(struct model *m, int i)
{
	m->now = (uint64_t)i * (HZ / 1000);
	if (i < 300 && i % 2 == 0)
		fault(m, VMF_FILE);
	else if (i < 3000)
		for (int k = 0; k < 1 + i % 3; k++)
			fault(m, VMF_ZERO);
	else if (i < 8000)
		fault(m, i % 5 == 0 ? VMF_ZERO : i % 5 == 1 ? VMF_COW :
		    i % 5 == 2 ? VMF_FAST : VMF_SWAP);
	else if (i % 50 == 0)
		fault(m, VMF_RESIDENT);
	scan(m);
	if (i % 10 == 0)
		rundb_put_sample(m->db, m->now, &m->vm);
	doing(m, i);
}

static int
make(const char *path, const char *how, struct sim_err *err)
{
	char *const argv[] = { (char *)"sort", (char *)"-S", (char *)"128M",
		(char *)"it's a \"file\"_of^text{}.txt", NULL };
	const uint64_t times[DOING_COUNT] = { [DOING_RUN] = 5ull * HZ,
		[DOING_PAGE_WAIT] = 4ull * HZ, [DOING_SWAPIN] = HZ };
	struct machine_result res = { .cycles = 10ull * HZ,
		.sim_ns = 10000000000u, .instructions = 1234567890,
		.interrupted = strcmp(how, "interrupted") == 0 };
	struct model m = { .vm = { .kernel = &model_kernel },
	    .v = { [PAGE_COUNT] = PAGES, [WIRE] = 300,
	    [FREE] = PAGES - 300, [TARGET] = 200, [MIN] = 80,
	    [RESERVED] = 30 } };
	struct tunables *ts = tunables_create();
	struct machine_config mc;
	int error;

	machine_config_init(&mc);
	mc.mem_bytes = PAGES * 4096;
	for (int i = 0; argv[i] != NULL; i++)
		config_strings_add(&mc.argv, argv[i]);
	if (strcmp(how, "no-samples") == 0)
		mc.log_mask &= ~(uint32_t)RUNDB_LOG_SAMPLES;
	if (strcmp(how, "no-states") == 0)
		mc.log_mask &= ~(uint32_t)RUNDB_LOG_STATES;
	if (strcmp(how, "no-faults") == 0)
		mc.log_mask &= ~(uint32_t)RUNDB_LOG_FAULTS;
	config_finish(&mc, NULL);
	sim_rng_init(&m.rng, 1, "make_db");
	error = rundb_create(path, &mc, err, &m.db);
	if (error == 0)
		error = rundb_put_config(m.db, &mc, ts, err);
	if (error == 0) {
		rundb_put_process(m.db, 100, 1, "sort", argv, 1000);
		rundb_put_process(m.db, 101, 0, "editor", argv, 1000);
		rundb_put_process_label(m.db, 101, "it's_an ^editor{}", 1000);
		rundb_put_object(m.db, 1, "vnode", "/usr/bin/sort");
		for (int i = 0; strcmp(how, "empty") != 0 && i <= STEPS; i++)
			step(&m, i);
		rundb_put_process_end(m.db, 100, m.now, 0, 1234567890,
		    1200000000, m.v[ZFOD], m.v[SWAPIN], 4711, 3500);
		rundb_put_process_times(m.db, 100, m.now, times, 0);
		rundb_put_process_times(m.db, 101, m.now, times, 1);
		error = rundb_finish(m.db, &res, !res.interrupted, err);
	}
	machine_config_free(&mc);
	tunables_destroy(ts);
	return (error);
}

int
main(int argc, char **argv)
{
	struct sim_err err;

	if (argc < 2) {
		fprintf(stderr, "usage: make_db FILE [KIND]\n");
		return (64);
	}
	if (make(argv[1], argc > 2 ? argv[2] : "complete", &err) != 0) {
		fprintf(stderr, "make_db: %s\n", err.text);
		return (1);
	}
	return (0);
}
