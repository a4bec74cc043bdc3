/*
 * disk_json_ssd.c: parameter files of flash devices.
 *
 * Interface: rd_ssd (disk_json_int.h).
 * Source:    reference sheet, section 4: the three parameter sets there use
 *            different words for the same things; all are understood.
 */
#include <errno.h>
#include <string.h>

#include "sim/disk_json_int.h"

static const char *const ssd_keys[] = { "name", "source", "family", "note",
	"scheduler", "faults", "sector_bytes", "channels", "chips_per_channel",
	"luns_per_channel", "dies_per_chip", "planes_per_die", "planes_per_lun",
	"blocks_per_plane", "pages_per_block", "page_bytes", "page_kb",
	"page_metadata_bytes", "mapping_unit_bytes", "capacity_sectors",
	"overprovisioning", "overprovisioning_definition", "read_us", "read_ns",
	"read_4k_ns", "read_page_ns", "program_us", "program_ns", "erase_us",
	"erase_ns", "erase_suspend_us", "program_suspend_us", "suspension",
	"channel_mt_per_s", "channel_width_bytes", "channel_mb_per_s",
	"channel_transfer_ns", "host", "pcie_mb_per_s", "link_mb_per_s", "dram",
	"firmware_ns", "write_cache_bytes", "write_buffer_bytes", "write_cache",
	"write_completes", "queue", "queue_depth", "mapping", "mapping_cache",
	"mapping_cache_bytes", "mapping_entry_bytes", "plane_allocation",
	"gc_start_free_fraction", "gc_hard_free_fraction",
	"gc_start_used_fraction", "gc_hard_used_fraction",
	"gc_start_free_blocks", "gc_step_by_step",
	"gc_policy", "gc_policy_default",
	"gc_policy_here", "start_empty", "published", "derived", "assumed",
	NULL };

/* MB (10^6 bytes) per second -> picoseconds per sector. */
static uint64_t
rate(struct rd *r, const cJSON *i, const char *key)
{
	double v;

	if (i == NULL)
		return 0;
	v = rd_number(r, i, key, 0.001, 1e6);
	return r->error != 0 ? 0 :
	    (uint64_t) (DISK_SECTOR * 1e6 / v + 0.5);
}

static uint32_t
count_of(struct rd *r, const cJSON *o, const char *key, const char *other,
    uint64_t max, uint64_t def)
{
	const char *k = rd_item(r, o, key) != NULL ? key : other;

	if (rd_item(r, o, k) == NULL && def != 0)
		return (uint32_t) def;
	return (uint32_t) rd_uint_must(r, o, k, 1, max);
}

static void
read_geometry(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	uint64_t bytes, unit;

	s->channels = count_of(r, o, "channels", "channels", 1024, 0);
	s->chips = count_of(r, o, "chips_per_channel", "luns_per_channel",
	    1024, 0);
	s->dies = count_of(r, o, "dies_per_chip", "dies_per_chip", 64, 1);
	s->planes = count_of(r, o, "planes_per_die", "planes_per_lun", 64, 1);
	s->blocks = count_of(r, o, "blocks_per_plane", "blocks_per_plane",
	    1u << 24, 0);
	s->pages = count_of(r, o, "pages_per_block", "pages_per_block",
	    1u << 16, 128);
	bytes = rd_item(r, o, "page_kb") != NULL ?
	    1024 * rd_uint_must(r, o, "page_kb", 1, 1024) :
	    rd_uint_must(r, o, "page_bytes", DISK_SECTOR, 1u << 20);
	unit = rd_uint(r, o, "mapping_unit_bytes", DISK_SECTOR, 1u << 20,
	    bytes > 16384 ? 4096 : bytes);
	if (r->error == 0 && (bytes % DISK_SECTOR != 0 ||
	    unit % DISK_SECTOR != 0 || bytes % unit != 0))
		rd_fail(r, o, "pages must hold whole mapping units, and those"
		    " whole sectors of %u bytes", DISK_SECTOR);
	s->page_sectors = (uint32_t) (bytes / DISK_SECTOR);
	s->unit_sectors = (uint32_t) (unit / DISK_SECTOR);
}

