/*
 * syscall_path.c: calls on paths: opening, status, making, removing and
 * renaming, attributes, working directory.
 *
 * Interface: sys_* of sim/syscall_table.h. Source: the manual pages of the
 * calls, Linux 6.1. Differences: the caller is root, so only a missing
 * execute bit refuses access(X_OK).
 */
#include <fcntl.h>
#include <linux/stat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "sim/syscall_int.h"

#define KEEP INT64_MIN /* inode_utimens: leave the time alone */
#define AT_CWD ((uint64_t)AT_FDCWD)

/* Finds where a path of the caller's ends. which: buffer, 0 or 1. */
static int
find_at(struct sysctx *c, int which, uint64_t dirfd, vm_offset_t va,
    enum vfs_final final, struct vfs_place *pl)
{
	struct inode *dir;
	const char *path;
	int error;

	memset(pl, 0, sizeof(*pl));
	error = sys_path(c, which, va, &path);
	if (error == 0)
		error = sys_dirfd(c, dirfd, path, &dir);
	if (error == 0)
		error = vfs_find(c->vfs, dir, path, final, pl);
	return (error);
}

/* An existing file, referenced; with AT_EMPTY_PATH the descriptor's own. */
static int
lookup_at(struct sysctx *c, uint64_t dirfd, vm_offset_t va, uint32_t flags,
    struct inode **out)
{
	bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
	struct inode *dir;
	const char *path;
	int error;

	error = sys_path(c, 0, va, &path);
	if (error == 0)
		error = sys_dirfd(c, dirfd, path, &dir);
	if (error == 0)
		error = vfs_lookup(c->vfs, dir, path, follow, out);
	return (error);
}

static uint32_t
new_mode(const struct sysctx *c, uint64_t mode)
{
	return ((uint32_t)mode & 07777 & ~c->p->fs->umask);
}

/* ---- open ---- */

static int
check_open(struct inode *ip, uint32_t flags, bool slash)
{
	bool writing = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

	if (flags & O_PATH)
		return ((flags & O_DIRECTORY) && !inode_is_directory(ip) ?
		    -ENOTDIR : 0);
	if (inode_is_symlink(ip))
		return (flags & O_DIRECTORY ? -ENOTDIR : -ELOOP);
	if (inode_is_directory(ip))
		return (writing || (flags & O_CREAT) ? -EISDIR : 0);
	if ((flags & O_DIRECTORY) || slash)
		return (-ENOTDIR);
	if (writing && inode_special(ip) == VFS_TEXT)
		return (-EACCES);
	return (0);
}

/* The file the path names, made when it is missing and O_CREAT says so. */
static int
open_place(struct sysctx *c, struct vfs_place *pl, uint32_t flags,
    uint64_t mode, struct inode **ip, bool *created)
{
	*created = false;
	if (pl->ip == NULL) {
		if (!(flags & O_CREAT))
			return (-ENOENT);
		*created = true;
		return (vfs_create_file(pl, new_mode(c, mode), ip));
	}
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return (-EEXIST);
	*ip = pl->ip;
	inode_ref(*ip);
	return (0);
}

