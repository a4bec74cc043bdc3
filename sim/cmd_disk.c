/*
 * cmd_disk.c: `vmsim disk list | show | replay | score`: the disk models by
 * themselves.
 */
#include "sim/cmd_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/tunables.h"
#include "sim/cli.h"
#include "sim/commands.h"
#include "sim/disk_builtin.h"
#include "sim/disk_json.h"
#include "disk_model/params.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} parts[] = {
	{ "list", disk_list },
	{ "show", disk_show },
	{ "replay", disk_replay },
	{ "score", disk_score },
};
#define NPARTS (sizeof(parts) / sizeof(parts[0]))

static const struct cli_option no_options[] = { { NULL, 0, NULL, NULL } };

static const struct cli_command disk_command = {
	.name = "disk",
	.usage = "list | show MODEL | replay REQUESTS.csv ... | score ...",
	.summary = "Works with the disk models alone.",
	.options = no_options,
	.text = "Parts:\n"
	    "  list      the built-in models and the schedulers\n"
	    "  show      a model's parameters, with their sources\n"
	    "  replay    serve a list of requests; response times and summary\n"
	    "  score     how well two lists of response times agree\n"
	    "\n'vmsim disk PART --help' tells more.\n",
};

/* ------------------------------------------------------------ list */

static const struct cli_command list_command = {
	.name = "disk list",
	.usage = "",
	.summary = "Lists the built-in disk models and the schedulers.",
	.options = no_options,
};

static const char *
family_name(enum disk_family f)
{
	switch (f) {
	case DISK_HDD: return "hdd";
	case DISK_SSD: return "ssd";
	default: return "fixed";
	}
}

static uint64_t
sectors_of(const struct disk_params *p)
{
	uint64_t n = 0;

	switch (p->family) {
	case DISK_SSD:
		return p->ssd.capacity;
	case DISK_FIXED:
		return p->fixed.sectors;
	default:
		break;
	}
	if (p->hdd.capacity != 0)
		return p->hdd.capacity;
	for (uint32_t i = 0; i < p->hdd.nzones; i++) {
		const struct hdd_zone *z = &p->hdd.zone[i];

		n += (uint64_t) (z->last_cyl - z->first_cyl + 1) *
		    p->hdd.heads * z->spt - z->reserved - z->spare;
	}
	return n;
}

static int
list_one(const char *name)
{
	struct disk_params *p;
	struct sim_err err;

	if (disk_params_load(name, &p, &err) != 0) {
		cli_error("%s", err.text);
		return EX_SOFTWARE;
	}
	printf("%-20s %-6s %9.1f MB  %-8s  %s\n", name,
	    family_name(p->family),
	    (double) sectors_of(p) * DISK_SECTOR / 1e6, p->scheduler,
	    p->title);
	disk_params_free(p);
	return 0;
}

int
disk_list(int argc, char **argv)
{
	const char *value;
	int option, code = 0;

	cli_rewind();
	option = cli_next(&list_command, argc, argv, &value);
	if (option != CLI_END)
		return option == CLI_HELP ? 0 : EX_USAGE;
	if (cli_operand() < argc)
		return cli_usage(&list_command, "takes no argument");
	printf("%-20s %-6s %9s     %-8s  %s\n", "MODEL", "FAMILY", "SIZE",
	    "SCHED", "NAME");
	for (size_t i = 0; code == 0 && disk_params_builtin(i) != NULL; i++)
		code = list_one(disk_params_builtin(i));
	printf("\n%-20s %s\n", "SCHEDULER", "");
	for (size_t i = 0; disk_scheduler_name(i) != NULL; i++)
		printf("%-20s %s\n", disk_scheduler_name(i),
		    disk_scheduler_help(i));
	return code;
}

/* ------------------------------------------------------------ show */

static const struct cli_option show_options[] = {
	{ "set", 0, "KEY=VALUE", "change a parameter first (KEY may be "
	    "a.b)" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_command show_command = {
	.name = "disk show",
	.usage = "MODEL|FILE.json [--set KEY=VALUE]...",
	.summary = "Prints a disk model's parameters as JSON, with their "
	    "sources.",
	.options = show_options,
	.text = "The text is a parameter file: change it and use it as "
	    "./NAME.json.\n",
};

int
disk_show(int argc, char **argv)
{
	const char *set[DISK_MAXSET], *value, *name = NULL;
	struct disk_params *p;
	struct sim_err err;
	size_t nset = 0;
	int option, error;

	cli_rewind();
	while ((option = cli_next(&show_command, argc, argv, &value)) != 0 ||
	    true) {
		if (option == CLI_END && cli_operand() >= argc)
			break;
		if (option == CLI_END && name == NULL) {
			name = argv[cli_operand()];
			cli_skip();
		} else if (option == CLI_END)
			return cli_usage(&show_command, "one argument too "
			    "many: '%s'", argv[cli_operand()]);
		else if (option < 0)
			return option == CLI_HELP ? 0 : EX_USAGE;
		else if (nset == DISK_MAXSET)
			return cli_usage(&show_command, "more than %d --set",
			    DISK_MAXSET);
		else
			set[nset++] = value;
	}
	if (name == NULL)
		return cli_usage(&show_command, "name a model ('vmsim disk "
		    "list') or a parameter file");
	error = disk_params_load_set(name, set, nset, &p, &err);
	if (error != 0) {
		cli_error("%s", err.text);
		return exit_code_of(error);
	}
	fputs(p->json, stdout);
	if (p->json[0] != '\0' && p->json[strlen(p->json) - 1] != '\n')
		putchar('\n');
	disk_params_free(p);
	return 0;
}

/* ------------------------------------------------------------ command */

int
cmd_disk(int argc, char **argv)
{
	const char *names[NPARTS], *near;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)) {
		cli_help(&disk_command, stdout);
		return 0;
	}
	if (argc < 2)
		return cli_usage(&disk_command, "say what to do: list, show, "
		    "replay or score");
	for (size_t i = 0; i < NPARTS; i++) {
		names[i] = parts[i].name;
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	}
	near = nearest_name(argv[1], names, NPARTS);
	if (near != NULL)
		return cli_usage(&disk_command, "unknown part '%s'; did you "
		    "mean '%s'?", argv[1], near);
	return cli_usage(&disk_command, "unknown part '%s'", argv[1]);
}
