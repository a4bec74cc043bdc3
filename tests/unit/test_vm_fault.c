/*
 * test_vm_fault.c: goal: a fault takes the decisions of companions 6 in their
 * order: which kind it is, which queue the page ends on, how much is read,
 * what is mapped ahead of use, when a page is dirty. Method: single faults on
 * prepared memory; queue moves, fault records and page-table bits are looked
 * at.
 */
#include <errno.h>

#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/swap_pager.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"

#define RW (VM_PROT_READ | VM_PROT_WRITE)

struct log {
	struct vm_fault_record fault;
	uint32_t nfaults;
	struct vm_transition move[4096];
	uint32_t nmoves;
	struct vm_io_record io[256];
	uint32_t nio;
};

static void
log_fault(void *ctx, const struct vm_fault_record *f)
{
	struct log *lg = ctx;

	lg->fault = *f;
	lg->nfaults++;
}

static void
log_move(void *ctx, const struct vm_transition *t)
{
	struct log *lg = ctx;

	lg->move[lg->nmoves++ % 4096] = *t;
}

static void
log_io(void *ctx, const struct vm_io_record *io)
{
	struct log *lg = ctx;

	lg->io[lg->nio++ % 256] = *io;
}

static const struct vm_trace_ops log_ops = { .transition = log_move,
	.fault = log_fault, .io = log_io };

static void
log_clear(struct rig *r)
{
	memset(r->arg, 0, sizeof(struct log));
}

static void
with_rig(uint32_t frames, void (*body)(struct rig *r))
{
	struct log *lg = calloc(1, sizeof(*lg));
	struct rig r;

	ck_assert_ptr_nonnull(lg);
	rig_create(&r, frames, 4096);
	/* The idle zeroer's moves would be in the way. */
	rig_set(&r, "vm.idlezero_enable", "0");
	rig_boot(&r);
	r.arg = lg;
	vm_set_trace(r.vm, &log_ops, lg);
	rig_run(&r, body);
	vm_check_all(r.vm);
	rig_destroy(&r);
	free(lg);
}

static vm_page_t
page_at(struct rig *r, struct vmspace *vs, vm_offset_t va)
{
	pfn_t pfn = pmap_extract(vmspace_pmap(vs), va);

	return (pfn == PFN_NONE ? NULL : vm_phys_to_page(r->vm, pfn));
}

static pte_t
pte_at(struct vmspace *vs, vm_offset_t va)
{
	const pte_t *pte = pmap_pte(vmspace_pmap(vs), va);

	return (pte != NULL ? *pte : 0);
}

/* ------------------------------------------------------------ zero fill */

static void
zero_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 8);
	log_clear(r);
	ck_assert_int_eq(vm_fault(r->vm, r->vs, RIG_BASE + 5,
	    VM_PROT_WRITE), KERN_SUCCESS);
	ck_assert_uint_eq(lg->nfaults, 1);
	ck_assert_int_eq(lg->fault.kind, VMF_ZERO);
	ck_assert_int_eq(lg->fault.pid, 100);
	ck_assert_uint_eq(lg->fault.va, RIG_BASE);
	ck_assert_int_eq(lg->fault.access, VM_PROT_WRITE);
	ck_assert_uint_eq(lg->fault.pindex, 0);
	ck_assert_uint_gt(lg->fault.end, lg->fault.start);
	/* T1, T2: free, busy, then the tail of ACTIVE. */
	ck_assert_uint_eq(lg->nmoves, 2);
	ck_assert_int_eq(lg->move[0].from, VMQ_FREE);
	ck_assert_int_eq(lg->move[0].to, VMQ_BUSY);
	ck_assert_int_eq(lg->move[0].reason, WHY_ALLOC);
	ck_assert_int_eq(lg->move[1].to, VMQ_ACTIVE);
	ck_assert_int_eq(lg->move[1].where, VMT_TAIL);
	ck_assert_int_eq(lg->move[1].reason, WHY_FAULT_DONE);
	ck_assert_int_eq(lg->move[1].act_count, ACT_INIT);
	m = page_at(r, r->vs, RIG_BASE);
	ck_assert_uint_eq(m->pfn, lg->fault.page);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(m->flags & (PG_BUSY | PG_ZERO | PG_REFERENCED), 0);
	ck_assert_uint_eq(pte_at(r->vs, RIG_BASE) &
	    (PTE_V | PTE_RW | PTE_A | PTE_M), PTE_V | PTE_RW | PTE_A | PTE_M);
	/* Neighbours are not mapped by a zero fill. */
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 1);

	/* A read maps writable memory writable, clean, unmodified. */
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + PAGE_SIZE), 0);
	m = page_at(r, r->vs, RIG_BASE + PAGE_SIZE);
	ck_assert_uint_eq(m->dirty, 0);
	ck_assert_uint_eq(pte_at(r->vs, RIG_BASE + PAGE_SIZE) &
	    (PTE_RW | PTE_M), PTE_RW);
	/* So a store needs no fault, and the page table has the news. */
	log_clear(r);
	rig_store(r, r->vs, RIG_BASE + PAGE_SIZE, 1);
	ck_assert_uint_eq(lg->nfaults, 0);
	ck_assert_uint_eq(m->dirty, 0);
	vm_page_test_dirty(r->vm, m);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(vm_stat(r->vm, "v_zfod"), 2);
}

