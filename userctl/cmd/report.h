/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report of a guest's crash, for people and for programs.
 */
#ifndef LODGE_CMD_REPORT_H
#define LODGE_CMD_REPORT_H

#include <stdio.h>

#include "cmd/json.h"
#include "machine/crash.h"

/**
 * report_text() - write it for people
 */
void report_text(FILE *file, const struct crash *crash);

/**
 * report_json() - write it as the object @key of @json
 */
void report_json(struct json *json, const char *key, const struct crash *crash);

#endif
