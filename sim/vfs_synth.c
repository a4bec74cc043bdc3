/*
 * vfs_synth.c: the file tree's beginning, and what is not of the host: /dev,
 * /proc, /sys, empty /tmp, /var/tmp and /run.
 *
 * Interface: vfs_create, vfs_destroy; for /proc, struct vfs_proc_ops of
 * sim/vfs.h, through which the system-call layer tells what processes there
 * are. Source: proc(5), null(4). Differences: only the files named here
 * exist; every other name below /proc and /sys is ENOENT.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- /proc ---- */

struct proc_name {
	const char *name;
	enum inode_kind kind;
	int sub;
	uint32_t mode;
};

static const struct proc_name root_names[] = {
	{ "cpuinfo", IK_TEXT, PROC_CPUINFO, S_IFREG | 0444 },
	{ "meminfo", IK_TEXT, PROC_MEMINFO, S_IFREG | 0444 },
	{ "self", IK_PROCLINK, PROC_SELF, S_IFLNK | 0777 },
	{ "uptime", IK_TEXT, PROC_UPTIME, S_IFREG | 0444 },
	{ "version", IK_TEXT, PROC_VERSION, S_IFREG | 0444 },
	{ NULL, 0, 0, 0 }
};

static const struct proc_name pid_names[] = {
	{ "cmdline", IK_TEXT, PROC_CMDLINE, S_IFREG | 0444 },
	{ "comm", IK_TEXT, PROC_COMM, S_IFREG | 0644 },
	{ "cwd", IK_PROCLINK, PROC_CWD, S_IFLNK | 0777 },
	{ "environ", IK_TEXT, PROC_ENVIRON, S_IFREG | 0400 },
	{ "exe", IK_PROCLINK, PROC_EXE, S_IFLNK | 0777 },
	{ "fd", IK_PROCDIR, PROC_DIR_FD, S_IFDIR | 0500 },
	{ "maps", IK_TEXT, PROC_MAPS, S_IFREG | 0444 },
	{ "root", IK_PROCLINK, PROC_ROOT, S_IFLNK | 0777 },
	{ "stat", IK_TEXT, PROC_STAT, S_IFREG | 0444 },
	{ "statm", IK_TEXT, PROC_STATM, S_IFREG | 0444 },
	{ "status", IK_TEXT, PROC_STATUS, S_IFREG | 0444 },
	{ NULL, 0, 0, 0 }
};

static int
proc_make(struct inode *dir, enum inode_kind kind, int sub, uint32_t mode,
    uint64_t ino, struct inode **out)
{
	struct vfs *vfs = dir->vfs;
	struct inode *ip;

	ip = inode_new(vfs, kind, mode);
	if (ip == NULL)
		return (-ENOMEM);
	vfs->next_ino--;
	ip->ino = ino;
	ip->sub = sub;
	ip->pid = dir->pid;
	ip->fixed = true;
	ip->parent = dir;
	inode_ref(dir);
	*out = ip;
	return (0);
}

static uint64_t
proc_ino(int32_t pid, uint64_t index)
{
	return (VFS_PROC_INO + (uint64_t)pid * 0x10000 + index);
}

/* A whole decimal number without sign or leading zero; -1 when it is none. */
static int32_t
proc_number(const char *name)
{
	int64_t n = 0;

	if (*name < '0' || *name > '9' || (*name == '0' && name[1] != '\0'))
		return (-1);
	for (; *name != '\0'; name++) {
		if (*name < '0' || *name > '9' || n > INT32_MAX / 10 - 1)
			return (-1);
		n = n * 10 + (*name - '0');
	}
	return ((int32_t)n);
}

static bool
proc_pid_exists(const struct vfs *vfs, int32_t pid)
{
	return (pid > 0 && vfs->proc_ops != NULL &&
	    vfs->proc_ops->next(vfs->proc_ctx, pid - 1) == pid);
}

static int
proc_lookup_table(struct inode *dir, const struct proc_name *table,
    const char *name, struct inode **out)
{
	for (uint64_t i = 0; table[i].name != NULL; i++) {
		if (strcmp(table[i].name, name) == 0)
			return (proc_make(dir, table[i].kind, table[i].sub,
			    table[i].mode, proc_ino(dir->pid, i + 1), out));
	}
	return (-ENOENT);
}

static int
proc_lookup_fd(struct inode *dir, const char *name, struct inode **out)
{
	const struct vfs *vfs = dir->vfs;
	int fd = proc_number(name), error;

	if (fd < 0 ||
	    vfs->proc_ops->next_fd(vfs->proc_ctx, dir->pid, fd - 1) != fd)
		return (-ENOENT);
	error = proc_make(dir, IK_OPENFILE, 0, S_IFLNK | 0700,
	    proc_ino(dir->pid, 0x100 + (uint64_t)fd), out);
	if (error == 0)
		(*out)->fd = fd;
	return (error);
}

