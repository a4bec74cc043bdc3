/*
 * conform_read.c: lines of vector files, plain or zstd-compressed, from a
 * file or standard input.
 *
 * Interface: sim/conform.h (conform_open, conform_line, conform_close).
 * Source:    our own; decompression by libzstd.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "sim/conform.h"

#define CHUNK (64u * 1024)
#define LINE_MAX_BYTES (1024u * 1024 * 1024)

static const unsigned char zstd_magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

struct conform_reader {
	FILE *f;
	char *path;
	ZSTD_DStream *zstd; /* NULL: plain */
	unsigned char in[CHUNK]; /* from the file */
	size_t in_used, in_size;
	char *buf; /* decoded, not yet handed out: [start, end) */
	size_t start, end, room;
	bool eof; /* of the file */
	bool in_frame; /* zstd: the file may not end here */
};

static int
reader_fill_in(struct conform_reader *r, struct sim_err *err)
{
	r->in_used = 0;
	r->in_size = fread(r->in, 1, sizeof(r->in), r->f);
	if (r->in_size == 0) {
		if (ferror(r->f))
			return (sim_err_set(err, EIO, "%s: read error: %s",
			    r->path, strerror(errno)));
		r->eof = true;
	}
	return (0);
}

/* Room for another chunk behind `end`. */
static int
reader_make_room(struct conform_reader *r, struct sim_err *err)
{
	size_t room;
	char *buf;

	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	if (r->room - r->end > CHUNK)
		return (0);
	room = r->room * 2 + 2 * CHUNK;
	if (room > LINE_MAX_BYTES)
		return (sim_err_set(err, EFBIG,
		    "%s: a line of more than %u MiB", r->path,
		    LINE_MAX_BYTES >> 20));
	buf = realloc(r->buf, room);
	if (buf == NULL)
		return (sim_err_set(err, ENOMEM, "%s: no memory for a line",
		    r->path));
	r->buf = buf;
	r->room = room;
	return (0);
}

static int
reader_inflate(struct conform_reader *r, struct sim_err *err)
{
	ZSTD_inBuffer in = { r->in, r->in_size, r->in_used };
	ZSTD_outBuffer out = { r->buf, r->room - 1, r->end };
	size_t left;

	if (r->eof && !r->in_frame)
		return (0);
	left = ZSTD_decompressStream(r->zstd, &out, &in);
	if (ZSTD_isError(left))
		return (sim_err_set(err, EINVAL, "%s: zstd: %s", r->path,
		    ZSTD_getErrorName(left)));
	r->in_frame = left != 0;
	if (r->eof && r->in_frame && out.pos == r->end)
		return (sim_err_set(err, EINVAL,
		    "%s: the compressed file is cut off", r->path));
	r->in_used = in.pos;
	r->end = out.pos;
	return (0);
}

/* More decoded bytes, unless the file is at its end. */
static int
reader_more(struct conform_reader *r, struct sim_err *err)
{
	size_t n;
	int error;

	error = reader_make_room(r, err);
	if (error == 0 && r->in_used == r->in_size && !r->eof)
		error = reader_fill_in(r, err);
	if (error != 0)
		return (error);
	if (r->zstd != NULL)
		return (reader_inflate(r, err));
	n = r->in_size - r->in_used;
	if (n > r->room - r->end - 1)
		n = r->room - r->end - 1;
	memcpy(r->buf + r->end, r->in + r->in_used, n);
	r->in_used += n;
	r->end += n;
	return (0);
}

static int
reader_open_file(struct conform_reader *r, const char *path,
    struct sim_err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;

	r->path = strdup(is_stdin ? "standard input" : path);
	if (r->path == NULL)
		return (sim_err_set(err, ENOMEM, "no memory"));
	r->f = is_stdin ? stdin : fopen(path, "rb");
	if (r->f == NULL)
		return (sim_err_set(err, errno, "%s: %s", path,
		    strerror(errno)));
	return (reader_fill_in(r, err));
}

static int
reader_start_zstd(struct conform_reader *r, struct sim_err *err)
{
	if (r->in_size < sizeof(zstd_magic) ||
	    memcmp(r->in, zstd_magic, sizeof(zstd_magic)) != 0)
		return (0);
	r->zstd = ZSTD_createDStream();
	if (r->zstd == NULL)
		return (sim_err_set(err, ENOMEM, "%s: no memory for zstd",
		    r->path));
	return (0);
}

struct conform_reader *
conform_open(const char *path, struct sim_err *err)
{
	struct conform_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)sim_err_set(err, ENOMEM, "no memory");
		return (NULL);
	}
	if (reader_open_file(r, path, err) != 0 ||
	    reader_start_zstd(r, err) != 0) {
		conform_close(r);
		return (NULL);
	}
	return (r);
}

int
conform_line(struct conform_reader *r, char **line, size_t *length,
    struct sim_err *err)
{
	size_t seen = 0, before;
	char *nl = NULL;
	int error;

	for (;;) {
		if (r->end > r->start + seen)
			nl = memchr(r->buf + r->start + seen, '\n',
			    r->end - r->start - seen);
		if (nl != NULL)
			break;
		seen = r->end - r->start;
		before = seen;
		error = reader_more(r, err);
		if (error != 0)
			return (error);
		if (r->end - r->start == before && r->eof &&
		    r->in_used == r->in_size)
			break;
	}
	if (nl == NULL && seen == 0)
		return (0);
	*line = r->buf + r->start;
	*length = nl != NULL ? (size_t)(nl - *line) : seen;
	r->start += *length + (nl != NULL);
	(*line)[*length] = '\0';
	return (1);
}

void
conform_close(struct conform_reader *r)
{
	if (r == NULL)
		return;
	if (r->f != NULL && r->f != stdin)
		fclose(r->f);
	ZSTD_freeDStream(r->zstd);
	free(r->path);
	free(r->buf);
	free(r);
}
