/*
 * sys_rig.h: a machine in miniature for tests of files and system calls: the
 * real kernel and file tree, one process with one thread, and a processor
 * that only holds registers. It stands in for sim/machine.c.
 */
#ifndef VMSIM_TESTS_SYS_RIG_H
#define VMSIM_TESTS_SYS_RIG_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_model/params.h"
#include "sim/machine.h"
#include "sim/syscall_int.h"

#define RIG_SCRATCH 0x10000000ull /* guest memory for arguments */
#define RIG_SCRATCH_SIZE (1u << 20)

struct cpu_context {
	struct cpu_regs regs;
	uint8_t fx[512];
};

struct machine { /* the tests' own */
	struct sim *sim;
	struct mmu *mmu;
	struct tunables *ts;
	struct disk_params params[2]; /* the disks refer to them */
	uint32_t ndisks;
	struct disk *fs, *swap;
	struct vm *vm;
	struct vfs *vfs;
	struct sysstate *ss;
	struct cpu_engine cpu;
	struct cpu_context ctx;
	struct uproc p;
	struct uthread t;
	uint64_t mem_bytes;
	uint64_t enosys; /* calls noted */
	int enosys_number;
	uint64_t scratch; /* next free byte of guest memory */
	char tmp[64]; /* a directory of the host's */
	void (*body)(struct machine *m);
};
typedef struct machine rig;

/* ---- what sim/machine.c would provide ---- */

struct sim *machine_sim(struct machine *m) { return (m->sim); }
struct vm *machine_vm(struct machine *m) { return (m->vm); }
struct vfs *machine_vfs(struct machine *m) { return (m->vfs); }
struct sysstate *machine_sysstate(struct machine *m) { return (m->ss); }
struct cpu_engine *machine_cpu(struct machine *m) { return (&m->cpu); }
uint64_t machine_mem_bytes(const struct machine *m) { return (m->mem_bytes); }
bool machine_interrupted(const struct machine *m) { return (false); }
int32_t machine_last_pid(const struct machine *m) { return (m->p.pid); }

uint64_t
machine_user_cycles(const struct machine *m, uint32_t cpu)
{
	return (0);
}

uint64_t
machine_wall_ns(const struct machine *m)
{
	return (1000000000000000000ull + sim_to_ns(m->sim, sim_now(m->sim)));
}

void machine_host_nomem(struct machine *m) { }

void
machine_note_enosys(struct machine *m, int number, const uint64_t args[6],
    uint64_t rip)
{
	m->enosys++;
	m->enosys_number = number;
}

/* ---- a processor without instructions ---- */

static inline void
rig_get_regs(struct cpu_engine *e, const struct cpu_context *c,
    struct cpu_regs *regs)
{
	*regs = c->regs;
}

static inline void
rig_set_regs(struct cpu_engine *e, struct cpu_context *c,
    const struct cpu_regs *regs)
{
	c->regs = *regs;
}

static inline void
rig_get_fpu(struct cpu_engine *e, const struct cpu_context *c, void *fx)
{
	memcpy(fx, c->fx, 512);
}

static inline void
rig_set_fpu(struct cpu_engine *e, struct cpu_context *c, const void *fx)
{
	memcpy(c->fx, fx, 512);
}

static inline void
rig_code_changed(struct cpu_engine *e, struct pmap *pmap)
{
}

static const struct cpu_engine_ops rig_cpu_ops = {
	.name = "rig",
	.get_regs = rig_get_regs,
	.set_regs = rig_set_regs,
	.get_fpu = rig_get_fpu,
	.set_fpu = rig_set_fpu,
	.code_changed = rig_code_changed,
};

/* ---- building it ---- */

static inline struct disk *
rig_disk(rig *m, const char *name, uint64_t sectors)
{
	struct disk_params *p = &m->params[m->ndisks++];
	struct disk *d;

	strcpy(p->id, "rig");
	strcpy(p->scheduler, "fcfs");
	p->family = DISK_FIXED;
	p->fixed.sectors = sectors;
	p->fixed.read_ps = p->fixed.write_ps = 100 * PS_PER_US;
	p->fixed.sector_ps = 5 * PS_PER_US;
	p->fixed.queue_depth = 1;
	d = disk_create(m->sim, name, p, NULL);
	ck_assert_ptr_nonnull(d);
	return (d);
}

