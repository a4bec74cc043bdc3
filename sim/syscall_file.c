/*
 * syscall_file.c: calls on descriptors: reading and writing in all forms,
 * seeking, duplicating, fcntl, ioctl, syncing, directories, pipes.
 *
 * Interface: sys_* of sim/syscall_table.h; struct uio. Source: the manual
 * pages of the calls, Linux 6.1. Differences: data goes through a buffer of
 * 64 KiB, so a call that fails half-way reports what whole pieces were done;
 * record locks always succeed (one process); every ioctl of a terminal is
 * ENOTTY.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/syscall_int.h"

#define RW_MAX 0x7ffff000ull /* most that one call transfers */
#define POS_CALL (-1) /* transfer at the file's own offset */

/* ---- scatter and gather ---- */

/* Page by page up to the first that cannot be reached. */
static uint64_t
copy_pages(struct sysctx *c, vm_offset_t va, uint8_t *buf, uint64_t n, bool in)
{
	uint64_t done = 0;

	while (done < n) {
		uint64_t k = PAGE_SIZE - ((va + done) & PAGE_MASK);
		int error;

		if (k > n - done)
			k = n - done;
		error = in ? sys_copyin(c, va + done, buf + done, k) :
		    sys_copyout(c, va + done, buf + done, k);
		if (error != 0)
			break;
		done += k;
	}
	return (done);
}

static uint64_t
copy_piece(struct sysctx *c, vm_offset_t va, uint8_t *buf, uint64_t n, bool in)
{
	int error = in ? sys_copyin(c, va, buf, n) :
	    sys_copyout(c, va, buf, n);

	return (error == 0 ? n : copy_pages(c, va, buf, n, in));
}

static ssize_t
uio_move(struct sysctx *c, struct uio *u, uint8_t *buf, size_t n, bool in)
{
	size_t done = 0;

	while (done < n && u->index < u->count) {
		struct iovec64 *iv = &u->iov[u->index];
		uint64_t k = iv->length - u->skip, got;

		if (k > n - done)
			k = n - done;
		got = copy_piece(c, iv->base + u->skip, buf + done, k, in);
		done += got;
		u->skip += got;
		u->left -= got;
		if (got < k)
			return (done != 0 ? (ssize_t)done : -EFAULT);
		if (u->skip == iv->length) {
			u->index++;
			u->skip = 0;
		}
	}
	return ((ssize_t)done);
}

ssize_t
uio_copyin(struct sysctx *c, struct uio *u, void *buf, size_t n)
{
	return (uio_move(c, u, buf, n, true));
}

ssize_t
uio_copyout(struct sysctx *c, struct uio *u, const void *buf, size_t n)
{
	return (uio_move(c, u, (uint8_t *)(uintptr_t)buf, n, false));
}

/* One plain buffer. */
int
uio_single(struct sysctx *c, struct uio *u, struct iovec64 *iv,
    vm_offset_t va, uint64_t n)
{
	if (n > RW_MAX)
		n = RW_MAX;
	if (!user_range_ok(va, n))
		return (-EFAULT);
	iv->base = va;
	iv->length = n;
	u->iov = iv;
	u->count = 1;
	u->index = 0;
	u->skip = 0;
	u->left = n;
	return (0);
}

int
uio_vector(struct sysctx *c, struct uio *u, vm_offset_t va, uint64_t count)
{
	uint8_t *b;
	int error;

	if (count > SYS_IOV_MAX)
		return (-EINVAL);
	b = sys_buf(c, 1);
	if (b == NULL)
		return (-ENOMEM);
	error = sys_copyin(c, va, b, count * sizeof(struct iovec64));
	if (error != 0)
		return (error);
	memset(u, 0, sizeof(*u));
	u->iov = (struct iovec64 *)(void *)b;
	u->count = (uint32_t)count;
	for (uint32_t i = 0; i < u->count; i++) {
		struct iovec64 *iv = &u->iov[i];

		if (iv->length > INT64_MAX)
			return (-EINVAL);
		if (!user_range_ok(iv->base, iv->length))
			return (-EFAULT);
		if (iv->length > RW_MAX - u->left)
			iv->length = RW_MAX - u->left;
		u->left += iv->length;
	}
	return (0);
}

