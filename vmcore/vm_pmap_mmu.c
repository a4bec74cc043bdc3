/*
 * vm_pmap_mmu.c: the page module's view of the machine in ordinary runs: the
 * mmu folder, asked by page record, and its calls back.
 *
 * Interface: vmcore/vm_int.h (vm_pmap_mmu, vm_pmap_mmu_attach).
 * Source:    companions 5.1 and 5.2, R5, R6.
 * Differs:   what costs time is charged here, so that callers need not:
 *            zeroing, copying, and each mapping removed or write-protected.
 */
#include "vmcore/vm_int.h"

/* ---- downward */

static void
mmu_op_spend_mappings(struct vm *vm, const struct vm_page *m)
{
	uint32_t n = pmap_page_mappings(vm->mmu, m->pfn);

	if (n != 0)
		vm_spend(vm, n * vm->cost.pmap_remove);
}

static void
mmu_op_remove_all(struct vm *vm, vm_page_t m)
{
	mmu_op_spend_mappings(vm, m);
	pmap_remove_all(vm->mmu, m->pfn);
}

static void
mmu_op_remove_write(struct vm *vm, vm_page_t m)
{
	if ((m->flags & PG_WRITEABLE) != 0)
		mmu_op_spend_mappings(vm, m);
	pmap_remove_write(vm->mmu, m->pfn);
}

static void
mmu_op_page_protect(struct vm *vm, vm_page_t m, int prot)
{
	if ((prot & VM_PROT_WRITE) == 0)
		mmu_op_spend_mappings(vm, m);
	pmap_page_protect(vm->mmu, m->pfn, prot);
}

static int
mmu_op_ts_referenced(struct vm *vm, vm_page_t m)
{
	return (pmap_ts_referenced(vm->mmu, m->pfn));
}

static bool
mmu_op_is_modified(struct vm *vm, vm_page_t m)
{
	return (pmap_is_modified(vm->mmu, m->pfn));
}

/*
 * FreeBSD 11's asserts that nobody owns the page; the page module is
 * FreeBSD 5's and clears the bits of pages that its caller owns.
 */
static void
mmu_op_clear_modify(struct vm *vm, vm_page_t m)
{
	uint16_t busy = m->flags & PG_BUSY;

	m->flags &= (uint16_t)~PG_BUSY;
	pmap_clear_modify(vm->mmu, m->pfn);
	m->flags |= busy;
}

static bool
mmu_op_page_is_mapped(struct vm *vm, vm_page_t m)
{
	return (pmap_page_is_mapped(vm->mmu, m->pfn));
}

static bool
mmu_op_page_is_write_mapped(struct vm *vm, vm_page_t m)
{
	(void)vm;
	return ((m->flags & PG_WRITEABLE) != 0);
}

static bool
mmu_op_page_exists_quick(struct vm *vm, struct pmap *pmap, vm_page_t m)
{
	(void)vm;
	return (pmap_page_exists_quick(pmap, m->pfn));
}

static uint64_t
mmu_op_resident_count(struct vm *vm, struct pmap *pmap)
{
	(void)vm;
	return (pmap_resident_count(pmap));
}

static void
mmu_op_remove_range(struct vm *vm, struct pmap *pmap, vm_offset_t s,
    vm_offset_t e)
{
	uint64_t before = pmap_resident_count(pmap);

	pmap_remove(pmap, s, e);
	vm_spend(vm, (uint32_t)(before - pmap_resident_count(pmap)) *
	    vm->cost.pmap_remove);
}

static void
mmu_op_zero_page(struct vm *vm, vm_page_t m)
{
	mmu_zero_frame(vm->mmu, m->pfn);
	vm_spend(vm, vm->cost.zero_page);
}

static void
mmu_op_zero_page_area(struct vm *vm, vm_page_t m, int off, int size)
{
	mmu_zero_area(vm->mmu, m->pfn, (uint32_t)off, (uint32_t)size);
	vm_spend(vm, (uint32_t)((uint64_t)vm->cost.zero_page *
	    (uint32_t)size / PAGE_SIZE));
}

static void
mmu_op_copy_page(struct vm *vm, vm_page_t src, vm_page_t dst)
{
	mmu_copy_frame(vm->mmu, src->pfn, dst->pfn);
	vm_spend(vm, vm->cost.copy_page);
}

const struct vm_pmap_ops vm_pmap_mmu = {
	.remove_all = mmu_op_remove_all,
	.remove_write = mmu_op_remove_write,
	.page_protect = mmu_op_page_protect,
	.ts_referenced = mmu_op_ts_referenced,
	.is_modified = mmu_op_is_modified,
	.clear_modify = mmu_op_clear_modify,
	.page_is_mapped = mmu_op_page_is_mapped,
	.page_is_write_mapped = mmu_op_page_is_write_mapped,
	.page_exists_quick = mmu_op_page_exists_quick,
	.resident_count = mmu_op_resident_count,
	.remove_range = mmu_op_remove_range,
	.zero_page = mmu_op_zero_page,
	.zero_page_area = mmu_op_zero_page_area,
	.copy_page = mmu_op_copy_page,
};

/* ---- upward: what a mapping's bits mean for the page */

/* Only frames with records are ever mapped as managed. */
static vm_page_t
mmu_up_page(struct vm *vm, pfn_t pfn)
{
	vm_page_t m = vm_phys_to_page(vm, pfn);

	KASSERT(vm->sim, m != NULL,
	    ("MMU_FOREIGN_FRAME: frame %u is mapped but unknown", pfn));
	return (m);
}

static void
mmu_up_dirty(void *ctx, pfn_t pfn)
{
	struct vm *vm = ctx;

	vm_page_dirty(vm, mmu_up_page(vm, pfn));
}

static void
mmu_up_reference(void *ctx, pfn_t pfn)
{
	vm_page_flag_set(mmu_up_page(ctx, pfn), PG_REFERENCED);
}

static void
mmu_up_writeable(void *ctx, pfn_t pfn, bool writeable)
{
	vm_page_t m = mmu_up_page(ctx, pfn);

	if (writeable)
		vm_page_flag_set(m, PG_WRITEABLE);
	else
		vm_page_flag_clear(m, PG_WRITEABLE);
}

static bool
mmu_up_xbusied(void *ctx, pfn_t pfn)
{
	return ((mmu_up_page(ctx, pfn)->flags & PG_BUSY) != 0);
}

static bool
mmu_up_is_writeable(void *ctx, pfn_t pfn)
{
	return ((mmu_up_page(ctx, pfn)->flags & PG_WRITEABLE) != 0);
}

static const struct mmu_ops vm_mmu_ops = {
	.page_dirty = mmu_up_dirty,
	.page_reference = mmu_up_reference,
	.page_writeable = mmu_up_writeable,
	.page_xbusied = mmu_up_xbusied,
	.page_is_writeable = mmu_up_is_writeable,
};

/* Make vm->mmu the machine below vm. */
void
vm_pmap_mmu_attach(struct vm *vm)
{
	vm->pmap = &vm_pmap_mmu;
	mmu_set_ops(vm->mmu, &vm_mmu_ops, vm);
}
