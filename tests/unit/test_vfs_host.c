/*
 * What the guest's file tree tells of the host, and what it must not: where
 * the caller's directory lies, who else has files in /tmp, what the run
 * itself writes, when files were made, which machine this is, how many files
 * a process may open.
 */
#include <fcntl.h>

#include "sim/vfs_int.h"
#include "unit/suite.h"
#include "unit/sys_rig.h"

static const char *const nothing[1] = { NULL };

static int
lookup(rig *m, const char *path, struct inode **ip)
{
	struct inode *cwd = vfs_cwd(m->vfs);
	int error = vfs_lookup(m->vfs, cwd, path, true, ip);

	inode_rele(cwd);
	return (error);
}

static int
probe(rig *m, const char *path)
{
	struct inode *ip;
	int error = lookup(m, path, &ip);

	if (error == 0)
		inode_rele(ip);
	return (error);
}

static uint64_t
number(rig *m, const char *path)
{
	struct vfs_stat st;
	struct inode *ip;

	ck_assert_int_eq(lookup(m, path, &ip), 0);
	inode_stat(ip, &st);
	inode_rele(ip);
	return (st.ino);
}

static void
expect_path(rig *m, const char *path, const char *want)
{
	struct inode *ip;
	char buf[512];

	ck_assert_int_eq(lookup(m, path, &ip), 0);
	if (inode_is_directory(ip))
		ck_assert_int_eq(inode_dirpath(ip, buf, sizeof(buf)), 0);
	else
		snprintf(buf, sizeof(buf), "%s", inode_path(ip));
	ck_assert_str_eq(buf, want);
	inode_rele(ip);
}

