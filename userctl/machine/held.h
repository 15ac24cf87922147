/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine while it is held: its vCPUs' states and its clocks are taken from it,
 * and are given back, saved or replaced.  So the guest does not notice for how long
 * it was held.
 */
#ifndef LODGE_MACHINE_HELD_H
#define LODGE_MACHINE_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "board/loop.h"
#include "board/ram.h"
#include "board/record.h"
#include "machine/devices.h"
#include "machine/interrupts.h"
#include "machine/vcpu.h"

/**
 * struct held - a machine's parts, and what was taken
 * @ram: its memory
 * @loop: has its clock
 * @vm: the VM's descriptor
 * @vcpus: ended by NULL
 * @interrupts: its interrupt controllers
 * @devices: its other devices
 * @asleep: the guest sleeps in S3
 * @taken: the vCPUs' states and @clock_ns are there
 * @clock_ns: the VM's clock
 */
struct held {
	struct ram *ram;
	struct loop *loop;
	int vm;
	struct vcpu **vcpus;
	struct interrupts *interrupts;
	struct devices *devices;
	bool asleep;
	bool taken;
	uint64_t clock_ns;
};

/**
 * held_take() - take states and clock, unless they are taken already
 *
 * Return: 0 or -errno.
 */
int held_take(struct held *held);

/**
 * held_give() - give back what was taken, if anything was
 *
 * Return: 0 or -errno.
 */
int held_give(struct held *held);

/**
 * held_save() - append all of the machine to a record
 *
 * Return: 0 or -errno.
 */
int held_save(struct held *held, struct record *record);

/**
 * held_load() - replace all of the machine, which has just been reset
 * @record: of a machine with as much memory, as many vCPUs and the same devices;
 *	or made by an enemy
 *
 * Return: 0; -EINVAL: no held_save() of such a machine makes this; -ENOMEM;
 * -errno of the calls for a vCPU.  Part of the machine may have changed then.
 */
int held_load(struct held *held, const struct record *record);

#endif