START_TEST(zero_fill)
{
	with_rig(1024, zero_body);
}
END_TEST

/* ------------------------------------------------------------ fast path */

static void
fast_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_page_t m;
	int i;

	rig_anon(r, r->vs, RIG_BASE, 8);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, RIG_BASE + (vm_offset_t)i * PAGE_SIZE, 1);
	m = page_at(r, r->vs, RIG_BASE + 3 * PAGE_SIZE);
	vm_page_deactivate(r->vm, m);
	m->act_count = 2;
	pmap_remove(vmspace_pmap(r->vs), RIG_BASE, RIG_BASE + 8 * PAGE_SIZE);
	m->flags &= (uint16_t)~PG_REFERENCED;
	log_clear(r);
	(void)rig_load(r, r->vs, RIG_BASE + 3 * PAGE_SIZE);
	ck_assert_int_eq(lg->fault.kind, VMF_FAST);
	/* Neither queue nor count: only the A bit tells the scans. */
	ck_assert_uint_eq(lg->nmoves, 0);
	ck_assert_uint_eq(m->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(m->act_count, 2);
	ck_assert_uint_eq(m->flags & PG_REFERENCED, 0);
	/* Neighbours, 4 on either side, come along: read-only, unused. */
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 8);
	ck_assert_uint_eq(pte_at(r->vs, RIG_BASE + 4 * PAGE_SIZE) &
	    (PTE_V | PTE_RW | PTE_A | PTE_M), PTE_V);
	ck_assert_uint_ne(pte_at(r->vs, RIG_BASE + 3 * PAGE_SIZE) & PTE_A, 0);
	/* A hole ends it: 5 to the left is not reached past a missing page. */
	pmap_remove(vmspace_pmap(r->vs), RIG_BASE, RIG_BASE + 8 * PAGE_SIZE);
	vm_object_page_remove(r->vm, m->object, 2, 3, false);
	(void)rig_load(r, r->vs, RIG_BASE + 3 * PAGE_SIZE);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 1);
}

START_TEST(fast_path_and_prefault)
{
	with_rig(1024, fast_body);
}
END_TEST

/* A page on CACHE is taken off by the slow path and used. */
static void
cache_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 2);
	(void)rig_load(r, r->vs, RIG_BASE); /* clean zeroes */
	m = page_at(r, r->vs, RIG_BASE);
	vm_page_cache(r->vm, m);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 0);
	log_clear(r);
	(void)rig_load(r, r->vs, RIG_BASE);
	ck_assert_int_eq(lg->fault.kind, VMF_RESIDENT);
	ck_assert_ptr_eq(page_at(r, r->vs, RIG_BASE), m);
	ck_assert_uint_eq(m->queue, PQ_ACTIVE(r->vm));
	ck_assert_uint_eq(vm_stat(r->vm, "v_reactivated"), 1);
	/* Ahead of use it is deactivated first. */
	(void)rig_load(r, r->vs, RIG_BASE + PAGE_SIZE);
	vm_page_cache(r->vm, m);
	pmap_remove(vmspace_pmap(r->vs), RIG_BASE, RIG_BASE + 2 * PAGE_SIZE);
	(void)rig_load(r, r->vs, RIG_BASE + PAGE_SIZE);
	ck_assert_ptr_eq(page_at(r, r->vs, RIG_BASE), m);
	ck_assert_uint_eq(m->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(vm_stat(r->vm, "v_reactivated"), 2);
}

START_TEST(cached_pages_are_used)
{
	with_rig(1024, cache_body);
}
END_TEST

/* ------------------------------------------------------------ copying */

