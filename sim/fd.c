/*
 * fd.c: descriptor tables, open file descriptions, and what a first process
 * starts with.
 *
 * Interface: sim/fd.h, uproc_init_files and uproc_free_files of sim/uproc.h.
 * Source: dup(2), fcntl(2), close(2) as Linux 6.1. Differences: none known.
 */
#include "sim/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/machine.h"
#include "sim/syscall_int.h"

#define FD_TABLE_MAX (1u << 20) /* as Linux's nr_open */

struct fdtable {
	struct file **file;
	bool *cloexec;
	int size;
	uint32_t refs; /* processes (CLONE_FILES) */
};

/* ---- tables ---- */

static int
fdtable_grow(struct fdtable *ft, int size)
{
	struct file **file;
	bool *cloexec;
	int room = ft->size == 0 ? 16 : ft->size;

	while (room < size)
		room *= 2;
	if (room == ft->size)
		return (0);
	file = realloc(ft->file, (size_t)room * sizeof(*file));
	if (file == NULL)
		return (-ENOMEM);
	ft->file = file;
	cloexec = realloc(ft->cloexec, (size_t)room * sizeof(*cloexec));
	if (cloexec == NULL)
		return (-ENOMEM);
	ft->cloexec = cloexec;
	for (int i = ft->size; i < room; i++) {
		file[i] = NULL;
		cloexec[i] = false;
	}
	ft->size = room;
	return (0);
}

struct fdtable *
fdtable_new(void)
{
	struct fdtable *ft = calloc(1, sizeof(*ft));

	if (ft != NULL)
		ft->refs = 1;
	return (ft);
}

void
fdtable_ref(struct fdtable *ft)
{
	ft->refs++;
}

struct fdtable *
fdtable_own(struct fdtable *ft)
{
	struct fdtable *own;

	if (ft->refs == 1)
		return (ft);
	own = fdtable_copy(ft);
	if (own != NULL)
		ft->refs--;
	return (own);
}

struct fdtable *
fdtable_copy(const struct fdtable *from)
{
	struct fdtable *ft = fdtable_new();

	if (ft == NULL || fdtable_grow(ft, from->size) != 0) {
		if (ft != NULL) {
			free(ft->file);
			free(ft);
		}
		return (NULL);
	}
	for (int i = 0; i < from->size; i++) {
		if (from->file[i] == NULL)
			continue;
		ft->file[i] = from->file[i];
		ft->cloexec[i] = from->cloexec[i];
		file_hold(ft->file[i]);
	}
	return (ft);
}

void
fdtable_free(struct fdtable *ft)
{
	if (ft == NULL || --ft->refs != 0)
		return;
	for (int i = 0; i < ft->size; i++)
		(void)fd_close(ft, i);
	free(ft->file);
	free(ft->cloexec);
	free(ft);
}

struct file *
fd_get(const struct fdtable *ft, int fd)
{
	if (ft == NULL || fd < 0 || fd >= ft->size)
		return (NULL);
	return (ft->file[fd]);
}

int
fd_install(struct fdtable *ft, struct file *f, int min, uint64_t limit,
    bool cloexec)
{
	int fd = min, error;

	if (limit > FD_TABLE_MAX)
		limit = FD_TABLE_MAX;
	while (fd < ft->size && ft->file[fd] != NULL)
		fd++;
	if ((uint64_t)fd >= limit)
		return (-EMFILE);
	error = fdtable_grow(ft, fd + 1);
	if (error != 0)
		return (error);
	ft->file[fd] = f;
	ft->cloexec[fd] = cloexec;
	return (fd);
}

/* A descriptor of f's is gone. Any one takes the process's locks with it. */
static void
leave(const struct fdtable *ft, struct file *f)
{
	if (f->ip != NULL)
		lockf_release_process(f->ss, ft, f->ip);
	if (f->ops->leave != NULL)
		f->ops->leave(f, ft);
	file_drop(f);
}

int
fd_install_at(struct fdtable *ft, struct file *f, int fd, bool cloexec)
{
	struct file *old;
	int error;

	error = fdtable_grow(ft, fd + 1);
	if (error != 0)
		return (error);
	old = ft->file[fd];
	ft->file[fd] = f;
	ft->cloexec[fd] = cloexec;
	if (old != NULL)
		leave(ft, old);
	return (fd);
}

int
fd_close(struct fdtable *ft, int fd)
{
	struct file *f = fd_get(ft, fd);

	if (f == NULL)
		return (-EBADF);
	ft->file[fd] = NULL;
	ft->cloexec[fd] = false;
	leave(ft, f);
	return (0);
}

void
fd_close_on_exec(struct fdtable *ft)
{
	for (int i = 0; i < ft->size; i++) {
		if (ft->file[i] != NULL && ft->cloexec[i])
			(void)fd_close(ft, i);
	}
}

bool
fd_cloexec(const struct fdtable *ft, int fd)
{
	return (fd_get(ft, fd) != NULL && ft->cloexec[fd]);
}

void
fd_set_cloexec(struct fdtable *ft, int fd, bool on)
{
	if (fd_get(ft, fd) != NULL)
		ft->cloexec[fd] = on;
}

bool
fd_full(const struct fdtable *ft, uint64_t limit)
{
	int fd = 0;

	while (fd < ft->size && ft->file[fd] != NULL)
		fd++;
	return ((uint64_t)fd >= limit);
}

