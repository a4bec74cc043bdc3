/*
 * fd.h: descriptors and open files. A descriptor names an open file
 * description (struct file), which dup and fork share with its offset; what
 * it does depends on its operations: regular files (through the VM's page
 * cache), directories, /dev devices, texts of /proc, pipes, sockets, event
 * sources, and the host's standard input and outputs.
 */
#ifndef VMSIM_SIM_FD_H
#define VMSIM_SIM_FD_H

#include "sim/uproc.h"

struct sysctx;
struct uio;
struct pipe;
struct file;

#define PIPE_SIZE 65536u /* of a new pipe */

/* Who is told when something may have become ready: items of epoll.c, and
 * threads in poll and select. */
struct epoll_item;
struct poll_entry {
	TAILQ_ENTRY(poll_entry) link;
	struct poll_head *head; /* NULL: it has ended */
	struct file *f; /* referenced */
	uint32_t events; /* that it waits for */
	const void *chan; /* where its thread sleeps */
};
struct poll_head {
	TAILQ_HEAD(, epoll_item) items; /* newest first */
	TAILQ_HEAD(, poll_entry) pollers;
};

struct file_ops {
	const char *name; /* as in /proc/self/fd: "pipe", "anon" ... */
	bool seekable;
	/* At off, for seekable ones. Bytes, 0: end, or negative errno. May
	 * sleep. NULL: EINVAL. */
	ssize_t (*read)(struct sysctx *c, struct file *f, void *buf, size_t n,
	    uint64_t off);
	ssize_t (*write)(struct sysctx *c, struct file *f, const void *buf,
	    size_t n, uint64_t off);
	/* POLL*, for the calling thread; NULL: always ready. */
	uint32_t (*poll)(struct sysctx *c, struct file *f);
	/* Instead of read and write: all of the caller's buffers at once. */
	ssize_t (*readv)(struct sysctx *c, struct file *f, struct uio *u);
	ssize_t (*writev)(struct sysctx *c, struct file *f, struct uio *u);
	/* Where its changes are told of; NULL: f->head. */
	struct poll_head *(*head)(struct sysctx *c, struct file *f);
	/* FIONREAD; NULL: there is none. */
	int64_t (*pending)(struct file *f);
	/* One of its descriptors in `table` is closed; NULL: nothing. */
	void (*leave)(struct file *f, const void *table);
	void (*close)(struct file *f); /* last reference; may sleep */
	/* NULL: the inode's. */
	void (*stat)(struct file *f, struct vfs_stat *st);
};

struct file {
	LIST_ENTRY(file) all; /* sysstate.files */
	const struct file_ops *ops;
	struct sysstate *ss;
	int32_t refs;
	uint32_t flags; /* O_*: access mode and status */
	uint64_t offset;
	bool pos_busy; /* somebody is moving the offset */
	struct inode *ip; /* referenced; NULL: pipe, host */
	struct pipe *pipe;
	void *data; /* of sockets and event sources, by ops */
	uint64_t count; /* eventfd; of a FIFO: writers before it was opened */
	struct poll_head head; /* of files that have no other */
	LIST_HEAD(, epoll_item) watches; /* items that watch it */
	int host_fd;
	char *text; /* contents of a /proc file, taken at open */
	size_t text_length;
	struct vfs_listing list; /* a directory's, taken at the first read */
	bool listed;
	/* fd_typed.c */
	bool typed_mid_line; /* a long line: its rest comes at once */
	uint64_t typed_think; /* cycles between lines */
	sim_time_t typed_next; /* when the next line is there; 0: unknown */
};

struct fdtable;
struct fdtable *fdtable_new(void);
struct fdtable *fdtable_copy(const struct fdtable *from); /* fork */
void fdtable_ref(struct fdtable *ft); /* CLONE_FILES */
/* ft alone, or a copy in place of the caller's share of it; NULL: ENOMEM. */
struct fdtable *fdtable_own(struct fdtable *ft);
/* One user less; the last one closes all: may sleep. */
void fdtable_free(struct fdtable *ft);
/* The open file, not referenced; NULL: none. */
struct file *fd_get(const struct fdtable *ft, int fd);
/* The smallest free descriptor >= min and below limit takes over one
 * reference. -EMFILE, -ENOMEM (the reference stays the caller's). */
