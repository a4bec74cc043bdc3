/*
 * cmd_run.c: `vmsim run`: command line to machine_config, program lookup,
 * Ctrl-C, progress, exit code.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli.h"
#include "sim/commands.h"
#include "sim/config.h"
#include "sim/cpu.h"
#include "sim/rundb.h"
#include "sim/summary.h"

enum {
	H_MACHINE, O_MACHINE, O_SCENARIO, O_CONFIG, O_MEM, O_KERNEL_MEM,
	O_SWAP, O_CPUS, O_CPU_HZ, O_DOMAINS, O_DISK, O_DISK_SET, O_DISK_FAULT,
	O_FS_DISK, O_SWAP_DISK, O_KERNEL, O_SEED, O_SET, O_CONTIG,
	H_GUEST, O_ENV, O_CWD, O_BIND_RW, O_STACK, O_RSS_LIMIT, O_RACCT_RSS,
	H_RUN, O_MAX_TIME, O_CHECK, O_COUNT_CHECK, O_SHAKE,
	H_OUTPUT, O_DB, O_NO_DB, O_LOG, O_SAMPLE, O_VMSTAT, O_JSON, O_QUIET,
	O_END
};

static const struct cli_option run_options[] = {
	[H_MACHINE] = { NULL, 0, NULL, "Machine" },
	[O_MACHINE] = { "machine", 'M', "NAME", "a machine that is built in "
	    "(hp-1993, pc-2003, server-2016, default), or FILE.json" },
	[O_SCENARIO] = { "scenario", 'S', "NAME", "run several programs as a "
	    "scenario says: one that is built in, or FILE.json; the machine "
	    "may be changed by other options" },
	[O_CONFIG] = { "config", 'c', "FILE", "JSON configuration; may be "
	    "given several times, later ones add to it; options override it" },
	[O_MEM] = { "mem", 'm', "SIZE", "physical memory (default 64M)" },
	[O_KERNEL_MEM] = { "kernel-mem", 0, "SIZE", "part of it that the "
	    "kernel keeps for itself (default 0)" },
	[O_SWAP] = { "swap", 0, "SIZE", "swap space (default 512M)" },
	[O_CPUS] = { "cpus", 0, "N", "simulated CPUs (default 1)" },
	[O_CPU_HZ] = { "cpu-hz", 0, "HZ", "clock rate, such as 500MHz "
	    "(default 1GHz)" },
	[O_DOMAINS] = { "domains", 0, "N", "memory domains (default 1)" },
	[O_DISK] = { "disk", 0, "[NAME=]MODEL[:SCHED]", "add a disk; the "
	    "first one replaces the configured disks ('vmsim disk list')" },
	[O_DISK_SET] = { "disk-set", 0, "[NAME:]KEY=VALUE", "change a "
	    "parameter of a disk's model (of the last one so far)" },
	[O_DISK_FAULT] = { "disk-fault", 0, "[NAME:]SPEC", "make a disk fail: "
	    "media,lbn=A-B | timeout | torn | gone, with op=, at=, after=, "
	    "times=, delay=, sectors=" },
	[O_FS_DISK] = { "fs-disk", 0, "NAME", "disk of the file system "
	    "(default: the first)" },
	[O_SWAP_DISK] = { "swap-disk", 0, "NAME", "disk of the swap space "
	    "(default: the last)" },
	[O_KERNEL] = { "kernel", 0, "NAME", "bsd" },
	[O_SEED] = { "seed", 0, "N", "root of all random streams (default "
	    "1)" },
	[O_SET] = { "set", 's', "NAME=VALUE", "a tunable ('vmsim sysctl' lists "
	    "them); NAME=VALUE@TIME changes it at a simulated time" },
	[O_CONTIG] = { "contig", 0, "PAGES@TIME[,KEY=N]...", "at that time "
	    "the kernel wants contiguous memory; low=, high=, align=, "
	    "boundary= (sizes), hold= (time)" },
	[H_GUEST] = { NULL, 0, NULL, "Guest" },
	[O_ENV] = { "env", 'e', "NAME=VALUE", "a variable of the guest's "
	    "environment, which has nothing of the caller's" },
	[O_CWD] = { "cwd", 0, "DIR", "the guest's working directory (default: "
	    "the caller's)" },
	[O_BIND_RW] = { "bind-rw", 0, "DIR", "a host directory that the guest "
	    "may write; all else it writes stays in memory" },
	[O_STACK] = { "stack", 0, "SIZE", "RLIMIT_STACK (default 8M)" },
	[O_RSS_LIMIT] = { "rss-limit", 0, "SIZE", "RLIMIT_RSS (default none)" },
	[O_RACCT_RSS] = { "racct-rss", 0, "SIZE", "resident limit by resource "
	    "accounting; wants --set kern.racct.enable=1 (default none)" },
	[H_RUN] = { NULL, 0, NULL, "Run" },
	[O_MAX_TIME] = { "max-time", 0, "TIME", "end the run at this simulated "
	    "time, such as 250ms or 30s, with exit code 124" },
	[O_CHECK] = { "check", 0, "[=N]", "check the VM's invariants: 1 after "
	    "scans, 2 after each event (--check alone)" },
	[O_COUNT_CHECK] = { "count-check", 0, NULL, "count every instruction "
	    "a second time and compare (slow)" },
	[O_SHAKE] = { "shake", 0, "[=N]", "disturb the emulator at random "
	    "(slow); the database must stay the same" },
	[H_OUTPUT] = { NULL, 0, NULL, "Output" },
	[O_DB] = { "db", 'd', "FILE", "run database (default run.db)" },
	[O_NO_DB] = { "no-db", 0, NULL, "write no run database" },
	[O_LOG] = { "log", 0, "LIST", "what the database logs: transitions, "
	    "faults, io, events, samples, states, all, none (default all)" },
	[O_SAMPLE] = { "sample", 0, "TIME", "period of counter samples "
	    "(default 10ms; 0: none)" },
	[O_VMSTAT] = { "vmstat", 0, "SECONDS", "a line of statistics on "
	    "stderr every so many simulated seconds" },
	[O_JSON] = { "json", 0, "[=FILE]", "the summary as JSON, to FILE or "
	    "stderr" },
	[O_QUIET] = { "quiet", 'q', NULL, "no summary, no progress" },
	[O_END] = { NULL, 0, NULL, NULL },
};

static const struct cli_command run_command = {
	.name = "run",
	.usage = "[OPTION]... [--] PROGRAM [ARGUMENT]...",
	.summary = "Runs an x86-64 Linux program on a simulated machine, or "
	    "the programs of a scenario. Standard input, output and error are "
	    "the guest's; the exit code is the guest's (128 + n for a signal, "
	    "the largest of several), or 64 and up for an error of vmsim.",
	.options = run_options,
	.text = "Sizes take K, M, G and T (powers of 1024). Examples:\n"
	    "  vmsim run --mem 16M -- sort big.txt >sorted.txt\n"
	    "  vmsim run --mem 8M --set vm.max_launder=64 --vmstat 1 "
	    "--no-db -- xz -k FILE\n"
	    "  vmsim run --config machine.json --json=sum.json -- python3 "
	    "job.py\n"
	    "  vmsim run --scenario thrashing --mem 12M\n",
};

/* ------------------------------------------------------------ options */

