/*
 * Descriptors, open files and pipes below the system calls: sharing of
 * offsets, limits, references, what a pipe holds, threads that wait for the
 * other end, and that the last reference to a removed file frees its pages.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "unit/suite.h"
#include "unit/sys_rig.h"

static int64_t
open_file(rig *m, const char *path, int flags)
{
	return (CALL(m, SYS_openat, (uint64_t)AT_FDCWD, rig_str(m, path),
	    (uint64_t)flags, 0644));
}

/* Text written to and read back from guest memory. */
static int64_t
put(rig *m, int64_t fd, const char *s)
{
	return (CALL(m, SYS_write, (uint64_t)fd, rig_str(m, s), strlen(s)));
}

static int64_t
get(rig *m, int64_t fd, char *buf, uint64_t n)
{
	uint64_t at = rig_room(m, n);
	int64_t ret = CALL(m, SYS_read, (uint64_t)fd, at, n);

	memset(buf, 0, n + 1);
	if (ret > 0)
		rig_peek(m, at, buf, (uint64_t)ret);
	return (ret);
}

static void
numbers(rig *m)
{
	int64_t a, b;

	/* the smallest free number, above the standard three */
	a = open_file(m, "/dev/null", O_RDWR);
	b = open_file(m, "/dev/zero", O_RDONLY);
	ck_assert_int_eq(a, 3);
	ck_assert_int_eq(b, 4);
	ck_assert_int_eq(CALL(m, SYS_close, 3), 0);
	ck_assert_int_eq(CALL(m, SYS_close, 3), -EBADF);
	ck_assert_int_eq(CALL(m, SYS_dup, 4), 3);
	ck_assert_int_eq(CALL(m, SYS_dup2, 4, 700), 700);
	ck_assert_int_eq(CALL(m, SYS_fcntl, 4, F_DUPFD, 500), 500);
	ck_assert_int_eq(CALL(m, SYS_fcntl, 4, F_DUPFD, 5000), -EINVAL);
	ck_assert_int_eq(CALL(m, SYS_dup2, 4, 5000), -EBADF);
	ck_assert_int_eq(CALL(m, SYS_dup2, 99, 5), -EBADF);
	ck_assert_int_eq(CALL(m, SYS_close_range, 400, ~0u, 0), 0);
	ck_assert_int_eq(CALL(m, SYS_close, 700), -EBADF);
	ck_assert_int_eq(fd_next(m->p.fds, 2), 3);
	ck_assert_int_eq(fd_next(m->p.fds, 4), -1);
	/* a full table */
	m->p.rlim_cur[RLIMIT_NOFILE] = 6;
	ck_assert_int_eq(CALL(m, SYS_dup, 4), 5);
	ck_assert_int_eq(CALL(m, SYS_dup, 4), -EMFILE);
	ck_assert_int_eq(open_file(m, "/dev/null", O_RDWR), -EMFILE);
	ck_assert_int_eq(CALL(m, SYS_pipe2, rig_room(m, 8), 0), -EMFILE);
	ck_assert_int_eq(fd_next(m->p.fds, 5), -1);
}

START_TEST(numbers_are_the_smallest_free)
{
	rig_test(NULL, numbers);
}
END_TEST

static void
offsets(rig *m)
{
	int64_t fd, other, again;
	struct fdtable *copy;
	char buf[16];

	fd = open_file(m, "/tmp/f", O_RDWR | O_CREAT);
	ck_assert_int_eq(put(m, fd, "0123456789"), 10);
	other = open_file(m, "/tmp/f", O_RDONLY);
	again = CALL(m, SYS_dup, (uint64_t)fd);
	ck_assert_int_eq(CALL(m, SYS_lseek, (uint64_t)fd, 4, SEEK_SET), 4);
	ck_assert_int_eq(get(m, again, buf, 2), 2);
	ck_assert_str_eq(buf, "45");
	ck_assert_int_eq(get(m, fd, buf, 2), 2);
	ck_assert_str_eq(buf, "67");
	ck_assert_int_eq(get(m, other, buf, 2), 2);
	ck_assert_str_eq(buf, "01");
	/* as fork does it: the copy shares the open file */
	copy = fdtable_copy(m->p.fds);
	ck_assert_ptr_eq(fd_get(copy, (int)fd), fd_get(m->p.fds, (int)fd));
	ck_assert_int_eq(fd_get(copy, (int)fd)->refs, 4);
	fdtable_free(copy);
	ck_assert_int_eq(fd_get(m->p.fds, (int)fd)->refs, 2);
}

