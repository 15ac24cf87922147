// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the registry: which names a VM may have, who finds it, and when.
 */
#include <errno.h>
#include <string.h>

#include "notify.h"
#include "registry.h"
#include "vm.h"

#include "kselftest_harness.h"

struct task_struct kernel_thread;

struct user_namespace init_user_ns;

static struct user_namespace host_ns, other_ns;
static struct pid_namespace host_pids;
static struct pid_namespace pids = { .parent = &host_pids };
static struct pid_namespace other_pids = { .parent = &host_pids };
static struct pid pid;

#define VMS 4

/* The last event, and whether others could look for the VM meanwhile. */
static enum lodge_news_kind last_kind;
static u32 last_vm;
static char last_name[LODGE_NAME_SIZE];
static u32 events;
static bool was_open;

void lodge_notify_vm(const struct lodge_vm *vm, enum lodge_news_kind kind)
{
	last_kind = kind;
	last_vm = vm->identity.id;
	strcpy(last_name, vm->identity.name);
	events++;
	was_open |= !kernel_locks;
}

FIXTURE(registry)
{
	struct lodge_vm vm[VMS];
};

FIXTURE_SETUP(registry)
{
	memset(self, 0, sizeof(*self));
	kernel_thread.uid = 1000;
	kernel_thread.user_ns = &host_ns;
	kernel_thread.pid_ns = &host_pids;
	kernel_thread.pid = &pid;
	events = 0;
	was_open = false;
}

FIXTURE_TEARDOWN(registry)
{
	for (u32 i = 0; i < VMS; i++) {
		lodge_registry_remove(&self->vm[i]);
		lodge_identity_fini(&self->vm[i].identity);
	}
	EXPECT_EQ(0, host_ns.users);
	EXPECT_EQ(0, other_ns.users);
	EXPECT_EQ(0, host_pids.users);
	EXPECT_EQ(0, pids.users);
	EXPECT_EQ(0, pid.users);
}

static int add(struct lodge_vm *vm, const char *name)
{
	lodge_identity_init(&vm->identity);
	return lodge_registry_add(vm, name);
}

static struct lodge_vm *next(u32 id)
{
	struct lodge_vm *vm;

	lodge_registry_lock();
	vm = lodge_registry_next(id);
	lodge_registry_unlock();
	return vm;
}

static struct lodge_vm *find(u32 id)
{
	struct lodge_vm *vm;

	lodge_registry_lock();
	vm = lodge_registry_find(id);
	lodge_registry_unlock();
	return vm;
}

static bool valid(const char *name)
{
	char padded[LODGE_NAME_SIZE] = "";

	memcpy(padded, name, strlen(name));
	return lodge_name_valid(padded);
}

