// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of saving and loading machines: one that is saved in the middle of its work
 * goes on in another one; a changed record is refused or does no harm.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_lodge.h"
#include "kselftest_harness.h"
#include "machine/machine.h"
#include "memfile.h"

#define DEBUG_EXIT 0xf4
#define SERIAL_SCRATCH 0x3ff
#define PLACE 0x5000
#define MEMORY (2ULL << 20)
#define PAGE 4096
#define RIP 0x8123
#define MTRR 0x0606060606060606
#define CLOCK 123456789

static struct machine_config config;
static struct machine_error error;
static char image_path[MEMFILE_PATH_SIZE];
static struct console *console;
static _Atomic int turns;

FIXTURE(save)
{
	struct machine *machine;
	struct record record;
	int image;
};

/* A guest that uses a device, and its memory. */
static int guest_works(struct lodge_run *run)
{
	turns++;
	usleep(100);
	*(uint8_t *)fake_memory(PLACE) = 0x17;
	return fake_out(run, SERIAL_SCRATCH, 1, 0x5a);
}

static struct machine *new_machine(unsigned int cpus, uint64_t memory)
{
	struct machine *machine = NULL;

	/* All fake vCPUs share one state: clear it for the new vCPU. */
	fake.state = (struct lodge_regs){ 0 };
	config.boot.cpus = cpus;
	config.memory = memory;
	if (machine_new(&machine, &config, &error))
		abort();
	return machine;
}

