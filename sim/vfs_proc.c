/*
 * vfs_proc.c: which names /proc has. What is in the files comes from above.
 *
 * Interface: proc_lookup, proc_list, proc_readlink of sim/vfs_int.h, and
 * inode_text; struct vfs_proc_ops of sim/vfs.h, through which the system-call
 * layer tells what processes there are and what to say of them. Source:
 * proc(5). Differences: only the files named here exist; every other name is
 * ENOENT.
 */
#include "sim/vfs_int.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct proc_name {
	const char *name;
	enum inode_kind kind;
	int sub;
	uint32_t mode;
};

#define TEXT(name, sub) { name, IK_TEXT, sub, S_IFREG | 0444 }
#define DIR(name, sub) { name, IK_PROCDIR, sub, S_IFDIR | 0555 }
#define LINK(name, sub) { name, IK_PROCLINK, sub, S_IFLNK | 0777 }
#define END { NULL, 0, 0, 0 }

static const struct proc_name root_names[] = {
	TEXT("cpuinfo", PROC_CPUINFO),
	TEXT("filesystems", PROC_FILESYSTEMS),
	TEXT("loadavg", PROC_LOADAVG),
	TEXT("meminfo", PROC_MEMINFO),
	LINK("mounts", PROC_MOUNTS_LINK),
	LINK("self", PROC_SELF),
	TEXT("stat", PROC_CPUSTAT),
	TEXT("swaps", PROC_SWAPS),
	DIR("sys", PROC_DIR_SYS),
	LINK("thread-self", PROC_THREAD_SELF),
	TEXT("uptime", PROC_UPTIME),
	TEXT("version", PROC_VERSION),
	TEXT("vmstat", PROC_VMSTAT),
	END
};

static const struct proc_name pid_names[] = {
	TEXT("cmdline", PROC_CMDLINE),
	{ "comm", IK_TEXT, PROC_COMM, S_IFREG | 0644 },
	LINK("cwd", PROC_CWD),
	{ "environ", IK_TEXT, PROC_ENVIRON, S_IFREG | 0400 },
	LINK("exe", PROC_EXE),
	{ "fd", IK_PROCDIR, PROC_DIR_FD, S_IFDIR | 0500 },
	TEXT("limits", PROC_LIMITS),
	TEXT("maps", PROC_MAPS),
	TEXT("mountinfo", PROC_MOUNTINFO),
	TEXT("mounts", PROC_MOUNTS),
	LINK("root", PROC_ROOT),
	TEXT("stat", PROC_STAT),
	TEXT("statm", PROC_STATM),
	TEXT("status", PROC_STATUS),
	DIR("task", PROC_DIR_TASK),
	END
};

static const struct proc_name tid_names[] = {
	{ "comm", IK_TEXT, PROC_COMM, S_IFREG | 0644 },
	TEXT("stat", PROC_STAT),
	TEXT("status", PROC_STATUS),
	END
};

static const struct proc_name sys_names[] = {
	DIR("fs", PROC_DIR_SYS_FS),
	DIR("kernel", PROC_DIR_SYS_KERNEL),
	DIR("vm", PROC_DIR_SYS_VM),
	END
};

static const struct proc_name sys_fs_names[] = {
	TEXT("file-max", PROC_FILE_MAX),
	TEXT("nr_open", PROC_NR_OPEN),
	TEXT("pipe-max-size", PROC_PIPE_MAX),
	END
};

static const struct proc_name sys_kernel_names[] = {
	TEXT("cap_last_cap", PROC_CAP_LAST),
	TEXT("core_pattern", PROC_CORE_PATTERN),
	TEXT("hostname", PROC_HOSTNAME),
	TEXT("ngroups_max", PROC_NGROUPS_MAX),
	TEXT("osrelease", PROC_OSRELEASE),
	TEXT("ostype", PROC_OSTYPE),
	TEXT("pid_max", PROC_PID_MAX),
	TEXT("threads-max", PROC_THREADS_MAX),
	TEXT("version", PROC_OSVERSION),
	END
};

