// SPDX-License-Identifier: GPL-2.0
/*
 * JSON, written as one line.
 */
#include "cmd/json.h"

#include <inttypes.h>

static void quote(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < ' ')
			fprintf(file, "\\u%04x", c);
		else
			fputc(c, file);
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

void json_string(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	quote(json->file, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_number(struct json *json, const char *key, long long value)
{
	begin_value(json, key);
	fprintf(json->file, "%lld", value);
}

void json_null(struct json *json, const char *key)
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
