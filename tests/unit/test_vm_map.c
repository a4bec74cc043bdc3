/*
 * test_vm_map.c: goal: map calls do what they promise, alone and in any
 * order. Method: directed cases for the answers of linux_abi_tiers
 * ("Semantics to test"), and random operations against the page-by-page model
 * of vm_model.h, the structures checked throughout.
 */
#include "tests/unit/vm_model.h"

#define RW (VM_PROT_READ | VM_PROT_WRITE)

/* ------------------------------------------------------------ random */

static void
random_body(struct rig *r)
{
	struct model *mo = calloc(1, sizeof(*mo));
	int i;

	ck_assert_ptr_nonnull(mo);
	model_init(mo, r, *(uint64_t *)r->arg);
	mo->lock = true;
	for (i = 0; i < 3000; i++) {
		model_step(mo);
		if (i % 16 == 0)
			vm_check_all(r->vm);
	}
	model_finish(mo);
	free(mo);
}

START_TEST(random_operations)
{
	uint64_t seed = (uint64_t)_i + 1;
	struct rig r;

	rig_create(&r, 8192, 4096);
	rig_boot(&r);
	r.arg = &seed;
	rig_run(&r, random_body);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ directed */

static int
map_at(struct rig *r, vm_offset_t *addr, uint64_t pages, int flags)
{
	return (vm_mmap(r->vm, r->vs, addr, pages * PAGE_SIZE, RW,
	    VM_PROT_ALL, flags, NULL, 0));
}

static uint32_t
entries(struct rig *r)
{
	return (r->vs->vm_map.nentries);
}

/* Run one body on a machine of 2048 frames. */
static void
with_rig(void (*body)(struct rig *r))
{
	struct rig r;

	rig_create(&r, 2048, 4096);
	rig_boot(&r);
	rig_run(&r, body);
	vm_check_all(r.vm);
	rig_destroy(&r);
}

static void
placement_body(struct rig *r)
{
	vm_offset_t a = 0, b = 0, c, hint = RIG_BASE + 12345;
	struct vm_map_info mi;

	/* Top-down, below the area kept for the stack. */
	ck_assert_int_eq(map_at(r, &a, 4, 0), 0);
	ck_assert_uint_eq(a, RIG_MAX - (128u << 20) - 4 * PAGE_SIZE);
	ck_assert_int_eq(map_at(r, &b, 2, 0), 0);
	ck_assert_uint_eq(b, a - 2 * PAGE_SIZE);
	/* A hint is rounded and used when free, else ignored. */
	c = hint;
	ck_assert_int_eq(map_at(r, &c, 2, 0), 0);
	ck_assert_uint_eq(c, RIG_BASE + 4 * PAGE_SIZE);
	c = hint;
	ck_assert_int_eq(map_at(r, &c, 2, 0), 0);
	ck_assert_uint_eq(c, b - 2 * PAGE_SIZE);
	/* A hole that fits is used before the bottom is lowered. */
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, b, 2 * PAGE_SIZE), 0);
	c = 0;
	ck_assert_int_eq(map_at(r, &c, 2, 0), 0);
	ck_assert_uint_eq(c, b);
	ck_assert(vm_map_info(r->vs, 0, &mi));
	ck_assert_uint_eq(mi.start, RIG_BASE + 4 * PAGE_SIZE);
	vmspace_set_mmap_top(r->vs, RIG_BASE + 64 * PAGE_SIZE);
	c = 0;
	ck_assert_int_eq(map_at(r, &c, 2, 0), 0);
	ck_assert_uint_eq(c, RIG_BASE + 62 * PAGE_SIZE);
}

START_TEST(placement)
{
	with_rig(placement_body);
}
END_TEST

static void
fixed_body(struct rig *r)
{
	vm_offset_t a = RIG_BASE;
	uint64_t i;

	rig_anon(r, r->vs, a, 16);
	for (i = 0; i < 16; i++)
		rig_store(r, r->vs, a + i * PAGE_SIZE, 100 + i);
	a += 4 * PAGE_SIZE;
	ck_assert_int_eq(map_at(r, &a, 4,
	    VM_MAP_FIXED | VM_MAP_NOREPLACE), EEXIST);
	ck_assert_int_eq(map_at(r, &a, 4, VM_MAP_FIXED), 0);
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + i * PAGE_SIZE),
		    i >= 4 && i < 8 ? 0 : 100 + i);
	/* The old pages under it are gone, not just hidden. */
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 16);
	ck_assert_uint_eq(vm_map_size(r->vs), 16 * PAGE_SIZE);
}

