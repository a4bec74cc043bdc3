/*
 * ssd.c: a flash device: host link, firmware, write buffer, and what a command
 * asks of the chips.
 *
 * Interface: ssd_create (disk_int.h).
 * Source:    reference sheet, sections 4.1 to 4.4. With chips and channels as
 *            in ssd_chip.c the sheet's means at queue depths 4, 16 and 64 come
 *            out within 1 %.
 * Differs:   the mapping entries of buffered writes are taken to be at hand.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/ssd_dev.h"

/* Something of a command at time t. */
static void
post_io(struct ssd *s, uint64_t t, enum event_kind kind, struct disk_io *io)
{
	struct event *ev = events_post(&s->events,
	    kind == EV_DONE ? LANE_DONE : LANE_ARRIVAL, t);

	ev->what = kind;
	ev->io = io;
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
		post_io(s, io->dev[1], EV_DONE, io);
}

void
ssd_page_read(struct ssd *s, struct disk_io *io, uint32_t sectors)
{
	part_done(s, io, link_time(s, s->now, sectors));
}

void
ssd_page_programmed(struct ssd *s, struct disk_io *io)
{
	part_done(s, io, s->now);
}

static void
done(struct ssd *s, struct disk_io *io, uint64_t t)
{
	s->active--;
	io->transfer = t - io->start - io->overhead;
	disk_engine_complete(s->engine, io, t);
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
		txn_enqueue(s, i);
		return;
	}
	m = txn_new(s, TXN_MAP, s->txn[i].io, map_plane(s, unit));
	s->txn[m].sectors = 1;
	s->txn[m].then = i;
	txn_enqueue(s, m);
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

			s->buf.place[k].next = SSD_NONE;
			if (last == SSD_NONE)
				place = k;
			else
				s->buf.place[last].next = k;
			last = k;
			s->txn[i].partial |= s->buf.place[k].partial;
		}
		s->txn[i].place = place;
		s->txn[i].unit = s->buf.place[place].unit;
		s->txn[i].sectors = n * s->p->unit_sectors;
		s->txn[i].plane = choose_plane(s, s->txn[i].unit);
		txn_enqueue(s, i);
	}
}

/* Put a write's units into the buffer; false when there is no room yet. */
static bool
into_buffer(struct ssd *s, struct disk_io *io)
{
	uint32_t unit = first_unit(s, io) + (uint32_t) io->dev[0];
	uint32_t last = last_unit(s, io);

	for (; unit <= last; unit++, io->dev[0]++) {
		if (!buffer_put(&s->buf, unit,
		    overlap(s, io, unit) < s->p->unit_sectors))
			return false;
		s->ftl.st.host_units++;
	}
	return true;
}

static void
buffer_write(struct ssd *s, struct disk_io *io)
{
	io->dev[0] = 0; /* units put so far */
	if (s->wait_head == NULL && into_buffer(s, io)) {
		post_io(s, s->now, EV_DONE, io);
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
		post_io(s, s->now, EV_DONE, io);
	}
	if (s->buf.ndirty > 0)
		flush_buffer(s);
	while (s->buf.count == 0 && (io = s->flush_head) != NULL) {
		s->flush_head = io->next;
		post_io(s, s->now, EV_DONE, io);
	}
}

void
ssd_flushed(struct ssd *s, uint32_t place)
{
	uint32_t next;

	for (; place != SSD_NONE; place = next) {
		next = s->buf.place[place].next;
		buffer_release(&s->buf, place);
	}
	retry_waiting(s);
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
		chip_settle_unit(s, unit);
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

	ftl_prefetch_unit(&s->ftl, first_unit(s, io));
	io->overhead = s->p->fw_write_ps +
	    (io->run_blocks + 7) / 8 * s->p->fw_write_4k_ps;
	if (s->buf.size == 0)
		post_io(s, t + io->overhead, EV_DIRECT, io);
	else {
		buffer_prefetch(&s->buf, first_unit(s, io));
		post_io(s, dram_time(s, t, io->run_blocks) +
		    io->overhead, EV_BUFFER, io);
	}
}

static void
accept_flush(struct ssd *s, struct disk_io *io)
{
	struct disk_io **tail = &s->flush_head;

	if (s->buf.count == 0) {
		post_io(s, s->now, EV_DONE, io);
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
		else {
			ftl_prefetch_unit(&s->ftl, first_unit(s, io));
			post_io(s, now + io->overhead, EV_START, io);
		}
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
		post_io(s, now + io->overhead, EV_DONE, io);
		break;
	}
}

static uint64_t
ssd_next(const void *dev)
{
	const struct ssd *s = dev;

	return s->events.next;
}

static void
ssd_run(void *dev, uint64_t t)
{
	struct ssd *s = dev;
	struct event ev;

	while (s->events.next <= t && s->events.next != DISK_NEVER) {
		events_take(&s->events, &ev);
		s->now = ev.t;
		switch (event_kind(&ev)) {
		case EV_CHIP:
			chip_event(s, event_index(&ev), ev.stamp);
			break;
		case EV_CHANNEL:
			channel_event(s, event_index(&ev));
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
			t = ev.t;
			break;
		}
	}
}

static void
ssd_prepare(const void *dev, struct disk_io *io)
{
	io->cyl = 0;
}

static uint32_t
ssd_cylinder(const void *dev, uint64_t lbn)
{
	return 0;
}

static void
ssd_flash(void *dev, struct disk_flash_stats *st)
{
	struct ssd *s = dev;

	chips_settle(s);
	ftl_stats(&s->ftl, st);
}

static void
ssd_destroy(void *dev)
{
	struct ssd *s = dev;

	ftl_destroy(&s->ftl);
	buffer_destroy(&s->buf);
	chips_destroy(s);
	events_destroy(&s->events);
	free(s->scratch);
	free(s);
}

static const struct device_ops ssd_ops = {
	.room = ssd_room,
	.accept = ssd_accept,
	.next = ssd_next,
	.run = ssd_run,
	.prepare = ssd_prepare,
	.cylinder = ssd_cylinder,
	.destroy = ssd_destroy,
	.flash = ssd_flash,
};

static int
ssd_allocate(struct ssd *s)
{
	const struct ssd_params *p = s->p;

	s->scratch = calloc(p->page_sectors / p->unit_sectors,
	    sizeof(uint32_t));
	if (s->scratch == NULL || chips_create(s) != 0 ||
	    events_create(&s->events, s->nchips + p->channels) != 0 ||
	    ftl_create(&s->ftl, p) != 0)
		return -ENOMEM;
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
