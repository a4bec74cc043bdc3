/*
 * vm_fault.c: page faults: find the page for an address through the shadow
 * chain, reading, zeroing or copying it if need be, and map it.
 *
 * Interface: vm_fault_bsd (struct vm_kernel_ops), vmcore/vm_map.h
 *            (vm_fault_wire).
 * Source:    FreeBSD 11 vm_fault.c of the end of 2015, vm_fault_hold(), as
 *            told by companions 6.1 to 6.4, on FreeBSD 5 pages (R24).
 * Differs:   object locks are only waited for (vm_object.c); reading and its
 *            window are in vm_fault_read.c, mappings ahead of use in
 *            vm_fault_map.c.
 */
#include "vmcore/bsd/swap_pager.h"
#include "vmcore/bsd/vm_fault.h"
#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vnode_pager.h"

/* ------------------------------------------------------------ letting go */

void
vm_fault_unlock_map(struct faultstate *fs)
{
	if (fs->lookup_still_valid) {
		vm_map_unlock_read(fs->vm, fs->map);
		fs->lookup_still_valid = false;
	}
}

/* The page is not needed after all: to the tail of INACTIVE. */
void
vm_fault_release_page(struct faultstate *fs)
{
	vm_page_wakeup(fs->vm, fs->m);
	vm_page_deactivate(fs->vm, fs->m);
	fs->m = NULL;
}

static void
vm_fault_free_page(struct faultstate *fs, vm_page_t *m)
{
	vm_page_free(fs->vm, *m);
	*m = NULL;
}

/* Give back everything but fs->m: the placeholder, the chain, the map. */
void
vm_fault_unlock_and_deallocate(struct faultstate *fs)
{
	struct vm *vm = fs->vm;

	vm_object_pip_wakeup(vm, fs->object);
	if (fs->object != fs->first_object) {
		if (fs->first_m != NULL)
			vm_fault_free_page(fs, &fs->first_m);
		vm_object_pip_wakeup(vm, fs->first_object);
	}
	vm_object_deallocate(vm, fs->first_object);
	vm_fault_unlock_map(fs);
	if (fs->vp != NULL) {
		vnode_unlock(vm, fs->vp);
		vnode_rele(vm, fs->vp);
		fs->vp = NULL;
	}
}

/* ------------------------------------------------------------ dirty rule */

/*
 * The mapping will be writable (6.4). Only a write makes the page dirty here;
 * a later store through the mapping is found in the page table.
 */
static void
vm_fault_dirty(struct faultstate *fs, vm_page_t m, bool mark_object)
{
	struct vm *vm = fs->vm;

	if ((fs->prot & VM_PROT_WRITE) == 0 || (m->flags & PG_UNMANAGED) != 0)
		return;
	if (mark_object)
		vm_object_set_writeable_dirty(m->object);
	if ((fs->entry->eflags & MAP_ENTRY_NOSYNC) == 0)
		vm_page_flag_clear(m, PG_NOSYNC);
	else if (m->dirty == 0)
		vm_page_flag_set(m, PG_NOSYNC);
	if ((fs->access & VM_PROT_WRITE) != 0 && !fs->wire) {
		vm_page_dirty(vm, m);
		swap_pager_unswapped(vm, m);
	}
}

static void
vm_fault_enter(struct faultstate *fs, vm_page_t m)
{
	int flags = 0;

	if ((fs->access & VM_PROT_WRITE) != 0 &&
	    (fs->prot & VM_PROT_WRITE) != 0)
		flags |= PMAP_ENTER_WRITE_FAULT;
	if (fs->wired)
		flags |= PMAP_ENTER_WIRED;
	if ((m->flags & PG_UNMANAGED) != 0)
		flags |= PMAP_ENTER_UNMANAGED;
	/* A program may write to it from now on (companions, R24). */
	vm_page_flag_clear(m, PG_ZERO);
	pmap_enter(fs->map->pmap, fs->va, m->pfn, fs->prot, flags);
	vm_spend(fs->vm, fs->vm->cost.pmap_enter);
	fs->pfn = m->pfn;
	fs->object_id = m->object->id;
	fs->record_pindex = m->pindex;
}

/* ------------------------------------------------------------ fast path */

/*
 * The page is resident, valid and idle in the top object: map it and touch
 * no queue. False: the slow way.
 */
