/*
 * vnode_read.c: read(2) and write(2) through the page cache.
 *
 * Interface: vmcore/vmcore.h (vm_vnode_read, vm_vnode_write).
 * Source:    FreeBSD 11 ufs/ffs_vnops.c (ffs_read, ffs_write),
 *            kern/vfs_cluster.c (cluster_read), kern/vfs_vnops.c
 *            (sequential_heuristic) of the end of 2015; R13: a page that went
 *            through a buffer ends at the tail of INACTIVE.
 * Differs:   the heuristic is kept with the file, not with each descriptor,
 *            and of the marks that continue a read-ahead only the next one is
 *            kept. There are no dirty buffers: dirty pages wait for the
 *            syncer, the page daemon or fsync. When memory is severe a write
 *            starts at once.
 */
#include <errno.h>
#include <string.h>

#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vnode_pager.h"

#define IO_SEQMAX 127
#define SEQ_UNIT 16384 /* bytes that count as one in seqcount */
#define RACLUSTER (MAXPHYS / VNODE_BSIZE) /* blocks of one transfer */

/* ------------------------------------------------------------ heuristic */

static void
vnode_sequential(struct vnode *vp, uint64_t offset, uint64_t n)
{
	uint64_t more = (n + SEQ_UNIT - 1) / SEQ_UNIT;

	if (offset == vp->nextoff || (offset == 0 && vp->seqcount > 0)) {
		if (more > IO_SEQMAX || vp->seqcount + more > IO_SEQMAX)
			vp->seqcount = IO_SEQMAX;
		else
			vp->seqcount += (uint32_t)more;
		return;
	}
	vp->seqcount = vp->seqcount > 1 ? 1 : 0;
}

static uint64_t
vnode_blocks(const struct vnode *vp)
{
	return ((vp->size + VNODE_BSIZE - 1) / VNODE_BSIZE);
}

/* Is every page of the block in memory, or on its way? */
static bool
vnode_block_incore(const struct vnode *vp, uint64_t block)
{
	vm_pindex_t pindex = block * VNODE_BPAGES;
	vm_pindex_t end = pindex + VNODE_BPAGES;

	if (end > vp->object->size)
		end = vp->object->size;
	for (; pindex < end; pindex++)
		if (vm_page_lookup(vp->object, pindex) == NULL)
			return (false);
	return (true);
}

/*
 * Wait for memory without the vnode's lock: what the page daemon could write
 * may well be this file. Everything must be looked at again.
 */
static void
vnode_wait(struct vm *vm, struct vnode *vp, bool shared)
{
	vnode_unlock(vm, vp);
	vm_wait(vm);
	vnode_lock(vm, vp, shared);
}

/* ------------------------------------------------------------ clusters */

/*
 * Pages for what is missing of [first, end). Returns how many were made;
 * *stop is where it had to end for want of memory.
 */
static int
vnode_cluster_pages(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_pindex_t end, int class, vm_page_t *pages, vm_pindex_t *stop)
{
	vm_pindex_t i;
	int n = 0;

	for (i = first; i < end; i++) {
		vm_page_t *slot = &pages[i - first];

		*slot = NULL;
		if (vm_page_lookup(vp->object, i) != NULL)
			continue;
		*slot = vm_page_alloc(vm, vp->object, i, class);
		if (*slot == NULL)
			break;
		n++;
	}
	*stop = i;
	return (n);
}

/* Read pages[0..n) without the resident ones at both ends. */
static int
vnode_cluster_start(struct vm *vm, struct vnode *vp, vm_pindex_t first,
    vm_page_t *pages, int n, int wanted, bool wait)
{
	while (n > 0 && pages[n - 1] == NULL)
		n--;
	while (n > 0 && pages[0] == NULL) {
		pages++;
		first++;
		wanted--;
		n--;
	}
	return (n == 0 ? 0 :
			 vnode_pager_read(vm, vp, first, pages, n, wanted,
			     wait));
}

/*
 * Read the block of pindex and up to nblocks - 1 more in one transfer and
 * wait for it. The page at pindex comes back busy in *m; NULL: look again.
 * errno.
 */
