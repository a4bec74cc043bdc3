/*
 * The table of tunables: registration, setting from text with every kind of
 * refusal, formatting, sealing, near names, sizes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/tunables.h"
#include "unit/suite.h"

struct owner {
	int32_t i, flag;
	uint32_t u;
	uint64_t big, size;
	int32_t automatic, counter, boot, any, negative;
	char s[TUN_STRING_MAX];
	int changes;
	const struct tunable *last;
};

static void
on_change(void *object, const struct tunable *t)
{
	struct owner *o = object;

	o->changes++;
	o->last = t;
}

#define ROW(nm, ty, fl, field, d, lo, hi)                                  \
	{ .name = (nm), .type = (ty), .flags = (fl),                       \
		.offset = offsetof(struct owner, field), .def = (d),       \
		.min = (lo), .max = (hi), .unit = "pages", .source = "test", \
		.help = "help", .changed = on_change }

static const struct tunable rows[] = {
	ROW("vm.max_launder", TUN_INT, 0, i, 32, -5, 1000),
	ROW("vm.flag", TUN_BOOL, 0, flag, 1, 0, 1),
	ROW("vm.count", TUN_UINT, 0, u, 4000000000, 0, 0),
	ROW("vm.big", TUN_U64, 0, big, 7, 1, INT64_MAX),
	ROW("vm.size", TUN_SIZE, 0, size, 4096, 4096, 1ll << 40),
	ROW("vm.auto", TUN_INT, TUN_AUTO, automatic, -1, 10, 20),
	ROW("vm.counter", TUN_INT, TUN_RD, counter, 3, 0, 0),
	ROW("vm.any", TUN_INT, 0, any, 0, 0, 0),
	ROW("vm.negative", TUN_INT, 0, negative, -7, -10, -5),
	ROW("kern.hz", TUN_INT, TUN_BOOT, boot, 1000, 10, 10000),
	{ .name = "kern.name", .type = TUN_STRING,
	    .offset = offsetof(struct owner, s), .def_str = "vmsim",
	    .changed = on_change },
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static struct tunables *
open_table(struct owner *o)
{
	struct tunables *ts = tunables_create();

	memset(o, 0x5a, sizeof(*o));
	o->changes = 0;
	ck_assert_int_eq(tunables_register(ts, rows, NROWS, o), 0);
	return (ts);
}

#define SET(name, value) tunables_set(ts, (name), (value), &err)

START_TEST(registration_writes_the_defaults)
{
	struct owner o;
	struct tunables *ts = open_table(&o);

	ck_assert_int_eq(o.i, 32);
	ck_assert_int_eq(o.flag, 1);
	ck_assert_uint_eq(o.u, 4000000000u);
	ck_assert_uint_eq(o.big, 7);
	ck_assert_uint_eq(o.size, 4096);
	ck_assert_int_eq(o.automatic, -1);
	ck_assert_str_eq(o.s, "vmsim");
	ck_assert(!tunables_is_set(ts, "vm.max_launder"));
	ck_assert_int_eq(o.changes, 0);
	tunables_destroy(ts);
}
END_TEST

START_TEST(rows_are_in_order_of_name)
{
	struct owner o;
	struct tunables *ts = open_table(&o);

	for (size_t i = 1; i < NROWS; i++)
		ck_assert_int_lt(strcmp(tunables_row(ts, i - 1)->name,
		    tunables_row(ts, i)->name), 0);
	ck_assert_str_eq(tunables_row(ts, 0)->name, "kern.hz");
	ck_assert_ptr_null(tunables_row(ts, NROWS));
	tunables_destroy(ts);
}
END_TEST

START_TEST(a_name_is_registered_once)
{
	struct owner o, o2;
	struct tunables *ts = open_table(&o);
	struct tunable twice[2] = { rows[0], rows[0] };

	ck_assert_int_eq(tunables_register(ts, &rows[3], 1, &o2), -EEXIST);
	twice[0].name = twice[1].name = "vm.new";
	ck_assert_int_eq(tunables_register(ts, twice, 2, &o2), -EEXIST);
	ck_assert_ptr_null(tunables_row(ts, NROWS));
	ck_assert_int_eq(tunables_register(ts, twice, 1, &o2), 0);
	ck_assert_int_eq(o2.i, 32);
	tunables_destroy(ts);
}
END_TEST

START_TEST(many_rows)
{
	static char names[500][16];
	static struct tunable many[500];
	struct tunables *ts = tunables_create();
	struct owner o;
	char buf[32];

	for (int i = 0; i < 500; i++) {
		snprintf(names[i], sizeof(names[i]), "x.%d", i * 7919 % 500);
		many[i] = rows[0];
		many[i].name = names[i];
	}
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(tunables_register(ts, &many[i], 1, &o), 0);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(tunables_get(ts, names[i], buf, sizeof(buf),
		    NULL), 0);
	tunables_destroy(ts);
}
END_TEST

START_TEST(values_are_set_from_text)
{
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;

	ck_assert_int_eq(SET("vm.max_launder", "64"), 0);
	ck_assert_int_eq(o.i, 64);
	ck_assert(tunables_is_set(ts, "vm.max_launder"));
	ck_assert_int_eq(SET("vm.max_launder", "-5"), 0);
	ck_assert_int_eq(o.i, -5);
	ck_assert_int_eq(SET("vm.max_launder", "0x10"), 0);
	ck_assert_int_eq(o.i, 16);
	ck_assert_int_eq(SET("vm.max_launder", "010"), 0);
	ck_assert_int_eq(o.i, 10); /* not octal */
	ck_assert_int_eq(SET("vm.flag", "off"), 0);
	ck_assert_int_eq(o.flag, 0);
	ck_assert_int_eq(SET("vm.flag", "true"), 0);
	ck_assert_int_eq(o.flag, 1);
	ck_assert_int_eq(SET("vm.count", "4294967295"), 0);
	ck_assert_uint_eq(o.u, UINT32_MAX);
	ck_assert_int_eq(SET("vm.big", "18446744073709551615"), 0);
	ck_assert_uint_eq(o.big, UINT64_MAX);
	ck_assert_int_eq(SET("vm.size", "1.5G"), 0);
	ck_assert_uint_eq(o.size, 3ull << 29);
	ck_assert_int_eq(SET("vm.any", "-2147483648"), 0);
	ck_assert_int_eq(o.any, INT32_MIN);
	ck_assert_int_eq(SET("vm.any", "0x7FFFFFFF"), 0);
	ck_assert_int_eq(o.any, INT32_MAX);
	ck_assert_int_eq(SET("vm.negative", "-5"), 0);
	ck_assert_int_eq(o.negative, -5);
	ck_assert_int_eq(SET("kern.name", "other"), 0);
	ck_assert_str_eq(o.s, "other");
	tunables_destroy(ts);
}
END_TEST

