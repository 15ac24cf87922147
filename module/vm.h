/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM and the vCPU: their structures and their lifetime.
 *
 * Lock order: vm->lock -> vcpu->lock -> vm->slots_srcu -> vm->npt_lock -> the
 * local APICs, which have no lock: their request registers are atomic bitmaps.
 * The MMU notifier takes only vm->npt_lock.  Nobody sleeps under vm->npt_lock,
 * and it is never taken with interrupts off.
 */
#ifndef LODGE_VM_H
#define LODGE_VM_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcuwait.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>

#include <lodge.h>

#include "apic.h"
#include "backend.h"
#include "compat.h"
#include "emul.h"
#include "event.h"
#include "features.h"
#include "fpu.h"
#include "guard.h"
#include "iobus.h"
#include "npt/npt.h"
#include "request.h"
#include "translate.h"

/* vcpu->mode: who must be interrupted for a request to be seen. */
enum lodge_vcpu_mode {
	LODGE_OUTSIDE_GUEST,
	LODGE_IN_GUEST,
};

/*
 * PUSHA makes eight accesses, of which one can cross a page's end.  Calls through
 * gates can make more, and are refused at the tenth that meets a device.
 */
#define LODGE_NR_FRAGMENTS 9

/**
 * struct lodge_fragment - one access that a device answers
 * @gpa: guest physical address
 * @size: bytes, 1 to 16
 * @write: direction
 * @done: the device has carried it out
 * @data: the bytes
 */
struct lodge_fragment {
	u64 gpa;
	u8 size;
	bool write;
	bool done;
	u8 data[LODGE_EMUL_MAX_ACCESS];
};

/* What LODGE_RUN must finish before it enters the guest again. */
enum lodge_completion {
	LODGE_COMPLETE_NONE,
	LODGE_COMPLETE_IN, /* IN: data area -> RAX, then skip */
	LODGE_COMPLETE_INS, /* INS: data area -> memory, then skip */
	LODGE_COMPLETE_EMULATE, /* a fragment is answered: go on with vcpu->emul */
};

/**
 * struct lodge_io - an instruction that user space answers
 * @completion: what is left to do
 * @size: bytes a port access moves
 * @port: of INS and OUTS
 * @count: elements that INS has received
 * @stored: how many of them are stored
 * @element: the one that INS has received when it is only one
 * @next_rip: where to go on after a port access
 * @nr: fragments known
 * @fragment: accesses of the instruction under emulation, in its order: those
 *	before @next are already answered and are replayed
 * @next: which fragment the replay is at
 * @posted: that fragment is a write of which user space hears when the instruction
 *	is over
 */
struct lodge_io {
	enum lodge_completion completion;
	u8 size;
	u16 port;
	u32 count;
	u32 stored;
	u8 element[4];
	u64 next_rip;
	u32 nr;
	u32 next;
	bool posted;
	struct lodge_fragment fragment[LODGE_NR_FRAGMENTS];
};

/**
 * struct lodge_insn_bytes - the instruction at RIP as it was read
 * @decoded: vcpu->emul.insn is what they decode to
 * @doubts: how often lodge_insn_doubt() was called since the last instruction that
 *	was carried out
 * @length: bytes that are valid
 * @data: they
 */
struct lodge_insn_bytes {
	bool decoded;
	u8 doubts;
	u8 length;
	u8 data[LODGE_INSN_MAX_LENGTH];
};

