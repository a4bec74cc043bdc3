/*
 * machine.c: puts one simulated computer together and runs it.
 *
 * Order matters: tunables are registered by the kernel and the CPU when they
 * are created, set by the user before the kernel boots, and sealed after it.
 * The database is opened only once the program has passed the loader's
 * checks, so a bad command line leaves no file behind.
 */
#include "sim/machine.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sim/disk_json.h"
#include "sim/machine_int.h"

/* Pages of disk kept between the file system and swap on one spindle. */
#define SECTORS_PER_PAGE (PAGE_SIZE / DISK_SECTOR)

static int
load_disk(struct machine *m, uint32_t i, struct sim_err *err)
{
	const struct disk_config *dc = &m->mc->disks[i];
	const char *set[DISK_CONFIG_MAX];

	for (uint32_t k = 0; k < dc->nset; k++)
		set[k] = dc->set[k];
	return (disk_params_load_set(dc->model, set, dc->nset,
	    &m->disk_params[i], err));
}

/* Says where in which file the disk is. */
static int
disk_refused(const struct disk_config *dc, int error, struct sim_err *err)
{
	const struct sim_err what = *err;

	return (dc->origin[0] == '\0' ? error : sim_err_set(err, -error,
	    "%s: %.340s", dc->origin, what.text));
}

static int
add_disk_faults(struct machine *m, uint32_t i, struct sim_err *err)
{
	const struct disk_config *dc = &m->mc->disks[i];
	struct disk_fault f;
	int error = 0;

	for (uint32_t k = 0; error == 0 && k < dc->nfaults; k++) {
		error = disk_fault_parse(dc->faults[k], &f, err);
		if (error == 0 && disk_engine_add_fault(
		    disk_get_engine(m->disks[i]), &f) != 0)
			error = sim_err_set(err, ENOSPC, "disk %s: more than "
			    "%d faults", dc->name, DISK_MAXFAULTS);
	}
	return (error);
}

static int
create_disks(struct machine *m, struct sim_err *err)
{
	const struct machine_config *mc = m->mc;

	for (uint32_t i = 0; i < mc->ndisks; i++) {
		const struct disk_config *dc = &mc->disks[i];
		int error;

		error = load_disk(m, i, err);
		if (error != 0)
			return (disk_refused(dc, error, err));
		m->disks[i] = disk_create(m->sim, dc->name, m->disk_params[i],
		    err);
		if (m->disks[i] == NULL)
			return (-ENOMEM);
		if (dc->scheduler[0] != '\0') {
			error = disk_set_scheduler(m->disks[i], dc->scheduler,
			    err);
			if (error != 0)
				return (disk_refused(dc, error, err));
		}
		error = add_disk_faults(m, i, err);
		if (error != 0)
			return (error);
	}
	return (0);
}

static struct disk *
disk_by_name(struct machine *m, const char *name, const char *what,
    struct sim_err *err)
{
	for (uint32_t i = 0; i < m->mc->ndisks; i++) {
		if (strcmp(m->mc->disks[i].name, name) == 0)
			return (m->disks[i]);
	}
	sim_err_set(err, EINVAL,
	    "%s: there is no disk '%s'; name one of \"disks\"", what, name);
	return (NULL);
}

/* Swap lies at the end of its disk, the file system before it. */
static int
add_swap(struct machine *m, struct disk *d, uint64_t *first_out,
    struct sim_err *err)
{
	uint64_t want, have, first;

	want = m->mc->swap_bytes / PAGE_SIZE * SECTORS_PER_PAGE;
	have = disk_sectors(d) / SECTORS_PER_PAGE * SECTORS_PER_PAGE;
	*first_out = have;
	if (want == 0)
		return (0);
	if (want > have) {
		return (sim_err_set(err, EINVAL,
		    "swap: %llu bytes do not fit on disk %s of %llu bytes",
		    (unsigned long long)m->mc->swap_bytes, disk_name(d),
		    (unsigned long long)(have * DISK_SECTOR)));
	}
	if (disk_enable_contents(d) != 0)
		return (sim_err_set(err, ENOMEM, "disk %s: out of memory",
		    disk_name(d)));
	first = have - want;
	*first_out = first;
	return (vm_add_swap(m->vm, d, first, want, err));
}

