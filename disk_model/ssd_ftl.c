/*
 * ssd_ftl.c: the flash translation layer: page mapping, greedy collection per
 * plane, wear, TRIM, and the cache of mapping entries.
 *
 * Interface: ssd_int.h.
 * Source:    reference sheet, section 4.3 (page-mapped, greedy: the closed
 *            block with the fewest valid pages), 4.1 (plane allocation order
 *            channel, chip, die, plane; over-provisioning).
 * Differs:   a device starts full, written once in order; that state needs
 *            no memory, because zero in the tables stands for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "disk_model/ssd_int.h"

/* ------------------------------------------------------------ addresses */

static uint32_t
block_of_slot(const struct ftl *f, uint32_t slot)
{
	return divide(&f->by_block, slot);
}

static uint32_t
plane_of_block(const struct ftl *f, uint32_t b)
{
	return divide(&f->by_plane_blocks, b);
}

uint32_t
ftl_plane_of_slot(const struct ftl *f, uint32_t slot)
{
	return plane_of_block(f, block_of_slot(f, slot));
}

uint32_t
ftl_page_of_slot(const struct ftl *f, uint32_t slot)
{
	return divide(&f->by_page, slot);
}

/* n = q * d + r; returns q. */
static uint32_t
split(const struct divisor *by, uint32_t n, uint32_t *r)
{
	uint32_t q = divide(by, n);

	*r = n - q * by->d;
	return q;
}

/*
 * Planes are numbered chip by chip; consecutive pages go to consecutive
 * channels first, then chips, dies and planes.
 */
static uint32_t
stripe_plane(const struct ftl *f, uint32_t page)
{
	const struct ssd_params *p = f->p;
	uint32_t ch, chip, die, plane;

	page = split(&f->by_channels, page, &ch);
	page = split(&f->by_chips, page, &chip);
	page = split(&f->by_dies, page, &die);
	split(&f->by_planes, page, &plane);
	return ((ch * p->chips + chip) * p->dies + die) * p->planes + plane;
}

uint32_t
ftl_home_plane(const struct ftl *f, uint32_t unit)
{
	return stripe_plane(f, divide(&f->by_page, unit));
}

/* Where a unit lies on a device that was written once in order. */
static uint32_t
first_slot(const struct ftl *f, uint32_t unit)
{
	uint32_t in_page, page = split(&f->by_page, unit, &in_page);
	uint64_t slot = (uint64_t) stripe_plane(f, page) * f->p->blocks *
	    f->slots_per_block;

	slot += (uint64_t) (page / f->planes) * f->per_page + in_page;
	return (uint32_t) slot;
}

/* The unit that lay there at first; SSD_NONE for none. */
static uint32_t
first_unit(const struct ftl *f, uint32_t slot)
{
	const struct ssd_params *p = f->p;
	uint32_t plane = ftl_plane_of_slot(f, slot), ch, chip, die, pl;
	uint32_t in_plane = slot - plane * p->blocks * f->slots_per_block;
	uint32_t in_page, page = split(&f->by_page, in_plane, &in_page);
	uint64_t unit;

	if (p->empty)
		return SSD_NONE;
	plane = split(&f->by_planes, plane, &pl);
	plane = split(&f->by_dies, plane, &die);
	ch = split(&f->by_chips, plane, &chip);
	unit = (((uint64_t) page * p->planes + pl) * p->dies + die) *
	    p->chips + chip;
	unit = (unit * p->channels + ch) * f->per_page + in_page;
	return unit < f->units ? (uint32_t) unit : SSD_NONE;
}

uint32_t
ftl_lookup(const struct ftl *f, uint32_t unit)
{
	uint32_t v = f->slot_of[unit];

	if (v == SSD_NONE)
		return SSD_NONE;
	if (v != 0)
		return v - 1;
	return f->p->empty ? SSD_NONE : first_slot(f, unit);
}

