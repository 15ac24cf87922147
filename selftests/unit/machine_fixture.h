/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose guest is a function of the test, which fake_lodge.c calls.
 */
#ifndef LODGE_UNIT_MACHINE_FIXTURE_H
#define LODGE_UNIT_MACHINE_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "fake_lodge.h"
#include "kselftest_harness.h"
#include "machine/machine.h"
#include "memfile.h"

#define DEBUG_EXIT 0xf4
#define PM_CONTROL 0x604
#define POWER_OFF (1 << 13)
#define RESET 0xcf9
#define RESET_NOW 6
#define COM1 0x3f8

#define FLAT_ADDRESS 0x8000
#define MEMORY (16ULL << 20)

/* Number of calls of the guest's function. */
static int runs;

/* The machine of a test, its end, and its output. */
static struct machine_config config;
static struct console *console;
static struct machine_end end;
static struct machine_error error;
static int image;
static char image_path[MEMFILE_PATH_SIZE];
static int output;
static char output_path[MEMFILE_PATH_SIZE];

static inline int build_and_run(void)
{
	struct machine *machine;
	int err = machine_new(&machine, &config, &error);

	if (err)
		return err;
	if (!console)
		console_open(&console, CONSOLE_FILE, output_path);
	err = machine_start(machine, (struct console *[SERIAL_MAX]){ console },
			    &error);
	if (!err)
		err = machine_wait(machine, &end, &error);
	machine_free(machine);
	return err;
}

static inline void describe(int (*guest)(struct lodge_run *run),
			    unsigned int cpus)
{
	image = memfile("\xf4", 1, image_path);
	output = memfile("", 0, output_path);
	fake.run = guest;
	config.boot.kernel = image_path;
	config.boot.flat = true;
	config.boot.flat_address = FLAT_ADDRESS;
	config.boot.cpus = cpus;
	config.memory = MEMORY;
	devices_default(&config.devices);
}

static inline int run_machine(int (*guest)(struct lodge_run *run),
			      unsigned int cpus)
{
	int err;

	describe(guest, cpus);
	err = build_and_run();
	console_close(console);
	console = NULL;
	close(image);
	return err;
}

static inline int guest_exits(struct lodge_run *run)
{
	runs++;
	return fake_out(run, DEBUG_EXIT, 1, 0x10);
}

static inline int guest_powers_off(struct lodge_run *run)
{
	return fake_out(run, PM_CONTROL, 2, POWER_OFF);
}

static inline int guest_resets(struct lodge_run *run)
{
	runs++;
	return fake_out(run, RESET, 1, RESET_NOW);
}

#endif
