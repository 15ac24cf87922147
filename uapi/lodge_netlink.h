/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family `lodge`: one view of all VMs of the host.
 *
 * lodge_netlink.yaml says the same for programs.  Rules that hold for every command:
 *
 * - A caller sees and changes what belongs to its own user (the real user ID that made
 *   the VM) in its own user namespace, as far as that was made in its own PID namespace
 *   or in one below: so a container's root sees what its container has made, and nothing
 *   of the host's.  A caller with CAP_SYS_ADMIN in the initial user
 *   namespace sees and changes everything.  What a caller may not see does not exist for
 *   it: ENOENT.
 * - Requests are checked strictly: an attribute that is unknown, of another size or not
 *   of this command fails with EINVAL, and the extended acknowledgement names it.
 * - A dump of which the list has changed between two messages has NLM_F_DUMP_INTR set;
 *   it names nothing twice.
 * - Numbers are in the host's byte order; times are in nanoseconds, sizes in bytes.
 */
#ifndef _UAPI_LODGE_NETLINK_H
#define _UAPI_LODGE_NETLINK_H

#include "lodge.h"

#define LODGE_GENL_NAME "lodge"
#define LODGE_GENL_VERSION 1
/* Multicast group: LODGE_CMD_NEWS. */
#define LODGE_GENL_EVENTS "events"

/* Bytes of an explanation with the zero at its end. */
#define LODGE_TEXT_SIZE 160

/**
 * enum lodge_command - commands of the family
 * @LODGE_CMD_UNSPEC: none
 * @LODGE_CMD_VM_GET: a VM by LODGE_VM_ID or LODGE_VM_NAME (with LODGE_VM_UID if another
 *	user has a VM of that name); dump: all VMs.  Answers with enum lodge_vm_attr.
 *	ENOTUNIQ: the user has VMs of that name in several namespaces, and none in the
 *	caller's
 * @LODGE_CMD_VCPU_GET: dump only: the vCPUs of the VM LODGE_VCPU_VM, or of all VMs.
 *	Answers with enum lodge_vcpu_attr
 * @LODGE_CMD_STATS_GET: a vCPU's statistics by LODGE_STATS_VM and LODGE_STATS_VCPU;
 *	dump: of all vCPUs of the VM LODGE_STATS_VM, or of all VMs.  Answers with enum
 *	lodge_stats_attr
 * @LODGE_CMD_VM_KILL: stop a VM for ever, given as for LODGE_CMD_VM_GET.  From then on
 *	its calls fail with ECANCELED
 * @LODGE_CMD_LIMIT_GET: the limits of one scope (LODGE_LIMIT_SCOPE, and LODGE_LIMIT_UID
 *	with LODGE_SCOPE_USER); dump: of all scopes that there are, and of users those who
 *	have VMs or limits of their own.  Everybody sees the default scope and that of all
 *	users.  Answers with enum lodge_limit_attr
 * @LODGE_CMD_LIMIT_SET: change limits; the same attributes.  What is used already stays,
 *	even if it is more.  Needs CAP_SYS_ADMIN in the initial user namespace (EPERM);
 *	ENOSPC: 1024 users have limits of their own
 * @LODGE_CMD_NEWS_GET: dump only: what has happened, oldest first, from
 *	LODGE_NEWS_SEQ on, or all that is remembered.  Answers with enum
 *	lodge_news_attr.  1024 events are remembered; for a new one the user who has
 *	most of them loses the oldest
 * @LODGE_CMD_NEWS: sent to the group LODGE_GENL_EVENTS: there are events up to
 *	LODGE_NEWS_SEQ.  Whose they are is told by LODGE_CMD_NEWS_GET to who may know.
 *	A listener that has lost messages (ENOBUFS) has lost nothing: it asks from the
 *	event on that it has not seen yet
 */
enum lodge_command {
	LODGE_CMD_UNSPEC,
	LODGE_CMD_VM_GET,
	LODGE_CMD_VCPU_GET,
	LODGE_CMD_STATS_GET,
	LODGE_CMD_VM_KILL,
	LODGE_CMD_LIMIT_GET,
	LODGE_CMD_LIMIT_SET,
	LODGE_CMD_NEWS_GET,
	LODGE_CMD_NEWS,
	__LODGE_CMD_END,
	LODGE_CMD_MAX = __LODGE_CMD_END - 1,
};

