// SPDX-License-Identifier: GPL-2.0
/*
 * Conversions between the register stack's 80 bits and what memory has: see x87.h.
 */
#include "alu.h"
#include "x87.h"

/* Status word; the exceptions' masks stand in the same bits of the control word. */
#define X87_IE 0x0001
#define X87_DE 0x0002
#define X87_OE 0x0008
#define X87_UE 0x0010
#define X87_PE 0x0020
#define X87_EXCEPTIONS 0x003f
#define X87_SF 0x0040
#define X87_ES 0x0080
#define X87_C1 0x0200
#define X87_TOP 0x3800
#define X87_TOP_SHIFT 11
#define X87_B 0x8000

/* Control word: the bits that can be set, and the one that always is. */
#define X87_CONTROL 0x1f3f
#define X87_CONTROL_FIXED 0x0040
#define X87_RC_SHIFT 10

enum rounding {
	TO_NEAREST,
	DOWN,
	UP,
	TO_ZERO,
};

#define NR_ST 8
#define INTEGER_BIT BIT_ULL(63)
#define QUIET_BIT BIT_ULL(62)
#define EXPONENT_MAX 0x7fff
#define EXPONENT_BIAS 16383

/* A register: (-1)^@sign * @mantissa / 2^63 * 2^(@exponent - bias). */
struct real {
	bool sign;
	u16 exponent;
	u64 mantissa;
};

static const struct real indefinite = { true, EXPONENT_MAX,
					INTEGER_BIT | QUIET_BIT };

/* Bits of a format in memory, beside the sign. */
struct format {
	unsigned int exponent;
	unsigned int mantissa;
};

static const struct format single = { 8, 23 };
static const struct format binary64 = { 11, 52 };

static struct real get_real(const u8 *from)
{
	struct real r;
	u16 upper;

	memcpy(&r.mantissa, from, sizeof(r.mantissa));
	memcpy(&upper, from + sizeof(r.mantissa), sizeof(upper));
	r.sign = upper >> 15;
	r.exponent = upper & EXPONENT_MAX;
	return r;
}

static void put_real(u8 *to, const struct real *r)
{
	u16 upper = (u16)(r->sign << 15 | r->exponent);

	memcpy(to, &r->mantissa, sizeof(r->mantissa));
	memcpy(to + sizeof(r->mantissa), &upper, sizeof(upper));
}

static bool is_nan(const struct real *r)
{
	return r->exponent == EXPONENT_MAX && r->mantissa != INTEGER_BIT;
}

/* Without the integer bit nothing but a zero or a denormal is a number. */
static bool is_unsupported(const struct real *r)
{
	return r->exponent && !(r->mantissa & INTEGER_BIT);
}

/* The status's summary follows from what is set there and not masked. */
static void summarize(struct lodge_fxsave *x)
{
	x->sw &= ~(X87_ES | X87_B);
	if (x->sw & ~x->cw & X87_EXCEPTIONS)
		x->sw |= X87_ES | X87_B;
}

/* Return: all of the exceptions @flags are masked. */
static bool report(struct lodge_fxsave *x, u16 flags)
{
	x->sw |= flags;
	summarize(x);
	return !(flags & ~x->cw & X87_EXCEPTIONS);
}

static void set_c1(struct lodge_fxsave *x, bool value)
{
	x->sw &= ~X87_C1;
	if (value)
		x->sw |= X87_C1;
}

static unsigned int top(const struct lodge_fxsave *x)
{
	return (x->sw & X87_TOP) >> X87_TOP_SHIFT;
}

static void set_top(struct lodge_fxsave *x, unsigned int value)
{
	x->sw &= ~X87_TOP;
	x->sw |= (value % NR_ST) << X87_TOP_SHIFT;
}

static void push(struct lodge_fxsave *x, const struct real *r)
{
	memmove(x->st[1], x->st[0], sizeof(x->st) - sizeof(x->st[0]));
	memset(x->st[0], 0, sizeof(x->st[0]));
	put_real(x->st[0], r);
	set_top(x, top(x) + NR_ST - 1);
	x->tw |= 1 << top(x);
}

void lodge_x87_pop(struct lodge_fxsave *x)
{
	u8 first[sizeof(x->st[0])];

	memcpy(first, x->st[0], sizeof(first));
	memmove(x->st[0], x->st[1], sizeof(x->st) - sizeof(x->st[0]));
	memcpy(x->st[NR_ST - 1], first, sizeof(first));
	x->tw &= ~(1 << top(x));
	set_top(x, top(x) + 1);
}

