/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the kernel that module/netlink*.c use, for user space: messages and their
 * attributes, and what generic netlink hands to a family.  Included after kernel_view.h.
 */
#ifndef LODGE_UNIT_KERNEL_NETLINK_H
#define LODGE_UNIT_KERNEL_NETLINK_H

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "kernel_view.h"

#define IS_ERR(pointer) ((unsigned long)(pointer) > -4096UL)
#define PTR_ERR(pointer) ((long)(pointer))
#define ERR_PTR(error) ((void *)(long)(error))
#define ERR_CAST(pointer) ((void *)(pointer))
#define PTR_ERR_OR_ZERO(pointer) (IS_ERR(pointer) ? PTR_ERR(pointer) : 0)

#define __init
#define __ro_after_init
#define THIS_MODULE NULL

/* A number in a namespace is the same number outside. */
#define __kuid_val(uid) ((uid).val)

static inline u32 from_kuid_munged(const struct user_namespace *ns, kuid_t uid)
{
	return uid.val;
}

/* Counted, as namespaces are. */
struct cred {
	int users;
	kuid_t uid;
	struct user_namespace *user_ns;
};

/* Who has opened the socket, is root of the host or not; and how often that was asked. */
struct file {
	struct cred *f_cred;
	bool admin;
	unsigned int asked;
};

extern bool kernel_admin;

#define CAP_SYS_ADMIN 21
#define ns_capable_noaudit(ns, capability) (kernel_admin)
#define file_ns_capable(file, ns, capability) ((file)->asked++, (file)->admin)

static inline const struct cred *get_cred(struct cred *cred)
{
	cred->users++;
	return cred;
}

static inline void put_cred(const struct cred *cred)
{
	((struct cred *)cred)->users--;
}

/* The thread's time namespace. */
__attribute__((weak)) s64 kernel_boottime_moved;

#define timens_add_boottime_ns(ns) ((ns) + kernel_boottime_moved)

/* Threads and their numbers, the same ones in each namespace. */
#define PIDTYPE_TGID 1
#define rcu_read_lock()
#define rcu_read_unlock()
#define rcu_dereference(p) (p)
#define pid_task(pid, type) ((pid) ? current : NULL)
#define pid_nr_ns(pid, ns) 42
#define task_pid_nr_ns(task, ns) 43
#define lodge_task_cgroup(task) 44
#define array_index_nospec(index, size) (index)

/*
 * Messages.
 */
struct socket {
	struct file *file;
};

struct sock {
	struct socket *sk_socket;
};

struct netlink_skb_parms {
	struct sock *sk;
	u32 portid;
};

/* @size: bytes that @data has room for */
struct sk_buff {
	struct netlink_skb_parms parms;
	unsigned int len;
	unsigned int size;
	u8 data[] __attribute__((aligned(8)));
};

#define NETLINK_CB(skb) ((skb)->parms)
#define GENLMSG_DEFAULT_SIZE (4096 - 512)
#define GFP_ATOMIC 2

/* Whoever waits for memory holds no lock for which all VMs wait. */
static inline struct sk_buff *genlmsg_new(size_t payload, int flags)
{
	size_t size = NLMSG_ALIGN(NLMSG_HDRLEN + GENL_HDRLEN + payload);
	struct sk_buff *skb;

	if (kernel_locks)
		abort();
	skb = kzalloc(sizeof(*skb) + size, flags);
	if (skb)
		skb->size = size;
	return skb;
}

#define nlmsg_free kfree
#define consume_skb kfree

/* Return: where the next @size bytes are, or NULL. */
static inline void *kernel_skb_put(struct sk_buff *skb, unsigned int size)
{
	void *at = skb->data + skb->len;

	if (size > skb->size - skb->len)
		return NULL;
	memset(at, 0, size);
	skb->len += size;
	return at;
}

static inline int nla_put(struct sk_buff *skb, int type, int size,
			  const void *data)
{
	struct nlattr *attr = kernel_skb_put(skb, NLA_HDRLEN + NLA_ALIGN(size));

	if (!attr)
		return -EMSGSIZE;
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	memcpy((u8 *)attr + NLA_HDRLEN, data, size);
	return 0;
}

