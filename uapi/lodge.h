/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/lodge: every call, structure and constant that the module
 * and user space share.  The state of a vCPU is in lodge_state.h, the
 * run page with the exits in lodge_run.h.
 *
 * Rules that hold for every call:
 *
 * - The layout is the same for 32- and 64-bit callers; pointers are passed as __u64.
 * - Structures grow at their end.  The ioctl number has the size with which the
 *   caller was built.  The kernel sets members that are missing to zero, and fails
 *   with E2BIG if bytes that it does not know are not zero.
 * - Reserved fields and unknown flag bits must be zero (EINVAL).
 * - A call that fails has changed nothing, but where it says what it has.
 * - Every call can fail with these errors, which are not repeated below.  EFAULT: a
 *   pointer is bad.  ENOTTY: this file has no such call.  EIO: a bug in Lodge was
 *   found earlier in this VM, which can only be closed.  ECANCELED: the VM was killed
 *   (LODGE_CMD_VM_KILL), likewise.
 */
#ifndef _UAPI_LODGE_H
#define _UAPI_LODGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "lodge_run.h"
#include "lodge_state.h"

#define LODGE_ABI_VERSION 1
#define LODGE_DEVICE "/dev/lodge"
#define LODGE_MAX_VCPUS 64
#define LODGE_MAX_SLOTS 64
#define LODGE_IOC 0xb7

/**
 * enum lodge_status - ability of this host to run virtual machines
 * @LODGE_STATUS_READY: it can run them
 * @LODGE_STATUS_NO_VIRTUALIZATION: the processor has neither AMD-V nor VT-x
 * @LODGE_STATUS_FIRMWARE_DISABLED: the firmware has disabled and locked it
 * @LODGE_STATUS_NO_NESTED_PAGING: the processor has no nested paging
 * @LODGE_STATUS_BUSY: another hypervisor holds the processor now
 * @LODGE_STATUS_NO_UNRESTRICTED_GUEST: the processor's VT-x is older than 2010
 *	and cannot run a guest in real mode
 * @LODGE_STATUS_FRED: the host's kernel uses FRED, to which Lodge cannot pass NMIs
 * @LODGE_STATUS_KVM_ONLY: the host's kernel lets only KVM use VT-x
 * @LODGE_STATUS_NO_TSC_RATE: the host's kernel does not know the rate of the time
 *	stamp counter, on which the clocks and timers of VMs depend
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
	LODGE_STATUS_NO_TSC_RATE = 8,
};

/**
 * struct lodge_info - result of LODGE_GET_INFO
 * @abi_version: LODGE_ABI_VERSION of the module
 * @status: enum lodge_status, as of this moment
 * @backend: "svm", "vmx" or empty
 * @message: @status in words, for a person
 * @groups: register groups that the calls know
 * @max_vcpus: most vCPUs of a VM
 * @max_slots: most memory slots of a VM
 * @run_size: bytes to map of a vCPU's file
 * @phys_bits: width of a guest physical address
 * @tsc_khz: rate of the host's time stamp counter, kHz, and of a guest's, but after
 *	LODGE_SET_TSC_RATE
 * @xsave_size: largest XSAVE area, in bytes
 * @flags: LODGE_INFO_*: features of this processor, for information
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
/* The processor itself shows guests another rate of the time stamp counter. */
#define LODGE_INFO_TSC_SCALING (1ULL << 4)

/* Bytes of a VM's name with the zero at its end. */
#define LODGE_NAME_SIZE 64

/**
 * struct lodge_vm_create - argument of LODGE_CREATE_VM
 * @flags: zero
 * @name: name of the VM, for lists and messages: letters, digits, '.', '_' and '-', and
 *	the first is a letter or a digit; zeros behind it.  Empty: a name is made up
 */
struct lodge_vm_create {
	__u64 flags;
	char name[LODGE_NAME_SIZE];
};

#define LODGE_MEM_READONLY (1U << 0)

/**
 * struct lodge_memory - argument of LODGE_SET_MEMORY
 * @slot: number of the slot, below info.max_slots
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

#define LODGE_DIRTY_LOG_ON (1U << 0)
#define LODGE_DIRTY_LOG_BASELINE (1U << 1)

/**
 * struct lodge_dirty_log - argument of LODGE_SET_DIRTY_LOG
 * @slot: number of a slot that is set
 * @flags: LODGE_DIRTY_LOG_ON: keep a dirty log of the slot; zero: keep none;
 *	LODGE_DIRTY_LOG_BASELINE, only together with it: LODGE_RESET puts the slot's
 *	memory back
 * @baseline: with LODGE_DIRTY_LOG_BASELINE: address of the content to which it is put
 *	back, page-aligned and as large as the slot; else zero
 */
