/*
 * facts.c: a guest program that prints every fact about its machine, its
 * files and its caller that it can get. What host.sh compares.
 *
 * usage: facts [elsewhere]: with an argument, what lies in the working
 * directory is left out.
 */
#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

extern char **environ;
static sigjmp_buf trap;
static volatile unsigned long result;

static void
bytes(const char *what, const void *p, size_t n)
{
	printf("%s ", what);
	for (size_t i = 0; i < n; i++)
		printf("%02x", ((const unsigned char *)p)[i]);
	putchar('\n');
}

/* ---- what the kernel gave at the start ---- */

static void
start(int argc, char **argv)
{
	char **e = environ;
	unsigned long *aux;

	for (int i = 0; i < argc; i++)
		printf("argument %s\n", argv[i]);
	for (; *e != NULL; e++)
		printf("environment %s\n", *e);
	for (aux = (unsigned long *)(e + 1); *aux != AT_NULL; aux += 2) {
		printf("aux %lu %#lx\n", aux[0], aux[1]);
		if (aux[0] == AT_RANDOM)
			bytes("random", (void *)aux[1], 16);
		if (aux[0] == AT_EXECFN || aux[0] == AT_PLATFORM)
			printf("  %s\n", (char *)aux[1]);
	}
	printf("stack %p heap %p text %p\n", (void *)&argc, malloc(1),
	    (void *)start);
}

static void
process(void)
{
	struct sigaction sa;
	struct rlimit r;
	sigset_t set;

	printf("ids %d %d %d %d %ld, %d %d %d %d, %d groups\n", getpid(),
	    getppid(), getpgrp(), getsid(0), syscall(SYS_gettid), getuid(),
	    geteuid(), getgid(), getegid(), getgroups(0, NULL));
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		getrlimit(i, &r);
		printf("limit %d %#lx %#lx\n", i, (long)r.rlim_cur,
		    (long)r.rlim_max);
	}
	for (int i = 1; i < 65; i++) {
		if (sigaction(i, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL)
			printf("signal %d %p\n", i, (void *)sa.sa_handler);
	}
	sigprocmask(SIG_BLOCK, NULL, &set);
	bytes("blocked", &set, 8);
	sigpending(&set);
	bytes("pending", &set, 8);
	printf("nice %d %d, policy %d, personality %#x, dumpable %d\n",
	    nice(0), getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
	    personality(0xffffffff), prctl(PR_GET_DUMPABLE));
	printf("umask %o\n", umask(022));
}

static void
descriptors(void)
{
	for (int fd = 0; fd < 256; fd++) {
		struct pollfd p = { fd, POLLIN | POLLOUT, 0 };
		struct winsize w = { 0, 0, 0, 0 };
		int flags = fcntl(fd, F_GETFL), size;
		struct termios t;
		struct stat s;

		if (flags < 0)
			continue;
		fstat(fd, &s);
		size = ioctl(fd, TIOCGWINSZ, &w);
		poll(&p, 1, 0);
		printf("descriptor %d %#x %d mode %o number %lu device %lx "
		    "size %ld time %ld window %d %dx%d terminal %d %d at %ld "
		    "ready %#x\n", fd, flags, fcntl(fd, F_GETFD), s.st_mode,
		    (long)s.st_ino, (long)s.st_dev, (long)s.st_size,
		    (long)s.st_mtime, size, w.ws_row, w.ws_col,
		    tcgetattr(fd, &t), isatty(fd),
		    (long)lseek(fd, 0, SEEK_CUR), p.revents);
	}
}

/* ---- the machine ---- */

static void
machine(void)
{
	unsigned cpu = 99, node = 99;
	unsigned char random[16];
	struct sysinfo si;
	struct utsname u;
	cpu_set_t cpus;

	uname(&u);
	printf("uname %s %s %s %s %s %s\n", u.sysname, u.nodename, u.release,
	    u.version, u.machine, u.domainname);
	sysinfo(&si);
	printf("up %ld memory %lu %lu swap %lu %lu processes %d\n", si.uptime,
	    si.totalram, si.freeram, si.totalswap, si.freeswap, si.procs);
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	syscall(SYS_getcpu, &cpu, &node, NULL);
	printf("cpus %d, this %u on %u, online %ld, pages %ld\n",
	    CPU_COUNT(&cpus), cpu, node, sysconf(_SC_NPROCESSORS_ONLN),
	    sysconf(_SC_PHYS_PAGES));
	getrandom(random, sizeof(random), 0);
	bytes("random", random, sizeof(random));
}

