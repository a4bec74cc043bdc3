/*
 * Queues in front of a disk: every scheduler against a plain restatement of
 * its rule (reference sheet, section 6), barriers, merging, reads before
 * writes, the drive's own queue, and injected faults.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "unit/disk_rig.h"
#include "unit/suite.h"

#define N 400

struct work {
	struct disk_rig r;
	struct disk_io io[N];
	unsigned order[N]; /* as they came back */
};

/* A crowd that arrives while the first request is in service. */
static void
crowd(struct work *w, const char *scheduler, uint64_t seed, unsigned n,
    bool ordered)
{
	struct sim_rng rng;
	struct disk_io *d;
	struct sim_err err;
	uint64_t next;
	unsigned k = 0;

	rig_from(&w->r, "hp97560", NULL, 0, false);
	if (disk_engine_set_scheduler(w->r.e, scheduler, &err) != 0)
		ck_abort_msg("%s", err.text);
	sim_rng_init(&rng, seed, "crowd");
	for (unsigned i = 0; i < n; i++) {
		memset(&w->io[i], 0, sizeof(w->io[i]));
		w->io[i].op = sim_rng_below(&rng, 3) == 0 ? DISK_WRITE :
							    DISK_READ;
		w->io[i].lbn = sim_rng_below(&rng, 160000) * 16;
		w->io[i].blocks = 16;
		w->io[i].arrival = i * PS_PER_US;
		w->io[i].ordered = ordered && i % 50 == 25;
		disk_engine_submit(w->r.e, &w->io[i]);
	}
	while ((next = disk_engine_next(w->r.e)) != DISK_NEVER) {
		disk_engine_advance(w->r.e, next);
		while ((d = disk_engine_pop(w->r.e)) != NULL)
			w->order[k++] = (unsigned) (d - w->io);
	}
	ck_assert_uint_eq(k, n);
	rig_free(&w->r);
}

static uint64_t
gap(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* What the rule would take; `left` marks those that are still waiting. */
static unsigned
by_rule(const struct work *w, const char *name, const bool *left, unsigned n,
    uint64_t pos, bool *down)
{
	unsigned best = n;

	for (int turn = 0; turn < 2 && best == n; turn++) {
		for (unsigned i = 0; i < n; i++) {
			uint64_t l = w->io[i].lbn, b = best < n ?
			    w->io[best].lbn : 0;

			if (!left[i])
				continue;
			if (strcmp(name, "fcfs") == 0) {
				if (best == n)
					best = i;
			} else if (strcmp(name, "sstf") == 0) {
				/* pos is the block behind the last one */
				if (best == n || gap(l, pos) < gap(b, pos))
					best = i;
			} else if (strcmp(name, "clook") == 0) {
				if ((turn == 1 || l >= pos) &&
				    (best == n || l < b))
					best = i;
			} else if (*down ? l <= pos && (best == n || l > b) :
			    l >= pos && (best == n || l < b))
				best = i;
		}
		if (best == n && strcmp(name, "scan") == 0)
			*down = !*down;
	}
	return best;
}

START_TEST(schedulers_against_their_rules)
{
	static const char *const names[] = { "fcfs", "sstf", "scan", "clook" };
	static struct work w;

	for (size_t s = 0; s < 4; s++) {
		bool left[N], down = false;
		uint64_t pos = 0;

		crowd(&w, names[s], 100 + s, N, false);
		for (unsigned i = 0; i < N; i++)
			left[i] = true;
		for (unsigned k = 0; k < N; k++) {
			/* the first one found the disk idle */
			unsigned want = k == 0 ? 0 : by_rule(&w, names[s],
			    left, N, pos, &down);
			uint64_t l;

			must(w.order[k] == want);
			left[want] = false;
			l = w.io[want].lbn;
			if (strcmp(names[s], "sstf") == 0)
				pos = l + 16;
			else {
				if (l != pos)
					down = l < pos;
				pos = l;
			}
		}
	}
}
END_TEST

static double
mean_response(const struct work *w, unsigned n)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += (double) (w->io[i].finish - w->io[i].arrival) / 1e9;
	return sum / n;
}