/**
 * enum lodge_vm_attr - a VM
 * @LODGE_VM_PAD: only aligns
 * @LODGE_VM_ID: u32: never 0, not used again for a long time
 * @LODGE_VM_NAME: string: unique among the VMs of its user in the same user and PID
 *	namespaces
 * @LODGE_VM_UID: u32: real user that made it, as the caller's user namespace sees it
 * @LODGE_VM_PID: u32: process whose memory it uses, as the caller's PID namespace sees
 *	it; 0: not there
 * @LODGE_VM_START: u64: boot time (CLOCK_BOOTTIME) at its creation, as the caller's time
 *	namespace has it; 0: before its clock began
 * @LODGE_VM_VCPUS: u32: number of vCPUs
 * @LODGE_VM_MEMORY: u64: size of all memory slots
 * @LODGE_VM_RESIDENT: u64: of that, what the nested page tables map now
 * @LODGE_VM_TABLES: u64: size of the nested page tables
 * @LODGE_VM_CGROUP: u64: ID of the process's cgroup in the unified hierarchy; 0: none
 * @LODGE_VM_STATE: u32: enum lodge_vm_state
 */
enum lodge_vm_attr {
	LODGE_VM_UNSPEC,
	LODGE_VM_PAD,
	LODGE_VM_ID,
	LODGE_VM_NAME,
	LODGE_VM_UID,
	LODGE_VM_PID,
	LODGE_VM_START,
	LODGE_VM_VCPUS,
	LODGE_VM_MEMORY,
	LODGE_VM_RESIDENT,
	LODGE_VM_TABLES,
	LODGE_VM_CGROUP,
	LODGE_VM_STATE,
	__LODGE_VM_END,
	LODGE_VM_MAX = __LODGE_VM_END - 1,
};

/**
 * enum lodge_vm_state - state of a VM
 * @LODGE_VM_ALIVE: it can run
 * @LODGE_VM_KILLED: LODGE_CMD_VM_KILL has stopped it
 * @LODGE_VM_BROKEN: a bug in Lodge was found in it
 */
enum lodge_vm_state {
	LODGE_VM_ALIVE,
	LODGE_VM_KILLED,
	LODGE_VM_BROKEN,
};

/**
 * enum lodge_vcpu_attr - a vCPU
 * @LODGE_VCPU_PAD: only aligns
 * @LODGE_VCPU_VM: u32: LODGE_VM_ID
 * @LODGE_VCPU_ID: u32: its number
 * @LODGE_VCPU_STATE: u32: enum lodge_vcpu_state
 * @LODGE_VCPU_TID: u32: thread in LODGE_RUN, as the caller's PID namespace sees it; 0:
 *	none
 * @LODGE_VCPU_CPU: u32: host CPU on which it runs or ran last; absent: none yet
 * @LODGE_VCPU_EXIT: u32: its last exit, enum lodge_stat_exit; absent: none yet
 * @LODGE_VCPU_GUEST: u64: time in the guest
 * @LODGE_VCPU_HOST: u64: time for which the threads that have run it had a CPU, in the
 *	kernel and in user space, outside the guest: each from its first LODGE_RUN on.
 *	It is added up when the scheduler looks, at the latest at a tick of its timer
 * @LODGE_VCPU_WAIT: u64: time in LODGE_RUN in HLT or waiting for a start-up IPI
 * @LODGE_VCPU_STEAL: u64: time for which these threads were ready but others ran
 */
enum lodge_vcpu_attr {
	LODGE_VCPU_UNSPEC,
	LODGE_VCPU_PAD,
	LODGE_VCPU_VM,
	LODGE_VCPU_ID,
	LODGE_VCPU_STATE,
	LODGE_VCPU_TID,
	LODGE_VCPU_CPU,
	LODGE_VCPU_EXIT,
	LODGE_VCPU_GUEST,
	LODGE_VCPU_HOST,
	LODGE_VCPU_WAIT,
	LODGE_VCPU_STEAL,
	__LODGE_VCPU_END,
	LODGE_VCPU_MAX = __LODGE_VCPU_END - 1,
};

/**
 * enum lodge_vcpu_state - state of a vCPU
 * @LODGE_VCPU_OUTSIDE: no thread is in LODGE_RUN
 * @LODGE_VCPU_GUEST_MODE: the guest runs
 * @LODGE_VCPU_HOST_MODE: a thread is in LODGE_RUN, outside the guest
 * @LODGE_VCPU_HALTED: it waits in HLT
 * @LODGE_VCPU_INITIAL: it waits for a start-up IPI
 */
