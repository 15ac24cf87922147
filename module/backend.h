/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only door between the core and a vendor: the neutral exit, the neutral
 * event and the table of operations.  The vendor translates, the core decides.
 */
#ifndef LODGE_BACKEND_H
#define LODGE_BACKEND_H

#ifdef __KERNEL__
#include <linux/static_call.h>
#endif
#include <linux/types.h>

#include <lodge.h>

#include "page_fault.h"
#include "task_cause.h"

struct lodge_vcpu;
struct lodge_vm;
struct lodge_npt_format;

/**
 * enum lodge_vmexit_kind - why the processor left the guest, in neutral words
 *
 * UD stands for every instruction that the guest's processor does not have
 * (AMD's or Intel's own virtualization among them).
 */
enum lodge_vmexit_kind {
	LODGE_VMEXIT_UNKNOWN,
	LODGE_VMEXIT_HOST_EVENT, /* an interrupt or NMI for the host */
	LODGE_VMEXIT_CPUID,
	LODGE_VMEXIT_MSR,
	LODGE_VMEXIT_IO,
	LODGE_VMEXIT_FAULT, /* nested page fault */
	LODGE_VMEXIT_HLT,
	LODGE_VMEXIT_PAUSE,
	LODGE_VMEXIT_WINDOW, /* an interrupt or NMI can be taken now */
	LODGE_VMEXIT_TIMER, /* vcpu->deadline may have come */
	LODGE_VMEXIT_CR,
	LODGE_VMEXIT_DR,
	LODGE_VMEXIT_XSETBV,
	LODGE_VMEXIT_HYPERCALL,
	LODGE_VMEXIT_RDPMC,
	LODGE_VMEXIT_INVD, /* INVD and WBINVD */
	LODGE_VMEXIT_MONITOR, /* MONITOR and MWAIT */
	LODGE_VMEXIT_UD,
	LODGE_VMEXIT_EXCEPTION,
	LODGE_VMEXIT_TASK_SWITCH,
	LODGE_VMEXIT_SHUTDOWN,
	LODGE_VMEXIT_IGNORED, /* SMI, INIT, or one that needs nothing */
	LODGE_VMEXIT_INVALID, /* the entry was refused */
	LODGE_VMEXIT_RDTSC, /* RDTSC and RDTSCP */
	LODGE_VMEXIT_ANSWERED, /* was answered at once; no backend says so */
};

enum lodge_event_type {
	LODGE_EVENT_NONE,
	LODGE_EVENT_EXTERNAL,
	LODGE_EVENT_NMI,
	LODGE_EVENT_FAULT, /* a processor exception */
};

/**
 * struct lodge_event - something delivered through the guest's IDT
 */
struct lodge_event {
	u8 type; /* enum lodge_event_type */
	u8 vector;
	bool has_error;
	u32 error;
};

/**
 * struct lodge_vmexit - one exit
 * @kind: enum lodge_vmexit_kind
 * @next_rip: where the instruction after the intercepted one starts; 0: the
 *	processor did not say.  Of an access to a device the manuals do not promise it:
 *	only together with what else is known of the instruction it is to be believed
 * @interrupted: the event whose delivery the exit cut short, or type NONE
 * @code: the processor's own exit code
 * @info: its qualifications
 */
struct lodge_vmexit {
	enum lodge_vmexit_kind kind;
	u64 next_rip;
	struct lodge_event interrupted;
	u64 code;
	u64 info[2];
	union {
		struct {
			u16 port;
			u8 size;
			bool in;
			bool string;
			bool rep;
			u8 address_size; /* 0: the processor did not say */
		} io;
		struct {
			bool write;
		} msr;
		struct {
			bool aux; /* RDTSCP */
		} rdtsc;
		struct { /* a control or debug register */
			u8 number;
			bool write;
			u8 gpr; /* or NO_GPR: the processor did not say */
		} reg;
		struct {
			u64 gpa;
			u32 error; /* LODGE_PF_* */
			bool device; /* met a device entry; @error may be 0 */
		} fault;
		struct {
			u8 vector;
			u32 error;
			u64 payload; /* CR2 for #PF, DR6 bits for #DB */
		} exception;
		struct {
			u16 selector;
			u8 cause; /* enum lodge_task_cause */
			bool resume; /* RF, as an event's image has it */
		} task;
	};
};

