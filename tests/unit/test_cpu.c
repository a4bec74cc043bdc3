/*
 * The processor: counts, faults and restarts, reference and modify bits,
 * pre-emption, fault addresses.
 * Method: small guest programs on a kernel in miniature (cpu_rig.h). Exact
 * counts are proved by a second engine that counts every instruction, with
 * plenty of memory and with hardly any; that engine cuts blocks in other
 * places than the normal one, so equal traces show that no stop or fault
 * depends on the cutting.
 */
#include "cpu_rig.h"
#include "suite.h"

#define TEXT 0x400000ull
#define DATA 0x600000ull
#define DATA2 0x700000ull
#define STACK 0x7fff0000ull
#define PLENTY 500u
#define NO_LIMIT UINT64_MAX

/* Strings: copies, fills, scans and compares over page borders. */
GUEST(guest_strings,
    "mov $0x600003,%rdi\n mov $0x5a,%al\n mov $70001,%ecx\n rep stosb\n"
    "mov $0x600003,%rsi\n mov $0x700ff9,%rdi\n mov $8000,%ecx\n rep movsq\n"
    "mov $0x600003,%rsi\n mov $0x700ff9,%rdi\n mov $60000,%ecx\n"
    "repe cmpsb\n mov %rcx,%rbx\n"
    "movb $1,0x60c357\n"
    "mov $0x600003,%rdi\n mov $70001,%ecx\n mov $0x5a,%al\n repe scasb\n"
    "sub $0x600003,%rdi\n add %rdi,%rbx\n"
    "std\n mov $0x610fff,%rsi\n mov $0x70ffff,%rdi\n mov $9000,%ecx\n"
    "rep movsb\n cld\n add %rsi,%rbx\n xor %ecx,%ecx\n rep stosq\n" EXIT);

/* Shell sort: loads and stores in the middle of short blocks, and calls. */
GUEST(guest_sort,
    "mov $0x600000,%rsi\n mov $12000,%edx\n mov $88172645463325252,%rax\n"
    "xor %ecx,%ecx\n"
    "1: mov %rax,%rbx\n shl $13,%rbx\n xor %rbx,%rax\n mov %rax,%rbx\n"
    "shr $7,%rbx\n xor %rbx,%rax\n mov %rax,(%rsi,%rcx,8)\n inc %ecx\n"
    "cmp %edx,%ecx\n jb 1b\n"
    "mov %edx,%edi\n"
    "2: shr $1,%edi\n jz 6f\n mov %edi,%ecx\n"
    "3: mov (%rsi,%rcx,8),%r8\n mov %ecx,%r9d\n push %r8\n call 7f\n pop %r8\n"
    "mov %r8,(%rsi,%r9,8)\n inc %ecx\n cmp %edx,%ecx\n jb 3b\n jmp 2b\n"
    "7: mov %r9d,%r10d\n sub %edi,%r10d\n jb 8f\n"
    "mov (%rsi,%r10,8),%r11\n cmp %r8,%r11\n jbe 8f\n"
    "mov %r11,(%rsi,%r9,8)\n mov %r10d,%r9d\n jmp 7b\n 8: ret\n"
    "6: xor %eax,%eax\n xor %ecx,%ecx\n"
    "9: imul $31,%rbx\n add (%rsi,%rcx,8),%rbx\n add $7,%ecx\n"
    "cmp %edx,%ecx\n jb 9b\n" EXIT);

/* Operands across page ends, read-modify-write, SSE, x87, locked, stack. */
GUEST(guest_mixed,
    "mov $0x600ffc,%rdi\n xor %ebx,%ebx\n mov $90,%ecx\n"
    "1: mov %rcx,(%rdi)\n addq $3,(%rdi)\n lock xadd %rbx,(%rdi)\n"
    "movdqu (%rdi),%xmm0\n paddd %xmm0,%xmm1\n movdqu %xmm1,0x1ffa(%rdi)\n"
    "fildll (%rdi)\n fld1\n faddp\n fistpll -3(%rdi)\n"
    "pushq 0x1001(%rdi)\n popq 0x2ffd(%rdi)\n xchg %rbx,0x1003(%rdi)\n"
    "cvtsi2sd %ecx,%xmm2\n mulsd %xmm2,%xmm2\n movsd %xmm2,0x3004(%rdi)\n"
    "shlq $1,0x3ffd(%rdi)\n notl 0x4ffe(%rdi)\n btsq %rcx,0x5000(%rdi)\n"
    "mov %rdi,%rax\n xor %edx,%edx\n mov $37,%r8d\n div %r8\n add %rdx,%rbx\n"
    "enter $16,$0\n leave\n add $0x1000,%rdi\n dec %ecx\n jnz 1b\n"
    "mov $0x600000,%rsi\n mov $0xc000,%ecx\n"
    "2: imul $31,%rbx\n add (%rsi,%rcx,8),%rbx\n dec %ecx\n jnz 2b\n" EXIT);

