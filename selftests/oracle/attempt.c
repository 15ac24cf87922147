// SPDX-License-Identifier: GPL-2.0
/*
 * One attempt: judge and processor on the same VMCS; and the report of them all.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/sched.h>

#include "oracle.h"

/* Lines about one group that does not agree. */
#define ORACLE_MAX_LINES 6

/* The group: what it is called, and how its attempts went. */
static struct {
	const char *name;
	u32 attempts;
	u32 refused;
	u32 known;
	u32 wrong;
} oracle_group;

static const char *oracle_outcome_name(u32 outcomes)
{
	switch (outcomes) {
	case ORACLE_ENTERED:
		return "entered";
	case ORACLE_CONTROL:
		return "control";
	case ORACLE_HOST:
		return "host";
	case ORACLE_GUEST:
		return "guest";
	case ORACLE_CONTROL | ORACLE_HOST:
		return "control or host";
	}
	return "other";
}

void oracle_group_begin(const char *name)
{
	memset(&oracle_group, 0, sizeof(oracle_group));
	oracle_group.name = name;
}

void oracle_group_end(void)
{
	oracle_test(!oracle_group.wrong && oracle_group.attempts,
		    "%s: %u entries, %u refused%s", oracle_group.name,
		    oracle_group.attempts, oracle_group.refused,
		    oracle_group.known ? ", known differences" : "");
	if (oracle_group.wrong)
		oracle_print("# %s: %u do not agree\n", oracle_group.name,
			     oracle_group.wrong);
}

static void oracle_disagree(enum oracle_preset preset,
			    const struct oracle_set *sets, u32 count,
			    const struct lodge_rule *rules, u32 found,
			    u32 expected, enum oracle_outcome outcome)
{
	u32 i;

	if (oracle_group.wrong++ >= ORACLE_MAX_LINES)
		return;
	oracle_print("# %s, %s:", oracle_group.name,
		     oracle_preset_name(preset));
	for (i = 0; i < count; i++)
		oracle_print(" %#x=%#llx", sets[i].field, sets[i].value);
	oracle_print(": %s, not %s\n", oracle_outcome_name(outcome),
		     oracle_outcome_name(expected));
	for (i = 0; i < found; i++)
		oracle_print("#   rule %u: %.16s: %.64s\n", rules[i].id,
			     rules[i].field, rules[i].text);
}

static u64 oracle_read_for(void *context, u32 field)
{
	return oracle_read(field);
}

void oracle_attempt(enum oracle_preset preset, const struct oracle_set *sets,
		    u32 count, bool host)
{
	static struct lodge_rule rules[ORACLE_MAX_RULES];
	enum oracle_outcome outcome;
	u32 expected, manual, found, i;
	unsigned long flags;

	local_irq_save(flags);
	oracle_preset_write(preset);
	for (i = 0; i < count; i++)
		if (oracle_has(sets[i].field))
			oracle_write(sets[i].field, sets[i].value);
	if (oracle_emulator_stops()) {
		local_irq_restore(flags);
		return;
	}
	found = vmx_check(oracle_read_for, NULL, &oracle_host, rules,
			  ORACLE_MAX_RULES);
	manual = oracle_manual_outcomes(rules, found);
	/* It looks at the VMCS, which an entry changes. */
	expected = oracle_emulator_outcomes(rules, found);
	outcome = oracle_enter(host ? preset : -1);
	local_irq_restore(flags);

	oracle_group.attempts++;
	oracle_group.refused += outcome != ORACLE_ENTERED;
	oracle_group.known += expected != manual;
	if (!(outcome & expected))
		oracle_disagree(preset, sets, count, rules, found, expected,
				outcome);
	else if (expected != manual)
		oracle_emulator_differed();
	cond_resched();
}

void oracle_combine(const struct oracle_combination *combinations, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		oracle_group_begin(combinations[i].name);
		combinations[i].combine();
		oracle_group_end();
	}
}
