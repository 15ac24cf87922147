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
#include "machine/baseline.h"
#include "machine/devices.h"
#include "machine/held.h"
#include "machine/input.h"
#include "machine/interrupts.h"
#include "machine/machine.h"
#include "machine/memory.h"
#include "machine/signals.h"
#include "machine/vcpu.h"

/**
 * struct machine_serial - where a serial port leads to
 * @machine: its machine
 * @console: its host's end, from machine_start() on; or NULL
 * @input: its input, with @console, and while the machine is open to the user
 */
struct machine_serial {
	struct machine *machine;
	struct console *console;
	struct input *input;
};

/**
 * enum machine_wish - what the guest wants of the checkpoint
 * @MACHINE_WISH_NONE: nothing
 * @MACHINE_WISH_CHECKPOINT: to have one made
 * @MACHINE_WISH_REWIND: to be put back to it
 */
enum machine_wish {
	MACHINE_WISH_NONE,
	MACHINE_WISH_CHECKPOINT,
	MACHINE_WISH_REWIND,
};

/**
 * struct machine_checkpoint - a machine's checkpoint
 * @state: its state but for the RAM
 * @memory: the RAM's; NULL: there is no checkpoint
 * @passes: guarded by the machine's lock
 */
struct machine_checkpoint {
	struct record state;
	struct baseline *memory;
	struct machine_passes passes;
};

/**
 * struct machine - a machine
 * @config: its description
 * @serials: its serial ports
 * @end: its end, with @over
 * @error: the reason of @failure
 * @failure: 0 or -errno; written by the machine's thread
 * @thread: the machine's thread, while @running
 * @running: it is not held; used by the owner
 * @ended: eventfd, readable once it has ended, or has failed
 * @signals: the thread that takes signals
 * @lock: guards @hold to @wish, and @end; no other lock is taken inside it
 * @hold: the owner wants to hold it
 * @over: it has ended
 * @dismissed: it was ended from outside, perhaps after its guest had ended it: with
 *	@outer_fate and @outer_code, as the first such end has them
 * @restart: the guest has reset it, and the reset is not done yet
 * @asleep: the guest sleeps in S3, and no vCPU runs
 * @woken: with @asleep: the guest is to be woken
 * @wish: the guest's, which is not fulfilled yet
 * @ram: memory
 * @room: room for memory of devices
 * @images: its files
 * @loop: event loop and clock
 * @show: armed when the user wants to see the vCPUs
 * @press: armed when the user presses the power button
 * @general: armed when a device has an event of ACPI's for the guest
 * @general_events: those events, a bit each; guarded by @lock
 * @reset_times: times of the last resets, by the host's clock; the oldest is at
 *	@resets modulo MACHINE_MANY_RESETS
 * @resets: number of resets
 * @told_resets: the user was told of many resets
 * @board: the parts that devices are connected to
 * @interrupts: interrupt controllers
 * @devices: all other devices
 * @entry: registers of vCPU 0 at the start
 * @vm: descriptor, or -1
 * @host: the vCPUs' view of the machine
 * @vcpus: by number, with NULL at the end
 * @held: its state while it is held
 * @checkpoint: its checkpoint
 * @moving: it moves to another controller, and has the logs of what is written;
 *	changes while it is held
 */
struct machine {
	const struct machine_config *config;
	struct machine_serial serials[SERIAL_MAX];
	struct machine_end end;
	struct machine_error error;
	int failure;
	pthread_t thread;
	bool running;
	int ended;
	struct signals *signals;
	pthread_mutex_t lock;
	bool hold;
	bool over;
	bool dismissed;
	enum machine_fate outer_fate;
	int outer_code;
	bool restart;
	bool asleep;
	bool woken;
	enum machine_wish wish;
	struct ram *ram;
	struct memory_room room;
	struct image_store images;
	struct loop *loop;
	struct loop_timer *show;
	struct loop_timer *press;
	struct loop_timer *general;
	unsigned int general_events;
	time_t reset_times[MACHINE_MANY_RESETS];
	unsigned int resets;
	bool told_resets;
	struct board board;
	struct interrupts *interrupts;
	struct devices *devices;
	struct boot_entry entry;
	int vm;
	struct vcpu_host host;
	struct vcpu *vcpus[LODGE_MAX_VCPUS + 1];
	struct held held;
	struct machine_checkpoint checkpoint;
	bool moving;
};

/*
 * build.c
 */

/**
 * machine_fail() - record the step that has failed
 *
 * Return: @err.
 */
int machine_fail(struct machine *machine, enum machine_step step, int err);

/**
 * machine_build() - make all parts
 *
 * Return: 0 or -errno.  On failure the parts made so far are left to machine_free().
 */
int machine_build(struct machine *machine);

/**
 * machine_free_vm() - free the vCPUs and the VM
 */
void machine_free_vm(struct machine *machine);

/**
 * machine_take_steps() - call functions in their order until one fails
 *
 * Return: 0 or -errno.
 */
int machine_take_steps(struct machine *machine,
		       int (*const steps[])(struct machine *machine),
		       size_t count);

/* Steps: load the image, reset the vCPUs, set them up as firmware does. */
int machine_load_image(struct machine *machine);
int machine_reset_vcpus(struct machine *machine);
int machine_start_firmware(struct machine *machine);

/*
 * events.c: events for a machine; any of its threads may call.
 */

/* Events from the guest: from its devices and vCPUs. */
void machine_power(void *opaque, enum power_event event, int code);
void machine_vcpu_dead(void *opaque, struct vcpu *vcpu, int error);
void machine_kick_first(void *opaque);
void machine_output(void *opaque, const void *bytes, size_t size);
void machine_drained(void *opaque);
void machine_alarm(void *opaque);
void machine_general_event(void *opaque, unsigned int number);

/* Raises what machine_general_event() was told; only the loop's thread may call. */
void machine_raise_general(void *opaque);

/* A call has failed with ECANCELED; any thread may tell. */
void machine_killed(struct machine *machine);

/* Events from the user: by signals and keys. */
void machine_signal(void *opaque, int number);
void machine_quit(void *opaque);
void machine_press(void *opaque);

/**
 * machine_stop_vcpus() - ask all vCPUs' threads to end
 */
void machine_stop_vcpus(struct machine *machine);

/*
 * checkpoint.c
 */

/**
 * machine_grant() - do what the guest wants of the checkpoint, while the vCPUs and the
 * loop are stopped
 *
 * Return: 0 or -errno: the machine has failed.
 */
int machine_grant(struct machine *machine, enum machine_wish wish);

/* See struct board_checkpoint. */
void machine_wish_checkpoint(void *opaque);
void machine_wish_rewind(void *opaque, uint32_t value);
uint32_t machine_pass(void *opaque);

/*
 * machine.c
 */

/* Clears the requests of a guest that will run anew. */
void machine_awake(struct machine *machine);

/* Shows the vCPUs to the user; only the loop's thread may call. */
void machine_show(void *opaque);

/* The guest's hvc0, if it has one, learns the terminal's size. */
void machine_tell_size(struct machine *machine);

#endif
