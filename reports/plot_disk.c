/*
 * plot_disk.c: what disks did: the cumulative distribution of response times,
 * requests at the disks over time, where on the disk they were, and how each
 * disk's time is split. Reads run databases and lists of `disk replay`.
 */
#include <errno.h>
#include <stdlib.h>

#include "reports/reports_int.h"

#define MAX_BINS 400
#define MAX_POINTS 800 /* of a curve */
#define MAX_DOTS 12000

/* Reads and writes by the name of their kind: replay lists say it, pagers'
 * transfers end in _in and _out. */
static const struct {
	const char *test, *label, *colour;
} sides[] = {
	{ "(k.name = 'read' OR k.name LIKE '%_in')", "reads", COLOUR_BLUE },
	{ "(k.name = 'write' OR k.name LIKE '%_out')", "writes",
	    COLOUR_VERMILION },
};
#define NSIDES ((int)(sizeof(sides) / sizeof(sides[0])))

static const struct {
	const char *expr, *label, *colour;
} parts[] = {
	{ "i.start - i.queued", "queue", COLOUR_PALE },
	{ "i.overhead", "overhead", COLOUR_GREY },
	{ "i.seek", "seek", COLOUR_ORANGE },
	{ "i.rotation", "rotation", COLOUR_SKY },
	{ "i.transfer", "transfer", COLOUR_GREEN },
};
#define NPARTS ((int)(sizeof(parts) / sizeof(parts[0])))

static const char range_sql[] =
    " i.disk > 0 AND i.finish >= ?2 * ?1 AND i.queued <= ?3 * ?1 ";

/* ------------------------------------------------------------ data */

static int
begin(struct plot *p, const char *sql, sqlite3_stmt **st, struct sim_err *err)
{
	int error = report_db_prepare(p->db, sql, st, err);

	if (error != 0)
		return (error);
	sqlite3_bind_double(*st, 1, p->db->hz);
	sqlite3_bind_double(*st, 2, p->from);
	sqlite3_bind_double(*st, 3, p->to);
	return (0);
}

/* Columns of the result, one row a line, as a block of data. */
static int
put_block(struct plot *p, const char *name, const char *sql, int columns,
    int *rows, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error = begin(p, sql, &st, err);

	if (error != 0)
		return (error);
	*rows = 0;
	fprintf(p->script, "$%s << EOD\n", name);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++)
			fprintf(p->script, "%.9g ",
			    sqlite3_column_double(st, i));
		fputc('\n', p->script);
		(*rows)++;
	}
	fputs("EOD\n", p->script);
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

/* Response times in ms against the share of requests that took no longer. */
static int
put_curve(struct plot *p, int side, int *rows, struct sim_err *err)
{
	char sql[1024], name[16];

	snprintf(sql, sizeof(sql), "WITH r AS (SELECT (i.finish - i.queued) * "
	    "1e3 / ?1 AS ms FROM io i JOIN io_kind k ON k.id = i.kind WHERE"
	    "%sAND %s), o AS (SELECT ms, row_number() OVER (ORDER BY ms) AS n,"
	    " count(*) OVER () AS c FROM r) SELECT ms, n * 1.0 / c FROM o"
	    " WHERE n %% (1 + c / %d) = 0 OR n = 1 OR n = c ORDER BY n",
	    range_sql, sides[side].test, MAX_POINTS);
	snprintf(name, sizeof(name), "cdf%d", side);
	return (put_block(p, name, sql, 2, rows, err));
}

static int
put_dots(struct plot *p, const char *column, int side, int *rows,
    struct sim_err *err)
{
	char sql[1024], name[16];

	snprintf(sql, sizeof(sql), "WITH r AS (SELECT i.start / ?1 AS t, i.%s "
	    "AS y, row_number() OVER (ORDER BY i.seq) AS n, count(*) OVER () "
	    "AS c FROM io i JOIN io_kind k ON k.id = i.kind WHERE%sAND %s) "
	    "SELECT t, y FROM r WHERE n %% (1 + c / %d) = 0 ORDER BY n",
	    column, range_sql, sides[side].test, MAX_DOTS);
	snprintf(name, sizeof(name), "dots%d", side);
	return (put_block(p, name, sql, 2, rows, err));
}

/* Time that requests spent at the disks in each bin, over its width. */
static int
put_depth(struct plot *p, struct sim_err *err)
{
	double width = (p->to - p->from) / MAX_BINS, *sum, a, b, lo, hi;
	char sql[256];
	sqlite3_stmt *st;
	int rc, error;

	sum = calloc(MAX_BINS, sizeof(*sum));
	if (sum == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	snprintf(sql, sizeof(sql), "SELECT i.queued / ?1, i.finish / ?1 FROM "
	    "io i WHERE%s", range_sql);
	error = begin(p, sql, &st, err);
	if (error != 0) {
		free(sum);
		return (error);
	}
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		a = sqlite3_column_double(st, 0);
		b = sqlite3_column_double(st, 1);
		a = a < p->from ? p->from : a;
		b = b > p->to ? p->to : b;
		for (int i = (int)((a - p->from) / width); i < MAX_BINS; i++) {
			lo = p->from + i * width;
			hi = lo + width;
			if (lo >= b)
				break;
			sum[i] += (b < hi ? b : hi) - (a > lo ? a : lo);
		}
	}
	fputs("$depth << EOD\n", p->script);
	for (int i = 0; i < MAX_BINS; i++)
		fprintf(p->script, "%.9g %.9g\n", p->from + (i + 0.5) * width,
		    sum[i] / width);
	fputs("EOD\n", p->script);
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	free(sum);
	return (error);
}

