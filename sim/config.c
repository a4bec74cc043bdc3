/*
 * config.c: JSON configurations and single settings, checked against one
 * table of keys; what the keys of a machine mean.
 *
 * Interface: config.h. The text is read by config_text.c, values of common
 * types by config_fields.c.
 */
#include "sim/config_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/builtin.h"
#include "sim/rundb.h"

#define CONFIG_MAX_BYTES (1u << 20)
#define CONFIG_MAX_CHANGES 4096
#define CONFIG_MAX_CONTIG 1000

static cf_set_fn set_env, set_kernel, set_dir, set_log, set_tunables,
    set_changes, set_contig, set_machine;

#define FIELD(f) offsetof(struct machine_config, f), \
	sizeof(((struct machine_config *)NULL)->f)
static const struct cf_key keys[] = {
	{ "kernel", set_kernel, FIELD(kernel), 0, 0, "kernel: \"bsd\"" },
	{ "mem", cf_set_size, FIELD(mem_bytes), 4096, 8ull << 40,
	    "physical memory, bytes" },
	{ "kernel_mem", cf_set_size, FIELD(kernel_bytes), 0, 8ull << 40,
	    "part of mem that the kernel keeps for itself, bytes" },
	{ "swap", cf_set_size, FIELD(swap_bytes), 0, 1ull << 50,
	    "swap space, bytes" },
	{ "cpu_hz", cf_set_hz, FIELD(cpu_hz), 1000000, 1000000000000u,
	    "clock rate of a CPU, Hz" },
	{ "cpus", cf_set_uint, FIELD(ncpus), 1, 64, "simulated CPUs" },
	{ "domains", cf_set_uint, FIELD(ndomains), 1, 8, "memory domains" },
	{ "seed", cf_set_uint, FIELD(rng_seed), 0, UINT64_MAX,
	    "root of all random streams" },
	{ "disks", cf_set_disks, 0, 0, 0, MACHINE_MAXDISKS,
	    "list of {name, model, scheduler, set, faults}" },
	{ "fs_disk", cf_set_text, FIELD(fs_disk), 1, 0,
	    "disk of the file system; default: the first" },
	{ "swap_disk", cf_set_text, FIELD(swap_disk), 1, 0,
	    "disk of the swap space; default: the last" },
	{ "argv", cf_set_strings, FIELD(argv), 1, 0,
	    "program and arguments, when the command line has none" },
	{ "env", set_env, 0, 0, 0, 0,
	    "variables of the guest's environment; null removes one" },
	{ "cwd", set_dir, FIELD(cwd), 1, 0, "the guest's working directory" },
	{ "bind_rw", cf_set_strings, FIELD(bind_rw), 0, 0,
	    "host directories that the guest may write" },
	{ "stack_limit", cf_set_size, FIELD(stack_limit), 65536, 1ull << 40,
	    "RLIMIT_STACK, bytes" },
	{ "rss_limit", cf_set_size, FIELD(rss_limit), 0, 1ull << 50,
	    "RLIMIT_RSS, bytes; 0: none" },
	{ "racct_rss", cf_set_size, FIELD(racct_rss), 0, 1ull << 50,
	    "resident limit by resource accounting, bytes; 0: none" },
	{ "contig", set_contig, 0, 0, 0, CONFIG_MAX_CONTIG,
	    "list of requests for contiguous memory: {at, pages, low, high, "
	    "align, boundary, hold}" },
	{ "boot_epoch", cf_set_uint, FIELD(boot_epoch), 0, 253402300799u,
	    "the guest's clock at boot, seconds since 1970" },
	{ "max_time", cf_set_time, FIELD(max_ns), 0, UINT64_MAX / 2,
	    "end of the run in simulated time; 0: none" },
	{ "check", cf_set_uint, FIELD(check), 0, 2,
	    "invariant checks: 0, 1 after scans, 2 after each event" },
	{ "log", set_log, FIELD(log_mask), 0, 0,
	    "what the database logs: transitions, faults, io, events, "
	    "samples, states, all, none" },
	{ "sample", cf_set_time, FIELD(sample_ns), 0, UINT64_MAX / 2,
	    "period of counter samples; 0: none" },
	{ "tunables", set_tunables, 0, 0, 0, 0,
	    "tunables by sysctl name, set before boot" },
	{ "changes", set_changes, 0, 0, 0, CONFIG_MAX_CHANGES,
	    "list of {at, set}: tunables changed at a simulated time" },
	/* a scenario's own; not of a machine */
	{ "scenario", cf_set_line, FIELD(scenario), 1, 0,
	    "a scenario's name, for titles" },
	{ "machine", set_machine, 0, 0, 0, 0,
	    "a machine by name, or an object of the keys above; all other "
	    "keys come after it" },
	{ "processes", cf_set_processes, 0, 0, 0, 1000,
	    "list of {name, program, args, count, start, every, stdin, "
	    "stdout, stderr, env, cwd, nice, rss_limit, racct_rss, think}" },
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))
#define NMACHINE_KEYS (NKEYS - 3)

