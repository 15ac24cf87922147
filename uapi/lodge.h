/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/lodge: every call, structure and constant that the module
 * and user space share.
 *
 * Rules that hold for every call:
 *
 * - The layout is the same for 32- and 64-bit callers; pointers cross as __u64.
 * - Structures grow at their end.  The size in the ioctl number is the size the
 *   caller was built with: the kernel takes what is missing as zero and answers
 *   E2BIG when bytes that it does not know are not zero.
 * - Reserved fields and unknown flag bits must be zero (EINVAL).
 * - A call that fails has changed nothing.
 * - EFAULT: a pointer of the caller's is bad.  ENOTTY: no such call on this
 *   file.  EIO: a defect of Lodge's own was found earlier in this VM; only
 *   closing it is left.  These hold everywhere and are not repeated below.
 */
#ifndef _UAPI_LODGE_H
#define _UAPI_LODGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LODGE_ABI_VERSION 1
#define LODGE_DEVICE "/dev/lodge"
#define LODGE_MAX_VCPUS 64
#define LODGE_MAX_SLOTS 64
#define LODGE_RUN_SIZE 4096
#define LODGE_IOC 0xb7

/**
 * enum lodge_status - whether this host can run virtual machines, and why not
 * @LODGE_STATUS_READY: it can
 * @LODGE_STATUS_NO_VIRTUALIZATION: the processor has neither AMD-V nor VT-x
 * @LODGE_STATUS_FIRMWARE_DISABLED: the firmware has switched it off and locked it
 * @LODGE_STATUS_NO_NESTED_PAGING: the processor has no nested paging
 * @LODGE_STATUS_BUSY: another hypervisor holds the processor now
 * @LODGE_STATUS_NO_UNRESTRICTED_GUEST: the processor's VT-x is older than 2010
 *	and cannot run a guest in real mode
 * @LODGE_STATUS_FRED: the host takes its events by FRED, which Lodge cannot hand
 *	NMIs to
 * @LODGE_STATUS_KVM_ONLY: the host's kernel lets nobody but KVM use VT-x
 */
enum lodge_status {
	LODGE_STATUS_READY = 0,
	LODGE_STATUS_NO_VIRTUALIZATION = 1,
	LODGE_STATUS_FIRMWARE_DISABLED = 2,
	LODGE_STATUS_NO_NESTED_PAGING = 3,
	LODGE_STATUS_BUSY = 4,
	LODGE_STATUS_NO_UNRESTRICTED_GUEST = 5,
	LODGE_STATUS_FRED = 6,
	LODGE_STATUS_KVM_ONLY = 7,
};

/* Register groups, for struct lodge_state.groups and the run page. */
#define LODGE_GROUP_GENERAL (1ULL << 0)
#define LODGE_GROUP_SEGMENTS (1ULL << 1)
#define LODGE_GROUP_CONTROL (1ULL << 2)
#define LODGE_GROUP_DEBUG (1ULL << 3)
#define LODGE_GROUP_MSRS (1ULL << 4)
#define LODGE_GROUP_EVENTS (1ULL << 5)
#define LODGE_GROUP_XSAVE (1ULL << 6)
#define LODGE_GROUP_LAPIC (1ULL << 7)
/* For writing only: msrs.tsc, which group MSRS reads but leaves alone. */
#define LODGE_GROUP_TSC (1ULL << 8)
/* The groups that stand in struct lodge_regs, and so fit the run page. */
#define LODGE_GROUPS_INLINE 0x13fULL
#define LODGE_GROUPS_ALL 0x1ffULL

/* Index into struct lodge_general.gpr: the number the instruction set uses. */
enum lodge_gpr {
	LODGE_RAX,
	LODGE_RCX,
	LODGE_RDX,
	LODGE_RBX,
	LODGE_RSP,
	LODGE_RBP,
	LODGE_RSI,
	LODGE_RDI,
	LODGE_R8,
	LODGE_R9,
	LODGE_R10,
	LODGE_R11,
	LODGE_R12,
	LODGE_R13,
	LODGE_R14,
	LODGE_R15,
};

