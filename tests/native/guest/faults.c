/* Semantics 8: signals of faults, and bad pointers given to the kernel. */
#include "guest.h"

#include <sys/wait.h>

#include <poll.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#define RW (PROT_READ | PROT_WRITE)

static char *none, *ro, *bad;

static void
bad_pointers(void)
{
	int fd = make_file("faults.dat", PAGE), p[2];
	struct iovec iov[2] = { { ro, 4 }, { bad, 4 } };

	if (pipe(p) != 0)
		exit(1);
	say("write", write(fd, bad, 10));
	say("write none", write(fd, none, 10));
	say("read", pread(fd, bad, 10, 0));
	say("read into read-only", pread(fd, ro, 10, 0));
	say("write of nothing", write(fd, bad, 0));
	say("write kernel", write(fd, (void *)0xffff800000000000, 1));
	say("writev", writev(fd, (void *)bad, 1));
	printf("writev half: %ld\n", (long)writev(fd, iov, 2));
	printf("write over the edge: %ld\n", (long)pwrite(fd,
	    none - 10, 20, 0));
	say("open", open(bad, O_RDONLY));
	say("open null", syscall(SYS_open, NULL, O_RDONLY));
	say("stat", stat("faults.dat", (void *)bad));
	say("fstat", fstat(fd, (void *)bad));
	say("getcwd", syscall(SYS_getcwd, bad, 100));
	say("readlink", readlink("/proc/self/exe", bad, 100));
	say("pipe", syscall(SYS_pipe2, bad, 0));
	say("uname", syscall(SYS_uname, bad));
	say("gettimeofday", syscall(SYS_gettimeofday, bad, NULL));
	say("clock_gettime", syscall(SYS_clock_gettime, 0, bad));
	say("nanosleep", syscall(SYS_nanosleep, bad, NULL));
	say("poll", syscall(SYS_poll, bad, 1, 0));
	say("select", syscall(SYS_select, 5, bad, NULL, NULL, NULL));
	say("sigaction", syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8));
	say("sigprocmask", syscall(SYS_rt_sigprocmask, 0, bad, NULL, 8));
	say("sigaltstack", syscall(SYS_sigaltstack, bad, NULL));
	say("getrlimit", syscall(SYS_getrlimit, RLIMIT_STACK, bad));
	say("getrusage", syscall(SYS_getrusage, 0, bad));
	say("getrandom", syscall(SYS_getrandom, bad, 10, 0));
	say("sysinfo", syscall(SYS_sysinfo, bad));
	say("mincore", syscall(SYS_mincore, ro, PAGE, bad));
	say("getdents", syscall(SYS_getdents64, open(".", O_RDONLY), bad,
	    1000));
	say("futex", syscall(SYS_futex, bad, 0, 0, NULL));
	say("arch_prctl", syscall(SYS_arch_prctl, 0x1003, bad));
	say("sched_getaffinity", syscall(SYS_sched_getaffinity, 0, 128, bad));
	say("times", syscall(SYS_times, bad));
}

static void
registers(void)
{
	/* a fault in the middle of a string instruction */
	char *p = anon(2 * PAGE, RW), *dst = p + PAGE - 10;
	unsigned long left = 100;

	mprotect(p + PAGE, PAGE, PROT_READ);
	guest_signo = 0;
	if (sigsetjmp(guest_jmp, 1) == 0) {
		char *d = dst;

		__asm__ volatile("rep stosb" : "+D"(d), "+c"(left) :
		    "a"(0x55) : "memory");
	}
	say_fault("string store", guest_signo);
	printf("address exact: %d, bytes before it written: %d %d\n",
	    guest_addr == p + PAGE, dst[0] == 0x55, dst[9] == 0x55);
}

/* What is left of a stack that was written over: the process ends. */
static void
broken_stack(void)
{
	static const char *const what[] = { "frame overwritten",
		"stack nowhere", "not an address" };

	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int st;

		if (pid == 0) {
			signal(SIGBUS, SIG_DFL);
			signal(SIGSEGV, SIG_DFL);
			if (i == 0)
				__asm__ volatile("mov $0x4141414141414141, "
				    "%%rbp\n leave\n ret" ::: "memory");
			else if (i == 1)
				__asm__ volatile("movabs $0x8000000000001000, "
				    "%%rsp\n push %%rax" ::: "memory");
			(void)*(volatile char *)0x4141414141414141;
			_exit(0);
		}
		waitpid(pid, &st, 0);
		printf("%s: signal %d\n", what[i], WTERMSIG(st));
	}
}

int
main(void)
{
	char *p = anon(4 * PAGE, RW);

	catch_faults();
	ro = p;
	none = p + 2 * PAGE;
	mprotect(ro, PAGE, PROT_READ);
	mprotect(none, PAGE, PROT_NONE);
	bad = hole(4);
	say_fault("write read-only", try_write(ro + 123, 1));
	printf("address exact: %d\n", guest_addr == ro + 123);
	say_fault("read none", try_read(none + 7));
	printf("address exact: %d\n", guest_addr == none + 7);
	say_fault("read nothing", try_read(bad + 1));
	printf("address exact: %d\n", guest_addr == bad + 1);
	say_fault("write nothing", try_write(bad + PAGE - 1, 1));
	printf("address exact: %d\n", guest_addr == bad + PAGE - 1);
	say_fault("null", try_read(NULL));
	say_fault("write the program's text", try_write((char *)main, 1));
	bad_pointers();
	registers();
	broken_stack();
	return (0);
}