const char *
config_key(size_t i)
{
	return (i < NKEYS ? keys[i].name : NULL);
}

const char *
config_key_help(size_t i)
{
	return (i < NKEYS ? keys[i].help : NULL);
}

static int
set_kernel(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	static const char *const names[] = { "bsd" };
	char buf[64];

	if (cJSON_IsString(v) && strcmp(v->valuestring, "bsd") != 0)
		return (cf_fail(s, EINVAL, path, "there is no kernel '%.40s'%s "
		    "(known: bsd)", v->valuestring,
		    cf_hint(v->valuestring, names, 1, buf, sizeof(buf))));
	return (cf_set_text(s, k, v, path));
}

static int
set_dir(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	if (cJSON_IsString(v) && v->valuestring[0] != '/')
		return (cf_fail(s, EINVAL, path, "'%.60s' is not an absolute "
		    "path", v->valuestring));
	s->mc->cwd_given = true;
	return (cf_set_text(s, k, v, path));
}

/* ------------------------------------------------------------ lists */

bool
config_env_put(char ***env, const char *name, size_t n, const char *value)
{
	char *assignment;
	size_t i = 0;
	bool ok = true;

	while (*env != NULL && (*env)[i] != NULL &&
	    (strncmp((*env)[i], name, n) != 0 || (*env)[i][n] != '='))
		i++;
	if (value != NULL) {
		if (asprintf(&assignment, "%.*s=%s", (int)n, name, value) < 0)
			return (false);
		if (*env != NULL && (*env)[i] != NULL) {
			free((*env)[i]);
			(*env)[i] = assignment;
			return (true);
		}
		ok = config_strings_add(env, assignment);
		free(assignment);
	} else if (*env != NULL && (*env)[i] != NULL) {
		free((*env)[i]);
		do
			(*env)[i] = (*env)[i + 1];
		while ((*env)[i++] != NULL);
	}
	return (ok);
}

static int
put_env(struct cf_source *s, const char *path, const char *name, size_t n,
    const char *value)
{
	return (config_env_put(&s->mc->env, name, n, value) ? 0 :
	    cf_fail(s, ENOMEM, path, "out of memory"));
}

static int
set_env(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char sub[160], name[64];
	const cJSON *e;
	int error;

	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, path, "an object of strings", v));
	cJSON_ArrayForEach(e, v) {
		cf_printable(e->string, name, sizeof(name));
		cf_child(sub, sizeof(sub), "%s.%s", path, name);
		if (e->string[0] == '\0' || strchr(e->string, '=') != NULL)
			return (cf_fail(s, EINVAL, sub,
			    "this is no name of a variable"));
		if (!cJSON_IsString(e) && !cJSON_IsNull(e))
			return (cf_fail_type(s, sub, "a string or null", e));
		error = put_env(s, sub, e->string, strlen(e->string),
		    cJSON_IsNull(e) ? NULL : e->valuestring);
		if (error != 0)
			return (error);
	}
	return (0);
}

static const char *const log_names[] = { "transitions", "faults", "io",
	"events", "samples", "states", "all", "none" };
static const uint32_t log_masks[] = { RUNDB_LOG_TRANSITIONS, RUNDB_LOG_FAULTS,
	RUNDB_LOG_IO, RUNDB_LOG_EVENTS, RUNDB_LOG_SAMPLES, RUNDB_LOG_STATES,
	RUNDB_LOG_ALL, 0 };
#define NLOG (sizeof(log_names) / sizeof(log_names[0]))

static int
add_log(struct cf_source *s, const char *path, const char *name, size_t n,
    uint32_t *mask)
{
	char word[32], buf[64];

	snprintf(word, sizeof(word), "%.*s", (int)n, name);
	for (size_t i = 0; i < NLOG; i++) {
		if (strcmp(word, log_names[i]) == 0) {
			*mask |= log_masks[i];
			return (0);
		}
	}
	return (cf_fail(s, EINVAL, path,
	    "'%s' cannot be logged%s (transitions, "
	    "faults, io, events, samples, states, all, none)",
	    word, cf_hint(word, log_names, NLOG, buf, sizeof(buf))));
}

