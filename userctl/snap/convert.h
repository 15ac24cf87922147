/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes one file of a saved machine of others: in another form, or whole.
 */
#ifndef LODGE_SNAP_CONVERT_H
#define LODGE_SNAP_CONVERT_H

#include <stddef.h>

#include "snap/error.h"
#include "snap/file.h"

/**
 * enum snap_blamed - the kinds of files of a conversion
 * @SNAP_BLAME_SOURCE: one that is read, by its number
 * @SNAP_BLAME_NEW: the new one
 * @SNAP_BLAME_SINCE: the one to which the new one has the changes
 */
enum snap_blamed {
	SNAP_BLAME_SOURCE,
	SNAP_BLAME_NEW,
	SNAP_BLAME_SINCE,
};

/**
 * struct snap_blame - the file that is the reason of a failure
 * @what: its kind
 * @source: with SNAP_BLAME_SOURCE: its number among those that are read
 */
struct snap_blame {
	enum snap_blamed what;
	size_t source;
};

/**
 * snap_convert() - write the memory of several files, and the rest of the last
 * @files: each but the first has the one before as its base
 * @count: of @files, at least 1
 * @since: NULL, or a whole file: the new one has it as its base, and what differs
 * @fd: as for snap_writer_new()
 * @form: of the new file
 * @blame: out: on failure, the file that is the reason
 * @error: out: on failure, the reason
 *
 * The new file has the id of the last and, without @since, the base of the first.  With
 * more than one file, or with @since, the first must be whole.
 *
 * Return: 0; -EINVAL the files do not belong together; -EBADMSG one is damaged; -errno.
 */
int snap_convert(const struct snap_file *const *files, size_t count,
		 const struct snap_file *since, int fd, enum snap_form form,
		 struct snap_blame *blame, struct snap_error *error);

#endif
