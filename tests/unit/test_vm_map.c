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

int
main(void)
{
	TCase *tc = tcase_create("map");

	tcase_add_loop_test(tc, random_operations, 0, 6);
	return (rig_suite("vm_map", tc));
}
