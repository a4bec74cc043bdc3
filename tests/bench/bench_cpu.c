/*
 * bench_cpu: what counting and translation cost on resident programs.
 *
 * Runs the same guest bytes under bare Unicorn (flat mapping, no hooks) and
 * through the engine (page tables, exact counts, cycle costs), alternately in
 * one process, and prints the ratio of the best CPU times. Variants of the bare
 * engine with an empty block hook, and with a fill callback instead of the
 * flat mapping, say where the rest goes.
 *
 * usage: bench_cpu [rounds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unicorn/unicorn.h>

#include "guest.h"
#include "sim/cpu.h"

#define CODE 0x400000ull
#define DATA 0x10000000ull
#define DATA_BYTES (64ull << 20)
#define STACK 0x7fff0000ull /* two pages below it */
#define STOP (CODE - 4096) /* holds a SYSCALL; return address of guests */
#define SLICE 10000000ull /* cycles a run: 10 ms of a 1 GHz processor */

/* ------------------------------------------------------ guest programs */

/* Arithmetic in registers, long blocks. */
GUEST static uint64_t
guest_alu(uint64_t *mem, uint64_t n)
{
	uint64_t a = 1, b = 2, c = 3, d = 4;

	while (n-- > 0) {
		a = a * 6364136223846793005ull + 1442695040888963407ull;
		b ^= a >> 17;
		c += b << 3;
		d = (d >> 7 | d << 57) ^ c;
		a += d & 0xff;
		b = b * 3 + a;
		c ^= d >> 11;
		d += c;
	}
	return a ^ b ^ c ^ d;
}

/* Shell sort of pseudo-random numbers: short blocks, unpredictable. */
GUEST static uint64_t
guest_sort(uint64_t *mem, uint64_t n)
{
	uint64_t x = 88172645463325252ull, sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		mem[i] = x;
	}
	for (uint64_t gap = n / 2; gap > 0; gap /= 2) {
		for (uint64_t i = gap; i < n; i++) {
			uint64_t v = mem[i], j = i;

			for (; j >= gap && mem[j - gap] > v; j -= gap)
				mem[j] = mem[j - gap];
			mem[j] = v;
		}
	}
	for (uint64_t i = 0; i < n; i += 16)
		sum = sum * 31 + mem[i];
	return sum;
}

/* Dependent loads and stores all over 64 MB. */
GUEST static uint64_t
guest_walk(uint64_t *mem, uint64_t n)
{
	uint64_t mask = DATA_BYTES / 8 - 1, at = 1, sum = 0;

	while (n-- > 0) {
		at = (at * 2862933555777941757ull + 3037000493ull + sum) & mask;
		sum += mem[at] & 1;
		mem[at] += n;
	}
	return sum;
}

/* Sequential: read and write every line of 64 MB. */
GUEST static uint64_t
guest_stream(uint64_t *mem, uint64_t n)
{
	uint64_t words = DATA_BYTES / 8, sum = 0;

	while (n-- > 0) {
		for (uint64_t i = 0; i < words; i += 8) {
			sum += mem[i];
			mem[i + 1] = sum;
		}
	}
	return sum;
}

struct program {
	const char *name;
	uint64_t (*fn)(uint64_t *mem, uint64_t n);
	uint64_t n;
};

static const struct program programs[] = {
	{ "alu", guest_alu, 20000000 },
	{ "sort", guest_sort, 600000 },
	{ "walk", guest_walk, 8000000 },
	{ "stream", guest_stream, 12 },
};
#define NPROGRAMS (sizeof(programs) / sizeof(programs[0]))

static uint64_t
entry_of(const struct program *p)
{
	return CODE +
	    (uint64_t)((const uint8_t *)(uintptr_t)p->fn - __start_guest);
}

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
	fprintf(stderr, "bench_cpu: %s\n", what);
	exit(1);
}

/* ------------------------------------------------------------- bare engine */

enum variant { BARE, BARE_HOOK, BARE_FILL, ENGINE, VARIANTS };
static const char *const variant_names[VARIANTS] = { "bare", "bare+empty hook",
	"bare+fill callback", "engine" };

struct bare {
	uc_engine *uc;
	uint8_t *code, *data, *stack;
};

static void
empty_hook(uc_engine *uc, uint64_t pc, uint32_t size, void *user)
{
}

