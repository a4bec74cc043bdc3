/*
 * test_vm_object.c: goal: objects count their references and shadows right,
 * get the colours of companions 1.3, and chains collapse as 7.2 says without
 * losing a page. Method: forks and exits seen from inside (struct vm_object),
 * colours against the arithmetic done by hand.
 */
#include "tests/unit/vm_rig.h"

static void
with_rig(uint32_t frames, void (*body)(struct rig *r))
{
	struct rig r;

	rig_create(&r, frames, 4096);
	rig_boot(&r);
	rig_run(&r, body);
	vm_check_all(r.vm);
	rig_destroy(&r);
}

static vm_map_entry_t
first(struct vmspace *vs)
{
	return (vs->vm_map.header.next);
}

/* ------------------------------------------------------------ colours */

/* L2 32, prime1 9: an object moves the next one's colour by at most 19. */
static void
color_body(struct rig *r)
{
	struct vm *vm = r->vm;
	uint32_t start = vm->object_next_index;
	vm_object_t a, b, c, s;
	uint64_t offset = 0;

	ck_assert_uint_eq(vm->pq_l2_size, 32);
	ck_assert_uint_eq(vm->pq_prime1, 9);
	a = vm_object_allocate(vm, OBJT_DEFAULT, 5);
	b = vm_object_allocate(vm, OBJT_DEFAULT, 1000);
	c = vm_object_allocate(vm, OBJT_DEFAULT, 1);
	ck_assert_uint_eq(a->pg_color, start % 32);
	ck_assert_uint_eq(b->pg_color, (start + 5) % 32);
	ck_assert_uint_eq(c->pg_color, (start + 5 + 19) % 32);
	ck_assert_uint_eq(vm->object_next_index, (start + 25) % 32);
	/* First shadow of an untouched source: its own length counts. */
	vm_object_reference(vm, a);
	s = a;
	vm_object_shadow(vm, &s, &offset, 3);
	ck_assert_ptr_ne(s, a);
	ck_assert_int_eq(a->generation, 1);
	ck_assert_uint_eq(s->pg_color, (a->pg_color + 5) % 32);
	ck_assert_uint_eq(vm->object_next_index, (s->pg_color + 19u) % 32);
	vm_object_deallocate(vm, s);
	/* Later ones move by 19 times the generation. */
	a->generation = 6;
	vm_object_reference(vm, a);
	s = a;
	vm_object_shadow(vm, &s, &offset, 3);
	ck_assert_uint_eq(s->pg_color, (a->pg_color + 19u * 7) % 32);
	vm_object_deallocate(vm, s);
	vm_object_deallocate(vm, a);
	vm_object_deallocate(vm, b);
	vm_object_deallocate(vm, c);
}

START_TEST(colours)
{
	with_rig(1024, color_body);
}
END_TEST

/* The page taken has the colour of index plus object, as long as there is
 * one. */
static void
page_color_body(struct rig *r)
{
	vm_object_t object;
	vm_page_t m;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 64);
	for (i = 0; i < 64; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	object = first(r->vs)->object;
	for (i = 0; i < 64; i++) {
		m = vm_page_lookup(object, i);
		ck_assert_uint_eq(m->pc, (i + object->pg_color) % 32);
	}
}

START_TEST(pages_have_their_colour)
{
	with_rig(4096, page_color_body);
}
END_TEST

/* ------------------------------------------------------------ fork */

