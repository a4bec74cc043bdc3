/*
 * fuzz_conform_bsd5: any bytes as one line of a vector file. What --emit
 * makes of a FreeBSD 5 scenario must be a scenario that passes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform.h"

#define PAGES_MAX 4096
#define REPEAT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No more work than the input is worth: all its numbers are small. */
static bool
modest(const cJSON *item)
{
	const cJSON *child;

	if (cJSON_IsNumber(item) && item->string != NULL &&
	    ((strcmp(item->string, "pages") == 0 &&
		item->valuedouble > PAGES_MAX) ||
		(strcmp(item->string, "n") == 0 &&
		    item->valuedouble > REPEAT_MAX)))
		return (false);
	cJSON_ArrayForEach(child, item)
		if (!modest(child))
			return (false);
	return (true);
}

/* Physical memory is given by strings. */
static bool
boots(const cJSON *scenario)
{
	char *text = conform_text(scenario);
	bool found = text == NULL || strstr(text, "startup") != NULL;

	free(text);
	return (found);
}

static int
replay(const struct conform_driver *drv, cJSON *scenario, bool emit,
    FILE *out)
{
	struct sim_err err = { "" };
	struct conform_run run = {
		.scenario = scenario,
		.id = cJSON_GetStringValue(
		    cJSON_GetObjectItemCaseSensitive(scenario, "id")),
		.file = "fuzz",
		.emit = emit,
		.dump_at = -1,
		.bad_step = -1,
		.out = out,
		.err = &err,
	};
	int verdict = drv->replay(&run);

	if (verdict < 0 && (err.text[0] == '\0' ||
	    strpbrk(err.text, "\r\n") != NULL))
		abort();
	return (verdict);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conform_driver *drv;
	struct sim_err err;
	char *line = malloc(size + 1);
	FILE *out = fopen("/dev/null", "w");
	cJSON *scenario;

	if (line == NULL || out == NULL)
		abort();
	memcpy(line, data, size);
	line[size] = '\0';
	scenario = conform_parse(line, size, &drv, &err);
	if (scenario != NULL && drv == &conform_bsd5 && modest(scenario) &&
	    !boots(scenario) &&
	    replay(drv, scenario, true, out) == CONFORM_PASS &&
	    replay(drv, scenario, false, out) != CONFORM_PASS)
		abort();
	cJSON_Delete(scenario);
	free(line);
	fclose(out);
	return (0);
}
