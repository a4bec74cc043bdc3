/*
 * Configurations: every key arrives where it belongs; whatever is wrong is
 * refused with one line that names the file and the place.
 * Method: tables of texts, with the error that each must give.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/rundb.h"
#include "suite.h"

static int
parse(const char *text, struct machine_config *mc, struct sim_err *err)
{
	err->text[0] = '\0';
	return (config_parse("m.json", text, strlen(text), mc, err));
}

START_TEST(all_keys)
{
	static const char text[] =
	    "{ \"kernel\": \"bsd\", \"mem\": \"48M\", \"kernel_mem\": 8192,"
	    " \"swap\": \"1G\", \"cpu_hz\": \"2.5GHz\", \"cpus\": 2,"
	    " \"domains\": 4, \"seed\": \"18446744073709551615\","
	    " \"disks\": [{\"name\": \"a\", \"model\": \"hp97560\"},"
	    "  {\"model\": \"x/y.json\", \"scheduler\": \"clook\","
	    "   \"set\": {\"cache.segments\": 2, \"seek\": {\"a\": 1}},"
	    "   \"faults\": [\"media,lbn=3\", \"gone,at=2s\"]}],"
	    " \"fs_disk\": \"a\", \"swap_disk\": \"da1\","
	    " \"argv\": [\"sort\", \"-n\"], \"cwd\": \"/tmp\","
	    " \"env\": {\"TZ\": \"UTC\", \"HOME\": \"/x\", \"TERM\": null},"
	    " \"bind_rw\": [\"/tmp\"], \"stack_limit\": \"1M\","
	    " \"rss_limit\": \"2M\", \"boot_epoch\": 7, \"max_time\": \"1.5s\","
	    " \"racct_rss\": \"3M\","
	    " \"contig\": [{\"pages\": 4}, {\"at\": 1.5, \"pages\": 8,"
	    "  \"low\": \"1M\", \"high\": \"2M\", \"align\": \"64K\","
	    "  \"boundary\": \"128K\", \"hold\": \"3ms\"}],"
	    " \"check\": 1, \"log\": [\"faults\", \"io\"], \"sample\": 0.25,"
	    " \"tunables\": {\"vm.a\": 5, \"vm.b\": \"64K\", \"vm.c\": true},"
	    " \"changes\": [{\"at\": \"2s\", \"set\": {\"vm.a\": -1}}] }";
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	ck_assert_msg(parse(text, &mc, &err) == 0, "%s", err.text);
	ck_assert_msg(config_finish(&mc, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(mc.mem_bytes, 48u << 20);
	ck_assert_uint_eq(mc.kernel_bytes, 8192);
	ck_assert_uint_eq(mc.swap_bytes, 1u << 30);
	ck_assert_uint_eq(mc.cpu_hz, 2500000000u);
	ck_assert_uint_eq(mc.ncpus, 2);
	ck_assert_uint_eq(mc.ndomains, 4);
	ck_assert_uint_eq(mc.rng_seed, UINT64_MAX);
	ck_assert_uint_eq(mc.ndisks, 2);
	ck_assert_str_eq(mc.disks[0].name, "a");
	ck_assert_str_eq(mc.disks[1].name, "da1");
	ck_assert_str_eq(mc.disks[1].model, "x/y.json");
	ck_assert_str_eq(mc.disks[1].scheduler, "clook");
	ck_assert_uint_eq(mc.disks[1].nset, 2);
	ck_assert_str_eq(mc.disks[1].set[0], "cache.segments=2");
	ck_assert_str_eq(mc.disks[1].set[1], "seek={\"a\":1}");
	ck_assert_uint_eq(mc.disks[1].nfaults, 2);
	ck_assert_str_eq(mc.disks[1].faults[1], "gone,at=2s");
	ck_assert_str_eq(mc.argv[1], "-n");
	ck_assert_ptr_null(mc.argv[2]);
	ck_assert_str_eq(config_getenv(&mc, "TZ"), "UTC");
	ck_assert_str_eq(config_getenv(&mc, "HOME"), "/x");
	ck_assert_ptr_null(config_getenv(&mc, "TERM"));
	ck_assert_str_eq(mc.cwd, "/tmp");
	ck_assert(mc.cwd_given);
	ck_assert_uint_eq(mc.max_ns, 1500000000u);
	ck_assert_uint_eq(mc.log_mask, RUNDB_LOG_FAULTS | RUNDB_LOG_IO);
	ck_assert_uint_eq(mc.sample_ns, 250000000u);
	ck_assert_uint_eq(mc.nchanges, 4);
	ck_assert_str_eq(mc.changes[0].value, "5");
	ck_assert_str_eq(mc.changes[1].value, "64K");
	ck_assert_str_eq(mc.changes[2].value, "1");
	ck_assert_uint_eq(mc.changes[3].at_ns, 2000000000u);
	ck_assert_str_eq(mc.changes[3].value, "-1");
	ck_assert_uint_eq(mc.racct_rss, 3u << 20);
	ck_assert_uint_eq(mc.ncontigs, 2);
	ck_assert_uint_eq(mc.contigs[0].pages, 4);
	ck_assert_uint_eq(mc.contigs[1].at_ns, 1500000000u);
	ck_assert_uint_eq(mc.contigs[1].low, 1u << 20);
	ck_assert_uint_eq(mc.contigs[1].high, 2u << 20);
	ck_assert_uint_eq(mc.contigs[1].align, 65536);
	ck_assert_uint_eq(mc.contigs[1].boundary, 131072);
	ck_assert_uint_eq(mc.contigs[1].hold_ns, 3000000);
	ck_assert_str_eq(mc.contigs[1].origin, "m.json: $.contig[1]");
	machine_config_free(&mc);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "m.json:1:1: the JSON text ends too early" },
	{ "{\n  \"mem\": \"4M\",\n}", "m.json:3:1: malformed JSON" },
	{ "{\"mem\": }", "m.json:1:9: malformed JSON" },
	{ "{\"mem\": \"4M\"", "m.json:1:13: the JSON text ends too early" },
	{ "{} x", "m.json:1:4: more text after the end" },
	{ "[1]", "m.json: $: this must be an object, not a list" },
	{ "{\"meem\": 1}", "m.json: $.meem: unknown key 'meem'; did you mean "
	    "'mem'?" },
	{ "{\"qqqqqqqqq\": 1}", "m.json: $.qqqqqqqqq: unknown key" },
	{ "{\"mem\": 1, \"mem\": 2}", "m.json: $.mem: this key is given "
	    "twice" },
	{ "{\"mem\": \"lots\"}", "m.json: $.mem: 'lots' is not a size" },
	{ "{\"mem\": true}", "$.mem: this must be a size such as 64M, not "
	    "true" },
	{ "{\"mem\": -1}", "$.mem: -1 is out of range" },
	{ "{\"mem\": 1.5}", "$.mem: 1.5 is not a whole number" },
	{ "{\"mem\": 1e300}", "$.mem: 1e+300 is out of range (4096 to " },
	{ "{\"mem\": 10}", "$.mem: 10 is out of range (4096 to " },
	{ "{\"cpus\": 65}", "$.cpus: 65 is out of range (1 to 64)" },
	{ "{\"cpus\": \"2x\"}", "$.cpus: '2x' is not a whole number" },
	{ "{\"cpu_hz\": \"fast\"}", "$.cpu_hz: 'fast' is not a clock rate" },
	{ "{\"seed\": 9007199254740993}", "" },
	{ "{\"seed\": 1e17}", "$.seed: 1e+17 is too large for a JSON number" },
	{ "{\"kernel\": \"bsdd\"}", "$.kernel: there is no kernel 'bsdd'; did "
	    "you mean 'bsd'?" },
	{ "{\"contig\": {}}", "$.contig: this must be a list of objects" },
	{ "{\"contig\": [3]}", "$.contig[0]: this must be an object" },
	{ "{\"contig\": [{\"page\": 1}]}", "$.contig[0].page: unknown key "
	    "'page'; did you mean 'pages'?" },
	{ "{\"contig\": [{}]}", "$.contig[0]: \"pages\" is missing" },
	{ "{\"contig\": [{\"pages\": 0}]}", "$.contig[0].pages: 0 is out of "
	    "range" },
	{ "{\"contig\": [{\"at\": \"noon\"}]}", "$.contig[0].at: 'noon' is not "
	    "a time" },
	{ "{\"disks\": []}", "$.disks: 1 to 16 disks are possible" },
	{ "{\"disks\": [{}]}", "$.disks[0]: \"model\" is missing" },
	{ "{\"disks\": [{\"modle\": \"x\"}]}", "$.disks[0].modle: unknown key "
	    "'modle'; did you mean 'model'?" },
	{ "{\"disks\": [{\"model\": 3}]}", "$.disks[0].model: this must be a "
	    "string, not a number" },
	{ "{\"disks\": [{\"model\": \"\"}]}", "$.disks[0].model: the string "
	    "is empty" },
	{ "{\"disks\": [{\"model\": \"m\", \"name\": \"a name that is longer "
	    "than any disk's\"}]}", "$.disks[0].name: the string is longer "
	    "than 31" },
	{ "{\"disks\": [{\"model\": \"m\", \"faults\": [\"medea\"]}]}",
	    "$.disks[0].faults[0]: " },
	{ "{\"disks\": [{\"model\": \"m\", \"faults\": \"media\"}]}",
	    "$.disks[0].faults: this must be a list of strings" },
	{ "{\"disks\": [{\"model\": \"m\", \"set\": [1]}]}",
	    "$.disks[0].set: this must be an object" },
	{ "{\"argv\": []}", "$.argv: the list is empty" },
	{ "{\"argv\": [\"a\", 1]}", "$.argv[1]: this must be a string, not a "
	    "number" },
	{ "{\"env\": {\"A=B\": \"x\"}}", "$.env.A=B: this is no name" },
	{ "{\"env\": {\"A\": 1}}", "$.env.A: this must be a string or null" },
	{ "{\"env\": []}", "$.env: this must be an object" },
	{ "{\"cwd\": \"tmp\"}", "$.cwd: 'tmp' is not an absolute path" },
	{ "{\"log\": [\"fault\"]}", "$.log[0]: 'fault' cannot be logged; did "
	    "you mean 'faults'?" },
	{ "{\"log\": 3}", "$.log: this must be a list" },
	{ "{\"max_time\": \"5 parsecs\"}", "$.max_time: '5 parsecs' is not a "
	    "time" },
	{ "{\"max_time\": true}", "$.max_time: this must be a time" },
	{ "{\"max_time\": 1e10}", "$.max_time: 1e+10 is out of range" },
	{ "{\"tunables\": {\"\": 1}}", "$.tunables.: this is no name of a "
	    "tunable" },
	{ "{\"tunables\": {\"vm.x\": 1.5}}", "$.tunables.vm.x: this must be a "
	    "whole number" },
	{ "{\"tunables\": {\"vm.x\": {}}}", "$.tunables.vm.x: this must be a "
	    "whole number" },
	{ "{\"changes\": {}}", "$.changes: this must be a list" },
	{ "{\"changes\": [{\"at\": \"1s\"}]}", "$.changes[0]: \"set\" is "
	    "missing" },
	{ "{\"changes\": [{\"at\": \"0s\", \"set\": {}}]}", "$.changes[0].at: "
	    "the time must be above 0" },
	{ "{\"changes\": [{\"at\": 5, \"set\": {}}]}", "$.changes[0].at: this "
	    "must be a time" },
	{ "{\"changes\": [{\"when\": 5}]}", "$.changes[0].when: unknown key "
	    "'when'" },
	{ "{\"env\":{\"A\":\"1\",\"A\":\"2\"}}", "$.env.A: this key is given "
	    "twice" },
	{ "{\"a\":[[[[[[[[[[[]]]]]]]]]]]}", "nested too deeply" },
	{ "{\"m\\u0007m\": 1}", "m.json: $.m?m: unknown key 'm?m'" },
};

START_TEST(bad_input)
{
	const char *text = bad[_i].text, *message = bad[_i].message;
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	ck_assert_msg(parse(text, &mc, &err) < 0, "accepted: %s", text);
	ck_assert_msg(strstr(err.text, message) != NULL, "%s\n gave: %s\n not: "
	    "%s", text, err.text, message);
	ck_assert_msg(strncmp(err.text, "m.json:", 7) == 0, "%s", err.text);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	machine_config_free(&mc);
}
END_TEST

/* Every beginning of a good text is refused, and none crashes. */
START_TEST(every_prefix)
{
	static const char text[] = "{\"mem\":\"4M\",\"disks\":[{\"name\":\"a\","
	    "\"model\":\"b\"}],\"env\":{\"A\":\"\\u00e9\"},\"seed\":12}";
	struct machine_config mc;
	struct sim_err err;

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		/* a buffer of its own, so that a sanitizer sees its end */
		char *part = malloc(n + 1);

		memcpy(part, text, n);
		machine_config_init(&mc);
		ck_assert_int_eq(config_parse("m.json", part, n, &mc, &err),
		    -EINVAL);
		ck_assert_ptr_null(strchr(err.text, '\n'));
		machine_config_free(&mc);
		free(part);
	}
	machine_config_init(&mc);
	ck_assert_int_eq(config_parse("m.json", text, sizeof(text) - 1, &mc,
	    &err), 0);
	/* a NUL is not the end of the text */
	ck_assert_int_eq(config_parse("m.json", "{}\0{", 4, &mc, &err),
	    -EINVAL);
	ck_assert_str_eq(err.text, "m.json:1:3: a NUL byte; this is no JSON "
	    "text");
	machine_config_free(&mc);
}
END_TEST

