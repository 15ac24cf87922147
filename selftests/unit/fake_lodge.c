// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of lib/client.h without a kernel.
 */
#include "fake_lodge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/client.h"

#define MAX_FD 1024
#define MAX_SLOTS 4
#define POLL_NS 100000
#define PAGE 4096ULL

struct fake_lodge fake;

/* vCPUs by descriptor: their run pages and numbers. */
static struct lodge_run *pages[MAX_FD];
static uint32_t ids[MAX_FD];

/* Memory slots of the newest VM. */
static struct slot {
	uint64_t gpa;
	uint64_t size;
	uint8_t *memory;
	bool logged;
	const uint8_t *baseline;
	uint64_t written[FAKE_LOG_PAGES / 64];
} slots[MAX_SLOTS];

static int fails(void)
{
	return ++fake.calls == fake.fail_call;
}

static int new_fd(void)
{
	int fd;

	if (fails())
		return -ENOMEM;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Guests' writes go over the bus. */
int lodge_vm_ioeventfd(int vm, const struct lodge_ioeventfd *bell)
{
	return -EOPNOTSUPP;
}

int lodge_vm_irqfd(int vm, const struct lodge_irqfd *irqfd)
{
	return -EOPNOTSUPP;
}

int lodge_open(void)
{
	return new_fd();
}

int lodge_info(int lodge, struct lodge_info *info)
{
	if (fails())
		return -ENOMEM;
	memset(info, 0, sizeof(*info));
	info->abi_version = LODGE_ABI_VERSION;
	info->status = fake.status;
	info->max_vcpus = LODGE_MAX_VCPUS;
	info->phys_bits = 48;
	info->tsc_khz = fake.tsc_khz;
	return 0;
}

int lodge_vm_create_named(int lodge, const char *name)
{
	fake.name = name;
	return lodge_vm_create(lodge);
}

int lodge_vm_create(int lodge)
{
	int vm = fake.vm_error ?: new_fd();

	fake.vms += vm >= 0;
	return vm;
}

int lodge_memory_set(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		     uint64_t size, void *memory)
{
	if (fails())
		return -ENOMEM;
	if (slot < MAX_SLOTS)
		slots[slot] = (struct slot){ .gpa = gpa,
					     .size = size,
					     .memory = memory };
	return 0;
}

void *fake_memory(uint64_t gpa)
{
	for (size_t i = 0; i < MAX_SLOTS; i++)
		if (gpa >= slots[i].gpa && gpa - slots[i].gpa < slots[i].size)
			return slots[i].memory + gpa - slots[i].gpa;
	return NULL;
}

void fake_write(uint64_t gpa, uint8_t value)
{
	for (size_t i = 0; i < MAX_SLOTS; i++) {
		struct slot *slot = &slots[i];
		uint64_t page = (gpa - slot->gpa) / PAGE;

		if (gpa < slot->gpa || gpa - slot->gpa >= slot->size)
			continue;
		slot->memory[gpa - slot->gpa] = value;
		/* It is looked for in the log while the guest runs. */
		__atomic_fetch_or(&slot->written[page / 64], 1ULL << page % 64,
				  __ATOMIC_SEQ_CST);
	}
}

int lodge_dirty_log_begin(int vm, uint32_t slot, const void *baseline)
{
	if (fails())
		return -ENOMEM;
	if (slots[slot].size / PAGE > FAKE_LOG_PAGES)
		return -EFBIG;
	if (!slots[slot].logged)
		memset(slots[slot].written, 0, sizeof(slots[slot].written));
	slots[slot].logged = true;
	slots[slot].baseline = baseline;
	fake.logs++;
	return 0;
}

int lodge_dirty_log_end(int vm, uint32_t slot)
{
	fake.logs -= slots[slot].logged;
	slots[slot].logged = false;
	return 0;
}

int lodge_dirty_get(int vm, uint32_t slot, uint64_t first, uint64_t pages,
		    uint64_t *bitmap, uint64_t *dirty)
{
	if (fails())
		return -ENOMEM;
	if (!slots[slot].logged)
		return -ENOENT;
	for (uint64_t i = 0; i < (pages + 63) / 64; i++)
		bitmap[i] |= __atomic_exchange_n(
			&slots[slot].written[first / 64 + i], 0,
			__ATOMIC_SEQ_CST);
	bitmap[0] |= fake.rewritten;
	return 0;
}

/* Return: how many pages were put back. */
static uint64_t put_back(struct slot *slot)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < slot->size / PAGE; i++) {
		if (!(slot->written[i / 64] >> i % 64 & 1))
			continue;
		memcpy(slot->memory + i * PAGE, slot->baseline + i * PAGE,
		       PAGE);
		count++;
	}
	memset(slot->written, 0, sizeof(slot->written));
	return count;
}

int lodge_vm_hold(int vm)
{
	fake.holds++;
	fake.held++;
	return 0;
}

int lodge_vm_release(int vm)
{
	if (!fake.held)
		return -EINVAL;
	fake.held--;
	return 0;
}

int lodge_vm_reset(int vm, uint64_t *pages)
{
	if (fails())
		return -ENOMEM;
	*pages = 0;
	for (size_t i = 0; i < MAX_SLOTS; i++)
		if (slots[i].logged)
			*pages += put_back(&slots[i]);
	return 0;
}

