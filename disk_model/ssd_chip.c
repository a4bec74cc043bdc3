/*
 * ssd_chip.c: chips and channels of a flash device, and when collection does
 * its work.
 *
 * A chip serves one command at a time and keeps a page it has read until the
 * channel has taken it; data on their way out go before new commands, and a
 * new command needs the channel idle. Collection is urgent (before all else)
 * when a plane is short of free blocks, else it uses idle time.
 *
 * Moving the pages of a block is a chain of reads and programs that nothing
 * can change. Where pages hold one unit (then a unit never leaves its plane)
 * nobody can see, either, how far the mapping layer has come with it. Each
 * step has its event, but the mapping layer is told of all of them together:
 * when the chain ends, when its chip gets a command that may go before the
 * next step, when a unit of the plane is trimmed, when somebody asks for
 * numbers. Then the host's cache has to be filled once for a block.
 *
 * Interface: ssd_dev.h.
 * Source:    reference sheet, sections 4.1 and 4.3.
 * Differs:   collection moves pages inside a chip (no channel time); programs
 *            are not suspended for reads.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/ssd_dev.h"
#include "sim/base/sim.h"

static void go_on(struct ssd *s, uint32_t c);

/* ------------------------------------------------------------ events */

static void
post_channel(struct ssd *s, uint64_t t, uint32_t channel)
{
	struct event *ev = events_post(&s->events, LANE_CHANNEL, t);

	ev->what = EV_CHANNEL | (uint64_t) channel << 32;
	ev->stamp = 0;
}

/* The end of what the chip does; an earlier one posted for it is void. */
static void
post_chip(struct ssd *s, uint64_t t, enum event_lane lane, uint32_t chip)
{
	struct event *ev = events_post(&s->events, lane, t);

	ev->what = EV_CHIP | (uint64_t) chip << 32;
	ev->stamp = ++s->chip[chip].stamp;
}

/* ------------------------------------------------------------ commands */

static void
txn_grow(struct ssd *s)
{
	uint32_t n = s->ntxn == 0 ? 1024 : s->ntxn * 2;
	struct txn *t = realloc(s->txn, n * sizeof(*t));

	if (t == NULL)
		sim_nomem(NULL, "commands of a flash device");
	for (uint32_t i = s->ntxn; i < n; i++)
		t[i].next = i + 1 < n ? i + 1 : SSD_NONE;
	s->free_txn = s->ntxn;
	s->txn = t;
	s->ntxn = n;
}

uint32_t
txn_new(struct ssd *s, enum txn_kind kind, struct disk_io *io, uint32_t plane)
{
	struct txn *t;
	uint32_t i;

	if (s->free_txn == SSD_NONE)
		txn_grow(s);
	i = s->free_txn;
	t = &s->txn[i];
	s->free_txn = t->next;
	t->kind = kind;
	t->io = io;
	t->plane = plane;
	t->next = t->then = SSD_NONE;
	t->odd = t->partial = false;
	return i;
}

static void
txn_free(struct ssd *s, uint32_t i)
{
	s->txn[i].next = s->free_txn;
	s->free_txn = i;
}

static void
list_append(struct ssd *s, struct txn_list *l, uint32_t i)
{
	s->txn[i].next = SSD_NONE;
	if (l->tail != SSD_NONE)
		s->txn[l->tail].next = i;
	else
		l->head = i;
	l->tail = i;
}

static uint32_t
list_take(struct ssd *s, struct txn_list *l)
{
	uint32_t i = l->head;

	l->head = s->txn[i].next;
	if (l->head == SSD_NONE)
		l->tail = SSD_NONE;
	else
		__builtin_prefetch(&s->txn[l->head]);
	return i;
}

static uint32_t
chip_of_plane(const struct ssd *s, uint32_t plane)
{
	return divide(&s->ftl.by_chip_planes, plane);
}

/* ------------------------------------------------------------ one step */

static void
chip_busy(struct ssd *s, uint32_t c, enum chip_state state, uint64_t ps,
    enum event_lane lane)
{
	s->chip[c].state = state;
	s->chip[c].until = s->now + ps;
	post_chip(s, s->now + ps, lane, c);
}

static enum event_lane
read_lane(uint32_t page)
{
	return page & 1 ? LANE_READ_MSB : LANE_READ_LSB;
}

static uint64_t
read_time(const struct ssd *s, const struct txn *t)
{
	if (t->sectors <= 8 && s->p->read_small_ps[t->odd] != 0)
		return s->p->read_small_ps[t->odd];
	return s->p->read_ps[t->odd];
}

/*
 * A read arrives at a chip that erases: the erase stops if more is left of it
 * than stopping costs, and goes on when the chip has no reads.
 */
