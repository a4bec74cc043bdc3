/*
 * scenario.c: the processes of a scenario: from JSON to struct program.
 *
 * Interface: config.h (scenario_finish), config_int.h (cf_set_processes);
 * docs/scenarios.md describes the keys. A specification is kept as written
 * until all sources have been read, since an option may still change what it
 * stands on (the environment, the working directory).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config_int.h"

#define MAX_COPIES 1000
#define MAX_PROGRAMS 4000

static cf_set_fn set_nice, set_spec_env; /* tidy: functions */
static cf_set_fn set_stdio, set_spec_dir; /* tidy: functions */

#define FIELD(f) offsetof(struct process_spec, f), \
	sizeof(((struct process_spec *)NULL)->f)
#define TIME_MAX (UINT64_MAX / 2)
static const struct cf_key spec_keys[] = {
	{ "name", cf_set_line, FIELD(name), 1, 0, "for listings" },
	{ "program", cf_set_text, FIELD(program), 1, 0, "what to run" },
	{ "args", cf_set_strings, FIELD(args), 0, 0, "its arguments" },
	{ "count", cf_set_uint, FIELD(count), 1, MAX_COPIES, "copies" },
	{ "start", cf_set_time, FIELD(start_ns), 0, TIME_MAX, "when" },
	{ "every", cf_set_time, FIELD(every_ns), 0, TIME_MAX,
	    "time between the starts of copies" },
	{ "stdin", set_stdio, FIELD(stdio[0]), 1, 0, "standard input" },
	{ "stdout", set_stdio, FIELD(stdio[1]), 1, 0, "standard output" },
	{ "stderr", set_stdio, FIELD(stdio[2]), 1, 0, "standard error" },
	{ "env", set_spec_env, FIELD(env), 0, 0, "variables" },
	{ "cwd", set_spec_dir, FIELD(cwd), 1, 0, "working directory" },
	{ "nice", set_nice, FIELD(nice), 0, 0, "-20 to 20" },
	{ "rss_limit", cf_set_size, FIELD(rss_limit), 0, 1ull << 50,
	    "RLIMIT_RSS" },
	{ "racct_rss", cf_set_size, FIELD(racct_rss), 0, 1ull << 50,
	    "resident limit by resource accounting" },
	{ "think", cf_set_time, FIELD(think_ns), 0, TIME_MAX,
	    "between lines of standard input" },
};
#define NSPEC_KEYS (sizeof(spec_keys) / sizeof(spec_keys[0]))

void
process_spec_free(struct process_spec *ps)
{
	config_strings_free(ps->args);
	config_strings_free(ps->env);
	free(ps->json);
	memset(ps, 0, sizeof(*ps));
}

/* ------------------------------------------------------------ keys */

static int
set_nice(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	if (!cJSON_IsNumber(v))
		return (cf_fail_type(s, path, "a whole number from -20 to 20",
		    v));
	if (!(v->valuedouble >= -20 && v->valuedouble <= 20) ||
	    v->valuedouble != (double)(int)v->valuedouble)
		return (cf_fail(s, ERANGE, path, "%g is not a whole number "
		    "from -20 to 20", v->valuedouble));
	*(int32_t *)cf_field(s, k) = (int32_t)v->valuedouble;
	return (0);
}

static int
set_spec_env(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char ***list = cf_field(s, k), *text, sub[192];
	const cJSON *e;
	bool ok;

	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, path, "an object of strings", v));
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s.%.60s", path, e->string);
		if (e->string[0] == '\0' || strchr(e->string, '=') != NULL)
			return (cf_fail(s, EINVAL, sub,
			    "this is no name of a variable"));
		if (!cJSON_IsString(e) && !cJSON_IsNull(e))
			return (cf_fail_type(s, sub, "a string or null", e));
		if (asprintf(&text, "%s%s%s", e->string, cJSON_IsNull(e) ? "" :
		    "=", cJSON_IsNull(e) ? "" : e->valuestring) < 0)
			return (cf_fail(s, ENOMEM, sub, "out of memory"));
		ok = config_strings_add(list, text);
		free(text);
		if (!ok)
			return (cf_fail(s, ENOMEM, sub, "out of memory"));
	}
	return (0);
}

static int
set_stdio(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	static const char *const words[] = { "inherit", "null" };
	const char *text = cJSON_IsString(v) ? v->valuestring : NULL;
	char buf[64];

	if (text != NULL && strcmp(text, "inherit") != 0 &&
	    strcmp(text, "null") != 0 && strchr(text, '/') == NULL)
		return (cf_fail(s, EINVAL, path, "'%.60s' is neither "
		    "\"inherit\" nor \"null\" nor a path with a '/'%s", text,
		    cf_hint(text, words, 2, buf, sizeof(buf))));
	return (cf_set_text(s, k, v, path));
}

