// SPDX-License-Identifier: GPL-2.0
/*
 * Words for the numbers of <lodge_netlink.h>.
 */
#include "cmd/words.h"

#include <stddef.h>

#define WORD(words, number) \
	word(words, sizeof(words) / sizeof(*(words)), number)

static const char *word(const char *const *words, size_t count, uint32_t number)
{
	return number < count && words[number] ? words[number] : "unknown";
}

const char *words_vm_state(uint32_t state)
{
	static const char *const words[] = {
		[LODGE_VM_ALIVE] = "alive",
		[LODGE_VM_KILLED] = "killed",
		[LODGE_VM_BROKEN] = "broken",
	};

	return WORD(words, state);
}

const char *words_vcpu_state(uint32_t state)
{
	static const char *const words[] = {
		[LODGE_VCPU_OUTSIDE] = "outside",
		[LODGE_VCPU_GUEST_MODE] = "guest",
		[LODGE_VCPU_HOST_MODE] = "host",
		[LODGE_VCPU_HALTED] = "halted",
		[LODGE_VCPU_INITIAL] = "initial",
	};

	return WORD(words, state);
}

const char *words_exit(uint32_t exit)
{
	static const char *const words[] = {
		[LODGE_STAT_UNKNOWN] = "other",
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

	_Static_assert(sizeof(words) / sizeof(*words) == LODGE_NR_STAT_EXITS,
		       "each exit has a word");
	return WORD(words, exit);
}

const char *words_scope(uint32_t scope)
{
	static const char *const words[] = {
		[LODGE_SCOPE_DEFAULT] = "default",
		[LODGE_SCOPE_USER] = "user",
		[LODGE_SCOPE_TOTAL] = "total",
	};

	return WORD(words, scope);
}

const char *words_limit(uint32_t limit)
{
	static const char *const words[] = {
		[NETLINK_LIMIT_VMS] = "vms",
		[NETLINK_LIMIT_VCPUS] = "vcpus",
		[NETLINK_LIMIT_TABLES] = "tables",
		[NETLINK_LIMIT_KERNEL] = "kernel",
	};

	return WORD(words, limit);
}

const char *words_news(uint32_t kind)
{
	static const char *const words[] = {
		[LODGE_NEWS_VM_CREATED] = "vm-created",
		[LODGE_NEWS_VM_GONE] = "vm-gone",
		[LODGE_NEWS_VM_KILLED] = "vm-killed",
		[LODGE_NEWS_VM_BROKEN] = "vm-broken",
		[LODGE_NEWS_VCPU_STOPPED] = "vcpu-stopped",
		[LODGE_NEWS_LIMIT_HIT] = "limit-hit",
		[LODGE_NEWS_HARDWARE_ON] = "hardware-on",
		[LODGE_NEWS_HARDWARE_OFF] = "hardware-off",
	};

	return WORD(words, kind);
}

const char *words_reason(uint32_t reason)
{
	static const char *const words[] = {
		[LODGE_EXIT_INTERRUPTED] = "interrupted",
		[LODGE_EXIT_IO] = "io",
		[LODGE_EXIT_MMIO] = "mmio",
		[LODGE_EXIT_WINDOW] = "window",
		[LODGE_EXIT_EOI] = "eoi",
		[LODGE_EXIT_SHUTDOWN] = "shutdown",
		[LODGE_EXIT_FAIL_ENTRY] = "fail-entry",
		[LODGE_EXIT_CANNOT_EMULATE] = "cannot-emulate",
		[LODGE_EXIT_TASK_SWITCH] = "task-switch",
		[LODGE_EXIT_MEMORY_ERROR] = "memory-error",
		[LODGE_EXIT_UNKNOWN] = "unknown",
	};

	return WORD(words, reason);
}