START_TEST(fixed_replaces)
{
	with_rig(fixed_body);
}
END_TEST

static void
errors_body(struct rig *r)
{
	vm_offset_t a = 0;

	ck_assert_int_eq(map_at(r, &a, 0, 0), EINVAL);
	a = RIG_BASE + 1;
	ck_assert_int_eq(map_at(r, &a, 1, VM_MAP_FIXED), EINVAL);
	a = RIG_MAX;
	ck_assert_int_eq(map_at(r, &a, 1, VM_MAP_FIXED), ENOMEM);
	a = 0;
	ck_assert_int_eq(map_at(r, &a, 1, VM_MAP_FIXED), ENOMEM);
	ck_assert_int_eq(map_at(r, &a, RIG_MAX / PAGE_SIZE, 0), ENOMEM);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, UINT64_MAX - 5, RW,
	    VM_PROT_ALL, 0, NULL, 0), ENOMEM);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, PAGE_SIZE, RW,
	    VM_PROT_ALL, 0, NULL, 100), EINVAL);
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, PAGE_SIZE, RW,
	    VM_PROT_READ, 0, NULL, 0), EINVAL);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE + 8, PAGE_SIZE),
	    EINVAL);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, 0), EINVAL);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, PAGE_SIZE), 0);
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, RIG_BASE + 8, 1, RW),
	    EINVAL);
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE + 8, 1,
	    VM_ADV_NORMAL), EINVAL);
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE, 1,
	    VM_ADV_NORMAL), ENOMEM);
	ck_assert_int_eq(entries(r), 0);
}

START_TEST(bad_arguments)
{
	with_rig(errors_body);
}
END_TEST

static void
mprotect_body(struct rig *r)
{
	vm_offset_t a = RIG_BASE;
	uint64_t v = 1;

	rig_anon(r, r->vs, a, 2);
	rig_anon(r, r->vs, a + 3 * PAGE_SIZE, 1);
	rig_store(r, r->vs, a, 7);
	/* What precedes the hole is changed, what follows is not. */
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, a, 4 * PAGE_SIZE,
	    VM_PROT_READ), ENOMEM);
	ck_assert_int_eq(rig_access(r, r->vs, a, true, &v),
	    KERN_PROTECTION_FAILURE);
	ck_assert_uint_eq(rig_load(r, r->vs, a), 7);
	ck_assert_int_eq(rig_access(r, r->vs, a + 2 * PAGE_SIZE, true, &v),
	    KERN_INVALID_ADDRESS);
	rig_store(r, r->vs, a + 3 * PAGE_SIZE, 9);
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, a, PAGE_SIZE,
	    VM_PROT_NONE), 0);
	ck_assert_int_eq(rig_access(r, r->vs, a, false, &v),
	    KERN_PROTECTION_FAILURE);
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, a, 2 * PAGE_SIZE, RW), 0);
	ck_assert_uint_eq(rig_load(r, r->vs, a), 7);
	ck_assert_int_eq(entries(r), 2); /* merged again */
	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, PAGE_SIZE, VM_PROT_READ,
	    VM_PROT_READ, VM_MAP_FIXED, NULL, 0), 0);
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, a, PAGE_SIZE, RW), EACCES);
}

START_TEST(mprotect_and_holes)
{
	with_rig(mprotect_body);
}
END_TEST

static void
mremap_body(struct rig *r)
{
	vm_offset_t a = RIG_BASE, to = 0;
	uint64_t i;

	rig_anon(r, r->vs, a, 8);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, a + i * PAGE_SIZE, i);
	/* Shrink and grow in place. */
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, a, 8 * PAGE_SIZE,
	    6 * PAGE_SIZE, false, false, &to), 0);
	ck_assert_uint_eq(to, a);
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, a, 6 * PAGE_SIZE,
	    10 * PAGE_SIZE, false, false, &to), 0);
	ck_assert_uint_eq(rig_load(r, r->vs, a + 5 * PAGE_SIZE), 5);
	ck_assert_uint_eq(rig_load(r, r->vs, a + 6 * PAGE_SIZE), 0);
	/* No room: only by moving. */
	rig_anon(r, r->vs, a + 10 * PAGE_SIZE, 1);
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, a, 10 * PAGE_SIZE,
	    12 * PAGE_SIZE, false, false, &to), ENOMEM);
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, a, 10 * PAGE_SIZE,
	    12 * PAGE_SIZE, true, false, &to), 0);
	ck_assert_uint_ne(to, a);
	for (i = 0; i < 12; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, to + i * PAGE_SIZE),
		    i < 6 ? i : 0);
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, a, PAGE_SIZE, PAGE_SIZE,
	    true, false, &to), EFAULT);
	i = to + 4 * PAGE_SIZE;
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, to, 8 * PAGE_SIZE,
	    8 * PAGE_SIZE, true, true, &i), EINVAL); /* overlaps */
	i = RIG_BASE;
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, to, PAGE_SIZE, PAGE_SIZE,
	    false, true, &i), EINVAL); /* FIXED wants MAYMOVE */
	ck_assert_int_eq(vm_mremap(r->vm, r->vs, to + PAGE_SIZE, PAGE_SIZE, 0,
	    true, false, &to), EINVAL);
}

