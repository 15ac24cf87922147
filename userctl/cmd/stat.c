// SPDX-License-Identifier: GPL-2.0
/*
 * `lodge stat`: shows what a VM does.
 */
#include "cmd/command.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/exit_code.h"
#include "cmd/family.h"
#include "cmd/serve.h"
#include "cmd/stat_report.h"
#include "lib/size.h"
#include "lib/user.h"

#define NS_PER_S 1000000000ULL
#define MAX_INTERVAL 86400
/* Keys of the options that have no letter. */
#define KEY_SERVE 0x100
#define KEY_ID 0x101
/* Lines below one heading. */
#define LINES 20

/**
 * struct stat_options - the command line
 * @name: name of the VM, or with @id what was given as one; NULL with @serve
 * @id: its ID; 0: it has @name
 * @serve: place on which to serve the statistics of all VMs, or NULL
 * @has_uid: it is that of @uid
 * @uid: a user
 * @json: write JSON
 * @interval: seconds between two lines, or 0 for the totals
 * @count: lines, or 0 for as many as there are
 */
struct stat_options {
	const char *name;
	uint32_t id;
	const char *serve;
	bool has_uid;
	uint32_t uid;
	bool json;
	uint64_t interval;
	uint64_t count;
};

static uint64_t now(void)
{
	struct timespec time = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void sleep_until(uint64_t time)
{
	const struct timespec end = {
		.tv_sec = time / NS_PER_S,
		.tv_nsec = time % NS_PER_S,
	};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &end, NULL) ==
	       EINTR)
		;
}

static void free_sample(struct stat_sample *sample)
{
	free(sample->vcpus);
	free(sample->stats);
	*sample = (struct stat_sample){ 0 };
}

/* Return: 0; -ENOENT the VM is gone; -errno.  @sample is empty after an error. */
static int take_sample(struct netlink *netlink, uint32_t vm,
		       struct stat_sample *sample)
{
	const struct netlink_which which = { .id = vm };
	int err;

	*sample = (struct stat_sample){ .time = now() };
	err = netlink_vm_get(netlink, &which, &sample->vm);
	if (!err)
		err = netlink_vcpu_list(netlink, vm, &sample->vcpus,
					&sample->nr_vcpus);
	if (!err)
		err = netlink_stats_list(netlink, vm, &sample->stats,
					 &sample->nr_stats);
	if (err)
		free_sample(sample);
	return err;
}

static int tell_total(const struct stat_options *options,
		      const struct stat_sample *sample)
{
	if (!options->json)
		return stat_report_text(stdout, sample);
	stat_report_json(stdout, sample);
	return 0;
}

/* @before is empty at first.  Return: false if nobody reads it. */
static bool tell_line(const struct stat_options *options,
		      const struct stat_sample *before,
		      const struct stat_sample *after, uint64_t line)
{
	if (options->json)
		stat_report_json(stdout, after);
	else if (line && (line - 1) % LINES == 0)
		stat_report_titles(stdout);
	if (!options->json && line)
		stat_report_rates(stdout, before, after);
	return !fflush(stdout);
}

/*
 * Writes a line for each interval, until the VM or the reader is gone.  JSON has totals,
 * and so begins at once.  Return: 0 or -errno.
 */
static int tell_lines(struct netlink *netlink,
		      const struct stat_options *options, uint32_t vm)
{
	struct stat_sample before = { 0 }, after;
	uint64_t last = options->count - options->json;
	uint64_t due = now();
	bool told;
	int err;

	for (uint64_t line = 0;; line++) {
		err = take_sample(netlink, vm, &after);
		if (err)
			break;
		told = tell_line(options, &before, &after, line);
		free_sample(&before);
		before = after;
		if (!told || (options->count && line == last))
			break;
		/* Lines that were missed, as while the host slept, do not come. */
		due += options->interval * NS_PER_S;
		if (due < after.time)
			due = after.time + options->interval * NS_PER_S;
		sleep_until(due);
	}
	free_sample(&before);
	return err;
}

static int stat_vm(struct netlink *netlink, const struct stat_options *options,
		   uint32_t vm)
{
	struct stat_sample sample;
	int err;

	if (options->interval) {
		err = tell_lines(netlink, options, vm);
		if (err != -ENOENT)
			return err;
		fprintf(stderr, "lodge: %s: the VM is gone\n", options->name);
		return 0;
	}
	err = take_sample(netlink, vm, &sample);
	if (!err)
		err = tell_total(options, &sample);
	free_sample(&sample);
	return err;
}

