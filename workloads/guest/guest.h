/*
 * guest.h: what the programs of workloads/guest share: options with sizes and
 * counts, --help, a random generator, a checksum. Integers only, nothing of
 * the environment: the line that a program prints depends on its options.
 */
#ifndef VMSIM_WORKLOADS_GUEST_H
#define VMSIM_WORKLOADS_GUEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define GUEST_PAGE 4096u

struct guest_option {
	const char *name; /* without "--"; NULL at the end */
	uint64_t *value; /* holds the default */
	uint64_t min, max;
	const char *help;
};

static inline void
guest_help(const char *name, const char *what, const struct guest_option *o)
{
	printf("usage: %s [--OPTION=N]...\n%s\nNumbers take K, M and G "
	    "(powers of 1024).\n\n", name, what);
	for (; o->name != NULL; o++)
		printf("  --%-10s %s (%llu)\n", o->name, o->help,
		    (unsigned long long)*o->value);
	exit(0);
}

static inline void
guest_bad(const char *name, const char *arg, const char *why)
{
	fprintf(stderr, "%s: %s: %s; see --help\n", name, arg, why);
	exit(64);
}

static inline uint64_t
guest_number(const char *name, const char *arg, const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 10);
	unsigned shift = 0;

	if (end == text)
		guest_bad(name, arg, "this is no number");
	if (*end == 'K' || *end == 'M' || *end == 'G') {
		shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
		end++;
	}
	if (*end != '\0' || v > (UINT64_MAX >> shift))
		guest_bad(name, arg, "this is no number");
	return (v << shift);
}

/* "--name=N" and "--name N". */
static inline void
guest_options(int argc, char **argv, const char *name, const char *what,
    const struct guest_option *options)
{
	for (int i = 1; i < argc; i++) {
		const struct guest_option *o = options;
		const char *arg = argv[i], *text;
		size_t n;

		if (strcmp(arg, "--help") == 0)
			guest_help(name, what, options);
		if (strncmp(arg, "--", 2) != 0)
			guest_bad(name, arg, "this is no option");
		n = strcspn(arg + 2, "=");
		while (o->name != NULL && (strlen(o->name) != n ||
		    strncmp(o->name, arg + 2, n) != 0))
			o++;
		if (o->name == NULL)
			guest_bad(name, arg, "there is no such option");
		text = arg[2 + n] == '=' ? arg + 3 + n :
		    i + 1 < argc ? argv[++i] : "";
		*o->value = guest_number(name, arg, text);
		if (*o->value < o->min || *o->value > o->max)
			guest_bad(name, arg, "the number is out of range");
	}
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t
guest_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31));
}

/* Below bound, by the upper half of a product; its bias is below 2^-32 for
 * all bounds in use. */
static inline uint64_t
guest_below(uint64_t *state, uint64_t bound)
{
	return ((uint64_t)(((unsigned __int128)guest_random(state) * bound) >>
	    64));
}

static inline uint64_t
guest_mix(uint64_t sum, uint64_t v)
{
	sum ^= v + 0x9e3779b97f4a7c15u + (sum << 6) + (sum >> 2);
	return (sum * 0x100000001b3u);
}

/* Memory of its own, zero, not from malloc's bins. */
static inline void *
guest_memory(const char *name, uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "%s: no memory for %llu bytes\n", name,
		    (unsigned long long)bytes);
		exit(71);
	}
	return (p);
}

static inline void
guest_sleep_ms(uint64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	while (ms != 0 && nanosleep(&ts, &ts) != 0)
		continue;
}

static inline int
guest_done(const char *name, uint64_t sum)
{
	printf("%s %016llx\n", name, (unsigned long long)sum);
	return (fflush(stdout) == 0 ? 0 : 74);
}

#endif
