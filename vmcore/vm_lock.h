/*
 * vm_lock.h: the locks of the FreeBSD 11 texts as owned objects (companions
 * R12). A lock is a pair of words in the structure it protects: its exclusive
 * owner and its number of readers. A try fails exactly when another simulated
 * thread holds it; a plain acquisition sleeps until it is free. They cost no
 * simulated time.
 *
 * Who must take an object's lock: everything that frees, renames, inserts or
 * looks at pages of that object and is not one uninterrupted kernel section
 * (the page daemon keeps a page's object locked across its preemption points
 * and trusts that the page stays what it was).
 */
#ifndef VMSIM_VMCORE_VM_LOCK_H
#define VMSIM_VMCORE_VM_LOCK_H

#include "vmcore/vm_int.h"

/* In the readers' word: somebody sleeps for the lock. */
#define VM_LOCK_WANTED 0x80000000u

/* The running thread; outside threads (boot, events) the VM itself. */
static inline const struct sim_thread *
vm_lock_self(const struct vm *vm)
{
	const struct sim_thread *td = sim_curthread(vm->sim);

	return (td != NULL ? td : (const struct sim_thread *)(const void *)vm);
}

/* Slow paths (vm_lock.c): sleep until free; wake the sleepers. */
void vm_lock_wait_excl(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg);
void vm_lock_wait_shared(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg);
void vm_lock_wake(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers);

static inline bool
vm_lock_try_excl(struct vm *vm, const struct sim_thread **owner,
    const uint32_t *readers)
{
	if (*owner != NULL || (*readers & ~VM_LOCK_WANTED) != 0)
		return (false);
	*owner = vm_lock_self(vm);
	return (true);
}

static inline void
vm_lock_excl(struct vm *vm, const struct sim_thread **owner, uint32_t *readers,
    const char *wmesg)
{
	if (!vm_lock_try_excl(vm, owner, readers))
		vm_lock_wait_excl(vm, owner, readers, wmesg);
}

static inline void
vm_unlock_excl(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers)
{
	KASSERT(vm->sim, *owner == vm_lock_self(vm),
	    ("lock released by a thread that does not own it"));
	*owner = NULL;
	if (*readers & VM_LOCK_WANTED)
		vm_lock_wake(vm, owner, readers);
}

static inline bool
vm_lock_try_shared(const struct sim_thread *const *owner, uint32_t *readers)
{
	if (*owner != NULL)
		return (false);
	++*readers;
	return (true);
}

static inline void
vm_lock_shared(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg)
{
	if (!vm_lock_try_shared(owner, readers))
		vm_lock_wait_shared(vm, owner, readers, wmesg);
}

static inline void
vm_unlock_shared(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers)
{
	KASSERT(vm->sim, (*readers & ~VM_LOCK_WANTED) != 0,
	    ("shared lock released that nobody holds"));
	if (--*readers == VM_LOCK_WANTED)
		vm_lock_wake(vm, owner, readers);
}

/* ---- objects: VM_OBJECT_WLOCK and so on */

static inline bool
vm_object_trywlock(struct vm *vm, vm_object_t object)
{
	return (vm_lock_try_excl(vm, &object->lock_owner,
	    &object->lock_readers));
}

static inline void
vm_object_wlock(struct vm *vm, vm_object_t object)
{
	vm_lock_excl(vm, &object->lock_owner, &object->lock_readers, "vmobj");
}

static inline void
vm_object_wunlock(struct vm *vm, vm_object_t object)
{
	vm_unlock_excl(vm, &object->lock_owner, &object->lock_readers);
}

static inline bool
vm_object_tryrlock(struct vm *vm, vm_object_t object)
{
	(void)vm;
	return (vm_lock_try_shared(&object->lock_owner, &object->lock_readers));
}

static inline void
vm_object_rlock(struct vm *vm, vm_object_t object)
{
	vm_lock_shared(vm, &object->lock_owner, &object->lock_readers, "vmobj");
}

static inline void
vm_object_runlock(struct vm *vm, vm_object_t object)
{
	vm_unlock_shared(vm, &object->lock_owner, &object->lock_readers);
}

static inline bool
vm_object_wowned(const struct vm *vm, const struct vm_object *object)
{
	return (object->lock_owner == vm_lock_self(vm));
}

/*
 * ---- the process list: the page daemon and the vm daemon hold it shared
 * while they walk it and may sleep meanwhile; whoever unlinks a process takes
 * it exclusively.
 */

static inline void
vm_allproc_slock(struct vm *vm)
{
	vm_lock_shared(vm, &vm->allproc_owner, &vm->allproc_readers, "allproc");
}

static inline void
vm_allproc_sunlock(struct vm *vm)
{
	vm_unlock_shared(vm, &vm->allproc_owner, &vm->allproc_readers);
}

static inline void
vm_allproc_xlock(struct vm *vm)
{
	vm_lock_excl(vm, &vm->allproc_owner, &vm->allproc_readers, "allproc");
}

static inline void
vm_allproc_xunlock(struct vm *vm)
{
	vm_unlock_excl(vm, &vm->allproc_owner, &vm->allproc_readers);
}

#endif /* VMSIM_VMCORE_VM_LOCK_H */
