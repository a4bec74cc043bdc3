/*
 * machine_config.c: the defaults of a machine, and its configuration as rows
 * of the run database. Interface: machine.h, config.h.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "sim/disk_json.h"
#include "sim/rundb.h"

/* The guest's environment before --env and "env": nothing of the caller's. */
static const char *const default_env[] = {
	"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
	"HOME=/",
	"LANG=C",
	"TERM=dumb",
	NULL,
};

void
machine_config_init(struct machine_config *mc)
{
	memset(mc, 0, sizeof(*mc));
	strcpy(mc->kernel, "bsd");
	mc->mem_bytes = 64ull << 20;
	mc->swap_bytes = 512ull << 20;
	mc->cpu_hz = 1000000000u;
	mc->ncpus = 1;
	mc->ndomains = 1;
	mc->rng_seed = 1;
	strcpy(mc->disks[0].name, "da0");
	strcpy(mc->disks[0].model, "sata7200_500gb");
	mc->ndisks = 1;
	strcpy(mc->cwd, "/");
	mc->stack_limit = 8ull << 20;
	mc->boot_epoch = 1041379200; /* 2003-01-01, FreeBSD 5.0's month */
	mc->log_mask = RUNDB_LOG_ALL;
	mc->sample_ns = 10000000; /* one clock tick at hz = 100 */
#ifndef NDEBUG
	mc->check = 1;
#endif
	for (size_t i = 0; default_env[i] != NULL; i++)
		config_strings_add(&mc->env, default_env[i]);
}

void
machine_config_free(struct machine_config *mc)
{
	config_strings_free(mc->argv);
	config_strings_free(mc->env);
	config_strings_free(mc->bind_rw);
	free(mc->contigs);
	free(mc->changes);
	for (uint32_t i = 0; i < mc->nspecs; i++)
		process_spec_free(&mc->specs[i]);
	free(mc->specs);
	for (uint32_t i = 0; i < mc->nprograms; i++)
		program_free(&mc->programs[i]);
	free(mc->programs);
	memset(mc, 0, sizeof(*mc));
}

void
program_free(struct program *prog)
{
	free(prog->name);
	free(prog->exe);
	config_strings_free(prog->argv);
	config_strings_free(prog->env);
	free(prog->cwd);
	for (int fd = 0; fd < 3; fd++)
		free(prog->stdio[fd]);
	memset(prog, 0, sizeof(*prog));
}

/* ------------------------------------------------------------ string lists */

bool
config_strings_add(char ***list, const char *s)
{
	size_t n = 0;
	char **grown;

	while (*list != NULL && (*list)[n] != NULL)
		n++;
	grown = realloc(*list, (n + 2) * sizeof(*grown));
	if (grown == NULL)
		return (false);
	*list = grown;
	grown[n] = strdup(s);
	grown[n + 1] = NULL;
	return (grown[n] != NULL);
}

void
config_strings_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

char *
config_json_strings(char *const list[])
{
	cJSON *array = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		cJSON_AddItemToArray(array, cJSON_CreateString(list[i]));
	text = cJSON_PrintUnformatted(array);
	cJSON_Delete(array);
	return (text);
}

const char *
config_getenv(const struct machine_config *mc, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; mc->env != NULL && mc->env[i] != NULL; i++) {
		if (strncmp(mc->env[i], name, n) == 0 && mc->env[i][n] == '=')
			return (mc->env[i] + n + 1);
	}
	return (NULL);
}

/* ------------------------------------------------------------ rows */

struct rows {
	config_row_fn *fn;
	void *ctx;
};

static void
row_u64(const struct rows *r, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	r->fn(r->ctx, key, text);
}

static void
row_list(const struct rows *r, const char *key, char *const list[])
{
	char *text = config_json_strings(list);

	if (text != NULL)
		r->fn(r->ctx, key, text);
	free(text);
}

/* What a user changed of a disk's model, and what goes wrong with it. */
static void
row_disk_details(const struct rows *r, const struct disk_config *d,
    uint32_t i)
{
	char key[48];

	for (uint32_t k = 0; k < d->nset; k++) {
		snprintf(key, sizeof(key), "disks[%u].set[%u]", i, k);
		r->fn(r->ctx, key, d->set[k]);
	}
	for (uint32_t k = 0; k < d->nfaults; k++) {
		snprintf(key, sizeof(key), "disks[%u].faults[%u]", i, k);
		r->fn(r->ctx, key, d->faults[k]);
	}
}