static bool
vm_fault_soft_fast(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	vm_page_t m;

	if (fs->wired || fs->wire || ((fs->prot & VM_PROT_WRITE) != 0 &&
	    fs->first_object->type == OBJT_VNODE &&
	    (fs->first_object->flags & OBJ_MIGHTBEDIRTY) == 0))
		return (false);
	m = vm_page_lookup(fs->first_object, fs->first_pindex);
	if (m == NULL || m->valid != VM_PAGE_BITS_ALL ||
	    ((fs->prot & VM_PROT_WRITE) != 0 && vm_page_busied(m)))
		return (false);
	/* A cached page is not resident to FreeBSD 11. */
	if (vm_queue_of(vm, m, m->queue) == VMQ_CACHE)
		return (false);
	vm_fault_enter(fs, m);
	vm_fault_dirty(fs, m, false);
	vm_fault_prefault(fs, PFBAK, PFFOR);
	vm_map_unlock_read(vm, fs->map);
	fs->lookup_still_valid = false;
	fs->kind = VMF_FAST;
	return (true);
}

/* ------------------------------------------------------------ slow path */

/* Resident but in somebody's hands: wait and start over. */
static enum fault_verdict
vm_fault_busy(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	vm_page_t m = fs->m;

	vm_page_flag_set(m, PG_REFERENCED);
	fs->m = NULL;
	if (fs->object != fs->first_object) {
		vm_fault_free_page(fs, &fs->first_m);
		vm_object_pip_wakeup(vm, fs->first_object);
	}
	vm_fault_unlock_map(fs);
	(void)vm_page_sleep_if_busy(vm, m, true, "vmpfw");
	vm_object_pip_wakeup(vm, fs->object);
	vm->cnt.v_intrans++;
	vm_object_deallocate(vm, fs->first_object);
	return (FAULT_RESTART);
}

/* Take the page for ourselves. */
static enum fault_verdict
vm_fault_resident(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	uint32_t why;

	if (vm_page_busied(fs->m))
		return (vm_fault_busy(fs));
	why = vm_why(vm, WHY_FAULT_TAKE);
	vm_page_remque(vm, fs->m);
	vm_why(vm, why);
	vm_page_busy(vm, fs->m);
	return (FAULT_FOUND);
}

/* The file is not as long as its mapping. */
static enum fault_verdict
vm_fault_past_end(struct faultstate *fs, int *error)
{
	*error = fs->object->type == OBJT_VNODE ? KERN_MEMORY_ERROR :
						  KERN_PROTECTION_FAILURE;
	fs->m = NULL;
	vm_fault_unlock_and_deallocate(fs);
	return (FAULT_FAIL);
}

/*
 * A page for an index that is not resident; in the top object it becomes the
 * placeholder. When memory is severe it is not even tried.
 */
static enum fault_verdict
vm_fault_allocate(struct faultstate *fs, int *error)
{
	struct vm *vm = fs->vm;
	bool killed = P_KILLED(vm);
	int req;

	if (fs->pindex >= fs->object->size)
		return (vm_fault_past_end(fs, error));
	fs->m = NULL;
	if (killed || !vm_page_count_severe(vm)) {
		req = killed ? VM_ALLOC_SYSTEM : VM_ALLOC_NORMAL;
		if (fs->object->type != OBJT_VNODE &&
		    fs->object->backing_object == NULL)
			req |= VM_ALLOC_ZERO;
		fs->m = vm_page_alloc(vm, fs->object, fs->pindex, req);
	}
	if (fs->m != NULL)
		return (FAULT_FOUND);
	vm_fault_unlock_and_deallocate(fs);
	vm_waitpfault(vm);
	return (FAULT_RESTART);
}

