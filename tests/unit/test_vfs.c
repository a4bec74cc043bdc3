/*
 * The guest's file tree: the overlay hides every change from the host; what
 * the guest sees does not depend on the host's inode numbers and times;
 * bound directories pass changes on. A random sequence of changes is made
 * both in the overlay and with real calls in a copy: the answers and the
 * trees must be the same.
 */
#include <dirent.h>
#include <fcntl.h>

#include "unit/suite.h"
#include "unit/sys_rig.h"

static const struct vfs_config none;

static int
lookup(rig *m, const char *path, struct inode **ip)
{
	return (vfs_lookup(m->vfs, NULL, path, true, ip));
}

/* Error of a lookup, without keeping what it finds. */
static int
probe(rig *m, const char *path, bool follow)
{
	struct inode *ip;
	int error = vfs_lookup(m->vfs, NULL, path, follow, &ip);

	if (error == 0)
		inode_rele(ip);
	return (error);
}

static int
make_dir(rig *m, const char *path)
{
	struct vfs_place pl;
	int error = vfs_find(m->vfs, NULL, path, VFS_PARENT, &pl);

	if (error == 0)
		error = vfs_mkdir(&pl, 0755);
	vfs_place_done(&pl);
	return (error);
}

/* A new file, links followed as open does; there already: EEXIST, EISDIR. */
static int
make_file(rig *m, const char *path)
{
	struct inode *ip;
	struct vfs_place pl;
	int error = vfs_find(m->vfs, NULL, path, VFS_CREATE, &pl);

	if (error == 0 && pl.ip != NULL)
		error = inode_is_directory(pl.ip) ? -EISDIR : -EEXIST;
	if (error == 0)
		error = vfs_create_file(&pl, 0644, &ip);
	if (error == 0)
		inode_rele(ip);
	vfs_place_done(&pl);
	return (error);
}

static int
remove_at(rig *m, const char *path, bool dir)
{
	struct vfs_place pl;
	int error = vfs_find(m->vfs, NULL, path, VFS_PARENT, &pl);

	if (error == 0)
		error = dir ? vfs_rmdir(&pl) : vfs_unlink(&pl);
	vfs_place_done(&pl);
	return (error);
}

static int
rename_at(rig *m, const char *from, const char *to, uint32_t flags)
{
	struct vfs_place a, b = { 0 };
	int error = vfs_find(m->vfs, NULL, from, VFS_PARENT, &a);

	if (error == 0)
		error = vfs_find(m->vfs, NULL, to, VFS_PARENT, &b);
	if (error == 0)
		error = vfs_rename(&a, &b, flags);
	vfs_place_done(&a);
	vfs_place_done(&b);
	return (error);
}

static int
symlink_at(rig *m, const char *target, const char *path)
{
	struct vfs_place pl;
	int error = vfs_find(m->vfs, NULL, path, VFS_PARENT, &pl);

	if (error == 0)
		error = vfs_symlink(&pl, target);
	vfs_place_done(&pl);
	return (error);
}

static int
link_at(rig *m, const char *from, const char *to)
{
	struct vfs_place pl = { 0 };
	struct inode *ip;
	int error = vfs_lookup(m->vfs, NULL, from, false, &ip);

	if (error != 0)
		return (error);
	error = vfs_find(m->vfs, NULL, to, VFS_PARENT, &pl);
	if (error == 0)
		error = vfs_link(ip, &pl);
	vfs_place_done(&pl);
	inode_rele(ip);
	return (error);
}

/* The names of a directory, joined by blanks. */
static void
names_of(rig *m, const char *path, char *buf)
{
	struct vfs_listing ls;
	struct inode *ip;

	buf[0] = '\0';
	ck_assert_int_eq(lookup(m, path, &ip), 0);
	ck_assert_int_eq(vfs_list(ip, &ls), 0);
	for (size_t i = 0; i < ls.count; i++) {
		strcat(buf, i == 0 ? "" : " ");
		strcat(buf, ls.ent[i].name);
	}
	vfs_listing_free(&ls);
	inode_rele(ip);
}