/**
 * struct lodge_general - group GENERAL
 * @gpr: the sixteen general registers, indexed by enum lodge_gpr
 * @rip: instruction pointer
 * @rflags: flags; bit 1 always reads as one
 */
struct lodge_general {
	__u64 gpr[16];
	__u64 rip;
	__u64 rflags;
};

/* Bits of struct lodge_segment.attr. */
#define LODGE_SEG_TYPE 0x000f
#define LODGE_SEG_S 0x0010
#define LODGE_SEG_DPL_SHIFT 5
#define LODGE_SEG_DPL 0x0060
#define LODGE_SEG_P 0x0080
#define LODGE_SEG_AVL 0x0100
#define LODGE_SEG_L 0x0200
#define LODGE_SEG_DB 0x0400
#define LODGE_SEG_G 0x0800

/**
 * struct lodge_segment - a segment register with its hidden part
 * @base: linear base address
 * @limit: limit in bytes, whatever the granularity bit says
 * @selector: visible part
 * @attr: the descriptor's attribute bits, closed up (LODGE_SEG_*); without
 *	LODGE_SEG_P the register cannot be used
 */
struct lodge_segment {
	__u64 base;
	__u32 limit;
	__u16 selector;
	__u16 attr;
};

/* Index into struct lodge_segments.seg. */
enum lodge_seg {
	LODGE_ES,
	LODGE_CS,
	LODGE_SS,
	LODGE_DS,
	LODGE_FS,
	LODGE_GS,
	LODGE_LDTR,
	LODGE_TR,
	LODGE_NR_SEGS,
};

/**
 * struct lodge_segments - group SEGMENTS
 * @seg: indexed by enum lodge_seg; the current privilege level is the DPL of SS
 * @gdt: base and limit only
 * @idt: base and limit only
 */
struct lodge_segments {
	struct lodge_segment seg[LODGE_NR_SEGS];
	struct lodge_segment gdt;
	struct lodge_segment idt;
};

/**
 * struct lodge_control - group CONTROL
 * @cr0: control register 0
 * @cr2: page-fault address
 * @cr3: page-table base
 * @cr4: control register 4
 * @cr8: task priority, bits 3:0
 * @xcr0: extended control register 0
 * @efer: MSR EFER, as the guest sees it
 * @apic_base: MSR APIC_BASE
 */
struct lodge_control {
	__u64 cr0;
	__u64 cr2;
	__u64 cr3;
	__u64 cr4;
	__u64 cr8;
	__u64 xcr0;
	__u64 efer;
	__u64 apic_base;
};

/**
 * struct lodge_debug - group DEBUG
 * @dr: address breakpoints DR0 to DR3
 * @dr6: debug status
 * @dr7: debug control
 */
struct lodge_debug {
	__u64 dr[4];
	__u64 dr6;
	__u64 dr7;
};

/**
 * struct lodge_msrs - group MSRS: model-specific registers by name
 * @star: MSR 0xc0000081
 * @lstar: MSR 0xc0000082
 * @cstar: MSR 0xc0000083
 * @sfmask: MSR 0xc0000084
 * @kernel_gs_base: MSR 0xc0000102
 * @sysenter_cs: MSR 0x174
 * @sysenter_esp: MSR 0x175
 * @sysenter_eip: MSR 0x176
 * @pat: MSR 0x277
 * @tsc: time stamp counter as the guest reads it; written with GROUP_TSC only,
 *	so that registers read earlier can be given back without moving time
 * @tsc_aux: MSR 0xc0000103
 * @spec_ctrl: MSR 0x48
 * @misc_enable: MSR 0x1a0
 * @mtrr_def_type: MSR 0x2ff
 * @pv_system_time: MSR 0x4b564d01, kvmclock
 * @pv_wall_clock: MSR 0x4b564d00, kvmclock
 * @tsc_adjust: MSR 0x3b; to write it here does not move @tsc
 * @reserved: zero
 */
struct lodge_msrs {
	__u64 star;
	__u64 lstar;
	__u64 cstar;
	__u64 sfmask;
	__u64 kernel_gs_base;
	__u64 sysenter_cs;
	__u64 sysenter_esp;
	__u64 sysenter_eip;
	__u64 pat;
	__u64 tsc;
	__u64 tsc_aux;
	__u64 spec_ctrl;
	__u64 misc_enable;
	__u64 mtrr_def_type;
	__u64 pv_system_time;
	__u64 pv_wall_clock;
	__u64 tsc_adjust;
	__u64 reserved[7];
};

