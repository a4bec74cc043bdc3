/*
 * The processor: exceptions, the time-stamp counter, refused instructions,
 * and code that changes under way.
 * Method: guest programs on a kernel in miniature (cpu_rig.h), in an engine
 * that counts every instruction besides.
 */
#include "cpu_rig.h"
#include "suite.h"

#define TEXT 0x400000ull
#define DATA 0x600000ull
#define STACK 0x7fff0000ull
#define PLENTY 500u
#define NO_LIMIT UINT64_MAX
#define RX (VM_PROT_READ | VM_PROT_EXECUTE)
#define RW (VM_PROT_READ | VM_PROT_WRITE)

static struct rig *
rig_with(const uint8_t *code, const uint8_t *end, int text_prot)
{
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];

	rig_code(s, TEXT, code, end, text_prot);
	rig_area(s, DATA, 0x4000, RW);
	rig_area(s, STACK - 0x2000, 0x2000, RW);
	rig_start(r, s, TEXT, STACK - 64);
	return r;
}

/* ----------------------------------------------------------- exceptions */

/* A state that must survive: flags, x87 stack, XMM, registers. */
#define FILL_STATE                                                     \
	"mov $0x1122334455667788,%rbp\n movq %rbp,%xmm7\n fld1\n"      \
	"fldpi\n mov $0x1f00,%eax\n push %rax\n push $0x5fc0\n"        \
	"ldmxcsr (%rsp)\n push $0x93\n popfq\n"

struct trapping {
	const char *name;
	const uint8_t *code, *end;
	int trap;
};

GUEST(trap_de, FILL_STATE "mov $0,%ecx\n div %rcx\n");
GUEST(trap_de2, FILL_STATE "mov $-1,%rdx\n mov $1,%ecx\n div %rcx\n");
GUEST(trap_ud, FILL_STATE "nop\n ud2\n");
GUEST(trap_hlt, FILL_STATE "nop\n hlt\n");
GUEST(trap_cli, FILL_STATE "cli\n");
GUEST(trap_cr, FILL_STATE "mov %rax,%cr3\n");
GUEST(trap_msr, FILL_STATE "rdmsr\n");
GUEST(trap_in, FILL_STATE "nop\n in %dx,%al\n nop\n");
GUEST(trap_outs, FILL_STATE "nop\n outsb\n");
GUEST(trap_int10, FILL_STATE "nop\n int $0x10\n");
GUEST(trap_int0, FILL_STATE "nop\n int $0\n");
GUEST(trap_int13, FILL_STATE "nop\n int $13\n");
GUEST(trap_vex, FILL_STATE "nop\n vpxor %xmm1,%xmm2,%xmm3\n nop\n");
GUEST(trap_vex256, FILL_STATE "nop\n vpxor %ymm1,%ymm2,%ymm3\n nop\n");
GUEST(trap_evex, FILL_STATE ".byte 0x62,0xf1,0x7d,0x48,0xef,0xc0\n");
GUEST(trap_andn, FILL_STATE "andn %rax,%rbx,%rcx\n");
GUEST(trap_xgetbv, FILL_STATE "xor %ecx,%ecx\n xgetbv\n");
GUEST(trap_rdrand, FILL_STATE "rdrand %rax\n");
GUEST(trap_wrfs, FILL_STATE "wrfsbase %rax\n");
GUEST(trap_seg, FILL_STATE "mov $0x1234,%eax\n mov %eax,%ds\n");
GUEST(trap_iret, FILL_STATE "iretq\n");
GUEST(trap_sysret, FILL_STATE "sysretq\n");