#define LODGE_VMEXIT_NO_GPR 0xff

/* Reasons for which an event waits: ops.window leaves the guest once they are over. */
#define LODGE_BLOCK_INTERRUPT (1U << 0)
#define LODGE_BLOCK_NMI (1U << 1)
/* A task priority: leave the guest when it writes CR8. */
#define LODGE_BLOCK_PRIORITY (1U << 2)

/* For ops.get_state only: of SEGMENTS, CS and SS, which say mode and privilege. */
#define LODGE_GROUP_MODE (1ULL << 63)

/* For ops.set_state only: LODGE_EVENT_SHADOW is that of a load of SS. */
#define LODGE_EVENT_SHADOW_SS (1U << 31)

/**
 * struct lodge_backend - a vendor
 *
 * Unless said otherwise a vCPU's operations are called by the thread that holds
 * vcpu->lock, with interrupts on.
 *
 * @name: for the user
 * @format: layout of the nested page tables; like the rest of the data, filled in
 *	by @setup
 * @vcpu_size: bytes of kernel memory that @vcpu_init may take
 * @info_flags: LODGE_INFO_* of this processor
 * @tsc_shift: bits behind the point of the ratio by which the processor scales its time
 *	stamp counter for guests; 0: it does not
 * @tsc_bits: bits of that ratio
 * @has_timer: @run ends with LODGE_VMEXIT_TIMER at vcpu->deadline
 *
 * @probe: enum lodge_status of this processor
 * @setup: what needs memory, once, before any CPU is enabled; 0 or -errno
 * @teardown: undo @setup
 * @cpu_busy: true if somebody else has virtualization on, on this CPU
 * @cpu_enable: switch virtualization on, on this CPU (interrupts off); 0,
 *	-EBUSY when somebody else has it on, -EIO when this CPU refuses
 * @cpu_disable: switch it off and leave the CPU as it was found (interrupts off,
 *	or in the NMI of a crash)
 * @cpu_leave: this CPU goes back to user mode after lodge_userreturn_arm(): put
 *	right what only user mode notices (interrupts off); may be NULL
 * @feature: true if guests can use an X86_FEATURE_* that the processor has; NULL:
 *	each
 *
 * @vm_init: a VM is made: say what the host's owner should know; may be NULL
 *
 * @vcpu_init: a vCPU's vendor part, in the reset state of vcpu->regs
 * @vcpu_fini: undo @vcpu_init; also after one that failed
 * @vcpu_load: the vCPU is about to run on this CPU, for the first time in this
 *	LODGE_RUN or after something else may have run there (preemption off)
 *
 * @get_state: bring inline groups of vcpu->regs up to date; GENERAL, and of
 *	CONTROL the members cr0, cr4, cr8, efer, xcr0 and apic_base, always are.
 *	Of EVENTS see @interruptibility
 * @set_state: make the processor's state what those groups of vcpu->regs say
 * @set_pdptes: PAE's four page-directory pointers, for a processor that reads them
 *	with CR3 and not in a walk; NULL: it does not
 *
 * @run: enter the guest once and say why it left; interrupts are off, and have been
 *	since the last @run on this CPU if that was for the same vCPU and this is @again
 * @skip: the instruction was carried out: go to @rip, end an interrupt shadow
 * @inject: deliver an event at the next entry; type NONE takes one back
 * @interruptibility: LODGE_EVENT_SHADOW in the shadow of STI or of a load of SS,
 *	LODGE_EVENT_NMI_BLOCKED in the handler of an NMI
 * @window: leave the guest once it can take these (0: do not)
 *
 * @flush_tlb: drop what the TLB has of this vCPU before its next entry: of the
 *	guest's own tables, or (@nested) of the nested ones (interrupts may be off)
 * @tsc_offset: what the guest adds to the host's time stamp counter, which is scaled first
 * @tsc_scale: vm->tsc has changed; @vcpu_init reads it, too
 * @check: the entry rules that the state breaks, at most @max; answers how many
 */
