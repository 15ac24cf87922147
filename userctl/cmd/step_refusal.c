// SPDX-License-Identifier: GPL-2.0
/*
 * Why a machine could not be built or run, as messages and exit codes.
 */
#include "cmd/step_refusal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd/complain.h"
#include "cmd/exit_code.h"
#include "cmd/host.h"

/* Return: the exit code for an error of the host; other errors are internal. */
static int code_of_errno(int err)
{
	switch (-err) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
	case EDQUOT:
	case ENOSPC:
		return EXIT_CODE_RESOURCES;
	case EACCES:
	case EPERM:
		return EXIT_CODE_PERMISSION;
	case EBUSY:
		return EXIT_CODE_HOST;
	}
	return EXIT_CODE_INTERNAL;
}

static int complain_open(int err)
{
	char remedy[256];
	int code = EXIT_CODE_HOST;

	host_open_remedy(err, remedy, sizeof(remedy));
	if (err == -EACCES || err == -EPERM)
		code = EXIT_CODE_PERMISSION;
	return complain(code, LODGE_DEVICE, strerror(-err), remedy);
}

static int complain_host(const struct lodge_info *info)
{
	char message[sizeof(info->message) + 1];
	char remedy[256];

	snprintf(message, sizeof(message), "%.*s", (int)sizeof(info->message),
		 info->message);
	host_status_remedy(info, remedy, sizeof(remedy));
	return complain(EXIT_CODE_HOST, "this host cannot run a VM",
			*message ? message : "it does not say why", remedy);
}

static int complain_huge(const struct machine_config *config, const char *what,
			 int err)
{
	const bool gigantic = config->backing == RAM_HUGE_1G;
	const unsigned int shift = gigantic ? 30 : 21;
	char remedy[160];

	if (err == -ENODEV || err == -EINVAL)
		return complain(EXIT_CODE_HOST, what,
				"the host has no pages of this size",
				"choose others by --memory-backing");
	snprintf(remedy, sizeof(remedy),
		 "let root reserve %llu by %s, or leave out --memory-backing",
		 (unsigned long long)((config->memory - 1) >> shift) + 1,
		 gigantic ? "/sys/kernel/mm/hugepages/hugepages-1048576kB/"
			    "nr_hugepages" :
			    "/sys/kernel/mm/hugepages/hugepages-2048kB/"
			    "nr_hugepages");
	return complain(code_of_errno(err), what,
			err == -ENOMEM ? "too few huge pages are reserved" :
					 strerror(-err),
			remedy);
}

static int complain_memory(const struct run_options *options, int err,
			   const struct lodge_info *info)
{
	unsigned long long mib = options->machine.memory >> 20;
	const bool huge = options->machine.backing == RAM_HUGE_2M ||
			  options->machine.backing == RAM_HUGE_1G;
	char what[64], why[96];

	snprintf(what, sizeof(what), "%llu MiB of guest memory", mib);
	if (err == -ENODATA)
		return complain(EXIT_CODE_IMAGE, what,
				"the saved machine's file has less",
				"take a whole copy of it");
	if (huge)
		return complain_huge(&options->machine, what, err);
	if (err == -EINVAL) {
		snprintf(why, sizeof(why),
			 "beyond the %u bits of a guest address on this host",
			 info->phys_bits);
		return complain(EXIT_CODE_HOST, what, why,
				"give less by --memory");
	}
	return complain(code_of_errno(err), what, strerror(-err),
			"give less by --memory, or free some on the host");
}

/* Return: the exit code for a device that cannot have what it needs. */
static int code_of_device(int err)
{
	int code = code_of_errno(err);

	if (err == -EINVAL || err == -EEXIST)
		return EXIT_CODE_USAGE;
	return code == EXIT_CODE_RESOURCES ? code : EXIT_CODE_IMAGE;
}

static int complain_device(int err, const struct device_error *error)
{
	char what[sizeof(*error)];

	snprintf(what, sizeof(what), "--device %s%s%s", error->name,
		 *error->thing ? ": " : "", error->thing);
	if (*error->reason)
		return complain(code_of_device(err), what, error->reason,
				*error->remedy ? error->remedy : NULL);
	if (err == -EEXIST)
		return complain(
			EXIT_CODE_USAGE, what,
			"another device has these ports or addresses",
			"choose others; --device help lists the options");
	return complain(code_of_errno(err), what, strerror(-err), NULL);
}

