/*
 * vfs.c: inodes and path resolution of the guest's file tree.
 *
 * Interface: sim/vfs.h. Source: path_resolution(7) and the errors of open(2)
 * as Linux 6.1 gives them. Differences: one user, root, who may search and
 * read everything the host lets vmsim read; access times are not kept.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(VFS_BLOCK == PAGE_SIZE, "overlay blocks are pages");

int64_t
vfs_now(const struct vfs *vfs)
{
	return ((int64_t)(vfs->boot_epoch * 1000000000ull +
	    sim_to_ns(vfs->sim, sim_now(vfs->sim))));
}

void
vfs_set_problem(struct vfs *vfs, const char *fmt, ...)
{
	va_list ap;

	if (vfs->problem[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(vfs->problem, sizeof(vfs->problem), fmt, ap);
	va_end(ap);
}

const char *
vfs_problem(const struct vfs *vfs)
{
	return (vfs->problem[0] != '\0' ? vfs->problem : NULL);
}

int
host_errno(int error)
{
	switch (error) {
	case ENOENT:
	case EACCES:
	case EPERM:
	case EEXIST:
	case ENOTEMPTY:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EXDEV:
	case EMLINK:
	case EFBIG:
	case EBUSY:
	case EINVAL:
	case ENOMEM:
		return (-error);
	case ENOTDIR: /* the tree changed under us */
		return (-ENOENT);
	default:
		return (-EIO);
	}
}

/* ---- inodes ---- */

struct inode *
inode_new(struct vfs *vfs, enum inode_kind kind, uint32_t mode)
{
	struct inode *ip;

	ip = calloc(1, sizeof(*ip));
	if (ip == NULL)
		return (NULL);
	ip->vfs = vfs;
	ip->kind = kind;
	ip->mode = mode;
	ip->refs = 1;
	ip->nlink = 1;
	ip->dev = VFS_DEV;
	ip->host_fd = -1;
	ip->ino = vfs->next_ino++;
	ip->atime = ip->mtime = ip->ctime = vfs_now(vfs);
	TAILQ_INSERT_TAIL(&vfs->inodes, ip, all);
	return (ip);
}

void
inode_number(struct inode *ip)
{
	struct inode *up = ip->parent;

	if (ip->ino != 0)
		return;
	ip->ino = ip->vfs->next_ino++;
	for (size_t i = 0; up != NULL && i < up->nent; i++) {
		if (up->ent[i].ip == ip)
			up->ent[i].ino = ip->ino;
	}
}

/* Takes the record apart; drops no references to other inodes. */
void
inode_free(struct inode *ip)
{
	struct vfs *vfs = ip->vfs;

	host_close_file(ip);
	inode_drop_data(ip);
	dir_free(ip);
	host_names_free(ip);
	TAILQ_REMOVE(&vfs->inodes, ip, all);
	vfs->nmade -= ip->made;
	free(ip->target);
	free(ip->host);
	free(ip->path);
	free(ip);
}

void
inode_ref(struct inode *ip)
{
	ip->refs++;
}

/* A removed file that may still be mapped waits among the orphans. */
static void
inode_orphan(struct inode *ip)
{
	ip->orphaned = true;
	TAILQ_INSERT_TAIL(&ip->vfs->orphans, ip, orphan);
}

void
inode_rele(struct inode *ip)
{
	struct inode *parent, *mirror;

	KASSERT(ip->vfs->sim, ip->refs > 0, ("inode released too often"));
	if (--ip->refs != 0)
		return;
	if (ip->vp != NULL) {
		inode_orphan(ip);
		vfs_reap(ip->vfs);
		return;
	}
	parent = ip->parent != ip ? ip->parent : NULL;
	mirror = ip->mirror;
	inode_place_free(ip);
	inode_free(ip);
	if (parent != NULL)
		inode_rele(parent);
	if (mirror != NULL)
		inode_rele(mirror);
}

/*
 * The pages of a removed file go when the last mapping has gone; freeing
 * them may sleep for pages in transit, so the orphan leaves the list first.
 */