static int64_t
open_inode(struct sysctx *c, struct inode *ip, uint32_t flags, bool created)
{
	struct file *f;
	int error, fd;

	if ((flags & O_TRUNC) && !created && inode_is_regular(ip) &&
	    !(flags & O_PATH)) {
		error = inode_truncate(ip, 0);
		if (error != 0)
			return (error);
	}
	error = file_open_inode(c, ip, flags & ~(uint32_t)(O_CREAT | O_EXCL |
	    O_NOCTTY | O_TRUNC | O_CLOEXEC), &f);
	if (error != 0)
		return (error);
	fd = fd_install(c->p->fds, f, 0, sys_limit(c->p, RLIMIT_NOFILE),
	    (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_drop(f);
	return (fd);
}

/* How far the last component is followed. */
static enum vfs_final
open_final(uint32_t flags)
{
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return (VFS_PARENT);
	if (flags & O_NOFOLLOW)
		return (VFS_NOFOLLOW);
	return (flags & O_CREAT ? VFS_CREATE : VFS_FOLLOW);
}

static int64_t
do_open(struct sysctx *c, uint64_t dirfd, vm_offset_t va, uint32_t flags,
    uint64_t mode)
{
	struct inode *ip = NULL;
	struct vfs_place pl;
	bool created;
	int64_t ret;

	if ((flags & O_TMPFILE) == O_TMPFILE)
		return (-EOPNOTSUPP);
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return (-EINVAL);
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	ret = find_at(c, 0, dirfd, va, open_final(flags), &pl);
	if (ret == 0 && (flags & O_CREAT) && pl.slash)
		ret = -EISDIR;
	if (ret == 0)
		ret = open_place(c, &pl, flags, mode, &ip, &created);
	if (ret == 0)
		ret = check_open(ip, flags, pl.slash);
	vfs_place_done(&pl);
	if (ret == 0)
		ret = open_inode(c, ip, flags, created);
	if (ip != NULL)
		inode_rele(ip);
	return (ret);
}

int64_t
sys_open(struct sysctx *c)
{
	return (do_open(c, AT_CWD, c->a[0], (uint32_t)c->a[1], c->a[2]));
}

int64_t
sys_openat(struct sysctx *c)
{
	return (do_open(c, c->a[0], c->a[1], (uint32_t)c->a[2], c->a[3]));
}

int64_t
sys_creat(struct sysctx *c)
{
	return (do_open(c, AT_CWD, c->a[0], O_CREAT | O_WRONLY | O_TRUNC,
	    c->a[1]));
}

/* ---- status ---- */

struct guest_stat { /* struct stat of x86-64 */
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t time[6]; /* atime, mtime, ctime: seconds, ns */
	int64_t unused[3];
};
_Static_assert(sizeof(struct guest_stat) == 144, "struct stat of x86-64");

static int64_t
put_stat(struct sysctx *c, const struct vfs_stat *vs, vm_offset_t va)
{
	const int64_t times[3] = { vs->atime, vs->mtime, vs->ctime };
	struct guest_stat st;

	memset(&st, 0, sizeof(st));
	st.dev = vs->dev;
	st.ino = vs->ino;
	st.nlink = vs->nlink;
	st.mode = vs->mode;
	st.uid = vs->uid;
	st.gid = vs->gid;
	st.rdev = vs->rdev;
	st.size = (int64_t)vs->size;
	st.blksize = vs->blksize;
	st.blocks = (int64_t)vs->blocks;
	for (int i = 0; i < 3; i++) {
		st.time[2 * i] = times[i] / 1000000000;
		st.time[2 * i + 1] = times[i] % 1000000000;
	}
	return (sys_copyout(c, va, &st, sizeof(st)));
}

/* An inode's own status, or that of the open file it stands for. */
static void
stat_inode(struct sysctx *c, struct inode *ip, bool follow,
    struct vfs_stat *st)
{
	struct uproc *p;
	struct file *f;
	int32_t pid;
	int fd;

	inode_stat(ip, st);
	if (!follow || inode_special(ip) != VFS_OPEN_FILE)
		return;
	inode_open_file(ip, &pid, &fd);
	p = uproc_find(c->ss, pid);
	f = p != NULL ? fd_get(p->fds, fd) : NULL;
	if (f != NULL)
		file_stat(f, st);
}

static int
stat_fd(struct sysctx *c, uint64_t fd, struct vfs_stat *st)
{
	struct file *f = sys_file(c, fd, true);

	if (f == NULL)
		return (-EBADF);
	file_stat(f, st);
	return (0);
}

/* dirfd and path to a status, with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW. */
static int
stat_at(struct sysctx *c, uint64_t dirfd, vm_offset_t va, uint32_t flags,
    struct vfs_stat *st)
{
	struct inode *ip;
	const char *path;
	int error;

	if (flags & AT_EMPTY_PATH) {
		error = sys_path(c, 0, va, &path);
		if (error != 0)
			return (error);
		if (path[0] == '\0' && (int)dirfd == AT_FDCWD) {
			inode_stat(c->p->fs->cwd, st);
			return (0);
		}
		if (path[0] == '\0')
			return (stat_fd(c, dirfd, st));
	}
	error = lookup_at(c, dirfd, va, flags, &ip);
	if (error != 0)
		return (error);
	stat_inode(c, ip, (flags & AT_SYMLINK_NOFOLLOW) == 0, st);
	inode_rele(ip);
	return (0);
}

static int64_t
do_stat(struct sysctx *c, uint64_t dirfd, vm_offset_t path, vm_offset_t buf,
    uint32_t flags)
{
	struct vfs_stat st;
	int error;

	error = stat_at(c, dirfd, path, flags, &st);
	return (error != 0 ? error : put_stat(c, &st, buf));
}

int64_t
sys_stat(struct sysctx *c)
{
	return (do_stat(c, AT_CWD, c->a[0], c->a[1], 0));
}

int64_t
sys_lstat(struct sysctx *c)
{
	return (do_stat(c, AT_CWD, c->a[0], c->a[1], AT_SYMLINK_NOFOLLOW));
}

int64_t
sys_fstat(struct sysctx *c)
{
	struct vfs_stat st;
	int error = stat_fd(c, c->a[0], &st);

	return (error != 0 ? error : put_stat(c, &st, c->a[1]));
}

int64_t
sys_newfstatat(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[3];

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
	    AT_NO_AUTOMOUNT))
		return (-EINVAL);
	return (do_stat(c, c->a[0], c->a[1], c->a[2], flags));
}