static int
add_logs(
    struct cf_source *s, const char *path, const char *list, uint32_t *mask)
{
	int error = 0;

	*mask = 0;
	while (error == 0) {
		size_t n = strcspn(list, ",");

		error = add_log(s, path, list, n, mask);
		if (list[n] == '\0')
			break;
		list += n + 1;
	}
	return (error);
}

static int
set_log(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	uint32_t mask = 0;
	const cJSON *e;
	char sub[160];
	int error = 0, i = 0;

	if (cJSON_IsString(v)) {
		error = add_logs(s, path, v->valuestring, &mask);
	} else if (!cJSON_IsArray(v)) {
		return (cf_fail_type(s, path, "a list of strings", v));
	} else {
		cJSON_ArrayForEach(e, v) {
			cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
			if (!cJSON_IsString(e))
				return (cf_fail_type(s, sub, "a string", e));
			error = add_log(s, sub, e->valuestring,
			    strlen(e->valuestring), &mask);
			if (error != 0)
				break;
		}
	}
	if (error == 0)
		s->mc->log_mask = mask;
	return (error);
}

/* ------------------------------------------------------------ tunables */

static int
put_change(struct cf_source *s, const char *path, const char *name, size_t n,
    const char *value, uint64_t at_ns)
{
	struct machine_config *mc = s->mc;
	struct tunable_change *c;

	if (n == 0 || n >= sizeof(c->name))
		return (cf_fail(s, EINVAL, path,
		    "this is no name of a tunable; "
		    "'vmsim sysctl' lists them"));
	if (strlen(value) >= sizeof(c->value))
		return (cf_fail(s, EINVAL, path, "the value is longer than %zu "
		    "bytes", sizeof(c->value) - 1));
	if (mc->nchanges == CONFIG_MAX_CHANGES)
		return (cf_fail(s, ERANGE, path, "more than %d settings",
		    CONFIG_MAX_CHANGES));
	c = realloc(mc->changes, (mc->nchanges + 1) * sizeof(*c));
	if (c == NULL)
		return (cf_fail(s, ENOMEM, path, "out of memory"));
	mc->changes = c;
	c += mc->nchanges++;
	memset(c, 0, sizeof(*c));
	c->at_ns = at_ns;
	memcpy(c->name, name, n);
	strcpy(c->value, value);
	if (s->is_file)
		snprintf(c->origin, sizeof(c->origin), "%.90s: %.64s", s->name,
		    path);
	else
		snprintf(c->origin, sizeof(c->origin), "%.150s", s->name);
	return (0);
}

static int
put_changes(
    struct cf_source *s, const cJSON *v, const char *path, uint64_t at_ns)
{
	char sub[224], name[64], text[32];
	const cJSON *e;
	int error;

	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, path, "an object of tunables", v));
	cJSON_ArrayForEach(e, v) {
		const char *value = text;

		cf_printable(e->string, name, sizeof(name));
		cf_child(sub, sizeof(sub), "%s.%s", path, name);
		if (cJSON_IsString(e))
			value = e->valuestring;
		else if (cJSON_IsBool(e))
			strcpy(text, cJSON_IsTrue(e) ? "1" : "0");
		else if (cJSON_IsNumber(e) &&
		    floor(e->valuedouble) == e->valuedouble &&
		    fabs(e->valuedouble) < EXACT_DOUBLE)
			snprintf(text, sizeof(text), "%.0f", e->valuedouble);
		else
			return (cf_fail_type(s, sub,
			    "a whole number, true, false or a string", e));
		error = put_change(s, sub, e->string, strlen(e->string),
		    value, at_ns);
		if (error != 0)
			return (error);
	}
	return (0);
}

static int
set_tunables(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	return (put_changes(s, v, path, 0));
}

