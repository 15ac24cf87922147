// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of a machine, from its description to each of its ends, with guests that are
 * functions of this file.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "machine_fixture.h"

#define SLEEP_S3 (1 << 13 | 1 << 10)
#define PM_STATUS_HIGH 0x601
#define PM_WOKEN_BY_BUTTON 0x81
#define FACS_WAKING_VECTOR 0xe004c
#define WAKING_VECTOR 0x9a123
#define SERIAL_SCRATCH 0x3ff
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CMOS_FREE 0x70
#define RESET_VECTOR 0xfffffff0
/* More calls than building a machine makes. */
#define MANY_CALLS 64

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* Number of starts and resets of the guest. */
static int lives;

TEST(debug_exit_ends_with_its_code)
{
	ASSERT_EQ(0, run_machine(guest_exits, 1));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(0x21, end.code);
	EXPECT_EQ(0, fake.vcpus);
}

TEST(nothing_is_executed_after_the_end)
{
	ASSERT_EQ(0, run_machine(guest_exits, 1));
	EXPECT_EQ(1, runs);
}

TEST(other_vcpus_end_with_the_first)
{
	ASSERT_EQ(0, run_machine(guest_exits, 4));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(0, fake.vcpus);
}

TEST(acpi_powers_off)
{
	ASSERT_EQ(0, run_machine(guest_powers_off, 1));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
}

TEST(a_reset_ends_the_machine_when_it_may_not_reboot)
{
	config.no_reboot = true;
	ASSERT_EQ(0, run_machine(guest_resets, 1));
	EXPECT_EQ(MACHINE_RESET, end.fate);
	EXPECT_EQ(1, fake.vms);
}

static int guest_resets_twice(struct lodge_run *run)
{
	return lives++ < 2 ? guest_resets(run) : guest_powers_off(run);
}

TEST(a_reset_keeps_the_vm_and_its_vcpus)
{
	ASSERT_EQ(0, run_machine(guest_resets_twice, 2));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(1, fake.vms);
	EXPECT_EQ(2, runs);
	EXPECT_EQ(0, fake.vcpus);
}

static atomic_int turns;

static int guest_works(struct lodge_run *run)
{
	turns++;
	usleep(100);
	return fake_out(run, COM1, 1, 'x');
}

/* Waits until the guest has run @more times. */
static void watch(int more)
{
	int before = turns;

	while (turns < before + more)
		usleep(100);
}

/* Builds a machine, which is held before its first instruction. */
static struct machine *build_machine(int (*guest)(struct lodge_run *run),
				     unsigned int cpus)
{
	struct machine *machine = NULL;

	describe(guest, cpus);
	if (!machine_new(&machine, &config, &error))
		console_open(&console, CONSOLE_FILE, output_path);
	return machine;
}

TEST(a_machine_that_is_held_stands_still_and_goes_on)
{
	struct machine *machine = build_machine(guest_works, 2);
	int before;

	ASSERT_NE(NULL, machine);
	usleep(1000);
	EXPECT_EQ(0, turns);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	for (int round = 0; round < 10; round++) {
		watch(3);
		ASSERT_EQ(0, machine_pause(machine));
		before = turns;
		usleep(2000);
		EXPECT_EQ(before, turns);
		ASSERT_EQ(0, machine_resume(machine));
	}
	kill(getpid(), SIGTERM);
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_SIGNALLED, end.fate);
	machine_free(machine);
}

TEST(a_machine_that_is_held_can_be_reset)
{
	struct machine *machine = build_machine(guest_works, 2);

	ASSERT_NE(NULL, machine);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	watch(3);
	ASSERT_EQ(0, machine_pause(machine));
	((uint8_t *)fake_memory(FLAT_ADDRESS))[0] = 0x11;
	fake.state.general.rip = 1;
	ASSERT_EQ(0, machine_reset(machine));
	EXPECT_EQ(0xf4, ((uint8_t *)fake_memory(FLAT_ADDRESS))[0]);
	EXPECT_EQ(FLAT_ADDRESS, fake.state.general.rip);
	EXPECT_EQ(1, fake.vms);
	ASSERT_EQ(0, machine_resume(machine));
	watch(3);
	machine_free(machine);
	EXPECT_EQ(0, fake.vcpus);
}

TEST(a_signal_ends_a_machine_that_is_held_when_it_goes_on)
{
	struct machine *machine = build_machine(guest_works, 1);

	ASSERT_NE(NULL, machine);
	ASSERT_EQ(0, machine_start(machine,
				   (struct console *[SERIAL_MAX]){ console },
				   &error));
	ASSERT_EQ(0, machine_pause(machine));
	kill(getpid(), SIGTERM);
	usleep(10000);
	ASSERT_EQ(0, machine_resume(machine));
	ASSERT_EQ(0, machine_wait(machine, &end, &error));
	EXPECT_EQ(MACHINE_SIGNALLED, end.fate);
	machine_free(machine);
}

