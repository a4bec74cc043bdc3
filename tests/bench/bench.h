/*
 * bench.h: time a function of n operations until it has run long enough, and
 * print operations per second.
 */
#ifndef VMSIM_TESTS_BENCH_BENCH_H
#define VMSIM_TESTS_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

typedef void bench_fn(void *arg, uint64_t n);

static inline double
bench_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* Nanoseconds of CPU an operation, the best of five runs of about 0.1 s. */
static inline double
bench_ns(bench_fn *fn, void *arg)
{
	uint64_t n = 1000;
	double best = 0, t;

	for (;;) {
		t = bench_seconds();
		fn(arg, n);
		t = bench_seconds() - t;
		if (t > 0.05)
			break;
		n *= 2;
	}
	best = t;
	for (int i = 0; i < 4; i++) {
		t = bench_seconds();
		fn(arg, n);
		t = bench_seconds() - t;
		if (t < best)
			best = t;
	}
	return (best / (double)n * 1e9);
}

static inline double
bench_report(const char *what, bench_fn *fn, void *arg)
{
	double ns = bench_ns(fn, arg);

	printf("%-48s %8.1f ns %12.0f /s\n", what, ns, 1e9 / ns);
	return (ns);
}

#endif
