/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family of <lodge_netlink.h> as functions that return -errno: all
 * VMs of the host that the caller may see, their statistics, limits and events.
 */
#ifndef LODGE_LIB_NETLINK_H
#define LODGE_LIB_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lodge_netlink.h>

/* Attributes of an answer that were there: the first member of each structure below. */
typedef uint64_t netlink_present;

/* True if attribute LODGE_*_* of @entry's answer was there; its member is 0 otherwise. */
#define netlink_has(entry, attribute) (((entry)->present >> (attribute)) & 1)

/**
 * struct netlink_vm - a VM; see enum lodge_vm_attr
 */
struct netlink_vm {
	netlink_present present;
	uint32_t id;
	uint32_t uid;
	uint32_t pid;
	uint32_t vcpus;
	/* enum lodge_vm_state, or one of a later module */
	uint32_t state;
	char name[LODGE_NAME_SIZE];
	uint64_t start;
	uint64_t memory;
	uint64_t resident;
	uint64_t tables;
	uint64_t cgroup;
};

/**
 * struct netlink_vcpu - a vCPU; see enum lodge_vcpu_attr
 */
struct netlink_vcpu {
	netlink_present present;
	uint32_t vm;
	uint32_t id;
	/* enum lodge_vcpu_state */
	uint32_t state;
	uint32_t tid;
	uint32_t cpu;
	/* enum lodge_stat_exit */
	uint32_t exit;
	uint64_t guest;
	uint64_t host;
	uint64_t wait;
	uint64_t steal;
};

/**
 * struct netlink_stats - the statistics of a vCPU; see enum lodge_stats_attr
 */
struct netlink_stats {
	netlink_present present;
	uint32_t vm;
	uint32_t vcpu;
	uint64_t exits[LODGE_NR_STAT_EXITS];
	uint64_t quick;
	uint64_t interrupts;
	uint64_t nmis;
	uint64_t exceptions;
	uint64_t faults_4k;
	uint64_t faults_2m;
	uint64_t faults_1g;
	uint64_t flushes;
	uint64_t halts;
	uint64_t polls_won;
	uint64_t polls_lost;
	uint64_t wakeups;
	uint64_t returns;
	uint64_t histogram[LODGE_STAT_BUCKETS];
	uint32_t tsc_khz;
};

/**
 * netlink_bucket_end() - the time that all of a bucket's times are below
 * @stats: tells how long a tick is
 * @bucket: of its histogram, but not the last one
 *
 * Return: that time in seconds.
 */
double netlink_bucket_end(const struct netlink_stats *stats,
			  unsigned int bucket);

/* The limits in the order of LODGE_LIMIT_VMS to LODGE_LIMIT_KERNEL. */
enum netlink_limit_kind {
	NETLINK_LIMIT_VMS,
	NETLINK_LIMIT_VCPUS,
	NETLINK_LIMIT_TABLES,
	NETLINK_LIMIT_KERNEL,
	NETLINK_LIMITS,
};

/**
 * struct netlink_limit - the limits of a scope; see enum lodge_limit_attr
 * @limits: the most that there may be, or LODGE_LIMIT_NONE
 * @used: how many there are
 *
 * netlink_has(LODGE_LIMIT_INHERIT) tells that the user has no limits of its own.
 */
struct netlink_limit {
	netlink_present present;
	/* enum lodge_limit_scope */
	uint32_t scope;
	uint32_t uid;
	uint64_t limits[NETLINK_LIMITS];
	uint64_t used[NETLINK_LIMITS];
};

/**
 * struct netlink_limit_change - new limits for a scope
 * @scope: enum lodge_limit_scope
 * @uid: with LODGE_SCOPE_USER
 * @inherit: forget the limits that this user has of its own; @changed is 0
 * @changed: bit N: limits[N] is to be set
 * @limits: the most that there may be, or LODGE_LIMIT_NONE
 */
struct netlink_limit_change {
	uint32_t scope;
	uint32_t uid;
	bool inherit;
	unsigned int changed;
	uint64_t limits[NETLINK_LIMITS];
};

/**
 * struct netlink_news - an event; see enum lodge_news_attr
 */
struct netlink_news {
	netlink_present present;
	uint64_t seq;
	uint64_t time;
	uint64_t lost;
	/* enum lodge_news_kind */
	uint32_t kind;
	uint32_t vm;
	uint32_t uid;
	uint32_t vcpu;
	/* enum lodge_exit_reason */
	uint32_t reason;
	/* LODGE_LIMIT_VMS to LODGE_LIMIT_KERNEL */
	uint32_t limit;
	/* enum lodge_limit_scope */
	uint32_t scope;
	char name[LODGE_NAME_SIZE];
	char text[LODGE_TEXT_SIZE];
};

