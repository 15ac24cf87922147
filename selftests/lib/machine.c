// SPDX-License-Identifier: GPL-2.0
/*
 * A VM, its memory and its vCPUs: see machine.h.
 */
#include "machine.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/client.h"

static int add_cpu(struct machine *machine)
{
	unsigned int id = machine->cpus;
	struct guest_cpu *cpu = &machine->cpu[id];

	cpu->machine = machine;
	cpu->id = id;
	cpu->fd = lodge_vcpu_create(machine->vm, id, &cpu->run);
	if (cpu->fd < 0)
		return cpu->fd;
	machine->cpus++;
	return 0;
}

int machine_open(struct machine *machine, size_t size, unsigned int cpus)
{
	int error;

	*machine = (struct machine){ .lodge = -1, .vm = -1, .size = size };
	machine->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (machine->memory == MAP_FAILED)
		return -errno;
	machine->lodge = lodge_open();
	if (machine->lodge < 0)
		return machine->lodge;
	machine->vm = lodge_vm_create(machine->lodge);
	if (machine->vm < 0)
		return machine->vm;
	error = lodge_memory_set(machine->vm, 0, 0, 0, size, machine->memory);
	while (!error && machine->cpus < cpus)
		error = add_cpu(machine);
	return error;
}

void machine_end(struct machine *machine)
{
	while (machine->cpus--)
		lodge_vcpu_close(machine->cpu[machine->cpus].fd,
				 machine->cpu[machine->cpus].run);
	close(machine->vm);
	close(machine->lodge);
	munmap(machine->memory, machine->size);
}
