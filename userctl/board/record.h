/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device's state as bytes: a row of tagged fields.
 *
 * Each field is a tag, a size (32 bits each, little-endian) and that many bytes.
 * A device lists its fields once, in a table, for saving and for loading.  What
 * is loaded may come from anybody: a field of another size, a value with bits
 * that no guest can set, a tag that is unknown or comes twice are refused.  A
 * field that is absent keeps the value that it has.
 *
 * A record may also be a row of sections, each with a name, a number and a body
 * that is a record or other bytes.
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
 * record_append() - append bytes
 *
 * Return: 0 or -ENOMEM.
 */
int record_append(struct record *record, const void *bytes, size_t size);

#define RECORD_NAME_SIZE 16

/**
 * struct record_section - a section that was found
 * @name: ended by a zero
 * @number: which of those of that name
 * @body: bytes within the record; not to be freed
 */
struct record_section {
	char name[RECORD_NAME_SIZE];
	uint32_t number;
	struct record body;
};

/**
 * record_open() - begin a section
 * @name: shorter than RECORD_NAME_SIZE
 * @place: out: for record_close(), once the body has been appended
 *
 * Return: 0 or -ENOMEM.
 */
int record_open(struct record *record, const char *name, uint32_t number,
		size_t *place);

/**
 * record_close() - end a section
 */
void record_close(struct record *record, size_t place);

/**
 * record_next() - take one section after the other
 * @at: where it begins; 0 at first, and moved on
 *
 * Return: 0; -ENOENT there is no more; -EINVAL what follows is no section.
 */
int record_next(const struct record *record, size_t *at,
		struct record_section *section);

/**
 * record_find() - find a section
 *
 * Return: 0; -EINVAL there is none, or the record is not made of sections.
 */
int record_find(const struct record *record, const char *name, uint32_t number,
		struct record_section *section);

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