static void
host_tree(rig *m)
{
	ck_assert_int_eq(mkdir(rig_path(m, "d"), 0755), 0);
	ck_assert_int_eq(mkdir(rig_path(m, "d/e"), 0755), 0);
	rig_host_file(m, "d/one", "first file\n");
	rig_host_file(m, "d/two", "second file\n");
	rig_host_file(m, "d/e/deep", "deep file\n");
	rig_host_file(m, "top", "top file\n");
	ck_assert_int_eq(symlink("d/one", rig_path(m, "rel")), 0);
	ck_assert_int_eq(symlink("nowhere", rig_path(m, "dangling")), 0);
	ck_assert_int_eq(symlink("loop2", rig_path(m, "loop1")), 0);
	ck_assert_int_eq(symlink("loop1", rig_path(m, "loop2")), 0);
	ck_assert_int_eq(symlink("d", rig_path(m, "dirlink")), 0);
}

static rig *
tree(void)
{
	rig *m = rig_kernel(1024, 1 << 18);

	host_tree(m);
	rig_tree(m, &none);
	return (m);
}

START_TEST(host_files_are_seen)
{
	rig *m = tree();
	struct inode *ip;
	char buf[64];

	ck_assert_int_eq(lookup(m, rig_path(m, "d/one"), &ip), 0);
	ck_assert(inode_is_regular(ip));
	ck_assert_uint_eq(inode_size(ip), 11);
	ck_assert_int_eq(inode_pread_raw(ip, buf, sizeof(buf), 6), 5);
	ck_assert_int_eq(memcmp(buf, "file\n", 5), 0);
	ck_assert_int_eq(inode_pread_raw(ip, buf, sizeof(buf), 11), 0);
	ck_assert_str_eq(inode_path(ip), rig_path(m, "d/one"));
	inode_rele(ip);
	ck_assert_int_eq(probe(m, rig_path(m, "none"), true), -ENOENT);
	ck_assert_int_eq(probe(m, rig_path(m, "top/x"), true), -ENOTDIR);
	ck_assert_int_eq(probe(m, rig_path(m, "top/"), true), -ENOTDIR);
	ck_assert_int_eq(probe(m, rig_path(m, "d/"), true), 0);
	ck_assert_int_eq(probe(m, "", true), -ENOENT);
	rig_free(m);
}
END_TEST

START_TEST(links_are_followed)
{
	rig *m = tree();
	struct inode *ip;
	char buf[64];

	ck_assert_int_eq(lookup(m, rig_path(m, "rel"), &ip), 0);
	ck_assert(inode_is_regular(ip));
	inode_rele(ip);
	ck_assert_int_eq(vfs_lookup(m->vfs, NULL, rig_path(m, "rel"), false,
	    &ip), 0);
	ck_assert(inode_is_symlink(ip));
	ck_assert_int_eq(inode_readlink(ip, buf, sizeof(buf)), 5);
	ck_assert_int_eq(inode_readlink(ip, buf, 2), 2);
	inode_rele(ip);
	ck_assert_int_eq(probe(m, rig_path(m, "dangling"), true), -ENOENT);
	ck_assert_int_eq(probe(m, rig_path(m, "dangling"), false), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "loop1"), true), -ELOOP);
	ck_assert_int_eq(probe(m, rig_path(m, "loop1"), false), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "dirlink/e/deep"), true), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "dirlink/../top"), true), 0);
	/* a slash behind a link means the directory */
	ck_assert_int_eq(vfs_lookup(m->vfs, NULL, rig_path(m, "dirlink/"),
	    false, &ip), 0);
	ck_assert(inode_is_directory(ip));
	inode_rele(ip);
	/* but the name itself is what is removed */
	ck_assert_int_eq(remove_at(m, rig_path(m, "dirlink/"), true),
	    -ENOTDIR);
	/* creating through a dangling link makes its target */
	ck_assert_int_eq(make_file(m, rig_path(m, "dangling")), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "nowhere"), true), 0);
	rig_free(m);
}
END_TEST

START_TEST(names_and_paths_have_limits)
{
	rig *m = tree();
	char *path = malloc(8192);

	memset(path, 'x', 8191);
	path[0] = '/';
	path[257] = '\0'; /* 256 bytes in one name */
	ck_assert_int_eq(probe(m, path, true), -ENAMETOOLONG);
	path[256] = '\0';
	ck_assert_int_eq(probe(m, path, true), -ENOENT);
	memset(path, '/', 4096);
	path[4095] = '\0';
	ck_assert_int_eq(probe(m, path, true), 0);
	path[4095] = '/';
	path[4096] = '\0';
	ck_assert_int_eq(probe(m, path, true), -ENAMETOOLONG);
	ck_assert_int_eq(probe(m, "/../../..", true), 0);
	free(path);
	rig_free(m);
}
END_TEST

