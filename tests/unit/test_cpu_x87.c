/*
 * The x87 instructions that are ours against the host's own: remainders and
 * their condition codes are equal to the bit, functions within one unit in
 * the last place (the processor's are not rounded correctly, ours are), and
 * special operands give the same. Known values are rounded correctly.
 */
#include <check.h>
#include <string.h>

#include "sim/base/sim.h"
#include "sim/cpu_x87.h"
#include "unit/suite.h"

struct number {
	uint64_t mant;
	uint16_t top;
};

static struct number
of(long double v)
{
	struct number n;

	memcpy(&n.mant, &v, 8);
	memcpy(&n.top, (const char *)&v + 8, 2);
	return n;
}

static long double
value(struct number n)
{
	long double v = 0;

	memcpy(&v, &n.mant, 8);
	memcpy((char *)&v + 8, &n.top, 2);
	return v;
}

/* A state with ST0 = x, ST1 = y, as after FNINIT and two loads. */
static struct cpu_x87
state(struct number x, struct number y)
{
	struct cpu_x87 f = { .control = 0x37f, .status = 6 << 11,
		.tags = 0x0fff };

	memcpy(f.st[6], &x.mant, 8);
	memcpy(f.st[6] + 8, &x.top, 2);
	memcpy(f.st[7], &y.mant, 8);
	memcpy(f.st[7] + 8, &y.top, 2);
	return f;
}

static struct number
register_of(const struct cpu_x87 *f, unsigned i)
{
	const uint8_t *p = f->st[((f->status >> 11) + i) & 7];
	struct number n;

	memcpy(&n.mant, p, 8);
	memcpy(&n.top, p + 8, 2);
	return n;
}

struct answer {
	struct number st0, st1;
	uint16_t status;
};

