/*
 * small_elf.h: a whole ELF program in half a kilobyte, for tests and as the
 * fuzzer's seed: headers, interpreter's name, text, data, section table.
 */
#ifndef VMSIM_TESTS_SMALL_ELF_H
#define VMSIM_TESTS_SMALL_ELF_H

#include <elf.h>
#include <stddef.h>
#include <string.h>

#define SMALL_PHDRS 5
#define SMALL_BASE 0x400000ull

struct small {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[SMALL_PHDRS];
	char interp[28];
	unsigned char text[100];
	unsigned char data[64];
	Elf64_Shdr sh[2];
};

static inline Elf64_Phdr
small_phdr(uint32_t type, uint32_t flags, uint64_t offset, uint64_t va,
    uint64_t filesz, uint64_t memsz)
{
	return (Elf64_Phdr) { .p_type = type, .p_flags = flags,
		.p_offset = offset, .p_vaddr = va, .p_paddr = va,
		.p_filesz = filesz, .p_memsz = memsz, .p_align = 4096 };
}

static inline void
small_make(struct small *s)
{
	const size_t text_end = offsetof(struct small, data);
	const size_t data = offsetof(struct small, data);

	memset(s, 0, sizeof(*s));
	memcpy(s->eh.e_ident, ELFMAG, SELFMAG);
	s->eh.e_ident[EI_CLASS] = ELFCLASS64;
	s->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	s->eh.e_ident[EI_VERSION] = EV_CURRENT;
	s->eh.e_type = ET_EXEC;
	s->eh.e_machine = EM_X86_64;
	s->eh.e_version = EV_CURRENT;
	s->eh.e_entry = SMALL_BASE + offsetof(struct small, text);
	s->eh.e_phoff = offsetof(struct small, ph);
	s->eh.e_shoff = offsetof(struct small, sh);
	s->eh.e_ehsize = sizeof(s->eh);
	s->eh.e_phentsize = sizeof(s->ph[0]);
	s->eh.e_phnum = SMALL_PHDRS;
	s->eh.e_shentsize = sizeof(s->sh[0]);
	s->eh.e_shnum = 2;
	s->ph[0] = small_phdr(PT_PHDR, PF_R, s->eh.e_phoff, SMALL_BASE + s->eh.e_phoff,
	    sizeof(s->ph), sizeof(s->ph));
	s->ph[1] = small_phdr(PT_INTERP, PF_R, offsetof(struct small, interp),
	    SMALL_BASE + offsetof(struct small, interp), sizeof(s->interp),
	    sizeof(s->interp));
	s->ph[2] = small_phdr(PT_LOAD, PF_R | PF_X, 0, SMALL_BASE, text_end, text_end);
	s->ph[3] = small_phdr(PT_LOAD, PF_R | PF_W, data, SMALL_BASE + 0x1000 + data,
	    sizeof(s->data), 0x3000);
	s->ph[4] = small_phdr(PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
	strcpy(s->interp, "/lib64/ld-linux-x86-64.so.2");
}

#endif
