/*
 * splice.c: moving data between pipes, and between a pipe and a file.
 *
 * Interface: sys_splice, sys_tee, sys_vmsplice of sim/syscall_table.h. Source:
 * splice(2), tee(2), vmsplice(2), Linux 6.1 fs/splice.c. Differences: data is
 * copied; so pages that vmsplice has put into a pipe do not change any more
 * when the caller writes to them.
 */
#include <fcntl.h>
#include <string.h>

#include "sim/syscall_int.h"

#define SPLICE_FLAGS 15u
#define SPLICE_NONBLOCK 2u

struct splice {
	struct file *in, *out;
	vm_offset_t in_va, out_va; /* offsets given by pointer; 0: the file's */
	uint64_t off; /* in the file that is no pipe */
	uint64_t left;
	bool nonblock;
};

/* Page by page, as far as there is something on one side and room on the
 * other. */
static int64_t
pipe_to_pipe(struct sysctx *c, struct splice *s)
{
	const uint8_t *data;
	int64_t done = 0;
	int error;
	size_t n;

	while (done == 0) {
		error = pipe_wait_data(c, s->in, s->nonblock);
		if (error <= 0)
			return (error);
		error = pipe_wait_room(c, s->out, s->nonblock);
		if (error != 0)
			return (error);
		while (s->left != 0 && pipe_room(s->out) != 0 &&
		    (n = pipe_page_bytes(s->in, 0, &data)) != 0) {
			n = n < s->left ? n : s->left;
			pipe_add_page(s->out, data, n);
			pipe_consume(s->in, n);
			s->left -= n;
			done += (int64_t)n;
		}
	}
	return (done);
}

/* One page, or an error of the file's. */
static ssize_t
page_to_file(struct sysctx *c, struct splice *s)
{
	uint8_t *buf = sys_buf(c, 0);
	const uint8_t *data;
	ssize_t put = 0;
	size_t n;

	if (buf == NULL)
		return (-ENOMEM);
	pipe_hold(c, s->in);
	n = pipe_page_bytes(s->in, 0, &data);
	n = n < s->left ? n : s->left;
	if (n != 0) {
		/* the write may sleep, and the pipe be given another size */
		memcpy(buf, data, n);
		put = s->out->ops->write(c, s->out, buf, n, s->off);
	}
	if (put > 0)
		pipe_consume(s->in, (size_t)put);
	pipe_release(c, s->in);
	return (put);
}

static int64_t
pipe_to_file(struct sysctx *c, struct splice *s)
{
	int64_t done = 0;

	while (s->left != 0) {
		ssize_t put = done != 0 && signal_pending(c->t) ? 0 :
		    pipe_wait_data(c, s->in, s->nonblock || done != 0);

		if (put > 0)
			put = page_to_file(c, s);
		if (put <= 0)
			return (done != 0 ? done : put);
		s->off += (uint64_t)put;
		s->left -= (uint64_t)put;
		done += put;
	}
	return (done);
}

static int64_t
file_to_pipe(struct sysctx *c, struct splice *s)
{
	uint8_t *buf = sys_buf(c, 0);
	int64_t done = 0;
	ssize_t got;
	size_t n;
	int error;

	if (buf == NULL)
		return (-ENOMEM);
	error = pipe_wait_room(c, s->out, s->nonblock);
	if (error != 0)
		return (error);
	while (s->left != 0 && pipe_room(s->out) != 0) {
		/* pages of the pipe stand for pages of the file */
		n = PAGE_SIZE - (s->in->ops->seekable ? s->off & PAGE_MASK : 0);
		n = n < s->left ? n : s->left;
		got = s->in->ops->read(c, s->in, buf, n, s->off);
		if (got <= 0)
			return (done != 0 ? done : got);
		/* others may have filled it while the read slept */
		error = pipe_wait_room(c, s->out, s->nonblock);
		if (error != 0)
			return (done != 0 ? done : error);
		pipe_add_page(s->out, buf, (size_t)got);
		s->off += (uint64_t)got;
		s->left -= (uint64_t)got;
		done += got;
		if ((size_t)got < n || !s->in->ops->seekable)
			break;
	}
	return (done);
}

/* ---- splice ---- */

static int
splice_files(struct sysctx *c, struct splice *s)
{
	s->in = sys_file(c, c->a[0], false);
	s->out = s->in != NULL ? sys_file(c, c->a[2], false) : NULL;
	if (s->out == NULL || (s->in->flags & O_ACCMODE) == O_WRONLY ||
	    (s->out->flags & O_ACCMODE) == O_RDONLY)
		return (-EBADF);
	s->in_va = c->a[1];
	s->out_va = c->a[3];
	s->left = c->a[4] < INT32_MAX ? c->a[4] : INT32_MAX;
	s->nonblock = (c->a[5] & SPLICE_NONBLOCK) != 0;
	if ((file_is_pipe(s->in) && s->in_va != 0) ||
	    (file_is_pipe(s->out) && s->out_va != 0))
		return (-ESPIPE);
	return (0);
}