static bool
flat_fill(uc_engine *uc, uint64_t va, uc_mem_type type, uc_tlb_entry *out,
    void *user)
{
	out->paddr = va;
	out->perms = UC_PROT_READ |
	    (type == UC_MEM_FETCH ? UC_PROT_EXEC : UC_PROT_WRITE);
	return true;
}

static uint8_t *
host_pages(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		fail("out of memory");
	return p;
}

static void
bare_open(struct bare *b, enum variant v)
{
	static const uint8_t syscall_insn[2] = { 0x0f, 0x05 };
	uint64_t code_bytes = 1 << 20;
	uc_hook hook;

	b->code = host_pages(code_bytes);
	b->data = host_pages(DATA_BYTES);
	b->stack = host_pages(8192);
	memcpy(b->code, syscall_insn, sizeof(syscall_insn));
	memcpy(b->code + (CODE - STOP), __start_guest,
	    (size_t)(__stop_guest - __start_guest));
	if (uc_open(UC_ARCH_X86, UC_MODE_64, &b->uc) != UC_ERR_OK)
		fail("no Unicorn");
	uc_ctl_set_cpu_model(b->uc, UC_CPU_X86_WESTMERE);
	uc_ctl_set_tcg_buffer_size(b->uc, 128u << 20);
	if (v == BARE_FILL)
		uc_ctl_tlb_mode(b->uc, UC_TLB_VIRTUAL);
	uc_mem_map_ptr(b->uc, STOP, code_bytes, UC_PROT_ALL, b->code);
	uc_mem_map_ptr(b->uc, DATA, DATA_BYTES, UC_PROT_ALL, b->data);
	uc_mem_map_ptr(b->uc, STACK - 8192, 8192, UC_PROT_ALL, b->stack);
	if (v == BARE_HOOK)
		uc_hook_add(b->uc, &hook, UC_HOOK_BLOCK,
		    (void *)(uintptr_t)empty_hook, NULL, 1, 0);
	if (v == BARE_FILL)
		uc_hook_add(b->uc, &hook, UC_HOOK_TLB_FILL,
		    (void *)(uintptr_t)flat_fill, NULL, 1, 0);
	uc_ctl_flush_tb(b->uc);
}

static uint64_t
bare_run(struct bare *b, const struct program *p)
{
	uint64_t sp = STACK - 72, mem = DATA, n = p->n, ret = STOP, result = 0;

	memset(b->data, 0, DATA_BYTES);
	uc_mem_write(b->uc, sp, &ret, sizeof(ret));
	uc_reg_write(b->uc, UC_X86_REG_RSP, &sp);
	uc_reg_write(b->uc, UC_X86_REG_RDI, &mem);
	uc_reg_write(b->uc, UC_X86_REG_RSI, &n);
	if (uc_emu_start(b->uc, entry_of(p), STOP, 0, 0) != UC_ERR_OK)
		fail("the bare engine failed");
	uc_reg_read(b->uc, UC_X86_REG_RAX, &result);
	return result;
}

/* ------------------------------------------------------------- our engine */

struct ours {
	struct sim *sim;
	struct mmu *mmu;
	struct pmap *pmap;
	struct cpu_engine *cpu;
	struct cpu_context *ctx;
	pfn_t next, data;
	uint64_t instructions;
};

static pfn_t
map_pages(struct ours *o, uint64_t va, uint64_t bytes, int prot)
{
	pfn_t first = o->next;

	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE)
		pmap_enter(o->pmap, va + at, o->next++, prot, 0);
	return first;
}

static void
copy_in(struct ours *o, pfn_t pfn, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += PAGE_SIZE)
		memcpy(mmu_frame_data_write(o->mmu, pfn++), bytes + at,
		    n - at < PAGE_SIZE ? n - at : PAGE_SIZE);
}

