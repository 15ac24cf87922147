// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a block device's requests, by a driver that does what drivers do, and what they
 * must not do.
 */
#include "kselftest_harness.h"

#include "virtio_blk.h"

#define HEADER 0x40000ULL
#define DATA 0x50000ULL
#define STATUS 0x48000ULL
#define NO_STATUS 0xaa
#define SECTORS (BLK_DISK / DISK_SECTOR)

FIXTURE(blk)
{
	struct blk_guest guest;
};

FIXTURE_SETUP(blk)
{
	ASSERT_TRUE(blk_guest_init(&self->guest, (struct disk_options){ 0 }));
	blk_io_release(&self->guest.io);
	blk_guest_start(&self->guest, BLK_FEATURES);
}

FIXTURE_TEARDOWN(blk)
{
	blk_guest_fini(&self->guest);
}

static uint8_t *memory(struct blk_guest *guest, uint64_t gpa)
{
	return ram_at(guest->ram, gpa, 1);
}

/* Writes header number @slot of a request; its status byte has the same number. */
static void write_header(struct blk_guest *guest, unsigned int slot,
			 uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr header = { .type = type,
						  .sector = sector };

	memcpy(memory(guest, HEADER + slot * sizeof(header)), &header,
	       sizeof(header));
	*memory(guest, STATUS + slot) = NO_STATUS;
}

/* Offers a request of @size bytes of data at @data; slot @slot has 3 descriptors. */
static void offer(struct blk_guest *guest, unsigned int queue,
		  unsigned int slot, uint32_t type, uint64_t sector,
		  uint64_t data, uint32_t size)
{
	const bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	struct ring *ring = &guest->rings[queue];
	unsigned int first = slot * 3;

	write_header(guest, slot, type, sector);
	ring_describe(ring, first,
		      HEADER + slot * sizeof(struct virtio_blk_outhdr),
		      sizeof(struct virtio_blk_outhdr), VRING_DESC_F_NEXT,
		      size ? first + 1 : first + 2);
	ring_describe(ring, first + 1, data, size,
		      VRING_DESC_F_NEXT | (in ? VRING_DESC_F_WRITE : 0),
		      first + 2);
	ring_describe(ring, first + 2, STATUS + slot, 1, VRING_DESC_F_WRITE, 0);
	ring_offer(ring, first);
}

/* Return: how many bytes a request must be said to have written without a gap. */
static uint32_t written_by(struct blk_guest *guest, uint32_t type,
			   uint32_t size)
{
	if (type == VIRTIO_BLK_T_GET_ID)
		return size > VIRTIO_BLK_ID_BYTES ? VIRTIO_BLK_ID_BYTES :
						    size + 1;
	if (type != VIRTIO_BLK_T_IN)
		return 1;
	return *memory(guest, STATUS) == VIRTIO_BLK_S_OK ? size + 1 : 0;
}

/* Return: the status of a request that the device has served, and only that. */
static int ask(struct blk_guest *guest, uint32_t type, uint64_t sector,
	       uint32_t size)
{
	uint32_t head, written;

	offer(guest, 0, 0, type, sector, DATA, size);
	blk_guest_run(guest, 1);
	if (!ring_take(&guest->rings[0], &head, &written))
		return -1;
	return written == written_by(guest, type, size) ?
		       *memory(guest, STATUS) :
		       -2;
}

static bool needs_reset(const struct blk_guest *guest)
{
	return guest->device.state.status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

TEST_F(blk, what_is_written_is_read_and_is_in_the_file)
{
	struct blk_guest *guest = &self->guest;
	uint8_t *data = memory(guest, DATA);
	uint8_t byte;

	memset(data, 0x5c, 8192);
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_OUT, 3, 8192));
	memset(data, 0, 8192);
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_IN, 2, 8192));
	EXPECT_EQ(0, data[511]);
	EXPECT_EQ(0x5c, data[512]);
	EXPECT_EQ(0x5c, data[8191]);
	EXPECT_EQ(1, pread(guest->file, &byte, 1, 3 * 512));
	EXPECT_EQ(0x5c, byte);
	EXPECT_EQ(0, guest->device.in_flight);
	EXPECT_EQ(2, guest->interrupts);
}