START_TEST(changes_stay_in_memory)
{
	rig *m = tree();
	char buf[256];

	ck_assert_int_eq(make_file(m, rig_path(m, "d/new")), 0);
	ck_assert_int_eq(make_dir(m, rig_path(m, "d/newdir")), 0);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/one"), false), 0);
	ck_assert_int_eq(symlink_at(m, "x", rig_path(m, "d/l")), 0);
	names_of(m, rig_path(m, "d"), buf);
	ck_assert_str_eq(buf, ". .. e l new newdir two");
	ck_assert_int_eq(probe(m, rig_path(m, "d/one"), true), -ENOENT);
	ck_assert_int_eq(access(rig_path(m, "d/one"), F_OK), 0);
	ck_assert_int_ne(access(rig_path(m, "d/new"), F_OK), 0);
	/* a removed name can be used again, and is a new file */
	ck_assert_int_eq(make_file(m, rig_path(m, "d/one")), 0);
	names_of(m, rig_path(m, "d"), buf);
	ck_assert_str_eq(buf, ". .. e l new newdir one two");
	rig_free(m);
}
END_TEST

START_TEST(a_removed_directory_hides_the_host)
{
	rig *m = tree();
	char buf[256];

	ck_assert_int_eq(remove_at(m, rig_path(m, "d/e"), true), -ENOTEMPTY);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/e/deep"), false), 0);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/e"), true), 0);
	ck_assert_int_eq(make_dir(m, rig_path(m, "d/e")), 0);
	names_of(m, rig_path(m, "d/e"), buf);
	ck_assert_str_eq(buf, ". ..");
	ck_assert_int_eq(probe(m, rig_path(m, "d/e/deep"), true), -ENOENT);
	rig_free(m);
}
END_TEST

START_TEST(a_renamed_directory_keeps_its_contents)
{
	rig *m = tree();
	struct inode *ip;
	char buf[256];

	ck_assert_int_eq(rename_at(m, rig_path(m, "d"), rig_path(m, "dd"), 0),
	    0);
	ck_assert_int_eq(probe(m, rig_path(m, "d"), true), -ENOENT);
	ck_assert_int_eq(lookup(m, rig_path(m, "dd/e/deep"), &ip), 0);
	ck_assert_int_eq(inode_pread_raw(ip, buf, 4, 0), 4);
	ck_assert_int_eq(memcmp(buf, "deep", 4), 0);
	inode_rele(ip);
	ck_assert_int_eq(lookup(m, rig_path(m, "dd/e"), &ip), 0);
	ck_assert_int_eq(inode_dirpath(ip, buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, rig_path(m, "dd/e"));
	ck_assert_int_eq(inode_dirpath(ip, buf, 5), -ERANGE);
	inode_rele(ip);
	ck_assert_int_eq(rename_at(m, rig_path(m, "dd"),
	    rig_path(m, "dd/e/x"), 0), -EINVAL);
	ck_assert_int_eq(rename_at(m, rig_path(m, "dd/e"),
	    rig_path(m, "top"), 0), -ENOTDIR);
	ck_assert_int_eq(rename_at(m, rig_path(m, "top"),
	    rig_path(m, "dd/e"), 0), -EISDIR);
	ck_assert_int_eq(rename_at(m, rig_path(m, "top"),
	    rig_path(m, "dd/one"), RENAME_NOREPLACE), -EEXIST);
	ck_assert_int_eq(rename_at(m, rig_path(m, "top"),
	    rig_path(m, "dd/e"), RENAME_EXCHANGE), 0);
	ck_assert_int_eq(probe(m, rig_path(m, "top/deep"), true), 0);
	ck_assert_int_eq(lookup(m, rig_path(m, "top"), &ip), 0);
	ck_assert_int_eq(inode_dirpath(ip, buf, sizeof(buf)), 0);
	ck_assert_str_eq(buf, rig_path(m, "top"));
	inode_rele(ip);
	rig_free(m);
}
END_TEST

START_TEST(dots_cannot_be_changed)
{
	rig *m = tree();

	ck_assert_int_eq(make_dir(m, rig_path(m, "d/.")), -EEXIST);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/."), true), -EINVAL);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/e/.."), true),
	    -ENOTEMPTY);
	ck_assert_int_eq(remove_at(m, "/", true), -EBUSY);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d"), false), -EISDIR);
	ck_assert_int_eq(rename_at(m, rig_path(m, "d/."),
	    rig_path(m, "x"), 0), -EBUSY);
	rig_free(m);
}
END_TEST

