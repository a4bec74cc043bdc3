/*
 * hdd_geom.h: where a block lies, and when it passes under its head.
 */
#ifndef VMSIM_DISK_MODEL_HDD_GEOM_H
#define VMSIM_DISK_MODEL_HDD_GEOM_H

#include "disk_model/params.h"

struct geom_slip {
	uint64_t first, count;
	uint64_t before; /* sectors slipped before this one */
};

/* A zone with what is derived from it. */
struct geom_zone {
	uint64_t first_lbn, end_lbn;
	uint64_t cyl_sectors; /* of one cylinder, spares included */
	uint64_t reserved;
	struct geom_slip *slip;
	uint32_t nslips;
	uint32_t first_cyl, spt, track_skew, cyl_skew, offset;
	uint64_t den; /* of a sector's time: spt * rate */
	uint64_t span; /* spt * turn */
};

/*
 * turn picoseconds are exactly `rate` turns; so at time t the heads stand at
 * (t * rate mod turn) / turn of a turn, without rounding.
 */
struct geom {
	uint64_t turn, rate;
	uint64_t period; /* of one turn, rounded */
	uint64_t guard; /* a wait this near a full turn is none */
	uint32_t heads, cylinders, nzones;
	uint64_t sectors; /* exported */
	struct geom_zone *zone;
};

struct geom_place {
	const struct geom_zone *zone;
	uint32_t cyl, head, sector;
	uint32_t angle; /* in sectors of the zone */
	uint32_t run; /* blocks that follow each other on the track from here */
};

/* -ENOMEM. */
int geom_create(const struct hdd_params *p, struct geom *g);
void geom_destroy(struct geom *g);
void geom_locate(const struct geom *g, uint64_t lbn, struct geom_place *pl);
uint32_t geom_cylinder(const struct geom *g, uint64_t lbn);
/* The blocks first <= ... < end that share a track with lbn. */
void geom_track(const struct geom *g, uint64_t lbn, uint64_t *first,
    uint64_t *end);
/* Where the heads stand at time t, in turn-ths of a turn. */
static inline uint64_t
geom_stand(const struct geom *g, uint64_t t)
{
	return t % g->turn * g->rate % g->turn;
}
/* Time until the sector at this angle begins to pass the head. */
uint64_t geom_wait(const struct geom *g, const struct geom_zone *z,
    uint32_t angle, uint64_t t);
/* The same from where the heads stand. */
uint64_t geom_wait_from(const struct geom *g, const struct geom_zone *z,
    uint32_t angle, uint64_t stand);
/* Time for n sectors of this zone to pass, rounded to the picosecond. */
static inline uint64_t
geom_pass(const struct geom *g, const struct geom_zone *z, uint64_t n)
{
	return (n * g->turn + z->den / 2) / z->den;
}
/* Whole sectors that pass in so much time. */
uint64_t geom_passed(const struct geom *g, const struct geom_zone *z,
    uint64_t ps);

#endif
