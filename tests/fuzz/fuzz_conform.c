/*
 * fuzz_conform: any bytes as a conformance scenario: performed and printed,
 * or refused with one line that names it. Nothing is compared (--emit).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/conform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
replay(cJSON *scenario, const char *id)
{
	static const struct conform_driver *const drivers[] = {
		&conform_bsd5, &conform_bsd11,
	};
	struct sim_err err = { "" };
	struct conform_run run = {
		.scenario = scenario,
		.id = id,
		.emit = true,
		.dump_at = -1,
		.out = stderr,
		.err = &err,
		.where = "scenario",
		.bad_step = -1,
		.quiet = true,
	};

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		if (!drivers[i]->accepts(scenario))
			continue;
		if (drivers[i]->replay(&run) < 0 &&
		    (err.text[0] == '\0' ||
		    strpbrk(err.text, "\r\n") != NULL))
			abort();
		free(conform_text(scenario));
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *s = cJSON_ParseWithLength((const char *)data, size);
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(s, "id");

	if (cJSON_IsString(id) && cJSON_IsString(
	    cJSON_GetObjectItemCaseSensitive(s, "suite")) &&
	    strpbrk(id->valuestring, "\r\n") == NULL)
		replay(s, id->valuestring);
	cJSON_Delete(s);
	return (0);
}
