/*
 * program.c: the programs that the machine itself starts: one of the command
 * line, or several of a scenario at their times.
 *
 * Interface: machine_int.h. A simulated thread (the starter) makes those that
 * begin later, since a process may have to wait for the memory of its U area.
 * Each is a first-level process: it has no parent, nobody waits for it, and
 * it is gone when it has ended. The run ends with the last process.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/fd.h"
#include "sim/machine_int.h"
#include "sim/syscall_int.h"

static const char *const stdio_names[3] = { "stdin", "stdout", "stderr" };

#define PRI_STARTER 84 /* PVM: as the kernel's own threads */

/* ------------------------------------------------------------ before */

/* What the command line alone says is a scenario of one program. */
static void
take_first(struct machine *m)
{
	const struct machine_config *mc = m->mc;

	m->first = (struct program) { .exe = (char *)(uintptr_t)mc->exe,
		.argv = mc->argv, .env = mc->env,
		.rss_limit = mc->rss_limit, .racct_rss = mc->racct_rss };
	m->programs = &m->first;
	m->nprograms = 1;
}

/* What is wrong with a file that the program's description names. */
static int
file_error(const struct program *prog, const char *key, const char *path,
    int error, struct sim_err *err)
{
	const char *remedy = strcmp(key, "cwd") == 0 ?
	    "name a directory" : strcmp(key, "stdin") == 0 ?
	    "name a file that is there" :
	    "name a file in a directory that is there";

	return (sim_err_set(err, -error, "%s.%s: %s: %s; %s",
	    prog->origin != NULL ? prog->origin : prog->name, key, path,
	    strerror(-error), remedy));
}

static int
check_output(struct vfs *vfs, struct inode *dir, const char *path)
{
	struct vfs_place pl;
	int error;

	error = vfs_find(vfs, dir, path, VFS_CREATE, &pl);
	if (error == 0 && pl.ip != NULL && inode_is_directory(pl.ip))
		error = -EISDIR;
	vfs_place_done(&pl);
	return (error);
}

/* Its directory, its input and the directories of its outputs are there
 * before anything runs. */
static int
check_stdio(struct machine *m, const struct program *prog, struct inode *dir,
    struct sim_err *err)
{
	struct inode *ip;
	int error;

	for (int fd = 0; fd < 3; fd++) {
		const char *path = prog->stdio[fd];

		if (path == NULL)
			continue;
		if (fd != 0)
			error = check_output(m->vfs, dir, path);
		else
			error = vfs_lookup(m->vfs, dir, path, true, &ip);
		if (error != 0)
			return (file_error(prog, stdio_names[fd], path, error,
			    err));
		if (fd == 0)
			inode_rele(ip);
	}
	return (0);
}

static int
check_files(struct machine *m, const struct program *prog, struct sim_err *err)
{
	struct inode *dir;
	int error = 0;

	if (prog->cwd != NULL)
		error = vfs_lookup(m->vfs, NULL, prog->cwd, true, &dir);
	else
		dir = vfs_cwd(m->vfs);
	if (error != 0)
		return (file_error(prog, "cwd", prog->cwd, error, err));
	error = inode_is_directory(dir) ? check_stdio(m, prog, dir, err) :
	    file_error(prog, "cwd", prog->cwd, -ENOTDIR, err);
	inode_rele(dir);
	return (error);
}

static int
check_exe(struct machine *m, const struct program *prog, struct sim_err *err)
{
	struct sim_err what;
	int error = load_check(m->vfs, NULL, prog->exe, prog->argv, prog->env,
	    m->mc->stack_limit, &what);

	if (error == 0)
		return (0);
	machine_user_path(m, &what);
	if (prog->origin == NULL)
		return (sim_err_set(err, -error, "%s", what.text));
	return (sim_err_set(err, -error, "%s.%s: %.300s", prog->origin,
	    error == -E2BIG ? "args" : "program", what.text));
}