/* Says where the user wrote it: option, or file and place. */
static int
name_origin(const char *origin, int error, struct sim_err *err)
{
	struct sim_err what = *err;

	if (origin[0] == '\0')
		return (error);
	return (sim_err_set(err, error == -ENOENT ? EINVAL : -error,
	    "%s: %.300s", origin, what.text));
}

static int
apply_boot_tunables(struct machine *m, struct sim_err *err)
{
	for (uint32_t i = 0; i < m->mc->nchanges; i++) {
		const struct tunable_change *c = &m->mc->changes[i];
		int error;

		if (c->at_ns == 0) {
			error = tunables_set(m->ts, c->name, c->value, err);
			if (error != 0)
				return (name_origin(c->origin, error, err));
			continue;
		}
		error = tunables_check(m->ts, c->name, c->value, err);
		if (error != 0)
			return (name_origin(c->origin, error, err));
	}
	return (0);
}

static int
check_memory(struct machine *m, struct sim_err *err)
{
	uint64_t frames = m->mc->mem_bytes / PAGE_SIZE;
	uint64_t boot = m->mc->kernel_bytes / PAGE_SIZE;

	if (frames > UINT32_MAX / 2) {
		return (sim_err_set(err, EINVAL,
		    "memory of %llu bytes is more than vmsim simulates (8T)",
		    (unsigned long long)m->mc->mem_bytes));
	}
	if (boot >= frames) {
		return (sim_err_set(err, EINVAL,
		    "memory of %llu bytes leaves nothing beside the kernel's "
		    "own %llu; give more with --mem",
		    (unsigned long long)m->mc->mem_bytes,
		    (unsigned long long)m->mc->kernel_bytes));
	}
	return (0);
}

static int
create_kernel(struct machine *m, struct sim_err *err)
{
	const struct machine_config *mc = m->mc;
	const struct vm_config vc = {
		.kernel = mc->kernel,
		.ndomains = mc->ndomains,
		.boot_pages = (uint32_t)(mc->kernel_bytes / PAGE_SIZE),
	};
	const struct cpu_config cc = {
		.count_check = mc->count_check,
		.shake = mc->shake,
	};
	uint64_t frames = mc->mem_bytes / PAGE_SIZE;
	int error;

	m->mmu = mmu_create(m->sim, (uint32_t)frames);
	if (m->mmu == NULL) {
		return (sim_err_set(err, ENOMEM,
		    "the host cannot give %llu bytes for simulated memory; "
		    "use a smaller --mem", (unsigned long long)mc->mem_bytes));
	}
	m->vm = vm_create(m->sim, m->mmu, m->ts, &vc, err);
	if (m->vm == NULL)
		return (-EINVAL);
	if (frames - vc.boot_pages < vm_min_frames(m->vm)) {
		return (sim_err_set(err, EINVAL,
		    "memory of %lluK is below the kernel's reserve; give at "
		    "least --mem %lluK",
		    (unsigned long long)(mc->mem_bytes >> 10),
		    ((unsigned long long)vm_min_frames(m->vm) +
		    vc.boot_pages) * (PAGE_SIZE >> 10)));
	}
	error = cpu_unicorn_create(m->sim, m->mmu, m->ts, &cc, &m->cpu, err);
	return (error);
}

/* The kernel's own wishes for contiguous memory. */
static int
schedule_contigs(struct machine *m, struct sim_err *err)
{
	for (uint32_t i = 0; i < m->mc->ncontigs; i++) {
		const struct contig_config *cc = &m->mc->contigs[i];
		const struct vm_contig_request rq = {
			.pages = cc->pages,
			.low = cc->low,
			.high = cc->high,
			.align = cc->align,
			.boundary = cc->boundary,
			.at = sim_ns(m->sim, cc->at_ns),
			.hold = sim_ns(m->sim, cc->hold_ns),
		};
		int error = vm_contig_schedule(m->vm, &rq, err);

		if (error != 0)
			return (name_origin(cc->origin, error, err));
	}
	return (0);
}

