// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of `lodge doctor`, with several processors and answers of the module, and of
 * the messages of `lodge run`.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/exit_code.h"
#include "cmd/processor.h"
#include "fake_lodge.h"
#include "fake_netlink.h"
#include "kselftest_harness.h"

/* Replaces the controller's processor_read(). */
static struct processor processor;

void processor_read(struct processor *answer)
{
	*answer = processor;
}

static char said[8192];

/* The guest of the trial. */
static int trial(struct lodge_run *run)
{
	return fake_out(run, 0x80, 1, 0);
}

/* Runs a command and keeps its output to @stream.  Return: its exit code. */
static int say(int (*command)(int argc, char **argv), char **arguments,
	       int stream)
{
	int out = memfd_create("said", MFD_CLOEXEC);
	int count = 0;
	int status;
	pid_t child;

	while (arguments[count])
		count++;
	fflush(NULL);
	child = fork();
	if (!child) {
		dup2(out, stream);
		exit(command(count, arguments));
	}
	waitpid(child, &status, 0);
	memset(said, 0, sizeof(said));
	if (pread(out, said, sizeof(said) - 1, 0) < 0)
		return -1;
	close(out);
	return WEXITSTATUS(status);
}

static const struct netlink_limit limits[] = {
	{
		.present = FAKE_ALL,
		.scope = LODGE_SCOPE_USER,
		.limits = { 4, 64, 64 << 20, LODGE_LIMIT_NONE },
		.used = { 1, 2, 3 << 20, 4096 },
	},
	{
		.present = FAKE_ALL,
		.scope = LODGE_SCOPE_TOTAL,
		.limits = { 4, 64, 64 << 20, 1 << 20 },
		.used = { 4, 3, 4 << 20, 8192 },
	},
};

static int doctor(void)
{
	char *arguments[] = { "lodge doctor", "--json", NULL };

	return say(doctor_command, arguments, STDOUT_FILENO);
}

/* Return: doctor's line on a check, from the result on. */
static const char *result(const char *check)
{
	static char text[1024];
	char key[64];
	const char *found;

	snprintf(key, sizeof(key), "\"name\": \"%s\", \"result\": \"", check);
	found = strstr(said, key);
	text[0] = '\0';
	if (found) {
		found += strlen(key);
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(found, "}"),
			 found);
	}
	return text;
}

#define EXPECT_SAYS(check, word)                                 \
	EXPECT_EQ(0, strncmp(word, result(check), strlen(word))) \
	TH_LOG("%s", result(check))

FIXTURE(doctor){};

FIXTURE_SETUP(doctor)
{
	memset(&fake, 0, sizeof(fake));
	fake_netlink =
		(struct fake_netlink){ .limits = limits, .nr_limits = 2 };
	fake.run = trial;
	processor = (struct processor){ .vendor = "GenuineIntel" };
}

FIXTURE_TEARDOWN(doctor)
{
}

TEST_F(doctor, a_processor_with_amd_v_is_good)
{
	processor = (struct processor){ .vendor = "AuthenticAMD", .svm = true };
	EXPECT_EQ(0, doctor());
	EXPECT_SAYS("processor", "ok");
}

TEST_F(doctor, a_processor_with_vt_x_is_good)
{
	processor.vmx = true;
	doctor();
	EXPECT_SAYS("processor", "ok");
}

TEST_F(doctor, a_processor_with_neither_is_not_good_and_a_remedy_is_named)
{
	doctor();
	EXPECT_SAYS("processor", "failed");
	EXPECT_NE(NULL, strstr(result("processor"), "AMD-V"));
	EXPECT_EQ(NULL, strstr(result("processor"), "\"remedy\": \"\""));
}

TEST_F(doctor, a_host_with_fred_is_told_to_boot_without_it)
{
	processor.vmx = true;
	fake.status = LODGE_STATUS_FRED;
	doctor();
	EXPECT_SAYS("virtualization", "failed");
	EXPECT_NE(NULL, strstr(result("virtualization"), "fred=off"));
}

TEST_F(doctor, a_host_whose_kernel_keeps_vt_x_to_kvm_is_told_of_an_older_kernel)
{
	processor.vmx = true;
	fake.status = LODGE_STATUS_KVM_ONLY;
	doctor();
	EXPECT_SAYS("virtualization", "failed");
	EXPECT_NE(NULL, strstr(result("virtualization"), "6.12"));
}

