/*
 * bare: runs a static ELF in bare Unicorn: flat mapping, no hooks but the
 * system call's, no counting. The yardstick of bench.sh: same engine, same
 * version, same program. Knows just the calls that the benchmark guests make.
 *
 * usage: bare PROGRAM [ARG]...
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unicorn/unicorn.h>

#define RAM_BASE 0x400000ull
#define RAM_SIZE (1ull << 30)
#define BRK_BASE 0x10000000ull
#define MMAP_BASE 0x20000000ull
#define STACK_TOP (RAM_BASE + RAM_SIZE - 4096)

struct bare {
	uint8_t *ram;
	uint64_t brk, mmap_next;
	int exit_code;
};

static void
die(const char *what)
{
	fprintf(stderr, "bare: %s\n", what);
	exit(70);
}

static uint8_t *
at(struct bare *b, uint64_t va)
{
	if (va < RAM_BASE || va >= RAM_BASE + RAM_SIZE)
		die("guest address outside the flat map");
	return (b->ram + (va - RAM_BASE));
}

static int64_t
call(uc_engine *uc, struct bare *b, uint64_t nr, const uint64_t a[6])
{
	switch (nr) {
	case 1: /* write */
		return (write((int)a[0], at(b, a[1]), a[2]));
	case 5: case 262: { /* fstat, newfstatat: a pipe */
		struct stat st = { .st_mode = S_IFIFO | 0600,
			.st_blksize = 4096 };
		memcpy(at(b, nr == 5 ? a[1] : a[2]), &st, sizeof(st));
		return (0);
	}
	case 9: { /* mmap, anonymous */
		uint64_t va = b->mmap_next;

		b->mmap_next += (a[1] + 4095) & ~4095ull;
		return ((int64_t)va);
	}
	case 10: case 11: case 13: case 14: /* mprotect munmap sigaction */
		return (0);
	case 12: /* brk */
		if (a[0] >= BRK_BASE && a[0] < MMAP_BASE)
			b->brk = a[0];
		return ((int64_t)b->brk);
	case 158: /* arch_prctl */
		if (a[0] != 0x1002)
			return (-EINVAL);
		uc_reg_write(uc, UC_X86_REG_FS_BASE, &a[1]);
		return (0);
	case 60: case 231:
		b->exit_code = (int)a[0];
		uc_emu_stop(uc);
		return (0);
	case 218:
		return (1);
	case 302: /* prlimit64 */
		if (a[3] != 0)
			memcpy(at(b, a[3]), (uint64_t[]) { 8 << 20, 8 << 20 },
			    16);
		return (0);
	case 318: /* getrandom */
		memset(at(b, a[0]), 7, a[1]);
		return ((int64_t)a[1]);
	default:
		return (-ENOSYS);
	}
}

static void
on_syscall(uc_engine *uc, void *arg)
{
	static const int regs[6] = { UC_X86_REG_RDI, UC_X86_REG_RSI,
		UC_X86_REG_RDX, UC_X86_REG_R10, UC_X86_REG_R8, UC_X86_REG_R9 };
	uint64_t nr, a[6], ret;

	uc_reg_read(uc, UC_X86_REG_RAX, &nr);
	for (int i = 0; i < 6; i++)
		uc_reg_read(uc, regs[i], &a[i]);
	ret = (uint64_t)call(uc, arg, nr, a);
	uc_reg_write(uc, UC_X86_REG_RAX, &ret);
}

static uint64_t
load(struct bare *b, const char *path, uint64_t *phdr, int *phnum)
{
	static uint8_t buf[16 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	const Elf64_Ehdr *eh = (const void *)buf;
	const Elf64_Phdr *ph;

	if (n < (ssize_t)sizeof(*eh) || memcmp(buf, ELFMAG, SELFMAG) != 0 ||
	    eh->e_type != ET_EXEC)
		die("not a static ET_EXEC program");
	ph = (const void *)(buf + eh->e_phoff);
	*phnum = eh->e_phnum;
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		memcpy(at(b, ph[i].p_vaddr), buf + ph[i].p_offset,
		    ph[i].p_filesz);
		if (ph[i].p_offset == 0)
			*phdr = ph[i].p_vaddr + eh->e_phoff;
	}
	close(fd);
	return (eh->e_entry);
}

static uint64_t
build_stack(struct bare *b, int argc, char **argv, uint64_t entry,
    uint64_t phdr, int phnum)
{
	uint64_t sp = STACK_TOP - 8192, str = STACK_TOP - 4096, w[64];
	int n = 0;

	w[n++] = (uint64_t)argc;
	for (int i = 0; i < argc; i++) {
		w[n++] = str;
		strcpy((char *)at(b, str), argv[i]);
		str += strlen(argv[i]) + 1;
	}
	w[n++] = 0;
	w[n++] = 0;
	const uint64_t aux[][2] = { { AT_PHDR, phdr }, { AT_PHENT, 56 },
		{ AT_PHNUM, (uint64_t)phnum }, { AT_PAGESZ, 4096 },
		{ AT_ENTRY, entry }, { AT_RANDOM, STACK_TOP - 64 },
		{ AT_UID, 0 }, { AT_EUID, 0 }, { AT_GID, 0 }, { AT_EGID, 0 },
		{ AT_SECURE, 0 }, { AT_NULL, 0 } };
	for (size_t i = 0; i < sizeof(aux) / sizeof(aux[0]); i++) {
		w[n++] = aux[i][0];
		w[n++] = aux[i][1];
	}
	memcpy(at(b, sp), w, (size_t)n * 8);
	return (sp);
}

int
main(int argc, char **argv)
{
	struct bare b = { .brk = BRK_BASE, .mmap_next = MMAP_BASE };
	uint64_t entry, phdr = 0, sp, cr4 = 0x600;
	struct timespec t;
	int phnum;
	uc_engine *uc;
	uc_hook h;
	uc_err e;

	if (argc < 2)
		die("usage: bare PROGRAM [ARG]...");
	b.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (b.ram == MAP_FAILED || uc_open(UC_ARCH_X86, UC_MODE_64, &uc) != 0)
		die("no engine");
	uc_ctl_set_cpu_model(uc, UC_CPU_X86_WESTMERE);
	uc_mem_map_ptr(uc, RAM_BASE, RAM_SIZE, UC_PROT_ALL, b.ram);
	uc_reg_write(uc, UC_X86_REG_CR4, &cr4);
	uc_hook_add(uc, &h, UC_HOOK_INSN, (void *)on_syscall, &b, 1, 0,
	    UC_X86_INS_SYSCALL);
	entry = load(&b, argv[1], &phdr, &phnum);
	sp = build_stack(&b, argc - 1, argv + 1, entry, phdr, phnum);
	uc_reg_write(uc, UC_X86_REG_RSP, &sp);
	e = uc_emu_start(uc, entry, 0, 0, 0);
	if (e != UC_ERR_OK) {
		fprintf(stderr, "bare: %s\n", uc_strerror(e));
		return (70);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	fprintf(stderr, "cpu %.6f\n", (double)t.tv_sec + t.tv_nsec / 1e9);
	return (b.exit_code);
}