void lodge_x87_set_control(struct lodge_fxsave *x, u16 value)
{
	x->cw = (value & X87_CONTROL) | X87_CONTROL_FIXED;
	summarize(x);
}

/*
 * Loads.
 */

static struct real from_integer(const u8 *data, unsigned int size)
{
	struct real r = { .exponent = EXPONENT_BIAS + 63 };
	u64 value = lodge_alu_sign_extend(lodge_alu_get(data, size), size);

	r.sign = value >> 63;
	r.mantissa = r.sign ? -value : value;
	if (!r.mantissa)
		r.exponent = 0;
	for (; r.mantissa && !(r.mantissa & INTEGER_BIT); r.mantissa <<= 1)
		r.exponent--;
	return r;
}

/* A denormal, and a NaN that signals, are told in @flags. */
static struct real widen(const u8 *data, unsigned int size, u16 *flags)
{
	const struct format *f = size == 4 ? &single : &binary64;
	u16 max = (u16)((1 << f->exponent) - 1), bias = max >> 1;
	u64 raw = lodge_alu_get(data, size);
	struct real r;

	r.sign = raw >> (f->exponent + f->mantissa);
	r.exponent = raw >> f->mantissa & max;
	r.mantissa = raw << (63 - f->mantissa) & ~INTEGER_BIT;
	if (r.exponent == max) {
		if (r.mantissa && !(r.mantissa & QUIET_BIT))
			*flags |= X87_IE;
		r.mantissa |= INTEGER_BIT | (r.mantissa ? QUIET_BIT : 0);
		r.exponent = EXPONENT_MAX;
	} else if (r.exponent) {
		r.mantissa |= INTEGER_BIT;
		r.exponent += EXPONENT_BIAS - bias;
	} else if (r.mantissa) {
		*flags |= X87_DE;
		r.exponent = EXPONENT_BIAS - bias + 1;
		for (; !(r.mantissa & INTEGER_BIT); r.mantissa <<= 1)
			r.exponent--;
	}
	return r;
}

void lodge_x87_load(struct lodge_fxsave *x, enum lodge_x87_type type,
		    const u8 *data, unsigned int size)
{
	struct real r;
	u16 flags = 0;

	if (x->tw & 1 << (top(x) + NR_ST - 1) % NR_ST) {
		set_c1(x, true);
		if (report(x, X87_IE | X87_SF))
			push(x, &indefinite);
		return;
	}
	set_c1(x, false);
	if (type == LODGE_X87_INTEGER)
		r = from_integer(data, size);
	else if (size == LODGE_X87_BYTES)
		r = get_real(data);
	else
		r = widen(data, size, &flags);
	/* A denormal is pushed even where it is to be reported. */
	if (report(x, flags) || !(flags & X87_IE))
		push(x, &r);
}

/*
 * Stores.
 */

/*
 * Return: the mantissa without its lowest @shift bits, rounded; @up: it was rounded away
 * from zero; @exact: nothing was lost.
 */
static u64 round_off(const struct real *r, unsigned int shift,
		     enum rounding rounding, bool *up, bool *exact)
{
	u64 kept = shift < 64 ? r->mantissa >> shift : 0;
	u64 half = shift && shift <= 64 ? 1ULL << (shift - 1) : 0;
	u64 rest = r->mantissa;

	if (shift < 64)
		rest &= (1ULL << shift) - 1;
	*exact = !rest;
	switch (rounding) {
	case TO_NEAREST:
		*up = half && (rest > half || (rest == half && kept & 1));
		break;
	case DOWN:
		*up = rest && r->sign;
		break;
	case UP:
		*up = rest && !r->sign;
		break;
	case TO_ZERO:
		*up = false;
		break;
	}
	return kept + *up;
}

static enum rounding rounding_of(const struct lodge_fxsave *x)
{
	return x->cw >> X87_RC_SHIFT & 3;
}

/* After rounding, as if the exponent had no end (SDM vol. 1, 4.9.1.5). */
static bool is_tiny(const struct real *r, const struct format *f, int exponent,
		    enum rounding rounding)
{
	bool up, exact;

	if (exponent >= 1)
		return false;
	if (exponent < 0 || !(r->mantissa & INTEGER_BIT))
		return true;
	return !(round_off(r, 63 - f->mantissa, rounding, &up, &exact) >>
		 (f->mantissa + 1));
}

