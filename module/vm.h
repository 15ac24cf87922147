/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM: its structure and its lifetime.
 *
 * Lock order: vm->lock -> vcpu->lock -> vm->slots_srcu -> vm->npt_lock -> the
 * local APICs, which have no lock: their request registers are atomic bitmaps.
 * The MMU notifier takes only vm->npt_lock.  Nobody sleeps under vm->npt_lock,
 * and it is never taken with interrupts off.
 */
#ifndef LODGE_VM_H
#define LODGE_VM_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>

#include <lodge_netlink.h>

#include "apic.h"
#include "iobus.h"
#include "ioeventfd.h"
#include "irqfd.h"
#include "npt/npt.h"
#include "registry.h"
#include "tsc.h"

struct lodge_slots;
struct lodge_tsc_rate;
struct lodge_user;
struct lodge_vcpu;

/**
 * struct lodge_clock_base - a moment of the VM's clock
 * @lock: guards both; written under vm->lock
 * @host_tsc: lodge_tsc() at that moment
 * @host_ns: host's monotonic clock at that moment
 * @ns: what the VM's clock showed
 */
struct lodge_clock_base {
	seqlock_t lock;
	u64 host_tsc;
	u64 host_ns;
	u64 ns;
};

/**
 * struct lodge_vm - a virtual machine
 * @ref: one for who has made it and one for each vCPU
 * @lock: creation of vCPUs, changes of slots
 * @mm: whose memory it uses, for ever
 * @user: who is counted for it and its vCPUs
 * @identity: what it is known by
 * @stops: how often its stops are told; see lodge_notify_stopped()
 * @state: enum lodge_vm_state; leaves LODGE_VM_ALIVE once, by anyone
 * @holds: how many hold the vCPUs; see hold.h
 * @user_holds: those of them that LODGE_RELEASE may take back
 * @resets: counts LODGE_RESET; under @lock
 * @vcpus: by id; set once under @lock, read with READ_ONCE by anyone
 * @nr_vcpus: one more than the highest id
 * @slots: see slots.c; changed under @lock, read under @slots_srcu
 * @slots_srcu: guards @slots
 * @slots_generation: moves with each change of @slots
 * @iobus: devices in the kernel; see iobus.h
 * @ioeventfds: eventfds that the guest signals
 * @irqfds: eventfds that interrupt the guest
 * @npt_lock: guards @npt and the notifier's members
 * @npt: nested page tables
 * @has_mmio: a device's memory is, or was, mapped; set under @npt_lock, readable
 *	by anyone
 * @notifier: the host's MMU notifier on @mm
 * @notifier_seq: counts invalidations
 * @notifier_count: invalidations under way
 * @notifier_start: lowest address under invalidation while @notifier_count
 * @notifier_end: its end
 * @tsc: rate of the guest's TSC; see there
 * @tsc_offset: guest's TSC less lodge_tsc() in its ticks, at creation
 * @clock: see pv.c
 * @apics: the vCPUs' local APICs, as messages find them
 * @yield_turn: the vCPU that was given way to last; a mere hint
 * @flush_mask: for lodge_vm_flush_tlbs(); under @npt_lock
 */
struct lodge_vm {
	struct kref ref;
	struct mutex lock;
	struct mm_struct *mm;
	struct lodge_user *user;
	struct lodge_identity identity;
	struct ratelimit_state stops;
	int state;
	atomic_t holds;
	atomic_t user_holds;
	u32 resets;
	struct lodge_vcpu *vcpus[LODGE_MAX_VCPUS];
	u32 nr_vcpus;

	struct lodge_slots __rcu *slots;
	struct srcu_struct slots_srcu;
	u64 slots_generation;
	struct lodge_iobus iobus;
	struct lodge_ioeventfds ioeventfds;
	struct lodge_irqfds irqfds;
	spinlock_t npt_lock;
	struct lodge_npt npt;
	bool has_mmio;
	struct mmu_notifier notifier;
	unsigned long notifier_seq;
	long notifier_count;
	unsigned long notifier_start;
	unsigned long notifier_end;

	struct lodge_tsc_scale tsc;
	u64 tsc_offset;
	struct lodge_clock_base clock;
	struct lodge_apic_bus apics;
	u32 yield_turn;
	cpumask_var_t flush_mask;
};

/* vm.c */

/**
 * lodge_vm_new() - make a VM that uses the memory of the calling process
 *
 * @name: as struct lodge_vm_create has it
 *
 * Return: the VM, of which lodge_vm_put() disposes, or an error pointer: EBUSY,
 * EDQUOT, EEXIST, EINVAL, ENODEV, ENOMEM as LODGE_CREATE_VM.
 */
struct lodge_vm *lodge_vm_new(const char *name);
struct lodge_vm *lodge_vm_get(struct lodge_vm *vm);
void lodge_vm_put(struct lodge_vm *vm);

/**
 * lodge_vm_kill() - from now on all calls on the VM and its vCPUs fail with ECANCELED
 *
 * Any context that does not hold off interrupts; does not wait for the vCPUs.
 */
void lodge_vm_kill(struct lodge_vm *vm);

/**
 * lodge_vm_break() - a defect of ours was found: they fail with EIO
 */
void lodge_vm_break(struct lodge_vm *vm);

/**
 * lodge_vm_error() - why the VM cannot be used any more
 *
 * Return: 0 it can, -ECANCELED it was killed, -EIO it is broken.
 */
static inline int lodge_vm_error(const struct lodge_vm *vm)
{
	int state = READ_ONCE(vm->state);

	if (likely(state == LODGE_VM_ALIVE))
		return 0;
	return state == LODGE_VM_KILLED ? -ECANCELED : -EIO;
}

/**
 * lodge_vm_flush_tlbs() - make every vCPU drop its nested translations
 *
 * On return no vCPU uses a translation that was removed before the call.  Called
 * under vm->npt_lock, with interrupts on.
 */
void lodge_vm_flush_tlbs(struct lodge_vm *vm);

/**
 * lodge_vm_set_tsc_rate() - LODGE_SET_TSC_RATE; under vm->lock
 *
 * Return: 0, -EINVAL, -EBUSY, -EINTR or -EOVERFLOW as that has it.
 */
long lodge_vm_set_tsc_rate(struct lodge_vm *vm,
			   const struct lodge_tsc_rate *rate);

/**
 * lodge_vm_usable() - check that the calling thread may use the VM
 *
 * Return: 0, -EIO for another process, or as lodge_vm_error().
 */
int lodge_vm_usable(const struct lodge_vm *vm);

#endif