/**
 * enum lodge_mp_state - what a vCPU does when it is run
 * @LODGE_MP_RUNNABLE: executes instructions
 * @LODGE_MP_HALTED: waits for an interrupt, in HLT
 * @LODGE_MP_WAIT_SIPI: waits for a start-up IPI, after INIT
 */
enum lodge_mp_state {
	LODGE_MP_RUNNABLE = 0,
	LODGE_MP_HALTED = 1,
	LODGE_MP_WAIT_SIPI = 2,
};

/* Bits of struct lodge_events.flags. */
#define LODGE_EVENT_EXCEPTION (1U << 0)
#define LODGE_EVENT_ERROR_CODE (1U << 1)
#define LODGE_EVENT_INTERRUPT (1U << 2)
#define LODGE_EVENT_NMI_PENDING (1U << 3)
#define LODGE_EVENT_NMI_BLOCKED (1U << 4)
#define LODGE_EVENT_SHADOW (1U << 5)
#define LODGE_EVENT_INIT_PENDING (1U << 6)
#define LODGE_EVENT_SIPI_PENDING (1U << 7)
#define LODGE_EVENT_EXTINT (1U << 8)
#define LODGE_EVENT_NMI_LATCHED (1U << 9)
#define LODGE_EVENT_ALL 0x3ffU

/**
 * struct lodge_events - group EVENTS: what waits to be delivered
 * @flags: LODGE_EVENT_*; SHADOW is the shadow of STI or MOV SS; NMI_LATCHED is one
 *	more NMI behind that of NMI_PENDING, and is invalid without it
 * @mp_state: enum lodge_mp_state
 * @exception: vector of the pending exception, with EXCEPTION
 * @interrupt: vector of an interrupt that its controller holds for delivered,
 *	and whose delivery must be repeated, with INTERRUPT
 * @sipi_vector: page number at which the start-up IPI starts, with SIPI_PENDING
 * @extint: vector given by LODGE_EXTINT and not taken yet, with EXTINT
 * @error_code: with ERROR_CODE
 * @reserved: zero
 */
struct lodge_events {
	__u32 flags;
	__u32 mp_state;
	__u8 exception;
	__u8 interrupt;
	__u8 sipi_vector;
	__u8 extint;
	__u32 error_code;
	__u64 reserved[2];
};

/**
 * struct lodge_regs - the groups of a fixed, small size
 */
struct lodge_regs {
	struct lodge_general general;
	struct lodge_segments segments;
	struct lodge_control control;
	struct lodge_debug debug;
	struct lodge_msrs msrs;
	struct lodge_events events;
};

/**
 * struct lodge_lapic - group LAPIC
 * @regs: the xAPIC register page's first KiB, a register every 16 bytes, as
 *	MMIO reads it
 * @tsc_deadline: MSR 0x6e0
 */
struct lodge_lapic {
	__u8 regs[1024];
	__u64 tsc_deadline;
};

/**
 * struct lodge_state - argument of LODGE_GET_STATE and LODGE_SET_STATE
 * @groups: LODGE_GROUP_*: which groups to move
 * @xsave: address of an XSAVE area in the standard form, with GROUP_XSAVE
 * @xsave_size: its size in bytes; info.xsave_size is enough
 * @reserved: zero
 * @lapic: address of a struct lodge_lapic, with GROUP_LAPIC
 * @regs: the inline groups
 */
struct lodge_state {
	__u64 groups;
	__u64 xsave;
	__u32 xsave_size;
	__u32 reserved;
	__u64 lapic;
	struct lodge_regs regs;
};