static void
cow_body(struct rig *r)
{
	struct log *lg = r->arg;
	struct vmspace *child;
	vm_page_t from, to;

	rig_anon(r, r->vs, RIG_BASE, 2);
	rig_store(r, r->vs, RIG_BASE, 5);
	from = page_at(r, r->vs, RIG_BASE);
	ck_assert_uint_eq(from->queue, PQ_ACTIVE(r->vm));
	child = vmspace_fork(r->vm, r->vs);
	log_clear(r);
	rig_store(r, child, RIG_BASE, 6);
	ck_assert_int_eq(lg->fault.kind, VMF_COW);
	to = page_at(r, child, RIG_BASE);
	ck_assert_ptr_ne(to, from);
	/* T6: the source ends at the tail of INACTIVE, active as it was. */
	ck_assert_uint_eq(from->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(to->queue, PQ_ACTIVE(r->vm));
	ck_assert_uint_eq(vm_stat(r->vm, "v_cow_faults"), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "v_cow_optim"), 0);
	/* The parent writes too: a shadow of its own, copied. */
	rig_store(r, r->vs, RIG_BASE, 7);
	ck_assert_uint_eq(vm_stat(r->vm, "v_cow_faults"), 2);
	ck_assert_uint_eq(rig_load(r, child, RIG_BASE), 6);
	vmspace_free(r->vm, child);
}

START_TEST(copy_on_write)
{
	with_rig(1024, cow_body);
}
END_TEST

/* The object behind has no other user any more: the page moves up. */
static void
move_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_map_entry_t entry;
	vm_object_t bottom;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 2);
	rig_store(r, r->vs, RIG_BASE, 5);
	entry = r->vs->vm_map.header.next;
	bottom = entry->object;
	m = page_at(r, r->vs, RIG_BASE);
	m->dirty = 0;
	/* A second reference for as long as the shadow is made. */
	vm_object_reference(r->vm, bottom);
	vm_object_shadow(r->vm, &entry->object, &entry->offset, 2);
	bottom->ref_count--;
	pmap_remove(vmspace_pmap(r->vs), RIG_BASE, RIG_BASE + 2 * PAGE_SIZE);
	log_clear(r);
	rig_store(r, r->vs, RIG_BASE, 6);
	ck_assert_int_eq(lg->fault.kind, VMF_COW_MOVE);
	ck_assert_ptr_eq(page_at(r, r->vs, RIG_BASE), m);
	ck_assert_ptr_eq(m->object, entry->object);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(vm_stat(r->vm, "v_cow_optim"), 1);
	ck_assert_int_eq(bottom->resident_page_count, 0);
}

START_TEST(single_user_pages_move_up)
{
	with_rig(1024, move_body);
}
END_TEST

/* ------------------------------------------------------------ busy pages */

static void
unbusy_event(void *arg, sim_time_t when)
{
	struct rig *r = arg;

	(void)when;
	vm_page_wakeup(r->vm, page_at(r, r->vs, RIG_BASE));
}

static void
busy_body(struct rig *r)
{
	struct log *lg = r->arg;
	struct sim_event ev;
	vm_page_t m;
	uint64_t v = 1;

	rig_anon(r, r->vs, RIG_BASE, 1);
	rig_store(r, r->vs, RIG_BASE, 5);
	m = page_at(r, r->vs, RIG_BASE);
	vm_page_busy(r->vm, m);
	sim_event_init(&ev, "unbusy", 0, unbusy_event, r);
	sim_event_after(r->sim, &ev, 1000000);
	log_clear(r);
	ck_assert_int_eq(vm_fault(r->vm, r->vs, RIG_BASE, VM_PROT_WRITE),
	    KERN_SUCCESS);
	ck_assert_uint_eq(lg->fault.restarts, 1);
	ck_assert_uint_ge(lg->fault.end - lg->fault.start, 1000000 - 2000);
	ck_assert_uint_eq(vm_stat(r->vm, "v_intrans"), 1);
	/* Whoever had to wait leaves a software reference. */
	ck_assert_uint_ne(m->flags & PG_REFERENCED, 0);
	(void)v;
}

START_TEST(busy_pages_are_waited_for)
{
	with_rig(1024, busy_body);
}
END_TEST

/* ------------------------------------------------------------ swap */

/* Write the pages of [first, first + n) out, as the page daemon would, in
 * clusters of 16; then free them. */
static void
swap_out(struct rig *r, vm_object_t object, vm_pindex_t first, int n)
{
	vm_page_t mc[16], m;
	int i, count;

	for (; n > 0; n -= count, first += (vm_pindex_t)count) {
		count = n < 16 ? n : 16;
		for (i = 0; i < count; i++)
			mc[i] = vm_page_lookup(object, first +
			    (vm_pindex_t)i);
		ck_assert_int_eq(vm_pageout_flush(r->vm, mc, count,
		    VM_PAGER_PUT_SYNC, 0, NULL, NULL), count);
		for (i = 0; i < count; i++) {
			m = mc[i];
			ck_assert_uint_eq(m->dirty, 0);
			vm_object_free_page(r->vm, m);
		}
	}
}

