/*
 * conform.c: `vmsim conform`: replay conformance vectors, compare, report.
 *
 * Interface: sim/commands.h (cmd_conform), sim/conform.h (conform_step).
 * Source:    our own; the formats are told by the README beside the vectors.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sim/commands.h"
#include "sim/conform.h"

#define SHOWN_MAX 10 /* mismatches told in full without -v */
#define COLUMN 30 /* width of a value that stands beside another */

static const struct conform_driver *const conform_drivers[] = {
	&conform_bsd5,
	&conform_bsd11,
};
#define NDRIVERS (sizeof(conform_drivers) / sizeof(conform_drivers[0]))

struct conform_options {
	bool verbose, emit;
};

struct conform_totals {
	uint64_t passed, failed, malformed, steps;
};

/* ------------------------------------------------------------ mismatches */

/* Where two values differ first, as "q[0][2]"; true when they do. */
static bool
first_difference(const cJSON *a, const cJSON *b, FILE *path,
    const cJSON **at_a, const cJSON **at_b)
{
	const cJSON *x, *y;
	int i;

	if (conform_equal(a, b))
		return (false);
	*at_a = a;
	*at_b = b;
	if (cJSON_IsObject(a) && cJSON_IsObject(b)) {
		cJSON_ArrayForEach(x, a) {
			y = cJSON_GetObjectItemCaseSensitive(b, x->string);
			if (conform_equal(x, y))
				continue;
			fprintf(path, ".%s", x->string);
			return (first_difference(x, y, path, at_a, at_b));
		}
		cJSON_ArrayForEach(y, b) {
			if (cJSON_GetObjectItemCaseSensitive(a, y->string) !=
			    NULL)
				continue;
			fprintf(path, ".%s", y->string);
			*at_a = NULL;
			*at_b = y;
			return (true);
		}
	}
	if (cJSON_IsArray(a) && cJSON_IsArray(b)) {
		x = a->child;
		y = b->child;
		for (i = 0; conform_equal(x, y); i++) {
			x = x->next;
			y = y->next;
		}
		fprintf(path, "[%d]", i);
		return (first_difference(x, y, path, at_a, at_b));
	}
	return (true);
}

static void
print_value(FILE *out, const cJSON *item)
{
	if (item == NULL)
		fputs("(absent)", out);
	else
		conform_print(out, item);
}

/* One member: side by side when both are short, else one above the other. */
static void
print_pair(FILE *out, const char *name, const cJSON *expected,
    const cJSON *actual)
{
	char *e = expected != NULL ? conform_text(expected) :
				     strdup("(absent)");
	char *a = actual != NULL ? conform_text(actual) : strdup("(absent)");
	char mark = conform_equal(expected, actual) ? ' ' : '*';

	if (e != NULL && a != NULL && strlen(e) <= COLUMN &&
	    strlen(a) <= COLUMN)
		fprintf(out, "  %c %-6s %-*s   %s\n", mark, name, COLUMN, e,
		    a);
	else
		fprintf(out, "  %c %-6s %s\n           %s\n", mark, name,
		    e != NULL ? e : "?", a != NULL ? a : "?");
	free(e);
	free(a);
}

static void
print_pairs(FILE *out, const cJSON *expected, const cJSON *actual)
{
	const cJSON *x;

	fprintf(out, "    %-6s %-*s   %s\n", "", COLUMN, "expected", "actual");
	if (!cJSON_IsObject(expected) || !cJSON_IsObject(actual)) {
		print_pair(out, "", expected, actual);
		return;
	}
	cJSON_ArrayForEach(x, expected)
		print_pair(out, x->string, x,
		    cJSON_GetObjectItemCaseSensitive(actual, x->string));
	cJSON_ArrayForEach(x, actual)
		if (cJSON_GetObjectItemCaseSensitive(expected, x->string) ==
		    NULL)
			print_pair(out, x->string, NULL, x);
}

static void
print_difference(FILE *out, const cJSON *expected, const cJSON *actual)
{
	const cJSON *e = NULL, *a = NULL;
	char *path = NULL;
	size_t size;
	FILE *f = open_memstream(&path, &size);

	if (f == NULL)
		return;
	(void)first_difference(expected, actual, f, &e, &a);
	if (fclose(f) == 0) {
		fprintf(out, "    first difference at %s: expected ",
		    path[0] == '\0' ? "the value itself" : path);
		print_value(out, e);
		fputs(", actual ", out);
		print_value(out, a);
		putc('\n', out);
	}
	free(path);
}

static void
print_fail(const struct conform_run *run)
{
	fprintf(run->out, "FAIL %s:%" PRIu64 " %s %s\n", run->file, run->line,
	    cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
		run->scenario, "suite")), run->id);
}

