/*
 * page_fixture.h: a VM with pages and nothing else, for unit tests of the
 * page module: its body runs in a simulated thread, panics become codes.
 */
#ifndef VMSIM_TESTS_PAGE_FIXTURE_H
#define VMSIM_TESTS_PAGE_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmcore/bsd/vm_page_int.h"

#define PF_MOVES 64

struct page_fixture {
	struct sim *sim;
	struct mmu *mmu;
	struct vm *vm;
	struct proc user, pageproc;
	struct thread td, pageproc_td;
	struct vm_object obj[3];
	struct vm_transition moves[PF_MOVES]; /* the last of them */
	size_t nmoves;
	char panic[64]; /* code of the panic that ended pf_run, "" none */
	void (*body)(struct page_fixture *f);
};

static inline void
pf_transition(void *ctx, const struct vm_transition *t)
{
	struct page_fixture *f = ctx;

	f->moves[f->nmoves++ % PF_MOVES] = *t;
}

static inline void __attribute__((noreturn))
pf_panicked(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct page_fixture *f = ctx;

	(void)file;
	(void)line;
	(void)func;
	snprintf(f->panic, sizeof(f->panic), "%.*s",
	    (int)strcspn(message, ":"), message);
	sim_abandon_current(f->sim);
}

/* A machine of `frames` frames; pages are set up by pf_pages or the test. */
static inline struct page_fixture *
pf_create(uint32_t frames)
{
	static const struct vm_trace_ops trace = {
		.transition = pf_transition,
	};
	struct sim_config sc = { .rng_seed = 1 };
	struct page_fixture *f = calloc(1, sizeof(*f));
	uint32_t i;

	ck_assert_ptr_nonnull(f);
	f->sim = sim_create(&sc);
	f->vm = calloc(1, sizeof(*f->vm));
	f->mmu = mmu_create(f->sim, frames);
	ck_assert(f->sim != NULL && f->vm != NULL && f->mmu != NULL);
	f->vm->sim = f->sim;
	f->vm->mmu = f->mmu;
	f->vm->invariants = true;
	f->vm->trace = &trace;
	f->vm->trace_ctx = f;
	f->vm->pageproc = &f->pageproc;
	TAILQ_INIT(&f->vm->object_list);
	vm_pmap_mmu_attach(f->vm);
	f->td.td_proc = &f->user;
	f->pageproc_td.td_proc = &f->pageproc;
	for (i = 0; i < 3; i++) {
		TAILQ_INIT(&f->obj[i].memq);
		f->obj[i].id = i + 1;
		f->obj[i].type = OBJT_DEFAULT;
		f->obj[i].size = 1000;
		f->obj[i].ref_count = 1;
		TAILQ_INSERT_TAIL(&f->vm->object_list, &f->obj[i],
		    object_list);
	}
	return (f);
}

/* All frames managed, in one domain, with so many colours. */
static inline struct page_fixture *
pf_pages(uint32_t frames, uint32_t colours)
{
	struct page_fixture *f = pf_create(frames);
	struct sim_err err;

	ck_assert_int_eq(vm_page_set_colours(f->vm, colours), 0);
	f->vm->ndomains = 1;
	f->vm->dom[0].vmd_nsegs = 1;
	f->vm->dom[0].vmd_seg[0].end = (vm_paddr_t)frames << PAGE_SHIFT;
	ck_assert_int_eq(vm_page_startup(f->vm, &err), 0);
	return (f);
}

static inline void
pf_destroy(struct page_fixture *f)
{
	sim_destroy(f->sim);
	vm_page_shutdown(f->vm);
	mmu_destroy(f->mmu);
	free(f->vm);
	free(f);
}

static inline void
pf_main(void *arg)
{
	struct page_fixture *f = arg;

	f->body(f);
}

/* Another thread; as_daemon: of the page daemon's process. */
static inline struct sim_thread *
pf_thread(struct page_fixture *f, sim_thread_fn *fn, bool as_daemon)
{
	struct sim_thread *td = sim_thread_create(f->sim, "test", PUSER, fn,
	    f);

	ck_assert_ptr_nonnull(td);
	sim_thread_set_data(td, as_daemon ? &f->pageproc_td : &f->td);
	return (td);
}

/* Run a body in a thread until nothing can run; "" or the panic's code. */
static inline const char *
pf_run(struct page_fixture *f, void (*body)(struct page_fixture *f))
{
	f->panic[0] = '\0';
	sim_set_panic_handler(f->sim, pf_panicked, f);
	f->body = body;
	(void)pf_thread(f, pf_main, false);
	(void)sim_run(f->sim);
	return (f->panic);
}

static inline const struct vm_transition *
pf_last_move(const struct page_fixture *f)
{
	ck_assert_uint_gt(f->nmoves, 0);
	return (&f->moves[(f->nmoves - 1) % PF_MOVES]);
}

#endif
