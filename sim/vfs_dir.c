/*
 * vfs_dir.c: the names in directories: a sorted array of what the host has,
 * as far as it has been looked at, and of what the guest made and removed.
 *
 * Interface: sim/vfs_int.h; vfs_list of sim/vfs.h. Source: none. Differences:
 * listings are sorted by name, whatever order the host gives.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
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
	d->whiteout = d->of_host = d->unlisted = false;
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

int
host_name_add(struct inode *ip, const char *path)
{
	struct hostname *h = malloc(sizeof(*h));

	if (h == NULL)
		return (-ENOMEM);
	h->path = strdup(path);
	if (h->path == NULL) {
		free(h);
		return (-ENOMEM);
	}
	h->next = ip->names;
	ip->names = h;
	return (0);
}

/* The name has gone; another one, if there is any, stands for the file. */
void
host_name_remove(struct inode *ip, const char *path)
{
	struct hostname **at, *h;
	bool primary = ip->host != NULL && strcmp(ip->host, path) == 0;

	for (at = &ip->names; (h = *at) != NULL; at = &h->next) {
		if (primary || strcmp(h->path, path) == 0)
			break;
	}
	if (h == NULL)
		return;
	*at = h->next;
	if (primary) {
		free(ip->host);
		ip->host = h->path;
	} else {
		free(h->path);
	}
	free(h);
}

void
host_names_free(struct inode *ip)
{
	struct hostname *h;

	while ((h = ip->names) != NULL) {
		ip->names = h->next;
		free(h->path);
		free(h);
	}
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

/* All times of host files are the boot's, so that a copied or newly unpacked
 * tree gives the same run; host_mtime has the one exception. */
static void
host_times(struct inode *ip, const struct stat *sb)
{
	ip->atime = ip->ctime =
	    (int64_t)(ip->vfs->boot_epoch * 1000000000ull);
	ip->mtime = host_mtime(ip, sb);
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
	ip->packaged = dir->packaged || strcmp(path, "/usr") == 0;
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
	bool unlisted = d != NULL ? d->unlisted : dir->by_name;
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
	} else if (dir->complete || dir->host == NULL ||
	    host_hides(dir, name)) {
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
	d = dir_find(dir, name);
	d->of_host = true;
	d->unlisted = unlisted;
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
host_names(const struct inode *dir, char ***names, size_t *count)
{
	size_t room = 0;
	struct dirent *de;
	DIR *dp;

	*names = NULL;
	*count = 0;
	do
		dp = opendir(dir->host);
	while (dp == NULL && host_spare_file(dir->vfs));
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

/* What is not listed takes no number, as if it were not there. */
static int
dir_load_name(struct inode *dir, const char *name, uint8_t type)
{
	struct dentry *d = dir_find(dir, name);

	if (d == NULL) {
		d = dir_slot(dir, name);
		if (d == NULL)
			return (-ENOMEM);
		d->type = host_dtype(dir, name, type);
		d->of_host = true;
		d->unlisted = d->type == DT_REG &&
		    host_unlisted(dir, name);
		if (!d->unlisted)
			d->ino = dir->vfs->next_ino++;
	} else if (d->of_host) {
		d->unlisted = d->type == DT_REG && host_unlisted(dir, name);
	}
	if (d->ino == 0 && d->ip != NULL)
		inode_number(d->ip);
	return (0);
}

int
dir_load(struct inode *dir)
{
	char **names;
	size_t count;
	int error;

	if (dir->complete || dir->host == NULL || dir->by_name)
		return (0);
	error = host_names(dir, &names, &count);
	if (error != 0)
		return (error);
	for (size_t i = 0; i < count; i++) {
		uint8_t type = (uint8_t)names[i][strlen(names[i]) + 1];
		if (error == 0 && !host_hides(dir, names[i]))
			error = dir_load_name(dir, names[i], type);
		free(names[i]);
	}
	free(names);
	if (error == 0)
		dir->complete = true;
	return (error);
}

static bool
dentry_shown(const struct dentry *d)
{
	return (!d->whiteout && !d->unlisted);
}

bool
dir_is_empty(struct inode *dir)
{
	if (dir_load(dir) != 0)
		return (false);
	for (size_t i = 0; i < dir->nent; i++) {
		if (dentry_shown(&dir->ent[i]))
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

/* "." and "..". */
static int
list_self(struct inode *dir, struct vfs_listing *ls)
{
	int error;

	inode_number(dir);
	inode_number(dir->parent);
	error = listing_add(ls, dir->ino, DT_DIR, ".");
	return (error != 0 ? error :
	    listing_add(ls, dir->parent->ino, DT_DIR, ".."));
}

int
vfs_list(struct inode *dir, struct vfs_listing *ls)
{
	int error;

	memset(ls, 0, sizeof(*ls));
	error = list_self(dir, ls);
	dir = inode_real(dir);
	if (error == 0 && dir->kind == IK_PROCDIR)
		error = proc_list(dir, ls);
	if (error == 0 && dir->kind == IK_DIR && !dir->dead)
		error = dir_load(dir);
	for (size_t i = 0; error == 0 && i < dir->nent; i++) {
		const struct dentry *d = &dir->ent[i];

		if (dentry_shown(d))
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
