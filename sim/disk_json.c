/*
 * disk_json.c: parameter files of disks. The built-in ones are part of the
 * program; others are read from the path given. Each number is checked where
 * it is read, and a fault is reported with file and line.
 *
 * Interface: disk_json.h.
 * Source:    reference sheet, sections 2.3 (seek curves), 3 and 4 (what the
 *            files hold). Decimal numbers of a file are turned into integer
 *            picoseconds here, once; nothing behind this file computes in
 *            floating point.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/params.h"
#include "sim/base/tunables.h"
#include "sim/disk_builtin.h"
#include "sim/disk_json.h"
#include "sim/disk_json_int.h"
#include "sim/json_line.h"

/* ------------------------------------------------------------ errors */

int
rd_fail(struct rd *r, const cJSON *at, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	if (r->error != 0)
		return r->error;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->error = sim_err_set(r->err, EINVAL, "%s:%u: %s", r->file,
	    json_line(r->text, r->size, r->root, at), text);
	return r->error;
}

/* ------------------------------------------------------------ values */

/* Does "object.key=value" or "key=value" end in this key of this object? */
static bool
sets_key(const char *set, const cJSON *obj, const char *key)
{
	char path[256];
	size_t end = strcspn(set, "="), n;

	n = (size_t) snprintf(path, sizeof(path), "%s%s%s",
	    obj->string != NULL ? obj->string : "",
	    obj->string != NULL ? "." : "", key);
	return n <= end && strncmp(set + end - n, path, n) == 0 &&
	    (n == end || (obj->string != NULL && set[end - n - 1] == '.'));
}

const cJSON *
rd_item(struct rd *r, const cJSON *obj, const char *key)
{
	const cJSON *i;

	if (obj == NULL)
		return NULL;
	i = cJSON_GetObjectItemCaseSensitive(obj, key);
	for (size_t k = 0; i != NULL && k < r->nset; k++)
		if (sets_key(r->set[k], obj, key))
			r->seen |= UINT64_C(1) << k;
	return i;
}

const cJSON *
rd_object(struct rd *r, const cJSON *obj, const char *key)
{
	const cJSON *i = rd_item(r, obj, key);

	if (i != NULL && !cJSON_IsObject(i))
		rd_fail(r, i, "\"%s\" must be an object { ... }", key);
	return r->error != 0 ? NULL : i;
}

double
rd_number(struct rd *r, const cJSON *item, const char *what, double min,
    double max)
{
	if (!cJSON_IsNumber(item)) {
		rd_fail(r, item, "\"%s\" must be a number", what);
		return min;
	}
	/* written so that a NaN is refused */
	if (!(item->valuedouble >= min && item->valuedouble <= max)) {
		rd_fail(r, item, "\"%s\" is %.12g; it must lie in %.12g to"
		    " %.12g", what, item->valuedouble, min, max);
		return min;
	}
	return item->valuedouble;
}

uint64_t
rd_integer(struct rd *r, const cJSON *item, const char *what, uint64_t min,
    uint64_t max)
{
	double v = rd_number(r, item, what, (double) min, (double) max);

	if (r->error == 0 && v != floor(v))
		rd_fail(r, item, "\"%s\" is %.12g; it must be a whole number",
		    what, v);
	return r->error != 0 ? min : (uint64_t) v;
}

uint64_t
rd_uint(struct rd *r, const cJSON *obj, const char *key, uint64_t min,
    uint64_t max, uint64_t def)
{
	const cJSON *i = rd_item(r, obj, key);

	return i == NULL ? def : rd_integer(r, i, key, min, max);
}

uint64_t
rd_uint_must(struct rd *r, const cJSON *obj, const char *key, uint64_t min,
    uint64_t max)
{
	const cJSON *i = rd_item(r, obj, key);

	if (i == NULL) {
		rd_fail(r, obj, "\"%s\" is missing (a whole number)", key);
		return min;
	}
	return rd_integer(r, i, key, min, max);
}

