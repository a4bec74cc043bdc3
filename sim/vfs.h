/*
 * vfs.h: the guest's view of files: the host's tree, read-only, under an
 * in-memory copy-on-write overlay; directories bound read-write; a few
 * synthetic files (/dev/null, /proc/self/maps, ...). Nothing of the host that
 * can differ between two runs (inode numbers, times, owners of the caller)
 * reaches the guest: those are assigned by the overlay.
 *
 * What the guest sees:
 *   owner 0:0 for everything (the guest runs as root, without CAP_IPC_LOCK);
 *   modes as on the host; one inode per host name (no hard links but those
 *   the guest makes); st_nlink 1 for directories; st_dev 0x801, under a bound
 *   directory 0x802 and up; times of host files: boot, except the mtime of
 *   *.py below /usr (Python compares it with a number inside the .pyc);
 *   listings sorted by name; /tmp, /var/tmp and /run empty at first; no
 *   host name, time zone or machine id (vfs_show.c).
 */
#ifndef VMSIM_SIM_VFS_H
#define VMSIM_SIM_VFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sim/base/sim.h"
#include "vmcore/vmcore.h"

struct vfs;
struct inode; /* one file, directory, link, device; reference-counted */

#define VFS_NAME_MAX 255u
#define VFS_PATH_MAX 4096u /* with the NUL */
#define VFS_FILE_MAX (1ull << 44) /* bytes in one file */

struct vfs_config {
	const char *const *bind_rw; /* host directories, NULL-terminated */
	struct disk *fs_disk; /* where files lie */
	uint64_t fs_first_sector, fs_sectors;
	/* Absolute guest path; NULL: "/". It is visible even below /tmp. */
	const char *cwd;
	/* Show it to the guest as /cwd wherever it lies on the host: what the
	 * guest sees of it must not depend on the caller's directory. */
	bool cwd_alias;
	/* Host directories below /tmp, /var/tmp or /run to show all the same,
	 * copy-on-write; NULL-terminated, may be NULL. */
	const char *const *show;
	/* What lies in the host's /tmp and /var/tmp is found by its name, but
	 * not listed: who else put what there must not matter. */
	bool host_tmp;
	/* Files of the host that are not there for the guest, whether they
	 * exist or not: those the run itself writes; NULL-terminated, may be
	 * NULL. */
	const char *const *hide;
	/* So with what is the host's standard output and error. */
	bool hide_output;
	/* A host directory to be seen as /guest; NULL or "": none. */
	const char *guests;
	uint64_t boot_epoch; /* wall clock at boot, seconds */
};

/* Errors: -ENOENT, -ENOTDIR a directory to bind is none; -EINVAL it is inside
 * /proc, /sys or /dev; -ENOMEM. */
int vfs_create(struct sim *sim, struct vm *vm, const struct vfs_config *cfg,
    struct vfs **out, struct sim_err *err);
void vfs_destroy(struct vfs *vfs);
/* The first trouble worth a line in the summary (the disk was full, a host
 * file changed under the run); NULL when there was none. */
const char *vfs_problem(const struct vfs *vfs);

/* follow: the last component too if it is a symbolic link. dir: start of
 * relative paths, NULL for the root. Errors: negative errno. */
int vfs_lookup(struct vfs *vfs, struct inode *dir, const char *path,
    bool follow, struct inode **out);
void inode_ref(struct inode *ip);
/* At the last reference of a removed file its pages are freed: may sleep. */
void inode_rele(struct inode *ip);
bool inode_is_regular(const struct inode *ip);
bool inode_is_directory(const struct inode *ip);
/* -EACCES when the host does not let vmsim read what is still the host's. */
int inode_may_read(struct inode *ip);
uint64_t inode_size(const struct inode *ip);
uint32_t inode_mode(const struct inode *ip); /* S_IF* and permissions */
/* Contents straight from the overlay, no simulated time (after syncing the
 * page cache's dirty pages): for the loader's header checks and the host. */
ssize_t inode_pread_raw(struct inode *ip, void *buf, size_t n, uint64_t off);
/* The VM's file for it, made at first use; regular files only. NULL when it
 * does not fit on the file system's disk any more (vfs_problem says so). */
struct vnode *inode_vnode(struct inode *ip);
/* Absolute guest path by which it was last looked up. */
const char *inode_path(const struct inode *ip);

/* Push the page cache of files under --bind-rw out to the host (end of run;
 * takes no simulated time when called outside a thread). */
void vfs_sync(struct vfs *vfs);