static void
prepare(struct rig *r, const uint8_t *code, const uint8_t *end)
{
	struct rig_space *s = &r->s[0];

	rig_code(s, TEXT, code, end, VM_PROT_READ | VM_PROT_EXECUTE);
	rig_area(s, DATA, 0x70000, VM_PROT_READ | VM_PROT_WRITE);
	rig_area(s, DATA2, 0x80000, VM_PROT_READ | VM_PROT_WRITE);
	rig_area(s, STACK - 0x4000, 0x4000, VM_PROT_READ | VM_PROT_WRITE);
	rig_start(r, s, TEXT, STACK - 64);
}

struct outcome {
	uint64_t instructions, cycles, faults, trace, result;
};

static struct outcome
run_whole(const uint8_t *code, const uint8_t *end, unsigned frames,
    uint64_t slice, bool check)
{
	struct rig *r = rig_new(frames, check);
	struct outcome o;

	prepare(r, code, end);
	ck_assert_int_eq(rig_run(r, &r->s[0], slice), CPU_EXIT_SYSCALL);
	o.instructions = r->instructions;
	o.cycles = r->cycles;
	o.faults = r->faults;
	o.trace = r->trace;
	o.result = rig_regs(r, &r->s[0]).r[R_RBX];
	rig_free(r);
	return o;
}

static void
counts_of(const uint8_t *code, const uint8_t *end, uint64_t instructions)
{
	struct outcome full = run_whole(code, end, PLENTY, NO_LIMIT, true);
	struct outcome tight = run_whole(code, end, 9, NO_LIMIT, true);
	struct outcome plain = run_whole(code, end, 9, NO_LIMIT, false);
	struct outcome sliced = run_whole(code, end, 9, 500, false);
	struct outcome sliced2 = run_whole(code, end, 9, 500, true);

	ck_assert_uint_gt(tight.faults, full.faults + 20);
	if (instructions != 0)
		ck_assert_uint_eq(full.instructions, instructions);
	ck_assert_uint_eq(tight.instructions, full.instructions);
	ck_assert_uint_eq(tight.cycles, full.cycles);
	ck_assert_uint_eq(tight.result, full.result);
	ck_assert_uint_eq(plain.trace, tight.trace);
	ck_assert_uint_eq(plain.instructions, full.instructions);
	ck_assert_uint_eq(plain.result, full.result);
	ck_assert_uint_eq(sliced.instructions, full.instructions);
	ck_assert_uint_eq(sliced.cycles, full.cycles);
	ck_assert_uint_eq(sliced.result, full.result);
	ck_assert_uint_eq(sliced2.trace, sliced.trace);
}

START_TEST(counts_strings)
{
	/* by hand: 25 single instructions and what REP repeats, each with
	 * the final test of RCX = 0 unless the comparison ended it */
	uint64_t singles = 25;
	uint64_t reps = 70001 + 1 + 8000 + 1 + 60000 + 1 +
	    (0x60c357 - 0x600003 + 1) + 9000 + 1 + 1;

	counts_of(guest_strings, guest_strings_end, 0);
	ck_assert_uint_eq(run_whole(guest_strings, guest_strings_end, PLENTY,
			      NO_LIMIT, false).instructions,
	    singles + reps);
}
END_TEST

START_TEST(counts_sort)
{
	counts_of(guest_sort, guest_sort_end, 0);
}
END_TEST

START_TEST(counts_mixed)
{
	counts_of(guest_mixed, guest_mixed_end, 0);
}
END_TEST

/* Straight-line code of several pages: blocks are cut by the emulator's own
 * limits, which differ between the two engines. */
