// SPDX-License-Identifier: GPL-2.0
/*
 * KVM as the bench uses it: with the local APIC in the kernel and without PIC and I/O
 * APIC there, as in Lodge.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "guest.h"
#include "hypervisor.h"

#define MAX_CPUID 256
#define CPUID_1_ECX_TSC_DEADLINE (1U << 24)
#define NR_IOAPIC_PINS 24
#define MESSAGE_ROUTE NR_IOAPIC_PINS

static int device;
/* CPUID of each vCPU. */
static struct kvm_cpuid2 *cpuid;
static int run_size;

/* All that KVM supports.  The user of KVM announces the TSC-deadline timer. */
static int read_cpuid(void)
{
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(*cpuid->entries));
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = MAX_CPUID;
	if (ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid))
		return -errno;
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= CPUID_1_ECX_TSC_DEADLINE;
	return 0;
}

static int open_kvm(void)
{
	device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -errno;
	run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < 0)
		return -errno;
	return read_cpuid();
}

static struct kvm_segment segment(const struct lodge_segment *s)
{
	return (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->attr & LODGE_SEG_TYPE,
		.s = !!(s->attr & LODGE_SEG_S),
		.present = !!(s->attr & LODGE_SEG_P),
		.l = !!(s->attr & LODGE_SEG_L),
		.db = !!(s->attr & LODGE_SEG_DB),
		.g = !!(s->attr & LODGE_SEG_G),
	};
}

static int set_registers(const struct machine *machine)
{
	struct kvm_regs regs = {
		.rip = machine->rip,
		.rflags = 2,
		.rsp = GUEST_STACK,
		.rdi = GUEST_SAMPLES,
		.rsi = GUEST_RESULTS,
	};
	struct kvm_sregs sregs;

	if (ioctl(machine->vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = segment(&guest_code_segment);
	sregs.ds = segment(&guest_data_segment);
	sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.ds;
	sregs.tr = segment(&guest_task_segment);
	sregs.gdt.base = GUEST_GDT;
	sregs.gdt.limit = GUEST_GDT_LIMIT;
	sregs.idt.base = GUEST_IDT;
	sregs.idt.limit = GUEST_IDT_LIMIT;
	sregs.cr0 = GUEST_CR0;
	sregs.cr3 = GUEST_PML4;
	sregs.cr4 = GUEST_CR4;
	sregs.efer = GUEST_EFER;
	if (ioctl(machine->vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(machine->vcpu, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}

static int set_memory(const struct machine *machine, uint32_t flags)
{
	const struct kvm_userspace_memory_region region = {
		.flags = flags,
		.memory_size = GUEST_MEMORY,
		.userspace_addr = (uintptr_t)machine->memory,
	};

	return ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region) ?
		       -errno :
		       0;
}

static int create_vm(struct machine *machine)
{
	struct kvm_enable_cap split = {
		.cap = KVM_CAP_SPLIT_IRQCHIP,
		.args = { NR_IOAPIC_PINS },
	};

	machine->vm = ioctl(device, KVM_CREATE_VM, 0);
	if (machine->vm < 0 || ioctl(machine->vm, KVM_ENABLE_CAP, &split))
		return -errno;
	return set_memory(machine, 0);
}

static int create(struct machine *machine)
{
	int error = create_vm(machine);
	void *run;

	if (error)
		return error;
	machine->vcpu = ioctl(machine->vm, KVM_CREATE_VCPU, 0);
	if (machine->vcpu < 0)
		return -errno;
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   machine->vcpu, 0);
	if (run == MAP_FAILED)
		return -errno;
	machine->run = run;
	machine->run_size = run_size;
	if (ioctl(machine->vcpu, KVM_SET_CPUID2, cpuid))
		return -errno;
	return set_registers(machine);
}

static bool wrote(const struct machine *machine, uint16_t port)
{
	const struct kvm_run *run = machine->run;

	return run->exit_reason == KVM_EXIT_IO &&
	       run->io.direction == KVM_EXIT_IO_OUT && run->io.port == port;
}

/* KVM gives the offset of the data with each exit; it is always this page. */
static void *port_answer(const struct machine *machine)
{
	return machine->run + 0x1000;
}

static void *mmio_answer(const struct machine *machine)
{
	return ((struct kvm_run *)machine->run)->mmio.data;
}

static int hang_bell(const struct machine *machine, int fd, bool mmio)
{
	const struct kvm_ioeventfd bell = {
		.addr = mmio ? GUEST_MMIO : GUEST_PORT,
		.fd = fd,
		.flags = mmio ? 0 : KVM_IOEVENTFD_FLAG_PIO,
	};

	return ioctl(machine->vm, KVM_IOEVENTFD, &bell) ? -errno : 0;
}

/* KVM sends a message by the number of its route. */
static int connect_message(const struct machine *machine, int fd)
{
	const struct kvm_irqfd irqfd = { .fd = fd, .gsi = MESSAGE_ROUTE };
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} routes = {
		.head.nr = 1,
		.entry = {
			.gsi = MESSAGE_ROUTE,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi.address_lo = GUEST_MESSAGE_ADDRESS,
			.u.msi.data = GUEST_VECTOR,
		},
	};

	if (ioctl(machine->vm, KVM_SET_GSI_ROUTING, &routes) ||
	    ioctl(machine->vm, KVM_IRQFD, &irqfd))
		return -errno;
	return 0;
}

/* Pages are cleared by a call of its own, as QEMU has it. */
static int log_begin(const struct machine *machine)
{
	struct kvm_enable_cap apart = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE },
	};

	if (ioctl(machine->vm, KVM_ENABLE_CAP, &apart))
		return -errno;
	return set_memory(machine, KVM_MEM_LOG_DIRTY_PAGES);
}

static int log_take(const struct machine *machine, uint64_t *bitmap)
{
	struct kvm_dirty_log get = { .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = {
		.num_pages = GUEST_BITMAP * 64,
		.dirty_bitmap = bitmap,
	};

	if (ioctl(machine->vm, KVM_GET_DIRTY_LOG, &get) ||
	    ioctl(machine->vm, KVM_CLEAR_DIRTY_LOG, &clear))
		return -errno;
	return 0;
}

const struct hypervisor hypervisor_kvm = {
	.name = "KVM",
	.run_request = KVM_RUN,
	.open = open_kvm,
	.create = create,
	.wrote = wrote,
	.port_answer = port_answer,
	.mmio_answer = mmio_answer,
	.hang_bell = hang_bell,
	.connect = connect_message,
	.log_begin = log_begin,
	.log_take = log_take,
};