START_TEST(hard_links_share_one_inode)
{
	rig *m = tree();
	struct vfs_stat a, b;
	struct inode *ip;

	ck_assert_int_eq(link_at(m, rig_path(m, "top"), rig_path(m, "alias")),
	    0);
	ck_assert_int_eq(link_at(m, rig_path(m, "top"), rig_path(m, "d/one")),
	    -EEXIST);
	ck_assert_int_eq(link_at(m, rig_path(m, "d"), rig_path(m, "dl")),
	    -EPERM);
	ck_assert_int_eq(lookup(m, rig_path(m, "top"), &ip), 0);
	inode_stat(ip, &a);
	inode_rele(ip);
	ck_assert_int_eq(lookup(m, rig_path(m, "alias"), &ip), 0);
	inode_stat(ip, &b);
	ck_assert_uint_eq(a.ino, b.ino);
	ck_assert_uint_eq(b.nlink, 2);
	ck_assert_int_eq(remove_at(m, rig_path(m, "top"), false), 0);
	inode_stat(ip, &b);
	ck_assert_uint_eq(b.nlink, 1);
	inode_rele(ip);
	rig_free(m);
}
END_TEST

START_TEST(numbers_and_times_are_the_trees_own)
{
	rig *m = tree(), *n;
	struct vfs_listing ls;
	struct vfs_stat st;
	struct inode *ip, *dir;
	uint64_t ino[8];

	ck_assert_int_eq(lookup(m, rig_path(m, "d"), &dir), 0);
	ck_assert_int_eq(vfs_list(dir, &ls), 0);
	ck_assert_uint_eq(ls.count, 5);
	for (size_t i = 2; i < ls.count; i++) {
		ck_assert_int_eq(vfs_lookup(m->vfs, dir, ls.ent[i].name, true,
		    &ip), 0);
		inode_stat(ip, &st);
		ck_assert_uint_eq(st.ino, ls.ent[i].ino);
		ck_assert_int_eq(st.mtime, 1000000000000000000);
		ck_assert_uint_eq(st.uid, 0);
		ck_assert_uint_eq(st.dev, 0x801);
		ino[i] = st.ino;
		inode_rele(ip);
	}
	inode_stat(dir, &st);
	ck_assert_uint_eq(st.nlink, 1);
	vfs_listing_free(&ls);
	inode_rele(dir);
	/* the same in another tree of the same shape */
	n = tree();
	ck_assert_int_eq(lookup(n, rig_path(n, "d"), &dir), 0);
	ck_assert_int_eq(vfs_list(dir, &ls), 0);
	for (size_t i = 2; i < ls.count; i++)
		ck_assert_uint_eq(ls.ent[i].ino, ino[i]);
	vfs_listing_free(&ls);
	inode_rele(dir);
	rig_free(n);
	rig_free(m);
}
END_TEST

START_TEST(attributes_are_kept)
{
	rig *m = tree();
	struct vfs_stat st;
	struct inode *ip;

	ck_assert_int_eq(lookup(m, rig_path(m, "top"), &ip), 0);
	ck_assert_int_eq(inode_chmod(ip, 04711), 0);
	ck_assert_int_eq(inode_utimens(ip, 5, INT64_MIN), 0);
	inode_stat(ip, &st);
	ck_assert_uint_eq(st.mode, S_IFREG | 04711);
	ck_assert_int_eq(st.atime, 5);
	ck_assert_int_eq(st.mtime, 1000000000000000000);
	ck_assert_int_eq(inode_chown(ip, 7, UINT32_MAX), 0);
	inode_stat(ip, &st);
	ck_assert_uint_eq(st.uid, 7);
	ck_assert_uint_eq(st.gid, 0);
	ck_assert_uint_eq(st.mode, S_IFREG | 0711); /* set-id is lost */
	inode_rele(ip);
	ck_assert_int_ne(chmod(rig_path(m, "none"), 0), 0);
	rig_free(m);
}
END_TEST

