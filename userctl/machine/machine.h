/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine: memory, vCPUs and devices, from its description to its end.
 */
#ifndef LODGE_MACHINE_MACHINE_H
#define LODGE_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <lodge.h>

#include "board/record.h"
#include "boot/detect.h"
#include "machine/console.h"
#include "machine/crash.h"
#include "machine/devices.h"
#include "machine/vcpu.h"

/* Limits of a machine's memory, in bytes; it must be a multiple of the unit. */
#define MACHINE_MEMORY_MIN (1ULL << 20)
#define MACHINE_MEMORY_MAX (1ULL << 40)
#define MACHINE_MEMORY_UNIT 4096ULL
/* So many resets within as many seconds are a loop that the user must know of. */
#define MACHINE_MANY_RESETS 10

/**
 * struct machine_image - a file that a machine starts from, kept in another file
 * @path: the name by which machine_config.boot calls it
 * @offset: of its bytes in the other file
 * @size: its bytes
 */
struct machine_image {
	const char *path;
	uint64_t offset;
	uint64_t size;
};

struct snap_overlay;

/**
 * struct machine_saved - the state with which a machine begins
 * @state: of machine_save_state() of a machine of the same description; not trusted
 * @fd: the file that has the contents of RAM, and the images; it must stay as it is
 * @memory: where RAM begins there, a multiple of a page
 * @images: the images, from which a reset starts the machine
 * @comes_later: the contents of RAM do: @fd has the images only, and RAM is empty
 * @nr_images: entries of @images
 * @overlays: what the guest has written to disks whose files stay as they are, in @fd
 * @nr_overlays: entries of @overlays
 */
struct machine_saved {
	const struct record *state;
	int fd;
	uint64_t memory;
	const struct machine_image *images;
	size_t nr_images;
	const struct snap_overlay *overlays;
	size_t nr_overlays;
	bool comes_later;
};

/**
 * struct machine_config - the description of a machine
 * @name: name of the VM, or NULL: one is made up
 * @boot: the image and its options, and the number of vCPUs
 * @memory: bytes of RAM
 * @backing: what is behind it; a device that shares it makes RAM_MEMFD of
 *	RAM_ANONYMOUS
 * @features: those that its processors have; NULL: all that the host has
 * @saved: the state with which it begins, in place of that of a start; or NULL
 * @clone: with @saved: the machine that was saved goes on, too, and this one gets an
 *	identity of its own
 * @devices: devices_default(), and devices that were added
 * @fuzz: what a fuzzer shares with the guest, for the device of that name; or NULL
 * @no_reboot: a reset ends the machine
 * @stop_on_crash: a triple fault is a crash; otherwise it is a reset, as in a PC
 * @help: called when the user asks for the console's keys; may be NULL
 * @show: called for each vCPU when the user asks to see them, with its state and
 *	its last exit; may be NULL
 * @resets: called once, when the guest has reset more than MACHINE_MANY_RESETS times
 *	within as many seconds; may be NULL
 * @signalled: called from a thread of its own with SIGINT, SIGTERM, SIGHUP, SIGQUIT and
 *	SIGWINCH: returns true if the signal was its owner's, and so none of the
 *	machine's; may be NULL
 * @owner: for @signalled
 *
 * @help, @show and @resets are called from the machine's thread.
 */
struct machine_config {
	const char *name;
	struct boot_options boot;
	uint64_t memory;
	enum ram_backing backing;
	const struct feature_set *features;
	const struct machine_saved *saved;
	bool clone;
	struct devices_wanted devices;
	const struct board_fuzz *fuzz;
	bool no_reboot;
	bool stop_on_crash;
	void (*help)(void);
	void (*show)(const struct crash *state, const struct vcpu_exit *last);
	void (*resets)(void);
	bool (*signalled)(void *owner, int number);
	void *owner;
};

/**
 * enum machine_fate - the ways in which a machine ends
 * @MACHINE_POWERED_OFF: the guest powered it off
 * @MACHINE_RESET: the guest reset it, and machine_config.no_reboot was set
 * @MACHINE_EXITED: the guest wrote to isa-debug-exit; code is the exit code
 * @MACHINE_CRASHED: a vCPU could not go on; see crash
 * @MACHINE_SIGNALLED: a signal; code is its number
 * @MACHINE_QUIT: the user ended it at the console
 * @MACHINE_KILLED: the VM was stopped for ever, by LODGE_CMD_VM_KILL
 * @MACHINE_MIGRATED: it runs elsewhere
 */
