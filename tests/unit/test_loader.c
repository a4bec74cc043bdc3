/*
 * Programs in memory: segments, bss, interpreter, stack at entry, scripts,
 * and what is refused.
 * Method: small programs written to a scratch directory, loaded through the
 * real kernel and file tree, then read back page by page.
 */
#include <elf.h>

#include "small_elf.h"
#include "suite.h"
#include "sys_rig.h"

#define LD_SO "/lib64/ld-linux-x86-64.so.2"

struct image { /* a loaded program */
	struct vmspace *vs;
	struct load_result res;
	struct sim_err err;
	int error;
};

static char *
path_in(rig *m, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", m->tmp, name);
	return (path);
}

static void
put_file(rig *m, const char *name, const void *data, size_t n, mode_t mode)
{
	FILE *f = fopen(path_in(m, name), "wb");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path_in(m, name), mode), 0);
}

static void
put_text(rig *m, const char *name, const char *text)
{
	put_file(m, name, text, strlen(text), 0755);
}

/* Text is 1, 2, 3 ...; data 200, 199 ... */
static void
put_program(rig *m, const char *name, uint16_t type, bool interp)
{
	struct small s;

	small_make(&s);
	s.eh.e_type = type;
	for (unsigned i = 0; i < sizeof(s.text); i++)
		s.text[i] = (unsigned char)(i + 1);
	for (unsigned i = 0; i < sizeof(s.data); i++)
		s.data[i] = (unsigned char)(200 - i);
	if (!interp)
		s.ph[1].p_type = PT_NULL;
	if (type == ET_DYN) {
		s.eh.e_entry -= SMALL_BASE;
		for (unsigned i = 0; i < 4; i++)
			s.ph[i].p_vaddr -= SMALL_BASE;
	}
	put_file(m, name, &s, sizeof(s), 0755);
}

static void
load(rig *m, struct image *im, const char *path, char *const *argv,
    char *const *env)
{
	memset(im, 0, sizeof(*im));
	im->vs = vmspace_alloc(m->vm, USER_VA_MIN, USER_VA_MAX);
	ck_assert_ptr_nonnull(im->vs);
	im->error = load_program(m->vm, m->vfs, NULL, im->vs, path, argv, env,
	    8u << 20, &im->res, &im->err);
}

static void
unload(rig *m, struct image *im)
{
	free(im->res.exe_path);
	vmspace_free(m->vm, im->vs);
}

static void
peek(rig *m, struct image *im, uint64_t va, void *buf, size_t n)
{
	ck_assert_msg(vm_copyin(m->vm, im->vs, va, buf, n) == 0,
	    "nothing at %#llx", (unsigned long long)va);
}

static uint64_t
peek_word(rig *m, struct image *im, uint64_t va)
{
	uint64_t word;

	peek(m, im, va, &word, sizeof(word));
	return (word);
}

static const char *
peek_string(rig *m, struct image *im, uint64_t va)
{
	static char text[512];
	size_t n;

	ck_assert_int_eq(vm_copyinstr(m->vm, im->vs, va, text, sizeof(text),
			     &n), 0);
	return (text);
}

/* Value of one auxiliary entry; found: how often it is there. */
static uint64_t
aux(rig *m, struct image *im, uint64_t type, unsigned *found)
{
	uint64_t at = im->res.sp + 8, value = 0;

	*found = 0;
	for (unsigned i = 0; i < 2; i++) { /* argv, envp */
		while (peek_word(m, im, at) != 0)
			at += 8;
		at += 8;
	}
	for (; peek_word(m, im, at) != AT_NULL; at += 16) {
		if (peek_word(m, im, at) == type) {
			value = peek_word(m, im, at + 8);
			++*found;
		}
	}
	return (value);
}

static uint64_t
aux1(rig *m, struct image *im, uint64_t type)
{
	unsigned found;
	uint64_t value = aux(m, im, type, &found);

	ck_assert_uint_eq(found, 1);
	return (value);
}

static void
ck_arg(rig *m, struct image *im, unsigned i, const char *text)
{
	ck_assert_str_eq(peek_string(m, im,
			     peek_word(m, im, im->res.sp + 8 + 8 * i)),
	    text);
}

