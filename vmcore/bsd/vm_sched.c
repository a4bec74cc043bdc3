/*
 * vm_sched.c: the scheduler's bookkeeping: sleeping and runnable threads,
 * time asleep and in memory, CPU use that decays, priorities of user mode.
 *
 * Interface: vmcore/bsd/vm_sched.h; vm_userret, vm_proc_set_nice of
 *            vmcore/vmcore.h.
 * Source:    FreeBSD 5.0 kern_synch.c, sched_4bsd.c (setrunnable, schedcpu,
 *            resetpriority, updatepri, loadav) as told by companions 14; the
 *            names are the kernel's.
 * Differs:   the CPU that a thread has used is charged exactly, when it
 *            sleeps, returns to user mode and once a second, instead of by
 *            sampling 128 times a second; kg_estcpu keeps its fraction, so
 *            that equal use is an equal number after any decay. The quantum
 *            is 5 ms, not 100.
 *            docs/scheduler.md says why.
 */
#include "vmcore/bsd/vm_glue.h"

/* Fixed-point numbers with 11 bits of fraction. */
#define FSHIFT 11
#define FSCALE (1u << FSHIFT)
#define LOADAV_PERIOD 5 /* s */

#define INVERSE_ESTCPU_WEIGHT 8 /* charges per level of priority */
#define NICE_WEIGHT 1
#define PRIO_MAX 20
#define RQ_PPQ 4
#define PRI_MAX_TIMESHARE 223
#define ESTCPU_MAX                                                      \
	(INVERSE_ESTCPU_WEIGHT * (NICE_WEIGHT * (PRIO_MAX - PRIO_MIN) - \
	    RQ_PPQ) + INVERSE_ESTCPU_WEIGHT - 1)

/* ------------------------------------------------------------ priorities */

/* kg_estcpu with its fraction, in 1 / FSCALE of a charge. */
static uint64_t
estcpu_get(const struct ksegrp *kg)
{
	return ((uint64_t)kg->kg_estcpu * FSCALE + kg->kg_estcpu_frac);
}

static void
estcpu_set(struct ksegrp *kg, uint64_t estcpu)
{
	if (estcpu > (uint64_t)ESTCPU_MAX * FSCALE)
		estcpu = (uint64_t)ESTCPU_MAX * FSCALE;
	kg->kg_estcpu = (uint32_t)(estcpu / FSCALE);
	kg->kg_estcpu_frac = (uint32_t)(estcpu % FSCALE);
}

/* 90 percent of it is gone after five times the load average, in seconds. */
static void
decay_cpu(const struct vm *vm, struct ksegrp *kg)
{
	uint64_t loadfac = 2 * (uint64_t)vm->glue->sched.ldavg[0];

	estcpu_set(kg, loadfac * estcpu_get(kg) / (loadfac + FSCALE));
}

void
resetpriority(struct vm *vm, struct ksegrp *kg)
{
	int pri;

	(void)vm;
	if (kg->kg_pri_class != PRI_TIMESHARE)
		return;
	pri = PUSER + (int)(kg->kg_estcpu / INVERSE_ESTCPU_WEIGHT) +
	    NICE_WEIGHT * (kg->kg_nice - PRIO_MIN);
	if (pri < PUSER)
		pri = PUSER;
	kg->kg_user_pri = pri < PRI_MAX_TIMESHARE ? pri : PRI_MAX_TIMESHARE;
}

/*
 * The thread's priority in user mode is its group's. True: sim/base has to
 * be told.
 */
static bool
sched_user_priority(struct thread *td)
{
	const struct ksegrp *kg = td->td_ksegrp;

	if (kg->kg_pri_class != PRI_TIMESHARE)
		return (false);
	if (td->td_priority >= PUSER)
		td->td_priority = kg->kg_user_pri;
	return (td->td_sim != NULL &&
	    sim_thread_priority(td->td_sim) != kg->kg_user_pri);
}

static void
sched_user_priority_now(struct thread *td)
{
	if (sched_user_priority(td))
		sim_thread_set_priority(td->td_sim, td->td_ksegrp->kg_user_pri);
}

