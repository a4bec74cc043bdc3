/*
 * vm_page.h: the page record and the page queues of the kernel `bsd`
 * (union of FreeBSD 5.0's and FreeBSD 11's fields; companions 1.2 to 1.5, R1).
 *
 *	       alloc                 fault end, unwire(1)
 *	FREE --------> busy, no queue ------------------> ACTIVE
 *	 ^ ^                |  read-ahead, unwire(0)      |  ^
 *	 | |                v                  count is 0 |  | referenced
 *	 | +---------- INACTIVE <-------------------------+  |
 *	 |  clean       |     |________________________________|
 *	 |              v  vm_page_cache
 *	 +----------- CACHE        HOLD: freed while held
 *	  recycled
 */
#ifndef VMSIM_VMCORE_VM_PAGE_H
#define VMSIM_VMCORE_VM_PAGE_H

#include <sys/queue.h>

#include "vmcore/vmcore.h"

struct vm_object;

#define ACT_DECLINE 1
#define ACT_ADVANCE 3
#define ACT_INIT 5
#define ACT_MAX 64

/* flags: FreeBSD 5 values (R7) */
#define PG_BUSY 0x0001
#define PG_WANTED 0x0002
#define PG_WINATCFLS 0x0004
#define PG_FICTITIOUS 0x0008
#define PG_WRITEABLE 0x0010
#define PG_ZERO 0x0040
#define PG_REFERENCED 0x0080
#define PG_CLEANCHK 0x0100
#define PG_SWAPINPROG 0x0200
#define PG_NOSYNC 0x0400
#define PG_UNMANAGED 0x0800
#define PG_MARKER 0x1000
/* Ours: a frame outside v_page_count (a hole, or kept by the kernel). */
#define PG_NOTAVAIL 0x4000

#define DEV_BSHIFT 9
#define DEV_BSIZE 512
#define VM_PAGE_BITS_ALL 0xffu

#define VM_ALLOC_NORMAL 0
#define VM_ALLOC_INTERRUPT 1
#define VM_ALLOC_SYSTEM 2
#define VM_ALLOC_CLASS_MASK 3
#define VM_ALLOC_WIRED 0x20
#define VM_ALLOC_ZERO 0x40
#define VM_ALLOC_RETRY 0x80
#define VM_ALLOC_NOOBJ 0x100

TAILQ_HEAD(pglist, vm_page);

struct vm_page {
	TAILQ_ENTRY(vm_page) pageq; /* its queue, or a free list */
	TAILQ_ENTRY(vm_page) listq; /* its object's pages, by index; free:
				     * its domain's pages of this colour */
	struct vm_page *left, *right; /* the object's splay tree */
	struct vm_object *object;
	vm_pindex_t pindex;
	pfn_t pfn; /* physical address >> PAGE_SHIFT */
	uint16_t queue; /* PQ_*, 0: none */
	uint16_t flags; /* PG_* */
	uint16_t pc; /* colour */
	uint16_t wire_count;
	int16_t hold_count;
	uint16_t cow;
	uint8_t act_count;
	uint8_t busy; /* shared I/O holders */
	uint8_t valid, dirty; /* a bit per 512 bytes */
	uint8_t domain;
};
typedef struct vm_page *vm_page_t;

#define VM_PAGE_TO_PHYS(m) ((vm_paddr_t)(m)->pfn << PAGE_SHIFT)

/*
 * Queue numbers are FreeBSD 5's, with the number of colours chosen at boot:
 * none 0, free 1.., inactive 1+L2, active 2+L2, cache 3+L2.., hold 3+2*L2.
 */
#define PQ_L2_MAX 256
#define PQ_NONE 0
#define PQ_FREE 1
#define PQ_INACTIVE(vm) (1 + (vm)->pq_l2_size)
#define PQ_ACTIVE(vm) (2 + (vm)->pq_l2_size)
#define PQ_CACHE(vm) (3 + (vm)->pq_l2_size)
#define PQ_HOLD(vm) (3 + 2 * (vm)->pq_l2_size)
#define PQ_COUNT(vm) (4 + 2 * (vm)->pq_l2_size)
#define PQ_COUNT_MAX (4 + 2 * PQ_L2_MAX)

/* struct vpgqueues of FreeBSD 5 and struct vm_pagequeue of FreeBSD 11 */
struct vm_pagequeue {
	struct pglist pq_pl;
	uint32_t *pq_vcnt; /* the global counter it feeds (`cnt`) */
	uint32_t pq_cnt; /* pages, markers not counted (`lcnt`) */
	const struct sim_thread *pq_lock; /* owner (R12) */
};

#define VM_MAXDOMAINS 8