static const struct trapping trapping[] = {
#define TRAPPING(n, t) { #n, trap_##n, trap_##n##_end, t }
	TRAPPING(de, CPU_TRAP_DE),
	TRAPPING(de2, CPU_TRAP_DE),
	TRAPPING(ud, CPU_TRAP_UD),
	TRAPPING(hlt, CPU_TRAP_GP),
	TRAPPING(cli, CPU_TRAP_GP),
	TRAPPING(cr, CPU_TRAP_GP),
	TRAPPING(msr, CPU_TRAP_GP),
	TRAPPING(in, CPU_TRAP_GP),
	TRAPPING(outs, CPU_TRAP_GP),
	TRAPPING(int10, CPU_TRAP_GP),
	TRAPPING(int0, CPU_TRAP_GP),
	TRAPPING(int13, CPU_TRAP_GP),
	TRAPPING(vex, CPU_TRAP_UD),
	TRAPPING(vex256, CPU_TRAP_UD),
	TRAPPING(evex, CPU_TRAP_UD),
	TRAPPING(andn, CPU_TRAP_UD),
	TRAPPING(xgetbv, CPU_TRAP_UD),
	TRAPPING(rdrand, CPU_TRAP_UD),
	TRAPPING(wrfs, CPU_TRAP_UD),
	TRAPPING(seg, CPU_TRAP_GP),
	TRAPPING(iret, CPU_TRAP_GP),
	TRAPPING(sysret, CPU_TRAP_GP),
};
#define NTRAPPING (sizeof(trapping) / sizeof(trapping[0]))

/* Length of the instructions before the one that traps, found by running:
 * the trap repeats at the same place with the same state, many times. */
START_TEST(trap_repeats)
{
	const struct trapping *t = &trapping[_i];
	struct rig *r = rig_with(t->code, t->end, RX);
	struct rig_space *s = &r->s[0];
	struct cpu_regs first, regs;
	uint8_t fpu[512], again[512];

	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_TRAP);
	ck_assert_msg(r->ex.trap == t->trap, "%s: trap %d", t->name,
	    r->ex.trap);
	first = rig_regs(r, s);
	ck_assert_uint_gt(first.rip, TEXT + 30);
	ck_assert_uint_eq(first.r[R_RBP], 0x1122334455667788ull);
	if (t->trap != CPU_TRAP_UD || (first.rflags & 0x91) == 0x91)
		ck_assert_uint_eq(first.rflags & 0x202, 0x202);
	rig_ops(r)->get_fpu(r->cpu, s->ctx, fpu);
	ck_assert_mem_eq(fpu + 160 + 7 * 16, &first.r[R_RBP], 8);
	ck_assert_uint_eq(fpu[4], 0xc0); /* two x87 registers in use */
	for (unsigned i = 0; i < 8; i++) {
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_TRAP);
		ck_assert_int_eq(r->ex.trap, t->trap);
		ck_assert_uint_eq(r->ex.instructions, 0);
		regs = rig_regs(r, s);
		ck_assert_mem_eq(&first, &regs, sizeof(regs));
		rig_ops(r)->get_fpu(r->cpu, s->ctx, again);
		ck_assert_mem_eq(fpu, again, sizeof(fpu));
	}
	rig_free(r);
}
END_TEST

/* All kinds after one another in one engine, by a handler that resumes. */
START_TEST(traps_of_all_kinds_in_turn)
{
	GUEST(guest_traps,
	    "mov $12,%ebx\n 1: xor %ecx,%ecx\n div %ecx\n ud2\n hlt\n int3\n"
	    "int $0x80\n vpxor %xmm1,%xmm1,%xmm1\n in %dx,%al\n"
	    "dec %ebx\n jnz 1b\n" EXIT);
	static const struct { int trap; unsigned skip; } expect[] = {
		{ CPU_TRAP_DE, 2 }, { CPU_TRAP_UD, 2 }, { CPU_TRAP_GP, 1 },
		{ CPU_TRAP_BP, 0 }, { CPU_TRAP_INT80, 0 }, { CPU_TRAP_UD, 4 },
		{ CPU_TRAP_GP, 1 } };
	struct rig *r = rig_with(guest_traps, guest_traps_end, RX);
	struct rig_space *s = &r->s[0];

	for (unsigned i = 0; i < 12 * 7; i++) {
		struct cpu_regs regs;

		ck_assert_int_eq(rig_run(r, s, 3), CPU_EXIT_TRAP);
		ck_assert_int_eq(r->ex.trap, expect[i % 7].trap);
		regs = rig_regs(r, s);
		regs.rip += expect[i % 7].skip;
		rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
	}
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	/* 1 before, per round xor, int3, int80, dec, jnz; mov and syscall */
	ck_assert_uint_eq(r->instructions, 1 + 12 * 5 + 2);
	rig_free(r);
}
END_TEST

