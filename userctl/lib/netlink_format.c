// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes of the family `lodge` and the members of lib/netlink.h's structures
 * that they fill.
 */
#include "lib/netlink_format.h"

#include <netlink/attr.h>
#include <string.h>

/**
 * enum field_kind - forms of an attribute
 * @FIXED: a number of the member's size
 * @TEXT: a string
 * @ARRAY: as many numbers as there are, or fit
 * @FLAG: there is no member
 */
enum field_kind {
	FIXED,
	TEXT,
	ARRAY,
	FLAG,
};

/**
 * struct netlink_field - an attribute and the member that it fills
 */
struct netlink_field {
	int attribute;
	enum field_kind kind;
	size_t offset;
	size_t size;
};

#define FIELD(attribute, kind, type, member)             \
	{                                                \
		attribute, kind, offsetof(type, member), \
			MEMBER_SIZE(type, member)        \
	}
#define MEMBER_SIZE(type, member) sizeof(((type *)NULL)->member)

/* Each list of fields ends with the attribute 0. */

static const struct netlink_field vm_fields[] = {
	FIELD(LODGE_VM_ID, FIXED, struct netlink_vm, id),
	FIELD(LODGE_VM_NAME, TEXT, struct netlink_vm, name),
	FIELD(LODGE_VM_UID, FIXED, struct netlink_vm, uid),
	FIELD(LODGE_VM_PID, FIXED, struct netlink_vm, pid),
	FIELD(LODGE_VM_START, FIXED, struct netlink_vm, start),
	FIELD(LODGE_VM_VCPUS, FIXED, struct netlink_vm, vcpus),
	FIELD(LODGE_VM_MEMORY, FIXED, struct netlink_vm, memory),
	FIELD(LODGE_VM_RESIDENT, FIXED, struct netlink_vm, resident),
	FIELD(LODGE_VM_TABLES, FIXED, struct netlink_vm, tables),
	FIELD(LODGE_VM_CGROUP, FIXED, struct netlink_vm, cgroup),
	FIELD(LODGE_VM_STATE, FIXED, struct netlink_vm, state),
	{ 0 },
};

const struct netlink_format netlink_vm_format = {
	LODGE_CMD_VM_GET,
	sizeof(struct netlink_vm),
	vm_fields,
};

static const struct netlink_field vcpu_fields[] = {
	FIELD(LODGE_VCPU_VM, FIXED, struct netlink_vcpu, vm),
	FIELD(LODGE_VCPU_ID, FIXED, struct netlink_vcpu, id),
	FIELD(LODGE_VCPU_STATE, FIXED, struct netlink_vcpu, state),
	FIELD(LODGE_VCPU_TID, FIXED, struct netlink_vcpu, tid),
	FIELD(LODGE_VCPU_CPU, FIXED, struct netlink_vcpu, cpu),
	FIELD(LODGE_VCPU_EXIT, FIXED, struct netlink_vcpu, exit),
	FIELD(LODGE_VCPU_GUEST, FIXED, struct netlink_vcpu, guest),
	FIELD(LODGE_VCPU_HOST, FIXED, struct netlink_vcpu, host),
	FIELD(LODGE_VCPU_WAIT, FIXED, struct netlink_vcpu, wait),
	FIELD(LODGE_VCPU_STEAL, FIXED, struct netlink_vcpu, steal),
	{ 0 },
};

const struct netlink_format netlink_vcpu_format = {
	LODGE_CMD_VCPU_GET,
	sizeof(struct netlink_vcpu),
	vcpu_fields,
};

static const struct netlink_field stats_fields[] = {
	FIELD(LODGE_STATS_VM, FIXED, struct netlink_stats, vm),
	FIELD(LODGE_STATS_VCPU, FIXED, struct netlink_stats, vcpu),
	FIELD(LODGE_STATS_EXITS, ARRAY, struct netlink_stats, exits),
	FIELD(LODGE_STATS_QUICK, FIXED, struct netlink_stats, quick),
	FIELD(LODGE_STATS_INTERRUPTS, FIXED, struct netlink_stats, interrupts),
	FIELD(LODGE_STATS_NMIS, FIXED, struct netlink_stats, nmis),
	FIELD(LODGE_STATS_EXCEPTIONS, FIXED, struct netlink_stats, exceptions),
	FIELD(LODGE_STATS_FAULTS_4K, FIXED, struct netlink_stats, faults_4k),
	FIELD(LODGE_STATS_FAULTS_2M, FIXED, struct netlink_stats, faults_2m),
	FIELD(LODGE_STATS_FAULTS_1G, FIXED, struct netlink_stats, faults_1g),
	FIELD(LODGE_STATS_FLUSHES, FIXED, struct netlink_stats, flushes),
	FIELD(LODGE_STATS_HALTS, FIXED, struct netlink_stats, halts),
	FIELD(LODGE_STATS_POLLS_WON, FIXED, struct netlink_stats, polls_won),
	FIELD(LODGE_STATS_POLLS_LOST, FIXED, struct netlink_stats, polls_lost),
	FIELD(LODGE_STATS_WAKEUPS, FIXED, struct netlink_stats, wakeups),
	FIELD(LODGE_STATS_RETURNS, FIXED, struct netlink_stats, returns),
	FIELD(LODGE_STATS_HISTOGRAM, ARRAY, struct netlink_stats, histogram),
	FIELD(LODGE_STATS_TSC_KHZ, FIXED, struct netlink_stats, tsc_khz),
	{ 0 },
};

