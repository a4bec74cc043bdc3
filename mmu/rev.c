/*
 * rev.c: the reverse list of a frame: which address spaces map it, where, in
 * which order.
 *
 * Interface: mmu_int.h.
 * Source:    companions 5 ("reverse list", insertion order). FreeBSD links
 *            one pv entry a mapping; here the first entry lies in the frame
 *            record itself and only shared frames need nodes, 16 bytes each,
 *            linked by index.
 */
#include <stdlib.h>

#include "mmu/mmu_int.h"

#define NODES_FIRST_SIZE 256u

static void
rev_grow(struct mmu *mmu)
{
	uint32_t size = mmu->nodes_size ? mmu->nodes_size * 2 :
	    NODES_FIRST_SIZE;
	struct rev_node *nodes;

	nodes = size > mmu->nodes_size ?
	    realloc(mmu->nodes, size * sizeof(*nodes)) : NULL;
	if (nodes == NULL)
		sim_nomem(mmu->sim, "%u reverse mappings", size);
	mmu->nodes = nodes;
	mmu->nodes_size = size;
	if (mmu->nnodes == 0)
		mmu->nnodes = 1;
}

static uint32_t
rev_node_get(struct mmu *mmu)
{
	uint32_t i = mmu->free_node;

	if (i != 0) {
		mmu->free_node = mmu->nodes[i].next;
		return (i);
	}
	if (mmu->nnodes == mmu->nodes_size)
		rev_grow(mmu);
	return (mmu->nnodes++);
}

static void
rev_node_put(struct mmu *mmu, uint32_t i)
{
	mmu->nodes[i].next = mmu->free_node;
	mmu->free_node = i;
}

void
rev_add_tail(struct mmu *mmu, struct mmu_frame *f, rev_t rev)
{
	uint32_t i;

	if (f->nmap++ == 0) {
		f->rev = rev;
		return;
	}
	i = rev_node_get(mmu);
	mmu->nodes[i] = (struct rev_node) { .rev = rev };
	if (f->more == 0)
		f->more = i;
	else
		mmu->nodes[f->tail].next = i;
	f->tail = i;
}

/* The head goes: the second entry moves into the frame record. */
static void
rev_remove_head(struct mmu *mmu, struct mmu_frame *f)
{
	uint32_t i = f->more;

	if (i == 0) {
		f->rev = 0;
		return;
	}
	f->rev = mmu->nodes[i].rev;
	f->more = mmu->nodes[i].next;
	rev_node_put(mmu, i);
}

void
rev_remove(struct mmu *mmu, struct mmu_frame *f, rev_t rev)
{
	uint32_t i, prev = 0;

	KASSERT(mmu->sim, f->nmap > 0, ("frame %u has no mappings",
	    (unsigned int)(f - mmu->frame)));
	f->nmap--;
	if (f->rev == rev) {
		rev_remove_head(mmu, f);
		return;
	}
	for (i = f->more; i != 0 && mmu->nodes[i].rev != rev;
	    i = mmu->nodes[i].next)
		prev = i;
	KASSERT(mmu->sim, i != 0, ("frame %u: mapping at %#jx is not on its "
	    "reverse list", (unsigned int)(f - mmu->frame),
	    (uintmax_t)rev_va(rev)));
	if (prev == 0)
		f->more = mmu->nodes[i].next;
	else
		mmu->nodes[prev].next = mmu->nodes[i].next;
	if (f->tail == i)
		f->tail = prev;
	rev_node_put(mmu, i);
}

/* The node of the second entry becomes the tail and takes the old head. */
void
rev_rotate(struct mmu *mmu, struct mmu_frame *f)
{
	uint32_t i = f->more;
	struct rev_node *n;
	rev_t head;

	if (i == 0)
		return;
	n = &mmu->nodes[i];
	head = f->rev;
	f->rev = n->rev;
	n->rev = head;
	if (i == f->tail)
		return;
	f->more = n->next;
	mmu->nodes[f->tail].next = i;
	n->next = 0;
	f->tail = i;
}