enum lodge_vcpu_state {
	LODGE_VCPU_OUTSIDE,
	LODGE_VCPU_GUEST_MODE,
	LODGE_VCPU_HOST_MODE,
	LODGE_VCPU_HALTED,
	LODGE_VCPU_INITIAL,
};

/**
 * enum lodge_stat_exit - why the processor left the guest; the same on all vendors
 * @LODGE_STAT_UNKNOWN: a reason that Lodge does not know
 * @LODGE_STAT_HOST_EVENT: an interrupt or NMI for the host
 * @LODGE_STAT_CPUID: CPUID
 * @LODGE_STAT_MSR: RDMSR or WRMSR
 * @LODGE_STAT_IO: IN, OUT, INS or OUTS
 * @LODGE_STAT_FAULT: nested page fault, MMIO among them
 * @LODGE_STAT_HLT: HLT
 * @LODGE_STAT_PAUSE: PAUSE in a loop
 * @LODGE_STAT_WINDOW: an interrupt or NMI can be taken now
 * @LODGE_STAT_TIMER: the processor's timer for the guest's deadline
 * @LODGE_STAT_CR: access to a control register
 * @LODGE_STAT_DR: access to a debug register
 * @LODGE_STAT_XSETBV: XSETBV
 * @LODGE_STAT_HYPERCALL: VMCALL or VMMCALL
 * @LODGE_STAT_RDPMC: RDPMC
 * @LODGE_STAT_INVD: INVD or WBINVD
 * @LODGE_STAT_MONITOR: MONITOR or MWAIT
 * @LODGE_STAT_UD: an instruction that the guest's processor does not have
 * @LODGE_STAT_EXCEPTION: an exception
 * @LODGE_STAT_TASK_SWITCH: a hardware task switch
 * @LODGE_STAT_SHUTDOWN: a triple fault
 * @LODGE_STAT_IGNORED: SMI, INIT, or one that needs nothing
 * @LODGE_STAT_INVALID: the processor refused the entry
 * @LODGE_STAT_RDTSC: RDTSC and RDTSCP, of a guest whose time stamp counter has a rate that
 *	the processor cannot show (LODGE_SET_TSC_RATE)
 */
enum lodge_stat_exit {
	LODGE_STAT_UNKNOWN,
	LODGE_STAT_HOST_EVENT,
	LODGE_STAT_CPUID,
	LODGE_STAT_MSR,
	LODGE_STAT_IO,
	LODGE_STAT_FAULT,
	LODGE_STAT_HLT,
	LODGE_STAT_PAUSE,
	LODGE_STAT_WINDOW,
	LODGE_STAT_TIMER,
	LODGE_STAT_CR,
	LODGE_STAT_DR,
	LODGE_STAT_XSETBV,
	LODGE_STAT_HYPERCALL,
	LODGE_STAT_RDPMC,
	LODGE_STAT_INVD,
	LODGE_STAT_MONITOR,
	LODGE_STAT_UD,
	LODGE_STAT_EXCEPTION,
	LODGE_STAT_TASK_SWITCH,
	LODGE_STAT_SHUTDOWN,
	LODGE_STAT_IGNORED,
	LODGE_STAT_INVALID,
	LODGE_STAT_RDTSC,
	LODGE_NR_STAT_EXITS,
};

/* Buckets of the histogram: times below 2^11 ticks, 2^12 ticks, ... and all above. */
#define LODGE_STAT_BUCKETS 24
#define LODGE_STAT_FIRST_BUCKET 11

