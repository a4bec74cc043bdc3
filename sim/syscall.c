/*
 * syscall.c: the table of system calls, the dispatcher, and what every call
 * needs: the caller's memory, paths, descriptors, sleeping.
 *
 * Interface: syscall_dispatch, syscall_name of sim/uproc.h; helpers of
 * sim/syscall_int.h. Source: the x86-64 calling convention of Linux: number
 * in RAX, arguments in RDI RSI RDX R10 R8 R9, RCX and R11 lost. Differences:
 * what is not there answers ENOSYS and is named once in the run's summary.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/syscall_int.h"

struct syscall_entry {
	const char *name;
	uint32_t nargs;
	syscall_fn *fn; /* NULL: ENOSYS */
};

static const struct syscall_entry syscall_table[] = {
#define SYSCALL(number, text, args) \
	[number] = { .name = #text, .nargs = args, .fn = sys_##text },
#define SYSCALL_NONE(number, text) [number] = { .name = #text },
#include "sim/syscall_table.h"
#undef SYSCALL
#undef SYSCALL_NONE
};

#define NSYSCALLS ((int)(sizeof(syscall_table) / sizeof(syscall_table[0])))

const char *
syscall_name(int number)
{
	if (number < 0 || number >= NSYSCALLS)
		return (NULL);
	return (syscall_table[number].name);
}

/* ---- state ---- */

struct sysstate *
sysstate_create(struct machine *m)
{
	struct sysstate *ss = calloc(1, sizeof(*ss));

	if (ss == NULL)
		return (NULL);
	ss->m = m;
	ss->sim = machine_sim(m);
	ss->vm = machine_vm(m);
	ss->vfs = machine_vfs(m);
	ss->next_anon = 100; /* above the standard descriptors' */
	TAILQ_INIT(&ss->procs);
	futex_init(ss);
	TAILQ_INIT(&ss->locks);
	TAILQ_INIT(&ss->lock_waits);
	TAILQ_INIT(&ss->shm);
	TAILQ_INIT(&ss->sem_sets);
	TAILQ_INIT(&ss->msg_queues);
	sim_rng_init(&ss->random, sim_rng_seed(ss->sim), "guest-random");
	vfs_set_proc_ops(ss->vfs, &sys_proc_ops, ss);
	return (ss);
}

void
sysstate_destroy(struct sysstate *ss)
{
	struct exec_args *xa;
	struct sysbuf *b;
	struct file *f;

	if (ss == NULL)
		return;
	while ((xa = LIST_FIRST(&ss->execs)) != NULL)
		exec_args_free(xa);
	/* held by threads that were abandoned in mid-call */
	while ((f = LIST_FIRST(&ss->files)) != NULL) {
		f->refs = 1;
		file_drop(f);
	}
	lockf_free_all(ss);
	shm_free_all(ss);
	sem_free_all(ss);
	msgq_free_all(ss);
	mq_free_all(ss);
	while ((b = ss->bufs) != NULL) {
		ss->bufs = b->next_all;
		free(b);
	}
	free(ss);
}

void
sysstate_set_tasks(struct sysstate *ss, const struct task_ops *ops)
{
	ss->tasks = ops;
}

struct uproc *
uproc_find(struct sysstate *ss, int32_t pid)
{
	struct uproc *p;

	LIST_FOREACH(p, &ss->by_pid[(uint32_t)pid % PID_BUCKETS], hash) {
		if (p->pid == pid)
			return (p);
	}
	return (NULL);
}

void
uproc_list(struct sysstate *ss, struct uproc *p)
{
	p->sys = ss;
	TAILQ_INSERT_TAIL(&ss->procs, p, sys_link);
	LIST_INSERT_HEAD(&ss->by_pid[(uint32_t)p->pid % PID_BUCKETS], p,
	    hash);
	p->listed = true;
}

void
uproc_unlist(struct uproc *p)
{
	if (!p->listed)
		return;
	TAILQ_REMOVE(&p->sys->procs, p, sys_link);
	LIST_REMOVE(p, hash);
	p->listed = false;
}

struct uthread *
sys_curthread(struct sysstate *ss)
{
	struct sim_thread *st = sim_curthread(ss->sim);
	struct uthread *t;
	struct uproc *p;

	TAILQ_FOREACH(p, &ss->procs, sys_link) {
		TAILQ_FOREACH(t, &p->threads, link) {
			if (t->st == st && st != NULL)
				return (t);
		}
	}
	return (NULL);
}

void
sys_random_bytes(struct sysstate *ss, void *buf, size_t n)
{
	uint8_t *p = buf;

	while (n > 0) {
		uint64_t v = sim_rng_next(&ss->random);

		for (int i = 0; i < 8 && n > 0; i++, n--, v >>= 8)
			*p++ = (uint8_t)v;
	}
}

/* ---- buffers ---- */

static struct sysbuf *
buf_new(struct sysstate *ss, uint64_t size)
{
	struct sysbuf *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		return (NULL);
	b->size = size;
	b->next_all = ss->bufs;
	ss->bufs = b;
	return (b);
}

uint8_t *
sys_large_buf(struct sysctx *c, int i, uint64_t n)
{
	struct sysbuf *b, **at = &c->ss->free_bufs;

	while (*at != NULL && (*at)->size < n)
		at = &(*at)->next_free;
	b = *at;
	if (b != NULL)
		*at = b->next_free;
	else
		b = buf_new(c->ss, n > SYSBUF_SIZE ? n : SYSBUF_SIZE);
	c->buf[i] = b;
	return (b != NULL ? b->data : NULL);
}

uint8_t *
sys_buf(struct sysctx *c, int i)
{
	return (c->buf[i] != NULL ? c->buf[i]->data :
	    sys_large_buf(c, i, SYSBUF_SIZE));
}

static void
sys_release(struct sysctx *c)
{
	for (int i = 0; i < 3; i++) {
		if (c->buf[i] == NULL)
			continue;
		c->buf[i]->next_free = c->ss->free_bufs;
		c->ss->free_bufs = c->buf[i];
		c->buf[i] = NULL;
	}
	for (int i = 0; i < 2; i++) {
		if (c->held[i] != NULL)
			file_drop(c->held[i]);
		c->held[i] = NULL;
	}
}

/* ---- the caller's memory ---- */

bool
user_range_ok(vm_offset_t va, uint64_t n)
{
	return (va <= USER_VA_MAX && n <= USER_VA_MAX - va);
}

int
sys_copyin(struct sysctx *c, vm_offset_t va, void *buf, uint64_t n)
{
	if (n == 0)
		return (0);
	if (!user_range_ok(va, n) || vm_copyin(c->vm, c->vs, va, buf, n) != 0)
		return (-EFAULT);
	return (0);
}

int
sys_copyout(struct sysctx *c, vm_offset_t va, const void *buf, uint64_t n)
{
	if (n == 0)
		return (0);
	if (!user_range_ok(va, n) || vm_copyout(c->vm, c->vs, va, buf, n) != 0)
		return (-EFAULT);
	return (0);
}

int
sys_path(struct sysctx *c, int which, vm_offset_t va, const char **out)
{
	uint8_t *b = sys_buf(c, 2);
	size_t length;
	char *path;
	int error;

	if (b == NULL)
		return (-ENOMEM);
	if (va > USER_VA_MAX)
		return (-EFAULT);
	path = (char *)b + (size_t)which * VFS_PATH_MAX;
	error = vm_copyinstr(c->vm, c->vs, va, path, VFS_PATH_MAX, &length);
	if (error != 0)
		return (-error);
	*out = path;
	return (0);
}

/* ---- descriptors ---- */

struct file *
sys_file(struct sysctx *c, uint64_t fd, bool path_too)
{
	struct file *f;
	int i = c->held[0] == NULL ? 0 : 1;

	f = fd_get(c->p->fds, (int)fd);
	if (f == NULL || (f->ops == &file_ops_path && !path_too))
		return (NULL);
	file_hold(f);
	c->held[i] = f;
	return (f);
}

int
sys_dirfd(struct sysctx *c, uint64_t dirfd, const char *path,
    struct inode **dir)
{
	struct file *f;

	*dir = c->p->fs->cwd;
	if ((int)dirfd == AT_FDCWD || path[0] == '/')
		return (0);
	f = sys_file(c, dirfd, true);
	if (f == NULL)
		return (-EBADF);
	if (f->ip == NULL || !inode_is_directory(f->ip))
		return (-ENOTDIR);
	*dir = f->ip;
	return (0);
}

uint64_t
sys_limit(const struct uproc *p, int resource)
{
	return (p->rlim_cur[resource]);
}

/* ---- sleeping ---- */

int
sys_sleep(struct sysctx *c, const void *chan, int priority, const char *wmesg,
    uint64_t cycles)
{
	const uint64_t slack = sim_us(c->sim, TIMER_SLACK_US);
	struct uthread *t = c->t;
	int why;

	if (signal_pending(t))
		return (-ERESTARTSYS);
	/* threads that time each other out sooner would do nothing else */
	if (cycles != SIM_NO_TIMEOUT && cycles < slack)
		cycles = slack;
	t->sig.interruptible = true;
	t->sig.timed = cycles != SIM_NO_TIMEOUT;
	why = sim_sleep(c->sim, chan, priority, wmesg, cycles);
	t->sig.interruptible = false;
	if (signal_pending(t))
		return (-ERESTARTSYS);
	return (why == SIM_TIMEOUT ? -ETIMEDOUT : 0);
}

int
sys_sleep_killable(struct sysctx *c, const void *chan, int priority,
    const char *wmesg)
{
	struct uthread *t = c->t;

	if (t->p->kill_signal != 0 || t->p->exiting || t->exiting)
		return (-EINTR);
	t->sig.killable = true;
	(void)sim_sleep(c->sim, chan, priority, wmesg, SIM_NO_TIMEOUT);
	t->sig.killable = false;
	return (t->p->kill_signal != 0 || t->p->exiting || t->exiting ?
	    -EINTR : 0);
}

/* ---- dispatch ---- */

static int64_t
run_call(struct sysctx *c, const struct syscall_entry *e)
{
	const struct cpu_regs *r = &c->regs;
	const uint64_t args[6] = { r->r[R_RDI], r->r[R_RSI], r->r[R_RDX],
		r->r[R_R10], r->r[R_R8], r->r[R_R9] };

	if (e == NULL || e->fn == NULL) {
		machine_note_enosys(c->m, c->number, args, r->rip - 2);
		return (-ENOSYS);
	}
	for (uint32_t i = 0; i < e->nargs; i++)
		c->a[i] = args[i];
	return (e->fn(c));
}

/* What the guest finds in RAX; a call to be restarted is noted for the
 * delivery of signals, which knows whether a handler runs. */
static uint64_t
call_result(struct sysctx *c, int64_t ret)
{
	struct thread_signals *sg = &c->t->sig;

	if (ret == -ERESTARTSYS || ret == -ERESTARTNOINTR ||
	    ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK) {
		sg->restart = (int32_t)-ret;
		sg->restart_number = c->number;
		return ((uint64_t)(int64_t)-EINTR);
	}
	return ((uint64_t)ret);
}

void
syscall_dispatch(struct machine *m, struct uthread *t)
{
	struct cpu_engine *cpu = machine_cpu(m);
	const struct syscall_entry *e = NULL;
	struct sysctx c;
	int64_t ret;

	memset(&c, 0, sizeof(c));
	c.m = m;
	c.t = t;
	c.p = t->p;
	c.ss = c.p->sys;
	c.vm = c.ss->vm;
	c.vs = c.p->vs;
	c.vfs = c.ss->vfs;
	c.sim = c.ss->sim;
	sim_spend(c.sim, vm_cost_syscall(c.vm));
	cpu->ops->get_regs(cpu, t->ctx, &c.regs);
	c.number = (int)(uint32_t)c.regs.r[R_RAX];
	if (c.number >= 0 && c.number < NSYSCALLS)
		e = &syscall_table[c.number];
	t->sig.restart = 0;
	errno = 0;
	ret = run_call(&c, e);
	/* how much memory the host has is nothing to the guest */
	if ((ret == -ENOMEM || ret == -EAGAIN) && errno == ENOMEM)
		machine_host_nomem(m);
	sys_release(&c);
	if (c.regs_replaced)
		return;
	c.regs.r[R_RAX] = call_result(&c, ret);
	c.regs.r[R_RCX] = c.regs.rip;
	c.regs.r[R_R11] = c.regs.rflags;
	cpu->ops->set_regs(cpu, t->ctx, &c.regs);
}