/* ---- the rest is for the system calls (fd.c, syscall_*.c) ---- */

struct vfs_stat {
	uint64_t dev, ino, rdev;
	uint32_t mode, nlink, uid, gid;
	uint64_t size, blocks; /* bytes; 512-byte units */
	uint32_t blksize;
	int64_t atime, mtime, ctime; /* ns since 1970 */
};
void inode_stat(const struct inode *ip, struct vfs_stat *st);

/* How the last component of a path looked: "." and ".." cannot be made,
 * removed or renamed. */
enum vfs_last { VFS_LAST_NAME, VFS_LAST_DOT, VFS_LAST_DOTDOT, VFS_LAST_ROOT };

/* Where a path ends. The inodes are referenced; vfs_place_done drops them. */
struct vfs_place {
	struct inode *dir; /* directory of the last component */
	struct inode *via; /* the same by the name it was reached by */
	struct inode *ip; /* NULL: there is nothing of that name */
	enum vfs_last last;
	bool slash; /* the path ended in '/': a directory is meant */
	char name[VFS_NAME_MAX + 1];
};
/* What to do with a symbolic link at the path's end. */
enum vfs_final {
	VFS_FOLLOW,
	VFS_NOFOLLOW, /* but "link/" is followed */
	VFS_CREATE, /* as FOLLOW, for a file to be made: "name/" is EISDIR */
	VFS_PARENT /* never: the name itself is to be made or removed */
};
/* As vfs_lookup, but the last component may be missing. A dangling symbolic
 * link is followed to the place that it names. */
int vfs_find(struct vfs *vfs, struct inode *dir, const char *path,
    enum vfs_final final, struct vfs_place *pl);
void vfs_place_done(struct vfs_place *pl);

/* Changes. `mode` has the umask applied. Negative errno. All act on the host
 * as well below a bound directory, where they may fail as the host says. */
int vfs_create_file(struct vfs_place *pl, uint32_t mode, struct inode **out);
int vfs_mkdir(struct vfs_place *pl, uint32_t mode);
int vfs_mkspecial(struct vfs_place *pl, uint32_t mode); /* FIFO, socket */
int vfs_symlink(struct vfs_place *pl, const char *target);
int vfs_link(struct inode *ip, struct vfs_place *pl);
int vfs_unlink(struct vfs_place *pl); /* may sleep, as inode_rele */
int vfs_rmdir(struct vfs_place *pl);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE. */
int vfs_rename(struct vfs_place *from, struct vfs_place *to, uint32_t flags);
int inode_chmod(struct inode *ip, uint32_t mode);
int inode_chown(struct inode *ip, uint32_t uid, uint32_t gid); /* ~0: keep */
/* ns since 1970; INT64_MIN: keep. */
int inode_utimens(struct inode *ip, int64_t atime, int64_t mtime);
int inode_truncate(struct inode *ip, uint64_t size); /* may sleep */
/* Before data is written at [off, off + n): room on the disk, not too large.
 * -EFBIG, -ENOSPC. */
int inode_prepare_write(struct inode *ip, uint64_t off, uint64_t n);
void inode_wrote(struct inode *ip); /* sets mtime and ctime to now */
/* Dirty pages to the file's contents; nothing to do when the VM has never
 * seen the file. May sleep. */
int inode_sync(struct inode *ip, bool wait);
/* One writer at a time (may sleep). */
void inode_lock(struct inode *ip);
void inode_unlock(struct inode *ip);
/* Length of the target, at most size; -EINVAL. */
ssize_t inode_readlink(struct inode *ip, char *buf, size_t size);
/* Absolute path of a directory; -ENOENT when it has been removed. */
int inode_dirpath(const struct inode *dir, char *buf, size_t size);
/* The same for getcwd: ".." of it is what one gets by cutting its last part
 * off, as far as that can be. */
int inode_cwdpath(const struct inode *dir, char *buf, size_t size);
/* Whose directory of /proc it is; 0: none. */
int32_t inode_proc_pid(const struct inode *ip);
/* Some process still maps the file, or it is open: asked for "text busy". */
bool inode_is_fifo(const struct inode *ip);
bool inode_is_socket(const struct inode *ip);
bool inode_is_symlink(const struct inode *ip);
/* Which file a mapping shows, for /proc/self/maps; NULL: none of ours. */
struct inode *vfs_inode_of(struct vfs *vfs, const struct vnode *vp);
/* Files removed while mapped: give those back that no one maps any more. */
void vfs_reap(struct vfs *vfs);
struct inode *vfs_root(struct vfs *vfs);
struct inode *vfs_cwd(struct vfs *vfs); /* of the first process; referenced */
int64_t vfs_now(const struct vfs *vfs); /* ns since 1970 */

