/*
 * vfs_dir.c: the names in directories: what the host has, what the guest
 * made, renamed and removed.
 *
 * Interface: sim/vfs.h, "Changes" and vfs_list. Source: link(2), rename(2),
 * unlink(2), mkdir(2) as Linux 6.1. Differences: directories have a link
 * count of 1, as on btrfs; below a bound directory every change is made on
 * the host first and here when the host agreed.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the sorted array ---- */

/* Index of name, or of the place where it belongs. */
static size_t
dir_index(const struct inode *dir, const char *name, bool *found)
{
	size_t lo = 0, hi = dir->nent;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(dir->ent[mid].name, name);

		if (c == 0) {
			*found = true;
			return (mid);
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

struct dentry *
dir_find(const struct inode *dir, const char *name)
{
	bool found;
	size_t i = dir_index(dir, name, &found);

	return (found ? &dir->ent[i] : NULL);
}

static struct dentry *
dir_slot(struct inode *dir, const char *name)
{
	struct dentry *d;
	bool found;
	char *copy;
	size_t i;

	i = dir_index(dir, name, &found);
	if (found)
		return (&dir->ent[i]);
	if (dir->nent == dir->ent_room) {
		size_t room = dir->ent_room == 0 ? 8 : dir->ent_room * 2;

		d = realloc(dir->ent, room * sizeof(*d));
		if (d == NULL)
			return (NULL);
		dir->ent = d;
		dir->ent_room = room;
	}
	copy = strdup(name);
	if (copy == NULL)
		return (NULL);
	d = &dir->ent[i];
	memmove(d + 1, d, (dir->nent - i) * sizeof(*d));
	memset(d, 0, sizeof(*d));
	d->name = copy;
	dir->nent++;
	return (d);
}

static void
dir_forget(struct inode *dir, struct dentry *d)
{
	size_t i = (size_t)(d - dir->ent);

	free(d->name);
	dir->nent--;
	memmove(d, d + 1, (dir->nent - i) * sizeof(*d));
}

void
dir_free(struct inode *dir)
{
	for (size_t i = 0; i < dir->nent; i++)
		free(dir->ent[i].name);
	free(dir->ent);
	dir->ent = NULL;
	dir->nent = dir->ent_room = 0;
}

static uint8_t
inode_dtype(const struct inode *ip)
{
	return (IFTODT(ip->mode));
}

/* Enters a name; takes over the caller's reference. */
int
dir_insert(struct inode *dir, const char *name, struct inode *ip)
{
	struct dentry *d;

	d = dir_slot(dir, name);
	if (d == NULL)
		return (-ENOMEM);
	d->whiteout = false;
	d->ip = ip;
	d->ino = ip->ino;
	d->type = inode_dtype(ip);
	if (ip->kind == IK_DIR && ip->parent != dir) {
		inode_ref(dir);
		if (ip->parent != NULL)
			inode_rele(ip->parent);
		ip->parent = dir;
	}
	return (0);
}

void
dir_remove(struct inode *dir, const char *name)
{
	struct dentry *d = dir_find(dir, name);

	if (dir->host != NULL && !dir->rw) {
		d->ip = NULL;
		d->whiteout = true;
	} else {
		dir_forget(dir, d);
	}
}

/* ---- names of the host ---- */

char *
host_child(const struct inode *dir, const char *name)
{
	const char *slash = strcmp(dir->host, "/") == 0 ? "" : "/";
	char *path;

	if (asprintf(&path, "%s%s%s", dir->host, slash, name) < 0)
		return (NULL);
	return (path);
}

static enum inode_kind
host_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return (IK_DIR);
	case S_IFREG:
		return (IK_FILE);
	case S_IFLNK:
		return (IK_LINK);
	default:
		return (IK_OTHER);
	}
}

static bool
has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return (n >= k && strcmp(s + n - k, suffix) == 0);
}

/*
 * All times of host files are the boot's, so that a copied or newly unpacked
 * tree gives the same run. The one exception: python compares the mtime of
 * its library's sources with the number inside the compiled file.
 */
static void
host_times(struct inode *ip, const struct stat *sb)
{
	int64_t boot = (int64_t)(ip->vfs->boot_epoch * 1000000000ull);

	ip->atime = ip->mtime = ip->ctime = boot;
	if (ip->kind == IK_FILE && strncmp(ip->host, "/usr/", 5) == 0 &&
	    has_suffix(ip->host, ".py"))
		ip->mtime = (int64_t)sb->st_mtime * 1000000000;
}

static int
host_link_target(struct inode *ip)
{
	char buf[VFS_PATH_MAX];
	ssize_t n;

	n = readlink(ip->host, buf, sizeof(buf) - 1);
	if (n < 0)
		return (host_errno(errno));
	buf[n] = '\0';
	ip->target = strdup(buf);
	return (ip->target != NULL ? 0 : -ENOMEM);
}