/* Sheet, section 6: SPTF best, then SSTF about SCAN, then C-LOOK, then FCFS. */
START_TEST(ranking_on_a_random_load)
{
	static struct work w;
	double fcfs, sstf, scan, clook, sptf;

	crowd(&w, "fcfs", 9, N, false);
	fcfs = mean_response(&w, N);
	crowd(&w, "sstf", 9, N, false);
	sstf = mean_response(&w, N);
	crowd(&w, "scan", 9, N, false);
	scan = mean_response(&w, N);
	crowd(&w, "clook", 9, N, false);
	clook = mean_response(&w, N);
	crowd(&w, "sptf", 9, N, false);
	sptf = mean_response(&w, N);
	ck_assert_double_lt(sptf, sstf);
	ck_assert_double_lt(fabs(sstf / scan - 1), 0.1);
	ck_assert_double_lt(scan, clook * 1.05);
	ck_assert_double_lt(clook, fcfs);
}
END_TEST

/*
 * SSTF by cylinder counts from the block after the last request (sheet,
 * section 6), not from where that request began.
 */
START_TEST(nearest_cylinder_is_that_of_the_arm)
{
	static const char *const names[] = { "sstf-cyl", "vscan:0" };
	const uint64_t cyl = UINT64_C(19) * 72;
	struct disk_io first, below, above, last;
	struct disk_rig r;
	struct sim_err err;

	for (size_t s = 0; s < 2; s++) {
		rig_from(&r, "hp97560", NULL, 0, false);
		ck_assert_int_eq(disk_engine_set_scheduler(r.e, names[s],
		    &err), 0);
		/* cylinders 10 to 13; then 9 or 15, the nearer is 15 */
		rig_submit(&r, &first, DISK_READ, 10 * cyl,
		    (uint32_t) (3 * cyl + 16), 0);
		rig_submit(&r, &below, DISK_READ, 9 * cyl, 16, PS_PER_US);
		rig_submit(&r, &above, DISK_READ, 15 * cyl, 16, PS_PER_US);
		ck_assert_uint_eq(rig_drain(&r), 3);
		ck_assert_uint_lt(above.start, below.start);
		/* a request that ends with the disk's last block */
		rig_submit(&r, &last, DISK_READ, 1962 * cyl - 16, 16, 0);
		rig_submit(&r, &below, DISK_READ, 0, 16, 0);
		rig_submit(&r, &above, DISK_READ, 1961 * cyl, 16, 0);
		ck_assert_uint_eq(rig_drain(&r), 3);
		ck_assert_uint_lt(above.start, below.start);
		rig_free(&r);
	}
}
END_TEST

START_TEST(vscan_lies_between_sstf_and_scan)
{
	static struct work a, b;

	crowd(&a, "vscan:0", 4, N, false);
	crowd(&b, "sstf-cyl", 4, N, false);
	ck_assert_mem_eq(a.order, b.order, sizeof(a.order));
	crowd(&a, "vscan:1", 4, N, false);
	/* never turns while something lies ahead: like SCAN by cylinders */
	for (unsigned k = 2, turns = 0; k < N; k++) {
		uint64_t x = a.io[a.order[k - 2]].lbn / (19 * 72);
		uint64_t y = a.io[a.order[k - 1]].lbn / (19 * 72);
		uint64_t z = a.io[a.order[k]].lbn / (19 * 72);

		turns += x != y && y != z && (x < y) != (y < z);
		ck_assert_uint_le(turns, 2);
	}
}
END_TEST

START_TEST(ageing_bounds_the_wait)
{
	static struct work w;
	double plain = 0, aged = 0, t;

	crowd(&w, "sptf", 6, N, false);
	for (unsigned i = 0; i < N; i++) {
		t = (double) (w.io[i].finish - w.io[i].arrival) / 1e9;
		plain = t > plain ? t : plain;
	}
	crowd(&w, "aged-sptf:100000", 6, N, false);
	for (unsigned k = 1; k < N; k++)
		ck_assert_uint_eq(w.order[k], k); /* FCFS in the limit */
	crowd(&w, "aged-sptf:0", 6, N, false);
	for (unsigned i = 0; i < N; i++) {
		t = (double) (w.io[i].finish - w.io[i].arrival) / 1e9;
		aged = t > aged ? t : aged;
	}
	ck_assert_double_eq_tol(plain, aged, 1e-9);
}
END_TEST

