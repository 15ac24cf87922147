// SPDX-License-Identifier: GPL-2.0
/*
 * The choice of the backend.
 */
#include <linux/kernel.h>

#include "backend.h"
#include "hw.h"
#include "policy.h"
#include "state.h"

const struct lodge_backend *lodge_backend;

DEFINE_STATIC_CALL_NULL(lodge_backend_run, *lodge_backend->run);
DEFINE_STATIC_CALL_NULL(lodge_backend_skip, *lodge_backend->skip);

/* Why there is no backend. */
static enum lodge_status lodge_backend_missing;

static const struct lodge_backend *const lodge_backends[] = {
	&lodge_svm_backend,
	&lodge_vmx_backend,
};

static const char *const lodge_status_words[] = {
	[LODGE_STATUS_READY] = "ready",
	[LODGE_STATUS_NO_VIRTUALIZATION] =
		"the processor has neither AMD-V nor VT-x",
	[LODGE_STATUS_FIRMWARE_DISABLED] =
		"the firmware has switched virtualization off",
	[LODGE_STATUS_NO_NESTED_PAGING] = "the processor has no nested paging",
	[LODGE_STATUS_BUSY] = "another hypervisor holds the processor",
	[LODGE_STATUS_NO_UNRESTRICTED_GUEST] =
		"the processor's VT-x has no unrestricted guest",
	[LODGE_STATUS_FRED] = "the host kernel uses FRED",
	[LODGE_STATUS_KVM_ONLY] = "this kernel lets only KVM use VT-x",
	[LODGE_STATUS_NO_TSC_RATE] =
		"the host kernel does not know the rate of its TSC",
};

const char *lodge_backend_words(enum lodge_status status)
{
	return lodge_status_words[status];
}

enum lodge_status lodge_backend_status(void)
{
	return lodge_backend ? lodge_hw_status() : lodge_backend_missing;
}

/* The first one that has anything to say of this processor. */
static void lodge_backend_probe(void)
{
	enum lodge_status status = LODGE_STATUS_NO_VIRTUALIZATION;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lodge_backends); i++) {
		status = lodge_backends[i]->probe();
		if (status == LODGE_STATUS_READY)
			lodge_backend = lodge_backends[i];
		if (status != LODGE_STATUS_NO_VIRTUALIZATION)
			break;
	}
	lodge_backend_missing = status;
}

int lodge_backend_init(void)
{
	int error;

	lodge_backend_probe();
	if (!lodge_backend) {
		pr_info("lodge: no virtual machines here: %s\n",
			lodge_status_words[lodge_backend_missing]);
		return 0;
	}

	static_call_update(lodge_backend_run, lodge_backend->run);
	static_call_update(lodge_backend_skip, lodge_backend->skip);
	lodge_state_init();
	error = lodge_msr_rules_init();
	if (!error)
		error = lodge_backend->setup();
	if (error)
		return error;
	error = lodge_hw_init();
	if (error)
		lodge_backend->teardown();
	return error;
}

void lodge_backend_exit(void)
{
	if (!lodge_backend)
		return;
	lodge_hw_exit();
	lodge_backend->teardown();
}