static int
vnode_read_sync(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    uint32_t nblocks, bool shared, vm_page_t *m)
{
	vm_page_t pages[MAXPHYS_PAGES] = { NULL };
	vm_pindex_t first = pindex / VNODE_BPAGES * VNODE_BPAGES;
	vm_pindex_t end = first + (vm_pindex_t)nblocks * VNODE_BPAGES, stop;
	int error, n;

	*m = NULL;
	if (end > vp->object->size)
		end = vp->object->size;
	/* Blocking here could hold up the page daemon: dig deep. */
	n = vnode_cluster_pages(vm, vp, first, end, VM_ALLOC_SYSTEM, pages,
	    &stop);
	if (stop <= pindex) {
		vm_page_readahead_drop(vm, pages, (int)(stop - first));
		vnode_wait(vm, vp, shared);
		return (0);
	}
	*m = pages[pindex - first];
	if (n == 0)
		return (0);
	error = vnode_cluster_start(vm, vp, first, pages, (int)(stop - first),
	    *m != NULL ? (int)(pindex - first) : -1, true);
	if (error != 0 && *m != NULL) {
		vm_page_readahead_drop(vm, m, 1);
		*m = NULL;
	}
	return (error);
}

/* Start reading blocks [block, end) without waiting, cluster by cluster.
 * Returns the first block that was not started. */
static uint64_t
vnode_read_ahead(struct vm *vm, struct vnode *vp, uint64_t block, uint64_t end)
{
	vm_page_t pages[MAXPHYS_PAGES];
	vm_pindex_t first, last, stop;
	int n;

	while (block < end) {
		first = block * VNODE_BPAGES;
		last = (block + RACLUSTER) * VNODE_BPAGES;
		if (last > vp->object->size)
			last = vp->object->size;
		if (first >= last)
			break;
		n = vnode_cluster_pages(vm, vp, first, last, VM_ALLOC_NORMAL,
		    pages, &stop);
		if (n > 0)
			(void)vnode_cluster_start(vm, vp, first, pages,
			    (int)(stop - first), -1, false);
		if (stop < last)
			break;
		block += RACLUSTER;
	}
	return (block);
}

/* Blocks that may be read ahead, from the block being read on. */
static uint64_t
vnode_maxra(struct vm *vm, const struct vnode *vp, uint64_t block)
{
	uint64_t maxra = vp->seqcount, blocks = vnode_blocks(vp);

	if (maxra > (uint64_t)vm->vnodes->read_max)
		maxra = (uint64_t)vm->vnodes->read_max;
	if (maxra > vm->vnodes->nbuf / 8)
		maxra = vm->vnodes->nbuf / 8;
	if (block + maxra + 1 > blocks)
		maxra = vp->size / VNODE_BSIZE > block ?
		    vp->size / VNODE_BSIZE - block : 0;
	return (maxra);
}

/* The block is in memory and carries the mark: is there more to read ahead? */
static void
vnode_read_mark(struct vm *vm, struct vnode *vp, uint64_t block)
{
	uint64_t maxra = vnode_maxra(vm, vp, block), i;

	for (i = 1; i < maxra && vnode_block_incore(vp, block + i); i++)
		continue;
	vp->ra_mark = block + (maxra < RACLUSTER ? (maxra > 1 ? maxra - 1 : 1) :
						   RACLUSTER - 1);
	if (i >= maxra)
		return;
	if (block + i < vp->ra_mark)
		vp->ra_mark = block + i;
	(void)vnode_read_ahead(vm, vp, block + i, block + maxra);
}

/* cluster_read(): the block is missing; `resid` bytes of the request are left
 * from the block's beginning on. */
