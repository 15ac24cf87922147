// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of face.c, which gives VMs and vCPUs descriptors and run pages.  Each of its
 * steps fails once, and user space writes to the run page at any time.
 */
#include <signal.h>
#include <stdio.h>
#include <x86intrin.h>

#include "kernel_face.h"

#include "face.h"
#include "inject.h"
#include "mem.h"
#include "policy.h"
#include "pv.h"
#include "state.h"
#include "vcpu.h"
#include "vm.h"

#include "kselftest_harness.h"

#define FD_VM 10
#define FD_VCPU 11

/**
 * struct world - the kernel below face.c
 * @vm: the only VM
 * @vcpu: the only vCPU, while it lives
 * @file: files by descriptor, once user space can use them
 * @ops: operations of these files
 * @page: run page; NULL: none is allocated
 * @steps: number of steps done that can fail
 * @fails: number of the step that fails; 0: none
 * @descriptors: number of descriptors that are reserved
 * @files: number of files of vCPUs
 * @published: the vCPU is published
 * @unsafe: a descriptor was installed before the vCPU was published
 * @locked: the lock that is held
 * @kill: kill threads that wait for a lock
 */
static struct world {
	struct lodge_vm vm;
	struct lodge_vcpu *vcpu;
	struct file vm_file;
	struct file vcpu_file;
	const struct file_operations *vm_ops;
	const struct file_operations *vcpu_ops;
	struct lodge_run *page;
	unsigned int steps;
	unsigned int fails;
	unsigned int descriptors;
	unsigned int files;
	unsigned int vms;
	bool published;
	bool installed;
	bool unsafe;
	struct mutex *locked;
	bool kill;
} world;

/**
 * struct core - calls of the core, and its answers
 */
static struct core {
	unsigned int runs;
	bool window;
	bool at_once;
	struct lodge_answer found;
	struct lodge_answer answer;
	struct mutex *locked;
	u64 loaded;
	u64 saved;
	int error;
	u32 cpuid_count;
} core;

struct lodge_inject lodge_inject;
u64 lodge_tsc_moved;

static bool step_fails(void)
{
	return ++world.steps == world.fails;
}

unsigned long get_zeroed_page(int flags)
{
	if (step_fails())
		return 0;
	world.page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(world.page, 0, PAGE_SIZE);
	return (unsigned long)world.page;
}

void free_page(unsigned long page)
{
	free((void *)page);
	world.page = NULL;
}

void put_page(struct page *page)
{
	free_page((unsigned long)page);
}

struct page *virt_to_page(void *address)
{
	return (struct page *)((unsigned long)address & PAGE_MASK);
}

int vm_insert_page(struct vm_area_struct *vma, unsigned long address,
		   struct page *page)
{
	return 0;
}

int get_unused_fd_flags(int flags)
{
	if (step_fails())
		return -EMFILE;
	world.descriptors++;
	return FD_VCPU;
}

void put_unused_fd(int fd)
{
	world.descriptors--;
}

void fd_install(int fd, struct file *file)
{
	world.unsafe = !world.published;
	world.installed = true;
}

struct file *anon_inode_getfile(const char *name,
				const struct file_operations *operations,
				void *data, int flags)
{
	if (step_fails())
		return ERR_PTR(-ENFILE);
	world.vcpu_ops = operations;
	world.vcpu_file.private_data = data;
	world.files++;
	return &world.vcpu_file;
}

int anon_inode_getfd(const char *name, const struct file_operations *operations,
		     void *data, int flags)
{
	if (step_fails())
		return -EMFILE;
	world.vm_ops = operations;
	world.vm_file.private_data = data;
	return FD_VM;
}

int mutex_lock_killable(struct mutex *mutex)
{
	if (world.kill)
		return -EINTR;
	world.locked = mutex;
	return 0;
}

void mutex_unlock(struct mutex *mutex)
{
	world.locked = NULL;
}

int copy_struct_from_user(void *to, size_t size, const void *from, size_t given)
{
	memcpy(to, from, given < size ? given : size);
	return 0;
}

unsigned long copy_to_user(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return 0;
}

unsigned long clear_user(void *to, size_t size)
{
	memset(to, 0, size);
	return 0;
}

