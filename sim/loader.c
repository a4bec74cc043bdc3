/*
 * loader.c: fills an empty address space with a program: its segments as
 * file maps, its interpreter, and the stack that Linux promises at entry.
 *
 * Interface: load_program, load_check (uproc.h).
 * Source: Linux fs/binfmt_elf.c and fs/binfmt_script.c for the order of maps,
 * the #! rules and the stack layout; linux_abi_tiers, 'Program entry'.
 * Differs: no randomness: a PIE is always at USER_PIE_BASE, its interpreter
 * below USER_MMAP_TOP, AT_RANDOM's bytes are fixed; no vDSO, so that reading
 * the clock is a system call.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/elf_info.h"
#include "sim/uproc.h"

#define SCRIPT_LEVELS 4 /* #! of #! of ... */
#define SCRIPT_LINE 256 /* bytes looked at, as BINPRM_BUF_SIZE */
#define ARG_MAX_ONE (128u << 10) /* bytes in one string (MAX_ARG_STRLEN) */
#define ARG_MAX_ALL (6ull << 20) /* bytes in all strings */
#define STACK_GAP_MIN (128ull << 20) /* below the top, not for maps */
#define AUX_MAX 24

/* What CPUID leaf 1 of the engine's Westmere says in EDX: Linux's AT_HWCAP. */
#define HWCAP_WESTMERE 0x078bfbfdull
#define MIN_SIG_STACK 2048 /* no XSAVE: the frame fits the classic size */

struct loader {
	struct vm *vm;
	struct vfs *vfs;
	struct inode *cwd;
	struct vmspace *vs;
	struct sim_err *err;
	const char *path; /* as given to execve: AT_EXECFN */
	char *const *env;
	/* arguments after #! handling; strings owned when in `made` */
	const char **argv;
	unsigned argc;
	char *made[2 * SCRIPT_LEVELS];
	unsigned nmade;
	/* program and interpreter */
	struct inode *exe, *interp;
	struct elf_info *exe_elf, *interp_elf;
	uint64_t exe_bias, interp_bias;
	struct load_result *res;
};

static int
load_errno(struct loader *l, const char *path, int error, const char *what)
{
	return sim_err_set(l->err, -error, "%s: %s: %s", path, what,
	    strerror(-error));
}

static ssize_t
read_inode(void *ctx, void *buf, size_t n, uint64_t off)
{
	return inode_pread_raw(ctx, buf, n, off);
}

/* ------------------------------------------------------------ the file */

static int
open_program(struct loader *l, const char *path, const char *role,
    struct inode **out)
{
	struct inode *ip;
	int error = vfs_lookup(l->vfs, l->cwd, path, true, &ip);

