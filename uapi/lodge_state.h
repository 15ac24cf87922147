/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/lodge: the state of a vCPU, in groups.  This header is part of
 * lodge.h, which has the rules that hold for all structures.
 *
 * The groups, the MSR list and CPUID together are the whole state of a vCPU that a guest
 * can see.  A vCPU that gets the state of another one can take its place.
 *
 * To save a vCPU, first call LODGE_RUN with immediate_exit until it fails with EINTR:
 * this completes the access that was answered last, which is in no group.  Then read
 * CPUID, the MSR list and all groups.  To restore them, write them in this order to a
 * vCPU that has not run.
 *
 * Time: the vCPUs are read one after the other.  The state of each holds for its own
 * msrs.host_tsc, and the VM's clock for lodge_clock.host_tsc.  Compute the values of all
 * of them for one moment.  To restore, read the TSC once, by RDTSC, and write these
 * values with that reading as host_tsc, to each vCPU and by LODGE_SET_CLOCK.  host_tsc has
 * ticks of the host and msrs.tsc those of the guest, which may have another rate
 * (LODGE_SET_TSC_RATE).
 */
#ifndef _UAPI_LODGE_STATE_H
#define _UAPI_LODGE_STATE_H

#include <linux/types.h>

/* Register groups, for struct lodge_state.groups and the run page. */
#define LODGE_GROUP_GENERAL (1ULL << 0)
#define LODGE_GROUP_SEGMENTS (1ULL << 1)
#define LODGE_GROUP_CONTROL (1ULL << 2)
#define LODGE_GROUP_DEBUG (1ULL << 3)
#define LODGE_GROUP_MSRS (1ULL << 4)
#define LODGE_GROUP_EVENTS (1ULL << 5)
#define LODGE_GROUP_XSAVE (1ULL << 6)
#define LODGE_GROUP_LAPIC (1ULL << 7)
/*
 * For writing msrs.tsc and msrs.host_tsc.  Reading MSRS gives both; writing MSRS ignores
 * them.
 */
#define LODGE_GROUP_TSC (1ULL << 8)
/* The groups that are in struct lodge_regs, and so in the run page. */
#define LODGE_GROUPS_INLINE 0x13fULL
#define LODGE_GROUPS_ALL 0x1ffULL

/* Index into struct lodge_general.gpr: the number of the register in instructions. */
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
 * @limit: limit in bytes, for both values of the granularity bit
 * @selector: visible part
 * @attr: the descriptor's attribute bits without the gap (LODGE_SEG_*); without
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
 * @tsc: the guest's time stamp counter at the moment of @host_tsc; written only with
 *	GROUP_TSC, so that writing registers that were read earlier does not change
 *	the time
 * @tsc_aux: MSR 0xc0000103
 * @spec_ctrl: MSR 0x48
 * @misc_enable: MSR 0x1a0
 * @mtrr_def_type: MSR 0x2ff
 * @pv_system_time: MSR 0x4b564d01, kvmclock
 * @pv_wall_clock: MSR 0x4b564d00, kvmclock
 * @tsc_adjust: MSR 0x3b; writing it here does not change @tsc
 * @host_tsc: the moment at which the guest's counter shows @tsc, as a value of the
 *	host's time stamp counter (RDTSC in user space).  GET: the moment of the call.
 *	SET, with GROUP_TSC: any moment; 0 stands for now.  vCPUs that are given the
 *	same @tsc and @host_tsc, one after the other, show the same time.  The value
 *	is meaningless on another host, or after this one was suspended
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
	__u64 host_tsc;
	__u64 reserved[6];
};