/* ------------------------------------------------------------- segments */

static void
segments(rig *m)
{
	char *argv[] = { "x", NULL };
	unsigned char page[PAGE_SIZE * 3];
	size_t data = offsetof(struct small, data);
	struct vm_map_info mi;
	struct image im;

	put_program(m, "prog", ET_EXEC, false);
	load(m, &im, path_in(m, "prog"), argv, NULL);
	ck_assert_msg(im.error == 0, "%s", im.err.text);
	ck_assert_uint_eq(im.res.entry,
	    SMALL_BASE + offsetof(struct small, text));
	ck_assert_uint_eq(im.res.brk_start, SMALL_BASE + 0x5000);
	ck_assert_str_eq(im.res.exe_path, path_in(m, "prog"));
	/* text: the file's first page */
	ck_assert(vm_map_info(im.vs, SMALL_BASE, &mi));
	ck_assert_uint_eq(mi.start, SMALL_BASE);
	ck_assert_int_eq(mi.prot, VM_PROT_READ | VM_PROT_EXECUTE);
	ck_assert(!mi.shared && mi.vp != NULL && mi.offset == 0);
	peek(m, &im, im.res.entry, page, 100);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(page[i], i + 1);
	/* data: the page's head is the file's, its tail is zero, and so are
	 * the pages of bss */
	peek(m, &im, SMALL_BASE + 0x1000, page, sizeof(page));
	ck_assert_mem_eq(page, ELFMAG, SELFMAG);
	for (unsigned i = 0; i < 64; i++)
		ck_assert_uint_eq(page[data + i], 200 - i);
	for (size_t i = data + 64; i < sizeof(page); i++)
		ck_assert_msg(page[i] == 0, "bss byte %zu is %u", i, page[i]);
	ck_assert(vm_map_info(im.vs, SMALL_BASE + 0x1000, &mi));
	ck_assert_int_eq(mi.prot, VM_PROT_READ | VM_PROT_WRITE);
	ck_assert(vm_map_info(im.vs, SMALL_BASE + 0x2000, &mi));
	ck_assert_ptr_null(mi.vp);
	ck_assert_uint_eq(mi.end, im.res.brk_start);
	unload(m, &im);
}

START_TEST(segments_and_bss)
{
	rig_test(NULL, segments);
}
END_TEST

/* ----------------------------------------------------- the stack at entry */

static void
stack(rig *m)
{
	char *argv[] = { "one", "", "three three", NULL };
	char *env[] = { "A=1", "LONG_NAME=a longer value", NULL };
	uint64_t words, random[2];
	struct image im;
	unsigned found;

	put_program(m, "prog", ET_EXEC, false);
	for (unsigned argc = 1; argc <= 3; argc++) {
		argv[argc] = NULL;
		load(m, &im, path_in(m, "prog"), argv, env);
		argv[1] = "";
		argv[2] = "three three";
		ck_assert_msg(im.error == 0, "%s", im.err.text);
		ck_assert_uint_eq(im.res.sp % 16, 0);
		ck_assert_uint_eq(peek_word(m, &im, im.res.sp), argc);
		ck_arg(m, &im, 0, "one");
		words = 1 + argc;
		ck_assert_uint_eq(peek_word(m, &im, im.res.sp + 8 * words), 0);
		ck_arg(m, &im, argc + 1, "A=1");
		ck_arg(m, &im, argc + 2, "LONG_NAME=a longer value");
		ck_assert_uint_eq(peek_word(m, &im,
				      im.res.sp + 8 * (words + 3)), 0);
		ck_assert_str_eq(peek_string(m, &im, im.res.arg_start),
		    "one");
		ck_assert_uint_eq(im.res.arg_end, im.res.env_start);
		ck_assert_str_eq(peek_string(m, &im, im.res.env_start),
		    "A=1");
		ck_assert_uint_eq(im.res.env_end, aux1(m, &im, AT_EXECFN));
		ck_assert_uint_eq(aux1(m, &im, AT_PHDR), SMALL_BASE + 64);
		ck_assert_uint_eq(aux1(m, &im, AT_PHNUM), SMALL_PHDRS);
		ck_assert_uint_eq(aux1(m, &im, AT_PHENT), 56);
		ck_assert_uint_eq(aux1(m, &im, AT_PAGESZ), 4096);
		ck_assert_uint_eq(aux1(m, &im, AT_BASE), 0);
		ck_assert_uint_eq(aux1(m, &im, AT_ENTRY), im.res.entry);
		ck_assert_uint_eq(aux1(m, &im, AT_SECURE), 0);
		ck_assert_uint_eq(aux1(m, &im, AT_CLKTCK), 100);
		ck_assert_uint_ge(aux1(m, &im, AT_MINSIGSTKSZ), 1024);
		ck_assert_str_eq(peek_string(m, &im,
				     aux1(m, &im, AT_PLATFORM)), "x86_64");
		ck_assert_str_eq(peek_string(m, &im,
				     aux1(m, &im, AT_EXECFN)),
		    path_in(m, "prog"));
		peek(m, &im, aux1(m, &im, AT_RANDOM), random, 16);
		ck_assert_uint_ne(random[0], 0);
		aux(m, &im, AT_SYSINFO_EHDR, &found);
		ck_assert_uint_eq(found, 0);
		unload(m, &im);
	}
}