/* A directory's name as getcwd tells it, which leads there again. */
static void
expect_long(rig *m, const char *path, const char *want)
{
	struct inode *ip, *again;
	char buf[512];

	ck_assert_int_eq(lookup(m, path, &ip), 0);
	ck_assert_int_eq(inode_cwdpath(ip, buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, want);
	ck_assert_int_eq(lookup(m, buf, &again), 0);
	ck_assert_ptr_eq(again, ip);
	inode_rele(again);
	inode_rele(ip);
}

/* The names of a directory, "." and ".." left out, each with a blank. */
static void
expect_names(rig *m, const char *path, const char *want)
{
	char buf[1024] = "";
	struct vfs_listing ls;
	struct inode *ip;

	ck_assert_int_eq(lookup(m, path, &ip), 0);
	ck_assert_int_eq(vfs_list(ip, &ls), 0);
	for (size_t i = 2; i < ls.count; i++) {
		strcat(buf, ls.ent[i].name);
		strcat(buf, " ");
	}
	ck_assert_str_eq(buf, want);
	vfs_listing_free(&ls);
	inode_rele(ip);
}

static int
make_file(rig *m, const char *path)
{
	struct inode *cwd = vfs_cwd(m->vfs), *ip;
	struct vfs_place pl;
	int error = vfs_find(m->vfs, cwd, path, VFS_CREATE, &pl);

	if (error == 0)
		error = vfs_create_file(&pl, 0644, &ip);
	if (error == 0)
		inode_rele(ip);
	vfs_place_done(&pl);
	inode_rele(cwd);
	return (error);
}

static int
rename_at(rig *m, const char *from, const char *to)
{
	struct vfs_place a, b = { 0 };
	int error = vfs_find(m->vfs, NULL, from, VFS_PARENT, &a);

	if (error == 0)
		error = vfs_find(m->vfs, NULL, to, VFS_PARENT, &b);
	if (error == 0)
		error = vfs_rename(&a, &b, 0);
	vfs_place_done(&a);
	vfs_place_done(&b);
	return (error);
}

/* ---- the caller's directory ---- */

/* A tree whose caller stands in `way` (names with '/'), beside "side". */
static rig *
stand_in(const char *way)
{
	struct vfs_config fc = { .cwd_alias = true, .show = nothing,
		.host_tmp = true };
	rig *m = rig_kernel(1024, 1 << 18);
	char name[64], cwd[160];

	for (size_t i = 0; way[i] != '\0'; i++) {
		snprintf(name, sizeof(name), "%.*s", (int)i, way);
		if (way[i] == '/')
			ck_assert_int_eq(mkdir(rig_path(m, name), 0755), 0);
	}
	ck_assert_int_eq(mkdir(rig_path(m, way), 0700), 0);
	snprintf(name, sizeof(name), "%s/in", way);
	rig_host_file(m, name, "input\n");
	snprintf(name, sizeof(name), "%s/sub", way);
	ck_assert_int_eq(mkdir(rig_path(m, name), 0755), 0);
	snprintf(name, sizeof(name), "%s/../side", way);
	ck_assert_int_eq(mkdir(rig_path(m, name), 0755), 0);
	snprintf(name, sizeof(name), "%s/../side/file", way);
	rig_host_file(m, name, "file\n");
	strcpy(cwd, rig_path(m, way));
	fc.cwd = cwd;
	rig_tree(m, &fc);
	return (m);
}

static void
expect_alias(rig *m)
{
	expect_path(m, ".", "/cwd");
	expect_path(m, "/cwd", "/cwd");
	expect_path(m, "in", "/cwd/in");
	expect_path(m, "sub", "/cwd/sub");
	expect_path(m, "sub/..", "/cwd");
	expect_path(m, "..", "/above");
	expect_path(m, "../side", "/above/side");
	expect_path(m, "../side/file", "/above/side/file");
	expect_path(m, "../..", "/above2");
	expect_path(m, "/above", "/above");
	expect_path(m, "/above/side/file", "/above/side/file");
	expect_path(m, "/above/..", "/above2");
	expect_long(m, ".", "/above2/above/cwd");
	expect_long(m, "sub", "/above2/above/cwd/sub");
	expect_long(m, "..", "/above2/above");
	expect_long(m, "../side", "/above2/above/side");
	expect_long(m, "../..", "/above2");
	expect_path(m, "/above2/above/side/file", "/above/side/file");
	expect_path(m, "/above2/above/cwd/sub/..", "/cwd");
	ck_assert_int_eq(probe(m, "/above/cwd/in"), 0);
	ck_assert_int_eq(probe(m, "/above2/cwd"), -ENOENT);
	ck_assert_int_eq(probe(m, "/cwd/cwd"), -ENOENT);
	ck_assert_int_eq(probe(m, "/above/side/cwd"), -ENOENT);
	expect_names(m, ".", "in sub ");
	expect_names(m, "sub", "");
	ck_assert_int_eq(probe(m, "cwd"), -ENOENT);
}

/* Numbers and names are the same wherever the directory lies. */
START_TEST(the_alias_tells_nothing)
{
	static const char *const ways[] = { "x", "deep/down/below", "a/b" };
	static const char *const paths[] = { ".", "..", "in", "sub", "/tmp",
		"../side", "../side/file", "sub/..", "/dev" };
	uint64_t first[9];

	for (int w = 0; w < 3; w++) {
		rig *m = stand_in(ways[w]);

		expect_alias(m);
		for (int i = 0; i < 9; i++) {
			if (w == 0)
				first[i] = number(m, paths[i]);
			ck_assert_uint_eq(number(m, paths[i]), first[i]);
		}
		rig_free(m);
	}
}
END_TEST

START_TEST(the_mode_of_the_alias_is_not_the_hosts)
{
	rig *m = stand_in("x");
	struct vfs_stat st;
	struct inode *ip;

	ck_assert_int_eq(lookup(m, ".", &ip), 0);
	inode_stat(ip, &st);
	ck_assert_uint_eq(st.mode, S_IFDIR | 0755);
	ck_assert_int_eq(inode_chmod(ip, 0711), 0);
	inode_stat(ip, &st);
	ck_assert_uint_eq(st.mode, S_IFDIR | 0711);
	inode_rele(ip);
	rig_free(m);
}
END_TEST

/* The same files by both names. */
START_TEST(the_alias_is_the_directory)
{
	rig *m = stand_in("x");

	ck_assert_int_eq(make_file(m, "/cwd/new"), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "x/new")), 0);
	ck_assert_int_eq(make_file(m, rig_path(m, "x/sub/other")), 0);
	expect_names(m, "sub", "other ");
	ck_assert_int_eq(rename_at(m, "/cwd/sub", "/cwd/moved"), 0);
	expect_names(m, "moved", "other ");
	expect_names(m, rig_path(m, "x"), "in moved new ");
	ck_assert_uint_eq(number(m, "moved"), number(m,
	    rig_path(m, "x/moved")));
	rig_free(m);
}
END_TEST

