/*
 * vnode_pager.c: files as the VM sees them: their life, lock and size, and
 * the pager operations that need no transfer.
 *
 * Interface: vmcore/vmcore.h (vm_vnode_*), vmcore/bsd/vnode_pager.h.
 * Source:    FreeBSD 11 vm/vnode_pager.c of the end of 2015 as told by
 *            companions 10.1 and 10.3; blocks of 32 KiB, contiguous on disk.
 * Differs:   a file's vnode lives as long as somebody refers to it or pages
 *            of it are in memory; without users its contents are written back
 *            at once, since nobody could ask for them again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vnode_pager.h"
#include "vmcore/vm_lock.h"

/* ------------------------------------------------------------ lock */

bool
vnode_trylock(struct vm *vm, struct vnode *vp, bool shared)
{
	if (vp->lock_owner == vm_lock_self(vm)) {
		vp->lock_depth++; /* LK_CANRECURSE */
		return (true);
	}
	return (shared ?
		vm_lock_try_shared(&vp->lock_owner, &vp->lock_readers) :
		vm_lock_try_excl(vm, &vp->lock_owner, &vp->lock_readers));
}

void
vnode_lock(struct vm *vm, struct vnode *vp, bool shared)
{
	if (vnode_trylock(vm, vp, shared))
		return;
	if (shared)
		vm_lock_wait_shared(vm, &vp->lock_owner, &vp->lock_readers,
		    "vnlock");
	else
		vm_lock_wait_excl(vm, &vp->lock_owner, &vp->lock_readers,
		    "vnlock");
}

int
vnode_timelock(struct vm *vm, struct vnode *vp, bool shared)
{
	uint64_t ticks = (uint64_t)vm->hz / 20 + 1;
	sim_time_t end = sim_now(vm->sim) +
	    ticks * sim_hz(vm->sim) / (uint64_t)vm->hz;
	sim_time_t now;

	while (!vnode_trylock(vm, vp, shared)) {
		now = sim_now(vm->sim);
		if (now >= end)
			return (EDEADLK);
		vp->lock_readers |= VM_LOCK_WANTED;
		(void)sim_sleep(vm->sim, &vp->lock_owner, PINOD, "vnlock",
		    end - now);
	}
	return (0);
}

void
vnode_unlock(struct vm *vm, struct vnode *vp)
{
	if (vp->lock_owner != vm_lock_self(vm))
		vm_unlock_shared(vm, &vp->lock_owner, &vp->lock_readers);
	else if (vp->lock_depth > 0)
		vp->lock_depth--;
	else
		vm_unlock_excl(vm, &vp->lock_owner, &vp->lock_readers);
}

/* ------------------------------------------------------------ life */

struct vnode *
vm_vnode_new(struct vm *vm, const char *name, uint64_t size,
    const struct vnode_ops *ops, void *ctx, struct disk *d,
    uint64_t first_sector)
{
	struct vnode *vp = calloc(1, sizeof(*vp));

	if (vp == NULL || (vp->name = strdup(name)) == NULL)
		sim_nomem(vm->sim, "a vnode");
	vnode_pager_reclaim(vm);
	vp->ops = ops;
	vp->ctx = ctx;
	vp->disk = d;
	vp->first_sector = first_sector;
	vp->size = size;
	vp->id = ++vm->vnodes->next_id;
	vp->refs = 1;
	vp->sync_slot = -1;
	vp->object = vm_object_allocate(vm, OBJT_VNODE,
	    (size + PAGE_MASK) >> PAGE_SHIFT);
	vp->object->handle = vp;
	vp->object->ref_count = 0; /* mappings and holders only */
	TAILQ_INSERT_TAIL(&vm->vnodes->vnodes, vp, link);
	if (vm->trace != NULL && vm->trace->object != NULL)
		vm->trace->object(vm->trace_ctx, vp->object->id, "vnode",
		    name);
	return (vp);
}

void
vnode_ref(struct vnode *vp)
{
	vp->refs++;
}

void
vm_vnode_ref(struct vnode *vp)
{
	vnode_ref(vp);
}

/* Hand dirty pages to the file at once: its owner is about to go. */
static void
vnode_detach_page(struct vm *vm, struct vnode *vp, vm_page_t m)
{
	uint64_t offset = m->pindex << PAGE_SHIFT;
	uint64_t n;

	/* A write under way ends after the file's owner has gone. */
	if (offset >= vp->size || (m->dirty == 0 && m->busy == 0))
		return;
	n = vp->size - offset < PAGE_SIZE ? vp->size - offset : PAGE_SIZE;
	if (vp->ops->write(vp->ctx, offset,
	    mmu_frame_data(vm->mmu, m->pfn), (uint32_t)n) == 0)
		m->dirty = 0;
}

