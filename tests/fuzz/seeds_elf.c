/*
 * seeds_elf DIR: writes the seeds of fuzz_elf: a small program as ET_EXEC, as
 * ET_DYN, without an interpreter, and without sections.
 */
#include <stdio.h>
#include <stdlib.h>

#include "small_elf.h"

static void
put(const char *dir, const char *name, const struct small *s, size_t n)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(s, 1, n, f) != n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct small s;

	if (argc != 2) {
		fprintf(stderr, "usage: seeds_elf DIR\n");
		return 1;
	}
	small_make(&s);
	put(argv[1], "exec", &s, sizeof(s));
	s.eh.e_type = ET_DYN;
	put(argv[1], "dyn", &s, sizeof(s));
	s.ph[1].p_type = PT_NULL;
	put(argv[1], "static", &s, sizeof(s));
	s.eh.e_shoff = 0;
	s.eh.e_shnum = 0;
	put(argv[1], "nosections", &s, offsetof(struct small, sh));
	return 0;
}
