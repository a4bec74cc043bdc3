/*
 * Clock of sim/base: conversions against exact arithmetic, accounting of
 * cycles, defaults, panics and their handler.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/base/sim.h"
#include "unit/suite.h"

START_TEST(defaults_are_one_gigahertz_one_cpu)
{
	struct sim *sim = sim_create(NULL);

	ck_assert_uint_eq(sim_hz(sim), 1000000000);
	ck_assert_uint_eq(sim_ncpus(sim), 1);
	ck_assert_uint_eq(sim_now(sim), 0);
	ck_assert_uint_eq(sim_rng_seed(sim), 0);
	ck_assert_uint_eq(sim_idle_cycles(sim), 0);
	ck_assert_ptr_null(sim_curthread(sim));
	sim_destroy(sim);
}
END_TEST

START_TEST(conversions_round_down)
{
	struct sim_config cfg = { .cpu_hz = 2500000001ull };
	struct sim *sim = sim_create(&cfg);

	ck_assert_uint_eq(sim_us(sim, 1), 2500);
	ck_assert_uint_eq(sim_us(sim, 1000000), 2500000001ull);
	ck_assert_uint_eq(sim_ns(sim, 1), 2);
	ck_assert_uint_eq(sim_ns(sim, 1000000000), 2500000001ull);
	ck_assert_uint_eq(sim_to_ns(sim, 2500000001ull), 1000000000);
	ck_assert_uint_eq(sim_to_ns(sim, 5), 1);
	ck_assert_uint_eq(sim_to_ns(sim, 2), 0);
	sim_destroy(sim);
}
END_TEST

START_TEST(conversions_of_centuries_do_not_overflow)
{
	struct sim_config cfg = { .cpu_hz = 5000000000ull };
	struct sim *sim = sim_create(&cfg);
	uint64_t century_us = 100ull * 365 * 86400 * 1000000;

	ck_assert_uint_eq(sim_us(sim, century_us), century_us * 5000);
	ck_assert_uint_eq(sim_to_ns(sim, century_us * 5000),
	    century_us * 1000);
	ck_assert_uint_eq(sim_us(sim, UINT64_MAX), UINT64_MAX);
	sim_destroy(sim);
}
END_TEST

START_TEST(slow_clock_still_has_a_quantum)
{
	struct sim_config cfg = { .cpu_hz = 1, .quantum_us = 1 };
	struct sim *sim = sim_create(&cfg);

	ck_assert_uint_eq(sim_us(sim, 999999), 0);
	ck_assert_int_eq(sim_run_until(sim, 77), SIM_DEADLOCK);
	ck_assert_uint_eq(sim_now(sim), 77);
	ck_assert_uint_eq(sim_idle_cycles(sim), 77);
	sim_destroy(sim);
}
END_TEST

START_TEST(spending_outside_moves_the_clock)
{
	struct sim *sim = sim_create(NULL);

	sim_spend(sim, 123);
	ck_assert_uint_eq(sim_now(sim), 123);
	ck_assert_uint_eq(sim_event_cycles(sim), 123);
	ck_assert_uint_eq(sim_idle_cycles(sim), 0);
	sim_destroy(sim);
}
END_TEST

START_TEST(outside_has_a_tag_of_its_own)
{
	struct sim *sim = sim_create(NULL);

	ck_assert_uint_eq(sim_tag(sim), 0);
	ck_assert_uint_eq(sim_tag_set(sim, 5), 0);
	ck_assert_uint_eq(sim_tag_set(sim, 6), 5);
	ck_assert_uint_eq(sim_tag(sim), 6);
	sim_destroy(sim);
}
END_TEST

struct caught {
	jmp_buf jb;
	char message[128];
	int line;
};

static void
catch_panic(void *ctx, const char *file, int line, const char *func,
    const char *message)
{
	struct caught *c = ctx;

	ck_assert_ptr_nonnull(strstr(file, "test_sim_clock.c"));
	ck_assert_str_eq(func, "broken");
	strncpy(c->message, message, sizeof(c->message) - 1);
	c->line = line;
	longjmp(c->jb, 1);
}

static void
broken(struct sim *sim, int queue)
{
	KASSERT(sim, queue == 0, ("page %u on queue %d", 17u, queue));
}

START_TEST(kassert_tells_the_handler)
{
	struct sim *sim = sim_create(NULL);
	struct caught c = { .line = 0 };

	sim_set_panic_handler(sim, catch_panic, &c);
	broken(sim, 0);
	if (setjmp(c.jb) == 0) {
		broken(sim, 3);
		ck_abort_msg("KASSERT did not panic");
	}
	ck_assert_str_eq(c.message, "page 17 on queue 3");
	ck_assert_int_gt(c.line, 0);
	sim_destroy(sim);
}
END_TEST

static void
dump(void *ctx, void *file)
{
	fprintf(file, "free pages: %d\n", *(int *)ctx);
}

static void
broken_thread(void *arg)
{
	struct sim *sim = arg;

	sim_spend(sim, 1234);
	sim_tag_set(sim, 56);
	broken(sim, 4);
}

static void
broken_event(void *arg, sim_time_t when)
{
	(void)when;
	broken(arg, 5);
}

/* In a child: panics without a handler. Its stderr goes to fd. */
static void
die_in_a_child(int fd, bool in_event)
{
	struct sim_config cfg = { .rng_seed = 789 };
	struct rlimit none = { 0, 0 };
	struct sim *sim = sim_create(&cfg);
	struct sim_event ev;
	int pages = 17;

	setrlimit(RLIMIT_CORE, &none);
	dup2(fd, STDERR_FILENO);
	sim_add_dump(sim, "counters", dump, &pages);
	sim_event_init(&ev, "bad event", 0, broken_event, sim);
	if (in_event)
		sim_event_at(sim, &ev, 99);
	else
		sim_thread_create(sim, "bad thread", 100, broken_thread, sim);
	sim_run(sim);
	_exit(0);
}

