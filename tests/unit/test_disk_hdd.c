/*
 * Rotating disks against the reference sheet: pure arithmetic (section 7.1),
 * single requests from rest (7.2), means of random and sequential work (7.3),
 * the drive's buffer (5.1, 5.2), layouts (3.1), slipped sectors.
 */
#include <math.h>
#include <stdlib.h>

#include "disk_model/hdd_geom.h"
#include "unit/disk_rig.h"
#include "unit/suite.h"

static void
near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		ck_abort_msg("got %.9g, want %.9g +- %g", got, want,
		    tolerance);
}

/* Sheet 7.1 gives six or seven digits. */
static void
relative(double got, double want, double digits)
{
	near(got, want, fabs(want) * digits);
}

static struct disk_params *
load(const char *model)
{
	struct disk_params *p;
	struct sim_err err;

	if (disk_params_load(model, &p, &err) != 0)
		ck_abort_msg("%s", err.text);
	return p;
}

static double
seek(const struct disk_params *p, uint32_t d)
{
	return (double) p->hdd.seek_ps[d] / 1e9;
}

/* Over random pairs of different cylinders: weights 2 * (C - d). */
static double
mean_seek(const struct disk_params *p)
{
	double sum = 0, weight = 0, w;

	for (uint32_t d = 1; d < p->hdd.cylinders; d++) {
		w = 2.0 * (p->hdd.cylinders - d);
		sum += w * seek(p, d);
		weight += w;
	}
	return sum / weight;
}

START_TEST(arithmetic_of_the_sheet)
{
	static const struct {
		const char *model;
		double turn, sector, seek1, seek100, full, mean, media,
		    sustained, last;
		uint32_t stroke;
		uint64_t mapped, exported;
	} rows[] = {
		{ "hp97560", 14.992504, 0.208229, 3.640, 7.240, 23.688,
		    12.838383, 2.45883, 2.19848, 2.45883, 1961, 2684016,
		    2684016 },
		{ "cheetah9lp", 5.973121, 0.0235162, 0.831, 2.145, 10.627,
		    5.467782, 21.7719, 15.622, 14.315, 6894, 17918387,
		    17783240 },
		{ "sata7200_500gb", 8.333333, 0.00670961, 1.100, 1.536511,
		    14.699880, 8.499896, 76.31, 64.80, 36.50, 106409,
		    976843800, 976773168 },
	};

	for (size_t i = 0; i < 3; i++) {
		struct disk_params *p = load(rows[i].model);
		const struct hdd_zone *z = &p->hdd.zone[0];
		double t = 60000.0 / p->hdd.rpm, h = p->hdd.heads;
		struct geom g;

		ck_assert_int_eq(geom_create(&p->hdd, &g), 0);
		relative((double) g.turn / (double) g.rate / 1e9,
		    rows[i].turn, 1e-6);
		relative((double) geom_pass(&g, &g.zone[0], 1) / 1e9,
		    rows[i].sector, 3e-6);
		relative(seek(p, 1), rows[i].seek1, 1e-6);
		relative(seek(p, 100), rows[i].seek100, 1e-6);
		relative(seek(p, rows[i].stroke), rows[i].full, 1e-6);
		relative(mean_seek(p), rows[i].mean, 1e-6);
		relative(512 * z->spt / t / 1e3, rows[i].media, 1e-4);
		relative(512 * z->spt * h / (t * h + ((h - 1) *
		    z->track_skew + z->cyl_skew) * t / z->spt) / 1e3,
		    rows[i].sustained, 5e-4); /* skews are whole sectors */
		relative(512 * p->hdd.zone[p->hdd.nzones - 1].spt / t / 1e3,
		    rows[i].last, 5e-4);
		ck_assert_uint_eq(g.zone[g.nzones - 1].end_lbn,
		    rows[i].mapped);
		ck_assert_uint_eq(g.sectors, rows[i].exported);
		geom_destroy(&g);
		disk_params_free(p);
	}
}
END_TEST

