// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of <lodge.h> as functions that return -errno.
 */
#include "lib/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Return: the result of ioctl(), or -errno. */
static int call(int fd, unsigned long request, const void *argument)
{
	int ret = ioctl(fd, request, argument);

	return ret < 0 ? -errno : ret;
}

int lodge_open(void)
{
	int fd = open(LODGE_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int lodge_info(int lodge, struct lodge_info *info)
{
	return call(lodge, LODGE_GET_INFO, info);
}

int lodge_vm_create_named(int lodge, const char *name)
{
	struct lodge_vm_create create = { 0 };

	if (name && strlen(name) >= sizeof(create.name))
		return -EINVAL;
	if (name)
		strcpy(create.name, name);
	return call(lodge, LODGE_CREATE_VM, &create);
}

int lodge_vm_create(int lodge)
{
	return lodge_vm_create_named(lodge, NULL);
}

int lodge_memory_set(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		     uint64_t size, void *memory)
{
	const struct lodge_memory region = {
		.slot = slot,
		.flags = flags,
		.gpa = gpa,
		.size = size,
		.hva = (uintptr_t)memory,
	};

	/* With a size of 0, the kernel would delete the slot. */
	if (!size)
		return -EINVAL;
	return call(vm, LODGE_SET_MEMORY, &region);
}

int lodge_memory_delete(int vm, uint32_t slot)
{
	const struct lodge_memory region = { .slot = slot };

	return call(vm, LODGE_SET_MEMORY, &region);
}

int lodge_dirty_log_begin(int vm, uint32_t slot, const void *baseline)
{
	const struct lodge_dirty_log log = {
		.slot = slot,
		.flags = LODGE_DIRTY_LOG_ON |
			 (baseline ? LODGE_DIRTY_LOG_BASELINE : 0),
		.baseline = (uintptr_t)baseline,
	};

	return call(vm, LODGE_SET_DIRTY_LOG, &log);
}

int lodge_dirty_log_end(int vm, uint32_t slot)
{
	const struct lodge_dirty_log log = { .slot = slot };

	return call(vm, LODGE_SET_DIRTY_LOG, &log);
}

int lodge_vm_hold(int vm)
{
	return call(vm, LODGE_HOLD, NULL);
}

int lodge_vm_release(int vm)
{
	return call(vm, LODGE_RELEASE, NULL);
}

int lodge_vm_reset(int vm, uint64_t *pages)
{
	struct lodge_reset reset = { 0 };
	int err = call(vm, LODGE_RESET, &reset);

	if (!err && pages)
		*pages = reset.pages;
	return err;
}

int lodge_dirty_get(int vm, uint32_t slot, uint64_t first, uint64_t pages,
		    uint64_t *bitmap, uint64_t *dirty)
{
	struct lodge_dirty get = {
		.slot = slot,
		.first = first,
		.pages = pages,
		.bitmap = (uintptr_t)bitmap,
	};
	int err = call(vm, LODGE_GET_DIRTY, &get);

	if (!err && dirty)
		*dirty = get.dirty;
	return err;
}

int lodge_vcpu_create(int vm, uint32_t id, struct lodge_run **run)
{
	const struct lodge_vcpu_create create = { .id = id };
	int vcpu = call(vm, LODGE_CREATE_VCPU, &create);
	void *page;
	int err;

	if (vcpu < 0)
		return vcpu;
	page = mmap(NULL, LODGE_RUN_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    vcpu, 0);
	if (page == MAP_FAILED) {
		err = -errno;
		close(vcpu);
		return err;
	}
	*run = page;
	return vcpu;
}

void lodge_vcpu_close(int vcpu, struct lodge_run *run)
{
	munmap(run, LODGE_RUN_SIZE);
	close(vcpu);
}

int lodge_run(int vcpu)
{
	return call(vcpu, LODGE_RUN, NULL);
}

int lodge_state_get(int vcpu, struct lodge_state *state)
{
	return call(vcpu, LODGE_GET_STATE, state);
}

int lodge_state_set(int vcpu, const struct lodge_state *state)
{
	return call(vcpu, LODGE_SET_STATE, state);
}

int lodge_cpuid_get(int vcpu, struct lodge_cpuid_entry *entries,
		    uint32_t *count)
{
	struct lodge_cpuid cpuid = {
		.count = *count,
		.entries = (uintptr_t)entries,
	};
	int err = call(vcpu, LODGE_GET_CPUID, &cpuid);

	*count = cpuid.count;
	return err;
}

int lodge_cpuid_set(int vcpu, const struct lodge_cpuid_entry *entries,
		    uint32_t count)
{
	const struct lodge_cpuid cpuid = {
		.count = count,
		.entries = (uintptr_t)entries,
	};

	return call(vcpu, LODGE_SET_CPUID, &cpuid);
}

int lodge_msr_list(int vcpu, struct lodge_msr_entry *entries, uint32_t *count)
{
	struct lodge_msr_list list = {
		.count = *count,
		.flags = LODGE_MSR_LIST_ALL,
		.entries = (uintptr_t)entries,
	};
	int err = call(vcpu, LODGE_GET_MSR_LIST, &list);

	*count = list.count;
	return err;
}

int lodge_msr_get(int vcpu, struct lodge_msr_entry *entries, uint32_t count)
{
	const struct lodge_msr_list list = {
		.count = count,
		.entries = (uintptr_t)entries,
	};

	return call(vcpu, LODGE_GET_MSR_LIST, &list);
}

int lodge_msr_set(int vcpu, const struct lodge_msr_entry *entries,
		  uint32_t count)
{
	const struct lodge_msr_list list = {
		.count = count,
		.entries = (uintptr_t)entries,
	};

	return call(vcpu, LODGE_SET_MSR_LIST, &list);
}

int lodge_extint(int vcpu, uint8_t vector)
{
	const struct lodge_extint extint = { .vector = vector };

	return call(vcpu, LODGE_EXTINT, &extint);
}

int lodge_nmi(int vcpu)
{
	return call(vcpu, LODGE_NMI, NULL);
}

int lodge_msi_send(int vm, uint64_t address, uint32_t data)
{
	const struct lodge_msi msi = { .address = address, .data = data };

	return call(vm, LODGE_SEND_MSI, &msi);
}

int lodge_vm_ioeventfd(int vm, const struct lodge_ioeventfd *bell)
{
	return call(vm, LODGE_SET_IOEVENTFD, bell);
}

int lodge_vm_irqfd(int vm, const struct lodge_irqfd *irqfd)
{
	return call(vm, LODGE_SET_IRQFD, irqfd);
}

int lodge_clock_get(int vm, struct lodge_clock *clock)
{
	*clock = (struct lodge_clock){ 0 };
	return call(vm, LODGE_GET_CLOCK, clock);
}

int lodge_clock_set(int vm, uint64_t ns, uint64_t host_tsc)
{
	const struct lodge_clock clock = { .ns = ns, .host_tsc = host_tsc };

	return call(vm, LODGE_SET_CLOCK, &clock);
}

int lodge_tsc_rate_set(int vm, uint32_t khz)
{
	const struct lodge_tsc_rate rate = { .khz = khz };

	return call(vm, LODGE_SET_TSC_RATE, &rate);
}
