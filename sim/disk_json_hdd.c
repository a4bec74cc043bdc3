/*
 * disk_json_hdd.c: parameter files of rotating disks: geometry, seek curve,
 * overheads, bus and buffer.
 *
 * Interface: rd_hdd (disk_json_int.h).
 * Source:    reference sheet, sections 2 and 3; seek curves, section 2.3.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/disk_json_int.h"

#define MAXCYL 4000000
#define MAXSPT 100000

/* ------------------------------------------------------------ zones */

static const char *const zone_keys[] = { "first_cyl", "last_cyl",
	"sectors_per_track", "track_skew_sectors", "cyl_skew_sectors",
	"first_block_offset_sectors", "reserved_sectors_at_front",
	"spare_sectors_at_end", "spare_tracks_at_end", "slipped_sectors",
	"slipped_tracks", "note", NULL };

/* A list of defects in units of `unit` sectors from the zone's start. */
static void
read_slips(struct rd *r, const cJSON *o, const char *key, uint64_t unit,
    struct hdd_zone *z, uint64_t total)
{
	const cJSON *list = rd_item(r, o, key), *i;
	struct hdd_slip *last = NULL;
	uint64_t at;

	if (list == NULL)
		return;
	if (!cJSON_IsArray(list) || z->slips != NULL) {
		rd_fail(r, list, "\"%s\" must be a list, and the only one of"
		    " slips", key);
		return;
	}
	z->slips = calloc((size_t) cJSON_GetArraySize(list) + 1,
	    sizeof(*z->slips));
	if (z->slips == NULL) {
		rd_fail(r, list, "out of memory");
		return;
	}
	cJSON_ArrayForEach(i, list) {
		at = unit * rd_integer(r, i, key, 0, total / unit - 1);
		if (r->error == 0 && last != NULL &&
		    at < last->first + last->count)
			rd_fail(r, i, "\"%s\" must ascend", key);
		if (r->error != 0)
			return;
		if (last != NULL && at == last->first + last->count) {
			last->count += unit;
			continue;
		}
		last = &z->slips[z->nslips++];
		*last = (struct hdd_slip) { at, unit };
	}
}

static uint64_t
slipped(const struct hdd_zone *z)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < z->nslips; i++)
		n += z->slips[i].count;
	return n;
}

static void
read_zone(struct rd *r, const cJSON *o, const struct hdd_params *h,
    struct hdd_zone *z)
{
	uint64_t total;

	if (!cJSON_IsObject(o)) {
		rd_fail(r, o, "a zone must be an object { ... }");
		return;
	}
	rd_keys(r, o, zone_keys);
	z->first_cyl = (uint32_t) rd_uint_must(r, o, "first_cyl", 0,
	    h->cylinders - 1);
	z->last_cyl = (uint32_t) rd_uint_must(r, o, "last_cyl", z->first_cyl,
	    h->cylinders - 1);
	z->spt = (uint32_t) rd_uint_must(r, o, "sectors_per_track", 1, MAXSPT);
	/* more than a turn of skew counts modulo the track */
	z->track_skew = (uint32_t) rd_uint(r, o, "track_skew_sectors", 0,
	    MAXSPT, 0);
	z->cyl_skew = (uint32_t) rd_uint(r, o, "cyl_skew_sectors", 0, MAXSPT,
	    0);
	z->first_offset = (uint32_t) rd_uint(r, o,
	    "first_block_offset_sectors", 0, MAXSPT, 0);
	total = (uint64_t) (z->last_cyl - z->first_cyl + 1) * h->heads * z->spt;
	z->reserved = rd_uint(r, o, "reserved_sectors_at_front", 0, total - 1,
	    0);
	z->spare = rd_uint(r, o, "spare_sectors_at_end", 0, total - 1, 0);
	z->spare += z->spt * rd_uint(r, o, "spare_tracks_at_end", 0,
	    total / z->spt - 1, 0);
	read_slips(r, o, "slipped_sectors", 1, z, total);
	read_slips(r, o, "slipped_tracks", z->spt, z, total);
	if (r->error == 0 && z->spare + z->reserved >= total)
		rd_fail(r, o, "the zone has no sector left for data");
	if (r->error == 0 && slipped(z) > z->spare)
		rd_fail(r, o, "the zone has more slipped than spare sectors");
}

