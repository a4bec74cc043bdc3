/*
 * vfs_change.c: what the guest does to names and attributes: making,
 * linking, removing, renaming, modes, owners, times.
 *
 * Interface: sim/vfs.h, "Changes". Source: link(2), rename(2), unlink(2),
 * mkdir(2) as Linux 6.1, with the order of its checks. Differences:
 * directories have a link count of 1, as on btrfs; below a bound directory
 * every change is made on the host first and here when the host agreed.
 */
#include "sim/vfs_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
dir_touch(struct inode *dir)
{
	dir->mtime = dir->ctime = vfs_now(dir->vfs);
}

/* May a new name be made at the place? */
static int
check_new(const struct vfs_place *pl)
{
	if (pl->ip != NULL)
		return (-EEXIST);
	if (pl->dir->kind != IK_DIR || pl->dir->fixed ||
	    (pl->dir->rw && host_hides(pl->dir, pl->name)))
		return (-EACCES);
	return (0);
}

/* Even below a bound directory. */
static bool
memory_only(enum inode_kind kind)
{
	return (kind == IK_FIFO || kind == IK_SOCKET);
}

/* An inode made by the guest, with its host path when the place is bound. */
static int
make_inode(struct vfs_place *pl, enum inode_kind kind, uint32_t mode,
    struct inode **out)
{
	struct inode *dir = pl->dir, *ip;

	ip = inode_new(dir->vfs, kind, mode);
	if (ip == NULL)
		return (-ENOMEM);
	ip->made = true;
	dir->vfs->nmade++;
	ip->rw = dir->rw;
	ip->dev = dir->dev;
	if (dir->rw && !memory_only(kind)) {
		ip->host = host_child(dir, pl->name);
		if (ip->host == NULL) {
			inode_free(ip);
			return (-ENOMEM);
		}
	}
	*out = ip;
	return (0);
}

/* Enters a new inode under its name; on failure it is gone. */
static int
enter_inode(struct vfs_place *pl, struct inode *ip)
{
	int error;

	error = dir_insert(pl->dir, pl->name, ip);
	if (error != 0) {
		inode_free(ip);
		return (error);
	}
	dir_touch(pl->dir);
	inode_note_path(ip, pl->via, pl->name);
	return (0);
}

int
vfs_create_file(struct vfs_place *pl, uint32_t mode, struct inode **out)
{
	struct inode *ip;
	int error;

	error = check_new(pl);
	if (error != 0)
		return (error);
	if (pl->slash)
		return (-EISDIR);
	error = make_inode(pl, IK_FILE, S_IFREG | (mode & 07777), &ip);
	if (error != 0)
		return (error);
	if (ip->host != NULL) {
		int fd;

		do
			fd = open(ip->host, O_RDWR | O_CREAT | O_EXCL |
			    O_CLOEXEC | O_NOFOLLOW, mode & 07777);
		while (fd < 0 && host_spare_file(ip->vfs));
		if (fd < 0) {
			error = host_errno(errno);
			inode_free(ip);
			return (error);
		}
		(void)fchmod(fd, mode & 07777);
		close(fd);
	}
	error = enter_inode(pl, ip);
	if (error != 0)
		return (error);
	inode_ref(ip);
	*out = ip;
	return (0);
}

int
vfs_mkdir(struct vfs_place *pl, uint32_t mode)
{
	struct inode *ip;
	int error;

	if (pl->last != VFS_LAST_NAME)
		return (-EEXIST);
	error = check_new(pl);
	if (error != 0)
		return (error);
	error = make_inode(pl, IK_DIR, S_IFDIR | (mode & 01777), &ip);
	if (error != 0)
		return (error);
	if (ip->host != NULL && (mkdir(ip->host, mode & 01777) != 0 ||
	    chmod(ip->host, mode & 01777) != 0)) {
		error = host_errno(errno);
		inode_free(ip);
		return (error);
	}
	ip->complete = true;
	return (enter_inode(pl, ip));
}

