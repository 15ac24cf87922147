// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of checkpoints: a machine is put back to exactly what it was, by the user or by
 * its guest, as often as wanted, and a machine that cannot be says so.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "machine_fixture.h"
#include "virtio/blk.h"

#define SCRATCH 0x3ff
#define DMA_HIGH 0x514
#define DMA_LOW 0x518
#define DMA_SELECT_SIGNATURE 0x08
#define DMA_READ 0x02
#define PORT 0xf8
#define HERE 1
#define DONE (PORT + 4)
#define PAGE 4096
#define PLACE 0x300000
/* The requests of fw_cfg's DMA, which is a device that writes to memory. */
#define REQUEST 0x200000
#define RIP 0x8123
#define CLOCK 123456789
/* Calls of the kernel for a checkpoint and another one, and for a rewind. */
#define CALLS_OF_CHECKPOINTS 2
#define CALLS_OF_REWIND 1
/* More than these. */
#define MANY_CALLS 64

static struct machine *machine;
static struct device_error why;
static _Atomic int turns;

static int guest_idles(struct lodge_run *run)
{
	turns++;
	usleep(100);
	return fake_out(run, 0x80, 1, 0);
}

static int start(int (*guest)(struct lodge_run *run), unsigned int cpus)
{
	int err;

	describe(guest, cpus);
	err = machine_new(&machine, &config, &error);
	if (err)
		return err;
	console_open(&console, CONSOLE_FILE, output_path);
	return machine_start(machine, (struct console *[SERIAL_MAX]){ console },
			     &error);
}

static void finish(void)
{
	machine_free(machine);
	console_close(console);
	close(image);
	close(output);
	devices_forget(&config.devices);
}

/* Starts a machine that is held, and has run. */
static int start_and_hold(void)
{
	int err = start(guest_idles, 2);

	while (!err && turns < 3)
		usleep(100);
	return err ? err : machine_pause(machine);
}

/* What the guest has, as the tests change it. */
static void set_state(uint8_t value)
{
	fake_write(PLACE, value);
	fake.state.general.rip = RIP + value;
	fake.mtrr = value;
	fake.clock = CLOCK * value;
}

static bool has_state(uint8_t value)
{
	return *(uint8_t *)fake_memory(PLACE) == value &&
	       fake.state.general.rip == RIP + (uint64_t)value &&
	       fake.mtrr == value && fake.clock == (uint64_t)CLOCK * value;
}

/* Lets the machine run for some turns of its guest's, so that devices work, too. */
static int run_on(void)
{
	int before = turns, err = machine_resume(machine);

	while (!err && turns < before + 2)
		usleep(100);
	return err;
}

/* Changes what there is while the machine runs, which is held again then. */
static int change(uint8_t value)
{
	int err = run_on();

	set_state(value);
	return err ? err : machine_pause(machine);
}

TEST(machine_without_a_checkpoint_is_not_put_back)
{
	ASSERT_EQ(0, start_and_hold());
	EXPECT_EQ(-ENOENT, machine_rewind(machine));
	EXPECT_EQ(0, machine_passes(machine).pass);
	EXPECT_EQ(0, run_on());
	finish();
}

TEST(machine_is_put_back_again_and_again)
{
	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, change(1));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	EXPECT_EQ(1, machine_passes(machine).pass);
	for (unsigned int i = 2; i < 7; i++) {
		ASSERT_EQ(0, change(i));
		EXPECT_FALSE(has_state(1));
		ASSERT_EQ(0, machine_rewind(machine));
		EXPECT_EQ(i, machine_passes(machine).pass);
		EXPECT_EQ(1, machine_passes(machine).pages);
		ASSERT_EQ(0, machine_resume(machine));
		EXPECT_TRUE(has_state(1));
		ASSERT_EQ(0, machine_pause(machine));
	}
	finish();
	EXPECT_EQ(0, fake.logs);
}

TEST(later_checkpoint_takes_the_place_of_the_earlier_one)
{
	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, change(1));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, change(0));
	fake_write(PLACE + PAGE, 5);
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	EXPECT_EQ(1, machine_passes(machine).pass);
	ASSERT_EQ(0, change(3));
	fake_write(PLACE + PAGE, 6);
	ASSERT_EQ(0, machine_rewind(machine));
	EXPECT_EQ(5, *(uint8_t *)fake_memory(PLACE + PAGE));
	ASSERT_EQ(0, machine_resume(machine));
	EXPECT_TRUE(has_state(0));
	finish();
}

TEST(checkpoint_that_was_dropped_is_none)
{
	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	EXPECT_LT(0, fake.logs);
	machine_drop_checkpoint(machine);
	EXPECT_EQ(0, fake.logs);
	EXPECT_EQ(-ENOENT, machine_rewind(machine));
	machine_drop_checkpoint(machine);
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	EXPECT_EQ(0, machine_rewind(machine));
	finish();
}

