/*
 * plot_times.c: where the time of runs went, a bar for each run: CPU, the
 * parts of reads from disks, writes, free memory, other waiting. In seconds and
 * in percent.
 *
 * Idle time is divided thus: while a read is at a disk the run is taken to
 * wait for reads, in proportion to the parts of all reads' times; while only
 * writes are, for writes; while nothing is, but a thread sleeps for free
 * memory, for that. With several CPUs the CPU times are means.
 */
#include <errno.h>
#include <string.h>

#include "reports/reports_int.h"

#define MAX_ROWS 16

enum { USER, KERNEL, QUEUE, OVERHEAD, SEEK, ROTATION, TRANSFER, WRITES,
	MEMORY, OTHER, NPARTS };

static const struct {
	const char *label, *colour;
} parts[NPARTS] = {
	[USER] = { "program", COLOUR_BLUE },
	[KERNEL] = { "kernel", COLOUR_PURPLE },
	[QUEUE] = { "reads: queue", COLOUR_PALE },
	[OVERHEAD] = { "overhead", COLOUR_GREY },
	[SEEK] = { "seek", COLOUR_ORANGE },
	[ROTATION] = { "rotation", COLOUR_SKY },
	[TRANSFER] = { "transfer", COLOUR_GREEN },
	[WRITES] = { "writes", COLOUR_VERMILION },
	[MEMORY] = { "free memory", COLOUR_YELLOW },
	[OTHER] = { "other waiting", COLOUR_DARK },
};

struct row {
	char label[64];
	double s[NPARTS]; /* seconds */
	double all;
};

/* ------------------------------------------------------------ data */

#define READS "WHERE i.disk > 0 AND k.name LIKE '%\\_in' ESCAPE '\\'"
/* cycles that lie in any of the intervals [queued, finish) of a table */
#define COVERED(table) \
	"SELECT sum(max(0, finish - max(queued, coalesce(seen, 0)))) FROM " \
	"(SELECT queued, finish, max(finish) OVER (ORDER BY queued, seq " \
	"ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen FROM (" \
	table "))"
#define TRANSFERS(where) \
	"SELECT queued, finish, i.seq FROM io i JOIN io_kind k " \
	"ON k.id = i.kind " where
#define MEMORY_WAITS \
	"SELECT start, end, s.seq FROM states s JOIN wait_message w " \
	"ON w.id = s.wait WHERE w.name IN ('pfault', 'vmwait')"
#define SUMMED(expr) \
	"SELECT sum(" expr ") FROM io i JOIN io_kind k ON k.id = i.kind " READS
#define TOTAL(name) "SELECT value FROM summary WHERE name = '" name "'"

enum { Q_CYCLES, Q_IDLE, Q_READS, Q_DISKS, Q_ALL, NQ };

static const char *const queries[NQ] = {
	[Q_CYCLES] = TOTAL("cycles"),
	[Q_IDLE] = TOTAL("idle_cycles"),
	[Q_READS] = COVERED(TRANSFERS(READS)),
	[Q_DISKS] = COVERED(TRANSFERS("WHERE i.disk > 0")),
	[Q_ALL] = COVERED(TRANSFERS("WHERE i.disk > 0")
	    " UNION ALL " MEMORY_WAITS),
};

static const char *const part_queries[NPARTS] = {
	[USER] = TOTAL("user_cycles"),
	[KERNEL] = TOTAL("kernel_cycles"),
	[QUEUE] = SUMMED("i.start - i.queued"),
	[OVERHEAD] = SUMMED("i.overhead"),
	[SEEK] = SUMMED("i.seek"),
	[ROTATION] = SUMMED("i.rotation"),
	[TRANSFER] = SUMMED("i.transfer"),
};

static double
at_most(double a, double most)
{
	return (a < most ? a : most);
}

/* From totals in cycles to seconds that add up to the run's time. */
static void
divide(struct row *r, const double q[NQ], double hz)
{
	double cpu = r->s[USER] + r->s[KERNEL] + q[Q_IDLE], reads = 0, wait;
	double scale = cpu > 0 ? q[Q_CYCLES] / cpu / hz : 0;
	double idle = cpu > 0 ? q[Q_IDLE] * scale : q[Q_CYCLES] / hz;

	for (int i = QUEUE; i <= TRANSFER; i++)
		reads += r->s[i];
	wait = reads > 0 ? at_most(idle, q[Q_READS] / hz) : 0;
	for (int i = QUEUE; i <= TRANSFER; i++)
		r->s[i] = reads > 0 ? r->s[i] / reads * wait : 0;
	idle -= wait;
	r->s[WRITES] = at_most(idle, (q[Q_DISKS] - q[Q_READS]) / hz);
	idle -= r->s[WRITES];
	r->s[MEMORY] = at_most(idle, (q[Q_ALL] - q[Q_DISKS]) / hz);
	r->s[OTHER] = idle - r->s[MEMORY];
	r->s[USER] *= scale;
	r->s[KERNEL] *= scale;
	r->all = q[Q_CYCLES] / hz;
}

