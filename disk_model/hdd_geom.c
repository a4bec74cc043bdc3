/*
 * hdd_geom.c: zones, skews, slipped sectors and rotation, in integers.
 *
 * Interface: hdd_geom.h.
 * Source:    reference sheet, sections 2.1 and 2.2; section 8 (a wait that
 *            rounding turned into a full turn).
 * Differs:   slips (defects that the numbering of blocks skips) are modelled
 *            where a parameter file lists them; sectors remapped to spare
 *            areas while the drive was in use are not.
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

static int
zone_slips(const struct hdd_zone *p, struct geom_zone *z)
{
	uint64_t before = 0;

	if (p->nslips == 0)
		return 0;
	z->slip = calloc(p->nslips, sizeof(*z->slip));
	if (z->slip == NULL)
		return -ENOMEM;
	z->nslips = p->nslips;
	for (uint32_t i = 0; i < p->nslips; i++) {
		z->slip[i] = (struct geom_slip) { p->slips[i].first,
			p->slips[i].count, before };
		before += p->slips[i].count;
	}
	return 0;
}

static int
zone_fill(const struct geom *g, const struct hdd_zone *p, uint64_t first_lbn,
    struct geom_zone *z)
{
	uint64_t total;

	z->first_cyl = p->first_cyl;
	z->spt = p->spt;
	z->track_skew = p->track_skew;
	z->cyl_skew = p->cyl_skew;
	z->offset = p->first_offset;
	z->reserved = p->reserved;
	z->cyl_sectors = (uint64_t) p->spt * g->heads;
	z->den = (uint64_t) p->spt * g->rate;
	z->span = (uint64_t) p->spt * g->turn;
	total = (p->last_cyl - p->first_cyl + 1) * z->cyl_sectors;
	z->first_lbn = first_lbn;
	z->end_lbn = first_lbn + total - p->spare - p->reserved;
	return zone_slips(p, z);
}

int
geom_create(const struct hdd_params *p, struct geom *g)
{
	uint64_t per_minute = 60 * PS_PER_SECOND;
	uint64_t d = gcd(per_minute, p->rpm);
	uint64_t lbn = 0;

	g->turn = per_minute / d;
	g->rate = p->rpm / d;
	g->period = (g->turn + g->rate / 2) / g->rate;
	g->guard = GUARD_PS;
	g->heads = p->heads;
	g->cylinders = p->cylinders;
	g->nzones = p->nzones;
	g->zone = calloc(p->nzones, sizeof(*g->zone));
	if (g->zone == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->nzones; i++) {
		if (zone_fill(g, &p->zone[i], lbn, &g->zone[i]) != 0) {
			geom_destroy(g);
			return -ENOMEM;
		}
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
	if (g->zone == NULL)
		return;
	for (uint32_t i = 0; i < g->nzones; i++)
		free(g->zone[i].slip);
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
 * How many of the zone's slips lie before its r-th used sector (reserved ones
 * counted): slip i does when first - before <= r.
 */
static uint32_t
slips_before(const struct geom_zone *z, uint64_t r)
{
	uint32_t lo = 0, hi = z->nslips, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (z->slip[mid].first - z->slip[mid].before <= r)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Sector of the zone, slips included, that holds its r-th used one. */
static uint64_t
physical(const struct geom_zone *z, uint64_t r, uint32_t slips)
{
	if (slips == 0)
		return r;
	return r + z->slip[slips - 1].before + z->slip[slips - 1].count;
}

uint32_t
geom_cylinder(const struct geom *g, uint64_t lbn)
{
	const struct geom_zone *z = find_zone(g, lbn);
	uint64_t r = lbn - z->first_lbn + z->reserved;

	r = physical(z, r, slips_before(z, r));
	return z->first_cyl + (uint32_t) (r / z->cyl_sectors);
}

void
geom_locate(const struct geom *g, uint64_t lbn, struct geom_place *pl)
{
	const struct geom_zone *z = find_zone(g, lbn);
	uint64_t r = lbn - z->first_lbn + z->reserved, x, shift, to_slip;
	uint32_t slips = slips_before(z, r), k, in_cyl;

	x = physical(z, r, slips);
	k = (uint32_t) (x / z->cyl_sectors);
	in_cyl = (uint32_t) (x - k * z->cyl_sectors);
	pl->zone = z;
	pl->cyl = z->first_cyl + k;
	pl->head = in_cyl / z->spt;
	pl->sector = in_cyl - pl->head * z->spt;
	shift = (pl->head + (uint64_t) (g->heads - 1) * k) * z->track_skew +
	    (uint64_t) k * z->cyl_skew + z->offset + pl->sector;
	pl->angle = (uint32_t) (shift % z->spt);
	pl->run = z->spt - pl->sector;
	if (slips < z->nslips) {
		to_slip = z->slip[slips].first - z->slip[slips].before - r;
		if (to_slip < pl->run)
			pl->run = (uint32_t) to_slip;
	}
	if (z->end_lbn - lbn < pl->run)
		pl->run = (uint32_t) (z->end_lbn - lbn);
}

/* How many used sectors lie before a physical one. */
static uint64_t
used_before(const struct geom_zone *z, uint64_t x)
{
	const struct geom_slip *last;
	uint32_t lo = 0, hi = z->nslips, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (z->slip[mid].first < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return x;
	last = &z->slip[lo - 1];
	if (last->first + last->count > x)
		return last->first - last->before;
	return x - last->before - last->count;
}

void
geom_track(const struct geom *g, uint64_t lbn, uint64_t *first, uint64_t *end)
{
	const struct geom_zone *z = find_zone(g, lbn);
	uint64_t r = lbn - z->first_lbn + z->reserved;
	uint64_t x = physical(z, r, slips_before(z, r));
	uint64_t a = used_before(z, x - x % z->spt);
	uint64_t b = used_before(z, x - x % z->spt + z->spt);

	*first = a < z->reserved ? z->first_lbn :
				   a - z->reserved + z->first_lbn;
	*end = b - z->reserved + z->first_lbn;
	if (*end > z->end_lbn)
		*end = z->end_lbn;
}

uint64_t
geom_wait(const struct geom *g, const struct geom_zone *z, uint32_t angle,
    uint64_t t)
{
	return geom_wait_from(g, z, angle, geom_stand(g, t));
}

uint64_t
geom_wait_from(const struct geom *g, const struct geom_zone *z,
    uint32_t angle, uint64_t stand)
{
	uint64_t want = angle * g->turn, have = stand * z->spt, w;

	w = want >= have ? want - have : want + z->span - have;
	w = (w + z->den / 2) / z->den;
	return w + g->guard > g->period ? 0 : w;
}

uint64_t
geom_passed(const struct geom *g, const struct geom_zone *z, uint64_t ps)
{
	/* one picosecond of rounding may be missing */
	return (ps + 1) * z->den / g->turn;
}