/* ---- transfers ---- */

void
file_pos_lock(struct sysctx *c, struct file *f)
{
	while (f->pos_busy)
		sim_sleep(c->sim, &f->pos_busy, 72, "filepos", SIM_NO_TIMEOUT);
	f->pos_busy = true;
}

void
file_pos_unlock(struct sysctx *c, struct file *f)
{
	f->pos_busy = false;
	sim_wakeup(c->sim, &f->pos_busy);
}

static ssize_t
read_chunk(struct sysctx *c, struct file *f, struct uio *u, uint64_t off)
{
	uint8_t *buf = sys_buf(c, 0);
	size_t n = u->left < SYSBUF_SIZE ? u->left : SYSBUF_SIZE;
	ssize_t got;

	if (buf == NULL)
		return (-ENOMEM);
	got = f->ops->read(c, f, buf, n, off);
	return (got <= 0 ? got : uio_copyout(c, u, buf, (size_t)got));
}

static ssize_t
write_chunk(struct sysctx *c, struct file *f, struct uio *u, uint64_t off)
{
	uint8_t *buf = sys_buf(c, 0);
	size_t n = u->left < SYSBUF_SIZE ? u->left : SYSBUF_SIZE;
	ssize_t got;

	if (buf == NULL)
		return (-ENOMEM);
	got = uio_copyin(c, u, buf, n);
	return (got < 0 ? got : f->ops->write(c, f, buf, (size_t)got, off));
}

/* Would reading more of it have to wait, or give another message? */
static bool
is_drained(struct sysctx *c, struct file *f)
{
	if (f->ops->seekable || f->host_fd >= 0)
		return (false);
	return (!file_is_pipe(f) || !(file_poll(c, f) & POLLIN));
}

/* Until the buffers are used up, or a piece was short. */
static int64_t
transfer_loop(struct sysctx *c, struct file *f, struct uio *u, uint64_t off,
    bool out)
{
	int64_t done = 0;

	do {
		uint64_t want = u->left < SYSBUF_SIZE ? u->left : SYSBUF_SIZE;
		ssize_t got;

		got = out ? write_chunk(c, f, u, off + (uint64_t)done) :
		    read_chunk(c, f, u, off + (uint64_t)done);
		if (got < 0)
			return (done != 0 ? done : got);
		done += got;
		if ((uint64_t)got < want || (!out && is_drained(c, f)))
			break;
		if (u->left != 0 && signal_pending(c->t))
			break;
	} while (u->left != 0);
	return (done);
}

/* off: POS_CALL for the file's own offset. */
static int64_t
transfer(struct sysctx *c, struct file *f, struct uio *u, int64_t off,
    bool out)
{
	uint32_t acc = f->flags & O_ACCMODE;
	int64_t done;

	if (acc == (out ? O_RDONLY : O_WRONLY))
		return (-EBADF);
	if (!f->ops->seekable && off != POS_CALL)
		return (-ESPIPE);
	if (off < POS_CALL)
		return (-EINVAL);
	if ((out ? f->ops->writev : f->ops->readv) != NULL)
		return (out ? f->ops->writev(c, f, u) : f->ops->readv(c, f, u));
	if ((out ? (void *)f->ops->write : (void *)f->ops->read) == NULL)
		return (out && f->ops == &file_ops_dir ? -EBADF : -EINVAL);
	if (u->left == 0 && f->ops != &file_ops_dir)
		return (0);
	if (!f->ops->seekable)
		return (transfer_loop(c, f, u, 0, out));
	if (off != POS_CALL)
		return (transfer_loop(c, f, u, (uint64_t)off, out));
	file_pos_lock(c, f);
	done = transfer_loop(c, f, u, f->offset, out);
	if (done > 0 && out && (f->flags & O_APPEND) && f->ip != NULL)
		f->offset = inode_size(f->ip);
	else if (done > 0)
		f->offset += (uint64_t)done;
	file_pos_unlock(c, f);
	return (done);
}