FIXTURE_SETUP(save)
{
	self->image = memfile("\xf4", 1, image_path);
	config.boot.kernel = image_path;
	config.boot.flat = true;
	config.boot.flat_address = 0x8000;
	devices_default(&config.devices);
	fake.run = guest_works;
	self->machine = new_machine(2, MEMORY);
	ASSERT_EQ(0, console_open(&console, CONSOLE_NONE, NULL));
	ASSERT_EQ(0, machine_start(self->machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	while (turns < 3)
		usleep(100);
	fake.state.general.rip = RIP;
	fake.state.control.cr4 = 1 << 18;
	fake.mtrr = MTRR;
	fake.clock = CLOCK;
	ASSERT_EQ(0, machine_pause(self->machine));
	ASSERT_EQ(0, machine_save_state(self->machine, &self->record));
}

FIXTURE_TEARDOWN(save)
{
	machine_free(self->machine);
	console_close(console);
	free(self->record.data);
	close(self->image);
}

static int guest_looks(struct lodge_run *run)
{
	static bool asked;

	if (!asked) {
		asked = true;
		return fake_in(run, SERIAL_SCRATCH);
	}
	return fake_out(run, DEBUG_EXIT, 1,
			run->data[0] == 0x5a &&
				*(uint8_t *)fake_memory(PLACE) == 0x17);
}

TEST_F(save, a_machine_goes_on_in_another_one)
{
	static uint8_t memory[MEMORY];
	struct machine_end end;

	memcpy(memory, fake_memory(0), MEMORY);
	machine_free(self->machine);
	fake.run = guest_looks;
	fake.clock = 0;
	fake.mtrr = 0;
	self->machine = new_machine(2, MEMORY);
	memcpy(fake_memory(0), memory, MEMORY);
	ASSERT_EQ(0, machine_load_state(self->machine, &self->record));
	EXPECT_EQ(RIP, fake.state.general.rip);
	EXPECT_EQ(MTRR, fake.mtrr);
	EXPECT_EQ(CLOCK, fake.clock);
	ASSERT_EQ(0, machine_start(self->machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	ASSERT_EQ(0, machine_wait(self->machine, &end, &error));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(3, end.code);
}

TEST_F(save, what_was_loaded_is_saved_the_same)
{
	struct record_section first, second;
	struct record again = { 0 };
	size_t at = 0, to = 0;

	ASSERT_EQ(0, machine_load_state(self->machine, &self->record));
	ASSERT_EQ(0, machine_save_state(self->machine, &again));
	ASSERT_EQ(self->record.size, again.size);
	while (!record_next(&self->record, &at, &first)) {
		ASSERT_EQ(0, record_next(&again, &to, &second));
		ASSERT_EQ(first.body.size, second.body.size);
		/*
		 * The clock's state changes with the time of day, and a load raises
		 * an ACPI event, because it makes another generation.
		 */
		if (strcmp(first.name, "rtc") && strcmp(first.name, "pm"))
			EXPECT_EQ(0, memcmp(first.body.data, second.body.data,
					    first.body.size));
	}
	free(again.data);
}

TEST_F(save, a_machine_of_another_shape_does_not_take_it)
{
	struct machine *more = new_machine(3, MEMORY);
	struct machine *larger = new_machine(2, 2 * MEMORY);

	EXPECT_EQ(-EINVAL, machine_load_state(more, &self->record));
	EXPECT_EQ(-EINVAL, machine_load_state(larger, &self->record));
	machine_free(more);
	machine_free(larger);
}

TEST_F(save, a_device_with_other_options_does_not_take_it)
{
	struct machine *other;

	devices_want(&config.devices, devices_find("debug-exit"))->number =
		0x501;
	other = new_machine(2, MEMORY);
	EXPECT_EQ(-EINVAL, machine_load_state(other, &self->record));
	machine_free(other);
}

TEST_F(save, a_device_more_does_not_take_it_and_one_less_does_not_either)
{
	struct machine *more;

	devices_want(&config.devices, devices_find("testdev"));
	more = new_machine(2, MEMORY);
	EXPECT_EQ(-EINVAL, machine_load_state(more, &self->record));
	self->record.size = 0;
	ASSERT_EQ(0, machine_save_state(more, &self->record));
	EXPECT_EQ(-EINVAL, machine_load_state(self->machine, &self->record));
	machine_free(more);
}

TEST_F(save, a_record_that_is_cut_is_refused)
{
	size_t size = self->record.size;

	for (size_t cut = 1; cut < size; cut += 1 + size / 200) {
		self->record.size = size - cut;
		EXPECT_EQ(-EINVAL,
			  machine_load_state(self->machine, &self->record));
	}
}

TEST_F(save, a_section_that_comes_twice_is_refused)
{
	struct record twice = { 0 };

	ASSERT_EQ(0,
		  record_append(&twice, self->record.data, self->record.size));
	ASSERT_EQ(0,
		  record_append(&twice, self->record.data, self->record.size));
	EXPECT_EQ(-EINVAL, machine_load_state(self->machine, &twice));
	free(twice.data);
}

TEST_F(save, a_record_that_an_enemy_has_changed_does_no_harm)
{
	uint8_t *data = self->record.data;

	srandom(1);
	for (int round = 0; round < 1000; round++) {
		size_t at = random() % self->record.size;
		uint8_t before = data[at];
		int err;

		data[at] ^= 1 << random() % 8;
		err = machine_load_state(self->machine, &self->record);
		EXPECT_TRUE(!err || err == -EINVAL || err == -EBUSY ||
			    err == -EOPNOTSUPP);
		data[at] = before;
	}
	EXPECT_EQ(0, machine_load_state(self->machine, &self->record));
}

static int guest_looks_on(struct lodge_run *run)
{
	return fake_out(run, DEBUG_EXIT, 1, *(uint8_t *)fake_memory(PLACE));
}

/* A file as a machine would be saved to: its RAM, and behind it the image. */
static int saved_file(void)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, MEMORY + PAGE) ||
	    pwrite(fd, fake_memory(0), MEMORY, 0) != (ssize_t)MEMORY ||
	    pwrite(fd, "\xf4\xf5", 2, MEMORY) != 2)
		abort();
	return fd;
}

static const struct machine_image saved_image = {
	.path = "/nowhere/image",
	.offset = MEMORY,
	.size = 2,
};

static void begin_from(struct machine_saved *saved, const struct record *state)
{
	*saved = (struct machine_saved){
		.state = state,
		.fd = saved_file(),
		.images = &saved_image,
		.nr_images = 1,
	};
	config.boot.kernel = saved_image.path;
	config.saved = saved;
}

TEST_F(save, a_machine_begins_with_a_saved_state_and_needs_no_image)
{
	struct machine_saved saved;
	struct machine_end end;
	struct record state = { 0 };

	ASSERT_EQ(0, machine_save_state(self->machine, &state));
	begin_from(&saved, &state);
	machine_free(self->machine);
	fake.run = guest_looks_on;
	self->machine = new_machine(2, MEMORY);
	EXPECT_EQ(RIP, fake.state.general.rip);
	EXPECT_EQ(0x17, *(uint8_t *)fake_memory(PLACE));
	ASSERT_EQ(0, machine_start(self->machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	ASSERT_EQ(0, machine_wait(self->machine, &end, &error));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(2 * 0x17 + 1, end.code);
	close(saved.fd);
	free(state.data);
}

TEST_F(save, a_reset_of_a_saved_machine_takes_the_image_from_its_file)
{
	struct machine_saved saved;
	struct record state = { 0 };

	ASSERT_EQ(0, machine_save_state(self->machine, &state));
	begin_from(&saved, &state);
	machine_free(self->machine);
	self->machine = new_machine(2, MEMORY);
	close(saved.fd);
	ASSERT_EQ(0, memcmp(fake_memory(0x8000), "\xf4\0", 2));
	ASSERT_EQ(0, machine_reset(self->machine));
	EXPECT_EQ(0, memcmp(fake_memory(0x8000), "\xf4\xf5", 2));
	EXPECT_EQ(0x8000, fake.state.general.rip);
	free(state.data);
}

TEST_F(save, what_a_machine_writes_is_not_in_its_file)
{
	struct machine_saved saved;
	struct record state = { 0 };
	uint8_t byte = 0;

	ASSERT_EQ(0, machine_save_state(self->machine, &state));
	begin_from(&saved, &state);
	machine_free(self->machine);
	self->machine = new_machine(2, MEMORY);
	*(uint8_t *)fake_memory(PLACE) = 0x99;
	ASSERT_EQ(1, pread(saved.fd, &byte, 1, PLACE));
	EXPECT_EQ(0x17, byte);
	close(saved.fd);
	free(state.data);
}

TEST_F(save, a_file_that_is_shorter_than_ram_is_refused)
{
	struct machine_saved saved;
	struct machine *machine;
	struct record state = { 0 };

	ASSERT_EQ(0, machine_save_state(self->machine, &state));
	begin_from(&saved, &state);
	ASSERT_EQ(0, ftruncate(saved.fd, MEMORY - 1));
	EXPECT_EQ(-ENODATA, machine_new(&machine, &config, &error));
	EXPECT_EQ(MACHINE_STEP_MEMORY, error.step);
	ASSERT_EQ(0, ftruncate(saved.fd, MEMORY));
	EXPECT_EQ(-ENODATA, machine_new(&machine, &config, &error));
	EXPECT_EQ(MACHINE_STEP_BOOT, error.step);
	close(saved.fd);
	free(state.data);
}

/* The vCPUs' time does not change with the host's. */
TEST_F(save, time_stands_while_a_machine_is_held)
{
	struct machine_end end;

	fake.clock = 0;
	fake.run = guest_looks;
	ASSERT_EQ(0, machine_resume(self->machine));
	ASSERT_EQ(0, machine_wait(self->machine, &end, &error));
	EXPECT_EQ(CLOCK, fake.clock);
}

TEST_HARNESS_MAIN