START_TEST(mremap_cases)
{
	with_rig(mremap_body);
}
END_TEST

static void
stack_body(struct rig *r)
{
	const uint64_t size = 8u << 20;
	vm_offset_t top = 0x7ffffffde000ull, a = top - size, low;
	struct vm_map_info mi;
	uint64_t v = 1;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, size, RW, VM_PROT_ALL,
	    VM_MAP_FIXED | VM_MAP_STACK, NULL, 0), 0);
	ck_assert_uint_eq(a, top - VM_STACK_SGROWSIZ);
	low = a;
	rig_store(r, r->vs, top - 8, 1);
	rig_store(r, r->vs, low - 8, 2); /* one step */
	ck_assert(vm_map_info(r->vs, low - 8, &mi));
	ck_assert(mi.stack);
	ck_assert_uint_eq(mi.start, low - VM_STACK_SGROWSIZ);
	ck_assert_uint_eq(mi.end, top);
	ck_assert_uint_eq(mi.resident, 2);
	rig_store(r, r->vs, top - size, 3); /* down to the limit */
	ck_assert_uint_eq(rig_load(r, r->vs, low - 8), 2);
	ck_assert_int_eq(rig_access(r, r->vs, top - size - 8, true, &v),
	    KERN_INVALID_ADDRESS);
	/* Nothing is placed in the guard gap below the reservation. */
	vmspace_set_mmap_top(r->vs, top);
	a = 0;
	ck_assert_int_eq(map_at(r, &a, 1, 0), 0);
	ck_assert_uint_eq(a, top - size - VM_STACK_GUARD - PAGE_SIZE);
}

START_TEST(stacks_grow)
{
	with_rig(stack_body);
}
END_TEST

/* A map in the reservation stops the stack one guard gap above. */
static void
stack_stop_body(struct rig *r)
{
	vm_offset_t top = 0x7ffffffde000ull, a = top - (8u << 20);
	vm_offset_t b = top - (4u << 20);
	uint64_t v = 1;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 8u << 20, RW, VM_PROT_ALL,
	    VM_MAP_FIXED | VM_MAP_STACK, NULL, 0), 0);
	rig_anon(r, r->vs, b, 1);
	rig_store(r, r->vs, b + PAGE_SIZE + VM_STACK_GUARD, 1);
	ck_assert_int_eq(rig_access(r, r->vs,
	    b + PAGE_SIZE + VM_STACK_GUARD - 8, true, &v),
	    KERN_INVALID_ADDRESS);
	rig_store(r, r->vs, b, 5);
}

START_TEST(stack_stops_at_its_neighbour)
{
	with_rig(stack_stop_body);
}
END_TEST

/* brk grows one object and one entry. */
static void
heap_body(struct rig *r)
{
	vm_offset_t at = RIG_BASE;
	int i;

	for (i = 0; i < 8; i++, at += 4 * PAGE_SIZE) {
		rig_anon(r, r->vs, at, 4);
		rig_store(r, r->vs, at, 11);
	}
	ck_assert_int_eq(entries(r), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 1);
	/* Shrinking gives the pages back at once; growing again: zeroes. */
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE + 16 * PAGE_SIZE,
	    16 * PAGE_SIZE), 0);
	ck_assert_int_eq(r->vs->vm_map.header.next->object->
	    resident_page_count, 4);
	rig_anon(r, r->vs, RIG_BASE + 16 * PAGE_SIZE, 4);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 16 * PAGE_SIZE), 0);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 11);
	ck_assert_int_eq(entries(r), 1);
}

START_TEST(heaps_coalesce)
{
	with_rig(heap_body);
}
END_TEST