static int64_t
rw_single(struct sysctx *c, int64_t off, bool out)
{
	struct file *f = sys_file(c, c->a[0], false);
	struct iovec64 iv;
	struct uio u;
	int error;

	if (f == NULL)
		return (-EBADF);
	error = uio_single(c, &u, &iv, c->a[1], c->a[2]);
	return (error != 0 ? error : transfer(c, f, &u, off, out));
}

static int64_t
rw_vector(struct sysctx *c, int64_t off, bool out)
{
	struct file *f = sys_file(c, c->a[0], false);
	struct uio u;
	int error;

	if (f == NULL)
		return (-EBADF);
	error = uio_vector(c, &u, c->a[1], c->a[2]);
	return (error != 0 ? error : transfer(c, f, &u, off, out));
}

int64_t
sys_read(struct sysctx *c)
{
	return (rw_single(c, POS_CALL, false));
}

int64_t
sys_write(struct sysctx *c)
{
	return (rw_single(c, POS_CALL, true));
}

/* A negative offset is an error here, not the file's own. */
static int64_t
given_offset(uint64_t off)
{
	return ((int64_t)off < 0 ? INT64_MIN : (int64_t)off);
}

int64_t
sys_pread64(struct sysctx *c)
{
	return (rw_single(c, given_offset(c->a[3]), false));
}

int64_t
sys_pwrite64(struct sysctx *c)
{
	return (rw_single(c, given_offset(c->a[3]), true));
}

int64_t
sys_readv(struct sysctx *c)
{
	return (rw_vector(c, POS_CALL, false));
}

int64_t
sys_writev(struct sysctx *c)
{
	return (rw_vector(c, POS_CALL, true));
}

int64_t
sys_preadv(struct sysctx *c)
{
	return (rw_vector(c, given_offset(c->a[3]), false));
}

int64_t
sys_pwritev(struct sysctx *c)
{
	return (rw_vector(c, given_offset(c->a[3]), true));
}

static int64_t
rw_vector2(struct sysctx *c, bool out)
{
	if (c->a[5] != 0)
		return (-EOPNOTSUPP);
	return (rw_vector(c, c->a[3] == UINT64_MAX ? POS_CALL :
	    given_offset(c->a[3]), out));
}

int64_t
sys_preadv2(struct sysctx *c)
{
	return (rw_vector2(c, false));
}

int64_t
sys_pwritev2(struct sysctx *c)
{
	return (rw_vector2(c, true));
}

/* ---- from file to file ---- */

struct copy {
	struct file *in, *out;
	uint64_t in_off, out_off;
	uint64_t left;
};

/* Until there is no more, or a piece was short. */
static int64_t
copy_loop(struct sysctx *c, struct copy *cp)
{
	uint8_t *buf = sys_buf(c, 0);
	int64_t done = 0;

	if (buf == NULL)
		return (-ENOMEM);
	while (cp->left != 0 && !(done != 0 && signal_pending(c->t))) {
		size_t n = cp->left < SYSBUF_SIZE ? cp->left : SYSBUF_SIZE;
		ssize_t got, put;

		got = cp->in->ops->read(c, cp->in, buf, n, cp->in_off);
		put = got <= 0 ? got : cp->out->ops->write(c, cp->out, buf,
		    (size_t)got, cp->out_off);
		if (put <= 0)
			return (done != 0 ? done : put);
		cp->in_off += (uint64_t)put;
		cp->out_off += (uint64_t)put;
		cp->left -= (uint64_t)put;
		done += put;
		if ((size_t)put < n)
			break;
	}
	return (done);
}

