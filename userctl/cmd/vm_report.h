/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM and its vCPUs, for programs.
 */
#ifndef LODGE_CMD_VM_REPORT_H
#define LODGE_CMD_VM_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/json.h"
#include "lib/cgroup.h"
#include "lib/netlink.h"

/**
 * struct vm_times - times of all vCPUs of a VM together, in nanoseconds
 */
struct vm_times {
	uint64_t guest;
	uint64_t host;
	uint64_t wait;
	uint64_t steal;
};

/**
 * vm_times_sum() - add the times of a VM's vCPUs
 * @vm: LODGE_VM_ID
 * @vcpus: vCPUs of all VMs, or of some
 */
struct vm_times vm_times_sum(uint32_t vm, const struct netlink_vcpu *vcpus,
			     size_t count);

/**
 * vm_uptime() - get the time since a VM was made, in nanoseconds
 */
uint64_t vm_uptime(const struct netlink_vm *vm);

/**
 * vm_cgroup() - find the control group of a VM's process
 *
 * Return: true if it is known to the caller.
 */
bool vm_cgroup(const struct netlink_vm *vm, struct cgroup *cgroup);

/**
 * vm_report_json() - write the members of the object for a VM
 * @state: its state
 */
void vm_report_json(struct json *json, const struct netlink_vm *vm,
		    const char *state, const struct vm_times *times);

#endif
