/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The barriers and flushes that an entry needs, so that a guest finds nothing in the
 * processor of others that ran before it.
 *
 * Pure: only decisions, so that a test can make them for processors that nobody
 * has at hand.  The vendors know how each is carried out.
 */
#ifndef LODGE_GUARD_H
#define LODGE_GUARD_H

#include "pure.h"

/**
 * lodge_guard_barrier() - true if the branch predictor must forget what it knows
 * @last: serial of the vCPU that ran last on this CPU; 0: none
 * @serial: of the one that will run
 * @from: CPU on which that ran last, or -1
 * @here: this CPU
 *
 * One vCPU must not steer another one's branches, be it of the same VM: a guest's
 * kernel asks for a barrier (MSR PRED_CMD) between two of its processes, not
 * between two of its processors.
 */
static inline bool lodge_guard_barrier(u64 last, u64 serial, int from, int here)
{
	return last != serial || from != here;
}

/**
 * struct lodge_guard_command - a guest's command by an MSR, PRED_CMD or FLUSH_CMD, which
 * only the CPU on which it runs can carry out
 * @given: the guest has given the command at least once
 * @due: it has given the command since that was last carried out
 *
 * The thread may move to another CPU between the command and the guest's next entry.
 * On other CPUs the vCPU's traces stay until the command is carried out there, at the
 * latest when the vCPU comes back.
 */
struct lodge_guard_command {
	bool given;
	bool due;
};

/**
 * lodge_guard_give() - the guest gives the command
 * @loaded: this CPU holds the vCPU's state
 *
 * Return: true if the command is to be carried out now, on this CPU; else
 * lodge_guard_take() will say so as the vCPU is loaded.
 */
static inline bool lodge_guard_give(struct lodge_guard_command *command,
				    bool loaded)
{
	command->given = true;
	command->due |= !loaded;
	return loaded;
}

/**
 * lodge_guard_take() - true if loading the vCPU carries out the command
 * @from: CPU on which the vCPU ran last, or -1
 * @here: this CPU, on which it will run
 */
static inline bool lodge_guard_take(struct lodge_guard_command *command,
				    int from, int here)
{
	bool take = command->due || (command->given && from != here);

	command->due = false;
	return take;
}

/* When the guest must not find the host's data in the L1 data cache (L1TF). */
enum lodge_guard_l1d {
	LODGE_GUARD_L1D_NEVER,
	LODGE_GUARD_L1D_WHEN_USED, /* where the host may have left secrets */
	LODGE_GUARD_L1D_ALWAYS,
};

/**
 * struct lodge_guard_host - what the processor and its kernel's policy ask for
 * @l1d: flush of the L1 data cache
 * @stale_data: the processor's buffers hand old data to whoever reaches a
 *	device's memory, and no other bug has them cleared at each entry
 */
struct lodge_guard_host {
	enum lodge_guard_l1d l1d;
	bool stale_data;
};

/* Answers of lodge_guard_flush(). */
enum lodge_guard_flush {
	LODGE_GUARD_NOTHING,
	LODGE_GUARD_BUFFERS,
	LODGE_GUARD_L1D, /* which clears the buffers, too */
};

/**
 * lodge_guard_flush() - choose what an entry must flush
 * @used: since the last flush the host may have read secrets
 * @has_mmio: the VM has a device's memory mapped
 */
static inline enum lodge_guard_flush
lodge_guard_flush(const struct lodge_guard_host *host, bool used, bool has_mmio)
{
	if (host->l1d == LODGE_GUARD_L1D_ALWAYS ||
	    (host->l1d == LODGE_GUARD_L1D_WHEN_USED && used))
		return LODGE_GUARD_L1D;
	return host->stale_data && has_mmio ? LODGE_GUARD_BUFFERS :
					      LODGE_GUARD_NOTHING;
}

/**
 * lodge_guard_page_is_mmio() - true if a page of the host's is a device's memory
 * @is_ram: the kernel counts it as memory
 * @is_cached: it is mapped write-back
 */
static inline bool lodge_guard_page_is_mmio(bool is_ram, bool is_cached)
{
	return !is_ram || !is_cached;
}

#endif