	if (error != 0)
		return load_errno(l, path, error, role);
	if (inode_is_directory(ip))
		error = sim_err_set(l->err, EISDIR,
		    "%s: is a directory, not a program", path);
	else if (!inode_is_regular(ip))
		error = sim_err_set(l->err, EACCES,
		    "%s: is not a regular file", path);
	else if ((inode_mode(ip) & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
		error = sim_err_set(l->err, EACCES,
		    "%s: is not executable; chmod +x it", path);
	if (error != 0) {
		inode_rele(ip);
		return error;
	}
	*out = ip;
	return 0;
}

/* ------------------------------------------------------------ scripts */

static char *
skip_blanks(char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static char *
skip_word(char *p)
{
	while (*p != '\0' && *p != ' ' && *p != '\t')
		p++;
	return p;
}

/* Split "#! interpreter [one argument]" in place. */
static bool
script_split(char *line, char **interp, char **arg)
{
	char *end;

	line[strcspn(line, "\n")] = '\0';
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	*interp = skip_blanks(line + 2);
	if (**interp == '\0')
		return false;
	end = skip_word(*interp);
	*arg = skip_blanks(end);
	*end = '\0';
	if (**arg == '\0')
		*arg = NULL;
	return true;
}

static const char *
keep(struct loader *l, const char *text)
{
	char *copy = strdup(text);

	if (copy != NULL)
		l->made[l->nmade++] = copy;
	return copy;
}

/* argv becomes interp [arg] script argv[1] ... */
static int
script_argv(struct loader *l, const char *interp, const char *arg,
    const char *script)
{
	unsigned extra = arg != NULL ? 2 : 1, old = l->argc > 0 ? l->argc : 1;
	unsigned n = old + extra;
	const char **argv = calloc(n + 1, sizeof(*argv));
	const char *name = keep(l, interp);
	const char *opt = arg != NULL ? keep(l, arg) : NULL;

	if (argv == NULL || name == NULL || (arg != NULL && opt == NULL)) {
		free(argv);
		return sim_err_set(l->err, ENOMEM, "%s: out of memory",
		    l->path);
	}
	argv[0] = name;
	if (opt != NULL)
		argv[1] = opt;
	argv[extra] = script;
	for (unsigned i = 1; i < l->argc; i++)
		argv[extra + i] = l->argv[i];
	free(l->argv);
	l->argv = argv;
	l->argc = n;
	return 0;
}

/*
 * Follow #! lines from `path` to an ELF program. *ip is its inode and *name
 * the path by which it was reached.
 */
static int
resolve_script(struct loader *l, const char *path, struct inode **ip,
    const char **name)
{
	char line[SCRIPT_LINE + 1], *interp, *arg;

	*name = path;
	for (unsigned level = 0;; level++) {
		ssize_t n;
		int error = open_program(l, *name,
		    level == 0 ? "cannot run it" : "interpreter of a script",
		    ip);

		if (error != 0)
			return error;
		n = inode_pread_raw(*ip, line, SCRIPT_LINE, 0);
		if (n < 2 || line[0] != '#' || line[1] != '!')
			return 0;
		inode_rele(*ip);
		*ip = NULL;
		line[n] = '\0';
		if (level == SCRIPT_LEVELS)
			return sim_err_set(l->err, ELOOP,
			    "%s: more than %d levels of #! scripts", path,
			    SCRIPT_LEVELS);
		if (strlen(line) < (size_t)n || !script_split(line, &interp,
			&arg))
			return sim_err_set(l->err, ENOEXEC,
			    "%s: its #! line names no interpreter", *name);
		error = script_argv(l, interp, arg, *name);
		if (error != 0)
			return error;
		*name = l->argv[0];
	}
}

/* ------------------------------------------------------------ the images */

static int
parse_image(struct loader *l, const char *name, struct inode *ip,
    struct elf_info **out)
{
	*out = malloc(sizeof(**out));
	if (*out == NULL)
		return sim_err_set(l->err, ENOMEM, "%s: out of memory", name);
	return elf_parse(name, read_inode, ip, inode_size(ip), *out, l->err);
}

/* Headers of the program and of its interpreter; nothing is mapped yet. */
static int
find_images(struct loader *l, const char *path)
{
	const char *name, *interp;
	struct sim_err why;
	int error = resolve_script(l, path, &l->exe, &name);

	if (error == 0)
		error = parse_image(l, name, l->exe, &l->exe_elf);
	if (error != 0)
		return error;
	interp = l->exe_elf->interp;
	if (interp[0] == '\0')
		return 0;
	error = vfs_lookup(l->vfs, NULL, interp, true, &l->interp);
	if (error != 0)
		return sim_err_set(l->err, -error, "%s: its interpreter %s: "
		    "%s; install it (dpkg -S %s) or give a static program",
		    name, interp, strerror(-error), interp);
	if (!inode_is_regular(l->interp))
		return sim_err_set(l->err, EACCES,
		    "%s: its interpreter %s is not a regular file", name,
		    interp);
	l->interp_elf = malloc(sizeof(*l->interp_elf));
	if (l->interp_elf == NULL)
		return sim_err_set(l->err, ENOMEM, "%s: out of memory", name);
	error = elf_parse(interp, read_inode, l->interp,
	    inode_size(l->interp), l->interp_elf, &why);
	if (error == 0)
		return 0;
	return sim_err_set(l->err, error == -ENOEXEC ? ELIBBAD : -error,
	    "interpreter of %s: %s", name, why.text);
}

/* ------------------------------------------------------------ segments */

static int
map_error(struct loader *l, const char *name, int error, uint64_t va,
    uint64_t bytes)
{
	return sim_err_set(l->err, error,
	    "%s: cannot map %llu bytes at %#llx: %s", name,
	    (unsigned long long)bytes, (unsigned long long)va,
	    strerror(error));
}

static uint64_t
page_down(uint64_t va)
{
	return va & ~(uint64_t)PAGE_MASK;
}

static uint64_t
page_up(uint64_t va)
{
	return page_down(va + PAGE_MASK);
}

static int
map_fixed(struct loader *l, struct inode *ip, uint64_t from, uint64_t to,
    int prot, struct vnode *vp, uint64_t offset)
{
	vm_offset_t at = from;
	int error;

	if (from == to)
		return 0;
	error = vm_mmap(l->vm, l->vs, &at, to - from, prot, VM_PROT_ALL,
	    VM_MAP_FIXED | (vp != NULL ? VM_MAP_PREFAULT : 0), vp, offset);
	return error == 0 ? 0 :
			    map_error(l, inode_path(ip), error, from,
				to - from);
}

/* The rest of the last file page, and whole pages beyond, read as zero. */
static int
map_bss(struct loader *l, struct inode *ip, const struct elf_segment *s,
    uint64_t bias)
{
	static const char zeroes[PAGE_SIZE];
	uint64_t end = bias + s->vaddr + s->memsz;
	uint64_t file_end = bias + s->vaddr + s->filesz;
	uint64_t file_pages = s->filesz != 0 ? page_up(file_end) :
					       page_down(file_end);
	uint64_t tail = file_pages - file_end;

	if (s->filesz != 0 && tail != 0 && s->memsz > s->filesz &&
	    (s->prot & VM_PROT_WRITE)) {
		int error = vm_copyout(l->vm, l->vs, file_end, zeroes, tail);

		if (error != 0)
			return map_error(l, inode_path(ip), error, file_end,
			    tail);
	}
	if (page_up(end) <= file_pages)
		return 0;
	return map_fixed(l, ip, file_pages, page_up(end), s->prot, NULL, 0);
}

static int
map_segments(struct loader *l, struct inode *ip, const struct elf_info *elf,
    uint64_t bias)
{
	struct vnode *vp = inode_vnode(ip);

	if (vp == NULL)
		return sim_err_set(l->err, ENOSPC,
		    "%s: does not fit on the simulated disk; make it larger",
		    inode_path(ip));
	for (unsigned i = 0; i < elf->nsegments; i++) {
		const struct elf_segment *s = &elf->seg[i];
		uint64_t va = bias + s->vaddr;
		int error = 0;

		if (s->filesz != 0)
			error = map_fixed(l, ip, page_down(va),
			    page_up(va + s->filesz), s->prot, vp,
			    page_down(s->offset));
		if (error == 0)
			error = map_bss(l, ip, s, bias);
		if (error != 0)
			return error;
	}
	return 0;
}

/* Where the interpreter goes: below everything mapped top-down so far. */
static int
place_interp(struct loader *l)
{
	const struct elf_info *elf = l->interp_elf;
	uint64_t span = elf->high - elf->low;
	vm_offset_t at;
	int error;

	if (!elf->dyn) {
		l->interp_bias = 0;
		return 0;
	}
	at = (USER_MMAP_TOP - span) & ~(elf->align - 1);
	error = vm_mmap(l->vm, l->vs, &at, span, VM_PROT_NONE, VM_PROT_ALL, 0,
	    NULL, 0);
	if (error == 0)
		error = vm_munmap(l->vm, l->vs, at, span);
	if (error != 0)
		return map_error(l, l->exe_elf->interp, error, at, span);
	l->interp_bias = at - elf->low;
	return 0;
}

static int
map_images(struct loader *l)
{
	const struct elf_info *elf = l->exe_elf;
	uint64_t base = USER_PIE_BASE & ~(elf->align - 1);
	int error;

	l->exe_bias = elf->dyn ? base - elf->low : 0;
	if (elf->high - elf->low > USER_MMAP_TOP - base)
		return map_error(l, inode_path(l->exe), ENOMEM, elf->low,
		    elf->high - elf->low);
	error = map_segments(l, l->exe, elf, l->exe_bias);
	if (error == 0 && l->interp != NULL) {
		error = place_interp(l);
		if (error == 0)
			error = map_segments(l, l->interp, l->interp_elf,
			    l->interp_bias);
	}
	if (error != 0)
		return error;
	l->res->brk_start = l->exe_bias + elf->high;
	l->res->entry = l->interp != NULL ?
	    l->interp_bias + l->interp_elf->entry :
	    l->exe_bias + elf->entry;
	return 0;
}

/* ------------------------------------------------------------ the stack */

struct stack_image {
	char *bytes; /* what will lie at [base, top) */
	uint64_t base, top;
	uint64_t at; /* address of the lowest byte pushed so far */
};

static uint64_t
push(struct stack_image *s, const void *data, size_t n)
{
	s->at -= n;
	memcpy(s->bytes + (s->at - s->base), data, n);
	return s->at;
}

static uint64_t
push_string(struct stack_image *s, const char *text)
{
	return push(s, text, strlen(text) + 1);
}

static void
push_word(struct stack_image *s, uint64_t word)
{
	push(s, &word, sizeof(word));
}

struct aux {
	uint64_t type, value;
};

/* In Linux's order; what is not named here is not given. */
static unsigned
make_auxv(const struct loader *l, uint64_t random, uint64_t execfn,
    uint64_t platform, struct aux aux[AUX_MAX])
{
	const struct elf_info *elf = l->exe_elf;
	const struct aux all[] = {
		{ AT_HWCAP, HWCAP_WESTMERE },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, 100 },
		{ AT_PHDR, elf->phdr_vaddr != 0 ?
		    l->exe_bias + elf->phdr_vaddr : 0 },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, elf->phnum },
		{ AT_BASE, l->interp_bias },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, l->exe_bias + elf->entry },
		{ AT_UID, 0 },
		{ AT_EUID, 0 },
		{ AT_GID, 0 },
		{ AT_EGID, 0 },
		{ AT_SECURE, 0 },
		{ AT_RANDOM, random },
		{ AT_HWCAP2, 0 },
		{ AT_EXECFN, execfn },
		{ AT_PLATFORM, platform },
		{ AT_MINSIGSTKSZ, MIN_SIG_STACK },
		{ AT_NULL, 0 },
	};

