/*
 * struct disk inside a simulation: completions as events, contents that move
 * at completion, errors, the conversion between cycles and picoseconds; the
 * readers of parameter files and request lists.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk_model/disk.h"
#include "sim/replay.h"
#include "unit/disk_rig.h"
#include "unit/suite.h"

#define PAGE 4096

struct world {
	struct sim *sim;
	struct disk_params *params;
	struct disk *d;
	unsigned done;
	int error[64];
	sim_time_t when[64];
};

static void
world_init(struct world *w, const char *model, uint64_t hz, bool contents)
{
	struct sim_config cfg = { .cpu_hz = hz };
	struct sim_err err;

	memset(w, 0, sizeof(*w));
	w->sim = sim_create(&cfg);
	if (disk_params_load(model, &w->params, &err) != 0)
		ck_abort_msg("%s", err.text);
	w->d = disk_create(w->sim, "da0", w->params, &err);
	ck_assert_ptr_nonnull(w->d);
	if (contents)
		ck_assert_int_eq(disk_enable_contents(w->d), 0);
}

static void
world_free(struct world *w)
{
	disk_destroy(w->d);
	disk_params_free(w->params);
	sim_destroy(w->sim);
}

static void
note(struct disk_request *rq, int error)
{
	struct world *w = rq->arg;

	w->error[w->done] = error;
	w->when[w->done++] = sim_now(w->sim);
}

static void
request(struct world *w, struct disk_request *rq, enum disk_op op,
    uint64_t lbn, uint32_t blocks, const struct disk_seg *seg, uint32_t nseg)
{
	memset(rq, 0, sizeof(*rq));
	rq->op = op;
	rq->lbn = lbn;
	rq->blocks = blocks;
	rq->seg = seg;
	rq->nseg = nseg;
	rq->done = note;
	rq->arg = w;
}

/* Submit and run to the end. */
static int
one(struct world *w, enum disk_op op, uint64_t lbn, uint32_t blocks,
    const struct disk_seg *seg, uint32_t nseg)
{
	struct disk_request rq;

	request(w, &rq, op, lbn, blocks, seg, nseg);
	w->done = 0;
	disk_submit(w->d, &rq);
	ck_assert_uint_eq(w->done, 0); /* never from inside submit */
	sim_run(w->sim);
	ck_assert_uint_eq(w->done, 1);
	ck_assert_uint_eq(rq.finish, w->when[0]);
	ck_assert_uint_eq(rq.overhead + rq.seek + rq.rotation + rq.transfer,
	    rq.finish - rq.start);
	return w->error[0];
}

START_TEST(times_in_cycles)
{
	/* 18.375371 ms from rest (sheet 7.2), at several clock rates */
	static const uint64_t hz[] = { 1000000000, 2400000000, 33333333,
		1000000 };
	struct disk_request rq;
	struct world w;

	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		world_init(&w, "hp97560", hz[i], false);
		request(&w, &rq, DISK_READ, 0, 16, NULL, 0);
		disk_submit(w.d, &rq);
		sim_run(w.sim);
		ck_assert_double_eq_tol((double) rq.finish / (double) hz[i] *
		    1e3, 18.375371, 1e-6 + 1e3 / (double) hz[i]);
		world_free(&w);
	}
}
END_TEST