/* An inode for the host's file `path` (taken over) in dir. */
static int
host_inode(struct inode *dir, char *path, uint64_t ino, struct inode **out)
{
	struct vfs *vfs = dir->vfs;
	struct inode *ip;
	struct stat sb;
	int error;

	if (lstat(path, &sb) != 0) {
		error = host_errno(errno);
		free(path);
		return (error);
	}
	ip = inode_new(vfs, host_kind(sb.st_mode), (uint32_t)sb.st_mode);
	if (ip == NULL) {
		free(path);
		return (-ENOMEM);
	}
	if (ino != 0) {
		vfs->next_ino--;
		ip->ino = ino;
	}
	ip->host = path;
	ip->rw = dir->rw;
	ip->dev = dir->dev;
	ip->size = ip->host_size = (uint64_t)sb.st_size;
	ip->host_dev_seen = (uint64_t)sb.st_dev;
	ip->host_ino_seen = (uint64_t)sb.st_ino;
	host_times(ip, &sb);
	if (ip->kind == IK_LINK && (error = host_link_target(ip)) != 0) {
		inode_free(ip);
		return (error);
	}
	*out = ip;
	return (0);
}

int
dir_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct dentry *d = dir_find(dir, name);
	uint64_t ino = 0;
	char *path;
	int error;

	if (d != NULL) {
		if (d->whiteout)
			return (-ENOENT);
		if (d->ip != NULL) {
			inode_ref(d->ip);
			*out = d->ip;
			return (0);
		}
		ino = d->ino;
	} else if (dir->complete || dir->host == NULL) {
		return (-ENOENT);
	}
	path = host_child(dir, name);
	if (path == NULL)
		return (-ENOMEM);
	error = host_inode(dir, path, ino, out);
	if (error != 0)
		return (error);
	error = dir_insert(dir, name, *out);
	if (error != 0) {
		inode_free(*out);
		return (error);
	}
	inode_ref(*out);
	return (0);
}

