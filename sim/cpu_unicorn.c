/*
 * cpu_unicorn.c: the simulated processor on Unicorn. One engine executes all
 * contexts in all address spaces; it never sleeps: a run ends at the cycle
 * limit, a system call, a page fault or a trap.
 *
 * Interface: cpu.h.
 * Source: Unicorn notes; "rule n" below is their short list.
 * Differs: exact fault addresses (the fill callback sees pages only) and the
 * places where a run may stop (cpu_blocks.c) are ours.
 *
 * What is simulated and what is not. Cycles, instructions, R and M bits and
 * stop places depend on the guest's bytes and the page tables only. Fills,
 * flushes, translations and starts depend on the host (rule 9) and reach
 * nothing but struct cpu_stats. The emulator takes the fault of a block's
 * second page before the block's first instruction; as it cuts long blocks
 * by limits of its own, that instant would depend on the host, so such a
 * block is run up to the page's end first (run_to_page_end). What remains:
 * the second page's R bit is set when the block begins, not when the page is
 * reached.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cpu_uc_int.h"

#define CODE_BUFFER_MB 128 /* holds the code of a C compiler (section 10) */
#define CR4_USER 0x604 /* OSFXSR, OSXMMEXCPT, TSD */
#define CR0_SET 0x22 /* NE, MP: x87 errors as exceptions */
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define EFER_SCE 1u
#define CS_USER 0x33
/* The emulator's TLB grows at a flush only: so many fills say it is too small
 * (section 7). No effect on anything simulated. */
#define TLB_FILLS_MAX 65536u
#define GRANT_MAX 0x7fffffffu /* cycles the hook counts by itself */
#define UC_VERSION_NEEDED 0x02010100u /* 2.1.1 */

/* ------------------------------------------------------- TLB and code */

static void
tlb_flush(struct cpu_uc *e)
{
	uc_ctl_flush_tlb(e->uc);
	if (++e->tlb_gen == 0)
		e->tlb_gen = 1;
	e->tlb_stale = false;
	e->tlb_fills = 0;
	e->stats.tlb_flushes++;
}

/*
 * code_kill: drop whatever was translated from a frame, at any address. The
 * window's own fill leaves an entry in the TLB that no guest may find, so the
 * TLB is stale afterwards.
 */
static void
code_kill(struct cpu_uc *e, pfn_t pfn)
{
	uint64_t at = CPU_WINDOW + ((uint64_t)pfn << PAGE_SHIFT);

	mmu_frame_cpu(e->mmu, pfn)->has_code = 0;
	cpu_blocks_frame_changes(e->blocks, pfn);
	e->window_open = true;
	uc_ctl_remove_cache(e->uc, at, at + PAGE_SIZE);
	e->window_open = false;
	e->tlb_stale = true;
	e->stats.code_kills++;
}

static void
cpu_kill_code(void *ctx, pfn_t pfn)
{
	code_kill(ctx, pfn);
}

static const struct mmu_cpu_ops cpu_mmu_ops = { .kill_code = cpu_kill_code };

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
		tlb_flush(e);
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
			code_kill(e, pfn);
			tlb_flush(e);
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
static bool
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

/* ---------------------------------------------------------- other hooks */

static void
cpu_stop(struct cpu_uc *e, enum cpu_stop why, uint64_t pc)
{
	e->run.stop = why;
	e->run.stop_pc = pc;
	uc_emu_stop(e->uc);
}

/* Was the last block one that ends at a place where a run may stop? */
static bool
last_block_cut(struct cpu_uc *e)
{
	const struct cpu_run *r = &e->run;
	const struct cpu_block *b;

	if (r->last == 0)
		return false;
	b = cpu_block_get(e->blocks, r->as, CPU_TAG_PC(r->last),
	    CPU_TAG_SIZE(r->last));
	return (b->flags & CPU_BLOCK_CUT) != 0;
}

/* Bring cycles and instructions up to date; nothing is left to the hook. */
static void
run_sync(struct cpu_run *r)
{
	r->cycles += r->granted - (uint32_t)r->fast;
	r->instructions += r->fast >> 32;
	r->granted = 0;
	r->fast = 0;
}

/* Let the hook go on by itself as far as the limit allows. */
static void
run_grant(struct cpu_run *r)
{
	uint64_t left = r->limit > r->cycles ? r->limit - r->cycles : 0;

	r->granted = left < GRANT_MAX ? (uint32_t)left : GRANT_MAX;
	r->fast = r->granted;
}