static void
suspend_erase(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];
	uint64_t left = k->until - s->now;

	if (left <= s->p->suspend_ps)
		return;
	k->erase_left = left;
	k->state = CHIP_GC; /* busy until the erase has stopped */
	k->txn = SSD_NONE;
	post_chip(s, s->now + s->p->suspend_ps, LANE_ERASE, c);
}

static void
start_read(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	k->txn = list_take(s, &k->reads);
	chip_busy(s, c, CHIP_READ, read_time(s, &s->txn[k->txn]),
	    read_lane(s->txn[k->txn].odd));
}

/* Program the page that is in the chip's register. */
static void
program(struct ssd *s, uint32_t c)
{
	struct txn *t = &s->txn[s->chip[c].txn];
	uint64_t ps = s->p->program_ps;
	uint32_t n = 0;

	if (t->kind == TXN_FLUSH) {
		for (uint32_t i = t->place; i != SSD_NONE;
		     i = s->buf.place[i].next) {
			s->scratch[n++] = s->buf.place[i].unit;
			buffer_prefetch(&s->buf, s->buf.place[i].unit);
		}
	} else
		for (; n < t->count; n++)
			s->scratch[n] = t->unit + n;
	if (t->partial)
		ps += s->p->read_ps[0];
	ftl_program(&s->ftl, t->plane, false, s->scratch, NULL, n);
	if (s->chip[c].writes.head != SSD_NONE)
		ftl_prefetch_unit(&s->ftl,
		    s->txn[s->chip[c].writes.head].unit);
	chip_busy(s, c, CHIP_PROGRAM, ps, LANE_PROGRAM);
}

/* What programming a page will look at, see ssd_ftl.c. */
static void
prefetch_page(const struct ssd *s, const struct txn *t)
{
	if (s->ftl.per_page == 1) {
		ftl_prefetch_slot(&s->ftl, t->unit);
		if (t->kind == TXN_FLUSH)
			__builtin_prefetch(&s->buf.place[t->place], 1);
		return;
	}
	if (t->kind == TXN_FLUSH)
		for (uint32_t i = t->place; i != SSD_NONE;
		     i = s->buf.place[i].next)
			ftl_prefetch_unit(&s->ftl, s->buf.place[i].unit);
}

static void
start_program(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];
	struct channel *h = &s->channel[k->channel];

	k->txn = list_take(s, &k->writes);
	k->state = CHIP_DATA_IN;
	prefetch_page(s, &s->txn[k->txn]);
	if (s->p->channel_ps == 0) {
		program(s, c);
		return;
	}
	h->busy = true;
	h->chip = c;
	post_channel(s, s->now + s->txn[k->txn].sectors * s->p->channel_ps,
	    k->channel);
}

/* ------------------------------------------------------------ chains */

/* Shorter ones are not worth the trouble. */
#define CHAIN_LEAST 3

static uint32_t
gc_plane(const struct ssd *s, uint32_t c)
{
	return c * s->planes_per_chip + s->chip[c].gc_plane;
}

/* A chain whose chip can do nothing else, or has nothing else to do. */
static bool
chain_possible(const struct ssd *s, uint32_t c, uint32_t plane, bool hard)
{
	const struct chip *k = &s->chip[c];
	uint32_t left;

	if (!s->chains || (!hard && (k->reads.head != SSD_NONE ||
	    k->writes.head != SSD_NONE)))
		return false;
	left = ftl_gc_left(&s->ftl, plane);
	return left >= CHAIN_LEAST && ftl_gc_room(&s->ftl, plane, left + 1);
}

/* The mapping layer has just begun the first read. */
static void
chain_begin(struct ssd *s, uint32_t c, bool hard)
{
	struct chip *k = &s->chip[c];

	k->chain = true;
	k->urgent = hard;
	k->programs = false;
	k->left = ftl_gc_left(&s->ftl, gc_plane(s, c));
	k->owed = 0;
}

/* The mapping layer is told of all steps that have begun. */
static void
chain_settle(struct ssd *s, uint32_t c)
{
	ftl_gc_run(&s->ftl, gc_plane(s, c), s->chip[c].owed);
	s->chip[c].owed = 0;
}

/* From the present step on all goes its usual way. */
static void
chain_end(struct ssd *s, uint32_t c)
{
	chain_settle(s, c);
	s->chip[c].chain = false;
}

/* Begin the chain's next step; false when there is none. */
static bool
chain_next(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	if (k->programs && k->left == 0) {
		chain_end(s, c);
		return false;
	}
	k->owed++;
	k->programs = !k->programs;
	if (k->programs)
		chip_busy(s, c, CHIP_GC, s->p->program_ps, LANE_PROGRAM);
	else {
		k->left--;
		chip_busy(s, c, CHIP_GC, s->p->read_ps[0], LANE_READ_LSB);
	}
	return true;
}

