/*
 * test_nice.c: goal: getpriority and setpriority answer as Linux does, and
 * the kernel's scheduler knows. Method: calls from a process of the rig.
 */
#include "unit/suite.h"
#include "unit/sys_rig.h"

#define GETPRIORITY 140
#define SETPRIORITY 141

static void
body(rig *m)
{
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PROCESS, 0), 20);
	ck_assert_int_eq(CALL(m, SETPRIORITY, PRIO_PROCESS, 0, 7), 0);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PROCESS, 100), 13);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PGRP, 0), 13);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_USER, 0), 13);
	ck_assert_int_eq(vm_proc_nice(m->p.proc), 7);
	/* beyond the range: its end; root may go down */
	ck_assert_int_eq(CALL(m, SETPRIORITY, PRIO_PGRP, 100, 99), 0);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PROCESS, 0), 1);
	ck_assert_int_eq(CALL(m, SETPRIORITY, PRIO_USER, 0,
	    (uint64_t)-99), 0);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PROCESS, 0), 40);
	ck_assert_int_eq(vm_proc_nice(m->p.proc), -20);
	/* nobody, and no such kind */
	ck_assert_int_eq(CALL(m, SETPRIORITY, PRIO_PROCESS, 4711, 1), -ESRCH);
	ck_assert_int_eq(CALL(m, GETPRIORITY, PRIO_PGRP, 4711), -ESRCH);
	ck_assert_int_eq(CALL(m, GETPRIORITY, 3, 0), -EINVAL);
	ck_assert_int_eq(CALL(m, SETPRIORITY, (uint64_t)-1, 0, 1), -EINVAL);
	ck_assert_int_eq(vm_proc_nice(m->p.proc), -20);
}

START_TEST(nice_values)
{
	rig_test(NULL, body);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { nice_values };

	return (SUITE_MAIN("nice", tests));
}
