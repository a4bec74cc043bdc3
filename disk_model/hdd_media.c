/*
 * hdd_media.c: arm and platters. Reads go on until their goal (read-ahead),
 * writes until their run is on the medium; both cross tracks and cylinders by
 * repeating move and rotational wait.
 *
 * Interface: hdd_int.h.
 * Source:    reference sheet, sections 2.3 (moves, transfer), 2.5 (a sector
 *            whose data are not in yet loses a turn) and 5 (what a miss does
 *            to read-ahead). The rules of DiskSim 4.0's drive controller,
 *            read for its behaviour, decide what the sheet leaves open.
 */
#include "disk_model/hdd_int.h"

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Set out for m.next at time m.from. */
static void
place(struct hdd *h)
{
	struct hdd_media *m = &h->m;
	uint64_t move, wait;

	geom_locate(&h->geom, m->next, &m->pl);
	move = media_move(h, m->pl.cyl, m->pl.head, m->kind == MEDIA_WRITE);
	move = later(move, m->min_move);
	m->min_move = 0;
	m->move_end = m->from + move;
	wait = geom_wait(&h->geom, m->pl.zone, m->pl.angle, m->move_end);
	m->t0 = m->move_end + wait;
	m->cyl = m->pl.cyl;
	m->head = m->pl.head;
	m->first = m->next;
	m->n = m->pl.run;
	m->placed = true;
	m->seek += move;
	m->rotation += wait;
}

/* Time at which block k of the present track begins to pass. */
static uint64_t
passes(const struct hdd *h, uint64_t k)
{
	return h->m.t0 + geom_pass(&h->geom, h->m.pl.zone, k);
}

/* Blocks of the present track that have passed by time t. */
static uint64_t
passed(const struct hdd *h, uint64_t t)
{
	const struct hdd_media *m = &h->m;
	uint64_t span, k;

	if (t <= m->t0)
		return 0;
	span = t - m->t0;
	if (span > h->geom.period)
		return m->n;
	k = geom_passed(&h->geom, m->pl.zone, span);
	return earlier(k, m->n);
}

/* The last block of the track has passed: on to the next track. */
static void
leave_track(struct hdd *h)
{
	h->m.from = passes(h, h->m.n);
	h->m.placed = false;
}

/* ------------------------------------------------------------ reading */

void
media_read(struct hdd *h, uint64_t lbn, uint64_t goal, uint64_t from)
{
	struct hdd_media *m = &h->m;

	m->kind = MEDIA_READ;
	m->next = lbn;
	m->goal = goal;
	m->from = from;
	m->placed = false;
	m->min_move = 0;
}

static void
read_advance(struct hdd *h, uint64_t next)
{
	struct hdd_media *m = &h->m;

	m->next = next;
	if (h->reading != NULL)
		buffer_extend(h, h->reading, next);
	if (m->next >= m->goal)
		m->kind = MEDIA_IDLE;
	else if (m->next == m->first + m->n)
		leave_track(h);
}

static void
read_until(struct hdd *h, uint64_t t)
{
	struct hdd_media *m = &h->m;
	uint64_t k;

	while (m->kind == MEDIA_READ) {
		if (!m->placed) {
			if (m->from > t)
				return;
			place(h);
		}
		k = earlier(passed(h, t), m->goal - m->first);
		if (m->first + k > m->next)
			read_advance(h, m->first + k);
		if (m->placed)
			return;
	}
}

uint64_t
media_stop(struct hdd *h, uint64_t t)
{
	struct hdd_media *m = &h->m;
	uint64_t k;

	if (m->kind != MEDIA_READ)
		return t;
	m->kind = MEDIA_IDLE;
	if (!m->placed)
		return t;
	if (t < m->move_end)
		return m->move_end; /* a move is finished first */
	if (h->p->cache.stop_in_sector)
		return t;
	if (t <= m->t0)
		return m->t0;
	k = passed(h, t);
	if (passes(h, k) < t)
		k++;
	return later(t, passes(h, k));
}

void
bus_feed(const struct hdd *h, struct hdd_bus *bus, uint64_t k, uint64_t n)
{
	uint64_t at;

	if (!bus->open) {
		if (bus->fed + n < bus->mark) {
			bus->fed += (uint32_t) n;
			return;
		}
		at = bus->mark - bus->fed;
		bus->t = later(bus->t, passes(h, k + at)) + bus->opening;
		bus->t += bus->mark * bus->per;
		bus->open = true;
		bus->fed += (uint32_t) n;
		k += at;
		n -= at;
		if (n == 0)
			return;
	}
	bus->t = later(bus->t, passes(h, k + 1)) + n * bus->per;
	bus->t = later(bus->t, passes(h, k + n) + bus->per);
}

/*
 * Zero-latency access: the head has landed among the n wanted sectors of the
 * track. It takes those that come first, then, a turn after it landed, the
 * others; the order over the bus stays that of the blocks. True when done so.
 */