void
chip_settle_unit(struct ssd *s, uint32_t unit)
{
	uint32_t c;

	if (!s->chains)
		return;
	c = chip_of_plane(s, ftl_home_plane(&s->ftl, unit));
	if (s->chip[c].chain)
		chain_end(s, c);
}

void
chips_settle(struct ssd *s)
{
	for (uint32_t c = 0; c < s->nchips; c++)
		if (s->chip[c].chain)
			chain_settle(s, c);
}

/* ------------------------------------------------------------ collection */

/* Begin the next step of a plane's collection; false when it has none. */
static bool
gc_begin(struct ssd *s, uint32_t c, uint32_t plane, bool hard)
{
	uint32_t page = 0;

	switch (ftl_gc_step(&s->ftl, plane, &page)) {
	case GC_NOTHING:
		return false;
	case GC_READ:
		s->chip[c].gc_plane = plane - c * s->planes_per_chip;
		if (chain_possible(s, c, plane, hard))
			chain_begin(s, c, hard);
		chip_busy(s, c, CHIP_GC, s->p->read_ps[page & 1],
		    read_lane(page));
		break;
	case GC_PROGRAM:
		chip_busy(s, c, CHIP_GC, s->p->program_ps, LANE_PROGRAM);
		break;
	case GC_ERASE:
		chip_busy(s, c, CHIP_ERASE, s->p->erase_ps, LANE_ERASE);
		break;
	}
	s->chip[c].gc_plane = plane - c * s->planes_per_chip;
	return true;
}

static bool
start_gc(struct ssd *s, uint32_t c, bool hard)
{
	uint32_t first = c * s->planes_per_chip, i = s->chip[c].gc_plane;

	if (s->ftl.chip[c].soft == 0 || (hard && s->ftl.chip[c].hard == 0))
		return false;
	for (uint32_t n = 0; n < s->planes_per_chip; n++) {
		if (ftl_wants_gc(&s->ftl, first + i, hard) &&
		    gc_begin(s, c, first + i, hard))
			return true;
		if (++i == s->planes_per_chip)
			i = 0;
	}
	return false;
}

/* ------------------------------------------------------------ turns */

/* Let an idle chip on an idle channel begin; true when it takes the channel. */
static bool
start(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	if (k->chain && chain_next(s, c))
		return false;
	if (k->erase_left == 0 && start_gc(s, c, true))
		return false;
	if (k->reads.head != SSD_NONE) {
		start_read(s, c);
		return false;
	}
	if (k->erase_left > 0) {
		chip_busy(s, c, CHIP_ERASE, k->erase_left, LANE_ERASE);
		k->erase_left = 0;
		return false;
	}
	if (k->writes.head != SSD_NONE && ftl_can_program(&s->ftl,
	    s->txn[k->writes.head].plane, false)) {
		start_program(s, c);
		return s->p->channel_ps != 0;
	}
	start_gc(s, c, false);
	return false;
}

static bool
wants(const struct ssd *s, uint32_t c)
{
	const struct chip *k = &s->chip[c];

	return k->state == CHIP_IDLE && (k->reads.head != SSD_NONE ||
	    k->writes.head != SSD_NONE || k->erase_left > 0 ||
	    s->ftl.chip[c].soft > 0);
}

/* The channel takes the data of a chip that waited for it. */
static void
data_out(struct ssd *s, struct channel *h, uint32_t ch)
{
	struct chip *k = &s->chip[h->ready_head];

	h->chip = h->ready_head;
	h->ready_head = k->next_ready;
	if (h->ready_head == SSD_NONE)
		h->ready_tail = SSD_NONE;
	h->busy = true;
	post_channel(s, s->now + s->txn[k->txn].sectors * s->p->channel_ps,
	    ch);
}

/* The channel is idle: data out first, then new commands in turn. */
static void
kick(struct ssd *s, uint32_t ch)
{
	struct channel *h = &s->channel[ch];
	uint32_t i = h->turn, c;
	bool quiet = true;

	h->quiet = false;
	if (h->ready_head != SSD_NONE) {
		data_out(s, h, ch);
		return;
	}
	for (uint32_t n = 0; n < s->p->chips; n++) {
		c = h->first + i;
		if (++i == s->p->chips)
			i = 0;
		if (!wants(s, c))
			continue;
		h->turn = i;
		if (start(s, c))
			return;
		quiet = quiet && s->chip[c].state != CHIP_IDLE;
	}
	h->quiet = quiet;
}

/* Something changed for a chip. */
static void
go_on(struct ssd *s, uint32_t c)
{
	if (s->p->channel_ps == 0) {
		if (wants(s, c))
			start(s, c);
	} else if (!s->channel[s->chip[c].channel].busy)
		kick(s, s->chip[c].channel);
}

