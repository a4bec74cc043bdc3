/*
 * test_vnode_pager.c: goal: file contents are right through read, write, maps,
 * truncation and sync, and the transfers and queue moves are those of
 * companions 10. Method: a file in host memory behind struct vnode_ops; the
 * transfers and moves are recorded.
 */
#include <errno.h>

#include "tests/unit/vm_rig.h"
#include "vmcore/bsd/vm_pageout.h"
#include "vmcore/bsd/vnode_pager.h"
#include "vmcore/vm_lock.h"

#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define FILE_MAX (4u << 20)

struct file {
	struct vnode *vp;
	uint8_t data[FILE_MAX];
	uint64_t size;
	uint32_t reads, writes;
	uint64_t last_write_end;
	int fail; /* errno of the next writes */
	/* log */
	struct vm_io_record io[1024];
	uint32_t nio;
	struct vm_transition move[8192];
	uint32_t nmoves;
};

static int
file_read(void *ctx, uint64_t offset, void *buf, uint32_t n)
{
	struct file *f = ctx;

	memset(buf, 0, n);
	if (offset < f->size)
		memcpy(buf, f->data + offset, n < f->size - offset ? n :
		    f->size - offset);
	f->reads++;
	return (0);
}

static int
file_write(void *ctx, uint64_t offset, const void *buf, uint32_t n)
{
	struct file *f = ctx;

	if (f->fail != 0)
		return (f->fail);
	ck_assert_uint_le(offset + n, FILE_MAX);
	memcpy(f->data + offset, buf, n);
	if (offset + n > f->size)
		f->size = offset + n;
	f->last_write_end = offset + n;
	f->writes++;
	return (0);
}

static const struct vnode_ops file_ops = { file_read, file_write };

static void
log_io(void *ctx, const struct vm_io_record *io)
{
	struct file *f = ctx;

	f->io[f->nio++ % 1024] = *io;
}

static void
log_move(void *ctx, const struct vm_transition *t)
{
	struct file *f = ctx;

	f->move[f->nmoves++ % 8192] = *t;
}

static const struct vm_trace_ops log_ops = { .io = log_io,
	.transition = log_move };

static uint8_t
byte_at(uint64_t offset)
{
	return ((uint8_t)(offset * 31 + offset / 4096 * 7 + 1));
}

static void
with_file(uint32_t frames, uint64_t size, void (*body)(struct rig *r))
{
	struct file *f = calloc(1, sizeof(*f));
	struct rig r;
	uint64_t i;

	ck_assert_ptr_nonnull(f);
	rig_create(&r, frames, 1000);
	rig_set(&r, "vm.idlezero_enable", "0");
	rig_boot(&r);
	for (i = 0; i < size; i++)
		f->data[i] = byte_at(i);
	f->size = size;
	f->vp = vm_vnode_new(r.vm, "file", size, &file_ops, f, r.fs, 800);
	r.arg = f;
	vm_set_trace(r.vm, &log_ops, f);
	rig_run(&r, body);
	vm_check_all(r.vm);
	vm_set_trace(r.vm, NULL, NULL);
	vm_vnode_rele(r.vm, f->vp);
	rig_destroy(&r);
	free(f);
}

static void
read_check(struct rig *r, uint64_t offset, uint64_t n)
{
	struct file *f = r->arg;
	uint8_t *buf = malloc(n);
	uint64_t done, i;

	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, offset, buf, n, &done),
	    0);
	ck_assert_uint_eq(done, n);
	for (i = 0; i < n; i++)
		ck_assert_uint_eq(buf[i], byte_at(offset + i));
	free(buf);
}

/* ------------------------------------------------------------ reading */

static void
read_body(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t done;
	uint8_t b;

	/* One byte reads its block; the read-ahead starts behind it. */
	read_check(r, 40000, 1);
	ck_assert_uint_ge(f->nio, 1);
	ck_assert_int_eq(f->io[0].kind, VMIO_VNODE_IN);
	ck_assert_uint_eq(f->io[0].pindex, 8);
	ck_assert_uint_eq(f->io[0].pages, 8);
	ck_assert_uint_eq(f->io[0].lbn, 800 + 64);
	ck_assert_str_eq(f->io[0].disk, "fs0");
	ck_assert_uint_eq(vm_stat(r->vm, "v_vnodein"), f->nio);
	/* In the middle, over page borders, and at the end. */
	read_check(r, 4090, 10000);
	read_check(r, 300000 - 10, 10);
	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, 300000 - 3, &b, 1,
	    &done), 0);
	ck_assert_uint_eq(done, 1);
	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, 300000, &b, 1, &done), 0);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, UINT64_MAX, &b, 1,
	    &done), 0);
	ck_assert_uint_eq(done, 0);
}

