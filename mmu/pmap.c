/*
 * pmap.c: mappings of one address space.
 *
 * Interface: mmu.h, "pmap: one address space".
 * Source:    companions 5.1 (FreeBSD 11 amd64/amd64/pmap.c, January 2016,
 *            functions of the same names).
 * Differs:   no superpages; page-table pages never run out; a page's flags
 *            are the caller's, told through struct mmu_ops.
 *
 * Whoever takes bits or rights away from an entry with A set makes the TLB
 * stale. An entry without A is in no TLB: a fill sets A, and clearing it made
 * the TLB stale already.
 */
#include <stdlib.h>

#include "mmu/mmu_int.h"

#define PMAPS_FIRST_SIZE 16u

/* ------------------------------------------------------------ life cycle */

static uint32_t
pmap_slot_get(struct mmu *mmu)
{
	uint32_t size = mmu->pmaps_size, i;
	struct pmap **pmaps;

	for (i = 0; i < size; i++)
		if (mmu->pmaps[i] == NULL)
			return (i);
	size = size ? size * 2 : PMAPS_FIRST_SIZE;
	pmaps = size <= REV_SLOT_MASK ?
	    realloc(mmu->pmaps, size * sizeof(struct pmap *)) : NULL;
	if (pmaps == NULL)
		return (UINT32_MAX);
	for (uint32_t j = i; j < size; j++)
		pmaps[j] = NULL;
	mmu->pmaps = pmaps;
	mmu->pmaps_size = size;
	return (i);
}

/* NULL only when the host is out of memory. */
struct pmap *
pmap_create(struct mmu *mmu)
{
	struct pmap *pmap = calloc(1, sizeof(*pmap));
	uint32_t slot = pmap_slot_get(mmu);

	if (pmap == NULL || slot == UINT32_MAX) {
		free(pmap);
		return (NULL);
	}
	pmap->mmu = mmu;
	pmap->id = ++mmu->next_id;
	pmap->slot = slot;
	pmap->last_index = LEAF_NONE;
	pmap->root = pt_dir_new(mmu);
	mmu->pmaps[slot] = pmap;
	mmu->npmaps++;
	return (pmap);
}

void
pmap_destroy(struct pmap *pmap)
{
	struct mmu *mmu = pmap->mmu;

	KASSERT(mmu->sim, pmap->resident == 0,
	    ("pmap %u is destroyed with %ju mappings", pmap->id,
		(uintmax_t)pmap->resident));
	pt_destroy(pmap);
	mmu->pmaps[pmap->slot] = NULL;
	mmu->npmaps--;
	free(pmap);
}

uint32_t
pmap_id(const struct pmap *pmap)
{
	return (pmap->id);
}

uint64_t
pmap_resident_count(const struct pmap *pmap)
{
	return (pmap->resident);
}

uint64_t
pmap_wired_count(const struct pmap *pmap)
{
	return (pmap->wired);
}

/* ------------------------------------------------------------ removing */

/* Something that a TLB may hold is going away or losing rights. */
static inline void
pte_invalidate(struct mmu *mmu, pte_t old)
{
	if ((old & PTE_A) != 0)
		mmu->tlb_gen++;
}

void
pmap_drop_pte(struct pmap *pmap, struct pt_leaf *leaf, pte_t *pte)
{
	pte_t old = *pte;

	*pte = 0;
	leaf->nvalid--;
	pmap->resident--;
	if ((old & PTE_WIRED) != 0)
		pmap->wired--;
	pte_invalidate(pmap->mmu, old);
}

/* The frame of a vanished mapping leaves the reverse list. */
static void
pmap_unlink(struct pmap *pmap, vm_offset_t va, pfn_t pfn)
{
	struct mmu_frame *f = &pmap->mmu->frame[pfn];

	rev_remove(pmap->mmu, f, rev_make(pmap, va));
	if (f->nmap == 0)
		mmu_page_writeable(pmap->mmu, pfn, false);
}

/* What the bits of a vanished managed mapping mean for its page. */
static void
pmap_pass_bits(struct mmu *mmu, pte_t old)
{
	if (pte_is_dirty(old))
		mmu_page_dirty(mmu, PTE_FRAME(old));
	if ((old & PTE_A) != 0)
		mmu_page_reference(mmu, PTE_FRAME(old));
}

