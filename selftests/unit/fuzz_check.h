/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must hold in a fuzzer, whatever the input is.
 */
#ifndef LODGE_UNIT_FUZZ_CHECK_H
#define LODGE_UNIT_FUZZ_CHECK_H

#include <stdio.h>
#include <stdlib.h>

/* Ends the fuzzer, which keeps the input then. */
#define require(condition)                                             \
	do {                                                           \
		if (!(condition)) {                                    \
			fprintf(stderr, "line %d: not %s\n", __LINE__, \
				#condition);                           \
			abort();                                       \
		}                                                      \
	} while (0)

#endif
