/*
 * queue.c: requests that wait.
 *
 * The orders of place are plain sorted arrays: to move some kilobytes costs
 * less than to follow the links of a tree, up to queues of thousands.
 *
 * Interface: queue.h.
 * Source:    our own.
 */
#include <stdlib.h>
#include <string.h>

#include "disk_model/queue.h"

/* ------------------------------------------------------------ place */

uint32_t
order_block(const struct queue_order *o, uint64_t lbn)
{
	const struct queue_entry *e = o->e;
	uint32_t n = o->n, half;

	while (n > 0) {
		half = n / 2;
		if (e[half].lbn < lbn) {
			e += half + 1;
			n -= half + 1;
		} else
			n = half;
	}
	return (uint32_t) (e - o->e);
}

uint32_t
order_cylinder(const struct queue_order *o, uint32_t cyl)
{
	const struct queue_entry *e = o->e;
	uint32_t n = o->n, half;

	while (n > 0) {
		half = n / 2;
		if (e[half].cyl < cyl) {
			e += half + 1;
			n -= half + 1;
		} else
			n = half;
	}
	return (uint32_t) (e - o->e);
}

static void
order_grow(struct queue_order *o)
{
	o->room = o->room == 0 ? 64 : 2 * o->room;
	o->e = realloc(o->e, o->room * sizeof(*o->e));
	if (o->e == NULL)
		abort(); /* the host is out of memory */
}

static void
order_insert(struct queue_order *o, struct disk_io *io)
{
	uint32_t i = order_block(o, io->run_lbn);

	while (i < o->n && o->e[i].lbn == io->run_lbn &&
	    o->e[i].io->rank < io->rank)
		i++;
	if (o->n == o->room)
		order_grow(o);
	memmove(&o->e[i + 1], &o->e[i], (o->n - i) * sizeof(*o->e));
	o->e[i].lbn = io->run_lbn;
	o->e[i].io = io;
	o->e[i].place = io->dev[0];
	o->e[i].cyl = io->cyl;
	o->n++;
}

static void
order_remove(struct queue_order *o, const struct disk_io *io)
{
	uint32_t i = order_block(o, io->run_lbn);

	while (o->e[i].io != io)
		i++;
	o->n--;
	memmove(&o->e[i], &o->e[i + 1], (o->n - i) * sizeof(*o->e));
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
			abort(); /* the host is out of memory */
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
		q->order[c].n = 0;
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
	for (unsigned c = 0; c < QUEUE_CLASSES; c++)
		free(q->order[c].e);
	free(q->watch);
}