/**
 * struct netlink_which - names a VM
 * @name: its name, or NULL
 * @id: without @name: its ID
 * @has_uid: @uid counts
 * @uid: with @name: the user to whom it belongs
 */
struct netlink_which {
	const char *name;
	uint32_t id;
	bool has_uid;
	uint32_t uid;
};

struct netlink;

/**
 * netlink_open() - connect to the family
 * @netlink: set to the connection
 *
 * One thread at a time may use a connection.
 *
 * Return: 0; -ENOENT no module is loaded; -ENOMEM; -errno.
 */
int netlink_open(struct netlink **netlink);

/**
 * netlink_close() - end a connection
 * @netlink: from netlink_open(), or NULL
 */
void netlink_close(struct netlink *netlink);

/**
 * netlink_message() - get the module's explanation of why the last call failed
 *
 * Return: a text that is valid until the next call; empty if there is none.
 */
const char *netlink_message(const struct netlink *netlink);

/*
 * Lists.  A list that changes while it is read is read again, and after some attempts
 * returned all the same: it has nothing twice, and each entry is right by itself.
 *
 * The list is set to an array that free() frees, or to NULL.  Return: 0; -ENOENT the
 * VM does not exist, or the module was unloaded; -ENOMEM; -errno.
 */

/**
 * netlink_vm_list() - list all VMs
 */
int netlink_vm_list(struct netlink *netlink, struct netlink_vm **list,
		    size_t *count);

/**
 * netlink_vcpu_list() - list the vCPUs of a VM, or of all VMs if @vm is 0
 * @vm: LODGE_VM_ID or 0
 */
int netlink_vcpu_list(struct netlink *netlink, uint32_t vm,
		      struct netlink_vcpu **list, size_t *count);

/**
 * netlink_stats_list() - list the statistics of the vCPUs of a VM, or of all VMs
 * @vm: LODGE_VM_ID or 0
 */
int netlink_stats_list(struct netlink *netlink, uint32_t vm,
		       struct netlink_stats **list, size_t *count);

/**
 * netlink_limit_list() - list the limits of all scopes
 */
int netlink_limit_list(struct netlink *netlink, struct netlink_limit **list,
		       size_t *count);

/**
 * netlink_news_list() - list what has happened, oldest first
 * @from: LODGE_NEWS_SEQ of the first event that is wanted, or 0 for all
 */
int netlink_news_list(struct netlink *netlink, uint64_t from,
		      struct netlink_news **list, size_t *count);

/**
 * netlink_vm_get() - find a VM
 * @which: the VM
 * @vm: filled
 *
 * Return: 0; -ENOENT there is none, or it is another user's; -errno of
 * LODGE_CMD_VM_GET.
 */
int netlink_vm_get(struct netlink *netlink, const struct netlink_which *which,
		   struct netlink_vm *vm);

/**
 * netlink_vm_kill() - stop a VM for ever
 * @which: the VM
 *
 * Return: 0; -ENOENT there is none, or it is another user's; -errno of
 * LODGE_CMD_VM_KILL.
 */
int netlink_vm_kill(struct netlink *netlink, const struct netlink_which *which);

/**
 * netlink_limit_get() - get the limits of a scope
 * @scope: the scope
 * @uid: with LODGE_SCOPE_USER: the user
 * @limit: filled
 *
 * Return: 0 or -errno of LODGE_CMD_LIMIT_GET.
 */
int netlink_limit_get(struct netlink *netlink, enum lodge_limit_scope scope,
		      uint32_t uid, struct netlink_limit *limit);

/**
 * netlink_limit_set() - change the limits of a scope
 *
 * Return: 0; -EPERM; -errno of LODGE_CMD_LIMIT_SET.
 */
int netlink_limit_set(struct netlink *netlink,
		      const struct netlink_limit_change *change);

/**
 * netlink_listen() - ask to be told of events
 *
 * Return: a descriptor that the connection owns.  It becomes readable when there are
 * events, or the module is loaded or unloaded; call netlink_drain() and then
 * netlink_news_list().  -errno.
 */
int netlink_listen(struct netlink *netlink);

/**
 * netlink_drain() - forget that there were events
 *
 * The messages only tell that netlink_news_list() has something new, so those that were
 * lost because nobody read them do not matter.
 */
void netlink_drain(struct netlink *netlink);

#endif
