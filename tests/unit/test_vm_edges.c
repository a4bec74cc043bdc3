/*
 * test_vm_edges.c: goal: what ordinary runs hardly ever meet is right too:
 * bounds of tunables, arguments out of range, pages that others have marked,
 * files that change under a transfer. Method: each case by hand, on small
 * kernels.
 */
#include <errno.h>

#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/swap_int.h"
#include "vmcore/bsd/vm_kernel.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"
#include "vmcore/vm_lock.h"

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define FRAMES 512u

struct file {
	struct vnode *vp;
	uint8_t data[1 << 20];
	uint32_t writes;
	int fail;
};

static int
file_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	struct file *f = ctx;

	ck_assert_uint_le(offset + n, sizeof(f->data));
	memcpy(buf, f->data + offset, n);
	return (0);
}

static int
file_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	struct file *f = ctx;

	if (f->fail != 0)
		return (f->fail);
	ck_assert_uint_le(offset + n, sizeof(f->data));
	memcpy(f->data + offset, buf, n);
	f->writes++;
	return (0);
}

static const struct vnode_ops file_ops = { file_read, file_write };

static void
with_file(uint64_t size, void (*body)(struct rig *r),
    void (*after)(struct rig *r))
{
	struct file *f = calloc(1, sizeof(*f));
	struct rig r;

	ck_assert_ptr_nonnull(f);
	memset(f->data, 'a', size);
	rig_create(&r, FRAMES, 1000);
	rig_boot(&r);
	f->vp = vm_vnode_new(r.vm, "file", size, &file_ops, f, r.fs, 800);
	r.arg = f;
	rig_run(&r, body);
	if (after != NULL)
		after(&r);
	vm_check_all(r.vm);
	vm_vnode_rele(r.vm, f->vp);
	rig_destroy(&r);
	free(f);
}

static void
with_rig(void (*body)(struct rig *r))
{
	struct rig r;

	rig_create(&r, FRAMES, 1000);
	rig_boot(&r);
	rig_run(&r, body);
	vm_check_all(r.vm);
	rig_destroy(&r);
}

static vm_offset_t
map_file(struct rig *r, uint64_t pages, bool shared)
{
	struct file *f = r->arg;
	vm_offset_t at = 0;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &at, pages * PAGE_SIZE, RW,
	    VM_PROT_ALL, shared ? VM_MAP_SHARED : 0, f->vp, 0), 0);
	return (at);
}

static vm_map_entry_t
entry_at(struct rig *r, vm_offset_t at)
{
	vm_map_entry_t e;

	ck_assert(vm_map_lookup_entry(&r->vs->vm_map, at, &e));
	return (e);
}

/* ------------------------------------------------------------ sizes */

/* Buffers by memory: 50, a quarter of 64 MiB, a tenth of the rest, no more
 * than 32 GiB of it. */
START_TEST(buffers_by_memory)
{
	static const struct {
		uint32_t mb, nbuf;
	} t[] = { { 4, 50 }, { 36, 50 + 512 }, { 64, 50 + 960 },
		{ 128, 50 + 1024 + 409 }, { 1 << 20, 50 + 1024 + 104857 } };
	struct rig r;

	rig_create(&r, FRAMES, 1000);
	rig_boot(&r);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t was = r.vm->cnt.v_page_count;

		r.vm->cnt.v_page_count = t[i].mb << 8;
		ck_assert_uint_eq(vm_nbuf(r.vm), t[i].nbuf);
		r.vm->vnodes->hirunningspace = 0;
		r.vm->vnodes->lorunningspace = 0;
		vnode_pager_boot(r.vm);
		ck_assert_uint_ge(r.vm->vnodes->hirunningspace, 1u << 20);
		ck_assert_uint_le(r.vm->vnodes->hirunningspace, 16u << 20);
		ck_assert_uint_ge(r.vm->vnodes->lorunningspace * 3,
		    r.vm->vnodes->hirunningspace * 2);
		r.vm->cnt.v_page_count = was;
	}
	ck_assert_uint_eq(r.vm->vnodes->hirunningspace, 16u << 20);
	rig_destroy(&r);
}
END_TEST

