/*
 * plot.c: the kinds of plots, what they have in common (terminal, fonts,
 * title, range) and the way from a database to a file.
 *
 * Interface: reports.h.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reports/reports_int.h"

static const struct {
	const char *name, *help;
	int (*draw)(struct plot *p, struct sim_err *err);
	uint32_t width, height; /* 1/100 inch */
	uint32_t (*own_height)(struct plot *p); /* NULL: as above */
} kinds[] = {
	{ "queues", "pages of each queue over simulated time", plot_queues,
	    800, 560, NULL },
	{ "faults", "faults and paging over simulated time", plot_faults,
	    800, 760, NULL },
	{ "processes", "what each thread did over simulated time",
	    plot_processes, 900, 520, plot_processes_height },
	{ "disk", "response times, depth and place of transfers", plot_disk,
	    800, 1000, NULL },
	{ "times", "where the time of runs went", plot_times, 900, 600, NULL },
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *
report_plot_kind(size_t i)
{
	return (i < NKINDS ? kinds[i].name : NULL);
}

const char *
report_plot_help(size_t i)
{
	return (i < NKINDS ? kinds[i].help : NULL);
}

/* ------------------------------------------------------------ helpers */

double
plot_step(double span, int most)
{
	double raw = span / most, power, f;

	if (!(raw > 0))
		return (1);
	power = pow(10, floor(log10(raw)));
	f = raw / power;
	return (power * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10));
}

void
plot_put_string(FILE *f, const char *text)
{
	fputc('\'', f);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\'')
			fputs("''", f);
		else
			fputc(c < 32 || c == 127 ? ' ' : c, f);
	}
	fputc('\'', f);
}

/* Drawn for print: dark text, thin frame, light grid, key outside. */
static int
put_terminal(struct plot *p, size_t kind, struct sim_err *err)
{
	const char *dot = strrchr(p->rp->output, '.');
	uint32_t w = p->rp->width != 0 ? p->rp->width : kinds[kind].width;
	uint32_t h = kinds[kind].height;

	if (p->rp->height != 0)
		h = p->rp->height;
	else if (kinds[kind].own_height != NULL)
		h = kinds[kind].own_height(p);
	if (dot != NULL && strcmp(dot, ".png") == 0)
		fprintf(p->script, "set terminal pngcairo noenhanced size "
		    "%u,%u font 'DejaVu Sans,10' fontscale 2 linewidth 2 "
		    "background '#FFFFFF'\n", w * 2, h * 2);
	else if (dot != NULL && strcmp(dot, ".svg") == 0)
		fprintf(p->script, "set terminal svg noenhanced size %u,%u "
		    "font 'DejaVu Sans,12' linewidth 1.2 background "
		    "'#FFFFFF'\n", w, h);
	else if (dot != NULL && strcmp(dot, ".pdf") == 0)
		fprintf(p->script, "set terminal pdfcairo noenhanced size "
		    "%.2fin,%.2fin font 'DejaVu Sans,10' linewidth 1.2\n",
		    w / 100.0, h / 100.0);
	else
		return (sim_err_set(err, EINVAL, "%s: the name must end in "
		    ".png, .svg or .pdf", p->rp->output));
	fputs("set encoding utf8\n"
	    "set border 3 lw 0.8 lc rgb '#404040'\n"
	    "set format x '%h'\n" /* gnuplot's own has a blank before it */
	    "set tics nomirror out scale 0.6 textcolor rgb '#202020'\n"
	    "set grid back lc rgb '#D8D8D8' lw 0.6 dt 1\n"
	    "set key at graph 1.025, graph 1 left top Left reverse samplen 1.6 "
	    "spacing 1.25 "
	    "textcolor rgb '#202020'\n"
	    "set lmargin 11\nset rmargin 19\n"
	    "set style fill solid 1.0 noborder\n"
	    "set datafile missing '?'\n", p->script);
	return (0);
}