/* An unmasked x87 division by zero is #MF at the next waiting instruction. */
START_TEST(x87_error)
{
	GUEST(guest_mf, "movw $0x37b,0x600000\n fldcw 0x600000\n fld1\n fldz\n"
	    "fdivrp\n nop\n fwait\n" EXIT);
	struct rig *r = rig_with(guest_mf, guest_mf_end, RX);
	struct rig_space *s = &r->s[0];
	uint64_t fwait = TEXT + (uint64_t)(guest_mf_end - guest_mf) - 7 - 1;

	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_TRAP);
		ck_assert_int_eq(r->ex.trap, CPU_TRAP_MF);
		ck_assert_uint_eq(rig_regs(r, s).rip, fwait);
	}
	ck_assert_uint_eq(r->instructions, 6);
	rig_free(r);
}
END_TEST

/* --------------------------------------------------------------- the clock */

START_TEST(tsc_is_simulated_time)
{
	GUEST(guest_tsc,
	    "mov $1000,%ebx\n xor %esi,%esi\n"
	    "1: rdtsc\n shl $32,%rdx\n or %rdx,%rax\n cmp %rsi,%rax\n jbe 2f\n"
	    "mov %rax,%rsi\n dec %ebx\n jnz 1b\n 2:\n" EXIT);
	uint64_t last[2], trace[2];

	for (unsigned i = 0; i < 2; i++) {
		struct rig *r = rig_with(guest_tsc, guest_tsc_end, RX);
		struct cpu_regs regs;

		ck_assert_int_eq(rig_run(r, &r->s[0], NO_LIMIT),
		    CPU_EXIT_SYSCALL);
		regs = rig_regs(r, &r->s[0]);
		ck_assert_uint_eq(regs.r[R_RBX], 0); /* always later */
		/* 8 instructions a round, none of them free */
		ck_assert_uint_ge(regs.r[R_RSI], 999 * (8 + 24));
		ck_assert_uint_lt(regs.r[R_RSI], r->cycles);
		ck_assert_uint_gt(regs.r[R_RSI] + 100, r->cycles);
		ck_assert_uint_eq(r->instructions, 2 + 1000 * 8 + 2);
		last[i] = regs.r[R_RSI];
		trace[i] = r->trace;
		rig_free(r);
	}
	ck_assert_uint_eq(last[0], last[1]);
	ck_assert_uint_eq(trace[0], trace[1]);
}
END_TEST

/* ------------------------------------------------------ refused mid-block */

/* What precedes an AVX instruction in its block is executed, exactly once. */
START_TEST(refused_in_mid_block)
{
	GUEST(guest_avx, "mov $5,%ebx\n 1: incq 0x600000\n add $1,%rsi\n"
	    "vzeroupper\n add $1,%rdi\n dec %ebx\n jnz 1b\n" EXIT);
	struct rig *r = rig_with(guest_avx, guest_avx_end, RX);
	struct rig_space *s = &r->s[0];

	for (unsigned i = 1; i <= 5; i++) {
		struct cpu_regs regs;

		ck_assert_int_eq(rig_run(r, s, 2), CPU_EXIT_TRAP);
		ck_assert_int_eq(r->ex.trap, CPU_TRAP_UD);
		regs = rig_regs(r, s);
		ck_assert_uint_eq(rig_word(r, s, DATA), i);
		ck_assert_uint_eq(regs.r[R_RSI], i);
		ck_assert_uint_eq(regs.r[R_RDI], i - 1);
		regs.rip += 3;
		rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
	}
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(r->instructions, 1 + 5 * 5 + 2);
	rig_free(r);
}
END_TEST

