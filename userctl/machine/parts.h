/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of a machine, for the files that build it, take its events and hold it.
 */
#ifndef LODGE_MACHINE_PARTS_H
#define LODGE_MACHINE_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "board/device.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/input.h"
#include "machine/interrupts.h"
#include "machine/machine.h"
#include "machine/signals.h"
#include "machine/vcpu.h"

/**
 * struct machine - a machine
 * @config: its description
 * @console: the other end of its serial port, from machine_start() on
 * @end: how it ended
 * @error: why it could not go on, with @failure
 * @failure: 0 or -errno; the machine's thread's
 * @thread: the machine's thread, while @running
 * @running: it is not held; the owner's
 * @signals: taker of signals
 * @lock: guards @hold to @woken, and @end; a leaf
 * @hold: the owner wants to hold it
 * @over: it has ended, and @end says how
 * @restart: the guest has reset it; cleared once that is done
 * @asleep: the guest sleeps in S3: no vCPU runs
 * @woken: with @asleep: something has woken it
 * @ram: memory
 * @images: the files that it starts from
 * @loop: event loop and clock
 * @show: armed when the user wants to see the vCPUs
 * @press: armed when the user presses the power button
 * @reset_times: when the last resets were, by the host's clock, the oldest at
 *	@resets modulo their number
 * @resets: how many
 * @told_resets: the user knows that they are many
 * @board: what devices are plugged into
 * @interrupts: interrupt controllers
 * @devices: all other devices
 * @input: what is typed
 * @entry: registers of vCPU 0 at the start
 * @vm: descriptor, or -1
 * @host: what the vCPUs know
 * @vcpus: by number; the first NULL ends them
 * @held: all of this, for the owner's calls while it is held
 */
struct machine {
	const struct machine_config *config;
	struct console *console;
	struct machine_end end;
	struct machine_error error;
	int failure;
	pthread_t thread;
	bool running;
	struct signals *signals;
	pthread_mutex_t lock;
	bool hold;
	bool over;
	bool restart;
	bool asleep;
	bool woken;
	struct ram *ram;
	struct image_store images;
	struct loop *loop;
	struct loop_timer *show;
	struct loop_timer *press;
	time_t reset_times[MACHINE_MANY_RESETS];
	unsigned int resets;
	bool told_resets;
	struct board board;
	struct interrupts *interrupts;
	struct devices *devices;
	struct input *input;
	struct boot_entry entry;
	int vm;
	struct vcpu_host host;
	struct vcpu *vcpus[LODGE_MAX_VCPUS + 1];
	struct held held;
};

/*
 * build.c
 */

/**
 * machine_fail() - note which step has failed
 *
 * Return: @err.
 */
int machine_fail(struct machine *machine, enum machine_step step, int err);

/**
 * machine_build() - make all the parts
 *
 * Return: 0 or -errno; what there is by then is for machine_free().
 */
int machine_build(struct machine *machine);

/**
 * machine_free_vm() - free the vCPUs and the VM
 */
void machine_free_vm(struct machine *machine);

/**
 * machine_take_steps() - take steps in their order until one fails
 *
 * Return: 0 or -errno.
 */
int machine_take_steps(struct machine *machine,
		       int (*const steps[])(struct machine *machine),
		       size_t count);

/* Steps: the image into memory, vCPUs to their reset state, what firmware does. */
int machine_load_image(struct machine *machine);
int machine_reset_vcpus(struct machine *machine);
int machine_start_firmware(struct machine *machine);

/*
 * events.c: what is told to a machine, from any of its threads.
 */

/* From the guest: by its devices, by a vCPU's end. */
void machine_power(void *opaque, enum power_event event, int code);
void machine_vcpu_dead(void *opaque, struct vcpu *vcpu, int error);
void machine_kick_first(void *opaque);
void machine_output(void *opaque, const void *bytes, size_t size);
void machine_drained(void *opaque);
void machine_alarm(void *opaque);

/* From the user: by signals, and by keys. */
void machine_signal(void *opaque, int number);
void machine_quit(void *opaque);
void machine_press(void *opaque);

/**
 * machine_stop_vcpus() - ask all vCPUs' threads to end
 */
void machine_stop_vcpus(struct machine *machine);

/*
 * machine.c
 */

/* The user wants to see the vCPUs; in the loop's thread. */
void machine_show(void *opaque);

#endif