static void
fork_body(struct rig *r)
{
	struct vmspace *child;
	vm_object_t top, shared;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 8);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	shared = first(r->vs)->object;
	ck_assert_int_ne(shared->flags & OBJ_ONEMAPPING, 0);
	child = vmspace_fork(r->vm, r->vs);
	ck_assert_ptr_eq(first(child)->object, shared);
	ck_assert_int_eq(shared->ref_count, 2);
	ck_assert_int_eq(shared->flags & OBJ_ONEMAPPING, 0);
	ck_assert_int_eq(first(r->vs)->eflags & first(child)->eflags &
	    (MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY),
	    MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	/* The child has the parent's mappings, read-only and unused. */
	ck_assert_uint_eq(vmspace_resident_count(child), 8);
	ck_assert_uint_eq(*pmap_pte(vmspace_pmap(child), RIG_BASE) &
	    (PTE_RW | PTE_A | PTE_M), 0);
	ck_assert_uint_eq(*pmap_pte(vmspace_pmap(r->vs), RIG_BASE) &
	    (PTE_RW | PTE_M), 0);
	/* A write makes a shadow, and copies one page into it. */
	rig_store(r, child, RIG_BASE + PAGE_SIZE, 99);
	top = first(child)->object;
	ck_assert_ptr_ne(top, shared);
	ck_assert_ptr_eq(top->backing_object, shared);
	ck_assert_int_eq(shared->shadow_count, 1);
	ck_assert_int_eq(shared->ref_count, 2);
	ck_assert_int_eq(top->resident_page_count, 1);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + PAGE_SIZE), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.faults.cow"), 1);
	/* The parent's exit leaves one user: it swallows the shared object. */
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, 8 * PAGE_SIZE), 0);
	ck_assert_ptr_null(top->backing_object);
	ck_assert_int_eq(top->resident_page_count, 8);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.object_collapses"), 1);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 1);
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(rig_load(r, child, RIG_BASE +
		    i * PAGE_SIZE), i == 1 ? 99 : i);
	vmspace_free(r->vm, child);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 0);
}

START_TEST(fork_shadows_and_collapses)
{
	with_rig(1024, fork_body);
}
END_TEST

/* Generations of forks: the chain behind the survivor stays short. */
static void
chain_body(struct rig *r)
{
	struct vmspace *vs = vmspace_alloc(r->vm, RIG_MIN, RIG_MAX), *child;
	vm_object_t object;
	uint64_t i, g;
	int depth = 0;

	rig_anon(r, vs, RIG_BASE, 16);
	for (i = 0; i < 16; i++)
		rig_store(r, vs, RIG_BASE + i * PAGE_SIZE, i);
	for (g = 1; g <= 20; g++) {
		child = vmspace_fork(r->vm, vs);
		/* Both write: a page each generation. */
		rig_store(r, vs, RIG_BASE + (g % 16) * PAGE_SIZE, 7777);
		rig_store(r, child, RIG_BASE + (g % 16) * PAGE_SIZE, 100 + g);
		vmspace_free(r->vm, vs);
		vs = child;
	}
	for (object = first(vs)->object; object != NULL;
	    object = object->backing_object)
		depth++;
	ck_assert_int_eq(depth, 1);
	for (i = 0; i < 16; i++) {
		uint64_t want = i == 0 ? 116 : i <= 4 ? 116 + i : 100 + i;

		ck_assert_uint_eq(rig_load(r, vs, RIG_BASE + i * PAGE_SIZE),
		    want);
	}
	vmspace_free(r->vm, vs);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 0);
}

START_TEST(chains_stay_short)
{
	with_rig(1024, chain_body);
}
END_TEST

/* The object behind has another user, but the parent hides all of it. */
static void
bypass_body(struct rig *r)
{
	struct vmspace *a, *b;
	vm_object_t bottom;
	uint64_t i, before;

	rig_anon(r, r->vs, RIG_BASE, 4);
	for (i = 0; i < 4; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	bottom = first(r->vs)->object;
	a = vmspace_fork(r->vm, r->vs);
	for (i = 0; i < 4; i++)
		rig_store(r, a, RIG_BASE + i * PAGE_SIZE, 10 + i);
	ck_assert_ptr_eq(first(a)->object->backing_object, bottom);
	before = vm_stat(r->vm, "vm.object_bypasses");
	/* fork collapses the object before sharing it */
	b = vmspace_fork(r->vm, a);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.object_bypasses"), before + 1);
	ck_assert_ptr_null(first(a)->object->backing_object);
	ck_assert_int_eq(bottom->ref_count, 1);
	ck_assert_int_eq(bottom->shadow_count, 0);
	ck_assert_uint_eq(rig_load(r, b, RIG_BASE + PAGE_SIZE), 11);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE + PAGE_SIZE), 1);
	vmspace_free(r->vm, b);
	vmspace_free(r->vm, a);
}

START_TEST(hidden_objects_are_bypassed)
{
	with_rig(1024, bypass_body);
}
END_TEST

