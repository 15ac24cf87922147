// SPDX-License-Identifier: GPL-2.0
/*
 * LODGE_GET_INFO tells the truth; and KVM as a neighbour: who comes first has
 * the processor, and who comes second is told.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "host.h"
#include "lib/client.h"
#include "runner.h"
#include "waiting.h"

#include "kselftest_harness.h"

FIXTURE(info)
{
	int lodge;
	struct lodge_info info;
};

FIXTURE_SETUP(info)
{
	self->lodge = lodge_open();
	ASSERT_LE(0, self->lodge);
	memset(&self->info, 0xa5, sizeof(self->info));
	ASSERT_EQ(0, lodge_info(self->lodge, &self->info));
}

static bool is_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) &&
	       ebx == signature_INTEL_ebx;
}

FIXTURE_TEARDOWN(info)
{
	close(self->lodge);
}

TEST_F(info, the_host_is_ready)
{
	EXPECT_EQ(LODGE_STATUS_READY, self->info.status);
	EXPECT_STREQ("ready", self->info.message);
	EXPECT_STREQ(is_intel() ? "vmx" : "svm", self->info.backend);
}

TEST_F(info, the_abi_is_the_one_of_the_header)
{
	EXPECT_EQ(LODGE_ABI_VERSION, self->info.abi_version);
	EXPECT_EQ(LODGE_GROUPS_ALL, self->info.groups);
	EXPECT_EQ(LODGE_MAX_VCPUS, self->info.max_vcpus);
	EXPECT_EQ(LODGE_MAX_SLOTS, self->info.max_slots);
	EXPECT_EQ(LODGE_RUN_SIZE, self->info.run_size);
}

TEST_F(info, the_sizes_are_possible)
{
	EXPECT_LE(32, self->info.phys_bits);
	EXPECT_GE(52, self->info.phys_bits);
	EXPECT_LE(576, self->info.xsave_size);
	EXPECT_GE(1 << 16, self->info.xsave_size);
	EXPECT_LT(1000, self->info.tsc_khz);
}

TEST_F(info, what_has_no_meaning_yet_is_zero)
{
	static const char zero[128];
	const uint64_t known = LODGE_INFO_NEXT_RIP | LODGE_INFO_FLUSH_BY_ASID |
			       LODGE_INFO_DECODE_ASSISTS | LODGE_INFO_HUGE_1G |
			       LODGE_INFO_TSC_SCALING;
	const struct lodge_info *info = &self->info;
	size_t length = strnlen(info->message, sizeof(info->message));

	EXPECT_EQ(0, memcmp(info->reserved, zero, sizeof(info->reserved)));
	EXPECT_EQ(0, info->flags & ~known);
	EXPECT_EQ(0, memcmp(info->message + length, zero,
			    sizeof(info->message) - length));
}

TEST_F(info, a_vm_can_have_every_vcpu)
{
	int vm = lodge_vm_create(self->lodge);
	struct lodge_run *run;

	ASSERT_LE(0, vm);
	for (uint32_t id = 0; id < self->info.max_vcpus; id++)
		EXPECT_LE(0, lodge_vcpu_create(vm, id, &run));
	close(vm);
}

TEST_F(info, a_vm_does_not_need_the_device_any_longer)
{
	struct machine machine;

	ASSERT_EQ(0, machine_make(&machine, 1));
	close(machine.lodge);
	ASSERT_EQ(0, machine_enter(&machine, 0, guest_out));
	EXPECT_EQ(0, lodge_run(machine.cpu[0].fd));
	EXPECT_EQ(LODGE_EXIT_IO, machine.cpu[0].run->reason);
	machine.lodge = -1;
	machine_end(&machine);
}

/*
 * KVM
 */

#define KVM_PARAMETERS "enable_virt_at_load=0"

FIXTURE(kvm)
{
	bool loaded;
	int kvm;
};

/* Loads KVM, unless the host has it. */
static int kvm_load(bool *loaded)
{
	char path[64], name[32];
	FILE *order = fopen("/modules/order", "re");
	int error = order ? 0 : -errno;

	while (!error && fscanf(order, "%31s", name) == 1) {
		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		error = module_insert(path, KVM_PARAMETERS);
		if (!error)
			*loaded = true;
		else if (error == -EEXIST)
			error = 0;
	}
	if (order)
		fclose(order);
	return error;
}