static int
set_spec_dir(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	if (cJSON_IsString(v) && v->valuestring[0] != '/')
		return (cf_fail(s, EINVAL, path, "'%.60s' is not an absolute "
		    "path", v->valuestring));
	return (cf_set_text(s, k, v, path));
}

/* What no single key can say. */
static int
check_spec(struct cf_source *s, struct process_spec *ps, const char *path)
{
	const char *slash = strrchr(ps->program, '/');

	if (ps->program[0] == '\0')
		return (cf_fail(s, EINVAL, path, "\"program\" is missing"));
	if (ps->think_ns != 0 && strchr(ps->stdio[0], '/') == NULL)
		return (cf_fail(s, EINVAL, path, "\"think\" is the time "
		    "between lines of a file that is typed; name that file "
		    "with \"stdin\""));
	if (ps->every_ns != 0 && ps->count == 1)
		return (cf_fail(s, EINVAL, path, "\"every\" is the time "
		    "between the starts of copies; say how many with "
		    "\"count\""));
	for (const struct process_spec *o = s->mc->specs; o != ps; o++) {
		if (ps->name[0] == '\0' || strcmp(o->name, ps->name) != 0)
			continue;
		return (cf_fail(s, EINVAL, path, "\"name\" is '%s' as in an "
		    "entry before; listings would not tell them apart",
		    ps->name));
	}
	if (ps->name[0] == '\0')
		snprintf(ps->name, sizeof(ps->name), "%.47s",
		    slash != NULL ? slash + 1 : ps->program);
	return (0);
}

static int
one_process(struct cf_source *s, const cJSON *v, const char *path)
{
	struct cf_source sub = *s;
	struct process_spec *ps;
	int error;

	ps = cf_grow(s, (void **)&s->mc->specs, &s->mc->nspecs, sizeof(*ps));
	if (ps == NULL)
		return (-ENOMEM);
	ps->count = 1;
	strcpy(ps->stdio[0], "null");
	strcpy(ps->stdio[1], "inherit");
	strcpy(ps->stdio[2], "inherit");
	snprintf(ps->origin, sizeof(ps->origin), "%.90s: %.64s", s->name,
	    path);
	sub.base = ps;
	error = cf_apply(&sub, spec_keys, NSPEC_KEYS, v, path);
	if (error == 0)
		error = check_spec(s, ps, path);
	if (error != 0)
		return (error);
	ps->json = cJSON_PrintUnformatted(v);
	return (ps->json != NULL ? 0 : cf_fail(s, ENOMEM, path,
	    "out of memory"));
}

int
cf_set_processes(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	if (cJSON_IsArray(v) && cJSON_GetArraySize(v) == 0)
		return (cf_fail(s, EINVAL, path, "the list is empty"));
	for (uint32_t i = 0; i < s->mc->nspecs; i++)
		process_spec_free(&s->mc->specs[i]);
	s->mc->nspecs = 0;
	return (cf_set_parts(s, k, v, path, one_process));
}

/* ------------------------------------------------------------ programs */

/* A copy of text with its number, from 1, in place of each "{i}". */
static char *
numbered(const char *text, uint32_t number)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (f == NULL)
		return (NULL);
	while (*text != '\0') {
		if (strncmp(text, "{i}", 3) == 0) {
			fprintf(f, "%u", number);
			text += 3;
		} else {
			fputc(*text++, f);
		}
	}
	if (fclose(f) != 0) {
		free(out);
		return (NULL);
	}
	return (out);
}

static bool
add_numbered(char ***list, const char *text, uint32_t number)
{
	char *copy = numbered(text, number);
	bool ok = copy != NULL && config_strings_add(list, copy);

	free(copy);
	return (ok);
}

static bool
make_argv(struct program *prog, const struct process_spec *ps, uint32_t i)
{
	if (!config_strings_add(&prog->argv, ps->program))
		return (false);
	for (size_t a = 0; ps->args != NULL && ps->args[a] != NULL; a++) {
		if (!add_numbered(&prog->argv, ps->args[a], i))
			return (false);
	}
	return (true);
}

/* The machine's environment with the changes of the specification. */
static bool
make_env(struct program *prog, const struct process_spec *ps,
    const struct machine_config *mc)
{
	for (size_t e = 0; mc->env != NULL && mc->env[e] != NULL; e++) {
		if (!config_strings_add(&prog->env, mc->env[e]))
			return (false);
	}
	for (size_t e = 0; ps->env != NULL && ps->env[e] != NULL; e++) {
		const char *eq = strchr(ps->env[e], '=');
		size_t n = eq != NULL ? (size_t)(eq - ps->env[e]) :
		    strlen(ps->env[e]);

		if (!config_env_put(&prog->env, ps->env[e], n,
		    eq != NULL ? eq + 1 : NULL))
			return (false);
	}
	return (true);
}

