/*
 * Random operations on a few address spaces, against a model of plain arrays:
 * one entry per (space, place), one list per frame. After each operation the
 * calls upward, every entry, every list's order and all counts must agree.
 *
 * A model TLB goes along: it holds what the CPU may have cached. While the
 * TLB generation stands still, nothing in it may be wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/mmu.h"
#include "unit/suite.h"

#define NPMAPS 4
#define NFRAMES 12
#define NPLACES 48
#define NLIST (NPMAPS * NPLACES)
#define CALLS_MAX 4096

struct entry {
	bool valid, rw, u, x, a, m, wired, managed;
	pfn_t pfn;
};

struct call {
	char what; /* 'd', 'r', 'w', 'c' */
	pfn_t pfn;
};

struct calls {
	struct call call[CALLS_MAX];
	int n;
};

struct tlb_entry {
	bool valid, write;
	pfn_t pfn;
};

struct model {
	struct entry pte[NPMAPS][NPLACES];
	int list[NFRAMES][NLIST]; /* pmap * NPLACES + place, head first */
	int length[NFRAMES];
	bool writeable[NFRAMES];
	struct calls calls;
};

struct world {
	struct sim *sim;
	struct mmu *mmu;
	struct pmap *pmap[NPMAPS];
	vm_offset_t va[NPLACES];
	struct sim_rng rng;
	struct model m;
	struct calls calls; /* made by the real one */
	bool writeable[NFRAMES], xbusied[NFRAMES];
	struct tlb_entry tlb[NPMAPS][NPLACES];
	uint64_t tlb_gen;
	const char *op;
	uint64_t step;
};

static void
call_note(struct calls *c, char what, pfn_t pfn)
{
	if (c->n == CALLS_MAX)
		ck_abort_msg("too many calls");
	c->call[c->n++] = (struct call) { what, pfn };
}

/* ------------------------------------------------------------ calls upward */

static void
page_dirty(void *ctx, pfn_t pfn)
{
	call_note(&((struct world *)ctx)->calls, 'd', pfn);
}

static void
page_reference(void *ctx, pfn_t pfn)
{
	call_note(&((struct world *)ctx)->calls, 'r', pfn);
}