/* Models of the run's disks: "hp97560", "hp97560 + nvme_minimal". */
static int
read_label(struct report_db *db, char *buf, size_t size, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error;
	size_t n = 0;

	buf[0] = '\0';
	error = report_db_prepare(db, "SELECT DISTINCT model FROM disks "
	    "ORDER BY id", &st, err);
	if (error != 0)
		return (error);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		const char *slash = name == NULL ? NULL : strrchr(name, '/');

		if (name == NULL || n >= size)
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%s",
		    n > 0 ? "+" : "", slash != NULL ? slash + 1 : name);
	}
	error = report_db_done(db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static int
check_row(struct report_db *db, const double q[NQ], struct sim_err *err)
{
	double logged = 0;
	int error;

	if (q[Q_CYCLES] <= 0)
		return (sim_err_set(err, ENODATA, "%s: the run is incomplete: "
		    "its times are not known", db->name));
	error = report_db_number(db, "SELECT CAST(value AS INTEGER) & 4 FROM "
	    "config WHERE key = 'log'", &logged, NULL, err);
	if (error == 0 && logged == 0)
		error = sim_err_set(err, ENODATA, "%s: transfers were not "
		    "logged; run it with 'io' in --log", db->name);
	return (error);
}

static int
read_row(struct report_db *db, struct row *r, struct sim_err *err)
{
	double q[NQ];
	int error = read_label(db, r->label, sizeof(r->label), err);

	for (int i = 0; error == 0 && i < NQ; i++)
		error = report_db_number(db, queries[i], &q[i], NULL, err);
	if (error == 0)
		error = check_row(db, q, err);
	for (int i = 0; error == 0 && i < NPARTS; i++)
		if (part_queries[i] != NULL)
			error = report_db_number(db, part_queries[i],
			    &r->s[i], NULL, err);
	if (error == 0)
		divide(r, q, db->hz);
	return (error);
}

static int
open_row(const char *name, struct row *r, struct sim_err *err)
{
	struct report_db db;
	int error = report_db_open(name, &db, err);

	if (error != 0)
		return (error);
	error = read_row(&db, r, err);
	report_db_close(&db);
	return (error);
}

/* Bars of equal disks go by the names of their files. */
static void
make_labels(const struct report_plot *rp, struct row *row, uint32_t n)
{
	bool same = false;
	const char *name, *slash;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++)
			same |= strcmp(row[i].label, row[k].label) == 0;
	for (uint32_t i = 0; same && i < n; i++) {
		name = i == 0 ? rp->db : rp->more[i - 1];
		slash = strrchr(name, '/');
		snprintf(row[i].label, sizeof(row[i].label), "%.63s",
		    slash != NULL ? slash + 1 : name);
	}
}

/* ------------------------------------------------------------ panels */

static void
put_rows(FILE *f, const struct row *row, uint32_t n)
{
	double from;

	fputs("$rows << EOD\n", f);
	for (uint32_t i = 0; i < n; i++) {
		fprintf(f, "%u %.9g ", n - 1 - i, row[i].all);
		from = 0;
		for (int k = 0; k < NPARTS; k++) {
			fprintf(f, "%.9g ", from);
			from += row[i].s[k];
		}
		fprintf(f, "%.9g\n", from);
	}
	fputs("EOD\nset ytics (", f);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i > 0 ? ", " : "", f);
		plot_put_string(f, row[i].label);
		fprintf(f, " %u", n - 1 - i);
	}
	fputs(")\n", f);
}

/* share: lengths in percent of the bar, else in seconds. */
static void
put_bars(FILE *f, bool share)
{
	const char *unit = share ? "100.0/$2" : "1.0";

	for (int k = 0; k < NPARTS; k++) {
		fprintf(f, "%s$rows using ($%d*%s):1:($%d*%s):($%d*%s):"
		    "($1-0.36):($1+0.36) with boxxyerror fs solid lc rgb '%s' ",
		    k == 0 ? "plot " : ", ", k + 3, unit, k + 3, unit, k + 4,
		    unit, parts[k].colour);
		if (share)
			fputs("notitle", f);
		else
			fprintf(f, "title '%s'", parts[k].label);
	}
	fputs("\n", f);
}

int
plot_times(struct plot *p, struct sim_err *err)
{
	struct row row[MAX_ROWS] = { 0 };
	uint32_t n = p->rp->nmore + 1;
	FILE *f = p->script;
	int error;

	if (p->rp->from > 0 || p->rp->to > 0)
		return (sim_err_set(err, EINVAL, "plot times: of whole runs "
		    "only, without --from and --to"));
	if (n > MAX_ROWS)
		return (sim_err_set(err, EINVAL, "plot times: at most %d runs",
		    MAX_ROWS));
	error = read_row(p->db, &row[0], err);
	for (uint32_t i = 1; error == 0 && i < n; i++)
		error = open_row(p->rp->more[i - 1], &row[i], err);
	if (error != 0)
		return (error);
	make_labels(p->rp, row, n);
	put_rows(f, row, n);
	fprintf(f, "set yrange [-0.6:%g]\nunset grid\nset lmargin 20\n"
	    "set xrange [0:*]\nset key spacing 1 maxrows 10\n"
	    "set multiplot\nset tmargin 2\nset bmargin 3\n"
	    "set origin 0,0.5\nset size 1,0.5\n"
	    "set xlabel 'simulated time (s)'\n", n - 0.4);
	put_bars(f, false);
	fputs("unset title\nset tmargin 0.6\nset bmargin 3.4\n"
	    "set origin 0,0\nset size 1,0.46\nset xrange [0:100]\n"
	    "set xlabel 'share of the run (%)'\n", f);
	put_bars(f, true);
	fputs("unset multiplot\n", f);
	return (0);
}
