/*
 * test_vm_domain.c: goal: pages come from the domain that vm.default_policy
 * says, by the colour search of FreeBSD 5, from another domain only when that
 * one is empty; each domain has its own queues. Method: kernels of two to
 * four domains, allocations by hand and by page faults; the checker compares
 * the domains' lists with the queues.
 */
#include <errno.h>

#include "tests/unit/vm_rig.h"
#include "vmcore/vm_object.h"

#define FRAMES 1024u

static void
rig_domains(struct rig *r, uint32_t frames, uint32_t domains,
    const char *policy)
{
	rig_create(r, frames, 4096);
	r->vm->ndomains = domains;
	rig_set(r, "vm.default_policy", policy);
}

static uint32_t
free_of(const struct rig *r, uint32_t domain)
{
	return (r->vm->dom[domain].vmd_free_count);
}

/* ------------------------------------------------------------ round robin */

static void
round_robin(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, 64);
	vm_page_t m;

	for (uint32_t i = 0; i < 64; i++) {
		m = vm_page_alloc(r->vm, object, i, VM_ALLOC_NORMAL);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq(m->domain, (i + 1) % 4);
		ck_assert_uint_eq(m->pc, (i + object->pg_color) %
		    r->vm->pq_l2_size);
		vm_page_activate(r->vm, m);
		vm_page_wakeup(r->vm, m);
	}
	for (uint32_t d = 0; d < 4; d++)
		ck_assert_uint_eq(r->vm->dom[d].vmd_active.pq_cnt, 16);
	vm_check_all(r->vm);
	vm_object_deallocate(r->vm, object);
	vm_check_all(r->vm);
}

START_TEST(round_robin_takes_turns)
{
	struct rig r;

	rig_domains(&r, FRAMES, 4, "rr");
	rig_boot(&r);
	for (uint32_t d = 0; d < 4; d++)
		ck_assert_uint_eq(r.vm->dom[d].vmd_page_count, FRAMES / 4);
	rig_run(&r, round_robin);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ first touch */

/* All of domain 0, the CPU's own, before any of the others. */
static void
first_touch(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, FRAMES);
	uint32_t own = free_of(r, 0), i;
	vm_page_t m;

	for (i = 0; i < own + 30; i++) {
		m = vm_page_alloc(r->vm, object, i, i % 3 == 0 ?
		    VM_ALLOC_ZERO : VM_ALLOC_NORMAL);
		ck_assert_ptr_nonnull(m);
		if (i < own)
			ck_assert_uint_eq(m->domain, 0);
		else
			ck_assert_uint_eq(m->domain, 1 + (i - own) % 2);
		vm_page_deactivate(r->vm, m);
		vm_page_wakeup(r->vm, m);
	}
	ck_assert_uint_eq(r->vm->dom[0].vmd_inactive.pq_cnt, own);
	ck_assert_uint_eq(free_of(r, 0), 0);
	vm_check_all(r->vm);
	/* freed pages go back where they belong, and are taken again */
	vm_object_page_remove(r->vm, object, 0, 8, false);
	ck_assert_uint_eq(free_of(r, 0), 8);
	m = vm_page_alloc(r->vm, object, 3, VM_ALLOC_NORMAL);
	ck_assert_uint_eq(m->domain, 0);
	vm_page_deactivate(r->vm, m);
	vm_page_wakeup(r->vm, m);
	vm_object_deallocate(r->vm, object);
	vm_check_all(r->vm);
}

START_TEST(first_touch_keeps_to_its_own)
{
	struct rig r;

	rig_domains(&r, FRAMES, 3, _i == 0 ? "first-touch" : "first-touch-rr");
	rig_boot(&r);
	rig_run(&r, first_touch);
	rig_destroy(&r);
}
END_TEST

/* The policy may change while the machine runs. */
static void
change_policy(struct rig *r)
{
	vm_object_t object = vm_object_allocate(r->vm, OBJT_DEFAULT, 8);
	vm_page_t m[4];

	for (uint32_t i = 0; i < 4; i++) {
		if (i == 2)
			rig_set(r, "vm.default_policy", "rr");
		m[i] = vm_page_alloc(r->vm, object, i, VM_ALLOC_NORMAL);
		vm_page_deactivate(r->vm, m[i]);
		vm_page_wakeup(r->vm, m[i]);
	}
	ck_assert_uint_eq(m[0]->domain, 0);
	ck_assert_uint_eq(m[1]->domain, 0);
	ck_assert_uint_ne(m[2]->domain, m[3]->domain);
	vm_object_deallocate(r->vm, object);
}

