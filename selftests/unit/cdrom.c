// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a CD drive's commands.
 */
#include "virtio/cdrom.h"

#include <string.h>

#include "kselftest_harness.h"

#define BLOCKS 1000
#define GOOD 0
#define CHECK_CONDITION 2

FIXTURE(cdrom)
{
	uint8_t cdb[CDROM_CDB_SIZE];
	struct cdrom_answer answer;
};

FIXTURE_SETUP(cdrom)
{
	memset(self->cdb, 0, sizeof(self->cdb));
}

FIXTURE_TEARDOWN(cdrom)
{
}

/* Sends a command of these bytes, followed by zeroes. */
#define SEND(...)                                                      \
	do {                                                           \
		const uint8_t bytes[CDROM_CDB_SIZE] = { __VA_ARGS__ }; \
		cdrom_command(bytes, BLOCKS, &self->answer);           \
	} while (0)

static uint32_t be(const uint8_t *at, unsigned int size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | *at++;
	return value;
}

/* The key and the code of what a command was refused for; 0: it was not. */
static uint16_t refusal(const struct cdrom_answer *answer)
{
	if (answer->status != CHECK_CONDITION || answer->size ||
	    answer->blocks || answer->sense[0] != 0x70)
		return 0;
	return answer->sense[2] << 8 | answer->sense[12];
}

TEST_F(cdrom, is_a_removable_drive_for_cds)
{
	SEND(0x12, 0, 0, 0, 255);
	EXPECT_EQ(GOOD, self->answer.status);
	EXPECT_EQ(36, self->answer.size);
	EXPECT_EQ(5, self->answer.reply[0]);
	EXPECT_EQ(0x80, self->answer.reply[1]);
	EXPECT_EQ(31, self->answer.reply[4]);
	EXPECT_EQ(0, memcmp(self->answer.reply + 8, "LODGE   CD-ROM", 14));
}