bool
rd_bool(struct rd *r, const cJSON *obj, const char *key, bool def)
{
	const cJSON *i = rd_item(r, obj, key);

	if (i == NULL)
		return def;
	if (!cJSON_IsBool(i))
		rd_fail(r, i, "\"%s\" must be true or false", key);
	return cJSON_IsTrue(i);
}

const char *
rd_string(struct rd *r, const cJSON *obj, const char *key, const char *def)
{
	const cJSON *i = rd_item(r, obj, key);

	if (i == NULL)
		return def;
	if (!cJSON_IsString(i)) {
		rd_fail(r, i, "\"%s\" must be a string", key);
		return def;
	}
	return i->valuestring;
}

uint64_t
rd_to_ps(struct rd *r, const cJSON *item, const char *what, double unit_ps)
{
	/* nothing in a disk takes longer than an hour */
	double v = rd_number(r, item, what, 0, 3.6e15 / unit_ps);

	return r->error != 0 ? 0 : (uint64_t) llround(v * unit_ps);
}

static const struct {
	const char *suffix;
	double ps;
} time_units[] = {
	{ "ms", 1e9 }, { "us", 1e6 }, { "ns", 1e3 }, { "ps", 1 },
};

uint64_t
rd_time(struct rd *r, const cJSON *obj, const char *base, uint64_t def)
{
	char key[96];
	const cJSON *i;

	for (size_t u = 0; u < sizeof(time_units) / sizeof(time_units[0]);
	     u++) {
		snprintf(key, sizeof(key), "%s_%s", base, time_units[u].suffix);
		if ((i = rd_item(r, obj, key)) != NULL)
			return rd_to_ps(r, i, key, time_units[u].ps);
	}
	return def;
}

/* ------------------------------------------------------------ keys */

static bool
in_list(const char *key, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(key, *list) == 0)
			return true;
	return false;
}

/*
 * Keys that we do not know are remarks, unless one looks like a known key
 * misspelt; a key given twice is a mistake.
 */
void
rd_keys(struct rd *r, const cJSON *obj, const char *const *known)
{
	const cJSON *i, *j;
	const char *near;
	size_t n = 0;

	while (known[n] != NULL)
		n++;
	cJSON_ArrayForEach(i, obj) {
		for (j = obj->child; j != i; j = j->next)
			if (strcmp(i->string, j->string) == 0)
				rd_fail(r, i, "\"%s\" is given twice",
				    i->string);
		if (in_list(i->string, known))
			continue;
		near = nearest_name(i->string, known, n);
		if (near != NULL)
			rd_fail(r, i, "unknown key \"%s\"; did you mean"
			    " \"%s\"?", i->string, near);
	}
}

/* ------------------------------------------------------------ families */

static const char *const fixed_keys[] = { "name", "source", "family",
	"capacity_sectors", "read_latency_ms", "read_latency_us",
	"read_latency_ns", "write_latency_ms", "write_latency_us",
	"write_latency_ns", "transfer_ms_per_sector", "transfer_us_per_sector",
	"transfer_ns_per_sector", "queue_depth", "scheduler", "faults",
	"sector_bytes", "note", NULL };

static void
read_fixed(struct rd *r, const cJSON *o, struct disk_params *p)
{
	struct fixed_params *f = &p->fixed;
	const cJSON *i;

	p->family = DISK_FIXED;
	rd_keys(r, o, fixed_keys);
	f->sectors = rd_uint_must(r, o, "capacity_sectors", 1, RD_MAXSECTORS);
	f->read_ps = rd_time(r, o, "read_latency", 0);
	f->write_ps = rd_time(r, o, "write_latency", 0);
	if ((i = rd_item(r, o, "transfer_ms_per_sector")) != NULL)
		f->sector_ps = rd_to_ps(r, i, "transfer_ms_per_sector", 1e9);
	if ((i = rd_item(r, o, "transfer_us_per_sector")) != NULL)
		f->sector_ps = rd_to_ps(r, i, "transfer_us_per_sector", 1e6);
	if ((i = rd_item(r, o, "transfer_ns_per_sector")) != NULL)
		f->sector_ps = rd_to_ps(r, i, "transfer_ns_per_sector", 1e3);
	f->queue_depth = (uint32_t) rd_uint(r, o, "queue_depth", 0, 65536, 1);
}

