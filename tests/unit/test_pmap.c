/*
 * The pmap contract (companions 5.1), rule by rule, with a recorder behind
 * struct mmu_ops in the place of the VM's pages.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "mmu/mmu.h"
#include "unit/suite.h"

#define FRAMES 64u
#define VA 0x400000ull
#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define RX (VM_PROT_READ | VM_PROT_EXECUTE)

struct world {
	struct sim *sim;
	struct mmu *mmu;
	struct pmap *pmap, *other;
	char log[256]; /* "d3" dirty, "r3" referenced, "w3" writeable,
			  "c3" no longer, of frame 3, in order */
	bool writeable[FRAMES], xbusied[FRAMES];
	jmp_buf panic;
};

static void
note(struct world *w, char what, pfn_t pfn)
{
	size_t n = strlen(w->log);

	snprintf(w->log + n, sizeof(w->log) - n, "%s%c%u", n ? " " : "",
	    what, pfn);
}

static void
page_dirty(void *ctx, pfn_t pfn)
{
	note(ctx, 'd', pfn);
}

static void
page_reference(void *ctx, pfn_t pfn)
{
	note(ctx, 'r', pfn);
}

static void
page_writeable(void *ctx, pfn_t pfn, bool writeable)
{
	struct world *w = ctx;

	if (w->writeable[pfn] != writeable)
		note(w, writeable ? 'w' : 'c', pfn);
	w->writeable[pfn] = writeable;
}

static bool
page_xbusied(void *ctx, pfn_t pfn)
{
	return (((struct world *)ctx)->xbusied[pfn]);
}

static bool
page_is_writeable(void *ctx, pfn_t pfn)
{
	return (((struct world *)ctx)->writeable[pfn]);
}

static void
on_panic(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct world *w = ctx;

	(void)file;
	(void)line;
	(void)func;
	note(w, '!', (pfn_t)strlen(message));
	longjmp(w->panic, 1);
}

static void
world_open(struct world *w)
{
	static const struct mmu_ops ops = { page_dirty, page_reference,
		page_writeable, page_xbusied, page_is_writeable };

	memset(w, 0, sizeof(*w));
	w->sim = sim_create(NULL);
	w->mmu = mmu_create(w->sim, FRAMES);
	mmu_set_ops(w->mmu, &ops, w);
	w->pmap = pmap_create(w->mmu);
	w->other = pmap_create(w->mmu);
}

static void
world_close(struct world *w)
{
	mmu_check(w->mmu);
	mmu_destroy(w->mmu);
	sim_destroy(w->sim);
}

static pte_t
bits(struct pmap *pmap, vm_offset_t va)
{
	const pte_t *pte = pmap_pte(pmap, va);

	return (pte == NULL ? 0 : *pte & PAGE_MASK);
}

/* The CPU writes or reads through an entry, as the fill callback does. */
static void
cpu_access(struct pmap *pmap, vm_offset_t va, bool write)
{
	pte_t *pte = pmap_pte(pmap, va);

	ck_assert_ptr_nonnull(pte);
	ck_assert_uint_ne(*pte & PTE_V, 0);
	*pte |= PTE_A;
	if (write) {
		ck_assert_uint_ne(*pte & PTE_RW, 0);
		*pte |= PTE_M;
	}
}

static void
expect_log(struct world *w, const char *text)
{
	ck_assert_str_eq(w->log, text);
	w->log[0] = '\0';
}

/* Runs the statement; says whether it made the TLB stale. */
#define STALE(w, statement)                            \
	({                                             \
		uint64_t gen_ = mmu_tlb_gen((w)->mmu); \
		statement;                             \
		mmu_tlb_gen((w)->mmu) != gen_;         \
	})

/* ------------------------------------------------------------ enter */

