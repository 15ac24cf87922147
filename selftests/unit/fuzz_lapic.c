// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the local APIC: its guest (MMIO, MSRs, interrupts handled), its senders, its
 * timer, and user space, which reads and sets its state.  After each step, the
 * invariants are checked.
 */
#include "fake_apic.h"
#include "fuzz_check.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define CPUS 3

struct input {
	const u8 *data;
	size_t left;
};

static u64 next_bytes(struct input *in, unsigned int size)
{
	u64 value = 0;

	for (; size; size--, in->left -= !!in->left)
		value = value << 8 | (in->left ? *in->data++ : 0);
	return value;
}

static void guest_writes(struct fake_cpu *cpu, struct input *in)
{
	u32 offset = next_bytes(in, 2) % 4096;
	u8 bytes[16];
	u64 size = next_bytes(in, 1) % 16 + 1;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)next_bytes(in, 1);
	if (offset + size <= 4096)
		lodge_lapic_write(&cpu->apic, offset, bytes, size);
}

static void guest_writes_register(struct fake_cpu *cpu, struct input *in)
{
	u32 offset = next_bytes(in, 1) % 64 * 16;

	fake_write(&cpu->apic, offset, (u32)next_bytes(in, 4));
}

static void guest_reads(struct fake_cpu *cpu, struct input *in)
{
	u32 offset = next_bytes(in, 2) % 4096;
	u64 size = next_bytes(in, 1) % 16 + 1;
	u8 bytes[16];

	if (offset + size <= 4096)
		lodge_lapic_read(&cpu->apic, offset, bytes, size);
}

static void guest_writes_msr(struct fake_cpu *cpu, struct input *in)
{
	static const u32 others[] = { MSR_IA32_APICBASE,
				      MSR_IA32_TSC_DEADLINE };
	u8 index = (u8)next_bytes(in, 1);
	u64 value = next_bytes(in, 8);

	if (index >= 0xfe) {
		index -= 0xfe;
		if (!index)
			value &= MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE;
		fake_wrmsr(&cpu->apic, others[index], value);
		return;
	}
	fake_wrmsr(&cpu->apic, 0x800 + index, value);
}

static void guest_sets_deadline(struct fake_cpu *cpu, struct input *in)
{
	u64 tsc = rdtsc() + lodge_tsc_moved + cpu->tsc_offset;

	fake_wrmsr(&cpu->apic, MSR_IA32_TSC_DEADLINE, tsc + next_bytes(in, 3));
}

static void guest_handles(struct fake_cpu *cpu, struct input *in)
{
	int vector = lodge_lapic_pending(&cpu->apic);

	clear_bit(LODGE_REQ_EVENT, &cpu->requests);
	if (vector < 0)
		return;
	lodge_lapic_acknowledge(&cpu->apic, vector);
	require(lodge_lapic_pending(&cpu->apic) < 0);
	if (next_bytes(in, 1) & 1)
		fake_write(&cpu->apic, APIC_EOI, 0);
}

static void device_sends(struct fake_cpu *cpu, struct input *in)
{
	struct lodge_msi msi = { .address = 0xfee00000 | next_bytes(in, 3),
				 .data = (u32)next_bytes(in, 2) };

	lodge_irq_msi(&fake.bus, &msi);
}

static void owner_sleeps(struct fake_cpu *cpu, struct input *in)
{
	lodge_lapic_sleep(&cpu->apic);
	fake_sleep(next_bytes(in, 4));
	lodge_lapic_wake(&cpu->apic);
	lodge_lapic_deadline(&cpu->apic);
}

static void time_passes(struct fake_cpu *cpu, struct input *in)
{
	fake_sleep(next_bytes(in, 3));
}

static void owner_tells_ends(struct fake_cpu *cpu, struct input *in)
{
	int last = 256;

	while (test_and_clear_bit(LODGE_REQ_EOI, &cpu->requests)) {
		int vector = lodge_lapic_take_eoi(&cpu->apic);

		require(vector < last);
		if (vector < 0)
			break;
		last = vector;
	}
}

static void tsc_is_written(struct fake_cpu *cpu, struct input *in)
{
	cpu->tsc_offset = next_bytes(in, 8);
	lodge_lapic_tsc_changed(&cpu->apic);
}

/* Sets a state: one that was read must be accepted; others may be. */
static void state_is_set(struct fake_cpu *cpu, struct input *in)
{
	static struct lodge_lapic state;
	unsigned int changes = next_bytes(in, 1) % 8;

	lodge_lapic_get(&cpu->apic, &state);
	require(!lodge_lapic_check(&cpu->apic, &state));
	while (changes--)
		state.regs[next_bytes(in, 2) % sizeof(state.regs)] =
			(u8)next_bytes(in, 1);
	if (!lodge_lapic_check(&cpu->apic, &state))
		lodge_lapic_set(&cpu->apic, &state);
}

static void cpu_is_reset(struct fake_cpu *cpu, struct input *in)
{
	lodge_lapic_reset(&cpu->apic, next_bytes(in, 1) & 1);
}

static void check(struct fake_cpu *cpu)
{
	struct lodge_apic *apic = &cpu->apic;
	u32 tpr = fake_read(apic, APIC_TASKPRI);
	u32 ppr = fake_read(apic, APIC_PROCPRI);
	u8 class = 0;

	for (int vector = 16; vector < 256; vector++)
		if (apic->isr[vector / 64] & BIT(vector % 64))
			class = vector / 16;
	require(ppr == (tpr / 16 >= class ? tpr : class * 16U));
	require(!(apic->irr[0] & 0xffff) && !(apic->isr[0] & 0xffff));
	/* The owner must have a request if there is an interrupt to take. */
	if (lodge_lapic_pending(apic) >= 0)
		require(cpu->requests & BIT(LODGE_REQ_EVENT));
	if (cpu->watched)
		require(cpu->watched == apic->deadline);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static void (*const steps[])(struct fake_cpu * cpu,
				     struct input * in) = {
		guest_writes,	       guest_writes_register, guest_reads,
		guest_writes_msr,      guest_sets_deadline,   guest_handles,
		device_sends,	       owner_sleeps,	      time_passes,
		owner_tells_ends,      tsc_is_written,	      state_is_set,
		cpu_is_reset,	       guest_handles,	      device_sends,
		guest_writes_register,
	};
	struct input in = { .data = data, .left = size };
	u8 by_processor = (u8)next_bytes(&in, 1);

	fake_apics_reset();
	for (int i = 0; i < CPUS; i++)
		fake_apic_enable(fake_apic_new(by_processor >> i & 1));
	while (in.left) {
		u8 step = (u8)next_bytes(&in, 1);
		struct fake_cpu *cpu = &fake.cpu[step / 16 % CPUS];

		steps[step % ARRAY_SIZE(steps)](cpu, &in);
		for (int i = 0; i < CPUS; i++)
			check(&fake.cpu[i]);
	}
	return 0;
}
