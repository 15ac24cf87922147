/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hardware task switch, which a processor makes by itself but leaves to
 * software in a guest.
 *
 * Pure: registers are changed in place, memory and CR3 are reached through
 * callbacks only.  Sources: Intel SDM vol. 3, chapter 8; AMD APM vol. 2, chapter
 * 12.
 */
#ifndef LODGE_TASK_H
#define LODGE_TASK_H

#include <lodge.h>

#include "gva.h"
#include "pure.h"
#include "task_cause.h"

/**
 * struct lodge_task_ops - how a switch reaches the machine
 * @read: read @size bytes at @linear
 * @write: write @size bytes at @linear
 * @exchange: put the byte @new at @linear if it still is @old, atomically; -EBUSY
 *	when it is not
 * @probe: fault as an @access to @size bytes at @linear would; moves no data
 * @load_cr3: go on with other page tables, for all that follows; -EINVAL: #GP
 *
 * Addresses wrap at 4 GiB; an access may cross page boundaries.  Reads and
 * exchanges are the processor's own, LODGE_ACCESS_IMPLICIT; @access says it of
 * the others.
 *
 * But for @load_cr3 they return 0; LODGE_FAULT with @fault filled in; or another
 * negative errno, which ends the switch and is passed on.
 */
struct lodge_task_ops {
	int (*read)(void *opaque, u64 linear, void *data, size_t size,
		    struct lodge_fault *fault);
	int (*write)(void *opaque, u64 linear, const void *data, size_t size,
		     unsigned int access, struct lodge_fault *fault);
	int (*exchange)(void *opaque, u64 linear, u8 old, u8 new,
			struct lodge_fault *fault);
	int (*probe)(void *opaque, u64 linear, size_t size, unsigned int access,
		     struct lodge_fault *fault);
	int (*load_cr3)(void *opaque, u64 cr3);
};

/**
 * struct lodge_task - one switch
 * @cause: enum lodge_task_cause
 * @selector: of the new task's TSS
 * @external: an interrupt or exception is delivered, and no instruction executed
 * @has_error: an exception's @error is to be pushed in the new task
 * @error: with @has_error
 * @rip: the RIP with which the old task goes on when it is switched to again
 * @rflags: its RFLAGS then
 * @regs: registers, of which the groups GENERAL, SEGMENTS, CONTROL and DEBUG are
 *	up to date.  @ops see them as they are at the time of the call
 * @ops: callbacks
 * @opaque: their first argument
 * @committed: out: the registers are those of the new task, and a fault happens
 *	there; otherwise nothing in @regs has changed
 * @trap: out: the new task's T flag asks for a #DB before its first instruction
 * @fault: out: the exception, when LODGE_FAULT is the answer
 */
struct lodge_task {
	enum lodge_task_cause cause;
	u16 selector;
	bool external;
	bool has_error;
	u32 error;
	u32 rip;
	u32 rflags;
	struct lodge_regs *regs;
	const struct lodge_task_ops *ops;
	void *opaque;
	bool committed;
	bool trap;
	struct lodge_fault fault;
};

/**
 * lodge_task_switch() - switch tasks
 * @t: the switch
 *
 * The processor has made the checks of privilege, of a gate and of a TSS, before it
 * left the guest (SDM vol. 3C, section 25.4.2; APM vol. 2, section 15.14.1).  All
 * others are made here, again where it has made them: memory may have changed since.
 *
 * With an answer that is not 0, and @committed, segment registers that are not
 * loaded yet hold their new selectors and cannot be used.  CS alone has attributes
 * with which a processor can be entered, to deliver @fault.
 *
 * Return: 0; LODGE_FAULT with @fault; -EBUSY: the descriptors keep changing; or a
 * callback's error.
 */
int lodge_task_switch(struct lodge_task *t);

#endif
