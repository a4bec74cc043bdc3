/*
 * replay.c: drives a disk engine with a list of requests, and compares lists
 * of response times.
 *
 * Interface: replay.h.
 * Source:    reference sheet, section 1.1 (the demerit figure of Ruemmler &
 *            Wilkes 1994), section 6 (a device chooses among the requests
 *            that have arrived by then). Percentiles: the value at rank
 *            floor(p * n), as in the vectors' summary.
 */
#include "sim/replay.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ running */

static void
drain(struct disk_engine *e)
{
	while (disk_engine_pop(e) != NULL)
		;
}

static void
run_open(struct disk_engine *e, struct request_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		disk_engine_submit(e, &l->io[i]);
		drain(e);
	}
	while (disk_engine_next(e) != DISK_NEVER) {
		disk_engine_run(e, DISK_NEVER);
		drain(e);
	}
}

/* Each request arrives its think time after the completion before. */
static void
run_think(struct disk_engine *e, struct request_list *l)
{
	uint64_t t = 0;

	for (size_t i = 0; i < l->count; i++) {
		l->io[i].arrival = t + l->think[i];
		disk_engine_submit(e, &l->io[i]);
		while (disk_engine_pop(e) == NULL)
			disk_engine_run(e, DISK_NEVER);
		t = l->io[i].finish;
	}
}

static void
run_closed(struct disk_engine *e, struct request_list *l, uint32_t depth)
{
	size_t issued = 0, done = 0;
	struct disk_io *io;

	while (issued < l->count && issued < depth) {
		l->io[issued].arrival = 0;
		disk_engine_submit(e, &l->io[issued++]);
	}
	while (done < l->count) {
		disk_engine_run(e, DISK_NEVER);
		while ((io = disk_engine_pop(e)) != NULL) {
			done++;
			if (issued == l->count)
				continue;
			l->io[issued].arrival = io->finish;
			disk_engine_submit(e, &l->io[issued++]);
		}
	}
}

void
replay_run(struct disk_engine *e, struct request_list *l,
    const struct replay_mode *mode)
{
	if (mode->depth > 0)
		run_closed(e, l, mode->depth);
	else if (l->think != NULL)
		run_think(e, l);
	else
		run_open(e, l);
}

/* ------------------------------------------------------------ summary */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double *
sorted(const double *v, size_t n)
{
	double *s = malloc((n + 1) * sizeof(*s));

	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		s[i] = v[i];
	qsort(s, n, sizeof(*s), compare);
	return s;
}

static double
ms(uint64_t ps)
{
	return (double) ps / 1e9;
}

/*
 * Sort by the digits of base 2048, the least first: comparing would take as
 * long as the simulation. Returns the one of the two arrays with the result.
 */
static uint64_t *
sort_times(uint64_t *v, uint64_t *other, size_t n)
{
	size_t start[2048], at, count;
	uint64_t all = 0, *swap;

	for (size_t i = 0; i < n; i++)
		all |= v[i];
	for (unsigned shift = 0; shift < 64 && all >> shift != 0;
	     shift += 11) {
		memset(start, 0, sizeof(start));
		for (size_t i = 0; i < n; i++)
			start[v[i] >> shift & 2047]++;
		at = 0;
		for (size_t d = 0; d < 2048; d++) {
			count = start[d];
			start[d] = at;
			at += count;
		}
		for (size_t i = 0; i < n; i++)
			other[start[v[i] >> shift & 2047]++] = v[i];
		swap = v;
		v = other;
		other = swap;
	}
	return v;
}

static double
response_at(const uint64_t *v, size_t n, unsigned per_thousand)
{
	return ms(v[n * per_thousand / 1000]);
}

static int
percentiles(const struct request_list *l, struct replay_summary *s)
{
	uint64_t *v = malloc(l->count * sizeof(*v)), *w, *order;

	w = malloc(l->count * sizeof(*w));
	if (v == NULL || w == NULL) {
		free(v);
		free(w);
		return -ENOMEM;
	}
	for (size_t i = 0; i < l->count; i++)
		v[i] = l->io[i].finish - l->io[i].arrival;
	order = sort_times(v, w, l->count);
	s->min_ms = ms(order[0]);
	s->p50_ms = response_at(order, l->count, 500);
	s->p95_ms = response_at(order, l->count, 950);
	s->p99_ms = response_at(order, l->count, 990);
	s->max_ms = ms(order[l->count - 1]);
	free(v);
	free(w);
	return 0;
}

