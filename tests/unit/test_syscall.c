/*
 * The system calls: the dispatcher and its registers, memory calls with
 * their corners, signal frames, limits, what the simulated machine says of
 * itself. What programs see is compared with the host by tests/native/guest;
 * here is what they cannot see.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "unit/suite.h"
#include "unit/sys_rig.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define NOFD ((uint64_t)-1)

static int64_t
map(rig *m, uint64_t at, uint64_t n, uint64_t prot, uint64_t flags)
{
	return (CALL(m, SYS_mmap, at, n, prot, flags, NOFD, 0));
}

/* ---- the dispatcher ---- */

static void
unknown_calls(rig *m)
{
	ck_assert_int_eq(CALL(m, 100000), -ENOSYS);
	ck_assert_int_eq(m->enosys_number, 100000);
	ck_assert_int_eq(CALL(m, -5), -ENOSYS);
	ck_assert_int_eq(CALL(m, SYS_rseq, 1, 2, 3), -ENOSYS);
	ck_assert_int_eq(CALL(m, SYS_openat2), -ENOSYS);
	ck_assert_int_eq(CALL(m, SYS_io_uring_setup), -ENOSYS);
	ck_assert_uint_eq(m->enosys, 5);
	/* without a machine that makes processes */
	ck_assert_int_eq(CALL(m, SYS_clone), -ENOSYS);
	ck_assert_int_eq(CALL(m, SYS_getpid), 100);
	ck_assert_uint_eq(m->enosys, 5);
	ck_assert_str_eq(syscall_name(SYS_read), "read");
	ck_assert_str_eq(syscall_name(SYS_rseq), "rseq");
	ck_assert_str_eq(syscall_name(SYS_io_uring_setup), "io_uring_setup");
	ck_assert_ptr_null(syscall_name(-1));
	ck_assert_ptr_null(syscall_name(400));
	ck_assert_ptr_null(syscall_name(100000));
}

START_TEST(unknown_calls_are_noted)
{
	rig_test(NULL, unknown_calls);
}
END_TEST

static void
registers(rig *m)
{
	struct cpu_regs *r = &m->ctx.regs, before;
	sim_time_t t0 = sim_now(m->sim);

	for (int i = 0; i < 16; i++)
		r->r[i] = 0x1111 * (uint64_t)i;
	r->r[R_RAX] = SYS_getpid;
	r->rip = 0x401002;
	r->rflags = 0x246;
	before = *r;
	syscall_dispatch(m, &m->t);
	ck_assert_uint_eq(r->r[R_RAX], 100);
	ck_assert_uint_eq(r->r[R_RCX], 0x401002);
	ck_assert_uint_eq(r->r[R_R11], 0x246);
	for (int i = 0; i < 16; i++) {
		if (i != R_RAX && i != R_RCX && i != R_R11)
			ck_assert_uint_eq(r->r[i], before.r[i]);
	}
	ck_assert_uint_eq(r->rip, before.rip);
	/* and it takes the time that the table says */
	ck_assert_uint_eq(sim_now(m->sim) - t0, vm_cost_syscall(m->vm));
}

START_TEST(registers_are_as_linux_leaves_them)
{
	rig_test(NULL, registers);
}
END_TEST

static void
threads_base(rig *m)
{
	uint64_t at = rig_room(m, 8), v;

	ck_assert_int_eq(CALL(m, SYS_arch_prctl, 0x1002, 0x7fff1234), 0);
	ck_assert_uint_eq(m->ctx.regs.fs_base, 0x7fff1234);
	ck_assert_int_eq(CALL(m, SYS_arch_prctl, 0x1003, at), 0);
	rig_peek(m, at, &v, 8);
	ck_assert_uint_eq(v, 0x7fff1234);
	ck_assert_int_eq(CALL(m, SYS_arch_prctl, 0x1002, 1ull << 60), -EPERM);
	ck_assert_int_eq(CALL(m, SYS_arch_prctl, 0x3001, 0), -EINVAL);
}