static void
put_title(struct plot *p)
{
	char text[512], program[96];
	const struct report_db *db = p->db;

	if (p->rp->title != NULL) {
		snprintf(text, sizeof(text), "%s", p->rp->title);
	} else if (db->mem_bytes == 0) {
		snprintf(text, sizeof(text), "%s", db->program);
	} else {
		/* a line has no room for more */
		snprintf(program, sizeof(program), "%.67s%s", db->program,
		    strlen(db->program) > 67 ? "..." : "");
		snprintf(text, sizeof(text), "%s - %.4g MiB of memory%s",
		    program, db->mem_bytes / 1048576,
		    db->complete ? "" : " (incomplete run)");
	}
	if (text[0] == '\0')
		return;
	fputs("set title ", p->script);
	plot_put_string(p->script, text);
	fputs(" font ',11' offset 0,-0.3\n", p->script);
}

static int
set_range(struct plot *p, struct sim_err *err)
{
	p->from = p->rp->from;
	p->to = p->rp->to > 0 ? p->rp->to : p->db->end;
	if (p->from >= p->to)
		return (sim_err_set(err, ENODATA, "%s: nothing between %g s "
		    "and %g s; the run %s %g s", p->db->name, p->from, p->to,
		    p->db->complete ? "ends at" : "is known up to",
		    p->db->end));
	fprintf(p->script, "set xrange [%.9g:%.9g]\n", p->from, p->to);
	return (0);
}

/* ------------------------------------------------------------ the way */

static int
find_kind(const char *name, size_t *kind, struct sim_err *err)
{
	for (*kind = 0; *kind < NKINDS; (*kind)++) {
		if (strcmp(kinds[*kind].name, name) == 0)
			return (0);
	}
	return (sim_err_set(err, EINVAL, "plot: unknown kind '%s' (queues, "
	    "faults, processes, disk, times)", name));
}

/* Lists of `vmsim disk replay` can be drawn as well as databases. */
static bool
is_list(size_t kind, const char *name)
{
	size_t n = strlen(name);

	return (kinds[kind].draw == plot_disk && n > 4 &&
	    strcmp(name + n - 4, ".csv") == 0);
}

static int
make_script(struct plot *p, size_t kind, struct sim_err *err)
{
	int error;

	if ((error = set_range(p, err)) != 0 ||
	    (error = put_terminal(p, kind, err)) != 0)
		return (error);
	put_title(p);
	return (kinds[kind].draw(p, err));
}

int
report_plot(const struct report_plot *rp, char *note, size_t note_size,
    struct sim_err *err)
{
	struct report_db db;
	struct plot p = { .rp = rp, .db = &db };
	size_t kind, length = 0;
	char *script = NULL;
	int error;

	if (note != NULL && note_size > 0)
		note[0] = '\0';
	error = find_kind(rp->kind, &kind, err);
	if (error != 0)
		return (error);
	if (rp->nmore > 0 && kinds[kind].draw != plot_times)
		return (sim_err_set(err, EINVAL, "plot %s: one argument too "
		    "many: '%s' (plot times compares runs)", rp->kind,
		    rp->more[0]));
	error = is_list(kind, rp->db) ? report_csv_open(rp->db, &db, err) :
	    report_db_open(rp->db, &db, err);
	if (error != 0)
		return (error);
	p.script = open_memstream(&script, &length);
	if (p.script == NULL) {
		report_db_close(&db);
		return (sim_err_set(err, ENOMEM, "out of memory"));
	}
	error = make_script(&p, kind, err);
	if (fclose(p.script) != 0 && error == 0)
		error = sim_err_set(err, ENOMEM, "out of memory");
	if (error == 0)
		error = gnuplot_run(script, length, rp->output, err);
	if (error == 0 && !db.complete && note != NULL)
		snprintf(note, note_size, "%s: the run is incomplete (%s); the "
		    "plot ends at %.3f s", rp->db, db.ended, db.end);
	free(script);
	report_db_close(&db);
	return (error);
}