static void
swap_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_object_t object;
	uint64_t free_before;
	vm_page_t m;
	int i;

	rig_anon(r, r->vs, RIG_BASE, 64);
	for (i = 0; i < 64; i++)
		rig_store(r, r->vs, RIG_BASE + (vm_offset_t)i * PAGE_SIZE,
		    1000 + (uint64_t)i);
	object = r->vs->vm_map.header.next->object;
	swap_out(r, object, 0, 64);
	ck_assert_int_eq(object->type, OBJT_SWAP);
	ck_assert_int_eq(object->resident_page_count, 0);
	ck_assert_uint_eq(vm_stat(r->vm, "v_swapout"), 4);
	ck_assert_uint_eq(vm_stat(r->vm, "v_swappgsout"), 64);

	/* 20 is neither next nor first: cluster of 16, cut to 7 and 7. */
	log_clear(r);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 20 * PAGE_SIZE), 1020);
	ck_assert_int_eq(lg->fault.kind, VMF_SWAP);
	ck_assert_uint_eq(lg->nio, 1);
	ck_assert_int_eq(lg->io[0].kind, VMIO_SWAP_IN);
	ck_assert_uint_eq(lg->io[0].pindex, 16);
	ck_assert_uint_eq(lg->io[0].pages, 12); /* 16 .. 27 */
	ck_assert_uint_eq(vm_stat(r->vm, "v_swapin"), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "v_swappgsin"), 12);
	ck_assert_uint_eq(vm_stat(r->vm, "v_io_faults"), 1);
	/* The wanted one is active, the rest INACTIVE; all are mapped. */
	for (i = 16; i < 28; i++) {
		m = vm_page_lookup(object, (vm_pindex_t)i);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(m->queue, i == 20 ? PQ_ACTIVE(r->vm) :
						      PQ_INACTIVE(r->vm));
		ck_assert_uint_eq(m->dirty, 0);
		ck_assert_ptr_eq(page_at(r, r->vs, RIG_BASE +
		    (vm_offset_t)i * PAGE_SIZE), m);
	}
	/* Copies on swap are kept, until the page is written to by a fault. */
	free_before = vm_stat(r->vm, "vm.swap_free");
	rig_store(r, r->vs, RIG_BASE + 20 * PAGE_SIZE, 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.swap_free"), free_before);
	rig_store(r, r->vs, RIG_BASE + 21 * PAGE_SIZE, 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.swap_free"), free_before + 1);
	for (i = 0; i < 64; i++)
		if (i != 20 && i != 21)
			ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE +
			    (vm_offset_t)i * PAGE_SIZE), 1000 + (uint64_t)i);
}

START_TEST(swap_in_windows)
{
	with_rig(1024, swap_body);
}
END_TEST

/* 9.4: an unreadable copy is the program's SIGBUS. */
static void
swap_error_body(struct rig *r)
{
	uint64_t v;

	rig_anon(r, r->vs, RIG_BASE, 4);
	rig_store(r, r->vs, RIG_BASE, 1);
	swap_out(r, r->vs->vm_map.header.next->object, 0, 1);
	rig_set(r, "inject.io_read_error", "1000000");
	ck_assert_int_eq(rig_access(r, r->vs, RIG_BASE, false, &v),
	    KERN_MEMORY_ERROR);
	rig_set(r, "inject.io_read_error", "0");
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.faults.error"), 1);
}

START_TEST(swap_read_errors)
{
	with_rig(1024, swap_error_body);
}
END_TEST

/* ------------------------------------------------------------ files */

#define FILE_PAGES 1200u

static int
file_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	uint64_t v = offset / PAGE_SIZE + 1;

	(void)ctx;
	memset(buf, 0, n);
	memcpy(buf, &v, sizeof(v));
	return (0);
}

static int
file_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	(void)ctx;
	(void)offset;
	(void)buf;
	(void)n;
	return (0);
}

static const struct vnode_ops file_ops = { file_read, file_write };

static struct vnode *
map_file(struct rig *r, int prot, int flags)
{
	vm_offset_t a = RIG_BASE;
	struct vnode *vp;

	vp = vm_vnode_new(r->vm, "f", FILE_PAGES * PAGE_SIZE - 100,
	    &file_ops, NULL, r->fs, 64);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, (FILE_PAGES + 2) *
	    PAGE_SIZE, prot, VM_PROT_ALL, VM_MAP_FIXED | flags, vp, 0), 0);
	return (vp);
}

/* 6.2: 23 ahead at first, then ever more, 31 at most, from the place where
 * the last read ended. */