static inline int nla_put_u32(struct sk_buff *skb, int type, u32 value)
{
	return nla_put(skb, type, sizeof(value), &value);
}

static inline int nla_put_string(struct sk_buff *skb, int type,
				 const char *text)
{
	return nla_put(skb, type, strlen(text) + 1, text);
}

static inline int nla_put_flag(struct sk_buff *skb, int type)
{
	return nla_put(skb, type, 0, "");
}

/* x86 needs no padding. */
#define nla_put_u64_64bit(skb, type, value, pad)                         \
	({                                                               \
		u64 kernel_value = (value);                              \
		nla_put(skb, type, sizeof(kernel_value), &kernel_value); \
	})
#define nla_total_size_64bit(size) (NLA_HDRLEN + NLA_ALIGN(size))

static inline void *nla_data(const struct nlattr *attr)
{
	return (u8 *)attr + NLA_HDRLEN;
}

static inline int nla_len(const struct nlattr *attr)
{
	return attr->nla_len - NLA_HDRLEN;
}

/* The policy has seen to the size; where it has not, this reads too far. */
static inline u32 nla_get_u32(const struct nlattr *attr)
{
	u32 value;

	memcpy(&value, nla_data(attr), sizeof(value));
	return value;
}

static inline u64 nla_get_u64(const struct nlattr *attr)
{
	u64 value;

	memcpy(&value, nla_data(attr), sizeof(value));
	return value;
}

/*
 * Policies.
 */
enum {
	NLA_UNSPEC,
	NLA_U32,
	NLA_U64,
	NLA_NUL_STRING,
	NLA_FLAG,
};

struct nla_policy {
	u8 type;
	u16 len;
	bool has_max;
	u32 max;
};

#define NLA_POLICY_MAX(kind, most)                             \
	{                                                      \
		.type = (kind), .has_max = true, .max = (most) \
	}

/* What is said of an error. */
struct netlink_ext_ack {
	const char *message;
	const struct nlattr *attr;
};

#define NL_SET_ERR_MSG(extack, text) ((void)((extack)->message = (text)))
#define NL_SET_BAD_ATTR(extack, bad) ((void)((extack)->attr = (bad)))
#define NL_SET_ERR_MSG_ATTR(extack, bad, text) \
	(NL_SET_ERR_MSG(extack, text), NL_SET_BAD_ATTR(extack, bad))

/*
 * The family.
 */
struct genl_info {
	u32 snd_seq;
	u32 snd_portid;
	struct nlattr **attrs;
	struct netlink_ext_ack *extack;
};

struct netlink_callback {
	struct sk_buff *skb;
	const struct nlmsghdr *nlh;
	void *data;
	struct netlink_ext_ack *extack;
	unsigned int prev_seq;
	unsigned int seq;
	u8 ctx[48] __attribute__((aligned(8)));
};

struct genl_ops {
	u8 cmd;
	const struct nla_policy *policy;
	unsigned int maxattr;
	int (*doit)(struct sk_buff *skb, struct genl_info *info);
	int (*start)(struct netlink_callback *cb);
	int (*dumpit)(struct sk_buff *skb, struct netlink_callback *cb);
	int (*done)(struct netlink_callback *cb);
};

struct genl_dumpit_info {
	struct genl_ops op;
	struct nlattr **attrs;
};

#define genl_dumpit_info(cb) ((const struct genl_dumpit_info *)(cb)->data)
#define lodge_dump_attrs(cb) (genl_dumpit_info(cb)->attrs)

struct genl_multicast_group {
	char name[16];
};

struct genl_family {
	const char *name;
	unsigned int version;
	void *module;
	bool netnsok;
	bool parallel_ops;
	const struct genl_ops *ops;
	unsigned int n_ops;
	const struct genl_multicast_group *mcgrps;
	unsigned int n_mcgrps;
};