/* A directory's entries, "." and ".." first, then by name. */
struct vfs_dirent {
	uint64_t ino;
	uint8_t type; /* DT_* */
	char *name;
};
struct vfs_listing {
	struct vfs_dirent *ent;
	size_t count;
};
int vfs_list(struct inode *dir, struct vfs_listing *ls);
void vfs_listing_free(struct vfs_listing *ls);

/* Where file systems are mounted: the root (i 0), then directories bound
 * read-write. NULL: no more. */
const char *vfs_mount(const struct vfs *vfs, uint32_t i, uint64_t *dev);

/* File-system totals for statfs, in bytes. */
void vfs_space(const struct vfs *vfs, uint64_t *total, uint64_t *free_bytes,
    uint64_t *inodes);

/* What open gives for inodes without pages. */
enum vfs_special {
	VFS_PLAIN, /* regular files, directories, links */
	VFS_NULL, VFS_ZERO, VFS_FULL, VFS_RANDOM, VFS_TTY,
	VFS_TEXT, /* vfs_text makes the contents at each open */
	VFS_OPEN_FILE, /* /proc/self/fd/N: the open file itself */
	VFS_FIFO,
	VFS_UNUSABLE /* the host's devices and sockets: ENXIO */
};
enum vfs_special inode_special(const struct inode *ip);
/* /proc/PID/fd/N: which process and number. */
void inode_open_file(const struct inode *ip, int32_t *pid, int *fd);
/* Malloced contents of a VFS_TEXT inode. May sleep. */
int inode_text(struct inode *ip, char **text, size_t *length);

/* A FIFO's pipe, a socket's socket: kept here for those who make them. */
void *inode_data(const struct inode *ip);
void inode_set_data(struct inode *ip, void *data);

/* Files of /proc/PID and /proc whose text comes from above. */
enum vfs_proc_file {
	/* of a process */
	PROC_MAPS, PROC_CMDLINE, PROC_ENVIRON, PROC_STATUS, PROC_STAT,
	PROC_STATM, PROC_COMM, PROC_LIMITS, PROC_MOUNTS, PROC_MOUNTINFO,
	/* of the machine */
	PROC_MEMINFO, PROC_CPUINFO, PROC_UPTIME, PROC_VERSION, PROC_CPUSTAT,
	PROC_LOADAVG, PROC_VMSTAT, PROC_SWAPS, PROC_FILESYSTEMS,
	PROC_CPULIST, /* /sys/devices/system/cpu/online */
	/* /proc/sys */
	PROC_FILE_MAX, PROC_NR_OPEN, PROC_PIPE_MAX, PROC_CAP_LAST,
	PROC_CORE_PATTERN, PROC_HOSTNAME, PROC_NGROUPS_MAX, PROC_OSRELEASE,
	PROC_OSTYPE, PROC_PID_MAX, PROC_THREADS_MAX, PROC_OSVERSION,
	PROC_MAX_MAP_COUNT, PROC_MMAP_MIN_ADDR, PROC_OVERCOMMIT
};
enum vfs_proc_link { PROC_EXE, PROC_CWD, PROC_ROOT };
struct vfs_proc_ops {
	/* The running process, and thread (tid may be NULL). */
	int32_t (*self)(void *ctx, int32_t *tid);
	/* The smallest pid above `pid`, 0: none. */
	int32_t (*next)(void *ctx, int32_t pid);
	/* The smallest number of a thread of it above `tid`, 0: none. */
	int32_t (*next_task)(void *ctx, int32_t pid, int32_t tid);
	/* The smallest descriptor above `fd` of a process, -1: none. */
	int (*next_fd)(void *ctx, int32_t pid, int fd);
	/* The inode behind a descriptor (not referenced), NULL: a pipe. text:
	 * what readlink shows when there is no inode. */
	struct inode *(*fd_inode)(void *ctx, int32_t pid, int fd, char *text,
	    size_t size);
	int (*link)(void *ctx, int32_t pid, enum vfs_proc_link which, char *buf,
	    size_t size);
	/* tid 0: of the whole process; pid 0: of the machine. May sleep. */
	int (*text)(void *ctx, int32_t pid, int32_t tid,
	    enum vfs_proc_file which, char **text, size_t *length);
};
void vfs_set_proc_ops(struct vfs *vfs, const struct vfs_proc_ops *ops,
    void *ctx);

#endif
