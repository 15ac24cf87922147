// SPDX-License-Identifier: GPL-2.0
/*
 * The directories of the machines that run in the background.
 *
 * All is done relative to descriptors, and no symbolic link is followed below the
 * parent.
 */
#include "control/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LETTERS_DIGITS                                         \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
	"0123456789"
/* The names that are tried for a machine without one. */
#define MADE_UP_NAMES 10000
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
#define MODE_OTHERS 077
#define MODE_OTHERS_WRITE 022

int directory_parent_path(char path[PATH_MAX])
{
	const char *above = geteuid() ? getenv("XDG_RUNTIME_DIR") : "/run";
	int length;

	if (!above || *above != '/')
		return -ENOENT;
	length = snprintf(path, PATH_MAX, "%s/lodge", above);
	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* True if the directory is this user's, and none of @forbidden is in its mode. */
static bool is_own(int fd, mode_t forbidden)
{
	struct stat status;

	return !fstat(fd, &status) && status.st_uid == geteuid() &&
	       !(status.st_mode & forbidden);
}

/* Return: the descriptor of the directory above @path; -EPERM; -errno. */
static int open_above(const char *path)
{
	char *above = strndup(path, strrchr(path, '/') - path);
	int fd;

	if (!above)
		return -ENOMEM;
	fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(above);
	if (fd < 0 || is_own(fd, MODE_OTHERS_WRITE))
		return fd;
	close(fd);
	return -EPERM;
}

/* Opens a directory of this user's alone.  Return: a descriptor; -EPERM; -errno. */
static int open_own(int above, const char *name)
{
	int fd = openat(above, name, OPEN_DIRECTORY);

	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
	if (is_own(fd, MODE_OTHERS))
		return fd;
	close(fd);
	return -EPERM;
}

int directory_parent_open(const char *path, bool make)
{
	int above = open_above(path);
	const char *name = strrchr(path, '/') + 1;
	int fd;

	if (above < 0)
		return above;
	if (make && mkdirat(above, name, 0700) && errno != EEXIST)
		fd = -errno;
	else
		fd = open_own(above, name);
	close(above);
	return fd;
}

static bool is_name(const char *name)
{
	return strspn(name, LETTERS_DIGITS) &&
	       !name[strspn(name, LETTERS_DIGITS "._-")] &&
	       strlen(name) < LODGE_NAME_SIZE;
}

static int lock(int fd, int how)
{
	int err;

	do {
		err = flock(fd, how) ? -errno : 0;
	} while (err == -EINTR);
	return err == -EWOULDBLOCK ? -EBUSY : err;
}

/* The door: who makes, looks up or removes directories is inside alone. */
static int enter(int parent)
{
	return lock(parent, LOCK_EX);
}

static void leave(int parent)
{
	lock(parent, LOCK_UN);
}

/* Calls a function for each entry of a directory.  Return: 0 or -errno. */
static int for_each(int fd,
		    void (*call)(int fd, const char *name, void *opaque),
		    void *opaque)
{
	int copy = openat(fd, ".", OPEN_DIRECTORY);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int err = list ? 0 : -errno;

	if (!list) {
		if (copy >= 0)
			close(copy);
		return err;
	}
	while ((entry = readdir(list)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			call(fd, entry->d_name, opaque);
	closedir(list);
	return 0;
}

static void unlink_entry(int fd, const char *name, void *opaque)
{
	unlinkat(fd, name, 0);
}

/* Inside the door, with the directory locked.  Return: 0 or -errno. */
static int erase(int parent, int fd, const char *name)
{
	int err = for_each(fd, unlink_entry, NULL);

	if (!err && unlinkat(parent, name, AT_REMOVEDIR))
		err = -errno;
	return err;
}

static bool is_at(int fd, const char *file)
{
	struct stat status;

	return !fstatat(fd, file, &status, AT_SYMLINK_NOFOLLOW);
}

/*
 * Inside the door: opens a directory, and takes its lock if nobody has it.
 *
 * Return: its descriptor; -errno.
 */
static int open_locked(int parent, const char *name, bool *lives)
{
	int fd = open_own(parent, name);
	int err;

	if (fd < 0)
		return fd;
	err = lock(fd, LOCK_EX | LOCK_NB);
	*lives = err == -EBUSY;
	if (!err || *lives)
		return fd;
	close(fd);
	return err;
}

/* Inside the door: as directory_find().  Return: a descriptor without a lock. */
static int find(int parent, const char *name, bool *lives)
{
	int fd = open_locked(parent, name, lives);
	int err;

	if (fd < 0 || *lives)
		return fd;
	if (is_at(fd, DIRECTORY_END)) {
		lock(fd, LOCK_UN);
		return fd;
	}
	err = erase(parent, fd, name);
	close(fd);
	return err ? err : -EOWNERDEAD;
}

int directory_find(struct directory *directory, int parent, const char *name,
		   bool *lives)
{
	int err = is_name(name) ? enter(parent) : -ENOENT;

	if (err)
		return err;
	directory->parent = parent;
	directory->fd = find(parent, name, lives);
	snprintf(directory->name, sizeof(directory->name), "%s", name);
	leave(parent);
	return directory->fd < 0 ? directory->fd : 0;
}

static void sweep_entry(int parent, const char *name, void *opaque)
{
	bool lives;
	int fd = find(parent, name, &lives);

	if (fd >= 0)
		close(fd);
}

void directory_sweep(int parent)
{
	if (enter(parent))
		return;
	for_each(parent, sweep_entry, NULL);
	leave(parent);
}

/**
 * struct calling - whom to tell of machines that have ended
 * @call: the function
 * @opaque: for it
 */
struct calling {
	void (*call)(const char *name, void *opaque);
	void *opaque;
};

static void tell_entry(int parent, const char *name, void *opaque)
{
	const struct calling *calling = opaque;
	bool lives;
	int fd = is_name(name) ? find(parent, name, &lives) : -ENOENT;

	if (fd < 0)
		return;
	if (!lives)
		calling->call(name, calling->opaque);
	close(fd);
}

void directory_each_ended(int parent,
			  void (*call)(const char *name, void *opaque),
			  void *opaque)
{
	struct calling calling = { .call = call, .opaque = opaque };

	if (enter(parent))
		return;
	for_each(parent, tell_entry, &calling);
	leave(parent);
}

bool directory_is_paused(int parent, const char *name)
{
	char path[LODGE_NAME_SIZE + sizeof("/" DIRECTORY_PAUSED)];

	snprintf(path, sizeof(path), "%s/" DIRECTORY_PAUSED, name);
	return is_name(name) && is_at(parent, path);
}

/* Inside the door: makes a directory.  Return: its descriptor, locked; -errno. */
static int make(int parent, const char *name)
{
	int fd, err;

	if (mkdirat(parent, name, 0700))
		return -errno;
	fd = open_own(parent, name);
	err = fd < 0 ? fd : lock(fd, LOCK_EX | LOCK_NB);
	if (!err)
		return fd;
	unlinkat(parent, name, AT_REMOVEDIR);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Inside the door: removes what is there, unless it lives.  Return: 0 or -errno. */
static int clear(int parent, const char *name)
{
	bool lives;
	int fd = open_locked(parent, name, &lives);
	int err;

	if (fd < 0)
		return fd;
	err = lives ? -EBUSY : erase(parent, fd, name);
	close(fd);
	return err;
}

static int take_name(struct directory *directory)
{
	int err = clear(directory->parent, directory->name);

	if (err && err != -ENOENT)
		return err;
	return make(directory->parent, directory->name);
}

static int take_any_name(struct directory *directory)
{
	int fd = -EEXIST;

	for (int i = 1; fd == -EEXIST && i <= MADE_UP_NAMES; i++) {
		snprintf(directory->name, sizeof(directory->name), "machine-%d",
			 i);
		fd = make(directory->parent, directory->name);
	}
	return fd;
}

int directory_take(struct directory *directory, int parent, const char *name)
{
	int err;

	directory->parent = parent;
	directory->fd = -1;
	if (name && !is_name(name))
		return -EINVAL;
	err = enter(parent);
	if (err)
		return err;
	snprintf(directory->name, sizeof(directory->name), "%s",
		 name ? name : "");
	directory->fd = name ? take_name(directory) : take_any_name(directory);
	leave(parent);
	return directory->fd < 0 ? directory->fd : 0;
}

void directory_close(struct directory *directory)
{
	if (directory->fd >= 0)
		close(directory->fd);
	directory->fd = -1;
}

void directory_settle(const struct directory *directory)
{
	unlinkat(directory->fd, DIRECTORY_SOCKET, 0);
	unlinkat(directory->fd, DIRECTORY_PAUSED, 0);
}

int directory_erase(const struct directory *directory)
{
	int err = enter(directory->parent);

	if (err)
		return err;
	err = erase(directory->parent, directory->fd, directory->name);
	leave(directory->parent);
	return err;
}

int directory_remove(int parent, const char *name)
{
	int err = is_name(name) ? enter(parent) : -ENOENT;

	if (err)
		return err;
	err = clear(parent, name);
	leave(parent);
	return err;
}

/* Return: 0 or -errno. */
static int write_all(int fd, const char *data, size_t size)
{
	ssize_t length;

	while (size) {
		length = write(fd, data, size);
		if (length < 0 && errno != EINTR)
			return -errno;
		if (length > 0) {
			data += length;
			size -= length;
		}
	}
	return 0;
}

int directory_write(const struct directory *directory, const char *file,
		    const void *data, size_t size)
{
	char new[NAME_MAX];
	int fd, err;

	snprintf(new, sizeof(new), "%s.new", file);
	fd = openat(directory->fd, new,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, data, size);
	close(fd);
	if (!err && renameat(directory->fd, new, directory->fd, file))
		err = -errno;
	if (err)
		unlinkat(directory->fd, new, 0);
	return err;
}

/* Return: the bytes read, or -errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t used = 0;
	ssize_t length;

	while (used < size) {
		length = read(fd, data + used, size - used);
		if (length < 0 && errno != EINTR)
			return -errno;
		if (!length)
			break;
		if (length > 0)
			used += length;
	}
	return used;
}

char *directory_read(const struct directory *directory, const char *file,
		     size_t limit, size_t *size)
{
	int fd = openat(directory->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *data = fd < 0 ? NULL : malloc(limit + 1);
	ssize_t length = data ? read_all(fd, data, limit + 1) : -errno;

	if (fd >= 0)
		close(fd);
	if (length > (ssize_t)limit)
		length = -EFBIG;
	if (length < 0) {
		free(data);
		errno = -length;
		return NULL;
	}
	data[length] = '\0';
	*size = length;
	return data;
}

bool directory_has(const struct directory *directory, const char *file)
{
	return is_at(directory->fd, file);
}
