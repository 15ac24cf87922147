// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what clones have of a machine's options, and of their names.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "cmd/background.h"
#include "cmd/clone_name.h"
#include "cmd/clone_word.h"
#include "cmd/options.h"
#include "control/directory.h"

#define NOBODY 65534

static unsigned int changes;

/* True if a word becomes another one, by one change; or NULL: stays as it is. */
static bool becomes(const char *word, const char *expected, unsigned int change)
{
	char *made = NULL;
	bool right;

	changes = 0;
	right = !clone_word(word, &made, &changes) && changes == change &&
		(expected ? made && !strcmp(made, expected) : !made);
	if (!right)
		printf("# %s: %s, %#x\n", word, made ? made : "nothing",
		       changes);
	free(made);
	return right;
}

static bool stays(const char *word)
{
	return becomes(word, NULL, 0);
}

static int error_of(const char *word)
{
	char *made;

	return clone_word(word, &made, &changes);
}

TEST(a_disk_that_the_guest_writes_gets_an_overlay)
{
	EXPECT_TRUE(becomes("--disk=a", "--disk=a,snapshot=on", CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--disk=a,direct,ro=off",
			    "--disk=a,direct,ro=off,snapshot=on",
			    CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--disk=a,snapshot=off,queues=2",
			    "--disk=a,queues=2,snapshot=on", CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--device=virtio-blk,serial=1,file=a",
			    "--device=virtio-blk,serial=1,file=a,snapshot=on",
			    CLONE_OVERLAY));
	EXPECT_TRUE(stays("--disk=a,ro"));
	EXPECT_TRUE(stays("--disk=a,ro=on"));
	EXPECT_TRUE(stays("--disk=a,snapshot"));
	EXPECT_TRUE(stays("--disk=a,direct,snapshot=on"));
	EXPECT_TRUE(stays("--cdrom=a"));
}

TEST(commas_of_a_name_are_no_keys)
{
	EXPECT_TRUE(becomes("--disk=a,,ro", "--disk=a,,ro,snapshot=on",
			    CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--disk=a,,b,,snapshot,direct",
			    "--disk=a,,b,,snapshot,direct,snapshot=on",
			    CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--device=virtio-blk,file=a,,ro",
			    "--device=virtio-blk,file=a,,ro,snapshot=on",
			    CLONE_OVERLAY));
	EXPECT_TRUE(
		becomes("--disk=ro", "--disk=ro,snapshot=on", CLONE_OVERLAY));
	EXPECT_TRUE(becomes("--disk=a,rotten", "--disk=a,rotten,snapshot=on",
			    CLONE_OVERLAY));
}

TEST(what_the_guest_writes_and_clones_cannot_keep_apart_is_refused)
{
	EXPECT_EQ(-EBUSY, error_of("--pmem=a"));
	EXPECT_EQ(-EBUSY, error_of("--pmem=a,share=on"));
	EXPECT_EQ(-EBUSY, error_of("--device=virtio-pmem,file=a"));
	EXPECT_EQ(-EBUSY, error_of("--disk=a,format=qcow2"));
	EXPECT_EQ(-EBUSY, error_of("--device=virtio-qcow2,file=a"));
	EXPECT_EQ(-EOPNOTSUPP,
		  error_of("--device=vhost-user,type=blk,socket=a"));
	EXPECT_EQ(-EOPNOTSUPP,
		  error_of("--device=vhost-user,socket=a,type=scsi"));
	EXPECT_TRUE(stays("--device=vhost-user,type=rng,socket=a"));
	EXPECT_TRUE(stays("--pmem=a,ro"));
	EXPECT_TRUE(stays("--pmem=a,share=off"));
	EXPECT_TRUE(stays("--disk=a,format=qcow2,ro"));
}

TEST(a_card_at_a_descriptor_is_refused_since_clones_would_share_it)
{
	EXPECT_EQ(-EBADF, error_of("--net=fd,fd=3"));
	EXPECT_EQ(-EBADF, error_of("--device=virtio-net,fd=3,type=fd"));
	EXPECT_TRUE(stays("--net=tap,ifname=fd"));
}

TEST(the_address_of_sockets_stands_in_the_short_option)
{
	EXPECT_TRUE(stays("--vsock=3"));
	EXPECT_TRUE(becomes("--device=virtio-vsock,cid=17", "--vsock=17", 0));
	EXPECT_TRUE(stays("--device=virtio-vsock"));
	EXPECT_TRUE(stays("--device=virtio-vsock,cid"));
}

TEST(ports_of_the_host_and_files_of_serial_ports_are_left_out)
{
	EXPECT_TRUE(
		becomes("--net=user,hostfwd=tcp:22-:22,mac=02:00:00:00:00:01",
			"--net=user,mac=02:00:00:00:00:01", CLONE_NO_PORTS));
	EXPECT_TRUE(becomes("--device=virtio-net,type=user,hostfwd=tcp:1-:1",
			    "--device=virtio-net,type=user", CLONE_NO_PORTS));
	EXPECT_TRUE(stays("--net=user"));
	EXPECT_TRUE(
		becomes("--serial=/tmp/out", "--serial=none", CLONE_NO_SERIAL));
	EXPECT_TRUE(stays("--serial=pty"));
	EXPECT_TRUE(stays("--serial=none"));
	EXPECT_TRUE(stays("--serial=stdio"));
}

