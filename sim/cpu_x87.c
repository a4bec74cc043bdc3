/*
 * cpu_x87.c: remainders and transcendental functions of the x87.
 *
 * Interface: cpu_x87.h.
 * Source: Intel SDM, volume 1 chapter 8 and the instructions' pages in volume
 * 2 (special values, condition codes, pi of 66 bits); Unicorn notes section
 * 8. The functions are libquadmath's, which computes with 113 bits in whole
 * numbers; here they are rounded to 64.
 * Differs: an empty register is read as it stands and a full stack pushed
 * over, as by the emulator; denormal operands and underflow are not flagged.
 *
 * Why: the emulator computes these with the host's double-precision functions.
 * Their last bits depend on the C library and on what the host's processor
 * can do, and 53 bits are too few; its FPREM is inexact where the processor's
 * is exact, and so would be fmodl().
 */
#include "sim/cpu_x87.h"

#include <string.h>

typedef __float128 quad;

/* quadmath.h belongs to gcc; clang finds the library but not the header. */
extern quad atan2q(quad, quad), cosq(quad), expm1q(quad);
extern quad log1pq(quad), log2q(quad), sinq(quad), tanq(quad);

#define LN2 0.693147180559945309417232121458176568075500134360255Q
#define LOG2E 1.442695040888963407359924681001892137426645954153Q

enum {
	SW_INVALID = 0x1, SW_ZERO = 0x4, SW_INEXACT = 0x20, SW_ERROR = 0x80,
	SW_C0 = 0x100, SW_C1 = 0x200, SW_C2 = 0x400, SW_C3 = 0x4000,
	SW_BUSY = 0x8000
};
#define SW_CODES (SW_C0 | SW_C1 | SW_C2 | SW_C3)
#define EXP_MAX 0x7fff /* infinities and NaNs */
#define TOP_BIT (1ull << 63)
#define QUIET_BIT (1ull << 62)

/* An extended number: mant * 2^(exp - 16383 - 63). */
struct ext {
	uint64_t mant;
	int exp; /* 0 to EXP_MAX */
	bool sign;
};

enum kind { ZERO, FINITE, INFINITE, NAN_, UNSUPPORTED };

static const struct ext indefinite = { TOP_BIT | QUIET_BIT, EXP_MAX, true };

/* ------------------------------------------------------------ the stack */

static unsigned
physical(const struct cpu_x87 *f, unsigned i)
{
	return ((f->status >> 11) + i) & 7;
}

static struct ext
get(const struct cpu_x87 *f, unsigned i)
{
	const uint8_t *p = f->st[physical(f, i)];
	uint16_t top;
	struct ext x;

	memcpy(&x.mant, p, 8);
	memcpy(&top, p + 8, 2);
	x.sign = top >> 15;
	x.exp = top & EXP_MAX;
	return x;
}

static void
put(struct cpu_x87 *f, unsigned i, struct ext x)
{
	uint8_t *p = f->st[physical(f, i)];
	uint16_t top = (uint16_t)(x.exp | x.sign << 15);

	memcpy(p, &x.mant, 8);
	memcpy(p + 8, &top, 2);
}

static void
set_top(struct cpu_x87 *f, unsigned top)
{
	f->status = (uint16_t)((f->status & ~(7u << 11)) | (top & 7) << 11);
}

static void
pop(struct cpu_x87 *f)
{
	f->tags |= (uint16_t)(3u << (2 * physical(f, 0)));
	set_top(f, physical(f, 1));
}

static void
push(struct cpu_x87 *f, struct ext x)
{
	set_top(f, physical(f, 7));
	f->tags &= (uint16_t)~(3u << (2 * physical(f, 0)));
	put(f, 0, x);
}

static void
raise(struct cpu_x87 *f, uint16_t flags)
{
	f->status |= flags;
	if (flags & ~f->control & 0x3f)
		f->status |= SW_ERROR | SW_BUSY;
}

/* ------------------------------------------------------------ numbers */

static enum kind
kind(struct ext x)
{
	if (x.exp == EXP_MAX) {
		if (!(x.mant & TOP_BIT))
			return UNSUPPORTED;
		return x.mant == TOP_BIT ? INFINITE : NAN_;
	}
	if (x.exp != 0 && !(x.mant & TOP_BIT))
		return UNSUPPORTED;
	return x.mant == 0 ? ZERO : FINITE;
}