static int
one_change(struct cf_source *s, const cJSON *v, const char *path)
{
	static const char *const names[] = { "at", "set" };
	const cJSON *at = NULL, *set = NULL, *e;
	char sub[192], name[64], buf[64];
	uint64_t at_ns;

	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, path, "an object {at, set}", v));
	cJSON_ArrayForEach(e, v) {
		cf_printable(e->string, name, sizeof(name));
		cf_child(sub, sizeof(sub), "%s.%s", path, name);
		if (strcmp(e->string, "at") == 0)
			at = e;
		else if (strcmp(e->string, "set") == 0)
			set = e;
		else
			return (cf_fail(s, EINVAL, sub, "unknown key '%s'%s",
			    name,
			    cf_hint(e->string, names, 2, buf, sizeof(buf))));
	}
	if (at == NULL || set == NULL)
		return (cf_fail(s, EINVAL, path, "\"%s\" is missing",
		    at == NULL ? "at" : "set"));
	cf_child(sub, sizeof(sub), "%s.at", path);
	if (!cJSON_IsString(at) || parse_time(at->valuestring, &at_ns) != 0)
		return (cf_fail(s, EINVAL, sub, "this must be a time such as "
		    "\"2s\""));
	if (at_ns == 0)
		return (cf_fail(s, ERANGE, sub,
		    "the time must be above 0; what "
		    "holds from the start belongs into \"tunables\""));
	cf_child(sub, sizeof(sub), "%s.set", path);
	return (put_changes(s, set, sub, at_ns));
}

static int
set_changes(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char sub[160];
	const cJSON *e;
	int error, i = 0;

	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a list of {at, set}", v));
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
		error = one_change(s, e, sub);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* ------------------------------------------------------------ parts */

#define CFIELD(f) offsetof(struct contig_config, f), \
	sizeof(((struct contig_config *)NULL)->f)
static const struct cf_key contig_keys[] = {
	{ "at", cf_set_time, CFIELD(at_ns), 0, UINT64_MAX / 2, "when" },
	{ "pages", cf_set_uint, CFIELD(pages), 1, 1u << 30, "how many" },
	{ "low", cf_set_size, CFIELD(low), 0, 8ull << 40, "lowest address" },
	{ "high", cf_set_size, CFIELD(high), 0, 8ull << 40,
	    "end of the addresses; 0: none" },
	{ "align", cf_set_size, CFIELD(align), 0, 8ull << 40,
	    "of the first address" },
	{ "boundary", cf_set_size, CFIELD(boundary), 0, 8ull << 40,
	    "not to be crossed; 0: none" },
	{ "hold", cf_set_time, CFIELD(hold_ns), 0, UINT64_MAX / 2,
	    "time after which it is given back; 0: never" },
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
one_contig(struct cf_source *s, const cJSON *v, const char *path)
{
	struct cf_source sub = *s;
	struct contig_config *cc;
	int error;

	cc =
	    cf_grow(s, (void **)&s->mc->contigs, &s->mc->ncontigs, sizeof(*cc));
	if (cc == NULL)
		return (-ENOMEM);
	sub.base = cc;
	error = cf_apply(&sub, contig_keys, COUNT(contig_keys), v, path);
	if (error == 0 && cc->pages == 0)
		error = cf_fail(s, EINVAL, path, "\"pages\" is missing");
	if (s->is_file)
		snprintf(cc->origin, sizeof(cc->origin), "%.90s: %.64s",
		    s->name, path);
	else
		snprintf(cc->origin, sizeof(cc->origin), "%.150s", s->name);
	return (error);
}

static int
set_contig(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	s->mc->ncontigs = 0;
	return (cf_set_parts(s, k, v, path, one_contig));
}

/* "key=value" of --contig; PAGES@TIME has been taken off the front. */
static bool
contig_word(cJSON *object, const char *word, size_t n)
{
	const char *eq = memchr(word, '=', n);
	char key[32], value[64];

	if (eq == NULL || (size_t)(eq - word) >= sizeof(key) ||
	    n - (size_t)(eq - word) > sizeof(value))
		return (false);
	snprintf(key, sizeof(key), "%.*s", (int)(eq - word), word);
	snprintf(value, sizeof(value), "%.*s", (int)(word + n - eq - 1),
	    eq + 1);
	return (!cJSON_HasObjectItem(object, key) &&
	    cJSON_AddStringToObject(object, key, value) != NULL);
}

static bool
contig_words(cJSON *object, const char *spec)
{
	size_t n = strcspn(spec, ",");
	const char *at = memchr(spec, '@', n);
	char word[96];

	if (at == NULL || n > 64)
		return (false);
	snprintf(word, sizeof(word), "pages=%.*s", (int)(at - spec), spec);
	if (!contig_word(object, word, strlen(word)))
		return (false);
	snprintf(word, sizeof(word), "at=%.*s", (int)(spec + n - at - 1),
	    at + 1);
	if (!contig_word(object, word, strlen(word)))
		return (false);
	while (spec[n] == ',') {
		spec += n + 1;
		n = strcspn(spec, ",");
		if (!contig_word(object, spec, n))
			return (false);
	}
	return (true);
}

int
config_add_contig(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	cJSON *object = cJSON_CreateObject();
	int error;

	if (mc->ncontigs == CONFIG_MAX_CONTIG)
		error = cf_fail(&s, ERANGE, "", "more than %d requests",
		    CONFIG_MAX_CONTIG);
	else if (object == NULL || !contig_words(object, spec))
		error = cf_fail(&s, EINVAL, "", "'%.60s' is not PAGES@TIME"
		    "[,low=SIZE][,high=SIZE][,align=SIZE][,boundary=SIZE]"
		    "[,hold=TIME]", spec);
	else
		error = one_contig(&s, object, "");
	cJSON_Delete(object);
	return (error);
}

/* ------------------------------------------------------------ machines */

static const struct builtin_file *
find_builtin(const struct builtin_file *table, const char *name)
{
	for (; table->name != NULL; table++) {
		if (strcmp(table->name, name) == 0)
			return (table);
	}
	return (NULL);
}

/* "no machine 'x'; did you mean 'y'? (known: ...)" */
static int
fail_builtin(struct cf_source *s, const char *path,
    const struct builtin_file *table, const char *what, const char *name)
{
	const char *names[64];
	char list[256] = "", buf[64];
	size_t n = 0, used = 0;

	for (; n < 64 && table[n].name != NULL; n++) {
		names[n] = table[n].name;
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%s%s", n > 0 ? ", " : "", names[n]);
		if (used >= sizeof(list))
			break;
	}
	return (cf_fail(s, EINVAL, path, "there is no %s '%.60s'%s (built in: "
	    "%s; a file's name ends in .json)", what, name, cf_hint(name,
	    names, n, buf, sizeof(buf)), list));
}

static int
builtin_machine(struct cf_source *s, const char *path, const char *name)
{
	const struct builtin_file *b = find_builtin(machine_builtins, name);

	if (b == NULL)
		return (fail_builtin(s, path, machine_builtins, "machine",
		    name));
	return (config_parse(b->name, b->text, b->size, s->mc, s->err));
}

/* What "machine" says is the ground for all other keys, wherever it stands. */
static int
apply_machine(struct cf_source *s, const cJSON *root)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(root, "machine");

	if (v == NULL)
		return (0);
	if (cJSON_IsString(v))
		return (builtin_machine(s, "$.machine", v->valuestring));
	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, "$.machine", "the name of a machine or "
		    "an object", v));
	return (cf_apply(s, keys, NMACHINE_KEYS, v, "$.machine"));
}