enum machine_fate {
	MACHINE_POWERED_OFF,
	MACHINE_RESET,
	MACHINE_EXITED,
	MACHINE_CRASHED,
	MACHINE_SIGNALLED,
	MACHINE_QUIT,
	MACHINE_KILLED,
	MACHINE_MIGRATED,
};

/**
 * struct machine_end - the end of a machine
 * @fate: the way in which it ended
 * @code: see @fate
 * @crash: with MACHINE_CRASHED: the report
 * @triple_fault: with MACHINE_RESET: the guest reset by a triple fault
 * @lost_output: 0, or the first -errno with which the console refused output
 */
struct machine_end {
	enum machine_fate fate;
	int code;
	struct crash crash;
	bool triple_fault;
	int lost_output;
};

/**
 * enum machine_step - the step of building or running a machine that failed
 * @MACHINE_STEP_OPEN: open /dev/lodge
 * @MACHINE_STEP_HOST: use this host; machine_error.info.status says why
 * @MACHINE_STEP_VM: create the VM
 * @MACHINE_STEP_MEMORY: get memory, or give it to the VM
 * @MACHINE_STEP_VCPU: create a vCPU
 * @MACHINE_STEP_DEVICES: make the devices
 * @MACHINE_STEP_BOOT: load the image; see machine_error.boot
 * @MACHINE_STEP_LOAD: load machine_config.saved
 * @MACHINE_STEP_START: set the first registers and start
 * @MACHINE_STEP_RUN: serve events
 */
enum machine_step {
	MACHINE_STEP_OPEN,
	MACHINE_STEP_HOST,
	MACHINE_STEP_VM,
	MACHINE_STEP_MEMORY,
	MACHINE_STEP_VCPU,
	MACHINE_STEP_DEVICES,
	MACHINE_STEP_BOOT,
	MACHINE_STEP_LOAD,
	MACHINE_STEP_START,
	MACHINE_STEP_RUN,
};

/**
 * struct machine_error - the reason why a machine cannot be built or run
 * @step: the step that failed
 * @boot: the reason, with MACHINE_STEP_BOOT
 * @device: with MACHINE_STEP_DEVICES: the device that could not be made, and why; its
 *	name is empty for an interrupt controller
 * @lacks: with MACHINE_STEP_LOAD or _VCPU and -EOPNOTSUPP: the feature that the processor
 *	lacks
 * @wants_khz: with MACHINE_STEP_LOAD and -ERANGE: the rate at which the guest's time stamp
 *	counters have run, which is not @info's
 * @info: answer of LODGE_GET_INFO, from MACHINE_STEP_HOST on
 */
struct machine_error {
	enum machine_step step;
	struct boot_error boot;
	struct device_error device;
	char lacks[FEATURE_NAME_SIZE];
	uint32_t wants_khz;
	struct lodge_info info;
};

struct machine;

/*
 * A machine is held or it runs.  All calls come from one thread, the machine's
 * owner.  While a machine is held, its vCPUs and its clock are stopped, and its state
 * can be read and changed.
 */

/**
 * machine_new() - build a machine, held before its first instruction
 * @machine: set to it
 * @config: its description, which must live as long as the machine
 * @error: out: on failure, the reason; also has a warning of the loader
 *
 * Its files are read now, and not again when the guest resets it.
 *
 * Return: 0 or -errno.
 */
int machine_new(struct machine **machine, const struct machine_config *config,
		struct machine_error *error);

/**
 * machine_starts_from() - true if the file is one of the machine's images, by any
 * name
 */
bool machine_starts_from(const struct machine *machine, const char *path);

/**
 * machine_free() - free a machine; NULL is fine
 */
void machine_free(struct machine *machine);

/**
 * machine_start() - connect a machine to the user and let it run; to be called once
 * @consoles: SERIAL_MAX, the hosts' ends of its serial ports; NULL: none.  One at
 *	most may be CONSOLE_STDIO
 * @error: out: on failure, the reason
 *
 * From here to machine_wait(), SIGINT, SIGTERM, SIGHUP and SIGQUIT end the
 * machine unless machine_config.signalled takes them, SIGUSR1 asks for the vCPUs'
 * state, SIGUSR2 presses the power button, SIGWINCH tells hvc0 the terminal's size,
 * and SIGTSTP puts the terminal back while the process is stopped.  With
 * CONSOLE_STDIO standard input is the guest's.
 *
 * When the guest resets the machine, its devices and vCPUs are reset in place and the
 * image is loaded again.  As in a PC, other memory keeps its contents, as does what
 * the clock's battery keeps.
 *
 * Return: 0 or -errno; the machine is still held.
 */
int machine_start(struct machine *machine, struct console *const *consoles,
		  struct machine_error *error);

