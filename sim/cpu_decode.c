/*
 * cpu_decode.c: instruction lengths, classes and memory operands, from Zydis.
 *
 * Interface: cpu_decode.h.
 * Source: Unicorn notes sections 3, 4 and 8 (counting, VEX forms, IN and OUT,
 * RCL and RCR on memory); costs are our own, see cpu_decode.h.
 * Differs: decodes as the emulator does where that is not what every
 * processor does (operand-size prefixes on near branches: AMD's way).
 */
#include "sim/cpu_decode.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>

struct cpu_decoder {
	ZydisDecoder zydis;
};

#define COST_ROW(sym, label, deflt, text)                               \
	{                                                               \
		.name = "cpu.cost." label, .type = TUN_UINT,            \
		.flags = TUN_BOOT,                                      \
		.offset = offsetof(struct cpu_costs, cycles) +          \
		    CPU_COST_##sym * sizeof(uint32_t),                  \
		.def = deflt, .min = CPU_COST_##sym == CPU_COST_BASE,   \
		.max = 10000, .unit = "cycles", .source = "vmsim",      \
		.help = "cost model: " text                             \
	},

static const struct tunable cost_rows[] = {
	CPU_COSTS(COST_ROW)
	{
		.name = "cpu.strict_isa", .type = TUN_BOOL, .flags = TUN_BOOT,
		.offset = offsetof(struct cpu_costs, strict_isa), .def = 1,
		.min = 0, .max = 1, .unit = "", .source = "vmsim",
		.help = "refuse AVX forms (#UD) and IN/OUT (#GP) that the "
			"emulator would execute and a Westmere user would not"
	},
};

const struct tunable *
cpu_cost_rows(size_t *count)
{
	*count = sizeof(cost_rows) / sizeof(cost_rows[0]);
	return cost_rows;
}

struct cpu_decoder *
cpu_decoder_new(void)
{
	struct cpu_decoder *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	if (ZYAN_FAILED(ZydisDecoderInit(&d->zydis,
	        ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
	    ZYAN_FAILED(ZydisDecoderEnableMode(&d->zydis,
	        ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE))) {
		free(d);
		return NULL;
	}
	return d;
}

void
cpu_decoder_free(struct cpu_decoder *d)
{
	free(d);
}

static bool
is_mem(const ZydisDecodedOperand *op)
{
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	    op->mem.type != ZYDIS_MEMOP_TYPE_AGEN;
}

/* Scalar VEX instructions are left to the emulator's own CPUID check. */
static bool
is_vector_ext(const ZydisDecodedInstruction *in)
{
	if (in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
	    in->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW)
		return false;
	return in->meta.category != ZYDIS_CATEGORY_BMI1 &&
	    in->meta.category != ZYDIS_CATEGORY_BMI2;
}

static bool
is_rep(const ZydisDecodedInstruction *in)
{
	return (in->attributes &
	    (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
	    ZYDIS_ATTRIB_HAS_REPNE)) != 0;
}

static bool
is_own_x87(const ZydisDecodedInstruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_F2XM1:
	case ZYDIS_MNEMONIC_FYL2X:
	case ZYDIS_MNEMONIC_FYL2XP1:
	case ZYDIS_MNEMONIC_FPTAN:
	case ZYDIS_MNEMONIC_FPATAN:
	case ZYDIS_MNEMONIC_FPREM:
	case ZYDIS_MNEMONIC_FPREM1:
	case ZYDIS_MNEMONIC_FSIN:
	case ZYDIS_MNEMONIC_FCOS:
	case ZYDIS_MNEMONIC_FSINCOS:
		return true;
	default:
		return false;
	}
}

/* Flags that decide how the engine may run the instruction. */
static uint8_t
insn_flags(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops,
    bool strict)
{
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_INTERRUPT:
		return CPU_INSN_ENDS;
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
		return strict ? CPU_INSN_GP : 0;
	case ZYDIS_CATEGORY_STRINGOP:
		return is_rep(in) ? CPU_INSN_ENDS : 0;
	case ZYDIS_CATEGORY_X87_ALU:
		return is_own_x87(in) ? CPU_INSN_X87 : 0;
	case ZYDIS_CATEGORY_ROTATE:
		if ((in->mnemonic == ZYDIS_MNEMONIC_RCL ||
		    in->mnemonic == ZYDIS_MNEMONIC_RCR) && is_mem(&ops[0]))
			return CPU_INSN_RMW_CARRY;
		return 0;
	default:
		return strict && is_vector_ext(in) ? CPU_INSN_UD : 0;
	}
}