START_TEST(duplicates_share_an_offset)
{
	rig_test(NULL, offsets);
}
END_TEST

static void
on_exec(rig *m)
{
	int64_t a = open_file(m, "/dev/null", O_RDWR | O_CLOEXEC);
	int64_t b = open_file(m, "/dev/null", O_RDWR);

	ck_assert(fd_cloexec(m->p.fds, (int)a));
	ck_assert(!fd_cloexec(m->p.fds, (int)b));
	ck_assert_int_eq(CALL(m, SYS_fcntl, (uint64_t)b, F_SETFD, FD_CLOEXEC),
	    0);
	ck_assert_int_eq(CALL(m, SYS_dup, (uint64_t)b), 5);
	fd_close_on_exec(m->p.fds);
	ck_assert_ptr_null(fd_get(m->p.fds, (int)a));
	ck_assert_ptr_null(fd_get(m->p.fds, (int)b));
	ck_assert_ptr_nonnull(fd_get(m->p.fds, 5));
}

START_TEST(close_on_exec)
{
	rig_test(NULL, on_exec);
}
END_TEST

static void
random_is_seeded(rig *m)
{
	static const uint8_t zero[16];
	uint8_t a[16], b[16];
	uint64_t at = rig_room(m, 16);
	int64_t fd = open_file(m, "/dev/urandom", O_RDONLY);

	ck_assert_int_eq(CALL(m, SYS_read, (uint64_t)fd, at, 16), 16);
	rig_peek(m, at, a, 16);
	ck_assert_int_eq(CALL(m, SYS_getrandom, at, 16, 0), 16);
	rig_peek(m, at, b, 16);
	ck_assert_int_ne(memcmp(a, b, 16), 0);
	ck_assert_int_ne(memcmp(a, zero, 16), 0);
	/* the stream of this seed, whatever the machine */
	ck_assert_uint_eq(a[0], m->p.arg_start & 0xff);
	ck_assert_uint_eq(b[15], m->p.arg_start >> 8);
}

static void
random_body(rig *m)
{
	struct sim_rng rng;
	uint8_t want[32];

	sim_rng_init(&rng, 1, "guest-random");
	for (int i = 0; i < 4; i++) {
		uint64_t v = sim_rng_next(&rng);

		for (int k = 0; k < 8; k++)
			want[8 * i + k] = (uint8_t)(v >> (8 * k));
	}
	m->p.arg_start = want[0] | (uint64_t)want[31] << 8;
	random_is_seeded(m);
}

START_TEST(random_bytes_come_from_the_seed)
{
	rig_test(NULL, random_body);
}
END_TEST

/* ---- pipes ---- */

static void
make_pipe(rig *m, int fd[2])
{
	uint64_t at = rig_room(m, 8);

	ck_assert_int_eq(CALL(m, SYS_pipe2, at, 0), 0);
	rig_peek(m, at, fd, 8);
}

/* Where the pages of a pipe are filled from and to, the oldest first. */
struct pages {
	uint64_t from[PIPE_SIZE / PAGE_SIZE], to[PIPE_SIZE / PAGE_SIZE];
	int n;
};

/* How much of n bytes goes in: the odd ones behind what is in the last page
 * if they fit there, the others into pages of their own. */
static int64_t
pages_write(struct pages *p, uint64_t n)
{
	uint64_t odd = n % PAGE_SIZE, done = 0;

	if (odd != 0 && p->n > 0 && p->to[p->n - 1] + odd <= PAGE_SIZE) {
		p->to[p->n - 1] += odd;
		done = odd;
	}
	while (done < n && p->n < (int)(PIPE_SIZE / PAGE_SIZE)) {
		p->from[p->n] = 0;
		p->to[p->n] = n - done < PAGE_SIZE ? n - done : PAGE_SIZE;
		done += p->to[p->n++];
	}
	return (done == 0 && n != 0 ? -EAGAIN : (int64_t)done);
}

