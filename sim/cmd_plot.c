/*
 * cmd_plot.c: `vmsim plot`: command line of reports/.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reports/reports.h"
#include "sim/cli.h"
#include "sim/commands.h"
#include "sim/config.h"

enum { O_OUTPUT, O_FROM, O_TO, O_SIZE, O_TITLE };

static const struct cli_option plot_options[] = {
	[O_OUTPUT] = { "output", 'o', "FILE", "what to write; the suffix is "
	    "the format: .png, .svg or .pdf" },
	[O_FROM] = { "from", 0, "TIME", "begin at this simulated time" },
	[O_TO] = { "to", 0, "TIME", "end at this simulated time" },
	[O_SIZE] = { "size", 0, "WxH", "size in inches (default 8x5)" },
	[O_TITLE] = { "title", 0, "TEXT", "title (default: the program and "
	    "its memory; '' for none)" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_command plot_command = {
	.name = "plot",
	.usage = "KIND RUN.db|LIST.csv... -o FILE [OPTION]...",
	.summary = "Draws a run database with gnuplot.",
	.options = plot_options,
	.text = "Kinds:\n"
	    "  queues    pages of each queue over simulated time, with the "
	    "free thresholds\n"
	    "  faults    faults by kind and pages moved per second, and where "
	    "faults fall\n"
	    "  processes a line of time for each thread: running, waiting for "
	    "a CPU or\n"
	    "            a page, sleeping, swapped out\n"
	    "  times     where the time of a run went, or of several to "
	    "compare: program,\n"
	    "            kernel, parts of reads, writes, waiting for memory\n"
	    "  disk      response times, queue depth, place on the disk and "
	    "parts of the\n"
	    "            service; also of a list that 'vmsim disk replay' "
	    "wrote\n",
};

static int
set_size(struct report_plot *rp, const char *value)
{
	double w, h;
	char rest;

	if (sscanf(value, "%lfx%lf%c", &w, &h, &rest) != 2 ||
	    !(w >= 2 && w <= 40 && h >= 2 && h <= 40))
		return (cli_usage(&plot_command, "--size: '%s' is not WxH in "
		    "inches from 2 to 40", value));
	rp->width = (uint32_t)(w * 100 + 0.5);
	rp->height = (uint32_t)(h * 100 + 0.5);
	return (0);
}

static int
set_time(double *field, const char *option, const char *value)
{
	uint64_t ns;

	if (parse_time(value, &ns) != 0)
		return (cli_usage(&plot_command, "--%s: '%s' is not a time "
		    "such as 250ms or 2s", option, value));
	*field = (double)ns / 1e9;
	return (0);
}

#define MAX_OPERANDS 17

/* Options may stand before, between and after the operands. */
static int
parse(struct report_plot *rp, int argc, char **argv,
    const char *operand[MAX_OPERANDS])
{
	int option, code = 0, n = 0;
	const char *value;

	cli_rewind();
	for (;;) {
		option = cli_next(&plot_command, argc, argv, &value);
		if (option == CLI_END) {
			if (cli_operand() >= argc)
				break;
			if (n == MAX_OPERANDS)
				return (cli_usage(&plot_command, "one argument "
				    "too many: '%s'", argv[cli_operand()]));
			operand[n++] = argv[cli_operand()];
			rp->nmore = n > 2 ? (uint32_t)n - 2 : 0;
			cli_skip();
			continue;
		}
		switch (option) {
		case O_OUTPUT: rp->output = value; break;
		case O_FROM: code = set_time(&rp->from, "from", value); break;
		case O_TO: code = set_time(&rp->to, "to", value); break;
		case O_SIZE: code = set_size(rp, value); break;
		case O_TITLE: rp->title = value; break;
		default: return (option == CLI_HELP ? -1 : EX_USAGE);
		}
		if (code != 0)
			return (code);
	}
	return (0);
}

static int
plot_exit_code(int error)
{
	switch (-error) {
	case EINVAL: return (EX_USAGE);
	case EILSEQ:
	case ENODATA: return (EX_DATAERR);
	case ENOEXEC: return (EX_UNAVAILABLE);
	case EACCES:
	case EROFS:
	case ENOTDIR:
	case EISDIR: return (EX_CANTCREAT);
	default: return (exit_code_of(error));
	}
}

int
cmd_plot(int argc, char **argv)
{
	struct report_plot rp = { .kind = NULL };
	const char *operand[MAX_OPERANDS] = { NULL };
	struct sim_err err;
	char note[256];
	int code, error;

	code = parse(&rp, argc, argv, operand);
	if (code != 0)
		return (code < 0 ? 0 : code);
	rp.kind = operand[0];
	rp.db = operand[1];
	rp.more = operand + 2;
	if (rp.kind == NULL)
		return (cli_usage(&plot_command, "say what to draw: queues, "
		    "faults, processes, disk or times"));
	if (rp.db == NULL)
		return (cli_usage(&plot_command, "name a run database"));
	if (rp.output == NULL)
		return (cli_usage(&plot_command, "name the output with -o "
		    "FILE.png, .svg or .pdf"));
	error = report_plot(&rp, note, sizeof(note), &err);
	if (error != 0) {
		cli_error("%s", err.text);
		return (plot_exit_code(error));
	}
	if (note[0] != '\0')
		cli_error("%s", note);
	return (0);
}