#define KERNEL_FAMILY 33

static inline void *genlmsg_put(struct sk_buff *skb, u32 portid, u32 seq,
				const struct genl_family *family, int flags,
				u8 command)
{
	struct nlmsghdr *header =
		kernel_skb_put(skb, NLMSG_HDRLEN + GENL_HDRLEN);
	struct genlmsghdr *genl;

	if (!header)
		return NULL;
	*header = (struct nlmsghdr){
		.nlmsg_type = KERNEL_FAMILY,
		.nlmsg_flags = flags,
		.nlmsg_seq = seq,
		.nlmsg_pid = portid,
	};
	genl = NLMSG_DATA(header);
	genl->cmd = command;
	genl->version = family->version;
	return (u8 *)genl + GENL_HDRLEN;
}

static inline void *genlmsg_put_reply(struct sk_buff *skb,
				      const struct genl_info *info,
				      const struct genl_family *family,
				      int flags, u8 command)
{
	return genlmsg_put(skb, info->snd_portid, info->snd_seq, family, flags,
			   command);
}

static inline struct nlmsghdr *kernel_header(void *head)
{
	return (void *)((u8 *)head - GENL_HDRLEN - NLMSG_HDRLEN);
}

static inline void genlmsg_end(struct sk_buff *skb, void *head)
{
	struct nlmsghdr *header = kernel_header(head);

	header->nlmsg_len = skb->data + skb->len - (u8 *)header;
}

static inline void genlmsg_cancel(struct sk_buff *skb, void *head)
{
	skb->len = (u8 *)kernel_header(head) - skb->data;
}

/* As the kernel's. */
static inline void nl_dump_check_consistent(struct netlink_callback *cb,
					    struct nlmsghdr *header)
{
	if (cb->prev_seq && cb->seq != cb->prev_seq)
		header->nlmsg_flags |= NLM_F_DUMP_INTR;
	cb->prev_seq = cb->seq;
}

#define genl_dump_check_consistent(cb, head) \
	nl_dump_check_consistent(cb, kernel_header(head))

/* Takes the answer, which the test frees. */
int genlmsg_reply(struct sk_buff *skb, struct genl_info *info);

#define genl_register_family(family) ((void)(family), 0)
#define genl_unregister_family(family) ((void)(family))

/*
 * Listeners: nobody reads what they are sent.
 */
struct net {
	int users;
	int list;
};

extern struct net init_net;
__attribute__((weak)) int net_namespace_list;

/* One network namespace. */
#define list_next_or_null_rcu(head, at, type, member) \
	((at) == (head) ? &init_net : NULL)

static inline struct net *maybe_get_net(struct net *net)
{
	net->users++;
	return net;
}

static inline void put_net(struct net *net)
{
	net->users--;
}

/* The work that waits, or NULL. */
__attribute__((weak)) struct work_struct *kernel_work;

#define DECLARE_DELAYED_WORK(name, function) \
	struct work_struct name = { .call = (function) }

static inline void schedule_delayed_work(struct work_struct *work,
					 unsigned long delay)
{
	if (kernel_work)
		return;
	work->delay = delay;
	kernel_work = work;
}

#define cancel_delayed_work_sync(work) ((void)(work), kernel_work = NULL)

/* Each look at the clock takes so long. */
__attribute__((weak)) u64 kernel_time_of_a_look;
__attribute__((weak)) u64 kernel_time;

#define ktime_get_ns() (kernel_time += kernel_time_of_a_look)
#define nsecs_to_jiffies(ns) ((ns) / 4000000)
#define genl_has_listeners(family, net, group) true
#define genlmsg_multicast_netns(family, net, skb, portid, group, flags) \
	kfree(skb)

static inline struct sk_buff *skb_clone(const struct sk_buff *skb, int flags)
{
	struct sk_buff *copy = kzalloc(sizeof(*copy) + skb->size, flags);

	if (copy)
		memcpy(copy, skb, sizeof(*copy) + skb->size);
	return copy;
}

#endif
