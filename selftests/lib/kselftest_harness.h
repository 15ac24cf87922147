/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness for tests, whose alarm gives a test 30 seconds of the
 * machine's time, and here as many as a busy machine may need.
 */
#ifndef LODGE_LIB_KSELFTEST_HARNESS_H
#define LODGE_LIB_KSELFTEST_HARNESS_H

#include_next <kselftest_harness.h>

#include "patience.h"

/* More than for one event, so that who waits for it can say that it did not come. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT (2 * PATIENCE)

#endif