static void
window_body(struct rig *r)
{
	static const struct {
		uint64_t at, first, pages;
	} expect[] = {
		{ 0, 0, 24 }, /* e 15: 7 + 15 + 1 ahead */
		{ 24, 24, 32 }, /* e 23: 31 */
		{ 56, 56, 32 },
		{ 500, 496, 16 }, /* elsewhere: the aligned 16 */
		{ 512, 512, 8 }, /* next after it, e 0: 7 ahead */
		{ 520, 520, 16 }, /* e 7: 15 */
	};
	struct log *lg = r->arg;
	struct vnode *vp = map_file(r, VM_PROT_READ, 0);
	uint32_t i;

	for (i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
		log_clear(r);
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE +
		    expect[i].at * PAGE_SIZE), expect[i].at + 1);
		ck_assert_int_eq(lg->fault.kind, VMF_FILE);
		ck_assert_uint_eq(lg->nio, 1);
		ck_assert_int_eq(lg->io[0].kind, VMIO_VNODE_IN);
		ck_assert_uint_eq(lg->io[0].pindex, expect[i].first);
		ck_assert_uint_eq(lg->io[0].pages, expect[i].pages);
		ck_assert_uint_eq(lg->io[0].lbn, 64 + expect[i].first * 8);
	}
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE,
	    FILE_PAGES * PAGE_SIZE, VM_ADV_RANDOM), 0);
	log_clear(r);
	(void)rig_load(r, r->vs, RIG_BASE + 700 * PAGE_SIZE);
	ck_assert_uint_eq(lg->io[0].pages, 1);
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE,
	    FILE_PAGES * PAGE_SIZE, VM_ADV_SEQUENTIAL), 0);
	log_clear(r);
	(void)rig_load(r, r->vs, RIG_BASE + 800 * PAGE_SIZE);
	ck_assert_uint_eq(lg->io[0].pages, 32);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(file_windows)
{
	with_rig(4096, window_body);
}
END_TEST

/* 6.3: at the end of each 2 MiB the block before is deactivated. */
static void
behind_body(struct rig *r)
{
	struct vnode *vp = map_file(r, VM_PROT_READ, 0);
	vm_page_t m;
	uint64_t i;

	/* The read at 1016 reaches the end of the second block, 512..1023. */
	for (i = 0; i < 1016; i++)
		(void)rig_load(r, r->vs, RIG_BASE + i * PAGE_SIZE);
	m = vm_page_lookup(vp->object, 24); /* asked for */
	ck_assert_uint_eq(m->queue, PQ_ACTIVE(r->vm));
	(void)rig_load(r, r->vs, RIG_BASE + 1016 * PAGE_SIZE);
	for (i = 0; i < 512; i++) {
		m = vm_page_lookup(vp->object, i);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(m->queue, PQ_INACTIVE(r->vm));
		ck_assert_uint_eq(pte_at(r->vs, RIG_BASE + i * PAGE_SIZE) &
		    PTE_A, 0);
	}
	m = vm_page_lookup(vp->object, 600);
	ck_assert_uint_ne(pte_at(r->vs, RIG_BASE + 600 * PAGE_SIZE) & PTE_A,
	    0);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(deactivate_behind)
{
	with_rig(4096, behind_body);
}
END_TEST

/* Bytes past the end are zeroes, pages past it SIGBUS. */
static void
end_body(struct rig *r)
{
	struct vnode *vp = map_file(r, RW, 0);
	const uint8_t *data;
	uint64_t v = 1;
	vm_page_t m;

	(void)rig_load(r, r->vs, RIG_BASE + (FILE_PAGES - 1) * PAGE_SIZE);
	m = page_at(r, r->vs, RIG_BASE + (FILE_PAGES - 1) * PAGE_SIZE);
	data = mmu_frame_data(r->mmu, m->pfn);
	for (v = PAGE_SIZE - 100; v < PAGE_SIZE; v++)
		ck_assert_uint_eq(data[v], 0);
	ck_assert_int_eq(rig_access(r, r->vs, RIG_BASE +
	    FILE_PAGES * PAGE_SIZE, false, &v), KERN_MEMORY_ERROR);
	ck_assert_int_eq(rig_access(r, r->vs, RIG_BASE +
	    FILE_PAGES * PAGE_SIZE, true, &v), KERN_MEMORY_ERROR);
	/* A private page written to stays when the file shrinks. */
	rig_store(r, r->vs, RIG_BASE + 9 * PAGE_SIZE, 77);
	ck_assert_int_eq(vm_vnode_truncate(r->vm, vp, 5 * PAGE_SIZE), 0);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 9 * PAGE_SIZE), 77);
	ck_assert_int_eq(rig_access(r, r->vs, RIG_BASE + 8 * PAGE_SIZE, false,
	    &v), KERN_MEMORY_ERROR);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(end_of_file)
{
	with_rig(2048, end_body);
}
END_TEST

