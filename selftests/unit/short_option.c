// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of options that are short for --device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"

#include "cmd/device_option.h"
#include "cmd/short_option.h"

static struct devices_wanted wanted;

/* Return: true if a text is made of an option's. */
static bool is_made(char *made, const char *expected)
{
	bool same = made && !strcmp(made, expected);

	if (!same)
		printf("# %s\n", made ? made : "nothing");
	free(made);
	return same;
}

static char *share(const char *text)
{
	return short_option_share(&wanted, text);
}

TEST(a_disk_is_virtio_blk_but_a_qcow2_image_is_not)
{
	EXPECT_TRUE(
		is_made(short_option_disk("a.img"), "virtio-blk,file=a.img"));
	EXPECT_TRUE(is_made(short_option_disk("a,,b,ro,format=raw"),
			    "virtio-blk,file=a,,b,ro,format=raw"));
	EXPECT_TRUE(is_made(short_option_disk("a,,b,format=qcow2,ro"),
			    "virtio-qcow2,file=a,,b,ro"));
	EXPECT_TRUE(is_made(short_option_disk("a,ro,format=qcow2"),
			    "virtio-qcow2,file=a,ro"));
}

TEST(a_key_that_only_begins_like_it_is_another_and_so_is_a_name)
{
	EXPECT_TRUE(is_made(short_option_disk("a,format=qcow22"),
			    "virtio-blk,file=a,format=qcow22"));
	EXPECT_TRUE(is_made(short_option_disk("a,,format=qcow2"),
			    "virtio-blk,file=a,,format=qcow2"));
}

TEST(help_asks_for_the_keys)
{
	EXPECT_TRUE(is_made(short_option_disk("help"), "virtio-blk,help"));
	EXPECT_TRUE(is_made(short_option_cdrom("help"), "virtio-scsi,help"));
	EXPECT_TRUE(is_made(share("help"), "virtio-fs,help"));
}

TEST(a_cd_is_virtio_scsi)
{
	EXPECT_TRUE(
		is_made(short_option_cdrom("x.iso"), "virtio-scsi,file=x.iso"));
}

TEST(persistent_memory_has_its_file)
{
	EXPECT_TRUE(is_made(short_option_pmem("help"), "virtio-pmem,help"));
	EXPECT_TRUE(
		is_made(short_option_pmem("a,ro"), "virtio-pmem,file=a,ro"));
}

TEST(a_network_card_has_its_type)
{
	EXPECT_TRUE(is_made(short_option_net("user,mac=52:54:00:00:00:01"),
			    "virtio-net,type=user,mac=52:54:00:00:00:01"));
}

TEST(help_of_a_network_card_asks_for_its_keys)
{
	EXPECT_TRUE(is_made(short_option_net("help"), "virtio-net,help"));
}

TEST(a_share_has_its_tag_behind_the_last_colon)
{
	EXPECT_TRUE(
		is_made(share("/home:work"), "virtio-fs,dir=/home,tag=work"));
	EXPECT_TRUE(is_made(share("/a:b,,c:work,ro"),
			    "virtio-fs,dir=/a:b,,c,tag=work,ro"));
	EXPECT_TRUE(
		is_made(share("/home,ro=off,cache=none"),
			"virtio-fs,dir=/home,tag=share0,ro=off,cache=none"));
}

TEST(shares_without_a_tag_are_counted)
{
	char why[DEVICE_OPTION_WHY_SIZE];
	char *device = share("/a:work");

	devices_default(&wanted);
	ASSERT_EQ(0, device_option_parse(&wanted, device, why, sizeof(why)));
	free(device);
	EXPECT_TRUE(is_made(share("/b"), "virtio-fs,dir=/b,tag=share1"));
	devices_forget(&wanted);
}

TEST(help_tells_no_option_s_default_twice)
{
	static const char word[] = "(default";
	char *text = NULL, *rest, *line, *first;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	ASSERT_NE(NULL, file);
	EXPECT_EQ(0, device_option_help(file, "help"));
	fclose(file);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		first = strstr(line, word);
		EXPECT_FALSE(first && strstr(first + 1, word))
		{
			TH_LOG("%s", line);
		}
	}
	free(text);
}

TEST_HARNESS_MAIN
