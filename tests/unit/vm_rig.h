/*
 * vm_rig.h: a small machine for tests of vmcore: a simulation, an mmu, a
 * kernel with swap on a fixed-latency disk, and one process whose thread runs
 * the test's body.
 */
#ifndef VMSIM_TESTS_UNIT_VM_RIG_H
#define VMSIM_TESTS_UNIT_VM_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "disk_model/disk.h"
#include "disk_model/params.h"
#include "sim/base/sim.h"
#include "sim/base/tunables.h"
#include "vmcore/vm_int.h"
#include "vmcore/vmcore.h"

#define RIG_BASE 0x0000000000400000ull
#define RIG_MIN 0x0000000000010000ull
#define RIG_MAX 0x00007ffffffff000ull

struct rig {
	struct sim *sim;
	struct mmu *mmu;
	struct tunables *ts;
	struct disk *swap, *fs;
	struct disk_params swap_params, fs_params; /* the disks keep them */
	struct vm *vm;
	struct vmspace *vs;
	struct proc *p;
	struct thread *td;
	void (*body)(struct rig *r);
	bool finished;
	void *arg;
};

/* Latency of 1 ms and 20 MB/s; `sectors` of 512 bytes. */
static inline struct disk *
rig_disk(struct sim *sim, const char *name, struct disk_params *params,
    uint64_t sectors, bool contents)
{
	struct sim_err err;
	struct disk *d;

	*params = (struct disk_params) { .family = DISK_FIXED };
	strcpy(params->id, "fixed");
	strcpy(params->title, "fixed");
	strcpy(params->scheduler, "fcfs");
	params->fixed.sectors = sectors;
	params->fixed.read_ps = params->fixed.write_ps = PS_PER_MS;
	params->fixed.sector_ps = PS_PER_SECOND / 20000000 * 512;
	params->fixed.queue_depth = 1;
	d = disk_create(sim, name, params, &err);
	ck_assert_msg(d != NULL, "%s", err.text);
	if (contents)
		ck_assert_int_eq(disk_enable_contents(d), 0);
	return (d);
}

static inline void
rig_set(struct rig *r, const char *name, const char *value)
{
	struct sim_err err;

	ck_assert_msg(tunables_set(r->ts, name, value, &err) == 0, "%s",
	    err.text);
}

/* frames of memory, swap_pages of swap (0: none). */
static inline void
rig_create(struct rig *r, uint32_t frames, uint32_t swap_pages)
{
	struct sim_config sc = { .rng_seed = 1 };
	struct vm_config vc = { .kernel = "bsd" };
	struct sim_err err;

	memset(r, 0, sizeof(*r));
	r->sim = sim_create(&sc);
	r->mmu = mmu_create(r->sim, frames);
	r->ts = tunables_create();
	r->vm = vm_create(r->sim, r->mmu, r->ts, &vc, &err);
	ck_assert_msg(r->vm != NULL, "%s", err.text);
	r->fs = rig_disk(r->sim, "fs0", &r->fs_params, 1u << 22, false);
	if (swap_pages != 0) {
		r->swap = rig_disk(r->sim, "sw0", &r->swap_params,
		    (uint64_t)swap_pages * 8, true);
		ck_assert_int_eq(vm_add_swap(r->vm, r->swap, 0,
		    (uint64_t)swap_pages * 8, &err), 0);
	}
}

static inline void
rig_boot(struct rig *r)
{
	struct sim_err err;

	ck_assert_msg(vm_boot(r->vm, &err) == 0, "%s", err.text);
}

static inline void
rig_main(void *arg)
{
	struct rig *r = arg;

	r->body(r);
	r->finished = true;
	sim_stop(r->sim);
	sim_thread_exit(r->sim);
}

/* Runs body in a thread of a new process until it returns. */
static inline void
rig_run(struct rig *r, void (*body)(struct rig *r))
{
	struct sim_thread *st;

	r->body = body;
	r->finished = false;
	if (r->vs == NULL) {
		r->vs = vmspace_alloc(r->vm, RIG_MIN, RIG_MAX);
		r->p = vm_proc_new(r->vm, 100, "test", r->vs, NULL);
	}
	st = sim_thread_create(r->sim, "test", PUSER, rig_main, r);
	r->td = vm_thread_new(r->vm, r->p, 100, st);
	ck_assert_int_eq(sim_run(r->sim), SIM_STOPPED);
	ck_assert(r->finished);
	vm_thread_free(r->vm, r->td);
}

static inline void
rig_destroy(struct rig *r)
{
	vm_destroy(r->vm);
	mmu_destroy(r->mmu);
	if (r->swap != NULL)
		disk_destroy(r->swap);
	disk_destroy(r->fs);
	tunables_destroy(r->ts);
	sim_destroy(r->sim);
}

/* What the processor would do: a store or load of 8 bytes. KERN_*. */
static inline int
rig_access(struct rig *r, struct vmspace *vs, vm_offset_t va, bool write,
    uint64_t *value)
{
	pte_t need = PTE_V | PTE_U | (write ? PTE_RW : 0);
	pte_t *pte;
	uint8_t *at;
	int error;

	for (;;) {
		(void)sim_preempt_point(r->sim);
		pte = pmap_pte(vmspace_pmap(vs), va);
		if (pte != NULL && (*pte & need) == need)
			break;
		error = vm_fault(r->vm, vs, va,
		    write ? VM_PROT_WRITE : VM_PROT_READ);
		if (error != KERN_SUCCESS)
			return (error);
	}
	*pte |= PTE_A | (write ? PTE_M : 0);
	at = (uint8_t *)mmu_ram(r->mmu) +
	    ((uint64_t)PTE_FRAME(*pte) << PAGE_SHIFT) + (va & PAGE_MASK);
	if (write)
		memcpy(at, value, sizeof(*value));
	else
		memcpy(value, at, sizeof(*value));
	sim_spend(r->sim, 100);
	return (KERN_SUCCESS);
}

static inline void
rig_store(struct rig *r, struct vmspace *vs, vm_offset_t va, uint64_t value)
{
	ck_assert_int_eq(rig_access(r, vs, va, true, &value), KERN_SUCCESS);
}

static inline uint64_t
rig_load(struct rig *r, struct vmspace *vs, vm_offset_t va)
{
	uint64_t value = 0;

	ck_assert_int_eq(rig_access(r, vs, va, false, &value), KERN_SUCCESS);
	return (value);
}

/* Anonymous private memory at RIG_BASE. */
static inline vm_offset_t
rig_anon(struct rig *r, struct vmspace *vs, vm_offset_t at, uint64_t pages)
{
	vm_offset_t addr = at;

	ck_assert_int_eq(vm_mmap(r->vm, vs, &addr, pages * PAGE_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL,
	    at != 0 ? VM_MAP_FIXED : 0, NULL, 0), 0);
	return (addr);
}

static inline int
rig_suite(const char *name, TCase *tc)
{
	Suite *s = suite_create(name);
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 250);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

#endif