/* At most half of the buffers may be writing, at least one. */
static void
async_limits(struct rig *r)
{
	struct swap_pager *sp = r->vm->swap;

	rig_set(r, "vm.swap_async_max", "128");
	rig_anon(r, r->vs, RIG_BASE, 2 * FRAMES);
	for (uint64_t i = 0; i < 2 * FRAMES; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	ck_assert_int_eq(sp->async_max, sp->nswbuf / 2);
	for (uint64_t i = 0; i < 2 * FRAMES; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE +
		    i * PAGE_SIZE), i);
}

START_TEST(writes_in_flight)
{
	with_rig(async_limits);
}
END_TEST

static void
data_size(struct rig *r)
{
	vm_offset_t a = 0, b = 0, c = 0;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 3 * PAGE_SIZE, RW,
	    VM_PROT_ALL, 0, NULL, 0), 0);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &b, 5 * PAGE_SIZE,
	    VM_PROT_READ, VM_PROT_ALL, 0, NULL, 0), 0);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &c, 7 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_SHARED, NULL, 0), 0);
	ck_assert_uint_eq(vm_map_data_size(r->vs), 3 * PAGE_SIZE);
	ck_assert_uint_eq(vm_map_size(r->vs), 15 * PAGE_SIZE);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, a + 1, PAGE_SIZE), EINVAL);
	ck_assert_int_eq(vm_munlock(r->vm, r->vs, a + 1, PAGE_SIZE), EINVAL);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, a, ~0ull - PAGE_SIZE),
	    EINVAL);
}

START_TEST(sizes_of_maps)
{
	with_rig(data_size);
}
END_TEST

/* ------------------------------------------------------------ queues */

static void
requeue_free(struct rig *r)
{
	struct vm *vm = r->vm;
	vm_page_t m = TAILQ_FIRST(&vm->pq[PQ_FREE + 3].pq_pl);

	ck_assert_ptr_nonnull(m);
	vm_pageq_requeue(vm, m);
	ck_assert_ptr_eq(TAILQ_LAST(&vm->pq[PQ_FREE + 3].pq_pl, pglist), m);
	vm_check_all(vm);
	/* a domain without free pages has none to give */
	for (uint32_t d = 0; d < vm->ndomains; d++)
		ck_assert_ptr_nonnull(vm_pageq_find_domain(vm, d, 0, false));
}

START_TEST(a_free_page_to_the_tail)
{
	struct rig r;

	rig_create(&r, FRAMES, 1000);
	r.vm->ndomains = 2;
	rig_boot(&r);
	rig_run(&r, requeue_free);
	vm_check_all(r.vm);
	rig_destroy(&r);
}
END_TEST

/* Holes in memory, a segment without a whole page. */
START_TEST(segments_without_pages)
{
	struct sim_err err;
	struct rig r;

	rig_create(&r, FRAMES, 1000);
	r.vm->dom[0].vmd_nsegs = 3;
	r.vm->dom[0].vmd_seg[0].start = 0;
	r.vm->dom[0].vmd_seg[0].end = 200 * PAGE_SIZE;
	r.vm->dom[0].vmd_seg[1].start = 210 * PAGE_SIZE + 1;
	r.vm->dom[0].vmd_seg[1].end = 211 * PAGE_SIZE + 5;
	r.vm->dom[0].vmd_seg[2].start = 220 * PAGE_SIZE;
	r.vm->dom[0].vmd_seg[2].end = 300 * PAGE_SIZE;
	ck_assert_int_eq(vm_page_startup(r.vm, &err), 0);
	ck_assert_uint_eq(r.vm->cnt.v_page_count, 280);
	ck_assert_uint_eq(r.vm->page_array_size, 300);
	ck_assert_uint_eq(vm_phys_to_page(r.vm, 210)->flags & PG_NOTAVAIL,
	    PG_NOTAVAIL);
	vmcheck_all(r.vm);
	rig_destroy(&r);
}
END_TEST

/* Contiguous memory does not reach over the kernel's own frames, and wakes
 * the page daemon when little is left. */
static void
contig_edges(struct rig *r)
{
	struct vm_contig_request rq = { .pages = 100 };
	struct vm_contig c;

	rq.low = (FRAMES - 60) * PAGE_SIZE; /* the last 32 are not ours */
	ck_assert(!vm_contig_alloc(r->vm, &rq, &c));
	rq.low = 16 * PAGE_SIZE;
	rq.pages = FRAMES - 16 - 32 - 10;
	ck_assert_int_eq(r->vm->vm_pages_needed, 0);
	ck_assert(vm_contig_alloc(r->vm, &rq, &c));
	ck_assert_int_eq(r->vm->vm_pages_needed, 1);
	vm_contig_free(r->vm, &c);
}

