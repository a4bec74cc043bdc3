/*
 * machine.h: one simulated computer: CPUs, memory, disks, kernel, processes.
 * config.c fills a struct machine_config from the command line and JSON;
 * machine_run executes it to the end and leaves a struct machine_result.
 */
#ifndef VMSIM_SIM_MACHINE_H
#define VMSIM_SIM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/sim.h"
#include "sim/base/tunables.h"
#include "sim/cpu.h"
#include "sim/vfs.h"
#include "vmcore/vmcore.h"

struct machine;
struct rundb;

#define MACHINE_MAXDISKS 16
#define DISK_CONFIG_MAX 8

struct disk_config {
	char name[32]; /* "da0" */
	char model[256]; /* built-in name or path of a parameter file */
	char scheduler[32]; /* "" : the model's own */
	char set[DISK_CONFIG_MAX][96]; /* changes of the model: "key=value" */
	char faults[DISK_CONFIG_MAX][96]; /* "media,lbn=100-199" */
	uint32_t nset, nfaults;
	char origin[160]; /* "m.json: $.disks[0]"; "": an option */
};

/* A change of a tunable at a simulated time: {"at": "2s", "set": {...}} */
struct tunable_change {
	uint64_t at_ns;
	char name[64];
	char value[TUN_STRING_MAX];
	char origin[160]; /* where it was given: "--set", "m.json: $.disks" */
};

/* The kernel wants contiguous memory; bytes and ns, see vm_contig_request. */
struct contig_config {
	uint64_t at_ns, hold_ns;
	uint32_t pages;
	uint64_t low, high, align, boundary;
	char origin[160]; /* where it was given */
};

/* One program that the machine itself starts; its parent is nobody. */
struct program {
	char *name; /* for listings: "editor", "editor.3" */
	const char *origin; /* "m.json: $.processes[2]"; NULL: command line */
	char *exe; /* absolute guest path */
	char **argv, **env; /* NULL-terminated; env: the whole of it */
	char *cwd; /* absolute guest directory; NULL: the machine's */
	char *stdio[3]; /* guest paths; NULL: the host's own */
	uint64_t start_ns; /* simulated */
	uint64_t think_ns; /* standard input: a line each so often; 0: a file */
	uint64_t rss_limit; /* bytes; 0: none */
	uint64_t racct_rss; /* by resource accounting, bytes; 0: none */
	int32_t nice;
};

struct machine_config {
	char kernel[16]; /* "bsd" */
	uint64_t mem_bytes; /* RAM incl. the kernel's own */
	uint64_t kernel_bytes; /* frames the kernel keeps at boot, of mem */
	uint64_t swap_bytes;
	uint64_t cpu_hz;
	uint32_t ncpus, ndomains;
	uint64_t rng_seed;
	struct disk_config disks[MACHINE_MAXDISKS];
	uint32_t ndisks;
	char fs_disk[32], swap_disk[32]; /* names among disks */
	/* guest */
	char exe[4096]; /* guest path of the program, found already */
	char **argv; /* NULL-terminated; argv[0] as the guest sees it */
	char **env; /* "NAME=value", NULL-terminated; the guest's whole own */
	char cwd[4096];
	char **bind_rw;
	uint64_t stack_limit; /* RLIMIT_STACK, bytes */
	uint64_t rss_limit; /* RLIMIT_RSS, bytes; 0: none */
	uint64_t racct_rss; /* RACCT_RSS, bytes; 0: none */
	struct contig_config *contigs;
	uint32_t ncontigs;
	uint64_t boot_epoch; /* guest's wall clock at boot, seconds */
	/* limits of the run */
	uint64_t max_ns; /* simulated; 0: none */
	/* tunables by name, in order given */
	struct tunable_change *changes; /* at_ns 0: before boot */
	uint32_t nchanges;
	uint32_t check; /* --check: 0, 1 at scan ends, 2 after each event */
	/* outputs */
	char db_path[4096]; /* "": no database */
	uint32_t log_mask; /* RUNDB_LOG_* */
	uint64_t sample_ns; /* period of counter samples; 0: none */
	double vmstat_s; /* --vmstat; 0: off */
	bool quiet, json;
	bool progress; /* stderr is a terminal */
	bool count_check;
	uint64_t shake; /* --shake; 0: no */
	bool cwd_given; /* cwd is the user's, not the caller's directory */
	char json_path[4096]; /* --json=FILE; "": stderr */
	/* a scenario: several programs, in order of their start; none: exe */
	char guests[4096]; /* host directory of vmsim's own programs; "" */
	char scenario[64]; /* its name, for listings; "": none */
	struct process_spec *specs; /* as written (config.h) */
	uint32_t nspecs;
	struct program *programs;
	uint32_t nprograms;
};

