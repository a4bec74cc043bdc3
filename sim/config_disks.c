/*
 * config_disks.c: the disks of a configuration: the key "disks", the options
 * --disk, --disk-set and --disk-fault.
 *
 * Interface: config.h, cf_set_disks (config_int.h).
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/params.h"
#include "sim/config_int.h"

/* ------------------------------------------------------------ details */

/* Something goes wrong with the disk: a word of disk_fault_parse. */
static int
add_fault(struct cf_source *s, struct disk_config *d, const char *text,
    const char *path)
{
	struct disk_fault f;
	struct sim_err err;

	if (disk_fault_parse(text, &f, &err) != 0)
		return (cf_fail(s, EINVAL, path, "%s", err.text));
	if (d->nfaults == DISK_CONFIG_MAX ||
	    strlen(text) >= sizeof(d->faults[0]))
		return (cf_fail(s, ERANGE, path, "at most %d faults of less "
		    "than %zu characters", DISK_CONFIG_MAX,
		    sizeof(d->faults[0])));
	strcpy(d->faults[d->nfaults++], text);
	return (0);
}

/* A parameter of the model, as "key.key=value". */
static int
add_set(struct cf_source *s, struct disk_config *d, const char *key,
    const char *value, const char *path)
{
	int n;

	if (d->nset == DISK_CONFIG_MAX)
		return (cf_fail(s, ERANGE, path, "at most %d changes of a "
		    "model", DISK_CONFIG_MAX));
	n = snprintf(d->set[d->nset], sizeof(d->set[0]), "%s=%s", key, value);
	if (n >= (int)sizeof(d->set[0]))
		return (cf_fail(s, ERANGE, path, "longer than %zu characters",
		    sizeof(d->set[0]) - 1));
	d->nset++;
	return (0);
}

/* ------------------------------------------------------------ JSON */

static int
one_fault(struct cf_source *s, const cJSON *v, const char *path)
{
	if (!cJSON_IsString(v))
		return (cf_fail_type(s, path, "a string such as "
		    "\"media,lbn=100-199\"", v));
	return (add_fault(s, s->base, v->valuestring, path));
}

static int
set_faults(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	struct disk_config *d = s->base;
	char sub[192];
	const cJSON *e;
	int error, i = 0;

	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a list of strings", v));
	d->nfaults = 0;
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
		error = one_fault(s, e, sub);
		if (error != 0)
			return (error);
	}
	return (0);
}

static int
set_set(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	struct disk_config *d = s->base;
	const cJSON *e;
	char *text;
	int error;

	if (!cJSON_IsObject(v))
		return (cf_fail_type(s, path, "an object", v));
	d->nset = 0;
	cJSON_ArrayForEach(e, v) {
		text = cJSON_PrintUnformatted(e);
		if (text == NULL)
			return (cf_fail(s, ENOMEM, path, "out of memory"));
		error = add_set(s, d, e->string, text, path);
		free(text);
		if (error != 0)
			return (error);
	}
	return (0);
}

#define DFIELD(f) offsetof(struct disk_config, f), \
	sizeof(((struct disk_config *)NULL)->f)
static const struct cf_key disk_keys[] = {
	{ "name", cf_set_text, DFIELD(name), 1, 0, "da0, da1, ..." },
	{ "model", cf_set_text, DFIELD(model), 1, 0, "model or file" },
	{ "scheduler", cf_set_text, DFIELD(scheduler), 0, 0, "of requests" },
	{ "set", set_set, 0, 0, 0, 0, "parameters of the model" },
	{ "faults", set_faults, 0, 0, 0, 0, "what goes wrong" },
};

static int
one_disk(struct cf_source *s, const cJSON *v, const char *path)
{
	struct machine_config *mc = s->mc;
	struct disk_config *d = &mc->disks[mc->ndisks];
	struct cf_source sub = *s;
	int error;

	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "da%u", mc->ndisks);
	snprintf(d->origin, sizeof(d->origin), "%.90s: %.64s", s->name, path);
	sub.base = d;
	error = cf_apply(&sub, disk_keys,
	    sizeof(disk_keys) / sizeof(disk_keys[0]), v, path);
	if (error != 0)
		return (error);
	if (d->model[0] == '\0')
		return (cf_fail(s, EINVAL, path, "\"model\" is missing; "
		    "'vmsim disk list' names the built-in ones"));
	mc->ndisks++;
	return (0);
}

