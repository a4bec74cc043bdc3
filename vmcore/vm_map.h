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

struct vmspace {
	struct vm_map vm_map;
	int32_t vm_refcnt;
	uint64_t vm_swrss; /* resident set at the last swap-out */
	uint64_t vm_resident_extra; /* tests: pages not in the pmap */
	struct vm *vm;
};

uint64_t vmspace_swap_count(struct vm *vm, struct vmspace *vs);
bool vm_map_trylock(struct vm *vm, vm_map_t map);
bool vm_map_trylock_read(struct vm *vm, vm_map_t map);
void vm_map_lock(struct vm *vm, vm_map_t map);
void vm_map_lock_read(struct vm *vm, vm_map_t map);
void vm_map_unlock(struct vm *vm, vm_map_t map);
void vm_map_unlock_read(struct vm *vm, vm_map_t map);
bool vm_map_lookup_entry(vm_map_t map, vm_offset_t addr, vm_map_entry_t *entry);

#endif /* VMSIM_VMCORE_VM_MAP_H */
