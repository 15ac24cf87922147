// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a CD drive.
 */
#include "virtio/cdrom.h"

#include <linux/cdrom.h>
#include <scsi/scsi.h>
#include <stdbool.h>
#include <string.h>

/* Commands that <scsi/scsi.h> does not have under today's name. */
#define REPORT_LUNS 0xa0

#define STATUS_GOOD 0x00
#define STATUS_CHECK_CONDITION 0x02

/* Sense data in fixed format (SPC-3, section 4.5.3). */
#define SENSE_CURRENT 0x70
#define SENSE_KEY 2
#define SENSE_ADDITIONAL 7
#define SENSE_CODE 12

/* Additional sense codes. */
#define CODE_UNREADABLE 0x11
#define CODE_OPCODE 0x20
#define CODE_RANGE 0x21
#define CODE_FIELD 0x24
#define CODE_NO_UNIT 0x25

/* INQUIRY (SPC-3, section 6.4). */
#define INQUIRY_SIZE 36
#define INQUIRY_EVPD 0x01
#define INQUIRY_REMOVABLE 0x80

#define VERSION_SPC_3 5
#define FORMAT_TODAY 2

/* The mode page of capabilities (MMC-5, annex E). */
#define PAGE_CAPABILITIES 0x2a
#define PAGE_ALL 0x3f
#define PAGE_MASK 0x3f
#define PAGE_CAPABILITIES_SIZE 20
#define READS_CD_R 0x03
#define LOADS_TRAY 0x20
#define MODE_CHANGEABLE 0x40

/* READ TOC (MMC-5, section 6.26). */
#define TOC_TIME 0x02
#define TOC_FORMAT 0x0f
#define TOC_TRACKS 0
#define TOC_SESSION 1
#define TRACK_DATA 0x14
#define TRACK_FIRST 1
#define TRACK_LEAD_OUT 0xaa
/* A disc's address in minutes, seconds and 75 frames; the first 2 s come before block 0. */
#define FRAMES 75
#define SECONDS 60
#define LEAD_IN (2 * FRAMES)

/* GET CONFIGURATION (MMC-5, section 6.5): header, profile list, core. */
#define PROFILE_CD_ROM 0x0008

/* GET EVENT STATUS NOTIFICATION (MMC-5, section 6.6). */
#define EVENT_POLLED 0x01
#define EVENT_MEDIA 4
#define EVENT_MEDIA_MASK (1 << EVENT_MEDIA)
#define MEDIA_PRESENT 0x02

static uint32_t get_be(const uint8_t *at, unsigned int size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | *at++;
	return value;
}

static void put_be(uint8_t *at, uint32_t value, unsigned int size)
{
	while (size--) {
		at[size] = (uint8_t)value;
		value >>= 8;
	}
}

static void check(struct cdrom_answer *answer, uint8_t key, uint8_t code)
{
	answer->status = STATUS_CHECK_CONDITION;
	answer->size = 0;
	answer->blocks = 0;
	memset(answer->sense, 0, sizeof(answer->sense));
	answer->sense[0] = SENSE_CURRENT;
	answer->sense[SENSE_KEY] = key;
	answer->sense[SENSE_ADDITIONAL] =
		CDROM_SENSE_SIZE - SENSE_ADDITIONAL - 1;
	answer->sense[SENSE_CODE] = code;
}

static void refuse_field(struct cdrom_answer *answer)
{
	check(answer, ILLEGAL_REQUEST, CODE_FIELD);
}

/* The reply has @size bytes, of which the driver has room for @room. */
static void reply(struct cdrom_answer *answer, size_t size, uint32_t room)
{
	answer->size = size < room ? size : room;
}