START_TEST(straight_line)
{
	static uint8_t code[5 * PAGE_SIZE + 2];
	static const uint8_t insn[] = { 0x66, 0x0f, 0xfe, 0x06 }; /* paddd */
	struct outcome a, b;
	size_t at = 0;

	code[at++] = 0x90; /* so that instructions straddle page ends */
	while (at + sizeof(insn) + 7 < sizeof(code)) {
		memcpy(code + at, insn, sizeof(insn));
		at += sizeof(insn);
	}
	memcpy(code + at, "\xb8\x3c\0\0\0\x0f\x05", 7);
	for (unsigned i = 0; i < 2; i++) {
		struct rig *r = rig_new(4, i == 1);
		struct outcome *o = i == 0 ? &a : &b;
		struct cpu_regs regs;

		rig_code(&r->s[0], TEXT, code, code + at + 7,
		    VM_PROT_READ | VM_PROT_EXECUTE);
		rig_area(&r->s[0], DATA, 16, VM_PROT_READ);
		rig_start(r, &r->s[0], TEXT, STACK);
		regs = rig_regs(r, &r->s[0]);
		regs.r[R_RSI] = DATA;
		rig_ops(r)->set_regs(r->cpu, r->s[0].ctx, &regs);
		ck_assert_int_eq(rig_run(r, &r->s[0], 100), CPU_EXIT_SYSCALL);
		o->instructions = r->instructions;
		o->trace = r->trace;
		rig_free(r);
	}
	ck_assert_uint_eq(a.instructions, (at - 1) / 4 + 3);
	ck_assert_uint_eq(a.instructions, b.instructions);
	ck_assert_uint_eq(a.trace, b.trace);
}
END_TEST

/* The same slices stop at the same instructions in every run, whatever the
 * sequence of limits. */
START_TEST(preemption_repeats)
{
	uint64_t traces[3];

	for (unsigned i = 0; i < 3; i++) {
		struct rig *r = rig_new(12, i == 2);
		struct rig_space *s = &r->s[0];
		struct sim_rng rng;
		enum cpu_exit_kind kind;

		prepare(r, guest_sort, guest_sort_end);
		sim_rng_init(&rng, 7, "slices");
		do {
			struct rig_page *p;

			kind = rig_once(r, s, 1 + sim_rng_below(&rng, 20000));
			if (kind == CPU_EXIT_FAULT) {
				p = rig_page(s, r->ex.va);
				ck_assert_ptr_nonnull(p);
				ck_assert(p->pfn == PFN_NONE);
				rig_bring_in(r, s, p);
			}
		} while (kind != CPU_EXIT_SYSCALL);
		ck_assert_uint_gt(r->runs, 300);
		traces[i] = r->trace;
		rig_free(r);
	}
	ck_assert_uint_eq(traces[0], traces[1]);
	ck_assert_uint_eq(traces[0], traces[2]);
}
END_TEST