static void
read_zones(struct rd *r, const cJSON *o, struct hdd_params *h)
{
	const cJSON *list = rd_item(r, o, "zones"), *i;
	int n;

	if (!cJSON_IsArray(list) || (n = cJSON_GetArraySize(list)) == 0) {
		rd_fail(r, list != NULL ? list : o,
		    "\"zones\" must be a list of at least one zone");
		return;
	}
	h->zone = calloc((size_t) n, sizeof(*h->zone));
	if (h->zone == NULL) {
		rd_fail(r, list, "out of memory");
		return;
	}
	cJSON_ArrayForEach(i, list) {
		struct hdd_zone *z = &h->zone[h->nzones++];

		read_zone(r, i, h, z);
		if (r->error != 0)
			return;
		if (h->nzones > 1 && z->first_cyl <= z[-1].last_cyl) {
			rd_fail(r, i, "zones must ascend and not overlap");
			return;
		}
	}
}

/* ------------------------------------------------------------ seek */

typedef unsigned __int128 u128;

static uint64_t
isqrt(u128 v)
{
	u128 r = 0, bit = (u128) 1 << 126;

	while (bit > v)
		bit >>= 2;
	for (; bit != 0; bit >>= 2) {
		if (v >= r + bit) {
			v -= r + bit;
			r = (r >> 1) + bit;
		} else
			r >>= 1;
	}
	/* to the nearest: v is what remains of it, r its root */
	return (uint64_t) r + (v > r);
}

static double
ms(uint64_t ps)
{
	return (double) ps / 1e9;
}

static const char *const two_piece_keys[] = { "kind", "short_limit_cyl",
	"short_a_ms", "short_b_ms_per_sqrt_cyl", "long_a_ms",
	"long_b_ms_per_cyl", "first_ten_ms", "first_ms", "note", NULL };

/* d <= limit: a + b * sqrt(d); beyond: c + e * d */
static void
seek_two_piece(struct rd *r, const cJSON *s, struct hdd_params *h, bool below)
{
	uint64_t limit, a, b, c, e;
	const cJSON *i;

	rd_keys(r, s, two_piece_keys);
	limit = rd_uint_must(r, s, "short_limit_cyl", 0, MAXCYL);
	a = rd_time(r, s, "short_a", 0);
	c = rd_time(r, s, "long_a", 0);
	i = rd_item(r, s, "short_b_ms_per_sqrt_cyl");
	b = i == NULL ? 0 : rd_to_ps(r, i, "short_b_ms_per_sqrt_cyl", 1e9);
	i = rd_item(r, s, "long_b_ms_per_cyl");
	e = i == NULL ? 0 : rd_to_ps(r, i, "long_b_ms_per_cyl", 1e9);
	if (r->error != 0)
		return;
	if (below && limit > 0)
		limit--; /* "from 300 on" the long branch holds */
	for (uint64_t d = 1; d < h->cylinders; d++) {
		h->seek_ps[d] = d <= limit ? a + isqrt((u128) b * b * d) :
					     c + e * d;
		h->seek_ms[d] = d <= limit ?
		    ms(a) + ms(b) * sqrt((double) d) :
		    ms(c) + ms(e) * (double) d;
	}
}

static void
seek_first(struct rd *r, const cJSON *s, struct hdd_params *h)
{
	const cJSON *list = rd_item(r, s, "first_ten_ms"), *i;
	uint32_t d = 1;

	if (!cJSON_IsArray(list)) {
		rd_fail(r, list != NULL ? list : s,
		    "\"first_ten_ms\" must be a list of seek times");
		return;
	}
	cJSON_ArrayForEach(i, list) {
		if (d >= h->cylinders)
			break;
		h->seek_ps[d] = rd_to_ps(r, i, "first_ten_ms", 1e9);
		h->seek_ms[d] = ms(h->seek_ps[d]);
		d++;
	}
}

