/*
 * fork_storm: waves of children, each of which changes a part of what it
 * inherited, checks that it is alone with its changes, and exits.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define NAME "fork_storm"

/* A child's life; its exit status tells how it went. */
static int
child(uint64_t *a, uint64_t pages, uint64_t touch, uint64_t live,
    uint64_t number)
{
	uint64_t seed = number;

	for (uint64_t i = 0; i < touch; i++) {
		uint64_t p = guest_below(&seed, pages);
		uint64_t *w = a + p * (GUEST_PAGE / 8);

		if (w[0] != p)
			return (1);
		w[1] += number;
		if (w[1] % number != 0)
			return (2);
	}
	guest_sleep_ms(live);
	return (0);
}

static void
start(uint64_t *a, uint64_t pages, uint64_t touch, uint64_t live,
    uint64_t number)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror(NAME ": fork");
		exit(71);
	}
	if (pid == 0)
		_exit(child(a, pages, touch, live, number));
}

static uint64_t
reap(void)
{
	int status;

	if (wait(&status) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0) {
		fprintf(stderr, NAME ": a child ended with %#x\n", status);
		exit(70);
	}
	return (1);
}

int
main(int argc, char **argv)
{
	uint64_t size = 256 << 10, waves = 10, wave = 20, touch = 10,
	    live = 0, sum = 0;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 36, "bytes inherited" },
		{ "waves", &waves, 1, UINT64_MAX, "waves" },
		{ "wave", &wave, 1, 100000, "children in a wave" },
		{ "touch", &touch, 0, 1u << 24, "pages a child changes" },
		{ "live", &live, 0, 1u << 30, "milliseconds it then sleeps" },
		{ NULL, NULL, 0, 0, NULL },
	};
	uint64_t pages, n = 0, *a;

	guest_options(argc, argv, NAME,
	    "Forks waves of children that change what they inherited.",
	    options);
	pages = size / GUEST_PAGE;
	a = guest_memory(NAME, size);
	for (uint64_t p = 0; p < pages; p++)
		a[p * (GUEST_PAGE / 8)] = p;
	for (uint64_t w = 0; w < waves; w++) {
		for (uint64_t c = 0; c < wave; c++)
			start(a, pages, touch, live, ++n);
		for (uint64_t c = 0; c < wave; c++)
			sum = guest_mix(sum, reap());
	}
	return (guest_done(NAME, sum));
}
