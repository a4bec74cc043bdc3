/*
 * ssd.c: a flash device: host link, firmware, channels and chips.
 *
 * Interface: ssd_create (disk_int.h).
 * Source:    reference sheet, sections 4.1 to 4.4. A chip serves one command
 *            at a time and keeps its page until the channel has taken it;
 *            data on their way out go before new commands, and a new command
 *            needs the channel idle. With that, the sheet's means at queue
 *            depths 4, 16 and 64 come out within 1 %.
 * Differs:   collection moves pages inside a chip (no channel time); the
 *            mapping entries of buffered writes are taken to be at hand;
 *            programs are not suspended for reads.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/ssd_int.h"

enum txn_kind { TXN_READ, TXN_MAP, TXN_WRITE, TXN_FLUSH };

/* A command to a chip. */
struct txn {
	enum txn_kind kind;
	uint32_t next; /* in its chip's queue, or in the list of free ones */
	uint32_t plane;
	uint32_t sectors; /* over the channel */
	uint32_t unit, count; /* WRITE: units of the page */
	uint32_t place; /* FLUSH: first of the buffer's places */
	uint32_t then; /* MAP: what waits for it */
	bool odd; /* page number */
	bool partial; /* read, change, write */
	struct disk_io *io;
};

struct list {
	uint32_t head, tail;
};

enum chip_state { CHIP_IDLE, CHIP_READ, CHIP_DATA_IN, CHIP_PROGRAM, CHIP_GC,
	CHIP_ERASE };

struct chip {
	enum chip_state state;
	uint32_t txn; /* being served */
	struct list reads, writes;
	uint32_t gc_plane; /* GC, ERASE: of which plane */
	uint32_t next_ready; /* chips with data for the channel */
	uint64_t until; /* the present operation ends */
	uint64_t erase_left; /* of a suspended erase */
	uint32_t stamp; /* the event that is not out of date */
};

struct channel {
	bool busy;
	uint32_t chip; /* whose data are on it */
	uint32_t ready_head, ready_tail;
	uint32_t turn; /* chip that is asked first */
};

enum event_kind { EV_CHIP, EV_CHANNEL, EV_START, EV_BUFFER, EV_DIRECT,
	EV_DONE };

struct event {
	uint64_t t;
	uint64_t seq;
	enum event_kind kind;
	uint32_t index, stamp;
	struct disk_io *io;
};

struct ssd {
	struct disk_engine *engine;
	const struct ssd_params *p;
	struct ftl ftl;
	struct ssd_buffer buf;
	struct chip *chip;
	struct channel *channel;
	uint32_t nchips, planes_per_chip;
	struct txn *txn;
	uint32_t ntxn, free_txn;
	struct event *heap;
	uint32_t nheap, heap_size;
	uint64_t seq;
	uint64_t now;
	uint64_t link_free, dram_free;
	uint32_t active; /* commands held */
	uint32_t flushing; /* programs under way for the buffer */
	uint32_t next_plane;
	struct disk_io *wait_head, *wait_tail; /* writes without room */
	struct disk_io *flush_head; /* FLUSH commands */
	uint32_t *scratch; /* one page of units */
};

/* ------------------------------------------------------------ events */

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->t < b->t || (a->t == b->t && a->seq < b->seq);
}

/* Rare: only events that suspensions made void can exceed the first size. */
static void
grow_heap(struct ssd *s)
{
	s->heap_size *= 2;
	s->heap = realloc(s->heap, s->heap_size * sizeof(*s->heap));
	if (s->heap == NULL)
		abort(); /* the host is out of memory */
}

static void
post(struct ssd *s, uint64_t t, enum event_kind kind, uint32_t index,
    struct disk_io *io)
{
	struct event ev = { t, ++s->seq, kind, index, 0, io };
	uint32_t i;