static void
pages_read(struct pages *p, uint64_t n)
{
	while (n > 0) {
		uint64_t k = p->to[0] - p->from[0];

		if (n < k) {
			p->from[0] += n;
			return;
		}
		n -= k;
		p->n--;
		memmove(p->from, p->from + 1, sizeof(p->from[0]) *
		    (size_t)p->n);
		memmove(p->to, p->to + 1, sizeof(p->to[0]) * (size_t)p->n);
	}
}

/*
 * Random writes and reads against a plain buffer: nothing is lost, doubled
 * or reordered, whatever the sizes; how much goes in is decided by pages.
 */
static void
pipe_contents(rig *m)
{
	struct pages pages = { .n = 0 };
	uint8_t *model = malloc(1 << 20), *got = malloc(1 << 17);
	uint64_t head = 0, tail = 0, at = rig_room(m, 1 << 17);
	struct sim_rng rng;
	int fd[2];

	sim_rng_init(&rng, 7, "test-fd");
	make_pipe(m, fd);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(CALL(m, SYS_fcntl, (uint64_t)fd[i], F_SETFL,
		    O_NONBLOCK), 0);
	for (int i = 0; i < 400 && tail < (1 << 20) - 70000; i++) {
		uint64_t n = sim_rng_below(&rng, i % 3 == 0 ? 70000 : 5000);
		int64_t ret;

		for (uint64_t k = 0; k < n; k++)
			model[tail + k] = (uint8_t)sim_rng_next(&rng);
		rig_poke(m, at, model + tail, n);
		ret = CALL(m, SYS_write, (uint64_t)fd[1], at, n);
		ck_assert_int_eq(ret, pages_write(&pages, n));
		tail += ret > 0 ? (uint64_t)ret : 0;
		n = 1 + sim_rng_below(&rng, 70000);
		ret = CALL(m, SYS_read, (uint64_t)fd[0], at, n);
		if (tail == head) {
			ck_assert_int_eq(ret, -EAGAIN);
			continue;
		}
		ck_assert_int_eq(ret, n < tail - head ? (int64_t)n :
		    (int64_t)(tail - head));
		rig_peek(m, at, got, (uint64_t)ret);
		ck_assert_int_eq(memcmp(got, model + head, (size_t)ret), 0);
		pages_read(&pages, (uint64_t)ret);
		head += (uint64_t)ret;
	}
	ck_assert_uint_gt(tail, 500000);
	free(model);
	free(got);
}

START_TEST(pipes_keep_order_and_count)
{
	rig_test(NULL, pipe_contents);
}
END_TEST

/* A second thread of the process, with registers of its own. */
struct second {
	rig *m;
	struct uthread t;
	struct cpu_context ctx;
	uint64_t call[7]; /* number, arguments */
	int64_t ret;
	sim_time_t began, ended;
	bool done;
};

static void
second_main(void *arg)
{
	struct second *s = arg;
	struct cpu_regs *r = &s->ctx.regs;

	s->began = sim_now(s->m->sim);
	r->rip = 0x401002;
	r->r[R_RSP] = RIG_SCRATCH + RIG_SCRATCH_SIZE / 2;
	r->r[R_RAX] = s->call[0];
	r->r[R_RDI] = s->call[1];
	r->r[R_RSI] = s->call[2];
	r->r[R_RDX] = s->call[3];
	r->r[R_R10] = s->call[4];
	r->r[R_R8] = s->call[5];
	r->r[R_R9] = s->call[6];
	syscall_dispatch(s->m, &s->t);
	s->ret = (int64_t)r->r[R_RAX];
	s->ended = sim_now(s->m->sim);
	s->done = true;
	sim_wakeup(s->m->sim, s);
	TAILQ_REMOVE(&s->m->p.threads, &s->t, link);
	vm_thread_free(s->m->vm, s->t.td);
	sim_thread_exit(s->m->sim);
}

