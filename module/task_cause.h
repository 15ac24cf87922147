/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a task switch has left the guest.
 */
#ifndef LODGE_TASK_CAUSE_H
#define LODGE_TASK_CAUSE_H

/**
 * enum lodge_task_cause - what switches tasks
 * @LODGE_TASK_CALL: CALL of a TSS or of a task gate
 * @LODGE_TASK_JMP: JMP there
 * @LODGE_TASK_IRET: IRET with EFLAGS.NT set
 * @LODGE_TASK_GATE: an event, or INT n, through a task gate in the IDT
 */
enum lodge_task_cause {
	LODGE_TASK_CALL,
	LODGE_TASK_JMP,
	LODGE_TASK_IRET,
	LODGE_TASK_GATE,
};

#endif
