// SPDX-License-Identifier: GPL-2.0
/*
 * The functions of lib/netlink.h without a kernel.
 */
#include "fake_netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

struct fake_netlink fake_netlink;

/* An eventfd that is always readable. */
static int events = -1;

int netlink_open(struct netlink **netlink)
{
	*netlink = NULL;
	if (fake_netlink.unloaded)
		fake_netlink.error = -ENOENT;
	if (fake_netlink.opens++ && fake_netlink.unloaded)
		return -ENOENT;
	return fake_netlink.open_error;
}

void netlink_close(struct netlink *netlink)
{
}

const char *netlink_message(const struct netlink *netlink)
{
	return fake_netlink.message ? fake_netlink.message : "";
}

static bool is_all(const void *entry, uint64_t key)
{
	return true;
}

/* Copies the entries that are wanted. */
static int copy(const void *entries, size_t nr_entries, size_t size,
		bool (*wanted)(const void *entry, uint64_t key), uint64_t key,
		void **list, size_t *count)
{
	*count = 0;
	*list = fake_netlink.error ? NULL : calloc(nr_entries + 1, size);
	if (!*list)
		return fake_netlink.error ? fake_netlink.error : -ENOMEM;
	for (size_t i = 0; i < nr_entries; i++) {
		const void *entry = (const char *)entries + i * size;

		if (wanted(entry, key))
			memcpy((char *)*list + (*count)++ * size, entry, size);
	}
	return 0;
}

#define COPY(entries, wanted, key, list, count)                            \
	({                                                                 \
		void *copied;                                              \
		int err = copy(fake_netlink.entries,                       \
			       fake_netlink.nr_##entries,                  \
			       sizeof(*fake_netlink.entries), wanted, key, \
			       &copied, count);                            \
                                                                           \
		*(list) = copied;                                          \
		err;                                                       \
	})

int netlink_vm_list(struct netlink *netlink, struct netlink_vm **list,
		    size_t *count)
{
	return COPY(vms, is_all, 0, list, count);
}

static bool is_vcpu_of(const void *entry, uint64_t vm)
{
	return !vm || ((const struct netlink_vcpu *)entry)->vm == vm;
}

int netlink_vcpu_list(struct netlink *netlink, uint32_t vm,
		      struct netlink_vcpu **list, size_t *count)
{
	return COPY(vcpus, is_vcpu_of, vm, list, count);
}

static bool is_stats_of(const void *entry, uint64_t vm)
{
	return !vm || ((const struct netlink_stats *)entry)->vm == vm;
}

int netlink_stats_list(struct netlink *netlink, uint32_t vm,
		       struct netlink_stats **list, size_t *count)
{
	return COPY(stats, is_stats_of, vm, list, count);
}

int netlink_limit_list(struct netlink *netlink, struct netlink_limit **list,
		       size_t *count)
{
	return COPY(limits, is_all, 0, list, count);
}

static bool is_since(const void *entry, uint64_t from)
{
	return ((const struct netlink_news *)entry)->seq >= from;
}

int netlink_news_list(struct netlink *netlink, uint64_t from,
		      struct netlink_news **list, size_t *count)
{
	return COPY(news, is_since, from, list, count);
}

static bool is_it(const struct netlink_which *which,
		  const struct netlink_vm *vm)
{
	uint32_t uid = which->has_uid ? which->uid : fake_netlink.uid;

	if (!which->name)
		return vm->id == which->id;
	return vm->uid == uid && !strcmp(vm->name, which->name);
}

int netlink_vm_get(struct netlink *netlink, const struct netlink_which *which,
		   struct netlink_vm *vm)
{
	if (fake_netlink.error)
		return fake_netlink.error;
	for (size_t i = 0; i < fake_netlink.nr_vms; i++) {
		if (!is_it(which, &fake_netlink.vms[i]))
			continue;
		*vm = fake_netlink.vms[i];
		return 0;
	}
	return -ENOENT;
}

int netlink_vm_kill(struct netlink *netlink, const struct netlink_which *which)
{
	struct netlink_vm vm;
	int err = netlink_vm_get(netlink, which, &vm);

	if (!err && fake_netlink.nr_kills < FAKE_KILLS)
		fake_netlink.kills[fake_netlink.nr_kills++] = vm.id;
	return err;
}

int netlink_limit_get(struct netlink *netlink, enum lodge_limit_scope scope,
		      uint32_t uid, struct netlink_limit *limit)
{
	if (fake_netlink.error)
		return fake_netlink.error;
	for (size_t i = 0; i < fake_netlink.nr_limits; i++) {
		*limit = fake_netlink.limits[i];
		if (limit->scope == scope &&
		    (scope != LODGE_SCOPE_USER || limit->uid == uid))
			return 0;
	}
	return -ENOENT;
}

int netlink_limit_set(struct netlink *netlink,
		      const struct netlink_limit_change *change)
{
	fake_netlink.change = *change;
	return fake_netlink.error;
}

int netlink_listen(struct netlink *netlink)
{
	if (fake_netlink.error)
		return fake_netlink.error;
	if (events < 0)
		events = eventfd(1, EFD_CLOEXEC);
	return events;
}

void netlink_drain(struct netlink *netlink)
{
	if (fake_netlink.drain)
		fake_netlink.drain();
}