START_TEST(enter_sets_a_and_what_prot_says)
{
	struct world w;

	world_open(&w);
	ck_assert(!STALE(&w, pmap_enter(w.pmap, VA, 3, VM_PROT_READ, 0)));
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_A | PTE_MANAGED);
	expect_log(&w, "");
	ck_assert_uint_eq(pmap_extract(w.pmap, VA), 3);
	ck_assert_uint_eq(pmap_extract(w.pmap, VA + 4095), 3);
	ck_assert_uint_eq(pmap_extract(w.pmap, VA + 4096), PFN_NONE);
	ck_assert_uint_eq(pmap_extract(w.other, VA), PFN_NONE);
	pmap_enter(w.pmap, VA + 4096, 4, RW, 0);
	ck_assert_uint_eq(bits(w.pmap, VA + 4096),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_MANAGED);
	expect_log(&w, "w4");
	pmap_enter(w.pmap, VA + 8192, 5, VM_PROT_ALL, PMAP_ENTER_WRITE_FAULT);
	ck_assert_uint_eq(bits(w.pmap, VA + 8192), PTE_V | PTE_U | PTE_RW |
	    PTE_X | PTE_A | PTE_M | PTE_MANAGED);
	expect_log(&w, "w5");
	pmap_enter(w.pmap, VA + 12288, 6, VM_PROT_NONE, PMAP_ENTER_WIRED);
	ck_assert_uint_eq(bits(w.pmap, VA + 12288),
	    PTE_V | PTE_A | PTE_WIRED | PTE_MANAGED);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 4);
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 1);
	world_close(&w);
}
END_TEST

START_TEST(unmanaged_writable_mappings_are_modified_at_once)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_UNMANAGED);
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_M);
	ck_assert(!pmap_page_is_mapped(w.mmu, 3));
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 1);
	pmap_remove(w.pmap, VA, VA + PAGE_SIZE);
	expect_log(&w, "");
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 0);
	world_close(&w);
}
END_TEST

START_TEST(entering_the_same_page_again_changes_nothing)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	expect_log(&w, "w3");
	/* only A and M would differ: M stays */
	ck_assert(!STALE(&w, pmap_enter(w.pmap, VA, 3, RW, 0)));
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_M | PTE_MANAGED);
	expect_log(&w, "");
	pmap_ts_referenced(w.mmu, 3);
	pmap_enter(w.pmap, VA, 3, RW, 0);
	ck_assert_uint_eq(bits(w.pmap, VA) & PTE_A, 0);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 1);
	ck_assert_uint_eq(pmap_page_mappings(w.mmu, 3), 1);
	world_close(&w);
}
END_TEST

START_TEST(downgrading_a_modified_mapping_reports_it)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	expect_log(&w, "w3");
	ck_assert(STALE(&w, pmap_enter(w.pmap, VA, 3, VM_PROT_READ, 0)));
	expect_log(&w, "d3");
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_A | PTE_MANAGED);
	/* PG_WRITEABLE stays: only unmapping or remove_write clear it */
	ck_assert(w.writeable[3]);
	world_close(&w);
}
END_TEST

START_TEST(upgrading_needs_no_flush)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, VM_PROT_READ, 0);
	ck_assert(!STALE(&w, pmap_enter(w.pmap, VA, 3, RW,
	    PMAP_ENTER_WRITE_FAULT)));
	expect_log(&w, "w3");
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_M | PTE_MANAGED);
	ck_assert_uint_eq(pmap_page_mappings(w.mmu, 3), 1);
	/* wiring alone keeps nothing of M, as the original's new entry */
	ck_assert(STALE(&w, pmap_enter(w.pmap, VA, 3, RW,
	    PMAP_ENTER_WIRED)));
	expect_log(&w, "d3");
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 1);
	world_close(&w);
}
END_TEST

START_TEST(replacing_a_page_gives_the_old_one_its_bits)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	expect_log(&w, "w3");
	ck_assert(STALE(&w, pmap_enter(w.pmap, VA, 7, VM_PROT_READ, 0)));
	expect_log(&w, "d3 r3 c3");
	ck_assert_uint_eq(pmap_extract(w.pmap, VA), 7);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 1);
	ck_assert(!pmap_page_is_mapped(w.mmu, 3));
	/* neither A nor M: nothing to say, no flush */
	pmap_ts_referenced(w.mmu, 7);
	ck_assert(!STALE(&w, pmap_enter(w.pmap, VA, 3, RW, 0)));
	expect_log(&w, "w3");
	world_close(&w);
}
END_TEST

START_TEST(replacing_one_of_two_mappings_keeps_the_page_writeable)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, 0);
	pmap_enter(w.other, VA, 3, VM_PROT_READ, 0);
	expect_log(&w, "w3");
	pmap_enter(w.pmap, VA, 4, VM_PROT_READ, 0);
	expect_log(&w, "r3");
	ck_assert(w.writeable[3]);
	pmap_enter(w.other, VA, 4, VM_PROT_READ, 0);
	expect_log(&w, "r3 c3");
	world_close(&w);
}
END_TEST

