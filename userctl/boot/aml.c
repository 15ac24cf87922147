// SPDX-License-Identifier: GPL-2.0
/*
 * A writer of AML.
 */
#include "boot/aml.h"

#include <string.h>

/* Opcodes (section 20.2). */
#define OP_ZERO 0x00
#define OP_NAME 0x08
#define OP_BYTE 0x0a
#define OP_DWORD 0x0c
#define OP_STRING 0x0d
#define OP_SCOPE 0x10
#define OP_BUFFER 0x11
#define OP_PACKAGE 0x12
#define OP_METHOD 0x14
#define OP_DUAL_NAME 0x2e
#define OP_EXTENDED 0x5b
#define OP_EXTENDED_DEVICE 0x82
#define OP_ARGUMENT_0 0x68
#define OP_STORE 0x70
#define OP_NOTIFY 0x86
#define OP_IF 0xa0
#define OP_RETURN 0xa4
#define CHAR_ROOT 0x5c

/* A length is always written in this many bytes: 12 + 8 bits (section 20.2.4). */
#define LENGTH_SIZE 3
#define LENGTH_LEAD ((LENGTH_SIZE - 1) << 6)

/* Resource descriptors (section 6.4). */
#define RESOURCE_IRQ 0x22
#define RESOURCE_IO 0x47
#define RESOURCE_END 0x79
#define RESOURCE_MEMORY 0x86
#define RESOURCE_DWORD 0x87
#define RESOURCE_WORD 0x88
#define RESOURCE_QWORD 0x8a
#define IO_DECODE_16 0x01
#define RANGE_MEMORY 0
#define RANGE_IO 1
#define RANGE_BUS 2
#define RANGE_FIXED 0x0c /* both ends are */
#define MEMORY_WRITABLE 0x01
#define IO_ENTIRE 0x03

static void aml_bytes(struct aml *aml, const void *data, size_t size)
{
	if (size > aml->capacity - aml->size) {
		aml->full = true;
		return;
	}
	memcpy(aml->data + aml->size, data, size);
	aml->size += size;
}

