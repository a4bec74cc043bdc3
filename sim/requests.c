/*
 * requests.c: reads request lists and tables of numbers from CSV.
 *
 * Interface: requests.h.
 * Source:    columns as in the reference vectors of the disk models.
 */
#include "sim/requests.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAXLINE 4096

struct reader {
	const char *file;
	const char *p, *end;
	unsigned line;
	struct sim_err *err;
	int error;
	/* the present line, cut into fields */
	char buf[MAXLINE];
	char *field[REQUESTS_MAXCOLUMNS];
	size_t nfields;
	uint64_t total; /* of the think times, ps */
};

static int
fail(struct reader *r, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->error = sim_err_set(r->err, EINVAL, "%s:%u: %s", r->file, r->line,
	    text);
	return r->error;
}

/* ------------------------------------------------------------ lines */

/* What lies between s and e, which becomes its end. */
static char *
trim(char *s, char *e)
{
	*e = '\0';
	while (*s == ' ' || *s == '\t')
		s++;
	while (e > s && (e[-1] == ' ' || e[-1] == '\t' || e[-1] == '\r'))
		*--e = '\0';
	return s;
}

/* Cut the next line that is not blank; false at the end or after an error. */
static bool
next_line(struct reader *r)
{
	const char *nl;
	char *end, *p, *comma;
	size_t n;

	do {
		if (r->p >= r->end)
			return false;
		nl = memchr(r->p, '\n', (size_t) (r->end - r->p));
		n = (size_t) ((nl != NULL ? nl : r->end) - r->p);
		r->line++;
		if (n >= MAXLINE || memchr(r->p, '\0', n) != NULL) {
			fail(r, "the line is too long or not text");
			return false;
		}
		memcpy(r->buf, r->p, n);
		r->p = nl != NULL ? nl + 1 : r->end;
		p = trim(r->buf, r->buf + n);
	} while (*p == '\0' || *p == '#');
	end = r->buf + n;
	for (r->nfields = 0;; p = comma + 1) {
		if (r->nfields == REQUESTS_MAXCOLUMNS) {
			fail(r, "more than %d columns", REQUESTS_MAXCOLUMNS);
			return false;
		}
		comma = memchr(p, ',', (size_t) (end - p));
		r->field[r->nfields++] = trim(p, comma != NULL ? comma : end);
		if (comma == NULL)
			return true;
	}
}

/* ------------------------------------------------------------ numbers */

#define MAXTIME (UINT64_MAX / 4) /* ps: 53 days */

/* What follows an 'e': a power of ten; moves s behind it. */
static bool
parse_exponent(const char **s, int *scale)
{
	const char *p = *s;
	int n = 0, sign = *p == '-' ? -1 : 1, digits = 0;

	p += *p == '-' || *p == '+';
	for (; *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
		n = n * 10 + (*p - '0');
	*s = p;
	*scale += sign * n;
	return digits > 0;
}

/* A decimal number of milliseconds, exactly; what is below a ps is cut off. */
static bool
parse_ms(const char *s, uint64_t *ps)
{
	bool point = false, any = false;
	uint64_t v = 0;
	int scale = 9;

	for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		any = true;
		if (v > (MAXTIME - 9) / 10) {
			if (!point)
				return false;
			continue;
		}
		v = v * 10 + (uint64_t) (*s - '0');
		scale -= point;
	}
	if (!any)
		return false;
	if ((*s == 'e' || *s == 'E') && (s++, !parse_exponent(&s, &scale)))
		return false;
	if (*s != '\0')
		return false;
	for (; scale > 0 && v > 0; scale--) {
		if (v > MAXTIME / 10)
			return false;
		v *= 10;
	}
	for (; scale < 0 && v > 0; scale++)
		v /= 10;
	*ps = v;
	return true;
}

static bool
parse_whole(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9' || v > max / 10)
			return false;
		v = v * 10 + (uint64_t) (*s - '0');
	}
	*out = v;
	return v <= max;
}