START_TEST(a_write_fault_without_write_permission_is_a_bug)
{
	struct world w;

	world_open(&w);
	sim_set_panic_handler(w.sim, on_panic, &w);
	if (setjmp(w.panic) == 0) {
		pmap_enter(w.pmap, VA, 3, VM_PROT_READ,
		    PMAP_ENTER_WRITE_FAULT);
		ck_abort_msg("M without RW went through");
	}
	ck_assert_int_eq(w.log[0], '!');
	sim_set_panic_handler(w.sim, NULL, NULL);
	mmu_destroy(w.mmu);
	sim_destroy(w.sim);
}
END_TEST

START_TEST(enter_quick_fills_empty_slots_only)
{
	struct world w;

	world_open(&w);
	ck_assert(pmap_enter_quick(w.pmap, VA, 3, VM_PROT_ALL));
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_X | PTE_MANAGED);
	expect_log(&w, "");
	ck_assert(!pmap_enter_quick(w.pmap, VA, 4, VM_PROT_ALL));
	ck_assert_uint_eq(pmap_extract(w.pmap, VA), 3);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 1);
	/* never referenced: going away it says nothing and flushes nothing */
	ck_assert(!STALE(&w, pmap_remove(w.pmap, VA, VA + PAGE_SIZE)));
	expect_log(&w, "");
	world_close(&w);
}
END_TEST

/* ------------------------------------------------------------ remove */

START_TEST(remove_passes_bits_up)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.pmap, VA + 4096, 4, RW, 0);
	pmap_enter_quick(w.pmap, VA + 8192, 5, VM_PROT_READ);
	expect_log(&w, "w3 w4");
	ck_assert(STALE(&w, pmap_remove(w.pmap, VA, VA + 3 * PAGE_SIZE)));
	expect_log(&w, "d3 r3 c3 r4 c4");
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 0);
	ck_assert(!STALE(&w, pmap_remove(w.pmap, 0, 1ull << 48)));
	world_close(&w);
}
END_TEST

START_TEST(remove_keeps_to_its_range)
{
	struct world w;

	world_open(&w);
	for (pfn_t p = 0; p < 8; p++)
		pmap_enter(w.pmap, VA + p * PAGE_SIZE, p, VM_PROT_READ, 0);
	pmap_remove(w.pmap, VA + 2 * PAGE_SIZE, VA + 5 * PAGE_SIZE);
	for (pfn_t p = 0; p < 8; p++)
		ck_assert_uint_eq(pmap_extract(w.pmap, VA + p * PAGE_SIZE),
		    p >= 2 && p < 5 ? PFN_NONE : p);
	pmap_remove(w.pmap, VA, VA); /* empty range */
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 5);
	world_close(&w);
}
END_TEST

START_TEST(remove_crosses_tables_of_every_level)
{
	static const vm_offset_t places[] = { 0, 0x1ff000, 0x200000,
		0x3fffffff000, 0x40000000, 0x7fffffffff000 & 0x7fffffffff,
		0x8000000000, 0x7ffffffff000, 0xfffffffff000 };
	const size_t n = sizeof(places) / sizeof(places[0]);
	struct world w;

	world_open(&w);
	for (size_t i = 0; i < n; i++)
		pmap_enter(w.pmap, places[i], (pfn_t)i, VM_PROT_READ, 0);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(pmap_extract(w.pmap, places[i]), i);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), n);
	pmap_remove(w.pmap, 0x200000, 0x7ffffffff000);
	ck_assert_uint_eq(pmap_extract(w.pmap, 0x1ff000), 1);
	ck_assert_uint_eq(pmap_extract(w.pmap, 0x200000), PFN_NONE);
	ck_assert_uint_eq(pmap_extract(w.pmap, 0x7ffffffff000), 7);
	mmu_check(w.mmu);
	pmap_remove(w.pmap, 0, UINT64_MAX);
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 0);
	pmap_destroy(w.pmap);
	world_close(&w);
}
END_TEST