/* An input is answered once, however often the kernel holds the vCPU meanwhile. */
static int guest_is_held_by_the_kernel(struct lodge_run *run)
{
	static int step;

	switch (step++) {
	case 0:
		return fake_out(run, SERIAL_SCRATCH, 1, 0x5a);
	case 1:
		return fake_in(run, SERIAL_SCRATCH);
	case 2:
	case 3:
	case 4:
		return -EAGAIN;
	}
	return fake_out(run, DEBUG_EXIT, 1, run->data[0] == 0x5a ? 3 : 4);
}

TEST(a_vcpu_that_the_kernel_holds_goes_on_with_its_answer)
{
	ASSERT_EQ(0, run_machine(guest_is_held_by_the_kernel, 1));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(7, end.code);
}

/* Sets a waking vector, sleeps in S3, and checks its state when it is woken. */
static int guest_sleeps(struct lodge_run *run)
{
	const struct lodge_segment *cs = &fake.state.segments.seg[LODGE_CS];
	static int step;

	switch (step++) {
	case 0:
		*(uint32_t *)fake_memory(FACS_WAKING_VECTOR) = WAKING_VECTOR;
		*(uint8_t *)fake_memory(FLAT_ADDRESS) = 0x11;
		return fake_out(run, SERIAL_SCRATCH, 1, 0x5a);
	case 1:
		kill(getpid(), SIGUSR2);
		return fake_out(run, PM_CONTROL, 2, SLEEP_S3);
	case 2:
		return fake_in(run, PM_STATUS_HIGH);
	case 3:
		if (run->data[0] != PM_WOKEN_BY_BUTTON)
			return fake_out(run, DEBUG_EXIT, 1, 1);
		return fake_in(run, SERIAL_SCRATCH);
	}
	if (run->data[0] || cs->base != (WAKING_VECTOR & ~0xf) ||
	    cs->selector != WAKING_VECTOR >> 4 ||
	    fake.state.general.rip != (WAKING_VECTOR & 0xf))
		return fake_out(run, DEBUG_EXIT, 1, 2);
	return fake_out(run, DEBUG_EXIT, 1,
			*(uint8_t *)fake_memory(FLAT_ADDRESS) == 0x11 ? 3 : 4);
}

TEST(a_guest_sleeps_until_the_power_button_and_goes_on_at_its_waking_vector)
{
	ASSERT_EQ(0, run_machine(guest_sleeps, 2));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(7, end.code);
	EXPECT_EQ(1, fake.resets);
}

static int guest_sleeps_without_a_vector(struct lodge_run *run)
{
	static bool slept;

	if (slept)
		return guest_powers_off(run);
	slept = true;
	kill(getpid(), SIGUSR2);
	return fake_out(run, PM_CONTROL, 2, SLEEP_S3);
}

TEST(a_guest_that_has_left_no_waking_vector_is_reset)
{
	ASSERT_EQ(0, run_machine(guest_sleeps_without_a_vector, 1));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(FLAT_ADDRESS, fake.state.general.rip);
}

TEST(a_guest_without_a_waking_vector_ends_when_it_may_not_reboot)
{
	config.no_reboot = true;
	ASSERT_EQ(0, run_machine(guest_sleeps_without_a_vector, 1));
	EXPECT_EQ(MACHINE_RESET, end.fate);
}

static int guest_crashes(struct lodge_run *run)
{
	fake.state.general.rip = FLAT_ADDRESS;
	fake.state.segments.seg[LODGE_CS].base = 0;
	run->reason = LODGE_EXIT_SHUTDOWN;
	return 0;
}

TEST(a_triple_fault_that_stops_is_a_crash_with_registers_and_code)
{
	config.stop_on_crash = true;
	ASSERT_EQ(0, run_machine(guest_crashes, 1));
	EXPECT_EQ(MACHINE_CRASHED, end.fate);
	EXPECT_EQ(0, end.crash.error);
	EXPECT_EQ(LODGE_EXIT_SHUTDOWN, end.crash.run.reason);
	EXPECT_TRUE(end.crash.registers);
	EXPECT_EQ(FLAT_ADDRESS, end.crash.address);
	ASSERT_EQ(CRASH_CODE_SIZE, end.crash.code_length);
	EXPECT_EQ(0xf4, end.crash.code[0]);
}

static int guest_crashes_twice(struct lodge_run *run)
{
	return lives++ < 2 ? guest_crashes(run) : guest_powers_off(run);
}

TEST(a_triple_fault_resets_the_machine)
{
	ASSERT_EQ(0, run_machine(guest_crashes_twice, 2));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(1, fake.vms);
	EXPECT_EQ(0, fake.vcpus);
}

