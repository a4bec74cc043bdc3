/*
 * vfs_attach.c: directories of the host put into the tree by hand: those to
 * write to, those to show, vmsim's own programs, the working directory.
 *
 * Interface: vfs_attach of sim/vfs_int.h. Source: none. Differences: none.
 */
#include "sim/vfs_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the directory show what the host's directory `host` has. */
static int
fill_from(struct inode *ip, const char *host)
{
	struct stat sb;

	free(ip->host);
	ip->host = strdup(host);
	if (ip->host == NULL)
		return (-ENOMEM);
	ip->complete = false;
	if (stat(host, &sb) == 0) {
		ip->mode = (uint32_t)sb.st_mode;
		ip->host_dev_seen = (uint64_t)sb.st_dev;
		ip->host_ino_seen = (uint64_t)sb.st_ino;
	}
	return (0);
}

/* The host's directory `host` under a name; an empty one is filled from it. */
static struct inode *
attach_at(struct inode *dir, const char *name, struct inode *ip,
    const char *host)
{
	if (ip == NULL)
		ip = dir_plant(dir, name, IK_DIR, 0, S_IFDIR | 0755);
	if (ip == NULL || fill_from(ip, host) != 0)
		return (NULL);
	ip->rw = dir->rw;
	ip->dev = dir->dev;
	return (ip);
}

/*
 * Makes the host's directory `path` (absolute, no links in it) visible at the
 * same place: below an empty /tmp the way to it is made up.
 */
static int
attach(struct vfs *vfs, const char *path, struct inode **out)
{
	struct inode *dir = vfs->root, *ip;
	char name[VFS_NAME_MAX + 1];
	const char *s = path + 1;

	while (*s != '\0') {
		size_t n = strcspn(s, "/");
		bool last = s[n] == '\0';
		int error;

		if (n > VFS_NAME_MAX)
			return (-ENAMETOOLONG);
		memcpy(name, s, n);
		name[n] = '\0';
		s += n + !last;
		error = dir_lookup(dir, name, &ip);
		if (error == 0)
			inode_rele(ip); /* the tree holds it */
		else if (error != -ENOENT)
			return (error);
		if (error == 0 && ip->kind != IK_DIR)
			return (-ENOTDIR);
		if (last && (error != 0 || ip->host == NULL))
			ip = attach_at(dir, name, error == 0 ? ip : NULL, path);
		else if (error != 0)
			ip = dir_plant(dir, name, IK_DIR, 0,
			    S_IFDIR | 0755);
		if (ip == NULL)
			return (-ENOMEM);
		dir = ip;
	}
	*out = dir;
	return (0);
}

