// SPDX-License-Identifier: GPL-2.0
/*
 * The module's view of all VMs, with messages where it cannot be had.
 */
#include "cmd/family.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/host.h"
#include "lib/size.h"

/* The directory of a module that is being unloaded is there for a while. */
static bool is_loaded(void)
{
	struct netlink *probe;
	int err = netlink_open(&probe);

	netlink_close(probe);
	return !err;
}

int family_open(struct netlink **netlink)
{
	int err = netlink_open(netlink);
	char remedy[256];

	if (!err)
		return 0;
	if (err != -ENOENT)
		return complain(EXIT_CODE_RESOURCES, "netlink", strerror(-err),
				NULL);
	if (!access("/sys/module/lodge", F_OK))
		return complain(EXIT_CODE_HOST, "the module lodge",
				"it has no netlink family",
				"install module and controller from the same "
				"source");
	host_open_remedy(err, remedy, sizeof(remedy));
	return complain(EXIT_CODE_HOST, "the module lodge", "it is not loaded",
			remedy);
}

int family_complain(const struct netlink *netlink, const char *what, int error)
{
	const char *why = netlink_message(netlink);

	if (!*why)
		why = strerror(-error);
	switch (-error) {
	case EPERM:
	case EACCES:
		return complain(EXIT_CODE_PERMISSION, what, why,
				"run as root of the host");
	case ENOMEM:
	case ENOSPC:
		return complain(EXIT_CODE_RESOURCES, what, why, NULL);
	case ENOTUNIQ:
		return complain(EXIT_CODE_USAGE, what,
				"this user has VMs of this name in several "
				"containers, and none here",
				"give one of them by --id; `lodge ps --long` "
				"has the IDs");
	case ENOENT:
		if (is_loaded())
			return complain(
				EXIT_CODE_NO_VM, what, "the VM is gone",
				"`lodge ps` lists those that are there");
		return complain(EXIT_CODE_HOST, what, "the module was unloaded",
				"load it again: modprobe lodge");
	case EPROTONOSUPPORT:
		/* The family is there still, but its module goes. */
		return complain(EXIT_CODE_HOST, what,
				"the module is being unloaded",
				"load it again: modprobe lodge");
	}
	return complain(EXIT_CODE_INTERNAL, what, why, NULL);
}

static int complain_absent(const char *name)
{
	return complain(EXIT_CODE_NO_VM, name, "there is no VM of this name",
			"`lodge ps` lists them");
}

static int complain_ambiguous(const char *name, bool of_one_user)
{
	if (of_one_user)
		return complain(EXIT_CODE_USAGE, name,
				"a user has VMs of this name in several "
				"containers",
				"give one of them by --id; `lodge ps --long` "
				"has the IDs");
	return complain(EXIT_CODE_USAGE, name,
			"several users have a VM of this name",
			"give one of them by --user, or by --id; `lodge ps "
			"--long` has the IDs");
}

/* Looks for the only VM of this name. */
static int find_elsewhere(struct netlink *netlink, const char *name,
			  struct netlink_vm *vm)
{
	struct netlink_vm *vms;
	size_t count, found = 0;
	bool of_one_user = true;
	int err = netlink_vm_list(netlink, &vms, &count);

	if (err)
		return family_complain(netlink, name, err);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(vms[i].name, name))
			continue;
		of_one_user &= !found || vms[i].uid == vm->uid;
		*vm = vms[i];
		found++;
	}
	free(vms);
	if (found > 1)
		return complain_ambiguous(name, of_one_user);
	return found ? 0 : complain_absent(name);
}

int family_find(struct netlink *netlink, const char *name, const uint32_t *uid,
		struct netlink_vm *vm)
{
	const struct netlink_which which = {
		.name = name,
		.has_uid = uid,
		.uid = uid ? *uid : 0,
	};
	int err;

	/* The module would say no more of such a name than that it is wrong. */
	if (!*name || strlen(name) >= LODGE_NAME_SIZE)
		return complain_absent(name);
	err = netlink_vm_get(netlink, &which, vm);
	if (err == -ENOENT)
		return uid ? complain_absent(name) :
			     find_elsewhere(netlink, name, vm);
	return err ? family_complain(netlink, name, err) : 0;
}

bool family_id_parse(const char *text, uint32_t *id)
{
	uint64_t number;

	if (number_parse(text, &number) || !number || number > UINT32_MAX)
		return false;
	*id = number;
	return true;
}

int family_find_id(struct netlink *netlink, uint32_t id, struct netlink_vm *vm)
{
	const struct netlink_which which = { .id = id };
	int err = netlink_vm_get(netlink, &which, vm);
	char what[16];

	if (!err)
		return 0;
	snprintf(what, sizeof(what), "ID %" PRIu32, id);
	if (err == -ENOENT && is_loaded())
		return complain(EXIT_CODE_NO_VM, what,
				"there is no VM of this ID",
				"`lodge ps --long` has the IDs");
	return family_complain(netlink, what, err);
}