START_TEST(synthetic_files)
{
	rig *m = tree();
	struct inode *ip;
	char buf[256];

	names_of(m, "/dev", buf);
	ck_assert_str_eq(buf, ". .. fd full null random shm stderr stdin "
	    "stdout tty urandom zero");
	ck_assert_int_eq(lookup(m, "/dev/null", &ip), 0);
	ck_assert_int_eq(inode_special(ip), VFS_NULL);
	ck_assert_uint_eq(inode_mode(ip), S_IFCHR | 0666);
	inode_rele(ip);
	ck_assert_int_eq(probe(m, "/dev/sda", true), -ENOENT);
	ck_assert_int_eq(probe(m, "/proc/kcore", true), -ENOENT);
	ck_assert_int_eq(probe(m, "/proc/meminfo", true), 0);
	ck_assert_int_eq(probe(m, "/proc/1", true), -ENOENT);
	ck_assert_int_eq(probe(m, "/sys/fs", true), -ENOENT);
	ck_assert_int_eq(probe(m, "/sys/devices/system/cpu/online", true), 0);
	ck_assert_int_eq(make_file(m, "/proc/x"), -EACCES);
	ck_assert_int_eq(make_file(m, "/sys/x"), -EACCES);
	ck_assert_int_eq(make_file(m, "/dev/x"), 0);
	names_of(m, "/run", buf);
	ck_assert_str_eq(buf, ". ..");
	/* /tmp holds what the test asked to show, and nothing else */
	names_of(m, "/tmp", buf);
	ck_assert_str_eq(buf + 5, strrchr(m->tmp, '/') + 1);
	rig_free(m);
}
END_TEST

START_TEST(bound_directories_change_the_host)
{
	const char *bind[2] = { NULL, NULL };
	struct vfs_config fc = { .bind_rw = bind };
	rig *m = rig_kernel(1024, 1 << 18);
	struct vfs_stat st;
	struct inode *ip;
	struct stat sb;
	char buf[64];

	host_tree(m);
	bind[0] = rig_path(m, "d");
	rig_tree(m, &fc);
	ck_assert_int_eq(make_file(m, rig_path(m, "d/new")), 0);
	ck_assert_int_eq(stat(rig_path(m, "d/new"), &sb), 0);
	ck_assert_int_eq(sb.st_mode & 0777, 0644);
	ck_assert_int_eq(make_dir(m, rig_path(m, "d/sub")), 0);
	ck_assert_int_eq(rename_at(m, rig_path(m, "d/new"),
	    rig_path(m, "d/sub/moved"), 0), 0);
	ck_assert_int_eq(stat(rig_path(m, "d/sub/moved"), &sb), 0);
	ck_assert_int_eq(rename_at(m, rig_path(m, "d/sub"),
	    rig_path(m, "d/sub2"), 0), 0);
	ck_assert_int_eq(lookup(m, rig_path(m, "d/sub2/moved"), &ip), 0);
	ck_assert_int_eq(inode_chmod(ip, 0600), 0);
	inode_rele(ip);
	ck_assert_int_eq(stat(rig_path(m, "d/sub2/moved"), &sb), 0);
	ck_assert_int_eq(sb.st_mode & 0777, 0600);
	ck_assert_int_eq(symlink_at(m, "two", rig_path(m, "d/l")), 0);
	ck_assert_int_eq(readlink(rig_path(m, "d/l"), buf, sizeof(buf)), 3);
	/* outside, nothing */
	ck_assert_int_eq(make_file(m, rig_path(m, "out")), 0);
	ck_assert_int_ne(access(rig_path(m, "out"), F_OK), 0);
	ck_assert_int_eq(rename_at(m, rig_path(m, "d/one"),
	    rig_path(m, "one"), 0), -EXDEV);
	/* an open file outlives its name */
	ck_assert_int_eq(lookup(m, rig_path(m, "d/two"), &ip), 0);
	inode_stat(ip, &st);
	ck_assert_uint_eq(st.dev, 0x802);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/two"), false), 0);
	ck_assert_int_ne(access(rig_path(m, "d/two"), F_OK), 0);
	ck_assert_int_eq(inode_pread_raw(ip, buf, 6, 0), 6);
	ck_assert_int_eq(memcmp(buf, "second", 6), 0);
	inode_rele(ip);
	ck_assert_int_eq(remove_at(m, rig_path(m, "d/sub2"), true),
	    -ENOTEMPTY);
	rig_free(m);
}
END_TEST

START_TEST(bad_configurations_are_refused)
{
	const char *bind[2] = { "/no/such/dir", NULL };
	struct vfs_config fc = { .bind_rw = bind };
	rig *m = rig_kernel(1024, 1 << 18);
	struct sim_err err;
	struct vfs *vfs;

	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/dir"));
	bind[0] = "/proc/self";
	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err), -EINVAL);
	bind[0] = "/etc/passwd";
	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err),
	    -ENOTDIR);
	bind[0] = NULL;
	fc.cwd = "etc";
	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err), -EINVAL);
	fc.cwd = "/no/such/dir";
	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err), -ENOENT);
	fc.cwd = "/etc/passwd";
	ck_assert_int_eq(vfs_create(m->sim, m->vm, &fc, &vfs, &err),
	    -ENOTDIR);
	rig_tree(m, &none);
	rig_free(m);
}
END_TEST