START_TEST(nothing_passes_a_barrier)
{
	static const char *const names[] = { "sstf", "scan", "clook", "sptf",
		"deadline", "clook,reads-first,merge" };
	static struct work w;

	for (size_t s = 0; s < 6; s++) {
		unsigned at[N];

		crowd(&w, names[s], 50 + s, N, true);
		for (unsigned k = 0; k < N; k++)
			at[w.order[k]] = k;
		for (unsigned b = 25; b < N; b += 50) {
			for (unsigned i = 0; i < b; i++)
				must(at[i] < at[b]);
			for (unsigned i = b + 1; i < N; i++)
				must(at[i] > at[b]);
		}
	}
}
END_TEST

START_TEST(deadline_prefers_reads_in_batches)
{
	static struct work w;
	unsigned reads_first = 0, k = 0;

	crowd(&w, "deadline", 8, N, false);
	for (k = 1; k < 33; k++)
		reads_first += w.io[w.order[k]].op == DISK_READ;
	/* two batches of reads before writes may no longer be passed over */
	ck_assert_uint_eq(reads_first, 32);
	for (; k < 49; k++)
		ck_assert_int_eq(w.io[w.order[k]].op, DISK_WRITE);
	/* within a batch, blocks ascend */
	for (k = 2; k < 17; k++)
		ck_assert_uint_ge(w.io[w.order[k]].lbn,
		    w.io[w.order[k - 1]].lbn);
}
END_TEST

START_TEST(reads_first_but_not_for_ever)
{
	static struct work w;
	unsigned run = 0;

	crowd(&w, "clook,reads-first:3", 12, N, false);
	for (unsigned k = 1, reads = 0, writes = 0; k < N; k++) {
		bool wr = w.io[w.order[k]].op == DISK_WRITE;

		reads += !wr;
		writes += wr;
		run = wr ? 0 : run + 1;
		/* as long as writes wait, every fourth is one */
		if (writes < 60)
			ck_assert_uint_le(run, 3);
		if (k == 3)
			ck_assert_uint_eq(reads, 3);
	}
}
END_TEST

START_TEST(neighbours_merge)
{
	struct disk_engine_stats st;
	struct disk_io io[6];
	struct disk_rig r;
	struct sim_err err;

	rig_from(&r, "hp97560", NULL, 0, false);
	ck_assert_int_eq(disk_engine_set_scheduler(r.e, "fcfs,merge:40",
	    &err), 0);
	rig_submit(&r, &io[0], DISK_READ, 900000, 8, 0);
	rig_submit(&r, &io[1], DISK_READ, 1000, 16, 10);
	rig_submit(&r, &io[2], DISK_READ, 1016, 16, 20); /* behind */
	rig_submit(&r, &io[3], DISK_READ, 992, 8, 30); /* before */
	rig_submit(&r, &io[4], DISK_READ, 1032, 8, 40); /* too long by then */
	rig_submit(&r, &io[5], DISK_WRITE, 1040, 8, 50); /* other direction */
	ck_assert_uint_eq(rig_drain(&r), 6);
	ck_assert_uint_eq(io[1].finish, io[2].finish);
	ck_assert_uint_eq(io[1].finish, io[3].finish);
	ck_assert_uint_gt(io[4].finish, io[1].finish);
	ck_assert_uint_gt(io[5].finish, io[4].finish);
	disk_engine_get_stats(r.e, &st);
	ck_assert_uint_eq(st.merged, 2);
	ck_assert_uint_eq(st.reads, 5);
	ck_assert_uint_eq(st.sectors_read, 56);
	rig_free(&r);
}
END_TEST

