/*
 * engine.c: the queue in front of a device, its clock, the injected faults
 * and the statistics. Knows no simulation.
 *
 * Interface: engine.h; disk_engine_complete for the devices.
 * Source:    reference sheet, section 6 (when and among what a request is
 *            selected), section 2.5 (one command at a time).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/disk_int.h"

struct fault_state {
	struct disk_fault f;
	uint64_t seen, struck;
};

struct disk_engine {
	const struct disk_params *params;
	struct device dev;
	struct sched_state sched;
	struct disk_queue queue;
	uint32_t in_service;
	uint64_t active_since; /* in_service became 1 */
	bool barrier; /* an ordered request is in service */
	bool gone;
	uint64_t now;
	uint64_t seq;
	struct disk_io *done_head, *done_tail; /* completions, by time */
	struct fault_state fault[DISK_MAXFAULTS];
	uint32_t nfaults;
	struct disk_engine_stats st;
};

/* ------------------------------------------------------------ life */

int
disk_engine_set_scheduler(struct disk_engine *e, const char *name,
    struct sim_err *err)
{
	int error = sched_init(&e->sched, name, err);

	if (error == 0)
		sched_adopt(&e->sched, &e->queue, &e->dev);
	return error;
}

const char *
disk_engine_scheduler(const struct disk_engine *e)
{
	return e->sched.name;
}

bool
disk_engine_hands_over(const struct disk_engine *e)
{
	return sched_hands_over(&e->sched);
}

int
disk_engine_add_fault(struct disk_engine *e, const struct disk_fault *f)
{
	if (e->nfaults == DISK_MAXFAULTS)
		return -ENOSPC;
	e->fault[e->nfaults++] = (struct fault_state) { .f = *f };
	return 0;
}

static int
engine_device(struct disk_engine *e, struct sim_err *err)
{
	const struct disk_params *p = e->params;

	switch (p->family) {
	case DISK_HDD:
		return hdd_create(e, p, &e->dev, err);
	case DISK_SSD:
		return ssd_create(e, p, &e->dev, err);
	case DISK_FIXED:
		return fixed_create(e, p, &e->dev, err);
	default:
		return sim_err_set(err, EINVAL, "%s: unknown family", p->id);
	}
}

int
disk_engine_create(const struct disk_params *params, struct disk_engine **out,
    struct sim_err *err)
{
	struct disk_engine *e = calloc(1, sizeof(*e));
	int error;

	*out = NULL;
	if (e == NULL)
		return sim_err_set(err, ENOMEM, "%s: out of memory",
		    params->id);
	e->params = params;
	error = sched_init(&e->sched,
	    params->scheduler[0] != '\0' ? params->scheduler : "fcfs", err);
	if (error == 0)
		error = engine_device(e, err);
	if (error != 0) {
		free(e);
		return error;
	}
	sched_adopt(&e->sched, &e->queue, &e->dev);
	for (uint32_t i = 0; i < params->nfaults; i++)
		disk_engine_add_fault(e, &params->faults[i]);
	*out = e;
	return 0;
}

void
disk_engine_destroy(struct disk_engine *e)
{
	if (e == NULL)
		return;
	e->dev.ops->destroy(e->dev.dev);
	queue_destroy(&e->queue);
	free(e);
}

uint64_t
disk_engine_sectors(const struct disk_engine *e)
{
	return e->dev.sectors;
}

uint64_t
disk_engine_now(const struct disk_engine *e)
{
	return e->now;
}

bool
disk_engine_flash(const struct disk_engine *e, struct disk_flash_stats *st)
{
	if (e->dev.ops->flash == NULL)
		return false;
	e->dev.ops->flash(e->dev.dev, st);
	return true;
}

uint32_t
disk_engine_cylinder(const struct disk_engine *e, uint64_t lbn)
{
	return e->dev.ops->cylinder(e->dev.dev, lbn);
}

/* ------------------------------------------------------------ completions */

/* Insert into a list ordered by finish; equal ones keep their order. */
static void
done_insert(struct disk_engine *e, struct disk_io *io)
{
	struct disk_io *p = e->done_tail;

	while (p != NULL && p->finish > io->finish)
		p = p->prev;
	io->prev = p;
	io->next = p != NULL ? p->next : e->done_head;
	if (io->next != NULL)
		io->next->prev = io;
	else
		e->done_tail = io;
	if (p != NULL)
		p->next = io;
	else
		e->done_head = io;
}

