/*
 * vm_page_bits.c: which 512-byte blocks of a page are valid and dirty.
 *
 * Interface: vmcore/vm_page.h.
 * Source:    FreeBSD 5.0 vm_page.c (vm_page_bits to vm_page_test_dirty).
 * Differs:   nothing.
 */
#include "vmcore/bsd/vm_page_int.h"

#define BLOCKS_PER_PAGE ((int)(PAGE_SIZE / DEV_BSIZE))

/*
 * vm_page_bits: one bit for each block that [base, base + size) touches.
 * Units: bytes, inside one page.
 */
int
vm_page_bits(struct vm *vm, int base, int size)
{
	int first, last;

	VM_KASSERT(vm, base + size <= (int)PAGE_SIZE,
	    ("BITS_RANGE: bytes %d+%d of a page", base, size));
	if (size == 0)
		return (0);
	first = base >> DEV_BSHIFT;
	last = (base + size - 1) >> DEV_BSHIFT;
	return ((int)((2u << (last & 31)) - (1u << (first & 31))));
}

static bool
vm_page_block_valid(const struct vm_page *m, int byte)
{
	return ((m->valid & (1u << ((byte >> DEV_BSHIFT) & 31))) != 0);
}

/*
 * Zero what a range leaves over of the invalid blocks at its two ends: it is
 * about to be called valid. A range that covers a block whole leaves nothing.
 */
static void
vm_page_zero_edges(struct vm *vm, vm_page_t m, int base, int size)
{
	int end = base + size;
	int before = base & (DEV_BSIZE - 1);
	int after = end & (DEV_BSIZE - 1);

	if (before != 0 && !vm_page_block_valid(m, base))
		vm->pmap->zero_page_area(vm, m, base - before, before);
	if (after != 0 && !vm_page_block_valid(m, end))
		vm->pmap->zero_page_area(vm, m, end, DEV_BSIZE - after);
}

/*
 * vm_page_set_validclean: the blocks that the range touches are valid and
 * clean. For the whole page the mappings' modify bits are cleared too, and
 * PG_NOSYNC.
 */
void
vm_page_set_validclean(struct vm *vm, vm_page_t m, int base, int size)
{
	int bits;

	if (size == 0)
		return;
	vm_page_zero_edges(vm, m, base, size);
	bits = vm_page_bits(vm, base, size);
	m->valid |= (uint8_t)bits;
	m->dirty &= (uint8_t)~bits;
	if (base == 0 && size == (int)PAGE_SIZE) {
		vm->pmap->clear_modify(vm, m);
		vm_page_flag_clear(m, PG_NOSYNC);
	}
}

void
vm_page_clear_dirty(struct vm *vm, vm_page_t m, int base, int size)
{
	m->dirty &= (uint8_t)~vm_page_bits(vm, base, size);
}

/* The blocks hold nothing any more. The page must belong to an object. */
void
vm_page_set_invalid(struct vm *vm, vm_page_t m, int base, int size)
{
	int bits = vm_page_bits(vm, base, size);

	KASSERT(vm->sim, m->object != NULL,
	    ("INVALID_NO_OBJECT: page %u has no object", m->pfn));
	m->valid &= (uint8_t)~bits;
	m->dirty &= (uint8_t)~bits;
	m->object->generation++;
}

/*
 * vm_page_zero_invalid: zero every run of invalid blocks, since the page is
 * about to be seen by a program. setvalid: they count as valid from now on.
 */
void
vm_page_zero_invalid(struct vm *vm, vm_page_t m, bool setvalid)
{
	int block, start = 0;

	for (block = 0; block <= BLOCKS_PER_PAGE; block++) {
		if (block < BLOCKS_PER_PAGE && (m->valid & (1 << block)) == 0)
			continue;
		if (block > start)
			vm->pmap->zero_page_area(vm, m, start << DEV_BSHIFT,
			    (block - start) << DEV_BSHIFT);
		start = block + 1;
	}
	if (setvalid)
		m->valid = VM_PAGE_BITS_ALL;
}

/* Size 0 asks whether anything is valid. */
bool
vm_page_is_valid(struct vm *vm, vm_page_t m, int base, int size)
{
	int bits = vm_page_bits(vm, base, size);

	return (m->valid != 0 && (m->valid & bits) == bits);
}

/* Take the mappings' modify bits into account; they stay set. */
void
vm_page_test_dirty(struct vm *vm, vm_page_t m)
{
	if (m->dirty != VM_PAGE_BITS_ALL && vm->pmap->is_modified(vm, m))
		vm_page_dirty(vm, m);
}
