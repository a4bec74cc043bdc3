/*
 * bench_rundb.c: what the log costs. One zero-fill fault is one row of faults
 * and two of transitions (free -> busy -> active); prints host CPU time per
 * fault and per row, of both threads together and of the simulation's alone,
 * and the bytes of a row.
 *
 * usage: bench_rundb [FAULTS [FILE]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/rundb.h"

static double
cpu_seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* As a run of 4 GB touched once on a 1 GHz machine would log it. */
static void
put_faults(struct rundb *db, uint64_t n)
{
	struct vm_transition t = { .object = 7, .reason = WHY_ALLOC };
	struct vm_fault_record f = { .pid = 100, .tid = 100, .access = 2,
		.kind = VMF_ZERO, .object = 7 };

	for (uint64_t i = 0; i < n; i++) {
		t.when = f.start = 5000000000u + i * 4000;
		t.page = f.page = (pfn_t)(i * 5 % 65536);
		t.pindex = f.pindex = i % 1048576;
		t.from = VMQ_FREE;
		t.to = VMQ_BUSY;
		t.reason = WHY_ALLOC;
		rundb_trace_ops.transition(db, &t);
		t.when += 1500;
		t.from = VMQ_BUSY;
		t.to = VMQ_ACTIVE;
		t.reason = WHY_FAULT_DONE;
		t.act_count = 5;
		rundb_trace_ops.transition(db, &t);
		f.end = f.start + 2000;
		f.va = 0x7ffff0000000 - (i << 12);
		rundb_trace_ops.fault(db, &f);
	}
}

int
main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000000;
	const char *path = argc > 2 ? argv[2] : "bench_rundb.db";
	struct machine_result res;
	struct machine_config mc;
	struct sim_err err;
	struct rundb *db;
	struct stat st;
	double all, own;

	memset(&res, 0, sizeof(res));
	machine_config_init(&mc);
	if (rundb_create(path, &mc, &err, &db) != 0) {
		fprintf(stderr, "bench_rundb: %s\n", err.text);
		return (1);
	}
	all = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
	own = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
	put_faults(db, n);
	own = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - own;
	if (rundb_finish(db, &res, true, &err) != 0) {
		fprintf(stderr, "bench_rundb: %s\n", err.text);
		return (1);
	}
	all = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - all;
	stat(path, &st);
	printf("faults                        %12llu\n",
	    (unsigned long long)n);
	printf("log, both threads             %12.3f us/fault %9.0f rows/s\n",
	    all / (double)n * 1e6, 3 * (double)n / all);
	printf("log, the simulation's thread  %12.3f us/fault\n",
	    own / (double)n * 1e6);
	printf("bytes of a row                %12.1f\n",
	    (double)st.st_size / (3 * (double)n));
	printf("of 6.67 us a fault (150,000 faults/s) the log takes %.0f %%\n",
	    all / (double)n * 1e6 / 6.67 * 100);
	unlink(path);
	machine_config_free(&mc);
	return (0);
}