static const struct proc_name sys_vm_names[] = {
	TEXT("max_map_count", PROC_MAX_MAP_COUNT),
	TEXT("mmap_min_addr", PROC_MMAP_MIN_ADDR),
	TEXT("overcommit_memory", PROC_OVERCOMMIT),
	END
};

/* A directory's names that are always the same, and where their inode
 * numbers begin among those of its process (descriptors: from 0x100). */
static const struct {
	const struct proc_name *names;
	uint32_t first_ino;
} tables[] = {
	[PROC_DIR_ROOT] = { root_names, 1 },
	[PROC_DIR_PID] = { pid_names, 1 },
	[PROC_DIR_SYS] = { sys_names, 0x40 },
	[PROC_DIR_SYS_FS] = { sys_fs_names, 0x50 },
	[PROC_DIR_SYS_KERNEL] = { sys_kernel_names, 0x60 },
	[PROC_DIR_SYS_VM] = { sys_vm_names, 0x80 },
	[PROC_DIR_TID] = { tid_names, 0xa0 },
};
#define TID_INO 0x9f /* of a thread's directory */
#define FD_INO 0x100

static int
proc_make(struct inode *dir, const struct proc_name *n, uint64_t ino,
    struct inode **out)
{
	struct vfs *vfs = dir->vfs;
	struct inode *ip;

	ip = inode_new(vfs, n->kind, n->mode);
	if (ip == NULL)
		return (-ENOMEM);
	vfs->next_ino--;
	ip->ino = ino;
	ip->sub = n->sub;
	ip->pid = dir->pid;
	ip->tid = dir->tid;
	ip->fixed = true;
	ip->parent = dir;
	inode_ref(dir);
	*out = ip;
	return (0);
}

/* Of something of a process's or thread's, or (0) of the machine's. */
static uint64_t
proc_ino(int32_t id, uint64_t index)
{
	return (VFS_PROC_INO + (uint64_t)id * 0x10000 + index);
}