static bool
wrap_around(struct hdd *h, uint64_t n, struct hdd_bus *bus)
{
	struct hdd_media *m = &h->m;
	const struct geom *g = &h->geom;
	uint64_t wait = m->t0 - m->move_end, k;

	if (!h->p->zero_latency || m->next != m->first || wait == 0)
		return false;
	/* sectors that had begun to pass when the head landed */
	k = geom_passed(g, m->pl.zone, g->period - wait);
	if (geom_pass(g, m->pl.zone, k) + wait < g->period)
		k++;
	if (k >= n)
		return false;
	bus_feed(h, bus, 0, k);
	if (!bus->open) {
		bus->t = later(bus->t, passes(h, k)) + bus->opening;
		bus->t += bus->fed * bus->per;
		bus->open = true;
	}
	bus->t += (n - k) * bus->per; /* they are in already */
	m->from = passes(h, k);
	m->placed = false;
	m->next += n;
	if (h->reading != NULL)
		buffer_extend(h, h->reading, m->next);
	if (m->next >= m->goal)
		m->kind = MEDIA_IDLE;
	return true;
}

void
media_feed(struct hdd *h, uint64_t end, struct hdd_bus *bus)
{
	struct hdd_media *m = &h->m;
	uint64_t k, n;

	while (m->kind == MEDIA_READ && m->next < end) {
		if (!m->placed) {
			place(h);
			n = earlier(m->n, end - m->next);
			if (wrap_around(h, n, bus))
				continue;
		}
		k = m->next - m->first;
		n = earlier(m->n - k, end - m->next);
		bus_feed(h, bus, k, n);
		read_advance(h, m->next + n);
	}
}

/* ------------------------------------------------------------ writing */

/* When the data of block b are in the buffer. */
static uint64_t
data_in(const struct hdd *h, const struct hdd_piece *p, uint64_t b)
{
	uint64_t per = h->p->bus_write_ps;

	return p->in0 + later((b - p->first + 1) * per,
	    p->need * per + h->p->cache.write_start_delay);
}

static bool
in_time(const struct hdd *h, const struct hdd_piece *p, uint64_t b)
{
	return data_in(h, p, b) <= passes(h, b - h->m.first);
}

/* First block of [a, b) whose data come too late, b when all are in time. */
static uint64_t
first_late(const struct hdd *h, const struct hdd_piece *p, uint64_t a,
    uint64_t b)
{
	uint64_t lo = a, hi = b - 1, mid;

	if (!in_time(h, p, a))
		return a;
	if (in_time(h, p, b - 1))
		return b;
	/* data come slower than the sectors pass: late from some block on */
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (in_time(h, p, mid))
			lo = mid;
		else
			hi = mid;
	}
	return hi;
}

static uint64_t
first_late_of_run(const struct hdd *h, const struct hdd_run *r, uint64_t end)
{
	uint64_t a, b, late;

	for (uint32_t i = 0; i < r->npieces; i++) {
		a = later(h->m.next, r->piece[i].first);
		b = earlier(end, r->piece[i].end);
		if (a >= b)
			continue;
		late = first_late(h, &r->piece[i], a, b);
		if (late < b)
			return late;
	}
	return end;
}

void
media_write(struct hdd *h)
{
	struct hdd_media *m = &h->m;
	struct hdd_run *r = h->run[0];

	m->kind = MEDIA_WRITE;
	m->next = r->next;
	m->goal = r->end;
	m->from = later(r->from, h->flushed_at);
	m->min_move = r->min_move;
	m->placed = false;
}

static void
run_done(struct hdd *h, uint64_t t)
{
	struct hdd_run *done = h->run[0];

	h->flushed_at = t;
	h->m.kind = MEDIA_IDLE;
	if (done->seg != NULL)
		done->seg->dirty = false;
	h->nruns--;
	for (uint32_t i = 0; i < h->nruns; i++)
		h->run[i] = h->run[i + 1];
	h->run[h->nruns] = done; /* to be used again */
	if (h->nruns > 0)
		media_write(h);
}

/*
 * Write on the present track up to time t. False when time t is reached
 * before the track's end or the run's.
 */
static bool
write_track(struct hdd *h, uint64_t t)
{
	struct hdd_media *m = &h->m;
	uint64_t end = earlier(m->first + m->n, m->goal), late, at;

	while ((late = first_late_of_run(h, h->run[0], end)) < end) {
		at = passes(h, late - m->first);
		if (at > t)
			break;
		/* it comes by again a turn later */
		m->n -= (uint32_t) (late - m->first);
		m->first = m->next = late;
		m->t0 = at + h->geom.period;
		m->rotation += h->geom.period;
	}
	if (late < end || passes(h, end - m->first) > t) {
		m->next = later(m->next, earlier(end,
		    m->first + passed(h, t)));
		return false;
	}
	m->next = end;
	at = passes(h, end - m->first);
	if (m->next == m->goal)
		run_done(h, at);
	else
		leave_track(h);
	return true;
}

static void
write_until(struct hdd *h, uint64_t t)
{
	struct hdd_media *m = &h->m;

	while (m->kind == MEDIA_WRITE) {
		if (!m->placed) {
			if (m->from > t)
				return;
			place(h);
		}
		if (!write_track(h, t))
			return;
	}
}

uint64_t
media_flush(struct hdd *h, bool all)
{
	uint32_t left = all || h->nruns == 0 ? 0 : h->nruns - 1;

	while (h->nruns > left) {
		if (!h->m.placed)
			place(h);
		write_track(h, UINT64_MAX);
	}
	return h->flushed_at;
}

/* ------------------------------------------------------------ all */

void
media_catch_up(struct hdd *h, uint64_t t)
{
	if (h->m.kind == MEDIA_READ)
		read_until(h, t);
	else if (h->m.kind == MEDIA_WRITE)
		write_until(h, t);
}
