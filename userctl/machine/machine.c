// SPDX-License-Identifier: GPL-2.0
/*
 * A machine: memory, vCPUs and devices, from its description to its end.
 *
 * Three kinds of threads meet here: the caller's, which builds the machine,
 * serves its event loop and takes it apart; one for each vCPU, which exists
 * between machine_execute()'s begin and end; and the one that takes signals,
 * which outlives resets.
 */
#include "machine/machine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev/rtc.h"
#include "lib/client.h"
#include "machine/devices.h"
#include "machine/firmware.h"
#include "machine/input.h"
#include "machine/interrupts.h"
#include "board/loop.h"
#include "machine/memory.h"
#include "machine/signals.h"
#include "machine/terminal.h"
#include "machine/vcpu.h"

/**
 * struct machine - a machine
 * @config: its description
 * @end: how it ended; guarded by @lock until all threads are gone
 * @error: why it could not go on
 * @signals: taker of signals
 * @lock: guards @over, @restart, the pointer @loop and @end; a leaf
 * @over: it has ended, and @end says how
 * @restart: the guest has reset it; cleared by building it anew
 * @ram: memory
 * @battery: what the clock keeps
 * @loop: here begins what is made anew with each reset
 * @entry: registers of vCPU 0 at the start
 * @vm: descriptor, or -1
 * @bus: ports and memory-mapped registers
 * @interrupts: interrupt controllers
 * @devices: all other devices
 * @host: what the vCPUs know
 * @vcpus: by number; the first NULL ends them
 * @input: what is typed
 */
struct machine {
	const struct machine_config *config;
	struct machine_end *end;
	struct machine_error *error;
	struct signals *signals;
	pthread_mutex_t lock;
	bool over;
	bool restart;
	struct ram *ram;
	struct rtc_battery battery;
	struct loop *loop;
	struct boot_entry entry;
	int vm;
	struct bus *bus;
	struct interrupts *interrupts;
	struct devices devices;
	struct vcpu_host host;
	struct vcpu *vcpus[LODGE_MAX_VCPUS + 1];
	struct input *input;
};

static void stop_vcpus(struct machine *machine)
{
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_stop(*vcpu);
}

/* Let the loop return; the caller holds the lock. */
static void stop_loop(struct machine *machine)
{
	if (machine->loop)
		loop_stop(machine->loop);
}

/* The first end counts; the caller holds the lock. */
static void set_end(struct machine *machine, enum machine_fate fate, int code)
{
	if (machine->over)
		return;
	machine->over = true;
	machine->end->fate = fate;
	machine->end->code = code;
}

/* An end from outside: it counts even when the guest is being reset. */
static void end_from_outside(struct machine *machine, enum machine_fate fate,
			     int code)
{
	pthread_mutex_lock(&machine->lock);
	set_end(machine, fate, code);
	stop_loop(machine);
	pthread_mutex_unlock(&machine->lock);
	console_hang_up(machine->config->console);
}

static void signal_received(void *opaque, int number)
{
	end_from_outside(opaque, MACHINE_SIGNALLED, number);
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
	stop_loop(machine);
	pthread_mutex_unlock(&machine->lock);
	stop_vcpus(machine);
}

/* The processor has shut down: a PC's board answers by a reset. */
static void triple_fault(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	if (!machine->restart && !machine->over)
		machine->end->triple_fault = machine->config->no_reboot;
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
		crash_take(&machine->end->crash, vcpu_fd(vcpu), vcpu_id(vcpu),
			   vcpu_run_page(vcpu), error, machine->ram);
	}
	stop_loop(machine);
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
	int err = console_write(machine->config->console, bytes, size);

	if (!err)
		return;
	pthread_mutex_lock(&machine->lock);
	if (!machine->end->lost_output)
		machine->end->lost_output = err;
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
	machine->error->step = step;
	return err;
}

static int build_loop(struct machine *machine)
{
	struct loop *loop = loop_new();

	if (!loop)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	pthread_mutex_lock(&machine->lock);
	machine->loop = loop;
	machine->restart = false;
	pthread_mutex_unlock(&machine->lock);
	return 0;
}

/* Once: what is in memory outlives a reset. */
static int build_ram(struct machine *machine)
{
	if (machine->ram)
		return 0;
	machine->ram = ram_new(machine->config->memory);
	if (!machine->ram)
		return fail(machine, MACHINE_STEP_MEMORY, -errno);
	return 0;
}

static int load_image(struct machine *machine)
{
	int err = boot_load(machine->ram, &machine->config->boot,
			    &machine->entry, &machine->error->boot);

	return err ? fail(machine, MACHINE_STEP_BOOT, err) : 0;
}

