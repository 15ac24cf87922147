/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM and the vCPU: their structures, and what each file of the core offers
 * the others.
 *
 * Lock order: vm->lock -> vcpu->lock -> vm->slots_srcu -> vm->npt_lock -> the
 * local APICs, which have no lock: their request registers are atomic bitmaps.
 * The MMU notifier takes only vm->npt_lock.  Nobody sleeps under vm->npt_lock,
 * and it is never taken with interrupts off.
 */
#ifndef LODGE_VM_H
#define LODGE_VM_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <asm/fpu/types.h>

#include <lodge.h>

#include "backend.h"
#include "compat.h"
#include "emul.h"
#include "npt/npt.h"
#include "translate.h"

/* Bits of vcpu->requests: what to see to before the next entry. */
enum lodge_request {
	LODGE_REQ_EVENT,	/* something may be deliverable */
	LODGE_REQ_FLUSH,	/* the nested tables changed */
	LODGE_REQ_CLOCK,	/* the paravirtual clock page is stale */
	LODGE_REQ_EOI,		/* lodge_lapic_take_eoi() has news for user space */
	LODGE_REQ_KICK,		/* only leave guest mode */
};

/* vcpu->mode: who must be interrupted for a request to be seen. */
enum lodge_vcpu_mode {
	LODGE_OUTSIDE_GUEST,
	LODGE_IN_GUEST,
};

/* Bits of vcpu->signals, set by other vCPUs and taken by the owner. */
enum lodge_signal {
	LODGE_SIGNAL_INIT,
	LODGE_SIGNAL_SIPI,
	LODGE_SIGNAL_NMI,
	LODGE_SIGNAL_NMI_AGAIN,	/* a second one, latched behind the first */
	LODGE_SIGNAL_EXTINT,
	LODGE_SIGNAL_EXTINT_BUSY,	/* vcpu->extint is taken */
};

/* Bits of DR6 and DR7 that always read as one. */
#define LODGE_DR6_FIXED		0xffff0ff0ULL
#define LODGE_DR7_FIXED		0x400ULL

#define LODGE_NR_FRAGMENTS	6

/**
 * struct lodge_fragment - one access that user space answers
 * @gpa: guest physical address, or the port
 * @size: bytes, at most 16
 * @write: direction
 * @done: user space has carried it out
 * @data: the bytes
 */
struct lodge_fragment {
	u64 gpa;
	u8 size;
	bool write;
	bool done;
	u8 data[16];
};

/* What LODGE_RUN must finish before it enters the guest again. */
enum lodge_pending {
	LODGE_PENDING_NONE,
	LODGE_PENDING_IN,	/* IN: data area -> RAX, then skip */
	LODGE_PENDING_INS,	/* INS: data area -> memory, then skip */
	LODGE_PENDING_EMULATE,	/* go on with vcpu->emul */
};

/**
 * struct lodge_io - an instruction that user space answers
 * @pending: what is left to do
 * @size: bytes a port access moves
 * @count: port accesses of this exit
 * @next_rip: where to go on after a port access
 * @nr: fragments known
 * @fragment: accesses of the instruction under emulation, in its order: those
 *	before @next are already answered and are replayed
 * @next: which fragment the replay is at
 */
struct lodge_io {
	enum lodge_pending pending;
	u8 size;
	u32 count;
	u64 next_rip;
	u32 nr;
	u32 next;
	struct lodge_fragment fragment[LODGE_NR_FRAGMENTS];
};

/**
 * struct lodge_insn_bytes - the instruction at RIP as it was read
 * @decoded: vcpu->emul.insn is what they decode to
 * @length: bytes that are valid
 * @data: they
 */
struct lodge_insn_bytes {
	bool decoded;
	u8 length;
	u8 data[LODGE_INSN_MAX_LENGTH];
};

/**
 * struct lodge_features - what the vCPU's CPUID allows, worked out once
 * @cr4: bits of CR4 that the guest may set
 * @efer: bits of EFER that the guest may set
 * @xcr0: bits of XCR0 that the guest may set
 * @phys_bits: width of a guest physical address
 * @x2apic: has x2APIC
 * @tsc_deadline: has the timer's TSC-deadline mode
 * @rdtscp: has RDTSCP or RDPID
 * @spec_ctrl: has MSR SPEC_CTRL
 * @ibpb: has MSR PRED_CMD
 * @spec_ctrl_bits: bits of SPEC_CTRL that the guest may set
 */
