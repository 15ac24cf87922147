/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `lodge run --help` says besides the options.
 */
#ifndef LODGE_CMD_OPTIONS_ABOUT_H
#define LODGE_CMD_OPTIONS_ABOUT_H

/* For argp.doc: what stands before the list of options, \v, and what stands behind. */
extern const char options_about[];

#endif
