/*
 * crowd live N: N processes at once, each with 40 KB of its own that it
 * checks when all are there.
 * crowd storm N M: N forks, at most M alive at a time.
 * crowd hog MB: a child that fills so much memory and checks it; its end is
 * reported.
 * crowd bomb: forks until it is refused, then takes all down.
 */
#include "guest.h"

#include <sys/wait.h>

#define OWN 40000

static int
live(int n)
{
	int ready[2], go[2], st, bad = 0, count = 0;
	char c;

	if (pipe(ready) != 0 || pipe(go) != 0)
		return (1);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		long sum = 0;
		char *p;

		if (pid < 0)
			return (2);
		if (pid != 0)
			continue;
		close(go[1]);
		p = malloc(OWN);
		memset(p, i % 100, OWN);
		(void)!write(ready[1], "x", 1);
		(void)!read(go[0], &c, 1);
		for (int k = 0; k < OWN; k++)
			sum += p[k];
		_exit(sum != (long)OWN * (i % 100));
	}
	for (int i = 0; i < n; i++)
		if (read(ready[0], &c, 1) != 1)
			return (3);
	close(go[1]);
	while (wait(&st) > 0) {
		count++;
		bad += st != 0;
	}
	printf("%d children, %d bad\n", count, bad);
	return (bad != 0);
}

static int
storm(int n, int most)
{
	static char data[8 * PAGE];
	int alive = 0, st;
	long sum = 0;

	memset(data, 1, sizeof(data));
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return (2);
		if (pid == 0) {
			data[(size_t)i * 512 % sizeof(data)] = 2;
			_exit(i % 64);
		}
		if (++alive < most)
			continue;
		if (wait(&st) < 0)
			return (3);
		sum += WEXITSTATUS(st);
		alive--;
	}
	while (wait(&st) > 0)
		sum += WEXITSTATUS(st);
	printf("%ld\n", sum);
	return (0);
}

static int
hog(size_t mb)
{
	volatile char *p;
	size_t n = mb << 20;
	int st = 0;
	pid_t pid = fork();

	if (pid == 0) {
		p = anon(n, PROT_READ | PROT_WRITE);
		for (size_t i = 0; i < n; i += PAGE)
			p[i] = (char)(i / PAGE);
		for (size_t i = 0; i < n; i += PAGE)
			if (p[i] != (char)(i / PAGE))
				_exit(1);
		_exit(0);
	}
	if (waitpid(pid, &st, 0) != pid)
		return (2);
	if (WIFSIGNALED(st))
		printf("killed by signal %d\n", WTERMSIG(st));
	else
		printf("exit %d\n", WEXITSTATUS(st));
	return (0);
}

static int
bomb(void)
{
	pid_t pid, first = 0;
	int n = 0, st;

	while ((pid = fork()) > 0) {
		if (first == 0)
			first = pid;
		setpgid(pid, first);
		n++;
	}
	while (pid == 0)
		pause();
	printf("refused: %s\n", strerrorname_np(errno));
	kill(-first, SIGTERM);
	while (wait(&st) > 0)
		n--;
	printf("left %d\n", n);
	return (0);
}

int
main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (argc == 3 && strcmp(argv[1], "live") == 0)
		return (live(n));
	if (argc == 4 && strcmp(argv[1], "storm") == 0)
		return (storm(n, atoi(argv[3])));
	if (argc == 3 && strcmp(argv[1], "hog") == 0)
		return (hog((size_t)n));
	if (argc == 2 && strcmp(argv[1], "bomb") == 0)
		return (bomb());
	return (64);
}