/* True: the run stops before this block. */
static bool
block_stops(struct cpu_uc *e, const struct cpu_block *b)
{
	struct cpu_run *r = &e->run;

	if (r->cycles + b->need > r->limit && r->instructions != 0 &&
	    !last_block_cut(e)) {
		cpu_stop(e, STOP_LIMIT, b->pc);
		return true;
	}
	if (b->flags & CPU_BLOCK_SPECIAL) {
		cpu_stop(e, STOP_SPECIAL, b->pc);
		return true;
	}
	return false;
}

/* A block that the hot table does not know, or near the end of the run. */
static __attribute__((noinline)) void
block_slow(struct cpu_uc *e, uint64_t pc, uint32_t size)
{
	struct cpu_run *r = &e->run;
	struct cpu_block b;

	if (e->booting || r->stop != STOP_NONE)
		return;
	run_sync(r);
	if (r->step == STEP_RAN) {
		cpu_stop(e, STOP_STEP, pc);
		return;
	}
	b = *cpu_block_get(e->blocks, r->as, pc, size);
	if (r->step == STEP_OFF && block_stops(e, &b))
		return;
	r->cycles += b.cycles;
	r->instructions += b.icount;
	cpu_block_heat(e->blocks, r->as, &b);
	r->space_tag = cpu_space_tag(e->blocks, r->as);
	r->last = CPU_TAG(pc, size, r->space_tag);
	if (r->step == STEP_OFF)
		run_grant(r);
	else
		r->step = STEP_RAN;
}

/*
 * Called before every block: the dearest lines of the simulator. Rule 10: a
 * stop here leaves the block unrun, and its hook will be called again.
 */
static __attribute__((hot, aligned(64))) void
cpu_block(uc_engine *uc, uint64_t pc, uint32_t size, void *user)
{
	struct cpu_uc *e = user;
	struct cpu_run *r = &e->run;
	const struct cpu_hot *h = &e->hot[cpu_hot_index(pc)];
	uint64_t tag = CPU_TAG(pc, size, r->space_tag);
	uint64_t fast = r->fast, word = h->word;

	if (__builtin_expect(h->tag != tag ||
		    (uint32_t)fast < (uint32_t)word, 0)) {
		block_slow(e, pc, size);
		return;
	}
	r->fast = fast - word;
	r->last = tag;
}

static void
cpu_syscall(uc_engine *uc, void *user)
{
	cpu_stop(user, STOP_SYSCALL, 0);
}

static void
cpu_intr(uc_engine *uc, uint32_t vector, void *user)
{
	struct cpu_uc *e = user;

	e->run.intr = vector;
	cpu_stop(e, STOP_INTR, 0);
}

static bool
cpu_invalid(uc_engine *uc, void *user)
{
	return false; /* ends the run with UC_ERR_INSN_INVALID */
}

/* count_check: the emulator's own count of every instruction. */
static void
cpu_count(uc_engine *uc, uint64_t pc, uint32_t size, void *user)
{
	struct cpu_uc *e = user;

	if (!e->booting && e->run.stop == STOP_NONE)
		e->run.counted++;
}

/* ------------------------------------------------------- after a stop */

enum next { RUN_AGAIN, RUN_EXIT };

static enum next
exit_error(struct cpu_uc *e, struct cpu_exit *ex, const char *what,
    uc_err err)
{
	ex->kind = CPU_EXIT_ERROR;
	snprintf(ex->text, sizeof(ex->text), "%s (%s) at %#llx", what,
	    uc_strerror(err), (unsigned long long)e->loaded->rip);
	return RUN_EXIT;
}

static enum next
exit_trap(struct cpu_exit *ex, int trap)
{
	ex->kind = CPU_EXIT_TRAP;
	ex->trap = trap;
	return RUN_EXIT;
}

/*
 * The last block was left at rip before its end: count only what came before
 * (section 4, mid-block fault rule). False: rip is not in the block.
 */
static bool
rewind_block(struct cpu_uc *e, uint64_t rip)
{
	struct cpu_run *r = &e->run;
	uint64_t pc = CPU_TAG_PC(r->last);
	uint32_t size = CPU_TAG_SIZE(r->last), icount, cycles;
	const struct cpu_block *b;

	if (r->last == 0 || rip < pc || rip > pc + size)
		return false;
	b = cpu_block_get(e->blocks, r->as, pc, size);
	r->cycles -= b->cycles;
	r->instructions -= b->icount;
	cpu_blocks_part(e->blocks, r->as, pc, rip, &icount, &cycles);
	r->cycles += cycles;
	r->instructions += icount;
	r->last = 0;
	return true;
}