/* A limit smaller than any block still makes progress, one block a run. */
START_TEST(tiny_limit)
{
	GUEST(guest_loop, "mov $50,%ecx\n1: nop\n nop\n dec %ecx\n jnz 1b\n"
	    EXIT);
	struct rig *r = rig_new(PLENTY, false);

	prepare(r, guest_loop, guest_loop_end);
	ck_assert_int_eq(rig_run(r, &r->s[0], 1), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(r->instructions, 1 + 50 * 4 + 2);
	ck_assert_uint_ge(r->runs, 50);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------ reference and modify */

GUEST(guest_touch,
    "1: mov 0x600000,%rax\n"		/* page 0: read */
    "mov %rax,0x601008\n"		/* page 1: write */
    "addq $1,0x602010\n"		/* page 2: both */
    "mov $1,%eax\n syscall\n"
    "mov 0x602018,%rax\n"		/* second round: read page 2 only */
    "mov %eax,0x600010\n"		/* and write page 0 */
    "mov $1,%eax\n syscall\n jmp 1b\n");

static void
ck_bits(struct rig *r, unsigned page, bool referenced, bool modified)
{
	pte_t pte = *pmap_pte(r->s[0].pmap, DATA + page * PAGE_SIZE);

	ck_assert_msg(((pte & PTE_A) != 0) == referenced,
	    "page %u: referenced %d", page, !referenced);
	ck_assert_msg(((pte & PTE_M) != 0) == modified,
	    "page %u: modified %d", page, !modified);
}

static void
clear_bits(struct rig *r)
{
	for (unsigned i = 0; i < 4; i++) {
		pfn_t pfn = pmap_extract(r->s[0].pmap, DATA + i * PAGE_SIZE);

		if (pfn != PFN_NONE) {
			pmap_clear_reference(r->mmu, pfn);
			pmap_clear_modify(r->mmu, pfn);
		}
	}
}

START_TEST(bits_are_exact)
{
	struct rig *r = rig_new(PLENTY, false);
	struct rig_space *s = &r->s[0];

	prepare(r, guest_touch, guest_touch_end);
	for (unsigned i = 0; i < 4; i++)
		rig_bring_in(r, s, rig_page(s, DATA + i * PAGE_SIZE));
	for (unsigned round = 0; round < 20; round++) {
		clear_bits(r);
		for (unsigned i = 0; i < 4; i++)
			ck_bits(r, i, false, false);
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
		ck_bits(r, 0, true, false);
		ck_bits(r, 1, true, true);
		ck_bits(r, 2, true, true);
		ck_bits(r, 3, false, false);
		clear_bits(r);
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
		ck_bits(r, 0, true, true);
		ck_bits(r, 1, false, false);
		ck_bits(r, 2, true, false);
	}
	rig_free(r);
}
END_TEST

/* Removed, downgraded and replaced mappings are seen at the next run. */
START_TEST(tlb_staleness)
{
	GUEST(guest_poke, "1: mov 0x600000,%rbx\n mov %rbx,0x600008\n"
	    "mov $1,%eax\n syscall\n jmp 1b\n");
	struct rig *r = rig_new(PLENTY, false);
	struct rig_space *s = &r->s[0];
	struct rig_page *p;
	pfn_t other;

	prepare(r, guest_poke, guest_poke_end);
	p = rig_page(s, DATA);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	pmap_protect(s->pmap, DATA, DATA + PAGE_SIZE, VM_PROT_READ);
	ck_assert_int_eq(rig_once(r, s, NO_LIMIT), CPU_EXIT_FAULT);
	ck_assert_uint_eq(r->ex.va, DATA + 8);
	ck_assert_int_eq(r->ex.access, VM_PROT_WRITE);
	ck_assert_uint_eq(r->ex.instructions, 2); /* jmp, mov */
	pmap_enter(s->pmap, DATA, p->pfn, p->prot, 0);
	ck_assert_int_eq(rig_once(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	pmap_remove(s->pmap, DATA, DATA + PAGE_SIZE);
	ck_assert_int_eq(rig_once(r, s, NO_LIMIT), CPU_EXIT_FAULT);
	ck_assert_int_eq(r->ex.access, VM_PROT_READ);
	other = r->free[--r->nfree];
	memset(mmu_frame_data_write(r->mmu, other), 0x77, PAGE_SIZE);
	pmap_enter(s->pmap, DATA, other, p->prot, 0);
	ck_assert_int_eq(rig_once(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	ck_assert_uint_eq(rig_regs(r, s).r[R_RBX], 0x7777777777777777ull);
	/* PROT_NONE: mapped, but not for the user */
	pmap_protect(s->pmap, DATA, DATA + PAGE_SIZE, VM_PROT_NONE);
	ck_assert_int_eq(rig_once(r, s, NO_LIMIT), CPU_EXIT_FAULT);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------ fault addresses */

struct addressed {
	const uint8_t *code, *end;
	uint64_t va;
	int access;
};

#define R VM_PROT_READ
#define W VM_PROT_WRITE

/* With rsi = rdi = 0x600ffd, rcx = 4, rbx = 0x600000, rsp = 0x600100,
 * fs = 0x600040; nothing at DATA is mapped. */
GUEST(fa_load, "mov 0x10(%rbx,%rcx,4),%rax");
GUEST(fa_store, "mov %rax,-8(%rsi)");
GUEST(fa_push, "push %rax");
GUEST(fa_call, "call .");
GUEST(fa_pop, "pop %rax");
GUEST(fa_ret, "ret");
GUEST(fa_movs, "movsl");
GUEST(fa_stos, "rep stosb");
GUEST(fa_scas, "repne scasb");
GUEST(fa_fs, "mov %fs:0x28,%rax");
GUEST(fa_rip, "mov 0x200100(%rip),%al"); /* 7 bytes from TEXT */
GUEST(fa_bts, "btsl %eax,(%rbx)"); /* eax = 100: 12 bytes on */
GUEST(fa_sse, "movaps %xmm0,0x20(%rbx)");
GUEST(fa_byte, "orb $1,0x123(%rbx)");
GUEST(fa_32, "addr32 mov (%ebx),%al");

static const struct addressed addressed[] = {
	{ fa_load, fa_load_end, DATA + 0x20, R },
	{ fa_store, fa_store_end, DATA + 0xff5, W },
	{ fa_push, fa_push_end, DATA + 0xf8, W },
	{ fa_call, fa_call_end, DATA + 0xf8, W },
	{ fa_pop, fa_pop_end, DATA + 0x100, R },
	{ fa_ret, fa_ret_end, DATA + 0x100, R },
	{ fa_movs, fa_movs_end, DATA + 0xffd, R },
	{ fa_stos, fa_stos_end, DATA + 0xffd, W },
	{ fa_scas, fa_scas_end, DATA + 0xffd, R },
	{ fa_fs, fa_fs_end, DATA + 0x68, R },
	{ fa_rip, fa_rip_end, TEXT + 6 + 0x200100, R },
	{ fa_bts, fa_bts_end, DATA + 12, R },
	{ fa_sse, fa_sse_end, DATA + 0x20, W },
	{ fa_byte, fa_byte_end, DATA + 0x123, R },
	{ fa_32, fa_32_end, DATA, R },
};

static void
addressed_regs(struct rig *r, struct rig_space *s)
{
	struct cpu_regs regs;

	rig_start(r, s, TEXT, DATA + 0x100);
	regs = rig_regs(r, s);
	regs.r[R_RAX] = 100;
	regs.r[R_RBX] = DATA;
	regs.r[R_RCX] = 4;
	regs.r[R_RSI] = regs.r[R_RDI] = DATA + 0xffd;
	regs.fs_base = DATA + 0x40;
	rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
}

START_TEST(fault_addresses)
{
	const struct addressed *a = &addressed[_i];
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];

	rig_code(s, TEXT, a->code, a->end, VM_PROT_READ | VM_PROT_EXECUTE);
	addressed_regs(r, s);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_FAULT);
	ck_assert_uint_eq(r->ex.va, a->va);
	ck_assert_int_eq(r->ex.access, a->access);
	ck_assert_uint_eq(rig_regs(r, s).rip, TEXT);
	ck_assert_uint_eq(r->instructions, 0);
	rig_free(r);
}
END_TEST

/* The second page of an operand: the fault is at its first byte. */
START_TEST(fault_in_second_page)
{
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];

	rig_code(s, TEXT, fa_movs, fa_movs_end,
	    VM_PROT_READ | VM_PROT_EXECUTE);
	rig_area(s, DATA, 16, VM_PROT_READ | VM_PROT_WRITE);
	addressed_regs(r, s);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_FAULT);
	ck_assert_uint_eq(r->ex.va, DATA + 0x1000);
	ck_assert_int_eq(r->ex.access, VM_PROT_READ);
	rig_free(r);
}
END_TEST

/* Jumps to nowhere, to data, out of the address space; and no guest can
 * reach the window by which the engine kills code. */
START_TEST(wild_accesses)
{
	GUEST(guest_wild, "jmp *%rax");
	GUEST(guest_load, "mov (%rax),%rbx");
	static const uint64_t va[] = { 0, 0x12345, DATA,
		0xffff900000000000ull, 0xffff900000001000ull,
		0xffffffffff600000ull };
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];

	rig_code(s, TEXT, guest_wild, guest_wild_end,
	    VM_PROT_READ | VM_PROT_EXECUTE);
	rig_code(s, TEXT + PAGE_SIZE, guest_load, guest_load_end,
	    VM_PROT_READ | VM_PROT_EXECUTE);
	rig_area(s, DATA, 16, VM_PROT_READ | VM_PROT_WRITE);
	rig_bring_in(r, s, rig_page(s, DATA));
	for (unsigned i = 0; i < 2 * sizeof(va) / sizeof(va[0]); i++) {
		struct cpu_regs regs = rig_regs(r, s);
		bool jump = i % 2 == 0;

		if (!jump && va[i / 2] == DATA)
			continue;
		regs.rip = jump ? TEXT : TEXT + PAGE_SIZE;
		regs.r[R_RAX] = va[i / 2];
		rig_ops(r)->set_regs(r->cpu, s->ctx, &regs);
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_FAULT);
		ck_assert_uint_eq(r->ex.va, va[i / 2]);
		ck_assert_int_eq(r->ex.access,
		    jump ? VM_PROT_EXECUTE : VM_PROT_READ);
		/* make the engine use its window, then try again */
		mmu_frame_data_write(r->mmu, pmap_extract(s->pmap, TEXT));
	}
	rig_free(r);
}
END_TEST

/* General protection; the stack has a fault of its own. */
START_TEST(not_canonical)
{
	GUEST(guest_far, "mov $0x8000000000000000,%rax\n nop\n incl (%rax)\n");
	GUEST(guest_leave, "mov $0x4141414141414141,%rbp\n nop\n leave\n");
	GUEST(guest_frame, "mov $0x4141414141414141,%rbp\n nop\n"
	    "mov -8(%rbp),%rax\n");
	GUEST(guest_push, "mov $0x8000000000001000,%rsp\n nop\n push %rax\n");
	static const struct {
		const uint8_t *code, *end;
		int trap;
	} cases[] = { { guest_far, guest_far_end, CPU_TRAP_GP },
		{ guest_leave, guest_leave_end, CPU_TRAP_SS },
		{ guest_frame, guest_frame_end, CPU_TRAP_SS },
		{ guest_push, guest_push_end, CPU_TRAP_SS } };
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];

	prepare(r, cases[_i].code, cases[_i].end);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_TRAP);
		ck_assert_int_eq(r->ex.trap, cases[_i].trap);
		ck_assert_uint_eq(rig_regs(r, s).rip, TEXT + 11);
	}
	ck_assert_uint_eq(r->instructions, 2);
	rig_free(r);
}
END_TEST

