/*
 * vm_fault.h: the state of one fault, shared by vm_fault.c, vm_fault_read.c
 * and vm_fault_map.c.
 */
#ifndef VMSIM_VMCORE_BSD_VM_FAULT_H
#define VMSIM_VMCORE_BSD_VM_FAULT_H

#include "vmcore/vm_int.h"

struct vnode;

#define VM_FAULT_READ_AHEAD_MIN 7
#define VM_FAULT_READ_AHEAD_INIT 15
#define VM_FAULT_READ_AHEAD_MAX 31
#define VM_FAULT_READ_DEFAULT 16
#define VM_FAULT_READ_MAX (1 + VM_FAULT_READ_AHEAD_MAX)
#define VM_FAULT_ARRAY (VM_FAULT_READ_DEFAULT + VM_FAULT_READ_MAX)
#define VM_FAULT_DONTNEED_MIN (2u << 20) /* bytes: block behind a fault */
#define PFBAK 4
#define PFFOR 4

struct faultstate {
	struct vm *vm;
	struct vmspace *vs;
	vm_map_t map;
	struct vm_map_entry *entry;
	vm_offset_t va; /* page aligned */
	int access; /* VM_PROT_* asked for; a wired entry asks for all */
	int prot; /* rights of the mapping */
	bool wire; /* the caller wires the page (VM_FAULT_CHANGE_WIRING) */
	bool wired; /* the entry is wired */
	bool lookup_still_valid; /* the map is locked (shared) */
	uint32_t map_timestamp;
	vm_object_t first_object; /* top of the chain; we hold a reference */
	vm_pindex_t first_pindex;
	vm_page_t first_m; /* placeholder in it, busy */
	vm_object_t object; /* where the search is */
	vm_pindex_t pindex;
	vm_page_t m; /* busy */
	struct vnode *vp; /* locked (shared) for page-in */
	bool hardfault;
	int behind, ahead; /* window of the prefault */
	bool prefault;
	vm_pindex_t next_read; /* after a hard fault */
	/* record */
	uint32_t restarts;
	enum vm_fault_kind kind;
	pfn_t pfn; /* for the record */
	uint32_t object_id;
	vm_pindex_t record_pindex;
};

enum fault_verdict {
	FAULT_FOUND, /* fs->m is the page, busy */
	FAULT_NEXT, /* not in this object: look behind it */
	FAULT_RESTART, /* everything was let go; start over */
	FAULT_FAIL, /* everything was let go; fs->error */
};

/* vm_fault.c */
void vm_fault_release_page(struct faultstate *fs);
void vm_fault_unlock_and_deallocate(struct faultstate *fs);
void vm_fault_unlock_map(struct faultstate *fs);

/* vm_fault_read.c: ask the pager of fs->object for fs->m. */
enum fault_verdict vm_fault_read(struct faultstate *fs, int *error);

/* vm_fault_map.c */
void vm_fault_prefault(struct faultstate *fs, int backward, int forward);

static inline bool
P_KILLED(const struct vm *vm)
{
	const struct proc *p = vm_curproc(vm);

	return (p != NULL && p->p_killed);
}

#endif /* VMSIM_VMCORE_BSD_VM_FAULT_H */