	if (s->nheap == s->heap_size)
		grow_heap(s);
	i = s->nheap++;
	if (kind == EV_CHIP)
		ev.stamp = ++s->chip[index].stamp;
	while (i > 0 && earlier(&ev, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = ev;
}

static struct event
take(struct ssd *s)
{
	struct event top = s->heap[0], last = s->heap[--s->nheap];
	uint32_t i = 0, c;

	while ((c = 2 * i + 1) < s->nheap) {
		if (c + 1 < s->nheap && earlier(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!earlier(&s->heap[c], &last))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	s->heap[i] = last;
	return top;
}

/* ------------------------------------------------------------ commands */

static void
grow(struct ssd *s)
{
	uint32_t n = s->ntxn == 0 ? 1024 : s->ntxn * 2;
	struct txn *t = realloc(s->txn, n * sizeof(*t));

	if (t == NULL)
		abort(); /* the host is out of memory */
	for (uint32_t i = s->ntxn; i < n; i++)
		t[i].next = i + 1 < n ? i + 1 : SSD_NONE;
	s->free_txn = s->ntxn;
	s->txn = t;
	s->ntxn = n;
}

static uint32_t
txn_new(struct ssd *s, enum txn_kind kind, struct disk_io *io, uint32_t plane)
{
	struct txn *t;
	uint32_t i;

	if (s->free_txn == SSD_NONE)
		grow(s);
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
list_append(struct ssd *s, struct list *l, uint32_t i)
{
	s->txn[i].next = SSD_NONE;
	if (l->tail != SSD_NONE)
		s->txn[l->tail].next = i;
	else
		l->head = i;
	l->tail = i;
}

static uint32_t
list_take(struct ssd *s, struct list *l)
{
	uint32_t i = l->head;

	l->head = s->txn[i].next;
	if (l->head == SSD_NONE)
		l->tail = SSD_NONE;
	return i;
}

static uint32_t
chip_of_plane(const struct ssd *s, uint32_t plane)
{
	return plane / s->planes_per_chip;
}

static void go_on(struct ssd *s, uint32_t c);
static void suspend_erase(struct ssd *s, uint32_t chip);

static void
enqueue(struct ssd *s, uint32_t i)
{
	struct txn *t = &s->txn[i];
	uint32_t c = chip_of_plane(s, t->plane);
	bool read = t->kind == TXN_READ || t->kind == TXN_MAP;

	list_append(s, read ? &s->chip[c].reads : &s->chip[c].writes, i);
	if (read && s->chip[c].state == CHIP_ERASE && s->p->erase_suspend)
		suspend_erase(s, c);
	go_on(s, c);
}

/* ------------------------------------------------------------ completion */

/* n sectors over the host link, one transfer after the other. */
static uint64_t
link_time(struct ssd *s, uint64_t t, uint64_t sectors)
{
	if (s->p->link_ps == 0)
		return t;
	if (s->link_free < t)
		s->link_free = t;
	s->link_free += sectors * s->p->link_ps;
	return s->link_free;
}

static uint64_t
dram_time(struct ssd *s, uint64_t t, uint64_t sectors)
{
	if (s->p->dram_ps == 0)
		return t;
	if (s->dram_free < t)
		s->dram_free = t;
	s->dram_free += sectors * s->p->dram_ps;
	return s->dram_free;
}

/* A part of the command is over at t; dev[0] counts the parts. */
static void
part_done(struct ssd *s, struct disk_io *io, uint64_t t)
{
	if (t > io->dev[1])
		io->dev[1] = t;
	if (--io->dev[0] == 0)
		post(s, io->dev[1], EV_DONE, 0, io);
}

static void
done(struct ssd *s, struct disk_io *io, uint64_t t)
{
	s->active--;
	io->transfer = t - io->start - io->overhead;
	disk_engine_complete(s->engine, io, t);
}

/* ------------------------------------------------------------ chips */

static void
chip_busy(struct ssd *s, uint32_t c, enum chip_state state, uint64_t ps)
{
	s->chip[c].state = state;
	s->chip[c].until = s->now + ps;
	post(s, s->now + ps, EV_CHIP, c, NULL);
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
	post(s, s->now + s->p->suspend_ps, EV_CHIP, c, NULL);
}

static bool
start_gc(struct ssd *s, uint32_t c, bool hard)
{
	struct chip *k = &s->chip[c];
	uint32_t plane, page = 0;

	if (s->ftl.short_planes[c] == 0)
		return false;
	for (uint32_t i = 0; i < s->planes_per_chip; i++) {
		plane = c * s->planes_per_chip +
		    (k->gc_plane + i) % s->planes_per_chip;
		if (!ftl_wants_gc(&s->ftl, plane) ||
		    (hard && !ftl_gc_hard(&s->ftl, plane)))
			continue;
		switch (ftl_gc_step(&s->ftl, plane, &page)) {
		case GC_NOTHING:
			continue;
		case GC_READ:
			chip_busy(s, c, CHIP_GC, s->p->read_ps[page & 1]);
			break;
		case GC_PROGRAM:
			chip_busy(s, c, CHIP_GC, s->p->program_ps);
			break;
		case GC_ERASE:
			chip_busy(s, c, CHIP_ERASE, s->p->erase_ps);
			break;
		}
		k->gc_plane = plane % s->planes_per_chip;
		return true;
	}
	return false;
}

static void
start_read(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	k->txn = list_take(s, &k->reads);
	chip_busy(s, c, CHIP_READ, read_time(s, &s->txn[k->txn]));
}

static void program(struct ssd *s, uint32_t c);

static void
start_program(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];
	struct channel *h = &s->channel[c / s->p->chips];
	uint64_t ps;

	k->txn = list_take(s, &k->writes);
	k->state = CHIP_DATA_IN;
	if (s->p->channel_ps == 0) {
		program(s, c);
		return;
	}
	ps = s->txn[k->txn].sectors * s->p->channel_ps;
	h->busy = true;
	h->chip = c;
	post(s, s->now + ps, EV_CHANNEL, c / s->p->chips, NULL);
}

/* Let an idle chip on an idle channel begin; true when it takes the channel. */
static bool
start(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	if (k->erase_left == 0 && start_gc(s, c, true))
		return false;
	if (k->reads.head != SSD_NONE) {
		start_read(s, c);
		return false;
	}
	if (k->erase_left > 0) {
		chip_busy(s, c, CHIP_ERASE, k->erase_left);
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
wants(const struct ssd *s, const struct chip *k, uint32_t c)
{
	if (k->state != CHIP_IDLE)
		return false;
	if (k->reads.head != SSD_NONE || k->writes.head != SSD_NONE ||
	    k->erase_left > 0)
		return true;
	return s->ftl.short_planes[c] > 0;
}

/* The channel is idle: data out first, then new commands in turn. */
static void
kick(struct ssd *s, uint32_t ch)
{
	struct channel *h = &s->channel[ch];
	uint32_t c, first = h->turn;

	if (h->ready_head != SSD_NONE) {
		c = h->ready_head;
		h->ready_head = s->chip[c].next_ready;
		if (h->ready_head == SSD_NONE)
			h->ready_tail = SSD_NONE;
		h->busy = true;
		h->chip = c;
		post(s, s->now + s->txn[s->chip[c].txn].sectors *
		    s->p->channel_ps, EV_CHANNEL, ch, NULL);
		return;
	}
	for (uint32_t i = 0; i < s->p->chips; i++) {
		c = ch * s->p->chips + (first + i) % s->p->chips;
		if (!wants(s, &s->chip[c], c))
			continue;
		h->turn = (c + 1) % s->p->chips;
		if (start(s, c))
			return;
	}
}

/* Something changed for a chip. */
static void
go_on(struct ssd *s, uint32_t c)
{
	if (s->p->channel_ps == 0) {
		if (wants(s, &s->chip[c], c))
			start(s, c);
	} else if (!s->channel[c / s->p->chips].busy)
		kick(s, c / s->p->chips);
}

/* The page of a read is at the host's side of the channel. */
static void
read_done(struct ssd *s, uint32_t c)
{
	uint32_t i = s->chip[c].txn;
	struct txn t = s->txn[i];

	s->chip[c].state = CHIP_IDLE;
	txn_free(s, i);
	if (t.kind == TXN_MAP)
		enqueue(s, t.then);
	else
		part_done(s, t.io, link_time(s, s->now, t.sectors));
}

static void
chip_read_ready(struct ssd *s, uint32_t c)
{
	struct channel *h = &s->channel[c / s->p->chips];

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

static void retry_waiting(struct ssd *s);

static void
flush_done(struct ssd *s, uint32_t place)
{
	uint32_t next;

	for (; place != SSD_NONE; place = next) {
		next = s->buf.next[place];
		buffer_release(&s->buf, place);
	}
	s->flushing--;
	retry_waiting(s);
}

/* Program the page that is in the chip's register. */
static void
program(struct ssd *s, uint32_t c)
{
	struct txn *t = &s->txn[s->chip[c].txn];
	uint64_t ps = s->p->program_ps;
	uint32_t n = 0;

	if (t->kind == TXN_FLUSH) {
		for (uint32_t i = t->place; i != SSD_NONE; i = s->buf.next[i])
			s->scratch[n++] = s->buf.unit[i];
	} else
		for (; n < t->count; n++)
			s->scratch[n] = t->unit + n;
	if (t->partial)
		ps += s->p->read_ps[0];
	ftl_program(&s->ftl, t->plane, false, s->scratch, NULL, n);
	chip_busy(s, c, CHIP_PROGRAM, ps);
}

static void
program_done(struct ssd *s, uint32_t c)
{
	uint32_t i = s->chip[c].txn;
	struct txn t = s->txn[i];

	s->chip[c].state = CHIP_IDLE;
	txn_free(s, i);
	if (t.kind == TXN_FLUSH)
		flush_done(s, t.place);
	else
		part_done(s, t.io, s->now);
}

static void
chip_event(struct ssd *s, uint32_t c)
{
	struct chip *k = &s->chip[c];

	switch (k->state) {
	case CHIP_READ:
		chip_read_ready(s, c);
		break;
	case CHIP_PROGRAM:
		program_done(s, c);
		break;
	case CHIP_ERASE:
		k->state = CHIP_IDLE;
		ftl_erased(&s->ftl, c * s->planes_per_chip + k->gc_plane);
		break;
	default:
		k->state = CHIP_IDLE;
	}
	go_on(s, c);
}

static void
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

/* ------------------------------------------------------------ reads */

/* Sectors of the command that lie in this unit. */
static uint32_t
overlap(const struct ssd *s, const struct disk_io *io, uint32_t unit)
{
	uint64_t a = (uint64_t) unit * s->p->unit_sectors;
	uint64_t b = a + s->p->unit_sectors;
	uint64_t end = io->run_lbn + io->run_blocks;

	if (a < io->run_lbn)
		a = io->run_lbn;
	if (b > end)
		b = end;
	return (uint32_t) (b - a);
}

static uint32_t
first_unit(const struct ssd *s, const struct disk_io *io)
{
	return (uint32_t) (io->run_lbn / s->p->unit_sectors);
}

static uint32_t
last_unit(const struct ssd *s, const struct disk_io *io)
{
	return (uint32_t) ((io->run_lbn + io->run_blocks - 1) /
	    s->p->unit_sectors);
}

/* Where the mapping table's entry of a unit lies. */
static uint32_t
map_plane(const struct ssd *s, uint32_t unit)
{
	return ftl_home_plane(&s->ftl, unit / 1024 * s->ftl.per_page %
	    (uint32_t) s->ftl.units);
}

static void
enqueue_mapped(struct ssd *s, uint32_t i, uint32_t unit)
{
	uint32_t m;

	if (ftl_map_cached(&s->ftl, unit)) {
		enqueue(s, i);
		return;
	}
	m = txn_new(s, TXN_MAP, s->txn[i].io, map_plane(s, unit));
	s->txn[m].sectors = 1;
	s->txn[m].then = i;
	enqueue(s, m);
}

/* What needs no flash: the buffer has it, or nothing was ever there. */
static bool
read_without_flash(struct ssd *s, struct disk_io *io, uint32_t unit,
    uint32_t slot)
{
	uint32_t n = overlap(s, io, unit);

	if (buffer_has(&s->buf, unit)) {
		s->ftl.st.buffer_hits++;
		io->cache_hit = true;
		part_done(s, io, link_time(s, dram_time(s, s->now, n), n));
		return true;
	}
	if (slot != SSD_NONE)
		return false;
	part_done(s, io, link_time(s, s->now, n));
	return true;
}

static void
start_read_io(struct ssd *s, struct disk_io *io)
{
	uint32_t unit = first_unit(s, io), last = last_unit(s, io);
	uint32_t slot, page, i;

	io->dev[0] = 1; /* not over before all parts are known */
	io->dev[1] = s->now;
	while (unit <= last) {
		slot = ftl_lookup(&s->ftl, unit);
		io->dev[0]++;
		if (read_without_flash(s, io, unit, slot)) {
			unit++;
			continue;
		}
		page = ftl_page_of_slot(&s->ftl, slot);
		i = txn_new(s, TXN_READ, io, ftl_plane_of_slot(&s->ftl, slot));
		s->txn[i].odd = page & 1;
		s->txn[i].sectors = overlap(s, io, unit);
		s->ftl.st.page_reads++;
		/* neighbours on the same page come along */
		for (slot++; ++unit <= last && slot / s->ftl.per_page == page &&
		    ftl_lookup(&s->ftl, unit) == slot &&
		    !buffer_has(&s->buf, unit); slot++)
			s->txn[i].sectors += overlap(s, io, unit);
		enqueue_mapped(s, i, unit - 1);
	}
	part_done(s, io, s->now);
}

/* ------------------------------------------------------------ writes */

/* A plane that takes a page of units from anywhere. */
static uint32_t
choose_plane(struct ssd *s, uint32_t unit)
{
	uint32_t plane;

	if (s->ftl.per_page == 1)
		return ftl_home_plane(&s->ftl, unit);
	for (uint32_t i = 0; i < s->ftl.planes; i++) {
		plane = ftl_home_plane(&s->ftl, s->next_plane *
		    s->ftl.per_page);
		s->next_plane = (s->next_plane + 1) % s->ftl.planes;
		if (ftl_can_program(&s->ftl, plane, false))
			return plane;
	}
	return ftl_home_plane(&s->ftl, unit);
}

/* Hand dirty units to the chips, whole pages at a time. */
static void
flush_buffer(struct ssd *s)
{
	bool all = s->flush_head != NULL || s->wait_head != NULL;
	uint32_t i, place, last, n;

	while (s->buf.ndirty >= s->ftl.per_page ||
	    (all && s->buf.ndirty > 0)) {
		i = txn_new(s, TXN_FLUSH, NULL, 0);
		place = last = SSD_NONE;
		for (n = 0; n < s->ftl.per_page && s->buf.ndirty > 0; n++) {
			uint32_t k = buffer_take(&s->buf);

			s->buf.next[k] = SSD_NONE;
			if (last == SSD_NONE)
				place = k;
			else
				s->buf.next[last] = k;
			last = k;
			s->txn[i].partial |= s->buf.partial[k];
		}
		s->txn[i].place = place;
		s->txn[i].sectors = n * s->p->unit_sectors;
		s->txn[i].plane = choose_plane(s, s->buf.unit[place]);
		s->flushing++;
		enqueue(s, i);
	}
}

/* Put a write's units into the buffer; false when there is no room yet. */
static bool
into_buffer(struct ssd *s, struct disk_io *io)
{
	uint32_t unit = first_unit(s, io) + (uint32_t) io->dev[0];
	uint32_t last = last_unit(s, io);

	for (; unit <= last; unit++, io->dev[0]++) {
		if (!buffer_can_put(&s->buf, unit))
			return false;
		buffer_put(&s->buf, unit,
		    overlap(s, io, unit) < s->p->unit_sectors);
		s->ftl.st.host_units++;
	}
	return true;
}

static void
buffer_write(struct ssd *s, struct disk_io *io)
{
	io->dev[0] = 0; /* units put so far */
	if (s->wait_head == NULL && into_buffer(s, io)) {
		post(s, s->now, EV_DONE, 0, io);
	} else {
		io->next = NULL;
		if (s->wait_tail != NULL)
			s->wait_tail->next = io;
		else
			s->wait_head = io;
		s->wait_tail = io;
	}
	flush_buffer(s);
}

/* Places became free: go on with what waits for them. */
static void
retry_waiting(struct ssd *s)
{
	struct disk_io *io;

	while ((io = s->wait_head) != NULL && into_buffer(s, io)) {
		s->wait_head = io->next;
		if (s->wait_head == NULL)
			s->wait_tail = NULL;
		post(s, s->now, EV_DONE, 0, io);
	}
	if (s->buf.ndirty > 0)
		flush_buffer(s);
	while (s->buf.count == 0 && (io = s->flush_head) != NULL) {
		s->flush_head = io->next;
		post(s, s->now, EV_DONE, 0, io);
	}
}

/* Without a buffer: every page goes to its chip, the last one ends it. */
static void
direct_write(struct ssd *s, struct disk_io *io)
{
	uint32_t unit = first_unit(s, io), last = last_unit(s, io), i, n;

	io->dev[0] = 1;
	io->dev[1] = s->now;
	while (unit <= last) {
		i = txn_new(s, TXN_WRITE, io, choose_plane(s, unit));
		s->txn[i].unit = unit;
		s->txn[i].sectors = 0;
		for (n = 0; n < s->ftl.per_page && unit <= last; n++, unit++) {
			s->txn[i].partial |=
			    overlap(s, io, unit) < s->p->unit_sectors;
			s->txn[i].sectors += overlap(s, io, unit);
		}
		s->txn[i].count = n;
		s->ftl.st.host_units += n;
		io->dev[0]++;
		enqueue_mapped(s, i, s->txn[i].unit);
	}
	part_done(s, io, s->now);
}

static void
trim(struct ssd *s, const struct disk_io *io)
{
	uint32_t unit = first_unit(s, io), last = last_unit(s, io);

	for (; unit <= last; unit++) {
		if (overlap(s, io, unit) < s->p->unit_sectors)
			continue; /* only whole units can go */
		buffer_drop(&s->buf, unit);
		ftl_trim(&s->ftl, unit);
	}
}

/* ------------------------------------------------------------ device */

static bool
ssd_room(const void *dev)
{
	const struct ssd *s = dev;

	return s->active < s->p->queue_depth;
}

static void
accept_write(struct ssd *s, struct disk_io *io, uint64_t now)
{
	uint64_t t = link_time(s, now, io->run_blocks);

	io->overhead = s->p->fw_write_ps +
	    (io->run_blocks + 7) / 8 * s->p->fw_write_4k_ps;
	if (s->buf.size == 0)
		post(s, t + io->overhead, EV_DIRECT, 0, io);
	else
		post(s, dram_time(s, t, io->run_blocks) + io->overhead,
		    EV_BUFFER, 0, io);
}

static void
accept_flush(struct ssd *s, struct disk_io *io)
{
	struct disk_io **tail = &s->flush_head;

	if (s->buf.count == 0) {
		post(s, s->now, EV_DONE, 0, io);
		return;
	}
	while (*tail != NULL)
		tail = &(*tail)->next;
	io->next = NULL;
	*tail = io;
	flush_buffer(s);
}

static void
ssd_accept(void *dev, struct disk_io *io, uint64_t now)
{
	struct ssd *s = dev;

	s->now = now;
	s->active++;
	io->start = now;
	switch (io->op) {
	case DISK_READ:
		io->overhead = io->run_blocks <= 8 ? s->p->fw_read_small_ps :
						     s->p->fw_read_ps;
		if (io->overhead == 0)
			start_read_io(s, io);
		else
			post(s, now + io->overhead, EV_START, 0, io);
		break;
	case DISK_WRITE:
		accept_write(s, io, now);
		break;
	case DISK_FLUSH:
		accept_flush(s, io);
		break;
	case DISK_TRIM:
		io->overhead = s->p->fw_write_ps;
		trim(s, io);
		post(s, now + io->overhead, EV_DONE, 0, io);
		break;
	}
}

static uint64_t
ssd_next(const void *dev)
{
	const struct ssd *s = dev;

	return s->nheap == 0 ? DISK_NEVER : s->heap[0].t;
}

static void
ssd_run(void *dev, uint64_t t)
{
	struct ssd *s = dev;
	struct event ev;

	while (s->nheap > 0 && s->heap[0].t <= t) {
		ev = take(s);
		s->now = ev.t;
		switch (ev.kind) {
		case EV_CHIP:
			if (ev.stamp == s->chip[ev.index].stamp)
				chip_event(s, ev.index);
			break;
		case EV_CHANNEL:
			channel_event(s, ev.index);
			break;
		case EV_START:
			start_read_io(s, ev.io);
			break;
		case EV_BUFFER:
			buffer_write(s, ev.io);
			break;
		case EV_DIRECT:
			direct_write(s, ev.io);
			break;
		case EV_DONE:
			done(s, ev.io, ev.t);
			break;
		}
	}
}

static void
ssd_prepare(const void *dev, struct disk_io *io)
{
	io->cyl = 0;
}

static uint64_t
ssd_position(void *dev, struct disk_io *io, uint64_t now,
    uint64_t limit)
{
	return 0;
}

static double
ssd_tie(void *dev, const struct disk_io *io, uint64_t now)
{
	return 0;
}

static uint32_t
ssd_cylinder(const void *dev, uint64_t lbn)
{
	return 0;
}

static void
ssd_flash(const void *dev, struct disk_flash_stats *st)
{
	const struct ssd *s = dev;

	ftl_stats(&s->ftl, st);
}

static void
ssd_destroy(void *dev)
{
	struct ssd *s = dev;

	ftl_destroy(&s->ftl);
	buffer_destroy(&s->buf);
	free(s->chip);
	free(s->channel);
	free(s->txn);
	free(s->heap);
	free(s->scratch);
	free(s);
}

static const struct device_ops ssd_ops = {
	.room = ssd_room,
	.accept = ssd_accept,
	.next = ssd_next,
	.run = ssd_run,
	.prepare = ssd_prepare,
	.position = ssd_position,
	.tie = ssd_tie,
	.cylinder = ssd_cylinder,
	.destroy = ssd_destroy,
	.flash = ssd_flash,
};

static int
ssd_allocate(struct ssd *s)
{
	const struct ssd_params *p = s->p;

	s->nchips = p->channels * p->chips;
	s->planes_per_chip = p->dies * p->planes;
	s->free_txn = SSD_NONE;
	s->chip = calloc(s->nchips, sizeof(*s->chip));
	s->channel = calloc(p->channels, sizeof(*s->channel));
	/* one event of a chip, a channel and a command each */
	s->heap_size = 2 * s->nchips + p->channels + p->queue_depth + 16;
	s->heap = calloc(s->heap_size, sizeof(*s->heap));
	s->scratch = calloc(p->page_sectors / p->unit_sectors,
	    sizeof(uint32_t));
	if (s->chip == NULL || s->channel == NULL || s->heap == NULL ||
	    s->scratch == NULL || ftl_create(&s->ftl, p) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->nchips; i++) {
		s->chip[i].reads.head = s->chip[i].reads.tail = SSD_NONE;
		s->chip[i].writes = s->chip[i].reads;
	}
	for (uint32_t i = 0; i < p->channels; i++)
		s->channel[i].ready_head = s->channel[i].ready_tail = SSD_NONE;
	return buffer_create(&s->buf, p->buffer_units);
}

int
ssd_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err)
{
	struct ssd *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	s->engine = e;
	s->p = &p->ssd;
	if (ssd_allocate(s) != 0) {
		ssd_destroy(s);
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	}
	*out = (struct device) { &ssd_ops, s, p->ssd.capacity, 1 };
	return 0;
}
