/*
 * process.c: processes and their threads: creation, the loop between user
 * mode and the kernel, and the end. What drives user mode is an engine behind
 * struct cpu_engine_ops; this loop does not know which.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine_int.h"
#include "sim/syscall_int.h"

#define PRI_USER 160 /* PUSER of FreeBSD 5 */

struct uproc *
uproc_new(struct machine *m, struct uproc *parent, const char *comm)
{
	struct uproc *p;

	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return (NULL);
	TAILQ_INIT(&p->threads);
	TAILQ_INIT(&p->children);
	LIST_INIT(&p->shm);
	LIST_INIT(&p->ptimers);
	LIST_INIT(&p->cpu_sleeps);
	p->m = m;
	p->parent = parent;
	p->pid = m->next_pid++;
	p->pgid = parent != NULL ? parent->pgid : p->pid;
	p->sid = parent != NULL ? parent->sid : p->pid;
	snprintf(p->comm, sizeof(p->comm), "%.15s", comm);
	TAILQ_INSERT_TAIL(&m->procs, p, link);
	m->ntasks++;
	m->nprocs++;
	m->res.processes++;
	if (m->nprocs > m->res.most_processes)
		m->res.most_processes = m->nprocs;
	return (p);
}

static void
account(struct machine *m, struct uthread *t, const struct cpu_exit *ex)
{
	struct uproc *p = t->p;

	p->instructions += ex->instructions;
	p->user_cycles += ex->cycles;
	t->user_cycles += ex->cycles;
	m->res.instructions += ex->instructions;
	m->res.user_cycles += ex->cycles;
	m->cpu_user[sim_curcpu(m->sim)] += ex->cycles;
}

static void
note_memory(struct machine *m, struct uproc *p)
{
	uint64_t rss = vmspace_resident_count(p->vs);
	uint64_t used = vm_stat_value(m->vm, m->stat_pages) -
	    vm_stat_value(m->vm, m->stat_free);

	if (rss > p->peak_rss_pages)
		p->peak_rss_pages = rss;
	if (rss > m->res.peak_rss_pages)
		m->res.peak_rss_pages = rss;
	if (used > m->res.peak_used_pages)
		m->res.peak_used_pages = used;
}

static void
page_fault(struct machine *m, struct uthread *t, const struct cpu_exit *ex)
{
	int kr;

	m->faults++;
	t->sig.fault_access = ex->access;
	kr = vm_fault(m->vm, t->p->vs, ex->va, ex->access);
	note_memory(m, t->p);
	switch (kr) {
	case KERN_SUCCESS:
		break;
	case KERN_PROTECTION_FAILURE:
		signal_fault(t, SIGSEGV, SEGV_ACCERR, ex->va);
		break;
	case KERN_MEMORY_ERROR:
		signal_fault(t, SIGBUS, BUS_ADRERR, ex->va);
		break;
	default:
		signal_fault(t, SIGSEGV, SEGV_MAPERR, ex->va);
		break;
	}
}

static void
trap(struct uthread *t, const struct cpu_exit *ex, uint64_t rip)
{
	switch (ex->trap) {
	case CPU_TRAP_DE:
		signal_fault(t, SIGFPE, FPE_INTDIV, rip);
		break;
	case CPU_TRAP_MF:
	case CPU_TRAP_XM:
		signal_fault(t, SIGFPE, FPE_FLTINV, rip);
		break;
	case CPU_TRAP_UD:
		signal_fault(t, SIGILL, ILL_ILLOPN, rip);
		break;
	case CPU_TRAP_DB:
	case CPU_TRAP_BP:
		signal_fault(t, SIGTRAP, SI_KERNEL, 0);
		break;
	case CPU_TRAP_SS:
		signal_fault(t, SIGBUS, SI_KERNEL, 0);
		break;
	case CPU_TRAP_AC:
		signal_fault(t, SIGBUS, BUS_ADRALN, 0);
		break;
	default:
		signal_fault(t, SIGSEGV, SI_KERNEL, 0);
		break;
	}
}

