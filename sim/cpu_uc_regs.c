/*
 * cpu_uc_regs.c: register sets of the Unicorn engine: contexts, integer
 * registers, the FXSAVE image, and the reset of the exception memory.
 *
 * Interface: the context part of struct cpu_engine_ops (cpu.h).
 * Source: Unicorn notes sections 1 and 8; layout of the FXSAVE area: Intel
 * SDM volume 1, section 10.5.1.
 * Differs: a context stays in the engine until another one is wanted, so a
 * single thread is never saved or restored.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/cpu_uc_int.h"
#include "sim/cpu_x87.h"

#define NINT 19 /* 16 general registers, RFLAGS, FS and GS base */
static const int int_ids[NINT] = { UC_X86_REG_RAX, UC_X86_REG_RCX,
	UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
	UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8, UC_X86_REG_R9,
	UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12, UC_X86_REG_R13,
	UC_X86_REG_R14, UC_X86_REG_R15, UC_X86_REG_RFLAGS, UC_X86_REG_FS_BASE,
	UC_X86_REG_GS_BASE };

/* What a user program may set in RFLAGS: CF PF AF ZF SF TF DF OF NT AC ID. */
#define RFLAGS_USER 0x244dd5ull
#define RFLAGS_FIXED 0x202ull /* bit 1 and IF */

#define NFPU 33
static const int fpu_ids[NFPU] = { UC_X86_REG_FPCW, UC_X86_REG_FPSW,
	UC_X86_REG_FPTAG, UC_X86_REG_FOP, UC_X86_REG_FIP, UC_X86_REG_FDP,
	UC_X86_REG_FCS, UC_X86_REG_FDS, UC_X86_REG_MXCSR, UC_X86_REG_FP0,
	UC_X86_REG_FP1, UC_X86_REG_FP2, UC_X86_REG_FP3, UC_X86_REG_FP4,
	UC_X86_REG_FP5, UC_X86_REG_FP6, UC_X86_REG_FP7, UC_X86_REG_XMM0,
	UC_X86_REG_XMM1, UC_X86_REG_XMM2, UC_X86_REG_XMM3, UC_X86_REG_XMM4,
	UC_X86_REG_XMM5, UC_X86_REG_XMM6, UC_X86_REG_XMM7, UC_X86_REG_XMM8,
	UC_X86_REG_XMM9, UC_X86_REG_XMM10, UC_X86_REG_XMM11,
	UC_X86_REG_XMM12, UC_X86_REG_XMM13, UC_X86_REG_XMM14,
	UC_X86_REG_XMM15 };

struct fpu_state {
	uint16_t fcw, fsw, ftag, fop;
	uint64_t fip, fdp;
	uint16_t fcs, fds;
	uint32_t mxcsr;
	uint8_t fp[8][16]; /* by physical register, 10 bytes used */
	uint8_t xmm[16][16];
};

/* Where each register of the lists above lives in our structures. */
static void
int_places(struct cpu_regs *regs, void *at[NINT])
{
	for (unsigned i = 0; i < 16; i++)
		at[i] = &regs->r[i];
	at[16] = &regs->rflags;
	at[17] = &regs->fs_base;
	at[18] = &regs->gs_base;
}

static void
fpu_places(struct fpu_state *f, void *at[NFPU])
{
	at[0] = &f->fcw;
	at[1] = &f->fsw;
	at[2] = &f->ftag;
	at[3] = &f->fop;
	at[4] = &f->fip;
	at[5] = &f->fdp;
	at[6] = &f->fcs;
	at[7] = &f->fds;
	at[8] = &f->mxcsr;
	for (unsigned i = 0; i < 8; i++)
		at[9 + i] = f->fp[i];
	for (unsigned i = 0; i < 16; i++)
		at[17 + i] = f->xmm[i];
}

/* The library takes the lists as non-const and does not write to them. */
static void
regs_read(struct cpu_uc *e, const struct cpu_context *c, const int *ids,
    void **at, int n)
{
	if (e->loaded == c)
		uc_reg_read_batch(e->uc, (int *)(uintptr_t)ids, at, n);
	else
		uc_context_reg_read_batch(c->saved, (int *)(uintptr_t)ids, at,
		    n);
}

