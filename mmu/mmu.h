/*
 * mmu: physical memory, four-level page tables, pmap with reverse mappings,
 * reference and modify bits, and the state of the CPU's TLB. Knows frames
 * and page-table bits, not vm_page: what a lost mapping's bits mean for the
 * page goes up through struct mmu_ops.
 *
 * Source: reference "kernel companions" section 5 (amd64 pmap, Jan 2016, and
 * its FreeBSD 5 differences), Unicorn notes sections 2 and 5.
 */
#ifndef VMSIM_MMU_MMU_H
#define VMSIM_MMU_MMU_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/sim.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096u
#define PAGE_MASK 4095u

typedef uint64_t vm_offset_t; /* virtual address */
typedef uint64_t vm_paddr_t; /* physical address */
typedef uint32_t pfn_t; /* frame number: physical address >> PAGE_SHIFT */
#define PFN_NONE UINT32_MAX

#define VM_PROT_NONE 0
#define VM_PROT_READ 1
#define VM_PROT_WRITE 2
#define VM_PROT_EXECUTE 4
#define VM_PROT_ALL 7

struct mmu;
struct pmap;

/* A page-table entry: 64 bits, as the CPU's fill callback reads it. */
typedef uint64_t pte_t;
#define PTE_V 0x001ull /* valid */
#define PTE_RW 0x002ull /* writable */
#define PTE_U 0x004ull /* readable by the user (PROT_NONE: clear) */
#define PTE_X 0x008ull /* executable */
#define PTE_A 0x020ull /* referenced (accessed) */
#define PTE_M 0x040ull /* modified (dirty) */
#define PTE_WIRED 0x200ull
#define PTE_MANAGED 0x400ull /* has a reverse mapping */
#define PTE_FRAME(pte) ((pfn_t)((pte) >> PAGE_SHIFT))

/* Calls upward. All may be NULL. */
struct mmu_ops {
	/* A mapping with M and RW went away or lost write permission. */
	void (*page_dirty)(void *ctx, pfn_t pfn);
	/* A mapping with A went away. */
	void (*page_reference)(void *ctx, pfn_t pfn);
	/* A writable managed mapping came (true), the last mapping or all
	 * write permission went (false): PG_WRITEABLE. */
	void (*page_writeable)(void *ctx, pfn_t pfn, bool writeable);
	/* Is the page exclusively busied / flagged writeable? pmap_is_modified
	 * and pmap_remove_write short-cut on it. */
	bool (*page_xbusied)(void *ctx, pfn_t pfn);
	bool (*page_is_writeable)(void *ctx, pfn_t pfn);
};

/* What the simulated CPU must do; set by whoever owns the engine. */
struct mmu_cpu_ops {
	/* Kill code translated from this frame (its bytes change, or the
	 * frame goes to another owner). Called only while frame has code. */
	void (*kill_code)(void *ctx, pfn_t pfn);
};

/*
 * frames: number of frames of simulated RAM, at physical addresses from 0.
 * The host memory is one mmap, zeroed and populated.
 */
struct mmu *mmu_create(struct sim *sim, uint32_t frames);
void mmu_destroy(struct mmu *mmu);
void mmu_set_ops(struct mmu *mmu, const struct mmu_ops *ops, void *ctx);
void mmu_set_cpu_ops(struct mmu *mmu, const struct mmu_cpu_ops *ops, void *ctx);
uint32_t mmu_frames(const struct mmu *mmu);
/* Base of simulated RAM on the host, for uc_mem_map_ptr. */
void *mmu_ram(struct mmu *mmu);
/* Read-only view of a frame's bytes. */
const void *mmu_frame_data(const struct mmu *mmu, pfn_t pfn);
/* The same for writing by the kernel or a device: kills translated code of
 * the frame first (notes, rule 7). Does not touch R and M bits. */
void *mmu_frame_data_write(struct mmu *mmu, pfn_t pfn);
void mmu_zero_frame(struct mmu *mmu, pfn_t pfn);
void mmu_zero_area(struct mmu *mmu, pfn_t pfn, uint32_t offset, uint32_t size);
void mmu_copy_frame(struct mmu *mmu, pfn_t from, pfn_t to);

/* ---- pmap: one address space ---- */

struct pmap *pmap_create(struct mmu *mmu);
/* All mappings must be gone (pmap_remove_pages). */
void pmap_destroy(struct pmap *pmap);
uint32_t pmap_id(const struct pmap *pmap); /* 1, 2, ... in order of creation */

enum { PMAP_ENTER_WRITE_FAULT = 1, PMAP_ENTER_WIRED = 2,
	PMAP_ENTER_UNMANAGED = 4 };