/* The files of a copy: readable and seekable, and writable. */
static int
copy_files(struct sysctx *c, uint64_t in, uint64_t out, uint64_t n,
    struct copy *cp)
{
	cp->in = sys_file(c, in, false);
	cp->out = cp->in != NULL ? sys_file(c, out, false) : NULL;
	if (cp->out == NULL || (cp->in->flags & O_ACCMODE) == O_WRONLY ||
	    (cp->out->flags & O_ACCMODE) == O_RDONLY)
		return (-EBADF);
	if (cp->in->ops != &file_ops_regular || cp->out->ops->write == NULL)
		return (-EINVAL);
	cp->in_off = cp->in->offset;
	cp->out_off = cp->out->offset;
	cp->left = n < RW_MAX ? n : RW_MAX;
	return (0);
}

/* An offset given by pointer (va != 0) takes the place of the file's own. */
static int
copy_offset(struct sysctx *c, vm_offset_t va, uint64_t *off)
{
	int error = va != 0 ? sys_copyin(c, va, off, sizeof(*off)) : 0;

	return (error == 0 && (int64_t)*off < 0 ? -EINVAL : error);
}

static int
copy_done(struct sysctx *c, vm_offset_t va, struct file *f, uint64_t off)
{
	if (va != 0)
		return (sys_copyout(c, va, &off, sizeof(off)));
	if (f->ops->seekable)
		f->offset = off;
	return (0);
}

int64_t
sys_sendfile(struct sysctx *c)
{
	struct copy cp;
	int64_t done;
	int error;

	error = copy_files(c, c->a[1], c->a[0], c->a[3], &cp);
	if (error == 0 && (cp.out->flags & O_APPEND))
		error = -EINVAL;
	if (error == 0)
		error = copy_offset(c, c->a[2], &cp.in_off);
	if (error != 0)
		return (error);
	done = copy_loop(c, &cp);
	if (done <= 0)
		return (done);
	error = copy_done(c, c->a[2], cp.in, cp.in_off);
	if (error == 0)
		error = copy_done(c, 0, cp.out, cp.out_off);
	return (error != 0 ? error : done);
}

int64_t
sys_copy_file_range(struct sysctx *c)
{
	struct copy cp;
	int64_t done;
	int error;

	if ((uint32_t)c->a[5] != 0)
		return (-EINVAL);
	error = copy_files(c, c->a[0], c->a[2], c->a[4], &cp);
	if (error == 0 && cp.out->ops != &file_ops_regular)
		error = -EINVAL;
	if (error == 0 && (cp.out->flags & O_APPEND))
		error = -EBADF;
	if (error == 0)
		error = copy_offset(c, c->a[1], &cp.in_off);
	if (error == 0)
		error = copy_offset(c, c->a[3], &cp.out_off);
	if (error != 0)
		return (error);
	if (cp.in->ip == cp.out->ip && cp.in_off < cp.out_off + cp.left &&
	    cp.out_off < cp.in_off + cp.left)
		return (-EINVAL);
	done = copy_loop(c, &cp);
	if (done <= 0)
		return (done);
	error = copy_done(c, c->a[1], cp.in, cp.in_off);
	if (error == 0)
		error = copy_done(c, c->a[3], cp.out, cp.out_off);
	return (error != 0 ? error : done);
}

/* ---- seeking ---- */

/* Files are taken to have no holes but the one past the end. */
static int64_t
seek_target(const struct file *f, int64_t off, int whence)
{
	int64_t size = f->ip != NULL ? (int64_t)inode_size(f->ip) : 0;
	int64_t base = 0;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (int64_t)f->offset;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA:
		return (off < 0 || off >= size ? -ENXIO : off);
	case SEEK_HOLE:
		return (off < 0 || off >= size ? -ENXIO : size);
	default:
		return (-EINVAL);
	}
	if (off > INT64_MAX - base || base + off < 0)
		return (off > 0 ? -EOVERFLOW : -EINVAL);
	if ((uint64_t)(base + off) > VFS_FILE_MAX &&
	    f->ops == &file_ops_regular)
		return (-EINVAL);
	return (base + off);
}

