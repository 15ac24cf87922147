/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The numbers of <lodge_netlink.h> as words, the same in all commands and in what they
 * write for programs.
 */
#ifndef LODGE_VIEW_WORD_H
#define LODGE_VIEW_WORD_H

#include <stdint.h>

/**
 * word_of_exit() - name a reason why the processor left the guest
 * @exit: enum lodge_stat_exit, or one of a later module
 *
 * Return: a word such as "cpuid"; "other" if it is not known.
 */
const char *word_of_exit(uint32_t exit);

/**
 * word_of_vm_state() - name the state of a VM
 * @state: enum lodge_vm_state, or one of a later module
 */
const char *word_of_vm_state(uint32_t state);

/**
 * word_of_vcpu_state() - name the state of a vCPU
 * @state: enum lodge_vcpu_state, or one of a later module
 */
const char *word_of_vcpu_state(uint32_t state);

/**
 * word_of_scope() - name the scope of a limit
 * @scope: enum lodge_limit_scope, or one of a later module
 */
const char *word_of_scope(uint32_t scope);

/**
 * word_of_limit() - name a limit, as `lodge limit` reads it
 * @limit: enum netlink_limit_kind, or one of a later module
 */
const char *word_of_limit(uint32_t limit);

/**
 * word_of_news() - name what has happened
 * @kind: enum lodge_news_kind, or one of a later module
 */
const char *word_of_news(uint32_t kind);

/**
 * word_of_reason() - name the reason for which LODGE_RUN returned
 * @reason: enum lodge_exit_reason, or one of a later module
 */
const char *word_of_reason(uint32_t reason);

#endif