START_TEST(the_root_can_be_the_callers)
{
	struct vfs_config fc = { .cwd = "/", .cwd_alias = true };
	rig *m = rig_kernel(1024, 1 << 18);

	rig_tree(m, &fc);
	expect_path(m, ".", "/cwd");
	expect_path(m, "..", "/above");
	expect_path(m, "/above", "/above");
	expect_path(m, "/above2", "/above2");
	expect_path(m, "/above2/above/cwd", "/cwd");
	ck_assert_int_eq(probe(m, "/above3"), -ENOENT);
	expect_path(m, "dev", "/cwd/dev");
	expect_path(m, "/dev", "/dev");
	ck_assert_uint_ne(number(m, "."), number(m, "/"));
	ck_assert_uint_eq(number(m, "dev"), number(m, "/dev"));
	ck_assert_int_eq(probe(m, "cwd"), -ENOENT);
	rig_free(m);
}
END_TEST

/* ---- what others put there ---- */

START_TEST(tmp_is_found_but_not_listed)
{
	struct vfs_config fc = { .show = nothing, .host_tmp = true };
	rig *m = rig_kernel(1024, 1 << 18);

	rig_host_file(m, "one", "one\n");
	rig_tree(m, &fc);
	expect_names(m, "/tmp", "");
	ck_assert_int_eq(probe(m, rig_path(m, "one")), 0);
	expect_names(m, "/tmp", "");
	expect_names(m, m->tmp, "one ");
	ck_assert_int_eq(make_file(m, "/tmp/guests"), 0);
	expect_names(m, "/tmp", "guests ");
	ck_assert_int_eq(rename_at(m, rig_path(m, "one"), "/tmp/moved"), 0);
	expect_names(m, "/tmp", "guests moved ");
	ck_assert_int_eq(probe(m, rig_path(m, "one")), -ENOENT);
	rig_free(m);
}
END_TEST

START_TEST(tmp_is_listed_to_who_stands_there)
{
	struct vfs_config fc = { .show = nothing, .host_tmp = true,
		.cwd = "/tmp", .cwd_alias = true };
	rig *m = rig_kernel(1024, 1 << 18);
	struct vfs_listing ls;
	struct inode *ip;
	bool found = false;

	rig_tree(m, &fc);
	ck_assert_int_eq(lookup(m, ".", &ip), 0);
	ck_assert_int_eq(vfs_list(ip, &ls), 0);
	for (size_t i = 0; i < ls.count; i++)
		found |= strcmp(ls.ent[i].name, strrchr(m->tmp, '/') + 1) == 0;
	ck_assert(found);
	vfs_listing_free(&ls);
	inode_rele(ip);
	rig_free(m);
}
END_TEST

