/*
 * vm_copy.c: the kernel's access to user memory, page by page through the
 * page tables, as the processor would do it.
 *
 * Interface: vmcore/vmcore.h (vm_copyin, vm_copyout, vm_copyinstr).
 * Source:    our own; reference "unicorn_notes", rules 4 and 7: the walker
 *            sets the referenced and modified bits itself, and kills code
 *            translated from a frame before it changes its bytes.
 */
#include <errno.h>
#include <string.h>

#include "vmcore/vm_int.h"

/* The frame behind va, present and allowed for the access; PFN_NONE: EFAULT. */
static pfn_t
vm_copy_frame(struct vm *vm, struct vmspace *vs, vm_offset_t va, int access)
{
	pte_t need = PTE_V | PTE_U, got = PTE_A;
	pte_t *pte;

	if ((access & VM_PROT_WRITE) != 0) {
		need |= PTE_RW;
		got |= PTE_M;
	}
	if (va < vs->vm_map.min_offset || va >= vs->vm_map.max_offset)
		return (PFN_NONE);
	for (;;) {
		pte = pmap_pte(vs->vm_map.pmap, va);
		if (pte != NULL && (*pte & need) == need)
			break;
		if (vm_fault(vm, vs, va, access) != KERN_SUCCESS)
			return (PFN_NONE);
	}
	*pte |= got;
	return (PTE_FRAME(*pte));
}

static uint32_t
vm_copy_chunk(vm_offset_t va, uint64_t n)
{
	uint64_t room = PAGE_SIZE - (va & PAGE_MASK);

	return ((uint32_t)(n < room ? n : room));
}

int
vm_copyin(struct vm *vm, struct vmspace *vs, vm_offset_t va, void *buf,
    uint64_t n)
{
	uint8_t *to = buf;
	uint32_t chunk;
	pfn_t pfn;

	for (; n > 0; n -= chunk, va += chunk, to += chunk) {
		chunk = vm_copy_chunk(va, n);
		pfn = vm_copy_frame(vm, vs, va, VM_PROT_READ);
		if (pfn == PFN_NONE)
			return (EFAULT);
		memcpy(to, (const uint8_t *)mmu_frame_data(vm->mmu, pfn) +
		    (va & PAGE_MASK), chunk);
		sim_spend(vm->sim, (uint64_t)vm->cost.copy_word * (chunk + 7) /
		    8);
	}
	return (0);
}

int
vm_copyout(struct vm *vm, struct vmspace *vs, vm_offset_t va, const void *buf,
    uint64_t n)
{
	const uint8_t *from = buf;
	uint32_t chunk;
	pfn_t pfn;

	for (; n > 0; n -= chunk, va += chunk, from += chunk) {
		chunk = vm_copy_chunk(va, n);
		pfn = vm_copy_frame(vm, vs, va, VM_PROT_WRITE);
		if (pfn == PFN_NONE)
			return (EFAULT);
		memcpy((uint8_t *)mmu_frame_data_write(vm->mmu, pfn) +
		    (va & PAGE_MASK), from, chunk);
		sim_spend(vm->sim, (uint64_t)vm->cost.copy_word * (chunk + 7) /
		    8);
	}
	return (0);
}

int
vm_copyinstr(struct vm *vm, struct vmspace *vs, vm_offset_t va, char *buf,
    size_t size, size_t *length)
{
	size_t done = 0;

	while (done < size) {
		uint32_t chunk = vm_copy_chunk(va, size - done);
		const char *from, *nul;
		pfn_t pfn;

		pfn = vm_copy_frame(vm, vs, va, VM_PROT_READ);
		if (pfn == PFN_NONE)
			return (EFAULT);
		from = (const char *)mmu_frame_data(vm->mmu, pfn) +
		    (va & PAGE_MASK);
		nul = memchr(from, 0, chunk);
		if (nul != NULL)
			chunk = (uint32_t)(nul - from) + 1;
		memcpy(buf + done, from, chunk);
		sim_spend(vm->sim, (uint64_t)vm->cost.copy_word * (chunk + 7) /
		    8);
		done += chunk;
		va += chunk;
		if (nul != NULL) {
			if (length != NULL)
				*length = done;
			return (0);
		}
	}
	return (ENAMETOOLONG);
}
