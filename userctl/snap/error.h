/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why the file of a saved machine is refused.
 */
#ifndef LODGE_SNAP_ERROR_H
#define LODGE_SNAP_ERROR_H

/**
 * struct snap_error - the reason of a failure
 * @section: the section it is about, or empty
 * @text: one line without a newline, and without the file's name, such as "memory:
 *	pages 256 to 511 do not match their checksum"
 */
struct snap_error {
	char section[16];
	char text[200];
};

/**
 * snap_error_set() - format the reason of a failure, cut to fit
 * @error: gets it
 * @code: -errno
 * @section: the section's tag, of which each character can be printed; or NULL
 *
 * Return: @code, so that a caller can fail in one statement.
 */
int snap_error_set(struct snap_error *error, int code, const char *section,
		   const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * snap_error_read() - the same for a failure of read_at()
 * @err: what it returned
 *
 * Return: -EBADMSG if the file is too short, or @err.
 */
int snap_error_read(struct snap_error *error, const char *section, int err);

#endif