static void
pmap_remove_pte(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pte_t *pte = &leaf->pte[pte_index(va)];
	pte_t old = *pte;

	pmap_drop_pte(pmap, leaf, pte);
	if ((old & PTE_MANAGED) == 0)
		return;
	pmap_pass_bits(pmap->mmu, old);
	pmap_unlink(pmap, va, PTE_FRAME(old));
}

/* Process exit: A is lost, and so is what is not wired. */
static void
pmap_exit_pte(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pte_t *pte = &leaf->pte[pte_index(va)];
	pte_t old = *pte;

	if ((old & PTE_WIRED) != 0)
		return;
	pmap_drop_pte(pmap, leaf, pte);
	if ((old & PTE_MANAGED) == 0)
		return;
	if (pte_is_dirty(old))
		mmu_page_dirty(pmap->mmu, PTE_FRAME(old));
	pmap_unlink(pmap, va, PTE_FRAME(old));
}

/* ------------------------------------------------------------ ranges */

typedef void pmap_pte_fn(struct pmap *pmap, struct pt_leaf *leaf,
    vm_offset_t va);

static inline vm_offset_t
leaf_end(vm_offset_t va, vm_offset_t end)
{
	vm_offset_t next = (leaf_index(va) + 1) << LEAF_SHIFT;

	return (next < end ? next : end);
}

/*
 * Applies fn to each valid entry of [start, end) in order of address; holes
 * of any size cost next to nothing. Inlined, so that fn is too.
 */
static inline __attribute__((always_inline)) void
pmap_range(struct pmap *pmap, vm_offset_t start, vm_offset_t end,
    pmap_pte_fn *fn)
{
	vm_offset_t va = start & ~(vm_offset_t)PAGE_MASK;
	struct pt_leaf *leaf;

	while ((leaf = pt_leaf_seek(pmap, &va, end)) != NULL) {
		vm_offset_t first = va, stop = leaf_end(va, end);

		for (; va < stop && leaf->nvalid > 0; va += PAGE_SIZE)
			if ((leaf->pte[pte_index(va)] & PTE_V) != 0)
				fn(pmap, leaf, va);
		va = stop;
		if (leaf->nvalid == 0)
			pt_leaf_release(pmap, first);
	}
}

void
pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end)
{
	pmap_range(pmap, start, end, pmap_remove_pte);
}

/*
 * pmap_remove_pages: wired mappings stay; whoever unmaps the space afterwards
 * unwires and removes them one by one.
 */
void
pmap_remove_pages(struct pmap *pmap)
{
	pmap_range(pmap, 0, 1ull << VA_BITS, pmap_exit_pte);
}

static void
pmap_protect_write(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pte_t *pte = &leaf->pte[pte_index(va)];
	pte_t old = *pte;

	if ((old & PTE_RWM) == 0)
		return;
	if (pte_is_dirty(old) && (old & PTE_MANAGED) != 0)
		mmu_page_dirty(pmap->mmu, PTE_FRAME(old));
	*pte = old & ~PTE_RWM;
	pte_invalidate(pmap->mmu, old);
}

static void
pmap_protect_execute(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pte_t *pte = &leaf->pte[pte_index(va)];

	if ((*pte & PTE_X) == 0)
		return;
	*pte &= ~PTE_X;
	pte_invalidate(pmap->mmu, *pte);
}

/* Without READ the mappings go; A stays otherwise, so does PG_WRITEABLE. */
void
pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end, int prot)
{
	if ((prot & VM_PROT_READ) == 0) {
		pmap_remove(pmap, start, end);
		return;
	}
	if ((prot & VM_PROT_WRITE) == 0)
		pmap_range(pmap, start, end, pmap_protect_write);
	if ((prot & VM_PROT_EXECUTE) == 0)
		pmap_range(pmap, start, end, pmap_protect_execute);
}

/* M and RW: M and A go. Otherwise A alone. */
static inline void
pmap_advise_pte(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va,
    bool dontneed)
{
	pte_t *pte = &leaf->pte[pte_index(va)];
	pte_t old = *pte;

	if ((old & PTE_MANAGED) == 0)
		return;
	if (pte_is_dirty(old)) {
		if (dontneed)
			mmu_page_dirty(pmap->mmu, PTE_FRAME(old));
		*pte = old & ~(PTE_M | PTE_A);
	} else
		*pte = old & ~PTE_A;
	pte_invalidate(pmap->mmu, old);
}

