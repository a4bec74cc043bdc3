/*
 * cpu_blocks.c: instruction counts and cycle costs of translated blocks.
 *
 * Interface: cpu_blocks.h.
 * Source: Unicorn notes section 4; the identity of page contents is ours.
 * Differs: the notes clear an address space's table when executable mappings
 * change; here every fetch of a page compares its contents, so evicting and
 * reading back a text page costs one checksum and no decoding.
 *
 * Where a run may be stopped. The emulator cuts straight-line code into
 * blocks at places that can depend on the host (a limit of internal
 * operations), so "before the block that would exceed the limit" must not
 * depend on them. Therefore:
 *   - a run is stopped only at a block that follows a transfer of control
 *     (CPU_BLOCK_CUT is clear in the previous one);
 *   - what is compared with the limit is not the block's cost but `need`, the
 *     cost from its start to the first transfer of control, as far as that
 *     lies in the page of the start.
 * Both depend on the guest's bytes alone. In nearly all blocks need equals
 * cycles; only code that runs straight over a page end can overshoot.
 */
#include "sim/cpu_blocks.h"

#include <stdlib.h>
#include <string.h>

#define BLOCKS_MIN 4096u
#define BLOCKS_MAX (1u << 20) /* then everything is forgotten and rebuilt */
#define PAGES_MIN 64u
#define SPACE_BUCKETS 64u

struct space_page {
	uint64_t vpn; /* 0: free slot (page 0 is never mapped for users) */
	uint32_t version; /* of the frame when it was compared */
	pfn_t pfn;
	uint32_t content; /* identity */
};

struct cpu_space {
	struct cpu_space *next; /* in the bucket */
	struct pmap *pmap;
	uint32_t id; /* pmap_id */
	uint32_t number; /* in the hot table, 0: none now */
	uint32_t npages, page_slots;
	struct space_page *pages; /* open addressing by vpn */
};

/* Interned contents: equal bytes at an equal address have one identity. */
struct content {
	uint64_t vpn;
	uint64_t sum[2];
	uint32_t id; /* 0: free slot */
};

struct cpu_blocks {
	struct mmu *mmu;
	const struct cpu_costs *costs;
	const struct cpu_decoder *decoder;
	struct cpu_hot *hot;
	uint32_t last_number;
	uint32_t last_content;
	uint64_t decoded; /* blocks, ever */
	uint32_t nblocks, block_slots;
	struct cpu_block *blocks;
	uint32_t ncontents, content_slots;
	struct content *contents;
	uint32_t *frame_version;
	struct cpu_space *buckets[SPACE_BUCKETS];
	struct cpu_block scratch; /* result when there is no room to keep it */
	uint8_t code[2 * PAGE_SIZE + CPU_INSN_MAX + 1];
};

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0x9e3779b97f4a7c15ull;
	x ^= x >> 29;
	return x;
}

/* ------------------------------------------------------------ life cycle */

struct cpu_blocks *
cpu_blocks_new(struct mmu *mmu, const struct cpu_costs *costs,
    const struct cpu_decoder *decoder, struct cpu_hot *hot)
{
	struct cpu_blocks *bl = calloc(1, sizeof(*bl));

	if (bl == NULL)
		return NULL;
	bl->mmu = mmu;
	bl->costs = costs;
	bl->decoder = decoder;
	bl->block_slots = BLOCKS_MIN;
	bl->content_slots = PAGES_MIN;
	bl->hot = hot;
	bl->blocks = calloc(bl->block_slots, sizeof(*bl->blocks));
	bl->contents = calloc(bl->content_slots, sizeof(*bl->contents));
	bl->frame_version = calloc(mmu_frames(mmu), sizeof(uint32_t));
	if (bl->blocks == NULL || bl->contents == NULL ||
	    bl->frame_version == NULL) {
		cpu_blocks_free(bl);
		return NULL;
	}
	return bl;
}

