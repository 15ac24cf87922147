// SPDX-License-Identifier: GPL-2.0
/*
 * The family's commands on VMs and vCPUs: see uapi/lodge_netlink.h.
 */
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uidgid.h>

#include "compat.h"
#include "event.h"
#include "mem.h"
#include "netlink_vm.h"
#include "npt/npt.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"

const struct nla_policy lodge_netlink_vm_policy[LODGE_VM_UID + 1] = {
	[LODGE_VM_ID] = { .type = NLA_U32 },
	[LODGE_VM_NAME] = { .type = NLA_NUL_STRING,
			    .len = LODGE_NAME_SIZE - 1 },
	[LODGE_VM_UID] = { .type = NLA_U32 },
};

/* What only the VM's process knows, while it lives. */
static int vm_put_process(struct sk_buff *skb,
			  const struct lodge_viewer *viewer, struct pid *pid)
{
	struct task_struct *task;
	u64 cgroup = 0;
	u32 number = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task) {
		number = pid_nr_ns(pid, viewer->sender.pid_ns);
		cgroup = lodge_task_cgroup(task);
	}
	rcu_read_unlock();
	return nla_put_u32(skb, LODGE_VM_PID, number) ||
	       nla_put_u64_64bit(skb, LODGE_VM_CGROUP, cgroup, LODGE_VM_PAD);
}

static u64 vm_start(const struct lodge_viewer *viewer,
		    const struct lodge_identity *identity)
{
	return max((s64)identity->start + viewer->boottime, 0LL);
}

static u32 vm_vcpus(const struct lodge_vm *vm)
{
	u32 i, nr = 0;

	for (i = 0; i < LODGE_MAX_VCPUS; i++)
		nr += !!lodge_vcpu_find(vm, i);
	return nr;
}

static int vm_describe(struct sk_buff *skb, const struct lodge_viewer *viewer,
		       const void *thing)
{
	struct lodge_vm *vm = (struct lodge_vm *)thing;
	const struct lodge_identity *identity = &vm->identity;
	u32 uid = from_kuid_munged(viewer->sender.user_ns, identity->owner.uid);

	if (nla_put_u32(skb, LODGE_VM_ID, identity->id) ||
	    nla_put_string(skb, LODGE_VM_NAME, identity->name) ||
	    nla_put_u32(skb, LODGE_VM_UID, uid) ||
	    nla_put_u64_64bit(skb, LODGE_VM_START, vm_start(viewer, identity),
			      LODGE_VM_PAD) ||
	    nla_put_u32(skb, LODGE_VM_VCPUS, vm_vcpus(vm)) ||
	    nla_put_u64_64bit(skb, LODGE_VM_MEMORY, lodge_mem_size(vm),
			      LODGE_VM_PAD) ||
	    nla_put_u64_64bit(skb, LODGE_VM_RESIDENT,
			      lodge_npt_resident(&vm->npt) * PAGE_SIZE,
			      LODGE_VM_PAD) ||
	    nla_put_u64_64bit(skb, LODGE_VM_TABLES,
			      lodge_npt_tables(&vm->npt) * PAGE_SIZE,
			      LODGE_VM_PAD) ||
	    nla_put_u32(skb, LODGE_VM_STATE, READ_ONCE(vm->state)) ||
	    vm_put_process(skb, viewer, identity->pid))
		return -EMSGSIZE;
	return 0;
}

/**
 * struct vm_wanted - the VM that a request is for
 * @has_id: by its ID
 * @id: likewise
 * @name: its name, or NULL
 * @uid: whose it is, with @name
 */
struct vm_wanted {
	bool has_id;
	u32 id;
	const char *name;
	kuid_t uid;
};

