/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program in a guest needs to be run by `lodge fuzz`: see "Fuzzing" in lodge(1).
 *
 * The program must run as root.  What of it is compiled with -fsanitize-coverage=trace-pc
 * tells the fuzzer of the edges that it takes.
 */
#ifndef LODGE_EXAMPLES_FUZZ_HARNESS_H
#define LODGE_EXAMPLES_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/**
 * harness_begin() - each run begins behind this call
 * @size: out: bytes of the input
 *
 * From now on a signal that tells of a fault is a crash, and a run is done when the program
 * exits.  Where there is no fuzzer, the program ends with a message.
 *
 * Return: the input.
 */
const uint8_t *harness_begin(size_t *size);

/**
 * harness_done() - the run is done; it does not return
 */
void harness_done(void) __attribute__((noreturn));

/**
 * harness_crash() - the run has found a fault; it does not return
 */
void harness_crash(void) __attribute__((noreturn));

#endif
