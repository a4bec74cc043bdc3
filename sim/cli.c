/*
 * cli.c: option tables. Interface: cli.h.
 */
#include "sim/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sim/base/tunables.h"

#define CLI_MAX 64
#define LONG_BASE 1000 /* getopt's value of a table's first row */
#define HELP_VALUE 999
#define HELP_COLUMN 30
#define HELP_WIDTH 79

struct tables {
	struct option longs[CLI_MAX + 2];
	const char *names[CLI_MAX + 1];
	char shorts[3 * CLI_MAX + 4];
	size_t n;
};

static bool
may_be_left_out(const struct cli_option *o)
{
	return (strncmp(o->arg, "[=", 2) == 0);
}

/* getopt's own two notations of the table. */
static void
make_tables(const struct cli_command *cmd, struct tables *t)
{
	char *s = t->shorts;
	size_t i;

	memset(t, 0, sizeof(*t));
	*s++ = '+'; /* operands end the options: the guest has its own */
	*s++ = ':';
	*s++ = 'h';
	for (i = 0; cmd->options[i].help != NULL && i < CLI_MAX; i++) {
		const struct cli_option *o = &cmd->options[i];
		int has = o->arg == NULL ? no_argument :
		    may_be_left_out(o) ? optional_argument : required_argument;

		if (o->name == NULL)
			continue;
		t->longs[t->n].name = o->name;
		t->longs[t->n].has_arg = has;
		t->longs[t->n].val = LONG_BASE + (int)i;
		t->names[t->n++] = o->name;
		if (o->letter != 0) {
			*s++ = o->letter;
			if (has == required_argument)
				*s++ = ':';
		}
	}
	t->longs[t->n].name = "help";
	t->longs[t->n].val = HELP_VALUE;
	t->names[t->n++] = "help";
}

static int
by_letter(const struct cli_command *cmd, int c)
{
	for (int i = 0; cmd->options[i].help != NULL; i++) {
		if (cmd->options[i].letter == c)
			return (i);
	}
	return (-1);
}

static void
complain(const struct cli_command *cmd, const struct tables *t, int c,
    const char *word)
{
	const char *near, *eq;
	char name[64];

	if (c == ':') {
		cli_usage(cmd, "option '%s' wants an argument", word);
		return;
	}
	if (word[0] != '-' || word[1] != '-') {
		cli_usage(cmd, "unknown option '-%c'", optopt);
		return;
	}
	eq = strchrnul(word, '=');
	snprintf(name, sizeof(name), "%.*s", (int)(eq - word - 2), word + 2);
	for (size_t i = 0; i < t->n; i++) {
		if (strcmp(t->names[i], name) == 0) {
			cli_usage(cmd, "option '--%s' takes no argument", name);
			return;
		}
	}
	near = nearest_name(name, t->names, t->n);
	if (near != NULL)
		cli_usage(cmd, "unknown option '--%s'; did you mean '--%s'?",
		    name, near);
	else
		cli_usage(cmd, "unknown option '--%s'", name);
}

int
cli_next(const struct cli_command *cmd, int argc, char **argv,
    const char **value)
{
	struct tables t;
	const char *word;
	int c;

	make_tables(cmd, &t);
	opterr = 0;
	word = optind > 0 && optind < argc ? argv[optind] : argv[argc > 1];
	c = getopt_long(argc, argv, t.shorts, t.longs, NULL);
	*value = optarg;
	if (c == -1)
		return (CLI_END);
	if (c == HELP_VALUE || c == 'h') {
		cli_help(cmd, stdout);
		return (CLI_HELP);
	}
	if (c >= LONG_BASE)
		return (c - LONG_BASE);
	if (c != '?' && c != ':')
		return (by_letter(cmd, c));
	complain(cmd, &t, c, word);
	return (CLI_ERROR);
}

int
cli_operand(void)
{
	return (optind);
}

void
cli_skip(void)
{
	optind++;
}

void
cli_rewind(void)
{
	optind = 0; /* glibc: forget everything */
}

/* ------------------------------------------------------------ help */

/* Text broken at blanks, each line from `column` on; the first one starts
 * where the cursor `at` is. */
static void
wrap(FILE *f, const char *text, int at, int column)
{
	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (at > column && at + 1 + (int)n > HELP_WIDTH) {
			fprintf(f, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', f);
			at++;
		}
		fprintf(f, "%.*s", (int)n, text);
		at += (int)n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static void
help_option(FILE *f, const struct cli_option *o)
{
	int n;

	if (o->name == NULL) {
		fprintf(f, "\n%s:\n", o->help);
		return;
	}
	n = o->letter != 0 ? fprintf(f, "  -%c, --%s", o->letter, o->name) :
	    fprintf(f, "  --%s", o->name);
	if (o->arg != NULL)
		n += fprintf(f, "%s%s", may_be_left_out(o) ? "" : " ",
		    o->arg);
	if (n + 2 > HELP_COLUMN) {
		fputc('\n', f);
		n = 0;
	}
	fprintf(f, "%*s", HELP_COLUMN - n, "");
	wrap(f, o->help, HELP_COLUMN, HELP_COLUMN);
}

void
cli_help(const struct cli_command *cmd, FILE *f)
{
	static const struct cli_option help = { "help", 'h', NULL,
		"print this and exit" };

	fprintf(f, "usage: vmsim %s %s\n", cmd->name, cmd->usage);
	wrap(f, cmd->summary, 0, 0);
	if (cmd->options[0].name != NULL)
		fputc('\n', f);
	for (int i = 0; cmd->options[i].help != NULL; i++)
		help_option(f, &cmd->options[i]);
	help_option(f, &help);
	if (cmd->text != NULL)
		fprintf(f, "\n%s", cmd->text);
}

/* ------------------------------------------------------------ errors */

int
cli_usage(const struct cli_command *cmd, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "vmsim %s: ", cmd->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see 'vmsim %s --help')\n", cmd->name);
	return (EX_USAGE);
}

void
cli_error(const char *fmt, ...)
{
	va_list ap;

	fputs("vmsim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