/* Nobody refers to the file: what it holds in memory is mere cache. */
static void
vnode_detach(struct vm *vm, struct vnode *vp)
{
	vm_page_t m;

	KASSERT(vm->sim, vp->object->ref_count == 0,
	    ("vnode %u is mapped without a reference", vp->id));
	vm_syncer_remove(vm, vp);
	TAILQ_FOREACH(m, &vp->object->memq, listq) {
		if (vp->ops != NULL)
			vnode_detach_page(vm, vp, m);
		m->dirty = 0;
	}
	vp->object->flags &= (uint16_t)~OBJ_MIGHTBEDIRTY;
	vp->ops = NULL;
	vp->gone = true;
	TAILQ_REMOVE(&vm->vnodes->vnodes, vp, link);
	TAILQ_INSERT_TAIL(&vm->vnodes->gone, vp, link);
	vm->vnodes->idle_pending++;
}

void
vnode_rele(struct vm *vm, struct vnode *vp)
{
	KASSERT(vm->sim, vp->refs > 0, ("vnode %u released twice", vp->id));
	if (--vp->refs == 0 && !vp->gone)
		vnode_detach(vm, vp);
}

void
vm_vnode_rele(struct vm *vm, struct vnode *vp)
{
	vnode_rele(vm, vp);
	vnode_pager_reclaim(vm);
}

static void
vnode_free(struct vm *vm, struct vnode *vp)
{
	vm_object_t object = vp->object;

	if (object != NULL) {
		object->flags |= OBJ_DEAD;
		vm_object_destroy(vm, object);
	}
	TAILQ_REMOVE(&vm->vnodes->gone, vp, link);
	free(vp->name);
	free(vp);
}

void
vnode_pager_idle(struct vm *vm, vm_object_t object)
{
	(void)object;
	vm->vnodes->idle_pending++;
}

void
vnode_pager_reclaim(struct vm *vm)
{
	struct vnode *vp, *next;

	if (vm->vnodes->idle_pending == 0)
		return;
	vm->vnodes->idle_pending = 0;
	for (vp = TAILQ_FIRST(&vm->vnodes->gone); vp != NULL; vp = next) {
		next = TAILQ_NEXT(vp, link);
		if (vp->object->resident_page_count == 0 && vp->writes == 0 &&
		    vp->object->ref_count == 0 && vp->lock_owner == NULL &&
		    vp->object->lock_owner == NULL &&
		    vp->object->paging_in_progress == 0)
			vnode_free(vm, vp);
	}
}

bool
vm_vnode_is_mapped(const struct vnode *vp)
{
	return (vp->object->ref_count != 0);
}

uint32_t
vm_vnode_id(const struct vnode *vp)
{
	return (vp->id);
}

const char *
vm_vnode_name(const struct vnode *vp)
{
	return (vp->name);
}

uint64_t
vm_vnode_size(const struct vnode *vp)
{
	return (vp->size);
}

/* ------------------------------------------------------------ size */

/* What a page holds past the end of the file reads as zeroes. */
static void
vnode_zero_tail(struct vm *vm, struct vnode *vp, uint64_t size)
{
	int base = (int)(size & PAGE_MASK);
	vm_page_t m;

	if (base == 0)
		return;
	m = vm_page_lookup(vp->object, size >> PAGE_SHIFT);
	if (m != NULL && m->valid != 0)
		vm->pmap->zero_page_area(vm, m, base, (int)PAGE_SIZE - base);
}

/*
 * vnode_pager_setsize: the file is `size` bytes long now. Shrinking frees the
 * pages past the end, mappings and all; may sleep for busy ones. The vnode is
 * locked exclusively.
 */
void
vnode_pager_setsize(struct vm *vm, struct vnode *vp, uint64_t size)
{
	vm_pindex_t pages = (size + PAGE_MASK) >> PAGE_SHIFT;
	vm_pindex_t old_pages = vp->object->size;
	uint64_t old = vp->size;

	vm_object_gate(vm, vp->object);
	vp->size = size;
	vp->object->size = pages;
	if (size < old) {
		if (pages < old_pages)
			vm_object_page_remove(vm, vp->object, pages, 0, false);
		vnode_zero_tail(vm, vp, size);
	} else
		vnode_zero_tail(vm, vp, old);
}