static void
clocks(void)
{
	struct timezone tz = { 7, 7 };
	struct timeval tv;
	struct rusage ru;
	char text[64];
	time_t now;

	for (int i = 0; i < 12; i++) {
		struct timespec t = { 0, 0 }, r = { 0, 0 };
		int ret = clock_gettime(i, &t);

		clock_getres(i, &r);
		printf("clock %d %d %ld.%09ld %ld\n", i, ret, t.tv_sec,
		    t.tv_nsec, r.tv_nsec);
	}
	syscall(SYS_gettimeofday, &tv, &tz);
	now = tv.tv_sec;
	strftime(text, sizeof(text), "%c %Z %z", localtime(&now));
	printf("day %ld.%06ld %d %d %s\n", tv.tv_sec, tv.tv_usec,
	    tz.tz_minuteswest, tz.tz_dsttime, text);
	getrusage(RUSAGE_SELF, &ru);
	printf("used %ld.%06ld %ld.%06ld, %ld KiB, faults %ld %ld\n",
	    ru.ru_utime.tv_sec, ru.ru_utime.tv_usec, ru.ru_stime.tv_sec,
	    ru.ru_stime.tv_usec, ru.ru_maxrss, ru.ru_minflt, ru.ru_majflt);
}

static void
cpuid(void)
{
	static const unsigned leaves[] = { 0, 1, 2, 4, 5, 6, 7, 0xa, 0xb, 0xd,
		0x15, 0x16, 0x40000000, 0x80000000, 0x80000001, 0x80000002,
		0x80000003, 0x80000004, 0x80000005, 0x80000006, 0x80000007,
		0x80000008, 0x8000001e };

	for (size_t i = 0; i < COUNT(leaves); i++) {
		for (unsigned sub = 0; sub < 4; sub++) {
			unsigned a = 0, b = 0, c = 0, d = 0;

			__cpuid_count(leaves[i], sub, a, b, c, d);
			printf("cpuid %#x.%u %08x %08x %08x %08x\n", leaves[i],
			    sub, a, b, c, d);
		}
	}
}

static void
trapped(int sig)
{
	siglongjmp(trap, sig);
}

/* What an instruction answers, or the signal it gives. */
#define TRY(name, ...)                                                    \
	do {                                                              \
		int sig_ = sigsetjmp(trap, 1);                            \
                                                                          \
		result = 0;                                               \
		if (sig_ == 0) {                                          \
			__VA_ARGS__;                                      \
			printf(name " %#lx\n", result);                   \
		} else {                                                  \
			printf(name " signal %d\n", sig_);                \
		}                                                         \
	} while (0)

static void
instructions(void)
{
	struct sigaction sa = { .sa_handler = trapped,
		.sa_flags = SA_NODEFER };
	static unsigned char area[512] __attribute__((aligned(16)));
	unsigned lo, hi;
	unsigned long r = 0;

	sigaction(SIGILL, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	TRY("rdtsc", __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	    result = (unsigned long)hi << 32 | lo);
	TRY("rdtscp", __asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi)::"ecx");
	    result = (unsigned long)hi << 32 | lo);
	TRY("rdrand", __asm__ volatile("rdrand %0" : "=r"(r)); result = r);
	TRY("rdseed", __asm__ volatile("rdseed %0" : "=r"(r)); result = r);
	TRY("xgetbv", __asm__ volatile(
	    "xgetbv" : "=a"(lo), "=d"(hi) : "c"(0)); result = lo);
	TRY("rdpmc", __asm__ volatile(
	    "rdpmc" : "=a"(lo), "=d"(hi) : "c"(0)); result = lo);
	TRY("sgdt", __asm__ volatile("sgdt %0" : "=m"(area));
	    bytes("table", area, 10));
	TRY("sidt", __asm__ volatile("sidt %0" : "=m"(area));
	    bytes("table", area, 10));
	TRY("smsw", __asm__ volatile("smsw %0" : "=r"(r)); result = r);
	TRY("flags", __asm__ volatile("pushfq; pop %0" : "=r"(r));
	    result = r);
	TRY("fxsave", __asm__ volatile("fxsave %0" : "=m"(area));
	    bytes("state", area, 160));
}

/* A value of each x87 function: n of them, added up bit by bit. */
#define X87(name, code)                                                   \
	do {                                                              \
		unsigned long sum_ = 0, bits_;                            \
                                                                          \
		for (int i = 1; i < 200; i++) {                           \
			long double x = i * 0.004L, y = 3.3L / i;         \
                                                                          \
			__asm__ volatile(code : "+t"(x) : "u"(y));        \
			memcpy(&bits_, &x, sizeof(bits_));                \
			sum_ = sum_ * 31 + bits_;                         \
		}                                                         \
		printf("x87 " name " %lx\n", sum_);                       \
	} while (0)

static void
functions(void)
{
	X87("sine", "fsin");
	X87("cosine", "fcos");
	X87("both", "fsincos; faddp");
	X87("tangent", "fptan; faddp");
	X87("arc tangent", "fld %%st(1); fld %%st(1); fpatan; fstp %%st(1)");
	X87("exponential", "f2xm1");
	X87("logarithm", "fld %%st(1); fld %%st(1); fyl2x; fstp %%st(1)");
	X87("logarithm near 1",
	    "fld %%st(1); fld %%st(1); fyl2xp1; fstp %%st(1)");
	X87("remainder", "fprem");
	X87("remainder to nearest", "fprem1");
}

