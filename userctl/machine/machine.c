// SPDX-License-Identifier: GPL-2.0
/*
 * A machine: memory, vCPUs and devices, from its description to its end.
 *
 * Four kinds of threads meet here: the owner's, which makes every call of
 * machine.h; the machine's own, which exists while the machine is not held and
 * serves the event loop; one for each vCPU, which the machine's thread starts and
 * joins; and the one that takes signals, from machine_start() to machine_wait().
 * So while a machine is held, nothing of it changes but by the owner's calls.
 */
#include "machine/machine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "board/loop.h"
#include "dev/serial.h"
#include "lib/client.h"
#include "machine/devices.h"
#include "machine/firmware.h"
#include "machine/input.h"
#include "machine/interrupts.h"
#include "machine/memory.h"
#include "machine/signals.h"
#include "machine/terminal.h"
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
 * @lock: guards @hold, @over, @restart and @end; a leaf
 * @hold: the owner wants to hold it
 * @over: it has ended, and @end says how
 * @restart: the guest has reset it; cleared once that is done
 * @ram: memory
 * @images: the files that it starts from
 * @loop: event loop and clock
 * @show: armed when the user wants to see the vCPUs
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
	struct ram *ram;
	struct image_store images;
	struct loop *loop;
	struct loop_timer *show;
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
};

static void stop_vcpus(struct machine *machine)
{
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_stop(*vcpu);
}

/* The first end counts; the caller holds the lock. */
static void set_end(struct machine *machine, enum machine_fate fate, int code)
{
	if (machine->over)
		return;
	machine->over = true;
	machine->end.fate = fate;
	machine->end.code = code;
}

/* An end from outside: it counts even when the guest is being reset. */
static void end_from_outside(struct machine *machine, enum machine_fate fate,
			     int code)
{
	pthread_mutex_lock(&machine->lock);
	set_end(machine, fate, code);
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	console_hang_up(machine->console);
}

static void signal_received(void *opaque, int number)
{
	struct machine *machine = opaque;

	if (number == SIGUSR1)
		loop_timer_arm(machine->show, 0);
	else
		end_from_outside(machine, MACHINE_SIGNALLED, number);
}

static void quit(void *opaque)
{
	end_from_outside(opaque, MACHINE_QUIT, 0);
}

/*
 * The guest ends or resets the machine.  What it does after the first such wish
 * no longer counts; its vCPUs do not even get to execute another instruction
 * after the exit that they handle now.
 */
static void power_event(void *opaque, enum power_event event, int code)
{
	struct machine *machine = opaque;

	pthread_mutex_lock(&machine->lock);
	if (!machine->restart) {
		switch (event) {
		case POWER_OFF:
			set_end(machine, MACHINE_POWERED_OFF, 0);
			break;
		case POWER_EXIT:
			set_end(machine, MACHINE_EXITED, code);
			break;
		case POWER_RESET:
			if (machine->config->no_reboot)
				set_end(machine, MACHINE_RESET, 0);
			else
				machine->restart = true;
			break;
		}
	}
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	stop_vcpus(machine);
}

/* The processor has shut down: a PC's board answers by a reset. */
static void triple_fault(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	/* Only the event that ends the machine says how. */
	if (!machine->restart && !machine->over && machine->config->no_reboot) {
		set_end(machine, MACHINE_RESET, 0);
		machine->end.triple_fault = true;
	}
	pthread_mutex_unlock(&machine->lock);
	power_event(machine, POWER_RESET, 0);
}

static void vcpu_dead(void *opaque, struct vcpu *vcpu, int error)
{
	struct machine *machine = opaque;

	if (!error && vcpu_run_page(vcpu)->reason == LODGE_EXIT_SHUTDOWN &&
	    !machine->config->stop_on_crash) {
		triple_fault(machine);
		return;
	}
	pthread_mutex_lock(&machine->lock);
	if (!machine->restart && !machine->over) {
		set_end(machine, MACHINE_CRASHED, 0);
		crash_take(&machine->end.crash, vcpu_fd(vcpu), vcpu_id(vcpu),
			   vcpu_run_page(vcpu), error, machine->ram);
	}
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
}

static void kick_first(void *opaque)
{
	struct machine *machine = opaque;

	if (machine->vcpus[0])
		vcpu_kick(machine->vcpus[0]);
}

static void serial_output(void *opaque, const void *bytes, size_t size)
{
	struct machine *machine = opaque;
	int err = console_write(machine->console, bytes, size);

	if (!err)
		return;
	pthread_mutex_lock(&machine->lock);
	if (!machine->end.lost_output)
		machine->end.lost_output = err;
	pthread_mutex_unlock(&machine->lock);
	/* Nobody reads any more: end as any program in a pipeline does. */
	if (err == -EPIPE)
		end_from_outside(machine, MACHINE_SIGNALLED, SIGPIPE);
}

static void serial_drained(void *opaque)
{
	struct machine *machine = opaque;

	input_drained(machine->input);
}

static int fail(struct machine *machine, enum machine_step step, int err)
{
	machine->error.step = step;
	return err;
}