START_TEST(reads)
{
	with_file(1024, 300000, read_body);
}
END_TEST

/* A sequential reader: transfers of 128 KiB, ahead of it. */
static void
sequential_body(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t at, pages = 0;
	uint32_t i, big = 0;

	for (at = 0; at < 2u << 20; at += 8192)
		read_check(r, at, 8192);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 1000000));
	for (i = 0; i < f->nio; i++) {
		ck_assert_uint_le(f->io[i].pages, MAXPHYS_PAGES);
		big += f->io[i].pages == MAXPHYS_PAGES;
		pages += f->io[i].pages;
	}
	ck_assert_uint_eq(pages, vm_stat(r->vm, "v_vnodepgsin"));
	ck_assert_uint_ge(big, 12);
	ck_assert_uint_le(f->nio, 30);
	/* nbuf is 114 with 8 MiB: 14 blocks ahead, and nothing twice. */
	ck_assert_uint_eq(pages, (2u << 20) / PAGE_SIZE + 114 / 8 * 8);
}

START_TEST(sequential_reads_cluster)
{
	with_file(2048, 3u << 20, sequential_body);
}
END_TEST

/* Scattered single reads: a block each, nothing ahead. */
static void
random_body(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t i;

	read_check(r, 77, 1);
	read_check(r, 2000000, 1);
	f->nio = 0;
	for (i = 1; i < 20; i++)
		read_check(r, i * 7 % 20 * 100000, 1);
	for (i = 0; i < f->nio; i++)
		ck_assert_uint_le(f->io[i].pages, 8);
	ck_assert_uint_le(f->nio, 20);
}

START_TEST(random_reads_do_not_run_ahead)
{
	with_file(2048, 3u << 20, random_body);
}
END_TEST

/* A page that read(2) looked at ends at INACTIVE's tail, each time. */
static void
queue_body(struct rig *r)
{
	struct file *f = r->arg;
	vm_page_t m;
	uint32_t n;

	read_check(r, 0, 100);
	m = vm_page_lookup(f->vp->object, 0);
	ck_assert_uint_eq(m->queue, PQ_INACTIVE(r->vm));
	vm_page_activate(r->vm, m);
	n = f->nmoves;
	read_check(r, 100, 100);
	ck_assert_uint_eq(m->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(f->nmoves, n + 2);
	ck_assert_int_eq(f->move[n].from, VMQ_ACTIVE);
	ck_assert_int_eq(f->move[n].to, VMQ_WIRED);
	ck_assert_int_eq(f->move[n + 1].to, VMQ_INACTIVE);
	ck_assert_int_eq(f->move[n + 1].reason, WHY_FILE_READ);
	ck_assert_int_eq(f->vp->object->ref_count, 0);
}

START_TEST(read_pages_are_inactive)
{
	with_file(1024, 30000, queue_body);
}
END_TEST

static void
read_error_body(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t done;
	uint8_t b[10];

	rig_set(r, "inject.io_read_error", "1000000");
	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, 50, b, 10, &done), EIO);
	ck_assert_uint_eq(done, 0);
	rig_set(r, "inject.io_read_error", "0");
	vm_check_all(r->vm);
	read_check(r, 50, 10);
}

START_TEST(read_errors)
{
	with_file(1024, 100000, read_error_body);
}
END_TEST

/* ------------------------------------------------------------ writing */

static void
put(struct rig *r, uint64_t offset, const char *text)
{
	struct file *f = r->arg;
	uint64_t done;

	ck_assert_int_eq(vm_vnode_write(r->vm, f->vp, offset, text,
	    strlen(text), &done), 0);
	ck_assert_uint_eq(done, strlen(text));
}

static void
expect(struct rig *r, uint64_t offset, const char *text)
{
	struct file *f = r->arg;
	char buf[64];
	uint64_t done;

	ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, offset, buf,
	    strlen(text), &done), 0);
	ck_assert_uint_eq(done, strlen(text));
	ck_assert_int_eq(memcmp(buf, text, strlen(text)), 0);
}

