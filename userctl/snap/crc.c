// SPDX-License-Identifier: GPL-2.0
/*
 * A CRC-32 of all of a machine's memory, which by tables takes far longer than to copy it.
 *
 * The bytes are a polynomial over GF(2), and the CRC is its remainder.  A block of it that
 * has D bits behind it may be replaced by its product with the remainder of x^D, added to the
 * block D bits on.  The processor multiplies so (PCLMULQDQ), 64 bits at a time, so that four
 * blocks of 128 bits are folded into the next four at once; what is left in the end is short,
 * and zlib's.
 */
#include "snap/crc.h"

#include <wmmintrin.h>
#include <zlib.h>

#define BLOCK sizeof(__m128i)
#define LANES 4
#define STRIDE (LANES * BLOCK)

/*
 * The remainders of x^(D + 32) and of x^(D - 32), for the two halves of a block, with their
 * bits in reverse, as those of the bytes are, and shifted by one, as a product of two such
 * is by one too low.
 */
#define FOLD_STRIDE 0x1c6e41596, 0x154442bd4 /* D = 512 */
#define FOLD_BLOCK 0x0ccaa009e, 0x1751997d0 /* D = 128 */

__attribute__((target("pclmul"))) static __m128i fold(__m128i block, __m128i by,
						      __m128i into)
{
	const __m128i low = _mm_clmulepi64_si128(block, by, 0x00);
	const __m128i high = _mm_clmulepi64_si128(block, by, 0x11);

	return _mm_xor_si128(into, _mm_xor_si128(low, high));
}

/*
 * @size: a multiple of STRIDE, and not 0
 *
 * What is left of the bytes has the same remainder, if nothing is added before it: zlib's
 * function inverts what it is given and what it returns.
 */
__attribute__((target("pclmul"))) static uint32_t
crc_by_products(uint32_t crc, const uint8_t *bytes, size_t size)
{
	const __m128i stride = _mm_set_epi64x(FOLD_STRIDE);
	const __m128i block = _mm_set_epi64x(FOLD_BLOCK);
	const __m128i *next = (const __m128i *)bytes;
	const __m128i *end = (const __m128i *)(bytes + size);
	__m128i lanes[LANES];
	uint8_t left[BLOCK];

	for (size_t i = 0; i < LANES; i++)
		lanes[i] = _mm_loadu_si128(next++);
	lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128((int)~crc));
	while (next < end)
		for (size_t i = 0; i < LANES; i++)
			lanes[i] =
				fold(lanes[i], stride, _mm_loadu_si128(next++));
	for (size_t i = 1; i < LANES; i++)
		lanes[i] = fold(lanes[i - 1], block, lanes[i]);
	_mm_storeu_si128((__m128i *)left, lanes[LANES - 1]);
	return (uint32_t)crc32_z(UINT32_MAX, left, sizeof(left));
}

uint32_t snap_crc(uint32_t crc, const void *bytes, size_t size)
{
	const size_t folded = size - size % STRIDE;
	const uint8_t *at = bytes;

	/* Without bytes, zlib answers as at first. */
	if (!size)
		return crc;
	if (folded && __builtin_cpu_supports("pclmul")) {
		crc = crc_by_products(crc, at, folded);
		at += folded;
		size -= folded;
	}
	return size ? (uint32_t)crc32_z(crc, at, size) : crc;
}