TEST(a_triple_fault_ends_the_machine_when_it_may_not_reboot)
{
	config.no_reboot = true;
	ASSERT_EQ(0, run_machine(guest_crashes, 1));
	EXPECT_EQ(MACHINE_RESET, end.fate);
	EXPECT_TRUE(end.triple_fault);
	EXPECT_EQ(1, fake.vms);
}

static int guest_cannot_go_on(struct lodge_run *run)
{
	run->reason = LODGE_EXIT_CANNOT_EMULATE;
	return 0;
}

TEST(what_no_processor_does_is_a_crash_and_no_reset)
{
	ASSERT_EQ(0, run_machine(guest_cannot_go_on, 1));
	EXPECT_EQ(MACHINE_CRASHED, end.fate);
	EXPECT_EQ(LODGE_EXIT_CANNOT_EMULATE, end.crash.run.reason);
}

static int guest_is_killed(struct lodge_run *run)
{
	return -ECANCELED;
}

TEST(a_vm_that_is_killed_ends_the_machine_and_is_no_crash)
{
	ASSERT_EQ(0, run_machine(guest_is_killed, 2));
	EXPECT_EQ(MACHINE_KILLED, end.fate);
	EXPECT_EQ(0, fake.vcpus);
}

TEST(a_vm_gets_the_name_of_its_machine)
{
	config.name = "web";
	ASSERT_EQ(0, run_machine(guest_crashes_twice, 1));
	EXPECT_STREQ("web", fake.name);
}

/* Changes its image and the byte behind it, and reads both after a reset. */
static int guest_writes_to_memory(struct lodge_run *run)
{
	uint8_t *image = fake_memory(FLAT_ADDRESS);

	if (!lives++) {
		fake.state.control.cr4 = 1 << 18;
		image[0] = 0x11;
		image[1] = 0x22;
		return guest_resets(run);
	}
	return fake_out(run, DEBUG_EXIT, 1,
			image[0] == 0xf4 && image[1] == 0x22);
}

TEST(a_reset_keeps_memory_and_loads_the_image_again)
{
	ASSERT_EQ(0, run_machine(guest_writes_to_memory, 1));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(3, end.code);
}

/* Writes to the CMOS memory, resets, reads the value back, and ends with it as code. */
static int guest_uses_cmos(struct lodge_run *run)
{
	static int step;

	switch (step++) {
	case 0:
	case 3:
		return fake_out(run, CMOS_INDEX, 1, CMOS_FREE);
	case 1:
		return fake_out(run, CMOS_DATA, 1, 0x15);
	case 2:
		return guest_resets(run);
	case 4:
		return fake_in(run, CMOS_DATA);
	}
	return fake_out(run, DEBUG_EXIT, 1, run->data[0]);
}

TEST(a_reset_keeps_what_is_in_the_cmos)
{
	ASSERT_EQ(0, run_machine(guest_uses_cmos, 1));
	EXPECT_EQ(MACHINE_EXITED, end.fate);
	EXPECT_EQ(0x2b, end.code);
}

static uint8_t rom[4];

static int guest_looks_for_rom(struct lodge_run *run)
{
	memcpy(rom, fake_memory(RESET_VECTOR), sizeof(rom));
	return guest_exits(run);
}

TEST(a_processor_that_is_reset_finds_a_rom)
{
	/* mov al, 0xfe; out 0x64, al: the keyboard controller's reset. */
	static const uint8_t restart[] = { 0xb0, 0xfe, 0xe6, 0x64 };

	ASSERT_EQ(0, run_machine(guest_looks_for_rom, 1));
	EXPECT_EQ(0, memcmp(rom, restart, sizeof(restart)));
}

static int guest_is_broken(struct lodge_run *run)
{
	return -EIO;
}

TEST(an_error_of_the_run_call_is_a_crash_with_that_error)
{
	ASSERT_EQ(0, run_machine(guest_is_broken, 1));
	EXPECT_EQ(MACHINE_CRASHED, end.fate);
	EXPECT_EQ(-EIO, end.crash.error);
}

TEST(the_image_gets_its_registers_and_the_virtual_wire)
{
	ASSERT_EQ(0, run_machine(guest_exits, 1));
	EXPECT_EQ(FLAT_ADDRESS, fake.state.general.rip);
	/* SVR enabled; LINT0 lets the PIC's interrupts pass; LINT1 is NMI. */
	EXPECT_EQ(0x01, fake.lapic.regs[0xf1]);
	EXPECT_EQ(0x07, fake.lapic.regs[0x351]);
	EXPECT_EQ(0x04, fake.lapic.regs[0x361]);
}