/**
 * struct lodge_info - answer of LODGE_GET_INFO
 * @abi_version: LODGE_ABI_VERSION of the module
 * @status: enum lodge_status, as of this moment
 * @backend: "svm", "vmx" or empty
 * @message: @status in words, for a person
 * @groups: register groups that the calls know
 * @max_vcpus: vCPUs a VM can have
 * @max_slots: memory slots a VM can have
 * @run_size: bytes to map of a vCPU's file
 * @phys_bits: width of a guest physical address
 * @tsc_khz: rate of the guest's time stamp counter, kHz
 * @xsave_size: largest XSAVE area, in bytes
 * @flags: LODGE_INFO_*: what this processor has, for information
 * @reserved: zero
 */
struct lodge_info {
	__u32 abi_version;
	__u32 status;
	char backend[16];
	char message[128];
	__u64 groups;
	__u32 max_vcpus;
	__u32 max_slots;
	__u32 run_size;
	__u32 phys_bits;
	__u32 tsc_khz;
	__u32 xsave_size;
	__u64 flags;
	__u64 reserved[4];
};

#define LODGE_INFO_NEXT_RIP (1ULL << 0)
#define LODGE_INFO_FLUSH_BY_ASID (1ULL << 1)
#define LODGE_INFO_DECODE_ASSISTS (1ULL << 2)
#define LODGE_INFO_HUGE_1G (1ULL << 3)

/**
 * struct lodge_vm_create - argument of LODGE_CREATE_VM
 * @flags: zero
 */
struct lodge_vm_create {
	__u64 flags;
};

#define LODGE_MEM_READONLY (1U << 0)

/**
 * struct lodge_memory - argument of LODGE_SET_MEMORY
 * @slot: which slot, below info.max_slots
 * @flags: LODGE_MEM_READONLY: the guest's writes exit as MMIO
 * @gpa: first guest physical address, page-aligned
 * @size: bytes, page-aligned; 0 deletes the slot
 * @hva: address of the memory in the caller, page-aligned
 */
struct lodge_memory {
	__u32 slot;
	__u32 flags;
	__u64 gpa;
	__u64 size;
	__u64 hva;
};

/**
 * struct lodge_vcpu_create - argument of LODGE_CREATE_VCPU
 * @id: number of the vCPU and its initial APIC ID, below info.max_vcpus; vCPU 0
 *	starts at the reset vector, others wait for a start-up IPI
 * @flags: zero
 */
struct lodge_vcpu_create {
	__u32 id;
	__u32 flags;
};

/**
 * struct lodge_msi - argument of LODGE_SEND_MSI
 * @address: message address; bits 63:40 carry bits 31:8 of a wide destination
 * @data: message data; a level-triggered one makes the EOI exit
 * @flags: zero
 */
struct lodge_msi {
	__u64 address;
	__u32 data;
	__u32 flags;
};

/**
 * struct lodge_clock - argument of LODGE_GET_CLOCK and LODGE_SET_CLOCK
 * @ns: the VM's clock (what kvmclock shows), in nanoseconds; it stands still, as
 *	the guest's TSC does, while the host is suspended
 * @host_tsc: out: host time stamp counter at that moment; in: zero
 * @flags: zero
 */
struct lodge_clock {
	__u64 ns;
	__u64 host_tsc;
	__u64 flags;
};

/**
 * struct lodge_cpuid_entry - one leaf
 * @leaf: EAX in
 * @subleaf: ECX in, with LODGE_CPUID_SUBLEAF
 * @flags: LODGE_CPUID_SUBLEAF: the leaf distinguishes subleaves
 * @eax: answer
 * @ebx: answer
 * @ecx: answer
 * @edx: answer
 * @reserved: zero
 */
struct lodge_cpuid_entry {
	__u32 leaf;
	__u32 subleaf;
	__u32 flags;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 reserved;
};

#define LODGE_CPUID_SUBLEAF (1U << 0)
#define LODGE_MAX_CPUID 128

/**
 * struct lodge_cpuid - argument of LODGE_GET_CPUID and LODGE_SET_CPUID
 * @count: entries at @entries; GET sets it to how many there are
 * @flags: zero
 * @entries: address of an array of struct lodge_cpuid_entry
 */
struct lodge_cpuid {
	__u32 count;
	__u32 flags;
	__u64 entries;
};

/**
 * struct lodge_extint - argument of LODGE_EXTINT
 * @vector: what the PIC answered to the acknowledge cycle, 0 to 255
 * @flags: zero
 */
