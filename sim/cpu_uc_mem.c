/*
 * cpu_uc_mem.c: how the Unicorn engine reaches memory: the fill callback of
 * its TLB, the rule that keeps translated code and writable entries of a
 * frame apart, flushing and killing.
 *
 * Interface: cpu_uc_int.h.
 * Source: Unicorn notes sections 2 and 5; "rule n" is their short list.
 * Differs: nothing.
 */
#include "sim/cpu_uc_int.h"

/* ------------------------------------------------------- TLB and code */

void
cpu_tlb_flush(struct cpu_uc *e)
{
	uc_ctl_flush_tlb(e->uc);
	if (++e->tlb_gen == 0)
		e->tlb_gen = 1;
	e->tlb_stale = false;
	e->tlb_fills = 0;
	e->stats.tlb_flushes++;
}

/* Drop what was translated from a part of a frame, at any address. The
 * window's own fill leaves an entry in the TLB that no guest may find, so the
 * TLB is stale afterwards. */
static void
kill_range(struct cpu_uc *e, pfn_t pfn, uint64_t from, uint64_t to)
{
	uint64_t at = CPU_WINDOW + ((uint64_t)pfn << PAGE_SHIFT);

	e->window_open = true;
	uc_ctl_remove_cache(e->uc, at + from, at + to);
	e->window_open = false;
	e->tlb_stale = true;
	e->stats.code_kills++;
}

void
cpu_code_kill(struct cpu_uc *e, pfn_t pfn)
{
	mmu_frame_cpu(e->mmu, pfn)->has_code = 0;
	cpu_blocks_frame_changes(e->blocks, pfn);
	kill_range(e, pfn, 0, PAGE_SIZE);
}

/*
 * cpu_code_cut: drop the blocks that begin or end at va, or run over it. One
 * that begins there may be empty, so it is looked for from the byte before;
 * the first of a page goes with the whole page.
 */
void
cpu_code_cut(struct cpu_uc *e, uint64_t va)
{
	pfn_t pfn = pmap_extract(e->run.pmap, va);
	uint64_t at = va & PAGE_MASK;

	if (at != 0) {
		if (pfn != PFN_NONE)
			kill_range(e, pfn, at - 1, at + 1);
		return;
	}
	if (pfn != PFN_NONE)
		cpu_code_kill(e, pfn);
	pfn = pmap_extract(e->run.pmap, va - 1);
	if (pfn != PFN_NONE)
		kill_range(e, pfn, PAGE_SIZE - 1, PAGE_SIZE);
}

static void
kill_code(void *ctx, pfn_t pfn)
{
	cpu_code_kill(ctx, pfn);
}

const struct mmu_cpu_ops cpu_mmu_ops = { .kill_code = kill_code };

/* Does the block that runs now lie in this frame? */
static bool
last_block_in(const struct cpu_run *r, pfn_t pfn)
{
	uint64_t pc = CPU_TAG_PC(r->last);
	uint32_t size = CPU_TAG_SIZE(r->last);

	if (r->last == 0)
		return false;
	return pmap_extract(r->pmap, pc) == pfn ||
	    pmap_extract(r->pmap, pc + size - 1) == pfn;
}

/* ----------------------------------------------------------- fill hook */

static bool
fill_refuse(struct cpu_run *r, uint64_t va, int access, enum cpu_fill why)
{
	r->refused = why;
	r->refused_va = va;
	r->refused_access = access;
	return false;
}

/* Never a frame with translated code and a writable entry (section 5). */
static bool
fill_fetch(struct cpu_uc *e, uint64_t va, pfn_t pfn, uc_tlb_entry *out)
{
	struct mmu_frame_cpu *f = mmu_frame_cpu(e->mmu, pfn);

	if (f->wgen == e->tlb_gen)
		cpu_tlb_flush(e);
	f->has_code = 1;
	cpu_space_fetch(e->blocks, e->run.as, va, pfn);
	e->run.space_tag = cpu_space_tag(e->blocks, e->run.as);
	out->perms = UC_PROT_READ | UC_PROT_EXEC;
	return true;
}

static bool
fill_write(struct cpu_uc *e, uint64_t va, pte_t *pte, uc_tlb_entry *out)
{
	pfn_t pfn = PTE_FRAME(*pte);
	struct mmu_frame_cpu *f = mmu_frame_cpu(e->mmu, pfn);

	if (f->has_code) {
		bool own = last_block_in(&e->run, pfn);

		if (own && e->run.step == STEP_OFF)
			return fill_refuse(&e->run, va, VM_PROT_WRITE,
			    FILL_SELF);
		if (!own) {
			cpu_code_kill(e, pfn);
			cpu_tlb_flush(e);
		}
	}
	*pte |= PTE_M;
	f->wgen = e->tlb_gen;
	out->perms = UC_PROT_READ | UC_PROT_WRITE;
	return true;
}

static bool
fill_read(struct cpu_uc *e, pte_t pte, uc_tlb_entry *out)
{
	struct mmu_frame_cpu *f = mmu_frame_cpu(e->mmu, PTE_FRAME(pte));
	bool write = (pte & PTE_M) && (pte & PTE_RW) && !f->has_code;

	if (write)
		f->wgen = e->tlb_gen;
	out->perms = UC_PROT_READ | (write ? UC_PROT_WRITE : 0);
	return true;
}

/* The emulator itself wants a page: code to kill, or the way to CPL 3. */
static bool
fill_internal(struct cpu_uc *e, uint64_t va, uc_tlb_entry *out)
{
	if (!e->window_open && !e->booting)
		return false;
	out->paddr = va >= CPU_WINDOW ? va - CPU_WINDOW : 0;
	out->perms = UC_PROT_READ | UC_PROT_EXEC;
	return true;
}

/* The only way from the processor to memory (rules 4 and 5). */
bool
cpu_fill(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *out,
    void *user)
{
	struct cpu_uc *e = user;
	int access = type == UC_MEM_FETCH ? VM_PROT_EXECUTE :
	    type == UC_MEM_WRITE	  ? VM_PROT_WRITE :
					    VM_PROT_READ;
	pte_t need = type == UC_MEM_FETCH ? PTE_X :
	    type == UC_MEM_WRITE	  ? PTE_RW :
					    PTE_U;
	pte_t *pte;

	e->stats.fills++;
	e->tlb_fills++;
	if (fill_internal(e, va, out))
		return true;
	pte = va < CPU_USER_TOP ? pmap_pte(e->run.pmap, va) : NULL;
	if (pte == NULL || (*pte & (PTE_V | need)) != (PTE_V | need))
		return fill_refuse(&e->run, va, access, FILL_FAULT);
	out->paddr = (uint64_t)PTE_FRAME(*pte) << PAGE_SHIFT;
	if (access == VM_PROT_WRITE && !fill_write(e, va, pte, out))
		return false;
	*pte |= PTE_A;
	if (access == VM_PROT_EXECUTE)
		return fill_fetch(e, va, PTE_FRAME(*pte), out);
	if (access == VM_PROT_READ)
		return fill_read(e, *pte, out);
	return true;
}