/* 6.4: only a write marks a shared file page dirty, and the object too. */
static void
shared_body(struct rig *r)
{
	struct vnode *vp = map_file(r, RW, VM_MAP_SHARED);
	struct log *lg = r->arg;
	vm_page_t m;

	(void)rig_load(r, r->vs, RIG_BASE);
	m = page_at(r, r->vs, RIG_BASE);
	ck_assert_uint_eq(m->dirty, 0);
	ck_assert_uint_eq(pte_at(r->vs, RIG_BASE) & (PTE_RW | PTE_M), PTE_RW);
	ck_assert_int_ne(vp->object->flags & OBJ_MIGHTBEDIRTY, 0);
	/* Neighbours were entered read-only; writing one is a fast fault. */
	ck_assert_uint_eq(pte_at(r->vs, RIG_BASE + PAGE_SIZE) & PTE_RW, 0);
	log_clear(r);
	rig_store(r, r->vs, RIG_BASE + PAGE_SIZE, 5);
	ck_assert_int_eq(lg->fault.kind, VMF_FAST);
	m = page_at(r, r->vs, RIG_BASE + PAGE_SIZE);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(shared_file_pages)
{
	with_rig(2048, shared_body);
}
END_TEST

/* mmap enters what is resident, up to 96 pages ahead. */
static void
mmap_prefault_body(struct rig *r)
{
	struct vnode *vp = map_file(r, VM_PROT_READ, 0);
	vm_offset_t a = RIG_BASE + 0x10000000;
	uint64_t i;

	for (i = 0; i < 200; i++)
		(void)rig_load(r, r->vs, RIG_BASE + i * PAGE_SIZE);
	i = vmspace_resident_count(r->vs);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 200 * PAGE_SIZE,
	    VM_PROT_READ, VM_PROT_ALL, VM_MAP_FIXED, vp, 0), 0);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), i + 96);
	a += 0x10000000;
	i = vmspace_resident_count(r->vs);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 200 * PAGE_SIZE,
	    VM_PROT_READ, VM_PROT_ALL, VM_MAP_FIXED | VM_MAP_PREFAULT, vp, 0),
	    0);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), i + 200);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(mmap_enters_resident_pages)
{
	with_rig(2048, mmap_prefault_body);
}
END_TEST

/* ------------------------------------------------------------ memory */

static void
give_back(void *arg, sim_time_t when)
{
	struct rig *r = arg;
	vm_page_t m;

	(void)when;
	/* Twenty frames that the test had taken. */
	while ((m = TAILQ_FIRST(&r->td->td_kstack_obj->memq)) != NULL)
		vm_object_free_page(r->vm, m);
}

/* Severe: the fault does not even try, and sleeps until there is memory. */
static void
severe_body(struct rig *r)
{
	struct log *lg = r->arg;
	struct sim_event ev;
	vm_object_t hog;
	vm_pindex_t i = 0;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 1);
	hog = vm_object_allocate(r->vm, OBJT_DEFAULT, 1 << 20);
	while ((m = vm_page_alloc(r->vm, hog, i, VM_ALLOC_SYSTEM)) != NULL &&
	    vm_page_avail(r->vm) > 20)
		i++;
	ck_assert(vm_page_count_severe(r->vm));
	r->td->td_kstack_obj = hog;
	sim_event_init(&ev, "give back", 0, give_back, r);
	sim_event_after(r->sim, &ev, sim_us(r->sim, 500));
	log_clear(r);
	ck_assert_int_eq(vm_fault(r->vm, r->vs, RIG_BASE, VM_PROT_WRITE),
	    KERN_SUCCESS);
	ck_assert_uint_ge(lg->fault.restarts, 1);
	ck_assert_uint_ge(lg->fault.end - lg->fault.start,
	    sim_us(r->sim, 499));
	r->td->td_kstack_obj = NULL;
	vm_object_deallocate(r->vm, hog);
}

START_TEST(severe_memory_waits)
{
	with_rig(512, severe_body);
}
END_TEST

/* A process being killed takes the last pages and does not wait. */
static void
killed_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_object_t hog;
	vm_pindex_t i = 0;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 1);
	hog = vm_object_allocate(r->vm, OBJT_DEFAULT, 1 << 20);
	while ((m = vm_page_alloc(r->vm, hog, i, VM_ALLOC_SYSTEM)) != NULL &&
	    vm_page_avail(r->vm) > 20)
		i++;
	vm_proc_set_killed(r->vm, r->p);
	log_clear(r);
	ck_assert_int_eq(vm_fault(r->vm, r->vs, RIG_BASE, VM_PROT_WRITE),
	    KERN_SUCCESS);
	ck_assert_uint_eq(lg->fault.restarts, 0);
	r->p->p_killed = false;
	while ((m = TAILQ_FIRST(&hog->memq)) != NULL)
		vm_object_free_page(r->vm, m);
	vm_object_deallocate(r->vm, hog);
}

START_TEST(killed_processes_go_on)
{
	with_rig(512, killed_body);
}
END_TEST

/* ------------------------------------------------------------ races */

/* While a fault reads its page the map changes under it. */
enum race { RACE_UNMAP, RACE_REPLACE, RACE_PROTECT, RACE_SPLIT };

struct racer {
	struct rig *r;
	enum race what;
};