static int vm_want(const struct genl_info *info,
		   const struct lodge_viewer *viewer, struct vm_wanted *wanted)
{
	struct nlattr **attrs = info->attrs;

	*wanted = (struct vm_wanted){ .uid = viewer->sender.uid };
	if (!attrs[LODGE_VM_ID] && !attrs[LODGE_VM_NAME]) {
		NL_SET_ERR_MSG(info->extack,
			       "neither a VM's ID nor its name is given");
		return -EINVAL;
	}
	if (attrs[LODGE_VM_UID] && !attrs[LODGE_VM_NAME]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[LODGE_VM_UID],
				    "a user goes with a name only");
		return -EINVAL;
	}
	if (attrs[LODGE_VM_ID]) {
		wanted->has_id = true;
		wanted->id = nla_get_u32(attrs[LODGE_VM_ID]);
	}
	if (attrs[LODGE_VM_NAME])
		wanted->name = nla_data(attrs[LODGE_VM_NAME]);
	if (attrs[LODGE_VM_UID])
		wanted->uid = make_kuid(viewer->sender.user_ns,
					nla_get_u32(attrs[LODGE_VM_UID]));
	return 0;
}

static bool vm_is_wanted(const struct lodge_vm *vm,
			 const struct lodge_viewer *viewer,
			 const struct vm_wanted *wanted)
{
	if (!lodge_viewer_sees(viewer, &vm->identity.owner))
		return false;
	return !wanted->name || (!strcmp(wanted->name, vm->identity.name) &&
				 uid_eq(wanted->uid, vm->identity.owner.uid));
}

/*
 * A user may have a name once in each of its namespaces.  The one in the sender's own
 * is meant, or else the only one.
 */
static struct lodge_vm *vm_find_name(const struct genl_info *info,
				     const struct lodge_viewer *viewer,
				     const struct vm_wanted *wanted)
{
	struct lodge_vm *vm, *found = NULL;
	bool unique = true;

	for (vm = lodge_registry_next(1); vm;
	     vm = lodge_registry_next(vm->identity.id + 1)) {
		if (!vm_is_wanted(vm, viewer, wanted))
			continue;
		if (lodge_owner_is(&vm->identity.owner, &viewer->sender))
			return vm;
		unique = !found;
		found = vm;
	}
	if (!found)
		return ERR_PTR(-ENOENT);
	if (unique)
		return found;
	NL_SET_ERR_MSG(info->extack,
		       "several VMs of that name: give the ID of one");
	return ERR_PTR(-ENOTUNIQ);
}

/* Under the registry's lock.  Return: the VM, or an error pointer. */
static struct lodge_vm *vm_find(const struct genl_info *info,
				const struct lodge_viewer *viewer,
				const struct vm_wanted *wanted)
{
	struct lodge_vm *vm;

	if (!wanted->has_id)
		return vm_find_name(info, viewer, wanted);
	vm = lodge_registry_find(wanted->id);
	return vm && vm_is_wanted(vm, viewer, wanted) ? vm : ERR_PTR(-ENOENT);
}

static int vm_fill(struct sk_buff *answer, struct genl_info *info,
		   const struct lodge_viewer *viewer)
{
	struct vm_wanted wanted;
	struct lodge_vm *vm;
	int error = vm_want(info, viewer, &wanted);

	if (error)
		return error;
	lodge_registry_lock();
	vm = vm_find(info, viewer, &wanted);
	error = PTR_ERR_OR_ZERO(vm);
	if (!error)
		error = lodge_netlink_put(answer, info, LODGE_CMD_VM_GET,
					  viewer, vm_describe, vm);
	lodge_registry_unlock();
	return error;
}

int lodge_netlink_vm_get(struct sk_buff *skb, struct genl_info *info)
{
	return lodge_netlink_answer(skb, info, vm_fill);
}

int lodge_netlink_vm_start(struct netlink_callback *cb)
{
	return lodge_dump_start(cb, 0);
}

int lodge_netlink_vm_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return lodge_dump_vms(skb, cb, LODGE_CMD_VM_GET, vm_describe);
}

int lodge_netlink_vm_kill(struct sk_buff *skb, struct genl_info *info)
{
	struct lodge_viewer viewer;
	struct vm_wanted wanted;
	struct lodge_vm *vm;
	int error;

	lodge_viewer_init(&viewer, skb);
	error = vm_want(info, &viewer, &wanted);
	if (!error) {
		lodge_registry_lock();
		vm = vm_find(info, &viewer, &wanted);
		error = PTR_ERR_OR_ZERO(vm);
		if (!error)
			lodge_vm_kill(vm);
		lodge_registry_unlock();
	}
	lodge_viewer_fini(&viewer);
	return error;
}

