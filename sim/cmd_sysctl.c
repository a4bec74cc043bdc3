/*
 * cmd_sysctl.c: `vmsim sysctl`: the tunables with their values as a machine
 * of the given configuration would boot with, in the manner of sysctl(8).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cli.h"
#include "sim/commands.h"
#include "sim/config.h"

enum { O_DESCRIBE, O_CONFIG, O_MEM, O_SET };

static const struct cli_option sysctl_options[] = {
	[O_DESCRIBE] = { "describe", 'd', NULL, "what each one means, its "
	    "unit, range, default and source" },
	[O_CONFIG] = { "config", 'c', "FILE", "as in a machine of this JSON "
	    "configuration" },
	[O_MEM] = { "mem", 'm', "SIZE", "as in a machine of this memory" },
	[O_SET] = { "set", 's', "NAME=VALUE", "with this tunable set" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_command sysctl_command = {
	.name = "sysctl",
	.usage = "[OPTION]... [NAME]...",
	.summary = "Prints tunables. A NAME may be a prefix: 'vm' means all "
	    "of vm.*. Values computed at boot are those of the machine given "
	    "by the options.",
	.options = sysctl_options,
	.text = "Change one with 'vmsim run --set NAME=VALUE' or in a "
	    "configuration's \"tunables\".\n",
};

static const char *
type_name(const struct tunable *t)
{
	static const char *const names[] = { "integer", "integer", "integer",
		"0 or 1", "size", "text" };

	return (names[t->type]);
}

static void
describe(const struct tunable *t)
{
	printf("%s: %s", t->name, t->help);
	printf(" [%s", t->unit != NULL && t->unit[0] != '\0' ? t->unit :
	    type_name(t));
	if (t->type == TUN_STRING)
		printf("; default '%s'", t->def_str != NULL ? t->def_str : "");
	else
		printf("; default %lld", (long long)t->def);
	if (t->type != TUN_BOOL && t->type != TUN_STRING &&
	    !(t->flags & TUN_RD))
		printf("; %lld to %lld", (long long)t->min,
		    (long long)t->max);
	if (t->flags & TUN_RD)
		printf("; read-only");
	else if (t->flags & TUN_BOOT)
		printf("; at boot only");
	if (t->flags & TUN_AUTO)
		printf("; computed at boot unless set");
	printf("]");
	if (t->source != NULL && t->source[0] != '\0')
		printf(" (%s)", t->source);
	putchar('\n');
}

/* "vm" selects "vm" itself and "vm.x". */
static bool
selected(const char *name, const char *want)
{
	size_t n = strlen(want);

	return (strncmp(name, want, n) == 0 &&
	    (name[n] == '\0' || name[n] == '.' || (n > 0 &&
	    want[n - 1] == '.')));
}

static int
print(const struct tunables *ts, const char *want, bool help)
{
	const struct tunable *t;
	char value[TUN_STRING_MAX];
	const char *near;
	int n = 0;

	for (size_t i = 0; (t = tunables_row(ts, i)) != NULL; i++) {
		if (want != NULL && !selected(t->name, want))
			continue;
		n++;
		if (help)
			describe(t);
		else if (tunables_get(ts, t->name, value, sizeof(value),
		    NULL) == 0)
			printf("%s: %s\n", t->name, value);
	}
	if (n > 0 || want == NULL)
		return (0);
	near = tunables_nearest(ts, want);
	if (strchr(want, '=') != NULL)
		cli_error("'%s': sysctl only prints; set it with 'vmsim run "
		    "--set %s'", want, want);
	else if (near != NULL)
		cli_error("unknown tunable '%s'; did you mean '%s'?", want,
		    near);
	else
		cli_error("unknown tunable '%s'; 'vmsim sysctl' lists them",
		    want);
	return (EX_USAGE);
}

static int
list(struct machine_config *mc, char **names, bool help, struct sim_err *err,
    int *code)
{
	struct machine *m;
	int error;

	error = config_finish(mc, err);
	if (error == 0)
		error = machine_create(mc, &m, err);
	if (error != 0)
		return (error);
	if (*names == NULL)
		*code = print(machine_tunables(m), NULL, help);
	for (; *names != NULL && *code == 0; names++)
		*code = print(machine_tunables(m), *names, help);
	machine_destroy(m);
	return (0);
}

int
cmd_sysctl(int argc, char **argv)
{
	struct machine_config *mc = calloc(1, sizeof(*mc));
	struct sim_err err = { "out of memory" };
	const char *value;
	bool help = false;
	int option, error = 0, code = 0;

	if (mc == NULL) {
		cli_error("out of memory");
		return (EX_OSERR);
	}
	machine_config_init(mc);
	cli_rewind();
	while (error == 0 && (option = cli_next(&sysctl_command, argc, argv,
	    &value)) != CLI_END) {
		switch (option) {
		case O_DESCRIBE:
			help = true;
			break;
		case O_CONFIG:
			error = config_load(value, mc, &err);
			break;
		case O_MEM:
			error = config_set(mc, "mem", value, "--mem", &err);
			break;
		case O_SET:
			error = config_set_tunable(mc, value, 0, "--set",
			    &err);
			break;
		default:
			code = option == CLI_HELP ? 0 : EX_USAGE;
			goto out;
		}
	}
	if (error == 0)
		error = list(mc, argv + cli_operand(), help, &err, &code);
	if (error != 0) {
		cli_error("%s", err.text);
		code = exit_code_of(error);
	}
out:
	machine_config_free(mc);
	free(mc);
	return (code);
}