struct lodge_backend {
	const char *name;
	const struct lodge_npt_format *format;
	size_t vcpu_size;
	u64 info_flags;
	u8 tsc_shift;
	u8 tsc_bits;
	bool has_timer;

	enum lodge_status (*probe)(void);
	int (*setup)(void);
	void (*teardown)(void);
	bool (*cpu_busy)(void);
	int (*cpu_enable)(void);
	void (*cpu_disable)(void);
	void (*cpu_leave)(void);
	bool (*feature)(unsigned int feature);

	void (*vm_init)(void);

	int (*vcpu_init)(struct lodge_vcpu *vcpu);
	void (*vcpu_fini)(struct lodge_vcpu *vcpu);
	void (*vcpu_load)(struct lodge_vcpu *vcpu, int cpu);

	void (*get_state)(struct lodge_vcpu *vcpu, u64 groups);
	void (*set_state)(struct lodge_vcpu *vcpu, u64 groups);
	void (*set_pdptes)(struct lodge_vcpu *vcpu, const u64 pdptes[4]);

	void (*run)(struct lodge_vcpu *vcpu, struct lodge_vmexit *exit,
		    bool again);
	void (*skip)(struct lodge_vcpu *vcpu, u64 rip);
	void (*inject)(struct lodge_vcpu *vcpu,
		       const struct lodge_event *event);
	u32 (*interruptibility)(struct lodge_vcpu *vcpu);
	void (*window)(struct lodge_vcpu *vcpu, u32 wanted);

	void (*flush_tlb)(struct lodge_vcpu *vcpu, bool nested);
	void (*tsc_offset)(struct lodge_vcpu *vcpu, u64 offset);
	void (*tsc_scale)(struct lodge_vcpu *vcpu);
	u32 (*check)(struct lodge_vcpu *vcpu, struct lodge_rule *rules,
		     u32 max);
};

/* backend.c */

/* The processor's; NULL: it can run no virtual machines. */
extern const struct lodge_backend *lodge_backend;

/*
 * lodge_backend_call() - an operation that each exit needs, as a direct call
 *
 * Through a pointer it would be an indirect one, which mitigations make slow.
 */
#ifdef __KERNEL__
DECLARE_STATIC_CALL(lodge_backend_run, *lodge_backend->run);
DECLARE_STATIC_CALL(lodge_backend_skip, *lodge_backend->skip);
#define lodge_backend_call(operation) static_call(lodge_backend_##operation)
#else
#define lodge_backend_call(operation) (lodge_backend->operation)
#endif

/**
 * lodge_backend_init() - find the processor's backend and set it up
 *
 * A host without one is no error, so that LODGE_GET_INFO can say what is wrong.
 *
 * Return: 0 or -errno.
 */
int lodge_backend_init(void);
void lodge_backend_exit(void);

/**
 * lodge_backend_status() - the state of the host at this moment
 */
enum lodge_status lodge_backend_status(void);

/**
 * lodge_backend_words() - a status for a person
 */
const char *lodge_backend_words(enum lodge_status status);

/* machine_check.c */

/**
 * lodge_machine_check() - give a machine check that ended a guest's run to the host
 *
 * It arrives at the kernel's handler as if it had come in user mode.  Interrupts
 * are off.
 */
void lodge_machine_check(void);

/* Written by their setup alone. */
extern struct lodge_backend lodge_svm_backend;
extern struct lodge_backend lodge_vmx_backend;

#endif