int
vfs_mkspecial(struct vfs_place *pl, uint32_t mode)
{
	enum inode_kind kind = S_ISSOCK(mode) ? IK_SOCKET : IK_FIFO;
	struct inode *ip;
	int error;

	error = check_new(pl);
	if (error != 0)
		return (error);
	error = make_inode(pl, kind, mode, &ip);
	if (error != 0)
		return (error);
	return (enter_inode(pl, ip));
}

int
vfs_symlink(struct vfs_place *pl, const char *target)
{
	struct inode *ip;
	int error;

	if (target[0] == '\0')
		return (-ENOENT);
	error = check_new(pl);
	if (error != 0)
		return (error);
	if (pl->slash)
		return (-ENOENT);
	error = make_inode(pl, IK_LINK, S_IFLNK | 0777, &ip);
	if (error != 0)
		return (error);
	ip->target = strdup(target);
	if (ip->target == NULL)
		error = -ENOMEM;
	else if (ip->host != NULL && symlink(target, ip->host) != 0)
		error = host_errno(errno);
	if (error != 0) {
		inode_free(ip);
		return (error);
	}
	return (enter_inode(pl, ip));
}

int
vfs_link(struct inode *ip, struct vfs_place *pl)
{
	int error;

	error = check_new(pl);
	if (error != 0)
		return (error);
	if (pl->slash)
		return (-ENOENT);
	if (inode_is_directory(ip))
		return (-EPERM);
	if (ip->dev != pl->dir->dev || ip->kind == IK_TEXT ||
	    ip->kind == IK_OPENFILE || ip->kind == IK_PROCLINK)
		return (-EXDEV);
	if (ip->nlink == 0)
		return (-ENOENT);
	if (ip->host != NULL && ip->rw) {
		char *path = host_child(pl->dir, pl->name);

		if (path == NULL)
			return (-ENOMEM);
		error = link(ip->host, path) != 0 ? host_errno(errno) :
		    host_name_add(ip, path);
		free(path);
		if (error != 0)
			return (error);
	}
	inode_ref(ip);
	error = dir_insert(pl->dir, pl->name, ip);
	if (error != 0) {
		inode_rele(ip);
		return (error);
	}
	ip->nlink++;
	ip->ctime = vfs_now(ip->vfs);
	dir_touch(pl->dir);
	return (0);
}

/*
 * A bound file that is removed while open must stay readable: its descriptor
 * on the host keeps it alive, and is not closed to save descriptors.
 */
static void
keep_host_file(struct inode *ip)
{
	if (ip->kind != IK_FILE || ip->kept || ip->nlink > 1 ||
	    host_open_file(ip) != 0)
		return;
	TAILQ_REMOVE(&ip->vfs->host_open, ip, open);
	ip->vfs->nhost_open--;
	ip->kept = true;
}

static void
drop_link(struct inode *dir, struct inode *ip)
{
	ip->nlink--;
	ip->ctime = vfs_now(ip->vfs);
	dir_touch(dir);
}

int
vfs_unlink(struct vfs_place *pl)
{
	struct inode *dir = pl->dir, *ip = pl->ip;

	if (ip == NULL)
		return (-ENOENT);
	if (pl->last != VFS_LAST_NAME || inode_is_directory(ip))
		return (-EISDIR);
	if (pl->slash)
		return (-ENOTDIR);
	if (dir->kind != IK_DIR || dir->fixed)
		return (-EPERM);
	if (dir->rw && !memory_only(ip->kind)) {
		char *path = host_child(dir, pl->name);
		int error;

		if (path == NULL)
			return (-ENOMEM);
		keep_host_file(ip);
		error = unlink(path) != 0 ? host_errno(errno) : 0;
		if (error == 0)
			host_name_remove(ip, path);
		free(path);
		if (error != 0)
			return (error);
	}
	dir_remove(dir, pl->name);
	drop_link(dir, ip);
	inode_rele(ip); /* the name's reference; pl still holds one */
	return (0);
}

