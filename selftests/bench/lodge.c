// SPDX-License-Identifier: GPL-2.0
/*
 * Lodge as the bench uses it.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "lib/client.h"

#include "guest.h"
#include "hypervisor.h"

static int device;

static int open_lodge(void)
{
	device = lodge_open();
	return device < 0 ? device : 0;
}

static int set_registers(const struct machine *machine)
{
	struct lodge_state state = {
		.groups = LODGE_GROUP_GENERAL | LODGE_GROUP_SEGMENTS |
			  LODGE_GROUP_CONTROL,
	};
	struct lodge_regs *regs = &state.regs;
	int error = lodge_state_get(machine->vcpu, &state);
	int i;

	if (error)
		return error;
	for (i = LODGE_ES; i <= LODGE_GS; i++)
		regs->segments.seg[i] = guest_data_segment;
	regs->segments.seg[LODGE_CS] = guest_code_segment;
	regs->segments.seg[LODGE_TR] = guest_task_segment;
	regs->segments.gdt.base = GUEST_GDT;
	regs->segments.gdt.limit = GUEST_GDT_LIMIT;
	regs->segments.idt.base = GUEST_IDT;
	regs->segments.idt.limit = GUEST_IDT_LIMIT;
	regs->control.cr0 = GUEST_CR0;
	regs->control.cr3 = GUEST_PML4;
	regs->control.cr4 = GUEST_CR4;
	regs->control.efer = GUEST_EFER;
	regs->general.rip = machine->rip;
	regs->general.rflags = 2;
	regs->general.gpr[LODGE_RSP] = GUEST_STACK;
	regs->general.gpr[LODGE_RDI] = GUEST_SAMPLES;
	regs->general.gpr[LODGE_RSI] = GUEST_RESULTS;
	return lodge_state_set(machine->vcpu, &state);
}

static int create(struct machine *machine)
{
	struct lodge_run *run;
	int error;

	machine->vm = lodge_vm_create(device);
	if (machine->vm < 0)
		return machine->vm;
	error = lodge_memory_set(machine->vm, 0, 0, 0, GUEST_MEMORY,
				 machine->memory);
	if (error)
		return error;
	machine->vcpu = lodge_vcpu_create(machine->vm, 0, &run);
	if (machine->vcpu < 0)
		return machine->vcpu;
	machine->run = run;
	machine->run_size = LODGE_RUN_SIZE;
	return set_registers(machine);
}

static bool wrote(const struct machine *machine, uint16_t port)
{
	const struct lodge_run *run = machine->run;

	return run->reason == LODGE_EXIT_IO && !run->exit.io.in &&
	       run->exit.io.port == port;
}

static void *port_answer(const struct machine *machine)
{
	return ((struct lodge_run *)machine->run)->data;
}

static void *mmio_answer(const struct machine *machine)
{
	return ((struct lodge_run *)machine->run)->exit.mmio.data;
}

static int hang_bell(const struct machine *machine, int fd, bool mmio)
{
	const struct lodge_ioeventfd bell = {
		.address = mmio ? GUEST_MMIO : GUEST_PORT,
		.fd = fd,
		.flags = mmio ? 0 : LODGE_IOEVENTFD_PORT,
	};

	return lodge_vm_ioeventfd(machine->vm, &bell);
}

static int connect_message(const struct machine *machine, int fd)
{
	const struct lodge_irqfd irqfd = {
		.address = GUEST_MESSAGE_ADDRESS,
		.data = GUEST_VECTOR,
		.fd = fd,
	};

	return lodge_vm_irqfd(machine->vm, &irqfd);
}

static int log_begin(const struct machine *machine)
{
	return lodge_dirty_log_begin(machine->vm, 0, NULL);
}

static int log_take(const struct machine *machine, uint64_t *bitmap)
{
	return lodge_dirty_get(machine->vm, 0, 0, GUEST_BITMAP * 64, bitmap,
			       NULL);
}

const struct hypervisor hypervisor_lodge = {
	.name = "Lodge",
	.run_request = LODGE_RUN,
	.open = open_lodge,
	.create = create,
	.wrote = wrote,
	.port_answer = port_answer,
	.mmio_answer = mmio_answer,
	.hang_bell = hang_bell,
	.connect = connect_message,
	.log_begin = log_begin,
	.log_take = log_take,
};
