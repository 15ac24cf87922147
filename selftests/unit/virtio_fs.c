// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the file system device with virtiofsd itself: a driver of the test's asks it.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "virtio/fs.h"
#include "virtio/vhost.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define REQUESTS 1
#define REQUEST 0x10000ULL
#define REPLY 0x11000ULL
#define REPLY_SIZE 0x1000U
#define TAG_SIZE 36
#define USER 1234
#define PATIENCE_MS 20000

/* The device's options in their order. */
enum { DIR, TAG, RO, CACHE, UID, SUBMOUNTS, OPTIONS };

FIXTURE(fs)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	struct device_error error;
	char dir[32];
	struct vhost *device;
	uint64_t unique;
	uint32_t caller;
};

FIXTURE_SETUP(fs)
{
	guest_init_backed(&self->guest, RAM_MEMFD);
	strcpy(self->dir, "/tmp/fs-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	self->values[DIR].text = self->dir;
	self->values[TAG].text = "work";
}

static void end(FIXTURE_DATA(fs) * self)
{
	if (self->device)
		virtio_fs_device.free(self->device);
	self->device = NULL;
}

static void path_of(FIXTURE_DATA(fs) * self, const char *name, char path[64])
{
	snprintf(path, 64, "%s/%s", self->dir, name);
}

FIXTURE_TEARDOWN(fs)
{
	char path[64];

	end(self);
	path_of(self, "file", path);
	unlink(path);
	path_of(self, "made", path);
	rmdir(path);
	rmdir(self->dir);
	guest_fini(&self->guest);
}

static bool make(FIXTURE_DATA(fs) * self)
{
	self->device = virtio_fs_device.make(&self->guest.board, self->values,
					     &self->error);
	if (self->device)
		virtio_fs_device.release(self->device);
	return self->device;
}

/* Sends a request of FUSE's, and waits for the reply.  Return: its errno, or 1. */
static int ask(FIXTURE_DATA(fs) * self, uint32_t opcode, uint64_t node,
	       const void *body, size_t size)
{
	struct ring *ring = &self->guest.rings[REQUESTS];
	struct fuse_in_header in = {
		.len = sizeof(in) + size,
		.opcode = opcode,
		.unique = ++self->unique,
		.nodeid = node,
		.uid = self->caller,
		.gid = self->caller,
	};
	uint8_t *request = ram_at(self->guest.ram, REQUEST, RING_PAGE);
	struct fuse_out_header *out =
		ram_at(self->guest.ram, REPLY, REPLY_SIZE);
	uint32_t head, written;

	memcpy(request, &in, sizeof(in));
	memcpy(request + sizeof(in), body, size);
	ring_describe(ring, 0, REQUEST, in.len, VRING_DESC_F_NEXT, 1);
	ring_describe(ring, 1, REPLY, REPLY_SIZE, VRING_DESC_F_WRITE, 0);
	ring_offer(ring, 0);
	guest_kick(&self->guest, REQUESTS);
	for (int i = 0; i < PATIENCE_MS; i++) {
		if (ring_take(ring, &head, &written))
			return out->unique == self->unique ? -out->error : 1;
		poll(NULL, 0, 1);
	}
	return 1;
}

static int ask_init(FIXTURE_DATA(fs) * self)
{
	const struct fuse_init_in init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
	};

	return ask(self, FUSE_INIT, 0, &init, sizeof(init));
}

static int ask_mkdir(FIXTURE_DATA(fs) * self)
{
	struct {
		struct fuse_mkdir_in in;
		char name[5];
	} body = { .in = { .mode = 0755 }, .name = "made" };

	return ask(self, FUSE_MKDIR, FUSE_ROOT_ID, &body,
		   sizeof(body.in) + sizeof(body.name));
}

TEST_F(fs, says_its_tag_and_the_number_of_its_queues)
{
	char tag[TAG_SIZE + 1] = "";

	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	for (unsigned int i = 0; i < TAG_SIZE; i++)
		tag[i] = guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, i,
				    1);
	EXPECT_STREQ("work", tag);
	EXPECT_EQ(1, guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG,
				TAG_SIZE, 4));
	EXPECT_EQ(0x1040 + VIRTIO_ID_FS,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
}