/* Tagged queueing: the drive takes what is nearest of what it holds. */
START_TEST(drive_queues_by_itself)
{
	static const char *const deep[] = { "queue_depth=32" };
	double mean[2] = { 0, 0 };
	static struct disk_io io[N];
	struct sim_rng rng;

	for (int d = 0; d < 2; d++) {
		struct disk_rig r;

		rig_from(&r, "hp97560", deep, (size_t) d, false);
		sim_rng_init(&rng, 77, "queue");
		for (int i = 0; i < N; i++)
			rig_submit(&r, &io[i], DISK_READ,
			    sim_rng_below(&rng, 160000) * 16, 16, 0);
		ck_assert_uint_eq(rig_drain(&r), N);
		for (int i = 0; i < N; i++)
			mean[d] += (double) io[i].finish / 1e9 / N;
		rig_free(&r);
	}
	ck_assert_double_lt(mean[1], 0.75 * mean[0]);
}
END_TEST

/*
 * A scheduler of the host keeps its order in front of a drive with a queue of
 * its own: selection happens when the device becomes free (sheet, section 6).
 */
START_TEST(host_scheduler_before_drive_queue)
{
	static const char *const deep[] = { "queue_depth=32" };
	static const char *const names[] = { "fcfs", "scan", "clook", "sstf" };
	struct disk_rig r[2];
	static struct disk_io io[2][N];
	struct sim_err err;

	for (size_t s = 0; s < 4; s++) {
		for (size_t d = 0; d < 2; d++) {
			struct sim_rng rng;

			rig_from(&r[d], "hp97560", deep, d, false);
			ck_assert_int_eq(disk_engine_set_scheduler(r[d].e,
			    names[s], &err), 0);
			sim_rng_init(&rng, 78 + s, "queue");
			for (int i = 0; i < N; i++)
				rig_submit(&r[d], &io[d][i], DISK_READ,
				    sim_rng_below(&rng, 160000) * 16, 16, 0);
			ck_assert_uint_eq(rig_drain(&r[d]), N);
			rig_free(&r[d]);
		}
		for (int i = 0; i < N; i++)
			must(io[0][i].finish == io[1][i].finish);
	}
}
END_TEST

/* ------------------------------------------------------------ faults */

static void
add_fault(struct disk_rig *r, const char *text)
{
	struct disk_fault f;
	struct sim_err err;

	if (disk_fault_parse(text, &f, &err) != 0)
		ck_abort_msg("%s", err.text);
	ck_assert_int_eq(disk_engine_add_fault(r->e, &f), 0);
}

START_TEST(media_errors)
{
	struct disk_io io;
	struct disk_rig r;

	rig_from(&r, "hp97560", NULL, 0, true);
	add_fault(&r, "media,lbn=104-105,op=read,after=1,times=2");
	for (int i = 0; i < 5; i++) {
		rig_submit(&r, &io, DISK_READ, 100, 16, disk_engine_now(r.e));
		rig_drain(&r);
		/* the first passes, two fail, the rest pass again */
		ck_assert_int_eq(io.error, i == 1 || i == 2 ? EIO : 0);
		ck_assert_uint_eq(io.good_blocks, io.error != 0 ? 4 : 16);
		ck_assert_uint_gt(io.finish, io.arrival);
	}
	rig_submit(&r, &io, DISK_READ, 106, 16, disk_engine_now(r.e));
	rig_drain(&r);
	ck_assert_int_eq(io.error, 0); /* beside it */
	rig_free(&r);
}
END_TEST

START_TEST(time_outs_and_torn_writes)
{
	struct disk_io a, b;
	struct disk_rig r;

	rig_from(&r, "hp97560", NULL, 0, true);
	add_fault(&r, "timeout,delay=250ms,times=1");
	add_fault(&r, "torn,sectors=5,times=1");
	rig_submit(&r, &a, DISK_READ, 0, 8, 1000);
	rig_submit(&r, &b, DISK_READ, 8, 8, 2000);
	rig_drain(&r);
	ck_assert_int_eq(a.error, ETIMEDOUT);
	ck_assert_uint_eq(a.finish, 1000 + 250 * PS_PER_MS);
	ck_assert_int_eq(b.error, 0); /* served meanwhile */
	ck_assert_uint_lt(b.finish, a.finish);
	rig_submit(&r, &a, DISK_WRITE, 0, 8, disk_engine_now(r.e));
	rig_drain(&r);
	ck_assert_int_eq(a.error, EIO);
	ck_assert_uint_eq(a.good_blocks, 5);
	rig_free(&r);
}
END_TEST