/* ------------------------------------------------------------ faults */

static bool
fault_matches(const struct disk_fault *f, const struct disk_io *io)
{
	uint32_t op;

	if (io->arrival < f->at_ps)
		return false;
	if (f->kind == FAULT_GONE)
		return true;
	if (io->op != DISK_READ && io->op != DISK_WRITE)
		return false;
	op = io->op == DISK_READ ? FAULT_ON_READ : FAULT_ON_WRITE;
	return (f->ops & op) != 0 && io->lbn <= f->last_lbn &&
	    io->lbn + io->blocks > f->first_lbn;
}

static void
fault_strike(struct disk_engine *e, const struct disk_fault *f,
    struct disk_io *io)
{
	switch (f->kind) {
	case FAULT_MEDIA:
		io->error = EIO;
		io->good_blocks = f->first_lbn > io->lbn ?
		    (uint32_t) (f->first_lbn - io->lbn) : 0;
		break;
	case FAULT_TORN:
		io->error = EIO;
		io->good_blocks = f->sectors < io->blocks ? f->sectors :
		    io->blocks - 1;
		break;
	case FAULT_TIMEOUT:
		io->error = ETIMEDOUT;
		io->good_blocks = 0;
		io->finish = io->arrival + f->delay_ps;
		io->hold = true;
		break;
	case FAULT_GONE:
		e->gone = true;
		break;
	}
}

/* What the faults make of a request that has just arrived. */
static void
fault_check(struct disk_engine *e, struct disk_io *io)
{
	for (uint32_t i = 0; i < e->nfaults; i++) {
		struct fault_state *fs = &e->fault[i];

		if (!fault_matches(&fs->f, io))
			continue;
		if (fs->seen++ < fs->f.after)
			continue;
		if (fs->f.times != 0 && fs->struck >= fs->f.times)
			continue;
		fs->struck++;
		fault_strike(e, &fs->f, io);
		if (e->gone || io->error != 0)
			return;
	}
}

/* ------------------------------------------------------------ service */

static void
account(struct disk_engine *e, const struct disk_io *io)
{
	struct disk_engine_stats *st = &e->st;

	switch (io->op) {
	case DISK_READ:
		st->reads++;
		st->sectors_read += io->good_blocks;
		break;
	case DISK_WRITE:
		st->writes++;
		st->sectors_written += io->good_blocks;
		break;
	case DISK_FLUSH:
		st->flushes++;
		break;
	case DISK_TRIM:
		st->trims++;
		break;
	}
	st->errors += io->error != 0;
	st->cache_hits += io->cache_hit;
	st->queued += io->start - io->arrival;
	st->overhead += io->overhead;
	st->seek += io->seek;
	st->rotation += io->rotation;
	st->transfer += io->transfer;
	st->queue_length--;
}

/* End without service: the device never saw it, or gave no answer. */
static void
fail(struct disk_engine *e, struct disk_io *io, int error, uint64_t t)
{
	io->error = error;
	io->good_blocks = 0;
	io->start = io->finish = t;
	account(e, io);
	done_insert(e, io);
}

void
disk_engine_complete(struct disk_engine *e, struct disk_io *io, uint64_t t)
{
	struct disk_io *m, *next;

	e->now = t;
	if (--e->in_service == 0)
		e->st.active += t - e->active_since;
	if (io->ordered)
		e->barrier = false;
	e->st.busy += t - io->start;
	for (m = io->merged; m != NULL; m = next) {
		next = m->merged;
		m->start = io->start;
		m->finish = t;
		m->overhead = io->overhead;
		m->seek = io->seek;
		m->rotation = io->rotation;
		m->transfer = io->transfer;
		m->cache_hit = io->cache_hit;
		account(e, m);
		done_insert(e, m);
	}
	io->finish = t;
	account(e, io);
	done_insert(e, io);
}

static void
dispatch(struct disk_engine *e)
{
	struct disk_io *io;

	while (e->queue.head != NULL && !e->barrier &&
	    e->dev.ops->room(e->dev.dev)) {
		if (e->queue.barrier == e->queue.head) {
			if (e->in_service > 0)
				return;
			io = e->queue.head;
			e->barrier = true;
		} else
			io = sched_pick(&e->sched, &e->queue, &e->dev, e->now);
		queue_remove(&e->queue, io);
		sched_dispatched(&e->sched, io);
		if (e->in_service++ == 0)
			e->active_since = e->now;
		e->dev.ops->accept(e->dev.dev, io, e->now);
	}
}

