/*
 * vm_lock.c: waiting for the owned locks of vm_lock.h.
 *
 * Interface: vm_lock.h.
 * Source:    companions R12 (FreeBSD 11's mtx, rwlock and sx as far as a
 *            simulation can see them).
 * Differs:   no priority lending and no spinning; waiters race for the lock
 *            in the order in which they are dispatched.
 */
#include "vmcore/vm_lock.h"

static void
vm_lock_sleep(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg)
{
	struct sim_thread *td = sim_curthread(vm->sim);
	struct thread *vtd = vm_curthread(vm);

	KASSERT(vm->sim, td != NULL, ("%s: waiting outside a thread", wmesg));
	KASSERT(vm->sim, *owner != td, ("%s: waiting for one's own lock",
	    wmesg));
	*readers |= VM_LOCK_WANTED;
	/* Its process must not be swapped out (vm_sched.c clears it). */
	if (vtd != NULL && vm->glue != NULL) {
		vtd->td_inhibitors |= TDI_LOCK;
		vtd->td_state = TDS_INHIBITED;
	}
	sim_sleep(vm->sim, owner, sim_thread_priority(td), wmesg,
	    SIM_NO_TIMEOUT);
}

void
vm_lock_wait_excl(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg)
{
	do
		vm_lock_sleep(vm, owner, readers, wmesg);
	while (!vm_lock_try_excl(vm, owner, readers));
}

void
vm_lock_wait_shared(struct vm *vm, const struct sim_thread **owner,
    uint32_t *readers, const char *wmesg)
{
	do
		vm_lock_sleep(vm, owner, readers, wmesg);
	while (!vm_lock_try_shared(owner, readers));
}

void
vm_lock_wake(struct vm *vm, const struct sim_thread **owner, uint32_t *readers)
{
	*readers &= ~VM_LOCK_WANTED;
	sim_wakeup(vm->sim, owner);
}