int
proc_lookup(struct inode *dir, const char *name, struct inode **out)
{
	const struct vfs *vfs = dir->vfs;
	int32_t pid;
	int error;

	if (dir->sub != PROC_DIR_ROOT && !proc_pid_exists(vfs, dir->pid))
		return (-ENOENT);
	if (dir->sub == PROC_DIR_FD)
		return (proc_lookup_fd(dir, name, out));
	if (dir->sub == PROC_DIR_PID)
		return (proc_lookup_table(dir, pid_names, name, out));
	pid = proc_number(name);
	if (pid < 0)
		return (proc_lookup_table(dir, root_names, name, out));
	if (!proc_pid_exists(vfs, pid))
		return (-ENOENT);
	error = proc_make(dir, IK_PROCDIR, PROC_DIR_PID, S_IFDIR | 0555,
	    proc_ino(pid, 0), out);
	if (error == 0)
		(*out)->pid = pid;
	return (error);
}

static int
proc_list_table(const struct inode *dir, const struct proc_name *table,
    struct vfs_listing *ls)
{
	int error = 0;

	for (uint64_t i = 0; error == 0 && table[i].name != NULL; i++)
		error = listing_add(ls, proc_ino(dir->pid, i + 1),
		    IFTODT(table[i].mode), table[i].name);
	return (error);
}

static int
proc_list_pids(const struct vfs *vfs, struct vfs_listing *ls)
{
	int32_t pid = 0;
	char name[16];
	int error = 0;

	while (error == 0 && vfs->proc_ops != NULL &&
	    (pid = vfs->proc_ops->next(vfs->proc_ctx, pid)) != 0) {
		snprintf(name, sizeof(name), "%d", pid);
		error = listing_add(ls, proc_ino(pid, 0), DT_DIR, name);
	}
	return (error);
}

static int
proc_list_fds(const struct inode *dir, struct vfs_listing *ls)
{
	const struct vfs *vfs = dir->vfs;
	int fd = -1, error = 0;
	char name[16];

	while (error == 0 && (fd = vfs->proc_ops->next_fd(vfs->proc_ctx,
	    dir->pid, fd)) >= 0) {
		snprintf(name, sizeof(name), "%d", fd);
		error = listing_add(ls,
		    proc_ino(dir->pid, 0x100 + (uint64_t)fd), DT_LNK, name);
	}
	return (error);
}

int
proc_list(struct inode *dir, struct vfs_listing *ls)
{
	int error;

	if (dir->sub == PROC_DIR_ROOT) {
		error = proc_list_pids(dir->vfs, ls);
		return (error != 0 ? error :
		    proc_list_table(dir, root_names, ls));
	}
	if (!proc_pid_exists(dir->vfs, dir->pid))
		return (-ENOENT);
	if (dir->sub == PROC_DIR_FD)
		return (proc_list_fds(dir, ls));
	return (proc_list_table(dir, pid_names, ls));
}

ssize_t
proc_readlink(struct inode *ip, char *buf, size_t size)
{
	const struct vfs *vfs = ip->vfs;
	struct inode *file;
	char text[VFS_PATH_MAX];
	int error = 0;
	size_t n;

	text[0] = '\0';
	if (vfs->proc_ops == NULL)
		return (-ENOENT);
	if (ip->kind == IK_OPENFILE) {
		file = vfs->proc_ops->fd_inode(vfs->proc_ctx, ip->pid, ip->fd,
		    text, sizeof(text));
		if (file != NULL)
			snprintf(text, sizeof(text), "%s", inode_path(file));
	} else if (ip->sub == PROC_SELF) {
		snprintf(text, sizeof(text), "%d",
		    vfs->proc_ops->self(vfs->proc_ctx));
	} else {
		error = vfs->proc_ops->link(vfs->proc_ctx, ip->pid,
		    (enum vfs_proc_link)ip->sub, text, sizeof(text));
	}
	if (error != 0)
		return (error);
	n = strlen(text);
	if (n > size)
		n = size;
	memcpy(buf, text, n);
	return ((ssize_t)n);
}

int
inode_text(struct inode *ip, char **text, size_t *length)
{
	const struct vfs *vfs = ip->vfs;

	if (ip->kind != IK_TEXT || vfs->proc_ops == NULL)
		return (-EINVAL);
	return (vfs->proc_ops->text(vfs->proc_ctx, ip->pid,
	    (enum vfs_proc_file)ip->sub, text, length));
}

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
	return (true);
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

static bool
make_tmp(struct vfs *vfs, bool host_tmp)
{
	const uint32_t dir = S_IFDIR | 0755, tmp = S_IFDIR | 01777;
	struct inode *var = NULL;

	if (dir_lookup(vfs->root, "var", &var) == 0 && var->kind == IK_DIR)
		inode_rele(var); /* the tree holds it */
	else
		var = dir_plant(vfs->root, "var", IK_DIR, 0, dir);
	return (make_empty(vfs->root, "tmp", tmp, host_tmp ? "/tmp" : NULL) &&
	    make_empty(vfs->root, "run", dir, NULL) &&
	    make_empty(var, "tmp", tmp, host_tmp ? "/var/tmp" : NULL));
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
	if (!make_dev(vfs) || !make_proc_sys(vfs) || !make_tmp(vfs, host_tmp))
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