/* A port that is left out would be missed by the driver, which has the saved one. */
TEST(what_a_port_of_a_console_is_written_to_is_left_alone)
{
	EXPECT_TRUE(becomes("--device=virtio-console,file=/tmp/out,input=on",
			    "--device=virtio-console,input=on,file=/dev/null",
			    CLONE_NO_CONSOLE));
	EXPECT_TRUE(becomes("--device=virtio-console,name=a,,b,file=a,,file=b",
			    "--device=virtio-console,name=a,,b,file=/dev/null",
			    CLONE_NO_CONSOLE));
	EXPECT_TRUE(becomes("--device=virtio-console,socket=/tmp/port",
			    "--device=virtio-console,file=/dev/null",
			    CLONE_NO_CONSOLE));
	EXPECT_TRUE(becomes("--device=virtio-console,fd=3",
			    "--device=virtio-console,file=/dev/null",
			    CLONE_NO_CONSOLE));
	EXPECT_TRUE(stays("--device=virtio-console"));
	EXPECT_TRUE(stays("--device=virtio-console,input=on,name=file"));
}

TEST(other_options_stay)
{
	EXPECT_TRUE(stays("--kernel=disk,snapshot=off"));
	EXPECT_TRUE(stays("--device=rng"));
	EXPECT_TRUE(stays("--device=virtio-blkk,file=a"));
	EXPECT_TRUE(stays("--device="));
	EXPECT_TRUE(stays("--device"));
	EXPECT_TRUE(stays(""));
}

FIXTURE(names)
{
	char above[32];
	char path[64];
	struct clone_names names;
	char name[LODGE_NAME_SIZE];
};

FIXTURE_SETUP(names)
{
	snprintf(self->above, sizeof(self->above), "/tmp/lodge-unit-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->above));
	snprintf(self->path, sizeof(self->path), "%s/lodge", self->above);
	self->names = (struct clone_names){
		.base = "web",
		.count = 3,
		.parent = directory_parent_open(self->path, true),
	};
	ASSERT_GE(self->names.parent, 0);
}

FIXTURE_TEARDOWN(names)
{
	char command[64];

	close(self->names.parent);
	snprintf(command, sizeof(command), "rm -rf %s", self->above);
	EXPECT_EQ(0, system(command));
}

static const char *next(FIXTURE_DATA(names) * self)
{
	return clone_name(&self->names, self->name) ? NULL : self->name;
}

TEST_F(names, are_that_of_the_machine_with_numbers_that_are_free)
{
	struct directory other;

	ASSERT_EQ(0, directory_take(&other, self->names.parent, "web-2"));
	EXPECT_STREQ("web-1", next(self));
	EXPECT_STREQ("web-3", next(self));
	EXPECT_STREQ("web-4", next(self));
	directory_close(&other);
}

TEST_F(names, that_are_given_have_all_numbers)
{
	struct directory other;

	self->names.given = true;
	ASSERT_EQ(0, directory_take(&other, self->names.parent, "web-1"));
	EXPECT_STREQ("web-1", next(self));
	EXPECT_STREQ("web-2", next(self));
	directory_close(&other);
}

static int next_name(void *opaque, int parent)
{
	FIXTURE_DATA(names) *self = opaque;

	self->names.parent = parent;
	return clone_name(&self->names, self->name);
}

/* Root's machines are elsewhere. */
static void be_nobody(FIXTURE_DATA(names) * self)
{
	if (geteuid() || chown(self->above, NOBODY, NOBODY) ||
	    chown(self->path, NOBODY, NOBODY) || seteuid(NOBODY))
		return;
}

TEST_F(names, that_another_process_takes_meanwhile_are_left_to_it)
{
	char *argv[] = { "lodge clone", "--kernel=x" };
	const struct run_naming naming = { .next = next_name, .opaque = self };
	const int parent = self->names.parent;
	struct background *background;
	struct run_options options;
	struct directory other;

	be_nobody(self);
	ASSERT_EQ(0, setenv("XDG_RUNTIME_DIR", self->above, 1));
	ASSERT_EQ(0, options_parse(&options, 2, argv, 0));
	options.machine.name = next(self);
	options.naming = &naming;
	ASSERT_EQ(0, directory_take(&other, parent, "web-1"));
	ASSERT_EQ(0, background_open(&background, &options, -1));
	EXPECT_STREQ("web-2", options.machine.name);
	background_close(background, 0);
	self->names.parent = parent;
	options_free(&options);
	directory_close(&other);
	if (!getuid())
		EXPECT_EQ(0, seteuid(0));
}

TEST_F(names, of_a_single_clone_are_as_they_are_given)
{
	self->names.count = 1;
	EXPECT_STREQ("web-1", next(self));
	self->names.given = true;
	EXPECT_STREQ("web", next(self));
}

TEST_F(names, that_are_too_long_are_none)
{
	char longest[LODGE_NAME_SIZE];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	self->names.base = longest;
	EXPECT_EQ(NULL, next(self));
	longest[sizeof(longest) - 3] = '\0';
	self->names.last = 0;
	self->names.given = true;
	for (int i = 0; i < 9; i++)
		EXPECT_NE(NULL, next(self));
	EXPECT_EQ(NULL, next(self));
}

TEST_HARNESS_MAIN
