/*
 * plot_processes.c: a line of time for each thread: what it did. The range
 * is cut into slots of a pixel or so; a slot is filled from below with the
 * share of time that the thread spent in each state, so that a slot shorter
 * than a state is of one colour, and one that holds thousands of page waits
 * still shows how little ran between them. Of a crowd, those of one name that
 * were not alive at the same time share a line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports/reports_int.h"

#define OWN_LANES 40 /* up to so many threads have one each */
#define MAX_LANES 64
#define NAME_LENGTH 24 /* of a label; the rest is the number */
#define MAX_SLOTS 800
#define STEPS 24 /* a share is rounded to this many parts of a lane */
#define LANE_HEIGHT 0.78

/* From the bottom of a lane up; names as in table thread_state. */
static const struct {
	const char *name, *label, *colour;
} kinds[] = {
	{ "running", "running", COLOUR_GREEN },
	{ "ready", "waiting for a CPU", COLOUR_YELLOW },
	{ "page_wait", "waiting for a page", COLOUR_VERMILION },
	{ "swap_wait", "waiting for swap-in", COLOUR_BLUE },
	{ "swapped", "swapped out", COLOUR_PURPLE },
	{ "sleeping", "sleeping", COLOUR_PALE },
};
#define NKINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

struct lane {
	char name[64], label[96];
	int threads;
	double end; /* of the last of them, cycles */
	float (*share)[NKINDS]; /* of each slot, 0 to 1 */
};

struct member { /* a thread, in order of pid and tid */
	int pid, tid;
	int lane; /* -1: no room */
};

struct chart {
	struct lane lane[MAX_LANES];
	int nlanes, slots; /* slots 0: only how many lanes there are */
	double from, slot; /* seconds */
	struct member *member;
	size_t nmembers, shown;
	bool crowd; /* lanes are shared */
};

static const char threads_sql[] =
    "SELECT count(*) FROM (SELECT 1 FROM states WHERE end > ?1 AND"
    " start < ?2 GROUP BY pid, tid)";
static const char members_sql[] =
    "SELECT s.pid, s.tid, ifnull(p.label, ifnull(p.name, '')), min(s.start),"
    " max(s.end) FROM states s LEFT JOIN processes p ON p.pid = s.pid"
    " WHERE s.end > ?1 AND s.start < ?2 GROUP BY s.pid, s.tid"
    " ORDER BY s.pid, s.tid";
static const char states_sql[] =
    "SELECT s.pid, s.tid, s.start / ?3, s.end / ?3, k.name FROM states s"
    " JOIN thread_state k ON k.id = s.state"
    " WHERE s.end > ?1 AND s.start < ?2";

/* ------------------------------------------------------------ reading */

static int
open_range(struct plot *p, const char *sql, sqlite3_stmt **st,
    struct sim_err *err)
{
	int error = report_db_prepare(p->db, sql, st, err);

	if (error == 0) {
		sqlite3_bind_double(*st, 1, p->from * p->db->hz);
		sqlite3_bind_double(*st, 2, p->to * p->db->hz);
	}
	return (error);
}

/* A long name loses its middle: what tells copies apart is its end. */
static void
short_name(const char *name, char *out, size_t size)
{
	const size_t head = NAME_LENGTH - 11, tail = 8;
	size_t n = strlen(name), a = head, b = n - tail;

	if (n <= NAME_LENGTH) {
		snprintf(out, size, "%s", name);
		return;
	}
	while (a > 0 && ((unsigned char)name[a] & 0xc0) == 0x80)
		a--;
	while (b < n && ((unsigned char)name[b] & 0xc0) == 0x80)
		b++;
	snprintf(out, size, "%.*s...%s", (int)a, name, name + b);
}

/* A new lane, for the row at hand; -1: out of memory. */
static int
new_lane(struct chart *c, sqlite3_stmt *st, const char *name)
{
	struct lane *l = &c->lane[c->nlanes];
	int pid = sqlite3_column_int(st, 0), tid = sqlite3_column_int(st, 1);
	char shown[NAME_LENGTH + 8];

	short_name(name, shown, sizeof(shown));
	snprintf(l->name, sizeof(l->name), "%s", name);
	if (pid == tid)
		snprintf(l->label, sizeof(l->label), "%s %d", shown, pid);
	else
		snprintf(l->label, sizeof(l->label), "%s %d/%d", shown, pid,
		    tid);
	if (c->slots != 0) {
		l->share = calloc((size_t)c->slots, sizeof(*l->share));
		if (l->share == NULL)
			return (-1);
	}
	return (c->nlanes++);
}

/* Who came after the others of that name were gone goes into their lane. */
static int
find_lane(const struct chart *c, const char *name, double start)
{
	for (int i = 0; c->crowd && i < c->nlanes; i++) {
		if (c->lane[i].end <= start &&
		    strcmp(c->lane[i].name, name) == 0)
			return (i);
	}
	return (-1);
}