START_TEST(stack_at_entry)
{
	rig_test(NULL, stack);
}
END_TEST

/* ------------------------------------------------- position-independent */

static void
pie(rig *m)
{
	char *argv[] = { "x", NULL };
	struct vm_map_info mi;
	struct image a, b;
	uint64_t base;

	put_program(m, "pie", ET_DYN, true);
	load(m, &a, path_in(m, "pie"), argv, NULL);
	ck_assert_msg(a.error == 0, "%s", a.err.text);
	base = aux1(m, &a, AT_BASE);
	ck_assert_uint_eq(aux1(m, &a, AT_PHDR), USER_PIE_BASE + 64);
	ck_assert_uint_eq(aux1(m, &a, AT_ENTRY),
	    USER_PIE_BASE + offsetof(struct small, text));
	ck_assert_uint_eq(a.res.brk_start, USER_PIE_BASE + 0x5000);
	ck_assert_uint_eq(base % PAGE_SIZE, 0);
	ck_assert_uint_lt(base, USER_MMAP_TOP);
	ck_assert_uint_gt(base, USER_MMAP_TOP - (1 << 20));
	ck_assert_uint_gt(a.res.entry, base);
	ck_assert_uint_lt(a.res.entry, USER_MMAP_TOP);
	ck_assert(vm_map_info(a.vs, a.res.entry, &mi));
	ck_assert(mi.start <= a.res.entry && mi.vp != NULL);
	ck_assert_int_eq(mi.prot, VM_PROT_READ | VM_PROT_EXECUTE);
	/* nothing is random */
	load(m, &b, path_in(m, "pie"), argv, NULL);
	ck_assert_uint_eq(a.res.entry, b.res.entry);
	ck_assert_uint_eq(a.res.sp, b.res.sp);
	ck_assert_uint_eq(base, aux1(m, &b, AT_BASE));
	for (uint64_t va = a.res.sp; va < USER_STACK_TOP; va += 8)
		ck_assert_uint_eq(peek_word(m, &a, va), peek_word(m, &b, va));
	unload(m, &a);
	unload(m, &b);
}

START_TEST(pie_and_interpreter)
{
	rig_test(NULL, pie);
}
END_TEST

/* --------------------------------------------------------------- scripts */