/* Only changes count: how often it is said again is no contract. */
static void
page_writeable(void *ctx, pfn_t pfn, bool writeable)
{
	struct world *w = ctx;

	if (w->writeable[pfn] != writeable)
		call_note(&w->calls, writeable ? 'w' : 'c', pfn);
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

/* ------------------------------------------------------------ the model */

static void
model_set_writeable(struct world *w, pfn_t pfn, bool writeable)
{
	if (w->m.writeable[pfn] != writeable)
		call_note(&w->m.calls, writeable ? 'w' : 'c', pfn);
	w->m.writeable[pfn] = writeable;
}

static void
model_append(struct model *m, pfn_t pfn, int p, int i)
{
	m->list[pfn][m->length[pfn]++] = p * NPLACES + i;
}

static void
model_delete(struct model *m, pfn_t pfn, int p, int i)
{
	int *list = m->list[pfn], n = m->length[pfn], k = 0;

	while (list[k] != p * NPLACES + i)
		k++;
	memmove(&list[k], &list[k + 1],
	    (size_t)(n - k - 1) * sizeof(list[0]));
	m->length[pfn]--;
}

static struct entry *
model_listed(struct model *m, pfn_t pfn, int k)
{
	int pi = m->list[pfn][k];

	return (&m->pte[pi / NPLACES][pi % NPLACES]);
}

/* The mapping vanishes; its bits go up, dirty first. */
static void
model_unmap(struct world *w, int p, int i, bool references)
{
	struct entry *e = &w->m.pte[p][i];
	struct entry old = *e;

	memset(e, 0, sizeof(*e));
	if (!old.managed)
		return;
	if (old.m && old.rw)
		call_note(&w->m.calls, 'd', old.pfn);
	if (old.a && references)
		call_note(&w->m.calls, 'r', old.pfn);
	model_delete(&w->m, old.pfn, p, i);
	if (w->m.length[old.pfn] == 0)
		model_set_writeable(w, old.pfn, false);
}

static void
model_enter(struct world *w, int p, int i, pfn_t pfn, int prot, int flags)
{
	struct entry *e = &w->m.pte[p][i], old = *e;
	struct entry new = { .valid = true, .pfn = pfn, .a = true,
		.rw = (prot & VM_PROT_WRITE) != 0,
		.u = (prot & VM_PROT_READ) != 0,
		.x = (prot & VM_PROT_EXECUTE) != 0,
		.m = (flags & PMAP_ENTER_WRITE_FAULT) != 0,
		.wired = (flags & PMAP_ENTER_WIRED) != 0,
		.managed = (flags & PMAP_ENTER_UNMANAGED) == 0 };

	if (!new.managed && new.rw)
		new.m = true;
	if (old.valid && old.pfn == pfn) {
		new.managed = old.managed;
		if (new.managed && new.rw)
			model_set_writeable(w, pfn, true);
		if (old.rw == new.rw && old.u == new.u && old.x == new.x &&
		    old.wired == new.wired)
			return;
		if (old.managed && old.m && old.rw && !new.m)
			call_note(&w->m.calls, 'd', pfn);
		*e = new;
		return;
	}
	if (new.managed) {
		model_append(&w->m, pfn, p, i);
		if (new.rw)
			model_set_writeable(w, pfn, true);
	}
	if (old.valid)
		model_unmap(w, p, i, true);
	*e = new;
}

static bool
model_may_be_written(struct world *w, pfn_t pfn)
{
	return (w->m.writeable[pfn] || w->xbusied[pfn]);
}

static int
model_ts_referenced(struct model *m, pfn_t pfn)
{
	int count = 0, n = m->length[pfn];

	for (int k = 0; k < n && count < 5; k++) {
		struct entry *e = model_listed(m, pfn, 0);
		int head = m->list[pfn][0];

		count += e->a;
		e->a = false;
		memmove(&m->list[pfn][0], &m->list[pfn][1],
		    (size_t)(n - 1) * sizeof(int));
		m->list[pfn][n - 1] = head;
	}
	return (count);
}

/* ------------------------------------------------------------ operations */

static int
draw(struct world *w, uint32_t n)
{
	return ((int)sim_rng_below(&w->rng, n));
}

static pfn_t
draw_frame(struct world *w)
{
	return ((pfn_t)draw(w, NFRAMES));
}

/* Places [*first, *last] and the addresses that enclose just them. */
static void
draw_range(struct world *w, int *first, int *last, vm_offset_t *start,
    vm_offset_t *end)
{
	int a = draw(w, NPLACES);
	int b = a + draw(w, draw(w, 4) == 0 ? NPLACES : 4);

	*first = a;
	*last = b < NPLACES ? b : NPLACES - 1;
	*start = w->va[*first];
	*end = w->va[*last] + PAGE_SIZE;
}

static void
op_enter(struct world *w)
{
	int p = draw(w, NPMAPS), i = draw(w, NPLACES), prot = draw(w, 8);
	int flags = draw(w, 10) == 0 ? PMAP_ENTER_WIRED : 0;
	pfn_t pfn = draw_frame(w);

	if ((prot & VM_PROT_WRITE) != 0 && draw(w, 2) == 0)
		flags |= PMAP_ENTER_WRITE_FAULT;
	if (draw(w, 12) == 0)
		flags |= PMAP_ENTER_UNMANAGED;
	w->op = "enter";
	model_enter(w, p, i, pfn, prot, flags);
	pmap_enter(w->pmap[p], w->va[i], pfn, prot, flags);
}

static void
op_enter_quick(struct world *w)
{
	int p = draw(w, NPMAPS), i = draw(w, NPLACES), prot = draw(w, 8);
	struct entry *e = &w->m.pte[p][i];
	pfn_t pfn = draw_frame(w);
	bool empty = !e->valid;

	w->op = "enter_quick";
	if (empty) {
		*e = (struct entry) { .valid = true, .managed = true,
			.pfn = pfn, .u = (prot & VM_PROT_READ) != 0,
			.x = (prot & VM_PROT_EXECUTE) != 0 };
		model_append(&w->m, pfn, p, i);
	}
	if (pmap_enter_quick(w->pmap[p], w->va[i], pfn, prot) != empty)
		ck_abort_msg("pmap_enter_quick at step %ju",
		    (uintmax_t)w->step);
}

static void
op_remove(struct world *w)
{
	int p = draw(w, NPMAPS), first, last;
	vm_offset_t start, end;

	w->op = "remove";
	draw_range(w, &first, &last, &start, &end);
	for (int i = first; i <= last; i++)
		if (w->m.pte[p][i].valid)
			model_unmap(w, p, i, true);
	pmap_remove(w->pmap[p], start, end);
}

static void
model_protect(struct world *w, struct entry *e, int prot)
{
	if ((prot & VM_PROT_WRITE) == 0) {
		if (e->managed && e->m && e->rw)
			call_note(&w->m.calls, 'd', e->pfn);
		e->rw = e->m = false;
	}
	if ((prot & VM_PROT_EXECUTE) == 0)
		e->x = false;
}

static void
op_protect(struct world *w)
{
	int p = draw(w, NPMAPS), first, last, prot = draw(w, 8);
	vm_offset_t start, end;

	w->op = "protect";
	draw_range(w, &first, &last, &start, &end);
	for (int i = first; i <= last; i++) {
		if (!w->m.pte[p][i].valid)
			continue;
		if ((prot & VM_PROT_READ) == 0)
			model_unmap(w, p, i, true);
		else
			model_protect(w, &w->m.pte[p][i], prot);
	}
	pmap_protect(w->pmap[p], start, end, prot);
}

static void
op_remove_pages(struct world *w)
{
	int p = draw(w, NPMAPS);

	w->op = "remove_pages";
	for (int i = 0; i < NPLACES; i++)
		if (w->m.pte[p][i].valid && !w->m.pte[p][i].wired)
			model_unmap(w, p, i, false);
	pmap_remove_pages(w->pmap[p]);
}

static void
op_copy(struct world *w)
{
	int d = draw(w, NPMAPS), s = draw(w, NPMAPS), first, last;
	vm_offset_t start, end;

	w->op = "copy";
	draw_range(w, &first, &last, &start, &end);
	if (d == s)
		return;
	for (int i = first; i <= last; i++) {
		struct entry *e = &w->m.pte[d][i];

		if (!w->m.pte[s][i].managed || e->valid)
			continue;
		*e = w->m.pte[s][i];
		e->wired = e->m = e->a = false;
		model_append(&w->m, e->pfn, d, i);
	}
	pmap_copy(w->pmap[d], w->pmap[s], start, end - start, start);
}

static void
op_advise(struct world *w)
{
	int p = draw(w, NPMAPS), first, last;
	bool dontneed = draw(w, 2) == 0;
	vm_offset_t start, end;

	w->op = "advise";
	draw_range(w, &first, &last, &start, &end);
	for (int i = first; i <= last; i++) {
		struct entry *e = &w->m.pte[p][i];

		if (!e->managed)
			continue;
		if (e->m && e->rw && dontneed)
			call_note(&w->m.calls, 'd', e->pfn);
		if (e->rw)
			e->m = false;
		e->a = false;
	}
	pmap_advise(w->pmap[p], start, end,
	    dontneed ? PMAP_ADVISE_DONTNEED : PMAP_ADVISE_FREE);
}

static void
op_wiring(struct world *w)
{
	int p = draw(w, NPMAPS), i = draw(w, NPLACES);
	bool wired = draw(w, 3) == 0;

	w->op = "change_wiring";
	if (w->m.pte[p][i].valid)
		w->m.pte[p][i].wired = wired;
	pmap_change_wiring(w->pmap[p], w->va[i], wired);
}

static void
op_remove_all(struct world *w)
{
	pfn_t pfn = draw_frame(w);

	w->op = "remove_all";
	while (w->m.length[pfn] > 0) {
		int pi = w->m.list[pfn][0];
		struct entry *e = model_listed(&w->m, pfn, 0), old = *e;

		if (old.a) /* here the reference comes first */
			call_note(&w->m.calls, 'r', pfn);
		e->a = false;
		model_unmap(w, pi / NPLACES, pi % NPLACES, true);
	}
	model_set_writeable(w, pfn, false);
	pmap_remove_all(w->mmu, pfn);
}

static void
op_remove_write(struct world *w)
{
	pfn_t pfn = draw_frame(w);

	w->op = "remove_write";
	if (model_may_be_written(w, pfn)) {
		for (int k = 0; k < w->m.length[pfn]; k++)
			model_protect(w, model_listed(&w->m, pfn, k),
			    VM_PROT_READ | VM_PROT_EXECUTE);
		model_set_writeable(w, pfn, false);
	}
	pmap_remove_write(w->mmu, pfn);
}

static void
op_ts_referenced(struct world *w)
{
	pfn_t pfn = draw_frame(w);
	int count;

	w->op = "ts_referenced";
	count = model_ts_referenced(&w->m, pfn);
	if (pmap_ts_referenced(w->mmu, pfn) != count)
		ck_abort_msg("pmap_ts_referenced at step %ju",
		    (uintmax_t)w->step);
}

static void
op_clear(struct world *w)
{
	pfn_t pfn = draw_frame(w);
	bool modify = draw(w, 2) == 0;

	w->op = "clear";
	if (modify && w->xbusied[pfn])
		return;
	for (int k = 0; k < w->m.length[pfn]; k++) {
		struct entry *e = model_listed(&w->m, pfn, k);

		if (!modify)
			e->a = false;
		else if (w->m.writeable[pfn] && e->rw)
			e->m = false;
	}
	if (modify)
		pmap_clear_modify(w->mmu, pfn);
	else
		pmap_clear_reference(w->mmu, pfn);
}

static void
op_ask(struct world *w)
{
	pfn_t pfn = draw_frame(w);
	int p = draw(w, NPMAPS);
	bool referenced = false, modified = false, exists = false;

	w->op = "ask";
	for (int k = 0; k < w->m.length[pfn]; k++) {
		struct entry *e = model_listed(&w->m, pfn, k);

		referenced |= e->a;
		modified |= e->m && e->rw && model_may_be_written(w, pfn);
		exists |= k < 16 && w->m.list[pfn][k] / NPLACES == p;
	}
	ck_assert_int_eq(pmap_is_referenced(w->mmu, pfn), referenced);
	ck_assert_int_eq(pmap_is_modified(w->mmu, pfn), modified);
	ck_assert_int_eq(pmap_page_exists_quick(w->pmap[p], pfn), exists);
}

/* The CPU: a load, or a store where one is allowed. */
static void
op_access(struct world *w)
{
	w->op = "access";
	for (int n = 0; n < 8; n++) {
		int p = draw(w, NPMAPS), i = draw(w, NPLACES);
		struct entry *e = &w->m.pte[p][i];
		bool write = draw(w, 2) == 0;
		pte_t *pte = pmap_pte(w->pmap[p], w->va[i]);

		if (!e->valid || !e->u || (write && !e->rw))
			continue;
		e->a = true;
		e->m |= write;
		*pte |= PTE_A | (write ? PTE_M : 0);
		w->tlb[p][i] = (struct tlb_entry) { true, write, e->pfn };
	}
}

static void
op_busy(struct world *w)
{
	w->op = "busy";
	w->xbusied[draw_frame(w)] = draw(w, 3) == 0;
}

/* ------------------------------------------------------------ comparing */

static void
differs(struct world *w, const char *what)
{
	ck_abort_msg("%s differs after %s, step %ju", what, w->op,
	    (uintmax_t)w->step);
}

static pte_t
entry_bits(const struct entry *e)
{
	pte_t pte = (pte_t)e->pfn << PAGE_SHIFT;

	if (!e->valid)
		return (0);
	return (pte | PTE_V | (e->rw ? PTE_RW : 0) | (e->u ? PTE_U : 0) |
	    (e->x ? PTE_X : 0) | (e->a ? PTE_A : 0) | (e->m ? PTE_M : 0) |
	    (e->wired ? PTE_WIRED : 0) | (e->managed ? PTE_MANAGED : 0));
}

static void
compare_entries(struct world *w)
{
	for (int p = 0; p < NPMAPS; p++) {
		uint64_t resident = 0, wired = 0;

		for (int i = 0; i < NPLACES; i++) {
			const struct entry *e = &w->m.pte[p][i];
			const pte_t *pte = pmap_pte(w->pmap[p], w->va[i]);

			if ((pte != NULL ? *pte : 0) != entry_bits(e))
				differs(w, "an entry");
			resident += e->valid;
			wired += e->valid && e->wired;
		}
		if (pmap_resident_count(w->pmap[p]) != resident ||
		    pmap_wired_count(w->pmap[p]) != wired)
			differs(w, "a count");
	}
}

struct list_check {
	struct world *w;
	pfn_t pfn;
	int k;
};

static void
compare_one(void *ctx, struct pmap *pmap, vm_offset_t va, pte_t pte)
{
	struct list_check *c = ctx;
	int pi = c->w->m.list[c->pfn][c->k++];

	(void)pte;
	if (pmap != c->w->pmap[pi / NPLACES] ||
	    va != c->w->va[pi % NPLACES])
		differs(c->w, "a reverse list");
}

static void
compare_lists(struct world *w)
{
	for (pfn_t pfn = 0; pfn < NFRAMES; pfn++) {
		struct list_check c = { w, pfn, 0 };

		if (pmap_page_mappings(w->mmu, pfn) !=
		    (uint32_t)w->m.length[pfn])
			differs(w, "a list's length");
		pmap_page_foreach(w->mmu, pfn, compare_one, &c);
		if (w->writeable[pfn] != w->m.writeable[pfn])
			differs(w, "a page's writeable flag");
	}
}

static void
compare_calls(struct world *w)
{
	if (w->calls.n != w->m.calls.n)
		differs(w, "the number of calls");
	for (int i = 0; i < w->calls.n; i++)
		if (w->calls.call[i].what != w->m.calls.call[i].what ||
		    w->calls.call[i].pfn != w->m.calls.call[i].pfn)
			differs(w, "a call");
	w->calls.n = w->m.calls.n = 0;
}

/* A CPU that flushes when told to never uses what is gone. */
static void
check_tlb(struct world *w)
{
	if (mmu_tlb_gen(w->mmu) != w->tlb_gen) {
		w->tlb_gen = mmu_tlb_gen(w->mmu);
		memset(w->tlb, 0, sizeof(w->tlb));
		return;
	}
	for (int p = 0; p < NPMAPS; p++)
		for (int i = 0; i < NPLACES; i++) {
			const struct tlb_entry *t = &w->tlb[p][i];
			const struct entry *e = &w->m.pte[p][i];

			if (t->valid && (!e->valid || e->pfn != t->pfn ||
			    !e->u || !e->a ||
			    (t->write && (!e->rw || !e->m))))
				differs(w, "a TLB entry");
		}
}

/* ------------------------------------------------------------ the test */

static void
world_open(struct world *w, uint64_t rng_seed)
{
	static const struct mmu_ops ops = { page_dirty, page_reference,
		page_writeable, page_xbusied, page_is_writeable };

	w->sim = sim_create(NULL);
	w->mmu = mmu_create(w->sim, NFRAMES);
	mmu_set_ops(w->mmu, &ops, w);
	sim_rng_init(&w->rng, rng_seed, "pmap");
	w->tlb_gen = mmu_tlb_gen(w->mmu);
	for (int p = 0; p < NPMAPS; p++)
		w->pmap[p] = pmap_create(w->mmu);
	/* dense stretches, borders of tables of every level, far places */
	for (int i = 0; i < NPLACES; i++) {
		static const vm_offset_t base[] = { 0x1f8000, 0x3fffc000,
			0x7fffffc000, 0x2aaaaa000000, 0x7fffffff8000,
			0xffffffff8000 };

		w->va[i] = base[i / 8] + (vm_offset_t)(i % 8) * PAGE_SIZE;
	}
}

static void
random_step(struct world *w)
{
	static void (*const ops[])(struct world *w) = { op_enter, op_enter,
		op_enter, op_enter, op_enter_quick, op_enter_quick, op_remove,
		op_protect, op_copy, op_advise, op_wiring, op_remove_all,
		op_remove_write, op_ts_referenced, op_ts_referenced, op_clear,
		op_ask, op_access, op_access, op_access, op_busy };
	const uint32_t n = sizeof(ops) / sizeof(ops[0]);

	if (draw(w, 200) == 0)
		op_remove_pages(w);
	else
		ops[draw(w, n)](w);
}

static void
random_run(uint64_t rng_seed, uint64_t steps)
{
	struct world *w = calloc(1, sizeof(*w));

	world_open(w, rng_seed);
	for (w->step = 0; w->step < steps; w->step++) {
		random_step(w);
		compare_calls(w);
		compare_entries(w);
		compare_lists(w);
		check_tlb(w);
		if (w->step % 16 == 0)
			mmu_check(w->mmu);
	}
	for (int p = 0; p < NPMAPS; p++) {
		pmap_remove(w->pmap[p], 0, UINT64_MAX);
		pmap_destroy(w->pmap[p]);
	}
	for (pfn_t pfn = 0; pfn < NFRAMES; pfn++)
		ck_assert(!pmap_page_is_mapped(w->mmu, pfn));
	mmu_check(w->mmu);
	mmu_destroy(w->mmu);
	sim_destroy(w->sim);
	free(w);
}

START_TEST(agrees_with_plain_arrays)
{
	for (uint64_t rng_seed = 1; rng_seed <= 10; rng_seed++)
		random_run(rng_seed, 20000);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { agrees_with_plain_arrays };

	return (SUITE_MAIN("pmap_random", tests));
}
