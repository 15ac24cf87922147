// SPDX-License-Identifier: GPL-2.0
/*
 * The numbers of <lodge_netlink.h> as words.
 */
#include "view/word.h"

#include <stddef.h>

#include <lodge_netlink.h>

static const char *const exits[LODGE_NR_STAT_EXITS] = {
	[LODGE_STAT_UNKNOWN] = "unknown",
	[LODGE_STAT_HOST_EVENT] = "host-event",
	[LODGE_STAT_CPUID] = "cpuid",
	[LODGE_STAT_MSR] = "msr",
	[LODGE_STAT_IO] = "io",
	[LODGE_STAT_FAULT] = "fault",
	[LODGE_STAT_HLT] = "hlt",
	[LODGE_STAT_PAUSE] = "pause",
	[LODGE_STAT_WINDOW] = "window",
	[LODGE_STAT_TIMER] = "timer",
	[LODGE_STAT_CR] = "cr",
	[LODGE_STAT_DR] = "dr",
	[LODGE_STAT_XSETBV] = "xsetbv",
	[LODGE_STAT_HYPERCALL] = "hypercall",
	[LODGE_STAT_RDPMC] = "rdpmc",
	[LODGE_STAT_INVD] = "invd",
	[LODGE_STAT_MONITOR] = "monitor",
	[LODGE_STAT_UD] = "ud",
	[LODGE_STAT_EXCEPTION] = "exception",
	[LODGE_STAT_TASK_SWITCH] = "task-switch",
	[LODGE_STAT_SHUTDOWN] = "shutdown",
	[LODGE_STAT_IGNORED] = "ignored",
	[LODGE_STAT_INVALID] = "invalid",
};

static const char *const vm_states[] = {
	[LODGE_VM_ALIVE] = "alive",
	[LODGE_VM_KILLED] = "killed",
	[LODGE_VM_BROKEN] = "broken",
};

static const char *const vcpu_states[] = {
	[LODGE_VCPU_OUTSIDE] = "outside",
	[LODGE_VCPU_GUEST_MODE] = "guest",
	[LODGE_VCPU_HOST_MODE] = "host",
	[LODGE_VCPU_HALTED] = "halted",
	[LODGE_VCPU_INITIAL] = "initial",
};

static const char *word(const char *const *words, size_t count, uint32_t number)
{
	return number < count ? words[number] : "other";
}

const char *word_of_exit(uint32_t exit)
{
	return word(exits, sizeof(exits) / sizeof(exits[0]), exit);
}

const char *word_of_vm_state(uint32_t state)
{
	return word(vm_states, sizeof(vm_states) / sizeof(vm_states[0]), state);
}

const char *word_of_vcpu_state(uint32_t state)
{
	return word(vcpu_states, sizeof(vcpu_states) / sizeof(vcpu_states[0]),
		    state);
}
