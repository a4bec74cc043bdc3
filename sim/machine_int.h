/*
 * machine_int.h: struct machine, shared by machine.c, process.c and
 * machine_watch.c.
 */
#ifndef VMSIM_SIM_MACHINE_INT_H
#define VMSIM_SIM_MACHINE_INT_H

#include <signal.h>
#include <stdio.h>

#include "sim/machine.h"
#include "sim/rundb.h"
#include "sim/uproc.h"

/* Transfers that failed, and what had happened when they began to fail. */
struct machine_io {
	uint64_t good, failed;
	const char *disk; /* of the last one that failed */
	int error; /* its errno */
	bool told[MACHINE_MAXDISKS];
	sim_time_t since; /* 0: nothing seen yet */
	uint64_t seen_good, seen_failed, seen_instructions;
};

struct machine {
	const struct machine_config *mc;
	struct sim *sim;
	struct mmu *mmu;
	struct tunables *ts;
	struct vm *vm;
	struct cpu_engine *cpu;
	struct vfs *vfs;
	struct sysstate *sys;
	struct rundb *db;
	struct disk *disks[MACHINE_MAXDISKS];
	struct disk_params *disk_params[MACHINE_MAXDISKS];
	TAILQ_HEAD(, uproc) procs; /* oldest first */
	int32_t next_pid;
	uint64_t *cpu_user; /* cycles in user mode on each CPU */
	uint32_t nprocs; /* with zombies */
	uint32_t ntasks; /* threads, and processes that have none */
	struct machine_result res;
	struct sim_err load_err; /* why a program did not start */
	int load_errno;
	/* program.c */
	struct program first; /* of a run without a scenario; owns nothing */
	const struct program *programs; /* those of mc, or &first */
	struct program_result *results; /* one each */
	uint32_t nprograms, pending_starts;
	size_t stat_free; /* index of v_free_count among the statistics */
	size_t stat_pages;

	/* machine_watch.c */
	struct sim_event sample_ev, limit_ev, poll_ev, vmstat_ev;
	struct change_event *changes;
	uint64_t *vmstat_last; /* counters at the last --vmstat line */
	uint32_t vmstat_lines;
	volatile sig_atomic_t interrupted;
	machine_progress_fn *progress;
	void *progress_ctx;
	uint32_t progress_skip;
	uint64_t progress_next_ms; /* host clock, display only */
	uint64_t faults;
	struct machine_io io; /* machine_stuck.c */
};

/* machine.c: in an error about a file: the user did not type /cwd, which is
 * the guest's name of his directory. */
void machine_user_path(const struct machine *m, struct sim_err *err);

/* machine_watch.c: samples, limits, tunable changes, progress, checks */
void machine_watch_start(struct machine *m);
void machine_watch_free(struct machine *m);
/* Called by user threads between slices: Ctrl-C and progress. */
void machine_poll(struct machine *m);
extern const struct vm_trace_ops machine_trace_ops; /* ctx: machine */

/* machine_stuck.c */
void machine_note_io(struct machine *m, const struct vm_io_record *io);
/* Will nothing ever happen any more? Then m->load_errno says why. */
bool machine_is_stuck(struct machine *m);

/* process.c */
/* A new process without a parent that loads and runs prog. May sleep for
 * memory when called from a thread. */
int uproc_start(struct machine *m, const struct program *prog,
    struct sim_err *err);
void uproc_forget_all(struct machine *m);
void uproc_reap(struct uproc *p); /* may sleep */
void uproc_free(struct uproc *p); /* one that nothing knows yet */
void uproc_leave_memory(struct uproc *p);
void uproc_take_load(struct uproc *p, struct uthread *t,
    const struct load_result *lr);
extern const struct task_ops machine_task_ops; /* exec.c */
/* fork.c, exec.c */
struct clone_request;
struct exec_args;
struct sysctx;
int64_t task_clone(struct sysctx *c, const struct clone_request *r);
int64_t task_exec(struct sysctx *c, struct inode *dir, const char *path,
    struct exec_args *xa);

/* states.c: what threads do, for the database and the summary */
void states_start(struct machine *m);
void states_thread_begin(struct uthread *t);
void states_thread_end(struct uthread *t); /* t->st is the running thread */
void states_event(struct machine *m, const struct vm_event_record *e);
void states_put_process(struct machine *m, const struct uproc *p);
void states_finish(struct machine *m); /* the run is over */

/* program.c */
/* Do all programs exist? Fills m->programs. */
int programs_check(struct machine *m, struct sim_err *err);
/* Starts the first one and sees to the start of the others. */
int programs_start(struct machine *m, struct sim_err *err);
/* In the program's first thread, before it is loaded: what struct program
 * says of files, directory and limits. May sleep. Negative errno. */
int program_prepare(struct uthread *t, struct sim_err *err);
/* A process of the machine's own has ended, or the run has. */
void program_note(struct machine *m, const struct uproc *p, bool ended);
void programs_note_rest(struct machine *m);
void programs_free(struct machine *m);

#endif