/* One segment of the table, from (d0, t0) on; the last one goes on. */
static void
seek_line(struct hdd_params *h, uint64_t d0, uint64_t t0, uint64_t d1,
    uint64_t t1, uint64_t end)
{
	__int128 rise = (__int128) t1 - (__int128) t0, span = d1 - d0, v;

	for (uint64_t d = d0; d <= end && d < h->cylinders; d++) {
		v = rise * (__int128) (d - d0) * 2;
		v = (v + (v < 0 ? -span : span)) / (2 * span) + (__int128) t0;
		h->seek_ps[d] = v < 0 ? 0 : (uint64_t) v;
		h->seek_ms[d] = ms(t0) + (ms(t1) - ms(t0)) *
		    (double) (d - d0) / (double) (d1 - d0);
	}
}

static void
seek_table(struct rd *r, const cJSON *s, struct hdd_params *h)
{
	const cJSON *list = rd_item(r, s, "points"), *i;
	uint64_t d0 = 0, t0 = 0, d1, t1;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) < 1) {
		rd_fail(r, list != NULL ? list : s, "\"points\" must be a list"
		    " of [cylinders, ms]");
		return;
	}
	cJSON_ArrayForEach(i, list) {
		if (!cJSON_IsArray(i) || cJSON_GetArraySize(i) != 2) {
			rd_fail(r, i, "a point is [cylinders, ms]");
			return;
		}
		d1 = rd_integer(r, i->child, "points", 1, MAXCYL);
		t1 = rd_to_ps(r, i->child->next, "points", 1e9);
		if (r->error == 0 && d1 <= d0)
			rd_fail(r, i, "points must ascend");
		if (r->error != 0)
			return;
		if (d0 == 0)
			seek_line(h, 0, t1, d1, t1, d1);
		else
			seek_line(h, d0, t0, d1, t1,
			    i->next != NULL ? d1 : MAXCYL);
		d0 = d1;
		t0 = t1;
	}
}

static const char *const lee_keys[] = { "kind", "min_ms", "avg_ms", "full_ms",
	"a", "b", "c", "note", NULL };

/*
 * Lee & Katz: min + a * sqrt(d - 1) + b * (d - 1), with a and b from the
 * minimum, average and full-stroke times. Both are sums over 3 * C.
 */
static void
seek_lee(struct rd *r, const cJSON *s, struct hdd_params *h)
{
	int64_t min, avg, full, x, y;
	__int128 v;
	u128 root;

	rd_keys(r, s, lee_keys);
	min = (int64_t) rd_time(r, s, "min", 0);
	avg = (int64_t) rd_time(r, s, "avg", 0);
	full = (int64_t) rd_time(r, s, "full", 0);
	if (r->error == 0 && (min == 0 || avg < min || full < avg))
		rd_fail(r, s, "\"seek\" needs min_ms <= avg_ms <= full_ms");
	if (r->error != 0)
		return;
	x = -10 * min + 15 * avg - 5 * full;
	y = 7 * min - 15 * avg + 8 * full;
	for (uint64_t d = 1; d < h->cylinders; d++) {
		root = (u128) ((__int128) x * x) * (d - 1) / h->cylinders;
		v = isqrt(root);
		v = (x < 0 ? -v : v) * (__int128) h->cylinders +
		    (__int128) y * (__int128) (d - 1);
		v = v / (3 * (__int128) h->cylinders) + min;
		h->seek_ps[d] = v < 0 ? 0 : (uint64_t) v;
		h->seek_ms[d] = ms(h->seek_ps[d]);
	}
}

static void
read_seek(struct rd *r, const cJSON *o, struct hdd_params *h)
{
	const cJSON *s = rd_object(r, o, "seek");
	const char *kind;

	if (s == NULL) {
		rd_fail(r, o, "\"seek\" is missing");
		return;
	}
	h->seek_ps = calloc(h->cylinders, sizeof(*h->seek_ps));
	h->seek_ms = calloc(h->cylinders, sizeof(*h->seek_ms));
	if (h->seek_ps == NULL || h->seek_ms == NULL) {
		rd_fail(r, s, "out of memory");
		return;
	}
	kind = rd_string(r, s, "kind", "");
	if (strcmp(kind, "two_piece") == 0)
		seek_two_piece(r, s, h, false);
	else if (strcmp(kind, "first_ten_then_two_piece") == 0) {
		seek_two_piece(r, s, h, true);
		seek_first(r, s, h);
	} else if (strcmp(kind, "table_linear_interpolation") == 0 ||
	    strcmp(kind, "table") == 0)
		seek_table(r, s, h);
	else if (strcmp(kind, "lee") == 0)
		seek_lee(r, s, h);
	else
		rd_fail(r, s, "\"seek\" needs \"kind\": two_piece,"
		    " first_ten_then_two_piece, table_linear_interpolation or"
		    " lee");
	h->seek_ps[0] = 0;
}

