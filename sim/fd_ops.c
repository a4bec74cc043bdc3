/*
 * fd_ops.c: what open files do, by kind: regular files through the VM's page
 * cache, directories, devices of /dev, texts of /proc, the host's standard
 * input and outputs.
 *
 * Interface: struct file_ops of sim/fd.h. Source: read(2), write(2), null(4),
 * random(4). Differences: the standard descriptors look like pipes whatever
 * they are on the host, and a read of standard input from anything but a
 * terminal waits until it has all it asked for, so that the host's timing
 * does not decide how much a read returns.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/machine.h"
#include "sim/syscall_int.h"

/* ---- regular files ---- */

static ssize_t
regular_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	struct vnode *vp = inode_vnode(f->ip);
	uint64_t done = 0;
	int error;

	if (vp == NULL)
		return (-ENOSPC);
	if (off >= vm_vnode_size(vp))
		return (0);
	error = vm_vnode_read(c->vm, vp, off, buf, n, &done);
	return (done != 0 || error == 0 ? (ssize_t)done : -error);
}

/* The largest size that RLIMIT_FSIZE lets this write reach. */
static int
check_fsize(struct sysctx *c, uint64_t off, size_t *n)
{
	uint64_t limit = sys_limit(c->p, RLIMIT_FSIZE);

	if (off >= limit) {
		signal_self(c->t, SIGXFSZ);
		return (-EFBIG);
	}
	if (*n > limit - off)
		*n = limit - off;
	return (0);
}

static ssize_t
regular_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	struct inode *ip = f->ip;
	uint64_t done = 0;
	struct vnode *vp;
	int error;

	inode_lock(ip);
	if (f->flags & O_APPEND)
		off = inode_size(ip);
	error = check_fsize(c, off, &n);
	if (error == 0)
		error = inode_prepare_write(ip, off, n);
	vp = error == 0 ? inode_vnode(ip) : NULL;
	if (error == 0 && vp == NULL)
		error = -ENOSPC;
	if (error == 0) {
		error = -vm_vnode_write(c->vm, vp, off, buf, n, &done);
		inode_wrote(ip);
	}
	inode_unlock(ip);
	return (done != 0 || error == 0 ? (ssize_t)done : error);
}

const struct file_ops file_ops_regular = {
	.name = "file",
	.seekable = true,
	.read = regular_read,
	.write = regular_write,
};

/* ---- directories, and descriptors that only name a file ---- */

static ssize_t
dir_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	return (-EISDIR);
}

const struct file_ops file_ops_dir = {
	.name = "directory",
	.seekable = true,
	.read = dir_read,
};

const struct file_ops file_ops_path = { .name = "path" };

/* ---- devices ---- */

static ssize_t
null_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	return (0);
}

static ssize_t
null_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	return ((ssize_t)n);
}

static ssize_t
zero_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	memset(buf, 0, n);
	return ((ssize_t)n);
}

static ssize_t
full_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	return (-ENOSPC);
}

static ssize_t
random_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	sys_random_bytes(f->ss, buf, n);
	return ((ssize_t)n);
}

static const struct file_ops file_ops_null = {
	.name = "null", .seekable = true,
	.read = null_read, .write = null_write,
};
static const struct file_ops file_ops_zero = {
	.name = "zero", .seekable = true,
	.read = zero_read, .write = null_write,
};
static const struct file_ops file_ops_full = {
	.name = "full", .seekable = true,
	.read = zero_read, .write = full_write,
};
static const struct file_ops file_ops_random = {
	.name = "random", .seekable = true,
	.read = random_read, .write = null_write,
};

/* ---- texts of /proc and /sys ---- */

static ssize_t
text_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	if (off >= f->text_length)
		return (0);
	if (n > f->text_length - off)
		n = f->text_length - off;
	memcpy(buf, f->text + off, n);
	return ((ssize_t)n);
}

static const struct file_ops file_ops_text = {
	.name = "text",
	.seekable = true,
	.read = text_read,
};

/* ---- the host's standard input and outputs ---- */

/* The caller's O_NONBLOCK is nothing to the guest. */
static void
host_wait(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	(void)poll(&pfd, 1, -1);
}

/* As the caller left it: closed, a directory, a full disk. */
static int
host_error(int error)
{
	return (error == EBADF || error == EISDIR || error == ENOSPC ? -error :
	    -EIO);
}