struct lodge_vm *lodge_vm_new(const char *name)
{
	if (step_fails())
		return ERR_PTR(-EBUSY);
	world.vms++;
	return &world.vm;
}

void lodge_vm_put(struct lodge_vm *vm)
{
	world.vms--;
}

int lodge_vm_usable(const struct lodge_vm *vm)
{
	return vm->state == LODGE_VM_ALIVE ? 0 : -EIO;
}

struct lodge_vcpu *lodge_vcpu_new(struct lodge_vm *vm, u32 id, void *data)
{
	if (step_fails())
		return ERR_PTR(-EEXIST);
	world.vcpu = calloc(1, sizeof(*world.vcpu));
	world.vcpu->vm = vm;
	world.vcpu->id = id;
	world.vcpu->data = data;
	return world.vcpu;
}

void lodge_vcpu_publish(struct lodge_vcpu *vcpu)
{
	core.locked = world.locked;
	world.published = true;
}

void lodge_vcpu_end(struct lodge_vcpu *vcpu)
{
	free(vcpu);
	world.vcpu = NULL;
}

int lodge_vcpu_run(struct lodge_vcpu *vcpu, bool window, bool at_once)
{
	core.runs++;
	core.window = window;
	core.at_once = at_once;
	core.locked = world.locked;
	core.found = vcpu->answer;
	vcpu->answer = core.answer;
	return core.error;
}

int lodge_state_load(struct lodge_vcpu *vcpu, u64 groups,
		     const struct lodge_regs *shared)
{
	core.loaded = groups;
	return groups & ~LODGE_GROUPS_INLINE ? -EINVAL : 0;
}

void lodge_state_get_inline(struct lodge_vcpu *vcpu, u64 groups,
			    struct lodge_regs *out)
{
	core.saved = groups;
}

int lodge_state_get(struct lodge_vcpu *vcpu, struct lodge_state *state)
{
	core.locked = world.locked;
	state->xsave_size = 77;
	return -ENOSPC;
}

int lodge_state_set(struct lodge_vcpu *vcpu, const struct lodge_state *state)
{
	return 0;
}

int lodge_cpuid_get(struct lodge_vcpu *vcpu, struct lodge_cpuid *arg)
{
	core.cpuid_count = arg->count;
	arg->count = 77;
	return -ENOSPC;
}

int lodge_cpuid_set(struct lodge_vcpu *vcpu, const struct lodge_cpuid *arg)
{
	return 0;
}

int lodge_msr_list_get(struct lodge_vcpu *vcpu, struct lodge_msr_list *arg)
{
	return 0;
}

int lodge_msr_list_set(struct lodge_vcpu *vcpu,
		       const struct lodge_msr_list *arg)
{
	return 0;
}

int lodge_mem_set(struct lodge_vm *vm, const struct lodge_memory *arg)
{
	core.locked = world.locked;
	return 0;
}

long lodge_dirty_set_log(struct lodge_vm *vm, const struct lodge_dirty_log *arg)
{
	core.locked = world.locked;
	return 0;
}

long lodge_dirty_collect(struct lodge_vm *vm, struct lodge_dirty *arg)
{
	core.locked = world.locked;
	return 0;
}

long lodge_dirty_reset(struct lodge_vm *vm, struct lodge_reset *arg)
{
	core.locked = world.locked;
	return 0;
}

long lodge_hold_user(struct lodge_vm *vm)
{
	core.locked = world.locked;
	return 0;
}

long lodge_hold_release(struct lodge_vm *vm)
{
	core.locked = world.locked;
	return 0;
}

void lodge_hold_release_all(struct lodge_vm *vm)
{
}

long lodge_ioeventfd_set(struct lodge_vm *vm, const struct lodge_ioeventfd *set)
{
	core.locked = world.locked;
	return 0;
}

long lodge_irqfd_set(struct lodge_vm *vm, const struct lodge_irqfd *set)
{
	core.locked = world.locked;
	return 0;
}

int lodge_irq_msi(struct lodge_apic_bus *bus, const struct lodge_msi *msi)
{
	core.locked = world.locked;
	return 0;
}