/* A row for each disk: its name, then milliseconds a request by part. */
static int
put_split(struct plot *p, int *rows, struct sim_err *err)
{
	char sql[1024];
	sqlite3_stmt *st;
	size_t n;
	int rc, error;

	n = (size_t)snprintf(sql, sizeof(sql), "SELECT coalesce(d.name, '?')");
	for (int i = 0; i < NPARTS; i++)
		n += (size_t)snprintf(sql + n, sizeof(sql) - n,
		    ", avg(%s) * 1e3 / ?1", parts[i].expr);
	snprintf(sql + n, sizeof(sql) - n, " FROM io i LEFT JOIN disks d ON "
	    "d.id = i.disk WHERE%sGROUP BY i.disk ORDER BY i.disk", range_sql);
	error = begin(p, sql, &st, err);
	if (error != 0)
		return (error);
	*rows = 0;
	fputs("$split << EOD\n", p->script);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		double from = 0, v;

		for (int i = 0; i < NPARTS; i++, from += v) {
			v = sqlite3_column_double(st, i + 1);
			fprintf(p->script, "%.9g %.9g ", from, from + v);
		}
		fprintf(p->script, "\"%s\"\n",
		    (const char *)sqlite3_column_text(st, 0));
		(*rows)++;
	}
	fputs("EOD\n", p->script);
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

/* ------------------------------------------------------------ panels */

static void
put_cdf(FILE *f, const int *rows)
{
	fputs("set logscale x\nset format x '%g'\nset autoscale x\n"
	    "set xlabel 'response time (ms)'\nset ylabel 'requests (%)' "
	    "offset 0.5,0\nset yrange [0:100]\n", f);
	for (int i = 0, first = 1; i < NSIDES; i++) {
		if (rows[i] == 0)
			continue;
		fprintf(f, "%s$cdf%d using 1:(100*$2) with steps lw 1.6 lc rgb "
		    "'%s' title '%s'", first ? "plot " : ", ", i,
		    sides[i].colour, sides[i].label);
		first = 0;
	}
	fputs("\nunset logscale x\nunset title\n", f);
}

static void
put_over_time(struct plot *p, const int *rows, bool cylinders)
{
	FILE *f = p->script;

	fprintf(f, "set xrange [%.9g:%.9g]\nset xlabel 'time (s)'\n"
	    "set origin 0,0.44\nset size 1,0.22\n"
	    "set ylabel 'requests at the disk'\nset yrange [0:*]\n"
	    "plot $depth using 1:2 with lines lw 1.2 lc rgb '#202020' "
	    "title 'mean depth'\n", p->from, p->to);
	fprintf(f, "set origin 0,0.18\nset size 1,0.26\n"
	    "set ylabel '%s'\nset yrange [0:*]\n",
	    cylinders ? "cylinder" : "place on the disk (MiB)");
	for (int i = 0, first = 1; i < NSIDES; i++) {
		if (rows[i] == 0)
			continue;
		fprintf(f, "%s$dots%d using 1:2 with points pt 7 ps 0.25 lc "
		    "rgb '%s' title '%s'", first ? "plot " : ", ", i,
		    sides[i].colour, sides[i].label);
		first = 0;
	}
	fputc('\n', f);
}

static void
put_bars(FILE *f, int rows)
{
	fprintf(f, "set origin 0,0\nset size 1,0.18\nset bmargin 3.4\n"
	    "set autoscale x\n"
	    "set xrange [0:*]\nset yrange [-0.6:%g]\nset ylabel ''\n"
	    "set xlabel 'mean time of a request (ms)'\nunset grid\n"
	    "set key maxrows 5 spacing 0.9\n", rows - 0.4);
	for (int i = 0; i < NPARTS; i++)
		fprintf(f, "%s$split using %d:0:%d:%d:($0-0.3):($0+0.3)%s with "
		    "boxxyerror fs solid lc rgb '%s' title '%s'",
		    i == 0 ? "plot " : ", ", 2 * i + 1, 2 * i + 1, 2 * i + 2,
		    i == 0 ? ":ytic(11)" : "", parts[i].colour,
		    parts[i].label);
	fputc('\n', f);
}

int
plot_disk(struct plot *p, struct sim_err *err)
{
	bool cylinders = report_db_has_column(p->db, "io", "cylinder");
	const char *place = cylinders ? "cylinder" : "lbn / 2048.0";
	int curve[NSIDES], dots[NSIDES], disks, error = 0, any = 0;

	for (int i = 0; error == 0 && i < NSIDES; i++) {
		error = put_curve(p, i, &curve[i], err);
		if (error == 0)
			error = put_dots(p, place, i, &dots[i], err);
		any += error == 0 && curve[i] > 0;
	}
	if (error == 0 && any == 0)
		return (sim_err_set(err, ENODATA, "%s: no transfers in this "
		    "time; run it with 'io' in --log", p->db->name));
	if (error == 0)
		error = put_depth(p, err);
	if (error == 0)
		error = put_split(p, &disks, err);
	if (error != 0)
		return (error);
	fputs("set multiplot\nset bmargin 3\nset tmargin 2\n"
	    "set origin 0,0.66\nset size 1,0.34\n", p->script);
	put_cdf(p->script, curve);
	fputs("set tmargin 0.6\n", p->script);
	put_over_time(p, dots, cylinders);
	put_bars(p->script, disks);
	fputs("unset multiplot\n", p->script);
	return (0);
}