/**
 * machine_wait() - wait for the end of a machine that runs, and disconnect it from
 * the user
 * @end: out: its end
 * @error: out: on failure, the reason
 *
 * Return: 0 or -errno.
 */
int machine_wait(struct machine *machine, struct machine_end *end,
		 struct machine_error *error);

/**
 * machine_ended() - get a descriptor for poll(2), for an owner that waits for other
 * things, too
 *
 * It is readable from the moment at which machine_wait() does not wait, also while
 * the machine is held.
 */
int machine_ended(const struct machine *machine);

/**
 * machine_press_power_button() - press the power button of a machine that was started;
 * one that is held sees it when it runs on
 */
void machine_press_power_button(struct machine *machine);

/**
 * machine_end() - end a machine that was started, as the user does at the console
 */
void machine_end(struct machine *machine);

/**
 * machine_leave() - end a machine that is held, and runs elsewhere now
 */
void machine_leave(struct machine *machine);

/**
 * machine_pause() - hold a machine, which may be held already
 *
 * The guest's present accesses are completed first; output waits for its reader.
 * Only the time of day shows the guest how long it was held.
 *
 * Return: 0 or -errno.  On failure the machine is held, and only machine_free() may
 * be called.  A VM that was killed is the machine's end, and not a failure.
 */
int machine_pause(struct machine *machine);

/**
 * machine_notice_kill() - look whether the VM of a held machine was killed
 *
 * While no vCPU runs, nobody tells of it.  If it was, the machine has ended.
 */
void machine_notice_kill(struct machine *machine);

/**
 * machine_resume() - let a machine that was started and is held run on
 *
 * Return: 0 or -errno.  On failure the machine is still held; if its VM was killed
 * meanwhile, that is its end, and not a failure.
 */
int machine_resume(struct machine *machine);

/**
 * machine_reset() - reset a held machine, as by its reset button
 *
 * Return: 0 or -errno.  On failure only machine_free() may be called.
 */
int machine_reset(struct machine *machine);

/**
 * machine_checkpoint() - keep the present state of a held machine in memory, in place of
 * that of an earlier checkpoint
 * @error: out: on failure, the device that cannot be put back, and why; its name is empty
 *	if it is no device's fault
 *
 * The first one copies the guest's memory, but for pages that are zero; a later one those
 * pages that were written to: so the time that this takes grows with their number.  Until
 * the checkpoint is dropped, a page costs the guest a fault when it is first written to
 * after this and after machine_rewind().
 *
 * Return: 0 or -errno: there is no checkpoint, and the machine is as before; -EOPNOTSUPP
 * a device cannot be put back.
 */
int machine_checkpoint(struct machine *machine, struct device_error *error);

/**
 * machine_rewind() - put a held machine back to its checkpoint, as often as wanted
 *
 * The time that this takes grows with the number of pages that were written to.  Its
 * clocks, too, show again what they did, but for the time of day.  What has left it, as
 * output and network frames, is not taken back, and what it was sent meanwhile is lost.
 * A machine that its guest has ended meanwhile goes on, too.
 *
 * Return: 0; -ENOENT there is no checkpoint; -ECANCELED it was ended from outside; another
 * -errno: only machine_free() may be called.
 */
int machine_rewind(struct machine *machine);

/**
 * machine_drop_checkpoint() - forget the checkpoint of a held machine, if it has one, and
 * give its memory back
 */
void machine_drop_checkpoint(struct machine *machine);

/**
 * struct machine_passes - what a machine with a checkpoint has done
 * @pass: counts the passes from the checkpoint; the first is 1; 0: there is none
 * @pages: pages of 4 KiB that the last machine_rewind(), or the guest's, has put back
 * @value: that with which the guest has last ended a pass
 */
struct machine_passes {
	uint32_t pass;
	uint64_t pages;
	uint32_t value;
};

/**
 * machine_passes() - look how often a machine was put back; any thread may
 */
struct machine_passes machine_passes(struct machine *machine);

/**
 * machine_save_state() - append the state of a held machine, all but what its RAM
 * holds, to a record
 *
 * Return: 0 or -errno.
 */
int machine_save_state(struct machine *machine, struct record *record);

/**
 * machine_load_state() - give a held machine the state of another one, with whose
 * contents its RAM is filled already
 * @record: of machine_save_state() of a machine of the same description; it is not trusted
 *
 * Return: 0; -EINVAL no such machine can have made the record; -EOPNOTSUPP this host's
 * processor lacks a feature that it needs; -ERANGE its time stamp counters run at another
 * rate; -errno.  On failure only machine_free() may be called.
 */
int machine_load_state(struct machine *machine, const struct record *record);

#endif
