/*
 * A guest cannot crash or corrupt the simulator: random system calls with
 * random arguments, many of them plausible, in a small machine. The kernel's
 * structures are checked as it goes (and memory by the sanitizers, in the
 * builds that have them). The same seed gives the same answers.
 *
 * VMSIM_FUZZ_CALLS sets the number of calls for each seed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include "unit/suite.h"
#include "unit/sys_rig.h"

#define SEEDS 12

/* Ends the thread. */
static bool
is_left_out(uint64_t number)
{
	return (number == SYS_exit || number == SYS_exit_group);
}

struct fuzz {
	rig *m;
	struct sim_rng rng;
	uint64_t digest; /* of every answer */
	uint64_t names[8]; /* paths in guest memory */
	uint64_t calls;
	struct sim_event watchdog;
};

#define WATCHDOG_US 2000

/* A call that waits is killed: nobody else would end the wait. */
static void
watch(void *arg, sim_time_t when)
{
	struct fuzz *f = arg;
	rig *m = f->m;

	if (m->t.sig.interruptible || m->t.sig.killable) {
		m->p.kill_signal = SIGKILL;
		signal_wake_all(&m->p, true);
	}
	sim_event_at(m->sim, &f->watchdog, when + sim_us(m->sim,
	    WATCHDOG_US));
}

static uint64_t
pick(struct fuzz *f, uint64_t n)
{
	return (sim_rng_below(&f->rng, n));
}

static uint64_t
random_address(struct fuzz *f)
{
	static const uint64_t edges[] = { 0, 1, 0xfff, 0x1000, 0x10000,
		0x20000000, USER_MMAP_TOP - PAGE_SIZE, USER_MMAP_TOP,
		USER_VA_MAX - PAGE_SIZE, USER_VA_MAX, 0x7ffffffff000,
		0x8000000000000000, 0xffff800000000000, UINT64_MAX,
		UINT64_MAX - 4095 };

	switch (pick(f, 6)) {
	case 0:
		return (edges[pick(f, sizeof(edges) / sizeof(edges[0]))]);
	case 1:
		return (sim_rng_next(&f->rng));
	case 2: /* where maps go, whole pages */
		return (USER_MMAP_TOP - (1 + pick(f, 64)) * PAGE_SIZE);
	default:
		return (RIG_SCRATCH + pick(f, RIG_SCRATCH_SIZE + 100));
	}
}

static uint64_t
random_argument(struct fuzz *f)
{
	switch (pick(f, 8)) {
	case 0: /* a descriptor, a flag, a count */
		return (pick(f, 16));
	case 1:
		return (1ull << pick(f, 64));
	case 2:
		return (pick(f, 1 << 17));
	case 3:
		return ((uint64_t)-(int64_t)pick(f, 200));
	case 4:
		return (f->names[pick(f, 8)]);
	case 5:
		return (pick(f, 32) * PAGE_SIZE);
	default:
		return (random_address(f));
	}
}

/* Numbers, pointers to numbers: structures that are not all nonsense. */
static void
refill_scratch(struct fuzz *f)
{
	uint64_t block[64], at = RIG_SCRATCH + pick(f, 200) * 4096 + 8192;

	for (int i = 0; i < 64; i++)
		block[i] = pick(f, 3) == 0 ? sim_rng_next(&f->rng) :
		    pick(f, 2) == 0 ? pick(f, 100) : random_address(f);
	(void)vm_copyout(f->m->vm, f->m->p.vs, at, block, sizeof(block));
}

static void
put_names(struct fuzz *f)
{
	static const char *const names[8] = { "/tmp/a", "/tmp/d", "/tmp/d/x",
		"rel", "/proc/self/maps", "/dev/zero", "..", "/tmp/d/../f" };
	uint64_t at = RIG_SCRATCH + 64;

	for (int i = 0; i < 8; i++) {
		const uint16_t family = 1; /* of a socket's address */

		(void)vm_copyout(f->m->vm, f->m->p.vs, at - 2, &family, 2);
		(void)vm_copyout(f->m->vm, f->m->p.vs, at, names[i],
		    strlen(names[i]) + 1);
		f->names[i] = at;
		at += 64;
	}
}