#define GUESTS "/guest" /* where the guest sees vmsim's own programs */

struct run_args {
	struct machine_config mc;
	const char *db;
	bool no_db;
	uint32_t ndisks; /* --disk so far */
};

/* The key of the schema that an option sets, NULL: it has code of its own. */
static const char *const option_key[O_END] = {
	[O_MEM] = "mem", [O_KERNEL_MEM] = "kernel_mem", [O_SWAP] = "swap",
	[O_CPUS] = "cpus", [O_CPU_HZ] = "cpu_hz", [O_DOMAINS] = "domains",
	[O_FS_DISK] = "fs_disk", [O_SWAP_DISK] = "swap_disk",
	[O_KERNEL] = "kernel", [O_SEED] = "seed", [O_STACK] = "stack_limit",
	[O_RSS_LIMIT] = "rss_limit", [O_RACCT_RSS] = "racct_rss",
	[O_MAX_TIME] = "max_time",
	[O_CHECK] = "check", [O_LOG] = "log", [O_SAMPLE] = "sample",
};

/* --set name=value@2s */
static int
set_tunable(struct run_args *a, const char *text, struct sim_err *err)
{
	char copy[512], *at;
	uint64_t ns = 0;

	if (strlen(text) >= sizeof(copy))
		return (sim_err_set(err, EINVAL, "--set: too long"));
	strcpy(copy, text);
	at = strrchr(copy, '@');
	if (at != NULL) {
		*at++ = '\0';
		if (parse_time(at, &ns) != 0 || ns == 0)
			return (sim_err_set(err, EINVAL, "--set %s: '%s' is "
			    "not a time above 0 such as 250ms or 2s", copy,
			    at));
	}
	return (config_set_tunable(&a->mc, copy, ns, "--set", err));
}

