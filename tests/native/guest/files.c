/* Files and directories: what is answered, and what is then there. */
#include "guest.h"

#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <time.h>

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return (strcmp((*a)->d_name, (*b)->d_name));
}

static void
list(const char *dir)
{
	struct dirent **e;
	int n = scandir(dir, &e, NULL, by_name);

	printf("%s:", dir);
	for (int i = 0; i < n; i++)
		printf(" %s%s", e[i]->d_name, e[i]->d_type == DT_DIR ? "/" :
		    e[i]->d_type == DT_LNK ? "@" : "");
	printf("\n");
}

static void
reading_and_writing(void)
{
	char buf[100] = "", big[PAGE];
	struct iovec iov[3] = { { "one ", 4 }, { "two ", 4 }, { "three", 5 } };
	struct iovec in[2] = { { buf, 3 }, { buf + 50, 50 } };
	int fd = open("rw", O_RDWR | O_CREAT | O_EXCL, 0640), fd2, app;
	struct stat sb;

	printf("writev %ld\n", (long)writev(fd, iov, 3));
	printf("at %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	printf("seek to 4: %ld, ", (long)lseek(fd, 4, SEEK_SET));
	printf("readv %ld: %.3s|%s\n", (long)readv(fd, in, 2), buf, buf + 50);
	printf("read at the end %ld\n", (long)read(fd, buf, 10));
	printf("pwrite %ld, offset %ld\n", (long)pwrite(fd, "END", 3, 20),
	    (long)lseek(fd, 0, SEEK_CUR));
	fd2 = dup(fd);
	lseek(fd2, 2, SEEK_SET);
	printf("dup shares the offset: %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	app = open("rw", O_WRONLY | O_APPEND);
	printf("append %ld, at %ld\n", (long)write(app, "+", 1),
	    (long)lseek(app, 0, SEEK_CUR));
	printf("F_GETFL %x\n", fcntl(app, F_GETFL) & (O_ACCMODE | O_APPEND));
	fcntl(app, F_SETFL, 0);
	lseek(app, 0, SEEK_SET);
	printf("no longer append %ld\n", (long)write(app, "O", 1));
	memset(buf, 0, sizeof(buf));
	printf("pread %ld:", (long)pread(fd, buf, sizeof(buf), 0));
	for (int i = 0; i < 24; i++)
		printf(" %d", buf[i]);
	printf("\n");
	fstat(fd, &sb);
	printf("size %ld mode %o nlink %ld blksize %d\n", (long)sb.st_size,
	    sb.st_mode, (long)sb.st_nlink, sb.st_blksize >= 512);
	say("read of a write-only one", read(app, buf, 1));
	say("write of a directory", write(open(".", O_RDONLY), buf, 1));
	say("read of a directory", read(open(".", O_RDONLY), buf, 1));
	say("seek before the start", lseek(fd, -1, SEEK_SET));
	say("seek nonsense", lseek(fd, 0, 99));
	say("pread before the start", pread(fd, buf, 1, -1));
	printf("data %ld hole %ld\n", (long)lseek(fd, 5, SEEK_DATA),
	    (long)lseek(fd, 5, SEEK_HOLE));
	say("data past the end", lseek(fd, 100, SEEK_DATA));
	say("close twice", close(fd2) + close(fd2));
	say("bad fd", write(fd2, buf, 1));
	/* sparse */
	printf("far %ld\n", (long)pwrite(fd, "far", 3, 10000000));
	printf("hole reads zero: %ld", (long)pread(fd, big, PAGE, 5000000));
	printf(" %d\n", big[0] | big[PAGE - 1]);
	say("truncate down", ftruncate(fd, 3));
	say("truncate up", ftruncate(fd, 30));
	memset(buf, 9, sizeof(buf));
	printf("%ld: %d %d\n", (long)pread(fd, buf, 100, 0), buf[2], buf[3]);
	say("truncate by name", truncate("rw", 1));
	say("truncate a directory", truncate(".", 1));
	say("truncate negative", ftruncate(fd, -1));
	say("truncate read-only", ftruncate(open("rw", O_RDONLY), 1));
}

static void
opening(void)
{
	int fd = open("o", O_CREAT | O_WRONLY, 0600);

	say("create", fd);
	say("exclusive", open("o", O_CREAT | O_EXCL | O_RDWR, 0600));
	say("missing", open("missing", O_RDONLY));
	say("missing directory", open("missing/x", O_CREAT | O_RDWR, 0600));
	say("through a file", open("o/x", O_RDONLY));
	say("file with a slash", open("o/", O_RDONLY));
	say("new with a slash", open("new/", O_CREAT | O_RDWR, 0600));
	say("directory for writing", open(".", O_RDWR));
	say("directory wanted", open("o", O_RDONLY | O_DIRECTORY));
	say("empty", open("", O_RDONLY));
	symlink("o", "link");
	symlink("made", "dangling");
	symlink("loop", "loop");
	say("nofollow", open("link", O_RDONLY | O_NOFOLLOW));
	say("link", open("link", O_RDONLY));
	say("loop", open("loop", O_RDONLY));
	say("dangling", open("dangling", O_RDONLY));
	say("dangling, exclusive", open("dangling", O_CREAT | O_EXCL |
	    O_RDWR, 0600));
	say("dangling, create", open("dangling", O_CREAT | O_RDWR, 0600));
	say("its target", access("made", F_OK));
	say("not executable", access("o", X_OK));
	say("chmod", chmod("o", 0755));
	say("executable", access("o", X_OK));
	fd = open("o", O_PATH);
	say("read of a path", read(fd, &fd, 1));
	fd = open(".", O_PATH);
	say("openat a path", openat(fd, "o", O_RDONLY));
	say("openat a file", openat(open("o", O_RDONLY), "o", O_RDONLY));
	say("openat nothing", openat(999, "o", O_RDONLY));
	say("close on exec", fcntl(open("o", O_RDONLY | O_CLOEXEC), F_GETFD) ==
	    FD_CLOEXEC ? 0 : -1);
	printf("dup from 50: %d\n", fcntl(0, F_DUPFD, 50));
	printf("dup2: %d %d\n", dup2(0, 60), dup2(60, 60));
	say("dup3 same", dup3(60, 60, 0));
	say("terminal", isatty(fd) ? 0 : -1);
}

static void
names(void)
{
	char buf[200], *longname = malloc(300);
	struct stat a, b;
	ssize_t n;

	umask(027);
	say("mkdir", mkdir("d", 0777));
	stat("d", &a);
	printf("mode %o\n", a.st_mode);
	say("again", mkdir("d", 0777));
	say("below", mkdir("d/e", 0700));
	make_file("d/f", 10);
	list("d");
	say("rmdir of a full one", rmdir("d"));
	say("rmdir of a file", rmdir("d/f"));
	say("unlink of a directory", unlink("d"));
	say("rename", rename("d/f", "d/g"));
	say("rename into itself", rename("d", "d/e/x"));
	say("rename over a directory", rename("d/g", "d/e"));
	say("directory over a file", rename("d/e", "d/g"));
	say("link", link("d/g", "d/h"));
	stat("d/g", &a);
	stat("d/h", &b);
	printf("same file %d, links %ld\n", a.st_ino == b.st_ino,
	    (long)a.st_nlink);
	say("link to a directory", link("d", "dd"));
	say("symlink", symlink("../d/g", "d/e/s"));
	n = readlink("d/e/s", buf, sizeof(buf));
	printf("readlink %.*s\n", (int)n, buf);
	say("readlink of a file", readlink("d/g", buf, 10));
	lstat("d/e/s", &a);
	stat("d/e/s", &b);
	printf("link size %ld, target %ld\n", (long)a.st_size,
	    (long)b.st_size);
	say("rename over a link", rename("d/h", "d/e/s"));
	list("d");
	list("d/e");
	say("chdir", chdir("d/e"));
	printf("cwd ends %s\n", strrchr(getcwd(buf, sizeof(buf)), '/'));
	say("up", chdir("../.."));
	say("getcwd short", getcwd(buf, 2) == NULL ? -1 : 0);
	memset(longname, 'n', 299);
	longname[256] = '\0';
	say("long name", open(longname, O_CREAT | O_RDWR, 0600));
	longname[255] = '\0';
	say("longest name", open(longname, O_CREAT | O_RDWR, 0600));
	unlink(longname);
	/* a removed directory */
	mkdir("gone", 0755);
	say("into", chdir("gone"));
	say("remove it", rmdir("../gone"));
	say("make in it", open("x", O_CREAT | O_RDWR, 0600));
	say("getcwd", getcwd(buf, sizeof(buf)) == NULL ? -1 : 0);
	say("out", chdir(".."));
	list(".");
}

static void
times(void)
{
	struct timespec ts[2] = { { 1000, 5 }, { 2000, 7 } };
	struct stat sb;

	say("utimensat", utimensat(AT_FDCWD, "d/g", ts, 0));
	stat("d/g", &sb);
	printf("%ld.%ld %ld.%ld\n", (long)sb.st_atim.tv_sec,
	    sb.st_atim.tv_nsec, (long)sb.st_mtim.tv_sec, sb.st_mtim.tv_nsec);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = 1000000000;
	say("bad time", utimensat(AT_FDCWD, "d/g", ts, 0));
	ts[1].tv_nsec = 8;
	say("one time", utimensat(AT_FDCWD, "d/g", ts, 0));
	stat("d/g", &sb);
	printf("%ld.%ld %ld.%ld\n", (long)sb.st_atim.tv_sec,
	    sb.st_atim.tv_nsec, (long)sb.st_mtim.tv_sec, sb.st_mtim.tv_nsec);
	{
		int fd = open("d/g", O_WRONLY | O_APPEND);

		if (write(fd, "x", 1) != 1)
			exit(1);
		fstat(fd, &sb);
		printf("written now: %d\n", sb.st_mtim.tv_sec > 2000);
	}
}

static void
copying(void)
{
	int in = make_file("cin", 10000), out = open("cout", O_RDWR | O_CREAT,
	    0600), p[2];
	off_t a = 4000, b = 100;
	char buf[8];

	lseek(in, 9000, SEEK_SET);
	printf("sendfile %ld", (long)sendfile(out, in, NULL, 5000));
	printf(" at %ld %ld\n", (long)lseek(in, 0, SEEK_CUR),
	    (long)lseek(out, 0, SEEK_CUR));
	printf("from an offset %ld", (long)sendfile(out, in, &a, 200));
	printf(" at %ld %ld %ld\n", (long)a, (long)lseek(in, 0, SEEK_CUR),
	    (long)lseek(out, 0, SEEK_CUR));
	printf("read %ld", (long)pread(out, buf, 5, 1094));
	printf(" %.5s\n", buf);
	if (pipe(p) != 0)
		exit(1);
	a = 0;
	printf("to a pipe %ld\n", (long)sendfile(p[1], in, &a, 3000));
	say("from a pipe", sendfile(out, p[0], NULL, 10));
	say("from a directory", sendfile(out, open(".", O_RDONLY), NULL, 1));
	say("to a read-only one", sendfile(open("cin", O_RDONLY), in, NULL,
	    1));
	a = -1;
	say("from before the start", sendfile(out, in, &a, 1));
	a = 0;
	printf("range %ld", (long)copy_file_range(in, &a, out, &b, 6000, 0));
	printf(" at %ld %ld\n", (long)a, (long)b);
	a = 0;
	b = 10;
	say("range over itself", copy_file_range(in, &a, in, &b, 100, 0));
	say("range flags", copy_file_range(in, &a, out, &b, 100, 5));
	a = 20000;
	printf("range past the end %ld\n", (long)copy_file_range(in, &a, out,
	    NULL, 100, 0));
}

static void
devices(void)
{
	unsigned char a[16], b[16];
	struct stat sb;
	int fd = open("/dev/null", O_RDWR);

	printf("null %ld %ld\n", (long)write(fd, "abc", 3),
	    (long)read(fd, a, 3));
	fd = open("/dev/zero", O_RDONLY);
	memset(a, 1, sizeof(a));
	printf("zero %ld %d\n", (long)read(fd, a, 16), a[0] | a[15]);
	printf("zero mapped %d\n", *(char *)mmap(NULL, PAGE, PROT_READ |
	    PROT_WRITE, MAP_PRIVATE, fd, 0));
	say("full", write(open("/dev/full", O_WRONLY), "x", 1));
	fd = open("/dev/urandom", O_RDONLY);
	printf("random %ld %ld", (long)read(fd, a, 16), (long)read(fd, b,
	    16));
	printf(" differ %d\n", memcmp(a, b, 16) != 0);
	stat("/dev/null", &sb);
	printf("mode %o rdev %lx\n", sb.st_mode, (long)sb.st_rdev);
	say("no such device", open("/dev/vmsim-has-none", O_RDONLY));
}

int
main(void)
{
	setbuf(stdout, NULL);
	reading_and_writing();
	opening();
	names();
	times();
	copying();
	devices();
	return (0);
}