/* Mostly the calls that do something; sometimes any number. */
static uint64_t
random_number(struct fuzz *f)
{
	static const uint16_t favoured[] = { SYS_read, SYS_write, SYS_open,
		SYS_close, SYS_mmap, SYS_mmap, SYS_mmap, SYS_munmap,
		SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_mlock,
		SYS_munlock, SYS_msync, SYS_mincore, SYS_ftruncate, SYS_lseek,
		SYS_pread64, SYS_pwrite64, SYS_writev, SYS_readv, SYS_rename,
		SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink,
		SYS_pipe2, SYS_dup2, SYS_fcntl, SYS_rt_sigaction,
		SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
		SYS_kill, SYS_poll, SYS_getdents64, SYS_chdir, SYS_stat,
		SYS_socket, SYS_socketpair, SYS_bind, SYS_listen, SYS_connect,
		SYS_accept4, SYS_sendto, SYS_recvfrom, SYS_sendmsg,
		SYS_recvmsg, SYS_shutdown, SYS_setsockopt, SYS_eventfd2,
		SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_ctl,
		SYS_epoll_wait, SYS_timerfd_create, SYS_timerfd_settime,
		SYS_signalfd4, SYS_timer_create, SYS_timer_settime,
		SYS_timer_delete, SYS_semget, SYS_semop, SYS_semctl,
		SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_futex,
		SYS_close, SYS_close, SYS_fcntl };
	uint64_t n;

	do {
		n = pick(f, 3) != 0 ?
		    favoured[pick(f, sizeof(favoured) / sizeof(*favoured))] :
		    pick(f, 470);
	} while (is_left_out(n));
	return (n);
}

/* A descriptor below 16, a small structure of names or numbers. */
static void
shape_sources(struct fuzz *f, uint64_t number, uint64_t a[6])
{
	uint64_t name = f->names[pick(f, 8)] - 2;

	switch (number) {
	case SYS_socket:
	case SYS_socketpair:
		a[0] = pick(f, 9) == 0 ? a[0] : 1;
		a[1] = 1 + pick(f, 5) + (pick(f, 2) ? O_NONBLOCK : 0);
		a[2] = 0;
		break;
	case SYS_bind:
	case SYS_connect:
		a[0] = pick(f, 16);
		a[1] = name;
		a[2] = pick(f, 16);
		break;
	case SYS_sendto:
	case SYS_recvfrom:
		a[0] = pick(f, 16);
		a[2] = pick(f, 5000);
		a[3] = pick(f, 3) ? 0 : a[3];
		break;
	case SYS_epoll_ctl:
		a[0] = pick(f, 16);
		a[1] = 1 + pick(f, 3);
		a[2] = pick(f, 16);
		break;
	case SYS_epoll_wait:
		a[0] = pick(f, 16);
		a[2] = pick(f, 20);
		break;
	case SYS_semget:
		a[0] = pick(f, 4);
		a[1] = pick(f, 10);
		a[2] = 01000;
		break;
	case SYS_msgget:
		a[0] = pick(f, 4);
		a[1] = 01000;
		break;
	case SYS_semop:
	case SYS_semctl:
	case SYS_msgsnd:
	case SYS_msgrcv:
	case SYS_msgctl:
		a[0] = pick(f, 8);
		a[2] = pick(f, 20);
		break;
	default:
		break;
	}
}

/* Plausible arguments where random ones would seldom get past the checks. */
static void
shape_arguments(struct fuzz *f, uint64_t number, uint64_t a[6])
{
	switch (number) {
	case SYS_mmap:
		if (pick(f, 4) == 0)
			return;
		a[0] = pick(f, 2) ? 0 : random_address(f) & ~4095ull;
		a[1] = (1 + pick(f, 40)) * PAGE_SIZE;
		a[2] = pick(f, 8);
		a[3] = (1 + pick(f, 2)) | (pick(f, 2) ? 0x20 : 0) |
		    (pick(f, 3) == 0 ? 0x10 : 0) |
		    (pick(f, 9) == 0 ? 0x8000 : 0);
		a[4] = pick(f, 12);
		a[5] = pick(f, 4) * PAGE_SIZE;
		break;
	case SYS_open:
		a[0] = f->names[pick(f, 8)];
		a[1] = pick(f, 3) | (pick(f, 2) ? O_CREAT : 0) |
		    (pick(f, 8) == 0 ? O_TRUNC : 0) | O_NONBLOCK;
		break;
	case SYS_rename:
	case SYS_link:
	case SYS_symlink:
		a[0] = f->names[pick(f, 8)];
		a[1] = f->names[pick(f, 8)];
		break;
	case SYS_fcntl: /* the size of a pipe is the host's memory */
		a[2] = pick(f, 1 << 20);
		break;
	default:
		shape_sources(f, number, a);
		break;
	}
}

/* The test's own standard input and outputs are not for it. */
static bool
is_the_hosts(rig *m, const uint64_t a[6])
{
	const struct file *fd = fd_get(m->p.fds, (int)a[0]);

	return (fd != NULL && fd->host_fd >= 0);
}