START_TEST(process_exit_loses_references_and_keeps_wired)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.pmap, VA + 4096, 4, VM_PROT_READ, 0);
	pmap_enter(w.pmap, VA + 8192, 5, RW, PMAP_ENTER_WIRED);
	expect_log(&w, "w3 w5");
	ck_assert(STALE(&w, pmap_remove_pages(w.pmap)));
	expect_log(&w, "d3 c3");
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 1);
	pmap_change_wiring(w.pmap, VA + 8192, false);
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 0);
	pmap_remove_pages(w.pmap);
	expect_log(&w, "c5");
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 0);
	pmap_destroy(w.pmap);
	world_close(&w);
}
END_TEST

START_TEST(remove_all_takes_every_mapping)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter_quick(w.other, VA, 3, VM_PROT_READ);
	pmap_enter(w.other, VA + 4096, 3, VM_PROT_READ, 0);
	expect_log(&w, "w3");
	ck_assert(STALE(&w, pmap_remove_all(w.mmu, 3)));
	expect_log(&w, "r3 d3 r3 c3");
	ck_assert_uint_eq(pmap_resident_count(w.pmap), 0);
	ck_assert_uint_eq(pmap_resident_count(w.other), 0);
	ck_assert(!STALE(&w, pmap_remove_all(w.mmu, 3)));
	/* also clears the flag of an unmapped page */
	w.writeable[4] = true;
	pmap_remove_all(w.mmu, 4);
	expect_log(&w, "c4");
	world_close(&w);
}
END_TEST

/* ------------------------------------------------------------ protect */

START_TEST(protect_reports_modified_and_keeps_a)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, VM_PROT_ALL, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.pmap, VA + 4096, 4, RW, 0);
	pmap_enter(w.pmap, VA + 8192, 5, RW, PMAP_ENTER_UNMANAGED);
	expect_log(&w, "w3 w4");
	ck_assert(STALE(&w, pmap_protect(w.pmap, VA, VA + 3 * PAGE_SIZE,
	    RX)));
	expect_log(&w, "d3");
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_X | PTE_A | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.pmap, VA + 4096),
	    PTE_V | PTE_U | PTE_A | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.pmap, VA + 8192), PTE_V | PTE_U | PTE_A);
	ck_assert(w.writeable[3] && w.writeable[4]);
	ck_assert(!STALE(&w, pmap_protect(w.pmap, VA, VA + 3 * PAGE_SIZE,
	    VM_PROT_ALL)));
	ck_assert_uint_eq(bits(w.pmap, VA) & PTE_RW, 0); /* never adds */
	ck_assert(STALE(&w, pmap_protect(w.pmap, VA, VA + 4096,
	    VM_PROT_READ)));
	ck_assert_uint_eq(bits(w.pmap, VA) & PTE_X, 0);
	world_close(&w);
}
END_TEST

START_TEST(protect_to_nothing_removes)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	expect_log(&w, "w3");
	pmap_protect(w.pmap, VA, VA + PAGE_SIZE, VM_PROT_NONE);
	expect_log(&w, "d3 r3 c3");
	ck_assert_uint_eq(pmap_extract(w.pmap, VA), PFN_NONE);
	world_close(&w);
}
END_TEST

START_TEST(remove_write_needs_writeable_or_busy)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.other, VA, 3, RW, 0);
	expect_log(&w, "w3");
	w.writeable[3] = false;
	ck_assert(!STALE(&w, pmap_remove_write(w.mmu, 3)));
	expect_log(&w, "");
	w.xbusied[3] = true;
	ck_assert(STALE(&w, pmap_remove_write(w.mmu, 3)));
	expect_log(&w, "d3");
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_A | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.other, VA),
	    PTE_V | PTE_U | PTE_A | PTE_MANAGED);
	w.writeable[3] = true;
	ck_assert(!STALE(&w, pmap_remove_write(w.mmu, 3)));
	expect_log(&w, "c3");
	world_close(&w);
}
END_TEST

START_TEST(page_protect_of_freebsd_5)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	expect_log(&w, "w3");
	pmap_page_protect(w.mmu, 3, RW);
	expect_log(&w, "");
	pmap_page_protect(w.mmu, 3, VM_PROT_READ);
	expect_log(&w, "d3 c3");
	ck_assert_uint_eq(pmap_page_mappings(w.mmu, 3), 1);
	pmap_page_protect(w.mmu, 3, VM_PROT_NONE);
	expect_log(&w, "r3");
	ck_assert_uint_eq(pmap_page_mappings(w.mmu, 3), 0);
	world_close(&w);
}
END_TEST