static void
racer_main(void *arg)
{
	struct racer *ra = arg;
	struct rig *r = ra->r;
	vm_offset_t a = RIG_BASE;

	(void)sim_sleep(r->sim, ra, PVM, "race", sim_us(r->sim, 300));
	switch (ra->what) {
	case RACE_UNMAP:
		ck_assert_int_eq(vm_munmap(r->vm, r->vs, a, 8 * PAGE_SIZE),
		    0);
		break;
	case RACE_REPLACE:
		rig_anon(r, r->vs, a, 8);
		break;
	case RACE_PROTECT:
		ck_assert_int_eq(vm_mprotect(r->vm, r->vs, a, 8 * PAGE_SIZE,
		    VM_PROT_READ), 0);
		break;
	case RACE_SPLIT: /* means the same to the fault */
		ck_assert_int_eq(vm_munmap(r->vm, r->vs, a + 4 * PAGE_SIZE,
		    PAGE_SIZE), 0);
		break;
	}
	sim_thread_exit(r->sim);
}

static int
race_once(struct rig *r, enum race what, int access)
{
	struct racer ra = { .r = r, .what = what };
	struct vnode *vp = map_file(r, RW, VM_MAP_SHARED);
	int result;

	(void)sim_thread_create(r->sim, "racer", PVM, racer_main, &ra);
	log_clear(r);
	result = vm_fault(r->vm, r->vs, RIG_BASE + 2 * PAGE_SIZE, access);
	vm_check_all(r->vm);
	vm_vnode_rele(r->vm, vp);
	return (result);
}

static void
race_body(struct rig *r)
{
	struct log *lg = r->arg;
	vm_offset_t va = RIG_BASE + 2 * PAGE_SIZE;

	ck_assert_int_eq(race_once(r, RACE_UNMAP, VM_PROT_READ),
	    KERN_INVALID_ADDRESS);
	ck_assert_uint_eq(pmap_extract(vmspace_pmap(r->vs), va), PFN_NONE);
	/* Another object: it starts over and shows that one. */
	ck_assert_int_eq(race_once(r, RACE_REPLACE, VM_PROT_READ),
	    KERN_SUCCESS);
	ck_assert_uint_eq(lg->fault.restarts, 1);
	ck_assert_int_eq(lg->fault.kind, VMF_ZERO);
	ck_assert_uint_eq(rig_load(r, r->vs, va), 0);
	/* Fewer rights than it came for, or than it found. */
	ck_assert_int_eq(race_once(r, RACE_PROTECT, VM_PROT_WRITE),
	    KERN_PROTECTION_FAILURE);
	ck_assert_int_eq(race_once(r, RACE_PROTECT, VM_PROT_READ),
	    KERN_SUCCESS);
	ck_assert_uint_eq(pte_at(r->vs, va) & (PTE_V | PTE_RW), PTE_V);
	ck_assert_int_eq(race_once(r, RACE_SPLIT, VM_PROT_READ),
	    KERN_SUCCESS);
	ck_assert_uint_eq(lg->fault.restarts, 0);
	ck_assert_uint_eq(rig_load(r, r->vs, va), 3);
}

START_TEST(maps_change_during_faults)
{
	with_rig(2048, race_body);
}
END_TEST

/* The vnode is locked by a writer: the fault lets everything go and waits. */
static void
vnode_holder(void *arg)
{
	struct rig *r = arg;
	struct vnode *vp = r->vs->vm_map.header.next->object->handle;

	vnode_lock(r->vm, vp, false);
	(void)sim_sleep(r->sim, vp, PVM, "hold", sim_us(r->sim, 5000));
	vnode_unlock(r->vm, vp);
	sim_thread_exit(r->sim);
}

static void
vnode_body(struct rig *r)
{
	struct vnode *vp = map_file(r, VM_PROT_READ, 0);
	struct log *lg = r->arg;

	(void)sim_thread_create(r->sim, "holder", PVM, vnode_holder, r);
	(void)sim_sleep(r->sim, lg, PVM, "test", 1000);
	log_clear(r);
	ck_assert_int_eq(vm_fault(r->vm, r->vs, RIG_BASE, VM_PROT_READ),
	    KERN_SUCCESS);
	ck_assert_uint_eq(lg->fault.restarts, 1);
	ck_assert_uint_ge(lg->fault.end - lg->fault.start,
	    sim_us(r->sim, 4900));
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 1);
	vm_vnode_rele(r->vm, vp);
}

START_TEST(locked_vnodes_are_waited_for)
{
	with_rig(2048, vnode_body);
}
END_TEST

