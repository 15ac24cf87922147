/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for the numbers of <lodge_netlink.h>, the same for people and for programs.
 */
#ifndef LODGE_CMD_WORDS_H
#define LODGE_CMD_WORDS_H

#include <stdint.h>

#include "lib/netlink.h"

/*
 * Each returns the word for a number, and "unknown" for one of a later module.
 */

/**
 * words_vm_state() - name an enum lodge_vm_state
 */
const char *words_vm_state(uint32_t state);

/**
 * words_vcpu_state() - name an enum lodge_vcpu_state
 */
const char *words_vcpu_state(uint32_t state);

/**
 * words_exit() - name an enum lodge_stat_exit
 */
const char *words_exit(uint32_t exit);

/**
 * words_scope() - name an enum lodge_limit_scope
 */
const char *words_scope(uint32_t scope);

/**
 * words_limit() - name an enum netlink_limit_kind, as `lodge limit` reads it
 */
const char *words_limit(uint32_t limit);

/**
 * words_news() - name an enum lodge_news_kind
 */
const char *words_news(uint32_t kind);

/**
 * words_reason() - name an enum lodge_exit_reason
 */
const char *words_reason(uint32_t reason);

#endif
