/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process for a fuzzer to kill: so AFL++ ends a run that takes too long, whereas the
 * machine is only put back.
 */
#ifndef LODGE_CMD_FUZZ_VICTIM_H
#define LODGE_CMD_FUZZ_VICTIM_H

#include <stdint.h>

/**
 * struct victim - a process that does nothing, and follows another one when that is killed
 * @fd: can be read, by victim_next(), when there is a new one
 * @pid: the present one
 */
struct victim {
	int fd;
	int32_t pid;
};

/**
 * victim_start() - start the first, before there are other threads
 *
 * All of them end with this process.
 *
 * Return: 0 or -errno.
 */
int victim_start(struct victim *victim);

/**
 * victim_next() - wait for the one that follows
 *
 * Return: 0 or -errno.
 */
int victim_next(struct victim *victim);

#endif
