/*
 * vfs_synth.c: the file tree's beginning, and what is not of the host: /dev,
 * /sys, empty /tmp, /var/tmp and /run, and the way into /proc (vfs_proc.c).
 *
 * Interface: vfs_create, vfs_destroy. Source: null(4), sysfs(5). Differences:
 * only the files named here exist; every other name below /sys is ENOENT.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- building the tree ---- */

struct inode *
dir_plant(struct inode *dir, const char *name, enum inode_kind kind, int sub,
    uint32_t mode)
{
	struct inode *ip;

	if (dir == NULL)
		return (NULL);
	ip = inode_new(dir->vfs, kind, mode);
	if (ip == NULL)
		return (NULL);
	ip->sub = sub;
	ip->complete = kind == IK_DIR;
	if (dir_insert(dir, name, ip) != 0) {
		inode_free(ip);
		return (NULL);
	}
	return (ip);
}

static struct inode *
plant_link(struct inode *dir, const char *name, const char *target)
{
	struct inode *ip = dir_plant(dir, name, IK_LINK, 0, S_IFLNK | 0777);

	if (ip != NULL)
		ip->target = strdup(target);
	return (ip != NULL && ip->target != NULL ? ip : NULL);
}

static bool
make_dev(struct vfs *vfs)
{
	static const struct {
		const char *name;
		enum vfs_special sub;
	} devices[] = { { "null", VFS_NULL }, { "zero", VFS_ZERO },
		{ "full", VFS_FULL }, { "random", VFS_RANDOM },
		{ "urandom", VFS_RANDOM }, { "tty", VFS_TTY } };
	static const char *const std[] = { "stdin", "stdout", "stderr" };
	struct inode *dev;
	char target[32];
	bool ok;

	dev = dir_plant(vfs->root, "dev", IK_DIR, 0, S_IFDIR | 0755);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (dir_plant(dev, devices[i].name, IK_DEVICE, devices[i].sub,
		    S_IFCHR | 0666) == NULL)
			return (false);
	}
	ok = plant_link(dev, "fd", "/proc/self/fd") != NULL;
	for (int i = 0; i < 3; i++) {
		snprintf(target, sizeof(target), "/proc/self/fd/%d", i);
		ok = ok && plant_link(dev, std[i], target) != NULL;
	}
	return (ok &&
	    dir_plant(dev, "shm", IK_DIR, 0, S_IFDIR | 01777) != NULL);
}

/* cpu0, cpu1, ...: programs count them. */
static bool
make_cpu_dirs(struct vfs *vfs, struct inode *dir)
{
	char name[16];

	for (uint32_t i = 0; i < sim_ncpus(vfs->sim); i++) {
		struct inode *ip;

		snprintf(name, sizeof(name), "cpu%u", i);
		ip = dir_plant(dir, name, IK_DIR, 0, S_IFDIR | 0555);
		if (ip == NULL)
			return (false);
		ip->fixed = true;
	}
	return (true);
}

static bool
make_proc_sys(struct vfs *vfs)
{
	static const char *const way[] = { "sys", "devices", "system", "cpu" };
	static const char *const files[] = { "online", "possible", "present" };
	struct inode *ip;

	ip = dir_plant(vfs->root, "proc", IK_PROCDIR, PROC_DIR_ROOT,
	    S_IFDIR | 0555);
	if (ip == NULL || (ip->path = strdup("/proc")) == NULL)
		return (false);
	ip->fixed = true;
	ip->parent = vfs->root;
	inode_ref(vfs->root);
	ip = vfs->root;
	for (size_t i = 0; i < 4 && ip != NULL; i++) {
		ip = dir_plant(ip, way[i], IK_DIR, 0, S_IFDIR | 0555);
		if (ip != NULL)
			ip->fixed = true;
	}
	for (size_t i = 0; i < 3; i++) {
		if (dir_plant(ip, files[i], IK_TEXT, PROC_CPULIST,
		    S_IFREG | 0444) == NULL)
			return (false);
	}
	return (make_cpu_dirs(vfs, ip));
}

/* A directory that is empty but for what the guest puts there; when the host
 * has it too, its names are found, not listed. */
static bool
make_empty(struct inode *dir, const char *name, uint32_t mode,
    const char *host)
{
	struct inode *ip = dir_plant(dir, name, IK_DIR, 0, mode);

	if (ip == NULL || host == NULL)
		return (ip != NULL);
	ip->host = strdup(host);
	ip->complete = false;
	ip->by_name = true;
	return (ip->host != NULL);
}