struct vm_domain {
	struct vm_pagequeue vmd_inactive, vmd_active;
	struct vm_page vmd_marker; /* the scan's place */
	struct vm_page vmd_inacthead;
	struct {
		vm_paddr_t start, end;
	} vmd_seg[4];
	uint32_t vmd_nsegs;
	uint32_t vmd_page_count, vmd_free_count;
	int32_t vmd_oom_seq;
	int32_t vmd_pass;
	int32_t vmd_last_active_scan; /* ticks */
	bool vmd_oom;
	bool vmd_inacthead_queued;
	/* With several domains: this one's pages of each FREE colour, in the
	 * order of that queue, linked by listq (free pages have no object). */
	struct pglist vmd_freeq[PQ_L2_MAX];
};

/* ---- FreeBSD 5.0 vm_page.c (vmcore/bsd/vm_page.c) and vm_pageq.c ---- */

/*
 * vm_page_startup: page array and free queues over the domains' segments.
 * Wants ndomains, dom[].vmd_seg, vmd_nsegs, boot_pages and the colours
 * (vm_page_set_colours; 32 when unset). Lays aside the top boot_pages frames
 * of the largest segment. 0 or -ENOMEM, -EINVAL (nothing left to manage).
 */
int vm_page_startup(struct vm *vm, struct sim_err *err);
/* Gives the page array back (vm_destroy). */
void vm_page_shutdown(struct vm *vm);
/*
 * vm_page_set_colours: 1, 16, 32, 64, 128 or 256 colours of the free and
 * cache queues (PQ_L2_SIZE), with their search primes. -EINVAL.
 */
int vm_page_set_colours(struct vm *vm, uint32_t l2_size);
/* The same from the kernel option PQ_CACHESIZE, kilobytes of L2 cache. */
uint32_t vm_page_cachesize_colours(uint32_t kilobytes);
/* Rows of this module over *vm; called once by vm_create. */
int vm_page_tunables(struct vm *vm, struct tunables *ts);

/*
 * The seed's own arithmetic: phys[] holds n byte ranges, ascending, which it
 * rounds in place; results are left here and in cnt, page_array, pq.
 */
struct vm_page_boot {
	struct vm_phys_range {
		vm_paddr_t start, end;
	} *phys;
	uint32_t nphys;
	uint32_t boot_pages; /* for the allocator's own start */
	uint32_t struct_bytes; /* of one page descriptor */
	vm_offset_t vaddr; /* in: first free kernel address; out: advanced */
	uint64_t page_range; /* descriptors */
	uint64_t npages; /* managed, at most */
};
int vm_page_startup_phys(struct vm *vm, struct vm_page_boot *boot,
    struct sim_err *err);
void vm_set_page_size(struct vm *vm);
vm_page_t vm_phys_to_page(struct vm *vm, pfn_t pfn);
struct vm_pagequeue *vm_page_pagequeue(struct vm *vm, vm_page_t m);

void vm_page_flag_set(vm_page_t m, uint16_t bits);
void vm_page_flag_clear(vm_page_t m, uint16_t bits);
void vm_page_busy(struct vm *vm, vm_page_t m);
void vm_page_flash(struct vm *vm, vm_page_t m);
void vm_page_wakeup(struct vm *vm, vm_page_t m);
void vm_page_io_start(struct vm *vm, vm_page_t m);
void vm_page_io_finish(struct vm *vm, vm_page_t m);
void vm_page_hold(vm_page_t m);
void vm_page_unhold(struct vm *vm, vm_page_t m);
void vm_page_copy(struct vm *vm, vm_page_t src, vm_page_t dst);
void vm_page_free(struct vm *vm, vm_page_t m);
void vm_page_free_zero(struct vm *vm, vm_page_t m);
bool vm_page_sleep_busy(struct vm *vm, vm_page_t m, bool also_m_busy,
    const char *msg);
bool vm_page_sleep_if_busy(struct vm *vm, vm_page_t m, bool also_m_busy,
    const char *msg);
void vm_page_dirty(struct vm *vm, vm_page_t m);
void vm_page_undirty(vm_page_t m);
vm_page_t vm_page_splay(vm_pindex_t pindex, vm_page_t root);
void vm_page_insert(struct vm *vm, vm_page_t m, struct vm_object *object,
    vm_pindex_t pindex);
void vm_page_remove(struct vm *vm, vm_page_t m);
vm_page_t vm_page_lookup(struct vm_object *object, vm_pindex_t pindex);
/* Neighbour by index, NULL when it is not exactly one away. */
vm_page_t vm_page_next(vm_page_t m);
vm_page_t vm_page_prev(vm_page_t m);
void vm_page_rename(struct vm *vm, vm_page_t m, struct vm_object *new_object,
    vm_pindex_t new_pindex);
vm_page_t vm_page_alloc(struct vm *vm, struct vm_object *object,
    vm_pindex_t pindex, int req);
