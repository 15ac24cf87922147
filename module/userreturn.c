// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs that are switched on the way back to user mode only: see userreturn.h.
 */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/user-return-notifier.h>
#include <asm/cpufeature.h>
#include <asm/msr-index.h>

#include "backend.h"
#include "compat.h"
#include "userreturn.h"
#include "vcpu.h"

/**
 * struct lodge_userreturn - the values of this CPU's MSRs; changed on it with
 * interrupts off
 * @notifier: called before the next return to user mode, while @registered
 * @registered: some MSR holds a guest's value
 * @host: the host's values, which it does not change after boot
 * @now: the values of the MSRs
 */
struct lodge_userreturn {
	struct user_return_notifier notifier;
	bool registered;
	u64 host[LODGE_NR_USERRETURN];
	u64 now[LODGE_NR_USERRETURN];
};

static DEFINE_PER_CPU(struct lodge_userreturn, lodge_userreturn);

static const struct {
	u32 index;
	u16 feature[2];
} lodge_userreturn_msrs[LODGE_NR_USERRETURN] = {
	[LODGE_USERRETURN_TSC_AUX] = { MSR_TSC_AUX,
				       { X86_FEATURE_RDTSCP,
					 X86_FEATURE_RDPID } },
	[LODGE_USERRETURN_STAR] = { MSR_STAR, { X86_FEATURE_LM } },
	[LODGE_USERRETURN_LSTAR] = { MSR_LSTAR, { X86_FEATURE_LM } },
	[LODGE_USERRETURN_SFMASK] = { MSR_SYSCALL_MASK, { X86_FEATURE_LM } },
};

static bool lodge_userreturn_has(enum lodge_userreturn_msr msr)
{
	return boot_cpu_has(lodge_userreturn_msrs[msr].feature[0]) ||
	       boot_cpu_has(lodge_userreturn_msrs[msr].feature[1]);
}

static void lodge_userreturn_restore(struct user_return_notifier *notifier)
{
	struct lodge_userreturn *state =
		container_of(notifier, struct lodge_userreturn, notifier);
	unsigned long flags;
	unsigned int i;

	/* This CPU's way out may have come first, by an interrupt. */
	local_irq_save(flags);
	if (state->registered) {
		state->registered = false;
		user_return_notifier_unregister(notifier);
		lodge_cpu_unload();
		if (lodge_backend->cpu_leave)
			lodge_backend->cpu_leave();
	}
	for (i = 0; i < LODGE_NR_USERRETURN; i++) {
		if (state->now[i] == state->host[i])
			continue;
		wrmsrq(lodge_userreturn_msrs[i].index, state->host[i]);
		state->now[i] = state->host[i];
	}
	local_irq_restore(flags);
}

void lodge_userreturn_cpu_enable(void)
{
	struct lodge_userreturn *state = this_cpu_ptr(&lodge_userreturn);
	unsigned int i;

	state->notifier.on_user_return = lodge_userreturn_restore;
	for (i = 0; i < LODGE_NR_USERRETURN; i++) {
		state->host[i] = 0;
		if (lodge_userreturn_has(i))
			rdmsrq(lodge_userreturn_msrs[i].index, state->host[i]);
		state->now[i] = state->host[i];
	}
}

void lodge_userreturn_cpu_disable(void)
{
	struct lodge_userreturn *state = this_cpu_ptr(&lodge_userreturn);

	if (state->registered)
		lodge_userreturn_restore(&state->notifier);
}

static void lodge_userreturn_register(struct lodge_userreturn *state)
{
	if (state->registered)
		return;
	user_return_notifier_register(&state->notifier);
	state->registered = true;
}

void lodge_userreturn_arm(void)
{
	unsigned long flags;

	local_irq_save(flags);
	lodge_userreturn_register(this_cpu_ptr(&lodge_userreturn));
	local_irq_restore(flags);
}

void lodge_userreturn_set(enum lodge_userreturn_msr msr, u64 value)
{
	struct lodge_userreturn *state = this_cpu_ptr(&lodge_userreturn);
	unsigned long flags;

	if (state->now[msr] == value || !lodge_userreturn_has(msr))
		return;
	local_irq_save(flags);
	lodge_userreturn_register(state);
	wrmsrq(lodge_userreturn_msrs[msr].index, value);
	state->now[msr] = value;
	local_irq_restore(flags);
}
