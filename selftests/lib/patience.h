/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The longest that a test waits for an event.  The limit ends a test that hangs and
 * judges nothing: a machine that does ten other things at once must not reach it.
 */
#ifndef LODGE_LIB_PATIENCE_H
#define LODGE_LIB_PATIENCE_H

/* Seconds: for one event. */
#define PATIENCE 600

#endif