static void
space_free(struct cpu_space *s)
{
	free(s->pages);
	free(s);
}

void
cpu_blocks_free(struct cpu_blocks *bl)
{
	if (bl == NULL)
		return;
	for (unsigned i = 0; i < SPACE_BUCKETS; i++) {
		while (bl->buckets[i] != NULL) {
			struct cpu_space *s = bl->buckets[i];

			bl->buckets[i] = s->next;
			space_free(s);
		}
	}
	free(bl->blocks);
	free(bl->contents);
	free(bl->frame_version);
	free(bl);
}

/* ------------------------------------------------------- address spaces */

/* Numbers are few: when they are used up, all spaces start again. */
static void
numbers_restart(struct cpu_blocks *bl)
{
	memset(bl->hot, 0, CPU_HOT_SIZE * sizeof(*bl->hot));
	bl->last_number = 0;
	for (unsigned i = 0; i < SPACE_BUCKETS; i++) {
		struct cpu_space *o;

		for (o = bl->buckets[i]; o != NULL; o = o->next)
			o->number = 0;
	}
}

uint64_t
cpu_space_tag(struct cpu_blocks *bl, struct cpu_space *s)
{
	if (s->number == 0) {
		if (bl->last_number == CPU_SPACES)
			numbers_restart(bl);
		s->number = ++bl->last_number;
	}
	return (uint64_t)s->number << CPU_SPACE_SHIFT;
}

