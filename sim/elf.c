/*
 * elf.c: reads and checks the headers of an ELF program.
 *
 * Interface: elf_parse in uproc.h, struct elf_info in elf_info.h.
 * Source: System V ABI (gABI) chapters 4 and 5, AMD64 supplement; limits and
 * the choice of what is an error follow Linux fs/binfmt_elf.c where it
 * refuses too.
 * Differs: Linux starts some damaged files and lets them crash; here a file
 * whose header tables or segments do not fit into it, whose segments overlap
 * or whose entry point is in no code is refused with one line that says so.
 */
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sim/elf_info.h"
#include "sim/uproc.h"

struct elf_reader {
	const char *name;
	ssize_t (*pread_fn)(void *ctx, void *buf, size_t n, uint64_t off);
	void *ctx;
	uint64_t size; /* bytes in the file */
	struct elf_info *out;
	struct sim_err *err;
};

/* Read exactly n bytes; `what` names them in the message. */
static int
elf_read(struct elf_reader *r, void *buf, size_t n, uint64_t off,
    const char *what)
{
	ssize_t got;

	if (off > r->size || n > r->size - off)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: truncated ELF file: %s ends at byte %llu, the file "
		    "at %llu; get a complete copy", r->name, what,
		    (unsigned long long)(off + n),
		    (unsigned long long)r->size);
	got = r->pread_fn(r->ctx, buf, n, off);
	if (got == (ssize_t)n)
		return 0;
	return sim_err_set(r->err, EIO, "%s: cannot read %s: %s", r->name,
	    what, got < 0 ? strerror((int)-got) : "short read");
}

static const char *
machine_name(unsigned machine)
{
	switch (machine) {
	case EM_X86_64:
		return "x86-64";
	case EM_386:
		return "i386";
	case EM_ARM:
		return "ARM";
	case EM_AARCH64:
		return "AArch64";
	case EM_PPC64:
		return "PowerPC";
	case EM_RISCV:
		return "RISC-V";
	case EM_S390:
		return "S/390";
	case EM_MIPS:
		return "MIPS";
	default:
		return "another machine";
	}
}

static int
elf_not_for_us(struct elf_reader *r, unsigned bits, unsigned machine)
{
	return sim_err_set(r->err, ENOEXEC,
	    "%s: a program for %s (%u-bit ELF, e_machine %u); vmsim runs "
	    "64-bit x86-64 Linux programs", r->name, machine_name(machine),
	    bits, machine);
}

static int
elf_check_ident(struct elf_reader *r)
{
	unsigned char id[EI_NIDENT];
	Elf32_Half machine = EM_NONE;
	size_t n = r->size < sizeof(id) ? (size_t)r->size : sizeof(id);
	size_t magic = n < SELFMAG ? n : SELFMAG;

	memset(id, 0, sizeof(id));
	if (n == 0)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: the file is empty, not a program", r->name);
	if (r->pread_fn(r->ctx, id, n, 0) != (ssize_t)n)
		return sim_err_set(r->err, EIO, "%s: cannot read its start",
		    r->name);
	if (memcmp(id, ELFMAG, magic) != 0)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: not an ELF program and not a #! script (starts with "
		    "byte 0x%02x); give a program for x86-64 Linux", r->name,
		    id[0]);
	if (n < sizeof(id))
		return elf_read(r, id, sizeof(id), 0, "the ELF header");
	if (id[EI_CLASS] == ELFCLASS32 && id[EI_DATA] == ELFDATA2LSB) {
		int error = elf_read(r, &machine, sizeof(machine),
		    offsetof(Elf32_Ehdr, e_machine), "the ELF header");

		return error != 0 ? error : elf_not_for_us(r, 32, machine);
	}
	if (id[EI_CLASS] != ELFCLASS64 || id[EI_DATA] != ELFDATA2LSB ||
	    id[EI_VERSION] != EV_CURRENT)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: ELF class %u, data encoding %u, version %u; vmsim "
		    "runs 64-bit little-endian version 1", r->name,
		    id[EI_CLASS], id[EI_DATA], id[EI_VERSION]);
	return 0;
}

