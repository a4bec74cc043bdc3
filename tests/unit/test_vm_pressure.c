/*
 * test_vm_pressure.c: goal: no content is lost when a process uses several
 * times the memory there is. Method: a thread stores its own value in every
 * page, then reads and rewrites in several orders; every page goes to swap
 * and comes back many times. The structures are checked along the way.
 */
#include "tests/unit/vm_rig.h"

#define FRAMES 512u
#define PAGES (4 * FRAMES)

static uint64_t
value_of(uint64_t i, uint64_t round)
{
	return (i * 0x9e3779b97f4a7c15ull + round);
}

static vm_offset_t
at(uint64_t i)
{
	return (RIG_BASE + i * PAGE_SIZE + (i * 8) % PAGE_SIZE);
}

static void
touch_all(struct rig *r)
{
	uint64_t i, j;

	rig_anon(r, r->vs, RIG_BASE, PAGES);
	for (i = 0; i < PAGES; i++)
		rig_store(r, r->vs, at(i), value_of(i, 0));
	vm_check_all(r->vm);
	for (i = 0; i < PAGES; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, at(i)), value_of(i, 0));
	vm_check_all(r->vm);
	for (i = 0; i < PAGES; i++) {
		j = i * 769 % PAGES; /* scattered */
		ck_assert_uint_eq(rig_load(r, r->vs, at(j)), value_of(j, 0));
		rig_store(r, r->vs, at(j), value_of(j, 1));
		if (i % 64 == 0)
			vm_check_all(r->vm);
	}
	for (i = PAGES; i-- > 0;)
		ck_assert_uint_eq(rig_load(r, r->vs, at(i)), value_of(i, 1));
	ck_assert_int_eq(vm_munmap(r->vm, r->vs, RIG_BASE, PAGES * PAGE_SIZE),
	    0);
	vm_check_all(r->vm);
	ck_assert_uint_eq(vm_stat(r->vm, "vm.objects"), 0);
}

START_TEST(four_times_the_memory)
{
	struct rig r;

	rig_create(&r, FRAMES, 3 * PAGES);
	rig_boot(&r);
	rig_run(&r, touch_all);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsout"), PAGES);
	ck_assert_uint_gt(vm_stat(r.vm, "v_swappgsin"), PAGES);
	ck_assert_uint_eq(vm_stat(r.vm, "vm.swap_free"), 3 * PAGES - 2);
	rig_destroy(&r);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("pressure");

	tcase_add_test(tc, four_times_the_memory);
	return (rig_suite("vm_pressure", tc));
}