static void aml_byte(struct aml *aml, uint8_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

static void aml_word(struct aml *aml, uint16_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

static void aml_dword(struct aml *aml, uint32_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

static void aml_qword(struct aml *aml, uint64_t value)
{
	aml_bytes(aml, &value, sizeof(value));
}

static void aml_segment(struct aml *aml, const char *name)
{
	aml_bytes(aml, name, 4);
}

/* Reserves the bytes of a length.  A length includes itself. */
static size_t aml_open(struct aml *aml)
{
	static const uint8_t blank[LENGTH_SIZE];
	size_t mark = aml->size;

	aml_bytes(aml, blank, sizeof(blank));
	return mark;
}

void aml_close(struct aml *aml, size_t mark)
{
	size_t length = aml->size - mark;

	if (aml->full)
		return;
	aml->data[mark] = LENGTH_LEAD | (length & 0xf);
	aml->data[mark + 1] = length >> 4;
	aml->data[mark + 2] = length >> 12;
}

size_t aml_scope_open(struct aml *aml, const char *name)
{
	size_t mark;

	aml_byte(aml, OP_SCOPE);
	mark = aml_open(aml);
	aml_byte(aml, CHAR_ROOT);
	aml_segment(aml, name);
	return mark;
}

size_t aml_device_open(struct aml *aml, const char *name)
{
	size_t mark;

	aml_byte(aml, OP_EXTENDED);
	aml_byte(aml, OP_EXTENDED_DEVICE);
	mark = aml_open(aml);
	aml_segment(aml, name);
	return mark;
}

size_t aml_package_open(struct aml *aml, uint8_t count)
{
	size_t mark;

	aml_byte(aml, OP_PACKAGE);
	mark = aml_open(aml);
	aml_byte(aml, count);
	return mark;
}

size_t aml_method_open(struct aml *aml, const char *name, uint8_t arguments)
{
	size_t mark;

	aml_byte(aml, OP_METHOD);
	mark = aml_open(aml);
	aml_segment(aml, name);
	aml_byte(aml, arguments);
	return mark;
}

size_t aml_if_open(struct aml *aml, const char *name)
{
	size_t mark;

	aml_byte(aml, OP_IF);
	mark = aml_open(aml);
	aml_segment(aml, name);
	return mark;
}

void aml_return(struct aml *aml, const char *name)
{
	aml_byte(aml, OP_RETURN);
	aml_segment(aml, name);
}

void aml_store_argument(struct aml *aml, const char *name)
{
	aml_byte(aml, OP_STORE);
	aml_byte(aml, OP_ARGUMENT_0);
	aml_segment(aml, name);
}

void aml_notify(struct aml *aml, const char *scope, const char *device,
		uint8_t value)
{
	aml_byte(aml, OP_NOTIFY);
	aml_byte(aml, CHAR_ROOT);
	aml_byte(aml, OP_DUAL_NAME);
	aml_segment(aml, scope);
	aml_segment(aml, device);
	aml_integer(aml, value);
}

void aml_name(struct aml *aml, const char *name)
{
	aml_byte(aml, OP_NAME);
	aml_segment(aml, name);
}

void aml_integer(struct aml *aml, uint32_t value)
{
	if (!value) {
		aml_byte(aml, OP_ZERO);
	} else if (value <= 0xff) {
		aml_byte(aml, OP_BYTE);
		aml_byte(aml, value);
	} else {
		aml_byte(aml, OP_DWORD);
		aml_dword(aml, value);
	}
}

void aml_text(struct aml *aml, const char *text)
{
	aml_byte(aml, OP_STRING);
	aml_bytes(aml, text, strlen(text) + 1);
}

static uint8_t aml_digit(char digit)
{
	return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

/* Five bits a letter, four a digit, most significant byte first (19.6.36). */
void aml_eisaid(struct aml *aml, const char *id)
{
	uint16_t maker = (id[0] - '@') << 10 | (id[1] - '@') << 5 |
			 (id[2] - '@');

	aml_byte(aml, OP_DWORD);
	aml_byte(aml, maker >> 8);
	aml_byte(aml, maker);
	aml_byte(aml, aml_digit(id[3]) << 4 | aml_digit(id[4]));
	aml_byte(aml, aml_digit(id[5]) << 4 | aml_digit(id[6]));
}

/* A buffer's own size is a number in front of its bytes. */
size_t aml_template_open(struct aml *aml)
{
	size_t mark;

	aml_byte(aml, OP_BUFFER);
	mark = aml_open(aml);
	aml_byte(aml, OP_DWORD);
	aml_dword(aml, 0);
	return mark;
}

void aml_template_close(struct aml *aml, size_t mark)
{
	size_t begin = mark + LENGTH_SIZE + 1 + sizeof(uint32_t);
	uint32_t size;

	aml_byte(aml, RESOURCE_END);
	aml_byte(aml, 0); /* no checksum */
	if (aml->full)
		return;
	size = aml->size - begin;
	memcpy(aml->data + begin - sizeof(size), &size, sizeof(size));
	aml_close(aml, mark);
}

void aml_io(struct aml *aml, uint16_t port, uint8_t count)
{
	aml_byte(aml, RESOURCE_IO);
	aml_byte(aml, IO_DECODE_16);
	aml_word(aml, port);
	aml_word(aml, port);
	aml_byte(aml, 1); /* alignment */
	aml_byte(aml, count);
}

void aml_irq(struct aml *aml, unsigned int irq)
{
	aml_byte(aml, RESOURCE_IRQ);
	aml_word(aml, 1U << irq);
}

static void aml_word_range(struct aml *aml, uint8_t type, uint8_t flags,
			   uint16_t first, uint16_t last)
{
	aml_byte(aml, RESOURCE_WORD);
	aml_word(aml, 13); /* bytes that follow */
	aml_byte(aml, type);
	aml_byte(aml, RANGE_FIXED);
	aml_byte(aml, flags);
	aml_word(aml, 0); /* granularity */
	aml_word(aml, first);
	aml_word(aml, last);
	aml_word(aml, 0); /* translation */
	aml_word(aml, last - first + 1);
}

void aml_bus_range(struct aml *aml, uint8_t first, uint8_t last)
{
	aml_word_range(aml, RANGE_BUS, 0, first, last);
}

void aml_io_range(struct aml *aml, uint16_t first, uint16_t last)
{
	aml_word_range(aml, RANGE_IO, IO_ENTIRE, first, last);
}

void aml_memory_range(struct aml *aml, uint32_t first, uint32_t last)
{
	aml_byte(aml, RESOURCE_DWORD);
	aml_word(aml, 23); /* bytes that follow */
	aml_byte(aml, RANGE_MEMORY);
	aml_byte(aml, RANGE_FIXED);
	aml_byte(aml, MEMORY_WRITABLE);
	aml_dword(aml, 0); /* granularity */
	aml_dword(aml, first);
	aml_dword(aml, last);
	aml_dword(aml, 0); /* translation */
	aml_dword(aml, last - first + 1);
}

void aml_wide_range(struct aml *aml, uint64_t first, uint64_t last)
{
	aml_byte(aml, RESOURCE_QWORD);
	aml_word(aml, 43); /* bytes that follow */
	aml_byte(aml, RANGE_MEMORY);
	aml_byte(aml, RANGE_FIXED);
	aml_byte(aml, MEMORY_WRITABLE);
	aml_qword(aml, 0); /* granularity */
	aml_qword(aml, first);
	aml_qword(aml, last);
	aml_qword(aml, 0); /* translation */
	aml_qword(aml, last - first + 1);
}

void aml_memory(struct aml *aml, uint32_t address, uint32_t size)
{
	aml_byte(aml, RESOURCE_MEMORY);
	aml_word(aml, 9); /* bytes that follow */
	aml_byte(aml, MEMORY_WRITABLE);
	aml_dword(aml, address);
	aml_dword(aml, size);
}