/* A directory of the host, absolute; the guest sees it under that name. */
static int
set_cwd(struct run_args *a, const char *dir, struct sim_err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(dir, real) == NULL || stat(real, &st) != 0)
		return (sim_err_set(err, errno, "--cwd %s: %s", dir,
		    strerror(errno)));
	if (!S_ISDIR(st.st_mode))
		return (sim_err_set(err, ENOTDIR, "--cwd %s: this is not a "
		    "directory", dir));
	/* the user's own name for it, not that of a link's target */
	return (config_set(&a->mc, "cwd", dir[0] == '/' ? dir : real, "--cwd",
	    err));
}

static int
add_bind(struct run_args *a, const char *dir, struct sim_err *err)
{
	char real[PATH_MAX];
	struct stat st;

	if (realpath(dir, real) == NULL || stat(real, &st) != 0)
		return (sim_err_set(err, errno, "--bind-rw %s: %s", dir,
		    strerror(errno)));
	if (!S_ISDIR(st.st_mode))
		return (sim_err_set(err, ENOTDIR, "--bind-rw %s: this is not "
		    "a directory", dir));
	return (config_strings_add(&a->mc.bind_rw, real) ? 0 :
	    sim_err_set(err, ENOMEM, "out of memory"));
}

static int
set_vmstat(struct run_args *a, const char *text, struct sim_err *err)
{
	uint64_t ns;

	if (parse_time(text, &ns) != 0 || ns == 0)
		return (sim_err_set(err, EINVAL, "--vmstat: '%s' is not a "
		    "number of seconds above 0", text));
	a->mc.vmstat_s = (double)ns / 1e9;
	return (0);
}

/* N: which disturbances; they are the same for the same N. */
static int
set_shake(struct run_args *a, const char *text, struct sim_err *err)
{
	char *end;

	a->mc.shake = 1;
	if (text == NULL)
		return (0);
	errno = 0;
	a->mc.shake = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    a->mc.shake == 0)
		return (sim_err_set(err, EINVAL, "--shake: '%.40s' is not a "
		    "whole number above 0", text));
	return (0);
}

static int
set_json(struct run_args *a, const char *file, struct sim_err *err)
{
	a->mc.json = true;
	if (file == NULL)
		return (0);
	if (file[0] == '\0' || strlen(file) >= sizeof(a->mc.json_path))
		return (sim_err_set(err, EINVAL, "--json: this is no name of "
		    "a file"));
	strcpy(a->mc.json_path, file);
	return (0);
}

static int
apply_option(struct run_args *a, int option, const char *value,
    struct sim_err *err)
{
	char where[32];

	snprintf(where, sizeof(where), "--%s", run_options[option].name);
	if (option_key[option] != NULL)
		return (config_set(&a->mc, option_key[option],
		    value != NULL ? value : "2", where, err));
	switch (option) {
	case O_DISK:
		return (config_add_disk(&a->mc, value, a->ndisks++ == 0, where,
		    err));
	case O_DISK_SET:
		return (config_add_disk_set(&a->mc, value, where, err));
	case O_DISK_FAULT:
		return (config_add_disk_fault(&a->mc, value, where, err));
	case O_SET: return (set_tunable(a, value, err));
	case O_ENV: return (config_set_env(&a->mc, value, where, err));
	case O_CWD: return (set_cwd(a, value, err));
	case O_CONTIG:
		return (config_add_contig(&a->mc, value, where, err));
	case O_BIND_RW: return (add_bind(a, value, err));
	case O_VMSTAT: return (set_vmstat(a, value, err));
	case O_JSON: return (set_json(a, value, err));
	case O_COUNT_CHECK: a->mc.count_check = true; break;
	case O_SHAKE: return (set_shake(a, value, err));
	case O_DB: a->db = value; a->no_db = false; break;
	case O_NO_DB: a->no_db = true; break;
	case O_QUIET: a->mc.quiet = true; break;
	default: break; /* --config and its like: read before all else */
	}
	return (0);
}

/* What comes from files: a scenario first, all others in their order. */
static int
load_option(struct run_args *a, int pass, int option, const char *value,
    struct sim_err *err)
{
	if (pass == 0)
		return (option != O_SCENARIO ? 0 :
		    config_load_scenario(value, &a->mc, err));
	if (option == O_CONFIG)
		return (config_load(value, &a->mc, err));
	if (option == O_MACHINE)
		return (config_load_machine(value, &a->mc, err));
	return (0);
}