/* A decimal number, without the locale's ideas about the point. */
static bool
parse_double(const char *s, double *out)
{
	char *end;
	size_t n = strspn(s, "+-0123456789.eE");

	if (n == 0 || s[n] != '\0')
		return false;
	*out = strtod(s, &end);
	return *end == '\0' && isfinite(*out);
}

static bool
parse_op(const char *s, enum disk_op *op)
{
	static const struct {
		const char *name;
		enum disk_op op;
	} names[] = {
		{ "R", DISK_READ }, { "r", DISK_READ }, { "read", DISK_READ },
		{ "W", DISK_WRITE }, { "w", DISK_WRITE },
		{ "write", DISK_WRITE }, { "F", DISK_FLUSH },
		{ "flush", DISK_FLUSH }, { "T", DISK_TRIM },
		{ "trim", DISK_TRIM },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i].name) == 0) {
			*op = names[i].op;
			return true;
		}
	return false;
}

/* ------------------------------------------------------------ columns */

enum { COL_ARRIVAL, COL_THINK, COL_OP, COL_LBN, COL_BLOCKS, COL_ORDERED,
	NKNOWN };

static const char *const known[NKNOWN] = { "arrival_ms", "think_ms", "op",
	"lbn", "blocks", "ordered" };

struct columns {
	int at[NKNOWN]; /* field of each known column, -1: not there */
	int extra[REQUESTS_MAXCOLUMNS]; /* field -> kept column, or -1 */
	size_t nfields;
};

static int
keep(struct reader *r, struct request_list *l, const char *name, int *out)
{
	*out = -1;
	if (*name == '\0' || strcmp(name, "id") == 0)
		return 0;
	for (size_t i = 0; i < l->ncolumns; i++)
		if (strcmp(l->column[i], name) == 0)
			return fail(r, "column '%s' is there twice", name);
	l->column[l->ncolumns] = strdup(name);
	if (l->column[l->ncolumns] == NULL)
		return r->error = -ENOMEM;
	*out = (int) l->ncolumns++;
	return 0;
}

static bool
names_columns(const struct reader *r)
{
	for (size_t i = 0; i < r->nfields; i++)
		for (size_t k = 0; k < NKNOWN; k++)
			if (strcmp(known[k], r->field[i]) == 0)
				return true;
	return false;
}

static int
read_header(struct reader *r, struct request_list *l, struct columns *c,
    bool requests)
{
	if (!next_line(r))
		return r->error != 0 ? r->error : fail(r, "the file is empty");
	if (requests && !names_columns(r))
		return fail(r, "the first line must name the columns:"
		    " arrival_ms or think_ms, op, lbn, blocks");
	c->nfields = r->nfields;
	for (size_t k = 0; k < NKNOWN; k++)
		c->at[k] = -1;
	for (size_t i = 0; i < r->nfields; i++) {
		size_t k = 0;

		c->extra[i] = -1;
		while (k < NKNOWN && (!requests ||
		    strcmp(known[k], r->field[i]) != 0))
			k++;
		if (k < NKNOWN && c->at[k] >= 0)
			return fail(r, "column '%s' is there twice", known[k]);
		if (k < NKNOWN)
			c->at[k] = (int) i;
		else if (keep(r, l, r->field[i], &c->extra[i]) != 0)
			return r->error;
	}
	if (!requests)
		return 0;
	for (size_t k = COL_OP; k <= COL_BLOCKS; k++)
		if (c->at[k] < 0)
			return fail(r, "there is no column '%s'", known[k]);
	if ((c->at[COL_ARRIVAL] < 0) == (c->at[COL_THINK] < 0))
		return fail(r, "there must be a column 'arrival_ms' or"
		    " 'think_ms', and not both");
	return 0;
}

