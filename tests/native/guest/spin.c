/*
 * spin N [MS]: N processes that only compute, for so many milliseconds of
 * wall clock (20 s if not said); then all are ended. For measurements of
 * fairness: who has had how much is in the run's database.
 */
#include "guest.h"

#include <sys/wait.h>
#include <time.h>


int
main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2;
	long ms = argc > 2 ? atol(argv[2]) : 20000;
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };
	volatile unsigned long x = 0;
	pid_t pid[64];

	if (n < 1 || n > 64)
		return (1);
	for (int i = 0; i < n; i++) {
		if ((pid[i] = fork()) < 0)
			return (1);
		while (pid[i] == 0)
			x++;
	}
	nanosleep(&ts, NULL);
	for (int i = 0; i < n; i++)
		kill(pid[i], SIGKILL);
	for (int i = 0; i < n; i++)
		if (wait(NULL) < 0)
			return (1);
	return (0);
}