struct lodge_features {
	u64 cr4;
	u64 efer;
	u64 xcr0;
	u8 phys_bits;
	bool x2apic;
	bool tsc_deadline;
	bool rdtscp;
	bool spec_ctrl;
	bool ibpb;
	u64 spec_ctrl_bits;
};

/**
 * struct lodge_vcpu - a virtual processor
 *
 * Everything without another word is the owner's: the thread that holds @lock.
 *
 * @vm: its VM, for ever
 * @id: its number and first APIC ID, for ever
 * @lock: held through each call on the vCPU's file
 * @run: the run page, mapped by user space too: read each member once
 * @backend: the vendor's part
 * @regs: registers; see lodge_backend.get_state for what is current when
 * @requests: enum lodge_request; set by anyone, then kicked
 * @signals: enum lodge_signal; set by anyone, with REQ_EVENT
 * @mode: enum lodge_vcpu_mode; pairs with @requests (see lodge_vcpu_kick())
 * @cpu: CPU on which it runs or last ran
 * @wait: where it sleeps in HLT
 * @mp_state: enum lodge_mp_state
 * @sipi_vector: with SIGNAL_SIPI
 * @extint: with SIGNAL_EXTINT
 * @exception: waits for delivery, or type NONE
 * @reinject: fault or NMI whose delivery an exit has cut short; or type NONE
 * @acknowledged: interrupt that its controller holds for delivered, and that is
 *	not: its delivery was cut short; or type NONE
 * @in_flight: handed to the backend for the next entry; or type NONE
 * @shutdown: a triple fault: leave to user space
 * @exit_at_once: more waits behind @in_flight: leave right after its delivery
 * @loaded_cpu: CPU that holds this vCPU's state since ops.vcpu_load, or -1
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
 * @tsc_offset: guest's TSC less the host's; readable by anyone
 * @npt_cache: tables for the next fault; lodge_npt_cache_free() ends it
 */
struct lodge_vcpu {
	struct lodge_vm *vm;
	u32 id;
	struct mutex lock;
	struct lodge_run *run;
	void *backend;

	struct lodge_regs regs;

	unsigned long requests;
	unsigned long signals;
	int mode;
	int cpu;
	struct rcuwait wait;

	u32 mp_state;
	u8 sipi_vector;
	u8 extint;
	struct lodge_event exception;
	struct lodge_event reinject;
	struct lodge_event acknowledged;
	struct lodge_event in_flight;
	bool shutdown;
	bool exit_at_once;
	int loaded_cpu;
	u32 pkru;
	u32 host_pkru;

	struct lodge_apic *apic;
	struct fpu_guest fpu;

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

	struct lodge_msr_values *msr;
	u64 tsc_offset;
	struct lodge_npt_cache npt_cache;
};

/**
 * struct lodge_clock_base - a moment of the VM's clock
 * @lock: guards both; written under vm->lock
 * @host_tsc: host's time stamp counter at that moment
 * @host_ns: host's boot clock at that moment
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
 * @ref: one for its file and one for each vCPU's file
 * @serial: never used twice, unlike its address
 * @lock: creation of vCPUs, changes of slots
 * @mm: whose memory it uses, for ever
 * @dead: a defect of ours was found: every call answers EIO
 * @vcpus: by id; set once under @lock, read with READ_ONCE by anyone
 * @nr_vcpus: one more than the highest id
 * @slots: see mem.c; changed under @lock, read under @slots_srcu
 * @slots_srcu: guards @slots
 * @slots_generation: moves with each change of @slots
 * @npt_lock: guards @npt and the notifier's members
 * @npt: nested page tables
 * @notifier: the host's MMU notifier on @mm
 * @notifier_seq: counts invalidations
 * @notifier_count: invalidations under way
 * @notifier_start: lowest address under invalidation while @notifier_count
 * @notifier_end: its end
 * @tsc_offset: guest's TSC less the host's, at creation
 * @clock: see pv.c
 * @irq_turn: where the search for the lowest priority begins; a mere hint
 * @flush_mask: for lodge_vm_flush_tlbs(); under @npt_lock
 */
