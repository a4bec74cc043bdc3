/*
 * swap_blist.c: free blocks of a swap device: a radix tree with 32-block
 * bitmaps as leaves and 16-way nodes above, each with a hint of the largest
 * run it may hold.
 *
 * Interface: vmcore/bsd/swap_pager.h (blist_*).
 * Source:    FreeBSD 11 kern/subr_blist.c of the end of 2015 as told by
 *            companions 9.2: an allocation takes the lowest run in the lowest
 *            leaf that has one, and never spans leaves.
 * Differs:   levels are arrays of their own. A hint here is never below the
 *            truth, so it decides how long a search takes and not what it
 *            finds; the original's all-free and all-allocated short cuts do
 *            not change placement either.
 */
#include <stdlib.h>

#include "vmcore/bsd/swap_pager.h"

#define LEAF_BLOCKS 32u
#define RADIX 16u
#define LEVELS_MAX 8

struct blist {
	uint32_t blocks, avail;
	uint32_t nlevels; /* of hints; level 0: one a leaf */
	uint32_t count[LEVELS_MAX];
	uint8_t *hint[LEVELS_MAX]; /* runs no longer than this */
	uint32_t *bitmap; /* one a leaf; a set bit is free */
};

struct blist *
blist_create(uint32_t blocks)
{
	struct blist *bl = calloc(1, sizeof(*bl));
	uint32_t n = (blocks + LEAF_BLOCKS - 1) / LEAF_BLOCKS;

	if (bl == NULL)
		return (NULL);
	bl->blocks = blocks;
	bl->bitmap = calloc(n, sizeof(*bl->bitmap));
	if (bl->bitmap == NULL)
		goto fail;
	for (;;) {
		bl->count[bl->nlevels] = n;
		bl->hint[bl->nlevels] = calloc(n, 1);
		if (bl->hint[bl->nlevels++] == NULL)
			goto fail;
		if (n == 1)
			return (bl);
		n = (n + RADIX - 1) / RADIX;
	}
fail:
	blist_destroy(bl);
	return (NULL);
}

void
blist_destroy(struct blist *bl)
{
	uint32_t i;

	if (bl == NULL)
		return;
	for (i = 0; i < bl->nlevels; i++)
		free(bl->hint[i]);
	free(bl->bitmap);
	free(bl);
}

uint32_t
blist_avail(const struct blist *bl)
{
	return (bl->avail);
}

bool
blist_is_free(const struct blist *bl, swblk_t blk)
{
	return ((bl->bitmap[blk / LEAF_BLOCKS] >> (blk % LEAF_BLOCKS) & 1) !=
	    0);
}

/* Take the lowest run out of a leaf; NONE lowers its hint. */
static swblk_t
blist_leaf_alloc(struct blist *bl, uint32_t leaf, uint32_t count)
{
	uint32_t map = bl->bitmap[leaf], starts = map, i;

	/* Bit k of starts: k .. k + i are free. */
	for (i = 1; i < count && starts != 0; i++)
		starts &= map >> i;
	if (starts == 0) {
		bl->hint[0][leaf] = (uint8_t)(count - 1);
		return (SWAPBLK_NONE);
	}
	i = (uint32_t)__builtin_ctz(starts);
	map = count == LEAF_BLOCKS ? UINT32_MAX : (1u << count) - 1;
	bl->bitmap[leaf] &= ~(map << i);
	return (leaf * LEAF_BLOCKS + i);
}

static swblk_t
blist_node_alloc(struct blist *bl, uint32_t level, uint32_t node,
    uint32_t count)
{
	uint32_t child, end;
	swblk_t blk;

	if (bl->hint[level][node] < count)
		return (SWAPBLK_NONE);
	if (level == 0)
		return (blist_leaf_alloc(bl, node, count));
	child = node * RADIX;
	end = child + RADIX;
	if (end > bl->count[level - 1])
		end = bl->count[level - 1];
	for (; child < end; child++) {
		blk = blist_node_alloc(bl, level - 1, child, count);
		if (blk != SWAPBLK_NONE)
			return (blk);
	}
	bl->hint[level][node] = (uint8_t)(count - 1);
	return (SWAPBLK_NONE);
}

swblk_t
blist_alloc(struct blist *bl, uint32_t count)
{
	swblk_t blk;

	if (count == 0 || count > BLIST_MAX_ALLOC || count > bl->avail)
		return (SWAPBLK_NONE);
	blk = blist_node_alloc(bl, bl->nlevels - 1, 0, count);
	if (blk != SWAPBLK_NONE)
		bl->avail -= count;
	return (blk);
}

static void
blist_free_one(struct blist *bl, swblk_t blk)
{
	uint32_t node = blk / LEAF_BLOCKS, level;

	bl->bitmap[node] |= 1u << (blk % LEAF_BLOCKS);
	for (level = 0; level < bl->nlevels; level++, node /= RADIX) {
		if (bl->hint[level][node] == LEAF_BLOCKS)
			break;
		bl->hint[level][node] = LEAF_BLOCKS;
	}
}

/* None of the blocks may be free already (blist_is_free). */
void
blist_free(struct blist *bl, swblk_t blk, uint32_t count)
{
	bl->avail += count;
	for (; count > 0; count--)
		blist_free_one(bl, blk++);
}
