// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of disks, with both engines, with and without O_DIRECT: they do the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "disk/disk.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define SIZE (4 * MIB)
#define REQUESTS 300

FIXTURE(disk)
{
	struct loop *loop;
	struct disk *disk;
	struct disk_options options;
	char path[64];
	char why[256];
	int fd;
	char *bytes;
};

FIXTURE_VARIANT(disk)
{
	enum disk_engine engine;
	bool direct;
	bool snapshot;
};

FIXTURE_VARIANT_ADD(disk, threads){ .engine = DISK_ENGINE_THREADS };
FIXTURE_VARIANT_ADD(disk, uring){ .engine = DISK_ENGINE_URING };
FIXTURE_VARIANT_ADD(disk, threads_direct){ .engine = DISK_ENGINE_THREADS,
					   .direct = true };
FIXTURE_VARIANT_ADD(disk, uring_direct){ .engine = DISK_ENGINE_URING,
					 .direct = true };
FIXTURE_VARIANT_ADD(disk, threads_snapshot){ .engine = DISK_ENGINE_THREADS,
					     .snapshot = true };
FIXTURE_VARIANT_ADD(disk, uring_snapshot){ .engine = DISK_ENGINE_URING,
					   .snapshot = true };
FIXTURE_VARIANT_ADD(disk, uring_direct_snapshot){ .engine = DISK_ENGINE_URING,
						  .direct = true,
						  .snapshot = true };

/* How often fdatasync() was called by a thread. */
static atomic_int syncs;

int fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return fsync(fd);
}

/* A request that tells what became of it. */
struct asked {
	struct disk_request request;
	struct iovec iov;
	int result;
	unsigned int calls;
	struct loop *stops;
};

static void done(struct disk_request *request, int error)
{
	struct asked *asked = (struct asked *)request;

	asked->result = error;
	asked->calls++;
	if (asked->stops)
		loop_stop(asked->stops);
}

static struct asked ask(enum disk_op op, uint64_t offset, void *bytes,
			uint64_t size)
{
	return (struct asked){
		.request = { .op = op,
			     .offset = offset,
			     .size = size,
			     .nr_iov = bytes ? 1 : 0,
			     .done = done },
		.iov = { bytes, bytes ? size : 0 },
	};
}

static int serve(struct disk *disk, struct asked *asked)
{
	int err;

	asked->request.iov = &asked->iov;
	err = disk_submit(disk, &asked->request);
	if (err)
		return err;
	disk_drain(disk);
	return asked->calls == 1 ? asked->result : -ESTALE;
}

static int transfer(struct disk *disk, enum disk_op op, uint64_t offset,
		    void *bytes, uint64_t size)
{
	struct asked asked = ask(op, offset, bytes, size);

	return serve(disk, &asked);
}

static int change(struct disk *disk, enum disk_op op, uint64_t offset,
		  uint64_t size, bool unmap)
{
	struct asked asked = ask(op, offset, NULL, size);

	asked.request.unmap = unmap;
	return serve(disk, &asked);
}

static void fill(char *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (char)(seed >> 16);
	}
}

static bool is_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* What a file of the host has, which a page cache may not know yet. */
static const char *host_bytes(const FIXTURE_DATA(disk) * self, uint64_t offset,
			      size_t size)
{
	static char bytes[SIZE];

	memset(bytes, 0x5a, size);
	return pread(self->fd, bytes, size, (off_t)offset) == (ssize_t)size ?
		       bytes :
		       "";
}

static bool disk_reopen(FIXTURE_DATA(disk) * self)
{
	disk_close(self->disk);
	self->disk = disk_open(self->loop, &self->options, self->why,
			       sizeof(self->why));
	return self->disk;
}