void
vfs_reap(struct vfs *vfs)
{
	struct inode *ip, *next;

	if (sim_curthread(vfs->sim) == NULL)
		return;
	for (ip = TAILQ_FIRST(&vfs->orphans); ip != NULL; ip = next) {
		next = TAILQ_NEXT(ip, orphan);
		if (vm_vnode_is_mapped(ip->vp))
			continue;
		TAILQ_REMOVE(&vfs->orphans, ip, orphan);
		ip->orphaned = false;
		vm_vnode_truncate(vfs->vm, ip->vp, 0);
		vm_vnode_rele(vfs->vm, ip->vp);
		ip->vp = NULL;
		inode_place_free(ip);
		inode_free(ip);
		next = TAILQ_FIRST(&vfs->orphans);
	}
}

bool
inode_is_regular(const struct inode *ip)
{
	return (ip->kind == IK_FILE);
}

bool
inode_is_directory(const struct inode *ip)
{
	return (ip->kind == IK_DIR || ip->kind == IK_PROCDIR);
}

bool
inode_is_fifo(const struct inode *ip)
{
	return (ip->kind == IK_FIFO);
}

bool
inode_is_socket(const struct inode *ip)
{
	return (ip->kind == IK_SOCKET);
}

bool
inode_is_symlink(const struct inode *ip)
{
	return (ip->kind == IK_LINK || ip->kind == IK_PROCLINK);
}

uint64_t
inode_size(const struct inode *ip)
{
	switch (ip->kind) {
	case IK_FILE:
		return (ip->vp != NULL ? vm_vnode_size(ip->vp) : ip->size);
	case IK_DIR:
		return (4096);
	case IK_LINK:
		return (strlen(ip->target));
	default:
		return (0);
	}
}

uint32_t
inode_mode(const struct inode *ip)
{
	return (ip->mode);
}

const char *
inode_path(const struct inode *ip)
{
	return (ip->path != NULL ? ip->path : "");
}

void *
inode_data(const struct inode *ip)
{
	return (ip->data);
}

void
inode_set_data(struct inode *ip, void *data)
{
	ip->data = data;
}

void
inode_stat(const struct inode *ip, struct vfs_stat *st)
{
	memset(st, 0, sizeof(*st));
	inode_number((struct inode *)(uintptr_t)ip);
	st->ino = ip->ino;
	st->mode = ip->mode;
	ip = inode_real(ip);
	st->dev = ip->dev;
	st->nlink = ip->nlink;
	st->uid = ip->uid;
	st->gid = ip->gid;
	st->size = inode_size(ip);
	st->blksize = VFS_BLOCK;
	if (ip->kind == IK_FILE || ip->kind == IK_DIR)
		st->blocks = (st->size + VFS_BLOCK - 1) / VFS_BLOCK *
		    VFS_SECTORS_PER_BLOCK;
	if (ip->kind == IK_DEVICE) {
		static const uint16_t rdev[] = { [VFS_NULL] = 0x103,
			[VFS_ZERO] = 0x105, [VFS_FULL] = 0x107,
			[VFS_RANDOM] = 0x109, [VFS_TTY] = 0x500 };

		st->rdev = rdev[ip->sub];
	}
	st->atime = ip->atime;
	st->mtime = ip->mtime;
	st->ctime = ip->ctime;
}

ssize_t
inode_readlink(struct inode *ip, char *buf, size_t size)
{
	size_t n;

	if (ip->kind == IK_PROCLINK || ip->kind == IK_OPENFILE)
		return (proc_readlink(ip, buf, size));
	if (ip->kind != IK_LINK)
		return (-EINVAL);
	n = strlen(ip->target);
	if (n > size)
		n = size;
	memcpy(buf, ip->target, n);
	return ((ssize_t)n);
}

/* ---- paths ---- */

/* The name under which `dir` is entered in its parent. */
static const char *
dir_name(const struct inode *dir)
{
	const struct inode *up = dir->parent;

	for (size_t i = 0; i < up->nent; i++) {
		if (up->ent[i].ip == dir && !up->ent[i].whiteout)
			return (up->ent[i].name);
	}
	return (NULL);
}