/* The largest number, or infinity, as it is rounded (SDM vol. 1, table 4-10). */
static u64 overflowed(const struct real *r, const struct format *f,
		      enum rounding rounding, bool *up)
{
	u64 infinity = ((1ULL << f->exponent) - 1) << f->mantissa;

	*up = rounding == TO_NEAREST || rounding == (r->sign ? DOWN : UP);
	return *up ? infinity : infinity - 1;
}

/* A finite number; false: nothing is to be written. */
static bool narrow_number(struct lodge_fxsave *x, const struct real *r,
			  const struct format *f, u64 *value)
{
	enum rounding rounding = rounding_of(x);
	int bias = (1 << (f->exponent - 1)) - 1;
	/* As the format has it; below 1 the number is denormal there. */
	int exponent = max(r->exponent, 1) - EXPONENT_BIAS + bias;
	unsigned int shift = 63 - f->mantissa;
	bool up, exact, tiny = is_tiny(r, f, exponent, rounding);
	u16 flags = 0;

	if (tiny && !(x->cw & X87_UE)) {
		report(x, X87_UE);
		return false;
	}
	if (exponent < 1)
		shift = (unsigned int)min(shift + 1 - exponent, 65U);
	*value = round_off(r, shift, rounding, &up, &exact);
	if (exponent >= 1)
		*value += (u64)(exponent - 1) << f->mantissa;
	if (exponent > 2 * bias || *value >> f->mantissa > 2U * bias) {
		if (!report(x, X87_OE))
			return false;
		*value = overflowed(r, f, rounding, &up);
		exact = false;
	}
	if (!exact)
		flags = X87_PE | (tiny ? X87_UE : 0);
	set_c1(x, up && !exact);
	report(x, flags);
	return true;
}

static bool narrow(struct lodge_fxsave *x, const struct real *from,
		   const struct format *f, u64 *value)
{
	u64 infinity = ((1ULL << f->exponent) - 1) << f->mantissa;
	struct real r = *from;
	u16 flags = 0;

	if (is_unsupported(&r)) {
		flags = X87_IE;
		r = indefinite;
	} else if (is_nan(&r) && !(r.mantissa & QUIET_BIT)) {
		flags = X87_IE;
	}
	if (!report(x, flags))
		return false;
	if (is_nan(&r))
		*value = infinity |
			 (r.mantissa | QUIET_BIT) << 1 >> (64 - f->mantissa);
	else if (r.exponent == EXPONENT_MAX)
		*value = infinity;
	else if (!r.mantissa)
		*value = 0;
	else if (!narrow_number(x, &r, f, value))
		return false;
	*value |= (u64)r.sign << (f->exponent + f->mantissa);
	return true;
}

static bool to_integer(struct lodge_fxsave *x, const struct real *r,
		       enum rounding rounding, unsigned int size, u64 *value)
{
	u64 limit = 1ULL << (8 * size - 1), kept = ~0ULL;
	int exponent = r->exponent - EXPONENT_BIAS;
	bool up = false, exact = true;

	if (exponent < 64 && !is_unsupported(r))
		kept = round_off(r, (unsigned int)min(63 - exponent, 65),
				 rounding, &up, &exact);
	if (kept > limit || (kept == limit && !r->sign)) {
		*value = limit;
		return report(x, X87_IE);
	}
	*value = r->sign ? -kept : kept;
	set_c1(x, up);
	report(x, exact ? 0 : X87_PE);
	return true;
}

bool lodge_x87_store(struct lodge_fxsave *x, enum lodge_x87_type type,
		     bool truncate, u8 *data, unsigned int size)
{
	const struct format *f = size == 4 ? &single : &binary64;
	bool empty = !(x->tw & 1 << top(x));
	struct real r = empty ? indefinite : get_real(x->st[0]);
	u64 value = 0;
	bool good;

	set_c1(x, false);
	if (empty && !report(x, X87_IE | X87_SF))
		return false;
	if (size == LODGE_X87_BYTES) {
		put_real(data, &r);
		return true;
	}
	if (type == LODGE_X87_REAL)
		good = narrow(x, &r, f, &value);
	else
		good = to_integer(x, &r, truncate ? TO_ZERO : rounding_of(x),
				  size, &value);
	memcpy(data, &value, size);
	return good;
}