int lodge_memory_delete(int vm, uint32_t slot)
{
	return fails() ? -ENOMEM : 0;
}

int lodge_vcpu_create(int vm, uint32_t id, struct lodge_run **run)
{
	int vcpu = fake.vcpu_error ?: new_fd();

	if (vcpu < 0)
		return vcpu;
	*run = calloc(1, sizeof(**run));
	pages[vcpu] = *run;
	ids[vcpu] = id;
	fake.vcpus++;
	return vcpu;
}

void lodge_vcpu_close(int vcpu, struct lodge_run *run)
{
	pages[vcpu] = NULL;
	free(run);
	close(vcpu);
	fake.vcpus--;
}

int fake_wait(struct lodge_run *run)
{
	const struct timespec delay = { .tv_nsec = POLL_NS };

	while (!__atomic_load_n(&run->immediate_exit, __ATOMIC_RELAXED))
		nanosleep(&delay, NULL);
	run->reason = LODGE_EXIT_INTERRUPTED;
	return -EINTR;
}

int fake_out(struct lodge_run *run, uint16_t port, uint8_t size, uint32_t value)
{
	run->reason = LODGE_EXIT_IO;
	run->exit.io = (struct lodge_exit_io){ .port = port,
					       .size = size,
					       .count = 1 };
	memcpy(run->data, &value, sizeof(value));
	return 0;
}

int fake_in(struct lodge_run *run, uint16_t port)
{
	run->reason = LODGE_EXIT_IO;
	run->exit.io = (struct lodge_exit_io){
		.port = port, .size = 1, .in = 1, .count = 1
	};
	return 0;
}

int lodge_run(int vcpu)
{
	struct lodge_run *run = pages[vcpu];

	if (run->immediate_exit)
		return -EINTR;
	if (fake.held)
		return -EAGAIN;
	if (!fake.run || (ids[vcpu] && !fake.all))
		return fake_wait(run);
	return fake.run(run);
}

uint32_t fake_id(const struct lodge_run *run)
{
	int vcpu = 0;

	while (pages[vcpu] != run)
		vcpu++;
	return ids[vcpu];
}

int lodge_state_get(int vcpu, struct lodge_state *state)
{
	if (fails())
		return -ENOMEM;
	state->regs = fake.state;
	if (state->groups & LODGE_GROUP_LAPIC)
		*(struct lodge_lapic *)(uintptr_t)state->lapic = fake.lapic;
	return 0;
}

int lodge_state_set(int vcpu, const struct lodge_state *state)
{
	if (fails())
		return -ENOMEM;
	fake.state = state->regs;
	fake.resets += !ids[vcpu] && state->groups & LODGE_GROUP_XSAVE;
	if (state->groups & LODGE_GROUP_LAPIC)
		fake.lapic = *(struct lodge_lapic *)(uintptr_t)state->lapic;
	return 0;
}

int lodge_msr_list(int vcpu, struct lodge_msr_entry *entries, uint32_t *count)
{
	if (fails())
		return -ENOMEM;
	entries[0] =
		(struct lodge_msr_entry){ .index = 0x250, .value = fake.mtrr };
	*count = 1;
	return 0;
}

int lodge_msr_set(int vcpu, const struct lodge_msr_entry *entries,
		  uint32_t count)
{
	if (fails())
		return -ENOMEM;
	fake.mtrr = count ? entries[0].value : 0;
	return 0;
}

int lodge_cpuid_get(int vcpu, struct lodge_cpuid_entry *entries,
		    uint32_t *count)
{
	/* As on a processor, leaf 1 shows CR4.OSXSAVE. */
	entries[0] = (struct lodge_cpuid_entry){
		.leaf = 1,
		.ecx = fake.state.control.cr4 & 1 << 18 ? 1 << 27 : 0,
	};
	*count = 1;
	return fails() ? -ENOMEM : 0;
}

int lodge_cpuid_set(int vcpu, const struct lodge_cpuid_entry *entries,
		    uint32_t count)
{
	return -EBUSY;
}

int lodge_clock_get(int vm, struct lodge_clock *clock)
{
	*clock = (struct lodge_clock){ .ns = fake.clock, .host_tsc = 1 };
	return fails() ? -ENOMEM : 0;
}

int lodge_clock_set(int vm, uint64_t ns, uint64_t host_tsc)
{
	fake.clock = ns;
	return fails() ? -ENOMEM : 0;
}

int lodge_tsc_rate_set(int vm, uint32_t khz)
{
	if (!fake.tsc_rate_max)
		return -ENOTTY;
	if (khz > fake.tsc_rate_max)
		return -EINVAL;
	fake.tsc_rate = khz;
	return 0;
}

int lodge_extint(int vcpu, uint8_t vector)
{
	if (fake.extint_busy) {
		fake.extint_busy--;
		return -EBUSY;
	}
	if (fake.nr_extints < FAKE_LOG_SIZE)
		fake.extints[fake.nr_extints++] = vector;
	return 0;
}

int lodge_msi_send(int vm, uint64_t address, uint32_t data)
{
	if (fake.msi_error)
		return fake.msi_error;
	if (fake.nr_msis < FAKE_LOG_SIZE)
		fake.msis[fake.nr_msis++] =
			(struct lodge_msi){ .address = address, .data = data };
	return 0;
}