#define HOST(name, code)                                                  \
	case name:                                                        \
		__asm__ volatile("fninit; fldt %4; fldt %3; " code        \
		    "; fnstsw %2; fstpt %0; fstpt %1"                     \
		    : "=m"(a), "=m"(b), "=m"(r->status)                   \
		    : "m"(x), "m"(y)                                      \
		    : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",  \
		    "st(6)", "st(7)");                                    \
		break

/* For instructions that pop, st1 means nothing. Not inline: no compiler may
 * have anything in the registers that are emptied here. */
static __attribute__((noinline)) void
on_host(uint8_t op, long double x, long double y, struct answer *r)
{
	long double a = 0, b = 0;

	switch (op) {
	HOST(X87_F2XM1, "f2xm1");
	HOST(X87_FYL2X, "fyl2x");
	HOST(X87_FPTAN, "fptan");
	HOST(X87_FPATAN, "fpatan");
	HOST(X87_FPREM1, "fprem1");
	HOST(X87_FPREM, "fprem");
	HOST(X87_FYL2XP1, "fyl2xp1");
	HOST(X87_FSINCOS, "fsincos");
	HOST(X87_FSIN, "fsin");
	HOST(X87_FCOS, "fcos");
	}
	__asm__ volatile("fninit");
	r->st0 = of(a);
	r->st1 = of(b);
}

static void
on_ours(uint8_t op, long double x, long double y, struct answer *r)
{
	struct cpu_x87 f = state(of(x), of(y));

	ck_assert(cpu_x87_execute(&f, op));
	r->st0 = register_of(&f, 0);
	r->st1 = register_of(&f, 1);
	r->status = f.status;
}

#define CODES 0x4700 /* C3 to C0 */

static bool
same(struct number a, struct number b)
{
	return (a.mant == b.mant && a.top == b.top);
}

/* Numbers in order, so that neighbours differ by one. */
static bool
near(struct number a, struct number b)
{
	__int128 x = ((__int128)(a.top & 0x7fff) << 63) +
	    (__int128)(a.mant & ~(1ull << 63));
	__int128 y = ((__int128)(b.top & 0x7fff) << 63) +
	    (__int128)(b.mant & ~(1ull << 63));

	return ((a.top ^ b.top) >> 15 == 0 && x - y <= 1 && y - x <= 1);
}

static long double
random_number(struct sim_rng *rng, int low, int high)
{
	struct number n;

	n.mant = sim_rng_next(rng) | 1ull << 63;
	if (sim_rng_below(rng, 4) == 0)
		n.mant &= ~0ull << sim_rng_below(rng, 64);
	n.top = (uint16_t)(16383 + low +
	    (int)sim_rng_below(rng, (uint64_t)(high - low)));
	n.top |= (uint16_t)(sim_rng_below(rng, 2) << 15);
	return (value(n));
}

START_TEST(remainders_are_exact)
{
	struct answer host, ours;
	struct sim_rng rng;

	sim_rng_init(&rng, 1, "x87");
	for (int i = 0; i < 100000; i++) {
		uint8_t op = i & 1 ? X87_FPREM : X87_FPREM1;
		int far = i % 8 == 0 ? 60 : 5;
		long double x = random_number(&rng, -far, far);
		long double y = random_number(&rng, -far / 2, far / 2);

		on_host(op, x, y, &host);
		on_ours(op, x, y, &ours);
		if ((host.status | ours.status) & 0x400)
			continue; /* a part of it: how much is free */
		ck_assert_msg(same(host.st0, ours.st0) &&
		    same(host.st1, ours.st1) &&
		    (host.status & CODES) == (ours.status & CODES),
		    "%02x: %La %La: %La %04x, host %La %04x", op, x, y,
		    value(ours.st0), ours.status, value(host.st0),
		    host.status);
	}
}
END_TEST

/* Quotients of thousands of bits, numbers near the smallest. */
START_TEST(long_remainders_come_to_the_same_end)
{
	struct answer host, ours;
	struct sim_rng rng;

	sim_rng_init(&rng, 2, "x87");
	for (int i = 0; i < 800; i++) {
		uint8_t op = i & 1 ? X87_FPREM : X87_FPREM1;
		long double x = random_number(&rng, -16382, 16383), a = x, b;
		long double y = random_number(&rng, -16382, -15000);

		if (i % 3 == 0)
			y /= 1ull << (i % 60); /* denormal */
		for (b = x, host.status = 0x400; host.status & 0x400;) {
			on_host(op, a, y, &host);
			a = value(host.st0);
		}
		for (ours.status = 0x400; ours.status & 0x400;) {
			on_ours(op, b, y, &ours);
			b = value(ours.st0);
		}
		ck_assert_msg(same(host.st0, ours.st0) &&
		    (host.status & CODES) == (ours.status & CODES),
		    "%02x: %La %La: %La %04x, host %La %04x", op, x, y,
		    value(ours.st0), ours.status, value(host.st0),
		    host.status);
	}
}
END_TEST

static void
check_near(uint8_t op, long double x, long double y)
{
	struct answer host, ours;

	on_host(op, x, y, &host);
	on_ours(op, x, y, &ours);
	ck_assert_msg(near(host.st0, ours.st0) &&
	    (host.status & 0x3c00) == (ours.status & 0x3c00),
	    "%02x: %La %La: %La %04x, host %La %04x", op, x, y,
	    value(ours.st0), ours.status, value(host.st0), host.status);
	if (op == X87_FPTAN || op == X87_FSINCOS)
		ck_assert_msg(near(host.st1, ours.st1),
		    "%02x: %La %La: below %La, host %La", op, x, y,
		    value(ours.st1), value(host.st1));
}

#define PI 3.14159265358979323846264338327950288L

/* Some processors know more of pi than the manual says. */
static bool
host_has_66_bits(void)
{
	struct answer host;

	on_host(X87_FSIN, PI, 0, &host);
	return (value(host.st0) == -0x1p-64L);
}

START_TEST(functions_are_the_processors)
{
	int high = host_has_66_bits() ? 64 : -1;
	struct sim_rng rng;

	sim_rng_init(&rng, 3, "x87");
	for (int i = 0; i < 10000; i++) {
		long double angle = random_number(&rng, -70, high);
		long double y = random_number(&rng, -40, 40);
		long double x = random_number(&rng, -40, 40);
		long double one = random_number(&rng, -70, 0);

		check_near(X87_FSIN, angle, y);
		check_near(X87_FCOS, angle, y);
		check_near(X87_FSINCOS, angle, y);
		check_near(X87_FPTAN, angle, y);
		check_near(X87_FPATAN, x, y);
		check_near(X87_F2XM1, one, y);
		check_near(X87_FYL2X, x < 0 ? -x : x, y);
		check_near(X87_FYL2XP1, one * 0.29L, y);
	}
}
END_TEST

/* Zeroes, infinities, NaNs, what is no number at all: the same result, the
 * same flags for invalid operands and division by zero. */
START_TEST(special_operands_are_the_processors)
{
	static const struct number special[] = { { 0, 0 }, { 0, 0x8000 },
		{ 1ull << 63, 0x7fff }, { 1ull << 63, 0xffff },
		{ 3ull << 62, 0x7fff }, { 3ull << 62 | 5, 0xffff },
		{ 1ull << 63 | 9, 0x7fff }, { 1ull << 63, 16383 },
		{ 1ull << 63, 16383 | 0x8000 }, { 1ull << 62, 16383 },
		{ 1ull << 63 | 1, 16383 + 70 }, { 1ull << 63, 16382 } };
	static const uint8_t ops[] = { X87_F2XM1, X87_FYL2X, X87_FPTAN,
		X87_FPATAN, X87_FPREM1, X87_FPREM, X87_FSINCOS, X87_FSIN,
		X87_FCOS };
	struct answer host, ours;

	for (size_t o = 0; o < sizeof(ops); o++) {
		for (int i = 0; i < 12 * 12; i++) {
			struct number x = special[i % 12], y = special[i / 12];

			/* 2^x for such an x means nothing */
			if (ops[o] == X87_F2XM1 && (x.top & 0x7fff) > 16383)
				continue;
			on_host(ops[o], value(x), value(y), &host);
			on_ours(ops[o], value(x), value(y), &ours);
			if ((host.status | ours.status) & 0x400 &&
			    (ops[o] == X87_FPREM || ops[o] == X87_FPREM1))
				continue;
			ck_assert_msg(near(host.st0, ours.st0) &&
			    (host.status & 0x3c05) == (ours.status & 0x3c05),
			    "%02x: %04x.%016llx %04x.%016llx: "
			    "%04x.%016llx %04x, host %04x.%016llx %04x",
			    ops[o], x.top, (unsigned long long)x.mant, y.top,
			    (unsigned long long)y.mant, ours.st0.top,
			    (unsigned long long)ours.st0.mant, ours.status,
			    host.st0.top, (unsigned long long)host.st0.mant,
			    host.status);
		}
	}
}
END_TEST

static struct number
one_result(uint8_t op, long double x, long double y, uint16_t rounding)
{
	struct cpu_x87 f = state(of(x), of(y));

	f.control = (uint16_t)(0x37f | rounding << 10);
	ck_assert(cpu_x87_execute(&f, op));
	return (register_of(&f, 0));
}

/* sin 1 = 0.8414709848078965066525023216302989996225630607983710656727517...:
 * between 0xd76aa47848677020 and ...21 times 2^-64. */
START_TEST(results_are_rounded_as_asked)
{
	const uint64_t below = 0xd76aa47848677020ull;

	ck_assert_uint_eq(one_result(X87_FSIN, 1, 0, 0).mant, below + 1);
	ck_assert_uint_eq(one_result(X87_FSIN, 1, 0, 1).mant, below);
	ck_assert_uint_eq(one_result(X87_FSIN, 1, 0, 2).mant, below + 1);
	ck_assert_uint_eq(one_result(X87_FSIN, 1, 0, 3).mant, below);
	ck_assert_uint_eq(one_result(X87_FSIN, -1, 0, 1).mant, below + 1);
	ck_assert_uint_eq(one_result(X87_FSIN, -1, 0, 2).mant, below);
}
END_TEST

/* The difference between pi of 64 and of 66 bits. */
START_TEST(pi_has_66_bits)
{
	ck_assert(value(one_result(X87_FSIN, PI, 0, 0)) == -0x1p-64L);
	ck_assert(value(one_result(X87_FCOS, PI / 2, 0, 0)) == -0x1p-65L);
	ck_assert(value(one_result(X87_FCOS, PI, 0, 0)) == -1);
}
END_TEST

/* Powers of two have whole logarithms, and 2^1 - 1 is 1. */
START_TEST(exact_results_are_exact)
{
	struct cpu_x87 f;

	for (int n = -60; n <= 60; n++) {
		struct number x = { 1ull << 63, (uint16_t)(16383 + n) };

		f = state(x, of(3));
		ck_assert(cpu_x87_execute(&f, X87_FYL2X));
		ck_assert(value(register_of(&f, 0)) == 3.0L * n);
		ck_assert_int_eq(f.status & 0x20, 0);
		ck_assert_uint_eq(f.tags, 0x3fff); /* one has gone */
	}
	ck_assert(value(one_result(X87_F2XM1, 1, 0, 0)) == 1);
	ck_assert(value(one_result(X87_F2XM1, -1, 0, 0)) == -0.5L);
}
END_TEST

START_TEST(other_instructions_are_refused)
{
	struct cpu_x87 f = state(of(1), of(2)), was = f;

	ck_assert(!cpu_x87_execute(&f, 0xfa)); /* FSQRT */
	ck_assert_int_eq(memcmp(&f, &was, sizeof(f)), 0);
}
END_TEST

/* An operand that is refused, with that exception unmasked. */
START_TEST(unmasked_errors_are_pending)
{
	struct cpu_x87 f = state(of(1), of(0));

	f.control &= (uint16_t)~1u;
	ck_assert(cpu_x87_execute(&f, X87_FPREM));
	ck_assert_uint_eq(f.status & 0x8081, 0x8081);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = { remainders_are_exact,
		long_remainders_come_to_the_same_end,
		functions_are_the_processors,
		special_operands_are_the_processors,
		results_are_rounded_as_asked, pi_has_66_bits,
		exact_results_are_exact, other_instructions_are_refused,
		unmasked_errors_are_pending };

	return (SUITE_MAIN("cpu_x87", tests));
}
