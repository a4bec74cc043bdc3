/*
 * elf_info.h: what elf_parse finds in an ELF file's headers.
 */
#ifndef VMSIM_SIM_ELF_INFO_H
#define VMSIM_SIM_ELF_INFO_H

#include <stdbool.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 64
#define ELF_PHDRS_MAX 512
#define ELF_INTERP_MAX 4096
#define ELF_ALIGN_MAX (1ull << 30) /* bytes */

struct elf_segment { /* one PT_LOAD; addresses before the load bias */
	uint64_t vaddr, memsz; /* bytes */
	uint64_t offset, filesz; /* bytes in the file */
	int prot; /* VM_PROT_* */
};

struct elf_info {
	bool dyn; /* ET_DYN: goes anywhere */
	bool exec_stack; /* PT_GNU_STACK asks for it */
	uint64_t entry;
	uint64_t phdr_vaddr; /* AT_PHDR, 0: in no segment */
	uint16_t phnum;
	uint64_t low, high; /* span of all segments, whole pages */
	uint64_t align; /* of the load bias: the segments' largest, bytes */
	unsigned nsegments;
	struct elf_segment seg[ELF_SEGMENTS_MAX]; /* ascending, disjoint */
	char interp[ELF_INTERP_MAX]; /* "" when the file names none */
};

#endif