/**
 * enum lodge_mp_state - activity of a vCPU
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
#define LODGE_EVENT_SHUTDOWN (1U << 10)
#define LODGE_EVENT_ALL 0x7ffU

/**
 * struct lodge_events - group EVENTS: pending events
 * @flags: LODGE_EVENT_*.  SHADOW: STI or MOV SS blocks interrupts for one more
 *	instruction; NMI_LATCHED: a second NMI is pending behind the first, and
 *	NMI_PENDING must be set, too; SHUTDOWN: a triple fault whose
 *	LODGE_EXIT_SHUTDOWN has not been made yet
 * @mp_state: enum lodge_mp_state
 * @exception: vector of the pending exception, with EXCEPTION
 * @interrupt: with INTERRUPT: vector of an interrupt that was acknowledged, but whose
 *	delivery was cut short and must be repeated
 * @sipi_vector: page number at which the start-up IPI starts, with SIPI_PENDING
 * @extint: with EXTINT: vector from LODGE_EXTINT that is not delivered yet
 * @error_code: error code of the exception, with ERROR_CODE
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
 * @regs: the first KiB of the xAPIC register page, with a register every 16 bytes, as
 *	MMIO reads it
 * @tsc_deadline: MSR 0x6e0
 * @timer_ns: nanoseconds until the timer's current count reaches zero, also for a
 *	masked timer; @regs has the count rounded up.  SET: 0 stands for the count in
 *	@regs; the value is limited to the time of the initial count
 * @eoi: bitmap of level-triggered vectors that were ended, but whose LODGE_EXIT_EOI
 *	has not been made yet: vector v is bit v % 32 of @eoi[v / 32]
 * @errors: errors since the last write to the error status register; the next write
 *	moves them there
 * @ldr: the logical destination register of xAPIC mode.  SET: used only in x2APIC
 *	mode, in which @regs has that mode's register; in xAPIC mode @regs is used
 */
struct lodge_lapic {
	__u8 regs[1024];
	__u64 tsc_deadline;
	__u64 timer_ns;
	__u32 eoi[8];
	__u32 errors;
	__u32 ldr;
};

/* The first version of struct lodge_lapic ended after @tsc_deadline. */
#define LODGE_LAPIC_FIRST_SIZE 1032

/**
 * struct lodge_state - argument of LODGE_GET_STATE and LODGE_SET_STATE
 * @groups: LODGE_GROUP_*: the groups to read or write
 * @xsave: address of an XSAVE area in the standard form, with GROUP_XSAVE
 * @xsave_size: its size in bytes; info.xsave_size is enough
 * @lapic_size: the caller's sizeof(struct lodge_lapic); 0 stands for
 *	LODGE_LAPIC_FIRST_SIZE
 * @lapic: address of a struct lodge_lapic, with GROUP_LAPIC
 * @regs: the inline groups
 */
struct lodge_state {
	__u64 groups;
	__u64 xsave;
	__u32 xsave_size;
	__u32 lapic_size;
	__u64 lapic;
	struct lodge_regs regs;
};

/**
 * struct lodge_msr_entry - an MSR of the list
 * @index: its number
 * @reserved: zero
 * @value: its contents
 */
struct lodge_msr_entry {
	__u32 index;
	__u32 reserved;
	__u64 value;
};

/* The most MSRs on a vCPU's list. */
#define LODGE_MAX_MSRS 256
#define LODGE_MSR_LIST_ALL (1U << 0)

/**
 * struct lodge_msr_list - argument of LODGE_GET_MSR_LIST and LODGE_SET_MSR_LIST
 * @count: number of entries at @entries, at most LODGE_MAX_MSRS; GET with
 *	LODGE_MSR_LIST_ALL sets it to the number that there is
 * @flags: GET: LODGE_MSR_LIST_ALL for the whole list, or zero; SET: zero
 * @entries: address of an array of struct lodge_msr_entry
 *
 * The list has the MSRs that only store the guest's writes and are in no group: MTRRs,
 * MCG_STATUS, AMD's SYSCFG, HWCR, TOP_MEM and others.  It depends on the vCPU's CPUID.
 */
struct lodge_msr_list {
	__u32 count;
	__u32 flags;
	__u64 entries;
};

#endif /* _UAPI_LODGE_STATE_H */