static void
second_start(rig *m, struct second *s, int number, uint64_t a, uint64_t b,
    uint64_t c)
{
	memset(s, 0, sizeof(*s));
	s->m = m;
	s->t.p = &m->p;
	s->t.tid = 101;
	s->t.ctx = &s->ctx;
	s->call[0] = (uint64_t)number;
	s->call[1] = a;
	s->call[2] = b;
	s->call[3] = c;
	TAILQ_INSERT_TAIL(&m->p.threads, &s->t, link);
	s->t.st = sim_thread_create(m->sim, "second", 160, second_main, s);
	s->t.td = vm_thread_new(m->vm, m->p.proc, 101, s->t.st);
	/* let it run into its wait */
	(void)sim_sleep(m->sim, &s->call, 160, "start", sim_us(m->sim, 50));
}

static void
second_wait(struct second *s)
{
	while (!s->done)
		(void)sim_sleep(s->m->sim, s, 160, "second", SIM_NO_TIMEOUT);
}

static void
waiting_reader(rig *m)
{
	struct second s;
	uint64_t at = rig_room(m, 64);
	int fd[2];
	char buf[8];

	make_pipe(m, fd);
	second_start(m, &s, SYS_read, (uint64_t)fd[0], at, 64);
	ck_assert(!s.done);
	ck_assert_str_eq(sim_thread_wmesg(s.t.st), "piperd");
	ck_assert_int_eq(put(m, fd[1], "hello"), 5);
	second_wait(&s);
	ck_assert_int_eq(s.ret, 5);
	rig_peek(m, at, buf, 5);
	ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
	/* the end of the writer ends the wait */
	second_start(m, &s, SYS_read, (uint64_t)fd[0], at, 64);
	ck_assert(!s.done);
	ck_assert_int_eq(CALL(m, SYS_close, (uint64_t)fd[1]), 0);
	second_wait(&s);
	ck_assert_int_eq(s.ret, 0);
}

START_TEST(a_reader_waits_for_the_writer)
{
	rig_test(NULL, waiting_reader);
}
END_TEST

static void
waiting_writer(rig *m)
{
	uint64_t at = rig_room(m, 200000);
	struct second s;
	struct file *f;
	int fd[2];

	make_pipe(m, fd);
	second_start(m, &s, SYS_write, (uint64_t)fd[1], at, 150000);
	ck_assert(!s.done);
	f = fd_get(m->p.fds, fd[0]);
	ck_assert_uint_eq(f->ops->pending(f), PIPE_SIZE);
	for (int left = 150000; left > 0;) {
		int64_t n = CALL(m, SYS_read, (uint64_t)fd[0], at, 50000);

		ck_assert_int_gt(n, 0);
		left -= (int)n;
		(void)sim_yield(m->sim);
	}
	second_wait(&s);
	ck_assert_int_eq(s.ret, 150000);
	/* the reader goes away in the middle: SIGPIPE, and what was done */
	second_start(m, &s, SYS_write, (uint64_t)fd[1], at, 150000);
	ck_assert_int_eq(CALL(m, SYS_close, (uint64_t)fd[0]), 0);
	second_wait(&s);
	ck_assert_int_eq(s.ret, PIPE_SIZE);
	ck_assert_int_eq(CALL(m, SYS_write, (uint64_t)fd[1], at, 1), -EPIPE);
	ck_assert(signal_pending(&m->t));
}

START_TEST(a_writer_waits_for_room)
{
	rig_test(NULL, waiting_writer);
}
END_TEST

static void
interrupted(rig *m)
{
	const struct ksiginfo usr1 = { .signo = SIGUSR1 };
	uint64_t at = rig_room(m, 64), act[4] = { 0x402000, 0, 0, 0 };
	struct second s;
	int fd[2];

	ck_assert_int_eq(CALL(m, SYS_rt_sigaction, SIGUSR1,
	    rig_put(m, act, sizeof(act)), 0, 8), 0);
	make_pipe(m, fd);
	second_start(m, &s, SYS_read, (uint64_t)fd[0], at, 64);
	ck_assert(!s.done);
	/* another thread's signal does not wake it, its own does */
	ck_assert_int_eq(signal_send(&m->p, m->t.tid, &usr1), 0);
	(void)sim_sleep(m->sim, &act, 160, "wait", sim_us(m->sim, 50));
	ck_assert(!s.done);
	ck_assert_int_eq(signal_send(&m->p, 101, &usr1), 0);
	second_wait(&s);
	ck_assert_int_eq(s.ret, -EINTR);
	ck_assert_int_eq(s.t.sig.restart, ERESTARTSYS);
	ck_assert_int_eq(s.t.sig.restart_number, SYS_read);
}