START_TEST(the_working_directory_is_visible)
{
	struct vfs_config fc = { 0 };
	const char *nothing[1] = { NULL };
	rig *m = rig_kernel(1024, 1 << 18);
	struct inode *cwd, *ip;

	host_tree(m);
	fc.cwd = rig_path(m, "d");
	fc.show = nothing;
	rig_tree(m, &fc);
	cwd = vfs_cwd(m->vfs);
	ck_assert_int_eq(vfs_lookup(m->vfs, cwd, "one", true, &ip), 0);
	inode_rele(ip);
	inode_rele(cwd);
	ck_assert_int_eq(probe(m, rig_path(m, "top"), true), -ENOENT);
	rig_free(m);
}
END_TEST

/* ---- contents ---- */

static void
write_at(rig *m, struct inode *ip, uint64_t off, const char *text)
{
	uint64_t done, n = strlen(text);

	ck_assert_int_eq(inode_prepare_write(ip, off, n), 0);
	ck_assert_int_eq(vm_vnode_write(m->vm, inode_vnode(ip), off, text, n,
	    &done), 0);
	ck_assert_uint_eq(done, n);
	inode_wrote(ip);
}

static void
check_text(struct inode *ip, uint64_t off, const char *want, size_t n)
{
	char buf[64];

	ck_assert_int_eq(inode_pread_raw(ip, buf, n, off), (int)n);
	ck_assert_int_eq(memcmp(buf, want, n), 0);
}

static void
overlay_contents(rig *m)
{
	struct inode *ip;
	char buf[64];

	ck_assert_int_eq(lookup(m, rig_path(m, "top"), &ip), 0);
	write_at(m, ip, 4, "FILE");
	check_text(ip, 0, "top FILE\n", 9);
	rig_host_text(m, "top", buf, sizeof(buf));
	ck_assert_str_eq(buf, "top file\n");
	/* cut, and grown again: zeroes, not the host's bytes */
	ck_assert_int_eq(inode_truncate(ip, 2), 0);
	ck_assert_int_eq(inode_truncate(ip, 6), 0);
	check_text(ip, 0, "to\0\0\0\0", 6);
	/* far out */
	write_at(m, ip, 5000000, "far");
	ck_assert_uint_eq(inode_size(ip), 5000003);
	check_text(ip, 4999998, "\0\0far", 5);
	check_text(ip, 0, "to\0\0", 4);
	ck_assert_int_eq(inode_prepare_write(ip, VFS_FILE_MAX, 1), -EFBIG);
	ck_assert_int_eq(inode_truncate(ip, VFS_FILE_MAX + 1), -EFBIG);
	inode_rele(ip);
}

START_TEST(written_blocks_cover_the_host)
{
	rig *m = tree();

	rig_run(m, overlay_contents);
	rig_free(m);
}
END_TEST

static void
bound_contents(rig *m)
{
	struct inode *ip;
	char buf[64];

	ck_assert_int_eq(lookup(m, rig_path(m, "top"), &ip), 0);
	write_at(m, ip, 4, "FILE and more\n");
	vfs_sync(m->vfs);
	rig_host_text(m, "top", buf, sizeof(buf));
	ck_assert_str_eq(buf, "top FILE and more\n");
	ck_assert_int_eq(inode_truncate(ip, 3), 0);
	rig_host_text(m, "top", buf, sizeof(buf));
	ck_assert_str_eq(buf, "top");
	inode_rele(ip);
}

START_TEST(bound_files_reach_the_host)
{
	const char *bind[2] = { NULL, NULL };
	struct vfs_config fc = { .bind_rw = bind };
	rig *m = rig_kernel(1024, 1 << 18);

	host_tree(m);
	bind[0] = m->tmp;
	rig_tree(m, &fc);
	rig_run(m, bound_contents);
	rig_free(m);
}
END_TEST

