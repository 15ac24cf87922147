// SPDX-License-Identifier: GPL-2.0
/*
 * Compares x87 loads and stores with this machine's processor: from the same state and
 * value, both must make the same state and value, with exceptions masked and unmasked.
 *
 * The seed is fixed, so that a failure repeats; LODGE_SEED sets another one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "x87.h"

#include "kselftest_harness.h"

#define ROUNDS 400000
#define MAX_REPORTS 10

struct area {
	struct lodge_fxsave x;
	u8 rest[512 - sizeof(struct lodge_fxsave)];
} __attribute__((aligned(16)));

static u64 random_state;

/* Marsaglia's xorshift64. */
static u64 random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static u32 random_below(u32 bound)
{
	return (u32)(random_u64() >> 32) % bound;
}

enum how {
	LOAD,
	STORE,
	STORE_POP,
	TRUNCATE_POP,
};

/* The operations; a size of 0 stands for loading the control word. */
static const struct operation {
	const char *name;
	enum how how;
	enum lodge_x87_type type;
	unsigned int size;
} operations[] = {
	{ "fld m32", LOAD, LODGE_X87_REAL, 4 },
	{ "fld m64", LOAD, LODGE_X87_REAL, 8 },
	{ "fld m80", LOAD, LODGE_X87_REAL, 10 },
	{ "fild m16", LOAD, LODGE_X87_INTEGER, 2 },
	{ "fild m32", LOAD, LODGE_X87_INTEGER, 4 },
	{ "fild m64", LOAD, LODGE_X87_INTEGER, 8 },
	{ "fst m32", STORE, LODGE_X87_REAL, 4 },
	{ "fst m64", STORE, LODGE_X87_REAL, 8 },
	{ "fstp m32", STORE_POP, LODGE_X87_REAL, 4 },
	{ "fstp m64", STORE_POP, LODGE_X87_REAL, 8 },
	{ "fstp m80", STORE_POP, LODGE_X87_REAL, 10 },
	{ "fist m16", STORE, LODGE_X87_INTEGER, 2 },
	{ "fist m32", STORE, LODGE_X87_INTEGER, 4 },
	{ "fistp m16", STORE_POP, LODGE_X87_INTEGER, 2 },
	{ "fistp m32", STORE_POP, LODGE_X87_INTEGER, 4 },
	{ "fistp m64", STORE_POP, LODGE_X87_INTEGER, 8 },
	{ "fisttp m16", TRUNCATE_POP, LODGE_X87_INTEGER, 2 },
	{ "fisttp m32", TRUNCATE_POP, LODGE_X87_INTEGER, 4 },
	{ "fisttp m64", TRUNCATE_POP, LODGE_X87_INTEGER, 8 },
	{ "fldcw", LOAD, LODGE_X87_INTEGER, 0 },
};

static void run_natively(unsigned int i, struct area *area, u8 *data)
{
#define NATIVE(n, text)                                                       \
	case n:                                                               \
		asm volatile("fxrstor64 %0; " text " %1; fxsave64 %0; fninit" \
			     : "+m"(*area), "+m"(*(u8(*)[16])data));          \
		break
	switch (i) {
		NATIVE(0, "flds");
		NATIVE(1, "fldl");
		NATIVE(2, "fldt");
		NATIVE(3, "filds");
		NATIVE(4, "fildl");
		NATIVE(5, "fildll");
		NATIVE(6, "fsts");
		NATIVE(7, "fstl");
		NATIVE(8, "fstps");
		NATIVE(9, "fstpl");
		NATIVE(10, "fstpt");
		NATIVE(11, "fists");
		NATIVE(12, "fistl");
		NATIVE(13, "fistps");
		NATIVE(14, "fistpl");
		NATIVE(15, "fistpll");
		NATIVE(16, "fisttps");
		NATIVE(17, "fisttpl");
		NATIVE(18, "fisttpll");
		NATIVE(19, "fldcw");
	}
#undef NATIVE
}

static void apply(const struct operation *o, struct lodge_fxsave *x, u8 *data)
{
	u8 value[LODGE_X87_BYTES];
	u16 control;

	if (!o->size) {
		memcpy(&control, data, sizeof(control));
		lodge_x87_set_control(x, control);
	} else if (o->how == LOAD) {
		lodge_x87_load(x, o->type, data, o->size);
	} else if (lodge_x87_store(x, o->type, o->how == TRUNCATE_POP, value,
				   o->size)) {
		memcpy(data, value, o->size);
		if (o->how != STORE)
			lodge_x87_pop(x);
	}
}

