/*
 * cmd_disk_replay.c: `vmsim disk replay`.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/base/outfile.h"
#include "sim/cli.h"
#include "sim/cmd_disk.h"
#include "sim/commands.h"
#include "sim/disk_json.h"
#include "sim/replay.h"

enum { O_DISK, O_SCHEDULER, O_CLOSED, O_CACHE, O_SET, O_FAULT, O_AGAINST,
	O_OUTPUT, O_JSON };

static const struct cli_option replay_options[] = {
	[O_DISK] = { "disk", 'd', "MODEL", "a built-in model ('vmsim disk "
	    "list') or a parameter file (./NAME.json)" },
	[O_SCHEDULER] = { "scheduler", 's', "NAME", "fcfs, sstf, scan, clook, "
	    "vscan:R, sptf, aged-sptf:W, deadline, none; then ,reads-first "
	    "or ,merge (default: the model's own)" },
	[O_CLOSED] = { "closed", 0, "[=N]", "keep N requests (1) outstanding; "
	    "lists with think_ms are closed by themselves" },
	[O_CACHE] = { "cache", 0, "on|off", "the drive's buffer or write "
	    "cache (on)" },
	[O_SET] = { "set", 0, "KEY=VALUE", "change a parameter of the model; "
	    "KEY may be a.b" },
	[O_FAULT] = { "fault", 0, "SPEC", "media,lbn=A-B | timeout | torn | "
	    "gone, with op=, at=, after=, times=, delay=, sectors=" },
	[O_AGAINST] = { "against", 0, "COLUMN", "compare the response times "
	    "with this column of the list (ms)" },
	[O_OUTPUT] = { "output", 'o', "FILE.csv", "write a line for each "
	    "request" },
	[O_JSON] = { "json", 0, NULL, "print the summary as JSON" },
	{ NULL, 0, NULL, NULL },
};

static const struct cli_command replay_command = {
	.name = "disk replay",
	.usage = "REQUESTS.csv --disk MODEL [OPTION]...",
	.summary = "Serves a list of requests on a disk model; prints response "
	    "times.",
	.options = replay_options,
	.text = "The list's first line names its columns: arrival_ms or "
	    "think_ms, op (R, W,\nF flush, T trim), lbn and blocks (sectors of "
	    "512 bytes), in any order; others\nare answers for --against. "
	    "'-' is standard input.\n",
};

struct options {
	const char *list, *disk, *scheduler, *against, *output;
	const char *set[DISK_MAXSET];
	size_t nset;
	struct disk_fault fault[DISK_MAXFAULTS];
	uint32_t nfaults;
	struct replay_mode mode;
	bool no_cache, json;
};

/* ------------------------------------------------------------ options */

static int
set_closed(struct options *o, const char *value)
{
	char *end;
	unsigned long n = 1;

	if (value != NULL) {
		n = strtoul(value, &end, 10);
		if (*value < '0' || *value > '9' || *end != '\0' || n == 0 ||
		    n > 65535)
			return cli_usage(&replay_command, "--closed: '%s' is "
			    "not a number from 1 to 65535", value);
	}
	o->mode.depth = (uint32_t) n;
	return 0;
}

static int
set_fault(struct options *o, const char *value)
{
	struct sim_err err;

	if (o->nfaults == DISK_MAXFAULTS)
		return cli_usage(&replay_command, "more than %d faults",
		    DISK_MAXFAULTS);
	if (disk_fault_parse(value, &o->fault[o->nfaults], &err) != 0)
		return cli_usage(&replay_command, "%s", err.text);
	o->nfaults++;
	return 0;
}