TEST_F(doctor, a_host_without_the_rate_of_its_tsc_is_told_how_to_name_it)
{
	processor.vmx = true;
	fake.status = LODGE_STATUS_NO_TSC_RATE;
	doctor();
	EXPECT_SAYS("virtualization", "failed");
	EXPECT_NE(NULL, strstr(result("virtualization"), "tsc_early_khz="));
}

TEST_F(doctor, a_user_at_a_limit_is_told_where_to_see_it)
{
	processor.svm = true;
	fake.vm_error = -EDQUOT;
	EXPECT_EQ(1, doctor());
	EXPECT_SAYS("trial", "failed");
	EXPECT_NE(NULL, strstr(result("trial"), "lodge limit"));
	EXPECT_EQ(NULL, strstr(result("trial"), "quota"));
	fake.vm_error = 0;
	fake.vcpu_error = -EDQUOT;
	EXPECT_EQ(1, doctor());
	EXPECT_NE(NULL, strstr(result("trial"), "lodge limit"));
	EXPECT_EQ(NULL, strstr(result("trial"), "dmesg"));
}

TEST_F(doctor, each_limit_is_told_with_what_is_used_of_it)
{
	processor.svm = true;
	doctor();
	EXPECT_SAYS("your limits", "ok");
	EXPECT_NE(NULL, strstr(result("your limits"),
			       "vms 1 of 4, vcpus 2 of 64, tables 3M of 64M, "
			       "kernel 4K of none"));
}

TEST_F(doctor, a_limit_that_is_reached_is_a_warning_with_a_remedy)
{
	processor.svm = true;
	EXPECT_EQ(0, doctor());
	EXPECT_SAYS("total limits", "warning");
	EXPECT_NE(NULL, strstr(result("total limits"), "lodge limit"));
}

/* All but root are not told what all users together have. */
TEST_F(doctor, a_limit_of_which_the_use_is_not_told_is_told_alone)
{
	struct netlink_limit total = limits[1];

	total.present = 0;
	memset(total.used, 0, sizeof(total.used));
	total.limits[NETLINK_LIMIT_VMS] = 0;
	fake_netlink.limits = &total;
	fake_netlink.nr_limits = 1;
	processor.svm = true;
	EXPECT_EQ(0, doctor());
	EXPECT_SAYS("total limits", "ok");
	EXPECT_NE(NULL, strstr(result("total limits"),
			       "vms 0, vcpus 64, tables 64M, kernel 1M"));
}

TEST_F(doctor, without_the_module_nobody_tells_what_is_used)
{
	fake_netlink.open_error = -ENOENT;
	doctor();
	EXPECT_SAYS("use of limits", "skipped");
}

/* Runs `lodge run` with valid arguments, and keeps its messages. */
static int run(char *image)
{
	char *arguments[] = { "lodge run",   "--kernel",
			      image,	     "--flat=0x7c00",
			      "--memory=1M", "--serial=none",
			      NULL };

	return say(run_command, arguments, STDERR_FILENO);
}

TEST_F(doctor, run_tells_of_a_name_that_another_vm_has)
{
	char *arguments[] = { "lodge run",	    "--kernel",
			      "/proc/self/cmdline", "--flat=0x7c00",
			      "--memory=1M",	    "--serial=none",
			      "--name=web",	    NULL };

	fake.vm_error = -EEXIST;
	EXPECT_EQ(EXIT_CODE_USAGE, say(run_command, arguments, STDERR_FILENO));
	EXPECT_NE(NULL, strstr(said, "--name web: this user has a VM"));
}

TEST_F(doctor, run_tells_a_user_at_a_limit_where_to_see_it)
{
	fake.vm_error = -EDQUOT;
	EXPECT_EQ(EXIT_CODE_RESOURCES, run("/proc/self/cmdline"));
	EXPECT_EQ(0,
		  strncmp(said, "lodge: creating the VM: a limit of this", 39));
	EXPECT_NE(NULL, strstr(said, "lodge limit"));
	fake.vm_error = 0;
	fake.vcpu_error = -EDQUOT;
	EXPECT_EQ(EXIT_CODE_RESOURCES, run("/proc/self/cmdline"));
	EXPECT_EQ(0, strncmp(said, "lodge: creating the vCPUs: a limit of this",
			     42));
	EXPECT_NE(NULL, strstr(said, "lodge limit"));
}

TEST_HARNESS_MAIN
