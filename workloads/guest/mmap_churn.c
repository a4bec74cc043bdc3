/*
 * mmap_churn: windows of a file are mapped, read, changed and unmapped in
 * random order; in the end the file is read with read(2), which must see all
 * changes. The file is removed.
 */
#include <fcntl.h>
#include <unistd.h>

#include "guest.h"

static void
fail(const char *what)
{
	perror(what);
	exit(74);
}

/* Changes one window of the file through a mapping. */
static uint64_t
change(int fd, uint64_t window, uint64_t at, uint64_t stamp)
{
	uint64_t sum = 0, *w;

	w = mmap(NULL, window, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    (off_t)at);
	if (w == MAP_FAILED)
		fail("mmap_churn: mmap");
	for (uint64_t i = 0; i < window / 8; i += 97) {
		sum = guest_mix(sum, w[i]);
		w[i] += stamp + i;
	}
	if (munmap(w, window) != 0)
		fail("mmap_churn: munmap");
	return (sum);
}

static uint64_t
read_all(int fd)
{
	static uint64_t buf[8192];
	uint64_t sum = 0;
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) != 0)
		fail("mmap_churn: lseek");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n / 8; i++)
			sum = guest_mix(sum, buf[i]);
	if (n < 0)
		fail("mmap_churn: read");
	return (sum);
}

int
main(int argc, char **argv)
{
	uint64_t size = 4 << 20, window = 256 << 10, maps = 100, seed = 1,
	    sum = 0;
	const struct guest_option options[] = {
		{ "size", &size, 4096, 1ull << 36, "bytes of the file" },
		{ "window", &window, 4096, 1ull << 36, "bytes of a mapping" },
		{ "maps", &maps, 1, UINT64_MAX, "mappings made" },
		{ "seed", &seed, 0, UINT64_MAX, "of the random numbers" },
		{ NULL, NULL, 0, 0, NULL },
	};
	char name[] = "/tmp/mmap_churn.XXXXXX";
	int fd;

	guest_options(argc, argv, "mmap_churn",
	    "Maps, changes and unmaps windows of a file in /tmp.", options);
	size -= size % GUEST_PAGE;
	window -= window % GUEST_PAGE;
	if (window > size)
		window = size;
	fd = mkstemp(name);
	if (fd < 0 || unlink(name) != 0 || ftruncate(fd, (off_t)size) != 0)
		fail(name);
	for (uint64_t m = 1; m <= maps; m++) {
		uint64_t at = guest_below(&seed, (size - window) / GUEST_PAGE +
		    1) * GUEST_PAGE;

		sum = guest_mix(sum, change(fd, window, at, m));
	}
	return (guest_done("mmap_churn", guest_mix(sum, read_all(fd))));
}