/* Gives the device another disk, on a file that has a page cache.  Return: true or false. */
static bool use_cached_file(struct blk_guest *guest)
{
	static char zeroes[8192];
	struct iovec iov = { zeroes, sizeof(zeroes) };
	char path[] = "/var/tmp/lodge-test.XXXXXX";
	const int fd = mkostemp(path, O_CLOEXEC);
	bool cached;

	disk_close(guest->io.disk);
	guest->io.disk = NULL;
	if (fd < 0)
		return false;
	cached = write(fd, zeroes, sizeof(zeroes)) == sizeof(zeroes) &&
		 preadv2(fd, &iov, 1, 0, RWF_NOWAIT) == sizeof(zeroes);
	guest->io.disk = disk_open(guest->loop,
				   &(struct disk_options){ .path = path },
				   guest->why, sizeof(guest->why));
	unlink(path);
	close(fd);
	return cached && guest->io.disk &&
	       disk_engine(guest->io.disk) == DISK_ENGINE_URING;
}

TEST_F(blk, a_read_of_what_the_host_has_in_memory_is_answered_by_the_kick)
{
	struct blk_guest *guest = &self->guest;
	uint32_t head, written;

	if (!use_cached_file(guest))
		SKIP(return, "reads of this file system may wait");
	memset(memory(guest, DATA), 0x5c, 4096);
	offer(guest, 0, 0, VIRTIO_BLK_T_IN, 8, DATA, 4096);
	virtio_device_kick(&guest->device, 0);
	EXPECT_TRUE(ring_take(&guest->rings[0], &head, &written));
	EXPECT_EQ(4097, written);
	EXPECT_EQ(VIRTIO_BLK_S_OK, *memory(guest, STATUS));
	EXPECT_EQ(0, *memory(guest, DATA));
	EXPECT_EQ(1, guest->interrupts);
	EXPECT_EQ(0, guest->device.in_flight);
}

TEST_F(blk, the_last_sector_is_the_last)
{
	struct blk_guest *guest = &self->guest;

	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  ask(guest, VIRTIO_BLK_T_IN, SECTORS - 1, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_IN, SECTORS, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_OUT, SECTORS - 1, 1024));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_OUT, 1ULL << 55, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_OUT, UINT64_MAX, 512));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_IN, 1ULL << 63, 512));
	EXPECT_FALSE(needs_reset(guest));
}

TEST_F(blk, data_that_is_no_whole_number_of_sectors_is_an_error)
{
	struct blk_guest *guest = &self->guest;

	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_IN, 0, 511));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_OUT, 0, 513));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_OUT, 0, 0));
}

TEST_F(blk, a_read_into_memory_for_the_device_to_read_is_an_error)
{
	struct blk_guest *guest = &self->guest;

	memset(memory(guest, DATA), 0x77, 512);
	offer(guest, 0, 0, VIRTIO_BLK_T_OUT, 0, DATA, 512);
	write_header(guest, 0, VIRTIO_BLK_T_IN, 0);
	blk_guest_run(guest, 1);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *memory(guest, STATUS));
	EXPECT_EQ(0x77, *memory(guest, DATA));
}

TEST_F(blk, a_write_of_memory_for_the_device_to_write_is_an_error)
{
	struct blk_guest *guest = &self->guest;
	uint8_t byte = 1;

	memset(memory(guest, DATA), 0x77, 512);
	offer(guest, 0, 0, VIRTIO_BLK_T_IN, 0, DATA, 512);
	write_header(guest, 0, VIRTIO_BLK_T_OUT, 0);
	blk_guest_run(guest, 1);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, *memory(guest, STATUS));
	EXPECT_EQ(1, pread(guest->file, &byte, 1, 0));
	EXPECT_EQ(0, byte);
}

TEST_F(blk, a_request_without_a_status_byte_needs_a_reset)
{
	struct blk_guest *guest = &self->guest;

	write_header(guest, 0, VIRTIO_BLK_T_FLUSH, 0);
	ring_send(&guest->rings[0], 0, HEADER, 16, 0);
	blk_guest_run(guest, 1);
	EXPECT_TRUE(needs_reset(guest));
	EXPECT_EQ(0, guest->device.in_flight);
}

TEST_F(blk, a_request_with_a_short_header_needs_a_reset)
{
	struct blk_guest *guest = &self->guest;

	write_header(guest, 0, VIRTIO_BLK_T_FLUSH, 0);
	ring_ask(&guest->rings[0], 0, HEADER, 15, STATUS, 1);
	blk_guest_run(guest, 1);
	EXPECT_TRUE(needs_reset(guest));
	EXPECT_EQ(NO_STATUS, *memory(guest, STATUS));
	EXPECT_EQ(0, guest->device.in_flight);
}