/* The disk has 4 MiB: files that do not fit are refused, room comes back. */
static void
fill_disk(rig *m)
{
	struct inode *ip[3];
	uint64_t total, left, inodes;

	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/tmp/f%d", i);
		ck_assert_int_eq(make_file(m, name), 0);
		ck_assert_int_eq(lookup(m, name, &ip[i]), 0);
		ck_assert_ptr_nonnull(inode_vnode(ip[i]));
	}
	vfs_space(m->vfs, &total, &left, &inodes);
	ck_assert_uint_eq(total, 4u << 20);
	ck_assert_uint_eq(left, total);
	ck_assert_int_eq(inode_prepare_write(ip[0], 0, 2u << 20), 0);
	ck_assert_int_eq(inode_prepare_write(ip[1], 0, 1u << 20), 0);
	ck_assert_ptr_null(vfs_problem(m->vfs));
	ck_assert_int_eq(inode_prepare_write(ip[2], 0, 2u << 20), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(vfs_problem(m->vfs), "full"));
	vfs_space(m->vfs, &total, &left, &inodes);
	ck_assert_uint_eq(left, 1u << 20);
	inode_rele(ip[0]);
	ck_assert_int_eq(remove_at(m, "/tmp/f0", false), 0);
	ck_assert_int_eq(inode_prepare_write(ip[2], 0, 2u << 20), 0);
	vfs_space(m->vfs, &total, &left, &inodes);
	ck_assert_uint_eq(left, 1u << 20);
	inode_rele(ip[1]);
	inode_rele(ip[2]);
}

START_TEST(the_disk_can_be_full)
{
	rig *m = rig_kernel(1024, 8192);

	rig_tree(m, &none);
	rig_run(m, fill_disk);
	rig_free(m);
}
END_TEST

/* ---- random changes, in the overlay and for real ---- */

#define NAMES 5

/* Paths up to three deep over few names, so that they often meet. */
static void
random_name(struct sim_rng *rng, char *buf)
{
	unsigned depth = 1 + (unsigned)sim_rng_below(rng, 3);

	buf[0] = '\0';
	for (unsigned i = 0; i < depth; i++) {
		char part[4] = { '/', (char)('a' +
		    (int)sim_rng_below(rng, NAMES)), '\0' };

		strcat(buf, part);
	}
	if (sim_rng_below(rng, 12) == 0)
		strcat(buf, "/");
	if (sim_rng_below(rng, 20) == 0)
		strcat(buf, "/..");
}

struct both {
	rig *m;
	const char *base; /* the guest's name of the tree */
	char guest[256], guest2[256], host[256], host2[256];
};

static int
real_create(const char *path)
{
	struct stat sb;
	bool there = stat(path, &sb) == 0;
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	if (fd < 0)
		return (-errno);
	close(fd);
	return (there ? -EEXIST : 0);
}

static int
answer(int ret)
{
	return (ret == 0 ? 0 : -errno);
}

/* One change on both sides; what each answered. */
static void
random_change(struct both *b, struct sim_rng *rng, int *guest, int *host)
{
	rig *m = b->m;

	switch (sim_rng_below(rng, 8)) {
	case 0:
		*guest = make_dir(m, b->guest);
		*host = answer(mkdir(b->host, 0755));
		break;
	case 1:
		*guest = make_file(m, b->guest);
		*host = real_create(b->host);
		break;
	case 2:
		*guest = remove_at(m, b->guest, false);
		*host = answer(unlink(b->host));
		break;
	case 3:
		*guest = remove_at(m, b->guest, true);
		*host = answer(rmdir(b->host));
		break;
	case 4:
	case 5:
		*guest = rename_at(m, b->guest, b->guest2, 0);
		*host = answer(rename(b->host, b->host2));
		break;
	case 6:
		*guest = symlink_at(m, b->guest2 + strlen(b->base) + 1,
		    b->guest);
		*host = answer(symlink(b->host2 + strlen(m->tmp) + 3,
		    b->host));
		break;
	default:
		*guest = link_at(m, b->guest, b->guest2);
		*host = answer(link(b->host, b->host2));
		break;
	}
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return (strcmp((*a)->d_name, (*b)->d_name));
}

