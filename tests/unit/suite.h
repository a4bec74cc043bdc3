/*
 * suite.h: main() of a unit test: one Check suite, its tests in order, run
 * in this process (coroutines and sanitizers do not like forks).
 */
#ifndef VMSIM_TESTS_UNIT_SUITE_H
#define VMSIM_TESTS_UNIT_SUITE_H

#include <check.h>
#include <stddef.h>

static inline int
suite_main(const char *name, const TTest *const *tests, size_t count)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 0);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return (failed == 0 ? 0 : 1);
}

#define SUITE_MAIN(name, tests) \
	suite_main((name), (tests), sizeof(tests) / sizeof((tests)[0]))

#endif