static void inquire(const uint8_t *cdb, struct cdrom_answer *answer)
{
	const uint32_t room = get_be(cdb + 3, 2);
	uint8_t *to = answer->reply;

	to[0] = TYPE_ROM;
	if (cdb[1] & INQUIRY_EVPD) {
		/* The list of pages, which is the only one. */
		to[3] = 1;
		if (cdb[2])
			refuse_field(answer);
		else
			reply(answer, 5, room);
		return;
	}
	if (cdb[2]) {
		refuse_field(answer);
		return;
	}
	to[1] = INQUIRY_REMOVABLE;
	to[2] = VERSION_SPC_3;
	to[3] = FORMAT_TODAY;
	to[4] = INQUIRY_SIZE - 5;
	memcpy(to + 8, "LODGE   CD-ROM          1   ", INQUIRY_SIZE - 8);
	reply(answer, INQUIRY_SIZE, room);
}

static void read_capacity(uint32_t blocks, struct cdrom_answer *answer)
{
	put_be(answer->reply, blocks - 1, 4);
	put_be(answer->reply + 4, CDROM_BLOCK, 4);
	reply(answer, 8, 8);
}

static void read_blocks(uint32_t first, uint32_t count, uint32_t blocks,
			struct cdrom_answer *answer)
{
	if (first > blocks || count > blocks - first) {
		check(answer, ILLEGAL_REQUEST, CODE_RANGE);
		return;
	}
	answer->first = first;
	answer->blocks = count;
	answer->size = (uint64_t)count * CDROM_BLOCK;
}

/* MODE SENSE of 6 or 10 bytes: a header of 4 or 8 bytes, and a page. */
static void mode_sense(const uint8_t *cdb, bool ten,
		       struct cdrom_answer *answer)
{
	const uint32_t room = ten ? get_be(cdb + 7, 2) : cdb[4];
	const uint8_t page = cdb[2] & PAGE_MASK;
	const size_t header = ten ? 8 : 4;
	uint8_t *to = answer->reply + header;

	if ((page != PAGE_CAPABILITIES && page != PAGE_ALL) || cdb[3]) {
		refuse_field(answer);
		return;
	}
	to[0] = PAGE_CAPABILITIES;
	to[1] = PAGE_CAPABILITIES_SIZE - 2;
	/* Nothing of it can be changed. */
	if (!(cdb[2] & MODE_CHANGEABLE)) {
		to[2] = READS_CD_R;
		to[6] = LOADS_TRAY;
	}
	if (ten)
		put_be(answer->reply, header + PAGE_CAPABILITIES_SIZE - 2, 2);
	else
		answer->reply[0] = header + PAGE_CAPABILITIES_SIZE - 1;
	reply(answer, header + PAGE_CAPABILITIES_SIZE, room);
}

/* A block's address, as a number or as minute, second and frame. */
static void put_address(uint8_t *to, uint32_t block, bool time)
{
	uint64_t frame = (uint64_t)block + LEAD_IN;

	if (!time) {
		put_be(to, block, 4);
		return;
	}
	to[1] = (uint8_t)(frame / FRAMES / SECONDS);
	to[2] = (uint8_t)(frame / FRAMES % SECONDS);
	to[3] = (uint8_t)(frame % FRAMES);
}

static void put_track(uint8_t *to, uint8_t track, uint32_t block, bool time)
{
	to[1] = TRACK_DATA;
	to[2] = track;
	put_address(to + 4, block, time);
}

static void read_toc(const uint8_t *cdb, uint32_t blocks,
		     struct cdrom_answer *answer)
{
	const uint8_t format = cdb[2] & TOC_FORMAT, start = cdb[6];
	const uint32_t room = get_be(cdb + 7, 2);
	const bool time = cdb[1] & TOC_TIME;
	uint8_t *end = answer->reply + 4;

	if (format > TOC_SESSION ||
	    (format == TOC_TRACKS && start > TRACK_FIRST &&
	     start != TRACK_LEAD_OUT)) {
		refuse_field(answer);
		return;
	}
	if (format == TOC_SESSION || start <= TRACK_FIRST) {
		put_track(end, TRACK_FIRST, 0, time);
		end += 8;
	}
	if (format == TOC_TRACKS) {
		put_track(end, TRACK_LEAD_OUT, blocks, time);
		end += 8;
	}
	put_be(answer->reply, (uint32_t)(end - answer->reply) - 2, 2);
	answer->reply[2] = answer->reply[3] = 1;
	reply(answer, end - answer->reply, room);
}

