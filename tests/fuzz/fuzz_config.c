/*
 * fuzz_config: any bytes as a JSON configuration: accepted, or refused with
 * one line; an accepted one can be written out as rows.
 */
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
	} else if (config_finish(&mc, &err) == 0) {
		machine_config_rows(&mc, ignore, &bytes);
	}
	machine_config_free(&mc);
	return (0);
}
