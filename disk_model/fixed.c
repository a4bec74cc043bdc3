/*
 * fixed.c: devices for control experiments. A command takes a latency and a
 * time per sector, whatever the address: the RAM disk (latency about 0) and
 * the fixed-latency disk are parameter sets of it.
 *
 * Interface: fixed_create (disk_int.h).
 * Source:    reference sheet, section 1.3 ("constant time" models).
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/disk_int.h"

struct fixed {
	struct disk_engine *engine;
	const struct fixed_params *p;
	struct disk_io **heap; /* in service, earliest finish first */
	uint32_t count, size;
};

static bool
before(const struct disk_io *a, const struct disk_io *b)
{
	return a->finish < b->finish ||
	    (a->finish == b->finish && a->seq < b->seq);
}

static void
heap_up(struct fixed *f, uint32_t i, struct disk_io *io)
{
	while (i > 0 && before(io, f->heap[(i - 1) / 2])) {
		f->heap[i] = f->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	f->heap[i] = io;
}

static struct disk_io *
heap_pop(struct fixed *f)
{
	struct disk_io *top = f->heap[0], *io = f->heap[--f->count];
	uint32_t i = 0, c;

	while ((c = 2 * i + 1) < f->count) {
		if (c + 1 < f->count && before(f->heap[c + 1], f->heap[c]))
			c++;
		if (!before(f->heap[c], io))
			break;
		f->heap[i] = f->heap[c];
		i = c;
	}
	f->heap[i] = io;
	return top;
}

static bool
fixed_room(const void *dev)
{
	const struct fixed *f = dev;

	return f->count < f->size;
}

static void
fixed_accept(void *dev, struct disk_io *io, uint64_t now)
{
	struct fixed *f = dev;

	io->start = now;
	switch (io->op) {
	case DISK_READ:
		io->overhead = f->p->read_ps;
		break;
	case DISK_WRITE:
		io->overhead = f->p->write_ps;
		break;
	default:
		io->overhead = 0;
	}
	if (io->op == DISK_READ || io->op == DISK_WRITE)
		io->transfer = io->run_blocks * f->p->sector_ps;
	io->finish = now + io->overhead + io->transfer;
	heap_up(f, f->count++, io);
}

static uint64_t
fixed_next(const void *dev)
{
	const struct fixed *f = dev;

	return f->count == 0 ? DISK_NEVER : f->heap[0]->finish;
}

static void
fixed_run(void *dev, uint64_t t)
{
	struct fixed *f = dev;

	t = f->heap[0]->finish;
	while (f->count > 0 && f->heap[0]->finish == t) {
		struct disk_io *io = heap_pop(f);

		disk_engine_complete(f->engine, io, io->finish);
	}
}

static void
fixed_prepare(const void *dev, struct disk_io *io)
{
	io->cyl = 0;
}

static uint32_t
fixed_cylinder(const void *dev, uint64_t lbn)
{
	return 0;
}

static void
fixed_destroy(void *dev)
{
	struct fixed *f = dev;

	free(f->heap);
	free(f);
}

static const struct device_ops fixed_ops = {
	.room = fixed_room,
	.accept = fixed_accept,
	.next = fixed_next,
	.run = fixed_run,
	.prepare = fixed_prepare,
	.cylinder = fixed_cylinder,
	.destroy = fixed_destroy,
};

/* Commands in service at once when the parameters set no limit. */
#define FIXED_DEPTH_MAX 65536

int
fixed_create(struct disk_engine *e, const struct disk_params *p,
    struct device *out, struct sim_err *err)
{
	struct fixed *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	f->engine = e;
	f->p = &p->fixed;
	f->size = p->fixed.queue_depth;
	if (f->size == 0 || f->size > FIXED_DEPTH_MAX)
		f->size = FIXED_DEPTH_MAX;
	f->heap = calloc(f->size, sizeof(struct disk_io *));
	if (f->heap == NULL) {
		free(f);
		return sim_err_set(err, ENOMEM, "%s: out of memory", p->id);
	}
	*out = (struct device) { &fixed_ops, f, p->fixed.sectors, 1 };
	return 0;
}
