/*
 * disk_json_ssd.c: parameter files of flash devices.
 *
 * Interface: rd_ssd (disk_json_int.h).
 * Source:    reference sheet, section 4.
 */
#include "sim/disk_json_int.h"

void
rd_ssd(struct rd *r, const cJSON *o, struct disk_params *p)
{
	p->family = DISK_SSD;
	rd_fail(r, o, "flash devices cannot be read yet");
}
