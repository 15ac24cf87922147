/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device's state as bytes: a row of tagged fields.
 *
 * Each field is a tag, a size (32 bits each, little-endian) and that many bytes.
 * A device lists its fields once, in a table, for saving and for loading.  What
 * is loaded may come from anybody: a field of another size, a value with bits
 * that no guest can set, a tag that is unknown or comes twice are refused.  A
 * field that is absent keeps the value that it has.
 */
#ifndef LODGE_BOARD_RECORD_H
#define LODGE_BOARD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct record - bytes that grow
 *
 * All zeroes is an empty one; free @data in the end.
 */
struct record {
	uint8_t *data;
	size_t size;
};

/**
 * struct record_field - a member of a device's structure
 * @tag: its name in the stream, for ever
 * @size: bytes
 * @offset: of the member
 * @allowed: bits that may be set, for a member of up to 8 bytes
 */
struct record_field {
	uint32_t tag;
	uint32_t size;
	size_t offset;
	uint64_t allowed;
};

#define RECORD_FIELD(number, type, member, bits)                         \
	{                                                                \
		.tag = (number), .size = sizeof(((type *)NULL)->member), \
		.offset = offsetof(type, member), .allowed = (bits),     \
	}
/* A member that may have any value. */
#define RECORD_ANY(number, type, member) \
	RECORD_FIELD(number, type, member, UINT64_MAX)
#define RECORD_BOOL(number, type, member) RECORD_FIELD(number, type, member, 1)

/* A table has no more fields. */
#define RECORD_MAX_FIELDS 128

/**
 * record_save() - append an object's fields
 *
 * Return: 0 or -ENOMEM.
 */
int record_save(struct record *record, const struct record_field *fields,
		size_t count, const void *object);

/**
 * record_load() - fill an object from a whole record
 * @record: made by record_save(), or by an enemy
 * @object: filled when all is good, and else left alone
 * @size: of @object, in bytes
 * @is_sound: whether an object with the fields loaded is one that can be; NULL:
 *	what the fields allow is
 *
 * Return: 0, -EINVAL for what no record_save() of these fields makes, -ENOMEM.
 */
int record_load(const struct record *record, const struct record_field *fields,
		size_t count, void *object, size_t size,
		bool (*is_sound)(const void *object));

#endif