static bool
make_files(struct program *prog, const struct process_spec *ps, uint32_t i)
{
	for (int fd = 0; fd < 3; fd++) {
		if (strcmp(ps->stdio[fd], "inherit") == 0)
			continue;
		prog->stdio[fd] = strcmp(ps->stdio[fd], "null") == 0 ?
		    strdup("/dev/null") : numbered(ps->stdio[fd], i);
		if (prog->stdio[fd] == NULL)
			return (false);
	}
	if (ps->cwd[0] != '\0' && (prog->cwd = strdup(ps->cwd)) == NULL)
		return (false);
	return (true);
}

static bool
make_name(struct program *prog, const struct process_spec *ps, uint32_t i)
{
	if (ps->count == 1)
		prog->name = strdup(ps->name);
	else if (asprintf(&prog->name, "%s.%u", ps->name, i) < 0)
		prog->name = NULL;
	return (prog->name != NULL);
}

/* Its absolute path, by the machine's way of finding programs. */
static int
find_exe(struct machine_config *mc, struct program *prog,
    const struct process_spec *ps, program_find_fn *find, struct sim_err *err)
{
	struct machine_config *own = malloc(sizeof(*own));
	struct sim_err what;
	int error;

	if (own == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	*own = *mc;
	own->argv = prog->argv;
	own->env = prog->env;
	if (prog->cwd != NULL) {
		snprintf(own->cwd, sizeof(own->cwd), "%s", prog->cwd);
		own->cwd_given = true;
	}
	error = find(own, &what);
	if (error != 0) {
		error = sim_err_set(err, -error, "%s.program: %.300s",
		    ps->origin, what.text);
	} else {
		prog->exe = strdup(own->exe);
		if (prog->exe == NULL)
			error = sim_err_set(err, ENOMEM, "out of memory");
		memcpy(mc->guests, own->guests, sizeof(mc->guests));
	}
	free(own);
	return (error);
}

/* Copy number i, from 1. */
static int
make_program(struct machine_config *mc, struct program *prog,
    const struct process_spec *ps, uint32_t i, program_find_fn *find,
    struct sim_err *err)
{
	if (!make_name(prog, ps, i) || !make_argv(prog, ps, i) ||
	    !make_env(prog, ps, mc) || !make_files(prog, ps, i))
		return (sim_err_set(err, ENOMEM, "out of memory"));
	if (i > 1 && ps->every_ns > (TIME_MAX - ps->start_ns) / (i - 1))
		return (sim_err_set(err, ERANGE, "%s.every: copy %u of %u "
		    "would start after 292 years, the end of time; give less",
		    ps->origin, i, ps->count));
	prog->origin = ps->origin;
	prog->start_ns = ps->start_ns + (i - 1) * ps->every_ns;
	prog->think_ns = ps->think_ns;
	prog->rss_limit = ps->rss_limit;
	prog->racct_rss = ps->racct_rss;
	prog->nice = ps->nice;
	return (find_exe(mc, prog, ps, find, err));
}

/* By time; at the same time in the order of the file. Few, and nearly in
 * order already. */
static void
sort_programs(struct program *p, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct program x = p[i];
		uint32_t k = i;

		for (; k > 0 && p[k - 1].start_ns > x.start_ns; k--)
			p[k] = p[k - 1];
		p[k] = x;
	}
}

int
scenario_finish(struct machine_config *mc, program_find_fn *find,
    struct sim_err *err)
{
	uint32_t total = 0;
	int error = 0;

	for (uint32_t i = 0; i < mc->nspecs; i++) {
		total += mc->specs[i].count;
		if (total > MAX_PROGRAMS)
			return (sim_err_set(err, ERANGE, "%s.count: with it "
			    "there are %u processes, more than %d; let a "
			    "program fork the others", mc->specs[i].origin,
			    total, MAX_PROGRAMS));
	}
	if (total == 0)
		return (0);
	mc->programs = calloc(total, sizeof(*mc->programs));
	if (mc->programs == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	for (uint32_t i = 0; i < mc->nspecs; i++) {
		for (uint32_t k = 1; error == 0 && k <= mc->specs[i].count;
		    k++)
			error = make_program(mc,
			    &mc->programs[mc->nprograms++], &mc->specs[i], k,
			    find, err);
	}
	if (error == 0)
		sort_programs(mc->programs, mc->nprograms);
	return (error);
}