/* After a long sleep: make up for the seconds in which nothing decayed. */
static void
updatepri(struct vm *vm, struct ksegrp *kg)
{
	if (kg->kg_slptime > 5 * 2 * (uint64_t)vm->glue->sched.ldavg[0])
		estcpu_set(kg, 0);
	else {
		kg->kg_slptime--; /* the first second was schedcpu's */
		while (kg->kg_estcpu != 0 && --kg->kg_slptime != 0)
			decay_cpu(vm, kg);
	}
	resetpriority(vm, kg);
}

/* What the thread has used since the last time goes on its group's account. */
static void
sched_charge(struct vm *vm, struct thread *td)
{
	struct ksegrp *kg = td->td_ksegrp;
	uint64_t tick = vm->glue->sched.tick, n;
	uint32_t before = kg->kg_estcpu / INVERSE_ESTCPU_WEIGHT;

	n = (sim_thread_cpu_cycles(td->td_sim) - td->td_charged) * FSCALE /
	    tick;
	if (n == 0)
		return;
	td->td_charged += n * tick / FSCALE;
	estcpu_set(kg, estcpu_get(kg) + n);
	if (kg->kg_estcpu / INVERSE_ESTCPU_WEIGHT != before)
		resetpriority(vm, kg);
}

/* ------------------------------------------------------------ running */

/* A swapped-out process is wanted: the swapper shall look. */
static void
sched_want_in(struct vm *vm, struct proc *p)
{
	if ((p->p_sflag & PS_SWAPPINGIN) != 0)
		return;
	if ((p->p_sflag & PS_SWAPINREQ) == 0)
		vm_trace_event(vm, VME_SWAP_IN_REQ, p->p_pid, p->p_swtime, 0);
	p->p_sflag |= PS_SWAPINREQ;
	sim_wakeup(vm->sim, vm_swapper_channel(vm));
}

bool
setrunnable(struct vm *vm, struct thread *td)
{
	struct ksegrp *kg = td->td_ksegrp;

	if (td->td_state == TDS_RUNNING || td->td_state == TDS_RUNQ)
		return (false);
	if (td->td_state == TDS_INHIBITED &&
	    td->td_inhibitors != TDI_SWAPPED)
		return (false);
	if ((td->td_proc->p_sflag & PS_INMEM) == 0) {
		sched_want_in(vm, td->td_proc);
		return (false);
	}
	if (kg->kg_slptime > 1)
		updatepri(vm, kg);
	kg->kg_slptime = 0;
	td->td_state = TDS_RUNQ;
	return (true);
}

/* ------------------------------------------------------------ sim/base */

/* A lock of the VM is no sleep to vm_glue: who waits for one stays in. */
static void
sched_sleeping(void *ctx, struct sim_thread *st, int priority)
{
	struct thread *td = sim_thread_data(st);
	struct vm *vm = ctx;

	if (td == NULL)
		return;
	sched_charge(vm, td);
	sched_user_priority_now(td);
	if ((td->td_inhibitors & TDI_LOCK) != 0)
		return;
	td->td_priority = priority;
	td->td_ksegrp->kg_slptime = 0;
	vm_thread_inhibit(td, TDI_SLEEPING);
}

static bool
sched_awake(void *ctx, struct sim_thread *st)
{
	struct thread *td = sim_thread_data(st);
	struct vm *vm = ctx;

	if (td == NULL)
		return (true);
	vm_thread_clear(td, (td->td_inhibitors & TDI_LOCK) != 0 ? TDI_LOCK :
								  TDI_SLEEPING);
	return (setrunnable(vm, td));
}

/* Its owner frees the record later. */
static void
sched_gone(void *ctx, struct sim_thread *st)
{
	struct thread *td = sim_thread_data(st);

	(void)ctx;
	if (td == NULL)
		return;
	td->td_sim = NULL;
	td->td_state = TDS_INACTIVE;
}

static const struct sim_sched_ops sched_ops = {
	.sleeping = sched_sleeping,
	.awake = sched_awake,
	.gone = sched_gone,
};

/*
 * vm_userret: the running thread is about to return to user mode: it gets
 * the priority that it has earned.
 * Source:  FreeBSD 5.0 trap.c, userret().
 */
