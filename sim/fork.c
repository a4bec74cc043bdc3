/*
 * fork.c: new processes and threads.
 *
 * Interface: machine_task_ops.clone (struct task_ops of sim/syscall_int.h).
 * Source: clone(2), vfork(2), Linux 6.1 kernel/fork.c for what is inherited;
 * the address space: vm_forkproc of FreeBSD 5.0 vm_glue.c. Differences: no
 * namespaces.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine_int.h"
#include "sim/syscall_int.h"

#define TASKS_MAX 16384u /* threads; the host has to keep a stack for each */
#define VFORK_PRI 104 /* PPAUSE of FreeBSD 5 */

#define CLEAR_SIGHAND (1ull << 32)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
    CLONE_NEWTIME)

/* ---- what is asked ---- */

static int
clone_check(const struct clone_request *r)
{
	uint64_t f = r->flags;

	if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
		return (-EINVAL);
	if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
		return (-EINVAL);
	if (f & NAMESPACES)
		return (-EINVAL);
	if ((f & CLONE_PIDFD) && ((f & (CLONE_DETACHED | CLONE_THREAD)) ||
	    ((f & CLONE_PARENT_SETTID) && r->pidfd == r->parent_tid)))
		return (-EINVAL);
	if ((f & CLONE_SETTLS) && r->tls >= USER_VA_MAX)
		return (-EPERM);
	return (0);
}

/* ---- the child's processor ---- */

static struct cpu_context *
clone_context(struct sysctx *c, const struct clone_request *r)
{
	struct cpu_engine *cpu = machine_cpu(c->m);
	struct cpu_context *ctx;
	struct cpu_regs regs = c->regs;

	ctx = cpu->ops->context_clone(cpu, c->t->ctx);
	if (ctx == NULL)
		return (NULL);
	regs.r[R_RAX] = 0;
	regs.r[R_RCX] = regs.rip;
	regs.r[R_R11] = regs.rflags;
	if (r->stack != 0)
		regs.r[R_RSP] = r->stack;
	if (r->flags & CLONE_SETTLS)
		regs.fs_base = r->tls;
	cpu->ops->set_regs(cpu, ctx, &regs);
	return (ctx);
}