/* Contract of every function: companions 5.1. `prot` also carries
 * VM_PROT_EXECUTE; VM_PROT_READ absent makes a PTE the user cannot read. */
void pmap_enter(struct pmap *pmap, vm_offset_t va, pfn_t pfn, int prot,
    int flags);
/* false: the slot was in use. */
bool pmap_enter_quick(struct pmap *pmap, vm_offset_t va, pfn_t pfn, int prot);
void pmap_remove(struct pmap *pmap, vm_offset_t start, vm_offset_t end);
/* Takes rights away, never adds any; without VM_PROT_READ it is pmap_remove. */
void pmap_protect(struct pmap *pmap, vm_offset_t start, vm_offset_t end,
    int prot);
/* Process exit: tears down all that is not wired; RW+M still reported, A not.
 * Wired mappings stay until they are unwired and pmap_remove'd. */
void pmap_remove_pages(struct pmap *pmap);
/* Fork: copies managed mappings without wiring, A and M; empty slots only.
 * RW is copied too: write-protect first what is copied on write. Nothing
 * happens unless both addresses are the same. */
void pmap_copy(struct pmap *dst, struct pmap *src, vm_offset_t dst_addr,
    uint64_t length, vm_offset_t src_addr);
enum { PMAP_ADVISE_DONTNEED, PMAP_ADVISE_FREE };
void pmap_advise(struct pmap *pmap, vm_offset_t start, vm_offset_t end,
    int advice);
void pmap_change_wiring(struct pmap *pmap, vm_offset_t va, bool wired);
/* The frame mapped at va, PFN_NONE when none. */
pfn_t pmap_extract(struct pmap *pmap, vm_offset_t va);
/* The entry itself for the CPU's fill callback and for copyin/copyout: NULL
 * when no page-table page covers va. The holder may set A and M only. */
pte_t *pmap_pte(struct pmap *pmap, vm_offset_t va);
/* Number of valid mappings: the process's resident set, pages. */
uint64_t pmap_resident_count(const struct pmap *pmap);
/* Of them wired. */
uint64_t pmap_wired_count(const struct pmap *pmap);

/* ---- all mappings of one frame ---- */

void pmap_remove_all(struct mmu *mmu, pfn_t pfn);
void pmap_remove_write(struct mmu *mmu, pfn_t pfn);
/* FreeBSD 5's pmap_page_protect: READ as remove_write, NONE as remove_all. */
void pmap_page_protect(struct mmu *mmu, pfn_t pfn, int prot);
/* 0..5, rotating the reverse list; clears the A bits it counts. */
int pmap_ts_referenced(struct mmu *mmu, pfn_t pfn);
bool pmap_is_modified(struct mmu *mmu, pfn_t pfn);
bool pmap_is_referenced(struct mmu *mmu, pfn_t pfn);
void pmap_clear_modify(struct mmu *mmu, pfn_t pfn);
void pmap_clear_reference(struct mmu *mmu, pfn_t pfn);
/* Looks at 16 reverse entries at most. */
bool pmap_page_exists_quick(struct pmap *pmap, pfn_t pfn);
bool pmap_page_is_mapped(struct mmu *mmu, pfn_t pfn);
uint32_t pmap_page_mappings(const struct mmu *mmu, pfn_t pfn);
/* Visit the mappings of a frame, head of the list first. */
void pmap_page_foreach(struct mmu *mmu, pfn_t pfn,
    void (*fn)(void *ctx, struct pmap *pmap, vm_offset_t va, pte_t pte),
    void *ctx);

/* ---- the CPU's side ---- */

/*
 * TLB state. Whoever clears A or M, removes or downgrades a mapping bumps
 * the generation; a CPU whose own generation differs flushes once before it
 * executes again.
 */
uint64_t mmu_tlb_gen(const struct mmu *mmu);
void mmu_tlb_stale(struct mmu *mmu);

/* Per-frame state of the code/write protocol (notes, section 5). */
struct mmu_frame_cpu {
	uint32_t wgen; /* CPU's flush generation at the last write fill */
	uint8_t has_code; /* translated blocks may exist */
};
struct mmu_frame_cpu *mmu_frame_cpu(struct mmu *mmu, pfn_t pfn);

/* Host bytes used besides the frames' contents. */
uint64_t mmu_overhead_bytes(const struct mmu *mmu);
/* Reverse lists against page tables; panics when they disagree. */
void mmu_check(struct mmu *mmu);

#endif /* VMSIM_MMU_MMU_H */