TEST(machine_that_loads_a_state_has_no_checkpoint)
{
	struct record record = { 0 };

	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, machine_save_state(machine, &record));
	ASSERT_EQ(0, machine_load_state(machine, &record));
	EXPECT_EQ(-ENOENT, machine_rewind(machine));
	free(record.data);
	finish();
}

TEST(guest_that_was_reset_meanwhile_is_put_back_as_well)
{
	static uint8_t before[MEMORY];

	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, change(1));
	/* The loader writes its image there again. */
	fake_write(FLAT_ADDRESS, 0x77);
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	memcpy(before, fake_memory(0), MEMORY);
	set_state(2);
	ASSERT_EQ(0, machine_reset(machine));
	EXPECT_NE(0, memcmp(before, fake_memory(0), MEMORY));
	ASSERT_EQ(0, machine_rewind(machine));
	EXPECT_EQ(0, memcmp(before, fake_memory(0), MEMORY));
	ASSERT_EQ(0, machine_resume(machine));
	EXPECT_TRUE(has_state(1));
	finish();
}

/*
 * Random writes, of the guest and of a device, against a copy of all memory
 */

static unsigned int seed = 12345;

static unsigned int number(unsigned int end)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % end;
}

static _Atomic int writes_left;

/* Writes a byte itself, or has fw_cfg write a few at any place. */
static int guest_writes(struct lodge_run *run)
{
	uint32_t to = PLACE + number(MEMORY - PLACE - PAGE), length;

	if (writes_left <= 0)
		return guest_idles(run);
	writes_left--;
	if (number(2)) {
		fake_write(to, number(256));
		return fake_out(run, 0x80, 1, 0);
	}
	length = 1 + number(2 * PAGE) % (MEMORY - to);
	for (int i = 0; i < 16; i++)
		fake_write(REQUEST + i,
			   ((uint32_t[]){ DMA_SELECT_SIGNATURE | DMA_READ,
					  length, 0, to })[i / 4] >>
				   (24 - 8 * (i % 4)));
	return fake_out(run, DMA_LOW, 4, htobe32(REQUEST));
}

TEST(no_write_of_guest_or_device_outlives_a_rewind)
{
	static uint8_t copy[MEMORY];

	ASSERT_EQ(0, start(guest_writes, 1));
	for (int round = 0; round < 30; round++) {
		writes_left = 50;
		while (writes_left)
			usleep(100);
		ASSERT_EQ(0, machine_pause(machine));
		if (round % 3) {
			ASSERT_EQ(0, machine_rewind(machine));
			ASSERT_EQ(0, memcmp(copy, fake_memory(0), MEMORY));
		} else {
			ASSERT_EQ(0, machine_checkpoint(machine, &why));
			memcpy(copy, fake_memory(0), MEMORY);
		}
		ASSERT_EQ(0, machine_resume(machine));
	}
	finish();
}

/*
 * The guest's own
 */

static int step;
static uint32_t seen[8];

/* Makes a checkpoint, counts in memory, and goes back until it is the fourth pass. */
static int guest_goes_back(struct lodge_run *run)
{
	uint8_t *memory = fake_memory(PLACE);
	uint32_t pass;

	switch (step++) {
	case 0:
		return fake_out(run, PORT, 4, HERE);
	case 1:
		fake_in(run, PORT);
		run->exit.io.size = 4;
		return 0;
	case 2:
		memcpy(&pass, run->data, sizeof(pass));
		if (pass > 3)
			return fake_out(run, DEBUG_EXIT, 1, *memory);
		seen[pass] = *memory;
		fake_write(PLACE, *memory + 1);
		step = 1;
		return fake_out(run, DONE, 4, 40 + pass);
	}
	return -EIO;
}

TEST(guest_makes_a_checkpoint_and_goes_back_to_it)
{
	struct machine_passes passes;

	describe(guest_goes_back, 2);
	devices_want(&config.devices, devices_find("checkpoint"))[0] =
		(struct device_value){ .number = PORT };
	ASSERT_EQ(0, machine_new(&machine, &config, &error));
	console_open(&console, CONSOLE_FILE, output_path);
	memset(seen, 0xff, sizeof(seen));
	fake_write(PLACE, 9);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(9 << 1 | 1, end.code);
	for (int pass = 1; pass < 4; pass++)
		EXPECT_EQ(9, seen[pass]);
	passes = machine_passes(machine);
	EXPECT_EQ(4, passes.pass);
	EXPECT_EQ(43, passes.value);
	EXPECT_EQ(1, passes.pages);
	finish();
}

