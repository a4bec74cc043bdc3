/*
 * vm_page_f11.h: FreeBSD 11's page module as far as its page daemon calls it
 * (companions 4): for conformance runs of that kernel's text, which must see
 * its own era's pages. Ordinary runs use FreeBSD 5's (vm_page.c).
 *
 * Free and cached pages are on no queue here (that kernel keeps them in its
 * buddy allocator); `queue` only says which of the two they are.
 */
#ifndef VMSIM_VMCORE_BSD_VM_PAGE_F11_H
#define VMSIM_VMCORE_BSD_VM_PAGE_F11_H

#include "vmcore/vm_int.h"

/* pindex must be unused in the object. */
void vm_page_insert_f11(struct vm *vm, vm_page_t m, vm_object_t object,
    vm_pindex_t pindex);
void vm_page_remove_f11(struct vm *vm, vm_page_t m);
vm_page_t vm_page_lookup_f11(vm_object_t object, vm_pindex_t pindex);
void vm_page_activate_f11(struct vm *vm, vm_page_t m);
void vm_page_deactivate_f11(struct vm *vm, vm_page_t m);
/* In front of the head marker: first to go. */
void vm_page_deactivate_noreuse_f11(struct vm *vm, vm_page_t m);
void vm_page_requeue_f11(struct vm *vm, vm_page_t m);
void vm_page_dequeue_f11(struct vm *vm, vm_page_t m);
/* Unmapped, not shared-busy, not wired. */
void vm_page_toq_f11(struct vm *vm, vm_page_t m);
void vm_page_tocache_f11(struct vm *vm, vm_page_t m);

/* Free or cached: nobody's. */
static inline bool
vm_page_is_free_f11(const struct vm_page *m)
{
	return (m->queue == PQ_FREE);
}

static inline bool
vm_page_is_cached_f11(const struct vm *vm, const struct vm_page *m)
{
	return (m->queue == PQ_CACHE(vm));
}

#endif /* VMSIM_VMCORE_BSD_VM_PAGE_F11_H */