START_TEST(nonsense_is_refused_and_changes_nothing)
{
	static const struct {
		const char *name, *value;
		int error;
	} bad[] = {
		{ "vm.max_launder", "", -EINVAL },
		{ "vm.max_launder", "-", -EINVAL },
		{ "vm.max_launder", "0x", -EINVAL },
		{ "vm.max_launder", "12a", -EINVAL },
		{ "vm.max_launder", " 12", -EINVAL },
		{ "vm.max_launder", "1e3", -EINVAL },
		{ "vm.max_launder", "1001", -ERANGE },
		{ "vm.max_launder", "-6", -ERANGE },
		{ "vm.max_launder", "99999999999999999999", -ERANGE },
		{ "vm.max_launder", "-9223372036854775808", -ERANGE },
		{ "vm.max_launder", "4294967296", -ERANGE },
		{ "vm.flag", "2", -EINVAL },
		{ "vm.flag", "TRUE!", -EINVAL },
		{ "vm.count", "4294967296", -ERANGE },
		{ "vm.count", "-1", -ERANGE },
		{ "vm.big", "0", -ERANGE },
		{ "vm.big", "18446744073709551616", -ERANGE },
		{ "vm.big", "-1", -ERANGE },
		{ "vm.size", "4095", -ERANGE },
		{ "vm.size", "2T", -ERANGE },
		{ "vm.size", "large", -EINVAL },
		{ "vm.size", "-1K", -EINVAL },
		{ "vm.auto", "9", -ERANGE },
		{ "vm.auto", "-2", -ERANGE },
		{ "vm.any", "2147483648", -ERANGE },
		{ "vm.any", "-2147483649", -ERANGE },
		{ "vm.negative", "5", -ERANGE },
		{ "vm.negative", "0", -ERANGE },
		{ "vm.negative", "-4", -ERANGE },
		{ "vm.negative", "-11", -ERANGE },
		{ "vm.counter", "1", -EPERM },
		{ "vm.nothing_like_it_here", "1", -ENOENT },
	};
	struct owner o, before;
	struct tunables *ts = open_table(&o);
	struct sim_err err;

	before = o;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		ck_assert_msg(SET(bad[i].name, bad[i].value) == bad[i].error,
		    "%s=%s", bad[i].name, bad[i].value);
		ck_assert_ptr_nonnull(strstr(err.text, bad[i].name));
		ck_assert(!tunables_is_set(ts, bad[i].name));
	}
	ck_assert_mem_eq(&o, &before, sizeof(o));
	tunables_destroy(ts);
}
END_TEST