const struct nla_policy lodge_netlink_vcpu_policy[LODGE_VCPU_VM + 1] = {
	[LODGE_VCPU_VM] = { .type = NLA_U32 },
};

/* Only a hint: the vCPU goes on meanwhile. */
static enum lodge_vcpu_state vcpu_state(const struct lodge_vcpu *vcpu)
{
	if (!rcu_access_pointer(vcpu->thread))
		return LODGE_VCPU_OUTSIDE;
	if (READ_ONCE(vcpu->mode) == LODGE_IN_GUEST)
		return LODGE_VCPU_GUEST_MODE;
	switch (data_race(vcpu->delivery.mp_state)) {
	case LODGE_MP_HALTED:
		return LODGE_VCPU_HALTED;
	case LODGE_MP_WAIT_SIPI:
		return LODGE_VCPU_INITIAL;
	default:
		return LODGE_VCPU_HOST_MODE;
	}
}

static u32 vcpu_thread(const struct lodge_vcpu *vcpu,
		       const struct lodge_viewer *viewer)
{
	struct task_struct *thread;
	u32 number = 0;

	rcu_read_lock();
	thread = rcu_dereference(vcpu->thread);
	if (thread)
		number = task_pid_nr_ns(thread, viewer->sender.pid_ns);
	rcu_read_unlock();
	return number;
}

/* The last exit, once there was one. */
static int vcpu_put_exit(struct sk_buff *skb, const struct lodge_vcpu *vcpu)
{
	u64 exits[LODGE_NR_STAT_EXITS];

	if (!lodge_stats_exits(&vcpu->stats, exits))
		return 0;
	return nla_put_u32(skb, LODGE_VCPU_EXIT,
			   lodge_stats_last(&vcpu->stats, &vcpu->exit));
}

static int vcpu_put_times(struct sk_buff *skb, struct lodge_vcpu *vcpu)
{
	struct lodge_stats_times times;

	lodge_stats_times(vcpu, &times);
	return nla_put_u64_64bit(skb, LODGE_VCPU_GUEST, times.guest,
				 LODGE_VCPU_PAD) ||
	       nla_put_u64_64bit(skb, LODGE_VCPU_HOST, times.host,
				 LODGE_VCPU_PAD) ||
	       nla_put_u64_64bit(skb, LODGE_VCPU_WAIT, times.wait,
				 LODGE_VCPU_PAD) ||
	       nla_put_u64_64bit(skb, LODGE_VCPU_STEAL, times.steal,
				 LODGE_VCPU_PAD);
}

static int vcpu_describe(struct sk_buff *skb, const struct lodge_viewer *viewer,
			 const void *thing)
{
	struct lodge_vcpu *vcpu = (struct lodge_vcpu *)thing;
	int cpu = READ_ONCE(vcpu->cpu);

	if (nla_put_u32(skb, LODGE_VCPU_VM, vcpu->vm->identity.id) ||
	    nla_put_u32(skb, LODGE_VCPU_ID, vcpu->id) ||
	    nla_put_u32(skb, LODGE_VCPU_STATE, vcpu_state(vcpu)) ||
	    nla_put_u32(skb, LODGE_VCPU_TID, vcpu_thread(vcpu, viewer)))
		return -EMSGSIZE;
	if (cpu >= 0 && nla_put_u32(skb, LODGE_VCPU_CPU, cpu))
		return -EMSGSIZE;
	if (vcpu_put_exit(skb, vcpu) || vcpu_put_times(skb, vcpu))
		return -EMSGSIZE;
	return 0;
}

int lodge_netlink_vcpu_start(struct netlink_callback *cb)
{
	return lodge_dump_start(cb, LODGE_VCPU_VM);
}

int lodge_netlink_vcpu_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return lodge_dump_vcpus(skb, cb, LODGE_CMD_VCPU_GET, vcpu_describe);
}