/* As rewind_block for an instruction that has not retired. */
static bool
rewind_faulted(struct cpu_uc *e, uint64_t rip)
{
	e->run.counted--; /* the per-instruction hook came before it ran */
	return rewind_block(e, rip);
}

/* The byte that the instruction at rip could not reach: the first of its
 * operands' bytes in the refused page. */
static uint64_t
fault_va(struct cpu_uc *e, uint64_t rip)
{
	struct cpu_run *r = &e->run;
	uint64_t page = r->refused_va, best = UINT64_MAX;
	uint8_t code[CPU_INSN_MAX];
	struct cpu_operand ops[4];
	struct cpu_regs regs;
	size_t n = cpu_blocks_read(e->blocks, r->as, rip, code, sizeof(code));
	unsigned count;

	if (n == 0)
		return page;
	cpu_get_regs(&e->pub, e->loaded, &regs);
	regs.rip = rip;
	count = cpu_decode_operands(e->decoder, code, n, &regs, ops);
	for (unsigned i = 0; i < count; i++) {
		uint64_t first = ops[i].va, last = first + ops[i].size - 1;

		if (!(r->refused_access == VM_PROT_WRITE ? ops[i].write :
							   ops[i].read))
			continue;
		if (first < page && last >= page && last - page < PAGE_SIZE)
			first = page;
		if ((first & ~(uint64_t)PAGE_MASK) == page && first < best)
			best = first;
	}
	return best == UINT64_MAX ? page : best;
}

/* Was it the second page of a block that could not be fetched? */
static bool
second_page_missing(const struct cpu_uc *e)
{
	const struct cpu_run *r = &e->run;

	return r->stop == STOP_NONE && r->refused == FILL_FAULT &&
	    r->refused_access == VM_PROT_EXECUTE &&
	    r->refused_va >> PAGE_SHIFT != e->loaded->rip >> PAGE_SHIFT;
}

static enum next
exit_fault(struct cpu_uc *e, uint64_t va, struct cpu_exit *ex)
{
	/* not an address at all: general protection, as on hardware */
	if (va >= CPU_USER_TOP && va < 0 - CPU_USER_TOP)
		return exit_trap(ex, CPU_TRAP_GP);
	ex->kind = CPU_EXIT_FAULT;
	ex->va = va;
	ex->access = e->run.refused_access;
	return RUN_EXIT;
}

static enum next
after_fault(struct cpu_uc *e, uint64_t rip, uc_err err, struct cpu_exit *ex)
{
	uint64_t va;

	if (e->run.refused_access == VM_PROT_EXECUTE)
		return second_page_missing(e) ? RUN_AGAIN :
						exit_fault(e, rip, ex);
	va = fault_va(e, rip);
	if (!rewind_faulted(e, rip))
		return exit_error(e, ex, "fault outside its block", err);
	return exit_fault(e, va, ex);
}

static bool
emulate_tsc(struct cpu_uc *e, uint64_t rip)
{
	uint8_t code[3] = { 0 };
	struct cpu_run *r = &e->run;
	uint64_t now = sim_now(e->sim) + r->cycles;
	uint64_t lo = (uint32_t)now, hi = now >> 32, zero = 0;
	unsigned length = 2;

	cpu_blocks_read(e->blocks, r->as, rip, code, sizeof(code));
	if (code[0] != 0x0f)
		return false;
	if (code[1] == 0x01 && code[2] == 0xf9) {
		length = 3;
		uc_reg_write(e->uc, UC_X86_REG_RCX, &zero); /* TSC_AUX */
	} else if (code[1] != 0x31) {
		return false;
	}
	uc_reg_write(e->uc, UC_X86_REG_RAX, &lo);
	uc_reg_write(e->uc, UC_X86_REG_RDX, &hi);
	r->cycles += e->costs.cycles[CPU_COST_BASE] +
	    e->costs.cycles[CPU_COST_TSC];
	r->instructions++;
	r->counted++;
	e->loaded->rip = rip + length;
	return true;
}

