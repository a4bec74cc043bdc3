/*
 * vm_map.h: address maps (companions 7.4, 7.5). Entries are a sorted list
 * plus a lookup structure; `header` closes the ring.
 */
#ifndef VMSIM_VMCORE_VM_MAP_H
#define VMSIM_VMCORE_VM_MAP_H

#include "vmcore/vm_object.h"

#define MAP_ENTRY_NOSYNC 0x1
#define MAP_ENTRY_IS_SUB_MAP 0x2
#define MAP_ENTRY_COW 0x4
#define MAP_ENTRY_NEEDS_COPY 0x8
#define MAP_ENTRY_BEHAV_NORMAL 0x00
#define MAP_ENTRY_BEHAV_SEQUENTIAL 0x40
#define MAP_ENTRY_BEHAV_RANDOM 0x80
#define MAP_ENTRY_BEHAV_MASK 0xc0
#define MAP_ENTRY_GROWS_DOWN 0x1000
#define MAP_ENTRY_USER_WIRED 0x2000
#define MAP_ENTRY_STACK 0x4000 /* ours: part of a stack */
/* Linux's advice about forks: children do not have it, or find it empty. */
#define MAP_ENTRY_DONTFORK 0x10000
#define MAP_ENTRY_WIPEONFORK 0x20000
#define MAP_ENTRY_FORK_MASK 0x30000

#define VM_STACK_GUARD (256u * PAGE_SIZE) /* Linux: kept free below a stack */
#define VM_STACK_SGROWSIZ (128u * 1024) /* a stack's first size and step */

enum vm_inherit { VM_INHERIT_SHARE, VM_INHERIT_COPY, VM_INHERIT_NONE };

struct vm_map_entry {
	struct vm_map_entry *prev, *next; /* by address */
	struct vm_map_entry *left, *right; /* lookup tree */
	vm_offset_t start, end;
	vm_offset_t avail_ssize; /* GROWS_DOWN: bytes it may still grow */
	vm_object_t object; /* NULL until first use */
	uint64_t offset; /* bytes, in object */
	uint32_t eflags; /* MAP_ENTRY_* */
	uint8_t protection, max_protection;
	uint8_t inheritance;
	uint8_t read_ahead; /* pages, FreeBSD 11 window */
	uint16_t wired_count;
	vm_pindex_t next_read; /* FreeBSD 11: expected next fault */
	vm_pindex_t lastr; /* FreeBSD 5 */
};
typedef struct vm_map_entry *vm_map_entry_t;

struct vm_map {
	struct vm_map_entry header; /* next: first entry, prev: last */
	struct vm_map_entry *root;
	struct pmap *pmap;
	vm_offset_t min_offset, max_offset;
	uint64_t size; /* bytes mapped */
	uint32_t nentries;
	uint32_t timestamp; /* bumped by every change */
	const struct sim_thread *lock_owner; /* exclusive */
	uint32_t lock_readers;
};
typedef struct vm_map *vm_map_t;

/* What a fault needs to know of an address (vm_map_lookup). */
struct vm_map_lookup {
	vm_map_entry_t entry;
	vm_object_t object;
	vm_pindex_t pindex;
	int prot; /* rights of the mapping to be made */
	bool wired;
};

struct vmspace {
	struct vm_map vm_map;
	int32_t vm_refcnt;
	uint64_t vm_swrss; /* resident set at the last swap-out */
	uint64_t vm_resident_extra; /* tests: pages not in the pmap */
	struct vm *vm;
	vm_offset_t mmap_top; /* where the search for free space begins */
	uint32_t id; /* 1, 2, ... in order of creation */
	TAILQ_ENTRY(vmspace) link; /* all of the VM's, oldest first */
	bool vm_shm; /* SysV shared memory is attached */
};

/* Host memory of every address space, at vm_destroy. */
void vmspace_shutdown(struct vm *vm);
bool vm_map_trylock(struct vm *vm, vm_map_t map);
bool vm_map_trylock_read(struct vm *vm, vm_map_t map);
void vm_map_lock(struct vm *vm, vm_map_t map);
void vm_map_lock_read(struct vm *vm, vm_map_t map);
void vm_map_unlock(struct vm *vm, vm_map_t map);
void vm_map_unlock_read(struct vm *vm, vm_map_t map);
bool vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entry);

/* ---- vm_map.c: the entries; the map is locked exclusively ---- */

void vm_map_init(vm_map_t map, struct pmap *pmap, vm_offset_t min,
    vm_offset_t max);
/* The exclusive lock becomes a shared one. */
void vm_map_lock_downgrade(struct vm *vm, vm_map_t map);
struct vm_map_entry *vm_map_entry_create(struct vm *vm);
void vm_map_entry_link(struct vm *vm, vm_map_t map, vm_map_entry_t after,
    vm_map_entry_t entry);
