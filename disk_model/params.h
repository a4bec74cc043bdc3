/*
 * params.h: what a disk model is made of, as plain structures. Filled from
 * JSON by sim/disk_json.c, or by hand in tests; the models only read it.
 *
 * Units: times in picoseconds (suffix _ps), lengths in sectors of 512 bytes
 * unless the name says bytes.
 */
#ifndef VMSIM_DISK_MODEL_PARAMS_H
#define VMSIM_DISK_MODEL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_SECTOR 512u
#define PS_PER_SECOND UINT64_C(1000000000000)
#define PS_PER_MS UINT64_C(1000000000)
#define PS_PER_US UINT64_C(1000000)
#define PS_PER_NS UINT64_C(1000)

enum disk_family { DISK_HDD, DISK_SSD, DISK_FIXED };

/* ------------------------------------------------------------ faults */

enum disk_fault_kind {
	FAULT_MEDIA, /* EIO on the chosen sectors */
	FAULT_TIMEOUT, /* ETIMEDOUT after delay_ps */
	FAULT_TORN, /* a write stops in the middle: EIO, its head is written */
	FAULT_GONE, /* ENXIO, now and for ever after */
};

enum { FAULT_ON_READ = 1, FAULT_ON_WRITE = 2 };

struct disk_fault {
	enum disk_fault_kind kind;
	uint32_t ops; /* FAULT_ON_* */
	uint64_t first_lbn, last_lbn; /* sectors it sits on */
	uint64_t at_ps; /* not before this time */
	uint64_t after; /* let so many matching requests pass */
	uint64_t times; /* strike so often; 0: always */
	uint64_t delay_ps; /* TIMEOUT: how long the host waits */
	uint32_t sectors; /* TORN: sectors written before it stops */
};

#define DISK_MAXFAULTS 32

struct sim_err;
/*
 * "media,lbn=100-199,op=read", "timeout,at=2s,delay=60s,times=1",
 * "torn,after=10,sectors=3", "gone,at=5s". -EINVAL with err.
 */
int disk_fault_parse(const char *text, struct disk_fault *f,
    struct sim_err *err);

/* ------------------------------------------------------------ rotating */

struct hdd_slip {
	uint64_t first; /* sector of the zone, counted from its very start */
	uint64_t count; /* sectors; a slipped track is one slip */
};

struct hdd_zone {
	uint32_t first_cyl, last_cyl;
	uint32_t spt; /* sectors per track */
	uint32_t track_skew, cyl_skew; /* sectors */
	uint32_t first_offset; /* angle of the zone's first sector, sectors */
	uint64_t reserved; /* sectors before the zone's first block */
	uint64_t spare; /* sectors behind its last block */
	/* Defects that the numbering of blocks skips, ascending. They push the
	 * blocks behind them into the spare sectors at the end. */
	struct hdd_slip *slips;
	uint32_t nslips;
};

enum hdd_read_ahead {
	RA_OFF,
	RA_SECTORS, /* read_ahead_sectors past the request */
	RA_TRACK, /* to the end of the track of the last sector */
	RA_TRACK_PLUS, /* one further when the track before was just read */
	RA_SEGMENT, /* until the segment is full */
};

enum hdd_write_behind {
	WB_OFF,
	WB_SEQUENTIAL, /* one dirty run; only what continues it joins it */
	WB_ANY, /* as many runs as there are segments, oldest first */
};

/* Overheads by what the command before was: [0] read, [1] write. */
struct hdd_overhead {
	uint64_t read_hit[2], read_miss[2];
	uint64_t write_hit[2], write_miss[2]; /* hit: taken by write-behind */
	/* Instead of read_hit where a hit does not continue a stream (which
	 * begins with a miss); 0: no difference. */
	uint64_t read_hit_jump;
	/* On top of write_hit when the command before was on another track, in
	 * another cylinder, in another zone. */
	uint64_t write_hit_track, write_hit_cylinder, write_hit_zone;
	/* phases of the bus; 0 where they are part of the above */
	uint64_t read_disconnect[2], write_disconnect;
	uint64_t first_reselect, other_reselect;
	uint64_t data_preparation;
	uint64_t read_completion, write_completion;
	/* The arm of a write / read sets out so much before its overhead is
	 * over, by the command before. */
	uint64_t write_seek_early[2], read_seek_early[2];
	uint64_t min_seek; /* a write's first move takes at least this */
	/* A write after one elsewhere lets go of the bus before its data. */
	bool extra;
	uint64_t extra_command, extra_disconnect, extra_inter;
	uint64_t extra_second, extra_seek_delta;
};

