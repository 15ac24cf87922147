/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What generic netlink does with the module's family: it checks a request against the
 * policy, calls the command, and reads a dump message by message.  The VMs are the
 * test's.  Only one file of a program may include this header, because it defines what
 * the family calls.
 */
#ifndef LODGE_UNIT_FAKE_FAMILY_H
#define LODGE_UNIT_FAKE_FAMILY_H

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "mem.h"
#include "netlink.h"
#include "news.h"
#include "notify.h"
#include "vcpu.h"
#include "vm.h"

/* More than any command has. */
#define FAMILY_ATTRS 16
#define FAMILY_PORT 7
#define FAMILY_SEQ 1234

struct task_struct kernel_thread;
struct user_namespace init_user_ns;
struct net init_net;
bool kernel_admin;
u32 tsc_khz = 1000000;

void cpu_relax(void);
void cpu_relax(void)
{
}

u64 lodge_tsc_moved;

static struct pid_namespace family_pids;
static struct pid family_pid;
/* Of those who have opened sockets: these do not change while somebody has them. */
static struct cred family_creds[4];
static struct file family_file;
static struct socket family_socket = { .file = &family_file };
static struct sock family_sock = { .sk_socket = &family_socket };
static struct lodge_vm *family_killed;

/* The answer to the last request, or NULL. */
static struct sk_buff *family_answer;

static u32 family_check(struct lodge_vcpu *vcpu, struct lodge_rule *rule,
			u32 max)
{
	return 0;
}

static const struct lodge_backend family_backend = { .check = family_check };
const struct lodge_backend *lodge_backend = &family_backend;

u64 rdtsc(void)
{
	return 0;
}

struct lodge_vcpu *lodge_vcpu_find(const struct lodge_vm *vm, u32 id)
{
	return vm->vcpus[id];
}

u64 lodge_mem_size(struct lodge_vm *vm)
{
	return 1 << 20;
}

void lodge_vm_kill(struct lodge_vm *vm)
{
	vm->state = LODGE_VM_KILLED;
	family_killed = vm;
	lodge_notify_vm(vm, LODGE_NEWS_VM_KILLED);
}

int genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	if (kernel_locks || family_answer)
		abort();
	family_answer = skb;
	return 0;
}

static struct cred *family_cred(u32 uid, struct user_namespace *ns)
{
	struct cred *cred = family_creds;

	while (cred->users && (cred->uid.val != uid || cred->user_ns != ns))
		cred++;
	cred->uid.val = uid;
	cred->user_ns = ns;
	return cred;
}

/* The thread that has opened the socket and sends the requests. */
static void family_be(u32 uid, struct user_namespace *ns, bool admin)
{
	kernel_thread = (struct task_struct){ .uid = uid,
					      .user_ns = ns,
					      .pid_ns = &family_pids,
					      .pid = &family_pid };
	kernel_admin = admin;
	family_file = (struct file){ family_cred(uid, ns), admin, 0 };
}

static inline int family_add_vm(struct lodge_vm *vm, const char *name)
{
	memset(vm, 0, sizeof(*vm));
	vm->stops.left = 1000;
	lodge_identity_init(&vm->identity);
	return lodge_registry_add(vm, name);
}

static inline void family_add_vcpu(struct lodge_vm *vm, struct lodge_vcpu *vcpu,
				   u32 id)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	vm->vcpus[id] = vcpu;
	lodge_registry_changed();
}

static inline void family_remove_vm(struct lodge_vm *vm)
{
	lodge_registry_remove(vm);
	lodge_identity_fini(&vm->identity);
	memset(vm, 0, sizeof(*vm));
}

/**
 * struct family_request - a request on its way
 * @command: enum lodge_command
 * @dump: with NLM_F_DUMP
 * @size: bytes of @attrs
 * @attrs: attributes as user space has written them
 * @table: the same by number
 * @ack: what the module says of an error
 */
struct family_request {
	u8 command;
	bool dump;
	size_t size;
	u8 attrs[512] __attribute__((aligned(8)));
	struct nlattr *table[FAMILY_ATTRS];
	struct netlink_ext_ack ack;
};

static void family_put(struct family_request *request, u16 type,
		       const void *data, u16 size)
{
	u8 *at = request->attrs + request->size;
	struct nlattr *attr = (struct nlattr *)at;

	if (request->size + NLA_HDRLEN + NLA_ALIGN(size) >
	    sizeof(request->attrs))
		return;
	memset(at, 0, NLA_HDRLEN + NLA_ALIGN(size));
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	memcpy(at + NLA_HDRLEN, data, size);
	request->size += NLA_HDRLEN + NLA_ALIGN(size);
}

static inline void family_put_u32(struct family_request *request, u16 type,
				  u32 value)
{
	family_put(request, type, &value, sizeof(value));
}

static const struct genl_ops *family_op(const struct family_request *request)
{
	const struct genl_ops *op = lodge_netlink_family.ops;

	for (u32 i = 0; i < lodge_netlink_family.n_ops; i++, op++)
		if (op->cmd == request->command)
			return (request->dump ? !!op->dumpit : !!op->doit) ?
				       op :
				       NULL;
	return NULL;
}

