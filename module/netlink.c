// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: its commands, who may see what, and the walk of a dump.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/time_namespace.h>
#include <net/sock.h>

#include "compat.h"
#include "netlink.h"
#include "netlink_limit.h"
#include "netlink_news.h"
#include "netlink_stats.h"
#include "netlink_vm.h"
#include "vcpu.h"
#include "vm.h"

static struct lodge_owner viewer_opener(const struct lodge_viewer *viewer)
{
	return (struct lodge_owner){
		.uid = viewer->opener->uid,
		.user_ns = viewer->opener->user_ns,
	};
}

/*
 * The question may leave a record in the audit log.  So it is not asked where its answer
 * changes nothing: a user with a socket of its own sees what is its own.
 */
static bool viewer_opener_is_admin(const struct lodge_viewer *viewer,
				   struct file *socket)
{
	const struct lodge_owner opener = viewer_opener(viewer);

	if (!viewer->sender_admin &&
	    lodge_owner_is_user(&opener, &viewer->sender))
		return false;
	return file_ns_capable(socket, &init_user_ns, CAP_SYS_ADMIN);
}

void lodge_viewer_init(struct lodge_viewer *viewer, const struct sk_buff *skb)
{
	struct file *socket = NETLINK_CB(skb).sk->sk_socket->file;

	viewer->sender = lodge_owner_current();
	lodge_owner_get(&viewer->sender);
	viewer->sender_admin = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	viewer->opener = get_cred(socket->f_cred);
	viewer->opener_admin = viewer_opener_is_admin(viewer, socket);
	viewer->boottime = timens_add_boottime_ns(0);
}

void lodge_viewer_fini(struct lodge_viewer *viewer)
{
	lodge_owner_put(&viewer->sender);
	put_cred(viewer->opener);
}

bool lodge_viewer_sees(const struct lodge_viewer *viewer,
		       const struct lodge_owner *owner)
{
	const struct lodge_owner opener = viewer_opener(viewer);

	return (viewer->sender_admin ||
		lodge_owner_sees(&viewer->sender, owner)) &&
	       (viewer->opener_admin || lodge_owner_is_user(&opener, owner));
}

bool lodge_viewer_is_admin(const struct lodge_viewer *viewer)
{
	return viewer->sender_admin && viewer->opener_admin;
}

struct lodge_vm *lodge_viewer_find(const struct lodge_viewer *viewer, u32 id)
{
	struct lodge_vm *vm = lodge_registry_find(id);

	return vm && lodge_viewer_sees(viewer, &vm->identity.owner) ? vm : NULL;
}

/* A command has one policy, for a dump too: refuse what only the other one takes. */
static int dump_check(struct netlink_callback *cb, unsigned int takes)
{
	struct nlattr **attrs = lodge_dump_attrs(cb);
	unsigned int i;

	for (i = 1; i <= genl_dumpit_info(cb)->op.maxattr; i++)
		if (attrs[i] && i != takes) {
			NL_SET_BAD_ATTR(cb->extack, attrs[i]);
			return -EINVAL;
		}
	return 0;
}

/*
 * Looks once, so that a request for a VM that there is not fails.  One that goes before
 * the first message has changed the list.
 */
static int dump_find(struct netlink_callback *cb, const struct nlattr *attr)
{
	struct lodge_dump *dump = lodge_dump_of(cb);
	bool found;

	if (!attr)
		return 0;
	dump->vm = nla_get_u32(attr);
	dump->next_vm = dump->vm;
	lodge_registry_lock();
	found = lodge_viewer_find(&dump->viewer, dump->vm);
	cb->prev_seq = lodge_registry_generation();
	lodge_registry_unlock();
	return found ? 0 : -ENOENT;
}

int lodge_dump_begin(struct netlink_callback *cb, unsigned int takes)
{
	struct lodge_dump *dump;
	int error = dump_check(cb, takes);

	if (error)
		return error;
	dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);
	if (!dump)
		return -ENOMEM;
	lodge_viewer_init(&dump->viewer, cb->skb);
	*(struct lodge_dump **)cb->ctx = dump;
	return 0;
}