int
inode_dirpath(const struct inode *dir, char *buf, size_t size)
{
	size_t at = size;
	const struct inode *ip;

	if (inode_real(dir)->dead)
		return (-ENOENT);
	if (dir->kind == IK_PROCDIR || dir->mirror != NULL) {
		if (strlen(inode_path(dir)) + 1 > size)
			return (-ERANGE);
		strcpy(buf, inode_path(dir));
		return (0);
	}
	if (size < 2)
		return (-ERANGE);
	buf[--at] = '\0';
	for (ip = dir; ip->parent != ip; ip = ip->parent) {
		const char *name = ip->dead ? NULL : dir_name(ip);
		size_t n;

		if (name == NULL)
			return (-ENOENT);
		n = strlen(name);
		if (at < n + 1)
			return (-ERANGE);
		at -= n;
		memcpy(buf + at, name, n);
		buf[--at] = '/';
	}
	if (buf[at] == '\0')
		buf[--at] = '/';
	memmove(buf, buf + at, size - at);
	return (0);
}

int
inode_cwdpath(const struct inode *dir, char *buf, size_t size)
{
	int error = inode_dirpath(dir, buf, size);

	return (error != 0 || dir->mirror == NULL ? error :
	    mirror_long_path(buf, size));
}

/* Remembers how an inode was reached; only the text of it matters. */
void
inode_note_path(struct inode *ip, struct inode *dir, const char *name)
{
	struct vfs *vfs = ip->vfs;
	char *path;

	if (ip->mirror != NULL)
		return; /* it was made with its name */
	if (inode_dirpath(dir, vfs->scratch, VFS_PATH_MAX) != 0)
		return;
	if (strcmp(vfs->scratch, "/") == 0)
		vfs->scratch[0] = '\0';
	if (asprintf(&path, "%s/%s", vfs->scratch, name) < 0)
		return;
	if (ip->path != NULL && strcmp(ip->path, path) == 0) {
		free(path);
		return;
	}
	free(ip->path);
	ip->path = path;
}

struct walk {
	struct vfs *vfs;
	struct inode *cur; /* referenced directory */
	char *rest; /* in vfs->walk */
	unsigned links; /* symbolic links followed */
	enum vfs_final final;
};

/* One step up; a removed directory keeps its way out. */
static void
walk_up(struct walk *w)
{
	struct inode *up = w->cur->parent;

	inode_ref(up);
	inode_rele(w->cur);
	w->cur = up;
}

/* Cuts the next component off w->rest. */
static int
walk_component(struct walk *w, char name[VFS_NAME_MAX + 1], bool *slash)
{
	size_t n;

	n = strcspn(w->rest, "/");
	if (n > VFS_NAME_MAX)
		return (-ENAMETOOLONG);
	memcpy(name, w->rest, n);
	name[n] = '\0';
	w->rest += n;
	*slash = *w->rest == '/';
	w->rest += strspn(w->rest, "/");
	return (0);
}

/* Puts a link's target before what is left of the path. */
static int
walk_link(struct walk *w, struct inode *link, bool slash)
{
	struct vfs *vfs = w->vfs;
	size_t left = strlen(w->rest);
	ssize_t n;

	if (++w->links > VFS_SYMLINKS_MAX)
		return (-ELOOP);
	n = inode_readlink(link, vfs->scratch, VFS_PATH_MAX);
	if (n <= 0)
		return (n < 0 ? (int)n : -ENOENT);
	if ((size_t)n + 1 + left + 1 > sizeof(vfs->walk))
		return (-ENAMETOOLONG);
	memmove(vfs->walk + n + (slash ? 1 : 0), w->rest, left + 1);
	memcpy(vfs->walk, vfs->scratch, (size_t)n);
	if (slash)
		vfs->walk[n] = '/';
	w->rest = vfs->walk;
	if (*w->rest == '/') {
		inode_ref(vfs->root);
		inode_rele(w->cur);
		w->cur = vfs->root;
		w->rest += strspn(w->rest, "/");
	}
	return (0);
}

