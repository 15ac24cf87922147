/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages of RAM that the guest, and the kernel for it, have written to: the VM's dirty
 * logs.
 */
#ifndef LODGE_MACHINE_DIRTY_H
#define LODGE_MACHINE_DIRTY_H

#include <stdint.h>

#include "board/ram.h"

/**
 * dirty_begin() - begin the logs of a VM's RAM
 * @vm: the VM's descriptor
 * @baseline: as large as the RAM, which lodge_vm_reset() puts back; or NULL
 *
 * Return: 0 or -errno, those of lodge_dirty_log_begin().
 */
int dirty_begin(int vm, const struct ram *ram, const uint8_t *baseline);

/**
 * dirty_end() - end them; a VM that was killed has none
 */
void dirty_end(int vm, const struct ram *ram);

/**
 * dirty_collect() - move the pages in the logs to a log of all RAM
 * @log: of the RAM's pages
 * @pages: out: how many there were; or NULL
 *
 * The guest may run: what it writes afterwards is in the logs again.
 *
 * Return: 0 or -errno.
 */
int dirty_collect(int vm, const struct ram *ram, struct page_log *log,
		  uint64_t *pages);

#endif
