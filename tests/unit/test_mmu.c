/*
 * Frames of mmu: contents, the code/write protocol, TLB generations, host
 * memory per frame.
 */
#include <string.h>

#include "mmu/mmu.h"
#include "unit/suite.h"

#define FRAMES 64u

struct world {
	struct sim *sim;
	struct mmu *mmu;
	int kills;
	pfn_t killed;
};

static void
kill_code(void *ctx, pfn_t pfn)
{
	struct world *w = ctx;

	w->kills++;
	w->killed = pfn;
}

static void
world_open(struct world *w, uint32_t frames)
{
	static const struct mmu_cpu_ops ops = { .kill_code = kill_code };

	memset(w, 0, sizeof(*w));
	w->sim = sim_create(NULL);
	w->mmu = mmu_create(w->sim, frames);
	ck_assert_ptr_nonnull(w->mmu);
	mmu_set_cpu_ops(w->mmu, &ops, w);
}

static void
world_close(struct world *w)
{
	mmu_check(w->mmu);
	mmu_destroy(w->mmu);
	sim_destroy(w->sim);
}

static bool
all_bytes(const uint8_t *p, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != value)
			return (false);
	return (true);
}

START_TEST(ram_is_zeroed_aligned_and_contiguous)
{
	struct world w;
	uint8_t *ram;

	world_open(&w, FRAMES);
	ram = mmu_ram(w.mmu);
	ck_assert_uint_eq(mmu_frames(w.mmu), FRAMES);
	ck_assert_uint_eq((uintptr_t)ram % PAGE_SIZE, 0);
	ck_assert(all_bytes(ram, FRAMES * PAGE_SIZE, 0));
	for (pfn_t p = 0; p < FRAMES; p++)
		ck_assert_ptr_eq(mmu_frame_data(w.mmu, p),
		    ram + p * PAGE_SIZE);
	world_close(&w);
}
END_TEST

START_TEST(zero_and_copy_touch_one_frame)
{
	struct world w;
	uint8_t *ram;

	world_open(&w, FRAMES);
	ram = mmu_ram(w.mmu);
	memset(ram, 0xaa, FRAMES * PAGE_SIZE);
	mmu_zero_frame(w.mmu, 5);
	ck_assert(all_bytes(ram, 5 * PAGE_SIZE, 0xaa));
	ck_assert(all_bytes(ram + 5 * PAGE_SIZE, PAGE_SIZE, 0));
	ck_assert(all_bytes(ram + 6 * PAGE_SIZE, 58 * PAGE_SIZE, 0xaa));
	mmu_copy_frame(w.mmu, 5, 63);
	ck_assert(all_bytes(ram + 63 * PAGE_SIZE, PAGE_SIZE, 0));
	mmu_zero_area(w.mmu, 7, 100, 200);
	ck_assert(all_bytes(ram + 7 * PAGE_SIZE, 100, 0xaa));
	ck_assert(all_bytes(ram + 7 * PAGE_SIZE + 100, 200, 0));
	ck_assert(all_bytes(ram + 7 * PAGE_SIZE + 300, PAGE_SIZE - 300,
	    0xaa));
	memset(mmu_frame_data_write(w.mmu, 9), 0x11, PAGE_SIZE);
	ck_assert(all_bytes(ram + 9 * PAGE_SIZE, PAGE_SIZE, 0x11));
	ck_assert_int_eq(w.kills, 0);
	world_close(&w);
}
END_TEST

typedef void writer_fn(struct mmu *mmu, pfn_t pfn);

static void
write_zero(struct mmu *mmu, pfn_t pfn)
{
	mmu_zero_frame(mmu, pfn);
}

static void
write_area(struct mmu *mmu, pfn_t pfn)
{
	mmu_zero_area(mmu, pfn, 0, 1);
}

static void
write_copy(struct mmu *mmu, pfn_t pfn)
{
	mmu_copy_frame(mmu, pfn + 1, pfn);
}

static void
write_data(struct mmu *mmu, pfn_t pfn)
{
	(void)mmu_frame_data_write(mmu, pfn);
}