/* The layout of buffers is the driver's choice (section 2.7.4). */
TEST_F(blk, header_data_and_status_may_share_buffers)
{
	struct blk_guest *guest = &self->guest;
	struct ring *ring = &guest->rings[0];
	uint8_t *data = memory(guest, DATA);

	write_header(guest, 0, VIRTIO_BLK_T_OUT, 1);
	memcpy(data, memory(guest, HEADER), 16);
	memset(data + 16, 0x31, 512);
	ring_ask(ring, 0, DATA, 16 + 512, STATUS, 1);
	blk_guest_run(guest, 1);
	EXPECT_EQ(VIRTIO_BLK_S_OK, *memory(guest, STATUS));
	/* A header in two parts, and the status behind the data. */
	write_header(guest, 0, VIRTIO_BLK_T_IN, 1);
	memset(data, 0, 1024);
	ring_describe(ring, 3, HEADER, 5, VRING_DESC_F_NEXT, 4);
	ring_describe(ring, 4, HEADER + 5, 11, VRING_DESC_F_NEXT, 5);
	ring_describe(ring, 5, DATA, 100,
		      VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 6);
	ring_describe(ring, 6, DATA + 100, 413, VRING_DESC_F_WRITE, 0);
	data[512] = NO_STATUS;
	ring_offer(ring, 3);
	blk_guest_run(guest, 1);
	EXPECT_EQ(VIRTIO_BLK_S_OK, data[512]);
	EXPECT_EQ(0x31, data[0]);
	EXPECT_EQ(0x31, data[511]);
	EXPECT_EQ(0, data[513]);
}

TEST_F(blk, the_serial_number_is_cut_to_what_the_driver_takes)
{
	struct blk_guest *guest = &self->guest;
	uint8_t *data = memory(guest, DATA);

	memset(data, 0, 32);
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_GET_ID, 0, 32));
	EXPECT_EQ(0, memcmp("a serial of 20 bytes", data, 21));
	memset(data, 0, 32);
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_GET_ID, 0, 5));
	EXPECT_EQ(0, memcmp("a ser", data, 6));
}

TEST_F(blk, unknown_requests_are_not_supported)
{
	struct blk_guest *guest = &self->guest;

	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, ask(guest, 2, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP,
		  ask(guest, VIRTIO_BLK_T_SECURE_ERASE, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, ask(guest, UINT32_MAX, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_FLUSH, 0, 0));
}

static void write_range(struct blk_guest *guest, unsigned int number,
			uint64_t sector, uint32_t sectors, uint32_t flags)
{
	const struct virtio_blk_discard_write_zeroes range = {
		.sector = sector,
		.num_sectors = sectors,
		.flags = flags,
	};

	memcpy(memory(guest, DATA + number * sizeof(range)), &range,
	       sizeof(range));
}

static bool is_filled(const struct blk_guest *guest, uint64_t sector,
		      uint8_t value)
{
	uint8_t bytes[512];

	if (pread(guest->file, bytes, sizeof(bytes), (off_t)sector * 512) !=
	    sizeof(bytes))
		return false;
	return bytes[0] == value && bytes[511] == value;
}

static void fill_disk(struct blk_guest *guest)
{
	static uint8_t bytes[BLK_DISK];

	memset(bytes, 9, sizeof(bytes));
	pwrite(guest->file, bytes, sizeof(bytes), 0);
}

TEST_F(blk, ranges_are_zeroed_or_discarded_and_no_others)
{
	struct blk_guest *guest = &self->guest;

	fill_disk(guest);
	write_range(guest, 0, 10, 1, 0);
	write_range(guest, 1, 20, 2, 1);
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  ask(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32));
	EXPECT_TRUE(is_filled(guest, 9, 9));
	EXPECT_TRUE(is_filled(guest, 10, 0));
	EXPECT_TRUE(is_filled(guest, 11, 9));
	EXPECT_TRUE(is_filled(guest, 21, 0));
	EXPECT_TRUE(is_filled(guest, 22, 9));
	for (int i = 0; i < BLK_MAX_RANGES; i++)
		write_range(guest, i, 100 + i * 8, 4, 0);
	EXPECT_EQ(VIRTIO_BLK_S_OK,
		  ask(guest, VIRTIO_BLK_T_DISCARD, 0, BLK_MAX_RANGES * 16));
	for (int i = 0; i < BLK_MAX_RANGES; i++) {
		EXPECT_TRUE(is_filled(guest, 100 + i * 8, 0));
		EXPECT_TRUE(is_filled(guest, 103 + i * 8, 0));
		EXPECT_TRUE(is_filled(guest, 104 + i * 8, 9));
	}
	EXPECT_EQ(0, guest->device.in_flight);
}