TEST_F(cdrom, says_no_more_than_it_is_asked_for)
{
	SEND(0x12, 0, 0, 0, 5);
	EXPECT_EQ(5, self->answer.size);
	SEND(0x12, 0, 0, 0, 0);
	EXPECT_EQ(0, self->answer.size);
	SEND(0x03, 0, 0, 0, 4);
	EXPECT_EQ(4, self->answer.size);
	SEND(0x43, 0, 0, 0, 0, 0, 0, 0, 7);
	EXPECT_EQ(7, self->answer.size);
	SEND(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 3);
	EXPECT_EQ(3, self->answer.size);
	SEND(0x46, 0, 0, 0, 0, 0, 0, 0, 1);
	EXPECT_EQ(1, self->answer.size);
	SEND(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 2);
	EXPECT_EQ(2, self->answer.size);
	SEND(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
	EXPECT_EQ(9, self->answer.size);
}

TEST_F(cdrom, is_always_ready)
{
	SEND(0x00);
	EXPECT_EQ(GOOD, self->answer.status);
	SEND(0x1b, 0, 0, 0, 2);
	EXPECT_EQ(GOOD, self->answer.status);
	SEND(0x1e, 0, 0, 0, 1);
	EXPECT_EQ(GOOD, self->answer.status);
	SEND(0x03, 0, 0, 0, 18);
	EXPECT_EQ(18, self->answer.size);
	EXPECT_EQ(0, self->answer.reply[2]);
}

TEST_F(cdrom, has_the_capacity_of_its_disc)
{
	SEND(0x25);
	EXPECT_EQ(8, self->answer.size);
	EXPECT_EQ(BLOCKS - 1, be(self->answer.reply, 4));
	EXPECT_EQ(2048, be(self->answer.reply + 4, 4));
}

TEST_F(cdrom, reads_blocks_of_its_disc)
{
	SEND(0x28, 0, 0, 0, 0x03, 0xe7, 0, 0, 1);
	EXPECT_EQ(GOOD, self->answer.status);
	EXPECT_EQ(999, self->answer.first);
	EXPECT_EQ(1, self->answer.blocks);
	EXPECT_EQ(2048, self->answer.size);
	SEND(0xa8, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xe8);
	EXPECT_EQ(GOOD, self->answer.status);
	EXPECT_EQ(1000, self->answer.blocks);
	EXPECT_EQ(2048000, self->answer.size);
}

TEST_F(cdrom, reads_nothing_when_no_block_is_asked_for)
{
	SEND(0x28, 0, 0, 0, 0, 3, 0, 0, 0);
	EXPECT_EQ(GOOD, self->answer.status);
	EXPECT_EQ(0, self->answer.blocks);
	EXPECT_EQ(0, self->answer.size);
}

TEST_F(cdrom, refuses_blocks_beyond_its_disc)
{
	SEND(0x28, 0, 0, 0, 0x03, 0xe8, 0, 0, 1);
	EXPECT_EQ(0x521, refusal(&self->answer));
	SEND(0x28, 0, 0, 0, 0x03, 0xe7, 0, 0, 2);
	EXPECT_EQ(0x521, refusal(&self->answer));
	SEND(0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff);
	EXPECT_EQ(0x521, refusal(&self->answer));
	SEND(0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff);
	EXPECT_EQ(0x521, refusal(&self->answer));
	SEND(0xa8, 0, 0, 0, 3, 0xe9, 0, 0, 0, 0);
	EXPECT_EQ(0x521, refusal(&self->answer));
}

TEST_F(cdrom, has_a_track_of_data_and_a_lead_out)
{
	const uint8_t *toc = self->answer.reply;

	SEND(0x43, 0, 0, 0, 0, 0, 0, 0, 255);
	EXPECT_EQ(20, self->answer.size);
	EXPECT_EQ(18, be(toc, 2));
	EXPECT_EQ(1, toc[2]);
	EXPECT_EQ(1, toc[3]);
	EXPECT_EQ(0x14, toc[5]);
	EXPECT_EQ(1, toc[6]);
	EXPECT_EQ(0, be(toc + 8, 4));
	EXPECT_EQ(0xaa, toc[14]);
	EXPECT_EQ(BLOCKS, be(toc + 16, 4));
	SEND(0x43, 0, 0, 0, 0, 0, 0xaa, 0, 255);
	EXPECT_EQ(12, self->answer.size);
	EXPECT_EQ(0xaa, toc[6]);
}

TEST_F(cdrom, tells_addresses_as_times_too)
{
	SEND(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255);
	/* 1000 + 150 frames are 15 s and 25 frames. */
	EXPECT_EQ(0x000f19, be(self->answer.reply + 8, 4));
}

TEST_F(cdrom, has_one_session)
{
	SEND(0x43, 0, 1, 0, 0, 0, 0, 0, 12);
	EXPECT_EQ(12, self->answer.size);
	EXPECT_EQ(10, be(self->answer.reply, 2));
	EXPECT_EQ(1, self->answer.reply[6]);
}

TEST_F(cdrom, has_a_page_of_capabilities)
{
	SEND(0x1a, 0, 0x2a, 0, 255);
	EXPECT_EQ(24, self->answer.size);
	EXPECT_EQ(23, self->answer.reply[0]);
	EXPECT_EQ(0x2a, self->answer.reply[4]);
	EXPECT_EQ(18, self->answer.reply[5]);
	SEND(0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255);
	EXPECT_EQ(28, self->answer.size);
	EXPECT_EQ(26, be(self->answer.reply, 2));
	EXPECT_EQ(0x2a, self->answer.reply[8]);
}

TEST_F(cdrom, has_unit_0_alone)
{
	SEND(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255);
	EXPECT_EQ(16, self->answer.size);
	EXPECT_EQ(8, be(self->answer.reply, 4));
	cdrom_absent(&self->answer);
	EXPECT_EQ(0x525, refusal(&self->answer));
}

TEST_F(cdrom, refuses_what_it_does_not_have)
{
	SEND(0x2a, 0, 0, 0, 0, 0, 0, 0, 1); /* it cannot write */
	EXPECT_EQ(0x520, refusal(&self->answer));
	SEND(0xff);
	EXPECT_EQ(0x520, refusal(&self->answer));
	SEND(0x12, 1, 0x83, 0, 255);
	EXPECT_EQ(0x524, refusal(&self->answer));
	SEND(0x12, 0, 0x83, 0, 255);
	EXPECT_EQ(0x524, refusal(&self->answer));
	SEND(0x1a, 0, 0x01, 0, 255);
	EXPECT_EQ(0x524, refusal(&self->answer));
	SEND(0x43, 0, 5, 0, 0, 0, 0, 0, 255);
	EXPECT_EQ(0x524, refusal(&self->answer));
	SEND(0x43, 0, 0, 0, 0, 0, 2, 0, 255);
	EXPECT_EQ(0x524, refusal(&self->answer));
	SEND(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8);
	EXPECT_EQ(0x524, refusal(&self->answer));
}

TEST_F(cdrom, tells_of_a_disc_that_cannot_be_read)
{
	SEND(0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	cdrom_unread(&self->answer);
	EXPECT_EQ(0x311, refusal(&self->answer));
}

TEST_HARNESS_MAIN