START_TEST(refusals_say_what_would_do)
{
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;

	SET("vm.max_launder", "1001");
	ck_assert_str_eq(err.text,
	    "vm.max_launder: 1001 is out of range; give -5 to 1000 pages");
	SET("vm.size", "x");
	ck_assert_str_eq(err.text,
	    "vm.size: \"x\" is not a size such as 64K or 1.5G");
	SET("vm.max_laundre", "1");
	ck_assert_str_eq(err.text, "unknown tunable \"vm.max_laundre\"; "
	    "did you mean \"vm.max_launder\"?");
	tunables_destroy(ts);
}
END_TEST

START_TEST(automatic_values_may_be_asked_for)
{
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;

	ck_assert_int_eq(SET("vm.auto", "15"), 0);
	ck_assert_int_eq(SET("vm.auto", "0"), 0);
	ck_assert_int_eq(o.automatic, 0);
	ck_assert_int_eq(SET("vm.auto", "-1"), 0);
	ck_assert_int_eq(o.automatic, -1);
	tunables_destroy(ts);
}
END_TEST

START_TEST(strings_have_a_length)
{
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;
	char text[TUN_STRING_MAX + 1];

	memset(text, 'x', sizeof(text));
	text[TUN_STRING_MAX] = '\0';
	ck_assert_int_eq(SET("kern.name", text), -ERANGE);
	ck_assert_str_eq(o.s, "vmsim");
	text[TUN_STRING_MAX - 1] = '\0';
	ck_assert_int_eq(SET("kern.name", text), 0);
	ck_assert_str_eq(o.s, text);
	ck_assert_int_eq(SET("kern.name", ""), 0);
	ck_assert_str_eq(o.s, "");
	tunables_destroy(ts);
}
END_TEST

START_TEST(sealing_closes_boot_rows_and_starts_notices)
{
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;

	ck_assert_int_eq(SET("kern.hz", "100"), 0);
	ck_assert_int_eq(o.changes, 0);
	tunables_seal(ts);
	ck_assert_int_eq(SET("kern.hz", "200"), -EPERM);
	ck_assert_int_eq(o.boot, 100);
	ck_assert_int_eq(SET("vm.max_launder", "7"), 0);
	ck_assert_int_eq(o.changes, 1);
	ck_assert_str_eq(o.last->name, "vm.max_launder");
	ck_assert_int_eq(SET("vm.max_launder", "7777"), -ERANGE);
	ck_assert_int_eq(o.changes, 1);
	tunables_destroy(ts);
}
END_TEST