struct cpu_space *
cpu_space_get(struct cpu_blocks *bl, struct pmap *pmap)
{
	uint32_t id = pmap_id(pmap);
	struct cpu_space **bucket = &bl->buckets[id % SPACE_BUCKETS];
	struct cpu_space *s;

	for (s = *bucket; s != NULL; s = s->next) {
		if (s->id == id)
			return s;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->pmap = pmap;
	s->id = id;
	s->page_slots = PAGES_MIN;
	s->pages = calloc(s->page_slots, sizeof(*s->pages));
	if (s->pages == NULL) {
		free(s);
		return NULL;
	}
	s->next = *bucket;
	*bucket = s;
	return s;
}

void
cpu_space_drop(struct cpu_blocks *bl, struct pmap *pmap)
{
	uint32_t id = pmap_id(pmap);
	struct cpu_space **p = &bl->buckets[id % SPACE_BUCKETS];

	while (*p != NULL && (*p)->id != id)
		p = &(*p)->next;
	if (*p != NULL) {
		struct cpu_space *s = *p;

		*p = s->next;
		space_free(s);
	}
}

/* ------------------------------------------------------------- contents */

/* Two sums over the page's words, 128 bits in all: equal means equal bytes. */
static void
page_sum(const void *bytes, uint64_t sum[2])
{
	const uint64_t *w = bytes;
	uint64_t a = 0x243f6a8885a308d3ull, b = 0x13198a2e03707344ull;

	for (unsigned i = 0; i < PAGE_SIZE / sizeof(*w); i += 2) {
		a = (a ^ w[i]) * 0x9e3779b97f4a7c15ull;
		a ^= a >> 31;
		b = (b ^ w[i + 1]) * 0xbf58476d1ce4e5b9ull;
		b ^= b >> 29;
	}
	sum[0] = mix(a + b);
	sum[1] = mix(b ^ (a << 1 | a >> 63));
}

/* The slot that holds this contents, or the free one where it belongs. */
static struct content *
content_slot(struct content *tab, uint32_t slots, uint64_t vpn,
    const uint64_t sum[2])
{
	uint32_t i = (uint32_t)mix(vpn ^ sum[0]) & (slots - 1);

	while (tab[i].id != 0 &&
	    (tab[i].vpn != vpn || tab[i].sum[0] != sum[0] ||
	    tab[i].sum[1] != sum[1]))
		i = (i + 1) & (slots - 1);
	return &tab[i];
}

static bool
contents_grow(struct cpu_blocks *bl)
{
	uint32_t slots = bl->content_slots * 2;
	struct content *tab = calloc(slots, sizeof(*tab));

	if (tab == NULL)
		return false;
	for (uint32_t i = 0; i < bl->content_slots; i++) {
		const struct content *c = &bl->contents[i];

		if (c->id != 0)
			*content_slot(tab, slots, c->vpn, c->sum) = *c;
	}
	free(bl->contents);
	bl->contents = tab;
	bl->content_slots = slots;
	return true;
}

/* 0: no memory to remember it; such a page matches nothing. */
static uint32_t
content_id(struct cpu_blocks *bl, uint64_t vpn, const void *bytes)
{
	struct content *c;
	uint64_t sum[2];

	page_sum(bytes, sum);
	c = content_slot(bl->contents, bl->content_slots, vpn, sum);
	if (c->id != 0)
		return c->id;
	if (bl->ncontents >= bl->content_slots / 2) {
		if (!contents_grow(bl))
			return 0;
		c = content_slot(bl->contents, bl->content_slots, vpn, sum);
	}
	c->vpn = vpn;
	c->sum[0] = sum[0];
	c->sum[1] = sum[1];
	c->id = ++bl->last_content;
	bl->ncontents++;
	return c->id;
}

/* ---------------------------------------------------------------- pages */

static struct space_page *
page_slot(struct space_page *tab, uint32_t slots, uint64_t vpn)
{
	uint32_t i = (uint32_t)mix(vpn) & (slots - 1);

	while (tab[i].vpn != 0 && tab[i].vpn != vpn)
		i = (i + 1) & (slots - 1);
	return &tab[i];
}

static bool
pages_grow(struct cpu_space *s)
{
	uint32_t slots = s->page_slots * 2;
	struct space_page *tab = calloc(slots, sizeof(*tab));

	if (tab == NULL)
		return false;
	for (uint32_t i = 0; i < s->page_slots; i++) {
		if (s->pages[i].vpn != 0)
			*page_slot(tab, slots, s->pages[i].vpn) = s->pages[i];
	}
	free(s->pages);
	s->pages = tab;
	s->page_slots = slots;
	return true;
}

/* Identity of the frame's bytes as the page at va; 0: cannot be kept. */
static uint32_t
page_sync(struct cpu_blocks *bl, struct cpu_space *s, vm_offset_t va,
    pfn_t pfn)
{
	uint64_t vpn = va >> PAGE_SHIFT;
	struct space_page *p = page_slot(s->pages, s->page_slots, vpn);
	uint32_t content;

	if (p->vpn != 0 && p->pfn == pfn &&
	    p->version == bl->frame_version[pfn])
		return p->content;
	content = content_id(bl, vpn, mmu_frame_data(bl->mmu, pfn));
	if (p->vpn == 0) {
		if (s->npages >= s->page_slots / 2) {
			if (!pages_grow(s))
				return 0;
			p = page_slot(s->pages, s->page_slots, vpn);
		}
		p->vpn = vpn;
		s->npages++;
	} else if (p->content != content) {
		s->number = 0; /* the hot entries of this space are void */
	}
	p->pfn = pfn;
	p->version = bl->frame_version[pfn];
	p->content = content;
	return content;
}

void
cpu_space_fetch(struct cpu_blocks *bl, struct cpu_space *s, vm_offset_t va,
    pfn_t pfn)
{
	(void)page_sync(bl, s, va, pfn);
}

/* As of its last fetch, which nothing can have changed since. */
static uint32_t
page_content(struct cpu_blocks *bl, struct cpu_space *s, vm_offset_t va)
{
	const struct space_page *p =
	    page_slot(s->pages, s->page_slots, va >> PAGE_SHIFT);

	pfn_t pfn;

	if (p->vpn != 0)
		return p->content;
	pfn = pmap_extract(s->pmap, va);
	return pfn == PFN_NONE ? 0 : page_sync(bl, s, va, pfn);
}

void
cpu_blocks_frame_changes(struct cpu_blocks *bl, pfn_t pfn)
{
	bl->frame_version[pfn]++;
}

/* --------------------------------------------------------------- blocks */

static struct cpu_block *
block_slot(struct cpu_block *tab, uint32_t slots, uint64_t pc, uint32_t size,
    const uint32_t page[2])
{
	uint32_t i = (uint32_t)mix(pc + ((uint64_t)size << 48) +
			 ((uint64_t)page[0] << 20)) &
	    (slots - 1);

	while (tab[i].size != 0 &&
	    (tab[i].pc != pc || tab[i].size != size ||
	    tab[i].page[0] != page[0] || tab[i].page[1] != page[1]))
		i = (i + 1) & (slots - 1);
	return &tab[i];
}

static bool
blocks_grow(struct cpu_blocks *bl)
{
	uint32_t slots = bl->block_slots * 2;
	struct cpu_block *tab = calloc(slots, sizeof(*tab));

	if (tab == NULL)
		return false;
	for (uint32_t i = 0; i < bl->block_slots; i++) {
		const struct cpu_block *b = &bl->blocks[i];

		if (b->size != 0)
			*block_slot(tab, slots, b->pc, b->size, b->page) = *b;
	}
	free(bl->blocks);
	bl->blocks = tab;
	bl->block_slots = slots;
	return true;
}

/* Programs that come and go would fill the table for ever: begin afresh. */
void
cpu_blocks_forget(struct cpu_blocks *bl)
{
	memset(bl->blocks, 0, bl->block_slots * sizeof(*bl->blocks));
	bl->nblocks = 0;
	memset(bl->contents, 0, bl->content_slots * sizeof(*bl->contents));
	bl->ncontents = 0;
	for (unsigned i = 0; i < SPACE_BUCKETS; i++) {
		struct cpu_space *s;

		for (s = bl->buckets[i]; s != NULL; s = s->next) {
			memset(s->pages, 0, s->page_slots * sizeof(*s->pages));
			s->npages = 0;
			s->number = 0;
		}
	}
}

size_t
cpu_blocks_read(struct cpu_blocks *bl, struct cpu_space *s, uint64_t pc,
    uint8_t *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		uint64_t va = pc + done;
		size_t part = PAGE_SIZE - (va & PAGE_MASK);
		pfn_t pfn = pmap_extract(s->pmap, va);

		if (pfn == PFN_NONE)
			break;
		if (part > n - done)
			part = n - done;
		memcpy(buf + done,
		    (const uint8_t *)mmu_frame_data(bl->mmu, pfn) +
			(va & PAGE_MASK), part);
		done += part;
	}
	return done;
}