int
vm_vnode_truncate(struct vm *vm, struct vnode *vp, uint64_t size)
{
	if (size == vp->size)
		return (0);
	vnode_lock(vm, vp, false);
	vnode_write_drain(vm, vp);
	vnode_pager_setsize(vm, vp, size);
	vnode_unlock(vm, vp);
	return (0);
}

/* Outside any thread (the run is over): hand the contents over, and leave
 * the simulation as it is. */
static int
vnode_sync_now(struct vm *vm, struct vnode *vp)
{
	uint8_t dirty;
	vm_page_t m;
	int error = 0;

	TAILQ_FOREACH(m, &vp->object->memq, listq) {
		if (m->valid != VM_PAGE_BITS_ALL)
			continue;
		dirty = m->dirty;
		vm_page_test_dirty(vm, m);
		vnode_detach_page(vm, vp, m);
		if (m->dirty != 0)
			error = EIO;
		m->dirty = dirty;
	}
	return (error);
}

/*
 * vm_vnode_sync: write every dirty page. With sync, waits and returns the
 * errno of the first write that failed since the last time.
 */
int
vm_vnode_sync(struct vm *vm, struct vnode *vp, bool sync)
{
	int error = 0;

	if (vp->object->resident_page_count == 0)
		return (0);
	if (sim_curthread(vm->sim) == NULL)
		return (vnode_sync_now(vm, vp));
	vnode_lock(vm, vp, false);
	vm_object_page_clean(vm, vp->object, 0, 0, sync ? OBJPC_SYNC : 0);
	if (sync) {
		vnode_write_drain(vm, vp);
		error = vp->write_error;
		vp->write_error = 0;
	}
	vnode_unlock(vm, vp);
	return (error);
}

/* ------------------------------------------------------------ pager */

/*
 * Does the file have the page? Neighbours in the same block, and in at most
 * MAXPHYS worth of blocks less one on either side, lie next to it on disk.
 */
static bool
vnode_pager_haspage(struct vm *vm, vm_object_t object, vm_pindex_t pindex,
    int *before, int *after)
{
	const vm_pindex_t maxrun = MAXPHYS / VNODE_BSIZE - 1;
	vm_pindex_t block = pindex / VNODE_BPAGES;
	vm_pindex_t inside = pindex % VNODE_BPAGES;
	vm_pindex_t n;

	(void)vm;
	if (before != NULL)
		*before = 0;
	if (after != NULL)
		*after = 0;
	if (pindex >= object->size || (object->flags & OBJ_DEAD) != 0)
		return (false);
	if (before != NULL) {
		n = block < maxrun ? block : maxrun;
		*before = (int)(n * VNODE_BPAGES + inside);
	}
	if (after != NULL) {
		n = maxrun * VNODE_BPAGES + VNODE_BPAGES - (inside + 1);
		if (n >= object->size - pindex)
			n = object->size - 1 - pindex;
		*after = (int)n;
	}
	return (true);
}

static int
vnode_pager_getpages(struct vm *vm, vm_object_t object, vm_page_t *mc,
    int count, int reqpage)
{
	struct vnode *vp = object->handle;
	int n = count;

	/* The file may have shrunk since the array was made. */
	while (n > 0 && mc[n - 1]->pindex >= object->size)
		n--;
	if (reqpage >= n) {
		vm_page_readahead_drop(vm, mc, reqpage);
		vm_page_readahead_drop(vm, mc + reqpage + 1,
		    count - reqpage - 1);
		return (VM_PAGER_BAD);
	}
	vm_page_readahead_drop(vm, mc + n, count - n);
	if (vnode_pager_read(vm, vp, mc[0]->pindex, mc, n, reqpage, true) != 0)
		return (VM_PAGER_ERROR);
	return (VM_PAGER_OK);
}

static void
vnode_pager_freespace(struct vm *vm, vm_object_t object, vm_pindex_t start,
    vm_pindex_t count)
{
	(void)vm;
	(void)object;
	(void)start;
	(void)count;
}

static void
vnode_pager_dealloc(struct vm *vm, vm_object_t object)
{
	struct vnode *vp = object->handle;

	(void)vm;
	if (vp != NULL)
		vp->object = NULL;
}

static void
vnode_pager_reference(struct vm *vm, vm_object_t object)
{
	(void)vm;
	vnode_ref(object->handle);
}

static void
vnode_pager_release(struct vm *vm, vm_object_t object)
{
	vnode_rele(vm, object->handle);
}

const struct vm_pagerops vnode_pager_ops = {
	.getpages = vnode_pager_getpages,
	.putpages = vnode_pager_putpages,
	.haspage = vnode_pager_haspage,
	.freespace = vnode_pager_freespace,
	.dealloc = vnode_pager_dealloc,
	.reference = vnode_pager_reference,
	.release = vnode_pager_release,
};