START_TEST(the_runs_own_files_are_not_there)
{
	const char *bind[2] = { NULL, NULL }, *hide[3] = { NULL };
	struct vfs_config fc = { .bind_rw = bind, .hide = hide };
	rig *m = rig_kernel(1024, 1 << 18);
	char text[32], from[160];

	ck_assert_int_eq(mkdir(rig_path(m, "d"), 0755), 0);
	ck_assert_int_eq(mkdir(rig_path(m, "rw"), 0755), 0);
	rig_host_file(m, "d/run.db", "database\n");
	rig_host_file(m, "d/in", "in\n");
	rig_host_file(m, "rw/run.db", "database\n");
	rig_host_file(m, "rw/in", "in\n");
	ck_assert_int_eq(symlink("d/run.db", rig_path(m, "link")), 0);
	bind[0] = strdup(rig_path(m, "rw"));
	hide[0] = strdup(rig_path(m, "link"));
	hide[1] = strdup(rig_path(m, "rw/run.db"));
	rig_tree(m, &fc);
	expect_names(m, rig_path(m, "d"), "in ");
	ck_assert_int_eq(probe(m, rig_path(m, "d/run.db")), -ENOENT);
	ck_assert_int_eq(make_file(m, rig_path(m, "d/run.db")), 0);
	expect_names(m, rig_path(m, "d"), "in run.db ");
	rig_host_text(m, "d/run.db", text, sizeof(text));
	ck_assert_str_eq(text, "database\n");
	/* where changes reach the host, the name cannot be had */
	expect_names(m, bind[0], "in ");
	ck_assert_int_eq(make_file(m, rig_path(m, "rw/run.db")), -EACCES);
	strcpy(from, rig_path(m, "rw/in"));
	ck_assert_int_eq(rename_at(m, from, rig_path(m, "rw/run.db")),
	    -EACCES);
	rig_host_text(m, "rw/run.db", text, sizeof(text));
	ck_assert_str_eq(text, "database\n");
	free((char *)(uintptr_t)bind[0]);
	free((char *)(uintptr_t)hide[0]);
	free((char *)(uintptr_t)hide[1]);
	rig_free(m);
}
END_TEST

/* A file with the marks of a run database in its header. */
static void
host_database(rig *m, const char *name)
{
	char head[100] = "SQLite format 3";
	int fd = open(rig_path(m, name), O_CREAT | O_WRONLY, 0644);

	memcpy(head + 68, "vms1", 4);
	ck_assert_int_eq(write(fd, head, sizeof(head)), sizeof(head));
	close(fd);
}

START_TEST(other_runs_databases_are_not_listed)
{
	uint64_t with[2], without[2];

	for (int side = 0; side < 2; side++) {
		rig *m = rig_kernel(1024, 1 << 18);
		uint64_t *ino = side == 0 ? without : with;
		struct vfs_config fc = { 0 };

		ck_assert_int_eq(mkdir(rig_path(m, "d"), 0755), 0);
		rig_host_file(m, "d/a", "a\n");
		rig_host_file(m, "d/z", "z\n");
		if (side == 1)
			host_database(m, "d/old.db");
		rig_tree(m, &fc);
		expect_names(m, rig_path(m, "d"), "a z ");
		ino[0] = number(m, rig_path(m, "d/a"));
		ino[1] = number(m, rig_path(m, "d/z"));
		if (side == 1) {
			ck_assert_int_eq(probe(m, rig_path(m, "d/old.db")), 0);
			ck_assert_uint_ne(number(m, rig_path(m, "d/old.db")),
			    0);
			expect_names(m, rig_path(m, "d"), "a z ");
		}
		rig_free(m);
	}
	ck_assert_uint_eq(with[0], without[0]);
	ck_assert_uint_eq(with[1], without[1]);
}
END_TEST

/* ---- the host itself ---- */