static uint32_t
unit_at(const struct ftl *f, uint32_t slot)
{
	uint32_t v = f->unit_of[slot];

	if (v == SSD_NONE)
		return SSD_NONE;
	return v != 0 ? v - 1 : first_unit(f, slot);
}

/* What the tables would say as well, after a look all over the memory. */
static bool
slot_valid(const struct ftl *f, uint32_t slot)
{
	return (f->valid[slot / 64] >> slot % 64 & 1) != 0;
}

static void
set_valid(struct ftl *f, uint32_t slot)
{
	f->valid[slot / 64] |= UINT64_C(1) << slot % 64;
}

static void
set_valid_run(struct ftl *f, uint32_t slot, uint32_t n)
{
	for (; n > 0 && slot % 64 != 0; slot++, n--)
		set_valid(f, slot);
	for (; n >= 64; slot += 64, n -= 64)
		f->valid[slot / 64] = UINT64_MAX;
	for (; n > 0; slot++, n--)
		set_valid(f, slot);
}

static void
clear_valid(struct ftl *f, uint32_t slot)
{
	f->valid[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* ------------------------------------------------------------ prefetching */

/*
 * The tables are hundreds of megabytes, and a write touches them in places
 * that chance has chosen: the host's cache is told in advance.
 */
#define LINE (64 / sizeof(uint32_t)) /* slots in a cache line of a table */

/* A unit will be written soon. */
void
ftl_prefetch_unit(const struct ftl *f, uint32_t unit)
{
	__builtin_prefetch(&f->slot_of[unit], 1);
}

/* A unit will be written next: where it lies now will be invalid. */
void
ftl_prefetch_slot(const struct ftl *f, uint32_t unit)
{
	uint32_t slot = ftl_lookup(f, unit);

	if (slot == SSD_NONE)
		return;
	__builtin_prefetch(&f->valid[slot / 64], 1);
	__builtin_prefetch(&f->block[block_of_slot(f, slot)], 1);
}

static void
prefetch_units(const struct ftl *f, uint32_t slot)
{
	if (slot < f->slots)
		__builtin_prefetch(&f->unit_of[slot], 1);
}

/* A slot will be moved. */
static void
prefetch_move(const struct ftl *f, uint32_t slot)
{
	uint32_t v = f->unit_of[slot];

	prefetch_units(f, slot + 2 * LINE);
	if (v != 0 && v != SSD_NONE)
		ftl_prefetch_unit(f, v - 1);
}

/* ------------------------------------------------------------ block lists */

static void
closed_insert(struct ftl *f, struct ftl_plane *pl, uint32_t b)
{
	struct ftl_block *k = &f->block[b];
	uint32_t *head = &pl->closed[k->valid];

	k->state = FTL_CLOSED;
	k->prev = SSD_NONE;
	k->next = *head;
	if (*head != SSD_NONE)
		f->block[*head].prev = b;
	*head = b;
	if (k->valid < pl->least)
		pl->least = k->valid;
}

static void
closed_remove(struct ftl *f, struct ftl_plane *pl, uint32_t b)
{
	struct ftl_block *k = &f->block[b];

	if (k->prev != SSD_NONE)
		f->block[k->prev].next = k->next;
	else
		pl->closed[k->valid] = k->next;
	if (k->next != SSD_NONE)
		f->block[k->next].prev = k->prev;
}

static struct ftl_chip *
chip_of_plane(const struct ftl *f, const struct ftl_plane *pl)
{
	return &f->chip[divide(&f->by_chip_planes,
	    (uint32_t) (pl - f->plane))];
}

static void
free_append(struct ftl *f, struct ftl_plane *pl, uint32_t b)
{
	struct ftl_block *k = &f->block[b];

	k->state = FTL_FREE;
	k->valid = 0;
	k->next = SSD_NONE;
	if (pl->free_tail != SSD_NONE)
		f->block[pl->free_tail].next = b;
	else
		pl->free_head = b;
	pl->free_tail = b;
	pl->nfree++;
	chip_of_plane(f, pl)->soft -= pl->nfree == f->p->gc_start;
	chip_of_plane(f, pl)->hard -= pl->nfree == f->p->gc_hard;
}

static uint32_t
free_take(struct ftl *f, struct ftl_plane *pl)
{
	uint32_t b = pl->free_head;

	pl->free_head = f->block[b].next;
	if (pl->free_head == SSD_NONE)
		pl->free_tail = SSD_NONE;
	chip_of_plane(f, pl)->soft += pl->nfree == f->p->gc_start;
	chip_of_plane(f, pl)->hard += pl->nfree == f->p->gc_hard;
	pl->nfree--;
	f->block[b].state = FTL_OPEN;
	return b;
}

static void
invalidate(struct ftl *f, uint32_t slot)
{
	uint32_t b = block_of_slot(f, slot);
	struct ftl_block *k = &f->block[b];
	struct ftl_plane *pl;

	clear_valid(f, slot);
	if (k->state == FTL_CLOSED) {
		pl = &f->plane[plane_of_block(f, b)];
		closed_remove(f, pl, b);
		k->valid--;
		closed_insert(f, pl, b);
	} else
		k->valid--;
}

/* ------------------------------------------------------------ writing */

bool
ftl_can_program(const struct ftl *f, uint32_t plane, bool gc)
{
	const struct ftl_plane *pl = &f->plane[plane];

	if (pl->open[gc] != SSD_NONE)
		return true;
	/* the last free block is for collection */
	return pl->nfree > (gc ? 0u : 1u);
}

/* A unit goes from its old slot to a new one. */
static void
map(struct ftl *f, uint32_t unit, uint32_t old, uint32_t slot)
{
	if (old != SSD_NONE)
		invalidate(f, old);
	set_valid(f, slot);
	f->slot_of[unit] = slot + 1;
	f->unit_of[slot] = unit + 1;
	f->block[block_of_slot(f, slot)].valid++;
}

/* The block being filled by the host or, gc, by collection. */
static uint32_t
open_block(struct ftl *f, struct ftl_plane *pl, bool gc)
{
	if (pl->open[gc] == SSD_NONE) {
		pl->open[gc] = free_take(f, pl);
		pl->fill[gc] = 0;
	}
	return pl->open[gc];
}

/* n more pages of it have been programmed. */
static void
filled(struct ftl *f, struct ftl_plane *pl, bool gc, uint32_t n)
{
	pl->fill[gc] += n;
	if (pl->fill[gc] == f->p->pages) {
		closed_insert(f, pl, pl->open[gc]);
		pl->open[gc] = SSD_NONE;
	}
}

void
ftl_program(struct ftl *f, uint32_t plane, bool gc, const uint32_t *unit,
    const uint32_t *from, uint32_t n)
{
	struct ftl_plane *pl = &f->plane[plane];
	uint32_t slot = open_block(f, pl, gc) * f->slots_per_block;

	slot += pl->fill[gc] * f->per_page;
	prefetch_units(f, slot + LINE);
	for (uint32_t i = 0; i < f->per_page; i++) {
		f->unit_of[slot + i] = SSD_NONE;
		if (i >= n || (gc && !slot_valid(f, from[i])))
			continue;
		map(f, unit[i], gc ? from[i] : ftl_lookup(f, unit[i]),
		    slot + i);
		f->st.moved_units += gc;
	}
	f->st.page_programs++;
	f->st.programmed_units += f->per_page;
	filled(f, pl, gc, 1);
}

void
ftl_trim(struct ftl *f, uint32_t unit)
{
	uint32_t slot = ftl_lookup(f, unit);

	if (slot != SSD_NONE)
		invalidate(f, slot);
	f->slot_of[unit] = SSD_NONE;
}

/* ------------------------------------------------------------ collection */

bool
ftl_wants_gc(const struct ftl *f, uint32_t plane, bool hard)
{
	const struct ftl_plane *pl = &f->plane[plane];

	if (hard && pl->nfree >= f->p->gc_hard)
		return false;
	return pl->victim != SSD_NONE || pl->nfree < f->p->gc_start;
}

/* The closed block with the fewest valid slots; none when all are full. */
static bool
choose_victim(struct ftl *f, struct ftl_plane *pl)
{
	while (pl->least < f->slots_per_block &&
	    pl->closed[pl->least] == SSD_NONE)
		pl->least++;
	if (pl->least >= f->slots_per_block)
		return false;
	pl->victim = pl->closed[pl->least];
	closed_remove(f, pl, pl->victim);
	f->block[pl->victim].state = FTL_VICTIM;
	pl->scan = 0;
	pl->nheld = 0;
	prefetch_units(f, pl->victim * f->slots_per_block);
	prefetch_units(f, pl->victim * f->slots_per_block + LINE);
	return true;
}

/* The first valid slot from `slot` on; `end` when there is none before. */
static uint32_t
next_valid(const struct ftl *f, uint32_t slot, uint32_t end)
{
	uint64_t w;

	while (slot < end) {
		w = f->valid[slot / 64] >> slot % 64;
		if (w != 0) {
			slot += (uint32_t) __builtin_ctzll(w);
			return slot < end ? slot : end;
		}
		slot += 64 - slot % 64;
	}
	return end;
}

/* Gather what is valid on the next page that has something valid. */
static bool
gather(struct ftl *f, struct ftl_plane *pl, uint32_t *page)
{
	uint32_t base = pl->victim * f->slots_per_block;
	uint32_t end = base + f->slots_per_block, slot;

	slot = next_valid(f, base + pl->scan * f->per_page, end);
	if (slot == end) {
		pl->scan = f->p->pages;
		return false;
	}
	*page = divide(&f->by_page, slot);
	pl->scan = *page - divide(&f->by_page, base) + 1;
	end = (*page + 1) * f->per_page;
	while (slot < end) {
		prefetch_move(f, slot);
		pl->held[pl->nheld++] = slot;
		slot = next_valid(f, slot + 1, end);
	}
	f->st.page_reads++;
	return true;
}

static void
program_held(struct ftl *f, uint32_t plane)
{
	struct ftl_plane *pl = &f->plane[plane];
	uint32_t n = pl->nheld < f->per_page ? pl->nheld : f->per_page;
	uint32_t *unit = pl->held + 2 * f->per_page;

	for (uint32_t i = 0; i < n; i++)
		unit[i] = unit_at(f, pl->held[i]);
	ftl_program(f, plane, true, unit, pl->held, n);
	pl->nheld -= n;
	for (uint32_t i = 0; i < pl->nheld; i++)
		pl->held[i] = pl->held[i + n];
}

enum ftl_gc_step
ftl_gc_step(struct ftl *f, uint32_t plane, uint32_t *page)
{
	struct ftl_plane *pl = &f->plane[plane];

	if (pl->victim == SSD_NONE && (pl->nfree >= f->p->gc_start ||
	    !choose_victim(f, pl)))
		return GC_NOTHING;
	if (pl->nheld < f->per_page && pl->scan < f->p->pages &&
	    gather(f, pl, page))
		return GC_READ;
	if (pl->nheld == 0)
		return GC_ERASE;
	if (!ftl_can_program(f, plane, true))
		return GC_NOTHING;
	program_held(f, plane);
	return GC_PROGRAM;
}

uint32_t
ftl_gc_left(const struct ftl *f, uint32_t plane)
{
	const struct ftl_plane *pl = &f->plane[plane];

	return f->block[pl->victim].valid - pl->nheld;
}

bool
ftl_gc_room(const struct ftl *f, uint32_t plane, uint32_t n)
{
	const struct ftl_plane *pl = &f->plane[plane];
	uint64_t room = (uint64_t) pl->nfree * f->p->pages;

	if (pl->open[1] != SSD_NONE)
		room += f->p->pages - pl->fill[1];
	return room >= n;
}

#define AHEAD 32u /* moves; what they will touch is asked for before */

/*
 * Pages of one slot: the next n valid slots of a victim, n at most AHEAD, from
 * the one that is held on. What they held is invalid now. Returns the slot
 * that is held then; there is one.
 */
static uint32_t
take_units(struct ftl *f, const struct ftl_plane *pl, uint32_t *unit,
    uint32_t n)
{
	uint32_t end = (pl->victim + 1) * f->slots_per_block;
	uint32_t slot = pl->held[0];

	for (uint32_t i = 0; i < n; i++) {
		prefetch_units(f, slot + 2 * LINE);
		unit[i] = unit_at(f, slot);
		ftl_prefetch_unit(f, unit[i]);
		clear_valid(f, slot);
		slot = next_valid(f, slot + 1, end);
	}
	return slot;
}

/* So many moves: each programs what is held and reads the next. */
static void
move(struct ftl *f, struct ftl_plane *pl, uint32_t n)
{
	uint32_t unit[AHEAD], b = open_block(f, pl, true);
	uint32_t slot = b * f->slots_per_block + pl->fill[1];

	pl->held[0] = take_units(f, pl, unit, n);
	pl->scan = pl->held[0] - pl->victim * f->slots_per_block + 1;
	prefetch_units(f, slot + LINE);
	for (uint32_t i = 0; i < n; i++) {
		f->slot_of[unit[i]] = slot + i + 1;
		f->unit_of[slot + i] = unit[i] + 1;
	}
	set_valid_run(f, slot, n);
	f->block[pl->victim].valid -= n;
	f->block[b].valid += n;
	f->st.moved_units += n;
	f->st.programmed_units += n;
	f->st.page_programs += n;
	f->st.page_reads += n;
	filled(f, pl, true, n);
}

/* The most of them that move() may do at once. */
static uint32_t
moves(const struct ftl *f, const struct ftl_plane *pl, uint32_t steps)
{
	uint32_t n = steps / 2 < AHEAD ? steps / 2 : AHEAD;
	uint32_t room = f->p->pages -
	    (pl->open[1] != SSD_NONE ? pl->fill[1] : 0);

	return n < room ? n : room;
}

void
ftl_gc_run(struct ftl *f, uint32_t plane, uint32_t steps)
{
	struct ftl_plane *pl = &f->plane[plane];
	uint32_t page, n;

	while (steps > 0) {
		n = pl->nheld > 0 ? moves(f, pl, steps) : 0;
		if (n > 0)
			move(f, pl, n);
		else if (pl->nheld > 0)
			program_held(f, plane);
		else
			gather(f, pl, &page);
		steps -= n > 0 ? 2 * n : 1;
	}
}

void
ftl_erased(struct ftl *f, uint32_t plane)
{
	struct ftl_plane *pl = &f->plane[plane];

	f->erases[pl->victim]++;
	f->st.erases++;
	free_append(f, pl, pl->victim);
	pl->victim = SSD_NONE;
}

/* ------------------------------------------------------------ map cache */

static void
lru_unlink(struct ftl *f, uint32_t i)
{
	if (f->lru_prev[i] != SSD_NONE)
		f->lru_next[f->lru_prev[i]] = f->lru_next[i];
	else
		f->lru_head = f->lru_next[i];
	if (f->lru_next[i] != SSD_NONE)
		f->lru_prev[f->lru_next[i]] = f->lru_prev[i];
	else
		f->lru_tail = f->lru_prev[i];
}

static void
lru_front(struct ftl *f, uint32_t i)
{
	f->lru_prev[i] = SSD_NONE;
	f->lru_next[i] = f->lru_head;
	if (f->lru_head != SSD_NONE)
		f->lru_prev[f->lru_head] = i;
	else
		f->lru_tail = i;
	f->lru_head = i;
}

static uint32_t
hash_start(const struct ftl *f, uint32_t unit)
{
	return (uint32_t) ((unit * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	    f->hash_mask;
}

/* Open addressing: remove an entry and close the gap behind it. */
static void
hash_remove(struct ftl *f, uint32_t unit)
{
	uint32_t h = hash_start(f, unit), j, want;

	while (f->lru_unit[f->hash[h]] != unit)
		h = (h + 1) & f->hash_mask;
	for (j = h;;) {
		f->hash[h] = SSD_NONE;
		do {
			j = (j + 1) & f->hash_mask;
			if (f->hash[j] == SSD_NONE)
				return;
			want = hash_start(f, f->lru_unit[f->hash[j]]);
		} while (h <= j ? h < want && want <= j :
				  h < want || want <= j);
		f->hash[h] = f->hash[j];
		h = j;
	}
}

bool
ftl_map_cached(struct ftl *f, uint32_t unit)
{
	uint32_t h, i;

	if (!f->p->map_cached)
		return true;
	for (h = hash_start(f, unit); (i = f->hash[h]) != SSD_NONE;
	    h = (h + 1) & f->hash_mask)
		if (f->lru_unit[i] == unit) {
			lru_unlink(f, i);
			lru_front(f, i);
			f->st.map_hits++;
			return true;
		}
	f->st.map_misses++;
	if (f->lru_count < f->p->map_entries)
		i = f->lru_count++;
	else {
		i = f->lru_tail;
		lru_unlink(f, i);
		hash_remove(f, f->lru_unit[i]);
	}
	f->lru_unit[i] = unit;
	lru_front(f, i);
	for (h = hash_start(f, unit); f->hash[h] != SSD_NONE;
	    h = (h + 1) & f->hash_mask)
		;
	f->hash[h] = i;
	return false;
}

/* ------------------------------------------------------------ life */

static int
map_cache_create(struct ftl *f)
{
	uint32_t n = f->p->map_entries, size = 16;

	while (size < 2 * n)
		size *= 2;
	f->hash_mask = size - 1;
	f->lru_head = f->lru_tail = SSD_NONE;
	f->lru_next = calloc(n, sizeof(uint32_t));
	f->lru_prev = calloc(n, sizeof(uint32_t));
	f->lru_unit = calloc(n, sizeof(uint32_t));
	f->hash = malloc(size * sizeof(uint32_t));
	if (f->lru_next == NULL || f->lru_prev == NULL ||
	    f->lru_unit == NULL || f->hash == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < size; i++)
		f->hash[i] = SSD_NONE;
	return 0;
}

/* Slots of block b that hold units on a device written once in order. */
static uint32_t
first_valid(const struct ftl *f, uint32_t b)
{
	uint32_t slot = b * f->slots_per_block, n = f->slots_per_block;

	if (f->p->empty)
		return 0;
	/* units ascend within a plane, so the valid slots come first */
	if (first_unit(f, slot + n - 1) != SSD_NONE)
		return n;
	for (n = 0; first_unit(f, slot + n) != SSD_NONE; n++)
		;
	return n;
}

static int
plane_create(struct ftl *f, uint32_t i)
{
	struct ftl_plane *pl = &f->plane[i];
	uint32_t b;

	pl->free_head = pl->free_tail = SSD_NONE;
	pl->open[0] = pl->open[1] = pl->victim = SSD_NONE;
	pl->least = f->slots_per_block;
	pl->closed = malloc((f->slots_per_block + 1) * sizeof(uint32_t));
	/* slots read: up to two pages; behind them one page of units */
	pl->held = calloc(3 * f->per_page, sizeof(uint32_t));
	if (pl->closed == NULL || pl->held == NULL)
		return -ENOMEM;
	for (uint32_t v = 0; v <= f->slots_per_block; v++)
		pl->closed[v] = SSD_NONE;
	for (uint32_t k = 0; k < f->p->blocks; k++) {
		b = i * f->p->blocks + k;
		f->block[b].valid = first_valid(f, b);
		set_valid_run(f, b * f->slots_per_block, f->block[b].valid);
		if (f->block[b].valid > 0)
			closed_insert(f, pl, b);
		else
			free_append(f, pl, b);
	}
	return 0;
}

static struct divisor
divisor(uint32_t d)
{
	return (struct divisor) { d, d > 1 ? UINT64_MAX / d + 1 : 0 };
}

static void
set_divisors(struct ftl *f)
{
	const struct ssd_params *p = f->p;

	f->by_page = divisor(f->per_page);
	f->by_block = divisor(f->slots_per_block);
	f->by_plane_blocks = divisor(p->blocks);
	f->by_chip_planes = divisor(p->dies * p->planes);
	f->by_channels = divisor(p->channels);
	f->by_chips = divisor(p->chips);
	f->by_dies = divisor(p->dies);
	f->by_planes = divisor(p->planes);
}

/*
 * n zeroes, touched in any order: in huge pages, where the host has them, so
 * that most requests to a new device do not begin with a fault of the host.
 */
static uint32_t *
entries_create(uint64_t n)
{
	void *p = mmap(NULL, n * sizeof(uint32_t), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	(void) madvise(p, n * sizeof(uint32_t), MADV_HUGEPAGE);
	return p;
}

int
ftl_create(struct ftl *f, const struct ssd_params *p)
{
	f->p = p;
	f->planes = p->channels * p->chips * p->dies * p->planes;
	f->per_page = p->page_sectors / p->unit_sectors;
	f->slots_per_block = p->pages * f->per_page;
	f->units = (p->capacity + p->unit_sectors - 1) / p->unit_sectors;
	f->slots = (uint64_t) f->planes * p->blocks * f->slots_per_block;
	set_divisors(f);
	f->slot_of = entries_create(f->units);
	f->unit_of = calloc(f->slots, sizeof(uint32_t));
	f->valid = calloc(f->slots / 64 + 1, sizeof(uint64_t));
	f->block = calloc((size_t) f->planes * p->blocks, sizeof(*f->block));
	f->plane = calloc(f->planes, sizeof(*f->plane));
	f->erases = calloc((size_t) f->planes * p->blocks, sizeof(uint32_t));
	f->chip = calloc((size_t) p->channels * p->chips, sizeof(*f->chip));
	if (f->slot_of == NULL || f->unit_of == NULL || f->valid == NULL ||
	    f->block == NULL || f->plane == NULL || f->erases == NULL ||
	    f->chip == NULL)
		return -ENOMEM;
	/* every plane begins without a free block */
	for (uint32_t i = 0; i < p->channels * p->chips; i++)
		f->chip[i].soft = f->chip[i].hard = p->dies * p->planes;
	for (uint32_t i = 0; i < f->planes; i++)
		if (plane_create(f, i) != 0)
			return -ENOMEM;
	return p->map_cached ? map_cache_create(f) : 0;
}

void
ftl_destroy(struct ftl *f)
{
	for (uint32_t i = 0; f->plane != NULL && i < f->planes; i++) {
		free(f->plane[i].closed);
		free(f->plane[i].held);
	}
	free(f->plane);
	free(f->block);
	free(f->erases);
	free(f->chip);
	if (f->slot_of != NULL)
		munmap(f->slot_of, f->units * sizeof(uint32_t));
	free(f->unit_of);
	free(f->valid);
	free(f->lru_next);
	free(f->lru_prev);
	free(f->lru_unit);
	free(f->hash);
}

void
ftl_stats(const struct ftl *f, struct disk_flash_stats *st)
{
	uint32_t n = f->planes * f->p->blocks, e;

	*st = f->st;
	st->blocks = n;
	st->erase_min = UINT32_MAX;
	for (uint32_t i = 0; i < n; i++) {
		e = f->erases[i];
		if (e < st->erase_min)
			st->erase_min = e;
		if (e > st->erase_max)
			st->erase_max = e;
	}
}
