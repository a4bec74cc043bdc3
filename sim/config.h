/*
 * config.h: where a struct machine_config comes from: built-in defaults, then
 * JSON files in the order given, then the command line. docs/configuration.md
 * describes every key.
 */
#ifndef VMSIM_SIM_CONFIG_H
#define VMSIM_SIM_CONFIG_H

#include "sim/machine.h"

/*
 * config_load: merge a JSON file into mc. Objects of disks and lists replace
 * what was there; env and tunables add to it.
 * Errors: -ENOENT, -EACCES ... for the file; -EINVAL, -ERANGE with file and
 * line:column (malformed) or JSON path (wrong) in err.
 */
int config_load(const char *file, struct machine_config *mc,
    struct sim_err *err);
/* The same from memory; `name` stands for the file in messages. */
int config_parse(const char *name, const char *text, size_t length,
    struct machine_config *mc, struct sim_err *err);
/* One scalar key of the schema from the command line's text. `where` is what
 * the user wrote ("--mem"). */
int config_set(struct machine_config *mc, const char *key, const char *value,
    const char *where, struct sim_err *err);
/* "NAME=VALUE" and "name=value" arguments of --env and --set. */
int config_set_env(struct machine_config *mc, const char *assignment,
    const char *where, struct sim_err *err);
int config_set_tunable(struct machine_config *mc, const char *assignment,
    uint64_t at_ns, const char *where, struct sim_err *err);
/* "model", "name=model" or "name=model:scheduler"; the first one replaces the
 * disks so far when `replace`. */
int config_add_disk(struct machine_config *mc, const char *spec, bool replace,
    const char *where, struct sim_err *err);
/* "[name:]media,lbn=1-9", "[name:]key.key=value": of a disk that is there, the
 * last one without a name. */
int config_add_disk_fault(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err);
int config_add_disk_set(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err);
/* "PAGES@TIME[,low=SIZE][,high=SIZE][,align=SIZE]...": one more request. */
int config_add_contig(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err);
/* "transitions,faults", "all", "none" -> RUNDB_LOG_*. */
int config_parse_log(const char *list, uint32_t *mask, const char *where,
    struct sim_err *err);
/*
 * A machine (--machine) or scenario (--scenario): a file when the name has a
 * '/' or ends in ".json", else one of workloads/ that are built in. A scenario
 * must have "processes".
 */
int config_load_machine(const char *name, struct machine_config *mc,
    struct sim_err *err);
int config_load_scenario(const char *name, struct machine_config *mc,
    struct sim_err *err);

/*
 * After the last source: fills in what follows from the rest (the disks of
 * swap and file system) and checks what no single key can.
 */
int config_finish(struct machine_config *mc, struct sim_err *err);

/* "250ns", "10us", "1.5ms", "2s", "3m" -> ns; -EINVAL, -ERANGE. */
int parse_time(const char *text, uint64_t *ns);
/* Keys of the schema in order, for documentation checks; NULL past the end. */
const char *config_key(size_t i);
const char *config_key_help(size_t i);

/* ---- scenario.c ---- */

/* "processes" of a scenario, as they were written. */
struct process_spec {
	char name[48], program[1024], cwd[1024];
	char stdio[3][1024]; /* "inherit", "null" or a path */
	char **args;
	char **env; /* "NAME=value"; "NAME": not set */
	uint32_t count;
	uint64_t start_ns, every_ns, think_ns, rss_limit, racct_rss;
	int32_t nice;
	char *json; /* for the run database */
	char origin[160];
};
void process_spec_free(struct process_spec *ps);
/* Finds the program of mc (its argv[0], env and cwd) and puts its absolute
 * guest path into mc->exe. */
typedef int program_find_fn(struct machine_config *mc, struct sim_err *err);
/* mc->programs from the specifications, in order of their start; none: the
 * machine runs mc->argv. */
int scenario_finish(struct machine_config *mc, program_find_fn *find,
    struct sim_err *err);

/* ---- machine_config.c ---- */

/* Every key in effect with its value as text, in a fixed order; what does not
 * change the simulation (outputs, checks) is left out. */
typedef void config_row_fn(void *ctx, const char *key, const char *value);
void machine_config_rows(const struct machine_config *mc, config_row_fn *fn,
    void *ctx);
/* Appends a copy to a NULL-terminated list; false: out of memory. */
bool config_strings_add(char ***list, const char *s);
void config_strings_free(char **list);
/* Sets a variable, or removes it (value NULL); false: out of memory. */
bool config_env_put(char ***env, const char *name, size_t n,
    const char *value);
/* A NULL-terminated list as JSON text (malloced), NULL: out of memory. */
char *config_json_strings(char *const list[]);
/* The value of a variable in the guest's environment, NULL when unset. */
const char *config_getenv(const struct machine_config *mc, const char *name);

#endif