double netlink_bucket_end(const struct netlink_stats *stats,
			  unsigned int bucket)
{
	return (double)(1ULL << (LODGE_STAT_FIRST_BUCKET + bucket)) /
	       stats->tsc_khz / 1000;
}

const struct netlink_format netlink_stats_format = {
	LODGE_CMD_STATS_GET,
	sizeof(struct netlink_stats),
	stats_fields,
};

static const struct netlink_field limit_fields[] = {
	FIELD(LODGE_LIMIT_SCOPE, FIXED, struct netlink_limit, scope),
	FIELD(LODGE_LIMIT_UID, FIXED, struct netlink_limit, uid),
	FIELD(LODGE_LIMIT_VMS, FIXED, struct netlink_limit,
	      limits[NETLINK_LIMIT_VMS]),
	FIELD(LODGE_LIMIT_VCPUS, FIXED, struct netlink_limit,
	      limits[NETLINK_LIMIT_VCPUS]),
	FIELD(LODGE_LIMIT_TABLES, FIXED, struct netlink_limit,
	      limits[NETLINK_LIMIT_TABLES]),
	FIELD(LODGE_LIMIT_KERNEL, FIXED, struct netlink_limit,
	      limits[NETLINK_LIMIT_KERNEL]),
	FIELD(LODGE_LIMIT_USED_VMS, FIXED, struct netlink_limit,
	      used[NETLINK_LIMIT_VMS]),
	FIELD(LODGE_LIMIT_USED_VCPUS, FIXED, struct netlink_limit,
	      used[NETLINK_LIMIT_VCPUS]),
	FIELD(LODGE_LIMIT_USED_TABLES, FIXED, struct netlink_limit,
	      used[NETLINK_LIMIT_TABLES]),
	FIELD(LODGE_LIMIT_USED_KERNEL, FIXED, struct netlink_limit,
	      used[NETLINK_LIMIT_KERNEL]),
	{ LODGE_LIMIT_INHERIT, FLAG, 0, 0 },
	{ 0 },
};

const struct netlink_format netlink_limit_format = {
	LODGE_CMD_LIMIT_GET,
	sizeof(struct netlink_limit),
	limit_fields,
};

static const struct netlink_field news_fields[] = {
	FIELD(LODGE_NEWS_SEQ, FIXED, struct netlink_news, seq),
	FIELD(LODGE_NEWS_KIND, FIXED, struct netlink_news, kind),
	FIELD(LODGE_NEWS_TIME, FIXED, struct netlink_news, time),
	FIELD(LODGE_NEWS_VM, FIXED, struct netlink_news, vm),
	FIELD(LODGE_NEWS_NAME, TEXT, struct netlink_news, name),
	FIELD(LODGE_NEWS_UID, FIXED, struct netlink_news, uid),
	FIELD(LODGE_NEWS_VCPU, FIXED, struct netlink_news, vcpu),
	FIELD(LODGE_NEWS_REASON, FIXED, struct netlink_news, reason),
	FIELD(LODGE_NEWS_LIMIT, FIXED, struct netlink_news, limit),
	FIELD(LODGE_NEWS_SCOPE, FIXED, struct netlink_news, scope),
	FIELD(LODGE_NEWS_TEXT, TEXT, struct netlink_news, text),
	FIELD(LODGE_NEWS_LOST, FIXED, struct netlink_news, lost),
	{ 0 },
};

const struct netlink_format netlink_news_format = {
	LODGE_CMD_NEWS_GET,
	sizeof(struct netlink_news),
	news_fields,
};

static void read_field(void *entry, const struct netlink_field *field,
		       struct nlattr *attribute)
{
	char *member = (char *)entry + field->offset;
	size_t size = nla_len(attribute);

	switch (field->kind) {
	case FIXED:
		/* A module of another version. */
		if (size != field->size)
			return;
		memcpy(member, nla_data(attribute), size);
		break;
	case TEXT:
		nla_strlcpy(member, attribute, field->size);
		break;
	case ARRAY:
		memcpy(member, nla_data(attribute),
		       size < field->size ? size : field->size);
		break;
	case FLAG:
		break;
	}
	*(netlink_present *)entry |= 1ULL << field->attribute;
}

void netlink_format_read(const struct netlink_format *format,
			 struct nlattr *const *attributes, void *entry)
{
	const struct netlink_field *field;

	for (field = format->fields; field->attribute; field++)
		if (attributes[field->attribute])
			read_field(entry, field, attributes[field->attribute]);
}