/* A scenario, machines and configuration files first, then what the command
 * line says itself. */
static int
parse_options(struct run_args *a, int argc, char **argv, struct sim_err *err)
{
	const char *value;
	int option, error;

	for (int pass = 0; pass < 3; pass++) {
		cli_rewind();
		while ((option = cli_next(&run_command, argc, argv,
		    &value)) >= 0) {
			error = 0;
			if (pass < 2)
				error = load_option(a, pass, option, value,
				    err);
			else
				error = apply_option(a, option, value, err);
			if (error != 0)
				return (error);
		}
		if (option != CLI_END)
			return (option);
	}
	return (0);
}

/* ------------------------------------------------------------ the program */

static int
take_argv(struct machine_config *mc, char **argv, struct sim_err *err)
{
	if (argv[0] == NULL)
		return (0);
	config_strings_free(mc->argv);
	mc->argv = NULL;
	for (; *argv != NULL; argv++) {
		if (!config_strings_add(&mc->argv, *argv))
			return (sim_err_set(err, ENOMEM, "out of memory"));
	}
	return (0);
}

static bool
is_program(const char *path)
{
	struct stat st;

	return (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0);
}

/*
 * Where vmsim's own guest programs lie on the host: beside the program in a
 * build, in ../libexec when installed. The guest sees them in /guest.
 */
static bool
find_guests(struct machine_config *mc)
{
	static const char *const places[] = { "guest",
		"../libexec/vmsim/guest" };
	char self[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (mc->guests[0] != '\0')
		return (true);
	if (n > 0)
		self[n] = '\0';
	else if (realpath((const char *)getauxval(AT_EXECFN), self) == NULL)
		return (false); /* no /proc, and started in no usual way */
	slash = strrchr(self, '/');
	if (slash == NULL)
		return (false);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(slash + 1, sizeof(self) - (size_t)(slash + 1 - self),
		    "%s", places[i]);
		if (realpath(self, real) != NULL &&
		    strlen(real) < sizeof(mc->guests)) {
			strcpy(mc->guests, real);
			return (true);
		}
	}
	return (false);
}

/* "zipf" or "/guest/zipf": one of vmsim's own. */
static bool
find_own(struct machine_config *mc, const char *name)
{
	char path[PATH_MAX];

	if (strncmp(name, GUESTS "/", sizeof(GUESTS)) == 0)
		name += sizeof(GUESTS);
	return (find_guests(mc) && snprintf(path, sizeof(path), "%s/%s",
	    mc->guests, name) < (int)sizeof(path) && is_program(path) &&
	    snprintf(mc->exe, sizeof(mc->exe), GUESTS "/%s", name) <
	    (int)sizeof(mc->exe));
}

/* As a shell does it, in the PATH of the guest. */
static int
search_path(struct machine_config *mc, const char *name, struct sim_err *err)
{
	const char *p = config_getenv(mc, "PATH");

	while (p != NULL && *p != '\0') {
		size_t n = strcspn(p, ":");

		if (p[0] == '/' && snprintf(mc->exe, sizeof(mc->exe),
		    "%.*s/%s", (int)n, p, name) < (int)sizeof(mc->exe) &&
		    is_program(mc->exe))
			return (0);
		p += n + (p[n] == ':');
	}
	if (find_own(mc, name))
		return (0);
	mc->exe[0] = '\0';
	return (sim_err_set(err, ENOENT, "%s: no such program in the guest's "
	    "PATH (%s); give its path, or another PATH with --env", name,
	    config_getenv(mc, "PATH") != NULL ? config_getenv(mc, "PATH") :
	    "unset"));
}

static int
find_program(struct machine_config *mc, struct sim_err *err)
{
	const char *name;

	if (mc->argv == NULL || mc->argv[0] == NULL)
		return (sim_err_set(err, EINVAL, "no program to run; give one "
		    "after '--' (see 'vmsim run --help')"));
	name = mc->argv[0];
	if (name[0] == '\0')
		return (sim_err_set(err, ENOENT, "the program's name is "
		    "empty"));
	if (strchr(name, '/') == NULL)
		return (search_path(mc, name, err));
	if (strncmp(name, GUESTS "/", sizeof(GUESTS)) == 0) {
		if (find_own(mc, name))
			return (0);
		return (sim_err_set(err, ENOENT, "%.200s: vmsim has no such "
		    "program of its own; 'ninja guests' builds them", name));
	}
	if (snprintf(mc->exe, sizeof(mc->exe), "%s%s%s",
	    name[0] == '/' ? "" : mc->cwd_given ? mc->cwd : "/cwd",
	    name[0] == '/' ? "" : "/",
	    name) >= (int)sizeof(mc->exe))
		return (sim_err_set(err, ENAMETOOLONG, "%.60s...: the name is "
		    "too long", name));
	return (0);
}