/* INT n and INT3 leave RIP behind the instruction and have retired. */
static bool
is_software_interrupt(struct cpu_uc *e, uint64_t rip, unsigned *length)
{
	struct cpu_run *r = &e->run;
	uint8_t code[2] = { 0, 0 };

	if (r->last == 0 ||
	    rip != CPU_TAG_PC(r->last) + CPU_TAG_SIZE(r->last))
		return false;
	cpu_blocks_read(e->blocks, r->as, rip - 2, code, sizeof(code));
	if (r->intr == CPU_TRAP_BP && code[1] == 0xcc) {
		*length = 1;
		return true;
	}
	*length = 2;
	return code[0] == 0xcd && code[1] == r->intr;
}

static enum next
after_intr(struct cpu_uc *e, uint64_t rip, struct cpu_exit *ex)
{
	struct cpu_run *r = &e->run;
	unsigned length;

	cpu_exception_reset(e);
	if (is_software_interrupt(e, rip, &length)) {
		if (r->intr == CPU_TRAP_BP || r->intr == CPU_TRAP_INT80)
			return exit_trap(ex, (int)r->intr);
		/* a gate that user programs may not use */
		e->loaded->rip = rip -= length;
		r->intr = CPU_TRAP_GP;
	}
	if (r->intr == CPU_TRAP_DB)
		return exit_trap(ex, CPU_TRAP_DB); /* after the instruction */
	if (!rewind_faulted(e, rip))
		return exit_error(e, ex, "trap outside its block", UC_ERR_OK);
	if (r->intr == CPU_TRAP_GP && emulate_tsc(e, rip))
		return RUN_AGAIN;
	return exit_trap(ex, (int)r->intr);
}

/* The hook stops before the emulator does this part of the instruction. */
static enum next
after_syscall(struct cpu_uc *e, uint64_t rip, struct cpu_exit *ex)
{
	uint64_t rflags = 0;

	uc_reg_read(e->uc, UC_X86_REG_RFLAGS, &rflags);
	uc_reg_write(e->uc, UC_X86_REG_RCX, &rip);
	uc_reg_write(e->uc, UC_X86_REG_R11, &rflags);
	ex->kind = CPU_EXIT_SYSCALL;
	return RUN_EXIT;
}

/* What the emulator said when it came back from the run at `start`. */
static enum next
after_start(struct cpu_uc *e, uc_err err, uint64_t step_end,
    struct cpu_exit *ex)
{
	struct cpu_run *r = &e->run;
	uint64_t rip = 0;

	if (r->stop == STOP_LIMIT || r->stop == STOP_SPECIAL ||
	    r->stop == STOP_STEP) {
		e->loaded->rip = r->stop_pc;
		ex->kind = CPU_EXIT_LIMIT;
		return r->stop == STOP_LIMIT ? RUN_EXIT : RUN_AGAIN;
	}
	uc_reg_read(e->uc, UC_X86_REG_RIP, &rip);
	e->loaded->rip = rip;
	if (r->stop == STOP_SYSCALL)
		return after_syscall(e, rip, ex);
	if (r->stop == STOP_INTR)
		return after_intr(e, rip, ex);
	if (err == UC_ERR_INSN_INVALID) {
		cpu_exception_reset(e);
		if (!rewind_faulted(e, rip))
			return exit_error(e, ex, "#UD outside its block", err);
		return exit_trap(ex, CPU_TRAP_UD);
	}
	if (err != UC_ERR_OK && r->refused == FILL_FAULT)
		return after_fault(e, rip, err, ex);
	if (err != UC_ERR_OK && r->refused == FILL_SELF)
		return rewind_faulted(e, rip) ?
		    RUN_AGAIN :
		    exit_error(e, ex, "store outside its block", err);
	if (err == UC_ERR_OK && step_end != 0 && rip == step_end)
		return RUN_AGAIN;
	return exit_error(e, ex, "the emulator stopped unasked", err);
}

/* -------------------------------------------------------------- running */

static enum next
start(struct cpu_uc *e, uint64_t step_end, struct cpu_exit *ex)
{
	struct cpu_run *r = &e->run;
	uc_err err;

	if (e->tlb_stale)
		tlb_flush(e);
	r->stop = STOP_NONE;
	r->refused = FILL_OK;
	e->stats.starts++;
	if (r->step == STEP_OFF)
		run_grant(r);
	err = uc_emu_start(e->uc, e->loaded->rip, 0, 0, 0);
	run_sync(r);
	return after_start(e, err, step_end, ex);
}