void
vm_userret(struct vm *vm)
{
	struct thread *td = vm_curthread(vm);

	if (td == NULL || td->td_sim == NULL || vm->glue == NULL)
		return;
	KASSERT(vm->sim, (td->td_proc->p_sflag & PS_INMEM) != 0,
	    ("thread %d runs in a swapped-out process", td->td_tid));
	sched_charge(vm, td);
	if (td->td_ksegrp->kg_pri_class == PRI_TIMESHARE)
		td->td_priority = td->td_ksegrp->kg_user_pri;
	/* Who gets worse keeps the CPU to the end of his slice. */
	if (td->td_ksegrp->kg_user_pri < sim_thread_priority(td->td_sim) ||
	    sim_slice_ended(vm->sim))
		sched_user_priority_now(td);
}

/* ------------------------------------------------------------ each second */

/* New priorities of up to SCHED_BATCH threads, for sim/base all at once. */
#define SCHED_BATCH 64
struct sched_batch {
	struct vm *vm;
	struct sim_thread *td[SCHED_BATCH];
	int priority[SCHED_BATCH];
	size_t n;
};

static void
sched_batch_flush(struct sched_batch *b)
{
	if (b->n != 0)
		sim_set_priorities(b->vm->sim, b->td, b->priority, b->n);
	b->n = 0;
}

static void
sched_batch_add(struct sched_batch *b, struct thread *td)
{
	if (!sched_user_priority(td))
		return;
	if (b->n == SCHED_BATCH)
		sched_batch_flush(b);
	b->td[b->n] = td->td_sim;
	b->priority[b->n++] = td->td_ksegrp->kg_user_pri;
}

/* Has one of the group's threads run in the last second, or could it? */
static bool
schedcpu_awake(struct vm *vm, struct ksegrp *kg)
{
	struct thread *td;
	uint64_t cycles;
	bool awake = false;

	TAILQ_FOREACH(td, &kg->kg_threads, td_kglist) {
		if (td->td_sim == NULL)
			continue;
		sched_charge(vm, td);
		cycles = sim_thread_cpu_cycles(td->td_sim);
		if (td->td_inhibitors == 0 || cycles != td->td_ran)
			awake = true;
		td->td_ran = cycles;
	}
	return (awake);
}

static void
schedcpu_group(struct sched_batch *b, struct ksegrp *kg)
{
	struct vm *vm = b->vm;
	struct thread *td;

	if (schedcpu_awake(vm, kg)) {
		if (kg->kg_slptime > 1)
			updatepri(vm, kg);
		kg->kg_slptime = 0;
	} else
		kg->kg_slptime++;
	/* Who sleeps on is brought up to date when it wakes. */
	if (kg->kg_slptime > 1)
		return;
	decay_cpu(vm, kg);
	resetpriority(vm, kg);
	TAILQ_FOREACH(td, &kg->kg_threads, td_kglist)
		sched_batch_add(b, td);
}

/* Threads that run or could. */
static uint32_t
loadav_runnable(const struct vm *vm)
{
	const struct proc *p;
	const struct thread *td;
	uint32_t nrun = 0;

	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		TAILQ_FOREACH(td, &p->p_threads, td_plist)
			nrun += td->td_sim != NULL && td->td_inhibitors == 0;
	}
	return (nrun);
}

static void
loadav(struct vm *vm)
{
	/* exp(-5 / 60), exp(-5 / 300), exp(-5 / 900), times FSCALE */
	static const uint32_t cexp[VM_LOADAVGS] = { 1884, 2014, 2036 };
	struct vm_sched *s = &vm->glue->sched;
	uint64_t nrun;

	if (--s->loadav_in > 0)
		return;
	s->loadav_in = LOADAV_PERIOD;
	nrun = loadav_runnable(vm);
	for (int i = 0; i < VM_LOADAVGS; i++) {
		uint64_t load = (uint64_t)cexp[i] * s->ldavg[i] +
		    nrun * FSCALE * (FSCALE - cexp[i]);

		s->ldavg[i] = (uint32_t)(load >> FSHIFT);
	}
}

void
vm_loadavg(const struct vm *vm, uint64_t hundredths[VM_LOADAVGS])
{
	for (int i = 0; i < VM_LOADAVGS; i++)
		hundredths[i] = ((uint64_t)vm->glue->sched.ldavg[i] * 100 +
		    FSCALE / 2) / FSCALE;
}

