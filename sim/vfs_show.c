/*
 * vfs_show.c: what the guest must not learn of the host: names of files that
 * are not there for it, and the one time that it may see.
 *
 * Interface: vfs_hide_all, host_hides, host_mtime of sim/vfs_int.h. Source:
 * PEP 3147 and CPython's importlib for compiled Python files. Differences:
 * none.
 */
#include "sim/vfs_int.h"

#include "sim/rundb.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- hidden names ---- */

/* Which host this is, and where on earth: not an input of a run. What reads
 * them falls back to UTC and to no network; /etc/hosts and /etc/hostname are
 * the machine's own (vfs_synth.c). */
static const char *const identity[] = { "/etc/localtime", "/etc/timezone",
	"/etc/resolv.conf", "/etc/machine-id", "/etc/mtab", "/etc/adjtime",
	"/var/lib/dbus/machine-id", NULL };

/* A name in a directory that the host has not cannot be met. */
static int
hide_name(struct vfs *vfs, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char dir[PATH_MAX];
	struct hidden *h;
	struct stat sb;

	if (*name == '\0' || snprintf(dir, sizeof(dir), "%.*s",
	    slash == NULL ? 1 : (int)(slash - path) + 1,
	    slash == NULL ? "." : path) >= (int)sizeof(dir) ||
	    stat(dir, &sb) != 0)
		return (0);
	h = realloc(vfs->hidden, (vfs->nhidden + 1) * sizeof(*h));
	if (h == NULL)
		return (-ENOMEM);
	vfs->hidden = h;
	h += vfs->nhidden;
	h->dev = (uint64_t)sb.st_dev;
	h->ino = (uint64_t)sb.st_ino;
	h->name = strdup(name);
	if (h->name == NULL)
		return (-ENOMEM);
	vfs->nhidden++;
	return (0);
}

/* A file that is written: of a link, that to which it leads. */
static int
hide_file(struct vfs *vfs, const char *path)
{
	char real[PATH_MAX];

	return (hide_name(vfs, realpath(path, real) != NULL ? real : path));
}

static int
hide_descriptor(struct vfs *vfs, int fd)
{
	char link[64], path[PATH_MAX];
	struct stat sb;
	ssize_t n;

	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return (0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return (0);
	path[n] = '\0';
	return (hide_name(vfs, path));
}

int
vfs_hide_all(struct vfs *vfs, const struct vfs_config *cfg)
{
	int error = 0;

	for (size_t i = 0; error == 0 && identity[i] != NULL; i++)
		error = hide_name(vfs, identity[i]);
	for (size_t i = 0; error == 0 && cfg->hide != NULL &&
	    cfg->hide[i] != NULL; i++)
		error = hide_file(vfs, cfg->hide[i]);
	for (int fd = 1; error == 0 && cfg->hide_output && fd <= 2; fd++)
		error = hide_descriptor(vfs, fd);
	return (error);
}

void
vfs_hide_free(struct vfs *vfs)
{
	for (size_t i = 0; i < vfs->nhidden; i++)
		free(vfs->hidden[i].name);
	free(vfs->hidden);
}

bool
host_hides(const struct inode *dir, const char *name)
{
	const struct vfs *vfs = dir->vfs;

	for (size_t i = 0; i < vfs->nhidden; i++) {
		const struct hidden *h = &vfs->hidden[i];

		if (h->ino == dir->host_ino_seen &&
		    h->dev == dir->host_dev_seen && strcmp(h->name, name) == 0)
			return (true);
	}
	return (false);
}

/*
 * Databases of other runs lie where the user works, more with each run. A
 * guest that goes through its directory does not meet them; one that is told
 * a name does.
 */
bool
host_unlisted(const struct inode *dir, const char *name)
{
	char *path;
	bool ours;
	int fd;

	if (dir->packaged)
		return (false);
	path = host_child(dir, name);
	if (path == NULL)
		return (false);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW |
	    O_NOCTTY);
	free(path);
	if (fd < 0)
		return (false);
	ours = rundb_is_ours(fd);
	close(fd);
	return (ours);
}

/* ---- times ---- */

/* Is this a compiled file of a source of that time and size? */
static bool
pyc_names(int dirfd, const char *name, const struct stat *sb)
{
	uint32_t head[4]; /* magic, flags, time, size: little-endian */
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool same;

	if (fd < 0)
		return (false);
	same = read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
	    head[1] == 0 && le32toh(head[2]) == (uint32_t)sb->st_mtime &&
	    le32toh(head[3]) == (uint32_t)sb->st_size;
	close(fd);
	return (same);
}

/* Does one of the compiled files of `stem`.py name its time and size? */
static bool
pyc_agrees(const char *cache, const char *stem, size_t n,
    const struct stat *sb)
{
	DIR *dp = opendir(cache);
	struct dirent *de;
	bool found = false;

	while (!found && dp != NULL && (de = readdir(dp)) != NULL)
		found = strncmp(de->d_name, stem, n) == 0 &&
		    de->d_name[n] == '.' &&
		    pyc_names(dirfd(dp), de->d_name, sb);
	if (dp != NULL)
		closedir(dp);
	return (found);
}

/*
 * host_mtime: the boot's time for all files, but for the sources of the
 * Python packages in /usr that have a compiled file which Python would take:
 * it does so only when the source's time is the one written there. So the
 * time shown is part of the contents of another file, and nothing that
 * copying or touching could change without making the compiled file void. In
 * other places a compiled file is void always, since it may come and go with
 * each run on the host.
 */
int64_t
host_mtime(const struct inode *ip, const struct stat *sb)
{
	const int64_t second = 1000000000;
	const char *slash = strrchr(ip->host, '/');
	size_t n = slash == NULL ? 0 : strlen(slash + 1);
	char cache[PATH_MAX];

	if (ip->kind == IK_FILE && ip->packaged && n > 3 &&
	    strcmp(slash + 1 + n - 3, ".py") == 0 &&
	    snprintf(cache, sizeof(cache), "%.*s/__pycache__",
	    (int)(slash - ip->host), ip->host) < (int)sizeof(cache) &&
	    pyc_agrees(cache, slash + 1, n - 3, sb))
		return ((int64_t)sb->st_mtime * second);
	return ((int64_t)ip->vfs->boot_epoch * second);
}