void vm_wait(struct vm *vm);
void vm_waitpfault(struct vm *vm);
void vm_page_activate(struct vm *vm, vm_page_t m);
void vm_page_deactivate(struct vm *vm, vm_page_t m);
void vm_page_unmanage(struct vm *vm, vm_page_t m);
void vm_page_wire(struct vm *vm, vm_page_t m);
void vm_page_unwire(struct vm *vm, vm_page_t m, bool activate);
bool vm_page_try_to_cache(struct vm *vm, vm_page_t m);
bool vm_page_try_to_free(struct vm *vm, vm_page_t m);
void vm_page_cache(struct vm *vm, vm_page_t m);
void vm_page_dontneed(struct vm *vm, vm_page_t m);
vm_page_t vm_page_grab(struct vm *vm, struct vm_object *object,
    vm_pindex_t pindex, int allocflags);
int vm_page_bits(struct vm *vm, int base, int size);
void vm_page_set_validclean(struct vm *vm, vm_page_t m, int base, int size);
void vm_page_clear_dirty(struct vm *vm, vm_page_t m, int base, int size);
void vm_page_set_invalid(struct vm *vm, vm_page_t m, int base, int size);
void vm_page_zero_invalid(struct vm *vm, vm_page_t m, bool setvalid);
bool vm_page_is_valid(struct vm *vm, vm_page_t m, int base, int size);
void vm_page_test_dirty(struct vm *vm, vm_page_t m);
void vm_page_cowfault(struct vm *vm, vm_page_t m);
void vm_page_cowclear(vm_page_t m);
void vm_page_cowsetup(struct vm *vm, vm_page_t m);
void vm_page_free_wakeup(struct vm *vm);
/* DDB's "show page" and "show pageq"; as snprintf. */
size_t vm_page_print_page_info(const struct vm *vm, char *buf, size_t size);
size_t vm_page_print_pageq_info(const struct vm *vm, char *buf, size_t size);

/*
 * ---- The same operations as FreeBSD 11's text expects them (section 17).
 * One transition each: do not dequeue the page first.
 */

/* R8: accepts an unbusied page; asserts unmapped and not shared-busy. */
void vm_page_free_f11(struct vm *vm, vm_page_t m);
/* R10: asserts clean, unbusied, unmapped; frees instead of caching what
 * FreeBSD 11 would free when page.f11_cache_rule is on. */
void vm_page_cache_f11(struct vm *vm, vm_page_t m);
/* R24: a fault takes the page off its queue; a cached one counts as
 * reactivated. */
void vm_page_remque(struct vm *vm, vm_page_t m);

void vm_pageq_init(struct vm *vm);
vm_page_t vm_pageq_add_new_page(struct vm *vm, vm_page_t m, pfn_t pfn);
void vm_pageq_enqueue(struct vm *vm, int queue, vm_page_t m);
void vm_pageq_requeue(struct vm *vm, vm_page_t m);
void vm_pageq_remove_nowakeup(struct vm *vm, vm_page_t m);
void vm_pageq_remove(struct vm *vm, vm_page_t m);
vm_page_t vm_pageq_find(struct vm *vm, int basequeue, vm_pindex_t colour,
    bool prefer_zero);
/* The same search over the FREE pages of one domain (several domains only). */
vm_page_t vm_pageq_find_domain(struct vm *vm, uint32_t domain,
    vm_pindex_t colour, bool prefer_zero);
/* vm_domain.c: a FREE page by colour, in the domain that vm.default_policy
 * says; NULL only when there is none anywhere. */
vm_page_t vm_domain_find_free(struct vm *vm, vm_pindex_t colour,
    bool prefer_zero);
/* Rows of vm_domain.c; called once by vm_create. */
int vm_domain_tunables(struct vm *vm, struct tunables *ts);
/* The domain that a simulated CPU belongs to. */
uint32_t vm_domain_of_cpu(const struct vm *vm, uint32_t cpu);
/* One step of the idle zeroer (vm_zeroidle.c); NULL: none needed it. */
vm_page_t vm_page_zero_idle_step(struct vm *vm);
bool vm_page_zero_check(struct vm *vm);
void vm_page_zero_idle_wakeup(struct vm *vm);
/* The `pagezero` thread, at the lowest idle priority (start_daemons). */
void vm_pagezero_start(struct vm *vm);

/* ---- invariants (vmcore/vm_check.c); each panics on the first that fails */

void vmcheck_page(struct vm *vm, vm_page_t m);
void vmcheck_queue(struct vm *vm, int queue, uint32_t domain);
void vmcheck_object(struct vm *vm, struct vm_object *object);
void vmcheck_all(struct vm *vm); /* structures and counters agree */
/* ... and pages on no queue are wired, busy or unmanaged: between kernel
 * sections. The kernel's check operation. */
void vmcheck_accounted(struct vm *vm);

static inline bool
vm_page_busied(const struct vm_page *m)
{
	return ((m->flags & PG_BUSY) != 0 || m->busy != 0);
}

#endif /* VMSIM_VMCORE_VM_PAGE_H */
