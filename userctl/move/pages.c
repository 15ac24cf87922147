// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of guest memory on their way to another controller.
 */
#include "move/pages.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "board/zero.h"
#include "snap/format.h"

/* The fastest of those that the library has for zstd's usual form. */
#define LEVEL 1
#define RUN_SIZE ((size_t)MOVE_RUN_MAX * MOVE_PAGE)

_Static_assert(MOVE_RUN_MAX == PAGE_LOG_WORD, "a word of a log is a run");

/**
 * struct move_packer - what packs pages
 * @context: zstd's
 * @copy: the pages, which the guest cannot change under zstd
 * @packed: the same, packed
 * @pages: that were sent with bytes
 */
struct move_packer {
	ZSTD_CCtx *context;
	uint8_t copy[RUN_SIZE];
	uint8_t packed[RUN_SIZE];
	uint64_t pages;
};

/**
 * struct move_unpacker - what unpacks pages
 * @context: zstd's
 */
struct move_unpacker {
	ZSTD_DCtx *context;
};

struct move_packer *move_packer_new(void)
{
	struct move_packer *packer = malloc(sizeof(*packer));

	if (!packer)
		return NULL;
	packer->pages = 0;
	packer->context = ZSTD_createCCtx();
	if (packer->context)
		return packer;
	free(packer);
	return NULL;
}

void move_packer_free(struct move_packer *packer)
{
	if (!packer)
		return;
	ZSTD_freeCCtx(packer->context);
	free(packer);
}

uint64_t move_packer_pages(struct move_packer *packer)
{
	const uint64_t pages = packer->pages;

	packer->pages = 0;
	return pages;
}

static uint8_t *page_of(const struct ram *ram, uint64_t page)
{
	struct ram_range ranges[RAM_MAX_RANGES];

	ram_ranges(ram, ranges);
	return (uint8_t *)ranges[0].address + page * MOVE_PAGE;
}

static int send_zeroes(struct move_link *link, uint64_t first, uint32_t count)
{
	const struct move_pages_head head = {
		.first = htole64(first),
		.count = htole32(count),
		.flags = htole32(MOVE_ZERO),
	};

	return move_send(link, MOVE_PAGES, &head, sizeof(head), NULL, 0);
}

/* @bytes: of the pages, which do not change */
static int send_run(struct move_packer *packer, struct move_link *link,
		    uint64_t first, uint32_t count, const uint8_t *bytes)
{
	struct move_pages_head head = {
		.first = htole64(first),
		.count = htole32(count),
	};
	const size_t size = (size_t)count * MOVE_PAGE;
	/* Fails where it would not be smaller. */
	const size_t packed = ZSTD_compressCCtx(packer->context, packer->packed,
						size - 1, bytes, size, LEVEL);

	packer->pages += count;
	if (ZSTD_isError(packed))
		return move_send(link, MOVE_PAGES, &head, sizeof(head), bytes,
				 size);
	head.flags = htole32(MOVE_PACKED);
	return move_send(link, MOVE_PAGES, &head, sizeof(head), packer->packed,
			 packed);
}

/*
 * What is copied decides whether a page is zero: another look may show another page.
 *
 * Return: bits of those that are.
 */
static uint64_t copy_pages(struct move_packer *packer, const struct ram *ram,
			   uint64_t first, uint64_t bits)
{
	const uint64_t stored = ram_skip_holes(ram, first);
	uint64_t zeroes = 0;

	for (; bits; bits &= bits - 1) {
		const unsigned int at = (unsigned int)__builtin_ctzll(bits);
		uint8_t *copy = packer->copy + (size_t)at * MOVE_PAGE;

		if (first + at >= stored)
			memcpy(copy, page_of(ram, first + at), MOVE_PAGE);
		if (first + at < stored || is_zero(copy, MOVE_PAGE))
			zeroes |= 1ULL << at;
	}
	return zeroes;
}

/* Return: how many bits from @at on are set, one behind the other. */
static unsigned int length_of(uint64_t bits, unsigned int at)
{
	const uint64_t others = ~(bits >> at);

	return others ? (unsigned int)__builtin_ctzll(others) : PAGE_LOG_WORD;
}