/* Done before all others, by apply_machine. */
static int
set_machine(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	return (0);
}

static bool
is_file_name(const char *name)
{
	size_t n = strlen(name);

	return (strchr(name, '/') != NULL ||
	    (n > 5 && strcmp(name + n - 5, ".json") == 0));
}

int
config_load_machine(const char *name, struct machine_config *mc,
    struct sim_err *err)
{
	struct cf_source s = { "--machine", false, mc, err, NULL };

	if (is_file_name(name))
		return (config_load(name, mc, err));
	return (builtin_machine(&s, "", name));
}

int
config_load_scenario(const char *name, struct machine_config *mc,
    struct sim_err *err)
{
	struct cf_source s = { "--scenario", false, mc, err, NULL };
	const struct builtin_file *b;
	const char *slash;
	int error;

	if (is_file_name(name)) {
		error = config_load(name, mc, err);
	} else {
		b = find_builtin(scenario_builtins, name);
		error = b == NULL ? fail_builtin(&s, "", scenario_builtins,
		    "scenario", name) : config_parse(b->name, b->text,
		    b->size, mc, err);
	}
	if (error == 0 && mc->nspecs == 0)
		error = sim_err_set(err, EINVAL, "%s: $: \"processes\" is "
		    "missing; a scenario says what runs", name);
	/* of a file the name alone, not where it lies */
	slash = strrchr(name, '/');
	if (error == 0 && mc->scenario[0] == '\0')
		snprintf(mc->scenario, sizeof(mc->scenario), "%.63s",
		    slash != NULL ? slash + 1 : name);
	return (error);
}

/* ------------------------------------------------------------ documents */

