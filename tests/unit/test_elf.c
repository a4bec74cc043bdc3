/*
 * ELF headers: what is refused, with which line, and what is found.
 * Method: a small program made here, byte by byte; all its prefixes, tables
 * of single damaged fields, and this test's own executable.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/elf_info.h"
#include "sim/uproc.h"
#include "small_elf.h"
#include "suite.h"

#define BASE SMALL_BASE
#define NPH SMALL_PHDRS

struct bytes {
	const void *data;
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
	memcpy(buf, (const char *)b->data + off, n);
	return (ssize_t)n;
}

static int
parse(const void *data, size_t size, struct elf_info *info,
    struct sim_err *err)
{
	/* a copy of the exact size, so that a sanitizer sees an overrun */
	void *copy = malloc(size + (size == 0));
	struct bytes b = { copy, size };
	int error;

	memcpy(copy, data, size);
	memset(err, 0, sizeof(*err));
	error = elf_parse("prog", bytes_pread, &b, size, info, err);
	free(copy);
	return error;
}

/* One line, that begins with the file's name. */
static void
ck_line(const struct sim_err *err)
{
	ck_assert_msg(strncmp(err->text, "prog: ", 6) == 0, "'%s'", err->text);
	ck_assert_ptr_null(strchr(err->text, '\n'));
	ck_assert_uint_gt(strlen(err->text), 12);
}

START_TEST(small_is_understood)
{
	static struct elf_info info;
	struct sim_err err;
	struct small s;

	small_make(&s);
	ck_assert_msg(parse(&s, sizeof(s), &info, &err) == 0, "%s", err.text);
	ck_assert(!info.dyn && !info.exec_stack);
	ck_assert_uint_eq(info.entry, s.eh.e_entry);
	ck_assert_uint_eq(info.phdr_vaddr, BASE + 64);
	ck_assert_uint_eq(info.phnum, NPH);
	ck_assert_uint_eq(info.nsegments, 2);
	ck_assert_uint_eq(info.low, BASE);
	ck_assert_uint_eq(info.high, BASE + 0x5000);
	ck_assert_uint_eq(info.seg[1].memsz, 0x3000);
	ck_assert_uint_eq(info.seg[1].filesz, 64);
	ck_assert_int_eq(info.seg[0].prot, VM_PROT_READ | VM_PROT_EXECUTE);
	ck_assert_int_eq(info.seg[1].prot, VM_PROT_READ | VM_PROT_WRITE);
	ck_assert_str_eq(info.interp, "/lib64/ld-linux-x86-64.so.2");
}
END_TEST

START_TEST(every_prefix_is_refused)
{
	static struct elf_info info;
	struct sim_err err;
	struct small s;

	small_make(&s);
	for (size_t n = 0; n < sizeof(s); n++) {
		ck_assert_msg(parse(&s, n, &info, &err) == -ENOEXEC,
		    "prefix of %zu bytes", n);
		ck_line(&err);
		if (n >= 4)
			ck_assert_ptr_nonnull(strstr(err.text, "truncated"));
	}
}
END_TEST

/* One field of one, two, four or eight bytes set to a value. */
struct damage {
	size_t at, width;
	uint64_t value;
	const char *says;
};

#define EH(field) offsetof(struct small, eh.field), \
	sizeof(((struct small *)0)->eh.field)
#define PH(i, field) offsetof(struct small, ph[i].field), \
	sizeof(((struct small *)0)->ph[i].field)

static const struct damage damages[] = {
	{ 0, 1, 'M', "not an ELF" },
	{ 0, 2, 0x2123, "not an ELF" }, /* "#!": scripts are not parsed here */
	{ EI_CLASS, 1, ELFCLASS32, "32-bit" },
	{ EI_CLASS, 1, 7, "class 7" },
	{ EI_DATA, 1, ELFDATA2MSB, "data encoding 2" },
	{ EI_VERSION, 1, 9, "version 9" },
	{ EH(e_machine), EM_AARCH64, "AArch64" },
	{ EH(e_machine), EM_386, "i386" },
	{ EH(e_machine), 0, "another machine" },
	{ EH(e_type), ET_REL, "object file" },
	{ EH(e_type), ET_CORE, "type 4" },
	{ EH(e_phentsize), 32, "program header table" },
	{ EH(e_phnum), 0, "program header table" },
	{ EH(e_phnum), 0xffff, "program header table" },
	{ EH(e_phoff), 1 << 20, "truncated" },
	{ EH(e_phoff), UINT64_MAX - 10, "program header 0" },
	{ EH(e_shoff), UINT64_MAX - 1, "section header table" },
	{ EH(e_entry), 0, "entry point" },
	{ EH(e_entry), BASE + 0x1000 + 400, "entry point" },
	{ PH(1, p_filesz), 1, "interpreter's name" },
	{ PH(1, p_filesz), 1 << 20, "interpreter's name" },
	{ PH(1, p_filesz), 5, "not a string" },
	{ PH(1, p_offset), UINT64_MAX, "truncated" },
	{ PH(2, p_filesz), 1 << 20, "more bytes in the file" },
	{ PH(2, p_memsz), UINT64_MAX, "beyond the user's addresses" },
	{ PH(2, p_vaddr), 1ull << 47, "beyond the user's addresses" },
	{ PH(2, p_vaddr), UINT64_MAX - 4095, "beyond the user's addresses" },
	{ PH(2, p_vaddr), BASE + 1, "differ within the page" },
	{ PH(2, p_vaddr), 0, "entry point" },
	{ PH(2, p_align), 1ull << 40, "alignment" },
	{ PH(2, p_offset), 1ull << 63, "truncated" },
	{ PH(2, p_memsz), 0x2000, "overlaps" },
	{ PH(2, p_vaddr), BASE + 0x100000, "overlaps or precedes" },
	{ PH(2, p_flags), PF_R, "entry point" },
	{ PH(2, p_type), PT_NOTE, "entry point" },
	{ PH(3, p_offset), 0x7000 + offsetof(struct small, data),
	    "truncated" },
};

