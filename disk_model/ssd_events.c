/*
 * ssd_events.c: the events of a flash device, in order of time, then in the
 * order in which they were posted.
 *
 * Interface: ssd_events.h.
 * Source:    our own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/ssd_events.h"
#include "sim/base/sim.h"

static bool
earlier(const struct event *a, const struct event *b)
{
	if (a->t != b->t)
		return a->t < b->t;
	return a->seq < b->seq;
}

/* ------------------------------------------------------------ heap */

static void
heap_grow(struct events *q)
{
	q->heap_size *= 2;
	q->heap = realloc(q->heap, q->heap_size * sizeof(*q->heap));
	if (q->heap == NULL)
		sim_nomem(NULL, "events of a flash device");
}

static struct event *
heap_insert(struct events *q, const struct event *ev)
{
	uint32_t i;

	if (q->nheap == q->heap_size)
		heap_grow(q);
	for (i = q->nheap++; i > 0 && earlier(ev, &q->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = *ev;
	q->first[LANE_HEAP] = q->heap[0].t;
	return &q->heap[i];
}

struct event *
events_post_heap(struct events *q, uint64_t t)
{
	struct event ev = { .t = t, .seq = ++q->seq }, *place;

	place = heap_insert(q, &ev);
	if (t <= q->next)
		events_find_next(q);
	return place;
}

void
events_take_heap(struct events *q, struct event *out)
{
	struct event last = q->heap[--q->nheap];
	uint32_t i = 0, c;

	*out = q->heap[0];
	while ((c = 2 * i + 1) < q->nheap) {
		if (c + 1 < q->nheap && earlier(&q->heap[c + 1], &q->heap[c]))
			c++;
		if (!earlier(&q->heap[c], &last))
			break;
		q->heap[i] = q->heap[c];
		i = c;
	}
	q->heap[i] = last;
	q->first[LANE_HEAP] = q->nheap > 0 ? q->heap[0].t : DISK_NEVER;
}

/* ------------------------------------------------------------ lanes */

static const struct event *
first_of(const struct events *q, uint32_t i)
{
	return i == LANE_HEAP ? &q->heap[0] : &q->lane[i].ev[q->lane[i].head];
}

void
events_first_of_equals(struct events *q)
{
	if (q->next == DISK_NEVER)
		return;
	for (uint32_t i = q->from + 1; i < NFIRST; i++)
		if (q->first[i] == q->next &&
		    earlier(first_of(q, i), first_of(q, q->from)))
			q->from = i;
}

void
events_lane_grow(struct lane *l)
{
	uint32_t size = l->mask + 1;
	struct event *ev = malloc(2 * size * sizeof(*ev));

	if (ev == NULL)
		sim_nomem(NULL, "events of a flash device");
	for (uint32_t i = 0; i < l->count; i++)
		ev[i] = l->ev[(l->head + i) & l->mask];
	free(l->ev);
	l->ev = ev;
	l->head = 0;
	l->mask = 2 * size - 1;
}

/* ------------------------------------------------------------ life */

int
events_create(struct events *q, uint32_t n)
{
	uint32_t size = 16;

	while (size < n)
		size *= 2;
	for (uint32_t i = 0; i < NFIRST; i++)
		q->first[i] = DISK_NEVER;
	q->next = DISK_NEVER;
	q->heap_size = size;
	q->heap = malloc(size * sizeof(*q->heap));
	if (q->heap == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < NLANES; i++) {
		q->lane[i].ev = malloc(size * sizeof(struct event));
		q->lane[i].mask = size - 1;
		if (q->lane[i].ev == NULL)
			return -ENOMEM;
	}
	return 0;
}

void
events_destroy(struct events *q)
{
	for (uint32_t i = 0; i < NLANES; i++)
		free(q->lane[i].ev);
	free(q->heap);
}
