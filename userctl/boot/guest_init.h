/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program that is the first process of a guest whose root is a directory of the
 * host's (guest/init.c); it is part of the controller.
 */
#ifndef LODGE_BOOT_GUEST_INIT_H
#define LODGE_BOOT_GUEST_INIT_H

#include <stddef.h>

/**
 * guest_init() - get the program
 * @size: out: its bytes
 */
const void *guest_init(size_t *size);

#endif