FIXTURE_SETUP(disk)
{
	strcpy(self->path, "/var/tmp/lodge-test.XXXXXX");
	self->fd = mkostemp(self->path, O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	self->bytes = aligned_alloc(4096, SIZE);
	ASSERT_NE(NULL, self->bytes);
	fill(self->bytes, SIZE, 1);
	ASSERT_EQ(SIZE, write(self->fd, self->bytes, SIZE));
	self->options = (struct disk_options){ .path = self->path,
					       .direct = variant->direct,
					       .snapshot = variant->snapshot,
					       .engine = variant->engine };
	self->loop = loop_new();
	ASSERT_NE(NULL, self->loop);
	if (!disk_reopen(self)) {
		unlink(self->path);
		SKIP(return, "%s", self->why);
	}
}

FIXTURE_TEARDOWN(disk)
{
	disk_close(self->disk);
	loop_free(self->loop);
	unlink(self->path);
	close(self->fd);
	free(self->bytes);
}

TEST_F(disk, has_the_size_of_its_file_and_the_engine_asked_for)
{
	EXPECT_EQ(SIZE, disk_geometry(self->disk)->size);
	EXPECT_EQ(variant->engine, disk_engine(self->disk));
	EXPECT_FALSE(disk_geometry(self->disk)->read_only);
	EXPECT_EQ(0, disk_geometry(self->disk)->physical_block_size %
			     disk_geometry(self->disk)->block_size);
}

TEST_F(disk, reads_what_is_in_its_file)
{
	char *got = aligned_alloc(4096, SIZE);

	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 0, got, SIZE));
	EXPECT_EQ(0, memcmp(self->bytes, got, SIZE));
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, SIZE - 4096, got, 4096));
	EXPECT_EQ(0, memcmp(self->bytes + SIZE - 4096, got, 4096));
	free(got);
}

TEST_F(disk, what_the_page_cache_has_is_read_at_once_where_io_uring_would)
{
	const bool reads_now = variant->engine == DISK_ENGINE_URING &&
			       !variant->direct && !variant->snapshot;
	char got[4096] = { 0 };
	struct asked asked = ask(DISK_READ, 8192, got, sizeof(got));

	asked.request.iov = &asked.iov;
	if (preadv2(self->fd, &asked.iov, 1, 0, RWF_NOWAIT) != sizeof(got))
		SKIP(return, "reads of this file system may wait");
	EXPECT_EQ(reads_now, disk_read_now(self->disk, &asked.request));
	EXPECT_EQ(reads_now, !memcmp(self->bytes + 8192, got, sizeof(got)));
	disk_drain(self->disk);
	EXPECT_EQ(0, asked.calls);
}

TEST_F(disk, a_large_read_is_not_done_at_once)
{
	static char got[MIB];
	struct asked asked = ask(DISK_READ, 0, got, sizeof(got));

	memset(got, 0x5c, sizeof(got));
	asked.request.iov = &asked.iov;
	EXPECT_FALSE(disk_read_now(self->disk, &asked.request));
	EXPECT_EQ(0x5c, got[0]);
}

TEST_F(disk, nothing_but_a_sound_read_is_done_at_once)
{
	char bytes[4096] = { 1 };
	struct asked write = ask(DISK_WRITE, 0, bytes, sizeof(bytes));
	struct asked beyond = ask(DISK_READ, SIZE, bytes, sizeof(bytes));
	struct asked other = ask(DISK_READ, 0, bytes, sizeof(bytes));

	write.request.iov = &write.iov;
	beyond.request.iov = &beyond.iov;
	other.request.iov = &other.iov;
	other.request.size = sizeof(bytes) / 2;
	EXPECT_FALSE(disk_read_now(self->disk, &write.request));
	EXPECT_FALSE(disk_read_now(self->disk, &beyond.request));
	EXPECT_FALSE(disk_read_now(self->disk, &other.request));
	EXPECT_EQ(0, memcmp(self->bytes, host_bytes(self, 0, 4096), 4096));
}

TEST_F(disk, a_write_is_read_back_and_is_in_the_file_unless_a_snapshot)
{
	static char sent[MIB], got[MIB];

	fill(sent, sizeof(sent), 2);
	ASSERT_EQ(0, transfer(self->disk, DISK_WRITE, 64 * KIB, sent, MIB));
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 64 * KIB, got, MIB));
	EXPECT_EQ(0, memcmp(sent, got, MIB));
	ASSERT_EQ(0, transfer(self->disk, DISK_FLUSH, 0, NULL, 0));
	EXPECT_EQ(0, memcmp(variant->snapshot ? self->bytes + 64 * KIB : sent,
			    host_bytes(self, 64 * KIB, MIB), MIB));
	EXPECT_EQ(0,
		  memcmp(self->bytes, host_bytes(self, 0, 64 * KIB), 64 * KIB));
}