START_TEST(contents_move_at_completion)
{
	static uint8_t out[2][PAGE], in[2][PAGE];
	const struct disk_seg w2[] = { { out[0], PAGE }, { out[1], PAGE } };
	const struct disk_seg r2[] = { { in[0], PAGE }, { in[1], PAGE } };
	const struct disk_seg part[] = { { in[0], 1024 } };
	struct disk_request rq;
	struct world w;

	world_init(&w, "hp97560", 0, true);
	for (int i = 0; i < PAGE; i++) {
		out[0][i] = (uint8_t) (i * 7 + 1);
		out[1][i] = (uint8_t) (i * 13 + 5);
	}
	memset(in, 0xee, sizeof(in));
	/* never written: zeroes */
	ck_assert_int_eq(one(&w, DISK_READ, 3, 16, r2, 2), 0);
	for (int i = 0; i < PAGE; i++)
		ck_assert_int_eq(in[0][i] | in[1][i], 0);
	/* the bytes are taken when the write is over, not when it begins */
	request(&w, &rq, DISK_WRITE, 3, 16, w2, 2);
	disk_submit(w.d, &rq);
	out[0][0] = 99;
	sim_run(w.sim);
	ck_assert_int_eq(one(&w, DISK_READ, 3, 16, r2, 2), 0);
	ck_assert_mem_eq(in, out, sizeof(in));
	ck_assert_int_eq(in[0][0], 99);
	/* any sector of it */
	ck_assert_int_eq(one(&w, DISK_READ, 10, 2, part, 1), 0);
	ck_assert_mem_eq(in[0], out[0] + 7 * 512, 512);
	ck_assert_mem_eq(in[0] + 512, out[1], 512);
	/* trimmed: zeroes again */
	ck_assert_int_eq(one(&w, DISK_TRIM, 11, 1, NULL, 0), 0);
	ck_assert_int_eq(one(&w, DISK_READ, 10, 2, part, 1), 0);
	ck_assert_mem_eq(in[0], out[0] + 7 * 512, 512);
	for (int i = 512; i < 1024; i++)
		ck_assert_int_eq(in[0][i], 0);
	world_free(&w);
}
END_TEST

START_TEST(torn_and_failed_writes_leave_what_a_disk_would)
{
	static uint8_t old[PAGE], new[PAGE], in[PAGE];
	const struct disk_seg wo = { old, PAGE }, wn = { new, PAGE };
	const struct disk_seg rd = { in, PAGE };
	struct disk_fault f;
	struct sim_err err;
	struct world w;

	world_init(&w, "cheetah9lp", 0, true);
	memset(old, 1, PAGE);
	memset(new, 2, PAGE);
	ck_assert_int_eq(one(&w, DISK_WRITE, 800, 8, &wo, 1), 0);
	ck_assert_int_eq(disk_fault_parse("torn,sectors=3,times=1", &f, &err),
	    0);
	disk_engine_add_fault(disk_get_engine(w.d), &f);
	ck_assert_int_eq(one(&w, DISK_WRITE, 800, 8, &wn, 1), EIO);
	ck_assert_int_eq(one(&w, DISK_READ, 800, 8, &rd, 1), 0);
	ck_assert_mem_eq(in, new, 3 * 512);
	ck_assert_mem_eq(in + 3 * 512, old, 5 * 512);
	/* a time-out moves nothing */
	ck_assert_int_eq(disk_fault_parse("timeout,times=1,op=write", &f,
	    &err), 0);
	disk_engine_add_fault(disk_get_engine(w.d), &f);
	ck_assert_int_eq(one(&w, DISK_WRITE, 900, 8, &wn, 1), ETIMEDOUT);
	ck_assert_int_eq(one(&w, DISK_READ, 900, 8, &rd, 1), 0);
	ck_assert_int_eq(in[0], 0);
	/* gone: every request fails, at once */
	ck_assert_int_eq(disk_fault_parse("gone", &f, &err), 0);
	disk_engine_add_fault(disk_get_engine(w.d), &f);
	ck_assert_int_eq(one(&w, DISK_READ, 800, 8, &rd, 1), ENXIO);
	ck_assert_int_eq(one(&w, DISK_WRITE, 800, 8, &wn, 1), ENXIO);
	world_free(&w);
}
END_TEST

/* A chain: each completion submits the next from inside done. */
struct chain {
	struct world *w;
	struct disk_request rq[32];
	unsigned n;
};

static void
next_one(struct disk_request *rq, int error)
{
	struct chain *c = rq->arg;

	ck_assert_int_eq(error, 0);
	if (c->n == 32)
		return;
	request(c->w, &c->rq[c->n], DISK_READ, c->n * 5000, 8, NULL, 0);
	c->rq[c->n].done = next_one;
	c->rq[c->n].arg = c;
	disk_submit(c->w->d, &c->rq[c->n++]);
}