TEST_F(blk, a_bad_range_leaves_all_of_the_disk_as_it_is)
{
	static const struct {
		uint64_t sector;
		uint32_t sectors, flags;
		int status;
	} bad[] = {
		{ SECTORS, 1, 0, VIRTIO_BLK_S_IOERR },
		{ SECTORS - 1, 2, 0, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 1, 0, VIRTIO_BLK_S_IOERR },
		{ UINT64_MAX, 2, 0, VIRTIO_BLK_S_IOERR },
		{ 1ULL << 55, 8, 0, VIRTIO_BLK_S_IOERR },
		{ 0, UINT32_MAX, 0, VIRTIO_BLK_S_IOERR },
		{ 0, 1, 2, VIRTIO_BLK_S_UNSUPP },
		{ 0, 1, 0x80000000, VIRTIO_BLK_S_UNSUPP },
	};
	struct blk_guest *guest = &self->guest;

	fill_disk(guest);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_range(guest, 0, 0, 8, 0);
		write_range(guest, 1, bad[i].sector, bad[i].sectors,
			    bad[i].flags);
		EXPECT_EQ(bad[i].status,
			  ask(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 32));
		EXPECT_EQ(bad[i].status,
			  ask(guest, VIRTIO_BLK_T_DISCARD, 0, 32));
	}
	/* A discard has no flags. */
	write_range(guest, 0, 0, 8, 1);
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, ask(guest, VIRTIO_BLK_T_DISCARD, 0, 16));
	write_range(guest, 0, 0, 8, 0);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_DISCARD, 0, 15));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_DISCARD, 0, 0));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_DISCARD, 0,
					  (BLK_MAX_RANGES + 1) * 16));
	EXPECT_TRUE(is_filled(guest, 0, 9));
	EXPECT_TRUE(is_filled(guest, SECTORS - 1, 9));
}

TEST_F(blk, ranges_need_their_features)
{
	struct blk_guest *guest = &self->guest;

	virtio_device_set_status(&guest->device, 0);
	blk_guest_start(guest, VIRTIO_FEATURE(VIRTIO_F_VERSION_1));
	write_range(guest, 0, 0, 8, 0);
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP, ask(guest, VIRTIO_BLK_T_DISCARD, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_UNSUPP,
		  ask(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16));
}

TEST_F(blk, each_queue_answers_its_own_requests)
{
	struct blk_guest *guest = &self->guest;
	uint32_t head, written;

	for (unsigned int i = 0; i < 20; i++)
		offer(guest, i % 2, i, VIRTIO_BLK_T_IN, i, DATA + i * 512, 512);
	blk_guest_run(guest, 3);
	for (unsigned int queue = 0; queue < 2; queue++) {
		for (unsigned int i = 0; i < 10; i++) {
			ASSERT_TRUE(ring_take(&guest->rings[queue], &head,
					      &written));
			EXPECT_EQ(queue, head / 3 % 2);
			EXPECT_EQ(513, written);
		}
		EXPECT_FALSE(ring_take(&guest->rings[queue], &head, &written));
	}
	for (unsigned int i = 0; i < 20; i++)
		EXPECT_EQ(VIRTIO_BLK_S_OK, *memory(guest, STATUS + i));
}

TEST_F(blk, the_driver_sees_nothing_of_requests_that_a_reset_overtakes)
{
	struct blk_guest *guest = &self->guest;
	uint32_t head, written;

	for (unsigned int i = 0; i < 20; i++)
		offer(guest, 0, i, VIRTIO_BLK_T_IN, i, DATA + i * 512, 512);
	virtio_device_kick(&guest->device, 0);
	EXPECT_EQ(20, guest->device.in_flight);
	virtio_lock(&guest->device);
	virtio_device_set_status(&guest->device, 0);
	virtio_unlock(&guest->device);
	EXPECT_NE(0, guest->device.state.status);
	disk_drain(guest->io.disk);
	EXPECT_EQ(0, guest->device.state.status);
	EXPECT_EQ(0, guest->device.in_flight);
	EXPECT_FALSE(ring_take(&guest->rings[0], &head, &written));
	EXPECT_EQ(0, guest->interrupts);
	blk_guest_start(guest, BLK_FEATURES);
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_IN, 0, 512));
}

