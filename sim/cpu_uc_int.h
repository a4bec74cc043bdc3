/*
 * cpu_uc_int.h: the Unicorn engine's own structures. Private to
 * cpu_unicorn.c and cpu_uc_regs.c.
 */
#ifndef VMSIM_SIM_CPU_UC_INT_H
#define VMSIM_SIM_CPU_UC_INT_H

#include <unicorn/unicorn.h>

#include "sim/cpu.h"
#include "sim/cpu_blocks.h"
#include "sim/cpu_decode.h"

/* Addresses at and above are frames one to one, for killing code by frame. */
#define CPU_WINDOW 0xffff900000000000ull
#define CPU_USER_TOP (1ull << CPU_PC_BITS)

enum cpu_stop { /* who asked the emulator to stop */
	STOP_NONE,
	STOP_LIMIT, /* block hook: the next block would exceed the limit */
	STOP_SPECIAL, /* block hook: the next block needs single steps */
	STOP_STEP, /* block hook: the one instruction has run */
	STOP_SHAKE, /* block hook: for no reason */
	STOP_SYSCALL,
	STOP_INTR
};

enum cpu_fill { FILL_OK, FILL_FAULT, FILL_SELF }; /* a fill that said no */

enum cpu_step { STEP_OFF, STEP_ARMED, STEP_RAN };

struct cpu_context {
	uc_context *saved; /* valid unless this context is loaded */
	uint64_t rip; /* always here, never trusted in the engine */
};

/*
 * State of the run in progress. The block hook's own fields come first, in
 * one cache line. `fast` holds in its low half the cycles that are left of
 * the last grant and in its high half the instructions since; everything but
 * the hook calls run_sync() before it looks at cycles and instructions.
 */
struct cpu_run {
	uint64_t fast;
	uint64_t space_tag; /* of the address space in the hot table */
	uint64_t last; /* CPU_TAG of the last block begun, 0: none */
	uint32_t granted;
	uint64_t limit; /* cycles */
	uint64_t cycles, instructions; /* so far */
	struct cpu_space *as;
	struct pmap *pmap;
	uint64_t stop_pc;
	enum cpu_stop stop;
	enum cpu_fill refused;
	uint64_t refused_va; /* page address */
	int refused_access; /* VM_PROT_* */
	uint32_t intr; /* vector */
	enum cpu_step step;
	uint64_t counted; /* count_check: instructions by UC_HOOK_CODE */
};

struct cpu_uc {
	struct cpu_engine pub; /* must be first */
	_Alignas(64) struct cpu_run run;
	_Alignas(64) struct cpu_hot hot[CPU_HOT_SIZE];
	struct sim *sim;
	struct mmu *mmu;
	uc_engine *uc;
	struct cpu_costs costs;
	struct cpu_decoder *decoder;
	struct cpu_blocks *blocks;
	struct cpu_context *loaded; /* whose registers are in the engine */
	struct cpu_context base; /* as after exec, before any exception */
	uint32_t tlb_gen; /* counts flushes, never 0 */
	uint64_t mmu_gen; /* mmu_tlb_gen at the last flush */
	uint32_t tlb_space; /* pmap_id of the space that the TLB holds */
	uint32_t tlb_fills; /* since the last flush */
	bool tlb_stale; /* flush before executing */
	bool window_open; /* fills at CPU_WINDOW are answered */
	bool booting; /* any address is frame 0: entering CPL 3 */
	bool count_check, shake;
	struct sim_rng rng; /* of shake */
	struct cpu_stats stats;
};

static inline struct cpu_uc *
cpu_uc(struct cpu_engine *e)
{
	return (struct cpu_uc *)e;
}

/* ---- cpu_uc_mem.c ---- */

extern const struct mmu_cpu_ops cpu_mmu_ops;
void cpu_tlb_flush(struct cpu_uc *e);
/* Drop whatever was translated from a frame; leaves the TLB stale. */
void cpu_code_kill(struct cpu_uc *e, pfn_t pfn);
/* The same for the blocks that begin, end or go on at va. */
void cpu_code_cut(struct cpu_uc *e, uint64_t va);
bool cpu_fill(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *out,
    void *user);

/* ---- cpu_unicorn.c: hooks and runs ---- */

void cpu_block(uc_engine *uc, uint64_t pc, uint32_t size, void *user);
void cpu_syscall(uc_engine *uc, void *user);
void cpu_intr(uc_engine *uc, uint32_t vector, void *user);
bool cpu_invalid(uc_engine *uc, void *user);
void cpu_count(uc_engine *uc, uint64_t pc, uint32_t size, void *user);
void cpu_run(struct cpu_engine *pub, struct cpu_context *c, struct pmap *pmap,
    uint64_t limit, struct cpu_exit *ex);
void cpu_code_changed(struct cpu_engine *pub, struct pmap *pmap);
void cpu_pmap_gone(struct cpu_engine *pub, struct pmap *pmap);

/* ---- cpu_uc_regs.c ---- */

int cpu_context_init(struct cpu_uc *e, struct cpu_context *c);
/* Put c's registers into the engine. */
void cpu_context_load(struct cpu_uc *e, struct cpu_context *c);
struct cpu_context *cpu_context_new(struct cpu_engine *pub);
struct cpu_context *cpu_context_clone(struct cpu_engine *pub,
    const struct cpu_context *from);
void cpu_context_free(struct cpu_engine *pub, struct cpu_context *c);
void cpu_get_regs(struct cpu_engine *pub, const struct cpu_context *c,
    struct cpu_regs *regs);
void cpu_set_regs(struct cpu_engine *pub, struct cpu_context *c,
    const struct cpu_regs *regs);
void cpu_get_fpu(struct cpu_engine *pub, const struct cpu_context *c,
    void *fx512);
void cpu_set_fpu(struct cpu_engine *pub, struct cpu_context *c,
    const void *fx512);
/* Forget the exception memory (rule 11); the registers stay. */
void cpu_exception_reset(struct cpu_uc *e);
/* Does the x87 instruction 0xd9 `op` in place of the emulator. */
void cpu_x87_run(struct cpu_uc *e, uint8_t op);
/* The state of a fresh program: FPU control words, all else 0. */
void cpu_start_state(struct cpu_uc *e);

#endif