static void
clone_thread_state(struct uthread *t, const struct sysctx *c,
    const struct clone_request *r)
{
	const struct thread_signals *sg = &c->t->sig;

	t->no_new_privs = c->t->no_new_privs;
	t->affinity = c->t->affinity;
	t->sig.mask = sg->has_saved ? sg->saved_mask : sg->mask;
	if (!(r->flags & CLONE_VM) || (r->flags & CLONE_VFORK)) {
		t->sig.stack = sg->stack;
		t->sig.stack_size = sg->stack_size;
		t->sig.stack_flags = sg->stack_flags;
	}
	if (r->flags & CLONE_CHILD_SETTID)
		t->set_child_tid = r->child_tid;
	if (r->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = r->child_tid;
}

/* As Linux, a bad address changes nothing. */
static void
clone_parent_tid(struct sysctx *c, const struct clone_request *r, int32_t tid)
{
	if (r->flags & CLONE_PARENT_SETTID)
		(void)sys_copyout(c, r->parent_tid, &tid, sizeof(tid));
}

static int
clone_pidfd(struct sysctx *c, const struct clone_request *r, struct uproc *p)
{
	int32_t fd;
	int error;

	if (!(r->flags & CLONE_PIDFD))
		return (0);
	fd = pidfd_give(c, p, 0);
	if (fd < 0)
		return (fd);
	error = sys_copyout(c, r->pidfd, &fd, sizeof(fd));
	if (error != 0)
		(void)fd_close(c->p->fds, fd);
	return (error);
}

/* ---- threads ---- */

static int64_t
clone_thread(struct sysctx *c, const struct clone_request *r)
{
	struct cpu_engine *cpu = machine_cpu(c->m);
	struct cpu_context *ctx = clone_context(c, r);
	struct uthread *t;
	int32_t tid;

	if (ctx == NULL)
		return (-ENOMEM);
	t = uthread_alloc(c->p, ctx, 0);
	if (t == NULL) {
		cpu->ops->context_free(cpu, ctx);
		return (-ENOMEM);
	}
	tid = t->tid;
	memcpy(t->comm, c->t->comm, sizeof(t->comm));
	clone_thread_state(t, c, r);
	clone_parent_tid(c, r, tid);
	/* the process may have been told to end meanwhile */
	if (c->p->exiting || c->t->exiting || uthread_start(t) != 0) {
		uthread_discard(t);
		cpu->ops->context_free(cpu, ctx);
		return (-EAGAIN);
	}
	return (tid);
}

/* ---- processes ---- */

static void
clone_memory_layout(struct uproc *p, const struct uproc *from)
{
	p->stack_top = from->stack_top;
	p->arg_start = from->arg_start;
	p->arg_end = from->arg_end;
	p->env_start = from->env_start;
	p->env_end = from->env_end;
}

/* What a child has of its parent besides memory. */
static int
clone_process_state(struct uproc *p, struct uproc *from, uint64_t flags)
{
	clone_memory_layout(p, from);
	memcpy(p->rlim_cur, from->rlim_cur, sizeof(p->rlim_cur));
	memcpy(p->rlim_max, from->rlim_max, sizeof(p->rlim_max));
	p->dumpable = from->dumpable;
	p->nice = from->nice;
	p->args = from->args;
	if (p->args != NULL)
		p->args->refs++;
	if (from->exe_path != NULL) {
		p->exe_path = strdup(from->exe_path);
		if (p->exe_path == NULL)
			return (-ENOMEM);
	}
	if (uproc_set_groups(p, from->groups, from->ngroups) != 0)
		return (-ENOMEM);
	if (sigstate_fork(p, from, (flags & CLONE_SIGHAND) != 0) != 0)
		return (-ENOMEM);
	if (flags & CLEAR_SIGHAND)
		sigstate_reset(p);
	if (flags & CLONE_FILES) {
		p->fds = from->fds;
		fdtable_ref(p->fds);
	} else {
		p->fds = fdtable_copy(from->fds);
	}
	if (p->fds == NULL || ((flags & CLONE_VM) == 0 &&
	    shm_fork(p, from) != 0))
		return (-ENOMEM);
	if ((flags & CLONE_SYSVSEM) && sem_share(p, from) != 0)
		return (-ENOMEM);
	p->fs = uproc_fs_fork(from->fs, (flags & CLONE_FS) != 0);
	p->mem = uproc_mem_fork(from->mem, (flags & CLONE_VM) != 0);
	return (p->fs == NULL || p->mem == NULL ? -ENOMEM : 0);
}

/* From here on others see it. */
static void
clone_publish(struct uproc *p, struct uproc *from, uint64_t flags)
{
	p->parent = flags & CLONE_PARENT ? from->parent : from;
	uproc_list(from->sys, p);
	if (p->parent != NULL)
		TAILQ_INSERT_TAIL(&p->parent->children, p, sibling);
	if (p->m->db != NULL)
		rundb_put_process(p->m->db, p->pid,
		    p->parent != NULL ? p->parent->pid : 0, p->comm,
		    p->args != NULL ? p->args->argv : NULL,
		    sim_now(p->m->sim));
}

/* A child that came to nothing, with or without its kernel records. */
static void
clone_undo(struct uproc *p, struct uthread *t, struct cpu_context *ctx)
{
	struct machine *m = p->m;

	if (t != NULL)
		uthread_discard(t);
	if (ctx != NULL)
		m->cpu->ops->context_free(m->cpu, ctx);
	p->exiting = true;
	if (p->proc != NULL) {
		shm_detach_all(p);
		uproc_reap(p);
	} else {
		uproc_free(p);
	}
}

static struct uproc *
clone_record(struct sysctx *c, const struct clone_request *r)
{
	struct uproc *p = uproc_new(c->m, c->p, c->t->comm);

	if (p == NULL)
		return (NULL);
	p->parent = NULL; /* it is nobody's child before it is complete */
	p->exit_signal = (r->flags & CLONE_PARENT) ? c->p->exit_signal :
	    r->exit_signal;
	p->proc = vm_proc_new(c->vm, p->pid, p->comm, NULL, c->p->proc);
	if (p->proc == NULL) {
		clone_undo(p, NULL, NULL);
		return (NULL);
	}
	return (p);
}

/* The parent of a vfork sleeps until the child has memory of its own. */
static void
vfork_sleep(struct sysctx *c, struct uproc *child, struct vfork_wait *w)
{
	while (!w->done) {
		if (sys_sleep_killable(c, w, VFORK_PRI, "vfork") != 0)
			break;
	}
	if (!w->done)
		child->vfork = NULL; /* it lives: it has not answered yet */
}

static int64_t
clone_process(struct sysctx *c, const struct clone_request *r)
{
	struct vfork_wait wait = { .done = false };
	struct uproc *p = clone_record(c, r);
	struct cpu_context *ctx;
	struct uthread *t = NULL;
	int32_t pid;
	int error;

	if (p == NULL)
		return (-ENOMEM);
	pid = p->pid;
	ctx = clone_context(c, r);
	if (ctx != NULL)
		t = uthread_alloc(p, ctx, pid);
	if (t == NULL) {
		clone_undo(p, NULL, ctx);
		return (-ENOMEM);
	}
	vm_forkproc(c->vm, c->t->td, p->proc, t->td, VM_RFPROC |
	    (r->flags & CLONE_VM ? VM_RFMEM : 0));
	p->vs = vm_proc_vmspace(p->proc);
	error = clone_process_state(p, c->p, r->flags);
	if (error == 0)
		error = clone_pidfd(c, r, p);
	if (error != 0) {
		clone_undo(p, t, ctx);
		return (error);
	}
	clone_thread_state(t, c, r);
	clone_parent_tid(c, r, pid);
	clone_publish(p, c->p, r->flags);
	if (uthread_start(t) != 0) {
		clone_undo(p, t, ctx);
		return (-EAGAIN);
	}
	if (r->flags & CLONE_VFORK) {
		p->vfork = &wait;
		vfork_sleep(c, p, &wait);
	}
	return (pid);
}

int64_t
task_clone(struct sysctx *c, const struct clone_request *r)
{
	int error = clone_check(r);

	if (error != 0)
		return (error);
	if (c->m->ntasks >= TASKS_MAX)
		return (-EAGAIN);
	return (r->flags & CLONE_THREAD ? clone_thread(c, r) :
	    clone_process(c, r));
}