static bool
path_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return (strncmp(path, dir, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/'));
}

static int
attach_checked(struct vfs *vfs, const char *what, const char *path,
    struct inode **out, struct sim_err *err)
{
	struct stat sb;
	char *real;
	int error;

	real = realpath(path, NULL);
	if (real == NULL || stat(real, &sb) != 0) {
		error = sim_err_set(err, errno,
		    "%s: no directory '%s' on the host", what, path);
		free(real);
		return (error);
	}
	if (!S_ISDIR(sb.st_mode)) {
		error = sim_err_set(err, ENOTDIR,
		    "%s: '%s' is not a directory; name an existing directory",
		    what, path);
	} else if (path_below(real, "/proc") || path_below(real, "/sys") ||
	    path_below(real, "/dev")) {
		error = sim_err_set(err, EINVAL,
		    "%s: '%s' lies in /proc, /sys or /dev, which the guest "
		    "sees simulated; name another directory", what, path);
	} else {
		error = attach(vfs, real, out);
		if (error != 0)
			error = sim_err_set(err, -error, "%s: '%s': %s", what,
			    path, strerror(-error));
	}
	free(real);
	return (error);
}

static int
compare_lengths(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	size_t n = strlen(*x), k = strlen(*y);

	return (n != k ? (n < k ? -1 : 1) : strcmp(*x, *y));
}

const char *
vfs_mount(const struct vfs *vfs, uint32_t i, uint64_t *dev)
{
	const struct inode *ip;

	*dev = VFS_DEV + i;
	if (i == 0)
		return ("/");
	TAILQ_FOREACH(ip, &vfs->inodes, all) {
		if (ip->mount && ip->dev == *dev)
			return (inode_path(ip));
	}
	return (NULL);
}

/* Outer directories first, so that what lies inside inherits from them. */
static int
bind_all(struct vfs *vfs, const char *const *dirs, struct sim_err *err)
{
	const char **sorted;
	size_t n = 0;
	int error = 0;

	while (dirs != NULL && dirs[n] != NULL)
		n++;
	if (n == 0)
		return (0);
	sorted = malloc(n * sizeof(*sorted));
	if (sorted == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	memcpy(sorted, dirs, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_lengths);
	for (size_t i = 0; i < n && error == 0; i++) {
		struct inode *ip;

		error = attach_checked(vfs, "--bind-rw", sorted[i], &ip, err);
		if (error == 0 && !ip->rw) {
			ip->rw = ip->mount = true;
			ip->by_name = false;
			ip->dev = VFS_DEV + ++vfs->nbound;
		}
	}
	free(sorted);
	return (error);
}

/*
 * The caller's directory lies where the guest's tree has something else (in
 * /run, in /dev/shm), or on a way that may not be searched: it has no other
 * name than VFS_ALIAS.
 */
static int
cwd_detached(struct vfs *vfs, struct inode **out)
{
	struct inode *ip = inode_new(vfs, IK_DIR, S_IFDIR | 0755);

	if (ip == NULL)
		return (-ENOMEM);
	ip->parent = vfs->root;
	inode_ref(vfs->root);
	*out = ip;
	return (fill_from(ip, "."));
}

/* A directory that the user named, as long as the host has it. */
static int
cwd_attached(struct vfs *vfs, const char *cwd, struct inode **out,
    struct sim_err *err)
{
	struct inode *ip = NULL;
	struct sim_err why;
	int error;

	error = vfs_lookup(vfs, NULL, cwd, true, &ip);
	if (error == 0 && (ip->host != NULL || ip->kind != IK_DIR)) {
		*out = ip;
		return (0);
	}
	/* below an empty /run: shown, because the user is in it */
	if (attach_checked(vfs, "working directory", cwd, out, &why) == 0) {
		if (ip != NULL)
			inode_rele(ip);
		inode_ref(*out);
		return (0);
	}
	if (ip == NULL)
		return (sim_err_set(err, -error, "%s", why.text));
	*out = ip;
	return (0);
}

static int
set_cwd(struct vfs *vfs, const struct vfs_config *cfg, struct sim_err *err)
{
	const char *cwd = cfg->cwd;
	struct inode *ip;
	int error;

	if (cwd == NULL || *cwd == '\0')
		cwd = "/";
	if (*cwd != '/')
		return (sim_err_set(err, EINVAL, "working directory '%s' is "
		    "not absolute; begin it with '/'", cwd));
	error = cwd_attached(vfs, cwd, &ip, err);
	if (error != 0 && cfg->cwd_alias) {
		error = cwd_detached(vfs, &ip);
		if (error != 0)
			(void)sim_err_set(err, -error, "out of memory");
	}
	if (error != 0)
		return (error);
	if (!inode_is_directory(ip)) {
		inode_rele(ip);
		return (sim_err_set(err, ENOTDIR,
		    "working directory '%s' is not a directory", cwd));
	}
	ip->by_name = false; /* what the user stands in is all shown */
	vfs->cwd = ip;
	return (0);
}

/* ---- all of it ---- */

static int
attach_dirs(struct vfs *vfs, const struct vfs_config *cfg, struct sim_err *err)
{
	struct inode *ip;
	int error = bind_all(vfs, cfg->bind_rw, err);

	for (size_t i = 0; error == 0 && cfg->show != NULL &&
	    cfg->show[i] != NULL; i++)
		error = attach_checked(vfs, "directory to show", cfg->show[i],
		    &ip, err);
	if (error == 0 && cfg->guests != NULL && cfg->guests[0] != '\0' &&
	    attach_at(vfs->root, "guest", NULL, cfg->guests) == NULL)
		error = sim_err_set(err, ENOMEM, "out of memory");
	return (error);
}

int
vfs_attach(struct vfs *vfs, const struct vfs_config *cfg, struct sim_err *err)
{
	uint64_t first_ino;
	int error;

	error = attach_dirs(vfs, cfg, err);
	first_ino = vfs->next_ino;
	if (error == 0)
		error = set_cwd(vfs, cfg, err);
	if (error == 0 && cfg->cwd_alias) {
		error = vfs_make_alias(vfs, first_ino);
		if (error != 0)
			(void)sim_err_set(err, -error, "out of memory");
	}
	return (error);
}