static quad
from_bits(unsigned __int128 bits)
{
	quad q;

	memcpy(&q, &bits, sizeof(q));
	return q;
}

/* Exact: both formats have the same exponents. */
static quad
to_quad(struct ext x)
{
	unsigned exp = (unsigned)x.exp;

	if (exp == 0 && (x.mant & TOP_BIT))
		exp = 1; /* a pseudo-denormal */
	return from_bits((unsigned __int128)(exp | (unsigned)x.sign << 15) <<
	    112 | (unsigned __int128)(x.mant & ~TOP_BIT) << 49);
}

/* As RC says; C1 tells that the magnitude grew. */
static struct ext
round_quad(struct cpu_x87 *f, quad q)
{
	const uint64_t half = 1ull << 48;
	unsigned __int128 bits;
	struct ext x;
	uint64_t rest;
	bool up;

	memcpy(&bits, &q, sizeof(bits));
	x.sign = (bits >> 127) != 0;
	x.exp = (int)(bits >> 112) & EXP_MAX;
	x.mant = (uint64_t)(bits >> 49) & ~TOP_BIT;
	if (x.exp != 0)
		x.mant |= TOP_BIT;
	rest = (uint64_t)bits & (2 * half - 1);
	if (rest == 0)
		return x;
	switch (f->control >> 10 & 3) {
	case 0: up = rest > half || (rest == half && (x.mant & 1)); break;
	case 1: up = x.sign; break;
	case 2: up = !x.sign; break;
	default: up = false; break;
	}
	raise(f, SW_INEXACT);
	if (!up)
		return x;
	f->status |= SW_C1;
	if (++x.mant == 0) {
		x.mant = TOP_BIT;
		x.exp++;
	} else if (x.exp == 0 && x.mant == TOP_BIT) {
		x.exp = 1;
	}
	return x;
}

/* Result for operands of which one at least is no number. */
static struct ext
nan_of(struct cpu_x87 *f, struct ext a, struct ext b)
{
	struct ext x;

	if (kind(a) == UNSUPPORTED || kind(b) == UNSUPPORTED) {
		raise(f, SW_INVALID);
		return indefinite;
	}
	if ((kind(a) == NAN_ && !(a.mant & QUIET_BIT)) ||
	    (kind(b) == NAN_ && !(b.mant & QUIET_BIT)))
		raise(f, SW_INVALID);
	if (kind(b) != NAN_)
		x = a;
	else if (kind(a) != NAN_)
		x = b;
	else
		x = a.mant >= b.mant ? a : b;
	x.mant |= QUIET_BIT;
	return x;
}

static bool
no_number(struct ext x)
{
	return kind(x) == NAN_ || kind(x) == UNSUPPORTED;
}

static struct ext
invalid(struct cpu_x87 *f)
{
	raise(f, SW_INVALID);
	return indefinite;
}

/* ------------------------------------------------------------ remainders */

/* The same value with TOP_BIT set; exp may fall below 1. Not for 0. */
static struct ext
shifted(struct ext x)
{
	int n = __builtin_clzll(x.mant);

	x.mant <<= n;
	x.exp -= n;
	return x;
}

static struct ext
normal(struct ext x)
{
	if (x.exp == 0)
		x.exp = 1; /* what 0 stands for */
	return shifted(x);
}

/* Back to the format's smallest exponent: exact, for what is a multiple of
 * an operand's last bit. */
static struct ext
packed(struct ext x)
{
	if (x.mant == 0) {
		x.exp = 0;
		return x;
	}
	x = shifted(x);
	if (x.exp <= 0) {
		x.mant >>= 1 - x.exp;
		x.exp = 0;
	}
	return x;
}

/*
 * x - y * q for normal x, y; q is x / y cut to a whole number, of which the
 * last `skip` bits are taken as 0. Its last bits to *q.
 */