TEST(a_device_that_has_no_place_is_named)
{
	describe(guest_exits, 1);
	devices_want(&config.devices, devices_find("debug-exit"))->number =
		0x60;
	EXPECT_EQ(-EEXIST, build_and_run());
	EXPECT_EQ(MACHINE_STEP_DEVICES, error.step);
	EXPECT_STREQ("debug-exit", error.device.name);
}

static int told;

static void count_told(void)
{
	told++;
}

static int guest_resets_often(struct lodge_run *run)
{
	return lives++ < 25 ? guest_resets(run) : guest_powers_off(run);
}

TEST(a_guest_that_resets_again_and_again_is_told_of_once)
{
	config.resets = count_told;
	ASSERT_EQ(0, run_machine(guest_resets_often, 1));
	EXPECT_EQ(MACHINE_POWERED_OFF, end.fate);
	EXPECT_EQ(1, told);
}

TEST(a_guest_that_resets_twice_is_not_told_of)
{
	config.resets = count_told;
	ASSERT_EQ(0, run_machine(guest_resets_twice, 1));
	EXPECT_EQ(0, told);
}

TEST(a_machine_that_cannot_be_built_leaves_the_output_file_alone)
{
	FILE *file;
	char text[8] = { 0 };

	output = memfile("kept", 4, output_path);
	config.boot.kernel = "/nonexistent/image";
	config.boot.cpus = 1;
	config.memory = MEMORY;
	devices_default(&config.devices);
	EXPECT_EQ(-ENOENT, build_and_run());
	file = fopen(output_path, "r");
	ASSERT_NE(NULL, file);
	EXPECT_EQ(4, fread(text, 1, sizeof(text), file));
	fclose(file);
	close(output);
}

/* Makes an exit with more data than the data area holds, which no kernel does. */
static int guest_sends_too_much(struct lodge_run *run)
{
	fake_out(run, COM1, 4, 0);
	run->exit.io.count = LODGE_RUN_DATA_SIZE;
	return 0;
}

static int guest_writes_too_much(struct lodge_run *run)
{
	run->reason = LODGE_EXIT_MMIO;
	run->exit.mmio = (struct lodge_exit_mmio){ .gpa = 0xd0000000,
						   .size = 4096,
						   .write = 1 };
	return 0;
}

static int guest_sends_in_odd_sizes(struct lodge_run *run)
{
	return fake_out(run, COM1, 0, 0);
}

TEST(an_exit_that_does_not_fit_the_run_page_ends_the_vcpu)
{
	int (*const guests[])(struct lodge_run *
			      run) = { guest_sends_too_much,
				       guest_writes_too_much,
				       guest_sends_in_odd_sizes };

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, run_machine(guests[i], 1));
		EXPECT_EQ(MACHINE_CRASHED, end.fate);
		EXPECT_EQ(-EPROTO, end.crash.error);
	}
}

TEST(a_host_that_cannot_says_so)
{
	fake.status = LODGE_STATUS_FIRMWARE_DISABLED;
	EXPECT_EQ(-ENODEV, run_machine(guest_exits, 1));
	EXPECT_EQ(MACHINE_STEP_HOST, error.step);
	EXPECT_EQ(LODGE_STATUS_FIRMWARE_DISABLED, error.info.status);
	EXPECT_EQ(0, fake.vms);
}

TEST(an_image_that_is_not_there_is_named)
{
	config.boot.kernel = "/nonexistent";
	config.boot.cpus = 1;
	config.memory = MEMORY;
	ASSERT_EQ(0, console_open(&console, CONSOLE_NONE, NULL));
	EXPECT_EQ(-ENOENT, build_and_run());
	EXPECT_EQ(MACHINE_STEP_BOOT, error.step);
	EXPECT_NE(NULL, strstr(error.boot.text, "/nonexistent"));
	console_close(console);
}

TEST(whatever_fails_leaves_nothing_behind)
{
	int call;

	for (call = 1; call < MANY_CALLS; call++) {
		memset(&fake, 0, sizeof(fake));
		fake.fail_call = call;
		if (!run_machine(guest_exits, 3))
			break;
		EXPECT_EQ(0, fake.vcpus);
	}
	/* A machine makes at least two calls for each vCPU. */
	EXPECT_GT(call, 6);
	EXPECT_LT(call, MANY_CALLS);
	if (__lsan_do_recoverable_leak_check)
		EXPECT_EQ(0, __lsan_do_recoverable_leak_check());
}

TEST(descriptors_are_closed_at_the_end)
{
	int before = dup(STDIN_FILENO);
	int after;

	close(before);
	ASSERT_EQ(0, run_machine(guest_resets_twice, 2));
	close(output);
	after = dup(STDIN_FILENO);
	EXPECT_EQ(before, after);
}

TEST_HARNESS_MAIN
