// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge ps`: lists the VMs.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/duration.h"
#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "cmd/json.h"
#include "cmd/named.h"
#include "cmd/table.h"
#include "cmd/vm_report.h"
#include "control/protocol.h"
#include "lib/size.h"
#include "lib/user.h"
#include "view/word.h"

/**
 * struct ps_options - the command line
 * @json: write JSON
 * @wide: show control groups, too
 * @all: show machines that have ended, too
 * @parent: directory above those of machines in the background, or -1
 * @has_uid: show VMs of @uid only
 * @uid: a user
 */
struct ps_options {
	bool json;
	bool wide;
	bool all;
	int parent;
	bool has_uid;
	uint32_t uid;
};

static void tell_size(struct table *table, uint64_t bytes)
{
	char text[SIZE_TEXT_SIZE];

	size_format(text, sizeof(text), bytes);
	table_add(table, "%s", text);
}

static void tell_duration(struct table *table, uint64_t ns)
{
	char text[DURATION_TEXT_SIZE];

	duration_format(text, sizeof(text), ns);
	table_add(table, "%s", text);
}

/* What of the host the VM may have, and how much of it. */
static void tell_cgroup(struct table *table, const struct netlink_vm *vm)
{
	struct cgroup cgroup;

	if (!vm_cgroup(vm, &cgroup)) {
		table_add(table, "-");
		table_add(table, "-");
		table_add(table, "-");
		return;
	}
	if (cgroup.cpu_weight)
		table_add(table, "%" PRIu64, cgroup.cpu_weight);
	else
		table_add(table, "-");
	if (cgroup.memory_max && cgroup.memory_max != CGROUP_NO_LIMIT)
		tell_size(table, cgroup.memory_max);
	else
		table_add(table, "-");
	table_add(table, "%s", cgroup.path);
}

/* The module does not know what is paused; the machine's directory does. */
static const char *state_of(const struct ps_options *options,
			    const struct netlink_vm *vm)
{
	if (vm->state == LODGE_VM_ALIVE && vm->uid == geteuid() &&
	    options->parent >= 0 &&
	    directory_is_paused(options->parent, vm->name))
		return CONTROL_PAUSED;
	return word_of_vm_state(vm->state);
}

static void tell_vm(struct table *table, const struct ps_options *options,
		    const struct netlink_vm *vm, const struct vm_times *times)
{
	char user[64];

	user_format(user, sizeof(user), vm->uid);
	table_add(table, "%s", vm->name);
	table_add(table, "%s", user);
	if (vm->pid)
		table_add(table, "%" PRIu32, vm->pid);
	else
		table_add(table, "-");
	table_add(table, "%" PRIu32, vm->vcpus);
	tell_size(table, vm->memory);
	tell_size(table, vm->resident);
	tell_size(table, vm->tables);
	tell_duration(table, times->guest + times->host);
	tell_duration(table, vm_uptime(vm));
	table_add(table, "%s", state_of(options, vm));
}

static bool is_wanted(const struct ps_options *options,
		      const struct netlink_vm *vm)
{
	return !options->has_uid || vm->uid == options->uid;
}

/* The last columns are those of --long. */
static const struct table_column columns[] = {
	{ "NAME", false },	{ "USER", false },    { "PID", true },
	{ "VCPUS", true },	{ "MEMORY", true },   { "RESIDENT", true },
	{ "TABLES", true },	{ "CPU-TIME", true }, { "UP", true },
	{ "STATE", false },	{ "ID", true },	      { "CPU-WEIGHT", true },
	{ "MEMORY-MAX", true }, { "CGROUP", false },
};

#define LONG_COLUMNS 4
#define STATE_COLUMN 9

/**
 * struct ended_rows - a table that gets rows for machines that have ended
 * @table: it
 * @width: its columns
 */
struct ended_rows {
	struct table *table;
	size_t width;
};

static void tell_ended(const char *name, void *opaque)
{
	const struct ended_rows *rows = opaque;
	char user[64];

	user_format(user, sizeof(user), geteuid());
	table_add(rows->table, "%s", name);
	table_add(rows->table, "%s", user);
	for (size_t column = 2; column < rows->width; column++)
		table_add(rows->table, "%s",
			  column == STATE_COLUMN ? "ended" : "-");
}

static bool wants_ended(const struct ps_options *options)
{
	return options->all && options->parent >= 0 &&
	       (!options->has_uid || options->uid == geteuid());
}

