/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side of a target in AFL++'s forkserver protocol, and the memory that it shares.
 */
#ifndef LODGE_CMD_FUZZ_AFL_H
#define LODGE_CMD_FUZZ_AFL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of an input. */
#define AFL_INPUT_MAX (1U << 20)

/**
 * struct afl - a fuzzer, or the lack of one
 * @connected: there is one, at the other end of two descriptors that it has left open
 * @in_memory: it puts its inputs to @input itself; otherwise they are standard input's
 * @input: an input: its length, 32 bits, and as many bytes
 * @input_size: bytes of room, a multiple of 2 MiB
 * @coverage: counted by the guest
 * @coverage_size: bytes of room, a multiple of 2 MiB
 * @coverage_used: bytes that the fuzzer looks at
 */
struct afl {
	bool connected;
	bool in_memory;
	uint8_t *input;
	size_t input_size;
	uint8_t *coverage;
	size_t coverage_size;
	uint32_t coverage_used;
};

/**
 * afl_open() - get the memory, the fuzzer's where there is one
 *
 * It stays until the process ends.
 *
 * Return: 0 or -errno.
 */
int afl_open(struct afl *afl);

/**
 * afl_end() - get a descriptor for poll(2), which tells by POLLHUP that the fuzzer has gone
 *
 * Return: the descriptor, or -1: there is no fuzzer.
 */
int afl_end(const struct afl *afl);

/**
 * afl_hello() - tell the fuzzer that runs can begin
 *
 * Return: 0; -EPROTO it does not answer as AFL++ does; -errno.
 */
int afl_hello(const struct afl *afl);

/**
 * afl_next() - wait until the fuzzer wants a run
 * @killed: out: it has killed the process of the last one
 *
 * Return: 1 it does; 0 the fuzzer has ended; -errno.
 */
int afl_next(bool *killed);

/**
 * afl_begin() - tell it that the run begins, and get the input
 * @pid: the process that it may kill
 *
 * Return: 0 or -errno.
 */
int afl_begin(const struct afl *afl, int32_t pid);

/**
 * afl_tell() - tell how a run has ended
 * @status: as waitpid(2) has it
 *
 * Return: 0 or -errno.
 */
int afl_tell(int32_t status);

/**
 * afl_take() - take an input from a file, with zeroes behind it
 * @fd: a file that can be read
 *
 * Return: 0; -EFBIG it is longer than AFL_INPUT_MAX; -errno.
 */
int afl_take(const struct afl *afl, int fd);

#endif
