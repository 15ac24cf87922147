// SPDX-License-Identifier: GPL-2.0
/*
 * Paravirtual services, as KVM offers them, since stock guests have the
 * drivers: signature and features in CPUID, the clock, hypercalls.
 *
 * The VM's clock is the monotonic clock of the host, moved: like the guest's TSC
 * it stands still while the host is suspended.  Where the host's TSC can be trusted
 * that clock is read only once, at the base, and the TSC carries on from there: all
 * vCPUs then get the same figures and agree to the nanosecond.  Elsewhere a vCPU
 * gets a fresh pair of readings on each CPU that it comes to.
 *
 * Linux, Documentation/virt/kvm/x86: cpuid.rst, msr.rst, hypercalls.rst.
 */
#include <linux/kvm_para.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <asm/cpufeature.h>
#include <asm/pvclock.h>
#include <asm/tsc.h>

#include "backend.h"
#include "decode.h"
#include "mem.h"
#include "policy.h"
#include "pv.h"
#include "request.h"
#include "state.h"
#include "tsc.h"
#include "vcpu.h"
#include "vm.h"

/* Highest leaf of each range: KVM's, and after it Lodge's own. */
#define PV_LEAF_TIMING 0x40000010
#define PV_LEAF_LODGE 0x40000100
#define PV_LEAF_END 0x400001ff

/* The local APIC's timer counts nanoseconds: see lapic_timer.c. */
#define PV_BUS_KHZ 1000000

#define PV_CLOCK_ENABLED BIT(0)

static void pv_set_signature(u32 answer[4], u32 highest, const char text[12])
{
	answer[0] = highest;
	memcpy(&answer[1], text, 12);
}

bool lodge_pv_leaf(struct lodge_vcpu *vcpu, u32 leaf, u32 answer[4])
{
	if (leaf < KVM_CPUID_SIGNATURE || leaf > PV_LEAF_END)
		return false;
	memset(answer, 0, 4 * sizeof(u32));
	switch (leaf) {
	case KVM_CPUID_SIGNATURE:
		pv_set_signature(answer, PV_LEAF_TIMING, "KVMKVMKVM\0\0\0");
		break;
	case KVM_CPUID_FEATURES:
		/* The last says that the clock page's stable flag counts. */
		answer[0] = BIT(KVM_FEATURE_NOP_IO_DELAY) |
			    BIT(KVM_FEATURE_CLOCKSOURCE2) |
			    BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT);
		break;
	case PV_LEAF_TIMING:
		answer[0] = vcpu->vm->tsc.khz;
		answer[1] = PV_BUS_KHZ;
		break;
	case PV_LEAF_LODGE:
		pv_set_signature(answer, PV_LEAF_LODGE, "LodgeLodgeHV");
		break;
	}
	return true;
}

bool lodge_pv_clock_stable(void)
{
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	       boot_cpu_has(X86_FEATURE_NONSTOP_TSC) && !check_tsc_unstable();
}

/*
 * A guest turns ticks into nanoseconds like this: it shifts them left by @shift
 * (right when that is negative), multiplies by @mul and drops 32 bits.  The
 * multiplier has its top bit set, for the best precision.
 */
static void pv_clock_scale(u32 khz, u32 *mul, s8 *shift)
{
	u64 ticks = khz, ns = NSEC_PER_MSEC;

	*shift = 0;
	for (; ns >= ticks; ticks <<= 1)
		++*shift;
	for (; 2 * ns < ticks; ns <<= 1)
		--*shift;
	*mul = div64_u64(ns << 32, ticks);
}

/* Both clocks of the host at one moment. */
static void pv_read_host(u64 *tsc, u64 *ns)
{
	unsigned long flags;

	local_irq_save(flags);
	*tsc = lodge_tsc_ordered();
	*ns = ktime_get_ns();
	local_irq_restore(flags);
}

static struct lodge_clock_base pv_clock_base(struct lodge_vm *vm)
{
	struct lodge_clock_base base;
	unsigned int seq;

	do {
		seq = read_seqbegin(&vm->clock.lock);
		base.host_tsc = vm->clock.host_tsc;
		base.host_ns = vm->clock.host_ns;
		base.ns = vm->clock.ns;
	} while (read_seqretry(&vm->clock.lock, seq));
	return base;
}

u64 lodge_pv_clock_now(struct lodge_vm *vm, u64 *host_tsc)
{
	struct lodge_clock_base base = pv_clock_base(vm);
	u64 ns, ticks;
	u32 mul;
	s8 shift;

	pv_read_host(host_tsc, &ns);
	if (!lodge_pv_clock_stable())
		return base.ns + (ns - base.host_ns);
	/* As the guest works it out, to the nanosecond: from its own ticks. */
	ticks = lodge_tsc_scaled(&vm->tsc, *host_tsc) -
		lodge_tsc_scaled(&vm->tsc, base.host_tsc);
	pv_clock_scale(vm->tsc.khz, &mul, &shift);
	return base.ns + pvclock_scale_delta(ticks, mul, shift);
}

