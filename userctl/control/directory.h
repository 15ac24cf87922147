/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The directories of the machines that run in the background, each of which is found by
 * its name: $XDG_RUNTIME_DIR/lodge/NAME/, or /run/lodge/NAME/ for root.
 *
 * Only their user may enter them, so that nobody else changes what is there.  A
 * directory is locked by the controller of its machine from the start to the end: the
 * lock goes with the process, however that ends, and says who lives.  Directories are
 * made, looked up and removed one after another, under a lock of their parent, so that
 * there are no races.
 */
#ifndef LODGE_CONTROL_DIRECTORY_H
#define LODGE_CONTROL_DIRECTORY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <lodge.h>

/* The files in a directory; the logs have an older part, too. */
#define DIRECTORY_SOCKET "control"
#define DIRECTORY_SERIAL "serial.log"
#define DIRECTORY_MESSAGES "messages.log"
#define DIRECTORY_CONFIG "config.json"
#define DIRECTORY_END "end.json"
#define DIRECTORY_PAUSED "paused"

/**
 * struct directory - a machine's directory
 * @parent: descriptor of the directory above, or -1
 * @fd: its descriptor, or -1
 * @name: the machine's name
 */
struct directory {
	int parent;
	int fd;
	char name[LODGE_NAME_SIZE];
};

/**
 * directory_parent_path() - where the directories of this user are
 * @path: out
 *
 * Return: 0; -ENOENT XDG_RUNTIME_DIR is not set, or no absolute path; -ENAMETOOLONG.
 */
int directory_parent_path(char path[PATH_MAX]);

/**
 * directory_parent_open() - open the directory above those of the machines
 * @path: its path
 * @make: make it if it is absent
 *
 * Return: a descriptor; -ENOENT it is absent; -EPERM it is not a directory of this user's alone, or the one
 * above can be changed by other users; -errno.
 */
int directory_parent_open(const char *path, bool make);

/**
 * directory_take() - make the directory of a machine that is to start
 * @directory: filled
 * @parent: of directory_parent_open(), which must stay open
 * @name: the machine's name, of which nothing is assumed; NULL: one is made up
 *
 * What a machine of this name has left is removed.
 *
 * Return: 0; -EBUSY it runs; -EINVAL no machine can have this name; -errno.
 */
int directory_take(struct directory *directory, int parent, const char *name);

/**
 * directory_find() - open the directory of a machine that was started
 * @directory: filled
 * @parent: of directory_parent_open(), which must stay open
 * @name: the machine's name, of which nothing is assumed
 * @lives: out: its controller lives
 *
 * What a controller has left that died before it could record its end is removed.
 *
 * Return: 0; -ENOENT there is none; -EOWNERDEAD its controller has died; -errno.
 */
int directory_find(struct directory *directory, int parent, const char *name,
		   bool *lives);

/**
 * directory_each_ended() - call a function for each machine that has ended
 *
 * It is called while no other command can make or remove a directory.
 */
void directory_each_ended(int parent,
			  void (*call)(const char *name, void *opaque),
			  void *opaque);

/**
 * directory_is_paused() - true if a machine was paused, and has not run on
 */
bool directory_is_paused(int parent, const char *name);

/**
 * directory_sweep() - remove what controllers have left that died, of all names
 */
void directory_sweep(int parent);

/**
 * directory_settle() - remove from a directory of directory_take() what need not stay
 * when its machine has ended: all but logs, description and end
 */
void directory_settle(const struct directory *directory);

/**
 * directory_erase() - remove a directory of directory_take(), which is still open then
 *
 * Return: 0 or -errno.
 */
int directory_erase(const struct directory *directory);

/**
 * directory_remove() - remove the directory of a machine that has ended
 *
 * Return: 0; -EBUSY its controller lives; -ENOENT there is none; -errno.
 */
int directory_remove(int parent, const char *name);

/**
 * directory_close() - close a directory, of which the lock goes if the caller has it
 */
void directory_close(struct directory *directory);

/**
 * directory_write() - make a file of a directory, which appears when it is whole
 * @file: its name
 *
 * Return: 0 or -errno.
 */
int directory_write(const struct directory *directory, const char *file,
		    const void *data, size_t size);

/**
 * directory_read() - read a file of a directory
 * @file: its name
 * @limit: the most bytes that it may have
 * @size: out: its size
 *
 * Return: its contents with a 0 at the end, to be freed; or NULL with errno set.
 */
char *directory_read(const struct directory *directory, const char *file,
		     size_t limit, size_t *size);

/**
 * directory_has() - true if a directory has a file
 */
bool directory_has(const struct directory *directory, const char *file);

#endif
