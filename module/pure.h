/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The plain types, bit helpers and errno that pure files use, the same in the
 * kernel and in user space, where the unit tests and fuzzers build them.
 */
#ifndef LODGE_PURE_H
#define LODGE_PURE_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#else

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK_ULL(high, low) ((~0ULL >> (63 - (high))) & (~0ULL << (low)))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define hweight64(value) ((unsigned int)__builtin_popcountll(value))
#define __ffs64(value) ((unsigned int)__builtin_ctzll(value))
#define fls64(value) ((value) ? 64U - (unsigned int)__builtin_clzll(value) : 0U)
#define max(a, b) ((a) > (b) ? (a) : (b))
/* A library's header may have had it from <assert.h>. */
#undef static_assert
#define static_assert(condition, ...) _Static_assert(condition, #condition)
#define fallthrough __attribute__((__fallthrough__))

#endif

#endif
