/*
 * vm_sched.h: what the 4BSD scheduler keeps of processes: who sleeps and for
 * how long, and priorities that decay (companions 14). Which thread runs is
 * decided in sim/base; this is the bookkeeping that vm_glue reads.
 */
#ifndef VMSIM_VMCORE_BSD_VM_SCHED_H
#define VMSIM_VMCORE_BSD_VM_SCHED_H

#include "vmcore/vm_int.h"

#define STATHZ 128 /* charges per second of CPU time */
#define QUANTUM_US 5000 /* 4BSD: 100000 */

struct vm_sched {
	struct vm *vm;
	int32_t quantum_us; /* kern.quantum: round-robin slice */
	struct sim_event schedcpu; /* once a second */
	/* load averages of 1, 5 and 15 minutes, 1 / FSCALE */
	uint32_t ldavg[VM_LOADAVGS];
	uint32_t loadav_in; /* s until it is computed again */
	uint64_t tick; /* cycles of a charge */
	bool started;
};

/* ---- inhibitors: setting one, clearing the last one ---- */

static inline void
vm_thread_inhibit(struct thread *td, uint32_t inhibitor)
{
	td->td_state = TDS_INHIBITED;
	td->td_inhibitors |= inhibitor;
}

static inline void
vm_thread_clear(struct thread *td, uint32_t inhibitor)
{
	if ((td->td_inhibitors & inhibitor) == 0)
		return;
	td->td_inhibitors &= ~inhibitor;
	if (td->td_inhibitors == 0)
		td->td_state = TDS_CAN_RUN;
}

/* Asleep or suspended: it will not touch its kernel stack. */
static inline bool
thread_safetoswapout(const struct thread *td)
{
	return ((td->td_inhibitors & (TDI_SLEEPING | TDI_SUSPENDED)) != 0);
}

/*
 * setrunnable: a thread may have got rid of what kept it from running. In
 * memory it goes on the run queue; swapped out, it asks for its process.
 * Returns: it is on the run queue now (the caller tells sim/base).
 * Source:  FreeBSD 5.0 kern_synch.c as told by companions 14.
 */
bool setrunnable(struct vm *vm, struct thread *td);

/* The record's first values; its tunables: -ENOMEM, -EEXIST. */
void vm_sched_create(struct vm *vm);
int vm_sched_tunables(struct vm *vm, struct tunables *ts);
void vm_sched_start(struct vm *vm);
void vm_sched_stop(struct vm *vm);
/* A thread of a process that may already exist: its priority. */
void vm_sched_new_thread(struct vm *vm, struct thread *td);
/* fork and exit: a child begins with its parent's use of the CPU, and its
 * parent pays for it in the end. */
void vm_sched_fork(struct proc *child, const struct proc *parent);
void vm_sched_exit(struct vm *vm, struct proc *p);
/* After a change of kg_nice or kg_estcpu. */
void resetpriority(struct vm *vm, struct ksegrp *kg);

#endif /* VMSIM_VMCORE_BSD_VM_SCHED_H */