/* ------------------------------------------------------------ bits */

struct order {
	char text[256];
	struct pmap *first;
};

static void
order_note(void *ctx, struct pmap *pmap, vm_offset_t va, pte_t pte)
{
	struct order *o = ctx;
	size_t n = strlen(o->text);

	snprintf(o->text + n, sizeof(o->text) - n, "%s%c%u%s", n ? " " : "",
	    pmap == o->first ? 'p' : 'q', (unsigned)((va - VA) >> PAGE_SHIFT),
	    (pte & PTE_A) != 0 ? "*" : "");
}

static void
expect_order(struct world *w, pfn_t pfn, const char *text)
{
	struct order o = { .first = w->pmap };

	pmap_page_foreach(w->mmu, pfn, order_note, &o);
	ck_assert_str_eq(o.text, text);
}

static void
map_eight_times(struct world *w)
{
	for (uint32_t i = 0; i < 8; i++)
		pmap_enter(i % 2 ? w->other : w->pmap, VA + i * PAGE_SIZE, 3,
		    VM_PROT_READ, 0);
	expect_order(w, 3, "p0* q1* p2* q3* p4* q5* p6* q7*");
}

START_TEST(ts_referenced_stops_at_five_and_rotates)
{
	struct world w;

	world_open(&w);
	map_eight_times(&w);
	ck_assert(STALE(&w, ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3),
	    5)));
	expect_order(&w, 3, "q5* p6* q7* p0 q1 p2 q3 p4");
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 3);
	/* one full turn: the order is back where the walk began */
	expect_order(&w, 3, "q5 p6 q7 p0 q1 p2 q3 p4");
	ck_assert(!STALE(&w, ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3),
	    0)));
	expect_log(&w, "");
	world_close(&w);
}
END_TEST

START_TEST(ts_referenced_skips_without_counting)
{
	struct world w;

	world_open(&w);
	map_eight_times(&w);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 5);
	/* the walk starts at q5, so p2 is the sixth it meets */
	cpu_access(w.pmap, VA + 2 * PAGE_SIZE, false);
	cpu_access(w.pmap, VA, false);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 5);
	expect_order(&w, 3, "q3 p4 q5 p6 q7 p0 q1 p2");
	world_close(&w);
}
END_TEST

START_TEST(ts_referenced_of_few_mappings)
{
	struct world w;

	world_open(&w);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 0);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT |
	    PMAP_ENTER_WIRED);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 1);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 0);
	ck_assert_uint_ne(bits(w.pmap, VA) & PTE_M, 0); /* not looked at */
	pmap_enter(w.other, VA + 4096, 3, VM_PROT_READ, 0);
	ck_assert_int_eq(pmap_ts_referenced(w.mmu, 3), 1);
	expect_order(&w, 3, "p0 q1");
	world_close(&w);
}
END_TEST

START_TEST(is_modified_short_cuts)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, 0);
	pmap_enter(w.other, VA, 3, RW, 0);
	ck_assert(!pmap_is_modified(w.mmu, 3));
	cpu_access(w.other, VA, true);
	ck_assert(pmap_is_modified(w.mmu, 3));
	w.writeable[3] = false;
	ck_assert(!pmap_is_modified(w.mmu, 3));
	w.xbusied[3] = true;
	ck_assert(pmap_is_modified(w.mmu, 3));
	world_close(&w);
}
END_TEST

START_TEST(is_referenced_and_clear_reference)
{
	struct world w;

	world_open(&w);
	pmap_enter_quick(w.pmap, VA, 3, VM_PROT_READ);
	pmap_enter_quick(w.other, VA, 3, VM_PROT_READ);
	ck_assert(!pmap_is_referenced(w.mmu, 3));
	cpu_access(w.other, VA, false);
	ck_assert(pmap_is_referenced(w.mmu, 3));
	ck_assert(pmap_is_referenced(w.mmu, 3));
	ck_assert(STALE(&w, pmap_clear_reference(w.mmu, 3)));
	ck_assert(!pmap_is_referenced(w.mmu, 3));
	ck_assert(!STALE(&w, pmap_clear_reference(w.mmu, 3)));
	world_close(&w);
}
END_TEST