/* Return: an exponent near the limits of a format, or any. */
static u16 random_exponent(void)
{
	static const u16 edges[] = {
		0,
		1,
		16383,
		16383 - 127,
		16383 - 150,
		16383 - 1023,
		16383 - 1075,
		16383 + 127,
		16383 + 1023,
		16383 + 14,
		16383 + 31,
		16383 + 63,
		0x7fff,
		16383 - 3,
	};

	if (!random_below(8))
		return (u16)random_below(0x8000);
	return (u16)(edges[random_below(ARRAY_SIZE(edges))] + random_below(5) -
		     2) &
	       0x7fff;
}

/* Return: a mantissa with few bits set, for exact values and halves, or any. */
static u64 random_mantissa(void)
{
	u64 value = random_u64();

	switch (random_below(4)) {
	case 0:
		return BIT_ULL(63);
	case 1:
		return BIT_ULL(63) | BIT_ULL(random_below(63)) |
		       BIT_ULL(random_below(63));
	case 2:
		value |= ~0ULL << random_below(64);
		break;
	}
	return random_below(16) ? value | BIT_ULL(63) : value;
}

static void random_register(u8 *to)
{
	u64 mantissa = random_mantissa();
	u16 upper = random_exponent() | (u16)(random_below(2) << 15);

	memcpy(to, &mantissa, sizeof(mantissa));
	memcpy(to + sizeof(mantissa), &upper, sizeof(upper));
}

static void random_value(const struct operation *o, u8 *data)
{
	u64 value = random_u64();
	unsigned int bits = o->size == 4 ? 23 : 52;

	if (!random_below(2))
		value = random_below(2) ? 0 : BIT_ULL(random_below(64));
	if (!random_below(4))
		value = (~0ULL << bits) | (random_u64() >> (64 - bits));
	memcpy(data, &value, sizeof(value));
	if (o->size == LODGE_X87_BYTES)
		random_register(data);
}

/* Leaves no unmasked exception pending, which would be raised first. */
static void random_area(struct area *area)
{
	struct lodge_fxsave *x = &area->x;
	int i;

	memset(area, 0, sizeof(*area));
	x->mxcsr = 0x1f80;
	x->cw = 0x037f | (u16)(random_below(4) << 10);
	if (!random_below(3))
		x->cw &= ~random_below(64);
	x->sw = (u16)(random_u64() & 0x7f7f);
	x->sw &= ~0x3f | x->cw;
	x->tw = (u8)random_u64();
	if (random_below(4))
		x->tw = 0xff ^ 1 << random_below(8);
	if (random_below(2))
		x->tw |= 1 << (x->sw >> 11 & 7);
	for (i = 0; i < 8; i++)
		random_register(x->st[i]);
}

static void show(const char *what, const struct lodge_fxsave *x, const u8 *data)
{
	printf("#   %s: cw %04x sw %04x tw %02x st0 %02x%02x %016llx, value %02x%02x %016llx\n",
	       what, x->cw, x->sw, x->tw, x->st[0][9], x->st[0][8],
	       *(unsigned long long *)x->st[0], data[9], data[8],
	       *(unsigned long long *)data);
}

static bool same(const struct lodge_fxsave *a, const struct lodge_fxsave *b)
{
	return a->cw == b->cw && a->sw == b->sw && a->tw == b->tw &&
	       !memcmp(a->st, b->st, sizeof(a->st));
}

TEST(loads_and_stores_do_what_they_do_on_the_processor)
{
	const char *text = getenv("LODGE_SEED");
	u64 seed = text ? strtoull(text, NULL, 0) : 0x10d6e;
	int round, differing = 0;

	random_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (round = 0; round < ROUNDS; round++) {
		unsigned int i = random_below(ARRAY_SIZE(operations));
		const struct operation *o = &operations[i];
		struct area before, native, emulated;
		u8 given[16] = {}, there[16], here[16];

		random_area(&before);
		random_value(o, given);
		native = before;
		emulated = before;
		memcpy(there, given, sizeof(given));
		memcpy(here, given, sizeof(given));
		run_natively(i, &native, there);
		apply(o, &emulated.x, here);
		if (same(&native.x, &emulated.x) &&
		    !memcmp(here, there, sizeof(here)))
			continue;
		if (differing++ >= MAX_REPORTS)
			continue;
		printf("# %s\n", o->name);
		show("before", &before.x, given);
		show("processor", &native.x, there);
		show("lodge", &emulated.x, here);
	}
	printf("# seed %#llx: %d rounds, %d differ\n", (unsigned long long)seed,
	       ROUNDS, differing);
	fflush(stdout);
	EXPECT_EQ(0, differing);
}

TEST_HARNESS_MAIN