int fd_install(struct fdtable *ft, struct file *f, int min, uint64_t limit,
    bool cloexec);
/* At exactly fd; what was there is closed. May sleep. */
int fd_install_at(struct fdtable *ft, struct file *f, int fd, bool cloexec);
int fd_close(struct fdtable *ft, int fd); /* may sleep; -EBADF */
void fd_close_on_exec(struct fdtable *ft); /* may sleep */
bool fd_cloexec(const struct fdtable *ft, int fd);
void fd_set_cloexec(struct fdtable *ft, int fd, bool on);
int fd_next(const struct fdtable *ft, int fd); /* smallest above; -1 */
bool fd_full(const struct fdtable *ft, uint64_t limit); /* none below it */

struct file *file_new(struct sysstate *ss, const struct file_ops *ops,
    uint32_t flags);
void file_hold(struct file *f);
void file_drop(struct file *f); /* may sleep */
void file_stat(struct file *f, struct vfs_stat *st);
uint32_t file_poll(struct sysctx *c, struct file *f);
/* Its state may have changed: threads in poll look again, items of epoll are
 * ready. events: POLL* that may be new; 0: any. Allocates nothing. */
void poll_notify(struct sysstate *ss, struct poll_head *h, uint32_t events);
void poll_head_init(struct poll_head *h);
/* Where an open file's changes are told of. */
struct poll_head *poll_head_of(struct sysctx *c, struct file *f);
/* Nothing will be told of any more: the items stay, and sleep for ever. */
void poll_head_end(struct poll_head *h);
/* epoll.c: the open file goes. */
void epoll_forget(struct file *f);
/* The file behind an inode; the inode is referenced. -ENXIO, -ENOMEM. */
int file_open_inode(struct sysctx *c, struct inode *ip, uint32_t flags,
    struct file **out);
/* Both ends of a new pipe. */
int pipe_make(struct sysstate *ss, uint32_t flags, struct file **rd,
    struct file **wr);
/* Opening a FIFO: may sleep until the other end is there. */
int fifo_open(struct sysctx *c, struct inode *ip, uint32_t flags,
    struct file **out);
/* fd_typed.c: a regular file as if typed at a terminal, a line each think_ns;
 * anything else is opened as it is. */
int typed_open(struct sysctx *c, struct inode *ip, uint64_t think_ns,
    struct file **out);
bool file_is_pipe(const struct file *f);
/*
 * For splice: until there is something to read (1; 0: the end), or room to
 * write. -EAGAIN, -EPIPE (with SIGPIPE), -ERESTARTSYS.
 */
int pipe_wait_data(struct sysctx *c, struct file *f, bool nonblock);
int pipe_wait_room(struct sysctx *c, struct file *f, bool nonblock);
/* Unread bytes of page i from the first that has any; 0: there is none. */
size_t pipe_page_bytes(const struct file *f, uint32_t i, const uint8_t **data);
/* They are read. */
void pipe_consume(struct file *f, size_t n);
/* Pages that are free; one of them with n bytes, at most a page. */
uint32_t pipe_room(const struct file *f);
void pipe_add_page(struct file *f, const uint8_t *data, size_t n);
/* While one thread moves what is in it, others do not read. */
void pipe_hold(struct sysctx *c, struct file *f);
void pipe_release(struct sysctx *c, struct file *f);
/* F_GETPIPE_SZ and F_SETPIPE_SZ: bytes, or -EBUSY, -EINVAL, -ENOMEM. */
int64_t pipe_size(const struct file *f);
int64_t pipe_set_size(struct file *f, uint64_t bytes);
/* A new file for a descriptor of the caller's: the number, or -EMFILE and so
 * on, and the file is dropped. */
int file_give(struct sysctx *c, struct file *f, bool cloexec);

/* The offset is shared by dup and fork: one transfer moves it at a time. */
void file_pos_lock(struct sysctx *c, struct file *f);
void file_pos_unlock(struct sysctx *c, struct file *f);

extern const struct file_ops file_ops_regular, file_ops_dir, file_ops_path,
    file_ops_host;

#endif
