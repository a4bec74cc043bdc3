/*
 * vm_glue_uarea.c: the kernel memory of processes and threads that goes out
 * and in with them: U areas and kernel stacks.
 *
 * Interface: vmcore/bsd/vm_glue.h.
 * Source:    FreeBSD 5.0 vm_glue.c (vm_proc_new, vm_proc_dispose,
 *            vm_proc_swapout, vm_proc_swapin); kernel stacks: i386 pmap.c of
 *            that release as told by companions 14.
 * Differs:   named vm_glue_proc_*, as vm_proc_new of vmcore.h makes the record
 *            of a process.
 *
 * Each is an object of its own, mapped by the kernel only: wired pages while
 * the process is in memory, dirty inactive ones when it is swapped out.
 */
#include "vmcore/bsd/vm_glue.h"

/* ------------------------------------------------------------ pages */

/* A wired, valid page of a fresh object. Sleeps for memory. */
static vm_page_t
glue_page_new(struct vm *vm, vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	m = vm_page_grab(vm, object, pindex,
	    VM_ALLOC_NORMAL | VM_ALLOC_RETRY | VM_ALLOC_WIRED);
	vm_page_wakeup(vm, m);
	vm_page_flag_clear(m, PG_ZERO);
	m->valid = VM_PAGE_BITS_ALL;
	return (m);
}

/*
 * A page of an object that was put out: busy, and read again if it had to go.
 * Sleeps. *reads counts.
 */