static struct ext
reduce(struct ext x, struct ext y, int skip, unsigned *q)
{
	unsigned __int128 r = x.mant;
	int steps = x.exp - y.exp - skip;

	*q = 0;
	for (int i = 0;; i++) {
		*q <<= 1;
		if (r >= y.mant) {
			r -= y.mant;
			*q |= 1;
		}
		if (i == steps)
			break;
		r <<= 1;
	}
	x.mant = (uint64_t)r;
	x.exp = y.exp + skip;
	return x;
}

/* FPREM1: the nearest multiple instead of the one below. x < y; x.exp is
 * y's. */
static void
to_nearest(struct ext *x, struct ext y, unsigned *q)
{
	unsigned __int128 twice = (unsigned __int128)x->mant << 1;

	if (twice < y.mant || (twice == y.mant && !(*q & 1)))
		return;
	x->mant = y.mant - x->mant;
	x->sign = !x->sign;
	++*q;
}

static struct ext
remainder_of(struct cpu_x87 *f, struct ext a, struct ext b, bool nearest)
{
	struct ext x = normal(a), y = normal(b);
	int d = x.exp - y.exp;
	unsigned q = 0;

	if (d >= 64) {
		/* in part: N of the manual so that what is left divides by
		 * 32 and the quotient's last bits come last */
		f->status |= SW_C2;
		return packed(reduce(x, y, d - (32 + d % 32), &q));
	}
	if (d >= 0) {
		x = reduce(x, y, 0, &q);
	} else if (!nearest || d < -1) {
		return a;
	} else { /* half of y may be below x */
		unsigned __int128 twice = x.mant; /* of 2^(y.exp - 1) */

		if (twice <= y.mant)
			return a;
		x.mant = (uint64_t)(((unsigned __int128)y.mant << 1) - x.mant);
		x.sign = !x.sign;
		q = 1;
		nearest = false;
	}
	if (nearest)
		to_nearest(&x, y, &q);
	f->status |= (uint16_t)((q & 4 ? SW_C0 : 0) | (q & 2 ? SW_C3 : 0) |
	    (q & 1 ? SW_C1 : 0));
	x = packed(x);
	if (x.mant == 0)
		x.sign = a.sign;
	return x;
}

static void
fprem(struct cpu_x87 *f, bool nearest)
{
	struct ext x = get(f, 0), y = get(f, 1);

	if (no_number(x) || no_number(y))
		x = nan_of(f, x, y);
	else if (kind(x) == INFINITE || kind(y) == ZERO)
		x = invalid(f);
	else if (kind(x) == FINITE && kind(y) == FINITE)
		x = remainder_of(f, x, y, nearest);
	put(f, 0, x);
}

/* ------------------------------------------------------------ angles */

/*
 * x minus the nearest multiple of the processor's pi / 2, which is that of
 * the manual: 66 bits. *n: which multiple, modulo 4. Exact.
 */
static quad
reduce_angle(struct ext x, unsigned *n)
{
	const unsigned __int128 half_pi = (unsigned __int128)0x3 << 64 |
	    0x243f6a8885a308d3ull; /* * 2^-65 */
	const int lsb = 16383 - 65 + 63; /* exponent of a mantissa's bit */
	unsigned __int128 r = x.mant;
	quad scale, value;

	*n = 0;
	if (x.exp < lsb) /* below 1/2 */
		return to_quad(x);
	for (int i = x.exp - lsb;; i--) {
		*n <<= 1;
		if (r >= half_pi) {
			r -= half_pi;
			*n |= 1;
		}
		if (i == 0)
			break;
		r <<= 1;
	}
	scale = from_bits((unsigned __int128)(16383 - 65) << 112);
	if (2 * r > half_pi) {
		value = -(quad)(half_pi - r) * scale;
		++*n;
	} else {
		value = (quad)r * scale;
	}
	if (x.sign) {
		value = -value;
		*n = -*n;
	}
	*n &= 3;
	return value;
}

static quad
sine(quad r, unsigned n)
{
	quad s = n & 1 ? cosq(r) : sinq(r);

	return n & 2 ? -s : s;
}

/* The operand of a trigonometric instruction: is there a result to find? */
static bool
angle(struct cpu_x87 *f, struct ext *x, quad *r, unsigned *n)
{
	*x = get(f, 0);
	if (no_number(*x)) {
		*x = nan_of(f, *x, *x);
		put(f, 0, *x);
		return false;
	}
	if (kind(*x) == INFINITE) {
		*x = invalid(f);
		put(f, 0, *x);
		return false;
	}
	if (x->exp >= 16383 + 63) {
		f->status |= SW_C2; /* too large: nothing is done */
		return false;
	}
	*r = reduce_angle(*x, n);
	return true;
}