TEST_F(disk, buffers_may_be_at_any_address_and_of_any_size)
{
	static char buffers[256 * KIB + 64], got[256 * KIB];
	struct iovec iov[5] = {
		{ buffers + 1, 511 },
		{ buffers + 513, 1 },
		{ buffers + 515, 100 * KIB },
		{ buffers + 110 * KIB, 0 },
		{ buffers + 110 * KIB + 3, 100 * KIB },
	};
	struct asked asked = ask(DISK_WRITE, 8192, NULL, 0);
	char *at = got;

	fill(buffers, sizeof(buffers), 3);
	asked.request.iov = iov;
	asked.request.nr_iov = 5;
	asked.request.size = 512 + 200 * KIB;
	asked.request.size -=
		asked.request.size % disk_geometry(self->disk)->block_size;
	iov[4].iov_len -= 512 + 200 * KIB - asked.request.size;
	ASSERT_EQ(0, disk_submit(self->disk, &asked.request));
	disk_drain(self->disk);
	ASSERT_EQ(0, asked.result);
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 8192, got,
			      asked.request.size));
	for (int i = 0; i < 5; i++) {
		EXPECT_EQ(0, memcmp(iov[i].iov_base, at, iov[i].iov_len));
		at += iov[i].iov_len;
	}
	asked.request.op = DISK_READ;
	memset(buffers, 0, sizeof(buffers));
	ASSERT_EQ(0, disk_submit(self->disk, &asked.request));
	disk_drain(self->disk);
	EXPECT_EQ(0, memcmp(got + 512, buffers + 515, 100 * KIB));
	EXPECT_EQ(0, buffers[0]);
	EXPECT_EQ(0, buffers[514]);
	EXPECT_EQ(2, asked.calls);
}

TEST_F(disk, many_requests_at_once_are_each_done_once)
{
	static struct asked asked[REQUESTS];
	uint32_t block = disk_geometry(self->disk)->block_size;
	char *sent = aligned_alloc(4096, REQUESTS * 4096);

	fill(sent, REQUESTS * block, 4);
	for (int i = 0; i < REQUESTS; i++) {
		asked[i] = ask(DISK_WRITE, (uint64_t)i * 2 * block,
			       sent + i * block, block);
		asked[i].request.iov = &asked[i].iov;
		ASSERT_EQ(0, disk_submit(self->disk, &asked[i].request));
	}
	disk_drain(self->disk);
	for (int i = 0; i < REQUESTS; i++) {
		char got[4096];

		EXPECT_EQ(1, asked[i].calls);
		EXPECT_EQ(0, asked[i].result);
		ASSERT_EQ(0, transfer(self->disk, DISK_READ,
				      (uint64_t)i * 2 * block, got, block));
		EXPECT_EQ(0, memcmp(sent + i * block, got, block));
		ASSERT_EQ(0,
			  transfer(self->disk, DISK_READ,
				   (uint64_t)(i * 2 + 1) * block, got, block));
		EXPECT_EQ(0, memcmp(self->bytes + (i * 2 + 1) * block, got,
				    block));
	}
	/* In one request, too, which the blocks of a snapshot split. */
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 0, self->bytes, SIZE));
	for (int i = 0; i < REQUESTS; i++)
		EXPECT_EQ(0, memcmp(sent + i * block,
				    self->bytes + i * 2 * block, block));
	free(sent);
}

TEST_F(disk, requests_complete_in_the_loop)
{
	struct asked asked = ask(DISK_READ, 0, self->bytes, 4096);

	asked.request.iov = &asked.iov;
	asked.stops = self->loop;
	memset(self->bytes, 0, 4096);
	ASSERT_EQ(0, disk_submit(self->disk, &asked.request));
	disk_commit(self->disk);
	EXPECT_EQ(0, asked.calls);
	ASSERT_EQ(0, loop_run(self->loop));
	EXPECT_EQ(1, asked.calls);
	EXPECT_EQ(0, asked.result);
	EXPECT_FALSE(is_zero(self->bytes, 4096));
}

static void *run_loop(void *opaque)
{
	loop_run(opaque);
	return NULL;
}

TEST_F(disk, draining_beside_the_loop_waits_for_all)
{
	static struct asked asked[REQUESTS];
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, run_loop, self->loop));
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < REQUESTS; i++) {
			asked[i] = ask(DISK_READ, i * 4096ULL,
				       self->bytes + i * 4096, 4096);
			asked[i].request.iov = &asked[i].iov;
			ASSERT_EQ(0,
				  disk_submit(self->disk, &asked[i].request));
			if (i % 7 == 0)
				disk_commit(self->disk);
		}
		disk_drain(self->disk);
		for (int i = 0; i < REQUESTS; i++)
			EXPECT_EQ(1, asked[i].calls);
	}
	loop_stop(self->loop);
	pthread_join(thread, NULL);
}

