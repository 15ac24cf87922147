/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A suspend to memory without the firmware.
 */
#ifndef LODGE_LIFE_SLEEP_H
#define LODGE_LIFE_SLEEP_H

/**
 * sleep_begin() - take the place of the machine's own suspend
 */
void sleep_begin(void);

/**
 * sleep_end() - there is none any more
 */
void sleep_end(void);

#endif
