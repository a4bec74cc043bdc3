/*
 * pmap_page.c: all mappings of one frame.
 *
 * Interface: mmu.h, "all mappings of one frame".
 * Source:    companions 5.1 (FreeBSD 11 amd64/amd64/pmap.c, January 2016);
 *            pmap_page_protect and pmap_clear_reference 5.2 (FreeBSD 5
 *            i386/i386/pmap.c).
 * Differs:   no superpages, no locks.
 */
#include "mmu/mmu_int.h"

#define PMAP_TS_REFERENCED_MAX 5
#define PMAP_EXISTS_MAX 16u /* entries that page_exists_quick looks at */

static struct mmu_frame *
frame_of(struct mmu *mmu, pfn_t pfn)
{
	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	return (&mmu->frame[pfn]);
}

pte_t *
rev_pte(struct mmu *mmu, rev_t rev)
{
	struct pmap *pmap = rev_pmap(mmu, rev);
	pte_t *pte = pmap_pte(pmap, rev_va(rev));

	KASSERT(mmu->sim, pte != NULL && (*pte & PTE_V) != 0,
	    ("pmap %u: no mapping at %#jx, but a reverse mapping", pmap->id,
		(uintmax_t)rev_va(rev)));
	return (pte);
}

/* Exclusively busied or flagged writeable: else it cannot be modified. */
static bool
may_be_written(struct mmu *mmu, pfn_t pfn)
{
	const struct mmu_ops *ops = &mmu->ops;

	if (ops->page_is_writeable == NULL ||
	    ops->page_is_writeable(mmu->ops_ctx, pfn))
		return (true);
	return (ops->page_xbusied != NULL &&
	    ops->page_xbusied(mmu->ops_ctx, pfn));
}

static void
remove_first(struct mmu *mmu, struct mmu_frame *f, pfn_t pfn)
{
	rev_t rev = f->rev;
	struct pmap *pmap = rev_pmap(mmu, rev);
	pte_t *pte = rev_pte(mmu, rev);
	pte_t old = *pte;
	struct pt_leaf *leaf = pt_leaf_find(pmap, rev_va(rev));

	pmap_drop_pte(pmap, leaf, pte);
	if (leaf->nvalid == 0)
		pt_leaf_release(pmap, rev_va(rev));
	if ((old & PTE_A) != 0)
		mmu_page_reference(mmu, pfn);
	if (pte_is_dirty(old))
		mmu_page_dirty(mmu, pfn);
	rev_remove(mmu, f, rev);
}

void
pmap_remove_all(struct mmu *mmu, pfn_t pfn)
{
	struct mmu_frame *f = frame_of(mmu, pfn);

	while (f->nmap > 0)
		remove_first(mmu, f, pfn);
	mmu_page_writeable(mmu, pfn, false);
}

void
pmap_remove_write(struct mmu *mmu, pfn_t pfn)
{
	struct mmu_frame *f = frame_of(mmu, pfn);
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	if (!may_be_written(mmu, pfn))
		return;
	REV_FOREACH(mmu, f, rev, it, i) {
		pte_t *pte = rev_pte(mmu, rev), old = *pte;

		if ((old & PTE_RW) == 0)
			continue;
		*pte = old & ~PTE_RWM;
		if ((old & PTE_M) != 0)
			mmu_page_dirty(mmu, pfn);
		mmu_tlb_stale(mmu);
	}
	mmu_page_writeable(mmu, pfn, false);
}

void
pmap_page_protect(struct mmu *mmu, pfn_t pfn, int prot)
{
	if ((prot & VM_PROT_WRITE) != 0)
		return;
	if ((prot & (VM_PROT_READ | VM_PROT_EXECUTE)) != 0)
		pmap_remove_write(mmu, pfn);
	else
		pmap_remove_all(mmu, pfn);
}

/*
 * The walk ends when the entry that was first comes round again, or at the
 * fifth reference.
 */
int
pmap_ts_referenced(struct mmu *mmu, pfn_t pfn)
{
	struct mmu_frame *f = frame_of(mmu, pfn);
	int count = 0;

	for (uint32_t i = 0; i < f->nmap && count < PMAP_TS_REFERENCED_MAX;
	    i++) {
		pte_t *pte = rev_pte(mmu, f->rev);

		if ((*pte & PTE_A) != 0) {
			*pte &= ~PTE_A;
			mmu_tlb_stale(mmu);
			count++;
		}
		rev_rotate(mmu, f);
	}
	return (count);
}

/* Does any mapping have all of these bits? */
static bool
any_mapping(struct mmu *mmu, pfn_t pfn, pte_t bits)
{
	struct mmu_frame *f = frame_of(mmu, pfn);
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	REV_FOREACH(mmu, f, rev, it, i)
		if ((*rev_pte(mmu, rev) & bits) == bits)
			return (true);
	return (false);
}

bool
pmap_is_modified(struct mmu *mmu, pfn_t pfn)
{
	return (may_be_written(mmu, pfn) && any_mapping(mmu, pfn, PTE_RWM));
}

bool
pmap_is_referenced(struct mmu *mmu, pfn_t pfn)
{
	return (any_mapping(mmu, pfn, PTE_A));
}

/* Clears `bits` in every mapping that has all of `bits` and `also`. */
static void
clear_bits(struct mmu *mmu, pfn_t pfn, pte_t bits, pte_t also)
{
	struct mmu_frame *f = frame_of(mmu, pfn);
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	REV_FOREACH(mmu, f, rev, it, i) {
		pte_t *pte = rev_pte(mmu, rev);

		if ((*pte & (bits | also)) != (bits | also))
			continue;
		*pte &= ~bits;
		mmu_tlb_stale(mmu);
	}
}

void
pmap_clear_modify(struct mmu *mmu, pfn_t pfn)
{
	const struct mmu_ops *ops = &mmu->ops;

	KASSERT(mmu->sim, ops->page_xbusied == NULL ||
	    !ops->page_xbusied(mmu->ops_ctx, pfn),
	    ("frame %u is exclusively busied", pfn));
	if (may_be_written(mmu, pfn))
		clear_bits(mmu, pfn, PTE_M, PTE_RW);
}

void
pmap_clear_reference(struct mmu *mmu, pfn_t pfn)
{
	clear_bits(mmu, pfn, PTE_A, 0);
}

bool
pmap_page_exists_quick(struct pmap *pmap, pfn_t pfn)
{
	struct mmu *mmu = pmap->mmu;
	struct mmu_frame *f = frame_of(mmu, pfn);
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	REV_FOREACH(mmu, f, rev, it, i) {
		if (i == PMAP_EXISTS_MAX)
			break;
		if (rev_pmap(mmu, rev) == pmap)
			return (true);
	}
	return (false);
}

bool
pmap_page_is_mapped(struct mmu *mmu, pfn_t pfn)
{
	return (frame_of(mmu, pfn)->nmap > 0);
}

uint32_t
pmap_page_mappings(const struct mmu *mmu, pfn_t pfn)
{
	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	return (mmu->frame[pfn].nmap);
}

void
pmap_page_foreach(struct mmu *mmu, pfn_t pfn,
    void (*fn)(void *ctx, struct pmap *pmap, vm_offset_t va, pte_t pte),
    void *ctx)
{
	struct mmu_frame *f = frame_of(mmu, pfn);
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	REV_FOREACH(mmu, f, rev, it, i)
		fn(ctx, rev_pmap(mmu, rev), rev_va(rev), *rev_pte(mmu, rev));
}