/* What the present object has to say about the page. */
static enum fault_verdict
vm_fault_object(struct faultstate *fs, int *error)
{
	enum fault_verdict v;

	vm_object_gate(fs->vm, fs->object);
	if ((fs->object->flags & OBJ_DEAD) != 0) {
		*error = KERN_PROTECTION_FAILURE;
		vm_fault_unlock_and_deallocate(fs);
		return (FAULT_FAIL);
	}
	fs->m = vm_page_lookup(fs->object, fs->pindex);
	if (fs->m != NULL && fs->object->type == OBJT_VNODE &&
	    fs->pindex >= fs->object->size)
		return (vm_fault_past_end(fs, error));
	if (fs->m != NULL) {
		v = vm_fault_resident(fs);
		if (v != FAULT_FOUND || fs->m->valid == VM_PAGE_BITS_ALL)
			return (v);
	} else if (fs->object->type != OBJT_DEFAULT ||
	    fs->object == fs->first_object) {
		v = vm_fault_allocate(fs, error);
		if (v != FAULT_FOUND)
			return (v);
	}
	if (fs->object->type == OBJT_DEFAULT)
		return (FAULT_NEXT);
	return (vm_fault_read(fs, error));
}

/* Nobody has it: the placeholder becomes a page of zeroes. */
static void
vm_fault_zerofill(struct faultstate *fs)
{
	struct vm *vm = fs->vm;

	if (fs->object != fs->first_object) {
		vm_object_pip_wakeup(vm, fs->object);
		fs->object = fs->first_object;
		fs->pindex = fs->first_pindex;
		fs->m = fs->first_m;
	}
	fs->first_m = NULL;
	if ((fs->m->flags & PG_ZERO) == 0)
		vm->pmap->zero_page(vm, fs->m);
	else
		vm->cnt.v_ozfod++;
	vm->cnt.v_zfod++;
	fs->m->valid = VM_PAGE_BITS_ALL;
	fs->prefault = false;
	fs->kind = VMF_ZERO;
}

static void
vm_fault_next(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	vm_object_t next = fs->object->backing_object;

	vm_object_pip_add(next, 1);
	if (fs->object != fs->first_object)
		vm_object_pip_wakeup(vm, fs->object);
	fs->pindex += OFF_TO_IDX(fs->object->backing_object_offset);
	fs->object = next;
	vm_spend(vm, vm->cost.fault_step);
}

/* Walk down the chain until the page is found, fs->m busy. */
static enum fault_verdict
vm_fault_search(struct faultstate *fs, int *error)
{
	enum fault_verdict v;

	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	for (;;) {
		v = vm_fault_object(fs, error);
		if (v != FAULT_NEXT)
			return (v);
		if (fs->object == fs->first_object)
			fs->first_m = fs->m;
		if (fs->object->backing_object == NULL) {
			vm_fault_zerofill(fs);
			return (FAULT_FOUND);
		}
		vm_fault_next(fs);
	}
}

/* ------------------------------------------------------------ copying */

/* Is the page the top object's alone, so that it can be moved up? */
static bool
vm_fault_may_move(const struct faultstate *fs)
{
	return (fs->object->shadow_count == 1 && fs->object->ref_count == 1 &&
	    vm_object_is_anonymous(fs->object) &&
	    fs->first_object->lock_owner == NULL &&
	    fs->object == fs->first_object->backing_object);
}

/* Move the backing object's page up in place of the placeholder. */
static void
vm_fault_move_up(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	vm_page_t placeholder = fs->first_m;
	uint32_t why = vm_why(vm, WHY_RENAME);

	vm_page_free(vm, placeholder);
	vm_page_rename(vm, fs->m, fs->first_object, fs->first_pindex);
	vm_why(vm, why);
	vm_page_busy(vm, fs->m);
	fs->first_m = fs->m;
	fs->m = NULL;
	vm->cnt.v_cow_optim++;
	fs->kind = VMF_COW_MOVE;
}

static void
vm_fault_copy_up(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	uint32_t why;

	vm_page_copy(vm, fs->m, fs->first_m);
	why = vm_why(vm, WHY_COW_SOURCE);
	vm_fault_release_page(fs);
	vm_why(vm, why);
	if (!fs->hardfault)
		fs->kind = VMF_COW;
}

/*
 * The page is in a backing object: a write gets a copy of its own, a read
 * maps it without the right to write.
 */
static void
vm_fault_cow(struct faultstate *fs)
{
	struct vm *vm = fs->vm;

	if (fs->object == fs->first_object)
		return;
	if ((fs->access & VM_PROT_WRITE) == 0) {
		fs->prot &= ~VM_PROT_WRITE;
		return;
	}
	if (vm_fault_may_move(fs))
		vm_fault_move_up(fs);
	else
		vm_fault_copy_up(fs);
	vm_object_pip_wakeup(vm, fs->object);
	fs->object = fs->first_object;
	fs->pindex = fs->first_pindex;
	fs->m = fs->first_m;
	fs->first_m = NULL;
	vm_object_gate(vm, fs->object);
	vm->cnt.v_cow_faults++;
}

