/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From which device firmware starts: SeaBIOS's file bootorder.
 */
#ifndef LODGE_BOOT_ORDER_H
#define LODGE_BOOT_ORDER_H

#include <stddef.h>

#include "board/device.h"

#define BOOT_ORDER_FILE "bootorder"

/**
 * boot_order_sort() - bring devices into the order in which firmware tries them
 * @list: by index, then by class; equal ones stay in their order
 */
void boot_order_sort(struct device_boot *list, size_t count);

/**
 * boot_order_text() - write the file: a device's path a line
 * @list: in their order
 * @size: out: bytes of the file, whose last one is zero
 *
 * Return: the file, for free(); NULL: there is no memory.
 */
char *boot_order_text(const struct device_boot *list, size_t count,
		      size_t *size);

#endif
