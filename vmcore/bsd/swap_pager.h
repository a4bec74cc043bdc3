/*
 * swap_pager.h: swap space and the pager of anonymous memory (companions 9).
 */
#ifndef VMSIM_VMCORE_BSD_SWAP_PAGER_H
#define VMSIM_VMCORE_BSD_SWAP_PAGER_H

#include "vmcore/vm_int.h"

#define SWB_NPAGES 16 /* pages of the largest transfer */
#define SWAP_META_PAGES 32 /* indices that one metadata block covers */
#define NSWAP_LOWAT 128 /* pages: below it swap is almost full */
#define NSWAP_HIWAT 512
#define BLIST_MAX_ALLOC 32

typedef uint32_t swblk_t; /* page of swap space, over all devices */
#define SWAPBLK_NONE UINT32_MAX

/* ---- swap_blist.c: radix bitmap of free blocks ---- */

struct blist;
struct blist *blist_create(uint32_t blocks); /* all allocated; NULL: memory */
void blist_destroy(struct blist *bl);
/* The lowest run of count <= 32 free blocks inside one leaf. */
swblk_t blist_alloc(struct blist *bl, uint32_t count);
void blist_free(struct blist *bl, swblk_t blk, uint32_t count);
uint32_t blist_avail(const struct blist *bl);
bool blist_is_free(const struct blist *bl, swblk_t blk);

/* ---- swap_meta.c: which index of an object is where ---- */

struct swblock {
	vm_pindex_t index; /* first, a multiple of SWAP_META_PAGES */
	uint32_t count; /* entries in use */
	swblk_t pages[SWAP_META_PAGES];
};

swblk_t swp_meta_lookup(const struct vm_object *object, vm_pindex_t pindex);
/* Record blk, returning the block recorded before (or NONE). */
swblk_t swp_meta_set(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    swblk_t blk);
/* Forget, returning what was recorded. */
swblk_t swp_meta_clear(struct vm *vm, vm_object_t object, vm_pindex_t pindex);
/* First metadata block at or after index; NULL at the end. */
struct swblock *swp_meta_next(const struct vm_object *object,
    vm_pindex_t index);

/* ---- swap_pager.c ---- */

extern const struct vm_pagerops swap_pager_ops; /* DEFAULT and SWAP */

int swap_pager_create(struct vm *vm, struct tunables *ts);
void swap_pager_destroy(struct vm *vm);
/* Buffers; after the thresholds are known. */
int swap_pager_swap_init(struct vm *vm, struct sim_err *err);
int swap_pager_add(struct vm *vm, struct disk *d, uint64_t first,
    uint64_t sectors, struct sim_err *err);
/* Move metadata of src's [offset, offset + dst->size) to dst where dst has
 * none; destroy: src keeps nothing and becomes DEFAULT. */
void swap_pager_copy(struct vm *vm, vm_object_t src, vm_object_t dst,
    vm_pindex_t offset, bool destroy);
/* The page's copy on swap is stale: release it. */
void swap_pager_unswapped(struct vm *vm, vm_page_t m);
void swap_pager_freespace(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t count);
void swap_pager_check(struct vm *vm);
/* Host bytes of buffers and metadata. */
uint64_t swap_pager_overhead(const struct vm *vm);
/* Pages of swap in use by objects. */
uint64_t swap_pager_used(const struct vm *vm);
uint64_t swap_pager_total(const struct vm *vm);

#endif /* VMSIM_VMCORE_BSD_SWAP_PAGER_H */