struct lodge_vm {
	struct kref ref;
	u64 serial;
	struct mutex lock;
	struct mm_struct *mm;
	bool dead;
	struct lodge_vcpu *vcpus[LODGE_MAX_VCPUS];
	u32 nr_vcpus;

	struct lodge_slots __rcu *slots;
	struct srcu_struct slots_srcu;
	u64 slots_generation;
	spinlock_t npt_lock;
	struct lodge_npt npt;
	struct mmu_notifier notifier;
	unsigned long notifier_seq;
	long notifier_count;
	unsigned long notifier_start;
	unsigned long notifier_end;

	u64 tsc_offset;
	struct lodge_clock_base clock;
	u32 irq_turn;
	cpumask_var_t flush_mask;
};

/* main.c */
extern const struct lodge_backend *lodge_backend;

/* hw.c: virtualization on and off per CPU */

/**
 * lodge_hw_init() - hook into CPU hotplug, suspend, reboot and crash
 */
int lodge_hw_init(void);
void lodge_hw_exit(void);

/**
 * lodge_hw_get() - a VM is born: switch virtualization on where it is off
 *
 * Return: 0, -EBUSY when another hypervisor holds a CPU.
 */
int lodge_hw_get(void);

/**
 * lodge_hw_put() - a VM is gone; with the last one virtualization goes off
 */
void lodge_hw_put(void);

/* Whether we have switched this CPU on; changed on it, interrupts off. */
DECLARE_PER_CPU(bool, lodge_hw_on);

/**
 * lodge_hw_ready() - whether this CPU can enter a guest; preemption is off
 *
 * It cannot while it goes offline, and once the host goes down.
 */
static inline bool lodge_hw_ready(void)
{
	return __this_cpu_read(lodge_hw_on);
}

/**
 * lodge_hw_status() - as of this moment
 */
enum lodge_status lodge_hw_status(void);

/* vm.c */
int lodge_vm_create(void);
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
int lodge_vcpu_create(struct lodge_vm *vm, u32 id);

/**
 * lodge_vcpu_stop() - let nothing of this vCPU act on others any more
 *
 * All vCPUs are stopped before the first one is destroyed.
 */
void lodge_vcpu_stop(struct lodge_vcpu *vcpu);
void lodge_vcpu_destroy(struct lodge_vcpu *vcpu);

/**
 * lodge_vcpu_request() - ask for something before the next entry, and kick
 *
 * Any context.
 */
void lodge_vcpu_request(struct lodge_vcpu *vcpu, enum lodge_request request);

/**
 * lodge_vcpu_kick() - leave guest mode, or wake from HLT
 *
 * Any context.
 */
void lodge_vcpu_kick(struct lodge_vcpu *vcpu);

/* run.c */
int lodge_vcpu_run(struct lodge_vcpu *vcpu);

/* exit.c */

/**
 * lodge_exit_handle() - answer an exit
 *
 * Return: 0 enter again, 1 return to user space with vcpu->run filled in, or
 * -errno.
 */
