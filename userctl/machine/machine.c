// SPDX-License-Identifier: GPL-2.0
/*
 * A machine: memory, vCPUs and devices, from its description to its end.
 *
 * There are four kinds of threads: the owner's, which makes all calls of machine.h;
 * the machine's, which exists while the machine is not held and runs the event loop;
 * one for each vCPU, which the machine's thread lets run and waits for; and those that take
 * signals and read a terminal, from machine_start() to machine_wait().  While a machine
 * is held, only the owner's calls change it.
 */
#include "machine/machine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "board/loop.h"
#include "boot/acpi.h"
#include "lib/client.h"
#include "machine/parts.h"
#include "machine/serials.h"
#include "machine/terminal.h"
#include "sandbox/sandbox.h"
#include "virtio/console.h"

static void count_reset(struct machine *machine)
{
	unsigned int slot = machine->resets++ % MACHINE_MANY_RESETS;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (machine->resets > MACHINE_MANY_RESETS &&
	    now.tv_sec - machine->reset_times[slot] <= MACHINE_MANY_RESETS &&
	    !machine->told_resets && machine->config->resets) {
		machine->told_resets = true;
		machine->config->resets();
	}
	machine->reset_times[slot] = now.tv_sec;
}

void machine_awake(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	machine->restart = false;
	machine->asleep = false;
	machine->woken = false;
	machine->wish = MACHINE_WISH_NONE;
	pthread_mutex_unlock(&machine->lock);
}

int machine_reset(struct machine *machine)
{
	int (*const steps[])(struct machine * machine) = {
		machine_load_image,
		machine_reset_vcpus,
		machine_start_firmware,
	};

	devices_reset(machine->devices);
	interrupts_reset(machine->interrupts);
	machine_awake(machine);
	return machine_take_steps(machine, steps,
				  sizeof(steps) / sizeof(steps[0]));
}

/* Firmware in the ROM looks for the guest's waking vector itself. */
static bool can_wake(struct machine *machine)
{
	return !machine->entry.groups ||
	       acpi_waking_entry(machine->ram, &machine->entry);
}

/*
 * Ends sleep in S3.  As after a reset, the vCPUs are in their reset state; but memory
 * and the devices with power in S3 keep theirs.
 */
static int wake(struct machine *machine)
{
	int err;

	devices_wake(machine->devices);
	interrupts_reset(machine->interrupts);
	machine_awake(machine);
	err = machine_reset_vcpus(machine);
	return err ? err : machine_start_firmware(machine);
}

static void freeze(struct machine *machine)
{
	machine_stop_vcpus(machine);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_join(*vcpu);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_ready(*vcpu);
	loop_clock_stop(machine->loop);
}

static void thaw(struct machine *machine)
{
	bool asleep;

	pthread_mutex_lock(&machine->lock);
	asleep = machine->asleep;
	pthread_mutex_unlock(&machine->lock);
	loop_clock_start(machine->loop);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !asleep; vcpu++)
		vcpu_start(*vcpu);
}

/* False if the machine's thread is to end. */
static bool is_to_serve(struct machine *machine)
{
	bool serve;

	pthread_mutex_lock(&machine->lock);
	serve = !machine->over && !machine->hold;
	pthread_mutex_unlock(&machine->lock);
	return serve;
}

static bool is_to_wake(struct machine *machine)
{
	bool wake;

	pthread_mutex_lock(&machine->lock);
	wake = machine->asleep && machine->woken && !machine->over;
	pthread_mutex_unlock(&machine->lock);
	return wake;
}

/* Return: what the guest wants, which is then taken back. */
static enum machine_wish take_wish(struct machine *machine)
{
	enum machine_wish wish;

	pthread_mutex_lock(&machine->lock);
	wish = machine->over ? MACHINE_WISH_NONE : machine->wish;
	machine->wish = MACHINE_WISH_NONE;
	pthread_mutex_unlock(&machine->lock);
	return wish;
}

static bool is_to_grant(struct machine *machine)
{
	bool grant;

	pthread_mutex_lock(&machine->lock);
	grant = machine->wish != MACHINE_WISH_NONE;
	pthread_mutex_unlock(&machine->lock);
	return grant;
}

static bool is_to_restart(struct machine *machine)
{
	bool restart;

	pthread_mutex_lock(&machine->lock);
	restart = machine->restart && !machine->over;
	pthread_mutex_unlock(&machine->lock);
	return restart;
}