static void
write_body(struct rig *r)
{
	struct file *f = r->arg;

	/* In place, over a page border: what is around it stays. */
	put(r, 4094, "hello");
	expect(r, 4094, "hello");
	read_check(r, 4000, 94);
	read_check(r, 4099, 1000);
	ck_assert_uint_eq(f->writes, 0);
	/* Extending, with a hole: zeroes between. */
	put(r, 100000 + 20000, "end");
	ck_assert_uint_eq(vm_vnode_size(f->vp), 120003);
	expect(r, 120000, "end");
	read_check(r, 99990, 10);
	{
		uint8_t z[20000];
		uint64_t done, i;

		ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, 100000, z, 20000,
		    &done), 0);
		for (i = 0; i < done; i++)
			ck_assert_uint_eq(z[i], 0);
	}
	/* Whole blocks are written, no byte past the end. */
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
	ck_assert_uint_eq(f->size, 120003);
	ck_assert_int_eq(memcmp(f->data + 4094, "hello", 5), 0);
	ck_assert_int_eq(memcmp(f->data + 120000, "end", 3), 0);
	ck_assert_int_eq(f->vp->object->flags & OBJ_MIGHTBEDIRTY, 0);
	f->writes = 0;
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
	ck_assert_uint_eq(f->writes, 0);
}

START_TEST(writes)
{
	with_file(1024, 100000, write_body);
}
END_TEST

/* A whole page needs no reading, a part of one does. */
static void
rmw_body(struct rig *r)
{
	struct file *f = r->arg;
	uint8_t page[PAGE_SIZE];
	uint64_t done;

	memset(page, 'w', sizeof(page));
	ck_assert_int_eq(vm_vnode_write(r->vm, f->vp, 8192, page, PAGE_SIZE,
	    &done), 0);
	ck_assert_uint_eq(f->nio, 0);
	put(r, 65536 + 10, "part");
	ck_assert_uint_ge(f->nio, 1);
	ck_assert_int_eq(f->io[0].kind, VMIO_VNODE_IN);
	read_check(r, 65536, 10);
	expect(r, 65536 + 10, "part");
}

START_TEST(partial_writes_read_first)
{
	with_file(1024, 200000, rmw_body);
}
END_TEST

/* 10.4: a dirtied file is written 30 seconds later. */
static void
syncer_body(struct rig *r)
{
	struct file *f = r->arg;
	sim_time_t start;

	put(r, 10, "late");
	start = sim_now(r->sim);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 27000000));
	ck_assert_uint_eq(f->writes, 0);
	put(r, 5000, "no later for that");
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 5000000));
	ck_assert_uint_gt(f->writes, 0);
	ck_assert_int_eq(memcmp(f->data + 10, "late", 4), 0);
	ck_assert_int_eq(memcmp(f->data + 5000, "no later", 8), 0);
	ck_assert_uint_le(f->io[f->nio - 1].finish - start,
	    sim_us(r->sim, 32000000));
}

START_TEST(syncer_writes)
{
	with_file(1024, 100000, syncer_body);
}
END_TEST

/* In a hurry it takes a slot for each request, 15 ahead at most. */
static void
hurry_body(struct rig *r)
{
	struct file *f = r->arg;
	int n = 0;

	put(r, 10, "hurry");
	while (vm_speedup_syncer(r->vm))
		n++;
	ck_assert_int_eq(n, 15);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 100000));
	ck_assert(vm_speedup_syncer(r->vm)); /* they have been used up */
	ck_assert_uint_eq(f->writes, 0);
	for (n = 0; n < 15; n++)
		(void)vm_speedup_syncer(r->vm);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 100000));
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 2000000));
	ck_assert_uint_gt(f->writes, 0);
}

START_TEST(syncer_hurries)
{
	with_file(1024, 100000, hurry_body);
}
END_TEST

