// SPDX-License-Identifier: GPL-2.0
/*
 * Builds a machine from its description.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <x86intrin.h>

#include "board/loop.h"
#include "boot/seabios.h"
#include "dev/fwcfg.h"
#include "lib/client.h"
#include "machine/doorbells.h"
#include "machine/firmware.h"
#include "machine/overlays.h"
#include "machine/parts.h"
#include "machine/serials.h"

int machine_fail(struct machine *machine, enum machine_step step, int err)
{
	machine->error.step = step;
	return err;
}

static int build_loop(struct machine *machine)
{
	machine->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	machine->loop = loop_new();
	if (!machine->loop || machine->ended < 0)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -errno);
	loop_clock_stop(machine->loop);
	return 0;
}

static int build_wishes(struct machine *machine)
{
	machine->show = loop_timer_new(machine->loop, machine_show, machine);
	machine->press = loop_timer_new(machine->loop, machine_press, machine);
	machine->general =
		loop_timer_new(machine->loop, machine_raise_general, machine);
	if (!machine->show || !machine->press || !machine->general)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

/* What a device gives to another process must be a file. */
static enum ram_backing backing_of(const struct machine_config *config)
{
	const struct devices_wanted *devices = &config->devices;

	for (size_t i = 0; i < devices->count; i++)
		if (devices->wishes[i].kind->shares_ram &&
		    config->backing == RAM_ANONYMOUS)
			return RAM_MEMFD;
	return config->backing;
}

static int build_ram(struct machine *machine)
{
	const struct machine_config *config = machine->config;
	const struct machine_saved *saved = config->saved;

	machine->ram =
		saved && !saved->comes_later ?
			ram_new_mapped(config->memory, backing_of(config),
				       saved->fd, saved->memory) :
			ram_new_backed(config->memory, backing_of(config));
	if (!machine->ram)
		return machine_fail(machine, MACHINE_STEP_MEMORY, -errno);
	return 0;
}

/* The images of a saved machine, which no reset looks for elsewhere. */
static int take_images(struct machine *machine)
{
	const struct machine_saved *saved = machine->config->saved;
	int err = 0;

	for (size_t i = 0; i < saved->nr_images && !err; i++)
		err = image_store_put(&machine->images, saved->images[i].path,
				      saved->fd, saved->images[i].offset,
				      saved->images[i].size,
				      &machine->error.boot);
	return err;
}

/* Memory has the image, or what has become of it. */
static int build_resume(struct machine *machine)
{
	int err = take_images(machine);

	if (!err)
		err = boot_resume(&machine->config->boot, &machine->images,
				  &machine->entry, &machine->error.boot);
	return err ? machine_fail(machine, MACHINE_STEP_BOOT, err) : 0;
}

static int build_image(struct machine *machine)
{
	return machine->config->saved ? build_resume(machine) :
					machine_load_image(machine);
}

int machine_load_image(struct machine *machine)
{
	struct boot_options options = machine->config->boot;
	int err;

	options.serials = serials_wanted(&machine->config->devices);
	err = boot_load(machine->ram, &options, &machine->images,
			&machine->entry, &machine->error.boot);

	return err ? machine_fail(machine, MACHINE_STEP_BOOT, err) : 0;
}

/* The caller may close /dev/lodge afterwards: the VM stays. */
static int create_vm(struct machine *machine, int lodge)
{
	struct lodge_info *info = &machine->error.info;
	int err = lodge_info(lodge, info);

	if (err)
		return machine_fail(machine, MACHINE_STEP_OPEN, err);
	if (info->abi_version != LODGE_ABI_VERSION ||
	    info->status != LODGE_STATUS_READY)
		return machine_fail(machine, MACHINE_STEP_HOST, -ENODEV);
	machine->vm = lodge_vm_create_named(lodge, machine->config->name);
	if (machine->vm >= 0)
		return 0;
	/* Another hypervisor may have started meanwhile: get the new status. */
	lodge_info(lodge, info);
	return machine_fail(machine,
			    info->status == LODGE_STATUS_READY ?
				    MACHINE_STEP_VM :
				    MACHINE_STEP_HOST,
			    machine->vm);
}

static int build_vm(struct machine *machine)
{
	int lodge = lodge_open();
	int err;

	if (lodge < 0)
		return machine_fail(machine, MACHINE_STEP_OPEN, lodge);
	err = create_vm(machine, lodge);
	close(lodge);
	if (err)
		return err;
	err = memory_map(machine->vm, machine->ram, &machine->entry);
	return err ? machine_fail(machine, MACHINE_STEP_MEMORY, err) : 0;
}

/* See board.map. */
static int map_memory(void *opaque, uint64_t size, void *address,
		      bool read_only, uint64_t *start)
{
	struct machine *machine = opaque;

	return memory_add(machine->vm, machine->ram, &machine->room, size,
			  address, read_only, start);
}

static int build_board(struct machine *machine)
{
	const struct interrupts_config interrupts = {
		.kick = machine_kick_first,
		.opaque = machine,
	};

	machine->board = (struct board){
		.bus = bus_new(),
		.loop = machine->loop,
		.ram = machine->ram,
		.power = { .event = machine_power, .opaque = machine },
		.doorbells = doorbells_of(&machine->vm),
		.cpus = machine->config->boot.cpus,
		.map = map_memory,
		.alarm = machine_alarm,
		.general_event = machine_general_event,
		.opaque = machine,
		.checkpoint = {
			.make = machine_wish_checkpoint,
			.done = machine_wish_rewind,
			.pass = machine_pass,
			.opaque = machine,
		},
		.fuzz = machine->config->fuzz,
	};
	for (size_t i = 0; i < SERIAL_MAX; i++) {
		machine->serials[i].machine = machine;
		machine->board.serials[i] = (struct board_serial){
			.output = machine_output,
			.drained = machine_drained,
			.opaque = &machine->serials[i],
		};
	}
	if (!machine->board.bus)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -ENOMEM);
	machine->interrupts = interrupts_new(&interrupts, &machine->board);
	if (!machine->interrupts)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -errno);
	machine->board.pci = board_pci_new(&machine->board);
	if (!machine->board.pci)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -errno);
	return 0;
}

