/*
 * vm_proc.c: records of processes and threads.
 *
 * Interface: vmcore/vmcore.h (vm_proc_*, vm_thread_*).
 * Source:    FreeBSD 5 sys/proc.h as told by companions 14; new processes go
 *            to the head of the list (12).
 * Differs:   one thread group a process.
 */
#include <stdlib.h>
#include <string.h>

#include "vmcore/vm_int.h"
#include "vmcore/vm_lock.h"

static struct ksegrp *
vm_ksegrp_new(struct vm *vm, struct proc *p)
{
	struct ksegrp *kg = calloc(1, sizeof(*kg));

	if (kg == NULL)
		sim_nomem(vm->sim, "a thread group");
	TAILQ_INIT(&kg->kg_threads);
	kg->kg_proc = p;
	kg->kg_user_pri = PUSER;
	TAILQ_INSERT_TAIL(&p->p_ksegrps, kg, kg_ksegrp);
	return (kg);
}

static struct proc *
vm_proc_alloc(struct vm *vm, int32_t pid, const char *name, struct vmspace *vs)
{
	struct proc *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return (NULL);
	TAILQ_INIT(&p->p_threads);
	TAILQ_INIT(&p->p_ksegrps);
	strncpy(p->p_comm, name, sizeof(p->p_comm) - 1);
	p->p_pid = pid;
	p->p_vmspace = vs;
	p->p_state = PRS_NEW;
	p->p_sflag = PS_INMEM;
	p->p_rss_cur = p->p_rss_max = UINT64_MAX;
	p->p_racct_limit = UINT64_MAX;
	p->p_procsig_refcnt = 1;
	(void)vm_ksegrp_new(vm, p);
	return (p);
}

static void
vm_proc_inherit(struct proc *p, struct proc *parent)
{
	p->p_pptr = parent;
	p->p_nice = parent->p_nice;
	p->p_rss_cur = parent->p_rss_cur;
	p->p_rss_max = parent->p_rss_max;
	p->p_racct_limit = parent->p_racct_limit;
}

/*
 * vm_proc_new: the record of a process, in creation until it has its first
 * thread. With neither address space nor parent it is one of the kernel's
 * own, whose U area and stacks lie in the frames that the kernel keeps.
 */
struct proc *
vm_proc_new(struct vm *vm, int32_t pid, const char *name, struct vmspace *vs,
    struct proc *parent)
{
	struct proc *p = vm_proc_alloc(vm, pid, name, vs);

	if (p == NULL)
		return (NULL);
	if (parent != NULL)
		vm_proc_inherit(p, parent);
	else if (vs == NULL)
		p->p_flag |= P_SYSTEM;
	TAILQ_FIRST(&p->p_ksegrps)->kg_nice = p->p_nice;
	if (vm->kernel->proc_new != NULL)
		vm->kernel->proc_new(vm, p, parent);
	TAILQ_INSERT_HEAD(&vm->allproc, p, p_list);
	return (p);
}

/*
 * vm_thread_new: its process may not be swapped out while memory for its
 * kernel stack is being waited for.
 */
struct thread *
vm_thread_new(struct vm *vm, struct proc *p, int32_t tid,
    struct sim_thread *st)
{
	struct thread *td = calloc(1, sizeof(*td));
	struct ksegrp *kg = TAILQ_FIRST(&p->p_ksegrps);

	if (td == NULL)
		sim_nomem(vm->sim, "a thread");
	td->td_proc = p;
	td->td_ksegrp = kg;
	td->td_tid = tid;
	td->td_priority = PUSER;
	td->td_state = TDS_INACTIVE;
	if (vm->kernel->thread_new != NULL) {
		p->p_lock++;
		vm->kernel->thread_new(vm, td);
		vm_proc_release(vm, p);
	}
	TAILQ_INSERT_TAIL(&p->p_threads, td, td_plist);
	TAILQ_INSERT_TAIL(&kg->kg_threads, td, td_kglist);
	if (st != NULL)
		vm_thread_start(vm, td, st);
	return (td);
}

void
vm_thread_start(struct vm *vm, struct thread *td, struct sim_thread *st)
{
	td->td_sim = st;
	td->td_state = TDS_RUNQ;
	sim_thread_set_data(st, td);
	if (vm->kernel->thread_start != NULL)
		vm->kernel->thread_start(vm, td);
	if (td->td_proc->p_state == PRS_NEW)
		td->td_proc->p_state = PRS_NORMAL;
}

