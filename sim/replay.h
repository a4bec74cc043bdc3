/*
 * replay.h: request lists against a disk, without a simulation; and how well
 * two lists of response times agree.
 */
#ifndef VMSIM_SIM_REPLAY_H
#define VMSIM_SIM_REPLAY_H

#include "sim/requests.h"

struct replay_mode {
	/*
	 * 0: by the list (arrival times, or think times one after the other).
	 * N: N requests are outstanding all the time; times are not looked at.
	 */
	uint32_t depth;
};

/* Runs all requests to completion; the results are in l->io. */
void replay_run(struct disk_engine *e, struct request_list *l,
    const struct replay_mode *mode);

/* ------------------------------------------------------------ numbers */

struct replay_summary {
	size_t count, errors;
	double mean_ms, min_ms, p50_ms, p95_ms, p99_ms, max_ms; /* response */
	double queue_ms, overhead_ms, seek_ms, rotation_ms, transfer_ms;
	double seconds; /* to the last completion */
	double utilisation; /* share of it that a request was in service */
	double mean_depth; /* requests in the device and its queue */
	uint32_t max_depth;
	double per_second, mb_per_second;
	double hits; /* share served by the drive's buffer */
};

int replay_summarise(const struct disk_engine *e,
    const struct request_list *l, struct replay_summary *s);

/* Two lists of response times, in ms (sheet, section 1.1). */
struct score {
	size_t measured, model;
	double demerit; /* ms */
	double demerit_rel; /* of the measured mean */
	double mean_measured, mean_model;
	double error_of_mean; /* relative */
	/* of the differences, request by request; only for equal lengths */
	double median_error; /* ms */
	double beyond; /* share of requests off by more than 0.1 ms */
	bool paired;
};

/*
 * -ENOMEM; -EINVAL: a list is empty; -EDOM: the measured mean is not above 0,
 * so that nothing can be a share of it.
 */
int score_lists(const double *measured, size_t nmeasured, const double *model,
    size_t nmodel, struct score *s);

#endif