/**
 * enum lodge_stats_attr - statistics of a vCPU, from its creation on
 * @LODGE_STATS_PAD: only aligns
 * @LODGE_STATS_VM: u32: LODGE_VM_ID
 * @LODGE_STATS_VCPU: u32: LODGE_VCPU_ID
 * @LODGE_STATS_EXITS: binary: u64[LODGE_NR_STAT_EXITS]: exits by enum lodge_stat_exit.
 *	Later versions may have more
 * @LODGE_STATS_QUICK: u64: of these, the exits that were answered at once, with the
 *	host's interrupts off, and are not in LODGE_STATS_HISTOGRAM
 * @LODGE_STATS_INTERRUPTS: u64: external interrupts delivered to the guest
 * @LODGE_STATS_NMIS: u64: NMIs delivered
 * @LODGE_STATS_EXCEPTIONS: u64: exceptions delivered by Lodge
 * @LODGE_STATS_FAULTS_4K: u64: nested page faults that mapped 4 KiB
 * @LODGE_STATS_FAULTS_2M: u64: 2 MiB
 * @LODGE_STATS_FAULTS_1G: u64: 1 GiB
 * @LODGE_STATS_FLUSHES: u64: flushes of its TLB entries
 * @LODGE_STATS_HALTS: u64: times that it began to wait in HLT
 * @LODGE_STATS_POLLS_WON: u64: waits that ended while it polled
 * @LODGE_STATS_POLLS_LOST: u64: waits that polled in vain, then slept
 * @LODGE_STATS_WAKEUPS: u64: wake-ups from sleep
 * @LODGE_STATS_RETURNS: u64: returns of LODGE_RUN to user space
 * @LODGE_STATS_HISTOGRAM: binary: u64[LODGE_STAT_BUCKETS]: times before an entry, since
 *	the exit before it, in the kernel and in user space, without waiting: bucket 0 has
 *	those below 2^LODGE_STAT_FIRST_BUCKET ticks, each other one those below twice as
 *	much, the last one the rest.  All buckets together are the exits that were not
 *	quick
 * @LODGE_STATS_TSC_KHZ: u32: ticks in a millisecond
 */
enum lodge_stats_attr {
	LODGE_STATS_UNSPEC,
	LODGE_STATS_PAD,
	LODGE_STATS_VM,
	LODGE_STATS_VCPU,
	LODGE_STATS_EXITS,
	LODGE_STATS_QUICK,
	LODGE_STATS_INTERRUPTS,
	LODGE_STATS_NMIS,
	LODGE_STATS_EXCEPTIONS,
	LODGE_STATS_FAULTS_4K,
	LODGE_STATS_FAULTS_2M,
	LODGE_STATS_FAULTS_1G,
	LODGE_STATS_FLUSHES,
	LODGE_STATS_HALTS,
	LODGE_STATS_POLLS_WON,
	LODGE_STATS_POLLS_LOST,
	LODGE_STATS_WAKEUPS,
	LODGE_STATS_RETURNS,
	LODGE_STATS_HISTOGRAM,
	LODGE_STATS_TSC_KHZ,
	__LODGE_STATS_END,
	LODGE_STATS_MAX = __LODGE_STATS_END - 1,
};

/**
 * enum lodge_limit_scope - for whom limits are
 * @LODGE_SCOPE_DEFAULT: each user that has none of its own; begins as the module's
 *	parameters say
 * @LODGE_SCOPE_USER: one user
 * @LODGE_SCOPE_TOTAL: all users together
 */
enum lodge_limit_scope {
	LODGE_SCOPE_DEFAULT,
	LODGE_SCOPE_USER,
	LODGE_SCOPE_TOTAL,
};

/**
 * enum lodge_limit_attr - limits, and what they are for
 * @LODGE_LIMIT_PAD: only aligns
 * @LODGE_LIMIT_SCOPE: u32: enum lodge_limit_scope
 * @LODGE_LIMIT_UID: u32: with LODGE_SCOPE_USER.  All users of a user namespace count as
 *	the one of the host who has made it; if that was root, as the namespace's own root
 * @LODGE_LIMIT_VMS: u64: VMs
 * @LODGE_LIMIT_VCPUS: u64: vCPUs
 * @LODGE_LIMIT_TABLES: u64: bytes of nested page tables; above that, a VM that needs
 *	more, and has more than 512 KiB, loses its own and makes them anew
 * @LODGE_LIMIT_KERNEL: u64: bytes of other kernel memory that VMs and vCPUs may hold
 * @LODGE_LIMIT_USED_VMS: u64: VMs that there are; of one user, and of all users together
 *	for who has CAP_SYS_ADMIN in the initial user namespace
 * @LODGE_LIMIT_USED_VCPUS: u64
 * @LODGE_LIMIT_USED_TABLES: u64
 * @LODGE_LIMIT_USED_KERNEL: u64
 * @LODGE_LIMIT_INHERIT: flag, LODGE_CMD_LIMIT_SET with LODGE_SCOPE_USER: forget the
 *	limits that this user has of its own; in an answer: it has none
 *
 * LODGE_LIMIT_NONE stands for no limit.
 */