/* The step's input: its expected outcome is shown apart. */
static void
print_op(FILE *out, int64_t index, const cJSON *op)
{
	const cJSON *member;

	fprintf(out, "    step %" PRId64 ":", index);
	if (!cJSON_IsObject(op)) {
		putc(' ', out);
		conform_print(out, op);
		putc('\n', out);
		return;
	}
	cJSON_ArrayForEach(member, op) {
		if (strcmp(member->string, "exp") == 0)
			continue;
		fprintf(out, " %s=", member->string);
		conform_print(out, member);
	}
	putc('\n', out);
}

bool
conform_step(struct conform_run *run, int64_t index, const cJSON *op,
    const cJSON *expected, const cJSON *actual)
{
	run->steps++;
	if (run->emit || conform_equal(expected, actual))
		return (true);
	run->bad_step = index;
	if (run->quiet)
		return (false);
	print_fail(run);
	print_op(run->out, index, op);
	print_pairs(run->out, expected, actual);
	print_difference(run->out, expected, actual);
	return (false);
}

int
conform_fail(struct conform_run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->quiet)
		return (CONFORM_FAIL);
	print_fail(run);
	fputs("    ", run->out);
	va_start(ap, fmt);
	vfprintf(run->out, fmt, ap);
	va_end(ap);
	putc('\n', run->out);
	return (CONFORM_FAIL);
}

/* ------------------------------------------------------------ scenarios */

static const struct conform_driver *
driver_of(const cJSON *scenario)
{
	size_t i;

	for (i = 0; i < NDRIVERS; i++)
		if (conform_drivers[i]->accepts(scenario))
			return (conform_drivers[i]);
	return (NULL);
}

/* The position of a syntax error, and the scenario's own name and suite. */
static int
check_scenario(const cJSON *s, const char *line, const char *at,
    const struct conform_driver **driver, struct sim_err *err)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(s, "id");
	const cJSON *suite = cJSON_GetObjectItemCaseSensitive(s, "suite");

	if (s == NULL)
		return (sim_err_set(err, EINVAL, "column %zu: malformed JSON",
		    at != NULL ? (size_t)(at - line) + 1 : 1));
	if (!cJSON_IsObject(s) || !cJSON_IsString(suite) ||
	    !cJSON_IsString(id))
		return (sim_err_set(err, EINVAL, "not a scenario: an object "
		    "with \"suite\" and \"id\" is wanted"));
	*driver = driver_of(s);
	if (*driver != NULL)
		return (0);
	(void)sim_err_set(err, EINVAL, "scenario %s: unknown suite \"%s\"",
	    id->valuestring, suite->valuestring);
	conform_one_line(err);
	return (-EINVAL);
}

/* line[length] is 0, as conform_line leaves it. */
cJSON *
conform_parse(const char *line, size_t length,
    const struct conform_driver **driver, struct sim_err *err)
{
	const char *at = NULL;
	cJSON *s = cJSON_ParseWithLengthOpts(line, length + 1, &at, true);

	if (check_scenario(s, line, at, driver, err) != 0) {
		cJSON_Delete(s);
		s = NULL;
	}
	return (s);
}

/* Replay once more up to the step that went wrong, for its state before. */
static void
print_state_before(const char *line, size_t length,
    const struct conform_run *failed)
{
	const struct conform_driver *drv;
	struct sim_err err;
	struct conform_run run = {
		.scenario = conform_parse(line, length, &drv, &err),
		.dump_at = failed->bad_step,
		.bad_step = -1,
		.quiet = true,
		.out = failed->out,
		.err = &err,
	};

	if (run.scenario == NULL)
		return;
	run.id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
	    run.scenario, "id"));
	fprintf(run.out, "    state before:\n");
	(void)drv->replay(&run);
	cJSON_Delete(run.scenario);
}

struct conform_file {
	const char *path;
	uint64_t line;
	struct conform_totals totals;
};

/* Mismatches are told where they are found; this is for the rest. */
static void
report(const struct conform_options *opt, const struct conform_run *run,
    const char *suite, int verdict)
{
	if (verdict == CONFORM_FAIL && run->quiet)
		print_fail(run);
	else if (opt->verbose && verdict == CONFORM_PASS)
		fprintf(run->out,
		    "ok   %s:%" PRIu64 " %s %s, %" PRIu64 " steps\n",
		    run->file, run->line, suite, run->id, run->steps);
}

static int
replay_scenario(struct conform_file *f, const struct conform_options *opt,
    const struct conform_driver *drv, struct conform_run *run,
    const char *line, size_t length)
{
	const char *suite = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(run->scenario, "suite"));
	int verdict = drv->replay(run);

	report(opt, run, suite, verdict);
	if (verdict == CONFORM_FAIL && run->bad_step >= 0 && !run->quiet)
		print_state_before(line, length, run);
	if (verdict >= 0 && opt->emit) {
		conform_print(stdout, run->scenario);
		putchar('\n');
	}
	f->totals.steps += run->steps;
	return (verdict);
}

