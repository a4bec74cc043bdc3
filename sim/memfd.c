/*
 * memfd.c: memfd_create: a file without a name.
 *
 * Interface: sys_memfd_create. Source: memfd_create(2). Differences: it is
 * a removed file of /dev/shm, so its pages are written back to the memory
 * file system rather than to swap; seals are not there.
 */
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <sys/resource.h>

#include "sim/syscall_int.h"

#define NAME_MAX_ 249u /* with "memfd:" in a file name */

static int
memfd_inode(struct sysctx *c, struct inode **out)
{
	struct vfs_place pl;
	char path[64];
	int error;

	snprintf(path, sizeof(path), "/dev/shm/.memfd-%llu",
	    (unsigned long long)c->ss->next_memfd++);
	error = vfs_find(c->vfs, NULL, path, VFS_CREATE, &pl);
	if (error != 0)
		return (error);
	error = pl.ip != NULL ? -EEXIST : vfs_create_file(&pl, 0777, out);
	vfs_place_done(&pl);
	if (error != 0)
		return (error);
	error = vfs_find(c->vfs, NULL, path, VFS_NOFOLLOW, &pl);
	if (error == 0) {
		error = vfs_unlink(&pl);
		vfs_place_done(&pl);
	}
	if (error != 0)
		inode_rele(*out);
	return (error);
}

int64_t
sys_memfd_create(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[1];
	char name[NAME_MAX_ + 1];
	struct inode *ip;
	struct file *f;
	size_t length;
	int error;

	if (flags & ~(uint32_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return (-EINVAL);
	error = vm_copyinstr(c->vm, c->vs, c->a[0], name, sizeof(name),
	    &length);
	if (error != 0)
		return (error == ENAMETOOLONG ? -EINVAL : -EFAULT);
	error = memfd_inode(c, &ip);
	if (error != 0)
		return (error);
	error = file_open_inode(c, ip, O_RDWR, &f);
	inode_rele(ip);
	if (error != 0)
		return (error);
	error = fd_install(c->p->fds, f, 0, sys_limit(c->p, RLIMIT_NOFILE),
	    (flags & MFD_CLOEXEC) != 0);
	if (error < 0)
		file_drop(f);
	return (error);
}