static void
read_family(struct rd *r, const cJSON *o, struct disk_params *p)
{
	const char *family = rd_string(r, o, "family", NULL);

	if (family == NULL)
		family = rd_item(r, o, "rpm") != NULL ? "hdd" :
		    rd_item(r, o, "channels") != NULL ? "ssd" : "";
	if (strcmp(family, "hdd") == 0)
		rd_hdd(r, o, p);
	else if (strcmp(family, "ssd") == 0)
		rd_ssd(r, o, p);
	else if (strcmp(family, "fixed") == 0)
		read_fixed(r, o, p);
	else
		rd_fail(r, rd_item(r, o, "family"), "\"family\" must be"
		    " \"hdd\", \"ssd\" or \"fixed\"");
}

static void
read_faults(struct rd *r, const cJSON *o, struct disk_params *p)
{
	const cJSON *list = rd_item(r, o, "faults"), *i;
	struct sim_err why;

	if (list != NULL && !cJSON_IsArray(list)) {
		rd_fail(r, list, "\"faults\" must be a list of strings");
		return;
	}
	cJSON_ArrayForEach(i, list) {
		if (p->nfaults == DISK_MAXFAULTS)
			rd_fail(r, i, "more than %d faults", DISK_MAXFAULTS);
		else if (!cJSON_IsString(i))
			rd_fail(r, i, "a fault is a string");
		else if (disk_fault_parse(i->valuestring,
		    &p->faults[p->nfaults], &why) != 0)
			rd_fail(r, i, "%s", why.text);
		if (r->error != 0)
			return;
		p->nfaults++;
	}
}

static void
read_all(struct rd *r, struct disk_params *p)
{
	const cJSON *o = r->root;

	if (!cJSON_IsObject(o)) {
		rd_fail(r, o, "a parameter file holds one object { ... }");
		return;
	}
	snprintf(p->title, sizeof(p->title), "%s",
	    rd_string(r, o, "name", p->id));
	snprintf(p->scheduler, sizeof(p->scheduler), "%s",
	    rd_string(r, o, "scheduler", "fcfs"));
	rd_uint(r, o, "sector_bytes", DISK_SECTOR, DISK_SECTOR, DISK_SECTOR);
	read_family(r, o, p);
	read_faults(r, o, p);
}

/* ------------------------------------------------------------ changes */

/* The object that holds the last key of a dotted path, made if need be. */
static cJSON *
holder(cJSON *o, char *path, char **last)
{
	char *dot;
	cJSON *next;

	while ((dot = strchr(path, '.')) != NULL) {
		*dot = '\0';
		next = cJSON_GetObjectItemCaseSensitive(o, path);
		if (next == NULL)
			next = cJSON_AddObjectToObject(o, path);
		if (!cJSON_IsObject(next))
			return NULL;
		o = next;
		path = dot + 1;
	}
	*last = path;
	return *path != '\0' && cJSON_IsObject(o) ? o : NULL;
}