/* ------------------------------------------------------------ commands */

static const char *const overhead_keys[] = { "read", "write", "read_hit",
	"read_hit_after_read", "read_hit_after_write", "read_miss",
	"read_miss_after_read", "read_miss_after_write", "write_hit",
	"write_hit_after_read", "write_hit_after_write", "write_miss",
	"write_miss_after_read", "write_miss_after_write", "read_completion",
	"write_completion", "data_preparation", "first_reselect",
	"other_reselect", "read_disconnect_after_read",
	"read_disconnect_after_write", "write_disconnect", "minimum_seek",
	"write_seek_early_after_read", "write_seek_early_after_write",
	"read_seek_early_after_read", "read_seek_early_after_write",
	"read_hit_jump", "write_hit_other_track", "write_hit_other_cylinder",
	"write_hit_other_zone", "extra_write_disconnect", "note", NULL };

static void
read_overhead(struct rd *r, const cJSON *o, struct hdd_overhead *v)
{
	const cJSON *c = rd_object(r, o, "controller_overhead_ms");
	const cJSON *i;
	uint64_t read = 0, write = 0;

	if ((i = rd_item(r, c, "read")) != NULL)
		read = rd_to_ps(r, i, "read", 1e9);
	if ((i = rd_item(r, c, "write")) != NULL)
		write = rd_to_ps(r, i, "write", 1e9);
	for (int w = 0; w < 2; w++) {
		v->read_hit[w] = v->read_miss[w] = read;
		v->write_hit[w] = v->write_miss[w] = write;
	}
}

struct phase {
	const char *key;
	uint64_t *field;
};

static void
read_phase_rows(struct rd *r, const cJSON *c, const struct phase *rows,
    size_t n)
{
	const cJSON *i;

	for (size_t k = 0; k < n; k++)
		if ((i = rd_item(r, c, rows[k].key)) != NULL)
			*rows[k].field = rd_to_ps(r, i, rows[k].key, 1e9);
}

static void
read_overhead_rows(struct rd *r, const cJSON *o, struct hdd_overhead *v)
{
	static const char *const after[2] = { "read", "write" };
	const cJSON *c = rd_object(r, o, "overhead_ms"), *i;
	struct {
		const char *row, *group;
		uint64_t *field;
	} rows[] = {
		{ "read_hit", "read", v->read_hit },
		{ "read_miss", "read", v->read_miss },
		{ "write_hit", "write", v->write_hit },
		{ "write_miss", "write", v->write_miss },
	};
	char key[64];

	if (c == NULL)
		return;
	rd_keys(r, c, overhead_keys);
	for (size_t k = 0; k < 4; k++) {
		for (int w = 0; w < 2; w++) {
			if ((i = rd_item(r, c, rows[k].group)) != NULL)
				rows[k].field[w] = rd_to_ps(r, i,
				    rows[k].group, 1e9);
			if ((i = rd_item(r, c, rows[k].row)) != NULL)
				rows[k].field[w] = rd_to_ps(r, i, rows[k].row,
				    1e9);
			snprintf(key, sizeof(key), "%s_after_%s", rows[k].row,
			    after[w]);
			if ((i = rd_item(r, c, key)) != NULL)
				rows[k].field[w] = rd_to_ps(r, i, key, 1e9);
		}
	}
}

static void
read_extra(struct rd *r, const cJSON *c, struct hdd_overhead *v)
{
	const cJSON *e = rd_object(r, c, "extra_write_disconnect");
	struct phase rows[] = {
		{ "command", &v->extra_command },
		{ "disconnect", &v->extra_disconnect },
		{ "inter_disconnect", &v->extra_inter },
		{ "second_disconnect", &v->extra_second },
		{ "seek_delta", &v->extra_seek_delta },
	};

	if (e == NULL)
		return;
	v->extra = true;
	read_phase_rows(r, e, rows, 5);
}