static void
engine_error(struct machine *m, struct uthread *t, const struct cpu_exit *ex)
{
	m->load_errno = sim_err_set(&m->load_err, EIO, "process %d (%s): %s",
	    t->p->pid, t->p->comm, ex->text);
	t->exiting = true;
	sim_stop(m->sim);
}

/* One slice of user mode and what it ended with. */
static void
user_slice(struct machine *m, struct uthread *t)
{
	const struct cpu_engine_ops *ops = m->cpu->ops;
	struct cpu_regs regs;
	struct cpu_exit ex;
	uint64_t limit;

	limit = sim_user_horizon(m->sim);
	if (limit == 0) {
		sim_preempt_point(m->sim);
		return;
	}
	limit = cpu_timers_limit(t, limit);
	ops->run(m->cpu, t->ctx, vmspace_pmap(t->p->vs), limit, &ex);
	sim_spend(m->sim, ex.cycles);
	account(m, t, &ex);
	switch (ex.kind) {
	case CPU_EXIT_LIMIT:
		sim_preempt_point(m->sim);
		break;
	case CPU_EXIT_SYSCALL:
		m->res.syscalls++;
		t->p->syscalls++;
		syscall_dispatch(m, t);
		note_memory(m, t->p);
		break;
	case CPU_EXIT_FAULT:
		page_fault(m, t, &ex);
		break;
	case CPU_EXIT_TRAP:
		ops->get_regs(m->cpu, t->ctx, &regs);
		trap(t, &ex, regs.rip);
		break;
	case CPU_EXIT_END:
		uproc_exit(t, 0);
		break;
	case CPU_EXIT_ERROR:
		engine_error(m, t, &ex);
		break;
	}
	if (!t->exiting)
		cpu_timers_check(t);
}

/* What only the host keeps of a process. */
void
uproc_free(struct uproc *p)
{
	TAILQ_REMOVE(&p->m->procs, p, link);
	p->m->ntasks--;
	p->m->nprocs--;
	uproc_free_files(p);
	uproc_put_args(p);
	free(p->exe_path);
	free(p);
}

/*
 * uproc_reap: nothing is left of the process. The machine stops with its
 * last one. May sleep.
 */
void
uproc_reap(struct uproc *p)
{
	struct machine *m = p->m;

	p->reaped = true;
	if (p->parent != NULL)
		TAILQ_REMOVE(&p->parent->children, p, sibling);
	p->parent = NULL;
	vm_proc_free(m->vm, p->proc);
	uproc_free(p);
	if (TAILQ_EMPTY(&m->procs) && m->pending_starts == 0) {
		vfs_sync(m->vfs);
		sim_stop(m->sim);
	}
}

/* Who takes the children of one that has ended: the nearest ancestor that has
 * asked for them, or nobody: then they are reaped as they end. */
static struct uproc *
find_reaper(const struct uproc *p)
{
	struct uproc *up;

	for (up = p->parent; up != NULL; up = up->parent) {
		if (up->subreaper && !up->exiting)
			return (up);
	}
	return (NULL);
}

static void
uproc_orphans(struct uproc *p)
{
	struct uproc *child, *reaper = find_reaper(p);

	while ((child = TAILQ_FIRST(&p->children)) != NULL) {
		TAILQ_REMOVE(&p->children, child, sibling);
		child->parent = reaper;
		if (reaper != NULL)
			TAILQ_INSERT_TAIL(&reaper->children, child, sibling);
		if (child->death_signal != 0)
			signal_post(child, child->death_signal);
		group_left(child, p);
		child->exit_signal = SIGCHLD;
		if (child->zombie && !wait_child_dead(child))
			uproc_reap(child);
	}
}