START_TEST(contiguous_to_the_last_page)
{
	struct rig r;

	rig_create(&r, FRAMES, 1000);
	r.vm->boot_pages = 32;
	rig_boot(&r);
	rig_run(&r, contig_edges);
	vm_check_all(r.vm);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ faults */

static void
fault_edges(struct rig *r)
{
	vm_offset_t at = rig_anon(r, r->vs, RIG_BASE, 8);
	vm_object_t object;
	uint64_t v = 1;
	vm_page_t m;

	rig_store(r, r->vs, at, 1);
	object = entry_at(r, at)->object;
	/* an object that is being destroyed */
	object->flags |= OBJ_DEAD;
	ck_assert_int_eq(rig_access(r, r->vs, at + PAGE_SIZE, true, &v),
	    KERN_PROTECTION_FAILURE);
	object->flags &= (uint16_t)~OBJ_DEAD;
	/* MAP_NOSYNC: a page that was clean is marked, until an ordinary
	 * mapping writes to it */
	entry_at(r, at)->eflags |= MAP_ENTRY_NOSYNC;
	rig_store(r, r->vs, at + PAGE_SIZE, 2);
	m = vm_page_lookup(object, OFF_TO_IDX(entry_at(r, at)->offset) + 1);
	ck_assert_uint_eq(m->flags & PG_NOSYNC, PG_NOSYNC);
	entry_at(r, at)->eflags &= (uint32_t)~MAP_ENTRY_NOSYNC;
	vm_pmap_remove(r->vm, vmspace_pmap(r->vs), at, at + 8 * PAGE_SIZE);
	rig_store(r, r->vs, at + PAGE_SIZE, 3);
	ck_assert_uint_eq(m->flags & PG_NOSYNC, 0);
	/* a page without reverse mappings */
	vm_pmap_remove(r->vm, vmspace_pmap(r->vs), at, at + 8 * PAGE_SIZE);
	vm_page_unmanage(r->vm, m);
	ck_assert_uint_eq(rig_load(r, r->vs, at + PAGE_SIZE), 3);
	ck_assert(!r->vm->pmap->page_is_mapped(r->vm, m));
	vm_pmap_remove(r->vm, vmspace_pmap(r->vs), at, at + 8 * PAGE_SIZE);
	m->flags &= (uint16_t)~PG_UNMANAGED;
	vm_page_activate(r->vm, m);
}

START_TEST(faults_on_marked_pages)
{
	with_rig(fault_edges);
}
END_TEST

/* Prefault windows end at the bottom of the address space. */
static void
at_the_bottom(struct rig *r)
{
	struct vmspace *vs = vmspace_alloc(r->vm, 0, RIG_MAX);
	struct vmspace *own = r->p->p_vmspace;
	vm_offset_t at = 0;

	r->p->p_vmspace = vs;
	ck_assert_int_eq(vm_mmap(r->vm, vs, &at, 4 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_FIXED, NULL, 0), 0);
	for (uint64_t i = 0; i < 4; i++)
		rig_store(r, vs, i * PAGE_SIZE, i);
	vm_pmap_remove(r->vm, vmspace_pmap(vs), 0, 4 * PAGE_SIZE);
	ck_assert_uint_eq(rig_load(r, vs, PAGE_SIZE), 1);
	ck_assert_uint_eq(vmspace_resident_count(vs), 4);
	r->p->p_vmspace = own;
	vmspace_free(r->vm, vs);
}

START_TEST(prefault_at_address_zero)
{
	with_rig(at_the_bottom);
}
END_TEST

/* ------------------------------------------------------------ swap */

/* Read-ahead pages that are not next to the wanted one on swap are dropped;
 * without a copy there is nothing to read. */
static void
swap_reads(struct rig *r)
{
	struct vm *vm = r->vm;
	vm_object_t object = vm_object_allocate(vm, OBJT_DEFAULT, 64);
	vm_page_t m[4];
	vm_page_t p;

	for (uint32_t i = 0; i < 4; i++) {
		m[i] = vm_page_alloc(vm, object, i, VM_ALLOC_NORMAL);
		vm_page_set_validclean(vm, m[i], 0, PAGE_SIZE);
		vm_page_dirty(vm, m[i]);
		vm_page_deactivate(vm, m[i]);
		vm_page_wakeup(vm, m[i]);
	}
	/* 0 and 2 and 3 are written, one by one: 1 is not */
	vm_object_wlock(vm, object);
	for (uint32_t i = 0; i < 4; i++)
		if (i != 1)
			(void)vm_pageout_flush(vm, &m[i], 1,
			    VM_PAGER_PUT_SYNC, 0, NULL, NULL);
	vm_object_wunlock(vm, object);
	for (uint32_t i = 0; i < 4; i++) {
		vm_page_busy(vm, m[i]);
		vm_page_free(vm, m[i]);
	}
	for (uint32_t i = 0; i < 4; i++)
		m[i] = vm_page_alloc(vm, object, i, VM_ALLOC_NORMAL);
	vm_object_pip_add(object, 1);
	ck_assert_int_eq(swap_pager_getpages(vm, object, m, 4, 0),
	    VM_PAGER_OK);
	ck_assert_uint_eq(m[0]->valid, VM_PAGE_BITS_ALL);
	for (uint32_t i = 1; i < 4; i++)
		ck_assert_ptr_null(vm_page_lookup(object, i));
	vm_page_deactivate(vm, m[0]);
	vm_page_wakeup(vm, m[0]);
	p = vm_page_alloc(vm, object, 1, VM_ALLOC_NORMAL);
	ck_assert_int_eq(swap_pager_getpages(vm, object, &p, 1, 0),
	    VM_PAGER_FAIL);
	vm_page_free(vm, p);
	vm_object_pip_wakeup(vm, object);
	vm_object_deallocate(vm, object);
}

START_TEST(swap_reads_what_lies_together)
{
	with_rig(swap_reads);
}
END_TEST

/* ------------------------------------------------------------ files */

/* A transfer set up before the file shrank. */
static void
shrunk(struct rig *r)
{
	struct file *f = r->arg;
	struct vm *vm = r->vm;
	vm_object_t object = f->vp->object;
	vm_page_t m[4];

	for (uint32_t i = 0; i < 4; i++)
		m[i] = vm_page_alloc(vm, object, i, VM_ALLOC_NORMAL);
	object->size = 2;
	f->vp->size = 2 * PAGE_SIZE;
	vm_object_pip_add(object, 1);
	/* the wanted one is gone: the others go too */
	ck_assert_int_eq(object->pagerops->getpages(vm, object, m, 4, 3),
	    VM_PAGER_BAD);
	ck_assert_ptr_null(vm_page_lookup(object, 0));
	vm_page_free(vm, m[3]);
	/* it is there, one behind it is not */
	for (uint32_t i = 0; i < 3; i++)
		m[i] = vm_page_alloc(vm, object, i, VM_ALLOC_NORMAL);
	ck_assert_int_eq(object->pagerops->getpages(vm, object, m, 3, 1),
	    VM_PAGER_OK);
	ck_assert_ptr_null(vm_page_lookup(object, 2));
	ck_assert_uint_eq(m[1]->valid, VM_PAGE_BITS_ALL);
	vm_page_deactivate(vm, m[1]);
	vm_page_wakeup(vm, m[1]);
	vm_object_pip_wakeup(vm, object);
	ck_assert(!object->pagerops->haspage(vm, object, 2, NULL, NULL));
	object->pagerops->freespace(vm, object, 0, 1); /* keeps the file */
	ck_assert(object->pagerops->haspage(vm, object, 1, NULL, NULL));
}

START_TEST(files_that_shrink_under_a_read)
{
	with_file(4 * PAGE_SIZE, shrunk, NULL);
}
END_TEST

/* References of users, recursive locks, impossible offsets. */
static void
vnode_edges(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t done;
	uint8_t b = 1;

	vm_vnode_ref(f->vp);
	vm_vnode_rele(r->vm, f->vp);
	vnode_lock(r->vm, f->vp, false);
	vnode_lock(r->vm, f->vp, false);
	vnode_unlock(r->vm, f->vp);
	ck_assert_ptr_nonnull(f->vp->lock_owner);
	vnode_unlock(r->vm, f->vp);
	ck_assert_ptr_null(f->vp->lock_owner);
	ck_assert_int_eq(vm_vnode_write(r->vm, f->vp, UINT64_MAX, &b, 2,
	    &done), EFBIG);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
}

START_TEST(references_locks_offsets)
{
	with_file(4 * PAGE_SIZE, vnode_edges, NULL);
}
END_TEST

/* Pushing: NOSYNC pages stay dirty when asked; INVAL is synchronous; what was
 * put off or failed is not called clean. */
static void
clean_edges(struct rig *r)
{
	struct file *f = r->arg;
	struct vm *vm = r->vm;
	vm_object_t object = f->vp->object;
	vm_offset_t at = map_file(r, 16, true);
	vm_page_t m;

	/* in two blocks of the file system, which are written whole */
	rig_store(r, r->vs, at, 0x5a5a5a5a5a5a5a5aull);
	rig_store(r, r->vs, at + 9 * PAGE_SIZE, 0x5a5a5a5a5a5a5a5aull);
	m = vm_page_lookup(object, 9);
	vm_page_flag_set(m, PG_NOSYNC);
	vm_object_page_clean(vm, object, 0, 0, OBJPC_NOSYNC | OBJPC_SYNC);
	ck_assert_uint_ne(m->dirty, 0);
	ck_assert_uint_eq(f->data[0], 0x5a);
	ck_assert_uint_eq(f->data[9 * PAGE_SIZE], 'a');
	ck_assert_uint_ne(object->flags & OBJ_MIGHTBEDIRTY, 0);
	vm_page_flag_clear(m, PG_NOSYNC);
	/* invalidation first writes */
	vm_object_page_clean(vm, object, 0, 0, OBJPC_INVAL);
	ck_assert_uint_eq(f->data[9 * PAGE_SIZE], 0x5a);
	/* put off: only where nobody waits */
	rig_set(r, "inject.io_again", "1000000");
	rig_store(r, r->vs, at, 0x6b6b6b6b6b6b6b6bull);
	vm_object_page_clean(vm, object, 0, 0, 0);
	rig_set(r, "inject.io_again", "0");
	ck_assert_uint_eq(f->data[0], 0x5a);
	ck_assert_uint_ne(object->flags & OBJ_MIGHTBEDIRTY, 0);
	vm_object_page_clean(vm, object, 0, 0, OBJPC_SYNC);
	ck_assert_uint_eq(f->data[0], 0x6b);
	ck_assert_int_eq(vm_munmap(vm, r->vs, at, 16 * PAGE_SIZE), 0);
}

START_TEST(pushing_some_pages)
{
	with_file(16 * PAGE_SIZE, clean_edges, NULL);
}
END_TEST

/* After the run nobody can wait: contents are handed over as they are. */
static void
leave_dirty(struct rig *r)
{
	struct file *f = r->arg;
	uint8_t b[2] = { 'x', 'y' };
	uint64_t done;

	ck_assert_int_eq(vm_vnode_write(r->vm, f->vp, 5000, b, 2, &done), 0);
	ck_assert_uint_eq(f->data[5000], 'a');
}

static void
hand_over(struct rig *r)
{
	struct file *f = r->arg;
	vm_page_t m = vm_page_lookup(f->vp->object, 1);

	f->fail = ENOSPC;
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), EIO);
	f->fail = 0;
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
	ck_assert_uint_eq(f->data[5000], 'x');
	ck_assert_uint_eq(f->data[5001], 'y');
	ck_assert_uint_ne(m->dirty, 0); /* the simulation is as it was */
}

START_TEST(contents_after_the_run)
{
	with_file(4 * PAGE_SIZE, leave_dirty, hand_over);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("edges");

	tcase_add_test(tc, buffers_by_memory);
	tcase_add_test(tc, writes_in_flight);
	tcase_add_test(tc, sizes_of_maps);
	tcase_add_test(tc, a_free_page_to_the_tail);
	tcase_add_test(tc, segments_without_pages);
	tcase_add_test(tc, contiguous_to_the_last_page);
	tcase_add_test(tc, faults_on_marked_pages);
	tcase_add_test(tc, prefault_at_address_zero);
	tcase_add_test(tc, swap_reads_what_lies_together);
	tcase_add_test(tc, files_that_shrink_under_a_read);
	tcase_add_test(tc, references_locks_offsets);
	tcase_add_test(tc, pushing_some_pages);
	tcase_add_test(tc, contents_after_the_run);
	return (rig_suite("vm_edges", tc));
}