static void set_number(struct argp_state *state, const char *option,
		       const char *text, uint64_t most, uint64_t *number)
{
	if (number_parse(text, number) || !*number || *number > most)
		argp_error(state, "--%s %s: must be a number from 1 to %llu",
			   option, text, (unsigned long long)most);
}

static void set_name(struct argp_state *state, const char *name)
{
	struct stat_options *options = state->input;

	if (options->name)
		argp_error(state, "%s: name one VM", name);
	options->name = name;
}

static void check_options(struct argp_state *state,
			  const struct stat_options *options)
{
	if (options->serve) {
		if (options->name || options->has_uid || options->json ||
		    options->interval || options->count)
			argp_error(state,
				   "--serve goes with no VM and no other "
				   "option: it has all that you may see");
		return;
	}
	if (!options->name)
		argp_error(state, "name a VM; `lodge ps` lists them");
	if (options->has_uid && options->id)
		argp_error(state, "--user goes with a name");
	if (options->count && !options->interval)
		argp_error(state, "--count needs --interval");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct stat_options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'i':
		set_number(state, "interval", argument, MAX_INTERVAL,
			   &options->interval);
		return 0;
	case 'c':
		set_number(state, "count", argument, UINT32_MAX,
			   &options->count);
		return 0;
	case 'u':
		options->has_uid = true;
		if (!user_parse(argument, &options->uid))
			return 0;
		argp_error(state, "--user %s: there is no such user", argument);
		return EINVAL;
	case KEY_ID:
		if (!family_id_parse(argument, &options->id))
			argp_error(
				state,
				"--id %s: it must be a number from 1 to 4294967295",
				argument);
		set_name(state, argument);
		return 0;
	case ARGP_KEY_ARG:
		set_name(state, argument);
		return 0;
	case KEY_SERVE:
		options->serve = argument;
		return 0;
	case ARGP_KEY_END:
		check_options(state, options);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option descriptions[] = {
	{ "interval", 'i', "SECONDS", 0,
	  "Write a line each SECONDS of what it did in them, until the VM is "
	  "gone; with --json its totals",
	  0 },
	{ "count", 'c', "N", 0, "With --interval: end after N lines", 0 },
	{ "user", 'u', "USER", 0, "The VM is that of USER, a name or a number",
	  0 },
	{ "id", KEY_ID, "ID", 0,
	  "The VM is the one with this ID (lodge ps --long)", 0 },
	{ "json", 'j', NULL, 0, "Write JSON, one line for each report", 0 },
	{ "serve", KEY_SERVE, "PLACE", 0,
	  "Serve the statistics of all VMs to Prometheus, at unix:PATH or "
	  "127.0.0.1:PORT",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const struct argp argp = {
	.options = descriptions,
	.parser = parse_option,
	.args_doc = "NAME\n--id ID\n--serve PLACE",
	.doc = "Show what a virtual machine does: the state and times of its "
	       "vCPUs, its exits, and more."
	       "\v"
	       "Without --interval, all counts are from the VM's creation on.  "
	       "Times are in seconds, in JSON in nanoseconds.  Quick exits are "
	       "those that Lodge answered at once, and are not in the "
	       "histogram of the times outside the guest.  The percentages of "
	       "--interval are of one host CPU.\n"
	       "\n"
	       "Examples:\n"
	       "  lodge stat web\n"
	       "  lodge stat web --interval 1\n"
	       "  lodge stat web --json\n"
	       "  lodge stat --serve 127.0.0.1:9177\n"
	       "\n"
	       "Exit codes: 0 done; 64 the command line is wrong; 68 the VM "
	       "does not exist, or is another user's; 69 the module is not "
	       "loaded; " FAMILY_EXIT_CODES
	       ".  With --serve: 73 also if its place is taken; 128+N ended by "
	       "signal N.",
};

static int find(struct netlink *netlink, const struct stat_options *options,
		struct netlink_vm *vm)
{
	if (options->id)
		return family_find_id(netlink, options->id, vm);
	return family_find(netlink, options->name,
			   options->has_uid ? &options->uid : NULL, vm);
}

int stat_command(int argc, char **argv)
{
	struct stat_options options = { 0 };
	struct netlink *netlink;
	struct netlink_vm vm;
	int code, err;

	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_CODE_USAGE;
	if (options.serve)
		return serve_statistics(options.serve);
	code = family_open(&netlink);
	if (code)
		return code;
	code = find(netlink, &options, &vm);
	if (!code) {
		err = stat_vm(netlink, &options, vm.id);
		if (err)
			code = family_complain(netlink, options.name, err);
	}
	netlink_close(netlink);
	return code;
}