START_TEST(clear_modify_touches_writable_mappings_only)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.other, VA, 3, VM_PROT_READ, 0);
	expect_log(&w, "w3");
	w.writeable[3] = false;
	ck_assert(!STALE(&w, pmap_clear_modify(w.mmu, 3)));
	ck_assert_uint_ne(bits(w.pmap, VA) & PTE_M, 0);
	w.writeable[3] = true;
	ck_assert(STALE(&w, pmap_clear_modify(w.mmu, 3)));
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_MANAGED);
	expect_log(&w, ""); /* not the page's dirty bits */
	ck_assert(!STALE(&w, pmap_clear_modify(w.mmu, 3)));
	world_close(&w);
}
END_TEST

START_TEST(advise_clears_and_dontneed_reports)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.pmap, VA + 4096, 4, RW, 0);
	pmap_enter(w.pmap, VA + 8192, 5, RW, PMAP_ENTER_UNMANAGED);
	expect_log(&w, "w3 w4");
	ck_assert(STALE(&w, pmap_advise(w.pmap, VA, VA + 3 * PAGE_SIZE,
	    PMAP_ADVISE_DONTNEED)));
	expect_log(&w, "d3");
	ck_assert_uint_eq(bits(w.pmap, VA),
	    PTE_V | PTE_U | PTE_RW | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.pmap, VA + 4096),
	    PTE_V | PTE_U | PTE_RW | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.pmap, VA + 8192),
	    PTE_V | PTE_U | PTE_RW | PTE_A | PTE_M);
	cpu_access(w.pmap, VA, true);
	pmap_advise(w.pmap, VA, VA + PAGE_SIZE, PMAP_ADVISE_FREE);
	expect_log(&w, "");
	ck_assert_uint_eq(bits(w.pmap, VA) & (PTE_A | PTE_M), 0);
	world_close(&w);
}
END_TEST

/* ------------------------------------------------------------ the rest */

START_TEST(page_exists_quick_looks_at_sixteen)
{
	struct world w;

	world_open(&w);
	for (uint32_t i = 0; i < 15; i++)
		pmap_enter(w.other, VA + i * PAGE_SIZE, 3, VM_PROT_READ, 0);
	ck_assert(!pmap_page_exists_quick(w.pmap, 3));
	pmap_enter(w.pmap, VA, 3, VM_PROT_READ, 0);
	ck_assert(pmap_page_exists_quick(w.pmap, 3)); /* the sixteenth */
	pmap_remove(w.pmap, VA, VA + PAGE_SIZE);
	pmap_enter(w.other, VA + 15 * PAGE_SIZE, 3, VM_PROT_READ, 0);
	pmap_enter(w.pmap, VA, 3, VM_PROT_READ, 0);
	ck_assert(!pmap_page_exists_quick(w.pmap, 3)); /* the seventeenth */
	ck_assert(pmap_page_exists_quick(w.other, 3));
	ck_assert(!pmap_page_exists_quick(w.other, 4));
	world_close(&w);
}
END_TEST

START_TEST(copy_at_fork)
{
	struct world w;

	world_open(&w);
	pmap_enter(w.pmap, VA, 3, RX, PMAP_ENTER_WIRED);
	pmap_enter(w.pmap, VA + 4096, 4, RW, PMAP_ENTER_WRITE_FAULT);
	pmap_enter(w.pmap, VA + 8192, 5, RW, PMAP_ENTER_UNMANAGED);
	pmap_enter(w.pmap, VA + 12288, 6, VM_PROT_READ, 0);
	pmap_enter(w.pmap, VA + 16384, 7, VM_PROT_READ, 0);
	pmap_enter(w.other, VA + 12288, 8, VM_PROT_READ, 0);
	expect_log(&w, "w4");
	ck_assert(!STALE(&w, pmap_copy(w.other, w.pmap, VA, 4 * PAGE_SIZE,
	    VA)));
	expect_log(&w, "");
	ck_assert_uint_eq(bits(w.other, VA),
	    PTE_V | PTE_U | PTE_X | PTE_MANAGED);
	ck_assert_uint_eq(bits(w.other, VA + 4096),
	    PTE_V | PTE_U | PTE_RW | PTE_MANAGED);
	ck_assert_uint_eq(pmap_extract(w.other, VA + 8192), PFN_NONE);
	ck_assert_uint_eq(pmap_extract(w.other, VA + 12288), 8);
	ck_assert_uint_eq(pmap_extract(w.other, VA + 16384), PFN_NONE);
	ck_assert_uint_eq(pmap_resident_count(w.other), 3);
	ck_assert_uint_eq(pmap_wired_count(w.other), 0);
	expect_order(&w, 3, "p0* q0");
	pmap_copy(w.other, w.pmap, VA + 4096, PAGE_SIZE, VA + 16384);
	ck_assert_uint_eq(pmap_resident_count(w.other), 3);
	world_close(&w);
}
END_TEST

