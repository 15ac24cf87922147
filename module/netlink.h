/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family: see uapi/lodge_netlink.h.
 *
 * netlink.c has the table of commands, who may see what, and the walk of a dump; each
 * group of commands is a file of its own.
 */
#ifndef LODGE_NETLINK_H
#define LODGE_NETLINK_H

#include <linux/types.h>
#include <net/genetlink.h>

#include <lodge_netlink.h>

#include "registry.h"

struct cred;
struct lodge_vcpu;
struct lodge_vm;

extern struct genl_family lodge_netlink_family;

/**
 * struct lodge_viewer - for whom a request is
 * @sender: user that has sent it
 * @sender_admin: @sender has CAP_SYS_ADMIN in the initial user namespace
 * @opener: credentials with which the socket was opened
 * @opener_admin: the same of @opener, if it makes a difference
 * @boottime: what the clock of @sender's time namespace shows more than the host's, ns
 *
 * Both must have the right to what is asked for: a program with more rights than the
 * one that gave it the socket gives them to nobody.  In which PID namespace the socket
 * was opened is not known: that of the sender alone counts.
 */
struct lodge_viewer {
	struct lodge_owner sender;
	bool sender_admin;
	const struct cred *opener;
	bool opener_admin;
	s64 boottime;
};

/**
 * lodge_viewer_init() - take it from a request
 *
 * Called by the thread that has sent @skb.  lodge_viewer_fini() ends it.
 */
void lodge_viewer_init(struct lodge_viewer *viewer, const struct sk_buff *skb);
void lodge_viewer_fini(struct lodge_viewer *viewer);

/**
 * lodge_viewer_sees() - true if it may see and change what is @owner's
 */
bool lodge_viewer_sees(const struct lodge_viewer *viewer,
		       const struct lodge_owner *owner);

/**
 * lodge_viewer_is_admin() - true if it may see and change everything
 */
bool lodge_viewer_is_admin(const struct lodge_viewer *viewer);

/**
 * struct lodge_dump - a dump, from its first message to its last
 * @viewer: for whom it is
 * @vm: only of the VM with this ID; 0: of all
 * @next_vm: the ID at which it goes on
 * @next: the place in there, or in another list, at which it goes on
 * @end: of events: where it ends
 * @tells_lost: of events: LODGE_NEWS_LOST is told
 */
struct lodge_dump {
	struct lodge_viewer viewer;
	u32 vm;
	u32 next_vm;
	u64 next;
	u64 end;
	bool tells_lost;
};

/**
 * lodge_dump_of() - the dump that lodge_dump_start() has begun
 */
static inline struct lodge_dump *lodge_dump_of(struct netlink_callback *cb)
{
	return *(struct lodge_dump **)cb->ctx;
}

/**
 * lodge_dump_begin() - begin a dump
 * @takes: the only attribute that it takes; 0: it takes none
 *
 * Called by the @start of a command; the @done of that command is lodge_dump_done().
 *
 * Return: 0, -EINVAL an attribute that it does not take, -ENOMEM.
 */
int lodge_dump_begin(struct netlink_callback *cb, unsigned int takes);

/**
 * lodge_dump_start() - the same; the only attribute is the ID of a VM
 *
 * Return: as lodge_dump_begin(), and -ENOENT no such VM.
 */
int lodge_dump_start(struct netlink_callback *cb, unsigned int vm);
int lodge_dump_done(struct netlink_callback *cb);

/**
 * lodge_dump_answer() - what @dumpit answers
 * @error: of the last message
 */
static inline int lodge_dump_answer(const struct sk_buff *skb, int error)
{
	return error && !skb->len ? error : (int)skb->len;
}

/**
 * lodge_viewer_find() - the VM of an ID, if there is one that may be seen, or NULL
 *
 * Under the registry's lock.
 */
struct lodge_vm *lodge_viewer_find(const struct lodge_viewer *viewer, u32 id);

/**
 * typedef lodge_put_t - put the attributes of a thing into a message
 * @thing: what it is, the command knows
 *
 * Return: 0 or -EMSGSIZE.
 */
typedef int (*lodge_put_t)(struct sk_buff *skb,
			   const struct lodge_viewer *viewer,
			   const void *thing);

/**
 * lodge_dump_put() - put a message with one thing into the answer
 * @command: enum lodge_command
 * @put: for its attributes
 * @thing: its argument
 *
 * Return: 0, or -EMSGSIZE it does not fit and nothing has changed.
 */
int lodge_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 command,
		   lodge_put_t put, const void *thing);

/**
 * lodge_dump_vms() - put a message of each VM that the dump is for
 * @command: enum lodge_command
 * @put: for a VM's attributes; its thing is a struct lodge_vm
 *
 * Return: as @dumpit.
 */
int lodge_dump_vms(struct sk_buff *skb, struct netlink_callback *cb, u8 command,
		   lodge_put_t put);

/**
 * lodge_dump_vcpus() - put a message of each vCPU that the dump is for
 * @command: enum lodge_command
 * @put: for a vCPU's attributes; its thing is a struct lodge_vcpu
 *
 * Return: as @dumpit.
 */
int lodge_dump_vcpus(struct sk_buff *skb, struct netlink_callback *cb,
		     u8 command, lodge_put_t put);

/**
 * lodge_netlink_put() - put the one message of an answer into it
 * @info: of the request
 * @command: enum lodge_command
 * @put: for the attributes
 * @thing: its argument
 *
 * Return: 0 or -EMSGSIZE.
 */
int lodge_netlink_put(struct sk_buff *answer, struct genl_info *info,
		      u8 command, const struct lodge_viewer *viewer,
		      lodge_put_t put, const void *thing);

/**
 * typedef lodge_fill_t - find what a request asks for, and lodge_netlink_put() it
 *
 * Return: 0 or -errno.
 */
typedef int (*lodge_fill_t)(struct sk_buff *answer, struct genl_info *info,
			    const struct lodge_viewer *viewer);

/**
 * lodge_netlink_answer() - answer a request with one message
 * @skb: the request
 * @fill: may take locks: nobody waits for the answer's memory under them
 *
 * Return: as @doit.
 */
int lodge_netlink_answer(struct sk_buff *skb, struct genl_info *info,
			 lodge_fill_t fill);

/**
 * lodge_netlink_init() - register the family
 */
int lodge_netlink_init(void);
void lodge_netlink_exit(void);

#endif