static void
add_up(const struct request_list *l, struct replay_summary *s, uint64_t *end)
{
	const struct disk_io *io;

	*end = 0;
	for (size_t i = 0; i < l->count; i++) {
		io = &l->io[i];
		s->mean_ms += ms(io->finish - io->arrival);
		s->queue_ms += ms(io->start - io->arrival);
		s->overhead_ms += ms(io->overhead);
		s->seek_ms += ms(io->seek);
		s->rotation_ms += ms(io->rotation);
		s->transfer_ms += ms(io->transfer);
		s->hits += io->cache_hit;
		s->errors += io->error != 0;
		if (io->op == DISK_READ || io->op == DISK_WRITE)
			s->mb_per_second += (double) io->good_blocks *
			    DISK_SECTOR / 1e6;
		if (io->finish > *end)
			*end = io->finish;
	}
}

int
replay_summarise(const struct disk_engine *e, const struct request_list *l,
    struct replay_summary *s)
{
	double n = (double) l->count, busy;
	struct disk_engine_stats st;
	uint64_t end;

	*s = (struct replay_summary) { .count = l->count };
	add_up(l, s, &end);
	if (percentiles(l, s) != 0)
		return -ENOMEM;
	disk_engine_get_stats(e, &st);
	s->seconds = (double) end / 1e12;
	busy = (double) st.active / 1e12;
	s->max_depth = st.queue_max;
	if (s->seconds > 0) {
		s->utilisation = busy / s->seconds;
		s->mean_depth = s->mean_ms / 1e3 / s->seconds;
		s->per_second = n / s->seconds;
		s->mb_per_second /= s->seconds;
	}
	s->mean_ms /= n;
	s->queue_ms /= n;
	s->overhead_ms /= n;
	s->seek_ms /= n;
	s->rotation_ms /= n;
	s->transfer_ms /= n;
	s->hits /= n;
	return 0;
}

/* ------------------------------------------------------------ score */

/* Empirical quantile at p, linear between the order statistics. */
static double
quantile(const double *s, size_t n, double p)
{
	double x = p * (double) n - 0.5;
	size_t k;

	if (x <= 0)
		return s[0];
	k = (size_t) x;
	if (k + 1 >= n)
		return s[n - 1];
	return s[k] + (s[k + 1] - s[k]) * (x - (double) k);
}

#define GRID 10000

static double
distance(const double *a, size_t na, const double *b, size_t nb)
{
	size_t n = na == nb ? na : GRID;
	double sum = 0, d, p;

	for (size_t i = 0; i < n; i++) {
		p = ((double) i + 0.5) / GRID;
		d = na == nb ? a[i] - b[i] :
			       quantile(a, na, p) - quantile(b, nb, p);
		sum += d * d;
	}
	return sqrt(sum / (double) n);
}

static double
mean(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum / (double) n;
}

/* Differences in the order of requests, which the demerit forgets. */
static int
pair_up(const double *a, const double *b, size_t n, struct score *s)
{
	double *d = malloc((n + 1) * sizeof(*d));
	size_t beyond = 0;

	if (d == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		d[i] = fabs(a[i] - b[i]);
		beyond += d[i] > 0.1;
	}
	qsort(d, n, sizeof(*d), compare);
	s->median_error = n % 2 == 1 ? d[n / 2] :
				       (d[n / 2 - 1] + d[n / 2]) / 2;
	s->beyond = (double) beyond / (double) n;
	s->paired = true;
	free(d);
	return 0;
}

int
score_lists(const double *measured, size_t nmeasured, const double *model,
    size_t nmodel, struct score *s)
{
	double *a, *b;
	int error = 0;

	*s = (struct score) { .measured = nmeasured, .model = nmodel };
	if (nmeasured == 0 || nmodel == 0)
		return -EINVAL;
	if (!(mean(measured, nmeasured) > 0))
		return -EDOM;
	a = sorted(measured, nmeasured);
	b = sorted(model, nmodel);
	if (a == NULL || b == NULL)
		error = -ENOMEM;
	else {
		s->demerit = distance(a, nmeasured, b, nmodel);
		s->mean_measured = mean(measured, nmeasured);
		s->mean_model = mean(model, nmodel);
		s->demerit_rel = s->demerit / s->mean_measured;
		s->error_of_mean = s->mean_model / s->mean_measured - 1;
		if (nmeasured == nmodel)
			error = pair_up(measured, model, nmodel, s);
	}
	free(a);
	free(b);
	return error;
}
