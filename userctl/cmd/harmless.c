// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest has written, for a terminal at which somebody works.
 */
#include "cmd/harmless.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ESCAPE 0x1b
#define DELETE 0x7f
/* The first byte of characters of which the lower half are controls, too. */
#define LATIN 0xc2
#define IS_CONTINUED(byte) (((byte)&0xc0) == 0x80)
#define LAST_CONTROL 0x9f

/* Return: how many bytes follow the first one of a character; 0: it is no first one. */
static unsigned int bytes_after(uint8_t byte)
{
	if (byte >= LATIN && byte < 0xe0)
		return 1;
	if (byte >= 0xe0 && byte < 0xf0)
		return 2;
	return byte >= 0xf0 && byte < 0xf5 ? 3 : 0;
}

static bool is_plain(uint8_t byte)
{
	return (byte >= ' ' && byte < DELETE) || strchr("\n\r\t\b", byte);
}

static void write_ascii(uint8_t byte, FILE *file)
{
	if (byte && is_plain(byte))
		putc(byte, file);
	else
		fprintf(file, "^%c", byte ^ 0x40);
}

/* Gives up a sequence, of which the escape is shown. */
static void show_held(struct harmless *harmless, FILE *file)
{
	for (size_t i = 0; i < harmless->count; i++)
		write_ascii(harmless->held[i], file);
	harmless->count = 0;
}

/* Return: true if the byte belongs to the sequence that is held. */
static bool take_sequence(struct harmless *harmless, uint8_t byte, FILE *file)
{
	const size_t count = harmless->count;

	if (count == 1 ? byte != '[' : !strchr("0123456789;mK", byte) || !byte)
		return false;
	if (count == sizeof(harmless->held))
		return false;
	harmless->held[harmless->count++] = byte;
	if (byte != 'm' && byte != 'K')
		return true;
	fwrite(harmless->held, 1, harmless->count, file);
	harmless->count = 0;
	return true;
}

/* Return: true if the byte belongs to the character that has begun. */
static bool take_character(struct harmless *harmless, uint8_t byte, FILE *file)
{
	if (!harmless->more)
		return false;
	if (!harmless->count) {
		harmless->more = IS_CONTINUED(byte) ? harmless->more - 1 : 0;
		if (IS_CONTINUED(byte))
			putc(byte, file);
		return IS_CONTINUED(byte);
	}
	harmless->count = harmless->more = 0;
	if (!IS_CONTINUED(byte) || byte <= LAST_CONTROL) {
		putc('?', file);
		return IS_CONTINUED(byte);
	}
	putc(LATIN, file);
	putc(byte, file);
	return true;
}

static void begin(struct harmless *harmless, uint8_t byte, FILE *file)
{
	harmless->more = bytes_after(byte);
	if (byte == ESCAPE || byte == LATIN)
		harmless->held[harmless->count++] = byte;
	else if (harmless->more)
		putc(byte, file);
	else if (byte > DELETE)
		putc('?', file);
	else
		write_ascii(byte, file);
}

static void write_byte(struct harmless *harmless, uint8_t byte, FILE *file)
{
	if (take_character(harmless, byte, file))
		return;
	if (harmless->count) {
		if (take_sequence(harmless, byte, file))
			return;
		show_held(harmless, file);
	}
	begin(harmless, byte, file);
}

void harmless_write(struct harmless *harmless, const char *text, size_t size,
		    FILE *file)
{
	for (size_t i = 0; i < size; i++)
		write_byte(harmless, text[i], file);
}
