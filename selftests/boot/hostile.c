// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that does to its devices what no driver does: it gives them queues that are in no
 * memory, or begin anywhere, chains that loop and lead nowhere, indices that jump, requests
 * of any bytes, moves their registers, resets them in the middle, and writes to the
 * registers of the board's own devices.  The machine lives, and the guest comes to its end.
 * LODGE_SEED in the environment repeats a run of other numbers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/device_option.h"
#include "kselftest_harness.h"
#include "machine/machine.h"
#include "random.h"

#define GUEST 0x200000
#define ROUNDS 1500
#define WAIT 20000
/*
 * What the guest writes to isa-debug-exit when it is through: all bits if the device has
 * answered now and then, and has needed a reset.
 */
#define THROUGH 16
#define ANSWERED 1
#define NEEDED_RESET 2
#define RIGHT (THROUGH | ANSWERED | NEEDED_RESET)
#define MEMORY (16U << 20)
#define DISK_SIZE (1U << 20)

/*
 * The image: it sets a stack up, behind all of it, and goes to guest_main(), which is in
 * the section that follows.  The guest reads @seed where it was loaded.
 */
struct guest_image {
	uint8_t start[16];
	uint64_t seed;
	uint8_t code[];
} __attribute__((packed));

/*
 * What runs in the guest is copied there: it calls nothing outside its section, and has no
 * tables and no constants in memory.
 */
#define IN_GUEST                                         \
	__attribute__((section("guest"), noinline,       \
		       optimize("O1", "no-jump-tables"), \
		       target("general-regs-only"), no_stack_protector))

extern const uint8_t __start_guest[], __stop_guest[];

/* Memory that devices may be told of: the last of it, with nothing behind. */
#define ARENA 0xc00000U
#define ARENA_SIZE (MEMORY - ARENA)
#define QUEUE_ROOM 0x4000U
#define ENTRIES 16
/* Where registers are moved to: no RAM, and not the ECAM. */
#define MOVE_TO 0x80000000U
#define MOVE_MASK 0x1fffffffU
#define MOVE_END 0xfe000000U

/* The vendor of all virtio devices. */
#define VIRTIO 0x1af4

#define COMMON 1
#define NOTIFY 2
#define OWN 4

