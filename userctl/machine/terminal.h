/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user's terminal: raw while a guest uses it, and restored whenever the process
 * ends, even by a fatal signal; and the controller's own keys.
 */
#ifndef LODGE_MACHINE_TERMINAL_H
#define LODGE_MACHINE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * terminal_present() - true if standard input is a terminal
 */
bool terminal_present(void);

/**
 * terminal_raw() - make standard input deliver each key at once and unchanged
 *
 * Without a terminal nothing happens.  The first call ensures that the terminal is
 * restored if the process exits or dies of a fault.
 *
 * Return: 0 or -errno.
 */
int terminal_raw(void);

/**
 * terminal_raw_whole() - the same, and let output pass unchanged, too, for a guest's
 * program that has a terminal of its own
 */
int terminal_raw_whole(void);

/**
 * terminal_restore() - undo terminal_raw(); safe in a signal handler, and if called
 * twice
 *
 * Return: true if it was raw.
 */
bool terminal_restore(void);

/**
 * terminal_size() - get the size of the terminal at standard input
 *
 * Return: true, or false: there is no terminal, or it does not say.
 */
bool terminal_size(uint16_t *cols, uint16_t *rows);

/* Meanings of a key. */
enum terminal_key {
	TERMINAL_PASS, /* it is for the guest */
	TERMINAL_DROP, /* ignore it */
	TERMINAL_QUIT, /* end the machine */
	TERMINAL_INFO, /* show the state of the vCPUs */
	TERMINAL_POWER, /* press the machine's power button */
	TERMINAL_HELP, /* show the controller's keys */
};

/**
 * terminal_key() - get the meaning of a key
 * @escaped: true if the key before was Ctrl-A; initially false; the caller keeps it
 *	from key to key
 * @key: the character
 *
 * Ctrl-A x quits, Ctrl-A i informs, Ctrl-A p presses the power button, Ctrl-A h helps,
 * Ctrl-A a and Ctrl-A Ctrl-A are one Ctrl-A (TERMINAL_PASS with @key set to it).
 */
enum terminal_key terminal_key(bool *escaped, uint8_t *key);

#endif