/* ---- files ---- */

static void
file(const char *path)
{
	char target[4096];
	struct statfs f;
	struct statx x;
	ssize_t n;

	memset(&x, 0, sizeof(x));
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0xfff, &x) != 0) {
		printf("file %s: %s\n", path, strerror(errno));
		return;
	}
	printf("file %s: device %u:%u number %llu mode %o links %u owner %u "
	    "%u special %u:%u size %llu in %llu of %u, times %lld.%09u "
	    "%lld.%09u %lld.%09u %lld.%09u, %#x\n", path, x.stx_dev_major,
	    x.stx_dev_minor, x.stx_ino, x.stx_mode, x.stx_nlink, x.stx_uid,
	    x.stx_gid, x.stx_rdev_major, x.stx_rdev_minor, x.stx_size,
	    x.stx_blocks, x.stx_blksize, x.stx_atime.tv_sec,
	    x.stx_atime.tv_nsec, x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec,
	    x.stx_ctime.tv_sec, x.stx_ctime.tv_nsec, x.stx_btime.tv_sec,
	    x.stx_btime.tv_nsec, x.stx_mask);
	if (statfs(path, &f) == 0)
		printf("  on %#lx: %ld of %ld, %ld of %ld\n", (long)f.f_type,
		    (long)f.f_bfree, (long)f.f_blocks, (long)f.f_ffree,
		    (long)f.f_files);
	n = readlink(path, target, sizeof(target));
	if (n >= 0)
		printf("  to %.*s\n", (int)n, target);
}

static void
list(const char *path)
{
	char buf[32768];
	int fd = open(path, O_RDONLY | O_DIRECTORY);
	long n;

	printf("directory %s%s%s\n", path, fd < 0 ? ": " : "",
	    fd < 0 ? strerror(errno) : "");
	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buf,
	    sizeof(buf))) > 0) {
		for (long i = 0; i < n;) {
			struct dirent64 *d = (void *)(buf + i);

			printf("  %lu %ld %d %s\n", (long)d->d_ino,
			    (long)d->d_off, d->d_type, d->d_name);
			i += d->d_reclen;
		}
	}
	close(fd);
}

static void
show(const char *path)
{
	char buf[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	printf("contents of %s%s%s\n", path, fd < 0 ? ": " : "",
	    fd < 0 ? strerror(errno) : "");
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	close(fd);
}

/* A directory, what is below it, and the contents of files; no links. */
static void
walk(const char *path)
{
	char sub[4096], buf[32768];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct stat s;
	long n;

	list(path);
	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, buf,
	    sizeof(buf))) > 0) {
		for (long i = 0; i < n;) {
			struct dirent64 *d = (void *)(buf + i);

			i += d->d_reclen;
			snprintf(sub, sizeof(sub), "%s/%s", path, d->d_name);
			if (d->d_name[0] == '.' || lstat(sub, &s) != 0)
				continue;
			file(sub);
			if (S_ISDIR(s.st_mode))
				walk(sub);
			else if (S_ISREG(s.st_mode))
				show(sub);
		}
	}
	close(fd);
}

static void
files(int elsewhere)
{
	static const char *const names[] = { ".", "..", "/", "/cwd", "/tmp",
		"/var/tmp", "/run", "/proc", "/sys", "/dev", "/dev/null",
		"/dev/tty", "/dev/shm", "/usr", "/usr/bin", "/bin/sh", "/etc",
		"/etc/passwd", "/etc/localtime", "/etc/hostname", "/var",
		"/home", "/proc/self", "/proc/self/cwd", "/proc/self/fd/0",
		"/proc/self/fd/1" };
	static const char *const texts[] = { "/etc/hostname", "/etc/hosts",
		"/etc/machine-id", "/etc/timezone", "/etc/resolv.conf",
		"/etc/mtab", "/proc/sys/kernel/random/boot_id" };
	char here[8192];

	printf("here %s\n", getcwd(here, sizeof(here)));
	for (size_t i = 0; i < COUNT(names); i++)
		file(names[i]);
	list("/");
	walk("/dev");
	walk("/proc");
	walk("/sys");
	for (size_t i = 0; i < COUNT(texts); i++)
		show(texts[i]);
	if (!elsewhere) {
		list(".");
		list("/tmp");
		list("/var/tmp");
		list("/run");
		file("in.txt");
	}
	if (chdir("..") == 0)
		printf("above %s\n", getcwd(here, sizeof(here)));
}

int
main(int argc, char **argv)
{
	start(argc, argv);
	process();
	descriptors();
	machine();
	clocks();
	cpuid();
	instructions();
	functions();
	files(argc > 1);
	fflush(stdout);
	clocks();
	return (0);
}