/* 10.2: the buffer takes every resident page of the 32 KiB block. */
static void
buffer_body(struct rig *r)
{
	struct file *f = r->arg;
	uint64_t wired = vm_stat(r->vm, "v_wire_count");
	vm_page_t m[8];
	int i, status;

	read_check(r, 32768, 32768);
	for (i = 0; i < 8; i++) {
		m[i] = vm_page_lookup(f->vp->object, 8 + (vm_pindex_t)i);
		vm_page_activate(r->vm, m[i]);
	}
	put(r, 32768 + 3 * 4096, "dirty");
	vm_page_deactivate(r->vm, m[3]);
	f->nio = 0;
	vm_object_wlock(r->vm, f->vp->object);
	status = vm_pageout_flush(r->vm, &m[3], 1, 0, 0, NULL, NULL);
	vm_object_wunlock(r->vm, f->vp->object);
	ck_assert_int_eq(status, 1);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 8);
	for (i = 0; i < 8; i++) {
		ck_assert_uint_eq(m[i]->queue, PQ_NONE);
		ck_assert_uint_eq(m[i]->busy, 1);
		ck_assert_uint_eq(m[i]->dirty, 0);
	}
	vm_check_all(r->vm);
	vnode_write_drain(r->vm, f->vp);
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(m[i]->queue, PQ_INACTIVE(r->vm));
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired);
	ck_assert_uint_eq(f->nio, 1);
	ck_assert_int_eq(f->io[0].kind, VMIO_VNODE_OUT);
	ck_assert_uint_eq(f->io[0].pindex, 8);
	ck_assert_uint_eq(f->io[0].pages, 8);
	ck_assert_int_eq(memcmp(f->data + 32768 + 3 * 4096, "dirty", 5), 0);
}

START_TEST(writes_go_through_buffers)
{
	with_file(1024, 200000, buffer_body);
}
END_TEST

/* A failed write keeps the page dirty and is told by fsync, once. */
static void
write_error_body(struct rig *r)
{
	struct file *f = r->arg;
	vm_page_t m;

	put(r, 10, "keep me");
	f->fail = ENOSPC;
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, false), 0);
	vnode_write_drain(r->vm, f->vp);
	m = vm_page_lookup(f->vp->object, 0);
	ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
	ck_assert_uint_eq(m->queue, PQ_ACTIVE(r->vm));
	ck_assert_int_ne(f->vp->object->flags & OBJ_MIGHTBEDIRTY, 0);
	f->fail = 0;
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), ENOSPC);
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
	ck_assert_int_eq(memcmp(f->data + 10, "keep me", 7), 0);
}

START_TEST(write_errors)
{
	with_file(1024, 100000, write_error_body);
}
END_TEST

/* ------------------------------------------------------------ truncation */

static void
truncate_body(struct rig *r)
{
	struct file *f = r->arg;
	vm_offset_t a = RIG_BASE;
	uint64_t v;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 20 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_FIXED | VM_MAP_SHARED, f->vp, 0), 0);
	ck_assert(vm_vnode_is_mapped(f->vp));
	rig_store(r, r->vs, RIG_BASE + 9 * PAGE_SIZE, 1);
	rig_store(r, r->vs, RIG_BASE + 2 * PAGE_SIZE + 1000, ~0ull);
	ck_assert_int_eq(vm_vnode_truncate(r->vm, f->vp,
	    2 * PAGE_SIZE + 1001), 0);
	f->size = 2 * PAGE_SIZE + 1001;
	ck_assert_uint_eq(vm_vnode_size(f->vp), 2 * PAGE_SIZE + 1001);
	ck_assert_int_eq(rig_access(r, r->vs, RIG_BASE + 9 * PAGE_SIZE, false,
	    &v), KERN_MEMORY_ERROR);
	/* One byte of the word is left, the others read as zeroes. */
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 2 * PAGE_SIZE + 1000),
	    0xff);
	/* Longer again: zeroes, also where the map wrote past the end. */
	rig_store(r, r->vs, RIG_BASE + 2 * PAGE_SIZE + 2000, ~0ull);
	ck_assert_int_eq(vm_vnode_truncate(r->vm, f->vp, 10 * PAGE_SIZE), 0);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 2 * PAGE_SIZE + 2000),
	    0);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 9 * PAGE_SIZE), 0);
	ck_assert_int_eq(vm_msync(r->vm, r->vs, RIG_BASE, 20 * PAGE_SIZE, true,
	    false), 0);
	ck_assert_uint_eq(f->data[2 * PAGE_SIZE + 1000], 0xff);
	ck_assert_uint_eq(f->data[2 * PAGE_SIZE + 1001], 0);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, 20 * PAGE_SIZE),
	    0);
	ck_assert(!vm_vnode_is_mapped(f->vp));
}

START_TEST(truncation)
{
	with_file(1024, 100000, truncate_body);
}
END_TEST

/* ------------------------------------------------------------ maps */