START_TEST(a_signal_ends_a_wait)
{
	rig_test(NULL, interrupted);
}
END_TEST

static void
polling(rig *m)
{
	struct pollfd pfd;
	struct second s;
	uint64_t at;
	int fd[2], other[2];

	make_pipe(m, fd);
	pfd = (struct pollfd){ fd[0], POLLIN, 0 };
	at = rig_put(m, &pfd, sizeof(pfd));
	second_start(m, &s, SYS_poll, at, 1, (uint64_t)-1);
	ck_assert(!s.done);
	ck_assert_uint_eq(m->ss->pollers, 1);
	/* what happens elsewhere wakes nobody: he may be swapped out */
	make_pipe(m, other);
	ck_assert_int_eq(put(m, other[1], "x"), 1);
	ck_assert_ptr_nonnull(sim_thread_channel(s.t.st));
	ck_assert_int_eq(put(m, fd[1], "x"), 1);
	ck_assert_ptr_null(sim_thread_channel(s.t.st));
	second_wait(&s);
	ck_assert_int_eq(s.ret, 1);
	rig_peek(m, at, &pfd, sizeof(pfd));
	ck_assert_int_eq(pfd.revents, POLLIN);
	ck_assert_uint_eq(m->ss->pollers, 0);
	/* with a limit, in simulated time */
	pfd = (struct pollfd){ fd[1], 0, 0 };
	at = rig_put(m, &pfd, sizeof(pfd));
	second_start(m, &s, SYS_poll, at, 1, 25);
	second_wait(&s);
	ck_assert_int_eq(s.ret, 0);
	ck_assert_uint_ge(s.ended - s.began, sim_us(m->sim, 25000));
	ck_assert_uint_lt(s.ended - s.began, sim_us(m->sim, 26000));
}

START_TEST(poll_waits_for_a_change)
{
	rig_test(NULL, polling);
}
END_TEST

