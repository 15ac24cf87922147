// SPDX-License-Identifier: GPL-2.0
/*
 * A device's state as bytes: a sequence of tagged fields.
 */
#include "board/record.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct field_head {
	uint32_t tag;
	uint32_t size;
};

struct section_head {
	char name[RECORD_NAME_SIZE];
	uint32_t number;
	uint32_t reserved;
	uint64_t size;
};

/* Makes the record longer by @size bytes, which the caller fills. */
static uint8_t *record_room(struct record *record, size_t size)
{
	uint8_t *grown = realloc(record->data, record->size + size);

	if (!grown)
		return NULL;
	record->data = grown;
	grown += record->size;
	record->size += size;
	return grown;
}

int record_append(struct record *record, const void *bytes, size_t size)
{
	uint8_t *at = record_room(record, size);

	if (!at)
		return -ENOMEM;
	memcpy(at, bytes, size);
	return 0;
}

int record_open(struct record *record, const char *name, uint32_t number,
		size_t *place)
{
	struct section_head head = { .number = htole32(number) };

	strncpy(head.name, name, sizeof(head.name) - 1);
	*place = record->size;
	return record_append(record, &head, sizeof(head));
}

void record_close(struct record *record, size_t place)
{
	struct section_head head;

	memcpy(&head, record->data + place, sizeof(head));
	head.size = htole64(record->size - place - sizeof(head));
	memcpy(record->data + place, &head, sizeof(head));
}

int record_next(const struct record *record, size_t *at,
		struct record_section *section)
{
	struct section_head head;
	size_t left = record->size - *at;

	if (!left)
		return -ENOENT;
	if (left < sizeof(head))
		return -EINVAL;
	memcpy(&head, record->data + *at, sizeof(head));
	left -= sizeof(head);
	if (head.name[sizeof(head.name) - 1] || head.reserved ||
	    le64toh(head.size) > left)
		return -EINVAL;
	*at += sizeof(head);
	memcpy(section->name, head.name, sizeof(head.name));
	section->number = le32toh(head.number);
	section->body.data = record->data + *at;
	section->body.size = le64toh(head.size);
	*at += section->body.size;
	return 0;
}

int record_find(const struct record *record, const char *name, uint32_t number,
		struct record_section *section)
{
	size_t at = 0;
	int err;

	do {
		err = record_next(record, &at, section);
	} while (!err &&
		 (strcmp(section->name, name) || section->number != number));
	return err ? -EINVAL : 0;
}

int record_save(struct record *record, const struct record_field *fields,
		size_t count, const void *object)
{
	for (size_t i = 0; i < count; i++) {
		struct field_head head = { htole32(fields[i].tag),
					   htole32(fields[i].size) };
		uint8_t *at =
			record_room(record, sizeof(head) + fields[i].size);

		if (!at)
			return -ENOMEM;
		memcpy(at, &head, sizeof(head));
		memcpy(at + sizeof(head),
		       (const char *)object + fields[i].offset, fields[i].size);
	}
	return 0;
}

static const struct record_field *field_find(const struct record_field *fields,
					     size_t count, uint32_t tag)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i].tag == tag)
			return &fields[i];
	}
	return NULL;
}

/* True if a value has only bits that its field can have. */
static bool field_allows(const struct record_field *field, const void *bytes)
{
	uint64_t value = 0;

	if (field->size > sizeof(value))
		return true;
	memcpy(&value, bytes, field->size);
	return !(value & ~field->allowed);
}

/* Loads the field at @*at and moves @*at behind it.  @seen: a flag for each row. */
static int field_load(const struct record *record, size_t *at,
		      const struct record_field *fields, size_t count,
		      unsigned __int128 *seen, void *object)
{
	const struct record_field *field;
	struct field_head head;
	const uint8_t *bytes;

	if (record->size - *at < sizeof(head))
		return -EINVAL;
	memcpy(&head, record->data + *at, sizeof(head));
	*at += sizeof(head);
	bytes = record->data + *at;
	field = field_find(fields, count, le32toh(head.tag));
	if (!field || le32toh(head.size) != field->size ||
	    record->size - *at < field->size || !field_allows(field, bytes) ||
	    (*seen >> (field - fields) & 1))
		return -EINVAL;
	*seen |= (unsigned __int128)1 << (field - fields);
	memcpy((char *)object + field->offset, bytes, field->size);
	*at += field->size;
	return 0;
}

static int fields_load(const struct record *record,
		       const struct record_field *fields, size_t count,
		       void *object)
{
	unsigned __int128 seen = 0;
	size_t at = 0;
	int err = 0;

	while (!err && at < record->size)
		err = field_load(record, &at, fields, count, &seen, object);
	return err;
}

/* Copies only the fields: the object also has locks and pointers. */
static void fields_copy(const struct record_field *fields, size_t count,
			void *to, const void *from)
{
	for (size_t i = 0; i < count; i++)
		memcpy((char *)to + fields[i].offset,
		       (const char *)from + fields[i].offset, fields[i].size);
}

int record_load(const struct record *record, const struct record_field *fields,
		size_t count, void *object, size_t size,
		bool (*is_sound)(const void *object))
{
	void *copy = malloc(size);
	int err;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, object, size);
	err = fields_load(record, fields, count, copy);
	if (!err && is_sound && !is_sound(copy))
		err = -EINVAL;
	if (!err)
		fields_copy(fields, count, object, copy);
	free(copy);
	return err;
}