START_TEST(columns_count_characters)
{
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	parse("{\"env\": {\"\xc3\xa9\xc3\xa9\": \"a\" x}}", &mc, &err);
	ck_assert_ptr_nonnull(strstr(err.text, "m.json:1:20:"));
	machine_config_free(&mc);
}
END_TEST

START_TEST(files)
{
	char name[] = "/tmp/test_config.XXXXXX";
	struct machine_config mc;
	struct sim_err err;
	FILE *f;

	machine_config_init(&mc);
	ck_assert_int_eq(config_load("/nonexistent/m.json", &mc, &err),
	    -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/m.json: "));
	ck_assert_int_eq(config_load("/tmp", &mc, &err), -EISDIR);
	f = fdopen(mkstemp(name), "w");
	fputs("{\"mem\": \"5M\"}\n\n", f);
	fflush(f);
	ck_assert_int_eq(config_load(name, &mc, &err), 0);
	ck_assert_uint_eq(mc.mem_bytes, 5u << 20);
	for (int i = 0; i < (1 << 20); i++)
		fputc(' ', f);
	fclose(f);
	ck_assert_int_eq(config_load(name, &mc, &err), -EFBIG);
	unlink(name);
	machine_config_free(&mc);
}
END_TEST

START_TEST(later_files_add)
{
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	ck_assert_int_eq(parse("{\"mem\": \"5M\", \"env\": {\"A\": \"1\"}, "
	    "\"argv\": [\"x\"], \"tunables\": {\"vm.a\": 1}}", &mc, &err), 0);
	ck_assert_int_eq(parse("{\"mem\": \"6M\", \"env\": {\"B\": \"2\"}, "
	    "\"argv\": [\"y\", \"z\"], \"tunables\": {\"vm.a\": 2}}", &mc,
	    &err), 0);
	ck_assert_int_eq(config_set(&mc, "mem", "7M", "--mem", &err), 0);
	ck_assert_uint_eq(mc.mem_bytes, 7u << 20);
	ck_assert_str_eq(config_getenv(&mc, "A"), "1");
	ck_assert_str_eq(config_getenv(&mc, "B"), "2");
	ck_assert_str_eq(mc.argv[0], "y");
	ck_assert_uint_eq(mc.nchanges, 2);
	ck_assert_str_eq(mc.changes[1].value, "2");
	ck_assert_str_eq(mc.changes[1].origin, "m.json: $.tunables.vm.a");
	machine_config_free(&mc);
}
END_TEST

START_TEST(command_line)
{
	static const char *const no_contig[] = { "", "64", "@2s", "x@2s",
		"64@noon", "64@2s,", "64@2s,low", "64@2s,lo=1", "64@2s,low=x",
		"64@2s,low=1,low=2", "0@2s" };
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	ck_assert_int_eq(config_set(&mc, "mem", "x", "--mem", &err), -EINVAL);
	ck_assert_str_eq(err.text, "--mem: 'x' is not a size such as 64M");
	ck_assert_int_eq(config_set(&mc, "cpus", "0", "--cpus", &err),
	    -ERANGE);
	ck_assert_str_eq(err.text, "--cpus: 0 is out of range (1 to 64)");
	ck_assert_int_eq(config_set_env(&mc, "A", "--env", &err), -EINVAL);
	ck_assert_int_eq(config_set_env(&mc, "=A", "--env", &err), -EINVAL);
	ck_assert_int_eq(config_set_env(&mc, "A=", "--env", &err), 0);
	ck_assert_str_eq(config_getenv(&mc, "A"), "");
	ck_assert_int_eq(config_set_env(&mc, "A=b=c", "--env", &err), 0);
	ck_assert_str_eq(config_getenv(&mc, "A"), "b=c");
	ck_assert_int_eq(config_set_tunable(&mc, "vm.x", 0, "--set", &err),
	    -EINVAL);
	ck_assert_int_eq(config_set_tunable(&mc, "vm.x=3", 9, "--set", &err),
	    0);
	ck_assert_uint_eq(mc.changes[0].at_ns, 9);
	ck_assert_int_eq(config_add_disk(&mc, "hp97560", true, "--disk", &err),
	    0);
	ck_assert_int_eq(config_add_disk(&mc, "b=dir/m.json:clook", false,
	    "--disk", &err), 0);
	ck_assert_uint_eq(mc.ndisks, 2);
	ck_assert_str_eq(mc.disks[0].name, "da0");
	ck_assert_str_eq(mc.disks[1].name, "b");
	ck_assert_str_eq(mc.disks[1].model, "dir/m.json");
	ck_assert_str_eq(mc.disks[1].scheduler, "clook");
	ck_assert_int_eq(config_add_disk(&mc, "=x", false, "--disk", &err),
	    -EINVAL);
	ck_assert_int_eq(config_add_disk(&mc, "c=", false, "--disk", &err),
	    -EINVAL);
	ck_assert_int_eq(config_add_contig(&mc, "64@2s,low=1M,hold=5ms",
	    "--contig", &err), 0);
	ck_assert_uint_eq(mc.ncontigs, 1);
	ck_assert_uint_eq(mc.contigs[0].pages, 64);
	ck_assert_uint_eq(mc.contigs[0].at_ns, 2000000000u);
	ck_assert_uint_eq(mc.contigs[0].low, 1u << 20);
	ck_assert_uint_eq(mc.contigs[0].hold_ns, 5000000);
	for (size_t i = 0; i < sizeof(no_contig) / sizeof(no_contig[0]); i++) {
		ck_assert_int_ne(config_add_contig(&mc, no_contig[i],
		    "--contig", &err), 0);
		ck_assert_int_eq(strncmp(err.text, "--contig: ", 10), 0);
	}
	ck_assert_int_eq(config_finish(&mc, &err), 0);
	ck_assert_str_eq(mc.fs_disk, "da0");
	ck_assert_str_eq(mc.swap_disk, "b");
	strcpy(mc.swap_disk, "bb");
	ck_assert_int_eq(config_finish(&mc, &err), -EINVAL);
	ck_assert_str_eq(err.text, "swap_disk: there is no disk 'bb'; did you "
	    "mean 'b'?");
	strcpy(mc.disks[0].name, "b");
	ck_assert_int_eq(config_finish(&mc, &err), -EINVAL);
	machine_config_free(&mc);
}
END_TEST

START_TEST(times)
{
	static const struct {
		const char *text;
		int error;
		uint64_t ns;
	} t[] = { { "0", 0, 0 }, { "3", 0, 3000000000u }, { "250ns", 0, 250 },
		{ "10us", 0, 10000 }, { "1.5ms", 0, 1500000 },
		{ "0.000001s", 0, 1000 }, { "2m", 0, 120000000000u },
		{ "1h", 0, 3600000000000u }, { "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 }, { "-1s", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 }, { "1sec", -EINVAL, 0 },
		{ "1.2.3s", -EINVAL, 0 }, { "9999999999h", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t ns = 0;

		ck_assert_msg(parse_time(t[i].text, &ns) == t[i].error, "%s",
		    t[i].text);
		ck_assert_msg(ns == t[i].ns, "%s", t[i].text);
	}
}
END_TEST

/* ---- the rows of the run database ---- */

static void
join(void *ctx, const char *key, const char *value)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%s=%s\n", key, value);
}

START_TEST(rows)
{
	char text[8192] = "";
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	config_finish(&mc, &err);
	parse("{\"argv\": [\"a\"], \"changes\": [{\"at\": \"1ms\", \"set\": "
	    "{\"vm.a\": 2}}]}", &mc, &err);
	strcpy(mc.db_path, "/secret/run.db");
	machine_config_rows(&mc, join, text);
	ck_assert_ptr_nonnull(strstr(text, "mem=67108864\n"));
	ck_assert_ptr_nonnull(strstr(text, "argv=[\"a\"]\n"));
	ck_assert_ptr_nonnull(strstr(text, "swap_disk=da0\n"));
	ck_assert_ptr_nonnull(strstr(text, "changes[0]=1000000ns vm.a=2\n"));
	/* nothing of the host */
	ck_assert_ptr_null(strstr(text, "secret"));
	ck_assert_ptr_null(strstr(text, "cwd"));
	machine_config_free(&mc);
}
END_TEST

static char *
read_all(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return (text);
}

START_TEST(keys_are_documented)
{
	char *text = read_all(TESTS_DIR "/../docs/configuration.md");
	char row[64], example[64];

	for (size_t i = 0; config_key(i) != NULL; i++) {
		snprintf(row, sizeof(row), "\n| `%s` | ", config_key(i));
		snprintf(example, sizeof(example), "\n  \"%s\": ",
		    config_key(i));
		ck_assert_msg(strstr(text, row) != NULL, "%s has no row",
		    config_key(i));
		ck_assert_msg(strstr(text, example) != NULL,
		    "%s is not in the example", config_key(i));
		ck_assert_str_ne(config_key_help(i), "");
	}
	free(text);
}
END_TEST

START_TEST(documented_example_is_right)
{
	char *text = read_all(TESTS_DIR "/../docs/configuration.md"), *end;
	char *json = strstr(text, "```json\n");
	struct machine_config mc;
	struct sim_err err;

	ck_assert_ptr_nonnull(json);
	json += 8;
	end = strstr(json, "```");
	machine_config_init(&mc);
	ck_assert_msg(config_parse("example", json, (size_t)(end - json), &mc,
	    &err) == 0, "%s", err.text);
	ck_assert_msg(config_finish(&mc, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(mc.max_ns, 600000000000u);
	machine_config_free(&mc);
	free(text);
}
END_TEST

/* The preset is the default: same rows for the database. */
START_TEST(default_machine_is_the_default)
{
	char a[8192] = "", b[8192] = "";
	struct machine_config mc;
	struct sim_err err;

	machine_config_init(&mc);
	ck_assert_int_eq(config_finish(&mc, &err), 0);
	machine_config_rows(&mc, join, a);
	machine_config_free(&mc);
	machine_config_init(&mc);
	mc.mem_bytes = mc.swap_bytes = mc.cpu_hz = mc.rng_seed = 0;
	mc.sample_ns = mc.stack_limit = mc.boot_epoch = mc.ndisks = 0;
	ck_assert_msg(config_load(TESTS_DIR
	    "/../workloads/machines/default.json", &mc, &err) == 0, "%s",
	    err.text);
	ck_assert_int_eq(config_finish(&mc, &err), 0);
	machine_config_rows(&mc, join, b);
	machine_config_free(&mc);
	ck_assert_str_eq(a, b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, all_keys);
	tcase_add_loop_test(tc, bad_input, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, every_prefix);
	tcase_add_test(tc, columns_count_characters);
	tcase_add_test(tc, files);
	tcase_add_test(tc, later_files_add);
	tcase_add_test(tc, command_line);
	tcase_add_test(tc, times);
	tcase_add_test(tc, rows);
	tcase_add_test(tc, keys_are_documented);
	tcase_add_test(tc, documented_example_is_right);
	tcase_add_test(tc, default_machine_is_the_default);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed != 0);
}