struct lodge_extint {
	__u32 vector;
	__u32 flags;
};

/**
 * enum lodge_exit_reason - why LODGE_RUN returned
 * @LODGE_EXIT_INTERRUPTED: a signal, or immediate_exit; LODGE_RUN fails with EINTR
 * @LODGE_EXIT_IO: port access; the answer to an input goes to the data area
 * @LODGE_EXIT_MMIO: access to an address without a slot, or a write to a
 *	read-only one; the answer to a read goes to mmio.data
 * @LODGE_EXIT_WINDOW: an external interrupt can be taken now
 * @LODGE_EXIT_EOI: a level-triggered vector was ended; tell the IOAPIC
 * @LODGE_EXIT_SHUTDOWN: triple fault; some processors leave no defined registers
 *	behind, so a further run needs new ones
 * @LODGE_EXIT_FAIL_ENTRY: the processor refused the state; the data area holds
 *	the rules it breaks
 * @LODGE_EXIT_CANNOT_EMULATE: an instruction that Lodge must carry out itself
 *	and does not know, could not read, or whose operand is in memory that the host
 *	lets nobody access
 * @LODGE_EXIT_TASK_SWITCH: a hardware task switch whose TSS, or a descriptor that
 *	it needs, lies in what is no memory; some of it may be done
 * @LODGE_EXIT_MEMORY_ERROR: the host has no page behind a slot's address
 * @LODGE_EXIT_UNKNOWN: an exit of the processor that Lodge does not know
 */
enum lodge_exit_reason {
	LODGE_EXIT_INTERRUPTED = 0,
	LODGE_EXIT_IO = 1,
	LODGE_EXIT_MMIO = 2,
	LODGE_EXIT_WINDOW = 3,
	LODGE_EXIT_EOI = 4,
	LODGE_EXIT_SHUTDOWN = 5,
	LODGE_EXIT_FAIL_ENTRY = 6,
	LODGE_EXIT_CANNOT_EMULATE = 7,
	LODGE_EXIT_TASK_SWITCH = 8,
	LODGE_EXIT_MEMORY_ERROR = 9,
	LODGE_EXIT_UNKNOWN = 10,
};

/**
 * struct lodge_exit_io - LODGE_EXIT_IO
 * @port: port number
 * @size: bytes an access moves: 1, 2 or 4
 * @in: 1: input, fill the data area; 0: output, it holds the data
 * @count: accesses of @size bytes each to that port
 */
struct lodge_exit_io {
	__u16 port;
	__u8 size;
	__u8 in;
	__u32 count;
};

/**
 * struct lodge_exit_mmio - LODGE_EXIT_MMIO
 * @gpa: guest physical address
 * @size: 1 to 16 bytes
 * @write: 1: @data holds what was written; 0: fill it
 * @reserved: zero
 * @data: little-endian
 */
struct lodge_exit_mmio {
	__u64 gpa;
	__u32 size;
	__u8 write;
	__u8 reserved[3];
	__u8 data[16];
};

/**
 * struct lodge_exit_eoi - LODGE_EXIT_EOI
 * @vector: which interrupt was ended
 */
struct lodge_exit_eoi {
	__u32 vector;
};

/**
 * struct lodge_exit_fail_entry - LODGE_EXIT_FAIL_ENTRY
 * @code: the processor's own exit code
 * @count: rules in the data area, as an array of struct lodge_rule; 0 when the
 *	state breaks none that is known
 */
struct lodge_exit_fail_entry {
	__u64 code;
	__u32 count;
	__u32 reserved;
};

/**
 * struct lodge_rule - an entry rule that the state breaks
 * @id: number of the rule, stable
 * @reserved: zero
 * @value: what the field holds
 * @field: name of the field
 * @text: the manual's rule, in short
 */
struct lodge_rule {
	__u32 id;
	__u32 reserved;
	__u64 value;
	char field[16];
	char text[64];
};

/**
 * struct lodge_exit_emulate - LODGE_EXIT_CANNOT_EMULATE
 * @gpa: what the instruction touched, or all ones
 * @length: valid bytes at @bytes; 0: the instruction could not be read
 * @bytes: the instruction at RIP and what follows
 */
