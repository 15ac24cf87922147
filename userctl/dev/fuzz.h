/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's door to the fuzzer: eight ports, and memory that is no RAM, which the guest
 * finds by them.
 */
#ifndef LODGE_DEV_FUZZ_H
#define LODGE_DEV_FUZZ_H

#include "board/device.h"

#define FUZZ_PORT 0x520
#define FUZZ_PORTS 8

/*
 * Registers of 32 bits.  To read the first one tells the run: 0 until the fuzzer starts
 * the first.  What is written to it is an enum fuzz_word.  What is written to the second
 * one chooses what it tells when it is read, an enum fuzz_fact.
 */
#define FUZZ_RUN 0
#define FUZZ_FACT 4

/**
 * enum fuzz_fact - what the guest can ask for
 * @FUZZ_MAGIC: FUZZ_MAGIC_VALUE
 * @FUZZ_INPUT_LOW: guest physical address of the input, bits 0 to 31
 * @FUZZ_INPUT_HIGH: bits 32 to 63
 * @FUZZ_COVERAGE_LOW: that of the coverage
 * @FUZZ_COVERAGE_HIGH: likewise
 * @FUZZ_COVERAGE_SIZE: bytes of it that count
 */
enum fuzz_fact {
	FUZZ_MAGIC,
	FUZZ_INPUT_LOW,
	FUZZ_INPUT_HIGH,
	FUZZ_COVERAGE_LOW,
	FUZZ_COVERAGE_HIGH,
	FUZZ_COVERAGE_SIZE,
};

#define FUZZ_MAGIC_VALUE 0x5a5a5546U

extern const struct device_kind fuzz_device;

#endif
