/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The keeper of a machine's directory: a process that does there what the controller,
 * which is confined, cannot: it makes, renames and removes files.
 *
 * It knows the few requests below and takes no name from the controller, so that one
 * that was taken over reaches nothing else.  It ends with the controller.
 */
#ifndef LODGE_CONTROL_KEEPER_H
#define LODGE_CONTROL_KEEPER_H

#include <stdbool.h>

#include "control/directory.h"
#include "control/log.h"

struct keeper;

/**
 * keeper_start() - start the keeper of a directory
 * @directory: of directory_take(); its lock stays the caller's alone
 *
 * To be called before the process has threads, and anything that a child should not have.
 *
 * Return: it; or NULL with errno set.
 */
struct keeper *keeper_start(const struct directory *directory);

/**
 * keeper_mark_paused() - note whether the machine is paused, for directory_is_paused()
 *
 * Return: 0 or -errno.
 */
int keeper_mark_paused(struct keeper *keeper, bool paused);

/**
 * keeper_turn() - turn a log of the directory, as log_turn()
 * @opaque: keeper; any thread may call
 *
 * Return: descriptor of its new part, or -errno.
 */
int keeper_turn(void *opaque, const char *file);

/**
 * keeper_end() - record the end of the machine, and remove its socket
 * @end: a JSON object as text, or NULL
 *
 * Return: 0 or -errno.
 */
int keeper_end(struct keeper *keeper, const char *end);

/**
 * keeper_drop() - remove the directory
 *
 * Return: 0 or -errno.
 */
int keeper_drop(struct keeper *keeper);

/**
 * keeper_stop() - let the keeper end, and wait for it; NULL is fine
 */
void keeper_stop(struct keeper *keeper);

#endif