/* Copies on swap move up with the pages when a chain collapses. */
static void
swapped_collapse_body(struct rig *r)
{
	const uint64_t n = 600;
	struct vmspace *child;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, n);
	for (i = 0; i < n; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	child = vmspace_fork(r->vm, r->vs);
	for (i = 0; i < n; i += 3)
		rig_store(r, child, RIG_BASE + i * PAGE_SIZE, 5000 + i);
	ck_assert_int_eq(first(child)->object->backing_object->type,
	    OBJT_SWAP);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, n * PAGE_SIZE), 0);
	vm_check_all(r->vm);
	for (i = 0; i < n; i++)
		ck_assert_uint_eq(rig_load(r, child, RIG_BASE +
		    i * PAGE_SIZE), i % 3 == 0 ? 5000 + i : i);
	vmspace_free(r->vm, child);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.swap_free"), 4096 - 2);
}

START_TEST(collapse_with_swap)
{
	with_rig(256, swapped_collapse_body);
}
END_TEST

/* One object under two entries is split when one of them is forked. */
static void
split_body(struct rig *r)
{
	struct vmspace *child;
	vm_object_t whole;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 8);
	for (i = 0; i < 8; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	whole = first(r->vs)->object;
	ck_assert_int_eq(vm_mprotect(r->vm, r->vs, RIG_BASE + 4 * PAGE_SIZE,
	    4 * PAGE_SIZE, VM_PROT_READ), 0);
	ck_assert_int_eq(whole->ref_count, 2);
	child = vmspace_fork(r->vm, r->vs);
	ck_assert_ptr_ne(first(r->vs)->object, whole);
	ck_assert_int_eq(first(r->vs)->object->resident_page_count, 4);
	ck_assert_uint_eq(first(r->vs)->object->size, 4);
	for (i = 0; i < 8; i++)
		ck_assert_uint_eq(rig_load(r, child, RIG_BASE +
		    i * PAGE_SIZE), i);
	vmspace_free(r->vm, child);
}

START_TEST(fork_splits_objects)
{
	with_rig(1024, split_body);
}
END_TEST

/* Shared memory stays one object through forks, made before the first. */
static void
shared_body(struct rig *r)
{
	struct vmspace *child;
	vm_offset_t a = RIG_BASE;

	ck_assert_int_eq(vm_mmap(r->vm, r->vs, &a, 4 * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL,
	    VM_MAP_FIXED | VM_MAP_SHARED, NULL, 0), 0);
	child = vmspace_fork(r->vm, r->vs);
	rig_store(r, child, RIG_BASE, 42);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 42);
	rig_store(r, r->vs, RIG_BASE + PAGE_SIZE, 43);
	ck_assert_uint_eq(rig_load(r, child, RIG_BASE + PAGE_SIZE), 43);
	/* Linux's MADV_DONTNEED does not take shared data away. */
	ck_assert_int_eq(vm_madvise(r->vm, child, RIG_BASE, 4 * PAGE_SIZE,
	    VM_ADV_LINUX_DONTNEED), 0);
	ck_assert_uint_eq(rig_load(r, child, RIG_BASE), 42);
	vmspace_free(r->vm, child);
	ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE), 42);
}

START_TEST(shared_memory_is_shared)
{
	with_rig(1024, shared_body);
}
END_TEST

/* Paging in progress keeps a chain from collapsing; later it may. */
static void
paging_body(struct rig *r)
{
	struct vmspace *child;
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 4);
	for (i = 0; i < 4; i++)
		rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE, i);
	child = vmspace_fork(r->vm, r->vs);
	rig_store(r, child, RIG_BASE, 9);
	vm_object_pip_add(first(child)->object, 1);
	vm_object_collapse(r->vm, first(child)->object);
	ck_assert_ptr_nonnull(first(child)->object->backing_object);
	vm_object_pip_wakeup(r->vm, first(child)->object);
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, 4 * PAGE_SIZE), 0);
	ck_assert_ptr_null(first(child)->object->backing_object);
	ck_assert_uint_eq(rig_load(r, child, RIG_BASE + PAGE_SIZE), 1);
	vmspace_free(r->vm, child);
}

START_TEST(paging_keeps_objects_apart)
{
	with_rig(1024, paging_body);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("object");

	tcase_add_test(tc, colours);
	tcase_add_test(tc, pages_have_their_colour);
	tcase_add_test(tc, fork_shadows_and_collapses);
	tcase_add_test(tc, chains_stay_short);
	tcase_add_test(tc, hidden_objects_are_bypassed);
	tcase_add_test(tc, collapse_with_swap);
	tcase_add_test(tc, fork_splits_objects);
	tcase_add_test(tc, shared_memory_is_shared);
	tcase_add_test(tc, paging_keeps_objects_apart);
	return (rig_suite("vm_object", tc));
}
