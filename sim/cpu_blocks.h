/*
 * cpu_blocks.h: what one translated block counts and costs, by address space,
 * program counter and size. Private to the Unicorn engine.
 *
 * Three levels, all of them caches of a pure function of the guest's bytes:
 *
 *	hot	direct-mapped, 16 bytes an entry, looked up by the block hook
 *	blocks	open addressing, (contents of page, pc, size) -> counts; shared
 *		between address spaces that map equal code at equal places
 *	pages	per address space, virtual page -> identity of its contents;
 *		checked against the frame whenever the page is fetched from
 *
 * So nothing has to be told when an executable mapping changes: the fetch
 * after the change notices other bytes and the old entries no longer match.
 */
#ifndef VMSIM_SIM_CPU_BLOCKS_H
#define VMSIM_SIM_CPU_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "mmu/mmu.h"
#include "sim/cpu_decode.h"

enum cpu_block_flags {
	CPU_BLOCK_CUT = 1, /* ends without a transfer of control */
	CPU_BLOCK_SPECIAL = 2, /* holds an instruction to be run by itself */
};

struct cpu_block {
	uint64_t pc;
	uint32_t page[2]; /* identities of the contents it was decoded from */
	uint32_t size; /* bytes, 0: free slot */
	uint32_t icount;
	uint32_t cycles;
	uint32_t need; /* cycles to the next possible stop, see cpu_blocks.c */
	uint32_t flags;
};

/*
 * An entry of the hot table. `tag` is pc, size and the address space's number
 * in one word; `word` is the cycles in its low half and the negated number of
 * instructions in its high half, so that one subtraction takes the cycles
 * from what is left of a run and adds the instructions to what it has done.
 */
struct cpu_hot {
	uint64_t tag;
	uint64_t word;
};
#define CPU_HOT_BITS 16
#define CPU_HOT_SIZE (1u << CPU_HOT_BITS)
#define CPU_PC_BITS 47 /* user addresses */
#define CPU_SIZE_BITS 13 /* a block is at most a page and an instruction */
#define CPU_SPACE_SHIFT (CPU_PC_BITS + CPU_SIZE_BITS)
#define CPU_SPACES 15u /* numbers 1 to 15; then the hot table is cleared */
#define CPU_TAG(pc, size, space_tag) \
	((pc) | (uint64_t)(size) << CPU_PC_BITS | (space_tag))
#define CPU_TAG_PC(tag) ((tag) & ((1ull << CPU_PC_BITS) - 1))
#define CPU_TAG_SIZE(tag) \
	((uint32_t)((tag) >> CPU_PC_BITS) & ((1u << CPU_SIZE_BITS) - 1))

static inline uint32_t
cpu_hot_index(uint64_t pc)
{
	return (uint32_t)(pc >> 1 ^ pc >> (CPU_HOT_BITS + 1)) &
	    (CPU_HOT_SIZE - 1);
}

struct cpu_blocks;
struct cpu_space; /* one address space */

/* hot: CPU_HOT_SIZE zeroed entries, kept by the caller. NULL: out of memory. */
struct cpu_blocks *cpu_blocks_new(struct mmu *mmu,
    const struct cpu_costs *costs, const struct cpu_decoder *decoder,
    struct cpu_hot *hot);
void cpu_blocks_free(struct cpu_blocks *bl);

/* The record of an address space, made at first use; NULL: out of memory. */
struct cpu_space *cpu_space_get(struct cpu_blocks *bl, struct pmap *pmap);
void cpu_space_drop(struct cpu_blocks *bl, struct pmap *pmap);
/* Its present part of a tag, given when it has none; it changes when code in
 * the space changes and when numbers run out. */
uint64_t cpu_space_tag(struct cpu_blocks *bl, struct cpu_space *s);

/* The page, in frame pfn, is about to be fetched from: compare its contents.
 * The space's tag may change. */
void cpu_space_fetch(struct cpu_blocks *bl, struct cpu_space *s,
    vm_offset_t va, pfn_t pfn);
/* The frame's bytes are about to change. */
void cpu_blocks_frame_changes(struct cpu_blocks *bl, pfn_t pfn);

/* The block's counts, decoded at first sight. Never fails: when the host has
 * no memory left the result is just not kept. */
const struct cpu_block *cpu_block_get(struct cpu_blocks *bl,
    struct cpu_space *s, uint64_t pc, uint32_t size);
/* Make the hot table find it, if it may. */
void cpu_block_heat(struct cpu_blocks *bl, struct cpu_space *s,
    const struct cpu_block *b);

/* Everything is decoded again; for when the table is full, and for tests. */
void cpu_blocks_forget(struct cpu_blocks *bl);

/* Instructions and cycles of [pc, end), for a block left in the middle. */
void cpu_blocks_part(struct cpu_blocks *bl, struct cpu_space *s, uint64_t pc,
    uint64_t end, uint32_t *icount, uint32_t *cycles);
/* Copy up to n bytes of code; returns how many were mapped. */
size_t cpu_blocks_read(struct cpu_blocks *bl, struct cpu_space *s,
    uint64_t pc, uint8_t *buf, size_t n);

/* Blocks decoded so far, for statistics. */
uint64_t cpu_blocks_decoded(const struct cpu_blocks *bl);

#endif
