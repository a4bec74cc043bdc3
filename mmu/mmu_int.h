/*
 * mmu_int.h: private to mmu/ and its unit tests.
 *
 * Host memory per simulated frame with one mapping in a dense address space:
 * 32 bytes of struct mmu_frame, 8 of the entry itself and its share of the
 * leaf's header.
 */
#ifndef VMSIM_MMU_MMU_INT_H
#define VMSIM_MMU_MMU_INT_H

#include <sys/queue.h>

#include "mmu/mmu.h"

/*
 * A reverse mapping in one word: virtual page number above, slot of the pmap
 * below. Slots are reused, ids are not.
 */
typedef uint64_t rev_t;
#define REV_SLOT_BITS 28
#define REV_SLOT_MASK ((1u << REV_SLOT_BITS) - 1)

#define VA_BITS 48
#define PT_SHIFT 9
#define PT_ENTRIES 512u
#define LEAF_SHIFT (PAGE_SHIFT + PT_SHIFT) /* a leaf table maps 2 MiB */
#define LEAF_SPAN (1ull << LEAF_SHIFT)
#define PT_TOP 3 /* level of the root; leaves are level 0 */

/* A further reverse mapping of a frame that has several. */
struct rev_node {
	rev_t rev;
	uint32_t next; /* 0: last; or next of the free list */
	uint32_t pad;
};

/*
 * One frame. The reverse list is `rev` followed by the nodes from `more` to
 * `tail`, in the order that the kernel's rules speak of.
 */
struct mmu_frame {
	rev_t rev; /* head of the list; valid while nmap > 0 */
	uint32_t more; /* second entry, 0: none */
	uint32_t tail; /* last entry; valid while more != 0 */
	uint32_t nmap; /* managed mappings */
	uint32_t pad;
	struct mmu_frame_cpu cpu;
};
_Static_assert(sizeof(struct mmu_frame) == 32, "the budget per frame");

/* A leaf: entries of 2 MiB of addresses. All zero while on the free list,
 * but for `next`. */
struct pt_leaf {
	pte_t pte[PT_ENTRIES];
	struct pt_leaf *next; /* free list */
	uint32_t nvalid; /* entries with PTE_V */
};

/* An upper table. child[] are tables of the next level down. */
struct pt_dir {
	void *child[PT_ENTRIES];
	struct pt_dir *next; /* free list */
	uint32_t nchild;
};

#define LEAF_NONE UINT64_MAX

struct pmap {
	struct mmu *mmu;
	uint32_t id;
	uint32_t slot; /* in mmu->pmaps */
	struct pt_dir *root;
	/* the leaf found last, by va >> LEAF_SHIFT; LEAF_NONE: no leaf */
	uint64_t last_index;
	struct pt_leaf *last_leaf;
	uint64_t resident; /* valid mappings */
	uint64_t wired; /* of them wired */
};

struct mmu {
	struct sim *sim;
	uint32_t frames;
	uint8_t *ram;
	void *map; /* what was mapped, for munmap */
	uint64_t map_size;
	struct mmu_frame *frame;
	uint64_t tlb_gen;

	struct mmu_ops ops;
	void *ops_ctx;
	struct mmu_cpu_ops cpu_ops;
	void *cpu_ctx;

	/* further reverse mappings; node 0 is never used */
	struct rev_node *nodes;
	uint32_t nnodes; /* ever used, with node 0 */
	uint32_t nodes_size;
	uint32_t free_node; /* 0: none */

	/* address spaces by slot; NULL: free */
	struct pmap **pmaps;
	uint32_t npmaps, pmaps_size;
	uint32_t next_id;

	struct pt_leaf *free_leaves;
	struct pt_dir *free_dirs;
	uint64_t table_bytes; /* of all tables, free ones too */
};

#define PTE_RWM (PTE_RW | PTE_M)

static inline bool
pte_is_dirty(pte_t pte)
{
	return ((pte & PTE_RWM) == PTE_RWM);
}