/* From the block's end on: what remains to the next place to stop. */
static uint32_t
block_need_beyond(const struct cpu_blocks *bl, size_t at, size_t page_left)
{
	struct cpu_insn in;
	uint32_t need = 0;

	while (at < page_left) {
		cpu_decode(bl->decoder, bl->costs, bl->code + at,
		    page_left - at, &in);
		if (in.flags & CPU_INSN_BAD)
			break;
		need += in.cycles;
		at += in.length;
		if (in.flags & CPU_INSN_ENDS)
			break;
	}
	return need;
}

/*
 * Fill in a block's counts from its bytes. An instruction that the decoder
 * knows longer than the block, or not at all, is the block's last: the
 * emulator found it illegal and will say so when it gets there.
 */
static void
block_decode(struct cpu_blocks *bl, struct cpu_space *s, struct cpu_block *b)
{
	size_t page_left = PAGE_SIZE - (b->pc & PAGE_MASK);
	size_t want = b->size > page_left ? b->size : page_left;
	size_t have = cpu_blocks_read(bl, s, b->pc, bl->code, want);
	struct cpu_insn in = { 0 };
	size_t at = 0;

	b->icount = b->cycles = b->need = b->flags = 0;
	bl->decoded++;
	while (at < b->size) {
		if (at < have)
			cpu_decode(bl->decoder, bl->costs, bl->code + at,
			    have - at, &in);
		else
			in.flags = CPU_INSN_BAD;
		b->icount++;
		b->cycles += in.cycles;
		if (in.flags & CPU_INSN_SPECIAL)
			b->flags |= CPU_BLOCK_SPECIAL;
		if (in.flags & CPU_INSN_BAD)
			break;
		at += in.length;
		if (at <= page_left)
			b->need = b->cycles;
	}
	if (!(in.flags & (CPU_INSN_ENDS | CPU_INSN_BAD))) {
		b->flags |= CPU_BLOCK_CUT;
		if (have >= page_left)
			b->need += block_need_beyond(bl, at, page_left);
	}
}