static int
elf_check_header(struct elf_reader *r, const Elf64_Ehdr *eh)
{
	if (eh->e_machine != EM_X86_64)
		return elf_not_for_us(r, 64, eh->e_machine);
	if (eh->e_type == ET_REL)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: an object file; link it into a program first",
		    r->name);
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: ELF type %u is not a program (2 or 3 is)", r->name,
		    eh->e_type);
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 ||
	    eh->e_phnum > ELF_PHDRS_MAX)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: bad program header table: %u entries of %u bytes "
		    "(1 to %u of %zu are possible)", r->name, eh->e_phnum,
		    eh->e_phentsize, ELF_PHDRS_MAX, sizeof(Elf64_Phdr));
	return 0;
}

/* A cut-off copy of a program shows in its last part, the section table. */
static int
elf_check_sections(struct elf_reader *r, const Elf64_Ehdr *eh)
{
	uint64_t bytes = (uint64_t)eh->e_shnum * eh->e_shentsize;

	if (eh->e_shoff == 0 || bytes == 0)
		return 0;
	if (eh->e_shoff <= r->size && bytes <= r->size - eh->e_shoff)
		return 0;
	return sim_err_set(r->err, ENOEXEC,
	    "%s: truncated ELF file: the section header table at byte %llu "
	    "has %llu bytes, the file ends at %llu; get a complete copy",
	    r->name, (unsigned long long)eh->e_shoff,
	    (unsigned long long)bytes, (unsigned long long)r->size);
}

static int
elf_bad_segment(struct elf_reader *r, unsigned i, const char *what)
{
	return sim_err_set(r->err, ENOEXEC,
	    "%s: program header %u: %s; the file is damaged", r->name, i,
	    what);
}

static int
elf_check_load(struct elf_reader *r, unsigned i, const Elf64_Phdr *ph)
{
	if (ph->p_filesz > ph->p_memsz)
		return elf_bad_segment(r, i,
		    "more bytes in the file than in memory");
	if (ph->p_align > ELF_ALIGN_MAX)
		return elf_bad_segment(r, i, "an absurd alignment");
	if (ph->p_vaddr >= USER_VA_MAX ||
	    ph->p_memsz > USER_VA_MAX - ph->p_vaddr)
		return elf_bad_segment(r, i,
		    "a segment beyond the user's addresses");
	if ((ph->p_vaddr & PAGE_MASK) != (ph->p_offset & PAGE_MASK) &&
	    ph->p_filesz != 0)
		return elf_bad_segment(r, i,
		    "address and file offset differ within the page");
	if (ph->p_offset > r->size || ph->p_filesz > r->size - ph->p_offset)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: truncated ELF file: segment %u needs bytes %llu to "
		    "%llu, the file ends at %llu; get a complete copy",
		    r->name, i, (unsigned long long)ph->p_offset,
		    (unsigned long long)(ph->p_offset + ph->p_filesz),
		    (unsigned long long)r->size);
	return 0;
}

static int
elf_prot(uint32_t flags)
{
	return (flags & PF_R ? VM_PROT_READ : 0) |
	    (flags & PF_W ? VM_PROT_WRITE : 0) |
	    (flags & PF_X ? VM_PROT_EXECUTE : 0);
}