static void
msync_body(struct rig *r)
{
	struct file *f = r->arg;
	vm_offset_t a = RIG_BASE, b = RIG_BASE + 64 * PAGE_SIZE;
	uint64_t v = 0x1122334455667788ull;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 16 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_FIXED | VM_MAP_SHARED, f->vp, 0), 0);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &b, 16 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_FIXED, f->vp, 0), 0);
	/* Shared: at once seen by read(2) and by other maps. */
	rig_store(r, r->vs, a + 5 * PAGE_SIZE, v);
	ck_assert_uint_eq(rig_load(r, r->vs, b + 5 * PAGE_SIZE), v);
	{
		uint64_t got, done;

		ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, 5 * PAGE_SIZE,
		    &got, 8, &done), 0);
		ck_assert_uint_eq(got, v);
	}
	/* Private: nobody else's business. */
	rig_store(r, r->vs, b + 6 * PAGE_SIZE, 1);
	ck_assert_uint_ne(rig_load(r, r->vs, a + 6 * PAGE_SIZE), 1);
	/* write(2) shows in both until the private page is written to. */
	put(r, 7 * PAGE_SIZE, "visible.");
	ck_assert_uint_eq(rig_load(r, r->vs, a + 7 * PAGE_SIZE),
	    rig_load(r, r->vs, b + 7 * PAGE_SIZE));
	f->writes = 0;
	ck_assert_int_eq(vm_msync(r->vm, r->vs, b, 16 * PAGE_SIZE, true,
	    false), 0);
	ck_assert_uint_eq(f->writes, 0);
	ck_assert_int_eq(vm_msync(r->vm, r->vs, a, 17 * PAGE_SIZE, true,
	    false), ENOMEM); /* but done */
	ck_assert_int_eq(memcmp(f->data + 5 * PAGE_SIZE, &v, 8), 0);
	/* A store after that is found again: by the next sync. */
	rig_store(r, r->vs, a + 5 * PAGE_SIZE, 3);
	ck_assert_int_eq(vm_vnode_sync(r->vm, f->vp, true), 0);
	ck_assert_uint_eq(f->data[5 * PAGE_SIZE], 3);
	/* Linux's MADV_DONTNEED brings the file back. */
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, b, 16 * PAGE_SIZE,
	    VM_ADV_LINUX_DONTNEED), 0);
	ck_assert_uint_ne(rig_load(r, r->vs, b + 6 * PAGE_SIZE), 1);
}

START_TEST(maps_and_files_agree)
{
	with_file(1024, 200000, msync_body);
}
END_TEST

/* Dirty mapped pages are pushed every 30 seconds. */
static void
msync_timer_body(struct rig *r)
{
	struct file *f = r->arg;
	vm_offset_t a = RIG_BASE;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 16 * PAGE_SIZE, RW,
	    VM_PROT_ALL, VM_MAP_FIXED | VM_MAP_SHARED, f->vp, 0), 0);
	rig_store(r, r->vs, a, 0x42);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 33000000));
	ck_assert_uint_eq(f->data[0], 0x42);
	/* It was write-protected for that, and dirties again. */
	rig_store(r, r->vs, a, 0x43);
	(void)sim_sleep(r->sim, f, PPAUSE, "test", sim_us(r->sim, 33000000));
	ck_assert_uint_eq(f->data[0], 0x43);
}

START_TEST(mapped_pages_are_pushed)
{
	with_file(1024, 200000, msync_timer_body);
}
END_TEST

/* ------------------------------------------------------------ life */

static void
life_body(struct rig *r)
{
	struct file *f = r->arg;
	struct file *g = calloc(1, sizeof(*g));
	vm_offset_t a = RIG_BASE;
	struct vnode *vp;
	uint64_t done, objects = vm_stat(r->vm, "vm.objects");
	vm_page_t m;

	(void)f;
	vp = vm_vnode_new(r->vm, "other", 0, &file_ops, g, r->fs, 4000);
	ck_assert_str_eq(vm_vnode_name(vp), "other");
	ck_assert_uint_ne(vm_vnode_id(vp), vm_vnode_id(f->vp));
	ck_assert_int_eq(vm_vnode_write(r->vm, vp, 0, "bye", 3, &done), 0);
	/* A mapping keeps it when its owner has let go. */
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, PAGE_SIZE, RW, VM_PROT_ALL,
	    VM_MAP_FIXED, vp, 0), 0);
	vm_vnode_rele(r->vm, vp);
	ck_assert_uint_eq(rig_load(r, r->vs, a) & 0xffffff, 0x657962);
	ck_assert_uint_eq(g->size, 0);
	/* The last one goes: contents are handed over, pages stay cached. */
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, a, PAGE_SIZE), 0);
	ck_assert_uint_eq(g->size, 3);
	ck_assert_int_eq(memcmp(g->data, "bye", 3), 0);
	free(g);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), objects + 1);
	m = vm_page_lookup(vp->object, 0);
	ck_assert_ptr_nonnull(m);
	vm_object_free_page(r->vm, m);
	vnode_pager_reclaim(r->vm);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), objects);
}