int lodge_exit_handle(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/* event.c */

/**
 * lodge_event_raise() - an exception in the guest
 * @vector: 0 to 31
 * @error: error code; pushed where the exception has one
 *
 * Follows the rules for a fault while another one is pending or was being
 * delivered: double fault, then shutdown.
 */
void lodge_event_raise(struct lodge_vcpu *vcpu, u8 vector, u32 error);

/**
 * lodge_event_page_fault() - #PF in the guest, with CR2
 */
void lodge_event_page_fault(struct lodge_vcpu *vcpu, u64 address, u32 error);

void lodge_event_nmi(struct lodge_vcpu *vcpu);
void lodge_event_init(struct lodge_vcpu *vcpu);
void lodge_event_sipi(struct lodge_vcpu *vcpu, u8 vector);

/**
 * lodge_event_extint() - LODGE_EXTINT: the PIC's interrupt
 *
 * Any thread.  Return: 0, or -EBUSY while an earlier one waits.
 */
int lodge_event_extint(struct lodge_vcpu *vcpu, u8 vector);

bool lodge_event_has_extint(struct lodge_vcpu *vcpu);

/**
 * lodge_event_extint_done() - it has been taken
 */
void lodge_event_extint_done(struct lodge_vcpu *vcpu);

/**
 * lodge_event_deliver() - choose what the next entry delivers
 *
 * Return: 0, or 1 when user space must hear of it (window, shutdown).
 */
int lodge_event_deliver(struct lodge_vcpu *vcpu);

/**
 * lodge_event_delivered() - the guest was entered, and left again
 * @interrupted: the event whose delivery the exit cut short, or type NONE
 */
void lodge_event_delivered(struct lodge_vcpu *vcpu,
			   const struct lodge_event *interrupted);

/**
 * lodge_event_take_back() - the entry did not come about after all
 */
void lodge_event_take_back(struct lodge_vcpu *vcpu);

/**
 * lodge_event_wakes() - whether something ends the vCPU's sleep
 */
bool lodge_event_wakes(struct lodge_vcpu *vcpu);

/**
 * lodge_event_window_open() - whether the PIC's interrupt could be taken now
 */
bool lodge_event_window_open(struct lodge_vcpu *vcpu);

/* state.c */

/**
 * lodge_state_reset() - the state after reset (@init false) or INIT
 *
 * AMD APM vol. 2, section 14.1.3.
 */
void lodge_state_reset(struct lodge_vcpu *vcpu, bool init);
int lodge_state_get(struct lodge_vcpu *vcpu, struct lodge_state *state);

/**
 * lodge_state_xsave_size() - bytes of the largest XSAVE area a vCPU can need
 */
u32 lodge_state_xsave_size(void);
int lodge_state_set(struct lodge_vcpu *vcpu, const struct lodge_state *state);

/**
 * lodge_state_load_run() - take the groups that the run page's @load names
 */
int lodge_state_load_run(struct lodge_vcpu *vcpu);
void lodge_state_save_run(struct lodge_vcpu *vcpu);

/**
 * lodge_state_init() - what all vCPUs share: the host's XCR0 and XSS
 */
void lodge_state_init(void);

/* XCR0 and MSR XSS of the host, 0 where it has none; by lodge_state_init(). */
extern u64 lodge_host_xcr0;
extern u64 lodge_host_xss;

/**
 * lodge_state_mode() - code-segment mode and privilege level; needs SEGMENTS
 */
enum lodge_cpu_mode lodge_state_mode(const struct lodge_vcpu *vcpu);
u8 lodge_state_cpl(const struct lodge_vcpu *vcpu);

/* control.c: control registers and their rules */

/**
 * lodge_control_valid() - whether a vCPU can have this group's values
 */
bool lodge_control_valid(const struct lodge_vcpu *vcpu,
			 const struct lodge_control *control);

/**
 * lodge_control_set_cr0() - the guest writes CR0
 *
 * Return: 0, or 1 for #GP.  So do the others.
 */
int lodge_control_set_cr0(struct lodge_vcpu *vcpu, u64 value);
int lodge_control_set_cr4(struct lodge_vcpu *vcpu, u64 value);
int lodge_control_set_efer(struct lodge_vcpu *vcpu, u64 value);
int lodge_control_set_xcr0(struct lodge_vcpu *vcpu, u64 value);

/* cpuid.c: what the guest may see */

/**
 * lodge_cpuid_init() - give a new vCPU all that Lodge carries on this host
 *
 * Fills vcpu->cpuid, nr_cpuid and features.  Return: 0 or -ENOMEM.
 */
int lodge_cpuid_init(struct lodge_vcpu *vcpu);
void lodge_cpuid_free(struct lodge_vcpu *vcpu);

/**
 * lodge_cpuid_get() - LODGE_GET_CPUID; updates arg->count
 */
int lodge_cpuid_get(struct lodge_vcpu *vcpu, struct lodge_cpuid *arg);

/**
 * lodge_cpuid_set() - LODGE_SET_CPUID
 *
 * Registers that only describe (signature, name, caches, topology) are free; all
 * others may hold only bits that the default has, so a leaf that Lodge does not
 * know must be empty.  What the answer works in from the vCPU's state is taken
 * and dropped: what lodge_cpuid_get() gave can be given back.
 */
int lodge_cpuid_set(struct lodge_vcpu *vcpu, const struct lodge_cpuid *arg);

/**
 * lodge_cpuid_answer() - what CPUID answers now: EAX, EBX, ECX, EDX
 *
 * Bits that follow the vCPU's state (OSXSAVE, OSPKE, APIC, XSAVE's current
 * size) are worked in from vcpu->regs.control.
 */
void lodge_cpuid_answer(struct lodge_vcpu *vcpu, u32 leaf, u32 subleaf,
			u32 answer[4]);

/* msr.c: what the guest may see, MSR by MSR */
int lodge_msr_init(struct lodge_vcpu *vcpu);
void lodge_msr_free(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_reset() - after reset; INIT (@init) leaves MSRs as they are
 *
 * Sets vcpu->regs.msrs, but not the TSC's offset.  AMD APM vol. 2, section
 * 14.1.3.
 */
void lodge_msr_reset(struct lodge_vcpu *vcpu, bool init);

/**
 * lodge_msr_check() - whether a vCPU could hold these values
 *
 * Return: 0 or -EINVAL.
 */
int lodge_msr_check(struct lodge_vcpu *vcpu, const struct lodge_msrs *msrs);

/**
 * lodge_msr_read() - RDMSR
 *
 * Return: 0, or 1 for #GP.
 */
int lodge_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
int lodge_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

/**
 * lodge_msr_get_state() - bring those of vcpu->regs.msrs up to date that the
 * backend does not hold
 */
void lodge_msr_get_state(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_set_state() - act on vcpu->regs.msrs, which lodge_msr_check() let
 * pass, where the backend does not
 */
void lodge_msr_set_state(struct lodge_vcpu *vcpu);

/**
 * lodge_msr_set_tsc() - what the guest's time stamp counter shows from now on
 */
void lodge_msr_set_tsc(struct lodge_vcpu *vcpu, u64 tsc);

/* mem.c, notifier.c: memory slots and the nested tables' content */

/**
 * lodge_mem_init() - no slots yet, empty nested tables, the notifier on vm->mm
 *
 * Return: 0 or -errno; from then on the notifier may flush TLBs.
 */
int lodge_mem_init(struct lodge_vm *vm);

/**
 * lodge_mem_fini() - undo lodge_mem_init(); also one that failed or never was
 */
void lodge_mem_fini(struct lodge_vm *vm);

/**
 * lodge_mem_phys_bits() - width of a guest physical address on this host
 */
u8 lodge_mem_phys_bits(void);

/**
 * lodge_mem_set() - LODGE_SET_MEMORY; under vm->lock
 */
int lodge_mem_set(struct lodge_vm *vm, const struct lodge_memory *arg);

/* Answers of lodge_mem_fault() above zero. */
#define LODGE_MEM_MMIO	1	/* no slot, or a write to a read-only one */

/**
 * lodge_mem_fault() - give the guest the page it touched
 * @gpa: guest physical address
 * @error: page-fault error code bits (P, W, U, I)
 * @hva: out: where the slot has it, for a message
 *
 * The calling thread's mm is vm->mm.
 *
 * Return: 0 enter again, LODGE_MEM_MMIO, -EINTR a signal came first, or -errno:
 * the host has no such page.
 */
int lodge_mem_fault(struct lodge_vcpu *vcpu, u64 gpa, u32 error, u64 *hva);

/**
 * lodge_mem_read() - read guest physical memory; may sleep
 *
 * The calling thread's mm is vm->mm.
 *
 * Return: 0, -ENXIO where a byte has no slot, -EFAULT the host has no page.
 */
int lodge_mem_read(struct lodge_vm *vm, u64 gpa, void *data, size_t size);

/**
 * lodge_mem_write() - write guest physical memory; may sleep
 *
 * Return: as lodge_mem_read(), and -EROFS for a read-only slot.
 */
int lodge_mem_write(struct lodge_vm *vm, u64 gpa, const void *data,
		    size_t size);

/**
 * lodge_mem_user() - where user space has a byte of guest memory
 *
 * Until vm->slots_generation changes.  Return: the address, or NULL where there
 * is no slot.
 */
void __user *lodge_mem_user(struct lodge_vm *vm, u64 gpa);

/**
 * lodge_mem_cmpxchg() - compare and exchange 1, 2, 4, 8 or 16 aligned bytes
 * @old: in: what must be there; out: what was there
 * @new: what to put there
 *
 * Return: 0, -EAGAIN when something else was there, and as lodge_mem_write().
 */
int lodge_mem_cmpxchg(struct lodge_vm *vm, u64 gpa, void *old, const void *new,
		      size_t size);

/**
 * lodge_notifier_init() - hear of changes of vm->mm; for lodge_mem_init()
 */
int lodge_notifier_init(struct lodge_vm *vm);
void lodge_notifier_fini(struct lodge_vm *vm);

/* iobus.c: accesses that a device answers */

/**
 * lodge_iobus_port() - IN, OUT, INS, OUTS
 *
 * Return: as lodge_exit_handle().
 */
int lodge_iobus_port(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit);

/**
 * lodge_iobus_mmio() - an instruction touched @gpa, behind which is no memory
 */
int lodge_iobus_mmio(struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_iobus_complete() - user space has answered: finish the instruction
 */
int lodge_iobus_complete(struct lodge_vcpu *vcpu);

/**
 * lodge_iobus_operand() - read or write the memory operand of vcpu->emul.insn
 *
 * After lodge_insn_fetch().  Return: 0; otherwise an exception is raised, or the
 * operand is not in memory.
 */
int lodge_iobus_operand(struct lodge_vcpu *vcpu, void *data, size_t size,
			bool write);

/* lapic.c */

#define LODGE_APIC_BASE_DEFAULT	0xfee00000ULL

/**
 * lodge_lapic_init() - make the local APIC, in its reset state
 *
 * Before the vCPU can be found in vm->vcpus.  Return: 0 or -ENOMEM.
 */
int lodge_lapic_init(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_free() - once nobody can find the vCPU; there may be no APIC
 */
void lodge_lapic_free(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_reset() - after reset or INIT; sets vcpu->regs.control.apic_base
 * (kept over INIT)
 *
 * AMD APM vol. 2, section 16.3; Intel SDM vol. 3, section 10.4.7.
 */
void lodge_lapic_reset(struct lodge_vcpu *vcpu, bool init);

/**
 * lodge_lapic_base_valid() - whether MSR APIC_BASE can hold @value
 *
 * For LODGE_SET_STATE, which may then store it in vcpu->regs.control.apic_base:
 * the APIC keeps no other note of its mode.
 */
bool lodge_lapic_base_valid(const struct lodge_vcpu *vcpu, u64 value);

/**
 * lodge_lapic_claims() - whether @gpa is in the vCPU's xAPIC page
 */
bool lodge_lapic_claims(const struct lodge_vcpu *vcpu, u64 gpa);

/**
 * lodge_lapic_read() - MMIO read of 1 to 16 bytes at an offset in the page
 */
void lodge_lapic_read(struct lodge_vcpu *vcpu, u32 offset, void *data,
		      size_t size);
void lodge_lapic_write(struct lodge_vcpu *vcpu, u32 offset, const void *data,
		       size_t size);

/**
 * lodge_lapic_msr_read() - APIC_BASE, TSC_DEADLINE, x2APIC's 0x800 to 0x8ff
 *
 * Return: 0, or 1 for #GP.
 */
int lodge_lapic_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
int lodge_lapic_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

/**
 * lodge_lapic_pending() - highest requested vector that the priority lets pass
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_pending(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_blocked_by_tpr() - whether a request waits only for a lower TPR
 */
bool lodge_lapic_blocked_by_tpr(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_acknowledge() - @vector, which lodge_lapic_pending() answered, is
 * delivered: it goes from request to in service
 */
void lodge_lapic_acknowledge(struct lodge_vcpu *vcpu, u8 vector);

u8 lodge_lapic_cr8(const struct lodge_vcpu *vcpu);
void lodge_lapic_set_cr8(struct lodge_vcpu *vcpu, u8 cr8);

/**
 * lodge_lapic_take_eoi() - next level-triggered vector whose end is to be told
 *
 * Requests LODGE_REQ_EOI again when there are more.
 *
 * Return: the vector, or -1.
 */
int lodge_lapic_take_eoi(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_tsc_changed() - vcpu->tsc_offset is another: a TSC deadline moves
 */
void lodge_lapic_tsc_changed(struct lodge_vcpu *vcpu);

/**
 * lodge_lapic_accepts_extint() - whether LINT0 lets the PIC's interrupt through
 */
bool lodge_lapic_accepts_extint(const struct lodge_vcpu *vcpu);

void lodge_lapic_get(struct lodge_vcpu *vcpu, struct lodge_lapic *out);

/**
 * lodge_lapic_check() - whether an APIC could hold this, in one mode or another
 *
 * Return: 0 or -EINVAL.
 */
int lodge_lapic_check(struct lodge_vcpu *vcpu, const struct lodge_lapic *in);

/**
 * lodge_lapic_set() - take what lodge_lapic_check() let pass
 *
 * After MSR APIC_BASE and the TSC: the mode and the timer depend on them.
 */
void lodge_lapic_set(struct lodge_vcpu *vcpu, const struct lodge_lapic *in);

/**
 * struct lodge_irq - an interrupt message on its way
 * @destination: APIC ID, or logical destination; all ones of its width: everyone
 * @vector: of FIXED and LOWEST, or the SIPI's page
 * @mode: APIC_DM_FIXED and so on, from <asm/apicdef.h>
 * @logical: how to read @destination
 * @x2apic: @destination is 32 bits wide
 * @level: level-triggered
 * @shorthand: 0 none, 1 self, 2 all, 3 all but self
 */
struct lodge_irq {
	u32 destination;
	u8 vector;
	u16 mode;
	bool logical;
	bool x2apic;
	bool level;
	u8 shorthand;
};

/**
 * lodge_lapic_accept() - this vCPU's APIC takes the message; any context
 *
 * Return: whether it does.
 */
bool lodge_lapic_accept(struct lodge_vcpu *vcpu, const struct lodge_irq *irq);

/**
 * lodge_lapic_matches() - whether the message is meant for this vCPU
 */
bool lodge_lapic_matches(const struct lodge_vcpu *vcpu,
			 const struct lodge_irq *irq);

/* irq.c */

/**
 * lodge_irq_send() - carry a message to whom it is meant for; any context
 * @from: the sending vCPU, for shorthands; NULL from a device
 *
 * Return: how many took it.
 */
int lodge_irq_send(struct lodge_vm *vm, struct lodge_vcpu *from,
		   const struct lodge_irq *irq);

/**
 * lodge_irq_msi() - LODGE_SEND_MSI
 */
int lodge_irq_msi(struct lodge_vm *vm, const struct lodge_msi *msi);

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
 * Return: whether @leaf is one.
 */
bool lodge_pv_leaf(struct lodge_vcpu *vcpu, u32 leaf, u32 answer[4]);

/**
 * lodge_pv_msr_read() - MSRs of the paravirtual interface
 *
 * Return: 0, or 1 for #GP (also for an MSR that is none of these).
 */
int lodge_pv_msr_read(struct lodge_vcpu *vcpu, u32 index, u64 *value);
int lodge_pv_msr_write(struct lodge_vcpu *vcpu, u32 index, u64 value);

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
 * lodge_pv_clock_stable() - whether all CPUs of the host share one TSC that
 * never stops, so that one base serves all vCPUs
 */
bool lodge_pv_clock_stable(void);

/**
 * lodge_pv_clock_init() - start the clock of a new VM at zero
 */
void lodge_pv_clock_init(struct lodge_vm *vm);

/**
 * lodge_pv_clock_now() - the VM's clock, ns; and the host TSC it belongs to
 */
u64 lodge_pv_clock_now(struct lodge_vm *vm, u64 *host_tsc);

/**
 * lodge_pv_clock_set() - LODGE_SET_CLOCK: set the VM's clock, under vm->lock
 *
 * Requests LODGE_REQ_CLOCK of every vCPU.
 */
void lodge_pv_clock_set(struct lodge_vm *vm, u64 ns);

#endif
