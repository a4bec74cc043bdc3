/*
 * cpu_rig.h: a kernel in miniature for tests of the processor: pages are
 * brought in on faults from images or as zeroes, and thrown out again, first
 * in first out, when more than `frames` of them are resident.
 */
#ifndef VMSIM_TESTS_CPU_RIG_H
#define VMSIM_TESTS_CPU_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu.h"

#define RIG_PAGES 512 /* distinct pages one test may touch */
#define RIG_FRAMES 600

/* Guest code is assembled with the test: GUEST(name, "insns") defines
 * name[] and name_end[]. */
#define GUEST(name, text)                                              \
	__asm__(".pushsection .rodata\n.globl " #name ", " #name "_end\n" \
		#name ":\n" text "\n" #name "_end:\n.byte 0\n"         \
		".popsection\n");                                      \
	extern const uint8_t name[], name##_end[]

#define EXIT "mov $60,%eax\n syscall\n"

struct rig_page {
	uint64_t va;
	int prot;
	pfn_t pfn; /* PFN_NONE: thrown out, contents in saved */
	uint8_t saved[PAGE_SIZE];
};

struct rig_space {
	struct pmap *pmap;
	struct cpu_context *ctx;
	struct rig_page *pages;
	unsigned npages;
	unsigned first, count; /* resident pages, oldest first */
	unsigned fifo[RIG_PAGES];
};

struct rig {
	struct sim *sim;
	struct mmu *mmu;
	struct cpu_engine *cpu;
	unsigned frames; /* most resident pages of a space */
	pfn_t free[RIG_FRAMES];
	unsigned nfree;
	struct rig_space s[2];
	/* sums over the runs */
	uint64_t cycles, instructions, faults, runs;
	uint64_t trace; /* hash of every exit */
	struct cpu_exit ex; /* the last one */
};

static inline const struct cpu_engine_ops *
rig_ops(const struct rig *r)
{
	return r->cpu->ops;
}

static inline void
rig_space_init(struct rig *r, struct rig_space *s)
{
	s->pmap = pmap_create(r->mmu);
	s->ctx = rig_ops(r)->context_new(r->cpu);
	s->pages = calloc(RIG_PAGES, sizeof(*s->pages));
	ck_assert_ptr_nonnull(s->ctx);
	ck_assert_ptr_nonnull(s->pages);
}

/* code_mb: size of the buffer for translated code. */
static inline struct rig *
rig_new_buffer(unsigned frames, bool count_check, uint32_t code_mb)
{
	struct cpu_config cfg = { .code_buffer_mb = code_mb,
		.count_check = count_check };
	struct sim_config sc = { 0 };
	struct rig *r = calloc(1, sizeof(*r));
	struct sim_err err;

	r->sim = sim_create(&sc);
	r->mmu = mmu_create(r->sim, RIG_FRAMES);
	r->frames = frames;
	ck_assert_msg(cpu_unicorn_create(r->sim, r->mmu, NULL, &cfg, &r->cpu,
			  &err) == 0, "%s", err.text);
	for (pfn_t f = RIG_FRAMES - 1; f > 0; f--)
		r->free[r->nfree++] = f;
	rig_space_init(r, &r->s[0]);
	rig_space_init(r, &r->s[1]);
	return r;
}

static inline struct rig *
rig_new(unsigned frames, bool count_check)
{
	return rig_new_buffer(frames, count_check, 16);
}

static inline void
rig_free(struct rig *r)
{
	for (unsigned i = 0; i < 2; i++) {
		rig_ops(r)->context_free(r->cpu, r->s[i].ctx);
		rig_ops(r)->pmap_gone(r->cpu, r->s[i].pmap);
		pmap_remove_pages(r->s[i].pmap);
		pmap_destroy(r->s[i].pmap);
		free(r->s[i].pages);
	}
	rig_ops(r)->destroy(r->cpu);
	mmu_destroy(r->mmu);
	sim_destroy(r->sim);
	free(r);
}

static inline struct rig_page *
rig_page(struct rig_space *s, uint64_t va)
{
	for (unsigned i = 0; i < s->npages; i++) {
		if (s->pages[i].va == (va & ~(uint64_t)PAGE_MASK))
			return &s->pages[i];
	}
	return NULL;
}