/* The VM outlives the descriptor of /dev/lodge. */
static int create_vm(struct machine *machine, int lodge)
{
	struct lodge_info *info = &machine->error->info;
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
	struct interrupts_config interrupts = {
		.vm = machine->vm,
		.kick = kick_first,
		.opaque = machine,
	};

	machine->bus = bus_new();
	if (!machine->bus)
		return fail(machine, MACHINE_STEP_DEVICES, -ENOMEM);
	interrupts.bus = machine->bus;
	machine->interrupts = interrupts_new(&interrupts);
	if (!machine->interrupts)
		return fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

static int build_devices(struct machine *machine)
{
	const struct devices_config config = {
		.bus = machine->bus,
		.loop = machine->loop,
		.interrupts = machine->interrupts,
		.ram = machine->ram,
		.battery = &machine->battery,
		.power = { .event = power_event, .opaque = machine },
		.cpus = machine->config->boot.cpus,
		.testdev = machine->config->testdev,
		.output = serial_output,
		.drained = serial_drained,
		.opaque = machine,
	};
	int err = devices_new(&machine->devices, &config);

	return err ? fail(machine, MACHINE_STEP_DEVICES, err) : 0;
}

static int build_input(struct machine *machine)
{
	const struct input_config config = {
		.console = machine->config->console,
		.loop = machine->loop,
		.serial = machine->devices.serial,
		.quit = quit,
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
		.bus = machine->bus,
		.interrupts = machine->interrupts,
		.dead = vcpu_dead,
		.opaque = machine,
	};
	for (unsigned int id = 0; id < machine->config->boot.cpus; id++) {
		err = vcpu_new(&machine->vcpus[id], &machine->host, id);
		if (err)
			return fail(machine, MACHINE_STEP_VCPU, err);
		err = firmware_cache(vcpu_fd(machine->vcpus[id]));
		if (err)
			return fail(machine, MACHINE_STEP_START, err);
	}
	err = firmware_leave(vcpu_fd(machine->vcpus[0]), &machine->entry);
	return err ? fail(machine, MACHINE_STEP_START, err) : 0;
}

/* In this order; dismantle() takes back whatever has been built but memory. */
static int build(struct machine *machine)
{
	int (*const steps[])(struct machine * machine) = {
		build_loop,  build_ram,	    load_image,	 build_vm,
		build_board, build_devices, build_input, build_vcpus,
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
		err = steps[i](machine);
	return err;
}

static void dismantle(struct machine *machine)
{
	struct loop *loop = machine->loop;

	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++) {
		vcpu_free(*vcpu);
		*vcpu = NULL;
	}
	input_free(machine->input);
	machine->input = NULL;
	devices_free(&machine->devices);
	memset(&machine->devices, 0, sizeof(machine->devices));
	interrupts_free(machine->interrupts);
	machine->interrupts = NULL;
	bus_free(machine->bus);
	machine->bus = NULL;
	if (machine->vm >= 0)
		close(machine->vm);
	machine->vm = -1;
	pthread_mutex_lock(&machine->lock);
	machine->loop = NULL;
	pthread_mutex_unlock(&machine->lock);
	if (loop)
		loop_free(loop);
}

/* Run it until the guest resets it or it ends. */
static int execute(struct machine *machine)
{
	enum machine_step step = MACHINE_STEP_START;
	int err = 0;

	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_start(*vcpu);
	if (!err) {
		step = MACHINE_STEP_RUN;
		err = loop_run(machine->loop);
	}
	stop_vcpus(machine);
	for (struct vcpu **vcpu = machine->vcpus; *vcpu; vcpu++)
		vcpu_join(*vcpu);
	return err ? fail(machine, step, err) : 0;
}

static bool is_over(struct machine *machine)
{
	bool over;

	pthread_mutex_lock(&machine->lock);
	over = machine->over;
	pthread_mutex_unlock(&machine->lock);
	return over;
}

/* From outside, a machine that has been built can end from here on. */
static int open_to_the_user(struct machine *machine)
{
	int err = signals_start(&machine->signals, signal_received, machine);

	if (!err && console_is_terminal(machine->config->console))
		err = terminal_raw();
	return err ? fail(machine, MACHINE_STEP_RUN, err) : 0;
}

static int run_to_the_end(struct machine *machine)
{
	int err = build(machine);

	if (!err)
		err = open_to_the_user(machine);
	while (!err && !is_over(machine)) {
		err = execute(machine);
		if (err || is_over(machine))
			break;
		dismantle(machine);
		err = build(machine);
	}
	terminal_restore();
	signals_stop(machine->signals);
	dismantle(machine);
	ram_free(machine->ram);
	return err;
}

int machine_run(const struct machine_config *config, struct machine_end *end,
		struct machine_error *error)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	int err;

	memset(end, 0, sizeof(*end));
	memset(error, 0, sizeof(*error));
	if (!machine)
		return -ENOMEM;
	machine->config = config;
	machine->end = end;
	machine->error = error;
	machine->vm = -1;
	pthread_mutex_init(&machine->lock, NULL);
	err = run_to_the_end(machine);
	pthread_mutex_destroy(&machine->lock);
	free(machine);
	return err;
}
