/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All VMs at one moment: what the module and the host's /proc say of them.
 */
#ifndef LODGE_VIEW_SAMPLE_H
#define LODGE_VIEW_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/cgroup.h"
#include "lib/netlink.h"

#define SAMPLE_USER_SIZE 33

/**
 * struct sample_vm - a VM
 * @vm: the module's answer
 * @user: name of its user, or the user's number
 * @shared: bytes of its process's memory that other processes may use, too: files,
 *	shared memory and what KSM has merged
 * @cgroup: its process's cgroup; all zero if that cannot be read
 */
struct sample_vm {
	struct netlink_vm vm;
	char user[SAMPLE_USER_SIZE];
	uint64_t shared;
	struct cgroup cgroup;
};

/**
 * struct sample - all VMs at one moment
 * @time: CLOCK_BOOTTIME, nanoseconds
 * @real_time: CLOCK_REALTIME at that moment
 * @vms: sorted by ID
 * @vcpus: sorted by VM and ID
 * @stats: sorted by VM and vCPU
 *
 * The three lists are read one after the other: a VM of one may lack in another.
 */
struct sample {
	uint64_t time;
	uint64_t real_time;
	struct sample_vm *vms;
	size_t nr_vms;
	struct netlink_vcpu *vcpus;
	size_t nr_vcpus;
	struct netlink_stats *stats;
	size_t nr_stats;
};

/**
 * sample_take() - read all VMs that the caller may see
 * @sample: filled; all zero on failure
 * @netlink: from netlink_open()
 *
 * Return: 0; -ENOENT the module is gone; -ENOMEM; -errno.
 */
int sample_take(struct sample *sample, struct netlink *netlink);

/**
 * sample_sort() - put the lists into the order that the other functions need
 */
void sample_sort(struct sample *sample);

/**
 * sample_free() - free the lists, and zero the sample
 */
void sample_free(struct sample *sample);

/**
 * sample_vm() - find a VM
 *
 * Return: the VM, or NULL.
 */
const struct sample_vm *sample_vm(const struct sample *sample, uint32_t id);

/**
 * sample_vcpu() - find a vCPU
 *
 * Return: the vCPU, or NULL.
 */
const struct netlink_vcpu *sample_vcpu(const struct sample *sample, uint32_t vm,
				       uint32_t id);

/**
 * sample_stats() - find the statistics of a vCPU
 *
 * Return: its statistics, or NULL.
 */
const struct netlink_stats *sample_stats(const struct sample *sample,
					 uint32_t vm, uint32_t vcpu);

#endif
