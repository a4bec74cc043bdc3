/* Semantics 3: the last page of a file, and pages past it. */
#include "guest.h"

#define RW (PROT_READ | PROT_WRITE)

static unsigned
sum(const char *p, size_t n)
{
	unsigned s = 0;

	for (size_t i = 0; i < n; i++)
		s = s * 31 + (unsigned char)p[i];
	return (s);
}

int
main(void)
{
	int fd = make_file("tail.dat", PAGE + 100);
	char *s, *p, buf[300];
	struct stat sb;

	catch_faults();
	s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	p = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	printf("last byte %c, past it %d %d\n", s[PAGE + 99], s[PAGE + 100],
	    s[2 * PAGE - 1]);
	printf("tail is zero: %u %u\n", sum(s + PAGE + 100, PAGE - 100),
	    sum(p + PAGE + 100, PAGE - 100));
	/* written, seen by this mapping, not by the file */
	memset(s + PAGE + 50, 'X', 200);
	fstat(fd, &sb);
	printf("size %ld\n", (long)sb.st_size);
	msync(s, 4 * PAGE, MS_SYNC);
	memset(buf, 0, sizeof(buf));
	printf("read %ld: ", (long)pread(fd, buf, sizeof(buf), PAGE));
	printf("%c %c %d\n", buf[49], buf[50], buf[100]);
	/* beyond the last page */
	say_fault("read past the end, shared", try_read(s + 2 * PAGE));
	printf("address exact: %d\n", guest_addr == s + 2 * PAGE);
	say_fault("write past the end, shared", try_write(s + 3 * PAGE + 7,
	    1));
	printf("address exact: %d\n", guest_addr == s + 3 * PAGE + 7);
	say_fault("read past the end, private", try_read(p + 2 * PAGE));
	say_fault("write past the end, private", try_write(p + 2 * PAGE, 1));
	/* the file grows into the mapping */
	say("grow", ftruncate(fd, 3 * PAGE));
	say_fault("read what grew", try_read(s + 2 * PAGE));
	printf("it is %d\n", s[2 * PAGE]);
	say_fault("still past the end", try_read(s + 3 * PAGE));
	s[2 * PAGE + 5] = 'Y';
	printf("pread sees %ld ", (long)pread(fd, buf, 1, 2 * PAGE + 5));
	printf("%c\n", buf[0]);
	/* and shrinks out of it */
	p[0] = 'P';
	say("shrink", ftruncate(fd, 10));
	say_fault("gone page", try_read(s + PAGE));
	say_fault("gone page, private", try_read(p + PAGE));
	printf("first page %c%c, past the end %d\n", s[0], s[9], s[10]);
	printf("private copy %c\n", p[0]);
	say("grow again", ftruncate(fd, 2 * PAGE));
	printf("zeroes: %d %u\n", s[10], sum(s + PAGE, PAGE));
	/* writes and mappings are one */
	if (pwrite(fd, "hello", 5, 20) != 5)
		return (1);
	printf("written: %.5s\n", s + 20);
	memcpy(s + 20, "HELLO", 5);
	memset(buf, 0, sizeof(buf));
	if (pread(fd, buf, 5, 20) != 5)
		return (1);
	printf("read: %s\n", buf);
	unlink("tail.dat");
	close(fd);
	printf("after unlink and close: %.5s\n", s + 20);
	munmap(s, 4 * PAGE);
	return (0);
}
