/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sees if the processors have virtualization on while the host goes down.
 */
#ifndef LODGE_LIFE_WATCH_H
#define LODGE_LIFE_WATCH_H

/**
 * watch_begin() - from the next reboot's beginning on
 *
 * The parameter `found` tells what it has found when it begins again, after that
 * reboot: the battery keeps it.
 */
void watch_begin(void);

/**
 * watch_end() - not any more
 */
void watch_end(void);

#endif