START_TEST(files_without_users)
{
	with_file(1024, 100000, life_body);
}
END_TEST

/* More file than memory: the page daemon cleans and frees it. */
static void
stream_body(struct rig *r)
{
	struct file *f = r->arg;
	uint8_t page[PAGE_SIZE];
	uint64_t i, j, done;

	for (i = 0; i < FILE_MAX / PAGE_SIZE; i++) {
		memset(page, (int)(i % 251), sizeof(page));
		ck_assert_int_eq(vm_vnode_write(r->vm, f->vp, i * PAGE_SIZE,
		    page, PAGE_SIZE, &done), 0);
	}
	ck_assert_uint_gt(f->writes, 500);
	for (i = 0; i < FILE_MAX / PAGE_SIZE; i++) {
		ck_assert_int_eq(vm_vnode_read(r->vm, f->vp, i * PAGE_SIZE,
		    page, PAGE_SIZE, &done), 0);
		for (j = 0; j < PAGE_SIZE; j += 511)
			ck_assert_uint_eq(page[j], i % 251);
	}
	ck_assert_uint_le(f->vp->object->resident_page_count, 256);
}

START_TEST(streams_larger_than_memory)
{
	with_file(256, 0, stream_body);
}
END_TEST

/* The vnode lock: recursive for its owner, LK_TIMELOCK gives up in time. */
static void
lock_thread(void *arg)
{
	struct rig *r = arg;
	struct file *f = r->arg;

	vnode_lock(r->vm, f->vp, false);
	(void)sim_sleep(r->sim, &f->nio, PVM, "hold", sim_us(r->sim, 200000));
	vnode_unlock(r->vm, f->vp);
	sim_thread_exit(r->sim);
}

static void
lock_body(struct rig *r)
{
	struct file *f = r->arg;
	sim_time_t start;

	vnode_lock(r->vm, f->vp, false);
	ck_assert(vnode_trylock(r->vm, f->vp, true));
	vnode_unlock(r->vm, f->vp);
	vnode_unlock(r->vm, f->vp);
	(void)sim_thread_create(r->sim, "holder", PVM, lock_thread, r);
	(void)sim_sleep(r->sim, f, PVM, "wait", 1000);
	ck_assert(!vnode_trylock(r->vm, f->vp, true));
	start = sim_now(r->sim);
	ck_assert_int_eq(vnode_timelock(r->vm, f->vp, false), EDEADLK);
	/* hz/20 + 1 ticks at 1000 Hz */
	ck_assert_uint_ge(sim_now(r->sim) - start, sim_us(r->sim, 51000));
	ck_assert_uint_le(sim_now(r->sim) - start, sim_us(r->sim, 51100));
	read_check(r, 0, 10); /* waits */
	ck_assert_uint_ge(sim_now(r->sim) - start, sim_us(r->sim, 190000));
	ck_assert_int_eq(vnode_timelock(r->vm, f->vp, false), 0);
	vnode_unlock(r->vm, f->vp);
}

START_TEST(vnode_locks)
{
	with_file(1024, 100000, lock_body);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("vnode");

	tcase_add_test(tc, reads);
	tcase_add_test(tc, sequential_reads_cluster);
	tcase_add_test(tc, random_reads_do_not_run_ahead);
	tcase_add_test(tc, read_pages_are_inactive);
	tcase_add_test(tc, read_errors);
	tcase_add_test(tc, writes);
	tcase_add_test(tc, partial_writes_read_first);
	tcase_add_test(tc, syncer_writes);
	tcase_add_test(tc, syncer_hurries);
	tcase_add_test(tc, writes_go_through_buffers);
	tcase_add_test(tc, write_errors);
	tcase_add_test(tc, truncation);
	tcase_add_test(tc, maps_and_files_agree);
	tcase_add_test(tc, mapped_pages_are_pushed);
	tcase_add_test(tc, files_without_users);
	tcase_add_test(tc, streams_larger_than_memory);
	tcase_add_test(tc, vnode_locks);
	return (rig_suite("vnode_pager", tc));
}
