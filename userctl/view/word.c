// SPDX-License-Identifier: GPL-2.0
/*
 * The numbers of <lodge_netlink.h> as words.
 */
#include "view/word.h"

#include <stddef.h>

#include <lodge_netlink.h>

#include "lib/netlink.h"

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
	[LODGE_STAT_RDTSC] = "rdtsc",
};

static const char *const vm_states[] = {
	[LODGE_VM_ALIVE] = "alive",
	[LODGE_VM_KILLED] = "killed",
	[LODGE_VM_BROKEN] = "broken",
};

static const char *const vcpu_states[] = {
	[LODGE_VCPU_OUTSIDE] = "outside", [LODGE_VCPU_GUEST_MODE] = "guest",
	[LODGE_VCPU_HOST_MODE] = "host",  [LODGE_VCPU_HALTED] = "halted",
	[LODGE_VCPU_INITIAL] = "initial",
};

static const char *const scopes[] = {
	[LODGE_SCOPE_DEFAULT] = "default",
	[LODGE_SCOPE_USER] = "user",
	[LODGE_SCOPE_TOTAL] = "total",
};

static const char *const limits[] = {
	[NETLINK_LIMIT_VMS] = "vms",
	[NETLINK_LIMIT_VCPUS] = "vcpus",
	[NETLINK_LIMIT_TABLES] = "tables",
	[NETLINK_LIMIT_KERNEL] = "kernel",
};

static const char *const news[] = {
	[LODGE_NEWS_VM_CREATED] = "vm-created",
	[LODGE_NEWS_VM_GONE] = "vm-gone",
	[LODGE_NEWS_VM_KILLED] = "vm-killed",
	[LODGE_NEWS_VM_BROKEN] = "vm-broken",
	[LODGE_NEWS_VCPU_STOPPED] = "vcpu-stopped",
	[LODGE_NEWS_LIMIT_HIT] = "limit-hit",
	[LODGE_NEWS_HARDWARE_ON] = "hardware-on",
	[LODGE_NEWS_HARDWARE_OFF] = "hardware-off",
};

static const char *const reasons[] = {
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

static const char *word(const char *const *words, size_t count, uint32_t number)
{
	return number < count && words[number] ? words[number] : "other";
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

const char *word_of_scope(uint32_t scope)
{
	return word(scopes, sizeof(scopes) / sizeof(scopes[0]), scope);
}

const char *word_of_limit(uint32_t limit)
{
	return word(limits, sizeof(limits) / sizeof(limits[0]), limit);
}

const char *word_of_news(uint32_t kind)
{
	return word(news, sizeof(news) / sizeof(news[0]), kind);
}

const char *word_of_reason(uint32_t reason)
{
	return word(reasons, sizeof(reasons) / sizeof(reasons[0]), reason);
}