void vm_map_clip_start(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t start);
void vm_map_clip_end(struct vm *vm, vm_map_t map, vm_map_entry_t entry,
    vm_offset_t end);
/* Merge with the neighbours where nothing tells them apart. */
void vm_map_simplify_entry(struct vm *vm, vm_map_t map, vm_map_entry_t entry);
/* The first entry that ends above addr, clipped there; the header if none. */
vm_map_entry_t vm_map_entry_from(struct vm *vm, vm_map_t map,
    vm_offset_t addr, bool clip);

/* How a new entry is to look. A reference to object is taken over. */
struct vm_map_new {
	vm_offset_t start, end;
	vm_object_t object; /* NULL: zero-fill memory */
	uint64_t offset;
	uint32_t eflags;
	uint8_t prot, max_prot, inheritance;
};
/* KERN_NO_SPACE when something is there. *entry may be a grown neighbour. */
int vm_map_insert(struct vm *vm, vm_map_t map, const struct vm_map_new *n,
    vm_map_entry_t *entry);
/* Take [start, end) out; the entries go to *deferred, to be disposed of once
 * the map is unlocked. May sleep for busy pages. */
void vm_map_delete(struct vm *vm, vm_map_t map, vm_offset_t start,
    vm_offset_t end, vm_map_entry_t *deferred);
void vm_map_dispose(struct vm *vm, vm_map_entry_t deferred);
/* Take [start, end) out with its memory, in order of address by `next`. */
void vm_map_take(struct vm *vm, vm_map_t map, vm_offset_t start,
    vm_offset_t end, vm_map_entry_t *taken);
void vm_map_entry_pool_free(struct vm *vm);
bool vm_map_range_free(vm_map_t map, vm_offset_t start, vm_offset_t end);
/* Space for length bytes ending at or below top; 0 when there is none. */
vm_offset_t vm_map_findspace(vm_map_t map, vm_offset_t top, uint64_t length);
/* Lowest address that a stack entry's reservation and guard occupy. */
vm_offset_t vm_map_entry_floor(const struct vm_map_entry *entry);
void vm_map_check(struct vm *vm, struct vmspace *vs);

/* ---- vm_map_lookup.c ---- */

/* The map is locked (shared suffices). KERN_*; may make objects. */
int vm_map_lookup(struct vm *vm, vm_map_t map, vm_offset_t va, int access,
    struct vm_map_lookup *l);
/* The file at the bottom of an entry's chain, and where in it (bytes) the
 * entry begins; NULL: anonymous. */
vm_object_t vm_map_entry_file(const struct vm_map_entry *entry,
    uint64_t *offset);
/* Locked exclusively. false: the address is not in a stack's reach. */
bool vm_map_growstack(struct vm *vm, vm_map_t map, vm_offset_t va);
/* Enter what is resident of an object that has just been mapped. */
enum vm_prefault { PREFAULT_FULL, PREFAULT_PARTIAL, PREFAULT_MADVISE };
void vm_map_pmap_enter(struct vm *vm, vm_map_t map, vm_offset_t addr, int prot,
    vm_object_t object, vm_pindex_t pindex, uint64_t size,
    enum vm_prefault kind);

/* ---- bsd/vm_wire.c: user: for mlock. ENOMEM: a hole, or no page. Sleep. */

int vm_map_wire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user);
int vm_map_unwire(struct vm *vm, struct vmspace *vs, vm_offset_t start,
    vm_offset_t end, bool user);

/* ---- vm_fault.c ---- */

/* Fault the page in for all the entry's rights and wire it. KERN_*. */
int vm_fault_wire(struct vm *vm, struct vmspace *vs, vm_offset_t va);
/* Undo it for [start, end) of an entry. */
void vm_fault_unwire(struct vm *vm, vm_map_t map, vm_offset_t start,
    vm_offset_t end);
/* Fork of wired writable memory: copy now. */
void vm_fault_copy_entry(struct vm *vm, vm_map_t dst_map, vm_map_t src_map,
    vm_map_entry_t dst, vm_map_entry_t src);

/* pmap_remove, pmap_protect with their cost for each mapping lost. */
void vm_pmap_remove(struct vm *vm, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end);
void vm_pmap_protect(struct vm *vm, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end, int prot);
/* One mapping ahead of use; the page must be valid. */
void vm_pmap_enter_quick(struct vm *vm, struct pmap *pmap, vm_offset_t va,
    vm_page_t m, int prot);

static inline int
vm_map_effective_prot(int prot)
{
	/* x86 has no memory that can be written or executed but not read. */
	return ((prot & (VM_PROT_WRITE | VM_PROT_EXECUTE)) != 0 ?
		prot | VM_PROT_READ : prot);
}

#endif /* VMSIM_VMCORE_VM_MAP_H */