/* Ends the machine, as often as it is let run. */
static int guest_ends_when_told(struct lodge_run *run)
{
	turns++;
	if (turns > 3)
		return fake_out(run, DEBUG_EXIT, 1, 7);
	usleep(100);
	return fake_out(run, 0x80, 1, 0);
}

static bool has_ended(void)
{
	struct pollfd ended = { .fd = machine_ended(machine),
				.events = POLLIN };

	return poll(&ended, 1, 0) > 0;
}

TEST(machine_that_its_guest_has_ended_goes_on_from_the_checkpoint)
{
	turns = 0;
	ASSERT_EQ(0, start(guest_ends_when_told, 1));
	ASSERT_EQ(0, machine_pause(machine));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	for (int i = 0; i < 3; i++) {
		turns = 0;
		ASSERT_EQ(0, machine_resume(machine));
		while (!has_ended())
			usleep(100);
		ASSERT_EQ(0, machine_pause(machine));
		ASSERT_EQ(0, machine_rewind(machine));
		EXPECT_FALSE(has_ended());
	}
	machine_end(machine);
	EXPECT_EQ(-ECANCELED, machine_rewind(machine));
	EXPECT_TRUE(has_ended());
	finish();
}

TEST(machine_that_its_user_ends_after_its_guest_does_not_go_on)
{
	turns = 0;
	ASSERT_EQ(0, start(guest_ends_when_told, 1));
	ASSERT_EQ(0, machine_pause(machine));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, machine_resume(machine));
	while (!has_ended())
		usleep(100);
	ASSERT_EQ(0, machine_pause(machine));
	machine_end(machine);
	EXPECT_EQ(-ECANCELED, machine_rewind(machine));
	EXPECT_TRUE(has_ended());
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_QUIT, end.fate);
	finish();
}

static int guest_is_done_too_early(struct lodge_run *run)
{
	if (!step++)
		return fake_out(run, DONE, 4, 1);
	return fake_out(run, DEBUG_EXIT, 1, 7);
}

TEST(guest_that_is_done_without_a_checkpoint_goes_on)
{
	describe(guest_is_done_too_early, 1);
	devices_want(&config.devices, devices_find("checkpoint"))[0] =
		(struct device_value){ .number = PORT };
	ASSERT_EQ(0, build_and_run());
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(15, end.code);
}

static int guest_asks_without_the_device(struct lodge_run *run)
{
	if (!step++)
		return fake_out(run, PORT, 4, HERE);
	return fake_out(run, DEBUG_EXIT, 1, fake.logs ? 1 : 7);
}

TEST(guest_has_no_checkpoint_unless_the_user_allows_it)
{
	describe(guest_asks_without_the_device, 1);
	ASSERT_EQ(0, build_and_run());
	EXPECT_EQ(15, end.code);
}

/*
 * What cannot be put back, and what fails
 */

static char disk_path[MEMFILE_PATH_SIZE];

/* Return: the result of a checkpoint, and of a rewind behind it. */
static int checkpoint_with_disk(bool read_only, bool snapshot)
{
	int disk = memfile("disk", 4, disk_path), err;
	struct device_value *values;

	describe(guest_idles, 1);
	values = devices_want(&config.devices, &virtio_blk_device);
	devices_set_text(&values[0], disk_path);
	devices_set_number(&values[1], read_only);
	devices_set_number(&values[3], snapshot);
	err = machine_new(&machine, &config, &error);
	close(disk);
	if (err)
		return err;
	console_open(&console, CONSOLE_FILE, output_path);
	err = machine_start(machine, (struct console *[SERIAL_MAX]){ console },
			    &error);
	if (!err)
		err = machine_pause(machine);
	if (!err)
		err = machine_checkpoint(machine, &why);
	if (!err)
		err = machine_rewind(machine);
	if (!machine_resume(machine))
		finish();
	return err;
}

TEST(disk_that_the_guest_can_write_is_named_and_refused)
{
	EXPECT_EQ(-EOPNOTSUPP, checkpoint_with_disk(false, false));
	EXPECT_STREQ("virtio-blk 0", why.name);
	EXPECT_STREQ(disk_path, why.thing);
	EXPECT_EQ(0, fake.logs);
}

TEST(disk_that_the_guest_cannot_write_is_no_hindrance)
{
	EXPECT_EQ(0, checkpoint_with_disk(true, false));
}

TEST(disk_that_is_put_back_is_no_hindrance)
{
	EXPECT_EQ(0, checkpoint_with_disk(false, true));
}

/* How often an overlay has given room back. */
static unsigned int holes;

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	holes += !!(mode & FALLOC_FL_PUNCH_HOLE);
	return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

