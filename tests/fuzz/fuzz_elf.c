/*
 * fuzz_elf: the ELF header parser. What it accepts must keep its promises:
 * segments ascending, disjoint, inside the file and the user's addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/elf_info.h"
#include "sim/uproc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *data;
	size_t size;
};

static ssize_t
bytes_pread(void *ctx, void *buf, size_t n, uint64_t off)
{
	const struct bytes *b = ctx;

	if (off >= b->size)
		return 0;
	if (n > b->size - off)
		n = b->size - off;
	memcpy(buf, b->data + off, n);
	return (ssize_t)n;
}

static void
must(bool fact)
{
	if (!fact)
		abort();
}

static void
check_accepted(const struct elf_info *in, size_t size)
{
	uint64_t end = 0;

	must(in->nsegments > 0 && in->nsegments <= ELF_SEGMENTS_MAX);
	must(memchr(in->interp, '\0', sizeof(in->interp)) != NULL);
	must(in->align >= PAGE_SIZE && (in->align & (in->align - 1)) == 0);
	for (unsigned i = 0; i < in->nsegments; i++) {
		const struct elf_segment *s = &in->seg[i];

		must(s->memsz > 0 && s->filesz <= s->memsz);
		must(s->offset <= size || s->filesz == 0);
		must(s->filesz <= size);
		must(s->vaddr >= end && s->vaddr >= in->low);
		end = s->vaddr + s->memsz;
		must(end > s->vaddr && end <= in->high);
	}
	must(in->high <= USER_VA_MAX + PAGE_SIZE);
	must(in->entry >= in->low && in->entry < in->high);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct sim_err err;
	struct elf_info *info = malloc(sizeof(*info));

	must(info != NULL);
	memset(&err, 0, sizeof(err));
	if (elf_parse("fuzz", bytes_pread, &b, size, info, &err) == 0)
		check_accepted(info, size);
	else
		must(err.text[0] != '\0' && strchr(err.text, '\n') == NULL);
	free(info);
	return 0;
}