static int
compare_names(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

/* The host's names, sorted: "t" + name, t the DT_ type. */
static int
host_names(const char *path, char ***names, size_t *count)
{
	size_t room = 0;
	struct dirent *de;
	DIR *dp;

	*names = NULL;
	*count = 0;
	dp = opendir(path);
	if (dp == NULL)
		return (host_errno(errno));
	while ((de = readdir(dp)) != NULL) {
		size_t n = strlen(de->d_name);
		char *s;

		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (*count == room) {
			char **more;

			room = room == 0 ? 32 : room * 2;
			more = realloc(*names, room * sizeof(*more));
			if (more == NULL)
				break;
			*names = more;
		}
		s = malloc(n + 2);
		if (s == NULL)
			break;
		memcpy(s, de->d_name, n + 1);
		s[n + 1] = (char)de->d_type; /* behind the name */
		(*names)[(*count)++] = s;
	}
	closedir(dp);
	if (de != NULL) {
		for (size_t i = 0; i < *count; i++)
			free((*names)[i]);
		free(*names);
		return (-ENOMEM);
	}
	if (*count != 0)
		qsort(*names, *count, sizeof(**names), compare_names);
	return (0);
}

/* Some file systems do not tell types in their directories. */
static uint8_t
host_dtype(const struct inode *dir, const char *name, uint8_t type)
{
	struct stat sb;
	char *path;

	if (type != DT_UNKNOWN)
		return (type);
	path = host_child(dir, name);
	if (path != NULL && lstat(path, &sb) == 0)
		type = IFTODT(sb.st_mode);
	free(path);
	return (type);
}

int
dir_load(struct inode *dir)
{
	char **names;
	size_t count;
	int error;

	if (dir->complete || dir->host == NULL)
		return (0);
	error = host_names(dir->host, &names, &count);
	if (error != 0)
		return (error);
	for (size_t i = 0; i < count; i++) {
		uint8_t type = (uint8_t)names[i][strlen(names[i]) + 1];
		struct dentry *d = dir_find(dir, names[i]);

		if (d == NULL && (d = dir_slot(dir, names[i])) != NULL) {
			d->ino = dir->vfs->next_ino++;
			d->type = host_dtype(dir, names[i], type);
		}
		if (d == NULL)
			error = -ENOMEM;
		free(names[i]);
	}
	free(names);
	if (error == 0)
		dir->complete = true;
	return (error);
}

bool
dir_is_empty(struct inode *dir)
{
	if (dir_load(dir) != 0)
		return (false);
	for (size_t i = 0; i < dir->nent; i++) {
		if (!dir->ent[i].whiteout)
			return (false);
	}
	return (true);
}

int
listing_add(struct vfs_listing *ls, uint64_t ino, uint8_t type,
    const char *name)
{
	struct vfs_dirent *e;

	if ((ls->count & (ls->count - 1)) == 0) {
		size_t room = ls->count == 0 ? 1 : ls->count * 2;

		e = realloc(ls->ent, room * sizeof(*e));
		if (e == NULL)
			return (-ENOMEM);
		ls->ent = e;
	}
	e = &ls->ent[ls->count];
	e->ino = ino;
	e->type = type;
	e->name = strdup(name);
	if (e->name == NULL)
		return (-ENOMEM);
	ls->count++;
	return (0);
}

int
vfs_list(struct inode *dir, struct vfs_listing *ls)
{
	int error;

	memset(ls, 0, sizeof(*ls));
	error = listing_add(ls, dir->ino, DT_DIR, ".");
	if (error == 0)
		error = listing_add(ls, dir->parent->ino, DT_DIR, "..");
	if (error == 0 && dir->kind == IK_PROCDIR)
		error = proc_list(dir, ls);
	if (error == 0 && dir->kind == IK_DIR && !dir->dead)
		error = dir_load(dir);
	for (size_t i = 0; error == 0 && i < dir->nent; i++) {
		const struct dentry *d = &dir->ent[i];

		if (!d->whiteout)
			error = listing_add(ls, d->ino, d->type, d->name);
	}
	if (error != 0)
		vfs_listing_free(ls);
	return (error);
}

void
vfs_listing_free(struct vfs_listing *ls)
{
	for (size_t i = 0; i < ls->count; i++)
		free(ls->ent[i].name);
	free(ls->ent);
	ls->ent = NULL;
	ls->count = 0;
}

/* ---- changes ---- */

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
	if (pl->dir->kind != IK_DIR || pl->dir->fixed)
		return (-EACCES);
	return (0);
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
	ip->rw = dir->rw;
	ip->dev = dir->dev;
	if (dir->rw && kind != IK_FIFO) {
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
		int fd = open(ip->host, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, mode & 07777);

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
vfs_mkfifo(struct vfs_place *pl, uint32_t mode)
{
	struct inode *ip;
	int error;

	error = check_new(pl);
	if (error != 0)
		return (error);
	error = make_inode(pl, IK_FIFO, S_IFIFO | (mode & 07777), &ip);
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

	if (inode_is_directory(ip))
		return (-EPERM);
	error = check_new(pl);
	if (error != 0)
		return (error);
	if (pl->slash)
		return (-ENOENT);
	if (ip->dev != pl->dir->dev || ip->kind == IK_TEXT ||
	    ip->kind == IK_OPENFILE || ip->kind == IK_PROCLINK)
		return (-EXDEV);
	if (ip->nlink == 0)
		return (-ENOENT);
	if (ip->host != NULL && ip->rw) {
		char *path = host_child(pl->dir, pl->name);

		if (path == NULL)
			return (-ENOMEM);
		error = link(ip->host, path) != 0 ? host_errno(errno) : 0;
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
	if (ip->kind != IK_FILE || ip->kept || host_open_file(ip) != 0)
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
	if (dir->rw && ip->kind != IK_FIFO) {
		char *path = host_child(dir, pl->name);
		int error;

		if (path == NULL)
			return (-ENOMEM);
		keep_host_file(ip);
		error = unlink(path) != 0 ? host_errno(errno) : 0;
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

/* New host path for an inode and, for a directory, all known below it. */
void
inode_rehost(struct inode *ip, const char *host)
{
	char *copy = strdup(host);

	if (copy == NULL)
		return; /* the old path will give ENOENT: an honest error */
	free(ip->host);
	ip->host = copy;
	for (size_t i = 0; i < ip->nent; i++) {
		struct inode *child = ip->ent[i].ip;
		char *path;

		if (child == NULL || child->host == NULL)
			continue;
		path = host_child(ip, ip->ent[i].name);
		if (path != NULL)
			inode_rehost(child, path);
		free(path);
	}
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
		if (from->ip->kind != IK_FIFO &&
		    renameat2(AT_FDCWD, old, AT_FDCWD, new, flags) != 0)
			error = host_errno(errno);
	}
	if (error == 0 && from->ip->host != NULL)
		inode_rehost(from->ip, new);
	if (error == 0 && (flags & RENAME_EXCHANGE) && to->ip->host != NULL)
		inode_rehost(to->ip, old);
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
inode_chmod(struct inode *ip, uint32_t mode)
{
	if (ip->kind == IK_LINK || ip->kind == IK_PROCLINK)
		return (-EOPNOTSUPP);
	if (ip->kind == IK_TEXT || ip->kind == IK_PROCDIR)
		return (-EPERM);
	if (ip->rw && ip->host != NULL && ip->nlink != 0 &&
	    chmod(ip->host, mode & 07777) != 0)
		return (host_errno(errno));
	ip->mode = (ip->mode & S_IFMT) | (mode & 07777);
	ip->ctime = vfs_now(ip->vfs);
	return (0);
}

/* The host's owner is not touched: the caller is seldom root there. */
int
inode_chown(struct inode *ip, uint32_t uid, uint32_t gid)
{
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