static void
put_statx_time(struct statx_timestamp *ts, int64_t ns)
{
	ts->tv_sec = ns / 1000000000;
	ts->tv_nsec = (uint32_t)(ns % 1000000000);
}

int64_t
sys_statx(struct sysctx *c)
{
	uint32_t flags = (uint32_t)c->a[2];
	struct vfs_stat st;
	struct statx sx;
	int error;

	if ((flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH |
	    AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)) ||
	    ((uint32_t)c->a[3] & STATX__RESERVED))
		return (-EINVAL);
	error = stat_at(c, c->a[0], c->a[1], flags, &st);
	if (error != 0)
		return (error);
	memset(&sx, 0, sizeof(sx));
	sx.stx_mask = STATX_BASIC_STATS;
	sx.stx_blksize = st.blksize;
	sx.stx_nlink = st.nlink;
	sx.stx_uid = st.uid;
	sx.stx_gid = st.gid;
	sx.stx_mode = (uint16_t)st.mode;
	sx.stx_ino = st.ino;
	sx.stx_size = st.size;
	sx.stx_blocks = st.blocks;
	put_statx_time(&sx.stx_atime, st.atime);
	put_statx_time(&sx.stx_mtime, st.mtime);
	put_statx_time(&sx.stx_ctime, st.ctime);
	sx.stx_rdev_major = major(st.rdev);
	sx.stx_rdev_minor = minor(st.rdev);
	sx.stx_dev_major = major(st.dev);
	sx.stx_dev_minor = minor(st.dev);
	return (sys_copyout(c, c->a[4], &sx, sizeof(sx)));
}

