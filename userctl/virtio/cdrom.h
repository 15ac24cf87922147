/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A CD drive with a disc of one data track, as a SCSI target (SPC-3 and MMC-5): what it
 * says to a command, without its transport and without the disc's bytes.
 */
#ifndef LODGE_VIRTIO_CDROM_H
#define LODGE_VIRTIO_CDROM_H

#include <stddef.h>
#include <stdint.h>

#define CDROM_BLOCK 2048
/* A command block, of which shorter commands use the beginning. */
#define CDROM_CDB_SIZE 32
#define CDROM_SENSE_SIZE 18
#define CDROM_REPLY_SIZE 64

/**
 * struct cdrom_answer - what a command comes to
 * @status: SAM_STAT_GOOD or SAM_STAT_CHECK_CONDITION
 * @sense: with the second: why, in fixed format
 * @size: bytes for the driver: of @reply, or of the disc; never more than the command
 *	allows
 * @blocks: blocks of the disc that are to be read; 0: the driver gets @reply
 * @first: the first of these blocks; all of them are on the disc
 * @reply: bytes for the driver
 */
struct cdrom_answer {
	uint8_t status;
	uint8_t sense[CDROM_SENSE_SIZE];
	uint64_t size;
	uint32_t blocks;
	uint32_t first;
	uint8_t reply[CDROM_REPLY_SIZE];
};

/**
 * cdrom_command() - carry out a command, up to the reading of the disc
 * @cdb: the command block; it is the guest's, and anything may be in it
 * @blocks: size of the disc in blocks, at least 1
 * @answer: out
 */
void cdrom_command(const uint8_t cdb[static CDROM_CDB_SIZE], uint32_t blocks,
		   struct cdrom_answer *answer);

/**
 * cdrom_absent() - make the answer of a unit that there is not
 * @answer: out
 */
void cdrom_absent(struct cdrom_answer *answer);

/**
 * cdrom_unread() - turn an answer into that of a disc which cannot be read
 * @answer: of a command that reads the disc
 */
void cdrom_unread(struct cdrom_answer *answer);

#endif