/* One number, or {"lsb": ..., "msb": ...}. */
static void
two_times(struct rd *r, const cJSON *o, const char *key, uint64_t ps[2])
{
	const cJSON *i = rd_item(r, o, key), *l, *m;

	if (i == NULL)
		return;
	if (cJSON_IsNumber(i)) {
		ps[0] = ps[1] = rd_to_ps(r, i, key, 1e3);
		return;
	}
	l = cJSON_IsObject(i) ? rd_item(r, i, "lsb") : NULL;
	m = cJSON_IsObject(i) ? rd_item(r, i, "msb") : NULL;
	if (l == NULL || m == NULL) {
		rd_fail(r, i, "\"%s\" must be a number or hold \"lsb\" and"
		    " \"msb\"", key);
		return;
	}
	ps[0] = rd_to_ps(r, l, "lsb", 1e3);
	ps[1] = rd_to_ps(r, m, "msb", 1e3);
}

static void
read_times(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	const char *suspension = rd_string(r, o, "suspension", "");

	s->read_ps[0] = s->read_ps[1] = rd_time(r, o, "read", 0);
	two_times(r, o, "read_page_ns", s->read_ps);
	two_times(r, o, "read_4k_ns", s->read_small_ps);
	if (r->error == 0 && s->read_ps[0] == 0)
		rd_fail(r, o, "the page read time is missing (\"read_us\")");
	s->program_ps = rd_time(r, o, "program", 0);
	if (r->error == 0 && s->program_ps == 0)
		rd_fail(r, o, "the program time is missing (\"program_us\")");
	s->erase_ps = rd_time(r, o, "erase", 0);
	s->suspend_ps = rd_time(r, o, "erase_suspend", 0);
	s->erase_suspend = strncmp(suspension, "erase", 5) == 0;
}

static void
read_rates(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	const cJSON *host = rd_object(r, o, "host");
	const cJSON *dram = rd_object(r, o, "dram"), *i;
	double v;

	s->channel_ps = rate(r, rd_item(r, o, "channel_mb_per_s"),
	    "channel_mb_per_s");
	if ((i = rd_item(r, o, "channel_mt_per_s")) != NULL)
		s->channel_ps = rate(r, i, "channel_mt_per_s") /
		    rd_uint(r, o, "channel_width_bytes", 1, 64, 1);
	s->link_ps = rate(r, rd_item(r, o, "link_mb_per_s"), "link_mb_per_s");
	if ((i = rd_item(r, o, "pcie_mb_per_s")) != NULL)
		s->link_ps = rate(r, i, "pcie_mb_per_s");
	if (host != NULL && (i = rd_item(r, host, "gb_per_s_per_lane")) !=
	    NULL) {
		v = rd_number(r, i, "gb_per_s_per_lane", 0.001, 1000) *
		    (double) rd_uint(r, host, "pcie_lanes", 1, 64, 1);
		s->link_ps = (uint64_t) (DISK_SECTOR * 1e3 / v + 0.5);
	}
	if (dram != NULL && (i = rd_item(r, dram, "mt_per_s")) != NULL)
		s->dram_ps = rate(r, i, "mt_per_s") /
		    (rd_uint(r, dram, "burst_bytes", 1, 64, 1) *
			rd_uint(r, dram, "ddr", 1, 4, 1));
}

static const char *const firmware_keys[] = { "read_4k", "read",
	"write_buffer_first", "write", "write_buffer_per_4k", "note", NULL };

static void
read_firmware(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	const cJSON *f = rd_object(r, o, "firmware_ns");
	struct {
		const char *key;
		uint64_t *field;
	} rows[] = {
		{ "read_4k", &s->fw_read_small_ps },
		{ "read", &s->fw_read_ps },
		{ "write_buffer_first", &s->fw_write_ps },
		{ "write", &s->fw_write_ps },
		{ "write_buffer_per_4k", &s->fw_write_4k_ps },
	};
	const cJSON *i;

	if (f != NULL)
		rd_keys(r, f, firmware_keys);
	for (size_t k = 0; f != NULL && k < 5; k++)
		if ((i = rd_item(r, f, rows[k].key)) != NULL)
			*rows[k].field = rd_to_ps(r, i, rows[k].key, 1e3);
}