static bool attr_is_valid(const struct nla_policy *policy,
			  const struct nlattr *attr)
{
	const char *text = nla_data(attr);
	int size = nla_len(attr);

	switch (policy->type) {
	case NLA_U32:
		return size == sizeof(u32) &&
		       (!policy->has_max || nla_get_u32(attr) <= policy->max);
	case NLA_U64:
		return size == sizeof(u64);
	case NLA_FLAG:
		return !size;
	case NLA_NUL_STRING:
		return size && memchr(text, 0, min(size, policy->len + 1));
	default:
		return false;
	}
}

/* As the kernel checks a family that came after strict checking. */
static int family_parse(struct family_request *request,
			const struct genl_ops *op)
{
	size_t at = 0;

	memset(request->table, 0, sizeof(request->table));
	memset(&request->ack, 0, sizeof(request->ack));
	while (request->size - at >= NLA_HDRLEN) {
		struct nlattr *attr = (struct nlattr *)(request->attrs + at);

		if (attr->nla_len < NLA_HDRLEN ||
		    attr->nla_len > request->size - at)
			break;
		if (!attr->nla_type || attr->nla_type > op->maxattr ||
		    !attr_is_valid(&op->policy[attr->nla_type], attr))
			return -EINVAL;
		request->table[attr->nla_type] = attr;
		at += min((size_t)NLA_ALIGN(attr->nla_len), request->size - at);
	}
	return at == request->size ? 0 : -EINVAL;
}

static struct sk_buff *family_buffer(size_t size)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb) + size);

	if (!skb)
		abort();
	skb->parms.sk = &family_sock;
	skb->parms.portid = FAMILY_PORT;
	skb->size = size;
	return skb;
}

/* Return: what the command returns; the answer is family_answer. */
static inline int family_do(struct family_request *request)
{
	const struct genl_ops *op = family_op(request);
	struct genl_info info = {
		.snd_seq = FAMILY_SEQ,
		.snd_portid = FAMILY_PORT,
		.attrs = request->table,
		.extack = &request->ack,
	};
	struct sk_buff *skb;
	int error;

	free(family_answer);
	family_answer = NULL;
	if (!op)
		return -EOPNOTSUPP;
	error = family_parse(request, op);
	if (error)
		return error;
	skb = family_buffer(0);
	error = op->doit(skb, &info);
	free(skb);
	return error;
}

/* Return: the attribute of that number, or NULL; all of them must fit. */
static inline const struct nlattr *family_attr(const struct nlmsghdr *header,
					       u16 type)
{
	const u8 *at = (const u8 *)header + NLMSG_HDRLEN + GENL_HDRLEN;
	const u8 *end = (const u8 *)header + header->nlmsg_len;
	const struct nlattr *found = NULL;

	while (at < end) {
		const struct nlattr *attr = (const void *)at;

		if (end - at < NLA_HDRLEN || attr->nla_len < NLA_HDRLEN ||
		    attr->nla_len > end - at)
			abort();
		if (attr->nla_type == type) {
			if (found)
				abort();
			found = attr;
		}
		at += NLA_ALIGN(attr->nla_len);
	}
	return found;
}

/**
 * struct family_dump - a dump that is being read
 */
struct family_dump {
	struct netlink_callback cb;
	struct genl_dumpit_info info;
	struct nlmsghdr header;
};

static int family_dump_start(struct family_dump *dump,
			     struct family_request *request)
{
	const struct genl_ops *op = family_op(request);
	int error;

	memset(dump, 0, sizeof(*dump));
	if (!op)
		return -EOPNOTSUPP;
	error = family_parse(request, op);
	if (error)
		return error;
	dump->info.op = *op;
	dump->info.attrs = request->table;
	dump->header.nlmsg_seq = FAMILY_SEQ;
	dump->cb.skb = family_buffer(0);
	dump->cb.nlh = &dump->header;
	dump->cb.data = &dump->info;
	dump->cb.extack = &request->ack;
	error = op->start(&dump->cb);
	if (error)
		free(dump->cb.skb);
	return error;
}

/* Return: as the command: 0 at the end, an error, or how much there is in @skb. */
static int family_dump_next(struct family_dump *dump, struct sk_buff *skb)
{
	skb->len = 0;
	return dump->info.op.dumpit(skb, &dump->cb);
}

/* Return: NLM_F_DUMP_INTR if the message at the end of the dump has it. */
static u16 family_dump_end(struct family_dump *dump)
{
	struct nlmsghdr done = { .nlmsg_type = NLMSG_DONE };

	nl_dump_check_consistent(&dump->cb, &done);
	dump->info.op.done(&dump->cb);
	free(dump->cb.skb);
	return done.nlmsg_flags & NLM_F_DUMP_INTR;
}

/* Everything was put back. */
static void family_end(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(family_creds); i++)
		if (family_creds[i].users)
			abort();
	free(family_answer);
	family_answer = NULL;
	lodge_news_fini();
}

#endif