static void
row_disks(const struct rows *r, const struct machine_config *mc)
{
	char key[48], id[64];

	for (uint32_t i = 0; i < mc->ndisks; i++) {
		disk_params_id(mc->disks[i].model, id, sizeof(id));
		snprintf(key, sizeof(key), "disks[%u].name", i);
		r->fn(r->ctx, key, mc->disks[i].name);
		snprintf(key, sizeof(key), "disks[%u].model", i);
		r->fn(r->ctx, key, id);
		snprintf(key, sizeof(key), "disks[%u].scheduler", i);
		r->fn(r->ctx, key, mc->disks[i].scheduler);
		row_disk_details(r, &mc->disks[i], i);
	}
	r->fn(r->ctx, "fs_disk", mc->fs_disk);
	r->fn(r->ctx, "swap_disk", mc->swap_disk);
}

/* Settings before boot are in table tunables; those to come are here. */
static void
row_changes(const struct rows *r, const struct machine_config *mc)
{
	char key[48], text[256];
	uint32_t n = 0;

	for (uint32_t i = 0; i < mc->nchanges; i++) {
		const struct tunable_change *c = &mc->changes[i];

		if (c->at_ns == 0)
			continue;
		snprintf(key, sizeof(key), "changes[%u]", n++);
		snprintf(text, sizeof(text), "%" PRIu64 "ns %s=%s", c->at_ns,
		    c->name, c->value);
		r->fn(r->ctx, key, text);
	}
}

static void
row_contigs(const struct rows *r, const struct machine_config *mc)
{
	char key[48], text[256];

	for (uint32_t i = 0; i < mc->ncontigs; i++) {
		const struct contig_config *c = &mc->contigs[i];

		snprintf(key, sizeof(key), "contig[%u]", i);
		snprintf(text, sizeof(text), "%u pages at %" PRIu64 "ns, low %"
		    PRIu64 ", high %" PRIu64 ", align %" PRIu64 ", boundary %"
		    PRIu64 ", hold %" PRIu64 "ns", c->pages, c->at_ns, c->low,
		    c->high, c->align, c->boundary, c->hold_ns);
		r->fn(r->ctx, key, text);
	}
}

static void
row_processes(const struct rows *r, const struct machine_config *mc)
{
	char key[48];

	if (mc->nspecs == 0)
		return;
	r->fn(r->ctx, "scenario", mc->scenario);
	for (uint32_t i = 0; i < mc->nspecs; i++) {
		snprintf(key, sizeof(key), "processes[%u]", i);
		r->fn(r->ctx, key, mc->specs[i].json);
	}
}

void
machine_config_rows(const struct machine_config *mc, config_row_fn *fn,
    void *ctx)
{
	const struct rows r = { fn, ctx };

	fn(ctx, "kernel", mc->kernel);
	row_u64(&r, "mem", mc->mem_bytes);
	row_u64(&r, "kernel_mem", mc->kernel_bytes);
	row_u64(&r, "swap", mc->swap_bytes);
	row_u64(&r, "cpu_hz", mc->cpu_hz);
	row_u64(&r, "cpus", mc->ncpus);
	row_u64(&r, "domains", mc->ndomains);
	row_u64(&r, "seed", mc->rng_seed);
	row_disks(&r, mc);
	row_list(&r, "argv", mc->argv);
	row_processes(&r, mc);
	row_list(&r, "env", mc->env);
	/* the caller's own directory is of the host */
	if (mc->cwd_given)
		fn(ctx, "cwd", mc->cwd);
	row_list(&r, "bind_rw", mc->bind_rw);
	row_u64(&r, "stack_limit", mc->stack_limit);
	row_u64(&r, "rss_limit", mc->rss_limit);
	row_u64(&r, "racct_rss", mc->racct_rss);
	row_contigs(&r, mc);
	row_u64(&r, "boot_epoch", mc->boot_epoch);
	row_u64(&r, "max_time", mc->max_ns);
	row_u64(&r, "log", mc->log_mask);
	row_u64(&r, "sample", mc->sample_ns);
	row_changes(&r, mc);
}
