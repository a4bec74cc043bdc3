/*
 * disk_json.h: parameter files of disk models. Built-in models are the files
 * of disk_model/params/, embedded at build.
 */
#ifndef VMSIM_SIM_DISK_JSON_H
#define VMSIM_SIM_DISK_JSON_H

#include "disk_model/disk.h"

/*
 * disk_params_load: a built-in model by name ("hp97560") or a JSON parameter
 * file (a name with '/' or ending in ".json").
 * Errors: -ENOENT (err names the nearest built-in), -EINVAL with file, line
 * and reason in err.
 */
int disk_params_load(const char *name_or_path, struct disk_params **out,
    struct sim_err *err);
/*
 * The same from text in memory; file: for messages, id: name of the model.
 * The text need not end in a NUL.
 */
int disk_params_parse(const char *file, const char *id, const char *text,
    size_t size, struct disk_params **out, struct sim_err *err);
/*
 * As disk_params_load, after changes "key=value" or "key.key=value" of the
 * parameters; the value is JSON, or else taken as a string.
 */
int disk_params_load_set(const char *name_or_path, const char *const *set,
    size_t nset, struct disk_params **out, struct sim_err *err);
/* What a model is called wherever its file lies: "dir/name.json" -> "name". */
void disk_params_id(const char *name_or_path, char *id, size_t size);
void disk_params_free(struct disk_params *p);
/* Take the drive's buffer (and a flash device's write cache) away. */
void disk_params_no_cache(struct disk_params *p);
/* Built-in models in order of name; NULL past the end. */
const char *disk_params_builtin(size_t i);

#endif