static int
elf_add_load(struct elf_reader *r, unsigned i, const Elf64_Phdr *ph)
{
	struct elf_info *out = r->out;
	struct elf_segment *s = &out->seg[out->nsegments];
	uint64_t end = ph->p_vaddr + ph->p_memsz;
	int error = elf_check_load(r, i, ph);

	if (error != 0)
		return error;
	if (ph->p_memsz == 0)
		return 0;
	if (out->nsegments == ELF_SEGMENTS_MAX)
		return elf_bad_segment(r, i, "too many segments to load");
	if (out->nsegments > 0 && ph->p_vaddr < s[-1].vaddr + s[-1].memsz)
		return elf_bad_segment(r, i,
		    "the segment overlaps or precedes the one before it");
	s->vaddr = ph->p_vaddr;
	s->memsz = ph->p_memsz;
	s->offset = ph->p_offset;
	s->filesz = ph->p_filesz;
	s->prot = elf_prot(ph->p_flags);
	if (ph->p_align > out->align && (ph->p_align & (ph->p_align - 1)) == 0)
		out->align = ph->p_align;
	if (out->nsegments++ == 0)
		out->low = ph->p_vaddr & ~(uint64_t)PAGE_MASK;
	out->high = (end + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
	return 0;
}

static int
elf_add_interp(struct elf_reader *r, unsigned i, const Elf64_Phdr *ph)
{
	char *name = r->out->interp;
	int error;

	if (name[0] != '\0')
		return 0; /* as Linux: the first one counts */
	if (ph->p_filesz < 2 || ph->p_filesz > ELF_INTERP_MAX)
		return elf_bad_segment(r, i,
		    "the interpreter's name is empty or too long");
	error = elf_read(r, name, ph->p_filesz, ph->p_offset,
	    "the interpreter's name");
	if (error != 0)
		return error;
	if (name[ph->p_filesz - 1] != '\0' || name[0] == '\0') {
		name[0] = '\0';
		return elf_bad_segment(r, i,
		    "the interpreter's name is not a string");
	}
	return 0;
}

static int
elf_add_phdr(struct elf_reader *r, unsigned i, const Elf64_Phdr *ph)
{
	switch (ph->p_type) {
	case PT_LOAD:
		return elf_add_load(r, i, ph);
	case PT_INTERP:
		return elf_add_interp(r, i, ph);
	case PT_GNU_STACK:
		r->out->exec_stack = (ph->p_flags & PF_X) != 0;
		return 0;
	default:
		return 0;
	}
}

/* Where the program will find its own headers, and that it can start. */
static int
elf_check_whole(struct elf_reader *r, const Elf64_Ehdr *eh)
{
	struct elf_info *out = r->out;
	bool entry_ok = false;

	for (unsigned i = 0; i < out->nsegments; i++) {
		const struct elf_segment *s = &out->seg[i];

		if (eh->e_phoff >= s->offset &&
		    eh->e_phoff - s->offset < s->filesz)
			out->phdr_vaddr = eh->e_phoff - s->offset + s->vaddr;
		if ((s->prot & VM_PROT_EXECUTE) && out->entry >= s->vaddr &&
		    out->entry - s->vaddr < s->memsz)
			entry_ok = true;
	}
	if (out->nsegments == 0)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: no segment to load; it is not a program", r->name);
	if (!entry_ok)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: its entry point %#llx is in no executable segment; "
		    "it is not a program", r->name,
		    (unsigned long long)out->entry);
	if (!out->dyn && out->low < USER_VA_MIN)
		return sim_err_set(r->err, ENOEXEC,
		    "%s: wants to be loaded at %#llx, below %#llx; link it "
		    "higher", r->name, (unsigned long long)out->low,
		    (unsigned long long)USER_VA_MIN);
	return 0;
}

/*
 * elf_parse: read and check all headers of the program `name`.
 * pread_fn gives bytes of the file as pread(2), negative errno on failure.
 * Source:  gABI; Linux fs/binfmt_elf.c, load_elf_binary().
 * Errors:  -ENOEXEC not a program for this machine, damaged or truncated;
 *          -EIO unreadable. One line in err; out is then meaningless.
 */
int
elf_parse(const char *name,
    ssize_t (*pread_fn)(void *ctx, void *buf, size_t n, uint64_t off),
    void *ctx, uint64_t file_size, struct elf_info *out, struct sim_err *err)
{
	struct elf_reader r = { name, pread_fn, ctx, file_size, out, err };
	Elf64_Ehdr eh;
	int error;

	memset(out, 0, sizeof(*out));
	out->align = PAGE_SIZE;
	error = elf_check_ident(&r);
	if (error == 0)
		error = elf_read(&r, &eh, sizeof(eh), 0, "the ELF header");
	if (error == 0)
		error = elf_check_header(&r, &eh);
	if (error != 0)
		return error;
	out->dyn = eh.e_type == ET_DYN;
	out->entry = eh.e_entry;
	out->phnum = eh.e_phnum;
	for (unsigned i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		if (eh.e_phoff > UINT64_MAX / 2)
			return elf_bad_segment(&r, i, "it is nowhere");
		error = elf_read(&r, &ph, sizeof(ph),
		    eh.e_phoff + i * sizeof(ph), "the program header table");
		if (error == 0)
			error = elf_add_phdr(&r, i, &ph);
		if (error != 0)
			return error;
	}
	error = elf_check_sections(&r, &eh);
	if (error != 0)
		return error;
	return elf_check_whole(&r, &eh);
}