static int
add_member(struct chart *c, sqlite3_stmt *st)
{
	const char *name = (const char *)sqlite3_column_text(st, 2);
	struct member *m = &c->member[c->nmembers];
	struct lane *l;

	m->pid = sqlite3_column_int(st, 0);
	m->tid = sqlite3_column_int(st, 1);
	m->lane = find_lane(c, name, sqlite3_column_double(st, 3));
	if (m->lane < 0 && c->nlanes < (c->crowd ? MAX_LANES : OWN_LANES)) {
		m->lane = new_lane(c, st, name);
		if (m->lane < 0)
			return (-ENOMEM);
	}
	c->nmembers++;
	if (m->lane < 0)
		return (0);
	c->shown++;
	l = &c->lane[m->lane];
	l->end = sqlite3_column_double(st, 4);
	if (++l->threads > 1) {
		short_name(l->name, l->label, sizeof(l->label));
		snprintf(l->label + strlen(l->label), 16, " (%d)",
		    l->threads);
	}
	return (0);
}

static int
count_threads(struct plot *p, double *n, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error = open_range(p, threads_sql, &st, err);

	if (error != 0)
		return (error);
	rc = sqlite3_step(st);
	*n = rc == SQLITE_ROW ? sqlite3_column_double(st, 0) : 0;
	error = rc == SQLITE_ROW ? 0 : report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static int
read_lanes(struct plot *p, struct chart *c, struct sim_err *err)
{
	sqlite3_stmt *st;
	double n = 0;
	int rc, error = count_threads(p, &n, err);

	if (error != 0)
		return (error);
	c->crowd = n > OWN_LANES;
	c->member = calloc((size_t)n + 1, sizeof(*c->member));
	if (c->member == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	error = open_range(p, members_sql, &st, err);
	if (error != 0)
		return (error);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && error == 0 &&
	    c->nmembers < (size_t)n) {
		error = add_member(c, st);
		if (error != 0)
			(void)sim_err_set(err, ENOMEM, "out of memory");
	}
	if (error == 0)
		error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

static void
chart_free(struct chart *c)
{
	for (int i = 0; i < c->nlanes; i++)
		free(c->lane[i].share);
	free(c->member);
	free(c);
}

static int
by_number(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->pid != y->pid)
		return (x->pid < y->pid ? -1 : 1);
	return (x->tid < y->tid ? -1 : x->tid > y->tid);
}

/* NULL: it has none. */
static struct lane *
lane_of(struct chart *c, int pid, int tid)
{
	const struct member key = { .pid = pid, .tid = tid }, *m;

	m = bsearch(&key, c->member, c->nmembers, sizeof(*m), by_number);
	return (m != NULL && m->lane >= 0 ? &c->lane[m->lane] : NULL);
}

static int
find_kind(const char *name)
{
	for (int k = 0; k < NKINDS; k++) {
		if (strcmp(kinds[k].name, name) == 0)
			return (k);
	}
	return (-1);
}

/* Spreads one interval over the slots that it touches. */
static void
add_interval(struct chart *c, struct lane *l, int kind, double start,
    double end)
{
	double a = (start - c->from) / c->slot, b = (end - c->from) / c->slot;
	int i;

	if (a < 0)
		a = 0;
	if (b > c->slots)
		b = c->slots;
	for (i = (int)a; i < c->slots && i < b; i++) {
		double from = a > i ? a : i, to = b < i + 1 ? b : i + 1;

		if (to > from)
			l->share[i][kind] += (float)(to - from);
	}
}

static int
read_states(struct plot *p, struct chart *c, struct sim_err *err)
{
	sqlite3_stmt *st;
	int rc, error;

	error = open_range(p, states_sql, &st, err);
	if (error != 0)
		return (error);
	sqlite3_bind_double(st, 3, p->db->hz);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct lane *l = lane_of(c, sqlite3_column_int(st, 0),
		    sqlite3_column_int(st, 1));
		int kind = find_kind((const char *)sqlite3_column_text(st, 4));

		if (l != NULL && kind >= 0)
			add_interval(c, l, kind, sqlite3_column_double(st, 2),
			    sqlite3_column_double(st, 3));
	}
	error = report_db_done(p->db, rc, err);
	sqlite3_finalize(st);
	return (error);
}

/* ------------------------------------------------------------ drawing */

/* A slot's shares as steps of a lane: where each kind begins and the last
 * one ends, lowest first. What ran at all is seen: one step at least. */
static void
slot_levels(const float share[NKINDS], int level[NKINDS + 1])
{
	double sum = 0;

	level[0] = 0;
	for (int k = 0; k < NKINDS; k++) {
		sum += (double)share[k];
		level[k + 1] = (int)(sum * STEPS + 0.5);
		if (share[k] > 0 && k == 0 && level[1] == 0)
			level[1] = 1;
		if (level[k + 1] < level[k])
			level[k + 1] = level[k];
		if (level[k + 1] > STEPS)
			level[k + 1] = STEPS;
	}
}