int64_t
sys_lseek(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);
	int64_t to;

	if (f == NULL)
		return (-EBADF);
	if (!f->ops->seekable)
		return (-ESPIPE);
	file_pos_lock(c, f);
	to = seek_target(f, (int64_t)c->a[1], (int)c->a[2]);
	if (to >= 0) {
		f->offset = (uint64_t)to;
		if (to == 0 && f->listed) {
			vfs_listing_free(&f->list);
			f->listed = false;
		}
	}
	file_pos_unlock(c, f);
	return (to);
}

/* ---- descriptors ---- */

int64_t
sys_close(struct sysctx *c)
{
	return (fd_close(c->p->fds, (int)c->a[0]));
}

int64_t
sys_close_range(struct sysctx *c)
{
	uint32_t first = (uint32_t)c->a[0], last = (uint32_t)c->a[1];
	uint32_t flags = (uint32_t)c->a[2];
	int fd;

	if ((flags & ~(uint32_t)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) ||
	    first > last)
		return (-EINVAL);
	if (flags & CLOSE_RANGE_UNSHARE) {
		struct fdtable *own = fdtable_own(c->p->fds);

		if (own == NULL)
			return (-ENOMEM);
		c->p->fds = own;
	}
	if (first > INT_MAX)
		return (0);
	for (fd = fd_next(c->p->fds, (int)first - 1);
	    fd >= 0 && (uint32_t)fd <= last; fd = fd_next(c->p->fds, fd)) {
		if (flags & CLOSE_RANGE_CLOEXEC)
			fd_set_cloexec(c->p->fds, fd, true);
		else
			(void)fd_close(c->p->fds, fd);
	}
	return (0);
}

static int64_t
dup_from(struct sysctx *c, struct file *f, int min, bool cloexec)
{
	int fd;

	file_hold(f);
	fd = fd_install(c->p->fds, f, min, sys_limit(c->p, RLIMIT_NOFILE),
	    cloexec);
	if (fd < 0)
		file_drop(f);
	return (fd);
}

int64_t
sys_dup(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], true);

	return (f == NULL ? -EBADF : dup_from(c, f, 0, false));
}

static int64_t
dup_to(struct sysctx *c, struct file *f, uint32_t to, bool cloexec)
{
	int fd;

	if (to >= sys_limit(c->p, RLIMIT_NOFILE) || to > 1u << 20)
		return (-EBADF);
	file_hold(f);
	fd = fd_install_at(c->p->fds, f, (int)to, cloexec);
	if (fd < 0)
		file_drop(f);
	return (fd);
}

int64_t
sys_dup2(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], true);

	if (f == NULL)
		return (-EBADF);
	if ((int)c->a[0] == (int)c->a[1])
		return ((int)c->a[1]);
	return (dup_to(c, f, (uint32_t)c->a[1], false));
}

int64_t
sys_dup3(struct sysctx *c)
{
	struct file *f;

	if ((uint32_t)c->a[2] & ~(uint32_t)O_CLOEXEC)
		return (-EINVAL);
	if ((int)c->a[0] == (int)c->a[1])
		return (-EINVAL);
	f = sys_file(c, c->a[0], true);
	if (f == NULL)
		return (-EBADF);
	return (dup_to(c, f, (uint32_t)c->a[1], (c->a[2] & O_CLOEXEC) != 0));
}