static int
apply_set(cJSON *root, const char *set, struct sim_err *err)
{
	const char *eq = strchr(set, '=');
	char path[256], *last;
	cJSON *o, *value;

	if (eq == NULL || (size_t) (eq - set) >= sizeof(path))
		return sim_err_set(err, EINVAL, "'%s' is not KEY=VALUE", set);
	snprintf(path, sizeof(path), "%.*s", (int) (eq - set), set);
	o = holder(root, path, &last);
	if (o == NULL)
		return sim_err_set(err, EINVAL, "'%s': no such key", set);
	value = cJSON_ParseWithOpts(eq + 1, NULL, 1);
	if (value == NULL)
		value = cJSON_CreateString(eq + 1);
	cJSON_DeleteItemFromObjectCaseSensitive(o, last);
	if (value == NULL || !cJSON_AddItemToObject(o, last, value))
		return sim_err_set(err, ENOMEM, "out of memory");
	return 0;
}

/* The text of a file with changes applied; malloc'd. */
static int
changed_text(const char *file, const char *text, size_t size,
    const char *const *set, size_t nset, char **out, struct sim_err *err)
{
	const char *end = text;
	cJSON *root = cJSON_ParseWithLengthOpts(text, size, &end, 0);
	int error = 0;

	*out = NULL;
	if (root == NULL)
		return sim_err_set(err, EINVAL, "%s:%u: not valid JSON near"
		    " this line", file, json_line_at(text, end));
	for (size_t i = 0; error == 0 && i < nset; i++)
		error = apply_set(root, set[i], err);
	if (error == 0 && (*out = cJSON_Print(root)) == NULL)
		error = sim_err_set(err, ENOMEM, "%s: out of memory", file);
	cJSON_Delete(root);
	return error;
}

/* ------------------------------------------------------------ files */

/* A change that no part of the model looks at is a mistake. */
static void
check_seen(struct rd *r)
{
	for (size_t k = 0; r->error == 0 && k < r->nset; k++)
		if ((r->seen >> k & 1) == 0)
			r->error = sim_err_set(r->err, EINVAL, "%s: '%.*s' is"
			    " no parameter of this model", r->file,
			    (int) strcspn(r->set[k], "="), r->set[k]);
}

static int
parse(const char *file, const char *id, const char *text, size_t size,
    const char *const *set, size_t nset, struct disk_params **out,
    struct sim_err *err)
{
	struct rd r = { .file = file, .text = text, .size = size, .err = err,
		.set = set, .nset = nset < 64 ? nset : 64 };
	struct disk_params *p;
	const char *end = text;

	*out = NULL;
	p = calloc(1, sizeof(*p));
	if (p != NULL && (p->json = malloc(size + 1)) != NULL) {
		memcpy(p->json, text, size);
		p->json[size] = '\0';
	}
	if (p == NULL || p->json == NULL) {
		free(p);
		return sim_err_set(err, ENOMEM, "%s: out of memory", file);
	}
	snprintf(p->id, sizeof(p->id), "%s", id);
	r.text = p->json;
	r.root = cJSON_ParseWithLengthOpts(p->json, size + 1, &end, 1);
	if (r.root == NULL)
		r.error = sim_err_set(err, EINVAL, "%s:%u: not valid JSON"
		    " near this line", file, json_line_at(p->json, end));
	else
		read_all(&r, p);
	check_seen(&r);
	cJSON_Delete(r.root);
	if (r.error != 0) {
		disk_params_free(p);
		return r.error;
	}
	*out = p;
	return 0;
}

int
disk_params_parse(const char *file, const char *id, const char *text,
    size_t size, struct disk_params **out, struct sim_err *err)
{
	return parse(file, id, text, size, NULL, 0, out, err);
}

void
disk_params_free(struct disk_params *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->hdd.nzones; i++)
		free(p->hdd.zone[i].slips);
	free(p->hdd.zone);
	free(p->hdd.seek_ps);
	free(p->hdd.seek_ms);
	free(p->json);
	free(p);
}

void
disk_params_no_cache(struct disk_params *p)
{
	p->hdd.cache.segments = 0;
	p->ssd.buffer_units = 0;
}

const char *
disk_params_builtin(size_t i)
{
	for (size_t n = 0; disk_builtins[n].name != NULL; n++)
		if (n == i)
			return disk_builtins[n].name;
	return NULL;
}