struct lodge_exit_emulate {
	__u64 gpa;
	__u8 length;
	__u8 bytes[15];
};

/**
 * struct lodge_exit_task_switch - LODGE_EXIT_TASK_SWITCH
 * @selector: of the new task's TSS
 * @cause: 0 jmp, 1 iret, 2 call or event
 */
struct lodge_exit_task_switch {
	__u16 selector;
	__u16 reserved;
	__u32 cause;
};

/**
 * struct lodge_exit_memory - LODGE_EXIT_MEMORY_ERROR
 * @gpa: what the guest touched
 * @hva: where the slot has it in the caller
 * @error: errno, positive
 * @write: 1: a write
 */
struct lodge_exit_memory {
	__u64 gpa;
	__u64 hva;
	__u32 error;
	__u32 write;
};

/**
 * struct lodge_exit_unknown - LODGE_EXIT_UNKNOWN
 * @code: the processor's exit code
 * @info: its qualifications
 */
struct lodge_exit_unknown {
	__u64 code;
	__u64 info[2];
};

#define LODGE_RUN_DATA_OFFSET 2048
#define LODGE_RUN_DATA_SIZE 2048

/**
 * struct lodge_run - the run page: map LODGE_RUN_SIZE bytes of a vCPU's file
 * @load: in: inline groups to set from @regs before the entry; the kernel
 *	clears it.  Bad values make LODGE_RUN fail with EINVAL
 * @save: in: inline groups to store to @regs at each exit
 * @immediate_exit: in: not zero: finish what is pending and return EINTR; a
 *	signal handler sets it so that no signal is missed
 * @request_window: in: not zero: exit as soon as an external interrupt can be
 *	taken
 * @reserved: zero
 * @reason: out: enum lodge_exit_reason
 * @window_open: out: an external interrupt can be taken now
 * @reserved2: zero
 * @exit: out: by @reason
 * @regs: the inline groups
 * @data: bytes of an I/O exit, or the rules of a refused entry
 */
struct lodge_run {
	__u64 load;
	__u64 save;
	__u8 immediate_exit;
	__u8 request_window;
	__u8 reserved[6];
	__u32 reason;
	__u8 window_open;
	__u8 reserved2[3];
	union {
		struct lodge_exit_io io;
		struct lodge_exit_mmio mmio;
		struct lodge_exit_eoi eoi;
		struct lodge_exit_fail_entry fail_entry;
		struct lodge_exit_emulate emulate;
		struct lodge_exit_task_switch task_switch;
		struct lodge_exit_memory memory;
		struct lodge_exit_unknown unknown;
		__u8 size[256];
	} exit;
	struct lodge_regs regs;
	__u8 reserved3[LODGE_RUN_DATA_OFFSET - 288 - sizeof(struct lodge_regs)];
	__u8 data[LODGE_RUN_DATA_SIZE];
};

/*
 * Calls on /dev/lodge.
 */

/**
 * LODGE_GET_INFO - what the host can do; works even where no VM can run
 */
#define LODGE_GET_INFO _IOR(LODGE_IOC, 0x00, struct lodge_info)
/**
 * LODGE_CREATE_VM - make a VM; returns its file descriptor
 *
 * The memory slots will refer to the memory of the process that makes this call;
 * no other process can use the VM (EIO).
 *
 * Errors: EINVAL flags; ENODEV this host cannot (info.status says why); EBUSY
 * another hypervisor holds the processor, or the host is going down; EDQUOT the
 * caller's real user has as many VMs as the module's parameter user_vms allows;
 * ENOMEM; EMFILE.
 */
#define LODGE_CREATE_VM _IOW(LODGE_IOC, 0x01, struct lodge_vm_create)

/*
 * Calls on a VM.
 */

/**
 * LODGE_SET_MEMORY - set, replace or delete a memory slot
 *
 * Slots may show the same memory as often as one likes: nested page tables of a VM
 * above the module's parameter max_tables, or of all VMs of a user above
 * user_tables, are dropped and made anew when they are used.
 *
 * Errors: EINVAL slot number, flags, alignment, wrap-around, addresses beyond
 * info.phys_bits or beyond user space; EEXIST it overlaps another slot; ENOENT
 * deleting a slot that is not set; ENOMEM.
 */