static enum cpu_cost_class
class_x87(const ZydisDecodedInstruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_FDIV:
	case ZYDIS_MNEMONIC_FDIVP:
	case ZYDIS_MNEMONIC_FDIVR:
	case ZYDIS_MNEMONIC_FDIVRP:
	case ZYDIS_MNEMONIC_FIDIV:
	case ZYDIS_MNEMONIC_FIDIVR:
	case ZYDIS_MNEMONIC_FSQRT:
	case ZYDIS_MNEMONIC_FPREM:
	case ZYDIS_MNEMONIC_FPREM1:
	case ZYDIS_MNEMONIC_FBLD:
	case ZYDIS_MNEMONIC_FBSTP:
		return CPU_COST_X87_SLOW;
	case ZYDIS_MNEMONIC_FSIN:
	case ZYDIS_MNEMONIC_FCOS:
	case ZYDIS_MNEMONIC_FSINCOS:
	case ZYDIS_MNEMONIC_FPTAN:
	case ZYDIS_MNEMONIC_FPATAN:
	case ZYDIS_MNEMONIC_F2XM1:
	case ZYDIS_MNEMONIC_FYL2X:
	case ZYDIS_MNEMONIC_FYL2XP1:
		return CPU_COST_X87_TRANS;
	default:
		return CPU_COST_X87;
	}
}

/* SSE: told apart by what the elements are, and whether it only moves them. */
static enum cpu_cost_class
class_sse(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_DIVPS:
	case ZYDIS_MNEMONIC_DIVPD:
	case ZYDIS_MNEMONIC_DIVSS:
	case ZYDIS_MNEMONIC_DIVSD:
	case ZYDIS_MNEMONIC_SQRTPS:
	case ZYDIS_MNEMONIC_SQRTPD:
	case ZYDIS_MNEMONIC_SQRTSS:
	case ZYDIS_MNEMONIC_SQRTSD:
		return CPU_COST_SSE_DIV;
	case ZYDIS_MNEMONIC_CRC32:
		return CPU_COST_CRYPTO;
	case ZYDIS_MNEMONIC_LFENCE:
	case ZYDIS_MNEMONIC_MFENCE:
	case ZYDIS_MNEMONIC_SFENCE:
		return CPU_COST_FENCE;
	default:
		break;
	}
	if (in->operand_count_visible == 0)
		return CPU_COST_SYSTEM;
	if (ops[0].element_type == ZYDIS_ELEMENT_TYPE_FLOAT32 ||
	    ops[0].element_type == ZYDIS_ELEMENT_TYPE_FLOAT64)
		return CPU_COST_SSE_FP;
	return CPU_COST_SSE;
}

static enum cpu_cost_class
class_binary(const ZydisDecodedInstruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_MUL:
	case ZYDIS_MNEMONIC_IMUL:
		return CPU_COST_MUL;
	case ZYDIS_MNEMONIC_DIV:
	case ZYDIS_MNEMONIC_IDIV:
		return in->operand_width == 64 ? CPU_COST_DIV64 : CPU_COST_DIV;
	default:
		return CPU_COST_ALU;
	}
}

