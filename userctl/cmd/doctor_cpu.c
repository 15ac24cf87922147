// SPDX-License-Identifier: GPL-2.0
/*
 * The features of processors that a guest can have on this host: those of a new vCPU.
 */
#include "cmd/doctor_cpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/complain.h"
#include "cmd/host.h"
#include "cmd/json.h"
#include "lib/client.h"
#include "machine/cpu_state.h"
#include "machine/features.h"

/* Return: 0 or -errno. */
static int read_vcpu(int vm, struct cpu_state *state)
{
	struct lodge_run *run;
	int fd = lodge_vcpu_create(vm, 0, &run);
	int err;

	if (fd < 0)
		return fd;
	err = cpu_state_get_leaves(fd, state);
	lodge_vcpu_close(fd, run);
	return err;
}

static int read_vm(int lodge, struct cpu_state *state)
{
	int vm = lodge_vm_create_named(lodge, NULL);
	int err;

	if (vm < 0)
		return vm;
	err = read_vcpu(vm, state);
	close(vm);
	return err;
}

static int read_host(struct feature_set *set)
{
	struct cpu_state *state = cpu_state_new(0);
	int lodge, err;

	if (!state)
		return -ENOMEM;
	lodge = lodge_open();
	err = lodge < 0 ? lodge : read_vm(lodge, state);
	if (lodge >= 0)
		close(lodge);
	if (!err)
		features_of(set, state);
	cpu_state_free(state);
	return err;
}

static void list(const struct feature_set *set)
{
	unsigned int at = 0;
	const char *name;

	while ((name = features_next(set, &at)))
		puts(name);
}

static void list_json(const struct feature_set *set)
{
	unsigned int at = 0;
	struct json json;
	const char *name;

	json_start(&json, stdout);
	json_open(&json, NULL, '{');
	json_open(&json, "features", '[');
	while ((name = features_next(set, &at)))
		json_text(&json, NULL, name);
	json_close(&json, ']');
	json_close(&json, '}');
	json_finish(&json);
}

int doctor_cpu(bool as_json)
{
	struct feature_set set;
	int err = read_host(&set);

	if (err)
		return complain(EXIT_FAILURE, "the features of a guest",
				strerror(-err), "see lodge doctor");
	if (as_json)
		list_json(&set);
	else
		list(&set);
	return EXIT_SUCCESS;
}