int
config_parse(const char *name, const char *text, size_t length,
    struct machine_config *mc, struct sim_err *err)
{
	struct cf_source s = { name, true, mc, err, NULL };
	cJSON *root;
	int error;

	error = cf_read_text(&s, text, length, &root);
	if (error == 0 && (error = apply_machine(&s, root)) == 0)
		error = cf_apply(&s, keys, NKEYS, root, "$");
	cJSON_Delete(root);
	return (error);
}

int
config_load(const char *file, struct machine_config *mc, struct sim_err *err)
{
	char *text;
	size_t n = 0;
	FILE *f;
	int error = 0;

	f = fopen(file, "re");
	if (f == NULL)
		return (sim_err_set(err, errno, "%s: cannot read the "
		    "configuration: %s", file, strerror(errno)));
	text = malloc(CONFIG_MAX_BYTES + 1);
	if (text == NULL)
		error = sim_err_set(err, ENOMEM, "%s: out of memory", file);
	else
		n = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
	if (error == 0 && ferror(f))
		error = sim_err_set(err, errno, "%s: cannot read the "
		    "configuration: %s", file, strerror(errno));
	else if (error == 0 && n > CONFIG_MAX_BYTES)
		error = sim_err_set(err, EFBIG, "%s: a configuration is at "
		    "most %u bytes", file, CONFIG_MAX_BYTES);
	fclose(f);
	if (error == 0)
		error = config_parse(file, text, n, mc, err);
	free(text);
	return (error);
}

/* ------------------------------------------------------------ command line */

int
config_set(struct machine_config *mc, const char *key, const char *value,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	cJSON *v;
	int error;

	for (size_t i = 0; i < NKEYS; i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		v = cJSON_CreateString(value);
		if (v == NULL)
			return (cf_fail(&s, ENOMEM, "", "out of memory"));
		error = keys[i].set(&s, &keys[i], v, "");
		cJSON_Delete(v);
		return (error);
	}
	return (cf_fail(&s, EINVAL, "", "no such key: %s", key));
}

int
config_set_env(struct machine_config *mc, const char *assignment,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	const char *eq = strchr(assignment, '=');

	if (eq == NULL || eq == assignment)
		return (cf_fail(&s, EINVAL, "", "'%.60s' is not NAME=VALUE",
		    assignment));
	return (put_env(&s, "", assignment, (size_t)(eq - assignment),
	    eq + 1));
}

int
config_set_tunable(struct machine_config *mc, const char *assignment,
    uint64_t at_ns, const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	const char *eq = strchr(assignment, '=');

	if (eq == NULL || eq == assignment)
		return (cf_fail(&s, EINVAL, "", "'%.60s' is not name=value",
		    assignment));
	return (put_change(&s, "", assignment, (size_t)(eq - assignment),
	    eq + 1, at_ns));
}

int
config_parse_log(const char *list, uint32_t *mask, const char *where,
    struct sim_err *err)
{
	struct cf_source s = { where, false, NULL, err, NULL };

	return (add_logs(&s, "", list, mask));
}

/* ------------------------------------------------------------ the whole */

static int
check_disk_name(const struct machine_config *mc, const char *key,
    const char *name, struct sim_err *err)
{
	const char *names[MACHINE_MAXDISKS];
	char buf[64];

	for (uint32_t i = 0; i < mc->ndisks; i++) {
		if (strcmp(mc->disks[i].name, name) == 0)
			return (0);
		names[i] = mc->disks[i].name;
	}
	return (sim_err_set(err, EINVAL, "%s: there is no disk '%s'%s", key,
	    name, cf_hint(name, names, mc->ndisks, buf, sizeof(buf))));
}

int
config_finish(struct machine_config *mc, struct sim_err *err)
{
	int error;

	for (uint32_t i = 0; i < mc->ndisks; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(mc->disks[i].name, mc->disks[k].name) == 0)
				return (sim_err_set(err, EINVAL,
				    "disks: two disks are named '%s'",
				    mc->disks[i].name));
		}
	}
	if (mc->fs_disk[0] == '\0')
		strcpy(mc->fs_disk, mc->disks[0].name);
	if (mc->swap_disk[0] == '\0')
		strcpy(mc->swap_disk, mc->disks[mc->ndisks - 1].name);
	if ((error = check_disk_name(mc, "fs_disk", mc->fs_disk, err)) != 0 ||
	    (error = check_disk_name(mc, "swap_disk", mc->swap_disk, err)) != 0)
		return (error);
	return (0);
}