void lodge_event_nmi(struct lodge_delivery *d)
{
	core.locked = world.locked;
	core.runs++;
}

int lodge_event_extint(struct lodge_delivery *d, u8 vector)
{
	core.locked = world.locked;
	return 0;
}

u64 lodge_pv_clock_now(struct lodge_vm *vm, u64 *host_tsc)
{
	return 0;
}

long lodge_vm_set_tsc_rate(struct lodge_vm *vm,
			   const struct lodge_tsc_rate *rate)
{
	return 0;
}

int lodge_pv_clock_set(struct lodge_vm *vm, u64 ns, u64 host_tsc)
{
	return 0;
}

void lodge_inject_delay(const unsigned int *ms)
{
}

static long vm_call(unsigned int cmd, void *argument)
{
	return world.vm_ops->unlocked_ioctl(&world.vm_file, cmd,
					    (unsigned long)argument);
}

static long vcpu_call(unsigned int cmd, void *argument)
{
	return world.vcpu_ops->unlocked_ioctl(&world.vcpu_file, cmd,
					      (unsigned long)argument);
}

static long create_vcpu(void)
{
	struct lodge_vcpu_create create = {};

	return vm_call(LODGE_CREATE_VCPU, &create);
}

static void begin(void)
{
	memset(&world, 0, sizeof(world));
	memset(&core, 0, sizeof(core));
}

static void end_vcpu(void)
{
	world.vcpu_ops->release(NULL, &world.vcpu_file);
}

FIXTURE(face)
{
	struct lodge_run *run;
};

FIXTURE_SETUP(face)
{
	begin();
	ASSERT_EQ(FD_VM, lodge_face_create_vm(""));
	ASSERT_EQ(FD_VCPU, create_vcpu());
	self->run = world.page;
}

FIXTURE_TEARDOWN(face)
{
	end_vcpu();
	EXPECT_EQ(NULL, world.vcpu);
	EXPECT_EQ(NULL, world.page);
	EXPECT_EQ(0, world.vm_ops->release(NULL, &world.vm_file));
	EXPECT_EQ(0U, world.vms);
}

TEST(a_vm_that_gets_no_descriptor_is_gone)
{
	begin();
	world.fails = 1;
	EXPECT_EQ(-EBUSY, lodge_face_create_vm(""));
	EXPECT_EQ(0U, world.vms);
	begin();
	world.fails = 2;
	EXPECT_EQ(-EMFILE, lodge_face_create_vm(""));
	EXPECT_EQ(0U, world.vms);
}

TEST(each_step_of_making_a_vcpu_can_fail)
{
	static const int errors[] = { -EMFILE, -ENOMEM, -EEXIST, -ENFILE };

	for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++) {
		begin();
		ASSERT_EQ(FD_VM, lodge_face_create_vm(""));
		world.fails = world.steps + 1 + i;
		EXPECT_EQ(errors[i], create_vcpu());
		EXPECT_EQ(0U, world.descriptors);
		EXPECT_EQ(0U, world.files);
		EXPECT_EQ(NULL, world.page);
		EXPECT_EQ(NULL, world.vcpu);
		EXPECT_FALSE(world.published);
		EXPECT_FALSE(world.installed);
	}
}

TEST_F(face, a_vcpu_is_published_before_it_has_a_descriptor)
{
	EXPECT_TRUE(world.published && world.installed);
	EXPECT_FALSE(world.unsafe);
	EXPECT_EQ(&world.vm.lock, core.locked);
}