static void
read_phases(struct rd *r, const cJSON *o, struct hdd_overhead *v)
{
	const cJSON *c = rd_object(r, o, "overhead_ms");
	struct phase rows[] = {
		{ "read_completion", &v->read_completion },
		{ "write_completion", &v->write_completion },
		{ "data_preparation", &v->data_preparation },
		{ "first_reselect", &v->first_reselect },
		{ "other_reselect", &v->other_reselect },
		{ "read_disconnect_after_read", &v->read_disconnect[0] },
		{ "read_disconnect_after_write", &v->read_disconnect[1] },
		{ "write_disconnect", &v->write_disconnect },
		{ "minimum_seek", &v->min_seek },
		{ "write_seek_early_after_read", &v->write_seek_early[0] },
		{ "write_seek_early_after_write", &v->write_seek_early[1] },
		{ "read_seek_early_after_read", &v->read_seek_early[0] },
		{ "read_seek_early_after_write", &v->read_seek_early[1] },
		{ "read_hit_jump", &v->read_hit_jump },
		{ "write_hit_other_track", &v->write_hit_track },
		{ "write_hit_other_cylinder", &v->write_hit_cylinder },
		{ "write_hit_other_zone", &v->write_hit_zone },
	};

	if (c == NULL)
		return;
	read_phase_rows(r, c, rows, sizeof(rows) / sizeof(rows[0]));
	read_extra(r, c, v);
}

static const char *const bus_keys[] = { "bytes_per_s", "ms_per_sector",
	"read_ms_per_sector", "write_ms_per_sector", "note", NULL };

static void
read_bus(struct rd *r, const cJSON *o, struct hdd_params *h)
{
	const cJSON *b = rd_object(r, o, "bus"), *i;
	uint64_t all = 0;

	if (b == NULL)
		return;
	rd_keys(r, b, bus_keys);
	if ((i = rd_item(r, b, "bytes_per_s")) != NULL) {
		uint64_t rate = rd_integer(r, i, "bytes_per_s", 1000,
		    UINT64_C(1000000000000));

		all = (DISK_SECTOR * PS_PER_SECOND + rate / 2) / rate;
	}
	if ((i = rd_item(r, b, "ms_per_sector")) != NULL)
		all = rd_to_ps(r, i, "ms_per_sector", 1e9);
	h->bus_read_ps = h->bus_write_ps = all;
	if ((i = rd_item(r, b, "read_ms_per_sector")) != NULL)
		h->bus_read_ps = rd_to_ps(r, i, "read_ms_per_sector", 1e9);
	if ((i = rd_item(r, b, "write_ms_per_sector")) != NULL)
		h->bus_write_ps = rd_to_ps(r, i, "write_ms_per_sector", 1e9);
}

/* ------------------------------------------------------------ buffer */

static bool
starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/*
 * Short names, and the sentences of the parameter files that come with the
 * reference sheet.
 */
static void
read_read_ahead(struct rd *r, const cJSON *c, struct hdd_cache *h)
{
	const cJSON *i = rd_item(r, c, "read_ahead");
	const char *v = rd_string(r, c, "read_ahead", "");

	h->read_ahead_sectors = (uint32_t) rd_uint(r, c,
	    "read_ahead_max_sectors", 0, 1u << 24, 0);
	if (i == NULL)
		h->read_ahead = h->read_ahead_sectors > 0 ? RA_SECTORS : RA_OFF;
	else if (strcmp(v, "off") == 0)
		h->read_ahead = RA_OFF;
	else if (strcmp(v, "sectors") == 0)
		h->read_ahead = RA_SECTORS;
	else if (strcmp(v, "track") == 0)
		h->read_ahead = RA_TRACK;
	else if (strcmp(v, "track_plus") == 0 ||
	    starts(v, "to end of the track holding"))
		h->read_ahead = RA_TRACK_PLUS;
	else if (strcmp(v, "segment") == 0 ||
	    starts(v, "to end of track, then continue"))
		h->read_ahead = RA_SEGMENT;
	else if (starts(v, "fill segment, at most 128 sectors")) {
		h->read_ahead = RA_SECTORS;
		h->read_ahead_sectors = 128;
	} else if (r->error == 0)
		rd_fail(r, i, "\"read_ahead\" must be off, sectors, track,"
		    " track_plus or segment");
	if (r->error == 0 && h->read_ahead == RA_SECTORS &&
	    h->read_ahead_sectors == 0)
		rd_fail(r, i, "\"read_ahead_max_sectors\" is missing");
}

