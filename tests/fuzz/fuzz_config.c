/*
 * fuzz_config: any bytes as a JSON configuration or scenario: accepted, or
 * refused with one line; an accepted one can be written out as rows, and its
 * processes are in order of their start.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ignore(void *ctx, const char *key, const char *value)
{
	*(size_t *)ctx += strlen(key) + strlen(value);
}

/* Every program but one is there. */
static int
find(struct machine_config *mc, struct sim_err *err)
{
	if (strcmp(mc->argv[0], "none") == 0)
		return (sim_err_set(err, ENOENT, "none: no such program"));
	strcpy(mc->exe, "/bin/true");
	return (0);
}

static void
check_programs(const struct machine_config *mc)
{
	for (uint32_t i = 0; i < mc->nprograms; i++) {
		const struct program *p = &mc->programs[i];

		if (p->name == NULL || p->argv == NULL || p->exe == NULL ||
		    (i > 0 && p->start_ns < p[-1].start_ns))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_config mc;
	struct sim_err err;
	size_t bytes = 0;

	machine_config_init(&mc);
	err.text[0] = '\0';
	if (config_parse("fuzz.json", (const char *)data, size, &mc,
	    &err) != 0) {
		/* one line that says where */
		if (strncmp(err.text, "fuzz.json:", 10) != 0 ||
		    strpbrk(err.text, "\r\n") != NULL)
			abort();
	} else if (scenario_finish(&mc, find, &err) != 0) {
		if (strpbrk(err.text, "\r\n") != NULL)
			abort();
	} else if (config_finish(&mc, &err) == 0) {
		check_programs(&mc);
		machine_config_rows(&mc, ignore, &bytes);
	}
	machine_config_free(&mc);
	return (0);
}