/* Declare pages [va, va + bytes), zero at first. */
static inline void
rig_area(struct rig_space *s, uint64_t va, uint64_t bytes, int prot)
{
	for (uint64_t at = va & ~(uint64_t)PAGE_MASK; at < va + bytes;
	     at += PAGE_SIZE) {
		struct rig_page *p = &s->pages[s->npages++];

		ck_assert_uint_lt(s->npages, RIG_PAGES);
		p->va = at;
		p->prot = prot;
		p->pfn = PFN_NONE;
	}
}

static inline void
rig_code(struct rig_space *s, uint64_t va, const uint8_t *bytes,
    const uint8_t *end, int prot)
{
	size_t n = (size_t)(end - bytes);

	rig_area(s, va, n + 16, prot);
	for (size_t i = 0; i < n; i++)
		rig_page(s, va + i)->saved[(va + i) & PAGE_MASK] = bytes[i];
}

static inline void
rig_throw_out(struct rig *r, struct rig_space *s, struct rig_page *p)
{
	memcpy(p->saved, mmu_frame_data(r->mmu, p->pfn), PAGE_SIZE);
	pmap_remove(s->pmap, p->va, p->va + PAGE_SIZE);
	r->free[r->nfree++] = p->pfn;
	p->pfn = PFN_NONE;
}

static inline void
rig_bring_in(struct rig *r, struct rig_space *s, struct rig_page *p)
{
	if (s->count == r->frames) {
		rig_throw_out(r, s, &s->pages[s->fifo[s->first]]);
		s->first = (s->first + 1) % RIG_PAGES;
		s->count--;
	}
	p->pfn = r->free[--r->nfree];
	memcpy(mmu_frame_data_write(r->mmu, p->pfn), p->saved, PAGE_SIZE);
	pmap_enter(s->pmap, p->va, p->pfn, p->prot, 0);
	s->fifo[(s->first + s->count++) % RIG_PAGES] =
	    (unsigned)(p - s->pages);
}

/* Host's view of guest memory, wherever it is. */
static inline void
rig_read(struct rig *r, struct rig_space *s, uint64_t va, void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rig_page *p = rig_page(s, va + i);
		const uint8_t *bytes = p->pfn == PFN_NONE ?
		    p->saved :
		    mmu_frame_data(r->mmu, p->pfn);

		((uint8_t *)buf)[i] = bytes[(va + i) & PAGE_MASK];
	}
}

static inline uint64_t
rig_word(struct rig *r, struct rig_space *s, uint64_t va)
{
	uint64_t v;

	rig_read(r, s, va, &v, sizeof(v));
	return v;
}

static inline struct cpu_regs
rig_regs(struct rig *r, struct rig_space *s)
{
	struct cpu_regs regs;

	rig_ops(r)->get_regs(r->cpu, s->ctx, &regs);
	return regs;
}

static inline void
rig_start(struct rig *r, struct rig_space *s, uint64_t pc, uint64_t sp)
{
	struct cpu_regs regs = rig_regs(r, s);

	regs.rip = pc;
	regs.r[R_RSP] = sp;
	rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
}

static inline void
rig_note(struct rig *r, struct rig_space *s)
{
	uint64_t v[] = { (uint64_t)r->ex.kind, r->ex.cycles,
		r->ex.instructions, r->ex.va, (uint64_t)r->ex.access,
		rig_regs(r, s).rip };

	for (unsigned i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		r->trace = (r->trace ^ v[i]) * 0x100000001b3ull + 1;
	r->cycles += r->ex.cycles;
	r->instructions += r->ex.instructions;
	r->runs++;
}

/* One run; no fault is resolved. */
static inline enum cpu_exit_kind
rig_once(struct rig *r, struct rig_space *s, uint64_t limit)
{
	rig_ops(r)->run(r->cpu, s->ctx, s->pmap, limit, &r->ex);
	ck_assert_msg(r->ex.kind != CPU_EXIT_ERROR, "%s", r->ex.text);
	rig_note(r, s);
	return r->ex.kind;
}

/* Run, bringing in declared pages, until something else happens; slices of
 * at most `slice` cycles. */
static inline enum cpu_exit_kind
rig_run(struct rig *r, struct rig_space *s, uint64_t slice)
{
	for (;;) {
		enum cpu_exit_kind kind = rig_once(r, s, slice);
		struct rig_page *p;

		if (kind == CPU_EXIT_LIMIT)
			continue;
		if (kind != CPU_EXIT_FAULT)
			return kind;
		p = rig_page(s, r->ex.va);
		if (p == NULL || p->pfn != PFN_NONE)
			return kind;
		r->faults++;
		rig_bring_in(r, s, p);
	}
}

#endif