int
fd_next(const struct fdtable *ft, int fd)
{
	for (fd++; ft != NULL && fd < ft->size; fd++) {
		if (ft->file[fd] != NULL)
			return (fd);
	}
	return (-1);
}

/* ---- open file descriptions ---- */

struct file *
file_new(struct sysstate *ss, const struct file_ops *ops, uint32_t flags)
{
	struct file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return (NULL);
	f->ops = ops;
	f->ss = ss;
	f->refs = 1;
	f->flags = flags;
	f->host_fd = -1;
	poll_head_init(&f->head);
	LIST_INIT(&f->watches);
	LIST_INSERT_HEAD(&ss->files, f, all);
	return (f);
}

void
file_hold(struct file *f)
{
	f->refs++;
}

void
file_drop(struct file *f)
{
	if (--f->refs != 0)
		return;
	if (f->ip != NULL)
		lockf_release_file(f->ss, f);
	epoll_forget(f);
	if (f->ops->close != NULL)
		f->ops->close(f);
	vfs_listing_free(&f->list);
	free(f->text);
	poll_head_end(&f->head);
	if (f->ip != NULL)
		inode_rele(f->ip);
	LIST_REMOVE(f, all);
	free(f);
}

void
file_stat(struct file *f, struct vfs_stat *st)
{
	if (f->ops->stat != NULL)
		f->ops->stat(f, st);
	else
		inode_stat(f->ip, st);
}

int
file_give(struct sysctx *c, struct file *f, bool cloexec)
{
	int fd = fd_install(c->p->fds, f, 0, sys_limit(c->p, RLIMIT_NOFILE),
	    cloexec);

	if (fd < 0)
		file_drop(f);
	return (fd);
}

uint32_t
file_poll(struct sysctx *c, struct file *f)
{
	if (f->ops->poll != NULL)
		return (f->ops->poll(c, f));
	return (POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
}

/* ---- the first process ---- */

static void
set_limit(struct uproc *p, int resource, uint64_t soft, uint64_t hard)
{
	p->rlim_cur[resource] = soft;
	p->rlim_max[resource] = hard;
}

/* What a login shell of Debian 12 shows, without the host's own numbers. */
static void
default_limits(struct uproc *p, const struct machine_config *mc)
{
	const uint64_t inf = UINT64_MAX;

	for (int i = 0; i < 16; i++)
		set_limit(p, i, inf, inf);
	set_limit(p, RLIMIT_STACK, mc->stack_limit, inf);
	set_limit(p, RLIMIT_CORE, 0, inf);
	if (mc->rss_limit != 0)
		set_limit(p, RLIMIT_RSS, mc->rss_limit, inf);
	set_limit(p, RLIMIT_NPROC, 65536, 65536);
	set_limit(p, RLIMIT_NOFILE, 1024, 1048576);
	set_limit(p, RLIMIT_MEMLOCK, 8u << 20, 8u << 20);
	set_limit(p, RLIMIT_SIGPENDING, 65536, 65536);
	set_limit(p, RLIMIT_MSGQUEUE, 819200, 819200);
	set_limit(p, RLIMIT_NICE, 0, 0);
	set_limit(p, RLIMIT_RTPRIO, 0, 0);
}

/* Descriptors 0 to 2 are the host's. */
static int
standard_files(struct uproc *p)
{
	for (int fd = 0; fd < 3; fd++) {
		struct file *f;
		int error;

		f = file_new(p->sys, &file_ops_host,
		    fd == 0 ? O_RDONLY : O_WRONLY);
		if (f == NULL)
			return (-ENOMEM);
		f->host_fd = fd;
		error = fd_install_at(p->fds, f, fd, false);
		if (error < 0) {
			file_drop(f);
			return (error);
		}
	}
	return (0);
}

int
uproc_init_files(struct uproc *p, const struct machine_config *mc,
    struct sim_err *err)
{
	uproc_list(machine_sysstate(p->m), p);
	p->dumpable = 1;
	default_limits(p, mc);
	p->fs = uproc_fs_new(vfs_cwd(p->sys->vfs), 022);
	p->mem = uproc_mem_new();
	p->fds = fdtable_new();
	if (p->fs == NULL || p->mem == NULL || p->fds == NULL ||
	    sigstate_new(p) != 0 || standard_files(p) != 0)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	return (0);
}

int
uproc_set_groups(struct uproc *p, const uint32_t *groups, uint32_t n)
{
	uint32_t *copy = NULL;

	if (n != 0) {
		copy = malloc(n * sizeof(*copy));
		if (copy == NULL)
			return (-ENOMEM);
		memcpy(copy, groups, n * sizeof(*copy));
	}
	free(p->groups);
	p->groups = copy;
	p->ngroups = n;
	return (0);
}

void
uproc_free_files(struct uproc *p)
{
	uproc_unlist(p);
	pidfd_gone(p);
	itimers_free(p);
	ptimers_free(p);
	shm_detach_all(p);
	sem_exit(p, false);
	fdtable_free(p->fds);
	p->fds = NULL;
	sigstate_free(p);
	uproc_fs_drop(p->fs);
	uproc_mem_drop(p->mem);
	p->fs = NULL;
	p->mem = NULL;
	(void)uproc_set_groups(p, NULL, 0);
	p->sys = NULL;
}
