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
	struct machine_result res;
	struct sim_err load_err; /* why the first program did not start */
	int load_errno;
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
};

/* machine_watch.c: samples, limits, tunable changes, progress, checks */
void machine_watch_start(struct machine *m);
void machine_watch_free(struct machine *m);
/* Called by user threads between slices: Ctrl-C and progress. */
void machine_poll(struct machine *m);
extern const struct vm_trace_ops machine_trace_ops; /* ctx: machine */

/* process.c */
int uproc_start_first(struct machine *m, struct sim_err *err);
void uproc_forget_all(struct machine *m);

#endif