/* A directory of the host's, or an empty one. */
static struct inode *
find_dir(struct inode *dir, const char *name)
{
	struct inode *ip = NULL;

	if (dir_lookup(dir, name, &ip) == 0 && ip->kind == IK_DIR)
		inode_rele(ip); /* the tree holds it */
	else
		ip = dir_plant(dir, name, IK_DIR, 0, S_IFDIR | 0755);
	return (ip);
}

static bool
make_tmp(struct vfs *vfs, bool host_tmp)
{
	const uint32_t dir = S_IFDIR | 0755, tmp = S_IFDIR | 01777;
	struct inode *var = find_dir(vfs->root, "var");

	return (make_empty(vfs->root, "tmp", tmp, host_tmp ? "/tmp" : NULL) &&
	    make_empty(vfs->root, "run", dir, NULL) &&
	    make_empty(var, "tmp", tmp, host_tmp ? "/var/tmp" : NULL));
}

/* The machine's name in place of the host's. */
static bool
make_etc(struct vfs *vfs)
{
	static const char *const file[][2] = { { "hostname", "vmsim\n" },
		{ "hosts", "127.0.0.1 localhost vmsim\n" } };
	struct inode *etc = find_dir(vfs->root, "etc"), *ip;

	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		ip = dir_plant(etc, file[i][0], IK_FILE, 0, S_IFREG | 0644);
		if (ip == NULL || inode_set_text(ip, file[i][1]) != 0)
			return (false);
	}
	return (true);
}

static int
make_root(struct vfs *vfs)
{
	struct inode *ip = inode_new(vfs, IK_DIR, S_IFDIR | 0755);
	struct stat sb;

	if (ip == NULL)
		return (-ENOMEM);
	vfs->root = ip;
	ip->parent = ip;
	if (stat("/", &sb) == 0) {
		ip->host_dev_seen = (uint64_t)sb.st_dev;
		ip->host_ino_seen = (uint64_t)sb.st_ino;
	}
	ip->host = strdup("/");
	ip->path = strdup("/");
	return (ip->host != NULL && ip->path != NULL ? 0 : -ENOMEM);
}

static int
make_synthetic(struct vfs *vfs, bool host_tmp)
{
	int error = make_root(vfs);

	if (error != 0)
		return (error);
	if (!make_dev(vfs) || !make_proc_sys(vfs) || !make_tmp(vfs, host_tmp) ||
	    !make_etc(vfs))
		return (-ENOMEM);
	return (0);
}

static int
fill_tree(struct vfs *vfs, const struct vfs_config *cfg, struct sim_err *err)
{
	int error;

	error = vfs_hide_all(vfs, cfg);
	if (error == 0)
		error = make_synthetic(vfs, cfg->host_tmp);
	if (error != 0)
		return (sim_err_set(err, -error, "file tree: %s",
		    strerror(-error)));
	return (vfs_attach(vfs, cfg, err));
}

int
vfs_create(struct sim *sim, struct vm *vm, const struct vfs_config *cfg,
    struct vfs **out, struct sim_err *err)
{
	struct vfs *vfs;
	int error;

	*out = NULL;
	vfs = calloc(1, sizeof(*vfs));
	if (vfs == NULL)
		return (sim_err_set(err, ENOMEM, "out of memory"));
	vfs->sim = sim;
	vfs->vm = vm;
	vfs->next_ino = 2; /* the root's, as on ext2 */
	vfs->boot_epoch = cfg->boot_epoch;
	vfs->disk = cfg->fs_disk;
	/* whole blocks of the disk only */
	vfs->space.first = (cfg->fs_first_sector + VFS_SECTORS_PER_BLOCK - 1) /
	    VFS_SECTORS_PER_BLOCK * VFS_SECTORS_PER_BLOCK;
	vfs->space.count = cfg->fs_first_sector + cfg->fs_sectors >
	    vfs->space.first ? (cfg->fs_first_sector + cfg->fs_sectors -
	    vfs->space.first) / VFS_SECTORS_PER_BLOCK * VFS_SECTORS_PER_BLOCK :
	    0;
	vfs->space_next = vfs->space.first;
	TAILQ_INIT(&vfs->inodes);
	TAILQ_INIT(&vfs->host_open);
	TAILQ_INIT(&vfs->orphans);
	error = fill_tree(vfs, cfg, err);
	if (error != 0) {
		vfs_destroy(vfs);
		return (error);
	}
	*out = vfs;
	return (0);
}

/* References do not matter any more: everything goes. */
void
vfs_destroy(struct vfs *vfs)
{
	struct inode *ip;

	if (vfs == NULL)
		return;
	while ((ip = TAILQ_FIRST(&vfs->inodes)) != NULL)
		inode_free(ip);
	vfs_hide_free(vfs);
	free(vfs->holes);
	free(vfs);
}