/* With the file's own offset, or the caller's. */
static int64_t
splice_at(struct sysctx *c, struct splice *s, struct file *f, vm_offset_t va,
    int64_t (*move)(struct sysctx *c, struct splice *s))
{
	bool own = f->ops->seekable && va == 0;
	int64_t done;
	int error;

	if (va != 0) {
		if (!f->ops->seekable)
			return (-EINVAL);
		error = sys_copyin(c, va, &s->off, sizeof(s->off));
		if (error != 0)
			return (error);
		if ((int64_t)s->off < 0)
			return (-EINVAL);
	}
	if (own) {
		file_pos_lock(c, f);
		s->off = f->offset;
	}
	done = move(c, s);
	if (own) {
		if (done > 0)
			f->offset = s->off;
		file_pos_unlock(c, f);
	} else if (done > 0 && va != 0) {
		error = sys_copyout(c, va, &s->off, sizeof(s->off));
		if (error != 0)
			return (error);
	}
	return (done);
}

int64_t
sys_splice(struct sysctx *c)
{
	struct splice s = { 0 };
	bool in, out;
	int error;

	if (c->a[4] == 0)
		return (0);
	if ((uint32_t)c->a[5] & ~SPLICE_FLAGS)
		return (-EINVAL);
	error = splice_files(c, &s);
	if (error != 0)
		return (error);
	in = file_is_pipe(s.in);
	out = file_is_pipe(s.out);
	if (in && out) {
		s.nonblock |= ((s.in->flags | s.out->flags) & O_NONBLOCK) != 0;
		return (s.in->pipe == s.out->pipe ? -EINVAL :
		    pipe_to_pipe(c, &s));
	}
	if (in) {
		if ((s.out->flags & O_APPEND) || s.out->ops->write == NULL)
			return (-EINVAL);
		return (splice_at(c, &s, s.out, s.out_va, pipe_to_file));
	}
	if (!out || s.in->ops->read == NULL)
		return (-EINVAL);
	s.nonblock |= (s.out->flags & O_NONBLOCK) != 0;
	return (splice_at(c, &s, s.in, s.in_va, file_to_pipe));
}

/* ---- tee ---- */

int64_t
sys_tee(struct sysctx *c)
{
	struct file *in = sys_file(c, c->a[0], false), *out;
	bool nonblock = (c->a[3] & SPLICE_NONBLOCK) != 0;
	uint64_t left = c->a[2];
	const uint8_t *data;
	int64_t done = 0;
	int error;
	size_t n;

	if ((uint32_t)c->a[3] & ~SPLICE_FLAGS)
		return (-EINVAL);
	if (left == 0)
		return (0);
	out = in != NULL ? sys_file(c, c->a[1], false) : NULL;
	if (out == NULL || (in->flags & O_ACCMODE) == O_WRONLY ||
	    (out->flags & O_ACCMODE) == O_RDONLY)
		return (-EBADF);
	if (!file_is_pipe(in) || !file_is_pipe(out) || in->pipe == out->pipe)
		return (-EINVAL);
	nonblock |= ((in->flags | out->flags) & O_NONBLOCK) != 0;
	error = pipe_wait_data(c, in, nonblock);
	if (error <= 0)
		return (error);
	error = pipe_wait_room(c, out, nonblock);
	if (error != 0)
		return (error);
	for (uint32_t i = 0; left != 0 && pipe_room(out) != 0 &&
	    (n = pipe_page_bytes(in, i, &data)) != 0; i++) {
		n = n < left ? n : left;
		pipe_add_page(out, data, n);
		left -= n;
		done += (int64_t)n;
	}
	return (done);
}

/* ---- vmsplice ---- */

static int64_t
user_to_pipe(struct sysctx *c, struct file *f, struct uio *u, bool nonblock)
{
	uint8_t *buf = sys_buf(c, 0);
	int64_t done = 0;
	int error;

	if (buf == NULL)
		return (-ENOMEM);
	error = pipe_wait_room(c, f, nonblock);
	if (error != 0)
		return (error);
	while (u->left != 0 && pipe_room(f) != 0) {
		ssize_t got = uio_copyin(c, u, buf, u->left < PAGE_SIZE ?
		    u->left : PAGE_SIZE);

		if (got < 0)
			return (done != 0 ? done : got);
		error = pipe_wait_room(c, f, nonblock);
		if (error != 0)
			return (done != 0 ? done : error);
		if (got != 0)
			pipe_add_page(f, buf, (size_t)got);
		done += got;
	}
	return (done);
}

int64_t
sys_vmsplice(struct sysctx *c)
{
	struct file *f = sys_file(c, c->a[0], false);
	bool nonblock = (c->a[3] & SPLICE_NONBLOCK) != 0;
	struct uio u;
	int error;

	if ((uint32_t)c->a[3] & ~SPLICE_FLAGS)
		return (-EINVAL);
	if (f == NULL || !file_is_pipe(f))
		return (-EBADF);
	error = uio_vector(c, &u, c->a[1], c->a[2]);
	if (error != 0 || u.left == 0)
		return (error);
	if ((f->flags & O_ACCMODE) != O_RDONLY)
		return (user_to_pipe(c, f, &u, nonblock));
	error = pipe_wait_data(c, f, nonblock);
	return (error <= 0 ? error : sys_readv(c));
}