static int
vnode_cluster_read(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    uint64_t resid, bool shared, vm_page_t *m)
{
	uint64_t block = pindex / VNODE_BPAGES;
	uint64_t maxra = vnode_maxra(vm, vp, block);
	uint64_t n = (resid + VNODE_BSIZE - 1) / VNODE_BSIZE;
	int error;

	if (n > RACLUSTER)
		n = RACLUSTER;
	if (n == 0)
		n = 1;
	/* The disk takes the first transfer first whichever is waited for. */
	if (block + n < block + maxra) {
		vp->ra_mark = block + n;
		error = vnode_read_sync(vm, vp, pindex, (uint32_t)n, shared,
		    m);
		if (error == 0)
			(void)vnode_read_ahead(vm, vp, block + n,
			    block + maxra);
		return (error);
	}
	return (vnode_read_sync(vm, vp, pindex, (uint32_t)n, shared, m));
}

/* ------------------------------------------------------------ one page */

/* The page passes through a buffer: off its queue and to INACTIVE's tail. */
static void
vnode_buffer_pass(struct vm *vm, vm_page_t m, enum vm_reason reason)
{
	uint32_t why = vm_why(vm, reason);

	vm_page_wire(vm, m);
	vm_page_unwire(vm, m, false);
	vm_why(vm, why);
}

/*
 * The page at pindex, valid and not busy (or busy on behalf of the caller:
 * *mine). resid as for vnode_cluster_read. *mp is NULL when the file has got
 * shorter meanwhile. errno.
 */
static int
vnode_read_page(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    uint64_t resid, bool shared, vm_page_t *mp, bool *mine)
{
	vm_page_t m;
	int error;

	*mine = false;
	for (;;) {
		vm_object_gate(vm, vp->object);
		m = vm_page_lookup(vp->object, pindex);
		if (m != NULL && m->valid == VM_PAGE_BITS_ALL &&
		    (m->flags & PG_BUSY) == 0)
			break;
		if (m != NULL && vm_page_sleep_busy(vm, m, false, "pgrbwt"))
			continue;
		if (m != NULL) {
			/* Left invalid by a failed read. */
			vm_object_free_page(vm, m);
			continue;
		}
		if (pindex >= vp->object->size)
			break;
		error = vnode_cluster_read(vm, vp, pindex, resid, shared, &m);
		if (error != 0)
			return (error);
		if (m != NULL) {
			*mine = true;
			break;
		}
	}
	*mp = m;
	return (0);
}

static void
vnode_copy_cost(struct vm *vm, uint32_t n)
{
	sim_spend(vm->sim, (uint64_t)vm->cost.copy_word * (n + 7) / 8);
}

/* ------------------------------------------------------------ read(2) */

int
vm_vnode_read(struct vm *vm, struct vnode *vp, uint64_t offset, void *buf,
    uint64_t n, uint64_t *done)
{
	uint8_t *to = buf;
	uint64_t at = offset, end;
	int error = 0;
	uint32_t chunk;
	vm_page_t m;
	bool mine;

	*done = 0;
	vnode_lock(vm, vp, true);
	if (offset >= vp->size || n == 0)
		goto out;
	end = n < vp->size - offset ? offset + n : vp->size;
	vnode_sequential(vp, offset, n);
	for (; at < end && at < vp->size; at += chunk, to += chunk) {
		chunk = PAGE_SIZE - (uint32_t)(at & PAGE_MASK);
		if (chunk > end - at)
			chunk = (uint32_t)(end - at);
		error = vnode_read_page(vm, vp, at >> PAGE_SHIFT,
		    end - at / VNODE_BSIZE * VNODE_BSIZE, true, &m, &mine);
		if (error != 0 || m == NULL)
			break;
		if (vp->seqcount != 0 && at / VNODE_BSIZE == vp->ra_mark &&
		    !mine)
			vnode_read_mark(vm, vp, at / VNODE_BSIZE);
		memcpy(to, (const uint8_t *)mmu_frame_data(vm->mmu, m->pfn) +
		    (at & PAGE_MASK), chunk);
		vnode_copy_cost(vm, chunk);
		vnode_buffer_pass(vm, m, WHY_FILE_READ);
		if (mine)
			vm_page_wakeup(vm, m);
	}
	*done = at - offset;
	vp->nextoff = at;
out:
	vnode_unlock(vm, vp);
	return (*done != 0 ? 0 : error);
}

