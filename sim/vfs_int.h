/*
 * vfs_int.h: inodes, names and contents, shared by vfs*.c.
 *
 * An inode is one of: backed by a host path (`host` set) or in memory alone.
 * A directory's names (struct dentry, sorted) are what has been looked up so
 * far; until it is `complete`, a name that is not there is asked of the host.
 * A whiteout is a name of the host's that the guest removed or renamed.
 */
#ifndef VMSIM_SIM_VFS_INT_H
#define VMSIM_SIM_VFS_INT_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "sim/vfs.h"

#define VFS_BLOCK 4096u /* unit of the overlay's contents */
#define VFS_SECTORS_PER_BLOCK (VFS_BLOCK / DISK_SECTOR)
#define VFS_SYMLINKS_MAX 40
#define VFS_HOST_FDS 200 /* host files kept open at a time */
#define VFS_DEV 0x801ull
#define VFS_FILES 100000u /* of the host, as statfs tells: a round number */
#define VFS_PROC_INO (1ull << 40) /* inode numbers of /proc/PID */

enum inode_kind {
	IK_DIR,
	IK_FILE,
	IK_LINK,
	IK_DEVICE, /* sub: enum vfs_special */
	IK_TEXT, /* sub: enum vfs_proc_file */
	IK_FIFO,
	IK_SOCKET, /* the guest's own */
	IK_OTHER, /* the host's devices and sockets */
	IK_PROCDIR, /* sub: enum proc_dir */
	IK_PROCLINK, /* sub: enum vfs_proc_link, or one of PROC_SELF... */
	IK_OPENFILE /* /proc/PID/fd/N */
};

enum proc_dir {
	PROC_DIR_ROOT, PROC_DIR_PID, PROC_DIR_FD, PROC_DIR_TASK, PROC_DIR_TID,
	PROC_DIR_SYS, PROC_DIR_SYS_FS, PROC_DIR_SYS_KERNEL, PROC_DIR_SYS_VM
};
enum { PROC_SELF = 100, PROC_THREAD_SELF, PROC_MOUNTS_LINK };

struct dentry {
	char *name;
	struct inode *ip; /* referenced; NULL: known by name only */
	uint64_t ino; /* assigned at the first listing or lookup */
	uint8_t type; /* DT_* */
	bool whiteout;
	bool of_host; /* not put here by the guest */
	bool unlisted; /* found by its name only */
};

struct hostname { /* another path of a bound file on the host */
	struct hostname *next;
	char *path;
};

struct hidden { /* a name in a directory of the host */
	uint64_t dev, ino; /* of the directory */
	char *name;
};

struct vfs_blocks; /* sparse contents, vfs_data.c */

struct extent { /* sectors of the fs disk */
	uint64_t first, count;
};

struct inode {
	TAILQ_ENTRY(inode) all; /* vfs->inodes */
	TAILQ_ENTRY(inode) open; /* vfs->host_open, while host_fd >= 0 */
	TAILQ_ENTRY(inode) orphan; /* vfs->orphans */
	struct vfs *vfs;
	enum inode_kind kind;
	int sub;
	uint64_t ino, dev;
	uint32_t refs;
	uint32_t mode, nlink, uid, gid;
	int64_t atime, mtime, ctime;
	bool rw; /* changes go to the host */
	bool mount; /* bound by itself: dev begins here */
	bool dead; /* a removed directory */
	bool fixed; /* synthetic directory: nothing may be made in it */
	bool orphaned;
	bool by_name; /* what the host has here is not listed */
	bool packaged; /* in the host's /usr: see host_mtime */
	bool made; /* by the guest */
	struct inode *mirror; /* referenced: this is another name of it */
	char *host; /* path on the host; NULL: memory only */
	struct hostname *names; /* more host paths: links made by the guest */
	char *path; /* absolute guest path of the last lookup */
	void *data; /* a FIFO's pipe, a socket's socket */

	/* directories */
	struct inode *parent; /* referenced; the root's is itself */
	struct dentry *ent;
	size_t nent, ent_room;
	bool complete;

	/* files */
	struct vfs_blocks *blocks;
	uint64_t size; /* while there is no vnode */
	uint64_t host_size; /* bytes of the host's file still to be seen */
	uint64_t host_ino_seen, host_dev_seen;
	int host_fd;
	struct vnode *vp;
	struct extent place;
	bool locked;
	bool kept; /* host_fd stays open: the host's name has gone */

	/* links */
	char *target;

	/* /proc */
	int32_t pid, tid;
	int fd;
};

