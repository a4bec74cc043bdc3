/*
 * vm_object.h: memory objects, shadow chains and pagers of the kernel `bsd`
 * (companions 7, 9, 10).
 */
#ifndef VMSIM_VMCORE_VM_OBJECT_H
#define VMSIM_VMCORE_VM_OBJECT_H

#include "vmcore/vm_page.h"

enum obj_type { OBJT_DEFAULT, OBJT_SWAP, OBJT_VNODE, OBJT_DEVICE, OBJT_PHYS,
	OBJT_DEAD };

#define OBJ_FICTITIOUS 0x0001 /* derived from the type (R7) */
#define OBJ_UNMANAGED 0x0002
#define OBJ_ACTIVE 0x0004
#define OBJ_DEAD 0x0008
#define OBJ_NOSPLIT 0x0010
#define OBJ_PIPWNT 0x0040
#define OBJ_WRITEABLE 0x0080
#define OBJ_MIGHTBEDIRTY 0x0100
#define OBJ_CLEANING 0x0200
#define OBJ_ONEMAPPING 0x2000

#define VM_PAGER_OK 0
#define VM_PAGER_BAD 1
#define VM_PAGER_FAIL 2
#define VM_PAGER_PEND 3
#define VM_PAGER_ERROR 4
#define VM_PAGER_AGAIN 5

#define VM_PAGER_PUT_SYNC 1
#define VM_PAGER_PUT_INVAL 2
#define VM_PAGER_IGNORE_CLEANCHK 4
#define VM_PAGER_CLUSTER_OK 8

#define OBJPC_SYNC 1
#define OBJPC_INVAL 2
#define OBJPC_NOSYNC 4

struct swblock; /* swap_pager.c */

struct vm_object {
	TAILQ_ENTRY(vm_object) object_list; /* all objects, oldest first */
	LIST_HEAD(, vm_object) shadow_head; /* objects that shadow this one */
	LIST_ENTRY(vm_object) shadow_list;
	struct pglist memq; /* resident pages by index */
	struct vm_page *root; /* splay tree */
	struct vm_object *backing_object;
	uint64_t backing_object_offset; /* bytes */
	vm_pindex_t size; /* pages */
	uint32_t id; /* 1, 2, ... in order of creation; in the log */
	int32_t ref_count;
	int32_t shadow_count;
	int32_t resident_page_count;
	int32_t paging_in_progress;
	int32_t generation;
	uint16_t flags; /* OBJ_* */
	uint16_t pg_color;
	uint8_t type; /* enum obj_type */
	const struct vm_pagerops *pagerops;
	void *handle; /* struct vnode of a vnode object */
	uint32_t swp_bcount; /* metadata blocks in use */
	struct swblock **swp_blocks; /* owned by swap_pager.c */
	uint32_t swp_nblocks;
	const struct sim_thread *lock_owner; /* exclusive (R12) */
	uint32_t lock_readers;
};
typedef struct vm_object *vm_object_t;

/* A pager: what a kind of object does with its backing store. */
struct vm_pagerops {
	/* mc[reqpage] is wanted; all are PG_BUSY. Sleeps. Leaves mc[reqpage]
	 * busy, disposes of the others. VM_PAGER_OK, _FAIL, _ERROR, _BAD. */
	int (*getpages)(struct vm *vm, vm_object_t object, vm_page_t *mc,
	    int count, int reqpage);
	/* Pages are shared-busy; a status per page. */
	void (*putpages)(struct vm *vm, vm_object_t object, vm_page_t *mc,
	    int count, int flags, int *rtvals);
	/* Is there a copy in the store? before/after: contiguous neighbours. */
	bool (*haspage)(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
	    int *before, int *after);
	/* The page's copy in the store is stale or no longer needed. */
	void (*freespace)(struct vm *vm, vm_object_t object, vm_pindex_t start,
	    vm_pindex_t count);
	void (*dealloc)(struct vm *vm, vm_object_t object);
	/* Move the copies of src's [offset, offset + dst->size) to dst where it
	 * has none; destroy: src is left with nothing and becomes DEFAULT.
	 * NULL: the pager never sees collapses and splits. */
	void (*copy)(struct vm *vm, vm_object_t src, vm_object_t dst,
	    vm_pindex_t offset, bool destroy);
	/* The object's handle gets or loses a user with each reference to the
	 * object. May be NULL. release may sleep. */
	void (*reference)(struct vm *vm, vm_object_t object);
	void (*release)(struct vm *vm, vm_object_t object);
};