static int
set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case O_DISK: o->disk = value; break;
	case O_SCHEDULER: o->scheduler = value; break;
	case O_CLOSED: return set_closed(o, value);
	case O_FAULT: return set_fault(o, value);
	case O_AGAINST: o->against = value; break;
	case O_OUTPUT: o->output = value; break;
	case O_JSON: o->json = true; break;
	case O_CACHE:
		if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
			return cli_usage(&replay_command, "--cache: on or "
			    "off, not '%s'", value);
		o->no_cache = strcmp(value, "off") == 0;
		break;
	case O_SET:
		if (o->nset == DISK_MAXSET)
			return cli_usage(&replay_command, "more than %d --set",
			    DISK_MAXSET);
		o->set[o->nset++] = value;
		break;
	default:
		return option == CLI_HELP ? -1 : EX_USAGE;
	}
	return 0;
}

static int
parse(struct options *o, int argc, char **argv)
{
	const char *value;
	int option, code;

	cli_rewind();
	for (;;) {
		option = cli_next(&replay_command, argc, argv, &value);
		if (option != CLI_END) {
			code = set_option(o, option, value);
			if (code != 0)
				return code;
			continue;
		}
		if (cli_operand() >= argc)
			break;
		if (o->list != NULL)
			return cli_usage(&replay_command, "one argument too "
			    "many: '%s'", argv[cli_operand()]);
		o->list = argv[cli_operand()];
		cli_skip();
	}
	if (o->list == NULL)
		return cli_usage(&replay_command, "name a list of requests");
	if (o->disk == NULL)
		return cli_usage(&replay_command, "name a disk with --disk");
	return 0;
}

/* ------------------------------------------------------------ output */

/*
 * A line is put together from its end: fprintf would take three times as long
 * as the simulation.
 */
#define MAXLINE 384 /* sixteen fields of at most 20 digits and a point */

/* Two digits at a time: half as many long divisions. */
static char *
before(char *p, uint64_t v, unsigned digits)
{
	char *least = p - digits;
	unsigned two;

	for (; v >= 10 || p > least + 1; v /= 100) {
		two = (unsigned) (v % 100);
		*--p = (char) ('0' + two % 10);
		*--p = (char) ('0' + two / 10);
	}
	if (v > 0 || p > least)
		*--p = (char) ('0' + v);
	return p;
}

static char *
number_before(char *p, char separator, uint64_t v)
{
	*--p = separator;
	return before(p, v, 1);
}

/* Milliseconds to the nanosecond. */
static char *
ms_before(char *p, char separator, uint64_t ps)
{
	*--p = separator;
	p = before(p, ps % PS_PER_MS / PS_PER_NS, 6);
	*--p = '.';
	return before(p, ps / PS_PER_MS, 1);
}

static void
put_line(FILE *f, size_t i, const struct disk_io *io, uint32_t cylinder)
{
	static const char ops[] = { [DISK_READ] = 'R', [DISK_WRITE] = 'W',
		[DISK_FLUSH] = 'F', [DISK_TRIM] = 'T' };
	char line[MAXLINE], *end = line + sizeof(line), *p;

	p = number_before(end, '\n', (uint64_t) io->error);
	p = number_before(p, ',', io->cache_hit);
	p = number_before(p, ',', cylinder);
	p = ms_before(p, ',', io->transfer);
	p = ms_before(p, ',', io->rotation);
	p = ms_before(p, ',', io->seek);
	p = ms_before(p, ',', io->overhead);
	p = ms_before(p, ',', io->start - io->arrival);
	p = ms_before(p, ',', io->finish - io->arrival);
	p = ms_before(p, ',', io->finish);
	p = ms_before(p, ',', io->start);
	p = number_before(p, ',', io->blocks);
	p = number_before(p, ',', io->lbn);
	*--p = ',';
	*--p = ops[io->op];
	p = ms_before(p, ',', io->arrival);
	p = number_before(p, ',', i);
	fwrite(p, 1, (size_t) (end - p), f);
}

static void
put_lines(FILE *f, const struct disk_engine *e, const struct request_list *l)
{
	fputs("id,arrival_ms,op,lbn,blocks,start_ms,finish_ms,response_ms,"
	    "queue_ms,overhead_ms,seek_ms,rotation_ms,transfer_ms,cylinder,"
	    "hit,error\n", f);
	for (size_t i = 0; i < l->count; i++)
		put_line(f, i, &l->io[i], l->io[i].op == DISK_FLUSH ? 0 :
		    disk_engine_cylinder(e, l->io[i].lbn));
}