void
txn_enqueue(struct ssd *s, uint32_t i)
{
	struct txn *t = &s->txn[i];
	uint32_t c = chip_of_plane(s, t->plane);
	struct chip *k = &s->chip[c];
	bool read = t->kind == TXN_READ || t->kind == TXN_MAP;

	if (k->chain && !k->urgent)
		chain_end(s, c);
	list_append(s, read ? &k->reads : &k->writes, i);
	if (read && k->state == CHIP_ERASE && s->p->erase_suspend)
		suspend_erase(s, c);
	go_on(s, c);
}

/* ------------------------------------------------------------ ends */

/* The page of a read is at the host's side of the channel. */
static void
read_done(struct ssd *s, uint32_t c)
{
	uint32_t i = s->chip[c].txn;
	struct txn t = s->txn[i];

	s->chip[c].state = CHIP_IDLE;
	txn_free(s, i);
	if (t.kind == TXN_MAP)
		txn_enqueue(s, t.then);
	else
		ssd_page_read(s, t.io, t.sectors);
}

static void
chip_read_ready(struct ssd *s, uint32_t c)
{
	struct channel *h = &s->channel[s->chip[c].channel];

	if (s->p->channel_ps == 0) {
		read_done(s, c);
		return;
	}
	s->chip[c].next_ready = SSD_NONE;
	if (h->ready_tail != SSD_NONE)
		s->chip[h->ready_tail].next_ready = c;
	else
		h->ready_head = c;
	h->ready_tail = c;
}

static void
program_done(struct ssd *s, uint32_t c)
{
	uint32_t i = s->chip[c].txn;
	struct txn *t = &s->txn[i];
	enum txn_kind kind = t->kind;
	uint32_t place = t->place;
	struct disk_io *io = t->io;

	s->chip[c].state = CHIP_IDLE;
	txn_free(s, i);
	if (kind == TXN_FLUSH)
		ssd_flushed(s, place);
	else
		ssd_page_programmed(s, io);
}

/*
 * The common case of kick() and start(): a step of a chain has ended, and no
 * other chip of the channel wants a turn. False when it is not that case.
 */
static bool
chain_alone(struct ssd *s, uint32_t c)
{
	struct channel *h;

	if (!s->chip[c].chain)
		return false;
	if (s->p->channel_ps != 0) {
		h = &s->channel[s->chip[c].channel];
		if (!h->quiet)
			return false;
		h->turn = c + 1 - h->first;
		if (h->turn == s->p->chips)
			h->turn = 0;
	}
	return chain_next(s, c);
}

void
chip_event(struct ssd *s, uint32_t c, uint64_t stamp)
{
	struct chip *k = &s->chip[c];

	if (stamp != k->stamp)
		return; /* out of date */
	if (chain_alone(s, c))
		return;
	switch (k->state) {
	case CHIP_READ:
		chip_read_ready(s, c);
		break;
	case CHIP_PROGRAM:
		program_done(s, c);
		break;
	case CHIP_ERASE:
		k->state = CHIP_IDLE;
		ftl_erased(&s->ftl, gc_plane(s, c));
		break;
	default:
		k->state = CHIP_IDLE;
	}
	go_on(s, c);
}

void
channel_event(struct ssd *s, uint32_t ch)
{
	struct channel *h = &s->channel[ch];
	uint32_t c = h->chip;

	h->busy = false;
	if (s->chip[c].state == CHIP_DATA_IN)
		program(s, c);
	else
		read_done(s, c);
	if (!h->busy)
		kick(s, ch);
}

/* ------------------------------------------------------------ life */

int
chips_create(struct ssd *s)
{
	const struct ssd_params *p = s->p;

	s->nchips = p->channels * p->chips;
	s->planes_per_chip = p->dies * p->planes;
	s->chains = !p->gc_steps && p->page_sectors == p->unit_sectors &&
	    p->read_ps[0] == p->read_ps[1];
	s->free_txn = SSD_NONE;
	s->chip = calloc(s->nchips, sizeof(*s->chip));
	s->channel = calloc(p->channels, sizeof(*s->channel));
	if (s->chip == NULL || s->channel == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nchips; i++) {
		s->chip[i].channel = i / p->chips;
		s->chip[i].reads.head = s->chip[i].reads.tail = SSD_NONE;
		s->chip[i].writes = s->chip[i].reads;
	}
	for (uint32_t i = 0; i < p->channels; i++) {
		s->channel[i].first = i * p->chips;
		s->channel[i].ready_head = s->channel[i].ready_tail = SSD_NONE;
	}
	return 0;
}

void
chips_destroy(struct ssd *s)
{
	free(s->chip);
	free(s->channel);
	free(s->txn);
}