int
vfs_rmdir(struct vfs_place *pl)
{
	struct inode *dir = pl->dir, *ip = pl->ip;

	if (ip == NULL)
		return (-ENOENT);
	if (pl->last == VFS_LAST_DOT)
		return (-EINVAL);
	if (pl->last == VFS_LAST_DOTDOT)
		return (-ENOTEMPTY);
	if (!inode_is_directory(ip))
		return (-ENOTDIR);
	if (pl->last == VFS_LAST_ROOT || ip->kind != IK_DIR || ip->fixed ||
	    dir->kind != IK_DIR || dir->fixed)
		return (-EBUSY);
	if (!dir_is_empty(ip))
		return (-ENOTEMPTY);
	if (dir->rw) {
		/* whiteouts do not exist here: the host's is empty too */
		if (rmdir(ip->host) != 0)
			return (host_errno(errno));
	}
	dir_remove(dir, pl->name);
	ip->dead = true;
	drop_link(dir, ip);
	inode_rele(ip);
	return (0);
}

/* Is `ip` the directory `under` or above it? */
static bool
is_above(const struct inode *ip, const struct inode *under)
{
	while (under != ip && under->parent != under)
		under = under->parent;
	return (under == ip);
}

static int
rename_check(const struct vfs_place *from, const struct vfs_place *to,
    uint32_t flags)
{
	const struct inode *src = from->ip, *dst = to->ip;

	if (from->last != VFS_LAST_NAME || to->last != VFS_LAST_NAME)
		return (-EBUSY);
	if (src == NULL || ((flags & RENAME_EXCHANGE) && dst == NULL))
		return (-ENOENT);
	if ((flags & RENAME_NOREPLACE) && dst != NULL)
		return (-EEXIST);
	if (!inode_is_directory(src) && (from->slash || to->slash))
		return (-ENOTDIR);
	if (from->dir->kind != IK_DIR || to->dir->kind != IK_DIR ||
	    from->dir->fixed || to->dir->fixed || src->fixed)
		return (-EPERM);
	if (to->dir->rw && host_hides(to->dir, to->name))
		return (-EACCES);
	if (src->dev != to->dir->dev || (dst != NULL && dst->dev != src->dev))
		return (-EXDEV);
	if (src == dst)
		return (0);
	if (inode_is_directory(src) && is_above(src, to->dir))
		return (-EINVAL);
	if (dst != NULL && inode_is_directory(dst) && is_above(dst, from->dir))
		return ((flags & RENAME_EXCHANGE) ? -EINVAL : -ENOTEMPTY);
	if (dst == NULL || (flags & RENAME_EXCHANGE))
		return (0);
	if (inode_is_directory(src) && !inode_is_directory(dst))
		return (-ENOTDIR);
	if (!inode_is_directory(src) && inode_is_directory(dst))
		return (-EISDIR);
	return (0);
}

/* A name on the host has become another. */
static void
host_name_replace(struct inode *ip, const char *old, const char *new)
{
	struct hostname *h;
	char **at = &ip->host, *copy;

	if (ip->host == NULL)
		return;
	for (h = ip->names; h != NULL && strcmp(ip->host, old) != 0;
	    h = h->next) {
		if (strcmp(h->path, old) == 0) {
			at = &h->path;
			break;
		}
	}
	copy = strdup(new);
	if (copy == NULL)
		return; /* the old path will give ENOENT: an honest error */
	free(*at);
	*at = copy;
}

/* The same for an inode and, if it is a directory, all known below it. */
static void
inode_rehost(struct inode *ip, const char *old, const char *new)
{
	for (size_t i = 0; i < ip->nent; i++) {
		struct inode *child = ip->ent[i].ip;
		char *from, *to;

		if (child == NULL || ip->ent[i].whiteout)
			continue;
		if (asprintf(&from, "%s/%s", old, ip->ent[i].name) < 0)
			continue;
		if (asprintf(&to, "%s/%s", new, ip->ent[i].name) >= 0) {
			inode_rehost(child, from, to);
			free(to);
		}
		free(from);
	}
	host_name_replace(ip, old, new);
}

