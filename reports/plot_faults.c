/*
 * plot_faults.c: three panels over one axis of simulated time: faults per
 * second by kind; pages read above and written below the line; and which page
 * of the address space each fault was for.
 */
#include <errno.h>
#include <stdlib.h>

#include "reports/reports_int.h"

#define MAX_BINS 160
#define MAX_DOTS 12000

/* Kinds of faults as a reader groups them, from the bottom of the stack up:
 * every name of the table fault_kind is in one group. */
static const struct {
	const char *kinds, *label, *colour;
} groups[] = {
	{ "'fast', 'resident'", "resident", COLOUR_PALE },
	{ "'zero_fill'", "zero fill", COLOUR_SKY },
	{ "'cow', 'cow_move'", "copy on write", COLOUR_GREEN },
	{ "'file'", "read from file", COLOUR_ORANGE },
	{ "'swap'", "read from swap", COLOUR_VERMILION },
	{ "'error'", "signal", COLOUR_PURPLE },
};
#define NGROUPS ((int)(sizeof(groups) / sizeof(groups[0])))

static const struct {
	const char *kind, *label, *colour;
	int sign;
} flows[] = {
	{ "vnode_in", "in from files", COLOUR_ORANGE, 1 },
	{ "swap_in", "in from swap", COLOUR_VERMILION, 1 },
	{ "vnode_out", "out to files", COLOUR_PURPLE, -1 },
	{ "swap_out", "out to swap", COLOUR_BLUE, -1 },
};
#define NFLOWS ((int)(sizeof(flows) / sizeof(flows[0])))

static int
check(struct plot *p, struct sim_err *err)
{
	double n;
	int error;

	error = report_db_number(p->db, "SELECT count(*) FROM (SELECT 1 FROM "
	    "faults LIMIT 1)", &n, NULL, err);
	if (error == 0 && n == 0)
		error = sim_err_set(err, ENODATA, "%s: no faults were logged; "
		    "run it with 'faults' and 'io' in --log", p->db->name);
	return (error);
}

/* One row a bin of `step` seconds: its begin, then a rate for each column; a
 * row of the last bin's end closes the steps. */
static int
put_bins(struct plot *p, const char *name, const char *sql, int columns,
    double step, struct sim_err *err)
{
	int bins = (int)((p->to - p->from) / step) + 1;
	sqlite3_stmt *st;
	double *sum;
	int rc, error;

	sum = calloc((size_t)bins * (size_t)columns, sizeof(*sum));
	if (sum == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	error = report_db_prepare(p->db, sql, &st, err);
	if (error != 0) {
		free(sum);
		return (error);
	}
	sqlite3_bind_double(st, 1, p->db->hz);
	sqlite3_bind_double(st, 2, p->from);
	sqlite3_bind_double(st, 3, p->to);
	sqlite3_bind_double(st, 4, step);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int bin = sqlite3_column_int(st, 0);

		for (int i = 0; i < columns && bin >= 0 && bin < bins; i++)
			sum[bin * columns + i] +=
			    sqlite3_column_double(st, i + 1);
	}
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	fprintf(p->script, "$%s << EOD\n", name);
	for (int b = 0; b <= bins; b++) {
		fprintf(p->script, "%.9g", p->from + b * step);
		for (int i = 0; i < columns; i++)
			fprintf(p->script, " %.9g", b == bins ? 0 :
			    sum[b * columns + i] / step);
		fputc('\n', p->script);
	}
	fputs("EOD\n", p->script);
	free(sum);
	return (error);
}

static int
put_faults(struct plot *p, double step, struct sim_err *err)
{
	char sql[1024];
	int n;

	n = snprintf(sql, sizeof(sql),
	    "SELECT CAST((f.start / ?1 - ?2) / ?4 AS INTEGER) AS bin");
	for (int i = 0; i < NGROUPS; i++)
		n += snprintf(sql + n, sizeof(sql) - (size_t)n,
		    ", sum(k.name IN (%s))", groups[i].kinds);
	snprintf(sql + n, sizeof(sql) - (size_t)n, " FROM faults f JOIN "
	    "fault_kind k ON k.id = f.kind WHERE f.start >= ?2 * ?1 AND "
	    "f.start <= ?3 * ?1 GROUP BY bin");
	return (put_bins(p, "faults", sql, NGROUPS, step, err));
}

static int
put_flows(struct plot *p, double step, struct sim_err *err)
{
	char sql[1024];
	int n;

	n = snprintf(sql, sizeof(sql),
	    "SELECT CAST((i.finish / ?1 - ?2) / ?4 AS INTEGER) AS bin");
	for (int i = 0; i < NFLOWS; i++)
		n += snprintf(sql + n, sizeof(sql) - (size_t)n,
		    ", sum(iif(k.name = '%s', i.pages, 0))", flows[i].kind);
	snprintf(sql + n, sizeof(sql) - (size_t)n, " FROM io i JOIN io_kind k "
	    "ON k.id = i.kind WHERE i.finish >= ?2 * ?1 AND i.finish <= "
	    "?3 * ?1 AND i.error = 0 GROUP BY bin");
	return (put_bins(p, "flows", sql, NFLOWS, step, err));
}