static inline rev_t
rev_make(const struct pmap *pmap, vm_offset_t va)
{
	return ((va >> PAGE_SHIFT) << REV_SLOT_BITS | pmap->slot);
}

static inline vm_offset_t
rev_va(rev_t rev)
{
	return ((rev >> REV_SLOT_BITS) << PAGE_SHIFT);
}

static inline struct pmap *
rev_pmap(const struct mmu *mmu, rev_t rev)
{
	return (mmu->pmaps[rev & REV_SLOT_MASK]);
}

static inline uint64_t
leaf_index(vm_offset_t va)
{
	return (va >> LEAF_SHIFT);
}

static inline uint32_t
pte_index(vm_offset_t va)
{
	return ((uint32_t)(va >> PAGE_SHIFT) & (PT_ENTRIES - 1));
}

/* ---- rev.c: reverse lists ---- */

void rev_add_tail(struct mmu *mmu, struct mmu_frame *f, rev_t rev);
void rev_remove(struct mmu *mmu, struct mmu_frame *f, rev_t rev);
/* Head to tail. */
void rev_rotate(struct mmu *mmu, struct mmu_frame *f);

/* Walks a list from its head while nothing changes it. */
struct rev_iter {
	uint32_t next; /* node after the present one */
};

static inline rev_t
rev_first(const struct mmu_frame *f, struct rev_iter *it)
{
	it->next = f->more;
	return (f->rev);
}

static inline rev_t
rev_next(const struct mmu *mmu, struct rev_iter *it)
{
	const struct rev_node *n = &mmu->nodes[it->next];

	it->next = n->next;
	return (n->rev);
}

/* rev takes each reverse mapping of f in turn, head first. */
#define REV_FOREACH(mmu, f, rev, it, i)                                  \
	for ((i) = 0, (rev) = rev_first((f), &(it)); (i) < (f)->nmap;     \
	    (i)++, (rev) = (i) < (f)->nmap ? rev_next((mmu), &(it)) : 0)

/* ---- pagetable.c ---- */

/* The leaf of va, NULL when there is none. */
struct pt_leaf *pt_leaf_find(struct pmap *pmap, vm_offset_t va);
/* The same, made if necessary. */
struct pt_leaf *pt_leaf_make(struct pmap *pmap, vm_offset_t va);
/* The first leaf that covers any of [*va, end); *va moves up to what it
 * covers. NULL: none. */
struct pt_leaf *pt_leaf_seek(struct pmap *pmap, vm_offset_t *va,
    vm_offset_t end);
/* Gives a leaf without valid entries back, and upper tables left empty. */
void pt_leaf_release(struct pmap *pmap, vm_offset_t va);
struct pt_dir *pt_dir_new(struct mmu *mmu);
void pt_dir_free(struct mmu *mmu, struct pt_dir *dir);
void pt_destroy_free_lists(struct mmu *mmu);
void pt_destroy(struct pmap *pmap);

/* ---- pmap.c ---- */

/* The entry behind a reverse mapping; panics when there is none. */
pte_t *rev_pte(struct mmu *mmu, rev_t rev);
/* Take a valid entry away; it no longer counts, its leaf may be empty. */
void pmap_drop_pte(struct pmap *pmap, struct pt_leaf *leaf, pte_t *pte);

static inline void
mmu_page_dirty(struct mmu *mmu, pfn_t pfn)
{
	if (mmu->ops.page_dirty != NULL)
		mmu->ops.page_dirty(mmu->ops_ctx, pfn);
}

static inline void
mmu_page_reference(struct mmu *mmu, pfn_t pfn)
{
	if (mmu->ops.page_reference != NULL)
		mmu->ops.page_reference(mmu->ops_ctx, pfn);
}

static inline void
mmu_page_writeable(struct mmu *mmu, pfn_t pfn, bool writeable)
{
	if (mmu->ops.page_writeable != NULL)
		mmu->ops.page_writeable(mmu->ops_ctx, pfn, writeable);
}

#endif /* VMSIM_MMU_MMU_INT_H */