static void
kill_at(struct cpu_uc *e, uint64_t va)
{
	pfn_t pfn = pmap_extract(e->run.pmap, va);

	if (pfn != PFN_NONE)
		code_kill(e, pfn);
}

/*
 * Run, but stop at `end`, which lies straight ahead. An exit is baked into
 * what is translated meanwhile, so code near it is killed before and after.
 */
static enum next
start_until(struct cpu_uc *e, uint64_t end, struct cpu_exit *ex)
{
	uint64_t pc = e->loaded->rip;
	enum next next;

	kill_at(e, pc);
	kill_at(e, end);
	uc_ctl_set_exits(e->uc, &end, 1);
	next = start(e, end, ex);
	uc_ctl_set_exits(e->uc, &end, 0);
	kill_at(e, pc);
	kill_at(e, end);
	return next;
}

/* Exactly one instruction; a transfer of control is stopped by the next
 * block's hook. */
static enum next
step(struct cpu_uc *e, unsigned length, struct cpu_exit *ex)
{
	enum next next;

	e->run.step = STEP_ARMED; /* and no grant: every block is looked at */
	next = start_until(e, e->loaded->rip + length, ex);
	e->run.step = STEP_OFF;
	return next;
}

/*
 * The block at the program counter runs over the end of its page, and the
 * next page cannot be fetched: run what lies wholly in this page, then take
 * the fault.
 */
static enum next
run_to_page_end(struct cpu_uc *e, struct cpu_exit *ex)
{
	uint64_t pc = e->loaded->rip, at = pc;
	uint64_t page_end = (pc & ~(uint64_t)PAGE_MASK) + PAGE_SIZE;
	uint8_t code[CPU_INSN_MAX];
	enum next next = RUN_AGAIN;

	while (at < page_end) {
		size_t n = page_end - at < sizeof(code) ? page_end - at :
							  sizeof(code);
		struct cpu_insn in;

		n = cpu_blocks_read(e->blocks, e->run.as, at, code, n);
		if (n == 0)
			break;
		cpu_decode(e->decoder, &e->costs, code, n, &in);
		if (in.flags & CPU_INSN_BAD)
			break;
		at += in.length;
	}
	if (at != pc)
		next = start_until(e, at, ex);
	if (next == RUN_AGAIN && e->loaded->rip == pc)
		return exit_fault(e, e->run.refused_va, ex);
	return next;
}

/*
 * RCL and RCR change the carry before they store: if the load can be made
 * and the store cannot, the instruction restarts with the wrong carry. So
 * its operand must be writable before it starts.
 */
static bool
writable_all(struct cpu_uc *e, const uint8_t *code, size_t n,
    struct cpu_exit *ex)
{
	struct cpu_operand ops[4];
	struct cpu_regs regs;
	unsigned count;

	cpu_get_regs(&e->pub, e->loaded, &regs);
	count = cpu_decode_operands(e->decoder, code, n, &regs, ops);
	for (unsigned i = 0; i < count; i++) {
		uint64_t va = ops[i].va, end = va + ops[i].size;

		for (; ops[i].write && va < end;
		    va = (va & ~(uint64_t)PAGE_MASK) + PAGE_SIZE) {
			pte_t *pte = va < CPU_USER_TOP ?
			    pmap_pte(e->run.pmap, va) :
			    NULL;

			if (pte != NULL &&
			    (*pte & (PTE_V | PTE_RW)) == (PTE_V | PTE_RW))
				continue;
			ex->kind = CPU_EXIT_FAULT;
			ex->va = va;
			ex->access = VM_PROT_WRITE;
			return false;
		}
	}
	return true;
}

/* The instruction at the program counter must be run, or refused, alone. */
static enum next
single(struct cpu_uc *e, struct cpu_exit *ex)
{
	uint8_t code[CPU_INSN_MAX];
	size_t n = cpu_blocks_read(e->blocks, e->run.as, e->loaded->rip, code,
	    sizeof(code));
	struct cpu_insn in;

	if (n == 0)
		return start(e, 0, ex); /* gives the fault */
	cpu_decode(e->decoder, &e->costs, code, n, &in);
	if (in.flags & CPU_INSN_UD)
		return exit_trap(ex, CPU_TRAP_UD);
	if (in.flags & CPU_INSN_GP)
		return exit_trap(ex, CPU_TRAP_GP);
	if ((in.flags & CPU_INSN_RMW_CARRY) && !writable_all(e, code, n, ex))
		return RUN_EXIT;
	return step(e, in.length, ex);
}

