// SPDX-License-Identifier: GPL-2.0
/*
 * Unpacks files that were packed by xz, zstd or gzip.
 *
 * The result is written to a buffer that doubles while it is too small.
 */
#include "boot/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define FIRST_ROOM 65536UL
/* More than xz -9 asks for. */
#define XZ_MEMORY (256UL << 20)
/* With a header of gzip's, and the largest window. */
#define GZIP_WINDOW (16 + MAX_WBITS)

/* Return: 0; -ENOSPC @room is too small; -EINVAL; -ENOMEM. */
typedef int (*unpacker)(const void *packed, size_t packed_size, void *to,
			size_t room, size_t *size);

static int unpack_xz(const void *packed, size_t packed_size, void *to,
		     size_t room, size_t *size)
{
	uint64_t memory = XZ_MEMORY;
	size_t from = 0;

	*size = 0;
	switch (lzma_stream_buffer_decode(&memory, 0, NULL, packed, &from,
					  packed_size, to, size, room)) {
	case LZMA_OK:
		return 0;
	case LZMA_BUF_ERROR:
		return -ENOSPC;
	case LZMA_MEM_ERROR:
	case LZMA_MEMLIMIT_ERROR:
		return -ENOMEM;
	default:
		return -EINVAL;
	}
}

static int unpack_zstd(const void *packed, size_t packed_size, void *to,
		       size_t room, size_t *size)
{
	ZSTD_inBuffer from = { packed, packed_size, 0 };
	ZSTD_outBuffer out = { to, room, 0 };
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t left = 1;

	if (!context)
		return -ENOMEM;
	while (from.pos < from.size && out.pos < out.size &&
	       !ZSTD_isError(left))
		left = ZSTD_decompressStream(context, &out, &from);
	ZSTD_freeDCtx(context);
	*size = out.pos;
	if (ZSTD_isError(left))
		return -EINVAL;
	if (!left)
		return 0;
	return out.pos == room ? -ENOSPC : -EINVAL;
}

static int unpack_gzip(const void *packed, size_t packed_size, void *to,
		       size_t room, size_t *size)
{
	z_stream stream = {
		.next_in = (void *)packed,
		.avail_in = packed_size,
		.next_out = to,
		.avail_out = room,
	};
	int end;

	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	end = inflate(&stream, Z_FINISH);
	*size = stream.total_out;
	inflateEnd(&stream);
	if (end == Z_STREAM_END)
		return 0;
	return !stream.avail_out ? -ENOSPC : -EINVAL;
}

static int copy(const void *packed, size_t packed_size, void *to, size_t room,
		size_t *size)
{
	if (packed_size > room)
		return -ENOSPC;
	if (packed_size)
		memcpy(to, packed, packed_size);
	*size = packed_size;
	return 0;
}

static const struct {
	const char *magic;
	size_t size;
	unpacker unpack;
} formats[] = {
	{ "\xfd"
	  "7zXZ",
	  6, unpack_xz },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "\x1f\x8b", 2, unpack_gzip },
	{ "", 0, copy },
};

static unpacker find(const void *packed, size_t size)
{
	size_t i = 0;

	while (size < formats[i].size ||
	       memcmp(packed, formats[i].magic, formats[i].size))
		i++;
	return formats[i].unpack;
}

int unpack(const void *packed, size_t packed_size, size_t most, void **unpacked,
	   size_t *size)
{
	const unpacker unpack_one = find(packed, packed_size);
	size_t room = FIRST_ROOM < most ? FIRST_ROOM : most;
	int err;

	for (;;) {
		*unpacked = malloc(room ? room : 1);
		if (!*unpacked)
			return -ENOMEM;
		err = unpack_one(packed, packed_size, *unpacked, room, size);
		if (!err)
			return 0;
		free(*unpacked);
		*unpacked = NULL;
		if (err != -ENOSPC)
			return err;
		if (room == most)
			return -EFBIG;
		room = room > most / 2 ? most : room * 2;
	}
}