/* An indirect transfer names its target by a register or memory operand. */
static bool
is_indirect(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
	return in->operand_count_visible > 0 &&
	    ops[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

static enum cpu_cost_class
class_misc(const ZydisDecodedInstruction *in)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_CPUID:
		return CPU_COST_CPUID;
	case ZYDIS_MNEMONIC_LFENCE:
	case ZYDIS_MNEMONIC_MFENCE:
	case ZYDIS_MNEMONIC_SFENCE:
	case ZYDIS_MNEMONIC_CLFLUSH:
		return CPU_COST_FENCE;
	case ZYDIS_MNEMONIC_LEA:
	case ZYDIS_MNEMONIC_XLAT:
	case ZYDIS_MNEMONIC_LEAVE:
	case ZYDIS_MNEMONIC_ENTER:
		return CPU_COST_ALU;
	case ZYDIS_MNEMONIC_PAUSE:
		return CPU_COST_NOP;
	default:
		return CPU_COST_SYSTEM;
	}
}

static enum cpu_cost_class
insn_class(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
	if (in->mnemonic == ZYDIS_MNEMONIC_RDTSC ||
	    in->mnemonic == ZYDIS_MNEMONIC_RDTSCP)
		return CPU_COST_TSC;
	switch (in->meta.category) {
	case ZYDIS_CATEGORY_BINARY:
		return class_binary(in);
	case ZYDIS_CATEGORY_COND_BR:
		return CPU_COST_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return is_indirect(in, ops) ? CPU_COST_INDIRECT :
					      CPU_COST_JUMP;
	case ZYDIS_CATEGORY_CALL:
		return is_indirect(in, ops) ? CPU_COST_INDIRECT :
					      CPU_COST_CALL;
	case ZYDIS_CATEGORY_RET:
		return CPU_COST_RET;
	case ZYDIS_CATEGORY_STRINGOP:
		return CPU_COST_STRING;
	case ZYDIS_CATEGORY_NOP:
	case ZYDIS_CATEGORY_WIDENOP:
	case ZYDIS_CATEGORY_PREFETCH:
	case ZYDIS_CATEGORY_CET:
		return CPU_COST_NOP;
	case ZYDIS_CATEGORY_CONVERT:
		/* CBW and its kin share the category with CVTSI2SD */
		return in->meta.isa_set == ZYDIS_ISA_SET_I86 ||
			in->meta.isa_set == ZYDIS_ISA_SET_I386 ||
			in->meta.isa_set == ZYDIS_ISA_SET_LONGMODE ?
		    CPU_COST_ALU :
		    CPU_COST_SSE_FP;
	case ZYDIS_CATEGORY_SSE:
	case ZYDIS_CATEGORY_STTNI:
		return class_sse(in, ops);
	case ZYDIS_CATEGORY_MMX:
	case ZYDIS_CATEGORY_LOGICAL_FP:
	case ZYDIS_CATEGORY_BLEND:
		return CPU_COST_SSE;
	case ZYDIS_CATEGORY_AES:
	case ZYDIS_CATEGORY_PCLMULQDQ:
		return CPU_COST_CRYPTO;
	case ZYDIS_CATEGORY_X87_ALU:
	case ZYDIS_CATEGORY_FCMOV:
		return class_x87(in);
	case ZYDIS_CATEGORY_MISC:
		return class_misc(in);
	case ZYDIS_CATEGORY_SYSCALL:
		return CPU_COST_SYSCALL;
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
	case ZYDIS_CATEGORY_SEGOP:
	case ZYDIS_CATEGORY_XSAVE:
		return CPU_COST_SYSTEM;
	default:
		return CPU_COST_ALU;
	}
}

static bool
is_locked(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops)
{
	if (in->attributes & ZYDIS_ATTRIB_HAS_LOCK)
		return true;
	return in->mnemonic == ZYDIS_MNEMONIC_XCHG &&
	    (is_mem(&ops[0]) || is_mem(&ops[1]));
}

