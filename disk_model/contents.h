/*
 * contents.h: what is on a disk, as sparse pieces of 4 KiB. Sectors never
 * written read as zeroes.
 */
#ifndef VMSIM_DISK_MODEL_CONTENTS_H
#define VMSIM_DISK_MODEL_CONTENTS_H

#include <stdint.h>

struct contents;
struct sim;

struct contents *contents_create(struct sim *sim); /* NULL: out of memory */
void contents_destroy(struct contents *c);
void contents_read(const struct contents *c, uint64_t lbn, uint64_t sectors,
    void *data);
/* Ends with sim_nomem() when the host is out of memory. */
void contents_write(struct contents *c, uint64_t lbn, uint64_t sectors,
    const void *data);
void contents_discard(struct contents *c, uint64_t lbn, uint64_t sectors);

#endif