TEST_F(disk, requests_beyond_its_end_are_refused)
{
	static const struct {
		uint64_t offset, size;
	} bad[] = {
		{ SIZE, 4096 },
		{ SIZE - 4096, 8192 },
		{ UINT64_MAX - 4095, 4096 },
		{ UINT64_MAX - 4095, 8192 },
		{ 1ULL << 63, 4096 },
		{ 0, 1ULL << 63 },
		{ 4096, UINT64_MAX - 4095 },
		{ 0, SIZE + 4096 },
		{ 1, 4096 },
		{ 0, 4095 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (int op = DISK_READ; op <= DISK_WRITE_ZEROES; op++) {
			struct asked asked = ask(op, bad[i].offset, self->bytes,
						 bad[i].size);

			if (op == DISK_FLUSH)
				continue;
			EXPECT_EQ(-EINVAL, serve(self->disk, &asked))
			{
				TH_LOG("op %d, case %zu", op, i);
			}
			EXPECT_EQ(0, asked.calls);
		}
}

TEST_F(disk, buffers_of_another_size_than_the_request_are_refused)
{
	struct asked asked = ask(DISK_READ, 0, self->bytes, 8192);

	asked.iov.iov_len = 4096;
	EXPECT_EQ(-EINVAL, serve(self->disk, &asked));
	asked.iov.iov_len = 12288;
	EXPECT_EQ(-EINVAL, serve(self->disk, &asked));
	asked.request.nr_iov = DISK_MAX_IOV + 1;
	EXPECT_EQ(-EINVAL, serve(self->disk, &asked));
}

TEST_F(disk, zeroes_are_read_back_with_and_without_holes)
{
	static char got[MIB];

	for (int unmap = 0; unmap < 2; unmap++) {
		uint64_t at = 64 * KIB + unmap * 2 * MIB;

		ASSERT_EQ(0, change(self->disk, DISK_WRITE_ZEROES, at,
				    MIB - 4096, unmap));
		ASSERT_EQ(0, transfer(self->disk, DISK_READ, at, got, MIB));
		EXPECT_TRUE(is_zero(got, MIB - 4096));
		EXPECT_EQ(0, memcmp(self->bytes + at + MIB - 4096,
				    got + MIB - 4096, 4096));
		ASSERT_EQ(0, transfer(self->disk, DISK_READ, at - 4096, got,
				      4096));
		EXPECT_EQ(0, memcmp(self->bytes + at - 4096, got, 4096));
	}
	if (variant->snapshot)
		EXPECT_EQ(0,
			  memcmp(self->bytes, host_bytes(self, 0, SIZE), SIZE));
}

TEST_F(disk, a_discard_frees_blocks_of_the_file_unless_a_snapshot)
{
	struct stat before, after;

	fsync(self->fd);
	ASSERT_EQ(0, fstat(self->fd, &before));
	ASSERT_EQ(0, change(self->disk, DISK_DISCARD, 0, 2 * MIB, false));
	ASSERT_EQ(0, fstat(self->fd, &after));
	if (variant->snapshot) {
		EXPECT_EQ(before.st_blocks, after.st_blocks);
		EXPECT_EQ(0,
			  memcmp(self->bytes, host_bytes(self, 0, SIZE), SIZE));
	} else {
		EXPECT_GE(before.st_blocks, after.st_blocks + 2 * MIB / 512);
	}
	EXPECT_EQ(SIZE, after.st_size);
}

TEST_F(disk, zeroes_that_may_be_holes_free_blocks_and_others_keep_them)
{
	struct stat before, after;

	if (variant->snapshot)
		return;
	fsync(self->fd);
	ASSERT_EQ(0, fstat(self->fd, &before));
	ASSERT_EQ(0, change(self->disk, DISK_WRITE_ZEROES, 0, MIB, false));
	ASSERT_EQ(0, fstat(self->fd, &after));
	EXPECT_LE(before.st_blocks, after.st_blocks + 8);
	ASSERT_EQ(0, change(self->disk, DISK_WRITE_ZEROES, 0, MIB, true));
	ASSERT_EQ(0, fstat(self->fd, &after));
	EXPECT_GE(before.st_blocks, after.st_blocks + MIB / 512);
}

TEST_F(disk, a_last_sector_that_is_not_whole_ends_with_zeroes)
{
	char got[8192];
	uint32_t block;

	ASSERT_EQ(0, ftruncate(self->fd, 10000));
	ASSERT_TRUE(disk_reopen(self));
	block = disk_geometry(self->disk)->block_size;
	ASSERT_EQ((10000 + block - 1) / block * block,
		  disk_geometry(self->disk)->size);
	memset(got, 1, sizeof(got));
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 8192, got,
			      disk_geometry(self->disk)->size - 8192));
	EXPECT_EQ(0, memcmp(self->bytes + 8192, got, 10000 - 8192));
	EXPECT_TRUE(is_zero(got + 10000 - 8192,
			    disk_geometry(self->disk)->size - 10000));
	/* Written, it is whole. */
	fill(got, sizeof(got), 5);
	ASSERT_EQ(0, transfer(self->disk, DISK_WRITE,
			      disk_geometry(self->disk)->size - block, got,
			      block));
	ASSERT_EQ(0, transfer(self->disk, DISK_READ,
			      disk_geometry(self->disk)->size - block,
			      got + 4096, block));
	EXPECT_EQ(0, memcmp(got, got + 4096, block));
}

