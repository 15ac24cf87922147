/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ABI of /dev/lodge: the run page of a vCPU and the exits that it tells of.  This
 * header is part of lodge.h, which has the rules that hold for all structures.
 */
#ifndef _UAPI_LODGE_RUN_H
#define _UAPI_LODGE_RUN_H

#include <linux/types.h>

#include "lodge_state.h"

/* Bytes to map of a vCPU's file. */
#define LODGE_RUN_SIZE 4096

/**
 * enum lodge_exit_reason - reason for which LODGE_RUN returned
 * @LODGE_EXIT_INTERRUPTED: a signal or immediate_exit (EINTR), or a hold (EAGAIN)
 * @LODGE_EXIT_IO: port access; the caller writes the result of an input to the data
 *	area
 * @LODGE_EXIT_MMIO: access to an address without a slot, or a write to a read-only
 *	slot; the caller writes the result of a read to mmio.data
 * @LODGE_EXIT_WINDOW: an external interrupt can be taken now, and request_window was
 *	set
 * @LODGE_EXIT_EOI: the guest has ended a level-triggered interrupt; tell the IOAPIC
 * @LODGE_EXIT_SHUTDOWN: triple fault; on some processors the registers are undefined
 *	then, so set new ones before the next run
 * @LODGE_EXIT_FAIL_ENTRY: the processor refused the state; the data area has the
 *	rules that it breaks
 * @LODGE_EXIT_CANNOT_EMULATE: Lodge must carry out an instruction itself, but does
 *	not know it or could not read it, or the host makes its operand's memory
 *	inaccessible.  The instruction has had no effect; but if it accesses devices
 *	more than once, some of these accesses may have been made.  With an operand
 *	on a device, Lodge does not know FXSAVE, XSAVE, FLDENV, FNSAVE, FBLD and
 *	related instructions, arithmetic on MMX, vector and x87 registers, AVX-512,
 *	and far branches that switch tasks
 * @LODGE_EXIT_TASK_SWITCH: a hardware task switch whose TSS, or a descriptor that
 *	it needs, is not in memory; part of the switch may have been made
 * @LODGE_EXIT_MEMORY_ERROR: the host cannot provide a page of a slot
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
 * @size: bytes of an access: 1, 2 or 4
 * @in: 1: input: write the results to the data area; 0: output: it has the data
 * @count: number of accesses, each of @size bytes at @port
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
 * @write: 1: @data has the bytes written; 0: write the result of the read to @data
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
 * @vector: vector of the interrupt
 */
struct lodge_exit_eoi {
	__u32 vector;
};

/**
 * struct lodge_exit_fail_entry - LODGE_EXIT_FAIL_ENTRY
 * @code: the processor's own exit code
 * @count: number of rules in the data area, an array of struct lodge_rule; 0 if the
 *	state breaks no known rule
 */
struct lodge_exit_fail_entry {
	__u64 code;
	__u32 count;
	__u32 reserved;
};

/**
 * struct lodge_rule - an entry rule that the state breaks
 * @id: number of the rule, which does not change with versions
 * @reserved: zero
 * @value: value of the field
 * @field: name of the field
 * @text: the manual's rule, shortened
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
 * @gpa: guest physical address of the access, or all ones
 * @length: number of valid bytes at @bytes; 0: the instruction could not be read
 * @bytes: the instruction at RIP and the bytes behind it
 */
struct lodge_exit_emulate {
	__u64 gpa;
	__u8 length;
	__u8 bytes[15];
};

/**
 * enum lodge_task_switch_cause - cause of a task switch
 * @LODGE_TASK_SWITCH_JMP: a far JMP
 * @LODGE_TASK_SWITCH_IRET: an IRET with EFLAGS.NT set
 * @LODGE_TASK_SWITCH_CALL: a far CALL, or an event through a task gate
 */
enum lodge_task_switch_cause {
	LODGE_TASK_SWITCH_JMP = 0,
	LODGE_TASK_SWITCH_IRET = 1,
	LODGE_TASK_SWITCH_CALL = 2,
};

/**
 * struct lodge_exit_task_switch - LODGE_EXIT_TASK_SWITCH
 * @selector: selector of the new task's TSS
 * @cause: enum lodge_task_switch_cause
 */
struct lodge_exit_task_switch {
	__u16 selector;
	__u16 reserved;
	__u32 cause;
};

/**
 * struct lodge_exit_memory - LODGE_EXIT_MEMORY_ERROR
 * @gpa: guest physical address of the access
 * @hva: the same in the caller's address space
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

/**
 * union lodge_exit - the details of an exit, by enum lodge_exit_reason
 * @size: reserves room for later versions
 */
union lodge_exit {
	struct lodge_exit_io io;
	struct lodge_exit_mmio mmio;
	struct lodge_exit_eoi eoi;
	struct lodge_exit_fail_entry fail_entry;
	struct lodge_exit_emulate emulate;
	struct lodge_exit_task_switch task_switch;
	struct lodge_exit_memory memory;
	struct lodge_exit_unknown unknown;
	__u8 size[256];
};

#define LODGE_RUN_DATA_OFFSET 2048
#define LODGE_RUN_DATA_SIZE 2048

/**
 * struct lodge_run - the run page: the first LODGE_RUN_SIZE bytes of a vCPU's file
 * @load: in: inline groups to set from @regs first; the kernel clears it.  Bad values
 *	make LODGE_RUN fail with EINVAL
 * @save: in: inline groups to store to @regs when LODGE_RUN returns, also with
 *	EINTR, and with EAGAIN unless the vCPUs were held before; read at that time
 * @immediate_exit: in: not zero: complete the access that was answered last, do not
 *	enter the guest, and fail with EINTR, unless that access makes another exit.
 *	The kernel never clears it.  If a signal handler sets it, a signal just before
 *	LODGE_RUN is not missed.  While the vCPUs are held, EAGAIN if @load or an access
 *	waits
 * @request_window: in: not zero: exit as soon as an external interrupt can be
 *	taken.  A thread that has a new interrupt sends the vCPU's thread a signal
 * @reserved: zero
 * @reason: out: enum lodge_exit_reason
 * @window_open: out: an external interrupt can be taken now
 * @reserved2: zero
 * @exit: out: by @reason
 * @regs: the inline groups
 * @data: bytes of an I/O exit, or the rules of a refused entry
 *
 * Map it at offset 0, as a shared mapping.  LODGE_RUN reads "in" members once, at its
 * beginning, except for @save.  Values written while it runs are for the next one.
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
	union lodge_exit exit;
	struct lodge_regs regs;
	__u8 reserved3[LODGE_RUN_DATA_OFFSET - 288 - sizeof(struct lodge_regs)];
	__u8 data[LODGE_RUN_DATA_SIZE];
};

#endif /* _UAPI_LODGE_RUN_H */
