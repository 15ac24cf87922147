/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report of a guest's crash, for people and for programs, and of a vCPU's
 * state.
 */
#ifndef LODGE_CMD_REPORT_H
#define LODGE_CMD_REPORT_H

#include <stdio.h>

#include "cmd/json.h"
#include "machine/crash.h"
#include "machine/vcpu.h"

/**
 * report_text() - write a report for people
 */
void report_text(FILE *file, const struct crash *crash);

/**
 * report_json() - write a report as the object @key of @json
 */
void report_json(struct json *json, const char *key, const struct crash *crash);

/**
 * report_state() - write the state of a vCPU that has not crashed, for people
 */
void report_state(FILE *file, const struct crash *state,
		  const struct vcpu_exit *last);

#endif