/* Slots of equal levels make one box. */
static void
put_lane(FILE *f, const struct chart *c, const struct lane *l, double y,
    int kind)
{
	int level[NKINDS + 1], low = 0, high = 0, begin = 0;

	for (int i = 0; i <= c->slots; i++) {
		if (i < c->slots)
			slot_levels(l->share[i], level);
		else
			level[kind] = level[kind + 1] = -1;
		if (level[kind] == low && level[kind + 1] == high)
			continue;
		if (high > low)
			fprintf(f, "%.9g %.5g %.9g %.9g %.5g %.5g\n",
			    c->from + begin * c->slot, y,
			    c->from + begin * c->slot, c->from + i * c->slot,
			    y + LANE_HEIGHT * low / STEPS,
			    y + LANE_HEIGHT * high / STEPS);
		begin = i;
		low = level[kind];
		high = level[kind + 1];
	}
}

/* The first lane on top. */
static double
lane_y(const struct chart *c, int i)
{
	return (c->nlanes - 1 - i + (1 - LANE_HEIGHT) / 2);
}

static void
put_data(FILE *f, const struct chart *c)
{
	for (int k = 0; k < NKINDS; k++) {
		fprintf(f, "$%s << EOD\n", kinds[k].name);
		for (int i = 0; i < c->nlanes; i++)
			put_lane(f, c, &c->lane[i], lane_y(c, i), k);
		/* keeps an empty block from being an error */
		fputs("? ? ? ? ? ?\nEOD\n", f);
	}
}

static void
put_axes(FILE *f, const struct chart *c)
{
	size_t longest = 0;

	for (int i = 0; i < c->nlanes; i++) {
		if (strlen(c->lane[i].label) > longest)
			longest = strlen(c->lane[i].label);
	}
	fprintf(f, "set lmargin %zu\nset rmargin 25\nset bmargin 3.8\n"
	    "set yrange [0:%d]\n"
	    "set ytics scale 0 (", longest < 8 ? (size_t)10 : longest + 3,
	    c->nlanes);
	for (int i = 0; i < c->nlanes; i++) {
		if (i > 0)
			fputs(", ", f);
		plot_put_string(f, c->lane[i].label);
		fprintf(f, " %.5g", lane_y(c, i) + LANE_HEIGHT / 2);
	}
	fputs(")\nset grid noytics\n", f);
	fputs("set xlabel 'simulated time (s)", f);
	if (c->shown < c->nmembers)
		fprintf(f, "; %zu of %zu threads", c->shown, c->nmembers);
	else if (c->crowd)
		fprintf(f, "; %zu threads", c->nmembers);
	if (c->crowd && c->shown > (size_t)c->nlanes)
		fputs("; in brackets: so many share a line", f);
	fputs("'\n", f);
}

static void
put_plot(FILE *f)
{
	fputs("plot ", f);
	for (int k = 0; k < NKINDS; k++)
		/* the border closes the seams between boxes */
		fprintf(f, "%s$%s using 1:2:3:4:5:6 with boxxyerror fs solid "
		    "1.0 border rgb '%s' lc rgb '%s' lw 0.25 title '%s'",
		    k > 0 ? ", " : "", kinds[k].name, kinds[k].colour,
		    kinds[k].colour, kinds[k].label);
	fputc('\n', f);
}

static int
check_states(struct plot *p, struct sim_err *err)
{
	double any = 0;
	int error;

	if (!report_db_has_column(p->db, "states", "tid"))
		return (sim_err_set(err, EILSEQ, "%s: the database has no "
		    "table of states; it is of an older vmsim", p->db->name));
	error = report_db_number(p->db, "SELECT EXISTS (SELECT 1 FROM "
	    "states)", &any, NULL, err);
	if (error == 0 && any == 0)
		return (sim_err_set(err, ENODATA, "%s: no states of threads "
		    "were logged; run with --log all or --log states",
		    p->db->name));
	return (error);
}

/* Room for the labels of all lanes; what is wrong is said later. */
uint32_t
plot_processes_height(struct plot *p)
{
	struct chart *c = calloc(1, sizeof(*c));
	struct sim_err err;
	uint32_t lanes = 0;

	if (c == NULL)
		return (340);
	if (report_db_has_column(p->db, "states", "tid") &&
	    read_lanes(p, c, &err) == 0)
		lanes = (uint32_t)c->nlanes;
	chart_free(c);
	return (lanes < 9 ? 340 : 140 + lanes * (lanes > OWN_LANES ? 16 : 22));
}

int
plot_processes(struct plot *p, struct sim_err *err)
{
	struct chart *c = calloc(1, sizeof(*c));
	int error;

	if (c == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	c->slots = MAX_SLOTS;
	c->from = p->from;
	c->slot = (p->to - p->from) / c->slots;
	error = check_states(p, err);
	if (error == 0)
		error = read_lanes(p, c, err);
	if (error == 0 && c->nlanes == 0)
		error = sim_err_set(err, ENODATA, "%s: no thread lived "
		    "between %g s and %g s", p->db->name, p->from, p->to);
	if (error == 0)
		error = read_states(p, c, err);
	if (error == 0) {
		put_data(p->script, c);
		put_axes(p->script, c);
		put_plot(p->script);
	}
	chart_free(c);
	return (error);
}
