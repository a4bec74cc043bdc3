/*
 * vm_glue.c: the VM's side of system calls and of fork: checks of access,
 * wiring of a caller's buffer, the address space of a new process, reaping,
 * default limits.
 *
 * Interface: vmcore/bsd/vm_glue.h; vm_forkproc, vm_waitproc of
 *            vmcore/vmcore.h.
 * Source:    FreeBSD 5.0 vm_glue.c (kernacc to vsunlock, vm_forkproc,
 *            vm_waitproc, vm_init_limits).
 * Differs:   what the seed calls but does not contain is in struct
 *            vm_glue_env. The locks of processes and of the run queues are
 *            left out: the 5.0 text runs under one big lock (R12).
 */
#include "vmcore/bsd/vm_glue.h"

#define TRUNC_PAGE(a) ((a) & ~(vm_offset_t)PAGE_MASK)
#define ROUND_PAGE(a) TRUNC_PAGE((a) + PAGE_MASK)

/* ------------------------------------------------------------ access */

/* What a map is asked for has 8 bits in the seed's kernel (vm_prot_t). */
#define ACC_PROT(rw) ((int)(uint8_t)(rw))

/* len is signed in the seed: a negative one reaches backwards. */
static vm_offset_t
acc_end(vm_offset_t addr, int32_t len)
{
	return (addr + (vm_offset_t)(int64_t)len);
}

/*
 * kernacc: does the kernel's map allow rw (VM_PROT_*) on all pages that
 * [addr, addr + len) touches?
 */
bool
kernacc(struct vm *vm, vm_offset_t addr, int32_t len, int rw)
{
	VM_KASSERT(vm, (rw & ~VM_PROT_ALL) == 0,
	    ("KERNACC_RW: access %#x", (unsigned)rw));
	return (vm_genv(vm)->check_protection(vm, NULL, TRUNC_PAGE(addr),
	    ROUND_PAGE(acc_end(addr, len)), ACC_PROT(rw)));
}

/* useracc: the same for the running process's own memory. */
bool
useracc(struct vm *vm, vm_offset_t addr, int32_t len, int rw)
{
	struct vmspace *vs = vm_curproc(vm)->p_vmspace;
	vm_offset_t end = acc_end(addr, len);

	VM_KASSERT(vm, (rw & ~VM_PROT_ALL) == 0,
	    ("USERACC_RW: access %#x", (unsigned)rw));
	if (end > vs->vm_map.max_offset || end < addr)
		return (false);
	return (vm_genv(vm)->check_protection(vm, vs, TRUNC_PAGE(addr),
	    ROUND_PAGE(end), ACC_PROT(rw)));
}

/* vslock: wire the pages of a buffer of the running process. */
void
vslock(struct vm *vm, vm_offset_t addr, uint32_t len)
{
	vm_genv(vm)->map_wire(vm, vm_curproc(vm)->p_vmspace, TRUNC_PAGE(addr),
	    ROUND_PAGE(addr + len), false);
}

void
vsunlock(struct vm *vm, vm_offset_t addr, uint32_t len)
{
	vm_genv(vm)->map_unwire(vm, vm_curproc(vm)->p_vmspace,
	    TRUNC_PAGE(addr), ROUND_PAGE(addr + len), false);
}

/* ------------------------------------------------------------ fork */

/* rfork without a new process: a shared address space becomes one's own. */
static void
vm_forkproc_divorce(struct vm *vm, struct proc *p, int flags)
{
	if ((flags & VM_RFMEM) == 0 && p->p_vmspace->vm_refcnt > 1)
		vm_genv(vm)->vmspace_unshare(vm, p);
}

static void
vm_forkproc_vmspace(struct vm *vm, struct proc *p1, struct proc *p2,
    int flags)
{
	if ((flags & VM_RFMEM) != 0) {
		p2->p_vmspace = p1->p_vmspace;
		vmspace_ref(p1->p_vmspace);
	}
	while (vm_page_count_severe(vm))
		vm_wait(vm);
	if ((flags & VM_RFMEM) != 0)
		return;
	p2->p_vmspace = vm_genv(vm)->vmspace_fork(vm, p1->p_vmspace);
	if (p1->p_vmspace->vm_shm)
		vm_genv(vm)->shmfork(vm, p1, p2);
}

/*
 * The child's U area: signal actions of its own unless it shares them, fresh
 * statistics, the parent's timers.
 */
static void
vm_forkproc_uarea(struct vm *vm, const struct proc *p1, struct proc *p2)
{
	if (p2->p_sigacts == NULL) {
		if (p2->p_procsig_refcnt != 1 && vm->page_hooks != NULL &&
		    vm->page_hooks->warn != NULL)
			vm->page_hooks->warn(vm, "SIGACTS_SHARED");
		p2->p_sigacts = &p2->p_usigacts;
		p2->p_usigacts = p1->p_sigacts != NULL ? *p1->p_sigacts : 0;
	}
	p2->p_nswap = 0;
	p2->p_timers = p1->p_timers;
}

/*
 * vm_forkproc: the address space of a new process p2 with its first thread
 * td2, made by the running thread td. flags: VM_RFPROC a new process (else td's
 * own address space is only unshared), VM_RFMEM it shares td's. Waits while
 * memory is severely short. Sleeps.
 * Source:  FreeBSD 5.0 vm_glue.c, same name.
 */
void
vm_forkproc(struct vm *vm, struct thread *td, struct proc *p2,
    struct thread *td2, int flags)
{
	struct proc *p1 = td->td_proc;

	if ((flags & VM_RFPROC) == 0)
		vm_forkproc_divorce(vm, p1, flags);
	else {
		vm_forkproc_vmspace(vm, p1, p2, flags);
		vm_forkproc_uarea(vm, p1, p2);
	}
	vm_genv(vm)->cpu_fork(vm, td, p2, td2, flags);
}

/* vm_waitproc: p is being reaped: what it needed until now goes. */
void
vm_waitproc(struct vm *vm, struct proc *p)
{
	vm_genv(vm)->cpu_wait(vm, p);
	vm_genv(vm)->vmspace_exitfree(vm, p);
}

/* ------------------------------------------------------------ limits */

/* On the seed's i386 a product beyond 32 bits wraps. */
static uint64_t
glue_ptoa(const struct vm *vm, uint32_t pages)
{
	if (vm->glue->i386)
		return ((uint32_t)(pages << PAGE_SHIFT));
	return ((uint64_t)pages << PAGE_SHIFT);
}

/*
 * vm_init_limits: the limits of process 0, which all others inherit. The
 * caller has filled in those of stack and data; the resident set may have
 * all memory that is free now, and never less than 2 MB.
 * Units:   bytes.
 */
void
vm_init_limits(struct vm *vm, struct vm_limits *l)
{
	uint32_t rss = vm->cnt.v_free_count;

	if (rss < RSS_LIMIT_MIN)
		rss = RSS_LIMIT_MIN;
	l->rss_cur = glue_ptoa(vm, rss);
	l->rss_max = UINT64_MAX;
}