START_TEST(the_disk_goes_away)
{
	struct disk_io io[20];
	struct disk_rig r;

	rig_from(&r, "hp97560", NULL, 0, true);
	add_fault(&r, "gone,at=50ms");
	for (int i = 0; i < 20; i++)
		rig_submit(&r, &io[i], DISK_WRITE, (uint64_t) i * 1000, 8,
		    (uint64_t) i * 5 * PS_PER_MS);
	ck_assert_uint_eq(rig_drain(&r), 20); /* nothing is lost silently */
	for (int i = 10; i < 20; i++)
		ck_assert_int_eq(io[i].error, ENXIO);
	ck_assert_int_eq(io[0].error, 0);
	rig_free(&r);
}
END_TEST

START_TEST(bad_faults_and_schedulers_are_refused)
{
	static const char *const faults[] = { "", "fire", "media,lbn=9-3",
		"media,lbn=x", "gone,at=5", "torn,sectors=", "media,op=erase",
		"timeout,delay=99999999999999999999s" };
	static const char *const names[] = { "", "elevator", "fcfs:2",
		"vscan:x", "vscan:", "clook,", "clook,never", "sptf,merge:0",
		"aged-sptf:0.12345678" };
	struct disk_fault f;
	struct sim_err err;
	struct disk_rig r;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		ck_assert_int_eq(disk_fault_parse(faults[i], &f, &err),
		    -EINVAL);
	rig_from(&r, "ram", NULL, 0, true);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], "clook,") != 0)
			ck_assert_int_eq(disk_engine_set_scheduler(r.e,
			    names[i], &err), -EINVAL);
	ck_assert_str_eq(disk_engine_scheduler(r.e), "fcfs");
	rig_free(&r);
}
END_TEST

START_TEST(blocks_past_the_end_are_refused)
{
	struct disk_io io;
	struct disk_rig r;

	rig_from(&r, "hp97560", NULL, 0, true);
	rig_submit(&r, &io, DISK_READ, disk_engine_sectors(r.e) - 4, 8, 0);
	rig_drain(&r);
	ck_assert_int_eq(io.error, EINVAL);
	rig_submit(&r, &io, DISK_READ, UINT64_MAX, 8, 0);
	rig_drain(&r);
	ck_assert_int_eq(io.error, EINVAL);
	rig_submit(&r, &io, DISK_READ, 0, 0, 0);
	rig_drain(&r);
	ck_assert_int_eq(io.error, EINVAL);
	rig_free(&r);
}
END_TEST

/* Two engines in turn give what each gives by itself. */
START_TEST(engines_do_not_know_each_other)
{
	struct disk_rig a, b, c;
	struct disk_io x[200], y[200], z[200];
	struct sim_rng r1, r2;

	rig_from(&a, "cheetah9lp", NULL, 0, true);
	rig_from(&b, "nvme_970pro_class", NULL, 0, true);
	rig_from(&c, "cheetah9lp", NULL, 0, true);
	sim_rng_init(&r1, 1, "x");
	sim_rng_init(&r2, 1, "x");
	for (int i = 0; i < 200; i++) {
		uint64_t l = sim_rng_below(&r1, 1000000), t =
		    (uint64_t) i * 4 * PS_PER_MS;

		rig_submit(&a, &x[i], i % 3 ? DISK_READ : DISK_WRITE, l, 8, t);
		rig_submit(&b, &y[i], DISK_WRITE, l, 8, t);
	}
	for (int i = 0; i < 200; i++)
		rig_submit(&c, &z[i], i % 3 ? DISK_READ : DISK_WRITE,
		    sim_rng_below(&r2, 1000000), 8, (uint64_t) i * 4 *
		    PS_PER_MS);
	rig_drain(&a);
	rig_drain(&b);
	rig_drain(&c);
	for (int i = 0; i < 200; i++)
		ck_assert_uint_eq(x[i].finish, z[i].finish);
	rig_free(&a);
	rig_free(&b);
	rig_free(&c);
}
END_TEST

