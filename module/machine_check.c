// SPDX-License-Identifier: GPL-2.0
/*
 * Machine checks that end a guest's run.
 */
#include <asm/processor-flags.h>
#include <asm/ptrace.h>

#include "backend.h"
#include "compat.h"

/* The handler may kill a thread that was in user mode; in the kernel it panics. */
void lodge_machine_check(void)
{
	struct pt_regs regs = {
		.cs = 3,
		.flags = X86_EFLAGS_IF,
	};

	lodge_host_machine_check(&regs);
}
