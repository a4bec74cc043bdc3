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

#define HEAP NLANES /* its place in first[] */

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
		abort(); /* the host is out of memory */
}

static struct event *
heap_post(struct events *q, const struct event *ev)
{
	uint32_t i;

	if (q->nheap == q->heap_size)
		heap_grow(q);
	for (i = q->nheap++; i > 0 && earlier(ev, &q->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = *ev;
	q->first[HEAP] = q->heap[0].t;
	return &q->heap[i];
}

static struct event
heap_take(struct events *q)
{
	struct event top = q->heap[0], last = q->heap[--q->nheap];
	uint32_t i = 0, c;

	while ((c = 2 * i + 1) < q->nheap) {
		if (c + 1 < q->nheap && earlier(&q->heap[c + 1], &q->heap[c]))
			c++;
		if (!earlier(&q->heap[c], &last))
			break;
		q->heap[i] = q->heap[c];
		i = c;
	}
	q->heap[i] = last;
	q->first[HEAP] = q->nheap > 0 ? q->heap[0].t : DISK_NEVER;
	return top;
}

/* ------------------------------------------------------------ the least */

static const struct event *
first_of(const struct events *q, uint32_t i)
{
	return i == HEAP ? &q->heap[0] : &q->lane[i].ev[q->lane[i].head];
}

/* Equal times are rare: who was posted first? */
static void
first_of_equals(struct events *q)
{
	if (q->next == DISK_NEVER)
		return;
	for (uint32_t i = q->from + 1; i <= HEAP; i++)
		if (q->first[i] == q->next &&
		    earlier(first_of(q, i), first_of(q, q->from)))
			q->from = i;
}

static void
find_next(struct events *q)
{
	uint64_t t = q->first[0];
	uint32_t from = 0, equals = 0;

	for (uint32_t i = 1; i <= HEAP; i++) {
		from = q->first[i] < t ? i : from;
		t = q->first[i] < t ? q->first[i] : t;
	}
	for (uint32_t i = 0; i <= HEAP; i++)
		equals += q->first[i] == t;
	q->next = t;
	q->from = from;
	if (equals > 1)
		first_of_equals(q);
}

/* ------------------------------------------------------------ lanes */

static void
lane_grow(struct lane *l)
{
	uint32_t size = l->mask + 1;
	struct event *ev = malloc(2 * size * sizeof(*ev));

	if (ev == NULL)
		abort(); /* the host is out of memory */
	for (uint32_t i = 0; i < l->count; i++)
		ev[i] = l->ev[(l->head + i) & l->mask];
	free(l->ev);
	l->ev = ev;
	l->head = 0;
	l->mask = 2 * size - 1;
}

/* It comes at no time that fits its lane. */
static struct event *
post_in_heap(struct events *q, uint64_t t)
{
	struct event ev = { .t = t, .seq = ++q->seq }, *place;

	place = heap_post(q, &ev);
	if (t <= q->next)
		find_next(q);
	return place;
}

/*
 * The fields are written one by one, into the place where they stay: a copy
 * of what has just been written in parts would stall most processors.
 */
struct event *
events_post(struct events *q, enum event_lane lane, uint64_t t)
{
	struct lane *l = &q->lane[lane];
	struct event *ev;

	if (l->count > 0 && t < l->last)
		return post_in_heap(q, t);
	if (t < q->next) {
		q->next = t;
		q->from = lane;
	}
	if (l->count > l->mask)
		lane_grow(l);
	ev = &l->ev[(l->head + l->count) & l->mask];
	l->last = t;
	if (l->count++ == 0)
		q->first[lane] = t;
	ev->t = t;
	ev->seq = ++q->seq;
	return ev;
}

static struct event
lane_take(struct events *q, uint32_t lane)
{
	struct lane *l = &q->lane[lane];
	struct event ev = l->ev[l->head];

	l->head = (l->head + 1) & l->mask;
	q->first[lane] = --l->count > 0 ? l->ev[l->head].t : DISK_NEVER;
	return ev;
}

struct event
events_take(struct events *q)
{
	struct event ev = q->from == HEAP ? heap_take(q) :
					    lane_take(q, q->from);

	find_next(q);
	return ev;
}

/* ------------------------------------------------------------ life */

int
events_create(struct events *q, uint32_t n)
{
	uint32_t size = 16;

	while (size < n)
		size *= 2;
	for (uint32_t i = 0; i <= HEAP; i++)
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
