/*
 * main.c: `vmsim COMMAND ...`: finds the command and runs it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sim/base/tunables.h"
#include "sim/cli.h"
#include "sim/commands.h"
#include "sim/version.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "run", cmd_run, "run a program on a simulated machine" },
	{ "sysctl", cmd_sysctl, "list the tunables of the kernel" },
	{ "plot", cmd_plot, "draw a run database" },
	{ "conform", cmd_conform, "replay conformance vectors" },
	{ "disk", cmd_disk, "the disk models: list, show, replay, score" },
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
help(FILE *f)
{
	fputs("usage: vmsim COMMAND [ARGUMENT]...\n"
	    "Deterministic, cycle-level simulation of a kernel's virtual "
	    "memory.\n\n", f);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].help);
	fputs("\n  --help     print this and exit\n"
	    "  --version  print the version and exit\n\n"
	    "'vmsim COMMAND --help' tells more; so does 'man vmsim'. A first "
	    "try:\n"
	    "  vmsim run --mem 16M --vmstat 1 -- sort FILE\n", f);
}

/* Part of the design, and of a later version. */
static const char *const coming[] = { "record", "replay", "import", "sweep",
	"compare", "diff", "check", "report" };

static int
unknown(const char *name)
{
	const char *names[NCOMMANDS], *near;

	for (size_t i = 0; i < sizeof(coming) / sizeof(coming[0]); i++) {
		if (strcmp(name, coming[i]) != 0)
			continue;
		cli_error("'%s' is not there yet in version " VMSIM_VERSION
		    "; 'vmsim --help' lists what is", name);
		return (EX_UNAVAILABLE);
	}

	for (size_t i = 0; i < NCOMMANDS; i++)
		names[i] = commands[i].name;
	near = nearest_name(name, names, NCOMMANDS);
	if (near != NULL)
		cli_error("unknown command '%s'; did you mean '%s'? (see "
		    "'vmsim --help')", name, near);
	else
		cli_error("unknown command '%s' (see 'vmsim --help')", name);
	return (EX_USAGE);
}

/* What was written must have arrived: a full disk is no success. */
static int
flush(int code)
{
	if (fflush(stdout) != 0 && code == 0) {
		cli_error("writing to standard output failed");
		return (EX_IOERR);
	}
	return (code);
}

/*
 * A database opened as descriptor 0 would be the guest's input: what the
 * caller has closed gives errors to whoever uses it, but is taken.
 */
static void
take_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
	}
}

int
main(int argc, char **argv)
{
	take_standard_files();
	/* writing past a limit or to a closed pipe is an error to report */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		help(stderr);
		return (EX_USAGE);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		help(stdout);
		return (flush(0));
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("vmsim " VMSIM_VERSION);
		return (flush(0));
	}
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return (flush(commands[i].run(argc - 1, argv + 1)));
	}
	return (unknown(argv[1]));
}