struct hdd_cache {
	uint32_t segments; /* 0: no buffer at all */
	uint32_t segment_sectors;
	bool write_segment; /* one segment is kept for writes */
	enum hdd_read_ahead read_ahead;
	uint32_t read_ahead_sectors;
	bool read_ahead_on_hit; /* a hit starts read-ahead again */
	bool stop_in_sector; /* else a miss waits for the sector under way */
	bool hit_next; /* the sector being read counts as buffered */
	enum hdd_write_behind write_behind;
	bool forget_miss; /* the blocks of a miss itself are not kept */
	bool trim_on_write; /* a write drops only the blocks it replaces */
	/* A miss's first move takes at least this, by the command before,
	 * unless the medium was being written when the miss came. */
	uint64_t min_read_move[2];
	bool hits_wait; /* a hit waits while dirty data are being written */
	bool overhead_overlaps; /* a command's overhead passes while it waits */
	uint32_t fence_sectors; /* data held back until so much is buffered */
	uint32_t read_mark_ppm; /* share of a read buffered before the bus */
	/* Sectors buffered before a write of less / not less than
	 * write_start_limit begins; 0: one. */
	uint32_t write_start[2], write_start_limit;
	uint64_t write_start_delay; /* from those being in to the medium */
};

#define HDD_MAXHEADS 256

struct hdd_params {
	uint32_t rpm, cylinders, heads, nzones;
	struct hdd_zone *zone;
	uint64_t capacity; /* blocks exported; 0: all that are mapped */
	uint64_t *seek_ps; /* [cylinders]; [0] is 0 */
	/* The same, unrounded. Only shortest-positioning schedulers look at it,
	 * to choose among requests whose times are equal (hdd_tie). */
	double *seek_ms;
	uint64_t head_switch_ps, write_settle_ps;
	struct hdd_overhead overhead;
	uint64_t bus_read_ps, bus_write_ps; /* per sector */
	bool zero_latency;
	uint32_t queue_depth; /* commands the drive holds; 1 or more */
	struct hdd_cache cache;
};

/* ------------------------------------------------------------ flash */

struct ssd_params {
	/* geometry; a chip serves one command at a time */
	uint32_t channels, chips, dies, planes; /* per the one before */
	uint32_t blocks; /* per plane */
	uint32_t pages; /* per block */
	uint32_t page_sectors; /* what one program writes */
	uint32_t unit_sectors; /* what the mapping maps; divides the page */
	uint32_t queue_depth;
	/* flash */
	uint64_t read_ps[2]; /* by page number: even (LSB), odd (MSB) */
	uint64_t read_small_ps[2]; /* of 4 KiB or less; 0: as read_ps */
	uint64_t program_ps, erase_ps;
	bool erase_suspend;
	uint64_t suspend_ps;
	/* transfer, ps per sector; 0: no time */
	uint64_t channel_ps, link_ps, dram_ps;
	/* firmware */
	uint64_t fw_read_small_ps, fw_read_ps; /* per command */
	uint64_t fw_write_ps, fw_write_4k_ps; /* per command and 4 KiB */
	uint32_t buffer_units; /* write buffer; 0: a write waits for flash */
	/* mapping */
	bool map_cached; /* else all of the table is at hand */
	uint32_t map_entries; /* units whose entries are cached */
	uint64_t capacity; /* sectors exported */
	/* collection, per plane */
	uint32_t gc_start; /* begins below so many free blocks */
	uint32_t gc_hard; /* goes first below so many */
	bool empty; /* starts empty; else full, written in order */
	bool gc_steps; /* the mapping layer is told of each step: slower */
};

/* ------------------------------------------------------------ control */

/* Fixed latency and RAM disk: finish = start + latency + bytes / rate. */
struct fixed_params {
	uint64_t sectors;
	uint64_t read_ps, write_ps; /* latency */
	uint64_t sector_ps; /* transfer time of a sector */
	uint32_t queue_depth; /* served at the same time; 0: without limit */
};

/* ------------------------------------------------------------ all */

struct disk_params {
	char id[64]; /* "hp97560" */
	char title[128]; /* "HP 97560" */
	char scheduler[32]; /* default of the model */
	enum disk_family family;
	struct hdd_params hdd;
	struct ssd_params ssd;
	struct fixed_params fixed;
	struct disk_fault faults[DISK_MAXFAULTS];
	uint32_t nfaults;
	char *json; /* the text it came from, for `disk show`; may be NULL */
};

#endif