TEST_F(blk, holding_completes_what_is_in_flight_and_begins_nothing)
{
	struct blk_guest *guest = &self->guest;
	uint32_t head, written;

	for (unsigned int i = 0; i < 10; i++)
		offer(guest, 0, i, VIRTIO_BLK_T_IN, i, DATA + i * 512, 512);
	virtio_device_kick(&guest->device, 0);
	blk_io_hold(&guest->io);
	EXPECT_EQ(0, guest->device.in_flight);
	for (unsigned int i = 0; i < 10; i++)
		EXPECT_TRUE(ring_take(&guest->rings[0], &head, &written));
	offer(guest, 0, 11, VIRTIO_BLK_T_IN, 0, DATA, 512);
	virtio_device_kick(&guest->device, 0);
	disk_drain(guest->io.disk);
	EXPECT_FALSE(ring_take(&guest->rings[0], &head, &written));
	guest->kicks = 0;
	blk_io_release(&guest->io);
	EXPECT_EQ(1, guest->kicks);
	blk_guest_run(guest, 0);
	EXPECT_TRUE(ring_take(&guest->rings[0], &head, &written));
}

TEST_F(blk, a_read_only_disk_refuses_changes)
{
	struct blk_guest *guest = &self->guest;

	blk_guest_fini(guest);
	ASSERT_TRUE(blk_guest_init(guest,
				   (struct disk_options){ .read_only = true }));
	blk_guest_start(guest, BLK_FEATURES);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_OUT, 0, 512));
	write_range(guest, 0, 0, 8, 0);
	EXPECT_EQ(VIRTIO_BLK_S_IOERR,
		  ask(guest, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_IOERR, ask(guest, VIRTIO_BLK_T_DISCARD, 0, 16));
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_IN, 0, 512));
	EXPECT_EQ(VIRTIO_BLK_S_OK, ask(guest, VIRTIO_BLK_T_FLUSH, 0, 0));
}

/* How often fdatasync() was called. */
static unsigned int syncs;

int fdatasync(int fd)
{
	__atomic_fetch_add(&syncs, 1, __ATOMIC_SEQ_CST);
	return fsync(fd);
}

TEST_F(blk, writes_are_stable_at_once_unless_the_driver_can_flush)
{
	static const struct {
		uint64_t features;
		uint8_t wce;
		unsigned int syncs;
	} cases[] = {
		{ 0, 1, 1 },
		{ VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH), 1, 0 },
		{ VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH), 0, 0 },
		{ VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE), 1, 0 },
		{ VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE) |
			  VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH),
		  0, 1 },
	};
	struct blk_guest *guest = &self->guest;

	blk_guest_fini(guest);
	ASSERT_TRUE(blk_guest_init(guest, (struct disk_options){
						  .engine = DISK_ENGINE_THREADS,
					  }));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		virtio_device_set_status(&guest->device, 0);
		guest->wce = cases[i].wce;
		blk_guest_start(guest,
				cases[i].features |
					VIRTIO_FEATURE(VIRTIO_F_VERSION_1));
		syncs = 0;
		EXPECT_EQ(VIRTIO_BLK_S_OK,
			  ask(guest, VIRTIO_BLK_T_OUT, 0, 512));
		EXPECT_EQ(cases[i].syncs, syncs)
		{
			TH_LOG("case %zu", i);
		}
	}
}

TEST_F(blk, the_disk_has_no_more_requests_than_it_may_and_the_others_follow)
{
	struct blk_guest *guest = &self->guest;
	uint32_t head, written;

	/* As if so many others were under way. */
	guest->io.in_flight = BLK_MAX_IN_FLIGHT - 1;
	offer(guest, 0, 0, VIRTIO_BLK_T_IN, 0, DATA, 512);
	offer(guest, 0, 1, VIRTIO_BLK_T_IN, 0, DATA, 512);
	virtio_device_kick(&guest->device, 0);
	EXPECT_EQ(1, guest->device.in_flight);
	blk_guest_run(guest, 0);
	EXPECT_TRUE(ring_take(&guest->rings[0], &head, &written));
	EXPECT_TRUE(ring_take(&guest->rings[0], &head, &written));
	EXPECT_EQ(BLK_MAX_IN_FLIGHT - 1, guest->io.in_flight);
	guest->io.in_flight = 0;
}

TEST_F(blk, a_reset_between_two_ranges_leaves_the_second_as_it_is)
{
	struct blk_guest *guest = &self->guest;

	fill_disk(guest);
	write_range(guest, 0, 10, 1, 0);
	write_range(guest, 1, 20, 1, 0);
	offer(guest, 0, 0, VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 32);
	virtio_device_kick(&guest->device, 0);
	virtio_lock(&guest->device);
	virtio_device_set_status(&guest->device, 0);
	virtio_unlock(&guest->device);
	disk_drain(guest->io.disk);
	EXPECT_EQ(0, guest->device.state.status);
	EXPECT_TRUE(is_filled(guest, 10, 0));
	EXPECT_TRUE(is_filled(guest, 20, 9));
}

TEST_HARNESS_MAIN