static int
write_csv(const char *path, const struct disk_engine *e,
    const struct request_list *l)
{
	struct outfile out;
	struct sim_err err;

	if (outfile_open(&out, path, "--output", &err) == 0) {
		put_lines(out.f, e, l);
		if (outfile_commit(&out, &err) == 0)
			return 0;
	}
	cli_error("%s", err.text);
	return EX_CANTCREAT;
}

static void
print_flash(const struct disk_engine *e, bool json)
{
	struct disk_flash_stats st;
	double wa;

	if (!disk_engine_flash(e, &st))
		return;
	wa = st.host_units == 0 ? 0 :
	    (double) st.programmed_units / (double) st.host_units;
	printf(json ? ",\n \"write_amplification\": %.4f, \"erases\": %llu, "
		      "\"erase_min\": %u, \"erase_max\": %u" :
		      "flash        write amplification %.3f, %llu erases "
		      "(%u to %u a block)\n",
	    wa, (unsigned long long) st.erases, st.erase_min, st.erase_max);
}

static void
print_summary(const struct disk_engine *e, const struct replay_summary *s,
    const struct disk_params *p)
{
	printf("disk         %s, %s\n", p->title, disk_engine_scheduler(e));
	printf("requests     %zu in %.3f s, %.1f a second, %.3f MB/s",
	    s->count, s->seconds, s->per_second, s->mb_per_second);
	if (s->errors > 0)
		printf(", %zu failed", s->errors);
	printf("\nresponse ms  mean %.4f  min %.4f  p50 %.4f  p95 %.4f  "
	    "p99 %.4f  max %.4f\n", s->mean_ms, s->min_ms, s->p50_ms,
	    s->p95_ms, s->p99_ms, s->max_ms);
	printf("mean of ms   queue %.4f  overhead %.4f  seek %.4f  rotation "
	    "%.4f  transfer %.4f\n", s->queue_ms, s->overhead_ms, s->seek_ms,
	    s->rotation_ms, s->transfer_ms);
	printf("device       busy %.2f %%, depth mean %.2f max %u, buffer "
	    "hits %.2f %%\n", 100 * s->utilisation, s->mean_depth,
	    s->max_depth, 100 * s->hits);
	print_flash(e, false);
}

static void
print_json(const struct disk_engine *e, const struct replay_summary *s,
    const struct disk_params *p)
{
	printf("{\"disk\": \"%s\", \"scheduler\": \"%s\",\n"
	    " \"requests\": %zu, \"errors\": %zu, \"seconds\": %.9f,\n"
	    " \"mean_ms\": %.6f, \"min_ms\": %.6f, \"p50_ms\": %.6f, "
	    "\"p95_ms\": %.6f, \"p99_ms\": %.6f, \"max_ms\": %.6f,\n"
	    " \"queue_ms\": %.6f, \"overhead_ms\": %.6f, \"seek_ms\": %.6f, "
	    "\"rotation_ms\": %.6f, \"transfer_ms\": %.6f,\n"
	    " \"utilisation\": %.6f, \"mean_depth\": %.4f, \"max_depth\": %u, "
	    "\"hits\": %.6f, \"per_second\": %.3f, \"mb_per_second\": %.6f",
	    p->id, disk_engine_scheduler(e), s->count, s->errors, s->seconds,
	    s->mean_ms, s->min_ms, s->p50_ms, s->p95_ms, s->p99_ms, s->max_ms,
	    s->queue_ms, s->overhead_ms, s->seek_ms, s->rotation_ms,
	    s->transfer_ms, s->utilisation, s->mean_depth, s->max_depth,
	    s->hits, s->per_second, s->mb_per_second);
	print_flash(e, true);
}

