/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options that are short for --device: --disk, --pmem and --cdrom FILE[,KEY=VALUE]..., and
 * --share DIRECTORY[:TAG][,KEY=VALUE]..., --vsock CID, --net TYPE[,KEY=VALUE]...  In place
 * of all, `help` asks for the keys.
 */
#ifndef LODGE_CMD_SHORT_OPTION_H
#define LODGE_CMD_SHORT_OPTION_H

#include "cmd/options.h"
#include "machine/devices.h"

/**
 * short_option_disk() - write what --device is given for a disk
 * @text: of the option; a comma in FILE is doubled
 *
 * A disk with format=qcow2 is another device than others.
 *
 * Return: the text, to be freed; NULL: there is no memory.
 */
char *short_option_disk(const char *text);

/**
 * short_option_cdrom() - the same for a CD
 */
char *short_option_cdrom(const char *text);

/**
 * short_option_pmem() - the same for persistent memory
 */
char *short_option_pmem(const char *text);

/**
 * short_option_net() - the same for a network card
 */
char *short_option_net(const char *text);

/**
 * short_option_vsock() - the same for a guest's address
 */
char *short_option_vsock(const char *text);

/**
 * short_option_share() - write what --device is given for a shared directory
 * @devices: those that are wanted already: without a TAG the directory is share and the
 *	number of those before it
 * @text: of the option; a comma in DIRECTORY is doubled
 *
 * Return: the text, to be freed; NULL: there is no memory.
 */
char *short_option_share(const struct devices_wanted *devices,
			 const char *text);

/**
 * short_option_note() - note an option in the description, before its device is wanted
 * @name: of any option
 *
 * Behind a --device it is noted as the --device that it is short for.  Lists of several
 * options do not tell the order that numbers the devices of a kind, and by their numbers
 * the devices of a saved machine are told apart.
 *
 * Return: as options_note().
 */
int short_option_note(struct run_options *options, const char *name,
		      const char *value);

#endif