static int tell(const struct ps_options *options, const struct netlink_vm *vms,
		size_t nr_vms, const struct netlink_vcpu *vcpus,
		size_t nr_vcpus)
{
	size_t width = sizeof(columns) / sizeof(columns[0]) -
		       (options->wide ? 0 : LONG_COLUMNS);
	struct table table;
	struct ended_rows rows = { .table = &table, .width = width };
	struct vm_times times;

	table_start(&table, columns, width);
	for (size_t i = 0; i < nr_vms; i++) {
		times = vm_times_sum(vms[i].id, vcpus, nr_vcpus);
		if (!is_wanted(options, &vms[i]))
			continue;
		tell_vm(&table, options, &vms[i], &times);
		if (!options->wide)
			continue;
		table_add(&table, "%" PRIu32, vms[i].id);
		tell_cgroup(&table, &vms[i]);
	}
	if (wants_ended(options))
		directory_each_ended(options->parent, tell_ended, &rows);
	return table_finish(&table, stdout);
}

static void tell_ended_json(const char *name, void *opaque)
{
	struct json *json = opaque;

	json_open(json, NULL, '{');
	json_text(json, "name", name);
	json_text(json, "state", "ended");
	json_close(json, '}');
}

static void tell_json(const struct ps_options *options,
		      const struct netlink_vm *vms, size_t nr_vms,
		      const struct netlink_vcpu *vcpus, size_t nr_vcpus)
{
	struct vm_times times;
	struct json json;

	json_start(&json, stdout);
	json_open(&json, NULL, '[');
	for (size_t i = 0; i < nr_vms; i++) {
		if (!is_wanted(options, &vms[i]))
			continue;
		times = vm_times_sum(vms[i].id, vcpus, nr_vcpus);
		json_open(&json, NULL, '{');
		vm_report_json(&json, &vms[i], state_of(options, &vms[i]),
			       &times);
		json_close(&json, '}');
	}
	if (wants_ended(options))
		directory_each_ended(options->parent, tell_ended_json, &json);
	json_close(&json, ']');
	json_finish(&json);
}

/* Return: 0 or -errno. */
static int list(struct netlink *netlink, const struct ps_options *options)
{
	struct netlink_vcpu *vcpus = NULL;
	struct netlink_vm *vms = NULL;
	size_t nr_vms, nr_vcpus;
	int err;

	err = netlink_vm_list(netlink, &vms, &nr_vms);
	if (!err)
		err = netlink_vcpu_list(netlink, 0, &vcpus, &nr_vcpus);
	if (!err && options->json)
		tell_json(options, vms, nr_vms, vcpus, nr_vcpus);
	else if (!err)
		err = tell(options, vms, nr_vms, vcpus, nr_vcpus);
	free(vms);
	free(vcpus);
	return err;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct ps_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'a':
		options->all = true;
		return 0;
	case 'l':
		options->wide = true;
		return 0;
	case 'u':
		options->has_uid = true;
		if (!user_parse(argument, &options->uid))
			return 0;
		argp_error(state, "--user %s: there is no such user", argument);
		return EINVAL;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: it takes no arguments", argument);
		return EINVAL;
	}
	return ARGP_ERR_UNKNOWN;
}

int ps_command(int argc, char **argv)
{
	static const struct argp_option descriptions[] = {
		{ "user", 'u', "USER", 0,
		  "Show the VMs of USER, a name or a number, only", 0 },
		{ "all", 'a', NULL, 0,
		  "Show machines of the background that have ended, too, until "
		  "lodge rm",
		  0 },
		{ "long", 'l', NULL, 0,
		  "Show the ID and the control group of each VM, too", 0 },
		{ "json", 'j', NULL, 0, "Write one line of JSON", 0 },
		{ NULL, 0, NULL, 0, NULL, 0 },
	};
	static const struct argp argp = {
		.options = descriptions,
		.parser = parse_option,
		.doc = "List the virtual machines of this host."
		       "\v"
		       "Everybody sees their own VMs, root of the host all.\n"
		       "\n"
		       "RESIDENT is the guest memory that the VM's nested page "
		       "tables map now, TABLES the size of these tables, and "
		       "CPU-TIME the time that its vCPUs have taken, in the "
		       "guest and in the host.\n"
		       "\n"
		       "Examples:\n"
		       "  lodge ps\n"
		       "  lodge ps --user alice --json\n"
		       "\n"
		       "Exit codes: 0 done; 64 the command line is wrong; 69 "
		       "the module is not loaded; " FAMILY_EXIT_CODES ".",
	};
	struct ps_options options = { 0 };
	struct netlink *netlink;
	int code, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	code = family_open(&netlink);
	if (code)
		return code;
	options.parent = named_parent();
	err = list(netlink, &options);
	if (options.parent >= 0)
		close(options.parent);
	if (err)
		code = family_complain(netlink, "listing VMs", err);
	netlink_close(netlink);
	return code;
}