static void get_configuration(const uint8_t *cdb, struct cdrom_answer *answer)
{
	/* Feature 0: the profiles, of which one is in force. */
	static const uint8_t features[] = { 0, 0, 0x03, 4, 0, PROFILE_CD_ROM,
					    1, 0 };
	const bool has = !get_be(cdb + 2, 2);
	const size_t size = 8 + (has ? sizeof(features) : 0);

	put_be(answer->reply, size - 4, 4);
	put_be(answer->reply + 6, PROFILE_CD_ROM, 2);
	if (has)
		memcpy(answer->reply + 8, features, sizeof(features));
	reply(answer, size, get_be(cdb + 7, 2));
}

/* Nothing ever happens to the disc. */
static void get_event(const uint8_t *cdb, struct cdrom_answer *answer)
{
	const bool media = cdb[4] & EVENT_MEDIA_MASK;
	const size_t size = media ? 8 : 4;
	uint8_t *to = answer->reply;

	if (!(cdb[1] & EVENT_POLLED)) {
		refuse_field(answer);
		return;
	}
	put_be(to, size - 2, 2);
	to[2] = media ? EVENT_MEDIA : 0x80;
	to[3] = EVENT_MEDIA_MASK;
	to[5] = MEDIA_PRESENT;
	reply(answer, size, get_be(cdb + 7, 2));
}

/* LUN 0 alone. */
static void report_luns(const uint8_t *cdb, struct cdrom_answer *answer)
{
	put_be(answer->reply, 8, 4);
	reply(answer, 16, get_be(cdb + 6, 4));
}

/* There is nothing to tell: a failure is told at once. */
static void request_sense(const uint8_t *cdb, struct cdrom_answer *answer)
{
	answer->reply[0] = SENSE_CURRENT;
	answer->reply[SENSE_ADDITIONAL] =
		CDROM_SENSE_SIZE - SENSE_ADDITIONAL - 1;
	reply(answer, CDROM_SENSE_SIZE, cdb[4]);
}

void cdrom_command(const uint8_t cdb[static CDROM_CDB_SIZE], uint32_t blocks,
		   struct cdrom_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	switch (cdb[0]) {
	case TEST_UNIT_READY:
	case START_STOP:
	case ALLOW_MEDIUM_REMOVAL:
		break;
	case REQUEST_SENSE:
		request_sense(cdb, answer);
		break;
	case INQUIRY:
		inquire(cdb, answer);
		break;
	case MODE_SENSE:
	case MODE_SENSE_10:
		mode_sense(cdb, cdb[0] == MODE_SENSE_10, answer);
		break;
	case READ_CAPACITY:
		read_capacity(blocks, answer);
		break;
	case READ_10:
		read_blocks(get_be(cdb + 2, 4), get_be(cdb + 7, 2), blocks,
			    answer);
		break;
	case GPCMD_READ_12:
		read_blocks(get_be(cdb + 2, 4), get_be(cdb + 6, 4), blocks,
			    answer);
		break;
	case READ_TOC:
		read_toc(cdb, blocks, answer);
		break;
	case GPCMD_GET_CONFIGURATION:
		get_configuration(cdb, answer);
		break;
	case GPCMD_GET_EVENT_STATUS_NOTIFICATION:
		get_event(cdb, answer);
		break;
	case REPORT_LUNS:
		report_luns(cdb, answer);
		break;
	default:
		check(answer, ILLEGAL_REQUEST, CODE_OPCODE);
	}
}

void cdrom_absent(struct cdrom_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	check(answer, ILLEGAL_REQUEST, CODE_NO_UNIT);
}

void cdrom_unread(struct cdrom_answer *answer)
{
	check(answer, MEDIUM_ERROR, CODE_UNREADABLE);
}