static ssize_t
host_read(struct sysctx *c, struct file *f, void *buf, size_t n, uint64_t off)
{
	uint8_t *p = buf;
	size_t done = 0;

	while (done < n) {
		ssize_t k = read(f->host_fd, p + done, n - done);

		if (k < 0 && (errno == EINTR || errno == EAGAIN)) {
			if (machine_interrupted(c->m))
				return (-EINTR); /* Ctrl-C: the run ends */
			if (errno == EAGAIN)
				host_wait(f->host_fd, POLLIN);
			continue;
		}
		if (k < 0)
			return (done != 0 ? (ssize_t)done : host_error(errno));
		done += (size_t)k;
		if (k == 0 || isatty(f->host_fd))
			break;
	}
	return ((ssize_t)done);
}

static ssize_t
host_write(struct sysctx *c, struct file *f, const void *buf, size_t n,
    uint64_t off)
{
	const uint8_t *p = buf;
	size_t done = 0;

	while (done < n) {
		ssize_t k = write(f->host_fd, p + done, n - done);

		if (k >= 0) {
			done += (size_t)k;
			continue;
		}
		if (machine_interrupted(c->m))
			return (-EINTR); /* Ctrl-C: the run ends */
		if (errno == EAGAIN) {
			host_wait(f->host_fd, POLLOUT);
		} else if (errno == EPIPE) {
			signal_self(c->t, SIGPIPE);
			return (-EPIPE);
		} else if (errno != EINTR) {
			return (host_error(errno));
		}
	}
	return ((ssize_t)n);
}

static void
host_stat(struct file *f, struct vfs_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->dev = 0xd; /* as Linux's pipes */
	st->ino = (uint64_t)f->host_fd + 1;
	st->mode = S_IFIFO | 0600;
	st->nlink = 1;
	st->blksize = 4096;
}

const struct file_ops file_ops_host = {
	.name = "pipe",
	.read = host_read,
	.write = host_write,
	.stat = host_stat,
};

/* ---- opening ---- */

static const struct file_ops *
special_ops(enum vfs_special what)
{
	switch (what) {
	case VFS_NULL:
		return (&file_ops_null);
	case VFS_ZERO:
		return (&file_ops_zero);
	case VFS_FULL:
		return (&file_ops_full);
	case VFS_RANDOM:
		return (&file_ops_random);
	case VFS_TEXT:
		return (&file_ops_text);
	default:
		return (NULL);
	}
}

/* /proc/self/fd/N of something without an inode: the open file itself. */
static int
open_again(struct sysctx *c, struct inode *ip, struct file **out)
{
	struct uproc *p;
	int32_t pid;
	int fd;

	inode_open_file(ip, &pid, &fd);
	p = uproc_find(c->ss, pid);
	*out = p != NULL ? fd_get(p->fds, fd) : NULL;
	if (*out == NULL)
		return (-ENOENT);
	file_hold(*out);
	return (0);
}

int
file_open_inode(struct sysctx *c, struct inode *ip, uint32_t flags,
    struct file **out)
{
	const struct file_ops *ops;
	enum vfs_special what = inode_special(ip);
	struct file *f;
	int error = 0;

	if (flags & O_PATH)
		ops = &file_ops_path;
	else if (what == VFS_OPEN_FILE)
		return (open_again(c, ip, out));
	else if (what == VFS_FIFO)
		return (fifo_open(c, ip, flags, out));
	else if (what != VFS_PLAIN)
		ops = special_ops(what);
	else if (inode_is_directory(ip))
		ops = &file_ops_dir;
	else
		ops = &file_ops_regular;
	if (ops == NULL)
		return (-ENXIO);
	if (ops == &file_ops_regular && (flags & O_ACCMODE) != O_WRONLY)
		error = inode_may_read(ip);
	if (error != 0)
		return (error);
	f = file_new(c->ss, ops, flags);
	if (f == NULL)
		return (-ENOMEM);
	if (ops == &file_ops_text)
		error = inode_text(ip, &f->text, &f->text_length);
	if (error != 0) {
		file_drop(f);
		return (error);
	}
	inode_ref(ip);
	f->ip = ip;
	*out = f;
	return (0);
}