int
cf_set_disks(struct cf_source *s, const struct cf_key *k, const cJSON *v,
    const char *path)
{
	char sub[160];
	const cJSON *e;
	int error, i = 0;

	if (!cJSON_IsArray(v))
		return (cf_fail_type(s, path, "a list of disks", v));
	if (cJSON_GetArraySize(v) < 1 ||
	    cJSON_GetArraySize(v) > MACHINE_MAXDISKS)
		return (cf_fail(s, ERANGE, path, "1 to %d disks are possible, "
		    "not %d", MACHINE_MAXDISKS, cJSON_GetArraySize(v)));
	s->mc->ndisks = 0;
	s->mc->fs_disk[0] = s->mc->swap_disk[0] = '\0';
	cJSON_ArrayForEach(e, v) {
		cf_child(sub, sizeof(sub), "%s[%d]", path, i++);
		error = one_disk(s, e, sub);
		if (error != 0)
			return (error);
	}
	return (0);
}

/* ------------------------------------------------------------ options */

/* Where the scheduler begins: at a ':' behind the directories of a path. */
static const char *
scheduler_of(const char *model)
{
	const char *slash = strrchr(model, '/');
	const char *colon = strchr(slash != NULL ? slash : model, ':');

	return (colon != NULL ? colon : model + strlen(model));
}

int
config_add_disk(struct machine_config *mc, const char *spec, bool replace,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	struct disk_config *d;
	const char *eq = strchr(spec, '='), *model, *colon;

	if (replace) {
		mc->ndisks = 0;
		mc->fs_disk[0] = mc->swap_disk[0] = '\0';
	}
	if (mc->ndisks == MACHINE_MAXDISKS)
		return (cf_fail(&s, ERANGE, "", "more than %d disks",
		    MACHINE_MAXDISKS));
	d = &mc->disks[mc->ndisks];
	memset(d, 0, sizeof(*d));
	snprintf(d->name, sizeof(d->name), "da%u", mc->ndisks);
	model = eq == NULL ? spec : eq + 1;
	colon = scheduler_of(model);
	if ((eq != NULL && (eq == spec ||
	    (size_t)(eq - spec) >= sizeof(d->name))) || colon == model ||
	    (size_t)(colon - model) >= sizeof(d->model) ||
	    strlen(colon) > sizeof(d->scheduler))
		return (cf_fail(&s, EINVAL, "", "'%.60s' is not "
		    "[NAME=]MODEL[:SCHEDULER]", spec));
	if (eq != NULL)
		snprintf(d->name, sizeof(d->name), "%.*s", (int)(eq - spec),
		    spec);
	memcpy(d->model, model, (size_t)(colon - model));
	if (*colon != '\0')
		strcpy(d->scheduler, colon + 1);
	mc->ndisks++;
	return (0);
}

/* The disk of "NAME:REST", or the last one; *rest: what follows. */
static struct disk_config *
named_disk(struct machine_config *mc, const char *spec, const char **rest)
{
	struct disk_config *d;
	size_t n;

	for (uint32_t i = 0; i < mc->ndisks; i++) {
		d = &mc->disks[i];
		n = strlen(d->name);
		if (strncmp(spec, d->name, n) == 0 && spec[n] == ':') {
			*rest = spec + n + 1;
			return (d);
		}
	}
	*rest = spec;
	return (mc->ndisks > 0 ? &mc->disks[mc->ndisks - 1] : NULL);
}

int
config_add_disk_fault(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	struct disk_config *d = named_disk(mc, spec, &spec);

	if (d == NULL)
		return (cf_fail(&s, EINVAL, "", "there is no disk"));
	return (add_fault(&s, d, spec, ""));
}

int
config_add_disk_set(struct machine_config *mc, const char *spec,
    const char *where, struct sim_err *err)
{
	struct cf_source s = { where, false, mc, err, NULL };
	struct disk_config *d = named_disk(mc, spec, &spec);
	const char *eq = strchr(spec, '=');
	char key[64];

	if (d == NULL)
		return (cf_fail(&s, EINVAL, "", "there is no disk"));
	if (eq == NULL || eq == spec || (size_t)(eq - spec) >= sizeof(key))
		return (cf_fail(&s, EINVAL, "", "'%.60s' is not "
		    "[NAME:]KEY=VALUE", spec));
	snprintf(key, sizeof(key), "%.*s", (int)(eq - spec), spec);
	return (add_set(&s, d, key, eq + 1, ""));
}