START_TEST(chains_from_completions)
{
	struct disk_stats st;
	struct chain c;
	struct world w;

	world_init(&w, "hp97560", 0, false);
	memset(&c, 0, sizeof(c));
	c.w = &w;
	c.rq[31].arg = &c;
	next_one(&c.rq[31], 0);
	sim_run(w.sim);
	ck_assert_uint_eq(c.n, 32);
	for (unsigned i = 1; i < 32; i++)
		ck_assert_uint_eq(c.rq[i].arrival, c.rq[i - 1].finish);
	disk_get_stats(w.d, &st);
	ck_assert_uint_eq(st.reads, 32);
	ck_assert_uint_eq(st.sectors_read, 256);
	ck_assert_uint_eq(st.queue_max, 1);
	world_free(&w);
}
END_TEST

/* The event-driven disk and the bare engine are the same machine. */
START_TEST(same_times_as_the_engine)
{
	static const char *const models[] = { "hp97560", "cheetah9lp",
		"sata7200_500gb", "nvme_970pro_class" };
	static struct disk_request rq[64];
	static struct disk_io io[64];

	for (size_t m = 0; m < 4; m++) {
		struct disk_rig r;
		struct world w;
		struct sim_rng rng;

		world_init(&w, models[m], 0, false);
		rig_from(&r, models[m], NULL, 0, true);
		sim_rng_init(&rng, 3, "both");
		for (int i = 0; i < 64; i++) {
			uint64_t l = sim_rng_below(&rng, 2000000);
			enum disk_op op = sim_rng_below(&rng, 3) == 0 ?
			    DISK_WRITE : DISK_READ;

			request(&w, &rq[i], op, l, 16, NULL, 0);
			disk_submit(w.d, &rq[i]);
			rig_submit(&r, &io[i], op, l, 16, 0);
		}
		sim_run(w.sim);
		rig_drain(&r);
		for (int i = 0; i < 64; i++)
			ck_assert_uint_eq(rq[i].finish, (io[i].finish + 999) /
			    1000);
		rig_free(&r);
		world_free(&w);
	}
}
END_TEST

/* ------------------------------------------------------------ files */

static void
refused(const char *json, const char *where, const char *reason)
{
	struct disk_params *p;
	struct sim_err err = { "" };

	ck_assert_int_eq(disk_params_parse("x.json", "x", json, strlen(json),
	    &p, &err), -EINVAL);
	if (strncmp(err.text, where, strlen(where)) != 0 ||
	    strstr(err.text, reason) == NULL)
		ck_abort_msg("'%s' does not say '%s' and '%s'", err.text,
		    where, reason);
}

START_TEST(bad_parameter_files)
{
	refused("", "x.json:1:", "not valid JSON");
	refused("[1]", "x.json:1:", "one object");
	refused("{\n \"family\": \"tape\"\n}", "x.json:2:", "family");
	refused("{\n \"family\": \"fixed\",\n \"capacity_sectors\": 0\n}",
	    "x.json:3:", "must lie in");
	refused("{\"family\": \"fixed\"}", "x.json:1:", "is missing");
	refused("{\"family\": \"fixed\", \"capacity_sectors\": 8,\n"
		"\"faults\": [\"media\",\n\"fire\"]}", "x.json:3:", "fault");
	refused("{\"rpm\": 7200, \"cylinders\": 10, \"heads\": 2,\n"
		"\"zones\": [{\"first_cyl\": 0, \"last_cyl\": 4,"
		" \"sectors_per_track\": 8},\n"
		"{\"first_cyl\": 4, \"last_cyl\": 9,"
		" \"sectors_per_track\": 8}]}", "x.json:3:", "not overlap");
	refused("{\"rpm\": 7200, \"cylinders\": 10, \"heads\": 2,"
		" \"zones\": [{\"first_cyl\": 0, \"last_cyl\": 4,"
		" \"sectors_per_track\": 8}],\n\n\"seek\": {\"kind\":"
		" \"quick\"}}", "x.json:3:", "kind");
	refused("{\"channels\": 1, \"luns_per_channel\": 1,"
		" \"blocks_per_plane\": 16,\n\"page_bytes\": 4000,"
		" \"read_us\": 1, \"program_us\": 1}", "x.json:1:",
	    "whole sectors");
	refused("{\"channels\": 1, \"luns_per_channel\": 1,"
		" \"blocks_per_plane\": 16,\"page_bytes\": 4096,"
		" \"read_us\": 1, \"program_us\": 1,"
		" \"overprovisioning\": 0.01}", "x.json:1:", "collection");
}
END_TEST

