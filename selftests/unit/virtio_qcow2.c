// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of disks that qemu-storage-daemon serves, with the daemon itself: a driver of the
 * test's reads and writes.
 */
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fakes.h"
#include "sandbox/namespaces.h"
#include "virtio/qcow2.h"
#include "virtio/remote.h"
#include "virtio_guest.h"

#define V1 (1ULL << VIRTIO_F_VERSION_1)
#define SECTOR 512U
#define DATA 0x10000ULL
#define HEADER 0x11000ULL
#define STATUS 0x12000ULL
#define PATIENCE_MS 20000
#define CLUSTER 0x10000

/* The device's options in their order. */
enum { FILE_NAME, RO, NR_QUEUES, BOOTINDEX, BACKING, OPTIONS };

FIXTURE(qcow2)
{
	struct guest guest;
	struct device_value values[OPTIONS];
	struct device_error error;
	char path[32];
	struct remote *device;
};

static void put(uint8_t *bytes, uint64_t value, size_t size)
{
	while (size--) {
		bytes[size] = value;
		value >>= 8;
	}
}

/*
 * An image of version 2 with 1 MiB and nothing in it: header, refcount table, a block of
 * refcounts, L1 table.
 */
static int make_image(const char *path)
{
	static uint8_t bytes[4 * CLUSTER];
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t written;

	memset(bytes, 0, sizeof(bytes));
	put(&bytes[0], 0x514649fb, 4);
	put(&bytes[4], 2, 4);
	put(&bytes[20], 16, 4);
	put(&bytes[24], 1 << 20, 8);
	put(&bytes[36], 1, 4);
	put(&bytes[40], 3 * CLUSTER, 8);
	put(&bytes[48], CLUSTER, 8);
	put(&bytes[56], 1, 4);
	put(&bytes[CLUSTER], 2 * CLUSTER, 8);
	for (unsigned int i = 0; i < 4; i++)
		put(&bytes[2 * CLUSTER + 2 * i], 1, 2);
	written = write(fd, bytes, sizeof(bytes));
	close(fd);
	return written == sizeof(bytes) ? 0 : -1;
}

FIXTURE_SETUP(qcow2)
{
	guest_init_backed(&self->guest, RAM_MEMFD);
	strcpy(self->path, "/tmp/q,cow-XXXXXX");
	close(mkstemp(self->path));
	ASSERT_EQ(0, make_image(self->path));
	self->values[FILE_NAME].text = self->path;
	self->values[NR_QUEUES].number = 2;
}

static void end(FIXTURE_DATA(qcow2) * self)
{
	if (self->device)
		virtio_qcow2_device.free(self->device);
	self->device = NULL;
}

FIXTURE_TEARDOWN(qcow2)
{
	end(self);
	unlink(self->path);
	guest_fini(&self->guest);
}

static bool make(FIXTURE_DATA(qcow2) * self)
{
	self->device = virtio_qcow2_device.make(&self->guest.board,
						self->values, &self->error);
	if (self->device)
		virtio_qcow2_device.release(self->device);
	return self->device;
}

static bool start(FIXTURE_DATA(qcow2) * self)
{
	return make(self) && guest_start(&self->guest, V1);
}

/* Return: the request's status, or -1. */
static int ask(FIXTURE_DATA(qcow2) * self, unsigned int queue, uint32_t type,
	       uint64_t sector)
{
	struct ring *ring = &self->guest.rings[queue];
	const struct virtio_blk_outhdr header = { .type = type,
						  .sector = sector };
	uint8_t *status = ram_at(self->guest.ram, STATUS, 1);
	uint32_t head, written;

	memcpy(ram_at(self->guest.ram, HEADER, sizeof(header)), &header,
	       sizeof(header));
	*status = 0xff;
	ring_describe(ring, 0, HEADER, sizeof(header), VRING_DESC_F_NEXT, 1);
	ring_describe(ring, 1, DATA, SECTOR,
		      VRING_DESC_F_NEXT |
			      (type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE :
							 0),
		      2);
	ring_describe(ring, 2, STATUS, 1, VRING_DESC_F_WRITE, 0);
	ring_offer(ring, 0);
	guest_kick(&self->guest, queue);
	for (int i = 0; i < PATIENCE_MS; i++) {
		if (ring_take(ring, &head, &written))
			return *status;
		poll(NULL, 0, 1);
	}
	return -1;
}