/* ------------------------------------------------------------ the module */

static const struct tunable vnode_rows[] = {
	{ .name = "vfs.read_max", .type = TUN_INT,
	    .offset = offsetof(struct vnode_pager, read_max),
	    .def = 64, .min = 0, .max = 4096, .unit = "blocks",
	    .source = "FreeBSD 11 vfs_cluster.c, SYSCTL_INT",
	    .help = "most blocks that a sequential read(2) reads ahead" },
	{ .name = "vfs.hirunningspace", .type = TUN_SIZE,
	    .flags = TUN_AUTO,
	    .offset = offsetof(struct vnode_pager, hirunningspace),
	    .def = 0, .min = 0, .max = INT64_MAX, .unit = "bytes",
	    .source = "FreeBSD 11 vfs_bio.c, SYSCTL_PROC",
	    .help = "bytes of file writes under way above which a writer "
		    "waits; 0 at boot: from the memory's size" },
	{ .name = "vfs.lorunningspace", .type = TUN_SIZE,
	    .flags = TUN_AUTO,
	    .offset = offsetof(struct vnode_pager, lorunningspace),
	    .def = 0, .min = 0, .max = INT64_MAX, .unit = "bytes",
	    .source = "FreeBSD 11 vfs_bio.c, SYSCTL_PROC",
	    .help = "... and below which it goes on; 0 at boot: two thirds "
		    "of vfs.hirunningspace" },
};

int
vnode_pager_create(struct vm *vm, struct tunables *ts)
{
	struct vnode_pager *vns = calloc(1, sizeof(*vns));

	if (vns == NULL)
		return (-ENOMEM);
	TAILQ_INIT(&vns->vnodes);
	TAILQ_INIT(&vns->gone);
	vm->vnodes = vns;
	return (tunables_register(ts, vnode_rows,
	    sizeof(vnode_rows) / sizeof(vnode_rows[0]), vns));
}

/* hirunningspace: a 64th of the buffers' space, between 1 and 16 MiB; the low
 * mark two thirds of it, in whole 64 KiB. */
void
vnode_pager_boot(struct vm *vm)
{
	struct vnode_pager *vns = vm->vnodes;
	uint64_t hi = (uint64_t)vm_nbuf(vm) * BKVASIZE / 64;
	const uint64_t unit = 65536;

	if (hi < 1u << 20)
		hi = 1u << 20;
	if (hi > 16u << 20)
		hi = 16u << 20;
	if (vns->hirunningspace == 0)
		vns->hirunningspace = hi;
	if (vns->lorunningspace == 0)
		vns->lorunningspace = (vns->hirunningspace * 2 / 3 + unit - 1) /
		    unit * unit;
	vns->nbuf = vm_nbuf(vm);
}

static void
vnode_list_free(struct vnodelist *list)
{
	struct vnode *vp;

	while ((vp = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, vp, link);
		free(vp->name);
		free(vp);
	}
}

void
vnode_pager_destroy(struct vm *vm)
{
	struct vnode_pager *vns = vm->vnodes;
	struct vnode_buf *bp;

	if (vns == NULL)
		return;
	vnode_list_free(&vns->vnodes);
	vnode_list_free(&vns->gone);
	while ((bp = vns->all_bufs) != NULL) {
		vns->all_bufs = bp->next_all;
		free(bp);
	}
	free(vns);
	vm->vnodes = NULL;
}

static void
vnode_check(struct vm *vm, const struct vnode *vp)
{
	const struct vm_object *object = vp->object;

	KASSERT(vm->sim, object != NULL && object->handle == vp &&
	    object->type == OBJT_VNODE, ("vnode %u and its object disagree",
	    vp->id));
	KASSERT(vm->sim, object->size ==
	    (vp->size + PAGE_MASK) >> PAGE_SHIFT,
	    ("vnode %u: size %llu, object %llu pages", vp->id,
		(unsigned long long)vp->size,
		(unsigned long long)object->size));
	KASSERT(vm->sim, vp->refs >= object->ref_count,
	    ("vnode %u: %d references, %d of them mappings", vp->id, vp->refs,
		object->ref_count));
}

void
vnode_pager_check(struct vm *vm)
{
	const struct vnode *vp;

	TAILQ_FOREACH(vp, &vm->vnodes->vnodes, link)
		vnode_check(vm, vp);
	TAILQ_FOREACH(vp, &vm->vnodes->gone, link)
		vnode_check(vm, vp);
}