static bool
run_begin(struct cpu_uc *e, struct cpu_context *c, struct pmap *pmap,
    uint64_t limit)
{
	struct cpu_run *r = &e->run;
	uint64_t gen = mmu_tlb_gen(e->mmu);

	cpu_context_load(e, c);
	r->as = cpu_space_get(e->blocks, pmap);
	if (r->as == NULL)
		return false;
	r->pmap = pmap;
	r->space_tag = cpu_space_tag(e->blocks, r->as);
	r->limit = limit;
	r->cycles = r->instructions = r->counted = 0;
	r->fast = r->granted = 0;
	r->last = 0;
	r->step = STEP_OFF;
	if (gen != e->mmu_gen || pmap_id(pmap) != e->tlb_space ||
	    e->tlb_fills > TLB_FILLS_MAX)
		e->tlb_stale = true;
	e->mmu_gen = gen;
	e->tlb_space = pmap_id(pmap);
	return true;
}

static void
cpu_run(struct cpu_engine *pub, struct cpu_context *c, struct pmap *pmap,
    uint64_t limit, struct cpu_exit *ex)
{
	struct cpu_uc *e = cpu_uc(pub);
	struct cpu_run *r = &e->run;
	enum next next;

	memset(ex, 0, sizeof(*ex));
	if (!run_begin(e, c, pmap, limit)) {
		ex->kind = CPU_EXIT_ERROR;
		snprintf(ex->text, sizeof(ex->text),
		    "out of host memory for an address space");
		return;
	}
	next = start(e, 0, ex);
	while (next == RUN_AGAIN) {
		if (r->stop == STOP_SPECIAL || r->refused == FILL_SELF)
			next = single(e, ex);
		else if (second_page_missing(e))
			next = run_to_page_end(e, ex);
		else
			next = start(e, 0, ex);
	}
	ex->cycles = r->cycles;
	ex->instructions = r->instructions;
	if (e->count_check && r->counted != r->instructions &&
	    ex->kind != CPU_EXIT_ERROR) {
		ex->kind = CPU_EXIT_ERROR;
		snprintf(ex->text, sizeof(ex->text),
		    "counted %llu instructions, by blocks %llu, before %#llx",
		    (unsigned long long)r->counted,
		    (unsigned long long)r->instructions,
		    (unsigned long long)c->rip);
	}
}

/*
 * Executable mappings changed. The page tables say so themselves (their
 * owner makes the TLB stale) and the next fetch compares contents, so there
 * is nothing to forget; the flush is for callers who changed bytes only.
 */
static void
cpu_code_changed(struct cpu_engine *pub, struct pmap *pmap)
{
	cpu_uc(pub)->tlb_stale = true;
}

static void
cpu_pmap_gone(struct cpu_engine *pub, struct pmap *pmap)
{
	struct cpu_uc *e = cpu_uc(pub);

	if (e->tlb_space == pmap_id(pmap))
		e->tlb_space = 0;
	cpu_space_drop(e->blocks, pmap);
}

/* ------------------------------------------------------------- creation */

static const struct mmu_cpu_ops no_cpu_ops = { .kill_code = NULL };

static void
cpu_destroy(struct cpu_engine *pub)
{
	struct cpu_uc *e = cpu_uc(pub);

	mmu_set_cpu_ops(e->mmu, &no_cpu_ops, NULL);
	if (e->base.saved != NULL)
		uc_context_free(e->base.saved);
	if (e->uc != NULL)
		uc_close(e->uc);
	cpu_blocks_free(e->blocks);
	cpu_decoder_free(e->decoder);
	free(e);
}

static const struct cpu_engine_ops cpu_uc_ops = {
	.name = "unicorn",
	.destroy = cpu_destroy,
	.context_new = cpu_context_new,
	.context_clone = cpu_context_clone,
	.context_free = cpu_context_free,
	.get_regs = cpu_get_regs,
	.set_regs = cpu_set_regs,
	.get_fpu = cpu_get_fpu,
	.set_fpu = cpu_set_fpu,
	.run = cpu_run,
	.code_changed = cpu_code_changed,
	.pmap_gone = cpu_pmap_gone,
};