#define LODGE_SET_MEMORY _IOW(LODGE_IOC, 0x10, struct lodge_memory)
/**
 * LODGE_CREATE_VCPU - make a vCPU in its reset state; returns its descriptor
 *
 * Closing the descriptor ends the vCPU.  Its id stays taken as long as the VM is
 * there, and messages to it are accepted and forgotten.
 *
 * Errors: EINVAL id or flags; EEXIST there is, or was, one with this id; EDQUOT
 * the user who has made the VM has as many vCPUs as the module's parameter
 * user_vcpus allows; ENOMEM; EMFILE.
 */
#define LODGE_CREATE_VCPU _IOW(LODGE_IOC, 0x11, struct lodge_vcpu_create)
/**
 * LODGE_SEND_MSI - send a message-signalled interrupt
 *
 * Errors: EINVAL address outside 0xfeexxxxx, flags, a delivery mode that MSI
 * does not have; ENXIO no vCPU takes it.
 */
#define LODGE_SEND_MSI _IOW(LODGE_IOC, 0x12, struct lodge_msi)
/**
 * LODGE_GET_CLOCK - read the VM's clock
 *
 * Errors: EINVAL flags.
 */
#define LODGE_GET_CLOCK _IOWR(LODGE_IOC, 0x13, struct lodge_clock)
/**
 * LODGE_SET_CLOCK - set the VM's clock
 *
 * Errors: EINVAL flags, host_tsc not zero.
 */
#define LODGE_SET_CLOCK _IOW(LODGE_IOC, 0x14, struct lodge_clock)

/*
 * Calls on a vCPU.  All but LODGE_NMI and LODGE_EXTINT wait while another
 * thread is in LODGE_RUN (EINTR when a signal kills the waiter).
 */

/**
 * LODGE_RUN - run the vCPU until something needs its user
 *
 * The vCPU's run page says what came to pass.  An I/O or MMIO access that is
 * answered there is completed by the next LODGE_RUN.
 *
 * Errors: EINTR a signal is pending or immediate_exit is set; EINVAL the run
 * page's @load or the registers it names.
 */
#define LODGE_RUN _IO(LODGE_IOC, 0x20)
/**
 * LODGE_GET_STATE - read register groups
 *
 * Errors: EINVAL unknown groups, reserved not zero; ENOSPC xsave_size too small.
 */
#define LODGE_GET_STATE _IOWR(LODGE_IOC, 0x21, struct lodge_state)
/**
 * LODGE_SET_STATE - write register groups
 *
 * Every group is checked before any is written.
 *
 * Errors: EINVAL unknown groups, reserved not zero, a value that no processor
 * with this vCPU's CPUID could hold.
 */
#define LODGE_SET_STATE _IOW(LODGE_IOC, 0x22, struct lodge_state)
/**
 * LODGE_GET_CPUID - read the vCPU's CPUID leaves
 *
 * Errors: EINVAL flags; ENOSPC count too small (it then says how many).
 */
#define LODGE_GET_CPUID _IOWR(LODGE_IOC, 0x23, struct lodge_cpuid)
/**
 * LODGE_SET_CPUID - replace the vCPU's CPUID leaves
 *
 * A new vCPU has all that Lodge carries on this host; feature bits beyond that
 * are refused.
 *
 * Errors: EINVAL flags, count above LODGE_MAX_CPUID, a leaf given twice, a
 * feature that Lodge does not carry; EBUSY the vCPU has run.
 */
#define LODGE_SET_CPUID _IOW(LODGE_IOC, 0x24, struct lodge_cpuid)
/**
 * LODGE_EXTINT - deliver an external interrupt, as the PIC does
 *
 * Errors: EINVAL vector or flags; EBUSY an earlier one is not yet delivered.
 */
#define LODGE_EXTINT _IOW(LODGE_IOC, 0x25, struct lodge_extint)
/**
 * LODGE_NMI - deliver a non-maskable interrupt
 */
#define LODGE_NMI _IO(LODGE_IOC, 0x26)

#endif /* _UAPI_LODGE_H */
