/*
 * queue.c: requests that wait.
 *
 * An order of place is a list of sorted arrays of some dozens of requests: to
 * move a kilobyte costs less than to follow the links of a tree.
 *
 * Interface: queue.h.
 * Source:    our own.
 */
#include <stdlib.h>
#include <string.h>

#include "disk_model/queue.h"
#include "sim/base/sim.h"

/* ------------------------------------------------------------ place */

/* The first chunk whose last entry's block is not below. */
static uint32_t
chunk_of_block(const struct queue_order *o, uint64_t lbn)
{
	uint32_t lo = 0, hi = o->nchunks, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (o->chunk[mid]->e[o->chunk[mid]->n - 1].lbn < lbn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct queue_at
order_block(const struct queue_order *o, uint64_t lbn)
{
	struct queue_at at = { chunk_of_block(o, lbn), 0 };
	const struct queue_entry *first, *e;
	uint32_t n, half;

	if (at.chunk == o->nchunks)
		return at;
	first = e = o->chunk[at.chunk]->e;
	for (n = o->chunk[at.chunk]->n; n > 0;) {
		half = n / 2;
		if (e[half].lbn < lbn) {
			e += half + 1;
			n -= half + 1;
		} else
			n = half;
	}
	at.i = (uint32_t) (e - first);
	return at;
}

struct queue_at
order_cylinder(const struct queue_order *o, uint32_t cyl)
{
	uint32_t lo = 0, hi = o->nchunks, mid;
	struct queue_at at = { 0, 0 };

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (o->chunk[mid]->e[o->chunk[mid]->n - 1].cyl < cyl)
			lo = mid + 1;
		else
			hi = mid;
	}
	at.chunk = lo;
	if (lo == o->nchunks)
		return at;
	for (lo = 0, hi = o->chunk[at.chunk]->n; lo < hi;) {
		mid = (lo + hi) / 2;
		if (o->chunk[at.chunk]->e[mid].cyl < cyl)
			lo = mid + 1;
		else
			hi = mid;
	}
	at.i = lo;
	return at;
}

static struct queue_chunk *
chunk_new(struct queue_order *o)
{
	struct queue_chunk *k = o->spare;

	o->spare = NULL;
	if (k == NULL && (k = malloc(sizeof(*k))) == NULL)
		sim_nomem(NULL, "the queue of a disk");
	k->n = 0;
	return k;
}

static void
chunk_insert(struct queue_order *o, uint32_t at, struct queue_chunk *k)
{
	if (o->nchunks == o->room) {
		o->room = o->room == 0 ? 16 : 2 * o->room;
		o->chunk = realloc(o->chunk, o->room * sizeof(k));
		if (o->chunk == NULL)
			sim_nomem(NULL, "the queue of a disk");
	}
	memmove(&o->chunk[at + 1], &o->chunk[at],
	    (o->nchunks - at) * sizeof(k));
	o->chunk[at] = k;
	o->nchunks++;
}

static void
chunk_remove(struct queue_order *o, uint32_t at)
{
	free(o->spare);
	o->spare = o->chunk[at];
	o->nchunks--;
	memmove(&o->chunk[at], &o->chunk[at + 1],
	    (o->nchunks - at) * sizeof(o->spare));
}

/* The upper half of a full chunk becomes the next one. */
static void
chunk_split(struct queue_order *o, uint32_t at)
{
	struct queue_chunk *a = o->chunk[at], *b = chunk_new(o);

	b->n = a->n / 2;
	a->n -= b->n;
	memcpy(b->e, &a->e[a->n], b->n * sizeof(b->e[0]));
	chunk_insert(o, at + 1, b);
}

/* Where a request belongs: behind those of the same block that came before. */
static struct queue_at
place_of(const struct queue_order *o, const struct disk_io *io)
{
	struct queue_at at = order_block(o, io->run_lbn);
	const struct queue_entry *e;

	while ((e = order_at(o, at)) != NULL && e->lbn == io->run_lbn &&
	    e->io->rank < io->rank)
		at = order_next(o, at);
	return at;
}

static void
order_insert(struct queue_order *o, struct disk_io *io)
{
	struct queue_at at = place_of(o, io);
	struct queue_chunk *k;

	if (o->nchunks == 0)
		chunk_insert(o, 0, chunk_new(o));
	if (at.i == 0 && at.chunk > 0) {
		/* rather at the end of the chunk before */
		at.chunk--;
		at.i = o->chunk[at.chunk]->n;
	}
	if (o->chunk[at.chunk]->n == QUEUE_CHUNK) {
		chunk_split(o, at.chunk);
		if (at.i > o->chunk[at.chunk]->n) {
			at.i -= o->chunk[at.chunk]->n;
			at.chunk++;
		}
	}
	k = o->chunk[at.chunk];
	memmove(&k->e[at.i + 1], &k->e[at.i],
	    (k->n - at.i) * sizeof(k->e[0]));
	k->e[at.i].lbn = io->run_lbn;
	k->e[at.i].io = io;
	k->e[at.i].place = io->dev[0];
	k->e[at.i].cyl = io->cyl;
	k->n++;
	o->n++;
}

static void
order_remove(struct queue_order *o, const struct disk_io *io)
{
	struct queue_at at = place_of(o, io);
	struct queue_chunk *k = o->chunk[at.chunk];

	o->n--;
	k->n--;
	memmove(&k->e[at.i], &k->e[at.i + 1],
	    (k->n - at.i) * sizeof(k->e[0]));
	if (k->n == 0)
		chunk_remove(o, at.chunk);
}

static void
order_clear(struct queue_order *o)
{
	for (uint32_t i = 0; i < o->nchunks; i++)
		free(o->chunk[i]);
	o->n = o->nchunks = 0;
}

/* ------------------------------------------------------------ watching */

static void
watch_append(struct disk_queue *q, struct disk_io *io)
{
	if (q->nwatch == q->watch_room) {
		q->watch_room = q->watch_room == 0 ? 16 : 2 * q->watch_room;
		q->watch = realloc(q->watch, q->watch_room *
		    sizeof(struct disk_io *));
		if (q->watch == NULL)
			sim_nomem(NULL, "the queue of a disk");
	}
	q->watch[q->nwatch++] = io;
}

void
queue_watch(struct disk_queue *q, struct disk_io *io)
{
	for (uint32_t i = 0; i < q->nwatch; i++)
		if (q->watch[i] == io)
			return;
	watch_append(q, io);
}

void
queue_unwatch(struct disk_queue *q, uint32_t i)
{
	q->watch[i] = q->watch[--q->nwatch];
}

/* ------------------------------------------------------------ barriers */

/* Is it before the first barrier, and none itself? */
static bool
may_be_chosen(const struct disk_queue *q, const struct disk_io *io)
{
	return q->barrier == NULL || io->rank < q->barrier->rank;
}

void
queue_place(struct disk_queue *q, struct disk_io *io)
{
	if (!q->sorted || !may_be_chosen(q, io))
		return;
	order_insert(&q->order[queue_class(io)], io);
	if (q->watched)
		watch_append(q, io);
}

void
queue_unplace(struct disk_queue *q, struct disk_io *io)
{
	if (!q->sorted || !may_be_chosen(q, io))
		return;
	order_remove(&q->order[queue_class(io)], io);
	for (uint32_t i = 0; i < q->nwatch; i++)
		if (q->watch[i] == io) {
			queue_unwatch(q, i);
			return;
		}
}

/* The barrier has gone: what waited behind it, up to the next. */
static void
place_behind(struct disk_queue *q, struct disk_io *io)
{
	q->barrier = NULL;
	for (struct disk_io *i = io; i != NULL; i = i->next)
		if (i->ordered) {
			q->barrier = i;
			break;
		}
	for (; io != q->barrier; io = io->next)
		queue_place(q, io);
}

void
queue_keep(struct disk_queue *q, bool sorted, bool watched)
{
	for (unsigned c = 0; c < QUEUE_CLASSES; c++)
		order_clear(&q->order[c]);
	q->nwatch = 0;
	q->noted = 0;
	q->sorted = sorted;
	q->watched = watched;
	for (struct disk_io *io = q->head; io != q->barrier; io = io->next)
		queue_place(q, io);
}

/* ------------------------------------------------------------ arrival */

void
queue_append(struct disk_queue *q, struct disk_io *io)
{
	unsigned c = queue_class(io);

	io->rank = q->rank++;
	io->next = NULL;
	io->prev = q->tail;
	if (q->tail != NULL)
		q->tail->next = io;
	else
		q->head = io;
	q->tail = io;
	q->count++;
	if (q->first[c] == NULL)
		q->first[c] = io;
	if (io->ordered && q->barrier == NULL)
		q->barrier = io;
	queue_place(q, io);
}

void
queue_remove(struct disk_queue *q, struct disk_io *io)
{
	unsigned c = queue_class(io);
	struct disk_io *i = io->next;

	if (q->first[c] == io) {
		while (i != NULL && queue_class(i) != c)
			i = i->next;
		q->first[c] = i;
	}
	if (io != q->barrier)
		queue_unplace(q, io);
	if (io->prev != NULL)
		io->prev->next = io->next;
	else
		q->head = io->next;
	if (io->next != NULL)
		io->next->prev = io->prev;
	else
		q->tail = io->prev;
	q->count--;
	if (io == q->barrier)
		place_behind(q, io->next);
}

void
queue_destroy(struct disk_queue *q)
{
	for (unsigned c = 0; c < QUEUE_CLASSES; c++) {
		order_clear(&q->order[c]);
		free(q->order[c].chunk);
		free(q->order[c].spare);
	}
	free(q->watch);
}
