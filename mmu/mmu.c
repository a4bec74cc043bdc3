/*
 * mmu.c: simulated RAM, frames, and the state of the CPUs' TLBs.
 *
 * Interface: mmu.h.
 * Source:    Unicorn notes sections 2 and 5 (stale marking, translated code);
 *            the consistency check is our own.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mmu/mmu_int.h"

#define HOST_HUGE_PAGE (2ull << 20)
#define PTE_SEEN (1ull << 63) /* used by mmu_check only */

/* ------------------------------------------------------------ life cycle */

/*
 * Touching a host page for the first time costs more than most of what we
 * simulate. Huge pages make that rare; populating ahead would make a small
 * program pay for a large machine (0.2 s and more per 128 MB here).
 */
static void
ram_huge_pages(struct mmu *mmu)
{
	(void)madvise(mmu->ram, (uint64_t)mmu->frames << PAGE_SHIFT,
	    MADV_HUGEPAGE);
}

static int
ram_map(struct mmu *mmu)
{
	uint64_t bytes = (uint64_t)mmu->frames << PAGE_SHIFT;
	uintptr_t base;

	mmu->map_size = bytes + HOST_HUGE_PAGE;
	mmu->map = mmap(NULL, mmu->map_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mmu->map == MAP_FAILED)
		return (-1);
	base = ((uintptr_t)mmu->map + HOST_HUGE_PAGE - 1) &
	    ~(uintptr_t)(HOST_HUGE_PAGE - 1);
	mmu->ram = (uint8_t *)base;
	ram_huge_pages(mmu);
	return (0);
}

/* NULL only when the host is out of memory. */
struct mmu *
mmu_create(struct sim *sim, uint32_t frames)
{
	struct mmu *mmu = calloc(1, sizeof(*mmu));

	if (mmu == NULL)
		return (NULL);
	mmu->sim = sim;
	mmu->frames = frames;
	mmu->tlb_gen = 1;
	mmu->frame = calloc(frames ? frames : 1, sizeof(*mmu->frame));
	if (mmu->frame == NULL)
		goto fail;
	if (ram_map(mmu) != 0)
		goto fail;
	return (mmu);
fail:
	free(mmu->frame);
	free(mmu);
	return (NULL);
}

/* Address spaces that are left are destroyed with all they map. */
void
mmu_destroy(struct mmu *mmu)
{
	if (mmu == NULL)
		return;
	mmu->ops = (struct mmu_ops) { NULL, NULL, NULL, NULL, NULL };
	for (uint32_t i = 0; i < mmu->pmaps_size; i++)
		if (mmu->pmaps[i] != NULL) {
			pmap_remove(mmu->pmaps[i], 0, 1ull << VA_BITS);
			pmap_destroy(mmu->pmaps[i]);
		}
	pt_destroy_free_lists(mmu);
	munmap(mmu->map, mmu->map_size);
	free(mmu->pmaps);
	free(mmu->nodes);
	free(mmu->frame);
	free(mmu);
}

void
mmu_set_ops(struct mmu *mmu, const struct mmu_ops *ops, void *ctx)
{
	mmu->ops = *ops;
	mmu->ops_ctx = ctx;
}

void
mmu_set_cpu_ops(struct mmu *mmu, const struct mmu_cpu_ops *ops, void *ctx)
{
	mmu->cpu_ops = *ops;
	mmu->cpu_ctx = ctx;
}

uint32_t
mmu_frames(const struct mmu *mmu)
{
	return (mmu->frames);
}

/* ------------------------------------------------------------ contents */

void *
mmu_ram(struct mmu *mmu)
{
	return (mmu->ram);
}

static uint8_t *
frame_bytes(const struct mmu *mmu, pfn_t pfn)
{
	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	return (mmu->ram + ((uint64_t)pfn << PAGE_SHIFT));
}

const void *
mmu_frame_data(const struct mmu *mmu, pfn_t pfn)
{
	return (frame_bytes(mmu, pfn));
}

void *
mmu_frame_data_write(struct mmu *mmu, pfn_t pfn)
{
	uint8_t *data = frame_bytes(mmu, pfn);
	struct mmu_frame_cpu *fc = &mmu->frame[pfn].cpu;

	if (fc->has_code) {
		if (mmu->cpu_ops.kill_code != NULL)
			mmu->cpu_ops.kill_code(mmu->cpu_ctx, pfn);
		fc->has_code = 0;
		mmu_tlb_stale(mmu);
	}
	return (data);
}

void
mmu_zero_frame(struct mmu *mmu, pfn_t pfn)
{
	memset(mmu_frame_data_write(mmu, pfn), 0, PAGE_SIZE);
}

/* offset and size in bytes, within the frame. */
void
mmu_zero_area(struct mmu *mmu, pfn_t pfn, uint32_t offset, uint32_t size)
{
	KASSERT(mmu->sim, offset <= PAGE_SIZE && size <= PAGE_SIZE - offset,
	    ("%u bytes at %u do not lie in a frame", size, offset));
	memset((uint8_t *)mmu_frame_data_write(mmu, pfn) + offset, 0, size);
}

void
mmu_copy_frame(struct mmu *mmu, pfn_t from, pfn_t to)
{
	KASSERT(mmu->sim, from != to, ("frame %u copied to itself", from));
	memcpy(mmu_frame_data_write(mmu, to), frame_bytes(mmu, from),
	    PAGE_SIZE);
}

/* ------------------------------------------------------------ TLB */

uint64_t
mmu_tlb_gen(const struct mmu *mmu)
{
	return (mmu->tlb_gen);
}

