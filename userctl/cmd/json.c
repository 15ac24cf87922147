// SPDX-License-Identifier: GPL-2.0
/*
 * JSON, written as one line.
 */
#include "cmd/json.h"

#include <inttypes.h>

/*
 * Reads a character of UTF-8 (RFC 3629).
 *
 * Return: the number of its bytes, or 0 if there is none.
 */
static size_t read_character(const char *text, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = *text;
	size_t length = first < 0xc0 ? 1 :
			first < 0xe0 ? 2 :
			first < 0xf0 ? 3 :
				       4;

	if ((first >= 0x80 && first < 0xc0) || first > 0xf4)
		return 0;
	*code = length == 1 ? first : first & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < least[length] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return length;
}

/* Bytes that are no text could make the whole line none: others choose some names. */
static void quote(FILE *file, const char *text)
{
	size_t length;
	uint32_t code;

	fputc('"', file);
	for (; *text; text += length) {
		length = read_character(text, &code);
		if (!length) {
			fputs("\\ufffd", file);
			length = 1;
		} else if (code == '"' || code == '\\') {
			fprintf(file, "\\%c", *text);
		} else if (code < ' ' || (code >= 0x7f && code < 0xa0)) {
			fprintf(file, "\\u%04x", code);
		} else {
			fwrite(text, 1, length, file);
		}
	}
	fputc('"', file);
}

static void begin_value(struct json *json, const char *key)
{
	if (!json->first)
		fputs(", ", json->file);
	json->first = false;
	if (!key)
		return;
	quote(json->file, key);
	fputs(": ", json->file);
}

void json_start(struct json *json, FILE *file)
{
	json->file = file;
	json->first = true;
}

void json_finish(struct json *json)
{
	fputc('\n', json->file);
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	fputc(bracket, json->file);
	json->first = true;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, json->file);
	json->first = false;
}

void json_text(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	quote(json->file, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_none(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->file);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "\"0x%" PRIx64 "\"", value);
}

void json_bytes(struct json *json, const char *key, const uint8_t *bytes,
		size_t size)
{
	begin_value(json, key);
	fputc('"', json->file);
	for (size_t i = 0; i < size; i++)
		fprintf(json->file, "%02x", bytes[i]);
	fputc('"', json->file);
}