static int
conform_one(struct conform_file *f, const struct conform_options *opt,
    const char *line, size_t length, struct sim_err *err)
{
	struct conform_run run = {
		.file = f->path,
		.line = f->line,
		.emit = opt->emit,
		.dump_at = -1,
		.bad_step = -1,
		.out = opt->emit ? stderr : stdout,
		.err = err,
		.quiet = !opt->verbose && f->totals.failed >= SHOWN_MAX,
	};
	const struct conform_driver *drv;
	int verdict;

	run.scenario = conform_parse(line, length, &drv, err);
	if (run.scenario == NULL)
		return (-EINVAL);
	run.id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
	    run.scenario, "id"));
	snprintf(run.where, sizeof(run.where), "set-up");
	verdict = replay_scenario(f, opt, drv, &run, line, length);
	cJSON_Delete(run.scenario);
	return (verdict);
}

/* Bad lines are reported and counted; the rest of the file is still done. */
static int
conform_file(struct conform_file *f, const struct conform_options *opt)
{
	struct sim_err err = { "" };
	struct conform_reader *r = conform_open(f->path, &err);
	size_t length;
	char *line;
	int got, verdict;

	if (r == NULL) {
		fprintf(stderr, "vmsim: conform: %s\n", err.text);
		return (EX_NOINPUT);
	}
	while ((got = conform_line(r, &line, &length, &err)) > 0) {
		f->line++;
		if (strspn(line, " \t\r") == length)
			continue;
		verdict = conform_one(f, opt, line, length, &err);
		if (verdict < 0) {
			f->totals.malformed++;
			fprintf(stderr, "vmsim: conform: %s:%" PRIu64 ": %s\n",
			    f->path, f->line, err.text);
		} else if (verdict == CONFORM_FAIL)
			f->totals.failed++;
		else
			f->totals.passed++;
	}
	conform_close(r);
	if (got < 0) {
		fprintf(stderr, "vmsim: conform: %s\n", err.text);
		return (EX_DATAERR);
	}
	return (f->totals.malformed != 0 ? EX_DATAERR : 0);
}

/* ------------------------------------------------------------ the command */

static const char usage[] =
    "usage: vmsim conform [-v] [--emit] FILE.jsonl...\n"
    "Replay conformance vectors through vmcore and compare.\n"
    "\n"
    "  FILE        JSON Lines, plain or zstd-compressed; - is standard input\n"
    "  -v          name every scenario; tell all mismatches in full\n"
    "      --emit  compare nothing: print each scenario with the results of\n"
    "              this implementation, in the same format\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 all passed, 1 some failed, 64 wrong usage, 65 malformed\n"
    "input, 66 a file could not be opened, 74 output could not be written.\n";

static int
conform_options(int argc, char **argv, struct conform_options *opt)
{
	static const struct option longs[] = {
		{ "emit", no_argument, NULL, 'e' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
		switch (c) {
		case 'v':
			opt->verbose = true;
			break;
		case 'e':
			opt->emit = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return (-1);
		default:
			fputs(usage, stderr);
			return (EX_USAGE);
		}
	}
	if (optind == argc) {
		fputs("vmsim: conform: no file given\n", stderr);
		fputs(usage, stderr);
		return (EX_USAGE);
	}
	return (0);
}

static void
print_totals(const struct conform_options *opt, const struct conform_totals *t)
{
	FILE *out = opt->emit ? stderr : stdout;

	fprintf(out, "%" PRIu64 " passed, %" PRIu64 " failed", t->passed,
	    t->failed);
	if (t->malformed != 0)
		fprintf(out, ", %" PRIu64 " malformed", t->malformed);
	if (opt->verbose)
		fprintf(out, " (%" PRIu64 " steps)", t->steps);
	putc('\n', out);
}

int
cmd_conform(int argc, char **argv)
{
	struct conform_options opt = { false, false };
	struct conform_totals sum = { 0 };
	int status, error = 0, i;

	status = conform_options(argc, argv, &opt);
	if (status != 0)
		return (status < 0 ? 0 : status);
	for (i = optind; i < argc; i++) {
		struct conform_file f = { .path = argv[i] };

		status = conform_file(&f, &opt);
		if (error == 0)
			error = status;
		sum.passed += f.totals.passed;
		sum.failed += f.totals.failed;
		sum.malformed += f.totals.malformed;
		sum.steps += f.totals.steps;
	}
	print_totals(&opt, &sum);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "vmsim: conform: cannot write the results\n");
		return (EX_IOERR);
	}
	if (error != 0)
		return (error);
	return (sum.failed != 0 ? 1 : 0);
}