/* Names and kinds are the same, all the way down. */
static void
compare_trees(rig *m, struct inode *dir, const char *host)
{
	struct vfs_listing ls;
	struct dirent **real;
	char path[512];
	int n;

	ck_assert_int_eq(vfs_list(dir, &ls), 0);
	n = scandir(host, &real, NULL, by_name);
	ck_assert_int_eq(n, (int)ls.count);
	for (int i = 0; i < n; i++) {
		struct inode *ip;

		ck_assert_str_eq(real[i]->d_name, ls.ent[i].name);
		ck_assert_int_eq(real[i]->d_type, ls.ent[i].type);
		if (ls.ent[i].type == DT_DIR && ls.ent[i].name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", host,
			    ls.ent[i].name);
			ck_assert_int_eq(vfs_lookup(m->vfs, dir,
			    ls.ent[i].name, false, &ip), 0);
			compare_trees(m, ip, path);
			inode_rele(ip);
		}
		free(real[i]);
	}
	free(real);
	vfs_listing_free(&ls);
}

static void
start_trees(rig *m)
{
	static const char *const dirs[] = { "a", "a/b", "b", "b/c", "c" };
	static const char *const files[] = { "a/a", "a/b/c", "b/a", "d",
		"b/c/b" };

	for (int side = 0; side < 2; side++) {
		const char *top = side == 0 ? "x" : "y";
		char name[32];

		ck_assert_int_eq(mkdir(rig_path(m, top), 0755), 0);
		for (int i = 0; i < 5; i++) {
			snprintf(name, sizeof(name), "%s/%s", top, dirs[i]);
			ck_assert_int_eq(mkdir(rig_path(m, name), 0755), 0);
		}
		for (int i = 0; i < 5; i++) {
			snprintf(name, sizeof(name), "%s/%s", top, files[i]);
			rig_host_file(m, name, files[i]);
		}
	}
}

enum place { FREE, BOUND, ALIAS };

static void
random_changes(uint64_t rng_seed, enum place place)
{
	const char *bind[2] = { NULL, NULL };
	struct vfs_config fc = { .bind_rw = bind };
	rig *m = rig_kernel(1024, 1 << 18);
	struct sim_rng rng;
	struct inode *top;
	struct both b;
	char x[160], y[160];

	sim_rng_init(&rng, rng_seed, "test-vfs");
	start_trees(m);
	strcpy(x, rig_path(m, "x"));
	strcpy(y, rig_path(m, "y"));
	if (place == BOUND)
		bind[0] = x;
	if (place == ALIAS) {
		fc.cwd = x;
		fc.cwd_alias = true;
	}
	rig_tree(m, &fc);
	b.m = m;
	b.base = place == ALIAS ? "/cwd" : x;
	for (int i = 0; i < 3000; i++) {
		char one[32], two[32];
		int guest, host;

		random_name(&rng, one);
		random_name(&rng, two);
		snprintf(b.guest, sizeof(b.guest), "%s%s", b.base, one);
		snprintf(b.guest2, sizeof(b.guest2), "%s%s", b.base, two);
		snprintf(b.host, sizeof(b.host), "%s%s", y, one);
		snprintf(b.host2, sizeof(b.host2), "%s%s", y, two);
		random_change(&b, &rng, &guest, &host);
		ck_assert_msg(guest == host, "seed %llu change %d on %s %s: "
		    "overlay %d, host %d", (unsigned long long)rng_seed, i,
		    one, two, guest, host);
		if (i % 100 == 99) {
			ck_assert_int_eq(lookup(m, b.base, &top), 0);
			compare_trees(m, top, y);
			inode_rele(top);
		}
	}
	rig_free(m);
}

START_TEST(random_changes_as_on_the_host)
{
	for (uint64_t seed = 1; seed <= 8; seed++)
		random_changes(seed, FREE);
}
END_TEST

START_TEST(random_changes_in_a_bound_directory)
{
	for (uint64_t seed = 11; seed <= 14; seed++)
		random_changes(seed, BOUND);
}
END_TEST

START_TEST(random_changes_below_the_alias)
{
	for (uint64_t seed = 21; seed <= 24; seed++)
		random_changes(seed, ALIAS);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { host_files_are_seen,
		links_are_followed, names_and_paths_have_limits,
		changes_stay_in_memory, a_removed_directory_hides_the_host,
		a_renamed_directory_keeps_its_contents,
		dots_cannot_be_changed, hard_links_share_one_inode,
		numbers_and_times_are_the_trees_own, attributes_are_kept,
		synthetic_files, bound_directories_change_the_host,
		bad_configurations_are_refused,
		the_working_directory_is_visible,
		written_blocks_cover_the_host, bound_files_reach_the_host,
		the_disk_can_be_full, random_changes_as_on_the_host,
		random_changes_in_a_bound_directory,
		random_changes_below_the_alias };

	return (SUITE_MAIN("vfs", tests));
}