START_TEST(unknown_models_and_changes)
{
	static const char *const good[] = { "cache.segments=2",
		"name=anything", "bus.ms_per_sector=0.1" };
	static const char *const bad[] = { "rpm", "=5", "rpm.x=1",
		"rpm=\"fast\"", "rpn=1", "foo=1", "cache.rpm=9" };
	struct disk_params *p;
	struct sim_err err;

	ck_assert_int_eq(disk_params_load("hp97561", &p, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "hp97560"));
	ck_assert_int_eq(disk_params_load_set("hp97560", good, 3, &p, &err),
	    0);
	ck_assert_uint_eq(p->hdd.cache.segments, 2);
	ck_assert_uint_eq(p->hdd.bus_read_ps, 100000000);
	disk_params_free(p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(disk_params_load_set("hp97560", &bad[i], 1,
		    &p, &err), -EINVAL);
	for (size_t i = 0; disk_params_builtin(i) != NULL; i++) {
		ck_assert_int_eq(disk_params_load(disk_params_builtin(i), &p,
		    &err), 0);
		disk_params_free(p);
	}
}
END_TEST

START_TEST(times_of_lists_are_exact)
{
	static const char text[] = "op,lbn,blocks,arrival_ms,answer_ms,x\n"
	    "R,5,8,0.1,1.5,a\r\n\n# a remark\nW , 6,1, 12345.678901234 ,2,b\n";
	struct request_list l;
	struct sim_err err;

	ck_assert_int_eq(requests_parse("t", text, sizeof(text) - 1, 0, &l,
	    &err), 0);
	ck_assert_uint_eq(l.count, 2);
	ck_assert_uint_eq(l.io[0].arrival, 100000000);
	ck_assert_uint_eq(l.io[1].arrival, UINT64_C(12345678901234));
	ck_assert_int_eq(l.io[1].op, DISK_WRITE);
	ck_assert_double_eq(requests_column(&l, "answer_ms")[1], 2);
	ck_assert_ptr_null(requests_column(&l, "x"));
	requests_free(&l);
}
END_TEST

START_TEST(scores)
{
	static const double m[] = { 1, 2, 3, 4 }, s[] = { 2, 1, 4, 4 };
	static const double twice[] = { 1, 1, 2, 2, 3, 3, 4, 4 };
	struct score c;

	/* sheet 1.1: D = 0.5, 20 % */
	ck_assert_int_eq(score_lists(m, 4, s, 4, &c), 0);
	ck_assert_double_eq_tol(c.demerit, 0.5, 1e-12);
	ck_assert_double_eq_tol(c.demerit_rel, 0.2, 1e-12);
	ck_assert(c.paired);
	ck_assert_double_eq_tol(c.median_error, 1, 1e-12);
	ck_assert_double_eq_tol(c.beyond, 0.75, 1e-12);
	/* lists of other lengths meet on the grid */
	ck_assert_int_eq(score_lists(m, 4, twice, 8, &c), 0);
	ck_assert(!c.paired);
	ck_assert_double_lt(c.demerit, 0.2);
	ck_assert_int_eq(score_lists(m, 0, s, 4, &c), -EINVAL);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { times_in_cycles,
		contents_move_at_completion,
		torn_and_failed_writes_leave_what_a_disk_would,
		chains_from_completions, same_times_as_the_engine,
		bad_parameter_files, unknown_models_and_changes,
		times_of_lists_are_exact, scores };

	return SUITE_MAIN("disk_sim", tests);
}