/* Rule 2's order, up to the hooks. */
static uc_err
engine_open(struct cpu_uc *e, uint32_t code_buffer_mb)
{
	uint64_t ram = (uint64_t)mmu_frames(e->mmu) << PAGE_SHIFT;
	uc_err err = uc_open(UC_ARCH_X86, UC_MODE_64, &e->uc);

	if (err == UC_ERR_OK)
		err = uc_ctl_set_cpu_model(e->uc, UC_CPU_X86_WESTMERE);
	if (err == UC_ERR_OK)
		err = uc_ctl_set_tcg_buffer_size(e->uc,
		    code_buffer_mb << 20);
	if (err == UC_ERR_OK)
		err = uc_ctl_tlb_mode(e->uc, UC_TLB_VIRTUAL);
	if (err == UC_ERR_OK)
		err = uc_mem_map_ptr(e->uc, 0, ram, UC_PROT_ALL,
		    mmu_ram(e->mmu));
	return err;
}

static uc_err
engine_hook(struct cpu_uc *e, int type, void *callback, int insn)
{
	uc_hook hook;

	return uc_hook_add(e->uc, &hook, type, callback, e, 1, 0, insn);
}

/* The API takes callbacks of every type as object pointers. */
#define CALLBACK(fn) ((void *)(uintptr_t)(fn))

static uc_err
engine_hooks(struct cpu_uc *e)
{
	uc_err err = engine_hook(e, UC_HOOK_TLB_FILL, CALLBACK(cpu_fill), 0);

	if (err == UC_ERR_OK)
		err = engine_hook(e, UC_HOOK_BLOCK, CALLBACK(cpu_block), 0);
	if (err == UC_ERR_OK)
		err = engine_hook(e, UC_HOOK_INTR, CALLBACK(cpu_intr), 0);
	if (err == UC_ERR_OK)
		err = engine_hook(e, UC_HOOK_INSN_INVALID,
		    CALLBACK(cpu_invalid), 0);
	if (err == UC_ERR_OK)
		err = engine_hook(e, UC_HOOK_INSN, CALLBACK(cpu_syscall),
		    UC_X86_INS_SYSCALL);
	if (err == UC_ERR_OK && e->count_check)
		err = engine_hook(e, UC_HOOK_CODE, CALLBACK(cpu_count), 0);
	if (err == UC_ERR_OK)
		err = uc_ctl_exits_enable(e->uc);
	if (err == UC_ERR_OK)
		err = uc_ctl_flush_tb(e->uc); /* rule 3 */
	return err;
}

static uc_err
msr_write(struct cpu_uc *e, uint32_t number, uint64_t set, uint64_t keep)
{
	uc_x86_msr msr = { .rid = number, .value = 0 };
	uc_err err = uc_reg_read(e->uc, UC_X86_REG_MSR, &msr);

	msr.value = (msr.value & keep) | set;
	return err != UC_ERR_OK ? err :
				  uc_reg_write(e->uc, UC_X86_REG_MSR, &msr);
}

/*
 * Enter CPL 3 as a kernel does: SYSRETQ, from frame 0 through the window. An
 * exit stops before the first user instruction, wherever that is.
 */
static uc_err
engine_cpl3(struct cpu_uc *e)
{
	static const uint8_t sysretq[3] = { 0x48, 0x0f, 0x07 };
	uint64_t user = 0x1000, flags = 0x202, cr0 = 0, cr4 = CR4_USER;
	uint8_t *ram = mmu_ram(e->mmu), keep[sizeof(sysretq)];
	uint16_t cs = 0;
	uc_err err;

	memcpy(keep, ram, sizeof(keep));
	memcpy(ram, sysretq, sizeof(sysretq));
	uc_reg_read(e->uc, UC_X86_REG_CR0, &cr0);
	cr0 |= CR0_SET;
	uc_reg_write(e->uc, UC_X86_REG_CR0, &cr0);
	uc_reg_write(e->uc, UC_X86_REG_CR4, &cr4);
	err = msr_write(e, MSR_STAR, 0x23ull << 48, UINT32_MAX);
	if (err == UC_ERR_OK)
		err = msr_write(e, MSR_EFER, EFER_SCE, UINT64_MAX);
	uc_reg_write(e->uc, UC_X86_REG_RCX, &user);
	uc_reg_write(e->uc, UC_X86_REG_R11, &flags);
	uc_ctl_set_exits(e->uc, &user, 1);
	e->booting = true;
	if (err == UC_ERR_OK)
		err = uc_emu_start(e->uc, CPU_WINDOW, 0, 0, 0);
	code_kill(e, 0);
	e->booting = false;
	uc_ctl_set_exits(e->uc, &user, 0);
	memcpy(ram, keep, sizeof(keep));
	uc_reg_read(e->uc, UC_X86_REG_CS, &cs);
	return err == UC_ERR_OK && cs != CS_USER ? UC_ERR_EXCEPTION : err;
}