static void
everything_fails(struct disk_engine *e)
{
	struct disk_io *io;

	while ((io = e->queue.head) != NULL) {
		queue_remove(&e->queue, io);
		fail(e, io, ENXIO, e->now);
	}
}

/* Join a waiting neighbour; the two are then one command. */
static bool
merge(struct disk_engine *e, struct disk_io *io)
{
	struct disk_io *w = sched_merge(&e->sched, &e->queue, io);

	if (w == NULL)
		return false;
	queue_unplace(&e->queue, w);
	if (io->lbn < w->run_lbn)
		w->run_lbn = io->lbn;
	w->run_blocks += io->blocks;
	e->dev.ops->prepare(e->dev.dev, w);
	queue_place(&e->queue, w);
	if (w->merged == NULL)
		w->merged = io;
	else
		w->merged_tail->merged = io;
	w->merged_tail = io;
	e->st.merged++;
	return true;
}

void
disk_engine_submit(struct disk_engine *e, struct disk_io *io)
{
	if (io->arrival > e->now)
		disk_engine_advance(e, io->arrival);
	io->seq = ++e->seq;
	io->overhead = io->seek = io->rotation = io->transfer = 0;
	io->error = 0;
	io->good_blocks = io->blocks;
	io->cache_hit = io->hold = false;
	io->merged = io->merged_tail = NULL;
	io->run_lbn = io->lbn;
	io->run_blocks = io->blocks;
	if (++e->st.queue_length > e->st.queue_max)
		e->st.queue_max = e->st.queue_length;
	if (e->nfaults > 0)
		fault_check(e, io);
	if (e->gone) {
		everything_fails(e);
		fail(e, io, ENXIO, io->arrival);
		return;
	}
	if (io->op != DISK_FLUSH && (io->blocks == 0 ||
	    io->lbn >= e->dev.sectors ||
	    io->blocks > e->dev.sectors - io->lbn)) {
		fail(e, io, EINVAL, io->arrival);
		return;
	}
	if (io->hold) {
		fail(e, io, ETIMEDOUT, io->finish);
		return;
	}
	if (io->op == DISK_FLUSH)
		io->cyl = 0;
	else if (merge(e, io))
		return;
	else
		e->dev.ops->prepare(e->dev.dev, io);
	queue_append(&e->queue, io);
	dispatch(e);
}

uint64_t
disk_engine_next(const struct disk_engine *e)
{
	uint64_t t = e->dev.ops->next(e->dev.dev);

	if (e->done_head != NULL && e->done_head->finish < t)
		t = e->done_head->finish;
	return t;
}

void
disk_engine_advance(struct disk_engine *e, uint64_t t)
{
	uint64_t next;

	while ((next = e->dev.ops->next(e->dev.dev)) <= t &&
	    next != DISK_NEVER) {
		e->dev.ops->run(e->dev.dev, t);
		dispatch(e);
	}
	if (t > e->now && t != DISK_NEVER)
		e->now = t;
}

void
disk_engine_run(struct disk_engine *e, uint64_t t)
{
	uint64_t next;

	while (disk_engine_peek(e) > e->now) {
		if (disk_engine_peek(e) < t)
			t = disk_engine_peek(e);
		next = e->dev.ops->next(e->dev.dev);
		if (next > t || next == DISK_NEVER)
			break;
		e->dev.ops->run(e->dev.dev, t);
		dispatch(e);
	}
	/* the rest of this moment: a command may take no time */
	disk_engine_advance(e, disk_engine_peek(e) > e->now ? t : e->now);
}

uint64_t
disk_engine_peek(const struct disk_engine *e)
{
	return e->done_head == NULL ? DISK_NEVER : e->done_head->finish;
}

struct disk_io *
disk_engine_pop(struct disk_engine *e)
{
	struct disk_io *io = e->done_head;

	if (io == NULL || io->finish > e->now)
		return NULL;
	e->done_head = io->next;
	if (io->next != NULL)
		io->next->prev = NULL;
	else
		e->done_tail = NULL;
	io->next = io->prev = NULL;
	return io;
}

void
disk_engine_get_stats(const struct disk_engine *e,
    struct disk_engine_stats *st)
{
	*st = e->st;
}
