/*
 * vfs_alias.c: the caller's directory under a name that says nothing of the
 * host.
 *
 * Interface: vfs_make_alias, mirror_named, mirror_child, mirror_long_path of
 * sim/vfs_int.h. Source: none.
 * Differences: none.
 *
 * The directory that vmsim was started in is /cwd. What the caller types is
 * relative to it, so ".." must lead to its parent on the host; but no name
 * and no number of these directories may tell where they are. Therefore they
 * are reached by mirrors, one for the directory and one for each above it:
 *
 *	/cwd   --..-->   /above   --..-->   /above2   up to the root
 *	 mirror of D     of its parent P    of P's parent
 *
 * Shells and others take ".." off a name without asking: to them the way up
 * from /cwd is "/". So what getcwd says is the long name of a directory,
 *
 *	/above2/above/cwd
 *
 * whose every part leads up as far as it is long; and each of these mirrors
 * has the one below it under that one's name.
 *
 * A mirror is a second inode of a directory, with a name, number and mode of
 * its own and nothing else: names are looked up in the directory itself, and
 * a directory found by way of a mirror is a mirror in turn.
 */
#include "sim/vfs_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS 2u /* above /cwd, that a long name has */
#define LONG "/" VFS_ABOVE "2/" VFS_ABOVE /* way to /cwd from there */
#define MODE (S_IFDIR | 0755) /* of /cwd and above: the host's say is nothing */

/* Takes over path (malloced, may be NULL: out of memory). */
static struct inode *
mirror_new(struct inode *real, uint32_t mode, char *path)
{
	struct inode *ip = NULL;

	if (path != NULL)
		ip = inode_new(real->vfs, IK_DIR, mode);
	if (ip == NULL) {
		free(path);
		return (NULL);
	}
	real->vfs->next_ino--;
	ip->ino = 0; /* inode_number */
	ip->path = path;
	ip->mirror = real;
	inode_ref(real);
	return (ip);
}

static void
set_parent(struct inode *ip, struct inode *parent)
{
	ip->parent = parent;
	if (parent != ip)
		inode_ref(parent);
}

/* "/cwd", "/above", "/above2", ...; NULL: out of memory. */
static char *
name_of_level(unsigned level)
{
	char *path;

	if (level < 2)
		return (strdup(level == 0 ? "/" VFS_ALIAS : "/" VFS_ABOVE));
	return (asprintf(&path, "/" VFS_ABOVE "%u", level) < 0 ? NULL : path);
}

/* Mirrors of a directory and all above it, to the root; above that is the
 * root again. */
static int
mirror_way_up(struct vfs *vfs, struct inode *dir)
{
	struct inode *last = NULL, *ip;

	for (unsigned level = 0;; level++, dir = dir->parent) {
		ip = mirror_new(dir, MODE, name_of_level(level));
		if (ip == NULL)
			return (-ENOMEM);
		if (last == NULL)
			vfs->alias = ip;
		else
			set_parent(last, ip);
		if (level >= LEVELS && dir == vfs->root)
			break;
		last = ip;
	}
	set_parent(ip, ip);
	return (0);
}

/* The guest has not met the directories on the way from the root yet. */
static void
forget_numbers(struct vfs *vfs, uint64_t first_ino)
{
	struct inode *ip;

	for (ip = vfs->cwd; ip != vfs->root; ip = ip->parent) {
		if (ip->ino < first_ino)
			continue;
		ip->ino = 0;
		for (size_t i = 0; i < ip->parent->nent; i++) {
			if (ip->parent->ent[i].ip == ip)
				ip->parent->ent[i].ino = 0;
		}
	}
	vfs->next_ino = first_ino;
}

/*
 * From here on vmsim's own directory stands for the caller's: it need not be
 * found again, however long its name is, and may be renamed.
 */
static int
use_dot(struct inode *ip)
{
	struct stat sb;
	char *dot;

	if (ip->host == NULL || strcmp(ip->host, "/") == 0 ||
	    stat(".", &sb) != 0 ||
	    (uint64_t)sb.st_dev != ip->host_dev_seen ||
	    (uint64_t)sb.st_ino != ip->host_ino_seen)
		return (0);
	dot = strdup(".");
	if (dot == NULL)
		return (-ENOMEM);
	free(ip->host);
	ip->host = dot;
	return (0);
}

int
vfs_make_alias(struct vfs *vfs, uint64_t first_ino)
{
	struct inode *dir = vfs->cwd;
	int error;

	forget_numbers(vfs, first_ino);
	error = use_dot(dir);
	if (error == 0)
		error = mirror_way_up(vfs, dir);
	if (error != 0)
		return (error);
	vfs->cwd = vfs->alias;
	inode_ref(vfs->cwd);
	inode_rele(dir);
	return (0);
}

struct inode *
mirror_named(const struct inode *dir, const char *name)
{
	const struct vfs *vfs = dir->vfs;
	struct inode *ip = vfs->alias, *last = NULL;

	if (dir != vfs->root && dir->mirror == NULL)
		return (NULL);
	for (; ip != NULL && ip != last; last = ip, ip = ip->parent) {
		if ((dir == vfs->root || dir == ip->parent) &&
		    strcmp(inode_path(ip) + 1, name) == 0)
			return (ip);
	}
	return (NULL);
}

/* Is the path that one, or below it? */
static bool
is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	return (strncmp(path, top, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/'));
}

int
mirror_long_path(char *path, size_t size)
{
	const char *way = is_below(path, "/" VFS_ALIAS) ? LONG :
	    is_below(path, "/" VFS_ABOVE) ? "/" VFS_ABOVE "2" : "";
	size_t n = strlen(way), length = strlen(path) + 1;

	if (n + length > size)
		return (-ERANGE);
	memmove(path + n, path, length);
	memcpy(path, way, n);
	return (0);
}

int
mirror_child(struct inode *mirror, const char *name, struct inode **ip)
{
	struct inode *real = *ip, *child, *old = NULL;
	const struct dentry *d = dir_find(mirror, name);
	char *path;
	int error;

	if (d != NULL && d->ip->mirror == real) {
		child = d->ip;
		inode_ref(child);
		inode_rele(real);
		*ip = child;
		return (0);
	}
	if (d != NULL)
		old = d->ip; /* what it was has been renamed or removed */
	if (asprintf(&path, "%s/%s", inode_path(mirror), name) < 0)
		path = NULL;
	child = mirror_new(real, real->mode, path);
	error = child == NULL ? -ENOMEM : dir_insert(mirror, name, child);
	if (error != 0)
		return (error);
	child->ino = real->ino;
	inode_ref(child);
	inode_rele(real);
	if (old != NULL)
		inode_rele(old);
	*ip = child;
	return (0);
}
