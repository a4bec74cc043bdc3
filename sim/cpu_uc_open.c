/*
 * cpu_uc_open.c: creation and end of the Unicorn engine: the order of the
 * set-up calls, the way to CPL 3, and the table of operations.
 *
 * Interface: cpu_unicorn_create, cpu_unicorn_stats (cpu.h).
 * Source: Unicorn notes sections 0 (rules 2 and 3) and 8.
 * Differs: nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim/cpu_uc_int.h"

#define CODE_BUFFER_MB 128 /* holds the code of a C compiler (section 10) */
#define CR4_USER 0x604 /* OSFXSR, OSXMMEXCPT, TSD */
#define CR0_SET 0x22 /* NE, MP: x87 errors as exceptions */
#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define EFER_SCE 1u
#define CS_USER 0x33
#define UC_VERSION_NEEDED 0x02010100u /* 2.1.1 */

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

/* The library ends the process when it cannot have its buffer. */
static bool
buffer_possible(uint32_t code_buffer_mb)
{
	size_t n = ((size_t)code_buffer_mb + 16) << 20;
	void *p = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, n);
	return true;
}

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
	cpu_code_kill(e, 0);
	e->booting = false;
	uc_ctl_set_exits(e->uc, &user, 0);
	memcpy(ram, keep, sizeof(keep));
	uc_reg_read(e->uc, UC_X86_REG_CS, &cs);
	return err == UC_ERR_OK && cs != CS_USER ? UC_ERR_EXCEPTION : err;
}

static int
engine_create(struct cpu_uc *e, uint32_t code_buffer_mb, struct sim_err *err)
{
	uc_err uerr = UC_ERR_NOMEM;

	if (buffer_possible(code_buffer_mb))
		uerr = engine_open(e, code_buffer_mb);
	if (uerr == UC_ERR_OK)
		uerr = engine_hooks(e);
	if (uerr == UC_ERR_OK)
		uerr = engine_cpl3(e);
	if (uerr == UC_ERR_OK) {
		cpu_tlb_flush(e);
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
	e->shake = cfg != NULL && cfg->shake != 0;
	if (e->shake)
		sim_rng_init(&e->rng, cfg->shake, "shake");
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
#define CPU_LEAK_CHECK 1
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