static void
regs_write(struct cpu_uc *e, struct cpu_context *c, const int *ids, void **at,
    int n)
{
	if (e->loaded == c)
		uc_reg_write_batch(e->uc, (int *)(uintptr_t)ids, at, n);
	else
		uc_context_reg_write_batch(c->saved, (int *)(uintptr_t)ids, at,
		    n);
}

/* ------------------------------------------------------------- contexts */

int
cpu_context_init(struct cpu_uc *e, struct cpu_context *c)
{
	c->rip = 0;
	return uc_context_alloc(e->uc, &c->saved) == UC_ERR_OK ? 0 : -1;
}

static void
context_unload(struct cpu_uc *e)
{
	if (e->loaded != NULL)
		uc_context_save(e->uc, e->loaded->saved);
	e->loaded = NULL;
}

void
cpu_context_load(struct cpu_uc *e, struct cpu_context *c)
{
	if (e->loaded == c)
		return;
	context_unload(e);
	uc_context_restore(e->uc, c->saved);
	e->loaded = c;
}

struct cpu_context *
cpu_context_clone(struct cpu_engine *pub, const struct cpu_context *from)
{
	struct cpu_uc *e = cpu_uc(pub);
	struct cpu_context *c = calloc(1, sizeof(*c));

	if (c == NULL || cpu_context_init(e, c) != 0) {
		free(c);
		return NULL;
	}
	/* the engine is the only way from one saved set to another */
	if (e->loaded != from) {
		context_unload(e);
		uc_context_restore(e->uc, from->saved);
	}
	uc_context_save(e->uc, c->saved);
	c->rip = from->rip;
	return c;
}

struct cpu_context *
cpu_context_new(struct cpu_engine *pub)
{
	return cpu_context_clone(pub, &cpu_uc(pub)->base);
}

void
cpu_context_free(struct cpu_engine *pub, struct cpu_context *c)
{
	struct cpu_uc *e = cpu_uc(pub);

	if (c == NULL)
		return;
	if (e->loaded == c)
		e->loaded = NULL;
	uc_context_free(c->saved);
	free(c);
}

/* ------------------------------------------------------------ registers */

void
cpu_get_regs(struct cpu_engine *pub, const struct cpu_context *c,
    struct cpu_regs *regs)
{
	void *at[NINT];

	memset(regs, 0, sizeof(*regs));
	int_places(regs, at);
	regs_read(cpu_uc(pub), c, int_ids, at, NINT);
	regs->rip = c->rip;
}

