/*
 * cpu.h: what drives a user thread. Today Unicorn (sim/cpu_unicorn.c), later
 * a recorded trace; nothing above may assume an emulator.
 *
 * One engine is the simulated processor's core logic: contexts are saved
 * register sets, an address space is the pmap that the fill callback reads.
 * Several simulated CPUs share the one engine (only one executes at a time on
 * the host); an engine never sleeps and never switches threads: it runs a
 * context until something needs the kernel.
 */
#ifndef VMSIM_SIM_CPU_H
#define VMSIM_SIM_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/mmu.h"
#include "sim/base/sim.h"
#include "sim/base/tunables.h"

struct cpu_engine;
struct cpu_context;

enum cpu_exit_kind {
	CPU_EXIT_LIMIT, /* the cycle limit was reached */
	CPU_EXIT_SYSCALL, /* SYSCALL; rip is past the instruction */
	CPU_EXIT_FAULT, /* page fault: va, access */
	CPU_EXIT_TRAP, /* exception: trap, rip on the instruction */
	CPU_EXIT_END, /* a trace's last record */
	CPU_EXIT_ERROR /* the engine failed: text */
};

enum cpu_trap { /* x86 vector numbers */
	CPU_TRAP_DE = 0, /* divide error: SIGFPE */
	CPU_TRAP_DB = 1,
	CPU_TRAP_BP = 3, /* int3: SIGTRAP */
	CPU_TRAP_UD = 6, /* SIGILL */
	CPU_TRAP_SS = 12, /* the stack's address is none: SIGBUS */
	CPU_TRAP_GP = 13, /* SIGSEGV */
	CPU_TRAP_MF = 16,
	CPU_TRAP_AC = 17,
	CPU_TRAP_XM = 19,
	CPU_TRAP_INT80 = 128
};

struct cpu_exit {
	enum cpu_exit_kind kind;
	uint64_t cycles; /* spent in this run */
	uint64_t instructions; /* retired in this run, exact */
	vm_offset_t va; /* FAULT */
	int access; /* FAULT: VM_PROT_READ, _WRITE or _EXECUTE */
	int trap; /* TRAP */
	char text[160]; /* ERROR */
};

/* Integer registers in encoding order: rax rcx rdx rbx rsp rbp rsi rdi r8-15 */
enum { R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI, R_R8, R_R9,
	R_R10, R_R11, R_R12, R_R13, R_R14, R_R15 };
struct cpu_regs {
	uint64_t r[16];
	uint64_t rip, rflags;
	uint64_t fs_base, gs_base;
};

/* What an engine implements. */
struct cpu_engine_ops {
	const char *name; /* "unicorn" */
	void (*destroy)(struct cpu_engine *e);
	/* A context in the state of a freshly executed program, registers 0. */
	struct cpu_context *(*context_new)(struct cpu_engine *e);
	struct cpu_context *(*context_clone)(struct cpu_engine *e,
	    const struct cpu_context *from); /* fork, new thread */
	void (*context_free)(struct cpu_engine *e, struct cpu_context *c);
	void (*get_regs)(struct cpu_engine *e, const struct cpu_context *c,
	    struct cpu_regs *regs);
	void (*set_regs)(struct cpu_engine *e, struct cpu_context *c,
	    const struct cpu_regs *regs);
	/* FXSAVE image (512 bytes), for signal frames. */
	void (*get_fpu)(struct cpu_engine *e, const struct cpu_context *c,
	    void *fx512);
	void (*set_fpu)(struct cpu_engine *e, struct cpu_context *c,
	    const void *fx512);
	/*
	 * Run c in address space `pmap` until an exit; at most `limit` cycles
	 * (stops before the block that would exceed it, so it may stop after
	 * 0 cycles only when the first block alone is dearer than the limit:
	 * then it runs that block).
	 */
	void (*run)(struct cpu_engine *e, struct cpu_context *c,
	    struct pmap *pmap, uint64_t limit, struct cpu_exit *ex);
	/* Executable mappings of pmap changed (exec, munmap, mprotect): drop
	 * its block table. NULL pmap: all. */
	void (*code_changed)(struct cpu_engine *e, struct pmap *pmap);
	void (*pmap_gone)(struct cpu_engine *e, struct pmap *pmap);
};

struct cpu_engine {
	const struct cpu_engine_ops *ops;
};

struct cpu_config {
	uint32_t code_buffer_mb; /* translation buffer; 0: 128 */
	bool count_check; /* count every instruction with UC_HOOK_CODE too and
			     fail on a difference (slow; for tests) */
	uint64_t shake; /* not 0: seed of disturbances that must not matter:
			   stops, flushes, other block ends (for tests) */
};

/*
 * cpu_unicorn_create: an engine over the RAM of `mmu`. Registers the block
 * cost tunables ("cpu.cost.*") in ts when it is not NULL.
 * Errors: -ENOTSUP Unicorn older than 2.1.1, -ENOMEM, -EIO.
 */
int cpu_unicorn_create(struct sim *sim, struct mmu *mmu, struct tunables *ts,
    const struct cpu_config *cfg, struct cpu_engine **out, struct sim_err *err);
struct cpu_stats { /* host-dependent: never into simulated state or database */
	uint64_t fills, tlb_flushes, blocks_translated, starts;
	uint64_t code_kills;
};
void cpu_unicorn_stats(const struct cpu_engine *e, struct cpu_stats *st);

/*
 * cpu_catch_no_memory: from here on, a fault of the emulator for which the host
 * had no memory ends the process with one line and EX_OSERR; the database is
 * left incomplete. Nothing is done where SIGSEGV is somebody's already (ASan).
 */
void cpu_catch_no_memory(void);

#endif