static void
one_call(struct fuzz *f)
{
	rig *m = f->m;
	uint64_t number = random_number(f), a[6];
	int64_t ret;

	for (int i = 0; i < 6; i++)
		a[i] = random_argument(f);
	shape_arguments(f, number, a);
	if (is_the_hosts(m, a))
		return;
	if (number == SYS_rt_sigreturn || number == SYS_sigaltstack)
		m->ctx.regs.r[R_RSP] = random_address(f);
	ret = rig_call6(m, (int)number, a);
	f->digest = (f->digest ^ (uint64_t)ret ^ number) * 0x100000001b3ull;
	f->calls++;
	signal_deliver(&m->t);
	m->ctx.regs.r[R_RSP] = RIG_SCRATCH + RIG_SCRATCH_SIZE;
}

/* A process that died comes back, with the descriptors of a new one. */
static void
revive(struct fuzz *f)
{
	rig *m = f->m;
	vm_offset_t at = RIG_SCRATCH;
	struct vm_map_info mi;

	if (m->p.exiting || m->p.fds == NULL) {
		sigstate_free(&m->p);
		ck_assert_int_eq(sigstate_new(&m->p), 0);
		memset(&m->t.sig, 0, sizeof(m->t.sig));
		if (m->p.fds == NULL)
			m->p.fds = fdtable_new();
		m->p.exiting = m->t.exiting = false;
		m->p.kill_signal = 0;
	}
	for (int i = 0; i < RLIM_NLIMITS && i < 16; i++) {
		if (i != RLIMIT_NOFILE)
			m->p.rlim_cur[i] = UINT64_MAX;
	}
	m->p.rlim_cur[RLIMIT_NOFILE] = 64;
	m->p.mem->lock_future = false;
	/* too much locked memory would stop everything else */
	if (vm_map_locked(m->p.vs, 0, USER_VA_MAX) > 100 * PAGE_SIZE)
		(void)CALL(m, SYS_munlockall);
	(void)vm_munmap(m->vm, m->p.vs, RIG_SCRATCH, RIG_SCRATCH_SIZE);
	ck_assert_int_eq(vm_mmap(m->vm, m->p.vs, &at, RIG_SCRATCH_SIZE,
	    VM_PROT_READ | VM_PROT_WRITE, VM_PROT_ALL, VM_MAP_FIXED, NULL, 0),
	    0);
	put_names(f);
	/* and the address space is swept now and then */
	if (pick(f, 4) == 0) {
		at = RIG_SCRATCH + RIG_SCRATCH_SIZE;
		while (vm_map_info(m->p.vs, at, &mi)) {
			(void)vm_munmap(m->vm, m->p.vs, mi.start,
			    mi.end - mi.start);
			at = mi.end;
		}
	}
}

static uint64_t
wanted_calls(void)
{
	const char *s = getenv("VMSIM_FUZZ_CALLS");

	return (s != NULL ? strtoull(s, NULL, 10) : 4000);
}

static void
random_calls(rig *m)
{
	struct fuzz f = { .m = m, .digest = 0xcbf29ce484222325ull };
	uint64_t n = wanted_calls();

	sim_rng_init(&f.rng, m->p.arg_start, "test-sys-fuzz");
	sim_event_init(&f.watchdog, "watchdog", 0, watch, &f);
	sim_event_after(m->sim, &f.watchdog, sim_us(m->sim, WATCHDOG_US));
	for (uint64_t i = 0; i < n; i++) {
		if (i % 50 == 0 || m->t.exiting || m->p.fds == NULL)
			revive(&f);
		if (i % 8 == 0)
			refill_scratch(&f);
		one_call(&f);
		if (i % 500 == 499)
			vm_check_all(m->vm);
	}
	sim_event_cancel(m->sim, &f.watchdog);
	vm_check_all(m->vm);
	ck_assert_uint_gt(f.calls, n / 3);
	m->p.arg_end = f.digest;
	m->ctx.regs.r[R_RSP] = RIG_SCRATCH + RIG_SCRATCH_SIZE;
}

static uint64_t
run_seed(uint64_t rng_seed)
{
	static const struct vfs_config none;
	rig *m = rig_kernel(1024, 1 << 20);
	uint64_t digest;

	rig_host_file(m, "file", "contents of a file of the host\n");
	rig_tree(m, &none);
	m->p.arg_start = rng_seed;
	rig_run(m, random_calls);
	digest = m->p.arg_end;
	rig_free(m);
	return (digest);
}

START_TEST(random_calls_do_no_harm)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		(void)run_seed(seed);
}
END_TEST

START_TEST(random_calls_repeat)
{
	uint64_t a = run_seed(77), b = run_seed(77);

	ck_assert_uint_eq(a, b);
	ck_assert_uint_ne(a, run_seed(78));
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { random_calls_do_no_harm,
		random_calls_repeat };

	return (SUITE_MAIN("sys_fuzz", tests));
}