/* Room for one more line. */
static int
grow(struct reader *r, struct request_list *l, const struct columns *c,
    bool requests, size_t *room)
{
	size_t n = *room == 0 ? 1024 : *room * 2;
	void *p;

	if (l->count < *room)
		return 0;
	*room = n;
	if (requests) {
		if ((p = realloc(l->io, n * sizeof(*l->io))) == NULL)
			return r->error = -ENOMEM;
		l->io = p;
	}
	if (requests && c->at[COL_THINK] >= 0) {
		p = realloc(l->think, n * sizeof(*l->think));
		if (p == NULL)
			return r->error = -ENOMEM;
		l->think = p;
	}
	for (size_t i = 0; i < l->ncolumns; i++) {
		p = realloc(l->value[i], n * sizeof(double));
		if (p == NULL)
			return r->error = -ENOMEM;
		l->value[i] = p;
	}
	return 0;
}

/* ------------------------------------------------------------ lines in */

static int
read_time(struct reader *r, struct request_list *l, const struct columns *c,
    struct disk_io *io)
{
	bool think = c->at[COL_THINK] >= 0;
	const char *s = r->field[c->at[think ? COL_THINK : COL_ARRIVAL]];
	uint64_t ps;

	if (!parse_ms(s, &ps))
		return fail(r, "%s '%s' is not a time in milliseconds",
		    known[think ? COL_THINK : COL_ARRIVAL], s);
	io->arrival = ps;
	if (think) {
		l->think[l->count] = ps;
		if (ps > MAXTIME - r->total)
			return fail(r, "the think times up to here add up to"
			    " more than %llu ms",
			    (unsigned long long) (MAXTIME / PS_PER_MS));
		r->total += ps;
	} else if (l->count > 0 && ps < io[-1].arrival)
		return fail(r, "arrival_ms %s is before the line above", s);
	return 0;
}

static int
read_request(struct reader *r, struct request_list *l,
    const struct columns *c, uint64_t sectors)
{
	struct disk_io *io = &l->io[l->count];
	uint64_t blocks, lbn, ordered = 0;

	memset(io, 0, sizeof(*io));
	if (read_time(r, l, c, io) != 0)
		return r->error;
	if (!parse_op(r->field[c->at[COL_OP]], &io->op))
		return fail(r, "op '%s' is none of R, W, F, T",
		    r->field[c->at[COL_OP]]);
	if (!parse_whole(r->field[c->at[COL_LBN]], UINT64_MAX / 16, &lbn))
		return fail(r, "lbn '%s' is not a block number",
		    r->field[c->at[COL_LBN]]);
	if (!parse_whole(r->field[c->at[COL_BLOCKS]], 1u << 28, &blocks) ||
	    (blocks == 0 && io->op != DISK_FLUSH))
		return fail(r, "blocks '%s' is not a number of sectors",
		    r->field[c->at[COL_BLOCKS]]);
	if (sectors != 0 && io->op != DISK_FLUSH &&
	    (lbn >= sectors || blocks > sectors - lbn))
		return fail(r, "blocks %llu to %llu are past the disk's end"
		    " (%llu blocks)", (unsigned long long) lbn,
		    (unsigned long long) (lbn + blocks - 1),
		    (unsigned long long) sectors);
	if (c->at[COL_ORDERED] >= 0 &&
	    !parse_whole(r->field[c->at[COL_ORDERED]], 1, &ordered))
		return fail(r, "ordered '%s' is neither 0 nor 1",
		    r->field[c->at[COL_ORDERED]]);
	io->lbn = lbn;
	io->blocks = (uint32_t) blocks;
	io->ordered = ordered != 0;
	return 0;
}

static void
read_extra(struct reader *r, struct request_list *l, const struct columns *c,
    bool *text)
{
	for (size_t i = 0; i < c->nfields; i++) {
		int k = c->extra[i];

		if (k >= 0 && !parse_double(r->field[i],
		    &l->value[k][l->count]))
			text[k] = true;
	}
}