/*
 * The working directory is the one thing taken from the caller, since what
 * the user types is relative to it. The guest sees it as /cwd, so nothing
 * that is recorded depends on where it is.
 */
static int
default_cwd(struct machine_config *mc, struct sim_err *err)
{
	char dir[PATH_MAX];

	if (mc->cwd_given)
		return (0);
	if (getcwd(dir, sizeof(dir)) == NULL)
		return (sim_err_set(err, errno, "the current directory: %s; "
		    "give one with --cwd", strerror(errno)));
	memcpy(mc->cwd, dir, strlen(dir) + 1);
	return (0);
}

/* The programs of a scenario, or the one of the command line. */
static int
find_programs(struct machine_config *mc, const char *operand,
    struct sim_err *err)
{
	if (mc->nspecs == 0)
		return (find_program(mc, err));
	if (operand != NULL)
		return (sim_err_set(err, EINVAL, "%.60s: a scenario names its "
		    "programs itself; leave this out, or --scenario",
		    operand));
	config_strings_free(mc->argv);
	mc->argv = NULL;
	return (scenario_finish(mc, find_program, err));
}

static int
complete(struct run_args *a, char **operands, struct sim_err *err)
{
	struct machine_config *mc = &a->mc;
	const char *db = a->db != NULL ? a->db : "run.db";
	int error;

	if ((error = take_argv(mc, operands, err)) != 0 ||
	    (error = default_cwd(mc, err)) != 0 ||
	    (error = find_programs(mc, operands[0], err)) != 0 ||
	    (error = config_finish(mc, err)) != 0)
		return (error);
	if (!a->no_db) {
		if (db[0] == '\0' || strlen(db) >= sizeof(mc->db_path))
			return (sim_err_set(err, EINVAL, "--db: this is no "
			    "name of a file"));
		strcpy(mc->db_path, db);
	}
	mc->progress = !mc->quiet && isatty(STDERR_FILENO);
	return (0);
}

/* ------------------------------------------------------------ signals */

/*
 * Ctrl-C is taken by a thread of its own, which ends the run in good order;
 * a second one ends vmsim at once (the database stays valid, incomplete).
 */
struct interrupts {
	struct machine *m;
	pthread_t thread, main;
	atomic_int signo;
	atomic_bool over; /* the thread shall end */
	bool started;
};

static void
nothing(int signo)
{
	(void)signo; /* its arrival ends a blocked read */
}

static void
wanted_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

/*
 * The run's thread may be about to block when the first signal to it arrives,
 * which then ends nothing: it gets another one until it has seen it.
 */
static void *
interrupt_main(void *arg)
{
	static const struct timespec again = { .tv_nsec = 50000000 };
	struct interrupts *in = arg;
	sigset_t set;
	int signo;

	wanted_signals(&set);
	sigaddset(&set, SIGUSR2); /* interrupts_stop */
	for (;;) {
		if (atomic_load(&in->signo) == 0)
			signo = sigwaitinfo(&set, NULL);
		else
			signo = sigtimedwait(&set, NULL, &again);
		if (atomic_load(&in->over))
			break;
		if (signo > 0 && signo != SIGUSR2) {
			if (atomic_load(&in->signo) != 0)
				_exit(128 + signo);
			atomic_store(&in->signo, signo);
			machine_interrupt(in->m);
		}
		if (atomic_load(&in->signo) != 0)
			pthread_kill(in->main, SIGUSR2);
	}
	return (NULL);
}