static void
note_exit(struct machine *m, struct uproc *p)
{
	int status = p->exit_status;

	if (m->db != NULL) {
		rundb_put_process_end(m->db, p->pid, sim_now(m->sim), status,
		    p->instructions, p->user_cycles, p->minflt, p->majflt,
		    p->syscalls, p->peak_rss_pages);
	}
	states_put_process(m, p);
	if (p->prog != NULL)
		program_note(m, p, true);
}

/* The last thread is gone and the memory with it. */
static void
uproc_dead(struct machine *m, struct uproc *p)
{
	note_exit(m, p);
	uproc_orphans(p);
	group_left(p, NULL);
	p->zombie = true;
	pidfd_dead(p);
	if (!wait_child_dead(p))
		uproc_reap(p);
}

/* A run that was ended from outside: what its processes still hold on the
 * host. Their memory goes with the machine. */
void
uproc_forget_all(struct machine *m)
{
	struct uthread *t;
	struct uproc *p;

	while ((p = TAILQ_FIRST(&m->procs)) != NULL) {
		TAILQ_REMOVE(&m->procs, p, link);
		while ((t = TAILQ_FIRST(&p->threads)) != NULL) {
			TAILQ_REMOVE(&p->threads, t, link);
			m->cpu->ops->context_free(m->cpu, t->ctx);
			free(t);
		}
		uproc_free_files(p);
		uproc_put_args(p);
		free(p->exe_path);
		free(p);
	}
}

/*
 * uproc_leave_memory: the process is about to use its address space no more,
 * at its end or in exec: who waits for that may go on.
 */
void
uproc_leave_memory(struct uproc *p)
{
	struct cpu_engine *cpu = p->m->cpu;

	if (p->vfork != NULL) {
		p->vfork->done = true;
		sim_wakeup(p->m->sim, p->vfork);
		p->vfork = NULL;
	}
	shm_detach_all(p);
	if (vmspace_ref_count(p->vs) == 1)
		cpu->ops->pmap_gone(cpu, vmspace_pmap(p->vs));
}

static void
uthread_end(struct uthread *t)
{
	struct uproc *p = t->p;
	struct machine *m = p->m;
	bool last;

	thread_leave_user(t);
	signal_thread_gone(t);
	m->cpu->ops->context_free(m->cpu, t->ctx);
	states_thread_end(t);
	TAILQ_REMOVE(&p->threads, t, link);
	m->ntasks--;
	last = TAILQ_EMPTY(&p->threads);
	if (last) {
		sem_exit(p, true);
		uproc_leave_memory(p);
		p->vs = NULL;
		vm_proc_exit(m->vm, p->proc);
	}
	p->dead_cycles += sim_thread_cpu_cycles(t->st);
	vm_thread_free(m->vm, t->td);
	free(t);
	if (last)
		uproc_dead(m, p);
	else if (p->exec_waits)
		sim_wakeup(m->sim, &p->threads);
}

static void
uthread_loop(struct uthread *t)
{
	struct machine *m = t->p->m;

	while (!t->exiting) {
		machine_poll(m);
		signal_deliver(t);
		if (t->exiting)
			break;
		vm_userret(m->vm);
		sim_user_return(m->sim);
		user_slice(m, t);
	}
	uthread_end(t);
	sim_thread_exit(m->sim);
}

/* How a forked process or a new thread begins. */
static void
uthread_main(void *arg)
{
	struct uthread *t = arg;

	if (t->set_child_tid != 0)
		(void)vm_copyout(t->p->m->vm, t->p->vs, t->set_child_tid,
		    &t->tid, sizeof(t->tid));
	uthread_loop(t);
}

struct uthread *
uthread_alloc(struct uproc *p, struct cpu_context *ctx, int32_t tid)
{
	struct uthread *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return (NULL);
	t->p = p;
	t->ctx = ctx;
	t->tid = tid != 0 ? tid : p->m->next_pid++;
	memcpy(t->comm, p->comm, sizeof(t->comm));
	/* Its kernel stack may have to be waited for: it runs only then. */
	t->td = vm_thread_new(p->m->vm, p->proc, t->tid, NULL);
	return (t);
}