int lodge_dump_start(struct netlink_callback *cb, unsigned int vm)
{
	int error = lodge_dump_begin(cb, vm);

	if (error)
		return error;
	error = dump_find(cb, vm ? lodge_dump_attrs(cb)[vm] : NULL);
	/* A dump that does not start is not ended. */
	if (error)
		lodge_dump_done(cb);
	return error;
}

int lodge_dump_done(struct netlink_callback *cb)
{
	struct lodge_dump *dump = lodge_dump_of(cb);

	lodge_viewer_fini(&dump->viewer);
	kfree(dump);
	return 0;
}

int lodge_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 command,
		   lodge_put_t put, const void *thing)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				 cb->nlh->nlmsg_seq, &lodge_netlink_family,
				 NLM_F_MULTI, command);

	if (!head)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, head);
	if (put(skb, &lodge_dump_of(cb)->viewer, thing)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* The next VM that the dump is for, or NULL. */
static struct lodge_vm *dump_next_vm(struct lodge_dump *dump)
{
	struct lodge_vm *vm;

	while ((vm = lodge_registry_next(dump->next_vm))) {
		if (dump->vm && vm->identity.id != dump->vm)
			return NULL;
		if (vm->identity.id != dump->next_vm)
			dump->next = 0;
		dump->next_vm = vm->identity.id;
		if (lodge_viewer_sees(&dump->viewer, &vm->identity.owner))
			return vm;
		dump->next_vm++;
		dump->next = 0;
	}
	return NULL;
}

/* The VM is done. */
static void dump_leave_vm(struct lodge_dump *dump)
{
	dump->next_vm++;
	dump->next = 0;
}

/* Puts what the dump has of a VM.  Return: 0 the VM is done, or -EMSGSIZE. */
typedef int (*dump_one_t)(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 command, lodge_put_t put, struct lodge_vm *vm);

/* Nobody waits for more than one VM. */
static int dump_each(struct sk_buff *skb, struct netlink_callback *cb,
		     u8 command, lodge_put_t put, dump_one_t one)
{
	struct lodge_dump *dump = lodge_dump_of(cb);
	struct lodge_vm *vm;
	int error = 0;

	do {
		lodge_registry_lock();
		cb->seq = lodge_registry_generation();
		vm = dump_next_vm(dump);
		if (vm)
			error = one(skb, cb, command, put, vm);
		if (vm && !error)
			dump_leave_vm(dump);
		lodge_registry_unlock();
	} while (vm && !error);
	return lodge_dump_answer(skb, error);
}

static int dump_vm(struct sk_buff *skb, struct netlink_callback *cb, u8 command,
		   lodge_put_t put, struct lodge_vm *vm)
{
	return lodge_dump_put(skb, cb, command, put, vm);
}

int lodge_dump_vms(struct sk_buff *skb, struct netlink_callback *cb, u8 command,
		   lodge_put_t put)
{
	return dump_each(skb, cb, command, put, dump_vm);
}

static int dump_vcpus_of(struct sk_buff *skb, struct netlink_callback *cb,
			 u8 command, lodge_put_t put, struct lodge_vm *vm)
{
	struct lodge_dump *dump = lodge_dump_of(cb);
	int error;

	for (; dump->next < LODGE_MAX_VCPUS; dump->next++) {
		const struct lodge_vcpu *vcpu = lodge_vcpu_find(vm, dump->next);

		if (!vcpu)
			continue;
		error = lodge_dump_put(skb, cb, command, put, vcpu);
		if (error)
			return error;
	}
	return 0;
}

int lodge_dump_vcpus(struct sk_buff *skb, struct netlink_callback *cb,
		     u8 command, lodge_put_t put)
{
	return dump_each(skb, cb, command, put, dump_vcpus_of);
}

int lodge_netlink_put(struct sk_buff *answer, struct genl_info *info,
		      u8 command, const struct lodge_viewer *viewer,
		      lodge_put_t put, const void *thing)
{
	void *head = genlmsg_put_reply(answer, info, &lodge_netlink_family, 0,
				       command);

	if (!head || put(answer, viewer, thing))
		return -EMSGSIZE;
	genlmsg_end(answer, head);
	return 0;
}

int lodge_netlink_answer(struct sk_buff *skb, struct genl_info *info,
			 lodge_fill_t fill)
{
	struct sk_buff *answer = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct lodge_viewer viewer;
	int error;

	if (!answer)
		return -ENOMEM;
	lodge_viewer_init(&viewer, skb);
	error = fill(answer, info, &viewer);
	lodge_viewer_fini(&viewer);
	if (!error)
		return genlmsg_reply(answer, info);
	nlmsg_free(answer);
	return error;
}

static const struct genl_ops lodge_netlink_ops[] = {
	{
		.cmd = LODGE_CMD_VM_GET,
		.policy = lodge_netlink_vm_policy,
		.maxattr = LODGE_VM_UID,
		.doit = lodge_netlink_vm_get,
		.start = lodge_netlink_vm_start,
		.dumpit = lodge_netlink_vm_dump,
		.done = lodge_dump_done,
	},
	{
		.cmd = LODGE_CMD_STATS_GET,
		.policy = lodge_netlink_stats_policy,
		.maxattr = LODGE_STATS_VCPU,
		.doit = lodge_netlink_stats_get,
		.start = lodge_netlink_stats_start,
		.dumpit = lodge_netlink_stats_dump,
		.done = lodge_dump_done,
	},
	{
		.cmd = LODGE_CMD_VCPU_GET,
		.policy = lodge_netlink_vcpu_policy,
		.maxattr = LODGE_VCPU_VM,
		.start = lodge_netlink_vcpu_start,
		.dumpit = lodge_netlink_vcpu_dump,
		.done = lodge_dump_done,
	},
	{
		.cmd = LODGE_CMD_VM_KILL,
		.policy = lodge_netlink_vm_policy,
		.maxattr = LODGE_VM_UID,
		.doit = lodge_netlink_vm_kill,
	},
	{
		.cmd = LODGE_CMD_NEWS_GET,
		.policy = lodge_netlink_news_policy,
		.maxattr = LODGE_NEWS_SEQ,
		.start = lodge_netlink_news_start,
		.dumpit = lodge_netlink_news_dump,
		.done = lodge_dump_done,
	},
	{
		.cmd = LODGE_CMD_LIMIT_GET,
		.policy = lodge_netlink_limit_get_policy,
		.maxattr = LODGE_LIMIT_UID,
		.doit = lodge_netlink_limit_get,
		.start = lodge_netlink_limit_start,
		.dumpit = lodge_netlink_limit_dump,
		.done = lodge_dump_done,
	},
	{
		.cmd = LODGE_CMD_LIMIT_SET,
		.policy = lodge_netlink_limit_set_policy,
		.maxattr = LODGE_LIMIT_INHERIT,
		.doit = lodge_netlink_limit_set,
	},
};

static const struct genl_multicast_group lodge_netlink_groups[] = {
	{ .name = LODGE_GENL_EVENTS },
};

struct genl_family lodge_netlink_family __ro_after_init = {
	.name = LODGE_GENL_NAME,
	.version = LODGE_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.ops = lodge_netlink_ops,
	.n_ops = ARRAY_SIZE(lodge_netlink_ops),
	.mcgrps = lodge_netlink_groups,
	.n_mcgrps = ARRAY_SIZE(lodge_netlink_groups),
};

int __init lodge_netlink_init(void)
{
	int error = genl_register_family(&lodge_netlink_family);

	if (!error)
		lodge_netlink_news_init();
	return error;
}

void lodge_netlink_exit(void)
{
	lodge_netlink_news_exit();
	genl_unregister_family(&lodge_netlink_family);
}