static void
print_score(const struct score *c, const char *column, bool json)
{
	printf(json ? ",\n \"against\": \"%s\", \"demerit_ms\": %.6f, "
		      "\"demerit_percent\": %.6f, "
		      "\"error_of_mean_percent\": %.6f, "
		      "\"median_error_ms\": %.6f, "
		      "\"beyond_0.1_ms_percent\": %.6f" :
		      "against      %s: demerit %.6f ms (%.4f %%), error of "
		      "mean %+.4f %%,\n             median error %.6f ms, "
		      "%.2f %% off by more than 0.1 ms\n",
	    column, c->demerit, 100 * c->demerit_rel, 100 * c->error_of_mean,
	    c->median_error, 100 * c->beyond);
}

static int
compare(const struct options *o, const struct request_list *l)
{
	const double *want = requests_column(l, o->against);
	double *got = malloc((l->count + 1) * sizeof(double));
	struct score c;
	int error;

	if (got == NULL)
		return EX_OSERR;
	for (size_t i = 0; i < l->count; i++)
		got[i] = (double) (l->io[i].finish - l->io[i].arrival) / 1e9;
	error = score_lists(want, l->count, got, l->count, &c);
	free(got);
	if (error != 0) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	print_score(&c, o->against, o->json);
	return 0;
}

/* ------------------------------------------------------------ command */

static int
report(const struct options *o, const struct disk_params *p,
    const struct disk_engine *e, const struct request_list *l)
{
	struct replay_summary s;
	int code = 0;

	if (replay_summarise(e, l, &s) != 0) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	if (o->output != NULL)
		code = write_csv(o->output, e, l);
	if (code != 0)
		return code;
	if (o->json)
		print_json(e, &s, p);
	else
		print_summary(e, &s, p);
	if (o->against != NULL)
		code = compare(o, l);
	if (o->json)
		puts("}");
	return code;
}

/* Is there something to compare with? */
static int
check_column(const struct options *o, const struct request_list *l)
{
	const double *want;
	double sum = 0;

	if (o->against == NULL)
		return 0;
	want = requests_column(l, o->against);
	for (size_t i = 0; want != NULL && i < l->count; i++)
		sum += want[i];
	if (sum > 0)
		return 0;
	if (want == NULL)
		cli_error("%s: there is no column '%s' of numbers", o->list,
		    o->against);
	else
		cli_error("%s: column '%s' is not above 0 on average, so there "
		    "is nothing to compare with", o->list, o->against);
	return EX_DATAERR;
}

static int
replay(const struct options *o, const struct disk_params *p)
{
	struct disk_engine *e;
	struct request_list l;
	struct sim_err err;
	int error, code;

	error = disk_engine_create(p, &e, &err);
	if (error == 0 && o->scheduler != NULL &&
	    disk_engine_set_scheduler(e, o->scheduler, &err) != 0) {
		cli_error("%s", err.text);
		disk_engine_destroy(e);
		return EX_USAGE;
	}
	for (uint32_t i = 0; error == 0 && i < o->nfaults; i++)
		error = disk_engine_add_fault(e, &o->fault[i]);
	if (error == 0)
		error = requests_load(o->list, disk_engine_sectors(e), &l,
		    &err);
	if (error != 0) {
		cli_error("%s", err.text);
		disk_engine_destroy(e);
		return error == -EINVAL ? EX_DATAERR : exit_code_of(error);
	}
	code = check_column(o, &l);
	if (code == 0) {
		replay_run(e, &l, &o->mode);
		code = report(o, p, e, &l);
	}
	requests_free(&l);
	disk_engine_destroy(e);
	return code;
}

int
disk_replay(int argc, char **argv)
{
	struct options o = { .list = NULL };
	struct disk_params *p;
	struct sim_err err;
	int code, error;

	code = parse(&o, argc, argv);
	if (code != 0)
		return code < 0 ? 0 : code;
	error = disk_params_load_set(o.disk, o.set, o.nset, &p, &err);
	if (error != 0) {
		cli_error("%s", err.text);
		return error == -EINVAL ? EX_DATAERR : exit_code_of(error);
	}
	if (o.no_cache)
		disk_params_no_cache(p);
	code = replay(&o, p);
	disk_params_free(p);
	return code;
}