static int64_t
make_pipe(struct sysctx *c, vm_offset_t va, uint32_t flags)
{
	struct file *end[2];
	int fd[2] = { -1, -1 }, error;

	if (flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return (-EINVAL);
	error = pipe_make(c->ss, flags & (O_NONBLOCK | O_DIRECT), &end[0],
	    &end[1]);
	if (error != 0)
		return (error);
	for (int i = 0; i < 2; i++) {
		fd[i] = fd_install(c->p->fds, end[i], 0,
		    sys_limit(c->p, RLIMIT_NOFILE), (flags & O_CLOEXEC) != 0);
		if (fd[i] < 0) {
			error = fd[i];
			file_drop(end[i]);
		}
	}
	if (error == 0)
		error = sys_copyout(c, va, fd, sizeof(fd));
	for (int i = 0; error != 0 && i < 2; i++) {
		if (fd[i] >= 0)
			(void)fd_close(c->p->fds, fd[i]);
	}
	return (error);
}

int64_t
sys_pipe(struct sysctx *c)
{
	return (make_pipe(c, c->a[0], 0));
}

int64_t
sys_pipe2(struct sysctx *c)
{
	return (make_pipe(c, c->a[0], (uint32_t)c->a[1]));
}

/* ---- fcntl ---- */

#define SETTABLE (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

/* What does not concern the descriptor but the open file. */
static int64_t
fcntl_file(struct sysctx *c, struct file *f, int cmd)
{
	switch (cmd) {
	case F_SETFL:
		f->flags = (f->flags & ~(uint32_t)SETTABLE) |
		    ((uint32_t)c->a[2] & SETTABLE);
		return (0);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return (lockf_fcntl(c, f, cmd));
	case F_GETPIPE_SZ:
		return (file_is_pipe(f) ? pipe_size(f) : -EBADF);
	case F_SETPIPE_SZ:
		return (file_is_pipe(f) ? pipe_set_size(f, c->a[2]) : -EBADF);
	case F_GETOWN:
	case F_SETOWN:
		return (0);
	default:
		return (-EINVAL);
	}
}

int64_t
sys_fcntl(struct sysctx *c)
{
	int fd = (int)c->a[0], cmd = (int)c->a[1];
	struct file *f = sys_file(c, c->a[0], true);

	if (f == NULL)
		return (-EBADF);
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if ((uint32_t)c->a[2] >= sys_limit(c->p, RLIMIT_NOFILE))
			return (-EINVAL);
		return (dup_from(c, f, (int)c->a[2],
		    cmd == F_DUPFD_CLOEXEC));
	case F_GETFD:
		return (fd_cloexec(c->p->fds, fd) ? FD_CLOEXEC : 0);
	case F_SETFD:
		fd_set_cloexec(c->p->fds, fd, (c->a[2] & FD_CLOEXEC) != 0);
		return (0);
	case F_GETFL:
		return (f->flags & ~(uint32_t)(O_CREAT | O_EXCL | O_NOCTTY |
		    O_TRUNC | O_CLOEXEC));
	default:
		return (f->ops == &file_ops_path ? -EBADF :
		    fcntl_file(c, f, cmd));
	}
}

/* ---- ioctl: whether it is a terminal is the question, and it is none ---- */

static int64_t
ioctl_pending(struct sysctx *c, struct file *f)
{
	uint64_t size = f->ip != NULL ? inode_size(f->ip) : 0;
	int32_t n;

	if (f->ops->pending != NULL) {
		int64_t bytes = f->ops->pending(f);

		if (bytes < 0)
			return (bytes);
		n = (int32_t)bytes;
	} else if (f->ops == &file_ops_regular)
		n = size < f->offset ? 0 : size - f->offset > INT32_MAX ?
		    INT32_MAX : (int32_t)(size - f->offset);
	else
		return (-ENOTTY);
	return (sys_copyout(c, c->a[2], &n, sizeof(n)));
}

int64_t
sys_ioctl(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);
	int32_t on;
	int error;

	if (f == NULL)
		return (-EBADF);
	switch ((uint32_t)c->a[1]) {
	case FIOCLEX:
	case FIONCLEX:
		fd_set_cloexec(c->p->fds, (int)c->a[0],
		    (uint32_t)c->a[1] == FIOCLEX);
		return (0);
	case FIONBIO:
		error = sys_copyin(c, c->a[2], &on, sizeof(on));
		if (error != 0)
			return (error);
		f->flags = on != 0 ? f->flags | O_NONBLOCK :
		    f->flags & ~(uint32_t)O_NONBLOCK;
		return (0);
	case FIONREAD:
		return (ioctl_pending(c, f));
	default:
		return (-ENOTTY);
	}
}

/* ---- size, sync, advice ---- */