START_TEST(thread_pointer)
{
	rig_test(NULL, threads_base);
}
END_TEST

/* ---- memory ---- */

static void
growing_break(rig *m)
{
	const uint64_t start = 0x20000000;
	uint8_t byte = 7;

	ck_assert_int_eq(CALL(m, SYS_brk, 0), start);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 5000), start + 5000);
	rig_poke(m, start + 8191, &byte, 1); /* whole pages are there */
	ck_assert_int_eq(vm_copyout(m->vm, m->p.vs, start + 8192, &byte, 1),
	    EFAULT);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 100), start + 100);
	ck_assert_int_eq(vm_copyin(m->vm, m->p.vs, start + 4096, &byte, 1),
	    EFAULT);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 8192), start + 8192);
	rig_peek(m, start + 8191, &byte, 1);
	ck_assert_uint_eq(byte, 0);
	ck_assert_int_eq(CALL(m, SYS_brk, start - 1), start + 8192);
	ck_assert_int_eq(CALL(m, SYS_brk, UINT64_MAX), start + 8192);
	ck_assert_int_eq(map(m, start + 16384, 4096, RW, ANON | MAP_FIXED),
	    start + 16384);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 20000), start + 8192);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 16384), start + 16384);
	m->p.rlim_cur[RLIMIT_DATA] = 4096;
	ck_assert_int_eq(CALL(m, SYS_munmap, start + 16384, 4096), 0);
	ck_assert_int_eq(CALL(m, SYS_brk, start + 20480), start + 16384);
	ck_assert_int_eq(CALL(m, SYS_brk, start), start);
}

START_TEST(brk_grows_and_shrinks)
{
	rig_test(NULL, growing_break);
}
END_TEST