/* The run's own files must not be found by the guest that makes them grow. */
static int
create_files(struct machine *m, struct disk *fs, uint64_t sectors,
    struct sim_err *err)
{
	const struct machine_config *mc = m->mc;
	char real[PATH_MAX], journal[PATH_MAX + 16];
	const char *db = mc->db_path, *hide[4];
	size_t n = 0;
	const struct vfs_config fc = {
		.bind_rw = (const char *const *)mc->bind_rw,
		.fs_disk = fs, .fs_sectors = sectors,
		.cwd = mc->cwd, .cwd_alias = !mc->cwd_given,
		.guests = mc->guests, .host_tmp = true, .hide = hide,
		.hide_output = true, .boot_epoch = mc->boot_epoch };

	if (db[0] != '\0') {
		if (realpath(db, real) != NULL)
			db = real;
		snprintf(journal, sizeof(journal), "%s-journal", db);
		hide[n++] = db;
		hide[n++] = journal;
	}
	if (mc->json_path[0] != '\0')
		hide[n++] = mc->json_path;
	hide[n] = NULL;
	return (vfs_create(m->sim, m->vm, &fc, &m->vfs, err));
}

static int
create_storage(struct machine *m, struct sim_err *err)
{
	struct disk *swap, *fs;
	uint64_t swap_first;
	int error;

	error = create_disks(m, err);
	if (error != 0)
		return (error);
	swap = disk_by_name(m, m->mc->swap_disk, "swap", err);
	fs = disk_by_name(m, m->mc->fs_disk, "file system", err);
	if (swap == NULL || fs == NULL)
		return (-EINVAL);
	error = add_swap(m, swap, &swap_first, err);
	if (error != 0)
		return (error);
	error = vm_boot(m->vm, err);
	if (error != 0)
		return (error);
	tunables_seal(m->ts);
	error = schedule_contigs(m, err);
	if (error != 0)
		return (error);
	error = create_files(m, fs, fs == swap ? swap_first : disk_sectors(fs),
	    err);
	if (error != 0)
		return (error);
	m->sys = sysstate_create(m);
	if (m->sys == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	sysstate_set_tasks(m->sys, &machine_task_ops);
	return (0);
}

static void
machine_kill(void *ctx, struct proc *proc, const char *why)
{
	struct machine *m = ctx;
	struct uproc *p;

	(void)why;
	TAILQ_FOREACH(p, &m->procs, link) {
		if (p->proc == proc) {
			p->kill_signal = SIGKILL;
			signal_post(p, SIGKILL);
			return;
		}
	}
}

static void
machine_panic(void *ctx, const char *why)
{
	struct machine *m = ctx;

	snprintf(m->res.panicked, sizeof(m->res.panicked), "%s", why);
	m->interrupted = 1;
}

static const struct vm_up_ops machine_up_ops = {
	.kill = machine_kill,
	.panic = machine_panic,
};

static size_t
find_stat(struct vm *vm, const char *name)
{
	size_t i;

	for (i = 0; i < vm_stat_count(vm); i++) {
		if (strcmp(vm_stat_name(vm, i), name) == 0)
			return (i);
	}
	return (0);
}

static void
machine_dump(void *ctx, void *file)
{
	struct machine *m = ctx;
	struct uproc *p;

	TAILQ_FOREACH(p, &m->procs, link)
		fprintf(file, "  process %d %s resident %llu pages\n", p->pid,
		    p->comm, p->vs == NULL ? 0ull :
		    (unsigned long long)vmspace_resident_count(p->vs));
	for (size_t i = 0; i < vm_stat_count(m->vm); i++) {
		if (vm_stat_is_gauge(m->vm, i))
			fprintf(file, "  %s %llu\n", vm_stat_name(m->vm, i),
			    (unsigned long long)vm_stat_value(m->vm, i));
	}
}

int
machine_create(const struct machine_config *mc, struct machine **out,
    struct sim_err *err)
{
	const struct sim_config sc = { .cpu_hz = mc->cpu_hz,
		.ncpus = mc->ncpus, .rng_seed = mc->rng_seed };
	struct machine *m;
	int error;

	*out = NULL;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	m->mc = mc;
	m->next_pid = 100; /* above the page daemon's protected pids (48) */
	TAILQ_INIT(&m->procs);
	m->sim = sim_create(&sc);
	m->ts = tunables_create();
	m->cpu_user = calloc(mc->ncpus, sizeof(*m->cpu_user));
	if (m->sim == NULL || m->ts == NULL || m->cpu_user == NULL) {
		error = sim_err_set(err, ENOMEM, "out of memory");
		goto fail;
	}
	if ((error = check_memory(m, err)) != 0 ||
	    (error = create_kernel(m, err)) != 0 ||
	    (error = apply_boot_tunables(m, err)) != 0 ||
	    (error = create_storage(m, err)) != 0)
		goto fail;
	vm_set_up_ops(m->vm, &machine_up_ops, m);
	vm_set_trace(m->vm, &machine_trace_ops, m);
	states_start(m);
	sim_add_dump(m->sim, "machine", machine_dump, m);
	m->stat_free = find_stat(m->vm, "v_free_count");
	m->stat_pages = find_stat(m->vm, "v_page_count");
	m->res.min_frames = vm_min_frames(m->vm);
	*out = m;
	return (0);
fail:
	machine_destroy(m);
	return (error);
}

/* A limit that nobody would enforce is a mistake. */
static int
check_racct(struct machine *m, struct sim_err *err)
{
	const struct program *wants = NULL;
	char value[TUN_STRING_MAX];

	for (uint32_t i = 0; i < m->nprograms && wants == NULL; i++)
		if (m->programs[i].racct_rss != 0)
			wants = &m->programs[i];
	if (wants == NULL || (tunables_get(m->ts, "kern.racct.enable", value,
	    sizeof(value), NULL) == 0 && strcmp(value, "0") != 0))
		return (0);
	return (sim_err_set(err, EINVAL, "%s%sracct_rss: resource accounting "
	    "is off; turn it on with --set kern.racct.enable=1",
	    wants->origin != NULL ? wants->origin : "",
	    wants->origin != NULL ? "." : ""));
}

/* The user did not type /cwd: that is the guest's name of his directory. */
void
machine_user_path(const struct machine *m, struct sim_err *err)
{
	if (!m->mc->cwd_given && strncmp(err->text, "/cwd/", 5) == 0)
		memmove(err->text, err->text + 5, strlen(err->text + 5) + 1);
}

/* No half-written database. */
static void
machine_ran_dry(void *ctx)
{
	struct machine *m = ctx;

	if (m->db != NULL)
		rundb_discard(m->db);
	m->db = NULL;
}

int
machine_exec(struct machine *m, struct sim_err *err)
{
	int error;

	error = programs_check(m, err);
	if (error == 0)
		error = check_racct(m, err);
	if (error != 0)
		return (error);
	if (m->mc->db_path[0] != '\0') {
		error = rundb_create(m->mc->db_path, m->mc, err, &m->db);
		if (error != 0)
			return (error);
		sim_set_nomem_handler(m->sim, machine_ran_dry, m);
		error = rundb_put_config(m->db, m->mc, m->ts, err);
		if (error == 0)
			error = rundb_put_domains(m->db, m->vm, err);
		if (error != 0)
			return (error);
	}
	return (programs_start(m, err));
}

static uint64_t
less(uint64_t from, uint64_t what)
{
	return (what < from ? from - what : 0);
}

/* All CPUs' time is user, idle, or else the kernel's. */
static void
collect_result(struct machine *m, struct machine_result *res)
{
	uint32_t ncpus = m->mc->ncpus == 0 ? 1 : m->mc->ncpus;

	m->res.cycles = sim_now(m->sim);
	m->res.sim_ns = sim_to_ns(m->sim, m->res.cycles);
	m->res.idle_cycles = sim_idle_cycles(m->sim);
	m->res.interrupted = m->interrupted != 0;
	m->res.kernel_cycles = less(less(m->res.cycles * ncpus,
	    m->res.idle_cycles), m->res.user_cycles);
	states_finish(m);
	programs_note_rest(m);
	*res = m->res;
}

int
machine_run(struct machine *m, struct machine_result *res, struct sim_err *err)
{
	enum sim_run_result r;
	int error = 0;

	machine_watch_start(m);
	r = sim_run(m->sim);
	if (m->load_errno != 0) {
		if (err != NULL)
			*err = m->load_err;
		error = m->load_errno;
	} else if (r == SIM_DEADLOCK && !TAILQ_EMPTY(&m->procs)) {
		m->interrupted = 1;
		error = sim_err_set(err, EDEADLK, "the simulated machine is "
		    "deadlocked: every thread sleeps and no event is due");
	}
	collect_result(m, res);
	if (m->db != NULL) {
		struct sim_err dberr;
		int dberror;

		for (uint32_t i = 0; i < m->mc->ndisks; i++)
			rundb_put_disk(m->db, m->disks[i]);
		dberror = rundb_finish(m->db, res, error == 0 &&
		    !m->interrupted, &dberr);
		m->db = NULL;
		if (error == 0 && dberror != 0) {
			error = dberror;
			if (err != NULL)
				*err = dberr;
		}
	}
	return (error);
}

void
machine_destroy(struct machine *m)
{
	if (m == NULL)
		return;
	if (m->db != NULL) {
		rundb_discard(m->db);
		m->db = NULL;
	}
	machine_watch_free(m);
	uproc_forget_all(m);
	programs_free(m);
	sysstate_destroy(m->sys);
	if (m->vfs != NULL)
		vfs_destroy(m->vfs);
	if (m->cpu != NULL)
		m->cpu->ops->destroy(m->cpu);
	if (m->vm != NULL)
		vm_destroy(m->vm);
	for (uint32_t i = 0; i < MACHINE_MAXDISKS; i++) {
		if (m->disks[i] != NULL)
			disk_destroy(m->disks[i]);
		disk_params_free(m->disk_params[i]);
	}
	if (m->mmu != NULL)
		mmu_destroy(m->mmu);
	if (m->ts != NULL)
		tunables_destroy(m->ts);
	if (m->sim != NULL)
		sim_destroy(m->sim);
	free(m->cpu_user);
	free(m);
}

void
machine_interrupt(struct machine *m)
{
	m->interrupted = 1;
}

bool
machine_interrupted(const struct machine *m)
{
	return (m->interrupted != 0);
}

struct sim *
machine_sim(struct machine *m)
{
	return (m->sim);
}

struct vm *
machine_vm(struct machine *m)
{
	return (m->vm);
}

struct tunables *
machine_tunables(struct machine *m)
{
	return (m->ts);
}

struct rundb *
machine_rundb(struct machine *m)
{
	return (m->db);
}

struct cpu_engine *
machine_cpu(struct machine *m)
{
	return (m->cpu);
}

struct sysstate *
machine_sysstate(struct machine *m)
{
	return (m->sys);
}

struct vfs *
machine_vfs(struct machine *m)
{
	return (m->vfs);
}

uint32_t
machine_ndisks(struct machine *m)
{
	return (m->mc->ndisks);
}

struct disk *
machine_disk(struct machine *m, uint32_t i)
{
	return (i < m->mc->ndisks ? m->disks[i] : NULL);
}

uint64_t
machine_mem_bytes(const struct machine *m)
{
	return (m->mc->mem_bytes);
}

uint64_t
machine_wall_ns(const struct machine *m)
{
	return (m->mc->boot_epoch * 1000000000ull +
	    sim_to_ns(m->sim, sim_now(m->sim)));
}

uint64_t
machine_user_cycles(const struct machine *m, uint32_t cpu)
{
	return (m->cpu_user[cpu]);
}

int32_t
machine_last_pid(const struct machine *m)
{
	return (m->next_pid - 1);
}

void
machine_host_nomem(struct machine *m)
{
	if (m->load_errno == 0)
		m->load_errno = sim_err_set(&m->load_err, ENOMEM, "the host "
		    "gives no more memory; simulate less, or raise its limit "
		    "(ulimit -v)");
	m->interrupted = 1;
	sim_stop(m->sim);
}

void
machine_note_enosys(struct machine *m, int number, const uint64_t args[6],
    uint64_t rip)
{
	struct machine_result *r = &m->res;
	uint32_t i;

	for (i = 0; i < r->nenosys; i++) {
		if (r->enosys[i].number == number) {
			r->enosys[i].count++;
			return;
		}
	}
	if (i == sizeof(r->enosys) / sizeof(r->enosys[0]))
		return;
	r->nenosys++;
	r->enosys[i].number = number;
	r->enosys[i].count = 1;
	r->enosys[i].rip = rip;
	memcpy(r->enosys[i].args, args, sizeof(r->enosys[i].args));
	const char *name = syscall_name(number);
	snprintf(r->enosys[i].name, sizeof(r->enosys[i].name), "%s",
	    name != NULL ? name : "?");
}
