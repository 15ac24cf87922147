// SPDX-License-Identifier: GPL-2.0
/*
 * A VM and its vCPUs, for programs.
 */
#include "cmd/vm_report.h"

#include <time.h>

#include "lib/user.h"
#include "view/word.h"

#define NS_PER_S 1000000000ULL

struct vm_times vm_times_sum(uint32_t vm, const struct netlink_vcpu *vcpus,
			     size_t count)
{
	struct vm_times sum = { 0 };

	for (const struct netlink_vcpu *vcpu = vcpus; vcpu < vcpus + count;
	     vcpu++) {
		if (vcpu->vm != vm)
			continue;
		sum.guest += vcpu->guest;
		sum.host += vcpu->host;
		sum.wait += vcpu->wait;
		sum.steal += vcpu->steal;
	}
	return sum;
}

uint64_t vm_uptime(const struct netlink_vm *vm)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_BOOTTIME, &now);
	ns = now.tv_sec * NS_PER_S + now.tv_nsec;
	return ns > vm->start ? ns - vm->start : 0;
}

bool vm_cgroup(const struct netlink_vm *vm, struct cgroup *cgroup)
{
	return vm->pid && !cgroup_read("", cgroup, vm->pid);
}

static void tell_cgroup(struct json *json, const struct cgroup *cgroup)
{
	json_text(json, "cgroup_path", cgroup->path);
	if (cgroup->cpu_weight)
		json_number(json, "cpu_weight", cgroup->cpu_weight);
	if (cgroup->memory_max == CGROUP_NO_LIMIT)
		json_none(json, "memory_max");
	else if (cgroup->memory_max)
		json_number(json, "memory_max", cgroup->memory_max);
}

void vm_report_json(struct json *json, const struct netlink_vm *vm,
		    const char *state, const struct vm_times *times)
{
	struct cgroup cgroup;
	char user[64];

	user_format(user, sizeof(user), vm->uid);
	json_number(json, "id", vm->id);
	json_text(json, "name", vm->name);
	json_text(json, "user", user);
	json_number(json, "uid", vm->uid);
	json_number(json, "pid", vm->pid);
	json_text(json, "state", state);
	json_number(json, "uptime", vm_uptime(vm));
	json_number(json, "vcpus", vm->vcpus);
	json_number(json, "memory", vm->memory);
	json_number(json, "resident", vm->resident);
	json_number(json, "tables", vm->tables);
	json_number(json, "cgroup", vm->cgroup);
	if (vm_cgroup(vm, &cgroup))
		tell_cgroup(json, &cgroup);
	json_number(json, "guest_time", times->guest);
	json_number(json, "host_time", times->host);
	json_number(json, "wait_time", times->wait);
	json_number(json, "steal_time", times->steal);
}
