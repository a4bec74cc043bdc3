/*
 * contents.c: a disk's bytes. A three-level table of 4 KiB pieces, so that
 * the order of nothing depends on addresses and a lookup is three loads.
 *
 * Interface: contents.h.
 */
#include <stdlib.h>
#include <string.h>

#include "disk_model/contents.h"
#include "disk_model/params.h"
#include "sim/base/sim.h"

#define PIECE_SECTORS 8u
#define PIECE_BYTES (PIECE_SECTORS * DISK_SECTOR)
#define LEVEL_BITS 12
#define LEVEL_SIZE (1u << LEVEL_BITS) /* three levels: 256 TiB */

struct level {
	void *slot[LEVEL_SIZE];
};

struct contents {
	struct sim *sim;
	struct level top;
};

static void *
must_calloc(struct contents *c, size_t size)
{
	void *p = calloc(1, size);

	if (p == NULL)
		sim_nomem(c->sim, "the contents of the simulated disks");
	return p;
}

static uint8_t *
piece(const struct contents *c, uint64_t index)
{
	const struct level *mid, *leaf;

	mid = c->top.slot[index >> (2 * LEVEL_BITS) & (LEVEL_SIZE - 1)];
	if (mid == NULL)
		return NULL;
	leaf = mid->slot[index >> LEVEL_BITS & (LEVEL_SIZE - 1)];
	return leaf == NULL ? NULL : leaf->slot[index & (LEVEL_SIZE - 1)];
}

static uint8_t *
piece_make(struct contents *c, uint64_t index)
{
	void **mid, **leaf, **data;

	mid = &c->top.slot[index >> (2 * LEVEL_BITS) & (LEVEL_SIZE - 1)];
	if (*mid == NULL)
		*mid = must_calloc(c, sizeof(struct level));
	leaf = &((struct level *) *mid)
		    ->slot[index >> LEVEL_BITS & (LEVEL_SIZE - 1)];
	if (*leaf == NULL)
		*leaf = must_calloc(c, sizeof(struct level));
	data = &((struct level *) *leaf)->slot[index & (LEVEL_SIZE - 1)];
	if (*data == NULL)
		*data = must_calloc(c, PIECE_BYTES);
	return *data;
}

struct contents *
contents_create(struct sim *sim)
{
	struct contents *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->sim = sim;
	return c;
}

void
contents_destroy(struct contents *c)
{
	struct level *mid, *leaf;

	if (c == NULL)
		return;
	for (uint32_t i = 0; i < LEVEL_SIZE; i++) {
		if ((mid = c->top.slot[i]) == NULL)
			continue;
		for (uint32_t j = 0; j < LEVEL_SIZE; j++) {
			if ((leaf = mid->slot[j]) == NULL)
				continue;
			for (uint32_t k = 0; k < LEVEL_SIZE; k++)
				free(leaf->slot[k]);
			free(leaf);
		}
		free(mid);
	}
	free(c);
}

/* Sectors of this request that lie in the piece of lbn. */
static uint64_t
in_piece(uint64_t lbn, uint64_t sectors)
{
	uint64_t n = PIECE_SECTORS - lbn % PIECE_SECTORS;

	return n < sectors ? n : sectors;
}

void
contents_read(const struct contents *c, uint64_t lbn, uint64_t sectors,
    void *data)
{
	uint8_t *out = data;
	const uint8_t *p;
	uint64_t n;

	for (; sectors > 0; sectors -= n, lbn += n, out += n * DISK_SECTOR) {
		n = in_piece(lbn, sectors);
		p = piece(c, lbn / PIECE_SECTORS);
		if (p == NULL)
			memset(out, 0, n * DISK_SECTOR);
		else
			memcpy(out, p + lbn % PIECE_SECTORS * DISK_SECTOR,
			    n * DISK_SECTOR);
	}
}

void
contents_write(struct contents *c, uint64_t lbn, uint64_t sectors,
    const void *data)
{
	const uint8_t *in = data;
	uint64_t n;

	for (; sectors > 0; sectors -= n, lbn += n, in += n * DISK_SECTOR) {
		n = in_piece(lbn, sectors);
		memcpy(piece_make(c, lbn / PIECE_SECTORS) +
			lbn % PIECE_SECTORS * DISK_SECTOR,
		    in, n * DISK_SECTOR);
	}
}

void
contents_discard(struct contents *c, uint64_t lbn, uint64_t sectors)
{
	uint8_t *p;
	uint64_t n;

	for (; sectors > 0; sectors -= n, lbn += n) {
		n = in_piece(lbn, sectors);
		p = piece(c, lbn / PIECE_SECTORS);
		if (p != NULL)
			memset(p + lbn % PIECE_SECTORS * DISK_SECTOR, 0,
			    n * DISK_SECTOR);
	}
}
