/* Semantics 6: advice. */
#include "guest.h"

#include <sys/wait.h>

#define RW (PROT_READ | PROT_WRITE)

/* What a child finds of three pages, the second with the advice. */
static void
in_child(const char *what, char *p)
{
	pid_t pid;
	int st;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		printf("%s:", what);
		for (int i = 0; i < 3; i++) {
			int sig = try_read(p + (size_t)i * PAGE);

			printf(" %d", sig != 0 ? -sig : p[(size_t)i * PAGE]);
		}
		/* a grandchild finds it as its parent did */
		if (try_read(p + PAGE) == 0 &&
		    mprotect(p + PAGE, PAGE, RW) == 0)
			p[PAGE] = 9;
		fflush(stdout);
		if ((pid = fork()) == 0) {
			int sig = try_read(p + PAGE);

			printf(", %d\n", sig != 0 ? -sig : p[PAGE]);
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &st, 0);
		_exit(0);
	}
	waitpid(pid, &st, 0);
}

static void
forks(int fd)
{
	char *p = anon(3 * PAGE, RW), *f, *s;

	memset(p, 5, 3 * PAGE);
	say("dontfork", madvise(p + PAGE, PAGE, MADV_DONTFORK));
	in_child("not there", p);
	say("dofork", madvise(p, 3 * PAGE, MADV_DOFORK));
	in_child("there", p);
	say("wipeonfork", madvise(p + PAGE, PAGE, MADV_WIPEONFORK));
	in_child("empty", p);
	printf("the parent's %d\n", p[PAGE]);
	say("not all alike", mremap(p, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE) ==
	    MAP_FAILED ? -1 : 0);
	say("wipe all", madvise(p, 3 * PAGE, MADV_WIPEONFORK));
	p = mremap(p, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	in_child("moved and longer", p);
	say("keeponfork", madvise(p, 3 * PAGE, MADV_KEEPONFORK));
	in_child("kept", p);
	f = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	say("wipe a file", madvise(f, PAGE, MADV_WIPEONFORK));
	s = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	say("wipe shared memory", madvise(s, PAGE, MADV_WIPEONFORK));
	munmap(p + PAGE, PAGE);
	say("a hole", madvise(p, 3 * PAGE, MADV_WIPEONFORK));
	in_child("around it", p);
}

int
main(void)
{
	static const int hints[] = { MADV_NORMAL, MADV_RANDOM,
		MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK,
		MADV_COLD, MADV_PAGEOUT };
	char *p = anon(8 * PAGE, RW), *f, *s;
	int fd = make_file("advice.dat", 4 * PAGE);

	catch_faults();
	for (int i = 0; i < 8; i++)
		memset(p + (size_t)i * PAGE, i + 1, PAGE);
	say("dontneed", madvise(p + 2 * PAGE, 3 * PAGE, MADV_DONTNEED));
	for (int i = 0; i < 8; i++)
		printf("%d ", p[(size_t)i * PAGE]);
	printf("\n");
	/* private file pages go back to the file */
	f = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	memset(f, 'Z', 4 * PAGE);
	say("dontneed, private file", madvise(f + PAGE, 2 * PAGE,
	    MADV_DONTNEED));
	printf("%c %c %c %c\n", f[0], f[PAGE], f[2 * PAGE], f[3 * PAGE]);
	/* shared pages lose nothing */
	s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	s[10] = '!';
	say("dontneed, shared file", madvise(s, 4 * PAGE, MADV_DONTNEED));
	printf("%c\n", s[10]);
	s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	s[10] = '?';
	say("dontneed, shared memory", madvise(s, 2 * PAGE, MADV_DONTNEED));
	printf("%c\n", s[10]);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		printf("hint %zu ", i);
		say("", madvise(p, 8 * PAGE, hints[i]));
	}
	printf("%d %d\n", p[0], p[7 * PAGE]);
	say("unknown", madvise(p, PAGE, 77));
	say("unknown, nothing", madvise(p, 0, 77));
	say("negative", madvise(p, PAGE, -1));
	say("unaligned", madvise(p + 1, PAGE, MADV_NORMAL));
	say("nothing", madvise(p, 0, MADV_DONTNEED));
	say("wraps", madvise(p, ~0ul, MADV_DONTNEED));
	munmap(p + 3 * PAGE, PAGE);
	say("dontneed over a hole", madvise(p, 8 * PAGE, MADV_DONTNEED));
	printf("%d %d\n", p[0], p[7 * PAGE]);
	say("willneed over a hole", madvise(p, 8 * PAGE, MADV_WILLNEED));
	say("free of a file", madvise(f, PAGE, MADV_FREE));
	say("free", madvise(p, 2 * PAGE, MADV_FREE));
	p[0] = 3;
	printf("%d\n", p[0]);
	if (kernel_has(5, 14)) {
		say("populate", madvise(p, 2 * PAGE, MADV_POPULATE_WRITE));
		say("populate a hole", madvise(p + 3 * PAGE, PAGE,
		    MADV_POPULATE_READ));
	} else {
		printf("populate: ok\npopulate a hole: ENOMEM\n");
	}
	say("dontneed of code", madvise((void *)((uintptr_t)main &
	    ~(PAGE - 1)), PAGE, MADV_DONTNEED));
	printf("still running\n");
	fflush(stdout);
	forks(fd);
	return (0);
}
