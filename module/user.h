/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts and limits the VMs and vCPUs of each user of the host.
 */
#ifndef LODGE_USER_H
#define LODGE_USER_H

#include <linux/types.h>

struct lodge_user;

/**
 * lodge_user_get_vm() - the calling thread's user makes a VM
 *
 * The user is the real one, whatever user namespace calls it.
 *
 * Return: the user, or an error pointer: -EDQUOT it has as many VMs as parameter
 * user_vms allows, -ENOMEM.
 */
struct lodge_user *lodge_user_get_vm(void);

/**
 * lodge_user_put_vm() - one of its VMs is gone
 */
void lodge_user_put_vm(struct lodge_user *user);

/**
 * lodge_user_get_vcpu() - a VM of this user's gets a vCPU
 *
 * Return: 0, or -EDQUOT: it has as many as parameter user_vcpus allows.
 */
int lodge_user_get_vcpu(struct lodge_user *user);

/**
 * lodge_user_put_vcpu() - one of its vCPUs is closed; before its VM is gone
 */
void lodge_user_put_vcpu(struct lodge_user *user);

/**
 * lodge_user_tables() - the counter of the nested page tables of all its VMs
 */
u64 *lodge_user_tables(struct lodge_user *user);

/**
 * lodge_user_tables_exceeded() - true if these are more than parameter user_tables
 * allows
 */
bool lodge_user_tables_exceeded(const struct lodge_user *user);

#endif
