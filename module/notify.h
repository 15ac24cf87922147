/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the core tells that something has happened.  Who is told is not its business.
 *
 * None of these allocates memory or waits.
 */
#ifndef LODGE_NOTIFY_H
#define LODGE_NOTIFY_H

#include <linux/uidgid.h>

#include <lodge_netlink.h>

struct lodge_vcpu;
struct lodge_vm;

/**
 * lodge_notify_vm() - something has happened to a VM
 * @kind: LODGE_NEWS_VM_*
 */
void lodge_notify_vm(const struct lodge_vm *vm, enum lodge_news_kind kind);

/**
 * lodge_notify_stopped() - vcpu->answer is one after which the guest cannot go on
 *
 * A VM that stops very often is told of only now and then.  Called by the owner.
 */
void lodge_notify_stopped(struct lodge_vcpu *vcpu);

/**
 * lodge_notify_limit() - a limit has refused something to the calling thread
 * @uid: lodge_owner_host_uid() for whom it was
 * @limit: LODGE_LIMIT_VMS to LODGE_LIMIT_KERNEL
 * @scope: whose limit it was
 */
void lodge_notify_limit(kuid_t uid, u32 limit, enum lodge_limit_scope scope);

/**
 * lodge_notify_hardware() - the processors' virtualization was switched on or off
 */
void lodge_notify_hardware(bool on);

#endif