int
programs_check(struct machine *m, struct sim_err *err)
{
	int error = 0;

	m->programs = m->mc->programs;
	m->nprograms = m->mc->nprograms;
	if (m->nprograms == 0)
		take_first(m);
	m->results = calloc(m->nprograms, sizeof(*m->results));
	if (m->results == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	for (uint32_t i = 0; error == 0 && i < m->nprograms; i++) {
		m->results[i].prog = &m->programs[i];
		error = check_exe(m, &m->programs[i], err);
		if (error == 0)
			error = check_files(m, &m->programs[i], err);
	}
	m->res.programs = m->results;
	m->res.nprograms = m->nprograms;
	return (error);
}

void
programs_free(struct machine *m)
{
	free(m->results);
	m->results = NULL;
}

/* ------------------------------------------------------------ the start */

static void
starter_main(void *arg)
{
	struct machine *m = arg;

	while (m->pending_starts != 0) {
		const struct program *prog = &m->programs[m->nprograms -
		    m->pending_starts];
		sim_time_t when = sim_ns(m->sim, prog->start_ns);

		while (sim_now(m->sim) < when)
			(void)sim_sleep(m->sim, &m->pending_starts,
			    PRI_STARTER, "start", when - sim_now(m->sim));
		m->load_errno = uproc_start(m, prog, &m->load_err);
		if (m->load_errno != 0)
			sim_stop(m->sim);
		m->pending_starts--;
	}
}

/*
 * A program that begins with the machine is there before the clock runs;
 * everything else is the starter's.
 */
int
programs_start(struct machine *m, struct sim_err *err)
{
	bool at_once = m->programs[0].start_ns == 0;

	m->pending_starts = m->nprograms - at_once;
	if (m->pending_starts != 0 && sim_thread_create(m->sim, "starter",
	    PRI_STARTER, starter_main, m) == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	return (at_once ? uproc_start(m, &m->programs[0], err) : 0);
}

/* ------------------------------------------------------------ its files */

static int
enter_directory(struct uproc *p, struct sim_err *err)
{
	struct inode *ip;
	int error;

	if (p->prog->cwd == NULL)
		return (0);
	error = vfs_lookup(p->sys->vfs, NULL, p->prog->cwd, true, &ip);
	if (error == 0 && !inode_is_directory(ip)) {
		inode_rele(ip);
		error = -ENOTDIR;
	}
	if (error != 0)
		return (file_error(p->prog, "cwd", p->prog->cwd, error, err));
	inode_rele(p->fs->cwd);
	p->fs->cwd = ip;
	return (0);
}

/* The inode for standard file fd; output files are made or emptied. */
static int
find_file(struct uproc *p, int fd, const char *path, struct inode **out)
{
	struct vfs_place pl;
	int error;

	if (fd == 0)
		return (vfs_lookup(p->sys->vfs, p->fs->cwd, path, true, out));
	error = vfs_find(p->sys->vfs, p->fs->cwd, path, VFS_CREATE, &pl);
	if (error == 0 && pl.ip != NULL) {
		*out = pl.ip;
		inode_ref(*out);
		if (inode_is_regular(*out))
			error = inode_truncate(*out, 0);
		if (error != 0)
			inode_rele(*out);
	} else if (error == 0) {
		error = vfs_create_file(&pl, 0644, out);
	}
	vfs_place_done(&pl);
	return (error);
}

static int
open_standard(struct uthread *t, int fd, const char *path)
{
	struct uproc *p = t->p;
	struct sysctx c = { .m = p->m, .ss = p->sys, .t = t, .p = p,
		.vm = p->sys->vm, .vs = p->vs, .vfs = p->sys->vfs,
		.sim = p->sys->sim };
	struct inode *ip;
	struct file *f;
	int error;

	error = find_file(p, fd, path, &ip);
	if (error != 0)
		return (error);
	if (inode_is_directory(ip))
		error = -EISDIR;
	else if (fd == 0 && p->prog->think_ns != 0)
		error = typed_open(&c, ip, p->prog->think_ns, &f);
	else
		error = file_open_inode(&c, ip, fd == 0 ? O_RDONLY : O_WRONLY,
		    &f);
	inode_rele(ip);
	if (error != 0)
		return (error);
	error = fd_install_at(p->fds, f, fd, false);
	if (error < 0) {
		file_drop(f);
		return (error);
	}
	return (0);
}

/* Output and errors to the same file share its offset, as "2>&1" does. */
static int
open_files(struct uthread *t, struct sim_err *err)
{
	struct uproc *p = t->p;
	char *const *path = p->prog->stdio;
	int error = 0;

	for (int fd = 0; fd < 3 && error == 0; fd++) {
		if (path[fd] == NULL)
			continue;
		if (fd == 2 && path[1] != NULL &&
		    strcmp(path[1], path[2]) == 0) {
			struct file *f = fd_get(p->fds, 1);

			file_hold(f);
			error = fd_install_at(p->fds, f, 2, false);
			if (error < 0)
				file_drop(f);
			else
				error = 0;
		} else {
			error = open_standard(t, fd, path[fd]);
		}
		if (error != 0)
			return (file_error(p->prog, stdio_names[fd], path[fd],
			    error, err));
	}
	return (0);
}

int
program_prepare(struct uthread *t, struct sim_err *err)
{
	struct uproc *p = t->p;
	int error;

	if (p->prog->rss_limit != 0)
		p->rlim_cur[RLIMIT_RSS] = p->prog->rss_limit;
	error = enter_directory(p, err);
	return (error != 0 ? error : open_files(t, err));
}

/* ------------------------------------------------------------ the end */

/* What the run exits with: the largest of the programs' codes. */
static void
note_exit(struct machine *m, struct program_result *r, int status)
{
	int sig = status & 0x7f;

	r->exit_signal = sig;
	r->exit_code = sig != 0 ? 128 + sig : (status >> 8) & 0xff;
	if (r->exit_code < m->res.exit_code)
		return;
	m->res.exit_code = r->exit_code;
	m->res.exit_signal = sig;
}

void
program_note(struct machine *m, const struct uproc *p, bool ended)
{
	struct program_result *r = &m->results[p->prog - m->programs];

	r->pid = p->pid;
	r->start = p->start;
	r->end = sim_now(m->sim);
	r->instructions = p->instructions;
	r->user_cycles = p->user_cycles;
	r->running = p->doing_cycles[DOING_RUN];
	r->ready = p->doing_cycles[DOING_READY];
	r->page_wait = p->doing_cycles[DOING_PAGE_WAIT];
	r->sleeping = p->doing_cycles[DOING_SLEEP];
	r->swapped = p->doing_cycles[DOING_SWAPPED];
	r->swap_wait = p->doing_cycles[DOING_SWAPIN];
	r->swapouts = p->swapouts;
	r->minflt = p->minflt;
	r->majflt = p->majflt;
	r->syscalls = p->syscalls;
	r->peak_rss_pages = p->peak_rss_pages;
	r->ended = ended;
	if (ended)
		note_exit(m, r, p->exit_status);
}

/* The run is over: those that are still alive. */
void
programs_note_rest(struct machine *m)
{
	const struct uproc *p;

	TAILQ_FOREACH(p, &m->procs, link)
		if (p->prog != NULL)
			program_note(m, p, false);
}