static vm_page_t
glue_page_in(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    uint32_t *reads)
{
	vm_page_t m;
	int rv;

	/* The page daemon may be at the object (R12). */
	vm_object_gate(vm, object);
	m = vm_page_grab(vm, object, pindex,
	    VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
	if (m->valid != VM_PAGE_BITS_ALL) {
		rv = object->pagerops->getpages(vm, object, &m, 1, 0);
		if (rv != VM_PAGER_OK)
			vm_panic(vm, "UAREA_READ: cannot read page %llu of "
			    "object %u", (unsigned long long)pindex,
			    object->id);
		++*reads;
	}
	return (m);
}

/* All of an object's pages are given back, with its swap space. */
static void
glue_pages_free(struct vm *vm, vm_object_t object)
{
	uint32_t why = vm_why(vm, WHY_KERNEL);
	vm_page_t m;

	while ((m = TAILQ_FIRST(&object->memq)) != NULL) {
		vm_page_busy(vm, m);
		vm_page_unwire(vm, m, false);
		vm_page_free(vm, m);
	}
	vm_why(vm, why);
}

/* ------------------------------------------------------------ U areas */

static void
glue_uarea_count(struct vm *vm, const struct proc *p, const char *what)
{
	int32_t count = p->p_upages_obj != NULL ?
	    p->p_upages_obj->resident_page_count : -1;

	if (count != (int32_t)vm->glue->uarea_pages)
		vm_panic(vm, "UAREA_COUNT: %s of process %d with %d pages in "
		    "its U area", what, p->p_pid, count);
}

/*
 * vm_glue_proc_new: the U area of a new process. Sleeps for memory.
 * Source:  FreeBSD 5.0 vm_glue.c, vm_proc_new().
 */
void
vm_glue_proc_new(struct vm *vm, struct proc *p)
{
	const struct vm_glue_env *env = vm_genv(vm);
	uint32_t pages = vm->glue->uarea_pages, i, why;
	vm_page_t ma[UAREA_PAGES_MAX];
	vm_object_t upobj;

	upobj = env->object_allocate(vm, pages);
	p->p_upages_obj = upobj;
	if (!env->uarea_address(vm, p))
		vm_panic(vm, "PROC_NEW_KVA: no kernel address for the U area "
		    "of process %d", p->p_pid);
	why = vm_why(vm, WHY_KERNEL);
	for (i = 0; i < pages; i++)
		ma[i] = glue_page_new(vm, upobj, i);
	vm_why(vm, why);
	env->uarea_qenter(vm, p, ma, pages);
}

/*
 * vm_glue_proc_dispose: p is gone for good; it must be in memory.
 * Source:  FreeBSD 5.0 vm_glue.c, vm_proc_dispose().
 */
void
vm_glue_proc_dispose(struct vm *vm, struct proc *p)
{
	vm_object_t upobj = p->p_upages_obj;

	glue_uarea_count(vm, p, "end");
	glue_pages_free(vm, upobj);
	vm_genv(vm)->uarea_qremove(vm, p, vm->glue->uarea_pages);
	p->p_upages_obj = NULL;
	vm_genv(vm)->object_deallocate(vm, upobj);
}

/*
 * vm_glue_proc_swapout: the U area may be paged out from now on. Dirty, so
 * that it is written whatever it was read from.
 * Source:  FreeBSD 5.0 vm_glue.c, vm_proc_swapout().
 */
void
vm_glue_proc_swapout(struct vm *vm, struct proc *p)
{
	vm_page_t m;

	glue_uarea_count(vm, p, "swapout");
	TAILQ_FOREACH (m, &p->p_upages_obj->memq, listq) {
		vm_page_dirty(vm, m);
		vm_page_unwire(vm, m, false);
	}
	vm_genv(vm)->uarea_qremove(vm, p, vm->glue->uarea_pages);
}

/*
 * vm_glue_proc_swapin: bring the U area back, reading what is gone. All of it
 * is there before any of it is wired. Sleeps. Returns the pages read.
 * Source:  FreeBSD 5.0 vm_glue.c, vm_proc_swapin().
 */
uint32_t
vm_glue_proc_swapin(struct vm *vm, struct proc *p)
{
	uint32_t pages = vm->glue->uarea_pages, reads = 0, i;
	vm_object_t upobj = p->p_upages_obj;
	vm_page_t ma[UAREA_PAGES_MAX], m;

	KASSERT(vm->sim, upobj != NULL,
	    ("UAREA_NONE: process %d has no U area", p->p_pid));
	for (i = 0; i < pages; i++)
		ma[i] = glue_page_in(vm, upobj, i, &reads);
	if (upobj->resident_page_count != (int32_t)pages)
		vm_panic(vm, "UAREA_LOST: process %d has %d pages in its U "
		    "area", p->p_pid, upobj->resident_page_count);
	TAILQ_FOREACH (m, &upobj->memq, listq) {
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_wire(vm, m);
		vm_page_wakeup(vm, m);
	}
	vm_genv(vm)->uarea_qenter(vm, p, ma, pages);
	return (reads);
}

/* ------------------------------------------------------------ stacks */

/* pmap_new_thread: a kernel stack. Sleeps for memory. */
void
pmap_new_thread(struct vm *vm, struct thread *td)
{
	vm_object_t ksobj;
	uint32_t why, i;

	ksobj = vm_glue_env_kernel.object_allocate(vm, KSTACK_PAGES);
	td->td_kstack_obj = ksobj;
	why = vm_why(vm, WHY_KERNEL);
	for (i = 0; i < KSTACK_PAGES; i++)
		vm_glue_stamp(vm, glue_page_new(vm, ksobj, i), td->td_tid);
	vm_why(vm, why);
}

void
pmap_dispose_thread(struct vm *vm, struct thread *td)
{
	vm_object_t ksobj = td->td_kstack_obj;

	glue_pages_free(vm, ksobj);
	td->td_kstack_obj = NULL;
	vm_glue_env_kernel.object_deallocate(vm, ksobj);
}

void
pmap_swapout_thread(struct vm *vm, struct thread *td)
{
	vm_page_t m;
	uint32_t i;

	for (i = 0; i < KSTACK_PAGES; i++) {
		m = vm_page_lookup(td->td_kstack_obj, i);
		if (m == NULL)
			vm_panic(vm, "kernel stack of thread %d is not all "
			    "there", td->td_tid);
		vm_page_dirty(vm, m);
		vm_page_unwire(vm, m, false);
	}
}

/* Sleeps. Returns the pages read. */
uint32_t
pmap_swapin_thread(struct vm *vm, struct thread *td)
{
	uint32_t reads = 0, i;
	vm_page_t m;

	for (i = 0; i < KSTACK_PAGES; i++) {
		m = glue_page_in(vm, td->td_kstack_obj, i, &reads);
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_wire(vm, m);
		vm_page_wakeup(vm, m);
		vm_glue_check_stamp(vm, m, td->td_tid);
	}
	return (reads);
}