/* ------------------------------------------------------------ mapping it */

/* Let the page go with everything else, and start over. */
static enum fault_verdict
vm_fault_abandon(struct faultstate *fs, enum fault_verdict v)
{
	uint32_t why = vm_why(fs->vm, WHY_FAULT_ABORT);

	vm_fault_release_page(fs);
	vm_why(fs->vm, why);
	vm_fault_unlock_and_deallocate(fs);
	return (v);
}

/* The map was unlocked meanwhile: does the address still mean the same? */
static enum fault_verdict
vm_fault_revalidate(struct faultstate *fs, int *error)
{
	struct vm_map_lookup l;
	int result;

	if (fs->lookup_still_valid)
		return (FAULT_FOUND);
	if (!vm_map_trylock_read(fs->vm, fs->map))
		return (vm_fault_abandon(fs, FAULT_RESTART));
	fs->lookup_still_valid = true;
	if (fs->map->timestamp == fs->map_timestamp)
		return (FAULT_FOUND);
	result = vm_map_lookup(fs->vm, fs->map, fs->va, fs->access, &l);
	if (result != KERN_SUCCESS) {
		*error = result;
		return (vm_fault_abandon(fs, FAULT_FAIL));
	}
	if (l.object != fs->first_object || l.pindex != fs->first_pindex)
		return (vm_fault_abandon(fs, FAULT_RESTART));
	/* More rights come with the next fault; fewer count at once. */
	fs->entry = l.entry;
	fs->prot &= l.prot;
	fs->wired = l.wired;
	return (FAULT_FOUND);
}

/*
 * A mapping of a wired entry wires its page, once. The one that it replaces
 * (the source of a copy) is wired no more.
 */
static void
vm_fault_wire_page(struct faultstate *fs, vm_page_t m)
{
	const pte_t *pte = pmap_pte(fs->map->pmap, fs->va);
	pte_t old = pte != NULL ? *pte : 0;

	if ((old & (PTE_V | PTE_WIRED)) == (PTE_V | PTE_WIRED)) {
		if (PTE_FRAME(old) == m->pfn)
			return;
		vm_page_unwire(fs->vm,
		    vm_phys_to_page(fs->vm, PTE_FRAME(old)), false);
	}
	vm_page_wire(fs->vm, m);
	if (m->wire_count == 1) {
		uint32_t why = vm_why(fs->vm, WHY_WIRE);

		/* It is on no queue already, but the log should tell. */
		vm_trace_move(fs->vm, m, VMQ_BUSY, VMQ_WIRED, VMT_TAIL);
		vm_why(fs->vm, why);
	}
}

/* The page is ours and the address is right: map it and let everybody on. */
static void
vm_fault_finish(struct faultstate *fs)
{
	struct vm *vm = fs->vm;
	vm_page_t m = fs->m;
	uint32_t why;

	if (fs->hardfault)
		fs->entry->next_read = fs->next_read;
	vm_fault_dirty(fs, m, true);
	KASSERT(vm->sim, m->valid == VM_PAGE_BITS_ALL,
	    ("fault maps page %u, valid %#x", m->pfn, m->valid));
	why = vm_why(vm, WHY_FAULT_DONE);
	if (fs->wired)
		vm_fault_wire_page(fs, m);
	vm_fault_enter(fs, m);
	if (fs->prefault && !fs->wired)
		vm_fault_prefault(fs, fs->behind, fs->ahead);
	if (!fs->wired)
		vm_page_activate(vm, m);
	vm_why(vm, why);
	vm_page_wakeup(vm, m);
	vm_fault_unlock_and_deallocate(fs);
	if (fs->hardfault)
		vm->cnt.v_io_faults++;
}

/* ------------------------------------------------------------ a fault */

