/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user's terminal: raw while a guest has it, and put back on every way out
 * of the process, a fatal signal included; and the keys that the controller
 * keeps for itself.
 */
#ifndef LODGE_MACHINE_TERMINAL_H
#define LODGE_MACHINE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * terminal_present() - is standard input a terminal?
 */
bool terminal_present(void);

/**
 * terminal_raw() - hand standard input's keys over one by one, unchanged
 *
 * Without a terminal nothing happens.  The first call sees to it that the
 * terminal is restored should the process exit or die of a fault.
 *
 * Return: 0 or -errno.
 */
int terminal_raw(void);

/**
 * terminal_restore() - put the terminal back as terminal_raw() found it; safe
 * in a signal handler and when called twice
 *
 * Return: true if it was raw.
 */
bool terminal_restore(void);

/* The meaning of a key. */
enum terminal_key {
	TERMINAL_PASS, /* it is the guest's */
	TERMINAL_DROP, /* it is the controller's; nothing to do */
	TERMINAL_QUIT, /* end the machine */
	TERMINAL_INFO, /* tell the state of the vCPUs */
	TERMINAL_POWER, /* press the machine's power button */
	TERMINAL_HELP, /* tell the user which keys there are */
};

/**
 * terminal_key() - sort a key
 * @escaped: whether the key before was Ctrl-A; false at first, kept by the
 *	caller from key to key
 * @key: the character
 *
 * Ctrl-A x quits, Ctrl-A i informs, Ctrl-A p presses the power button, Ctrl-A h helps,
 * Ctrl-A a and Ctrl-A Ctrl-A are one Ctrl-A (TERMINAL_PASS with @key set to it).
 */
enum terminal_key terminal_key(bool *escaped, uint8_t *key);

#endif