/* Shows the vCPUs to the user.  The guest does not notice: its clock stands still. */
void machine_show(void *opaque)
{
	struct machine *machine = opaque;
	struct crash *state = calloc(1, sizeof(*state));
	struct vcpu_exit last;

	if (!state || !machine->config->show) {
		free(state);
		return;
	}
	freeze(machine);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++) {
		crash_take(state, vcpu_fd(*vcpu), vcpu_id(*vcpu),
			   vcpu_run_page(*vcpu), 0, machine->ram);
		last = vcpu_last_exit(*vcpu);
		machine->config->show(state, &last);
	}
	free(state);
	/* The guest may have ended or reset the machine meanwhile. */
	if (is_to_serve(machine) && !is_to_restart(machine) &&
	    !is_to_grant(machine))
		thaw(machine);
}

/* Runs the machine until it ends, is reset, sleeps, wakes, or is to be held. */
static int execute(struct machine *machine)
{
	int err;

	/* After a reset, or a load, the serial ports may have room. */
	for (size_t i = 0; i < SERIAL_MAX; i++)
		machine_drained(&machine->serials[i]);
	thaw(machine);
	err = loop_run(machine->loop);
	freeze(machine);
	return err ? machine_fail(machine, MACHINE_STEP_RUN, err) : 0;
}

/*
 * All calls on a VM that was killed fail with ECANCELED.  That is the machine's end.
 *
 * Return: 0 if @err is that; otherwise @err.
 */
static int unless_killed(struct machine *machine, int err)
{
	if (err != -ECANCELED)
		return err;
	machine_killed(machine);
	return 0;
}

/* The machine's thread.  When it ends, all vCPUs and the clock are stopped. */
static void *serve(void *opaque)
{
	struct machine *machine = opaque;
	int err = 0;

	sandbox_thread(SANDBOX_LOOP);
	while (!err && is_to_serve(machine)) {
		err = execute(machine);
		if (!err)
			err = machine_grant(machine, take_wish(machine));
		/* A guest without a waking vector is reset, or ends as by a reset. */
		if (!err && is_to_wake(machine) && !can_wake(machine))
			machine_power(machine, POWER_RESET, 0);
		if (!err && is_to_restart(machine)) {
			count_reset(machine);
			err = machine_reset(machine);
		} else if (!err && is_to_wake(machine)) {
			err = wake(machine);
		}
	}
	machine->failure = unless_killed(machine, err);
	if (machine->failure)
		eventfd_write(machine->ended, 1);
	return NULL;
}

/* Ends the machine's thread.  Return: 0, or -errno if it had failed before. */
static int hold(struct machine *machine)
{
	if (!machine->running)
		return 0;
	pthread_mutex_lock(&machine->lock);
	machine->hold = true;
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	pthread_join(machine->thread, NULL);
	machine->running = false;
	pthread_mutex_lock(&machine->lock);
	machine->hold = false;
	pthread_mutex_unlock(&machine->lock);
	return machine->failure;
}

int machine_pause(struct machine *machine)
{
	int err = hold(machine);

	if (!err)
		err = devices_hold(machine->devices);
	return err ? err : unless_killed(machine, held_take(&machine->held));
}

void machine_notice_kill(struct machine *machine)
{
	struct lodge_clock clock;

	if (!machine->running)
		unless_killed(machine, lodge_clock_get(machine->vm, &clock));
}

int machine_resume(struct machine *machine)
{
	int err;

	if (machine->running)
		return 0;
	err = held_give(&machine->held);
	if (err)
		return unless_killed(machine, err);
	err = devices_release(machine->devices);
	if (!err)
		err = -pthread_create(&machine->thread, NULL, serve, machine);
	machine->running = !err;
	if (err)
		devices_hold(machine->devices);
	return err;
}

static size_t room_in_serial(void *port)
{
	return serial_room(port);
}

static size_t receive_by_serial(void *port, const void *bytes, size_t size)
{
	return serial_receive(port, bytes, size);
}

void machine_tell_size(struct machine *machine)
{
	void *hvc = devices_get(machine->devices, &virtio_console_device, 0);
	uint16_t cols, rows;

	if (hvc && machine->serials[0].console &&
	    console_is_terminal(machine->serials[0].console) &&
	    terminal_size(&cols, &rows))
		virtio_console_resize(hvc, cols, rows);
}

/* The first console's input goes to hvc0 instead, if the user wants that. */
static int start_input(struct machine *machine, size_t port)
{
	struct machine_serial *serial = &machine->serials[port];
	void *hvc = devices_get(machine->devices, &virtio_console_device, 0);
	const bool to_hvc = !port && hvc && virtio_console_takes_input(hvc);
	const struct input_config config = {
		.console = serial->console,
		.loop = machine->loop,
		.room = to_hvc ? virtio_console_room : room_in_serial,
		.receive = to_hvc ? virtio_console_receive : receive_by_serial,
		.port = to_hvc ? hvc :
				 serials_get(machine->devices,
					     &machine->config->devices, port),
		.quit = machine_quit,
		.info = machine_show,
		.power = machine_press,
		.help = machine->config->help,
		.opaque = machine,
	};

	if (!serial->console || !config.port)
		return 0;
	return input_start(&serial->input, &config);
}