/* What the directory reached as `named` has under a name. */
static int
dir_get(struct inode *named, const char *name, struct inode **out)
{
	struct inode *dir = inode_real(named);
	int error;

	*out = NULL;
	if (dir->kind == IK_PROCDIR)
		return (proc_lookup(dir, name, out));
	if (dir->kind != IK_DIR)
		return (-ENOTDIR);
	if (dir->dead)
		return (-ENOENT);
	*out = mirror_named(named, name);
	if (*out != NULL) {
		inode_ref(*out);
		return (0);
	}
	error = dir_lookup(dir, name, out);
	if (error == 0)
		inode_number(*out);
	return (error);
}

static int
walk_begin(struct walk *w, struct vfs *vfs, struct inode *dir,
    const char *path)
{
	size_t n = strlen(path);

	if (n == 0)
		return (-ENOENT);
	if (n >= VFS_PATH_MAX)
		return (-ENAMETOOLONG);
	w->vfs = vfs;
	w->links = 0;
	w->cur = *path == '/' || dir == NULL ? vfs->root : dir;
	if (!inode_is_directory(w->cur))
		return (-ENOTDIR);
	memcpy(vfs->walk, path, n + 1);
	w->rest = vfs->walk + strspn(vfs->walk, "/");
	inode_ref(w->cur);
	return (0);
}

/*
 * /proc/PID/fd/N stands for the file it names when that one has an inode;
 * otherwise it stays what it is and open() finds the open file behind it.
 */
static struct inode *
walk_magic(struct walk *w, struct inode *ip)
{
	struct vfs *vfs = w->vfs;
	struct inode *file;

	file = vfs->proc_ops->fd_inode(vfs->proc_ctx, ip->pid, ip->fd, NULL, 0);
	if (file == NULL)
		return (ip);
	inode_ref(file);
	inode_rele(ip);
	return (file);
}

/* The last component: what the place is. Takes over w->cur. */
static int
walk_end(struct walk *w, struct inode *ip, enum vfs_last last, bool slash,
    const char *name, struct vfs_place *pl)
{
	if (ip != NULL && slash && w->final != VFS_PARENT &&
	    !inode_is_directory(ip)) {
		inode_rele(ip);
		return (-ENOTDIR);
	}
	if (ip == NULL && inode_real(w->cur)->dead)
		return (-ENOENT);
	pl->via = w->cur;
	pl->dir = inode_real(w->cur);
	inode_ref(pl->dir);
	pl->ip = ip;
	pl->last = last;
	pl->slash = slash;
	if (name != pl->name)
		strcpy(pl->name, name);
	if (ip != NULL && last == VFS_LAST_NAME && ip->kind != IK_OPENFILE)
		inode_note_path(ip, w->cur, name);
	w->cur = NULL;
	return (0);
}

/* "." and "..": no lookup. 1: was one, and the path goes on; 0: no dots. */
static int
walk_dots(struct walk *w, bool slash, struct vfs_place *pl)
{
	enum vfs_last last;
	struct inode *ip;

	if (strcmp(pl->name, ".") == 0)
		last = VFS_LAST_DOT;
	else if (strcmp(pl->name, "..") == 0)
		last = VFS_LAST_DOTDOT;
	else
		return (0);
	if (last == VFS_LAST_DOTDOT)
		walk_up(w);
	if (*w->rest != '\0')
		return (1);
	ip = w->cur;
	inode_ref(ip);
	return (walk_end(w, ip, last, slash, pl->name, pl));
}

/* Is a link found now to be followed? */
static bool
walk_follows(const struct walk *w, bool final, bool slash)
{
	return (!final || w->final == VFS_FOLLOW || w->final == VFS_CREATE ||
	    (w->final == VFS_NOFOLLOW && slash));
}

/* A directory found by way of a mirror, unless its name is to be changed. */
static bool
is_mirrored(const struct walk *w, const struct inode *ip, bool final)
{
	return (w->cur->mirror != NULL && ip->mirror == NULL &&
	    ip->kind == IK_DIR &&
	    !(final && w->final == VFS_PARENT));
}