/* Writes a number into the image. */
static bool change(FIXTURE_DATA(qcow2) * self, off_t offset, uint64_t value,
		   size_t size)
{
	uint8_t bytes[8];
	int fd = open(self->path, O_WRONLY | O_CLOEXEC);
	bool done;

	put(bytes, value, size);
	done = pwrite(fd, bytes, size, offset) == (ssize_t)size;
	close(fd);
	return done;
}

static uint8_t *data(FIXTURE_DATA(qcow2) * self)
{
	return ram_at(self->guest.ram, DATA, SECTOR);
}

TEST_F(qcow2, has_the_size_that_the_image_says)
{
	ASSERT_TRUE(start(self))
	{
		TH_LOG("%s: %s", self->error.thing, self->error.reason);
	}
	EXPECT_EQ((1 << 20) / SECTOR,
		  guest_read(&self->guest, VIRTIO_PCI_CAP_DEVICE_CFG, 0, 4));
	EXPECT_EQ(2, guest_common(&self->guest, VIRTIO_PCI_COMMON_NUMQ, 2));
	EXPECT_EQ(0x1040 + VIRTIO_ID_BLOCK,
		  guest_config(&self->guest, PCI_DEVICE_ID, 2));
}

TEST_F(qcow2, what_is_written_is_read_and_is_there_for_the_next_machine)
{
	ASSERT_TRUE(start(self));
	memset(data(self), 0x5a, SECTOR);
	ASSERT_EQ(VIRTIO_BLK_S_OK, ask(self, 0, VIRTIO_BLK_T_OUT, 7));
	memset(data(self), 0, SECTOR);
	ASSERT_EQ(VIRTIO_BLK_S_OK, ask(self, 1, VIRTIO_BLK_T_IN, 7));
	EXPECT_EQ(0x5a, data(self)[0]);
	end(self);
	guest_fini(&self->guest);
	guest_init_backed(&self->guest, RAM_MEMFD);
	ASSERT_TRUE(start(self));
	ASSERT_EQ(VIRTIO_BLK_S_OK, ask(self, 0, VIRTIO_BLK_T_IN, 7));
	EXPECT_EQ(0x5a, data(self)[SECTOR - 1]);
}

TEST_F(qcow2, one_that_is_read_only_refuses_writes)
{
	self->values[RO].number = 1;
	ASSERT_TRUE(start(self));
	EXPECT_TRUE(guest_offered(&self->guest) & 1ULL << VIRTIO_BLK_F_RO);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(self, 0, VIRTIO_BLK_T_OUT, 7));
}

/* Return: true if a process has the network of this one. */
static bool has_network(pid_t pid)
{
	char path[32], its[64] = "", own[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return readlink(path, its, sizeof(its) - 1) > 0 &&
	       readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0 &&
	       !strcmp(its, own);
}

static bool can_leave_network(void)
{
	const pid_t parent = getpid();
	int status = -1;
	pid_t child = fork();

	if (!child) {
		namespaces_leave_network();
		_exit(has_network(parent));
	}
	waitpid(child, &status, 0);
	return !status;
}

/* Return: true if a line of its status is there. */
static bool has_status(pid_t pid, const char *wanted)
{
	char path[32], line[256];
	bool found = false;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && !found && fgets(line, sizeof(line), status))
		found = !strcmp(line, wanted);
	if (status)
		fclose(status);
	return found;
}

TEST_F(qcow2, is_served_by_a_program_without_network_that_gains_no_privileges)
{
	ASSERT_TRUE(make(self));
	EXPECT_TRUE(has_status(self->device->daemon.pid, "NoNewPrivs:\t1\n"));
	if (!can_leave_network())
		SKIP(return, "the host lets nobody make namespaces");
	EXPECT_FALSE(has_network(self->device->daemon.pid));
}