TEST_F(disk, what_was_cut_off_its_file_reads_as_zeroes)
{
	static char got[MIB];

	memset(got, 1, sizeof(got));
	ASSERT_EQ(0, ftruncate(self->fd, 5000));
	ASSERT_EQ(0, transfer(self->disk, DISK_READ, 0, got, MIB));
	EXPECT_EQ(0, memcmp(self->bytes, got, 5000));
	EXPECT_TRUE(is_zero(got + 5000, MIB - 5000));
}

TEST_F(disk, a_file_without_bytes_is_refused)
{
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_FALSE(disk_reopen(self));
	EXPECT_NE(NULL, strstr(self->why, "truncate"));
}

TEST_F(disk, a_request_that_the_host_refuses_gets_its_reason)
{
	struct rlimit limit = { .rlim_cur = 2 * MIB,
				.rlim_max = RLIM_INFINITY };

	if (variant->snapshot)
		return;
	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(0, setrlimit(RLIMIT_FSIZE, &limit));
	memset(self->bytes, 7, SIZE);
	EXPECT_EQ(-EFBIG,
		  transfer(self->disk, DISK_WRITE, 2 * MIB, self->bytes, 4096));
	/* The first half is possible. */
	EXPECT_EQ(-EFBIG,
		  transfer(self->disk, DISK_WRITE, MIB, self->bytes, 2 * MIB));
	EXPECT_EQ(0, memcmp(self->bytes, host_bytes(self, MIB, MIB), MIB));
	EXPECT_EQ(0,
		  transfer(self->disk, DISK_READ, 2 * MIB, self->bytes, 4096));
	EXPECT_FALSE(self->bytes[0] == 7 && self->bytes[1] == 7);
}

TEST_F(disk, a_request_waits_for_stable_storage_if_it_must)
{
	struct asked asked = ask(DISK_WRITE, 0, self->bytes, 4096);
	int expected = !variant->snapshot;

	if (variant->engine != DISK_ENGINE_THREADS)
		return;
	ASSERT_EQ(0, serve(self->disk, &asked));
	EXPECT_EQ(0, syncs);
	asked = ask(DISK_WRITE, 0, self->bytes, 4096);
	asked.request.stable = true;
	ASSERT_EQ(0, serve(self->disk, &asked));
	EXPECT_EQ(expected, syncs);
	asked = ask(DISK_WRITE_ZEROES, 0, NULL, 4096);
	asked.request.stable = true;
	ASSERT_EQ(0, serve(self->disk, &asked));
	EXPECT_EQ(2 * expected, syncs);
	ASSERT_EQ(0, transfer(self->disk, DISK_FLUSH, 0, NULL, 0));
	EXPECT_EQ(3 * expected, syncs);
	asked = ask(DISK_READ, 0, self->bytes, 4096);
	asked.request.stable = true;
	ASSERT_EQ(0, serve(self->disk, &asked));
	EXPECT_EQ(3 * expected, syncs);
}

