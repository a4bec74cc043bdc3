/*
 * json_line.h: where in a text a cJSON item came from, for messages.
 */
#ifndef VMSIM_SIM_JSON_LINE_H
#define VMSIM_SIM_JSON_LINE_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* Line (from 1) on which `item` of the tree `root` starts in its text. */
unsigned json_line(const char *text, size_t size, const cJSON *root,
    const cJSON *item);
/* Line of a position. */
unsigned json_line_at(const char *text, const char *where);

#endif
