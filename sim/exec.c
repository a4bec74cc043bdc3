/*
 * exec.c: another program in a process.
 *
 * Interface: machine_task_ops (struct task_ops of sim/syscall_int.h). Source:
 * execve(2), Linux 6.1 fs/exec.c for the order: everything that can fail
 * comes before the old image goes. Differences: the new image is built
 * beside the old one, so both are in memory for a moment.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/machine_int.h"
#include "sim/syscall_int.h"

#define EXEC_PRI 92 /* PWAIT of FreeBSD 5 */

/* ---- other threads ---- */

/*
 * All threads but the caller end. -EINTR when the caller has to end itself,
 * by a signal or another thread's exec.
 */
static int
exec_alone(struct sysctx *c)
{
	struct uproc *p = c->p;
	struct uthread *o;

	if (p->exec_waits || c->t->exiting)
		return (-EINTR);
	TAILQ_FOREACH(o, &p->threads, link) {
		if (o != c->t)
			o->exiting = true;
	}
	signal_wake_all(p, true);
	p->exec_waits = true;
	while (TAILQ_NEXT(TAILQ_FIRST(&p->threads), link) != NULL)
		(void)sim_sleep(c->sim, &p->threads, EXEC_PRI, "execwt",
		    SIM_NO_TIMEOUT);
	p->exec_waits = false;
	return (p->exiting ? -EINTR : 0);
}

/* ---- the change ---- */

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (slash != NULL ? slash + 1 : path);
}

static void
exec_memory(struct sysctx *c, struct vmspace *vs)
{
	struct uproc *p = c->p;

	thread_leave_user(c->t);
	uproc_leave_memory(p);
	p->vs = vs;
	vm_proc_set_vmspace(c->vm, p->proc, vs);
	c->vs = vs;
	/* nobody maps the removed files of the old image any more */
	vfs_reap(c->vfs);
}

static void
exec_signals(struct sysctx *c)
{
	struct thread_signals *sg = &c->t->sig;

	sigstate_reset(c->p);
	ptimers_free(c->p);
	sg->stack = sg->stack_size = 0;
	sg->stack_flags = 0;
}

static int
exec_files(struct sysctx *c)
{
	struct fdtable *own = fdtable_own(c->p->fds);

	if (own == NULL)
		return (-ENOMEM);
	c->p->fds = own;
	return (sigstate_own(c->p));
}

static void
exec_name(struct uthread *t, const char *path, struct uproc_args *args)
{
	struct uproc *p = t->p;

	memset(p->comm, 0, sizeof(p->comm));
	snprintf(p->comm, sizeof(p->comm), "%.15s", last_part(path));
	memcpy(t->comm, p->comm, sizeof(t->comm));
	uproc_put_args(p);
	p->args = args;
	p->execed = true;
	vm_proc_set_name(p->proc, p->comm);
	if (p->m->db != NULL)
		rundb_put_process(p->m->db, p->pid,
		    p->parent != NULL ? p->parent->pid : 0, p->comm,
		    args->argv, sim_now(p->m->sim));
}

/* What the new image needs besides its memory. */
struct exec_parts {
	struct uproc_args *args;
	struct uproc_mem *mem;
	struct cpu_context *ctx;
};

static int
exec_prepare(struct sysctx *c, struct exec_args *xa, struct exec_parts *ep)
{
	struct cpu_engine *cpu = machine_cpu(c->m);

	ep->args = uproc_args_new(xa->argv);
	ep->mem = uproc_mem_new();
	ep->ctx = cpu->ops->context_new(cpu);
	return (ep->args == NULL || ep->mem == NULL || ep->ctx == NULL ?
	    -ENOMEM : exec_files(c));
}

static void
exec_undo(struct sysctx *c, struct exec_parts *ep)
{
	struct cpu_engine *cpu = machine_cpu(c->m);

	if (ep->ctx != NULL)
		cpu->ops->context_free(cpu, ep->ctx);
	uproc_mem_drop(ep->mem);
	uproc_args_drop(ep->args);
}

/* From here on there is no way back. */
static void
exec_commit(struct sysctx *c, struct vmspace *vs, struct exec_parts *ep,
    const struct load_result *lr)
{
	struct cpu_engine *cpu = machine_cpu(c->m);

	exec_memory(c, vs);
	uproc_mem_drop(c->p->mem);
	c->p->mem = ep->mem;
	exec_signals(c);
	fd_close_on_exec(c->p->fds);
	cpu->ops->context_free(cpu, c->t->ctx);
	c->t->ctx = ep->ctx;
	signal_thread_is(c->t, c->p->pid);
	c->t->set_child_tid = 0;
	uproc_take_load(c->p, c->t, lr);
	c->regs_replaced = true;
}

static int64_t
exec_switch(struct sysctx *c, struct vmspace *vs, const char *path,
    struct exec_args *xa, const struct load_result *lr)
{
	struct exec_parts ep;
	int error = exec_prepare(c, xa, &ep);

	if (error == 0)
		error = exec_alone(c);
	if (error != 0) {
		exec_undo(c, &ep);
		return (error);
	}
	exec_commit(c, vs, &ep, lr);
	exec_name(c->t, path, ep.args);
	return (0);
}

int64_t
task_exec(struct sysctx *c, struct inode *dir, const char *path,
    struct exec_args *xa)
{
	struct load_result lr;
	struct vmspace *vs;
	int64_t ret;
	int error;

	vs = vmspace_alloc(c->vm, USER_VA_MIN, USER_VA_MAX);
	error = load_program(c->vm, c->vfs, dir, vs, path, xa->argv, xa->envp,
	    sys_limit(c->p, RLIMIT_STACK), &lr, NULL);
	if (error == -EISDIR)
		error = -EACCES;
	ret = error != 0 ? error : exec_switch(c, vs, path, xa, &lr);
	if (ret != 0) {
		free(lr.exe_path);
		vmspace_free(c->vm, vs);
	}
	return (ret);
}

const struct task_ops machine_task_ops = {
	.clone = task_clone,
	.exec = task_exec,
	.reap = uproc_reap,
};
