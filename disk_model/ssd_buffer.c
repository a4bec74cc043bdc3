/*
 * ssd_buffer.c: the write buffer of a flash device.
 *
 * Interface: ssd_int.h.
 * Source:    reference sheet, section 4.3 (a write is complete when it is in
 *            the buffer; flash is programmed later).
 */
#include <errno.h>
#include <stdlib.h>

#include "disk_model/ssd_int.h"

static uint32_t
bucket(const struct ssd_buffer *b, uint32_t unit)
{
	return (uint32_t) ((unit * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	    b->hash_mask;
}

int
buffer_create(struct ssd_buffer *b, uint32_t size)
{
	uint32_t buckets = 16;

	/* most are empty: then no place is read */
	while (buckets / 4 < size && buckets < 1u << 31)
		buckets *= 2;
	b->size = size;
	b->hash_mask = buckets - 1;
	b->head = b->tail = SSD_NONE;
	b->place = calloc(size, sizeof(*b->place));
	b->hash = malloc(buckets * sizeof(uint32_t));
	if (b->place == NULL || b->hash == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < buckets; i++)
		b->hash[i] = SSD_NONE;
	for (uint32_t i = 0; i < size; i++)
		b->place[i].next = i + 1 < size ? i + 1 : SSD_NONE;
	b->free = size > 0 ? 0 : SSD_NONE;
	return 0;
}

void
buffer_destroy(struct ssd_buffer *b)
{
	free(b->place);
	free(b->hash);
}

/* A unit may be there twice: being programmed, and written again since. */
static uint32_t
find(const struct ssd_buffer *b, uint32_t unit, bool waiting)
{
	uint32_t i = b->hash[bucket(b, unit)];

	while (i != SSD_NONE && (b->place[i].unit != unit ||
	    (waiting && b->place[i].busy)))
		i = b->place[i].chain;
	return i;
}

void
buffer_prefetch(const struct ssd_buffer *b, uint32_t unit)
{
	__builtin_prefetch(&b->hash[bucket(b, unit)]);
}

bool
buffer_has(const struct ssd_buffer *b, uint32_t unit)
{
	return b->count > 0 && find(b, unit, false) != SSD_NONE;
}

bool
buffer_put(struct ssd_buffer *b, uint32_t unit, bool partial)
{
	uint32_t i = find(b, unit, true), *head;
	struct ssd_place *p;

	if (i != SSD_NONE) {
		/* the newer data replace the older */
		b->place[i].partial = b->place[i].partial && partial;
		return true;
	}
	i = b->free;
	if (i == SSD_NONE)
		return false;
	p = &b->place[i];
	b->free = p->next;
	head = &b->hash[bucket(b, unit)];
	p->unit = unit;
	p->busy = false;
	p->partial = partial;
	p->next = SSD_NONE;
	p->chain = *head;
	*head = i;
	if (b->tail != SSD_NONE)
		b->place[b->tail].next = i;
	else
		b->head = i;
	b->tail = i;
	b->ndirty++;
	b->count++;
	return true;
}

uint32_t
buffer_take(struct ssd_buffer *b)
{
	uint32_t i = b->head;

	if (i == SSD_NONE)
		return SSD_NONE;
	b->head = b->place[i].next;
	if (b->head == SSD_NONE)
		b->tail = SSD_NONE;
	b->ndirty--;
	b->place[i].busy = true;
	return i;
}

void
buffer_release(struct ssd_buffer *b, uint32_t i)
{
	uint32_t *link = &b->hash[bucket(b, b->place[i].unit)];

	while (*link != i)
		link = &b->place[*link].chain;
	*link = b->place[i].chain;
	b->place[i].next = b->free;
	b->free = i;
	b->count--;
}

void
buffer_drop(struct ssd_buffer *b, uint32_t unit)
{
	uint32_t i = b->count > 0 ? find(b, unit, true) : SSD_NONE;
	uint32_t prev = SSD_NONE;

	if (i == SSD_NONE)
		return;
	for (uint32_t j = b->head; j != i; j = b->place[j].next)
		prev = j;
	if (prev == SSD_NONE)
		b->head = b->place[i].next;
	else
		b->place[prev].next = b->place[i].next;
	if (b->tail == i)
		b->tail = prev;
	b->ndirty--;
	buffer_release(b, i);
}