/* Addresses lie far apart: each page gets its rank among those that faulted.
 * Of many faults every n-th is drawn. */
static int
put_dots(struct plot *p, struct sim_err *err)
{
	char sql[1024];
	sqlite3_stmt *st;
	double count;
	int rc, error, n;

	error = report_db_number(p->db, "SELECT count(*) FROM faults", &count,
	    NULL, err);
	if (error != 0)
		return (error);
	n = snprintf(sql, sizeof(sql), "SELECT f.start / ?1, r.rank, CASE");
	for (int i = 0; i < NGROUPS; i++)
		n += snprintf(sql + n, sizeof(sql) - (size_t)n,
		    " WHEN k.name IN (%s) THEN %d", groups[i].kinds, i);
	snprintf(sql + n, sizeof(sql) - (size_t)n, " END FROM faults f "
	    "JOIN fault_kind k ON k.id = f.kind "
	    "JOIN (SELECT v, row_number() OVER (ORDER BY v) - 1 AS rank FROM "
	    "(SELECT DISTINCT va >> 12 AS v FROM faults)) r "
	    "ON r.v = f.va >> 12 WHERE f.start >= ?2 * ?1 AND f.start <= "
	    "?3 * ?1 AND f.seq %% ?4 = 0 ORDER BY f.seq");
	if ((error = report_db_prepare(p->db, sql, &st, err)) != 0)
		return (error);
	sqlite3_bind_double(st, 1, p->db->hz);
	sqlite3_bind_double(st, 2, p->from);
	sqlite3_bind_double(st, 3, p->to);
	sqlite3_bind_int64(st, 4, 1 + (sqlite3_int64)(count / MAX_DOTS));
	fputs("$dots << EOD\n", p->script);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fprintf(p->script, "%.9g %lld %d\n",
		    sqlite3_column_double(st, 0),
		    sqlite3_column_int64(st, 1), sqlite3_column_int(st, 2));
	fputs("EOD\n", p->script);
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static void
panel_faults(FILE *f)
{
	fputs("set format x ''\nset ylabel 'faults / s' offset 0.5,0\n"
	    "set yrange [0:*]\nplot ", f);
	for (int i = NGROUPS - 1; i >= 0; i--) {
		fprintf(f, "%s using 1:(", i == NGROUPS - 1 ? "$faults" :
		    ", ''");
		for (int k = 0; k <= i; k++)
			fprintf(f, "%s$%d", k > 0 ? "+" : "", k + 2);
		fprintf(f, ") with fillsteps lc rgb '%s' title '%s'",
		    groups[i].colour, groups[i].label);
	}
	fputc('\n', f);
}

/* Two flows to a side, stacked. */
static void
panel_flows(FILE *f)
{
	fputs("unset title\nset ylabel 'pages / s' offset 0.5,0\n"
	    "set yrange [*:*]\nset xzeroaxis lt -1 lw 0.6\nplot ", f);
	fprintf(f, "$flows "
	    "using 1:($2+$3) with fillsteps lc rgb '%s' title '%s', "
	    "'' using 1:2 with fillsteps lc rgb '%s' title '%s', "
	    "'' using 1:(-$4-$5) with fillsteps lc rgb '%s' title '%s', "
	    "'' using 1:(-$4) with fillsteps lc rgb '%s' title '%s'\n",
	    flows[1].colour, flows[1].label, flows[0].colour, flows[0].label,
	    flows[3].colour, flows[3].label, flows[2].colour, flows[2].label);
	fputs("unset xzeroaxis\n", f);
}

static void
panel_dots(FILE *f)
{
	fputs("set format x '%g'\nset xlabel 'simulated time (s)'\n"
	    "set ylabel \"page touched\\n(by address)\" offset 0.5,0\n"
	    "set yrange [0:*]\nplot ", f);
	for (int i = 0; i < NGROUPS; i++)
		fprintf(f, "%s using 1:($3==%d?$2:NaN) with points pt 7 ps "
		    "0.25 lc rgb '%s' notitle", i == 0 ? "$dots" : ", ''", i,
		    i == 0 ? COLOUR_GREY : groups[i].colour);
	fputc('\n', f);
}

int
plot_faults(struct plot *p, struct sim_err *err)
{
	double step = plot_step(p->to - p->from, MAX_BINS);
	int error;

	if ((error = check(p, err)) != 0 ||
	    (error = put_faults(p, step, err)) != 0 ||
	    (error = put_flows(p, step, err)) != 0 ||
	    (error = put_dots(p, err)) != 0)
		return (error);
	fputs("set multiplot\n"
	    "set bmargin 0.6\nset tmargin 2\nset origin 0,0.66\n"
	    "set size 1,0.34\n", p->script);
	panel_faults(p->script);
	fputs("set tmargin 0.8\nset origin 0,0.38\nset size 1,0.28\n",
	    p->script);
	panel_flows(p->script);
	fputs("set bmargin 3.2\nset origin 0,0\nset size 1,0.38\n", p->script);
	panel_dots(p->script);
	fputs("unset multiplot\n", p->script);
	return (0);
}
