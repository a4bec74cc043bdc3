/*
 * cli.h: options of a command as a table: getopt_long, --help and the "did
 * you mean" of an unknown option all read it; tests/cli checks the manual
 * page against it.
 */
#ifndef VMSIM_SIM_CLI_H
#define VMSIM_SIM_CLI_H

#include <stdio.h>

struct cli_option {
	const char *name; /* long name; NULL: `help` is a heading */
	char letter; /* 0: none */
	const char *arg; /* "SIZE"; "[=N]": may be left out; NULL: none */
	const char *help;
};

struct cli_command {
	const char *name; /* "run" */
	const char *usage; /* after "vmsim run " */
	const char *summary; /* one line */
	const struct cli_option *options; /* ends with help == NULL */
	const char *text; /* after the options, may be NULL */
};

#define CLI_END (-10000) /* operands begin at argv[cli_operand()] */
#define CLI_ERROR (-10001) /* said on stderr */
#define CLI_HELP (-10002) /* --help was printed */

/*
 * cli_next: the next option's index in the table. *value: its argument, or
 * NULL. Every command has --help beside its table.
 */
int cli_next(const struct cli_command *cmd, int argc, char **argv,
    const char **value);
int cli_operand(void);
/* Pass over one operand: options may follow it. */
void cli_skip(void);
/* Start over: before the first cli_next of a pass. */
void cli_rewind(void);
void cli_help(const struct cli_command *cmd, FILE *f);
/* One line: "vmsim run: ..." with a pointer to --help. Returns EX_USAGE. */
int cli_usage(const struct cli_command *cmd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* One line: "vmsim: ...". */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
