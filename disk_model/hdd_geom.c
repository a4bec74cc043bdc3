/*
 * hdd_geom.c: zones, skews, slipped sectors and rotation, in integers.
 *
 * Interface: hdd_geom.h.
 * Source:    reference sheet, sections 2.1 and 2.2; 8 (a wait that rounding
 *            turned into a full turn).
 * Differs:   slipped sectors (known defects that the numbering of blocks
 *            skips) are modelled when a parameter file lists them; sectors
 *            remapped to spare areas are not.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/hdd_geom.h"

/* "treat a wait greater than T - 0.0001 ms as 0" */
#define GUARD_PS (PS_PER_NS * 100)

static uint64_t
gcd(uint64_t a, uint64_t b)
{
	uint64_t r;

	while (b != 0) {
		r = a % b;
		a = b;
		b = r;
	}
	return a;
}

static void
zone_fill(const struct geom *g, const struct hdd_zone *p, uint64_t first_lbn,
    struct geom_zone *z)
{
	uint64_t total;

	z->first_cyl = p->first_cyl;
	z->spt = p->spt;
	z->track_skew = p->track_skew;
	z->cyl_skew = p->cyl_skew;
	z->offset = p->first_offset;
	z->slips = p->slips;
	z->nslips = p->nslips;
	z->reserved = p->reserved;
	z->cyl_sectors = (uint64_t) p->spt * g->heads;
	z->den = (uint64_t) p->spt * g->rate;
	z->span = (uint64_t) p->spt * g->turn;
	total = (p->last_cyl - p->first_cyl + 1) * z->cyl_sectors;
	z->first_lbn = first_lbn;
	z->end_lbn = first_lbn + total - p->spare - p->reserved - p->nslips;
}

int
geom_create(const struct hdd_params *p, struct geom *g)
{
	uint64_t per_minute = 60 * PS_PER_SECOND;
	uint64_t d = gcd(per_minute, p->rpm);
	uint64_t lbn = 0;

	g->turn = per_minute / d;
	g->rate = p->rpm / d;
	g->guard = GUARD_PS;
	g->heads = p->heads;
	g->cylinders = p->cylinders;
	g->nzones = p->nzones;
	g->zone = calloc(p->nzones, sizeof(*g->zone));
	if (g->zone == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->nzones; i++) {
		zone_fill(g, &p->zone[i], lbn, &g->zone[i]);
		lbn = g->zone[i].end_lbn;
	}
	g->sectors = lbn;
	if (p->capacity != 0 && p->capacity < lbn)
		g->sectors = p->capacity;
	return 0;
}

void
geom_destroy(struct geom *g)
{
	free(g->zone);
	g->zone = NULL;
}

static const struct geom_zone *
find_zone(const struct geom *g, uint64_t lbn)
{
	uint32_t lo = 0, hi = g->nzones - 1, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (lbn < g->zone[mid].end_lbn)
			hi = mid;
		else
			lo = mid + 1;
	}
	return &g->zone[lo];
}

/*
 * How many slipped sectors lie before the r-th block of the zone: slip i
 * (ascending) precedes it when slips[i] - i <= r.
 */
static uint32_t
slips_before(const struct geom_zone *z, uint64_t r)
{
	uint32_t lo = 0, hi = z->nslips, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (z->slips[mid] - mid <= r)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t
geom_cylinder(const struct geom *g, uint64_t lbn)
{
	const struct geom_zone *z = find_zone(g, lbn);
	uint64_t x = lbn - z->first_lbn;

	if (z->nslips > 0)
		x += slips_before(z, x);
	return z->first_cyl + (uint32_t) ((x + z->reserved) / z->cyl_sectors);
}

void
geom_locate(const struct geom *g, uint64_t lbn, struct geom_place *pl)
{
	const struct geom_zone *z = find_zone(g, lbn);
	uint64_t x = lbn - z->first_lbn, r = x, shift;
	uint32_t k, slips = 0, in_cyl;

	if (z->nslips > 0) {
		slips = slips_before(z, r);
		x += slips;
	}
	x += z->reserved;
	k = (uint32_t) (x / z->cyl_sectors);
	in_cyl = (uint32_t) (x - k * z->cyl_sectors);
	pl->zone = z;
	pl->cyl = z->first_cyl + k;
	pl->head = in_cyl / z->spt;
	pl->sector = in_cyl - pl->head * z->spt;
	shift = (pl->head + (uint64_t) (g->heads - 1) * k) * z->track_skew +
	    (uint64_t) k * z->cyl_skew + z->offset + pl->sector;
	pl->angle = (uint32_t) (shift % z->spt);
	pl->left = z->spt - pl->sector;
	pl->run = pl->left;
	if (slips < z->nslips && z->slips[slips] - slips - r < pl->run)
		pl->run = (uint32_t) (z->slips[slips] - slips - r);
	if (z->end_lbn - lbn < pl->run)
		pl->run = (uint32_t) (z->end_lbn - lbn);
}

uint64_t
geom_wait(const struct geom *g, const struct geom_zone *z, uint32_t angle,
    uint64_t t)
{
	uint64_t at = t % g->turn * g->rate % g->turn; /* of a turn */
	uint64_t want = angle * g->turn, have = at * z->spt, w;

	w = want >= have ? want - have : want + z->span - have;
	w = (w + z->den / 2) / z->den;
	if (w + g->guard > g->turn / g->rate)
		return 0;
	return w;
}

uint64_t
geom_passed(const struct geom *g, const struct geom_zone *z, uint64_t ps)
{
	/* one picosecond of rounding may be missing */
	return (ps + 1) * z->den / g->turn;
}
