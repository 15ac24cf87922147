/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The RAM's content at a checkpoint, and the pages that were written to since: by the
 * guest, and the kernel for it, as the VM's dirty logs have them; by this process, as
 * the RAM's log has them.
 *
 * The content is a copy, since the host has no cheaper view of private memory that stays
 * as it is; pages that were zero have no memory behind them.
 */
#ifndef LODGE_MACHINE_BASELINE_H
#define LODGE_MACHINE_BASELINE_H

#include <stdint.h>

#include "board/ram.h"

struct baseline;

/*
 * All calls are made while the machine is held, its devices too.
 */

/**
 * baseline_new() - keep the RAM's present content
 * @baseline: set to it
 * @vm: the VM's descriptor, whose slots of RAM get dirty logs
 * @ram: must not be freed before
 *
 * Return: 0 or -errno: -ENOMEM, and those of lodge_dirty_log_begin().
 */
int baseline_new(struct baseline **baseline, int vm, struct ram *ram);

/**
 * baseline_free() - forget the content, and end the logs; NULL is fine
 */
void baseline_free(struct baseline *baseline);

/**
 * baseline_renew() - keep the RAM's present content in place of that of before
 *
 * The time that this takes grows with the number of pages written to.
 *
 * Return: 0 or -errno: then only baseline_free() may be called.
 */
int baseline_renew(struct baseline *baseline);

/**
 * baseline_restore() - put each page back that was written to
 * @pages: out: how many
 *
 * Return: 0 or -errno: then some are put back.
 */
int baseline_restore(struct baseline *baseline, uint64_t *pages);

#endif
