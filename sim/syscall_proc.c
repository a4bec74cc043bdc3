/*
 * syscall_proc.c: the calls that make and end processes and threads.
 *
 * Interface: sys_* of sim/syscall_table.h; what they need of the machine
 * comes through struct task_ops. Source: clone(2), execve(2), exit(2), Linux
 * 6.1. Differences: clone3 chooses no pids or control groups; without task
 * operations none of the calls is.
 */
#include <fcntl.h>
#include <linux/limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/syscall_int.h"

#define ARG_STRING_MAX 131072u /* MAX_ARG_STRLEN */
#define ARG_BYTES_MAX (6u << 20) /* 3/4 of _STK_LIM */
#define ARG_COUNT_MAX (ARG_BYTES_MAX / sizeof(uint64_t))

/* ---- fork and its kin ---- */

static int64_t
do_clone(struct sysctx *c, const struct clone_request *r)
{
	if (c->ss->tasks == NULL)
		return (-ENOSYS);
	return (c->ss->tasks->clone(c, r));
}

int64_t
sys_clone(struct sysctx *c)
{
	const struct clone_request r = {
		.flags = c->a[0] & ~(uint64_t)CSIGNAL & UINT32_MAX,
		.exit_signal = (int32_t)(c->a[0] & CSIGNAL),
		.stack = c->a[1],
		.parent_tid = c->a[2],
		.pidfd = c->a[2],
		.child_tid = c->a[3],
		.tls = c->a[4],
	};

	if (r.exit_signal > 64)
		return (-EINVAL);
	return (do_clone(c, &r));
}

#define CLONE_ARGS_MIN 64u /* CLONE_ARGS_SIZE_VER0 */
#define CLONE_ARGS_PAGE 4096u

struct clone_args64 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
	uint64_t stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup; /* later versions */
};

/* As long as the caller knows it; what we do not know has to be 0. */
static int
read_clone_args(struct sysctx *c, struct clone_args64 *ca)
{
	uint64_t size = c->a[1], known = sizeof(*ca);
	int error;

	memset(ca, 0, sizeof(*ca));
	if (size > CLONE_ARGS_PAGE)
		return (-E2BIG);
	if (size < CLONE_ARGS_MIN)
		return (-EINVAL);
	error = sys_copyin(c, c->a[0], ca, size < known ? size : known);
	for (uint64_t at = known; error == 0 && at < size; at++) {
		uint8_t byte;

		error = sys_copyin(c, c->a[0] + at, &byte, 1);
		if (error == 0 && byte != 0)
			error = -E2BIG;
	}
	return (error);
}