START_TEST(policy_changes)
{
	struct rig r;
	struct sim_err err;

	rig_domains(&r, FRAMES, 2, "first-touch");
	rig_boot(&r);
	rig_run(&r, change_policy);
	ck_assert_int_eq(tunables_set(r.ts, "vm.default_policy", "nearest",
	    &err), -EINVAL);
	ck_assert_str_eq(err.text, "vm.default_policy: unknown value "
	    "\"nearest\"; use one of \"rr\", \"first-touch\", "
	    "\"first-touch-rr\"");
	ck_assert_int_eq(tunables_check(r.ts, "vm.default_policy", "rr", &err),
	    0);
	ck_assert_int_eq(tunables_check(r.ts, "kern.hz", "100", &err), -EPERM);
	rig_destroy(&r);
}
END_TEST

/* ------------------------------------------------------------ the rest */

START_TEST(cpus_belong_to_domains)
{
	struct sim_config sc = { .ncpus = 6 };
	struct sim *six = sim_create(&sc);
	struct rig r;

	rig_domains(&r, FRAMES, 3, "rr");
	rig_boot(&r);
	for (uint32_t c = 0; c < 6; c++) {
		struct sim *one = r.vm->sim;

		r.vm->sim = six;
		ck_assert_uint_eq(vm_domain_of_cpu(r.vm, c), c / 2);
		r.vm->sim = one;
	}
	sim_destroy(six);
	rig_destroy(&r);
}
END_TEST

/* The kernel's own frames lie in the largest domain and belong to it. */
START_TEST(kept_frames_have_a_domain)
{
	struct rig r;
	vm_page_t m;

	rig_domains(&r, FRAMES + 1, 2, "rr");
	r.vm->boot_pages = 16;
	rig_boot(&r);
	m = vm_phys_to_page(r.vm, FRAMES);
	ck_assert_uint_eq(m->flags & PG_NOTAVAIL, PG_NOTAVAIL);
	ck_assert_uint_eq(m->domain, 1);
	ck_assert_uint_eq(r.vm->dom[1].vmd_page_count, 513 - 16);
	vm_check_all(r.vm);
	rig_destroy(&r);
}
END_TEST

/* Twice the memory, domain by domain: each has its own daemon. */
static void
pressure(struct rig *r)
{
	uint64_t i;

	rig_anon(r, r->vs, RIG_BASE, 2 * FRAMES);
	for (int round = 0; round < 2; round++)
		for (i = 0; i < 2 * FRAMES; i++)
			rig_store(r, r->vs, RIG_BASE + i * PAGE_SIZE,
			    i + (uint64_t)round);
	for (i = 0; i < 2 * FRAMES; i++)
		ck_assert_uint_eq(rig_load(r, r->vs, RIG_BASE +
		    i * PAGE_SIZE), i + 1);
	vm_check_all(r->vm);
	for (uint32_t d = 0; d < r->vm->ndomains; d++)
		ck_assert_int_ne(r->vm->dom[d].vmd_last_active_scan, 0);
}

START_TEST(each_domain_under_pressure)
{
	static const uint32_t domains[4] = { 1, 2, 4, 8 };
	struct rig r;

	rig_domains(&r, FRAMES, domains[_i % 4], _i < 4 ? "rr" :
	    "first-touch");
	rig_boot(&r);
	rig_run(&r, pressure);
	rig_destroy(&r);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("domain");

	tcase_add_test(tc, round_robin_takes_turns);
	tcase_add_loop_test(tc, first_touch_keeps_to_its_own, 0, 2);
	tcase_add_test(tc, policy_changes);
	tcase_add_test(tc, cpus_belong_to_domains);
	tcase_add_test(tc, kept_frames_have_a_domain);
	tcase_add_loop_test(tc, each_domain_under_pressure, 0, 8);
	return (rig_suite("vm_domain", tc));
}