static void
read_buffers(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	const cJSON *q = rd_object(r, o, "queue");
	uint64_t unit = (uint64_t) s->unit_sectors * DISK_SECTOR, bytes;

	bytes = rd_uint(r, o, "write_cache_bytes", 0, UINT64_C(1) << 40,
	    rd_uint(r, o, "write_buffer_bytes", 0, UINT64_C(1) << 40, 0));
	if (!rd_bool(r, o, "write_cache", true))
		bytes = 0;
	if (r->error != 0)
		return;
	s->buffer_units = (uint32_t) (bytes / unit);
	if (s->page_sectors > s->unit_sectors && s->buffer_units > 0 &&
	    s->buffer_units < s->page_sectors / s->unit_sectors)
		s->buffer_units = s->page_sectors / s->unit_sectors;
	s->map_cached = rd_bool(r, o, "mapping_cache", false);
	s->map_entries = (uint32_t) (rd_uint(r, o, "mapping_cache_bytes", 64,
	    UINT64_C(1) << 34, 2u << 20) /
	    rd_uint(r, o, "mapping_entry_bytes", 1, 64, 8));
	s->queue_depth = (uint32_t) rd_uint(r, o, "queue_depth", 1, 65535,
	    q == NULL ? 1024 : rd_uint(r, q, "fetch_size", 1, 65535, 512));
}

static double
fraction(struct rd *r, const cJSON *o, const char *key, double def)
{
	const cJSON *i = rd_item(r, o, key);

	return i == NULL ? def : rd_number(r, i, key, 0, 0.99);
}

static uint32_t
ceil_blocks(double part, uint32_t blocks)
{
	double v = part * blocks;
	uint32_t n = (uint32_t) v;

	return n + ((double) n < v);
}

static void
read_thresholds(struct rd *r, const cJSON *o, struct ssd_params *s,
    double *start)
{
	double hard;

	*start = 1 - fraction(r, o, "gc_start_used_fraction", 0.95);
	*start = fraction(r, o, "gc_start_free_fraction", *start);
	hard = 1 - fraction(r, o, "gc_hard_used_fraction", 0.99);
	hard = fraction(r, o, "gc_hard_free_fraction", hard);
	if (r->error != 0)
		return;
	s->gc_start = (uint32_t) rd_uint(r, o, "gc_start_free_blocks", 2,
	    s->blocks - 1, ceil_blocks(*start, s->blocks));
	if (s->gc_start < 2)
		s->gc_start = 2;
	s->gc_hard = ceil_blocks(hard, s->blocks);
	if (s->gc_hard < 2)
		s->gc_hard = 2;
}

static void
read_collection(struct rd *r, const cJSON *o, struct ssd_params *s)
{
	uint64_t pages, units, block;
	double start, op;
	uint32_t spare;

	read_thresholds(r, o, s, &start);
	op = fraction(r, o, "overprovisioning",
	    start >= 0.07 ? start + 0.03 : 0.07);
	if (r->error != 0)
		return;
	block = (uint64_t) s->channels * s->chips * s->dies * s->planes *
	    s->pages; /* pages of one block in every plane */
	pages = block * s->blocks;
	units = pages * (s->page_sectors / s->unit_sectors);
	if (units >= UINT32_MAX - 1) {
		rd_fail(r, o, "more than 2^32 mapping units: make"
		    " \"mapping_unit_bytes\" larger or the device smaller");
		return;
	}
	/* the fraction is read as decimal digits: 0.07 leaves exactly 93 % */
	units = (uint64_t) ((double) units * (1 - op) + 0.5);
	s->capacity = rd_uint(r, o, "capacity_sectors", 1,
	    pages * s->page_sectors, units * s->unit_sectors);
	s->empty = rd_bool(r, o, "start_empty", false);
	s->gc_steps = rd_bool(r, o, "gc_step_by_step", false);
	/* collection must be able to win: spare blocks beyond its threshold */
	spare = (uint32_t) ((pages * s->page_sectors - s->capacity) /
	    (block * s->page_sectors));
	if (r->error == 0 && spare < s->gc_start + 1)
		rd_fail(r, o, "collection starts below %u free blocks per"
		    " plane, but only %u are over-provisioned: raise"
		    " \"overprovisioning\" or lower \"gc_start_...\"",
		    s->gc_start, spare);
}

void
rd_ssd(struct rd *r, const cJSON *o, struct disk_params *p)
{
	struct ssd_params *s = &p->ssd;

	p->family = DISK_SSD;
	rd_keys(r, o, ssd_keys);
	if (rd_item(r, o, "scheduler") == NULL)
		strcpy(p->scheduler, "none");
	read_geometry(r, o, s);
	if (r->error != 0)
		return;
	read_times(r, o, s);
	read_rates(r, o, s);
	read_firmware(r, o, s);
	read_buffers(r, o, s);
	if (r->error == 0)
		read_collection(r, o, s);
}