static int
check_clone_args(const struct clone_args64 *ca)
{
	const uint64_t clear = 1ull << 32; /* CLONE_CLEAR_SIGHAND */

	if (ca->set_tid != 0 || ca->set_tid_size != 0)
		return (-EINVAL);
	if ((ca->flags & ~(uint64_t)UINT32_MAX & ~clear) ||
	    (ca->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
		return (-EINVAL);
	if ((ca->flags & (CLONE_SIGHAND | clear)) == (CLONE_SIGHAND | clear))
		return (-EINVAL);
	if (ca->exit_signal > CSIGNAL || ca->exit_signal > 64 ||
	    ((ca->flags & (CLONE_THREAD | CLONE_PARENT)) &&
	    ca->exit_signal != 0))
		return (-EINVAL);
	if ((ca->stack == 0) != (ca->stack_size == 0) ||
	    !user_range_ok(ca->stack, ca->stack_size))
		return (-EINVAL);
	return (0);
}

int64_t
sys_clone3(struct sysctx *c)
{
	struct clone_args64 ca;
	struct clone_request r;
	int error = read_clone_args(c, &ca);

	if (error == 0)
		error = check_clone_args(&ca);
	if (error != 0)
		return (error);
	r = (struct clone_request) {
		.flags = ca.flags,
		.exit_signal = (int32_t)ca.exit_signal,
		.stack = ca.stack + ca.stack_size,
		.parent_tid = ca.parent_tid,
		.pidfd = ca.pidfd,
		.child_tid = ca.child_tid,
		.tls = ca.tls,
	};
	return (do_clone(c, &r));
}

int64_t
sys_fork(struct sysctx *c)
{
	const struct clone_request r = { .exit_signal = SIGCHLD };

	return (do_clone(c, &r));
}

int64_t
sys_vfork(struct sysctx *c)
{
	const struct clone_request r = { .flags = CLONE_VFORK | CLONE_VM,
		.exit_signal = SIGCHLD };

	return (do_clone(c, &r));
}

/* ---- arguments of execve ---- */

void
exec_args_free(struct exec_args *xa)
{
	if (xa == NULL)
		return;
	LIST_REMOVE(xa, link);
	free(xa->pool);
	free(xa->offset);
	free(xa->argv);
	free(xa);
}

static struct exec_args *
exec_args_new(struct sysstate *ss)
{
	struct exec_args *xa = calloc(1, sizeof(*xa));

	if (xa != NULL)
		LIST_INSERT_HEAD(&ss->execs, xa, link);
	return (xa);
}

/* Room for the longest string and one more offset. */
static int
exec_room(struct exec_args *xa)
{
	if (xa->room - xa->used < ARG_STRING_MAX) {
		size_t room = xa->room * 2 + 2 * ARG_STRING_MAX;
		char *pool = realloc(xa->pool, room);

		if (pool == NULL)
			return (-ENOMEM);
		xa->pool = pool;
		xa->room = room;
	}
	if (xa->count == xa->slots) {
		size_t slots = xa->slots * 2 + 64;
		size_t *offset = realloc(xa->offset, slots * sizeof(*offset));

		if (offset == NULL)
			return (-ENOMEM);
		xa->offset = offset;
		xa->slots = slots;
	}
	return (0);
}

static int
exec_string(struct sysctx *c, struct exec_args *xa, vm_offset_t va)
{
	size_t length;
	int error = exec_room(xa);

	if (error != 0)
		return (error);
	if (va > USER_VA_MAX)
		return (-EFAULT);
	error = vm_copyinstr(c->vm, c->vs, va, xa->pool + xa->used,
	    ARG_STRING_MAX, &length);
	if (error != 0)
		return (error == ENAMETOOLONG ? -E2BIG : -EFAULT);
	xa->offset[xa->count++] = xa->used;
	xa->used += length;
	if (xa->used + xa->count * sizeof(uint64_t) > ARG_BYTES_MAX)
		return (-E2BIG);
	return (0);
}

/* One of the two vectors; a null pointer stands for an empty one. */
static int
exec_vector(struct sysctx *c, struct exec_args *xa, vm_offset_t va)
{
	uint64_t at;
	int error;

	for (size_t i = 0; va != 0; i++, va += sizeof(at)) {
		if (i > ARG_COUNT_MAX)
			return (-E2BIG);
		error = sys_copyin(c, va, &at, sizeof(at));
		if (error != 0)
			return (error);
		if (at == 0)
			break;
		error = exec_string(c, xa, at);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* The pool moves no more: pointers for offsets. */
static int
exec_pointers(struct exec_args *xa)
{
	size_t n = xa->count - xa->argc;

	/* Linux gives a program without arguments an empty first one */
	xa->argv = calloc(xa->count + 3, sizeof(*xa->argv));
	if (xa->argv == NULL)
		return (-ENOMEM);
	for (size_t i = 0; i < xa->argc; i++)
		xa->argv[i] = xa->pool + xa->offset[i];
	if (xa->argc == 0)
		xa->argv[xa->argc++] = (char *)(uintptr_t)"";
	xa->envp = xa->argv + xa->argc + 1;
	for (size_t i = 0; i < n; i++)
		xa->envp[i] = xa->pool + xa->offset[xa->count - n + i];
	return (0);
}

static int
exec_args_read(struct sysctx *c, struct exec_args *xa, vm_offset_t argv,
    vm_offset_t envp)
{
	int error = exec_vector(c, xa, argv);

	xa->argc = xa->count;
	if (error == 0)
		error = exec_vector(c, xa, envp);
	return (error != 0 ? error : exec_pointers(xa));
}

static int64_t
do_exec(struct sysctx *c, struct inode *dir, const char *path,
    vm_offset_t argv, vm_offset_t envp)
{
	struct exec_args *xa;
	int64_t ret;

	if (c->ss->tasks == NULL)
		return (-ENOSYS);
	xa = exec_args_new(c->ss);
	if (xa == NULL)
		return (-ENOMEM);
	ret = exec_args_read(c, xa, argv, envp);
	if (ret == 0)
		ret = c->ss->tasks->exec(c, dir, path, xa);
	exec_args_free(xa);
	return (ret);
}

int64_t
sys_execve(struct sysctx *c)
{
	const char *path;
	int error = sys_path(c, 0, c->a[0], &path);

	if (error != 0)
		return (error);
	return (do_exec(c, c->p->fs->cwd, path, c->a[1], c->a[2]));
}

int64_t
sys_execveat(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[4];
	const char *path;
	struct inode *dir;
	struct file *f;
	int error;

	if (flags & ~(uint32_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return (-EINVAL);
	error = sys_path(c, 0, c->a[1], &path);
	if (error != 0)
		return (error);
	if (path[0] == '\0' && (flags & AT_EMPTY_PATH)) {
		f = sys_file(c, c->a[0], true);
		if (f == NULL)
			return (-EBADF);
		if (f->ip == NULL)
			return (-EACCES);
		return (do_exec(c, NULL, inode_path(f->ip), c->a[2],
		    c->a[3]));
	}
	error = sys_dirfd(c, c->a[0], path, &dir);
	return (error != 0 ? error : do_exec(c, dir, path, c->a[2], c->a[3]));
}

/* ---- the argument list that a process is known by ---- */

struct uproc_args *
uproc_args_new(char *const argv[])
{
	struct uproc_args *a = calloc(1, sizeof(*a));
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	if (a == NULL)
		return (NULL);
	a->refs = 1;
	a->argv = calloc(n + 1, sizeof(*a->argv));
	for (size_t i = 0; i < n && a->argv != NULL; i++) {
		a->argv[i] = strdup(argv[i]);
		if (a->argv[i] != NULL)
			continue;
		uproc_args_drop(a);
		return (NULL);
	}
	if (a->argv != NULL)
		return (a);
	free(a);
	return (NULL);
}

void
uproc_args_drop(struct uproc_args *a)
{
	if (a == NULL || --a->refs != 0)
		return;
	for (size_t i = 0; a->argv[i] != NULL; i++)
		free(a->argv[i]);
	free(a->argv);
	free(a);
}

void
uproc_put_args(struct uproc *p)
{
	uproc_args_drop(p->args);
	p->args = NULL;
}

/* ---- the end ---- */

static bool
is_last_thread(const struct uthread *t)
{
	const struct uthread *o;

	TAILQ_FOREACH(o, &t->p->threads, link) {
		if (o != t && !o->exiting)
			return (false);
	}
	return (true);
}

int64_t
sys_exit(struct sysctx *c)
{
	struct uthread *t = c->t;

	if (is_last_thread(t))
		uproc_exit(t, ((int)c->a[0] & 0xff) << 8);
	else
		t->exiting = true;
	return (0);
}

int64_t
sys_exit_group(struct sysctx *c)
{
	uproc_exit(c->t, ((int)c->a[0] & 0xff) << 8);
	return (0);
}