TEST(a_name_has_letters_digits_and_three_signs)
{
	static const char *const good[] = { "", "a", "7", "Z", "a-b_c.d9" };
	static const char *const bad[] = { ".",	  "-a",	 "_",	 "a b",	 "a/b",
					   "a\n", "a%s", "\xe4", "a\xe4" };

	for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_TRUE(valid(good[i]))
		TH_LOG("%s", good[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_FALSE(valid(bad[i]))
		TH_LOG("%s", bad[i]);
	}
}

TEST(a_name_ends_in_zeros)
{
	char name[LODGE_NAME_SIZE];

	memset(name, 'a', sizeof(name));
	EXPECT_FALSE(lodge_name_valid(name));
	name[LODGE_NAME_SIZE - 1] = 0;
	EXPECT_TRUE(lodge_name_valid(name));
	name[3] = 0;
	EXPECT_FALSE(lodge_name_valid(name));
	memset(name, 0, sizeof(name));
	name[5] = 'a';
	EXPECT_FALSE(lodge_name_valid(name));
}

TEST_F(registry, a_name_is_unique_among_the_vms_of_its_owner)
{
	EXPECT_EQ(0, add(&self->vm[0], "a"));
	EXPECT_EQ(-EEXIST, add(&self->vm[1], "a"));
	lodge_identity_fini(&self->vm[1].identity);
	kernel_thread.uid = 1001;
	EXPECT_EQ(0, add(&self->vm[1], "a"));
	kernel_thread.uid = 1000;
	kernel_thread.user_ns = &other_ns;
	EXPECT_EQ(0, add(&self->vm[2], "a"));
	kernel_thread.user_ns = &host_ns;
	lodge_registry_remove(&self->vm[0]);
	EXPECT_EQ(0, add(&self->vm[3], "a"));
}

TEST_F(registry, a_name_is_its_owners_once_in_each_pid_namespace)
{
	EXPECT_EQ(0, add(&self->vm[0], "a"));
	kernel_thread.pid_ns = &pids;
	EXPECT_EQ(0, add(&self->vm[1], "a"));
	EXPECT_EQ(-EEXIST, add(&self->vm[2], "a"));
}

/* Return: true if the thread's user sees what that user makes in @ns. */
static bool sees(struct pid_namespace *ns, u32 uid)
{
	const struct lodge_owner user = lodge_owner_current();
	const struct lodge_owner owner = {
		.uid = { uid },
		.user_ns = &host_ns,
		.pid_ns = ns,
	};

	return lodge_owner_sees(&user, &owner);
}

TEST_F(registry, a_user_sees_its_own_in_its_pid_namespace_and_those_below)
{
	EXPECT_TRUE(sees(&host_pids, 1000));
	EXPECT_TRUE(sees(&pids, 1000));
	EXPECT_FALSE(sees(&pids, 1001));
	kernel_thread.pid_ns = &pids;
	EXPECT_TRUE(sees(&pids, 1000));
	EXPECT_FALSE(sees(&host_pids, 1000));
	EXPECT_FALSE(sees(&other_pids, 1000));
	kernel_thread.user_ns = &other_ns;
	EXPECT_FALSE(sees(&pids, 1000));
}

TEST_F(registry, a_made_up_name_is_not_one_that_is_taken)
{
	char taken[LODGE_NAME_SIZE] = "";
	u32 id;

	ASSERT_EQ(0, add(&self->vm[0], ""));
	id = self->vm[0].identity.id;
	snprintf(taken, sizeof(taken), "vm-%u", id + 2);
	ASSERT_EQ(0, add(&self->vm[1], taken));
	ASSERT_EQ(0, add(&self->vm[2], ""));
	EXPECT_EQ(id + 3, self->vm[2].identity.id);
	EXPECT_NE(0, strcmp(taken, self->vm[2].identity.name));
}

TEST_F(registry, nobody_finds_a_vm_that_was_refused)
{
	ASSERT_EQ(0, add(&self->vm[0], "a"));
	EXPECT_EQ(-EEXIST, add(&self->vm[1], "a"));
	EXPECT_EQ(0U, self->vm[1].identity.id);
	EXPECT_EQ(&self->vm[0], next(1));
	EXPECT_EQ(NULL, next(self->vm[0].identity.id + 1));
}

TEST_F(registry, vms_are_found_by_id_and_walked_in_that_order)
{
	for (u32 i = 0; i < 3; i++)
		ASSERT_EQ(0, add(&self->vm[i], ""));
	lodge_registry_remove(&self->vm[1]);
	EXPECT_EQ(NULL, find(self->vm[1].identity.id));
	EXPECT_EQ(&self->vm[2], find(self->vm[2].identity.id));
	EXPECT_EQ(&self->vm[0], next(1));
	EXPECT_EQ(&self->vm[2], next(self->vm[0].identity.id + 1));
	EXPECT_EQ(NULL, next(self->vm[2].identity.id + 1));
}

TEST_F(registry, an_id_that_no_vm_can_have_is_not_found)
{
	ASSERT_EQ(0, add(&self->vm[0], ""));
	EXPECT_EQ(NULL, find(0));
	EXPECT_EQ(NULL, find(1U << 31));
	EXPECT_EQ(NULL, find(~0U));
	EXPECT_EQ(NULL, next(1U << 31));
	EXPECT_EQ(NULL, next(~0U));
}

/* So no other event of it comes before, and none of the next VM of that name. */
TEST_F(registry, others_know_of_a_vm_as_soon_and_as_long_as_it_can_be_found)
{
	ASSERT_EQ(0, add(&self->vm[0], "a"));
	EXPECT_EQ(1U, events);
	EXPECT_EQ(LODGE_NEWS_VM_CREATED, last_kind);
	EXPECT_EQ(self->vm[0].identity.id, last_vm);
	EXPECT_STREQ("a", last_name);
	EXPECT_EQ(-EEXIST, add(&self->vm[1], "a"));
	lodge_registry_remove(&self->vm[1]);
	EXPECT_EQ(1U, events);
	lodge_registry_remove(&self->vm[0]);
	EXPECT_EQ(2U, events);
	EXPECT_EQ(LODGE_NEWS_VM_GONE, last_kind);
	EXPECT_EQ(self->vm[0].identity.id, last_vm);
	EXPECT_FALSE(was_open);
}

TEST_F(registry, an_id_is_not_used_again_at_once)
{
	u32 id;

	ASSERT_EQ(0, add(&self->vm[0], ""));
	id = self->vm[0].identity.id;
	lodge_registry_remove(&self->vm[0]);
	ASSERT_EQ(0, add(&self->vm[1], ""));
	EXPECT_NE(id, self->vm[1].identity.id);
}

TEST_F(registry, the_generation_moves_with_each_change)
{
	u32 first = lodge_registry_generation(), second;

	EXPECT_EQ(1U, first & 1);
	ASSERT_EQ(0, add(&self->vm[0], ""));
	second = lodge_registry_generation();
	EXPECT_NE(first, second);
	lodge_registry_changed();
	EXPECT_NE(second, lodge_registry_generation());
	second = lodge_registry_generation();
	lodge_registry_remove(&self->vm[0]);
	EXPECT_NE(second, lodge_registry_generation());
	/* Odd: never 0, which would stand for no generation. */
	EXPECT_EQ(1U, lodge_registry_generation() & 1);
}

/*
 * Who on the host is behind an owner
 */

static u32 host_uid(u32 uid, struct user_namespace *ns)
{
	const struct lodge_owner owner = { .uid = { uid }, .user_ns = ns };

	return lodge_owner_host_uid(&owner).val;
}

TEST(a_user_of_the_host_is_itself)
{
	EXPECT_EQ(1000U, host_uid(1000, &init_user_ns));
	EXPECT_EQ(0U, host_uid(0, &init_user_ns));
	EXPECT_EQ(INVALID_UID.val, host_uid(1000, NULL));
}

TEST(all_users_of_a_namespace_are_the_one_who_has_made_it)
{
	struct user_namespace ns = { .parent = &init_user_ns,
				     .owner = { 1000 },
				     .first = 100000 };
	/* Its maker is one of the users of the one above. */
	struct user_namespace inner = { .parent = &ns, .owner = { 100005 } };

	EXPECT_EQ(1000U, host_uid(100000, &ns));
	EXPECT_EQ(1000U, host_uid(100007, &ns));
	EXPECT_EQ(1000U, host_uid(100009, &inner));
}

TEST(all_users_of_a_namespace_that_root_has_made_are_its_own_root)
{
	struct user_namespace ns = { .parent = &init_user_ns,
				     .owner = GLOBAL_ROOT_UID,
				     .first = 200000 };
	struct user_namespace inner = { .parent = &ns, .owner = { 200005 } };

	EXPECT_EQ(200000U, host_uid(200007, &ns));
	EXPECT_EQ(200000U, host_uid(200009, &inner));
	ns.first = ~0U;
	EXPECT_EQ(200007U, host_uid(200007, &ns));
}

TEST_HARNESS_MAIN