void
cpu_set_regs(struct cpu_engine *pub, struct cpu_context *c,
    const struct cpu_regs *regs)
{
	struct cpu_regs copy = *regs;
	void *at[NINT];

	copy.rflags = (regs->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	int_places(&copy, at);
	regs_write(cpu_uc(pub), c, int_ids, at, NINT);
	c->rip = regs->rip;
}

/* x87 registers are kept by physical number; the image by stack position. */
static unsigned
fpu_physical(const struct fpu_state *f, unsigned st)
{
	return ((f->fsw >> 11 & 7) + st) & 7;
}

void
cpu_get_fpu(struct cpu_engine *pub, const struct cpu_context *c, void *fx512)
{
	struct fpu_state f;
	uint8_t *fx = fx512;
	const uint32_t mxcsr_mask = 0xffff;
	uint8_t tags = 0;
	void *at[NFPU];

	memset(&f, 0, sizeof(f));
	fpu_places(&f, at);
	regs_read(cpu_uc(pub), c, fpu_ids, at, NFPU);
	for (unsigned i = 0; i < 8; i++) {
		if ((f.ftag >> (2 * i) & 3) != 3)
			tags |= (uint8_t)(1u << i);
	}
	memset(fx, 0, 512);
	memcpy(fx, &f.fcw, 2);
	memcpy(fx + 2, &f.fsw, 2);
	fx[4] = tags;
	memcpy(fx + 6, &f.fop, 2);
	memcpy(fx + 8, &f.fip, 8);
	memcpy(fx + 16, &f.fdp, 8);
	memcpy(fx + 24, &f.mxcsr, 4);
	memcpy(fx + 28, &mxcsr_mask, 4);
	for (unsigned i = 0; i < 8; i++)
		memcpy(fx + 32 + 16 * i, f.fp[fpu_physical(&f, i)], 10);
	memcpy(fx + 160, f.xmm, sizeof(f.xmm));
}

void
cpu_set_fpu(struct cpu_engine *pub, struct cpu_context *c, const void *fx512)
{
	const uint8_t *fx = fx512;
	struct fpu_state f;
	void *at[NFPU];

	memset(&f, 0, sizeof(f));
	memcpy(&f.fcw, fx, 2);
	memcpy(&f.fsw, fx + 2, 2);
	memcpy(&f.fop, fx + 6, 2);
	memcpy(&f.fip, fx + 8, 8);
	memcpy(&f.fdp, fx + 16, 8);
	memcpy(&f.mxcsr, fx + 24, 4);
	f.mxcsr &= 0xffff;
	for (unsigned i = 0; i < 8; i++) {
		if (!(fx[4] >> i & 1))
			f.ftag |= (uint16_t)(3u << (2 * i));
		memcpy(f.fp[fpu_physical(&f, i)], fx + 32 + 16 * i, 10);
	}
	memcpy(f.xmm, fx + 160, sizeof(f.xmm));
	fpu_places(&f, at);
	regs_write(cpu_uc(pub), c, fpu_ids, at, NFPU);
}

/*
 * cpu_exception_reset: after a fault-type exception the emulator remembers
 * it and would turn the next one into a double fault, the third into nothing.
 * A saved set from before any exception has no such memory: load it and put
 * the registers back.
 * Source: Unicorn notes, rule 11 and section 8 (issue 1883).
 */
void
cpu_exception_reset(struct cpu_uc *e)
{
	struct cpu_context *c = e->loaded;
	struct cpu_regs regs;
	struct fpu_state f;
	void *iat[NINT], *fat[NFPU];

	memset(&f, 0, sizeof(f));
	int_places(&regs, iat);
	fpu_places(&f, fat);
	regs_read(e, c, int_ids, iat, NINT);
	regs_read(e, c, fpu_ids, fat, NFPU);
	uc_context_restore(e->uc, e->base.saved);
	regs_write(e, c, fpu_ids, fat, NFPU);
	regs_write(e, c, int_ids, iat, NINT);
}

void
cpu_x87_run(struct cpu_uc *e, uint8_t op)
{
	static const unsigned control = 0, first = 9; /* in fpu_ids */
	struct fpu_state f;
	struct cpu_x87 x;
	void *at[NFPU];

	memset(&f, 0, sizeof(f));
	fpu_places(&f, at);
	regs_read(e, e->loaded, fpu_ids, at, NFPU);
	x.control = f.fcw;
	x.status = f.fsw;
	x.tags = f.ftag;
	memcpy(x.st, f.fp, sizeof(x.st));
	(void)cpu_x87_execute(&x, op);
	f.fsw = x.status;
	f.ftag = x.tags;
	memcpy(f.fp, x.st, sizeof(f.fp));
	regs_write(e, e->loaded, fpu_ids + control, at + control, 3);
	regs_write(e, e->loaded, fpu_ids + first, at + first, 8);
}

void
cpu_start_state(struct cpu_uc *e)
{
	struct cpu_regs regs;
	struct fpu_state f;
	void *iat[NINT], *fat[NFPU];

	memset(&regs, 0, sizeof(regs));
	memset(&f, 0, sizeof(f));
	regs.rflags = RFLAGS_FIXED;
	f.fcw = 0x37f;
	f.ftag = 0xffff;
	f.mxcsr = 0x1f80;
	int_places(&regs, iat);
	fpu_places(&f, fat);
	uc_reg_write_batch(e->uc, (int *)(uintptr_t)fpu_ids, fat, NFPU);
	uc_reg_write_batch(e->uc, (int *)(uintptr_t)int_ids, iat, NINT);
}