static uint64_t
table_ino(const struct inode *dir, uint64_t i)
{
	return (proc_ino(dir->tid != 0 ? dir->tid : dir->pid,
	    tables[dir->sub].first_ino + i));
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

/* ---- what processes, threads and descriptors there are ---- */

/* The smallest number above `n` in a directory of numbers; -1: none. */
static int
next_number(const struct inode *dir, int n)
{
	const struct vfs_proc_ops *ops = dir->vfs->proc_ops;
	void *ctx = dir->vfs->proc_ctx;
	int next = 0;

	if (ops == NULL)
		return (-1);
	switch (dir->sub) {
	case PROC_DIR_FD:
		return (ops->next_fd(ctx, dir->pid, n));
	case PROC_DIR_ROOT:
		next = ops->next(ctx, n > 0 ? n : 0);
		break;
	case PROC_DIR_TASK:
		next = ops->next_task(ctx, dir->pid, n > 0 ? n : 0);
		break;
	default:
		break;
	}
	return (next != 0 ? next : -1);
}

/* Does what the directory tells of still exist? */
static bool
proc_exists(const struct inode *dir)
{
	const struct vfs_proc_ops *ops = dir->vfs->proc_ops;
	void *ctx = dir->vfs->proc_ctx;

	if (dir->pid == 0)
		return (true);
	if (ops == NULL || ops->next(ctx, dir->pid - 1) != dir->pid)
		return (false);
	return (dir->tid == 0 ||
	    ops->next_task(ctx, dir->pid, dir->tid - 1) == dir->tid);
}

static uint64_t
number_ino(const struct inode *dir, int n)
{
	switch (dir->sub) {
	case PROC_DIR_FD:
		return (proc_ino(dir->pid, FD_INO + (uint64_t)n));
	case PROC_DIR_TASK:
		return (proc_ino(n, TID_INO));
	default:
		return (proc_ino(n, 0));
	}
}

static int
lookup_number(struct inode *dir, int n, struct inode **out)
{
	static const struct proc_name fd = { "", IK_OPENFILE, 0,
		S_IFLNK | 0700 }, pid = DIR("", PROC_DIR_PID),
		tid = DIR("", PROC_DIR_TID);
	int error;

	if (next_number(dir, n - 1) != n)
		return (-ENOENT);
	error = proc_make(dir, dir->sub == PROC_DIR_FD ? &fd :
	    dir->sub == PROC_DIR_TASK ? &tid : &pid, number_ino(dir, n), out);
	if (error != 0)
		return (error);
	if (dir->sub == PROC_DIR_FD)
		(*out)->fd = n;
	else if (dir->sub == PROC_DIR_TASK)
		(*out)->tid = n;
	else
		(*out)->pid = n;
	return (0);
}

int
proc_lookup(struct inode *dir, const char *name, struct inode **out)
{
	const struct proc_name *table = tables[dir->sub].names;
	int n = proc_number(name);

	if (!proc_exists(dir))
		return (-ENOENT);
	if (n >= 0)
		return (lookup_number(dir, n, out));
	for (uint64_t i = 0; table != NULL && table[i].name != NULL; i++) {
		if (strcmp(table[i].name, name) == 0)
			return (proc_make(dir, &table[i], table_ino(dir, i),
			    out));
	}
	return (-ENOENT);
}

int
proc_list(struct inode *dir, struct vfs_listing *ls)
{
	const struct proc_name *table = tables[dir->sub].names;
	int n = -1, error = 0;
	char name[16];

	if (!proc_exists(dir))
		return (-ENOENT);
	while (error == 0 && (n = next_number(dir, n)) >= 0) {
		snprintf(name, sizeof(name), "%d", n);
		error = listing_add(ls, number_ino(dir, n),
		    dir->sub == PROC_DIR_FD ? DT_LNK : DT_DIR, name);
	}
	for (uint64_t i = 0; error == 0 && table != NULL &&
	    table[i].name != NULL; i++)
		error = listing_add(ls, table_ino(dir, i),
		    IFTODT(table[i].mode), table[i].name);
	return (error);
}

/* ---- links ---- */

static int
link_text(const struct inode *ip, char *text, size_t size)
{
	const struct vfs *vfs = ip->vfs;
	const struct vfs_proc_ops *ops = vfs->proc_ops;
	struct inode *file;

	text[0] = '\0';
	if (ops == NULL)
		return (-ENOENT);
	if (ip->kind == IK_OPENFILE) {
		file = ops->fd_inode(vfs->proc_ctx, ip->pid, ip->fd, text,
		    size);
		if (file != NULL)
			snprintf(text, size, "%s", inode_path(file));
		return (0);
	}
	switch (ip->sub) {
	case PROC_MOUNTS_LINK:
		snprintf(text, size, "self/mounts");
		return (0);
	case PROC_SELF:
		snprintf(text, size, "%d", ops->self(vfs->proc_ctx, NULL));
		return (0);
	case PROC_THREAD_SELF: {
		int32_t tid, pid = ops->self(vfs->proc_ctx, &tid);

		snprintf(text, size, "%d/task/%d", pid, tid);
		return (0);
	}
	default:
		return (ops->link(vfs->proc_ctx, ip->pid,
		    (enum vfs_proc_link)ip->sub, text, size));
	}
}

ssize_t
proc_readlink(struct inode *ip, char *buf, size_t size)
{
	char text[VFS_PATH_MAX];
	int error = link_text(ip, text, sizeof(text));
	size_t n;

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
	return (vfs->proc_ops->text(vfs->proc_ctx, ip->pid, ip->tid,
	    (enum vfs_proc_file)ip->sub, text, length));
}

int32_t
inode_proc_pid(const struct inode *ip)
{
	return (ip->kind == IK_PROCDIR && ip->sub == PROC_DIR_PID ? ip->pid :
	    0);
}