/* Holds a machine with a disk that is put back, and another one if that is wanted. */
static int hold_with_disks(bool other)
{
	/* Less than 4 KiB are not worth a hole. */
	static const char bytes[8192];
	char other_path[MEMFILE_PATH_SIZE];
	int disk = memfile(bytes, sizeof(bytes), disk_path);
	int other_disk = memfile(bytes, sizeof(bytes), other_path), err;
	struct device_value *values;

	describe(guest_idles, 1);
	values = devices_want(&config.devices, &virtio_blk_device);
	devices_set_text(&values[0], disk_path);
	devices_set_number(&values[3], true);
	if (other) {
		values = devices_want(&config.devices, &virtio_blk_device);
		devices_set_text(&values[0], other_path);
	}
	err = machine_new(&machine, &config, &error);
	close(disk);
	close(other_disk);
	if (!err) {
		console_open(&console, CONSOLE_FILE, output_path);
		err = machine_start(machine,
				    (struct console *[SERIAL_MAX]){ console },
				    &error);
	}
	holes = 0;
	return err ? err : machine_pause(machine);
}

TEST(disk_keeps_nothing_for_a_checkpoint_that_was_dropped)
{
	ASSERT_EQ(0, hold_with_disks(false));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	ASSERT_EQ(0, machine_rewind(machine));
	EXPECT_EQ(0, holes);
	machine_drop_checkpoint(machine);
	EXPECT_LT(0, holes);
	ASSERT_EQ(0, machine_resume(machine));
	finish();
}

TEST(disk_keeps_nothing_for_a_checkpoint_that_another_one_refuses)
{
	ASSERT_EQ(0, hold_with_disks(true));
	EXPECT_EQ(-EOPNOTSUPP, machine_checkpoint(machine, &why));
	EXPECT_LT(0, holes);
	ASSERT_EQ(0, machine_resume(machine));
	finish();
}

/* Calls that fail, one a machine, in two checkpoints and in a rewind behind them. */
struct failures {
	int checkpoints;
	int rewinds;
};

/* Return: false if these make fewer calls. */
static bool fail_at(struct __test_metadata *_metadata, int call,
		    struct failures *failures)
{
	bool is_reached;

	memset(&fake, 0, sizeof(fake));
	turns = 0;
	ASSERT_EQ(0, start_and_hold());
	fake.fail_call = fake.calls + call;
	if (machine_checkpoint(machine, &why) ||
	    machine_checkpoint(machine, &why)) {
		failures->checkpoints++;
		is_reached = true;
		EXPECT_EQ(0, fake.logs);
		EXPECT_EQ(0, machine_passes(machine).pass);
		EXPECT_EQ(0, run_on());
	} else {
		set_state(3);
		failures->rewinds += !!machine_rewind(machine);
		is_reached = fake.calls >= fake.fail_call;
		machine_resume(machine);
	}
	finish();
	EXPECT_EQ(0, fake.logs);
	EXPECT_EQ(0, fake.vcpus);
	return is_reached;
}

TEST(every_call_that_fails_leaves_nothing_behind)
{
	struct failures failures = { 0 };
	int call = 1;

	while (call < MANY_CALLS && fail_at(_metadata, call, &failures))
		call++;
	EXPECT_GT(MANY_CALLS, call);
	EXPECT_EQ(CALLS_OF_CHECKPOINTS, failures.checkpoints);
	EXPECT_EQ(CALLS_OF_REWIND, failures.rewinds);
}

/* Return: the entries of a directory, or the lines of a file. */
static long count(const char *path)
{
	DIR *directory = opendir(path);
	FILE *file;
	long n = 0;

	if (directory) {
		while (readdir(directory))
			n++;
		closedir(directory);
		return n;
	}
	file = fopen(path, "r");
	for (int c; file && (c = getc(file)) != EOF;)
		n += c == '\n';
	if (file)
		fclose(file);
	return n;
}

TEST(thousand_rewinds_leave_nothing_behind)
{
	long files = 0, maps = 0;

	ASSERT_EQ(0, start_and_hold());
	ASSERT_EQ(0, change(1));
	ASSERT_EQ(0, machine_checkpoint(machine, &why));
	for (int i = 0; i < 1100; i++) {
		set_state(2);
		ASSERT_EQ(0, machine_rewind(machine));
		if (i == 100) {
			files = count("/proc/self/fd");
			maps = count("/proc/self/maps");
		}
	}
	EXPECT_EQ(files, count("/proc/self/fd"));
	EXPECT_GE(maps + 4, count("/proc/self/maps"));
	ASSERT_EQ(0, machine_resume(machine));
	EXPECT_TRUE(has_state(1));
	finish();
}

TEST_HARNESS_MAIN