START_TEST(damaged_field)
{
	const struct damage *d = &damages[_i];
	static struct elf_info info;
	struct sim_err err;
	struct small s;

	small_make(&s);
	memcpy((char *)&s + d->at, &d->value, d->width);
	ck_assert_msg(parse(&s, sizeof(s), &info, &err) == -ENOEXEC,
	    "damage %d accepted", _i);
	ck_line(&err);
	ck_assert_msg(strstr(err.text, d->says) != NULL,
	    "damage %d: '%s' does not say '%s'", _i, err.text, d->says);
}
END_TEST

START_TEST(no_segments)
{
	static struct elf_info info;
	struct sim_err err;
	struct small s;

	small_make(&s);
	s.ph[2].p_type = s.ph[3].p_type = PT_NULL;
	ck_assert_int_eq(parse(&s, sizeof(s), &info, &err), -ENOEXEC);
	ck_assert_ptr_nonnull(strstr(err.text, "no segment"));
	small_make(&s);
	s.ph[2].p_vaddr -= BASE;
	s.ph[3].p_vaddr -= BASE;
	s.eh.e_entry -= BASE;
	ck_assert_int_eq(parse(&s, sizeof(s), &info, &err), -ENOEXEC);
	ck_assert_ptr_nonnull(strstr(err.text, "link it higher"));
	s.eh.e_type = ET_DYN; /* position-independent: fine there */
	ck_assert_int_eq(parse(&s, sizeof(s), &info, &err), 0);
}
END_TEST

static ssize_t
failing_pread(void *ctx, void *buf, size_t n, uint64_t off)
{
	int *left = ctx;

	if ((*left)-- > 0) {
		struct small s;

		small_make(&s);
		memcpy(buf, (char *)&s + off, n);
		return (ssize_t)n;
	}
	return -EIO;
}

/* A read that fails at any point is one line, too. */
START_TEST(unreadable)
{
	static struct elf_info info;
	struct sim_err err;

	/* ident, header, program headers, interpreter's name */
	for (int ok = 0; ok <= 3 + NPH; ok++) {
		int left = ok, error;

		memset(&err, 0, sizeof(err));
		error = elf_parse("prog", failing_pread, &left,
		    sizeof(struct small), &info, &err);
		if (ok == 3 + NPH) {
			ck_assert_int_eq(error, 0);
			continue;
		}
		ck_assert_int_eq(error, -EIO);
		ck_line(&err);
	}
}
END_TEST

static ssize_t
fd_pread(void *ctx, void *buf, size_t n, uint64_t off)
{
	return pread(*(int *)ctx, buf, n, (off_t)off);
}

START_TEST(real_program)
{
	static struct elf_info info;
	struct sim_err err;
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);
	uint64_t whole;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	whole = (uint64_t)st.st_size;
	ck_assert_msg(elf_parse("prog", fd_pread, &fd, whole, &info, &err)
		== 0, "%s", err.text);
	ck_assert_uint_gt(info.nsegments, 1);
	ck_assert_uint_ne(info.phdr_vaddr, 0);
	for (uint64_t n = 0; n < whole; n += 1 + whole / 999) {
		memset(&err, 0, sizeof(err));
		ck_assert_int_eq(elf_parse("prog", fd_pread, &fd, n, &info,
				     &err), -ENOEXEC);
		ck_line(&err);
	}
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("elf");
	TCase *tc = tcase_create("elf");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, small_is_understood);
	tcase_add_test(tc, every_prefix_is_refused);
	tcase_add_loop_test(tc, damaged_field, 0,
	    sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(tc, no_segments);
	tcase_add_test(tc, unreadable);
	tcase_add_test(tc, real_program);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
