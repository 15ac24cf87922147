/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vCPU: its structure, its lifetime and its run.
 */
#ifndef LODGE_VCPU_H
#define LODGE_VCPU_H

#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcuwait.h>
#include <linux/smp.h>
#include <linux/types.h>

#include <lodge.h>

#include "event.h"
#include "features.h"
#include "fpu.h"
#include "guard.h"
#include "npt/npt.h"
#include "stats.h"
#include "vcputime.h"

struct lodge_apic;
struct lodge_emulation;
struct lodge_vm;
struct task_struct;

/* vcpu->mode: a vCPU in guest mode must be interrupted to see a request. */
enum lodge_vcpu_mode {
	LODGE_OUTSIDE_GUEST,
	LODGE_IN_GUEST,
};

/* The work that LODGE_RUN finishes before it enters the guest again. */
enum lodge_completion {
	LODGE_COMPLETE_NONE,
	LODGE_COMPLETE_IN, /* IN: data area -> RAX, then skip */
	LODGE_COMPLETE_INS, /* INS: data area -> memory, then skip */
	LODGE_COMPLETE_EMULATE, /* a fragment is answered: go on with the emulation */
};

/**
 * struct lodge_answer - the answer of lodge_vcpu_run() to its caller
 * @reason: enum lodge_exit_reason
 * @window_open: an external interrupt can be taken now
 * @exit: by @reason; a device's answer to an MMIO read is put into it before the
 *	next run
 */
struct lodge_answer {
	u32 reason;
	bool window_open;
	union lodge_exit exit;
};

/**
 * struct lodge_vcpu - a virtual processor
 *
 * Everything without another word is the owner's: the thread that holds @lock.
 *
 * @vm: its VM, for ever
 * @id: its number and first APIC ID, for ever
 * @serial: never used twice, unlike its address; never 0
 * @lock: held through each call on the vCPU
 * @data: LODGE_RUN_DATA_SIZE bytes for an exit's data, given by who has made the
 *	vCPU.  User space may write there at any time: read each byte once
 * @answer: the answer of lodge_vcpu_run()
 * @backend: the vendor's part
 * @regs: registers; see lodge_backend.get_state for what is current when
 * @requests: enum lodge_request; set by anyone, then kicked
 * @mode: enum lodge_vcpu_mode; pairs with @requests (see lodge_vcpu_kick())
 * @cpu: CPU on which it runs or last ran
 * @wait: it sleeps there in HLT
 * @thread: in LODGE_RUN, else NULL; written by that thread, read under RCU
 * @poll_window: how long it polls at its next HLT, ns; see poll.h
 * @delivery: the events that wait for it
 * @context_told: see lodge_context_enter()
 * @loaded_cpu: CPU that holds this vCPU's state since ops.vcpu_load, or -1: see
 *	lodge_vcpu_unload()
 * @pkru: guest's PKRU
 * @host_pkru: PKRU of the thread in LODGE_RUN
 * @apic: local APIC
 * @fpu: guest's FPU state
 * @features: the features that its CPUID allows
 * @cpuid: leaves, sorted; see cpuid.c
 * @cpuid_kept: the last answers of CPUID; see cpuid.c
 * @nr_cpuid: their number
 * @cpuid_index: index of a leaf's first entry; see cpuid.c
 * @cpuid_set: LODGE_SET_CPUID gave the topology; else it follows the VM's vCPUs
 * @has_run: CPUID is settled
 * @ended: lodge_vcpu_end() has begun; readable by anyone
 * @completion: the work that LODGE_RUN finishes first
 * @emulation: the instruction that is emulated or that user space answers; see
 *	emulation.h
 * @msr: values of MSRs that only store; see msr.c
 * @deadline: guest's TSC at which the processor is to leave the guest; 0: never.
 *	Written by the owner, readable by anyone
 * @tsc_offset: guest's TSC less lodge_tsc() in its ticks; readable by anyone
 * @tsc_moved: lodge_tsc_moved as the processor was told with @tsc_offset
 * @ibpb: a barrier for the branch predictor, which the guest asks for
 * @flush_l1d: a flush of the L1 data cache, likewise
 * @host_worked: the kernel has worked with what is in memory for the guest, and
 *	not only with addresses; a backend that guards the caches clears it
 * @npt_cache: tables for the next fault; lodge_npt_cache_free() ends it
 * @exit: the last exit; its kind is readable by anyone
 * @stats: its counters; readable by anyone
 * @time: its times; readable by anyone
 */
struct lodge_vcpu {
	struct lodge_vm *vm;
	u32 id;
	u64 serial;
	struct mutex lock;
	void *data;
	struct lodge_answer answer;
	void *backend;

	struct lodge_regs regs;

	unsigned long requests;
	int mode;
	int cpu;
	struct rcuwait wait;
	struct task_struct __rcu *thread;
	u32 poll_window;

	struct lodge_delivery delivery;
	unsigned long context_told;
	int loaded_cpu;
	u32 pkru;
	u32 host_pkru;

	struct lodge_apic *apic;
	struct lodge_fpu fpu;

