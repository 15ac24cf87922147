// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs that user space reads and writes by number: those that only store.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "msr.h"
#include "policy.h"

static const struct lodge_msr_rule *
msr_list_find(const struct lodge_vcpu *vcpu,
	      const struct lodge_msr_entry *entry)
{
	const struct lodge_msr_rule *rule =
		lodge_msr_rule_find(vcpu, entry->index);

	return rule && rule->kind == MSR_STORED ? rule : NULL;
}

static bool msr_list_args_valid(const struct lodge_msr_list *arg, u32 flags)
{
	return !(arg->flags & ~flags) && arg->count <= LODGE_MAX_MSRS;
}

/* A copy of the caller's entries: it may write to its own meanwhile. */
static struct lodge_msr_entry *msr_list_take(const struct lodge_msr_list *arg)
{
	return memdup_user(u64_to_user_ptr(arg->entries),
			   arg->count * sizeof(struct lodge_msr_entry));
}

static int msr_list_give(const struct lodge_msr_list *arg,
			 const struct lodge_msr_entry *entries)
{
	return copy_to_user(u64_to_user_ptr(arg->entries), entries,
			    arg->count * sizeof(*entries)) ?
		       -EFAULT :
		       0;
}

static int msr_list_get_chosen(struct lodge_vcpu *vcpu,
			       const struct lodge_msr_list *arg)
{
	struct lodge_msr_entry *entries = msr_list_take(arg);
	int error = 0;
	u32 i;

	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i < arg->count && !error; i++) {
		struct lodge_msr_entry *entry = &entries[i];
		const struct lodge_msr_rule *rule = msr_list_find(vcpu, entry);

		if (!rule || entry->reserved)
			error = -EINVAL;
		else
			entry->value =
				*lodge_msr_value(vcpu, rule, entry->index);
	}
	if (!error)
		error = msr_list_give(arg, entries);
	kfree(entries);
	return error;
}

/* Return: how many there are; those beyond @max are left out. */
static u32 msr_list_fill(struct lodge_vcpu *vcpu,
			 struct lodge_msr_entry *entries, u32 max)
{
	const struct lodge_msr_rule *rule;
	unsigned int place;
	u32 index, nr = 0;

	for (place = 0; (rule = lodge_msr_rule_at(place)); place++) {
		if (rule->kind != MSR_STORED ||
		    !lodge_msr_rule_applies(vcpu, rule))
			continue;
		for (index = rule->first; index <= rule->last; index++, nr++)
			if (nr < max)
				entries[nr] = (struct lodge_msr_entry){
					.index = index,
					.value = *lodge_msr_value(vcpu, rule,
								  index),
				};
	}
	return nr;
}

static int msr_list_get_all(struct lodge_vcpu *vcpu, struct lodge_msr_list *arg)
{
	struct lodge_msr_entry *entries =
		kcalloc(arg->count, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	u32 fit = arg->count;
	int error;

	if (!entries)
		return -ENOMEM;
	arg->count = msr_list_fill(vcpu, entries, fit);
	error = arg->count > fit ? -ENOSPC : msr_list_give(arg, entries);
	kfree(entries);
	return error;
}

int lodge_msr_list_get(struct lodge_vcpu *vcpu, struct lodge_msr_list *arg)
{
	if (!msr_list_args_valid(arg, LODGE_MSR_LIST_ALL))
		return -EINVAL;
	if (arg->flags & LODGE_MSR_LIST_ALL)
		return msr_list_get_all(vcpu, arg);
	return msr_list_get_chosen(vcpu, arg);
}

static bool msr_list_entry_valid(struct lodge_vcpu *vcpu,
				 const struct lodge_msr_entry *entry)
{
	const struct lodge_msr_rule *rule = msr_list_find(vcpu, entry);

	return rule && !entry->reserved &&
	       lodge_msr_rule_allows(vcpu, rule, entry->index, entry->value);
}

/* A store is enough: only the guest's RDMSR reads these values. */
static void msr_list_store(struct lodge_vcpu *vcpu,
			   const struct lodge_msr_entry *entry)
{
	*lodge_msr_value(vcpu, msr_list_find(vcpu, entry), entry->index) =
		entry->value;
}

int lodge_msr_list_set(struct lodge_vcpu *vcpu,
		       const struct lodge_msr_list *arg)
{
	struct lodge_msr_entry *entries;
	int error = 0;
	u32 i;

	if (!msr_list_args_valid(arg, 0))
		return -EINVAL;
	entries = msr_list_take(arg);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i < arg->count && !error; i++)
		if (!msr_list_entry_valid(vcpu, &entries[i]))
			error = -EINVAL;
	for (i = 0; i < arg->count && !error; i++)
		msr_list_store(vcpu, &entries[i]);
	kfree(entries);
	return error;
}