/* Two results; for what is no number, it is both. */
static void
push_second(struct cpu_x87 *f, struct ext x, struct ext second, bool found)
{
	if (f->status & SW_C2)
		return;
	push(f, found ? second : x);
}

static void
trigonometric(struct cpu_x87 *f, uint8_t op)
{
	static const struct ext one = { TOP_BIT, 16383, false };
	struct ext x, second = one;
	unsigned n = 0;
	quad r = 0;
	bool found = angle(f, &x, &r, &n);

	if (found && op == X87_FPTAN)
		put(f, 0, round_quad(f, n & 1 ? -1 / tanq(r) : tanq(r)));
	else if (found && op == X87_FCOS)
		put(f, 0, round_quad(f, sine(r, n + 1)));
	else if (found)
		put(f, 0, round_quad(f, sine(r, n)));
	if (found && op == X87_FSINCOS)
		second = round_quad(f, sine(r, n + 1));
	if (op == X87_FPTAN || op == X87_FSINCOS)
		push_second(f, x, second, found);
}

/* ------------------------------------------------------------ the others */

static struct ext
exponential(struct cpu_x87 *f, struct ext x)
{
	if (no_number(x))
		return nan_of(f, x, x);
	if (kind(x) == ZERO)
		return x;
	if (kind(x) == FINITE && x.exp >= 16383 + 1)
		return x; /* beyond 2: undefined; the processor leaves it */
	return round_quad(f, expm1q(to_quad(x) * LN2));
}

static bool
is_one(struct ext x)
{
	return x.exp == 16383 && x.mant == TOP_BIT && !x.sign;
}

/* y * log2(x), or of x + 1. */
static struct ext
logarithm(struct cpu_x87 *f, struct ext x, struct ext y, bool plus1)
{
	quad q = to_quad(x), product;

	if (no_number(x) || no_number(y))
		return nan_of(f, x, y);
	if ((!plus1 && x.sign && kind(x) != ZERO) || (plus1 && q < -1))
		return invalid(f);
	if ((!plus1 && kind(x) == ZERO) || (plus1 && q == -1)) {
		if (kind(y) == ZERO)
			return invalid(f);
		if (kind(y) != INFINITE)
			raise(f, SW_ZERO);
		return (struct ext){ TOP_BIT, EXP_MAX, !y.sign };
	}
	if (kind(y) == INFINITE && (plus1 ? kind(x) == ZERO : is_one(x)))
		return invalid(f);
	if (kind(x) == INFINITE && kind(y) == ZERO)
		return invalid(f);
	product = to_quad(y) * (plus1 ? log1pq(q) * LOG2E : log2q(q));
	return round_quad(f, product);
}

static void
two_operands(struct cpu_x87 *f, uint8_t op)
{
	struct ext x = get(f, 0), y = get(f, 1), result;

	if (op != X87_FPATAN)
		result = logarithm(f, x, y, op == X87_FYL2XP1);
	else if (no_number(x) || no_number(y))
		result = nan_of(f, x, y);
	else
		result = round_quad(f, atan2q(to_quad(y), to_quad(x)));
	pop(f);
	put(f, 0, result);
}

bool
cpu_x87_execute(struct cpu_x87 *f, uint8_t op)
{
	uint16_t codes = f->status & SW_CODES;

	f->status &= (uint16_t)~SW_CODES;
	switch (op) {
	case X87_FPREM:
	case X87_FPREM1:
		fprem(f, op == X87_FPREM1);
		return true;
	case X87_FSIN:
	case X87_FCOS:
	case X87_FSINCOS:
	case X87_FPTAN:
		trigonometric(f, op);
		return true;
	case X87_F2XM1:
		put(f, 0, exponential(f, get(f, 0)));
		return true;
	case X87_FYL2X:
	case X87_FYL2XP1:
	case X87_FPATAN:
		two_operands(f, op);
		return true;
	default:
		f->status |= codes;
		return false;
	}
}