static int build_loop(struct machine *machine)
{
	machine->loop = loop_new();
	if (!machine->loop)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	loop_clock_stop(machine->loop);
	return 0;
}

static void show(void *opaque);

static int build_show(struct machine *machine)
{
	machine->show = loop_timer_new(machine->loop, show, machine);
	if (!machine->show)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

static int build_ram(struct machine *machine)
{
	machine->ram = ram_new(machine->config->memory);
	if (!machine->ram)
		return fail(machine, MACHINE_STEP_MEMORY, -errno);
	return 0;
}

static int load_image(struct machine *machine)
{
	int err = boot_load(machine->ram, &machine->config->boot,
			    &machine->images, &machine->entry,
			    &machine->error.boot);

	return err ? fail(machine, MACHINE_STEP_BOOT, err) : 0;
}

/* The VM outlives the descriptor of /dev/lodge. */
static int create_vm(struct machine *machine, int lodge)
{
	struct lodge_info *info = &machine->error.info;
	int err = lodge_info(lodge, info);

	if (err)
		return fail(machine, MACHINE_STEP_OPEN, err);
	if (info->abi_version != LODGE_ABI_VERSION ||
	    info->status != LODGE_STATUS_READY)
		return fail(machine, MACHINE_STEP_HOST, -ENODEV);
	machine->vm = lodge_vm_create(lodge);
	if (machine->vm >= 0)
		return 0;
	/* Another hypervisor may have been faster: the reason is news. */
	lodge_info(lodge, info);
	return fail(machine,
		    info->status == LODGE_STATUS_READY ? MACHINE_STEP_VM :
							 MACHINE_STEP_HOST,
		    machine->vm);
}

static int build_vm(struct machine *machine)
{
	int lodge = lodge_open();
	int err;

	if (lodge < 0)
		return fail(machine, MACHINE_STEP_OPEN, lodge);
	err = create_vm(machine, lodge);
	close(lodge);
	if (err)
		return err;
	err = memory_map(machine->vm, machine->ram);
	return err ? fail(machine, MACHINE_STEP_MEMORY, err) : 0;
}

static int build_board(struct machine *machine)
{
	const struct interrupts_config interrupts = {
		.kick = kick_first,
		.opaque = machine,
	};

	machine->board = (struct board){
		.bus = bus_new(),
		.loop = machine->loop,
		.ram = machine->ram,
		.power = { .event = power_event, .opaque = machine },
		.cpus = machine->config->boot.cpus,
		.output = serial_output,
		.drained = serial_drained,
		.opaque = machine,
	};
	if (!machine->board.bus)
		return fail(machine, MACHINE_STEP_DEVICES, -ENOMEM);
	machine->interrupts = interrupts_new(&interrupts, &machine->board);
	if (!machine->interrupts)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

static int build_devices(struct machine *machine)
{
	machine->devices = devices_new(&machine->board,
				       &machine->config->devices,
				       &machine->error.device);
	if (!machine->devices)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

static int start_input(struct machine *machine)
{
	const struct input_config config = {
		.console = machine->console,
		.loop = machine->loop,
		.serial = devices_get(machine->devices, &serial_device),
		.quit = quit,
		.info = show,
		.help = machine->config->help,
		.opaque = machine,
	};
	int err = input_start(&machine->input, &config);

	return err ? fail(machine, MACHINE_STEP_DEVICES, err) : 0;
}

static int build_vcpus(struct machine *machine)
{
	int err;

	machine->host = (struct vcpu_host){
		.vm = machine->vm,
		.xsave_size = machine->error.info.xsave_size,
		.bus = machine->board.bus,
		.interrupts = machine->interrupts,
		.dead = vcpu_dead,
		.opaque = machine,
	};
	interrupts_set_vm(machine->interrupts, machine->vm);
	for (unsigned int id = 0; id < machine->config->boot.cpus; id++) {
		err = vcpu_new(&machine->vcpus[id], &machine->host, id);
		if (err)
			return fail(machine, MACHINE_STEP_VCPU, err);
	}
	return 0;
}

/* What firmware does to processors that have been reset. */
static int start_firmware(struct machine *machine)
{
	struct vcpu **vcpus = machine->vcpus;
	int err = 0;

	for (struct vcpu **vcpu = vcpus; *vcpu && !err; vcpu++)
		err = firmware_cache(vcpu_fd(*vcpu));
	if (!err)
		err = firmware_leave(vcpu_fd(vcpus[0]), &machine->entry);
	return err ? fail(machine, MACHINE_STEP_START, err) : 0;
}

static int reset_vcpus(struct machine *machine)
{
	int err = 0;

	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_reset(*vcpu);
	return err ? fail(machine, MACHINE_STEP_START, err) : 0;
}

static void free_vm(struct machine *machine)
{
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++) {
		vcpu_free(*vcpu);
		*vcpu = NULL;
	}
	if (machine->interrupts)
		interrupts_set_vm(machine->interrupts, -1);
	if (machine->vm >= 0)
		close(machine->vm);
	machine->vm = -1;
}

/* Takes steps in their order until one fails. */
static int take_steps(struct machine *machine,
		      int (*const steps[])(struct machine *machine),
		      size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = steps[i](machine);
	return err;
}

static int build(struct machine *machine)
{
	int (*const steps[])(struct machine * machine) = {
		build_loop,    build_show,  build_ram,
		load_image,    build_vm,    build_board,
		build_devices, build_vcpus, start_firmware,
	};

	return take_steps(machine, steps, sizeof(steps) / sizeof(steps[0]));
}

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

int machine_reset(struct machine *machine)
{
	int (*const steps[])(struct machine * machine) = {
		load_image,
		reset_vcpus,
		start_firmware,
	};

	devices_reset(machine->devices);
	interrupts_reset(machine->interrupts);
	pthread_mutex_lock(&machine->lock);
	machine->restart = false;
	pthread_mutex_unlock(&machine->lock);
	return take_steps(machine, steps, sizeof(steps) / sizeof(steps[0]));
}

static void freeze(struct machine *machine)
{
	stop_vcpus(machine);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_join(*vcpu);
	loop_clock_stop(machine->loop);
}

static int thaw(struct machine *machine)
{
	int err = 0;

	loop_clock_start(machine->loop);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_start(*vcpu);
	if (err)
		freeze(machine);
	return err;
}

/* True unless the machine's thread is to end. */
static bool is_to_serve(struct machine *machine)
{
	bool serve;

	pthread_mutex_lock(&machine->lock);
	serve = !machine->over && !machine->hold;
	pthread_mutex_unlock(&machine->lock);
	return serve;
}

static bool is_to_restart(struct machine *machine)
{
	bool restart;

	pthread_mutex_lock(&machine->lock);
	restart = machine->restart && !machine->over;
	pthread_mutex_unlock(&machine->lock);
	return restart;
}

/* The user wants to see the vCPUs; the guest does not notice. */
static void show(void *opaque)
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
	if (is_to_serve(machine) && !is_to_restart(machine))
		machine->failure = thaw(machine);
	if (machine->failure)
		loop_stop(machine->loop);
}

/* Run it until the guest resets it, it ends, or it is to be held. */
static int execute(struct machine *machine)
{
	enum machine_step step = MACHINE_STEP_START;
	int err;

	/* A reset, or a state that was loaded, may have made room. */
	input_drained(machine->input);
	err = thaw(machine);
	if (!err) {
		step = MACHINE_STEP_RUN;
		err = loop_run(machine->loop);
	}
	if (machine->failure) {
		step = MACHINE_STEP_START;
		err = machine->failure;
	}
	freeze(machine);
	return err ? fail(machine, step, err) : 0;
}

/* The machine's thread.  When it ends, all stands still. */
static void *serve(void *opaque)
{
	struct machine *machine = opaque;
	int err = 0;

	while (!err && is_to_serve(machine)) {
		err = execute(machine);
		if (!err && is_to_restart(machine)) {
			count_reset(machine);
			err = machine_reset(machine);
		}
	}
	machine->failure = err;
	return NULL;
}

void machine_pause(struct machine *machine)
{
	if (!machine->running)
		return;
	pthread_mutex_lock(&machine->lock);
	machine->hold = true;
	loop_stop(machine->loop);
	pthread_mutex_unlock(&machine->lock);
	pthread_join(machine->thread, NULL);
	machine->running = false;
	pthread_mutex_lock(&machine->lock);
	machine->hold = false;
	pthread_mutex_unlock(&machine->lock);
}

int machine_resume(struct machine *machine)
{
	int err;

	if (machine->running)
		return 0;
	err = pthread_create(&machine->thread, NULL, serve, machine);
	machine->running = !err;
	return -err;
}

/* From outside, a machine that has been built can end from here on. */
static int open_to_the_user(struct machine *machine)
{
	int err = signals_start(&machine->signals, signal_received, machine);

	if (!err && console_is_terminal(machine->console))
		err = terminal_raw();
	return err ? fail(machine, MACHINE_STEP_RUN, err) : 0;
}

static void close_to_the_user(struct machine *machine)
{
	terminal_restore();
	signals_stop(machine->signals);
	machine->signals = NULL;
	input_free(machine->input);
	machine->input = NULL;
}

int machine_start(struct machine *machine, struct console *console,
		  struct machine_error *error)
{
	int err;

	machine->console = console;
	err = open_to_the_user(machine);
	if (!err)
		err = start_input(machine);
	if (!err) {
		err = machine_resume(machine);
		if (err)
			fail(machine, MACHINE_STEP_START, err);
	}
	if (err)
		close_to_the_user(machine);
	*error = machine->error;
	return err;
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
	pthread_mutex_init(&new->lock, NULL);
	err = build(new);
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
	machine_pause(machine);
	close_to_the_user(machine);
	free_vm(machine);
	devices_free(machine->devices);
	interrupts_free(machine->interrupts);
	bus_free(machine->board.bus);
	loop_free(machine->loop);
	image_store_free(&machine->images);
	ram_free(machine->ram);
	pthread_mutex_destroy(&machine->lock);
	free(machine);
}