static void
fifo_open_waits(rig *m)
{
	uint64_t name = rig_str(m, "/tmp/fifo");
	struct second s;
	int64_t fd;
	char buf[8];

	ck_assert_int_eq(CALL(m, SYS_mknod, name, S_IFIFO | 0600, 0), 0);
	second_start(m, &s, SYS_open, name, O_WRONLY, 0);
	ck_assert(!s.done);
	fd = open_file(m, "/tmp/fifo", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	second_wait(&s);
	ck_assert_int_ge(s.ret, 0);
	ck_assert_int_eq(put(m, s.ret, "abc"), 3);
	ck_assert_int_eq(get(m, fd, buf, 7), 3);
	ck_assert_str_eq(buf, "abc");
}

START_TEST(a_fifo_waits_for_its_other_end)
{
	rig_test(NULL, fifo_open_waits);
}
END_TEST

static void
futexes(rig *m)
{
	const uint32_t five = 5;
	uint64_t word = rig_put(m, &five, 4);
	struct second s;

	second_start(m, &s, SYS_futex, word, 0 /* WAIT */, 5);
	ck_assert(!s.done);
	ck_assert_int_eq(CALL(m, SYS_futex, word + 64, 1, 1), 0);
	ck_assert(!s.done);
	ck_assert_int_eq(CALL(m, SYS_futex, word, 1 /* WAKE */, 1), 1);
	second_wait(&s);
	ck_assert_int_eq(s.ret, 0);
	ck_assert_int_eq(CALL(m, SYS_futex, word, 1, 1), 0);
	second_start(m, &s, SYS_futex, word, 0, 6);
	second_wait(&s);
	ck_assert_int_eq(s.ret, -EAGAIN);
	/* moved to another word, woken there */
	second_start(m, &s, SYS_futex, word, 0, 5);
	ck_assert_int_eq(CALL(m, SYS_futex, word, 4 /* CMP_REQUEUE */, 0, 1,
	    word + 64, 5), 1);
	ck_assert_int_eq(CALL(m, SYS_futex, word, 1, 1), 0);
	ck_assert_int_eq(CALL(m, SYS_futex, word + 64, 1, 1), 1);
	second_wait(&s);
	ck_assert_int_eq(s.ret, 0);
}

START_TEST(futexes_wake_waiters)
{
	rig_test(NULL, futexes);
}
END_TEST

/* ---- files that are removed while in use ---- */

static void
removed(rig *m)
{
	uint64_t total, all, left, inodes, map, before, at;
	int64_t fd = open_file(m, "/tmp/gone", O_RDWR | O_CREAT);
	char page[PAGE_SIZE] = "page", buf[8];

	at = rig_put(m, page, sizeof(page));
	before = vm_stat(m->vm, "v_free_count");
	vfs_space(m->vfs, &total, &all, &inodes);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(CALL(m, SYS_write, (uint64_t)fd, at,
		    sizeof(page)), PAGE_SIZE);
	map = (uint64_t)CALL(m, SYS_mmap, 0, PAGE_SIZE, 1, 2, (uint64_t)fd,
	    0);
	ck_assert_int_eq(CALL(m, SYS_unlink, rig_str(m, "/tmp/gone")), 0);
	ck_assert_int_eq(open_file(m, "/tmp/gone", O_RDONLY), -ENOENT);
	ck_assert_int_eq(CALL(m, SYS_lseek, (uint64_t)fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(get(m, fd, buf, 4), 4);
	ck_assert_str_eq(buf, "page");
	ck_assert_int_eq(CALL(m, SYS_close, (uint64_t)fd), 0);
	/* still mapped: still there */
	rig_peek(m, map, buf, 4);
	ck_assert_int_eq(memcmp(buf, "page", 4), 0);
	vfs_space(m->vfs, &total, &left, &inodes);
	ck_assert_uint_lt(left, all);
	ck_assert_uint_lt(vm_stat(m->vm, "v_free_count"), before - 40);
	ck_assert_int_eq(CALL(m, SYS_munmap, map, PAGE_SIZE), 0);
	/* now nobody knows it: its room and its pages are free */
	vfs_space(m->vfs, &total, &left, &inodes);
	ck_assert_uint_eq(left, all);
	ck_assert_uint_ge(vm_stat(m->vm, "v_free_count"), before - 5);
}

START_TEST(a_removed_file_lives_as_long_as_it_is_used)
{
	rig_test(NULL, removed);
}
END_TEST

/* More files than vmsim keeps open on the host. */
static void
many_files(rig *m)
{
	char name[64], buf[8];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			int64_t fd;

			snprintf(name, sizeof(name), "f%d", i);
			fd = open_file(m, rig_path(m, name), O_RDONLY);
			ck_assert_int_ge(fd, 0);
			ck_assert_int_eq(get(m, fd, buf, 7),
			    (int64_t)strlen(name));
			ck_assert_str_eq(buf, name);
			CALL(m, SYS_close, (uint64_t)fd);
		}
	}
}

START_TEST(host_descriptors_are_not_exhausted)
{
	static const struct vfs_config none;
	rig *m = rig_kernel(2048, 1 << 20);
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		rig_host_file(m, name, name);
	}
	rig_tree(m, &none);
	rig_run(m, many_files);
	rig_free(m);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { numbers_are_the_smallest_free,
		duplicates_share_an_offset, close_on_exec,
		random_bytes_come_from_the_seed, pipes_keep_order_and_count,
		a_reader_waits_for_the_writer, a_writer_waits_for_room,
		a_signal_ends_a_wait, poll_waits_for_a_change,
		a_fifo_waits_for_its_other_end, futexes_wake_waiters,
		a_removed_file_lives_as_long_as_it_is_used,
		host_descriptors_are_not_exhausted };

	return (SUITE_MAIN("fd", tests));
}