int64_t
sys_ftruncate(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	if ((int64_t)c->a[1] < 0 || f->ops != &file_ops_regular ||
	    (f->flags & O_ACCMODE) == O_RDONLY)
		return (-EINVAL);
	return (sys_set_size(c, f->ip, c->a[1]));
}

int64_t
sys_fallocate(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL || (f->flags & O_ACCMODE) == O_RDONLY)
		return (-EBADF);
	if ((int64_t)c->a[2] < 0 || (int64_t)c->a[3] <= 0)
		return (-EINVAL);
	return (f->ops == &file_ops_regular ? -EOPNOTSUPP : -ENODEV);
}

int64_t
sys_fsync(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	if (f->ops == &file_ops_dir)
		return (0);
	if (f->ops != &file_ops_regular)
		return (-EINVAL);
	return (inode_sync(f->ip, true));
}

int64_t
sys_fdatasync(struct sysctx *c)
{
	return (sys_fsync(c));
}

int64_t
sys_sync_file_range(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	if (f->ops != &file_ops_regular)
		return (-ESPIPE);
	return (inode_sync(f->ip,
	    ((uint32_t)c->a[3] & SYNC_FILE_RANGE_WAIT_AFTER) != 0));
}

/* The syncer runs every half minute anyway; nobody waits for it here. */
int64_t
sys_sync(struct sysctx *c)
{
	return (0);
}

int64_t
sys_syncfs(struct sysctx *c)
{
	return (sys_file(c, c->a[0], false) == NULL ? -EBADF : 0);
}

int64_t
sys_fadvise64(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL)
		return (-EBADF);
	if (!f->ops->seekable)
		return (-ESPIPE);
	return (c->a[3] <= POSIX_FADV_NOREUSE && (int64_t)c->a[2] >= 0 ? 0 :
	    -EINVAL);
}

int64_t
sys_readahead(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);

	if (f == NULL || (f->flags & O_ACCMODE) == O_WRONLY)
		return (-EBADF);
	return (f->ops == &file_ops_regular ? 0 : -EINVAL);
}

/* ---- directories ---- */

struct dirent64_head {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
} __attribute__((packed));

/* Bytes of one record at buf, 0: does not fit. */
static size_t
put_dirent(uint8_t *buf, size_t room, const struct vfs_dirent *e, int64_t next)
{
	struct dirent64_head h;
	size_t n = strlen(e->name) + 1;
	size_t len = (sizeof(h) + n + 7) / 8 * 8;

	if (len > room)
		return (0);
	h.ino = e->ino;
	h.off = next;
	h.reclen = (uint16_t)len;
	h.type = e->type;
	memset(buf, 0, len);
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), e->name, n);
	return (len);
}

static int64_t
fill_dirents(struct sysctx *c, struct file *f, size_t room)
{
	uint8_t *buf = sys_buf(c, 0);
	uint64_t at = f->offset;
	size_t used = 0;
	int error;

	if (buf == NULL)
		return (-ENOMEM);
	if (room > SYSBUF_SIZE)
		room = SYSBUF_SIZE;
	for (; at < f->list.count; at++) {
		size_t n = put_dirent(buf + used, room - used,
		    &f->list.ent[at], (int64_t)at + 1);

		if (n == 0)
			break;
		used += n;
	}
	if (used == 0 && at < f->list.count)
		return (-EINVAL);
	error = sys_copyout(c, c->a[1], buf, used);
	if (error != 0)
		return (error);
	f->offset = at;
	return ((int64_t)used);
}

int64_t
sys_getdents64(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);
	int64_t ret = 0;

	if (f == NULL)
		return (-EBADF);
	if (f->ops != &file_ops_dir)
		return (-ENOTDIR);
	file_pos_lock(c, f);
	if (!f->listed) {
		ret = vfs_list(f->ip, &f->list);
		f->listed = ret == 0;
	}
	if (ret == 0)
		ret = fill_dirents(c, f, (uint32_t)c->a[2]);
	file_pos_unlock(c, f);
	return (ret);
}