static void
mincore_body(struct rig *r)
{
	uint8_t vec[6];
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 5);
	rig_store(r, r->vs, RIG_BASE + PAGE_SIZE, 1);
	rig_store(r, r->vs, RIG_BASE + 3 * PAGE_SIZE, 1);
	ck_assert_int_eq(vm_mincore(r->vm, r->vs, RIG_BASE, 5 * PAGE_SIZE,
	    vec), 0);
	for (i = 0; i < 5; i++)
		ck_assert_uint_eq(vec[i], i == 1 || i == 3);
	ck_assert_int_eq(vm_mincore(r->vm, r->vs, RIG_BASE, 6 * PAGE_SIZE,
	    vec), ENOMEM);
	ck_assert_int_eq(vm_mincore(r->vm, r->vs, RIG_BASE + 1, 1, vec),
	    EINVAL);
	/* Unmapped by advice, still in memory. */
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, RIG_BASE, 5 * PAGE_SIZE,
	    VM_PROT_NONE), 0);
	ck_assert_int_eq(vm_mincore(r->vm, r->vs, RIG_BASE, 5 * PAGE_SIZE,
	    vec), 0);
	ck_assert_uint_eq(vec[1], 1);
	ck_assert_uint_eq(vec[0], 0);
}

START_TEST(mincore_tells)
{
	with_rig(mincore_body);
}
END_TEST

/* MADV_FREE: clean, still mapped, nothing kept on swap; what is written after
 * that stays. */
static void
free_body(struct rig *r)
{
	vm_page_t m;
	uint64_t i, v;

	rig_anon(r, r->vs, RIG_BASE, 8);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, 60 + i);
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE, 8 * PAGE_SIZE,
	    VM_ADV_FREE), 0);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 8);
	for (i = 0; i < 8; i++) {
		m = vm_page_lookup(r->vs->vm_map.header.next->object, i);
		vm_page_test_dirty(r->vm, m);
		ck_assert_uint_eq(m->dirty, 0);
		ck_assert_uint_eq(m->act_count, 0);
	}
	rig_store(r, r->vs, RIG_BASE, 1);
	m = vm_page_lookup(r->vs->vm_map.header.next->object, 0);
	ck_assert(!vm_page_try_to_free(r->vm, m));
	m = vm_page_lookup(r->vs->vm_map.header.next->object, 1);
	ck_assert(vm_page_try_to_free(r->vm, m));
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 1);
	v = rig_load(r, r->vs, RIG_BASE + PAGE_SIZE);
	ck_assert_uint_eq(v, 0);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + 2 * PAGE_SIZE), 62);
	/* A shared object's pages are not touched. */
	{
		struct vmspace *child = vmspace_fork(r->vm, r->vs);

		ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE,
		    8 * PAGE_SIZE, VM_ADV_FREE), 0);
		m = vm_page_lookup(r->vs->vm_map.header.next->object, 0);
		ck_assert_uint_eq(m->dirty, VM_PAGE_BITS_ALL);
		vmspace_free(r->vm, child);
	}
}

START_TEST(madvise_free)
{
	with_rig(free_body);
}
END_TEST

/* WILLNEED activates and maps; DONTNEED is FreeBSD 5's, by weights. */
static void
advice_body(struct rig *r)
{
	uint64_t i, inactive = 0;
	vm_object_t object;
	vm_page_t m;

	rig_anon(r, r->vs, RIG_BASE, 64);
	for (i = 0; i < 64; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	object = r->vs->vm_map.header.next->object;
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE, 64 * PAGE_SIZE,
	    VM_ADV_DONTNEED), 0);
	for (i = 0; i < 64; i++) {
		m = vm_page_lookup(object, i);
		inactive += m->queue == PQ_INACTIVE(r->vm);
	}
	/* The first 15 calls of 512 leave the page alone. */
	ck_assert_uint_eq(inactive, 64 - 15);
	pmap_remove(vmspace_pmap(r->vs), RIG_BASE, RIG_BASE + 64 * PAGE_SIZE);
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE, 64 * PAGE_SIZE,
	    VM_ADV_WILLNEED), 0);
	ck_assert_uint_eq(vmspace_resident_count(r->vs), 64);
	for (i = 0; i < 64; i++) {
		m = vm_page_lookup(object, i);
		ck_assert_uint_eq(m->queue, PQ_ACTIVE(r->vm));
	}
	ck_assert_int_eq(vm_madvise(r->vm, r->vs, RIG_BASE, PAGE_SIZE,
	    (enum vm_advice)99), EINVAL);
}