static void pv_set_base(struct lodge_vm *vm, u64 host_tsc, u64 host_ns, u64 ns)
{
	write_seqlock(&vm->clock.lock);
	vm->clock.host_tsc = host_tsc;
	vm->clock.host_ns = host_ns;
	vm->clock.ns = ns;
	write_sequnlock(&vm->clock.lock);
}

void lodge_pv_clock_init(struct lodge_vm *vm)
{
	u64 host_tsc, host_ns;

	seqlock_init(&vm->clock.lock);
	pv_read_host(&host_tsc, &host_ns);
	pv_set_base(vm, host_tsc, host_ns, 0);
}

int lodge_pv_clock_set(struct lodge_vm *vm, u64 ns, u64 host_tsc)
{
	u64 now, host_ns, past = 0;
	u32 i, mul;
	s8 shift;

	pv_read_host(&now, &host_ns);
	if (host_tsc)
		past = now - lodge_tsc_from_user(host_tsc);
	if ((s64)past < 0)
		return -EINVAL;
	pv_clock_scale(tsc_khz, &mul, &shift);
	pv_set_base(vm, now - past,
		    host_ns - pvclock_scale_delta(past, mul, shift), ns);
	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i])
			lodge_vcpu_request(vm->vcpus[i], LODGE_REQ_CLOCK);
	return 0;
}

/*
 * Write what begins with a version: odd while the rest changes.  It counts on
 * from what is there, which outlives a restored machine's host.  A guest that
 * gave a bad address gets nothing.
 */
static void pv_write_versioned(struct lodge_vm *vm, u64 gpa, void *data,
			       size_t size)
{
	u32 *version = data;
	u32 odd;

	if (lodge_mem_read(vm, gpa, &odd, sizeof(odd)))
		return;
	odd |= 1;
	if (lodge_mem_write(vm, gpa, &odd, sizeof(odd)))
		return;
	smp_wmb();
	*version = odd;
	if (lodge_mem_write(vm, gpa, data, size))
		return;
	smp_wmb();
	*version = odd + 1;
	lodge_mem_write(vm, gpa, version, sizeof(*version));
}

void lodge_pv_clock_update(struct lodge_vcpu *vcpu)
{
	u64 msr = vcpu->regs.msrs.pv_system_time;
	struct pvclock_vcpu_time_info info = {};
	struct lodge_vm *vm = vcpu->vm;
	u64 host_tsc;

	if (!(msr & PV_CLOCK_ENABLED))
		return;
	if (lodge_pv_clock_stable()) {
		struct lodge_clock_base base = pv_clock_base(vm);

		host_tsc = base.host_tsc;
		info.system_time = base.ns;
		info.flags = PVCLOCK_TSC_STABLE_BIT;
	} else {
		info.system_time = lodge_pv_clock_now(vm, &host_tsc);
	}
	info.tsc_timestamp = lodge_msr_tsc(vcpu, host_tsc);
	pv_clock_scale(vm->tsc.khz, &info.tsc_to_system_mul, &info.tsc_shift);
	pv_write_versioned(vm, msr & ~PV_CLOCK_ENABLED, &info, sizeof(info));
}

/* The wall clock at the VM clock's zero. */
static void pv_write_wall_clock(struct lodge_vcpu *vcpu, u64 gpa)
{
	struct pvclock_wall_clock wall = {};
	u64 host_tsc;
	u64 ns = ktime_get_real_ns() - lodge_pv_clock_now(vcpu->vm, &host_tsc);
	u32 rest;

	wall.sec = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	wall.nsec = rest;
	pv_write_versioned(vcpu->vm, gpa, &wall, sizeof(wall));
}

void lodge_pv_reset(struct lodge_vcpu *vcpu)
{
	vcpu->regs.msrs.pv_system_time = 0;
	vcpu->regs.msrs.pv_wall_clock = 0;
}

bool lodge_pv_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK_NEW:
		*value = vcpu->regs.msrs.pv_wall_clock;
		return false;
	case MSR_KVM_SYSTEM_TIME_NEW:
		*value = vcpu->regs.msrs.pv_system_time;
		return false;
	default:
		return true;
	}
}

bool lodge_pv_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK_NEW:
		vcpu->regs.msrs.pv_wall_clock = value;
		pv_write_wall_clock(vcpu, value);
		return false;
	case MSR_KVM_SYSTEM_TIME_NEW:
		vcpu->regs.msrs.pv_system_time = value;
		set_bit(LODGE_REQ_CLOCK, &vcpu->requests);
		return false;
	default:
		return true;
	}
}

void lodge_pv_hypercall(struct lodge_vcpu *vcpu)
{
	u64 *rax = &vcpu->regs.general.gpr[LODGE_RAX];
	bool wide;
	s64 answer;

	lodge_backend->get_state(vcpu, LODGE_GROUP_SEGMENTS);
	wide = lodge_state_mode(vcpu) == LODGE_MODE_64;
	if (lodge_state_cpl(vcpu))
		answer = -KVM_EPERM;
	else if ((wide ? *rax : (u32)*rax) == KVM_HC_VAPIC_POLL_IRQ)
		answer = 0;
	else
		answer = -KVM_ENOSYS;
	*rax = wide ? answer : (u32)answer;
}