#define NRUN 600

/*
 * Keeps 16 requests outstanding, each following a completion, and notes their
 * ends; by moments or from completion to completion.
 */
static void
closed_loop(const char *model, bool by_moments, uint64_t *end)
{
	static const enum disk_op ops[] = { DISK_READ, DISK_WRITE, DISK_WRITE,
		DISK_TRIM, DISK_READ, DISK_FLUSH };
	struct disk_io io[NRUN], *d;
	unsigned issued = 0, done = 0;
	struct disk_rig r;
	struct sim_rng rng;

	rig_from(&r, model, NULL, 0, true);
	sim_rng_init(&rng, 1, "loop");
	for (unsigned room = 16; done < NRUN;) {
		for (; room > 0 && issued < NRUN; room--, issued++)
			rig_submit(&r, &io[issued],
			    ops[sim_rng_below(&rng, issued % 50 ? 4 : 6)],
			    sim_rng_below(&rng, 100000) * 8, 8,
			    disk_engine_now(r.e));
		if (by_moments)
			disk_engine_advance(r.e, disk_engine_next(r.e));
		else
			disk_engine_run(r.e, DISK_NEVER);
		for (; (d = disk_engine_pop(r.e)) != NULL; done++, room++)
			end[d - io] = d->finish;
	}
	rig_free(&r);
}

START_TEST(to_a_completion_is_moment_by_moment)
{
	const char *const models[] = { "hp97560", "sata7200_500gb",
		"nvme_mlc_mqsim", "sata_ssd_256gb", "fixed10ms" };
	uint64_t a[NRUN], b[NRUN];

	for (unsigned i = 0; i < 5; i++) {
		closed_loop(models[i], true, a);
		closed_loop(models[i], false, b);
		ck_assert_mem_eq(a, b, sizeof(a));
	}
}
END_TEST

/* Not beyond the time given, and no further than the first completion. */
START_TEST(going_on_to_a_time)
{
	struct disk_io a, b;
	struct disk_rig r;

	rig_from(&r, "fixed10ms", NULL, 0, true);
	rig_submit(&r, &a, DISK_READ, 0, 8, 0);
	rig_submit(&r, &b, DISK_READ, 8, 8, 0);
	disk_engine_run(r.e, 4 * PS_PER_MS);
	ck_assert_uint_eq(disk_engine_now(r.e), 4 * PS_PER_MS);
	ck_assert_ptr_null(disk_engine_pop(r.e));
	disk_engine_run(r.e, 400 * PS_PER_MS);
	ck_assert_ptr_eq(disk_engine_pop(r.e), &a);
	ck_assert_uint_eq(disk_engine_now(r.e), a.finish);
	ck_assert_ptr_null(disk_engine_pop(r.e));
	disk_engine_run(r.e, 400 * PS_PER_MS);
	ck_assert_ptr_eq(disk_engine_pop(r.e), &b);
	disk_engine_run(r.e, 400 * PS_PER_MS);
	ck_assert_uint_eq(disk_engine_now(r.e), 400 * PS_PER_MS);
	rig_free(&r);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { schedulers_against_their_rules,
		ranking_on_a_random_load, nearest_cylinder_is_that_of_the_arm,
		vscan_lies_between_sstf_and_scan,
		ageing_bounds_the_wait, nothing_passes_a_barrier,
		deadline_prefers_reads_in_batches,
		reads_first_but_not_for_ever, neighbours_merge,
		drive_queues_by_itself, host_scheduler_before_drive_queue,
		media_errors,
		time_outs_and_torn_writes, the_disk_goes_away,
		bad_faults_and_schedulers_are_refused,
		blocks_past_the_end_are_refused,
		engines_do_not_know_each_other,
		to_a_completion_is_moment_by_moment, going_on_to_a_time };

	return SUITE_MAIN("disk_queue", tests);
}