START_TEST(madvise_hints)
{
	with_rig(advice_body);
}
END_TEST

static void
mlock_body(struct rig *r)
{
	uint64_t wired = vm_stat(r->vm, "v_wire_count");
	struct vmspace *child;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 8);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, RIG_BASE, 4 * PAGE_SIZE), 0);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 4);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, RIG_BASE, 6 * PAGE_SIZE), 0);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 6);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, RIG_BASE, 9 * PAGE_SIZE),
	    ENOMEM);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 6);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	/* The child's pages are its own and not wired. */
	child = vmspace_fork(r->vm, r->vs);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 6);
	for (i = 0; i < 8; i++) {
		ck_assert_uint_eq(rig_load(r, child, RIG_BASE + i * PAGE_SIZE),
		    i);
		rig_store(r, child, RIG_BASE + i * PAGE_SIZE, 50);
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + i * PAGE_SIZE),
		    i);
	}
	vmspace_free(r->vm, child);
	ck_assert_int_eq(vm_munlock(r->vm, r->vs, RIG_BASE + 2 * PAGE_SIZE,
	    PAGE_SIZE), 0);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 5);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, 4 * PAGE_SIZE), 0);
	ck_assert_uint_eq(vm_stat(r->vm, "v_wire_count"), wired + 2);
	ck_assert_int_eq(vm_munlock(r->vm, r->vs, RIG_BASE, PAGE_SIZE),
	    ENOMEM);
	/* The system's limit: a third of the pages. */
	rig_anon(r, r->vs, RIG_BASE + 100 * PAGE_SIZE, 1000);
	ck_assert_int_eq(vm_mlock(r->vm, r->vs, RIG_BASE + 100 * PAGE_SIZE,
	    1000 * PAGE_SIZE), ENOMEM);
}

START_TEST(mlock_wires)
{
	with_rig(mlock_body);
}
END_TEST

static void
copy_body(struct rig *r)
{
	char text[300], back[300];
	size_t len;

	memset(text, 'x', sizeof(text));
	text[299] = 0;
	rig_anon(r, r->vs, RIG_BASE, 2);
	/* Across the page border. */
	ck_assert_int_eq(vm_copyout(r->vm, r->vs, RIG_BASE + PAGE_SIZE - 100,
	    text, 300), 0);
	ck_assert_int_eq(vm_copyin(r->vm, r->vs, RIG_BASE + PAGE_SIZE - 100,
	    back, 300), 0);
	ck_assert_int_eq(memcmp(text, back, 300), 0);
	ck_assert_int_eq(vm_copyinstr(r->vm, r->vs, RIG_BASE + PAGE_SIZE -
	    100, back, 300, &len), 0);
	ck_assert_uint_eq(len, 300);
	ck_assert_int_eq(vm_copyinstr(r->vm, r->vs, RIG_BASE + PAGE_SIZE -
	    100, back, 299, &len), ENAMETOOLONG);
	ck_assert_int_eq(vm_copyout(r->vm, r->vs, RIG_BASE + 2 * PAGE_SIZE -
	    100, text, 300), EFAULT);
	ck_assert_int_eq(vm_copyin(r->vm, r->vs, 0, back, 1), EFAULT);
	ck_assert_int_eq(vm_copyin(r->vm, r->vs, RIG_MAX, back, 1), EFAULT);
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, RIG_BASE, PAGE_SIZE,
	    VM_PROT_READ), 0);
	ck_assert_int_eq(vm_copyout(r->vm, r->vs, RIG_BASE, text, 1), EFAULT);
	ck_assert_int_eq(vm_copyin(r->vm, r->vs, RIG_BASE, back, 1), 0);
}

START_TEST(copyin_copyout)
{
	with_rig(copy_body);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, placement);
	tcase_add_test(tc, fixed_replaces);
	tcase_add_test(tc, bad_arguments);
	tcase_add_test(tc, mprotect_and_holes);
	tcase_add_test(tc, mremap_cases);
	tcase_add_test(tc, stacks_grow);
	tcase_add_test(tc, stack_stops_at_its_neighbour);
	tcase_add_test(tc, heaps_coalesce);
	tcase_add_test(tc, mincore_tells);
	tcase_add_test(tc, madvise_free);
	tcase_add_test(tc, madvise_hints);
	tcase_add_test(tc, mlock_wires);
	tcase_add_test(tc, copyin_copyout);
	tcase_add_loop_test(tc, random_operations, 0, 6);
	return (rig_suite("vm_map", tc));
}