static void
pmap_advise_dontneed(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pmap_advise_pte(pmap, leaf, va, true);
}

static void
pmap_advise_free(struct pmap *pmap, struct pt_leaf *leaf, vm_offset_t va)
{
	pmap_advise_pte(pmap, leaf, va, false);
}

void
pmap_advise(struct pmap *pmap, vm_offset_t start, vm_offset_t end, int advice)
{
	if (advice == PMAP_ADVISE_DONTNEED)
		pmap_range(pmap, start, end, pmap_advise_dontneed);
	else if (advice == PMAP_ADVISE_FREE)
		pmap_range(pmap, start, end, pmap_advise_free);
}

/* ------------------------------------------------------------ entering */

static pte_t
pte_make(pfn_t pfn, int prot)
{
	pte_t pte = (pte_t)pfn << PAGE_SHIFT | PTE_V;

	if ((prot & VM_PROT_READ) != 0)
		pte |= PTE_U;
	if ((prot & VM_PROT_WRITE) != 0)
		pte |= PTE_RW;
	if ((prot & VM_PROT_EXECUTE) != 0)
		pte |= PTE_X;
	return (pte);
}

/* The entry that pmap_enter wants, but for PTE_MANAGED. */
static pte_t
enter_pte(struct mmu *mmu, pfn_t pfn, int prot, int flags)
{
	pte_t pte = pte_make(pfn, prot) | PTE_A;

	if ((flags & PMAP_ENTER_WRITE_FAULT) != 0)
		pte |= PTE_M;
	if ((flags & PMAP_ENTER_WIRED) != 0)
		pte |= PTE_WIRED;
	KASSERT(mmu->sim, (pte & PTE_RWM) != PTE_M,
	    ("write fault on frame %u without write permission", pfn));
	if ((flags & PMAP_ENTER_UNMANAGED) != 0 && (pte & PTE_RW) != 0)
		pte |= PTE_M;
	return (pte);
}

/* A managed mapping of pfn at va comes into being. */
static void
enter_link(struct pmap *pmap, vm_offset_t va, pfn_t pfn, pte_t pte)
{
	rev_add_tail(pmap->mmu, &pmap->mmu->frame[pfn], rev_make(pmap, va));
	if ((pte & PTE_RW) != 0)
		mmu_page_writeable(pmap->mmu, pfn, true);
}

static void
pmap_count_wired(struct pmap *pmap, pte_t old, pte_t new)
{
	if ((new & PTE_WIRED) != 0 && (old & PTE_WIRED) == 0)
		pmap->wired++;
	else if ((new & PTE_WIRED) == 0 && (old & PTE_WIRED) != 0)
		pmap->wired--;
}

/*
 * The same page again: a change of rights or wiring. Left exactly as it is
 * when only A and M would differ.
 */
static void
enter_same(struct pmap *pmap, pte_t *pte, pte_t new)
{
	struct mmu *mmu = pmap->mmu;
	pte_t old = *pte;

	pmap_count_wired(pmap, old, new);
	if ((old & PTE_MANAGED) != 0) {
		new |= PTE_MANAGED;
		if ((new & PTE_RW) != 0)
			mmu_page_writeable(mmu, PTE_FRAME(new), true);
	}
	if (((old ^ new) & ~(PTE_M | PTE_A)) == 0)
		return;
	*pte = new;
	if ((new & PTE_M) == 0 && pte_is_dirty(old) &&
	    (old & PTE_MANAGED) != 0)
		mmu_page_dirty(mmu, PTE_FRAME(old));
	if ((old & ~new & (PTE_M | PTE_RW | PTE_U | PTE_X)) != 0)
		pte_invalidate(mmu, old);
}

/* Another page takes the place: the old one gets its bits and leaves. */
static void
enter_replace(struct pmap *pmap, vm_offset_t va, pte_t *pte, pte_t new,
    bool managed)
{
	struct mmu *mmu = pmap->mmu;
	pte_t old = *pte;

	pmap_count_wired(pmap, old, new);
	if (managed) {
		new |= PTE_MANAGED;
		enter_link(pmap, va, PTE_FRAME(new), new);
	}
	*pte = new;
	if ((old & PTE_MANAGED) != 0) {
		pmap_pass_bits(mmu, old);
		pmap_unlink(pmap, va, PTE_FRAME(old));
	}
	pte_invalidate(mmu, old);
}

