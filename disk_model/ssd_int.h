/*
 * ssd_int.h: inside the flash device: the mapping layer (ssd_ftl.c), the write
 * buffer (ssd_buffer.c) and the chips (ssd.c).
 *
 * Words: a unit is what the mapping maps (its number is a logical address),
 * a slot is a place for one unit on flash. A page holds `per_page` slots, is
 * programmed at once; a block is erased at once; a plane has its own free
 * blocks and its own collection.
 */
#ifndef VMSIM_DISK_MODEL_SSD_INT_H
#define VMSIM_DISK_MODEL_SSD_INT_H

#include "disk_model/disk_int.h"

#define SSD_NONE UINT32_MAX

/* Division of 32-bit numbers by one that stays the same, without dividing. */
struct divisor {
	uint32_t d;
	uint64_t inverse; /* 2^64 / d, rounded up */
};

static inline uint32_t
divide(const struct divisor *by, uint32_t n)
{
	if (by->d == 1)
		return n;
	return (uint32_t) (((unsigned __int128) by->inverse * n) >> 64);
}

/* ------------------------------------------------------------ mapping */

enum ftl_block_state { FTL_FREE, FTL_OPEN, FTL_CLOSED, FTL_VICTIM };

struct ftl_block {
	uint32_t valid; /* slots in use */
	uint32_t next, prev; /* free list, or closed blocks of equal valid */
	enum ftl_block_state state;
};

struct ftl_plane {
	uint32_t free_head, free_tail, nfree;
	uint32_t open[2]; /* block being filled: [0] by the host, [1] by gc */
	uint32_t fill[2]; /* next page of it */
	uint32_t *closed; /* [slots per block + 1]: list heads by valid */
	uint32_t least; /* no closed block has fewer valid slots */
	/* collection under way */
	uint32_t victim; /* SSD_NONE when none */
	uint32_t scan; /* next page of the victim */
	uint32_t *held; /* slots read, waiting to be programmed */
	uint32_t nheld;
};

/* Planes of a chip that are below the thresholds of collection. */
struct ftl_chip {
	uint32_t soft, hard;
};

struct ftl {
	const struct ssd_params *p;
	uint32_t planes; /* all of them */
	uint32_t per_page, slots_per_block;
	struct divisor by_page, by_block; /* slots */
	struct divisor by_plane_blocks, by_chip_planes;
	struct divisor by_channels, by_chips, by_dies, by_planes;
	uint64_t units; /* exported, rounded up */
	uint64_t slots;
	/*
	 * Tables start as zeroes, which stand for the order in which a full
	 * device was written; else number + 1.
	 */
	uint32_t *slot_of; /* by unit; SSD_NONE: trimmed */
	uint32_t *unit_of; /* by slot; SSD_NONE: nothing */
	uint64_t *valid; /* a bit for each slot: a unit's present place */
	struct ftl_block *block;
	uint32_t *erases; /* by block */
	struct ftl_plane *plane;
	struct ftl_chip *chip;
	/* cached entries of the table, least recently used goes */
	uint32_t *lru_next, *lru_prev, *lru_unit, *hash;
	uint32_t lru_head, lru_tail, lru_count, hash_mask;
	struct disk_flash_stats st;
};

int ftl_create(struct ftl *f, const struct ssd_params *p);
void ftl_destroy(struct ftl *f);
/* Slot of a unit, SSD_NONE when it was never written or trimmed. */
uint32_t ftl_lookup(const struct ftl *f, uint32_t unit);
/* Is its entry at hand? Brings it in. */
bool ftl_map_cached(struct ftl *f, uint32_t unit);
uint32_t ftl_plane_of_slot(const struct ftl *f, uint32_t slot);
/* Plane that a unit's page belongs to when pages hold one unit. */
uint32_t ftl_home_plane(const struct ftl *f, uint32_t unit);
uint32_t ftl_page_of_slot(const struct ftl *f, uint32_t slot);
/* Can a page be programmed for the host (gc: for collection)? */
bool ftl_can_program(const struct ftl *f, uint32_t plane, bool gc);
/*
 * Take the next page of a plane and put n units on it. gc: from[i] are the
 * slots the units lie in now; units that have moved meanwhile are dropped.
 */
void ftl_program(struct ftl *f, uint32_t plane, bool gc, const uint32_t *unit,
    const uint32_t *from, uint32_t n);
void ftl_trim(struct ftl *f, uint32_t unit);
/* Hints to the host's cache; nothing depends on them. */
void ftl_prefetch_unit(const struct ftl *f, uint32_t unit);
void ftl_prefetch_slot(const struct ftl *f, uint32_t unit);
/* Does this plane want collection (hard: urgently)? */
bool ftl_wants_gc(const struct ftl *f, uint32_t plane, bool hard);
/*
 * The next step of collection: which operation the chip has to do. READ has
 * gathered the valid slots of one page; PROGRAM writes what was gathered.
 */
enum ftl_gc_step { GC_NOTHING, GC_READ, GC_PROGRAM, GC_ERASE };
enum ftl_gc_step ftl_gc_step(struct ftl *f, uint32_t plane, uint32_t *page);
void ftl_erased(struct ftl *f, uint32_t plane);
/* Pages of one slot: so many of the victim's have still to be read. */
uint32_t ftl_gc_left(const struct ftl *f, uint32_t plane);
/* Can collection program n pages before the victim is erased? */
bool ftl_gc_room(const struct ftl *f, uint32_t plane, uint32_t n);
/* So many steps at once, none of them the victim's last. */
void ftl_gc_run(struct ftl *f, uint32_t plane, uint32_t steps);
void ftl_stats(const struct ftl *f, struct disk_flash_stats *st);

/* ------------------------------------------------------------ buffer */

/* A place of the write buffer. */
struct ssd_place {
	uint32_t unit;
	uint32_t next; /* in order of arrival, of one page, or free */
	uint32_t chain; /* of those with the same hash */
	bool busy; /* being programmed */
	bool partial; /* only part of the unit was written */
};

/* Units written by the host and not yet on flash, in order of arrival. */
struct ssd_buffer {
	uint32_t size, count; /* units; count includes those being programmed */
	struct ssd_place *place;
	uint32_t head, tail; /* dirty ones */
	uint32_t ndirty;
	uint32_t free; /* places not in use */
	uint32_t *hash; /* place by unit */
	uint32_t hash_mask;
};

int buffer_create(struct ssd_buffer *b, uint32_t size);
void buffer_destroy(struct ssd_buffer *b);
bool buffer_has(const struct ssd_buffer *b, uint32_t unit);
/* False when there is no room, and the unit is not there and waiting. */
bool buffer_put(struct ssd_buffer *b, uint32_t unit, bool partial);
/* A hint to the host's cache: this unit will be looked for. */
void buffer_prefetch(const struct ssd_buffer *b, uint32_t unit);
/* Oldest dirty place, now being programmed; SSD_NONE when none. */
uint32_t buffer_take(struct ssd_buffer *b);
/* It is on flash. */
void buffer_release(struct ssd_buffer *b, uint32_t place);
void buffer_drop(struct ssd_buffer *b, uint32_t unit);

#endif