void machine_config_init(struct machine_config *mc); /* the defaults */
void machine_config_free(struct machine_config *mc);
void program_free(struct program *prog); /* what it owns */

/* How a program that the machine started fared, its children left out. */
struct program_result {
	const struct program *prog;
	int32_t pid; /* 0: it was not started */
	bool ended;
	int exit_code; /* 128+n for a signal */
	int exit_signal;
	sim_time_t start, end; /* end: of the run, when it has not ended */
	uint64_t instructions, user_cycles;
	uint64_t minflt, majflt, syscalls, peak_rss_pages;
	/* cycles, all threads: on a CPU; waiting for one, for pages (or memory,
	 * or a pager), for something else, swapped out, to be swapped in */
	uint64_t running, ready, page_wait, sleeping, swapped, swap_wait;
	uint32_t swapouts; /* times swapped out */
};

struct machine_result {
	/* The worst of the programs' that the machine started: the largest of
	 * status, or 128+n for signal n. */
	int exit_code;
	int exit_signal; /* of that one; 0 none */
	bool interrupted; /* Ctrl-C, max_ns, panic: the run is incomplete */
	bool stuck; /* interrupted because it would never have gone on */
	char panicked[64]; /* why the simulated kernel gave up; "": no */
	sim_time_t cycles;
	uint64_t sim_ns;
	uint64_t instructions;
	uint64_t user_cycles, kernel_cycles, idle_cycles;
	uint64_t syscalls;
	uint64_t peak_rss_pages; /* largest resident set of a process */
	uint64_t peak_used_pages; /* most frames ever in use */
	uint32_t min_frames;
	uint32_t processes, most_processes; /* all in all; at a time */
	/* Killed for want of memory and swap space, and the first of them. */
	uint32_t oom_kills;
	struct {
		int32_t pid;
		char name[16];
		uint64_t pages; /* resident and swapped out */
		sim_time_t when;
	} oom;
	/* names of system calls answered ENOSYS, each once */
	struct {
		int number;
		char name[32];
		uint64_t count;
		uint64_t rip, args[6]; /* of the first use */
	} enosys[32];
	uint32_t nenosys;
	double host_seconds; /* for the summary only, never stored */
	/* one each program, in order; the machine's, until machine_destroy */
	const struct program_result *programs;
	uint32_t nprograms;
};

/*
 * The steps of a run, in order; each fails with a negative errno and err.
 * machine_create builds everything up to a booted kernel, machine_exec loads
 * the program, machine_run runs until the last process has exited.
 */
int machine_create(const struct machine_config *mc, struct machine **out,
    struct sim_err *err);
int machine_exec(struct machine *m, struct sim_err *err);
int machine_run(struct machine *m, struct machine_result *res,
    struct sim_err *err);
void machine_destroy(struct machine *m);
/* From a signal handler: end the run at the next dispatch. */
void machine_interrupt(struct machine *m);
bool machine_interrupted(const struct machine *m);

struct sim *machine_sim(struct machine *m);
struct vm *machine_vm(struct machine *m);
struct tunables *machine_tunables(struct machine *m);
struct rundb *machine_rundb(struct machine *m); /* NULL when none */
uint32_t machine_ndisks(struct machine *m);
struct disk *machine_disk(struct machine *m, uint32_t i);

/* Host-side view for progress lines; called every so often on the host's
 * clock from the run loop, must not touch simulated state. */
typedef void machine_progress_fn(void *ctx, struct machine *m,
    uint64_t sim_ns, uint64_t instructions, uint64_t faults);
void machine_set_progress(struct machine *m, machine_progress_fn *fn,
    void *ctx);

#endif
