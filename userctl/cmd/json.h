/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON (RFC 8259), written as one line.
 */
#ifndef LODGE_CMD_JSON_H
#define LODGE_CMD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a JSON text while it is written
 * @file: output
 * @first: the next value is the first of its object or array
 *
 * In an object every value has a @key; in an array, and at the top, it is NULL.
 */
struct json {
	FILE *file;
	bool first;
};

/**
 * json_start() - begin a text
 */
void json_start(struct json *json, FILE *file);

/**
 * json_finish() - end the line
 */
void json_finish(struct json *json);

/**
 * json_open() - open an object ('{') or an array ('[')
 */
void json_open(struct json *json, const char *key, char bracket);

/**
 * json_close() - close an object ('}') or an array (']')
 */
void json_close(struct json *json, char bracket);

/**
 * json_text() - a text; what is no UTF-8 in it becomes U+FFFD
 */
void json_text(struct json *json, const char *key, const char *value);
void json_bool(struct json *json, const char *key, bool value);
void json_number(struct json *json, const char *key, uint64_t value);
void json_none(struct json *json, const char *key);

/**
 * json_hex() - a 64-bit value as a string "0x...", since a JSON number is a
 * double to many readers
 */
void json_hex(struct json *json, const char *key, uint64_t value);

/**
 * json_bytes() - bytes as a string of hexadecimal digits
 */
void json_bytes(struct json *json, const char *key, const uint8_t *bytes,
		size_t size);

#endif