/* Look the address up, growing a stack if that helps. KERN_*. */
static int
vm_fault_lookup(struct faultstate *fs, struct vm_map_lookup *l, bool grow)
{
	struct vm *vm = fs->vm;
	int result;
	bool grown;

	vm_map_lock_read(vm, fs->map);
	result = vm_map_lookup(vm, fs->map, fs->va, fs->access, l);
	if (result == KERN_SUCCESS) {
		fs->lookup_still_valid = true;
		return (result);
	}
	vm_map_unlock_read(vm, fs->map);
	if (result != KERN_INVALID_ADDRESS || !grow)
		return (result);
	vm_map_lock(vm, fs->map);
	grown = vm_map_growstack(vm, fs->map, fs->va);
	vm_map_unlock(vm, fs->map);
	return (grown ? vm_fault_lookup(fs, l, false) : result);
}

/* One attempt. */
static enum fault_verdict
vm_fault_try(struct faultstate *fs, int *error)
{
	struct vm_map_lookup l;
	enum fault_verdict v;

	*error = vm_fault_lookup(fs, &l, true);
	if (*error != KERN_SUCCESS)
		return (FAULT_FAIL);
	fs->entry = l.entry;
	fs->first_object = l.object;
	fs->first_pindex = l.pindex;
	fs->prot = l.prot;
	fs->wired = l.wired;
	if (fs->wired)
		fs->access = l.prot;
	fs->map_timestamp = fs->map->timestamp;
	fs->first_m = NULL;
	fs->hardfault = false;
	fs->prefault = true;
	fs->behind = PFBAK;
	fs->ahead = PFFOR;
	fs->kind = VMF_RESIDENT;
	vm_object_gate(fs->vm, fs->first_object);
	if (vm_fault_soft_fast(fs))
		return (FAULT_FOUND);
	vm_object_reference(fs->vm, fs->first_object);
	vm_object_pip_add(fs->first_object, 1);
	v = vm_fault_search(fs, error);
	if (v != FAULT_FOUND)
		return (v);
	vm_fault_cow(fs);
	v = vm_fault_revalidate(fs, error);
	if (v == FAULT_FOUND)
		vm_fault_finish(fs);
	return (v);
}

static void
vm_fault_record(struct faultstate *fs, int access, sim_time_t start,
    int result)
{
	struct vm *vm = fs->vm;
	struct thread *td = vm_curthread(vm);
	struct vm_fault_record r;

	if (result != KERN_SUCCESS)
		fs->kind = VMF_ERROR;
	vm->fault_kind[fs->kind]++;
	if (vm->trace == NULL || vm->trace->fault == NULL)
		return;
	r = (struct vm_fault_record) { .start = start,
		.end = sim_now(vm->sim),
		.pid = td != NULL ? td->td_proc->p_pid : 0,
		.tid = td != NULL ? td->td_tid : 0,
		.va = fs->va,
		.access = (uint8_t)access,
		.kind = (uint8_t)fs->kind,
		.restarts = (uint16_t)fs->restarts,
		.page = fs->pfn,
		.object = fs->object_id,
		.pindex = fs->record_pindex };
	vm->trace->fault(vm->trace_ctx, &r);
}

static int
vm_fault_hold(struct vm *vm, struct vmspace *vs, vm_offset_t va, int access,
    bool wire)
{
	struct faultstate fs = { .vm = vm, .vs = vs, .map = &vs->vm_map,
		.va = va & ~(vm_offset_t)PAGE_MASK, .wire = wire,
		.pfn = PFN_NONE };
	sim_time_t start = sim_now(vm->sim);
	struct proc *p = vm_curproc(vm);
	enum fault_verdict v;
	int error;

	vm->cnt.v_vm_faults++;
	vm_spend(vm, vm->cost.fault);
	if (p != NULL)
		p->p_lock++; /* not to be swapped out meanwhile */
	for (;;) {
		fs.access = access;
		v = vm_fault_try(&fs, &error);
		if (v != FAULT_RESTART)
			break;
		fs.restarts++;
	}
	if (p != NULL)
		p->p_lock--;
	if (v == FAULT_FOUND)
		error = KERN_SUCCESS;
	vm_fault_record(&fs, access, start, error);
	return (error);
}

int
vm_fault_bsd(struct vm *vm, struct vmspace *vs, vm_offset_t va, int access)
{
	return (vm_fault_hold(vm, vs, va, access, false));
}

int
vm_fault_wire(struct vm *vm, struct vmspace *vs, vm_offset_t va)
{
	/* The entry is wired: it asks for all its rights by itself. */
	return (vm_fault_hold(vm, vs, va, VM_PROT_NONE, true));
}