/* ------------------------------------------------------------- contexts */

/* Two threads of one space and one of another, interleaved. */
START_TEST(contexts_interleave)
{
	GUEST(guest_count,
	    "1: add $1,%rbx\n lea (%rbx,%rbx),%rdx\n movq %rbx,%xmm3\n"
	    "mov %fs:0,%rax\n cmp %rax,%rbx\n jb 1b\n movq %xmm3,%rbp\n" EXIT);
	struct rig *r = rig_new(PLENTY, true);
	struct cpu_context *ctx[3];
	struct rig_space *s[3] = { &r->s[0], &r->s[0], &r->s[1] };
	bool done[3] = { false, false, false };
	unsigned left = 3;

	for (unsigned i = 0; i < 2; i++) {
		rig_code(&r->s[i], TEXT, guest_count, guest_count_end,
		    VM_PROT_READ | VM_PROT_EXECUTE);
		rig_area(&r->s[i], DATA, 64, VM_PROT_READ);
		for (unsigned j = 0; j < 4; j++) {
			uint64_t goal = 1000 * (i + 1) + j;

			memcpy(rig_page(&r->s[i], DATA)->saved + 8 * j, &goal,
			    8);
		}
	}
	ctx[0] = r->s[0].ctx;
	ctx[1] = rig_ops(r)->context_clone(r->cpu, ctx[0]);
	ctx[2] = r->s[1].ctx;
	for (unsigned i = 0; i < 3; i++) {
		struct cpu_regs regs = { .rip = TEXT,
			.fs_base = DATA + 8 * i };

		rig_ops(r)->set_regs(r->cpu, ctx[i], &regs);
	}
	for (unsigned i = 0; left > 0; i = (i + 1) % 3) {
		enum cpu_exit_kind kind;

		if (done[i])
			continue;
		s[i]->ctx = ctx[i];
		kind = rig_once(r, s[i], 37 + 11 * i);
		if (kind == CPU_EXIT_FAULT)
			rig_bring_in(r, s[i], rig_page(s[i], r->ex.va));
		if (kind == CPU_EXIT_SYSCALL) {
			struct cpu_regs regs = rig_regs(r, s[i]);
			uint64_t goal = (i == 2 ? 2000 : 1000) + i;

			done[i] = true;
			left--;
			ck_assert_uint_eq(regs.r[R_RBX], goal);
			ck_assert_uint_eq(regs.r[R_RDX], 2 * goal);
			ck_assert_uint_eq(regs.r[R_RBP], goal);
		}
	}
	r->s[0].ctx = ctx[0];
	r->s[1].ctx = ctx[2];
	rig_ops(r)->context_free(r->cpu, ctx[1]);
	rig_free(r);
}
END_TEST