struct vfs {
	struct sim *sim;
	struct vm *vm;
	struct inode *root, *cwd;
	struct inode *alias; /* the mirror that is VFS_ALIAS, or NULL */
	TAILQ_HEAD(, inode) inodes;
	TAILQ_HEAD(inode_open, inode) host_open; /* oldest use first */
	TAILQ_HEAD(, inode) orphans;
	uint32_t nhost_open;
	uint64_t next_ino, nmade;
	uint64_t nbound; /* --bind-rw directories so far: st_dev */
	uint64_t boot_epoch;
	struct disk *disk;
	struct extent space; /* of the whole file system */
	uint64_t space_next; /* first sector never used */
	struct extent *holes; /* given back, sorted by first */
	size_t nholes, holes_room;
	uint64_t space_used;
	struct hidden *hidden; /* names of the host's that are not there */
	size_t nhidden;
	char problem[256];
	const struct vfs_proc_ops *proc_ops;
	void *proc_ctx;
	char walk[2 * VFS_PATH_MAX]; /* rest of the path being walked */
	char scratch[2 * VFS_PATH_MAX];
};

#define VFS_ALIAS "cwd" /* in the root */
#define VFS_ABOVE "above" /* what is above it, in the root too; then above2 */

/* vfs.c */
/* Inodes on the way to the caller's directory get their numbers only when
 * the guest meets them. */
void inode_number(struct inode *ip);
struct inode *inode_new(struct vfs *vfs, enum inode_kind kind, uint32_t mode);
void inode_free(struct inode *ip);
void inode_note_path(struct inode *ip, struct inode *dir, const char *name);
int host_errno(int error); /* what the guest may see of a host's errno */
void vfs_set_problem(struct vfs *vfs, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A mirror's directory; every other inode itself. */
static inline struct inode *
inode_real(const struct inode *ip)
{
	return (ip->mirror != NULL ? ip->mirror :
	    (struct inode *)(uintptr_t)ip);
}

/* vfs_dir.c */
int dir_lookup(struct inode *dir, const char *name, struct inode **out);
struct dentry *dir_find(const struct inode *dir, const char *name);
int dir_insert(struct inode *dir, const char *name, struct inode *ip);
/* Takes the name away, leaving a whiteout where the host may have it. */
void dir_remove(struct inode *dir, const char *name);
int listing_add(struct vfs_listing *ls, uint64_t ino, uint8_t type,
    const char *name);
int dir_load(struct inode *dir); /* make it complete */
bool dir_is_empty(struct inode *dir);
void dir_free(struct inode *dir);
char *host_child(const struct inode *dir, const char *name); /* malloced */
/* The host's names of a bound file, as links come and go. */
int host_name_add(struct inode *ip, const char *path);
void host_name_remove(struct inode *ip, const char *path);
void host_names_free(struct inode *ip);

/* vfs_data.c */
void inode_drop_data(struct inode *ip);
/* The contents of a new file in memory. */
int inode_set_text(struct inode *ip, const char *text);
int host_open_file(struct inode *ip);
/* After a failed open: closes one that can be opened again when there were
 * too many; false: try no more. */
bool host_spare_file(struct vfs *vfs);
void host_close_file(struct inode *ip);
void inode_place_free(struct inode *ip);

/* vfs_synth.c */
/* A new inode under a name; NULL: out of memory. The tree holds it. */
struct inode *dir_plant(struct inode *dir, const char *name,
    enum inode_kind kind, int sub, uint32_t mode);
/* vfs_proc.c */
int proc_lookup(struct inode *dir, const char *name, struct inode **out);
int proc_list(struct inode *dir, struct vfs_listing *ls);
ssize_t proc_readlink(struct inode *ip, char *buf, size_t size);

/* vfs_attach.c */
int vfs_attach(struct vfs *vfs, const struct vfs_config *cfg,
    struct sim_err *err);

/* vfs_alias.c */
/*
 * The caller's directory becomes /cwd, and what was looked up to find it
 * (from number first_ino on) has no numbers yet: the guest sees the same
 * wherever the caller stood. -ENOMEM.
 */
int vfs_make_alias(struct vfs *vfs, uint64_t first_ino);
/* The mirror on the way up from /cwd that has this name in `dir`, the root or
 * the one above it; NULL: none. Not referenced. */
struct inode *mirror_named(const struct inode *dir, const char *name);
/* The path of a mirror becomes its long name; -ERANGE. */
int mirror_long_path(char *path, size_t size);
/* The mirror of a directory found in a mirror under a name. Takes over the
 * reference to *ip and gives one of the mirror; -ENOMEM. */
int mirror_child(struct inode *mirror, const char *name, struct inode **ip);

/* vfs_show.c */
int vfs_hide_all(struct vfs *vfs, const struct vfs_config *cfg); /* -ENOMEM */
void vfs_hide_free(struct vfs *vfs);
/* Is the host's name one that the guest must not meet? */
bool host_hides(const struct inode *dir, const char *name);
/* Is the host's file one that listings leave out? */
bool host_unlisted(const struct inode *dir, const char *name);
/* Modification time to show for a file of the host, ns since 1970. */
int64_t host_mtime(const struct inode *ip, const struct stat *sb);

#endif