START_TEST(the_host_has_no_name)
{
	static const char *const names[] = { "/etc/machine-id",
		"/etc/localtime", "/etc/timezone", "/etc/resolv.conf" };
	struct vfs_config fc = { 0 };
	rig *m = rig_kernel(1024, 1 << 18);
	struct inode *ip;
	char name[16];

	rig_tree(m, &fc);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(probe(m, names[i]), -ENOENT);
	ck_assert_int_eq(probe(m, "/etc/passwd"), 0);
	ck_assert_int_eq(lookup(m, "/etc/hostname", &ip), 0);
	ck_assert_int_eq(inode_pread_raw(ip, name, sizeof(name), 0), 6);
	ck_assert_int_eq(memcmp(name, "vmsim\n", 6), 0);
	inode_rele(ip);
	rig_free(m);
}
END_TEST

static void
host_compiled(rig *m, uint32_t flags, uint32_t mtime, uint32_t size)
{
	const uint32_t head[4] = { 0x0a0d0da7, flags, mtime, size };
	int fd = open(rig_path(m, "__pycache__/mod.cpython-311.pyc"),
	    O_CREAT | O_WRONLY | O_TRUNC, 0644);

	ck_assert_int_eq(write(fd, head, sizeof(head)), sizeof(head));
	close(fd);
}

/* Only a time that the compiled file names is shown, and only in /usr. */
START_TEST(a_python_sources_time_is_in_the_compiled_file)
{
	const int64_t boot = 1000000000000000000, real = 1234567000000000;
	struct stat sb = { .st_mtime = 1234567, .st_size = 7 };
	rig *m = rig_kernel(1024, 1 << 18);
	struct vfs vfs = { .boot_epoch = 1000000000 };
	struct inode ip = { .vfs = &vfs, .kind = IK_FILE, .packaged = true };
	char path[160];

	strcpy(path, rig_path(m, "mod.py"));
	ip.host = path;
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	ck_assert_int_eq(mkdir(rig_path(m, "__pycache__"), 0755), 0);
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	host_compiled(m, 0, 1234567, 7);
	ck_assert_int_eq(host_mtime(&ip, &sb), real);
	ip.packaged = false;
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	ip.packaged = true;
	host_compiled(m, 0, 1234567, 8); /* of another source */
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	host_compiled(m, 0, 1234568, 7);
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	host_compiled(m, 1, 1234567, 7); /* goes by a hash instead */
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	host_compiled(m, 0, 1234567, 7);
	strcpy(path, rig_path(m, "mo.py"));
	ck_assert_int_eq(host_mtime(&ip, &sb), boot);
	rig_free(m);
}
END_TEST

/* All can be read, though only a few can be open at a time. */
START_TEST(few_descriptors_are_enough)
{
	struct vfs_config fc = { 0 };
	rig *m = rig_kernel(1024, 1 << 18);
	struct rlimit old, few;
	char name[32], byte;
	int fd;

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		rig_host_file(m, name, name);
	}
	rig_tree(m, &fc);
	fd = dup(0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)fd + 5;
	close(fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < 80; i++) {
		struct inode *ip;

		snprintf(name, sizeof(name), "f%d", i % 40);
		ck_assert_int_eq(lookup(m, rig_path(m, name), &ip), 0);
		ck_assert_int_eq(inode_pread_raw(ip, &byte, 1, 1), 1);
		ck_assert_int_eq(byte, name[1]);
		inode_rele(ip);
	}
	expect_names(m, m->tmp, "f0 f1 f10 f11 f12 f13 f14 f15 f16 f17 "
	    "f18 f19 f2 f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f3 f30 f31 "
	    "f32 f33 f34 f35 f36 f37 f38 f39 f4 f5 f6 f7 f8 f9 ");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	rig_free(m);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { the_alias_tells_nothing,
		the_mode_of_the_alias_is_not_the_hosts,
		the_alias_is_the_directory, the_root_can_be_the_callers,
		tmp_is_found_but_not_listed, tmp_is_listed_to_who_stands_there,
		the_runs_own_files_are_not_there,
		other_runs_databases_are_not_listed, the_host_has_no_name,
		a_python_sources_time_is_in_the_compiled_file,
		few_descriptors_are_enough };

	return (SUITE_MAIN("vfs_host", tests));
}