static int
rename_host(struct vfs_place *from, struct vfs_place *to, uint32_t flags)
{
	char *old = host_child(from->dir, from->name);
	char *new = host_child(to->dir, to->name);
	int error = 0;

	if (old == NULL || new == NULL) {
		error = -ENOMEM;
	} else {
		if (to->ip != NULL && !(flags & RENAME_EXCHANGE))
			keep_host_file(to->ip);
		if (!memory_only(from->ip->kind) &&
		    renameat2(AT_FDCWD, old, AT_FDCWD, new, flags) != 0)
			error = host_errno(errno);
	}
	if (error == 0 && to->ip != NULL) {
		if (flags & RENAME_EXCHANGE)
			inode_rehost(to->ip, new, old);
		else
			host_name_remove(to->ip, new);
	}
	if (error == 0)
		inode_rehost(from->ip, old, new);
	free(old);
	free(new);
	return (error);
}

static int
rename_exchange(struct vfs_place *from, struct vfs_place *to)
{
	int error;

	error = dir_insert(to->dir, to->name, from->ip);
	if (error == 0)
		error = dir_insert(from->dir, from->name, to->ip);
	return (error);
}

int
vfs_rename(struct vfs_place *from, struct vfs_place *to, uint32_t flags)
{
	struct inode *src = from->ip, *dst = to->ip;
	int error;

	if ((flags & RENAME_EXCHANGE) && (flags & RENAME_NOREPLACE))
		return (-EINVAL);
	error = rename_check(from, to, flags);
	if (error != 0 || src == dst)
		return (error);
	if (dst != NULL && !(flags & RENAME_EXCHANGE) &&
	    inode_is_directory(dst) && !dir_is_empty(dst))
		return (-ENOTEMPTY);
	if (src->rw) {
		error = rename_host(from, to, flags);
		if (error != 0)
			return (error);
	}
	if (flags & RENAME_EXCHANGE) {
		error = rename_exchange(from, to);
	} else {
		if (dst != NULL && inode_is_directory(dst))
			dst->dead = true;
		error = dir_insert(to->dir, to->name, src);
		if (error == 0)
			dir_remove(from->dir, from->name);
	}
	if (error != 0)
		return (error);
	src->ctime = vfs_now(src->vfs);
	dir_touch(from->dir);
	dir_touch(to->dir);
	if (dst != NULL && !(flags & RENAME_EXCHANGE)) {
		dst->nlink--;
		inode_rele(dst); /* the name's; `to` still holds one */
	}
	return (0);
}

/* ---- attributes ---- */

int
inode_chmod(struct inode *named, uint32_t mode)
{
	struct inode *ip = inode_real(named);

	if (ip->kind == IK_LINK || ip->kind == IK_PROCLINK)
		return (-EOPNOTSUPP);
	if (ip->kind == IK_TEXT || ip->kind == IK_PROCDIR)
		return (-EPERM);
	if (ip->rw && ip->host != NULL && ip->nlink != 0 &&
	    chmod(ip->host, mode & 07777) != 0)
		return (host_errno(errno));
	ip->mode = named->mode = (ip->mode & S_IFMT) | (mode & 07777);
	ip->ctime = vfs_now(ip->vfs);
	return (0);
}

/* The host's owner is not touched: the caller is seldom root there. */
int
inode_chown(struct inode *ip, uint32_t uid, uint32_t gid)
{
	ip = inode_real(ip);
	if (ip->kind == IK_TEXT || ip->kind == IK_PROCDIR ||
	    ip->kind == IK_PROCLINK)
		return (-EPERM);
	if (uid != UINT32_MAX)
		ip->uid = uid;
	if (gid != UINT32_MAX)
		ip->gid = gid;
	if (ip->kind == IK_FILE && (ip->mode & 0111) != 0)
		ip->mode &= ~(uint32_t)(S_ISUID | S_ISGID);
	ip->ctime = vfs_now(ip->vfs);
	return (0);
}

int
inode_utimens(struct inode *ip, int64_t atime, int64_t mtime)
{
	ip = inode_real(ip);
	if (ip->kind == IK_TEXT || ip->kind == IK_PROCDIR ||
	    ip->kind == IK_PROCLINK)
		return (-EPERM);
	if (atime != INT64_MIN)
		ip->atime = atime;
	if (mtime != INT64_MIN)
		ip->mtime = mtime;
	ip->ctime = vfs_now(ip->vfs);
	return (0);
}
