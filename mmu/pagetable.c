/*
 * pagetable.c: four-level page tables in host memory.
 *
 * Interface: mmu_int.h; pmap_pte of mmu.h.
 * Source:    the amd64 architecture's geometry: 48-bit addresses, 512 entries
 *            a table.
 * Differs:   tables occupy no simulated frames; upper levels hold host
 *            pointers. An empty leaf is given back at once, so a walk never
 *            meets one.
 */
#include <stdlib.h>
#include <string.h>

#include "mmu/mmu_int.h"

/* Bit position of the index of a level (leaf tables are level 0). */
static inline unsigned int
level_shift(int level)
{
	return (PAGE_SHIFT + PT_SHIFT * (unsigned int)level);
}

static inline uint32_t
level_index(vm_offset_t va, int level)
{
	return ((uint32_t)(va >> level_shift(level)) & (PT_ENTRIES - 1));
}

/* ------------------------------------------------------------ tables */

static void *
table_new(struct mmu *mmu, size_t size)
{
	void *table = calloc(1, size);

	if (table == NULL)
		sim_nomem(mmu->sim, "a page table");
	mmu->table_bytes += size;
	return (table);
}

struct pt_dir *
pt_dir_new(struct mmu *mmu)
{
	struct pt_dir *dir = mmu->free_dirs;

	if (dir == NULL)
		return (table_new(mmu, sizeof(*dir)));
	mmu->free_dirs = dir->next;
	dir->next = NULL;
	return (dir);
}

void
pt_dir_free(struct mmu *mmu, struct pt_dir *dir)
{
	dir->next = mmu->free_dirs;
	mmu->free_dirs = dir;
}

static struct pt_leaf *
pt_leaf_new(struct mmu *mmu)
{
	struct pt_leaf *leaf = mmu->free_leaves;

	if (leaf == NULL)
		return (table_new(mmu, sizeof(*leaf)));
	mmu->free_leaves = leaf->next;
	leaf->next = NULL;
	return (leaf);
}

static void
pt_leaf_free(struct mmu *mmu, struct pt_leaf *leaf)
{
	leaf->next = mmu->free_leaves;
	mmu->free_leaves = leaf;
}

void
pt_destroy_free_lists(struct mmu *mmu)
{
	struct pt_leaf *leaf;
	struct pt_dir *dir;

	while ((leaf = mmu->free_leaves) != NULL) {
		mmu->free_leaves = leaf->next;
		free(leaf);
	}
	while ((dir = mmu->free_dirs) != NULL) {
		mmu->free_dirs = dir->next;
		free(dir);
	}
}

/* ------------------------------------------------------------ walking */

static struct pt_leaf *
pt_remember(struct pmap *pmap, vm_offset_t va, struct pt_leaf *leaf)
{
	pmap->last_index = leaf_index(va);
	pmap->last_leaf = leaf;
	return (leaf);
}

static struct pt_leaf *
pt_walk(struct pmap *pmap, vm_offset_t va)
{
	void *table = pmap->root;

	if (va >> VA_BITS != 0)
		return (NULL);
	for (int level = PT_TOP; level > 0; level--) {
		table = ((struct pt_dir *)table)->child[level_index(va,
		    level)];
		if (table == NULL)
			return (NULL);
	}
	return (pt_remember(pmap, va, table));
}

struct pt_leaf *
pt_leaf_find(struct pmap *pmap, vm_offset_t va)
{
	if (leaf_index(va) == pmap->last_index)
		return (pmap->last_leaf);
	return (pt_walk(pmap, va));
}

struct pt_leaf *
pt_leaf_make(struct pmap *pmap, vm_offset_t va)
{
	struct mmu *mmu = pmap->mmu;
	struct pt_leaf *leaf = pt_leaf_find(pmap, va);
	struct pt_dir *dir = pmap->root;

	if (leaf != NULL)
		return (leaf);
	KASSERT(mmu->sim, va >> VA_BITS == 0, ("address %#jx has more than "
	    "%d bits", (uintmax_t)va, VA_BITS));
	for (int level = PT_TOP; level > 1; level--) {
		void **slot = &dir->child[level_index(va, level)];

		if (*slot == NULL) {
			*slot = pt_dir_new(mmu);
			dir->nchild++;
		}
		dir = *slot;
	}
	leaf = pt_leaf_new(mmu);
	dir->child[level_index(va, 1)] = leaf;
	dir->nchild++;
	return (pt_remember(pmap, va, leaf));
}

/*
 * One step of a seek: the leaf that covers va, or NULL and va moved past the
 * hole.
 */
static struct pt_leaf *
pt_seek_step(struct pmap *pmap, vm_offset_t *va)
{
	void *table = pmap->root;

	if (leaf_index(*va) == pmap->last_index)
		return (pmap->last_leaf);
	for (int level = PT_TOP; level > 0; level--) {
		table = ((struct pt_dir *)table)->child[level_index(*va,
		    level)];
		if (table == NULL) {
			*va = ((*va >> level_shift(level)) + 1) <<
			    level_shift(level);
			return (NULL);
		}
	}
	return (table);
}

struct pt_leaf *
pt_leaf_seek(struct pmap *pmap, vm_offset_t *va, vm_offset_t end)
{
	struct pt_leaf *leaf;

	if (end > 1ull << VA_BITS)
		end = 1ull << VA_BITS;
	while (*va < end) {
		leaf = pt_seek_step(pmap, va);
		if (leaf != NULL)
			return (leaf);
	}
	return (NULL);
}

void
pt_leaf_release(struct pmap *pmap, vm_offset_t va)
{
	struct pt_dir *path[PT_TOP + 1];
	struct pt_dir *dir = pmap->root;
	int level;

	for (level = PT_TOP; level > 1; level--) {
		path[level] = dir;
		dir = dir->child[level_index(va, level)];
	}
	path[1] = dir;
	if (leaf_index(va) == pmap->last_index)
		pmap->last_index = LEAF_NONE;
	pt_leaf_free(pmap->mmu, dir->child[level_index(va, 1)]);
	for (level = 1; level <= PT_TOP; level++) {
		path[level]->child[level_index(va, level)] = NULL;
		if (--path[level]->nchild > 0 || level == PT_TOP)
			break;
		pt_dir_free(pmap->mmu, path[level]);
	}
}

/* The tables of an address space without mappings: the root alone. */
void
pt_destroy(struct pmap *pmap)
{
	KASSERT(pmap->mmu->sim, pmap->root->nchild == 0,
	    ("pmap %u has page tables left", pmap->id));
	pt_dir_free(pmap->mmu, pmap->root);
	pmap->root = NULL;
}

pte_t *
pmap_pte(struct pmap *pmap, vm_offset_t va)
{
	struct pt_leaf *leaf = pt_leaf_find(pmap, va);

	return (leaf != NULL ? &leaf->pte[pte_index(va)] : NULL);
}
