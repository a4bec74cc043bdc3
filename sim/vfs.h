/*
 * vfs.h: the guest's view of files: the host's tree, read-only, under an
 * in-memory copy-on-write overlay; directories bound read-write; a few
 * synthetic files (/dev/null, /proc/self/maps, ...). Nothing of the host that
 * can differ between two runs (inode numbers, times, owners of the caller)
 * reaches the guest: those are assigned by the overlay.
 */
#ifndef VMSIM_SIM_VFS_H
#define VMSIM_SIM_VFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/base/sim.h"
#include "vmcore/vmcore.h"

struct vfs;
struct inode; /* one file, directory, link, device; reference-counted */

struct vfs_config {
	const char *const *bind_rw; /* host directories, NULL-terminated */
	struct disk *fs_disk; /* where files lie */
	uint64_t fs_first_sector, fs_sectors;
	const char *cwd; /* absolute guest path; NULL: "/" */
};

int vfs_create(struct sim *sim, struct vm *vm, const struct vfs_config *cfg,
    struct vfs **out, struct sim_err *err);
void vfs_destroy(struct vfs *vfs);

/* follow: the last component too if it is a symbolic link. dir: start of
 * relative paths, NULL for the root. Errors: negative errno. */
int vfs_lookup(struct vfs *vfs, struct inode *dir, const char *path,
    bool follow, struct inode **out);
void inode_ref(struct inode *ip);
void inode_rele(struct inode *ip);
bool inode_is_regular(const struct inode *ip);
bool inode_is_directory(const struct inode *ip);
uint64_t inode_size(const struct inode *ip);
uint32_t inode_mode(const struct inode *ip); /* S_IF* and permissions */
/* Contents straight from the overlay, no simulated time (after syncing the
 * page cache's dirty pages): for the loader's header checks and the host. */
ssize_t inode_pread_raw(struct inode *ip, void *buf, size_t n, uint64_t off);
/* The VM's file for it, made at first use; regular files only. */
struct vnode *inode_vnode(struct inode *ip);
/* Absolute guest path by which it was last looked up. */
const char *inode_path(const struct inode *ip);

/* Push the page cache of files under --bind-rw out to the host (end of run;
 * takes no simulated time when called outside a thread). */
void vfs_sync(struct vfs *vfs);

#endif