/* Wired read-only, then written to: the copy is wired, the source is not. */
static void
wired_cow_body(struct rig *r)
{
	uint64_t wired = vm_stat(r->vm, "v_wire_count");
	struct vmspace *child;
	vm_page_t from, to;

	rig_anon(r, r->vs, RIG_BASE, 2);
	rig_store(r, r->vs, RIG_BASE, 5);
	child = vmspace_fork(r->vm, r->vs);
	ck_assert_int_eq(vm_mprotect(r->vm, child, RIG_BASE, PAGE_SIZE,
	    VM_PROT_READ), 0);
	ck_assert_int_eq(vm_mlock(r->vm, child, RIG_BASE, PAGE_SIZE), 0);
	from = page_at(r, child, RIG_BASE);
	ck_assert_uint_eq(from->wire_count, 1);
	ck_assert_int_eq(vm_mprotect(r->vm, child, RIG_BASE, PAGE_SIZE, RW),
	    0);
	rig_store(r, child, RIG_BASE, 6);
	to = page_at(r, child, RIG_BASE);
	ck_assert_ptr_ne(to, from);
	ck_assert_uint_eq(from->wire_count, 0);
	ck_assert_uint_eq(from->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(to->wire_count, 1);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 1);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 5);
	vmspace_free(r->vm, child);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired);
}

START_TEST(wired_pages_are_copied)
{
	with_rig(1024, wired_cow_body);
}
END_TEST

/* All memory is taken, by pages that can go out. */
static vm_object_t
take_all(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, 4096);
	vm_pindex_t i;
	vm_page_t m;

	for (i = 0; (m = vm_page_alloc(r->vm, object, i, VM_ALLOC_NORMAL)) !=
	    NULL; i++) {
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(r->vm, m);
		vm_page_flag_clear(m, PG_ZERO);
		vm_page_activate(r->vm, m);
		vm_page_wakeup(r->vm, m);
	}
	return (object);
}

/* Two wired pages, the second one in the object behind: whoever is forked has
 * copies of both, whatever memory there is. */
static void
wired_fork_body(struct rig *r)
{
	vm_offset_t second = RIG_BASE + PAGE_SIZE;
	struct vmspace *child, *other;
	vm_object_t all;
	sim_time_t then;

	rig_anon(r, r->vs, RIG_BASE, 2);
	rig_store(r, r->vs, RIG_BASE, 5);
	rig_store(r, r->vs, second, 7);
	child = vmspace_fork(r->vm, r->vs);
	rig_store(r, child, RIG_BASE, 6);
	ck_assert_int_eq(vm_mprotect(r->vm, child, RIG_BASE, 2 * PAGE_SIZE,
	    VM_PROT_READ), 0);
	ck_assert_int_eq(vm_mlock(r->vm, child, RIG_BASE, 2 * PAGE_SIZE), 0);
	ck_assert_int_eq(vm_mprotect(r->vm, child, RIG_BASE, 2 * PAGE_SIZE,
	    RW), 0);
	ck_assert_ptr_eq(page_at(r, child, second), page_at(r, r->vs, second));
	all = take_all(r);
	then = sim_now(r->sim);
	other = vmspace_fork(r->vm, child);
	ck_assert_uint_ge(sim_now(r->sim) - then, sim_us(r->sim, 1000));
	ck_assert_ptr_nonnull(page_at(r, other, second));
	ck_assert_ptr_ne(page_at(r, other, second), page_at(r, child, second));
	ck_assert_uint_eq(page_at(r, other, second)->wire_count, 0);
	ck_assert_uint_eq(rig_load(r, other, RIG_BASE), 6);
	ck_assert_uint_eq(rig_load(r, other, second), 7);
	vm_object_deallocate(r->vm, all);
	vmspace_free(r->vm, other);
	vmspace_free(r->vm, child);
}

START_TEST(wired_pages_are_copied_by_fork)
{
	with_rig(1024, wired_fork_body);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("fault");

	tcase_add_test(tc, zero_fill);
	tcase_add_test(tc, fast_path_and_prefault);
	tcase_add_test(tc, cached_pages_are_used);
	tcase_add_test(tc, copy_on_write);
	tcase_add_test(tc, single_user_pages_move_up);
	tcase_add_test(tc, busy_pages_are_waited_for);
	tcase_add_test(tc, swap_in_windows);
	tcase_add_test(tc, swap_read_errors);
	tcase_add_test(tc, file_windows);
	tcase_add_test(tc, deactivate_behind);
	tcase_add_test(tc, end_of_file);
	tcase_add_test(tc, shared_file_pages);
	tcase_add_test(tc, mmap_enters_resident_pages);
	tcase_add_test(tc, maps_change_during_faults);
	tcase_add_test(tc, locked_vnodes_are_waited_for);
	tcase_add_test(tc, wired_pages_are_copied);
	tcase_add_test(tc, wired_pages_are_copied_by_fork);
	tcase_add_test(tc, severe_memory_waits);
	tcase_add_test(tc, killed_processes_go_on);
	return (rig_suite("vm_fault", tc));
}