/* Columns with something else than numbers are not kept. */
static void
drop_text(struct request_list *l, const bool *text)
{
	size_t n = 0;

	for (size_t i = 0; i < l->ncolumns; i++) {
		if (text[i]) {
			free(l->column[i]);
			free(l->value[i]);
			continue;
		}
		l->column[n] = l->column[i];
		l->value[n++] = l->value[i];
	}
	l->ncolumns = n;
}

static int
parse(const char *file, const char *text, size_t size, uint64_t sectors,
    bool requests, struct request_list *l, struct sim_err *err)
{
	struct reader r = { .file = file, .p = text, .end = text + size,
		.err = err };
	bool is_text[REQUESTS_MAXCOLUMNS] = { false };
	struct columns c = { .nfields = 0 };
	size_t room = 0;

	memset(l, 0, sizeof(*l));
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		r.p += 3; /* a byte order mark, as spreadsheets write it */
	read_header(&r, l, &c, requests);
	while (r.error == 0 && next_line(&r)) {
		if (r.nfields != c.nfields)
			fail(&r, "%zu fields, but the first line has %zu",
			    r.nfields, c.nfields);
		else if (grow(&r, l, &c, requests, &room) == 0 && (!requests ||
		    read_request(&r, l, &c, sectors) == 0)) {
			read_extra(&r, l, &c, is_text);
			l->count++;
		}
	}
	if (r.error == 0 && l->count == 0)
		fail(&r, "there is no line below the names of the columns");
	if (r.error == -ENOMEM)
		sim_err_set(err, ENOMEM, "%s: out of memory", file);
	if (r.error != 0)
		requests_free(l);
	else
		drop_text(l, is_text);
	return r.error;
}

int
requests_parse(const char *file, const char *text, size_t size,
    uint64_t sectors, struct request_list *out, struct sim_err *err)
{
	return parse(file, text, size, sectors, true, out, err);
}

int
table_parse(const char *file, const char *text, size_t size,
    struct request_list *out, struct sim_err *err)
{
	return parse(file, text, size, 0, false, out, err);
}

/* ------------------------------------------------------------ files */

static int
slurp(FILE *f, char **text, size_t *size)
{
	size_t room = 1u << 16, n;
	char *p;

	*size = 0;
	*text = malloc(room);
	while (*text != NULL) {
		n = fread(*text + *size, 1, room - *size, f);
		*size += n;
		if (*size < room)
			return ferror(f) ? -EIO : 0;
		room *= 2;
		p = realloc(*text, room);
		if (p == NULL)
			free(*text);
		*text = p;
	}
	return -ENOMEM;
}

static int
load(const char *path, uint64_t sectors, bool requests,
    struct request_list *out, struct sim_err *err)
{
	bool in = strcmp(path, "-") == 0;
	FILE *f = in ? stdin : fopen(path, "rb");
	char *text = NULL;
	size_t size = 0;
	int error;

	memset(out, 0, sizeof(*out));
	if (f == NULL)
		return sim_err_set(err, errno, "%s: %s", path,
		    strerror(errno));
	error = slurp(f, &text, &size);
	if (!in)
		fclose(f);
	if (error != 0)
		sim_err_set(err, -error, "%s: %s", path, strerror(-error));
	else
		error = parse(in ? "standard input" : path, text, size,
		    sectors, requests, out, err);
	free(text);
	return error;
}

int
requests_load(const char *path, uint64_t sectors, struct request_list *out,
    struct sim_err *err)
{
	return load(path, sectors, true, out, err);
}

int
table_load(const char *path, struct request_list *out, struct sim_err *err)
{
	return load(path, 0, false, out, err);
}

void
requests_free(struct request_list *l)
{
	for (size_t i = 0; i < l->ncolumns; i++) {
		free(l->column[i]);
		free(l->value[i]);
	}
	free(l->io);
	free(l->think);
	memset(l, 0, sizeof(*l));
}

const double *
requests_column(const struct request_list *l, const char *name)
{
	for (size_t i = 0; i < l->ncolumns; i++)
		if (strcmp(l->column[i], name) == 0)
			return l->value[i];
	return NULL;
}