/* RCL and RCR on a page that may be read and not yet written. */
START_TEST(rotate_through_carry_restarts)
{
	GUEST(guest_rcl, "movq $1,0x600ffc\n mov $1,%eax\n syscall\n"
	    "mov $9,%ebx\n 1: stc\n rclq $1,0x600ffc\n adc $0,%rsi\n"
	    "stc\n rcrb $3,0x602000\n adc $0,%rsi\n dec %ebx\n jnz 1b\n" EXIT);
	struct rig *r = rig_with(guest_rcl, guest_rcl_end, RX);
	struct rig_space *s = &r->s[0];
	unsigned writes = 0;
	enum cpu_exit_kind kind;

	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	rig_bring_in(r, s, rig_page(s, DATA + 0x2000));
	do {
		for (uint64_t va = DATA; va < DATA + 0x3000; va += PAGE_SIZE)
			pmap_protect(s->pmap, va, va + PAGE_SIZE,
			    VM_PROT_READ);
		while ((kind = rig_once(r, s, 15)) == CPU_EXIT_FAULT) {
			struct rig_page *p = rig_page(s, r->ex.va);

			ck_assert_int_eq(r->ex.access, VM_PROT_WRITE);
			pmap_enter(s->pmap, p->va, p->pfn, p->prot, 0);
			writes++;
		}
	} while (kind == CPU_EXIT_LIMIT);
	ck_assert_int_eq(kind, CPU_EXIT_SYSCALL);
	/* (1 << 9) + the nine carries that came in */
	ck_assert_uint_eq(rig_word(r, s, DATA + 0xffc), (1 << 10) - 1);
	ck_assert_uint_gt(writes, 12);
	ck_assert_uint_eq(r->instructions, 3 + 1 + 9 * 8 + 2);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------ changing code */

/* The next instruction of the same block is overwritten. */
START_TEST(store_into_own_block)
{
	GUEST(guest_own,
	    "mov $100,%ebx\n xor %esi,%esi\n"
	    "1: mov %ebx,2f+1(%rip)\n nop\n"
	    "2: mov $0x11111111,%eax\n add %rax,%rsi\n"
	    "dec %ebx\n jnz 1b\n" EXIT);
	struct rig *r = rig_with(guest_own, guest_own_end, RX | RW);
	struct rig_space *s = &r->s[0];

	ck_assert_int_eq(rig_run(r, s, 50), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(rig_regs(r, s).r[R_RSI], 5050);
	ck_assert_uint_eq(r->instructions, 2 + 100 * 6 + 2);
	rig_free(r);
}
END_TEST

/* Code written, called, rewritten with other code of the same length in
 * bytes and another number of instructions. */
START_TEST(code_written_and_called)
{
	GUEST(guest_jit,
	    "mov $60,%ebx\n xor %esi,%esi\n"
	    "1: movl $0x90c3c6ff,0x600000\n" /* inc esi; ret; nop */
	    "mov $0x600000,%eax\n call *%rax\n"
	    "movl $0xc3909090,0x600000\n" /* nop; nop; nop; ret */
	    "mov $0x600000,%eax\n call *%rax\n"
	    "dec %ebx\n jnz 1b\n" EXIT);
	struct rig *r = rig_with(guest_jit, guest_jit_end, RX);
	struct rig_space *s = &r->s[0];

	for (unsigned i = 0; i < s->npages; i++)
		s->pages[i].prot |= s->pages[i].va == DATA ? RX : 0;
	ck_assert_int_eq(rig_run(r, s, 200), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(rig_regs(r, s).r[R_RSI], 60);
	ck_assert_uint_eq(r->instructions, 2 + 60 * (3 + 2 + 3 + 4 + 2) + 2);
	rig_free(r);
}
END_TEST

/* One frame at two addresses, written by one and executed by the other. */
START_TEST(double_mapping)
{
	GUEST(guest_double,
	    "mov $40,%ebx\n xor %esi,%esi\n mov $0x800000,%edi\n"
	    "1: movl $0x90c3c6ff,0x600000\n call *%rdi\n"
	    "movl $0xc3909090,0x600000\n call *%rdi\n"
	    "dec %ebx\n jnz 1b\n" EXIT);
	struct rig *r = rig_with(guest_double, guest_double_end, RX);
	struct rig_space *s = &r->s[0];

	rig_bring_in(r, s, rig_page(s, DATA));
	pmap_enter(s->pmap, 0x800000, pmap_extract(s->pmap, DATA), RX, 0);
	ck_assert_int_eq(rig_run(r, s, 100), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(rig_regs(r, s).r[R_RSI], 40);
	ck_assert_uint_eq(r->instructions, 3 + 40 * (2 + 2 + 2 + 4 + 2) + 2);
	rig_free(r);
}
END_TEST

/* The kernel writes the code: read(2) into an executable buffer. */
START_TEST(code_written_by_the_kernel)
{
	GUEST(guest_calls, "1: mov $0x600000,%eax\n call *%rax\n mov $1,%eax\n"
	    "syscall\n jmp 1b\n");
	static const uint8_t code[2][8] = {
		{ 0xff, 0xc3, 0x90, 0xc3 }, /* inc ebx; nop; ret */
		{ 0x90, 0x90, 0x90, 0xc3 },
	};
	struct rig *r = rig_with(guest_calls, guest_calls_end, RX);
	struct rig_space *s = &r->s[0];
	uint64_t before;

	for (unsigned i = 0; i < s->npages; i++)
		s->pages[i].prot |= s->pages[i].va == DATA ? RX : 0;
	rig_bring_in(r, s, rig_page(s, DATA));
	for (unsigned i = 0; i < 30; i++) {
		before = r->instructions;
		memcpy(mmu_frame_data_write(r->mmu,
			   pmap_extract(s->pmap, DATA)), code[i % 2], 8);
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
		ck_assert_uint_eq(r->instructions - before,
		    (i > 0) + 2 + (i % 2 == 0 ? 3 : 4) + 2);
		ck_assert_uint_eq(rig_regs(r, s).r[R_RBX], i / 2 + 1);
	}
	rig_free(r);
}
END_TEST

/*
 * Two programs at one address, of equal length, run in turn in so little
 * memory that the frames of one's code are always reused for the other's.
 */
GUEST(guest_one, "1: inc %rbx\n nop\n nop\n nop\n mov $1,%eax\n syscall\n"
    "jmp 1b\n");
GUEST(guest_two, "1: add $2,%rbx\n nop\n nop\n mov $1,%eax\n syscall\n"
    "jmp 1b\n");

START_TEST(frames_change_owner)
{
	struct rig *r = rig_new(PLENTY, true);

	ck_assert_int_eq(guest_one_end - guest_one,
	    guest_two_end - guest_two);
	rig_code(&r->s[0], TEXT, guest_one, guest_one_end, RX);
	rig_code(&r->s[1], TEXT, guest_two, guest_two_end, RX);
	rig_start(r, &r->s[0], TEXT, STACK);
	rig_start(r, &r->s[1], TEXT, STACK);
	for (unsigned i = 0; i < 200; i++) {
		struct rig_space *s = &r->s[i % 2];
		struct rig_page *p = rig_page(s, TEXT);
		uint64_t before = r->instructions;

		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
		ck_assert_uint_eq(r->instructions - before,
		    (i % 2 == 0 ? 6 : 5) + (i > 1));
		ck_assert_uint_eq(rig_regs(r, s).r[R_RBX],
		    (i / 2 + 1) * (i % 2 + 1));
		/* the last frame freed is the first to be used again */
		rig_throw_out(r, s, p);
		s->count = 0;
	}
	rig_free(r);
}
END_TEST

/* Many address spaces: more than the hot table has numbers. */
START_TEST(many_spaces)
{
	enum { N = 40 };
	struct rig *r = rig_new(PLENTY, true);
	struct pmap *pmap[N];
	struct cpu_context *ctx[N];
	struct cpu_regs regs = { .rip = TEXT };

	for (unsigned i = 0; i < N; i++) {
		const uint8_t *code = i % 2 == 0 ? guest_one : guest_two;
		pfn_t pfn = r->free[--r->nfree];

		memcpy(mmu_frame_data_write(r->mmu, pfn), code,
		    (size_t)(guest_one_end - guest_one));
		pmap[i] = pmap_create(r->mmu);
		pmap_enter(pmap[i], TEXT, pfn, RX, 0);
		ctx[i] = rig_ops(r)->context_new(r->cpu);
		rig_ops(r)->set_regs(r->cpu, ctx[i], &regs);
	}
	for (unsigned round = 1; round <= 5; round++) {
		for (unsigned i = 0; i < N; i++) {
			rig_ops(r)->run(r->cpu, ctx[i], pmap[i], NO_LIMIT,
			    &r->ex);
			ck_assert_int_eq(r->ex.kind, CPU_EXIT_SYSCALL);
			ck_assert_uint_eq(r->ex.instructions,
			    (i % 2 == 0 ? 6 : 5) + (round > 1));
			rig_ops(r)->get_regs(r->cpu, ctx[i], &regs);
			ck_assert_uint_eq(regs.r[R_RBX],
			    round * (i % 2 + 1));
		}
	}
	for (unsigned i = 0; i < N; i++) {
		rig_ops(r)->context_free(r->cpu, ctx[i]);
		rig_ops(r)->pmap_gone(r->cpu, pmap[i]);
		pmap_remove_pages(pmap[i]);
		pmap_destroy(pmap[i]);
	}
	rig_free(r);
}
END_TEST

/* Rule 3: more code than the translation buffer holds, many times over. */
START_TEST(code_buffer_overflows)
{
	enum { PAGES = 12, ROUNDS = 4, JUMPS = (PAGE_SIZE - 96) / 2 };
	static uint8_t code[PAGES * PAGE_SIZE];
	/* dec ebx; jz +5; jmp back to the first page; mov eax,60; syscall */
	static const uint8_t tail[] = { 0xff, 0xcb, 0x74, 0x05, 0xe9, 0, 0, 0,
		0, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05 };
	struct rig *r = rig_new_buffer(PLENTY, false, 1);
	struct rig_space *s = &r->s[0];
	struct cpu_regs regs;
	int32_t back;

	memset(code, 0x90, sizeof(code));
	for (unsigned i = 0; i < PAGES; i++) {
		for (unsigned j = 0; j < JUMPS; j++) /* jmp to the next */
			memcpy(code + i * PAGE_SIZE + 2 * j, "\xeb\x00", 2);
	}
	memcpy(code + sizeof(code) - 32, tail, sizeof(tail));
	back = -(int32_t)(sizeof(code) - 32 + 9);
	memcpy(code + sizeof(code) - 32 + 5, &back, 4);
	rig_code(s, TEXT, code, code + sizeof(code), RX);
	rig_start(r, s, TEXT, STACK);
	regs = rig_regs(r, s);
	regs.r[R_RBX] = ROUNDS;
	rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
	ck_assert_int_eq(rig_run(r, s, 100000), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(r->instructions,
	    (uint64_t)ROUNDS * (PAGES * JUMPS + (PAGES - 1) * 96 + 64) +
		ROUNDS * 3 - 1 + 2);
	rig_free(r);
}
END_TEST

/* The trap flag: a #DB after each instruction. */
START_TEST(single_steps_by_trap_flag)
{
	GUEST(guest_tf, "pushfq\n orq $0x100,(%rsp)\n popfq\n nop\n"
	    "inc %ebx\n jmp 1f\n 1: inc %ebx\n" EXIT);
	struct rig *r = rig_with(guest_tf, guest_tf_end, RX);
	struct rig_space *s = &r->s[0];
	unsigned traps = 0;
	enum cpu_exit_kind kind;

	while ((kind = rig_run(r, s, NO_LIMIT)) == CPU_EXIT_TRAP) {
		ck_assert_int_eq(r->ex.trap, CPU_TRAP_DB);
		traps++;
		ck_assert_uint_lt(traps, 20);
	}
	ck_assert_int_eq(kind, CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(rig_regs(r, s).r[R_RBX], 2);
	ck_assert_uint_ge(traps, 5);
	ck_assert_uint_eq(r->instructions, 9);
	rig_free(r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cpu_traps");
	TCase *tc = tcase_create("cpu_traps");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_loop_test(tc, trap_repeats, 0, NTRAPPING);
	tcase_add_test(tc, traps_of_all_kinds_in_turn);
	tcase_add_test(tc, x87_error);
	tcase_add_test(tc, tsc_is_simulated_time);
	tcase_add_test(tc, refused_in_mid_block);
	tcase_add_test(tc, rotate_through_carry_restarts);
	tcase_add_test(tc, store_into_own_block);
	tcase_add_test(tc, code_written_and_called);
	tcase_add_test(tc, double_mapping);
	tcase_add_test(tc, code_written_by_the_kernel);
	tcase_add_test(tc, frames_change_owner);
	tcase_add_test(tc, many_spaces);
	tcase_add_test(tc, code_buffer_overflows);
	tcase_add_test(tc, single_steps_by_trap_flag);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
