/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine in a file: lodge-image(5) describes it.
 *
 * Behind the pages of RAM, "memory" has the images from which a reset starts the machine,
 * each from a page of its own on; the section "images" lists them.  So a restored machine
 * reads them when it is reset, and not before.  Behind them are the disks with snapshot=on
 * (machine/overlays.h).
 */
#ifndef LODGE_MACHINE_SAVED_H
#define LODGE_MACHINE_SAVED_H

#include <stdbool.h>
#include <stddef.h>

#include "machine/machine.h"
#include "snap/error.h"

#define SAVED_IMAGES "images"
#define SAVED_IMAGES_VERSION 1
/* A machine that started from more files, as by multiboot, is not saved, and does not move. */
#define SAVED_MAX_IMAGES 64

struct saved;

/**
 * struct saved_wish - who wants the file of a machine
 * @gone: called now and then: true if nobody does any more
 * @opaque: for @gone
 */
struct saved_wish {
	bool (*gone)(void *opaque);
	void *opaque;
};

/**
 * saved_write() - write a held machine to a file
 * @fd: a regular file, opened for writing; what is in it is lost
 * @config: the machine's description, for saved_config()
 * @wish: NULL: the file is wanted, whatever happens
 * @error: out: on failure, the reason
 *
 * It reads the machine, which may go on afterwards whatever comes of it, and waits until
 * what the guest has written is on the host's disks.
 *
 * Return: 0: all is on the disk; -EOPNOTSUPP a device has what no file can hold; -E2BIG the
 * machine was started from more than 64 files, or its disks are too large; -EILSEQ the name
 * of one of these files has control characters; -ECANCELED nobody wants the file any more;
 * -errno.
 */
int saved_write(struct machine *machine, int fd, const char *config,
		const struct saved_wish *wish, struct snap_error *error);

/**
 * saved_freeze() - make a held machine the template of others, which may read what its
 * disks hold
 * @fd: a memfd that allows seals, open for writing; what is in it is lost.  On success it is
 *	sealed, and the machine's memory is a private mapping of it, unless other processes
 *	have that mapped: then it is there twice
 * @config: as for saved_write()
 * @wish: as for saved_write()
 * @error: out: on failure, the reason
 *
 * The machine must not run on before saved_thaw(); on failure it is as before.
 *
 * Return: as saved_write(); -EINVAL and -EPERM also if @fd cannot be sealed;
 * -ENOTRECOVERABLE the machine's memory is lost, or others read its disks already, and it
 * has been ended.
 */
int saved_freeze(struct machine *machine, int fd, const char *config,
		 const struct saved_wish *wish, struct snap_error *error);

/**
 * saved_thaw() - undo saved_freeze(), so that the machine may run on
 * @error: out: on failure, the reason
 *
 * Return: 0; -EBUSY others read its disks, and it stays a template; or another -errno.
 */
int saved_thaw(struct machine *machine, struct snap_error *error);

/**
 * saved_open() - open the file of a saved machine
 * @saved: set to it
 * @fd: a regular file, opened for reading; it stays the caller's, who may close it after
 *	saved_close()
 * @error: out: on failure, the reason
 *
 * What memory, images and disks hold is neither read nor checked.
 *
 * Return: 0; -ENOTSUP it must be converted first; or as snap_file_open().
 */
int saved_open(struct saved **saved, int fd, struct snap_error *error);

/**
 * saved_check() - read and check what memory, images and disks hold
 *
 * Return: as snap_file_check().
 */
int saved_check(const struct saved *saved, struct snap_error *error);

/**
 * saved_state() - get the state, for machine_config.saved
 */
const struct machine_saved *saved_state(const struct saved *saved);

/**
 * saved_config() - get the machine's description
 * @size: out: its bytes
 */
const char *saved_config(const struct saved *saved, size_t *size);

/**
 * saved_close() - forget it, once no machine is built from it any more; NULL is fine
 */
void saved_close(struct saved *saved);

#endif
