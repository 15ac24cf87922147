/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts and limits what each user of the host, and all users together, hold of Lodge.
 */
#ifndef LODGE_USER_H
#define LODGE_USER_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include <lodge_netlink.h>

struct lodge_npt_total;
struct lodge_user;

/* In the order of LODGE_LIMIT_VMS and of LODGE_LIMIT_USED_VMS. */
enum lodge_resource {
	LODGE_RESOURCE_VMS,
	LODGE_RESOURCE_VCPUS,
	LODGE_RESOURCE_TABLES, /* bytes of nested page tables */
	LODGE_RESOURCE_KERNEL, /* bytes of other kernel memory */
	LODGE_NR_RESOURCES,
};

/**
 * lodge_user_init() - set the limits that depend on the host's memory
 *
 * Called before the first VM.
 */
void lodge_user_init(void);

/**
 * lodge_user_exit() - forget the limits that users have of their own
 *
 * Called after the last VM.
 */
void lodge_user_exit(void);

/**
 * lodge_user_get_vm() - a user makes a VM
 * @uid: lodge_owner_host_uid() of the VM's owner
 * @kernel: bytes of kernel memory that it will hold
 *
 * The user is the real one, whatever user namespace calls it.
 *
 * Return: the user, or an error pointer: -EDQUOT a limit is reached, -ENOMEM.
 */
struct lodge_user *lodge_user_get_vm(kuid_t uid, u64 kernel);

/**
 * lodge_user_put_vm() - one of its VMs is gone, and its kernel memory
 */
void lodge_user_put_vm(struct lodge_user *user, u64 kernel);

/**
 * lodge_user_get_vcpu() - a VM of this user's gets a vCPU
 * @kernel: bytes of kernel memory that it will hold
 *
 * Return: 0, or -EDQUOT: a limit is reached.
 */
int lodge_user_get_vcpu(struct lodge_user *user, u64 kernel);

/**
 * lodge_user_put_vcpu() - one of its vCPUs is closed; before its VM is gone
 * @kernel: bytes that were freed with it
 */
void lodge_user_put_vcpu(struct lodge_user *user, u64 kernel);

/**
 * lodge_user_get_kernel() - a VM of this user's will hold more kernel memory
 *
 * Return: 0, or -EDQUOT: a limit is reached.
 */
int lodge_user_get_kernel(struct lodge_user *user, u64 kernel);

/**
 * lodge_user_put_kernel() - kernel memory was freed; before its VM is gone
 */
void lodge_user_put_kernel(struct lodge_user *user, u64 kernel);

/**
 * lodge_user_tables() - the counter of the nested page tables of all its VMs
 */
struct lodge_npt_total *lodge_user_tables(struct lodge_user *user);

/**
 * lodge_user_tables_exceeded() - true if these, or those of all users, are more than a
 * limit allows
 *
 * Any context; takes no lock.
 */
bool lodge_user_tables_exceeded(struct lodge_user *user);

/**
 * struct lodge_limits - the limits of one scope, and what is used of them
 * @scope: enum lodge_limit_scope
 * @uid: with LODGE_SCOPE_USER
 * @inherits: the user has no limit of its own
 * @limit: by enum lodge_resource; LODGE_LIMIT_NONE: no limit
 * @used: by enum lodge_resource; not of LODGE_SCOPE_DEFAULT
 */
struct lodge_limits {
	enum lodge_limit_scope scope;
	kuid_t uid;
	bool inherits;
	u64 limit[LODGE_NR_RESOURCES];
	u64 used[LODGE_NR_RESOURCES];
};

/* Between these two no user comes or goes, and no VM or vCPU. */
void lodge_limits_lock(void) __acquires(user_lock);
void lodge_limits_unlock(void) __releases(user_lock);

/**
 * lodge_limits_get() - the limits of @limits->scope and @limits->uid
 *
 * Under the lock.
 */
void lodge_limits_get(struct lodge_limits *limits);

/**
 * lodge_limits_next() - the limits of a user who has VMs, or limits of its own
 * @from: lowest number of the user
 *
 * Under the lock.
 *
 * Return: false if there is none from @from on.
 */
bool lodge_limits_next(u64 from, struct lodge_limits *limits);

/**
 * lodge_limits_generation() - a number that moves when a user comes or goes; never 0
 */
u32 lodge_limits_generation(void);

/**
 * lodge_limits_set() - set the limits of @limits->scope and @limits->uid
 * @which: which of @limits->limit, one bit for each enum lodge_resource
 *
 * What is used already stays, even if it is more.
 *
 * Return: 0; -ENOSPC too many users have limits of their own; -ENOMEM.
 */
int lodge_limits_set(const struct lodge_limits *limits, unsigned long which);

/**
 * lodge_limits_inherit() - forget the limits that a user has of its own
 */
void lodge_limits_inherit(kuid_t uid);

#endif
