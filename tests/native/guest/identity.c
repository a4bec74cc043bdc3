/* Who, where, how much: the calls a libc makes, and their refusals. */
#include "guest.h"

#include <linux/futex.h>
#include <sched.h>
#include <time.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

int
main(void)
{
	char name[16] = "", a[32] = "", b[32] = "", big[5000];
	struct utsname u;
	struct sysinfo si;
	struct rlimit rl;
	cpu_set_t set;
	struct timespec ts = { 0, 0 };
	unsigned cpu = 0, node = 0;
	int word = 5;
	FILE *f;

	uname(&u);
	printf("%s %s\n", u.sysname, u.machine);
	sysinfo(&si);
	printf("memory %d, free no more than it %d\n", si.totalram > 0,
	    si.freeram <= si.totalram);
	printf("pid %d, tid the same %d\n", getpid() > 0,
	    getpid() == syscall(SYS_gettid));
	printf("ids agree %d %d\n", getuid() == geteuid(), getgid() ==
	    getegid());
	say("group of itself", getpgid(0) == getpgrp() ? 0 : -1);
	say("group of nobody", getpgid(99999999));
	getrlimit(RLIMIT_STACK, &rl);
	printf("limit %d\n", rl.rlim_cur <= rl.rlim_max);
	rl.rlim_cur = rl.rlim_max = 100;
	rl.rlim_cur = 200;
	say("soft above hard", setrlimit(RLIMIT_CORE, &rl));
	say("bad limit", getrlimit(99, &rl));
	say("affinity", sched_getaffinity(0, sizeof(set), &set));
	printf("a CPU at least %d\n", CPU_COUNT(&set) > 0);
	say("current CPU", syscall(SYS_getcpu, &cpu, &node, NULL));
	printf("one of them %d\n", CPU_ISSET(cpu, &set));
	say("nowhere", syscall(SYS_getcpu, (void *)8, NULL, NULL));
	say("affinity too small", syscall(SYS_sched_getaffinity, 0, 7, &set));
	say("affinity of nobody", sched_getaffinity(99999999, sizeof(set),
	    &set));
	for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
		;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	say("one CPU", sched_setaffinity(0, sizeof(set), &set));
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	printf("that alone %d\n", CPU_COUNT(&set) == 1 &&
	    CPU_ISSET(cpu, &set));
	CPU_ZERO(&set);
	say("no CPU", sched_setaffinity(0, sizeof(set), &set));
	say("interval", sched_rr_get_interval(0, &ts));
	say("interval of nobody", sched_rr_get_interval(99999999, &ts));
	say("set no clock", clock_settime(CLOCK_MONOTONIC, &ts));
	/* a container may have given them up already */
	printf("privileges %d", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0);
	say(", none new", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	printf("privileges %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	say("new again", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("random %ld %ld", (long)getrandom(a, 32, 0),
	    (long)getrandom(b, 32, GRND_NONBLOCK));
	printf(" differ %d\n", memcmp(a, b, 32) != 0);
	printf("random large %ld\n", (long)getrandom(big, sizeof(big), 0));
	say("random bad flags", getrandom(a, 1, 64));
	prctl(PR_SET_NAME, "a name that is too long");
	prctl(PR_GET_NAME, name);
	printf("name %s\n", name);
	f = fopen("/proc/self/comm", "r");
	if (f != NULL && fgets(big, sizeof(big), f) != NULL)
		printf("comm %s", big);
	printf("futex wake %ld\n", syscall(SYS_futex, &word, FUTEX_WAKE, 1,
	    NULL));
	say("futex changed", syscall(SYS_futex, &word, FUTEX_WAIT, 6, NULL));
	say("futex timeout", syscall(SYS_futex, &word, FUTEX_WAIT, 5,
	    &(struct timespec){ 0, 1000 }));
	say("futex unaligned", syscall(SYS_futex, (char *)&word + 1,
	    FUTEX_WAIT, 5, NULL));
	say("futex bits 0", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 5,
	    NULL, NULL, 0));
	say("wait for nobody", wait4(-1, NULL, WNOHANG, NULL));
	say("arch_prctl", syscall(SYS_arch_prctl, 0x9999, 0));
	say("arch_prctl kernel", syscall(SYS_arch_prctl, 0x1001, -1l));
	say("personality", syscall(SYS_personality, 0xffffffff));
	printf("umask %o", umask(077));
	printf(" %o\n", umask(022));
	say("yield", sched_yield());
	say("robust list of odd size", syscall(SYS_set_robust_list, a, 5));
	printf("exe %d\n", readlink("/proc/self/exe", big, sizeof(big)) > 0);
	return (0);
}
