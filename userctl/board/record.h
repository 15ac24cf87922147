/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device's state as bytes: a sequence of tagged fields.
 *
 * Each field is a tag, a size (32 bits each, little-endian) and that many bytes.
 * A device lists its fields in one table, for saving and for loading.  A record
 * that is loaded is not trusted: a field of another size, a value with bits that
 * no guest can set, and a tag that is unknown or comes twice are refused.  A field
 * that is absent keeps its value.
 *
 * A record may also be a sequence of sections, each with a name, a number and a
 * body that is a record or other bytes.
 */
#ifndef LODGE_BOARD_RECORD_H
#define LODGE_BOARD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct record - a growing array of bytes
 *
 * An empty record is all zeroes.  Its owner frees @data.
 */
struct record {
	uint8_t *data;
	size_t size;
};

/**
 * struct record_field - a member of a device's structure
 * @tag: identifies the member in saved records; never changes
 * @size: bytes
 * @offset: of the member in its structure
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

/* The most fields in a table. */
#define RECORD_MAX_FIELDS 128

/**
 * record_append() - append bytes
 *
 * Return: 0 or -ENOMEM.
 */
int record_append(struct record *record, const void *bytes, size_t size);

#define RECORD_NAME_SIZE 16

/**
 * struct record_section - a section
 * @name: with a zero at its end
 * @number: tells sections of the same name apart
 * @body: points into the record; must not be freed
 */
struct record_section {
	char name[RECORD_NAME_SIZE];
	uint32_t number;
	struct record body;
};

/**
 * record_open() - begin a section
 * @name: shorter than RECORD_NAME_SIZE
 * @place: out: for record_close(), to be called after appending the body
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
 * record_next() - read the next section
 * @at: its offset; 0 at first, and moved behind the section
 *
 * Return: 0; -ENOENT there are no more; -EINVAL there is no section at @at.
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
 * @record: from record_save(); it is not trusted
 * @object: changes only on success
 * @size: of @object, in bytes
 * @is_sound: returns true if the combination of loaded values is possible; NULL:
 *	all combinations are
 *
 * Return: 0; -EINVAL record_save() of these fields cannot have made it; -ENOMEM.
 */
int record_load(const struct record *record, const struct record_field *fields,
		size_t count, void *object, size_t size,
		bool (*is_sound)(const void *object));

/**
 * record_put_back() - fill an object from what was saved of it in this process
 * @record: its last bytes are from record_save() of these fields; its values are trusted
 *
 * It takes a fraction of record_load()'s time.
 *
 * Return: 0; -EINVAL other fields were saved: then some of the object may have changed.
 */
int record_put_back(const struct record *record,
		    const struct record_field *fields, size_t count,
		    void *object);

#endif