FIXTURE_SETUP(kvm)
{
	ASSERT_EQ(0, kvm_load(&self->loaded));
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->kvm);
}

FIXTURE_TEARDOWN(kvm)
{
	close(self->kvm);
	if (!self->loaded)
		return;
	EXPECT_TRUE(EVENTUALLY(
		module_remove(is_intel() ? "kvm_intel" : "kvm_amd") !=
		-EWOULDBLOCK));
	module_remove("ccp");
	EXPECT_TRUE(EVENTUALLY(module_remove("kvm") != -EWOULDBLOCK));
}

/*
 * For its first VM, KVM patches code that all processors execute.  An emulated
 * host can miss that (QEMU before 8.1: a processor goes on executing what it has
 * translated just before), so only one is online meanwhile.
 */
static int kvm_vm_create(int kvm)
{
	int vm = cpu_pin(pthread_self(), 0);

	if (!vm)
		vm = cpus_set_online(false);
	if (!vm)
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
	return cpus_set_online(true) ? -1 : vm;
}

static void kvm_vm_close(int vm)
{
	cpus_set_online(false);
	close(vm);
	cpus_set_online(true);
}

static int status(void)
{
	struct lodge_info info;
	int lodge = lodge_open();
	int error = lodge_info(lodge, &info);

	close(lodge);
	return error ? error : (int)info.status;
}

static int try_to_create(void)
{
	int lodge = lodge_open();
	int vm = lodge_vm_create(lodge);

	close(lodge);
	if (vm < 0)
		return vm;
	close(vm);
	return 0;
}

TEST_F(kvm, a_loaded_but_idle_kvm_is_no_obstacle)
{
	EXPECT_EQ(LODGE_STATUS_READY, status());
	EXPECT_EQ(0, try_to_create());
}

TEST_F(kvm, lodge_is_busy_while_kvm_has_a_vm)
{
	int vm = kvm_vm_create(self->kvm);
	struct lodge_info info;
	int lodge = lodge_open();

	ASSERT_LE(0, vm);
	EXPECT_EQ(-EBUSY, lodge_vm_create(lodge));
	ASSERT_EQ(0, lodge_info(lodge, &info));
	EXPECT_EQ(LODGE_STATUS_BUSY, info.status);
	EXPECT_STREQ("another hypervisor holds the processor", info.message);
	close(lodge);
	kvm_vm_close(vm);
	EXPECT_EQ(LODGE_STATUS_READY, status());
	EXPECT_EQ(0, try_to_create());
}

TEST_F(kvm, kvm_cannot_disturb_a_vm_of_lodge)
{
	struct machine machine;
	struct runner runner;
	uint32_t before;

	ASSERT_EQ(0, machine_make(&machine, 1));
	ASSERT_EQ(0, machine_enter(&machine, 0, guest_out));
	runner_start(&runner, &machine, 0);
	for (int i = 0; i < 3; i++) {
		before = machine_word(&machine, GUEST_ROUNDS);
		EXPECT_TRUE(EVENTUALLY(machine_word(&machine, GUEST_ROUNDS) >
				       before + 10));
		EXPECT_EQ(-1, ioctl(self->kvm, KVM_CREATE_VM, 0));
	}
	before = machine_word(&machine, GUEST_ROUNDS);
	EXPECT_TRUE(
		EVENTUALLY(machine_word(&machine, GUEST_ROUNDS) > before + 10));
	EXPECT_EQ(LODGE_STATUS_READY, status());
	EXPECT_EQ(0, try_to_create());
	EXPECT_EQ(0, runner_stop(&runner));
	machine_end(&machine);
}

TEST_F(kvm, kvm_works_again_when_lodge_has_ended)
{
	struct machine machine;
	int vm;

	ASSERT_EQ(0, machine_make(&machine, 1));
	EXPECT_EQ(-1, ioctl(self->kvm, KVM_CREATE_VM, 0));
	machine_end(&machine);
	vm = kvm_vm_create(self->kvm);
	EXPECT_LE(0, vm);
	EXPECT_EQ(-EBUSY, try_to_create());
	kvm_vm_close(vm);
}

TEST_HARNESS_MAIN