static void
read_write_behind(struct rd *r, const cJSON *c, struct hdd_cache *h)
{
	const cJSON *i = rd_item(r, c, "write_behind");
	const char *v;

	if (i == NULL || cJSON_IsFalse(i))
		return;
	if (cJSON_IsTrue(i)) {
		h->write_behind = WB_ANY;
		return;
	}
	v = rd_string(r, c, "write_behind", "");
	if (strcmp(v, "off") == 0)
		h->write_behind = WB_OFF;
	else if (strcmp(v, "sequential") == 0 || starts(v, "one dirty run"))
		h->write_behind = WB_SEQUENTIAL;
	else if (strcmp(v, "any") == 0)
		h->write_behind = WB_ANY;
	else
		rd_fail(r, i, "\"write_behind\" must be off, sequential or"
		    " any");
}

/*
 * A drive that disconnects between a write's command and its data (`extra`)
 * begins to write when 10 sectors are in, 15 of a request of 45 or more:
 * DiskSim 4.0's rule for such drives, part of the published set of the HP
 * C2247A though none of its parameters.
 */
static void
read_marks(struct rd *r, const cJSON *c, struct hdd_cache *h, bool extra)
{
	const cJSON *w = rd_object(r, c, "write_start_sectors"), *i;

	if (extra) {
		h->write_start_limit = 45;
		h->write_start[0] = 10;
		h->write_start[1] = 15;
	}
	if (rd_bool(r, c, "apply_read_fence", false))
		h->fence_sectors = (uint32_t) (rd_uint(r, c,
		    "read_fence_bytes", 0, UINT32_MAX, 0) / DISK_SECTOR);
	if ((i = rd_item(r, c, "read_water_mark")) != NULL)
		h->read_mark_ppm = (uint32_t) (rd_number(r, i,
		    "read_water_mark", 0, 1) * 1e6 + 0.5);
	if (w == NULL)
		return;
	h->write_start_limit = (uint32_t) rd_uint(r, w, "limit", 1, 1u << 24,
	    1);
	h->write_start[0] = (uint32_t) rd_uint(r, w, "below", 0, 1u << 24, 0);
	h->write_start_delay = rd_time(r, w, "delay", 0);
	h->write_start[1] = (uint32_t) rd_uint(r, w, "above", 0, 1u << 24, 0);
}

static const char *const cache_keys[] = { "bytes", "segments",
	"segment_sectors", "read_ahead", "read_ahead_max_sectors",
	"read_fence_bytes", "apply_read_fence", "write_behind",
	"write_segments", "separate_write_segment", "read_water_mark",
	"write_water_mark", "hold_bus_whole_read", "read_ahead_on_hit",
	"stop_in_sector", "hit_next_sector", "hits_wait_for_flush",
	"forget_miss_data", "trim_on_write", "minimum_read_move_after_read_ms",
	"minimum_read_move_after_write_ms",
	"overhead_overlaps_flush", "write_start_sectors", "note", NULL };