#define PARAM_FILE_MAX (16u << 20)

static int
read_file(const char *path, char **text, size_t *size, struct sim_err *err)
{
	FILE *f = fopen(path, "rb");
	long n;
	int error = 0;

	if (f == NULL)
		return sim_err_set(err, errno, "%s: %s", path,
		    strerror(errno));
	*text = NULL;
	if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET) != 0)
		error = sim_err_set(err, EINVAL, "%s: not a regular file",
		    path);
	else if (n > (long) PARAM_FILE_MAX)
		error = sim_err_set(err, EFBIG, "%s: too large for a"
		    " parameter file", path);
	else if ((*text = malloc((size_t) n + 1)) == NULL)
		error = sim_err_set(err, ENOMEM, "%s: out of memory", path);
	else if (fread(*text, 1, (size_t) n, f) != (size_t) n)
		error = sim_err_set(err, EIO, "%s: could not be read", path);
	else
		*size = (size_t) n;
	fclose(f);
	if (error != 0)
		free(*text);
	return error;
}

void
disk_params_id(const char *path, char *id, size_t size)
{
	const char *p = strrchr(path, '/');
	size_t n;

	p = p == NULL ? path : p + 1;
	n = strlen(p);
	if (n > 5 && strcmp(p + n - 5, ".json") == 0)
		n -= 5;
	snprintf(id, size, "%.*s", (int) n, p);
}

static int
parse_changed(const char *file, const char *id, const char *text, size_t size,
    const char *const *set, size_t nset, struct disk_params **out,
    struct sim_err *err)
{
	char name[320], *changed;
	int error;

	if (nset == 0)
		return disk_params_parse(file, id, text, size, out, err);
	error = changed_text(file, text, size, set, nset, &changed, err);
	if (error != 0)
		return error;
	snprintf(name, sizeof(name), "%s (changed)", file);
	error = parse(name, id, changed, strlen(changed), set, nset, out, err);
	free(changed);
	return error;
}

static int
unknown_model(const char *name, struct sim_err *err)
{
	const char *names[64], *near;
	size_t n = 0;

	while (n < 64 && disk_builtins[n].name != NULL) {
		names[n] = disk_builtins[n].name;
		n++;
	}
	near = nearest_name(name, names, n);
	if (near == NULL)
		return sim_err_set(err, ENOENT, "disk '%s' is unknown;"
		    " 'vmsim disk list' shows the models, a parameter file is"
		    " given as ./NAME.json", name);
	return sim_err_set(err, ENOENT, "disk '%s' is unknown; did you mean"
	    " '%s'?", name, near);
}

int
disk_params_load_set(const char *name_or_path, const char *const *set,
    size_t nset, struct disk_params **out, struct sim_err *err)
{
	size_t n = strlen(name_or_path), size = 0;
	char id[64], file[96], *text = NULL;
	int error;

	*out = NULL;
	if (strchr(name_or_path, '/') == NULL &&
	    (n < 5 || strcmp(name_or_path + n - 5, ".json") != 0)) {
		for (const struct disk_builtin *b = disk_builtins;
		     b->name != NULL; b++) {
			if (strcmp(b->name, name_or_path) != 0)
				continue;
			snprintf(file, sizeof(file), "%s.json (built in)",
			    b->name);
			return parse_changed(file, b->name, b->json, b->size,
			    set, nset, out, err);
		}
		return unknown_model(name_or_path, err);
	}
	error = read_file(name_or_path, &text, &size, err);
	if (error != 0)
		return error;
	disk_params_id(name_or_path, id, sizeof(id));
	error = parse_changed(name_or_path, id, text, size, set, nset, out,
	    err);
	free(text);
	return error;
}

int
disk_params_load(const char *name_or_path, struct disk_params **out,
    struct sim_err *err)
{
	return disk_params_load_set(name_or_path, NULL, 0, out, err);
}