static int64_t
do_access(struct sysctx *c, uint64_t dirfd, vm_offset_t path, uint32_t mode,
    uint32_t flags)
{
	struct vfs_stat st;
	int error;

	if ((mode & ~7u) || (flags & ~(uint32_t)(AT_EACCESS |
	    AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return (-EINVAL);
	error = stat_at(c, dirfd, path, flags, &st);
	if (error != 0)
		return (error);
	if ((mode & 1) && (st.mode & S_IFMT) == S_IFREG &&
	    (st.mode & 0111) == 0)
		return (-EACCES);
	return (0);
}

int64_t
sys_access(struct sysctx *c)
{
	return (do_access(c, AT_CWD, c->a[0], (uint32_t)c->a[1], 0));
}

int64_t
sys_faccessat(struct sysctx *c)
{
	return (do_access(c, c->a[0], c->a[1], (uint32_t)c->a[2], 0));
}

int64_t
sys_faccessat2(struct sysctx *c)
{
	return (do_access(c, c->a[0], c->a[1], (uint32_t)c->a[2],
	    (uint32_t)c->a[3]));
}

static int64_t
put_statfs(struct sysctx *c, vm_offset_t va)
{
	uint64_t total, left, inodes;
	struct statfs sf;

	vfs_space(c->vfs, &total, &left, &inodes);
	memset(&sf, 0, sizeof(sf));
	sf.f_type = 0x794c7630; /* overlayfs */
	sf.f_bsize = sf.f_frsize = 4096;
	sf.f_blocks = total / 4096;
	sf.f_bfree = sf.f_bavail = left / 4096;
	sf.f_files = total / 16384;
	sf.f_ffree = sf.f_files > inodes ? sf.f_files - inodes : 0;
	sf.f_namelen = VFS_NAME_MAX;
	return (sys_copyout(c, va, &sf, sizeof(sf)));
}

int64_t
sys_statfs(struct sysctx *c)
{
	struct inode *ip;
	int error;

	error = lookup_at(c, AT_CWD, c->a[0], 0, &ip);
	if (error != 0)
		return (error);
	inode_rele(ip);
	return (put_statfs(c, c->a[1]));
}

int64_t
sys_fstatfs(struct sysctx *c)
{
	if (sys_file(c, c->a[0], true) == NULL)
		return (-EBADF);
	return (put_statfs(c, c->a[1]));
}

/* ---- working directory ---- */

static void
set_cwd(struct sysctx *c, struct inode *ip)
{
	struct inode *old = c->p->fs->cwd;

	c->p->fs->cwd = ip;
	inode_rele(old);
}

int64_t
sys_chdir(struct sysctx *c)
{
	struct inode *ip;
	int error;

	error = lookup_at(c, AT_CWD, c->a[0], 0, &ip);
	if (error != 0)
		return (error);
	if (!inode_is_directory(ip)) {
		inode_rele(ip);
		return (-ENOTDIR);
	}
	set_cwd(c, ip);
	return (0);
}

int64_t
sys_fchdir(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], true);

	if (f == NULL)
		return (-EBADF);
	if (f->ip == NULL || !inode_is_directory(f->ip))
		return (-ENOTDIR);
	inode_ref(f->ip);
	set_cwd(c, f->ip);
	return (0);
}

int64_t
sys_getcwd(struct sysctx *c)
{
	char *buf = (char *)sys_buf(c, 2);
	size_t n;
	int error;

	if (buf == NULL)
		return (-ENOMEM);
	error = inode_cwdpath(c->p->fs->cwd, buf, VFS_PATH_MAX);
	if (error != 0)
		return (error);
	n = strlen(buf) + 1;
	if (n > c->a[1])
		return (-ERANGE);
	error = sys_copyout(c, c->a[0], buf, n);
	return (error != 0 ? error : (int64_t)n);
}

/* ---- making ---- */

static int64_t
do_mkdir(struct sysctx *c, uint64_t dirfd, vm_offset_t path, uint64_t mode)
{
	struct vfs_place pl;
	int error;

	error = find_at(c, 0, dirfd, path, VFS_PARENT, &pl);
	if (error == 0)
		error = vfs_mkdir(&pl, new_mode(c, mode));
	vfs_place_done(&pl);
	return (error);
}

int64_t
sys_mkdir(struct sysctx *c)
{
	return (do_mkdir(c, AT_CWD, c->a[0], c->a[1]));
}

int64_t
sys_mkdirat(struct sysctx *c)
{
	return (do_mkdir(c, c->a[0], c->a[1], c->a[2]));
}

/* Regular files and FIFOs; devices belong to the host. */
static int64_t
do_mknod(struct sysctx *c, uint64_t dirfd, vm_offset_t path, uint64_t mode)
{
	uint32_t type = (uint32_t)mode & S_IFMT;
	struct vfs_place pl;
	struct inode *ip;
	int error;

	if (type == S_IFDIR)
		return (-EPERM);
	error = find_at(c, 0, dirfd, path, VFS_PARENT, &pl);
	if (error == 0 && pl.ip != NULL)
		error = -EEXIST;
	if (error == 0 && pl.slash)
		error = -ENOENT;
	if (error == 0 && (type == 0 || type == S_IFREG)) {
		error = vfs_create_file(&pl, new_mode(c, mode), &ip);
		if (error == 0)
			inode_rele(ip);
	} else if (error == 0) {
		error = type == S_IFIFO || type == S_IFSOCK ?
		    vfs_mkspecial(&pl, type | new_mode(c, mode)) : -EPERM;
	}
	vfs_place_done(&pl);
	return (error);
}

int64_t
sys_mknod(struct sysctx *c)
{
	return (do_mknod(c, AT_CWD, c->a[0], c->a[1]));
}

int64_t
sys_mknodat(struct sysctx *c)
{
	return (do_mknod(c, c->a[0], c->a[1], c->a[2]));
}

static int64_t
do_symlink(struct sysctx *c, vm_offset_t target, uint64_t dirfd,
    vm_offset_t path)
{
	struct vfs_place pl;
	const char *text;
	int error;

	memset(&pl, 0, sizeof(pl));
	error = sys_path(c, 1, target, &text);
	if (error == 0)
		error = find_at(c, 0, dirfd, path, VFS_PARENT, &pl);
	if (error == 0)
		error = vfs_symlink(&pl, text);
	vfs_place_done(&pl);
	return (error);
}

int64_t
sys_symlink(struct sysctx *c)
{
	return (do_symlink(c, c->a[0], AT_CWD, c->a[1]));
}

int64_t
sys_symlinkat(struct sysctx *c)
{
	return (do_symlink(c, c->a[0], c->a[1], c->a[2]));
}

/* The file an existing name or descriptor stands for. */
static int
link_source(struct sysctx *c, uint64_t dirfd, vm_offset_t va, uint32_t flags,
    struct inode **out)
{
	const char *path;
	struct file *f;
	int error;

	error = sys_path(c, 0, va, &path);
	if (error != 0)
		return (error);
	if ((flags & AT_EMPTY_PATH) && path[0] == '\0') {
		f = sys_file(c, dirfd, true);
		if (f == NULL)
			return (-EBADF);
		if (f->ip == NULL)
			return (-EXDEV);
		inode_ref(f->ip);
		*out = f->ip;
		return (0);
	}
	return (lookup_at(c, dirfd, va, (flags & AT_SYMLINK_FOLLOW) ? 0 :
	    AT_SYMLINK_NOFOLLOW, out));
}

static int64_t
do_link(struct sysctx *c, uint64_t fromfd, vm_offset_t from, uint64_t tofd,
    vm_offset_t to, uint32_t flags)
{
	struct vfs_place pl;
	struct inode *ip;
	int error;

	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return (-EINVAL);
	error = link_source(c, fromfd, from, flags, &ip);
	if (error != 0)
		return (error);
	error = find_at(c, 1, tofd, to, VFS_PARENT, &pl);
	if (error == 0)
		error = vfs_link(ip, &pl);
	vfs_place_done(&pl);
	inode_rele(ip);
	return (error);
}

int64_t
sys_link(struct sysctx *c)
{
	return (do_link(c, AT_CWD, c->a[0], AT_CWD, c->a[1], 0));
}

int64_t
sys_linkat(struct sysctx *c)
{
	return (do_link(c, c->a[0], c->a[1], c->a[2], c->a[3],
	    (uint32_t)c->a[4]));
}

/* ---- removing and renaming ---- */

static int64_t
do_unlink(struct sysctx *c, uint64_t dirfd, vm_offset_t path, bool dir)
{
	struct vfs_place pl;
	int error;

	error = find_at(c, 0, dirfd, path, VFS_PARENT, &pl);
	if (error == 0)
		error = dir ? vfs_rmdir(&pl) : vfs_unlink(&pl);
	vfs_place_done(&pl);
	return (error);
}

int64_t
sys_unlink(struct sysctx *c)
{
	return (do_unlink(c, AT_CWD, c->a[0], false));
}

int64_t
sys_rmdir(struct sysctx *c)
{
	return (do_unlink(c, AT_CWD, c->a[0], true));
}

int64_t
sys_unlinkat(struct sysctx *c)
{
	if ((uint32_t)c->a[2] & ~(uint32_t)AT_REMOVEDIR)
		return (-EINVAL);
	return (do_unlink(c, c->a[0], c->a[1], c->a[2] & AT_REMOVEDIR));
}

static int64_t
do_rename(struct sysctx *c, uint64_t fromfd, vm_offset_t from, uint64_t tofd,
    vm_offset_t to, uint32_t flags)
{
	struct vfs_place a, b;
	int error;

	memset(&b, 0, sizeof(b));
	if (flags & ~(uint32_t)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return (-EINVAL);
	error = find_at(c, 0, fromfd, from, VFS_PARENT, &a);
	if (error == 0)
		error = find_at(c, 1, tofd, to, VFS_PARENT, &b);
	if (error == 0)
		error = vfs_rename(&a, &b, flags);
	vfs_place_done(&a);
	vfs_place_done(&b);
	return (error);
}

int64_t
sys_rename(struct sysctx *c)
{
	return (do_rename(c, AT_CWD, c->a[0], AT_CWD, c->a[1], 0));
}

int64_t
sys_renameat(struct sysctx *c)
{
	return (do_rename(c, c->a[0], c->a[1], c->a[2], c->a[3], 0));
}

int64_t
sys_renameat2(struct sysctx *c)
{
	return (do_rename(c, c->a[0], c->a[1], c->a[2], c->a[3],
	    (uint32_t)c->a[4]));
}

/* ---- links ---- */

static int64_t
do_readlink(struct sysctx *c, uint64_t dirfd, vm_offset_t va, vm_offset_t buf,
    uint64_t size)
{
	char *text = (char *)sys_buf(c, 0);
	struct inode *ip = NULL;
	const char *path;
	ssize_t n;
	int error;

	if (text == NULL)
		return (-ENOMEM);
	if ((int32_t)size <= 0)
		return (-EINVAL);
	error = sys_path(c, 0, va, &path);
	if (error == 0 && path[0] == '\0') {
		struct file *f = sys_file(c, dirfd, true);

		if (f == NULL || f->ip == NULL || !inode_is_symlink(f->ip))
			return (-ENOENT);
		inode_ref(f->ip);
		ip = f->ip;
	} else if (error == 0) {
		error = lookup_at(c, dirfd, va, AT_SYMLINK_NOFOLLOW, &ip);
	}
	if (error != 0)
		return (error);
	n = inode_readlink(ip, text, size < VFS_PATH_MAX ? size :
	    VFS_PATH_MAX);
	inode_rele(ip);
	if (n < 0)
		return (n);
	error = sys_copyout(c, buf, text, (size_t)n);
	return (error != 0 ? error : n);
}

int64_t
sys_readlink(struct sysctx *c)
{
	return (do_readlink(c, AT_CWD, c->a[0], c->a[1], c->a[2]));
}

int64_t
sys_readlinkat(struct sysctx *c)
{
	return (do_readlink(c, c->a[0], c->a[1], c->a[2], c->a[3]));
}

/* ---- attributes ---- */

static int64_t
do_chmod(struct sysctx *c, uint64_t dirfd, vm_offset_t path, uint64_t mode)
{
	struct inode *ip;
	int error;

	error = lookup_at(c, dirfd, path, 0, &ip);
	if (error != 0)
		return (error);
	error = inode_chmod(ip, (uint32_t)mode & 07777);
	inode_rele(ip);
	return (error);
}

int64_t
sys_chmod(struct sysctx *c)
{
	return (do_chmod(c, AT_CWD, c->a[0], c->a[1]));
}

int64_t
sys_fchmodat(struct sysctx *c)
{
	return (do_chmod(c, c->a[0], c->a[1], c->a[2]));
}

int64_t
sys_fchmod(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	return (f->ip == NULL ? 0 :
	    inode_chmod(f->ip, (uint32_t)c->a[1] & 07777));
}

static int64_t
do_chown(struct sysctx *c, uint64_t dirfd, vm_offset_t path, uint64_t uid,
    uint64_t gid, uint32_t flags)
{
	struct inode *ip;
	int error;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return (-EINVAL);
	error = link_source(c, dirfd, path, (flags & AT_EMPTY_PATH) |
	    ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : AT_SYMLINK_FOLLOW), &ip);
	if (error != 0)
		return (error);
	error = inode_chown(ip, (uint32_t)uid, (uint32_t)gid);
	inode_rele(ip);
	return (error);
}

int64_t
sys_chown(struct sysctx *c)
{
	return (do_chown(c, AT_CWD, c->a[0], c->a[1], c->a[2], 0));
}

int64_t
sys_lchown(struct sysctx *c)
{
	return (do_chown(c, AT_CWD, c->a[0], c->a[1], c->a[2],
	    AT_SYMLINK_NOFOLLOW));
}

int64_t
sys_fchownat(struct sysctx *c)
{
	return (do_chown(c, c->a[0], c->a[1], c->a[2], c->a[3],
	    (uint32_t)c->a[4]));
}

int64_t
sys_fchown(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	return (f->ip == NULL ? 0 : inode_chown(f->ip, (uint32_t)c->a[1],
	    (uint32_t)c->a[2]));
}

int
sys_set_size(struct sysctx *c, struct inode *ip, uint64_t size)
{
	if ((int64_t)size < 0)
		return (-EINVAL);
	if (size > inode_size(ip) && size > sys_limit(c->p, RLIMIT_FSIZE)) {
		signal_self(c->t, SIGXFSZ);
		return (-EFBIG);
	}
	return (inode_truncate(ip, size));
}

int64_t
sys_truncate(struct sysctx *c)
{
	struct inode *ip;
	int64_t ret;

	ret = lookup_at(c, AT_CWD, c->a[0], 0, &ip);
	if (ret != 0)
		return (ret);
	ret = sys_set_size(c, ip, c->a[1]);
	inode_rele(ip);
	return (ret);
}

int64_t
sys_umask(struct sysctx *c)
{
	uint32_t old = c->p->fs->umask;

	c->p->fs->umask = (uint32_t)c->a[0] & 0777;
	return (old);
}

/* ---- times of files ---- */

static int
set_times(struct sysctx *c, uint64_t dirfd, vm_offset_t va, uint32_t flags,
    const int64_t times[2])
{
	struct inode *ip;
	struct file *f;
	int error;

	if (va == 0) {
		f = sys_file(c, dirfd, false);
		if (f == NULL)
			return (-EBADF);
		return (f->ip == NULL ? 0 :
		    inode_utimens(f->ip, times[0], times[1]));
	}
	error = link_source(c, dirfd, va, (flags & AT_EMPTY_PATH) |
	    ((flags & AT_SYMLINK_NOFOLLOW) ? 0 : AT_SYMLINK_FOLLOW), &ip);
	if (error != 0)
		return (error);
	error = inode_utimens(ip, times[0], times[1]);
	inode_rele(ip);
	return (error);
}

/* Seconds and parts of one to ns, for times that a file can have. */
static int
join_time(int64_t sec, int64_t part, int64_t unit, int64_t *ns)
{
	if (part < 0 || part >= 1000000000 / unit)
		return (-EINVAL);
	if (sec > 8000000000 || sec < -8000000000)
		sec = sec > 0 ? 8000000000 : -8000000000;
	*ns = sec * 1000000000 + part * unit;
	return (0);
}

int64_t
sys_utimensat(struct sysctx *c)
{
	int64_t tv[4], times[2];
	uint32_t flags = (uint32_t)c->a[3];
	int error;

	if (flags & ~(uint32_t)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return (-EINVAL);
	times[0] = times[1] = vfs_now(c->vfs);
	if (c->a[2] != 0) {
		error = sys_copyin(c, c->a[2], tv, sizeof(tv));
		if (error != 0)
			return (error);
		for (int i = 0; i < 2; i++) {
			if (tv[2 * i + 1] == UTIME_OMIT)
				times[i] = KEEP;
			else if (tv[2 * i + 1] != UTIME_NOW &&
			    (error = join_time(tv[2 * i], tv[2 * i + 1], 1,
			    &times[i])) != 0)
				return (error);
		}
		if (times[0] == KEEP && times[1] == KEEP)
			return (0);
	}
	return (set_times(c, c->a[0], c->a[1], flags, times));
}

/* utimes and futimesat: microseconds. */
static int64_t
do_utimes(struct sysctx *c, uint64_t dirfd, vm_offset_t path, vm_offset_t va)
{
	int64_t tv[4], times[2];
	int error;

	times[0] = times[1] = vfs_now(c->vfs);
	if (va != 0) {
		error = sys_copyin(c, va, tv, sizeof(tv));
		for (int i = 0; error == 0 && i < 2; i++)
			error = join_time(tv[2 * i], tv[2 * i + 1], 1000,
			    &times[i]);
		if (error != 0)
			return (error);
	}
	return (set_times(c, dirfd, path, 0, times));
}

int64_t
sys_utimes(struct sysctx *c)
{
	return (c->a[0] == 0 ? -EFAULT :
	    do_utimes(c, AT_CWD, c->a[0], c->a[1]));
}

int64_t
sys_futimesat(struct sysctx *c)
{
	return (do_utimes(c, c->a[0], c->a[1], c->a[2]));
}

int64_t
sys_utime(struct sysctx *c)
{
	int64_t tv[2], times[2];
	int error;

	times[0] = times[1] = vfs_now(c->vfs);
	if (c->a[0] == 0)
		return (-EFAULT);
	if (c->a[1] != 0) {
		error = sys_copyin(c, c->a[1], tv, sizeof(tv));
		for (int i = 0; error == 0 && i < 2; i++)
			error = join_time(tv[i], 0, 1, &times[i]);
		if (error != 0)
			return (error);
	}
	return (set_times(c, AT_CWD, c->a[0], 0, times));
}