void
vm_thread_free(struct vm *vm, struct thread *td)
{
	/* Any other simulated thread may be gone already. */
	if (td->td_sim != NULL && td->td_sim == sim_curthread(vm->sim))
		sim_thread_set_data(td->td_sim, NULL);
	TAILQ_REMOVE(&td->td_proc->p_threads, td, td_plist);
	TAILQ_REMOVE(&td->td_ksegrp->kg_threads, td, td_kglist);
	if (vm->kernel->thread_free != NULL)
		vm->kernel->thread_free(vm, td);
	free(td);
}

void
vm_proc_release(struct vm *vm, struct proc *p)
{
	if (--p->p_lock == 0 && p->p_exitwait)
		sim_wakeup(vm->sim, &p->p_lock);
}

/* Children of a process that goes lose their parent. */
static void
vm_proc_orphans(struct proclist *list, const struct proc *parent)
{
	struct proc *p;

	TAILQ_FOREACH(p, list, p_list)
		if (p->p_pptr == parent)
			p->p_pptr = NULL;
}

/* Out of the daemons' sight; one may be in the middle of its walk. */
static void
vm_proc_zombie(struct vm *vm, struct proc *p)
{
	vm_allproc_xlock(vm);
	TAILQ_REMOVE(&vm->allproc, p, p_list);
	TAILQ_INSERT_HEAD(&vm->zombproc, p, p_list);
	p->p_state = PRS_ZOMBIE;
	vm_allproc_xunlock(vm);
}

void
vm_proc_exit(struct vm *vm, struct proc *p)
{
	p->p_flag |= P_WEXIT;
	vm_proc_zombie(vm, p);
	vm_proc_set_vmspace(vm, p, NULL);
}

void
vm_proc_free(struct vm *vm, struct proc *p)
{
	struct ksegrp *kg;

	KASSERT(vm->sim, TAILQ_EMPTY(&p->p_threads),
	    ("process %d ends with threads", p->p_pid));
	if (p->p_state != PRS_ZOMBIE)
		vm_proc_zombie(vm, p);
	/* Somebody may still be about to let go of it. */
	p->p_exitwait = true;
	while (p->p_lock != 0)
		(void)sim_sleep(vm->sim, &p->p_lock, PWAIT, "exithold",
		    SIM_NO_TIMEOUT);
	if (vm->kernel->proc_free != NULL)
		vm->kernel->proc_free(vm, p);
	vm_proc_set_vmspace(vm, p, NULL);
	TAILQ_REMOVE(&vm->zombproc, p, p_list);
	vm_proc_orphans(&vm->allproc, p);
	vm_proc_orphans(&vm->zombproc, p);
	while ((kg = TAILQ_FIRST(&p->p_ksegrps)) != NULL) {
		TAILQ_REMOVE(&p->p_ksegrps, kg, kg_ksegrp);
		free(kg);
	}
	free(p);
}

int32_t
vm_proc_pid(const struct proc *p)
{
	return (p->p_pid);
}

void
vm_proc_set_name(struct proc *p, const char *name)
{
	memset(p->p_comm, 0, sizeof(p->p_comm));
	strncpy(p->p_comm, name, sizeof(p->p_comm) - 1);
}

uint32_t
vm_proc_nswap(const struct proc *p)
{
	return (p->p_nswap);
}

int
vm_proc_nice(const struct proc *p)
{
	return (p->p_nice);
}

bool
vm_proc_in_memory(const struct proc *p)
{
	return ((p->p_sflag & PS_INMEM) != 0);
}

struct vmspace *
vm_proc_vmspace(const struct proc *p)
{
	return (p->p_vmspace);
}

void
vm_proc_set_vmspace(struct vm *vm, struct proc *p, struct vmspace *vs)
{
	struct vmspace *old = p->p_vmspace;

	p->p_vmspace = vs;
	if (old != NULL)
		vmspace_free(vm, old);
}

bool
vm_proc_killed(const struct proc *p)
{
	return (p->p_killed);
}

void
vm_proc_set_killed(struct vm *vm, struct proc *p)
{
	(void)vm;
	p->p_killed = true;
}

void
vm_proc_set_rlimit(struct proc *p, enum vm_rlimit which, uint64_t bytes)
{
	if (which == VM_RLIMIT_RSS)
		p->p_rss_cur = p->p_rss_max = bytes;
	else if (which == VM_RACCT_RSS)
		p->p_racct_limit = bytes;
}