static IN_GUEST uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static IN_GUEST void out32(uint16_t port, uint32_t value)
{
	asm volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static IN_GUEST void out8(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static IN_GUEST uint32_t in32(uint16_t port)
{
	uint32_t value;

	asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static IN_GUEST void write_at(uint64_t address, unsigned int size,
			      uint64_t value)
{
	if (size == 1)
		*(volatile uint8_t *)address = value;
	else if (size == 2)
		*(volatile uint16_t *)address = value;
	else if (size == 4)
		*(volatile uint32_t *)address = value;
	else
		*(volatile uint64_t *)address = value;
}

static IN_GUEST uint32_t config_read(unsigned int device, unsigned int offset)
{
	out32(0xcf8, 0x80000000U | device << 11 | (offset & 0xfc));
	return in32(0xcfc) >> 8 * (offset & 3);
}

static IN_GUEST void config_write(unsigned int device, unsigned int offset,
				  uint32_t value)
{
	out32(0xcf8, 0x80000000U | device << 11 | (offset & 0xfc));
	out32(0xcfc, value);
}

/* Return: where registers of a virtio device are, or 0. */
static IN_GUEST uint64_t find_part(unsigned int device, unsigned int type)
{
	unsigned int at = config_read(device, 0x34) & 0xfc;
	uint32_t bar;

	for (int i = 0; at && i < 48; i++) {
		if ((config_read(device, at) & 0xff) == 9 &&
		    (config_read(device, at + 3) & 0xff) == type) {
			bar = config_read(device, at + 4) & 0xff;
			bar = config_read(device, 0x10 + 4 * bar) & ~0xfU;
			bar += config_read(device, at + 8);
			return bar < MOVE_TO || bar >= MOVE_END ? 0 : bar;
		}
		at = config_read(device, at + 1) & 0xfc;
	}
	return 0;
}

/* An address in the arena, most often; or one of which some or all is in no memory. */
static IN_GUEST uint64_t any_address(uint64_t *state)
{
	const unsigned int kind = next(state) % 16;

	if (kind == 0)
		return next(state);
	if (kind == 1)
		return MEMORY - next(state) % 64;
	if (kind == 2)
		return ARENA + next(state) % ARENA_SIZE;
	return ARENA + (next(state) % ARENA_SIZE & ~0xfULL);
}

static IN_GUEST uint64_t queue_at(uint64_t *state, unsigned int queue,
				  unsigned int part)
{
	if (next(state) % 8)
		return ARENA + queue * QUEUE_ROOM + part * 0x1000;
	return any_address(state);
}

static IN_GUEST void write_address(uint64_t at, uint64_t value)
{
	write_at(at, 4, value);
	write_at(at + 4, 4, value >> 32);
}

static IN_GUEST void set_queue(uint64_t *state, uint64_t common,
			       unsigned int queue)
{
	write_at(common + 0x16, 2, queue);
	if (next(state) % 8)
		write_at(ARENA + queue * QUEUE_ROOM + 0x1002, 2, 0);
	if (next(state) % 8 == 0)
		write_at(common + 0x18, 2, next(state));
	else if (*(volatile uint16_t *)(common + 0x18) > ENTRIES)
		write_at(common + 0x18, 2, ENTRIES);
	for (unsigned int part = 0; part < 3; part++)
		write_address(common + 0x20 + 8 * part,
			      queue_at(state, queue, part));
	write_at(common + 0x1a, 2, next(state) % 8);
	write_at(common + 0x1c, 2, 1);
}

/*
 * As a driver does, but with features, sizes and places of its own.
 * Return: NEEDED_RESET if the device has stopped before, or 0.
 */
static IN_GUEST unsigned int set_up(uint64_t *state, unsigned int device)
{
	const uint64_t common = find_part(device, COMMON);
	unsigned int status;

	if (!common)
		return 0;
	status = *(volatile uint8_t *)(common + 0x14);
	write_at(common + 0x14, 1, 0);
	write_at(common + 0x14, 1, 3);
	write_at(common + 8, 4, 0);
	write_at(common + 12, 4,
		 *(volatile uint32_t *)(common + 4) &
			 (next(state) % 4 ? ~0ULL : next(state)));
	write_at(common + 8, 4, 1);
	write_at(common + 12, 4, next(state) % 16 ? 1 : next(state));
	write_at(common + 0x14, 1, 0xb);
	for (unsigned int queue = 0; queue < 4; queue++)
		set_queue(state, common, queue);
	write_at(common + 0x14, 1, 0xf);
	return status & 0x40 ? NEEDED_RESET : 0;
}

static IN_GUEST void describe(uint64_t *state, uint64_t table)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		const uint64_t kind = next(state);
		uint64_t length = kind % 4 ? 16ULL << kind % 9 : next(state);

		if (kind % 16 == 9)
			length = 0;
		write_at(table + 16 * i, 8, any_address(state));
		write_at(table + 16 * i + 8, 4, length);
		write_at(table + 16 * i + 12, 2,
			 next(state) % 4 ? next(state) % 4 : next(state));
		write_at(table + 16 * i + 14, 2,
			 next(state) % 8 ? i + 1 : next(state) % 20);
	}
}

static IN_GUEST void write_entry(uint64_t table, unsigned int entry,
				 uint64_t address, uint32_t length,
				 uint16_t flags)
{
	write_at(table + 16 * entry, 8, address);
	write_at(table + 16 * entry + 8, 4, length);
	write_at(table + 16 * entry + 12, 2, flags);
	write_at(table + 16 * entry + 14, 2, entry + 1);
}

/* A request as devices know it: a head, data in either direction, and room for an answer. */
static IN_GUEST void describe_well(uint64_t *state, uint64_t table)
{
	const uint64_t head =
		ARENA + (next(state) % (ARENA_SIZE / 2) & ~0xfULL);

	write_at(head, 8, next(state) % 12);
	write_at(head + 8, 8, next(state) % 64);
	write_entry(table, 0, head, 16, 1);
	write_entry(table, 1, head + 4096, 512, next(state) % 2 ? 3 : 1);
	write_entry(table, 2, head + 8192, 4096, 2);
}

/* Numbers that are small, as those of requests are, here and there. */
static IN_GUEST void write_requests(uint64_t *state)
{
	for (int i = 0; i < 16; i++)
		write_at(ARENA + (next(state) % ARENA_SIZE & ~0xfULL), 8,
			 next(state) % 12);
}

static IN_GUEST bool needs_reset(unsigned int device)
{
	const uint64_t common = find_part(device, COMMON);

	return !common || *(volatile uint8_t *)(common + 0x14) & 0x40;
}

/* Return: ANSWERED if the device has returned something, or 0. */
static IN_GUEST unsigned int offer(uint64_t *state, unsigned int device)
{
	const uint64_t notify = find_part(device, NOTIFY);
	const unsigned int queue = next(state) % 4;
	const uint64_t ring = ARENA + queue * QUEUE_ROOM;
	volatile uint16_t *avail = (volatile uint16_t *)(ring + 0x1000);
	volatile uint16_t *used = (volatile uint16_t *)(ring + 0x2000);
	uint16_t before;
	bool good;

	if (!notify)
		return 0;
	describe(state, ring);
	write_requests(state);
	good = next(state) % 2;
	if (good)
		describe_well(state, ring);
	for (unsigned int i = 0; i < ENTRIES; i++)
		avail[2 + i] = good ? 0 : next(state) % 8 ? i : next(state);
	avail[0] = next(state) % 4;
	avail[1] += next(state) % 16 ? next(state) % ENTRIES : next(state);
	before = used[1];
	write_at(notify + next(state) % 8 * 4, 2, queue);
	write_at(notify + queue * 4, 2, queue);
	/* Another thread answers, which is to have the time for it. */
	for (int i = 0; i < WAIT && used[1] == before; i++)
		if (i % 1024 == 1023 && needs_reset(device))
			break;
	return used[1] == before ? 0 : ANSWERED;
}

static IN_GUEST void write_anywhere(uint64_t *state, unsigned int device)
{
	const uint64_t part = find_part(device, next(state) % 4 + COMMON);
	const uint64_t at = part + next(state) % 0x80;

	if (part)
		write_at(at, 1U << next(state) % 4, next(state));
}

/* Of those at which a write ends or resets nothing. */
static IN_GUEST void write_port(uint64_t *state)
{
	const unsigned int kind = next(state) % 8;
	const uint8_t value = next(state);

	if (kind == 0)
		out8(0x20 + value % 2, next(state));
	else if (kind == 1)
		out8(0xa0 + value % 2, next(state));
	else if (kind == 2)
		out8(0x40 + value % 4, next(state));
	else if (kind == 3)
		out8(0x70 + value % 2, next(state));
	else if (kind == 4)
		out8(0x3f8 + value % 8, next(state));
	else if (kind == 5)
		out8(0x510 + value % 12, next(state));
	else if (kind == 6)
		out8(0x60, next(state));
	else
		out8(0x61, next(state));
}

/* The firmware's way to read and write files by DMA, with a request of any bytes. */
static IN_GUEST void ask_firmware(uint64_t *state)
{
	const uint64_t request = any_address(state);

	if (request >= ARENA && request + 16 <= MEMORY) {
		write_at(request, 4, next(state));
		write_at(request + 4, 4, next(state) << 16);
		write_at(request + 8, 8, __builtin_bswap64(any_address(state)));
	}
	out32(0x514, __builtin_bswap32(request >> 32));
	out32(0x518, __builtin_bswap32(request));
}

/* Return: what it has seen. */
static IN_GUEST unsigned int do_something(uint64_t *state, unsigned int device)
{
	const unsigned int kind = next(state) % 16;

	if (kind < 3)
		return set_up(state, device);
	if (kind < 9)
		return offer(state, device);
	if (kind < 12)
		write_anywhere(state, device);
	else if (kind == 12)
		config_write(device, 0x10 + 4 * (next(state) % 6),
			     (next(state) & MOVE_MASK) | MOVE_TO);
	else if (kind == 13)
		config_write(device, 4, next(state) % 4 ? 6 : next(state));
	else if (kind == 14)
		write_port(state);
	else
		ask_firmware(state);
	return 0;
}

static IN_GUEST void guest_main(void)
{
	uint64_t state = *(volatile uint64_t *)(GUEST + 16);
	unsigned int device = 0, seen = THROUGH;

	while (device < 31 && (config_read(device, 0) & 0xffff) != VIRTIO)
		device++;
	for (int i = 0; i < ROUNDS; i++)
		seen |= do_something(&state, device);
	out8(0xf4, seen);
	for (;;)
		asm volatile("hlt");
}

static struct machine_config config = {
	.boot = {
		.flat = true,
		.flat_mode = FLAT_LONG,
		.flat_address = GUEST,
		.cpus = 1,
	},
	.memory = MEMORY,
};

FIXTURE(hostile)
{
	int image;
	int disk;
	char path[32];
	struct machine *machine;
	struct console *console;
	struct machine_error error;
	struct machine_end end;
};

/* Return: true if all of the image was written. */
static bool write_image(int fd)
{
	const size_t size = __stop_guest - __start_guest;
	/* LEA 0x10000(%RIP), %RSP; JMP */
	struct guest_image head = { .start = { 0x48, 0x8d, 0x25, 0, 0, 1, 0,
					       0xe9 },
				    .seed = random_u64() | 1 };
	const int32_t way =
		(int32_t)(sizeof(head) +
			  ((const uint8_t *)guest_main - __start_guest) - 12);

	memcpy(&head.start[8], &way, sizeof(way));
	return write(fd, &head, sizeof(head)) == sizeof(head) &&
	       write(fd, __start_guest, size) == (ssize_t)size;
}

FIXTURE_SETUP(hostile)
{
	self->image = memfd_create("guest", 0);
	self->disk = memfd_create("disk", 0);
	random_start(0);
	ASSERT_TRUE(write_image(self->image));
	ASSERT_EQ(0, ftruncate(self->disk, DISK_SIZE));
	snprintf(self->path, sizeof(self->path), "/proc/self/fd/%d",
		 self->image);
	config.boot.kernel = self->path;
	devices_default(&config.devices);
	ASSERT_EQ(0, console_open(&self->console, CONSOLE_NONE, NULL));
}

FIXTURE_TEARDOWN(hostile)
{
	machine_free(self->machine);
	console_close(self->console);
	devices_forget(&config.devices);
	close(self->image);
	close(self->disk);
}

#define hostile_data FIXTURE_DATA(hostile)

/* Runs the guest with a device.  Return: true if it comes to its end. */
static bool ends_well(hostile_data *self, const char *device)
{
	char text[128], why[256] = "";
	int err;

	snprintf(text, sizeof(text), device, self->disk);
	err = device_option_parse(&config.devices, text, why, sizeof(why));
	if (!err)
		err = machine_new(&self->machine, &config, &self->error);
	if (!err)
		err = machine_start(
			self->machine,
			(struct console *[SERIAL_MAX]){ self->console },
			&self->error);
	if (!err)
		err = machine_wait(self->machine, &self->end, &self->error);
	if (err)
		printf("# %s: %s %s\n", device, why, strerror(-err));
	printf("# fate %d, code %d\n", self->end.fate, self->end.code);
	return !err && self->end.fate == MACHINE_EXITED &&
	       self->end.code == (RIGHT << 1 | 1);
}

TEST_F(hostile, guest_of_a_disk_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-blk,file=/proc/self/fd/%d"));
}

TEST_F(hostile, guest_of_a_cd_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-scsi,file=/proc/self/fd/%d"));
}

TEST_F(hostile, guest_of_persistent_memory_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-pmem,file=/proc/self/fd/%d"));
}

TEST_F(hostile, guest_of_a_console_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-console,file=/dev/null"));
}

TEST_F(hostile, guest_of_random_numbers_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-rng"));
}

TEST_F(hostile, guest_of_a_balloon_comes_to_its_end)
{
	EXPECT_TRUE(ends_well(self, "virtio-balloon"));
}

/* The other end of a card: each frame, with its size before it, comes back as it was. */
static void *return_frames(void *opaque)
{
	const int fd = *(const int *)opaque;
	static char bytes[65536];
	ssize_t size;

	while ((size = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		if (send(fd, bytes, size, MSG_NOSIGNAL) != size)
			break;
	return NULL;
}

TEST_F(hostile, guest_of_a_network_card_comes_to_its_end)
{
	pthread_t thread;
	char device[64];
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, pthread_create(&thread, NULL, return_frames, &ends[1]));
	/* The card closes its end. */
	snprintf(device, sizeof(device), "virtio-net,type=fd,fd=%d", ends[0]);
	EXPECT_TRUE(ends_well(self, device));
	shutdown(ends[1], SHUT_RDWR);
	EXPECT_EQ(0, pthread_join(thread, NULL));
	close(ends[1]);
}

TEST_HARNESS_MAIN