/* ------------------------------------------------------------ write(2) */

/* A new page; all of it is about to be written, or nothing of it existed. */
static vm_page_t
vnode_write_new(struct vm *vm, struct vnode *vp, vm_pindex_t pindex,
    bool whole)
{
	vm_page_t m;

	m = vm_page_alloc(vm, vp->object, pindex, VM_ALLOC_SYSTEM);
	if (m == NULL) {
		vnode_wait(vm, vp, false);
		return (NULL);
	}
	if (!whole && (m->flags & PG_ZERO) == 0)
		vm->pmap->zero_page(vm, m);
	vm_page_flag_clear(m, PG_ZERO);
	m->valid = VM_PAGE_BITS_ALL;
	return (m);
}

/*
 * The page that [at, at + chunk) is to be copied to. `old` is the file's size
 * before this write. errno.
 */
static int
vnode_write_page(struct vm *vm, struct vnode *vp, uint64_t at, uint32_t chunk,
    uint64_t old, vm_page_t *mp, bool *mine)
{
	vm_pindex_t pindex = at >> PAGE_SHIFT;
	bool whole = chunk == PAGE_SIZE;
	vm_page_t m;
	int error;

	for (;;) {
		vm_object_gate(vm, vp->object);
		m = vm_page_lookup(vp->object, pindex);
		if (m == NULL && (whole || pindex << PAGE_SHIFT >= old)) {
			m = vnode_write_new(vm, vp, pindex, whole);
			*mine = true;
		} else {
			error = vnode_read_page(vm, vp, pindex, 0, false, &m,
			    mine);
			if (error != 0)
				return (error);
			/* Not while it is being written. */
			if (m != NULL && !*mine &&
			    vm_page_sleep_busy(vm, m, true, "pgrbwt"))
				continue;
		}
		if (m != NULL) {
			*mp = m;
			return (0);
		}
		/* It may have been truncated while we waited. */
		if (at + chunk > vp->size)
			vnode_pager_setsize(vm, vp, at + chunk);
	}
}

/* The bytes are in the page: it is the syncer's business now. */
static void
vnode_write_dirty(struct vm *vm, struct vnode *vp, vm_page_t m, bool mine)
{
	vnode_buffer_pass(vm, m, WHY_FILE_WRITE);
	vm_page_dirty(vm, m);
	vm_page_flag_clear(m, PG_NOSYNC);
	vm_object_set_writeable_dirty(vp->object);
	if (mine)
		vm_page_wakeup(vm, m);
	vm_syncer_add(vm, vp);
}

int
vm_vnode_write(struct vm *vm, struct vnode *vp, uint64_t offset,
    const void *buf, uint64_t n, uint64_t *done)
{
	const uint8_t *from = buf;
	uint64_t at = offset, end = offset + n, old;
	uint32_t chunk;
	int error = 0;
	vm_page_t m;
	bool mine;

	*done = 0;
	if (end < offset)
		return (EFBIG);
	vnode_lock(vm, vp, false);
	for (; at < end; at += chunk, from += chunk) {
		chunk = PAGE_SIZE - (uint32_t)(at & PAGE_MASK);
		if (chunk > end - at)
			chunk = (uint32_t)(end - at);
		old = vp->size;
		if (at + chunk > old)
			vnode_pager_setsize(vm, vp, at + chunk);
		error = vnode_write_page(vm, vp, at, chunk, old, &m, &mine);
		if (error != 0)
			break;
		memcpy((uint8_t *)mmu_frame_data_write(vm->mmu, m->pfn) +
		    (at & PAGE_MASK), from, chunk);
		vnode_copy_cost(vm, chunk);
		vnode_write_dirty(vm, vp, m, mine);
		if (vm_page_count_severe(vm))
			vnode_write_blocks(vm, vp, at >> PAGE_SHIFT, 1, false,
			    false);
	}
	*done = at - offset;
	vnode_unlock(vm, vp);
	return (*done != 0 ? 0 : error);
}
