/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMs, and what the netlink family tells of them.
 */
#ifndef LODGE_API_NETLINK_FIXTURE_H
#define LODGE_API_NETLINK_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "talk.h"

/**
 * struct seen - what is told of a VM: the attributes of enum lodge_vm_attr
 */
struct seen {
	uint32_t id;
	char name[LODGE_NAME_SIZE];
	uint32_t uid;
	uint32_t pid;
	uint64_t start;
	uint32_t vcpus;
	uint64_t memory;
	uint64_t resident;
	uint64_t tables;
	uint64_t cgroup;
	uint32_t state;
};

/* The errors of LODGE_CREATE_VM. */
static inline int vm_create(int lodge, const char *name)
{
	struct lodge_vm_create create = { 0 };
	size_t length = strlen(name);
	int vm;

	if (length >= sizeof(create.name))
		return -ENAMETOOLONG;
	memcpy(create.name, name, length);
	vm = ioctl(lodge, LODGE_CREATE_VM, &create);
	return vm < 0 ? -errno : vm;
}

static inline int seen_take(void *context, const struct talk_answer *answer)
{
	struct seen *seen = context;

	if (answer->command != LODGE_CMD_VM_GET)
		return -EPROTO;
	*seen = (struct seen){
		.id = talk_u32(answer, LODGE_VM_ID),
		.uid = talk_u32(answer, LODGE_VM_UID),
		.pid = talk_u32(answer, LODGE_VM_PID),
		.start = talk_u64(answer, LODGE_VM_START),
		.vcpus = talk_u32(answer, LODGE_VM_VCPUS),
		.memory = talk_u64(answer, LODGE_VM_MEMORY),
		.resident = talk_u64(answer, LODGE_VM_RESIDENT),
		.tables = talk_u64(answer, LODGE_VM_TABLES),
		.cgroup = talk_u64(answer, LODGE_VM_CGROUP),
		.state = talk_u32(answer, LODGE_VM_STATE),
	};
	strncpy(seen->name, talk_string(answer, LODGE_VM_NAME),
		LODGE_NAME_SIZE - 1);
	return 0;
}

/* Return: 0 or -errno; seen->id is 0 if there was no answer. */
static inline int see_name(struct talk *talk, const char *name,
			   struct seen *seen)
{
	union talk_message message;

	memset(seen, 0, sizeof(*seen));
	talk_begin(talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_string(&message, LODGE_VM_NAME, name);
	return talk_do(talk, &message, seen_take, seen);
}

static inline int see_id(struct talk *talk, uint32_t id, struct seen *seen)
{
	union talk_message message;

	memset(seen, 0, sizeof(*seen));
	talk_begin(talk, &message, LODGE_CMD_VM_GET, 0);
	talk_put_u32(&message, LODGE_VM_ID, id);
	return talk_do(talk, &message, seen_take, seen);
}

static inline int kill_id(struct talk *talk, uint32_t id)
{
	union talk_message message;

	talk_begin(talk, &message, LODGE_CMD_VM_KILL, 0);
	talk_put_u32(&message, LODGE_VM_ID, id);
	return talk_do(talk, &message, NULL, NULL);
}

/**
 * struct list - a dump of VMs
 * @seen: the first ones
 * @count: how many there were; more than SEEN_MAX are only counted
 */
#define SEEN_MAX 512

struct list {
	struct seen seen[SEEN_MAX];
	int count;
};

static inline int list_take(void *context, const struct talk_answer *answer)
{
	struct list *list = context;
	struct seen more;

	if (!(answer->header->nlmsg_flags & NLM_F_MULTI))
		return -EPROTO;
	return seen_take(list->count < SEEN_MAX ? &list->seen[list->count++] :
						  &more,
			 answer);
}

static inline int see_all(struct talk *talk, struct list *list)
{
	union talk_message message;

	list->count = 0;
	talk_begin(talk, &message, LODGE_CMD_VM_GET, NLM_F_DUMP);
	return talk_do(talk, &message, list_take, list);
}

/* The VM of that number in a list, or NULL. */
static inline const struct seen *list_find(const struct list *list, uint32_t id)
{
	for (int i = 0; i < list->count; i++)
		if (list->seen[i].id == id)
			return &list->seen[i];
	return NULL;
}

/* True if a list names nothing twice. */
static inline bool list_is_a_set(const struct list *list)
{
	for (int i = 0; i < list->count; i++)
		for (int j = 0; j < i; j++)
			if (list->seen[i].id == list->seen[j].id)
				return false;
	return true;
}

#endif
