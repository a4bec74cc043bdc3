/*
 * swap_int.h: the swap pager's own structures (swap_pager.c, swap_io.c,
 * swap_meta.c).
 */
#ifndef VMSIM_VMCORE_BSD_SWAP_INT_H
#define VMSIM_VMCORE_BSD_SWAP_INT_H

#include "vmcore/bsd/swap_pager.h"

/* A device, or a part of one; its pages are sw_first .. sw_end - 1. */
struct swdevt {
	TAILQ_ENTRY(swdevt) sw_list;
	struct disk *disk;
	uint64_t first_sector;
	swblk_t sw_first, sw_end;
	uint32_t sw_used; /* pages */
	struct blist *sw_blist;
};

/* struct buf of one transfer. */
struct swap_buf {
	struct swap_buf *next; /* free list */
	struct disk_request rq;
	struct disk_seg seg[SWB_NPAGES];
	vm_page_t pages[SWB_NPAGES];
	struct vm *vm;
	struct disk *disk;
	vm_object_t object;
	int32_t npages;
	int32_t reqpage; /* read: the page that a thread waits for */
	int32_t *count; /* slots of its kind, to give one back */
	bool sync, done;
	int32_t error;
};

struct swap_pager {
	TAILQ_HEAD(swdevt_list, swdevt) swtailq;
	struct swdevt *swdevhd; /* where the next allocation starts */
	uint32_t ndevs;
	uint64_t total; /* pages that can hold something */
	uint64_t placing; /* taken by writers that wait for a buffer */
	uint32_t lowat, hiwat;
	bool almost_full;
	struct swap_buf *bufs, *free_bufs;
	uint32_t nbufs;
	int32_t nswbuf;
	int32_t nsw_rcount, nsw_wcount_sync, nsw_wcount_async; /* free slots */
	int32_t swap_async_max; /* tunable */
	int32_t async_max; /* what is in force */
	struct swblock *block_pool;
	uint64_t block_bytes;
};

/* swap_meta.c */
void swp_meta_convert(struct vm *vm, vm_object_t object);
void swp_meta_pool_free(struct swap_pager *sp);

/* swap_pager.c: space */
struct swdevt *swp_device_of(struct vm *vm, swblk_t blk);
swblk_t swp_pager_getswapspace(struct vm *vm, uint32_t npages);
void swp_pager_freeswapspace(struct vm *vm, swblk_t blk);

/* swap_io.c: transfers */
int swap_pager_getpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int reqpage);
void swap_pager_putpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int flags, int *rtvals);

#endif /* VMSIM_VMCORE_BSD_SWAP_INT_H */