static void
interrupts_start(struct interrupts *in, struct machine *m)
{
	struct sigaction sa = { .sa_handler = nothing };
	sigset_t set, own;

	in->m = m;
	in->main = pthread_self();
	sigaction(SIGUSR2, &sa, NULL);
	wanted_signals(&set);
	sigemptyset(&own);
	sigaddset(&own, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_sigmask(SIG_BLOCK, &own, NULL); /* the thread inherits it */
	in->started = pthread_create(&in->thread, NULL, interrupt_main,
	    in) == 0;
	pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	if (!in->started)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Not by pthread_cancel, which loads a library and aborts without memory. */
static void
interrupts_stop(struct interrupts *in)
{
	if (!in->started)
		return;
	atomic_store(&in->over, true);
	pthread_kill(in->thread, SIGUSR2);
	pthread_join(in->thread, NULL);
	in->started = false;
}

/* ------------------------------------------------------------ running */

struct progress {
	struct timespec begin;
	bool shown;
};

static double
seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)(now.tv_sec - begin->tv_sec) +
	    (double)(now.tv_nsec - begin->tv_nsec) / 1e9);
}

/* The cursor goes back to the line's start: what the guest prints next
 * overwrites it. */
static void
show_progress(void *ctx, struct machine *m, uint64_t sim_ns,
    uint64_t instructions, uint64_t faults)
{
	struct progress *p = ctx;
	double s = seconds_since(&p->begin);

	(void)m;
	if (s < 0.3)
		return;
	p->shown = true;
	fprintf(stderr, "\r%.2f s simulated, %.0f M instructions, %llu faults,"
	    " %.0f MIPS\033[K\r", (double)sim_ns / 1e9,
	    (double)instructions / 1e6, (unsigned long long)faults,
	    (double)instructions / 1e6 / s);
	fflush(stderr);
}

static int
exit_code(const struct machine_result *res, int signo)
{
	if (signo != 0)
		return (128 + signo);
	if (res->panicked[0] != '\0')
		return (EXIT_PANIC);
	if (res->interrupted)
		return (EXIT_MAX_TIME);
	return (res->exit_code);
}

static int
run_machine(struct machine *m, const struct machine_config *mc,
    struct sim_err *err, int *code)
{
	struct progress progress = { .shown = false };
	struct interrupts in = { .signo = 0 };
	struct machine_result res;
	int error, json_error;

	memset(&res, 0, sizeof(res));
	clock_gettime(CLOCK_MONOTONIC, &progress.begin);
	if (mc->progress)
		machine_set_progress(m, show_progress, &progress);
	interrupts_start(&in, m);
	cpu_catch_no_memory();
	error = machine_run(m, &res, err);
	interrupts_stop(&in);
	res.host_seconds = seconds_since(&progress.begin);
	if (progress.shown)
		fputs("\r\033[K", stderr);
	if (error != 0 && !res.stuck)
		return (error);
	*code = exit_code(&res, atomic_load(&in.signo));
	if (mc->json && (json_error = summary_json(m, mc, &res,
	    error == 0 ? err : NULL)) != 0)
		return (error == 0 ? json_error : error);
	if (!mc->json && !mc->quiet)
		summary_text(m, mc, &res, stderr);
	return (error);
}

int
exit_code_of(int error)
{
	switch (-error) {
	case ENOENT: return (EX_NOINPUT);
	case ENOEXEC:
	case ELIBBAD:
	case E2BIG:
	case EISDIR: return (EX_DATAERR);
	case EACCES:
	case EPERM: return (EX_NOPERM);
	case EINVAL:
	case ERANGE: return (EX_CONFIG);
	case EEXIST:
	case EBUSY:
	case EROFS:
	case ENOTDIR: return (EX_CANTCREAT);
	case ENOSPC:
	case EIO:
	case EFBIG: return (EX_IOERR);
	case ENOMEM: return (EX_OSERR);
	default: return (EX_SOFTWARE);
	}
}

int
cmd_run(int argc, char **argv)
{
	struct run_args *a = calloc(1, sizeof(*a));
	struct machine *m = NULL;
	struct sim_err err;
	int error, code = 0;

	if (a == NULL) {
		cli_error("out of memory");
		return (EX_OSERR);
	}
	err.text[0] = '\0';
	machine_config_init(&a->mc);
	error = parse_options(a, argc, argv, &err);
	if (error == CLI_ERROR || error == CLI_HELP) {
		code = error == CLI_HELP ? 0 : EX_USAGE;
		goto out;
	}
	if (error == 0)
		error = complete(a, argv + cli_operand(), &err);
	if (error == 0)
		error = machine_create(&a->mc, &m, &err);
	if (error == 0)
		error = machine_exec(m, &err);
	if (error == 0)
		error = run_machine(m, &a->mc, &err, &code);
	if (error != 0) {
		cli_error("%s", err.text);
		code = exit_code_of(error);
	}
out:
	machine_destroy(m);
	machine_config_free(&a->mc);
	free(a);
	return (code);
}