TEST_F(qcow2, is_served_with_the_network_if_it_may_name_what_is_there)
{
	self->values[BACKING].number = 1;
	ASSERT_TRUE(make(self));
	EXPECT_TRUE(has_status(self->device->daemon.pid, "NoNewPrivs:\t1\n"));
	EXPECT_TRUE(has_network(self->device->daemon.pid));
}

TEST_F(qcow2, goes_on_after_it_was_saved_and_loaded)
{
	const struct device_kind *kind = &virtio_qcow2_device;
	struct record record = {};

	ASSERT_TRUE(start(self));
	memset(data(self), 0x5a, SECTOR);
	ASSERT_EQ(VIRTIO_BLK_S_OK, ask(self, 0, VIRTIO_BLK_T_OUT, 7));
	ASSERT_EQ(0, kind->hold(self->device));
	ASSERT_EQ(0, device_save(kind, self->device, &record));
	kind->reset(self->device);
	ASSERT_EQ(0, device_load(kind, self->device, &record));
	ASSERT_EQ(0, kind->release(self->device));
	memset(data(self), 0, SECTOR);
	ASSERT_EQ(VIRTIO_BLK_S_OK, ask(self, 0, VIRTIO_BLK_T_IN, 7));
	EXPECT_EQ(0x5a, data(self)[0]);
	free(record.data);
}

TEST_F(qcow2, what_is_no_image_makes_no_device_and_leaves_no_process)
{
	ASSERT_EQ(0, truncate(self->path, 0));
	EXPECT_FALSE(make(self));
	EXPECT_STREQ(self->path, self->error.thing);
	EXPECT_EQ(ENOEXEC, errno);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
}

TEST_F(qcow2, one_that_the_daemon_refuses_makes_no_device_and_leaves_no_process)
{
	ASSERT_TRUE(change(self, 4, 99, 4));
	EXPECT_FALSE(make(self));
	EXPECT_STREQ("qemu-storage-daemon", self->error.thing);
	EXPECT_EQ(-1, waitpid(-1, NULL, WNOHANG));
}

#define OTHER "/dev/shm/lodge-qcow2-backing"

TEST_F(qcow2, an_image_that_names_a_file_is_refused_without_the_user_s_word)
{
	int fd = open(OTHER, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_EQ(0, ftruncate(fd, 1 << 20));
	ASSERT_EQ(6, pwrite(fd, "secret", 6, 7 * SECTOR));
	close(fd);
	/* Behind the header. */
	ASSERT_TRUE(change(self, 8, 512, 8));
	ASSERT_TRUE(change(self, 16, strlen(OTHER), 4));
	fd = open(self->path, O_WRONLY | O_CLOEXEC);
	EXPECT_EQ((ssize_t)strlen(OTHER),
		  pwrite(fd, OTHER, strlen(OTHER), 512));
	close(fd);
	EXPECT_FALSE(make(self));
	EXPECT_EQ(EXDEV, errno);
	EXPECT_STREQ(self->path, self->error.thing);
	self->values[BACKING].number = 1;
	self->values[RO].number = 1;
	EXPECT_TRUE(start(self));
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(self, 0, VIRTIO_BLK_T_IN, 7));
	EXPECT_EQ(0, memcmp("secret", data(self), 6));
	unlink(OTHER);
}

TEST_F(qcow2, an_image_whose_data_is_elsewhere_is_refused)
{
	ASSERT_TRUE(change(self, 4, 3, 4));
	ASSERT_TRUE(change(self, 72, 4, 8));
	EXPECT_FALSE(make(self));
	EXPECT_EQ(EXDEV, errno);
}

TEST_F(qcow2, an_image_that_is_missing_is_named)
{
	self->values[FILE_NAME].text = "/nowhere";
	EXPECT_FALSE(make(self));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_STREQ("/nowhere", self->error.thing);
}

TEST_HARNESS_MAIN