START_TEST(writing_kills_translated_code_once)
{
	static writer_fn *const writers[] = { write_zero, write_area,
		write_copy, write_data };
	struct world w;

	world_open(&w, FRAMES);
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		uint64_t gen = mmu_tlb_gen(w.mmu);

		w.kills = 0;
		writers[i](w.mmu, 3);
		ck_assert_int_eq(w.kills, 0);
		ck_assert_uint_eq(mmu_tlb_gen(w.mmu), gen);
		mmu_frame_cpu(w.mmu, 3)->has_code = 1;
		mmu_frame_cpu(w.mmu, 4)->has_code = 1;
		writers[i](w.mmu, 3);
		ck_assert_int_eq(w.kills, 1);
		ck_assert_uint_eq(w.killed, 3);
		ck_assert_uint_eq(mmu_frame_cpu(w.mmu, 3)->has_code, 0);
		ck_assert_uint_eq(mmu_frame_cpu(w.mmu, 4)->has_code, 1);
		ck_assert_uint_gt(mmu_tlb_gen(w.mmu), gen);
		writers[i](w.mmu, 3);
		ck_assert_int_eq(w.kills, 1);
	}
	world_close(&w);
}
END_TEST

START_TEST(stale_changes_the_generation)
{
	struct world w;
	uint64_t gen;

	world_open(&w, 1);
	gen = mmu_tlb_gen(w.mmu);
	mmu_tlb_stale(w.mmu);
	ck_assert_uint_ne(mmu_tlb_gen(w.mmu), gen);
	world_close(&w);
}
END_TEST

/* The budget: 48 bytes a frame with one mapping each, entries included. */
START_TEST(overhead_of_a_frame_with_one_mapping)
{
	enum { N = 16384 };
	struct world w;
	struct pmap *pmap;

	world_open(&w, N);
	pmap = pmap_create(w.mmu);
	for (pfn_t p = 0; p < N; p++)
		pmap_enter(pmap, 0x400000ull + (uint64_t)p * PAGE_SIZE, p,
		    VM_PROT_READ | VM_PROT_WRITE, 0);
	ck_assert_uint_le(mmu_overhead_bytes(w.mmu), 48ull * N);
	ck_assert_uint_ge(mmu_overhead_bytes(w.mmu), 40ull * N);
	pmap_remove(pmap, 0, 1ull << 47);
	pmap_destroy(pmap);
	world_close(&w);
}
END_TEST

START_TEST(overhead_grows_with_what_is_allocated_and_no_more)
{
	struct world w;
	struct pmap *pmap;
	uint64_t empty, one;

	world_open(&w, 4);
	empty = mmu_overhead_bytes(w.mmu);
	pmap = pmap_create(w.mmu);
	pmap_enter(pmap, 0x1000, 1, VM_PROT_READ, 0);
	one = mmu_overhead_bytes(w.mmu);
	/* a root, two directories and a leaf, and their headers */
	ck_assert_uint_ge(one - empty, 4 * PAGE_SIZE);
	ck_assert_uint_le(one - empty, 4 * PAGE_SIZE + 512);
	for (int i = 0; i < 100; i++) {
		/* tables that became empty are used again */
		pmap_remove(pmap, 0, 1ull << 47);
		pmap_enter(pmap, (uint64_t)i << 32, 1, VM_PROT_READ, 0);
		ck_assert_uint_eq(mmu_overhead_bytes(w.mmu), one);
	}
	pmap_remove_pages(pmap);
	pmap_destroy(pmap);
	world_close(&w);
}
END_TEST

START_TEST(destroying_takes_mapped_spaces_along)
{
	struct world w;

	world_open(&w, FRAMES);
	for (int i = 0; i < 5; i++) {
		struct pmap *pmap = pmap_create(w.mmu);

		ck_assert_uint_eq(pmap_id(pmap), (uint32_t)i + 1);
		for (pfn_t p = 0; p < FRAMES; p++)
			pmap_enter(pmap, (uint64_t)p << 30, p, VM_PROT_READ,
			    p % 3 == 0 ? PMAP_ENTER_WIRED : 0);
	}
	world_close(&w);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		ram_is_zeroed_aligned_and_contiguous,
		zero_and_copy_touch_one_frame,
		writing_kills_translated_code_once,
		stale_changes_the_generation,
		overhead_of_a_frame_with_one_mapping,
		overhead_grows_with_what_is_allocated_and_no_more,
		destroying_takes_mapped_spaces_along,
	};

	return (SUITE_MAIN("mmu", tests));
}