static int start_inputs(struct machine *machine)
{
	int err = 0;

	for (size_t i = 0; i < SERIAL_MAX && !err; i++)
		err = start_input(machine, i);
	machine_tell_size(machine);
	return err ? machine_fail(machine, MACHINE_STEP_DEVICES, err) : 0;
}

static bool has_terminal(const struct machine *machine)
{
	bool found = false;

	for (size_t i = 0; i < SERIAL_MAX && !found; i++)
		found = machine->serials[i].console &&
			console_is_terminal(machine->serials[i].console);
	return found;
}

/* Lets signals end the machine, and takes over the terminal. */
static int open_to_the_user(struct machine *machine)
{
	int err = signals_start(&machine->signals, machine_signal, machine);

	if (!err && has_terminal(machine))
		err = terminal_raw();
	return err ? machine_fail(machine, MACHINE_STEP_RUN, err) : 0;
}

static void close_to_the_user(struct machine *machine)
{
	terminal_restore();
	signals_stop(machine->signals);
	machine->signals = NULL;
	for (size_t i = 0; i < SERIAL_MAX; i++) {
		input_free(machine->serials[i].input);
		machine->serials[i].input = NULL;
	}
}

/* From here on every thread is confined: those of vCPUs that come first by their filter. */
static int make_threads(struct machine *machine)
{
	int err = 0;

	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_make_thread(*vcpu);
	sandbox_thread(SANDBOX_OWNER);
	return err ? machine_fail(machine, MACHINE_STEP_START, err) : 0;
}

int machine_start(struct machine *machine, struct console *const *consoles,
		  struct machine_error *error)
{
	int err;

	for (size_t i = 0; i < SERIAL_MAX; i++)
		machine->serials[i].console = consoles[i];
	err = make_threads(machine);
	if (!err)
		err = open_to_the_user(machine);
	if (!err)
		err = start_inputs(machine);
	if (!err) {
		err = machine_resume(machine);
		if (err)
			machine_fail(machine, MACHINE_STEP_START, err);
	}
	if (err)
		close_to_the_user(machine);
	*error = machine->error;
	return err;
}

int machine_save_state(struct machine *machine, struct record *record)
{
	int err = devices_hold(machine->devices);

	machine->held.asleep = machine->asleep;
	return err ? err : held_save(&machine->held, record);
}

/* The state of a reset, but for memory: the image is not loaded again. */
static int clear(struct machine *machine)
{
	devices_reset(machine->devices);
	interrupts_reset(machine->interrupts);
	machine_awake(machine);
	return machine_reset_vcpus(machine);
}

int machine_load_state(struct machine *machine, const struct record *record)
{
	int err = devices_hold(machine->devices);

	machine_drop_checkpoint(machine);
	if (!err)
		err = clear(machine);
	if (!err)
		err = held_load(&machine->held, record);
	machine->asleep = !err && machine->held.asleep;
	return err;
}

int machine_ended(const struct machine *machine)
{
	return machine->ended;
}

int machine_wait(struct machine *machine, struct machine_end *end,
		 struct machine_error *error)
{
	if (machine->running)
		pthread_join(machine->thread, NULL);
	machine->running = false;
	close_to_the_user(machine);
	*end = machine->end;
	*error = machine->error;
	return machine->failure;
}

int machine_new(struct machine **machine, const struct machine_config *config,
		struct machine_error *error)
{
	struct machine *new = calloc(1, sizeof(*new));
	int err;

	memset(error, 0, sizeof(*error));
	if (!new)
		return -ENOMEM;
	new->config = config;
	new->vm = -1;
	new->ended = -1;
	pthread_mutex_init(&new->lock, NULL);
	err = machine_build(new);
	*error = new->error;
	if (err) {
		machine_free(new);
		return err;
	}
	*machine = new;
	return 0;
}

bool machine_starts_from(const struct machine *machine, const char *path)
{
	return image_store_has(&machine->images, path);
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	hold(machine);
	close_to_the_user(machine);
	machine_drop_checkpoint(machine);
	machine_free_vm(machine);
	devices_free(machine->devices);
	interrupts_free(machine->interrupts);
	pci_bus_free(machine->board.pci);
	bus_free(machine->board.bus);
	loop_free(machine->loop);
	image_store_free(&machine->images);
	ram_free(machine->ram);
	if (machine->ended >= 0)
		close(machine->ended);
	pthread_mutex_destroy(&machine->lock);
	free(machine);
}