/* Sends what was copied. */
static int send_copies(struct move_packer *packer, struct move_link *link,
		       uint64_t first, uint64_t bits, uint64_t zeroes)
{
	int err = 0;

	while (bits && !err) {
		const unsigned int at = (unsigned int)__builtin_ctzll(bits);
		const bool zero = zeroes >> at & 1;
		const unsigned int count =
			length_of(zero ? zeroes : bits & ~zeroes, at);

		err = zero ? send_zeroes(link, first + at, count) :
			     send_run(packer, link, first + at, count,
				      packer->copy + (size_t)at * MOVE_PAGE);
		bits &= count == PAGE_LOG_WORD ? 0 :
						 ~(((1ULL << count) - 1) << at);
	}
	return err;
}

int move_send_pages(struct move_packer *packer, struct move_link *link,
		    const struct ram *ram, uint64_t first, uint64_t bits)
{
	return send_copies(packer, link, first, bits,
			   copy_pages(packer, ram, first, bits));
}

int move_send_stashed(struct move_packer *packer, struct move_link *link,
		      const uint8_t *bytes, uint64_t first, uint64_t bits)
{
	uint64_t zeroes = 0;

	for (uint64_t left = bits; left; left &= left - 1, bytes += MOVE_PAGE) {
		const unsigned int at = (unsigned int)__builtin_ctzll(left);

		memcpy(packer->copy + (size_t)at * MOVE_PAGE, bytes, MOVE_PAGE);
		if (is_zero(bytes, MOVE_PAGE))
			zeroes |= 1ULL << at;
	}
	return send_copies(packer, link, first, bits, zeroes);
}

struct move_unpacker *move_unpacker_new(void)
{
	struct move_unpacker *unpacker = malloc(sizeof(*unpacker));

	if (!unpacker)
		return NULL;
	unpacker->context = ZSTD_createDCtx();
	if (unpacker->context)
		return unpacker;
	free(unpacker);
	return NULL;
}

void move_unpacker_free(struct move_unpacker *unpacker)
{
	if (!unpacker)
		return;
	ZSTD_freeDCtx(unpacker->context);
	free(unpacker);
}

/* Guest memory that was never written to stays without pages behind it. */
static void clear(struct ram *ram, uint64_t first, uint32_t count)
{
	const uint64_t end = first + count;

	for (uint64_t i = ram_skip_holes(ram, first); i < end;
	     i = ram_skip_holes(ram, i + 1))
		if (!is_zero(page_of(ram, i), MOVE_PAGE))
			memset(page_of(ram, i), 0, MOVE_PAGE);
}

/*
 * True if the bytes are one frame, of @size bytes, and not of a format before zstd's first
 * version, which the library reads, too.
 */
static bool is_packed(const uint8_t *bytes, size_t stored, size_t size)
{
	uint32_t magic;

	if (stored < sizeof(magic))
		return false;
	memcpy(&magic, bytes, sizeof(magic));
	return le32toh(magic) == ZSTD_MAGICNUMBER &&
	       ZSTD_getFrameContentSize(bytes, stored) == size &&
	       ZSTD_findFrameCompressedSize(bytes, stored) == stored;
}

static int take_bytes(struct move_unpacker *unpacker, uint32_t flags,
		      const uint8_t *bytes, size_t stored, void *to,
		      size_t size)
{
	if (!flags && stored == size) {
		memcpy(to, bytes, size);
		return 0;
	}
	return flags == MOVE_PACKED && is_packed(bytes, stored, size) &&
			       ZSTD_decompressDCtx(unpacker->context, to, size,
						   bytes, stored) == size ?
		       0 :
		       -EPROTO;
}

int move_take_pages(struct move_unpacker *unpacker,
		    const struct move_frame *frame, struct ram *ram)
{
	const uint64_t pages = (ram_low(ram) + ram_high(ram)) / MOVE_PAGE;
	const size_t stored = frame->length - sizeof(struct move_pages_head);
	struct move_pages_head head;
	uint64_t first;
	uint32_t count;

	memcpy(&head, frame->payload, sizeof(head));
	first = le64toh(head.first);
	count = le32toh(head.count);
	if (!count || count > MOVE_RUN_MAX || first >= pages ||
	    count > pages - first)
		return -EPROTO;
	if (le32toh(head.flags) != MOVE_ZERO)
		return take_bytes(unpacker, le32toh(head.flags),
				  frame->payload + sizeof(head), stored,
				  page_of(ram, first),
				  (size_t)count * MOVE_PAGE);
	if (stored)
		return -EPROTO;
	clear(ram, first, count);
	return 0;
}