static inline void
rig_make_tmp(rig *m)
{
	strcpy(m->tmp, "/tmp/vmsim-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(m->tmp));
}

static inline void
rig_remove_tmp(rig *m)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", m->tmp);
	ck_assert_int_eq(system(cmd), 0);
}

/* Machine and kernel; the caller fills m->tmp and then makes the tree. */
static inline rig *
rig_kernel(uint32_t frames, uint64_t fs_sectors)
{
	struct vm_config vc = { .kernel = "bsd", .boot_pages = 64 };
	struct sim_config sc = { .rng_seed = 1 };
	struct sim_err err = { "" };
	rig *m = calloc(1, sizeof(*m));

	ck_assert_ptr_nonnull(m);
	m->mem_bytes = (uint64_t)frames * PAGE_SIZE;
	m->sim = sim_create(&sc);
	m->ts = tunables_create();
	m->mmu = mmu_create(m->sim, frames);
	m->vm = vm_create(m->sim, m->mmu, m->ts, &vc, &err);
	ck_assert_msg(m->vm != NULL, "%s", err.text);
	m->fs = rig_disk(m, "fs", fs_sectors);
	m->swap = rig_disk(m, "swap", 1 << 16);
	ck_assert_int_eq(disk_enable_contents(m->swap), 0);
	ck_assert_int_eq(vm_add_swap(m->vm, m->swap, 0, 1 << 16, &err), 0);
	ck_assert_msg(vm_boot(m->vm, &err) == 0, "%s", err.text);
	m->cpu.ops = &rig_cpu_ops;
	rig_make_tmp(m);
	return (m);
}

static inline void
rig_tree(rig *m, const struct vfs_config *given)
{
	const char *show[2] = { m->tmp, NULL };
	struct vfs_config fc = *given;
	struct sim_err err = { "" };

	fc.fs_disk = m->fs;
	fc.fs_sectors = disk_sectors(m->fs);
	fc.boot_epoch = 1000000000;
	if (fc.show == NULL)
		fc.show = show;
	ck_assert_msg(vfs_create(m->sim, m->vm, &fc, &m->vfs, &err) == 0,
	    "%s", err.text);
	m->ss = sysstate_create(m);
	ck_assert_ptr_nonnull(m->ss);
}

static inline void
rig_process(rig *m)
{
	static struct machine_config mc;
	struct sim_err err = { "" };
	struct uproc *p = &m->p;

	mc.stack_limit = 8u << 20;
	p->m = m;
	p->pid = p->pgid = p->sid = 100;
	strcpy(p->comm, "rig");
	p->exe_path = m->tmp;
	TAILQ_INIT(&p->threads);
	p->vs = vmspace_alloc(m->vm, USER_VA_MIN, USER_VA_MAX);
	ck_assert_ptr_nonnull(p->vs);
	p->proc = vm_proc_new(m->vm, p->pid, p->comm, p->vs, NULL);
	ck_assert_ptr_nonnull(p->proc);
	ck_assert_msg(uproc_init_files(p, &mc, &err) == 0, "%s", err.text);
	p->mem->brk_start = p->mem->brk = 0x20000000;
	m->t.p = p;
	m->t.tid = p->pid;
	m->t.ctx = &m->ctx;
	TAILQ_INSERT_TAIL(&p->threads, &m->t, link);
}

static inline void
rig_thread(void *arg)
{
	rig *m = arg;
	vm_offset_t at = RIG_SCRATCH;

	ck_assert_int_eq(vm_mmap(m->vm, m->p.vs, &at, RIG_SCRATCH_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL, VM_MAP_FIXED, NULL, 0),
	    0);
	m->scratch = RIG_SCRATCH;
	m->ctx.regs.r[R_RSP] = RIG_SCRATCH + RIG_SCRATCH_SIZE;
	m->ctx.regs.rip = 0x401002;
	m->body(m);
	m->p.exiting = false; /* tests of exit leave it so */
	fdtable_free(m->p.fds);
	m->p.fds = NULL;
	sim_stop(m->sim);
	sim_thread_exit(m->sim);
}