static int
engine_create(struct cpu_uc *e, uint32_t code_buffer_mb, struct sim_err *err)
{
	uc_err uerr = engine_open(e, code_buffer_mb);

	if (uerr == UC_ERR_OK)
		uerr = engine_hooks(e);
	if (uerr == UC_ERR_OK)
		uerr = engine_cpl3(e);
	if (uerr == UC_ERR_OK) {
		tlb_flush(e);
		cpu_start_state(e);
		if (cpu_context_init(e, &e->base) != 0)
			uerr = UC_ERR_NOMEM;
		else
			uerr = uc_context_save(e->uc, e->base.saved);
	}
	if (uerr == UC_ERR_OK)
		return 0;
	return sim_err_set(err, uerr == UC_ERR_NOMEM ? ENOMEM : EIO,
	    "cpu: Unicorn cannot be started: %s", uc_strerror(uerr));
}

static int
register_costs(struct cpu_uc *e, struct tunables *ts, struct sim_err *err)
{
	size_t count;
	const struct tunable *rows = cpu_cost_rows(&count);

	for (size_t i = 0; i < count; i++) { /* all are 32 bits wide */
		uint32_t value = (uint32_t)rows[i].def;

		memcpy((char *)&e->costs + rows[i].offset, &value,
		    sizeof(value));
	}
	if (ts != NULL && tunables_register(ts, rows, count, &e->costs) != 0)
		return sim_err_set(err, EEXIST,
		    "cpu: its tunables are registered already");
	return 0;
}

int
cpu_unicorn_create(struct sim *sim, struct mmu *mmu, struct tunables *ts,
    const struct cpu_config *cfg, struct cpu_engine **out, struct sim_err *err)
{
	uint32_t mb = cfg != NULL && cfg->code_buffer_mb != 0 ?
	    cfg->code_buffer_mb :
	    CODE_BUFFER_MB;
	struct cpu_uc *e;
	int error;

	if (uc_version(NULL, NULL) < UC_VERSION_NEEDED)
		return sim_err_set(err, ENOTSUP, "cpu: Unicorn %u.%u.%u is too "
		    "old, 2.1.1 is needed (scripts/setup.sh installs it)",
		    uc_version(NULL, NULL) >> 24,
		    uc_version(NULL, NULL) >> 16 & 0xff,
		    uc_version(NULL, NULL) >> 8 & 0xff);
	e = aligned_alloc(_Alignof(struct cpu_uc), sizeof(*e));
	if (e == NULL)
		return sim_err_set(err, ENOMEM, "cpu: out of memory");
	memset(e, 0, sizeof(*e));
	e->pub.ops = &cpu_uc_ops;
	e->sim = sim;
	e->mmu = mmu;
	e->count_check = cfg != NULL && cfg->count_check;
	e->tlb_gen = 1;
	e->decoder = cpu_decoder_new();
	e->blocks = cpu_blocks_new(mmu, &e->costs, e->decoder, e->hot);
	if (e->decoder == NULL || e->blocks == NULL)
		error = sim_err_set(err, ENOMEM, "cpu: out of memory");
	else
		error = register_costs(e, ts, err);
	if (error == 0) {
		error = engine_create(e, mb, err);
	}
	if (error != 0) {
		cpu_destroy(&e->pub);
		return error;
	}
	mmu_set_cpu_ops(mmu, &cpu_mmu_ops, e);
	*out = &e->pub;
	return 0;
}

void
cpu_unicorn_stats(const struct cpu_engine *pub, struct cpu_stats *st)
{
	*st = ((const struct cpu_uc *)pub)->stats;
	st->blocks_translated =
	    cpu_blocks_decoded(((const struct cpu_uc *)pub)->blocks);
}

/*
 * Unicorn 2.1.1 loses 32 bytes for every engine that has executed; a leak
 * check of ours must not trip over that.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CPU_LEAK_CHECK
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(CPU_LEAK_CHECK)
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libunicorn.so\n";
}
#endif