struct lodge_dirty_log {
	__u32 slot;
	__u32 flags;
	__u64 baseline;
};

/* The most pages of 4 KiB of a slot with a dirty log: 8 TiB. */
#define LODGE_MAX_DIRTY_PAGES (1U << 31)

/**
 * struct lodge_dirty - argument of LODGE_GET_DIRTY
 * @slot: number of a slot with a dirty log
 * @flags: zero
 * @first: first page to look at, counted from the slot's beginning in units of 4 KiB; a
 *	multiple of 64
 * @pages: how many pages to look at
 * @bitmap: address of an array of __u64, 8-aligned: bit n % 64 of element n / 64 stands
 *	for page @first + n
 * @dirty: out: pages that were found in the log
 */
struct lodge_dirty {
	__u32 slot;
	__u32 flags;
	__u64 first;
	__u64 pages;
	__u64 bitmap;
	__u64 dirty;
};

/**
 * struct lodge_reset - argument of LODGE_RESET
 * @flags: zero
 * @pages: out: pages of 4 KiB that were put back
 */
struct lodge_reset {
	__u64 flags;
	__u64 pages;
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

#define LODGE_IOEVENTFD_PORT (1U << 0)
#define LODGE_IOEVENTFD_MATCH (1U << 1)
#define LODGE_IOEVENTFD_REMOVE (1U << 2)

/**
 * struct lodge_ioeventfd - argument of LODGE_SET_IOEVENTFD
 * @address: guest physical address, or, with LODGE_IOEVENTFD_PORT, a port
 * @match: with LODGE_IOEVENTFD_MATCH: the value that is written; else zero
 * @size: bytes of a write: 1, 2, 4, or, not to a port, 8.  0: a write of any size that
 *	begins at @address; without LODGE_IOEVENTFD_MATCH
 * @fd: an eventfd
 * @flags: LODGE_IOEVENTFD_*
 * @reserved: zero
 */
struct lodge_ioeventfd {
	__u64 address;
	__u64 match;
	__u32 size;
	__s32 fd;
	__u32 flags;
	__u32 reserved;
};

#define LODGE_IRQFD_LEVEL (1U << 0)
#define LODGE_IRQFD_REMOVE (1U << 1)

/**
 * struct lodge_irqfd - argument of LODGE_SET_IRQFD
 * @address: message address, as struct lodge_msi has it
 * @data: message data
 * @fd: an eventfd
 * @resample: with LODGE_IRQFD_LEVEL: an eventfd; else zero
 * @flags: LODGE_IRQFD_*
 * @reserved: zero
 */
struct lodge_irqfd {
	__u64 address;
	__u32 data;
	__s32 fd;
	__s32 resample;
	__u32 flags;
	__u64 reserved;
};

/**
 * struct lodge_clock - argument of LODGE_GET_CLOCK and LODGE_SET_CLOCK
 * @ns: the VM's clock, which kvmclock shows, in nanoseconds.  While the host is
 *	suspended, it stands still like the guest's TSC
 * @host_tsc: the moment at which the clock shows @ns, as a value of the host's time
 *	stamp counter (RDTSC in user space).  GET: the moment of the call.  SET: a
 *	moment in the past; 0 stands for now
 * @flags: zero
 */
struct lodge_clock {
	__u64 ns;
	__u64 host_tsc;
	__u64 flags;
};

/**
 * struct lodge_tsc_rate - argument of LODGE_SET_TSC_RATE
 * @khz: rate of the guest's time stamp counters, kHz
 * @flags: zero
 */
struct lodge_tsc_rate {
	__u32 khz;
	__u32 flags;
};

/**
 * struct lodge_cpuid_entry - one leaf
 * @leaf: EAX before the instruction
 * @subleaf: ECX before the instruction, with LODGE_CPUID_SUBLEAF
 * @flags: LODGE_CPUID_SUBLEAF: the leaf has subleaves
 * @eax: result
 * @ebx: result
 * @ecx: result
 * @edx: result
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
 * @count: number of entries at @entries; GET sets it to the number that there is
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
 * @vector: the vector from the PIC's acknowledge cycle, 0 to 255
 * @flags: zero
 */
struct lodge_extint {
	__u32 vector;
	__u32 flags;
};

/*
 * Calls on /dev/lodge.
 */

/**
 * LODGE_GET_INFO - get the host's status and limits, even if no VM can run
 */
#define LODGE_GET_INFO _IOR(LODGE_IOC, 0x00, struct lodge_info)
/**
 * LODGE_CREATE_VM - make a VM; returns its file descriptor
 *
 * The VM's memory slots refer to the memory of the process that makes this call.  In
 * other processes all calls on the VM fail with EIO.
 *
 * Errors: EINVAL flags, name; ENODEV this host cannot run VMs (see info.status); EBUSY
 * another hypervisor uses the processor, or the host is shutting down; EEXIST the
 * caller's real user has a VM of this name; EDQUOT a limit on VMs or kernel memory, the
 * caller's real user's or that of all users, is reached (see lodge_netlink.h); ENOMEM;
 * EMFILE.
 */
#define LODGE_CREATE_VM _IOW(LODGE_IOC, 0x01, struct lodge_vm_create)

/*
 * Calls on a VM.
 */

/**
 * LODGE_SET_MEMORY - set, replace or delete a memory slot
 *
 * Any number of slots may show the same memory.  The nested page tables of a VM
 * (parameter max_tables of the module), of all VMs of a user and of all users (see
 * LODGE_LIMIT_TABLES) are limited: above that, the tables of a VM that has more than
 * 512 KiB of them are dropped, and made anew when the guest uses the memory.
 *
 * Errors: EINVAL slot number, flags, alignment, wrap-around, addresses beyond
 * info.phys_bits or beyond user space; EEXIST it overlaps another slot; ENOENT
 * deleting a slot that is not set; ENOMEM.
 */
#define LODGE_SET_MEMORY _IOW(LODGE_IOC, 0x10, struct lodge_memory)
/**
 * LODGE_CREATE_VCPU - make a vCPU in its reset state; returns its descriptor
 *
 * Closing the descriptor ends the vCPU.  Its id stays in use as long as the VM exists,
 * and messages to it are accepted and dropped.
 *
 * Errors: EINVAL id or flags; EEXIST there is, or was, one with this id; EDQUOT a
 * limit on vCPUs or kernel memory, of the user who created the VM or of all users, is
 * reached (see lodge_netlink.h); ENOMEM; EMFILE.
 */
#define LODGE_CREATE_VCPU _IOW(LODGE_IOC, 0x11, struct lodge_vcpu_create)
/**
 * LODGE_SEND_MSI - send a message-signalled interrupt
 *
 * Errors: EINVAL address outside 0xfeexxxxx, flags, a delivery mode that MSI does not
 * have; ENXIO no vCPU takes it.
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
 * Errors: EINVAL flags, a host_tsc in the future.
 */
#define LODGE_SET_CLOCK _IOW(LODGE_IOC, 0x14, struct lodge_clock)

/**
 * LODGE_SET_IOEVENTFD - let a write of the guest's signal an eventfd
 *
 * The guest goes on at once: such a write makes no exit.  Writes of another size or
 * value, and reads, exit as before.  Writes of any size to an address take the least
 * time, if they are MOVs that are repeated: the kernel may then know them by their place
 * and length, without looking at them again.  Several eventfds may have the same address and
 * size: each with another value to match.  Closing the eventfd changes nothing; the VM
 * keeps it until it is removed, by a call with the same eventfd, address, size, match
 * and flags, or until the VM ends.
 *
 * Errors: EBADF, EINVAL @fd is no eventfd; EINVAL flags, size, match, reserved, an
 * address that the space does not have; EEXIST the address is taken: by a device in the
 * kernel, by an eventfd with another size, or by one with this value or with any; ENOENT
 * removing one that is not there; ENOSPC the VM has LODGE_MAX_IOEVENTFDS, or too many
 * addresses; EDQUOT a limit on kernel memory is reached (see lodge_netlink.h); ENOMEM.
 */
#define LODGE_SET_IOEVENTFD _IOW(LODGE_IOC, 0x15, struct lodge_ioeventfd)
#define LODGE_MAX_IOEVENTFDS 1024
/**
 * LODGE_SET_IRQFD - let an eventfd send a message-signalled interrupt
 *
 * Each signal of the eventfd sends the message once; if it has been signalled before,
 * the message is sent now.  For an eventfd that the VM has already, the message is
 * replaced: the former one is not sent after this call.  Closing the eventfd's last
 * descriptor removes it.
 *
 * With LODGE_IRQFD_LEVEL the message is a level-triggered one.  When the guest ends the
 * interrupt, the eventfd @resample is signalled, whose reader signals @fd again if its
 * device still wants an interrupt.  Each eventfd with this vector is told.  There is no
 * exit (LODGE_EXIT_EOI) if one of them sends it to this vCPU; so an interrupt whose
 * message was replaced or removed in the meantime does exit.  A message that no vCPU
 * takes is lost, and has no end.
 *
 * Errors: EBADF, EINVAL @fd, or @resample, is no eventfd; EINVAL flags, reserved,
 * address and data as for LODGE_SEND_MSI, data that is level-triggered without
 * LODGE_IRQFD_LEVEL or not with it, a level-triggered NMI or INIT, changing between
 * level and edge, or @resample; ENOENT removing one that is not there; ENOSPC the VM has
 * LODGE_MAX_IRQFDS; EDQUOT a limit on kernel memory is reached (see lodge_netlink.h);
 * ENOMEM.
 */
#define LODGE_SET_IRQFD _IOW(LODGE_IOC, 0x16, struct lodge_irqfd)
#define LODGE_MAX_IRQFDS 4096
/**
 * LODGE_SET_DIRTY_LOG - begin or end the dirty log of a memory slot
 *
 * From then on the slot's log has each page that the guest has written to, or the kernel
 * for it: an emulated instruction, the clock page, accessed and dirty bits in the
 * guest's page tables.  Some processors count the reading of a page table as a write.
 * What the caller itself writes, vhost for it, another VM of the caller's, or another
 * process to which it gave the memory, is not in the log.  Where several slots show the
 * same memory, each has what was written through it.
 *
 * A log begins empty.  To begin one that there is changes only the baseline, which it
 * then has or has not; to end one that there is not changes nothing.  It ends, too, when
 * LODGE_SET_MEMORY replaces or deletes the slot, if only to change its flags.
 * While there is one, the guest's first write to a page costs a fault, and nested pages
 * larger than 4 KiB are split where the guest writes; afterwards they become large again.
 * The memory of the baseline is the caller's to keep; it is read by LODGE_RESET alone.
 * It must not follow what is written to the slot, as a private mapping does of a file
 * that the slot shows.
 *
 * Errors: EINVAL slot number, flags, a baseline that is not page-aligned or goes beyond
 * user space, none with the flag or one without it; ENOENT the slot is not set; EFBIG it
 * has more than LODGE_MAX_DIRTY_PAGES; EDQUOT a limit on kernel memory is reached (see
 * lodge_netlink.h); ENOMEM.
 */
#define LODGE_SET_DIRTY_LOG _IOW(LODGE_IOC, 0x17, struct lodge_dirty_log)
/**
 * LODGE_GET_DIRTY - take pages out of a dirty log
 *
 * Sets the bits of the pages that are in the log, and takes them out.  Other bits stay
 * as they are, so that one bitmap can collect what several calls find, one after the
 * other: nobody else may write to it meanwhile.  The caller clears it before.  The time
 * that this takes depends on the number of pages found, and hardly on that of pages
 * looked at.
 *
 * vCPUs may run meanwhile.  A page's content, as the caller reads it after this call,
 * has all that was written to it before it was taken out; what is written later puts the
 * page into the log again.
 *
 * If the call fails with EFAULT or EINTR, it has taken out some pages and set their
 * bits, but not counted them in @dirty; all others are still in the log.
 *
 * Whoever serves faults of the bitmap, as by a userfaultfd, must not make a call on the
 * VM for that: it would wait for this one.  The same holds for LODGE_RESET.
 *
 * Errors: EINVAL slot number, flags, @first, @bitmap's alignment, pages beyond the slot's
 * end; ENOENT the slot is not set, or has no dirty log; EINTR the caller is being killed.
 */
#define LODGE_GET_DIRTY _IOWR(LODGE_IOC, 0x18, struct lodge_dirty)
/**
 * LODGE_HOLD - stop all vCPUs and keep them from running
 *
 * When this call returns, no vCPU is in LODGE_RUN, and LODGE_RUN fails with EAGAIN until
 * LODGE_RELEASE is called as often as LODGE_HOLD was, or the last descriptor of the VM is
 * closed; with immediate_exit, EINTR if no answer of the caller's waits to be taken.  A
 * LODGE_RUN that the call has stopped fails with EAGAIN, too, at a point at
 * which no instruction is half done but those that wait for the caller's answer.  Other
 * calls work as usual.  Interrupts may be sent meanwhile; they wait, and time goes on.
 * A vCPU that waits for a page of its memory, such as one from a userfaultfd, is waited
 * for.
 *
 * Errors: EINTR the caller is being killed; EOVERFLOW it was called too often.  Then the
 * vCPUs are not held by this call.
 */
#define LODGE_HOLD _IO(LODGE_IOC, 0x19)
/**
 * LODGE_RELEASE - take back one LODGE_HOLD
 *
 * Errors: EINVAL no LODGE_HOLD is in force.
 */
#define LODGE_RELEASE _IO(LODGE_IOC, 0x1a)
/**
 * LODGE_RESET - put memory back to its baseline
 *
 * Copies each page that is in the dirty log of a slot with a baseline from there, and
 * takes it out of the log.  All vCPUs are held meanwhile, as by LODGE_HOLD, but no
 * LODGE_RELEASE takes that back; to put their registers back as well, hold them around
 * this call and LODGE_SET_STATE, and clear load in the run page, which LODGE_SET_STATE
 * does not.  Devices of the caller's, and vhost, are not held.  Pages that
 * LODGE_GET_DIRTY has taken out are not put back, nor those that only others than the
 * guest have written to.  The other slots' logs stay as they are.  The clock pages of the
 * guest get the time before it goes on.
 *
 * Where the processor tells which pages were written to, those that are put back stay
 * writable: a guest that writes to the same pages after each reset takes no fault for
 * that.  Such a page counts as written, too, if the host has moved it since, or when the
 * slot gets another baseline.
 *
 * If the call fails with EFAULT or EINTR, some pages are put back, but not counted in
 * @pages; all others are still in the log, and the call may be made again.
 *
 * Errors: EINVAL flags; ENOENT no slot has a baseline; EFAULT the baseline cannot be read,
 * or the slot's memory not be written to; EINTR the caller is being killed; EOVERFLOW as
 * LODGE_HOLD.
 */
#define LODGE_RESET _IOWR(LODGE_IOC, 0x1b, struct lodge_reset)
/**
 * LODGE_SET_TSC_RATE - give the guest's time stamp counters another rate than the host's
 *
 * For a machine that comes from another host: the guest has measured the rate when it
 * started.  RDTSC, the MSRs, deadlines of timers and kvmclock all go by the new rate.
 * Where the processor cannot show it (LODGE_INFO_TSC_SCALING; or a rate beyond what it can
 * do), RDTSC and RDTSCP leave the guest, and the kernel answers.  The counters of all
 * vCPUs, and of those that are made later, begin at zero with this call.  The msrs.host_tsc
 * and lodge_clock.host_tsc of all calls remain the host's own ticks.
 *
 * Errors: EINVAL khz is zero or at least 65536 times info.tsc_khz, flags; EBUSY a vCPU
 * has run; EINTR killed meanwhile, with the counters of some vCPUs changed only; EOVERFLOW
 * as LODGE_HOLD.
 */
#define LODGE_SET_TSC_RATE _IOW(LODGE_IOC, 0x1c, struct lodge_tsc_rate)

/*
 * Calls on a vCPU.  All but LODGE_NMI and LODGE_EXTINT wait while another
 * thread is in LODGE_RUN (EINTR when a signal kills the waiter).
 */

/**
 * LODGE_RUN - run the vCPU until an exit for user space
 *
 * The vCPU's run page has the reason of the exit.  For a read from a port or by MMIO,
 * the caller writes the result to the run page, and the next LODGE_RUN completes the
 * instruction; until then RIP is at that instruction.  A write needs no result: the
 * instruction is complete and RIP is behind it, unless it makes more accesses, with
 * which the next LODGE_RUN continues.
 *
 * Setting the group GENERAL or EVENTS, by LODGE_SET_STATE or @load, abandons an
 * instruction that is not complete.
 *
 * Errors: EINTR a signal is pending or immediate_exit is set; EAGAIN the vCPUs are held
 * (LODGE_HOLD, LODGE_RESET): the caller waits and calls again, with the same answer in
 * the run page, which is not looked at if they were held before; EINVAL the run page's
 * @load or the registers that it names.
 */
#define LODGE_RUN _IO(LODGE_IOC, 0x20)
/**
 * LODGE_GET_STATE - read register groups
 *
 * If the caller's struct lodge_lapic is larger than the kernel's, the rest is set to
 * zero; if it is smaller, only its part is written.
 *
 * Errors: EINVAL unknown groups, lapic_size smaller than the first version's;
 * E2BIG lapic_size above 4096; ENOSPC xsave_size too small; ENOMEM.
 */
#define LODGE_GET_STATE _IOWR(LODGE_IOC, 0x21, struct lodge_state)
/**
 * LODGE_SET_STATE - write register groups
 *
 * All groups are checked before one is written.  If the caller's struct lodge_lapic is
 * smaller than the kernel's, the rest is taken as zero.
 *
 * Errors: EINVAL unknown groups, lapic_size smaller than the first version's,
 * xsave_size below 576 (legacy area and header), a value that a processor with this
 * vCPU's CPUID cannot have; E2BIG lapic_size above 4096, or bytes that are not zero in
 * the part of struct lodge_lapic that the kernel does not know; ENOMEM.
 */
#define LODGE_SET_STATE _IOW(LODGE_IOC, 0x22, struct lodge_state)
/**
 * LODGE_GET_CPUID - read the vCPU's CPUID leaves
 *
 * Errors: EINVAL flags; ENOSPC count too small (it is set to the number of leaves).
 */
#define LODGE_GET_CPUID _IOWR(LODGE_IOC, 0x23, struct lodge_cpuid)
/**
 * LODGE_SET_CPUID - replace the vCPU's CPUID leaves
 *
 * A new vCPU has all features that Lodge supports on this host; other feature bits are
 * refused.  With leaves of another vendor's processor the vCPU has that vendor's MSRs, in
 * the state of a reset.
 *
 * Errors: EINVAL flags, count above LODGE_MAX_CPUID, a leaf given twice, a feature that
 * Lodge does not support; EBUSY the vCPU has run.
 */
#define LODGE_SET_CPUID _IOW(LODGE_IOC, 0x24, struct lodge_cpuid)
/**
 * LODGE_EXTINT - deliver an external interrupt, as the PIC does
 *
 * If this call and a LODGE_SET_STATE with an external interrupt are made at the same
 * time, one of them may have no effect.
 *
 * Errors: EINVAL vector or flags; EBUSY an earlier one is not delivered yet.
 */
#define LODGE_EXTINT _IOW(LODGE_IOC, 0x25, struct lodge_extint)
/**
 * LODGE_NMI - deliver a non-maskable interrupt
 */
#define LODGE_NMI _IO(LODGE_IOC, 0x26)
/**
 * LODGE_GET_MSR_LIST - read, by number, MSRs that are in no register group
 *
 * The caller sets each entry's index, and the call sets its value.  With
 * LODGE_MSR_LIST_ALL the call sets both, for the whole list.
 *
 * Errors: EINVAL flags, count above LODGE_MAX_MSRS, an entry's reserved, a number
 * that is not on the vCPU's list; ENOSPC, with LODGE_MSR_LIST_ALL, count too small (it
 * is set to the number of MSRs); ENOMEM.
 */
#define LODGE_GET_MSR_LIST _IOWR(LODGE_IOC, 0x27, struct lodge_msr_list)
/**
 * LODGE_SET_MSR_LIST - write, by number, MSRs that are in no register group
 *
 * Set the vCPU's CPUID first: the list depends on it.  All entries are checked before
 * one is written.  If a number is given twice, the last entry counts.
 *
 * Errors: EINVAL flags, count above LODGE_MAX_MSRS, an entry's reserved, a number
 * that is not on the vCPU's list, a value that the MSR cannot hold; ENOMEM.
 */
#define LODGE_SET_MSR_LIST _IOW(LODGE_IOC, 0x28, struct lodge_msr_list)

#endif /* _UAPI_LODGE_H */
