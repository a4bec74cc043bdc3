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

	while (buckets < size)
		buckets *= 2;
	b->size = size;
	b->hash_mask = buckets - 1;
	b->head = b->tail = SSD_NONE;
	b->unit = calloc(size, sizeof(uint32_t));
	b->next = calloc(size, sizeof(uint32_t));
	b->chain = calloc(size, sizeof(uint32_t));
	b->busy = calloc(size, sizeof(bool));
	b->partial = calloc(size, sizeof(bool));
	b->hash = malloc(buckets * sizeof(uint32_t));
	if (b->unit == NULL || b->next == NULL || b->chain == NULL ||
	    b->busy == NULL || b->partial == NULL || b->hash == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < buckets; i++)
		b->hash[i] = SSD_NONE;
	for (uint32_t i = 0; i < size; i++)
		b->next[i] = i + 1 < size ? i + 1 : SSD_NONE;
	b->free = 0;
	return 0;
}

void
buffer_destroy(struct ssd_buffer *b)
{
	free(b->unit);
	free(b->next);
	free(b->chain);
	free(b->busy);
	free(b->partial);
	free(b->hash);
}

/* A unit may be there twice: being programmed, and written again since. */
static uint32_t
find(const struct ssd_buffer *b, uint32_t unit, bool waiting)
{
	uint32_t i = b->hash[bucket(b, unit)];

	while (i != SSD_NONE && (b->unit[i] != unit || (waiting && b->busy[i])))
		i = b->chain[i];
	return i;
}

bool
buffer_has(const struct ssd_buffer *b, uint32_t unit)
{
	return b->count > 0 && find(b, unit, false) != SSD_NONE;
}

bool
buffer_can_put(const struct ssd_buffer *b, uint32_t unit)
{
	return b->free != SSD_NONE || find(b, unit, true) != SSD_NONE;
}

void
buffer_put(struct ssd_buffer *b, uint32_t unit, bool partial)
{
	uint32_t i = find(b, unit, true), *head;

	if (i != SSD_NONE) {
		/* the newer data replace the older */
		b->partial[i] = b->partial[i] && partial;
		return;
	}
	i = b->free;
	b->free = b->next[i];
	b->unit[i] = unit;
	b->busy[i] = false;
	b->partial[i] = partial;
	b->next[i] = SSD_NONE;
	head = &b->hash[bucket(b, unit)];
	b->chain[i] = *head;
	*head = i;
	if (b->tail != SSD_NONE)
		b->next[b->tail] = i;
	else
		b->head = i;
	b->tail = i;
	b->ndirty++;
	b->count++;
}

uint32_t
buffer_take(struct ssd_buffer *b)
{
	uint32_t i = b->head;

	if (i == SSD_NONE)
		return SSD_NONE;
	b->head = b->next[i];
	if (b->head == SSD_NONE)
		b->tail = SSD_NONE;
	b->ndirty--;
	b->busy[i] = true;
	return i;
}

void
buffer_release(struct ssd_buffer *b, uint32_t place)
{
	uint32_t *link = &b->hash[bucket(b, b->unit[place])];

	while (*link != place)
		link = &b->chain[*link];
	*link = b->chain[place];
	b->next[place] = b->free;
	b->free = place;
	b->count--;
}

void
buffer_drop(struct ssd_buffer *b, uint32_t unit)
{
	uint32_t i = b->count > 0 ? find(b, unit, true) : SSD_NONE;
	uint32_t prev = SSD_NONE;

	if (i == SSD_NONE)
		return;
	for (uint32_t j = b->head; j != i; j = b->next[j])
		prev = j;
	if (prev == SSD_NONE)
		b->head = b->next[i];
	else
		b->next[prev] = b->next[i];
	if (b->tail == i)
		b->tail = prev;
	b->ndirty--;
	buffer_release(b, i);
}