/* schedcpu: a second is over. */
static void
schedcpu(void *arg, sim_time_t when)
{
	struct vm *vm = arg;
	struct sched_batch b = { .vm = vm };
	struct ksegrp *kg;
	struct proc *p;

	TAILQ_FOREACH(p, &vm->allproc, p_list) {
		p->p_swtime++;
		TAILQ_FOREACH(kg, &p->p_ksegrps, kg_ksegrp)
			schedcpu_group(&b, kg);
	}
	sched_batch_flush(&b);
	loadav(vm);
	sim_event_at(vm->sim, &vm->glue->sched.schedcpu,
	    when + sim_hz(vm->sim));
}

/* ------------------------------------------------------------ life */

static void
sched_quantum_changed(void *object, const struct tunable *row)
{
	struct vm_sched *s = object;

	(void)row;
	sim_set_quantum(s->vm->sim, sim_us(s->vm->sim,
	    (uint64_t)s->quantum_us));
}

static const struct tunable sched_rows[] = {
	{ .name = "kern.quantum", .type = TUN_INT,
	    .offset = offsetof(struct vm_sched, quantum_us),
	    .def = QUANTUM_US, .min = 100, .max = 1000000000, .unit = "us",
	    .source = "FreeBSD 5.0 kern_synch.c, kern.quantum (100000 there)",
	    .help = "time on a CPU after which a thread goes behind the "
		    "others of its priority",
	    .changed = sched_quantum_changed },
};

void
vm_sched_create(struct vm *vm)
{
	vm->glue->sched.vm = vm;
	vm->glue->sched.quantum_us = QUANTUM_US;
}

int
vm_sched_tunables(struct vm *vm, struct tunables *ts)
{
	return (tunables_register(ts, sched_rows,
	    sizeof(sched_rows) / sizeof(sched_rows[0]), &vm->glue->sched));
}

void
vm_sched_start(struct vm *vm)
{
	struct vm_sched *s = &vm->glue->sched;

	sched_quantum_changed(s, NULL);
	s->tick = sim_hz(vm->sim) / STATHZ;
	if (s->tick == 0)
		s->tick = 1;
	s->loadav_in = LOADAV_PERIOD;
	s->started = true;
	sim_event_init(&s->schedcpu, "schedcpu", 0, schedcpu, vm);
	sim_event_after(vm->sim, &s->schedcpu, sim_hz(vm->sim));
	sim_set_sched(vm->sim, &sched_ops, vm);
}

void
vm_sched_stop(struct vm *vm)
{
	struct vm_sched *s = &vm->glue->sched;

	if (!s->started)
		return;
	s->started = false;
	sim_event_cancel(vm->sim, &s->schedcpu);
	sim_set_sched(vm->sim, NULL, NULL);
}

void
vm_sched_new_thread(struct vm *vm, struct thread *td)
{
	(void)vm;
	td->td_state = TDS_RUNQ;
	td->td_charged = td->td_ran = sim_thread_cpu_cycles(td->td_sim);
	td->td_priority = td->td_ksegrp->kg_user_pri;
	sched_user_priority_now(td);
}

void
vm_sched_fork(struct proc *child, const struct proc *parent)
{
	const struct ksegrp *from = TAILQ_FIRST(&parent->p_ksegrps);
	struct ksegrp *to = TAILQ_FIRST(&child->p_ksegrps);

	estcpu_set(to, estcpu_get(from));
	to->kg_nice = from->kg_nice;
	to->kg_pri_class = from->kg_pri_class;
	to->kg_user_pri = from->kg_user_pri;
}

void
vm_sched_exit(struct vm *vm, struct proc *p)
{
	struct ksegrp *to, *from = TAILQ_FIRST(&p->p_ksegrps);

	if (p->p_pptr == NULL)
		return;
	to = TAILQ_FIRST(&p->p_pptr->p_ksegrps);
	estcpu_set(to, estcpu_get(to) + estcpu_get(from));
	resetpriority(vm, to);
}

/*
 * vm_proc_set_nice: -20 (first) to 20 (last).
 */
void
vm_proc_set_nice(struct vm *vm, struct proc *p, int nice)
{
	struct ksegrp *kg;

	if (nice < PRIO_MIN)
		nice = PRIO_MIN;
	p->p_nice = nice < PRIO_MAX ? nice : PRIO_MAX;
	TAILQ_FOREACH(kg, &p->p_ksegrps, kg_ksegrp) {
		kg->kg_nice = p->p_nice;
		resetpriority(vm, kg);
	}
}