TEST_F(face, a_vcpu_that_is_held_does_not_run_and_its_run_page_waits)
{
	self->run->load = LODGE_GROUP_GENERAL;
	world.vm.holds.counter = 1;
	EXPECT_EQ(-EAGAIN, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(LODGE_GROUP_GENERAL, self->run->load);
	world.vm.holds.counter = 0;
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(0U, self->run->load);
}

TEST_F(face, a_vcpu_that_is_held_has_no_exit_to_be_handled_again)
{
	self->run->reason = LODGE_EXIT_IO;
	world.vm.holds.counter = 1;
	EXPECT_EQ(-EAGAIN, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(LODGE_EXIT_INTERRUPTED, self->run->reason);
}

TEST_F(face, a_vcpu_that_is_held_can_be_left_if_nothing_is_to_be_taken)
{
	self->run->immediate_exit = 1;
	world.vm.holds.counter = 1;
	EXPECT_EQ(-EINTR, vcpu_call(LODGE_RUN, NULL));
	self->run->load = LODGE_GROUP_GENERAL;
	EXPECT_EQ(-EAGAIN, vcpu_call(LODGE_RUN, NULL));
	self->run->load = 0;
	world.vcpu->completion = LODGE_COMPLETE_IN;
	EXPECT_EQ(-EAGAIN, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(0U, core.runs);
}

TEST_F(face, a_call_holds_the_lock_of_its_row)
{
	struct lodge_memory memory = {};
	struct lodge_extint extint = {};
	struct lodge_state state = {};
	struct lodge_msi msi = {};

	vcpu_call(LODGE_RUN, NULL);
	EXPECT_EQ(&world.vcpu->lock, core.locked);
	vcpu_call(LODGE_NMI, NULL);
	EXPECT_EQ(NULL, core.locked);
	vcpu_call(LODGE_GET_STATE, &state);
	EXPECT_EQ(&world.vcpu->lock, core.locked);
	vcpu_call(LODGE_EXTINT, &extint);
	EXPECT_EQ(NULL, core.locked);
	vm_call(LODGE_SET_MEMORY, &memory);
	EXPECT_EQ(&world.vm.lock, core.locked);
	vm_call(LODGE_SEND_MSI, &msi);
	EXPECT_EQ(NULL, core.locked);
	EXPECT_EQ(NULL, world.locked);
}

TEST_F(face, a_killed_waiter_does_nothing)
{
	world.kill = true;
	EXPECT_EQ(-EINTR, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(0U, core.runs);
	EXPECT_EQ(0, vcpu_call(LODGE_NMI, NULL));
	EXPECT_EQ(1U, core.runs);
}

TEST_F(face, a_dead_vm_takes_no_call)
{
	world.vm.state = LODGE_VM_BROKEN;
	EXPECT_EQ(-EIO, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(-EIO, create_vcpu());
	EXPECT_EQ(0U, core.runs);
}

TEST_F(face, calls_without_a_structure_have_one_number)
{
	EXPECT_EQ(-ENOTTY, vcpu_call(LODGE_RUN | 8 << _IOC_SIZESHIFT, NULL));
	EXPECT_EQ(-ENOTTY, vcpu_call(LODGE_NMI | 8 << _IOC_SIZESHIFT, NULL));
	EXPECT_EQ(0U, core.runs);
}

TEST_F(face, only_a_row_that_says_so_gives_back_when_there_is_no_room)
{
	struct lodge_cpuid cpuid = { .count = 3 };
	struct lodge_state state = {};

	EXPECT_EQ(-ENOSPC, vcpu_call(LODGE_GET_CPUID, &cpuid));
	EXPECT_EQ(3U, core.cpuid_count);
	EXPECT_EQ(77U, cpuid.count);
	EXPECT_EQ(-ENOSPC, vcpu_call(LODGE_GET_STATE, &state));
	EXPECT_EQ(0U, state.xsave_size);
}

TEST_F(face, the_run_page_shows_the_answer)
{
	core.answer.reason = LODGE_EXIT_IO;
	core.answer.window_open = true;
	core.answer.exit.io = (struct lodge_exit_io){ 0x3f8, 1, 0, 7 };
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(LODGE_EXIT_IO, (int)self->run->reason);
	EXPECT_EQ(1, self->run->window_open);
	EXPECT_EQ(0x3f8, self->run->exit.io.port);
	EXPECT_EQ(7U, self->run->exit.io.count);
	core.answer.reason = LODGE_EXIT_MEMORY_ERROR;
	core.answer.exit.memory = (struct lodge_exit_memory){ 1, 2, 3, 4 };
	core.error = -EIO;
	EXPECT_EQ(-EIO, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(LODGE_EXIT_MEMORY_ERROR, (int)self->run->reason);
	EXPECT_EQ(4U, self->run->exit.memory.write);
}

TEST_F(face, the_run_page_says_what_is_wanted)
{
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_FALSE(core.window || core.at_once);
	self->run->request_window = 1;
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_TRUE(core.window && !core.at_once);
	self->run->request_window = 0;
	self->run->immediate_exit = 0x80;
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_TRUE(!core.window && core.at_once);
}

TEST_F(face, registers_that_are_refused_keep_the_vcpu_from_running)
{
	self->run->load = LODGE_GROUP_GENERAL;
	self->run->save = ~0ULL;
	EXPECT_EQ(0, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(LODGE_GROUP_GENERAL, core.loaded);
	EXPECT_EQ(0U, self->run->load);
	EXPECT_EQ(LODGE_GROUPS_INLINE, core.saved);
	self->run->load = ~0ULL;
	EXPECT_EQ(-EINVAL, vcpu_call(LODGE_RUN, NULL));
	EXPECT_EQ(~0ULL, self->run->load);
	EXPECT_EQ(1U, core.runs);
}

TEST_F(face, an_answer_is_taken_where_a_read_of_a_device_waits)
{
	struct lodge_answer *answer = &core.answer;

	answer->reason = LODGE_EXIT_MMIO;
	answer->exit.mmio.size = 4;
	vcpu_call(LODGE_RUN, NULL);
	memset(&self->run->exit, 0x55, sizeof(self->run->exit));
	vcpu_call(LODGE_RUN, NULL);
	EXPECT_EQ(4U, core.found.exit.mmio.size);
	EXPECT_EQ(0x55, core.found.exit.mmio.data[0]);
	EXPECT_EQ(0x55, core.found.exit.mmio.data[15]);
	answer->exit.mmio.write = 1;
	vcpu_call(LODGE_RUN, NULL);
	memset(&self->run->exit, 0x55, sizeof(self->run->exit));
	vcpu_call(LODGE_RUN, NULL);
	EXPECT_EQ(0, core.found.exit.mmio.data[0]);
}

/*
 * Another thread of user space.  After each single instruction of face.c it writes to
 * the run page, alternately zeros and values.
 */
static struct lodge_run *written_page;
static unsigned int writes;

static void write_page(int signal)
{
	struct lodge_run *run = written_page;
	bool zeros = writes++ % 2;

	run->load = zeros ? 0 : LODGE_GROUP_GENERAL;
	run->save = zeros ? 0 : LODGE_GROUP_GENERAL;
	run->request_window = zeros ? 0 : 0xff;
	run->immediate_exit = zeros ? 0 : 0xff;
	run->reason = zeros ? LODGE_EXIT_IO : LODGE_EXIT_MMIO;
	memset(&run->exit, 0x5a, sizeof(run->exit));
}

static long run_while_written(struct lodge_run *run)
{
	long answer;

	written_page = run;
	signal(SIGTRAP, write_page);
	__writeeflags(__readeflags() | X86_EFLAGS_TF);
	answer = vcpu_call(LODGE_RUN, NULL);
	__writeeflags(__readeflags() & ~(u64)X86_EFLAGS_TF);
	signal(SIGTRAP, SIG_DFL);
	return answer;
}

/* Each value is read once: a second read might find other groups. */
TEST_F(face, who_writes_to_the_run_page_changes_no_answer)
{
	struct lodge_answer *answer = &core.answer;

	answer->reason = LODGE_EXIT_IO;
	answer->exit.io = (struct lodge_exit_io){ 0x3f8, 1, 0, 7 };
	vcpu_call(LODGE_RUN, NULL);
	for (unsigned int i = 0; i < 4; i++) {
		core.loaded = LODGE_GROUP_DEBUG;
		core.saved = LODGE_GROUP_DEBUG;
		writes = i;
		EXPECT_EQ(0, run_while_written(self->run));
		EXPECT_EQ(0, memcmp(answer, &core.found, sizeof(*answer)));
		EXPECT_EQ(0,
			  memcmp(answer, &world.vcpu->answer, sizeof(*answer)));
		EXPECT_NE(0U, core.loaded);
		EXPECT_NE(0U, core.saved);
	}
	EXPECT_GT(writes, 100U);
}

TEST_HARNESS_MAIN
