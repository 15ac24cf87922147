/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a machine while it is held.  The vCPUs' states and the VM's clock are
 * read at the beginning; at the end they are written back, so that the guest does not
 * notice the time between.  Meanwhile they can be saved or replaced.
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
 * struct held - a machine's parts, and the state read from them
 * @ram: its memory
 * @loop: has its clock
 * @vm: the VM's descriptor
 * @vcpus: with NULL at the end
 * @interrupts: its interrupt controllers
 * @devices: its other devices
 * @asleep: the guest sleeps in S3
 * @taken: the vCPUs' states and @clock_ns are valid
 * @clock_ns: the VM's clock
 * @clock: rates of time stamp counters
 * @measured_khz: of the guest's, by the first host that knew it; a host's may be near it
 * @lacks: a feature of processors without which a state was refused, or empty
 * @wants_khz: the rate of time stamp counters without which a state was refused
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
	struct cpu_clock clock;
	uint32_t measured_khz;
	char lacks[FEATURE_NAME_SIZE];
	uint32_t wants_khz;
};

/**
 * held_take() - read states and clock, unless that was done already
 *
 * Return: 0 or -errno.
 */
int held_take(struct held *held);

/**
 * held_give() - write back states and clock, if they were read
 *
 * Return: 0 or -errno.
 */
int held_give(struct held *held);

/**
 * held_save() - append the machine's state, all but what its RAM holds, to a record
 *
 * Return: 0 or -errno.
 */
int held_save(struct held *held, struct record *record);

/**
 * held_load() - replace the state of the machine, which has just been reset, and whose RAM
 * has its contents already
 * @record: of a machine with the same amount of memory, the same number of vCPUs and
 *	the same devices; it is not trusted
 *
 * Return: 0; -EINVAL held_save() of such a machine cannot have made the record;
 * -EOPNOTSUPP it has a processor with a feature that this one lacks, which is in
 * held.lacks; -ERANGE its time stamp counters have run at a rate, held.wants_khz,
 * that they cannot have here;
 * -ENOMEM; -errno of the calls for a vCPU.  On failure part of the machine may have changed.
 */
int held_load(struct held *held, const struct record *record);

/**
 * held_put_back() - put back the state of a machine, which has just been reset
 * @record: of held_save() of this machine, which nobody else has touched: the kernel sees
 *	the vCPUs' states only in held_give(), and the guest does not learn of it
 *
 * Return: 0 or -errno.
 */
int held_put_back(struct held *held, const struct record *record);

#endif