START_TEST(values_are_formatted)
{
	static const struct {
		const char *name, *text;
	} expect[] = {
		{ "vm.max_launder", "32" },
		{ "vm.flag", "1" },
		{ "vm.count", "4000000000" },
		{ "vm.big", "7" },
		{ "vm.size", "4096" },
		{ "vm.auto", "-1" },
		{ "vm.counter", "3" },
		{ "kern.name", "vmsim" },
	};
	struct owner o;
	struct tunables *ts = open_table(&o);
	struct sim_err err;
	char buf[64];

	for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
		ck_assert_int_eq(tunables_get(ts, expect[i].name, buf,
		    sizeof(buf), &err), 0);
		ck_assert_str_eq(buf, expect[i].text);
	}
	ck_assert_int_eq(tunables_get(ts, "kern.nmae", buf, sizeof(buf),
	    &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "kern.name"));
	tunables_destroy(ts);
}
END_TEST

START_TEST(near_names)
{
	static const char *const names[] = { "sort", "short", "gzip",
		"memory", "mem" };
	size_t n = sizeof(names) / sizeof(names[0]);

	ck_assert_str_eq(nearest_name("sotr", names, n), "sort");
	ck_assert_str_eq(nearest_name("shorrt", names, n), "short");
	ck_assert_str_eq(nearest_name("memroy", names, n), "memory");
	ck_assert_str_eq(nearest_name("men", names, n), "mem");
	ck_assert_ptr_null(nearest_name("workloads", names, n));
	ck_assert_ptr_null(nearest_name("x", names, 0));
}
END_TEST

START_TEST(near_names_of_any_length)
{
	char *name = malloc(100000);
	const char *names[1] = { "sort" };

	memset(name, 's', 99999);
	name[99999] = '\0';
	ck_assert_ptr_null(nearest_name(name, names, 1));
	free(name);
}
END_TEST

START_TEST(sizes)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "64", 64 },
		{ "64b", 64 },
		{ "64K", 65536 },
		{ "64k", 65536 },
		{ "64KB", 65536 },
		{ "64KiB", 65536 },
		{ "1.5G", 3ull << 29 },
		{ "0.5k", 512 },
		{ "0.3K", 307 },
		{ "1.0000000000000000001M", 1u << 20 },
		{ "2T", 2ull << 40 },
		{ "16777215T", 16777215ull << 40 },
		{ "18446744073709551615", UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t bytes = 1;

		ck_assert_int_eq(parse_size(good[i].text, &bytes), 0);
		ck_assert_uint_eq(bytes, good[i].bytes);
	}
}
END_TEST

START_TEST(no_sizes)
{
	static const struct {
		const char *text;
		int error;
	} bad[] = {
		{ "", -EINVAL },
		{ "K", -EINVAL },
		{ ".5G", -EINVAL },
		{ "1.G", -EINVAL },
		{ "1.5", -EINVAL },
		{ "1.5b", -EINVAL },
		{ "-1", -EINVAL },
		{ "+1", -EINVAL },
		{ " 1", -EINVAL },
		{ "1 K", -EINVAL },
		{ "1KK", -EINVAL },
		{ "1P", -EINVAL },
		{ "1iB", -EINVAL },
		{ "18446744073709551616", -ERANGE },
		{ "16777216T", -ERANGE },
		{ "99999999999999999999999G", -ERANGE },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t bytes = 4711;

		ck_assert_msg(parse_size(bad[i].text, &bytes) ==
		    bad[i].error, "\"%s\"", bad[i].text);
		ck_assert_uint_eq(bytes, 4711);
	}
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		registration_writes_the_defaults,
		rows_are_in_order_of_name,
		a_name_is_registered_once,
		many_rows,
		values_are_set_from_text,
		nonsense_is_refused_and_changes_nothing,
		refusals_say_what_would_do,
		automatic_values_may_be_asked_for,
		strings_have_a_length,
		sealing_closes_boot_rows_and_starts_notices,
		values_are_formatted,
		near_names,
		near_names_of_any_length,
		sizes,
		no_sizes,
	};

	return (SUITE_MAIN("tunables", tests));
}