START_TEST(wiring_counts)
{
	struct world w;

	world_open(&w);
	pmap_change_wiring(w.pmap, VA, true); /* nothing there */
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 0);
	pmap_enter(w.pmap, VA, 3, RW, PMAP_ENTER_WRITE_FAULT);
	for (int i = 0; i < 2; i++)
		ck_assert(!STALE(&w, pmap_change_wiring(w.pmap, VA, true)));
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 1);
	ck_assert_uint_ne(bits(w.pmap, VA) & PTE_M, 0);
	for (int i = 0; i < 2; i++)
		pmap_change_wiring(w.pmap, VA, false);
	ck_assert_uint_eq(pmap_wired_count(w.pmap), 0);
	world_close(&w);
}
END_TEST

START_TEST(pte_is_null_where_no_table_is)
{
	struct world w;

	world_open(&w);
	ck_assert_ptr_null(pmap_pte(w.pmap, VA));
	pmap_enter(w.pmap, VA, 3, RW, 0);
	ck_assert_ptr_nonnull(pmap_pte(w.pmap, VA + PAGE_SIZE));
	ck_assert_uint_eq(*pmap_pte(w.pmap, VA + PAGE_SIZE), 0);
	ck_assert_ptr_null(pmap_pte(w.pmap, VA + (4ull << 20)));
	ck_assert_ptr_null(pmap_pte(w.pmap, 1ull << 48));
	ck_assert_ptr_null(pmap_pte(w.pmap, UINT64_MAX));
	/* the leaf found last is gone: no stale pointer comes back */
	ck_assert_ptr_nonnull(pmap_pte(w.pmap, VA));
	pmap_remove_all(w.mmu, 3);
	ck_assert_ptr_null(pmap_pte(w.pmap, VA));
	world_close(&w);
}
END_TEST

START_TEST(ids_are_not_reused)
{
	struct world w;
	struct pmap *third;

	world_open(&w);
	ck_assert_uint_eq(pmap_id(w.pmap), 1);
	ck_assert_uint_eq(pmap_id(w.other), 2);
	pmap_destroy(w.pmap);
	third = pmap_create(w.mmu);
	ck_assert_uint_eq(pmap_id(third), 3);
	pmap_enter(third, VA, 3, VM_PROT_READ, 0);
	ck_assert(pmap_page_exists_quick(third, 3));
	world_close(&w);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		enter_sets_a_and_what_prot_says,
		unmanaged_writable_mappings_are_modified_at_once,
		entering_the_same_page_again_changes_nothing,
		downgrading_a_modified_mapping_reports_it,
		upgrading_needs_no_flush,
		replacing_a_page_gives_the_old_one_its_bits,
		replacing_one_of_two_mappings_keeps_the_page_writeable,
		a_write_fault_without_write_permission_is_a_bug,
		enter_quick_fills_empty_slots_only,
		remove_passes_bits_up,
		remove_keeps_to_its_range,
		remove_crosses_tables_of_every_level,
		process_exit_loses_references_and_keeps_wired,
		remove_all_takes_every_mapping,
		protect_reports_modified_and_keeps_a,
		protect_to_nothing_removes,
		remove_write_needs_writeable_or_busy,
		page_protect_of_freebsd_5,
		ts_referenced_stops_at_five_and_rotates,
		ts_referenced_skips_without_counting,
		ts_referenced_of_few_mappings,
		is_modified_short_cuts,
		is_referenced_and_clear_reference,
		clear_modify_touches_writable_mappings_only,
		advise_clears_and_dontneed_reports,
		page_exists_quick_looks_at_sixteen,
		copy_at_fork,
		wiring_counts,
		pte_is_null_where_no_table_is,
		ids_are_not_reused,
	};

	return (SUITE_MAIN("pmap", tests));
}
