/*
 * uproc_shared.c: what processes may have in common because clone(2) said so:
 * the working directory and umask (CLONE_FS), and what the kernel keeps of an
 * address space besides its map (CLONE_VM).
 *
 * Interface: uproc_fs_*, uproc_mem_* of sim/uproc.h. Source: clone(2).
 * Differences: none known.
 */
#include <stdlib.h>

#include "sim/syscall_int.h"

struct uproc_fs *
uproc_fs_new(struct inode *cwd, uint32_t umask)
{
	struct uproc_fs *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return (NULL);
	fs->refs = 1;
	fs->cwd = cwd;
	fs->umask = umask;
	return (fs);
}

struct uproc_fs *
uproc_fs_fork(struct uproc_fs *from, bool shared)
{
	struct uproc_fs *fs;

	if (shared) {
		from->refs++;
		return (from);
	}
	fs = uproc_fs_new(from->cwd, from->umask);
	if (fs != NULL)
		inode_ref(fs->cwd);
	return (fs);
}

void
uproc_fs_drop(struct uproc_fs *fs)
{
	if (fs == NULL || --fs->refs != 0)
		return;
	inode_rele(fs->cwd);
	free(fs);
}

struct uproc_mem *
uproc_mem_new(void)
{
	struct uproc_mem *mem = calloc(1, sizeof(*mem));

	if (mem != NULL)
		mem->refs = 1;
	return (mem);
}

struct uproc_mem *
uproc_mem_fork(struct uproc_mem *from, bool shared)
{
	struct uproc_mem *mem;

	if (shared) {
		from->refs++;
		return (from);
	}
	mem = uproc_mem_new();
	if (mem != NULL) {
		mem->brk_start = from->brk_start;
		mem->brk = from->brk;
	}
	return (mem);
}

void
uproc_mem_drop(struct uproc_mem *mem)
{
	if (mem != NULL && --mem->refs == 0)
		free(mem);
}
