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

/* The compiler copies without a call where it knows the size. */
static void field_copy(void *to, const void *from, uint32_t size)
{
	switch (size) {
	case 1:
		memcpy(to, from, 1);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	default:
		memcpy(to, from, size);
	}
}

/* @hint: the row that is likely, or @count */
static const struct record_field *field_find(const struct record_field *fields,
					     size_t count, size_t hint,
					     uint32_t tag)
{
	if (hint < count && fields[hint].tag == tag)
		return &fields[hint];
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

/**
 * struct load - how far a record is loaded
 * @at: offset of the next field
 * @hint: its row in the table, if the fields come in order
 * @seen: a flag for each row
 */
struct load {
	size_t at;
	size_t hint;
	unsigned __int128 seen;
};

/* Loads the field at @load->at. */
static int field_load(const struct record *record, struct load *load,
		      const struct record_field *fields, size_t count,
		      void *object)
{
	const struct record_field *field;
	struct field_head head;
	const uint8_t *bytes;

	if (record->size - load->at < sizeof(head))
		return -EINVAL;
	memcpy(&head, record->data + load->at, sizeof(head));
	load->at += sizeof(head);
	bytes = record->data + load->at;
	field = field_find(fields, count, load->hint, le32toh(head.tag));
	if (!field || le32toh(head.size) != field->size ||
	    record->size - load->at < field->size ||
	    !field_allows(field, bytes) || (load->seen >> (field - fields) & 1))
		return -EINVAL;
	load->hint = (size_t)(field - fields) + 1;
	load->seen |= (unsigned __int128)1 << (field - fields);
	field_copy((char *)object + field->offset, bytes, field->size);
	load->at += field->size;
	return 0;
}

static int fields_load(const struct record *record,
		       const struct record_field *fields, size_t count,
		       void *object)
{
	struct load load = { 0 };
	int err = 0;

	while (!err && load.at < record->size)
		err = field_load(record, &load, fields, count, object);
	return err;
}

/* Copies only the fields: the object also has locks and pointers. */
static void fields_copy(const struct record_field *fields, size_t count,
			void *to, const void *from)
{
	for (size_t i = 0; i < count; i++)
		field_copy((char *)to + fields[i].offset,
			   (const char *)from + fields[i].offset,
			   fields[i].size);
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

static size_t fields_size(const struct record_field *fields, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += sizeof(struct field_head) + fields[i].size;
	return size;
}

int record_put_back(const struct record *record,
		    const struct record_field *fields, size_t count,
		    void *object)
{
	const size_t size = fields_size(fields, count);
	struct field_head head;
	const uint8_t *at;

	if (record->size < size)
		return -EINVAL;
	at = record->data + record->size - size;
	for (size_t i = 0; i < count; i++) {
		memcpy(&head, at, sizeof(head));
		if (le32toh(head.tag) != fields[i].tag ||
		    le32toh(head.size) != fields[i].size)
			return -EINVAL;
		at += sizeof(head);
		field_copy((char *)object + fields[i].offset, at,
			   fields[i].size);
		at += fields[i].size;
	}
	return 0;
}