/**
 * struct lodge_answer - what lodge_vcpu_run() tells its caller
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
 * @answer: what lodge_vcpu_run() tells its caller
 * @backend: the vendor's part
 * @regs: registers; see lodge_backend.get_state for what is current when
 * @requests: enum lodge_request; set by anyone, then kicked
 * @mode: enum lodge_vcpu_mode; pairs with @requests (see lodge_vcpu_kick())
 * @cpu: CPU on which it runs or last ran
 * @wait: where it sleeps in HLT
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
 * @features: what its CPUID allows
 * @cpuid: leaves, sorted; see cpuid.c
 * @nr_cpuid: how many
 * @cpuid_index: where a leaf's entries begin; see cpuid.c
 * @cpuid_set: LODGE_SET_CPUID gave the topology; else it follows the VM's vCPUs
 * @has_run: CPUID is settled
 * @io: instruction under way in user space
 * @emul: emulation under way
 * @insn_bytes: of the instruction in @emul
 * @code_walk: last page walk for an instruction; see translate.h
 * @data_walk: last page walk for an operand
 * @msr: values of MSRs that only store; see msr.c
 * @deadline: guest's TSC at which the processor is to leave the guest; 0: never.
 *	Written by the owner, readable by anyone
 * @tsc_offset: guest's TSC less lodge_tsc(); readable by anyone
 * @tsc_moved: lodge_tsc_moved as the processor was told with @tsc_offset
 * @ibpb: a barrier for the branch predictor, which the guest asks for
 * @flush_l1d: a flush of the L1 data cache, likewise
 * @host_worked: the kernel has worked with what is in memory for the guest, and
 *	not only with addresses; a backend that guards the caches clears it
 * @npt_cache: tables for the next fault; lodge_npt_cache_free() ends it
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
	u32 nr_cpuid;
	u8 cpuid_index[96];
	bool cpuid_set;
	bool has_run;

	struct lodge_io io;
	struct lodge_emul emul;
	struct lodge_insn_bytes insn_bytes;
	struct lodge_walk code_walk;
	struct lodge_walk data_walk;

	u64 *msr;
	u64 deadline;
	u64 tsc_offset;
	u64 tsc_moved;
	struct lodge_guard_command ibpb;
	struct lodge_guard_command flush_l1d;
	bool host_worked;
	struct lodge_npt_cache npt_cache;
};

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
 * @dead: a defect of ours was found: every call answers EIO
 * @vcpus: by id; set once under @lock, read with READ_ONCE by anyone
 * @nr_vcpus: one more than the highest id
 * @slots: see slots.c; changed under @lock, read under @slots_srcu
 * @slots_srcu: guards @slots
 * @slots_generation: moves with each change of @slots
 * @iobus: devices in the kernel; see iobus.h
 * @npt_lock: guards @npt and the notifier's members
 * @npt: nested page tables
 * @has_mmio: a device's memory is, or was, mapped; set under @npt_lock, readable
 *	by anyone
 * @notifier: the host's MMU notifier on @mm
 * @notifier_seq: counts invalidations
 * @notifier_count: invalidations under way
 * @notifier_start: lowest address under invalidation while @notifier_count
 * @notifier_end: its end
 * @tsc_offset: guest's TSC less lodge_tsc(), at creation
 * @clock: see pv.c
 * @apics: the vCPUs' local APICs, as messages find them
 * @yield_turn: which vCPU was given way to last; a mere hint
 * @flush_mask: for lodge_vm_flush_tlbs(); under @npt_lock
 */
struct lodge_vm {
	struct kref ref;
	struct mutex lock;
	struct mm_struct *mm;
	struct lodge_user *user;
	bool dead;
	struct lodge_vcpu *vcpus[LODGE_MAX_VCPUS];
	u32 nr_vcpus;

	struct lodge_slots __rcu *slots;
	struct srcu_struct slots_srcu;
	u64 slots_generation;
	struct lodge_iobus iobus;
	spinlock_t npt_lock;
	struct lodge_npt npt;
	bool has_mmio;
	struct mmu_notifier notifier;
	unsigned long notifier_seq;
	long notifier_count;
	unsigned long notifier_start;
	unsigned long notifier_end;

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
 * Return: the VM, of which lodge_vm_put() disposes, or an error pointer: EBUSY,
 * EDQUOT, ENODEV, ENOMEM as LODGE_CREATE_VM.
 */
struct lodge_vm *lodge_vm_new(void);
struct lodge_vm *lodge_vm_get(struct lodge_vm *vm);
void lodge_vm_put(struct lodge_vm *vm);

/**
 * lodge_vm_kill() - a defect of ours was found: this VM answers EIO from now on
 */
void lodge_vm_kill(struct lodge_vm *vm);

/**
 * lodge_vm_flush_tlbs() - make every vCPU drop its nested translations
 *
 * On return no vCPU uses a translation that was removed before the call.  Called
 * under vm->npt_lock, with interrupts on.
 */
void lodge_vm_flush_tlbs(struct lodge_vm *vm);

/**
 * lodge_vm_usable() - whether the calling thread may use the VM
 *
 * Return: 0, or -EIO for another process and for a VM that is dead.
 */
int lodge_vm_usable(const struct lodge_vm *vm);

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
 * lodge_vcpu_kick() - leave guest mode, or wake from HLT
 *
 * Any context.
 */
void lodge_vcpu_kick(struct lodge_vcpu *vcpu);

/* run.c */

/**
 * lodge_vcpu_run() - run the vCPU until its user must hear of something
 * @window: answer LODGE_EXIT_WINDOW as soon as an external interrupt can be taken
 * @at_once: only finish the instruction that the last answer has left unfinished
 *
 * Called under vcpu->lock.
 *
 * Return: 0 or -errno as LODGE_RUN; vcpu->answer is set but for -EIO.
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
