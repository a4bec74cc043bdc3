/* Clocks and sleeping: relations that hold wherever time comes from. */
#include "guest.h"

#include <sys/times.h>

static long
ns_between(const struct timespec *a, const struct timespec *b)
{
	return ((b->tv_sec - a->tv_sec) * 1000000000 + b->tv_nsec -
	    a->tv_nsec);
}

int
main(void)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC,
		CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
		CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
		CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };
	struct timespec a, b, t = { 0, 20000000 }, rem;
	struct rusage ru;
	struct timeval tv;
	volatile unsigned x = 0;

	for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int r = clock_gettime(clocks[i], &a);

		for (int k = 0; k < 100000; k++)
			x = x * 3 + 1;
		clock_gettime(clocks[i], &b);
		printf("clock %d: %d, goes on %d, ns %d\n", clocks[i], r,
		    ns_between(&a, &b) >= 0, a.tv_nsec < 1000000000);
	}
	say("no such clock", clock_gettime(77, &a));
	say("resolution", clock_getres(CLOCK_MONOTONIC, &a));
	printf("%ld.%ld\n", (long)a.tv_sec, a.tv_nsec);
	clock_gettime(CLOCK_MONOTONIC, &a);
	say("sleep", nanosleep(&t, &rem));
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("slept long enough: %d\n", ns_between(&a, &b) >= 20000000);
	t.tv_nsec = 1000;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 200; i++)
		nanosleep(&t, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	/* a microsecond is not kept: timers are slack by 50 */
	printf("200 naps, 4 ms at least: %d\n", ns_between(&a, &b) >= 4000000);
	b.tv_nsec = 0;
	say("absolute, past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME,
	    &a, NULL));
	t.tv_nsec = 1000000000;
	say("bad time", nanosleep(&t, NULL));
	t.tv_nsec = -1;
	say("negative", nanosleep(&t, NULL));
	printf("one wall clock: %d\n", EVENTUALLY(gettimeofday(&tv, NULL) ==
	    0 && clock_gettime(CLOCK_REALTIME, &a) == 0 &&
	    a.tv_sec - tv.tv_sec >= 0 && a.tv_sec - tv.tv_sec <= 1 &&
	    labs(time(NULL) - tv.tv_sec) <= 1));
	printf("after 2001: %d\n", tv.tv_sec > 1000000000);
	getrusage(RUSAGE_SELF, &ru);
	printf("memory used: %d\n", ru.ru_maxrss > 0);
	say("bad who", getrusage(55, &ru));
	printf("times: %d\n", times(NULL) != (clock_t)-1);
	return (x == 0);
}
