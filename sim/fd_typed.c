/*
 * fd_typed.c: a file that somebody types: standard input of a program with a
 * think time. Each read gives at most one line, and not before the think time
 * since the line before has passed.
 *
 * Interface: typed_open of sim/fd.h. Source: a terminal in canonical mode
 * (termios(3)): a read returns a line, or what fits of it; the rest comes at
 * once. Differences: what is typed is not echoed, and poll says ready all the
 * time: the wait is the read's.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/syscall_int.h"

#define TYPED_PRI 105 /* TTIPRI of 4BSD: a long, interruptible wait */

/* Where the next read may begin, and where its line ends. */
static int
think(struct sysctx *c, struct file *f)
{
	sim_time_t now = sim_now(c->sim);
	int error = 0;

	if (f->typed_mid_line)
		return (0);
	if (f->typed_next == 0)
		f->typed_next = now + f->typed_think;
	while (now < f->typed_next && error != -ERESTARTSYS) {
		error = sys_sleep(c, f, TYPED_PRI, "ttyin",
		    f->typed_next - now);
		now = sim_now(c->sim);
	}
	return (now < f->typed_next ? error : 0);
}

static ssize_t
typed_read(struct sysctx *c, struct file *f, void *buf, size_t n,
    uint64_t off)
{
	const char *newline;
	ssize_t got;
	int error;

	(void)off;
	if (n == 0)
		return (0);
	error = think(c, f);
	if (error != 0)
		return (error);
	got = file_ops_regular.read(c, f, buf, n, f->offset);
	if (got <= 0)
		return (got);
	newline = memchr(buf, '\n', (size_t)got);
	if (newline != NULL)
		got = newline - (const char *)buf + 1;
	f->offset += (uint64_t)got;
	f->typed_mid_line = newline == NULL;
	if (newline != NULL)
		f->typed_next = sim_now(c->sim) + f->typed_think;
	return (got);
}

static void
typed_stat(struct file *f, struct vfs_stat *st)
{
	inode_stat(f->ip, st);
	st->mode = S_IFIFO | 0600;
}

static const struct file_ops file_ops_typed = {
	.name = "pipe",
	.read = typed_read,
	.stat = typed_stat,
};

int
typed_open(struct sysctx *c, struct inode *ip, uint64_t think_ns,
    struct file **out)
{
	struct file *f;

	if (!inode_is_regular(ip))
		return (file_open_inode(c, ip, O_RDONLY, out));
	f = file_new(c->ss, &file_ops_typed, O_RDONLY);
	if (f == NULL)
		return (-ENOMEM);
	inode_ref(ip);
	f->ip = ip;
	f->typed_think = sim_ns(c->sim, think_ns);
	*out = f;
	return (0);
}