static int add_file(void *opaque, const char *name, const void *data,
		    size_t size)
{
	return fwcfg_add_file(opaque, name, data, size);
}

/* Tells a BIOS from where to start. */
static int describe_boot(struct machine *machine, struct fwcfg *fwcfg)
{
	struct device_boot list[DEVICES_MAX];
	size_t count = devices_boot(machine->devices, list);

	return seabios_describe_boot(list, count, add_file, fwcfg,
				     &machine->error.boot);
}

/* Describes the machine to a BIOS, which makes the tables that guests read. */
static int describe(struct machine *machine)
{
	const struct boot_options *boot = &machine->config->boot;
	const struct dsdt_parts parts = {
		.cpus = boot->cpus,
		.serials = boot->serials,
	};
	struct fwcfg *fwcfg = devices_get(machine->devices, &fwcfg_device, 0);
	int err;

	if (boot->kernel)
		return 0;
	err = seabios_describe(machine->ram, &parts, add_file, fwcfg,
			       &machine->error.boot);
	if (!err)
		err = describe_boot(machine, fwcfg);
	return err ? machine_fail(machine, MACHINE_STEP_BOOT, err) : 0;
}

static int build_devices(struct machine *machine)
{
	machine->devices = devices_new(&machine->board,
				       &machine->config->devices,
				       &machine->error.device);
	if (!machine->devices)
		return machine_fail(machine, MACHINE_STEP_DEVICES, -errno);
	return describe(machine);
}

static int build_vcpus(struct machine *machine)
{
	int err;

	machine->host = (struct vcpu_host){
		.vm = machine->vm,
		.xsave_size = machine->error.info.xsave_size,
		.features = machine->config->features,
		.bus = machine->board.bus,
		.interrupts = machine->interrupts,
		.dead = machine_vcpu_dead,
		.opaque = machine,
	};
	interrupts_set_vm(machine->interrupts, machine->vm);
	for (unsigned int id = 0; id < machine->config->boot.cpus; id++) {
		err = vcpu_new(&machine->vcpus[id], &machine->host, id,
			       machine->error.lacks);
		if (err)
			return machine_fail(machine, MACHINE_STEP_VCPU, err);
	}
	return 0;
}

/* Does to reset processors what firmware does, unless there is some in the ROM. */
int machine_start_firmware(struct machine *machine)
{
	struct vcpu **vcpus = machine->vcpus;
	int err = 0;

	if (!machine->entry.groups)
		return 0;
	for (struct vcpu **vcpu = vcpus; *vcpu && !err; vcpu++)
		err = firmware_cache(vcpu_fd(*vcpu));
	if (!err)
		err = firmware_leave(vcpu_fd(vcpus[0]), &machine->entry);
	return err ? machine_fail(machine, MACHINE_STEP_START, err) : 0;
}

int machine_reset_vcpus(struct machine *machine)
{
	uint64_t now = __rdtsc();
	int err = 0;

	machine->held.taken = false;
	for (struct vcpu **vcpu = machine->vcpus; *vcpu && !err; vcpu++)
		err = vcpu_reset(*vcpu, now);
	return err ? machine_fail(machine, MACHINE_STEP_START, err) : 0;
}

void machine_free_vm(struct machine *machine)
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

int machine_take_steps(struct machine *machine,
		       int (*const steps[])(struct machine *machine),
		       size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = steps[i](machine);
	return err;
}

static int gather(struct machine *machine)
{
	machine->held = (struct held){
		.ram = machine->ram,
		.loop = machine->loop,
		.vm = machine->vm,
		.vcpus = machine->vcpus,
		.interrupts = machine->interrupts,
		.devices = machine->devices,
		.clock = { machine->error.info.tsc_khz,
			   machine->error.info.tsc_khz },
		.measured_khz = machine->error.info.tsc_khz,
	};
	return 0;
}

/* The blocks of disks that the saved machine had written. */
static int build_overlays(struct machine *machine)
{
	const struct machine_saved *saved = machine->config->saved;
	int err = saved ? overlays_take(machine->devices, saved->overlays,
					saved->nr_overlays, saved->fd,
					saved->memory, &machine->error.device) :
			  0;

	return err ? machine_fail(machine, MACHINE_STEP_DEVICES, err) : 0;
}

/* The state with which the machine begins. */
static int build_state(struct machine *machine)
{
	const struct machine_saved *saved = machine->config->saved;
	int err;

	if (!saved)
		return machine_start_firmware(machine);
	err = machine_load_state(machine, saved->state);
	memcpy(machine->error.lacks, machine->held.lacks,
	       sizeof(machine->error.lacks));
	machine->error.wants_khz = machine->held.wants_khz;
	if (!err && machine->config->clone)
		err = devices_renew(machine->devices);
	return err ? machine_fail(machine, MACHINE_STEP_LOAD, err) : 0;
}

int machine_build(struct machine *machine)
{
	int (*const steps[])(struct machine * machine) = {
		build_loop,  build_wishes, build_ram,	  build_image,
		build_vm,    build_board,  build_devices, build_overlays,
		build_vcpus, gather,	   build_state,
	};

	return machine_take_steps(machine, steps,
				  sizeof(steps) / sizeof(steps[0]));
}
