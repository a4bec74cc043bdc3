/*
 * vm_kernel.h: what the files of the kernel `bsd` share besides the headers
 * of its modules.
 */
#ifndef VMSIM_VMCORE_BSD_VM_KERNEL_H
#define VMSIM_VMCORE_BSD_VM_KERNEL_H

#include "vmcore/vm_int.h"

/* vm_fault.c: the kernel's fault operation. */
int vm_fault_bsd(struct vm *vm, struct vmspace *vs, vm_offset_t va,
    int access);

/* vm_pager.c: what both pagers do with a page that was read or written. */

/* Read ahead, not asked for: INACTIVE, or ACTIVE if somebody waits; unbusy. */
void vm_page_readahead_finish(struct vm *vm, vm_page_t m);
/* Of pages[0..n), those that are there are not to be read: freed. */
void vm_page_readahead_drop(struct vm *vm, vm_page_t *pages, int n);
/* A finished transfer goes into the log. */
void vm_pager_trace_io(struct vm *vm, enum vm_io_kind kind,
    const struct disk *d, const struct disk_request *rq,
    const struct vm_object *object, vm_pindex_t pindex, uint32_t pages,
    int error);

/* Buffers of FreeBSD 11's buffer cache for so much memory, by which it sizes
 * the pagers' own (kern/vfs_bio.c, kern_vfs_bio_buffer_alloc). */
#define BKVASIZE 16384u /* bytes of address space for each */
uint32_t vm_nbuf(const struct vm *vm);

/* Injected failures of the pagers: seeded, parts per million. */
struct vm_inject {
	uint32_t io_error_ppm; /* page-outs end with EIO */
	uint32_t io_read_error_ppm; /* page-ins do */
	uint32_t io_again_ppm; /* page-outs are put off (VM_PAGER_AGAIN) */
	struct sim_rng io_error, io_read_error, io_again;
};
void vm_contig_destroy(struct vm *vm); /* vm_contig.c */
int vm_inject_create(struct vm *vm, struct tunables *ts);
void vm_inject_destroy(struct vm *vm);
/* The errno that a finished transfer shall have had. */
int vm_inject_io_error(struct vm *vm, bool write, int error);
bool vm_inject_again(struct vm *vm);

#endif /* VMSIM_VMCORE_BSD_VM_KERNEL_H */
