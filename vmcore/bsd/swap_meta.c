/*
 * swap_meta.c: which page of an anonymous object has its copy where on swap.
 *
 * Interface: vmcore/bsd/swap_pager.h (swp_meta_*).
 * Source:    FreeBSD 11 vm/swap_pager.c of the end of 2015, struct swblock:
 *            32 aligned indices a block (companions 9.1).
 * Differs:   blocks are found by bisection in an array of the object instead
 *            of a global hash table, which keeps walks in order of index.
 */
#include <stdlib.h>
#include <string.h>

#include "vmcore/bsd/swap_int.h"

/* Position of the first block at or after index. */
static uint32_t
swp_meta_position(const struct vm_object *object, vm_pindex_t index)
{
	uint32_t low = 0, high = object->swp_bcount, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (object->swp_blocks[mid]->index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

/* The block that covers pindex, NULL when there is none. */
static struct swblock *
swp_meta_block(const struct vm_object *object, vm_pindex_t pindex,
    uint32_t *position)
{
	vm_pindex_t index = pindex & ~(vm_pindex_t)(SWAP_META_PAGES - 1);
	uint32_t at;

	if (object->swp_bcount == 0)
		return (NULL);
	at = swp_meta_position(object, index);
	if (position != NULL)
		*position = at;
	if (at == object->swp_bcount || object->swp_blocks[at]->index != index)
		return (NULL);
	return (object->swp_blocks[at]);
}

swblk_t
swp_meta_lookup(const struct vm_object *object, vm_pindex_t pindex)
{
	const struct swblock *b = swp_meta_block(object, pindex, NULL);

	return (b != NULL ? b->pages[pindex % SWAP_META_PAGES] :
			    SWAPBLK_NONE);
}

struct swblock *
swp_meta_next(const struct vm_object *object, vm_pindex_t index)
{
	vm_pindex_t first = index & ~(vm_pindex_t)(SWAP_META_PAGES - 1);
	uint32_t at;

	if (object->swp_bcount == 0)
		return (NULL);
	at = swp_meta_position(object, first);
	return (at < object->swp_bcount ? object->swp_blocks[at] : NULL);
}

static struct swblock *
swp_meta_new_block(struct vm *vm)
{
	struct swap_pager *sp = vm->swap;
	struct swblock *b = sp->block_pool;

	if (b != NULL)
		memcpy(&sp->block_pool, b->pages, sizeof(sp->block_pool));
	else {
		b = malloc(sizeof(*b));
		if (b == NULL)
			sim_nomem(vm->sim, "swap metadata");
		sp->block_bytes += sizeof(*b);
	}
	memset(b->pages, 0xff, sizeof(b->pages)); /* SWAPBLK_NONE */
	b->count = 0;
	return (b);
}

static void
swp_meta_free_block(struct vm *vm, struct swblock *b)
{
	memcpy(b->pages, &vm->swap->block_pool, sizeof(vm->swap->block_pool));
	vm->swap->block_pool = b;
}

void
swp_meta_pool_free(struct swap_pager *sp)
{
	struct swblock *b;

	while ((b = sp->block_pool) != NULL) {
		memcpy(&sp->block_pool, b->pages, sizeof(sp->block_pool));
		free(b);
	}
}

static struct swblock *
swp_meta_insert(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	struct swblock *b = swp_meta_new_block(vm), **blocks;
	uint32_t at;

	b->index = pindex & ~(vm_pindex_t)(SWAP_META_PAGES - 1);
	if (object->swp_bcount == object->swp_nblocks) {
		object->swp_nblocks = object->swp_nblocks * 2 + 4;
		blocks = realloc(object->swp_blocks,
		    object->swp_nblocks * sizeof(*blocks));
		if (blocks == NULL)
			sim_nomem(vm->sim, "swap metadata");
		object->swp_blocks = blocks;
	}
	at = swp_meta_position(object, b->index);
	memmove(&object->swp_blocks[at + 1], &object->swp_blocks[at],
	    (object->swp_bcount - at) * sizeof(*object->swp_blocks));
	object->swp_blocks[at] = b;
	object->swp_bcount++;
	return (b);
}

/* An object with metadata is a SWAP object from then on. */
swblk_t
swp_meta_set(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    swblk_t blk)
{
	struct swblock *b = swp_meta_block(object, pindex, NULL);
	swblk_t *slot, old;

	swp_meta_convert(vm, object);
	if (b == NULL)
		b = swp_meta_insert(vm, object, pindex);
	slot = &b->pages[pindex % SWAP_META_PAGES];
	old = *slot;
	*slot = blk;
	if (old == SWAPBLK_NONE)
		b->count++;
	return (old);
}

void
swp_meta_convert(struct vm *vm, vm_object_t object)
{
	if (object->type == OBJT_SWAP)
		return;
	KASSERT(vm->sim, object->type == OBJT_DEFAULT,
	    ("object %u of type %u on swap", object->id, object->type));
	object->type = OBJT_SWAP;
	object->pagerops = vm->pagerops[OBJT_SWAP];
}

swblk_t
swp_meta_clear(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	uint32_t at = 0;
	struct swblock *b = swp_meta_block(object, pindex, &at);
	swblk_t old;

	if (b == NULL)
		return (SWAPBLK_NONE);
	old = b->pages[pindex % SWAP_META_PAGES];
	if (old == SWAPBLK_NONE)
		return (old);
	b->pages[pindex % SWAP_META_PAGES] = SWAPBLK_NONE;
	if (--b->count == 0) {
		object->swp_bcount--;
		memmove(&object->swp_blocks[at], &object->swp_blocks[at + 1],
		    (object->swp_bcount - at) * sizeof(*object->swp_blocks));
		swp_meta_free_block(vm, b);
	}
	return (old);
}