static int complain_name(const struct run_options *options)
{
	char what[LODGE_NAME_SIZE + 16];

	snprintf(what, sizeof(what), "--name %s", options->machine.name);
	return complain(EXIT_CODE_USAGE, what,
			"this user has a VM of this name",
			"choose another name; `lodge ps` lists them");
}

static int complain_cpu(const char *lacks)
{
	char why[FEATURE_NAME_SIZE + 64];

	snprintf(why, sizeof(why), "this host's processor lacks %s", lacks);
	return complain(EXIT_CODE_HOST, "--cpu", why,
			"name features that all hosts have; lodge doctor --cpu "
			"lists this one's");
}

/* Return: true if it has what a processor needs that starts in 64-bit mode. */
static bool has_long_mode(const struct feature_set *set)
{
	struct feature_set with = *set;

	features_add(&with, "lm", strlen("lm"));
	features_add(&with, "pae", strlen("pae"));
	return !memcmp(&with, set, sizeof(with));
}

static int complain_start(const struct run_options *options, int err)
{
	const struct feature_set *features = options->machine.features;

	if (err == -EINVAL && features && !has_long_mode(features))
		return complain(EXIT_CODE_USAGE, "--cpu",
				"the image starts in 64-bit mode, for which "
				"processors need lm and pae",
				"name both, too; baseline has them");
	return complain(code_of_errno(err), "starting the vCPUs",
			strerror(-err),
			err == -EAGAIN ? "raise ulimit -u, or give fewer by "
					 "--cpus" :
					 NULL);
}

static int complain_load(int err, const struct machine_error *error)
{
	char why[FEATURE_NAME_SIZE + 128];

	if (err == -EOPNOTSUPP) {
		snprintf(why, sizeof(why),
			 "this host's processor lacks %s, which the guest was "
			 "started with",
			 error->lacks);
		return complain(EXIT_CODE_HOST, "the saved state", why,
				"restore it on a host that has it, and start "
				"guests with --cpu baseline that are to move");
	}
	if (err == -ERANGE) {
		snprintf(
			why, sizeof(why),
			"the guest's time stamp counter has run at %u kHz, "
			"which this host, whose own runs at %u kHz, cannot show",
			error->wants_khz, error->info.tsc_khz);
		return complain(
			EXIT_CODE_HOST, "the saved state", why,
			"restore it on a host with a rate nearer to that, and with a "
			"lodge.ko as new as this lodge");
	}
	if (err == -EINVAL)
		return complain(EXIT_CODE_IMAGE, "the saved state",
				"is not of a machine with these devices, or "
				"this processor cannot have it",
				"restore it with the options and on a "
				"processor that it was saved with");
	return complain(code_of_errno(err), "the saved state", strerror(-err),
			NULL);
}

int complain_step(const struct run_options *options, int err,
		  const struct machine_error *error)
{
	switch (error->step) {
	case MACHINE_STEP_OPEN:
		return complain_open(err);
	case MACHINE_STEP_HOST:
		return complain_host(&error->info);
	case MACHINE_STEP_MEMORY:
		return complain_memory(options, err, &error->info);
	case MACHINE_STEP_BOOT:
		return complain_line(EXIT_CODE_IMAGE, error->boot.text);
	case MACHINE_STEP_LOAD:
		return complain_load(err, error);
	case MACHINE_STEP_VM:
		if (err == -EEXIST && options->machine.name)
			return complain_name(options);
		return complain(code_of_errno(err), "creating the VM",
				host_reason(err),
				host_remedy(err, "see `lodge doctor`"));
	case MACHINE_STEP_VCPU:
		if (err == -EOPNOTSUPP)
			return complain_cpu(error->lacks);
		return complain(code_of_errno(err), "creating the vCPUs",
				host_reason(err),
				host_remedy(err, "give fewer by --cpus"));
	case MACHINE_STEP_DEVICES:
		if (*error->device.name)
			return complain_device(err, &error->device);
		return complain(code_of_errno(err), "making the devices",
				strerror(-err), NULL);
	case MACHINE_STEP_START:
		return complain_start(options, err);
	case MACHINE_STEP_RUN:
		return complain(code_of_errno(err), "running the machine",
				strerror(-err), NULL);
	}
	return EXIT_CODE_INTERNAL;
}