/* Runs body in the process's thread. */
static inline void
rig_run(rig *m, void (*body)(rig *))
{
	rig_process(m);
	m->body = body;
	m->t.st = sim_thread_create(m->sim, "rig", 160, rig_thread, m);
	m->t.td = vm_thread_new(m->vm, m->p.proc, m->t.tid, m->t.st);
	ck_assert_int_eq(sim_run(m->sim), SIM_STOPPED);
}

static inline void
rig_free(rig *m)
{
	if (m->p.sys != NULL)
		uproc_free_files(&m->p);
	rig_remove_tmp(m);
	sysstate_destroy(m->ss);
	vfs_destroy(m->vfs);
	vm_destroy(m->vm);
	disk_destroy(m->fs);
	disk_destroy(m->swap);
	mmu_destroy(m->mmu);
	tunables_destroy(m->ts);
	sim_destroy(m->sim);
	free(m);
}

/* The usual: everything, body in a thread, and away. */
static inline void
rig_test(const struct vfs_config *fc, void (*body)(rig *))
{
	static const struct vfs_config none;
	rig *m = rig_kernel(2048, 1 << 20);

	rig_tree(m, fc != NULL ? fc : &none);
	rig_run(m, body);
	rig_free(m);
}

/* ---- system calls from tests ---- */

static inline int64_t
rig_call6(rig *m, int number, const uint64_t a[6])
{
	struct cpu_regs *r = &m->ctx.regs;
	uint64_t rip = r->rip, rsp = r->r[R_RSP];
	int64_t ret;

	r->r[R_RAX] = (uint64_t)number;
	r->r[R_RDI] = a[0];
	r->r[R_RSI] = a[1];
	r->r[R_RDX] = a[2];
	r->r[R_R10] = a[3];
	r->r[R_R8] = a[4];
	r->r[R_R9] = a[5];
	syscall_dispatch(m, &m->t);
	ret = (int64_t)r->r[R_RAX];
	r->rip = rip;
	r->r[R_RSP] = rsp;
	return (ret);
}

#define CALL(m, number, ...) \
	rig_call6((m), (number), (const uint64_t[6]){ __VA_ARGS__ })

/* Room in guest memory, on a boundary of 16. */
static inline uint64_t
rig_room(rig *m, uint64_t n)
{
	uint64_t at = m->scratch;

	if (at + n > RIG_SCRATCH + RIG_SCRATCH_SIZE)
		at = RIG_SCRATCH;
	m->scratch = (at + n + 15) & ~15ull;
	return (at);
}

static inline void
rig_poke(rig *m, uint64_t va, const void *data, uint64_t n)
{
	ck_assert_int_eq(vm_copyout(m->vm, m->p.vs, va, data, n), 0);
}

static inline void
rig_peek(rig *m, uint64_t va, void *data, uint64_t n)
{
	ck_assert_int_eq(vm_copyin(m->vm, m->p.vs, va, data, n), 0);
}

static inline uint64_t
rig_put(rig *m, const void *data, uint64_t n)
{
	uint64_t at = rig_room(m, n);

	rig_poke(m, at, data, n);
	return (at);
}

static inline uint64_t
rig_str(rig *m, const char *s)
{
	return (rig_put(m, s, strlen(s) + 1));
}

/* ---- files of the host's ---- */

static inline const char *
rig_path(rig *m, const char *name)
{
	static char buf[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), "%s/%s", m->tmp, name);
	return (buf[i]);
}

static inline void
rig_host_file(rig *m, const char *name, const char *text)
{
	FILE *f = fopen(rig_path(m, name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static inline void
rig_host_text(rig *m, const char *name, char *buf, size_t size)
{
	FILE *f = fopen(rig_path(m, name), "r");
	size_t n;

	ck_assert_msg(f != NULL, "%s", name);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

#endif
