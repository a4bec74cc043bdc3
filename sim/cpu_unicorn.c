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
#include <stdio.h>
#include <string.h>

#include "sim/cpu_uc_int.h"

/* The emulator's TLB grows at a flush only: so many fills say it is too small
 * (section 7). No effect on anything simulated. */
#define TLB_FILLS_MAX 65536u
#define GRANT_MAX 0x7fffffffu /* cycles the hook counts by itself */
#define SHAKE_CYCLES 20000u /* from one disturbance to the next, at most */

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
run_grant(struct cpu_uc *e)
{
	struct cpu_run *r = &e->run;
	uint64_t left = r->limit > r->cycles ? r->limit - r->cycles : 0;

	if (e->shake && left > SHAKE_CYCLES)
		left = sim_rng_below(&e->rng, SHAKE_CYCLES);
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
	if (e->shake && r->step == STEP_OFF &&
	    sim_rng_below(&e->rng, 16) == 0) {
		cpu_stop(e, STOP_SHAKE, pc);
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
		run_grant(e);
	else
		r->step = STEP_RAN;
}

/*
 * Called before every block: the dearest lines of the simulator. Rule 10: a
 * stop here leaves the block unrun, and its hook will be called again.
 */
__attribute__((hot, aligned(64))) void
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

void
cpu_syscall(uc_engine *uc, void *user)
{
	cpu_stop(user, STOP_SYSCALL, 0);
}

void
cpu_intr(uc_engine *uc, uint32_t vector, void *user)
{
	struct cpu_uc *e = user;

	if (e->run.stop == STOP_SYSCALL)
		return; /* the trap flag, after the system call */
	e->run.intr = vector;
	cpu_stop(e, STOP_INTR, 0);
}

bool
cpu_invalid(uc_engine *uc, void *user)
{
	return false; /* ends the run with UC_ERR_INSN_INVALID */
}

/* count_check: the emulator's own count of every instruction. */
void
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
 * operands' bytes in the refused page; and whether it is the stack's. */
static uint64_t
fault_va(struct cpu_uc *e, uint64_t rip, bool *stack)
{
	struct cpu_run *r = &e->run;
	uint64_t page = r->refused_va, best = UINT64_MAX;
	uint8_t code[CPU_INSN_MAX];
	struct cpu_operand ops[4];
	struct cpu_regs regs;
	size_t n = cpu_blocks_read(e->blocks, r->as, rip, code, sizeof(code));
	unsigned count;

	*stack = false;
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
		if ((first & ~(uint64_t)PAGE_MASK) != page || first >= best)
			continue;
		best = first;
		*stack = ops[i].stack;
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
exit_fault(struct cpu_uc *e, uint64_t va, bool stack, struct cpu_exit *ex)
{
	/* not an address at all: as on hardware no page fault */
	if (va >= CPU_USER_TOP && va < 0 - CPU_USER_TOP)
		return exit_trap(ex, stack ? CPU_TRAP_SS : CPU_TRAP_GP);
	ex->kind = CPU_EXIT_FAULT;
	ex->va = va;
	ex->access = e->run.refused_access;
	return RUN_EXIT;
}

static enum next
after_fault(struct cpu_uc *e, uint64_t rip, uc_err err, struct cpu_exit *ex)
{
	uint64_t va;
	bool stack;

	if (e->run.refused_access == VM_PROT_EXECUTE)
		return second_page_missing(e) ? RUN_AGAIN :
						exit_fault(e, rip, false, ex);
	va = fault_va(e, rip, &stack);
	if (!rewind_faulted(e, rip))
		return exit_error(e, ex, "fault outside its block", err);
	return exit_fault(e, va, stack, ex);
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
	    r->stop == STOP_STEP || r->stop == STOP_SHAKE) {
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
		cpu_tlb_flush(e);
	r->stop = STOP_NONE;
	r->refused = FILL_OK;
	e->stats.starts++;
	if (r->step == STEP_OFF)
		run_grant(e);
	err = uc_emu_start(e->uc, e->loaded->rip, 0, 0, 0);
	run_sync(r);
	return after_start(e, err, step_end, ex);
}

/*
 * Run, but stop at `end`, which lies straight ahead. An exit is baked into
 * what is translated meanwhile, so code around it is dropped before and after.
 */
static enum next
start_until(struct cpu_uc *e, uint64_t end, struct cpu_exit *ex)
{
	enum next next;

	cpu_code_cut(e, end);
	uc_ctl_set_exits(e->uc, &end, 1);
	next = start(e, end, ex);
	uc_ctl_set_exits(e->uc, &end, 0);
	cpu_code_cut(e, end);
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
	if (at == pc || (next == RUN_AGAIN && e->loaded->rip == pc &&
	    second_page_missing(e)))
		return exit_fault(e, e->run.refused_va, false, ex);
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

/* One of cpu_x87.c's: 0xd9 and another byte, behind prefixes. */
static enum next
execute_x87(struct cpu_uc *e, const uint8_t *code, const struct cpu_insn *in)
{
	struct cpu_run *r = &e->run;

	cpu_x87_run(e, code[in->length - 1]);
	r->cycles += in->cycles;
	r->instructions++;
	r->counted++;
	r->last = 0;
	r->stop = STOP_NONE;
	r->refused = FILL_OK;
	e->loaded->rip += in->length;
	return RUN_AGAIN;
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
	if (in.flags & CPU_INSN_X87)
		return execute_x87(e, code, &in);
	if ((in.flags & CPU_INSN_RMW_CARRY) && !writable_all(e, code, n, ex))
		return RUN_EXIT;
	return step(e, in.length, ex);
}

/* Up to `most` instructions from the program counter straight ahead, to the
 * first that ends a block or is special. */
static uint64_t
straight_ahead(struct cpu_uc *e, uint64_t most)
{
	uint64_t at = e->loaded->rip;
	uint8_t code[CPU_INSN_MAX];
	struct cpu_insn in;

	for (uint64_t i = 0; i < most; i++) {
		size_t n = cpu_blocks_read(e->blocks, e->run.as, at, code,
		    sizeof(code));

		if (n == 0)
			break;
		cpu_decode(e->decoder, &e->costs, code, n, &in);
		if (in.flags &
		    (CPU_INSN_BAD | CPU_INSN_ENDS | CPU_INSN_SPECIAL))
			break;
		at += in.length;
	}
	return at;
}

/* The block ahead has a special instruction: run up to it, then do it. */
static enum next
run_special(struct cpu_uc *e, struct cpu_exit *ex)
{
	uint64_t at = straight_ahead(e, UINT64_MAX);

	if (at != e->loaded->rip) {
		enum next next = start_until(e, at, ex);

		if (next != RUN_AGAIN || e->loaded->rip != at)
			return next;
	}
	return single(e, ex);
}

/*
 * What another host could do at any time: translate anew, find its TLB empty,
 * forget what blocks cost, cut a block somewhere else. All but the last only
 * between runs of the emulator; STOP_SHAKE makes more of these. The dear ones
 * are rare.
 */
static enum next
go_on(struct cpu_uc *e, struct cpu_exit *ex)
{
	uint64_t dice, at;

	if (!e->shake)
		return start(e, 0, ex);
	dice = sim_rng_below(&e->rng, 512);
	if (dice == 0) {
		uc_ctl_flush_tb(e->uc);
	} else if (dice == 1) {
		cpu_blocks_forget(e->blocks);
		e->run.space_tag = cpu_space_tag(e->blocks, e->run.as);
	} else if (dice < 128) {
		e->tlb_stale = true;
	} else if (dice < 192) {
		at = straight_ahead(e, 1 + sim_rng_below(&e->rng, 30));
		if (at != e->loaded->rip)
			return start_until(e, at, ex);
	}
	return start(e, 0, ex);
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

void
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
	next = go_on(e, ex);
	while (next == RUN_AGAIN) {
		if (r->refused == FILL_SELF)
			next = single(e, ex);
		else if (r->stop == STOP_SPECIAL)
			next = run_special(e, ex);
		else if (second_page_missing(e))
			next = run_to_page_end(e, ex);
		else
			next = go_on(e, ex);
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
void
cpu_code_changed(struct cpu_engine *pub, struct pmap *pmap)
{
	cpu_uc(pub)->tlb_stale = true;
}

void
cpu_pmap_gone(struct cpu_engine *pub, struct pmap *pmap)
{
	struct cpu_uc *e = cpu_uc(pub);

	if (e->tlb_space == pmap_id(pmap))
		e->tlb_space = 0;
	cpu_space_drop(e->blocks, pmap);
}