START_TEST(both_branches_at_the_knee)
{
	struct disk_params *p = load("hp97560");

	relative(seek(p, 383), 11.068160, 1e-6);
	relative(seek(p, 384), 11.072000, 1e-6);
	ck_assert_uint_eq(p->hdd.seek_ps[0], 0);
	disk_params_free(p);
	p = load("cheetah9lp");
	near(seek(p, 6961), 10.689, 0.001); /* the last segment goes on */
	disk_params_free(p);
}
END_TEST

START_TEST(single_requests_from_rest)
{
	static const struct {
		const char *model;
		enum disk_op op;
		uint64_t lbn;
		uint32_t blocks;
		double ms;
	} rows[] = {
		{ "hp97560", DISK_READ, 0, 16, 18.375371 },
		{ "hp97560", DISK_READ, 72, 1, 16.917767 },
		{ "hp97560", DISK_READ, 1368, 16, 22.123497 },
		{ "hp97560", DISK_READ, 1000000, 16, 27.953915 },
		{ "hp97560", DISK_WRITE, 1000000, 16, 27.902715 },
		{ "cheetah9lp", DISK_READ, 0, 16, 7.676637 },
		{ "cheetah9lp", DISK_READ, 254, 1, 2.409590 },
		{ "cheetah9lp", DISK_READ, 3048, 16, 6.030501 },
		{ "cheetah9lp", DISK_READ, 1000000, 16, 7.653121 },
		{ "cheetah9lp", DISK_WRITE, 1000000, 16, 6.325864 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		near(from_rest(rows[i].model, rows[i].op, rows[i].lbn,
		    rows[i].blocks), rows[i].ms, 1e-5);
}
END_TEST

/* Places of the same table: cylinder, head, sector and angle. */
START_TEST(places_of_the_sheet)
{
	static const struct {
		const char *model;
		uint64_t lbn;
		uint32_t cyl, head, sector;
		double angle;
	} rows[] = {
		{ "hp97560", 72, 0, 1, 0, 0.111111 },
		{ "hp97560", 1368, 1, 0, 0, 0.250000 },
		{ "hp97560", 1000000, 730, 18, 64, 0.388889 },
		{ "cheetah9lp", 254, 0, 1, 0, 0.381890 },
		{ "cheetah9lp", 3048, 1, 0, 0, 0.724409 },
		{ "cheetah9lp", 1000000, 328, 1, 2, 0.996063 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct disk_params *p = load(rows[i].model);
		struct geom_place pl;
		struct geom g;

		ck_assert_int_eq(geom_create(&p->hdd, &g), 0);
		geom_locate(&g, rows[i].lbn, &pl);
		ck_assert_uint_eq(pl.cyl, rows[i].cyl);
		ck_assert_uint_eq(pl.head, rows[i].head);
		ck_assert_uint_eq(pl.sector, rows[i].sector);
		near((double) pl.angle / pl.zone->spt, rows[i].angle, 1e-6);
		geom_destroy(&g);
		disk_params_free(p);
	}
}
END_TEST

static double
random_mean(const char *model, uint32_t blocks)
{
	struct disk_rig r;
	struct sim_rng rng;
	double sum = 0;

	rig_from(&r, model, NULL, 0, false);
	sim_rng_init(&rng, 7, "places");
	for (int i = 0; i < 4000; i++)
		sum += rig_one(&r, DISK_READ, sim_rng_below(&rng,
		    disk_engine_sectors(r.e) / blocks) * blocks, blocks);
	rig_free(&r);
	return sum / 4000;
}

START_TEST(random_means_of_the_sheet)
{
	/* sheet 7.3: 26.28 by arithmetic, 10.5 by reference runs; 3 % */
	relative(random_mean("hp97560", 16), 26.28, 0.03);
	relative(random_mean("cheetah9lp", 16), 10.5, 0.03);
}
END_TEST

/* Back to back 8 KB reads, from block 200000 on. */
static double
stream(bool cache, uint64_t think_ps, double *rate)
{
	struct disk_rig r;
	struct disk_io io;
	uint64_t t = 0, begin = 0;
	double sum = 0;

	rig_from(&r, "hp97560", NULL, 0, cache);
	for (uint32_t i = 0; i < 4000; i++) {
		rig_submit(&r, &io, DISK_READ, 200000 + 16 * i, 16, t);
		while (disk_engine_pop(r.e) == NULL)
			disk_engine_advance(r.e, disk_engine_next(r.e));
		if (i == 0)
			begin = io.finish;
		else
			sum += (double) (io.finish - io.arrival) / 1e9;
		t = io.finish + think_ps;
	}
	*rate = 3999 * 8192.0 / ((double) (io.finish - begin) / 1e12) / 1e6;
	rig_free(&r);
	return sum / 3999;
}

START_TEST(sequential_reads_of_the_sheet)
{
	double rate;

	/* read-ahead: 2.18 to 2.20 MB/s in the long run */
	stream(true, 0, &rate);
	ck_assert_double_ge(rate, 2.18);
	ck_assert_double_le(rate, 2.20);
	/* with 1 ms between the requests: overhead and bus only, 3.0192 ms,
	 * but where a cylinder ends */
	near(stream(true, PS_PER_MS, &rate), 3.0192, 0.001);
	/* without read-ahead a turn is lost each time: 18.324 ms, 0.437 MB/s
	 * but for the ends of tracks */
	near(stream(false, 0, &rate), 18.324, 0.5);
	relative(rate, 0.437, 0.03);
}
END_TEST

START_TEST(hits_need_no_medium)
{
	struct disk_rig r;
	struct disk_io io;

	rig_from(&r, "hp97560", NULL, 0, true);
	rig_one(&r, DISK_WRITE, 5000, 16);
	/* the buffer holds what was written (sheet 5.1, rule 5) */
	rig_submit(&r, &io, DISK_READ, 5004, 4, disk_engine_now(r.e));
	rig_drain(&r);
	ck_assert(io.cache_hit);
	ck_assert_uint_eq(io.finish - io.arrival,
	    2200 * PS_PER_US + 4 * UINT64_C(51200000));
	rig_free(&r);

	/* a write taken by write-behind is over after overhead and bus */
	rig_from(&r, "cheetah9lp_disksim", NULL, 0, true);
	near(rig_one(&r, DISK_WRITE, 1000000, 8), 0.748 + 8 * 0.105, 1e-9);
	/* what it wrote is a hit (the flush is over), the next block is not */
	disk_engine_advance(r.e, disk_engine_now(r.e) + 50 * PS_PER_MS);
	near(rig_one(&r, DISK_READ, 1000000, 8), 0.273 + 8 * 0.105, 1e-9);
	ck_assert_double_gt(rig_one(&r, DISK_READ, 1000008, 8), 1.2);
	rig_free(&r);
}
END_TEST

START_TEST(flush_waits_for_the_medium)
{
	struct disk_rig r;
	struct disk_io w, f;

	rig_from(&r, "cheetah9lp", NULL, 0, true);
	rig_submit(&r, &w, DISK_WRITE, 1000000, 8, 0);
	rig_submit(&r, &f, DISK_FLUSH, 0, 0, 0);
	ck_assert_uint_eq(rig_drain(&r), 2);
	/* the write alone is over long before its sectors have passed */
	ck_assert_uint_gt(f.finish, w.finish + PS_PER_MS);
	rig_free(&r);
}
END_TEST

START_TEST(data_regions_hold_what_the_data_sheet_says)
{
	struct disk_params *p = load("hp97560_regions");
	struct geom_place pl;
	struct geom g;

	/* sheet 3.1: 3 * 12,255 tracks, 1,355,304,960 bytes */
	ck_assert_int_eq(geom_create(&p->hdd, &g), 0);
	ck_assert_uint_eq(g.sectors, 2647080);
	geom_locate(&g, 0, &pl);
	ck_assert_uint_eq(pl.cyl, 1);
	ck_assert_uint_eq(pl.head, 4);
	geom_locate(&g, 12255 * 72 - 1, &pl);
	ck_assert_uint_eq(pl.cyl, 646);
	ck_assert_uint_eq(pl.head, 3);
	ck_assert_uint_eq(pl.sector, 71);
	geom_locate(&g, 12255 * 72, &pl);
	ck_assert_uint_eq(pl.cyl, 654);
	geom_destroy(&g);
	disk_params_free(p);
}
END_TEST

/*
 * Slips against a plain walk over all sectors: every block once, in order,
 * none on a slipped sector, and tracks end where the walk says.
 */
START_TEST(slips_against_a_walk)
{
	struct hdd_slip slips[] = { { 0, 1 }, { 7, 2 }, { 30, 10 },
		{ 95, 1 } };
	struct hdd_zone z = { .first_cyl = 0, .last_cyl = 4, .spt = 10,
		.track_skew = 3, .cyl_skew = 4, .spare = 20, .reserved = 5,
		.slips = slips, .nslips = 4 };
	struct hdd_params p = { .rpm = 7200, .cylinders = 5, .heads = 2,
		.nzones = 1, .zone = &z };
	uint64_t lbn = 0, first, end, track_first = 0, used = 0;
	struct geom_place pl;
	struct geom g;

	ck_assert_int_eq(geom_create(&p, &g), 0);
	ck_assert_uint_eq(g.sectors, 100 - 20 - 5);
	for (uint64_t s = 0; s < 100 && lbn < g.sectors; s++) {
		bool slipped = false;

		for (size_t i = 0; i < 4; i++)
			slipped |= s >= slips[i].first &&
			    s < slips[i].first + slips[i].count;
		if (s % 10 == 0)
			track_first = lbn;
		if (slipped || used++ < 5)
			continue;
		geom_locate(&g, lbn, &pl);
		ck_assert_uint_eq((pl.cyl * 2 + pl.head) * 10 + pl.sector, s);
		ck_assert_uint_eq(geom_cylinder(&g, lbn), pl.cyl);
		geom_track(&g, lbn, &first, &end);
		ck_assert_uint_eq(first, track_first);
		ck_assert_uint_gt(end, lbn);
		/* blocks up to lbn + run lie one behind the other */
		ck_assert_uint_ge(pl.run, 1);
		lbn++;
	}
	ck_assert_uint_eq(lbn, g.sectors);
	geom_destroy(&g);
}
END_TEST

/*
 * Zero-latency access reads a whole track in one turn from wherever the head
 * lands; without it the first sector is waited for (half a turn on average).
 */
START_TEST(zero_latency_saves_rotation)
{
	static const char *const set[] = { "bus.ms_per_sector=0.0001",
		"zero_latency=true" };
	struct disk_rig plain, zero;
	struct sim_rng rng;
	double a = 0, b = 0, turn = 60000.0 / 10045;
	uint64_t lbn;

	rig_from(&plain, "cheetah9lp", set, 1, false);
	rig_from(&zero, "cheetah9lp", set, 2, false);
	sim_rng_init(&rng, 3, "tracks");
	for (int i = 0; i < 1000; i++) {
		/* a whole track of the first zone */
		lbn = sim_rng_below(&rng, 9000) * 254;
		a += rig_one(&plain, DISK_READ, lbn, 254) / 1000;
		b += rig_one(&zero, DISK_READ, lbn, 254) / 1000;
	}
	near(a - b, turn / 2, 0.1 * turn);
	rig_free(&plain);
	rig_free(&zero);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { arithmetic_of_the_sheet,
		both_branches_at_the_knee, single_requests_from_rest,
		places_of_the_sheet, random_means_of_the_sheet,
		sequential_reads_of_the_sheet, hits_need_no_medium,
		flush_waits_for_the_medium,
		data_regions_hold_what_the_data_sheet_says,
		slips_against_a_walk, zero_latency_saves_rotation };

	return SUITE_MAIN("disk_hdd", tests);
}