TEST_F(disk, a_request_of_no_bytes_is_done)
{
	EXPECT_EQ(0, transfer(self->disk, DISK_READ, SIZE, NULL, 0));
	EXPECT_EQ(0, transfer(self->disk, DISK_WRITE, 0, NULL, 0));
	EXPECT_EQ(0, change(self->disk, DISK_DISCARD, 0, 0, false));
	EXPECT_EQ(0, change(self->disk, DISK_WRITE_ZEROES, 0, 0, true));
}

TEST_F(disk, a_read_only_disk_is_read_and_refuses_the_rest)
{
	self->options.read_only = true;
	ASSERT_EQ(0, fchmod(self->fd, 0400));
	ASSERT_TRUE(disk_reopen(self));
	EXPECT_TRUE(disk_geometry(self->disk)->read_only);
	EXPECT_EQ(-EROFS,
		  transfer(self->disk, DISK_WRITE, 0, self->bytes, 4096));
	EXPECT_EQ(-EROFS, change(self->disk, DISK_DISCARD, 0, 4096, false));
	EXPECT_EQ(-EROFS, change(self->disk, DISK_WRITE_ZEROES, 0, 4096, true));
	EXPECT_EQ(0, transfer(self->disk, DISK_FLUSH, 0, NULL, 0));
	EXPECT_EQ(0, syncs);
	EXPECT_EQ(0, transfer(self->disk, DISK_READ, 0, self->bytes, 4096));
}

TEST_F(disk, zeroes_are_written_where_the_host_cannot_make_them)
{
	static char got[3 * MIB];
	char *data = aligned_alloc(4096, 3 * MIB);

	if (variant->direct)
		return;
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/mnt", "tmpfs", 0, "size=8m"))
		SKIP(return, "no right to mount a file system");
	/* It knows holes, and no ranges of zeroes. */
	close(self->fd);
	self->fd = open("/mnt/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	memset(data, 9, 3 * MIB);
	ASSERT_EQ(3 * MIB, write(self->fd, data, 3 * MIB));
	self->options.path = "/mnt/disk";
	ASSERT_TRUE(disk_reopen(self));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, change(self->disk, DISK_WRITE_ZEROES, 4096,
				    3 * MIB - 8192, false));
		ASSERT_EQ(0, transfer(self->disk, DISK_READ, 0, got, 3 * MIB));
		EXPECT_EQ(9, got[4095]);
		EXPECT_TRUE(is_zero(got + 4096, 3 * MIB - 8192));
		EXPECT_EQ(9, got[3 * MIB - 4096]);
	}
	free(data);
}

TEST_F(disk, a_full_host_fails_the_write_and_not_the_disk)
{
	static char got[MIB];

	if (variant->direct)
		return;
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/mnt", "tmpfs", 0, "size=1m"))
		SKIP(return, "no right to mount a file system");
	if (!variant->snapshot) {
		close(self->fd);
		self->fd =
			open("/mnt/disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ASSERT_EQ(0, ftruncate(self->fd, SIZE));
		self->options.path = "/mnt/disk";
	}
	setenv("TMPDIR", "/mnt", 1);
	ASSERT_TRUE(disk_reopen(self));
	EXPECT_EQ(-ENOSPC,
		  transfer(self->disk, DISK_WRITE, 0, self->bytes, 2 * MIB));
	ASSERT_EQ(0, change(self->disk, DISK_DISCARD, 0, 2 * MIB, false));
	EXPECT_EQ(0, transfer(self->disk, DISK_WRITE, MIB, self->bytes,
			      512 * KIB));
	EXPECT_EQ(0, transfer(self->disk, DISK_READ, MIB, got, 512 * KIB));
	EXPECT_EQ(0, memcmp(self->bytes, got, 512 * KIB));
}

/* Return: the descriptor of an io_uring, or -1. */
static int find_ring(void)
{
	char path[32], to[32];
	ssize_t length;

	for (int fd = 0; fd < 100; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, to, sizeof(to) - 1);
		to[length < 0 ? 0 : length] = '\0';
		if (strstr(to, "[io_uring]"))
			return fd;
	}
	return -1;
}

TEST_F(disk, ring_can_be_asked_for_nothing_else)
{
	struct io_uring_probe probe;

	if (variant->engine != DISK_ENGINE_URING)
		SKIP(return, "it has none");
	EXPECT_EQ(-1, syscall(__NR_io_uring_register, find_ring(),
			      IORING_REGISTER_PROBE, &probe, 0));
	EXPECT_EQ(EACCES, errno);
}

TEST_HARNESS_MAIN