static void
maps_text(rig *m)
{
	char buf[4096], line[256];
	int64_t fd, n, file;
	uint64_t at, where;

	file = CALL(m, SYS_open, rig_str(m, "/tmp/mapped"), O_RDWR | O_CREAT,
	    0644);
	ck_assert_int_eq(CALL(m, SYS_ftruncate, (uint64_t)file, 9000), 0);
	where = (uint64_t)CALL(m, SYS_mmap, 0, 8192, PROT_READ, MAP_PRIVATE,
	    (uint64_t)file, 4096);
	ck_assert_int_eq(CALL(m, SYS_brk, 0x20000000 + 4096), 0x20001000);
	fd = CALL(m, SYS_open, rig_str(m, "/proc/self/maps"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	at = rig_room(m, sizeof(buf));
	n = CALL(m, SYS_read, (uint64_t)fd, at, sizeof(buf) - 1);
	ck_assert_int_gt(n, 0);
	rig_peek(m, at, buf, (uint64_t)n);
	buf[n] = '\0';
	snprintf(line, sizeof(line), "%08llx-%08llx r--p 00001000 08:01 ",
	    (unsigned long long)where, (unsigned long long)where + 8192);
	ck_assert_ptr_nonnull(strstr(buf, line));
	ck_assert_ptr_nonnull(strstr(buf, " /tmp/mapped\n"));
	ck_assert_ptr_nonnull(strstr(buf, "20000000-20001000 rw-p 00000000 "
	    "00:00 0                                  [heap]\n"));
	/* the program's own name */
	n = CALL(m, SYS_readlink, rig_str(m, "/proc/self/exe"), at, 100);
	ck_assert_int_eq(n, (int64_t)strlen(m->tmp));
	/* descriptors by name: the file itself, and a pipe */
	snprintf(line, sizeof(line), "/proc/self/fd/%d", (int)file);
	n = CALL(m, SYS_readlink, rig_str(m, line), at, 100);
	rig_peek(m, at, buf, (uint64_t)n);
	ck_assert_int_eq(strncmp(buf, "/tmp/mapped", (size_t)n), 0);
	n = CALL(m, SYS_readlink, rig_str(m, "/proc/self/fd/0"), at, 100);
	rig_peek(m, at, buf, (uint64_t)n);
	ck_assert_int_eq(strncmp(buf, "pipe:[1]", (size_t)n), 0);
	ck_assert_int_eq(CALL(m, SYS_readlink,
	    rig_str(m, "/proc/self/fd/77"), at, 100), -ENOENT);
	ck_assert_int_eq(CALL(m, SYS_open, rig_str(m, "/dev/tty"), O_RDWR),
	    -ENXIO);
}

START_TEST(proc_tells_the_simulated_process)
{
	rig_test(NULL, maps_text);
}
END_TEST

static void
locked_memory(rig *m)
{
	uint64_t p, limit = 64 * PAGE_SIZE;

	p = (uint64_t)map(m, 0, 128 * PAGE_SIZE, RW, ANON);
	m->p.rlim_cur[RLIMIT_MEMLOCK] = limit;
	ck_assert_int_eq(CALL(m, SYS_mlock, p, limit), 0);
	ck_assert_uint_eq(vm_map_locked(m->p.vs, 0, USER_VA_MAX), limit);
	ck_assert_int_eq(CALL(m, SYS_mlock, p + limit, PAGE_SIZE), -ENOMEM);
	ck_assert_int_eq(map(m, 0, PAGE_SIZE, RW, ANON | MAP_LOCKED),
	    -EAGAIN);
	ck_assert_int_eq(CALL(m, SYS_mremap, p, limit, 2 * limit,
	    MREMAP_MAYMOVE), -EAGAIN);
	ck_assert_int_eq(CALL(m, SYS_msync, p, limit, MS_INVALIDATE), -EBUSY);
	ck_assert_int_eq(CALL(m, SYS_madvise, p, limit, MADV_DONTNEED),
	    -EINVAL);
	ck_assert_int_eq(CALL(m, SYS_munmap, p, limit), 0);
	ck_assert_uint_eq(vm_map_locked(m->p.vs, 0, USER_VA_MAX), 0);
	m->p.rlim_cur[RLIMIT_MEMLOCK] = 0;
	ck_assert_int_eq(CALL(m, SYS_mlock, p + limit, PAGE_SIZE), -EPERM);
	ck_assert_int_eq(CALL(m, SYS_mlockall, 1), -EPERM);
}

START_TEST(locked_memory_is_limited)
{
	rig_test(NULL, locked_memory);
}
END_TEST

static void
low_maps(rig *m)
{
	uint64_t a, b, c;

	a = (uint64_t)map(m, 0, 1 << 20, RW, ANON | MAP_32BIT);
	b = (uint64_t)map(m, 0, 1 << 20, RW, ANON | MAP_32BIT);
	ck_assert_uint_eq(a, 0x40000000);
	ck_assert_uint_eq(b, 0x40100000);
	ck_assert_int_eq(map(m, 0, 1u << 31, RW, ANON | MAP_32BIT), -ENOMEM);
	/* without it, the same place in every run: no randomness */
	c = (uint64_t)map(m, 0, PAGE_SIZE, RW, ANON);
	ck_assert_uint_eq(c, USER_MMAP_TOP - PAGE_SIZE);
	ck_assert_int_eq(map(m, 0x1000, PAGE_SIZE, RW, ANON | MAP_FIXED),
	    -EPERM);
	ck_assert_int_eq(map(m, 0, PAGE_SIZE, RW, ANON | MAP_HUGETLB),
	    -ENOMEM);
}

START_TEST(places_of_maps)
{
	rig_test(NULL, low_maps);
}
END_TEST

static void
populated(rig *m)
{
	uint64_t p, vec = rig_room(m, 16);
	uint8_t v[16];

	p = (uint64_t)map(m, 0, 16 * PAGE_SIZE, RW, ANON | MAP_POPULATE);
	ck_assert_int_eq(CALL(m, SYS_mincore, p, 16 * PAGE_SIZE, vec), 0);
	rig_peek(m, vec, v, 16);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(v[i] & 1, 1);
	p = (uint64_t)map(m, 0, 16 * PAGE_SIZE, RW, ANON);
	ck_assert_int_eq(CALL(m, SYS_mincore, p, 16 * PAGE_SIZE, vec), 0);
	rig_peek(m, vec, v, 16);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(v[i] & 1, 0);
}

START_TEST(populate_makes_resident)
{
	rig_test(NULL, populated);
}
END_TEST

/* ---- the machine ---- */

static void
machine_facts(rig *m)
{
	uint64_t at = rig_room(m, 512);
	struct utsname u;
	struct sysinfo si;
	uint64_t mask[16], lim[2];

	ck_assert_int_eq(CALL(m, SYS_uname, at), 0);
	rig_peek(m, at, &u, sizeof(u));
	ck_assert_str_eq(u.sysname, "Linux");
	ck_assert_str_eq(u.nodename, "vmsim");
	ck_assert_str_eq(u.release, "6.1.0");
	ck_assert_str_eq(u.machine, "x86_64");
	ck_assert_int_eq(CALL(m, SYS_sysinfo, at), 0);
	rig_peek(m, at, &si, sizeof(si));
	ck_assert_uint_eq(si.totalram, 2048 * PAGE_SIZE);
	ck_assert_uint_eq(si.mem_unit, 1);
	ck_assert_uint_lt(si.freeram, si.totalram);
	ck_assert_uint_gt(si.freeram, si.totalram / 2);
	ck_assert_uint_eq(si.totalswap % PAGE_SIZE, 0);
	ck_assert_uint_gt(si.totalswap, 30u << 20);
	ck_assert_int_eq(CALL(m, SYS_sched_getaffinity, 0, 128, at), 8);
	rig_peek(m, at, mask, 8);
	ck_assert_uint_eq(mask[0], 1);
	ck_assert_int_eq(CALL(m, SYS_prlimit64, 0, RLIMIT_STACK, 0, at), 0);
	rig_peek(m, at, lim, sizeof(lim));
	ck_assert_uint_eq(lim[0], 8u << 20);
	lim[0] = 5;
	lim[1] = 4;
	rig_poke(m, at, lim, sizeof(lim));
	ck_assert_int_eq(CALL(m, SYS_prlimit64, 0, RLIMIT_CPU, at, 0),
	    -EINVAL);
	ck_assert_int_eq(CALL(m, SYS_prlimit64, 0, 16, 0, at), -EINVAL);
	ck_assert_int_eq(CALL(m, SYS_prlimit64, 4242, 0, 0, at), -ESRCH);
}

START_TEST(the_machine_is_the_simulated_one)
{
	rig_test(NULL, machine_facts);
}
END_TEST

static void
clocks(rig *m)
{
	uint64_t at = rig_room(m, 32);
	int64_t ts[2], wall[2], want[2] = { 0, 30000000 };
	sim_time_t t0;

	sim_spend(m->sim, sim_us(m->sim, 2500));
	ck_assert_int_eq(CALL(m, SYS_clock_gettime, 1, at), 0);
	rig_peek(m, at, ts, 16);
	ck_assert_int_eq(CALL(m, SYS_clock_gettime, 0, at), 0);
	rig_peek(m, at, wall, 16);
	ck_assert_int_eq(ts[0], 0);
	ck_assert_int_ge(ts[1], 2500000);
	ck_assert_int_eq(wall[0], 1000000000);
	ck_assert_int_lt(wall[1] - ts[1], 100000);
	t0 = sim_now(m->sim);
	rig_poke(m, at, want, 16);
	ck_assert_int_eq(CALL(m, SYS_nanosleep, at, 0), 0);
	ck_assert_uint_ge(sim_now(m->sim) - t0, sim_us(m->sim, 30000));
	ck_assert_uint_lt(sim_now(m->sim) - t0, sim_us(m->sim, 30100));
	ck_assert_int_eq(CALL(m, SYS_clock_gettime, 99, at), -EINVAL);
	ck_assert_int_eq(CALL(m, SYS_clock_nanosleep, 3, 0, at, 0), -EINVAL);
}

START_TEST(time_is_simulated)
{
	rig_test(NULL, clocks);
}
END_TEST

/* ---- signals ---- */

struct kact {
	uint64_t handler, flags, restorer, mask;
};

static void
set_handler(rig *m, int signo, uint64_t flags)
{
	struct kact act = { 0x402000, flags | 0x04000000, 0x403000, 0 };

	ck_assert_int_eq(CALL(m, SYS_rt_sigaction, (uint64_t)signo,
	    rig_put(m, &act, sizeof(act)), 0, 8), 0);
}

static void
frames(rig *m)
{
	struct cpu_regs *r = &m->ctx.regs, before;
	uint64_t f[55], stack = RIG_SCRATCH + RIG_SCRATCH_SIZE;
	int32_t info[4];

	set_handler(m, SIGSEGV, SA_SIGINFO);
	for (int i = 0; i < 16; i++)
		r->r[i] = 0xabc0 + (uint64_t)i;
	r->r[R_RSP] = stack - 1000;
	r->rip = 0x401234;
	r->rflags = 0x646; /* with DF */
	memset(m->ctx.fx, 0x5a, 512);
	before = *r;
	signal_fault(&m->t, SIGSEGV, SEGV_ACCERR, 0x12345);
	signal_deliver(&m->t);
	ck_assert(!m->t.exiting);
	/* in the handler */
	ck_assert_uint_eq(r->rip, 0x402000);
	ck_assert_uint_eq(r->r[R_RDI], SIGSEGV);
	ck_assert_uint_eq(r->r[R_RAX], 0);
	ck_assert_uint_eq(r->rflags & 0x400, 0);
	ck_assert_uint_eq(r->r[R_RSP] % 16, 8);
	ck_assert_uint_le(r->r[R_RSP], stack - 1000 - 128 - 440);
	ck_assert_uint_eq(m->t.sig.mask, 1ull << (SIGSEGV - 1));
	rig_peek(m, r->r[R_RSP], f, sizeof(f));
	ck_assert_uint_eq(f[0], 0x403000);
	ck_assert_uint_eq(r->r[R_RDX], r->r[R_RSP] + 8);
	ck_assert_uint_eq(r->r[R_RSI], r->r[R_RSP] + 312);
	memcpy(info, &f[39], sizeof(info));
	ck_assert_int_eq(info[0], SIGSEGV);
	ck_assert_int_eq(info[2], SEGV_ACCERR);
	ck_assert_uint_eq(f[41], 0x12345); /* si_addr */
	ck_assert_uint_eq(f[6], before.r[R_R8]);
	ck_assert_uint_eq(f[22], 0x401234); /* rip */
	ck_assert_uint_eq(f[25] & 4, 4); /* err: from user mode */
	ck_assert_uint_eq(f[26], 14); /* trapno */
	ck_assert_uint_eq(f[28], 0x12345); /* cr2 */
	/* and back: as the restorer does it, after the handler's RET */
	r->r[R_RSP] += 8;
	r->r[R_RAX] = SYS_rt_sigreturn;
	r->r[R_RBX] = 99;
	memset(m->ctx.fx, 0, 512);
	syscall_dispatch(m, &m->t);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(r->r[i], before.r[i]);
	ck_assert_uint_eq(r->rip, before.rip);
	ck_assert_uint_eq(r->rflags, before.rflags);
	ck_assert_uint_eq(m->ctx.fx[100], 0x5a);
	ck_assert_uint_eq(m->t.sig.mask, 0);
}

START_TEST(frames_are_those_of_linux)
{
	rig_test(NULL, frames);
}
END_TEST

static void
dying(rig *m)
{
	signal_fault(&m->t, SIGSEGV, SEGV_MAPERR, 0);
	signal_deliver(&m->t);
	ck_assert(m->t.exiting);
	ck_assert(m->p.exiting);
	ck_assert_int_eq(m->p.exit_status, SIGSEGV);
	ck_assert_ptr_null(m->p.fds);
}

START_TEST(a_fault_without_a_handler_kills)
{
	rig_test(NULL, dying);
}
END_TEST

static void
blocked_fault(rig *m)
{
	set_handler(m, SIGSEGV, 0);
	m->t.sig.mask = 1ull << (SIGSEGV - 1);
	signal_fault(&m->t, SIGSEGV, SEGV_MAPERR, 0);
	signal_deliver(&m->t);
	ck_assert(m->t.exiting);
	ck_assert_int_eq(m->p.exit_status, SIGSEGV);
}

START_TEST(a_blocked_fault_kills)
{
	rig_test(NULL, blocked_fault);
}
END_TEST

static void
no_stack(rig *m)
{
	set_handler(m, SIGSEGV, 0);
	m->ctx.regs.r[R_RSP] = 0x1000;
	signal_fault(&m->t, SIGSEGV, SEGV_MAPERR, 0);
	signal_deliver(&m->t);
	ck_assert(m->t.exiting);
	ck_assert_int_eq(m->p.exit_status, SIGSEGV);
}

START_TEST(a_frame_without_a_stack_kills)
{
	rig_test(NULL, no_stack);
}
END_TEST

static void
killed_from_above(rig *m)
{
	m->p.kill_signal = SIGKILL;
	signal_post(&m->p, SIGKILL);
	ck_assert(signal_pending(&m->t));
	signal_deliver(&m->t);
	ck_assert_int_eq(m->p.exit_status, SIGKILL);
}

START_TEST(the_kernel_can_kill)
{
	rig_test(NULL, killed_from_above);
}
END_TEST

/* A call that a signal ended: again, or EINTR, as the handler says. */
static void
restart_with(rig *m, int restart, uint64_t flags, bool handled, bool again)
{
	struct cpu_regs *r = &m->ctx.regs;
	uint64_t rip;

	if (handled)
		set_handler(m, SIGUSR1, flags);
	r->r[R_RSP] = RIG_SCRATCH + RIG_SCRATCH_SIZE;
	r->rip = 0x401002;
	r->r[R_RAX] = (uint64_t)-EINTR;
	m->t.sig.restart = restart;
	m->t.sig.restart_number = SYS_read;
	if (handled)
		signal_self(&m->t, SIGUSR1);
	signal_deliver(&m->t);
	ck_assert_int_eq(m->t.sig.restart, 0);
	rip = r->rip;
	if (handled) {
		ck_assert_uint_eq(rip, 0x402000);
		r->r[R_RSP] += 8;
		r->r[R_RAX] = SYS_rt_sigreturn;
		syscall_dispatch(m, &m->t);
	}
	ck_assert_uint_eq(r->rip, again ? 0x401000 : 0x401002);
	ck_assert_int_eq((int64_t)r->r[R_RAX], again ? SYS_read : -EINTR);
}

static void
restarts(rig *m)
{
	restart_with(m, ERESTARTSYS, SA_RESTART, true, true);
	restart_with(m, ERESTARTSYS, 0, true, false);
	restart_with(m, ERESTARTNOHAND, SA_RESTART, true, false);
	restart_with(m, ERESTARTSYS, 0, false, true);
	restart_with(m, ERESTARTNOHAND, 0, false, true);
}

START_TEST(interrupted_calls_restart)
{
	rig_test(NULL, restarts);
}
END_TEST

static void
bad_sigreturn(rig *m)
{
	set_handler(m, SIGUSR1, 0);
	m->ctx.regs.r[R_RSP] = 0x50;
	m->ctx.regs.r[R_RAX] = SYS_rt_sigreturn;
	syscall_dispatch(m, &m->t);
	signal_deliver(&m->t);
	ck_assert_int_eq(m->p.exit_status, SIGSEGV);
}

START_TEST(a_bad_frame_kills)
{
	rig_test(NULL, bad_sigreturn);
}
END_TEST

static void
exits(rig *m)
{
	ck_assert_int_eq(CALL(m, SYS_exit_group, 0x1234), 0);
	ck_assert(m->t.exiting);
	ck_assert_int_eq(m->p.exit_status, 0x3400);
}

START_TEST(exit_status_is_encoded)
{
	rig_test(NULL, exits);
}
END_TEST

/* ---- files ---- */

static void
standard_files(rig *m)
{
	uint64_t at = rig_room(m, 256);
	struct stat sb;

	for (uint64_t fd = 0; fd < 3; fd++) {
		ck_assert_int_eq(CALL(m, SYS_fstat, fd, at), 0);
		rig_peek(m, at, &sb, sizeof(sb));
		ck_assert(S_ISFIFO(sb.st_mode));
		ck_assert_int_eq(CALL(m, SYS_ioctl, fd, 0x5401, at), -ENOTTY);
		ck_assert_int_eq(CALL(m, SYS_lseek, fd, 0, SEEK_CUR),
		    -ESPIPE);
	}
	ck_assert_int_eq(CALL(m, SYS_write, 0, at, 1), -EBADF);
	ck_assert_int_eq(CALL(m, SYS_read, 1, at, 1), -EBADF);
}

START_TEST(standard_files_look_like_pipes)
{
	rig_test(NULL, standard_files);
}
END_TEST

static void
statistics(rig *m)
{
	uint64_t at = rig_room(m, 256), name = rig_str(m, "/tmp/s");
	struct stat sb;
	int64_t fd;

	fd = CALL(m, SYS_open, name, O_RDWR | O_CREAT, 0666);
	ck_assert_int_eq(CALL(m, SYS_ftruncate, (uint64_t)fd, 5000), 0);
	sim_spend(m->sim, sim_us(m->sim, 3000000));
	ck_assert_int_eq(CALL(m, SYS_write, (uint64_t)fd, name, 1), 1);
	ck_assert_int_eq(CALL(m, SYS_stat, name, at), 0);
	rig_peek(m, at, &sb, sizeof(sb));
	ck_assert_uint_eq(sb.st_mode, S_IFREG | 0644);
	ck_assert_int_eq(sb.st_size, 5000);
	ck_assert_int_eq(sb.st_blocks, 16);
	ck_assert_uint_eq(sb.st_uid, 0);
	ck_assert_uint_eq(sb.st_dev, 0x801);
	ck_assert_int_eq(sb.st_mtim.tv_sec, 1000000003);
	ck_assert_int_eq(sb.st_atim.tv_sec, 1000000000);
}

START_TEST(written_files_have_simulated_times)
{
	rig_test(NULL, statistics);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { unknown_calls_are_noted,
		registers_are_as_linux_leaves_them, thread_pointer,
		brk_grows_and_shrinks, proc_tells_the_simulated_process,
		locked_memory_is_limited, places_of_maps,
		populate_makes_resident, the_machine_is_the_simulated_one,
		time_is_simulated, frames_are_those_of_linux,
		a_fault_without_a_handler_kills, a_blocked_fault_kills,
		a_frame_without_a_stack_kills, the_kernel_can_kill,
		interrupted_calls_restart, a_bad_frame_kills,
		exit_status_is_encoded, standard_files_look_like_pipes,
		written_files_have_simulated_times };

	return (SUITE_MAIN("syscall", tests));
}