static void
scripts(rig *m)
{
	char *argv[] = { "zero", "a", "b", NULL };
	char text[600], s1[256];
	struct image im;

	put_program(m, "prog", ET_EXEC, false);
	snprintf(text, sizeof(text), "#! %s/prog  -x  y \t\nrest\n", m->tmp);
	put_text(m, "s1", text);
	strcpy(s1, path_in(m, "s1"));
	load(m, &im, s1, argv, NULL);
	ck_assert_msg(im.error == 0, "%s", im.err.text);
	ck_assert_uint_eq(peek_word(m, &im, im.res.sp), 5);
	ck_arg(m, &im, 0, path_in(m, "prog"));
	ck_arg(m, &im, 1, "-x  y"); /* one argument, as it stands */
	ck_arg(m, &im, 2, s1);
	ck_arg(m, &im, 3, "a");
	ck_arg(m, &im, 4, "b");
	ck_assert_str_eq(im.res.exe_path, path_in(m, "prog"));
	ck_assert_str_eq(peek_string(m, &im, aux1(m, &im, AT_EXECFN)), s1);
	unload(m, &im);
	/* a script of a script, no argument, no newline at the end */
	snprintf(text, sizeof(text), "#!%s", s1);
	put_text(m, "s2", text);
	load(m, &im, path_in(m, "s2"), argv, NULL);
	ck_assert_msg(im.error == 0, "%s", im.err.text);
	ck_assert_uint_eq(peek_word(m, &im, im.res.sp), 6);
	ck_arg(m, &im, 0, path_in(m, "prog"));
	ck_arg(m, &im, 1, "-x  y");
	ck_arg(m, &im, 2, s1);
	ck_arg(m, &im, 3, path_in(m, "s2"));
	unload(m, &im);
}

START_TEST(scripts_are_followed)
{
	rig_test(NULL, scripts);
}
END_TEST

/* --------------------------------------------------------------- refusals */

static void
ck_refused(rig *m, const char *path, char *const *argv, int error,
    const char *says)
{
	struct image im;
	struct sim_err err = { "" };

	load(m, &im, path, argv, NULL);
	ck_assert_msg(im.error == error, "%s: %d (%s)", path, im.error,
	    im.err.text);
	ck_assert_msg(strstr(im.err.text, says) != NULL,
	    "'%s' does not say '%s'", im.err.text, says);
	ck_assert_ptr_null(strchr(im.err.text, '\n'));
	if (argv[0] != NULL && strlen(argv[0]) < 100)
		ck_assert_int_eq(load_check(m->vfs, NULL, path, NULL,
		    NULL, 8u << 20, &err), error);
	unload(m, &im);
}

static void
refusals(rig *m)
{
	static char big[(128 << 10) + 1];
	char *argv[] = { "x", NULL }, *bigv[] = { big, NULL }, text[400];
	struct small s;

	ck_refused(m, path_in(m, "missing"), argv, -ENOENT, "missing: ");
	ck_refused(m, m->tmp, argv, -EISDIR, "is a directory");
	put_file(m, "plain", "text\n", 5, 0644);
	ck_refused(m, path_in(m, "plain"), argv, -EACCES, "chmod +x");
	put_text(m, "text", "text\n");
	ck_refused(m, path_in(m, "text"), argv, -ENOEXEC, "not an ELF");
	put_text(m, "empty", "");
	ck_refused(m, path_in(m, "empty"), argv, -ENOEXEC, "empty");
	put_text(m, "bare", "#!  \nx\n");
	ck_refused(m, path_in(m, "bare"), argv, -ENOEXEC,
	    "names no interpreter");
	put_text(m, "nointerp", "#!/nowhere/sh\n");
	ck_refused(m, path_in(m, "nointerp"), argv, -ENOENT, "/nowhere/sh");
	snprintf(text, sizeof(text), "#!%s/loop\n", m->tmp);
	put_text(m, "loop", text);
	ck_refused(m, path_in(m, "loop"), argv, -ELOOP, "levels of #!");
	small_make(&s);
	strcpy(s.interp, "/lib64/ld-missing.so.2");
	s.ph[1].p_filesz = strlen(s.interp) + 1;
	put_file(m, "noso", &s, sizeof(s), 0755);
	ck_refused(m, path_in(m, "noso"), argv, -ENOENT, "ld-missing.so.2");
	strcpy(s.interp, "/etc/passwd");
	s.ph[1].p_filesz = strlen(s.interp) + 1;
	put_file(m, "badso", &s, sizeof(s), 0755);
	ck_refused(m, path_in(m, "badso"), argv, -ELIBBAD, "/etc/passwd");
	put_program(m, "prog", ET_EXEC, false);
	memset(big, 'a', sizeof(big) - 1);
	ck_refused(m, path_in(m, "prog"), bigv, -E2BIG, "bytes");
}

START_TEST(refused)
{
	rig_test(NULL, refusals);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { segments_and_bss, stack_at_entry,
		pie_and_interpreter, scripts_are_followed, refused };

	return (SUITE_MAIN("loader", tests));
}