enum lodge_limit_attr {
	LODGE_LIMIT_UNSPEC,
	LODGE_LIMIT_PAD,
	LODGE_LIMIT_SCOPE,
	LODGE_LIMIT_UID,
	LODGE_LIMIT_VMS,
	LODGE_LIMIT_VCPUS,
	LODGE_LIMIT_TABLES,
	LODGE_LIMIT_KERNEL,
	LODGE_LIMIT_USED_VMS,
	LODGE_LIMIT_USED_VCPUS,
	LODGE_LIMIT_USED_TABLES,
	LODGE_LIMIT_USED_KERNEL,
	LODGE_LIMIT_INHERIT,
	__LODGE_LIMIT_END,
	LODGE_LIMIT_MAX = __LODGE_LIMIT_END - 1,
};

#define LODGE_LIMIT_NONE (~0ULL)

/**
 * enum lodge_news_kind - what has happened
 * @LODGE_NEWS_VM_CREATED: a VM was made
 * @LODGE_NEWS_VM_GONE: a VM is gone; what it has had is given up soon
 * @LODGE_NEWS_VM_KILLED: LODGE_CMD_VM_KILL
 * @LODGE_NEWS_VM_BROKEN: a bug in Lodge was found in a VM
 * @LODGE_NEWS_VCPU_STOPPED: LODGE_RUN returned with an exit after which the guest cannot
 *	go on by itself (see LODGE_NEWS_REASON); at most 20 of a VM in 5 seconds
 * @LODGE_NEWS_LIMIT_HIT: a limit has refused something
 * @LODGE_NEWS_HARDWARE_ON: the processors' virtualization was switched on
 * @LODGE_NEWS_HARDWARE_OFF: it was switched off
 */
enum lodge_news_kind {
	LODGE_NEWS_VM_CREATED = 1,
	LODGE_NEWS_VM_GONE,
	LODGE_NEWS_VM_KILLED,
	LODGE_NEWS_VM_BROKEN,
	LODGE_NEWS_VCPU_STOPPED,
	LODGE_NEWS_LIMIT_HIT,
	LODGE_NEWS_HARDWARE_ON,
	LODGE_NEWS_HARDWARE_OFF,
};

/**
 * enum lodge_news_attr - an event
 * @LODGE_NEWS_PAD: only aligns
 * @LODGE_NEWS_SEQ: u64: its number; the first one since the module was loaded has 1
 * @LODGE_NEWS_KIND: u32: enum lodge_news_kind
 * @LODGE_NEWS_TIME: u64: host's real time (CLOCK_REALTIME)
 * @LODGE_NEWS_VM: u32: LODGE_VM_ID, of VM_* and VCPU_STOPPED
 * @LODGE_NEWS_NAME: string: LODGE_VM_NAME, likewise
 * @LODGE_NEWS_UID: u32: whose it is; the hardware's events are everybody's
 * @LODGE_NEWS_VCPU: u32: of VCPU_STOPPED
 * @LODGE_NEWS_REASON: u32: of VCPU_STOPPED: enum lodge_exit_reason
 * @LODGE_NEWS_LIMIT: u32: of LIMIT_HIT: the limit, LODGE_LIMIT_VMS to
 *	LODGE_LIMIT_KERNEL
 * @LODGE_NEWS_SCOPE: u32: of LIMIT_HIT: enum lodge_limit_scope, whose limit it was
 * @LODGE_NEWS_TEXT: string: an explanation for a person
 * @LODGE_NEWS_LOST: u64: number of events that are no longer remembered, between
 *	this one and the one before, or LODGE_NEWS_SEQ; only in a dump with that.  What
 *	is another user's is not counted, unless it was forgotten together with more
 */
enum lodge_news_attr {
	LODGE_NEWS_UNSPEC,
	LODGE_NEWS_PAD,
	LODGE_NEWS_SEQ,
	LODGE_NEWS_KIND,
	LODGE_NEWS_TIME,
	LODGE_NEWS_VM,
	LODGE_NEWS_NAME,
	LODGE_NEWS_UID,
	LODGE_NEWS_VCPU,
	LODGE_NEWS_REASON,
	LODGE_NEWS_LIMIT,
	LODGE_NEWS_SCOPE,
	LODGE_NEWS_TEXT,
	LODGE_NEWS_LOST,
	__LODGE_NEWS_END,
	LODGE_NEWS_MAX = __LODGE_NEWS_END - 1,
};

#endif
