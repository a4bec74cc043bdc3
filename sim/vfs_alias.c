/*
 * vfs_alias.c: the caller's directory under a name that says nothing of the
 * host.
 *
 * Interface: vfs_make_alias, mirror_child of sim/vfs_int.h. Source: none.
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
 * A mirror is a second inode of a directory, with a name, number and mode of
 * its own and nothing else: names are looked up in the directory itself, and
 * a directory found by way of a mirror is a mirror in turn.
 */
#include "sim/vfs_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Mirrors of a directory and all above it, to the root. */
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
		if (last != NULL && dir == vfs->root)
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
mirror_in_root(const struct vfs *vfs, const char *name)
{
	struct inode *ip = vfs->alias, *last = NULL;

	for (; ip != NULL && ip != last; last = ip, ip = ip->parent) {
		if (strcmp(inode_path(ip) + 1, name) == 0)
			return (ip);
	}
	return (NULL);
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
