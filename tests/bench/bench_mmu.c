/*
 * bench_mmu: what the mmu's operations cost the host, and host memory per
 * simulated frame.
 *
 * usage: bench_mmu
 */
#include <stdlib.h>

#include "bench.h"
#include "mmu/mmu.h"

#define FRAMES 65536u /* 256 MiB */
#define BASE 0x400000ull
#define RW (VM_PROT_READ | VM_PROT_WRITE)

struct bench {
	struct sim *sim;
	struct mmu *mmu;
	struct pmap *pmap, *shared[8];
	uint64_t sum; /* keeps the compiler honest */
};

static vm_offset_t
page(uint64_t i)
{
	return (BASE + (i % FRAMES) * PAGE_SIZE);
}

static void
bench_enter_remove(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++) {
		pmap_enter(b->pmap, page(i), (pfn_t)(i % FRAMES), RW,
		    PMAP_ENTER_WRITE_FAULT);
		pmap_remove(b->pmap, page(i), page(i) + PAGE_SIZE);
	}
}

static void
fill(struct bench *b)
{
	for (pfn_t p = 0; p < FRAMES; p++)
		pmap_enter(b->pmap, page(p), p, RW, PMAP_ENTER_WRITE_FAULT);
}

static void
bench_enter(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++) {
		if (i % FRAMES == 0)
			pmap_remove_pages(b->pmap);
		pmap_enter(b->pmap, page(i), (pfn_t)(i % FRAMES), RW,
		    PMAP_ENTER_WRITE_FAULT);
	}
	pmap_remove_pages(b->pmap);
}

static void
bench_pte(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++)
		b->sum += *pmap_pte(b->pmap, page(i));
}

static void
bench_pte_random(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++)
		b->sum += *pmap_pte(b->pmap, page(i * 40503));
}

static void
bench_ts(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++)
		b->sum += (uint64_t)pmap_ts_referenced(b->mmu,
		    (pfn_t)(i % FRAMES));
}

static void
bench_remove_all_shared(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++) {
		pfn_t p = (pfn_t)(i % 512);

		for (int k = 0; k < 8; k++)
			pmap_enter(b->shared[k], page(p), p, VM_PROT_READ, 0);
		pmap_remove_all(b->mmu, p);
	}
}

static void
bench_sparse(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i++)
		pmap_remove(b->shared[0], 0x10000000000ull,
		    0x700000000000ull);
}

static void
bench_fork(void *arg, uint64_t n)
{
	struct bench *b = arg;

	for (uint64_t i = 0; i < n; i += 4096) {
		vm_offset_t start = page(i);

		pmap_copy(b->shared[1], b->pmap, start, 4096ull * PAGE_SIZE,
		    start);
		pmap_remove_pages(b->shared[1]);
	}
}

int
main(void)
{
	struct bench b = { .sum = 0 };

	b.sim = sim_create(NULL);
	b.mmu = mmu_create(b.sim, FRAMES);
	b.pmap = pmap_create(b.mmu);
	for (int k = 0; k < 8; k++)
		b.shared[k] = pmap_create(b.mmu);
	bench_report("pmap_enter + pmap_remove of one page",
	    bench_enter_remove, &b);
	bench_report("pmap_enter, a page of pmap_remove_pages", bench_enter,
	    &b);
	bench_report("8 x pmap_enter + pmap_remove_all of a frame",
	    bench_remove_all_shared, &b);
	fill(&b);
	bench_report("pmap_pte, addresses in order", bench_pte, &b);
	bench_report("pmap_pte, addresses at random", bench_pte_random, &b);
	bench_report("pmap_ts_referenced, one mapping", bench_ts, &b);
	bench_report("pmap_copy + exit, per page", bench_fork, &b);
	bench_report("pmap_remove of 96 TiB of nothing", bench_sparse, &b);
	printf("host bytes per frame, each mapped once: %.2f\n",
	    (double)mmu_overhead_bytes(b.mmu) / FRAMES);
	mmu_destroy(b.mmu);
	sim_destroy(b.sim);
	return (b.sum == 42);
}