static int
walk_step(struct walk *w, struct vfs_place *pl)
{
	struct inode *ip;
	bool final, slash;
	int error;

	error = walk_component(w, pl->name, &slash);
	if (error != 0)
		return (error);
	error = walk_dots(w, slash, pl);
	if (error != 0 || w->cur == NULL)
		return (error < 0 ? error : 0);
	final = *w->rest == '\0';
	if (final && slash && w->final == VFS_CREATE)
		return (-EISDIR);
	error = dir_get(w->cur, pl->name, &ip);
	if (error == -ENOENT && final)
		return (walk_end(w, NULL, VFS_LAST_NAME, slash, pl->name, pl));
	if (error == 0 && is_mirrored(w, ip, final))
		error = mirror_child(w->cur, pl->name, &ip);
	if (error != 0)
		return (error);
	if (ip->kind == IK_OPENFILE && walk_follows(w, final, slash))
		ip = walk_magic(w, ip);
	if (inode_is_symlink(ip) && walk_follows(w, final, slash)) {
		error = walk_link(w, ip, slash);
		inode_rele(ip);
		return (error);
	}
	if (final)
		return (walk_end(w, ip, VFS_LAST_NAME, slash, pl->name, pl));
	if (!inode_is_directory(ip)) {
		inode_rele(ip);
		return (-ENOTDIR);
	}
	if (ip->kind == IK_PROCDIR)
		inode_note_path(ip, w->cur, pl->name);
	inode_rele(w->cur);
	w->cur = ip;
	return (0);
}

int
vfs_find(struct vfs *vfs, struct inode *dir, const char *path,
    enum vfs_final final, struct vfs_place *pl)
{
	struct walk w;
	int error;

	memset(pl, 0, sizeof(*pl));
	error = walk_begin(&w, vfs, dir, path);
	if (error != 0)
		return (error);
	w.final = final;
	while (error == 0 && w.cur != NULL) {
		if (*w.rest == '\0') {
			/* "/", or a link to it */
			inode_ref(w.cur);
			error = walk_end(&w, w.cur, VFS_LAST_ROOT, true, "",
			    pl);
			break;
		}
		error = walk_step(&w, pl);
	}
	if (w.cur != NULL)
		inode_rele(w.cur);
	return (error);
}

void
vfs_place_done(struct vfs_place *pl)
{
	if (pl->ip != NULL)
		inode_rele(pl->ip);
	if (pl->dir != NULL)
		inode_rele(pl->dir);
	if (pl->via != NULL)
		inode_rele(pl->via);
	pl->ip = pl->dir = pl->via = NULL;
}

int
vfs_lookup(struct vfs *vfs, struct inode *dir, const char *path, bool follow,
    struct inode **out)
{
	struct vfs_place pl;
	int error;

	*out = NULL;
	error = vfs_find(vfs, dir, path,
	    follow ? VFS_FOLLOW : VFS_NOFOLLOW, &pl);
	if (error != 0)
		return (error);
	if (pl.ip != NULL) {
		inode_ref(pl.ip);
		*out = pl.ip;
	}
	vfs_place_done(&pl);
	return (*out != NULL ? 0 : -ENOENT);
}

struct inode *
vfs_root(struct vfs *vfs)
{
	return (vfs->root);
}

struct inode *
vfs_cwd(struct vfs *vfs)
{
	inode_ref(vfs->cwd);
	return (vfs->cwd);
}

void
vfs_set_proc_ops(struct vfs *vfs, const struct vfs_proc_ops *ops, void *ctx)
{
	vfs->proc_ops = ops;
	vfs->proc_ctx = ctx;
}

enum vfs_special
inode_special(const struct inode *ip)
{
	switch (ip->kind) {
	case IK_DEVICE:
		return ((enum vfs_special)ip->sub);
	case IK_TEXT:
		return (VFS_TEXT);
	case IK_OPENFILE:
		return (VFS_OPEN_FILE);
	case IK_FIFO:
		return (VFS_FIFO);
	case IK_SOCKET:
		return (VFS_UNUSABLE);
	case IK_OTHER:
		return (VFS_UNUSABLE);
	default:
		return (VFS_PLAIN);
	}
}

void
inode_open_file(const struct inode *ip, int32_t *pid, int *fd)
{
	*pid = ip->pid;
	*fd = ip->fd;
}