/* A program starts with the registers that Linux gives. */
START_TEST(start_state)
{
	GUEST(guest_state, "fxsave 0x600000\n pushfq\n pop %rbp\n"
	    "mov $1,%eax\n cpuid\n mov %edx,%esi\n" EXIT);
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];
	struct cpu_regs regs = rig_regs(r, s);
	uint16_t fcw;
	uint32_t mxcsr;

	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(regs.r[i], 0);
	prepare(r, guest_state, guest_state_end);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	rig_read(r, s, DATA, &fcw, 2);
	rig_read(r, s, DATA + 24, &mxcsr, 4);
	ck_assert_uint_eq(fcw, 0x37f);
	ck_assert_uint_eq(mxcsr, 0x1f80);
	regs = rig_regs(r, s);
	ck_assert_uint_eq(regs.r[R_RBP], 0x202);
	/* what the loader says in AT_HWCAP */
	ck_assert_uint_eq(regs.r[R_RSI], 0x078bfbfd);
	/* SYSCALL leaves the return address and the flags */
	ck_assert_uint_eq(regs.r[R_RCX], regs.rip);
	ck_assert_uint_eq(regs.r[R_R11], regs.rflags);
	rig_free(r);
}
END_TEST

START_TEST(fpu_image)
{
	GUEST(guest_fpu, "fld1\n fldpi\n fldz\n mov $0x1234,%eax\n"
	    "movd %eax,%xmm15\n fxsave 0x600000\n mov $1,%eax\n syscall\n"
	    "fxsave 0x600400\n fistpl 0x600300\n" EXIT);
	struct rig *r = rig_new(PLENTY, true);
	struct rig_space *s = &r->s[0];
	_Alignas(16) uint8_t own[512], image[512], again[512];

	prepare(r, guest_fpu, guest_fpu_end);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	rig_read(r, s, DATA, own, 512);
	rig_ops(r)->get_fpu(r->cpu, s->ctx, image);
	ck_assert_mem_eq(own, image, 24); /* control, tags */
	ck_assert_mem_eq(own + 24, image + 24, 4); /* MXCSR */
	ck_assert_mem_eq(own + 32, image + 32, 128 + 256);
	/* through another state and back */
	memset(again, 0, sizeof(again));
	rig_ops(r)->set_fpu(r->cpu, s->ctx, again);
	rig_ops(r)->set_fpu(r->cpu, s->ctx, image);
	rig_ops(r)->get_fpu(r->cpu, s->ctx, again);
	ck_assert_mem_eq(image, again, 512);
	ck_assert_int_eq(rig_run(r, s, NO_LIMIT), CPU_EXIT_SYSCALL);
	rig_read(r, s, DATA + 0x400, again, 512);
	ck_assert_mem_eq(own + 32, again + 32, 128 + 256);
	rig_free(r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cpu");
	TCase *tc = tcase_create("cpu");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, counts_strings);
	tcase_add_test(tc, counts_sort);
	tcase_add_test(tc, counts_mixed);
	tcase_add_test(tc, straight_line);
	tcase_add_test(tc, preemption_repeats);
	tcase_add_test(tc, tiny_limit);
	tcase_add_test(tc, bits_are_exact);
	tcase_add_test(tc, tlb_staleness);
	tcase_add_loop_test(tc, fault_addresses, 0,
	    sizeof(addressed) / sizeof(addressed[0]));
	tcase_add_test(tc, fault_in_second_page);
	tcase_add_test(tc, wild_accesses);
	tcase_add_loop_test(tc, not_canonical, 0, 4);
	tcase_add_test(tc, contexts_interleave);
	tcase_add_test(tc, start_state);
	tcase_add_test(tc, fpu_image);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
