/*
 * plot_queues.c: above, how the machine's pages are spread over the queues;
 * below, free and cached pages alone with the thresholds that wake and stop
 * the page daemon, which the upper scale would hide.
 */
#include <errno.h>

#include "reports/reports_int.h"

#define MAX_POINTS 1500 /* more would be finer than a pixel */

/* From the bottom of the stack up. */
static const struct {
	const char *counter, *label, *colour;
} layers[] = {
	{ "v_wire_count", "wired", COLOUR_GREY },
	{ "v_active_count", "active", COLOUR_GREEN },
	{ "v_inactive_count", "inactive", COLOUR_ORANGE },
	{ "v_cache_count", "cache", COLOUR_SKY },
	{ "v_free_count", "free", COLOUR_PALE },
};
#define NLAYERS ((int)(sizeof(layers) / sizeof(layers[0])))

static const struct {
	const char *counter, *label, *colour, *dash;
} lines[] = {
	{ "v_free_target", "free target", COLOUR_BLUE, "2" },
	{ "v_free_min", "free min", COLOUR_VERMILION, "3" },
	{ "v_free_reserved", "reserved", COLOUR_PURPLE, "4" },
};
#define NLINES ((int)(sizeof(lines) / sizeof(lines[0])))

/* What is on no queue makes up the rest of all pages. */
static const char select_sql[] =
    "SELECT avg(cycle) / ?1, avg(v_wire_count), avg(v_active_count),"
    " avg(v_inactive_count), avg(v_cache_count), avg(v_free_count),"
    " avg(v_page_count), max(v_free_target), max(v_free_min),"
    " max(v_free_reserved)"
    " FROM (SELECT *, row_number() OVER (ORDER BY cycle) - 1 AS i"
    " FROM samples WHERE cycle >= ?2 * ?1 AND cycle <= ?3 * ?1)"
    " GROUP BY i / ?4 ORDER BY 1";

static int
check(struct plot *p, double *count, struct sim_err *err)
{
	int error;

	for (int i = 0; i < NLAYERS; i++) {
		if (!report_db_has_column(p->db, "samples",
		    layers[i].counter))
			return (sim_err_set(err, ENODATA, "%s: the run took no "
			    "samples of %s; run it without --sample 0 and with "
			    "'samples' in --log", p->db->name,
			    layers[i].counter));
	}
	error = report_db_number(p->db, "SELECT count(*) FROM samples", count,
	    NULL, err);
	if (error == 0 && *count < 2)
		error = sim_err_set(err, ENODATA, "%s: %s; a plot needs two "
		    "(see --sample and --log of 'vmsim run')", p->db->name,
		    *count == 0 ? "the run has no samples" :
		    "the run has one sample");
	return (error);
}

static int
put_data(struct plot *p, double count, double *target, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error;

	error = report_db_prepare(p->db, select_sql, &st, err);
	if (error != 0)
		return (error);
	sqlite3_bind_double(st, 1, p->db->hz);
	sqlite3_bind_double(st, 2, p->from);
	sqlite3_bind_double(st, 3, p->to);
	sqlite3_bind_int64(st, 4, 1 + (sqlite3_int64)(count / MAX_POINTS));
	fputs("$data << EOD\n", p->script);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		for (int i = 0; i < 10; i++)
			fprintf(p->script, "%.9g ",
			    sqlite3_column_double(st, i));
		fputc('\n', p->script);
		if (sqlite3_column_double(st, 7) > *target)
			*target = sqlite3_column_double(st, 7);
	}
	fputs("EOD\n", p->script);
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

/* Areas from the highest down, so that each covers the one above it. */
static void
put_stack(FILE *f)
{
	fputs("set ylabel 'memory (MiB)' offset 0.5,0\n"
	    "set format x ''\nset yrange [0:*]\nset autoscale yfixmax\n"
	    "mib(n) = n / 256.0\n"
	    "plot $data using 1:(mib($7)) with filledcurves y1=0 lc rgb '"
	    COLOUR_PURPLE "' title 'on no queue'", f);
	for (int i = NLAYERS - 1; i >= 0; i--) {
		fputs(", '' using 1:(mib(", f);
		for (int k = 0; k <= i; k++)
			fprintf(f, "%s$%d", k > 0 ? "+" : "", k + 2);
		fprintf(f, ")) with filledcurves y1=0 lc rgb '%s' title '%s'",
		    layers[i].colour, layers[i].label);
	}
	fputc('\n', f);
}

static void
put_free(FILE *f, double target)
{
	fputs("unset title\nset format x '%g'\n"
	    "set xlabel 'simulated time (s)'\n"
	    "set ylabel 'pages' offset 0.5,0\n"
	    "set yrange [0:*]\n", f);
	/* what matters is near the thresholds, not a free machine */
	if (target > 0)
		fprintf(f, "set yrange [0:%.9g]\n", 2.5 * target);
	fputs("plot $data using 1:($5+$6) with lines lw 1.2 lc rgb '#202020' "
	    "title 'free + cache', '' using 1:6 with lines lw 1 lc rgb '"
	    COLOUR_GREY "' title 'free'", f);
	for (int i = 0; i < NLINES; i++)
		fprintf(f, ", '' using 1:%d with lines lw 1.4 dt %s lc rgb "
		    "'%s' title '%s'", 8 + i, lines[i].dash, lines[i].colour,
		    lines[i].label);
	fputc('\n', f);
}

int
plot_queues(struct plot *p, struct sim_err *err)
{
	double count, target = 0;
	int error;

	if ((error = check(p, &count, err)) != 0 ||
	    (error = put_data(p, count, &target, err)) != 0)
		return (error);
	fputs("set multiplot\nset bmargin 0.6\nset tmargin 2\n"
	    "set origin 0,0.37\nset size 1,0.63\n", p->script);
	put_stack(p->script);
	fputs("set bmargin 3.2\nset tmargin 0.8\n"
	    "set origin 0,0\nset size 1,0.37\n", p->script);
	put_free(p->script, target);
	fputs("unset multiplot\n", p->script);
	return (0);
}