const struct cpu_block *
cpu_block_get(struct cpu_blocks *bl, struct cpu_space *s, uint64_t pc,
    uint32_t size)
{
	uint64_t last = pc + (size > 0 ? size - 1 : 0);
	struct cpu_block *b;
	uint32_t page[2];

	page[0] = page_content(bl, s, pc);
	page[1] = 0;
	if (pc >> PAGE_SHIFT != last >> PAGE_SHIFT) {
		page[1] = page_content(bl, s, last);
		if (page[1] == 0)
			page[0] = 0;
	}
	b = block_slot(bl->blocks, bl->block_slots, pc, size, page);
	if (b->size == size && size != 0)
		return b;
	if (bl->nblocks >= BLOCKS_MAX / 2) {
		cpu_blocks_forget(bl);
		return cpu_block_get(bl, s, pc, size);
	}
	if (bl->nblocks >= bl->block_slots / 2 && !blocks_grow(bl))
		page[0] = 0;
	if (page[0] == 0 || size == 0)
		b = &bl->scratch;
	else
		b = block_slot(bl->blocks, bl->block_slots, pc, size, page);
	if (b != &bl->scratch)
		bl->nblocks++;
	b->pc = pc;
	b->size = size;
	b->page[0] = page[0];
	b->page[1] = page[1];
	block_decode(bl, s, b);
	return b;
}

/*
 * The hook compares the cycles, not the need, with what is left of a run: the
 * slow path decides when they do not fit. So a block that needs more than it
 * costs always takes the slow path; such are very long or very rare.
 */
void
cpu_block_heat(struct cpu_blocks *bl, struct cpu_space *s,
    const struct cpu_block *b)
{
	struct cpu_hot *h = &bl->hot[cpu_hot_index(b->pc)];

	if (b->page[0] == 0 || (b->flags & CPU_BLOCK_SPECIAL) ||
	    b->need > b->cycles || b->size >> CPU_SIZE_BITS != 0)
		return;
	h->tag = CPU_TAG(b->pc, b->size, cpu_space_tag(bl, s));
	h->word = b->cycles - ((uint64_t)b->icount << 32);
}

void
cpu_blocks_part(struct cpu_blocks *bl, struct cpu_space *s, uint64_t pc,
    uint64_t end, uint32_t *icount, uint32_t *cycles)
{
	size_t size = end - pc < 2 * PAGE_SIZE ? end - pc : 2 * PAGE_SIZE;
	size_t have = cpu_blocks_read(bl, s, pc, bl->code,
	    size + CPU_INSN_MAX);
	size_t at = 0;

	*icount = *cycles = 0;
	while (at < size && at < have) {
		struct cpu_insn in;

		cpu_decode(bl->decoder, bl->costs, bl->code + at, have - at,
		    &in);
		*icount += 1;
		*cycles += in.cycles;
		at += in.length;
	}
}

uint64_t
cpu_blocks_decoded(const struct cpu_blocks *bl)
{
	return bl->decoded;
}
