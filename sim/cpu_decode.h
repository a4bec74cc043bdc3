/*
 * cpu_decode.h: what the engine asks of an instruction decoder, and the cost
 * model built on it. Only cpu_decode.c includes Zydis.
 */
#ifndef VMSIM_SIM_CPU_DECODE_H
#define VMSIM_SIM_CPU_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/base/tunables.h"
#include "sim/cpu.h"

#define CPU_INSN_MAX 15 /* bytes in the longest x86 instruction */

/*
 * The cost model: an in-order core of one instruction per `base` cycles, to
 * which the class of the instruction and each of its memory operands add.
 *
 *	cycles = base + class + load * (operands read from memory)
 *	       + store * (operands written to memory) [+ locked]
 *
 * Costs are whole cycles and add up over instructions whatever blocks they
 * are delivered in, so a fault in mid-block, a pre-emption or another host's
 * block boundaries cannot change a sum. An iteration of a REP instruction is
 * one instruction, and so is the final test of RCX = 0. Caches are not
 * modelled: load and store are those of first-level hits, overlapped as on
 * an average core; what the model is exact about is memory management, whose
 * costs (vm.cost.*) dwarf these.
 *
 * X(symbol, name, extra cycles, what it covers)
 */
#define CPU_COSTS(X)                                                          \
	X(BASE, "base", 1, "every instruction, REP iterations included")      \
	X(LOAD, "load", 1, "each operand read from memory, added")            \
	X(STORE, "store", 1, "each operand written to memory, added")         \
	X(ALU, "alu", 0, "moves, arithmetic, logic, shifts, flags, added")    \
	X(NOP, "nop", 0, "no-operations, prefetches, end-branch marks, added") \
	X(MUL, "mul", 2, "integer multiplication, added")                     \
	X(DIV, "div", 20, "integer division up to 32 bits, added")            \
	X(DIV64, "div64", 34, "integer division of 64 bits, added")           \
	X(BRANCH, "branch", 1, "conditional branches, added (average)")       \
	X(JUMP, "jump", 0, "direct jumps, added")                             \
	X(INDIRECT, "indirect", 3, "indirect jumps and calls, added")         \
	X(CALL, "call", 0, "direct calls, added to the store")                \
	X(RET, "ret", 0, "returns, added to the load")                        \
	X(STRING, "string", 0, "string instructions, per iteration, added")   \
	X(SSE, "sse", 0, "SSE integer, logic and moves, added")               \
	X(SSE_FP, "sse_fp", 3, "SSE floating point and conversions, added")   \
	X(SSE_DIV, "sse_div", 14, "SSE division and square root, added")      \
	X(CRYPTO, "crypto", 3, "AES, carry-less multiply, CRC32, added")      \
	X(X87, "x87", 3, "x87 moves and arithmetic, added")                   \
	X(X87_SLOW, "x87_slow", 20, "x87 division, square root, BCD, added")  \
	X(X87_TRANS, "x87_trans", 80, "x87 transcendentals, added")           \
	X(LOCKED, "locked", 18, "locked operations and XCHG, added")          \
	X(FENCE, "fence", 30, "fences and serialising stores, added")         \
	X(TSC, "tsc", 24, "reading the time-stamp counter, added")            \
	X(CPUID, "cpuid", 100, "CPUID, added")                                \
	X(SYSTEM, "system", 20, "other system instructions, added")           \
	X(SYSCALL, "syscall", 0, "SYSCALL itself (the kernel charges entry)")

enum cpu_cost_class {
#define CPU_COST_ENUM(sym, name, def, help) CPU_COST_##sym,
	CPU_COSTS(CPU_COST_ENUM)
#undef CPU_COST_ENUM
	    CPU_COST_COUNT
};

struct cpu_costs {
	uint32_t cycles[CPU_COST_COUNT];
	int32_t strict_isa; /* cpu.strict_isa */
};

/* Rows for tunables_register; all TUN_BOOT, because counts are cached. */
const struct tunable *cpu_cost_rows(size_t *count);

enum cpu_insn_flags {
	CPU_INSN_ENDS = 1, /* transfers control: ends a block on every host */
	CPU_INSN_BAD = 2, /* not decodable: one instruction of unknown length */
	CPU_INSN_UD = 4, /* must raise #UD although the emulator runs it */
	CPU_INSN_GP = 8, /* must raise #GP although the emulator runs it */
	CPU_INSN_RMW_CARRY = 16, /* RCL/RCR on memory: not restartable */
	CPU_INSN_X87 = 32, /* one that cpu_x87.c does */
	/* what may not run as a part of a block */
	CPU_INSN_SPECIAL = CPU_INSN_UD | CPU_INSN_GP | CPU_INSN_RMW_CARRY |
	    CPU_INSN_X87,
};

struct cpu_insn {
	uint8_t length;
	uint8_t flags;
	uint32_t cycles;
};

struct cpu_decoder; /* Zydis's */
struct cpu_decoder *cpu_decoder_new(void);
void cpu_decoder_free(struct cpu_decoder *d);

/* Decode one instruction from at most n bytes, n > 0. */
void cpu_decode(const struct cpu_decoder *d, const struct cpu_costs *costs,
    const uint8_t *code, size_t n, struct cpu_insn *out);

/* One memory operand's place. */
struct cpu_operand {
	uint64_t va;
	uint32_t size;
	bool read, write;
	bool stack; /* addressed through SS: RSP, RBP, pushes and pops */
};
/*
 * The memory operands of the instruction at regs->rip, as addressed with
 * these registers. Returns their number (at most 4), 0 when undecodable.
 */
unsigned cpu_decode_operands(const struct cpu_decoder *d, const uint8_t *code,
    size_t n, const struct cpu_regs *regs, struct cpu_operand ops[4]);

#endif
