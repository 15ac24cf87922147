// SPDX-License-Identifier: GPL-2.0
/*
 * All VMs at one moment.
 */
#include "view/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/user.h"

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int compare_vms(const void *a, const void *b)
{
	const struct sample_vm *left = a, *right = b;

	return compare(left->vm.id, right->vm.id);
}

static int compare_vcpus(const void *a, const void *b)
{
	const struct netlink_vcpu *left = a, *right = b;

	return compare(left->vm, right->vm) ?: compare(left->id, right->id);
}

static int compare_stats(const void *a, const void *b)
{
	const struct netlink_stats *left = a, *right = b;

	return compare(left->vm, right->vm) ?: compare(left->vcpu, right->vcpu);
}

static void sort(void *list, size_t count, size_t size,
		 int (*order)(const void *, const void *))
{
	if (count)
		qsort(list, count, size, order);
}

static const void *find(const void *key, const void *list, size_t count,
			size_t size, int (*order)(const void *, const void *))
{
	return count ? bsearch(key, list, count, size, order) : NULL;
}

static uint64_t now(clockid_t clock)
{
	struct timespec time = { 0 };

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/* Reads a file of a process that has numbers.  Return: the number at @index, or 0. */
static uint64_t process_number(uint32_t pid, const char *name, int index)
{
	uint64_t number = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	for (int i = 0; i <= index; i++)
		if (fscanf(file, "%" SCNu64, &number) != 1)
			number = 0;
	fclose(file);
	return number;
}

/* statm's third number is what top calls SHR; pages that KSM has merged are not in it. */
static uint64_t shared_bytes(uint32_t pid)
{
	uint64_t pages = process_number(pid, "statm", 2) +
			 process_number(pid, "ksm_merging_pages", 0);

	return pages * sysconf(_SC_PAGESIZE);
}

/* Asks once for neighbours of one user: the answer may come from another host. */
static void name_user(struct sample_vm *vm, const struct sample_vm *last)
{
	if (last && last->vm.uid == vm->vm.uid) {
		memcpy(vm->user, last->user, sizeof(vm->user));
		return;
	}
	user_format(vm->user, sizeof(vm->user), vm->vm.uid);
}

static void look_up(struct sample_vm *vm, const struct sample_vm *last)
{
	name_user(vm, last);
	if (!vm->vm.pid)
		return;
	vm->shared = shared_bytes(vm->vm.pid);
	/* A process that has ended since then has none. */
	if (cgroup_read("", &vm->cgroup, vm->vm.pid))
		memset(&vm->cgroup, 0, sizeof(vm->cgroup));
}

static int read_vms(struct sample *sample, struct netlink *netlink)
{
	struct netlink_vm *list = NULL;
	size_t count;
	int err;

	err = netlink_vm_list(netlink, &list, &count);
	if (err)
		return err;
	sample->vms = calloc(count ?: 1, sizeof(*sample->vms));
	if (!sample->vms) {
		free(list);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		sample->vms[i].vm = list[i];
		look_up(&sample->vms[i], i ? &sample->vms[i - 1] : NULL);
	}
	sample->nr_vms = count;
	free(list);
	return 0;
}

int sample_take(struct sample *sample, struct netlink *netlink)
{
	int err;

	memset(sample, 0, sizeof(*sample));
	err = read_vms(sample, netlink);
	if (!err)
		err = netlink_vcpu_list(netlink, 0, &sample->vcpus,
					&sample->nr_vcpus);
	if (!err)
		err = netlink_stats_list(netlink, 0, &sample->stats,
					 &sample->nr_stats);
	if (err) {
		sample_free(sample);
		return err;
	}
	sample->time = now(CLOCK_BOOTTIME);
	sample->real_time = now(CLOCK_REALTIME);
	sample_sort(sample);
	return 0;
}

void sample_sort(struct sample *sample)
{
	sort(sample->vms, sample->nr_vms, sizeof(*sample->vms), compare_vms);
	sort(sample->vcpus, sample->nr_vcpus, sizeof(*sample->vcpus),
	     compare_vcpus);
	sort(sample->stats, sample->nr_stats, sizeof(*sample->stats),
	     compare_stats);
}

void sample_free(struct sample *sample)
{
	free(sample->vms);
	free(sample->vcpus);
	free(sample->stats);
	memset(sample, 0, sizeof(*sample));
}

const struct sample_vm *sample_vm(const struct sample *sample, uint32_t id)
{
	const struct sample_vm key = { .vm = { .id = id } };

	return find(&key, sample->vms, sample->nr_vms, sizeof(key),
		    compare_vms);
}

const struct netlink_vcpu *sample_vcpu(const struct sample *sample, uint32_t vm,
				       uint32_t id)
{
	const struct netlink_vcpu key = { .vm = vm, .id = id };

	return find(&key, sample->vcpus, sample->nr_vcpus, sizeof(key),
		    compare_vcpus);
}

const struct netlink_stats *sample_stats(const struct sample *sample,
					 uint32_t vm, uint32_t vcpu)
{
	const struct netlink_stats key = { .vm = vm, .vcpu = vcpu };

	return find(&key, sample->stats, sample->nr_stats, sizeof(key),
		    compare_stats);
}