	_Static_assert(sizeof(all) <= AUX_MAX * sizeof(aux[0]), "auxv room");
	memcpy(aux, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static int
strings_size(struct loader *l, char *const *strings, uint64_t *bytes,
    unsigned *count)
{
	for (*count = 0; strings[*count] != NULL; ++*count) {
		size_t n = strlen(strings[*count]) + 1;

		if (n > ARG_MAX_ONE)
			return sim_err_set(l->err, E2BIG,
			    "%s: an argument or environment string of %zu "
			    "bytes; %u are possible; put it into a file",
			    l->path, n, ARG_MAX_ONE);
		*bytes += n + sizeof(uint64_t);
	}
	return 0;
}

static int
stack_room(struct loader *l, uint64_t limit, unsigned *nenv, uint64_t *bytes)
{
	uint64_t most = limit / 4 < ARG_MAX_ALL ? limit / 4 : ARG_MAX_ALL;
	unsigned argc;
	int error;

	*bytes = strlen(l->path) + 1;
	error = strings_size(l, (char *const *)(uintptr_t)l->argv, bytes,
	    &argc);
	if (error == 0)
		error = strings_size(l, l->env, bytes, nenv);
	if (error == 0 && *bytes > most)
		error = sim_err_set(l->err, E2BIG,
		    "%s: %llu bytes of arguments and environment; %llu are "
		    "possible; put them into a file", l->path,
		    (unsigned long long)*bytes, (unsigned long long)most);
	*bytes += AUX_MAX * sizeof(struct aux) + PAGE_SIZE;
	return error;
}

/* Strings from the top down, as Linux: name, environment, arguments. */
static uint64_t
push_strings(struct loader *l, struct stack_image *s, unsigned nenv,
    uint64_t *arg_at, uint64_t *env_at)
{
	uint64_t execfn;

	push_word(s, 0);
	execfn = push_string(s, l->path);
	l->res->env_end = execfn;
	for (unsigned i = nenv; i-- > 0;)
		env_at[i] = push_string(s, l->env[i]);
	l->res->env_start = l->res->arg_end = s->at;
	for (unsigned i = l->argc; i-- > 0;)
		arg_at[i] = push_string(s, l->argv[i]);
	l->res->arg_start = s->at;
	return execfn;
}

static void
push_vectors(struct loader *l, struct stack_image *s, unsigned nenv,
    const uint64_t *arg_at, const uint64_t *env_at, uint64_t execfn)
{
	static const uint8_t random[16] = { 0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a,
		0x7c, 0x15, 0xf3, 0x9c, 0xc0, 0x60, 0x5c, 0xed, 0xc8, 0x34 };
	struct aux aux[AUX_MAX];
	uint64_t platform = push_string(s, "x86_64");
	uint64_t seed, words;
	unsigned naux;

	s->at &= ~15ull;
	seed = push(s, random, sizeof(random));
	naux = make_auxv(l, seed, execfn, platform, aux);
	words = 1 + l->argc + 1 + nenv + 1;
	if (words % 2 != 0)
		push_word(s, 0); /* argc will be 16-byte aligned */
	push(s, aux, naux * sizeof(aux[0]));
	push_word(s, 0);
	push(s, env_at, nenv * sizeof(*env_at));
	push_word(s, 0);
	push(s, arg_at, l->argc * sizeof(*arg_at));
	push_word(s, l->argc);
}

static int
map_stack(struct loader *l, uint64_t limit)
{
	int prot = VM_PROT_READ | VM_PROT_WRITE |
	    (l->exe_elf->exec_stack ? VM_PROT_EXECUTE : 0);
	vm_offset_t at;
	int error;

	if (limit > STACK_GAP_MIN - PAGE_SIZE)
		limit = STACK_GAP_MIN - PAGE_SIZE;
	limit = page_up(limit);
	at = USER_STACK_TOP - limit;
	error = vm_mmap(l->vm, l->vs, &at, limit, prot, VM_PROT_ALL,
	    VM_MAP_FIXED | VM_MAP_STACK, NULL, 0);
	l->res->stack_top = USER_STACK_TOP;
	return error == 0 ? 0 : map_error(l, "the stack", error, at, limit);
}

static int
make_stack(struct loader *l, uint64_t limit)
{
	struct stack_image s = { .top = USER_STACK_TOP, .at = USER_STACK_TOP };
	uint64_t *places = NULL, bytes, execfn;
	unsigned nenv;
	int error = stack_room(l, limit, &nenv, &bytes);

	if (error == 0)
		error = map_stack(l, limit);
	if (error != 0)
		return error;
	s.base = s.top - bytes;
	s.bytes = calloc(1, bytes);
	places = calloc(l->argc + nenv + 1, sizeof(*places));
	if (s.bytes == NULL || places == NULL) {
		error = sim_err_set(l->err, ENOMEM, "%s: out of memory",
		    l->path);
	} else {
		execfn = push_strings(l, &s, nenv, places, places + l->argc);
		push_vectors(l, &s, nenv, places, places + l->argc, execfn);
		l->res->sp = s.at;
		error = vm_copyout(l->vm, l->vs, s.at,
		    s.bytes + (s.at - s.base), s.top - s.at);
		if (error != 0)
			error = map_error(l, "the stack", error, s.at,
			    s.top - s.at);
	}
	free(s.bytes);
	free(places);
	return error;
}

/* ------------------------------------------------------------ the whole */

static int
loader_begin(struct loader *l, char *const *argv)
{
	unsigned n = 0;

	while (argv != NULL && argv[n] != NULL)
		n++;
	l->argv = calloc(n + 1, sizeof(*l->argv));
	if (l->argv == NULL)
		return sim_err_set(l->err, ENOMEM, "%s: out of memory",
		    l->path);
	for (unsigned i = 0; i < n; i++)
		l->argv[i] = argv[i];
	l->argc = n;
	return 0;
}

static void
loader_end(struct loader *l)
{
	for (unsigned i = 0; i < l->nmade; i++)
		free(l->made[i]);
	free(l->argv);
	free(l->exe_elf);
	free(l->interp_elf);
	if (l->exe != NULL)
		inode_rele(l->exe);
	if (l->interp != NULL)
		inode_rele(l->interp);
}

/*
 * load_program: contract in uproc.h.
 * Source: Linux fs/exec.c and fs/binfmt_elf.c.
 */
int
load_program(struct vm *vm, struct vfs *vfs, struct inode *cwd,
    struct vmspace *vs, const char *path, char *const argv[],
    char *const env[], uint64_t stack_limit, struct load_result *res,
    struct sim_err *err)
{
	static char *const no_env[] = { NULL };
	struct loader l = { .vm = vm, .vfs = vfs, .cwd = cwd, .vs = vs,
		.err = err, .path = path, .res = res,
		.env = env != NULL ? env : no_env };
	int error;

	memset(res, 0, sizeof(*res));
	error = loader_begin(&l, argv);
	if (error == 0)
		error = find_images(&l, path);
	if (error == 0)
		error = map_images(&l);
	if (error == 0)
		error = make_stack(&l, stack_limit);
	if (error == 0) {
		res->exe_path = strdup(inode_path(l.exe));
		if (res->exe_path == NULL)
			error = sim_err_set(err, ENOMEM, "%s: out of memory",
			    path);
	}
	loader_end(&l);
	return error;
}

/* load_check: what load_program would refuse before it takes any memory. */
int
load_check(struct vfs *vfs, struct inode *cwd, const char *path,
    char *const argv[], char *const env[], uint64_t stack_limit,
    struct sim_err *err)
{
	static char *const no_env[] = { NULL };
	struct loader l = { .vfs = vfs, .cwd = cwd, .err = err, .path = path,
		.env = env != NULL ? env : no_env };
	int error = loader_begin(&l, argv);
	uint64_t bytes;
	unsigned nenv;

	if (error == 0)
		error = find_images(&l, path);
	if (error == 0)
		error = stack_room(&l, stack_limit, &nenv, &bytes);
	loader_end(&l);
	return error;
}