static void
enter_new(struct pmap *pmap, vm_offset_t va, struct pt_leaf *leaf, pte_t new,
    bool managed)
{
	leaf->nvalid++;
	pmap->resident++;
	if ((new & PTE_WIRED) != 0)
		pmap->wired++;
	if (managed) {
		new |= PTE_MANAGED;
		enter_link(pmap, va, PTE_FRAME(new), new);
	}
	leaf->pte[pte_index(va)] = new;
}

void
pmap_enter(struct pmap *pmap, vm_offset_t va, pfn_t pfn, int prot, int flags)
{
	struct mmu *mmu = pmap->mmu;
	struct pt_leaf *leaf = pt_leaf_make(pmap, va);
	pte_t *pte = &leaf->pte[pte_index(va)];
	pte_t new = enter_pte(mmu, pfn, prot, flags);
	bool managed = (flags & PMAP_ENTER_UNMANAGED) == 0;

	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	if ((*pte & PTE_V) == 0)
		enter_new(pmap, va, leaf, new, managed);
	else if (PTE_FRAME(*pte) == pfn)
		enter_same(pmap, pte, new);
	else
		enter_replace(pmap, va, pte, new, managed);
}

bool
pmap_enter_quick(struct pmap *pmap, vm_offset_t va, pfn_t pfn, int prot)
{
	struct mmu *mmu = pmap->mmu;
	struct pt_leaf *leaf = pt_leaf_make(pmap, va);

	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	if ((leaf->pte[pte_index(va)] & PTE_V) != 0)
		return (false);
	enter_new(pmap, va, leaf, pte_make(pfn, prot & ~VM_PROT_WRITE), true);
	return (true);
}

/* ------------------------------------------------------------ copying */

static void
copy_pte(struct pmap *dst, vm_offset_t va, pte_t pte)
{
	struct pt_leaf *leaf;

	if ((pte & (PTE_V | PTE_MANAGED)) != (PTE_V | PTE_MANAGED))
		return;
	leaf = pt_leaf_make(dst, va);
	if ((leaf->pte[pte_index(va)] & PTE_V) != 0)
		return;
	pte &= ~(PTE_WIRED | PTE_M | PTE_A);
	leaf->nvalid++;
	dst->resident++;
	rev_add_tail(dst->mmu, &dst->mmu->frame[PTE_FRAME(pte)],
	    rev_make(dst, va));
	leaf->pte[pte_index(va)] = pte;
}

/*
 * pmap_copy: an optimisation of fork, so it does nothing when the addresses
 * differ, as in the original. RW is copied; the caller has write-protected
 * what must not be shared for writing.
 */
void
pmap_copy(struct pmap *dst, struct pmap *src, vm_offset_t dst_addr,
    uint64_t length, vm_offset_t src_addr)
{
	vm_offset_t va = src_addr, end = src_addr + length;
	struct pt_leaf *leaf;

	if (dst_addr != src_addr)
		return;
	while ((leaf = pt_leaf_seek(src, &va, end)) != NULL) {
		vm_offset_t stop = leaf_end(va, end);

		for (; va < stop; va += PAGE_SIZE)
			copy_pte(dst, va, leaf->pte[pte_index(va)]);
	}
}

/* ------------------------------------------------------------ one entry */

void
pmap_change_wiring(struct pmap *pmap, vm_offset_t va, bool wired)
{
	pte_t *pte = pmap_pte(pmap, va);
	pte_t old;

	if (pte == NULL || (*pte & PTE_V) == 0)
		return;
	old = *pte;
	*pte = wired ? old | PTE_WIRED : old & ~PTE_WIRED;
	pmap_count_wired(pmap, old, *pte);
}

pfn_t
pmap_extract(struct pmap *pmap, vm_offset_t va)
{
	pte_t *pte = pmap_pte(pmap, va);

	if (pte == NULL || (*pte & PTE_V) == 0)
		return (PFN_NONE);
	return (PTE_FRAME(*pte));
}