	struct lodge_features features;
	struct lodge_cpuid_entry *cpuid;
	struct lodge_cpuid_kept *cpuid_kept;
	u32 nr_cpuid;
	u8 cpuid_index[96];
	bool cpuid_set;
	bool has_run;
	bool ended;

	enum lodge_completion completion;
	struct lodge_emulation *emulation;

	u64 *msr;
	u64 deadline;
	u64 tsc_offset;
	u64 tsc_moved;
	struct lodge_guard_command ibpb;
	struct lodge_guard_command flush_l1d;
	bool host_worked;
	struct lodge_npt_cache npt_cache;

	struct lodge_vmexit exit;
	struct lodge_stats stats;
	struct lodge_vcputime time;
};

/* vcpu.c */

/**
 * lodge_vcpu_new() - make a vCPU in its reset state
 * @id: below LODGE_MAX_VCPUS
 * @data: LODGE_RUN_DATA_SIZE bytes, which live as long as the vCPU can run
 *
 * Nobody finds it before lodge_vcpu_publish(), and it must not run before.  Called
 * under vm->lock.
 *
 * Return: the vCPU, which holds a reference on the VM and of which
 * lodge_vcpu_end() disposes, or an error pointer: EEXIST, EDQUOT, ENOMEM as
 * LODGE_CREATE_VCPU.
 */
struct lodge_vcpu *lodge_vcpu_new(struct lodge_vm *vm, u32 id, void *data);

/**
 * lodge_vcpu_publish() - let interrupts, invalidations and the VM's end find it
 *
 * Called under vm->lock.
 */
void lodge_vcpu_publish(struct lodge_vcpu *vcpu);

/**
 * lodge_vcpu_end() - the vCPU runs no more; also one that is only partly made
 *
 * One that was published keeps its id: others may send it messages until the VM
 * ends.
 */
void lodge_vcpu_end(struct lodge_vcpu *vcpu);

/**
 * lodge_vcpu_free() - free one that has ended, once nobody can find it any more
 */
void lodge_vcpu_free(struct lodge_vcpu *vcpu);

/**
 * lodge_vcpu_find() - the vCPU of an id, if it has not ended, or NULL
 * @id: below LODGE_MAX_VCPUS
 *
 * Whoever finds it finds it complete.  It stays as long as its VM; but it may end
 * meanwhile, so only its plain members may be read; unless @vcpu->lock is held, and it
 * has not ended since it was taken.
 */
struct lodge_vcpu *lodge_vcpu_find(const struct lodge_vm *vm, u32 id);

/**
 * lodge_vcpu_kick() - leave guest mode, or wake from HLT
 *
 * Any context.
 */
void lodge_vcpu_kick(struct lodge_vcpu *vcpu);

/**
 * lodge_vcpu_flush_tlb() - see lodge_backend.flush_tlb
 */
static inline void lodge_vcpu_flush_tlb(struct lodge_vcpu *vcpu, bool nested)
{
	lodge_count_flush(&vcpu->stats);
	lodge_backend->flush_tlb(vcpu, nested);
}

/* run.c */

/**
 * lodge_vcpu_run() - run the vCPU until its user must hear of something
 * @window: answer LODGE_EXIT_WINDOW as soon as an external interrupt can be taken
 * @at_once: only finish the instruction that the last answer has left unfinished
 *
 * Called under vcpu->lock.
 *
 * Return: 0 or -errno as LODGE_RUN; vcpu->answer is set but for -EIO and -ECANCELED.
 */
int lodge_vcpu_run(struct lodge_vcpu *vcpu, bool window, bool at_once);

/* The vCPU whose state this CPU holds, or NULL.  Preemption is off. */
DECLARE_PER_CPU(struct lodge_vcpu *, lodge_run_loaded);

/**
 * lodge_vcpu_unload() - load the vCPU's state anew before its next entry
 *
 * After a change to something that reaches the CPU in lodge_backend.vcpu_load.
 * Called by the owner.
 */
static inline void lodge_vcpu_unload(struct lodge_vcpu *vcpu)
{
	vcpu->loaded_cpu = -1;
}

/**
 * lodge_vcpu_loaded() - true if this CPU holds the vCPU's state
 *
 * Then a change of what lodge_backend.vcpu_load brings to the CPU can be made there
 * at once, and else that will make it.  Called by the owner, preemption is off.
 */
static inline bool lodge_vcpu_loaded(const struct lodge_vcpu *vcpu)
{
	return vcpu->loaded_cpu == smp_processor_id() &&
	       __this_cpu_read(lodge_run_loaded) == vcpu;
}

/**
 * lodge_vcpu_command() - carry out what the guest commands by a write-only MSR
 * @command: what is kept of it
 * @msr: the host's register
 * @value: what to write there
 */
void lodge_vcpu_command(struct lodge_vcpu *vcpu,
			struct lodge_guard_command *command, u32 msr,
			u64 value);

/**
 * lodge_cpu_unload() - this CPU holds no vCPU's state any more
 *
 * Preemption is off.
 */
static inline void lodge_cpu_unload(void)
{
	__this_cpu_write(lodge_run_loaded, NULL);
}

#endif
