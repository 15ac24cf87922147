/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The time on a clock that nobody sets, for deadlines.
 */
#ifndef LODGE_LIB_NOW_H
#define LODGE_LIB_NOW_H

#include <stdint.h>

/**
 * now_ms() - get the time in milliseconds; the host's sleep does not count
 */
int64_t now_ms(void);

#endif
