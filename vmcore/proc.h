/*
 * proc.h: what the kernel `bsd` keeps of processes, thread groups and
 * threads: the fields that the page daemon, the vm daemon, out-of-memory
 * selection and vm_glue read (companions 1.7, 12 to 14).
 */
#ifndef VMSIM_VMCORE_PROC_H
#define VMSIM_VMCORE_PROC_H

#include "vmcore/vm_map.h"

/* p_flag */
#define P_SYSTEM 0x00200
#define P_TRACED 0x00800
#define P_WEXIT 0x02000
#define P_STOPPED_SINGLE 0x80000
#define P_WKILLED 0x100000
#define P_INEXEC 0x4000000
#define P_PROTECTED 0x8000000

/* p_sflag (FreeBSD 5); PS_INMEM is also FreeBSD 11's P_INMEM (R19) */
#define PS_INMEM 0x0001
#define PS_SWAPINREQ 0x0100
#define PS_SWAPPING 0x0200
#define PS_SWAPPINGIN 0x4000

enum p_state { PRS_NEW, PRS_NORMAL, PRS_ZOMBIE };
enum td_state { TDS_INACTIVE, TDS_INHIBITED, TDS_CAN_RUN, TDS_RUNQ,
	TDS_RUNNING };

/* td_inhibitors */
#define TDI_SUSPENDED 1
#define TDI_SLEEPING 2
#define TDI_SWAPPED 4
#define TDI_LOCK 8
#define TDI_IWAIT 16
#define TDI_LOAN 32

#define PSWP 64
#define PVM 68
#define PINOD 72
#define PRIBIO 76
#define PVFS 80
#define PZERO 84
#define PSOCK 88
#define PWAIT 92
#define PLOCK 100
#define PPAUSE 104
#define PUSER 160
#define PRI_IDLE 224
#define PRI_IDLE_MAX 255

#define PRIO_MIN (-20)

struct ksegrp {
	TAILQ_ENTRY(ksegrp) kg_ksegrp;
	TAILQ_HEAD(kg_threads, thread) kg_threads;
	struct proc *kg_proc;
	uint32_t kg_slptime; /* seconds */
	int32_t kg_nice;
	int32_t kg_pri_class;
	uint32_t kg_estcpu; /* charges: 1 / 128 s of CPU */
	uint32_t kg_estcpu_frac; /* 1 / 2048 of a charge */
	int32_t kg_user_pri;
};

struct thread {
	TAILQ_ENTRY(thread) td_plist; /* the process's, oldest first */
	TAILQ_ENTRY(thread) td_kglist;
	struct proc *td_proc;
	struct ksegrp *td_ksegrp;
	struct sim_thread *td_sim;
	uint32_t td_dom_rr_idx; /* domain of its last page (vm_domain.c) */
	vm_object_t td_kstack_obj;
	int32_t td_tid;
	int32_t td_priority;
	uint32_t td_inhibitors; /* TDI_* */
	enum td_state td_state;
	uint64_t td_charged; /* cycles that kg_estcpu has seen */
	uint64_t td_ran; /* cycles at the last schedcpu */
};

struct proc {
	TAILQ_ENTRY(proc) p_list; /* allproc: newest first */
	TAILQ_HEAD(p_threads, thread) p_threads;
	TAILQ_HEAD(, ksegrp) p_ksegrps;
	struct proc *p_pptr;
	struct vmspace *p_vmspace;
	vm_object_t p_upages_obj;
	char p_comm[32];
	int32_t p_pid;
	enum p_state p_state;
	uint32_t p_flag; /* P_* */
	uint32_t p_sflag; /* PS_* */
	int32_t p_lock; /* holds: may not be swapped out */
	uint32_t p_swtime; /* seconds in or out */
	int32_t p_nice;
	uint64_t p_rss_cur, p_rss_max; /* RLIMIT_RSS, bytes; UINT64_MAX none */
	uint64_t p_racct_limit; /* RACCT RSS, bytes; UINT64_MAX none */
	uint64_t p_racct_rss; /* last racct_set */
	uint32_t p_nswap; /* times swapped out */
	bool p_killed;
	void *p_data; /* the machine's own record */

	/* What vm_forkproc does with the U area: p_nswap is zeroed in the
	 * child, timers are copied, signal actions too unless shared. */
	uint64_t p_timers;
	uint64_t p_usigacts; /* in the U area */
	uint64_t *p_sigacts; /* NULL: not yet any */
	int32_t p_procsig_refcnt; /* processes that share signal state */
	bool p_exitwait; /* vm_proc_free waits for p_lock to be 0 */
};

TAILQ_HEAD(proclist, proc);

/* _PRELE: one hold less. The other half, which brings the process in, is
 * vm_proc_hold of bsd/vm_pageout.h. */
void vm_proc_release(struct vm *vm, struct proc *p);

#endif /* VMSIM_VMCORE_PROC_H */