void
mmu_tlb_stale(struct mmu *mmu)
{
	mmu->tlb_gen++;
}

struct mmu_frame_cpu *
mmu_frame_cpu(struct mmu *mmu, pfn_t pfn)
{
	KASSERT(mmu->sim, pfn < mmu->frames, ("there is no frame %u", pfn));
	return (&mmu->frame[pfn].cpu);
}

/* ------------------------------------------------------------ accounting */

uint64_t
mmu_overhead_bytes(const struct mmu *mmu)
{
	return (sizeof(*mmu) +
	    (uint64_t)mmu->frames * sizeof(struct mmu_frame) +
	    (uint64_t)mmu->nodes_size * sizeof(struct rev_node) +
	    (uint64_t)mmu->pmaps_size * sizeof(struct pmap *) +
	    (uint64_t)mmu->npmaps * sizeof(struct pmap) + mmu->table_bytes);
}

/* ------------------------------------------------------------ checking */

/* Marks the entries behind one frame's reverse list. */
static uint64_t
check_frame(struct mmu *mmu, pfn_t pfn)
{
	struct mmu_frame *f = &mmu->frame[pfn];
	struct rev_iter it;
	rev_t rev;
	uint32_t i;

	REV_FOREACH(mmu, f, rev, it, i) {
		pte_t *pte;

		KASSERT(mmu->sim, (rev & REV_SLOT_MASK) < mmu->pmaps_size &&
		    rev_pmap(mmu, rev) != NULL,
		    ("frame %u: a reverse mapping of no pmap", pfn));
		pte = rev_pte(mmu, rev);
		KASSERT(mmu->sim, PTE_FRAME(*pte) == pfn,
		    ("frame %u: the mapping at %#jx is of frame %u", pfn,
			(uintmax_t)rev_va(rev), PTE_FRAME(*pte)));
		KASSERT(mmu->sim, (*pte & PTE_MANAGED) != 0,
		    ("frame %u: an unmanaged reverse mapping", pfn));
		KASSERT(mmu->sim, (*pte & PTE_SEEN) == 0,
		    ("frame %u: a reverse mapping twice", pfn));
		*pte |= PTE_SEEN;
	}
	KASSERT(mmu->sim, it.next == 0 || f->nmap == 0,
	    ("frame %u: the reverse list is longer than %u", pfn, f->nmap));
	KASSERT(mmu->sim, f->nmap != 0 || f->more == 0,
	    ("frame %u: a reverse list of no length", pfn));
	return (f->nmap);
}

/* Counts a leaf's entries; takes the marks away. Returns the managed ones. */
static uint64_t
check_leaf(struct pmap *pmap, struct pt_leaf *leaf, uint64_t *valid,
    uint64_t *wired)
{
	struct mmu *mmu = pmap->mmu;
	uint64_t nvalid = 0, managed = 0;

	for (uint32_t i = 0; i < PT_ENTRIES; i++) {
		pte_t pte = leaf->pte[i];

		leaf->pte[i] &= ~PTE_SEEN;
		KASSERT(mmu->sim, (pte & PTE_V) != 0 || pte == 0,
		    ("pmap %u: bits in an empty entry", pmap->id));
		if (pte == 0)
			continue;
		nvalid++;
		*wired += (pte & PTE_WIRED) != 0;
		managed += (pte & PTE_MANAGED) != 0;
		KASSERT(mmu->sim, PTE_FRAME(pte) < mmu->frames,
		    ("pmap %u: there is no frame %u", pmap->id,
			PTE_FRAME(pte)));
		KASSERT(mmu->sim, ((pte & PTE_MANAGED) != 0) ==
		    ((pte & PTE_SEEN) != 0),
		    ("pmap %u: a mapping of frame %u misses on its reverse "
		     "list", pmap->id, PTE_FRAME(pte)));
	}
	KASSERT(mmu->sim, nvalid == leaf->nvalid && nvalid > 0,
	    ("pmap %u: a leaf says %u entries and has %ju", pmap->id,
		leaf->nvalid, (uintmax_t)nvalid));
	*valid += nvalid;
	return (managed);
}

static uint64_t
check_pmap(struct pmap *pmap)
{
	uint64_t valid = 0, wired = 0, managed = 0;
	struct pt_leaf *leaf;
	vm_offset_t va = 0;

	while ((leaf = pt_leaf_seek(pmap, &va, 1ull << VA_BITS)) != NULL) {
		managed += check_leaf(pmap, leaf, &valid, &wired);
		va += LEAF_SPAN;
	}
	KASSERT(pmap->mmu->sim, valid == pmap->resident,
	    ("pmap %u: resident count %ju, mappings %ju", pmap->id,
		(uintmax_t)pmap->resident, (uintmax_t)valid));
	KASSERT(pmap->mmu->sim, wired == pmap->wired,
	    ("pmap %u: wired count %ju, wired mappings %ju", pmap->id,
		(uintmax_t)pmap->wired, (uintmax_t)wired));
	return (managed);
}

void
mmu_check(struct mmu *mmu)
{
	uint64_t reverse = 0, managed = 0;

	for (pfn_t pfn = 0; pfn < mmu->frames; pfn++)
		reverse += check_frame(mmu, pfn);
	for (uint32_t i = 0; i < mmu->pmaps_size; i++)
		if (mmu->pmaps[i] != NULL)
			managed += check_pmap(mmu->pmaps[i]);
	KASSERT(mmu->sim, reverse == managed,
	    ("%ju reverse mappings, %ju managed mappings",
		(uintmax_t)reverse, (uintmax_t)managed));
}
