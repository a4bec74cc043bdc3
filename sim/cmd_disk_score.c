/*
 * cmd_disk_score.c: `vmsim disk score`.
 */
#include <errno.h>
#include <string.h>

#include "sim/cli.h"
#include "sim/cmd_disk.h"
#include "sim/commands.h"
#include "sim/replay.h"

enum { O_MEASURED, O_MODEL, O_JSON };

static const struct cli_option score_options[] = {
	[O_MEASURED] = { "measured", 0, "COLUMN", "column of the measured "
	    "times (default: measured_ms, or response_ms)" },
	[O_MODEL] = { "model", 0, "COLUMN", "column of the model's times "
	    "(default: response_ms, or model_ms)" },
	[O_JSON] = { "json", 0, NULL, "print JSON" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_command score_command = {
	.name = "disk score",
	.usage = "MEASURED.csv [MODEL.csv] [OPTION]...",
	.summary = "Compares two lists of response times.",
	.options = score_options,
	.text = "Prints the demerit figure (Ruemmler & Wilkes 1994: root mean "
	    "square distance of\nthe two cumulative curves, and its share of "
	    "the measured mean) and, for lists of\nequal length, the median "
	    "difference and the share beyond 0.1 ms, request by\nrequest. "
	    "With one file both columns are taken from it.\n",
};

struct options {
	const char *file[2], *column[2];
	bool json;
};

static int
parse(struct options *o, int argc, char **argv)
{
	const char *value;
	int option, n = 0;

	cli_rewind();
	for (;;) {
		option = cli_next(&score_command, argc, argv, &value);
		if (option == CLI_END) {
			if (cli_operand() >= argc)
				break;
			if (n == 2)
				return cli_usage(&score_command, "one argument "
				    "too many: '%s'", argv[cli_operand()]);
			o->file[n++] = argv[cli_operand()];
			cli_skip();
			continue;
		}
		switch (option) {
		case O_MEASURED: o->column[0] = value; break;
		case O_MODEL: o->column[1] = value; break;
		case O_JSON: o->json = true; break;
		default: return option == CLI_HELP ? -1 : EX_USAGE;
		}
	}
	if (n == 0)
		return cli_usage(&score_command, "name a file of measured "
		    "times");
	if (n == 1)
		o->file[1] = o->file[0];
	return 0;
}

/* The column asked for, or the first of the usual names that is there. */
static const double *
find(const struct request_list *t, const char *file, const char *asked,
    const char *const usual[2])
{
	const double *v;

	if (asked != NULL) {
		v = requests_column(t, asked);
		if (v == NULL)
			cli_error("%s: there is no column '%s' of numbers",
			    file, asked);
		return v;
	}
	for (int i = 0; i < 2; i++)
		if ((v = requests_column(t, usual[i])) != NULL)
			return v;
	cli_error("%s: there is no column '%s' or '%s' of numbers; name "
	    "another one",
	    file, usual[0], usual[1]);
	return NULL;
}

static void
print(const struct score *s, bool json)
{
	if (json) {
		printf("{\"measured\": %zu, \"model\": %zu, "
		    "\"demerit_ms\": %.6f, \"demerit_percent\": %.6f,\n"
		    " \"mean_measured_ms\": %.6f, \"mean_model_ms\": %.6f, "
		    "\"error_of_mean_percent\": %.6f", s->measured, s->model,
		    s->demerit, 100 * s->demerit_rel, s->mean_measured,
		    s->mean_model, 100 * s->error_of_mean);
		if (s->paired)
			printf(",\n \"median_error_ms\": %.6f, "
			    "\"beyond_0.1_ms_percent\": %.6f",
			    s->median_error, 100 * s->beyond);
		puts("}");
		return;
	}
	printf("demerit        %.6f ms, %.6f %% of the measured mean\n",
	    s->demerit, 100 * s->demerit_rel);
	printf("mean           %.6f ms measured, %.6f ms model, error %+.4f "
	    "%%\n", s->mean_measured, s->mean_model, 100 * s->error_of_mean);
	if (s->paired)
		printf("median error   %.6f ms\nbeyond 0.1 ms  %.4f %% of %zu "
		    "requests\n", s->median_error, 100 * s->beyond,
		    s->measured);
	else
		printf("the lists have %zu and %zu lines: no comparison "
		    "request by request\n", s->measured, s->model);
}

int
disk_score(int argc, char **argv)
{
	static const char *const usual[2][2] = {
		{ "measured_ms", "response_ms" }, { "response_ms", "model_ms" },
	};
	struct options o = { .json = false };
	struct request_list t[2];
	const double *v[2] = { NULL, NULL };
	struct sim_err err;
	struct score s;
	int code = parse(&o, argc, argv), error;

	if (code != 0)
		return code < 0 ? 0 : code;
	for (int i = 0; i < 2; i++) {
		error = table_load(o.file[i], &t[i], &err);
		if (error != 0) {
			cli_error("%s", err.text);
			if (i == 1)
				requests_free(&t[0]);
			return error == -EINVAL ? EX_DATAERR :
						  exit_code_of(error);
		}
	}
	for (int i = 0; i < 2 && code == 0; i++)
		if ((v[i] = find(&t[i], o.file[i], o.column[i], usual[i])) ==
		    NULL)
			code = EX_DATAERR;
	if (code == 0)
		error = score_lists(v[0], t[0].count, v[1], t[1].count, &s);
	if (error == -EDOM) {
		cli_error("%s: the measured times are not above 0 on average,"
		    " so there is nothing to compare with", o.file[0]);
		code = EX_DATAERR;
	} else if (error != 0) {
		cli_error("out of memory");
		code = EX_OSERR;
	}
	if (code == 0)
		print(&s, o.json);
	requests_free(&t[0]);
	requests_free(&t[1]);
	return code;
}