static void
read_cache(struct rd *r, const cJSON *o, struct hdd_cache *h, bool extra)
{
	const cJSON *c = rd_object(r, o, "cache");
	uint64_t bytes;
	bool tracks;

	if (c == NULL)
		return;
	rd_keys(r, c, cache_keys);
	h->segments = (uint32_t) rd_uint(r, c, "segments", 0, 4096, 1);
	bytes = rd_uint(r, c, "bytes", DISK_SECTOR, UINT64_C(1) << 40, 0);
	h->segment_sectors = (uint32_t) rd_uint(r, c, "segment_sectors", 1,
	    1u << 30, h->segments == 0 ? 0 :
	    bytes / DISK_SECTOR / h->segments);
	if (r->error == 0 && h->segments > 0 && h->segment_sectors == 0)
		rd_fail(r, c, "\"cache\" needs \"bytes\" or"
		    " \"segment_sectors\"");
	h->write_segment = rd_bool(r, c, "separate_write_segment", false);
	if (r->error == 0 && h->write_segment && h->segments < 2)
		rd_fail(r, c, "\"separate_write_segment\" needs two segments");
	read_read_ahead(r, c, h);
	read_write_behind(r, c, h);
	read_marks(r, c, h, extra);
	/* What the sheet's two kinds of buffer do (5.1 streaming, 5.2 tracks),
	 * where the file does not say. */
	tracks = h->read_ahead == RA_TRACK_PLUS || h->read_ahead == RA_TRACK;
	h->read_ahead_on_hit = rd_bool(r, c, "read_ahead_on_hit", !tracks);
	h->stop_in_sector = rd_bool(r, c, "stop_in_sector", !tracks);
	h->hit_next = rd_bool(r, c, "hit_next_sector", h->segments == 1);
	h->forget_miss = rd_bool(r, c, "forget_miss_data", false);
	h->trim_on_write = rd_bool(r, c, "trim_on_write", false);
	h->min_read_move[0] = rd_time(r, c, "minimum_read_move_after_read", 0);
	h->min_read_move[1] = rd_time(r, c, "minimum_read_move_after_write",
	    0);
	h->hits_wait = rd_bool(r, c, "hits_wait_for_flush", false);
	h->overhead_overlaps = rd_bool(r, c, "overhead_overlaps_flush", true);
}

/* ------------------------------------------------------------ all */

static const char *const hdd_keys[] = { "name", "source", "family", "rpm",
	"cylinders", "heads", "zones", "seek", "capacity_sectors",
	"sector_bytes", "head_switch_ms", "write_settle_ms",
	"controller_overhead_ms", "overhead_ms", "bus", "cache",
	"queue_depth", "ncq_depth", "scheduler", "faults", "zero_latency",
	"note", "notes", "published", "derived", "assumed",
	"simple_overhead_ms", NULL };

static uint64_t
mapped_sectors(const struct hdd_params *h)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < h->nzones; i++) {
		const struct hdd_zone *z = &h->zone[i];

		n += (uint64_t) (z->last_cyl - z->first_cyl + 1) * h->heads *
		    z->spt - z->reserved - z->spare;
	}
	return n;
}

void
rd_hdd(struct rd *r, const cJSON *o, struct disk_params *p)
{
	struct hdd_params *h = &p->hdd;

	p->family = DISK_HDD;
	rd_keys(r, o, hdd_keys);
	h->rpm = (uint32_t) rd_uint_must(r, o, "rpm", 60, 100000);
	h->cylinders = (uint32_t) rd_uint_must(r, o, "cylinders", 1, MAXCYL);
	h->heads = (uint32_t) rd_uint_must(r, o, "heads", 1,
	    HDD_MAXHEADS);
	if (r->error == 0)
		read_zones(r, o, h);
	if (r->error == 0)
		read_seek(r, o, h);
	h->capacity = rd_uint(r, o, "capacity_sectors", 1, RD_MAXSECTORS, 0);
	if (r->error == 0 && h->capacity > mapped_sectors(h))
		rd_fail(r, rd_item(r, o, "capacity_sectors"),
		    "\"capacity_sectors\" is more than the zones hold (%llu)",
		    (unsigned long long) mapped_sectors(h));
	h->head_switch_ps = rd_time(r, o, "head_switch", 0);
	h->write_settle_ps = rd_time(r, o, "write_settle", 0);
	read_overhead(r, o, &h->overhead);
	read_overhead_rows(r, o, &h->overhead);
	read_phases(r, o, &h->overhead);
	read_bus(r, o, h);
	read_cache(r, o, &h->cache, h->overhead.extra);
	h->zero_latency = rd_bool(r, o, "zero_latency", false);
	h->queue_depth = (uint32_t) rd_uint(r, o, "queue_depth", 1, 65536,
	    rd_uint(r, o, "ncq_depth", 1, 65536, 1));
	if (h->queue_depth > 1 && rd_item(r, o, "scheduler") == NULL)
		strcpy(p->scheduler, "none"); /* the drive chooses */
}