vm_object_t vm_object_allocate(struct vm *vm, enum obj_type type,
    vm_pindex_t size);
/* A fresh object in front of another, from byte `offset` of it on. Takes a
 * reference of its own. */
void vm_object_set_backing(struct vm *vm, vm_object_t object,
    vm_object_t backing, uint64_t offset);
void vm_object_reference(struct vm *vm, vm_object_t object);
void vm_object_deallocate(struct vm *vm, vm_object_t object); /* may sleep */
void vm_object_terminate(struct vm *vm, vm_object_t object);
void vm_object_shadow(struct vm *vm, vm_object_t *object, uint64_t *offset,
    vm_pindex_t length);
void vm_object_collapse(struct vm *vm, vm_object_t object);
bool vm_object_coalesce(struct vm *vm, vm_object_t prev, uint64_t prev_offset,
    uint64_t prev_size, uint64_t next_size);
void vm_object_split(struct vm *vm, vm_object_t *object, uint64_t *offset,
    vm_pindex_t length);
void vm_object_pip_add(vm_object_t object, int n);
void vm_object_pip_wakeup(struct vm *vm, vm_object_t object);
void vm_object_pip_wait(struct vm *vm, vm_object_t object, const char *msg);
/* start == end == 0: the whole object. */
void vm_object_page_clean(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, int flags);
void vm_object_page_remove(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, bool clean_only);
void vm_object_set_writeable_dirty(vm_object_t object);

/* Colours of new and shadow objects (companions 1.3). */
void vm_object_color_new(struct vm *vm, vm_object_t object);
void vm_object_color_shadow(struct vm *vm, vm_object_t result,
    vm_object_t source, vm_pindex_t length);

/* Byte offset in an object -> page index. */
static inline vm_pindex_t
OFF_TO_IDX(uint64_t offset)
{
	return (offset >> PAGE_SHIFT);
}

/* The first page at or after pindex; NULL: none. */
vm_page_t vm_object_page_from(vm_object_t object, vm_pindex_t pindex);
/* Sleep while another thread owns the object's lock (vm_lock.h): to be called
 * before every uninterrupted section that works on the object's pages. */
void vm_object_gate(struct vm *vm, vm_object_t object);
/* Let go of an object lock that the running thread owns, around a sleep. */
bool vm_object_sleep_begin(struct vm *vm, vm_object_t object);
void vm_object_sleep_end(struct vm *vm, vm_object_t object, bool owned);
/* Free a page whatever maps it; a wired one only loses its object. */
void vm_object_free_page(struct vm *vm, vm_page_t m);
void vm_object_pip_wakeupn(struct vm *vm, vm_object_t object, int n);
/* Unlink and recycle an object without pages, store or references. */
void vm_object_destroy(struct vm *vm, vm_object_t object);
/* Host memory of every object, at vm_destroy. */
void vm_object_shutdown(struct vm *vm);

static inline bool
vm_object_is_anonymous(const struct vm_object *object)
{
	return (object->handle == NULL &&
	    (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP));
}

static inline bool
vm_pager_has_page(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    int *before, int *after)
{
	return (object->pagerops->haspage(vm, object, pindex, before, after));
}

static inline void
vm_pager_put_pages(struct vm *vm, vm_object_t object, vm_page_t *mc, int count,
    int flags, int *rtvals)
{
	object->pagerops->putpages(vm, object, mc, count, flags, rtvals);
}

#endif /* VMSIM_VMCORE_VM_OBJECT_H */
