/*
 * fuzz_requests: request lists and parameter files as any bytes. Neither may
 * crash; what is accepted is used.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/disk_json.h"
#include "sim/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A small disk, so that a run costs nothing. */
static const char disk[] = "{\"family\": \"hdd\", \"rpm\": 6000,"
    " \"cylinders\": 8, \"heads\": 2, \"zones\": [{\"first_cyl\": 0,"
    " \"last_cyl\": 7, \"sectors_per_track\": 16}], \"seek\": {\"kind\":"
    " \"table\", \"points\": [[1, 1], [7, 3]]}, \"cache\": {\"segments\": 3,"
    " \"segment_sectors\": 32, \"read_ahead\": \"segment\","
    " \"write_behind\": \"any\"}}";

static void
use_list(struct request_list *l)
{
	struct disk_params *p;
	struct disk_engine *e;
	struct replay_mode mode = { 3 };
	struct sim_err err;

	if (l->count > 2000 || disk_params_parse("d", "d", disk,
	    sizeof(disk) - 1, &p, &err) != 0)
		return;
	if (disk_engine_create(p, &e, &err) == 0) {
		replay_run(e, l, &mode);
		disk_engine_destroy(e);
	}
	disk_params_free(p);
}

/* Sizes that a fuzzer likes but a run need not have. */
static bool
modest(const struct disk_params *p)
{
	if (p->family == DISK_SSD)
		return (uint64_t) p->ssd.channels * p->ssd.chips *
		    p->ssd.dies * p->ssd.planes * p->ssd.blocks *
		    p->ssd.pages < 100000 && p->ssd.queue_depth < 1000;
	return true;
}

static void
use_params(const struct disk_params *p)
{
	struct disk_engine *e;
	struct sim_err err;
	struct disk_io io[8];
	uint64_t next;

	if (!modest(p) || disk_engine_create(p, &e, &err) != 0)
		return;
	memset(io, 0, sizeof(io));
	for (uint32_t i = 0; i < 8; i++) {
		io[i].op = i % 3 == 1 ? DISK_WRITE : DISK_READ;
		io[i].blocks = 1 + i;
		io[i].lbn = disk_engine_sectors(e) > 100 ? i * 12 : 0;
		disk_engine_submit(e, &io[i]);
	}
	while ((next = disk_engine_next(e)) != DISK_NEVER) {
		disk_engine_advance(e, next);
		while (disk_engine_pop(e) != NULL)
			;
	}
	disk_engine_destroy(e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;
	struct request_list l;
	struct disk_params *p;
	struct sim_err err;

	if (size > 0 && data[0] == '{') {
		if (disk_params_parse("f", "f", text, size, &p, &err) == 0) {
			use_params(p);
			disk_params_free(p);
		}
		return 0;
	}
	if (requests_parse("f", text, size, 256, &l, &err) == 0) {
		use_list(&l);
		requests_free(&l);
	}
	if (table_parse("f", text, size, &l, &err) == 0)
		requests_free(&l);
	return 0;
}