TEST_F(fs, the_guest_makes_a_directory_of_the_hosts)
{
	struct stat status;
	char path[64];

	ASSERT_TRUE(make(self))
	{
		TH_LOG("%s: %s; %s", self->error.thing, self->error.reason,
		       self->error.remedy);
	}
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, ask_init(self));
	EXPECT_EQ(0, ask_mkdir(self));
	path_of(self, "made", path);
	EXPECT_EQ(0, stat(path, &status));
}

TEST_F(fs, a_read_only_directory_cannot_be_changed)
{
	struct stat status;
	char path[64];

	self->values[RO].number = 1;
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, ask_init(self));
	EXPECT_EQ(EROFS, ask_mkdir(self));
	path_of(self, "made", path);
	EXPECT_NE(0, stat(path, &status));
}

/* Becomes a user without privileges, but with a group more. */
static int become_user(void)
{
	const gid_t groups[] = { USER, USER + 1 };

	return setgroups(2, groups) || setresgid(USER, USER, USER) ||
	       setresuid(USER, USER, USER);
}

/* The rest of a test in a process of that user's.  Return: its exit status. */
static int as_user(FIXTURE_DATA(fs) * self,
		   int (*rest)(FIXTURE_DATA(fs) * self))
{
	int status;
	pid_t pid;

	if (chown(self->dir, USER, USER))
		return -1;
	pid = fork();
	if (!pid)
		_exit(become_user() || !make(self) ? 99 : rest(self));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int user_makes_directory(FIXTURE_DATA(fs) * self)
{
	int err = guest_start(&self->guest, V1) ? ask_init(self) : 1;

	if (!err)
		err = ask_mkdir(self);
	end(self);
	return err;
}

TEST_F(fs, the_guests_root_acts_for_a_user_without_privileges)
{
	struct stat status;
	char path[64];

	if (geteuid())
		SKIP(return, "root becomes another user here");
	ASSERT_EQ(0, as_user(self, user_makes_directory));
	path_of(self, "made", path);
	ASSERT_EQ(0, stat(path, &status));
	EXPECT_EQ(USER, status.st_uid);
}

TEST_F(fs, a_user_without_privileges_can_have_it_read_only)
{
	if (geteuid())
		SKIP(return, "root becomes another user here");
	self->values[RO].number = 1;
	EXPECT_EQ(EROFS, as_user(self, user_makes_directory));
}

TEST_F(fs, a_user_without_privileges_can_be_himself_in_the_guest)
{
	if (geteuid())
		SKIP(return, "root becomes another user here");
	self->values[UID].number = USER;
	self->caller = USER;
	EXPECT_EQ(0, as_user(self, user_makes_directory));
}

TEST_F(fs, leaves_no_process_behind)
{
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	end(self);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
	EXPECT_EQ(ECHILD, errno);
}

TEST_F(fs, says_that_a_directory_is_missing)
{
	self->values[DIR].text = "/nowhere";
	EXPECT_FALSE(make(self));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_STREQ("/nowhere", self->error.thing);
}

TEST_F(fs, a_tag_has_36_bytes_at_most)
{
	self->values[TAG].text = "1234567890123456789012345678901234567";
	EXPECT_FALSE(make(self));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(fs, goes_on_after_it_was_held)
{
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, ask_init(self));
	ASSERT_EQ(0, virtio_fs_device.hold(self->device));
	ASSERT_EQ(0, virtio_fs_device.release(self->device));
	EXPECT_EQ(0, ask_mkdir(self));
}

TEST_F(fs, a_guest_can_begin_anew_after_a_reset)
{
	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, ask_init(self));
	virtio_fs_device.reset(self->device);
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, ask_init(self));
	EXPECT_EQ(0, ask_mkdir(self));
}

TEST_F(fs, one_that_the_guest_uses_is_not_loaded)
{
	struct record record = {};

	ASSERT_TRUE(make(self));
	ASSERT_TRUE(guest_start(&self->guest, V1));
	ASSERT_EQ(0, virtio_fs_device.hold(self->device));
	ASSERT_EQ(0, device_save(&virtio_fs_device, self->device, &record));
	virtio_fs_device.reset(self->device);
	EXPECT_EQ(-EINVAL,
		  device_load(&virtio_fs_device, self->device, &record));
	free(record.data);
}

TEST_HARNESS_MAIN