static void
read_death(bool in_event, char *text, size_t size)
{
	int fd[2], status;
	size_t n = 0;
	ssize_t r;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		die_in_a_child(fd[1], in_event);
	close(fd[1]);
	while ((r = read(fd[0], text + n, size - 1 - n)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	close(fd[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

START_TEST(a_panic_says_where_and_aborts)
{
	static const char *const thread[] = { "panic: page 17 on queue 4",
		"test_sim_clock.c:", "broken()", "cycle 1234 ",
		"rng_seed 789", "\"bad thread\"", "tag 56", "-- counters --",
		"free pages: 17" };
	static const char *const event[] = { "queue 5", "cycle 99 ",
		"event \"bad event\", due at 99", "free pages: 17" };
	char text[4096];

	read_death(false, text, sizeof(text));
	for (size_t i = 0; i < sizeof(thread) / sizeof(thread[0]); i++)
		ck_assert_msg(strstr(text, thread[i]) != NULL, "no %s in %s",
		    thread[i], text);
	read_death(true, text, sizeof(text));
	for (size_t i = 0; i < sizeof(event) / sizeof(event[0]); i++)
		ck_assert_msg(strstr(text, event[i]) != NULL, "no %s in %s",
		    event[i], text);
}
END_TEST

START_TEST(errors_are_one_line)
{
	struct sim_err err;

	ck_assert_int_eq(sim_err_set(&err, 22, "%s: bad\nname %d", "a\tb", 7),
	    -22);
	ck_assert_str_eq(err.text, "a?b: bad?name 7");
	ck_assert_int_eq(sim_err_set(NULL, 2, "nobody listens"), -2);
}
END_TEST

START_TEST(long_errors_are_cut)
{
	struct sim_err err;
	char *name = malloc(2000);

	memset(name, 'x', 1999);
	name[1999] = '\0';
	ck_assert_int_eq(sim_err_set(&err, 5, "%s", name), -5);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	free(name);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		defaults_are_one_gigahertz_one_cpu,
		conversions_round_down,
		conversions_of_centuries_do_not_overflow,
		slow_clock_still_has_a_quantum,
		spending_outside_moves_the_clock,
		outside_has_a_tag_of_its_own,
		kassert_tells_the_handler,
		a_panic_says_where_and_aborts,
		errors_are_one_line,
		long_errors_are_cut,
	};

	return (SUITE_MAIN("sim_clock", tests));
}