static void
ours_open(struct ours *o)
{
	static const uint8_t syscall_insn[2] = { 0x0f, 0x05 };
	size_t code_bytes = (size_t)(__stop_guest - __start_guest);
	struct sim_config sc = { 0 };
	struct sim_err err;
	pfn_t pfn;

	o->sim = sim_create(&sc);
	o->mmu = mmu_create(o->sim, (DATA_BYTES >> PAGE_SHIFT) + 4096);
	o->pmap = pmap_create(o->mmu);
	o->next = 1;
	if (cpu_unicorn_create(o->sim, o->mmu, NULL, NULL, &o->cpu, &err) != 0)
		fail(err.text);
	o->ctx = o->cpu->ops->context_new(o->cpu);
	pfn = map_pages(o, STOP, 4096, VM_PROT_READ | VM_PROT_EXECUTE);
	copy_in(o, pfn, syscall_insn, sizeof(syscall_insn));
	pfn = map_pages(o, CODE, code_bytes, VM_PROT_READ | VM_PROT_EXECUTE);
	copy_in(o, pfn, __start_guest, code_bytes);
	map_pages(o, STACK - 8192, 8192, VM_PROT_READ | VM_PROT_WRITE);
	o->data = map_pages(o, DATA, DATA_BYTES,
	    VM_PROT_READ | VM_PROT_WRITE);
}

static uint64_t
ours_run(struct ours *o, const struct program *p)
{
	struct cpu_regs regs;
	struct cpu_exit ex;
	uint64_t ret = STOP;

	for (uint64_t i = 0; i < DATA_BYTES >> PAGE_SHIFT; i++)
		mmu_zero_frame(o->mmu, o->data + (pfn_t)i);
	memcpy((uint8_t *)mmu_frame_data_write(o->mmu,
		   pmap_extract(o->pmap, STACK - 72)) + 4096 - 72,
	    &ret, sizeof(ret));
	o->cpu->ops->get_regs(o->cpu, o->ctx, &regs);
	regs.rip = entry_of(p);
	regs.r[R_RSP] = STACK - 72;
	regs.r[R_RDI] = DATA;
	regs.r[R_RSI] = p->n;
	o->cpu->ops->set_regs(o->cpu, o->ctx, &regs);
	o->instructions = 0;
	do {
		o->cpu->ops->run(o->cpu, o->ctx, o->pmap, SLICE, &ex);
		o->instructions += ex.instructions;
	} while (ex.kind == CPU_EXIT_LIMIT);
	if (ex.kind != CPU_EXIT_SYSCALL)
		fail(ex.kind == CPU_EXIT_ERROR ? ex.text : "the guest died");
	o->cpu->ops->get_regs(o->cpu, o->ctx, &regs);
	return regs.r[R_RAX];
}

/* ------------------------------------------------------------ measuring */

struct bench {
	struct bare bare[ENGINE];
	struct ours ours;
	double best[NPROGRAMS][VARIANTS];
	uint64_t instructions[NPROGRAMS];
};

static void
measure(struct bench *b, unsigned prog, enum variant v, uint64_t *result)
{
	const struct program *p = &programs[prog];
	double t = seconds();
	uint64_t r = v == ENGINE ? ours_run(&b->ours, p) :
				   bare_run(&b->bare[v], p);

	t = seconds() - t;
	if (v == BARE)
		*result = r;
	else if (r != *result)
		fail("two engines computed different results");
	if (b->best[prog][v] == 0 || t < b->best[prog][v])
		b->best[prog][v] = t;
	if (v == ENGINE)
		b->instructions[prog] = b->ours.instructions;
}

static void
print(const struct bench *b)
{
	printf("%-8s %9s %9s", "program", "Minsns", "Minsns/s");
	for (enum variant v = BARE; v < VARIANTS; v++)
		printf("  %s", variant_names[v]);
	printf("\n");
	for (unsigned i = 0; i < NPROGRAMS; i++) {
		double insns = (double)b->instructions[i] / 1e6;

		printf("%-8s %9.1f %9.0f  %.3fs", programs[i].name, insns,
		    insns / b->best[i][ENGINE], b->best[i][BARE]);
		for (enum variant v = BARE_HOOK; v < VARIANTS; v++)
			printf("  %.2fx", b->best[i][v] / b->best[i][BARE]);
		printf("\n");
	}
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
	struct bench *b = calloc(1, sizeof(*b));

	if (b == NULL || rounds == 0)
		fail("usage: bench_cpu [rounds]");
	for (enum variant v = BARE; v < ENGINE; v++)
		bare_open(&b->bare[v], v);
	ours_open(&b->ours);
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < NPROGRAMS; i++) {
			uint64_t result = 0;

			for (enum variant v = BARE; v < VARIANTS; v++)
				measure(b, i, v, &result);
		}
	}
	print(b);
	free(b);
	return 0;
}