void
uthread_discard(struct uthread *t)
{
	vm_thread_free(t->p->m->vm, t->td);
	free(t);
}

static int
uthread_begin(struct uthread *t, sim_thread_fn *fn)
{
	struct machine *m = t->p->m;

	t->st = sim_thread_create(m->sim, t->p->comm, PRI_USER, fn, t);
	if (t->st == NULL)
		return (-ENOMEM);
	vm_thread_start(m->vm, t->td, t->st);
	TAILQ_INSERT_TAIL(&t->p->threads, t, link);
	m->ntasks++;
	states_thread_begin(t);
	return (0);
}

int
uthread_start(struct uthread *t)
{
	return (uthread_begin(t, uthread_main));
}

/* ---- the first program ---- */

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (slash != NULL ? slash + 1 : path);
}

void
uproc_take_load(struct uproc *p, struct uthread *t,
    const struct load_result *lr)
{
	struct cpu_regs regs = { .rflags = 0x202 };

	p->mem->brk_start = p->mem->brk = lr->brk_start;
	p->stack_top = lr->stack_top;
	p->arg_start = lr->arg_start;
	p->arg_end = lr->arg_end;
	p->env_start = lr->env_start;
	p->env_end = lr->env_end;
	free(p->exe_path);
	p->exe_path = lr->exe_path;
	regs.rip = lr->entry;
	regs.r[R_RSP] = lr->sp;
	p->m->cpu->ops->set_regs(p->m->cpu, t->ctx, &regs);
}

static void
load_failed(struct machine *m, int error)
{
	m->load_errno = error;
	sim_stop(m->sim);
	sim_thread_exit(m->sim);
}

/* The first thread loads its own program: that takes simulated time. */
static void
first_main(void *arg)
{
	struct uthread *t = arg;
	struct uproc *p = t->p;
	struct machine *m = p->m;
	struct load_result lr;
	int error;

	error = program_prepare(t, &m->load_err);
	if (error == 0)
		error = load_program(m->vm, m->vfs, p->fs->cwd, p->vs,
		    p->prog->exe, p->prog->argv, p->prog->env,
		    m->mc->stack_limit, &lr, &m->load_err);
	if (error != 0)
		load_failed(m, error);
	uproc_take_load(p, t, &lr);
	note_memory(m, p);
	uthread_loop(t);
}

int
uproc_start(struct machine *m, const struct program *prog, struct sim_err *err)
{
	struct cpu_context *ctx;
	struct uthread *t;
	struct uproc *p;
	int error;

	p = uproc_new(m, NULL, base_name(prog->exe));
	if (p == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	p->prog = prog;
	p->start = sim_now(m->sim);
	p->vs = vmspace_alloc(m->vm, USER_VA_MIN, USER_VA_MAX);
	ctx = m->cpu->ops->context_new(m->cpu);
	p->args = uproc_args_new(prog->argv);
	if (p->vs == NULL || ctx == NULL || p->args == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	p->proc = vm_proc_new(m->vm, p->pid, p->comm, p->vs, NULL);
	if (p->proc == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	error = uproc_init_files(p, m->mc, err);
	if (error != 0)
		return (error);
	p->nice = prog->nice;
	vm_proc_set_nice(m->vm, p->proc, p->nice);
	if (prog->rss_limit != 0)
		vm_proc_set_rlimit(p->proc, VM_RLIMIT_RSS, prog->rss_limit);
	if (prog->racct_rss != 0)
		vm_proc_set_rlimit(p->proc, VM_RACCT_RSS, prog->racct_rss);
	if (m->db != NULL)
		rundb_put_process(m->db, p->pid, 0, p->comm, prog->argv,
		    p->start);
	if (m->db != NULL && prog->name != NULL)
		rundb_put_process_label(m->db, p->pid, prog->name, p->start);
	t = uthread_alloc(p, ctx, p->pid);
	if (t == NULL || uthread_begin(t, first_main) != 0)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	return (0);
}