static uint32_t
insn_cycles(const struct cpu_costs *costs, const ZydisDecodedInstruction *in,
    const ZydisDecodedOperand *ops)
{
	const uint32_t *c = costs->cycles;
	uint32_t cycles = c[CPU_COST_BASE] + c[insn_class(in, ops)];

	for (unsigned i = 0; i < in->operand_count; i++) {
		if (!is_mem(&ops[i]))
			continue;
		if (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ)
			cycles += c[CPU_COST_LOAD];
		if (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			cycles += c[CPU_COST_STORE];
	}
	if (is_locked(in, ops))
		cycles += c[CPU_COST_LOCKED];
	return cycles;
}

void
cpu_decode(const struct cpu_decoder *d, const struct cpu_costs *costs,
    const uint8_t *code, size_t n, struct cpu_insn *out)
{
	ZydisDecodedInstruction in;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];

	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&d->zydis, code, n, &in, ops))) {
		out->length = n < CPU_INSN_MAX ? (uint8_t)n : CPU_INSN_MAX;
		out->flags = CPU_INSN_BAD;
		out->cycles = costs->cycles[CPU_COST_BASE];
		return;
	}
	out->length = in.length;
	out->flags = insn_flags(&in, ops, costs->strict_isa != 0);
	out->cycles = insn_cycles(costs, &in, ops);
}

/* ------------------------------------------------------ memory operands */

static uint64_t
reg_value(const struct cpu_regs *regs, ZydisRegister reg, uint64_t next_rip)
{
	ZydisRegister full;
	ZyanI8 id;

	if (reg == ZYDIS_REGISTER_NONE)
		return 0;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return next_rip;
	full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
	    reg);
	id = ZydisRegisterGetId(full);
	return id < 0 || id > 15 ? 0 : regs->r[id];
}

/* BT and its kin with a register operand address beyond the operand. */
static int64_t
bit_offset(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *ops,
    const struct cpu_regs *regs)
{
	int64_t bit;

	if (in->meta.category != ZYDIS_CATEGORY_BITBYTE ||
	    in->operand_count_visible < 2 || !is_mem(&ops[0]) ||
	    ops[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
		return 0;
	bit = (int64_t)reg_value(regs, ops[1].reg.value, 0);
	if (ops[1].size == 16)
		bit = (int16_t)bit;
	else if (ops[1].size == 32)
		bit = (int32_t)bit;
	/* arithmetic division rounding down */
	bit = bit >= 0 ? bit / ops[1].size :
			 -((ops[1].size - 1 - bit) / ops[1].size);
	return bit * (ops[1].size / 8);
}

static uint64_t
operand_va(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op,
    const struct cpu_regs *regs)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	uint64_t next = regs->rip + in->length;
	uint64_t va = reg_value(regs, m->base, next) +
	    reg_value(regs, m->index, next) * m->scale;

	if (m->disp.has_displacement)
		va += (uint64_t)m->disp.value;
	if (in->address_width == 32)
		va = (uint32_t)va;
	if (m->segment == ZYDIS_REGISTER_FS)
		va += regs->fs_base;
	else if (m->segment == ZYDIS_REGISTER_GS)
		va += regs->gs_base;
	/* a push: the decoder names the stack pointer before it moves */
	if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	    m->base == ZYDIS_REGISTER_RSP &&
	    (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
		va -= op->size / 8;
	return va;
}

unsigned
cpu_decode_operands(const struct cpu_decoder *d, const uint8_t *code, size_t n,
    const struct cpu_regs *regs, struct cpu_operand out[4])
{
	ZydisDecodedInstruction in;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	unsigned count = 0;

	if (ZYAN_FAILED(ZydisDecoderDecodeFull(&d->zydis, code, n, &in, ops)))
		return 0;
	for (unsigned i = 0; i < in.operand_count && count < 4; i++) {
		struct cpu_operand *o = &out[count];

		if (!is_mem(&ops[i]))
			continue;
		o->va = operand_va(&in, &ops[i], regs);
		if (i == 0)
			o->va += (uint64_t)bit_offset(&in, ops, regs);
		o->size = ops[i].size / 8;
		o->stack = ops[i].mem.segment == ZYDIS_REGISTER_SS;
		o->read =
		    (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0;
		o->write =
		    (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
		count++;
	}
	return count;
}
