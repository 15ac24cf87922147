/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Paravirtual services that guests already have drivers for.
 */
#ifndef LODGE_PV_H
#define LODGE_PV_H

#include <lodge.h>

struct lodge_vcpu;
struct lodge_vm;

/* pv.c: paravirtual services */

/**
 * lodge_pv_reset() - after reset or INIT: the guest has no clock page
 *
 * The MSRs' values are vcpu->regs.msrs.pv_system_time and pv_wall_clock; whoever
 * sets them otherwise requests LODGE_REQ_CLOCK.
 */
void lodge_pv_reset(struct lodge_vcpu *vcpu);

/**
 * lodge_pv_leaf() - fill the hypervisor leaves 0x400000xx
 *
 * Return: true if @leaf is one.
 */
bool lodge_pv_leaf(struct lodge_vcpu *vcpu, u32 leaf, u32 answer[4]);

/**
 * lodge_pv_msr_read() - MSRs of the paravirtual interface
 *
 * Return: true for #GP, also for an MSR that is none of these.
 */
bool lodge_pv_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
bool lodge_pv_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

/**
 * lodge_pv_hypercall() - VMMCALL or VMCALL: reads and writes vcpu->regs
 */
void lodge_pv_hypercall(struct lodge_vcpu *vcpu);

/**
 * lodge_pv_clock_update() - LODGE_REQ_CLOCK: write the clock page, where the
 * guest has one; may sleep
 *
 * To be requested whenever vcpu->tsc_offset or the VM's clock changes, and,
 * unless lodge_pv_clock_stable(), when the vCPU comes to another CPU.
 */
void lodge_pv_clock_update(struct lodge_vcpu *vcpu);

/**
 * lodge_pv_clock_stable() - true if all CPUs of the host share one TSC that never
 * stops, so that one base serves all vCPUs
 */
bool lodge_pv_clock_stable(void);

/**
 * lodge_pv_clock_init() - start the clock of a new VM at zero
 */
void lodge_pv_clock_init(struct lodge_vm *vm);

/**
 * lodge_pv_clock_now() - the VM's clock, ns; and the lodge_tsc() it belongs to
 */
u64 lodge_pv_clock_now(struct lodge_vm *vm, u64 *host_tsc);

/**
 * lodge_pv_clock_set() - LODGE_SET_CLOCK: set the VM's clock, under vm->lock
 * @host_tsc: the host's counter, as user space reads it, when the clock has shown
 *	@ns; 0: now
 *
 * Requests LODGE_REQ_CLOCK of every vCPU.
 *
 * Return: 0, or -EINVAL if that is still to come.
 */
int lodge_pv_clock_set(struct lodge_vm *vm, u64 ns, u64 host_tsc);

#endif
