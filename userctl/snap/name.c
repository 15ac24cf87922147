// SPDX-License-Identifier: GPL-2.0
/*
 * A file that takes its name when it is whole.
 */
#include "snap/name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board/unnamed.h"

/* The file has the memory of a machine, which may have secrets. */
#define OWNER_ONLY (S_IRUSR | S_IWUSR)

static int cannot(struct snap_error *error, const char *what, int err)
{
	return snap_error_set(error, err, NULL, "%s: %s", what, strerror(-err));
}

/* Splits a path, and opens its directory. */
static int open_folder(struct snap_name *name, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char folder[PATH_MAX] = ".";

	if (!*base || !strcmp(base, ".") || !strcmp(base, ".."))
		return -EISDIR;
	if (strlen(base) > NAME_MAX || strlen(path) >= sizeof(folder))
		return -ENAMETOOLONG;
	strcpy(name->target, base);
	/* With its slash, so that / stays /. */
	if (slash) {
		memcpy(folder, path, base - path);
		folder[base - path] = '\0';
	}
	name->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return name->folder < 0 ? -errno : 0;
}

/* A device, a link or a socket must not become a file. */
static int check_target(struct snap_name *name)
{
	struct stat st;

	if (fstatat(name->folder, name->target, &st, AT_SYMLINK_NOFOLLOW)) {
		name->absent = errno == ENOENT;
		return name->absent ? 0 : -errno;
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return S_ISREG(st.st_mode) ? 0 : -EEXIST;
}

static int make_temporary(struct snap_name *name)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	snprintf(name->temporary, sizeof(name->temporary), ".lodge-%016" PRIx64,
		 number);
	return 0;
}

static int open_named(struct snap_name *name)
{
	int err = make_temporary(name);

	if (err)
		return err;
	name->fd = openat(name->folder, name->temporary,
			  O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, OWNER_ONLY);
	if (name->fd >= 0)
		return 0;
	err = -errno;
	*name->temporary = '\0';
	return err;
}

/* Some file systems have no files without a name, and such a file gets its by /proc. */
static int open_file(struct snap_name *name)
{
	if (access("/proc/self/fd", X_OK))
		return open_named(name);
	name->fd = unnamed_open(name->folder, ".", 0);
	if (name->fd >= 0)
		return 0;
	return name->fd == -EOPNOTSUPP ? open_named(name) : name->fd;
}

int snap_name_open(struct snap_name *name, const char *path,
		   struct snap_error *error)
{
	int err;

	memset(name, 0, sizeof(*name));
	name->fd = -1;
	name->folder = -1;
	err = open_folder(name, path);
	if (!err)
		err = check_target(name);
	if (!err)
		err = open_file(name);
	if (!err)
		return 0;
	snap_name_drop(name);
	if (err == -EEXIST)
		return snap_error_set(error, err, NULL,
				      "is there, and is no regular file");
	return cannot(error, "cannot be made", err);
}

/* Gives a file without a name one. */
static int link_file(struct snap_name *name)
{
	char path[32];
	int err = make_temporary(name);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", name->fd);
	if (!linkat(AT_FDCWD, path, name->folder, name->temporary,
		    AT_SYMLINK_FOLLOW))
		return 0;
	err = -errno;
	*name->temporary = '\0';
	return err;
}

/*
 * Some file systems know no rename that replaces nothing, but links, which do not either:
 * the temporary name is removed by snap_name_drop() then.
 */
static int take_new_name(const struct snap_name *name)
{
	if (!renameat2(name->folder, name->temporary, name->folder,
		       name->target, RENAME_NOREPLACE))
		return 0;
	if (errno == EINVAL && !linkat(name->folder, name->temporary,
				       name->folder, name->target, 0))
		return 0;
	return -errno;
}

/* What had the name at first is replaced; rename(2) does so at once. */
static int take_name(const struct snap_name *name)
{
	if (name->absent)
		return take_new_name(name);
	return renameat(name->folder, name->temporary, name->folder,
			name->target) ?
		       -errno :
		       0;
}

static int move_file(struct snap_name *name)
{
	int err = *name->temporary ? 0 : link_file(name);

	return err ? err : take_name(name);
}

int snap_name_keep(struct snap_name *name, struct snap_error *error)
{
	int err = fsync(name->fd) ? -errno : 0;

	if (err) {
		cannot(error, "cannot be written", err);
	} else {
		err = move_file(name);
		if (err)
			cannot(error, "cannot get its name", err);
	}
	if (!err && fsync(name->folder)) {
		err = -errno;
		cannot(error, "its directory cannot be written", err);
	}
	snap_name_drop(name);
	return err;
}

void snap_name_drop(struct snap_name *name)
{
	if (*name->temporary)
		unlinkat(name->folder, name->temporary, 0);
	if (name->fd >= 0)
		close(name->fd);
	if (name->folder >= 0)
		close(name->folder);
	*name->temporary = '\0';
	name->fd = -1;
	name->folder = -1;
}
